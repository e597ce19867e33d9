"""Test cells as instructors write them for stock nbgrader: what they give there, they give here."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import NamedTuple

import pytest
from test_plain_tests import LIMITS, answer, graded, source

from grading.marking.naming import Outcomes
from grading.marking.notebook import mark_notebook
from grading.marking.solution import mark_solution
from grading.rooms import Nursery
from grading.source.cells import with_answers
from grading.source.running import compiled

FILE = Path(__file__).with_name("instructors_cells.txt")
# What cannot be asked, and what the author is told: a line with the expression.
REFUSED = {
    "isinstance_class": "`assert isinstance(d, Dog)` stops with CannotCross: `Dog` is",
    "eq_objects": "`assert P2(1) == P2(1)` stops with CannotCross: `P2(...)` is",
    "dataclass_eq": "`assert It2('a') == It2('a')` stops with CannotCross",
    "subclassing": "`class Square(Shape):` stops with CannotCross: `Shape` is",
    "generator_type": "`assert isinstance(evens(), types.GeneratorType)` stops with CannotCross",
    "warns": "`assert len(w) == 1 and issubclass(w[0].category, DeprecationWarning)` does not",
    "numpy_random_gen": "cannot be given a Generator",
}


class Example(NamedTuple):
    right: str
    wrong: str
    test: str


def examples() -> dict[str, Example]:
    """Return the cells of the file, by what they are about."""
    found = re.split(r"^== (\w+)\n", FILE.read_text("utf-8"), flags=re.MULTILINE)[1:]
    parts = (re.split(r"^-- (?:wrong|test)\n", text, flags=re.MULTILINE) for text in found[1::2])
    return {name: Example(*part) for name, part in zip(found[::2], parts, strict=True)}


EXAMPLES = examples()


def stock(which: str) -> dict[str, int]:
    """Return what a kernel finds, all cells in one process: 10 points where a test ends."""
    names: dict = {"__name__": "__main__"}
    points = {}
    for name, example in EXAMPLES.items():
        exec(compiled(getattr(example, which), f"of_{name}"), names)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compiled(example.test, name), names)
            points[name] = 10
        except Exception:
            points[name] = 0
    return points


@pytest.fixture(scope="module")
def marked():
    """Return the points of right and wrong answers, what their pages say, and what is refused."""
    cells = [answer(f"of_{name}", example.right) for name, example in EXAMPLES.items()]
    tests = [graded(name, example.test) for name, example in EXAMPLES.items()]
    both = source(*(cell for pair in zip(cells, tests, strict=True) for cell in pair))
    outcomes = Outcomes(both)
    found = {}
    with contextlib.closing(Nursery(LIMITS)) as rooms:
        mark_solution(outcomes, rooms)
        for which in ("right", "wrong"):
            texts = {f"of_{name}": getattr(each, which) for name, each in EXAMPLES.items()}
            notebook = with_answers(both.notebook, texts)
            found[which] = mark_notebook(notebook, outcomes, rooms).results
    return found, outcomes.tried.faults


@pytest.mark.parametrize("which", ["right", "wrong"])
def test_answers_earn_what_they_earn_in_one_process(marked, which):
    earned = {name: result.points for name, result in marked[0][which].items()}
    told = {**dict.fromkeys(REFUSED, 0), "matplotlib_gca": 0}  # pyplot's own figure is in the room
    expected = {**stock(which), **told}
    assert earned == expected
    assert set(expected.values()) == ({0, 10} if which == "right" else {0})


def test_what_cannot_be_asked_is_a_line_with_the_expression(marked):
    assert marked[1].keys() == REFUSED.keys()
    for name, said in REFUSED.items():
        assert said in marked[1][name] and "\n" not in marked[1][name]
