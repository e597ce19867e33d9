"""What the notebooks document (shapes, keys, entries of caches) against what is really there."""

import functools
import inspect
import itertools
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import latex
import numpy as np
import pytest
import textbook
from docstring_parser.numpydoc import parse
from quantities import ASSIGNMENTS, CONTEXTS, SOURCES, context

import rnn_forward_passes
import rnn_utils
from rnn_marking.inputs import gru_parameters, lstm_parameters, normal, rnn_parameters

# All different, and different from the sums and multiples that shapes are made of.
SIZES = {"n_x": 4, "n_a": 6, "n_y": 3, "m": 7, "T_x": 5, "T": 2, "N": 7, "D": 4, "H": 6, "V": 9}
N_X, N_A, N_Y, M, T_X, T = (SIZES[name] for name in ("n_x", "n_a", "n_y", "m", "T_x", "T"))
N, D, H, V = (SIZES[name] for name in "NDHV")
STATE = (N_A, M)
RNG = np.random.default_rng(0)
KEYS_AND_SHAPE = re.compile(r"((?:`\w+`(?:, | and )?)+) \(([^()]*)\)")
NAMES_IN_CODE = {"a_next": "a", "c_next": "c", "ft": "f", "it": "i", "cct": "cct", "ot": "o"}
NAMES_IN_CODE |= {"rt": "r", "ut": "u", "aat": "aat"}


class Call(NamedTuple):
    """A function, what it is called with, and the quantities of each time step by name."""

    function: Callable
    arguments: dict[str, Any]
    steps: list[dict[str, Any]]


class Entry(NamedTuple):
    """An entry of a docstring: "a, c : ndarray, shape (n_a, m)", and the text below it."""

    names: list[str]
    kind: str
    text: str


def by_step(x, parameters, run):
    """Return the quantities of each step of a textbook's run, by their names in code."""
    steps = []
    for t in range(1, T_X + 1):
        now = {name: run[own][t] for name, own in NAMES_IN_CODE.items() if own in run}
        before = {f"{state}_prev": run[state][t - 1] for state in "ac" if state in run}
        steps.append({**now, **before, "xt": x[:, :, t - 1], "parameters": parameters})
    return steps


def pick(names, known):
    return {name: known[name] for name in names.split()}


def columns():
    """Yield the functions that have examples as columns: assignment, function, its Call."""
    x, a0 = normal(RNG, x=(N_X, M, T_X), a0=STATE).values()
    back = normal(RNG, da=(*STATE, T), da_next=STATE, dc_next=STATE)
    for network, draw in (("rnn", rnn_parameters), ("lstm", lstm_parameters)):
        parameters = draw(RNG, N_X, N_A, N_Y)
        whole = {"x": x, "a0": a0, "parameters": parameters}
        if network == "rnn":
            steps = by_step(x, parameters, textbook.rnn(**whole))
            states, ways_back = "a_prev", "da_next"
        else:
            steps = by_step(x, parameters, textbook.lstm(**whole, c0=np.zeros(STATE)))
            states, ways_back = "a_prev c_prev", "da_next dc_next"
        one = pick(f"xt {states} parameters", steps[0])
        cache = getattr(rnn_forward_passes, f"{network}_step")(**one)
        _, caches = getattr(rnn_forward_passes, f"{network}_states")(**whole)
        for assignment, name, arguments in (
            ("rnn_lstm_forward", f"{network}_cell_forward", one),
            ("rnn_lstm_forward", f"{network}_forward", whole),
            (
                "rnn_lstm_backward",
                f"{network}_cell_backward",
                {**pick(ways_back, back), "cache": cache},
            ),
            ("rnn_lstm_backward", f"{network}_backward", {"da": back["da"], "caches": caches}),
        ):
            function = SOURCES[assignment].function(name)
            yield assignment, name, Call(function, arguments, steps)
        for name, arguments in ((f"{network}_step", one), (f"{network}_states", whole)):
            function = getattr(rnn_forward_passes, name)
            yield "rnn_forward_passes", name, Call(function, arguments, steps)


def ways():
    """Yield the functions of the GRU: assignment, function, its Call."""
    function = SOURCES["gru_bidirectional"].function
    parameters, other = (gru_parameters(RNG, N_X, N_A) for _ in range(2))
    x, a0, start = normal(RNG, x=(N_X, M, T_X), a0=STATE, start=STATE).values()
    whole = {"x": x, "a0": a0, "parameters": parameters}
    steps = by_step(x, parameters, textbook.gru(**whole))
    one = pick("xt a_prev parameters", steps[0])
    da_next = normal(RNG, da_next=STATE)["da_next"]
    both = {"x": x, "a0_forward": a0, "a0_backward": start}
    both |= {"parameters_forward": parameters, "parameters_backward": other}
    for name, arguments in (
        ("gru_cell_forward", one),
        (
            "gru_cell_backward",
            {"da_next": da_next, "cache": function("gru_cell_forward")(**one)[-1]},
        ),
        ("gru_forward", whole),
        ("bidirectional_forward", both),
    ):
        yield "gru_bidirectional", name, Call(function(name), arguments, steps)


def rows():
    """Yield the functions that have examples as rows."""
    function = SOURCES["lstm_fused_gates"].function
    weights = normal(RNG, Wx=(D, 4 * H), Wh=(H, 4 * H), b=(4 * H,))
    step = {**normal(RNG, x=(N, D), prev_h=(N, H), prev_c=(N, H)), **weights}
    whole = {**normal(RNG, x=(N, T, D), h0=(N, H)), **weights}
    back = normal(RNG, dnext_h=(N, H), dnext_c=(N, H))
    for name, arguments in (
        ("lstm_step_forward", step),
        ("lstm_forward", whole),
        ("lstm_step_backward", {**back, "cache": function("lstm_step_forward")(**step)[-1]}),
        (
            "lstm_backward",
            {**normal(RNG, dh=(N, T, H)), "cache": function("lstm_forward")(**whole)[-1]},
        ),
    ):
        yield "lstm_fused_gates", name, Call(function(name), arguments, [{}])


def letters():
    """Yield the functions that read and write names."""
    function = SOURCES["char_lstm"].function
    draw = functools.partial(normal, RNG)
    parameters = draw(Wx=(V, 4 * H), Wh=(H, 4 * H), b=(4 * H,), Wy=(H, V), by=(V,))
    x, targets = RNG.integers(V, size=(2, N, T))
    given = {"x": x, "targets": targets, "mask": RNG.random((N, T)) < 0.7}
    weights = pick("Wy by", parameters)
    loss = {**draw(h=(N, T, H)), **pick("targets mask", given), **weights}
    draws = {"parameters": parameters, "temperature": 0.5, "draws": RNG.random(T)}
    step = {"parameters": parameters, "memory": {}, "batch": tuple(given.values())}
    step |= {"rate": 0.1, "max_norm": 1.0, "window": 1}
    for name, arguments in (
        ("sequence_loss", loss),
        ("sample", draws),
        ("clip_gradients", {"gradients": parameters, "max_norm": 1.0}),
        ("train_step", step),
    ):
        yield "char_lstm", name, Call(function(name), arguments, [given])


def initialisers():
    """Yield the functions that draw parameters."""
    columns = dict.fromkeys(("rnn", "lstm", "gru"), "n_x n_a n_y")
    for name, sizes in {**columns, "fused_lstm": "D H"}.items():
        name = f"initialize_{name}_parameters"
        arguments = {**pick(sizes, SIZES), "rng": RNG}
        yield "rnn_utils", name, Call(getattr(rnn_utils, name), arguments, [{}])


EVERY = (*columns(), *ways(), *rows(), *letters(), *initialisers())
CALLS = {(place, name): call for place, name, call in EVERY}


def entries(function, part):
    """Return the entries of a part of a docstring: "params" or "many_returns"."""
    found = []
    for item in getattr(parse(inspect.getdoc(function)), part):
        names = item.arg_name if part == "params" else item.return_name
        kind = item.type_name or ""
        if not names and kind == "cache":  # a name without a type
            names, kind = kind, ""
        text = " ".join((item.description or "").split())
        found.append(Entry(names.split(", ") if names else [], kind, text))
    named = [entry for entry in found if entry.names]
    return named or [entry._replace(names=["what it returns"]) for entry in found]


def find_entry(function_name, name):
    """Return what the docstring of another function says of this name."""
    functions = [call.function for (_, other), call in CALLS.items() if other == function_name]
    for part in ("params", "many_returns"):
        for entry in entries(functions[0], part):
            if name in entry.names:
                return entry
    raise AssertionError(f"`{function_name}` documents no `{name}`")


def shape(text):
    """Return the shape that "n_a, n_a + n_x" or "D, 4H" is, in the sizes used here."""
    product = re.sub(r"(\d) ?([A-Za-z])", r"\1 * \2", text)
    return tuple(eval(f"[{product}]", dict(SIZES)))


def hold(name, value, entry, call, known):
    """Hold a value against its entry in a docstring; an entry that says nothing exact fails."""
    other = re.match(r"As for `(\w+)`", entry.text)
    if other:
        there = re.sub("_(forward|backward)$", "", name)
        hold(name, value, find_entry(other[1], there), call, known)
    elif re.match(r"ndarray( of \w+)?, shape \(", entry.kind):
        assert type(value) is np.ndarray
        assert value.shape == shape(re.search(r"\((.*?)\)", entry.kind)[1]), name
    elif entry.kind == "dict" and not KEYS_AND_SHAPE.search(entry.text):
        assert type(value) is dict
        assert re.search("by its name|under the same names|What `adam` returned", entry.text)
    elif entry.kind in ("float", "list"):
        assert isinstance(value, {"float": float, "list": list}[entry.kind])
    elif entry.kind == "dict":
        documented = {
            key: shape(text)
            for keys, text in KEYS_AND_SHAPE.findall(entry.text)
            for key in re.findall(r"\w+", keys)
        }
        real = {key: array.shape for key, array in value.items()}
        if "others are kept" in entry.text:
            real = pick(" ".join(documented), real)
        assert real == documented, name
    elif entry.kind == "tuple":
        names = re.fullmatch(r"\((.*)\)", entry.text)[1].split(", ")
        hold_tuple(value, names, call, known)
    elif entry.kind == "int":
        assert type(value) is int
    else:
        by_choice = re.match(r"What (your )?`\w+` (needs|returned)", entry.text)
        assert entry.kind == "numpy.random.Generator" or by_choice, f"{name}: {entry}"


def hold_tuple(value, names, call, known):
    """Hold the entries of a cache, in their order, against the quantities they are named for."""
    assert type(value) is tuple
    assert len(value) == len(names)
    for name, item in zip(names, value, strict=True):
        if name.startswith("list with the cache of each"):
            assert type(item) is list
            assert len(item) == len(call.steps)
            network = {"c_next": "lstm", "ut": "gru"}
            kind = next((k for name, k in network.items() if name in call.steps[0]), "rnn")
            cell = f"{kind}_cell_forward"
            cell_names = find_entry(cell, "cache").text.strip("()").split(", ")
            for cache, then in zip(item, call.steps, strict=True):
                hold_tuple(cache, cell_names, call, then)
        elif name.startswith("caches of the "):  # of a network that runs by itself
            way = name.split()[3]
            x = call.arguments["x"] if way == "forward" else call.arguments["x"][:, :, ::-1]
            start, parameters = (call.arguments[f"{each}_{way}"] for each in ("a0", "parameters"))
            *_, right = SOURCES["gru_bidirectional"].function("gru_forward")(x, start, parameters)
            assert_same(item, right)
        else:
            assert_same(item, known[name])


def assert_same(actual, expected):
    """Hold a value against another one, dicts entry by entry."""
    if isinstance(expected, dict):
        assert set(actual) == set(expected)
        for key, value in expected.items():
            assert_same(actual[key], value)
    elif isinstance(expected, tuple | list):
        for one, other in zip(actual, expected, strict=True):
            assert_same(one, other)
    else:
        np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-10, strict=True)


def returned(call):
    """Call the function; return what it returns by the documented names."""
    names = [name for entry in entries(call.function, "many_returns") for name in entry.names]
    result = call.function(*call.arguments.values())
    return dict(zip(names, result if len(names) > 1 else [result], strict=True))


@pytest.mark.parametrize("call", CALLS.values(), ids=["-".join(key) for key in CALLS])
def test_docstring(call):
    parameters = entries(call.function, "params")
    names = [name for entry in parameters for name in entry.names]
    assert names == list(inspect.signature(call.function).parameters) == list(call.arguments)
    values = {**call.arguments, **returned(call)}
    x = CALLS["rnn_lstm_forward", "rnn_forward"].arguments["x"]
    known = {"x": x, **call.steps[0], **values}
    for entry in parameters + entries(call.function, "many_returns"):
        for name in entry.names:
            hold(name, values[name], entry, call, known)


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_every_function_of_the_solution_is_held_to_its_docstring(assignment):
    assert set(SOURCES[assignment].answers) == {f for a, f in CALLS if a == assignment}


def markdown(assignment):
    """Return the text of a notebook."""
    cells = SOURCES[assignment].notebook.cells
    return "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def shapes_by_name(assignment):
    """Return the shapes of all arrays that an assignment's functions take and return."""
    found = {}
    for (own, _), call in CALLS.items():
        if own == assignment:
            values = {**call.steps[0], **call.arguments, **returned(call)}
            for held in (values, values.get("parameters", {}), values.get("gradients", {})):
                for name, value in held.items():
                    if isinstance(value, np.ndarray):
                        found.setdefault(name, set()).add(value.shape)
    if assignment == "lstm_fused_gates":  # whose gates are nobody's argument
        found |= {gate: {shape_of(assignment, gate)} for gate in "ifog"}
    return found


def shape_of(assignment, symbol):
    r"""Return the shape of what a formula calls, say, `c^{\langle t \rangle}` or `dz`."""
    for heading in CONTEXTS[assignment]:
        speaks_of = context(assignment, heading)
        try:
            value, _ = latex.sides(
                f"{symbol} = 0", speaks_of.value, speaks_of.gradient, speaks_of.numbers[0]
            )
        except (KeyError, NameError):  # this part of the notebook does not speak of it
            continue
        return np.shape(value)
    raise AssertionError(f"{assignment}: no formula speaks of {symbol}")


A_SHAPE = r"\$\(((?:\d?\w+(?: \+ )?(?:, ?)?)+)\)\$"
# Whose the shapes in sentences are, where no name stands before them.
IN_SENTENCES = {
    ("rnn_lstm_forward", "n_a, 1"): "b_a",
    ("rnn_lstm_forward", "n_a, n_a + n_x"): "W_f",
    ("rnn_lstm_backward", "n_a, m"): r"dz^{\langle t \rangle}",
    ("gru_bidirectional", "n_a, m"): r"\Gamma_r^{\langle t \rangle}",
    ("gru_bidirectional", "n_a, 1"): "b_r",
    ("lstm_fused_gates", "N, H"): "dz_i",
    ("lstm_fused_gates", "N, 4H"): "dz",
}


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_shapes_in_sentences(assignment):
    text = re.sub(r"^\|.*$", "", markdown(assignment), flags=re.MULTILINE)
    found = re.findall(rf"(?:`(\w+)` of shape )?{A_SHAPE}", text)
    for name, documented in found:
        if name:
            assert shape(documented) in shapes_by_name(assignment)[name]
        else:
            symbol = IN_SENTENCES[assignment, documented]
            assert shape(documented) == shape_of(assignment, symbol), documented
    listed = {text for own, text in IN_SENTENCES if own == assignment}
    assert {documented for name, documented in found if not name} == listed


def claims_of_tables():
    """Return what tables say: whose name or symbol it is, the name or symbol, its shape."""
    found = []
    for assignment in ASSIGNMENTS:
        for line in re.findall(r"^\|(.*)\|$", markdown(assignment), re.MULTILINE):
            if not re.search(A_SHAPE, line):
                continue
            one, other, *more = (cell.strip() for cell in line.split("|"))
            if one.startswith("$"):  # in formulas, in code, shape
                claims = [(assignment, one, more[0]), (assignment, other, more[0])]
            else:  # there, its shape, here, its shape
                claims = [("rnn_lstm_forward", one, other), (assignment, *more)]
            for own, names, shapes in claims:
                documented = itertools.cycle(re.findall(A_SHAPE, shapes))
                symbols = names.strip("$").split(", ") if names.startswith("$") else []
                named = symbols or re.findall(r"`\w+`(?: over `\w+`)?", names)
                found += [(own, *claim) for claim in zip(named, documented, strict=False)]
    return found


@pytest.mark.parametrize(("assignment", "name", "documented"), claims_of_tables())
def test_shapes_in_tables(assignment, name, documented):
    known, names = shapes_by_name(assignment), re.findall(r"`(\w+)`", name)
    if len(names) == 2:  # one array over the other
        (upper,), (lower,) = (known[own] for own in names)
        assert upper[1] == lower[1]
        assert shape(documented) == (upper[0] + lower[0], lower[1])
    elif names:
        assert shape(documented) in known[names[0]]
    else:
        assert shape(documented) == shape_of(assignment, name)


def test_caches_are_named_alike_everywhere():
    """In the docstring, in what checks and tests call the entries, and in the text."""
    notebook, text = SOURCES["rnn_lstm_forward"].notebook, markdown("rnn_lstm_forward")
    for network in ("rnn", "lstm"):
        documented = find_entry(f"{network}_cell_forward", "cache").text.strip("()")
        cells = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
        (named,) = re.findall(rf'^{network}_cache = \(?\s*"(.*)"', cells, re.MULTILINE)
        assert named == documented
    number, listed = re.search(r"The `cache` has (\w+) entries[^:]*:([^.]*)\.", text).groups()
    assert number == "ten"
    assert documented.count(",") == 9
    names = re.findall(r"`(\w+)`", listed)
    assert ", ".join(names) in documented
    assert len(names) == 4


def test_shapes_in_the_training():
    """The functions that are given with the training say which shapes they return."""
    cells = {cell.id: cell.source for cell in SOURCES["rnn_lstm_backward"].notebook.cells}
    names = {}
    for cell in ("setup", "train-data", "train-read-out"):
        exec(cells[cell], names)
    x, y, _ = names["draw_batch"](RNG, M)
    y_hat, *_ = names["read_out"](RNG.random(STATE), y, RNG.random((4, N_A)), RNG.random((4, 1)))
    docstrings = f"{names['draw_batch'].__doc__} {names['read_out'].__doc__}"
    documented = dict(re.findall(r"(\w+) \((\w+(?:, \w+)+)\)", docstrings))
    real = {"x": x.shape, "y": y.shape, "y_hat": y_hat.shape}
    assert {name: shape(text) for name, text in documented.items()} == real
