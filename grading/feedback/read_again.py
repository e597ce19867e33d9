"""Where in the notebook to read on: the section and the formula that a wrong function is about."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nbformat import NotebookNode

from grading.source.cells import grade_id, is_answer

FORMULAS = re.compile(r"formulas? (\(\d+\))(?:(?:,| and| to) \(\d+\))*")
NUMBERED = re.compile(r"^#+ (\d[\d.]* .+)$", re.MULTILINE)


@dataclass(frozen=True)
class Reading:
    """A section with a number, formulas of it ("" for none), and the id of the cell to look at."""

    section: str
    formulas: str
    cell: str


def read_again(notebook: NotebookNode, function: str, sentence: str) -> Reading | None:
    """
    Return where the text says what a function has to do, if the notebook numbers its sections.

    Parameters
    ----------
    notebook : NotebookNode
        The source.
    function : str
    sentence : str
        Of a known mistake: a formula in it comes before those that the docstring names.
    """
    cells = notebook.cells
    place = next((n for n, c in enumerate(cells) if is_answer(c) and grade_id(c) == function), -1)
    if place < 0:
        return None
    asked = FORMULAS.search(sentence) or FORMULAS.search(cells[place].source)
    tag = f"\\tag{{{asked[1][1:-1]}}}" if asked else ""
    texts = {n: c.source for n, c in enumerate(cells) if c.cell_type == "markdown"}
    at = next((n for n, text in texts.items() if tag and tag in text), None)
    above = range(place if at is None else at, -1, -1)
    headed = next((n for n in above if NUMBERED.search(texts.get(n, ""))), None)
    if headed is None:
        return None
    section = NUMBERED.findall(texts[headed])[-1].strip()
    if asked is None or at is None:
        return Reading(section, "", cells[headed].id)
    return Reading(section, asked[0], cells[at].id)
