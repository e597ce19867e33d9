"""
The tests of batch-first functions whose cache is the student's own choice.

Nothing is known of such a cache but that it is plain data. A forward function is tested
without it; a backward function is called with the cache that the student's own forward
function returns. Where an error in another function would cost points once more, the
backward function is tried in other ways, too, and the best result counts:

    replaced    one time step: right values take the place of wrong ones in the cache,
                wherever they stand in it
    lent        a sequence: the right functions of one time step are lent
    numeric     a gradient that is the derivative of the student's own forward function,
                wrong as that is, counts as right
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

import numpy as np

from grading.testing import (
    KEPT,
    Finding,
    Given,
    MarkedTest,
    Outcome,
    Outcomes,
    Version,
    Wrong,
    check_gradient,
    lending,
    run_function,
    same_value,
    without_cache,
)
from rnn_marking.gradients import numeric_gradients
from rnn_marking.layouts import (
    STEP_BACKWARD,
    STEP_FORWARD,
    Steps,
    returned_cache,
    right_caches,
)

MOST_CACHES, MOST_SECONDS = 150, 30  # of other ways of a call; most take milliseconds


class OwnCacheTest(MarkedTest):
    """
    A `MarkedTest` of a batch-first function with a cache of the student's own.

    Attributes
    ----------
    ways : tuple of str
        In which ways the function is called: "own", and what the module names.
    """

    ways: tuple[str, ...] = ("own",)

    def __init__(self, function: Callable, returns: str, points: dict[str, float]) -> None:
        super().__init__(function, returns, points=points)
        self.time_axis = 1

    def keep(self, given: Given, outcomes: dict[str, Outcome]) -> None:
        """Keep what came of a call; a way that was not needed comes to the same as "own"."""
        super().keep(given, dict.fromkeys(self.ways, outcomes["own"]) | outcomes)
        self.arguments = {n: KEPT if n == "cache" else v for n, v in given.arguments.items()}

    def expected(self) -> dict[str, Any]:
        """Return the solution's values by name, but for the cache."""
        return {n: v for n, v in super().expected().items() if n != "cache"}


class ForwardTest(OwnCacheTest):
    """
    The test of a forward function.

    Parameters
    ----------
    function : callable
        The student's function.
    returns, points
        As in `MarkedTest`.
    step : callable, optional
        For a sequence: the student's function of one time step.
    """

    ways = ("own", "lent")

    def __init__(
        self,
        function: Callable,
        returns: str,
        *,
        points: dict[str, float],
        step: Callable | None = None,
    ) -> None:
        super().__init__(function, returns, points)
        self.step = step
        self.cached_in: dict[str, np.ndarray] = {}  # the call whose cache was looked at
        self.missing: Finding | None = None

    def call(self, **arguments: Any) -> None:
        """Call the function, and the solution, on copies of `arguments`."""
        given = Given(arguments, own_cache=True)
        own = run_function(self.function, arguments, own_cache=True)
        others = {}
        if self.step and not same_value(own, self.outcomes_known.right(self.name, given)):
            steps = Steps(self.outcomes_known.source, self.step, arguments)
            with lending(self.function, STEP_FORWARD, steps.forward):
                others["lent"] = run_function(self.function, arguments, own_cache=True)
        self.keep(given, {"own": own, **others})

    def assert_steps_in_cache(self) -> None:
        """Check that a cache made of the caches of time steps holds them all, as they were."""
        self.cached_in = self.arguments
        self.missing = self.missing_steps(self.function, self.step)

        def check(outcome: Outcome) -> None:
            self.named(outcome.result)
            if self.missing:
                raise Wrong(self.missing.message, **self.missing.fields)

        self.check("cache", check)

    def missing_steps(self, function: Callable, step: Callable) -> Finding | None:
        """Say which caches of time steps the cache of a sequence function lacks."""
        steps = Steps(self.outcomes_known.source, step, self.cached_in)
        missing = steps.missing_in(returned_cache(run_function(function, self.cached_in).again))
        if missing:  # unless it takes its steps by itself
            with lending(function, STEP_FORWARD, steps.forward):
                run_function(function, self.cached_in)
        return missing if steps.calls else None

    def is_like(self, version: Version, seen: list[tuple]) -> bool:
        """Tell whether a known mistake gives just these outcomes, and a cache like this."""
        if not super().is_like(version, seen):
            return False
        step = self.right_function(STEP_FORWARD)
        function = self.outcomes_known.source.build(version)
        return not self.cached_in or self.missing_steps(function, step) == self.missing

    def rule(self, way: str) -> Finding | None:
        """Say what was put in the place of the student's own work."""
        self.calls = STEP_FORWARD
        return super().rule(way)


class BackwardTest(OwnCacheTest):
    """
    The test of a backward function, on the cache of the student's own forward function.

    Parameters
    ----------
    function, forward : callable
        The student's functions.
    returns, points
        As in `MarkedTest`.
    step : callable, optional
        For a sequence: the student's `lstm_step_forward`.
    """

    ways = ("own", "replaced", "lent", "numeric")

    def __init__(
        self,
        function: Callable,
        forward: Callable,
        returns: str,
        *,
        points: dict[str, float],
        step: Callable | None = None,
    ) -> None:
        super().__init__(function, returns, points)
        self.forward = forward
        self.step = step

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
        self.gradients = gradients
        forward = Given(arguments)
        right_forward = self.outcomes_known.right(self.forward.__name__, forward)
        given = Given({**gradients, "cache": right_forward.result[-1]}, own_cache=True)
        self.right = self.outcomes_known.right(self.name, given)
        self.numeric = numeric(
            self.outcomes_known, self.forward.__name__, forward, Given(gradients)
        )

        self.until = time.monotonic() + MOST_SECONDS
        own_forward = run_function(self.forward, arguments)
        cache = returned_cache(own_forward.result, len(right_forward.result))
        own = self.run([cache])
        others = {}
        if not same_value(own, self.right):
            is_wrong = not same_value(
                without_cache(own_forward, arguments), without_cache(right_forward, arguments)
            )
            if self.step:
                others["lent"] = self.run_with_right_steps(own_forward, is_wrong, arguments)
            elif is_wrong:
                caches = right_caches(own_forward, arguments)
                others["replaced"] = self.run(caches) or own
            if is_wrong:
                others["numeric"] = self.forgive(own, arguments)
        self.keep(given, {"own": own, **others})

    def run(self, caches: Iterable[Any]) -> Outcome | None:
        """Call the function with one cache after the other; return the best outcome."""
        best, most = None, -2
        for cache in islice(caches, MOST_CACHES):
            arguments = {**self.gradients, "cache": cache}
            outcome = run_function(self.function, arguments, own_cache=True)
            count = self.count_right(outcome)
            if count > most:
                best, most = outcome, count
            if most == len(self.returns) or time.monotonic() > self.until:
                break
        return best

    def count_right(self, outcome: Outcome) -> int:
        """Return how many gradients are right."""
        try:
            actual = self.named(outcome.result)
        except AssertionError:
            return -1 if outcome.stopped else 0
        return sum(same_value(actual[name], right) for name, right in self.expected().items())

    def run_with_right_steps(
        self, own_forward: Outcome, is_wrong: bool, arguments: dict[str, np.ndarray]
    ) -> Outcome:
        """Call both functions of a sequence with the right functions of one time step."""
        steps = Steps(self.outcomes_known.source, self.step, arguments)
        with lending(self.forward, STEP_FORWARD, steps.right_forward):
            caches = [steps.completed(returned_cache(run_function(self.forward, arguments).result))]
        missing = steps.calls and steps.missing_in(returned_cache(own_forward.result))
        if is_wrong or missing:  # that has cost its points
            caches.append(steps.caches)
        with lending(self.function, STEP_BACKWARD, steps.backward):
            return self.run(caches)

    def forgive(self, outcome: Outcome, arguments: dict[str, np.ndarray]) -> Outcome:
        """Return the outcome with right values for gradients of the student's own forward."""
        try:
            both = self.named(outcome.result), self.named(outcome.again)
        except AssertionError:
            return outcome
        right = self.expected()
        forgiven = [n for n, value in both[0].items() if self.is_derivative(n, value, arguments)]
        result, again = (
            tuple(right[n] if n in forgiven else value for n, value in values.items())
            for values in both
        )
        return outcome._replace(result=result, again=again)

    def is_derivative(self, name: str, gradient: Any, arguments: dict[str, np.ndarray]) -> bool:
        """Tell whether this is a gradient of the student's own forward function."""
        argument = arguments[name.removeprefix("d")]
        if not isinstance(gradient, np.ndarray) or gradient.shape != argument.shape:
            return False
        if time.monotonic() > self.until:
            return False
        loss = functools.partial(loss_of, self.forward, self.gradients)
        rng = np.random.default_rng(0)
        for _ in range(2):
            direction = rng.standard_normal(argument.shape)
            direction /= np.linalg.norm(direction)
            line = {"s": np.zeros(1)}

            def along(s: np.ndarray, direction: np.ndarray = direction) -> float:
                return loss(**{**arguments, name.removeprefix("d"): argument + s * direction})

            try:
                slope = numeric_gradients(along, line, "s")["ds"]
                check_gradient(name, np.array([np.sum(gradient * direction)]), slope)
            except Exception:  # the forward function stops, or returns what it should not
                return False
        return True

    def assert_allclose(self, path: str) -> None:
        """Check a gradient against the solution, and against numeric derivatives."""
        super().assert_allclose(path)
        numeric = self.numeric[path]
        self.check(path, lambda o: check_gradient(path, self.named(o.result)[path], numeric))

    def rule(self, way: str) -> Finding | None:
        """Say what was put in the place of the student's own work."""
        fields = {"forward": self.forward.__name__, "step": STEP_FORWARD, "back": STEP_BACKWARD}
        said = {
            "own": "",
            "replaced": "Marked with right values in the place of the wrong ones in your cache.",
            "lent": "Marked with the right `{step}` and `{back}` in place of yours.",
            "numeric": "Marked with the derivatives of your own `{forward}`.",
        }[way]
        return Finding(said, fields) if said else None


# ------------------------------------------------------------- derivatives


def loss_of(forward: Callable, weights: dict[str, np.ndarray], **arguments: np.ndarray) -> float:
    """Return a number whose gradients with respect to the outputs are the weights."""
    outputs = forward(*arguments.values())
    return sum(float(np.sum(w * out)) for w, out in zip(weights.values(), outputs, strict=False))


def numeric(
    outcomes: Outcomes, forward: str, given: Given, weights: Given
) -> dict[str, np.ndarray]:
    """Return the numeric derivatives of the solution's forward function, by gradient."""

    def differentiate() -> dict[str, np.ndarray]:
        loss = functools.partial(loss_of, outcomes.source.function(forward), weights.arguments)
        arguments = {name: array.copy() for name, array in given.arguments.items()}
        return numeric_gradients(loss, arguments, ", ".join(arguments))

    return outcomes.once((forward, given, weights), differentiate)
