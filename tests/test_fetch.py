"""The cell that fetches files where a student works is run nowhere in marking."""

import pytest
from ours import ASSIGNMENTS

from grading.marking.naming import Outcomes
from grading.marking.notebook import mark_notebook
from grading.rooms import Nursery
from grading.source import course_root, read_source
from grading.source.cells import Kind, kind_of, with_answers

ROOT = course_root()


def fetch_cell(notebook):
    (cell,) = (cell for cell in notebook.cells if kind_of(cell) is Kind.FETCH)
    return cell


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_each_notebook_has_one(assignment):
    assert "ADDRESS" in fetch_cell(read_source(assignment, ROOT).notebook).source


def test_it_is_not_run_and_costs_nothing():
    source = read_source("rnn_lstm_forward", ROOT)
    notebook = with_answers(source.notebook, {})
    cell = fetch_cell(notebook)
    cell.source = f"print('it ran')\n1 / 0\n{cell.source}"
    with Nursery(hidden=[ROOT]) as rooms:
        marked = mark_notebook(notebook, Outcomes(source), rooms)
    assert {result.points for result in marked.results.values()} == {25.0}
    assert cell.outputs == []
