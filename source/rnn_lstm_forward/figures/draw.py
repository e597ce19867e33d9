"""Draw the figures of the notebook `rnn_lstm_forward`.

    python source/rnn_lstm_forward/figures/draw.py [FOLDER]

writes one SVG file per figure into FOLDER, or beside this file. The same
Matplotlib writes the same bytes every time. What the shapes mean stands in
grading/drawing.py.
"""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnn_marking.drawing import (
    FUNCTION,
    GATE,
    NOTE,
    OPERATOR,
    PALE,
    PARAMETER,
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


FIGURES = {
    "rnn_unrolled": (rnn_unrolled, "An RNN unrolled over the time steps"),
    "rnn_cell": (rnn_cell, "Inside one RNN cell"),
    "forget_gate": (forget_gate, "The forget gate of an LSTM cell"),
    "input_gate": (input_gate, "Input gate and candidate of an LSTM cell"),
    "cell_state": (cell_state, "The cell state of an LSTM cell"),
    "output_gate": (output_gate, "Output gate and hidden state of an LSTM"),
    "lstm_cell": (lstm_cell, "Inside one LSTM cell"),
    "lstm_unrolled": (lstm_unrolled, "An LSTM unrolled over the time steps"),
}


if __name__ == "__main__":
    draw(FIGURES, __file__)
