"""The plots of the class report: SVG that takes its colours and letters from the page."""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

from grading.report.statistics import USED, Item, SameMistake, Statistics

# Stand for the page's own colours, light or dark, until the SVG is written.
INK, RULE, BAR, PART, NONE = "#010101", "#020202", "#030303", "#040404", "#050505"
VARIABLES = {INK: "ink", RULE: "rule", BAR: "bar", PART: "part", NONE: "none"}
PLOT_STYLE: dict[RcKeyType, object] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "report",  # the same figure, the same file
    "text.parse_math": False,
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": RULE,
    "axes.labelcolor": INK,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": RULE,
    "grid.linewidth": 0.5,
    "figure.facecolor": "none",
    "hatch.linewidth": 0.6,
}
WIDTH = 4.9  # inches: as wide as a phone, so that letters stay readable there
MOST_BARS = 15  # of mistakes


def draw_all(
    statistics: Statistics, bins: Sequence[tuple[str, int]], functions: Sequence[dict]
) -> dict[str, str]:
    """
    Return the plots, as SVG; each has its numbers in a table beside it: `bins`, `functions`.

    Bars that are all as long say nothing, and are left out.
    """
    drawn = {
        "marks": histogram(
            [label.replace(" to < ", "–") for label, _ in bins],
            [count for _, count in bins],
            "points",
            "Bar chart: how many students have how many points; the table has the numbers.",
        ),
        "functions": draw_functions(functions, len(statistics.entries)),
    }
    if differ(item.difficulty for item in statistics.items):
        drawn["checks"] = draw_items(statistics.items)
    frequent = statistics.mistakes[:MOST_BARS]
    if differ(len(mistake.students) for mistake in frequent):
        drawn["mistakes"] = draw_mistakes(frequent, len(statistics.marked))
    for measure, values in statistics.used.items():
        if values and measure != "cpu_seconds":
            drawn[measure] = draw_used(list(values.values()), USED[measure])
    return drawn


def differ(lengths: Iterable[float]) -> bool:
    """Tell whether bars are not all as long."""
    return len(set(lengths)) > 1


def draw_functions(functions: Sequence[dict], students: int) -> str:
    """Draw who earned all points of a function, some, or none."""
    return shares(
        [row["name"] for row in functions],
        {
            called: [row[part] for row in functions]
            for called, part in [("all points", "full"), ("some", "part"), ("none", "none")]
        },
        f"students, of {students}",
        "Bar chart: for each function, the share of the students who earned all of its points, "
        "some of them, or none; the table has the numbers.",
    )


def draw_items(items: Sequence[Item]) -> str:
    """Draw the share of the students who passed each check."""
    return shares(
        [f"{item.function}: {item.kind}" for item in items],
        {"earned": [item.difficulty for item in items]},
        "share of the points earned",
        "Bar chart: for each check, the share of its points that the class earned; the table has "
        "the numbers.",
    )


def draw_mistakes(mistakes: Sequence[SameMistake], students: int) -> str:
    """Draw the most frequent mistakes."""
    return bars(
        [mistake.name for mistake in mistakes],
        [len(mistake.students) for mistake in mistakes],
        f"students, of {students}",
        f"Bar chart: the {len(mistakes)} most frequent mistakes, and how many students made each; "
        "the table has the numbers.",
    )


def draw_used(values: list[float], label: str) -> str:
    """Draw how much time or memory the students' work took."""
    edges = round_edges(values)
    counts, _ = np.histogram(values, edges)
    what = label.partition(" (")[0].lower()
    alt = (
        f"Bar chart: how much {what} the marking of how many students took, from "
        f"{min(values):.3g} to {max(values):.3g}; the table sums it up."
    )
    with matplotlib.rc_context(PLOT_STYLE):
        figure, axes = new_figure(2.4)
        axes.bar(edges[:-1], counts, 0.92 * np.diff(edges), align="edge", color=BAR)
        axes.set_xticks(edges, [f"{edge:g}" for edge in edges])
        axes.yaxis.set_major_locator(whole_numbers())
        axes.set(xlabel=label, ylabel="students")
        return svg(figure, alt)


def round_edges(values: Sequence[float]) -> np.ndarray:
    """Return the edges of up to eight classes of values: round numbers, equally far apart."""
    most = max(values)
    least = min(min(values), 0.9 * most)  # what differs by less than a tenth is one class or two
    edges = MaxNLocator(8, steps=[1, 2, 2.5, 5, 10]).tick_values(least, most or 1.0)
    return np.round(edges, 6)


def whole_numbers() -> MaxNLocator:
    """Return what puts ticks at whole numbers, as many as there is room for."""
    return MaxNLocator("auto", steps=[1, 2, 2.5, 5, 10], integer=True)  # as Matplotlib's own


def histogram(labels: Sequence[str], counts: Sequence[int], xlabel: str, alt: str) -> str:
    """Draw how many students there are in each class of values."""
    with matplotlib.rc_context(PLOT_STYLE):
        figure, axes = new_figure(2.7)
        axes.bar(range(len(counts)), counts, width=0.92, color=BAR)
        axes.set_xticks(range(len(labels)), labels, rotation=35, ha="right", rotation_mode="anchor")
        axes.yaxis.set_major_locator(whole_numbers())
        axes.set(xlabel=xlabel, ylabel="students")
        return svg(figure, alt)


def shares(labels: Sequence[str], parts: dict[str, Sequence[float]], xlabel: str, alt: str) -> str:
    """Draw for each label a bar of shares, one upon the other; they add up to 1 or less."""
    with matplotlib.rc_context(PLOT_STYLE):
        figure, axes = new_figure(0.9 + 0.24 * len(labels) + 0.3 * (len(parts) > 1))
        left = [0.0] * len(labels)
        looks = [(BAR, ""), (PART, "////"), (NONE, "")]
        for (part, values), (color, hatch) in zip(parts.items(), looks, strict=False):
            axes.barh(
                range(len(labels)),
                values,
                left=left,
                height=0.76,
                color="none" if hatch else color,
                edgecolor=color,
                hatch=hatch,
                label=part,
            )
            left = [a + b for a, b in zip(left, values, strict=True)]
        axes.set(xlim=(0, 1), xlabel=xlabel)
        name_bars(axes, labels)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        if len(parts) > 1:
            axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, frameon=False)
        return svg(figure, alt)


def bars(labels: Sequence[str], counts: Sequence[int], xlabel: str, alt: str) -> str:
    """Draw for each label a bar, how many students it is said of."""
    with matplotlib.rc_context(PLOT_STYLE):
        figure, axes = new_figure(0.9 + 0.24 * len(labels))
        axes.barh(range(len(labels)), counts, height=0.76, color=BAR)
        axes.set_xlabel(xlabel)
        axes.xaxis.set_major_locator(whole_numbers())
        name_bars(axes, labels)
        return svg(figure, alt)


def name_bars(axes: matplotlib.axes.Axes, labels: Sequence[str]) -> None:
    """Write the labels beside the bars, the first one on top."""
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)


def new_figure(height: float) -> tuple[Figure, matplotlib.axes.Axes]:
    """Return an empty figure."""
    figure = Figure((WIDTH, height), layout="constrained")
    return figure, figure.add_subplot()


def svg(figure: Figure, alt: str) -> str:
    """Return a figure as an element of an HTML page, with a text for those who do not see it."""
    buffer = io.StringIO()
    none = dict.fromkeys(["Creator", "Date", "Format", "Type"])
    figure.savefig(buffer, format="svg", metadata=none)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    for color, variable in VARIABLES.items():
        text = text.replace(color, f"var(--{variable})")
    text = re.sub(r"<(metadata|style)\b.*?</\1>", "", text, flags=re.DOTALL)
    safe = alt.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    text = text.replace("<svg ", f'<svg role="img" aria-label="{safe}" ', 1)
    return name_apart(text)


def name_apart(text: str) -> str:
    """Keep of an SVG's ids only those that it uses, and make them no other figure's."""
    prefix = f"f{zlib.crc32(text.encode()):08x}-"
    used = set(re.findall(r"#([\w.-]+)", text))
    text = re.sub(r' id="([^"]*)"', lambda m: f' id="{prefix}{m[1]}"' if m[1] in used else "", text)
    return re.sub(r'(href="#|url\(#)', rf"\g<1>{prefix}", text)
