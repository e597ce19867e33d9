"""The one place where the cells of a submission are run."""

from __future__ import annotations

import functools
import importlib.util
import math
import py_compile
import tempfile
from dataclasses import fields
from pathlib import Path
from typing import Any

from bleach import ALLOWED_TAGS
from bleach.css_sanitizer import ALLOWED_CSS_PROPERTIES
from nbconvert.preprocessors.sanitize import SanitizeHTML
from nbformat import NotebookNode, from_dict
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool, Dict

from grading import CourseError
from grading.marking.result import is_test, settle
from grading.marking.test import keep_records
from grading.rooms import (
    Cell,
    IsolationUnavailable,
    Limits,
    NotebookResult,
    Nursery,
    PackagesMissing,
    run_notebook,
)
from grading.source.assignment import course_root, grade_id, source_folder

# What tables and the reports of checks are made of.
SAFE_TAGS = ["br", "div", "hr", "p", "pre", "span", "table", "tbody", "td", "th", "thead", "tr"]
MOST_KEPT = 20_000  # characters of a cleaned text that is kept for the next student


class Execute(NbGraderPreprocessor):
    """Runs a submission in two rooms, in the place of nbgrader's own Execute."""

    limits = Dict(help="What a student's room may use: see grading/rooms/limits.py.").tag(
        config=True
    )
    unprotected = Bool(False, help="Run student code without a sandbox.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """Run all cells in order, and settle the score of each test cell."""
        rooms = self.nursery()
        self.log.info("Isolation: %s", rooms.isolation)
        most = resources["nbgrader"].get("most_seconds", math.inf)
        resources["rooms"] = run(nb, resources["nbgrader"]["assignment"], rooms, most)
        return nb, resources

    def nursery(self) -> Nursery:
        """Return the process's source of rooms; it is warmed up once."""
        unknown = set(self.limits) - {field.name for field in fields(Limits)}
        if unknown:
            raise CourseError(f"nbgrader_config.py: no limit is called {', '.join(unknown)}")
        return _nursery(Limits(**self.limits), self.unprotected, course_root())


@functools.cache
def _nursery(limits: Limits, unprotected: bool, root: Path) -> Nursery:
    try:
        return Nursery(limits, hidden=[root], unprotected=unprotected)
    except (IsolationUnavailable, PackagesMissing) as problem:
        raise CourseError(str(problem)) from None


def run(
    notebook: NotebookNode, assignment: str, rooms: Nursery, most_seconds: float = math.inf
) -> NotebookResult:
    """
    Run a notebook up to its last test, and put the outputs into its cells.

    What comes after that test is for the students themselves: pictures, a training.

    Parameters
    ----------
    notebook : NotebookNode
        Locked cells and tests must be those of the source.
    assignment : str
    rooms : Nursery
    most_seconds : float
        As in `run_notebook`.
    """
    last = max(number for number, cell in enumerate(notebook.cells) if is_test(cell))
    cells = [cell for cell in notebook.cells[: last + 1] if cell.cell_type == "code"]
    with keep_records() as records:
        result = run_notebook(
            [
                Cell(cell.id, cell.source, kind(cell), label(cell, n))
                for n, cell in enumerate(cells, 1)
            ],
            shipped_files(assignment),
            rooms,
            most_seconds,
        )
    for number, (cell, done) in enumerate(zip(cells, result.cells, strict=True), 1):
        cell.execution_count = number
        cell.outputs = [from_dict(output) for output in done.outputs]
    sanitize(notebook)
    for cell in cells:
        if is_test(cell):
            settle(cell, records.get(grade_id(cell)))
    return result


class Sanitize(SanitizeHTML):
    """nbconvert's sanitizer; it cleans a report that many students get only once."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.clean = functools.lru_cache(1000)(super().sanitize_html_tags)

    def sanitize_html_tags(self, html_str: str) -> str:
        """Return the text without scripts and the like."""
        clean = self.clean if len(html_str) < MOST_KEPT else super().sanitize_html_tags
        return clean(html_str)


def sanitize(notebook: NotebookNode) -> None:
    """Take scripts and the like out of all outputs, and out of text that a student wrote."""
    clean = sanitizer()
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "code" or (not grade_id(cell) and cell.id.startswith("student-")):
            clean.preprocess_cell(cell, {}, number)


@functools.cache
def sanitizer() -> Sanitize:
    """Return the process's sanitizer."""
    return Sanitize(
        tags=[*ALLOWED_TAGS, *SAFE_TAGS],
        attributes={"*": ["style", "role", "aria-label"]},
        styles=[*ALLOWED_CSS_PROPERTIES, "list-style", "margin", "padding"],
    )


def kind(cell: NotebookNode) -> str:
    """Tell who runs a cell: the student's room, both rooms, or the marking room."""
    if is_test(cell):
        return "test"
    return "shared" if cell.metadata.get("nbgrader", {}).get("locked") else "student"


def label(cell: NotebookNode, number: int) -> str:
    """Return what a student knows a cell by."""
    return grade_id(cell) or f"cell {number}"


def shipped_files(assignment: str) -> dict[str, bytes]:
    """Return the modules that students are given with an assignment, compiled ones beside."""
    files = {}
    for path in source_folder(assignment).glob("*.py"):
        files[path.name] = source = path.read_bytes()
        compiled = Path(importlib.util.cache_from_source(path.name))
        files[str(compiled)] = compile_module(path.name, source)
    return files


@functools.lru_cache(20)
def compile_module(name: str, source: bytes) -> bytes:
    """Compile a module once, which else every room would do."""
    with tempfile.TemporaryDirectory() as folder:
        module = Path(folder, name)
        module.write_bytes(source)
        compiled = py_compile.compile(
            str(module),
            dfile=name,
            doraise=True,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )
        return Path(compiled).read_bytes()
