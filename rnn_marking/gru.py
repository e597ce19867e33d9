"""The step of a GRU that the test of its backward pass starts from."""

import numpy as np

from rnn_utils import sigmoid


def gru_step(xt: np.ndarray, a_prev: np.ndarray, parameters: dict) -> tuple:
    """
    Take one time step of a GRU whose reset gate acts before the product; return its cache.

    Each array may have axes in front of these: then it is a step of as many networks.

    Parameters
    ----------
    xt : ndarray, shape (n_x, m)
    a_prev : ndarray, shape (n_a, m)
    parameters : dict
        `Wr`, `Wu`, `Wa` (n_a, n_a + n_x), `br`, `bu`, `ba` (n_a, 1).

    Returns
    -------
    tuple
        (a_next, a_prev, rt, ut, aat, xt, parameters)
    """
    n_a = a_prev.shape[-2]
    of_input = {k: parameters["W" + k][..., n_a:] @ xt + parameters["b" + k] for k in "rua"}
    recurrent = {k: parameters["W" + k][..., :n_a] for k in "rua"}
    rt, ut = (sigmoid(of_input[k] + recurrent[k] @ a_prev) for k in "ru")
    aat = np.tanh(of_input["a"] + recurrent["a"] @ (rt * a_prev))
    return a_prev + ut * (aat - a_prev), a_prev, rt, ut, aat, xt, parameters
