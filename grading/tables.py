"""The tables that commands print."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from grading.authoring.prove import Proof
from grading.entries import late_note
from grading.intake.notes import listed
from grading.marking.result import total
from grading.run import Certificate
from grading.run.diff import Change, Difference

WIDE = 60  # characters of a table's columns of points


def totals_table(changed: list[Difference]) -> Table:
    """Return the table of totals that have changed."""
    table = Table("student", "total before", "after", "why", box=SIMPLE_HEAD, pad_edge=False)
    for each in changed:
        totals = ["-" if p is None else f"{p:g}" for p in (each.before, each.after)]
        table.add_row(escape(each.student_id), *totals, escape(each.reason))
    return table


def changes_table(found: list[Difference]) -> Table:
    """Return the table of all changed points; those who have the same change share a line."""
    alike: dict[Change, list[str]] = {}
    for each in found:
        for change in each.changes:
            alike.setdefault(change, []).append(each.student_id)
    table = Table("points of", "before", "after", "why", "for", box=SIMPLE_HEAD, pad_edge=False)
    for change, students in sorted(alike.items(), key=lambda pair: -len(pair[1])):
        points = ["-" if p is None else f"{p:g}" for p in (change.before, change.after)]
        who = listed(students) if len(students) > 1 else students[0]
        count = f"{len(students)} students: " if len(students) > 1 else ""
        table.add_row(escape(change.what), *points, escape(change.reason), escape(count + who))
    return table


def result_table(certificates: list[Certificate]) -> Table:
    """Return the table of a class: who, points per function (or notebook), total, note."""
    cells = next((each.cells for each in certificates if each.cells), [])
    names = [mark.function for mark in cells]
    if sum(max(map(len, name.split("_"))) + 1 for name in names) > WIDE:
        names = list(dict.fromkeys(mark.notebook for mark in cells))
    table = marks_table(["student"], names)
    table.add_column("total", justify="right")
    table.add_column("what is wrong", min_width=24)
    for each in certificates:
        points = [total(m.points for m in each.cells if m.notebook == n) for n in names]
        if len(names) == len(cells):
            points = [mark.points for mark in each.cells] or [0.0] * len(names)
        results = [mark.result for mark in each.cells if mark.result and mark.result.note]
        notes = dict.fromkeys(result.mistake or result.note for result in results)
        said = notes if each.status == "graded" else [each.note]
        note = "; ".join(filter(None, [late_note(each.late_penalty), *said]))
        is_graded = each.status != "not graded"  # else what the grade book has stays
        numbers = [f"{p:g}" if is_graded else "-" for p in [*points, each.score]]
        table.add_row(escape(each.student_id), *numbers, escape(note))
    return table


def proof_table(proofs: list[Proof]) -> Table:
    """Return the table of the proof: version, points per function, what is broken."""
    functions = [mark.function for mark in proofs[0].marks]
    table = marks_table(["function", "version"], functions)
    for proof in proofs:
        points = {mark.function: f"{mark.points:g}" for mark in proof.marks}
        table.add_row(proof.function, proof.name, *(points.get(each, "") for each in functions))
    return table


def marks_table(headings: list[str], functions: list[str]) -> Table:
    """Return an empty table with a narrow column per function."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    short = [name.removesuffix("_forward").removesuffix("_backward") for name in functions]
    for name in short if len(set(short)) == len(short) else functions:
        table.add_column(name.replace("_", "\n"), justify="right", no_wrap=True)
    return table
