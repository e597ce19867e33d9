"""The marks of an executed notebook: read from the record of its tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output

from grading.source.assignment import grade_id

RECORD = "rnn_checks"  # where an output's metadata holds the record of its test


@dataclass
class Mark:
    """
    What one function earned.

    Attributes
    ----------
    function : str
    points, max_points : float
    note : str
        One sentence: the named mistake, or what went wrong first; "" at full marks.
    mistake, sentence : str
        Name of the known mistake and what it tells the student, "" where there is none.
    rule : str
        What was put in the place of the student's own work, "" where nothing was.
    checks : list
        One dict per kind of check: kind, points, wrong.
    """

    function: str
    points: float
    max_points: float
    note: str = ""
    mistake: str = ""
    sentence: str = ""
    rule: str = ""
    checks: list[dict[str, Any]] = field(default_factory=list)


def is_test(cell: NotebookNode) -> bool:
    """Tell whether the cell is a test that earns points."""
    return cell.metadata.get("nbgrader", {}).get("grade", False) and cell.cell_type == "code"


def read_marks(notebook: NotebookNode) -> list[Mark]:
    """Return the mark of each function, in the order of the tests."""
    return [read_mark(cell) for cell in notebook.cells if is_test(cell)]


def read_mark(cell: NotebookNode) -> Mark:
    """Return the mark that an executed test cell holds."""
    mark = Mark(grade_id(cell).removeprefix("test_"), 0.0, float(cell.metadata.nbgrader.points))
    results = [o for o in cell.outputs if o.output_type == "execute_result"]
    record = results[-1].metadata.get(RECORD) if results else None
    if record is None:
        errors = [o for o in cell.outputs if o.output_type == "error"]
        mark.note = f"{errors[-1].ename}: {errors[-1].evalue}" if errors else "not run"
        return mark
    mark.points = record["points"]
    mark.checks = record["checks"]
    mark.mistake, mark.sentence = record["mistake"], record["sentence"]
    mark.rule = record["rule"]
    wrong = [check["wrong"] for check in mark.checks if check["wrong"]]
    mark.note = record["sentence"] or (wrong[0] if wrong else "")
    return mark


def settle(cell: NotebookNode, record: dict[str, Any] | None) -> None:
    """
    Put a test's record into its cell, and its points as the cell's one result.

    nbgrader reads points off outputs: anything on standard error is 0 points, `nan` and
    NumPy numbers are full marks. So the result is the float of the record, or 0.0, and
    what a warning wrote goes to standard output.

    Parameters
    ----------
    cell : NotebookNode
        An executed test cell. What it shows has no say in the points.
    record : dict or None
        What the test itself kept; None where it did not come to an end.
    """
    kept = [o for o in cell.outputs if o.output_type in ("stream", "display_data", "error")]
    for output in kept:
        if output.output_type == "stream":
            output.name = "stdout"
    points = 0.0
    if record is not None:
        kept = [o for o in kept if o.output_type != "error"]
        points = float(record["points"])
        if not 0 <= points <= cell.metadata.nbgrader.points:
            raise ValueError(f"{grade_id(cell)}: {points} points")
    metadata = {} if record is None else {RECORD: record}
    result = new_output("execute_result", {"text/plain": repr(points)}, metadata=metadata)
    cell.outputs = [*kept, result]
