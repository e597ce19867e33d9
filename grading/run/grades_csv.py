"""grades.csv: the table of marks of a class, a row per student."""

from __future__ import annotations

from collections.abc import Iterator

from grading.book import Class, Entry, Place
from grading.run.certificate import Certificate
from grading.sheets import column_titles


def grade_rows(certificates: Iterator[Certificate], class_: Class) -> Iterator[list[object]]:
    """Yield the table of marks: a row per student, with the points of the grade book."""
    rows, places = [], dict[Place, None]()
    for each in certificates:
        marks = {Place(m.notebook, m.cell): m for m in each.cells}
        entry = class_.entries.get(each.student_id) or Entry(each.student_id)
        points = {place: entry.points.get(place, m.points) for place, m in marks.items()}
        places |= dict.fromkeys(points)
        score = entry.score if entry.handed_in else each.score
        waiting = [place for place, grade in entry.grades.items() if grade.waits]
        told = each.status, each.note  # and no certificate, of which there may be many thousands
        rows.append(([each.student_id, score, class_.max_score], points, told, waiting))
    titles = column_titles(places)
    yield ["student_id", "score", "max_score", *titles.values(), "status", "note"]
    for start, points, (status, said), waiting in rows:
        names = ", ".join(titles.get(place, place.cell) for place in waiting)
        note = "; ".join(filter(None, [said, names and f"to be marked by hand: {names}"]))
        yield [*start, *(points.get(place, 0.0) for place in titles), status, note]
