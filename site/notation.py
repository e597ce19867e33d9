"""The table of notation, and the links to it from the first use of each symbol."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

FILE = Path(__file__).with_name("notation.yaml")
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
    """The symbols of all notebooks."""

    def __init__(self) -> None:
        self.groups = list(yaml.safe_load(FILE.read_text("utf-8")).values())
        for group in self.groups:
            group["symbols"] = [Symbol(name, **row) for name, row in group["symbols"].items()]

    def tables(self) -> str:
        """Return the table of notation as Markdown, a table per group."""
        return "\n\n".join(
            "\n".join([f"## {group['caption']}", "", HEADER, *map(row, group["symbols"])])
            for group in self.groups
        )

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
        title = re.split(r"[,;:]", alone.meaning)[0]
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


HEADER = "| in formulas | in code | shape | meaning |\n|---|---|---|---|"


def row(symbol: Symbol) -> str:
    """Return a symbol's row, with its anchor."""
    anchor = f"[${symbol.tex[0]}$]{{#{symbol.id}}}"
    return f"| {anchor} | {symbol.code} | {symbol.shape} | {symbol.meaning} |"


def address(symbol: Symbol) -> str:
    """Return the address of a symbol's row."""
    return f"notation.html#{symbol.id}"
