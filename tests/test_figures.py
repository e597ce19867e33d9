"""What is written in the figures: symbols as the notebook writes them, numbers that it has."""

import html
import re

import latex
import pytest
from ours import NOTEBOOKS
from quantities import ROOT

from grading.source import read_source

FIGURES = sorted(f for path in NOTEBOOKS.values() for f in path.parent.glob("figures/*.svg"))
TRANSLATED = sorted(f for path in NOTEBOOKS.values() for f in path.parent.glob("zh/figures/*.svg"))
NAMES = {"RNN", "LSTM", "GRU", "tanh", "softmax", "Waa", "bf", "da_prev", "dc_prev", "prev"}
NAMES |= {"da", "dc"}
# What labels hold besides quantities: dots, marks of a derivative, sums, bare numbers and signs.
ALSO = re.compile(r"\\cdots|\\(?:tanh|sigma)(?:\^\{\\prime\})?|\\Sigma(?:_i)?|[-+=01 ]*")
SIZES = re.compile(r"\d?H|\([^()]*\)|n_[axy]|T_x|m")
SLOPES = {"i(1-i)", "f(1-f)", "o(1-o)", "1-g^2", r"1-\tanh^2"}
SLOPES |= {r"1-\Gamma_u", r"1-\tilde a^2", *(rf"\Gamma_{g}(1-\Gamma_{g})" for g in "ru")}
SLOPES.add(r"\tilde a - a^{\langle t-1 \rangle}")


def written(figure):
    """Return the labels of a figure."""
    svg = figure.read_text("utf-8")
    return html.unescape(re.search(r"<dc:description>(.*?)</dc:description>", svg, re.S)[1]).split(
        "\n"
    )


def plain(maths):
    """Return maths without what changes nothing: spaces, braces around a letter, which step."""
    maths = re.sub(r"\\hat\{(\w)\}", r"\\hat \1", maths)
    maths = re.sub(r"\\(?:langle|rangle)|\\[,;! ]|\\left|\\right", " ", maths)
    maths = re.sub(r"\{\s*(?:1|2|T_x|T|0|t)\s*\}", "{t}", maths)
    return re.sub(r"\s+", "", maths.replace(r"\top", "T").replace("{T}", "T"))


def quantities(label):
    """Return the quantities in a label: "$d$$h$ (6)" holds dh, "$W_f, b_f$" two."""
    found = re.findall(r"\$([^$]+)\$", label.replace("$$", ""))
    pieces = [
        piece.strip()
        for maths in found
        for piece in re.split(r"(?<!\\),(?:\\ | )(?![^(]*\))", maths)
    ]
    pieces = [re.sub(r"\[\d\]", "", piece) for piece in pieces]  # of which layer
    known = (ALSO, SIZES)
    return [
        piece
        for piece in pieces
        if piece not in SLOPES and not any(kind.fullmatch(piece) for kind in known)
    ]


def texts(assignment):
    cells = read_source(assignment, ROOT).notebook.cells
    return "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


@pytest.mark.parametrize("figure", FIGURES, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_labels_are_written_as_in_the_text(figure):
    text = texts(figure.parts[-3])
    tags = set(re.findall(r"\\tag\{(\d+)\}", text))
    known = plain(" ".join(re.findall(r"\$+([^$]+)\$+", text)))
    for label in written(figure):
        assert set(re.findall(r"\((\d+)\)", label)) <= tags, label
        for quantity in quantities(label):
            assert plain(quantity) in known, quantity


@pytest.mark.parametrize("figure", FIGURES, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_labels_can_be_read(figure):
    """Each is one of the quantities that formulas are made of."""
    for label in written(figure):
        for quantity in quantities(label):
            latex.PARSER.parse(f"{quantity} = 0")


@pytest.mark.parametrize("figure", TRANSLATED, ids=lambda path: f"{path.parts[-4]}-{path.stem}")
def test_no_english_word_is_left_in_a_translated_figure(figure):
    title = re.search(r"<dc:title>(.*?)</dc:title>", figure.read_text("utf-8"), re.S)[1]
    for label in [title, *written(figure)]:
        words = re.findall(r"[A-Za-z]{2,}", re.sub(r"\$[^$]*\$", "", label))
        assert set(words) <= NAMES, label
