"""A function that stops while it keeps its cache, run without that."""

import ast
import functools
import linecache
from collections.abc import Callable, Iterator
from copy import deepcopy
from itertools import islice
from types import FunctionType
from typing import Any

MOST = 3  # statements that are left out


def sparing(function: Callable) -> Callable:
    """
    Return the function, to be called without what stops only its last value.

    Of several values that a function returns, the last is its cache. Where it
    stops in a statement of which no other value has need, that statement is
    left out. The last value then says nothing, and counts for nothing.
    """
    rest_of = functools.cache(Rest)

    def spared(*given: object) -> Any:
        rest = rest_of(function)
        for _ in range(MOST):
            try:
                rest.function(*deepcopy(given))
                break
            except Exception as error:
                rest.leave_out(error)
        return rest.function(*given)

    spared.__name__ = ""  # where it stops is not asked for: that costs time
    return spared


class Rest:
    """
    What is left of a function, statement by statement.

    Whatever is raised, in finding or leaving out a statement, says that this
    function cannot be called so.
    """

    def __init__(self, function: Callable) -> None:
        if not isinstance(function, FunctionType):
            raise TypeError("its code cannot be read")
        self.function = function
        code = function.__code__
        lines = linecache.getlines(code.co_filename, function.__globals__)
        self.tree = ast.parse("".join(lines))
        self.node = next(
            node
            for node in ast.walk(self.tree)
            if isinstance(node, ast.FunctionDef) and node.name == code.co_name
            if first_line(node) == code.co_firstlineno
        )

    def leave_out(self, error: Exception) -> None:
        """Leave out the statement in which the function stopped."""
        code, stop = self.function.__code__, error.__traceback__
        while stop and stop.tb_frame.f_code is not code:
            stop = stop.tb_next
        if stop is None:
            raise error
        position = islice(code.co_positions(), stop.tb_lasti // 2, None)
        first, last, start, end = next(position)
        around = [
            node
            for node in [self.node, *statements_in(self.node)]
            if (node.lineno, node.col_offset) <= (first, start)
            and (last, end) <= (node.end_lineno, node.end_col_offset)
        ]
        statement = around[-1]
        local = {*code.co_varnames, *code.co_cellvars}
        if isinstance(statement, ast.Return):
            values = returned(statement)
            *others, cache = values.elts
            if (first, start) < (cache.lineno, cache.col_offset):
                raise error
            none = ast.copy_location(ast.Constant(None), cache)
            values.elts = [*others, none]
        elif (
            not isinstance(statement, SIMPLE)
            or written(statement) & needed(self.node) & local
        ):
            raise error
        else:
            Instead(statement).visit(self.tree)
        tree = ast.fix_missing_locations(self.tree)
        module = compile(tree, code.co_filename, "exec", dont_inherit=True)
        made = next(
            each
            for each in codes_in(module)
            if each.co_name == code.co_name
            and each.co_firstlineno == code.co_firstlineno
        )
        old = self.function
        self.function = FunctionType(
            made, old.__globals__, None, old.__defaults__, old.__closure__
        )


def returned(statement: ast.Return) -> ast.Tuple | ast.List:
    """Return the several values of a `return`; raise where it has one."""
    if not isinstance(statement.value, (ast.Tuple, ast.List)):
        raise ValueError("one that is no tuple tells not")
    return statement.value


SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr)


class Instead(ast.NodeTransformer):
    """Has names hold None, where a statement gave them a value."""

    def __init__(self, statement: ast.stmt) -> None:
        self.statement = statement

    def visit(self, node: ast.AST) -> Any:
        """Return what stands in the place of a node."""
        if node is not self.statement:
            return self.generic_visit(node)
        names = () if isinstance(node, ast.AugAssign) else names_in(node, True)
        text = "; ".join(f"{name} = None" for name in names) or "pass"
        made = ast.parse(text).body
        return [ast.copy_location(each, node) for each in made]


def first_line(node: ast.FunctionDef) -> int:
    """Return the number of the line in which a function begins."""
    return min([node.lineno, *(each.lineno for each in node.decorator_list)])


def codes_in(code: Any) -> Iterator[Any]:
    """Yield the code of all functions in code."""
    for each in code.co_consts:
        if hasattr(each, "co_consts"):
            yield each
            yield from codes_in(each)


def names_in(node: ast.AST, stored: bool) -> set[str]:
    """Return the names that are given a value, or else those that are read."""
    names = (n for n in ast.walk(node) if isinstance(n, ast.Name))
    return {n.id for n in names if isinstance(n.ctx, ast.Store) == stored}


def written(node: ast.AST) -> set[str]:
    """Return the names of what changes: `a` in `a[t] = 1`, `a.append(1)`."""
    names = set()
    for each in ast.walk(node):
        place = each if isinstance(getattr(each, "ctx", 0), ast.Store) else 0
        if isinstance(node, ast.Expr) and isinstance(each, ast.Call):
            place = each.func if isinstance(each.func, ast.Attribute) else 0
        while hasattr(place, "value"):
            place = place.value
        names |= {place.id} if isinstance(place, ast.Name) else set()
    return names


def needed(function: ast.FunctionDef) -> set[str]:
    """Return the names on which the values before the last one depend."""
    names: set[str] = set()
    pairs = []
    for each in statements_in(function):
        if isinstance(each, ast.Return):
            first, *others = returned(each).elts
            for value in [first, *others[:-1]]:
                names |= names_in(value, stored=False)
        elif isinstance(each, SIMPLE):
            pairs += [(written(each), names_in(each, stored=False))]
        elif isinstance(each, ast.For):
            target, values = each.target, each.iter
            pairs += [(names_in(target, True), names_in(values, False))]
    while True:
        more = set().union(*(read for made, read in pairs if made & names))
        if more <= names:
            return names
        names |= more


def statements_in(node: ast.AST) -> Iterator[ast.stmt]:
    """Yield the statements in a node, the inner ones after the outer."""
    for part in ("body", "orelse", "handlers", "finalbody", "cases"):
        for each in getattr(node, part, ()):
            if isinstance(each, ast.stmt):
                yield each
            yield from statements_in(each)
