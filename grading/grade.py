"""A class, marked: the grade book, autograded/ and reports/<assignment>/grades.csv."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps.api import NbGraderAPI

from grading import CourseError
from grading.course import check, open_course
from grading.execute import Execute
from grading.marks import Mark, read_marks


@dataclass
class Result:
    """
    The marks of one student.

    Attributes
    ----------
    student_id : str
    score, max_score : float
        As in the grade book: manual grades and late penalties count.
    marks : list of Mark
    status : str
        "graded"; "repaired" or "unreadable", as intake found it; "not graded" where
        something failed.
    note : str
        The mistakes named, function by function, or why nothing was graded.
    """

    student_id: str
    score: float
    max_score: float
    marks: list[Mark] = field(default_factory=list)
    status: str = "graded"
    note: str = ""


def grade(assignment: str, students: list[str], unprotected: bool = False) -> Iterator[Result]:
    """
    Mark the submissions of an assignment; write grades.csv, and the isolation in force.

    Parameters
    ----------
    assignment : str
    students : list of str
        Whose submissions; all that there are, if the list is empty.
    unprotected : bool
        Whether student code may run without a sandbox.

    Raises
    ------
    CourseError
        Where there is nothing to grade.
    """
    course = open_course(unprotected)
    submitted = sorted(path.parent.name for path in Path("submitted").glob(f"*/{assignment}"))
    if not submitted:
        raise CourseError(f"{assignment}: there are no folders submitted/<student>/{assignment}")
    unknown = set(students) - set(submitted)
    if unknown:
        raise CourseError(f"{assignment}: nothing submitted by {', '.join(sorted(unknown))}")
    in_force = isolation(course)  # where there is none, no mark is touched
    add_to_gradebook(course, assignment)
    results = []
    for student in students or submitted:
        results.append(grade_student(course, assignment, student))
        yield results[-1]
    reports = Path("reports") / assignment
    write_csv(reports / "grades.csv", results)
    (reports / "isolation.txt").write_text(f"{in_force}\n", "utf-8")


def isolation(course: NbGraderAPI) -> str:
    """Say what keeps student code apart in this course, in plain words."""
    return Execute(config=course.config).nursery().isolation


def add_to_gradebook(course: NbGraderAPI, assignment: str) -> None:
    """Publish the assignment where the grade book does not know it yet."""
    try:
        with course.gradebook as book:
            book.find_assignment(assignment).notebooks[0]
    except (MissingEntry, IndexError):
        check(course.generate_assignment(assignment, force=True), f"release {assignment}")


def grade_student(course: NbGraderAPI, assignment: str, student: str) -> Result:
    """Mark one submission, whatever state it is in."""
    try:
        check(course.autograde(assignment, student, force=True), student)
    except CourseError as error:
        with course.gradebook as book:
            max_score = book.find_assignment(assignment).max_score
        return Result(student, 0.0, max_score, status="not graded", note=str(error))
    graded = Path("autograded") / student / assignment / f"{assignment}.ipynb"
    notebook = nbformat.read(graded, as_version=4)
    marks = read_marks(notebook)
    intake = notebook.metadata.get("intake", {"status": "ok", "notes": []})
    status = "graded" if intake["status"] == "ok" else intake["status"]
    with course.gradebook as book:
        submission = book.find_submission(assignment, student)
        update_points(marks, book, assignment, student)
        score, max_score = submission.score, submission.max_score
    notes = [*intake["notes"]]
    if status in ("graded", "repaired"):
        notes.append(join_notes(marks))
    note = "; ".join(filter(None, notes))
    return Result(student, score, max_score, marks, status, note)


def join_notes(marks: list[Mark]) -> str:
    """Say in one line what is wrong: the named mistakes, or the first check that fails."""
    notes: dict[str, list[str]] = {}
    for mark in marks:
        if mark.note:
            notes.setdefault(mark.mistake or mark.note, []).append(mark.function)
    return "; ".join(
        note if len(functions) == len(marks) else f"{', '.join(functions)}: {note}"
        for note, functions in notes.items()
    )


def update_points(marks: list[Mark], book: Gradebook, assignment: str, student: str) -> None:
    """Take each function's points from the grade book, where a person may have changed them."""
    for mark in marks:
        entry = book.find_grade(f"test_{mark.function}", assignment, assignment, student)
        mark.points = entry.score


def write_csv(path: Path, results: list[Result]) -> None:
    """Write one line per student, fields quoted where they need it; keep those of others."""
    functions = next(([m.function for m in r.marks] for r in results if r.marks), [])
    rows = {}
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            rows = {row["student_id"]: row for row in csv.DictReader(file)}
    for result in results:
        rows[result.student_id] = {
            "student_id": result.student_id,
            "score": result.score,
            "max_score": result.max_score,
            **{mark.function: mark.points for mark in result.marks},
            "status": result.status,
            "note": result.note,
        }
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        columns = ["student_id", "score", "max_score", *functions, "status", "note"]
        writer = csv.DictWriter(file, columns, restval=0.0, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows[student] for student in sorted(rows))
