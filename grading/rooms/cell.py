"""A code cell, and what came of it."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from . import said
from .room.shell import Described, Output

Runs = Literal["student", "shared", "test"]  # who runs a cell


@dataclass(frozen=True)
class Cell:
    """
    A code cell.

    Attributes
    ----------
    id : str
    source : str
    kind : {"student", "shared", "test"}
        Who runs it: the student's room, both, or the marking room.
    label : str
        What the student knows it by.
    binds, looks_up : frozenset of str
        Of a cell that is no test, as its author wrote it: the names that it binds, and those
        that its functions look up when they are called.
    imports : str
        What it imports, as its author wrote it: that is ours in a test, never the student's.
    """

    id: str
    source: str
    kind: Runs
    label: str = ""
    binds: frozenset[str] = frozenset()
    looks_up: frozenset[str] = frozenset()
    imports: str = ""

    @property
    def name(self) -> str:
        """What the cell is called in errors."""
        return self.label or f"cell {self.id}"


@dataclass
class CellResult:
    """
    What came of a cell.

    Attributes
    ----------
    cell : Cell
    outputs : list of dict
        As in a notebook.
    value : object
        Of a test: the value of its last line.
    error : str
        "NameError: name 'x' is not defined", or "".
    line : int
        Of a test: the line of the cell in which it stopped, 0 for none.
    """

    cell: Cell
    outputs: list[dict] = field(default_factory=list)
    value: object = None
    error: str = ""
    line: int = 0


def error_output(kind: str, message: str, lines: Sequence[tuple[str, int, str]] = ()) -> Output:
    """Return an error as in a notebook, with lines of the student's alone."""
    shown = [f"{cell}, line {n}: {code}".removeprefix(", ") for cell, n, code in lines]
    return {
        "output_type": "error",
        "ename": kind,
        "evalue": message,
        "traceback": [*shown, f"{kind}: {message}"],
    }


NEWER = re.compile(  # what Python has learned since 3.12
    r"""^\s*type\s+\w+.*=|^\s*(def|class)\s+\w+\[|\b[ft](["']).*{.*\2.*}.*\2"""
    r"""|\bt["']|^\s*except\s+\w+\s*,"""
)


def with_place(error: Described) -> str:
    """Say why and where a cell stopped; of a line that this Python cannot read, why that may be."""
    if not error["lines"]:
        return str(error["message"])
    _, number, text = error["lines"][-1]
    version = ".".join(map(str, sys.version_info[:2]))
    is_newer = error["type"] == "SyntaxError" and NEWER.search(text)
    text = said.IN_LINE.format(said=error["message"], number=number, code=text)
    return said.NEWER.format(said=text, version=version) if is_newer else text
