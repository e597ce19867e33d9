"""What came of a submission: what is sent back by those who mark it, and entered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from grading.entries import CellGrade, Entry, NewMarks, Place
from grading.intake.folder import SECRET, TIMESTAMP
from grading.marking.result import TestResult
from grading.run.certificate import CellMark, Certificate
from grading.run.files import Files, Written
from grading.source import Assignment, cells


@dataclass
class Marked:
    """
    A marked submission.

    Attributes
    ----------
    certificate : Certificate
        Without the marks.
    marks : NewMarks
    notebooks : dict of bytes
        JSON of each notebook with all outputs, by its name.
    results : dict
        The result of each test, by its place, in the order of the notebooks.
    secret : bytes
        As in `HandedIn`.
    foreseen : Entry or None
        What the grade book has to come to hold for `written` to be true.
    written : Files, Written or None
        What is ready by now; on another machine it cannot be written.
    """

    certificate: Certificate
    marks: NewMarks
    notebooks: dict[str, bytes]
    results: dict[Place, TestResult]
    secret: bytes
    foreseen: Entry | None = None
    written: Files | Written | None = None

    def foresee(self, known: Entry) -> Entry:
        """Return what the grade book is to hold of a student who is known like this."""
        grades = {
            place: CellGrade(points or 0.0, points, points is None)
            for place, points in self.marks.points.items()
        }
        return replace(known, grades=grades, comments={}, penalties={})

    def is_ready_for(self, student: str, entry: Entry) -> bool:
        """Tell whether what is ready is the student's, and says what the grade book holds."""
        foreseen = self.foreseen.shown if self.foreseen else None
        return self.certificate.student_id == student and foreseen == entry.shown

    def drop_for(self, student: str) -> None:
        """Take away what is ready, if it is the student's."""
        if isinstance(self.written, Written) and self.certificate.student_id == student:
            self.written.drop()

    def alone(self) -> Marked:
        """Return it without what is ready."""
        return replace(self, foreseen=None, written=None)

    def certify(
        self, student: str, notes: list[str], entry: Entry, max_points: Mapping[Place, float]
    ) -> Certificate:
        """Return the certificate of a student whose submission it is, with the marks."""
        return replace(
            self.certificate,
            student_id=student,
            notes=[*notes, *self.certificate.notes],
            score=entry.score,
            late_penalty=entry.penalty,
            cells=[
                CellMark(
                    *place,
                    points=entry.grades[place].points,
                    max_points=most,
                    auto_points=entry.grades[place].auto_points,
                    result=self.results.get(place),
                )
                for place, most in max_points.items()
                if place in entry.grades
            ],
        )

    def files(self, student: str) -> dict[str, bytes]:
        """Return what belongs into a student's folder in autograded/."""
        notebooks = {f"{name}.ipynb": text for name, text in self.notebooks.items()}
        return notebooks | self.of_the_exchange(student)

    def of_the_exchange(self, student: str) -> dict[str, bytes]:
        """Return what nbgrader's exchange asks for; the secret is that of who handed in alone."""
        time, own = self.marks.timestamp, student == self.certificate.student_id
        files = {TIMESTAMP: time.isoformat().encode()} if time else {}
        return files | ({SECRET: self.secret} if self.secret and own else {})


def graded_cells(assignment: Assignment) -> dict[Place, cells.Kind]:
    """Return the kind of each graded cell, in the order of the source."""
    return {
        Place(name, cells.grade_id(cell)): cells.kind_of(cell)
        for name, source in assignment.notebooks.items()
        for cell in source.notebook.cells
        if cells.kind_of(cell) in cells.GRADED
    }
