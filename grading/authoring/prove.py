"""The proof of the tests: every mistake loses points, every right version earns them all."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

from nbformat import NotebookNode

from grading.marking.naming import Outcomes
from grading.marking.notebook import mark_notebook
from grading.marking.result import TestResult
from grading.rooms import Nursery
from grading.source import Source, Version
from grading.source.cells import with_answers

STUB = "raise NotImplementedError()"


@dataclass(frozen=True)
class Proof:
    """
    What a notebook earned, and whether it should.

    Attributes
    ----------
    function : str
        The function that was replaced; "" for all or none of them.
    name : str
        Name of the version that took its place.
    marks : list of TestResult
    problems : list of str
        One sentence per broken promise.
    """

    function: str
    name: str
    marks: list[TestResult]
    problems: list[str] = field(default_factory=list)


def prove_tests(source: Source, rooms: Nursery) -> Iterator[Proof]:
    """
    Mark the solution, the untouched notebook, and every version in mistakes.yaml.

    Parameters
    ----------
    source : Source
    rooms : Nursery

    Yields
    ------
    Proof
        The solution and every right version must earn all points, the untouched notebook
        none. A mistake must lose points of its own question and of no other, and be named.
    """
    outcomes = Outcomes(source)
    fork = get_context("fork")  # so that what is warm here is warm there
    with ProcessPoolExecutor(None, fork, begin, (outcomes, rooms)) as pool:
        yield from pool.map(prove_version, [None, *source.versions], chunksize=4)
    untouched = dict.fromkeys(source.answers, STUB)
    marks = marks_of(with_answers(source.notebook, untouched), outcomes, rooms)
    problems = [f"{m.function}: {m.points:g} points for nothing" for m in marks if m.points]
    yield Proof("", "untouched", marks, problems)


_given: list[tuple[Outcomes, Nursery]] = []  # in a process of the pool: with what it proves


def begin(outcomes: Outcomes, rooms: Nursery) -> None:
    """Keep what a process of the pool proves with."""
    _given.append((outcomes, rooms))


def prove_version(version: Version | None) -> Proof:
    """Mark the solution with one version of one function in it."""
    ((outcomes, rooms),) = _given
    notebook = outcomes.source.notebook
    if version is None:
        marks = marks_of(with_answers(notebook, {}), outcomes, rooms)
        return Proof("", "solution", marks, lost_points(marks))
    replaced = {version.function: version.text}
    marks = marks_of(with_answers(notebook, replaced), outcomes, rooms)
    if not version.is_mistake:
        return Proof(version.function, version.name, marks, lost_points(marks))
    own = next(mark for mark in marks if mark.function == version.function)
    problems = lost_points([mark for mark in marks if mark is not own])
    if own.points == own.max_points:
        problems.append(f"{own.function}: loses no points")
    elif own.mistake != version.name and "stopped with" not in own.note:
        problems.append(f"{own.function}: is named {own.mistake or 'nothing'}")
    return Proof(version.function, version.name, marks, problems)


def marks_of(notebook: NotebookNode, outcomes: Outcomes, rooms: Nursery) -> list[TestResult]:
    """Run a notebook, and return the results of its tests."""
    return list(mark_notebook(notebook, outcomes, rooms).results.values())


def lost_points(marks: list[TestResult]) -> list[str]:
    """Say which functions lost points, and why."""
    return [
        f"{mark.function}: {mark.points:g} of {mark.max_points:g} points; {mark.note}"
        for mark in marks
        if mark.points != mark.max_points
    ]
