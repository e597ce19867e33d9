"""What came of submissions is recorded: in the grade book, in folders, and in certificates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from nbgrader.coursedir import CourseDirectory

from grading.book import Book
from grading.entries import Entry, LatePenalty
from grading.marking.result import total
from grading.run.certificate import FOLDER, Certificate, file_name
from grading.run.certify import NotGraded, fail
from grading.run.files import Files, Folders, Parts, Written, clear
from grading.run.groups import Groups
from grading.run.marked import Marked
from grading.run.worker import Settings, new_writer
from grading.source import Assignment


class Converter(Protocol):
    """What nbgrader's converters do before and after their work on a student's folder."""

    post_convert_hook: Any
    permissions: int

    def begin(self, student: str) -> None:
        """Run the hook before it."""

    def end(self, student: str) -> None:
        """Run the hook after it."""


def permissions(converter: Converter) -> int:
    """Return those of the files that a converter writes."""
    return int(str(converter.permissions), 8)


def show_pages(converter: Converter, student: str, pages: Parts) -> None:
    """Put a student's pages where they belong, with the hooks of the course around it."""
    converter.begin(student)
    pages.show()
    converter.end(student)


class Recorder:
    """
    Records marked submissions.

    A certificate is taken away before anything of a student changes, and shown last: so a run
    that is killed on the way leaves none, and the next one marks the submission again.

    Parameters
    ----------
    coursedir : CourseDirectory
    book : Book
    source : Assignment
    settings : Settings
    late_penalty : callable
    groups : Groups
    converters : pair of Converter
        That of the marked notebooks, and that of the pages.
    """

    def __init__(
        self,
        coursedir: CourseDirectory,
        book: Book,
        source: Assignment,
        settings: Settings,
        late_penalty: LatePenalty,
        groups: Groups,
        converters: tuple[Converter, Converter],
    ) -> None:
        self.coursedir, self.book, self.late_penalty = coursedir, book, late_penalty
        self.certificates = Path(coursedir.root, "reports", source.name, FOLDER)
        self.groups, self.max_points = groups, dict(settings.max_points)
        self.autograde, self.feedback = converters
        most = total(self.max_points.values())
        # of a submission of which nothing is known
        self.blank = Certificate("", source.name, "not graded", [], max_score=most)
        self.blank.source = settings.hashes
        self.writer = new_writer(source, settings)  # for what workers elsewhere could not write

    def folders(self, student: str) -> Folders:
        """Return where a student's files lie."""
        course, assignment = self.coursedir, self.blank.assignment
        steps = course.autograded_directory, course.feedback_directory
        marked, pages = (Path(course.format_path(s, student, assignment)) for s in steps)
        return Folders(marked, pages, self.certificate(student))

    def certificate(self, student: str) -> Path:
        """Return where a student's certificate lies."""
        return self.certificates / file_name(student)

    def notes(self, student: str) -> list[str]:
        """Return what a student's certificate says beside of what was handed in."""
        return [self.groups.notes[student]] if student in self.groups.notes else []

    def record(
        self, marked: Mapping[str, Marked | NotGraded]
    ) -> Iterator[tuple[str, Certificate, Entry | None]]:
        """
        Enter marks.

        Yields student, certificate and what the grade book holds; None, where nothing is entered.
        """
        for student in marked:
            clear(self.certificate(student))
        entries = self.save({s: each for s, each in marked.items() if isinstance(each, Marked)})
        for student, each in marked.items():
            notes, entry = self.notes(student), entries.get(student)
            if isinstance(each, Marked) and isinstance(entry, Entry):
                yield student, each.certify(student, notes, entry, self.max_points), entry
                continue
            known = each.certificate if isinstance(each, Marked) else self.blank
            certificate = replace(known, student_id=student, notes=[*notes, *known.notes])
            if isinstance(each, NotGraded):
                fail(certificate, each)
            elif isinstance(entry, Exception):
                fail(certificate, entry)
                each.drop_for(student)
            yield student, certificate, None

    def save(self, marked: dict[str, Marked]) -> dict[str, Entry | Exception]:
        """Enter the marks of submissions into the grade book; one alone where that fails."""
        if not marked:
            return {}
        marks = {student: each.marks for student, each in marked.items()}
        try:
            return {**self.book.save(self.blank.assignment, marks, self.late_penalty)}
        except Exception as problem:
            if len(marked) == 1:
                return dict.fromkeys(marked, problem)
        alone = [self.save({student: each}) for student, each in marked.items()]
        return {student: entry for found in alone for student, entry in found.items()}

    def show(self, certificate: Certificate, ready: Files | Written) -> Certificate:
        """Show all that is ready of a student of whom the grade book holds the marks."""
        student = certificate.student_id
        try:
            if isinstance(ready, Files):
                ready = self.writer.write(self.folders(student), ready)
            ready.marked.show()
            self.autograde.end(student)
            show_pages(self.feedback, student, ready.pages)
            ready.certificate.show()
        except Exception as problem:
            return self.fail(certificate, problem)
        return certificate

    def fail(self, certificate: Certificate, problem: Exception) -> Certificate:
        """Say why something of a student could not be done."""
        fail(certificate, problem)
        return self.end(certificate)

    def end(self, certificate: Certificate) -> Certificate:
        """Write a certificate of which nothing else is ready."""
        certificate.write(self.certificates)
        return certificate
