"""The LSTM in motion: its unit and scenes, run by the instructor's solution."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from language import Language

Step = dict[str, Any]


def parameters(unit: dict[str, Any]) -> dict[str, np.ndarray]:
    """Return the unit's weights and biases as the notebook has them."""
    columns = ("Wy", "by")  # of one unit, or none: a row each
    return {
        name: np.array(entry, dtype=float).reshape((-1, 1) if name in columns else (1, -1))
        for name, entry in unit.items()
    }


def trace(lstm_forward: Callable, unit: dict[str, Any], scene: dict[str, Any]) -> list[Step]:
    """Run the unit over a scene's input; return the values of each time step by name."""
    x = np.array(scene["x"], dtype=float)[:, None, :]
    _, y, _, (caches, _) = lstm_forward(x, np.zeros((1, 1)), parameters(unit))
    names = ("a", "c", "a_prev", "c_prev", "f", "i", "cct", "o")
    steps = []
    for t, cache in enumerate(caches):
        states = {name: round(entry.item(), 6) for name, entry in zip(names, cache, strict=False)}
        inputs = {f"x{k}": row[t] for k, row in enumerate(scene["x"])}
        prediction = [round(share, 6) for share in y[:, 0, t].tolist()]
        steps.append({**states, **inputs, "y": prediction})
    return steps


def traces(lstm_forward: Callable) -> dict[str, list[Step]]:
    """Return the time steps of every scene."""
    said = Language().told("motion")
    scenes = said["scenes"].items()
    return {name: trace(lstm_forward, said["unit"], scene) for name, scene in scenes}


def number(value: float) -> str:
    """Return a value with two decimals and a true minus sign."""
    text = f"{value:.2f}".replace("-", "−")
    return "0.00" if text == "−0.00" else text


def shown(step: Step, name: str) -> str:
    """Return a value of a step as it is shown: inputs are short where they can be."""
    short = {0: "0", 0.5: "½", 1: "1"} if name.startswith("x") else {}
    return short.get(step[name], number(step[name]))


# The formulas of each part, by their numbers in the notebook.
STACKED = r"\begin{bmatrix} a^{\langle t-1 \rangle} \\ x^{\langle t \rangle} \end{bmatrix}"
FORMULAS = {
    "read": {"": STACKED},
    "forget": {"(3)": rf"\Gamma_f^{{\langle t \rangle}} = \sigma\left(W_f {STACKED} + b_f\right)"},
    "store": {
        "(4)": rf"\Gamma_i^{{\langle t \rangle}} = \sigma\left(W_i {STACKED} + b_i\right)",
        "(5)": rf"\tilde c^{{\langle t \rangle}} = \tanh\left(W_c {STACKED} + b_c\right)",
    },
    "cell": {
        "(6)": r"c^{\langle t \rangle} = \Gamma_f^{\langle t \rangle} \odot c^{\langle t-1 \rangle}"
        r" + \Gamma_i^{\langle t \rangle} \odot \tilde c^{\langle t \rangle}"
    },
    "show": {
        "(7)": rf"\Gamma_o^{{\langle t \rangle}} = \sigma\left(W_o {STACKED} + b_o\right)",
        "(8)": r"a^{\langle t \rangle} = \Gamma_o^{\langle t \rangle} \odot"
        r" \tanh\left(c^{\langle t \rangle}\right)",
    },
}
