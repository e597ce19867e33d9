"""A class, marked: the grade book, autograded/, feedback/ and reports/<assignment>/."""

from __future__ import annotations

import math
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from filelock import FileLock, Timeout
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from grading import CourseError
from grading.book import Book, Entry, Place, open_book
from grading.intake.folder import SECRET, TIMESTAMP
from grading.intake.notes import printable
from grading.intake.submission import language_of, timezone_of
from grading.marking.hidden_data import read_secret, sets_of
from grading.rooms import Limits
from grading.rooms.sandbox import forget_early, start_early
from grading.run import worker
from grading.run.certificate import (
    BEFORE,
    FOLDER,
    SCHEMA,
    Certificate,
    clear,
    file_name,
    read_certificate,
    read_certificates,
    write_whole,
)
from grading.run.certify import (
    NO_TEXT,
    STRANGER,
    NotGraded,
    describe_marks,
    describe_run,
    fail,
    not_graded,
    refused,
)
from grading.run.choose import choose, submitted
from grading.run.grades_csv import grade_rows
from grading.run.groups import Groups, find_groups
from grading.run.late import late_penalty, rules_hash
from grading.run.marked import Marked, graded_cells
from grading.run.pool import Workers, cores
from grading.run.published import check_points, published, shipped_files
from grading.run.steps import Steps
from grading.run.worker import Hash, MakePage, Mark, Read, Settings
from grading.sheets import write_rows
from grading.source import Assignment
from grading.source.assignment import KNOWN_MISTAKES
from grading.source.problems import problems_in, raise_problems

PATIENCE = 3.0  # seconds; who takes longer waits until the others are marked
UNFINISHED = ".unfinished"  # in reports/<assignment>/, while a run goes on
OF_THE_EXCHANGE = (TIMESTAMP, SECRET)  # what release_feedback asks for, beside the page


class Converter(Protocol):
    """What nbgrader's converters do before and after their work on a student's folder."""

    def begin(self, student: str) -> None:
        """Run the hook before it."""

    def end(self, student: str) -> None:
        """Set the permissions of what was written, and run the hook after it."""


@contextmanager
def open_run(
    coursedir: CourseDirectory,
    config: Config,
    source: Assignment,
    students: list[str],
    limits: Limits,
    steps: Steps,
    converters: tuple[Converter, Converter],
    create_students: bool = True,
    unprotected: bool = False,
    jobs: int = 0,
    scheduler: str = "",
    force: bool = False,
    packages: Sequence[str] = (),
) -> Iterator[Run]:
    """
    Get all ready to mark the submissions of an assignment, and tidy up behind the block.

    Parameters
    ----------
    coursedir, config
        nbgrader's, of the course.
    source : Assignment
    students : list of str
        Whose submissions: ids, or patterns of them.
    limits : Limits
        Of students' rooms.
    steps : Steps
        nbgrader's preprocessors, as the course has set them up.
    converters : pair of Converter
        That of the marked notebooks, and that of the pages.
    create_students : bool
        Whether to mark those whom the grade book does not know.
    unprotected : bool
        Whether student code may run without a sandbox.
    jobs : int
        How many submissions are marked at the same time; 0 for one on each core.
    scheduler : str
        Address of a Dask scheduler on whose workers to mark, "" for none.
    force : bool
        Whether to mark again what is marked already.
    packages : sequence of str
        What rooms have beside NumPy, Matplotlib and IPython.

    Raises
    ------
    CourseError
        Where nothing can be marked: whose fault, and what to do.
    """
    if scheduler:
        forget_early()  # rooms are where the workers are
    elif not unprotected:
        start_early()  # rooms take a second to warm up
    root = Path(coursedir.root)
    raise_problems(source.name, problems_in(source))
    handed_in = submitted(coursedir, source.name)
    groups = find_groups(coursedir, config, source.name, handed_in)
    known = [*groups.whose, *groups.undecided]
    chosen = choose(source.name, students, known, coursedir.student_id_exclude)
    chosen = groups.with_all_members(chosen)
    with ExitStack() as stack:
        stack.enter_context(alone(root))
        book = stack.enter_context(open_book(coursedir.db_url, coursedir.course_id))
        source, checksums = published(coursedir, config, book, source)
        shipped = shipped_files(coursedir, source)
        settings = Settings(
            source=source.packed(),
            checksums=tuple(checksums.items()),
            shipped=(*shipped, KNOWN_MISTAKES),
            steps=steps,
            timezone=timezone_of(config),
            language=language_of(config),
            limits=limits,
            unprotected=unprotected,
            packages=tuple(packages),
            hidden=str(root),
            secret=read_secret(root),
        )
        stack.callback(worker.forget)
        if not scheduler:  # else this is done where the workers are
            worker.make_ready(settings, worker.Marker)
        check_points(book, source)
        run = Run(coursedir, config, source, book, settings, shipped, groups, converters)
        work = partial(worker.work, settings)
        local = Workers(min(jobs or cores(), len(handed_in)), work)
        stack.callback(local.close)
        run.local = run.workers = local
        if scheduler:
            run.workers = Workers(1, work, scheduler)
            stack.callback(run.workers.close)
        run.plan(chosen, force, create_students)
        yield run


class Run:
    """
    One run over the submissions of an assignment.

    Attributes
    ----------
    total, earlier : int
        How many submissions there are to mark, and how many are marked already.
    """

    local: Workers  # processes of this machine, which see the course folder
    workers: Workers  # those that mark: the same, or a cluster's

    def __init__(
        self,
        coursedir: CourseDirectory,
        config: Config,
        source: Assignment,
        book: Book,
        settings: Settings,
        shipped: dict[str, bytes],
        groups: Groups,
        converters: tuple[Converter, Converter],
    ) -> None:
        self.autograde, self.feedback = converters
        self.coursedir, self.source, self.book, self.settings = coursedir, source, book, settings
        self.assignment = source.name
        self.root = Path(coursedir.root)
        self.reports = self.root / "reports" / self.assignment
        self.class_ = book.read_class(self.assignment)
        self.hashes = source.hashes | {"late": rules_hash(config, self.class_.due)}
        self.late_penalty = late_penalty(config, self.assignment)
        self.shipped, self.groups = shipped, groups
        self.has_begun: set[str] = set()
        self.graded = graded_cells(source)

    def plan(self, students: list[str], force: bool, create_students: bool) -> None:
        """Choose whose submissions are to be marked."""
        unnamed = {s: NO_TEXT for s in students if s != printable(s)}  # no grade book could hold it
        self.refused = unnamed | {
            s: why for s, why in self.groups.undecided.items() if s in students
        }
        if not create_students:
            strangers = [s for s in students if s not in self.class_.entries]
            self.refused = dict.fromkeys(strangers, STRANGER) | self.refused
        named = [student for student in students if student not in self.refused]
        marked = set() if force else self.already_marked(named)
        # a group is marked as one
        marked -= set(self.groups.with_all_members([s for s in named if s not in marked]))
        self.todo = [student for student in named if student not in marked]
        self.total, self.earlier = len(students) - len(marked), len(marked)

    def mark(self) -> Iterator[Certificate]:
        """Mark what is not marked yet, and yield the certificates as they are written."""
        self.begin()
        for student, why in self.refused.items():
            yield refused(student, self.assignment, why)
        patience = PATIENCE if self.total > 1 else math.inf
        slow: list[str] = []
        once = list(dict.fromkeys(self.groups.whose[student] for student in self.todo))
        yield from self.mark_all(once, patience, slow.append)
        yield from self.mark_all(slow, math.inf, slow.append)
        self.end()

    def mark_on_all_sets(self, students: list[str]) -> Iterator[tuple[str, Marked]]:
        """Mark on every set of hidden data, to settle an appeal; nothing of it is kept."""
        sets = range(len(sets_of(self.settings.secret)))
        waiting = iter([Mark(s, self.submission(s), number=n) for s in students for n in sets])
        for job, marked, error in self.local.run(lambda: next(waiting, None)):
            if marked is None:
                raise CourseError(f"{job.student}: {not_graded(error)}")
            yield job.student, marked

    # What there is to do

    def already_marked(self, students: list[str]) -> set[str]:
        """Return those whose certificate is of what they handed in, and holds."""
        known = {student: sha for student in students if (sha := self.hash_marked(student))}
        waiting = (
            Hash(student, self.submission(student), tuple(self.marked_notebooks(student).values()))
            for student in known
        )
        hashes = self.local.run(lambda: next(waiting, None))
        return {job.student for job, found, _ in hashes if found == known[job.student]}

    def hash_marked(self, student: str) -> str:
        """Return the hash of the submission that certificate and grade book agree on."""
        try:
            old = read_certificate(self.reports / FOLDER / file_name(student))
        except CourseError:
            return ""
        entry = self.class_.entries.get(student)
        holds = (
            old.schema == SCHEMA
            and old.status != "not graded"
            and entry is not None
            and {Place(m.notebook, m.cell): m.auto_points for m in old.cells} == entry.auto_points
            and old.source == self.hashes
        )
        return old.submission if holds else ""

    def submission(self, student: str) -> Path:
        """Return the folder that a student handed in, or another of the group."""
        whose = self.groups.whose.get(student, student)
        return self.folder(self.coursedir.submitted_directory, whose)

    def folder(self, step: str, student: str) -> Path:
        """Return a student's folder in one of the course's directories."""
        return Path(self.coursedir.format_path(step, student, self.assignment))

    def marked_notebooks(self, student: str) -> dict[str, Path]:
        """Return the paths of a student's marked notebooks, by their names."""
        folder = self.folder(self.coursedir.autograded_directory, student)
        return {name: folder / f"{name}.ipynb" for name in self.source.notebooks}

    # The marking

    def begin(self) -> None:
        """
        Set the last run's certificates aside, for `diff`.

        Those of a run that was killed are not a last run's: then it is done already.
        """
        unfinished, folder = self.reports / UNFINISHED, self.reports / FOLDER
        if folder.exists() and not folder.is_dir():
            clear(folder)
        if not unfinished.exists() and self.todo and folder.is_dir():
            clear(self.reports / BEFORE)
            (self.reports / BEFORE).mkdir()
            for path in filter(Path.is_file, folder.glob("*.json")):
                os.link(path, self.reports / BEFORE / path.name)
        self.reports.mkdir(parents=True, exist_ok=True)
        unfinished.touch()

    def mark_all(
        self, students: list[str], most_seconds: float, postpone: Callable[[str], None]
    ) -> Iterator[Certificate]:
        """Mark the submissions; those that take too long are postponed."""
        waiting = self.handed_in(list(students), most_seconds)
        pages: deque[MakePage] = deque()
        open_certificates: dict[str, Certificate] = {}

        def take() -> Mark | MakePage | None:
            return pages.popleft() if pages else next(waiting, None)

        came: Iterator[list[tuple[Mark | MakePage, Any, BaseException | None]]]
        came = self.workers.batches(take)
        for batch in came:
            marked: dict[str, Marked | NotGraded] = {}
            for job, done, error in batch:
                student = job.student
                if isinstance(job, MakePage):
                    certificate = open_certificates.pop(student)
                    yield self.finish(certificate, partial(self.write_pages, student, done, error))
                elif done is not None and done.took.timed_out and most_seconds < math.inf:
                    postpone(student)
                else:
                    for member in self.groups.with_all_members([student]):
                        marked[member] = not_graded(error) if done is None else done
            for student, certificate, entry in self.enter(marked):
                done, by = marked[student], self.groups.whose.get(student, student)
                if entry is None or not isinstance(done, Marked):
                    yield self.finish(certificate)
                elif by == student and done.has_pages_for(entry):
                    write = partial(self.write_pages, student, done.pages, None)
                    yield self.finish(certificate, write)
                else:
                    open_certificates[student] = certificate
                    pages.append(MakePage(student, done.notebooks, entry, by))

    def handed_in(self, students: list[str], most_seconds: float) -> Iterator[Mark]:
        """Yield what is to be marked; for workers on other machines it is read here."""
        folders = self.begun(students)
        if self.workers is self.local:
            for student, folder in folders:
                yield Mark(student, folder, most_seconds, known=self.known(student))
            return

        def take() -> Read | None:
            found = next(folders, None)
            return found and Read(*found)

        for job, handed, error in self.local.run(take):
            found = handed if error is None else not_graded(error)
            yield Mark(job.student, found, most_seconds, known=self.known(job.student))

    def known(self, student: str) -> Entry | None:
        """Return who a student is; None where a person's points or comments count, too."""
        entry = self.class_.entries.get(student, Entry(student))
        by_hand = any(grade.manual_points is not None for grade in entry.grades.values())
        return None if by_hand or entry.comments else entry

    def begun(self, students: list[str]) -> Iterator[tuple[str, Path]]:
        """Yield students with their folders, the hook before it run once for each."""
        for student in students:
            if student not in self.has_begun:
                self.has_begun.add(student)
                self.autograde.begin(student)
            yield student, self.submission(student)

    def enter(
        self, marked: dict[str, Marked | NotGraded]
    ) -> Iterator[tuple[str, Certificate, Entry | None]]:
        """
        Enter marked submissions into grade book and autograded/.

        Their certificates are written last, when there is a page, too: so a run that is killed
        on the way leaves none, and the next one marks the submissions again.
        """
        for student in marked:
            clear(self.reports / FOLDER / file_name(student))
        entries = self.save({s: each for s, each in marked.items() if isinstance(each, Marked)})
        for student, each in marked.items():
            certificate = Certificate(student, self.assignment, "not graded", [])
            certificate.max_score, certificate.source = self.class_.max_score, self.hashes
            entry = None
            try:
                if not isinstance(each, Marked):
                    raise each
                describe_run(certificate, each)
                if student in self.groups.notes:
                    certificate.notes = [self.groups.notes[student], *certificate.notes]
                entry = entries[student]
                if not isinstance(entry, Entry):
                    raise entry
                describe_marks(certificate, each, entry, self.class_, list(self.graded))
                self.write_marked(student, each)
            except Exception as problem:  # one submission does not stop the others
                fail(certificate, problem)
                entry = None
            yield student, certificate, entry

    def finish(
        self, certificate: Certificate, last: Callable[[], None] = lambda: None
    ) -> Certificate:
        """Do what is left to do, and write the certificate."""
        try:
            last()
        except Exception as problem:
            fail(certificate, problem)
        certificate.write(self.reports / FOLDER)
        return certificate

    def write_pages(
        self, student: str, pages: dict[str, str] | None, error: BaseException | None
    ) -> None:
        """Write the pages that the student gets back, one for each notebook."""
        if pages is None:
            raise not_graded(error)
        self.feedback.begin(student)
        folder = self.folder(self.coursedir.feedback_directory, student)
        for name, page in pages.items():
            write_whole(folder / f"{name}.html", page.encode())
        marked = self.folder(self.coursedir.autograded_directory, student)
        for path in map(marked.joinpath, OF_THE_EXCHANGE):
            clear(folder / path.name)
            if path.is_file():
                shutil.copyfile(path, folder / path.name)
        self.feedback.end(student)

    def save(self, marked: dict[str, Marked]) -> dict[str, Entry | Exception]:
        """Enter the marks of submissions into the grade book; one alone where that fails."""
        if not marked:
            return {}
        marks = {s: each.marks(self.graded) for s, each in marked.items()}
        try:
            return {**self.book.save(self.assignment, marks, self.late_penalty)}
        except Exception as problem:
            if len(marked) == 1:
                return dict.fromkeys(marked, problem)
        alone = [self.save({student: each}) for student, each in marked.items()]
        return {student: entry for found in alone for student, entry in found.items()}

    def write_marked(self, student: str, marked: Marked) -> None:
        """Fill the folder in autograded/ as nbgrader does."""
        paths = self.marked_notebooks(student)
        place = self.folder(self.coursedir.autograded_directory, student)
        files = {place / name: data for name, data in self.shipped.items()}
        if marked.timestamp:
            files[place / TIMESTAMP] = marked.timestamp.isoformat().encode()
        if marked.secret and self.groups.whose.get(student, student) == student:
            files[place / SECRET] = marked.secret  # of the one who handed in, and nobody else's
        for name in OF_THE_EXCHANGE:
            clear(place / name)
        files |= {path: marked.notebooks[name].encode() for name, path in paths.items()}
        for folder in dict.fromkeys(file.parent for file in files):
            folder.mkdir(parents=True, exist_ok=True)
        for file, data in files.items():
            clear(file)  # nbgrader leaves some that cannot be written
            file.write_bytes(data)
        self.autograde.end(student)

    def end(self) -> None:
        """Write what is told of the whole class."""
        class_ = self.book.read_class(self.assignment)
        certificates = read_certificates(self.reports / FOLDER)
        table = self.reports / "grades.csv"
        if table.is_dir():
            clear(table)
        write_rows(table, grade_rows(certificates, class_))
        clear(self.reports / UNFINISHED)


# What a run is made of


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Refuse to run beside another run in the same course, or in a course of another user's."""
    try:
        with FileLock(root / ".grading.lock").acquire(timeout=0):
            yield
    except Timeout:
        raise CourseError(
            "another run is marking in this course; wait until it has ended"
        ) from None
    except PermissionError as error:
        raise CourseError(
            f"{error.filename}: {error.strerror}; the course folder, and all in it, has to belong"
            " to the user who marks"
        ) from None
