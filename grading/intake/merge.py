"""The cells of a submitted notebook, sorted into the source notebook."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_code_cell, new_markdown_cell
from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme, ClearSolutions

from grading.findings import Finding
from grading.intake.notes import some
from grading.intake.raw_cells import RawCell, bare
from grading.source import cells as known_cells
from grading.source.catalogue import ENGLISH
from grading.source.cells import OWN_ID, Kind, grade_id, settings_of
from grading.source.translation import Translation, translate

PUT_BACK = (Kind.TEST, Kind.CHECK)
CLEARING = (ClearSolutions, ClearHiddenTests, ClearMarkScheme)  # from source to student version


class Frame:
    """
    The source notebook, into which submissions are sorted.

    Parameters
    ----------
    source : NotebookNode
    translations : mapping, optional
        By language: what students may have received in the place of the English.
    clearing : iterable of callable, optional
        What makes the student version of the text of cells, in order.
    language : str
        Of the course: in this one stands what has come in none.

    Attributes
    ----------
    source, language
    texts : dict
        By language: the text of each cell as students receive it.
    hides_nothing : list of bool
        Whether students receive a cell as it stands.
    solutions : dict
        The names of the solution cells, by place.
    counted : set of int
        The places of what students write or do: by these a notebook is known.
    """

    def __init__(
        self,
        source: NotebookNode,
        translations: Mapping[str, Translation] | None = None,
        clearing: Iterable[Callable] | None = None,
        language: str = ENGLISH,
    ) -> None:
        self.source, self.language = source, language
        student = copy.deepcopy(source)
        for step in [kind() for kind in CLEARING] if clearing is None else clearing:
            student = step(student, {})[0]
        versions = {ENGLISH: student}
        versions |= {code: translate(student, each) for code, each in (translations or {}).items()}
        self.texts = {
            language: [bare(cell.source) for cell in version.cells]
            for language, version in versions.items()
        }
        both = zip(source.cells, self.texts[ENGLISH], strict=True)
        self.hides_nothing = [bare(cell.source) == text for cell, text in both]
        cells = list(enumerate(source.cells))
        self.solutions = {p: grade_id(c) for p, c in cells if known_cells.is_answer(c)}
        tasks = {p for p, c in cells if known_cells.kind_of(c) is Kind.TASK}
        self.counted = self.solutions.keys() | tasks
        self._tests = [p for p, c in cells if known_cells.is_test(c)]
        self._places: dict[tuple[str, str], int] = {}
        for place, cell in enumerate(source.cells):
            for texts in self.texts.values():
                if texts.count(texts[place]) == 1:
                    self._places["text", texts[place]] = place
            self._places["id", cell.id] = self._places["grade_id", grade_id(cell)] = place
        self._places.pop(("grade_id", ""), None)

    def find(self, cell: RawCell) -> int | None:
        """Return the place of the known cell that a student's cell is, if it is one."""
        keys = [("grade_id", cell.grade_id), ("id", cell.id), ("text", cell.plain)]
        place = next((self._places[key] for key in keys if key in self._places), None)
        name = "" if place is None else self.solutions.get(place, "")
        if name and cell.kind != self.source.cells[place].cell_type and not cell.defines(name):
            return None  # a remark in place of an answer
        return place

    def is_untouched(self, cell: RawCell, place: int | None) -> bool:
        """Tell whether a cell says what students received, now or once, or nothing."""
        received = [] if place is None else [texts[place] for texts in self.texts.values()]
        return cell.plain in ("", *received) or cell.is_as_released

    def language_of(self, found: Mapping[int, RawCell]) -> str:
        """Return the language of most of the texts that a student left as they were received."""
        votes: Counter[str] = Counter()
        for place, cell in found.items():
            votes.update({c for c, texts in self.texts.items() if texts[place] == cell.plain})
        # of equals the course's, else English, the first
        return max(self.texts, key=lambda code: (votes[code], code == self.language))

    def test_of(self, place: int) -> int:
        """Return the place of the test that follows a solution cell."""
        return next((test for test in self._tests if test > place), len(self.source.cells))

    def own_test_of(self, place: int) -> int | None:
        """Return the place of the test that is of this solution cell alone, None without one."""
        after = min((other for other in self.solutions if other > place), default=None)
        test = self.test_of(place)
        return test if test in self._tests and (after is None or test < after) else None


class Merge:
    """
    The cells of one submission, sorted into the frame.

    Attributes
    ----------
    found : dict
        The student's cell for each known one, by place.
    own : list of RawCell
        The student's own cells.
    answers : dict
        What the student wrote for each solution cell, by place.
    language : str
        That of most of what the student left as it was received.
    notes : list of Finding
        What was put right.
    remarks : list of Finding
        What else there is to say.
    """

    def __init__(self, frame: Frame, cells: list[RawCell], notes: list[Finding]) -> None:
        self.frame = frame
        self.found: dict[int, RawCell] = {}
        self.own: list[RawCell] = []
        self.answers: dict[int, str] = {}
        self.remarks: list[Finding] = []
        self._repairs: dict[str, list[str]] = {}
        self._sort_in(cells)
        self.language = frame.language_of(self.found)
        self._find_answers()
        self._remark_on_absent(cells)
        repairs = [Finding(what, {"cells": some(names)}) for what, names in self._repairs.items()]
        self.notes = notes + repairs

    def _note(self, what: str, place: int) -> None:
        cell = self.frame.source.cells[place]
        self._repairs.setdefault(what, []).append(grade_id(cell) or cell.id)

    def _sort_in(self, cells: list[RawCell]) -> None:
        """Tell known cells from the student's own; these stay below the known cell above."""
        at, above = -1, []
        for cell in cells:
            place = self.frame.find(cell)
            if place is None or place in self.found:
                self._add_own(cell, at, place)
                above.append(cell)
                continue
            if place in self.frame.solutions and place < at:
                # a solution that goes back up takes along what stands right above it
                for own in above:
                    own.place = place - 1
            self.found[place] = cell
            cell.place, at, above = place, place, []
            self._compare(cell, place)

    def _add_own(self, cell: RawCell, at: int, copy_of: int | None) -> None:
        """Add a cell of the student's own, or the copy of a known one."""
        if copy_of in self.frame.solutions:
            self._note("copied cells, run as cells of their own: {cells}", copy_of)
        if self.frame.is_untouched(cell, copy_of):
            return
        # what redefines a function must run after it
        first = [p for p in self.found if cell.defines(self.frame.solutions.get(p, ""))]
        cell.place = max([at, *first])
        self.own.append(cell)

    def _compare(self, cell: RawCell, place: int) -> None:
        """Note what was changed in a known cell that is not the student's to change."""
        ours = self.frame.source.cells[place]
        if cell.is_as_released:  # what is other now, the instructor has changed
            return
        if not same_role(cell, ours):
            self._note("nbgrader's settings lost or changed, put right: {cells}", place)
        if place in self.frame.solutions:
            if cell.kind != ours.cell_type:
                self._note("no longer of its type, read as if it were: {cells}", place)
        elif ours.cell_type == cell.kind == "code" and not self.frame.is_untouched(cell, place):
            self._note(
                "changed in locked cells, where the course's own text counts: {cells}", place
            )
            self.own.append(RawCell("code", cell.text, place=place))

    def _find_answers(self) -> None:
        """Choose the text of each solution cell; what is not there may stand elsewhere."""
        used, unknown = [], []
        for place, name in self.frame.solutions.items():
            cell = self.found.get(place)
            if cell and not self.frame.is_untouched(cell, place):
                self.answers[place] = cell.text
                continue
            others = [
                other
                for other in sorted([*self.found.values(), *self.own], key=lambda c: c.place)
                if other.kind == "code"
                and other.defines(name)
                and not self.frame.is_untouched(other, place)
            ]
            if others:
                # what the test would have met, or else what was written last
                test = self.frame.test_of(place)
                best = others[0] if others[0].place < test else others[-1]
                self.answers[place] = best.text
                used.append(best)
                for other in others:
                    other.place = max(other.place, place)  # what comes later stays later
                self._note("not in its own cell, taken from where it is defined: {cells}", place)
            elif cell is None and self.frame.own_test_of(place) in self.found:
                self._note("deleted, counted as not written: {cells}", place)
            elif cell is None:  # perhaps the instructor has added it since
                unknown.append(name)
        if unknown and self.found:
            cells = {"cells": some(unknown)}
            self.remarks.append(Finding("not in it, counted as not written: {cells}", cells))
        self.own = [cell for cell in self.own if not any(cell is other for other in used)]

    def _remark_on_absent(self, cells: list[RawCell]) -> None:
        """Say which tests and checks are not there: deleted, or added since the release."""
        known = {id(cell) for cell in self.found.values()}
        # of cells of one text that have lost their names nobody can tell which they are
        unknown = {cell.plain for cell in cells if id(cell) not in known}
        names = [
            grade_id(cell)
            for place, cell in enumerate(self.frame.source.cells)
            if place not in self.found
            and known_cells.kind_of(cell) in PUT_BACK
            and not any(texts[place] in unknown for texts in self.frame.texts.values())
        ]
        if names and self.found:
            absent = {"cells": some(names)}
            self.remarks.append(
                Finding("not in it, put back as the course has it: {cells}", absent)
            )

    @property
    def known(self) -> int:
        """The number of solution cells and tasks that are there in some form."""
        return len(self.answers.keys() | (self.found.keys() & self.frame.counted))

    def build(self) -> NotebookNode:
        """Return the source notebook with the student's text in it."""
        notebook = from_dict(self.frame.source)  # a copy
        texts = self.frame.texts[self.language]
        for place, cell in enumerate(notebook.cells):
            if place in self.frame.solutions:
                cell.source = self.answers.get(place, texts[place])
            elif self.frame.hides_nothing[place]:
                cell.source = texts[place]
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        new = {"code": new_code_cell, "markdown": new_markdown_cell}
        own = [
            (cell.place, new[cell.kind](cell.text, id=f"{OWN_ID}{number}"))
            for number, cell in enumerate(self.own, start=1)
        ]
        cells = sorted([*enumerate(notebook.cells), *own], key=lambda cell: cell[0])
        notebook.cells = [cell for _, cell in cells]
        return notebook


def same_role(cell: RawCell, ours: NotebookNode) -> bool:
    """Tell whether a student's cell is still what it was; points may be of an earlier release."""
    if known_cells.is_answer(ours):
        return bool(cell.settings.get("solution")) and cell.grade_id == grade_id(ours)
    expected = settings_of(ours)
    return all(
        cell.settings.get(key) == value for key, value in expected.items() if key != "points"
    )
