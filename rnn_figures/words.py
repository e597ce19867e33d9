"""The words of a figure in another language: as text of the SVG, in the reader's own fonts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import ScaledTranslation

# Windows, macOS and iOS, Android and Linux.
FONTS = (
    '"Noto Sans CJK SC", "Noto Sans SC", "Microsoft YaHei", "PingFang SC", "Heiti SC", sans-serif'
)
LINE = 1.25  # from one line to the next, in sizes of the text


def texts_of(figure: Figure) -> Iterator[tuple[Axes, Text]]:
    """Yield all that is written in a figure, ticks of axes left out."""
    for ax in figure.axes:
        for text in (*ax.texts, ax.title, ax.xaxis.label, ax.yaxis.label):
            yield ax, text


def translate(figure: Figure, words: Mapping[str, str]) -> None:
    """
    Put other words into a figure that is drawn.

    Parameters
    ----------
    figure : Figure
    words : mapping
        By the English, as the figure has it. A text that is not in it stays.
    """
    for ax, text in list(texts_of(figure)):
        if text.get_text() in words:
            write(ax, text, words[text.get_text()].split("\n"))


def write(ax: Axes, text: Text, lines: list[str]) -> None:
    """Write lines in the place of a text, each by itself: an SVG centres one line alone."""
    size = float(text.get_fontsize())
    middle, move = (len(lines) - 1) / 2, text.get_transform()
    for number, line in enumerate(lines):
        one = text if number == 0 else ax.text(*text.get_position(), "")
        if number:
            one.update_from(text)
            one.set_zorder(text.get_zorder())
        one.set_text(line)
        if len(lines) > 1:
            up = (middle - number) * LINE * size / 72
            shift = ScaledTranslation(0, up, ax.figure.dpi_scale_trans)
            one.set_transform(move + shift)
        if not line.isascii():
            one.__class__ = TextAsText


class TextAsText(Text):
    """A text that is written as text, and not as the outlines of a font that is here."""

    def draw(self, renderer: RendererBase) -> None:
        """Draw it."""
        with mpl.rc_context({"svg.fonttype": "none"}):
            super().draw(renderer)


def with_fonts(svg: str) -> str:
    """Return a drawing whose texts name fonts that have the characters."""
    return svg.replace("'DejaVu Sans'", FONTS.replace('"', "'"))
