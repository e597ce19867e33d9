"""What has changed between two markings of a class, point by point, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grading import CourseError
from grading.book import Place
from grading.run.certificate import BEFORE, FOLDER, Certificate, read_certificate
from grading.sheets import column_titles

BY_HAND = "by hand"  # in the place of a kind of check
WHERE = f"they are in reports/ASSIGNMENT/{FOLDER}, and in {BEFORE} those of the run before"


@dataclass(frozen=True)
class Change:
    """
    Points that are no longer what they were.

    Attributes
    ----------
    cell, kind : str
        What is marked and the kind of check, or what else gives or takes points.
    before, after : float or None
        Points; None where there were none to give.
    reason : str
    """

    cell: str
    kind: str
    before: float | None
    after: float | None
    reason: str

    @property
    def what(self) -> str:
        """Cell and kind in one."""
        return f"{self.cell}, {self.kind}" if self.kind else self.cell


@dataclass
class Difference:
    """
    What two markings of one student make of each other.

    Attributes
    ----------
    student_id : str
    before, after : float or None
        The total; None where there was none.
    changes : list of Change
        Those that may have given the same total.
    max_points : tuple
        Full marks before and after.
    """

    student_id: str
    before: float | None
    after: float | None
    changes: list[Change]
    max_points: tuple[float | None, float | None]

    @property
    def reason(self) -> str:
        """Why, in one line: each reason with the cells that it is about."""
        reasons: dict[str, dict[str, None]] = {}
        for each in self.changes:
            reasons.setdefault(each.reason, {})[each.cell] = None
        return "; ".join(f"{', '.join(cells)}: {reason}" for reason, cells in reasons.items())


def compare(old: Path, new: Path) -> Iterator[Difference]:
    """
    Compare two folders of certificates; yield each student, those with no change as well.

    Raises
    ------
    CourseError
        Where a folder holds none.
    """
    names = [{path.name for path in folder.glob("*.json")} for folder in (old, new)]
    for folder, found in zip((old, new), names, strict=True):
        if not found:
            raise CourseError(f"{folder}: no certificates there; {WHERE}")
    for name in sorted(names[0] | names[1]):
        before = read_certificate(old / name) if name in names[0] else None
        after = read_certificate(new / name) if name in names[1] else None
        there = [each for each in (before, after) if each]
        yield Difference(
            there[-1].student_id,
            before.score if before else None,
            after.score if after else None,
            list(changes(before, after)),
            (before.max_score if before else None, after.max_score if after else None),
        )


def summary_of(found: list[Difference]) -> str:
    """Say for how many the total has changed, and for how many nothing."""
    new = sum(each.before is None for each in found)
    others = sum(each.before != each.after for each in found) - new
    moved = sum(bool(each.changes) and each.before == each.after for each in found)
    said = f"The total has changed for {others} of {len(found)} students"
    said += f", and points but no total for {moved}" if moved else ""
    said += f"; {new} {'is' if new == 1 else 'are'} new" if new else ""
    same = len(found) - others - moved - new
    said += f"; nothing has changed for {same}" if same else ""
    maxima = {each.max_points for each in found if None not in each.max_points}
    for before, after in sorted(maxima):
        said += f"; full marks were {before:g}, and are {after:g}" if before != after else ""
    return said


def changes(before: Certificate | None, after: Certificate | None) -> Iterator[Change]:
    """Yield the changed points of one student."""
    if before is None:
        yield Change("all", "", None, after.score if after else None, "handed in since")
        return
    if after is None:
        yield Change("all", "", before.score, None, "no longer marked")
        return
    points = [points_of(each) for each in (before, after)]
    both = dict.fromkeys([*points[0], *points[1]])
    titles = column_titles(dict.fromkeys(place for place, _ in both))
    for place, kind in both:
        old, new = (each.get((place, kind)) for each in points)
        if (old or 0.0) != (new or 0.0):
            reason = "a person's points" if kind == BY_HAND else why(before, after, place)
            yield Change(titles[place], kind, old, new, reason)
    if before.late_penalty != after.late_penalty:
        late = "submission" if before.submitted != after.submitted else "points, or rules"
        yield Change("late penalty", "", -before.late_penalty, -after.late_penalty, late)


def points_of(certificate: Certificate) -> dict[tuple[Place, str], float]:
    """Return what each check of a cell earned, and what a person gave or took beside."""
    points: dict[tuple[Place, str], float] = {}
    for mark in certificate.cells:
        place, auto = Place(mark.notebook, mark.cell), mark.auto_points or 0.0
        checks = mark.result.checks if mark.result else []
        points |= {(place, check.kind): check.earned for check in checks}
        if auto and not checks:  # a test that keeps no record
            points[place, "test"] = auto
        if mark.points != auto:
            points[place, BY_HAND] = mark.points - auto
    return points


def why(before: Certificate, after: Certificate, place: Place) -> str:
    """Say what the points of one cell depend on that is no longer the same."""
    held = [any(place == (m.notebook, m.cell) for m in c.cells) for c in (before, after)]
    if held != [True, True] and before.cells and after.cells:
        return "no longer in the assignment" if held[0] else "new in the assignment"
    tests = [
        each.source.get("tests", {}).get(place.notebook, {}).get(place.cell)
        for each in (before, after)
    ]
    changed = {
        "submission": before.submission != after.submission,
        "test": tests[0] != tests[1],
        "hidden data": before.hidden_data != after.hidden_data,
    }
    if before.schema != after.schema:  # their hashes are of different things
        changed = {"submission": before.submitted != after.submitted, "version of the kit": True}
    changed["could not be marked once"] = "not graded" in (before.status, after.status)
    reasons = [reason for reason, is_so in changed.items() if is_so]
    if not reasons:
        reasons += changed_environment(before.environment, after.environment)
    if before.timed_out != after.timed_out:
        reasons.append("time ran out once")
    return ", ".join(reasons) or "nothing that is recorded: its code does not do the same each time"


def changed_environment(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Name what differs between two environments."""
    return [
        f"environment ({name} {before.get(name, '-')[:12]} -> {after.get(name, '-')[:12]})"
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    ]
