"""The leak scan: no secret of an assignment may stand in what students get."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from nbformat import NotebookNode

from grading.solution import Solution, load_solution, read_source
from rnn_checks import flatten

SHORTEST_LINE = 8  # shorter lines, such as `)` or `else:`, tell nothing
FEWEST_DIGITS = 8  # NumPy prints 8; shorter numbers agree by chance


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
    """

    lines: frozenset[str]
    values: np.ndarray

    def find(self, text: str) -> list[str]:
        """Return what stands in a text and should not, a line each."""
        squeezed = squeeze(text)
        found = [f"the line `{line}`" for line in sorted(self.lines) if line in squeezed]
        for number in re.findall(r"-?\d+\.\d+(?:[eE][-+]?\d+)?", text):
            digits = re.sub(r"[eE].*|\D", "", number).lstrip("0")
            if len(digits) >= FEWEST_DIGITS and self._is_expected(float(number)):
                found.append(f"the expected value {number}")
        return found

    def _is_expected(self, value: float) -> bool:
        at = np.searchsorted(self.values, value)
        near = self.values[max(at - 1, 0) : at + 1]
        return bool(np.isclose(near, value, rtol=5e-8, atol=0).any())


def squeeze(text: str) -> str:
    """Return the text with every run of white space made one blank."""
    return " ".join(text.split())


def secrets_of(assignment: str, root: Path | None = None) -> Secrets:
    """Collect the secrets of an assignment from its source."""
    notebook = read_source(assignment, root)
    lines = {
        squeeze(line)
        for cell in notebook.cells
        for line in secret_lines(cell)
        if len(squeeze(line)) >= SHORTEST_LINE
    }
    return Secrets(frozenset(lines), expected_values(load_solution(assignment, root)))


def secret_lines(cell: NotebookNode) -> Iterator[str]:
    """Yield the lines of a cell that the student version lacks."""
    secret = False
    for line in cell.source.splitlines():
        if re.search(r"### (BEGIN|END) (SOLUTION|HIDDEN TESTS)", line):
            secret = "BEGIN" in line
        elif secret:
            yield line


def expected_values(solution: Solution) -> np.ndarray:
    """Run the hidden tests on the solution, and collect the values they expect."""
    names = solution.namespace()
    values = []
    with contextlib.redirect_stdout(io.StringIO()):
        for name, source in {**solution.examples, **solution.tests}.items():
            exec(compile(source, f"<{name}>", "exec"), names)
            if name in solution.tests:
                values += [flatten(call.right.result)[1] for call in names["test"].history]
    return np.unique(np.concatenate(values))


def scan(folder: Path, secrets: Secrets) -> list[str]:
    """Return every secret found in the files of a folder: "file: what"."""
    return [
        f"{path.relative_to(folder)}: {what}"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        for text in texts_of(path)
        for what in secrets.find(text)
    ]


def texts_of(path: Path) -> Iterator[str]:
    """Yield every text that a file holds; for a notebook, attachments decoded too."""
    yield path.name
    text = path.read_bytes().decode("utf-8", "replace")
    if path.suffix in (".ipynb", ".json"):
        yield from strings_of(json.loads(text))
    else:
        yield text


def strings_of(value: Any) -> Iterator[str]:
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
