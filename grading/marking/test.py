"""The test of a function in the marking: against the solution, for points."""

from __future__ import annotations

import functools
import hmac
import json
import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any, NamedTuple

import numpy as np

from grading.checks import FunctionTest, check_raises, check_shape, check_type, find_wrong
from grading.findings import Finding
from grading.marking.coarse import coarse
from grading.marking.compare import as_left, changed_in, check_gradient, check_value, in_array
from grading.marking.current import current_marking
from grading.marking.lending import lending, of_like_size
from grading.marking.naming import Given, Seen
from grading.marking.result import CheckResult, TestResult
from grading.marking.where import where_wrong
from grading.outcomes import (
    NOT_WRITTEN,
    Outcome,
    Wrong,
    explained,
    fingerprint,
    run_function,
    same_value,
)
from grading.shown import show
from grading.source import Version
from grading.stops import Sizes, sizes_in

NOTHING_RIGHT = Finding("looks at the values that were right above, and none was", {})


class Call(NamedTuple):
    """One call of the function: with what, what is right, what came of it."""

    given: Given
    right: Outcome
    outcomes: dict[str, Outcome]


THE_SOLUTIONS = object()  # in the place of an expected value


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
    returns, cache : str
        As in `FunctionTest`.
    calls : str, optional
        The name of the earlier function, or several: "rnn_cell_forward, rnn_forward".
    keys : str, optional
    time_axis : int, optional
        Which axis of three the time steps lie along; without it, no word is said of time.
    points : dict
        The points of each kind of check. A kind of check that is made of
        several calls holds only if it holds in all of them.
    """

    ways: tuple[str, ...] = ("own", "lent")

    def __init__(
        self,
        function: Callable,
        returns: str,
        cache: str = "",
        calls: str = "",
        keys: str = "",
        *,
        points: dict[str, float],
        time_axis: int | None = None,
    ) -> None:
        of_data = getattr(type(function), "of_data", None)  # it lives in the student's room
        function = of_data(function) if of_data else function
        super().__init__(function, returns, cache, keys)
        self.time_axis = time_axis
        self.marking = current_marking()
        self.outcomes_known = self.marking.outcomes
        self.calls = calls
        for name in filter(None, calls.split(", ")):
            self.right_function(name)  # said to the author, not when a student goes wrong
        self.points = points
        self.values: list[str] = []
        self.wrong_by_way: dict[str, dict[str, Finding | None]] = {way: {} for way in self.ways}
        self.history: list[Call] = []

    def right_function(self, name: str) -> Callable:
        """Return a function of the solution."""
        return self.outcomes_known.source.function(name)

    def call(self, **arguments: object) -> None:
        """Call the function, and the solution, on copies of `arguments`."""
        given = Given(arguments, self.own_cache, self.keeps_cache)
        own = lent = self.outcome_of(arguments)
        if self.calls and not is_right(own, self.outcomes_known.right(self.name, given)):
            with self.lending_earlier(arguments):
                lent = self.outcome_of(arguments)
            lent = own if is_same(lent, own) else lent  # it is looked at once
        self.keep(given, {"own": own, "lent": lent})

    @contextmanager
    def lending_earlier(self, arguments: dict[str, Any], *others: Callable) -> Iterator[None]:
        """Lend the function, and others, the right earlier ones, for the time of the block."""
        with ExitStack() as loans:
            for name in filter(None, self.calls.split(", ")):
                right = of_like_size(self.right_function(name), arguments)
                for function in (*others, self.function):
                    loans.enter_context(lending(function, name, right))
            yield

    def outcome_of(self, arguments: dict[str, Any]) -> Outcome:
        """Call the function, as it can be at this time."""
        return run_function(self.function, arguments, keeps=self.keeps_cache)

    def keep(self, given: Given, outcomes: dict[str, Outcome]) -> None:
        """
        Keep what came of a call, way by way.

        Raises
        ------
        ValueError
            Where the solution stops, so that nothing is right.
        """
        self.arguments = given.arguments
        self.right = self.outcomes_known.right(self.name, given)
        if self.right.stopped:
            raise ValueError(f"the solution {self.right.stopped}")
        sizes = Sizes({}, {})
        if any(each.raised for each in outcomes.values()):
            values = self.all_given(given) | self.named(self.right.result)
            sizes = sizes_in(self.outcomes_known.source.docstrings, values)
        told = {id(each): explained(each, sizes, numbers=False) for each in outcomes.values()}
        self.outcomes = {way: told[id(each)] for way, each in outcomes.items()}
        self.history.append(Call(given, self.right, self.outcomes))

    def all_given(self, given: Given) -> dict[str, Any]:
        """Return all values of which a docstring says the shape."""
        return given.arguments

    # The checks, for hidden tests

    def assert_all(self, kind: str = "") -> None:
        """
        Make the usual checks: types, shapes, every value, arguments, a second call.

        Parameters
        ----------
        kind : str
            For a further call, an edge case: the kind under which they count, all together.
            They look at what was right before, so that no error costs twice.
        """
        if kind:
            self.check_what_was_right(kind, self.check_all)
            return
        self.values = self.names_of_values()
        right = {name: self.expected()[name] for name in self.values}
        self.outcomes_known.main_calls[self.name] = self.history[-1].given, right
        self.assert_types()
        self.assert_shapes()
        for name in self.expected():
            self.assert_allclose(name)
        self.assert_arguments_unchanged()
        self.assert_same_when_called_again()

    def assert_gradients(self, kind: str, numeric: dict[str, np.ndarray]) -> None:
        """
        Check the gradients that were right before against numeric derivatives, as one kind.

        Raises
        ------
        ValueError
            Where `numeric` leaves out a gradient, or holds one that is not returned.
        """
        arrays = {n for n, value in self.expected().items() if isinstance(value, np.ndarray)}
        odd = set(numeric) ^ arrays  # a loss beside its gradients is a number
        if odd:
            raise ValueError(f"test_{self.name}: no numeric derivative for {', '.join(odd)}")

        def check(right: set[str], outcome: Outcome) -> None:
            actual = self.named(outcome.result)
            for name in right & set(numeric):
                check_gradient(self.label(name), actual[name], numeric[name])

        self.check_what_was_right(kind, check)

    def assert_types(self, **types: type | np.dtype) -> None:
        """Check how many values are returned, and the type of each: the solution's, if not told."""
        right = {name: type_of(value) for name, value in self.expected().items()}
        super().assert_types(**(types or right))

    def assert_shapes(self, **shapes: tuple[int, ...]) -> None:
        """Check the shapes of the returned arrays: the solution's, if not told."""
        arrays = {n: v for n, v in self.expected().items() if isinstance(v, np.ndarray)}
        shapes = shapes or {name: array.shape for name, array in arrays.items()}

        def check(label: str, actual: object, shape: tuple[int, ...]) -> None:
            check_shape(label, in_array(actual, shape), shape)

        if shapes:
            self.check_each("shapes", check, shapes)

    def assert_allclose(self, path: str, expected: object = THE_SOLUTIONS) -> None:
        """Check a returned value, with all that it holds: against the solution's, if not told."""
        if expected is THE_SOLUTIONS:
            self.check(path.split("[")[0], functools.partial(self.check_against_solution, path))
        else:
            super().assert_allclose(path, expected)

    def check_against_solution(self, path: str, outcome: Outcome) -> None:
        """
        Raise Wrong where a value is not the solution's.

        A cache may hold an argument that the call has changed: that costs points of its own.
        """
        actual, right = self.part(outcome.result, path), self.part(self.right.result, path)
        if self.keeps_cache and path == self.returns[-1]:
            pairs = [(old, outcome.arguments[name]) for name, old in self.arguments.items()]
            changed = changed_in(pairs, self.time_axis)
            right = as_left(right, actual, changed) if changed else right
        if isinstance(right, np.ndarray):
            actual = in_array(actual, right.shape)
        self.compare(self.label(path), actual, right)

    def compare(self, label: str, actual: object, expected: object) -> None:
        """Raise Wrong where a value, or anything that it holds, is not what is expected."""
        check_value(label, actual, expected, self.cache, self.time_axis)

    def check_all(self, right: set[str], outcome: Outcome) -> None:
        """Raise Wrong where what was right is wrong: types, values, arguments, a second call."""
        actual = self.named(outcome.result)
        for name, expected in self.expected().items():
            if name in right and "types" in right:
                check_type(self.label(name), actual[name], type_of(expected))
            if name in right:
                self.check_against_solution(name, outcome)
        if "arguments" in right:
            self.check_arguments(outcome)
        if "second call" in right:
            self.check_again(outcome)

    def assert_same_when_called_again(self) -> None:
        """Check that a second call with the same arguments changes nothing."""
        self.check("second call", self.check_again)

    def check_again(self, outcome: Outcome) -> None:
        """Raise Wrong where a second call returns something else."""
        self.named(outcome.result)
        if isinstance(outcome.again, Finding):
            raise Wrong(
                "a second call with the same arguments {stops}",
                stops=outcome.again,
            )
        if not same_value(outcome.again, outcome.result):
            raise Wrong(
                "a second call with the same arguments returns other values;"
                " what is kept from call to call, or drawn at random?"
            )

    def assert_raises(self, error: type, **arguments: object) -> None:
        """Check that the function refuses `arguments` with this error: lent earlier ones, too."""

        def refusal(way: str) -> Finding | None:
            with self.lending_earlier(arguments) if way != "own" else nullcontext():
                return find_wrong(
                    lambda _: check_raises(self.function, error, arguments), self.outcomes[way]
                )

        own = refusal("own")
        for way, wrong in self.wrong_by_way.items():
            found = refusal(way) if own and way != "own" else own
            wrong["raises"] = wrong.get("raises") or found

    def check_what_was_right(self, kind: str, check: Callable[[set[str], Outcome], None]) -> None:
        """Make a check that looks only at the kinds that were right in the main call."""
        seen: dict[tuple[int, frozenset[str]], Finding | None] = {}
        for way, wrong in self.wrong_by_way.items():
            right = frozenset(each for each, found in wrong.items() if not found)
            key = id(self.outcomes[way]), right
            if not right & set(self.values):
                wrong[kind] = NOTHING_RIGHT
                continue
            if key not in seen:
                seen[key] = find_wrong(functools.partial(check, {*right}), self.outcomes[way])
            wrong[kind] = wrong.get(kind) or seen[key]

    def check(self, kind: str, check: Callable[[Outcome], None]) -> None:
        """Make one check of all outcomes, and keep what it finds wrong."""
        wrong = {id(outcome): find_wrong(check, outcome) for outcome in self.outcomes.values()}
        for way, kinds in self.wrong_by_way.items():
            kinds[kind] = kinds.get(kind) or wrong[id(self.outcomes[way])]

    def expected(self) -> dict[str, Any]:
        """Return the solution's values by name."""
        return self.named(self.right.result)

    def names_of_values(self) -> list[str]:
        """Return the names of the values that the points depend on: caches left out."""
        names = list(self.expected())
        return names[:-1] if self.cache != [""] else names

    # The result

    def score(self) -> float:
        """
        Keep the result, and return the points; an author is shown the result, too.

        Raises
        ------
        ValueError
            Where `points` and the checks that were made are not of the same kinds.
        """
        if set(self.points) != set(self.wrong_by_way["own"]):
            odd = sorted(set(self.points) ^ set(self.wrong_by_way["own"]))
            raise ValueError(f"test_{self.name}: points and checks differ in {', '.join(odd)}")
        self.outcomes_known.calls[self.name] = tuple(call.given for call in self.history)
        way, result = self.best_result()
        for check in result.checks:
            if check.wrong:
                check.where = self.where(check.kind, way)
        self.marking.results.append(result)
        if self.marking.in_jupyter:
            show(*result.report())
        return result.points

    def best_result(self) -> tuple[str, TestResult]:
        """
        Return the way that earns most, and its result; of equals one with a name, or the first.

        A way that cannot earn as much as another one has is not asked for its mistake.
        """
        found: dict[str, TestResult] = {}
        for way in sorted(self.different_ways(), key=self.most_points, reverse=True):
            if self.most_points(way) >= max((each.points for each in found.values()), default=0.0):
                found[way] = self.result_of(way)
        return max(
            ((way, found[way]) for way in self.ways if way in found),
            key=lambda each: (each[1].points, bool(each[1].mistake)),
        )

    def different_ways(self) -> list[str]:
        """Return the ways in which not just the same came of all calls as in an earlier one."""
        about = {
            w: ([id(c.outcomes[w]) for c in self.history], self.wrong_by_way[w]) for w in self.ways
        }
        known = list(about.values())
        return [way for number, way in enumerate(about) if about[way] not in known[:number]]

    def most_points(self, way: str) -> float:
        """Return what a way earns if all that is right in it counts in full."""
        held = [kind for kind, found in self.wrong_by_way[way].items() if not found]
        return round(math.fsum(round(max(self.points[kind], 0.0), 2) for kind in held), 2)

    def result_of(self, way: str) -> TestResult:
        """
        Return the result of one way of calling the function.

        What is no value (types, shapes, arguments, ...) counts in the proportion in which
        the values are right, and in full where the result is that of a known mistake.
        """
        wrong, mistake = self.wrong_by_way[way], self.named_mistake(way)
        share = self.share_of_values(wrong)
        has_result = not self.history[0].outcomes[way].stopped
        in_full = mistake is not None and has_result and not mistake.earns_nothing
        checks = []
        for kind, found in wrong.items():
            counts = 1.0 if in_full or kind in self.values else share
            earned = 0.0 if found else round(self.points[kind] * counts, 2)
            checks.append(CheckResult(kind, self.points[kind], earned, found and coarse(found)))
        points = round(math.fsum(check.earned for check in checks), 2)
        result = TestResult(self.name, points, math.fsum(self.points.values()), checks)
        result.rule = self.rule(way)
        if mistake:
            result.mistake, result.sentence = mistake.name, mistake.sentence
        elif any(wrong.values()):
            result.made = self.hash_of(way)
        return result

    def hash_of(self, way: str) -> str:
        """
        Return a hash of all that came of the calls; "" where that is not known.

        It is keyed with what the data is drawn from, so that nobody can try out what it is of.
        """
        outcomes = [call.outcomes[way] for call in self.history]
        if not all(map(is_clear, outcomes)) or outcomes[0].stopped == NOT_WRITTEN:
            return ""
        seen = json.dumps([fingerprint(outcome) for outcome in outcomes])
        key = bytes(self.outcomes_known.data.entropy)
        return hmac.digest(key, seen.encode(), "sha256").hex()[:12]

    def share_of_values(self, wrong: dict[str, Finding | None]) -> float:
        """
        Return which part of the points for values is earned.

        Raises
        ------
        ValueError
            Where no value earns points, so that there is no such part.
        """
        points = {name: self.points.get(name, 0.0) for name in self.values}
        if not any(points.values()):
            raise ValueError(f"test_{self.name}: no points for a value that assert_all looked at")
        earned = math.fsum(p for name, p in points.items() if not wrong.get(name))
        return earned / math.fsum(points.values())

    def rule(self, way: str) -> Finding | None:
        """Say what was put in the place of the student's own work, None where nothing was."""
        if way == "own":
            return None
        lent = [f"`{name}`" for name in self.calls.split(", ")]
        return Finding("Marked with the right {lent} in place of yours.", {"lent": lent})

    def named_mistake(self, way: str) -> Version | None:
        """Return the known mistake that gives just these outcomes, if any does."""
        if not any(self.wrong_by_way[way].values()):
            return None
        outcomes = [call.outcomes[way] for call in self.history]
        if not all(map(is_clear, outcomes)) or outcomes[0].stopped == NOT_WRITTEN:
            return None
        seen = [Seen(outcome) for outcome in outcomes]
        calls = tuple(call.given for call in self.history)
        return self.outcomes_known.mistake_in(self.name, calls, seen)

    def where(self, kind: str, way: str) -> dict[str, Any]:
        """Say where the returned value of this name is wrong, in the first call it is wrong in."""
        if self.time_axis is None:  # the picture is one of time steps
            return {}
        for call in self.history:
            try:
                actual = self.named(call.outcomes[way].result)[kind]
                expected = self.named(call.right.result)[kind]
                first = next(iter(call.given.arguments.values()))
                m = first.shape[self.time_axis - 1]
                where = where_wrong(actual, expected, self.cache, m, self.time_axis)
            except Exception:  # another kind of check, or a value that lets nobody look at it
                return {}
            if where:
                return where
        return {}


def is_right(outcome: Outcome, right: Outcome) -> bool:
    """Tell whether nothing is wrong with an outcome: types, values, arguments, second call."""
    return same_value(outcome.seen, right.seen)


def is_same(one: Outcome, other: Outcome) -> bool:
    """Tell whether the same came of two calls, and is told of them."""
    return one.stopped == other.stopped and same_value(one.seen, other.seen)


def is_clear(outcome: Outcome) -> bool:
    """Tell whether all that came of a call is known: where it stopped, in which operation."""
    return not outcome.stopped or outcome.raised is not None


def type_of(value: object) -> type | np.dtype:
    """Return the type of a value; of an array, what it holds."""
    return value.dtype if isinstance(value, np.ndarray) else type(value)
