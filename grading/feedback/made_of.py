"""What a page was made of: it says so in its head, and so can be told from what holds by now."""

from __future__ import annotations

import re
from pathlib import Path

from grading.entries import Entry
from grading.source import digest

HEAD = 2000  # bytes of a page in which it says so
SAID = re.compile(rb'<meta name="grade-book" content="(\w+)">')


def made_of(entry: Entry) -> str:
    """Return the hash of all that a page shows of an entry of the grade book."""
    name, points, penalties, comments = entry.shown
    held = [f"{place} {float(given)} {is_open}" for place, (given, is_open) in points.items()]
    held += [f"{notebook} {float(off)}" for notebook, off in penalties.items()]
    held += [f"{place} {said}" for place, said in comments.items()]
    return digest([name, *sorted(held)])


def said_in(page: Path) -> str | None:
    """Return what a page says it was made of; None where it says nothing, or is not there."""
    try:
        with page.open("rb") as file:
            found = SAID.search(file.read(HEAD))
    except OSError:
        return None
    return found[1].decode() if found else None


def is_true(page: Path, entry: Entry) -> bool:
    """Tell whether a page shows what the grade book holds."""
    return said_in(page) == made_of(entry)
