"""
Marks for others: files that Canvas, Moodle and Gradescope import, and plain CSV.

The scores are the grade book's, manual grades and late penalties counted; the sentences come
from the certificates. Only who handed in is in a file for an LMS: what the others get is for the
LMS to say. The safest way is to fill in the LMS's own export (`--from`): its rows, names, ids
and titles stay, and one column is filled in.

`rnn-grading export ASSIGNMENT --to canvas`, and the same with nbgrader:
`nbgrader export --exporter=grading.nbgrader_plugins.CanvasExporter --assignment=ASSIGNMENT`,
with `--CanvasExporter.source=FILE`, `--CanvasExporter.column=TITLE` and
`--CanvasExporter.scale=True` for `--from`, `--column` and `--scale`.
"""

from grading.exports.marks import ExportRequest
from grading.exports.students import import_students
from grading.exports.ways import WAYS, Report, export, export_all

__all__ = ["WAYS", "ExportRequest", "Report", "export", "export_all", "import_students"]
