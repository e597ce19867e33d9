"""Marked classes to report on and to export: a grade book and certificates, made at once."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from nbgrader.api import (
    Base,
    Grade,
    Gradebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)
from sqlalchemy import create_engine, insert

from grading.book import Place
from grading.marking.result import CheckResult, TestResult
from grading.outcomes import Finding
from grading.run.certificate import FOLDER, CellMark, Certificate

ASSIGNMENT = "rnn_lstm_forward"
DUE = datetime(2026, 11, 20, 12, 0)
ISOLATION = "bubblewrap: no network."
# the points of each kind of check
CHECKS = {
    "rnn_cell_forward": {"types": 1, "shapes": 2, "a_next": 12, "yt_pred": 10},
    "rnn_forward": {"types": 1, "shapes": 2, "a": 12, "m = 1, T_x = 1": 10},
    "lstm_cell_forward": {"types": 1, "shapes": 2, "c_next": 12, "cache": 10},
    "lstm_forward": {"types": 1, "shapes": 2, "c": 12, "caches": 10},
}
# A graded cell: the points of each kind of check or, where a person marks, of the whole.
Cells = dict[Place, dict[str, int] | float]
TESTS: Cells = {Place(ASSIGNMENT, f"test_{name}"): kinds for name, kinds in CHECKS.items()}
MANUAL: Cells = {Place(ASSIGNMENT, "explain"): 10.0, Place(ASSIGNMENT, "task_improve"): 5.0}
SECOND: Cells = {
    Place("second", "test_rnn_forward"): {"types": 2, "a": 3},
    Place("second", "test_gru_forward"): {"types": 1, "h": 4},
}


@dataclass
class Pupil:
    """
    A student of a made class, and what became of the submission.

    `wrong` holds the kinds of check that fail by function, `mistakes` the names that were
    found, `made` the hash of a wrong result, `by_hand` points that a person gave. A number for
    an id is the LMS's own, as `zip_collect` enters it, unless `lms_user_id` says another, or "".
    """

    student_id: str
    last_name: str = ""
    first_name: str = ""
    email: str = ""
    lms_user_id: str | None = None
    handed_in: bool = True
    status: str = "graded"
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    wrong: dict[str, list[str]] = field(default_factory=dict)
    mistakes: dict[str, str] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)
    by_hand: dict[str, float] = field(default_factory=dict)
    hours_late: float = 0.0
    penalty: float = 0.0
    seconds: float = 0.5
    peak_mb: float = 60.0

    def __post_init__(self) -> None:
        if self.lms_user_id is None and self.student_id.isdecimal():
            self.lms_user_id = self.student_id

    def auto_points(self, place: Place, checks: dict[str, int] | float) -> float | None:
        """Return what the tests give."""
        if isinstance(checks, float):
            return None
        if self.status not in ("graded", "repaired"):
            return 0.0
        wrong = self.wrong.get(place.function, [])
        return float(sum(points for kind, points in checks.items() if kind not in wrong))

    def points(self, place: Place, checks: dict[str, int] | float) -> float:
        """Return what counts."""
        return self.by_hand.get(place.function, self.auto_points(place, checks) or 0.0)

    def score_of(self, cells: Cells) -> float:
        """Return the score that counts."""
        total = sum(self.points(*cell) for cell in cells.items())
        return max(0.0, total - self.penalty) if self.handed_in else 0.0

    @property
    def score(self) -> float:
        """The score that counts, where there are the tests alone."""
        return self.score_of(TESTS)


def make_class(root: Path, pupils: list[Pupil], cells: Cells = TESTS) -> Gradebook:
    """Write the certificates of a class below `root`; return its grade book, new or filled up."""
    database = f"sqlite:///{root}/gradebook.db"
    # as nbgrader makes it, without the seconds that its stamp takes
    engine = create_engine(database)
    Base.metadata.create_all(engine)
    engine.dispose()
    book = Gradebook(database, "rnn")
    known = {student.id for student in book.students}
    assignment = book.add_assignment(ASSIGNMENT, duedate=DUE).id
    names = dict.fromkeys(place.notebook for place in cells)
    notebooks = {name: book.add_notebook(name, ASSIGNMENT).id for name in names}
    ids = {place: add_cell(book, place, checks) for place, checks in cells.items()}
    rows = {Student: [], SubmittedAssignment: [], SubmittedNotebook: [], Grade: []}
    for n, pupil in enumerate(pupils):
        names = ["last_name", "first_name", "email", "lms_user_id"]
        student = {name: getattr(pupil, name) or None for name in names}
        if pupil.student_id not in known:
            rows[Student].append({"id": pupil.student_id, **student})
        if not pupil.handed_in:
            continue
        keys = {"id": f"s{n}", "assignment_id": assignment, "student_id": pupil.student_id}
        when = DUE + timedelta(hours=pupil.hours_late)
        rows[SubmittedAssignment].append({**keys, "timestamp": when})
        for name, notebook in notebooks.items():
            keys = {"id": f"n{n}{name}", "assignment_id": f"s{n}", "notebook_id": notebook}
            penalty = pupil.penalty if name == ASSIGNMENT else None
            rows[SubmittedNotebook].append({**keys, "late_submission_penalty": penalty})
        rows[Grade] += [
            {
                **{"id": f"{n}{'/'.join(place)}", "notebook_id": f"n{n}{place.notebook}"},
                **{"cell_id": ids[place], "auto_score": pupil.auto_points(place, checks)},
                "manual_score": pupil.by_hand.get(place.function),
                "needs_manual_grade": place in MANUAL and place.function not in pupil.by_hand,
            }
            for place, checks in cells.items()
        ]
        certificate(pupil, cells).write(root / "reports" / ASSIGNMENT / FOLDER)
    for table, values in rows.items():
        if values:
            book.db.execute(insert(table), values)
    book.db.commit()
    return book


def add_cell(book: Gradebook, place: Place, checks: dict[str, int] | float) -> str:
    """Enter a graded cell into the grade book; return its id."""
    add = book.add_task_cell if place.cell.startswith("task_") else book.add_grade_cell
    by_person = isinstance(checks, float)
    return add(
        place.cell,
        place.notebook,
        ASSIGNMENT,
        max_score=checks if by_person else sum(checks.values()),
        cell_type="markdown" if by_person else "code",
    ).id


def certificate(pupil: Pupil, cells: Cells = TESTS) -> Certificate:
    """Return a certificate as marking writes it."""
    marks = [cell_mark(pupil, *cell) for cell in cells.items()]
    return Certificate(
        pupil.student_id,
        ASSIGNMENT,
        pupil.status,
        pupil.notes,
        score=pupil.score_of(cells),
        max_score=sum(mark.max_points for mark in marks),
        late_penalty=pupil.penalty,
        cells=marks,
        source={"all": "1" * 64},
        isolation=ISOLATION,
        problems=pupil.problems,
        rooms=1,
        seconds=pupil.seconds,
        cpu_seconds=pupil.seconds / 2,
        peak_mb=pupil.peak_mb,
    )


def cell_mark(pupil: Pupil, place: Place, checks: dict[str, int] | float) -> CellMark:
    """Return what a certificate says of one graded cell."""
    points, auto = pupil.points(place, checks), pupil.auto_points(place, checks)
    if isinstance(checks, float):
        return CellMark(*place, points, checks)
    most, name = float(sum(checks.values())), place.function
    found = [
        CheckResult(kind, worth, 0.0, wrong_in(kind))
        if kind in pupil.wrong.get(name, [])
        else CheckResult(kind, worth, float(worth))
        for kind, worth in checks.items()
    ]
    mistake = pupil.mistakes.get(name, "")
    sentence = f"You made {mistake} in {name}." if mistake else ""
    result = TestResult(name, auto, most, found, mistake, sentence)
    result.made = pupil.made.get(name, "")
    return CellMark(*place, points, most, auto, result)


def wrong_in(kind: str) -> Finding:
    """Return what a check says of a value that is wrong."""
    fields = {"label": kind, "count": 3, "size": 6}
    return Finding("`{label}` is wrong in {count} of {size} places", fields)


def as_schema_1(certificate: Certificate) -> str:
    """Return a certificate as version 0.1 wrote it."""
    names = ("function", "max_points", "mistake", "sentence", "note")
    functions = [
        {
            **{name: getattr(mark.result, name) for name in names},
            **{"points": mark.points, "auto_points": mark.auto_points},
            "rule": str(mark.result.rule or ""),
            "checks": [
                {"kind": check.kind, "points": check.points, "wrong": str(check.wrong or "")}
                for check in mark.result.checks
            ],
        }
        for mark in certificate.cells
    ]
    data = {**vars(certificate), "functions": functions}
    for name in ("cells", "schema", "hidden_data", "language"):
        del data[name]
    tests = data["source"].get("tests", {}).items()
    data["source"] |= {"tests": {name.removeprefix("test_"): each for name, each in tests}}
    return json.dumps(data)


def random_class(count: int, seed: int = 0) -> list[Pupil]:
    """Return a class of random students of different strength."""
    rng = np.random.default_rng(seed)
    pupils = []
    for n in range(count):
        strength = rng.normal(1.2, 1.2)
        pupil = Pupil(f"{100000 + n}", f"Family{n}", f"Given{n}", f"s{n}@example.org")
        for name, kinds in CHECKS.items():
            hard = [k for k in list(kinds)[2:] if rng.random() > 1 / (1 + np.exp(-strength))]
            if hard:
                pupil.wrong[name] = hard
                if rng.random() < 0.7:
                    pupil.mistakes[name] = f"{hard[0]}_mistake_{rng.integers(8)}"
        pupil.seconds = float(rng.lognormal(-0.4, 0.4))
        pupil.peak_mb = float(rng.normal(70, 8))
        if rng.random() < 0.05:
            pupil.hours_late = float(rng.exponential(20))
            pupil.penalty = 5.0
        if rng.random() < 0.01:
            pupil.problems = ["rnn_forward did not finish within 5 s"]
        if rng.random() < 0.02:
            pupil.status, pupil.notes = (
                "repaired",
                ["not rnn_lstm_forward.ipynb but x.ipynb was read"],
            )
        if rng.random() < 0.01:
            pupil.status, pupil.notes = "unreadable", ["damaged, or not saved by Jupyter"]
        pupils.append(pupil)
    return pupils
