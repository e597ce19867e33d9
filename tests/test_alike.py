"""Which submissions are alike: copies come first, and those who write for themselves do not."""

import random
import re
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path

import nbformat
import numpy as np
import pytest
from browser import chromium, serious_violations, view_of
from many_hands import disguise, write_answers, write_class
from nbformat.v4 import new_code_cell

from grading import CourseError
from grading.alike.fingerprints import fingerprints
from grading.alike.pairs import MOST_SHARED, compare
from grading.alike.work import MOST_TEXT, Work
from grading.cli import alike_command
from grading.demo import make_course
from grading.source import read_source
from grading.source.cells import with_answers

REPO = Path(__file__).parents[1]
ASSIGNMENT = "rnn_lstm_forward"
CODE = """
def step(x, a, p):
    \"\"\"Take a step.\"\"\"
    W = p["W"]
    b = p['b']  # bias
    a = np.tanh(W @ a + b)
    return a, (x, a)
"""
COPY = """
def step(inp, h, par):
    bias = (
        par["b"]
    ); M = par['W']

    # all mine
    h = (np.tanh(M@h
         + bias))
    return (h, (inp, h))
"""
EVIL = "<img src=x onerror=alert(1)>"


def values(code):
    return sorted(each.value for each in fingerprints(code))


def test_names_order_layout_and_remarks_change_no_fingerprint():
    assert values(CODE) == values(COPY)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("W @ a + b", "b + W @ a"),
        ("tanh", "exp"),
        ("a, (x, a)", "a, (a, x)"),
        ("a, (x, a)", "W, (x, W)"),
        ("p['b']", "p['c']"),
    ],
)
def test_what_else_is_changed_changes_fingerprints(old, new):
    assert values(CODE) != values(CODE.replace(old, new))


def test_what_is_no_python_has_fingerprints_too():
    for code in (
        "def f(:\n  x = (1,\n",
        ")))\n]",
        "%matplotlib inline\n!ls -l",
        "x = '",
        "é" * 9,
        "",
    ):
        assert values(code) == values(code + "\n# remark")


def test_a_statement_is_shown_whole_with_its_brackets_and_quotes():
    for statement in ('s = "e"', "x = f(1)", "(a + b) * c", "'' + s", 's = f"{x}"'):
        code = f"# one\n\n{statement}  # two\nprint(s)\n"
        taken = [code[each.begin : each.end] for each in fingerprints(code)]
        assert taken == [statement, "print(s)"] * 3


def work(student, *prints):
    return Work(student, {}, frozenset(prints))


def test_what_many_have_or_was_given_tells_nothing():
    many = [work(f"{n}", 1, 100 + n) for n in range(MOST_SHARED + 1)]
    given = [work("p", 2, 500), work("q", 2, 501)]
    two = [work("a", 3, 600), work("b", 3, 601)]
    found = compare([*many, *given, *two], frozenset({2}))
    assert [(p.first.student, p.second.student) for p in found.pairs] == [("a", "b")]
    assert sum(found.tenths) == len(found.works) * (len(found.works) - 1) // 2


def test_one_line_in_common_does_not_make_two_who_wrote_no_more_alike():
    full = [work(f"{n}", *range(20 * n, 20 * n + 20)) for n in range(50, 60)]
    copy = work("copy", *range(20 * 50, 20 * 50 + 18), 8, 9)
    best, *others = compare([*full, copy, work("s", 1), work("t", 1)], frozenset()).pairs
    assert (best.second.student, [p.second.student for p in others]) == ("copy", ["t"])


def outcome(source, answers):
    """Return what the two sequences of an author give."""
    rng = np.random.default_rng(0)
    rnn = {"Wax": (5, 3), "Waa": (5, 5), "Wya": (2, 5), "ba": (5, 1), "by": (2, 1)}
    lstm = {f"{kind}{gate}": (5, 8 if kind == "W" else 1) for gate in "fico" for kind in "Wb"}
    x, a0 = rng.normal(size=(3, 4, 6)), rng.normal(size=(5, 4))
    names = source.namespace(**answers)
    drawn = [
        {name: rng.normal(size=shape) for name, shape in shapes.items()}
        for shapes in (rnn, lstm | {"Wy": (2, 5), "by": (2, 1)})
    ]
    pair = names["rnn_forward"](x, a0, drawn[0]), names["lstm_forward"](x, a0, drawn[1])
    return [array for results in pair for array in results[:-1]]


def test_the_class_and_its_copies_are_right():
    source, rng = read_source(ASSIGNMENT, REPO), random.Random(5)
    expected = outcome(source, {})
    for _ in range(8):
        answers = write_answers(rng)
        copied = {name: disguise(text, rng) for name, text in answers.items()}
        for each in (answers, copied):
            for got, want in zip(outcome(source, each), expected, strict=True):
                np.testing.assert_allclose(got, want)


@dataclass
class Compared:
    """A course in which a class was compared."""

    root: Path
    planted: set[tuple[str, str]]
    said: str

    @property
    def page(self):
        return self.root / "reports" / ASSIGNMENT / "alike.html"

    @property
    def pairs(self):
        named = re.findall(r'class="who">(.*?)</span>', self.page.read_text())
        return list(zip(named[::2], named[1::2], strict=True))


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """A class of 30 with 3 copies, and what else comes in."""
    root = tmp_path_factory.mktemp("alike") / "course"
    make_course(REPO, root)
    written, planted = write_class(30, 3, seed=3)
    released = nbformat.read(REPO / f"release/{ASSIGNMENT}/{ASSIGNMENT}.ipynb", as_version=4)
    for name, answers in {**written, "untouched": {}, EVIL.replace("/", ""): {}}.items():
        folder = root / "submitted" / name / ASSIGNMENT
        folder.mkdir(parents=True)
        notebook = with_answers(released, answers)
        if name == "own_000":
            notebook.cells.append(new_code_cell(f"print('{EVIL}', 12345, '</pre>')"))
            notebook.cells.append(new_code_cell("#" * MOST_TEXT))
        nbformat.write(notebook, folder / f"{ASSIGNMENT}.ipynb")
    (root / "submitted/damaged" / ASSIGNMENT).mkdir(parents=True)
    (root / "submitted/damaged" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb").write_text("{")
    before = sorted(root.rglob("*"))
    with chdir(root), pytest.MonkeyPatch.context() as patch:
        said = []
        patch.setattr("grading.cli.console.print", lambda text, **_: said.append(text))
        alike_command(ASSIGNMENT)
    course = Compared(root, planted, said[-1])
    new = set(root.rglob("*")) - set(before)
    assert {path.name for path in new if path.is_file()} == {"alike.html"}
    return course


def test_copies_come_first(compared):
    assert {tuple(sorted(p, reverse=True)) for p in compared.pairs[:3]} == compared.planted
    assert "33 submissions" in compared.said


def test_the_page_shows_both_says_who_is_left_out_and_takes_nothing_as_html(compared):
    text = compared.page.read_text()
    left_out = re.search(r"3 left out.*?<p>(.*?)</p>", text)[1]
    assert "damaged" in left_out
    assert "read these yourself: own_000</p>" in text
    assert "untouched" in left_out
    assert "<img" not in text
    first = text[text.index('id="pair-1"') : text.index('id="pair-2"')]
    assert first.count("<pre") == 8
    assert first.count('class="rare" title="2 of 33 have this"') > 20
    assert "BEGIN SOLUTION" not in text


GOES_ON = """() => [...document.querySelectorAll("pre, .scroll")].map(box => {
    const {backgroundImage, paddingTop, lineHeight} = getComputedStyle(box);
    return {
        across: box.scrollWidth > box.clientWidth,
        down: box.scrollHeight > box.clientHeight + parseFloat(paddingTop),
        shaded: backgroundImage.includes("gradient"),
        lines: (box.clientHeight - parseFloat(paddingTop)) / parseFloat(lineHeight),
    };
})"""


def test_the_page_fits_asks_for_nothing_and_can_be_used_by_all(compared):
    with chromium() as browser:
        for width, dark in ((360, True), (1280, False)):
            view = view_of(browser, compared.page, width, dark)
            assert not view.requests
            assert not view.errors
            assert view.page.evaluate("document.documentElement.scrollWidth") <= width
            assert not serious_violations(view.page)
            boxes = view.page.evaluate(GOES_ON)
            assert all(box["shaded"] for box in boxes if box["across"] or box["down"])
            cut = [box["lines"] % 1 for box in boxes if box["down"]]
            assert width > 360 or (any(box["across"] for box in boxes) and cut)
            assert all(min(part, 1 - part) < 0.05 for part in cut)


def test_a_class_without_work_is_told_in_one_line(compared):
    with chdir(compared.root), pytest.raises(CourseError, match="no folders"):
        alike_command("rnn_lstm_backward")
