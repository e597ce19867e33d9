"""
Values of which a part cannot cross: the part stays where it is, and a reference stands for it.

A folded value is plain data: ("value", v) for what can cross as it is; ("list", [...]),
("tuple", [...]) and ("dict", {key: ...}) of folded values; ("set", {item: None}),
("frozenset", ...), ("range", (start, stop, step)), and a text for each of `AS_TEXT`; and
references, whose first word is none of these.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from . import wire

Folded = tuple
SETS = {"set": set, "frozenset": frozenset}
MOST_IN_RANGE = 1_000_000
CONTAINERS = {"list": list, "tuple": tuple}
MOST_TEXT = 200  # characters


def seconds_of(text: str) -> timedelta:
    """Return the time difference of so many microseconds."""
    return timedelta(microseconds=int(text))


# Values of Python's that are told as a text: how it is written, and how it is read.
AS_TEXT: dict[type, tuple[Callable[[Any], str], Callable[[str], Any]]] = {
    date: (date.isoformat, date.fromisoformat),
    datetime: (datetime.isoformat, datetime.fromisoformat),
    time: (time.isoformat, time.fromisoformat),
    timedelta: (lambda value: str(value // timedelta(microseconds=1)), seconds_of),
    Decimal: (str, Decimal),
    Fraction: (str, lambda text: Fraction(*map(int, text.split("/")))),  # "1e9" is none
}
NAMED = {kind.__name__: kind for kind in AS_TEXT}


def fold(value: Any, refer: Callable[[Any], Folded], bounds: wire.Bounds, depth: int = 0) -> Folded:
    """
    Fold a value.

    Parameters
    ----------
    value : object
    refer : callable
        Returns the reference to a value that stays here.
    bounds : wire.Bounds
    depth : int
        In how many containers it lies.
    """
    kind = type(value)
    if is_own(kind) or depth > bounds.depth // 3:
        return refer(value)
    if kind in AS_TEXT:
        text = AS_TEXT[kind][0](value)
        return (kind.__name__, text) if len(text) <= MOST_TEXT else refer(value)
    if kind in (set, frozenset):
        items = {item.item() if isinstance(item, np.generic) else item: None for item in value}
        made: Folded = (kind.__name__, items)
    elif kind is range and len_of(value) <= MOST_IN_RANGE:
        made = ("range", (value.start, value.stop, value.step))
    else:
        made = ("value", value)
    try:
        wire.encode(made, bounds)
        return made
    except wire.UnsupportedType:
        pass
    if kind in (list, tuple) and len(value) <= bounds.items:
        return kind.__name__, [fold(item, refer, bounds, depth + 1) for item in value]
    if kind is dict and can_be_keys(value, bounds):
        return "dict", {key: fold(item, refer, bounds, depth + 1) for key, item in value.items()}
    return refer(value)


def len_of(numbers: range) -> int:
    """Return the length of a range of any length."""
    return max(0, -((numbers.start - numbers.stop) // numbers.step))


def is_own(kind: type) -> bool:
    """Tell whether a type is a student's own version of one of Python's."""
    return kind.__module__ == "__main__"


def can_be_keys(keys: dict[Any, Any], bounds: wire.Bounds) -> bool:
    """Tell whether these can be the keys of a dict that crosses."""
    try:
        wire.encode(dict.fromkeys(keys), bounds)
    except wire.UnsupportedType:
        return False
    return True


def unfold(folded: object, resolve: Callable[[Folded], Any]) -> Any:
    """
    Return the value that was folded.

    Parameters
    ----------
    folded : tuple
    resolve : callable
        Returns what a reference stands for.

    Raises
    ------
    ValueError
        Where it is not of the right form.
    """
    if type(folded) is not tuple or not folded or type(folded[0]) is not str:
        raise ValueError
    kind, *parts = folded
    form = {"value": object, "list": list, "tuple": list, "dict": dict, "range": tuple}
    form |= dict.fromkeys(NAMED, str)
    if kind in SETS or kind in form:
        (part,) = parts
        if not isinstance(part, form.get(kind, dict)):
            raise ValueError
    if kind == "value":
        return part
    if kind in CONTAINERS:
        return CONTAINERS[kind](unfold(item, resolve) for item in part)
    if kind == "dict":
        return {key: unfold(item, resolve) for key, item in part.items()}
    if kind in NAMED:
        if len(part) > MOST_TEXT:
            raise ValueError
        return AS_TEXT[NAMED[kind]][1](part)
    if kind in SETS:
        return SETS[kind](part)
    if kind == "range":
        if not all(type(number) is int for number in part):
            raise ValueError
        made = range(*part)
        if len_of(made) > MOST_IN_RANGE:
            raise ValueError
        return made
    return resolve(folded)
