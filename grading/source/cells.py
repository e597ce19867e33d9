"""The kinds of cells; the only place that looks into a cell's `metadata.nbgrader`."""

from __future__ import annotations

import copy
import functools
import json
import re
from enum import StrEnum
from typing import Any

from nbformat import NotebookNode, ValidationError, from_dict, reads
from nbgrader.utils import compute_checksum

from grading import CourseError

WITH_IDS = 5  # the first minor version of nbformat 4 whose cells have ids
OWN_ID = "student-"  # how the ids of cells begin that a student has added
FETCH_ID = "fetch"
SKIPPED = "skip-execution"  # nbclient's tag: stock nbgrader leaves these cells out, too
MOST_KEPT = 10_000  # characters of a cell whose checksum is kept
TEST_PREFIX, CHECK_PREFIX = "test_", "check_"


class Kind(StrEnum):
    """What a cell of the source is for, and so whose its text is and where it runs."""

    SOLUTION = "solution"  # the student's; graded by a test
    TEST = "test"  # ours: graded and no solution
    FETCH = "fetch"  # ours: fetches files where a student works; runs nowhere in marking
    SHOWN = "shown"  # ours: locked code with that tag, which no test needs; runs nowhere in marking
    CHECK = "check"  # ours: locked code that earns nothing; runs in both rooms
    MANUAL_CODE = "manual code"  # the student's, marked by a person
    MANUAL_TEXT = "manual text"
    TASK = "task"
    READ_ONLY = "read-only"  # ours: locked text
    FREE = "free"  # without nbgrader's settings, or not locked


GRADED = (Kind.TEST, Kind.MANUAL_CODE, Kind.MANUAL_TEXT, Kind.TASK)
ANSWERS = (Kind.SOLUTION, Kind.MANUAL_CODE, Kind.MANUAL_TEXT)


def read_notebook(path: str, raw: bytes) -> NotebookNode:
    """
    Read a notebook of ours; cells of an older one have no ids, and get some.

    Parameters
    ----------
    path : str
        Below source/, for what is said of it.
    raw : bytes

    Raises
    ------
    CourseError
        Where it is none.
    """
    try:
        notebook = reads(raw.decode(), as_version=4)
    except (ValueError, ValidationError, AttributeError, KeyError, TypeError):
        line = line_of_conflict(raw.decode(errors="replace"))
        why = f"line {line} begins a merge conflict" if line else "damaged, or of another kind"
        raise CourseError(f"source/{path} is no notebook: {why}") from None
    notebook.nbformat_minor = max(notebook.nbformat_minor, WITH_IDS)
    for number, cell in enumerate(notebook.cells):
        cell.setdefault("id", f"cell-{number}")
    return notebook


def line_of_conflict(text: str) -> int:
    """Return the number of the line in which a merge conflict begins; 0 where there is none."""
    conflict = re.search(r"^<<<<<<<", text, re.MULTILINE)
    return text.count("\n", 0, conflict.start()) + 1 if conflict else 0


def settings_in(metadata: object) -> dict[str, Any]:
    """Return nbgrader's settings in a cell's metadata; {} where there are none, or no dict."""
    settings = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return settings if isinstance(settings, dict) else {}


def settings_of(cell: NotebookNode) -> dict[str, Any]:
    """Return nbgrader's settings of a cell, without the checksum that publishing adds."""
    return {key: value for key, value in settings_in(cell.metadata).items() if key != "checksum"}


def is_as_released(kind: str, text: str, settings: dict[str, Any]) -> bool:
    """Tell whether a student's cell is as it was once released: by the checksum in its settings."""
    try:
        told = json.dumps(settings)
        known = checksum_of if len(text) + len(told) <= MOST_KEPT else checksum_of.__wrapped__
        return settings["checksum"] == known(kind, text, told)
    except Exception:  # settings hold anything
        return False


@functools.lru_cache(1000)
def checksum_of(kind: str, text: str, settings: str) -> str:
    """Return nbgrader's checksum of a cell; most students hand in the same cells."""
    metadata = {"nbgrader": json.loads(settings)}
    return compute_checksum(from_dict({"cell_type": kind, "source": text, "metadata": metadata}))


def kind_of(cell: NotebookNode) -> Kind:
    """Tell what a cell is for."""
    settings = settings_in(cell["metadata"])  # an attribute of a notebook's takes thrice as long
    is_code = cell["cell_type"] == "code"
    if settings.get("task"):
        return Kind.TASK
    if settings.get("grade"):
        # As nbgrader has it: what is graded and no solution is locked, whatever it says.
        if is_code and not settings.get("solution"):
            return Kind.TEST
        return Kind.MANUAL_CODE if is_code else Kind.MANUAL_TEXT
    if settings.get("solution"):
        return Kind.SOLUTION
    if settings.get("locked"):
        if is_code and settings.get("grade_id") == FETCH_ID:
            return Kind.FETCH
        if is_code and SKIPPED in cell.metadata.get("tags", ()):
            return Kind.SHOWN
        return Kind.CHECK if is_code else Kind.READ_ONLY
    return Kind.FREE


def is_test(cell: NotebookNode) -> bool:
    """Tell whether the cell is a test that earns points."""
    return kind_of(cell) is Kind.TEST


def is_answer(cell: NotebookNode) -> bool:
    """Tell whether students write this cell."""
    return kind_of(cell) in ANSWERS


def is_own(cell: NotebookNode) -> bool:
    """Tell whether a student has added this cell."""
    return cell.id.startswith(OWN_ID)


def is_students(cell: NotebookNode) -> bool:
    """Tell whether a cell of a marked notebook was written by the student."""
    return is_answer(cell) or is_own(cell)


def grade_id(cell: NotebookNode) -> str:
    """Return the cell's nbgrader id, "" where it has none."""
    value = settings_in(cell["metadata"]).get("grade_id", "")
    return value if isinstance(value, str) else ""


def is_published(cell: NotebookNode) -> bool:
    """Tell whether nbgrader keeps a cell in its grade book."""
    settings = settings_in(cell.metadata)
    kept = any(settings.get(flag) for flag in ("grade", "solution", "locked", "task"))
    return kept and bool(grade_id(cell))


def points_of(cell: NotebookNode) -> float:
    """Return the most points that a cell can earn."""
    return float(settings_in(cell.metadata).get("points", 0))


def new_metadata(name: str, solution: bool, locked: bool, points: float | None) -> dict:
    """Return the metadata of a new cell; one with points is a test."""
    settings: dict[str, Any] = {
        "grade": points is not None,
        "grade_id": name,
        "locked": locked,
        "schema_version": 3,
        "solution": solution,
        "task": False,
    }
    return {"nbgrader": settings | ({} if points is None else {"points": points})}


def has_checksum(cell: NotebookNode) -> bool:
    """Tell whether the cell was published under a checksum."""
    return "checksum" in settings_in(cell.metadata)


def set_checksum(cell: NotebookNode, checksum: str) -> None:
    """Enter the checksum under which the cell was published."""
    cell.metadata.nbgrader["checksum"] = checksum


def tests_name(function: str) -> str:
    """Return what the test of a function is called."""
    return TEST_PREFIX + function


def function_tested(name: str) -> str:
    """Return what the cell of this name tests, or marks: a function's name, as a rule."""
    return name.removeprefix(TEST_PREFIX)


def function_checked(name: str) -> str:
    """Return the function that the visible check of this name is about, "" for other cells."""
    return name.removeprefix(CHECK_PREFIX) if name.startswith(CHECK_PREFIX) else ""


def with_answers(notebook: NotebookNode, answers: dict[str, str]) -> NotebookNode:
    """Return a copy of a notebook with other text in some of its solution cells."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if is_answer(cell):
            cell.source = answers.get(grade_id(cell), cell.source)
    return notebook
