"""The page: the pairs that are most alike, side by side."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from grading import CourseError
from grading.alike.fingerprints import fingerprints
from grading.alike.pairs import MOST_SHARED, Comparison, Pair, compare
from grading.alike.work import MOST_TEXT, given_prints, read_class
from grading.feedback.template import templates_in
from grading.run.choose import submitted
from grading.run.files import write_whole
from grading.run.groups import find_groups
from grading.source import Assignment

HERE = Path(__file__).parent
FEW = 3  # students who have a statement: it is marked as rare


class Stretch(NamedTuple):
    """Some code, and how many have the like of it: 0 where the other of the pair has not."""

    text: str
    have_it: int


def write_page(
    coursedir: CourseDirectory, config: Config, assignment: Assignment, path: Path
) -> Comparison:
    """
    Compare all that was handed in, of groups what counts, and write the page.

    Raises
    ------
    CourseError
        Where there is nothing to compare.
    """
    handed_in = submitted(coursedir, assignment.name)
    groups = find_groups(coursedir, config, assignment.name, handed_in)
    students = [student for student in handed_in if groups.whose.get(student) == student]
    read = dict(read_class(coursedir, assignment, students))
    works = [work for student in students if (work := read[student]) is not None and work.texts]
    if len(works) < 2:
        raise CourseError(f"{assignment.name}: fewer than two students have written something")
    comparison = compare(works, given_prints(assignment))
    left_out = sorted(set(students) - {work.student for work in works})
    write_whole(path, render(assignment.name, comparison, left_out).encode())
    return comparison


def render(assignment: str, comparison: Comparison, left_out: list[str]) -> str:
    """Return the page."""
    template = templates_in(HERE).get_template("page.html.j2")
    return template.render(
        assignment=assignment,
        it=comparison,
        count=len(comparison.works),
        left_out=left_out,
        cut=[work.student for work in comparison.works if work.is_cut],
        css=Markup((HERE / "page.css").read_text("utf-8")),
        side_by_side=lambda pair: list(side_by_side(comparison, pair)),
        few=FEW,
        most_shared=MOST_SHARED,
        most_text=MOST_TEXT,
    )


def side_by_side(
    comparison: Comparison, pair: Pair
) -> Iterator[tuple[str, list[list[Stretch]], float]]:
    """Yield each cell of two students: its name, the code of both, the bits in common."""
    both = pair.first.prints & pair.second.prints & comparison.weights.keys()
    counts = {value: comparison.shared_by[value] for value in both}
    names = dict.fromkeys([*pair.first.texts, *pair.second.texts])
    for name in names:
        texts = [work.texts.get(name, "") for work in pair[1:]]
        held = [{each.value for each in fingerprints(text)} & both for text in texts]
        bits = sum(comparison.weights[value] for value in held[0] & held[1])
        yield name, [list(pieces(text, counts)) for text in texts], bits


def pieces(text: str, counts: dict[int, int]) -> Iterator[Stretch]:
    """Cut some code into what both of a pair have, and the rest."""
    marked: dict[tuple[int, int], int] = {}
    for value, begin, end in fingerprints(text):
        if value in counts:
            marked[begin, end] = min(counts[value], marked.get((begin, end), counts[value]))
    at = 0
    for (begin, end), count in sorted(marked.items()):
        yield Stretch(text[at:begin], 0)
        yield Stretch(text[begin:end], count)
        at = end
    yield Stretch(text[at:], 0)
