"""Draw the figures of the notebook `rnn_lstm_forward`.

    python source/rnn_lstm_forward/figures/draw.py [FOLDER]

writes one SVG file per figure into FOLDER, or beside this file. The same
Matplotlib writes the same bytes every time.

Positions are in tenths of an inch, from the lower left corner. What a thing
is shows in its shape, so that the figures also read in grey:

    rounded box     a function: sigmoid, tanh, softmax
    square box      a parameter, the same at every time step
    circle          an elementwise operation: product (dot) or sum (cross)
    split bar       two vectors stacked into one
    thick line      the cell state c
    thin line       everything else
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from math import hypot
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import (
    Circle,
    FancyBboxPatch,
    Polygon,
    Rectangle,
)

Point = tuple[float, float]

STYLE = {
    "font.family": "DejaVu Sans",
    "mathtext.fontset": "cm",
    "svg.fonttype": "path",
    "svg.hashsalt": "rnn_lstm_forward",
}

# Text sizes in points. A figure is about 460 points wide, so that a phone
# of 360 pixels shows three quarters of these as pixels.
SYMBOL, WORD, NOTE = 20, 15, 14

# Sizes of an operator's circle (its radius) and of an arrow's head.
OPERATOR, HEAD = 1.6, 1.9

# Fills, from dark to light: they differ in grey too.
GATE, PARAMETER, FUNCTION, BODY = "#a5c8ea", "#dcdfe4", "#fbe7b2", "#f6f7f9"


@dataclass(frozen=True)
class Ink:
    """How strongly a part is drawn."""

    color: str
    width: float
    zorder: int
    filled: bool


STRONG = Ink("#17202b", 2.0, 3, filled=True)
PALE = Ink("#bcc3cc", 1.4, 2, filled=False)


# Drawing helpers


def canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """Return a figure with a white card, readable on a dark page too."""
    figure = Figure(figsize=(width / 10, height / 10), facecolor="none")
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, width), ylim=(0, height))
    ax.set_axis_off()
    card = FancyBboxPatch(
        (1.5, 1.5),
        width - 3,
        height - 3,
        boxstyle="round,pad=1.5",
        facecolor="white",
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
        facecolor=fill if ink.filled else "white",
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
        edgecolor="#77818d",
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
        facecolor="white",
        edgecolor=ink.color,
        linewidth=ink.width,
        zorder=ink.zorder + 1,
    )
    ax.add_patch(circle)
    above = ink.zorder + 2
    if kind == "product":
        ax.add_patch(Circle(at, 0.45, color=ink.color, zorder=above))
    else:
        style = {"color": ink.color, "lw": ink.width, "zorder": above}
        ax.plot([x - 0.9, x + 0.9], [y, y], **style)
        ax.plot([x, x], [y - 0.9, y + 0.9], **style)


def stack(ax: Axes, at: Point, ink: Ink = STRONG) -> None:
    """Draw a split bar: two vectors stacked into one."""
    x, y = at
    for bottom in (y - 2.2, y):
        half = Rectangle(
            (x - 0.9, bottom),
            1.8,
            2.2,
            facecolor="white",
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


def at_step(letter: str, step: str = "t") -> str:
    """Return the maths of a letter at a time step, such as a^<t>."""
    return rf"${letter}^{{\langle {step} \rangle}}$"


Y_HAT = r"\hat{y}"


# The RNN


def unrolled_steps(ax: Axes, top: float, bottom: float, text: str) -> None:
    """Draw the cells of steps 1, 2 and T_x with what enters and leaves."""
    for x, step in zip(CELLS, STEPS, strict=True):
        middle = (top + bottom) / 2
        box(
            ax,
            (x, middle),
            (CELL_WIDTH, top - bottom),
            text,
            GATE,
            corner=2,
            text_size=WORD,
        )
        label(ax, (x, bottom - 8.5), at_step("x", step))
        arrow(ax, (x, bottom - 6), (x, bottom))
        arrow(ax, (x, top), (x, top + 6))
        label(ax, (x, top + 8.5), at_step(Y_HAT, step))


CELLS, STEPS, CELL_WIDTH = (15.5, 33, 54.5), ("1", "2", "T_x"), 9.5


def unrolled_line(ax: Axes, letter: str, y: float, start: str, thick: bool = False) -> None:
    """Draw how one state goes from cell to cell."""
    half = CELL_WIDTH / 2
    first, second, last = CELLS
    label(ax, (4.5, y), start)
    for x, tip, text in (
        (7.5, first - half, ""),
        (first + half, second - half, at_step(letter, "1")),
        (second + half, second + half + 4.5, ""),
        (last - half - 4.5, last - half, ""),
        (last + half, last + half + 5.5, ""),
    ):
        arrow(ax, (x, y), (tip, y), thick=thick)
        label(ax, ((x + tip) / 2 - 0.5, y + 3), text)
    label(ax, ((second + last) / 2, y), r"$\cdots$")
    label(ax, (last + half + 9, y), at_step(letter, "T_x"))


def rnn_unrolled() -> Figure:
    """Draw the RNN unrolled over the time steps."""
    figure, ax = canvas(73, 46)
    unrolled_steps(ax, 32, 22, "RNN\ncell")
    unrolled_line(ax, "a", 27, at_step("a", "0"))
    names = "$W_{ax},\\ W_{aa},\\ W_{ya},\\ b_a,\\ b_y$"
    label(ax, (36, 8), "same parameters in every cell:", size=NOTE)
    box(ax, (36, 4.5), (30, 4), names, PARAMETER, corner=0, text_size=18)
    return figure


def rnn_cell() -> Figure:
    """Draw what happens inside one RNN cell."""
    figure, ax = canvas(66, 54)
    body(ax, (10, 7), (45, 38))
    parameter = {"fill": PARAMETER, "corner": 0, "text_size": 18}
    total, hidden, scores = (24, 20), (46, 20), (46, 33.5)

    # The hidden state.
    label(ax, (4.4, 20), at_step("a", "t-1"), size=17)
    arrow(ax, (8.4, 20), (12, 20))
    box(ax, (15.5, 20), (7, 4.6), "$W_{aa}$", **parameter)
    arrow(ax, (19, 20), (22.4, 20))
    label(ax, (24, 2.9), at_step("x"), size=17)
    arrow(ax, (24, 5), (24, 10))
    box(ax, (24, 12.3), (7, 4.6), "$W_{ax}$", **parameter)
    arrow(ax, (24, 14.6), (24, 18.4))
    box(ax, (24, 27.7), (5, 4.6), "$b_a$", **parameter)
    arrow(ax, (24, 25.4), (24, 21.6))
    operator(ax, total, "sum")
    arrow(ax, (25.6, 20), (31, 20))
    box(ax, (35.5, 20), (9, 5), r"$\tanh$", FUNCTION, text_size=18)
    arrow(ax, (40, 20), (58, 20))
    junction(ax, hidden)
    label(ax, (61.5, 20), at_step("a"), size=17)
    label(ax, (35.5, 24.5), "(1)", size=NOTE)

    # The prediction.
    arrow(ax, hidden, (46, 25.2))
    box(ax, (46, 27.5), (7, 4.6), "$W_{ya}$", **parameter)
    arrow(ax, (46, 29.8), (46, 31.9))
    operator(ax, scores, "sum")
    box(ax, (36, 33.5), (5, 4.6), "$b_y$", **parameter)
    arrow(ax, (38.5, 33.5), (44.4, 33.5))
    arrow(ax, (46, 35.1), (46, 37.2))
    box(ax, (46, 39.7), (11, 5), "softmax", FUNCTION, text_size=WORD)
    label(ax, (38, 39.7), "(2)", size=NOTE)
    arrow(ax, (46, 42.2), (46, 48))
    label(ax, (46, 50.8), at_step(Y_HAT), size=17)
    return figure


# The LSTM

# Where the columns of the cell stand, and its lines.
FORGET, INPUT, CANDIDATE, OUTPUT, HIDDEN = 19.5, 29.5, 40.5, 51.5, 61.5
CELL_LINE, GATES, BUS, STACK = 43, 24, 17, 14

NUMBERS = {
    "forget": (FORGET, "(3)"),
    "input": (INPUT, "(4)"),
    "candidate": (CANDIDATE, "(5)"),
    "output": (OUTPUT, "(7)"),
}


def lstm_skeleton(strong: set[str]) -> tuple[Figure, Axes]:
    """
    Draw the LSTM cell, the parts named in `strong` in strong ink.

    The parts are the four gates of `NUMBERS`, "cell" and "hidden".
    """
    figure, ax = canvas(81, 54)
    body(ax, (9.5, 8), (62, 41))
    inks = {part: STRONG if part in strong else PALE for part in (*NUMBERS, "cell", "hidden")}
    draw_inputs(ax, inks)
    for name, (x, number) in NUMBERS.items():
        draw_gate(ax, x, name, number, inks[name])
    draw_cell_line(ax, inks)
    draw_hidden(ax, inks)
    return figure, ax


def draw_inputs(ax: Axes, inks: dict[str, Ink]) -> None:
    """Draw how hidden state and input are stacked and led to the gates."""
    gates = [x for name, (x, _) in NUMBERS.items() if inks[name] is STRONG]
    ink = STRONG if gates else PALE
    label(ax, (4.2, BUS), at_step("a", "t-1"), ink, 17)
    arrow(ax, (8.3, BUS), (STACK - 0.9, BUS), ink=ink)
    label(ax, (STACK, 2.8), at_step("x"), ink, 17)
    arrow(ax, (STACK, 5), (STACK, BUS - 2.2), ink=ink)
    line(ax, (STACK + 0.9, BUS), (OUTPUT, BUS), ink=PALE)
    if gates:
        line(ax, (STACK + 0.9, BUS), (max(gates), BUS), ink=ink)
    stack(ax, (STACK, BUS), ink)


def draw_gate(ax: Axes, x: float, name: str, number: str, ink: Ink) -> None:
    """Draw one gate, or the candidate, above its branch of the inputs."""
    arrow(ax, (x, BUS), (x, GATES - 2.6), ink=ink)
    junction(ax, (x, BUS), ink)
    fill, text = (GATE, r"$\sigma$")
    if name == "candidate":
        fill, text = (FUNCTION, "tanh")
    size = SYMBOL if fill == GATE else WORD
    box(ax, (x, GATES), (7, 5.2), text, fill, ink, text_size=size)
    label(ax, (x, 13.6), name, ink, NOTE)
    label(ax, (x, 10.8), number, ink, NOTE)


def draw_cell_line(ax: Axes, inks: dict[str, Ink]) -> None:
    """Draw the cell state's way, and what the gates do to it."""
    ink, y = inks["cell"], CELL_LINE
    store = STRONG if STRONG in (inks["input"], ink) else PALE
    product = (CANDIDATE, 33)
    arrow(
        ax,
        (FORGET, GATES + 2.6),
        (FORGET, y - OPERATOR),
        ink=STRONG if STRONG in (inks["forget"], ink) else PALE,
    )
    arrow(ax, (INPUT, GATES + 2.6), (INPUT, 33), (CANDIDATE - OPERATOR, 33), ink=store)
    arrow(ax, (CANDIDATE, GATES + 2.6), (CANDIDATE, 33 - OPERATOR), ink=store)
    arrow(ax, (CANDIDATE, 33 + OPERATOR), (CANDIDATE, y - OPERATOR), ink=ink)
    label(ax, (4.2, y), at_step("c", "t-1"), ink, 17)
    arrow(ax, (8.3, y), (FORGET - OPERATOR, y), ink=ink, thick=True)
    arrow(ax, (FORGET + OPERATOR, y), (CANDIDATE - OPERATOR, y), ink=ink, thick=True)
    arrow(ax, (CANDIDATE + OPERATOR, y), (73.5, y), ink=ink, thick=True)
    label(ax, (77, y), at_step("c"), ink, 17)
    operator(ax, (FORGET, y), "product", ink)
    operator(ax, (CANDIDATE, y), "sum", ink)
    operator(ax, product, "product", ink if ink is STRONG else store)
    label(ax, (CANDIDATE + 4, y - 3), "(6)", ink, NOTE)


def draw_hidden(ax: Axes, inks: dict[str, Ink]) -> None:
    """Draw how the output gate shows the cell state as hidden state."""
    ink = inks["hidden"]
    arrow(ax, (HIDDEN, CELL_LINE), (HIDDEN, 39.4), ink=ink)
    junction(ax, (HIDDEN, CELL_LINE), ink)
    box(ax, (HIDDEN, 37), (7.5, 4.8), "tanh", FUNCTION, ink, text_size=WORD)
    arrow(ax, (HIDDEN, 34.6), (HIDDEN, 30 + OPERATOR), ink=ink)
    arrow(ax, (OUTPUT, GATES + 2.6), (OUTPUT, 30), (HIDDEN - OPERATOR, 30), ink=ink)
    operator(ax, (HIDDEN, 30), "product", ink)
    label(ax, (HIDDEN + 4, 30), "(8)", ink, NOTE)
    arrow(ax, (HIDDEN, 30 - OPERATOR), (HIDDEN, BUS), (73.5, BUS), ink=ink)
    label(ax, (77, BUS), at_step("a"), ink, 17)


def forget_gate() -> Figure:
    """Draw the LSTM cell with its forget gate in strong ink."""
    return lstm_skeleton({"forget"})[0]


def input_gate() -> Figure:
    """Draw the LSTM cell with input gate and candidate in strong ink."""
    return lstm_skeleton({"input", "candidate"})[0]


def cell_state() -> Figure:
    """Draw the LSTM cell with the cell state in strong ink."""
    return lstm_skeleton({"cell"})[0]


def output_gate() -> Figure:
    """Draw the LSTM cell with output gate and hidden state in strong ink."""
    return lstm_skeleton({"output", "hidden"})[0]


def lstm_cell() -> Figure:
    """Draw the whole LSTM cell, with the prediction."""
    figure, ax = lstm_skeleton({*NUMBERS, "cell", "hidden"})
    junction(ax, (HIDDEN, BUS))
    arrow(ax, (HIDDEN, BUS), (HIDDEN, 14.3))
    box(ax, (HIDDEN, 12), (10.5, 4.6), "softmax", FUNCTION, text_size=NOTE)
    label(ax, (68.9, 12), "(9)", size=NOTE)
    arrow(ax, (HIDDEN, 9.7), (HIDDEN, 5.2))
    label(ax, (HIDDEN, 2.8), at_step(Y_HAT), size=17)
    return figure


def lstm_unrolled() -> Figure:
    """Draw the LSTM unrolled over the time steps."""
    figure, ax = canvas(73, 43)
    unrolled_steps(ax, 31, 13, "LSTM\ncell")
    unrolled_line(ax, "c", 27, at_step("c", "0"), thick=True)
    label(ax, (4.5, 23.4), "$=0$", size=NOTE)
    unrolled_line(ax, "a", 17, at_step("a", "0"))
    return figure


FIGURES: dict[str, tuple[Callable[[], Figure], str]] = {
    "rnn_unrolled": (rnn_unrolled, "An RNN unrolled over the time steps"),
    "rnn_cell": (rnn_cell, "Inside one RNN cell"),
    "forget_gate": (forget_gate, "The forget gate of an LSTM cell"),
    "input_gate": (input_gate, "Input gate and candidate of an LSTM cell"),
    "cell_state": (cell_state, "The cell state of an LSTM cell"),
    "output_gate": (output_gate, "Output gate and hidden state of an LSTM"),
    "lstm_cell": (lstm_cell, "Inside one LSTM cell"),
    "lstm_unrolled": (lstm_unrolled, "An LSTM unrolled over the time steps"),
}


def draw(folder: Path) -> None:
    """Write every figure into the folder."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        for name, (figure, title) in FIGURES.items():
            about = {"Title": title, "Date": None}
            figure().savefig(folder / f"{name}.svg", metadata=about)


if __name__ == "__main__":
    here = Path(__file__).parent
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else here)
