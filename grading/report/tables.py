"""The figures of the class report as CSV."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from grading.report.statistics import USED, Statistics
from grading.sheets import write_rows


def write_tables(statistics: Statistics, folder: Path) -> None:
    """Write the figures."""
    write_rows(folder / "students.csv", student_rows(statistics))
    write_rows(folder / "checks.csv", item_rows(statistics))
    write_rows(folder / "mistakes.csv", mistake_rows(statistics))
    write_rows(folder / "attention.csv", attention_rows(statistics))


def student_rows(statistics: Statistics) -> Iterable[Sequence[object]]:
    """Yield a row per student who handed in."""
    names = ["student_id", "last_name", "first_name", "score", "max_score", "late_penalty"]
    titles = [statistics.titles[place] for place in statistics.places]
    yield [*names, *titles, "status", *USED, "rooms"]
    for entry in statistics.entries:
        student, points = entry.student_id, entry.points
        yield [
            *[student, entry.last_name, entry.first_name],
            *[entry.score, statistics.class_.max_score, entry.penalty],
            *[points.get(place, 0.0) for place in statistics.places],
            statistics.status[student],
            *[statistics.used[measure].get(student, "") for measure in USED],
            statistics.rooms.get(student, ""),
        ]


def item_rows(statistics: Statistics) -> Iterable[Sequence[object]]:
    """Yield a row per kind of check."""
    yield ["function", "check", "points", "students", "earned", "difficulty", "discrimination"]
    for item in statistics.items:
        yield [
            *[item.function, item.kind, item.points, len(statistics.marked), item.earned],
            round(item.difficulty, 4),
            "" if math.isnan(item.discrimination) else round(item.discrimination, 4),
        ]


def mistake_rows(statistics: Statistics) -> Iterable[Sequence[object]]:
    """Yield a row per student and mistake; the name is empty where none is known."""
    yield ["function", "mistake", "failing", "sentence", "student_id"]
    without = [*statistics.unwritten, *statistics.unnamed]
    for mistakes, known in [(statistics.mistakes, True), (without, False)]:
        for mistake in mistakes:
            what = [mistake.name, ""] if known else ["", mistake.name]
            for entry in mistake.students:
                yield [mistake.function, *what, mistake.sentence, entry.student_id]


def attention_rows(statistics: Statistics) -> Iterable[Sequence[object]]:
    """Yield a row per line that needs a person's eye."""
    yield ["student_id", "last_name", "first_name", "kind", "what"]
    for line in statistics.attention:
        entry = line.entry
        yield [entry.student_id, entry.last_name, entry.first_name, line.kind, line.what]
