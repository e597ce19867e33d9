"""
Losses of many networks at a time, for their numeric derivatives.

Each array may have one more axis, in front: so many networks are run, which are alike in all
else. A loss is then one number for each.
"""

from __future__ import annotations

import numpy as np

from rnn_utils import sigmoid


def weighted(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the sum of weights times values, both (n_a, m): one number for each network."""
    return np.sum(weights * values, axis=(-2, -1))


def rnn_loss(x: np.ndarray, a0: np.ndarray, parameters: dict, da: np.ndarray) -> np.ndarray:
    """
    Return the loss of an RNN whose gradients with respect to its hidden states are `da`.

    Parameters
    ----------
    x : ndarray, shape (n_x, m, T_x)
    a0 : ndarray, shape (n_a, m)
    parameters : dict
        `Wax` (n_a, n_x), `Waa` (n_a, n_a), `ba` (n_a, 1).
    da : ndarray, shape (n_a, m, steps)
    """
    a, loss = a0, np.zeros(())
    for t in range(da.shape[-1]):
        of_input = parameters["Wax"] @ x[..., t]
        a = np.tanh(of_input + parameters["Waa"] @ a + parameters["ba"])
        loss = loss + weighted(da[..., t], a)
    return loss


def lstm_loss(
    x: np.ndarray,
    a0: np.ndarray,
    c0: np.ndarray,
    parameters: dict,
    da: np.ndarray,
    dc: np.ndarray | None = None,
) -> np.ndarray:
    """
    Return the loss of an LSTM whose gradients with respect to its hidden states are `da`.

    Parameters
    ----------
    x : ndarray, shape (n_x, m, T_x)
    a0, c0 : ndarray, shape (n_a, m)
    parameters : dict
        `Wf`, `Wi`, `Wc`, `Wo` (n_a, n_a + n_x), `bf`, `bi`, `bc`, `bo` (n_a, 1).
    da : ndarray, shape (n_a, m, steps)
    dc : ndarray, shape (n_a, m), optional
        The gradient with respect to the last cell state.
    """
    a, c, loss, n_a = a0, c0, np.zeros(()), a0.shape[-2]
    recurrent = {gate: parameters["W" + gate][..., :n_a] for gate in "fico"}
    of_input = {gate: parameters["W" + gate][..., n_a:] for gate in "fico"}
    for t in range(da.shape[-1]):
        sums = {
            gate: recurrent[gate] @ a + of_input[gate] @ x[..., t] + parameters["b" + gate]
            for gate in "fico"
        }
        c = sigmoid(sums["f"]) * c + sigmoid(sums["i"]) * np.tanh(sums["c"])
        a = sigmoid(sums["o"]) * np.tanh(c)
        loss = loss + weighted(da[..., t], a)
    return loss if dc is None else loss + weighted(dc, c)
