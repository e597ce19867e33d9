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
    arrays = dict(arguments)
    for value in arguments.values():
        if isinstance(value, dict):
            arrays |= value
    return {
        f"d{name}": numeric_gradient(lambda: loss(**arguments), arrays[name])
        for name in names.split(", ")
    }
