"""The test of the backward pass of a cell whose forward pass is the student's own."""

from collections.abc import Callable
from typing import Any

from grading.testing import Finding, Given, MarkedTest, Outcome, is_right, is_same, run_function
from rnn_marking.caches import own_cache_of

WITH_OWN_CACHE = "own cache"


class CellBackwardTest(MarkedTest):
    """
    A `MarkedTest` of a function that goes back through a cell, by a cache in a given layout.

    It is called with a right cache. Where that does not lead to all the right gradients, it is
    called again with the right cell lent to it, and again with the cache of the student's own
    cell; the best result counts. A cell that is wrong, or a cache in another layout, costs its
    points in the test of the cell.

    Parameters
    ----------
    function, forward : callable
        The student's functions.
    keys, points
        As in `MarkedTest`.
    """

    ways = ("own", "lent", WITH_OWN_CACHE)

    def __init__(
        self, function: Callable, forward: Callable, keys: str, *, points: dict[str, float]
    ) -> None:
        calls = forward.__name__
        super().__init__(function, "gradients", "", calls, keys, points=points, time_axis=2)
        self.forward = forward

    def keep(self, given: Given, outcomes: dict[str, Outcome]) -> None:
        """Keep what came of a call, with the student's own cache, too, where the others fail."""
        right = self.outcomes_known.right(self.name, given)
        if not any(is_right(outcome, right) for outcome in outcomes.values()):
            found = self.with_own_cache(given.arguments)
            own = outcomes["own"]
            found = found._replace(arguments={**found.arguments, "cache": own.arguments["cache"]})
            outcomes = {**outcomes, WITH_OWN_CACHE: own if is_same(found, own) else found}
        super().keep(given, {WITH_OWN_CACHE: outcomes["own"], **outcomes})

    def with_own_cache(self, arguments: dict[str, Any]) -> Outcome:
        """Call the function with the cache of the student's own cell."""
        _, a_prev, *_, xt, parameters = arguments["cache"]
        cache = own_cache_of(self.forward, {"xt": xt, "a_prev": a_prev, "parameters": parameters})
        return run_function(self.function, {**arguments, "cache": cache}, own_cache=True)

    def rule(self, way: str) -> Finding | None:
        """Say what was put in the place of the student's own work."""
        if way == WITH_OWN_CACHE:
            fields = {"forward": self.calls}
            return Finding("Marked with the cache of your own `{forward}`.", fields)
        return super().rule(way)
