"""The pages that go to an LMS beside the marks: they say what the grade book says."""

from __future__ import annotations

from pathlib import Path

from grading.book import Entry, reason
from grading.exports.marks import Marks, PageConverter
from grading.feedback import Pages
from grading.feedback.made_of import is_true
from grading.run.record import permissions, show_pages
from grading.run.renew import make_anew
from grading.run.run import alone


def has_pages(marks: Marks) -> bool:
    """Tell whether anybody's feedback page was made."""
    return any(pages_of(marks, entry) for entry in marks.all)


def find_pages(marks: Marks, entries: dict[str, Entry]) -> dict[str, list[Path]]:
    """Return the feedback pages that were made, by the students' numbers in the LMS."""
    pages = {n: found for n, entry in entries.items() if (found := pages_of(marks, entry))}
    if not pages:
        return {}
    marks.note("no feedback page", [entry for n, entry in entries.items() if n not in pages])
    converter = marks.request.pages
    if converter is None:
        return pages
    older = [
        entries[n] for n, found in pages.items() if not all(is_true(p, entries[n]) for p in found)
    ]
    failed = renew(marks, converter, older) if older else set()
    return {n: found for n, found in pages.items() if entries[n].student_id not in failed}


def pages_of(marks: Marks, entry: Entry) -> list[Path]:
    """Return a student's pages, one of each notebook."""
    return sorted(folder_of(marks, "feedback", entry).glob("*.html"))


def folder_of(marks: Marks, step: str, entry: Entry) -> Path:
    """Return a student's folder in feedback/ or autograded/, wherever the course has put that."""
    student, assignment, converter = entry.student_id, marks.class_.assignment, marks.request.pages
    if converter is None:
        return marks.request.root / step / student / assignment
    course = converter.coursedir
    return Path(course.format_path(getattr(course, f"{step}_directory"), student, assignment))


def renew(marks: Marks, converter: PageConverter, entries: list[Entry]) -> set[str]:
    """Make pages anew that are older than what the grade book says; return whose that fails."""
    course, failed = converter.coursedir, dict[str, list[Entry]]()
    course.assignment_id = marks.class_.assignment
    with alone(course):
        assignment = converter.read_assignment()
        pages, mode = Pages(assignment), permissions(converter)
        for entry in entries:
            folder = folder_of(marks, "autograded", entry)
            marked = {name: folder / f"{name}.ipynb" for name in assignment.notebooks}
            try:
                ready = make_anew(pages, marked, entry, folder_of(marks, "feedback", entry), mode)
                show_pages(converter, entry.student_id, ready)
            except Exception as problem:
                failed.setdefault(reason(problem), []).append(entry)
    older = "without a page: theirs is older than the grade book, and cannot be made anew"
    for why, whose in failed.items():
        marks.note(f"{older} ({why})", whose)
    return {entry.student_id for whose in failed.values() for entry in whose}
