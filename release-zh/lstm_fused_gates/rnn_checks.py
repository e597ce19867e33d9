# 由`python -m grading release`从引擎的检查生成。
"""
笔记本的检查：把函数返回的东西一点一点地看。

一个`FunctionTest`用参数的副本调用一个函数；然后每个`assert_...`
看一件事，就像`numpy.testing`里的那样。不会抛出异常：
每项检查成为一行，打勾或打叉，由`report`显示。
只需要NumPy，也不含答案。
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

# 发现了什么，以消息的形式保存；到显示的地方才写成句子。


Words = Mapping[str, str]  # 一种语言的句子，由英文查得


class Finding(NamedTuple):
    """
    发现的情况：一条消息，以及填入其{空位}的内容。

    一个字段本身可以是一个发现，也可以是发现的列表。没有字段的
    消息就没有空位，不管里面写着什么。
    """

    message: str
    fields: dict[str, Any]

    def said(self, words: Words) -> str:
        """返回句子；`words`里没有的，用英文说。"""
        fields = {
            name: said(each, words) for name, each in self.fields.items()
        }
        message = words.get(self.message, self.message)
        return message.format(**fields) if fields else message

    def __str__(self) -> str:
        """返回英文的句子。"""
        return self.said({})


EMPTY = ""
NOTHING = Finding(EMPTY, {})
BETWEEN = Finding(", ", {})


def said(field: object, words: Words) -> Any:
    """返回一个发现的某个字段，写成文字。"""
    if isinstance(field, Finding):
        return field.said(words)
    if isinstance(field, list):
        return BETWEEN.said(words).join(said(each, words) for each in field)
    return field


# 代码停在哪里：在哪个运算中，作用于什么，怎样可能有帮助。


class Stop(NamedTuple):
    """函数停在其中的那个运算，以及它作用于什么。"""

    kind: str  # 例如"MatMult"、"append"
    error: str  # 异常的类型
    names: list[str]  # 消息里引号中的名字
    values: list[Any]
    texts: list[str]  # 同样的值，照代码里的写法


HOLDS_ITSELF = type("list that holds itself", (), {})


def copy_value(value: Any, around: tuple = ()) -> Any:
    """复制数组，以及装着它们的容器；`around`是外面各层容器。"""
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


MARKED = "?bhilqBHILQefdFDU"  # NumPy用这些字母表示能够评分的类型


def odd_type(value: Any) -> type | None:
    """如果一个值装着不该装的东西，返回那东西的类型。"""
    if type(value) in (list, tuple, dict):
        items = value.values() if isinstance(value, dict) else value
        return next(filter(None, map(odd_type, items)), None)
    if type(value) is np.ndarray and value.dtype.char not in MARKED:
        held = value.dtype.type.__name__.strip("_")  # 如"object"、"longdouble"
        held = "StringDType" if held == "str" else held
        return type(f"{held} array", (), {})
    if isinstance(value, np.generic):
        return None if value.dtype.char in MARKED else type(value)
    plain = value is None or isinstance(value, (int, float, str))
    return None if plain or type(value) is np.ndarray else type(value)


def message_of(error: BaseException) -> str:
    """返回一个错误所说的话；说话时自己也停住的，返回空文字。"""
    try:
        return str(error)
    except Exception:
        return ""


def describe_stop(error: BaseException, name: str) -> Stop | None:
    """
    说出这个名字的函数停在哪个运算中，作用于什么。

    如果停住的是它所调用的另一个函数，就只说那个函数的名字和
    传给它的东西；无法判断时什么也不说。
    """
    if hasattr(error, "raised"):
        return error.raised and Stop(*error.raised)
    found, stop, inside = None, error.__traceback__, False
    while stop:
        called = stop.tb_frame.f_code.co_name  # 或者是其中的"<listcomp>"
        inside = called == name or (inside and called[0] == "<")
        found, stop = stop if inside else found, stop.tb_next
    try:
        return found and stop_at(found, error)
    except Exception:  # 代码格的文字已不在，或不是运行过的那份
        return None


def stop_at(found: TracebackType, error: BaseException) -> Stop:
    """说出这是哪个运算，作用于什么。"""
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
    返回一个不存在的名字可能是想写什么。

    如果是一个键，返回它的字典和这个名字；如果在NumPy里找的是
    笔记本自己的名字，返回这个名字；否则返回一个很像的名字。
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
    """返回停住的那个运算，以及它所作用的各表达式。"""
    code = stop.tb_frame.f_code
    place = next(islice(code.co_positions(), stop.tb_lasti // 2, None))
    lines = linecache.getlines(code.co_filename, stop.tb_frame.f_globals)
    nodes = nodes_at(place, ast.parse("".join(lines)))
    node = next(each for each in reversed(nodes) if place_of(each) == place)
    parts = parts_of(node)
    for each in nodes:  # 赋给它的是什么，如果能看出来
        if isinstance(each, ast.Assign):
            sides = each.targets[0], each.value
            pairs = [sides]
            tuples = [s.elts for s in sides if isinstance(s, ast.Tuple)]
            if len(tuples) == 2:
                pairs += zip(*tuples, strict=False)
            parts += [right for left, right in pairs if left is node]
    return node, parts


def nodes_at(place: tuple[Any, ...], code: ast.AST) -> list[ast.AST]:
    """返回代码中包含某个位置的各部分，最里面的排在最后。"""
    line, end, column, end_column = place
    nodes = [code]
    for node in nodes:  # 边走边变长
        for each in ast.iter_child_nodes(node):
            first, last, left, right = place_of(each)
            begins = first is None or (first, left) <= (line, column)
            ends = first is None or (end, end_column) <= (last, right)
            # 装饰器写在所装饰的定义的第一行之上
            if (begins and ends) or hasattr(each, "decorator_list"):
                nodes.append(each)
    return nodes


def place_of(node: ast.AST) -> tuple[int | None, ...]:
    """返回一个节点的位置，写法与`co_positions`相同。"""
    names = ("lineno", "end_lineno", "col_offset", "end_col_offset")
    return tuple(getattr(node, name, None) for name in names)


def parts_of(node: ast.AST) -> list[ast.AST]:
    """返回一个运算作用于什么；如果是调用，返回传给它的东西。"""
    parts = list(ast.iter_child_nodes(node))
    if isinstance(node, ast.Call):
        parts = [*node.args, *(each.value for each in node.keywords)]
        if isinstance(node.func, ast.Attribute):
            parts.insert(0, node.func.value)
    if isinstance(getattr(node, "ctx", None), ast.Store):
        # 一个位置，例如`a[:, t] = ...`；或是还没有值的名字
        parts = [*parts, node] if isinstance(node, ast.Subscript) else []
    index = getattr(node, "slice", None)  # 算作一个整体
    groups = [
        each.elts
        if isinstance(each, (ast.Tuple, ast.List)) and each is not index
        else [each]
        for each in parts
        if isinstance(each, ast.expr)
    ]
    return [each for group in groups for each in group]


def operation_of(node: ast.AST) -> str:
    """返回一个运算的名字：不管怎么写，名字都一样。"""
    function = getattr(node, "func", getattr(node, "op", node))
    name = getattr(function, "attr", getattr(function, "id", None))
    name = name or type(function).__name__
    return {"dot": "MatMult", "matmul": "MatMult"}.get(name, name)


def value_of(node: ast.AST, names: dict[str, Any]) -> Any:
    """返回一个表达式的值，只要求值没有别的作用。"""
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
    except Exception:  # 已经结束的循环里的名字
        return None


class Sizes(NamedTuple):
    """文档字符串怎样称呼各轴的长度。"""

    called: dict[int, list[str]]  # 一个长度可以有几个名字
    shapes: dict[tuple[str, int], list[str]]  # 由名字和轴的个数查得

    def of(self, text: str, shape: tuple[int, ...]) -> list[list[str]]:
        """逐轴返回它的长度可以怎样称呼。"""
        found = re.fullmatch(r'(?:\w+\[["\'])?(\w+)(?:["\']\])?', text)
        key = found[1] if found else "", len(shape)
        told = self.shapes.get(key, [""] * len(shape))
        known = [self.called.get(length, []) for length in shape]
        pairs = zip(told, known, strict=True)
        return [[name] if name in names else names for name, names in pairs]


def sizes_in(docstring: str, arguments: dict[str, Any]) -> Sizes:
    """返回一个文档字符串怎样称呼参数各轴的长度。"""
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
    """返回文档字符串中说明了形状的各名字，以及该形状。"""
    listed = re.findall(r"([\w, ]+) : ndarray, shape \((.*?)\)", docstring)
    listed += re.findall(r"((?:`\w+`,?\s+)+)\((.*?)\)", docstring)
    return [
        (
            re.findall(r"\w+", names),
            [length.strip() for length in shape.split(",") if length.strip()],
        )
        for names, shape in listed
    ]


# 一个函数在保存缓存时停住：去掉这一部分再运行。


MOST = 3  # 最多去掉这么多条语句


def sparing(function: Callable) -> Callable:
    """
    返回这个函数，调用时去掉只让最后一个值停住的语句。

    函数返回几个值时，最后一个是它的缓存。如果停住的语句是其他
    返回值都用不到的，就去掉这条语句。这时最后一个值不说明什么，
    也不计分。
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

    spared.__name__ = ""  # 这里停在哪里不会有人问：找出来很费时间
    return spared


class Rest:
    """
    一个函数逐条去掉语句之后剩下的部分。

    在寻找或去掉语句时不管抛出什么异常，都表示这个函数
    不能这样调用。
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
        """去掉函数停在其中的那条语句。"""
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
    """返回一个`return`的几个值；只有一个值时抛出异常。"""
    if not isinstance(statement.value, (ast.Tuple, ast.List)):
        raise ValueError("one that is no tuple tells not")
    return statement.value


SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr)


class Instead(ast.NodeTransformer):
    """在原来由某条语句赋值的地方，让各名字都等于None。"""

    def __init__(self, statement: ast.stmt) -> None:
        self.statement = statement

    def visit(self, node: ast.AST) -> Any:
        """返回代替一个节点的东西。"""
        if node is not self.statement:
            return self.generic_visit(node)
        names = () if isinstance(node, ast.AugAssign) else names_in(node, True)
        text = "; ".join(f"{name} = None" for name in names) or "pass"
        made = ast.parse(text).body
        return [ast.copy_location(each, node) for each in made]


def first_line(node: ast.FunctionDef) -> int:
    """返回一个函数从第几行开始。"""
    return min([node.lineno, *(each.lineno for each in node.decorator_list)])


def codes_in(code: Any) -> Iterator[Any]:
    """逐个给出代码中所有函数的代码。"""
    for each in code.co_consts:
        if hasattr(each, "co_consts"):
            yield each
            yield from codes_in(each)


def names_in(node: ast.AST, stored: bool) -> set[str]:
    """返回被赋值的名字，或者被读取的名字。"""
    names = (n for n in ast.walk(node) if isinstance(n, ast.Name))
    return {n.id for n in names if isinstance(n.ctx, ast.Store) == stored}


def written(node: ast.AST) -> set[str]:
    """返回被改动的名字：`a[t] = 1`和`a.append(1)`里的`a`。"""
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
    """返回最后一个值之前的各值所依赖的名字。"""
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
    """逐个给出一个节点里的语句，里层的在外层之后。"""
    for part in ("body", "orelse", "handlers", "finalbody", "cases"):
        for each in getattr(node, part, ()):
            if isinstance(each, ast.stmt):
                yield each
            yield from statements_in(each)


# 函数的一次调用：结果如何，以及两次结果是否相同。


KEPT = "the cache"  # 代表学生自己选择的缓存
PLAIN = {np.float64: float, np.int64: int, np.bool_: bool}  # 视为相同
PLAIN[np.str_] = str
NOT_WRITTEN = Finding("not written yet", {})
NO_CACHE = Finding(
    "waits for a cache: your forward function stops, or returns none", {}
)


class Wrong(AssertionError):
    """检查抛出的异常：一个发现，以及填入其空位的内容。"""

    def __init__(self, message: str, **fields: object) -> None:
        self.finding = Finding(message, fields)
        super().__init__(str(self.finding))


class Outcome(NamedTuple):
    """用同样的参数把一个函数调用两次，结果如何。"""

    result: Any  # 返回了什么
    arguments: dict[str, Any]  # 调用之后参数的样子
    again: Any  # 第二次调用返回了什么
    stopped: Finding | None  # 抛出了什么异常
    raised: Stop | None = None  # 同上，写成可以比较的形式

    @property
    def seen(self) -> tuple:
        """这个结果与别的结果的区别：不含词句，也不含行。"""
        result = self.result
        several = isinstance(result, (list, tuple, dict))
        values = result.values() if isinstance(result, dict) else result
        kinds = [odd_type(v) or type(v) for v in (values if several else [])]
        raised = self.raised and self.raised[:4]
        names = [PLAIN.get(kind, kind).__name__ for kind in kinds]
        return result, names, self.arguments, self.again, raised


NOT_CALLED = Outcome(None, {}, None, Finding("was not called", {}))


class Lost:
    """代表一个缓存：本该保存它的函数停住了。"""

    def __init__(self, why: Finding) -> None:
        self.why = why


def why_lost(result: object) -> Finding | None:
    """返回为什么返回值中没有缓存；有缓存则返回None。"""
    last = result[-1] if isinstance(result, (tuple, list)) and result else None
    return last.why if isinstance(last, Lost) else None


def run_function(
    function: Callable,
    arguments: dict,
    own_cache: bool = False,
    keeps: bool = False,
) -> Outcome:
    """
    用`arguments`的副本调用`function`两次；返回Outcome。

    学生自己选择的缓存两次都原样传递，从不查看其内容：
    它是返回的最后一个值，或是参数`cache`。`keeps`表示
    最后一个值是缓存。如果函数停在只有缓存才用到的地方，
    其余的值就是去掉缓存后函数所返回的。
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
    """返回一个函数去掉只用来保存缓存的部分之后的结果。"""
    own = getattr(type(function), "sparing", None)  # 来自学生的运行环境
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
    """返回几个值，把最后一个换成别的。"""
    several = type(values) in (list, tuple) and values
    return (*values[:-1], word) if several else values


def describe_error(error: BaseException, given: list[str]) -> Finding:
    """说出抛出了什么异常，在哪一行；调用出错时说出传入了什么（`given`）。"""
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
    """指出函数自己那一格里的一行，或指定的那一格里的一行。"""
    fields = {"number": number, "code": code}
    if not cell:
        return Finding(" (`line {number}: {code}`)", fields)
    fields["cell"] = cell
    return Finding(" (`{cell}, line {number}: {code}`)", fields)


def explained(outcome: Outcome, sizes: Sizes, numbers: bool) -> Outcome:
    """
    返回一个结果，它会在停住的地方说出各值的形状。

    `numbers`表示是否也说出长度的数值。
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
    """说出各值的形状；如果是名字，说出它可能是什么。"""
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
            steps = isinstance(value, list)  # 是否每步一个？
            known = sizes if steps else Sizes({}, {})
            shape = name_shape("", (len(value),), known, numbers)
            fields["length"] = re.sub("[()]", "", shape)
            given[text] = Finding("`{name}` is a {type} of {length}", fields)
    given.pop("", None)  # 不该说出的
    if not given:
        return None
    told = reduce(both, given.values())
    if stop.error:
        return told
    call = {"function": stop.kind, "given": told}
    return Finding("in the call of `{function}`, {given}", call)


def both(one: Finding, other: Finding) -> Finding:
    """两个都说出来。"""
    return Finding("{one}, {other}", {"one": one, "other": other})


NEW_NAMES = {"xrange": "range", "raw_input": "input", "np.Inf": "np.inf"}
NEW_NAMES |= {f"np.{n}": n for n in ("float", "int", "bool", "object", "str")}


def explain_name(stop: Stop) -> Finding | None:
    """说出一个不存在的名字可能是想写什么。"""
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
    """说出一个形状：用数字，也用各长度的名字。"""
    small = range(2)  # 长度1在文档字符串里也写作1
    known = []
    for n, names in zip(shape, sizes.of(text, shape), strict=True):
        if numbers or n in small:  # 不因碰巧相等而用名字
            known.append(names[0] if len(names) == 1 else str(n))
        else:
            known.append(" = ".join(names) or "…")
    named, plain = f"({', '.join(known)})", f"({', '.join(map(str, shape))})"
    return f"{plain} = {named}" if numbers and named != plain else named


def a_type(value: object) -> Finding:
    """说出一个值的类型，英文带冠词。"""
    return name_type(type(value))


NO_NAMES = {  # 不是类型的名字，而是代替它的说法
    "ndarray": Finding("an array", {}),
    "NoneType": Finding("None", {}),
    HOLDS_ITSELF.__name__: Finding("a list that holds itself", {}),
}


def name_type(kind: type) -> Finding:
    """说出一个类型，英文带冠词。"""
    if kind.__name__ in NO_NAMES:
        return NO_NAMES[kind.__name__]
    held = kind.__name__.removesuffix(" array")
    fields = {"type": held}
    a = Finding("a {type}", fields), Finding("a {type} array", fields)
    if held[0] in "aeiou":
        a = Finding("an {type}", fields), Finding("an {type} array", fields)
    return a[held != kind.__name__]


def name_dtype(dtype: np.dtype) -> str:
    """返回一个dtype在笔记本里怎么写。"""
    return "str" if dtype.kind == "U" else str(dtype)


def flatten(value: object) -> tuple[str, np.ndarray]:
    """返回一个值的形式（一段文字），以及其中的数（排成一行）。"""
    rows: list[Any] = [()]  # 至少有一项，才能拼接
    form = form_of(value, rows)
    row = np.concatenate(rows, axis=None, dtype=float, casting="unsafe")
    return form, row


def form_of(value: object, rows: list) -> str:
    """返回一个值的形式；把其中的数加进`rows`。"""
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
    """把NumPy的数变成Python自己的数返回。"""
    return value.item() if type(value) in PLAIN else value


def same_value(one: Any, other: Any) -> bool:
    """判断两个值除舍入误差外是否相等。"""
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
    """判断`flatten`的两个结果除舍入误差外是否相等。"""
    form, numbers = one
    other_form, other_numbers = other
    if form != other_form:
        return False
    if numbers.size:  # 多数在第一个数上就不相等，这样判断很快
        first, expected = numbers.item(0), other_numbers.item(0)
        if abs(first - expected) > 1e-12 + 1e-9 * abs(expected):
            return False
    if numbers.tobytes() == other_numbers.tobytes():  # 比下面快十倍
        return True
    with np.errstate(all="ignore"):
        limit = 1e-12 + 1e-9 * np.abs(other_numbers)
        if (np.abs(numbers - other_numbers) > limit).any():
            return False
        return np.allclose(
            numbers, other_numbers, rtol=1e-9, atol=1e-12, equal_nan=True
        )


def fingerprint(outcome: Outcome) -> list:
    """返回几个数，它们把这个结果与任何别的结果区分开。"""
    form, numbers = flatten(outcome.seen)
    weights = np.random.default_rng(0).standard_normal((3, numbers.size))
    digest = hashlib.sha256(form.encode()).hexdigest()[:12]
    with np.errstate(all="ignore"):
        sums = weights @ np.nan_to_num(numbers)
    return [digest, *(float(f"{total:.9g}") for total in sums)]


def same_fingerprint(one: list, other: list) -> bool:
    """判断两个指纹除舍入误差外是否相等。"""
    return one[0] == other[0] and np.allclose(one[1:], other[1:], rtol=1e-8)


# 检查所显示的：带勾和叉的行。


Line = tuple[str, Finding]  # 一个标记，以及写在它后面的
STYLES = {
    "✓": (Finding("right", {}), "var(--jp-success-color1, #1b5e20)"),
    "✗": (Finding("wrong", {}), "var(--jp-error-color1, #b71c1c)"),
    "→": (Finding("known mistake", {}), "inherit"),
}


def report_lines(name: str, wrong: dict, mistake: str) -> list[Line]:
    """返回所有的行；几类检查的发现相同时合为一行。"""
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
    """把发现写成带句号的句子返回。"""
    if str(found).endswith(("?", ".")):
        return found
    return Finding("{sentence}.", {"sentence": found})


def show(
    lines: list[Line],
    closing: Finding | None = None,
    words: Words | None = None,
) -> None:
    """显示各行：在笔记本里用HTML，在别处用纯文本。"""
    shown = as_shown(lines, closing, words or {})
    ipython = sys.modules.get("IPython")
    if ipython is None or ipython.get_ipython() is None:
        print(shown["text/plain"])
        return
    ipython.display.display(shown, raw=True)


def reject_next_cell(said: str) -> None:
    """
    让下面那个评分的代码格失败：这样nbgrader的Validate会说出来。

    Validate只看评分的代码格，而学生拿不到其中的测试。
    """
    from IPython import get_ipython
    from IPython.core.error import InputRejected

    class NotRight(InputRejected):
        def _render_traceback_(self) -> list[str]:
            return [said]  # 在哪里抛出，与学生无关

    class Reject(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            shell.ast_transformers.remove(self)
            raise NotRight(said)

    if shell := get_ipython():
        shell.ast_transformers.append(Reject())


def as_shown(
    lines: list[Line], closing: Finding | None, words: Words
) -> dict[str, str]:
    """按笔记本的显示方式返回各行。"""
    said = [(mark, found.said(words)) for mark, found in lines]
    end = closing.said(words) if closing else ""
    text = "\n".join([*(f"{mark} {line}" for mark, line in said), end])
    html = to_html(said, end, words)
    return {"text/plain": text.strip(), "text/html": html}


def to_html(said: list[tuple[str, str]], end: str, words: Words) -> str:
    """把各行写成HTML列表返回，颜色与JupyterLab一致。"""
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
    """把文字写成HTML返回，反引号里的写成代码。"""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))


# 笔记本的检查：把函数返回的东西一点一点地看。


RTOL, ATOL = 1e-6, 1e-8
# 用float32又会损失这么多：只在类型上扣一次分。
IN_FLOAT32 = 100
WORDS = ""  # 不会是任何函数的名字

Check = Callable[[Outcome], None]


class FunctionTest:
    """
    一项一项地检查一个函数。

    参数
    ----
    function : callable
        要检查的函数。
    returns : str
        所返回各值的名字："a_next, yt_pred, cache"。
    cache : str，可选
        一个时间步的缓存中各项的名字。
    keys : str，可选
        函数只返回一个字典时，它的各个键："dxt, da_prev"。
        这时检查把字典中的每个值当作一个返回值来看。
    own_cache : bool，可选
        缓存的内容是否由学生自己选择：它是返回的最后一个值，
        或是参数`cache`。这样的缓存不作比较。
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
        self.wrong: dict[str, Finding | None] = {}  # 由检查的类别查得

    def call(self, **arguments: object) -> None:
        """用`arguments`的副本按这里的顺序调用函数。"""
        self.arguments = dict(arguments)
        if self.own_cache and "cache" in arguments:
            self.arguments["cache"] = KEPT
        outcome = run_function(
            self.function, arguments, self.own_cache, self.keeps_cache
        )
        sizes = sizes_in(self.function.__doc__ or "", arguments)
        self.outcome = explained(outcome, sizes, numbers=True)

    def assert_types(self, **types: type | np.dtype) -> None:
        """检查返回了几个值，以及每个值的类型。"""
        self.check_each("types", check_type, types)
        self.check("types", self.check_kept)

    def assert_shapes(self, **shapes: tuple[int, ...]) -> None:
        """检查返回的各数组的形状。"""
        self.check_each("shapes", check_shape, shapes)

    def assert_length(self, name: str, length: int) -> None:
        """检查一个返回值有多少项。"""
        self.check_each(name, check_length, {name: length})

    def check_each(self, kind: str, one: Callable, expected: dict) -> None:
        """逐个查看返回值，算作一类检查。"""

        def check(outcome: Outcome) -> None:
            values = self.named(outcome.result)
            for name, right in expected.items():
                one(self.label(name), values[name], right)

        self.check(kind, check)

    def assert_allclose(self, path: str, expected: object) -> None:
        """
        检查一个返回的数组、数或文字的值。

        `path`是一个返回值的名字；如果只看它的一部分，
        就带上下标，例如"cache[1][3]"。
        """

        def check(outcome: Outcome) -> None:
            actual = self.part(outcome.result, path)
            self.compare(self.label(path), actual, expected)

        self.check(path.split("[")[0], check)

    def compare(self, label: str, actual: object, expected: object) -> None:
        """如果一个值不是所应有的，就抛出Wrong。"""
        if isinstance(expected, (list, np.ndarray)):
            check_array(label, actual, np.array(expected))
        else:
            check_plain(label, actual, expected)

    def assert_arguments_unchanged(self) -> None:
        """检查函数是否让参数保持原样。"""
        self.check("arguments", self.check_arguments)

    def assert_raises(self, error: type, **arguments: object) -> None:
        """检查函数是否以这个异常拒绝`arguments`。"""

        def check(outcome: Outcome) -> None:
            check_raises(self.function, error, arguments)

        self.check("raises", check)

    def check(self, kind: str, check: Check) -> None:
        """做一项检查，并记下发现的错误。"""
        self.wrong[kind] = self.wrong.get(kind) or find_wrong(
            check, self.outcome
        )

    def check_arguments(self, outcome: Outcome) -> None:
        """如果一个参数与原来不同，就抛出Wrong。"""
        self.named(outcome.result)
        for name, value in outcome.arguments.items():
            if not same_value(value, self.arguments[name]):
                raise Wrong(
                    "the argument `{name}` is changed by the call; leave it"
                    " as it is, and write into an array of your own",
                    name=name,
                )

    def check_kept(self, outcome: Outcome) -> None:
        """如果保存缓存的函数停住，就抛出Wrong。"""
        values = self.named(outcome.result)
        for name in self.returns if self.keeps_cache else []:
            values[name]

    @property
    def keeps_cache(self) -> bool:
        """判断返回的最后一个值是不是缓存。"""
        own = self.own_cache and self.returns[-1] == "cache"
        return own or self.cache != [""]

    def report(self) -> None:
        """每类检查显示一行，并说明检查覆盖了多少。"""
        table = known()
        about, words = table.get(self.name, {}), table.get(WORDS, {})
        lines = report_lines(self.name, self.wrong, self.mistake(about))
        closing = self.covered(about.get("kinds"))
        show(lines, None if self.outcome.stopped else closing, words)
        if any(self.wrong.values()) and os.environ.get("NBGRADER_VALIDATING"):
            reject_next_cell("\n".join(f.said(words) for _, f in lines))

    def covered(self, kinds: int | None) -> Finding:
        """说出所有类别的检查中做了几类。"""
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
        """返回会得出这个结果的已知错误的句子。"""
        stopped, raised = self.outcome.stopped, self.outcome.raised
        if (stopped and not raised) or not about.get("mistakes"):
            return ""
        seen = fingerprint(self.outcome)
        for mistake in about["mistakes"]:
            if same_fingerprint(mistake["fingerprint"], seen):
                return mistake["sentence"]
        return ""

    def named(self, result: object) -> dict[str, Any]:
        """按名字返回各返回值。"""
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
        """返回学生会怎样写`path`所指的东西。"""
        key, bracket, indices = path.partition("[")
        if self.keys:
            key = f"{self.returns[0]}['{key}']"
        return key + bracket + indices

    def part(self, result: object, path: str) -> Any:
        """返回结果中`path`所指的部分。"""
        name, *indices = re.findall(r"\w+", path)
        value = self.named(result)[name]
        for index in indices:
            try:
                value = value[int(index) if index.isdigit() else index]
            except (IndexError, KeyError, TypeError):
                raise Wrong("`{path}` is not there", path=path) from None
        return value


class Values(dict):
    """各返回值，或返回的字典中的各值；缺少的会被指出。"""

    name = ""
    lost: Finding | None = None  # 为什么没有缓存

    @classmethod
    def of(cls, result: object, name: str) -> "Values":
        """返回这个名字的字典中的各值。"""
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
    返回检查旁边那个文件的内容。

    每个函数有哪些已知的错误，有多少类检查；
    英文以外的语言，还有这种语言的句子。
    """
    file = Path(__file__).with_name("known_mistakes.json")
    return json.loads(file.read_text("utf-8")) if file.exists() else {}


@contextmanager
def skip_unwritten(what: str) -> Iterator[None]:
    """运行其中的代码；如果有函数还没写，就用一行说出来。"""
    try:
        yield
    except NotImplementedError:
        waits = Finding(
            "{what}: waits for a function that is not written yet.",
            {"what": what},
        )
        print(waits.said(known().get(WORDS, {})))


# --------------------------------------------------------- 单项检查


def find_wrong(check: Check, outcome: Outcome) -> Finding | None:
    """返回这项检查在结果中发现的错误；没有则返回None。"""
    if outcome.stopped:
        return outcome.stopped
    try:
        check(outcome)
    except Wrong as wrong:
        return wrong.finding
    except Exception as error:  # 一个谁也无法查看的值
        fields = {"error": type(error).__name__, "said": str(error)}
        return Finding("cannot be looked at ({error}: {said})", fields)
    return None


def check_raises(
    function: Callable, error: type[BaseException], arguments: dict
) -> None:
    """如果一次调用没有抛出这个异常，就抛出Wrong。"""
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
    """如果一个值是别的类型，就抛出Wrong；dtype指数组的dtype。"""
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
            return  # 任何大小的整数，任何长度的字符串
        raise Wrong(
            "`{label}` is an array of {dtype}, expected {expected}",
            label=label,
            dtype=name_dtype(actual.dtype), expected=name_dtype(dtype),
        )  # fmt: skip


def check_plain(label: str, actual: object, expected: object) -> None:
    """如果数或文字不是所应有的，就抛出Wrong。"""
    if not same_value(actual, expected):
        raise Wrong("`{label}` is wrong", label=label)


def check_length(label: str, actual: Any, expected: int) -> None:
    """如果一个值的项数不对，就抛出Wrong。"""
    if len(actual) != expected:
        raise Wrong(
            "`{label}` is of length {length}, expected {expected}",
            label=label, length=len(actual), expected=expected,
        )  # fmt: skip


def check_is_array(label: str, actual: object) -> None:
    """如果应当是数组的地方是别的东西，就抛出Wrong。"""
    if not isinstance(actual, (np.ndarray, np.generic)):
        kind = a_type(actual)
        if type(actual).__name__.endswith(" array"):  # 评分时，字节的数组
            raise Wrong(
                "`{label}` is {kind}, not one of numbers or texts",
                label=label, kind=kind,
            )  # fmt: skip
        raise Wrong(
            "`{label}` is {kind}, not an array", label=label, kind=kind
        )


def check_shape(label: str, actual: Any, expected: tuple) -> None:
    """如果一个值的形状不是所应有的，就抛出Wrong。"""
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
    """如果数组有差别，就抛出Wrong；`steps`说出在哪些时间步。"""
    check_shape(path, actual, expected.shape)
    measured = expected.dtype.kind not in "bU"
    actual, expected = as_numbers(actual, expected)
    if (actual == expected).all():  # 大多数都相等
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
    """返回最大的误差，不管正负。"""
    return float(np.abs(error).max())


def as_numbers(actual: Any, expected: Any) -> tuple[np.ndarray, np.ndarray]:
    """返回可以相减的数组，不管原来是整数、真假值还是文字。"""
    texts = "U" in (actual.dtype.kind, expected.dtype.kind)
    if expected.dtype.kind in "fc" and not texts:
        return actual, expected
    if expected.dtype.kind in "biu" and actual.dtype.kind in "biuf":
        return actual.astype(float), expected.astype(float)
    return (actual != expected).astype(float), np.zeros(expected.shape)


def where_wrong(actual: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """返回一个数组错在哪里，舍入误差不算。"""
    actual, expected = as_numbers(actual, expected)
    with np.errstate(all="ignore"):
        allowed = (ATOL + RTOL * np.abs(expected)) * precision(actual)
        return ~(np.abs(actual - expected) <= allowed)  # NaN算错


def precision(actual: Any) -> int:
    """返回一个数组允许的误差是通常的多少倍。"""
    return IN_FLOAT32 if actual.dtype == np.float32 else 1


def places(wrong: np.ndarray) -> Finding:
    """说出一个数组有多少处是错的。"""
    count = int(wrong.sum())
    return Finding(
        "{count} of {size} places", {"count": count, "size": wrong.size}
    )
