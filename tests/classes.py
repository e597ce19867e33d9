"""Marked classes to report on and to export: a grade book and certificates, made at once."""

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

from grading.run.certificate import FOLDER, Certificate

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


@dataclass
class Pupil:
    """
    A student of a made class, and what became of the submission.

    `wrong` holds the kinds of check that fail by function, `mistakes` the names that were
    found, `by_hand` points that a person gave.
    """

    student_id: str
    last_name: str = ""
    first_name: str = ""
    email: str = ""
    lms_user_id: str = ""
    handed_in: bool = True
    status: str = "graded"
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    wrong: dict[str, list[str]] = field(default_factory=dict)
    mistakes: dict[str, str] = field(default_factory=dict)
    by_hand: dict[str, float] = field(default_factory=dict)
    hours_late: float = 0.0
    penalty: float = 0.0
    seconds: float = 0.5
    peak_mb: float = 60.0

    def points(self, function: str) -> float:
        """Return what the tests give."""
        if self.status not in ("graded", "repaired"):
            return 0.0
        checks = CHECKS[function].items()
        return float(sum(p for kind, p in checks if kind not in self.wrong.get(function, [])))

    @property
    def score(self) -> float:
        """The score that counts."""
        total = sum(self.by_hand.get(name, self.points(name)) for name in CHECKS)
        return max(0.0, total - self.penalty) if self.handed_in else 0.0


def make_class(root: Path, pupils: list[Pupil]) -> Gradebook:
    """Write the certificates of a class below `root`; return its grade book, new or filled up."""
    database = f"sqlite:///{root}/gradebook.db"
    # as nbgrader makes it, without the seconds that its stamp takes
    engine = create_engine(database)
    Base.metadata.create_all(engine)
    engine.dispose()
    book = Gradebook(database, "rnn")
    known = {student.id for student in book.students}
    assignment = book.add_assignment(ASSIGNMENT, duedate=DUE).id
    notebook = book.add_notebook(ASSIGNMENT, ASSIGNMENT).id
    cells = {
        name: book.add_grade_cell(
            f"test_{name}", ASSIGNMENT, ASSIGNMENT, max_score=25, cell_type="code"
        ).id
        for name in CHECKS
    }
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
        keys = {"id": f"n{n}", "assignment_id": f"s{n}", "notebook_id": notebook}
        rows[SubmittedNotebook].append({**keys, "late_submission_penalty": pupil.penalty})
        rows[Grade] += [
            {
                **{"id": f"{n}{name}", "notebook_id": f"n{n}", "cell_id": cell},
                **{"auto_score": pupil.points(name), "manual_score": pupil.by_hand.get(name)},
                "needs_manual_grade": False,
            }
            for name, cell in cells.items()
        ]
        certificate(pupil).write(root / "reports" / ASSIGNMENT / FOLDER)
    for table, values in rows.items():
        if values:
            book.db.execute(insert(table), values)
    book.db.commit()
    return book


def certificate(pupil: Pupil) -> Certificate:
    """Return a certificate as marking writes it."""
    return Certificate(
        pupil.student_id,
        ASSIGNMENT,
        pupil.status,
        pupil.notes,
        score=pupil.score,
        max_score=100.0,
        late_penalty=pupil.penalty,
        functions=[function_in_certificate(pupil, name) for name in CHECKS],
        source={"all": "1" * 64},
        isolation=ISOLATION,
        problems=pupil.problems,
        rooms=1,
        seconds=pupil.seconds,
        cpu_seconds=pupil.seconds / 2,
        peak_mb=pupil.peak_mb,
    )


def function_in_certificate(pupil: Pupil, name: str) -> dict:
    """Return what a certificate says of one function."""
    wrong, mistake = pupil.wrong.get(name, []), pupil.mistakes.get(name, "")
    sentences = {kind: f"`{kind}` is wrong in 3 of 6 places" for kind in wrong}
    sentence = f"You made {mistake} in {name}." if mistake else ""
    return {
        "function": name,
        "points": pupil.by_hand.get(name, pupil.points(name)),
        "auto_points": pupil.points(name),
        "max_points": 25.0,
        "mistake": mistake,
        "sentence": sentence,
        "rule": "",
        "note": sentence or next(iter(sentences.values()), ""),
        "checks": [
            {"kind": kind, "points": points, "wrong": sentences.get(kind, "")}
            for kind, points in CHECKS[name].items()
        ],
    }


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
