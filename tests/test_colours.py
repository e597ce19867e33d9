"""The colours of figures: whether they can be read, by day and by night, greyed parts too."""

import re
from itertools import product

import pytest

from rnn_figures.colours import ROLES, follow_page

FILLS = ("paper", "body", "gate", "parameter", "function")
WORDS = [("ink", FILLS), ("soft", ("paper", "body"))]
WORDS += [(line, ("paper", "body")) for line in ("blue", "orange", "green", "purple")]
PAIRS = [(word, fill) for word, fills in WORDS for fill in fills]
DRAWN = """<svg><defs><style type="text/css">*{stroke-linejoin: round}</style></defs>
<path style="fill: #a5c8ea; stroke: #17202b; stroke-width: 2"/>
<path style="fill: none; stroke: #000000"/><path style="fill: #123456"/></svg>"""


def luminance(colour):
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(("pair", "page"), list(product(PAIRS, (0, 1))))
def test_words_can_be_read_where_they_stand(pair, page):
    word, fill = pair
    assert contrast(ROLES[word][page], ROLES[fill][page]) >= 4.5


@pytest.mark.parametrize("page", (0, 1))
def test_outlines_can_be_seen(page):
    for fill in ("paper", "body"):
        assert contrast(ROLES["edge"][page], ROLES[fill][page]) >= 3


def test_shapes_name_their_colours_by_roles():
    followed = follow_page(DRAWN)
    assert '<path class="fill-gate stroke-ink" style="stroke-width: 2"/>' in followed
    assert '<path class="stroke-ink" style="fill: none"/>' in followed
    assert '<path style="fill: #123456"/>' in followed
    day, night = followed.split("@media (prefers-color-scheme: dark)")
    for text, page in ((day, 0), (night, 1)):
        assert re.search(rf"\.fill-gate \{{ fill: {ROLES['gate'][page]} \}}", text)
    assert ".fill-purple" not in followed
