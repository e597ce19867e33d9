"""
Draw the figures of the notebook `char_lstm`.

    python source/char_lstm/figures/draw.py [FOLDER]

writes one SVG file per figure into FOLDER, or beside this file. The same
Matplotlib writes the same bytes every time. What the shapes mean stands in
rnn_figures/drawing.py; here, a row of square boxes is a row of an array.
"""

import itertools

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rnn_figures.drawing import (
    FUNCTION,
    GATE,
    NOTE,
    PALE,
    PAPER,
    PARAMETER,
    STRONG,
    WORD,
    Ink,
    arrow,
    box,
    canvas,
    draw,
    label,
    line,
)

# All the words in the figures, and their titles.
WORDS = {
    "reads": "what is read",
    "says": "what is next",
    "real": "what is real",
    "end mark": "end mark",
    "filled up": "filled up",
    "gradients": "gradients",
    "update": "update",
    "batch": "Two names in one batch, with padding and mask",
    "writing": "The network writes a name, character by character",
    "windows": "A batch of long names, cut into windows",
}
END = "↵"
STEP = 3.3  # the width of a place in an array


def row(
    ax: Axes, left: float, y: float, texts: str, real: int, fill: str = PAPER, width: float = STEP
) -> None:
    """Draw a row of an array; what stands behind the real places is pale."""
    for place, text in enumerate(texts):
        ink: Ink = STRONG if place < real else PALE
        at = (left + (place + 0.5) * width, y)
        box(ax, at, (width, STEP), text, fill, ink, corner=0, text_size=WORD)


# Padding and mask


def batch() -> Figure:
    """Draw two names as rows of three arrays."""
    figure, ax = canvas(57, 25)
    names = ("teal", "tan")
    for left, letter, word in ((2, "$x$", "reads"), (20.2, "$y$", "says"), (38.4, "$m$", "real")):
        label(ax, (left + 0.9, 21.4), letter, size=WORD)
        label(ax, (left + 2.5, 21.4), WORDS[word], size=NOTE, align="left")
        for number, name in enumerate(names):
            real = len(name) + 1
            texts = {"reads": END + name, "says": name + END, "real": "1" * real}[word]
            filling = "0" if word == "real" else END
            row(ax, left, 16.4 - 4.6 * number, texts.ljust(5, filling), real)
    row(ax, 10, 4.6, END, 1)
    label(ax, (14.4, 4.6), WORDS["end mark"], size=NOTE, align="left")
    row(ax, 33, 4.6, END, 0)
    label(ax, (37.4, 4.6), WORDS["filled up"], size=NOTE, align="left")
    return figure


# Writing

COLUMNS = (9.5, 28.5, 47.5)
BAR, MIDDLE, LOW = 27.5, 16.5, 6.0
BAR_WIDTH = 12.5
# At each step: the probabilities of some characters, the draw, and which of them it falls on.
DRAWN = (
    (("a", 0.24), ("n", 0.19), ("t", 0.38), (END, 0.19)),
    (("a", 0.43), ("n", 0.19), ("t", 0.19), (END, 0.19)),
    (("a", 0.19), ("n", 0.19), ("t", 0.19), (END, 0.43)),
)
DRAWS, PICKED = (0.6, 0.3, 0.8), "ta" + END


def writing() -> Figure:
    """Draw three steps: read, say, draw, and read what was drawn."""
    figure, ax = canvas(57, 40)
    for number, x in enumerate(COLUMNS):
        read = END + PICKED[:2]
        box(ax, (x, LOW), (STEP, STEP), read[number], PAPER, corner=0, text_size=WORD)
        arrow(ax, (x, LOW + STEP / 2), (x, MIDDLE - 3))
        box(ax, (x, MIDDLE), (9, 6), "LSTM", FUNCTION, text_size=WORD)
        arrow(ax, (x, MIDDLE + 3), (x, BAR - STEP / 2))
        bar(ax, x - BAR_WIDTH / 2, number)
    for left, right in itertools.pairwise(COLUMNS):
        arrow(ax, (left + 4.5, MIDDLE), (right - 4.5, MIDDLE))
        label(ax, (left + 6.6, MIDDLE + 1.9), "$h, c$", size=NOTE)
    return figure


def bar(ax: Axes, left: float, number: int) -> None:
    """Draw the probabilities of a step side by side, the draw, and where the picked one goes."""
    begin = left
    for character, likely in DRAWN[number]:
        width = likely * BAR_WIDTH
        picked = character == PICKED[number]
        fill = GATE if picked else PAPER
        at = (begin + width / 2, BAR)
        box(ax, at, (width, STEP), character, fill, corner=0, text_size=NOTE)
        begin += width
    u = left + DRAWS[number] * BAR_WIDTH
    label(ax, (u, BAR + 8.4), f"$u$ = {DRAWS[number]}", size=NOTE)
    arrow(ax, (u, BAR + 6.6), (u, BAR + STEP / 2))
    if number < 2:  # what is picked is read next
        gap = left + BAR_WIDTH + 3.2
        y = BAR + 3.6
        line(ax, (u + 0.9, BAR + STEP / 2), (u + 0.9, y), (gap, y), (gap, LOW))
        arrow(ax, (gap, LOW), (COLUMNS[number + 1] - STEP / 2, LOW))


# Windows

WIDE = 3.6


def windows() -> Figure:
    """Draw a batch that is cut into windows, and what passes between these."""
    figure, ax = canvas(57, 36)
    names = ("bluish grey", "dark rose", "teal")
    left = 2.6
    for number in range(3):
        middle, right = left + 2 * WIDE, left + 4 * WIDE
        for k, name in enumerate(names):
            texts = (name + END).ljust(12, END)[4 * number : 4 * number + 4]
            real = max(0, min(4, len(name) + 1 - 4 * number))
            row(ax, left, 25.5 - STEP * k, texts, real, width=WIDE)
        label(ax, (middle, 31.2), f"{number + 1}", size=NOTE)
        arrow(ax, (right, 14), (left, 14))
        label(ax, (middle, 11.8), WORDS["gradients"], size=NOTE)
        box(ax, (middle, 5.6), (8, 4.8), "W" + number * "′", PARAMETER, corner=0, text_size=WORD)
        if number < 2:
            arrow(ax, (right, 22.2), (right + 4.4, 22.2))
            label(ax, (right + 2.1, 24.4), "$h, c$", size=NOTE)
            arrow(ax, (middle + 4, 5.6), (middle + 4 * WIDE + 0.4, 5.6))
            label(ax, (middle + 9.4, 7.6), WORDS["update"], size=NOTE)
        left = right + 4.4
    return figure


FIGURES = {
    figure.__name__: (figure, WORDS[figure.__name__]) for figure in (batch, writing, windows)
}


if __name__ == "__main__":
    draw(FIGURES, __file__)
