"""
The networks as textbooks write them, one example of each formula, open to differentiation.

Nothing here is taken from the notebooks: `autograd` differentiates these forward passes, and
what comes out is what the notebooks' gradients are held against.
"""

from collections.abc import Callable
from typing import Any

import autograd.numpy as np
from autograd import grad

Steps = dict[str, list]  # the value of each quantity, step by step
Nudge = Callable[[str, int, Any], Any]


def as_it_is(name: str, t: int, value: Any) -> Any:
    """Return the value; another `Nudge` may add something that is zero, to differentiate by it."""
    return value


def logistic(u):
    return 1 / (1 + np.exp(-u))


def softmax_of_columns(u):
    return np.exp(u) / np.sum(np.exp(u), axis=0)


def rnn(x, a0, parameters, nudge: Nudge = as_it_is) -> Steps:
    """Run an RNN over x (n_x, m, T_x); quantities a (from a0 on), z, s and y (from step 1 on)."""
    p = parameters
    steps = {"a": [nudge("a", 0, a0)], "z": [None], "s": [None], "y": [None]}
    for t in range(1, x.shape[2] + 1):
        z = nudge("z", t, p["Wax"] @ x[:, :, t - 1] + p["Waa"] @ steps["a"][-1] + p["ba"])
        a = nudge("a", t, np.tanh(z))
        s = nudge("s", t, p["Wya"] @ a + p["by"])
        for name, value in {"z": z, "a": a, "s": s, "y": softmax_of_columns(s)}.items():
            steps[name].append(value)
    return steps


def lstm(x, a0, c0, parameters, nudge: Nudge = as_it_is) -> Steps:
    """Run an LSTM over x (n_x, m, T_x); zf and f, ... are a gate before and after sigmoid."""
    p, n_a = parameters, a0.shape[0]
    steps = {"a": [nudge("a", 0, a0)], "c": [nudge("c", 0, c0)]}
    for t in range(1, x.shape[2] + 1):
        now = {}
        for gate in "fico":
            of_a, of_x = p["W" + gate][:, :n_a], p["W" + gate][:, n_a:]
            u = of_a @ steps["a"][-1] + of_x @ x[:, :, t - 1] + p["b" + gate]
            now["z" + gate] = nudge("z" + gate, t, u)
            activation = np.tanh if gate == "c" else logistic
            now["cct" if gate == "c" else gate] = activation(now["z" + gate])
        for name in ("f", "i", "cct", "o"):
            now[name] = nudge(name, t, now[name])
        now["c"] = nudge("c", t, now["f"] * steps["c"][-1] + now["i"] * now["cct"])
        now["a"] = nudge("a", t, now["o"] * np.tanh(now["c"]))
        now["s"] = nudge("s", t, p["Wy"] @ now["a"] + p["by"])
        now["y"] = softmax_of_columns(now["s"])
        for name, value in now.items():
            steps.setdefault(name, [None]).append(value)
    return steps


def gru(x, a0, parameters, nudge: Nudge = as_it_is) -> Steps:
    """
    Run a GRU over x (n_x, m, T_x), its reset gate before the product.

    Quantities are r, u (gates), q, aat (candidate), a, and zr, zu, za; n is what the candidate
    would be with the reset gate behind the product.
    """
    p, n_a = parameters, a0.shape[0]
    steps = {"a": [nudge("a", 0, a0)]}

    def of_state(gate, state):
        return p["W" + gate][:, :n_a] @ state

    for t in range(1, x.shape[2] + 1):
        before, now = steps["a"][-1], {}
        of_x = {g: p["W" + g][:, n_a:] @ x[:, :, t - 1] + p["b" + g] for g in "rua"}
        for gate in "ru":
            now["z" + gate] = nudge("z" + gate, t, of_state(gate, before) + of_x[gate])
            now[gate] = nudge(gate, t, logistic(now["z" + gate]))
        now["q"] = nudge("q", t, now["r"] * before)
        now["za"] = nudge("za", t, of_state("a", now["q"]) + of_x["a"])
        now["aat"] = nudge("aat", t, np.tanh(now["za"]))
        now["a"] = nudge("a", t, now["u"] * now["aat"] + (1 - now["u"]) * before)
        now["n"] = np.tanh(now["r"] * of_state("a", before) + of_x["a"])
        for name, value in now.items():
            steps.setdefault(name, [None]).append(value)
    return steps


def fused_lstm(x, h0, c0, Wx, Wh, b, nudge: Nudge = as_it_is) -> Steps:
    """Run a batch-first LSTM over x (N, T, D), its gates i, f, o, g each a quarter of a width."""
    H = h0.shape[1]
    steps = {"h": [nudge("h", 0, h0)], "c": [nudge("c", 0, c0)]}
    for t in range(1, x.shape[1] + 1):
        now = {}
        for k, gate in enumerate("ifog"):
            own = slice(k * H, (k + 1) * H)
            u = x[:, t - 1] @ Wx[:, own] + steps["h"][-1] @ Wh[:, own] + b[own]
            now["z" + gate] = nudge("z" + gate, t, u)
            activation = np.tanh if gate == "g" else logistic
            now[gate] = nudge(gate, t, activation(now["z" + gate]))
        now["c"] = nudge("c", t, now["f"] * steps["c"][-1] + now["i"] * now["g"])
        now["h"] = nudge("h", t, now["o"] * np.tanh(now["c"]))
        for name, value in now.items():
            steps.setdefault(name, [None]).append(value)
    return steps


def gradients(loss: Callable, arguments: dict) -> dict:
    """Differentiate loss(**arguments) by each argument, and by each entry of a dict among them."""
    found = grad(lambda given: loss(**given))(arguments)
    flat = {name: found[name] for name in arguments if name != "parameters"}
    return {f"d{name}": value for name, value in {**flat, **found.get("parameters", {})}.items()}


def weighted(weights, steps: list, axis: int):
    """Add up weights * steps; the weights' axis `axis` runs over the first of the steps."""
    pairs = zip(np.moveaxis(weights, axis, 0), steps, strict=False)
    return sum(np.sum(weight * step) for weight, step in pairs)


def gradients_within(loss: Callable, places: dict) -> dict:
    """
    Differentiate by quantities inside of a network.

    Parameters
    ----------
    loss : callable
        Takes a `Nudge`, runs the network with it and returns one number.
    places : dict
        Zeros in the shape of each quantity, by its name and time step.
    """

    def nudged(added):
        return loss(lambda name, t, value: value + added.get((name, t), 0))

    return grad(nudged)(places)
