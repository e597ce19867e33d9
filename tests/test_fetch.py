"""The cell that fetches files where a student works is run nowhere in marking."""

import pytest
from ours import ASSIGNMENTS

from grading.marking.naming import Outcomes
from grading.marking.notebook import mark_notebook
from grading.rooms import Nursery
from grading.source import course_root, read_source
from grading.source.cells import Kind, kind_of, with_answers

ROOT = course_root()


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_it_is_not_run_and_costs_nothing(assignment):
    source = read_source(assignment, ROOT)
    notebook = with_answers(source.notebook, {})
    (cell,) = (cell for cell in notebook.cells if kind_of(cell) is Kind.FETCH)
    cell.source = f"print('it ran')\n1 / 0\n{cell.source}"
    with Nursery(hidden=[ROOT]) as rooms:
        marked = mark_notebook(notebook, Outcomes(source), rooms)
    assert {result.points for result in marked.results.values()} == {25.0}
    assert cell.outputs == []
