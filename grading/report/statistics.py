"""The figures of the class report: counted once, from grade book and certificates."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from grading import CourseError
from grading.book import Class, Entry, Place
from grading.marking.result import TestResult
from grading.outcomes import NOT_WRITTEN
from grading.run.certificate import (
    FOLDER,
    CellMark,
    Certificate,
    file_name,
    find_certificate,
    read_certificate,
)
from grading.sheets import column_titles

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
STUB = """\
{function}:
  mistakes:
    what_it_does:
      sentence: >-
        What the student should look at.
      edits:
        - find: "text of the solution"
          replace: "what the students wrote"
"""
USED = {"seconds": "Time (s)", "cpu_seconds": "Processor time (s)", "peak_mb": "Memory (MB)"}


@dataclass(frozen=True)
class Attention:
    """One line on a student that a person should look at."""

    entry: Entry
    kind: str
    what: str

    @property
    def weight(self) -> float:
        """What comes first among lines of one kind: who is latest."""
        return self.entry.seconds_late if self.kind == "late" else 0.0


@dataclass
class SameMistake:
    """
    Students who made the same mistake in a function.

    Attributes
    ----------
    function, name, sentence : str
        Of a known mistake; where none is known, the kinds of check that fail and what
        the first student read.
    students : list of Entry
    is_same : bool
        Whether all of them, where no mistake is known, got the same numbers or stopped in the
        same operation on the same values.
    """

    function: str
    name: str
    sentence: str
    students: list[Entry] = field(default_factory=list)
    is_same: bool = False

    @property
    def stub(self) -> str:
        """What to paste into mistakes.yaml, for an author to fill in."""
        return STUB.format(function=self.function)


@dataclass
class Item:
    """
    One kind of check of a function, as psychometrics looks at an item of a test.

    Attributes
    ----------
    function, kind : str
    points : float
    earned : int
        How many of the marked students earned all of them.
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
    class_ : Class
    entries : list of Entry
        Who handed in.
    unknown : int
        How many certificates there are of students of whom the grade book has no submission.
    marked : list of Entry
        Whose work could be read and run: the class that the checks and mistakes are of.
    status : dict
        Of each student who handed in.
    places : list of Place
        The graded cells, in the order of the notebook.
    titles : dict
        What each of them is called: the function's name, as a rule.
    items : list of Item
    mistakes, unwritten, unnamed : list of SameMistake
        The most frequent first; a function that is not written yet is no mistake without a name.
    attention : list of Attention
        The most urgent first.
    used : dict
        For each measure of `USED`, the students' values by id.
    rooms : dict
        How many rooms each student's code took.
    lent : Counter
        By place, to how many something was lent: see `TestResult`, `rule`.
    by_hand : int
        How many students have points that a person changed.
    isolation : list of str
        What kept student code apart.
    sources : set
        Which states of the source notebook the class was marked with.
    """

    def __init__(self, class_: Class, reports: Path) -> None:
        self.class_ = class_
        self.entries = [entry for entry in class_.entries.values() if entry.handed_in]
        self.marked: list[Entry] = []
        self.status: dict[str, str] = {}
        self.titles = column_titles(class_.max_points)
        self.attention: list[Attention] = []
        self.used: dict[str, dict[str, float]] = {measure: {} for measure in USED}
        self.rooms: dict[str, int] = {}
        self.lent: Counter[Place] = Counter()
        self.by_hand = sum(entry.by_hand for entry in self.entries)
        self.isolation: list[str] = []
        self.sources: set[str] = set()
        self._mistakes: dict[tuple[Place, str], SameMistake] = {}
        self._unwritten: dict[tuple[Place, str], SameMistake] = {}
        self._unnamed: dict[tuple[Place, str], SameMistake] = {}
        self._items: dict[tuple[Place, str], Item] = {}
        self._earned: list[dict[tuple[Place, str], float]] = []
        self._found: dict[Place, None] = {}
        for entry in self.entries:
            self._read(entry, reports)
        self.unknown = self._read_unknown(reports)
        known = [place for place in self._found if place in class_.max_points]
        self.places = [*known, *sorted(class_.max_points.keys() - set(known))]
        self.items = self._count_items()
        self.mistakes = most_frequent(self._mistakes)
        self.unwritten = most_frequent(self._unwritten)
        self.unnamed = most_frequent(self._unnamed)
        urgency = list(KINDS)
        self.attention.sort(key=lambda line: (urgency.index(line.kind), -line.weight))

    def _read(self, entry: Entry, reports: Path) -> None:
        """Take in what a student's certificate says."""
        self._look_at_grade_book(entry)
        try:
            certificate, problem = find_certificate(reports, entry.student_id), "there is none"
        except CourseError as error:
            certificate, problem = None, str(error)
        if certificate is None:
            self.status[entry.student_id] = "no certificate"
            self._attend(entry, "certificate", problem)
            return
        status = self.status[entry.student_id] = certificate.status
        notes = "; ".join(certificate.notes)
        if status != "graded":
            self._attend(entry, status if status in KINDS else "not graded", notes)
        elif notes:
            self._attend(entry, "note", notes)
        if certificate.problems:
            once = dict.fromkeys(certificate.problems)  # cells run in several rooms
            self._attend(entry, "while running", "; ".join(once))
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
                self._attend(Entry(path.stem), "certificate", str(problem))
                continue
            entry = Entry(certificate.student_id)
            if certificate.status == "not graded":
                self._attend(entry, "not graded", "; ".join(certificate.notes))
            else:
                self._attend(entry, "certificate", "the grade book has no submission")
        return len(paths)

    def _look_at_grade_book(self, entry: Entry) -> None:
        """Note what the grade book alone tells."""
        if entry.waits:
            waiting = [self.titles[place] for place, grade in entry.grades.items() if grade.waits]
            self._attend(entry, "by hand", ", ".join(waiting))
        if entry.seconds_late or entry.penalty:
            late = in_words(entry.seconds_late) if entry.seconds_late else "how late is not known"
            off = f"{entry.penalty:g} points off" if entry.penalty else "no points off"
            self._attend(entry, "late", f"{late}; {off}")

    def _read_marks(self, entry: Entry, certificate: Certificate) -> None:
        """Take in the checks and mistakes of a student whose work ran."""
        self.marked.append(entry)
        self.sources.add(certificate.source.get("all", ""))
        self.rooms[entry.student_id] = certificate.rooms
        for measure, values in self.used.items():
            values[entry.student_id] = getattr(certificate, measure)
        self._earned.append({})
        for mark in certificate.cells:
            place = Place(mark.notebook, mark.cell)
            if place not in self._found:
                self._found[place] = None
                self.titles.setdefault(place, place.function)
            self._compare(entry, place, mark)
            if mark.result:
                self._read_result(entry, place, mark.result)

    def _compare(self, entry: Entry, place: Place, mark: CellMark) -> None:
        """Note where certificate and grade book disagree."""
        auto, ours = entry.auto_points.get(place), mark.auto_points
        if auto is not None and (ours is None or abs(auto - ours) > 1e-6):
            said = "no" if ours is None else f"{ours:g}"
            what = f"{self.titles[place]}: {said} points, {auto:g} in the grade book"
            self._attend(entry, "certificate", what)

    def _read_result(self, entry: Entry, place: Place, result: TestResult) -> None:
        """Take in what a test found."""
        title = self.titles[place]
        if result.rule:
            self.lent[place] += 1
        for check in result.checks:
            if (place, check.kind) not in self._items:
                self._items[place, check.kind] = Item(title, check.kind, check.points)
        right = {(place, check.kind) for check in result.checks if not check.wrong}
        self._earned[-1] |= {(place, check.kind): check.earned for check in result.checks}
        if result.mistake:
            alike, what, said = self._mistakes, result.mistake, result.sentence
        elif result.first == NOT_WRITTEN:
            alike, what, said = self._unwritten, result.note, result.note
        elif len(right) < len(result.checks) or result.points < result.max_points:
            wrong = ", ".join(check.kind for check in result.checks if check.wrong)
            alike, what, said = self._unnamed, wrong if right else result.note, result.note
        else:
            return
        made = SameMistake(title, what, said, is_same=bool(result.made))
        alike.setdefault((place, result.made or what), made).students.append(entry)

    def _count_items(self) -> list[Item]:
        """Work out the difficulty and the discrimination of each item; return them in order."""
        order = {place: n for n, place in enumerate(self.places)}
        keys = sorted(self._items, key=lambda key: order.get(key[0], len(order)))
        items = [self._items[key] for key in keys]
        points = np.array([item.points for item in items])
        earned = np.array([[each.get(key, 0.0) for key in keys] for each in self._earned], float)
        earned = earned.reshape(len(self._earned), len(keys))
        correlations = discrimination(earned)
        for n, item in enumerate(items):
            item.earned = int((earned[:, n] >= points[n]).sum())
            most = points[n] * len(earned)
            item.difficulty = float(earned[:, n].sum() / most) if most else np.nan
            item.discrimination = float(correlations[n])
        return items

    def _attend(self, entry: Entry, kind: str, what: str) -> None:
        self.attention.append(Attention(entry, kind, what))


def discrimination(points: np.ndarray) -> np.ndarray:
    """
    Return the corrected item-total correlation of each item.

    Parameters
    ----------
    points : ndarray of shape (students, items)

    Returns
    -------
    ndarray of shape (items,)
        NaN where it is not defined: see `Item`.
    """
    students, items = points.shape
    if students < 3:
        return np.full(items, np.nan)
    rest = points.sum(axis=1, keepdims=True) - points
    item, rest = points - points.mean(axis=0), rest - rest.mean(axis=0)
    size = np.sqrt((item**2).sum(axis=0) * (rest**2).sum(axis=0))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(size > 1e-9, (item * rest).sum(axis=0) / size, np.nan)


def most_frequent(mistakes: dict[tuple[Place, str], SameMistake]) -> list[SameMistake]:
    """Sort mistakes by how many students made them, then as they came."""
    return sorted(mistakes.values(), key=lambda each: -len(each.students))


def in_words(seconds: float) -> str:
    """Say how late: "2 days 3 h", "25 min"."""
    minutes = max(1, round(seconds / 60))
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [f"{days} day{'s' * (days > 1)}" * (days > 0), f"{hours} h" * (hours > 0)]
    parts.append(f"{minutes} min" * (minutes > 0 and not days))
    return " ".join(filter(None, parts))
