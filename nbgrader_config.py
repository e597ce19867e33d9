"""The course: what nbgrader, formgrader and `python -m grading` have in common."""

import os

from nbgrader.converters import Autograde, GenerateAssignment
from nbgrader.preprocessors import Execute as StockExecute

from grading.course import prepare_process
from grading.execute import Execute
from grading.release import PublishMistakes

prepare_process()

c = get_config()  # noqa: F821 - nbgrader hands it to this file

c.CourseDirectory.course_id = "rnn"
c.CourseDirectory.root = os.path.dirname(os.path.abspath(__file__))

# nbgrader's own list, and what stays with the instructor: mistakes, drawing code.
c.CourseDirectory.ignore = [
    ".ipynb_checkpoints",
    "*.pyc",
    "__pycache__",
    "feedback",
    "mistakes.yaml",
    "draw.py",
]

# The student version gets known_mistakes.json, from which its checks name mistakes.
c.GenerateAssignment.preprocessors = [
    *GenerateAssignment.preprocessors.default_args[0],
    PublishMistakes,
]

# Cells are run, and scores settled, by the course's own Execute.
c.Autograde.autograde_preprocessors = [
    Execute if step is StockExecute else step
    for step in Autograde.autograde_preprocessors.default_args[0]
]
c.Execute.timeout = 10  # seconds per cell
c.KernelManager.transport_encryption = "required"

# Downloads of Canvas and Moodle: nbgrader zip_collect.
c.ZipCollectApp.extractor_plugin = "grading.collect.SubmissionExtractor"
c.ZipCollectApp.collector_plugin = "grading.collect.SubmissionCollector"

# Formgrader need not print this configuration on its first page.
c.FormgradeExtension.debug = False
