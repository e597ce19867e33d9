"""What `prove` promises of each version, and what to do where one breaks it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from grading.marking.result import TestResult
from grading.source import Source, Version


class Promise(NamedTuple):
    """What has to hold, and what to do where it does not."""

    text: str
    to_do: str


class Broken(NamedTuple):
    """A promise that a version breaks, and in what."""

    promise: Promise
    text: str


RIGHT = Promise(
    "The solution and every right version must earn all points",
    "mend the test, or the version under `correct`",
)
UNLIKE = Promise(
    "No right number may be zero, one or an input: who returns these would seem right there",
    "let the test draw other inputs",
)
SHOWN = Promise(
    "A mistake must lose points of its own function alone, and be named",
    "add a check to the hidden test that tells it apart, or take the entry out; where another "
    "function loses points, let its MarkedTest say `calls=`",
)
NOTHING = Promise(
    "Zeros, ones, inputs or nothing in the place of what is right must earn nothing",
    "let the hidden test call the function where none of these is right",
)
EQUAL = Promise(
    "A version must earn the same on every set of hidden data, in a student's room and here",
    "let no check depend on which numbers are drawn, or on what ran before",
)
PROMISES = (RIGHT, UNLIKE, SHOWN, NOTHING, EQUAL)


def promise_of(version: Version | None, is_blank: bool) -> Promise:
    """Return what a version has to earn; None stands for the solution."""
    if is_blank:
        return NOTHING
    return SHOWN if version and version.is_mistake else RIGHT


def broken(
    version: Version | None, is_blank: bool, marks: list[TestResult], plain: Collection[str]
) -> list[str]:
    """Say what of its promise a version breaks in one set; `plain` tests keep no record."""
    if version is None or promise_of(version, is_blank) is RIGHT:
        return lost_points(marks)
    own = [mark for mark in marks if mark.function == version.shows_in]
    problems = lost_points(m for m in marks if m.function not in {version.shows_in, *plain})
    if is_blank:
        return problems + points_of(own)
    names = bool(own) and version.shows_in not in plain
    own = own if names else [mark for mark in marks if mark.function in plain]
    if not own:
        problems.append(f"{version.shows_in}: no test shows what it costs")
    elif not lost_points(own):
        problems.append(f"{version.shows_in}: loses no points")
    elif names and own[0].mistake != version.name:
        problems.append(f"{version.shows_in}: is named {own[0].mistake or 'nothing'}")
    return problems


def unproved(source: Source) -> Iterator[str]:
    """Say of which functions no mistake is known, a line each."""
    mistakes = [version for version in source.versions if version.is_mistake]
    shown = {name for each in mistakes for name in (each.function, each.shows_in)}
    for name in source.answers:
        if name not in shown:
            said = "mistakes.yaml lists no mistake of it; that a test finds one is not proved"
            yield f"{name}: {said}"


def lost_points(marks: Iterable[TestResult]) -> list[str]:
    """Say which functions lost points, and why."""
    return [
        f"{mark.function}: {mark.points:g} of {mark.max_points:g} points; {mark.note}"
        for mark in marks
        if mark.points != mark.max_points
    ]


def points_of(marks: Iterable[TestResult]) -> list[str]:
    """Say which functions earned points, where nothing is right."""
    return [f"{mark.function}: {mark.points:g} points for nothing" for mark in marks if mark.points]
