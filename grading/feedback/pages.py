"""A marked notebook as one page of HTML, for its student."""

from __future__ import annotations

import copy
import functools
import html
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup
from nbconvert.filters import strip_ansi
from nbformat import NotebookNode
from nbgrader.preprocessors import ClearMarkScheme

from grading.book import Entry, Place
from grading.shown import (code, ended)
from grading.feedback.read_again import Reading, read_again
from grading.feedback.template import environment
from grading.feedback.text import Prose, highlight, scrolling, students_markdown
from grading.marking.result import BROKE_OFF, NOT_RUN, CheckResult, TestResult, read_result, total
from grading.findings import Finding
from grading.outcomes import NOT_WRITTEN
from grading.source import Assignment, cells
from grading.source.cells import function_checked, grade_id, is_students

NOTHING_GRADED = ("unreadable", "missing")
LONGEST = 20_000  # characters of an output
NO_NAME = re.compile("cell-[0-9a-f]{8,}$")  # as JupyterLab calls a cell that nobody named
SIDE = 12  # pixels, of a square that stands for one number


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
    result : TestResult or None
        What the test found; None where a person marks.
    is_open : bool
        Whether a person has still to mark it.
    lines : list of Line
        What the checks found.
    comments : list of str
        What a person wrote.
    reading : Reading or None
        Where to read on, if something is wrong.
    """

    name: str
    points: float
    max_points: float
    result: TestResult | None
    is_open: bool
    lines: list[Line]
    comments: list[str]
    reading: Reading | None = None

    @property
    def why(self) -> str:
        """Why its test stopped, where that can be told: a fault of the test's own is not."""
        stopped = self.result and self.result.stopped
        told = stopped and stopped.message not in (NOT_RUN.message, BROKE_OFF)
        return str(stopped) if told else ""

    @property
    def is_right(self) -> bool:
        """Tell whether all its checks hold."""
        return bool(self.lines) and all(line.is_right for line in self.lines)


@dataclass
class Share:
    """What a notebook gives to the points of the assignment; `waiting` are those still open."""

    notebook: str
    points: float
    max_points: float
    waiting: float


@dataclass
class Line:
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


class Pages:
    """
    Makes the pages of an assignment's students; they ask the network for nothing.

    Parameters
    ----------
    assignment : Assignment
        Whose text and pictures the notebooks show.
    """

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        self.prose = Prose(assignment.files)

    def page(self, name: str, notebook: NotebookNode, entry: Entry) -> str:
        """
        Return the feedback to one student on one notebook.

        Parameters
        ----------
        name : str
            The notebook's.
        notebook : NotebookNode
            Marked: as it lies in autograded/.
        entry : Entry
            What the grade book holds; what it leaves out is what the tests gave.
        """
        parts = [
            part_of(Place(name, grade_id(cell)), cell, entry, heading_above(notebook, cell))
            for cell in notebook.cells
            if cells.kind_of(cell) in cells.GRADED
        ]
        source = self.assignment.notebooks[name].notebook
        for part in parts:
            if is_wrong(part) and part.result:
                part.reading = read_again(source, part.name, part.result.sentence)
        shares = list(self.shares(name, parts, entry))
        intake = notebook.metadata.get("intake", {"status": "ok", "notes": []})
        is_graded = intake["status"] not in NOTHING_GRADED
        return template().render(
            title=title_of(notebook) or name,
            student=entry.name,
            parts=parts,
            mine=share_of(name, parts, entry),
            penalty=entry.penalties.get(name, 0.0),
            shares=shares,
            whole=whole_of(shares),
            intake=intake,
            is_graded=is_graded,
            pieces=self.pieces(name, notebook, entry, parts) if is_graded else [],
        )

    def shares(self, name: str, parts: list[Part], entry: Entry) -> Iterator[Share]:
        """Yield what each of several notebooks gives; nothing where there is one alone."""
        for other, source in self.assignment.notebooks.items():
            graded = (c for c in source.notebook.cells if cells.kind_of(c) in cells.GRADED)
            found = [part_of(Place(other, grade_id(cell)), cell, entry) for cell in graded]
            if len(self.assignment.notebooks) > 1:
                yield share_of(other, parts if other == name else found, entry)

    def pieces(
        self, name: str, notebook: NotebookNode, entry: Entry, parts: list[Part]
    ) -> Iterator[Piece]:
        """Yield the student's notebook, what the student did not write folded."""
        targets = {part.reading.cell for part in parts if part.reading}
        shown = [c for c in notebook.cells if c.id != "intake" and not cells.is_test(c)]
        for folded, group in groupby(shown, key=is_assignments):
            if folded:
                ours = list(group)
                body = Markup().join(anchored(cell, targets) + self.render(cell) for cell in ours)
                yield Piece(heading_of(ours), body, is_folded=True)
                continue
            for cell in group:
                said = comment_on(Place(name, grade_id(cell)), notebook, entry)
                stops = lines_that_stopped(cell, parts)
                yield Piece(kind_of(cell), said + self.render(cell, stops))

    def render(self, cell: NotebookNode, stops: Collection[int] = ()) -> Markup:
        """Return a cell as HTML, with its outputs."""
        if cell.cell_type != "code":
            if not is_assignments(cell):
                return students_markdown(cell.source)
            return self.prose.markdown(without_mark_scheme(cell).source)
        source = Markup(
            f'<pre class="code" tabindex="0" role="group" aria-label="Code">'
            f"<code>{marked(highlight(cell.source), stops)}</code></pre>\n"
        )
        if not is_students(cell) and cell.outputs:
            source = Markup("<details><summary>Its code</summary>%s</details>\n") % source
        return source + Markup().join(show(output) for output in cell.outputs)


@functools.cache
def template() -> jinja2.Template:
    """Return the page's template; it is compiled once."""
    here = Path(__file__).parent
    templates = environment(here, points=lambda points: f"{points:g}")
    templates.globals["side"] = SIDE
    templates.globals["style"] = Markup((here / "page.css").read_text("utf-8"))
    return templates.get_template("page.html.j2")


def title_of(notebook: NotebookNode) -> str:
    """Return the notebook's title: its first heading."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.id != "intake":
            found = re.match(r"# (.+)", cell.source)
            return found[1].strip() if found else ""
    return ""


# Marks


def heading_above(notebook: NotebookNode, cell: NotebookNode) -> str:
    """Return the last heading in or above a cell, "" where there is none."""
    at = next(n for n, each in enumerate(notebook.cells) if each is cell)
    for each in reversed(notebook.cells[: at + 1]):
        found = re.findall(r"^#+ (.+)$", each.source, re.MULTILINE)
        if found and each.cell_type == "markdown":
            return found[-1].strip()
    return ""


def part_of(place: Place, cell: NotebookNode, entry: Entry, heading: str = "") -> Part:
    """Return what is said of a graded cell; one without a name of its own is called by a heading."""
    grade = entry.grades.get(place)
    result = read_result(cell) if cells.is_test(cell) else None
    comments = [place._replace(cell=place.function), place] if result else [place]
    return Part(
        heading if heading and NO_NAME.match(place.cell) else place.function,
        grade.points if grade else result.points if result else 0.0,
        cells.points_of(cell),
        result,
        is_open=grade.is_open if grade else result is None,
        lines=list(lines_of(result.checks)) if result else [],
        comments=[entry.comments[each] for each in dict.fromkeys(comments) if each in entry.comments],
    )


def is_wrong(part: Part) -> bool:
    """Tell whether a part was written, and not all is right."""
    found = [check.wrong for check in part.result.checks] if part.result else []
    return any(found) and NOT_WRITTEN not in found


def share_of(notebook: str, parts: list[Part], entry: Entry) -> Share:
    """Return what a notebook gives to the points."""
    return Share(
        notebook,
        total((part.points for part in parts), entry.penalties.get(notebook, 0.0)),
        total(part.max_points for part in parts),
        total(part.max_points for part in parts if part.is_open),
    )


def whole_of(shares: list[Share]) -> Share:
    """Return what all notebooks give."""
    return Share(
        "",
        total(share.points for share in shares),
        total(share.max_points for share in shares),
        total(share.waiting for share in shares),
    )


def lines_of(checks: list[CheckResult]) -> Iterator[Line]:
    """Yield the lines of a test's checks; what has one and the same sentence shares a line."""
    lines: dict[str, list[CheckResult]] = {}
    for check in checks:
        lines.setdefault(str(check.wrong or check.kind), []).append(check)
    for same in lines.values():
        wrong = same[0].wrong
        yield Line(
            "all checks" if len(same) == len(checks) > 1 else ", ".join(c.kind for c in same),
            not wrong,
            str(ended(wrong)) if wrong else "right",
            sum(check.earned for check in same),
            sum(check.points for check in same),
            [picture(check.kind, check.where) for check in same if check.where],
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
    for marks, rows in alike.items():
        columns = [str(n) for n, is_wrong in enumerate(marks) if is_wrong]
        at = several(where["column"], columns, len(marks))
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


def anchored(cell: NotebookNode, targets: Collection[str]) -> Markup:
    """Return what a link leads to, where one leads to this cell."""
    return Markup('<a id="read-%s"></a>') % cell.id if cell.id in targets else Markup()


def lines_that_stopped(cell: NotebookNode, parts: list[Part]) -> set[int]:
    """Return the numbers of the lines in which a cell stopped, or a test of its function."""
    told = [text for part in parts for text in stops_of(part)]
    for output in cell.get("outputs", []):
        told += output.traceback if output.output_type == "error" else []
    found = (re.match(r"(.+), line (\d+):", text) for text in told)
    names = (grade_id(cell), "cell")
    return {int(each[2]) for each in found if each and each[1].split(" ")[0] in names}


def stops_of(part: Part) -> Iterator[str]:
    """Yield the lines in which a part's function stopped: "line 5: ..."."""
    for check in part.result.checks if part.result else []:
        line = check.wrong.fields.get("line") if check.wrong else None
        if isinstance(line, Finding) and line.fields:
            about = line.fields
            yield f"{about.get('cell', part.name)}, line {about['number']}:"


def marked(code: Markup, lines: Collection[int]) -> Markup:
    """Return code with some lines of it marked, but for those within a longer text."""
    rows = code.split("\n")
    for n in lines:
        if n <= len(rows) and rows[n - 1].count("<span") == rows[n - 1].count("</span"):
            rows[n - 1] = Markup("<mark>%s</mark>") % rows[n - 1]
    return Markup("\n").join(rows)


def is_assignments(cell: NotebookNode) -> bool:
    """Tell whether a cell is the assignment's, with no result that is the student's."""
    if is_students(cell):
        return False
    return cell.cell_type == "markdown" or not cell.outputs


def without_mark_scheme(cell: NotebookNode) -> NotebookNode:
    """Return a cell without what is told to those alone who mark."""
    if cells.kind_of(cell) is not cells.Kind.TASK:
        return cell
    return ClearMarkScheme().preprocess_cell(copy.deepcopy(cell), {}, 0)[0]


def comment_on(place: Place, notebook: NotebookNode, entry: Entry) -> Markup:
    """Return what a person wrote about an answer, where no part of the marks has shown it."""
    graded = [c for c in notebook.cells if cells.kind_of(c) in cells.GRADED]
    shown = {name for c in graded for name in (grade_id(c), cells.function_tested(grade_id(c)))}
    if place not in entry.comments or place.cell in shown:
        return Markup()
    return Markup('<div class="note"><p><strong>Comment</strong></p><p class="comment">%s</p></div>') % (
        entry.comments[place]
    )


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
    if cells.is_answer(cell):
        return f"Your `{name}`"
    if is_students(cell):
        return "A cell of your own"
    if function_checked(name):
        return f"The check of `{function_checked(name)}`"
    return f"`{name}`" if name else "A cell of the assignment"


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
        return students_markdown(data["text/markdown"])
    return plain(data.get("text/plain", ""))


def plain(text: str) -> Markup:
    """Return an output that is text."""
    text = strip_ansi(text)
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}\n... and {len(text) - LONGEST} characters more"
    escaped = html.escape(text.rstrip("\n"))
    return Markup(f'<pre tabindex="0" role="group" aria-label="Output">{escaped}</pre>\n')
