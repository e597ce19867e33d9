"""The class report: one page for the instructor, and its figures as CSV.

`reports/<assignment>/report.html` needs nothing but itself. Beside it, in `report/`:

- `students.csv`: a row per student; points, status, time and memory
- `checks.csv`: a row per kind of check; difficulty and discrimination
- `mistakes.csv`: a row per student and mistake
- `attention.csv`: a row per line that needs a person's eye

Texts in the CSV files that a spreadsheet could take for a formula have an apostrophe in front:
see `grading.sheets.guard`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from nbgrader.api import Gradebook

from grading import CourseError
from grading.checks import code
from grading.report import plots
from grading.report.statistics import KINDS, USED, Check, Group, Statistics
from grading.results import StudentEntry, read_class
from grading.sheets import guard, write_rows

HERE = Path(__file__).parent
MOST_NAMES = 60  # of students in a line of the page; all are in the CSV files
MOST_LINES = 15  # of each kind of what needs a person's eye
MOST_GROUPS = 20  # of wrong results that have no name
MOST_BARS = 15  # of mistakes in the plot


def report(book: Gradebook, assignment: str, reports: Path) -> Path:
    """
    Write the class report of an assignment.

    Parameters
    ----------
    book : Gradebook
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
    statistics = Statistics(read_class(book, assignment), reports)
    if not statistics.entries:
        raise CourseError(
            f"{assignment}: nothing is graded yet; run `python -m grading grade {assignment}`"
        )
    write_tables(statistics, reports / "report")
    path = reports / "report.html"
    path.write_text(page(statistics), "utf-8")
    return path


# Tables


def write_tables(statistics: Statistics, folder: Path) -> None:
    """Write the figures as CSV."""
    for name, rows in [
        ("students", student_rows(statistics)),
        ("checks", check_rows(statistics)),
        ("mistakes", mistake_rows(statistics)),
        ("attention", attention_rows(statistics)),
    ]:
        guarded = ([guard(f) if isinstance(f, str) else f for f in row] for row in rows)
        write_rows(folder / f"{name}.csv", guarded)


def student_rows(statistics: Statistics) -> Iterable[Sequence[object]]:
    """Yield a row per student who handed in."""
    names = ["student_id", "last_name", "first_name", "score", "max_score", "late_penalty"]
    yield [*names, *statistics.functions, "status", *USED, "rooms"]
    for entry in statistics.entries:
        student = entry.student_id
        yield [
            *[student, entry.last_name, entry.first_name],
            *[entry.score, statistics.group.max_score, entry.penalty],
            *[entry.points.get(name, 0.0) for name in statistics.functions],
            statistics.status[student],
            *[statistics.used[measure].get(student, "") for measure in USED],
            statistics.rooms.get(student, ""),
        ]


def check_rows(statistics: Statistics) -> Iterable[Sequence[object]]:
    """Yield a row per kind of check."""
    yield ["function", "check", "points", "students", "earned", "difficulty", "discrimination"]
    for check in statistics.checks:
        yield [
            *[check.function, check.kind, check.points, len(statistics.marked), check.earned],
            round(check.difficulty, 4),
            "" if math.isnan(check.discrimination) else round(check.discrimination, 4),
        ]


def mistake_rows(statistics: Statistics) -> Iterable[Sequence[object]]:
    """Yield a row per student and mistake; the name is empty where none is known."""
    yield ["function", "mistake", "failing", "sentence", "student_id"]
    for groups, known in [(statistics.mistakes, True), (statistics.unnamed, False)]:
        for group in groups:
            what = [group.name, ""] if known else ["", group.name]
            for entry in group.students:
                yield [group.function, *what, group.sentence, entry.student_id]


def attention_rows(statistics: Statistics) -> Iterable[Sequence[object]]:
    """Yield a row per line that needs a person's eye."""
    yield ["student_id", "last_name", "first_name", "kind", "what"]
    for line in statistics.attention:
        entry = line.entry
        yield [entry.student_id, entry.last_name, entry.first_name, line.kind, line.what]


# The page


def page(statistics: Statistics) -> str:
    """Return the page."""
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {"points": points, "share": share, "names": names, "label": label}
    environment.filters["code"] = lambda text: Markup(code(text))
    group = statistics.group
    scores = np.array([entry.score for entry in statistics.entries])
    bins = distribution(scores, group.max_score)
    return environment.get_template("page.html.j2").render(
        it=statistics,
        css=Markup((HERE / "page.css").read_text("utf-8")),
        summary=summary(statistics, scores),
        attention=[
            (kind, list(lines), KINDS[kind])
            for kind, lines in groupby(statistics.attention, lambda line: line.kind)
        ],
        most_lines=MOST_LINES,
        bins=bins,
        functions=[function_row(statistics, name) for name in statistics.functions],
        checks=[
            (function, list(checks))
            for function, checks in groupby(statistics.checks, lambda check: check.function)
        ],
        mistakes=statistics.mistakes,
        unnamed=statistics.unnamed[:MOST_GROUPS],
        used=[used_row(statistics, measure) for measure in USED],
        heaviest=heaviest(statistics),
        plots={name: Markup(svg) for name, svg in draw(statistics, bins).items()},
        nan=math.isnan,
    )


def points(value: float) -> str:
    """Write points with at most two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def share(value: float) -> str:
    """Write a share as a percentage."""
    return "–" if math.isnan(value) else f"{value:.0%}"


def label(entry: StudentEntry) -> str:
    """Name a student, with the id."""
    own = entry.student_id
    return own if entry.name == own else f"{entry.name} ({own})"


def names(entries: list[StudentEntry]) -> str:
    """Name the first students, and count the others."""
    more = len(entries) - MOST_NAMES
    listed = ", ".join(label(entry) for entry in entries[:MOST_NAMES])
    return f"{listed} and {more} more, in mistakes.csv" if more > 0 else listed


def summary(statistics: Statistics, scores: np.ndarray) -> dict[str, str]:
    """Return what is said first."""
    full = int((scores >= statistics.group.max_score).sum())
    low, median, high = np.percentile(scores, [25, 50, 75])
    return {
        "Handed in": f"{len(scores) + statistics.unknown}",
        "Marked": f"{len(statistics.marked)}",
        "Mean": f"{points(scores.mean())} of {points(statistics.group.max_score)}",
        "Median": points(median),
        "Middle half": f"{points(low)} to {points(high)}",
        "Full marks": f"{full}",
    }


def distribution(scores: np.ndarray, max_score: float) -> list[tuple[str, int]]:
    """Count the scores in tenths of the maximum; full marks (and more) stand apart."""
    edges = np.linspace(0, max_score, 11)
    counts, _ = np.histogram(scores[scores < max_score], edges)
    tenths = [f"{points(a)} to < {points(b)}" for a, b in pairwise(edges)]
    full = points(max_score)
    return [*zip(tenths, map(int, counts), strict=True), (full, int((scores >= max_score).sum()))]


def function_row(statistics: Statistics, name: str) -> dict[str, object]:
    """Return what is said of a function's points."""
    most = statistics.group.max_points.get(name, 0.0)
    earned = np.array([entry.points.get(name, 0.0) for entry in statistics.entries])
    full, nothing = (earned >= most).mean(), (earned <= 0).mean()
    return {
        "name": name,
        "max": most,
        "mean": earned.mean(),
        "full": full,
        "part": 1 - full - nothing,
        "none": nothing,
        "followed": statistics.followed[name],
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


def heaviest(statistics: Statistics, count: int = 5) -> list[tuple[StudentEntry, list[float]]]:
    """Return the students whose work took longest."""
    seconds = statistics.used["seconds"]
    entries = sorted(statistics.marked, key=lambda e: -seconds.get(e.student_id, 0.0))[:count]
    return [
        (entry, [statistics.used[measure].get(entry.student_id, math.nan) for measure in USED])
        for entry in entries
    ]


# Plots


def draw(statistics: Statistics, bins: list[tuple[str, int]]) -> dict[str, str]:
    """Return the plots, as SVG; each has its numbers in a table beside it."""
    drawn = {
        "marks": plots.histogram(
            [label.replace(" to < ", "–") for label, _ in bins],
            [count for _, count in bins],
            "points",
            "Bar chart: how many students have how many points; the table has the numbers.",
        ),
        "functions": draw_functions(statistics),
    }
    if statistics.checks:
        drawn["checks"] = draw_checks(statistics.checks)
    if statistics.mistakes:
        drawn["mistakes"] = draw_mistakes(statistics.mistakes, len(statistics.marked))
    for measure, values in statistics.used.items():
        if values and measure != "cpu_seconds":
            drawn[measure] = draw_used(list(values.values()), USED[measure])
    return drawn


def draw_functions(statistics: Statistics) -> str:
    """Draw who earned all points of a function, some, or none."""
    rows = [function_row(statistics, name) for name in statistics.functions]
    return plots.shares(
        [row["name"] for row in rows],
        {
            called: [row[part] for row in rows]
            for called, part in [("all points", "full"), ("some", "part"), ("none", "none")]
        },
        "students",
        "Bar chart: for each function, the share of the students who earned all of its points, "
        "some of them, or none; the table has the numbers.",
    )


def draw_checks(checks: list[Check]) -> str:
    """Draw the share of the students who passed each check."""
    return plots.shares(
        [f"{check.function}: {check.kind}" for check in checks],
        {"earned": [check.difficulty for check in checks]},
        "share of the points earned",
        "Bar chart: for each check, the share of its points that the class earned; the table has "
        "the numbers.",
    )


def draw_mistakes(mistakes: list[Group], students: int) -> str:
    """Draw the most frequent mistakes."""
    shown = mistakes[:MOST_BARS]
    return plots.bars(
        [group.name for group in shown],
        [len(group.students) for group in shown],
        f"students, of {students}",
        f"Bar chart: the {len(shown)} most frequent mistakes, and how many students made each; "
        "the table has the numbers.",
    )


def draw_used(values: list[float], label: str) -> str:
    """Draw how much time or memory the students' work took."""
    counts, edges = np.histogram(values, bins=10)
    labels = [f"{a:.3g}–{b:.3g}" for a, b in pairwise(edges)]
    what = label.partition(" (")[0].lower()
    return plots.histogram(
        labels,
        [int(count) for count in counts],
        label,
        f"Bar chart: how much {what} the marking of how many students took, from "
        f"{min(values):.3g} to {max(values):.3g}; the table sums it up.",
    )
