"""Where code stops: in which operation, on what, and what would help."""

import ast
import builtins
import linecache
import re
from itertools import islice
from types import ModuleType, TracebackType
from typing import Any, NamedTuple

import numpy as np


class Stop(NamedTuple):
    """The operation in which a function stopped, and what it was of."""

    kind: str  # "MatMult", "append"
    error: str  # the type of the exception
    names: list[str]  # those that its message quotes
    values: list[Any]
    texts: list[str]  # the same values, as they are written


HOLDS_ITSELF = type("list that holds itself", (), {})


def copy_value(value: Any, around: tuple = ()) -> Any:
    """Copy arrays, and the containers that hold them, which lie `around`."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if type(value) not in (dict, list, tuple):
        return value
    if any(value is each for each in around):
        return HOLDS_ITSELF()
    around = (*around, value)
    if type(value) is dict:
        return {key: copy_value(v, around) for key, v in value.items()}
    return type(value)(copy_value(item, around) for item in value)


ARRAY_OF_OBJECTS = type("object array", (), {})


def odd_type(value: Any) -> type | None:
    """Return the type of what a value holds and should not, if anything."""
    if type(value) in (list, tuple, dict):
        items = value.values() if isinstance(value, dict) else value
        return next(filter(None, map(odd_type, items)), None)
    plain = value is None or isinstance(value, (int, float, str, np.generic))
    if plain or (type(value) is np.ndarray and value.dtype != object):
        return None
    return ARRAY_OF_OBJECTS if type(value) is np.ndarray else type(value)


def describe_stop(error: BaseException, name: str) -> Stop | None:
    """
    Say in which operation the function of this name stopped, and on what.

    Where a function stops that this one calls, no more is said than its name
    and what it was given; and nothing where that cannot be told.
    """
    if hasattr(error, "raised"):
        return error.raised and Stop(*error.raised)
    found, stop, inside = None, error.__traceback__, False
    while stop:
        called = stop.tb_frame.f_code.co_name  # or "<listcomp>", in it
        inside = called == name or (inside and called[0] == "<")
        found, stop = stop if inside else found, stop.tb_next
    if found is None:
        return None
    try:
        node, parts = operation_in(found)
        names = {**found.tb_frame.f_globals, **found.tb_frame.f_locals}
        pairs = [(value_of(each, names), ast.unparse(each)) for each in parts]
    except Exception:  # the text of the cell is gone, or not what ran
        return None
    pairs = [pair for pair in pairs if not isinstance(pair[0], ModuleType)]
    odd = [(odd_type(value), value) for value, _ in pairs]
    values = [kind.__name__ if kind else value for kind, value in odd]
    texts = [text for _, text in pairs]
    kind, quoted = kind_of(node), re.findall(r"'(\w+)'", str(error))
    if isinstance(error, NameError) and kind in quoted:  # a key of a dict?
        own = found.tb_frame.f_locals.items()
        texts = [n for n, d in own if type(d) is dict and quoted[0] in d]
    calls_by_name = isinstance(getattr(node, "func", None), ast.Name)
    if calls_by_name and not hasattr(builtins, kind):
        return Stop(kind, "", [], values, texts)
    return Stop(kind, type(error).__name__, quoted, values, texts)


def operation_in(stop: TracebackType) -> tuple[ast.AST, list[ast.AST]]:
    """Return the operation that stopped, and the expressions that it is of."""
    code = stop.tb_frame.f_code
    place = next(islice(code.co_positions(), stop.tb_lasti // 2, None))
    lines = linecache.getlines(code.co_filename, stop.tb_frame.f_globals)
    nodes = list(ast.walk(ast.parse("".join(lines))))
    node = next(each for each in reversed(nodes) if place_of(each) == place)
    parts = parts_of(node)
    for each in nodes:  # what is assigned to it, if that can be told
        if isinstance(each, ast.Assign):
            sides = each.targets[0], each.value
            pairs = [sides]
            tuples = [s.elts for s in sides if isinstance(s, ast.Tuple)]
            if len(tuples) == 2:
                pairs += zip(*tuples, strict=False)
            parts += [right for left, right in pairs if left is node]
    return node, parts


def place_of(node: ast.AST) -> tuple[int | None, ...]:
    """Return where a node stands, as `co_positions` says it."""
    names = ("lineno", "end_lineno", "col_offset", "end_col_offset")
    return tuple(getattr(node, name, None) for name in names)


def parts_of(node: ast.AST) -> list[ast.AST]:
    """Return of what an operation is: of a call, what it is given."""
    parts = list(ast.iter_child_nodes(node))
    if isinstance(node, ast.Call):
        parts = [*node.args, *(each.value for each in node.keywords)]
        if isinstance(node.func, ast.Attribute):
            parts.insert(0, node.func.value)
    if isinstance(getattr(node, "ctx", None), ast.Store):
        # a place, as in `a[:, t] = ...`; or names, which hold nothing yet
        parts = [*parts, node] if isinstance(node, ast.Subscript) else []
    index = getattr(node, "slice", None)  # is one thing
    groups = [
        each.elts
        if isinstance(each, (ast.Tuple, ast.List)) and each is not index
        else [each]
        for each in parts
        if isinstance(each, ast.expr)
    ]
    return [each for group in groups for each in group]


def kind_of(node: ast.AST) -> str:
    """Return the name of an operation: the same in every style."""
    function = getattr(node, "func", getattr(node, "op", node))
    name = getattr(function, "attr", getattr(function, "id", None))
    name = name or type(function).__name__
    return {"dot": "MatMult", "matmul": "MatMult"}.get(name, name)


def value_of(node: ast.AST, names: dict[str, Any]) -> Any:
    """Return what an expression comes to, if that does nothing else."""
    for each in ast.walk(node):
        if isinstance(each, ast.Call):
            text = ast.unparse(each.func)
            if not re.fullmatch(r"(np|numpy)\.\w+|.+\.(dot|sum|copy)", text):
                return None
    text = ast.unparse(node)
    if isinstance(node, (ast.Slice, ast.Tuple)) and ":" in text:
        return text
    try:
        return copy_value(eval(text, names))
    except Exception:  # names of a loop that is over
        return None


def sizes_in(docstring: str, arguments: dict[str, Any]) -> dict[int, str]:
    """Return what a docstring calls the lengths of the arguments' axes."""
    values = dict(arguments)
    for value in arguments.values():
        values |= value if isinstance(value, dict) else {}
    listed = re.findall(r"([\w, ]+) : ndarray, shape \((.*?)\)", docstring)
    listed += re.findall(r"((?:`\w+`,?\s+)+)\((.*?)\)", docstring)
    sizes: dict[int, str] = {}
    for names, shape in listed:
        for name in re.findall(r"\w+", names):
            lengths = np.shape(values.get(name, 0))
            for length, called in zip(lengths, shape.split(","), strict=False):
                if length > 1:
                    sizes.setdefault(length, called.strip())
    return sizes
