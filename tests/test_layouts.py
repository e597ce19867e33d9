"""Backward functions on caches of any layout, with right and with wrong forward functions."""

import contextlib
import io
import time
from pathlib import Path

import numpy as np
import pytest
from rnn_marking.layouts import Steps

from grading.marking.naming import Outcomes
from grading.marking.test import marking
from grading.source import course_root, read_source
from rnn_marking.inputs import (
    fused_gradients,
    fused_inputs,
    fused_step_gradients,
    fused_step_inputs,
    lstm_cell_inputs,
)
from rnn_marking.own_cache import BackwardTest, ForwardTest

ROOT = course_root(Path(__file__).parent)
SOURCE = read_source("lstm_fused_gates", ROOT)
OUTCOMES = Outcomes(SOURCE)
CACHE = "(x, prev_h, prev_c, Wx, Wh, i, f, o, g, tanh_c)"
UNPACK = "x, prev_h, prev_c, Wx, Wh, i, f, o, g, tanh_c = cache"

# What a student may put into the cache of a step, and how it is read again.
LAYOUTS = {
    "tuple": (CACHE, UNPACK),
    "dict": (
        "{'states': (prev_h, prev_c, next_h, next_c), 'gates': [g, o, f, i], 'in': (x, Wx, Wh)}",
        "prev_h, prev_c, _, next_c = cache['states']; g, o, f, i = cache['gates'];"
        " x, Wx, Wh = cache['in']; tanh_c = np.tanh(next_c)",
    ),
    "gates side by side": (
        "[np.hstack((i, f, o, g)), x, (prev_h, prev_c), Wx, Wh, tanh_c]",
        "gates, x, (prev_h, prev_c), Wx, Wh, tanh_c = cache; i, f, o, g = np.split(gates, 4, 1)",
    ),
    "gates in another order": (
        "(np.hstack((f, i, g, o)), x, prev_h, prev_c, Wx, Wh, next_c)",
        "gates, x, prev_h, prev_c, Wx, Wh, c = cache; f, i, g, o = np.split(gates, 4, 1);"
        " tanh_c = np.tanh(c)",
    ),
    "gates on an axis": (
        "(np.stack((i, f, o, g)), x, prev_h, prev_c, Wx, Wh, tanh_c)",
        "(i, f, o, g), x, prev_h, prev_c, Wx, Wh, tanh_c = cache",
    ),
    "transposed": (
        "(np.vstack((i.T, f.T, o.T, g.T)), x.T, prev_h.T, prev_c.T, Wx, Wh, tanh_c.T)",
        "gates, x, prev_h, prev_c, Wx, Wh, tanh_c = cache; i, f, o, g = np.split(gates.T, 4, 1);"
        " x, prev_h, prev_c, tanh_c = x.T, prev_h.T, prev_c.T, tanh_c.T",
    ),
    "gates and sums": (
        "(x, prev_h, prev_c, i, f, o, g, Wx, Wh, next_c, z)",
        "x, prev_h, prev_c, i, f, o, g, Wx, Wh, c, z = cache; tanh_c = np.tanh(c);"
        " g = np.tanh(z[:, 3 * g.shape[1]:])",
    ),
    "sums alone": (
        "(x, prev_h, prev_c, Wx, Wh, z, next_c)",
        "x, prev_h, prev_c, Wx, Wh, z, c = cache; tanh_c = np.tanh(c);"
        " i, f, o, g = np.split(z, 4, 1); i, f, o, g = *map(sigmoid, (i, f, o)), np.tanh(g)",
    ),
    "with slopes": (
        "(x, prev_h, prev_c, Wx, Wh, i, f, o, g, tanh_c, 1 - tanh_c**2, {'di': i * (1 - i)})",
        "x, prev_h, prev_c, Wx, Wh, i, f, o, g, tanh_c, s, more = cache;"
        " tanh_c = np.sign(tanh_c) * np.sqrt(1 - s)",
    ),
    "arguments alone": (
        "(x, prev_h, prev_c, Wx, Wh, b)",
        "x, prev_h, prev_c, Wx, Wh, b = cache; z = x @ Wx + prev_h @ Wh + b;"
        " i, f, o, g = np.split(z, 4, 1); i, f, o, g = *map(sigmoid, (i, f, o)), np.tanh(g);"
        " tanh_c = np.tanh(f * prev_c + i * g)",
    ),
}
WRONG_STEPS = SOURCE.mistakes("lstm_step_forward")
BACK = ["dx", "dprev_h", "dprev_c", "dWx", "dWh", "db"]
BACK_SEQUENCE = ["dx", "dh0", "dWx", "dWh", "db"]


@pytest.fixture(autouse=True)
def in_the_marking():
    with marking(OUTCOMES):
        yield


def student(layout="tuple", **answers):
    """Return a student's functions: some answers replaced, and another layout of the cache."""
    put, read = LAYOUTS[layout]
    answers = {**SOURCE.answers, **answers}
    for name, old, new in (
        ("lstm_step_forward", CACHE, put),
        ("lstm_step_backward", UNPACK, read),
    ):
        assert old in answers[name]
        answers[name] = answers[name].replace(old, new)
    return SOURCE.namespace(**answers)


def mistake(function, name):
    return next(v for v in SOURCE.mistakes(function) if v.name == name).text


def marked(test):
    """Return the kinds of check that fail, and what is said of the way of marking."""
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        points = test.score()
    result = test.marking.results[-1]
    assert (result.function, result.points) == (test.name, points)
    rule = str(result.rule or "")
    assert rule in shown.getvalue()
    return {check.kind for check in result.checks if check.wrong}, rule


def kinds(names):
    return dict.fromkeys(["types", "shapes", *names, "arguments", "second call"], 1)


def mark_step(names):
    test = BackwardTest(
        names["lstm_step_backward"],
        names["lstm_step_forward"],
        ", ".join(BACK),
        points=kinds(BACK),
    )
    test.call(fused_step_gradients(1, N=4, H=6), fused_step_inputs(2, N=4, D=3, H=6))
    test.assert_all()
    return marked(test)


def mark_sequence(names):
    test = BackwardTest(
        names["lstm_backward"],
        names["lstm_forward"],
        ", ".join(BACK_SEQUENCE),
        step=names["lstm_step_forward"],
        points=kinds(BACK_SEQUENCE),
    )
    test.call(fused_gradients(1, N=4, T=5, H=6), fused_inputs(2, N=4, T=5, D=3, H=6))
    test.assert_all()
    return marked(test)


REPLACED = "Marked with right values in the place of the wrong ones in your cache."
LENT = "Marked with the right `lstm_step_forward` and `lstm_step_backward` in place of yours."


@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_cache_is_right(layout):
    names = student(layout)
    assert mark_step(names) == (set(), "")
    assert mark_sequence(names) == (set(), "")


@pytest.mark.filterwarnings("ignore:invalid value")  # of a student whose values are wrong
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_wrong_step_forward_costs_the_backward_functions_nothing(layout):
    for wrong in WRONG_STEPS[:: 1 if layout == "dict" else 2]:
        names = student(layout, lstm_step_forward=wrong.text)
        assert mark_step(names)[0] == set(), wrong.name
    assert mark_sequence(names)[0] == set()


def test_what_was_put_in_the_place_of_the_students_own_is_said():
    names = student(lstm_step_forward=mistake("lstm_step_forward", "bias_dropped"))
    assert mark_step(names)[1] == REPLACED
    assert mark_sequence(names)[1] == LENT


def test_two_errors_cost_their_points_each():
    """The backward function pays for its own mistake, and not for that of the forward one."""
    names = student(
        "gates side by side",
        lstm_step_forward=mistake("lstm_step_forward", "candidate_in_third_place"),
        lstm_step_backward=mistake("lstm_step_backward", "db_averaged"),
    )
    assert mark_step(names) == ({"db"}, REPLACED)


def test_gradients_of_the_students_own_wrong_forward_are_right():
    """PyTorch's order of the gates, held to on both ways."""
    names = student(
        lstm_step_forward=mistake("lstm_step_forward", "candidate_in_third_place"),
        lstm_step_backward=mistake("lstm_step_backward", "quarters_out_of_order"),
    )
    said = "Marked with the derivatives of your own `lstm_step_forward`."
    assert mark_step(names) == (set(), said)


def test_right_values_take_no_place_where_the_forward_function_is_right():
    """Else a cache that is read in the wrong order would be set right."""
    wrong = mistake("lstm_step_backward", "cache_unpacked_in_another_order")
    assert "dprev_c" in mark_step(SOURCE.namespace(lstm_step_backward=wrong))[0]


def test_steps_written_into_one_list_cost_the_loop_that_cannot_read_them():
    """Any layout may be meant, so the forward function loses nothing: no list is put in place."""
    forward = SOURCE.answers["lstm_forward"].replace("cache.append(step_cache)", "cache += [1]")
    assert mark_sequence(student(lstm_forward=forward))[0] >= {"dx", "dh0", "dWx"}


@pytest.mark.parametrize("name", ["h0_ignored", "first_step_left_out", "cache_left_empty"])
def test_a_wrong_loop_forward_costs_the_loop_backward_nothing(name):
    forward = mistake("lstm_forward", name)
    assert mark_sequence(student("dict", lstm_forward=forward)) == (set(), LENT)


def test_gradients_are_held_against_numeric_derivatives():
    """An error too small for the comparison with the solution is found."""
    backward = SOURCE.answers["lstm_step_backward"]
    for factor, lost in ((1 + 5e-7, {"dx", "dprev_h"}), (1 + 1e-9, set())):
        slightly = backward.replace("dz @ Wx.T, dz @ Wh.T,", f"{factor} * dz @ Wx.T,"
                                    f" {factor} * dz @ Wh.T,")  # fmt: skip
        assert mark_step(student(lstm_step_backward=slightly))[0] == lost


def test_right_work_needs_few_calls():
    calls = []
    names = {
        name: lambda *given, name=name, function=function: calls.append(name) or function(*given)
        for name, function in student().items()
        if name in SOURCE.answers
    }
    for name in names:
        names[name].__name__ = name
    mark_step(names)
    mark_sequence(names)
    assert len(calls) == 8


@pytest.mark.parametrize(
    "cache",
    [
        "None",
        "'cache'",
        "[]",
        "{1: [i, [f, {}]]}",
        "[np.full((4, 6), k + 0.5) for k in range(1000)]",
        "np.zeros((4, 6), int), np.zeros((0, 4, 6)), np.full((4, 24), np.nan), np.zeros((4, 6, 4))",
        "list(range(10000))",
    ],
)
def test_odd_caches_only_lose_points(cache):
    wrong = mistake("lstm_step_forward", "bias_dropped").replace(CACHE, cache)
    names = student() | SOURCE.namespace(lstm_step_forward=wrong)
    start = time.perf_counter()
    assert mark_step(names)[0] >= {"dx", "db"}
    mark_sequence(names)
    assert time.perf_counter() - start < 5


def test_lent_functions_refuse_what_would_take_all_memory():
    arguments = fused_inputs(2, N=4, T=5, D=3, H=6)
    steps = Steps(SOURCE, SOURCE.function("lstm_step_forward"), arguments)
    column, weights = np.ones((10**6, 1)), [arguments[name] for name in ("Wx", "Wh", "b")]
    with pytest.raises(ValueError, match="arguments of shapes"):
        steps.forward(column, column, column.T, *weights)
    with pytest.raises(ValueError, match="arguments of shapes"):
        steps.backward(column, column.T, steps.caches[0])
    with pytest.raises(ValueError, match="none that lstm_step_forward has returned"):
        steps.backward(arguments["h0"], arguments["h0"], {"step": 3})


def test_steps_missing_in_the_cache_of_a_sequence_are_named():
    arguments = fused_inputs(2, N=4, T=5, D=3, H=6)
    steps = Steps(SOURCE, SOURCE.function("lstm_step_forward"), arguments)
    a, b, c, d, e = steps.caches
    for whole in ([a, b, c, d, e], {"x": 1, "all": (e, d, c, b, a)}, (1, 2), arguments):
        assert steps.missing_in(whole) is None
    assert "at time step t = 1, 3" in str(steps.missing_in([a, c, (e, 1)]))
    assert "keeps nothing" in str(steps.missing_in((arguments["x"], [None] * 5)))
    assert "time step t = 4 stands in `cache` with other values" in str(
        steps.missing_in([a, b, c, d, tuple(entry + 1 for entry in e)])
    )
    assert steps.completed([b, e])[0] is a
    assert steps.completed({"x": (e, c)}) == {"x": tuple(reversed(steps.caches))}


@pytest.mark.parametrize(("calls_the_step", "wrong"), [(True, {"cache"}), (False, set())])
def test_steps_in_a_cache_are_held_against_those_that_were_returned(calls_the_step, wrong):
    """A loop that takes its steps by itself may put anything into its cache."""
    forward = SOURCE.answers["lstm_forward"].replace(
        "cache.append(step_cache)", "cache.append(tuple(2 * entry for entry in step_cache))"
    )
    if not calls_the_step:
        forward = "own_step = lstm_step_forward\n" + forward.replace("lstm_step_f", "own_step_f")
        forward = forward.replace("own_step_forward", "own_step")
    names = student(lstm_forward=forward)
    test = ForwardTest(
        names["lstm_forward"],
        "h, cache",
        step=names["lstm_step_forward"],
        points=kinds(["h", "cache"]),
    )
    test.call(**fused_inputs(2, N=4, T=5, D=3, H=6))
    test.assert_all()
    test.assert_steps_in_cache()
    assert marked(test)[0] == wrong


def test_a_second_call_that_returns_something_else_only_loses_points():
    wrong = mistake("lstm_step_forward", "bias_dropped")
    names = student(lstm_step_forward=wrong)
    calls = []
    right = names["lstm_step_backward"]

    def lstm_step_backward(*given):
        calls.append(given)
        return right(*given) if len(calls) % 2 else None

    assert mark_step({**names, "lstm_step_backward": lstm_step_backward})[0] == {"second call"}


def test_the_table_of_both_notations_is_true():
    """Transposed, the step is the cell of `rnn_lstm_forward`."""
    there = lstm_cell_inputs(5, n_x=3, n_a=4, n_y=2, m=6)
    weights = there["parameters"]
    W = np.hstack([weights[f"W{gate}"].T for gate in "ifoc"])
    b = np.concatenate([weights[f"b{gate}"].ravel() for gate in "ifoc"])
    states = [there[name].T for name in ("xt", "a_prev", "c_prev")]
    next_h, next_c, cache = SOURCE.function("lstm_step_forward")(*states, W[4:], W[:4], b)
    cell = read_source("rnn_lstm_forward", ROOT).function("lstm_cell_forward")
    a_next, c_next, _, (*_, ft, it, cct, ot, _, _) = cell(*there.values())
    pairs = zip((next_h, next_c, *cache[5:9]), (a_next, c_next, it, ft, ot, cct), strict=True)
    for here, other in pairs:
        np.testing.assert_allclose(here, other.T, rtol=1e-12)
