"""Text, formulas, pictures and code as HTML that asks the network for nothing."""

from __future__ import annotations

import base64
import functools
import html
import mimetypes
import re
from collections.abc import Mapping
from urllib.parse import quote
from xml.etree import ElementTree

import latex2mathml.converter
from markupsafe import Markup
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments.lexers import PythonLexer
from pygments.token import Token, _TokenType

from grading.findings import Finding, Words
from grading.marking.sanitize import without_links

CODE, TABLE, FORMULA = Finding("Code", {}), Finding("Table", {}), Finding("Formula", {})
MOST_TEXTS = 1000  # texts; those of the assignment are the same in every page
MOST_PICTURES = 100
MOST = 20_000  # characters: a longer text of a student's is shown as it is
UNSAFE = re.compile(r"[^\w ,:;/=()\-.~'<>!*+]+", re.ASCII)  # in an address, in an attribute

NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"
ELEMENTS = {
    *("math", "mrow", "mi", "mo", "mn", "mtext", "mspace", "mstyle", "mpadded", "mphantom"),
    *("msub", "msup", "msubsup", "mover", "munder", "munderover", "mfrac", "msqrt", "mroot"),
    *("mtable", "mtr", "mtd", "menclose"),
}
ATTRIBUTES = {
    *("display", "displaystyle", "scriptlevel", "mathvariant", "stretchy", "fence", "form"),
    *("accent", "largeop", "movablelimits", "minsize", "maxsize", "lspace", "rspace", "notation"),
    *("width", "height", "depth", "linethickness", "linebreak", "columnalign", "columnspacing"),
    *("rowspacing", "columnlines", "rowlines", "separator", "symmetric"),
}

LEXER = PythonLexer(stripnl=False, ensurenl=False)
STYLES = [
    (Token.Comment, "c"),
    (Token.Literal.String, "s"),
    (Token.Literal.Number, "n"),
    (Token.Keyword, "k"),
    (Token.Operator.Word, "k"),
    (Token.Name.Function, "f"),
    (Token.Name.Class, "f"),
]


@functools.lru_cache(MOST_TEXTS)
def highlight(source: str) -> Markup:
    """Return Python code as HTML, its keywords, names, texts and remarks told apart."""
    if len(source) > MOST:
        return Markup(html.escape(source))
    return Markup("".join(f"{token(kind, text)}" for kind, text in LEXER.get_tokens(source)))


def token(kind: _TokenType, text: str) -> str:
    """Return one token of the code as HTML."""
    escaped = html.escape(text, quote=False)
    style = style_of(kind)
    return f'<span class="{style}">{escaped}</span>' if style else escaped


@functools.cache
def style_of(kind: _TokenType) -> str:
    """Return the class of a kind of token, "" where it is plain."""
    return next((style for broad, style in STYLES if kind in broad), "")


class Prose:
    """
    Texts of the pages in one language.

    The assignment's own text is the same in every page, so each is rendered once.

    Parameters
    ----------
    files : mapping
        The assignment's files, its pictures among them, by the path that the text names.
    words : mapping
        Of the language.
    """

    def __init__(self, files: Mapping[str, bytes], words: Words) -> None:
        self.files, self.words = files, words
        self.rendered: dict[str, Markup] = {}

    def say(self, finding: Finding) -> str:
        """Return a finding in words."""
        return finding.said(self.words)

    def markdown(self, text: str) -> Markup:
        """Return a text in Markdown as HTML."""
        if text not in self.rendered:
            self.rendered[text] = Markup(MarkdownWithMath(Renderer(self, self.files)).render(text))
        return self.rendered[text]

    def students_markdown(self, text: str) -> Markup:
        """
        Return what a student wrote in Markdown as HTML.

        Its pictures are named, not shown, and nothing in it counts as HTML.
        """
        harmless = text if len(text) > MOST else without_links(html.unescape(text))
        return self.comment(harmless)

    def comment(self, text: str) -> Markup:
        """Return what a person wrote in Markdown as HTML: nothing in it counts as HTML."""
        if len(text) > MOST:
            return Markup(f"<pre>{html.escape(text)}</pre>")
        return Markup(MarkdownWithMath(Renderer(self, None)).render(text))

    def code(self, code: str, kind: str = "") -> str:
        """Return code, which is HTML by now, as a block that can be scrolled by keyboard."""
        name, style = html.escape(self.say(CODE)), f' class="{kind}"' if kind else ""
        return f'<pre{style} tabindex="0" role="group" aria-label="{name}">{code}</pre>\n'

    def scrolling(self, name: Finding, kind: str = "") -> str:
        """Return the opening of a part that scrolls to the side, by keyboard too."""
        said, style = html.escape(self.say(name)), f"scroll {kind}"
        return f'<div class="{style}" tabindex="0" role="group" aria-label="{said}">'


class Renderer(IPythonRenderer):
    """nbconvert's renderer; formulas become MathML, pictures part of the page."""

    def __init__(self, prose: Prose, files: Mapping[str, bytes] | None) -> None:
        super().__init__(escape=files is None, allow_harmful_protocols=False)
        self.prose, self.files = prose, files or {}

    def heading(self, text: str, level: int, **_: object) -> str:
        """Return a heading that fits into the page's own."""
        return f"<h4>{text}</h4>\n"

    def table(self, text: str) -> str:
        """Return a table that a narrow screen can scroll."""
        return f"{self.prose.scrolling(TABLE)}<table>\n{text}</table></div>\n"

    def block_code(self, code: str, info: str | None = None) -> str:
        """Return code between fences."""
        text = highlight(code) if (info or "").startswith("py") else html.escape(code)
        return self.prose.code(f"<code>{text}</code>")

    def link(self, text: str, url: str, title: str | None = None) -> str:
        """Return a link to the web; of one elsewhere, which no page has, its words."""
        return super().link(text, url, title) if url.startswith("https://") else text

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """Return a picture of the assignment; of any other, what it says it is."""
        alt = html.escape(re.sub(r"<[^>]*>", "", html.unescape(text)))
        if url not in self.files:
            named = Finding("[picture: {text}]", {"text": html.unescape(alt)})
            return html.escape(self.prose.say(named))
        return f'<img alt="{alt}" src="{data_uri(url, self.files[url])}">'

    def inline_math(self, body: str) -> str:
        """Return a formula in the line."""
        return mathml(body)

    def block_math(self, body: str) -> str:
        """Return a formula in a line of its own, its number at the right."""
        number = re.search(r"\\tag\{([^}]*)\}", body)
        formula = mathml(body.replace(number[0], "") if number else body, "block")
        tag = f"<span>({html.escape(number[1])})</span>" if number else ""
        return f"{self.prose.scrolling(FORMULA, 'formula')}{formula}{tag}</div>\n"

    def latex_environment(self, name: str, body: str) -> str:
        """Return a formula that begins with an environment."""
        return self.block_math(f"\\begin{{{name}}}{body}\\end{{{name}}}")


@functools.lru_cache(MOST_TEXTS)
def mathml(formula: str, display: str = "inline") -> str:
    """Return a formula in TeX as MathML; where that cannot be done, as it is."""
    tex = re.sub(r"\\math(?:rm|sf|it)\{(\w{2,})\}", r"\\operatorname{\1}", formula)
    tex = tex.replace("{aligned}", "{align*}").strip()
    try:
        made = latex2mathml.converter.convert(tex, display=display)
    except Exception:  # of many kinds, for whatever a student writes
        made = ""
    if not is_plain(made):
        return f"<code>{html.escape(formula)}</code>"
    made = re.sub(r"<mi>(&#x003[9A][0-9A-F];)</mi>", r'<mi mathvariant="normal">\1</mi>', made)
    # few systems have a font whose brackets stretch; these are drawn as borders
    brackets = r"<mo>&#x0005B;</mo><mtable>(.*?)</mtable><mo>&#x0005D;</mo>"
    return re.sub(brackets, r'<mtable class="brackets">\1</mtable>', made)


def is_plain(made: str) -> bool:
    """Tell whether MathML is whole, and nothing but mathematics: TeX can bring in any HTML."""
    try:
        elements = list(ElementTree.fromstring(made).iter())
    except ElementTree.ParseError:
        return False
    return "\\" not in made and all(  # a backslash: a command that is not known
        element.tag.removeprefix(NAMESPACE) in ELEMENTS and element.attrib.keys() <= ATTRIBUTES
        for element in elements
    )


@functools.lru_cache(MOST_PICTURES)
def data_uri(name: str, picture: bytes) -> str:
    """Return a picture as an address that holds it, safe in an attribute."""
    if name.endswith(".svg"):
        drawing = UNSAFE.sub(lambda found: quote(found[0]), shorter(picture.decode()))
        return f"data:image/svg+xml,{drawing}"
    kind = mimetypes.guess_type(name)[0]
    return f"data:{kind};base64,{base64.b64encode(picture).decode()}"


def shorter(svg: str) -> str:
    """Take out of a drawing what nobody sees: it stands in every page."""
    svg = re.sub(
        r"<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->|<metadata>.*?</metadata>", "", svg, flags=re.S
    )
    svg = re.sub(r"\b[1-9]\d*\.\d{2,}", lambda n: f"{float(n[0]):.1f}".removesuffix(".0"), svg)
    svg = " ".join(svg.split()).replace("> <", "><").replace('"', "'")
    return re.sub(r" ?\b([MLQCHVZz]) (?=[-\d'])", r"\1", svg)
