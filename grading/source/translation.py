"""
A notebook or module in another language, from a plain text file: source/<assignment>/zh/<name>.md.

The English notebook is the truth. The file holds, for each cell, what students read of it: of
a text cell all, of a code cell its docstrings and comments, in their order, and those of its
strings that are shown. Code, formulas, names and numbers come from the truth, or are held equal
to it.

    <!-- cell rnn-cell-forward 1a2b3c4d -->
    (a docstring)
    <!-- part -->
    (a comment)
    <!-- string "The training" -->
    训练
    <!-- code -->
    (what is added to the cell: how the words of a plot are translated, say)

The eight digits are a hash of the English parts: where these change, the cell is stale.
Of a module, the cells are its definitions.
"""

from __future__ import annotations

import ast
import copy
import hashlib
import io
import json
import re
import textwrap
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise, takewhile

from nbformat import NotebookNode, from_dict

MARK = re.compile(r"^<!-- cell (\S+) (\S+) -->$", re.MULTILINE)
PART = re.compile(r"^<!-- (part|code|string \".*\") -->$", re.MULTILINE)
UNTRANSLATED = "untranslated"
BY_NBGRADER = "# YOUR CODE HERE"


@dataclass
class Translated:
    """
    What a translation holds of one cell.

    Attributes
    ----------
    mark : str
        The hash of the English that was translated.
    parts : list of str
    strings : dict
        The strings of its code that are shown, by the English.
    code : str
        What is added to its code.
    """

    mark: str
    parts: list[str]
    strings: dict[str, str] = field(default_factory=dict)
    code: str = ""


Translation = Mapping[str, Translated]


def read_translation(text: str) -> dict[str, Translated]:
    """Read a translation; what stands above the first cell is for translators."""
    pieces = MARK.split(text)
    cells = {}
    for name, mark, body in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
        first, *others = PART.split(body)
        cell = cells[name] = Translated(mark, [first.strip("\n")])
        for kind, part in zip(others[::2], others[1::2], strict=True):
            if kind == "part":
                cell.parts.append(part.strip("\n"))
            elif kind == "code":
                cell.code = part.strip("\n")
            else:
                cell.strings[json.loads(kind.removeprefix("string "))] = part.strip("\n")
        if not any(cell.parts):
            cell.parts = []
    return cells


def write_translation(translation: Translation, head: str = "") -> str:
    """Return the file of a translation."""
    text = head.rstrip() + "\n"
    for name, cell in translation.items():
        text += f"\n<!-- cell {name} {cell.mark} -->\n"
        text += "\n<!-- part -->\n".join(cell.parts)
        for english, string in cell.strings.items():
            shown = json.dumps(english, ensure_ascii=False)
            text += f"\n<!-- string {shown} -->\n{string}"
        if cell.code:
            text += f"\n<!-- code -->\n{cell.code}"
        text = text.rstrip("\n") + "\n"
    return text


# A module


def cells_of(module: str) -> NotebookNode:
    """Return a module as a notebook: its head in a cell, and each definition with what precedes."""
    body, lines = ast.parse(module).body, module.splitlines()
    head = list(takewhile(lambda n: isinstance(n, (ast.Expr, ast.Import, ast.ImportFrom)), body))
    kinds = ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef
    ends = [("module", head[-1].end_lineno or 0)] if head else []
    ends += [(node.name, node.end_lineno or 0) for node in body if isinstance(node, kinds)]
    pieces = pairwise([("", 0), *ends, ("end", len(lines))])
    texts = {name: "\n".join(lines[start:end]) for (_, start), (name, end) in pieces if start < end}
    cells = [from_dict({"cell_type": "code", "id": n, "source": t}) for n, t in texts.items()]
    return from_dict({"cells": cells})


def translated_module(module: str, translation: Translation) -> str:
    """Return a module in the language of a translation."""
    return "\n".join(cell.source for cell in translate(cells_of(module), translation).cells) + "\n"


# What is translated of a cell


@dataclass
class Passage:
    """A docstring or a block of comments: from where to where, in lines and columns."""

    text: str
    start: tuple[int, int]
    end: tuple[int, int]
    is_comment: bool


def parts_of(cell: NotebookNode) -> list[str]:
    """Return what students read of a released cell."""
    if cell.cell_type != "code":
        return [cell.source] if cell.source.strip() else []
    return [part.text for part in code_parts(cell.source)]


def code_parts(code: str) -> list[Passage]:
    """Return the docstrings and comments of code, in their order."""
    found: list[Passage] = []
    before = tokenize.NEWLINE
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.COMMENT and token.string != BY_NBGRADER:
            add_comment(found, token)
        elif token.type == tokenize.STRING and before in (tokenize.INDENT, tokenize.NEWLINE):
            text = textwrap.dedent(" " * token.start[1] + ast.literal_eval(token.string))
            found.append(Passage(text.strip(), token.start, token.end, False))
        if token.type not in (tokenize.COMMENT, tokenize.NL):
            before = token.type
    return found


def add_comment(found: list[Passage], token: tokenize.TokenInfo) -> None:
    """Add a comment; one that goes on from the line above is part of that."""
    text = token.string.removeprefix("#").strip()
    last = found[-1] if found else None
    alone = not token.line[: token.start[1]].strip()
    below = (token.start[0] - 1, token.start[1])
    if last and last.is_comment and alone and (last.end[0], last.start[1]) == below:
        last.text, last.end = f"{last.text}\n{text}", token.end
        return
    found.append(Passage(text, token.start, token.end, True))


def mark_of(cell: NotebookNode) -> str:
    """Return the hash of what is translated of a cell."""
    return hashlib.sha256("\0".join(parts_of(cell)).encode()).hexdigest()[:8]


# The translated cell


def translate(notebook: NotebookNode, translation: Translation) -> NotebookNode:
    """Return a copy of a released notebook in the language of a translation."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if cell.id in translation:
            cell.source = translated_text(cell, translation[cell.id])
    return notebook


def translated_text(cell: NotebookNode, translated: Translated) -> str:
    """Return the text of a cell in the language of its translation."""
    if cell.cell_type != "code":
        return translated.parts[0] if translated.parts else cell.source
    lines = with_strings(cell.source, translated.strings).splitlines()
    parts = code_parts("\n".join(lines))
    for part, text in reversed(list(zip(parts, translated.parts, strict=True))):
        (first, column), (last, end) = part.start, part.end
        before, after = lines[first - 1][:column], lines[last - 1][end:]
        shown = as_comment(text, column) if part.is_comment else as_docstring(text, column)
        lines[first - 1 : last] = f"{before}{shown}{after}".split("\n")
    return "\n".join(lines + (["", *translated.code.splitlines()] if translated.code else []))


def as_comment(text: str, column: int) -> str:
    """Return a comment that begins at a column."""
    return ("\n" + " " * column).join(f"# {line}" for line in text.splitlines())


def as_docstring(text: str, column: int) -> str:
    """Return a docstring that begins at a column."""
    if "\n" not in text:
        return f'"""{text}"""'
    inside = textwrap.indent(f"{text}\n", " " * column)
    return f'"""\n{inside}{" " * column}"""'


def with_strings(code: str, strings: Mapping[str, str]) -> str:
    """Return code with other words in its strings."""
    if not strings:
        return code
    lines = code.splitlines()
    tokens = list(tokenize.generate_tokens(io.StringIO(code).readline))
    for token in reversed(tokens):
        if tokenize.tok_name[token.type] not in ("STRING", "FSTRING_MIDDLE"):
            continue
        (line, start), (last, end) = token.start, token.end
        if line == last:
            text = lines[line - 1]
            for english in sorted(strings, key=len, reverse=True):
                if english in text[start:end]:
                    shown = text[start:end].replace(english, strings[english])
                    text, end = text[:start] + shown + text[end:], start + len(shown)
            lines[line - 1] = text
    return "\n".join(lines)


# Whether it is whole


def what_is_stale(notebook: NotebookNode, translation: Translation) -> Iterator[str]:
    """Yield what a translator has to do, a line for each cell."""
    known = set()
    for cell in notebook.cells:
        wanted = parts_of(cell)
        known.add(cell.id)
        translated = translation.get(cell.id)
        if translated is None:
            if wanted:
                yield f"cell {cell.id} is missing"
        elif translated.mark == UNTRANSLATED:
            yield f"cell {cell.id} is not translated yet"
        elif translated.mark != mark_of(cell):
            yield f"cell {cell.id} is stale: its English has changed; its mark is {mark_of(cell)}"
        elif len(translated.parts) != len(wanted):
            yield f"cell {cell.id} has {len(translated.parts)} parts, its English {len(wanted)}"
    for name in translation.keys() - known:
        yield f"cell {name} is not in the notebook any more"


def updated(notebook: NotebookNode, translation: Translation) -> dict[str, Translated]:
    """Return a translation with every cell of the notebook, those not translated in English."""
    cells = {}
    for cell in notebook.cells:
        if cell.id in translation:
            cells[cell.id] = translation[cell.id]
        elif parts_of(cell):
            cells[cell.id] = Translated(UNTRANSLATED, parts_of(cell))
    return cells
