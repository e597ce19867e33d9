"""
What the figures of all notebooks are drawn with.

Positions are in tenths of an inch, from the lower left corner. What a thing
is shows in its shape, so that the figures also read in grey:

    rounded box     a function: sigmoid, tanh, softmax
    square box      a parameter, the same at every time step
    circle          an elementwise operation: product (dot) or sum (cross)
    split bar       two vectors stacked into one
    thick line      the cell state c
    thin line       everything else

Colours are those of `rnn_figures.colours`: in a figure that is drawn with them, they
follow the light or dark of the page.
"""

import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import StringIO
from math import hypot
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import yaml
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import (
    Circle,
    FancyBboxPatch,
    Polygon,
    Rectangle,
)

from rnn_figures.colours import follow_page, light
from rnn_figures.words import translate, with_fonts

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

Point = tuple[float, float]

STYLE: "dict[RcKeyType, object]" = {
    "font.family": "DejaVu Sans",
    "mathtext.fontset": "cm",
    "svg.fonttype": "path",
}

# Text sizes in points. A phone of 360 pixels leaves 328 to a figure. One that is at most
# 58 tenths of an inch wide shows a NOTE at 11 pixels there; a wider one scrolls.
SYMBOL, WORD, NOTE = 20, 15, 14

# Sizes of an operator's circle (its radius) and of an arrow's head.
OPERATOR, HEAD = 1.6, 1.9

# Fills, from dark to light: they differ in grey too.
GATE, PARAMETER, FUNCTION, BODY, PAPER = map(
    light, ("gate", "parameter", "function", "body", "paper")
)
# Lines and words that must be told apart; give them line styles as well.
BLUE, ORANGE, GREEN, PURPLE = map(light, ("blue", "orange", "green", "purple"))


@dataclass(frozen=True)
class Ink:
    """How strongly a part is drawn."""

    color: str
    width: float
    zorder: int
    filled: bool


STRONG = Ink(light("ink"), 2.0, 3, filled=True)
PALE = Ink(light("soft"), 0.9, 2, filled=False)


def canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """Return a figure on a card of its own, readable on a page of either colour."""
    figure = Figure(figsize=(width / 10, height / 10), facecolor="none")
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, width), ylim=(0, height))
    ax.set_axis_off()
    card = FancyBboxPatch(
        (1.5, 1.5),
        width - 3,
        height - 3,
        boxstyle="round,pad=1.5",
        facecolor=PAPER,
        edgecolor="none",
        zorder=0,
    )
    ax.add_patch(card)
    return figure, ax


def label(
    ax: Axes,
    at: Point,
    text: str,
    ink: Ink = STRONG,
    size: float = SYMBOL,
    align: str = "center",
) -> None:
    """Write text, centred on a point or starting or ending there."""
    ax.text(
        *at,
        text,
        color=ink.color,
        size=size,
        ha=align,
        va="center_baseline",
        zorder=ink.zorder + 2,
    )


def box(
    ax: Axes,
    at: Point,
    size: Point,
    text: str,
    fill: str,
    ink: Ink = STRONG,
    corner: float = 1.2,
    text_size: float = SYMBOL,
) -> None:
    """Draw a box centred on a point, square when its corner is 0."""
    width, height = size
    patch = FancyBboxPatch(
        (at[0] - width / 2 + corner, at[1] - height / 2 + corner),
        width - 2 * corner,
        height - 2 * corner,
        boxstyle=f"round,pad={corner}" if corner else "square,pad=0",
        facecolor=fill if ink.filled else PAPER,
        edgecolor=ink.color,
        linewidth=ink.width,
        zorder=ink.zorder + 1,
    )
    ax.add_patch(patch)
    label(ax, at, text, ink, text_size)


def body(ax: Axes, corner: Point, size: Point) -> None:
    """Draw the outline of a cell, given its lower left corner."""
    patch = FancyBboxPatch(
        (corner[0] + 2, corner[1] + 2),
        size[0] - 4,
        size[1] - 4,
        boxstyle="round,pad=2",
        facecolor=BODY,
        edgecolor=light("edge"),
        linewidth=1.4,
        zorder=1,
    )
    ax.add_patch(patch)


def operator(ax: Axes, at: Point, kind: str, ink: Ink = STRONG) -> None:
    """Draw an elementwise operation: "product" or "sum"."""
    x, y = at
    circle = Circle(
        at,
        OPERATOR,
        facecolor=PAPER,
        edgecolor=ink.color,
        linewidth=ink.width,
        zorder=ink.zorder + 1,
    )
    ax.add_patch(circle)
    above = ink.zorder + 2
    if kind == "product":
        ax.add_patch(Circle(at, 0.45, color=ink.color, zorder=above))
    else:
        for sides, ends in ((0.9, 0.0), (0.0, 0.9)):
            bar = [x - sides, x + sides], [y - ends, y + ends]
            ax.plot(*bar, color=ink.color, lw=ink.width, zorder=above)


def stack(ax: Axes, at: Point, ink: Ink = STRONG) -> None:
    """Draw a split bar: two vectors stacked into one."""
    x, y = at
    for bottom in (y - 2.2, y):
        half = Rectangle(
            (x - 0.9, bottom),
            1.8,
            2.2,
            facecolor=PAPER,
            edgecolor=ink.color,
            linewidth=ink.width,
            zorder=ink.zorder + 1,
        )
        ax.add_patch(half)


def line(ax: Axes, *points: Point, ink: Ink = STRONG, thick: bool = False) -> None:
    """Draw a line through the points."""
    xs, ys = zip(*points, strict=True)
    ax.plot(
        xs,
        ys,
        color=ink.color,
        linewidth=ink.width * (2 if thick else 1),
        solid_capstyle="butt",
        solid_joinstyle="miter",
        zorder=ink.zorder,
    )


def arrow(ax: Axes, *points: Point, ink: Ink = STRONG, thick: bool = False) -> None:
    """Draw a line through the points whose head ends at the last one."""
    (x0, y0), (x, y) = points[-2:]
    length = hypot(x - x0, y - y0)
    # One step back from the tip, as long as the head.
    back_x, back_y = HEAD * (x0 - x) / length, HEAD * (y0 - y) / length
    base = (x + back_x, y + back_y)
    side_x, side_y = -back_y * 0.45, back_x * 0.45
    corners = [
        (x, y),
        (base[0] + side_x, base[1] + side_y),
        (base[0] - side_x, base[1] - side_y),
    ]
    line(ax, *points[:-1], base, ink=ink, thick=thick)
    ax.add_patch(Polygon(corners, facecolor=ink.color, lw=0, zorder=ink.zorder))


def junction(ax: Axes, at: Point, ink: Ink = STRONG) -> None:
    """Draw the dot where a line branches."""
    ax.add_patch(Circle(at, 0.6, color=ink.color, zorder=ink.zorder))


# Words and symbols that several figures share


def explain(ax: Axes, at: Point, kind: str, words: str) -> None:
    """Draw an operation, or a stack, and beside it what it means, for a legend."""
    if kind == "stack":
        stack(ax, at)
    else:
        operator(ax, at, kind)
    label(ax, (at[0] + 2.8, at[1]), words, size=NOTE, align="left")


def at_step(letter: str, step: str = "t") -> str:
    """Return the maths of a letter at a time step, such as a^<t>."""
    return rf"${letter}^{{\langle {step} \rangle}}$"


def part(letter: str, step: str = "t") -> str:
    """Return the maths of the part of a state's gradient that the next step returns."""
    return rf"$\delta_{letter}^{{\langle {step} \rangle}}$"


Y_HAT = r"\hat{y}"


def draw(figures: dict[str, tuple[Callable[[], Figure], str]], drawing_code: str) -> None:
    """
    Write every figure as SVG, into the folder named on the command line or beside the code.

    Where there is a table of words in another language, ../<language>/figures.yaml, write
    them into ../<language>/figures, too.

    Parameters
    ----------
    figures : dict
        By the name of the file: what draws the figure, and its title.
    drawing_code : str
        The `__file__` of source/<assignment>/figures/draw.py.
    """
    here = Path(drawing_code).resolve().parent
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else here
    write_all(figures, folder, here.parent.name, {})
    for table in sorted(here.parent.glob("*/figures.yaml")):
        place = folder / "translated" / table.parent.name if len(sys.argv) > 1 else table.parent
        words = yaml.safe_load(table.read_text("utf-8"))
        write_all(figures, place / "figures", here.parent.name, words)


def write_all(
    figures: dict[str, tuple[Callable[[], Figure], str]],
    folder: Path,
    salt: str,
    words: Mapping[str, str],
) -> None:
    """Write every figure as SVG into a folder, with other words in it."""
    folder.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update({**STYLE, "svg.hashsalt": salt})
        for name, (draw_figure, title) in figures.items():
            figure = draw_figure()
            translate(figure, words)
            title = words.get(title, title)
            about = {"Title": title, "Description": labels(figure), "Date": None}
            drawn = StringIO()
            with warnings.catch_warnings():  # the reader's fonts have what ours have not
                warnings.filterwarnings("ignore", "Glyph .* missing")
                figure.savefig(drawn, format="svg", metadata=about)
            svg = with_fonts(follow_page(drawn.getvalue()))
            (folder / f"{name}.svg").write_text(svg, "utf-8")


def labels(figure: Figure) -> str:
    """Return all that is written in a figure, a line each: in the SVG, text is paths."""
    texts = (text.get_text() for ax in figure.axes for text in ax.texts)
    return "\n".join(" ".join(text.split()) for text in texts if text)
