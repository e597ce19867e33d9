"""What has changed between two markings of a class, point by point, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grading import CourseError
from grading.run.certificate import Certificate, read_certificate


@dataclass(frozen=True)
class Change:
    """
    Points that are no longer what they were.

    Attributes
    ----------
    student_id : str
    what : str
        The function and the kind of check, or what else gives or takes points.
    before, after : float or None
        Points; None where there were none to give.
    reason : str
    """

    student_id: str
    what: str
    before: float | None
    after: float | None
    reason: str


def diff(old: Path, new: Path) -> Iterator[Change]:
    """
    Yield every changed point between two folders of certificates.

    Raises
    ------
    CourseError
        Where a folder holds none.
    """
    names = [{path.name for path in folder.glob("*.json")} for folder in (old, new)]
    for folder, found in zip((old, new), names, strict=True):
        if not found:
            raise CourseError(f"{folder}: no certificates there")
    for name in sorted(names[0] | names[1]):
        before = read_certificate(old / name) if name in names[0] else None
        after = read_certificate(new / name) if name in names[1] else None
        yield from changes(before, after)


def changes(before: Certificate | None, after: Certificate | None) -> Iterator[Change]:
    """Yield the changed points of one student."""
    if before is None or after is None:
        there = before or after
        reason = "handed in since" if before is None else "no longer marked"
        score = [None if each is None else each.score for each in (before, after)]
        yield Change(there.student_id, "all", *score, reason)
        return
    points = [points_of(each) for each in (before, after)]
    for what in dict.fromkeys([*points[0], *points[1]]):
        old, new = (each.get(what) for each in points)
        if old != new:
            yield Change(after.student_id, ", ".join(what), old, new, why(before, after, what[0]))
    if before.late_penalty != after.late_penalty:
        penalties = -before.late_penalty, -after.late_penalty
        late = "submission" if before.submitted != after.submitted else "points, or rules"
        yield Change(after.student_id, "late", *penalties, f"late penalty: {late}")


def points_of(certificate: Certificate) -> dict[tuple[str, str], float]:
    """Return what each check earned, and what a person gave or took beside."""
    points = {}
    for each in certificate.functions:
        for check in each["checks"]:
            earned = 0.0 if check["wrong"] else check["points"]
            points[each["function"], check["kind"]] = earned
        by_hand = each["points"] - (each["auto_points"] or 0.0)
        if by_hand:
            points[each["function"], "by hand"] = by_hand
    return points


def why(before: Certificate, after: Certificate, function: str) -> str:
    """Say what the points of one function depend on that is no longer the same."""
    reasons = []
    if before.submission != after.submission:
        reasons.append("submission")
    if test_of(before, function) != test_of(after, function):
        reasons.append("test")
    if "not graded" in (before.status, after.status):
        reasons.append("could not be marked once")
    if not reasons:
        reasons += environment(before.environment, after.environment)
    if before.timed_out != after.timed_out:
        reasons.append("time ran out once")
    return ", ".join(reasons) or "nothing that is recorded: its code does not do the same each time"


def test_of(certificate: Certificate, function: str) -> Any:
    """Return the hash of a function's test."""
    return certificate.source.get("tests", {}).get(function)


def environment(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Name what differs between two environments."""
    return [
        f"environment ({name} {before.get(name, '-')[:12]} -> {after.get(name, '-')[:12]})"
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    ]
