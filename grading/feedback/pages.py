"""A marked notebook as one page of HTML, for its student."""

from __future__ import annotations

import copy
import functools
import html
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import jinja2
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape
from nbconvert.filters import strip_ansi
from nbformat import NotebookNode
from nbgrader.preprocessors import ClearMarkScheme

from grading.book import Entry, Place
from grading.feedback.made_of import made_of
from grading.feedback.pictures import SIDE, Picture, picture
from grading.feedback.read_again import Reading, read_again
from grading.feedback.template import templates_in
from grading.feedback.text import Prose, highlight
from grading.findings import Finding
from grading.marking.result import BROKE_OFF, NOT_RUN, CheckResult, TestResult, read_result, total
from grading.marking.retold import error_as, retold
from grading.outcomes import NOT_WRITTEN
from grading.shown import ended
from grading.source import Assignment, cells
from grading.source.catalogue import ENGLISH, LANGUAGES
from grading.source.cells import function_checked, grade_id, is_students

NOTHING_GRADED = ("unreadable", "missing")
LONGEST = 20_000  # characters of an output
OUTPUT = Finding("Output", {})
# What rooms say within an output: of its end, and where a visible check finds `input`
WITHIN = [
    Finding("[The output ends here: it is too long.]", {}),
    Finding("input() waits for somebody who types: nobody does when work is marked", {}),
]
NO_NAME = re.compile("cell-[0-9a-f]{8,}$")  # as JupyterLab calls a cell that nobody named


@dataclass
class GradedCell:
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
    lines : list of CheckLine
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
    lines: list[CheckLine]
    comments: list[str]
    reading: Reading | None = None

    @property
    def why(self) -> Finding | None:
        """Why its test stopped, where that can be told: a fault of the test's own is not."""
        stopped = self.result.stopped if self.result else None
        if stopped is None or stopped.message in (NOT_RUN.message, BROKE_OFF):
            return None
        return ended(retold(stopped))

    @property
    def is_right(self) -> bool:
        """Tell whether all its checks hold."""
        return bool(self.lines) and all(line.is_right for line in self.lines)

    @property
    def counts_in_part(self) -> bool:
        """Tell whether a check holds and does not earn all its points: a value is wrong."""
        return any(line.is_right and line.points < line.max_points for line in self.lines)


@dataclass
class Share:
    """What a notebook gives to the points of the assignment; `waiting` are those still open."""

    notebook: str
    points: float
    max_points: float
    waiting: float


@dataclass
class CheckLine:
    """Kinds of check with one and the same result: a line of the page."""

    kinds: Finding
    is_right: bool
    sentence: Finding
    points: float
    max_points: float
    pictures: list[Picture] = field(default_factory=list)


@dataclass
class Piece:
    """A piece of the notebook: the assignment's text, folded, or cells in view."""

    title: Finding
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
        self.in_language = {
            each: Prose(assignment.files_in(each), assignment.words(each))
            for each in (ENGLISH, *LANGUAGES)
        }

    def prepare(self, language: str, texts: Iterable[tuple[NotebookNode, str]]) -> None:
        """
        Make what all pages in a language share, so that workers that are forked then have it.

        Parameters
        ----------
        language : str
        texts : iterable of pair of NotebookNode and str
            Cells of the source, and their texts as students have them.
        """
        template()
        prose = self.in_language.get(language, self.in_language[ENGLISH])
        for cell, text in texts:
            if cell.cell_type == "markdown":
                prose.markdown(text)
            elif cell.cell_type == "code" and not cells.is_test(cell):
                highlight(text)

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
                part.reading = read_again(source, notebook, part.name, part.result.sentence)
        shares = list(self.shares(name, parts, entry))
        intake = {"status": "ok", "notes": [], **notebook.metadata.get("intake", {})}
        language = intake.get("language", ENGLISH)
        prose = self.in_language.get(language, self.in_language[ENGLISH])
        is_graded = intake["status"] not in NOTHING_GRADED
        return template().render(
            language=language,
            words=prose.words,
            markdown=prose.comment,
            title=title_of(notebook) or name,
            student=entry.name,
            made_of=made_of(entry),
            parts=parts,
            mine=share_of(name, parts, entry),
            penalty=entry.penalties.get(name, 0.0),
            shares=shares,
            whole=whole_of(shares),
            intake=intake,
            is_graded=is_graded,
            pieces=self.pieces(name, notebook, entry, parts, prose) if is_graded else [],
        )

    def shares(self, name: str, parts: list[GradedCell], entry: Entry) -> Iterator[Share]:
        """Yield what each of several notebooks gives; nothing where there is one alone."""
        if len(self.assignment.notebooks) == 1:
            return
        for other, source in self.assignment.notebooks.items():
            graded = (c for c in source.notebook.cells if cells.kind_of(c) in cells.GRADED)
            found = [part_of(Place(other, grade_id(cell)), cell, entry) for cell in graded]
            yield share_of(other, parts if other == name else found, entry)

    def pieces(
        self, name: str, notebook: NotebookNode, entry: Entry, parts: list[GradedCell], prose: Prose
    ) -> Iterator[Piece]:
        """Yield the student's notebook, what the student did not write folded."""
        targets = {part.reading.cell for part in parts if part.reading}
        shown = [c for c in notebook.cells if c.id != "intake" and not cells.is_test(c)]
        for folded, group in groupby(shown, key=is_assignments):
            if folded:
                ours = list(group)
                body = Markup().join(anchored(c, targets) + render(c, prose) for c in ours)
                yield Piece(heading_of(ours), body, is_folded=True)
                continue
            for cell in group:
                said = comment_on(Place(name, grade_id(cell)), notebook, entry, prose)
                stops = lines_that_stopped(cell, parts)
                yield Piece(title_above(cell), said + render(cell, prose, stops))


@functools.cache
def template() -> jinja2.Template:
    """Return the page's template; it is compiled once."""
    here = Path(__file__).parent
    templates = templates_in(here, points=lambda points: f"{points:g}")
    templates.globals |= {"side": SIDE, "_": say}
    templates.filters["said"] = pass_context(lambda context, found: found.said(context["words"]))
    templates.globals["style"] = Markup((here / "page.css").read_text("utf-8"))
    return templates.get_template("page.html.j2")


@pass_context
def say(context: Context, message: str, **fields: object) -> Markup:
    """Return a sentence of the template, in the language of its page."""
    said = escape(context["words"].get(message, message))
    return said.format(**fields) if fields else said


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


def part_of(place: Place, cell: NotebookNode, entry: Entry, heading: str = "") -> GradedCell:
    """Return what is said of a graded cell; one without its own name is called by a heading."""
    grade = entry.grades.get(place)
    result = read_result(cell) if cells.is_test(cell) else None
    comments = [place._replace(cell=place.function), place] if result else [place]
    return GradedCell(
        heading if heading and NO_NAME.match(place.cell) else place.function,
        grade.points if grade else result.points if result else 0.0,
        cells.points_of(cell),
        result,
        is_open=grade.is_open if grade else result is None,
        lines=list(lines_of(result.checks)) if result else [],
        comments=[
            entry.comments[each] for each in dict.fromkeys(comments) if each in entry.comments
        ],
    )


def is_wrong(part: GradedCell) -> bool:
    """Tell whether a part was written, and not all is right."""
    found = [check.wrong for check in part.result.checks] if part.result else []
    return any(found) and NOT_WRITTEN not in found


def share_of(notebook: str, parts: list[GradedCell], entry: Entry) -> Share:
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


def lines_of(checks: list[CheckResult]) -> Iterator[CheckLine]:
    """Yield the lines of a test's checks; what has one and the same sentence shares a line."""
    lines: dict[str, list[CheckResult]] = {}
    for check in checks:
        lines.setdefault(str(check.wrong or check.kind), []).append(check)
    for same in lines.values():
        wrong = same[0].wrong
        kinds = {"kinds": [Finding(check.kind, {}) for check in same]}
        is_all = len(same) == len(checks) > 1
        yield CheckLine(
            Finding("all checks", {}) if is_all else Finding("{kinds}", kinds),
            not wrong,
            ended(retold(wrong)) if wrong else Finding("right", {}),
            sum(check.earned for check in same),
            sum(check.points for check in same),
            [picture(check.kind, check.where) for check in same if check.where],
        )


# The notebook


def anchored(cell: NotebookNode, targets: Collection[str]) -> Markup:
    """Return what a link leads to, where one leads to this cell."""
    return Markup('<a id="read-%s"></a>') % cell.id if cell.id in targets else Markup()


def lines_that_stopped(cell: NotebookNode, parts: list[GradedCell]) -> set[int]:
    """Return the numbers of the lines in which a cell stopped, or a test of its function."""
    told = [text for part in parts for text in stops_of(part)]
    for output in cell.get("outputs", []):
        told += output.traceback if output.output_type == "error" else []
    found = (re.match(r"(.+), line (\d+):", text) for text in told)
    names = (grade_id(cell), "cell")
    return {int(each[2]) for each in found if each and each[1].split(" ")[0] in names}


def stops_of(part: GradedCell) -> Iterator[str]:
    """Yield the lines in which a part's function stopped: "line 5: ..."."""
    for check in part.result.checks if part.result else []:
        line = check.wrong.fields.get("line") if check.wrong else None
        if isinstance(line, Finding) and line.fields:
            about = line.fields
            yield f"{about.get('cell', part.name)}, line {about['number']}:"


def marked(code: Markup, lines: Collection[int]) -> Markup:
    """Return code with some lines of it marked, but for those within a longer text."""
    if not lines:
        return code
    rows = code.split("\n")
    for n in lines:
        if n <= len(rows) and rows[n - 1].count("<span") == rows[n - 1].count("</span"):
            rows[n - 1] = Markup("<mark>%s</mark>") % rows[n - 1]
    return Markup("\n").join(rows)


def is_assignments(cell: NotebookNode) -> bool:
    """Tell whether a cell is the assignment's, with no result that is the student's."""
    if is_students(cell):
        return False
    return cell.cell_type != "code" or not cell.outputs


def without_mark_scheme(cell: NotebookNode) -> NotebookNode:
    """Return a cell without what is told to those alone who mark."""
    if cells.kind_of(cell) is not cells.Kind.TASK:
        return cell
    return ClearMarkScheme().preprocess_cell(copy.deepcopy(cell), {}, 0)[0]


def comment_on(place: Place, notebook: NotebookNode, entry: Entry, prose: Prose) -> Markup:
    """Return what a person wrote about an answer, where no part of the marks has shown it."""
    if place not in entry.comments:
        return Markup()
    graded = [c for c in notebook.cells if cells.kind_of(c) in cells.GRADED]
    shown = {name for c in graded for name in (grade_id(c), cells.function_tested(grade_id(c)))}
    if place.cell in shown:
        return Markup()
    return Markup('<div class="note comment"><p><strong>%s</strong></p>\n%s</div>') % (
        prose.say(Finding("Comment", {})),
        prose.comment(entry.comments[place]),
    )


def heading_of(cells: list[NotebookNode]) -> Finding:
    """Return the first heading in cells, as plain text."""
    for cell in cells:
        found = re.search(r"^#+ (.+)$", cell.source, re.MULTILINE)
        if found and cell.cell_type == "markdown":
            heading = found[1].replace("`", "").strip()
            return Finding("The assignment: {heading}", {"heading": heading})
    return Finding("The assignment", {})


def title_above(cell: NotebookNode) -> Finding:
    """Return the heading above a cell in view."""
    name = grade_id(cell)
    if cells.is_answer(cell):
        return Finding("Your `{name}`", {"name": name})
    if is_students(cell):
        if number := cell.get("execution_count"):  # by which errors call it
            return Finding("A cell of your own: cell {number}", {"number": number})
        return Finding("A cell of your own", {})
    if function_checked(name):
        return Finding("The check of `{name}`", {"name": function_checked(name)})
    return Finding(f"`{name}`", {}) if name else Finding("A cell of the assignment", {})


def render(cell: NotebookNode, prose: Prose, stops: Collection[int] = ()) -> Markup:
    """Return a cell as HTML, with its outputs."""
    if cell.cell_type == "raw":
        return Markup("<pre>%s</pre>") % cell.source
    if cell.cell_type != "code":
        if not is_assignments(cell):
            return prose.students_markdown(cell.source)
        return prose.markdown(without_mark_scheme(cell).source)
    lines = marked(highlight(cell.source), stops)
    source = Markup(prose.code(Markup("<code>%s</code>") % lines, "code"))
    if not is_students(cell) and cell.outputs:
        title = prose.say(Finding("Its code", {}))
        source = Markup("<details><summary>%s</summary>%s</details>\n") % (title, source)
    return source + Markup().join(show(output, prose) for output in cell.outputs)


def show(output: NotebookNode, prose: Prose) -> Markup:
    """Return an output as HTML; scripts were taken out of it when the notebook was run."""
    if output.output_type == "stream":
        return preformatted(output.text, prose)
    if output.output_type == "error":
        told = output.traceback or [f"{output.ename}: {output.evalue}"]
        return preformatted("\n".join(prose.say(line_of(each)) for each in told), prose)
    data = output.data
    for kind in ("image/png", "image/jpeg"):
        if re.fullmatch(r"[A-Za-z0-9+/=\s]+", data.get(kind, "")):
            return Markup('<img alt="%s" src="data:%s;base64,%s">\n') % (
                prose.say(Finding("What the code above has drawn", {})),
                kind,
                data[kind].replace("\n", ""),
            )
    if "text/html" in data:
        within = prose.scrolling(OUTPUT, "output")
        return Markup(f"{within}{in_words(data['text/html'], prose)}</div>\n")
    if "text/markdown" in data:
        return prose.students_markdown(data["text/markdown"])
    return preformatted(data.get("text/plain", ""), prose)


def line_of(traceback: str) -> Finding:
    """Return a line of a traceback as a finding, where the words in it are ours."""
    found = re.fullmatch(r"(?:cell (\d+)|(\S+)), line (\d+):", traceback)
    if not found:
        return error_as(traceback) or Finding(traceback, {})
    fields = {"cell": found[1] or found[2], "number": found[3]}
    if found[1]:
        return Finding("cell {cell}, line {number}:", fields)
    return Finding("{cell}, line {number}:", fields)


def in_words(text: str, prose: Prose) -> str:
    """Return an output with what rooms say in it in words."""
    for each in WITHIN:
        text = text.replace(each.message, prose.say(each))
    return text


def preformatted(text: str, prose: Prose) -> Markup:
    """Return an output that is text."""
    text = in_words(strip_ansi(text), prose)
    if len(text) > LONGEST:
        left = {"count": len(text) - LONGEST}
        more = prose.say(Finding("... and {count} characters more", left))
        text = f"{text[:LONGEST]}\n{more}"
    escaped = html.escape(text.rstrip("\n"))
    name = html.escape(prose.say(OUTPUT))
    return Markup(f'<pre tabindex="0" role="group" aria-label="{name}">{escaped}</pre>\n')
