"""grades.csv: the table of marks of a class, a row per student."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from grading.book import Class, Entry, Place
from grading.entries import late_note
from grading.run.certificate import Certificate
from grading.sheets import column_titles


class Row(NamedTuple):
    """What the table shows of a certificate, of which there may be many thousands."""

    student: str
    score: float
    points: dict[Place, float]
    status: str
    note: str


def row_of(each: Certificate) -> Row:
    """Return what the table shows of a certificate."""
    points = {Place(mark.notebook, mark.cell): mark.points for mark in each.cells}
    return Row(each.student_id, each.score, points, each.status, each.note)


def grade_rows(rows: Iterable[Row], class_: Class) -> Iterator[list[object]]:
    """Yield the table of marks: a row per student, with the points of the grade book."""
    rows = list(rows)
    titles = column_titles(dict.fromkeys(place for row in rows for place in row.points))
    yield ["student_id", "score", "max_score", *titles.values(), "status", "note"]
    for row in rows:
        entry = class_.entries.get(row.student) or Entry(row.student)
        held = {place: entry.points.get(place, points) for place, points in row.points.items()}
        score = entry.score if entry.handed_in else row.score
        waiting = [place for place, grade in entry.grades.items() if grade.waits]
        names = ", ".join(titles.get(place, place.cell) for place in waiting)
        by_hand = names and f"to be marked by hand: {names}"
        late = late_note(entry.penalty)
        note = "; ".join(filter(None, [late, row.note, by_hand]))
        points = [held.get(place, 0.0) for place in titles]
        yield [row.student, score, class_.max_score, *points, row.status, note]
