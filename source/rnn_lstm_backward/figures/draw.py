"""
Draw the figures of the notebook `rnn_lstm_backward`.

    python source/rnn_lstm_backward/figures/draw.py [FOLDER]

writes one SVG file per figure into FOLDER, or beside this file. The same
Matplotlib writes the same bytes every time. What the shapes mean stands in
rnn_figures/drawing.py; here everything runs backwards, from right to left, and
a dash marks the derivative of a function.
"""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnn_figures.drawing import (
    FUNCTION,
    GATE,
    NOTE,
    OPERATOR,
    PAPER,
    PARAMETER,
    SYMBOL,
    WORD,
    arrow,
    at_step,
    body,
    box,
    canvas,
    draw,
    explain,
    junction,
    label,
    line,
    operator,
    part,
    stack,
)

# All the words in the figures, and their titles.
WORDS = {
    "forget": "forget",
    "input": "input",
    "candidate": "candidate",
    "output": "output",
    "RNN cell": "RNN\ncell",
    "LSTM cell": "LSTM\ncell",
    "sums": "every cell adds its part to the same sums:",
    "product": "product, element by element",
    "sum": "sum",
    "stack": "hidden state over input",
    "rnn_cell_back": "The backward pass of one RNN cell",
    "rnn_back": "The backward pass of an RNN",
    "lstm_cell_back": "The backward pass of one LSTM cell",
    "lstm_back": "The backward pass of an LSTM",
}


# One cell


def rnn_cell_back() -> Figure:
    """Draw the backward pass of one RNN cell."""
    figure, ax = canvas(72, 54)
    body(ax, (12, 8), (47, 41.5))
    parameter = {"fill": PARAMETER, "corner": 0, "text_size": 18}
    y, dz, bus = 20, (37, 20), 28

    # Through tanh, then to the old hidden state and the input.
    label(ax, (66.5, y), at_step("da"), size=17)
    arrow(ax, (62.3, y), (55.5, y))
    box(ax, (50.5, y), (10, 5), r"$\tanh^{\prime}$", FUNCTION, text_size=18)
    label(ax, (50.5, 15.2), "(3)", size=NOTE)
    arrow(ax, (45.5, y), (dz[0] + 0.6, y))
    junction(ax, dz)
    label(ax, (41.3, 22.8), at_step("dz"), size=16)
    arrow(ax, dz, (27.2, y))
    box(ax, (23, y), (8.4, 5), r"$W_{aa}^{\top}$", **parameter)
    label(ax, (23, 15.2), "(4)", size=NOTE)
    arrow(ax, (18.8, y), (10.2, y))
    label(ax, (5.6, y), part("a", "t-1"), size=17)
    arrow(ax, dz, (37, 15.6))
    box(ax, (37, 13.1), (8.4, 5), r"$W_{ax}^{\top}$", **parameter)
    label(ax, (44, 13.1), "(5)", size=NOTE)
    arrow(ax, (37, 10.6), (37, 5.6))
    label(ax, (37, 3.1), at_step("dx"), size=17)

    # To the parameters.
    line(ax, dz, (37, bus))
    line(ax, (21, bus), (51, bus))
    junction(ax, (37, bus))
    old_state, now = r"(a^{\langle t-1 \rangle})^{\top}", r"(x^{\langle t \rangle})^{\top}"
    for x, name, factor, number in (
        (21, "$dW_{aa}$", old_state, "(6)"),
        (37, "$dW_{ax}$", now, "(7)"),
        (51, "$db_a$", r"\Sigma_i", "(8)"),
    ):
        arrow(ax, (x, bus), (x, 32.4))
        box(ax, (x, 35), (12.5, 5), f"${factor}$", PAPER, corner=0, text_size=16)
        label(ax, (x - 1.4, 30.3), number, size=NOTE, align="right")
        arrow(ax, (x, 37.5), (x, 41.5))
        box(ax, (x, 44), (9.6, 5), name, **parameter)
    return figure


# Where the columns of the LSTM cell stand, and its lines.
FORGET, INPUT, CANDIDATE, OUTPUT, HIDDEN = 20.5, 30.5, 41.5, 52.5, 62.5
LEFT, RIGHT, CELL_LINE, GATES, BUS, STACK = 4.8, 78.8, 43, 24, 17, 15


def lstm_cell_back() -> Figure:
    """Draw the backward pass of one LSTM cell."""
    figure, ax = canvas(84, 60)
    ax.set_ylim(-6, 54)  # room for the legend
    body(ax, (10.5, 8), (62, 41))
    legend(ax, -2.2)

    # The cell state.
    label(ax, (RIGHT, CELL_LINE), part("c"), size=17)
    arrow(ax, (75.4, CELL_LINE), (HIDDEN + OPERATOR, CELL_LINE), thick=True)
    operator(ax, (HIDDEN, CELL_LINE), "sum")
    arrow(ax, (HIDDEN - OPERATOR, CELL_LINE), (FORGET + OPERATOR, CELL_LINE), thick=True)
    junction(ax, (CANDIDATE, CELL_LINE))
    label(ax, ((CANDIDATE + HIDDEN) / 2, CELL_LINE + 2.9), at_step("dc"), size=15)
    operator(ax, (FORGET, CELL_LINE), "product")
    arrow(ax, (FORGET - OPERATOR, CELL_LINE), (9.4, CELL_LINE), thick=True)
    label(ax, (LEFT, CELL_LINE), part("c", "t-1"), size=16)
    label(ax, (14, CELL_LINE - 3), "(20)", size=NOTE)

    # The hidden state, and its way up to the cell state.
    label(ax, (RIGHT, BUS), at_step("da"), size=17)
    arrow(ax, (75.2, BUS), (HIDDEN, BUS), (HIDDEN, 30 - OPERATOR))
    operator(ax, (HIDDEN, 30), "product")
    arrow(ax, (HIDDEN, 30 + OPERATOR), (HIDDEN, 33.8))
    box(ax, (HIDDEN, 36.2), (7.5, 4.8), "tanh′", FUNCTION, text_size=WORD)
    arrow(ax, (HIDDEN, 38.6), (HIDDEN, CELL_LINE - OPERATOR))
    label(ax, (HIDDEN + 4.5, 40.3), "(19)", size=NOTE)

    # To the gates and the candidate.
    arrow(ax, (HIDDEN - OPERATOR, 30), (OUTPUT, 30), (OUTPUT, GATES + 2.6))
    label(ax, (56.6, 32), "(18)", size=NOTE)
    arrow(ax, (FORGET, CELL_LINE - OPERATOR), (FORGET, GATES + 2.6))
    label(ax, (FORGET + 3.3, 38), "(21)", size=NOTE)
    arrow(ax, (CANDIDATE, CELL_LINE), (CANDIDATE, 33 + OPERATOR))
    operator(ax, (CANDIDATE, 33), "product")
    arrow(ax, (CANDIDATE - OPERATOR, 33), (INPUT, 33), (INPUT, GATES + 2.6))
    label(ax, (35.5, 35.2), "(22)", size=NOTE)
    arrow(ax, (CANDIDATE, 33 - OPERATOR), (CANDIDATE, GATES + 2.6))
    label(ax, (CANDIDATE + 3.3, 29.4), "(23)", size=NOTE)

    # Through their activations, and back to the stack.
    for x, name, number in (
        (FORGET, "forget", "(24)"),
        (INPUT, "input", "(25)"),
        (CANDIDATE, "candidate", "(26)"),
        (OUTPUT, "output", "(27)"),
    ):
        through_activation(ax, x, name, number)
    arrow(ax, (OUTPUT, BUS), (STACK + 0.9, BUS))
    stack(ax, (STACK, BUS))
    label(ax, (STACK - 0.3, BUS + 4.2), "(30)", size=NOTE)
    arrow(ax, (STACK - 0.9, BUS), (9.4, BUS))
    label(ax, (LEFT, BUS), part("a", "t-1"), size=16)
    arrow(ax, (STACK, BUS - 2.2), (STACK, 5.2))
    label(ax, (STACK, 2.8), at_step("dx"), size=17)
    return figure


def through_activation(ax: Axes, x: float, name: str, number: str) -> None:
    """Draw the activation of a gate, or of the candidate, above the line of the inputs."""
    fill, text, size = GATE, r"$\sigma^{\prime}$", SYMBOL
    if name == "candidate":
        fill, text, size = FUNCTION, "tanh′", WORD
    box(ax, (x, GATES), (7.2, 5.2), text, fill, text_size=size)
    arrow(ax, (x, GATES - 2.6), (x, BUS))
    label(ax, (x, 13.6), WORDS[name], size=NOTE)
    label(ax, (x, 10.8), number, size=NOTE)


def legend(ax: Axes, y: float) -> None:
    """Draw what the small shapes mean, in one line."""
    explain(ax, (3.5, y), "product", WORDS["product"])
    explain(ax, (41, y), "sum", WORDS["sum"])
    explain(ax, (54, y), "stack", WORDS["stack"])


# All time steps

CELLS, STEPS, CELL_WIDTH = (17.5, 35, 56.5), ("1", "2", "T"), 9.5


def steps_back(ax: Axes, top: float, bottom: float, cell: str, weights: str) -> None:
    """Draw the cells of steps 1, 2 and T, what the predictions send, and what leaves."""
    for x, step in zip(CELLS, STEPS, strict=True):
        middle = (top + bottom) / 2
        size = (CELL_WIDTH, top - bottom)
        box(ax, (x, middle), size, WORDS[cell], GATE, corner=2, text_size=WORD)
        sent = rf"$W_{weights}^\top\, ds^{{\langle {step} \rangle}}$"
        label(ax, (x, top + 8.5), sent, size=17)
        arrow(ax, (x, top + 6), (x, top))
        arrow(ax, (x, bottom), (x, bottom - 6))
        label(ax, (x, bottom - 8.5), at_step("dx", step))


def line_back(ax: Axes, name: str, y: float, end: str, thick: bool = False) -> None:
    """Draw how one gradient goes from cell to cell, from zero at the right."""
    half = CELL_WIDTH / 2
    first, second, last = CELLS
    label(ax, (last + half + 8.5, y), "$0$")
    for x, tip, text in (
        (last + half + 7, last + half, ""),
        (last - half, last - half - 4.5, ""),
        (second + half + 4.5, second + half, ""),
        (second - half, first + half, name),
        (first - half, 8.7, ""),
    ):
        arrow(ax, (x, y), (tip, y), thick=thick)
        label(ax, ((x + tip) / 2, y + 2.6), text, size=12.5)
    label(ax, ((second + last) / 2, y), r"$\cdots$")
    label(ax, (4.6, y), end)


def rnn_back() -> Figure:
    """Draw the backward pass of an RNN over the time steps."""
    figure, ax = canvas(73, 56)
    steps_back(ax, 42, 30, "RNN cell", "{ya}")
    line_back(ax, "da_prev", 36, at_step("da", "0"))
    label(ax, (36.5, 14), WORDS["sums"], size=NOTE)
    names = "$dW_{ax},\\ dW_{aa},\\ db_a$"
    box(ax, (36.5, 8), (26, 5), names, PARAMETER, corner=0, text_size=18)
    return figure


def lstm_back() -> Figure:
    """Draw the backward pass of an LSTM over the time steps."""
    figure, ax = canvas(73, 43)
    steps_back(ax, 31, 13, "LSTM cell", "y")
    line_back(ax, "dc_prev", 26.5, at_step("dc", "0"), thick=True)
    line_back(ax, "da_prev", 17, at_step("da", "0"))
    return figure


FIGURES = {
    figure.__name__: (figure, WORDS[figure.__name__])
    for figure in (rnn_cell_back, rnn_back, lstm_cell_back, lstm_back)
}


if __name__ == "__main__":
    draw(FIGURES, __file__)
