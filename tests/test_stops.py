"""Functions that stop: what is recognised, and what is said of it."""

import contextlib
import functools
import io
import json
import linecache
from pathlib import Path

import numpy as np
import pytest

from grading.marking.current import marking
from grading.marking.naming import Outcomes
from grading.outcomes import name_shape
from grading.source import course_root, read_source
from grading.source.cells import function_tested
from grading.stops import sizes_in

ROOT = course_root(Path(__file__).parent)
FORWARD, BACKWARD, FUSED = "rnn_lstm_forward", "rnn_lstm_backward", "lstm_fused_gates"


@functools.cache
def outcomes_of(assignment):
    return Outcomes(read_source(assignment, ROOT))


@functools.cache
def known(assignment):
    return json.loads((ROOT / "release" / assignment / "known_mistakes.json").read_text("utf-8"))


def mark(assignment, function, answer, tested=""):
    """Return the result of one function's test, and what the visible check shows of it."""
    outcomes = outcomes_of(assignment)
    source = outcomes.source
    table, names = known(assignment), source.namespace()
    names["FunctionTest"].report.__globals__["known"] = lambda: table
    file = f"<a student's {function}>"
    linecache.cache[file] = len(answer), None, answer.splitlines(keepends=True), file
    exec(compile(answer, file, "exec"), names)
    tested = tested or function
    shown = io.StringIO()
    with marking(outcomes) as results:
        for name, text in source.tested.items():
            about = name.removeprefix("check_")
            with contextlib.redirect_stdout(shown if about == tested else io.StringIO()):
                source.run(name, text, names)
            if name in source.tests and function_tested(name) == tested:
                return results[-1], shown.getvalue()


def written(assignment, function, *edits):
    """Return the solution of a function with some edits."""
    text = outcomes_of(assignment).source.answers[function]
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


# In words of their own: other names, other calls, the same mistake.
IN_OTHER_WORDS = {
    "np_append_for_a_list": (
        *(FORWARD, "rnn_forward"),
        *(
            ("caches = []", "kept = list()"),
            ("caches.append(cache)", "kept = np.append(kept, cache)"),
            ("(caches, x)", "(kept, x)"),
        ),
    ),
    "stacked_side_by_side": (
        *(FORWARD, "lstm_cell_forward"),
        ("np.concatenate((a_prev, xt), axis=0)", "np.concatenate([a_prev, xt], 1)"),
    ),
    "matrix_product_for_elementwise": (
        *(FORWARD, "lstm_cell_forward"),
        ("ft * c_prev + it * cct", "np.dot(ft, c_prev) + np.dot(it, cct)"),
    ),
    "caches_not_unpacked": (
        *(BACKWARD, "rnn_backward"),
        ("steps[t]", "caches[t]"),
    ),
}


@pytest.mark.parametrize("name", IN_OTHER_WORDS)
def test_a_mistake_that_stops_is_named_in_the_check_and_in_marking(name):
    assignment, function, *edits = IN_OTHER_WORDS[name]
    result, shown = mark(assignment, function, written(assignment, function, *edits))
    assert result.points == (20 if "append" in name else 0)
    assert result.mistake == name
    assert f"→ {result.sentence}" in shown


# What stops only in keeping the cache, or not only there; and the points.
SLIPS = {
    "added to an array": ((FORWARD, "rnn_forward", ("caches.append(", "caches += np.array(")), 20),
    "in the return": ((FORWARD, "rnn_forward", ("(caches, x)", "(np.array(caches), x)")), 20),
    "in a tuple": ((FORWARD, "rnn_forward", ("caches = []", "caches = ()")), 20),
    "a name that is not there": (
        (FORWARD, "rnn_cell_forward", ("= (a_next, a_prev, xt", "= (a_next, a_prev, x")),
        20,
    ),
    "a cache of their own": (
        (FUSED, "lstm_forward", ("cache.append(", "cache = np.append(cache, ")),
        24,
    ),
    "a left-over print": ((FORWARD, "rnn_forward", ("xt = x[", 'print("t" + t); xt = x[')), 20),
    "a value, too": ((FORWARD, "rnn_forward", ("y_pred[:, :, t] = yt", "y_pred[:, :, t] = y")), 0),
    "what a value needs": ((FORWARD, "rnn_forward", ("xt = x[:, :, t]", "xt = x[:, :, T]")), 0),
    "one dict of gradients": (
        (BACKWARD, "rnn_cell_backward", ("dba = np.sum(", "dba = sum_of(")),
        0,
    ),
}


@pytest.mark.parametrize("case", SLIPS)
def test_a_slip_in_keeping_the_cache_costs_types_and_cache_alone(case):
    (assignment, function, edit), points = SLIPS[case]
    result, shown = mark(assignment, function, written(assignment, function, edit))
    assert result.points == points
    wrong = {check.kind for check in result.checks if check.wrong}
    assert not points or wrong <= {"types", "cache", "caches"}
    assert ("without this line" in shown) == bool(points)


# Near a mistake of the table, and none of them.
OTHERS = {
    "another product does not fit": (
        *(FORWARD, "lstm_cell_forward"),
        ("ft * c_prev + it * cct", "ft @ it + it * cct"),
    ),
    "another list is appended to": (
        *(FORWARD, "rnn_forward"),
        ("caches.append(cache)", "caches = np.append([a], cache)"),
    ),
    "stops only where there is one step": (
        *(FORWARD, "rnn_forward"),
        ("a_next = a0", "a_next = a0; x[:, :, 1]"),
    ),
}


@pytest.mark.parametrize("case", OTHERS)
def test_what_stops_otherwise_is_named_nothing(case):
    assignment, function, *edits = OTHERS[case]
    result, shown = mark(assignment, function, written(assignment, function, *edits))
    assert result.points < result.max_points
    assert not result.mistake
    assert "→" not in shown


# What is changed; what the check says of it, in numbers; and what the marking says.
NOT_FITTING = {
    "product": (
        *(FORWARD, "rnn_cell_forward", ("Wax @ xt", "xt @ Wax")),
        "`xt` is (3, 10) = (n_x, m), `Wax` is (5, 3) = (n_a, n_x); the columns of the left must",
        "`xt` is (n_x, m), `Wax` is (n_a, n_x); the columns of the left must be the rows of the",
    ),
    "sum": (
        *(FORWARD, "rnn_cell_forward", ("+ ba)", "+ by)")),
        "`by` is (2, 1) = (n_y, 1); each axis must be of the same length in both, or of length 1",
        "`by` is (n_y, 1); each axis must be of the same length in both, or of length 1",
    ),
    "place": (
        *(FORWARD, "rnn_forward", ("a[:, :, t] = a_next", "a[:, :, t] = yt_pred")),
        "`a[:, :, t]` is (5, 10) = (n_a, m), `yt_pred` is (2, 10) = (2, m); what is written must",
        "`a[:, :, t]` is (n_a, m), `yt_pred` is (n_y, m); what is written must have the shape",
    ),
    "no tuple": (
        *(FORWARD, "lstm_cell_forward", ("(a_prev, xt), axis=0", "a_prev, xt")),
        "`xt` is (3, 10) = (n_x, m); the arrays belong into one tuple",
        "`xt` is (n_x, m); the arrays belong into one tuple",
    ),
    "key": (
        *(FORWARD, "rnn_cell_forward", ('parameters["ba"]', 'parameters["b"]')),
        'KeyError (`line 27: ba, by = parameters["b"], parameters["by"]`): \'b\'; the keys of'
        " `parameters` are Waa, Wax, Wya, ba, by",
        'KeyError (`line 27: ba, by = parameters["b"], parameters["by"]`): \'b\'',
    ),
    "key for a name": (
        *(FORWARD, "lstm_cell_forward", ('parameters["Wi"] @', "Wi @")),
        '`Wi` is a key of `parameters`: write `parameters["Wi"]`',
        '`Wi` is a key of `parameters`: write `parameters["Wi"]`',
    ),
    "attribute for a key": (
        *(FORWARD, "rnn_cell_forward", ('parameters["by"]', "parameters.by")),
        *2 * ('`by` is a key of `parameters`: write `parameters["by"]`',),
    ),
    "not NumPy's": (
        *(FORWARD, "rnn_cell_forward", ("softmax(Wya", "np.softmax(Wya")),
        *2 * ("it is no part of NumPy: write `softmax` alone",),
    ),
    "NumPy's, misspelt": (
        *(FORWARD, "rnn_forward", ("y_pred = np.zeros", "y_pred = np.zeroes")),
        *2 * ("a name much like it is `np.zeros`",),
    ),
    "a name, misspelt": (
        *(FORWARD, "rnn_cell_forward", ("@ a_prev", "@ aprev")),
        *2 * ("a name much like it is `a_prev`",),
    ),
    "too late": (
        *(FORWARD, "rnn_forward", ("a_next = a0  #", "a_nex = a0  #")),
        *2 * ("this function gives `a_next` a value, but not before this line",),
    ),
    "another def": (
        *(FORWARD, "rnn_cell_forward", ("(xt, a_prev, parameters):", "(xt, a_prev):")),
        "takes 2 positional arguments but 3 were given",
        "it is called with `xt`, `a_prev`, `parameters`: keep the line of its `def`",
    ),
    "call": (
        *(FUSED, "lstm_forward", ("next_c, Wx, Wh, b", "next_c, Wh, Wx, b")),
        "in the call of `lstm_step_forward`, `x[:, t]` is (3, 4) = (N, D), `next_h` is (3, 5)",
        "`Wh` is (H, 4H), `Wx` is (D, 4H), `b` is (4H)",
    ),
    "all zero": (
        *(FORWARD, "rnn_cell_forward", ("np.tanh(Waa", "0 * (Waa")),
        "`a_next[4]` is zero everywhere",
        "`a_next` is zero everywhere",
    ),
}


@pytest.mark.parametrize("case", NOT_FITTING)
def test_what_does_not_fit_is_shown_by_name_with_its_shape(case):
    assignment, function, edit, in_check, in_marking = NOT_FITTING[case]
    result, shown = mark(assignment, function, written(assignment, function, edit))
    assert in_check in shown
    assert any(in_marking in str(check.wrong) for check in result.checks)
    assert result.points == 0


def test_a_length_that_two_sizes_share_is_called_by_neither():
    text = "xt : ndarray, shape (n_x, m)\n`W` (n_a, n_a + n_x)"
    given = {"xt": np.ones((3, 10)), "parameters": {"W": np.ones((7, 10))}}
    sizes = sizes_in(text, given)
    assert name_shape("xt", (3, 10), sizes, True) == "(3, 10) = (n_x, m)"
    assert name_shape('p["W"]', (7, 10), sizes, True) == "(7, 10) = (n_a, n_a + n_x)"
    assert name_shape("both", (10, 3), sizes, True) == "(10, 3) = (10, n_x)"
    assert name_shape("both", (10, 4), sizes, False) == "(m = n_a + n_x, …)"


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (("caches = []", "import collections; caches = collections.deque()"), "holds a deque"),
        (("return a, ", "return np.matrix(a[0]), "), "is a matrix"),
        (
            ("return a, ", "return a.astype(object), "),
            "is an object array, expected one of fl",
        ),
        (("return a, ", "return a.astype(np.longdouble), "), "is a longdouble array, expected one"),
        (("caches = []", "caches = [np.ones(2, np.longdouble)]"), "holds a longdouble array"),
        (("return a, ", "return None, "), "`a` is None, not an array"),
    ],
)
def test_the_check_crosses_the_types_that_marking_does(edit, said):
    result, shown = mark(FORWARD, "rnn_forward", written(FORWARD, "rnn_forward", edit))
    assert said in str(result.checks[0].wrong)
    assert said in shown


def test_a_backward_function_waits_for_a_forward_one_that_stops():
    answer = written(FUSED, "lstm_step_forward", ("o * np.tanh", "oo * np.tanh"))
    _, shown = mark(FUSED, "lstm_step_forward", answer, "lstm_step_backward")
    assert "waits for a cache: your forward function stops, or returns none." in shown


@pytest.mark.parametrize("what", ["np.matrix(a_next)", "a_next.astype(np.longdouble)"])
@pytest.mark.parametrize(
    ("cell", "sequence"),
    [("rnn_cell_forward", "rnn_forward"), ("lstm_cell_forward", "lstm_forward")],
)
def test_a_type_that_a_cell_returns_costs_its_points_once(cell, sequence, what):
    answer = written(FORWARD, cell, ("return a_next, ", f"return {what}, "))
    assert mark(FORWARD, cell, answer)[0].points == 24
    result = mark(FORWARD, cell, answer, sequence)[0]
    assert (result.points, result.rule.fields) == (25, {"lent": [f"`{cell}`"]})
