# Made by `python -m grading release` of the engine's checks.
"""
The checks of the notebooks: what a function returns, looked at bit by bit.

A `FunctionTest` calls one function on copies of its arguments; then each
`assert_...` looks at one thing, as those of `numpy.testing` do. Nothing is
raised: every check becomes a line, ticked or crossed, and `report` shows
the lines. NumPy only, and no answers.
"""

import ast
import builtins
import functools
import hashlib
import html
import json
import linecache
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from difflib import get_close_matches
from functools import reduce
from itertools import islice
from pathlib import Path
from types import FrameType, FunctionType, ModuleType, TracebackType
from typing import Any, NamedTuple

import numpy as np

# What was found, kept as a message; put into words where it is shown.


Words = Mapping[str, str]  # of a language, by the English


class Finding(NamedTuple):
    """
    What was found: a message, and what its {gaps} are filled with.

    A field may be a finding of its own, or a list of such. A message without
    fields has no gaps, whatever stands in it.
    """

    message: str
    fields: dict[str, Any]

    def said(self, words: Words) -> str:
        """Return the sentence; what the words lack is said in English."""
        fields = {
            name: said(each, words) for name, each in self.fields.items()
        }
        message = words.get(self.message, self.message)
        return message.format(**fields) if fields else message

    def __str__(self) -> str:
        """Return the sentence in English."""
        return self.said({})


EMPTY = ""
NOTHING = Finding(EMPTY, {})
BETWEEN = Finding(", ", {})


def said(field: object, words: Words) -> Any:
    """Return a field of a finding in words."""
    if isinstance(field, Finding):
        return field.said(words)
    if isinstance(field, list):
        return BETWEEN.said(words).join(said(each, words) for each in field)
    return field


# Where code stops: in which operation, on what, and what would help.


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


# A function that stops while it keeps its cache, run without that.


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


# One call of a function: what came of it, and whether two are alike.


KEPT = "the cache"  # stands for one of the student's own choice
PLAIN = {np.float64: float, np.int64: int, np.bool_: bool}  # as good as
PLAIN[np.str_] = str
NOT_WRITTEN = Finding("not written yet", {})
NO_CACHE = Finding(
    "waits for a cache: your forward function stops, or returns none", {}
)


class Wrong(AssertionError):
    """What a check raises: a finding, with what its gaps are filled with."""

    def __init__(self, message: str, **fields: object) -> None:
        self.finding = Finding(message, fields)
        super().__init__(str(self.finding))


class Outcome(NamedTuple):
    """What came of calling a function twice with the same arguments."""

    result: Any  # what it returned
    arguments: dict[str, Any]  # the arguments as they were afterwards
    again: Any  # what the second call returned
    stopped: Finding | None  # what it raised
    raised: Stop | None = None  # the same, as it can be compared

    @property
    def seen(self) -> tuple:
        """What tells this outcome from another one: no words, and no lines."""
        result = self.result
        several = isinstance(result, (list, tuple, dict))
        values = result.values() if isinstance(result, dict) else result
        kinds = [odd_type(v) or type(v) for v in (values if several else [])]
        raised = self.raised and self.raised[:4]
        names = [PLAIN.get(kind, kind).__name__ for kind in kinds]
        return result, names, self.arguments, self.again, raised


NOT_CALLED = Outcome(None, {}, None, Finding("was not called", {}))


class Lost:
    """Stands for a cache: where the function stops that would have kept it."""

    def __init__(self, why: Finding) -> None:
        self.why = why


def why_lost(result: object) -> Finding | None:
    """Return why there is no cache among returned values, None where it is."""
    last = result[-1] if isinstance(result, (tuple, list)) and result else None
    return last.why if isinstance(last, Lost) else None


def run_function(
    function: Callable,
    arguments: dict,
    own_cache: bool = False,
    keeps: bool = False,
) -> Outcome:
    """
    Call `function` twice on copies of `arguments`; return the Outcome.

    A cache of the student's own choice is handed on as it is, both times, and
    never looked into: the last value returned, or the argument `cache`.
    `keeps` says that the last value is a cache. Where the function stops in
    what this alone needs, the others are what it returns without.
    """
    given = copy_value(arguments)
    if own_cache and given.get("cache", KEPT) is None:
        return Outcome(None, given, None, NO_CACHE)
    try:
        result = copy_value(function(*given.values()))
    except (Exception, SystemExit) as error:
        raised = describe_stop(error, getattr(function, "__name__", ""))
        if own_cache and "cache" in given:
            given["cache"] = KEPT
        said = describe_error(error, list(given))
        outcome = Outcome(None, given, None, said, raised)
        if not keeps or outcome.stopped == NOT_WRITTEN:
            return outcome
        return without_cache(function, arguments, own_cache, outcome)
    repeated = copy_value(arguments)
    if own_cache and "cache" in given:
        repeated["cache"], given["cache"] = given["cache"], KEPT
    try:
        again = copy_value(function(*repeated.values()))
    except (Exception, SystemExit) as error:
        again = Finding("stops with {error}", {"error": type(error).__name__})
    if own_cache and "cache" not in given:
        result, again = without_last(result), without_last(again)
    return Outcome(result, given, again, None)


def without_cache(
    function: Callable, arguments: dict, own_cache: bool, stopped: Outcome
) -> Outcome:
    """Return what comes of a function without what keeps its cache alone."""
    own = getattr(type(function), "sparing", None)  # of a student's room
    spared = own(function) if own else sparing(function)
    found = run_function(spared, arguments, own_cache)
    if found.stopped or type(found.result) is not tuple or not stopped.stopped:
        return stopped
    lost = Lost(stopped.stopped)
    return found._replace(
        result=without_last(found.result, lost),
        again=without_last(found.again, lost),
        raised=stopped.raised,
    )


def without_last(values: Any, word: Any = KEPT) -> Any:
    """Return several values with something else in the last one's place."""
    several = type(values) in (list, tuple) and values
    return (*values[:-1], word) if several else values


def describe_error(error: BaseException, given: list[str]) -> Finding:
    """Say what was raised, and in which line; of a call, what is `given`."""
    if isinstance(error, NotImplementedError):
        return NOT_WRITTEN
    lines = getattr(error, "student_lines", None)
    if lines is None:
        lines = [
            ("", frame.lineno, frame.line)
            for frame in traceback.extract_tb(error.__traceback__)
            if "ipykernel" in frame.filename or frame.filename[0] == "<"
        ]
    said = re.sub(r", with gufunc signature \S+", "", message_of(error))
    said = said.strip()
    said = said.partition("\n")[0]
    fields = {
        "error": type(error).__name__,
        "line": name_line(*lines[-1]) if lines else NOTHING,
        "said": Finding(": {said}", {"said": said}) if said else NOTHING,
        "help": NOTHING,
    }
    if not lines and re.search(r"\(\) (takes|missing|got) ", said):
        names = [f"`{name}`" for name in given]
        help = Finding(
            "it is called with {names}: keep the line of its `def`",
            {"names": names},
        )
        fields["help"] = Finding("; {help}", {"help": help})
    return Finding("stopped with {error}{line}{said}{help}", fields)


def name_line(cell: str, number: int, code: str) -> Finding:
    """Name a line of the function's own cell, or of the one that is named."""
    fields = {"number": number, "code": code}
    if not cell:
        return Finding(" (`line {number}: {code}`)", fields)
    fields["cell"] = cell
    return Finding(" (`{cell}, line {number}: {code}`)", fields)


def explained(outcome: Outcome, sizes: Sizes, numbers: bool) -> Outcome:
    """
    Return an outcome that says, where it stopped, of what shapes all was.

    `numbers` says whether the lengths themselves are said, too.
    """
    reason = outcome.stopped or why_lost(outcome.result)
    if not outcome.raised or not reason:
        return outcome
    stop, (message, fields) = outcome.raised, reason
    help, rule = explain(stop, sizes, numbers), RULES.get(stop[:2])
    if not help or "help" not in fields:
        return outcome
    told = Finding("; {help}", {"help": help})
    if rule:
        both = {"help": help, "rule": rule}
        told = Finding(": {help}; {rule}", both)
        fields = {**fields, "said": NOTHING}
    found = Finding(message, {**fields, "help": told})
    if outcome.stopped:
        return outcome._replace(stopped=found)
    lost = without_last(outcome.result, Lost(found))
    return outcome._replace(result=lost)


SAME_LENGTH = Finding(
    "along all other axes, they must be of the same length", {}
)
BROADCAST = Finding(
    "each axis must be of the same length in both, or of length 1", {}
)
IN_A_TUPLE = Finding(
    "the arrays belong into one tuple, as its first argument", {}
)
RULES = {
    ("MatMult", "ValueError"): Finding(
        "the columns of the left must be the rows of the right", {}
    ),
    ("Subscript", "ValueError"): Finding(
        "what is written must have the shape of its place", {}
    ),
    ("append", "ValueError"): SAME_LENGTH,
}
for kind in ("concatenate", "vstack", "hstack"):
    RULES[kind, "ValueError"] = SAME_LENGTH
    RULES[kind, "TypeError"] = IN_A_TUPLE
for kind in ("Add", "Sub", "Mult", "Div"):
    RULES[kind, "ValueError"] = BROADCAST


def explain(stop: Stop, sizes: Sizes, numbers: bool) -> Finding | None:
    """Say of what shapes the values are; of a name, what it might be."""
    missing = explain_name(stop) if stop.kind in stop.names else None
    if missing:
        return missing
    if stop.error == "KeyError" and numbers and stop.values:
        fields = {"name": stop.texts[0], "keys": list(stop.values[0])}
        return Finding("the keys of `{name}` are {keys}", fields)
    given = {}
    for text, value in zip(stop.texts, stop.values, strict=False):
        fields = {"name": text, "type": type(value).__name__}
        if isinstance(value, np.ndarray):
            fields["shape"] = name_shape(text, value.shape, sizes, numbers)
            given[text] = Finding("`{name}` is {shape}", fields)
        elif isinstance(value, tuple) and not numbers:
            given[text] = Finding("`{name}` is a {type}", fields)
        elif isinstance(value, (list, tuple)):
            steps = isinstance(value, list)  # one each?
            known = sizes if steps else Sizes({}, {})
            shape = name_shape("", (len(value),), known, numbers)
            fields["length"] = re.sub("[()]", "", shape)
            given[text] = Finding("`{name}` is a {type} of {length}", fields)
    given.pop("", None)  # not to be told
    if not given:
        return None
    told = reduce(both, given.values())
    if stop.error:
        return told
    call = {"function": stop.kind, "given": told}
    return Finding("in the call of `{function}`, {given}", call)


def both(one: Finding, other: Finding) -> Finding:
    """Say the one and the other."""
    return Finding("{one}, {other}", {"one": one, "other": other})


NEW_NAMES = {"xrange": "range", "raw_input": "input", "np.Inf": "np.inf"}
NEW_NAMES |= {f"np.{n}": n for n in ("float", "int", "bool", "object", "str")}


def explain_name(stop: Stop) -> Finding | None:
    """Say what might be meant by a name that is not there."""
    name, error = stop.kind, stop.error
    if error == "UnboundLocalError":
        return Finding(
            "this function gives `{name}` a value, but not before this line",
            {"name": name},
        )
    if error not in ("NameError", "AttributeError"):
        return None
    meant = [] if stop.values else list(filter(None, stop.texts))
    if len(meant) == 2:
        return Finding(
            '`{key}` is a key of `{name}`: write `{name}["{key}"]`',
            {"key": name, "name": meant[0]},
        )
    of_numpy = error == "AttributeError" and stop.names[0] == "numpy"
    if of_numpy and meant:
        return Finding(
            "it is no part of NumPy: write `{name}` alone", {"name": name}
        )
    old = f"np.{name}" if of_numpy else name
    fields = {"old": old, "new": NEW_NAMES.get(old, f"np.{name}")}
    if old in NEW_NAMES:
        return Finding("`{old}` is of older versions: write `{new}`", fields)
    if error == "NameError" and hasattr(np, name):
        return Finding("NumPy has one of this name: write `{new}`", fields)
    if of_numpy:
        near = get_close_matches(name, dir(np), 1, 0.75)
        meant = [f"np.{each}" for each in near]
    if not meant:
        return None
    return Finding("a name much like it is `{name}`", {"name": meant[0]})


def name_shape(
    text: str, shape: tuple[int, ...], sizes: Sizes, numbers: bool
) -> str:
    """Say a shape: in numbers, and by the names of its lengths."""
    small = range(2)  # a length of 1 is a 1 in the docstring, too
    known = []
    for n, names in zip(shape, sizes.of(text, shape), strict=True):
        if numbers or n in small:  # no name by a chance
            known.append(names[0] if len(names) == 1 else str(n))
        else:
            known.append(" = ".join(names) or "…")
    named, plain = f"({', '.join(known)})", f"({', '.join(map(str, shape))})"
    return f"{plain} = {named}" if numbers and named != plain else named


def a_type(value: object) -> Finding:
    """Name the type of a value, with its article."""
    return name_type(type(value))


NO_NAMES = {  # of types, but what stands for one
    "ndarray": Finding("an array", {}),
    "NoneType": Finding("None", {}),
    HOLDS_ITSELF.__name__: Finding("a list that holds itself", {}),
}


def name_type(kind: type) -> Finding:
    """Name a type, with its article."""
    if kind.__name__ in NO_NAMES:
        return NO_NAMES[kind.__name__]
    held = kind.__name__.removesuffix(" array")
    fields = {"type": held}
    a = Finding("a {type}", fields), Finding("a {type} array", fields)
    if held[0] in "aeiou":
        a = Finding("an {type}", fields), Finding("an {type} array", fields)
    return a[held != kind.__name__]


def name_dtype(dtype: np.dtype) -> str:
    """Return how a dtype is written in a notebook."""
    return "str" if dtype.kind == "U" else str(dtype)


def flatten(value: object) -> tuple[str, np.ndarray]:
    """Return the form of a value, as a text, and its numbers in a row."""
    rows: list[Any] = [()]  # one at least, to be put together
    form = form_of(value, rows)
    row = np.concatenate(rows, axis=None, dtype=float, casting="unsafe")
    return form, row


def form_of(value: object, rows: list) -> str:
    """Return the form of a value; add its numbers to `rows`."""
    value = python_number(value)
    if isinstance(value, (np.ndarray, np.number, float)):
        array = np.asarray(value)
        kind = array.dtype.kind
        if kind in "biufc":
            rows += [array.real, array.imag] if kind == "c" else [array]
            return f"{array.shape}{'' if kind == 'f' else kind}"
        if kind == "U" and isinstance(value, np.ndarray):
            return f"{value.shape}{value.tolist()}"
    if isinstance(value, dict):
        keys = sorted(value, key=str)
        return f"{keys}{form_of([value[key] for key in keys], rows)}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join([form_of(item, rows) for item in value])}]"
    told = value is None or type(value) in (bool, int, str)
    return repr(value)[:80] if told else type(value).__name__


def python_number(value: Any) -> Any:
    """Return a number of NumPy's as Python's own."""
    return value.item() if type(value) in PLAIN else value


def same_value(one: Any, other: Any) -> bool:
    """Tell whether two values are equal, but for rounding."""
    if type(one) is type(other):
        if isinstance(one, str):
            return one == other
        if isinstance(one, (int, float)) and one == other:
            return True
        if isinstance(one, np.ndarray):
            alike = one.shape == other.shape and one.dtype == other.dtype
            if alike and one.tobytes() == other.tobytes():
                return True
            if one.dtype.kind == "U":
                return np.array_equal(one, other)
        if isinstance(one, (list, tuple)) and len(one) == len(other):
            return all(map(same_value, one, other))
        if isinstance(one, dict) and one.keys() == other.keys():
            return all(same_value(one[key], other[key]) for key in one)
    return same_flat(flatten(one), flatten(other))


def same_flat(one: tuple, other: tuple) -> bool:
    """Tell whether two results of `flatten` are equal, but for rounding."""
    form, numbers = one
    other_form, other_numbers = other
    if form != other_form:
        return False
    if numbers.size:  # most differ in the first number, and this is fast
        first, expected = numbers.item(0), other_numbers.item(0)
        if abs(first - expected) > 1e-12 + 1e-9 * abs(expected):
            return False
    if numbers.tobytes() == other_numbers.tobytes():  # ten times as fast
        return True
    with np.errstate(all="ignore"):
        limit = 1e-12 + 1e-9 * np.abs(other_numbers)
        if (np.abs(numbers - other_numbers) > limit).any():
            return False
        return np.allclose(
            numbers, other_numbers, rtol=1e-9, atol=1e-12, equal_nan=True
        )


def fingerprint(outcome: Outcome) -> list:
    """Return a few numbers that tell this outcome from any other one."""
    form, numbers = flatten(outcome.seen)
    weights = np.random.default_rng(0).standard_normal((3, numbers.size))
    digest = hashlib.sha256(form.encode()).hexdigest()[:12]
    with np.errstate(all="ignore"):
        sums = weights @ np.nan_to_num(numbers)
    return [digest, *(float(f"{total:.9g}") for total in sums)]


def same_fingerprint(one: list, other: list) -> bool:
    """Tell whether two fingerprints are equal, but for rounding."""
    return one[0] == other[0] and np.allclose(one[1:], other[1:], rtol=1e-8)


# What is shown of checks: lines with ticks and crosses.


Line = tuple[str, Finding]  # a mark, and what stands behind it
STYLES = {
    "✓": (Finding("right", {}), "var(--jp-success-color1, #1b5e20)"),
    "✗": (Finding("wrong", {}), "var(--jp-error-color1, #b71c1c)"),
    "→": (Finding("known mistake", {}), "inherit"),
}


def report_lines(name: str, wrong: dict, mistake: str) -> list[Line]:
    """Return every line; what is found of several kinds shares one."""
    alike: dict[str, list[str]] = {}
    for kind, found in wrong.items():
        alike.setdefault(str(found or kind), []).append(kind)
    lines = []
    for kinds in alike.values():
        found = wrong[kinds[0]]
        about = {
            "kinds": [Finding(kind, {}) for kind in kinds],
            "name": name,
            "sentence": found and ended(found),
        }
        if not found:
            lines.append(("✓", Finding("{kinds}: right", about)))
        elif len(kinds) == len(wrong):
            lines.append(("✗", Finding("`{name}`: {sentence}", about)))
        else:
            lines.append(("✗", Finding("{kinds}: {sentence}", about)))
    return lines + ([("→", Finding(mistake, {}))] if mistake else [])


def ended(found: Finding) -> Finding:
    """Return what was found as a sentence with its full stop."""
    if str(found).endswith(("?", ".")):
        return found
    return Finding("{sentence}.", {"sentence": found})


def show(
    lines: list[Line],
    closing: Finding | None = None,
    words: Words | None = None,
) -> None:
    """Show lines: HTML in a notebook, plain text elsewhere."""
    shown = as_shown(lines, closing, words or {})
    ipython = sys.modules.get("IPython")
    if ipython is None or ipython.get_ipython() is None:
        print(shown["text/plain"])
        return
    ipython.display.display(shown, raw=True)


def reject_next_cell(said: str) -> None:
    """
    Let the cell below, the graded one, fail: so nbgrader's Validate says it.

    Validate looks at graded cells alone, of which students have no tests.
    """
    from IPython import get_ipython
    from IPython.core.error import InputRejected

    class NotRight(InputRejected):
        def _render_traceback_(self) -> list[str]:
            return [said]  # where it is raised is no matter of the student's

    class Reject(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            shell.ast_transformers.remove(self)
            raise NotRight(said)

    if shell := get_ipython():
        shell.ast_transformers.append(Reject())


def as_shown(
    lines: list[Line], closing: Finding | None, words: Words
) -> dict[str, str]:
    """Return the lines as a notebook shows them."""
    said = [(mark, found.said(words)) for mark, found in lines]
    end = closing.said(words) if closing else ""
    text = "\n".join([*(f"{mark} {line}" for mark, line in said), end])
    html = to_html(said, end, words)
    return {"text/plain": text.strip(), "text/html": html}


def to_html(said: list[tuple[str, str]], end: str, words: Words) -> str:
    """Return the lines as a list in HTML, in the colours of JupyterLab."""
    items = "".join(
        f'<li><strong role="img" aria-label="{STYLES[mark][0].said(words)}"'
        f' style="color: {STYLES[mark][1]}">{mark}</strong> {code(line)}</li>'
        for mark, line in said
    )
    return (
        f'<ul style="list-style: none; margin: 0; padding: 0">{items}</ul>'
        f'<p style="margin: 0.5em 0 0">{code(end)}</p>'
    )


def code(text: str) -> str:
    """Return the text as HTML, what stands in backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))


# The checks of the notebooks: what a function returns, looked at bit by bit.


RTOL, ATOL = 1e-6, 1e-8
# In float32 as much is lost again: that costs points for the type, once.
IN_FLOAT32 = 100
WORDS = ""  # no function's name

Check = Callable[[Outcome], None]


class FunctionTest:
    """
    Test one function, check by check.

    Parameters
    ----------
    function : callable
        The function under test.
    returns : str
        The names of what it returns: "a_next, yt_pred, cache".
    cache : str, optional
        The names of the entries of the cache of one time step.
    keys : str, optional
        Where the function returns one dict: its keys, "dxt, da_prev". The
        checks then look at each of its values as at a returned value.
    own_cache : bool, optional
        Whether what the cache holds is the student's own choice: the last
        value returned, or the argument `cache`. It is not compared.
    """

    def __init__(
        self,
        function: Callable,
        returns: str,
        cache: str = "",
        keys: str = "",
        own_cache: bool = False,
    ) -> None:
        self.function = function
        self.name = getattr(function, "__name__", "the function")
        self.returns = returns.split(", ")
        self.cache = cache.split(", ")
        self.keys = keys.split(", ") if keys else []
        self.own_cache = own_cache
        self.arguments: dict[str, Any] = {}
        self.outcome = NOT_CALLED
        self.wrong: dict[str, Finding | None] = {}  # by kind of check

    def call(self, **arguments: object) -> None:
        """Call the function on copies of `arguments`, in this order."""
        self.arguments = dict(arguments)
        if self.own_cache and "cache" in arguments:
            self.arguments["cache"] = KEPT
        outcome = run_function(
            self.function, arguments, self.own_cache, self.keeps_cache
        )
        sizes = sizes_in(self.function.__doc__ or "", arguments)
        self.outcome = explained(outcome, sizes, numbers=True)

    def assert_types(self, **types: type | np.dtype) -> None:
        """Check how many values are returned, and the type of each."""
        self.check_each("types", check_type, types)
        self.check("types", self.check_kept)

    def assert_shapes(self, **shapes: tuple[int, ...]) -> None:
        """Check the shapes of the returned arrays."""
        self.check_each("shapes", check_shape, shapes)

    def assert_length(self, name: str, length: int) -> None:
        """Check how many entries a returned value has."""
        self.check_each(name, check_length, {name: length})

    def check_each(self, kind: str, one: Callable, expected: dict) -> None:
        """Look at returned values one by one, as one kind of check."""

        def check(outcome: Outcome) -> None:
            values = self.named(outcome.result)
            for name, right in expected.items():
                one(self.label(name), values[name], right)

        self.check(kind, check)

    def assert_allclose(self, path: str, expected: object) -> None:
        """
        Check the values of a returned array, or a number or text.

        `path` is a returned value's name, with indices where a part of it
        is meant, as in "cache[1][3]".
        """

        def check(outcome: Outcome) -> None:
            actual = self.part(outcome.result, path)
            self.compare(self.label(path), actual, expected)

        self.check(path.split("[")[0], check)

    def compare(self, label: str, actual: object, expected: object) -> None:
        """Raise Wrong where a value is not what is expected."""
        if isinstance(expected, (list, np.ndarray)):
            check_array(label, actual, np.array(expected))
        else:
            check_plain(label, actual, expected)

    def assert_arguments_unchanged(self) -> None:
        """Check that the function leaves its arguments as they were."""
        self.check("arguments", self.check_arguments)

    def assert_raises(self, error: type, **arguments: object) -> None:
        """Check that the function refuses `arguments` with this error."""

        def check(outcome: Outcome) -> None:
            check_raises(self.function, error, arguments)

        self.check("raises", check)

    def check(self, kind: str, check: Check) -> None:
        """Make one check, and keep what it finds wrong."""
        self.wrong[kind] = self.wrong.get(kind) or find_wrong(
            check, self.outcome
        )

    def check_arguments(self, outcome: Outcome) -> None:
        """Raise Wrong where an argument is not what it was."""
        self.named(outcome.result)
        for name, value in outcome.arguments.items():
            if not same_value(value, self.arguments[name]):
                raise Wrong(
                    "the argument `{name}` is changed by the call; leave it"
                    " as it is, and write into an array of your own",
                    name=name,
                )

    def check_kept(self, outcome: Outcome) -> None:
        """Raise Wrong where the function stops that keeps the cache."""
        values = self.named(outcome.result)
        for name in self.returns if self.keeps_cache else []:
            values[name]

    @property
    def keeps_cache(self) -> bool:
        """Tell whether the last value returned is a cache."""
        own = self.own_cache and self.returns[-1] == "cache"
        return own or self.cache != [""]

    def report(self) -> None:
        """Show one line per kind of check, and how much they covered."""
        table = known()
        about, words = table.get(self.name, {}), table.get(WORDS, {})
        lines = report_lines(self.name, self.wrong, self.mistake(about))
        closing = self.covered(about.get("kinds"))
        show(lines, None if self.outcome.stopped else closing, words)
        if any(self.wrong.values()) and os.environ.get("NBGRADER_VALIDATING"):
            reject_next_cell("\n".join(f.said(words) for _, f in lines))

    def covered(self, kinds: int | None) -> Finding:
        """Say how many of all kinds of check were made."""
        made = {"name": self.name, "made": len(self.wrong)}
        if kinds is None:
            return Finding(
                "`{name}`: {made} of all kinds of check made here, on one"
                " example. Marking makes all of them, on data that you have"
                " not seen.",
                made,
            )
        return Finding(
            "`{name}`: {made} of {kinds} kinds of check made here, on one"
            " example. Marking makes all of them, on data that you have not"
            " seen.",
            {**made, "kinds": kinds},
        )

    def mistake(self, about: dict) -> str:
        """Return the sentence of the known mistake that gives this outcome."""
        stopped, raised = self.outcome.stopped, self.outcome.raised
        if (stopped and not raised) or not about.get("mistakes"):
            return ""
        seen = fingerprint(self.outcome)
        for mistake in about["mistakes"]:
            if same_fingerprint(mistake["fingerprint"], seen):
                return mistake["sentence"]
        return ""

    def named(self, result: object) -> dict[str, Any]:
        """Return the returned values by name."""
        if len(self.returns) == 1 and not self.keys:
            return {self.returns[0]: result}
        names = [f"`{name}`" for name in self.returns]
        if result is None:
            raise Wrong("returns None; is a `return` missing at its end?")
        if self.keys:
            return Values.of(result, self.returns[0])
        if not isinstance(result, (tuple, list)):
            raise Wrong(
                "returns {kind}, not {names}", kind=a_type(result), names=names
            )
        if len(result) != len(self.returns):
            raise Wrong(
                "returns {count} values, expected {expected}: {names}",
                count=len(result), expected=len(self.returns), names=names,
            )  # fmt: skip
        values = Values(zip(self.returns, result, strict=True))
        values.lost = why_lost(result)
        if values.lost:
            del values[self.returns[-1]]
        return values

    def label(self, path: str) -> str:
        """Return how a student writes what `path` names."""
        key, bracket, indices = path.partition("[")
        if self.keys:
            key = f"{self.returns[0]}['{key}']"
        return key + bracket + indices

    def part(self, result: object, path: str) -> Any:
        """Return the part of the result that `path` names."""
        name, *indices = re.findall(r"\w+", path)
        value = self.named(result)[name]
        for index in indices:
            try:
                value = value[int(index) if index.isdigit() else index]
            except (IndexError, KeyError, TypeError):
                raise Wrong("`{path}` is not there", path=path) from None
        return value


class Values(dict):
    """Returned values, or those of a returned dict; what lacks is named."""

    name = ""
    lost: Finding | None = None  # why there is no cache

    @classmethod
    def of(cls, result: object, name: str) -> "Values":
        """Return the values of the dict of this name."""
        if not isinstance(result, dict):
            raise Wrong(
                "returns {kind}, not the dict `{name}`",
                kind=a_type(result), name=name,
            )  # fmt: skip
        values = cls(result)
        values.name = name
        return values

    def __missing__(self, key: str) -> None:
        if self.lost:
            message, fields = self.lost
            told = Finding(
                "{help}; the other values are looked at without this line",
                {"help": fields["help"]},
            )
            raise Wrong(message, **{**fields, "help": told})
        raise Wrong("`{name}` has no key '{key}'", name=self.name, key=key)


def known() -> dict[str, dict]:
    """
    Return what the file beside the checks holds.

    Of each function its mistakes, and how many kinds of check there are; in
    another language than English, the words of that.
    """
    file = Path(__file__).with_name("known_mistakes.json")
    return json.loads(file.read_text("utf-8")) if file.exists() else {}


@contextmanager
def skip_unwritten(what: str) -> Iterator[None]:
    """Run the block; where a function is not written yet, say so in a line."""
    try:
        yield
    except NotImplementedError:
        waits = Finding(
            "{what}: waits for a function that is not written yet.",
            {"what": what},
        )
        print(waits.said(known().get(WORDS, {})))


# --------------------------------------------------------- single checks


def find_wrong(check: Check, outcome: Outcome) -> Finding | None:
    """Return what the check finds wrong with the outcome, if anything."""
    if outcome.stopped:
        return outcome.stopped
    try:
        check(outcome)
    except Wrong as wrong:
        return wrong.finding
    except Exception as error:  # a value that lets nobody look at it
        fields = {"error": type(error).__name__, "said": str(error)}
        return Finding("cannot be looked at ({error}: {said})", fields)
    return None


def check_raises(
    function: Callable, error: type[BaseException], arguments: dict
) -> None:
    """Raise Wrong where a call does not raise this error."""
    name = name_type(error)
    try:
        function(*copy_value(arguments).values())
    except error:
        return
    except Exception as other:
        raise Wrong(
            "raises {kind} where {error} is asked for",
            kind=a_type(other), error=name,
        ) from None  # fmt: skip
    raise Wrong("returns something where {error} is asked for", error=name)


def check_type(label: str, actual: Any, expected: type | np.dtype) -> None:
    """Raise Wrong where a value is of another type; a dtype is an array's."""
    dtype = np.dtype(float)
    if isinstance(expected, np.dtype):
        dtype, expected = expected, np.ndarray
    kind = type(actual)
    if kind is np.ndarray:
        kind = odd_type(actual) or kind
    if expected is np.ndarray and kind.__name__.endswith(" array"):
        raise Wrong(
            "`{label}` is {kind}, expected one of {dtype}",
            label=label, kind=name_type(kind), dtype=name_dtype(dtype),
        )  # fmt: skip
    if PLAIN.get(kind, kind) is not PLAIN.get(expected, expected):
        raise Wrong(
            "`{label}` is {kind}, not {expected}",
            label=label, kind=name_type(kind), expected=name_type(expected),
        )  # fmt: skip
    odd = odd_type(actual)
    if odd is not None:
        raise Wrong(
            "`{label}` holds {kind}; only arrays, numbers, texts, lists,"
            " tuples and dicts belong there",
            label=label, kind=name_type(odd),
        )  # fmt: skip
    if expected is np.ndarray and actual.dtype != dtype:
        if actual.dtype.kind == dtype.kind != "f":
            return  # ints of any size, texts of any length
        raise Wrong(
            "`{label}` is an array of {dtype}, expected {expected}",
            label=label,
            dtype=name_dtype(actual.dtype), expected=name_dtype(dtype),
        )  # fmt: skip


def check_plain(label: str, actual: object, expected: object) -> None:
    """Raise Wrong where a number or text is another one."""
    if not same_value(actual, expected):
        raise Wrong("`{label}` is wrong", label=label)


def check_length(label: str, actual: Any, expected: int) -> None:
    """Raise Wrong where a value has another number of entries."""
    if len(actual) != expected:
        raise Wrong(
            "`{label}` is of length {length}, expected {expected}",
            label=label, length=len(actual), expected=expected,
        )  # fmt: skip


def check_is_array(label: str, actual: object) -> None:
    """Raise Wrong where something else stands in the place of an array."""
    if not isinstance(actual, (np.ndarray, np.generic)):
        kind = a_type(actual)
        if type(actual).__name__.endswith(" array"):  # in marking, of bytes
            raise Wrong(
                "`{label}` is {kind}, not one of numbers or texts",
                label=label, kind=kind,
            )  # fmt: skip
        raise Wrong(
            "`{label}` is {kind}, not an array", label=label, kind=kind
        )


def check_shape(label: str, actual: Any, expected: tuple) -> None:
    """Raise Wrong where a value is not of the expected shape."""
    check_is_array(label, actual)
    shape = np.shape(actual)
    if shape == expected:
        return
    hint = NOTHING
    if shape == expected[::-1]:
        hint = Finding("; is it transposed?", {})
    elif sorted(shape) == sorted(expected):
        hint = Finding("; are its axes in another order?", {})
    elif shape and shape == tuple(n for n in expected if n > 1):
        hint = Finding("; an axis of length 1 is lost", {})
    elif len(shape) == 2 and shape == expected[:2]:
        hint = Finding("; the last axis is missing", {})
    raise Wrong(
        "`{label}` has shape {shape}, expected {expected}{hint}",
        label=label, shape=str(shape), expected=str(expected), hint=hint,
    )  # fmt: skip


def check_array(
    path: str,
    actual: object,
    expected: np.ndarray,
    steps: Callable[[np.ndarray], Finding] = lambda wrong: NOTHING,
) -> None:
    """Raise Wrong where an array differs; `steps` says at which time steps."""
    check_shape(path, actual, expected.shape)
    measured = expected.dtype.kind not in "bU"
    actual, expected = as_numbers(actual, expected)
    if (actual == expected).all():  # as most are
        return
    if np.isnan(actual).any():
        raise Wrong(
            "`{label}` is NaN in {places}; what was divided by zero, or too"
            " large for exp?",
            label=path, places=places(np.isnan(actual)),
        )  # fmt: skip
    wrong = where_wrong(actual, expected)
    if wrong.any() and not actual.any():
        raise Wrong("`{label}` is zero everywhere", label=path)
    if wrong.any():
        error = largest(actual - expected)
        by = Finding(", by up to {error:.2g}", {"error": error})
        raise Wrong(
            "`{label}` is wrong in {places}{by}{steps}",
            label=path, places=places(wrong), steps=steps(wrong),
            by=by if measured else NOTHING,
        )  # fmt: skip


def largest(error: np.ndarray) -> float:
    """Return the largest error, whatever its sign."""
    return float(np.abs(error).max())


def as_numbers(actual: Any, expected: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return arrays of ints, truth values or texts so as to subtract them."""
    texts = "U" in (actual.dtype.kind, expected.dtype.kind)
    if expected.dtype.kind in "fc" and not texts:
        return actual, expected
    if expected.dtype.kind in "biu" and actual.dtype.kind in "biuf":
        return actual.astype(float), expected.astype(float)
    return (actual != expected).astype(float), np.zeros(expected.shape)


def where_wrong(actual: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Return where an array is wrong, more than rounding makes it."""
    actual, expected = as_numbers(actual, expected)
    with np.errstate(all="ignore"):
        allowed = (ATOL + RTOL * np.abs(expected)) * precision(actual)
        return ~(np.abs(actual - expected) <= allowed)  # NaN is wrong


def precision(actual: Any) -> int:
    """Return how many times the usual error is allowed in an array."""
    return IN_FLOAT32 if actual.dtype == np.float32 else 1


def places(wrong: np.ndarray) -> Finding:
    """Say in how many places an array is wrong."""
    count = int(wrong.sum())
    return Finding(
        "{count} of {size} places", {"count": count, "size": wrong.size}
    )
