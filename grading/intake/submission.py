"""What came in: a submission, sorted out before anything runs and before nbgrader sees it."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import re
import stat
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell
from nbgrader.preprocessors import ClearHiddenTests, ClearSolutions
from nbgrader.utils import parse_utc

from grading.intake.downloads import printable
from grading.source.assignment import grade_id, is_solution

MAX_BYTES = 20_000_000  # of a notebook
MAX_PARTS = 500_000  # lists and objects in its JSON
MAX_CELLS = 1000
MAX_TEXT = 1_000_000  # characters of a cell
MAX_FILES = 10_000  # looked at in a submission
MAX_DEPTH = 3  # of folders in it
MAX_NOTEBOOKS = 10  # read, to find the right one
MAX_NOTE = 300  # characters


class Unreadable(Exception):
    """Why nothing can be made of a file; the end of a sentence that begins with its name."""


@dataclass
class Intake:
    """
    A submission, sorted out.

    Attributes
    ----------
    notebook : NotebookNode or None
        The source notebook with the student's solutions and own cells in it.
    status : str
        "ok", "repaired", "unreadable" or "missing"; the last two have no notebook.
    notes : list of str
        One line each, for the instructor: what was found, what was done.
    timestamp : datetime or None
        When it was handed in, in UTC, if that is known.
    """

    notebook: NotebookNode | None
    status: str
    notes: list[str]
    timestamp: datetime | None = None


def take_in(folder: Path, frame: Frame, name: str, shipped: Collection[str] = ()) -> Intake:
    """
    Make of a submission a notebook that can be graded.

    Nothing in the folder can make this raise. Ids, points, order, locked cells, metadata
    and kernel are those of the source; of the submission, only the text of cells is kept.

    Parameters
    ----------
    folder : Path
        Of one student's submission.
    frame : Frame
        The instructor's notebook.
    name : str
        The name of the notebook, without `.ipynb`.
    shipped : collection of str
        Files that students receive with it, which need no note.
    """
    files, other = look_into(folder)
    notes, timestamp = read_timestamp(folder) if "timestamp.txt" in files else ([], None)
    notes += describe(files, other, {*shipped, "timestamp.txt"})
    right = f"{name}.ipynb"
    paths = sorted(filter(is_notebook, files), key=lambda path: (path != right, path))
    merges: dict[str, Merge] = {}
    broken = []
    for path in paths[:MAX_NOTEBOOKS]:
        try:
            merge = Merge(frame, *read_cells(read_file(folder / path)))
            if not merge.known:
                raise Unreadable(f"holds no function of {name}: another assignment?")
            merges[path] = merge
        except Unreadable as error:
            broken.append(f"{path} {error}")
    if not merges:
        status = "unreadable" if broken or other else "missing"
        return Intake(None, status, tidy((broken or ["there is no notebook"]) + notes), timestamp)
    # one that was worked on, of the right name if there is such a one, the fullest
    path = max(merges, key=lambda p: (bool(merges[p].answers), p == right, len(merges[p].answers)))
    repairs = [f"not {right} but {path} was read"] if path != right else []
    if len(merges) > 1:
        repairs.append(f"there is also {listed(other for other in merges if other != path)}")
    repairs += merges[path].notes + broken
    status = "repaired" if repairs else "ok"
    return Intake(merges[path].build(), status, tidy(repairs + notes), timestamp)


def unanswered(frame: Frame) -> NotebookNode:
    """Return the notebook in which nothing is written: what stands for a missing one."""
    return Merge(frame, [], []).build()


# Files


def look_into(folder: Path) -> tuple[list[str], list[str]]:
    """Return the plain files of a folder, and its links, pipes and the like; follow none."""
    files: list[str] = []
    other: list[str] = []
    with contextlib.suppress(OSError):  # what may not be looked at is not there
        if not stat.S_ISDIR(os.lstat(folder).st_mode):
            return [], [folder.name]
        for place, folders, names, descriptor in os.fwalk(folder):
            inside = Path(place).relative_to(folder)
            entries = sorted([*folders, *names], key=lambda n: (not is_notebook(n), n))
            folders.clear()
            for entry in entries:
                if len(files) + len(other) == MAX_FILES:
                    return files, other
                if entry.startswith((".", "__")):  # checkpoints, caches, what macOS adds
                    continue
                mode = os.stat(entry, dir_fd=descriptor, follow_symlinks=False).st_mode
                if stat.S_ISDIR(mode) and not is_notebook(entry):
                    folders += [entry] if len(inside.parts) < MAX_DEPTH else []
                else:
                    (files if stat.S_ISREG(mode) else other).append(str(inside / entry))
    return files, other


def is_notebook(path: str) -> bool:
    """Tell whether a file claims to be a notebook; browsers save some as `.ipynb.txt`."""
    return ".ipynb" in os.path.basename(path).lower()


def read_file(path: Path, limit: int = MAX_BYTES) -> bytes:
    """Read a plain file that is not too large, and nothing else."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Unreadable("is no plain file")
            raw = file.read(limit + 1)
    except OSError as error:
        raise Unreadable(f"cannot be opened: {error.strerror}") from None
    if len(raw) > limit:
        raise Unreadable(f"is larger than {limit / 1e6:g} MB")
    return raw


def read_timestamp(folder: Path) -> tuple[list[str], datetime | None]:
    """Read when the submission was handed in, from the file that nbgrader keeps."""
    try:
        return [], parse_utc(read_file(folder / "timestamp.txt", 100).decode().strip())
    except Exception:  # dateutil raises whatever comes
        return ["timestamp.txt holds no date: not counted as late"], None


def describe(files: list[str], other: list[str], shipped: Collection[str]) -> list[str]:
    """Say which files are not used."""
    notes = []
    unused = [path for path in files if not is_notebook(path) and path not in shipped]
    if unused:
        notes.append(f"files of the student's own, not used: {listed(unused)}")
    if other:
        notes.append(f"links, folders, pipes or devices, not followed: {listed(other)}")
    if len(files) + len(other) >= MAX_FILES:
        notes.append(f"more than {MAX_FILES} files: the others were not looked at")
    if sum(map(is_notebook, files)) > MAX_NOTEBOOKS:
        notes.append(f"more than {MAX_NOTEBOOKS} notebooks: the others were not looked at")
    return notes


def listed(names: Iterable[str], most: int = 5) -> str:
    """Name the first few, and count the others."""
    names = list(names)
    more = [f"{len(names) - most} more"] if len(names) > most else []
    return ", ".join([n[:60] for n in names[:most]] + more)


def tidy(notes: list[str]) -> list[str]:
    """Make notes safe to show: one line each, not too long, and nothing but text."""
    return [printable(note[:MAX_NOTE]) for note in notes]


# Cells


@dataclass
class Cell:
    """What counts of a submitted cell; `place` is that of the known cell before it."""

    kind: str
    text: str
    id: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    place: int = -1

    @property
    def grade_id(self) -> str:
        """Its nbgrader id, "" where it has none."""
        return text_of(self.settings.get("grade_id"))

    def defines(self, function: str) -> bool:
        """Tell whether the text defines the function, not inside of another."""
        pattern = rf"^def[ \t]+{re.escape(function)}[ \t]*\("
        return bool(function and re.search(pattern, self.text, re.MULTILINE))


def read_cells(raw: bytes) -> tuple[list[Cell], list[str]]:
    """
    Read the cells of a notebook of any version, and note what is odd about the file.

    Of a cell, type, text, id and nbgrader's settings are looked at, nothing else; so
    whatever else a file holds or lacks cannot hurt.
    """
    text, notes = decode(raw)
    if text.count("{") + text.count("[") > MAX_PARTS:
        raise Unreadable("holds far more than a notebook")
    try:
        # a number may have any length; none is needed
        data = json.loads(text, strict=False, parse_int=lambda digits: int(digits[:18]))
    except RecursionError:
        raise Unreadable("is nested too deeply") from None
    except ValueError as error:
        place = f" from line {error.lineno} on" if hasattr(error, "lineno") else ""
        raise Unreadable(f"is no notebook{place}: damaged, or not saved by Jupyter") from None
    data = data if isinstance(data, dict) else {}
    if data.get("nbformat") != 4:
        notes.append("not of notebook format 4: read all the same")
    sheets = [data, *list_of(data.get("worksheets"))]  # format 3 has worksheets
    found = [c for s in sheets if isinstance(s, dict) for c in list_of(s.get("cells"))]
    if not found:
        raise Unreadable("has no cells")
    if len(found) > MAX_CELLS:
        notes.append(f"{len(found)} cells: the first {MAX_CELLS} were read")
    cells = [read_cell(cell) for cell in found[:MAX_CELLS] if isinstance(cell, dict)]
    short = [cell for cell in cells if len(cell.text) <= MAX_TEXT]
    if len(short) < len(cells):
        notes.append(f"cells of more than {MAX_TEXT} characters were left out")
    return short, notes


def decode(raw: bytes) -> tuple[str, list[str]]:
    """Decode JSON in any Unicode encoding."""
    if not raw.strip():
        raise Unreadable("is empty")
    encoding = json.detect_encoding(raw)
    notes = [] if encoding == "utf-8" else [f"saved as {encoding}: read all the same"]
    try:
        return raw.decode(encoding), notes
    except UnicodeDecodeError:
        return raw.decode(encoding, "replace"), [*notes, "some letters could not be read"]


def read_cell(raw: dict) -> Cell:
    """Read one cell, whatever state it is in."""
    metadata = raw.get("metadata")
    settings = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    text = text_of(raw.get("source", raw.get("input")))  # format 3 says input
    text = text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
    text = text.encode(errors="replace").decode()
    kind = "code" if raw.get("cell_type") == "code" else "markdown"
    return Cell(kind, text, text_of(raw.get("id")), settings if isinstance(settings, dict) else {})


def text_of(value: Any) -> str:
    """Return a text that may be a list of lines, or something else altogether."""
    return "".join(v for v in list_of(value) or [value] if isinstance(v, str))


def list_of(value: Any) -> list:
    """Return a list, empty where it is none."""
    return value if isinstance(value, list) else []


# The notebook made of them


class Frame:
    """
    The source notebook, into which submissions are sorted.

    Attributes
    ----------
    source : NotebookNode
    released : list of str
        The text of each cell as students receive it.
    solutions : dict
        The names of the solution cells, by place.
    """

    def __init__(self, source: NotebookNode) -> None:
        self.source = source
        student = ClearSolutions().preprocess(copy.deepcopy(source), {})[0]
        student = ClearHiddenTests().preprocess(student, {})[0]
        self.released = [plain(cell.source) for cell in student.cells]
        self.solutions = {p: grade_id(c) for p, c in enumerate(source.cells) if is_solution(c)}
        self._tests = [p for p, c in enumerate(source.cells) if settings_of(c).get("grade")]
        self._places: dict[tuple[str, str], int] = {}
        for place, cell in enumerate(source.cells):
            if self.released.count(self.released[place]) == 1:
                self._places["text", self.released[place]] = place
            self._places["id", cell.id] = self._places["grade_id", grade_id(cell)] = place
        self._places.pop(("grade_id", ""), None)

    def find(self, cell: Cell) -> int | None:
        """Return the place of the known cell that a student's cell is, if it is one."""
        keys = [("grade_id", cell.grade_id), ("id", cell.id), ("text", plain(cell.text))]
        place = next((self._places[key] for key in keys if key in self._places), None)
        name = self.solutions.get(place, "")
        if name and cell.kind != self.source.cells[place].cell_type and not cell.defines(name):
            return None  # a remark in place of an answer
        return place

    def is_untouched(self, cell: Cell, place: int | None) -> bool:
        """Tell whether a cell says what students received, or nothing."""
        return plain(cell.text) in ("", "" if place is None else self.released[place])

    def test_of(self, place: int) -> int:
        """Return the place of the test that follows a solution cell."""
        return next((test for test in self._tests if test > place), len(self.source.cells))


class Merge:
    """
    The cells of one submission, sorted into the frame.

    Attributes
    ----------
    found : dict
        The student's cell for each known one, by place.
    own : list of Cell
        The student's own cells.
    answers : dict
        What the student wrote for each solution cell, by place.
    notes : list of str
    """

    def __init__(self, frame: Frame, cells: list[Cell], notes: list[str]) -> None:
        self.frame = frame
        self.found: dict[int, Cell] = {}
        self.own: list[Cell] = []
        self.answers: dict[int, str] = {}
        self._repairs: dict[str, list[str]] = {}
        self._sort_in(cells)
        self._find_answers()
        repairs = [f"{what}: {listed(names)}" for what, names in self._repairs.items()]
        self.notes = notes + repairs

    def _note(self, what: str, place: int) -> None:
        cell = self.frame.source.cells[place]
        self._repairs.setdefault(what, []).append(grade_id(cell) or cell.id)

    def _sort_in(self, cells: list[Cell]) -> None:
        """Tell known cells from the student's own; these stay below the known cell above."""
        at, above = -1, []
        for cell in cells:
            place = self.frame.find(cell)
            if place is None or place in self.found:
                self._add_own(cell, at, place)
                above.append(cell)
                continue
            if place in self.frame.solutions and place < at:
                # a solution that goes back up takes along what stands right above it
                for own in above:
                    own.place = place - 1
            self.found[place] = cell
            cell.place, at, above = place, place, []
            self._compare(cell, place)

    def _add_own(self, cell: Cell, at: int, copy_of: int | None) -> None:
        """Add a cell of the student's own, or the copy of a known one."""
        if copy_of in self.frame.solutions:
            self._note("copied cells, run as the student's own", copy_of)
        if self.frame.is_untouched(cell, copy_of):
            return
        # what redefines a function must run after it
        first = [p for p in self.found if cell.defines(self.frame.solutions.get(p, ""))]
        cell.place = max([at, *first])
        self.own.append(cell)

    def _compare(self, cell: Cell, place: int) -> None:
        """Note what was changed in a known cell that is not the student's to change."""
        ours = self.frame.source.cells[place]
        settings = {k: v for k, v in settings_of(ours).items() if k != "checksum"}
        if any(cell.settings.get(key) != value for key, value in settings.items()):
            self._note("nbgrader's settings lost or changed, put right", place)
        if place in self.frame.solutions:
            if cell.kind != ours.cell_type:
                self._note("no longer of its type, read as if it were", place)
        elif ours.cell_type == cell.kind == "code" and not self.frame.is_untouched(cell, place):
            self._note("changed in locked cells, where the course's own text counts", place)
            self.own.append(Cell("code", cell.text, place=place))

    def _find_answers(self) -> None:
        """Choose the text of each solution cell; what is not there may stand elsewhere."""
        used = []
        for place, name in self.frame.solutions.items():
            cell = self.found.get(place)
            if cell and not self.frame.is_untouched(cell, place):
                self.answers[place] = cell.text
                continue
            others = [
                other
                for other in sorted([*self.found.values(), *self.own], key=lambda c: c.place)
                if other.kind == "code"
                and other.defines(name)
                and not self.frame.is_untouched(other, place)
            ]
            if others:
                # what the test would have met, or else what was written last
                test = self.frame.test_of(place)
                best = others[0] if others[0].place < test else others[-1]
                self.answers[place] = best.text
                used.append(best)
                for other in others:
                    other.place = max(other.place, place)  # what comes later stays later
                self._note("not in its own cell, taken from where it is defined", place)
            elif cell is None:
                self._note("deleted, counted as not written", place)
        self.own = [cell for cell in self.own if not any(cell is other for other in used)]

    @property
    def known(self) -> int:
        """The number of solution cells that are there in some form."""
        return len(self.answers.keys() | (self.found.keys() & self.frame.solutions.keys()))

    def build(self) -> NotebookNode:
        """Return the source notebook with the student's text in it."""
        notebook = copy.deepcopy(self.frame.source)
        for place, cell in enumerate(notebook.cells):
            if place in self.frame.solutions:
                cell.source = self.answers.get(place, self.frame.released[place])
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        new = {"code": new_code_cell, "markdown": new_markdown_cell}
        own = [
            (cell.place, new[cell.kind](cell.text, id=f"student-{number}"))
            for number, cell in enumerate(self.own, start=1)
        ]
        cells = sorted([*enumerate(notebook.cells), *own], key=lambda cell: cell[0])
        notebook.cells = [cell for _, cell in cells]
        return notebook


def settings_of(cell: NotebookNode) -> dict[str, Any]:
    """Return what nbgrader keeps in a cell of the source."""
    return cell.metadata.get("nbgrader", {})


def plain(text: str) -> str:
    """Return a text without the white space that editors change."""
    return "\n".join(line.rstrip() for line in text.strip().split("\n"))
