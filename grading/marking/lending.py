"""A right function lent to the student's, in the place of an earlier one of their own."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np


def of_like_size(function: Callable, arguments: dict[str, Any]) -> Callable:
    """
    Return the function for arguments of about the size of the test's own.

    A lent function runs where the tests do, with what student code passes to it: a
    product of a long column and a long row would take all memory.
    """
    most = 4 * largest(arguments)

    @functools.wraps(function)
    def lent(*given: object) -> Any:
        if largest(given) > most:
            raise ValueError(f"{function.__name__} is given far more than the test holds")
        return function(*given)

    return lent


def largest(value: object) -> float:
    """Return the largest size of all arrays, axis by axis, and containers in a value."""
    if isinstance(value, np.ndarray):
        return max(value.shape, default=1) if value.ndim <= 3 else math.inf
    if isinstance(value, (dict, list, tuple)):
        items = value.values() if isinstance(value, dict) else value
        return max(1, len(value), *map(largest, items))
    return 1


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
