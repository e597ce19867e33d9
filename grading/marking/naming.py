"""What the solution and its known mistakes return in the tests: worked out once per process."""

from __future__ import annotations

import functools
import hashlib
import pickle
from typing import Any

from grading.checks import Outcome, flatten, run_function
from grading.source.assignment import Solution
from grading.source.mistakes import Version

MOST_KEPT = 2000  # outcomes


class Given:
    """Arguments of a call, as a key: equal where all their values are."""

    def __init__(self, arguments: dict[str, Any], own_cache: bool = False) -> None:
        self.arguments = arguments
        self.own_cache = own_cache  # as in `FunctionTest`
        self.digest = hashlib.sha256(pickle.dumps((arguments, own_cache))).digest()

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Given) and self.digest == other.digest


@functools.lru_cache(MOST_KEPT)
def right_outcome(solution: Solution, name: str, given: Given) -> Outcome:
    """Return what the solution's function of this name makes of the arguments."""
    return run_function(solution.function(name), given.arguments, given.own_cache)


@functools.lru_cache(MOST_KEPT)
def flat_outcomes(
    solution: Solution, version: Version, calls: tuple[Given, ...]
) -> tuple[tuple, ...]:
    """Return what one version of a function makes of a test's calls, in order, flattened."""
    function = version.build(solution)  # anew: it may remember what it was called with
    return tuple(flatten(run_function(function, each.arguments, each.own_cache)) for each in calls)
