"""The LSTM in motion: the numbers of one sequence, and what is said of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

# One unit. Columns of the weights: hidden state, value, store, show. The gates are the
# logistic function of -5, 0 or 5: nearly shut, half open, nearly open.
PARAMETERS = {
    "Wf": np.array([[0, 0, -10, 0]]),
    "bf": np.array([[5]]),
    "Wi": np.array([[0, 0, 10, 0]]),
    "bi": np.array([[-5]]),
    "Wc": np.array([[0, 1, 0, 0]]),
    "bc": np.array([[0]]),
    "Wo": np.array([[0, 0, 0, 10]]),
    "bo": np.array([[-5]]),
    "Wy": np.array([[1], [-1]]),
    "by": np.array([[0], [0]]),
}
VALUE = [0.4, 1.5, -0.8, 0.6, -1.2, 0.3, -1.1, 0.9, -0.2, 0.2, 0.7, -0.5]
STORE = [0, 1, 0, 0, 0, 0, 1, 0, 0, 0.5, 0, 1]
SHOW = [0, 0, 0, 1, 0, 0.5, 0, 0, 1, 0, 1, 1]
T_X = len(VALUE)

Step = dict[str, float]


def trace(lstm_forward: Callable) -> list[Step]:
    """Run the cell over the sequence; return the values of each time step by name."""
    x = np.array([VALUE, STORE, SHOW], dtype=float)[:, None, :]
    _, _, _, (caches, _) = lstm_forward(x, np.zeros((1, 1)), PARAMETERS)
    names = ("a", "c", "a_prev", "c_prev", "f", "i", "cct", "o")
    steps = []
    for value, store, show, cache in zip(VALUE, STORE, SHOW, caches, strict=True):
        states = {name: round(entry.item(), 6) for name, entry in zip(names, cache, strict=False)}
        steps.append({"value": value, "store": store, "show": show, **states})
    return steps


def number(value: float) -> str:
    """Return a value with two decimals and a true minus sign."""
    text = f"{value:.2f}".replace("-", "−")
    return "0.00" if text == "−0.00" else text


def signed(value: float) -> str:
    """Return a value in parentheses where it is negative."""
    text = number(value)
    return f"({text})" if text.startswith("−") else text


def shown(step: Step, name: str) -> str:
    """Return a value of a step as it is shown."""
    return command(step[name]) if name in ("store", "show") else number(step[name])


def kind(gate: float) -> str:
    """Tell how far a gate is open."""
    return "open" if gate > 0.9 else "shut" if gate < 0.1 else "half"


def command(strength: float) -> str:
    """Return a command as it is written: 0, 1 or ½."""
    return {0: "0", 1: "1"}.get(strength, "½")


def read(step: Step) -> tuple[str, str]:
    """Say what arrives."""
    given = [
        f"<em>{name}</em>" + ("" if step[name] == 1 else " at half strength")
        for name in ("store", "show")
        if step[name]
    ]
    said = f"Command: {' and '.join(given)}." if given else "No command: keep what you have."
    row = f"value {number(step['value'])}, store {command(step['store'])}"
    return f"{row}, show {command(step['show'])}", said


def forget(step: Step) -> tuple[str, str]:
    """Say what the forget gate does."""
    said = {
        "open": "Open. The old cell state may stay.",
        "shut": "Shut. The old cell state is let go.",
        "half": "Half open. Half of the old cell state stays.",
    }
    total = 5 - 10 * step["store"]
    sum_ = f"5 − 10 · {command(step['store'])}"
    return f"σ({sum_}) = σ({number(total)}) = <b>{number(step['f'])}</b>", said[kind(step["f"])]


def store(step: Step) -> tuple[str, str]:
    """Say what input gate and candidate do."""
    said = {
        "open": "Open. The candidate goes in.",
        "shut": "Shut. The candidate stays outside.",
        "half": "Half open. Half of the candidate goes in.",
    }
    gate = f"σ(10 · {command(step['store'])} − 5) = <b>{number(step['i'])}</b>"
    candidate = f"tanh {signed(step['value'])} = <b>{number(step['cct'])}</b>"
    return f"{gate}<br>{candidate}", said[kind(step["i"])]


def cell(step: Step) -> tuple[str, str]:
    """Say what becomes of the cell state."""
    kept = f"{number(step['f'])} · {signed(step['c_prev'])}"
    new = f"{number(step['i'])} · {signed(step['cct'])}"
    empty = abs(step["c_prev"]) < 0.05
    said = {
        "open": "Still close to zero: there is nothing to remember yet."
        if empty
        else f"The memory passes the step almost as it was, {number(step['c_prev'])}.",
        "shut": "The first memory is written."
        if empty
        else f"The old memory, {number(step['c_prev'])}, is overwritten.",
        "half": "Half old, half new: a blend.",
    }
    return f"{kept} + {new} = <b>{number(step['c'])}</b>", said[kind(step["f"])]


def show(step: Step) -> tuple[str, str]:
    """Say what is shown."""
    said = {
        "open": "Open. The memory shows.",
        "shut": "Shut. The memory is still there, but out of sight.",
        "half": "Half open. The memory shows, at half its size.",
    }
    gate = f"σ(10 · {command(step['show'])} − 5) = <b>{number(step['o'])}</b>"
    hidden = f"{number(step['o'])} · tanh {signed(step['c'])} = <b>{number(step['a'])}</b>"
    return f"{gate}<br>{hidden}", said[kind(step["o"])]


# The parts of the cell: title, formulas, words.
STACKED = r"\begin{bmatrix} a^{\langle t-1 \rangle} \\ x^{\langle t \rangle} \end{bmatrix}"
PARTS: dict[str, tuple[str, list[str], Callable[[Step], tuple[str, str]]]] = {
    "read": ("The inputs arrive", [STACKED], read),
    "forget": (
        "Forget gate",
        [rf"\Gamma_f^{{\langle t \rangle}} = \sigma\left(W_f {STACKED} + b_f\right) \quad (3)"],
        forget,
    ),
    "store": (
        "Input gate and candidate",
        [
            rf"\Gamma_i^{{\langle t \rangle}} = \sigma\left(W_i {STACKED} + b_i\right) \quad (4)",
            rf"\tilde c^{{\langle t \rangle}} = \tanh\left(W_c {STACKED} + b_c\right) \quad (5)",
        ],
        store,
    ),
    "cell": (
        "Cell state",
        [
            r"c^{\langle t \rangle} = \Gamma_f^{\langle t \rangle} \odot c^{\langle t-1 \rangle}"
            r" + \Gamma_i^{\langle t \rangle} \odot \tilde c^{\langle t \rangle} \quad (6)"
        ],
        cell,
    ),
    "show": (
        "Output gate and hidden state",
        [
            rf"\Gamma_o^{{\langle t \rangle}} = \sigma\left(W_o {STACKED} + b_o\right) \quad (7)",
            r"a^{\langle t \rangle} = \Gamma_o^{\langle t \rangle} \odot"
            r" \tanh\left(c^{\langle t \rangle}\right) \quad (8)",
        ],
        show,
    ),
}
