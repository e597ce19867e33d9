"""What came of a test: one type from the marking to page, report, certificate and exports."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from nbformat import NotebookNode, from_dict

from grading.findings import NOTHING, Finding
from grading.shown import Line, as_shown, report_lines
from grading.source import cells

RECORD = "grading"  # where an output's metadata holds the result of its test
NOT_RUN = Finding("not run", {})
BROKE_OFF = "{error}: {said}"
NOT_GRADED = Finding("not graded: the test has a fault of its own, which is said to the course", {})


@dataclass
class CheckResult:
    """
    What one kind of check found.

    Attributes
    ----------
    kind : str
    points, earned : float
        What it is worth, and what of that was earned.
    wrong : Finding or None
        None where it holds.
    where : dict
        Of an array that is wrong in places: which, as `where_wrong` returns it.
    """

    kind: str
    points: float
    earned: float
    wrong: Finding | None = None
    where: dict[str, Any] = field(default_factory=dict)


@dataclass
class TestResult:
    """
    What one test found.

    Attributes
    ----------
    function : str
        What was tested.
    points, max_points : float
    checks : list of CheckResult
    mistake, sentence : str
        The name of the known mistake and what it tells the student, "" where there is none.
    rule : Finding or None
        What was put in the place of the student's own work.
    stopped : Finding or None
        Why there are no checks: the test did not come to its end.
    made : str
        Of a result that is wrong and has no name: a hash that is the same for the same numbers,
        or the same stop.
    """

    __test__ = False  # pytest takes it for a test

    function: str
    points: float
    max_points: float
    checks: list[CheckResult] = field(default_factory=list)
    mistake: str = ""
    sentence: str = ""
    rule: Finding | None = None
    stopped: Finding | None = None
    made: str = ""

    @property
    def first(self) -> Finding:
        """The known mistake, or what went wrong first; nothing at full marks."""
        wrong = [self.stopped, *(check.wrong for check in self.checks)]
        known = [Finding(self.sentence, {})] if self.sentence else filter(None, wrong)
        return next(iter(known), NOTHING)

    @property
    def note(self) -> str:
        """The same in English, one sentence."""
        return str(self.first)

    def report(self) -> tuple[list[Line], Finding]:
        """Return one line per kind of check, and one that closes."""
        wrong = {check.kind: check.wrong for check in self.checks}
        wrong = wrong or {"stopped": self.stopped}
        closing = "`{function}`: {points:g} of {most:g} points.{rule}"
        fields = {"function": self.function, "points": self.points, "most": self.max_points}
        fields["rule"] = f" {self.rule}" if self.rule else ""
        return report_lines(self.function, wrong, self.sentence), Finding(closing, fields)


def total(points: Iterable[float], penalty: float = 0.0) -> float:
    """Return the score that points add up to: never below 0, without what binary floats add."""
    return round(max(math.fsum(points) - penalty, 0.0), 6)


# As JSON


def as_plain(result: TestResult) -> dict[str, Any]:
    """Return a result as JSON can hold it."""
    return unfold({**vars(result), "checks": [vars(check) for check in result.checks]})


def unfold(value: object) -> Any:
    """Return a value with its findings as dicts."""
    if isinstance(value, Finding):
        return {"message": value.message, "fields": unfold(value.fields)}
    if isinstance(value, dict):
        return {key: unfold(item) for key, item in value.items()}
    return [unfold(item) for item in value] if isinstance(value, list) else value


def folded(value: object) -> Any:
    """Return a value that `unfold` made."""
    if isinstance(value, list):
        return [folded(item) for item in value]
    if isinstance(value, dict):
        message, fields = value["message"], value["fields"]
        return Finding(message, {name: folded(each) for name, each in fields.items()})
    return value


def from_plain(data: dict[str, Any]) -> TestResult:
    """Return the result that `as_plain` wrote."""
    checks = [CheckResult(**{**check, "wrong": folded(check["wrong"])}) for check in data["checks"]]
    findings = {key: folded(data[key]) for key in ("rule", "stopped")}
    return TestResult(**{**data, **findings, "checks": checks})


# In a marked notebook


def result_of(cell: NotebookNode, kept: TestResult | None) -> TestResult:
    """
    Return what came of an executed test cell.

    Parameters
    ----------
    cell : NotebookNode
        What it shows has no say in the points.
    kept : TestResult or None
        What the test itself kept; None where it did not come to an end.
    """
    if kept is None:
        errors = [o for o in cell.outputs if o.output_type == "error"]
        said = {"error": errors[-1].ename, "said": said_in(cell, errors[-1])} if errors else {}
        stopped = Finding(BROKE_OFF, said) if errors else NOT_RUN
        name = cells.function_tested(cells.grade_id(cell))
        kept = TestResult(name, 0.0, cells.points_of(cell), stopped=stopped)
    if not 0 <= kept.points <= cells.points_of(cell):
        raise ValueError(f"{cells.grade_id(cell)}: {kept.points} points")
    return kept


def said_in(cell: NotebookNode, error: NotebookNode) -> str | Finding:
    """Return an error's message; an assertion's only where it stands so in the test."""
    is_told = error.ename != "AssertionError" or error.evalue in cell.source
    return error.evalue if is_told else Finding("a value is wrong", {})


def settle(cell: NotebookNode, result: TestResult) -> None:
    """
    Put a test's result into its cell, and its points as the cell's one value.

    nbgrader reads points off outputs: anything on standard error is 0 points, `nan` and
    NumPy numbers are full marks. So the value is the float of the result, and beside it
    stands what may be told of the result, and nothing that the test itself showed.
    """
    told = as_shown(*result.report(), {})
    value = {"text/plain": repr(float(result.points))}
    record = {RECORD: as_plain(result)}
    cell.outputs = [
        from_dict({"output_type": kind, "metadata": metadata, "data": data, **more})
        for kind, metadata, data, more in [
            ("display_data", {}, told, {}),
            ("execute_result", record, value, {"execution_count": None}),
        ]
    ]


def read_result(cell: NotebookNode) -> TestResult:
    """Return the result that a test cell of a marked notebook holds."""
    for output in reversed(cell.outputs):
        if output.output_type == "execute_result" and RECORD in output.metadata:
            return from_plain(output.metadata[RECORD])
    name = cells.function_tested(cells.grade_id(cell))
    return TestResult(name, 0.0, cells.points_of(cell), stopped=NOT_RUN)
