"""nbgrader's Autograde, which sees of a submission only what intake makes of it."""

from __future__ import annotations

import html
import tempfile
from pathlib import Path

import nbformat
import nbgrader.apps.api
import nbgrader.apps.autogradeapp
from nbformat.v4 import new_markdown_cell
from nbgrader.converters import Autograde as StockAutograde
from nbgrader.converters import NbGraderException
from nbgrader.utils import rmtree

from grading.intake import take_in, unanswered
from grading.marks import is_test
from grading.solution import read_source


class Autograde(StockAutograde):
    """Marks clean copies of the submissions; nbgrader never opens what students wrote."""

    def start(self) -> None:
        """Take in the submissions that are asked for, and mark them."""
        course, submitted = self.coursedir, self.coursedir.submitted_directory
        with tempfile.TemporaryDirectory(prefix=".intake-", dir=course.root) as clean:
            self.take_in_all(Path(clean))
            course.submitted_directory = Path(clean).name
            try:
                super().start()
            finally:
                course.submitted_directory = submitted

    def take_in_all(self, clean: Path) -> None:
        """Write a clean copy of each submission."""
        course, name = self.coursedir, self.coursedir.assignment_id
        root = Path(course.root)
        try:
            source = read_source(name, root)
        except FileNotFoundError:
            self.fail(f"{name}: there is no source/{name}/{name}.ipynb")
        shipped = [path.name for path in (root / course.release_directory / name).glob("*")]
        folders = sorted((root / course.submitted_directory).glob(f"{course.student_id}/{name}"))
        if not folders:
            self.fail(f"{name}: nothing submitted by {course.student_id}")
        for folder in folders:
            student = folder.parent.name
            intake = take_in(folder, source, name, shipped)
            for note in intake.notes:
                self.log.warning("%s: %s", student, note)
            notebook = intake.notebook or unanswered(source)
            # read again by the report; nbgrader carries it into autograded/
            notebook.metadata["intake"] = {"status": intake.status, "notes": intake.notes}
            if intake.notebook is None:  # seen in formgrader and in the feedback
                lines = "\n".join(f"- {html.escape(note)}" for note in intake.notes)
                text = f"**Nothing could be graded.**\n\n{lines}"
                notebook.cells.insert(0, new_markdown_cell(text, id="intake"))
            copy = clean / student / name
            copy.mkdir(parents=True)
            nbformat.write(notebook, copy / f"{name}.ipynb")
            if intake.timestamp:
                (copy / "timestamp.txt").write_text(intake.timestamp.isoformat())

    def fail(self, line: str) -> None:
        """End the run as nbgrader does: the line in the log, and no traceback on the terminal."""
        self.log.error(line)
        raise NbGraderException(line)

    def init_destination(self, assignment_id: str, student_id: str) -> bool:
        """Take away what a run left half-made, so that it does not count as done."""
        folder = Path(self._format_dest(assignment_id, student_id))
        if folder.exists() and not is_marked(folder / f"{assignment_id}.ipynb"):
            rmtree(str(folder))
        return super().init_destination(assignment_id, student_id)


def is_marked(path: Path) -> bool:
    """Tell whether a notebook was marked to the end: every test has its result."""
    try:
        cells = nbformat.read(path, as_version=4).cells
    except (OSError, ValueError):
        return False
    return all(cell.outputs for cell in cells if is_test(cell))


def install() -> None:
    """Let the command line, formgrader and NbGraderAPI use it; called by nbgrader_config.py."""
    nbgrader.apps.autogradeapp.Autograde = Autograde
    nbgrader.apps.api.Autograde = Autograde
