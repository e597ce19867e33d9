"""The figures of the class report: counted once, from grade book and certificates."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from grading import CourseError
from grading.results import Class, StudentEntry, find_certificate
from grading.run.certificate import FOLDER, Certificate, file_name, read_certificate

MARKED = ("graded", "repaired")
# What needs a person's eye, the most urgent first: the word, and what to do.
KINDS = {
    "not graded": "Something failed on our side: grade them again.",
    "unreadable": "0 points, as nothing could be read: ask for the notebook.",
    "missing": "0 points, as there was no notebook: ask for it.",
    "certificate": "Certificate and grade book do not belong together: grade them again.",
    "by hand": "A part waits to be marked by a person, in formgrader.",
    "while running": "Code that took too long or too much, or reached for what is not its own.",
    "repaired": "Marked after a repair: see whether it was a mishap.",
    "late": "Handed in after the due date.",
    "note": "Marked as it came; intake remarked something.",
}
USED = {"seconds": "Time (s)", "cpu_seconds": "Processor time (s)", "peak_mb": "Memory (MB)"}


@dataclass(frozen=True)
class Attention:
    """One line on a student that a person should look at."""

    entry: StudentEntry
    kind: str
    what: str

    @property
    def weight(self) -> float:
        """What comes first among lines of one kind: who is latest."""
        return self.entry.seconds_late if self.kind == "late" else 0.0


@dataclass
class Group:
    """
    Students who made the same mistake in a function.

    Attributes
    ----------
    function, name, sentence : str
        Of a known mistake; where none is known, the kinds of check that fail and what
        the first student read.
    students : list of StudentEntry
    """

    function: str
    name: str
    sentence: str
    students: list[StudentEntry] = field(default_factory=list)


@dataclass
class Check:
    """
    One kind of check of a function, as an item of a test.

    Attributes
    ----------
    function, kind : str
    points : float
    earned : int
        How many of the marked students earned them.
    difficulty : float
        The share of the points that the class earned: 1 is easy.
    discrimination : float
        The corrected item-total correlation: Pearson's, over students, between the points
        of this check and the sum of those of all others. NaN where it is not defined: with
        fewer than three students, where all earn the check or none does, or where the
        others' sum is the same for all.
    """

    function: str
    kind: str
    points: float
    earned: int = 0
    difficulty: float = np.nan
    discrimination: float = np.nan


class Statistics:
    """
    What is to be known of a marked class.

    Attributes
    ----------
    group : Class
    entries : list of StudentEntry
        Who handed in.
    unknown : int
        How many certificates there are of students of whom the grade book has no submission.
    marked : list of StudentEntry
        Whose work could be read and run: the class that the checks and mistakes are of.
    status : dict
        Of each student who handed in.
    functions : list of str
    checks : list of Check
    mistakes, unnamed : list of Group
        The most frequent first.
    attention : list of Attention
        The most urgent first.
    used : dict
        For each measure of `USED`, the students' values by id.
    rooms : dict
        How many rooms each student's code took.
    followed : Counter
        For each function, how many had something lent: see `Certificate.functions`, `rule`.
    by_hand : int
        How many students have points that a person changed.
    isolation : list of str
        What kept student code apart.
    sources : set
        Which states of the source notebook the class was marked with.
    """

    def __init__(self, group: Class, reports: Path) -> None:
        self.group = group
        self.entries = [entry for entry in group.entries if entry.handed_in]
        self.marked: list[StudentEntry] = []
        self.status: dict[str, str] = {}
        self.functions: list[str] = []
        self.attention: list[Attention] = []
        self.used: dict[str, dict[str, float]] = {measure: {} for measure in USED}
        self.rooms: dict[str, int] = {}
        self.followed: Counter[str] = Counter()
        self.by_hand = 0
        self.isolation: list[str] = []
        self.sources: set[str] = set()
        self._mistakes: dict[tuple[str, str], Group] = {}
        self._unnamed: dict[tuple[str, str], Group] = {}
        self._checks: dict[tuple[str, str], Check] = {}
        self._earned: list[set[tuple[str, str]]] = []
        for entry in self.entries:
            self._read(entry, reports)
        self.unknown = self._read_unknown(reports)
        known = [name for name in self.functions if name in group.max_points]
        self.functions = [*known, *sorted(group.max_points.keys() - set(known))]
        order = {name: n for n, name in enumerate(self.functions)}
        self.checks = sorted(self._checks.values(), key=lambda c: order.get(c.function, len(order)))
        self._count_checks()
        self.mistakes = most_frequent(self._mistakes)
        self.unnamed = most_frequent(self._unnamed)
        urgency = list(KINDS)
        self.attention.sort(key=lambda line: (urgency.index(line.kind), -line.weight))

    def _read(self, entry: StudentEntry, reports: Path) -> None:
        """Take in what a student's certificate says."""
        self._look_at_grade_book(entry)
        try:
            certificate = find_certificate(reports, entry.student_id)
        except CourseError as problem:
            certificate = None
            self._attend(entry, "certificate", str(problem))
        else:
            if certificate is None:
                self._attend(entry, "certificate", "there is none")
        if certificate is None:
            self.status[entry.student_id] = "no certificate"
            return
        status = self.status[entry.student_id] = certificate.status
        notes = "; ".join(certificate.notes)
        if status != "graded":
            self._attend(entry, status if status in KINDS else "not graded", notes)
        elif notes:
            self._attend(entry, "note", notes)
        if certificate.problems:
            self._attend(entry, "while running", "; ".join(certificate.problems))
        if certificate.isolation and certificate.isolation not in self.isolation:
            self.isolation.append(certificate.isolation)
        if status in MARKED:
            self._read_marks(entry, certificate)

    def _read_unknown(self, reports: Path) -> int:
        """Note, and count, the certificates of which the grade book knows nothing."""
        known = {file_name(entry.student_id) for entry in self.entries}
        paths = [path for path in (reports / FOLDER).glob("*.json") if path.name not in known]
        for path in sorted(paths):
            try:
                certificate = read_certificate(path)
            except CourseError as problem:
                nobody = StudentEntry(path.stem, "", "", "", "")
                self._attend(nobody, "certificate", str(problem))
                continue
            entry = StudentEntry(certificate.student_id, "", "", "", "")
            if certificate.status == "not graded":
                self._attend(entry, "not graded", "; ".join(certificate.notes))
            else:
                self._attend(entry, "certificate", "the grade book has no submission")
        return len(paths)

    def _look_at_grade_book(self, entry: StudentEntry) -> None:
        """Note what the grade book alone tells."""
        if entry.waits:
            self._attend(entry, "by hand", "")
        if entry.seconds_late or entry.penalty:
            late = in_words(entry.seconds_late) if entry.seconds_late else "how late is not known"
            off = f"{entry.penalty:g} points off" if entry.penalty else "no points off"
            self._attend(entry, "late", f"{late}; {off}")
        if any(points != entry.auto_points[function] for function, points in entry.points.items()):
            self.by_hand += 1

    def _read_marks(self, entry: StudentEntry, certificate: Certificate) -> None:
        """Take in the checks and mistakes of a student whose work ran."""
        self.marked.append(entry)
        self.sources.add(certificate.source.get("all", ""))
        self.rooms[entry.student_id] = certificate.rooms
        for measure, values in self.used.items():
            values[entry.student_id] = getattr(certificate, measure)
        earned = set()
        for function in certificate.functions:
            name = function["function"]
            if name not in self.functions:
                self.functions.append(name)
            if function["rule"]:
                self.followed[name] += 1
            auto = entry.auto_points.get(name)
            if auto is not None and abs(auto - function["auto_points"]) > 1e-6:
                what = f"{name}: {function['auto_points']:g} points, {auto:g} in the grade book"
                self._attend(entry, "certificate", what)
            for check in function["checks"]:
                key = name, check["kind"]
                self._checks.setdefault(key, Check(*key, check["points"]))
                if not check["wrong"]:
                    earned.add(key)
            self._group(entry, function)
        self._earned.append(earned)

    def _group(self, entry: StudentEntry, function: dict[str, Any]) -> None:
        """Put a student to those who made the same mistake."""
        name = function["function"]
        wrong = {check["kind"]: check["wrong"] for check in function["checks"] if check["wrong"]}
        if function["mistake"]:
            said, groups, what = function["sentence"], self._mistakes, function["mistake"]
        elif wrong or function["auto_points"] < function["max_points"]:
            said = function["note"]
            all_wrong = len(wrong) == len(function["checks"])
            groups, what = self._unnamed, said if all_wrong else ", ".join(wrong)
        else:
            return
        groups.setdefault((name, what), Group(name, what, said)).students.append(entry)

    def _count_checks(self) -> None:
        """Work out the difficulty and the discrimination of each check."""
        keys = [(check.function, check.kind) for check in self.checks]
        points = np.array([check.points for check in self.checks])
        right = np.array([[key in earned for key in keys] for earned in self._earned], bool)
        right = right.reshape(len(self._earned), len(keys))
        for check, count, correlation in zip(
            self.checks, right.sum(axis=0), discrimination(right * points), strict=True
        ):
            check.earned = int(count)
            check.difficulty = count / len(right) if len(right) else np.nan
            check.discrimination = float(correlation)

    def _attend(self, entry: StudentEntry, kind: str, what: str) -> None:
        self.attention.append(Attention(entry, kind, what))


def discrimination(points: np.ndarray) -> np.ndarray:
    """
    Return the corrected item-total correlation of each check.

    Parameters
    ----------
    points : ndarray of shape (students, checks)

    Returns
    -------
    ndarray of shape (checks,)
        NaN where it is not defined: see `Check`.
    """
    students, checks = points.shape
    if students < 3:
        return np.full(checks, np.nan)
    rest = points.sum(axis=1, keepdims=True) - points
    item, rest = points - points.mean(axis=0), rest - rest.mean(axis=0)
    size = np.sqrt((item**2).sum(axis=0) * (rest**2).sum(axis=0))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(size > 1e-9, (item * rest).sum(axis=0) / size, np.nan)


def most_frequent(groups: dict[tuple[str, str], Group]) -> list[Group]:
    """Sort groups by size, then as they came."""
    return sorted(groups.values(), key=lambda group: -len(group.students))


def in_words(seconds: float) -> str:
    """Say how late: "2 days 3 h", "25 min"."""
    minutes = max(1, round(seconds / 60))
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [f"{days} day{'s' * (days > 1)}" * (days > 0), f"{hours} h" * (hours > 0)]
    parts.append(f"{minutes} min" * (minutes > 0 and not days))
    return " ".join(filter(None, parts))
