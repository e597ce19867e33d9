"""One submission: a student's folder goes in, marks, marked notebook and page come out."""

from __future__ import annotations

import html
import json
import math
import pickle
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
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
from grading.intake.files import HandedIn, read_folder
from grading.intake.submission import Frame, Intake, take_in
from grading.marking.naming import Outcomes
from grading.marking.notebook import mark_notebook
from grading.marking.result import TestResult
from grading.marking.solution import mark_solution
from grading.rooms import IsolationUnavailable, Limits, Nursery
from grading.run.certificate import environment
from grading.source import Source, cells

IN_PLACE = (StockExecute, SaveAutoGrades, AssignLatePenalties, CheckCellMetadata)


@dataclass(frozen=True)
class Job:
    """
    A submission to be marked.

    Attributes
    ----------
    student : str
    folder : Path or HandedIn
        What was handed in, or where it lies.
    most_seconds : float
        Wall time that its code may take in all, if that is less than the limits allow.
    """

    student: str
    folder: Path | HandedIn
    most_seconds: float = math.inf


@dataclass
class Marked:
    """
    A marked submission; from `isolation` on as in `Certificate`.

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
    """

    source: bytes
    checksums: tuple[tuple[str, str], ...]
    shipped: tuple[str, ...]
    steps: bytes
    limits: Limits
    unprotected: bool
    hidden: str


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
        self.outcomes = Outcomes(self.source)
        self.solution = mark_solution(self.outcomes)
        config, kinds = pickle.loads(settings.steps)
        self.steps: list[NbGraderPreprocessor] = [kind(config=config) for kind in kinds]
        self.rooms = new_nursery(settings)

    def mark(self, job: Job) -> Marked:
        """Read a submission, run it, and mark it."""
        begin = time.monotonic()
        name = self.source.assignment
        handed = job.folder
        if not isinstance(handed, HandedIn):
            handed = read_folder(handed, name)
        intake = take_in(handed, self.frame, name, self.settings.shipped)
        notebook = intake.notebook
        announce(intake)
        marked = mark_notebook(notebook, self.outcomes, self.rooms, job.most_seconds)
        names = {"assignment": name, "student": job.student, "notebook": name}
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
            isolation=self.rooms.isolation,
            problems=marked.run.problems,
            timed_out=marked.run.timed_out,
            rooms=marked.run.rooms,
            seconds=time.monotonic() - begin,
            cpu_seconds=marked.run.cpu_seconds,
            peak_mb=marked.run.peak_mb,
        )

    def close(self) -> None:
        """Let the rooms go."""
        self.rooms.close()


def announce(intake: Intake) -> None:
    """Write into a notebook what intake has to say: it is seen in formgrader and feedback."""
    notebook: NotebookNode = intake.notebook
    notebook.metadata["intake"] = {"status": intake.status, "notes": intake.notes}
    if intake.status in ("unreadable", "missing"):
        lines = "\n".join(f"- {html.escape(note)}" for note in intake.notes)
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


def mark(settings: Settings, job: Job) -> Marked:
    """Mark one submission."""
    return make_ready(settings).mark(job)
