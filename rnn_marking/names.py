"""Seeded arguments for the hidden tests of `char_lstm`, and numeric derivatives of its loss."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle
from typing import Any

import numpy as np

from grading.testing import hidden_rng, once_per_set
from rnn_marking.gradients import Case, numeric_gradients
from rnn_marking.inputs import fused_parameters, normal
from rnn_names import END, adam, lstm_step

BESIDE = 1e-6  # how far beside a border between two characters a draw falls


def network(rng: np.random.Generator, V: int, H: int) -> dict[str, np.ndarray]:
    """Return parameters: Wx (V, 4H), Wh (H, 4H), b (4H,), Wy (H, V), by (V,)."""
    return {**fused_parameters(rng, V, H), **normal(rng, Wy=(H, V), by=(V,))}


def filled_up(rng: np.random.Generator, N: int, T: int) -> np.ndarray:
    """Return a mask (N, T): rows of all lengths, the longest of length T, in any order."""
    lengths = rng.permutation(np.linspace(T, 1, N).round())
    return np.arange(T) < lengths[:, None]


@once_per_set
def loss_inputs(
    seed: int, N: int, T: int, H: int, V: int, padded: bool = False, scale: float = 1.0
) -> dict[str, Any]:
    """Return arguments of `sequence_loss`; scores grow with the scale."""
    rng = hidden_rng(seed)
    drawn = normal(rng, h=(N, T, H), Wy=(H, V), by=(V,))
    targets = rng.integers(V, size=(N, T))
    mask = filled_up(rng, N, T) if padded else np.ones((N, T), bool)
    weights = {name: scale * drawn[name] for name in ("Wy", "by")}
    return {"h": drawn["h"], "targets": targets, "mask": mask, **weights}


@once_per_set
def loss_case(seed: int, N: int, T: int, H: int, V: int) -> Case:
    """Return a case of `sequence_loss`; the derivatives are those of the loss's definition."""

    def loss(h: np.ndarray, targets: np.ndarray, mask: np.ndarray, **weights: object) -> float:
        scores = h[mask] @ weights["Wy"] + weights["by"]
        right = np.take_along_axis(scores, targets[mask][:, None], axis=1)
        return float(np.mean(np.log(np.exp(scores - right).sum(axis=1))))

    given = loss_inputs(seed, N, T, H, V)
    return Case(given, lambda: numeric_gradients(loss, given, "h, Wy, by"))


@once_per_set
def sample_inputs(
    seed: int, H: int, V: int, temperature: float, length: int, ends: bool = False
) -> dict[str, Any]:
    """
    Return arguments of `sample` whose draws fall just beside the borders between characters.

    Character by character, a draw falls just inside the lower or the upper end of a part, so
    that another probability, too small for any picture, gives another name; the first draw falls
    far from the end mark's part, or wrong names would all be empty. Where it `ends`, the end
    mark comes up after these, and more draws follow, which are not needed.
    """
    rng = hidden_rng(seed)
    parameters = network(rng, V, H)
    parameters["by"][END] -= 2  # so that wrong names are long, and told from one another
    h = c = np.zeros(H)
    code, draws = END, []
    for next_code, side in zip(range(length), cycle((0, 0, 1, 1)), strict=False):
        h, c = lstm_step(code, h, c, parameters)
        code = 1 + (next_code + V // 2) % (V - 1)  # all but the end mark
        draws.append(beside(parts(h, temperature, parameters)[code], side))
    if ends:
        h, c = lstm_step(code, h, c, parameters)
        draws += [beside(parts(h, temperature, parameters)[END], 1), 0.5, 0.9]
    return {"parameters": parameters, "temperature": temperature, "draws": np.array(draws)}


def parts(h: np.ndarray, temperature: float, parameters: dict[str, np.ndarray]) -> np.ndarray:
    """Return where the part of each character begins and ends, shape (V, 2)."""
    likely = np.exp((h @ parameters["Wy"] + parameters["by"]) / temperature)
    ends = np.cumsum(likely) / likely.sum()
    return np.stack((np.r_[0, ends[:-1]], ends), axis=1)


def beside(part: np.ndarray, side: int) -> float:
    """Return a draw just inside a part: beside its lower end (0) or its upper one (1)."""
    return float(part[0] + BESIDE if side == 0 else part[1] - BESIDE)


@once_per_set
def clip_inputs(
    seed: int, H: int, V: int, times: float, scale: float = 1.0, odd: float = 0.0
) -> dict[str, Any]:
    """Return arguments of `clip_gradients`: the bound is so many times the norm."""
    rng = hidden_rng(seed)
    gradients = network(rng, V, H)
    norm = np.linalg.norm(np.concatenate([d.ravel() for d in gradients.values()]))
    gradients = {name: scale * d for name, d in gradients.items()}
    gradients["Wh"][-1, 0] += odd
    return {"gradients": gradients, "max_norm": float(times * norm)}


@once_per_set
def first_step_inputs(seed: int, N: int, T: int, H: int, V: int, window: int) -> dict[str, Any]:
    """Return arguments of `train_step` in the first round."""
    rng = hidden_rng(seed)
    x, targets = rng.integers(V, size=(2, N, T))
    return {
        "parameters": network(rng, V, H),
        "memory": {},
        "batch": (x, targets, filled_up(rng, N, T)),
        "rate": 0.03,
        "max_norm": 0.05,
        "window": window,
    }


@once_per_set
def step_inputs(seed: int, **sizes: int) -> dict[str, Any]:
    """
    Return arguments of `train_step`, some rounds after the first.

    In the first round Adam takes no notice of how long gradients are, so that nobody could
    tell whether they are clipped.
    """
    given, rng = first_step_inputs(seed, **sizes), hidden_rng(seed, 1)
    memory: dict[str, Any] = {}
    for _ in range(2):
        gradients = {
            name: rng.uniform(0.1, 0.4, W.shape) * rng.choice((-1, 1), W.shape)
            for name, W in given["parameters"].items()
        }
        _, memory = adam(gradients, memory)
    return {**given, "memory": memory}


def first_and_third_step(step: Callable[..., tuple], **sizes: int) -> list[dict[str, Any]]:
    """Return arguments of `train_step` in the first round, and in the third on the same batch."""
    rounds = [first_step_inputs(**sizes)]
    for _ in range(2):
        parameters, memory, _ = step(**rounds[-1])
        rounds.append({**rounds[-1], "parameters": parameters, "memory": memory})
    return [rounds[0], rounds[2]]
