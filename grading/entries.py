"""What the grade book holds of a class: cells, points, students."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from grading.marking.result import total
from grading.source.cells import function_tested

LatePenalty = Callable[[str, float, float], float]  # of a student, a score, the seconds late
Shown = tuple[float, bool]  # of a cell: its points, and whether a person has still to give them
NO_RESPONSE = "No response."  # nbgrader's words


class Place(NamedTuple):
    """Which cell: the names of its notebook and its own."""

    notebook: str
    cell: str

    @property
    def function(self) -> str:
        """What is marked there: a function's name, as a rule."""
        return function_tested(self.cell)


@dataclass(slots=True)
class CellGrade:
    """
    What the grade book holds of one graded cell of a submission.

    Attributes
    ----------
    points : float
        Those that count: a person's, where a person gave some.
    auto_points : float or None
        Those that the tests gave.
    waits : bool
        Whether a person has to look at it, for the first time or again.
    manual_points : float or None
        Those that a person gave.
    """

    points: float
    auto_points: float | None
    waits: bool
    manual_points: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether a person has still to give the points."""
        return self.waits and self.manual_points is None


@dataclass(slots=True)
class Entry:
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
    penalties : dict
        Points off for that, by notebook.
    grades : dict
        Of each graded cell, by `Place`.
    comments : dict
        What a person wrote about a cell, by `Place`.
    """

    student_id: str
    last_name: str = ""
    first_name: str = ""
    email: str = ""
    lms_user_id: str = ""
    handed_in: bool = False
    timestamp: datetime | None = None
    seconds_late: float = 0.0
    penalties: dict[str, float] = field(default_factory=dict)
    grades: dict[Place, CellGrade] = field(default_factory=dict)
    comments: dict[Place, str] = field(default_factory=dict)

    @property
    def penalty(self) -> float:
        """The points off for handing in late."""
        return total(self.penalties.values())

    @property
    def points(self) -> dict[Place, float]:
        """The points that count, by place."""
        return {place: grade.points for place, grade in self.grades.items()}

    @property
    def auto_points(self) -> dict[Place, float | None]:
        """The points that the tests gave, by place."""
        return {place: grade.auto_points for place, grade in self.grades.items()}

    @property
    def raw_score(self) -> float:
        """The points of all cells."""
        return total(self.points.values())

    @property
    def score(self) -> float:
        """The points less the penalty: what nbgrader exports."""
        return total(self.points.values(), self.penalty)

    @property
    def waits(self) -> bool:
        """Whether a person has to look at a part, for the first time or again."""
        return any(grade.waits for grade in self.grades.values())

    @property
    def is_open(self) -> bool:
        """Whether a person has still to give points."""
        return any(grade.is_open for grade in self.grades.values())

    @property
    def by_hand(self) -> bool:
        """Whether a person has changed what the tests gave."""
        grades = [g for g in self.grades.values() if g.manual_points is not None]
        return any(g.auto_points is not None and g.points != g.auto_points for g in grades)

    @property
    def name(self) -> str:
        """The name as one says it; the id where there is none."""
        return f"{self.first_name} {self.last_name}".strip() or self.student_id

    @property
    def shown(self) -> tuple[str, dict[Place, Shown], dict[str, float], dict[Place, str]]:
        """What a page shows of it: name, points and whether they are open, penalties, comments."""
        points = {place: (grade.points, grade.is_open) for place, grade in self.grades.items()}
        return self.name, points, self.penalties, self.comments


@dataclass
class NewMarks:
    """
    What is to be entered of a marked submission.

    Attributes
    ----------
    timestamp : datetime or None
        When it was handed in.
    points : dict
        What each graded cell earned; None where a person has to mark it.
    unanswered : collection of Place
        The answers that are as they were released.
    not_there : collection of str
        The notebooks of which nothing could be read: nobody has to look at them.
    """

    timestamp: datetime | None
    points: dict[Place, float | None]
    unanswered: Collection[Place]
    not_there: Collection[str]

    def first_grade(self, place: Place, is_task: bool) -> CellGrade:
        """Return what is entered for a cell of a submission that was not there before."""
        points, is_there = self.points.get(place), place.notebook not in self.not_there
        known = place in self.points
        waits = not known or has_to_look(points, None, None, True, is_there, is_task)
        return CellGrade(points or 0.0, points, waits)

    def comment(self, place: Place) -> str | None:
        """Return what is said of an answer: that there is none, or nothing."""
        return NO_RESPONSE if place in self.unanswered else None


@dataclass
class Class:
    """
    An assignment and its students.

    Attributes
    ----------
    assignment : str
    due : datetime or None
    max_points : dict
        Of each graded cell, by `Place`, in no particular order.
    entries : dict
        Every student in the grade book, by id, sorted.
    """

    assignment: str
    due: datetime | None
    max_points: dict[Place, float]
    entries: dict[str, Entry]

    @property
    def max_score(self) -> float:
        """The points of all cells."""
        return total(self.max_points.values())


def late_note(penalty: float) -> str:
    """Say that a total is less than the sum of its points; "" where it is not."""
    return f"handed in late: {penalty:g} points off" if penalty else ""


def enter_penalty(entry: Entry, notebook: str, late_penalty: LatePenalty) -> float | None:
    """Enter the points off a notebook for handing in late; return them, None for none."""
    late = entry.seconds_late
    score = total(p for place, p in entry.points.items() if place.notebook == notebook)
    penalty = late_penalty(entry.student_id, score, late) if late > 0 else 0.0
    if penalty := min(max(penalty, 0.0), score):
        entry.penalties[notebook] = penalty
    return penalty or None


def is_by_rule(entry: Entry, late_penalty: LatePenalty) -> bool:
    """Tell whether the points off are what the rule says by now."""
    if any(grade.manual_points is not None for grade in entry.grades.values()):
        return True  # the rule was asked before a person gave points
    anew = replace(entry, penalties={})
    try:
        for notebook in {place.notebook for place in entry.grades}:
            enter_penalty(anew, notebook, late_penalty)
    except Exception:  # it is told with the marks that cannot be entered
        return False
    return anew.penalties == entry.penalties


def has_to_look(
    points: float | None,
    before: float | None,
    by_hand: float | None,
    waits: bool,
    is_there: bool,
    is_task: bool,
) -> bool:
    """
    Tell whether a person has to look at a cell, as nbgrader's Autograde does.

    Parameters
    ----------
    points, before : float or None
        What the tests give it, and what they gave it.
    by_hand : float or None
        What a person gave it.
    waits : bool
        Whether it has waited for somebody already.
    is_there : bool
        Whether anything of its notebook could be read.
    is_task : bool
    """
    if not is_there:
        return False
    if not is_task:
        return by_hand is not None or points is None  # who marked by hand has to look again
    return by_hand is None if before is not None else waits  # handed in at last
