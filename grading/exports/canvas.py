"""Canvas: a grade book as CSV, for Grades > Import.

Columns as in Canvas's own export: `Student, ID, SIS User ID, SIS Login ID, Section`, then the
assignment; a row `Points Possible` before the students. Canvas finds the student by `ID`, where
that is empty by the SIS ids, and the assignment by the number in brackets behind its title.
Sources: https://community.canvaslms.com/t5/Instructor-Guide/How-do-I-import-grades-in-the-Gradebook/ta-p/807
and https://github.com/instructure/canvas-lms/blob/master/lib/gradebook_importer.rb
"""

from __future__ import annotations

import re
from pathlib import Path

from grading import CourseError
from grading.book import Entry
from grading.exports.marks import Marks
from grading.sheets import Sheet, check_maximum, find_column, match, number, write_rows

STUDENT = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
ALSO = ["Integration ID", "Root Account"]  # where the account is set up for them
POINTS = "    Points Possible"


def write_grade_book(path: Path, marks: Marks) -> None:
    """Write a grade book with a new column for the assignment."""
    group = marks.group
    rows = [[*STUDENT, group.assignment], [POINTS, "", "", "", "", number(group.max_score)]]
    for entry in marks.entries:
        name = ", ".join(filter(None, [entry.last_name, entry.first_name])) or entry.student_id
        known = entry.lms_user_id or entry.student_id
        canvas, login = (known, "") if known.isdecimal() else ("", known)
        rows.append([name, canvas, "", login, "", number(entry.score)])
    write_rows(path, rows, as_is=range(1, len(rows[0])))


def fill_in(sheet: Sheet, marks: Marks) -> tuple[str, list[Entry]]:
    """
    Put the scores into a grade book that Canvas exported; leave out its other assignments.

    Returns
    -------
    tuple
        By what the students were found, and the entries that were.
    """
    heading = [title.strip() for title in sheet.rows[0]]
    if heading[:2] != STUDENT[:2]:
        raise CourseError(
            f"{sheet.path} is no grade book of Canvas: its first line does not begin with "
            "Student,ID. In Canvas: Grades > Export > Export Entire Gradebook"
        )
    own = [at for at, title in enumerate(heading) if title in STUDENT + ALSO]
    titles = {
        at: re.sub(r" \([0-9]+\)$", "", title) for at, title in enumerate(heading) if at not in own
    }
    column = marks.order.column
    if column in heading:  # in full, with its number
        at = heading.index(column)
    else:
        at = find_column(sheet, titles, marks.group.assignment, column)
    for row in sheet.rows[1:]:
        if row[0].strip() == POINTS.strip():
            check_maximum(sheet, row[at], marks.group.max_score, "Canvas")
    places = {title: heading.index(title) for title in STUDENT + ALSO if title in heading}
    rows = {place: row for place, row in enumerate(sheet.rows) if row[1].strip().isdecimal()}
    keys = [
        (title, lambda row, title=title: row[places[title]], attribute)
        for title, attribute in [
            ("ID", "lms_user_id"),
            ("ID", "student_id"),
            ("SIS User ID", "student_id"),
            ("SIS Login ID", "student_id"),
            ("SIS Login ID", "email"),
        ]
        if title in places
    ]
    key, found = match(rows, marks.entries, keys)
    for place, entry in found.items():
        sheet.rows[place][at] = number(entry.score)
    sheet.rows = [[row[n] for n in [*own, at]] for row in sheet.rows]
    sheet.as_is = range(1, len(own) + 1)
    return key, list(found.values())
