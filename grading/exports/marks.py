"""What is to be exported: the marks of the grade book, and what the certificates say of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Protocol

from nbgrader.coursedir import CourseDirectory

from grading import CourseError
from grading.book import Book, Entry, Place
from grading.findings import NOTHING, Finding, Words
from grading.intake.notes import listed
from grading.marking.result import TestResult
from grading.marking.retold import retold
from grading.run.certificate import Certificate, find_certificate
from grading.run.record import Converter
from grading.sheets import column_titles
from grading.source import Assignment
from grading.source.catalogue import ENGLISH, words_with


class PageConverter(Converter, Protocol):
    """What nbgrader's converter of pages does."""

    coursedir: CourseDirectory

    def read_assignment(self) -> Assignment:
        """Return the assignment at hand."""


@dataclass
class ExportRequest:
    """
    What is to be exported.

    Attributes
    ----------
    root : Path
        The course.
    source : Path or None
        The LMS's own export, to fill in.
    column : str
        The title of its column for the assignment; "" where the name tells.
    students : list of str
        Whose marks; all, if the list is empty.
    to : Path or None
        The file to write, if not `reports/<assignment>/export/`.
    scale : bool
        Whether points count in proportion where the LMS has other full marks.
    pages : PageConverter or None
        What makes pages anew that are older than the grade book; None leaves all as they are.
    """

    root: Path
    source: Path | None = None
    column: str = ""
    students: list[str] = field(default_factory=list)
    to: Path | None = None
    scale: bool = False
    pages: PageConverter | None = None


class Marks:
    """An assignment's marks, and what the certificates say of them."""

    def __init__(self, book: Book, assignment: str, request: ExportRequest) -> None:
        self.class_ = book.read_class(assignment)
        self.titles = column_titles(self.class_.max_points)
        self.request = request
        self.reports = request.root / "reports" / assignment
        asked = set(request.students or self.class_.entries)
        unknown = asked - self.class_.entries.keys()
        if unknown:
            raise CourseError(f"not in the grade book: {listed(sorted(unknown))}")
        self.all = [e for student, e in self.class_.entries.items() if student in asked]
        self.notes: list[str] = []
        self._last: tuple[str, Certificate | None] = ("", None)
        self.damaged: set[str] = set()
        self._words: dict[str, Words] = {ENGLISH: {}}
        failed = {entry.student_id for entry in self.all if self.has_failed(entry)}
        self.entries = [e for e in self.all if e.handed_in and e.student_id not in failed]
        self.note("not graded, and left out", [e for e in self.all if e.student_id in failed])
        damaged = [entry for entry in self.all if entry.student_id in self.damaged]
        self.note("without a certificate that can be read; grade them again", damaged)
        self.note("still to be marked by a person", [e for e in self.entries if e.is_open])
        looked_at = [e for e in self.entries if e.waits and not e.is_open]
        self.note("marked again since a person gave points; look again", looked_at)

    def note(self, what: str, entries: Iterable[Entry]) -> None:
        """Keep a line on some students."""
        names = [entry.student_id for entry in entries]
        if names:
            self.notes.append(f"{what}: {listed(names, 20)}")

    def found(self, key: str, entries: Iterable[Entry]) -> None:
        """Keep a line on how the students were found in the LMS's file, and on the others."""
        known = {entry.student_id for entry in entries}
        if not known:
            raise CourseError(
                f"{self.request.source}: none of its rows is of a student in the grade book; is it "
                "of another course or assignment?"
            )
        self.notes.append(f"{len(known)} students were found by {key}")
        missing = [entry for entry in self.entries if entry.student_id not in known]
        self.note(f"not in {self.request.source}", missing)

    def certificate(self, entry: Entry) -> Certificate | None:
        """Return a student's certificate, None where there is none; the last one is kept."""
        student = entry.student_id
        if self._last[0] != student:
            try:
                self._last = student, find_certificate(self.reports, student)
            except CourseError:
                self.damaged.add(student)
                self._last = student, None
        return self._last[1]

    def has_failed(self, entry: Entry) -> bool:
        """Tell whether the grade book's marks are not those of what was handed in."""
        certificate = self.certificate(entry)
        return certificate is not None and certificate.status == "not graded"

    def results(self, entry: Entry) -> dict[Place, TestResult | None]:
        """Return what the tests found in each graded cell, in the order of the notebook."""
        certificate = self.certificate(entry)
        cells = certificate.cells if certificate else []
        found = {Place(mark.notebook, mark.cell): mark.result for mark in cells}
        known = [place for place in found if place in entry.grades]
        return {p: found.get(p) for p in [*known, *sorted(entry.grades.keys() - set(known))]}

    def words(self, entry: Entry) -> Words:
        """Return what is said in the language of the notebook that came in."""
        certificate = self.certificate(entry)
        language = certificate.language if certificate else ENGLISH
        if language not in self._words:
            own = self.request.root / "source" / self.class_.assignment / language / "mistakes.po"
            self._words[language] = words_with(language, own.read_bytes() if own.is_file() else b"")
        return self._words[language]

    def remarks(self, entry: Entry) -> list[str]:
        """Return the sentences that a student reads beside the score, one line each."""
        certificate = self.certificate(entry)
        lines = []
        if certificate is not None and certificate.status in ("unreadable", "missing"):
            lines += certificate.told or certificate.notes
        about = [self.remark(*each, entry) for each in self.results(entry).items()]
        if entry.penalty:
            off = {"points": f"{entry.penalty:g}"}
            about.append(Finding("Handed in late: {points} points off.", off))
        return lines + [each.said(self.words(entry)) for each in about]

    def remark(self, place: Place, result: TestResult | None, entry: Entry) -> Finding:
        """Say what one graded cell earned, and why."""
        points, most = entry.points[place], self.class_.max_points[place]
        fields = {"title": self.titles[place], "points": f"{points:g}", "most": f"{most:g}"}
        said = [Finding("{title}: {points} of {most} points.", fields)]
        if entry.grades[place].is_open:
            said.append(Finding("Not marked yet.", {}))
        elif result and points < most:
            said += [retold(each) for each in (result.first, result.rule) if each]
        return reduce(beside, said)


def beside(one: Finding, other: Finding) -> Finding:
    """Say the one, and then the other."""
    return Finding("{one} {other}", {"one": one, "other": other}) if other != NOTHING else one
