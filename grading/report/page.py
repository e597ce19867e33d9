"""The class report's page."""

from __future__ import annotations

import math
import re
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
from markupsafe import Markup, escape

from grading import CourseError, typed
from grading.book import Book, Entry, Place
from grading.feedback.template import templates_in
from grading.report.plots import draw_all
from grading.report.statistics import KINDS, USED, Statistics
from grading.report.tables import write_tables

HERE = Path(__file__).parent
MOST_NAMES = 60  # of students in a line of the page; all are in the CSV files
MOST_LINES = 15  # of each kind of what needs a person's eye
MOST_UNNAMED = 20  # of wrong results that have no name


def write_report(book: Book, assignment: str, reports: Path) -> Path:
    """
    Write the class report of an assignment.

    Parameters
    ----------
    book : Book
    assignment : str
    reports : Path
        The folder `reports/<assignment>`, with the certificates in it.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    CourseError
        Where nothing is graded yet.
    """
    statistics = Statistics(book.read_class(assignment), reports)
    if not statistics.entries:
        raise CourseError(
            f"{assignment}: nothing is graded yet; run `{typed.command()} grade {assignment}`"
        )
    write_tables(statistics, reports / "report")
    path = reports / "report.html"
    path.write_text(render_page(statistics), "utf-8")
    return path


def render_page(statistics: Statistics) -> str:
    """Return the page."""
    filters = {"points": points, "share": share, "names": names, "shown_name": shown_name}
    templates = templates_in(HERE, **filters, breakable=breakable)
    class_ = statistics.class_
    scores = np.array([entry.score for entry in statistics.entries])
    bins = distribution(scores, class_.max_score)
    functions = [function_row(statistics, place) for place in statistics.places]
    return templates.get_template("page.html.j2").render(
        it=statistics,
        css=Markup((HERE / "page.css").read_text("utf-8")),
        summary=summary(statistics, scores),
        attention=[
            (kind, list(lines), KINDS[kind])
            for kind, lines in groupby(statistics.attention, lambda line: line.kind)
        ],
        most_lines=MOST_LINES,
        bins=bins,
        functions=functions,
        items=[
            (function, list(items))
            for function, items in groupby(statistics.items, lambda item: item.function)
        ],
        mistakes=statistics.mistakes,
        unnamed=statistics.unnamed[:MOST_UNNAMED],
        used=[used_row(statistics, measure) for measure in USED],
        heaviest=heaviest(statistics),
        plots={name: Markup(svg) for name, svg in draw_all(statistics, bins, functions).items()},
        nan=math.isnan,
    )


def points(value: float) -> str:
    """Write points with at most two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def share(value: float) -> str:
    """Write a share as a percentage."""
    return "–" if math.isnan(value) else f"{value:.0%}"


def shown_name(entry: Entry) -> str:
    """Name a student, with the id."""
    own = entry.student_id
    return own if entry.name == own else f"{entry.name} ({own})"


def breakable(text: str) -> Markup:
    """Let a name go on in the next line behind a part of it, and nowhere else."""
    return Markup(re.sub(r"(?<=[_.@])(?=\w)", "<wbr>", escape(text)))


def names(entries: list[Entry]) -> str:
    """Name the first students, and count the others."""
    more = len(entries) - MOST_NAMES
    listed = ", ".join(shown_name(entry) for entry in entries[:MOST_NAMES])
    return f"{listed} and {more} more, in mistakes.csv" if more > 0 else listed


def summary(statistics: Statistics, scores: np.ndarray) -> dict[str, str]:
    """Return what is said first."""
    full = int((scores >= statistics.class_.max_score).sum())
    low, median, high = np.percentile(scores, [25, 50, 75])
    waiting = sum(entry.is_open for entry in statistics.entries)
    wait = {"To be marked by hand": f"{waiting} of {len(scores)}"} if waiting else {}
    return {
        "Handed in": f"{len(scores) + statistics.unknown}",
        "Marked": f"{len(statistics.marked)}",
        "Mean": f"{points(scores.mean())} of {points(statistics.class_.max_score)}",
        "Median": points(median),
        "Middle half": f"{points(low)} to {points(high)}",
        "Full marks": f"{full}",
    } | wait


def distribution(scores: np.ndarray, max_score: float) -> list[tuple[str, int]]:
    """Count the scores in tenths of the maximum; full marks (and more) stand apart."""
    edges = np.linspace(0, max_score, 11)
    counts, _ = np.histogram(scores[scores < max_score], edges)
    tenths = [f"{points(a)} to < {points(b)}" for a, b in pairwise(edges)]
    full = points(max_score)
    return [*zip(tenths, map(int, counts), strict=True), (full, int((scores >= max_score).sum()))]


def function_row(statistics: Statistics, place: Place) -> dict[str, object]:
    """Return what is said of the points of a function, or of another graded cell, once marked."""
    most = statistics.class_.max_points[place]
    held = [entry.grades.get(place) for entry in statistics.entries]
    waiting = sum(grade is not None and grade.is_open for grade in held)
    marked = [grade for grade in held if grade is None or not grade.is_open]
    earned = np.array([grade.points if grade else 0.0 for grade in marked])
    full = (earned >= most).sum()
    nothing = ((earned <= 0) & (earned < most)).sum()
    return {
        "name": statistics.titles[place],
        "max": most,
        "mean": earned.mean() if marked else math.nan,
        "full": full / len(held),
        "part": (len(marked) - full - nothing) / len(held),
        "none": nothing / len(held),
        "waiting": waiting,
        "lent": statistics.lent[place],
    }


def used_row(statistics: Statistics, measure: str) -> dict[str, object]:
    """Return what is said of time or memory."""
    values = np.array(list(statistics.used[measure].values()) or [np.nan])
    middle, most = np.percentile(values, [50, 95])
    return {
        "label": USED[measure],
        "values": [middle, most, values.max(), values.sum()],
        "adds_up": measure != "peak_mb",
    }


def heaviest(statistics: Statistics, count: int = 5) -> list[tuple[Entry, list[float]]]:
    """Return the students whose work took longest."""
    seconds = statistics.used["seconds"]
    entries = sorted(statistics.marked, key=lambda e: -seconds.get(e.student_id, 0.0))[:count]
    return [
        (entry, [statistics.used[measure].get(entry.student_id, math.nan) for measure in USED])
        for entry in entries
    ]
