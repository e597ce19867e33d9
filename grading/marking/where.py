"""Where an array is wrong: a picture for the feedback, without a number of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from grading import checks
from grading.checks import find_wrong
from grading.marking.compare import check_value
from grading.outcomes import Outcome

NO_OUTCOME = Outcome(None, {}, None, None)


def where_wrong(
    actual: Any, expected: Any, cache: list[str], m: int, time_axis: int
) -> dict[str, Any]:
    """
    Say where a value is wrong; never by how much, nor what is right.

    Parameters
    ----------
    actual, expected : Any
    cache : list of str
        The names of the entries of the cache of one time step.
    m : int
        The number of examples.
    time_axis : int
        Of arrays of three axes: 2, where examples are axis 1, or 1, where they are axis 0.

    Returns
    -------
    dict
        `wrong`: one text of 0 and 1 per row; `row` and `column`: what they are. Of an array
        of three axes, units by time steps; of `caches`, the entries `names` by time steps.
        Empty where nothing of this kind is wrong, and where all is.
    """
    about: dict[str, Any] = {"row": "unit", "column": "time step"}
    if isinstance(expected, tuple) and isinstance(expected[0], list):
        about = {"row": "entry", "column": "time step", "names": cache}
        steps = list(zip(actual[0], expected[0], strict=True))
        entries = range(len(cache))
        wrong = np.array([[is_wrong(a[n], e[n]) for a, e in steps] for n in entries])
    elif isinstance(expected, np.ndarray) and actual.shape == expected.shape:
        wrong = checks.where_wrong(actual, expected)
        if wrong.ndim == 3:
            wrong = np.asarray(wrong.any(axis=time_axis - 1))
        elif wrong.shape[time_axis - 1] == m:
            about["column"] = "example"
        else:
            about = {"row": "row", "column": "column"}
        if time_axis == 1 and about["row"] == "unit":
            wrong = wrong.T
    else:
        return {}
    rows = ["".join(map(str, row)) for row in wrong.astype(int)]
    tells = wrong.any() and not wrong.all()
    return {**about, "wrong": rows} if tells else {}


def is_wrong(actual: object, expected: object) -> bool:
    """Tell whether a value, or anything that it holds, is wrong."""
    return bool(find_wrong(lambda outcome: check_value("", actual, expected), NO_OUTCOME))
