"""What is filled in of an LMS's own file: which column, whose rows, and how points are written."""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from grading import CourseError
from grading.book import Entry
from grading.exports.marks import Marks
from grading.sheets import Sheet, as_number, number

# What a key is called, how it is read off a row, and the attribute of an entry that it equals.
Key = tuple[str, Callable[[list[str]], str], str]


def same_name(one: str, other: str) -> bool:
    """Tell whether two titles are one, but for capitals, spaces and signs."""
    bare = [re.sub(r"[\W_]+", "", text).casefold() for text in (one, other)]
    return bare[0] == bare[1]


def find_column(
    sheet: Sheet,
    titles: dict[int, str],
    wanted: Iterable[str],
    column: str,
    in_full: dict[int, str] | None = None,
) -> int:
    """
    Find the column to fill in.

    Parameters
    ----------
    sheet : Sheet
    titles : dict
        The columns it may be.
    wanted : iterable of str
        What it may be called.
    column : str
        What the instructor says it is called, "" if nothing.
    in_full : dict
        What tells columns of one title apart.

    Raises
    ------
    CourseError
        Where there is none, or more than one.
    """
    names = [column] if column else list(wanted)
    found = [at for at, title in titles.items() if column and title.strip() == column.strip()]
    found = found or [
        at for at, title in titles.items() if any(same_name(title, name) for name in names)
    ]
    if len(found) != 1:
        often = Counter(titles.values())
        shown = {at: in_full[at] if in_full and often[t] > 1 else t for at, t in titles.items()}
        listed = ", ".join(f'"{shown[at]}"' for at in found or titles if titles[at].strip())
        raise CourseError(
            f'{sheet.path}: {"no" if not found else "more than one"} column "{names[0]}"; '
            f"say with --column which to fill in, one of {listed or 'none'}"
        )
    return found[0]


@dataclass
class Points:
    """
    How points are written for an LMS.

    Attributes
    ----------
    factor : float
        What a point of the grade book is worth there.
    mark : str
        Before decimals.
    """

    factor: float = 1.0
    mark: str = "."

    def write(self, score: float) -> str:
        """Return a score as the LMS reads it."""
        return number(score * self.factor, self.mark)


def points_there(sheet: Sheet, full_marks: str, marks: Marks, where: str) -> Points:
    """
    Return how points are written, by the full marks that the LMS names.

    An LMS drops or takes over what is above its full marks, and scales nothing.

    Raises
    ------
    CourseError
        Where full marks are others than here, and nobody asked to scale.
    """
    most, here = as_number(full_marks), marks.class_.max_score
    if most is None:
        marks.notes.append(f"{where} names no full marks for it: points are written as they are")
        return Points()
    mark = "," if "," in full_marks else "."
    if abs(most - here) < 1e-6:
        return Points(1.0, mark)
    if not marks.request.scale or not most or not here:
        raise CourseError(
            f"{sheet.path}: full marks are {number(most)} points in {where}, and {number(here)} in "
            f"the grade book. Make them equal in {where}, and export again; or let --scale count "
            "points in proportion"
        )
    marks.notes.append(f"scaled: {number(here)} points here are {number(most)} in {where}")
    return Points(most / here, mark)


def match(
    rows: dict[int, list[str]], entries: Iterable[Entry], keys: Iterable[Key]
) -> tuple[str, dict[int, Entry]]:
    """
    Find whose each row is, by the one key that fits most students.

    One key for all: numbers of two kinds (of the LMS, of the school) may be alike, and a
    row matched by one and the next by another would give a mark to the wrong student.

    Parameters
    ----------
    rows : dict
        The students' rows, by their place.
    entries : iterable of Entry
    keys : iterable of Key

    Returns
    -------
    tuple
        What the key is called, and the entries by the places of their rows.
    """
    best: tuple[str, dict[int, Entry]] = ("", {})
    entries = list(entries)
    for called, read, attribute in keys:
        by_key = unique((getattr(entry, attribute).casefold(), entry) for entry in entries)
        places = unique((read(row).strip().casefold(), place) for place, row in rows.items())
        found = {place: by_key[key] for key, place in places.items() if key in by_key}
        if len(found) > len(best[1]):
            best = called, found
    return best


def unique(pairs: Iterable[tuple[str, object]]) -> dict:
    """Return the pairs whose key stands once, and is not empty."""
    found: dict = {}
    twice = {""}
    for key, value in pairs:
        if key in found:
            twice.add(key)
        found[key] = value
    return {key: value for key, value in found.items() if key not in twice}


def pack(path: Path, pages: Mapping[Path, str]) -> None:
    """Pack feedback pages, each under a name, into a zip."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for page, name in pages.items():
            archive.write(page, name)
