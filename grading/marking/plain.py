"""
Tests that keep no record: plain asserts, `numpy.testing`, a number as last value.

They are marked as nbgrader documents it: all points if the cell ends without an error, none
otherwise, and a number as its last value is what was earned. What is told of one that fails is
what the student sees who runs its visible lines: these are asked once more, of a room that has
seen none that are hidden.
"""

from __future__ import annotations

import math
from numbers import Real

import numpy as np
from nbformat import NotebookNode
from nbgrader.preprocessors import ClearHiddenTests

from grading.findings import Finding
from grading.marking.result import NOT_GRADED, NOT_RUN, CheckResult, TestResult
from grading.rooms import CellResult
from grading.source import cells

KIND = Finding("the test", {}).message
ROUNDING = 1e-6  # as a share of the points: what sums of floats add
LONGEST = 300  # characters of a message
HIDDEN = Finding("a check that is not shown does not hold", {})


def plain_result(cell: NotebookNode, done: CellResult) -> TestResult:
    """
    Return what came of a test that keeps no record.

    Parameters
    ----------
    cell : NotebookNode
    done : CellResult
        What came of running it.
    """
    if done.error:
        name = cells.function_tested(cells.grade_id(cell))
        return TestResult(name, 0.0, cells.points_of(cell), stopped=failure(done))
    return result_of_value(cell, done.value)


def result_of_value(cell: NotebookNode, value: object) -> TestResult:
    """Return what came of a test that has ended, with this last value."""
    name, most = cells.grade_id(cell), cells.points_of(cell)
    points, wrong = points_in(value, most)
    check = CheckResult(KIND, most, points, wrong)
    return TestResult(cells.function_tested(name), points, most, [check])


def points_in(value: object, most: float) -> tuple[float, Finding | None]:
    """Return the points that a test's last value says, and what of it is wrong."""
    if isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "iuf":
        value = value[()]
    # bool: as nbgrader has it, a truth value is no number
    if not isinstance(value, (Real, np.integer, np.floating)) or isinstance(value, bool):
        return most, None
    number = float(value)
    fields = {"points": f"{number:g}", "most": f"{most:g}"}
    if math.isnan(number) or number < -ROUNDING * most:
        return 0.0, Finding("the test counts {points} of {most} points, which earns none", fields)
    if number > most * (1 + ROUNDING):
        return most, Finding(
            "the test counts {points} points: more than the {most} that there are count not", fields
        )
    points = round(min(max(number, 0.0), most), 6)
    right = points >= most * (1 - ROUNDING)
    return points, None if right else Finding(
        "{points} of {most} points, as the test counts", fields
    )


def failure(done: CellResult) -> Finding:
    """Say in which line a test stopped, and why."""
    lines = done.cell.source.splitlines()
    line = lines[done.line - 1].strip() if 1 <= done.line <= len(lines) else ""
    error, _, said = done.error.partition(": ")
    said = " ".join(said.split())[:LONGEST]
    fields = {"line": line.replace("`", "'"), "error": error, "said": said}
    if not line:
        return Finding("stops with {error}: {said}", fields)
    if error == "AssertionError" and said:
        return Finding("`{line}` does not hold: {said}", fields)
    if error == "AssertionError":
        return Finding("`{line}` does not hold", fields)
    if said:
        return Finding("`{line}` stops with {error}: {said}", fields)
    return Finding("`{line}` stops with {error}", fields)


def in_line(done: CellResult) -> str:
    """Say to the author where a test stops, and why."""
    return f"line {done.line}: {failure(done)}" if done.line else str(failure(done))


def visible(cell: NotebookNode) -> str:
    """Return what students see of a test."""
    shown = NotebookNode(cell)
    ClearHiddenTests()._remove_hidden_test_region(shown)
    return shown.source


def tell(result: TestResult, seen: TestResult | None) -> None:
    """Leave of why a test stopped what its visible lines say, asked for themselves."""
    if result.stopped in (None, NOT_RUN, NOT_GRADED):
        return
    result.stopped = seen.stopped if seen and seen.stopped else HIDDEN
