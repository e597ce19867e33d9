"""nbgrader's grade book, opened once for a whole run."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from unittest.mock import patch

from nbformat import NotebookNode
from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    MissingEntry,
    SourceCell,
    SubmittedAssignment,
    SubmittedNotebook,
)
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from grading import CourseError

# By these nbgrader looks up what belongs to a submission, in tables that have no index of them.
INDEXES = {"grade": "notebook_id", "comment": "notebook_id", "submitted_notebook": "assignment_id"}


@dataclass
class Entry:
    """
    What the grade book says of one submission.

    Attributes
    ----------
    auto : dict
        Points that the tests gave, by the name of the cell; None where none were given yet.
    points : dict
        Points that count: a person's, where a person gave some.
    late_penalty : float
    """

    auto: dict[str, float | None]
    points: dict[str, float]
    late_penalty: float

    @property
    def score(self) -> float:
        """Return the points of the whole submission."""
        return max(sum(self.points.values()) - self.late_penalty, 0.0)


class Book(Gradebook):
    """
    The grade book of a course, with one connection for a whole run.

    nbgrader's preprocessors open and close one each time; for the time of `save`
    they are handed this one.
    """

    def __init__(self, coursedir: CourseDirectory) -> None:
        self.rows: dict[type, dict[str, Any]] = {Grade: {}, Comment: {}}
        try:
            super().__init__(coursedir.db_url, coursedir.course_id)
            for table, column in INDEXES.items():
                name = f"{table}_by_{column}"
                self.db.execute(text(f"CREATE INDEX IF NOT EXISTS {name} ON {table} ({column})"))
            self.db.commit()
        except SQLAlchemyError as error:
            raise CourseError(f"The grade book cannot be opened: {reason(error)}") from None

    def __exit__(self, *_: object) -> None:
        """Stay open."""

    def cells(self, assignment: str) -> dict[str, SourceCell] | None:
        """Return the published cells by name; None before the first publication."""
        try:
            notebooks = self.find_assignment(assignment).notebooks
        except MissingEntry:
            return None
        return {cell.name: cell for each in notebooks for cell in each.source_cells} or None

    def graded_by_hand(self, assignment: str) -> set[str]:
        """Return the students to whom a person has given points or comments."""
        of_assignment = Assignment.name == assignment
        graded = self.db.query(SubmittedAssignment.student_id).join(Assignment)
        graded = graded.join(SubmittedNotebook).filter(of_assignment)
        grades = graded.join(Grade).filter(
            Grade.manual_score.is_not(None) | Grade.extra_credit.is_not(None)
        )
        comments = graded.join(Comment).filter(Comment.manual_comment.is_not(None))
        return {student for (student,) in [*grades.distinct(), *comments.distinct()]}

    def save(
        self,
        assignment: str,
        student: str,
        timestamp: datetime | None,
        notebook: NotebookNode,
        steps: Sequence[NbGraderPreprocessor],
    ) -> Entry:
        """
        Enter a marked notebook, all of it or, where something fails, nothing.

        Parameters
        ----------
        assignment, student : str
        timestamp : datetime or None
            When it was handed in.
        notebook : NotebookNode
        steps : sequence of preprocessors
            Those of nbgrader that enter grades and late penalties.
        """
        known = {} if timestamp is None else {"timestamp": timestamp}
        names = {"notebook": assignment, "assignment": assignment, "student": student}
        resources = {"nbgrader": {**names, "db_url": ""}}
        with self.one_transaction(), ExitStack() as stack:
            self.update_or_create_student(student)
            submission = self.update_or_create_submission(assignment, student, **known)
            self.rows = {kind: self.rows_of(submission, kind) for kind in (Grade, Comment)}
            # They would write each grade by itself; so all are written before the next reading.
            stack.enter_context(patch.object(self.db, "commit", lambda: None))
            for step in steps:
                module = sys.modules[type(step).__module__]
                if hasattr(module, "Gradebook"):
                    stack.enter_context(patch.object(module, "Gradebook", lambda *_: self))
                step(notebook, resources)
            entry = self.entries(assignment, student)[student]
        return entry

    def rows_of(self, submission: SubmittedAssignment, kind: type) -> dict[str, Any]:
        """Return all grades, or all comments, of a submission by the names of their cells."""
        rows = self.db.query(BaseCell.name, kind).join(BaseCell, BaseCell.id == kind.cell_id)
        rows = rows.join(SubmittedNotebook, SubmittedNotebook.id == kind.notebook_id)
        return dict(rows.filter(SubmittedNotebook.assignment_id == submission.id).all())

    # nbgrader looks each of them up by itself; here they are at hand.

    def find_grade(self, grade_cell: str, *names: str) -> Grade:
        """Return the grade of a cell of the submission that is being entered."""
        return self.rows[Grade].get(grade_cell) or super().find_grade(grade_cell, *names)

    def find_comment(self, solution_cell: str, *names: str) -> Comment:
        """Return the comment on a cell of the submission that is being entered."""
        return self.rows[Comment].get(solution_cell) or super().find_comment(solution_cell, *names)

    def entries(self, assignment: str, student: str | None = None) -> dict[str, Entry]:
        """Return what the grade book says of each student's submission."""
        query = (
            self.db.query(
                SubmittedAssignment.student_id,
                SubmittedNotebook.late_submission_penalty,
                BaseCell.name,
                Grade.auto_score,
                Grade.score,
            )
            .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
            .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
            .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
            .join(BaseCell, BaseCell.id == Grade.cell_id)
            .filter(Assignment.name == assignment)
        )
        if student is not None:
            query = query.filter(SubmittedAssignment.student_id == student)
        found: dict[str, Entry] = defaultdict(lambda: Entry({}, {}, 0.0))
        for owner, penalty, cell, auto, points in query:
            entry = found[owner]
            entry.auto[cell], entry.points[cell] = auto, points
            entry.late_penalty = penalty or 0.0
        return dict(found)

    @contextmanager
    def one_transaction(self) -> Iterator[None]:
        """Let nothing be committed before the end of the block."""
        try:
            with patch.object(self.db, "commit", self.db.flush):
                yield
            self.db.commit()
        except Exception:
            self.db.rollback()
            raise
        finally:
            self.rows = {Grade: {}, Comment: {}}
            self.db.expunge_all()  # or the session would hold the whole class


def reason(error: Exception) -> str:
    """Say in one line what went wrong."""
    said = " ".join(str(getattr(error, "orig", None) or error).split())
    expected = isinstance(error, CourseError | SQLAlchemyError)
    return said if expected else f"{type(error).__name__}: {said}"
