"""Who the students are: names, addresses and numbers, from a file of an LMS into the grade book."""

from __future__ import annotations

from operator import itemgetter
from pathlib import Path

from grading import CourseError
from grading.book import Book
from grading.exports.canvas import GradeBook, as_canvas_has_it
from grading.exports.filling import Key, match, same_name
from grading.exports.moodle import GRADE, Worksheet
from grading.intake.downloads import harmless
from grading.sheets import Sheet, read_sheet, unguard

# Of a roster: Gradescope's, Moodle's table of participants, or one made by hand.
LAST = ["Last name", "Surname", "Family name"]
FIRST = ["First name", "Given name"]
FULL = ["Name", "Full name", "Student", "Student name"]


class Roster:
    """
    A table of students with names in its titles.

    Attributes
    ----------
    rows : dict
        The students' rows, by their place.
    """

    def __init__(self, sheet: Sheet) -> None:
        self.heading = [title.strip() for title in sheet.rows[0]]
        self.rows = {place: row for place, row in enumerate(sheet.rows) if place}
        self.last, self.first, self.full = (self.find(names) for names in (LAST, FIRST, FULL))
        if self.full is None and (self.last is None or self.first is None):
            raise CourseError(
                f"{sheet.path} is no grade book of Canvas, no grading worksheet of Moodle, and no "
                "table with the titles First name, Last name (or Name) and Email"
            )

    def find(self, names: list[str]) -> int | None:
        """Return the column of one of these titles, None if there is none."""
        return next(
            (at for at, t in enumerate(self.heading) if any(same_name(t, n) for n in names)), None
        )

    def keys(self) -> list[Key]:
        """Return by what students may be found: any column with an id or an address."""
        named = (self.last, self.first, self.full)
        columns = [at for at, title in enumerate(self.heading) if title and at not in named]
        return [
            (self.heading[at], itemgetter(at), attribute)
            for at in columns
            for attribute in ("student_id", "email")
        ]

    def about(self, row: list[str]) -> dict[str, str]:
        """Return what the grade book can hold of a student."""
        if self.last is not None and self.first is not None:
            last, first = row[self.last], row[self.first]
        else:
            last, _, first = row[self.full or 0].partition(",")
        addresses = (cell.strip() for cell in row if "@" in cell)
        return {
            "last_name": last.strip(),
            "first_name": first.strip(),
            "email": next(addresses, ""),
        }


def read_students(path: Path) -> GradeBook | Worksheet | Roster:
    """
    Read a file of an LMS that says who the students are.

    Raises
    ------
    CourseError
        Where it is none.
    """
    sheet = read_sheet(path)
    sheet.rows = [[unguard(cell) for cell in row] for row in sheet.rows]
    heading = [as_canvas_has_it(title).strip() for title in sheet.rows[0]]
    if "ID" in heading[1:3] and heading[0] in ("Student", "LastName"):
        return GradeBook(sheet)
    if any(same_name(title, grade) for title in heading for grade in GRADE):
        return Worksheet(sheet, "")
    return Roster(sheet)


def import_students(book: Book, path: Path) -> tuple[int, int]:
    """
    Enter names and addresses of the students that the grade book knows.

    Returns
    -------
    tuple
        How many students were found, and how many there are.

    Raises
    ------
    CourseError
        Where the file is none of an LMS, or of nobody in the grade book.
    """
    file = read_students(path)
    students = book.students()
    _, found = match(file.rows, students, file.keys())
    if not found:
        raise CourseError(
            f"{path}: none of its rows is of a student in the grade book. Collect or mark what was "
            "handed in first; or enter students yourself with `nbgrader db student import`"
        )
    about = {
        entry.student_id: {
            field: harmless(text) for field, text in file.about(file.rows[place]).items()
        }
        for place, entry in found.items()
    }
    book.describe_students(about, anew=True)
    return len(found), len(students)
