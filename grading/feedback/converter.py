"""nbgrader's GenerateFeedback, which makes the course's own pages."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbgrader.apps.api
import nbgrader.apps.generatefeedbackapp
from nbconvert.exporters import Exporter
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.converters import GenerateFeedback as StockGenerateFeedback

from grading.feedback.page import Grades, page


class PageExporter(Exporter):
    """Makes the page of a submission; points and comments are those of the grade book."""

    file_extension = ".html"
    output_mimetype = "text/html"

    def from_notebook_node(
        self, nb: NotebookNode, resources: dict | None = None, **_: object
    ) -> tuple[str, dict]:
        """Return the page, and where it belongs."""
        about = resources["nbgrader"]
        assignment, student = about["assignment"], about["student"]
        with Gradebook(about["db_url"]) as book:
            grades = Grades.read(book, assignment, student)
        return page(nb, assignment, student, grades), {**resources, "output_extension": ".html"}


class GenerateFeedback(StockGenerateFeedback):
    """Writes one page per student, and nothing beside it: the page holds all it needs."""

    def start(self) -> None:
        """Make the pages that are asked for."""
        self.exporter_class, self.preprocessors = PageExporter, []
        super().start()

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """Keep the time of handing in: newer work gets a new page."""
        source = Path(self._format_source(assignment_id, student_id), "timestamp.txt")
        folder = Path(self._format_dest(assignment_id, student_id))
        folder.mkdir(parents=True, exist_ok=True)
        if source.is_file():
            shutil.copy(source, folder)


def install() -> None:
    """Let the command line, formgrader and NbGraderAPI use it; called by nbgrader_config.py."""
    nbgrader.apps.generatefeedbackapp.GenerateFeedback = GenerateFeedback
    nbgrader.apps.api.GenerateFeedback = GenerateFeedback
