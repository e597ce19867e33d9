"""The course: what nbgrader, formgrader and `python -m grading` have in common."""

import os

from nbgrader.converters import Autograde, GenerateAssignment, GenerateFeedback
from nbgrader.preprocessors import Execute as StockExecute

from grading import autograde
from grading.course import prepare_process
from grading.execute import Execute
from grading.feedback import HideTests
from grading.release import PublishMistakes

prepare_process()
autograde.install()

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

# Student code runs in a room of its own, and may use this much: grading/rooms/limits.py
# says what each bound means.
c.Autograde.autograde_preprocessors = [
    Execute if step is StockExecute else step
    for step in Autograde.autograde_preprocessors.default_args[0]
]
c.Execute.limits = {
    "memory_mb": 1024,
    "processes": 8,
    "disk_mb": 64,
    "cpu_seconds": 120,
    "cell_seconds": 10,
    "call_seconds": 5,
    "notebook_seconds": 120,
    "output_bytes": 2_000_000,
}

# Feedback shows what the tests found, and not the tests.
c.GenerateFeedback.preprocessors = [
    HideTests,
    *GenerateFeedback.preprocessors.default_args[0],
]

# Downloads of Canvas and Moodle: nbgrader zip_collect.
c.ZipCollectApp.extractor_plugin = "grading.collect.SubmissionExtractor"
c.ZipCollectApp.collector_plugin = "grading.collect.SubmissionCollector"

# Formgrader need not print this configuration on its first page.
c.FormgradeExtension.debug = False
