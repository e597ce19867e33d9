"""The expected lines of a visible check: what the solution returns, as code to paste."""

from __future__ import annotations

import ast
import contextlib
import io
import textwrap
from collections.abc import Iterator
from typing import Any

import numpy as np

from grading import CourseError
from grading.checks import FunctionTest
from grading.outcomes import NOT_CALLED, PLAIN
from grading.source import Source
from grading.source.cells import CHECK_PREFIX, function_checked

WIDTH = 79  # columns of code that students read
KEPT_TOGETHER = "\N{NO-BREAK SPACE}"  # no line is broken there
DEPTH = 3  # how deep a cache is looked into


def expected_lines(source: Source, function: str) -> list[str]:
    """
    Return the lines of the visible check of a function that tell what is right.

    The values that its cell looks at already are those that are told; one of which nothing is
    told yet gets a line of its own.

    Raises
    ------
    CourseError
        Where there is no such check, or the solution stops in it.
    """
    cell = f"{CHECK_PREFIX}{function}"
    if cell not in source.examples:
        raise CourseError(
            f"{source.assignment}: there is no locked code cell `{cell}`; it calls the function on "
            "an example, with test = FunctionTest(...) and test.call(...)"
        )
    test = run_check(source, function)
    if test.outcome.stopped:
        raise CourseError(f"{source.assignment}, {cell}: the solution {test.outcome.stopped}")
    values = test.named(test.outcome.result)
    text = source.examples[cell]
    told = [path for path in named_in(text, "assert_allclose") if path.split("[")[0] in values]
    seen = {path.split("[")[0] for path in told} | set(named_in(text, "assert_length"))
    for name, value in values.items():
        told += paths_of(name, value) if name not in seen else []
    types = {name: type_name(value) for name, value in values.items()}
    shapes = {name: value.shape for name, value in values.items() if is_array(value)}
    lengths = {name: len(v) for name, v in values.items() if isinstance(v, (tuple, list))}
    return [
        *keywords("assert_types", types),
        *keywords("assert_shapes", shapes),
        *(line for path in told for line in allclose(path, test.part(test.outcome.result, path))),
        *(f'test.assert_length("{name}", {length})' for name, length in lengths.items()),
    ]


def run_check(source: Source, function: str) -> FunctionTest:
    """Run the solution and the visible cells up to this check; return its test, called."""
    names = source.namespace()
    with source.importing(), contextlib.redirect_stdout(io.StringIO()):
        for cell, text in source.examples.items():
            source.run(cell, text, names)
            if function_checked(cell) == function:
                break
    tests = (value for value in names.values() if hasattr(value, "outcome"))
    for test in tests:
        if test.name == function and test.outcome is not NOT_CALLED:
            return test
    raise CourseError(
        f"{source.assignment}, {CHECK_PREFIX}{function}: it has no test = FunctionTest({function},"
        " ...) that is called"
    )


def named_in(text: str, method: str) -> list[str]:
    """Return which values a check looks at already by one of its methods: "a_next[4]"."""
    calls = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
    first = [call.args[0] for call in calls if ast.unparse(call.func).endswith(f".{method}")]
    values = [each.value for each in first if isinstance(each, ast.Constant)]
    return [value for value in values if isinstance(value, str)]


def paths_of(name: str, value: Any, depth: int = 0) -> Iterator[str]:
    """Yield what to show of a value: one row of an array, each entry of a container."""
    if is_array(value) and value.ndim > 1 and value.size:
        yield from paths_of(f"{name}[{len(value) - 1}]", value[-1])
    elif isinstance(value, dict) and depth < DEPTH:
        for key, item in value.items():
            yield from paths_of(f"{name}[{key}]", item, depth + 1)
    elif isinstance(value, (tuple, list)) and depth < DEPTH:
        for index, item in list(enumerate(value))[-1:]:
            yield from paths_of(f"{name}[{index}]", item, depth + 1)
    elif is_array(value) or isinstance(value, (bool, int, float, str, np.generic)):
        yield name


def is_array(value: object) -> bool:
    """Tell whether a value is an array."""
    return isinstance(value, np.ndarray)


def type_name(value: Any) -> str:
    """Return how the type of a value is written in a notebook."""
    if is_array(value) and value.dtype != np.float64:
        kinds = {"i": "int", "b": "bool", "U": "str"}
        return f"np.dtype({kinds.get(value.dtype.kind, repr(value.dtype.name))})"
    kind = PLAIN.get(type(value), type(value))
    return f"np.{kind.__name__}" if kind.__module__ == "numpy" else kind.__name__


def keywords(method: str, given: dict[str, Any]) -> list[str]:
    """Return a call with keyword arguments."""
    if not given:
        return []
    values = {name: str(value).replace(" ", KEPT_TOGETHER) for name, value in given.items()}
    lines = filled(f"test.{method}(", ", ".join(f"{n}={v}" for n, v in values.items()) + ")")
    return [line.replace(KEPT_TOGETHER, " ") for line in lines]


def allclose(path: str, value: Any) -> list[str]:
    """Return the call that looks at one value; checks allow an error in the eighth decimal."""
    if is_array(value):
        written = repr((value.round(8) if value.dtype.kind in "fc" else value).tolist())
    else:
        written = repr(value.item() if isinstance(value, np.generic) else value)
    begin = f'test.assert_allclose("{path}", '
    if written.startswith("["):
        begin, written = begin + "[", written[1:]
    return filled(begin, f"{written})")


def filled(begin: str, rest: str) -> list[str]:
    """Return a call in one line where it fits, else in several that are indented."""
    if len(begin + rest) <= WIDTH:
        return [begin + rest]
    indent = "    "
    return [begin, *textwrap.wrap(rest, WIDTH, initial_indent=indent, subsequent_indent=indent)]
