"""The ways to export marks: for Canvas, Moodle and Gradescope, and as plain CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from grading import CourseError
from grading.book import Book
from grading.exports import canvas, gradescope, moodle
from grading.exports.marks import ExportRequest, Marks
from grading.exports.pages import find_pages, has_pages
from grading.intake.downloads import find_uploads
from grading.sheets import read_sheet, write_rows

CSV_COLUMNS = [
    *["assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email"],
    *["raw_score", "late_submission_penalty", "score", "max_score"],
]


@dataclass
class Report:
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


def export(book: Book, assignment: str, way: str, request: ExportRequest) -> Report:
    """
    Write an assignment's marks as "canvas", "moodle", "gradescope" or "csv" wants them.

    Raises
    ------
    CourseError
        Where there are no marks, or the LMS's file does not fit.
    """
    if way not in WAYS:
        raise CourseError(f"--to {way}: no way to export; one of {', '.join(WAYS)}")
    marks = Marks(book, assignment, request)
    if not marks.entries:
        raise CourseError(f"{assignment}: there are no marks to export")
    name, write = WAYS[way]
    path = request.to or marks.reports / "export" / name
    files, count = write(marks, path)
    return Report(files, count, marks.notes)


def export_all(book: Book, assignments: list[str], path: Path, request: ExportRequest) -> Report:
    """Write the marks of several assignments into one file of plain CSV."""
    marks = [Marks(book, name, request) for name in assignments]
    write_rows(path, [CSV_COLUMNS, *(row for each in marks for row in csv_rows(each))])
    notes = [note for each in marks for note in each.notes]
    return Report([path], len({entry.student_id for each in marks for entry in each.all}), notes)


def to_canvas(marks: Marks, path: Path) -> tuple[list[Path], int]:
    """Write a grade book and, where feedback was made, its zip for Canvas: see `canvas`."""
    if marks.request.source:
        sheet = read_sheet(marks.request.source)
        key, entries = canvas.fill_in(sheet, marks)
        marks.found(key, entries.values())
        sheet.write(path)
        count = len(entries)
    else:
        written = canvas.write_grade_book(path, marks)
        entries = {entry.lms_user_id: entry for entry in written if entry.lms_user_id}
        count = len(written)
    downloads = marks.request.root / "downloaded" / marks.class_.assignment / "archive"
    uploads = find_uploads(downloads)
    if not uploads and has_pages(marks):
        marks.notes.append(
            "without the pages: they go back by the names in Canvas's download. Put it (the "
            f"assignment > Download Submissions) into {downloads}, and export again"
        )
    pages = find_pages(marks, entries) if uploads else {}
    if not pages:
        return [path], count
    marks.note(
        f"not in Canvas's download in {downloads}, and so without a page",
        [entries[n] for n in pages if n not in uploads],
    )
    pages = {n: found for n, found in pages.items() if n in uploads}
    if not pages:
        return [path], count
    archive = path.with_name(f"{path.stem}_feedback.zip")
    canvas.write_feedback(archive, pages, uploads)
    return [path, archive], count


def to_moodle(marks: Marks, path: Path) -> tuple[list[Path], int]:
    """Write a worksheet and, where feedback was made, its zip for Moodle: see `moodle`."""
    if marks.request.source:
        sheet = read_sheet(marks.request.source)
        key, entries = moodle.fill_in(sheet, marks)
        marks.found(key, entries.values())
        sheet.write(path)
    else:
        entries = {entry.lms_user_id: entry for entry in marks.entries if entry.lms_user_id}
        if not entries:
            raise CourseError(
                f"{marks.class_.assignment}: no participant numbers are known. Download the "
                "grading worksheet from Moodle, and name it with --from"
            )
        unknown = [entry for entry in marks.entries if not entry.lms_user_id]
        marks.note("no participant number, and left out (use --from)", unknown)
        moodle.write_worksheet(path, marks, entries)
    pages = find_pages(marks, entries)
    if not pages:
        return [path], len(entries)
    archive = path.with_name(f"{path.stem}_feedback.zip")
    moodle.write_feedback(archive, pages, {n: entry.name for n, entry in entries.items()})
    return [path, archive], len(entries)


def to_gradescope(marks: Marks, path: Path) -> tuple[list[Path], int]:
    """Write an autograder for Gradescope that holds the results: see `gradescope`."""
    shown = ((entry, gradescope.shown_results(marks, entry)) for entry in marks.entries)
    gradescope.write_autograder(path, shown)
    if has_pages(marks):
        where = marks.request.root / "feedback" / "STUDENT" / marks.class_.assignment
        marks.notes.append(
            "without the pages, which Gradescope cannot show: each check is there with its "
            f"sentence, and a page to hand on is in {where}"
        )
    return [path], len(marks.entries)


def to_csv(marks: Marks, path: Path) -> tuple[list[Path], int]:
    """Write the columns of `nbgrader export`, quoted."""
    write_rows(path, [CSV_COLUMNS, *csv_rows(marks)])
    return [path], len(marks.all)


def csv_rows(marks: Marks) -> Iterator[list[object]]:
    """Yield a row for every student, 0 points for those who did not hand in."""
    for entry in marks.all:
        yield [
            *[marks.class_.assignment, marks.class_.due, entry.timestamp],
            *[entry.student_id, entry.last_name, entry.first_name, entry.email],
            *[entry.raw_score, entry.penalty, entry.score, marks.class_.max_score],
        ]


WAYS: dict[str, tuple[str, Callable[[Marks, Path], tuple[list[Path], int]]]] = {
    "canvas": ("canvas.csv", to_canvas),
    "moodle": ("moodle.csv", to_moodle),
    "gradescope": ("gradescope.zip", to_gradescope),
    "csv": ("marks.csv", to_csv),
}
