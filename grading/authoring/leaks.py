"""The leak scan: no secret of an assignment may stand in what students get."""

from __future__ import annotations

import ast
import base64
import contextlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
from nbformat import NotebookNode
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme, ClearSolutions
from traitlets.config import Config

from grading.marking.hidden_data import HiddenData, sets_of
from grading.marking.naming import ON_VIEW, Outcomes
from grading.marking.solution import mark_solution
from grading.outcomes import flatten
from grading.source import Assignment, Source
from grading.source.cells import is_answer, is_test
from grading.source.names import python_in

SHORTEST_LINE = 8  # shorter lines, such as `)` or `else:`, tell nothing
A_WORD = re.compile(r"""["'][\w ,]*["'],?""")  # in quotes, on a line of its own
FEWEST_DIGITS = 8  # NumPy prints 8; shorter numbers agree by chance
SATURATED = 1e-7  # so near to 0 or 1 or -1, many a result is
DECIMAL = re.compile(r"-?\d+\.\d+(?:[eE][-+]?\d+)?")
MOST_SHOWN = 100  # of a line


@dataclass(frozen=True)
class Secrets:
    """
    What students must not see of an assignment.

    Attributes
    ----------
    lines : frozenset of str
        Lines of solutions and hidden tests, white space squeezed.
    values : ndarray
        All that the hidden tests expect, sorted.
    paths : frozenset of str
        Where the course lies, and what in it is not for students.
    allowed : frozenset of str
        Lines, numbers and paths that its author lets students see after all.
    """

    lines: frozenset[str]
    values: np.ndarray
    paths: frozenset[str] = frozenset()
    allowed: frozenset[str] = frozenset()

    def find(self, text: str) -> list[str]:
        """Return what stands in a text and should not, a line each."""
        squeezed = squeeze(text)
        lines = sorted(line for line in self.lines - self.allowed if line in squeezed)
        found = [f"the line `{line}`" for line in lines]
        for match in DECIMAL.finditer(text):
            if self._is_expected(match.group()):
                line = squeeze(line_around(text, match.start()))
                found.append(f"the expected value {match.group()} in `{line[:MOST_SHOWN]}`")
        paths = sorted(self.paths - self.allowed)
        return found + [f"the path {path}" for path in paths if path in text]

    def without(self, written: str) -> Secrets:
        """Return what is still secret to one who wrote this text."""
        squeezed = squeeze(written)
        return Secrets(
            frozenset(line for line in self.lines if line not in squeezed),
            self.values,
            frozenset(path for path in self.paths if path not in written),
            self.allowed,
        )

    def _is_expected(self, number: str) -> bool:
        """Tell whether a number, as it is written, is one that a test expects."""
        if len(number) < FEWEST_DIGITS:  # as most are
            return False
        digits = re.sub(r"[eE].*|\D", "", number).lstrip("0")
        value = float(number)
        saturated = min(abs(value), abs(abs(value) - 1)) < SATURATED
        if len(digits) < FEWEST_DIGITS or saturated or number in self.allowed:
            return False
        at = np.searchsorted(self.values, value)
        near = self.values[max(at - 1, 0) : at + 1]
        return bool(np.isclose(near, value, rtol=5e-8, atol=0).any())


def line_around(text: str, at: int) -> str:
    """Return the line of a text that this place lies in."""
    return text[text.rfind("\n", 0, at) + 1 :].partition("\n")[0]


def squeeze(text: str) -> str:
    """Return the text with every run of white space made one blank."""
    return " ".join(text.split())


def secrets_of(assignment: Assignment, root: Path, secret: bytes | None = None) -> Secrets:
    """
    Collect the secrets of an assignment.

    Parameters
    ----------
    assignment : Assignment
    root : Path
        The course folder.
    secret : bytes, optional
        The course's, to know the numbers that are drawn from it. What is published was written
        before them, and could agree with one of so many by chance alone.
    """
    sources, config = assignment.notebooks.values(), assignment.writer.config
    marks = list(markers(config).values())
    lines = {
        squeeze(line)
        for source in sources
        for cell in source.notebook.cells
        for _, line, secret in numbered_lines(cell, marks)
        if secret
        if len(squeeze(line)) >= SHORTEST_LINE and not A_WORD.fullmatch(squeeze(line))
    }
    seen = {line for source in sources for line in seen_lines(source.notebook, config)}
    folders = (root, Path(__file__).parents[1])
    paths = {f"source/{assignment.name}", "gradebook.db", *map(str, folders)}
    sets = sets_of(secret) if secret else []
    values = np.unique(np.concatenate([expected_values(source, sets) for source in sources]))
    allowed = frozenset(map(squeeze, assignment.allowed))
    return Secrets(frozenset(lines - seen), values, frozenset(paths), allowed)


def markers(config: Config) -> dict[str, tuple[str, str]]:
    """Return how regions begin and end, by the kind of cell that they belong into."""
    hidden, scheme = ClearHiddenTests(config=config), ClearMarkScheme(config=config)
    solution = ClearSolutions(config=config)
    return {
        "grade": (hidden.begin_test_delimeter, hidden.end_test_delimeter),
        "solution": (solution.begin_solution_delimeter, solution.end_solution_delimeter),
        "task": (scheme.begin_mark_scheme_delimeter, scheme.end_mark_scheme_delimeter),
    }


def numbered_lines(
    cell: NotebookNode, marks: Iterable[tuple[str, str]]
) -> Iterator[tuple[int, str, bool]]:
    """Yield the lines of a cell but the marks: number, text, and whether students lack it."""
    secret = False
    for number, line in enumerate(cell.source.splitlines(), 1):
        found = [end for pair in marks for end, mark in enumerate(pair) if mark in line]
        if found:
            secret = not found[0]
        else:
            yield number, line, secret


def seen_lines(notebook: NotebookNode, config: Config) -> Iterator[str]:
    """
    Yield lines that students have anyway: imports, and code of stubs and of visible tests.

    What docstrings and texts say gives something away, and none of it is yielded.
    """
    stubs, marks = ClearSolutions(config=config).code_stub.values(), list(markers(config).values())
    yield from (squeeze(line) for stub in stubs for line in stub.splitlines())
    for cell in notebook.cells:
        if cell.cell_type == "code":
            is_stub, strings = is_answer(cell) or is_test(cell), lines_of_strings(cell.source)
            for number, line, secret in numbered_lines(cell, marks):
                is_import = re.match(r"\s*(import|from) \w", line)
                if not secret and (is_import or (is_stub and number not in strings)):
                    yield squeeze(line)


def lines_of_strings(text: str) -> set[int]:
    """Return the numbers of the lines in which a string stands for itself, as docstrings do."""
    try:
        nodes = list(ast.walk(ast.parse(python_in(text))))
    except SyntaxError:
        return set(range(1, 1 + len(text.splitlines())))
    return {
        number
        for node in nodes
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        for number in range(node.lineno, 1 + (node.end_lineno or node.lineno))
    }


def expected_values(source: Source, sets: Iterable[HiddenData]) -> np.ndarray:
    """Run the hidden tests on the solution; collect their inputs and what they expect."""
    values = [np.zeros(0)]
    for data in (ON_VIEW, *sets):
        outcomes = Outcomes(source, data)
        mark_solution(outcomes)
        values += [flatten(each)[1] for each in outcomes.secret]
    return np.unique(np.concatenate(values))


def scan(folder: Path, secrets: Secrets) -> list[str]:
    """Return every secret found in the files of a folder: "file: what"."""
    found = (
        f"{path.relative_to(folder)}{place}: {what}"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        for place, text in dict.fromkeys(texts_of(path))  # attributes of drawings: many alike
        for what in secrets.find(text)
    )
    return list(dict.fromkeys(found))


def texts_of(path: Path) -> Iterator[tuple[str, str]]:
    """
    Yield every text that a file holds; for a notebook or a page, what is encoded too.

    Before each stands the cell that it lies in, ", cell setup", or "".
    """
    yield "", path.name
    text = path.read_bytes().decode("utf-8", "replace")
    if path.suffix in (".ipynb", ".json"):
        for place, part in parts_of(json.loads(text)):
            yield from ((place, each) for each in strings_of(part))
    elif path.suffix == ".html":
        texts = PageTexts(text)
        for part in [texts.read, *texts.other]:
            yield from (("", each) for each in strings_of(part))
    else:
        yield "", text


def parts_of(data: object) -> Iterator[tuple[str, Any]]:
    """Yield the cells of a notebook, each with its id, and the rest of it; or all other data."""
    if isinstance(data, dict) and isinstance(data.get("cells"), list):
        for cell in data["cells"]:
            yield f", cell {cell.get('id', '?')}", cell
        data = {**data, "cells": []}
    yield "", data


class PageTexts(HTMLParser):
    """
    The texts of a page.

    Attributes
    ----------
    read : str
        What is read, in one piece: markup may stand in the middle of a line.
    other : list of str
        Comments, attributes, and what addresses hold that are data themselves.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.read = ""
        self.other: list[str] = []
        self.feed(page)
        self.close()

    def handle_data(self, data: str) -> None:
        """Keep a piece of text."""
        self.read += data

    def handle_comment(self, data: str) -> None:
        """Keep a comment."""
        self.other.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the attributes."""
        for _, value in attrs:
            self.other.append(value or "")
            if value and value.startswith("data:"):
                self.other.append(unquote(value.partition(",")[2]))


def strings_of(value: object) -> Iterator[str]:
    """Yield the strings in a JSON value, and what base64 strings decode to."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from strings_of(item)
    elif isinstance(value, list):
        if value and all(isinstance(item, str) for item in value):
            yield "".join(value)
        for item in value:
            yield from strings_of(item)
    elif isinstance(value, str):
        yield value
        with contextlib.suppress(ValueError):
            yield base64.b64decode(value, validate=True).decode("utf-8", "replace")
    else:
        yield repr(value)
