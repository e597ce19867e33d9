"""What a student's cells say and show, made harmless before a person looks at it."""

from __future__ import annotations

import base64
import binascii
import functools
import re
from collections import Counter

import nh3
from nbformat import NotebookNode

from grading.source import cells

# What tables, plain texts and the reports of checks are made of: no link, no picture.
TAGS = {
    *("b", "blockquote", "br", "code", "div", "em", "h1", "h2", "h3", "h4", "hr", "i", "li"),
    *("ol", "p", "pre", "span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot"),
    *("th", "thead", "tr", "ul"),
}
STYLES = {
    *("background-color", "border", "border-bottom", "border-collapse", "border-top", "color"),
    *("font-family", "font-size", "font-style", "font-weight", "line-height", "list-style"),
    *("margin", "padding", "text-align", "text-decoration", "vertical-align", "white-space"),
}
# Words and numbers: no url(), no escape, nothing below zero; and JupyterLab's own colours.
VALUE = re.compile(r"(?!.*(?:^|[ ,])-)[#a-z0-9.%, -]+", re.I)
COLOUR = re.compile(r"var\(--jp-[a-z0-9-]+, ?#[0-9a-f]+\)")
MOST_VALUE = 100  # characters

LONGEST_KEPT = 20_000  # characters of a cleaned text that is kept for the next student
MOST_HTML = 500_000  # characters: more is no table that anybody reads
MOST_UNCLOSED = 1000  # elements in one another
MOST_PIXELS = 50_000_000  # of a picture: a small file may hold a huge one
MOST_LINE = 2000  # characters of a line of code that are shown
MOST_EMPTY = 50  # empty lines that are shown in a row
MOST_TEXT = 20_000  # characters: Markdown that is longer is shown as it was written
MOST_FORMULAS = 100  # opened in a cell: each is looked for to the end of the text

# Where a space takes the meaning away, and costs a reader nothing: tags, links and their
# definitions, addresses, and commands of TeX that link, draw or load.
BREAKS = [
    (re.compile(r"!\[([^\[\]\n]{0,200})\]\([^()\n]{0,500}\)"), r"[picture: \1]"),
    (re.compile(r"<(?=[A-Za-z/!?])"), "< "),
    (re.compile(r"\](?=[(:])"), "] "),
    (re.compile(r"://(?=\S)"), ":// "),
    (re.compile(r"\b(www\.)(?=\S)", re.I), r"\1 "),
    (re.compile(r"(?<![`~])([`~]{3,}+[^\S\n]*+)(?=[&\\]|mermaid)", re.I), r"\1text "),
    (
        re.compile(
            r"\\(?=(?:href|url|style|class|cssId|data|require|includegraphics|html\w+|bbox"
            r"|unicode|csname|catcode|Html\w+|mmlToken|tooltip|texttip)(?![A-Za-z]))"
        ),
        r"\\ ",
    ),
]
TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)")
VOID = {"br", "hr", "img", "input", "col", "wbr", "link", "meta"}
FORMULA = re.compile(r"\\\\[\[(]|\\begin\{")
ESCAPE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
CONTROLS = {n: None for n in (*range(32), 127) if chr(n) not in "\n\r\t"}


def sanitize(notebook: NotebookNode) -> None:
    """Make all outputs harmless, and what a student wrote: formgrader shows them as they are."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            for output in cell.outputs:
                clean_output(output)
        if cells.is_students(cell):
            clean = clean_code if cell.cell_type == "code" else clean_markdown
            cell.source = clean(cell.source)


def clean_output(output: NotebookNode) -> None:
    """Leave of an output what is text, a picture of a bearable size, or plain HTML."""
    if output.output_type == "stream":
        output.text = clean_text(output.text)
    elif output.output_type == "error":
        output.evalue = clean_text(output.evalue)
        output.traceback = [clean_text(line) for line in output.traceback]
    else:
        output.metadata = NotebookNode()
        output.data = NotebookNode(
            {kind: made for kind, data in output.data.items() if (made := clean_data(kind, data))}
        )


def clean_data(kind: str, data: object) -> str:
    """Return what is shown of one form of an output, "" for nothing."""
    if not isinstance(data, str):
        return ""
    if kind == "text/plain":
        return clean_text(data)
    if kind == "text/html":
        return clean_html(data)
    return data if kind == "image/png" and pixels(data) <= MOST_PIXELS else ""


def clean_text(text: str) -> str:
    """Return a text without what steers a terminal: to turn that into HTML takes too long."""
    return ESCAPE.sub("", text).translate(CONTROLS)


def clean_html(text: str) -> str:
    """Return HTML with nothing but plain elements in it; "" where it is far too long."""
    if len(text) > MOST_HTML or unclosed(text) > MOST_UNCLOSED:
        return ""
    return clean_kept(text) if len(text) < LONGEST_KEPT else cleaner().clean(text)


def unclosed(text: str) -> int:
    """Return the most elements that are open at once: deep nesting takes the sanitizer long."""
    opened: Counter[str] = Counter()
    most = now = 0
    for end, name in TAG.findall(text):
        if end and opened[name]:
            opened[name] -= 1
            now -= 1
        elif not end and name.lower() not in VOID:
            opened[name] += 1
            now += 1
            most = max(most, now)
    return most


@functools.lru_cache(1000)
def clean_kept(text: str) -> str:
    """Clean a text that many students get, such as the report of a check, once."""
    return cleaner().clean(text)


@functools.cache
def cleaner() -> nh3.Cleaner:
    """Return the process's sanitizer."""
    return nh3.Cleaner(
        tags=TAGS,
        attributes={"*": {"style", "role", "aria-label"}, "td": {"colspan", "rowspan"}},
        attribute_filter=clean_attribute,
        link_rel=None,
    )


def clean_attribute(tag: str, name: str, value: str) -> str | None:
    """Return the value that an attribute may have, None for none."""
    return clean_style(value) or None if name == "style" else value[:MOST_VALUE]


@functools.lru_cache(1000)
def clean_style(style: str) -> str:
    """Return the declarations that only change how a text looks."""
    kept = []
    for declaration in style[: 10 * MOST_VALUE].split(";"):
        name, _, value = declaration.partition(":")
        name, value = name.strip().lower(), value.strip()
        if name in STYLES and len(value) <= MOST_VALUE and VALUE.fullmatch(COLOUR.sub("x", value)):
            kept.append(f"{name}: {value}")
    return "; ".join(kept)


def pixels(picture: str) -> int:
    """Return how many pixels a PNG picture in Base64 says that it has."""
    try:
        start = base64.b64decode("".join(picture[:80].split())[:44])
    except (binascii.Error, ValueError):
        return 0
    return int.from_bytes(start[16:20]) * int.from_bytes(start[20:24])


def clean_code(source: str) -> str:
    """Return code as it is shown: what makes tools that colour it slow is cut."""
    source = re.sub(r"(?m)^[ \t\f]+$", "", source)
    source = re.sub(rf"\n{{{MOST_EMPTY},}}", "\n" * MOST_EMPTY, source)
    return re.sub(rf"(?m)^(.{{{MOST_LINE}}}).+$", r"\1 ...", source)


def clean_markdown(text: str) -> str:
    """
    Return a student's Markdown that neither links, loads nor runs anything, whoever renders it.

    What would take long to render is shown as it was written.
    """
    text = text.translate(CONTROLS)
    if len(text) > MOST_TEXT or len(FORMULA.findall(text)) > MOST_FORMULAS:
        return as_written(text)
    return without_links(text)


def without_links(text: str) -> str:
    """Return Markdown whose links, pictures and HTML are nothing but text."""
    for pattern, instead in BREAKS:
        text = pattern.sub(instead, text)
    return text


def as_written(text: str) -> str:
    """Return Markdown that shows a text as it is."""
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", text) or [""]))
    return f"{fence}\n{text}\n{fence}"
