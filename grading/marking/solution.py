"""The solution, put to its own tests: in this process, since it is the instructor's."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Mapping

from grading.marking.naming import Outcomes
from grading.marking.result import TestResult
from grading.marking.test import marking
from grading.source import Source, cells
from grading.source.problems import Problem


def mark_solution(outcomes: Outcomes, **replaced: str) -> dict[str, TestResult]:
    """
    Return the result of each test on the solution, by the name of its cell.

    Parameters
    ----------
    outcomes : Outcomes
    **replaced : str
        The text of cells of the solution that take the place of its own.

    Raises
    ------
    CourseError
        Where a test stops: which, and why.
    """
    source = outcomes.source
    names = source.namespace(**replaced)
    found = {}
    with marking(outcomes) as results, contextlib.redirect_stdout(io.StringIO()):
        for name, text in source.tested.items():
            results.clear()
            source.run(name, text, names)
            if name in source.tests and results:
                found[name] = results[-1]
    for name, result in found.items():
        outcomes.kinds[cells.function_tested(name)] = len(result.checks)
    return found


def points_lost(source: Source, results: Mapping[str, TestResult]) -> Iterator[Problem]:
    """Yield the tests that do not give the solution all the points of their cells."""
    for cell in filter(cells.is_test, source.notebook.cells):
        name, points = cells.grade_id(cell), cells.points_of(cell)
        result = results.get(name)
        if result is None:
            continue
        if result.max_points != points:
            text = (
                f"the cell is worth {points:g} points, its `points=` {result.max_points:g} in all"
            )
            yield Problem(name, f"{text}; make them equal")
        elif result.points != points:
            text = f"the solution itself earns {result.points:g} of {points:g} points"
            yield Problem(name, f"{text}: {result.note}")
