"""
Seeded arguments for the hidden tests.

Values stay moderate, so that no gate is saturated: a saturated gate lets a
wrong formula through.
"""

from __future__ import annotations

import numpy as np


def normal(rng: np.random.Generator, **shapes: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Return one array of normal numbers, standard deviation 0.6, per name and shape."""
    return {name: 0.6 * rng.standard_normal(shape) for name, shape in shapes.items()}


def rnn_parameters(rng: np.random.Generator, n_x: int, n_a: int, n_y: int) -> dict[str, np.ndarray]:
    """Return parameters of an RNN: Wax, Waa, Wya, ba, by."""
    return normal(rng, Wax=(n_a, n_x), Waa=(n_a, n_a), Wya=(n_y, n_a), ba=(n_a, 1), by=(n_y, 1))


def lstm_parameters(
    rng: np.random.Generator, n_x: int, n_a: int, n_y: int
) -> dict[str, np.ndarray]:
    """Return parameters of an LSTM: Wf, bf, Wi, bi, Wc, bc, Wo, bo, Wy, by."""
    gates: dict[str, tuple[int, ...]] = {}
    for gate in "fico":
        gates |= {f"W{gate}": (n_a, n_a + n_x), f"b{gate}": (n_a, 1)}
    return normal(rng, **gates, Wy=(n_y, n_a), by=(n_y, 1))


def rnn_cell_inputs(seed: int, n_x: int, n_a: int, n_y: int, m: int) -> dict:
    """Return arguments of `rnn_cell_forward`: xt (n_x, m), a_prev (n_a, m), parameters."""
    rng = np.random.default_rng(seed)
    arrays = normal(rng, xt=(n_x, m), a_prev=(n_a, m))
    return {**arrays, "parameters": rnn_parameters(rng, n_x, n_a, n_y)}


def rnn_inputs(seed: int, n_x: int, n_a: int, n_y: int, m: int, T_x: int) -> dict:
    """Return arguments of `rnn_forward`: x (n_x, m, T_x), a0 (n_a, m), parameters."""
    rng = np.random.default_rng(seed)
    arrays = normal(rng, x=(n_x, m, T_x), a0=(n_a, m))
    return {**arrays, "parameters": rnn_parameters(rng, n_x, n_a, n_y)}


def lstm_cell_inputs(seed: int, n_x: int, n_a: int, n_y: int, m: int) -> dict:
    """Return arguments of `lstm_cell_forward`: xt, a_prev, c_prev (n_a, m), parameters."""
    rng = np.random.default_rng(seed)
    arrays = normal(rng, xt=(n_x, m), a_prev=(n_a, m), c_prev=(n_a, m))
    return {**arrays, "parameters": lstm_parameters(rng, n_x, n_a, n_y)}


def lstm_inputs(seed: int, n_x: int, n_a: int, n_y: int, m: int, T_x: int) -> dict:
    """Return arguments of `lstm_forward`: x (n_x, m, T_x), a0 (n_a, m), parameters."""
    rng = np.random.default_rng(seed)
    arrays = normal(rng, x=(n_x, m, T_x), a0=(n_a, m))
    return {**arrays, "parameters": lstm_parameters(rng, n_x, n_a, n_y)}
