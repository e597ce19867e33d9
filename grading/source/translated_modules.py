"""The modules that students are given, with docstrings and comments in another language."""

from __future__ import annotations

import os

from grading.source.assignment import Assignment
from grading.source.bundle import bundle
from grading.source.catalogue import CATALOGUES
from grading.source.translation import (
    cells_of,
    read_translation,
    translated_module,
    what_is_stale,
)


def modules_in(assignment: Assignment, language: str) -> tuple[dict[str, bytes], list[str]]:
    """
    Return the modules beside the notebooks that are translated; the others stay English.

    Returns
    -------
    modules : dict
        Their texts, by path.
    stale : list of str
        What a translator has to do, a line for each cell: these modules are not among them.
    """
    modules, stale, checks = {}, [], bundle()
    for path, data in assignment.files.items():
        name, _, ending = path.rpartition(".")
        if ending != "py" or "/" in name:
            continue
        module, file = data.decode(), f"{language}/{name}.md"
        text, shown = assignment.files.get(file), f"source/{assignment.name}/{file}"
        if module == checks:  # not the course's: the engine's
            own = CATALOGUES / f"{language}.md"
            text, shown = own.read_bytes() if own.exists() else None, os.path.relpath(own)
        if text is None:
            continue
        translation = read_translation(text.decode())
        if lines := list(what_is_stale(cells_of(module), translation)):
            stale += [f"{shown}: {line}" for line in lines]
        else:
            modules[path] = translated_module(module, translation).encode()
    return modules, stale
