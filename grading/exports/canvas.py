"""
Canvas: a grade book as CSV, for Grades > Import, and feedback pages as a zip, for the assignment.

Columns as in Canvas's own export: `Student, ID, SIS User ID, SIS Login ID, Section` (or
`LastName, FirstName, ID, ...`), then the assignments; a row `Points Possible` before the students.
Canvas finds the student by `ID`, where that is empty by the SIS ids, and the assignment by the
number in brackets behind its title. It takes nothing into a column that is read only, or whose
title holds a name of its totals (`Final Score`); `EX` excuses a student.
Pages go back as files named like those that came down, `<name>_<user>_<attachment>_<file>`: the
first two numbers tell whose a file is.
Sources: https://github.com/instructure/canvas-lms/blob/master/lib/ , gradebook_importer.rb,
gradebook_exporter.rb and content_zipper.rb, and app/models/assignment.rb there
(infer_comment_context_from_filename).
"""

from __future__ import annotations

import re
from operator import itemgetter
from pathlib import Path

from grading import CourseError
from grading.book import Entry
from grading.exports.filling import Key, find_column, match, pack, points_there, same_name
from grading.exports.marks import Marks
from grading.sheets import Sheet, as_number, number, write_rows

NAMES = [["Student"], ["LastName", "FirstName"]]
STUDENT = ["ID", "SIS User ID", "SIS Login ID", "Section"]
ALSO = ["Integration ID", "Root Account"]  # where the account is set up for them
POINTS = "    Points Possible"
TOTALS = re.compile(r"(?:Current|Final) (?:Score|Points|Grade)|Override (?:Score|Grade|Status)")
NUMBERED = re.compile(r"(.*) \([0-9]+\)")
NOT_SCORED = {"EX": "excused in Canvas", "N/A": "not assigned to them in Canvas"}


def as_canvas_has_it(title: str) -> str:
    """Return a title that says who a student is as Canvas writes it: "Last Name" as "LastName"."""
    return next((name for name in NAMES[1] if same_name(title, name)), title)


class GradeBook:
    """
    A grade book that Canvas exported.

    Attributes
    ----------
    sheet : Sheet
    heading : list of str
    own : list of int
        The columns that say who a student is.
    places : dict
        Where a column stands, by its title.
    full_marks : list of str
        Of each column, as Canvas writes them; "" where it does not.
    rows : dict
        The students' rows, by their place.
    """

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        sheet.rows[0] = [as_canvas_has_it(title) for title in sheet.rows[0]]
        self.heading = [title.strip() for title in sheet.rows[0]]
        names = next((each for each in NAMES if self.heading[: len(each)] == each), None)
        if names is None or self.heading[len(names) :][:1] != ["ID"]:
            raise CourseError(
                f"{sheet.path} is no grade book of Canvas: its first line does not begin with "
                "Student,ID or LastName,FirstName,ID. In Canvas: Grades > Export > Export Entire "
                "Gradebook"
            )
        known = [*names, *STUDENT, *ALSO]
        self.own = [at for at, title in enumerate(self.heading) if title in known]
        self.places = {self.heading[at]: at for at in reversed(self.own)}
        self.full_marks = [""] * len(self.heading)
        for row in sheet.rows[1:]:
            if row[0].strip() == POINTS.strip():
                self.full_marks = [cell.strip() for cell in row]
        at = self.places["ID"]
        self.rows = {n: row for n, row in enumerate(sheet.rows) if row[at].strip().isdecimal()}

    def keys(self) -> list[Key]:
        """Return by what students may be found."""
        keys = [
            *[("ID", "lms_user_id"), ("ID", "student_id"), ("SIS User ID", "student_id")],
            *[("SIS Login ID", "student_id"), ("SIS Login ID", "email")],
        ]
        return [
            (title, itemgetter(self.places[title]), attribute)
            for title, attribute in keys
            if title in self.places
        ]

    def number_of(self, row: list[str]) -> str:
        """Return a student's number in Canvas."""
        return row[self.places["ID"]].strip()

    def about(self, row: list[str]) -> dict[str, str]:
        """Return what the grade book can hold of a student."""
        if "LastName" in self.places:
            last, first = (row[self.places[title]] for title in NAMES[1])
        else:
            last, _, first = row[0].partition(",")
        return {
            "last_name": last.strip(),
            "first_name": first.strip(),
            "email": next((cell for cell in map(str.strip, row) if is_address(cell)), ""),
            "lms_user_id": self.number_of(row),
        }

    def find_column(self, assignment: str, column: str) -> int:
        """Return the column to fill in."""
        others = [at for at, title in enumerate(self.heading) if title and at not in self.own]
        taken = [at for at in others if self.takes_marks(at)]
        # Canvas numbers its assignments, not columns of notes
        taken = [at for at in taken if NUMBERED.fullmatch(self.heading[at])] or taken
        in_full = {at: self.heading[at] for at in taken}
        for at in (at for at, title in in_full.items() if title == column):
            return at
        titles = {at: self.title(at) for at in others}
        asked = {titles[at]: at for at in others} | {self.heading[at]: at for at in others}
        wanted = [at for title, at in asked.items() if same_name(title, column or assignment)]
        if wanted and not set(wanted) & set(taken):
            raise CourseError(
                f'{self.sheet.path}: Canvas takes no marks into "{self.heading[wanted[0]]}", which '
                "is read only or named like one of its totals; give the assignment another name in "
                "Canvas"
            )
        titles = {at: titles[at] for at in taken}
        return find_column(self.sheet, titles, [assignment], column, in_full)

    def title(self, at: int) -> str:
        """Return the title of an assignment without its number."""
        found = NUMBERED.fullmatch(self.heading[at])
        return found[1] if found else self.heading[at]

    def takes_marks(self, at: int) -> bool:
        """Tell whether Canvas imports a column: "(read only)" stands in place of full marks."""
        full_marks = self.full_marks[at]
        read_only = full_marks and as_number(full_marks) is None
        return not read_only and not TOTALS.search(self.heading[at])


def is_address(text: str) -> bool:
    """Tell whether a field holds an e-mail address."""
    return bool(re.fullmatch(r"[^@\s]+@[^@\s]+", text))


def write_grade_book(path: Path, marks: Marks) -> list[Entry]:
    """
    Write a grade book with a new column for the assignment; return who is in it.

    Only a number that is known to be Canvas's own stands under `ID`: any other would be
    another student's.
    """
    class_ = marks.class_
    unknown = [e for e in marks.entries if not e.lms_user_id and e.student_id.isdecimal()]
    entries = [entry for entry in marks.entries if entry not in unknown]
    if not entries:
        raise CourseError(
            f"{class_.assignment}: nothing says whether the students' numbers are Canvas's own or "
            "the school's. In Canvas: Grades > Export > Export Entire Gradebook; name that file "
            "with --from"
        )
    marks.note("with a number that may not be Canvas's own, and left out (use --from)", unknown)
    rows = [["Student", *STUDENT, class_.assignment]]
    rows.append([POINTS, "", "", "", "", number(class_.max_score)])
    for entry in entries:
        name = ", ".join(filter(None, [entry.last_name, entry.first_name])) or entry.student_id
        login = "" if entry.lms_user_id else entry.student_id
        rows.append([name, entry.lms_user_id, "", login, "", number(entry.score)])
    write_rows(path, rows, as_is=range(1, len(rows[0])))
    return entries


def fill_in(sheet: Sheet, marks: Marks) -> tuple[str, dict[str, Entry]]:
    """
    Put the scores into a grade book that Canvas exported; leave out its other assignments.

    Returns
    -------
    tuple
        By what the students were found, and the entries that were, by their number in Canvas.
    """
    book = GradeBook(sheet)
    at = book.find_column(marks.class_.assignment, marks.request.column)
    points = points_there(sheet, book.full_marks[at], marks, "Canvas")
    key, found = match(book.rows, marks.entries, book.keys())
    kept: dict[str, list[Entry]] = {}
    for place, entry in found.items():
        row = sheet.rows[place]
        why = NOT_SCORED.get(row[at].strip().upper())
        if why:
            kept.setdefault(why, []).append(entry)
        else:
            row[at] = points.write(entry.score)
    for why, entries in kept.items():
        marks.note(f"{why}, and left so", entries)
    sheet.rows = [[row[n] for n in [*book.own, at]] for row in sheet.rows]
    sheet.as_is = range(book.places["ID"], len(book.own) + 1)
    return key, {book.number_of(book.rows[place]): entry for place, entry in found.items()}


def write_feedback(path: Path, pages: dict[str, list[Path]], uploads: dict[str, str]) -> None:
    """
    Pack feedback pages into the zip that Canvas takes.

    Parameters
    ----------
    path : Path
    pages : dict
        The pages, one of each notebook, by the student's number in Canvas.
    uploads : dict
        How the name of what a student handed in begins in Canvas's download, by number.
    """
    pack(path, {page: f"{uploads[n]}_{page.name}" for n, found in pages.items() for page in found})
