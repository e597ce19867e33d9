"""What is known of a marked class: scores from the grade book, all else from certificates."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from nbgrader.api import (
    BaseCell,
    Grade,
    Gradebook,
    MissingEntry,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)
from sqlalchemy import and_

from grading import CourseError
from grading.run.certificate import FOLDER, Certificate, file_name, read_certificate


@dataclass(slots=True)
class StudentEntry:
    """
    What the grade book holds of one student.

    Attributes
    ----------
    student_id, last_name, first_name, email, lms_user_id : str
        "" where the grade book has none.
    handed_in : bool
        Whether there is a submission of the assignment.
    timestamp : datetime or None
        When it was handed in, in UTC.
    seconds_late : float
        Past the due date, extensions counted; 0 where either is not known.
    penalty : float
        Points off for that.
    points, auto_points : dict
        Points of each function, as they count and as the tests gave them.
    waits : bool
        Whether a part is still to be marked by a person.
    """

    student_id: str
    last_name: str
    first_name: str
    email: str
    lms_user_id: str
    handed_in: bool = False
    timestamp: datetime | None = None
    seconds_late: float = 0.0
    penalty: float = 0.0
    points: dict[str, float] = field(default_factory=dict)
    auto_points: dict[str, float | None] = field(default_factory=dict)
    waits: bool = False

    @property
    def raw_score(self) -> float:
        """The points of all functions."""
        return sum(self.points.values(), 0.0)

    @property
    def score(self) -> float:
        """The points less the penalty, and never below 0: what nbgrader exports."""
        return max(0.0, self.raw_score - self.penalty)

    @property
    def name(self) -> str:
        """The name as one says it; the id where there is none."""
        return f"{self.first_name} {self.last_name}".strip() or self.student_id


@dataclass
class Class:
    """
    An assignment and its students.

    Attributes
    ----------
    assignment : str
    due : datetime or None
    max_points : dict
        Of each function, in no particular order.
    entries : list of StudentEntry
        Every student in the grade book, by id.
    """

    assignment: str
    due: datetime | None
    max_points: dict[str, float]
    entries: list[StudentEntry]

    @property
    def max_score(self) -> float:
        """The points of all functions."""
        return sum(self.max_points.values())


def read_class(book: Gradebook, assignment: str) -> Class:
    """
    Read all that the grade book holds of an assignment, with a few queries for any class.

    Raises
    ------
    CourseError
        Where the grade book does not know the assignment.
    """
    try:
        known = book.find_assignment(assignment)
    except MissingEntry:
        raise CourseError(
            f"{assignment} is not in the grade book: run `python -m grading grade {assignment}`"
        ) from None
    columns = [Student.id, Student.last_name, Student.first_name, Student.email]
    students = (
        book.db.query(*columns, Student.lms_user_id, SubmittedAssignment)
        .outerjoin(
            SubmittedAssignment,
            and_(
                SubmittedAssignment.student_id == Student.id,
                SubmittedAssignment.assignment_id == known.id,
            ),
        )
        .order_by(Student.id)
    )
    entries = {}
    for *texts, submission in students:
        entry = StudentEntry(*[text or "" for text in texts])
        if submission is not None:
            entry.handed_in = True
            entry.timestamp = submission.timestamp
            if submission.timestamp and known.duedate:
                due = (
                    known.duedate + submission.extension if submission.extension else known.duedate
                )
                entry.seconds_late = max(0.0, (submission.timestamp - due).total_seconds())
        entries[entry.student_id] = entry
    of_this = SubmittedAssignment.assignment_id == known.id
    for student, penalty in (
        book.db.query(SubmittedAssignment.student_id, SubmittedNotebook.late_submission_penalty)
        .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .filter(of_this)
    ):
        entries[student].penalty += penalty or 0.0
    grades = (
        book.db.query(
            SubmittedAssignment.student_id,
            BaseCell.name,
            Grade.score,
            Grade.auto_score,
            Grade.needs_manual_grade,
        )
        .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
        .join(BaseCell, BaseCell.id == Grade.cell_id)
        .filter(of_this)
    )
    for student, cell, score, auto_score, waits in grades:
        function = cell.removeprefix("test_")
        entries[student].points[function] = score
        entries[student].auto_points[function] = auto_score
        entries[student].waits |= waits
    cells = [
        c for notebook in known.notebooks for c in (*notebook.grade_cells, *notebook.task_cells)
    ]
    max_points = {cell.name.removeprefix("test_"): cell.max_score for cell in cells}
    return Class(assignment, known.duedate, max_points, list(entries.values()))


def in_order(points: dict[str, float], order: list[str]) -> list[tuple[str, float]]:
    """Return the points of the functions in this order, those of others at the end."""
    names = [name for name in order if name in points]
    return [(name, points[name]) for name in [*names, *sorted(points.keys() - set(names))]]


def find_certificate(reports: Path, student: str) -> Certificate | None:
    """
    Return a student's certificate, None where there is none.

    Raises
    ------
    CourseError
        Where it cannot be read.
    """
    path = reports / FOLDER / file_name(student)
    return read_certificate(path) if path.exists() else None
