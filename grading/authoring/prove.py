"""The proof of the tests: every mistake loses points, every right version earns them all."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from nbformat import NotebookNode

from grading.marking.notebook import Execute, run
from grading.marking.result import Mark, read_marks
from grading.source.assignment import grade_id, is_solution, read_source
from grading.source.course import open_course
from grading.source.mistakes import Version, read_versions

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
    marks : list of Mark
    problems : list of str
        One sentence per broken promise.
    """

    function: str
    name: str
    marks: list[Mark]
    problems: list[str] = field(default_factory=list)


def prove(assignment: str, unprotected: bool = False) -> Iterator[Proof]:
    """
    Mark the solution, the untouched notebook, and every version in mistakes.yaml.

    Parameters
    ----------
    assignment : str
    unprotected : bool
        Whether to run without a sandbox.

    Yields
    ------
    Proof
        The solution and every right version must earn all points, the untouched notebook
        none. A mistake must lose points of its own question and of no other, and be named.
    """
    execute = Execute(config=open_course(unprotected).config)
    notebook = read_source(assignment)
    versions = [None, *read_versions(assignment)]
    with ProcessPoolExecutor() as pool:
        prove_one = partial(prove_version, execute, assignment, notebook)
        yield from pool.map(prove_one, versions, chunksize=4)
    untouched = {grade_id(cell): STUB for cell in notebook.cells if is_solution(cell)}
    marks = marks_of(execute, assignment, with_solutions(notebook, untouched))
    problems = [f"{m.function}: {m.points:g} points for nothing" for m in marks if m.points]
    yield Proof("", "untouched", marks, problems)


def prove_version(
    execute: Execute, assignment: str, notebook: NotebookNode, version: Version | None
) -> Proof:
    """Mark the solution with one version of one function in it."""
    if version is None:
        marks = marks_of(execute, assignment, with_solutions(notebook, {}))
        return Proof("", "solution", marks, lost_points(marks))
    replaced = {version.function: version.source}
    marks = marks_of(execute, assignment, with_solutions(notebook, replaced))
    if not version.is_mistake:
        return Proof(version.function, version.name, marks, lost_points(marks))
    own = next(mark for mark in marks if mark.function == version.function)
    problems = lost_points([mark for mark in marks if mark is not own])
    if own.points == own.max_points:
        problems.append(f"{own.function}: loses no points")
    elif own.mistake != version.name and "stopped with" not in own.note:
        problems.append(f"{own.function}: is named {own.mistake or 'nothing'}")
    return Proof(version.function, version.name, marks, problems)


def marks_of(execute: Execute, assignment: str, notebook: NotebookNode) -> list[Mark]:
    """Run a notebook, and return its marks."""
    run(notebook, assignment, execute.nursery())
    return read_marks(notebook)


def lost_points(marks: list[Mark]) -> list[str]:
    """Say which functions lost points, and why."""
    return [
        f"{mark.function}: {mark.points:g} of {mark.max_points:g} points; {mark.note}"
        for mark in marks
        if mark.points != mark.max_points
    ]


def with_solutions(notebook: NotebookNode, sources: dict[str, str]) -> NotebookNode:
    """Return a copy of a notebook with other text in some of its solution cells."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if is_solution(cell):
            cell.source = sources.get(grade_id(cell), cell.source)
    return notebook
