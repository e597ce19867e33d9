"""What the text of a cell tells: a function as `inspect` sees it, and what is defined plainly."""

from __future__ import annotations

import ast
import builtins
import contextlib
import linecache
from collections.abc import Iterable
from types import CodeType, FunctionType
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager

from .cell import Cell

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
NO_PYTHON = (SyntaxError, ValueError, RecursionError, MemoryError)


def definitions(cell: Cell) -> list[ast.stmt]:
    """Return what imports, defines and assigns at the top of a cell."""
    kinds = (*FUNCTIONS, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign)
    with contextlib.suppress(*NO_PYTHON):
        tree = ast.parse(TransformerManager().transform_cell(cell.source))
        return [node for node in tree.body if isinstance(node, kinds)]
    return []


def plain_definitions(cell: Cell) -> str:
    """Return what a cell imports, defines, and assigns without calling anything."""
    plain = [node for node in definitions(cell) if not calls(node)]
    return ast.unparse(ast.Module(plain, []))


def calls(node: ast.AST) -> bool:
    """Tell whether something is called when this is run: a function's body is not."""
    parts: Iterable[ast.AST] = ast.iter_child_nodes(node)
    if isinstance(node, FUNCTIONS):
        parts = [*node.decorator_list, node.args]
    return isinstance(node, ast.Call) or any(map(calls, parts))


def empty() -> None:
    """Do nothing."""


def written_function(cells: Iterable[Cell], name: str) -> FunctionType | None:
    """
    Return a function that tests may look at: its source, signature, names, annotations.

    Its body is empty: whoever calls it runs nothing of the student's.

    Parameters
    ----------
    cells : iterable of Cell
        The student's, the last one first.
    name : str

    Returns
    -------
    FunctionType or None
        None where the last that binds the name at the top of a cell is no `def`.
    """
    for cell in cells:
        with contextlib.suppress(*NO_PYTHON):
            text = TransformerManager().transform_cell(cell.source)
            found = [node for node in ast.parse(text).body if binds(node, name)]
            if found:
                return made(found[-1], text, cell) if isinstance(found[-1], FUNCTIONS) else None
    return None


def binds(node: ast.stmt, name: str) -> bool:
    """Tell whether a statement gives a name a value."""
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        return node.name == name
    return any(
        (isinstance(each, ast.Name) and each.id == name and isinstance(each.ctx, ast.Store))
        or (isinstance(each, ast.alias) and (each.asname or each.name) == name)
        for each in ast.walk(node)
    )


def made(node: ast.FunctionDef | ast.AsyncFunctionDef, text: str, cell: Cell) -> FunctionType:
    """Make the function that a `def` of a cell writes, with nothing in it that runs."""
    file = f"<student, {cell.name}>"
    linecache.cache[file] = len(text), None, text.splitlines(keepends=True), file
    code = compile(ast.Module([node], []), file, "exec", dont_inherit=True)
    body = next(c for c in code.co_consts if isinstance(c, CodeType) and c.co_name == node.name)
    idle = empty.__code__
    function = FunctionType(
        body.replace(
            co_code=idle.co_code,
            co_consts=idle.co_consts,
            co_exceptiontable=idle.co_exceptiontable,
            co_stacksize=idle.co_stacksize,
        ),
        {},
        node.name,
    )
    arguments = node.args
    function.__defaults__ = tuple(map(value_of, arguments.defaults)) or None
    named = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    function.__kwdefaults__ = {a.arg: value_of(d) for a, d in named if d is not None} or None
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += filter(None, [arguments.vararg, arguments.kwarg])
    function.__annotations__ = {a.arg: type_of(a.annotation) for a in every if a.annotation}
    if node.returns:
        function.__annotations__["return"] = type_of(node.returns)
    return function


def value_of(node: ast.expr) -> Any:
    """Return the value of a literal; of another expression, its text."""
    try:
        return ast.literal_eval(node)
    except (*NO_PYTHON, TypeError):
        return ast.unparse(node)


def type_of(node: ast.expr) -> Any:
    """Return the type of Python's that an annotation names; of another one, its text."""
    text = ast.unparse(node)
    found = getattr(builtins, text, None)
    return found if isinstance(found, type) else None if text == "None" else text
