"""A class of sample students, each named for what they hand in."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat

from grading.authoring.prove import with_solutions
from grading.source.assignment import load_solution
from grading.source.mistakes import Version, read_versions

# What makes a course; the rest of its folders are nbgrader's to fill.
COURSE_FILES = [
    "nbgrader_config.py",
    "rnn_utils.py",
    "rnn_checks.py",
    "rnn_forward_passes.py",
    "source",
]
MISTAKES, CORRECT = 15, 5


def make_course(root: Path, folder: Path) -> None:
    """Copy the course into a scratch folder, in place of what stood there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in COURSE_FILES:
        copy = shutil.copytree if (root / name).is_dir() else shutil.copy
        copy(root / name, folder / name)


def make_submissions(assignment: str, course: Path) -> None:
    """Hand in a class of 24 in a course: see `submissions`."""
    notebook = f"{assignment}.ipynb"
    release = nbformat.read(course / "release" / assignment / notebook, as_version=4)
    for student, sources in submissions(assignment):
        folder = course / "submitted" / student / assignment
        folder.mkdir(parents=True)
        nbformat.write(with_solutions(release, sources), folder / notebook)


def submissions(assignment: str) -> Iterator[tuple[str, dict[str, str]]]:
    """
    Yield the students of the class, and the text of their solution cells.

    The solution, mistakes and right versions of all functions in turn, an untouched
    notebook, one with a syntax error and one with an endless loop.
    """
    solution = load_solution(assignment).sources
    first = next(iter(solution))
    broken = {
        "syntax_error": solution[first].replace("):", ")", 1),
        "endless_loop": solution[first].replace("### BEGIN SOLUTION", "while True:\n        pass"),
    }
    yield "solution", plain(solution)
    yield "untouched", {}
    for name, source in broken.items():
        yield name, plain({**solution, first: source})
    versions = read_versions(assignment)
    for version in [
        *in_turn([v for v in versions if v.is_mistake], MISTAKES),
        *in_turn([v for v in versions if not v.is_mistake], CORRECT),
    ]:
        yield version.name, plain({**solution, version.function: version.source})


def plain(sources: dict[str, str]) -> dict[str, str]:
    """Return solution cells as a student writes them, without nbgrader's marks."""
    return {
        name: "\n".join(line for line in source.splitlines() if " SOLUTION" not in line)
        for name, source in sources.items()
    }


def in_turn(versions: list[Version], count: int) -> list[Version]:
    """Take `count` versions with names of their own, from each function in turn."""
    by_function: dict[str, list[Version]] = {}
    for version in versions:
        by_function.setdefault(version.function, []).append(version)
    rounds = zip(*by_function.values(), strict=False)
    unique = {version.name: version for turn in rounds for version in turn}
    return list(unique.values())[:count]
