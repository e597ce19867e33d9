"""Marks for others: files that Canvas, Moodle and Gradescope import, and plain CSV.

The scores are the grade book's, manual grades and late penalties counted; the sentences come
from the certificates. Only who handed in is in a file for an LMS: what the others get is for the
LMS to say. The safest way is to fill in the LMS's own export (`--from`): its rows, names, ids
and titles stay, and one column is filled in.

`python -m grading export ASSIGNMENT --to canvas`, and the same with nbgrader:
`nbgrader export --exporter=grading.exports.CanvasExporter --assignment=ASSIGNMENT`, with
`--CanvasExporter.source=FILE` and `--CanvasExporter.column=TITLE` for `--from` and `--column`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook
from nbgrader.plugins import ExportPlugin
from traitlets import Unicode

from grading import CourseError
from grading.exports import canvas, gradescope, moodle
from grading.intake.submission import listed
from grading.results import StudentEntry, find_certificate, in_order, read_class
from grading.run.certificate import Certificate
from grading.sheets import guard, read_sheet, write_rows

COLUMNS = [
    *["assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email"],
    *["raw_score", "late_submission_penalty", "score", "max_score"],
]


@dataclass
class Order:
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
    """

    root: Path
    source: Path | None = None
    column: str = ""
    students: list[str] = field(default_factory=list)
    to: Path | None = None


@dataclass
class Export:
    """
    What was exported.

    Attributes
    ----------
    files : list of Path
    count : int
        How many students are in them.
    notes : list of str
        What the instructor should know, one line each.
    """

    files: list[Path]
    count: int
    notes: list[str] = field(default_factory=list)


class Marks:
    """An assignment's marks, and what the certificates say of them."""

    def __init__(self, book: Gradebook, assignment: str, order: Order) -> None:
        self.group = read_class(book, assignment)
        self.order = order
        self.reports = order.root / "reports" / assignment
        asked = set(order.students or [entry.student_id for entry in self.group.entries])
        unknown = asked - {entry.student_id for entry in self.group.entries}
        if unknown:
            raise CourseError(f"not in the grade book: {listed(sorted(unknown))}")
        self.all = [entry for entry in self.group.entries if entry.student_id in asked]
        self.notes: list[str] = []
        self._last: tuple[str, Certificate | None] = ("", None)
        self.damaged: set[str] = set()
        failed = {entry.student_id for entry in self.all if self.has_failed(entry)}
        self.entries = [e for e in self.all if e.handed_in and e.student_id not in failed]
        self.note("not graded, and left out", [e for e in self.all if e.student_id in failed])
        damaged = [entry for entry in self.all if entry.student_id in self.damaged]
        self.note("without a certificate that can be read; grade them again", damaged)
        self.note("still to be marked by a person", [e for e in self.entries if e.waits])

    def note(self, what: str, entries: Iterable[StudentEntry]) -> None:
        """Keep a line on some students."""
        names = [entry.student_id for entry in entries]
        if names:
            self.notes.append(f"{what}: {listed(names, 20)}")

    def found(self, key: str, entries: Iterable[StudentEntry]) -> None:
        """Keep a line on how the students were found in the LMS's file, and on the others."""
        known = {entry.student_id for entry in entries}
        if not known:
            raise CourseError(
                f"{self.order.source}: none of its rows is of a student in the grade book; is it "
                "of another course or assignment?"
            )
        self.notes.append(f"{len(known)} students were found by {key}")
        missing = [entry for entry in self.entries if entry.student_id not in known]
        self.note(f"not in {self.order.source}", missing)

    def certificate(self, entry: StudentEntry) -> Certificate | None:
        """Return a student's certificate, None where there is none; the last one is kept."""
        student = entry.student_id
        if self._last[0] != student:
            try:
                self._last = student, find_certificate(self.reports, student)
            except CourseError:
                self.damaged.add(student)
                self._last = student, None
        return self._last[1]

    def has_failed(self, entry: StudentEntry) -> bool:
        """Tell whether the grade book's marks are not those of what was handed in."""
        certificate = self.certificate(entry)
        return certificate is not None and certificate.status == "not graded"

    def functions(self, entry: StudentEntry) -> dict[str, dict[str, Any]]:
        """Return what the certificate says of each function, in the order of the tests."""
        certificate = self.certificate(entry)
        return {each["function"]: each for each in certificate.functions} if certificate else {}

    def remarks(self, entry: StudentEntry) -> list[str]:
        """Return the sentences that a student reads beside the score, one line each."""
        certificate, functions = self.certificate(entry), self.functions(entry)
        unread = certificate is not None and certificate.status in ("unreadable", "missing")
        lines = list(certificate.notes) if unread else []
        for name, points in in_order(entry.points, list(functions)):
            most = self.group.max_points.get(name, points)
            said = [functions[name][key] for key in ("note", "rule")] if name in functions else []
            line = f"{name}: {points:g} of {most:g} points."
            lines.append(" ".join(filter(None, [line, *said])) if points < most else line)
        if entry.penalty:
            lines.append(f"Handed in late: {entry.penalty:g} points off.")
        return lines


def export(book: Gradebook, assignment: str, way: str, order: Order) -> Export:
    """
    Write an assignment's marks as "canvas", "moodle", "gradescope" or "csv" wants them.

    Raises
    ------
    CourseError
        Where there are no marks, or the LMS's file does not fit.
    """
    marks = Marks(book, assignment, order)
    if not marks.entries:
        raise CourseError(f"{assignment}: there are no marks to export")
    name, write = WAYS[way]
    path = order.to or marks.reports / "export" / name
    files, count = write(marks, path)
    return Export(files, count, marks.notes)


def to_canvas(marks: Marks, path: Path) -> tuple[list[Path], int]:
    """Write a grade book for Canvas: see `canvas`."""
    if not marks.order.source:
        canvas.write_grade_book(path, marks.group, marks.entries)
        return [path], len(marks.entries)
    sheet = read_sheet(marks.order.source)
    key, entries = canvas.fill_in(sheet, marks.group, marks.entries, marks.order.column)
    marks.found(key, entries)
    sheet.write(path)
    return [path], len(entries)


def to_moodle(marks: Marks, path: Path) -> tuple[list[Path], int]:
    """Write a worksheet and, where feedback was made, its zip for Moodle: see `moodle`."""
    if marks.order.source:
        sheet = read_sheet(marks.order.source)
        key, entries = moodle.fill_in(
            sheet, marks.group, marks.entries, marks.order.column, marks.remarks
        )
        marks.found(key, entries.values())
        sheet.write(path)
    else:
        entries = {n: entry for entry in marks.entries if (n := moodle.number_of(entry))}
        if not entries:
            raise CourseError(
                f"{marks.group.assignment}: no participant numbers are known. Download the "
                "grading worksheet from Moodle, and name it with --from"
            )
        unknown = [entry for entry in marks.entries if not moodle.number_of(entry)]
        marks.note("no participant number, and left out", unknown)
        moodle.write_worksheet(path, marks.group, entries, marks.remarks)
    name = marks.group.assignment
    feedback = marks.order.root / "feedback"
    pages = {n: feedback / e.student_id / name / f"{name}.html" for n, e in entries.items()}
    there = {n: page for n, page in pages.items() if page.is_file()}
    marks.note("no feedback page", [entry for n, entry in entries.items() if n not in there])
    if not there:
        return [path], len(entries)
    archive = path.with_name(f"{path.stem}_feedback.zip")
    moodle.write_feedback(archive, there, {n: entry.name for n, entry in entries.items()})
    return [path, archive], len(entries)


def to_gradescope(marks: Marks, path: Path) -> tuple[list[Path], int]:
    """Write an autograder for Gradescope that holds the results: see `gradescope`."""
    most = marks.group.max_points
    results = (
        (e, gradescope.results(e, most, marks.functions(e), marks.remarks(e)))
        for e in marks.entries
    )
    gradescope.write_autograder(path, results)
    return [path], len(marks.entries)


def to_csv(marks: Marks, path: Path) -> tuple[list[Path], int]:
    """Write the columns of `nbgrader export`, quoted."""
    write_rows(path, [COLUMNS, *csv_rows(marks)])
    return [path], len(marks.all)


def csv_rows(marks: Marks) -> Iterator[list[object]]:
    """Yield a row for every student, 0 points for those who did not hand in."""
    for entry in marks.all:
        yield [
            *[marks.group.assignment, marks.group.due, entry.timestamp, guard(entry.student_id)],
            *[guard(text) for text in (entry.last_name, entry.first_name, entry.email)],
            *[entry.raw_score, entry.penalty, entry.score, marks.group.max_score],
        ]


WAYS: dict[str, tuple[str, Callable[[Marks, Path], tuple[list[Path], int]]]] = {
    "canvas": ("canvas.csv", to_canvas),
    "moodle": ("moodle.csv", to_moodle),
    "gradescope": ("gradescope.zip", to_gradescope),
    "csv": ("marks.csv", to_csv),
}


# nbgrader export --exporter=grading.exports....


class Exporter(ExportPlugin):
    """What the plug-ins for `nbgrader export` have in common."""

    way = ""
    source = Unicode("", help="The file that the LMS exported, to fill in.").tag(config=True)
    column = Unicode("", help="The title of its column to fill in.").tag(config=True)

    def export(self, gradebook: Gradebook) -> None:
        """Export, and log what was done; a problem is one line."""
        try:
            self.export_assignment(gradebook)
        except CourseError as problem:
            self.parent.fail(str(problem))

    def export_assignment(self, gradebook: Gradebook) -> None:
        """Export the assignment asked for, or the only one that there is."""
        names = list(self.assignment) or [each.name for each in gradebook.assignments]
        if len(names) != 1:
            raise CourseError(f"say which assignment, with --assignment: {', '.join(names)}")
        self.log_export(export(gradebook, names[0], self.way, self.order()))

    def order(self) -> Order:
        """Return what is asked for on nbgrader's command line."""
        source = Path(self.source) if self.source else None
        students = [str(student) for student in self.student]
        to = Path(self.to) if self.to else None
        root = Path(self.parent.coursedir.root)
        return Order(root, source, self.column, students, to)

    def log_export(self, done: Export) -> None:
        """Say what was written."""
        for line in done.notes:
            self.log.warning(line)
        self.log.info("%d students in %s", done.count, ", ".join(map(str, done.files)))


class CanvasExporter(Exporter):
    """A grade book for Canvas."""

    way = "canvas"


class MoodleExporter(Exporter):
    """A grading worksheet and a zip of feedback for Moodle."""

    way = "moodle"


class GradescopeExporter(Exporter):
    """Results for Gradescope."""

    way = "gradescope"


class CsvExporter(Exporter):
    """All assignments as nbgrader exports them, but with every field quoted that needs it."""

    def export_assignment(self, gradebook: Gradebook) -> None:
        """Export the assignments asked for, or all, to grades.csv."""
        names = list(self.assignment) or [each.name for each in gradebook.assignments]
        marks = [Marks(gradebook, name, self.order()) for name in names]
        path = Path(self.to or "grades.csv")
        write_rows(path, [COLUMNS, *(row for each in marks for row in csv_rows(each))])
        notes = [note for each in marks for note in each.notes]
        self.log_export(Export([path], sum(len(each.all) for each in marks), notes))
