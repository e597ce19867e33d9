"""A class of sample students, each named for what they hand in."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat

from grading.source import Source, Version
from grading.source.cells import with_answers
from grading.source.course import CONFIG
from grading.source.modules import read_modules

MISTAKES, CORRECT = 15, 5


def make_course(root: Path, folder: Path) -> None:
    """Copy the course into a scratch folder, in place of what stood there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shutil.copytree(root / "source", folder / "source")
    for name, text in {CONFIG: (root / CONFIG).read_bytes(), **read_modules(root)}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(text)


def make_submissions(source: Source, course: Path) -> None:
    """Hand in a class of 24 in a course: see `submissions`."""
    assignment = source.assignment
    notebook = f"{assignment}.ipynb"
    given = course / "release" / assignment
    release = nbformat.read(given / notebook, as_version=4)
    for student, answers in submissions(source):
        folder = course / "submitted" / student / assignment
        shutil.copytree(given, folder)  # all of it, as students do
        nbformat.write(with_answers(release, answers), folder / notebook)


def submissions(source: Source) -> Iterator[tuple[str, dict[str, str]]]:
    """
    Yield the students of the class, and the text of their solution cells.

    The solution, mistakes and right versions of all functions in turn, an untouched
    notebook, one with a syntax error and one with an endless loop.
    """
    answers = source.answers
    first = next(iter(answers))
    broken = {
        "syntax_error": answers[first].replace("):", ")", 1),
        "endless_loop": answers[first].replace("### BEGIN SOLUTION", "while True:\n        pass"),
    }
    yield "solution", plain(answers)
    yield "untouched", {}
    for name, text in broken.items():
        yield name, plain({**answers, first: text})
    for version in [
        *in_turn([v for v in source.versions if v.is_mistake], MISTAKES),
        *in_turn([v for v in source.versions if not v.is_mistake], CORRECT),
    ]:
        yield version.name, plain({**answers, version.function: version.text})


def plain(answers: dict[str, str]) -> dict[str, str]:
    """Return solution cells as a student writes them, without nbgrader's marks."""
    return {
        name: "\n".join(line for line in text.splitlines() if " SOLUTION" not in line)
        for name, text in answers.items()
    }


def in_turn(versions: list[Version], count: int) -> list[Version]:
    """Take `count` versions with names of their own, from each function in turn."""
    by_function: dict[str, list[Version]] = {}
    for version in versions:
        by_function.setdefault(version.function, []).append(version)
    rounds = zip(*by_function.values(), strict=False)
    unique = {version.name: version for turn in rounds for version in turn}
    return list(unique.values())[:count]
