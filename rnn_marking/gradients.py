"""Numeric derivatives, for the hidden tests of backward functions."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from grading.testing import copy_value
from rnn_utils import numeric_gradient


class Case:
    """
    A seeded case of a backward function. Cases are kept, so nothing in them may be changed.

    Parameters
    ----------
    arguments : dict
        What the function is called with.
    differentiate : callable
        Returns the gradients that it should return, by numeric derivatives.
    """

    def __init__(
        self, arguments: dict[str, Any], differentiate: Callable[[], dict[str, np.ndarray]]
    ) -> None:
        self.arguments = arguments
        self._differentiate = differentiate

    @functools.cached_property
    def numeric(self) -> dict[str, np.ndarray]:
        """The numeric derivatives by name, computed when they are first asked for."""
        return self._differentiate()


def numeric_gradients(
    loss: Callable[..., float], arguments: dict[str, Any], names: str
) -> dict[str, np.ndarray]:
    """
    Return the derivatives of `loss(**arguments)` by way of differences.

    Parameters
    ----------
    loss : callable
        Runs the forward pass and returns one number.
    arguments : dict
        Arrays, and dicts of arrays (the parameters). They are left as they are.
    names : str
        With respect to what: names of arrays in `arguments`, or in a dict in it.

    Returns
    -------
    dict of ndarray
        "dxt" for "xt" and so on.
    """
    arguments = copy_value(arguments)
    arrays = arrays_in(arguments)
    return {
        f"d{name}": numeric_gradient(lambda: loss(**arguments), arrays[name])
        for name in names.split(", ")
    }


def numeric_gradients_at_once(
    losses: Callable[..., np.ndarray], arguments: dict[str, Any], names: str, h: float = 1e-5
) -> dict[str, np.ndarray]:
    """
    Return the same as `numeric_gradients`, in a tenth of the time.

    Parameters
    ----------
    losses : callable
        Takes, in the place of an array, many of them along an axis in front, and returns the
        loss for each.
    arguments, names
        As in `numeric_gradients`.
    h : float
        The step of the central difference.
    """
    gradients, arrays = {}, arrays_in(arguments)
    for name in names.split(", "):
        array = arrays[name]
        steps = h * np.eye(array.size).reshape(-1, *array.shape)
        above, below = (
            losses(**instead(arguments, name, array + sign * steps)) for sign in (1, -1)
        )
        gradients[f"d{name}"] = ((above - below) / (2 * h)).reshape(array.shape)
    return gradients


def arrays_in(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments by name, and with them what stands in those that are dicts."""
    arrays = dict(arguments)
    for value in arguments.values():
        arrays |= value if isinstance(value, dict) else {}
    return arrays


def instead(arguments: dict[str, Any], name: str, array: np.ndarray) -> dict[str, Any]:
    """Return the arguments with another array of this name, in them or in a dict in them."""
    if name in arguments:
        return {**arguments, name: array}
    return {
        key: {**value, name: array} if isinstance(value, dict) and name in value else value
        for key, value in arguments.items()
    }
