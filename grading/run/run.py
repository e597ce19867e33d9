"""A class, marked: the grade book, autograded/, feedback/ and reports/<assignment>/."""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from grading import CourseError
from grading.book import Book, Class, Entry, Place, open_book, reason
from grading.entries import is_by_rule
from grading.feedback.made_of import is_true
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
    file_name,
    read_certificate,
    read_certificates,
)
from grading.run.certify import NO_TEXT, STRANGER, NotGraded, not_graded, refused
from grading.run.choose import choose, submitted
from grading.run.files import Files, Folders, Written, clear, clear_parts
from grading.run.grades_csv import Row, grade_rows, row_of
from grading.run.groups import Groups, find_groups
from grading.run.jobs import Finish, Hash, Mark, Read, Renew, do_job
from grading.run.late import late_penalty, rules_hash
from grading.run.marked import Marked, graded_cells
from grading.run.pool import Workers, cores
from grading.run.published import check_points, published, shipped_files
from grading.run.record import Converter, Recorder, permissions, show_pages
from grading.run.steps import Steps
from grading.run.worker import Settings
from grading.sheets import write_rows
from grading.source import Assignment
from grading.source.assignment import KNOWN_MISTAKES
from grading.source.problems import problems_in, raise_problems
from grading.source.scratch import sweep

PATIENCE = 3.0  # seconds; who takes longer waits until the others are marked
MANY = 100  # submissions for each worker: then nearly all that is known is asked for
UNFINISHED = ".unfinished"  # in reports/<assignment>/, while a run goes on


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
        stack.enter_context(alone(coursedir))
        book = stack.enter_context(open_book(coursedir.db_url, coursedir.course_id))
        source, checksums = published(coursedir, config, book, source)
        shipped = shipped_files(coursedir, source)
        class_ = book.read_class(source.name)
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
            hashes=source.hashes | {"late": rules_hash(config, class_.due)},
            max_points=tuple((place, class_.max_points[place]) for place in graded_cells(source)),
            modes=(permissions(converters[0]), permissions(converters[1])),
            links=converters[0].post_convert_hook is None,
        )
        stack.callback(worker.forget)
        to_tell = groups.to_tell
        if not scheduler:  # else this is done where the workers are
            found = worker.make_ready(settings, worker.Marker).to_tell
            to_tell = [*to_tell, *(f"{source.name}, {line}" for line in found)]
        check_points(book, source)
        penalty = late_penalty(config, source.name)
        recorder = Recorder(coursedir, book, source, settings, penalty, groups, converters)
        run = Run(coursedir, source, book, class_, settings, groups, recorder)
        run.to_tell = to_tell
        work = partial(do_job, settings)
        local = Workers(min(jobs or cores(), len(handed_in)), work)
        stack.callback(local.close)
        run.local = run.workers = local
        if scheduler:
            run.workers = Workers(1, work, scheduler)
            stack.callback(run.workers.close)
        run.plan(chosen, force, create_students)
        if not scheduler and len(run.todo) >= MANY * local.count:
            worker.make_ready(settings, worker.Marker).work_out()
            local.renew()
        yield run


class Run:
    """
    One run over the submissions of an assignment.

    Attributes
    ----------
    total, earlier, renewed : int
        How many submissions there are to mark, how many are marked already, and of how many of
        these the pages were made anew.
    to_tell : list of str
        What whoever marks should know before.
    """

    local: Workers  # processes of this machine, which see the course folder
    workers: Workers  # those that mark: the same, or a cluster's

    def __init__(
        self,
        coursedir: CourseDirectory,
        source: Assignment,
        book: Book,
        class_: Class,
        settings: Settings,
        groups: Groups,
        recorder: Recorder,
    ) -> None:
        self.coursedir, self.source, self.book, self.class_ = coursedir, source, book, class_
        self.settings, self.groups, self.recorder = settings, groups, recorder
        self.assignment = source.name
        self.reports = Path(coursedir.root) / "reports" / self.assignment
        self.renewed = 0
        self.to_tell: list[str] = []
        self.has_begun: set[str] = set()
        self.rows: dict[str, Row] = {}  # of grades.csv, by the names of the certificates

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
        self.older = [s for s in sorted(marked) if not self.has_true_pages(s)]

    def mark(self) -> Iterator[Certificate]:
        """Mark what is not marked yet, and yield the certificates as they are written."""
        self.begin()
        for student, why in self.refused.items():
            yield refused(student, self.assignment, why)
        yield from self.renew()
        patience = PATIENCE if self.total > 1 else math.inf
        slow: list[str] = []
        once = list(dict.fromkeys(self.groups.whose[student] for student in self.todo))
        for certificate in chain(
            self.mark_all(once, patience, slow.append), self.mark_all(slow, math.inf, slow.append)
        ):
            self.rows[file_name(certificate.student_id)] = row_of(certificate)
            yield certificate
        self.end()

    def mark_on_all_sets(self, students: list[str]) -> Iterator[Marked]:
        """Mark on every set of hidden data, to settle an appeal; nothing of it is kept."""
        sets = range(len(sets_of(self.settings.secret)))
        waiting = iter([Mark(s, self.submission(s), number=n) for s in students for n in sets])
        for job, marked, error in self.local.run(lambda: next(waiting, None)):
            if marked is None:
                raise CourseError(f"{job.student}: {not_graded(error)}")
            yield marked

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
            and entry.handed_in
            and {Place(m.notebook, m.cell): m.auto_points for m in old.cells} == entry.auto_points
            and old.source == self.settings.hashes
            and is_by_rule(entry, self.recorder.late_penalty)
        )
        return old.submission if holds else ""

    def has_true_pages(self, student: str) -> bool:
        """Tell whether the pages show what the grade book holds: a person may have changed it."""
        folder, entry = self.recorder.folders(student).pages, self.class_.entries[student]
        return all(is_true(folder / f"{name}.html", entry) for name in self.source.notebooks)

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
        sweep()
        unfinished, folder = self.reports / UNFINISHED, self.reports / FOLDER
        if folder.exists() and not folder.is_dir():
            clear(folder)
        if not unfinished.exists() and self.todo and folder.is_dir():
            clear(self.reports / BEFORE)
            (self.reports / BEFORE).mkdir()
            for path in filter(Path.is_file, folder.glob("*.json")):
                os.link(path, self.reports / BEFORE / path.name)
        if unfinished.exists():
            everybodys = self.recorder.folders("*")
            for each in (everybodys.marked, everybodys.pages, folder):
                clear_parts(Path(self.coursedir.root), str(each))
        self.reports.mkdir(parents=True, exist_ok=True)
        unfinished.touch()

    def renew(self) -> Iterator[Certificate]:
        """Make pages anew that are older than what the grade book holds; yield what fails."""
        waiting = (
            Renew(
                student,
                self.marked_notebooks(student),
                self.class_.entries[student],
                self.recorder.folders(student).pages,
            )
            for student in self.older
        )
        for job, ready, error in self.local.run(lambda: next(waiting, None)):
            try:
                if error is not None:
                    raise error
                show_pages(self.recorder.feedback, job.student, ready)
                self.renewed += 1
            except Exception as problem:
                self.total += 1
                note = printable(f"its page could not be made anew: {reason(problem)}")
                yield refused(job.student, self.assignment, note)

    def mark_all(
        self, students: list[str], most_seconds: float, postpone: Callable[[str], None]
    ) -> Iterator[Certificate]:
        """Mark the submissions; those that take too long are postponed."""
        waiting = self.handed_in(list(students), most_seconds)
        unfinished: deque[Finish] = deque()
        certificates: dict[str, Certificate] = {}

        def take() -> Mark | Finish | None:
            return unfinished.popleft() if unfinished else next(waiting, None)

        came: Iterator[list[tuple[Mark | Finish, Any, BaseException | None]]]
        came = self.workers.batches(take)
        for batch in came:
            marked: dict[str, Marked | NotGraded] = {}
            for job, done, error in batch:
                student = job.student
                if isinstance(job, Finish):
                    yield self.finish(certificates.pop(student), done, error)
                elif done is not None and done.certificate.timed_out and most_seconds < math.inf:
                    postpone(student)
                else:
                    for member in self.groups.with_all_members([student]):
                        marked[member] = not_graded(error) if done is None else done
            for student, certificate, entry in self.recorder.record(marked):
                done = marked[student]
                if entry is None or not isinstance(done, Marked):
                    yield self.recorder.end(certificate)
                elif done.is_ready_for(student, entry):
                    yield self.finish(certificate, done.written, None)
                else:
                    certificates[student] = certificate
                    unfinished.append(Finish(student, done.alone(), entry, *self.where(student)))

    def finish(
        self, certificate: Certificate, ready: Files | Written | None, error: BaseException | None
    ) -> Certificate:
        """Show what is ready of a student, or say why nothing is."""
        if ready is not None:
            return self.recorder.show(certificate, ready)
        problem = error if isinstance(error, OSError) else not_graded(error)
        return self.recorder.fail(certificate, problem)

    def where(self, student: str) -> tuple[list[str], Folders | None]:
        """Return what a certificate says beside, and where a worker writes, if it can."""
        folders = self.recorder.folders(student) if self.workers is self.local else None
        return self.recorder.notes(student), folders

    def handed_in(self, students: list[str], most_seconds: float) -> Iterator[Mark]:
        """Yield what is to be marked; for workers on other machines it is read here."""
        folders = self.begun(students)
        if self.workers is self.local:
            for student, folder in folders:
                known = self.known(student)
                yield Mark(student, folder, most_seconds, None, known, *self.where(student))
            return

        def take() -> Read | None:
            found = next(folders, None)
            return found and Read(*found)

        for job, handed, error in self.local.run(take):
            found = handed if error is None else not_graded(error)
            known = self.known(job.student)
            yield Mark(job.student, found, most_seconds, None, known, *self.where(job.student))

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
                self.recorder.autograde.begin(student)
            yield student, self.submission(student)

    def end(self) -> None:
        """Write what is told of the whole class."""
        class_ = self.book.read_class(self.assignment)
        earlier = map(row_of, read_certificates(self.reports / FOLDER, self.rows))
        rows = self.rows | {file_name(row.student): row for row in earlier}
        table = self.reports / "grades.csv"
        if table.is_dir():
            clear(table)
        write_rows(table, grade_rows((rows[name] for name in sorted(rows)), class_))
        clear(self.reports / UNFINISHED)


# What a run is made of


@contextmanager
def alone(coursedir: CourseDirectory) -> Iterator[None]:
    """Refuse to run beside another run in the same course, or in a course of another user's."""
    path, mode = Path(coursedir.root, ".grading.lock"), 0o664 if coursedir.groupshared else 0o644
    try:
        with FileLock(path, mode=mode).acquire(timeout=0):
            yield
    except Timeout:
        raise CourseError(
            "another run is at work in this course; wait until it has ended"
        ) from None
    except PermissionError as error:
        raise CourseError(
            f"{error.filename}: {error.strerror}; the course folder, and all in it, has to belong"
            " to the user who marks"
        ) from None
