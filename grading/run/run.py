"""A class, marked: the grade book, autograded/, feedback/ and reports/<assignment>/."""

from __future__ import annotations

import csv
import html
import json
import math
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_markdown_cell
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    NbGraderPreprocessor,
)
from nbgrader.utils import find_all_files
from traitlets import TraitError
from traitlets.config import Config

from grading import CourseError
from grading.book import Book, Entry, reason
from grading.feedback import Grades, page
from grading.intake.submission import Frame, Intake, take_in, unanswered
from grading.marking.notebook import Execute
from grading.marking.result import is_test
from grading.rooms.notebook import Marking
from grading.run.certificate import (
    BEFORE,
    FOLDER,
    Certificate,
    digest,
    file_name,
    read_certificate,
    read_certificates,
    source_hashes,
    submission_hash,
    write_whole,
)
from grading.run.pool import Workers, cores
from grading.run.worker import Job, Marked, mark, settings_of, split_steps
from grading.source.assignment import grade_id, read_source
from grading.source.course import check, open_course
from grading.source.mistakes import known_mistakes

PATIENCE = 3.0  # seconds; who takes longer waits until the others are marked
UNFINISHED = ".unfinished"  # in reports/<assignment>/, while a run goes on
READ_ONLY = 0o444  # as nbgrader leaves what it has marked


class Run:
    """
    One run over the submissions of an assignment.

    Attributes
    ----------
    total, earlier : int
        How many submissions there are to mark, and how many are marked already.

    Raises
    ------
    CourseError
        Where nothing can be marked: whose fault, and what to do.
    """

    def __init__(
        self,
        coursedir: CourseDirectory,
        config: Config,
        assignment: str,
        students: list[str],
        jobs: int = 0,
        scheduler: str = "",
        force: bool = False,
    ) -> None:
        self.coursedir, self.assignment = coursedir, assignment
        self.root = Path(coursedir.root)
        self.reports = self.root / "reports" / assignment
        self.source = read_source(assignment, self.root)
        submitted = self.submitted()
        unknown = sorted(set(students) - set(submitted))
        if unknown:
            raise CourseError(f"{assignment}: nothing submitted by {', '.join(unknown)}")
        self.elsewhere = bool(scheduler)
        with ThreadPoolExecutor(1) as beside:  # rooms take a second to warm up
            hashes = beside.submit(warm_up, assignment)
            if not self.elsewhere:  # where no sandbox can be had, no mark is touched
                Execute(config=config).nursery()
            self.hashes = hashes.result()
        self._open = ExitStack()
        try:
            self._open.enter_context(alone(self.root))
            self.book = Book(coursedir)
            self._open.callback(self.book.close)
            self.frame = Frame(self.published())
            self.hashes |= {"late": late_hash(config, self.book, assignment)}
            self.shipped = self.shipped_files()
            self.steps = list(self.prepared_steps(config))
            self.graded_by_hand = self.book.graded_by_hand(assignment)
            wanted = sorted(students) or submitted
            self.todo = wanted if force else self.not_yet_marked(wanted)
            self.total, self.earlier = len(self.todo), len(wanted) - len(self.todo)
            count = min(jobs or cores(), max(self.total, 1))
            self.workers = Workers(count, scheduler)
            self._open.callback(self.workers.close)
            self.mark = partial(mark, settings_of(config, assignment, self.elsewhere))
        except BaseException:
            self._open.close()
            raise

    def __iter__(self) -> Iterator[Certificate]:
        """Mark what is not marked yet, and yield the certificates as they are written."""
        with self._open:
            self.begin()
            patience = PATIENCE if self.total > 1 else math.inf
            slow: list[str] = []
            yield from self.mark_all(self.todo, patience, slow.append)
            yield from self.mark_all(slow, math.inf, slow.append)
            self.end()

    # What there is to do

    def submitted(self) -> list[str]:
        """Return who handed something in."""
        folder = self.folder(self.coursedir.submitted_directory, "*").relative_to(self.root)
        found = sorted(path.parent.name for path in self.root.glob(str(folder)))
        if not found:
            raise CourseError(f"{self.assignment}: there are no folders {folder}")
        return found

    def folder(self, step: str, student: str) -> Path:
        """Return the folder of a student's submission, at one of nbgrader's steps."""
        return self.root / step / student / self.assignment

    def published(self) -> NotebookNode:
        """
        Return the source with nbgrader's checksums; publish it if it has never been.

        Raises
        ------
        CourseError
            Where the tests are no longer those that the grade book knows.
        """
        cells = self.book.cells(self.assignment)
        if cells is None:
            course = NbGraderAPI(coursedir=self.coursedir, config=self.coursedir.config)
            done = course.generate_assignment(self.assignment, force=True)
            check(done, f"release {self.assignment}")
            self.book.db.expire_all()
            cells = self.book.cells(self.assignment)
        ours = {grade_id(cell): cell for cell in self.source.cells if grade_id(cell)}
        changed = sorted(ours.keys() ^ cells.keys()) + [
            name
            for name, cell in ours.items()
            if name in cells and cell.metadata.nbgrader.locked and cells[name].source != cell.source
        ]
        if changed:
            raise CourseError(
                f"{self.assignment}: changed since it was published ({', '.join(changed)}); "
                f"publish it again: python -m grading release {self.assignment}"
            )
        for name, cell in ours.items():
            cell.metadata.nbgrader["checksum"] = cells[name].checksum
        return self.source

    def prepared_steps(self, config: Config) -> Iterator[NbGraderPreprocessor]:
        """Yield nbgrader's steps that enter a mark."""
        for kind in split_steps(config)[1]:
            step = kind(config=config)
            if isinstance(step, CheckCellMetadata):  # the same for all: once
                step(self.frame.source, {})
                continue
            if isinstance(step, AssignLatePenalties):
                try:
                    step.init_plugin()
                except TraitError as error:
                    raise CourseError(f"nbgrader_config.py: {error}") from None
            yield step

    def not_yet_marked(self, students: list[str]) -> list[str]:
        """Return those whose submission or source is not that of their certificate."""
        entries = self.book.entries(self.assignment)
        return [s for s in students if not self.is_marked(s, entries.get(s))]

    def is_marked(self, student: str, entry: Entry | None) -> bool:
        """Tell whether certificate, grade book and autograded/ hold this very submission."""
        try:
            old = read_certificate(self.reports / FOLDER / file_name(student))
        except CourseError:
            return False
        return (
            old.status != "not graded"
            and entry is not None
            and old.auto == entry.auto
            and old.source == self.hashes
            and self.marked_notebook(student).is_file()
            and old.submission == submission_hash(self.submission(student))
        )

    def submission(self, student: str) -> Path:
        """Return the folder that a student handed in."""
        return self.folder(self.coursedir.submitted_directory, student)

    def marked_notebook(self, student: str) -> Path:
        """Return the path of a student's marked notebook."""
        folder = self.folder(self.coursedir.autograded_directory, student)
        return folder / f"{self.assignment}.ipynb"

    # The run

    def begin(self) -> None:
        """Keep the certificates of the run before, unless that was never finished."""
        unfinished = self.reports / UNFINISHED
        if not unfinished.exists() and self.todo and (self.reports / FOLDER).is_dir():
            shutil.rmtree(self.reports / BEFORE, ignore_errors=True)
            shutil.copytree(self.reports / FOLDER, self.reports / BEFORE, copy_function=os.link)
        self.reports.mkdir(parents=True, exist_ok=True)
        unfinished.touch()

    def mark_all(
        self, students: list[str], most_seconds: float, postpone: Callable[[str], None]
    ) -> Iterator[Certificate]:
        """Mark the submissions; those that take too long are postponed."""
        taken: dict[str, tuple[Intake, str]] = {}
        shipped = [Path(name).name for name in self.shipped]

        def jobs() -> Iterator[Job]:
            for student in list(students):
                folder = self.submission(student)
                hashed = submission_hash(folder)
                intake = take_in(folder, self.frame, self.assignment, shipped)
                text = json.dumps(self.clean(intake), ensure_ascii=False)
                intake.notebook = None  # it is held once
                taken[student] = intake, hashed
                yield Job(student, self.assignment, text, most_seconds)

        for job, marked, error in self.workers.run(self.mark, jobs()):
            intake, hashed = taken.pop(job.student)
            if marked is not None and marked.timed_out and most_seconds < math.inf:
                postpone(job.student)
            else:
                yield self.finish(job.student, intake, hashed, marked, error)

    def clean(self, intake: Intake) -> NotebookNode:
        """Return the notebook that is marked: what intake made, and what it has to say."""
        notebook = intake.notebook or unanswered(self.frame)
        notebook.metadata["intake"] = {"status": intake.status, "notes": intake.notes}
        if intake.notebook is None:  # seen in formgrader and in the feedback
            lines = "\n".join(f"- {html.escape(note)}" for note in intake.notes)
            cell = new_markdown_cell(f"**Nothing could be graded.**\n\n{lines}", id="intake")
            notebook.cells.insert(0, cell)
        return notebook

    def finish(
        self,
        student: str,
        intake: Intake,
        hashed: str,
        marked: Marked | None,
        error: Exception | None,
    ) -> Certificate:
        """
        Enter a marked submission everywhere; its certificate is written last.

        So a run that is killed on the way leaves no certificate, and the next one
        marks the submission again.
        """
        (self.reports / FOLDER / file_name(student)).unlink(missing_ok=True)
        certificate = Certificate(
            student,
            self.assignment,
            "graded" if intake.status == "ok" else intake.status,
            intake.notes,
            score=0.0,
            max_score=math.fsum(
                c.metadata.nbgrader["points"] for c in self.source.cells if is_test(c)
            ),
            submission=hashed,
            submitted=intake.timestamp.isoformat() if intake.timestamp else "",
            source=self.hashes,
        )
        try:
            if marked is None:
                raise CourseError(f"could not be marked: {type(error).__name__}: {error}")
            notebook = from_dict(json.loads(marked.notebook))
            entry = self.book.save(self.assignment, student, intake.timestamp, notebook, self.steps)
            certificate = with_marks(certificate, marked, entry)
            self.write_marked(student, intake, marked.notebook)
            self.write_feedback(student, notebook, entry)
        except Exception as problem:  # one submission does not stop the others
            certificate.status = "not graded"
            certificate.notes = [*certificate.notes, reason(problem)]
        certificate.write(self.reports / FOLDER)
        return certificate

    def write_marked(self, student: str, intake: Intake, notebook: str) -> None:
        """Fill the folder in autograded/ as nbgrader does."""
        path = self.marked_notebook(student)
        files = {path.parent / name: data for name, data in self.shipped.items()}
        if intake.timestamp:
            files[path.with_name("timestamp.txt")] = intake.timestamp.isoformat().encode()
        files[path] = notebook.encode()
        for folder in dict.fromkeys(file.parent for file in files):
            folder.mkdir(parents=True, exist_ok=True)
        for file, data in files.items():
            file.unlink(missing_ok=True)  # nbgrader leaves some that cannot be written
            file.write_bytes(data)
        path.chmod(READ_ONLY)

    def write_feedback(self, student: str, notebook: NotebookNode, entry: Entry) -> None:
        """Write the page that the student gets back."""
        if student in self.graded_by_hand:
            grades = Grades.read(self.book, self.assignment, student)
        else:
            grades = Grades(penalty=entry.late_penalty)
        folder = self.folder(self.coursedir.feedback_directory, student)
        text = page(notebook, self.assignment, student, grades)
        write_whole(folder / f"{self.assignment}.html", text.encode())

    def shipped_files(self) -> dict[str, bytes]:
        """Return the files that students are given beside the notebook."""
        folder = self.root / self.coursedir.source_directory / self.assignment
        paths = map(Path, find_all_files(str(folder), [*self.coursedir.ignore, "*.ipynb"]))
        return {str(path.relative_to(folder)): path.read_bytes() for path in paths}

    def end(self) -> None:
        """Write what is told of the whole class."""
        write_csv(
            self.reports / "grades.csv",
            read_certificates(self.reports / FOLDER),
            self.book.entries(self.assignment),
        )
        (self.reports / UNFINISHED).unlink()


def grade(
    assignment: str,
    students: list[str],
    unprotected: bool = False,
    jobs: int = 0,
    scheduler: str = "",
    force: bool = False,
) -> Run:
    """
    Return a run over the submissions in the course here; to iterate over it is to mark them.

    Parameters
    ----------
    assignment : str
    students : list of str
        Whose submissions; all that there are, if the list is empty.
    unprotected : bool
        Whether student code may run without a sandbox.
    jobs : int
        How many submissions are marked at the same time; 0 for one on each core.
    scheduler : str
        Address of a Dask scheduler on whose workers to mark, "" for none.
    force : bool
        Whether to mark again what is marked already.
    """
    course = open_course(unprotected)
    return Run(course.coursedir, course.config, assignment, students, jobs, scheduler, force)


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Refuse to run beside another run in the same course."""
    lock = FileLock(root / ".grading.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise CourseError(
            "another run is marking in this course; wait until it has ended"
        ) from None
    try:
        yield
    finally:
        lock.release()


def warm_up(assignment: str) -> dict[str, Any]:
    """Load what all workers need; return the hashes of the source."""
    hashes = source_hashes(assignment)
    known_mistakes(assignment, "")
    Marking(most_output=0)
    return hashes


def late_hash(config: Config, book: Book, assignment: str) -> str:
    """Return the hash of what late penalties depend on, beside the time of the submission."""
    rules = [repr(config.AssignLatePenalties), repr(config.LateRules)]
    return digest([*rules, str(book.find_assignment(assignment).duedate)])


def with_marks(certificate: Certificate, marked: Marked, entry: Entry) -> Certificate:
    """Return the certificate with the marks, and with what the marking took."""
    functions = [
        {
            "function": each.function,
            "points": entry.points[f"test_{each.function}"],
            "auto_points": entry.auto[f"test_{each.function}"],
            "max_points": each.max_points,
            "mistake": each.mistake,
            "sentence": each.sentence,
            "rule": each.rule,
            "note": each.note,
            "checks": each.checks,
        }
        for each in marked.marks
    ]
    return replace(
        certificate,
        score=entry.score,
        late_penalty=entry.late_penalty,
        functions=functions,
        environment=marked.environment,
        isolation=marked.isolation,
        problems=marked.problems,
        timed_out=marked.timed_out,
        rooms=marked.rooms,
        seconds=round(marked.seconds, 3),
        cpu_seconds=round(marked.cpu_seconds, 3),
        peak_mb=round(marked.peak_mb, 1),
    )


def write_csv(path: Path, certificates: Iterator[Certificate], entries: dict[str, Entry]) -> None:
    """Write one line per student, with the points of the grade book."""
    rows, functions = [], {}
    for each in certificates:
        entry = entries.get(each.student_id)
        points = {f["function"]: f["points"] for f in each.functions}
        if entry is not None:
            points = {name: entry.points.get(f"test_{name}", 0.0) for name in points}
        functions |= dict.fromkeys(points)
        rows.append(
            {
                "student_id": each.student_id,
                "score": each.score if entry is None else entry.score,
                "max_score": each.max_score,
                **points,
                "status": each.status,
                "note": each.note,
            }
        )
    columns = ["student_id", "score", "max_score", *functions, "status", "note"]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval=0.0)
        writer.writeheader()
        writer.writerows(rows)
