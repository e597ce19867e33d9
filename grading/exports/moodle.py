"""
Moodle: the grading worksheet as CSV, and the feedback pages as a zip.

Both are settings of the assignment in Moodle (Feedback types: "Offline grading worksheet" and
"Feedback files"); the files go back through "Upload grading worksheet" and "Upload multiple
feedback files in a zip". Moodle finds the student by the number in `Identifier`, and the columns
by their titles in the language of whoever imports. A grade that Moodle holds and that is newer
than `Last modified (grade)` stays, unless updating such records is ticked; one above the maximum,
or of a student whose grade is locked, is dropped without a word.

The columns stand in one order in all languages: the identifier, the name, more about the student,
status, group and marker where there are some, the grade, its maximum (or the steps of a scale),
the state of a workflow where there is one, whether the grade can be changed, what was handed in,
when the grade was last changed, and comments.
In the zip, `<name>_<number>_assignsubmission_file_/<file>` tells whose a file is, as in "Download
all submissions"; the name may hold no underscore.
Sources: https://docs.moodle.org/en/Using_Assignment and, below
https://github.com/moodle/moodle/blob/MOODLE_405_STABLE/mod/assign/ , gradingtable.php (the
columns), feedback/offline/importgradeslib.php and locallib.php, feedback/file/importziplib.php;
the titles: lang/<language>/moodle.php, "grade".
"""

from __future__ import annotations

import html
import re
from operator import itemgetter
from pathlib import Path

from grading import CourseError
from grading.book import Entry
from grading.exports.filling import Key, find_column, match, pack, points_there
from grading.exports.marks import Marks
from grading.intake.notes import printable
from grading.sheets import Sheet, as_number, number, write_rows

WORKSHEET_COLUMNS = [
    *["Identifier", "Full name", "Email address", "Status", "Grade", "Maximum grade"],
    *["Grade can be changed", "Last modified (submission)", "Last modified (grade)"],
    "Feedback comments",
]
# "Grade" and "No" in the languages in which Moodle is used most; any other by --column.
GRADE = [
    *["Grade", "Bewertung", "Note", "Calificación", "Nota", "Avaliação", "Valutazione", "Cijfer"],
    *["成绩", "評点", "Оценка", "Ocena", "Betyg"],
]
NO = {"no", "nein", "non", "não", "nee", "否", "いいえ", "нет", "nie", "nej"}


def participant(identifier: str) -> str:
    """Return the number in "Participant 1234567", in whatever language; "" if there is none."""
    found = re.search(r"([0-9]+)\s*$", identifier)
    return found[1] if found else ""


def write_worksheet(path: Path, marks: Marks, entries: dict[str, Entry]) -> None:
    """Write a worksheet for the students whose participant number is known."""
    rows = [WORKSHEET_COLUMNS]
    for number_there, entry in entries.items():
        when = f"{entry.timestamp:%A, %d %B %Y, %I:%M %p}" if entry.timestamp else "-"
        about = [f"Participant {number_there}", entry.name, entry.email]
        grades = [number(entry.score), number(marks.class_.max_score), "Yes"]
        comments = as_html(marks.remarks(entry))
        rows.append([*about, "Submitted for grading", *grades, when, "-", comments])
    write_rows(path, rows)


class Worksheet:
    """
    A grading worksheet that Moodle exported, in any language.

    Attributes
    ----------
    sheet : Sheet
    heading : list of str
    grade : int
        The column of the grade; its maximum stands in the next one.
    rows : dict
        The students' rows, by their place.
    """

    def __init__(self, sheet: Sheet, column: str) -> None:
        self.sheet = sheet
        self.heading = [title.strip() for title in sheet.rows[0]]
        self.rows = {place: row for place, row in enumerate(sheet.rows) if place}
        if not self.rows or not all(participant(row[0]) for row in self.rows.values()):
            raise CourseError(
                f"{sheet.path} is no grading worksheet of Moodle: its first column does not hold "
                '"Participant" and a number. In the assignment: Download grading worksheet'
            )
        self.grade = find_column(sheet, dict(enumerate(self.heading)), GRADE, column)

    def keys(self) -> list[Key]:
        """Return by what students may be found: all that stands before the grade."""
        keys: list[Key] = [
            (self.heading[0], lambda row: participant(row[0]), "student_id"),
            (self.heading[0], lambda row: participant(row[0]), "lms_user_id"),
        ]
        for at in range(1, self.grade):
            attributes = ["student_id"]
            if any("@" in row[at] for row in self.rows.values()):
                attributes.insert(0, "email")
            keys += [(self.heading[at], itemgetter(at), a) for a in attributes]
        return keys

    def about(self, row: list[str]) -> dict[str, str]:
        """Return what the grade book can hold of a student; no name, where marking is blind."""
        names = [each[1] for each in self.rows.values()]
        named = len(set(names)) > len(names) / 2  # else it is the status
        addresses = (cell for cell in row[1 : self.grade] if "@" in cell)
        return {"last_name": row[1].strip() if named else "", "email": next(addresses, "")}

    def full_marks(self) -> str:
        """
        Return the maximum, as Moodle writes it.

        Raises
        ------
        CourseError
            Where there is none: Moodle grades with a scale, or columns are missing.
        """
        after = [
            row[self.grade + 1].strip() for row in self.rows.values() if self.grade + 1 < len(row)
        ]
        if not after or as_number(after[0]) is None:
            raise CourseError(
                f'{self.sheet.path}: beside "{self.heading[self.grade]}" stands no maximum. Moodle '
                "grades with a scale, or columns are missing: set the grade's type to Point in "
                "Moodle, and download the whole grading worksheet"
            )
        return after[0]

    def is_locked(self, row: list[str]) -> bool:
        """Tell whether Moodle says that a grade cannot be changed."""
        return any(cell.strip().casefold() in NO for cell in row[self.grade + 2 : self.grade + 4])


def fill_in(sheet: Sheet, marks: Marks) -> tuple[str, dict[str, Entry]]:
    """
    Put scores and, where none are yet, comments into a worksheet that Moodle exported.

    Returns
    -------
    tuple
        By what the students were found, and the entries that were, by participant number.
    """
    worksheet = Worksheet(sheet, marks.request.column)
    points = points_there(sheet, worksheet.full_marks(), marks, "Moodle")
    key, found = match(worksheet.rows, marks.entries, worksheet.keys())
    locked = [entry for place, entry in found.items() if worksheet.is_locked(sheet.rows[place])]
    marks.note("grades that cannot be changed in Moodle, and were left", locked)
    above = [entry for entry in found.values() if entry.score > marks.class_.max_score + 1e-6]
    marks.note("above full marks, which Moodle drops without a word: enter it there", above)
    comments = max(n for n, title in enumerate(worksheet.heading) if title)
    commented = 0
    for place, entry in found.items():
        row = sheet.rows[place]
        if entry in locked:
            continue
        row[worksheet.grade] = points.write(entry.score)
        if not row[comments].strip():  # where Moodle keeps none, a time or "-" stands last
            row[comments] = as_html(marks.remarks(entry))
            commented += 1
    if found and not commented:
        marks.notes.append("no comments filled in: the worksheet has no empty column for them")
    return key, {participant(sheet.rows[place][0]): entry for place, entry in found.items()}


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
    packed: dict[Path, str] = {}
    for who, of_student in pages.items():
        name = re.sub(r'[_/\\:*?"<>|\s]+', " ", printable(names[who])).strip(" .")
        folder = f"{name or 'Participant'}_{who}_assignsubmission_file_"
        packed |= {page: f"{folder}/{page.name}" for page in of_student}
    pack(path, packed)
