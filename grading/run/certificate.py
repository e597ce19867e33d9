"""The certificate of a marked submission: all that a later run needs to explain its points."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import os
import platform
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from grading import CourseError
from grading.intake.submission import is_notebook, look_into
from grading.source.assignment import Solution, load_solution, source_folder

FOLDER = "certificates"  # in reports/<assignment>/
BEFORE = "certificates.before"  # as they were before the last run
PACKAGES = ("numpy", "matplotlib", "ipython", "nbgrader")


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
    score, max_score, late_penalty : float
        As in the grade book when it was marked.
    functions : list of dict
        One for each function: `function`, `points` (a person's, where a person gave some),
        `auto_points`, `max_points`, `mistake` (its name, or ""), `sentence`, `rule`, `note`
        (what is wrong, in one sentence), and `checks`, a list of `kind`, `points`, `wrong`.
    submission : str
        Hash of what was handed in.
    submitted : str
        When, in UTC; "" where that is not known.
    source : dict
        Hashes of the assignment: `all`; `tests`, one for each function; `late`, of the rules
        for late work and the due date.
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
    """

    student_id: str
    assignment: str
    status: str
    notes: list[str]
    score: float
    max_score: float
    late_penalty: float = 0.0
    functions: list[dict[str, Any]] = field(default_factory=list)
    submission: str = ""
    submitted: str = ""
    source: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    isolation: str = ""
    problems: list[str] = field(default_factory=list)
    timed_out: bool = False
    rooms: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_mb: float = 0.0

    @property
    def auto(self) -> dict[str, float]:
        """The points that the tests gave, by the name of the cell."""
        return {f"test_{each['function']}": each["auto_points"] for each in self.functions}

    @property
    def note(self) -> str:
        """What is wrong, in one line: the mistakes by name, or the first check that fails."""
        notes: dict[str, list[str]] = {}
        if self.status in ("graded", "repaired"):
            for each in self.functions:
                if each["note"]:
                    notes.setdefault(each["mistake"] or each["note"], []).append(each["function"])
        whole = len(self.functions)
        wrong = [n if len(f) == whole else f"{', '.join(f)}: {n}" for n, f in notes.items()]
        return "; ".join([*self.notes, *wrong])

    def write(self, folder: Path) -> None:
        """Write it, whole or not at all."""
        text = json.dumps(asdict(self), indent=1, ensure_ascii=False)
        write_whole(folder / file_name(self.student_id), text.encode())


def read_certificate(path: Path) -> Certificate:
    """
    Read a certificate.

    Raises
    ------
    CourseError
        Where the file is none.
    """
    try:
        return Certificate(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise CourseError(f"{path} is no certificate: {error}") from None


def read_certificates(folder: Path) -> Iterator[Certificate]:
    """Yield the certificates in a folder, in the order of the students."""
    for path in sorted(folder.glob("*.json")):
        yield read_certificate(path)


def file_name(student: str) -> str:
    """Return the name of a student's certificate."""
    return f"{quote(student, safe=' @')}.json"


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that nobody ever meets half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data)
    os.replace(part, path)


# ------------------------------------------------------------------ hashes


def digest(parts: Iterable[str | bytes]) -> str:
    """Return the SHA-256 of several texts."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "big") + data)
    return total.hexdigest()


def submission_hash(folder: Path) -> str:
    """Return the hash of what counts in a submission: its notebooks, and when it was handed in."""
    parts: list[str | bytes] = []
    files, other = look_into(folder)
    for name in sorted(files):
        parts.append(name)
        if is_notebook(name) or name == "timestamp.txt":
            with open(folder / name, "rb") as file:
                parts.append(hashlib.file_digest(file, "sha256").digest())
    return digest([*parts, *other])


def source_hashes(assignment: str) -> dict[str, Any]:
    """Return the hashes of an assignment's source: of all of it, and of each function's test."""
    folder = source_folder(assignment)
    shipped = [path.read_bytes() for path in sorted(folder.glob("*.py"))]
    solution = load_solution(assignment)
    table = (folder / "mistakes.yaml").read_bytes() if (folder / "mistakes.yaml").exists() else b""
    return {
        "all": digest([*shipped, table, json.dumps(solution.cells)]),
        "tests": {
            name.removeprefix("test_"): test_hash(solution, name, shipped)
            for name in solution.tests
        },
    }


def test_hash(solution: Solution, name: str, shipped: list[bytes]) -> str:
    """Return the hash of all that the points of one test depend on."""
    names = list(solution.cells)
    before = {n: solution.cells[n] for n in names[: names.index(name)] if not n.startswith("test_")}
    return digest([*shipped, json.dumps(before), solution.cells[name]])


@functools.cache
def environment() -> dict[str, str]:
    """Return what the marks were made with."""
    here = Path(__file__).parents[1]
    code = [path.read_bytes() for path in sorted(here.rglob("*.py"))]
    return {
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        **{name: importlib.metadata.version(name) for name in PACKAGES},
        "grading": digest(code),
    }
