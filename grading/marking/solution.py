"""The solution, put to its own tests: in this process, since it is the instructor's."""

from __future__ import annotations

import contextlib
import io

from grading.marking.naming import Outcomes
from grading.marking.result import TestResult
from grading.marking.test import marking
from grading.source import cells


def mark_solution(outcomes: Outcomes) -> dict[str, TestResult]:
    """
    Return the result of each test on the solution itself, by the name of its cell.

    Raises
    ------
    CourseError
        Where a test stops, or does not give the solution all its points: which, and why.
    """
    source = outcomes.source
    names = source.namespace()
    found = {}
    with marking(outcomes) as results, contextlib.redirect_stdout(io.StringIO()):
        for name, text in {**source.examples, **source.tests}.items():
            results.clear()
            source.run(name, text, names)
            if name in source.tests and results:
                found[name] = results[-1]
    for name, result in found.items():
        outcomes.kinds[cells.function_tested(name)] = len(result.checks)
    return found
