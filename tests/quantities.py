"""What the notebooks speak of: quantities of the executed solutions, and their gradients."""

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import autograd
import autograd.numpy as anp
import latex
import numpy as np
import textbook
from ours import ASSIGNMENTS

from grading.source import course_root, read_source
from rnn_marking.inputs import gru_parameters, lstm_parameters, normal, rnn_parameters
from rnn_utils import softmax

ROOT = course_root(Path(__file__).parent)
SOURCES = {assignment: read_source(assignment, ROOT) for assignment in ASSIGNMENTS}
N_X, N_A, N_Y, M, T_X = 4, 6, 3, 7, 5
STATE = (N_A, M)
# How the notebooks write what `textbook` calls otherwise.
IN_TEXTBOOK = {r"\Gamma_f": "f", r"\Gamma_i": "i", r"\Gamma_o": "o", r"\tildec": "cct"}
IN_TEXTBOOK |= {r"\Gamma_r": "r", r"\Gamma_u": "u", r"\tildea": "aat"}
IN_TEXTBOOK |= {f"z_{gate}": f"z{gate}" for gate in "ficogrua"}
IN_TEXTBOOK |= {name: name for name in "achzsfiogq"}
TEXTBOOK = {"rnn": textbook.rnn, "lstm": textbook.lstm}


@dataclass
class Context:
    """
    What the formulas of one part of a notebook speak of.

    Attributes
    ----------
    values, gradients : dict
        Arrays by name and time step; the step of a parameter is None.
    numbers : list of dict
        Sizes and counters: a formula has to hold for each of these.
    labels : dict
        Subscripts that stand for several: {"k": "fico"}.
    """

    values: dict[tuple, Any]
    gradients: dict[tuple, Any] = field(default_factory=dict)
    numbers: list[dict[str, int]] = field(default_factory=lambda: [{}])
    labels: dict[str, str] = field(default_factory=dict)

    def value(self, name, t, *places, example=None):
        return element(look_up(self.values, name, t), *places, example=example)

    def gradient(self, name, t, *places, example=None):
        return element(look_up(self.gradients, name, t), *places, example=example)

    def holds(self, formula: str) -> bool:
        """Tell whether all sides of a formula are equal, whatever its counters mean."""
        nearly = 1e-6 if r"\approx" in formula else 1e-10
        for labels in self.labelled(formula):
            for numbers in self.numbers:
                first, *others = latex.sides(formula, self.value, self.gradient, numbers, **labels)
                for other in others:
                    is_one = max(np.size(first), np.size(other)) == 1  # of whatever shape
                    if np.ndim(other) and np.shape(first) != np.shape(other) and not is_one:
                        return False
                    if not np.allclose(first, other, nearly, nearly):
                        return False
        return True

    def labelled(self, formula: str) -> Iterator[dict[str, str]]:
        """Yield each meaning of the label in a formula, or one without any."""
        for label, meanings in self.labels.items():
            if re.search(rf"_(\{{)?{label}\b", formula):
                yield from ({label: meaning} for meaning in meanings)
                return
        yield {}


def look_up(known, name, t):
    """Return the array of this name at a time step."""
    if (name, t) not in known:
        names = ", ".join(sorted({name for name, _ in known}))
        raise KeyError(f"nothing is known of {name} at step {t}; known are {names}")
    return known[name, t]


def element(array, row=None, column=None, example=None):
    """Return the array, a row of it, an example's column, or an element; all count from 1."""
    if row is None:
        return array if example is None else array[:, [example - 1]]
    place = column or example
    return array[[row - 1]] if place is None else array[row - 1, place - 1]


def weights(parameters):
    """Return parameters by their names in formulas: W_ax for Wax."""
    return {(f"{name[0]}_{name[1:]}", None): array for name, array in parameters.items()}


def numbered(name, arrays, first=0):
    """Return arrays by name and time step."""
    return {(name, t): array for t, array in enumerate(arrays, first)}


def draw(network, seed=1):
    """Return arguments of a whole run of a network, and a source of more arrays."""
    rng = np.random.default_rng(seed)
    parameters = {"rnn": rnn_parameters, "lstm": lstm_parameters}[network](rng, N_X, N_A, N_Y)
    given = {**normal(rng, x=(N_X, M, T_X), a0=STATE), "parameters": parameters}
    return given, functools.partial(normal, rng)


def from_caches(caches, x, a0):
    """Return what the caches of the time steps hold, by names in formulas."""
    values = {**numbered("x", np.moveaxis(x, 2, 0), 1), ("a", 0): a0}
    values |= numbered("a", (cache[0] for cache in caches), 1)
    if len(caches[0]) == 10:
        values |= {("c", 0): caches[0][3], **numbered("c", (cache[1] for cache in caches), 1)}
        for place, name in enumerate((r"\Gamma_f", r"\Gamma_i", r"\tildec", r"\Gamma_o"), 4):
            values |= numbered(name, (cache[place] for cache in caches), 1)
    return values | weights(caches[0][-1])


def forward(network):
    """Run a network of the first notebook."""
    given, _ = draw(network)
    run = SOURCES["rnn_lstm_forward"].function(f"{network}_forward")
    _, y, *_, (caches, x) = run(*given.values())
    values = from_caches(caches, x, given["a0"])
    values |= numbered(r"\haty", np.moveaxis(y, 2, 0), 1)
    return Context(values, numbers=[{"t": t, "T_x": T_X} for t in range(1, T_X + 1)])


def inner(run, given, losses, T):
    """
    Run a textbook's network; return values and gradients of its quantities of each step.

    `losses` are the weights of the states in the loss, by name and time step.
    """

    def loss(nudge):
        steps = run(**given, nudge=nudge)
        return sum(anp.sum(weight * steps[name][t]) for (name, t), weight in losses.items())

    steps = run(**given)
    values = {
        (name, t): steps[own][t]
        for name, own in IN_TEXTBOOK.items()
        for t in range(T + 1)
        if own in steps and steps[own][t] is not None
    }
    places = {(IN_TEXTBOOK[name], t): np.zeros_like(value) for (name, t), value in values.items()}
    found = textbook.gradients_within(loss, places)
    return values, {(name, t): found[IN_TEXTBOOK[name], t] for name, t in values}


def cell(network):
    """Run one cell of the second notebook back, from drawn gradients of its states."""
    given, more = draw(network)
    x, parameters = given["x"][:, :, :1], given["parameters"]
    states = more(a=STATE, c=STATE) if network == "lstm" else more(a=STATE)
    back = more(**dict.fromkeys(states, STATE))
    step = SOURCES["rnn_lstm_forward"].function(f"{network}_cell_forward")
    *_, cache = step(x[:, :, 0], *states.values(), parameters)
    solution = SOURCES["rnn_lstm_backward"]
    got = solution.function(f"{network}_cell_backward")(*back.values(), cache)

    start = {f"{name}0": value for name, value in states.items()}
    losses = {(name, 1): weight for name, weight in back.items()}
    given = {"x": x, **start, "parameters": parameters}
    values, gradients = inner(TEXTBOOK[network], given, losses, T=1)
    values |= from_caches([cache], x, states["a"])
    # What one cell alone gets from the next, and what it returns: parts, never whole gradients.
    values |= {(rf"\delta_{name}", 0): got[f"d{name}_prev"] for name in back}
    for name in back:
        del gradients[name, 0]
    if network == "lstm":
        values[r"\delta_c", 1] = back["c"]
    gradients |= {("x", 1): got["dxt"], ("a", 1): back["a"]}
    gradients |= parameter_gradients(got)
    return Context(values, gradients, [{"t": 1, "m": M}], {"k": "fico"})


def parameter_gradients(got):
    """Return the gradients of the parameters among those that a function returns."""
    return weights({name[1:]: array for name, array in got.items() if name[1] in "Wb"})


def sequence(network):
    """Run a whole sequence of the second notebook back; the loss looks at three of five steps."""
    given, more = draw(network)
    T = T_X - 2
    ds = more(ds=(N_Y, M, T))["ds"]
    predict = given["parameters"]["Wya" if network == "rnn" else "Wy"]
    da = np.einsum("ya,ymt->amt", predict, ds)
    *_, caches = SOURCES["rnn_lstm_forward"].function(f"{network}_forward")(*given.values())
    names = SOURCES["rnn_lstm_backward"].namespace()
    own, handed, returned = names[f"{network}_cell_backward"], [], []

    def recording(*arguments):
        handed.insert(0, arguments)
        returned.insert(0, own(*arguments))
        return returned[0]

    names[f"{network}_cell_backward"] = recording
    got = names[f"{network}_backward"](da, caches)

    start = {"c0": np.zeros(STATE)} if network == "lstm" else {}
    losses = {("a", t): da[:, :, t - 1] for t in range(1, T + 1)}
    values, gradients = inner(TEXTBOOK[network], {**given, **start}, losses, T=T + 1)
    values |= from_caches(caches[0], given["x"], given["a0"])
    values |= numbered(r"\delta_a", [step["da_prev"] for step in returned])
    values[r"\delta_a", T] = np.zeros(STATE)
    gradients |= numbered("s", np.moveaxis(ds, 2, 0), 1)
    gradients |= numbered("a", (arguments[0] for arguments in handed), 1)
    gradients |= {("a", 0): got["da0"], **numbered("x", np.moveaxis(got["dx"], 2, 0), 1)}
    if network == "lstm":
        values[r"\delta_c", 0] = returned[0]["dc_prev"]
        values |= numbered(r"\delta_c", (arguments[1] for arguments in handed), 1)
    gradients |= parameter_gradients(got)
    numbers = [{"t": t, "m": M, "T": T, "T_x": T_X} for t in range(1, T + 1)]
    return Context(values, gradients, numbers, {"k": "fico"})


def fused_step():
    """Run one step of the third notebook forward and back; its gates have no time step."""
    N, D, H = M, N_X, N_A
    shapes = {"h0": (N, H), "c0": (N, H), "Wx": (D, 4 * H), "Wh": (H, 4 * H), "b": (4 * H,)}
    draw = functools.partial(normal, np.random.default_rng(1))
    given, back = draw(x=(N, 1, D), **shapes), draw(h=(N, H), c=(N, H))
    x, *others = given.values()
    solution = SOURCES["lstm_fused_gates"]
    h, c, cache = solution.function("lstm_step_forward")(x[:, 0], *others)
    dx, dh, dc, dWx, dWh, db = solution.function("lstm_step_backward")(*back.values(), cache)

    losses = {(name, 1): weight for name, weight in back.items()}
    values, gradients = inner(textbook.fused_lstm, given, losses, T=1)
    for found in (values, gradients):
        found |= {(name, None): found[name, 1] for name in (*"ifog", "z_i", "z_f", "z_o", "z_g")}
    values |= {("x", 1): x[:, 0], ("h", 1): h, ("c", 1): c, ("b", None): given["b"]}
    values |= {("W_x", None): given["Wx"], ("W_h", None): given["Wh"]}
    values |= {(r"\delta_h", 0): dh, (r"\delta_c", 0): dc, (r"\delta_c", 1): back["c"]}
    gradients["z", None] = np.hstack([gradients[f"z_{gate}", None] for gate in "ifog"])
    for name in "hc":  # what one step alone returns is a part, never the whole gradient
        del gradients[name, 0]
    gradients |= {("x", 1): dx, ("h", 1): back["h"]}
    gradients |= {("W_x", None): dWx, ("W_h", None): dWh, ("b", None): db}
    return Context(values, gradients, [{"t": 1, "N": N}])


def gru_weights(parameters):
    """Return the parameters of a GRU by their names in formulas, each weight also in two parts."""
    found = weights(parameters)
    for gate in "rua":
        found[f"W_{gate}a", None] = parameters["W" + gate][:, :N_A]
        found[f"W_{gate}x", None] = parameters["W" + gate][:, N_A:]
    return found


def gru_inputs():
    """Return arguments of a whole run of a GRU, and a source of more arrays."""
    rng = np.random.default_rng(1)
    given = normal(rng, x=(N_X, M, T_X), a0=STATE)
    return {**given, "parameters": gru_parameters(rng, N_X, N_A)}, functools.partial(normal, rng)


def gru():
    """Run the GRU of the fourth notebook; n, of the other form, is the textbook's."""
    given, _ = gru_inputs()
    _, (caches, x) = SOURCES["gru_bidirectional"].function("gru_forward")(*given.values())
    values = {**numbered("x", np.moveaxis(x, 2, 0), 1), ("a", 0): given["a0"]}
    names = ("a", None, r"\Gamma_r", r"\Gamma_u", r"\tildea")
    for place, name in enumerate(names):
        values |= numbered(name, (cache[place] for cache in caches), 1) if name else {}
    steps = textbook.gru(**given)
    values |= numbered("q", steps["q"][1:], 1) | numbered("n", steps["n"][1:], 1)
    values |= gru_weights(given["parameters"])
    return Context(values, numbers=[{"t": t} for t in range(1, T_X + 1)])


def gru_cell():
    """Run one cell of the GRU back; its sums have no time step."""
    given, more = gru_inputs()
    given["x"], da = given["x"][:, :, :1], more(da=STATE)["da"]
    names = SOURCES["gru_bidirectional"].namespace()
    _, cache = names["gru_cell_forward"](given["x"][:, :, 0], given["a0"], given["parameters"])
    got = names["gru_cell_backward"](da, cache)
    values, gradients = inner(textbook.gru, given, {("a", 1): da}, T=1)
    for found in (values, gradients):
        found |= {(f"z_{gate}", None): found[f"z_{gate}", 1] for gate in "rua"}
    del gradients["a", 0]  # what the cell returns is a part, never the whole gradient
    values |= {("x", 1): given["x"][:, :, 0], (r"\delta_a", 0): got["da_prev"]}
    values |= gru_weights(given["parameters"])
    gradients |= {("x", 1): got["dxt"], ("a", 1): da, **parameter_gradients(got)}
    return Context(values, gradients, [{"t": 1, "m": M}], {"k": "ru", "j": "rua"})


def two_way():
    """Run the two-way network, and each of the two by itself."""
    given, more = gru_inputs()
    x, start, there = given.values()
    back = gru_parameters(np.random.default_rng(2), N_X, N_A)
    run = SOURCES["gru_bidirectional"].function("bidirectional_forward")
    a, _ = run(x, start, other := more(a0=STATE)["a0"], there, back)
    forwards = textbook.gru(x, start, there)["a"][1:]
    backwards = textbook.gru(x[:, :, ::-1], other, back)["a"][:0:-1]
    values = numbered("a", np.moveaxis(a, 2, 0), 1)
    values |= numbered(r"\overrightarrowa", forwards, 1) | numbered(
        r"\overleftarrowa", backwards, 1
    )
    values |= numbered("x", np.moveaxis(x, 2, 0), 1)
    return Context(values, numbers=[{"t": t, "T_x": T_X} for t in range(1, T_X + 1)])


def scores_of_steps():
    """Run the read-out of the fourth notebook: a prediction for each step."""
    (source,) = (
        cell.source
        for cell in SOURCES["gru_bidirectional"].notebook.cells
        if cell.id == "way-back-through-time"
    )
    names = {"np": np, "sigmoid": textbook.logistic}
    exec(source, names)
    rng = np.random.default_rng(1)
    a, Wy, by = normal(rng, a=(N_A, M, T_X), Wy=(1, N_A), by=(1, 1)).values()
    y = rng.random((M, T_X)) < 0.5
    loss, da, _ = names["read_out"](a, y, Wy, by)

    def of_scores(s):
        right = textbook.logistic(anp.where(y, s, -s))
        return -anp.mean(anp.log(right))

    s = np.einsum("k,kmt->mt", Wy[0], a) + by
    np.testing.assert_allclose(loss, of_scores(s))
    ds = autograd.grad(of_scores)(s)
    np.testing.assert_allclose(da, np.multiply.outer(Wy[0], ds))
    values = {**numbered("a", np.moveaxis(a, 2, 0), 1), ("m", None): M, ("T_x", None): T_X}
    values |= numbered(r"\haty", textbook.logistic(s).T[:, None], 1)
    values |= numbered("y", y.T[:, None].astype(float), 1)
    values |= numbered("s", s.T[:, None], 1) | weights({"Wy": Wy, "by": by})
    gradients = numbered("s", ds.T[:, None], 1)
    return Context(values, gradients, [{"t": t, "m": M} for t in range(1, T_X + 1)])


def numeric():
    """Return a loss as a function of one element of its argument, and its gradient."""
    rng = np.random.default_rng(1)
    X, w = rng.normal(size=(2, 3, 4))

    def loss(u, j=2, k=3):
        changed = X.copy()
        changed[j - 1, k - 1] = u
        return np.sum(w * np.sin(changed))

    values = {("L", None): loss, ("X", None): X, ("h", None): 1e-5}
    return Context(values, {("X", None): w * np.cos(X)}, [{"j": 2, "k": 3}])


def read_out():
    """Run the read-out of the second notebook: prediction and loss of one step."""
    (source,) = (
        cell.source
        for cell in SOURCES["rnn_lstm_backward"].notebook.cells
        if cell.id == "train-read-out"
    )
    names = {"np": np, "softmax": softmax}
    exec(source, names)
    rng = np.random.default_rng(1)
    a, Wy, by = normal(rng, a=STATE, Wy=(N_Y, N_A), by=(N_Y, 1)).values()
    y = np.eye(N_Y)[:, rng.integers(N_Y, size=M)]
    y_hat, loss, *_ = names["read_out"](a, y, Wy, by)
    by_scores = autograd.grad(lambda s: -anp.sum(y * anp.log(textbook.softmax_of_columns(s))) / M)
    T = T_X
    values = {("a", T): a, (r"\haty", T): y_hat, ("y", None): y, ("L", None): loss}
    values["s", T] = Wy @ a + by
    values |= {("m", None): M, **weights({"Wy": Wy, "by": by})}
    numbers = [{"t": T, "T": T, "m": M, "n_y": N_Y}]
    return Context(values, {("s", T): by_scores(Wy @ a + by)}, numbers)


def names_in_a_batch():
    """Put the loss of the fourth notebook to a batch of names, some of them filled up."""
    N, T, H, V = M, 2, N_A, 9
    rng = np.random.default_rng(1)
    h, Wy, by = normal(rng, h=(N, T, H), Wy=(H, V), by=(V,)).values()
    y, mask = rng.integers(V, size=(N, T)), np.arange(T) < rng.integers(1, T + 1, (N, 1))
    y[0, 0], mask[0, 0] = 0, True  # the character that formulas speak of
    q = np.eye(V)[y]

    def losses(scores):
        likely = anp.exp(scores) / anp.sum(anp.exp(scores), axis=2, keepdims=True)
        return -anp.sum(q * anp.log(likely), axis=2)

    def mean(scores):
        return anp.sum(mask * losses(scores)) / mask.sum()

    scores = h @ Wy + by
    loss, dh, dWy, dby = SOURCES["char_lstm"].function("sequence_loss")(h, y, mask, Wy, by)
    values = {("L", None): loss, ("m", None): mask, ("M", None): mask.sum(), ("y", None): y}
    values |= {(r"\ell", None): losses(scores), **weights({"Wy": Wy, "by": by})}
    gradients = weights({"Wy": dWy, "by": dby})
    for name, value, gradient in (("h", h, dh), ("s", scores, autograd.grad(mean)(scores))):
        values |= numbered(name, np.moveaxis(value, 1, 0), 1)
        gradients |= numbered(name, np.moveaxis(gradient, 1, 0), 1)
    values["x", None] = np.zeros((N, T))
    return Context(values, gradients, [{"t": t, "T": T, "N": N, "V": V} for t in range(1, T + 1)])


def one_character():
    """Take one real character out of the batch."""
    batch = names_in_a_batch()
    V, values = 9, dict(batch.values)
    s, y = values["s", 1][0], values["y", None][0, 0]
    p = softmax(s)
    values |= {("s", None): s, ("p", None): p, ("q", None): np.eye(V)[y], ("a", None): s.max()}
    values |= {(r"\ell", None): -np.log(p[y]), ("m", None): 1.0}
    gradients = {**batch.gradients, ("s", None): batch.gradients["s", 1][0]}
    numbers = [{**each, "k": k} for each in batch.numbers for k in range(1, V + 1)]
    return Context(values, gradients, numbers)


def temperature():
    """Return the probabilities with which `sample` draws."""
    s, tau = np.random.default_rng(1).normal(size=9), 0.7
    values = {("s", None): s, ("p", None): softmax(s / tau), (r"\tau", None): tau}
    return Context(values, numbers=[{"k": k, "V": 9} for k in range(1, 10)])


def one_update():
    """Clip gradients, and take a step."""
    g, W, u = np.random.default_rng(1).normal(size=(3, 12))
    clipped, n = SOURCES["char_lstm"].function("clip_gradients")({"W": g}, 0.8)
    values = {("g", None): g, ("n", None): n, ("r", None): 0.8, (r"\hatg", None): clipped["W"]}
    values |= {("W", None): W, ("u", None): u, (r"\eta", None): 0.1}
    values[r"\hatW", None] = W - 0.1 * u
    return Context(values, numbers=[{"P": 12}])


# What the formulas under a heading, by its number, speak of; "4" holds for 4.1 as well.
CONTEXTS = {
    "rnn_lstm_forward": {"1": (forward, "rnn"), "2": (forward, "lstm")},
    "rnn_lstm_backward": {
        "2": (numeric,),
        "3.1": (cell, "rnn"),
        "3.2": (sequence, "rnn"),
        "4": (cell, "lstm"),
        "4.7": (sequence, "lstm"),
        "6": (read_out,),
    },
    "lstm_fused_gates": {"1": (fused_step,)},
    "gru_bidirectional": {
        "1.1": (gru,),
        "1.2": (gru_cell,),
        "2.2": (two_way,),
        "3.3": (scores_of_steps,),
    },
    "char_lstm": {
        "2.3": (names_in_a_batch,),
        "2": (one_character,),
        "3": (temperature,),
        "4": (one_update,),
    },
}


@functools.cache
def context(assignment: str, heading: str) -> Context:
    """Return what the formulas under a heading speak of: "4.3 Through the cell state"."""
    number, known = heading.split()[0], CONTEXTS.get(assignment, {})
    build = known.get(number) or known.get(number.split(".")[0])
    if build is None:
        raise KeyError(f"{assignment}, {heading}: say in CONTEXTS what its formulas speak of")
    return build[0](*build[1:])
