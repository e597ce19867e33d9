"""Known mistakes are named in code that looks nothing like the solution, at the right price."""

import functools
from pathlib import Path

import numpy as np
import pytest
import yaml

from grading.authoring.prove import not_reached
from grading.marking.current import marking
from grading.marking.hidden_data import sets_of
from grading.marking.naming import Outcomes
from grading.marking.solution import mark_solution
from grading.source import Source, course_root, read_source

STYLES = yaml.safe_load(Path(__file__).with_name("styles.yaml").read_text())
CASES = [
    pytest.param(assignment, function, name, points, edits, id=f"{function}-{name or 'right'}")
    for assignment, functions in STYLES.items()
    for function, style in functions.items()
    for name, points, *edits in [["", 25], *style["mistakes"]]
]


@functools.cache
def outcomes_of(assignment):
    source = read_source(assignment, course_root(Path(__file__).parent))
    return Outcomes(source, sets_of(b"a secret of tests")[0])


@pytest.mark.parametrize(("assignment", "function", "name", "points", "edits"), CASES)
def test_a_mistake_in_a_style_of_its_own(assignment, function, name, points, edits):
    text = STYLES[assignment][function]["text"]
    for old, new in zip(edits[::2], edits[1::2], strict=True):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    outcomes = outcomes_of(assignment)
    unmoved = dict(not_reached(outcomes.source, function))  # by whatever it does
    with np.errstate(all="ignore"):  # wrong code divides by zero, and worse
        results = mark_solution(outcomes, **{function: text}, **unmoved).values()
    found = {result.function: (result.points, result.mistake or "") for result in results}
    assert found == {other: (25, "") for other in found} | {function: (points, name)}


def test_known_mistakes_are_built_once_and_before_they_are_asked_for(monkeypatch):
    outcomes = Outcomes(outcomes_of("rnn_lstm_forward").source, sets_of(b"another secret")[0])
    mark_solution(outcomes)
    with marking(outcomes):
        outcomes.work_out_mistakes()
    built = []
    real = Source.build
    monkeypatch.setattr(Source, "build", lambda *given: built.append(given[1]) or real(*given))
    known = outcomes.source.mistakes("lstm_forward")
    version = known[-1]
    results = mark_solution(outcomes, lstm_forward=version.text).values()
    assert {result.mistake for result in results} == {"", version.name}
    assert len(known) > 50 > 10 > len(built)  # those alone that fit in their first value
