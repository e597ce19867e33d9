"""Pages of marked submissions, made anew where the grade book says something else by now."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from nbformat import NotebookNode, from_dict

from grading.entries import Entry
from grading.feedback import Pages
from grading.run.bounds import bounded_time
from grading.run.files import Parts, write_parts


def unpacked(texts: Mapping[str, bytes]) -> dict[str, NotebookNode]:
    """Return marked notebooks, by their names."""
    return {name: from_dict(json.loads(text)) for name, text in texts.items()}


def packed(notebook: NotebookNode) -> bytes:
    """Return a marked notebook as it lies in autograded/."""
    return json.dumps(notebook, ensure_ascii=False).encode()


def make_anew(
    pages: Pages, marked: Mapping[str, Path], entry: Entry, folder: Path, mode: int
) -> Parts:
    """
    Write the pages of a student, not shown yet.

    Parameters
    ----------
    pages : Pages
    marked : mapping of Path
        Where the marked notebooks lie, by their names.
    entry : Entry
        What the grade book holds by now.
    folder : Path
        Where the pages belong.
    mode : int
        Their permissions.
    """
    texts = {name: path.read_bytes() for name, path in marked.items()}
    with bounded_time(sum(map(len, texts.values())), len(texts)):
        made = {
            f"{folder}/{name}.html": pages.page(name, notebook, entry).encode()
            for name, notebook in unpacked(texts).items()
        }
    return write_parts(made, mode)
