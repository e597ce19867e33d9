"""The proof of the tests: every mistake loses points, every right version earns them all."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from multiprocessing import get_context
from typing import NamedTuple

import numpy as np
from nbformat import NotebookNode

from grading import MistakeStops
from grading.authoring.blanks import blank_versions, coincidences
from grading.authoring.promises import (
    EQUAL,
    NOTHING,
    PROMISES,
    RIGHT,
    UNLIKE,
    Broken,
    broken,
    lost_points,
    points_of,
    promise_of,
)
from grading.marking.current import marking
from grading.marking.hidden_data import sets_of
from grading.marking.naming import Outcomes
from grading.marking.notebook import mark_notebook
from grading.marking.result import TestResult
from grading.marking.solution import mark_solution
from grading.rooms import Nursery
from grading.source import Source, Version
from grading.source.cells import function_tested, with_answers
from grading.source.names import names_in
from grading.source.running import in_entry

STUB = "raise NotImplementedError()"
SAMPLE = 24  # every so many-th mistake is handed in
OTHER_SETS = 4  # and every so many-th is marked on the other sets, too
BLANKS = 5  # every so many-th blank version is: of each function another one


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
        In the first set of hidden data.
    problems : list of Broken
        What of the promises it breaks.
    """

    function: str
    name: str
    marks: list[TestResult]
    problems: list[Broken] = field(default_factory=list)


class Trial(NamedTuple):
    """
    A version to be tried.

    Attributes
    ----------
    version : Version or None
        None for the solution itself.
    sets : int
        In how many sets of hidden data it is marked.
    handed_in : int
        In how many of these it is handed in, too.
    is_blank : bool
        Whether it must earn nothing.
    is_put_to_all : bool
        Whether it is put to all tests here, too; else to those that may call it.
    """

    version: Version | None
    sets: int
    handed_in: int
    is_blank: bool = False
    is_put_to_all: bool = True


class Ready(NamedTuple):
    """With what a process of the pool proves."""

    outcomes: list[Outcomes]
    rooms: Nursery


def prove_tests(
    source: Source, rooms: Nursery, secret: bytes, in_all_sets: bool = False
) -> Iterator[Proof]:
    """
    Mark the solution, every version in mistakes.yaml, blank ones, and the untouched notebook.

    Parameters
    ----------
    source : Source
    rooms : Nursery
    secret : bytes
        From which the sets of hidden data are drawn.
    in_all_sets : bool
        Whether every version is handed in, in every set, and put to all tests. Else right
        versions are, in one set, one of each function in a notebook, and a sample of the others;
        what is not handed in by itself is put to the tests that may call it; and a sample is
        marked on the other sets.

    Yields
    ------
    Proof
        The solution and every right version must earn all points, the untouched notebook
        none. A mistake must lose points of its own question and of no other, and be named;
        tests that keep no record name nothing, and lend nothing to each other: it must lose
        points in one of them.
        A function that returns zeros, ones, its inputs or nothing must earn nothing. Each
        must earn the same in every set, and the same in a room as where the tests run: there,
        without a room, every version is marked, which takes a tenth of the time.
    """
    outcomes = [Outcomes(source, data) for data in sets_of(secret)]
    for each in outcomes:  # so that what is right, and known to be wrong, is so in all processes
        found = mark_solution(each)
        with suppress(MistakeStops), marking(each):  # one that does not run is said in its turn
            each.work_out_mistakes()
    marked = {result.function for result in found.values()}
    fork = get_context("fork")  # so that what is warm here is warm there
    with ProcessPoolExecutor(None, fork, begin, (Ready(outcomes, rooms),)) as pool:
        together = [] if in_all_sets else list(right_together(source))
        lost = {version: said for found in pool.map(hand_in, together) for version, said in found}
        trials = list(trials_of(source, marked, len(outcomes), in_all_sets))
        for trial, proof in zip(trials, pool.map(prove_version, trials, chunksize=4), strict=True):
            yield replace(proof, problems=proof.problems + lost.get(trial.version, []))
    untouched = with_answers(source.notebook, dict.fromkeys(source.answers, STUB))
    marks = [marks_of(untouched, each, rooms) for each in outcomes]
    earned = [Broken(NOTHING, text) for each in marks for text in points_of(each)]
    yield Proof("", "untouched", marks[0], earned)


def trials_of(
    source: Source, marked: Collection[str], sets: int, in_all_sets: bool
) -> Iterator[Trial]:
    """Yield what is to be tried; blank versions of those functions that a test marks."""
    yield Trial(None, sets, sets)
    for number, version in enumerate(source.versions):
        if in_all_sets:
            yield Trial(version, sets, sets)
        else:
            handed_in = version.is_mistake and number % SAMPLE == 0
            in_sets = sets if number % OTHER_SETS == 0 else 1
            yield Trial(version, in_sets, int(handed_in), is_put_to_all=handed_in)
    for number, version in enumerate(blank_versions(source, marked)):
        handed_in = in_all_sets or number % BLANKS == 0
        yield Trial(version, sets, (sets if in_all_sets else 1) * handed_in, True, handed_in)


def right_together(source: Source) -> Iterator[list[Version]]:
    """Yield right versions, one of each function: as long as a function has another."""
    right = [version for version in source.versions if not version.is_mistake]
    by_function = [[each for each in right if each.function == name] for name in source.answers]
    for versions in zip_longest(*by_function):
        yield [each for each in versions if each]


def not_reached(source: Source, function: str) -> Iterator[tuple[str, str]]:
    """
    Yield the visible checks, and the tests that call a function neither by name nor by another.

    Beside the name stands what is run in the place of its text: imports, which a test behind
    it may need. Those that define what one behind them uses are left out.
    """
    code = [names_in(text) for text in (*source.answers.values(), *source.built_on.values())]
    reached = {function, *names_in(source.answers[function]).binds}
    while more := {name for each in code if each.uses & reached for name in each.binds} - reached:
        reached |= more
    wanted: set[str] = set()
    for name, text in reversed(source.tested.items()):
        names = names_in(text)
        if (name in source.tests and names.uses & reached) or names.binds & wanted:
            wanted |= names.uses - names.binds
        else:
            yield name, names.imports


_given: list[Ready] = []  # in a process of the pool


def begin(ready: Ready) -> None:
    """Keep what a process of the pool proves with."""
    _given.append(ready)


def prove_version(trial: Trial) -> Proof:
    """Mark the solution with one version of one function in it, here and handed in."""
    (ready,) = _given
    version = trial.version
    plain = set(map(function_tested, ready.outcomes[0].tried.plain))
    replaced = {version.function: version.text} if version else {}
    without: dict[str, str] = {}
    if version and not trial.is_put_to_all:
        without = dict(not_reached(ready.outcomes[0].source, version.function))
    marks: list[list[TestResult]] = []
    problems: list[Broken] = []
    promise = promise_of(version, trial.is_blank)
    for each in ready.outcomes[: trial.sets]:
        # warnings as in a student's room, where nobody reads them
        with in_entry(version), np.errstate(all="ignore"):
            tries = {"": list(mark_solution(each, **replaced, **without).values())}
        if each.data.number < trial.handed_in:
            notebook = with_answers(each.source.notebook, replaced)
            tries["handed in, "] = marks_of(notebook, each, ready.rooms)
        here: list[str] = []  # what is so when it is handed in, too, is said once
        for way, found in tries.items():
            texts = broken(version, trial.is_blank, found, plain)
            new = [text for text in texts if text not in here]
            where = f"{way}set {each.data.number + 1}"
            problems += [Broken(promise, f"{where}: {text}") for text in new]
            here += new
        marks += tries.values()
        if version is None:
            problems += [Broken(UNLIKE, text) for text in coincidences(each)]
    asked = {mark.function for mark in marks[0]}
    earned = [[m.points for m in each if m.function in asked] for each in marks]
    others = [f"earns {earned[0]} in set 1, {other}" for other in earned if other != earned[0]]
    problems += [Broken(EQUAL, text) for text in others]
    if version is None:
        return Proof("", "solution", marks[0], problems)
    return Proof(version.function, version.name, marks[0], problems)


def hand_in(versions: list[Version]) -> list[tuple[Version | None, list[Broken]]]:
    """
    Mark right versions of several functions in one notebook; say what each loses.

    Where they lose points together they are handed in one by one: what one keeps in a cache of
    its own, another need not understand.
    """
    (ready,) = _given
    outcomes = ready.outcomes[0]
    replaced = {version.function: version.text for version in versions}
    marks = marks_of(with_answers(outcomes.source.notebook, replaced), outcomes, ready.rooms)
    lost = [Broken(RIGHT, f"handed in, set 1: {text}") for text in lost_points(marks)]
    if lost and len(versions) > 1:
        return [found for version in versions for found in hand_in([version])]
    return [(version, lost) for version in versions]


def marks_of(notebook: NotebookNode, outcomes: Outcomes, rooms: Nursery) -> list[TestResult]:
    """Run a notebook, and return the results of its tests."""
    return list(mark_notebook(notebook, outcomes, rooms).results.values())


def as_lines(proofs: Collection[Proof]) -> Iterator[str]:
    """Yield each promise that is broken, by which versions and in what, and what to do."""
    for promise in PROMISES:
        found = [
            f"  {', '.join(filter(None, (proof.function, proof.name)))}: {each.text}"
            for proof in proofs
            for each in proof.problems
            if each.promise == promise
        ]
        if found:
            yield from (f"{promise.text}:", *found, f"  To do: {promise.to_do}.")
