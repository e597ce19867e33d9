"""Moodle: the grading worksheet as CSV, and the feedback pages as a zip.

Both are settings of the assignment in Moodle (Feedback types: "Offline grading worksheet" and
"Feedback files"); the files go back through "Upload grading worksheet" and "Upload multiple
feedback files in a zip". Moodle finds the student by the number in `Identifier`, and the columns
by their titles in the language of whoever imports. A grade that Moodle holds and that is newer
than `Last modified (grade)` stays, unless updating such records is ticked.
In the zip, `<name>_<number>_assignsubmission_file_/<file>` tells whose a file is, as in "Download
all submissions"; the name may hold no underscore.
Sources: https://docs.moodle.org/en/Using_Assignment and, below
https://github.com/moodle/moodle/blob/MOODLE_405_STABLE/mod/assign/feedback/ ,
offline/importgradeslib.php and file/importziplib.php
"""

from __future__ import annotations

import html
import re
import zipfile
from pathlib import Path

from grading import CourseError
from grading.book import Entry
from grading.exports.marks import Marks
from grading.intake.folder import printable
from grading.sheets import Sheet, check_maximum, find_column, match, number, write_rows

GRADE, MAXIMUM, COMMENTS = "Grade", "Maximum Grade", "Feedback comments"
COLUMNS = [
    *["Identifier", "Full name", "Email address", "Status", GRADE, MAXIMUM],
    *["Grade can be changed", "Last modified (submission)", "Last modified (grade)", COMMENTS],
]


def participant(identifier: str) -> str:
    """Return the number in "Participant 1234567", in whatever language; "" if there is none."""
    found = re.search(r"([0-9]+)\s*$", identifier)
    return found[1] if found else ""


def number_of(entry: Entry) -> str:
    """Return a student's participant number, "" if it is not known."""
    return next((n for n in (entry.lms_user_id, entry.student_id) if re.fullmatch("[0-9]+", n)), "")


def write_worksheet(path: Path, marks: Marks, entries: dict[str, Entry]) -> None:
    """Write a worksheet for the students whose participant number is known."""
    rows = [COLUMNS]
    for number_there, entry in entries.items():
        when = f"{entry.timestamp:%A, %d %B %Y, %I:%M %p}" if entry.timestamp else "-"
        about = [f"Participant {number_there}", entry.name, entry.email]
        grades = [number(entry.score), number(marks.group.max_score), "Yes"]
        comments = as_html(marks.remarks(entry))
        rows.append([*about, "Submitted for grading", *grades, when, "-", comments])
    write_rows(path, rows)


def fill_in(sheet: Sheet, marks: Marks) -> tuple[str, dict[str, Entry]]:
    """
    Put scores and, where none are yet, comments into a worksheet that Moodle exported.

    Returns
    -------
    tuple
        By what the students were found, and the entries that were, by participant number.
    """
    heading = [title.strip() for title in sheet.rows[0]]
    rows = {place: row for place, row in enumerate(sheet.rows) if place}
    if not rows or not all(participant(row[0]) for row in rows.values()):
        raise CourseError(
            f"{sheet.path} is no grading worksheet of Moodle: its first column does not hold "
            '"Participant" and a number. In the assignment: Download grading worksheet'
        )
    at = find_column(sheet, dict(enumerate(heading)), GRADE, marks.order.column)
    for most in {rows[place][n] for place in rows for n, t in enumerate(heading) if is_maximum(t)}:
        check_maximum(sheet, most, marks.group.max_score, "Moodle")
    keys = [
        ("Identifier", lambda row: participant(row[0]), "student_id"),
        ("Identifier", lambda row: participant(row[0]), "lms_user_id"),
    ]
    for title, n in ((title, n) for n, title in enumerate(heading)):
        if title in ("ID number", "Username"):
            keys.append((title, lambda row, n=n: row[n], "student_id"))
        elif any("@" in row[n] for row in rows.values()) and n < at:
            keys.append((title, lambda row, n=n: row[n], "email"))
            keys.append((title, lambda row, n=n: row[n], "student_id"))
    key, found = match(rows, marks.entries, keys)
    comments = heading.index(COMMENTS) if COMMENTS in heading else None
    for place, row in rows.items():
        if place in found:
            row[at] = number(found[place].score)
            if comments is not None and not row[comments].strip():
                row[comments] = as_html(marks.remarks(found[place]))
    return key, {participant(rows[place][0]): entry for place, entry in found.items()}


def is_maximum(title: str) -> bool:
    """Tell whether a column holds the maximum grade; versions write it differently."""
    return title.casefold() == MAXIMUM.casefold()


def as_html(lines: list[str]) -> str:
    """Return lines as Moodle keeps comments."""
    return "".join(f"<p>{html.escape(line)}</p>" for line in lines)


def write_feedback(path: Path, pages: dict[str, list[Path]], names: dict[str, str]) -> None:
    """
    Pack feedback pages into the zip that Moodle takes.

    Parameters
    ----------
    path : Path
    pages : dict
        The pages, one of each notebook, by participant number.
    names : dict
        The students' names, by participant number.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, of_student in pages.items():
            name = re.sub(r'[_/\\:*?"<>|\s]+', " ", printable(names[number])).strip(" .")
            folder = f"{name or 'Participant'}_{number}_assignsubmission_file_"
            for page in of_student:
                archive.write(page, f"{folder}/{page.name}")
