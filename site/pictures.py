"""Drawings as parts of a page: in its colours, and never smaller than they can be read."""

from __future__ import annotations

import re
from html import escape

from rnn_figures.colours import ROLES, by_roles

SMALLEST = 11  # pixels, of type on the narrowest screen
# Matplotlib draws type of 10 points as glyphs of 100 units, scaled by 0.1.
TYPE = re.compile(r"scale\(([\d.]+) -\1\)")
UNSEEN = re.compile(
    r"<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->|<metadata>.*?</metadata>|<style.*?</style>"
    r"|<title>.*?</title>",
    re.DOTALL,
)
VIEW = re.compile(r"<svg [^>]*viewBox=\"0 0 ([\d.]+) ([\d.]+)\"[^>]*>")


class Drawing:
    """
    A figure or plot as Matplotlib wrote it.

    Parameters
    ----------
    svg : str

    Attributes
    ----------
    title : str
        What it says it is; "" for a plot.
    width, height : float
        In points.
    """

    def __init__(self, svg: str) -> None:
        found = re.search(r"<title>(.*?)</title>", svg)
        self.title = found[1] if found else ""
        self.width, self.height = map(float, VIEW.search(svg).groups())
        self.svg = svg

    def least_width(self) -> int:
        """Return how many pixels wide it must be for its smallest type to be read."""
        sizes = [100 * float(scale) for scale in TYPE.findall(self.svg)]
        return round(SMALLEST / min(sizes) * self.width + 0.5) if sizes else 0

    def inline(self, name: str, attributes: str) -> str:
        """
        Return it as an element of a page.

        Parameters
        ----------
        name : str
            Goes before its ids, for those of all drawings in a page to differ.
        attributes : str
            Of the element.
        """
        svg = UNSEEN.sub("", by_roles(self.svg))
        svg = re.sub(r'\bid="', f'id="{name}-', svg)
        svg = re.sub(r'xlink:href="#', f'href="#{name}-', svg)
        svg = svg.replace("url(#", f"url(#{name}-")
        # no empty lines: Markdown would take what follows for text
        inner = " ".join(VIEW.sub("", svg).replace("</svg>", "").split())
        view = f'viewBox="0 0 {self.width:g} {self.height:g}"'
        return f'<svg class="drawing" {view} {attributes}>{shorter(inner)}</svg>'


def shorter(svg: str) -> str:
    """Take out spaces, and digits that nobody sees; scales, which are small, keep theirs."""
    long = r"(?<!scale\()(?<![\d.])-?\d+\.\d{3,}"
    svg = re.sub(long, lambda n: f"{float(n[0]):.2f}".rstrip("0").rstrip("."), svg)
    return svg.replace("> <", "><")


def figure(drawing: Drawing, number: int, title: str, words: str, in_words: str) -> str:
    """Return a drawing in a box that scrolls, its caption, and its description `in_words`."""
    described = f"picture-{number}"
    name = f'role="img" aria-label="{escape(title)}" aria-describedby="{described}"'
    size = f'style="min-width: {drawing.least_width()}px"'
    return (
        f'<figure class="picture"><div class="scroller">'
        f"{drawing.inline(f'p{number}', f'{name} {size}')}</div>"
        f'<figcaption>{escape(title)}<details class="words">'
        f'<summary>{in_words}</summary><p id="{described}">{escape(words)}</p>'
        "</details></figcaption></figure>\n"
    )


def colours(
    dark: str = 'body[data-theme="dark"]',
    light: str = 'body:not([data-theme="light"])',
    always: str = "body",
) -> str:
    """
    Return the style sheet that gives every role its colour.

    Parameters
    ----------
    dark, light, always : str
        Selectors: of a page that was set to dark, of one not set to light, of every page.
    """
    by_day, by_night = (
        " ".join(f"--{role}: {pair[which]};" for role, pair in ROLES.items()) for which in (0, 1)
    )
    lines = [
        f"{always} {{ {by_day} }}",
        "@media not print {",
        f"{dark} {{ {by_night} }}",
        f"@media (prefers-color-scheme: dark) {{ {light} {{ {by_night} }} }}",
        "}",
        *(f".fill-{role} {{ fill: var(--{role}); }}" for role in ROLES),
        *(f".stroke-{role} {{ stroke: var(--{role}); }}" for role in ROLES),
    ]
    return "\n".join(lines) + "\n"
