"""The published `dx[1][2]` of `lstm_backward`: wrong for years, and named when handed in."""

from pathlib import Path

import numpy as np
import pytest

from grading.authoring.prove import marks_of
from grading.marking.naming import Outcomes
from grading.rooms import Nursery
from grading.source import course_root, read_source
from grading.source.cells import with_answers
from rnn_utils import example

ROOT = course_root(Path(__file__).parent)
SOURCE = read_source("rnn_lstm_backward", ROOT)
RIGHT = [0.00218254, 0.28205375, -0.48292508, -0.43281115]
NOTHING_CARRIED_BACK = [-0.00173313, 0.08287442, -0.30545663, -0.43281115]


@pytest.fixture(scope="module")
def published():
    """Return da (4 steps) and caches (7 steps) as they were published."""
    shapes = {}
    for gate in "fioc":
        shapes |= {f"W{gate}": (5, 5 + 3), f"b{gate}": (5, 1)}
    drawn = example({"x": (3, 10, 7), "a0": (5, 10)}, shapes, {"da": (5, 10, 4)})
    da = drawn.pop("da")
    # No prediction was drawn; the forward pass wants its weights.
    drawn["parameters"] |= {"Wy": np.zeros((2, 5)), "by": np.zeros((2, 1))}
    *_, caches = read_source("rnn_lstm_forward", ROOT).function("lstm_forward")(*drawn.values())
    return da, caches


def gives(function, published, expected):
    """Tell whether this version of `lstm_backward` returns these numbers."""
    try:
        row = function(*published)["dx"][1][2]
    except Exception:  # many a mistake stops where da has fewer steps than the caches
        return False
    return np.shape(row) == (4,) and np.allclose(row, expected, rtol=0, atol=5e-9)


def test_solution_gives_the_true_gradient(published):
    dx = SOURCE.function("lstm_backward")(*published)["dx"]
    np.testing.assert_allclose(dx[1][2], RIGHT, rtol=0, atol=5e-9)


def test_carrying_nothing_back_gives_the_published_numbers_and_is_named(published):
    found = [
        version
        for version in SOURCE.mistakes("lstm_backward")
        if gives(SOURCE.build(version), published, NOTHING_CARRIED_BACK)
    ]
    version = found[0]  # with others, alike in this case, behind it
    assert "`da_prev`" in version.sentence
    assert "`dc_prev`" in version.sentence
    notebook = with_answers(SOURCE.notebook, {"lstm_backward": version.text})
    with Nursery(hidden=[ROOT]) as rooms:
        marks = {mark.function: mark for mark in marks_of(notebook, Outcomes(SOURCE), rooms)}
    assert marks["lstm_backward"].points < 25
    assert marks["lstm_backward"].mistake == version.name
    assert version.sentence in marks["lstm_backward"].note
