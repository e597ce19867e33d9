"""A value held against the right one, with all that it holds: caches, arrays of time steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from grading.checks import check_array, check_length, check_plain, check_shape, precision
from grading.findings import NOTHING, Finding
from grading.outcomes import Wrong, a_type, same_value

GRADIENT_ERROR = 1e-7  # as a share of a gradient's norm
SMALLEST_NORM = 1e-3  # a smaller one counts as this, so that a gradient may be zero


def check_value(
    path: str,
    actual: object,
    expected: object,
    cache: list[str] | tuple = (),
    time_axis: int | None = None,
) -> None:
    """
    Raise Wrong where a value, or anything that it holds, differs.

    `cache` names the entries of a cache, so that the wrong ones can be named.
    """
    if isinstance(expected, np.ndarray):
        check_array(path, actual, expected, lambda wrong: wrong_steps(wrong, time_axis))
    elif isinstance(expected, (dict, list, tuple)):
        if not isinstance(expected, dict) and isinstance(actual, np.ndarray) and actual.ndim:
            actual = list(actual)  # another type, and that is charged once, as a type
        check_container(path, actual, expected)
        check_entries(path, actual, expected, cache, time_axis)
    else:
        check_plain(path, actual, expected)


def in_array(actual: object, shape: tuple[int, ...]) -> object:
    """Return numbers in lists as the array of this shape: another type is charged as a type."""
    if not isinstance(actual, (list, tuple)):
        return actual
    try:
        array = np.array(actual)
    except ValueError:  # rows of several lengths
        return actual
    return array if array.shape == shape and array.dtype.kind in "biuf" else actual


def as_left(expected: Any, actual: Any, changed: list[tuple[Any, Any]]) -> Any:
    """Return the right cache, with arguments as a call has left them where the actual one is so."""
    if any(same_value(expected, old) and same_value(actual, new) for old, new in changed):
        return actual
    kinds = (list, tuple)
    if not isinstance(expected, kinds) or not isinstance(actual, kinds):
        return expected
    if len(expected) != len(actual):
        return expected
    pairs = zip(expected, actual, strict=True)
    return type(expected)([as_left(*pair, changed) for pair in pairs])


def changed_in(pairs: list[tuple[Any, Any]], time_axis: int | None) -> list[tuple[Any, Any]]:
    """
    Return which arguments a call has changed, each as it was and as it is left.

    With them stand their views along time, which caches hold: each step, and all backwards.
    """
    changed = [pair for pair in pairs if not same_value(*pair)]
    for old, new in list(changed):
        if time_axis is None or np.ndim(old) < 3 or np.shape(new) != np.shape(old):
            continue
        ways = [np.moveaxis(each, time_axis, 0) for each in (old, new)]
        changed += zip(*ways, strict=True)
        changed.append((np.flip(old, time_axis), np.flip(new, time_axis)))
    return changed


def check_container(path: str, actual: Any, expected: Any) -> None:
    """Raise Wrong where another container stands, or another size."""
    kinds = dict if isinstance(expected, dict) else (list, tuple)
    if not isinstance(actual, kinds):
        raise Wrong(
            "`{label}` is {kind}, not {expected}",
            label=path, kind=a_type(actual), expected=a_type(expected),
        )  # fmt: skip
    if kinds is dict and set(expected) - set(actual):
        keys = sorted(set(expected) - set(actual))
        raise Wrong("`{label}` lacks {keys}", label=path, keys=keys)
    check_length(path, actual, len(expected))


def check_entries(
    path: str, actual: Any, expected: Any, cache: list[str] | tuple, time_axis: int | None
) -> None:
    """Raise Wrong where entries of a container differ."""
    wrong = {}
    keys = expected if isinstance(expected, dict) else range(len(expected))
    for key in keys:
        try:
            check_value(f"{path}[{key!r}]", actual[key], expected[key], cache, time_axis)
        except Wrong as error:
            wrong[key] = error.finding
    if not wrong:
        return
    first, found = next(iter(wrong.items()))
    if isinstance(expected, list) and time_axis is not None:
        raise Wrong("{found}, first at time step t = {t}", found=found, t=first)
    if not isinstance(expected, tuple) or len(expected) != len(cache):
        raise Wrong(found.message, **found.fields)
    names = [f"`{cache[entry]}`" for entry in wrong]
    if len(wrong) == 1:
        raise Wrong("the entry {names}: {found}", names=names, found=found)
    raise Wrong("`{label}` is wrong in the entries {names}", label=path, names=names)


def wrong_steps(wrong: np.ndarray, time_axis: int | None) -> Finding:
    """Say at which time steps an array of three axes is wrong."""
    if time_axis is None or wrong.ndim < 3 or wrong.shape[time_axis] == 1:
        return NOTHING
    others = tuple(axis for axis in range(3) if axis != time_axis)
    steps = np.flatnonzero(wrong.any(axis=others))
    first, last = int(steps[0]), wrong.shape[time_axis] - 1
    if len(steps) == last + 1:
        return Finding(", at every time step", {})
    if len(steps) == last + 1 - first:
        return Finding(", from time step t = {t} on", {"t": first})
    return Finding(", at time steps t = {t}", {"t": list(map(str, steps))})


def check_gradient(label: str, actual: object, numeric: np.ndarray) -> None:
    """Raise Wrong where a gradient is not what numeric derivatives say."""
    actual = in_array(actual, numeric.shape)
    check_shape(label, actual, numeric.shape)
    size = max(float(np.linalg.norm(numeric)), SMALLEST_NORM)
    error = float(np.linalg.norm(actual - numeric) / size)
    if not error <= GRADIENT_ERROR * precision(actual):  # NaN included
        raise Wrong(
            "`{label}` is not the numeric derivative; the relative error is {error}",
            label=label,
            error=f"{error:.2g}",
        )
