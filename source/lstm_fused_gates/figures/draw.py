"""
Draw the figures of the notebook `lstm_fused_gates`.

    python source/lstm_fused_gates/figures/draw.py [FOLDER]

writes one SVG file per figure into FOLDER, or beside this file. The same
Matplotlib writes the same bytes every time. What the shapes mean stands in
rnn_figures/drawing.py; here, a square box may also be a matrix, as large as its
axes are long.
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
    Point,
    arrow,
    at_step,
    box,
    canvas,
    draw,
    explain,
    junction,
    label,
    line,
    operator,
    part,
)

# All the words in the figures, and their titles.
WORDS = {
    "sum": "sum",
    "product": "product, element by element",
    "examples": "sum over the examples",
    "fused_product": "One product for all gates of an LSTM",
    "step_backward": "The backward pass of one step of an LSTM",
}

GATES = "ifog"
FILLS = {**dict.fromkeys("ifo", GATE), "g": FUNCTION}


def quarters(
    ax: Axes, left: float, middle: float, size: Point, texts: list[str], text_size: float = SYMBOL
) -> None:
    """Draw a matrix of four quarters, one for each gate."""
    width, height = size[0] / 4, size[1]
    for k, (gate, text) in enumerate(zip(GATES, texts, strict=True)):
        at = (left + (k + 0.5) * width, middle)
        box(ax, at, (width, height), text, FILLS[gate], corner=0, text_size=text_size)


# One product for all gates

TALL, LEFT, QUARTER = 7, 15, 11  # N rows; where the sums begin, and a quarter of them


def fused_product() -> Figure:
    """Draw the product that gives all gates at once."""
    figure, ax = canvas(74, 63)
    top = 50
    for left, letter, weights, inner in ((5, at_step("x"), "$W_x$", 5), (40, HIDDEN, "$W_h$", 6)):
        box(ax, (left + inner / 2, top), (inner, TALL), "", PAPER, corner=0)
        label(ax, (left + inner / 2, top + 6.2), letter, size=17)
        quarters(ax, left + inner + 2.5, top, (20, inner), [""] * 4)
        label(ax, (left + inner + 12.5, top + 6.2), weights)
    label(ax, (36.2, top), "$+$")
    label(ax, (31.5, 41.2), "$+$")
    quarters(ax, 35, 41.2, (20, 1.8), [""] * 4)
    label(ax, (58, 41.2), "$b$")

    sums = 30.5
    label(ax, (LEFT - 4.5, sums), "$=$")
    quarters(ax, LEFT, sums, (4 * QUARTER, TALL), [f"$z_{gate}$" for gate in GATES])
    label(ax, (LEFT + 4 * QUARTER + 4.5, sums), "(1)", size=NOTE)
    for k, column in enumerate(("$0$", "$H$", "$2H$", "$3H$", "$4H$")):
        label(ax, (LEFT + k * QUARTER, sums + TALL / 2 + 2), column, size=NOTE)
    centres = [LEFT + (k + 0.5) * QUARTER for k in range(4)]
    gates, activations = 6.5, 19
    for x, gate in zip(centres, GATES, strict=True):
        arrow(ax, (x, sums - TALL / 2), (x, activations + 2.6))
        arrow(ax, (x, activations - 2.6), (x, gates + TALL / 2))
        size = (QUARTER - 2, TALL)
        box(ax, (x, gates), size, f"${gate}$", FILLS[gate], corner=0)
    box(ax, (centres[1], activations), (3 * QUARTER - 2, 5.2), r"$\sigma$", GATE)
    box(ax, (centres[3], activations), (QUARTER - 2, 5.2), "tanh", FUNCTION, text_size=WORD)
    label(ax, (LEFT - 4.5, activations), "(2)", size=NOTE)
    label(ax, (LEFT + 4 * QUARTER + 4.5, activations), "(3)", size=NOTE)
    return figure


HIDDEN = at_step("h", "t-1")

# The backward pass of one step

COLUMNS = dict(zip(GATES, (18, 31, 44, 57), strict=True))
CELL_LINE, PAIR, OUTPUT, SLOPES, SUMS = 56, 47, 42, 35, 25
SHOW = 70  # the column where the hidden state is made


def step_backward() -> Figure:
    """Draw where the gradients of one step come from and go to."""
    figure, ax = canvas(86, 72)
    ax.set_ylim(-6, 66)  # room for the legend
    draw_states(ax)
    draw_legend(ax, -2)
    slopes = {"i": "$i(1-i)$", "f": "$f(1-f)$", "o": "$o(1-o)$", "g": "$1-g^2$"}
    for k, (gate, x) in enumerate(COLUMNS.items(), 12):
        box(ax, (x, SLOPES), (11.4, 5), slopes[gate], FILLS[gate], text_size=WORD)
        arrow(ax, (x, SLOPES - 2.5), (x, SUMS + 2.5))
        label(ax, (x + 3.6, SLOPES - 5), f"({k})", size=NOTE)
    quarters(ax, 11.5, SUMS, (52, 5), [f"$dz_{gate}$" for gate in GATES], 17)
    draw_products(ax)
    return figure


def draw_states(ax: Axes) -> None:
    """Draw how the gradients of the states meet, and go to the gates."""
    f, pair = (COLUMNS["f"], CELL_LINE), (37.5, PAIR)
    # The hidden state: to the output gate, and through tanh to the cell state.
    label(ax, (82.2, OUTPUT), "$d$" + at_step("h"), size=15)
    arrow(ax, (78.5, OUTPUT), (SHOW + OPERATOR, OUTPUT))
    arrow(ax, (SHOW, OUTPUT + OPERATOR), (SHOW, 46.4))
    box(ax, (SHOW, 49), (12.5, 5.2), r"$1-\tanh^2$", FUNCTION, text_size=NOTE)
    arrow(ax, (SHOW, 51.6), (SHOW, CELL_LINE - OPERATOR))
    o = COLUMNS["o"]
    arrow(ax, (SHOW - OPERATOR, OUTPUT), (o, OUTPUT), (o, SLOPES + 2.5))
    operator(ax, (SHOW, OUTPUT), "product")
    label(ax, (SHOW + 4.5, OUTPUT - 3), "(11)", size=NOTE)
    # The cell state: to the candidate and the input gate, to f, and to the step before.
    label(ax, (82, CELL_LINE), part("c"), size=17)
    arrow(ax, (78.5, CELL_LINE), (SHOW + OPERATOR, CELL_LINE), thick=True)
    arrow(ax, (SHOW - OPERATOR, CELL_LINE), (f[0] + OPERATOR, CELL_LINE), thick=True)
    arrow(ax, (f[0] - OPERATOR, CELL_LINE), (11, CELL_LINE), thick=True)
    label(ax, (6.2, CELL_LINE), part("c", "t-1"), size=17)
    operator(ax, (SHOW, CELL_LINE), "sum")
    label(ax, (53, CELL_LINE + 3.2), "$d$" + at_step("c") + "  (6)", size=NOTE)
    operator(ax, f, "product")
    label(ax, (f[0] - 6, CELL_LINE + 3.2), "(7)", size=NOTE)
    arrow(ax, (f[0], CELL_LINE - OPERATOR), (f[0], SLOPES + 2.5))
    label(ax, (f[0] - 3, CELL_LINE - 4), "(8)", size=NOTE)
    junction(ax, (pair[0], CELL_LINE))
    arrow(ax, (pair[0], CELL_LINE), (pair[0], PAIR + OPERATOR))
    for gate, number in (("i", "(9)"), ("g", "(10)")):
        x = COLUMNS[gate]
        side = OPERATOR if x > pair[0] else -OPERATOR
        arrow(ax, (pair[0] + side, PAIR), (x, PAIR), (x, SLOPES + 2.5))
        label(ax, (x - side * 3, PAIR + 2.6), number, size=NOTE)
    operator(ax, pair, "product")


def draw_products(ax: Axes) -> None:
    """Draw the products of dz, and what each of them gives."""
    products = (
        (r"$W_x^\top$", "$d$" + at_step("x"), PARAMETER, "(16)"),
        (r"$W_h^\top$", part("h", "t-1"), PARAMETER, "(17)"),
        (rf"$({at_step('x')[1:-1]})^\top$", "$dW_x$", PAPER, "(18)"),
        (rf"$({HIDDEN[1:-1]})^\top$", "$dW_h$", PAPER, "(19)"),
        (r"$\Sigma$", "$db$", PAPER, ""),
    )
    bus = 20
    line(ax, (37.5, SUMS - 2.5), (37.5, bus))
    line(ax, (13, bus), (62, bus))
    for k, (factor, result, fill, number) in enumerate(products):
        x = 13 + 12.25 * k
        arrow(ax, (x, bus), (x, 16))
        size = 18 if fill == PARAMETER else WORD
        box(ax, (x, 13.5), (10.5, 5), factor, fill, corner=0, text_size=size)
        label(ax, (x + 3.4, 18), number, size=NOTE)
        arrow(ax, (x, 11), (x, 6.4))
        label(ax, (x, 4), result, size=17)


def draw_legend(ax: Axes, y: float) -> None:
    """Draw what the small shapes mean, in one line."""
    explain(ax, (4, y), "product", WORDS["product"])
    explain(ax, (42, y), "sum", WORDS["sum"])
    label(ax, (54, y), r"$\Sigma$", size=WORD)
    label(ax, (56.2, y), WORDS["examples"], size=NOTE, align="left")


FIGURES = {
    figure.__name__: (figure, WORDS[figure.__name__]) for figure in (fused_product, step_backward)
}


if __name__ == "__main__":
    draw(FIGURES, __file__)
