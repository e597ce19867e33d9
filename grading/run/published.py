"""What students were given: the cells as the grade book knows them, and the files beside."""

from __future__ import annotations

from pathlib import Path

from nbformat import NotebookNode
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import find_all_files
from traitlets.config import Config

from grading import CourseError, typed
from grading.book import Book, Place
from grading.source import Assignment, cells
from grading.source.course import raise_failure, source_folder


def published(
    coursedir: CourseDirectory, config: Config, book: Book, source: Assignment
) -> tuple[Assignment, dict[Place, str]]:
    """
    Return an assignment as it was published; it is published now if it has never been.

    Returns
    -------
    source : Assignment
        With the tests that nbgrader writes itself as it wrote them.
    checksums : dict
        nbgrader's, of each cell.

    Raises
    ------
    CourseError
        Where the tests are no longer those that the grade book knows.
    """
    assignment = source.name
    known = book.published_cells(assignment)
    if not known:
        course = NbGraderAPI(coursedir=coursedir, config=config)
        done = course.generate_assignment(assignment, force=True)
        raise_failure(done, f"release {assignment}")
        known = book.published_cells(assignment)
    if not known:
        raise CourseError(
            f"{assignment} is not in the grade book: GenerateAssignment.no_database or"
            " SaveCells.enabled keeps it out; take that out of nbgrader_config.py"
        )
    ours = {place: cell for place, cell in cells_of(source).items() if cells.is_published(cell)}
    changed = sorted(ours.keys() ^ known.keys()) + [
        place
        for place, cell in ours.items()
        if place in known
        and not (cells.is_answer(cell) or place.cell in source.notebooks[place.notebook].written)
        and known[place].source != cell.source
    ]
    raise_changed(source, changed)
    texts = {(place.notebook, place.cell): cell.source for place, cell in known.items()}
    return source.as_published(texts), {place: known[place].checksum for place in ours}


def check_points(book: Book, source: Assignment) -> None:
    """Raise CourseError where a cell is worth other points than those that were published."""
    known = book.published_points(source.name)
    graded = {p: c for p, c in cells_of(source).items() if cells.kind_of(c) in cells.GRADED}
    raise_changed(source, [p for p, c in graded.items() if cells.points_of(c) != known.get(p)])


def cells_of(source: Assignment) -> dict[Place, NotebookNode]:
    """Return the cells of all notebooks that have a name, by their places."""
    return {
        Place(name, cells.grade_id(cell)): cell
        for name, each in source.notebooks.items()
        for cell in each.notebook.cells
        if cells.grade_id(cell)
    }


def raise_changed(source: Assignment, changed: list[Place]) -> None:
    """Say which cells are no longer those that were published, if there are any."""
    if changed:
        names = [place.cell if len(source.notebooks) == 1 else "/".join(place) for place in changed]
        raise CourseError(
            f"{source.name}: changed since it was published ({', '.join(names)}); "
            f"publish it again: {typed.command()} release {source.name}"
        )


def shipped_files(coursedir: CourseDirectory, source: Assignment) -> dict[str, bytes]:
    """Return the files that students are given beside the notebook."""
    folder = source_folder(coursedir, source.name)
    paths = map(Path, find_all_files(str(folder), [*coursedir.ignore, "*.ipynb"]))
    names = [str(path.relative_to(folder)) for path in paths]
    return {name: source.files[name] for name in names if name in source.files}
