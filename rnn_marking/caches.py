"""The caches that a student's own functions return."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from grading.testing import copy_value


def own_cache_of(forward: Callable, arguments: dict[str, Any]) -> Any:
    """Return the cache of a student's forward function, None where it returns none."""
    try:
        values = keeping_last(forward)(*copy_value(arguments).values())
    except Exception:  # that costs points in its own test
        return None
    return values[-1] if type(values) in (list, tuple) and values else None


def keeping_last(function: Callable) -> Callable:
    """Return a function of a student's whose last value stays in the student's room."""
    return function.keeping_last() if hasattr(function, "keeping_last") else function
