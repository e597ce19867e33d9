"""Comma-separated files: read as an LMS writes them, written so that nothing in them runs."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from grading import CourseError
from grading.book import Place

RISKY = re.compile(r"'*[=+\-@\t\r\n]")
NUMBER = re.compile(r"[+-]?[0-9]*[.,]?[0-9]*%?")
DECIMAL = re.compile(r"[0-9]+(?:[.,][0-9]+)?")
THOUSANDS = re.compile(r"[1-9]\d{0,2}(,\d{3})+(\.\d+)?")


@dataclass
class Sheet:
    """
    A table as an LMS exported it.

    Attributes
    ----------
    path : Path
    rows : list of list of str
    delimiter : str
    marked : bool
        Whether the file begins with a byte-order mark.
    as_is : container of int
        The columns by which the LMS looks up students and assignments: no text is guarded there.
    """

    path: Path
    rows: list[list[str]]
    delimiter: str = ","
    marked: bool = False
    as_is: Container[int] = ()

    def write(self, path: Path) -> None:
        """Write the table the way it came."""
        write_rows(path, self.rows, self.delimiter, self.marked, self.as_is)


def read_sheet(path: Path) -> Sheet:
    """
    Read a table that an LMS exported: commas, semicolons or tabs between the fields.

    Raises
    ------
    CourseError
        Where it is none.
    """
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise CourseError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise CourseError(
            f"{path} is not as the LMS wrote it (no UTF-8): export it again, and let no "
            "spreadsheet save it"
        ) from None
    csv.field_size_limit(2**31 - 1)  # Moodle puts whole texts into a field
    heading = text.partition("\n")[0]
    delimiter = max(",;\t", key=lambda sign: len(next(csv.reader([heading], delimiter=sign), [])))
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise CourseError(f"{path} is damaged ({error}): export it again") from None
    rows = [row for row in rows if row]
    if not rows:
        raise CourseError(f"{path} is empty: export it again")
    width = max(map(len, rows))
    rows = [row + [""] * (width - len(row)) for row in rows]
    return Sheet(path, rows, delimiter, raw.startswith(b"\xef\xbb\xbf"))


def write_rows(
    path: Path,
    rows: Iterable[Sequence[object]],
    delimiter: str = ",",
    marked: bool = False,
    as_is: Container[int] = (),
) -> None:
    """Write a table: texts guarded but in the columns `as_is`, fields quoted where they need it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    encoding = "utf-8-sig" if marked else "utf-8"
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(
            [guard(f) if isinstance(f, str) and n not in as_is else f for n, f in enumerate(row)]
            for row in rows
        )


def guard(text: str) -> str:
    """
    Keep a spreadsheet from taking a text for a formula.

    What begins with one of `= + - @`, a tab or a line break gets an apostrophe in front
    (https://owasp.org/www-community/attacks/CSV_Injection), and so does what begins with
    apostrophes and then one of these: to read a text back, take one apostrophe away where
    such a text begins with one (`unguard`). Numbers, and a lone sign, stay.
    """
    return f"'{text}" if RISKY.match(text) and not NUMBER.fullmatch(text) else text


def unguard(text: str) -> str:
    """Undo `guard`."""
    return text[1:] if text.startswith("'") and RISKY.match(text) else text


def column_titles(places: Iterable[Place]) -> dict[Place, str]:
    """Title each graded cell with what is marked there, and its notebook where two are alike."""
    places = list(places)
    functions = Counter(place.function for place in places)
    in_notebooks = Counter((place.notebook, place.function) for place in places)
    titles = {}
    for place in places:
        notebook, function = place.notebook, place.function
        alone = in_notebooks[notebook, function] == 1
        in_full = f"{notebook}: {function if alone else place.cell}"
        titles[place] = function if functions[function] == 1 else in_full
    return titles


def number(value: float, mark: str = ".") -> str:
    """Write points with at most five decimals, as many as Moodle keeps, and a decimal mark."""
    return f"{value:.5f}".rstrip("0").rstrip(".").replace(".", mark)


def as_number(text: str) -> float | None:
    """
    Read a number with a point or a comma before its decimals; None where it is none.

    Three digits behind a comma are thousands, as in 1,000 and 1,000.00: marks have fewer decimals.
    """
    if THOUSANDS.fullmatch(text.strip()):
        text = text.replace(",", "")
    found = DECIMAL.fullmatch(text.strip())
    return float(found[0].replace(",", ".")) if found else None
