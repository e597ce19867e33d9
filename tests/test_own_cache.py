"""Backward functions on caches of the student's own; forward functions are right or wrong."""

import contextlib
import io
from pathlib import Path

import numpy as np
import pytest

from grading.marking.current import marking
from grading.marking.naming import Outcomes
from grading.source import course_root, read_source
from rnn_marking.inputs import (
    fused_gradients,
    fused_inputs,
    fused_step_gradients,
    fused_step_inputs,
    lstm_cell_inputs,
)
from rnn_marking.own_cache import OWN_CACHE, BackwardTest, ForwardTest

ROOT = course_root(Path(__file__).parent)
SOURCE = read_source("lstm_fused_gates", ROOT)
OUTCOMES = Outcomes(SOURCE)
CACHE = "(x, prev_h, prev_c, i, f, o, g, Wx, Wh, next_c)"
UNPACK = "x, prev_h, prev_c, i, f, o, g, Wx, Wh, next_c = cache"

# What a student may put into the cache of a step, and how it is read again.
LAYOUTS = {
    "tuple": (CACHE, UNPACK),
    "dict": (
        "{'states': (prev_h, prev_c, next_h, next_c), 'gates': [g, o, f, i], 'in': (x, Wx, Wh)}",
        "prev_h, prev_c, _, next_c = cache['states']; g, o, f, i = cache['gates'];"
        " x, Wx, Wh = cache['in']",
    ),
    "gates in another order": (
        "(np.hstack((f, i, g, o)), x, prev_h, prev_c, Wx, Wh, next_c)",
        "gates, x, prev_h, prev_c, Wx, Wh, next_c = cache; f, i, g, o = np.split(gates, 4, 1)",
    ),
    "arguments alone": (
        "(x, prev_h, prev_c, Wx, Wh, b)",
        "x, prev_h, prev_c, Wx, Wh, b = cache; z = x @ Wx + prev_h @ Wh + b;"
        " i, f, o, g = np.split(z, 4, 1); i, f, o, g = *map(sigmoid, (i, f, o)), np.tanh(g);"
        " next_c = f * prev_c + i * g",
    ),
    "closure": (f"lambda: {CACHE}", f"{UNPACK}()"),
    "namedtuple": (
        f"__import__('collections').namedtuple('C', 'a b c d e f g h i j')(*{CACHE})",
        UNPACK,
    ),
    "object": (f"type('Cache', (), {{'kept': {CACHE}}})()", f"{UNPACK}.kept"),
}
BACK = ["dx", "dprev_h", "dprev_c", "dWx", "dWh", "db"]
BACK_SEQUENCE = ["dx", "dh0", "dWx", "dWh", "db"]
RIGHT_CACHE = "Marked with a right cache, in the layout of the docstring."
LENT = "Marked with the right `lstm_step_forward`, `lstm_step_backward` in place of yours."


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
    versions = (v for v in SOURCE.versions if v.function == function)
    return next(v for v in versions if v.name == name).text


def marked(test):
    """Return the kinds of check that fail, and what is said of the way of marking."""
    with contextlib.redirect_stdout(io.StringIO()):
        points = test.score()
    result = test.marking.results[-1]
    assert (result.function, result.points) == (test.name, points)
    return {check.kind for check in result.checks if check.wrong}, str(result.rule or "")


def kinds(names):
    return dict.fromkeys(["types", "shapes", *names, "arguments", "second call"], 1)


def mark_step(names):
    test = BackwardTest(
        names["lstm_step_backward"],
        names["lstm_step_forward"],
        ", ".join(BACK),
        points=kinds([*BACK, OWN_CACHE]),
    )
    test.call_both(fused_step_gradients(1, N=4, H=6), fused_step_inputs(2, N=4, D=3, H=6))
    test.assert_all()
    return marked(test)


def mark_sequence(names):
    test = BackwardTest(
        names["lstm_backward"],
        names["lstm_forward"],
        ", ".join(BACK_SEQUENCE),
        points=kinds([*BACK_SEQUENCE, OWN_CACHE]),
        of_sequence=True,
    )
    test.call_both(fused_gradients(1, N=4, T=5, H=6), fused_inputs(2, N=4, T=5, D=3, H=6))
    test.assert_all()
    return marked(test)


def mark_forward(names):
    test = ForwardTest(names["lstm_forward"], "h, cache", points=kinds(["h"]), of_sequence=True)
    test.call(**fused_inputs(2, N=4, T=5, D=3, H=6))
    test.assert_all()
    return marked(test)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_cache_is_right(layout):
    names = student(layout)
    assert mark_step(names) == (set(), "")
    assert mark_forward(names) == (set(), "")
    assert mark_sequence(names) == (set(), "")


@pytest.mark.filterwarnings("ignore:invalid value")  # of a student whose values are wrong
def test_a_wrong_step_forward_costs_the_backward_functions_nothing():
    """In the suggested layout: the right cache takes the place of the student's."""
    for wrong in SOURCE.mistakes("lstm_step_forward"):
        names = student(lstm_step_forward=wrong.text)
        assert mark_step(names)[0] == set(), wrong.name
    assert mark_step(names) == (set(), RIGHT_CACHE)
    assert mark_sequence(names) == (set(), LENT)


def test_a_right_cache_is_of_no_use_to_who_reads_another_layout():
    """Nothing is replaced inside a cache: what is wrong in the own one shows."""
    wrong = mistake("lstm_step_forward", "bias_dropped")
    assert mark_step(student("dict", lstm_step_forward=wrong))[0] >= {"dx", "dprev_h", "db"}


def test_two_errors_cost_their_points_each():
    """The backward function pays for its own mistake, and not for that of the forward one."""
    names = student(
        lstm_step_forward=mistake("lstm_step_forward", "candidate_in_third_place"),
        lstm_step_backward=mistake("lstm_step_backward", "db_averaged"),
    )
    assert mark_step(names) == ({"db"}, RIGHT_CACHE)


def test_a_wrong_step_forward_costs_nothing_where_the_step_backward_calls_it():
    """It takes the cell state from there, and the rest from a cache that holds the arguments."""
    put, read = LAYOUTS["arguments alone"]
    again = read.replace("f * prev_c + i * g", "lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b)[1]")
    wrong = SOURCE.answers["lstm_step_forward"].replace("f * prev_c +", "f +").replace(CACHE, put)
    back = SOURCE.answers["lstm_step_backward"].replace(UNPACK, again)
    names = SOURCE.namespace(lstm_step_forward=wrong, lstm_step_backward=back)
    said = "Marked with the right `lstm_step_forward` in place of yours."
    assert mark_step(names) == (set(), said)


def test_a_cache_that_lacks_what_backward_needs_costs_its_own_check_alone():
    """The forward function's values are right, so it has lost nothing for its cache."""
    forward = SOURCE.answers["lstm_step_forward"].replace(CACHE, CACHE.replace("prev_c", "next_c"))
    names = SOURCE.namespace(lstm_step_forward=forward)
    assert mark_step(names) == ({OWN_CACHE}, RIGHT_CACHE)


def test_derivatives_of_a_wrong_forward_function_are_wrong():
    """PyTorch's order of the gates, held to on both ways: no derivative of it counts."""
    names = student(
        lstm_step_forward=mistake("lstm_step_forward", "candidate_in_third_place"),
        lstm_step_backward=mistake("lstm_step_backward", "quarters_out_of_order"),
    )
    assert {"dWx", "dWh", "db"} <= mark_step(names)[0]


@pytest.mark.parametrize("name", ["h0_ignored", "first_step_left_out", "cache_left_empty"])
def test_a_wrong_loop_forward_costs_the_loop_backward_no_gradient(name):
    """Its values cost points in its own test; where they are right, its cache does in this one."""
    names = student(lstm_forward=mistake("lstm_forward", name))
    lost, _ = mark_sequence(names)
    assert lost == ({OWN_CACHE} if not mark_forward(names)[0] else set())


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
    assert len(calls) == 6  # forward, and backward twice


@pytest.mark.parametrize("cache", ["None", "'cache'", "[]", "{1: [i, [f, {}]]}", "1 / 0"])
def test_odd_caches_cost_their_own_check_alone(cache):
    """The backward function is right with another."""
    odd = SOURCE.answers["lstm_step_forward"].replace(CACHE, cache)
    names = SOURCE.namespace(lstm_step_forward=odd)
    lost, rule = mark_step(names)
    assert (lost, rule) == ({OWN_CACHE} if cache != "1 / 0" else set(), RIGHT_CACHE)
    assert mark_sequence(names) == (set(), LENT)


def test_a_second_call_that_returns_something_else_only_loses_points():
    names = student()
    calls = []
    right = names["lstm_step_backward"]

    def lstm_step_backward(*given):
        calls.append(given)
        return right(*given) if len(calls) % 2 else None

    assert mark_step({**names, "lstm_step_backward": lstm_step_backward})[0] == {"second call"}


def test_a_guess_for_each_call_is_no_more_than_one():
    names = student()
    right, calls = names["lstm_step_backward"], []

    def lstm_step_backward(*given):
        calls.append(given)
        factor = 1 if len(calls) in (3, 4) else 2  # the second way, and no longer
        return [factor * gradient for gradient in right(*given)]

    assert mark_step({**names, "lstm_step_backward": lstm_step_backward})[0] >= set(BACK)


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
    pairs = zip((next_h, next_c, *cache[3:7]), (a_next, c_next, it, ft, ot, cct), strict=True)
    for here, other in pairs:
        np.testing.assert_allclose(here, other.T, rtol=1e-12)
