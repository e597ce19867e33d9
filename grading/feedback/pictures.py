"""Where a value is wrong: a picture, and the same in words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from itertools import groupby
from typing import Any

from grading.findings import Finding

SIDE = 12  # pixels, of a square that stands for one number
# What rows and columns are: every one, one, and several of them.
KINDS = {
    "unit": (
        Finding("every unit", {}),
        Finding("unit {names}", {}),
        Finding("units {names}", {}),
    ),
    "time step": (
        Finding("every time step", {}),
        Finding("time step {names}", {}),
        Finding("time steps {names}", {}),
    ),
    "example": (
        Finding("every example", {}),
        Finding("example {names}", {}),
        Finding("examples {names}", {}),
    ),
    "entry": (
        Finding("every entry", {}),
        Finding("entry {names}", {}),
        Finding("entries {names}", {}),
    ),
    "row": (
        Finding("every row", {}),
        Finding("row {names}", {}),
        Finding("rows {names}", {}),
    ),
    "column": (
        Finding("every column", {}),
        Finding("column {names}", {}),
        Finding("columns {names}", {}),
    ),
}
TITLES = {
    "unit": Finding("unit", {}),
    "time step": Finding("time step", {}),
    "example": Finding("example", {}),
    "entry": Finding("entry", {}),
    "row": Finding("row", {}),
    "column": Finding("column", {}),
}


@dataclass
class Picture:
    """
    Where a value is wrong.

    Attributes
    ----------
    value : str
        Its name.
    text : Finding
        What the picture shows, in words.
    wrong : list of list of bool
    row, column : Finding
        What the rows and the columns are: "unit", "time step".
    names : list of str
        Of the rows.
    """

    value: str
    text: Finding
    wrong: list[list[bool]]
    row: Finding
    column: Finding
    names: list[str]

    @property
    def left(self) -> int:
        """The width of the names of the rows."""
        return 8 + 6 * max(map(len, self.names))

    def squares(self, wrong: bool) -> str:
        """Return the squares of all places that are wrong, or of those that are right."""
        return "".join(
            f"M{SIDE * x + 1} {SIDE * y + 1}h{SIDE - 2}v{SIDE - 2}h{2 - SIDE}z"
            for y, row in enumerate(self.wrong)
            for x, is_wrong in enumerate(row)
            if is_wrong == wrong
        )


def picture(value: str, where: dict[str, Any]) -> Picture:
    """Return where a value is wrong, as a picture and in words."""
    wrong = [[mark == "1" for mark in row] for row in where["wrong"]]
    names = where.get("names") or [str(n) for n in range(len(wrong))]
    alike: dict[tuple[bool, ...], list[str]] = {}
    for name, row in zip(names, wrong, strict=True):
        alike.setdefault(tuple(row), []).append(name)
    alike.pop((False,) * len(wrong[0]), None)
    parts = []
    for marks, rows in alike.items():
        columns = [str(n) for n, is_wrong in enumerate(marks) if is_wrong]
        at = several(where["column"], columns, len(marks))
        fields = {"rows": several(where["row"], rows, len(names)), "columns": at}
        parts.append(Finding("{rows} at {columns}", fields))
    text = Finding("Wrong: {places}.", {"places": reduce(both, parts)})
    return Picture(value, text, wrong, TITLES[where["row"]], TITLES[where["column"]], names)


def both(one: Finding, other: Finding) -> Finding:
    """Say the one and the other."""
    return Finding("{one}; {other}", {"one": one, "other": other})


def several(kind: str, names: list[str], count: int) -> Finding:
    """Return "unit 3", "units 0 to 4, 6", or "every unit" of so many."""
    every, one, more = KINDS[kind]
    if len(names) == count:
        return every
    return (one if len(names) == 1 else more)._replace(fields={"names": ranges(names)})


def ranges(names: list[str]) -> list[str | Finding]:
    """Name numbers that follow one another by the first and the last."""
    if not all(name.isdigit() for name in names):
        return list(names)
    runs: list[str | Finding] = []
    for _, run in groupby(enumerate(map(int, names)), key=lambda pair: pair[1] - pair[0]):
        numbers = [number for _, number in run]
        ends = {"first": numbers[0], "last": numbers[-1]}
        runs.append(str(numbers[0]) if len(numbers) == 1 else Finding("{first} to {last}", ends))
    return runs
