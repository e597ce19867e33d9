"""Marks submissions of one assignment: what a worker holds, and what it does with each."""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from grading import CourseError
from grading.entries import Entry, NewMarks, Place
from grading.feedback import Pages
from grading.findings import Finding, Words
from grading.intake.folder import HandedIn
from grading.intake.merge import Frame
from grading.intake.notes import tidy
from grading.intake.submission import NOTHING_READ, Intake, Part, take_in
from grading.marking.current import marking
from grading.marking.hidden_data import choose, sets_of
from grading.marking.naming import Outcomes, Tried
from grading.marking.notebook import mark_notebook
from grading.marking.result import NOT_GRADED, TestResult, total
from grading.marking.sanitize import clean_markdown
from grading.marking.solution import mark_solution, points_lost
from grading.rooms import PACKAGES, IsolationUnavailable, Limits, Nursery, Took
from grading.run.bounds import bounded_time
from grading.run.certificate import Certificate, environment
from grading.run.files import Files, FileWriter, Folders, Written
from grading.run.marked import Marked, graded_cells
from grading.run.renew import packed
from grading.run.steps import Steps, take_steps, unpack_steps
from grading.source import Assignment, cells
from grading.source.bundle import MADE, USE
from grading.source.catalogue import CHECKS, ENGLISH, LANGUAGES, words_of
from grading.source.problems import problems_of_table, raise_problems
from grading.source.translated_modules import modules_in

STATUS = {"ok": "graded"}  # of a certificate, where it is called otherwise than intake's
ReaderT = TypeVar("ReaderT", bound="Reader")


@dataclass(frozen=True)
class Settings:
    """
    What a worker has to know of the course; all of it can be sent to another machine.

    Attributes
    ----------
    source : bytes
        The assignment, packed.
    checksums : tuple of pairs
        The place of each cell, and under which checksum it was published.
    shipped : tuple of str
        The files that students receive beside the notebook.
    steps : Steps
        nbgrader's preprocessors, as the course has set them up.
    timezone : str
        In which times of handing in are meant, where they do not say.
    language : str
        Of the course: that of what has come in none.
    limits : Limits
    unprotected : bool
        Whether student code may run without a sandbox.
    packages : tuple of str
        What rooms have beside NumPy, Matplotlib and IPython.
    hidden : str
        The course folder, which no room may see.
    secret : bytes
        From which the hidden data is drawn.
    hashes : dict
        Of the assignment, as in `Certificate.source`.
    max_points : tuple of pairs
        The place of each graded cell, in the order of the source, and its points.
    modes, links
        As in `FileWriter`.
    """

    source: bytes
    checksums: tuple[tuple[Place, str], ...]
    shipped: tuple[str, ...]
    steps: Steps
    timezone: str
    language: str
    limits: Limits
    unprotected: bool
    packages: tuple[str, ...]
    hidden: str
    secret: bytes
    hashes: dict[str, Any]
    max_points: tuple[tuple[Place, float], ...]
    modes: tuple[int, int]
    links: bool


class Reader:
    """
    Reads what was handed in for one assignment.

    Parameters
    ----------
    settings : Settings
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.assignment = Assignment.unpacked(settings.source)
        given = {path: self.assignment.files.get(path) for path in settings.shipped}
        self.modules = {p: text for p, text in given.items() if text and p.endswith(".py")}

    def given(self, path: str) -> Iterator[bytes]:
        """Yield what a module that students are given says, by its path, in each language."""
        if path in self.modules:
            yield self.modules[path]
            yield from (each[path] for each in self.translated if path in each)

    @functools.cached_property
    def pages(self) -> Pages:
        """What makes pages."""
        return Pages(self.assignment)

    @functools.cached_property
    def translated(self) -> list[dict[str, bytes]]:
        """The modules in other languages, by path."""
        return [modules_in(self.assignment, each)[0] for each in LANGUAGES]

    def close(self) -> None:
        """Let go what is held."""


class Marker(Reader):
    """
    Marks submissions of one assignment.

    Parameters
    ----------
    settings : Settings
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.assignment.material.keep_to(settings.shipped, settings.limits.files_mb)
        sources = self.assignment.notebooks
        checksums = dict(settings.checksums)
        for name, source in sources.items():
            for cell in source.notebook.cells:
                if cells.is_published(cell):
                    cells.set_checksum(cell, checksums[Place(name, cells.grade_id(cell))])
        clearing = unpack_steps(settings.steps.clearing)
        self.frames = {
            name: Frame(source.notebook, source.translations, clearing, settings.language)
            for name, source in sources.items()
        }
        tried = {name: Tried() for name in sources}
        self.outcomes = [
            {name: Outcomes(source, data, tried[name]) for name, source in sources.items()}
            for data in sets_of(settings.secret)
        ]
        self.sanitizing = unpack_steps(settings.steps.sanitizing)
        self.finishing = unpack_steps(settings.steps.marking)
        self.prepare_pages()  # while rooms warm up, in another process
        # met in a test, they would cost a student points
        raise_problems(self.assignment.name, problems_of_table(self.assignment))
        self.rooms = new_nursery(settings)
        self.to_tell: list[str] = []  # of tests that count as stock nbgrader's do
        for outcomes in self.outcomes[0].values():
            results = mark_solution(outcomes, self.rooms)
            kept = {n: r for n, r in results.items() if n not in outcomes.tried.plain}
            raise_problems(self.assignment.name, points_lost(outcomes, kept))
            counted = {n: r for n, r in results.items() if n not in {*kept, *outcomes.tried.faults}}
            self.to_tell += map(str, points_lost(outcomes, counted))
        for path, text in self.modules.items():
            if text.startswith(MADE.encode()):
                self.rooms.load(path, text.decode(), USE.format(module=Path(path).stem))
        self.graded, self.max_points = graded_cells(self.assignment), dict(settings.max_points)
        self.environment = environment()
        self.writer = new_writer(self.assignment, settings)
        self.words_of_checks = {each: words_of(each, CHECKS) for each in LANGUAGES}

    def prepare_pages(self) -> None:
        """Make what all pages in the course's language share; forks have it, too."""
        language = self.settings.language
        for frame in self.frames.values():
            texts = frame.texts.get(language, frame.texts[ENGLISH])
            with contextlib.suppress(Exception):  # it is told with the pages that lack it
                self.pages.prepare(language, zip(frame.source.cells, texts, strict=True))

    def work_out(self) -> None:
        """Work out what is right and what is known to be wrong, on all sets: forks share it."""
        for outcomes in itertools.chain(*(each.values() for each in self.outcomes)):
            if outcomes.tried.plain or outcomes.tried.faults:
                continue
            # whatever is wrong with a version, it is for the workers to meet
            with contextlib.suppress(Exception), bounded_time(0), marking(outcomes):
                if not outcomes.calls:
                    mark_solution(outcomes)
                outcomes.work_out_mistakes()

    def mark(
        self, student: str, handed: HandedIn, most_seconds: float, number: int | None = None
    ) -> tuple[Marked, dict[str, NotebookNode]]:
        """
        Run a submission, and mark it: on its own set of hidden data, or on that asked for.

        Returns
        -------
        Marked
        dict
            The notebooks with all outputs, by their names.
        """
        begin = time.monotonic()
        settings, name = self.settings, self.assignment.name
        intake = take_in(handed, self.frames, name, settings.shipped, settings.timezone)
        outcomes = self.outcomes[self.set_of(intake) if number is None else number]
        notebooks: dict[str, NotebookNode] = {}
        runs = []
        results: dict[Place, TestResult] = {}
        for name, part in intake.parts.items():
            about = {"assignment": self.assignment.name, "student": student, "notebook": name}
            notebook = self.sanitize(part.notebook, about)
            announce(part, notebook, intake.notes, self.assignment.words(part.language))
            left = most_seconds - (time.monotonic() - begin)
            words = self.words_of_checks.get(part.language)
            marked = mark_notebook(notebook, outcomes[name], self.rooms, max(left, 0.0), words)
            runs.append(marked.run.took)
            results |= {Place(name, cell): result for cell, result in marked.results.items()}
            notebooks[name] = take_steps(self.finishing, notebook, about)
            if marked.run.took.timed_out and most_seconds < math.inf:
                break  # it is marked again, and then the others, too
        tried = [outcomes[name].tried.faults.items() for name in outcomes]
        faults = [f"{name}: not graded: {said}" for found in tried for name, said in found]
        took = Took(
            problems=[problem for run in runs for problem in run.problems],
            timed_out=any(run.timed_out for run in runs),
            rooms=sum(run.rooms for run in runs),
            seconds=time.monotonic() - begin,
            cpu_seconds=sum(run.cpu_seconds for run in runs),
            peak_mb=max(run.peak_mb for run in runs),
        )
        certificate = Certificate(
            student,
            self.assignment.name,
            status="not graded" if faults else STATUS.get(intake.status, intake.status),
            notes=[*intake.all_notes({}), *faults],
            told=intake.all_notes(self.assignment.words(intake.language)),
            max_score=total(self.max_points.values()),
            submission=handed.hash,
            submitted=intake.timestamp.isoformat() if intake.timestamp else "",
            source=self.settings.hashes,
            hidden_data=str(next(iter(outcomes.values())).data),
            language=intake.language,
            environment=self.environment,
            isolation=self.rooms.isolation,
            **rounded(vars(took)),
        )
        made = Marked(
            certificate,
            self.new_marks(intake, results),
            {n: packed(each) for n, each in notebooks.items()},
            results,
            handed.secret,
        )
        return made, notebooks

    def new_marks(self, intake: Intake, results: dict[Place, TestResult]) -> NewMarks:
        """Return what is to be entered."""
        parts = intake.parts.items()
        not_there = [name for name, part in parts if part.status in NOTHING_READ]
        unanswered = [
            Place(name, cell)
            for name, part in parts
            for cell in self.frames[name].solutions.values()
            if cell not in part.answered
        ]
        points: dict[Place, float | None] = {}
        for place, kind in self.graded.items():
            if kind is cells.Kind.TEST:
                result = results[place]
                points[place] = None if result.stopped == NOT_GRADED else result.points
            else:
                nothing = place in unanswered or place.notebook in not_there
                points[place] = 0.0 if nothing else None
        return NewMarks(intake.timestamp, points, unanswered, not_there)

    def files(
        self,
        student: str,
        marked: Marked,
        notes: list[str],
        entry: Entry,
        notebooks: dict[str, NotebookNode],
    ) -> Files:
        """Return all that is written for a student of whom the grade book holds this."""
        pages = self.make_pages(notebooks, entry)
        made = {f"{name}.html": page.encode() for name, page in pages.items()}
        made |= marked.of_the_exchange(student)
        certificate = marked.certify(student, notes, entry, self.max_points)
        return Files(marked.files(student), made, certificate.text())

    def write(self, files: Files, folders: Folders | None) -> Files | Written:
        """Write files where that can be done here; return what is ready."""
        return self.writer.write(folders, files) if folders else files

    def make_pages(self, notebooks: dict[str, NotebookNode], entry: Entry) -> dict[str, str]:
        """Return a page of feedback for each marked notebook, by its name."""
        return {name: self.pages.page(name, each, entry) for name, each in notebooks.items()}

    def sanitize(self, notebook: NotebookNode, about: dict[str, str]) -> NotebookNode:
        """Take the course's own steps before a submission runs."""
        before = {cells.grade_id(cell) for cell in notebook.cells}
        notebook = take_steps(self.sanitizing, notebook, about)
        gone = before - {cells.grade_id(cell) for cell in notebook.cells}
        if gone:
            raise CourseError(
                f"Autograde.sanitize_preprocessors took out {', '.join(sorted(gone))}: leave the"
                " cells that nbgrader knows"
            )
        return notebook

    def set_of(self, intake: Intake) -> int:
        """Return on which set of hidden data a submission is tested: all its answers choose."""
        notebooks = [part.notebook for part in intake.parts.values()]
        answers = [c.source for nb in notebooks for c in nb.cells if cells.is_answer(c)]
        return choose(self.settings.secret, answers)

    def close(self) -> None:
        """Let the rooms go."""
        self.rooms.close()


def announce(part: Part, notebook: NotebookNode, general: list[Finding], words: Words) -> None:
    """Write into a notebook what intake has to say: it is seen in formgrader and feedback."""
    notes = tidy(part.notes + general, words)
    about = {"status": part.status, "notes": notes, "language": part.language}
    notebook.metadata["intake"] = about
    if part.status in NOTHING_READ:
        lines = "\n".join(f"- {clean_markdown(note)}" for note in notes)
        heading = Finding("Nothing could be graded", {}).said(words)
        text = f"**{heading}**\n\n{lines}"
        notebook.cells.insert(0, new_markdown_cell(text, id="intake"))


def rounded(took: dict[str, Any]) -> dict[str, Any]:
    """Leave no more digits: a function could choose how much it uses by what it is called with."""
    return {k: float(f"{v:.2g}") if type(v) is float else v for k, v in took.items()}


def new_writer(assignment: Assignment, settings: Settings) -> FileWriter:
    """Return what writes the files of students."""
    given = {name: assignment.files[name] for name in settings.shipped if name in assignment.files}
    return FileWriter(given, settings.modes, settings.links)


def new_nursery(settings: Settings) -> Nursery:
    """Return a source of rooms; where no sandbox can be had, a line says what to do."""
    try:
        return Nursery(
            settings.limits,
            hidden=[settings.hidden],
            packages=(*PACKAGES, *settings.packages),
            unprotected=settings.unprotected,
        )
    except IsolationUnavailable as problem:
        raise CourseError(str(problem)) from None


# In a worker: what the jobs of a run need, made ready once. It was made before the fork, where
# the worker is a fork; on another machine, at the first job of a run.
_ready: list[Reader] = []


def make_ready(settings: Settings, kind: type[ReaderT]) -> ReaderT:
    """Return what reads, or marks, with these very settings."""
    for ready in _ready:
        if ready.settings == settings and isinstance(ready, kind):
            return ready
    forget()
    ready = kind(settings)
    _ready.append(ready)
    return ready


def forget() -> None:
    """Let go what was made ready: a later run reads the course anew."""
    while _ready:
        _ready.pop().close()
