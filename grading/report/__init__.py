"""
The class report: one page for the instructor, and its figures as CSV.

`reports/<assignment>/report.html` needs nothing but itself. Beside it, in `report/`:

- `students.csv`: a row per student; points, status, time and memory
- `checks.csv`: a row per kind of check; difficulty and discrimination
- `mistakes.csv`: a row per student and mistake
- `attention.csv`: a row per line that needs a person's eye

Texts in them that a spreadsheet could take for a formula have an apostrophe in front: see
`grading.sheets.guard`.
"""

from grading.report.page import write_report

__all__ = ["write_report"]
