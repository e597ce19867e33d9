"""The course: what nbgrader, formgrader and `python -m grading` have in common."""

import os

from nbgrader.converters import Autograde, GenerateAssignment
from nbgrader.preprocessors import Execute as StockExecute

from grading import autograde
from grading.authoring.release import PublishMistakes
from grading.feedback import converter as feedback
from grading.marking.notebook import Execute
from grading.run.late import LateRules
from grading.source.course import prepare_process

prepare_process()
autograde.install()
feedback.install()

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

# Late work. Due dates stand in the grade book (formgrader, or `nbgrader db assignment add
# NAME --duedate="2027-01-31 18:00 UTC"`); a share of 0.1 is a tenth of the points a day.
c.AssignLatePenalties.plugin_class = LateRules
c.LateRules.free_hours = 0.0
c.LateRules.share_per_day = 0.0
c.LateRules.extensions = {}  # hours: {"student": {"rnn_lstm_forward": 48}}

# Downloads of Canvas and Moodle: nbgrader zip_collect.
c.ZipCollectApp.extractor_plugin = "grading.intake.downloads.SubmissionExtractor"
c.ZipCollectApp.collector_plugin = "grading.intake.downloads.SubmissionCollector"

# `nbgrader export` quotes what needs it; --exporter=grading.exports.CanvasExporter,
# MoodleExporter or GradescopeExporter write what these import.
c.ExportApp.plugin_class = "grading.exports.CsvExporter"

# Formgrader need not print this configuration on its first page.
c.FormgradeExtension.debug = False
