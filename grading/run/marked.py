"""What came of a submission: what is sent back by those who mark it, and entered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from grading.entries import Entry, NewMarks, Place
from grading.marking.result import NOT_GRADED, TestResult
from grading.rooms import Took
from grading.run.certificate import environment
from grading.source import Assignment, cells


@dataclass
class Marked:
    """
    A marked submission; what is not said here, as in `Certificate`.

    Attributes
    ----------
    submission : str
        Hash of what was handed in.
    status, notes, timestamp
        As in `Intake`; "not graded" where a test has a fault of its own.
    secret : bytes
        As in `HandedIn`.
    unanswered : list of Place
        The cells that are as they were released.
    not_there : list of str
        The names of the notebooks of which nothing could be read.
    notebooks : dict of str
        JSON of each notebook with all outputs, by its name.
    results : dict
        The result of each test, by its place, in the order of the notebooks.
    pages : dict of str
        The pages that the student gets back, by notebook, if the grade book comes to hold
        what was `foreseen`; {} where they are still to be made.
    foreseen : Entry or None
    """

    submission: str
    status: str
    notes: list[str]
    told: list[str]
    timestamp: datetime | None
    secret: bytes
    unanswered: list[Place]
    not_there: list[str]
    notebooks: dict[str, str]
    results: dict[Place, TestResult]
    language: str
    hidden_data: str
    isolation: str
    took: Took
    environment: dict[str, str] = field(default_factory=environment)
    pages: dict[str, str] = field(default_factory=dict)
    foreseen: Entry | None = None

    def marks(self, graded: Mapping[Place, cells.Kind]) -> NewMarks:
        """Return what is to be entered, for these graded cells."""
        points: dict[Place, float | None] = {}
        for place, kind in graded.items():
            if kind is cells.Kind.TEST:
                result = self.results[place]
                points[place] = None if result.stopped == NOT_GRADED else result.points
            else:
                nothing = place in self.unanswered or place.notebook in self.not_there
                points[place] = 0.0 if nothing else None
        return NewMarks(self.timestamp, points, self.unanswered, self.not_there)

    def has_pages_for(self, entry: Entry) -> bool:
        """Tell whether the pages say what the grade book holds."""
        foreseen = shown(self.foreseen) if self.foreseen else None
        return bool(self.pages) and foreseen == shown(entry)


def graded_cells(assignment: Assignment) -> dict[Place, cells.Kind]:
    """Return the kind of each graded cell, in the order of the source."""
    return {
        Place(name, cells.grade_id(cell)): cells.kind_of(cell)
        for name, source in assignment.notebooks.items()
        for cell in source.notebook.cells
        if cells.kind_of(cell) in cells.GRADED
    }


def shown(entry: Entry) -> tuple[object, ...]:
    """Return what a page shows of an entry."""
    points = {place: (grade.points, grade.is_open) for place, grade in entry.grades.items()}
    return entry.name, points, entry.penalties, entry.comments
