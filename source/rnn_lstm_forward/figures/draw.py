"""
Draw the figures of the notebook `rnn_lstm_forward`.

    python source/rnn_lstm_forward/figures/draw.py [FOLDER]

writes one SVG file per figure into FOLDER, or beside this file. The same
Matplotlib writes the same bytes every time. What the shapes mean stands in
rnn_figures/drawing.py.
"""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from rnn_figures import flow
from rnn_figures.drawing import (
    BLUE,
    FUNCTION,
    GATE,
    NOTE,
    OPERATOR,
    ORANGE,
    PALE,
    PAPER,
    PARAMETER,
    PURPLE,
    STRONG,
    SYMBOL,
    WORD,
    Y_HAT,
    Ink,
    arrow,
    at_step,
    body,
    box,
    canvas,
    draw,
    junction,
    label,
    line,
    operator,
    stack,
)

# All words of the figures; a translation changes this table alone. A line
# break may stand in each.
WORDS = {
    "one to one": "one to one",
    "one to many": "one to many",
    "many to one": "many to one",
    "read, then write": "many to many,\nread first",
    "in step": "many to many,\nin step",
    "rnn cell": "RNN\ncell",
    "lstm cell": "LSTM\ncell",
    "same parameters": "same parameters in every cell:",
    "forget": "forget",
    "input": "input",
    "candidate": "candidate",
    "output": "output",
    "kept": "kept",
    "stored": "stored",
    "shown": "shown",
    "parameters": "weights, bias",
    "gate": "gate",
    "function": "function",
    "product": "product",
    "sum": "sum",
    "stacked": "stacked",
    "branch": "copied",
    "hidden": "hidden state",
    "cell": "cell state",
    "old hidden": "hidden\nstate",
    "old cell": "cell\nstate",
    "steps": "time steps",
    "examples": "examples",
    "one example": "one example",
    "rnn scales": "RNN: weights $W_{aa}$, scaled",
    "lstm biases": "LSTM: forget gate's bias $b_f$",
    "gradient": "gradient",
    "steps back": "steps back",
    "explodes": "explodes",
    "vanishes": "vanishes",
    "forwards": "forwards",
    "backwards": "backwards",
    "layer": "layer",
    "update": "update",
    "reset": "reset",
}

# Why: patterns of reading and writing


def pattern(
    ax: Axes, left: float, reads: list[int], writes: list[int], name: str, y: float
) -> None:
    """Draw a row of cells; those in `reads` have an input, those in `writes` an output."""
    cells = range(max(reads + writes) + 1)
    for n in cells:
        x = left + 2 + 5.4 * n
        box(ax, (x, y), (3.8, 4), "", GATE, corner=0.8)
        if n:
            arrow(ax, (x - 3.5, y), (x - 1.9, y))
        for there, bottom in ((n in reads, y - 9), (n in writes, y + 5)):
            if there:
                box(ax, (x, bottom + 2), (2.6, 2.6), "", PARAMETER, corner=0)
        if n in reads:
            arrow(ax, (x, y - 5.7), (x, y - 2))
        if n in writes:
            arrow(ax, (x, y + 2), (x, y + 5.7))
    label(ax, (left + 2 + 2.7 * (len(cells) - 1), y - 12.2), WORDS[name], size=NOTE)


def patterns() -> Figure:
    """Draw five patterns of reading and writing."""
    figure, ax = canvas(58, 58)
    pattern(ax, 6, [0], [0], "one to one", 43.5)
    pattern(ax, 20, [0], [0, 1, 2], "one to many", 43.5)
    pattern(ax, 40, [0, 1, 2], [2], "many to one", 43.5)
    pattern(ax, 5, [0, 1, 2], [2, 3, 4], "read, then write", 18)
    pattern(ax, 38, [0, 1, 2], [0, 1, 2], "in step", 18)
    return figure


# The RNN


def block() -> Figure:
    """Draw the array x: a sheet per time step, a column per example."""
    figure, ax = canvas(52, 36)
    rows, columns, side, shift = 3, 5, 4, (2.7, 2.7)
    for sheet in (3, 2, 1, 0):
        left, bottom = 10 + shift[0] * sheet, 10.5 + shift[1] * sheet
        for n in range(rows * columns):
            row, column = divmod(n, columns)
            fill = PARAMETER if sheet else GATE if column == 1 else FUNCTION
            corner = (left + side * column, bottom + side * row)
            style = {"facecolor": fill, "edgecolor": STRONG.color, "linewidth": 1.2}
            ax.add_patch(Rectangle(corner, side, side, zorder=6 - sheet, **style))
    label(ax, (6.8, 16.5), "$n_x$")
    label(ax, (25.5, 7.4), f"$m$ {WORDS['examples']}", size=NOTE)
    arrow(ax, (31.3, 10), (39.6, 18.3))
    label(ax, (41.5, 11), f"$T_x$ {WORDS['steps']}", size=NOTE)
    label(ax, (6.4, 30), at_step("x", "1"))
    arrow(ax, (6.6, 27.4), (9.8, 22.9))
    label(ax, (14, 3.4), WORDS["one example"], size=NOTE)
    arrow(ax, (16, 5.2), (16, 10.2))
    return figure


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


CELLS, STEPS, CELL_WIDTH = (12.2, 26, 43.2), ("1", "2", "T_x"), 8


def unrolled_line(ax: Axes, letter: str, y: float, start: str, thick: bool = False) -> None:
    """Draw how one state goes from cell to cell."""
    half = CELL_WIDTH / 2
    first, second, last = CELLS
    label(ax, (3.4, y), start, size=17)
    for x, tip, text in (
        (5.6, first - half, ""),
        (first + half, second - half, at_step(letter, "1")),
        (second + half, second + half + 3.4, ""),
        (last - half - 3.4, last - half, ""),
        (last + half, last + half + 4, ""),
    ):
        arrow(ax, (x, y), (tip, y), thick=thick)
        label(ax, ((x + tip) / 2 - 0.5, y + 3), text, size=17)
    label(ax, ((second + last) / 2, y), r"$\cdots$")
    label(ax, (last + half + 7, y), at_step(letter, "T_x"), size=17)


def rnn_unrolled() -> Figure:
    """Draw the RNN unrolled over the time steps."""
    figure, ax = canvas(58, 46)
    unrolled_steps(ax, 32, 22, WORDS["rnn cell"])
    unrolled_line(ax, "a", 27, at_step("a", "0"))
    names = "$W_{aa},\\ W_{ax},\\ W_{ya},\\ b_a,\\ b_y$"
    label(ax, (29, 8.4), WORDS["same parameters"], size=NOTE)
    box(ax, (29, 4.5), (30, 4), names, PARAMETER, corner=0, text_size=18)
    return figure


SQUARE = {"fill": PARAMETER, "corner": 0, "text_size": 17}


def rnn_cell() -> Figure:
    """Draw what happens inside one RNN cell, with shapes and a legend."""
    figure, ax = canvas(58, 83)
    body(ax, (8, 36), (42, 38))
    hidden, scores = (42, 49), (42, 62.5)

    # The hidden state.
    label(ax, (3.8, 49), at_step("a", "t-1"), size=17)
    arrow(ax, (7.2, 49), (10.5, 49))
    box(ax, (14, 49), (7, 4.6), "$W_{aa}$", **SQUARE)
    arrow(ax, (17.5, 49), (21.4, 49))
    label(ax, (23, 31.8), at_step("x"), size=17)
    arrow(ax, (23, 33.7), (23, 38.9))
    box(ax, (23, 41.2), (7, 4.6), "$W_{ax}$", **SQUARE)
    arrow(ax, (23, 43.5), (23, 47.4))
    box(ax, (23, 56.7), (5, 4.6), "$b_a$", **SQUARE)
    arrow(ax, (23, 54.4), (23, 50.6))
    operator(ax, (23, 49), "sum")
    arrow(ax, (24.6, 49), (29, 49))
    box(ax, (33, 49), (8, 5), r"$\tanh$", FUNCTION, text_size=18)
    arrow(ax, (37, 49), (52.4, 49))
    junction(ax, hidden)
    label(ax, (54.8, 49), at_step("a"), size=17)
    label(ax, (33, 44.4), "(1)", size=NOTE)
    label(ax, (26.8, 51.5), at_step("z"), size=NOTE)

    # The prediction.
    arrow(ax, hidden, (42, 54.2))
    box(ax, (42, 56.5), (7, 4.6), "$W_{ya}$", **SQUARE)
    arrow(ax, (42, 58.8), (42, 60.9))
    operator(ax, scores, "sum")
    box(ax, (32, 62.5), (5, 4.6), "$b_y$", **SQUARE)
    arrow(ax, (34.5, 62.5), (40.4, 62.5))
    arrow(ax, (42, 64.1), (42, 66.2))
    box(ax, (42, 68.7), (11, 5), "softmax", FUNCTION, text_size=WORD)
    label(ax, (33.5, 68.7), "(2)", size=NOTE)
    arrow(ax, (42, 71.2), (42, 77))
    label(ax, (42, 79.6), at_step(Y_HAT), size=17)

    legend(ax, 23.6, ["parameters", "function", "sum"], ["hidden", "branch"])
    shapes(
        ax,
        10,
        [
            (f"{at_step('x')}", "$(n_x, m)$"),
            (f"{at_step('a')}", "$(n_a, m)$"),
            (f"{at_step(Y_HAT)}", "$(n_y, m)$"),
        ],
        [("$W_{aa}$", "$(n_a, n_a)$"), ("$W_{ax}$", "$(n_a, n_x)$"), ("$W_{ya}$", "$(n_y, n_a)$")],
    )
    return figure


def legend(ax: Axes, top: float, left: list[str], right: list[str]) -> None:
    """Say what the shapes mean, in two columns downwards from `top`."""
    for x, kinds in ((4.5, left), (31, right)):
        for row, kind in enumerate(kinds):
            y = top - 4.6 * row
            sign(ax, kind, (x + 2.2, y))
            label(ax, (x + 6.2, y), WORDS[kind], size=NOTE, align="left")


FILLS = {"parameters": PARAMETER, "gate": GATE, "function": FUNCTION}


def sign(ax: Axes, kind: str, at: tuple[float, float]) -> None:
    """Draw one shape of the legend."""
    x, y = at
    if kind in FILLS:
        box(ax, at, (4.6, 3), "", FILLS[kind], corner=0 if kind == "parameters" else 0.8)
    elif kind in ("product", "sum"):
        operator(ax, at, kind)
    elif kind == "stacked":
        stack(ax, at)
    else:
        arrow(ax, (x - 2.4, y), (x + 2.6, y), thick=kind == "cell")
        if kind == "branch":
            arrow(ax, (x - 0.4, y), (x - 0.4, y + 2.6))
            junction(ax, (x - 0.4, y))


def shapes(ax: Axes, top: float, left: list[tuple[str, str]], right: list[tuple[str, str]]) -> None:
    """List symbols with their shapes, in two columns downwards from `top`."""
    for x, rows in ((4.5, left), (28, right)):
        for row, (symbol, shape) in enumerate(rows):
            y = top - 4 * row
            label(ax, (x, y), symbol, size=17, align="left")
            label(ax, (x + 12.5, y), shape, size=17, align="left")


# The LSTM

# Where the columns of the cell stand, and its lines.
FORGET, INPUT, CANDIDATE, OUTPUT, HIDDEN = 15.2, 22.9, 30.9, 39.8, 46.9
CELL_LINE, GATES, SQUARES, BUS, STACK, RIGHT = 51, 31, 23.6, 17, 10.6, 53.6

NUMBERS = {
    "forget": (FORGET, "(3)", "f"),
    "input": (INPUT, "(4)", "i"),
    "candidate": (CANDIDATE, "(5)", "c"),
    "output": (OUTPUT, "(7)", "o"),
}


def lstm_skeleton(strong: set[str], below: float = 0) -> tuple[Figure, Axes]:
    """
    Draw the LSTM cell, the parts named in `strong` in strong ink.

    The parts are the four gates of `NUMBERS`, "cell" and "hidden". `below` the cell is
    so much room.
    """
    figure, ax = canvas(58, 62 + below)
    ax.set_ylim(-below, 62)
    move_card(ax, below)
    body(ax, (7.2, 8), (44.2, 49.5))
    inks = {part: STRONG if part in strong else PALE for part in (*NUMBERS, "cell", "hidden")}
    draw_inputs(ax, inks)
    for name, (x, number, letter) in NUMBERS.items():
        draw_gate(ax, x, name, number, letter, inks[name])
    draw_cell_line(ax, inks)
    draw_hidden(ax, inks)
    return figure, ax


def move_card(ax: Axes, below: float) -> None:
    """Let the card begin where the axes do."""
    (card,) = ax.patches
    card.set_y(card.get_y() - below)


def draw_inputs(ax: Axes, inks: dict[str, Ink]) -> None:
    """Draw how hidden state and input are stacked and led to the gates."""
    gates = [x for name, (x, *_) in NUMBERS.items() if inks[name] is STRONG]
    ink = STRONG if gates else PALE
    label(ax, (3.6, BUS), at_step("a", "t-1"), ink, 17)
    arrow(ax, (6.6, BUS), (STACK - 0.9, BUS), ink=ink)
    label(ax, (STACK, 2.8), at_step("x"), ink, 17)
    arrow(ax, (STACK, 5), (STACK, BUS - 2.2), ink=ink)
    line(ax, (STACK + 0.9, BUS), (OUTPUT, BUS), ink=PALE)
    if gates:
        line(ax, (STACK + 0.9, BUS), (max(gates), BUS), ink=ink)
    stack(ax, (STACK, BUS), ink)


def draw_gate(ax: Axes, x: float, name: str, number: str, letter: str, ink: Ink) -> None:
    """Draw one gate, or the candidate, above its branch of the inputs."""
    arrow(ax, (x, BUS), (x, SQUARES - 2.2), ink=ink)
    junction(ax, (x, BUS), ink)
    names = f"$W_{letter}, b_{letter}$"
    box(ax, (x, SQUARES), (6.9, 4.4), names, PARAMETER, ink, corner=0, text_size=NOTE)
    arrow(ax, (x, SQUARES + 2.2), (x, GATES - 2.4), ink=ink)
    fill, text = (GATE, r"$\sigma$")
    if name == "candidate":
        fill, text = (FUNCTION, "tanh")
    size = SYMBOL if fill == GATE else WORD
    box(ax, (x, GATES), (6.6, 4.8), text, fill, ink, text_size=size)
    label(ax, (x, 13.9), WORDS[name], ink, NOTE)
    label(ax, (x, 10.8), number, ink, NOTE)


def draw_cell_line(ax: Axes, inks: dict[str, Ink]) -> None:
    """Draw the cell state's way, and what the gates do to it."""
    ink, y, low = inks["cell"], CELL_LINE, 41
    store = STRONG if STRONG in (inks["input"], ink) else PALE
    arrow(
        ax,
        (FORGET, GATES + 2.4),
        (FORGET, y - OPERATOR),
        ink=STRONG if STRONG in (inks["forget"], ink) else PALE,
    )
    arrow(ax, (INPUT, GATES + 2.4), (INPUT, low), (CANDIDATE - OPERATOR, low), ink=store)
    arrow(ax, (CANDIDATE, GATES + 2.4), (CANDIDATE, low - OPERATOR), ink=store)
    arrow(ax, (CANDIDATE, low + OPERATOR), (CANDIDATE, y - OPERATOR), ink=ink)
    label(ax, (3.6, y), at_step("c", "t-1"), ink, 17)
    arrow(ax, (6.6, y), (FORGET - OPERATOR, y), ink=ink, thick=True)
    arrow(ax, (FORGET + OPERATOR, y), (CANDIDATE - OPERATOR, y), ink=ink, thick=True)
    arrow(ax, (CANDIDATE + OPERATOR, y), (RIGHT, y), ink=ink, thick=True)
    label(ax, (55.7, y), at_step("c"), ink, 17)
    operator(ax, (FORGET, y), "product", ink)
    operator(ax, (CANDIDATE, y), "sum", ink)
    operator(ax, (CANDIDATE, low), "product", ink if ink is STRONG else store)
    label(ax, ((FORGET + CANDIDATE) / 2, y + 2.9), WORDS["kept"], ink, NOTE)
    label(ax, (CANDIDATE - 1, 45.6), WORDS["stored"], store, NOTE, "right")
    label(ax, (CANDIDATE, y + 3.8), "(6)", ink, NOTE)


def draw_hidden(ax: Axes, inks: dict[str, Ink]) -> None:
    """Draw how the output gate shows the cell state as hidden state."""
    ink = inks["hidden"]
    arrow(ax, (HIDDEN, CELL_LINE), (HIDDEN, 47.2), ink=ink)
    junction(ax, (HIDDEN, CELL_LINE), ink)
    box(ax, (HIDDEN, 45), (6.8, 4.4), "tanh", FUNCTION, ink, text_size=WORD)
    arrow(ax, (HIDDEN, 42.8), (HIDDEN, 37 + OPERATOR), ink=ink)
    arrow(ax, (OUTPUT, GATES + 2.4), (OUTPUT, 37), (HIDDEN - OPERATOR, 37), ink=ink)
    operator(ax, (HIDDEN, 37), "product", ink)
    label(ax, (HIDDEN + 2.8, 33.6), "(8)", ink, NOTE)
    arrow(ax, (HIDDEN, 37 - OPERATOR), (HIDDEN, BUS), (RIGHT, BUS), ink=ink)
    label(ax, (55.7, BUS), at_step("a"), ink, 17)
    label(ax, (57.7, BUS - 3.8), WORDS["shown"], ink, NOTE, "right")


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
    """Draw the whole LSTM cell, with the prediction, shapes and a legend."""
    figure, ax = lstm_skeleton({*NUMBERS, "cell", "hidden"}, below=43)
    junction(ax, (HIDDEN, BUS))
    arrow(ax, (HIDDEN, BUS), (HIDDEN, 14.6))
    box(ax, (HIDDEN, 12.6), (6.6, 4), "$W_y, b_y$", PARAMETER, corner=0, text_size=NOTE)
    arrow(ax, (HIDDEN, 10.6), (HIDDEN, 6.6))
    box(ax, (HIDDEN, 4.4), (10.2, 4.2), "softmax", FUNCTION, text_size=NOTE)
    label(ax, (39, 4.4), "(9)", size=NOTE)
    arrow(ax, (HIDDEN, 2.3), (HIDDEN, -2))
    label(ax, (HIDDEN, -4.4), at_step(Y_HAT), size=17)
    for at, what in (((0.4, CELL_LINE - 4.6), "old cell"), ((0.4, BUS - 4.6), "old hidden")):
        label(ax, at, WORDS[what], size=NOTE, align="left")
    label(ax, (STACK + 2.6, 2.6), WORDS["input"], size=NOTE, align="left")
    legend(ax, -2, ["parameters", "gate", "function", "stacked"], [])
    legend(ax, -9.6, [], ["product", "sum", "cell", "hidden"])
    rows = (
        ("$W_f, W_i, W_c, W_o$", "$(n_a, n_a + n_x)$"),
        ("$b_f, b_i, b_c, b_o$", "$(n_a, 1)$"),
        ("$W_y$", "$(n_y, n_a)$"),
        (f"{at_step('c')}, {at_step('a')}", "$(n_a, m)$"),
    )
    for row, (symbols, shape) in enumerate(rows):
        label(ax, (6, -28.4 - 4 * row), symbols, size=17, align="left")
        label(ax, (31, -28.4 - 4 * row), shape, size=17, align="left")
    return figure


def lstm_unrolled() -> Figure:
    """Draw the LSTM unrolled over the time steps."""
    figure, ax = canvas(58, 43)
    unrolled_steps(ax, 31, 13, WORDS["lstm cell"])
    unrolled_line(ax, "c", 27, at_step("c", "0"), thick=True)
    label(ax, (3.8, 23.6), "$=0$", size=NOTE)
    unrolled_line(ax, "a", 17, at_step("a", "0"))
    return figure


# What becomes of a gradient

STYLES = [(BLUE, "-"), (ORANGE, "--"), (PURPLE, ":")]


def gradients() -> Figure:
    """Draw the norm of the gradient against the steps back, of untrained networks."""
    figure, _ = canvas(58, 84)
    panels = (
        (0.545, "rnn scales", flow.SCALES, flow.rnn_norms),
        (0.085, "lstm biases", flow.FORGET_BIASES, flow.lstm_norms),
    )
    for bottom, name, settings, norms in panels:
        ax = figure.add_axes((0.15, bottom, 0.68, 0.365), facecolor=PAPER)
        ax.set(yscale="log", xlim=(0, flow.STEPS), ylim=(1e-8, 1e3))
        for word, y in (("explodes", 3e1), ("vanishes", 1e-7)):
            ax.text(2, y, WORDS[word], size=NOTE, color=STRONG.color, va="center")
        ax.axhline(1, color=PALE.color, linewidth=0.9)
        for setting, (color, style) in zip(settings, STYLES, strict=True):
            curve = norms(setting)
            ax.plot(curve, style, color=color, linewidth=2.6)
            place = (flow.STEPS + 1, curve[-1])
            ax.text(*place, f"{setting:g}", size=NOTE, color=color, va="center")
        ax.set_title(WORDS[name], size=WORD, color=STRONG.color)
        ax.set_yticks([1e-8, 1e-6, 1e-4, 1e-2, 1, 1e2])
        ax.tick_params(labelsize=NOTE, colors=STRONG.color, which="both")
        ax.minorticks_off()
        ax.spines[:].set_color(STRONG.color)
        ax.set_ylabel(WORDS["gradient"], size=NOTE, color=STRONG.color)
    ax.set_xlabel(WORDS["steps back"], size=NOTE, color=STRONG.color)
    return figure


# Outlook


def two_way() -> Figure:
    """Draw a two-way network: one RNN forwards, one backwards."""
    figure, ax = canvas(58, 56)
    for x, step in zip((13, 28, 46), STEPS, strict=True):
        label(ax, (x, 10.4), at_step("x", step), size=17)
        box(ax, (x - 2.4, 23), (6, 6), "", GATE, corner=1.4)
        box(ax, (x + 2.4, 35), (6, 6), "", FUNCTION, corner=1.4)
        arrow(ax, (x - 2.4, 12.8), (x - 2.4, 20))
        arrow(ax, (x + 2.4, 12.8), (x + 2.4, 32))
        arrow(ax, (x - 2.4, 26), (x - 2.4, 46))
        arrow(ax, (x + 2.4, 38), (x + 2.4, 46))
        label(ax, (x + 0.6, 49.2), at_step(Y_HAT, step), size=17)
    for x, tip in ((4, 7.6), (13.6, 22.6), (28.6, 34), (37, 40.6), (46.6, 55)):
        arrow(ax, (x, 23), (tip, 23))
    for x, tip in ((55, 51.4), (45.4, 40.6), (37.4, 33.4), (27.4, 18.4), (12.4, 4)):
        arrow(ax, (x, 35), (tip, 35))
    label(ax, (37.2, 29), r"$\cdots$")
    for x, fill, name in ((7, GATE, "forwards"), (30, FUNCTION, "backwards")):
        box(ax, (x, 4.6), (4.6, 3), "", fill, corner=0.8)
        label(ax, (x + 4, 4.6), WORDS[name], size=NOTE, align="left")
    return figure


def deep() -> Figure:
    """Draw a deep network: the hidden states of one layer are the inputs of the next."""
    figure, ax = canvas(58, 56)
    fills = (GATE, FUNCTION)
    for x, step in zip((20, 33, 49), STEPS, strict=True):
        label(ax, (x, 4), at_step("x", step), size=17)
        arrow(ax, (x, 6.4), (x, 13))
        for layer, y in ((1, 16), (2, 32)):
            box(ax, (x, y), (7, 6), "", fills[layer - 1], corner=1.4)
            arrow(ax, (x, y + 3), (x, y + 13))
            symbol = rf"$a^{{[{layer}]\langle {step} \rangle}}$"
            label(ax, (x + 0.8, y + 7.5), symbol, size=NOTE, align="left")
        label(ax, (x, 49), at_step(Y_HAT, step), size=17)
    for layer, y in ((1, 16), (2, 32)):
        label(ax, (3, y), f"{WORDS['layer']} {layer}", size=NOTE, align="left")
        for x, tip in ((13, 16.5), (23.5, 29.5), (36.5, 39.3), (42.4, 45.5), (52.5, 56)):
            arrow(ax, (x, y), (tip, y))
        label(ax, (40.9, y), r"$\cdots$", size=NOTE)
    return figure


def gru() -> Figure:
    """Draw a GRU cell: one state, two gates."""
    figure, ax = canvas(58, 58)
    body(ax, (7.4, 8), (43.8, 45))
    y, low = 46, 17
    label(ax, (3.6, y), at_step("a", "t-1"), size=17)
    label(ax, (55, y), at_step("a"), size=17)
    label(ax, (11, 2.8), at_step("x"), size=17)
    # The update gate chooses between the old state and the candidate.
    arrow(ax, (6.6, y), (26 - OPERATOR, y))
    arrow(ax, (26 + OPERATOR, y), (39 - OPERATOR, y))
    arrow(ax, (39 + OPERATOR, y), (53, y))
    arrow(ax, (26, 27.4), (26, 39))
    box(ax, (26, 41), (5.4, 4), "$1 -$", FUNCTION, text_size=NOTE)
    arrow(ax, (26, 43), (26, y - OPERATOR))
    junction(ax, (26, 36.4))
    arrow(ax, (26, 36.4), (39 - OPERATOR, 36.4))
    arrow(ax, (39, 36.4 + OPERATOR), (39, y - OPERATOR))
    for at, kind in (((26, y), "product"), ((39, 36.4), "product"), ((39, y), "sum")):
        operator(ax, at, kind)
    # The gates read the old state and x.
    arrow(ax, (11, y), (11, low + 2.2))
    arrow(ax, (11, 5), (11, low - 2.2))
    stack(ax, (11, low))
    line(ax, (11.9, low), (26, low))
    for x, name in ((18, "reset"), (26, "update")):
        arrow(ax, (x, low), (x, 22.6))
        junction(ax, (x, low))
        box(ax, (x, 25), (6.4, 4.8), r"$\sigma$", GATE)
        label(ax, (x, 13.9), WORDS[name], size=NOTE)
    # The candidate reads x, and as much of the old state as the reset gate lets through.
    junction(ax, (11, y))
    junction(ax, (11, 32))
    arrow(ax, (11, 32), (18 - OPERATOR, 32))
    arrow(ax, (18, 27.4), (18, 32 - OPERATOR))
    operator(ax, (18, 32), "product")
    arrow(ax, (18 + OPERATOR, 32), (32.6, 32), (32.6, low), (38.1, low))
    junction(ax, (11, 10.4))
    arrow(ax, (11, 10.4), (39, 10.4), (39, low - 2.2))
    stack(ax, (39, low))
    arrow(ax, (39, low + 2.2), (39, 22.6))
    box(ax, (39, 25), (7, 4.8), "tanh", FUNCTION, text_size=WORD)
    arrow(ax, (39, 27.4), (39, 36.4 - OPERATOR))
    label(ax, (40.2, 20.2), WORDS["candidate"], size=NOTE, align="left")
    return figure


FIGURES = {
    "patterns": (patterns, "Five patterns of reading and writing"),
    "block": (block, "The inputs of all examples and time steps"),
    "rnn_unrolled": (rnn_unrolled, "An RNN unrolled over the time steps"),
    "rnn_cell": (rnn_cell, "Inside one RNN cell"),
    "gradients": (gradients, "The norm of a gradient against the steps back"),
    "forget_gate": (forget_gate, "The forget gate of an LSTM cell"),
    "input_gate": (input_gate, "Input gate and candidate of an LSTM cell"),
    "cell_state": (cell_state, "The cell state of an LSTM cell"),
    "output_gate": (output_gate, "Output gate and hidden state of an LSTM"),
    "lstm_cell": (lstm_cell, "Inside one LSTM cell"),
    "lstm_unrolled": (lstm_unrolled, "An LSTM unrolled over the time steps"),
    "two_way": (two_way, "A two-way network"),
    "deep": (deep, "A deep network"),
    "gru": (gru, "Inside one GRU cell"),
}


if __name__ == "__main__":
    draw(FIGURES, __file__)
