"""A class, marked: the grade book, autograded/, feedback/ and reports/<assignment>/."""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from filelock import FileLock, Timeout
from nbformat import from_dict
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import find_all_files
from traitlets.config import Config

from grading import CourseError
from grading.book import Book, Class, Entry, Place, open_book, reason
from grading.feedback import Pages
from grading.intake.files import printable, read_folder
from grading.rooms import Limits
from grading.rooms.sandbox import start_early
from grading.run import worker
from grading.run.certificate import (
    BEFORE,
    FOLDER,
    SCHEMA,
    CellMark,
    Certificate,
    file_name,
    read_certificate,
    read_certificates,
    write_whole,
)
from grading.run.late import late_penalty
from grading.run.pool import Workers, cores
from grading.run.worker import Job, Marked, Settings, pack_steps
from grading.sheets import write_rows
from grading.source import Source, cells, digest, read_source
from grading.source.assignment import KNOWN_MISTAKES
from grading.source.course import raise_failure

PATIENCE = 3.0  # seconds; who takes longer waits until the others are marked
UNFINISHED = ".unfinished"  # in reports/<assignment>/, while a run goes on
READ_ONLY = 0o444  # as nbgrader leaves what it has marked


@contextmanager
def open_run(
    coursedir: CourseDirectory,
    config: Config,
    assignment: str,
    students: list[str],
    limits: Limits,
    steps: list[type],
    unprotected: bool = False,
    jobs: int = 0,
    scheduler: str = "",
    force: bool = False,
) -> Iterator[Run]:
    """
    Get all ready to mark the submissions of an assignment, and tidy up behind the block.

    Parameters
    ----------
    coursedir, config
        nbgrader's, of the course.
    assignment : str
    students : list of str
        Whose submissions; all that there are, if the list is empty.
    limits : Limits
        Of students' rooms.
    steps : list of type
        nbgrader's preprocessors for autograding, as the course has set them up.
    unprotected : bool
        Whether student code may run without a sandbox.
    jobs : int
        How many submissions are marked at the same time; 0 for one on each core.
    scheduler : str
        Address of a Dask scheduler on whose workers to mark, "" for none.
    force : bool
        Whether to mark again what is marked already.

    Raises
    ------
    CourseError
        Where nothing can be marked: whose fault, and what to do.
    """
    if not (unprotected or scheduler):
        start_early()  # rooms take a second to warm up
    root = Path(coursedir.root)
    source = read_source(assignment, root, root / coursedir.source_directory / assignment)
    handed_in = submitted(coursedir, assignment)
    unknown = sorted(set(students) - set(handed_in))
    if unknown:
        raise CourseError(f"{assignment}: nothing submitted by {', '.join(unknown)}")
    with ExitStack() as stack:
        stack.enter_context(alone(root))
        book = stack.enter_context(open_book(coursedir.db_url, coursedir.course_id))
        checksums = published(coursedir, book, source)
        shipped = shipped_files(coursedir, source)
        settings = Settings(
            source=source.packed(),
            checksums=tuple(checksums.items()),
            shipped=(*shipped, KNOWN_MISTAKES),
            steps=pack_steps(config, steps),
            limits=limits,
            unprotected=unprotected,
            hidden=str(root),
        )
        stack.callback(worker.forget)
        if not scheduler:  # else this is done where the workers are
            worker.make_ready(settings)
        run = Run(coursedir, config, source, book, settings, shipped)
        run.plan(sorted(students) or handed_in, force)
        count = min(jobs or cores(), max(run.total, 1))
        run.workers = Workers(count, scheduler)
        stack.callback(run.workers.close)
        yield run


class Run:
    """
    One run over the submissions of an assignment.

    Attributes
    ----------
    total, earlier : int
        How many submissions there are to mark, and how many are marked already.
    """

    workers: Workers

    def __init__(
        self,
        coursedir: CourseDirectory,
        config: Config,
        source: Source,
        book: Book,
        settings: Settings,
        shipped: dict[str, bytes],
    ) -> None:
        self.coursedir, self.source, self.book, self.settings = coursedir, source, book, settings
        self.assignment = source.assignment
        self.root = Path(coursedir.root)
        self.reports = self.root / "reports" / self.assignment
        self.group = book.read_class(self.assignment)
        self.hashes = source.hashes | {"late": late_hash(config, self.group)}
        self.late_penalty = late_penalty(config, self.assignment)
        self.shipped = shipped
        self.pages = Pages(source)

    def plan(self, students: list[str], force: bool) -> None:
        """Choose whose submissions are to be marked."""
        self.todo = [s for s in students if force or not self.is_marked(s)]
        self.total, self.earlier = len(self.todo), len(students) - len(self.todo)

    def mark(self) -> Iterator[Certificate]:
        """Mark what is not marked yet, and yield the certificates as they are written."""
        self.begin()
        patience = PATIENCE if self.total > 1 else math.inf
        slow: list[str] = []
        yield from self.mark_all(self.todo, patience, slow.append)
        yield from self.mark_all(slow, math.inf, slow.append)
        self.end()

    # What there is to do

    def is_marked(self, student: str) -> bool:
        """Tell whether certificate, grade book and autograded/ hold this very submission."""
        try:
            old = read_certificate(self.reports / FOLDER / file_name(student))
        except CourseError:
            return False
        entry = self.group.entries.get(student)
        return (
            old.schema == SCHEMA
            and old.status != "not graded"
            and entry is not None
            and {Place(m.notebook, m.cell): m.auto_points for m in old.cells} == entry.auto_points
            and old.source == self.hashes
            and self.marked_notebook(student).is_file()
            and old.submission == read_folder(self.submission(student), self.assignment).hash
        )

    def submission(self, student: str) -> Path:
        """Return the folder that a student handed in."""
        return self.root / self.coursedir.submitted_directory / student / self.assignment

    def marked_notebook(self, student: str) -> Path:
        """Return the path of a student's marked notebook."""
        folder = self.root / self.coursedir.autograded_directory / student / self.assignment
        return folder / f"{self.assignment}.ipynb"

    # The marking

    def begin(self) -> None:
        """
        Set the last run's certificates aside, for `diff`.

        Those of a run that was killed are not a last run's: then it is done already.
        """
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
        mark = partial(worker.mark, self.settings)
        for job, marked, error in self.workers.run(mark, self.jobs(list(students), most_seconds)):
            if marked is not None and marked.timed_out and most_seconds < math.inf:
                postpone(job.student)
            else:
                yield self.finish(job.student, marked, error)

    def jobs(self, students: list[str], most_seconds: float) -> Iterator[Job]:
        """Yield what is to be marked; workers on other machines do not see the folders."""
        for student in students:
            folder = self.submission(student)
            handed = read_folder(folder, self.assignment) if self.workers.are_elsewhere else folder
            yield Job(student, handed, most_seconds)

    def finish(self, student: str, marked: Marked | None, error: Exception | None) -> Certificate:
        """
        Enter a marked submission everywhere; its certificate is written last.

        So a run that is killed on the way leaves no certificate, and the next one
        marks the submission again.
        """
        (self.reports / FOLDER / file_name(student)).unlink(missing_ok=True)
        certificate = Certificate(student, self.assignment, "not graded", [])
        certificate.max_score, certificate.source = self.group.max_score, self.hashes
        try:
            if marked is None:
                raise CourseError(f"could not be marked: {type(error).__name__}: {error}")
            describe_run(certificate, marked)
            entry = self.enter(student, marked)
            describe_marks(certificate, marked, entry, self.group)
            self.write_marked(student, marked)
            self.write_feedback(student, marked, entry)
        except Exception as problem:  # one submission does not stop the others
            certificate.status = "not graded"
            certificate.notes = [*certificate.notes, printable(reason(problem))]
        certificate.write(self.reports / FOLDER)
        return certificate

    def enter(self, student: str, marked: Marked) -> Entry:
        """Enter the marks into the grade book."""
        unanswered = {Place(self.assignment, name): True for name in marked.unanswered}
        points: dict[Place, float | None] = {}
        for cell in self.source.notebook.cells:
            place, kind = Place(self.assignment, cells.grade_id(cell)), cells.kind_of(cell)
            if kind is cells.Kind.TEST:
                points[place] = marked.results[place.cell].points
            elif kind in (cells.Kind.MANUAL_CODE, cells.Kind.MANUAL_TEXT):
                points[place] = 0.0 if place in unanswered else None
        return self.book.save(
            self.assignment, student, marked.timestamp, points, unanswered, self.late_penalty
        )

    def write_marked(self, student: str, marked: Marked) -> None:
        """Fill the folder in autograded/ as nbgrader does."""
        path = self.marked_notebook(student)
        files = {path.parent / name: data for name, data in self.shipped.items()}
        if marked.timestamp:
            files[path.with_name("timestamp.txt")] = marked.timestamp.isoformat().encode()
        files[path] = marked.notebook.encode()
        for folder in dict.fromkeys(file.parent for file in files):
            folder.mkdir(parents=True, exist_ok=True)
        for file, data in files.items():
            file.unlink(missing_ok=True)  # nbgrader leaves some that cannot be written
            file.write_bytes(data)
        path.chmod(READ_ONLY)

    def write_feedback(self, student: str, marked: Marked, entry: Entry) -> None:
        """Write the page that the student gets back."""
        notebook = from_dict(json.loads(marked.notebook))
        folder = self.root / self.coursedir.feedback_directory / student / self.assignment
        page = self.pages.page(notebook, entry)
        write_whole(folder / f"{self.assignment}.html", page.encode())

    def end(self) -> None:
        """Write what is told of the whole class."""
        group = self.book.read_class(self.assignment)
        certificates = read_certificates(self.reports / FOLDER)
        write_rows(self.reports / "grades.csv", grade_rows(certificates, group))
        (self.reports / UNFINISHED).unlink()


# What a run is made of


def submitted(coursedir: CourseDirectory, assignment: str) -> list[str]:
    """Return who handed something in."""
    root = Path(coursedir.root)
    found = sorted(
        path.parent.name for path in (root / coursedir.submitted_directory).glob(f"*/{assignment}")
    )
    if not found:
        where = f"{coursedir.submitted_directory}/*/{assignment}"
        raise CourseError(f"{assignment}: there are no folders {where}")
    return found


def published(coursedir: CourseDirectory, book: Book, source: Source) -> dict[str, str]:
    """
    Return nbgrader's checksum of each cell; publish the assignment if it has never been.

    Raises
    ------
    CourseError
        Where the tests are no longer those that the grade book knows.
    """
    assignment = source.assignment
    known = book.published_cells(assignment)
    if not known:
        course = NbGraderAPI(coursedir=coursedir, config=coursedir.config)
        done = course.generate_assignment(assignment, force=True)
        raise_failure(done, f"release {assignment}")
        known = book.published_cells(assignment)
    theirs = {place.cell: cell for place, cell in known.items()}
    ours = {cells.grade_id(cell): cell for cell in source.notebook.cells if cells.grade_id(cell)}
    changed = sorted(ours.keys() ^ theirs.keys()) + [
        name
        for name, cell in ours.items()
        if name in theirs and not cells.is_answer(cell) and theirs[name].source != cell.source
    ]
    if changed:
        raise CourseError(
            f"{assignment}: changed since it was published ({', '.join(changed)}); "
            f"publish it again: python -m grading release {assignment}"
        )
    return {name: theirs[name].checksum for name in ours}


def shipped_files(coursedir: CourseDirectory, source: Source) -> dict[str, bytes]:
    """Return the files that students are given beside the notebook."""
    folder = Path(coursedir.root) / coursedir.source_directory / source.assignment
    paths = map(Path, find_all_files(str(folder), [*coursedir.ignore, "*.ipynb"]))
    names = [str(path.relative_to(folder)) for path in paths]
    return {name: source.files[name] for name in names if name in source.files}


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


def late_hash(config: Config, group: Class) -> str:
    """Return the hash of what late penalties depend on, beside the time of the submission."""
    rules = [repr(config.AssignLatePenalties), repr(config.LateRules)]
    return digest([*rules, str(group.due)])


# What came of a submission


def describe_run(certificate: Certificate, marked: Marked) -> None:
    """Enter into a certificate what was handed in, and what the marking took."""
    certificate.status = "graded" if marked.status == "ok" else marked.status
    certificate.notes = marked.notes
    certificate.submission = marked.submission
    certificate.submitted = marked.timestamp.isoformat() if marked.timestamp else ""
    for name in ("environment", "isolation", "problems", "timed_out", "rooms"):
        setattr(certificate, name, getattr(marked, name))
    certificate.seconds = round(marked.seconds, 3)
    certificate.cpu_seconds = round(marked.cpu_seconds, 3)
    certificate.peak_mb = round(marked.peak_mb, 1)


def describe_marks(certificate: Certificate, marked: Marked, entry: Entry, group: Class) -> None:
    """Enter the marks into a certificate."""
    certificate.score, certificate.late_penalty = entry.score, entry.penalty
    order = list(marked.results)
    places = sorted(
        entry.grades,
        key=lambda place: order.index(place.cell) if place.cell in order else len(order),
    )
    certificate.cells = [
        CellMark(
            *place,
            points=entry.grades[place].points,
            max_points=group.max_points[place],
            auto_points=entry.grades[place].auto_points,
            result=marked.results.get(place.cell),
        )
        for place in places
    ]


def grade_rows(certificates: Iterator[Certificate], group: Class) -> Iterator[list[object]]:
    """Yield the table of marks: a row per student, with the points of the grade book."""
    rows, functions = [], {}
    for each in certificates:
        marks = {Place(m.notebook, m.cell): m for m in each.cells}
        entry = group.entries.get(each.student_id) or Entry(each.student_id)
        points = {place.function: entry.points.get(place, m.points) for place, m in marks.items()}
        functions |= dict.fromkeys(points)
        score = entry.score if entry.handed_in else each.score
        rows.append(([each.student_id, score, each.max_score], points, [each.status, each.note]))
    yield ["student_id", "score", "max_score", *functions, "status", "note"]
    for start, points, end in rows:
        yield [*start, *(points.get(name, 0.0) for name in functions), *end]
