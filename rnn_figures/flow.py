"""
How large a gradient is after so many steps back: the numbers behind a figure of notebook 1.

The networks are untrained: parameters as `rnn_utils` draws them, inputs of little noise.
"""

import numpy as np

from rnn_utils import initialize_lstm_parameters, initialize_rnn_parameters, sigmoid

N_X, N_A, STEPS, NOISE, SEED = 3, 32, 40, 0.15, 0
SCALES = (0.7, 1.0, 1.4)
FORGET_BIASES = (0, 1, 3)


def rnn_norms(scale: float) -> list[float]:
    """
    Return the gradient's norm after 0, 1, ..., STEPS steps back through an RNN.

    Parameters
    ----------
    scale : float
        What the orthogonal recurrent weights `Waa` are multiplied with.
    """
    rng = np.random.default_rng(SEED)
    p = initialize_rnn_parameters(N_X, N_A, 2, rng)
    Waa, a, states = scale * p["Waa"], np.zeros((N_A, 1)), []
    for _ in range(STEPS):
        a = np.tanh(Waa @ a + p["Wax"] @ (NOISE * rng.normal(size=(N_X, 1))))
        states.append(a)
    da = unit_vector(rng)
    norms = [1.0]
    for a in reversed(states):
        da = Waa.T @ ((1 - a**2) * da)
        norms.append(float(np.linalg.norm(da)))
    return norms


def lstm_norms(forget_bias: float) -> list[float]:
    """
    Return the norm of the gradient of both states after 0, 1, ..., STEPS steps back.

    The gradient starts at the last cell state.

    Parameters
    ----------
    forget_bias : float
        All elements of `bf`.
    """
    rng = np.random.default_rng(SEED)
    p = initialize_lstm_parameters(N_X, N_A, 2, rng)
    p["bf"][:] = forget_bias
    a = c = np.zeros((N_A, 1))
    steps = []
    for _ in range(STEPS):
        both = np.vstack((a, NOISE * rng.normal(size=(N_X, 1))))
        f, i, o = (sigmoid(p[f"W{gate}"] @ both + p[f"b{gate}"]) for gate in "fio")
        candidate = np.tanh(p["Wc"] @ both + p["bc"])
        before, c = c, f * c + i * candidate
        a = o * np.tanh(c)
        steps.append((f, i, candidate, o, before, c))
    da, dc = np.zeros((N_A, 1)), unit_vector(rng)
    norms = [1.0]
    for step in reversed(steps):
        da, dc = lstm_step_back(p, da, dc, *step)
        norms.append(float(np.linalg.norm((da, dc))))
    return norms


def lstm_step_back(
    p: dict[str, np.ndarray],
    da: np.ndarray,
    dc: np.ndarray,
    f: np.ndarray,
    i: np.ndarray,
    candidate: np.ndarray,
    o: np.ndarray,
    before: np.ndarray,
    c: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Take the gradients of hidden state and cell state one step back."""
    shown = np.tanh(c)
    dc = dc + da * o * (1 - shown**2)
    sums = {
        "f": dc * before * f * (1 - f),
        "i": dc * candidate * i * (1 - i),
        "c": dc * i * (1 - candidate**2),
        "o": da * shown * o * (1 - o),
    }
    da = sum(p[f"W{gate}"][:, :N_A].T @ dz for gate, dz in sums.items())
    return da, dc * f


def unit_vector(rng: np.random.Generator) -> np.ndarray:
    """Draw a direction: a gradient of norm 1."""
    direction = rng.normal(size=(N_A, 1))
    return direction / np.linalg.norm(direction)
