"""One submission: a student's folder goes in, marks, marked notebook and page come out."""

from __future__ import annotations

import json
import math
import pickle
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_markdown_cell
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    NbGraderPreprocessor,
    SaveAutoGrades,
)
from nbgrader.preprocessors import Execute as StockExecute
from traitlets.config import Config

from grading import CourseError
from grading.book import Entry
from grading.feedback import Pages
from grading.intake.folder import HandedIn, read_folder
from grading.intake.submission import Frame, Intake, take_in
from grading.marking.hidden_data import choose, sets_of
from grading.marking.naming import Outcomes
from grading.marking.notebook import mark_notebook
from grading.marking.result import TestResult
from grading.marking.sanitize import clean_markdown
from grading.marking.solution import mark_solution
from grading.rooms import IsolationUnavailable, Limits, Nursery
from grading.run.apart import work_apart
from grading.run.bounds import Failure, bounded_time
from grading.run.certificate import environment
from grading.source import Source, cells

IN_PLACE = (StockExecute, SaveAutoGrades, AssignLatePenalties, CheckCellMetadata)


@dataclass(frozen=True)
class Read:
    """To read what a student handed in."""

    student: str
    folder: Path

    def work(self, marker: Marker) -> HandedIn:
        """Return what lies in the folder."""
        with bounded_time(0):
            return read_folder(self.folder, marker.source.assignment)


@dataclass(frozen=True)
class Hash(Read):
    """To hash it; `marked` is where the marked notebook lies."""

    marked: Path

    def work(self, marker: Marker) -> str:
        """Return the hash of the folder; "" where there is no whole marked notebook."""
        return super().work(marker).hash if is_whole(self.marked) else ""


def is_whole(notebook: Path) -> bool:
    """Tell whether a marked notebook is there, and not damaged."""
    try:
        return notebook.is_file() and isinstance(json.loads(notebook.read_bytes()), dict)
    except (OSError, ValueError, RecursionError):
        return False


@dataclass(frozen=True)
class Mark:
    """
    To mark a submission.

    Attributes
    ----------
    student : str
    handed : Path, HandedIn or Exception
        What was handed in, or where it lies, or why it could not be read.
    most_seconds : float
        Time that its code may take in all, if that is less than the limits allow.
    number : int or None
        Of the set of hidden data; None for that which its own code chooses.
    """

    student: str
    handed: Path | HandedIn | Exception
    most_seconds: float = math.inf
    number: int | None = None

    def work(self, marker: Marker) -> Marked:
        """Return what came of it."""
        handed = self.handed
        if isinstance(handed, Exception):
            raise handed
        if not isinstance(handed, HandedIn):
            handed = Read(self.student, handed).work(marker)
        with bounded_time(sum(map(len, handed.read.values()))):
            return marker.mark(self.student, handed, self.most_seconds, self.number)


@dataclass(frozen=True)
class MakePage:
    """
    To make the page of feedback.

    Attributes
    ----------
    student : str
    marked : Marked
    entry : Entry
        What the grade book holds by now.
    """

    student: str
    marked: Marked
    entry: Entry

    def work(self, marker: Marker) -> str:
        """Return the page."""
        with bounded_time(len(self.marked.notebook)):
            notebook = from_dict(json.loads(self.marked.notebook))
            return marker.pages.page(notebook, self.entry)


Job = Read | Mark | MakePage


@dataclass
class Marked:
    """
    A marked submission; from `hidden_data` on as in `Certificate`.

    Attributes
    ----------
    submission : str
        Hash of what was handed in.
    status, notes, timestamp
        As in `Intake`.
    unanswered : list of str
        The names of the cells that are as they were released.
    notebook : str
        JSON of the notebook with all outputs.
    results : dict
        The result of each test, by the name of its cell.
    """

    submission: str
    status: str
    notes: list[str]
    timestamp: datetime | None
    unanswered: list[str]
    notebook: str
    results: dict[str, TestResult]
    hidden_data: str
    isolation: str
    problems: list[str]
    timed_out: bool
    rooms: int
    seconds: float
    cpu_seconds: float
    peak_mb: float
    environment: dict[str, str] = field(default_factory=environment)


@dataclass(frozen=True)
class Settings:
    """
    What a worker has to know of the course; all of it can be sent to another machine.

    Attributes
    ----------
    source : bytes
        The assignment, packed.
    checksums : tuple of pairs
        The name of each cell, and under which checksum it was published.
    shipped : tuple of str
        The files that students receive beside the notebook.
    steps : bytes
        nbgrader's configuration and the preprocessors that are the course's own, pickled.
    limits : Limits
    unprotected : bool
        Whether student code may run without a sandbox.
    hidden : str
        The course folder, which no room may see.
    secret : bytes
        From which the hidden data is drawn.
    """

    source: bytes
    checksums: tuple[tuple[str, str], ...]
    shipped: tuple[str, ...]
    steps: bytes
    limits: Limits
    unprotected: bool
    hidden: str
    secret: bytes


def pack_steps(config: Config, kinds: list[type]) -> bytes:
    """Return nbgrader's configuration, and those of its steps that are run as they are."""
    own = [kind for kind in kinds if not issubclass(kind, IN_PLACE)]
    return pickle.dumps((config, own))


class Marker:
    """
    Marks submissions of one assignment.

    Parameters
    ----------
    settings : Settings
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.source = Source.unpacked(settings.source)
        checksums = dict(settings.checksums)
        for cell in self.source.notebook.cells:
            if cells.grade_id(cell):
                cells.set_checksum(cell, checksums[cells.grade_id(cell)])
        self.frame = Frame(self.source.notebook)
        self.outcomes = [Outcomes(self.source, data) for data in sets_of(settings.secret)]
        mark_solution(self.outcomes[0])
        config, kinds = pickle.loads(settings.steps)
        self.timezone = str(config.get("Exchange", {}).get("timezone", ""))
        self.steps: list[NbGraderPreprocessor] = [kind(config=config) for kind in kinds]
        self.rooms = new_nursery(settings)
        self.pages = Pages(self.source)

    def mark(
        self, student: str, handed: HandedIn, most_seconds: float, number: int | None = None
    ) -> Marked:
        """Run a submission, and mark it: on its own set of hidden data, or on that asked for."""
        begin = time.monotonic()
        name = self.source.assignment
        intake = take_in(handed, self.frame, name, self.settings.shipped, self.timezone)
        notebook = intake.notebook
        announce(intake)
        outcomes = self.outcomes[self.set_of(intake) if number is None else number]
        marked = mark_notebook(notebook, outcomes, self.rooms, most_seconds)
        names = {"assignment": name, "student": student, "notebook": name}
        resources: dict[str, Any] = {"nbgrader": names}
        for step in self.steps:
            notebook, resources = step(notebook, resources)
        return Marked(
            submission=handed.hash,
            status=intake.status,
            notes=intake.notes,
            timestamp=intake.timestamp,
            unanswered=[n for n in self.frame.solutions.values() if n not in intake.answered],
            notebook=json.dumps(notebook, ensure_ascii=False),
            results=marked.results,
            hidden_data=str(outcomes.data),
            isolation=self.rooms.isolation,
            problems=marked.run.problems,
            timed_out=marked.run.timed_out,
            rooms=marked.run.rooms,
            seconds=time.monotonic() - begin,
            cpu_seconds=marked.run.cpu_seconds,
            peak_mb=marked.run.peak_mb,
        )

    def set_of(self, intake: Intake) -> int:
        """Return on which set of hidden data a submission is tested."""
        answers = [c.source for c in intake.notebook.cells if cells.is_answer(c)]
        return choose(self.settings.secret, answers)

    def close(self) -> None:
        """Let the rooms go."""
        self.rooms.close()


def announce(intake: Intake) -> None:
    """Write into a notebook what intake has to say: it is seen in formgrader and feedback."""
    notebook: NotebookNode = intake.notebook
    notebook.metadata["intake"] = {"status": intake.status, "notes": intake.notes}
    if intake.status in ("unreadable", "missing"):
        lines = "\n".join(f"- {clean_markdown(note)}" for note in intake.notes)
        text = f"**Nothing could be graded.**\n\n{lines}"
        notebook.cells.insert(0, new_markdown_cell(text, id="intake"))


def new_nursery(settings: Settings) -> Nursery:
    """Return a source of rooms; where no sandbox can be had, a line says what to do."""
    try:
        return Nursery(settings.limits, hidden=[settings.hidden], unprotected=settings.unprotected)
    except IsolationUnavailable as problem:
        raise CourseError(str(problem)) from None


# In a worker: what the jobs of a run need, made ready once. It was made before the fork, where
# the worker is a fork; on another machine, at the first job of a run.
_ready: list[Marker] = []


def make_ready(settings: Settings) -> Marker:
    """Return what marks with these very settings."""
    if not _ready or _ready[0].settings != settings:
        forget()
        _ready.append(Marker(settings))
    return _ready[0]


def forget() -> None:
    """Let go what was made ready: a later run reads the course anew."""
    while _ready:
        _ready.pop().close()


def work(settings: Settings, job: Job) -> Any:
    """Do one job; in a thread, as a cluster's worker has it, in a process apart."""
    if threading.current_thread() is threading.main_thread():
        return job.work(make_ready(settings))
    try:
        return work_apart(work, settings, job)
    except Exception as error:
        return Failure(error)
