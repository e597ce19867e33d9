"""The evidence for the errata page: every number on it is computed here."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np

import rnn_utils
from grading.source import Source

Arrays = dict[str, np.ndarray]
STEP = 1e-5  # of the numeric derivatives


def measure(forward: Source) -> dict[str, str]:
    """Return the evidence by name, as texts."""
    sequence, cell = forward.function("lstm_forward"), forward.function("lstm_cell_forward")
    return {
        **softmax_evidence(),
        **sigmoid_evidence(),
        **shape_evidence(cell),
        **gradient_evidence(sequence, cell),
        **old_formula_evidence(cell),
    }


def softmax_evidence() -> dict[str, str]:
    """Compare softmax less the largest element of all with softmax less that of each column."""
    scores = np.array([[1000.0, 0.0], [999.0, 1.0]])
    with np.errstate(invalid="ignore", under="ignore"):
        e = np.exp(scores - scores.max())
        whole = e / e.sum(axis=0)
    return {"softmax_whole": text(whole, 4), "softmax": text(rnn_utils.softmax(scores), 4)}


def sigmoid_evidence() -> dict[str, str]:
    """Catch what NumPy says of the textbook's logistic function, and of ours."""
    said = {}
    textbook = {"sigmoid_old": lambda z: 1 / (1 + np.exp(-z)), "sigmoid": rnn_utils.sigmoid}
    for name, sigmoid in textbook.items():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            sigmoid(np.array([-1000.0]))
        said[name] = "; ".join(str(warning.message) for warning in caught)
    return said


def shape_evidence(cell: Callable) -> dict[str, str]:
    """Hold the documented sizes against those of one step of the cell."""
    x, a, parameters, da = old_data()
    a_next, _, yt_pred, cache = cell(x[:, :, 0], a, np.zeros_like(a), parameters)
    documented = np.zeros((5, 5 + 3))
    return {
        "cache_length": str(len(cache)),
        "bc_error": message(
            lambda: parameters["Wc"] @ np.concatenate((a, x[:, :, 0])) + documented
        ),
        "bc_shape": str(parameters["bc"].shape),
        "softmax_of_a": str(rnn_utils.softmax(a_next).shape),
        "prediction": str(yt_pred.shape),
        "dc_prev_shape": str(cache[3].shape),
        "da_error": message(lambda: da[:, :, x.shape[2] - 1]),
    }


def message(action: Callable[[], object]) -> str:
    """Return what an action raises."""
    try:
        action()
    except (IndexError, ValueError) as error:
        return f"{type(error).__name__}: {str(error).strip()}"
    raise AssertionError("nothing was raised")


def old_data() -> tuple[np.ndarray, np.ndarray, Arrays, np.ndarray]:
    """Draw the data of the published test of `lstm_backward`, in its order."""
    normal = np.random.RandomState(1).randn
    x, a0 = normal(3, 10, 7), normal(5, 10)
    parameters = {}
    for gate in "fioc":
        parameters["W" + gate] = normal(5, 5 + 3)
        parameters["b" + gate] = normal(5, 1)
    parameters |= {"Wy": np.zeros((2, 5)), "by": np.zeros((2, 1))}  # it had none
    return x, a0, parameters, normal(5, 10, 4)


def gradient_evidence(sequence: Callable, cell: Callable) -> dict[str, str]:
    """
    Differentiate the published test's loss numerically with respect to x[1, 2].

    Once through the whole sequence; once step by step, with the states of the step
    before held fixed, which is what carrying no gradient back amounts to.
    """
    x, a0, parameters, da = old_data()
    caches = sequence(x, a0, parameters)[3][0]
    whole, alone = [], []
    for t in range(da.shape[2]):

        def loss(value: float, t: int = t) -> float:
            moved = x.copy()
            moved[1, 2, t] = value
            return float((da * sequence(moved, a0, parameters)[0][:, :, : da.shape[2]]).sum())

        def loss_of_step(value: float, t: int = t) -> float:
            moved = x[:, :, t].copy()
            moved[1, 2] = value
            a_next = cell(moved, caches[t][2], caches[t][3], parameters)[0]
            return float((da[:, :, t] * a_next).sum())

        whole.append(slope(loss, x[1, 2, t]))
        alone.append(slope(loss_of_step, x[1, 2, t]))
    return {"dx": text(np.array(whole), 8), "dx_alone": text(np.array(alone), 8)}


def old_formula_evidence(cell: Callable) -> dict[str, str]:
    """Hold the old gradients of candidate, input gate and forget gate against numeric ones."""
    x, a_prev, parameters, da = old_data()
    c_prev = a_prev[::-1]  # any state that is not zero
    da_next, dc_next = da[:, :, 0], da[:, :, 1]
    _, c, _, _, ft, it, cct, ot, _, _ = cell(x[:, :, 0], a_prev, c_prev, parameters)[3]
    bend = ot * (1 - np.tanh(c) ** 2)
    old = {
        "bc": dc_next * it + bend * it * da_next * cct * (1 - np.tanh(cct) ** 2),
        "bi": dc_next * cct + bend * cct * da_next * it * (1 - it),
        "bf": dc_next * c_prev + bend * c_prev * da_next * ft * (1 - ft),
    }
    found = {}
    for name, per_example in old.items():
        true = []
        for row in range(5):

            def loss(value: float, name: str = name, row: int = row) -> float:
                moved = parameters[name].copy()
                moved[row] = value
                changed = {**parameters, name: moved}
                a_next, c_next, *_ = cell(x[:, :, 0], a_prev, c_prev, changed)
                return float((da_next * a_next + dc_next * c_next).sum())

            true.append(slope(loss, parameters[name][row, 0]))
        found[f"old_{name}"] = text(per_example.sum(axis=1)[:3], 4)
        found[f"true_{name}"] = text(np.array(true)[:3], 4)
    return found


def slope(function: Callable[[float], float], at: float) -> float:
    """Return the numeric derivative, from one step on either side."""
    return (function(at + STEP) - function(at - STEP)) / (2 * STEP)


def text(values: np.ndarray, decimals: int) -> str:
    """Return an array as NumPy prints it, on one line."""
    with np.printoptions(precision=decimals, suppress=True, floatmode="fixed"):
        return " ".join(str(values).split())
