"""The test of a function in the marking: against the solution, for points."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

from grading.checks import (
    ATOL,
    RTOL,
    FunctionTest,
    Outcome,
    check_shape,
    check_type,
    check_value,
    find_wrong,
    flatten,
    report_lines,
    run_function,
    same_flat,
    same_value,
    show,
)
from grading.marking.naming import Given, flat_outcomes, right_outcome
from grading.source.assignment import load_solution
from grading.source.mistakes import Version, known_mistakes
from rnn_utils import relative_error

GRADIENT_ERROR = 1e-7  # as a share of a gradient's norm
NO_OUTCOME = Outcome(None, {}, None, "")

_records: ContextVar[dict[str, dict]] = ContextVar("records")


@contextmanager
def keep_records() -> Iterator[dict[str, dict]]:
    """Keep the records of all tests that are scored in the block, by the name of their cell."""
    token = _records.set({})
    try:
        yield _records.get()
    finally:
        _records.reset(token)


class Call(NamedTuple):
    """One call of the function: with what, what is right, what came of it."""

    given: Given
    right: Outcome
    outcomes: dict[str, Outcome]


class MarkedTest(FunctionTest):
    """
    A `FunctionTest` whose expected values are those of the solution.

    Where the function is built on an earlier one and goes wrong, it is called
    again with the right earlier function in the place of the student's. The
    better of the two results counts, so that an error costs its points once.

    Parameters
    ----------
    function : callable
        The student's function.
    assignment : str
        The assignment whose solution is right.
    returns, cache : str
        As in `FunctionTest`.
    calls : str, optional
        The name of the earlier function.
    keys : str, optional
        As in `FunctionTest`.
    points : dict
        The points of each kind of check. A kind of check that is made of
        several calls holds only if it holds in all of them.
    """

    def __init__(
        self,
        function: Callable,
        assignment: str,
        returns: str,
        cache: str = "",
        calls: str = "",
        keys: str = "",
        *,
        points: dict[str, float],
    ) -> None:
        super().__init__(function, returns, cache, len(points), keys)
        self.assignment = assignment
        self.solution = load_solution(assignment)
        self.calls = calls
        self.points = points
        self.wrong: dict[str, dict[str, str]] = {"own": {}, "lent": {}}
        self.history: list[Call] = []

    def call(self, **arguments: Any) -> None:
        """Call the function, and the solution, on copies of `arguments`."""
        self.arguments = arguments
        given = Given(arguments)
        self.right = right = right_outcome(self.solution, self.name, given)
        own = lent = run_function(self.function, arguments)
        if self.calls and not same_value(own, right):
            cell = of_like_size(self.solution.function(self.calls), arguments)
            with lending(self.function, self.calls, cell):
                lent = run_function(self.function, arguments)
        self.outcomes = {"own": own, "lent": lent}
        self.history.append(Call(given, right, self.outcomes))

    def assert_types(self) -> None:
        """Check how many values are returned, and the type of each."""
        super().assert_types(**{n: type(v) for n, v in self.expected().items()})

    def assert_shapes(self) -> None:
        """Check the shapes of the returned arrays."""
        arrays = {n: v for n, v in self.expected().items() if isinstance(v, np.ndarray)}
        super().assert_shapes(**{n: v.shape for n, v in arrays.items()})

    def assert_allclose(self, path: str) -> None:
        """Check a returned value, with all that it holds, against the solution's."""
        super().assert_allclose(path, self.part(self.right.result, path))

    def assert_gradients(self, kind: str, numeric: dict[str, np.ndarray]) -> None:
        """
        Check every returned gradient against its numeric derivative, as one kind.

        Raises
        ------
        ValueError
            Where `numeric` leaves out a gradient, or holds one that is not returned.
        """
        odd = set(numeric) ^ set(self.expected())
        if odd:
            raise ValueError(f"test_{self.name}: no numeric derivative for {', '.join(odd)}")

        def check(outcome: Outcome) -> None:
            actual = self.named(outcome.result)
            for name, derivative in numeric.items():
                check_gradient(self.label(name), actual[name], derivative)

        self.check(kind, check)

    def assert_in_full(self, numeric: dict[str, np.ndarray]) -> None:
        """Make every check of a backward function, each gradient by itself."""
        self.assert_types()
        self.assert_shapes()
        for name in self.expected():
            self.assert_allclose(name)
        self.assert_gradients("numeric", numeric)
        self.assert_arguments_unchanged()
        self.assert_same_when_called_again()

    def assert_everything(self, kind: str) -> None:
        """Check types, values, arguments and the second call, as one kind."""

        def check(outcome: Outcome) -> None:
            actual = self.named(outcome.result)
            for name, expected in self.expected().items():
                check_type(self.label(name), actual[name], type(expected))
                check_value(self.label(name), actual[name], expected, self.cache)
            self.check_arguments(outcome)
            self.check_again(outcome)

        self.check(kind, check)

    def check(self, kind: str, check: Callable[[Outcome], None]) -> None:
        """Make one check of both outcomes, and keep what it finds wrong."""
        own, lent = self.outcomes["own"], self.outcomes["lent"]
        wrong = {"own": find_wrong(check, own)}
        wrong["lent"] = wrong["own"] if lent is own else find_wrong(check, lent)
        for which, sentence in wrong.items():
            self.wrong[which][kind] = self.wrong[which].get(kind) or sentence

    def score(self) -> float:
        """
        Show one line per kind of check, and return the points.

        Raises
        ------
        ValueError
            Where `points` and the checks that were made are not of the same kinds.
        """
        if set(self.points) != set(self.wrong["own"]):
            odd = sorted(set(self.points) ^ set(self.wrong["own"]))
            raise ValueError(f"test_{self.name}: points and checks differ in {', '.join(odd)}")
        sums = {which: self.sum_of_points(wrong) for which, wrong in self.wrong.items()}
        which = max(sums, key=sums.get)  # the first of equals, which is "own"
        mistake = self.named_mistake(which)
        record = {
            "function": self.name,
            "points": sums[which],
            "checks": [
                {"kind": kind, "points": self.points[kind], "wrong": wrong}
                | (self.where(kind, which) if wrong else {})
                for kind, wrong in self.wrong[which].items()
            ],
            "mistake": mistake.name if mistake else "",
            "sentence": mistake.sentence if mistake else "",
            "rule": self.rule(which),
        }
        closing = f"`{self.name}`: {sums[which]:g} of {sum(self.points.values()):g} points."
        if self.rule(which):
            closing += f" {self.rule(which)}"
        show(report_lines(self.name, self.wrong[which], record["sentence"]), closing)
        _records.get({})[f"test_{self.name}"] = record
        return sums[which]

    def rule(self, which: str) -> str:
        """Say what was put in the place of the student's own work, "" where nothing was."""
        return f"Marked with the right `{self.calls}` in place of yours." if which == "lent" else ""

    def sum_of_points(self, wrong: dict[str, str]) -> float:
        """Add up the points of the kinds of check that hold."""
        return math.fsum(self.points[kind] for kind, sentence in wrong.items() if not sentence)

    def named_mistake(self, which: str) -> Version | None:
        """Return the known mistake that gives just these outcomes, if any does."""
        if not any(self.wrong[which].values()):
            return None
        if any(call.outcomes[which].error for call in self.history):
            return None
        seen = [flatten(call.outcomes[which]) for call in self.history]
        for version in known_mistakes(self.assignment, self.name):
            if self.is_like(version, seen):
                return version
        return None

    def is_like(self, version: Version, seen: list[tuple]) -> bool:
        """Tell whether a known mistake gives just these outcomes, which are flattened."""
        calls = tuple(call.given for call in self.history)
        return all(map(same_flat, flat_outcomes(self.solution, version, calls), seen))

    def where(self, kind: str, which: str) -> dict[str, Any]:
        """Say where the returned value of this name is wrong, in the first call it is wrong in."""
        for call in self.history:
            try:
                actual = self.named(call.outcomes[which].result)[kind]
                expected = self.named(call.right.result)[kind]
                first = next(iter(call.given.arguments.values()))
                m = first.shape[self.time_axis - 1]
                where = where_wrong(actual, expected, self.cache, m, self.time_axis)
            except Exception:  # another kind of check, or a value that lets nobody look at it
                return {}
            if where:
                return {"where": where}
        return {}

    def expected(self) -> dict[str, Any]:
        """Return the solution's values by name."""
        return self.named(self.right.result)


def where_wrong(
    actual: Any, expected: Any, cache: list[str], m: int, time_axis: int
) -> dict[str, Any]:
    """
    Say where a value is wrong; never by how much, nor what is right.

    Parameters
    ----------
    actual, expected : Any
    cache : list of str
        The names of the entries of the cache of one time step.
    m : int
        The number of examples.
    time_axis : int
        Of arrays of three axes: 2, where examples are axis 1, or 1, where they are axis 0.

    Returns
    -------
    dict
        `wrong`: one text of 0 and 1 per row; `row` and `column`: what they are. Of an array
        of three axes, units by time steps; of `caches`, the entries `names` by time steps.
        Empty where nothing of this kind is wrong.
    """
    about: dict[str, Any] = {"row": "unit", "column": "time step"}
    if isinstance(expected, tuple) and isinstance(expected[0], list):
        about = {"row": "entry", "column": "time step", "names": cache}
        steps = list(zip(actual[0], expected[0], strict=True))
        entries = range(len(cache))
        wrong = np.array([[is_wrong(a[n], e[n]) for a, e in steps] for n in entries])
    elif isinstance(expected, np.ndarray) and actual.shape == expected.shape:
        with np.errstate(all="ignore"):
            wrong = ~(np.abs(actual - expected) <= ATOL + RTOL * np.abs(expected))  # NaN is wrong
        if wrong.ndim == 3:
            wrong = wrong.any(axis=time_axis - 1)
        elif wrong.shape[time_axis - 1] == m:
            about["column"] = "example"
        else:
            about = {"row": "row", "column": "column"}
        if time_axis == 1 and about["row"] == "unit":
            wrong = wrong.T
    else:
        return {}
    rows = ["".join(map(str, row)) for row in wrong.astype(int)]
    return {**about, "wrong": rows} if wrong.any() else {}


def is_wrong(actual: Any, expected: Any) -> bool:
    """Tell whether a value, or anything that it holds, is wrong."""
    return bool(find_wrong(lambda outcome: check_value("", actual, expected), NO_OUTCOME))


def check_gradient(label: str, actual: Any, numeric: np.ndarray) -> None:
    """Raise AssertionError where a gradient is not what numeric derivatives say."""
    check_type(label, actual, np.ndarray)
    check_shape(label, actual, numeric.shape)
    error = relative_error(actual, numeric)
    if not error <= GRADIENT_ERROR:  # NaN included
        raise AssertionError(
            f"`{label}` is not the numeric derivative; the relative error is {error:.2g}"
        )


def of_like_size(function: Callable, arguments: dict[str, Any]) -> Callable:
    """
    Return the function for arguments of about the size of the test's own.

    A lent function runs where the tests do, with what student code passes to it: a
    product of a long column and a long row would take all memory.
    """
    most = 4 * max(sizes(arguments))

    @functools.wraps(function)
    def lent(*given: Any) -> Any:
        if max(sizes(given)) > most:
            raise ValueError(f"{function.__name__} is given far more than the test holds")
        return function(*given)

    return lent


def sizes(value: Any) -> Iterator[float]:
    """Yield the sizes of all arrays and containers in a value, axis by axis."""
    yield 1
    if isinstance(value, np.ndarray):
        yield from value.shape if value.ndim <= 3 else (math.inf,)
    elif isinstance(value, (dict, list, tuple)):
        yield len(value)
        for item in value.values() if isinstance(value, dict) else value:
            yield from sizes(item)


@contextmanager
def lending(function: Callable, name: str, lent: Callable) -> Iterator[None]:
    """Let `function` call `lent` by this name, for the time of the block."""
    if hasattr(function, "lending"):  # it lives in the student's room
        with function.lending(**{name: lent}):
            yield
        return
    names = getattr(function, "__globals__", {})
    own = names.get(name)
    names[name] = lent
    try:
        yield
    finally:
        names[name] = own
