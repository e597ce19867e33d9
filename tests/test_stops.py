"""Functions that stop: what is recognised, and what is said of it."""

import contextlib
import functools
import io
import json
import linecache
from pathlib import Path

import pytest

from grading.authoring.release import mistakes_of
from grading.marking.naming import Outcomes
from grading.marking.test import marking
from grading.source import course_root, read_source
from grading.source.cells import function_tested

ROOT = course_root(Path(__file__).parent)
FORWARD, BACKWARD, FUSED = "rnn_lstm_forward", "rnn_lstm_backward", "lstm_fused_gates"


@functools.cache
def outcomes_of(assignment):
    return Outcomes(read_source(assignment, ROOT))


@functools.cache
def known(assignment):
    return json.loads(json.dumps(mistakes_of(outcomes_of(assignment).source)))


def mark(assignment, function, answer):
    """Return the result of one function's test, and what the visible check shows of it."""
    outcomes = outcomes_of(assignment)
    source = outcomes.source
    table, names = known(assignment), source.namespace()
    names["FunctionTest"].report.__globals__["known"] = lambda: table
    file = f"<a student's {function}>"
    linecache.cache[file] = len(answer), None, answer.splitlines(keepends=True), file
    exec(compile(answer, file, "exec"), names)
    shown = io.StringIO()
    with marking(outcomes) as results:
        for name, text in source.tested.items():
            about = name.removeprefix("check_")
            with contextlib.redirect_stdout(shown if about == function else io.StringIO()):
                source.run(name, text, names)
            if name in source.tests and function_tested(name) == function:
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
    assert result.points == 0
    assert result.mistake == name
    assert f"→ {result.sentence}" in shown


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
    "another array is written to": (
        *(FORWARD, "rnn_forward"),
        ("a[:, :, t] = a_next", "a[:, :, t] = yt_pred"),
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
