"""The files of a language: written for translators, and what is to do in them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import nbformat
from babel import Locale, UnknownLocaleError
from nbformat import NotebookNode

from grading import CourseError, typed
from grading.authoring import catalogues
from grading.authoring.catalogues import Messages, of_assignment, of_engine, stale_messages
from grading.source import read_assignment
from grading.source.bundle import MADE, bundle
from grading.source.catalogue import CATALOGUES
from grading.source.problems import problems_of_table, raise_problems
from grading.source.translation import (
    Translation,
    cells_of,
    read_translation,
    updated,
    what_is_stale,
    write_translation,
)


def write_language(root: Path, language: str) -> Iterator[str]:
    """
    Bring the files of a language up to date with the English; begin those that are not there.

    What is translated stays as it is. What is not yet stands there in English, or is empty.

    Parameters
    ----------
    root : Path
        The course folder.
    language : str
        Its code.

    Yields
    ------
    str
        What a translator has to do, a line each.

    Raises
    ------
    CourseError
        Where that is no code of a language.
    """
    try:
        Locale.parse(language)
    except (ValueError, UnknownLocaleError):
        raise CourseError(f"{language} is no language: name one by its code, zh, say") from None
    yield from write_catalogue(CATALOGUES / f"{language}.po", of_engine(), language)
    yield from write_cells(CATALOGUES / f"{language}.md", cells_of(bundle()))
    for folder in sorted((root / "source").iterdir()):
        if not any(folder.glob("*.ipynb")):
            continue
        assignment, own = read_assignment(folder.name, root), folder / language
        raise_problems(folder.name, problems_of_table(assignment))
        own.mkdir(exist_ok=True)
        yield from write_catalogue(own / "mistakes.po", of_assignment(assignment), language)
        for name in assignment.notebooks:
            released = root / "release" / folder.name / f"{name}.ipynb"
            if not released.exists():
                release = f"{typed.command()} release {folder.name}"
                yield f"{folder.name}: not released yet: {release}"
                continue
            yield from write_cells(own / f"{name}.md", nbformat.read(released, as_version=4))
        for module in sorted(folder.glob("*.py")):
            if not (text := module.read_text("utf-8")).startswith(MADE):
                yield from write_cells(place_for(module, own), cells_of(text))


def write_catalogue(path: Path, messages: Messages, language: str) -> Iterator[str]:
    """Bring a .po file up to date; yield what there is to do in it."""
    before = path.read_bytes() if path.exists() else b""
    path.write_bytes(catalogues.updated(messages, before, language))
    yield from (
        f"{os.path.relpath(path)}: {line}" for line in stale_messages(messages, path.read_bytes())
    )


def place_for(module: Path, own: Path) -> Path:
    """Return where a module is translated: beside it, and where that is a link, so is this."""
    path, true = own / f"{module.stem}.md", module.resolve().parent / own.name
    if module.is_symlink() and not path.exists():
        true.mkdir(exist_ok=True)
        path.symlink_to(os.path.relpath(true / path.name, own))
    return path


def write_cells(path: Path, notebook: NotebookNode) -> Iterator[str]:
    """Bring a translation up to date; yield what there is to do in it."""
    text = path.read_text("utf-8") if path.exists() else ""
    before: Translation = read_translation(text)
    head = text.partition("<!-- cell ")[0]
    path.write_text(write_translation(updated(notebook, before), head), "utf-8")
    yield from (f"{os.path.relpath(path)}: {line}" for line in what_is_stale(notebook, before))
