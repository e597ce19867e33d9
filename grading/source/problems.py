"""What is wrong with the cells of an assignment, as far as reading tells."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

from grading import CourseError
from grading.source import cells
from grading.source.assignment import Assignment
from grading.source.cells import Kind
from grading.source.material import MISTAKES

RUN_BY_US = (Kind.SOLUTION, Kind.TEST, Kind.SHOWN, Kind.CHECK, Kind.MANUAL_CODE)


class Problem(NamedTuple):
    """
    What an author has to mend, or should look at.

    Attributes
    ----------
    cell : str
        Id of the cell, or name of the file.
    text : str
        What is wrong, and what to do.
    stops : bool
        Whether nothing can be released or marked before.
    """

    cell: str
    text: str
    stops: bool = True

    def __str__(self) -> str:
        """Say both in a line."""
        return f"{self.cell}: {self.text}" if self.cell else self.text


def raise_problems(assignment: str, found: Iterable[Problem]) -> None:
    """Raise CourseError with a line for each problem, if any stops."""
    lines = [f"{assignment}, {problem}" for problem in found if problem.stops]
    if lines:
        raise CourseError("\n".join(lines))


def problems_in(assignment: Assignment) -> Iterator[Problem]:
    """Yield what is wrong with the cells of an assignment."""
    for source in assignment.notebooks.values():
        yield from problems_of(source.notebook)


def problems_of_table(assignment: Assignment) -> Iterator[Problem]:
    """Yield what is wrong with the table of mistakes."""
    try:
        _ = assignment.allowed, [source.versions for source in assignment.notebooks.values()]
    except CourseError as problem:
        for line in str(problem).splitlines():
            yield Problem("", line)
        return
    if MISTAKES in assignment.files and not assignment.table:
        yield Problem(MISTAKES, "it lists nothing; list mistakes, or take the file away", False)


def problems_of(notebook: NotebookNode) -> Iterator[Problem]:
    """Yield what is wrong with the cells of a notebook."""
    ids = Counter(filter(None, map(cells.grade_id, notebook.cells)))
    for name, count in ids.items():
        if count > 1:
            yield Problem(name, f"{count} cells have this id; give each its own")
        if not re.fullmatch(r"[\w-]+", name, re.ASCII):  # nbgrader's own rule
            yield Problem(name, "an id is made of letters, digits, _ and -; rename it")
    for number, cell in enumerate(notebook.cells, 1):
        name = cells.grade_id(cell)
        settings = {key for key, value in cells.settings_of(cell).items() if value is True}
        if settings & {"grade", "solution", "locked", "task"} and not name:
            yield Problem(f"cell {number}", "it has no id; give it one in Create Assignment")
            continue
        yield from problems_of_kind(cell, name, settings)
        if cell.cell_type == "code" and cells.kind_of(cell) in RUN_BY_US:
            yield from syntax_problems(cell, name)


def problems_of_kind(cell: NotebookNode, name: str, settings: set[str]) -> Iterator[Problem]:
    """Yield why a cell cannot be marked as it is set up."""
    is_code, graded = cell.cell_type == "code", "grade" in settings
    if "task" in settings:
        if is_code:
            yield Problem(name, "a task is a text; make it a Markdown cell")
        return
    if graded and "solution" not in settings and not is_code:
        yield Problem(
            name, "a text cannot test anything; choose `Manually graded answer`, or a code cell"
        )
    if "solution" in settings and not graded and not is_code:
        yield Problem(name, "a text is marked by hand; choose `Manually graded answer`")
    points = cells.settings_of(cell).get("points")
    if graded and (not isinstance(points, int | float) or not points >= 0):
        yield Problem(name, "it has no points; enter them in Create Assignment")


def syntax_problems(cell: NotebookNode, name: str) -> Iterator[Problem]:
    """Yield the line of a code cell that is no Python."""
    try:
        try:
            compile(cell.source, f"<{name}>", "exec", dont_inherit=True)
        except SyntaxError:  # a magic, perhaps
            text = TransformerManager().transform_cell(cell.source)
            compile(text, f"<{name}>", "exec", dont_inherit=True)
    except SyntaxError as error:
        line = (error.text or "").strip()
        yield Problem(name, f"line {error.lineno} is no Python ({error.msg}): {line}")
    except ValueError as error:  # null bytes
        yield Problem(name, f"it is no Python: {error}")
