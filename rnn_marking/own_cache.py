"""
The tests of batch-first functions whose cache is the student's own choice.

Such a cache is never looked into: it stays where the student's code runs. A forward function
is tested by its other values. A backward function is called with the cache of the student's own
forward function, and where that does not lead to all the right gradients, with a right one in
the layout that the notebook suggests; the better result counts. In a sequence, the right
functions of one step are lent, too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from grading.testing import (
    KEPT,
    Finding,
    Given,
    MarkedTest,
    Outcome,
    Wrong,
    check_gradient,
    copy_value,
    lending,
    of_like_size,
    run_function,
    same_value,
)
from rnn_marking.gradients import numeric_gradients

STEP_FORWARD, STEP_BACKWARD = "lstm_step_forward", "lstm_step_backward"
OWN_CACHE = "your cache"
NOT_OWN = Finding(
    "the gradients are right only with another cache than that of your `{forward}`", {}
)


class OwnCacheTest(MarkedTest):
    """
    A `MarkedTest` of a batch-first function with a cache of the student's own.

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
        super().__init__(function, returns, points=points)
        self.time_axis = 1
        self.of_sequence = of_sequence

    def keep(self, given: Given, outcomes: dict[str, Outcome]) -> None:
        """Keep what came of a call; the cache is no argument that is looked at."""
        super().keep(given, outcomes)
        self.arguments = {n: KEPT if n == "cache" else v for n, v in given.arguments.items()}

    def expected(self) -> dict[str, Any]:
        """Return the solution's values by name, but for the cache."""
        return {n: v for n, v in super().expected().items() if n != "cache"}

    def is_right(self, outcome: Outcome) -> bool:
        """Tell whether all values are right."""
        try:
            values = self.named(outcome.result)
        except Wrong:
            return False
        return all(same_value(values[name], right) for name, right in self.expected().items())


class ForwardTest(OwnCacheTest):
    """The test of a forward function."""

    def call(self, **arguments: Any) -> None:
        """Call the function, and the solution, on copies of `arguments`."""
        given = Given(arguments, own_cache=True)
        own = lent = run_function(keeping_last(self.function), arguments, own_cache=True)
        self.right = self.outcomes_known.right(self.name, given)
        if self.of_sequence and not self.is_right(own):
            step = self.right_function(STEP_FORWARD)
            with lending(self.function, STEP_FORWARD, of_like_size(step, arguments)):
                lent = run_function(keeping_last(self.function), arguments, own_cache=True)
        self.keep(given, {"own": own, "lent": lent})

    def rule(self, way: str) -> Finding | None:
        """Say what was put in the place of the student's own work."""
        self.calls = STEP_FORWARD
        return super().rule(way)


class BackwardTest(OwnCacheTest):
    """
    The test of a backward function.

    Parameters
    ----------
    function, forward : callable
        The student's functions.
    returns, points, of_sequence
        As in `OwnCacheTest`.
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
        super().__init__(function, returns, points=points, of_sequence=of_sequence)
        self.forward = forward

    def call(self, gradients: dict[str, np.ndarray], arguments: dict[str, np.ndarray]) -> None:
        """
        Call the forward function, and the backward function on its cache.

        Parameters
        ----------
        gradients : dict
            Of what the forward function returns, in this order.
        arguments : dict
            Of the forward function.
        """
        forward = Given(arguments)
        right_cache = self.outcomes_known.right(self.forward.__name__, forward).result[-1]
        given = Given({**gradients, "cache": right_cache}, own_cache=True)
        self.right = self.outcomes_known.right(self.name, given)
        self.numeric = self.derivatives(forward, Given(gradients))
        caches = {"own": lambda: self.own_cache_of(arguments), "right": lambda: right_cache}
        outcomes: dict[str, Outcome] = {}
        for way in self.ways:
            if any(map(self.is_right, outcomes.values())):
                break
            if way in ("own", "right"):
                outcomes[way] = self.run(gradients, caches[way]())
            elif self.of_sequence:
                outcomes[way] = self.run_lent(gradients, arguments, caches, way == "lent")
        own = outcomes["own"]
        self.keep(given, {way: outcomes.get(way, own) for way in self.ways})
        with_right_cache = {"right", "both"} & outcomes.keys()
        self.cache_is_own = {way: way not in with_right_cache for way in self.ways}

    def run(self, gradients: dict[str, np.ndarray], cache: Any) -> Outcome:
        """Call the function with a cache."""
        return run_function(self.function, {**gradients, "cache": cache}, own_cache=True)

    def run_lent(
        self, gradients: dict, arguments: dict, caches: dict[str, Callable], own: bool
    ) -> Outcome:
        """Call the function, and the forward one if its cache is wanted, with right steps."""
        forward = of_like_size(self.right_function(STEP_FORWARD), arguments)
        backward = of_like_size(self.right_function(STEP_BACKWARD), {**gradients, **arguments})
        with lending(self.forward, STEP_FORWARD, forward):
            cache = caches["own" if own else "right"]()
        with lending(self.function, STEP_BACKWARD, backward):
            return self.run(gradients, cache)

    def own_cache_of(self, arguments: dict[str, np.ndarray]) -> Any:
        """Return the cache of the student's forward function, None where it returns none."""
        try:
            values = keeping_last(self.forward)(*copy_value(arguments).values())
        except Exception:  # that costs points in its own test
            return None
        return values[-1] if type(values) in (list, tuple) and values else None

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
        if kind:
            return
        not_own = Finding(NOT_OWN.message, {"forward": self.forward.__name__})
        for way, is_own in self.cache_is_own.items():
            self.wrong[way][OWN_CACHE] = None if is_own else not_own

    def assert_allclose(self, path: str) -> None:
        """Check a gradient against the solution, and against numeric derivatives."""
        super().assert_allclose(path)
        numeric = self.numeric[path]
        self.check(path, lambda o: check_gradient(path, self.named(o.result)[path], numeric))

    def rule(self, way: str) -> Finding | None:
        """Say what was put in the place of the student's own work."""
        fields = {"step": STEP_FORWARD, "back": STEP_BACKWARD}
        steps = "the right `{step}` and `{back}` in place of yours"
        return {
            "own": None,
            "lent": Finding(f"Marked with {steps}.", fields),
            "right": Finding("Marked with a right cache, in the layout of the docstring.", {}),
            "both": Finding(f"Marked with a right cache, and {steps}.", fields),
        }[way]


def keeping_last(function: Callable) -> Callable:
    """Return a function of a student's whose last value stays in the student's room."""
    return function.keeping_last() if hasattr(function, "keeping_last") else function
