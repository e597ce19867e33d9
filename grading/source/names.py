"""The names that a cell of the author's binds, looks up and imports."""

from __future__ import annotations

import ast
import builtins
import functools
from typing import NamedTuple

from IPython.core.inputtransformer2 import TransformerManager

from grading.scopes import AT_ONCE, scopes_of


class Names(NamedTuple):
    """
    What a cell does with the names of the notebook.

    Attributes
    ----------
    binds : frozenset of str
        What it defines, imports left out.
    uses : frozenset of str
        What it refers to, in functions or not.
    looks_up : frozenset of str
        What its functions look up when they are called.
    imports : str
        The import statements at its top.
    """

    binds: frozenset[str] = frozenset()
    uses: frozenset[str] = frozenset()
    looks_up: frozenset[str] = frozenset()
    imports: str = ""


@functools.lru_cache(1000)
def python_in(text: str) -> str:
    """Return a cell's text as Python: what IPython makes of magics, and all else as it is."""
    try:
        ast.parse(text)
    except SyntaxError:
        return TransformerManager().transform_cell(text)
    return text


@functools.lru_cache(1000)
def names_in(text: str) -> Names:
    """Return the names of a cell; none where it is no Python."""
    text = python_in(text)
    try:
        tree = ast.parse(text)
        top = scopes_of(text)
    except SyntaxError:
        return Names()
    bound = {s.get_name() for s in top.get_symbols() if s.is_assigned()}
    imported = [
        node
        for node in tree.body
        if isinstance(node, (ast.Import, ast.ImportFrom))
        and not bound & {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    ]
    uses = {s.get_name() for s in top.get_symbols() if s.is_referenced()}
    later: set[str] = set()
    waiting = [(scope, scope.get_name() != AT_ONCE) for scope in top.get_children()]
    while waiting:
        scope, is_later = waiting.pop()
        waiting += [(child, is_later) for child in scope.get_children()]
        found = {s.get_name() for s in scope.get_symbols() if s.is_global() and s.is_referenced()}
        uses |= found
        later |= found if is_later else set()
    return Names(
        frozenset(bound),
        frozenset(uses),
        frozenset(name for name in later if not hasattr(builtins, name)),
        "\n".join(map(ast.unparse, imported)),
    )
