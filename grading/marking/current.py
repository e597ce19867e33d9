"""What the test at hand belongs to: a run of tests, and its set of hidden data."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from grading.marking.naming import Outcomes
from grading.marking.result import TestResult
from grading.source import course_root, read_source


class Marking(NamedTuple):
    """What the tests of a run share: what is right, and where their results go."""

    outcomes: Outcomes
    results: list[TestResult]
    in_jupyter: bool = False  # an author runs a notebook


_marking: ContextVar[Marking] = ContextVar("marking")


@contextmanager
def marking(outcomes: Outcomes) -> Iterator[list[TestResult]]:
    """Let tests in the block compare with these outcomes; yield the list of their results."""
    token = _marking.set(Marking(outcomes, []))
    try:
        with outcomes.source.importing():
            yield _marking.get().results
    finally:
        _marking.reset(token)


def current_marking() -> Marking:
    """Return what the test at hand belongs to; of its own, where an author runs a notebook."""
    found = _marking.get(None)
    if found is not None:
        return found
    folder = Path.cwd()  # a notebook that is open in Jupyter runs in its assignment's folder
    return Marking(Outcomes(read_source(folder.name, course_root(folder))), [], in_jupyter=True)


def hidden_rng(seed: int, *more: int) -> np.random.Generator:
    """Return the random numbers for a seed, in the set of hidden data at hand."""
    found = _marking.get(None)
    return np.random.default_rng([seed, *more, *(found.outcomes.data.entropy if found else ())])


def once_per_set(work: Callable[..., Any]) -> Callable[..., Any]:
    """Let a function of seeds and sizes be worked out once for each set of hidden data."""

    @functools.wraps(work)
    def known(*numbers: float, **given: float) -> Any:
        found = _marking.get(None)
        if found is None:
            return work(*numbers, **given)
        key = (work.__qualname__, *numbers, *sorted(given.items()))
        return found.outcomes.once(key, lambda: work(*numbers, **given))

    return known
