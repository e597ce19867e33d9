"""
The forward passes that the notebook on the backward pass starts from.

One product does all the work of a step: hidden state, input and a row of
ones are stacked, and so are all the weights and biases that meet them.
There are no predictions; what is kept is what the backward pass needs.
"""

import numpy as np

from rnn_utils import sigmoid


def rnn_step(xt: np.ndarray, a_prev: np.ndarray, parameters: dict) -> tuple:
    """
    Take one time step of an RNN; return its cache.

    Parameters
    ----------
    xt : ndarray, shape (n_x, m)
    a_prev : ndarray, shape (n_a, m)
    parameters : dict
        `Wax` (n_a, n_x), `Waa` (n_a, n_a), `ba` (n_a, 1); others are kept
        and not used.

    Returns
    -------
    tuple
        (a_next, a_prev, xt, parameters)
    """
    return _rnn_step(xt, a_prev, parameters, _side_by_side(parameters))


def lstm_step(
    xt: np.ndarray, a_prev: np.ndarray, c_prev: np.ndarray, parameters: dict
) -> tuple:
    """
    Take one time step of an LSTM; return its cache.

    Parameters
    ----------
    xt : ndarray, shape (n_x, m)
    a_prev, c_prev : ndarray, shape (n_a, m)
    parameters : dict
        `Wf`, `Wi`, `Wc`, `Wo` (n_a, n_a + n_x), `bf`, `bi`, `bc`, `bo`
        (n_a, 1); others are kept and not used.

    Returns
    -------
    tuple
        (a_next, c_next, a_prev, c_prev, ft, it, cct, ot, xt, parameters)
    """
    weights = _all_gates(parameters)
    return _lstm_step(xt, a_prev, c_prev, parameters, weights)


def rnn_states(
    x: np.ndarray, a0: np.ndarray, parameters: dict
) -> tuple[np.ndarray, tuple]:
    """
    Run an RNN over all time steps.

    Parameters
    ----------
    x : ndarray, shape (n_x, m, T_x)
    a0 : ndarray, shape (n_a, m)
    parameters : dict
        As for `rnn_step`.

    Returns
    -------
    a : ndarray, shape (n_a, m, T_x), hidden states
    caches : tuple
        (list with the cache of each time step, x)
    """
    weights = _side_by_side(parameters)
    steps, state = [], a0
    for xt in np.moveaxis(x, 2, 0):
        steps.append(_rnn_step(xt, state, parameters, weights))
        state = steps[-1][0]
    return np.dstack([step[0] for step in steps]), (steps, x)


def lstm_states(
    x: np.ndarray, a0: np.ndarray, parameters: dict
) -> tuple[np.ndarray, tuple]:
    """
    Run an LSTM over all time steps, from a cell state of zero.

    Parameters
    ----------
    x : ndarray, shape (n_x, m, T_x)
    a0 : ndarray, shape (n_a, m)
    parameters : dict
        As for `lstm_step`.

    Returns
    -------
    a : ndarray, shape (n_a, m, T_x), hidden states
    caches : tuple
        (list with the cache of each time step, x)
    """
    weights = _all_gates(parameters)
    steps, states = [], (a0, np.zeros_like(a0))
    for xt in np.moveaxis(x, 2, 0):
        steps.append(_lstm_step(xt, *states, parameters, weights))
        states = steps[-1][:2]
    return np.dstack([step[0] for step in steps]), (steps, x)


def _side_by_side(parameters: dict) -> np.ndarray:
    """Return Waa, Wax and ba as one matrix, (n_a, n_a + n_x + 1)."""
    return np.hstack([parameters[name] for name in ("Waa", "Wax", "ba")])


def _all_gates(parameters: dict) -> np.ndarray:
    """Return all weights and biases, (4 n_a, n_a + n_x + 1), gates first."""
    return np.vstack(
        [np.hstack((parameters["W" + g], parameters["b" + g])) for g in "fioc"]
    )


def _stack(a_prev: np.ndarray, xt: np.ndarray) -> np.ndarray:
    """Return hidden state, input and a row of ones, for the biases."""
    return np.vstack((a_prev, xt, np.ones((1, xt.shape[1]))))


def _rnn_step(
    xt: np.ndarray, a_prev: np.ndarray, parameters: dict, weights: np.ndarray
) -> tuple:
    """Return the cache of one time step."""
    return np.tanh(weights @ _stack(a_prev, xt)), a_prev, xt, parameters


def _lstm_step(
    xt: np.ndarray,
    a_prev: np.ndarray,
    c_prev: np.ndarray,
    parameters: dict,
    weights: np.ndarray,
) -> tuple:
    """Return the cache of one time step."""
    sums = weights @ _stack(a_prev, xt)
    n_a = len(a_prev)
    gates, new = sigmoid(sums[: 3 * n_a]), np.tanh(sums[3 * n_a :])
    keep, store, show = gates[:n_a], gates[n_a : 2 * n_a], gates[2 * n_a :]
    memory = keep * c_prev + store * new
    values = keep, store, new, show, xt, parameters
    return show * np.tanh(memory), memory, a_prev, c_prev, *values
