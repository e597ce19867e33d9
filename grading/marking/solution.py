"""The solution, put to its own tests."""

from __future__ import annotations

import ast
import contextlib
import copy
import io
from collections.abc import Iterator, Mapping

from nbformat import NotebookNode

from grading import CellStops, StillRuns
from grading.findings import Finding
from grading.marking.current import marking
from grading.marking.naming import Outcomes
from grading.marking.notebook import as_cells, ask, code_in
from grading.marking.plain import in_line, result_of_value
from grading.marking.result import TestResult
from grading.outcomes import same_value
from grading.rooms import Nursery
from grading.source import cells
from grading.source.names import python_in
from grading.source.problems import Problem

VALUE = "_value_of_test"  # under this name a test's last value is kept
STOPS = "{said}"
DIFFER = (
    "two calls of the solution with the same arguments return different values; what it draws at "
    "random, let it draw from a seed that is an argument"
)


def mark_solution(
    outcomes: Outcomes, rooms: Nursery | None = None, /, **replaced: str
) -> dict[str, TestResult]:
    """
    Return the result of each test on the solution, by the name of its cell.

    Parameters
    ----------
    outcomes : Outcomes
    rooms : Nursery, optional
    **replaced : str
        The text of cells of the solution that take the place of its own.

    It runs in this process, since it is the instructor's. What tests ask that keep no record
    cannot always be asked of a student's room: that is tried, too, where there are `rooms`.
    What is found out about the tests stands in `outcomes.tried`. Where cells were replaced, it is
    as in a submission: a test that stops has lost its points, another cell may stop.

    Raises
    ------
    CourseError
        Where the solution stops, or what takes its place: where, and why.
    """
    source, tried = outcomes.source, outcomes.tried
    names, found = source.no_names(), {}
    with marking(outcomes) as results, contextlib.redirect_stdout(io.StringIO()):
        for cell, text in source.in_order(**replaced):
            name, is_test = cells.grade_id(cell), cells.is_test(cell)
            results.clear()
            try:
                source.run_cell(cell, keeping_value(text) if is_test else text, names)
            except (StillRuns, CellStops) as stop:
                if is_test and replaced:
                    found[name] = stopped(cell, stop.said)
                elif isinstance(stop, StillRuns):
                    raise
                elif is_test:
                    tried.faults[name] = stop.said
                elif not replaced or name in replaced:
                    raise
                continue
            value = names.pop(VALUE, None)
            if is_test and results:
                found[name] = results[-1]
            elif is_test and (name in tried.plain or not replaced) and name not in replaced:
                tried.plain.add(name)
                found[name] = result_of_value(cell, value)
    if not replaced:
        recorded = [result for name, result in found.items() if name not in tried.plain]
        made = [(result.function, len(result.checks)) for result in recorded]
        tried.kinds = {name: sum(n for each, n in made if each == name) for name, _ in made}
    if rooms is not None and tried.plain | tried.faults.keys():
        try_in_rooms(outcomes, rooms)
    return found


def keeping_value(text: str) -> str:
    """Return a test that keeps its last value, if it has one, under a name; no line moves."""
    text = python_in(text)
    try:
        last = next(reversed(ast.parse(text).body), None)
    except SyntaxError:  # it is said when it is run
        return text
    if not isinstance(last, ast.Expr):
        return text
    *above, line = text.encode().split(b"\n")[: last.lineno]  # columns are counted in bytes
    begin = b"\n".join([*above, line[: last.col_offset]]).decode()
    return f"{begin}{VALUE} = {ast.unparse(last.value)}"


def stopped(cell: NotebookNode, said: str) -> TestResult:
    """Return what came of a test that has stopped, as nbgrader marks it."""
    function = cells.function_tested(cells.grade_id(cell))
    return TestResult(function, 0.0, cells.points_of(cell), stopped=Finding(STOPS, {"said": said}))


def try_in_rooms(outcomes: Outcomes, rooms: Nursery) -> None:
    """Find out what tests that keep no record cannot ask of a student's room."""
    tried = outcomes.tried
    tried.plain |= tried.faults.keys()
    tried.faults.clear()
    code = code_in(copy.deepcopy(outcomes.source.notebook))
    for done in ask(code, as_cells(code, outcomes), outcomes, rooms)[0].cells:
        if done.cell.kind == "test" and done.error:
            tried.faults[done.cell.label] = in_line(done)


def points_lost(outcomes: Outcomes, results: Mapping[str, TestResult]) -> Iterator[Problem]:
    """Yield the tests that do not give the solution all the points of their cells."""
    for cell in filter(cells.is_test, outcomes.source.notebook.cells):
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
            why = DIFFER if calls_differ(outcomes, result.function) else result.note
            yield Problem(name, f"{text}: {why}")


def calls_differ(outcomes: Outcomes, function: str) -> bool:
    """Tell whether the solution returned other values when a test called it again."""
    found = [outcomes.right(function, given) for given in outcomes.calls.get(function, ())]
    return any(not same_value(each.again, each.result) for each in found)
