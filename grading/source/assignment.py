"""The source notebook: its cells, and the functions of its solution."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from grading import CourseError


def course_root(start: Path | None = None) -> Path:
    """
    Return the course folder: the nearest one upwards with nbgrader_config.py.

    Raises
    ------
    CourseError
        Outside of a course.
    """
    start = (start or Path.cwd()).absolute()
    for folder in (start, *start.parents):
        if (folder / "nbgrader_config.py").is_file():
            return folder
    raise CourseError(f"{start} is not in a course: no nbgrader_config.py here or above")


def source_folder(assignment: str, root: Path | None = None) -> Path:
    """Return the folder of an assignment's source."""
    return (root or course_root()) / "source" / assignment


def read_source(assignment: str, root: Path | None = None) -> NotebookNode:
    """
    Read the source notebook of an assignment.

    Raises
    ------
    CourseError
        Where there is none.
    """
    path = source_folder(assignment, root) / f"{assignment}.ipynb"
    if not path.is_file():
        raise CourseError(f"{assignment}: there is no source/{assignment}/{assignment}.ipynb")
    return nbformat.read(path, as_version=4)


def grade_id(cell: NotebookNode) -> str:
    """Return the cell's nbgrader id, "" where it has none."""
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")


def is_solution(cell: NotebookNode) -> bool:
    """Tell whether students write this cell."""
    return cell.metadata.get("nbgrader", {}).get("solution", False)


class Solution:
    """
    The instructor's own functions, taken from the source notebook.

    Attributes
    ----------
    sources : dict
        The source text of each solution cell, by the function's name.
    cells : dict
        The source text of each cell that has a grade_id.
    examples : dict
        Those of the visible examples and checks, in order.
    tests : dict
        Those of the tests, hidden parts included, in order.
    """

    def __init__(self, notebook: NotebookNode) -> None:
        self.cells = {grade_id(c): c.source for c in notebook.cells if grade_id(c)}
        self.sources = {grade_id(c): c.source for c in notebook.cells if is_solution(c)}
        self.examples = self._cells_named("example_", "check_")
        self.tests = self._cells_named("test_")
        self._right = self.namespace()

    def _cells_named(self, *prefixes: str) -> dict[str, str]:
        return {name: source for name, source in self.cells.items() if name.startswith(prefixes)}

    def namespace(self, **replaced: str) -> dict[str, Any]:
        """Run set-up and solution, some cells of it `replaced`; return what they define."""
        names: dict[str, Any] = {"__name__": "solution"}
        for name, source in {"setup": self.cells["setup"], **self.sources, **replaced}.items():
            exec(compile(source, f"<{name}>", "exec"), names)
        return names

    def function(self, name: str) -> Callable:
        """Return the right function of this name."""
        return self._right[name]


def load_solution(assignment: str, root: Path | None = None) -> Solution:
    """Return the solution of an assignment; it is read once per process."""
    return _load_solution(assignment, root or course_root())


@functools.cache
def _load_solution(assignment: str, root: Path) -> Solution:
    return Solution(read_source(assignment, root))
