"""The student version in another language: made of the English one and a translation."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.utils import compute_checksum

from grading import CourseError
from grading.checks import WORDS
from grading.source import Assignment
from grading.source.assignment import KNOWN_MISTAKES, as_json
from grading.source.catalogue import CHECKS, LANGUAGES, words_of
from grading.source.cells import has_checksum, set_checksum
from grading.source.translated_modules import modules_in
from grading.source.translation import translate, what_is_stale


def in_language(assignment: Assignment, name: str, notebook: NotebookNode, language: str) -> None:
    """
    Put a released notebook into a language, in place.

    Parameters
    ----------
    assignment : Assignment
    name : str
        The notebook's.
    notebook : NotebookNode
        As nbgrader publishes it, in English.
    language : str

    Raises
    ------
    CourseError
        Where there is no translation, or one that is stale: each cell in a line.
    """
    translation = assignment.notebooks[name].translations.get(language)
    file = f"source/{assignment.name}/{language}/{name}.md"
    if translation is None:
        raise CourseError(f"{assignment.name}: there is no {file}")
    stale = list(what_is_stale(notebook, translation))
    if stale:
        raise CourseError("\n".join(f"{file}: {line}" for line in stale))
    notebook.cells = translate(notebook, translation).cells
    for cell in notebook.cells:
        if has_checksum(cell):
            set_checksum(cell, compute_checksum(cell))


def files_in_language(assignment: Assignment, known: bytes, language: str) -> dict[str, bytes]:
    """
    Return the files of a student version that are others in a language.

    Parameters
    ----------
    assignment : Assignment
    known : bytes
        known_mistakes.json in English.
    language : str

    Returns
    -------
    dict
        Figures, modules, and known_mistakes.json, by their paths.

    Raises
    ------
    CourseError
        Where the translation of a module is stale: each cell in a line.
    """
    start = f"{language}/figures/"
    files = assignment.files.items()
    figures = {path.removeprefix(f"{language}/"): d for path, d in files if path.startswith(start)}
    words = assignment.own_words(language)
    table = json.loads(known)
    for about in table.values():
        for mistake in about["mistakes"]:
            mistake["sentence"] = words.get(mistake["sentence"], mistake["sentence"])
    table[WORDS] = words_of(language, CHECKS)
    modules, stale = modules_in(assignment, language)
    if stale:
        raise CourseError("\n".join(stale))
    return {**figures, **modules, KNOWN_MISTAKES: as_json(table)}


def languages_of(assignment: Assignment) -> list[str]:
    """Return the languages that an assignment is translated into."""
    notebooks = assignment.notebooks.values()
    return [each for each in LANGUAGES if any(each in n.translations for n in notebooks)]


def write_translated(assignment: Assignment, released: Path, language: str) -> Path:
    """
    Write release-<language>/<assignment> beside the English student version, whole or not at all.

    Parameters
    ----------
    assignment : Assignment
    released : Path
        release/<assignment>.
    language : str

    Raises
    ------
    CourseError
        As `in_language` does; what was there before stays.
    """
    target = released.parents[1] / f"{released.parent.name}-{language}" / assignment.name
    target.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".") as scratch:
        made = Path(scratch) / assignment.name
        shutil.copytree(released, made)
        for name in assignment.notebooks:
            path = made / f"{name}.ipynb"
            notebook = nbformat.read(path, as_version=4)
            in_language(assignment, name, notebook, language)
            nbformat.write(notebook, path)
        known = (made / KNOWN_MISTAKES).read_bytes()
        for file, data in files_in_language(assignment, known, language).items():
            (made / file).write_bytes(data)
        if target.exists():
            target.rename(Path(scratch) / "before")
        made.rename(target)
    return target
