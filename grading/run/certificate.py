"""The certificate of a marked submission: all that a later run needs to explain its points."""

from __future__ import annotations

import functools
import importlib.metadata
import json
import os
import platform
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from grading import CourseError
from grading.marking.result import (
    TestResult,
    as_plain,
    from_plain,
)
from grading.run.files import write_whole
from grading.run.typed_json import fits
from grading.source import digest
from grading.source.cells import function_tested, tests_name

SCHEMA = 2
FOLDER = "certificates"  # in reports/<assignment>/
BEFORE = "certificates.before"  # as they were before the last run
LEVELS = 5  # of a certificate that have lines of their own: to each check
REPORTED = ("numpy", "matplotlib", "ipython", "nbgrader")


@dataclass
class CellMark:
    """
    What one graded cell earned.

    Attributes
    ----------
    notebook, cell : str
        Which: the names of its notebook and its own.
    points, max_points : float
        A person's points, where a person gave some.
    auto_points : float or None
        Those that the tests gave; None where a person marks.
    result : TestResult or None
        What the test found; None where a person marks.
    """

    notebook: str
    cell: str
    points: float
    max_points: float
    auto_points: float | None = None
    result: TestResult | None = None

    @property
    def function(self) -> str:
        """What is marked: a function's name, as a rule."""
        return function_tested(self.cell)


@dataclass
class Certificate:
    """
    How one submission was marked.

    Attributes
    ----------
    student_id, assignment : str
    status : str
        "graded"; "repaired", "unreadable" or "missing", as intake found it; "not graded"
        where something failed on our side.
    notes : list of str
        What intake or the run found, one line each.
    told : list of str
        What the student is told of that, in the language of the notebook that came in.
    score, max_score, late_penalty : float
        As in the grade book when it was marked.
    cells : list of CellMark
        Of each graded cell, in the order of the notebook.
    submission : str
        Hash of what was handed in.
    submitted : str
        When, in UTC; "" where that is not known.
    source : dict
        Hashes of the assignment: `all`; `tests`, one for each test by notebook and cell;
        `late`, of the rules for late work and the due date.
    hidden_data : str
        Which set of hidden data it was tested on; "" where there is one set alone.
    language : str
        Of the notebook that came in.
    environment : dict
        Versions of Python and packages, and the hash of the grading package.
    isolation : str
        What kept the student's code apart, in plain words.
    problems : list of str
        What was lost in the room: time, memory, processes.
    timed_out : bool
    rooms : int
        How many rooms it took.
    seconds, cpu_seconds, peak_mb : float
        Wall time of the marking; processor time and memory of the student's own code.
    schema : int
        The form of the certificate.
    """

    student_id: str
    assignment: str
    status: str
    notes: list[str]
    told: list[str] = field(default_factory=list)
    score: float = 0.0
    max_score: float = 0.0
    late_penalty: float = 0.0
    cells: list[CellMark] = field(default_factory=list)
    submission: str = ""
    submitted: str = ""
    source: dict[str, Any] = field(default_factory=dict)
    hidden_data: str = ""
    language: str = "en"
    environment: dict[str, str] = field(default_factory=dict)
    isolation: str = ""
    problems: list[str] = field(default_factory=list)
    timed_out: bool = False
    rooms: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_mb: float = 0.0
    schema: int = SCHEMA

    @property
    def note(self) -> str:
        """What is wrong, in one line: the mistakes by name, or the first check that fails."""
        notes: dict[str, list[str]] = {}
        if self.status in ("graded", "repaired"):
            for mark in self.cells:
                if mark.result and mark.result.note:
                    name = mark.result.mistake or mark.result.note
                    notes.setdefault(name, []).append(mark.function)
        whole = len(self.cells)
        wrong = [n if len(f) == whole else f"{', '.join(f)}: {n}" for n, f in notes.items()]
        return "; ".join([*self.notes, *wrong])

    def text(self) -> bytes:
        """Return what its file holds."""
        data = vars(self) | {"cells": [vars(mark) | plain_result(mark) for mark in self.cells]}
        return in_lines(data, LEVELS).encode()

    def write(self, folder: Path) -> None:
        """Write it, whole or not at all."""
        write_whole(folder / file_name(self.student_id), self.text())


in_one_line = json.JSONEncoder(ensure_ascii=False).encode  # Python's own indents slowly


def in_lines(value: Any, levels: int, indent: str = "\n") -> str:
    """Return a value as JSON, the entries of its upper levels on lines of their own."""
    if not levels or not value or not isinstance(value, dict | list):
        return in_one_line(value)
    within = indent + " "
    if isinstance(value, list):
        rows = [in_lines(each, levels - 1, within) for each in value]
        return f"[{within}{(',' + within).join(rows)}{indent}]"
    rows = [
        f"{in_one_line(key)}: {in_lines(each, levels - 1, within)}" for key, each in value.items()
    ]
    return f"{{{within}{(',' + within).join(rows)}{indent}}}"


def plain_result(mark: CellMark) -> dict[str, Any]:
    """Return the result of a cell as JSON can hold it."""
    return {"result": mark.result and as_plain(mark.result)}


def read_certificate(path: Path) -> Certificate:
    """
    Read a certificate; of one of an earlier form, what `diff` compares.

    Raises
    ------
    CourseError
        Where the file is none.
    """
    try:
        if not path.is_file():  # a pipe in its place is not waited for
            raise ValueError("no plain file")
        data = json.loads(path.read_bytes())
        if "functions" in data:
            data = from_schema_1(data)
        marks = [
            CellMark(**{**mark, "result": mark["result"] and from_plain(mark["result"])})
            for mark in data["cells"]
        ]
        found = Certificate(**{**data, "cells": marks})
        if not fits(Certificate)(found) or file_name(found.student_id) != path.name:
            raise ValueError("not as it was written")
        return found
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        said = f"{type(error).__name__}: {error}"
        raise CourseError(f"{path} is no certificate ({said})") from None


def from_schema_1(data: dict[str, Any]) -> dict[str, Any]:
    """Return a certificate of version 0.1 in the form of today: its sentences are finished."""
    marks = []
    for each in data.pop("functions"):
        checks = [
            {
                **{"earned": 0.0 if check["wrong"] else check["points"], "where": {}},
                **check,
                "wrong": said(check["wrong"]),
            }
            for check in each["checks"]
        ]
        stopped = None if checks else said(each["note"])
        result = {
            **{key: each[key] for key in ("function", "max_points", "mistake", "sentence")},
            "points": each["auto_points"] or 0.0,
            "checks": checks,
            "rule": said(each["rule"]),
            "stopped": stopped,
        }
        marks.append(
            {
                "notebook": data["assignment"],
                "cell": tests_name(each["function"]),
                **{key: each[key] for key in ("points", "auto_points", "max_points")},
                "result": result,
            }
        )
    tests = data["source"].get("tests", {})
    source = data["source"] | {
        "tests": {data["assignment"]: {tests_name(n): each for n, each in tests.items()}}
    }
    return {**data, "source": source, "cells": marks, "schema": 1}


def said(sentence: str) -> dict[str, Any] | None:
    """Return a finished sentence as a finding that has no gaps."""
    return {"message": "{said}", "fields": {"said": sentence}} if sentence else None


def read_certificates(folder: Path, known: Container[str] = ()) -> Iterator[Certificate]:
    """
    Yield the certificates in a folder that can be read, in the order of the students.

    Those whose files are `known` are left out.
    """
    for path in sorted(path for path in folder.glob("*.json") if path.name not in known):
        try:
            yield read_certificate(path)
        except CourseError:  # its student is marked anew by the next run
            continue


def find_certificate(reports: Path, student: str) -> Certificate | None:
    """
    Return a student's certificate, None where there is none.

    Raises
    ------
    CourseError
        Where it cannot be read.
    """
    path = reports / FOLDER / file_name(student)
    return read_certificate(path) if path.exists() else None


def file_name(student: str) -> str:
    """Return the name of a student's certificate."""
    return f"{quote(os.fsencode(student), safe=' @')}.json"


@functools.cache
def environment() -> dict[str, str]:
    """Return what the marks were made with."""
    package = Path(__file__).parents[1]
    code = [path.read_bytes() for path in sorted(package.rglob("*.py"))]
    return {
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        **{name: importlib.metadata.version(name) for name in REPORTED},
        "grading": digest(code),
    }
