"""
Draw the figures of the notebook `gru_bidirectional`.

    python source/gru_bidirectional/figures/draw.py [FOLDER]

writes one SVG file per figure into FOLDER, or beside this file. The same
Matplotlib writes the same bytes every time. What the shapes mean stands in
rnn_figures/drawing.py.
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
    stack,
)

# All the words in the figures, and their titles.
WORDS = {
    "reset": "reset",
    "update": "update",
    "candidate": "candidate",
    "product": "product",
    "sum": "sum",
    "stacked": "stacked",
    "weights": "weights, bias",
    "factor": "times what the box holds",
    "forwards": "forwards",
    "backwards": "backwards",
    "gru_cell": "Inside one GRU cell",
    "gru_cell_back": "The backward pass of one GRU cell",
    "two_way": "A two-way network",
}
OLD, NEW, INPUT = at_step("a", "t-1"), at_step("a"), at_step("x")


def with_weights(ax: Axes, x: float, y: float, letter: str, function: str, number: str) -> None:
    """Draw weights, and above them the function that their sum goes through."""
    fill = FUNCTION if function == "tanh" else GATE
    box(ax, (x, y), (8.6, 4.8), f"$W_{letter}, b_{letter}$", PARAMETER, corner=0, text_size=WORD)
    arrow(ax, (x, y + 2.4), (x, y + 5.2))
    box(ax, (x, y + 7.6), (8.6, 4.8), function, fill, text_size=WORD)
    label(ax, (x + 4.8, y + 7.6), number, size=NOTE, align="left")


def gru_cell() -> Figure:
    """Draw a GRU cell: one state, two gates, each with its weights."""
    figure, ax = canvas(74, 74)
    body(ax, (8, 14), (58, 56))
    top, low = 64, 22
    label(ax, (4, top), OLD, size=17)
    label(ax, (70, top), NEW, size=17)
    label(ax, (14, 10.6), INPUT, size=17)
    reset, update, candidate, keep = 24, 38, 56, 38

    # The update gate blends the old state and the candidate.
    arrow(ax, (7.4, top), (keep - OPERATOR, top))
    arrow(ax, (keep + OPERATOR, top), (candidate - OPERATOR, top))
    arrow(ax, (candidate + OPERATOR, top), (67.6, top))
    label(ax, (candidate + 4.6, top - 3.2), "(5)", size=NOTE)
    arrow(ax, (update, low + 13.8), (update, 55.2))
    box(ax, (keep, 57.4), (6, 4.2), "$1 -$", FUNCTION, text_size=NOTE)
    arrow(ax, (keep, 59.5), (keep, top - OPERATOR))
    junction(ax, (update, 51))
    arrow(ax, (update, 51), (candidate - OPERATOR, 51))
    arrow(ax, (candidate, 51 + OPERATOR), (candidate, top - OPERATOR))
    for at, kind in (
        ((keep, top), "product"),
        ((candidate, 51), "product"),
        ((candidate, top), "sum"),
    ):
        operator(ax, at, kind)

    # The gates read the old state and the input.
    junction(ax, (14, top))
    arrow(ax, (14, top), (14, low + 2.2))
    arrow(ax, (14, 12.8), (14, low - 2.2))
    stack(ax, (14, low))
    line(ax, (14.9, low), (update, low))
    junction(ax, (reset, low))
    for x, letter, name, number in ((reset, "r", "reset", "(1)"), (update, "u", "update", "(2)")):
        arrow(ax, (x, low), (x, low + 3.8))
        with_weights(ax, x, low + 6.2, letter, r"$\sigma$", number)
        label(ax, (x, low - 3.2), WORDS[name], size=NOTE)

    # The candidate reads the input, and what the reset gate lets through.
    junction(ax, (14, 45))
    arrow(ax, (14, 45), (reset - OPERATOR, 45))
    arrow(ax, (reset, low + 16.2), (reset, 45 - OPERATOR))
    operator(ax, (reset, 45), "product")
    label(ax, (reset + 2.4, 47.6), "(3)", size=NOTE, align="left")
    arrow(ax, (reset + OPERATOR, 45), (47.6, 45), (47.6, low), (candidate - 0.9, low))
    junction(ax, (14, 16.6))
    arrow(ax, (14, 16.6), (candidate, 16.6), (candidate, low - 2.2))
    stack(ax, (candidate, low))
    arrow(ax, (candidate, low + 2.2), (candidate, low + 3.8))
    with_weights(ax, candidate, low + 6.2, "a", "tanh", "(4)")
    arrow(ax, (candidate, low + 16.2), (candidate, 51 - OPERATOR))
    label(ax, (candidate - 1.8, low - 3.2), WORDS["candidate"], size=NOTE, align="right")
    draw_legend(ax, 4.4)
    return figure


def draw_legend(ax: Axes, y: float) -> None:
    """Draw what the small shapes mean, in one line."""
    explain(ax, (4, y), "product", WORDS["product"])
    explain(ax, (21, y), "sum", WORDS["sum"])
    explain(ax, (33, y), "stack", WORDS["stacked"])
    box(ax, (51, y), (4, 3), "", PARAMETER, corner=0)
    label(ax, (54, y), WORDS["weights"], size=NOTE, align="left")


# The backward pass

TOP, SPLIT, FACTORS, SLOPES, SUMS, BUS = 68, 59, 53, 44, 34, 27
STATE, RESET, SEEN, CANDIDATE, UPDATE = 14, 28, 43, 59, 77


def gru_cell_back() -> Figure:
    """Draw where the gradients of one step come from and go to."""
    figure, ax = canvas(96, 76)
    label(ax, (91, TOP), "$d$" + NEW, size=17)
    label(ax, (5.6, TOP), r"$\delta_a^{\langle t-1 \rangle}$", size=17)
    label(ax, (STATE + 4.4, TOP + 3), "(14)", size=NOTE)
    # Along the top to the old state; down to the candidate and the update gate.
    arrow(ax, (86.6, TOP), (54.8, TOP))
    box(ax, (50, TOP), (9.6, 5), r"$1-\Gamma_u$", GATE, text_size=NOTE)
    arrow(ax, (45.2, TOP), (STATE + OPERATOR, TOP))
    arrow(ax, (STATE - OPERATOR, TOP), (9.6, TOP))
    junction(ax, (84, TOP))
    line(ax, (84, TOP), (84, SPLIT), (CANDIDATE, SPLIT))
    junction(ax, (UPDATE, SPLIT))
    factor(ax, UPDATE, rf"$\tilde a - {OLD[1:-1]}$", PAPER, "(7)", 12.6)
    factor(ax, CANDIDATE, r"$\Gamma_u$", GATE, "(8)")
    for x, letter, number in (
        (RESET, "r", "(13)"),
        (UPDATE, "u", "(9)"),
        (CANDIDATE, "a", "(10)"),
    ):
        draw_slope(ax, x, letter, number)
    draw_reset(ax)
    draw_ways_out(ax)
    operator(ax, (STATE, TOP), "sum")
    return figure


def factor(ax: Axes, x: float, text: str, fill: str, number: str, width: float = 9) -> None:
    """Draw what a gradient is multiplied with on its way down to a slope."""
    arrow(ax, (x, SPLIT), (x, FACTORS + 2.2))
    box(ax, (x, FACTORS), (width, 4.4), text, fill, corner=0.8, text_size=NOTE)
    label(ax, (x + width / 2 + 0.8, FACTORS), number, size=NOTE, align="left")
    arrow(ax, (x, FACTORS - 2.2), (x, SLOPES + 2.5))


def draw_slope(ax: Axes, x: float, letter: str, number: str) -> None:
    """Draw the slope of an activation, and the gradient of the sum before it."""
    gate = rf"$\Gamma_{letter}(1-\Gamma_{letter})$"
    text, fill = (r"$1-\tilde a^2$", FUNCTION) if letter == "a" else (gate, GATE)
    box(ax, (x, SLOPES), (15, 5), text, fill, text_size=NOTE)
    arrow(ax, (x, SLOPES - 2.5), (x, SUMS + 2.4))
    label(ax, (x + 1.2, SLOPES - 5), number, size=NOTE, align="left")
    box(ax, (x, SUMS), (9, 4.8), f"$dz_{letter}$", PAPER, corner=0, text_size=WORD)


def draw_reset(ax: Axes) -> None:
    """Draw the way through the candidate's weights to the reset gate and the old state."""
    line(ax, (CANDIDATE - 4.5, SUMS), (SEEN, SUMS))
    arrow(ax, (SEEN, SUMS), (SEEN, SLOPES - 2.5))
    box(ax, (SEEN, SLOPES), (7.4, 5), r"$W_{aa}^\top$", PARAMETER, corner=0, text_size=NOTE)
    line(ax, (SEEN, SLOPES + 2.5), (SEEN, 61.5))
    label(ax, (SEEN + 1.2, FACTORS - 3), "(11)", size=NOTE, align="left")
    junction(ax, (SEEN, FACTORS))
    arrow(ax, (SEEN, FACTORS), (RESET + 4.5, FACTORS))
    box(ax, (RESET, FACTORS), (9, 4.4), OLD, PAPER, corner=0.8, text_size=NOTE)
    label(ax, (RESET - 5.2, FACTORS), "(12)", size=NOTE, align="right")
    arrow(ax, (RESET, FACTORS - 2.2), (RESET, SLOPES + 2.5))
    arrow(ax, (SEEN, 61.5), (RESET + 4.5, 61.5))
    box(ax, (RESET, 61.5), (9, 4.4), r"$\Gamma_r$", GATE, corner=0.8, text_size=NOTE)
    arrow(ax, (RESET - 4.5, 61.5), (STATE + OPERATOR, 61.5))


def draw_ways_out(ax: Axes) -> None:
    """Draw what the three sums hand on: to the state, the input, weights and biases."""
    for x in (RESET, CANDIDATE, UPDATE):
        line(ax, (x, SUMS - 2.4), (x, BUS))
    line(ax, (STATE, BUS), (UPDATE, BUS))
    arrow(ax, (STATE, BUS), (STATE, SUMS - 2.5))
    for y, weights in ((SUMS, r"$W_{ra}^\top$"), (SUMS + 5, r"$W_{ua}^\top$")):
        box(ax, (STATE, y), (7.4, 5), weights, PARAMETER, corner=0, text_size=NOTE)
    arrow(ax, (STATE, SUMS + 7.5), (STATE, 61.5 - OPERATOR))
    operator(ax, (STATE, 61.5), "sum")
    arrow(ax, (STATE, 61.5 + OPERATOR), (STATE, TOP - OPERATOR))
    results = (("$d$" + INPUT, "(15)"), ("$dW_k$", "(16)"), ("$dW_a$", "(17)"), ("$db_j$", "(18)"))
    for k, (result, number) in enumerate(results):
        x = 24 + 16.6 * k
        arrow(ax, (x, BUS), (x, 18.6))
        label(ax, (x + 1.2, 22.6), number, size=NOTE, align="left")
        label(ax, (x, 15.8), result, size=17)
    operator(ax, (24, 6), "sum")
    label(ax, (26.6, 6), WORDS["sum"], size=NOTE, align="left")
    box(ax, (42, 6), (4, 3), "", PAPER, corner=0.8)
    label(ax, (45, 6), WORDS["factor"], size=NOTE, align="left")


def two_way() -> Figure:
    """Draw a two-way network: both states of a step go up into one stack."""
    figure, ax = canvas(58, 62)
    steps = {"1": 13, "2": 28, "T_x": 46}
    for step, x in steps.items():
        label(ax, (x, 10.4), at_step("x", step), size=17)
        box(ax, (x - 2.4, 22), (6, 6), "", GATE, corner=1.4)
        box(ax, (x + 2.4, 34), (6, 6), "", FUNCTION, corner=1.4)
        arrow(ax, (x - 2.4, 12.8), (x - 2.4, 19))
        arrow(ax, (x + 2.4, 12.8), (x + 2.4, 31))
        arrow(ax, (x - 2.4, 25), (x - 2.4, 46.2))
        arrow(ax, (x + 2.4, 37), (x + 2.4, 46.2))
        box(ax, (x, 51), (9.6, 3.2), "", GATE, corner=0)
        box(ax, (x, 47.8), (9.6, 3.2), "", FUNCTION, corner=0)
        label(ax, (x + 0.6, 56.4), at_step("a", step), size=17)
    for x, tip in ((4, 7.6), (13.6, 22.6), (28.6, 34), (37, 40.6), (46.6, 55)):
        arrow(ax, (x, 22), (tip, 22))
    for x, tip in ((55, 51.4), (45.4, 40.6), (37.4, 33.4), (27.4, 18.4), (12.4, 4)):
        arrow(ax, (x, 34), (tip, 34))
    label(ax, (37.2, 28), r"$\cdots$")
    for x, fill, name in ((7, GATE, "forwards"), (30, FUNCTION, "backwards")):
        box(ax, (x, 4.6), (4.6, 3), "", fill, corner=0.8)
        label(ax, (x + 4, 4.6), WORDS[name], size=NOTE, align="left")
    return figure


FIGURES = {
    figure.__name__: (figure, WORDS[figure.__name__])
    for figure in (gru_cell, gru_cell_back, two_way)
}


if __name__ == "__main__":
    draw(FIGURES, __file__)
