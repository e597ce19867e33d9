"""The test of a function in the marking: against the solution, for points."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

from grading.mistakes import Version, known_mistakes
from grading.solution import load_solution
from rnn_checks import (
    FunctionTest,
    Outcome,
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

    arguments: dict[str, Any]
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
        *,
        points: dict[str, float],
    ) -> None:
        super().__init__(function, returns, cache, kinds=len(points))
        self.assignment = assignment
        self.solution = load_solution(assignment)
        self.calls = calls
        self.points = points
        self.wrong: dict[str, dict[str, str]] = {"own": {}, "lent": {}}
        self.history: list[Call] = []

    def call(self, **arguments: Any) -> None:
        """Call the function, and the solution, on copies of `arguments`."""
        self.arguments = arguments
        self.right = right = run_function(self.solution.function(self.name), arguments)
        own = lent = run_function(self.function, arguments)
        if self.calls and not same_value(own, right):
            cell = of_like_size(self.solution.function(self.calls), arguments)
            with lending(self.function, self.calls, cell):
                lent = run_function(self.function, arguments)
        self.outcomes = {"own": own, "lent": lent}
        self.history.append(Call(arguments, right, self.outcomes))

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

    def assert_everything(self, kind: str) -> None:
        """Check types, values, arguments and the second call, as one kind."""

        def check(outcome: Outcome) -> None:
            actual = self.named(outcome.result)
            for name, expected in self.expected().items():
                check_type(name, actual[name], type(expected))
                check_value(name, actual[name], expected, self.cache)
            self.check_arguments(outcome)
            self.check_again(outcome)

        self.check(kind, check)

    def check(self, kind: str, check: Callable[[Outcome], None]) -> None:
        """Make one check of both outcomes, and keep what it finds wrong."""
        for which, outcome in self.outcomes.items():
            wrong = find_wrong(check, outcome)
            self.wrong[which][kind] = self.wrong[which].get(kind) or wrong

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
        which = "lent" if sums["lent"] > sums["own"] else "own"
        mistake = self.named_mistake(which)
        record = {
            "function": self.name,
            "points": sums[which],
            "checks": [
                {"kind": kind, "points": self.points[kind], "wrong": wrong}
                for kind, wrong in self.wrong[which].items()
            ],
            "mistake": mistake.name if mistake else "",
            "sentence": mistake.sentence if mistake else "",
            "lent": self.calls if which == "lent" else "",
        }
        closing = f"`{self.name}`: {sums[which]:g} of {sum(self.points.values()):g} points."
        if which == "lent":
            closing += f" Marked with the right `{self.calls}` in place of yours."
        show(report_lines(self.name, self.wrong[which], record["sentence"]), closing)
        _records.get({})[f"test_{self.name}"] = record
        return sums[which]

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
            function = version.build(self.solution)
            if all(
                same_flat(flatten(run_function(function, call.arguments)), flat)
                for call, flat in zip(self.history, seen, strict=True)
            ):
                return version
        return None

    def expected(self) -> dict[str, Any]:
        """Return the solution's values by name."""
        return self.named(self.right.result)


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
