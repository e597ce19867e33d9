"""A marked notebook as one page of HTML, for its student."""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup
from nbconvert.filters import strip_ansi
from nbformat import NotebookNode
from nbgrader.api import Gradebook

from grading.feedback.text import highlight, markdown, scrolling
from grading.marking.result import is_test, read_mark
from grading.source.assignment import grade_id, is_solution, source_folder
from grading.checks import code

NOTHING_GRADED = ("unreadable", "missing")
LONGEST = 20_000  # characters of an output
SIDE = 12  # pixels, of a square that stands for one number


@dataclass(frozen=True)
class Grades:
    """
    What a person, or the clock, adds to what the tests gave: `Grades()` where nothing.

    Attributes
    ----------
    points : dict
        The points that count, by grade_id; where there are none, those of the tests.
    waiting : frozenset of str
        The grade_ids of cells that a person has still to mark.
    comments : dict
        What a person wrote about a cell, by grade_id.
    penalty : float
        Points off for handing in late.
    """

    points: dict[str, float] = field(default_factory=dict)
    waiting: frozenset[str] = frozenset()
    comments: dict[str, str] = field(default_factory=dict)
    penalty: float = 0.0

    @classmethod
    def read(cls, book: Gradebook, assignment: str, student: str) -> Grades:
        """Read what the grade book holds of a submission."""
        held = book.find_submission_notebook(assignment, assignment, student)
        return cls(
            {grade.name: grade.score for grade in held.grades},
            frozenset(grade.name for grade in held.grades if grade.needs_manual_grade),
            {c.name: c.manual_comment for c in held.comments if c.manual_comment},
            held.late_submission_penalty or 0.0,
        )


@dataclass
class Part:
    """
    A graded cell, as the page shows it.

    Attributes
    ----------
    name : str
        The function's, or the cell's grade_id.
    points, max_points : float
        What counts.
    tested : float or None
        What the tests gave; None where a person marks.
    waiting : bool
        Whether a person has still to mark it.
    mistake : str
        The sentence of the known mistake, "" where there is none.
    rule : str
        What was put in the place of the student's own work, "" where nothing was.
    checks : list of Check
    comments : list of str
        What a person wrote.
    """

    name: str
    points: float
    max_points: float
    tested: float | None
    waiting: bool = False
    mistake: str = ""
    rule: str = ""
    checks: list[Check] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)

    @property
    def is_right(self) -> bool:
        """Tell whether all its checks hold."""
        return bool(self.checks) and all(check.is_right for check in self.checks)


@dataclass
class Check:
    """Kinds of check with one and the same result: a line of the page."""

    kinds: str
    is_right: bool
    sentence: str
    points: float
    max_points: float
    pictures: list[Picture] = field(default_factory=list)


@dataclass
class Picture:
    """
    Where a value is wrong.

    Attributes
    ----------
    value : str
        Its name.
    text : str
        What the picture shows, in words.
    wrong : list of list of bool
    row, column : str
        What the rows and the columns are: "unit", "time step".
    names : list of str
        Of the rows.
    """

    value: str
    text: str
    wrong: list[list[bool]]
    row: str
    column: str
    names: list[str]

    @property
    def left(self) -> int:
        """The width of the names of the rows."""
        return 8 + 6 * max(map(len, self.names))

    def squares(self, wrong: bool) -> str:
        """Return the squares of all places that are wrong, or of those that are right."""
        return "".join(
            f"M{SIDE * x + 1} {SIDE * y + 1}h{SIDE - 2}v{SIDE - 2}h{2 - SIDE}z"
            for y, row in enumerate(self.wrong)
            for x, is_wrong in enumerate(row)
            if is_wrong == wrong
        )


@dataclass
class Piece:
    """A piece of the notebook: the assignment's text, folded, or cells in view."""

    title: str
    body: Markup
    is_folded: bool = False


def page(
    notebook: NotebookNode,
    assignment: str,
    student: str,
    grades: Grades | None = None,
    root: Path | None = None,
) -> str:
    """
    Return the feedback to one student: a page that asks the network for nothing.

    Parameters
    ----------
    notebook : NotebookNode
        Marked: as it lies in autograded/.
    assignment, student : str
    grades : Grades, optional
        From the grade book.
    root : Path, optional
        The course, whose pictures the notebook shows; the current one if not given.
    """
    grades = grades or Grades()
    parts = list(graded_parts(notebook, grades))
    intake = notebook.metadata.get("intake", {"status": "ok", "notes": []})
    is_graded = intake["status"] not in NOTHING_GRADED
    points = sum(part.points for part in parts)
    return template().render(
        title=title_of(notebook) or assignment,
        assignment=assignment,
        student=student,
        parts=parts,
        points=max(0.0, points - grades.penalty),
        max_points=sum(part.max_points for part in parts),
        penalty=grades.penalty,
        intake=intake,
        is_graded=is_graded,
        pieces=pieces(notebook, grades, source_folder(assignment, root)) if is_graded else [],
    )


@functools.cache
def template() -> jinja2.Template:
    """Return the page's template; it is compiled once."""
    here = Path(__file__).parent
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(here),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["points"] = lambda points: f"{points:g}"
    environment.filters["code"] = lambda text: Markup(code(text))
    environment.globals["side"] = SIDE
    environment.globals["style"] = Markup((here / "page.css").read_text("utf-8"))
    return environment.get_template("page.html.j2")


def title_of(notebook: NotebookNode) -> str:
    """Return the notebook's title: its first heading."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.id != "intake":
            found = re.match(r"# (.+)", cell.source)
            return found[1].strip() if found else ""
    return ""


# Marks


def graded_parts(notebook: NotebookNode, grades: Grades) -> Iterator[Part]:
    """Yield what earns points, in the notebook's order."""
    for cell in notebook.cells:
        name = grade_id(cell)
        settings = cell.metadata.get("nbgrader", {})
        if is_test(cell):
            yield tested_part(cell, grades)
        elif settings.get("grade") or settings.get("task"):
            yield Part(
                name,
                grades.points.get(name, 0.0),
                float(settings["points"]),
                tested=None,
                waiting=name in grades.waiting or name not in grades.points,
                comments=[grades.comments[name]] if name in grades.comments else [],
            )


def tested_part(cell: NotebookNode, grades: Grades) -> Part:
    """Return what a test cell found."""
    mark = read_mark(cell)
    name = grade_id(cell)
    return Part(
        mark.function,
        grades.points.get(name, mark.points),
        mark.max_points,
        tested=mark.points,
        mistake=mark.sentence,
        rule=mark.rule,
        checks=list(checks_of(mark.checks)),
        comments=[grades.comments[n] for n in (mark.function, name) if n in grades.comments],
    )


def checks_of(record: list[dict[str, Any]]) -> Iterator[Check]:
    """Yield the lines of a test's record; what has one and the same sentence shares a line."""
    lines: dict[str, list[dict[str, Any]]] = {}
    for check in record:
        lines.setdefault(check["wrong"] or check["kind"], []).append(check)
    for same in lines.values():
        wrong = same[0]["wrong"]
        points = sum(check["points"] for check in same)
        yield Check(
            "all checks" if len(same) == len(record) > 1 else ", ".join(c["kind"] for c in same),
            not wrong,
            f"{wrong}." if wrong else "right",
            0.0 if wrong else points,
            points,
            [picture(check["kind"], check["where"]) for check in same if "where" in check],
        )


def picture(value: str, where: dict[str, Any]) -> Picture:
    """Return where a value is wrong, as a picture and in words."""
    wrong = [[mark == "1" for mark in row] for row in where["wrong"]]
    names = where.get("names") or [str(n) for n in range(len(wrong))]
    alike: dict[tuple[bool, ...], list[str]] = {}
    for name, row in zip(names, wrong, strict=True):
        alike.setdefault(tuple(row), []).append(name)
    right = alike.pop((False,) * len(wrong[0]), [])
    parts = []
    for row, rows in alike.items():
        columns = [str(n) for n, is_wrong in enumerate(row) if is_wrong]
        at = several(where["column"], columns, len(row))
        parts.append(f"{several(where['row'], rows, len(names))} at {at}")
    text = f"Wrong: {'; '.join(parts)}."
    if right:
        text += f" Right: {several(where['row'], right, len(names))}."
    return Picture(value, text, wrong, where["row"], where["column"], names)


def several(kind: str, names: list[str], count: int) -> str:
    """Return "unit 3", "units 0 to 4, 6", or "every unit" of so many."""
    if len(names) == count:
        return f"every {kind}"
    plural = "entries" if kind == "entry" else f"{kind}s"
    return f"{kind if len(names) == 1 else plural} {ranges(names)}"


def ranges(names: list[str]) -> str:
    """Name numbers that follow one another by the first and the last."""
    if not all(name.isdigit() for name in names):
        return ", ".join(names)
    runs = []
    for _, run in groupby(enumerate(map(int, names)), key=lambda pair: pair[1] - pair[0]):
        numbers = [number for _, number in run]
        runs.append(str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}")
    return ", ".join(runs)


# The notebook


def pieces(notebook: NotebookNode, grades: Grades, folder: Path) -> Iterator[Piece]:
    """Yield the student's notebook, what the student did not write folded."""
    shown = [c for c in notebook.cells if c.id != "intake" and not is_test(c)]
    for folded, cells in groupby(shown, key=is_assignments):
        group = list(cells)
        if folded:
            body = Markup().join(render(cell, folder) for cell in group)
            yield Piece(heading_of(group), body, is_folded=True)
            continue
        for cell in group:
            yield Piece(kind_of(cell), render(cell, None))


def is_assignments(cell: NotebookNode) -> bool:
    """Tell whether a cell is the assignment's, with no result that is the student's."""
    if is_students(cell):
        return False
    return cell.cell_type == "markdown" or not cell.outputs


def is_students(cell: NotebookNode) -> bool:
    """Tell whether the student wrote the cell."""
    return is_solution(cell) or cell.id.startswith("student-")


def heading_of(cells: list[NotebookNode]) -> str:
    """Return the first heading in cells, as plain text."""
    for cell in cells:
        found = re.search(r"^#+ (.+)$", cell.source, re.MULTILINE)
        if found and cell.cell_type == "markdown":
            return f"The assignment: {found[1].strip()}"
    return "The assignment"


def kind_of(cell: NotebookNode) -> str:
    """Return the heading above a cell in view."""
    name = grade_id(cell)
    if is_solution(cell):
        return f"Your `{name}`"
    if is_students(cell):
        return "A cell of your own"
    if name.startswith("check_"):
        return f"The check of `{name.removeprefix('check_')}`"
    return f"`{name}`" if name else "A cell of the assignment"


def render(cell: NotebookNode, folder: Path | None) -> Markup:
    """Return a cell as HTML, with its outputs; `folder` where the assignment's pictures lie."""
    if cell.cell_type != "code":
        return markdown(cell.source, folder)
    source = Markup(
        f'<pre class="code" tabindex="0" role="group" aria-label="Code">'
        f"<code>{highlight(cell.source)}</code></pre>\n"
    )
    if not is_students(cell) and cell.outputs:
        source = Markup("<details><summary>Its code</summary>%s</details>\n") % source
    return source + Markup().join(show(output) for output in cell.outputs)


def show(output: NotebookNode) -> Markup:
    """Return an output as HTML; scripts were taken out of it when the notebook was run."""
    if output.output_type == "stream":
        return plain(output.text)
    if output.output_type == "error":
        return plain("\n".join(output.traceback) or f"{output.ename}: {output.evalue}")
    data = output.data
    for kind in ("image/png", "image/jpeg"):
        if re.fullmatch(r"[A-Za-z0-9+/=\s]+", data.get(kind, "")):
            return Markup('<img alt="What the code above has drawn" src="data:%s;base64,%s">\n') % (
                kind,
                data[kind].replace("\n", ""),
            )
    if "text/html" in data:
        return Markup(f"{scrolling('Output', 'output')}{data['text/html']}</div>\n")
    if "text/markdown" in data:
        return markdown(data["text/markdown"])
    return plain(data.get("text/plain", ""))


def plain(text: str) -> Markup:
    """Return an output that is text."""
    text = strip_ansi(text)
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}\n... and {len(text) - LONGEST} characters more"
    escaped = html.escape(text.rstrip("\n"))
    return Markup(f'<pre tabindex="0" role="group" aria-label="Output">{escaped}</pre>\n')
