"""
The tests of batch-first functions whose cache is the student's own choice.

Such a cache is never looked into: it stays where the student's code runs. A forward function
is tested by its other values. A backward function is called with the cache of the student's own
forward function, and where that does not lead to all the right gradients, with a right one in
the layout that the notebook suggests; the better result counts. The right earlier functions
are lent, too.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from grading.testing import (
    KEPT,
    THE_SOLUTIONS,
    Finding,
    Given,
    MarkedTest,
    Outcome,
    Version,
    check_gradient,
    copy_value,
    flatten,
    is_clear,
    is_right,
    run_function,
    same_flat,
    same_value,
)
from rnn_marking.caches import keeping_last, own_cache_of
from rnn_marking.gradients import numeric_gradients

STEP_FORWARD, STEP_BACKWARD = "lstm_step_forward", "lstm_step_backward"
OWN_CACHE = "your cache"
WITH_RIGHT_CACHE = ("right", "both")  # ways to call a backward function


class OwnCacheTest(MarkedTest):
    """
    A `MarkedTest` of a batch-first function with a cache of the student's own.

    Parameters
    ----------
    function : callable
        The student's function.
    returns, calls, points
        As in `MarkedTest`.
    """

    def __init__(
        self, function: Callable, returns: str, calls: str, *, points: dict[str, float]
    ) -> None:
        super().__init__(function, returns, calls=calls, points=points, time_axis=1)
        self.own_cache = True

    def keep(self, given: Given, outcomes: dict[str, Outcome]) -> None:
        """Keep what came of a call; the cache is no argument that is looked at."""
        super().keep(given, outcomes)
        self.arguments = {n: KEPT if n == "cache" else v for n, v in given.arguments.items()}

    def expected(self) -> dict[str, Any]:
        """Return the solution's values by name, but for the cache."""
        return {n: v for n, v in super().expected().items() if n != "cache"}

    def is_right(self, outcome: Outcome) -> bool:
        """Tell whether nothing is wrong: types, values, arguments, second call."""
        return is_right(outcome, self.right)


class ForwardTest(OwnCacheTest):
    """
    The test of a forward function.

    Parameters
    ----------
    function : callable
        The student's function.
    returns, points
        As in `MarkedTest`.
    of_sequence : bool
        Whether it goes over all time steps, so that the right steps may be lent.
    """

    def __init__(
        self,
        function: Callable,
        returns: str,
        *,
        points: dict[str, float],
        of_sequence: bool = False,
    ) -> None:
        calls = STEP_FORWARD if of_sequence else ""
        super().__init__(function, returns, calls, points=points)

    def outcome_of(self, arguments: dict[str, Any]) -> Outcome:
        """Call the function, as it can be at this time."""
        return run_function(keeping_last(self.function), arguments, own_cache=True, keeps=True)


class BackwardTest(OwnCacheTest):
    """
    The test of a backward function.

    Parameters
    ----------
    function, forward : callable
        The student's functions.
    returns, points, of_sequence
        As in `ForwardTest`.
    """

    ways = ("own", "lent", "right", "both")

    def __init__(
        self,
        function: Callable,
        forward: Callable,
        returns: str,
        *,
        points: dict[str, float],
        of_sequence: bool = False,
    ) -> None:
        calls = f"{STEP_FORWARD}, {STEP_BACKWARD}" if of_sequence else forward.__name__
        super().__init__(function, returns, calls, points=points)
        self.forward = forward
        self.cases: list[tuple[dict, dict]] = []  # what `call` was given

    def call_both(self, gradients: dict[str, np.ndarray], arguments: dict[str, np.ndarray]) -> None:
        """
        Call the forward function, and the backward function on its cache.

        Parameters
        ----------
        gradients : dict
            Of what the forward function returns, in this order.
        arguments : dict
            Of the forward function.
        """
        self.cases.append((gradients, arguments))
        forward = Given(arguments)
        right_cache = self.outcomes_known.right(self.forward.__name__, forward).result[-1]
        given = Given({**gradients, "cache": right_cache}, own_cache=True)
        self.right = self.outcomes_known.right(self.name, given)
        self.numeric = self.derivatives(forward, Given(gradients))
        own = self.run("own", gradients, arguments, right_cache)
        outcomes = dict.fromkeys(self.ways, own)
        self.blames_cache = False
        if not self.is_right(own):
            for way in self.ways[1:]:
                found = self.run(way, gradients, arguments, right_cache)
                if same_value(found.seen, own.seen):
                    continue
                if self.gives_again(found, way, gradients, arguments, right_cache):
                    outcomes[way] = found
                if self.is_right(outcomes[way]):
                    break
            # What is wrong in a forward function costs its points there.
            differs = any(each is not own for each in outcomes.values())
            self.blames_cache = differs and self.forward_is_right(arguments)
        self.keep(given, outcomes)

    def all_given(self, given: Given) -> dict[str, Any]:
        """Return all values of which a docstring says the shape: those of the forward pass, too."""
        return {**given.arguments, **self.cases[-1][1]}

    def run(self, way: str, gradients: dict, arguments: dict, right_cache: object) -> Outcome:
        """Call the function in one of the ways."""
        with self.lent_in(way, gradients, arguments):
            cache = self.cache_in(way, arguments, right_cache)
            return run_function(self.function, {**gradients, "cache": cache}, own_cache=True)

    def gives_again(
        self, found: Outcome, way: str, gradients: dict, arguments: dict, right_cache: object
    ) -> bool:
        """Tell whether a way gives the same once more: what changes would have several tries."""
        if found.stopped:
            return same_value(found, self.run(way, gradients, arguments, right_cache))
        with self.lent_in(way, gradients, arguments):
            cache = self.cache_in(way, arguments, right_cache)
            try:
                result = self.function(*copy_value({**gradients, "cache": cache}).values())
            except (Exception, SystemExit):  # it did not stop before
                return False
        return same_value(found.result, result)

    def lent_in(self, way: str, gradients: dict, arguments: dict) -> AbstractContextManager[None]:
        """Lend the right earlier functions, in the ways that have them."""
        if way not in ("lent", "both"):
            return nullcontext()
        return self.lending_earlier({**gradients, **arguments}, self.forward)

    def cache_in(self, way: str, arguments: dict, right_cache: object) -> Any:
        """Return a right cache, or that of the student's forward function, which is called anew."""
        if way in WITH_RIGHT_CACHE:
            return right_cache
        return own_cache_of(self.forward, arguments)

    def forward_is_right(self, arguments: dict[str, np.ndarray]) -> bool:
        """Tell whether the forward function earns all its points, as far as can be seen here."""
        given = Given(arguments, own_cache=True)
        right = self.outcomes_known.right(self.forward.__name__, given).result
        seen = run_function(keeping_last(self.forward), arguments, own_cache=True)
        return same_value([seen.result, seen.arguments, seen.again], [right, arguments, right])

    def derivatives(self, forward: Given, weights: Given) -> dict[str, np.ndarray]:
        """Return the numeric derivatives of the solution's forward function, by gradient."""
        name = self.forward.__name__

        def loss(**arguments: np.ndarray) -> float:
            outputs = self.right_function(name)(*arguments.values())
            pairs = zip(weights.arguments.values(), outputs, strict=False)
            return sum(float(np.sum(weight * output)) for weight, output in pairs)

        def differentiate() -> dict[str, np.ndarray]:
            return numeric_gradients(loss, forward.arguments, ", ".join(forward.arguments))

        return self.outcomes_known.once((name, forward, weights), differentiate)

    def assert_all(self, kind: str = "") -> None:
        """Make the usual checks, and see whether the student's own cache did."""
        super().assert_all(kind)
        for way, wrong in self.wrong_by_way.items():
            is_blamed = self.blames_cache and way in WITH_RIGHT_CACHE
            wrong[OWN_CACHE] = wrong.get(OWN_CACHE) or (self.not_own() if is_blamed else None)

    def not_own(self) -> Finding:
        """Say that only another cache did, and what came of the student's own."""
        fields: dict[str, Any] = {"forward": self.forward.__name__}
        stopped = self.outcomes["own"].stopped
        if stopped is None:
            return Finding(
                "the gradients are right only with another cache than that of your `{forward}`",
                fields,
            )
        return Finding(
            "the gradients are right only with another cache than that of your `{forward}`; with"
            " yours: {found}",
            {**fields, "found": stopped},
        )

    def named_mistake(self, way: str) -> Version | None:
        """Return the known mistake that gives just these outcomes: one in the cache, too."""
        found = super().named_mistake(way)
        outcomes = [call.outcomes["own"] for call in self.history]
        if found or not self.wrong_by_way[way].get(OWN_CACHE) or not all(map(is_clear, outcomes)):
            return found
        seen = [flatten(outcome.seen) for outcome in outcomes]
        for version in self.outcomes_known.source.mistakes_of_others(self.name):
            if all(map(same_flat, self.with_cache_of(version), seen)):
                return version
        return None

    def with_cache_of(self, version: Version) -> list[tuple]:
        """Return what the right function makes of the caches of a wrong forward one."""

        def call_all() -> list[tuple]:
            names = self.outcomes_known.source.namespace(**{version.function: version.text})
            forward, backward = names[self.forward.__name__], names[self.name]
            outcomes = []
            for gradients, arguments in self.cases:
                cache = forward(*copy_value(arguments).values())[-1]
                given = {**gradients, "cache": cache}
                outcomes.append(flatten(run_function(backward, given, own_cache=True).seen))
            return outcomes

        calls = tuple(call.given for call in self.history)
        return self.outcomes_known.once(("cache of", version, calls), call_all)

    def assert_allclose(self, path: str, expected: object = THE_SOLUTIONS) -> None:
        """Check a gradient against the solution, and against numeric derivatives."""
        super().assert_allclose(path, expected)
        numeric = self.numeric[path]
        self.check(path, lambda o: check_gradient(path, self.named(o.result)[path], numeric))

    def rule(self, way: str) -> Finding | None:
        """Say what was put in the place of the student's own work."""
        if way not in WITH_RIGHT_CACHE:
            return super().rule(way)
        if way == "right":
            return Finding("Marked with a right cache, in the layout of the docstring.", {})
        return Finding(
            "Marked with a right cache, and the right {lent} in place of yours.",
            {"lent": [f"`{name}`" for name in self.calls.split(", ")]},
        )
