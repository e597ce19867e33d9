"""
Seeded arguments for the hidden tests, and with them numeric derivatives for the backward ones.

Values stay moderate, so that no gate is saturated: a saturated gate lets a
wrong formula through. What a set of hidden data gives is kept, so nothing in it may be changed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from grading.testing import hidden_rng, once_per_set
from rnn_forward_passes import lstm_states, lstm_step, rnn_states, rnn_step
from rnn_marking.gradients import Case, numeric_gradients_at_once
from rnn_marking.gru import gru_step
from rnn_marking.losses import lstm_loss, rnn_loss, weighted

RNN_WEIGHTS = "Wax, Waa, ba"
LSTM_WEIGHTS = "Wf, bf, Wi, bi, Wc, bc, Wo, bo"
GRU_WEIGHTS = "Wr, br, Wu, bu, Wa, ba"


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


def gru_parameters(rng: np.random.Generator, n_x: int, n_a: int) -> dict[str, np.ndarray]:
    """Return parameters of a GRU: Wr, br, Wu, bu, Wa, ba."""
    gates: dict[str, tuple[int, ...]] = {}
    for gate in "rua":
        gates |= {f"W{gate}": (n_a, n_a + n_x), f"b{gate}": (n_a, 1)}
    return normal(rng, **gates)


@once_per_set
def rnn_cell_inputs(seed: int, n_x: int, n_a: int, n_y: int, m: int) -> dict:
    """Return arguments of `rnn_cell_forward`: xt (n_x, m), a_prev (n_a, m), parameters."""
    rng = hidden_rng(seed)
    arrays = normal(rng, xt=(n_x, m), a_prev=(n_a, m))
    return {**arrays, "parameters": rnn_parameters(rng, n_x, n_a, n_y)}


@once_per_set
def rnn_inputs(seed: int, n_x: int, n_a: int, n_y: int, m: int, T_x: int) -> dict:
    """Return arguments of `rnn_forward`: x (n_x, m, T_x), a0 (n_a, m), parameters."""
    rng = hidden_rng(seed)
    arrays = normal(rng, x=(n_x, m, T_x), a0=(n_a, m))
    return {**arrays, "parameters": rnn_parameters(rng, n_x, n_a, n_y)}


@once_per_set
def lstm_cell_inputs(seed: int, n_x: int, n_a: int, n_y: int, m: int) -> dict:
    """Return arguments of `lstm_cell_forward`: xt, a_prev, c_prev (n_a, m), parameters."""
    rng = hidden_rng(seed)
    arrays = normal(rng, xt=(n_x, m), a_prev=(n_a, m), c_prev=(n_a, m))
    return {**arrays, "parameters": lstm_parameters(rng, n_x, n_a, n_y)}


@once_per_set
def lstm_inputs(seed: int, n_x: int, n_a: int, n_y: int, m: int, T_x: int) -> dict:
    """Return arguments of `lstm_forward`: x (n_x, m, T_x), a0 (n_a, m), parameters."""
    rng = hidden_rng(seed)
    arrays = normal(rng, x=(n_x, m, T_x), a0=(n_a, m))
    return {**arrays, "parameters": lstm_parameters(rng, n_x, n_a, n_y)}


@once_per_set
def gru_cell_inputs(seed: int, n_x: int, n_a: int, m: int) -> dict:
    """Return arguments of `gru_cell_forward`: xt (n_x, m), a_prev (n_a, m), parameters."""
    rng = hidden_rng(seed)
    arrays = normal(rng, xt=(n_x, m), a_prev=(n_a, m))
    return {**arrays, "parameters": gru_parameters(rng, n_x, n_a)}


@once_per_set
def gru_inputs(seed: int, n_x: int, n_a: int, m: int, T_x: int) -> dict:
    """Return arguments of `gru_forward`: x (n_x, m, T_x), a0 (n_a, m), parameters."""
    rng = hidden_rng(seed)
    arrays = normal(rng, x=(n_x, m, T_x), a0=(n_a, m))
    return {**arrays, "parameters": gru_parameters(rng, n_x, n_a)}


@once_per_set
def two_way_inputs(seed: int, n_x: int, n_a: int, m: int, T_x: int) -> dict:
    """Return arguments of `bidirectional_forward`: x, and for each way its a0 and parameters."""
    rng = hidden_rng(seed)
    arrays = normal(rng, x=(n_x, m, T_x), a0_forward=(n_a, m), a0_backward=(n_a, m))
    ways = {f"parameters_{way}": gru_parameters(rng, n_x, n_a) for way in ("forward", "backward")}
    return {**arrays, **ways}


@once_per_set
def rnn_cell_case(seed: int, n_x: int, n_a: int, n_y: int, m: int) -> Case:
    """Return a case of `rnn_cell_backward`: da_next (n_a, m), cache."""
    forward = rnn_cell_inputs(seed, n_x, n_a, n_y, m)
    da_next = drawn_back(seed, da_next=(n_a, m))["da_next"]

    def losses(xt: np.ndarray, a_prev: np.ndarray, parameters: dict) -> np.ndarray:
        return rnn_loss(xt[..., None], a_prev, parameters, da_next[..., None])

    return Case(
        {"da_next": da_next, "cache": rnn_step(**forward)},
        lambda: numeric_gradients_at_once(losses, forward, f"xt, a_prev, {RNN_WEIGHTS}"),
    )


@once_per_set
def rnn_case(seed: int, n_x: int, n_a: int, n_y: int, m: int, T_x: int, steps: int) -> Case:
    """Return a case of `rnn_backward`: da (n_a, m, steps), caches of T_x time steps."""
    forward = rnn_inputs(seed, n_x, n_a, n_y, m, T_x)
    da = drawn_back(seed, da=(n_a, m, steps))["da"]
    return sequence_case(rnn_states, partial(rnn_loss, da=da), forward, RNN_WEIGHTS, da)


@once_per_set
def lstm_cell_case(seed: int, n_x: int, n_a: int, n_y: int, m: int) -> Case:
    """Return a case of `lstm_cell_backward`: da_next, dc_next (n_a, m), cache."""
    forward = lstm_cell_inputs(seed, n_x, n_a, n_y, m)
    back = drawn_back(seed, da_next=(n_a, m), dc_next=(n_a, m))

    def losses(
        xt: np.ndarray, a_prev: np.ndarray, c_prev: np.ndarray, parameters: dict
    ) -> np.ndarray:
        da, dc = back["da_next"][..., None], back["dc_next"]
        return lstm_loss(xt[..., None], a_prev, c_prev, parameters, da, dc)

    return Case(
        {**back, "cache": lstm_step(**forward)},
        lambda: numeric_gradients_at_once(losses, forward, f"xt, a_prev, c_prev, {LSTM_WEIGHTS}"),
    )


@once_per_set
def lstm_case(seed: int, n_x: int, n_a: int, n_y: int, m: int, T_x: int, steps: int) -> Case:
    """Return a case of `lstm_backward`: da (n_a, m, steps), caches of T_x time steps."""
    forward = lstm_inputs(seed, n_x, n_a, n_y, m, T_x)
    da = drawn_back(seed, da=(n_a, m, steps))["da"]
    losses = partial(lstm_loss, c0=np.zeros((n_a, m)), da=da)
    return sequence_case(lstm_states, losses, forward, LSTM_WEIGHTS, da)


@once_per_set
def gru_cell_case(seed: int, n_x: int, n_a: int, m: int) -> Case:
    """Return a case of `gru_cell_backward`: da_next (n_a, m), cache."""
    forward = gru_cell_inputs(seed, n_x, n_a, m)
    da_next = drawn_back(seed, da_next=(n_a, m))["da_next"]

    def losses(**arguments: Any) -> np.ndarray:
        return weighted(da_next, gru_step(**arguments)[0])

    return Case(
        {"da_next": da_next, "cache": gru_step(**forward)},
        lambda: numeric_gradients_at_once(losses, forward, f"xt, a_prev, {GRU_WEIGHTS}"),
    )


def drawn_back(seed: int, **shapes: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Return gradients that come from behind, apart from what else the seed draws."""
    return normal(hidden_rng(seed, 1), **shapes)


def sequence_case(
    states: Callable, losses: Callable, forward: dict, weights: str, da: np.ndarray
) -> Case:
    """Return the case of a sequence function, given its forward pass and `da`."""

    def differentiate() -> dict[str, np.ndarray]:
        numeric = numeric_gradients_at_once(losses, forward, f"x, a0, {weights}")
        return {**numeric, "dx": numeric["dx"][:, :, : da.shape[2]]}

    return Case({"da": da, "caches": states(**forward)[1]}, differentiate)


def fused_parameters(rng: np.random.Generator, D: int, H: int) -> dict[str, np.ndarray]:
    """Return the parameters of a batch-first LSTM: Wx (D, 4H), Wh (H, 4H), b (4H,)."""
    return normal(rng, Wx=(D, 4 * H), Wh=(H, 4 * H), b=(4 * H,))


@once_per_set
def fused_step_inputs(seed: int, N: int, D: int, H: int) -> dict[str, np.ndarray]:
    """Return arguments of `lstm_step_forward`: x (N, D), prev_h, prev_c (N, H), Wx, Wh, b."""
    rng = hidden_rng(seed)
    return {
        **normal(rng, x=(N, D), prev_h=(N, H), prev_c=(N, H)),
        **fused_parameters(rng, D, H),
    }


@once_per_set
def fused_inputs(seed: int, N: int, T: int, D: int, H: int) -> dict[str, np.ndarray]:
    """Return arguments of the batch-first `lstm_forward`: x (N, T, D), h0 (N, H), Wx, Wh, b."""
    rng = hidden_rng(seed)
    return {**normal(rng, x=(N, T, D), h0=(N, H)), **fused_parameters(rng, D, H)}


@once_per_set
def fused_step_gradients(seed: int, N: int, H: int) -> dict[str, np.ndarray]:
    """Return what arrives at `lstm_step_backward`: dnext_h, dnext_c (N, H)."""
    return normal(hidden_rng(seed), dnext_h=(N, H), dnext_c=(N, H))


@once_per_set
def fused_gradients(seed: int, N: int, T: int, H: int) -> dict[str, np.ndarray]:
    """Return what arrives at the batch-first `lstm_backward`: dh (N, T, H)."""
    return normal(hidden_rng(seed), dh=(N, T, H))
