"""Known mistakes are named in code that looks nothing like the solution, at the right price."""

import functools
from pathlib import Path

import numpy as np
import pytest
import yaml

from grading.authoring.prove import not_reached
from grading.marking.hidden_data import sets_of
from grading.marking.naming import Outcomes
from grading.marking.solution import mark_solution
from grading.source import course_root, read_source

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
