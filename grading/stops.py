"""Where code stops: in which operation, on what, and what would help."""

import ast
import builtins
import functools
import linecache
import re
from difflib import get_close_matches
from itertools import islice
from types import FrameType, ModuleType, TracebackType
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
    for each in around:
        if value is each:
            return HOLDS_ITSELF()
    around = (*around, value)
    if type(value) is dict:
        return {key: copy_value(v, around) for key, v in value.items()}
    return type(value)([copy_value(item, around) for item in value])


MARKED = "?bhilqBHILQefdFDU"  # NumPy's letters for what can be marked


def odd_type(value: Any) -> type | None:
    """Return the type of what a value holds and should not, if anything."""
    if type(value) in (list, tuple, dict):
        items = value.values() if isinstance(value, dict) else value
        return next(filter(None, map(odd_type, items)), None)
    if type(value) is np.ndarray and value.dtype.char not in MARKED:
        held = value.dtype.type.__name__.strip("_")  # "object", "longdouble"
        held = "StringDType" if held == "str" else held
        return type(f"{held} array", (), {})
    if isinstance(value, np.generic):
        return None if value.dtype.char in MARKED else type(value)
    plain = value is None or isinstance(value, (int, float, str))
    return None if plain or type(value) is np.ndarray else type(value)


def message_of(error: BaseException) -> str:
    """Return what an error says; nothing where it stops in saying so."""
    try:
        return str(error)
    except Exception:
        return ""


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
    try:
        return found and stop_at(found, error)
    except Exception:  # the text of the cell is gone, or not what ran
        return None


def stop_at(found: TracebackType, error: BaseException) -> Stop:
    """Say in which operation this is, and on what."""
    node, parts = operation_in(found)
    names = {**found.tb_frame.f_globals, **found.tb_frame.f_locals}
    pairs = [(value_of(each, names), ast.unparse(each)) for each in parts]
    pairs = [pair for pair in pairs if not isinstance(pair[0], ModuleType)]
    odd = [(odd_type(value), value) for value, _ in pairs]
    values = [kind.__name__ if kind else value for kind, value in odd]
    texts = [text for _, text in pairs]
    kind = operation_of(node)
    quoted = re.findall(r"'([^\W\d]\w*)'", message_of(error))
    missing = type(error) in (NameError, AttributeError) and kind in quoted
    if missing and (likely := meant(node, quoted[0], found.tb_frame)):
        values, texts = [], likely
    calls_by_name = isinstance(getattr(node, "func", None), ast.Name)
    if calls_by_name and not hasattr(builtins, kind):
        return Stop(kind, "", [], values, texts)
    return Stop(kind, type(error).__name__, quoted, values, texts)


def meant(node: ast.AST, where: str, frame: FrameType) -> list[str]:
    """
    Return what a name that is not there may be meant for.

    Of a key, its dict and the name; of a name of the notebook's that was
    looked for in NumPy, that; else one that is much like it.
    """
    name, text = operation_of(node), ast.unparse(node)
    own, every = frame.f_locals, {**frame.f_globals, **frame.f_locals}
    if where == "numpy":
        return [text] if name in every else []
    dicts = [n for n, d in own.items() if type(d) is dict and name in d]
    if where != name or dicts:
        return [dicts[0], text] if dicts else []
    alike = [n for n in every if n[0].lower() == name[0].lower()]
    return get_close_matches(name, alike, 1, 0.5)


def operation_in(stop: TracebackType) -> tuple[ast.AST, list[ast.AST]]:
    """Return the operation that stopped, and the expressions that it is of."""
    code = stop.tb_frame.f_code
    place = next(islice(code.co_positions(), stop.tb_lasti // 2, None))
    lines = linecache.getlines(code.co_filename, stop.tb_frame.f_globals)
    nodes = nodes_at(place, ast.parse("".join(lines)))
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


def nodes_at(place: tuple[Any, ...], code: ast.AST) -> list[ast.AST]:
    """Return the parts of code in which a place lies, the inner ones last."""
    line, end, column, end_column = place
    nodes = [code]
    for node in nodes:  # which grows
        for each in ast.iter_child_nodes(node):
            first, last, left, right = place_of(each)
            begins = first is None or (first, left) <= (line, column)
            ends = first is None or (end, end_column) <= (last, right)
            # decorators stand above the first line of what they decorate
            if (begins and ends) or hasattr(each, "decorator_list"):
                nodes.append(each)
    return nodes


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


def operation_of(node: ast.AST) -> str:
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


class Sizes(NamedTuple):
    """What docstrings call the lengths of axes."""

    called: dict[int, list[str]]  # a length may have several names
    shapes: dict[tuple[str, int], list[str]]  # by name and number of axes

    def of(self, text: str, shape: tuple[int, ...]) -> list[list[str]]:
        """Return, axis by axis, what its length may be called."""
        found = re.fullmatch(r'(?:\w+\[["\'])?(\w+)(?:["\']\])?', text)
        key = found[1] if found else "", len(shape)
        told = self.shapes.get(key, [""] * len(shape))
        known = [self.called.get(length, []) for length in shape]
        pairs = zip(told, known, strict=True)
        return [[name] if name in names else names for name, names in pairs]


def sizes_in(docstring: str, arguments: dict[str, Any]) -> Sizes:
    """Return what a docstring calls the lengths of the arguments' axes."""
    values = dict(arguments)
    for value in arguments.values():
        values |= value if isinstance(value, dict) else {}
    sizes = Sizes({}, {})
    for names, told in shapes_in(docstring):
        for name in names:
            sizes.shapes[name, len(told)] = told
            lengths = getattr(values.get(name), "shape", ())
            for length, called in zip(lengths, told, strict=False):
                if length > 1 and not called.isdigit():
                    names_of = sizes.called.setdefault(length, [])
                    names_of += [called] if called not in names_of else []
    return sizes


@functools.lru_cache(20)
def shapes_in(docstring: str) -> list[tuple[list[str], list[str]]]:
    """Return names that a docstring says a shape of, and that shape."""
    listed = re.findall(r"([\w, ]+) : ndarray, shape \((.*?)\)", docstring)
    listed += re.findall(r"((?:`\w+`,?\s+)+)\((.*?)\)", docstring)
    return [
        (
            re.findall(r"\w+", names),
            [length.strip() for length in shape.split(",") if length.strip()],
        )
        for names, shape in listed
    ]
