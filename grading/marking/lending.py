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
    most = 4 * max(sizes(arguments))

    @functools.wraps(function)
    def lent(*given: object) -> Any:
        if max(sizes(given)) > most:
            raise ValueError(f"{function.__name__} is given far more than the test holds")
        return function(*given)

    return lent


def sizes(value: object) -> Iterator[float]:
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
