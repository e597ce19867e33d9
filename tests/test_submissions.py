"""Submissions in, marks out: code as it stands in published solutions of these exercises."""

import contextlib
import io
from pathlib import Path

import pytest

from grading.authoring.prove import STUB
from grading.authoring.prove import marks_of as run_marks
from grading.demo import submissions as demo_class
from grading.marking.current import marking
from grading.marking.naming import Outcomes
from grading.rooms import Nursery
from grading.source import course_root, read_source
from grading.source.cells import with_answers

ROOT = course_root(Path(__file__).parent)
SOURCE = read_source("rnn_lstm_forward", ROOT)
OUTCOMES = Outcomes(SOURCE)
STUBS = dict.fromkeys(SOURCE.answers, STUB)

CELL_WITH_OWN_SOFTMAX = """
def rnn_cell_forward(xt, a_prev, parameters):
    Wax, Waa, Wya = parameters["Wax"], parameters["Waa"], parameters["Wya"]
    a_next = np.tanh(np.dot(Wax, xt) + np.dot(Waa, a_prev) + parameters["ba"])
    z = np.dot(Wya, a_next) + parameters["by"]
    yt_pred = np.exp(z) / np.sum(np.exp(z), axis=0, keepdims=True)
    return a_next, yt_pred, (a_next, a_prev, xt, parameters)
"""
RNN_LOOP = """
def rnn_forward(x, a0, parameters):
    caches = []
    n_x, m, T_x = x.shape
    n_y, n_a = parameters["Wya"].shape
    a, y_pred = np.zeros((n_a, m, T_x)), np.zeros((n_y, m, T_x))
    a_next = a0
    for t in range(T_x):
        a_next, yt_pred, cache = rnn_cell_forward(x[:, :, t], a_next, parameters)
        a[:, :, t], y_pred[:, :, t] = a_next, yt_pred
        caches.append(cache)
    return a, y_pred, (caches, x)
"""
LSTM_CELL_WITH_SLICES = """
def lstm_cell_forward(xt, a_prev, c_prev, parameters):
    Wf, Wi, Wc, Wo = (parameters[k] for k in ("Wf", "Wi", "Wc", "Wo"))
    bf, bi, bc, bo = (parameters[k] for k in ("bf", "bi", "bc", "bo"))
    n_x, m = xt.shape
    n_y, n_a = parameters["Wy"].shape
    both = np.zeros((n_x + n_a, m))
    both[:n_a, :] = a_prev
    both[n_a:, :] = xt
    ft, it = sigmoid(np.dot(Wf, both) + bf), sigmoid(np.dot(Wi, both) + bi)
    cct = np.tanh(np.dot(Wc, both) + bc)
    c_next = np.multiply(ft, c_prev) + np.multiply(it, cct)
    ot = sigmoid(np.dot(Wo, both) + bo)
    a_next = np.multiply(ot, np.tanh(c_next))
    yt_pred = softmax(np.dot(parameters["Wy"], a_next) + parameters["by"])
    cache = (a_next, c_next, a_prev, c_prev, ft, it, cct, ot, xt, parameters)
    return a_next, c_next, yt_pred, cache
"""
OWN_SIGMOID = """
def sigmoid(x):
    return 1 / (1 + np.exp(-x))
"""
LSTM_LOOP = """
def lstm_forward(x, a0, parameters):
    caches = []
    n_x, m, T_x = x.shape
    n_y, n_a = parameters["Wy"].shape
    a, c = np.zeros((n_a, m, T_x)), np.zeros((n_a, m, T_x))
    y = np.zeros((n_y, m, T_x))
    a_next, c_next = a0, np.zeros(a0.shape)
    for t in range(T_x):
        out = lstm_cell_forward(x[:, :, t], a_next, c_next, parameters)
        a_next, c_next, y[:, :, t], cache = out
        a[:, :, t], c[:, :, t] = a_next, c_next
        caches.append(cache)
    return a, y, c, (caches, x)
"""
SIZE_NEVER_READ = LSTM_CELL_WITH_SLICES.replace('    n_y, n_a = parameters["Wy"].shape\n', "")
SIZE_NEVER_READ = SIZE_NEVER_READ.replace("n_x + n_a", 'n_x + parameters["Wy"].shape[1]')
NO_PREDICTION_WEIGHTS = LSTM_CELL_WITH_SLICES.replace(
    'np.dot(parameters["Wy"], a_next) + parameters["by"]', "a_next"
)


@pytest.fixture(scope="module")
def rooms():
    with Nursery(hidden=[ROOT]) as rooms:
        yield rooms


@pytest.fixture
def marks_of(rooms):
    """Return what marks a notebook with these solution cells, and the others not written."""

    def mark(**answers):
        notebook = with_answers(SOURCE.notebook, STUBS | answers)
        return {each.function: each for each in run_marks(notebook, OUTCOMES, rooms)}

    return mark


def points(marks):
    return {name: mark.points for name, mark in marks.items()}


NONE = {"rnn_cell_forward": 0, "rnn_forward": 0, "lstm_cell_forward": 0, "lstm_forward": 0}


@pytest.mark.parametrize(
    "sources",
    [
        {"lstm_cell_forward": LSTM_CELL_WITH_SLICES, "lstm_forward": LSTM_LOOP},
        {"lstm_cell_forward": LSTM_CELL_WITH_SLICES},
        {
            "rnn_cell_forward": CELL_WITH_OWN_SOFTMAX,
            "rnn_forward": RNN_LOOP,
            "lstm_cell_forward": LSTM_CELL_WITH_SLICES + OWN_SIGMOID,
            "lstm_forward": LSTM_LOOP,
        },
    ],
    ids=["lstm_alone", "lstm_cell_alone", "all_with_own_softmax_and_sigmoid"],
)
def test_published_solutions_earn_all_they_fill(marks_of, sources):
    assert points(marks_of(**sources)) == NONE | dict.fromkeys(sources, 25)


def test_size_never_read_earns_nothing_and_says_why(marks_of):
    marks = marks_of(
        lstm_cell_forward=SIZE_NEVER_READ.replace(
            'np.dot(parameters["Wy"], a_next) + parameters["by"]', "a_next"
        ),
        lstm_forward=LSTM_LOOP,
    )
    assert points(marks) == NONE | {"lstm_forward": 25}
    assert marks["lstm_cell_forward"].note.startswith("`n_a` is used, but no line gives it a value")


def test_prediction_without_its_weights_is_named(marks_of):
    marks = marks_of(lstm_cell_forward=NO_PREDICTION_WEIGHTS, lstm_forward=LSTM_LOOP)
    assert marks["lstm_cell_forward"].points < 25
    assert marks["lstm_cell_forward"].mistake == "prediction_without_wy"
    assert marks["lstm_forward"].points == 25


@pytest.mark.parametrize("cell", ["def f(:", STUB, "rnn_cell_forward = 7"])
def test_loop_keeps_its_points_whatever_the_cell_is(marks_of, cell):
    marks = marks_of(rnn_cell_forward=cell, rnn_forward=RNN_LOOP)
    assert points(marks) == NONE | {"rnn_forward": 25}


def test_warnings_cost_nothing(marks_of):
    warn = "    import sys, warnings\n    warnings.warn('x')\n    np.exp(np.array(1e9))\n"
    warn += "    print('y', file=sys.stderr)\n"
    loud = CELL_WITH_OWN_SOFTMAX.replace("    Wax,", warn + "    Wax,")
    assert points(marks_of(rnn_cell_forward=loud)) == NONE | {"rnn_cell_forward": 25}


@pytest.mark.parametrize("printed", ["print(25.0)", "25.0", "import math; math.nan"])
def test_nothing_that_a_cell_prints_is_a_mark(marks_of, printed):
    body = f"def rnn_cell_forward(*arguments):\n    {printed}\n    return 25.0\n{printed}"
    assert points(marks_of(rnn_cell_forward=body)) == NONE


def marks_in_one_process(notebook):
    """Mark a notebook as one process would, with nothing between student and tests."""
    names = {"__name__": "__main__"}
    with marking(OUTCOMES) as results, contextlib.redirect_stdout(io.StringIO()):
        for cell in notebook.cells:
            if cell.cell_type == "code" and "picture" not in cell.id:
                with contextlib.suppress(Exception):
                    exec(compile(cell.source, f"<{cell.id}>", "exec"), names)
    return dict.fromkeys(SOURCE.answers, 0) | {each.function: each.points for each in results}


@pytest.mark.parametrize(
    ("student", "answers"),
    [(name, cells) for name, cells in demo_class(SOURCE) if name != "endless_loop"],
)
def test_rooms_change_no_mark(marks_of, student, answers):
    expected = marks_in_one_process(with_answers(SOURCE.notebook, STUBS | answers))
    assert points(marks_of(**answers)) == expected
