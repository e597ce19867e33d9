"""The table of notation, and the links to it from the first use of each symbol."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from language import ENGLISH, Language

TERMS = Path(__file__).parents[1] / "docs" / "translating.md"
TABLE = re.compile(r"^\|.*\|$(?:\n^\|.*\|$)*", re.MULTILINE)
# What may hold maths, and what looks like it and is none: code comes first.
PIECES = re.compile(r"(```.*?```|`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]+\$)", re.DOTALL)


@dataclass(frozen=True)
class Symbol:
    """
    A row of the table.

    Attributes
    ----------
    id : str
        Its anchor in the table.
    tex : list of str
        The ways it is written in formulas.
    code, shape, meaning : str
        What the table says of it, in Markdown.
    link : bool
        Whether its first use in a page links to the table.
    """

    id: str
    tex: list[str]
    code: str
    shape: str
    meaning: str
    link: bool = True


class Notation:
    """
    The symbols of all notebooks.

    Parameters
    ----------
    language : Language
    """

    def __init__(self, language: Language) -> None:
        self.language = language
        self.groups = [
            {**group, "symbols": [Symbol(name, **row) for name, row in group["symbols"].items()]}
            for group in language.told("notation").values()
        ]

    def tables(self) -> str:
        """Return the table of notation as Markdown, a table per group."""
        return "\n\n".join(
            f"## {group['caption']}\n\n"
            + boxed("\n".join([*self.head(), *map(row, group["symbols"])]))
            for group in self.groups
        )

    def head(self) -> list[str]:
        """Return the head of a table."""
        words = [self.language.words[f"{name}_column"] for name in COLUMNS]
        return [line_of(words), line_of(["---"] * len(words))]

    def terms(self) -> str:
        """Return the terms of docs/translating.md in the language, "" where it has none."""
        lines = [cells(line) for line in TERMS.read_text("utf-8").splitlines() if "|" in line]
        words = self.language.words
        head = next((k for k, line in enumerate(lines) if words["name"] in line), None)
        if self.language.code == ENGLISH or head is None:
            return ""
        column = lines[head].index(words["name"])
        rows = [[line[column], line[0], elsewhere(line[-1])] for line in lines[head + 2 :]]
        names = [words["name"], words["term_column"], words["elsewhere_column"]]
        table = map(line_of, [names, ["---"] * 3, *rows])
        return "\n".join([f"## {words['terms']}", "", words["terms_about"], "", *table])

    def links(self, page: str) -> Links:
        """Return what links the symbols of a page."""
        groups = [group for group in self.groups if group.get("page", page) == page]
        own_last = sorted(groups, key=lambda group: "page" in group)
        return Links([symbol for group in own_last for symbol in group["symbols"] if symbol.link])


class Links:
    """
    Link the first use of each symbol on a page to its row.

    Parameters
    ----------
    symbols : list of Symbol
        Of two that are written alike, the later one counts.
    """

    def __init__(self, symbols: list[Symbol]) -> None:
        self.symbols = {tex: symbol for symbol in symbols for tex in symbol.tex}
        self.seen: set[str] = set()
        longest_first = sorted(self.symbols, key=len, reverse=True)
        any_symbol = "|".join(re.escape(tex) for tex in longest_first)
        self.pattern = re.compile(rf"(?<![A-Za-z\\_])(?:{any_symbol})(?![A-Za-z_^])")

    def add(self, markdown: str) -> str:
        """Return the text with links."""
        return PIECES.sub(lambda found: self._link_piece(found[0]), markdown)

    def _link_piece(self, piece: str) -> str:
        if piece.startswith("`"):
            return piece
        alone = self.symbols.get(piece.strip("$"))
        if not alone or piece.startswith("$$"):
            return self.pattern.sub(self._link_part, piece)
        if not self._is_first(alone):
            return piece
        title = re.split(r"[,;:，；：]", alone.meaning)[0]
        return f'<a class="symbol" href="{address(alone)}" title="{title}">{piece}</a>'

    def _link_part(self, found: re.Match) -> str:
        symbol = self.symbols[found[0]]
        if not self._is_first(symbol):
            return found[0]
        return rf"\href{{{address(symbol)}}}{{{found[0]}}}"

    def _is_first(self, symbol: Symbol) -> bool:
        first = symbol.id not in self.seen
        self.seen.add(symbol.id)
        return first


COLUMNS = ("formulas", "code", "shape", "meaning")


def line_of(cells: list[str]) -> str:
    """Return a line of a table."""
    return f"| {' | '.join(cells)} |"


def cells(line: str) -> list[str]:
    """Return the cells of a line of a table."""
    return [cell.strip() for cell in line.strip("|").split("|")]


def boxed(tables: str) -> str:
    """Return Markdown with its tables of symbols in boxes: they are laid out anew on phones."""
    return TABLE.sub(r'<div class="symbols">\n\n\g<0>\n\n</div>', tables)


def elsewhere(source: str) -> str:
    """Return the words that a term has elsewhere: those that begin what is said of its source."""
    found = re.match(r"[^\x00-\x7f]+(?: and [^\x00-\x7f]+)*", source)
    return found[0].replace(" and ", "、") if found else ""


def row(symbol: Symbol) -> str:
    """Return a symbol's row, with its anchor."""
    anchor = f"[${symbol.tex[0]}$]{{#{symbol.id}}}"
    return line_of([anchor, symbol.code, symbol.shape, symbol.meaning])


def address(symbol: Symbol) -> str:
    """Return the address of a symbol's row."""
    return f"notation.html#{symbol.id}"
