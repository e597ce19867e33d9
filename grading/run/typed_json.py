"""Whether data read from a file is of the types that its dataclass names."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints

Fits = Callable[[Any], bool]


@functools.cache
def fits(kind: object) -> Fits:
    """Return the function that tells whether a value is of a type, in all its parts."""
    parts = get_args(kind)
    if kind is Any:
        return lambda value: True
    if kind is float:
        return is_number
    if get_origin(kind) in (Union, types.UnionType):
        return one_of(*map(fits, parts))
    if get_origin(kind) is list:
        return list_of(fits(parts[0]))
    if get_origin(kind) is dict:
        return dict_of(*map(fits, parts))
    return (
        instance_of(kind)
        if isinstance(kind, type) and is_dataclass(kind)
        else lambda value: type(value) is kind
    )


def is_number(value: Any) -> bool:
    """Tell whether a value is a number as JSON has them, and finite."""
    return type(value) in (int, float) and abs(value) < float("inf")


def one_of(*tests: Fits) -> Fits:
    """Return the test of a union."""
    return lambda value: any(test(value) for test in tests)


def list_of(test: Fits) -> Fits:
    """Return the test of a list."""
    return lambda value: type(value) is list and all(map(test, value))


def dict_of(key: Fits, item: Fits) -> Fits:
    """Return the test of a dict."""
    return lambda value: (
        type(value) is dict and all(map(key, value)) and all(map(item, value.values()))
    )


def instance_of(kind: type) -> Fits:
    """Return the test of a dataclass and of its fields."""
    hints = get_type_hints(kind)
    tests = [(field.name, fits(hints[field.name])) for field in fields(kind)]
    return lambda value: (
        type(value) is kind and all(test(getattr(value, name)) for name, test in tests)
    )
