"""docs/authoring.md, followed block by block: from an empty folder to the class report."""

import contextlib
import csv
import io
import re
import sys
from pathlib import Path
from typing import NamedTuple

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell

from grading.authoring.check import check_assignment
from grading.authoring.example import expected_lines
from grading.authoring.new import make_assignment
from grading.cli import main, nursery_for_author
from grading.source import enter_course, read_source
from grading.source.cells import grade_id, with_answers

PAGE = (Path(__file__).parents[1] / "docs" / "authoring.md").read_text("utf-8")
BLOCK = re.compile(
    r"^## (?P<heading>[^\n]*)$"
    r"|(?:^(?P<what>Cell|File) `(?P<name>[^`]+)`:\n\n)?"
    r"^```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
IMPORTS = "from grading.testing import MarkedTest, hidden_rng"
KINDS = "Kinds of functions"
NAME = "filters"
EXPLAIN = {"grade": True, "solution": True, "locked": False, "task": False, "points": 10}


class Block(NamedTuple):
    heading: str
    what: str
    name: str
    language: str
    text: str


def blocks():
    """Yield the headings and blocks of the page, in order."""
    heading = ""
    for match in BLOCK.finditer(PAGE):
        heading = match["heading"] or heading
        parts = (match[name] or "" for name in ("what", "name", "language", "text"))
        yield Block(heading, *parts)


def call(line):
    """Run a command, which must end well; return what it printed."""
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(said):
        patch.setattr(sys, "argv", line.split())
        with pytest.raises(SystemExit) as end:
            main()
    assert end.value.code == 0, f"{line}: {said.getvalue()}"
    return said.getvalue().rstrip("\n")


def source_path():
    return Path("source", NAME, f"{NAME}.ipynb")


def edit_cell(name, text):
    """Put a text into a cell; in the place of a command stands what it prints."""
    notebook = nbformat.read(source_path(), as_version=4)
    (cell,) = (cell for cell in notebook.cells if grade_id(cell) == name)
    cell.source = text.rstrip("\n")
    nbformat.write(notebook, source_path())
    for asked in re.findall(r"# here go the lines of: (.*)", text):
        cell.source = cell.source.replace(f"# here go the lines of: {asked}", call(asked))
        nbformat.write(notebook, source_path())


def add_question():
    """Add the manual part that the page speaks of."""
    notebook = nbformat.read(source_path(), as_version=4)
    question = new_markdown_cell("What does blurring do to an edge?", id="question")
    settings = {**EXPLAIN, "grade_id": "explain", "schema_version": 3}
    answer = new_markdown_cell("It widens it.", id="explain", metadata={"nbgrader": settings})
    notebook.cells += [question, answer]
    nbformat.write(notebook, source_path())


WRONG_BLUR = "def blur(image):\n    return image[:, 1:-1]\n"
CLASS = {
    "solution": {},
    "sum_for_mean": {"blur": (") / 3", ")")},
    "edges_right_blur_wrong": {"blur": WRONG_BLUR},
    "never_raises": {"blur": ("image.shape[1] < 3", "False")},
    "grey_from_another_file": {"grey": ("weights.csv", "no.csv")},
    "untouched": None,
}


def hand_in():
    """Hand in a class, whole folders as students do."""
    release = Path("release", NAME)
    answers = read_source(NAME).answers
    for student, changes in CLASS.items():
        written = dict(answers) if changes is not None else {}
        for name, change in (changes or {}).items():
            is_edit = isinstance(change, tuple)
            written[name] = answers[name].replace(*change) if is_edit else change
        if changes is not None:
            written["explain"] = f"My own words: {student}."
        folder = Path("submitted", student, NAME)
        folder.mkdir(parents=True)
        for path in release.glob("*.*"):
            (folder / path.name).write_bytes(path.read_bytes())
        notebook = nbformat.read(release / f"{NAME}.ipynb", as_version=4)
        nbformat.write(with_answers(notebook, written), folder / f"{NAME}.ipynb")


@pytest.fixture(scope="module")
def grades(tmp_path_factory):
    """Follow the page to its end; return the rows of grades.csv."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("images"))
        for block in blocks():
            if not block.text:
                by_hand = {"Parts marked by a person": add_question, "Mark a class": hand_in}
                by_hand.get(block.heading, lambda: None)()
            elif block.what == "File":
                Path(block.name).write_text(block.text)
            elif block.what == "Cell":
                edit_cell(block.name, block.text)
            elif block.language == "bash":
                for line in block.text.splitlines():
                    call(line)
        with open(f"reports/{NAME}/grades.csv", newline="") as table:
            yield {row["student_id"]: row for row in csv.DictReader(table)}


FUNCTIONS = ["blur", "edges", "grey"]
POINTS = {
    "solution": (25, 25, 25),
    "sum_for_mean": (9, 25, 25),
    "edges_right_blur_wrong": (0, 25, 25),
    "never_raises": (22, 25, 25),
    "grey_from_another_file": (25, 25, 0),
    "untouched": (0, 0, 0),
}


def test_class_gets_its_points(grades):
    """An error costs its points once, and each in its own function."""
    found = {student: tuple(float(row[f]) for f in FUNCTIONS) for student, row in grades.items()}
    assert found == POINTS


def test_mistakes_are_told_and_counted(grades):
    sentence = "The three pixels are added up; an average divides by how many there are."
    page = Path("feedback", "sum_for_mean", NAME, f"{NAME}.html").read_text("utf-8")
    assert sentence in page
    assert "The assignment: 2 edges" in page
    assert "sum_for_mean" in grades["sum_for_mean"]["note"]
    assert "to be marked by hand: explain" in grades["sum_for_mean"]["note"]
    report = Path("reports", NAME, "report.html").read_text("utf-8")
    assert sentence in report
    assert "time step" not in page + report


def kinds():
    """Return the functions of the section on kinds: their code, and their tests."""
    found = {}
    for block in blocks():
        if block.heading == KINDS and block.text:
            code, test = block.text.split("\n\n\ntest = ")
            found[re.match(r"def (\w+)", code)[1]] = code, f"test = {test}"
    return found


def test_kinds_of_functions(tmp_path, monkeypatch):
    """Each is an assignment's function with a visible check of its own, and all is in order."""
    monkeypatch.chdir(tmp_path)
    (block,) = (b for b in blocks() if b.name == "nbgrader_config.py")
    Path(block.name).write_text(block.text)
    found = kinds()
    make_assignment(tmp_path, "kinds", list(found))
    Path("source/kinds/mistakes.yaml").unlink()
    path = Path("source/kinds/kinds.ipynb")
    notebook = nbformat.read(path, as_version=4)
    cells = {grade_id(cell): cell for cell in notebook.cells}
    for name, (code, test) in found.items():
        shown = re.sub(r", points=.*?\}\)", ")", test, flags=re.DOTALL).splitlines()[:2]
        cells[name].source = code
        cells[f"check_{name}"].source = (
            "\n".join(shown)
            .replace("MarkedTest", "FunctionTest")
            .replace("hidden_rng(", "np.random.default_rng(10")  # other numbers
        )
        parts = ["### BEGIN HIDDEN TESTS", IMPORTS, test, "### END HIDDEN TESTS"]
        cells[f"test_{name}"].source = "\n".join(parts)
    nbformat.write(notebook, path)
    for name in found:
        cell = cells[f"check_{name}"]
        lines = [*expected_lines(read_source("kinds"), name), "test.report()"]
        cell.source = "\n".join([cell.source, *lines])
    nbformat.write(notebook, path)
    with nursery_for_author("kinds") as rooms:
        found = check_assignment(enter_course(), "kinds", rooms)
    assert found == []
