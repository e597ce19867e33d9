"""Fills in certificates: what came of a submission, and why some could not be marked."""

from __future__ import annotations

from concurrent.futures.process import BrokenProcessPool

from grading import CourseError
from grading.book import reason
from grading.intake.notes import printable
from grading.run.bounds import TookTooMuch
from grading.run.certificate import Certificate


class NotGraded(CourseError):
    """Why a submission could not be marked."""


def not_graded(error: BaseException | None) -> NotGraded:
    """Say why a submission could not be marked; what says it by now says no more."""
    if isinstance(error, NotGraded):
        return error
    if isinstance(error, CourseError):  # the course's own fault, and not the submission's
        return NotGraded(f"could not be marked: {error}")
    said = str(error) if isinstance(error, TookTooMuch) else f"{type(error).__name__}: {error}"
    if isinstance(error, BrokenProcessPool):
        said = "our own work on it ended its process: it took too much time or memory"
    return NotGraded(f"could not be marked: {said}; look at what was handed in")


NO_TEXT = "the folder in submitted/ has a name that is no plain text: rename it"
STRANGER = (
    "is not in the grade book, and Autograde.create_student is off:"
    " `nbgrader db student add` enters a student"
)


def refused(student: str, assignment: str, note: str) -> Certificate:
    """Return what is told of a student for whom nothing can be marked or entered."""
    return Certificate(printable(student), assignment, "not graded", [note])


def fail(certificate: Certificate, problem: Exception) -> None:
    """Note that a submission could not be marked, and why."""
    certificate.status = "not graded"
    certificate.notes = [*certificate.notes, printable(reason(problem))]
