"""Where in the notebook to read on: the section and the formula that a wrong function is about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode

from grading.findings import Finding
from grading.source.cells import grade_id, is_answer

FORMULAS = re.compile(r"formulas? ((\(\d+\))(?:(?:,| and| to) \(\d+\))*)")
BETWEEN = {
    " and ": Finding("{one} and {other}", {}),
    " to ": Finding("{one} to {other}", {}),
}
NUMBERED = re.compile(r"^#+ (\d[\d.]* .+)$", re.MULTILINE)


@dataclass(frozen=True)
class Reading:
    """A section with a number, formulas of it, and the id of the cell to look at."""

    section: str
    formulas: Finding | None
    cell: str


def read_again(
    notebook: NotebookNode, shown: NotebookNode, function: str, sentence: str
) -> Reading | None:
    """
    Return where the text says what a function has to do, if the notebook numbers its sections.

    Parameters
    ----------
    notebook : NotebookNode
        The source.
    shown : NotebookNode
        The same in the language of the page.
    function : str
    sentence : str
        Of a known mistake: a formula in it comes before those that the docstring names.
    """
    cells = notebook.cells
    place = next((n for n, c in enumerate(cells) if is_answer(c) and grade_id(c) == function), -1)
    if place < 0:
        return None
    asked = FORMULAS.search(sentence) or FORMULAS.search(cells[place].source)
    tag = f"\\tag{{{asked[2][1:-1]}}}" if asked else ""
    texts = {n: c.source for n, c in enumerate(cells) if c.cell_type == "markdown"}
    at = next((n for n, text in texts.items() if tag and tag in text), None)
    above = range(place if at is None else at, -1, -1)
    headed = next((n for n in above if NUMBERED.search(texts.get(n, ""))), None)
    if headed is None:
        return None
    own = {cell.id: cell.source for cell in shown.cells}
    heading = own.get(cells[headed].id, texts[headed])
    section = (NUMBERED.findall(heading) or NUMBERED.findall(texts[headed]))[-1].strip()
    if asked is None or at is None:
        return Reading(section, None, cells[headed].id)
    return Reading(section, formulas_in(asked[1]), cells[at].id)


def formulas_in(text: str) -> Finding:
    """Return "(3), (4) and (7)" as a finding."""
    first, *others = re.split("(, | and | to )", text)
    numbers: Any = first
    for between, other in zip(others[::2], others[1::2], strict=True):
        if between in BETWEEN:
            numbers = BETWEEN[between]._replace(fields={"one": numbers, "other": other})
        else:
            numbers = [numbers, other]
    if others:
        return Finding("formulas {numbers}", {"numbers": numbers})
    return Finding("formula {numbers}", {"numbers": numbers})
