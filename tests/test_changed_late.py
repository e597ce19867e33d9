"""An assignment that changes when submissions are in: released, marked and compared again."""

from pathlib import Path

import nbformat
import pytest
from assignments import TEST, function, hand_in, manual, notebook, settings, text, write
from nbgrader.api import Gradebook
from test_several_notebooks import NAME, RIGHT, table

from grading.cli import app
from grading.run.certificate import find_certificate
from grading.source import enter_course

HALF = "def double(x):\n    return 3 * x\n"


def run(*arguments: str) -> None:
    """Run a command as on the command line."""
    app(list(arguments), standalone_mode=False)


@pytest.fixture
def course(tmp_path, monkeypatch) -> Path:
    """A course that is marked, and in which a person has given points."""
    write(tmp_path, NAME, first=notebook("Doubles", function("double", "2 * x", 10), manual()))
    monkeypatch.chdir(tmp_path)
    run("release", NAME)
    hand_in(tmp_path, NAME, "right", RIGHT)
    hand_in(tmp_path, NAME, "wrong", {**RIGHT, "double": HALF})
    hand_in(tmp_path, NAME, "untouched", {})
    run("grade", NAME, "--quiet")
    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db") as book:
        for cell, points in {"why": 3.0, "improve": 4.5}.items():
            grade = book.find_grade(cell, "first", NAME, "right")
            grade.manual_score, grade.needs_manual_grade = points, False
        book.find_comment("why", "first", NAME, "right").manual_comment = "Nicely said."
        book.db.commit()
    return tmp_path


def changed_points(cells):
    """The function's points rise, in its cell and in its test."""
    cells["test_double"].source = TEST.strip().format(name="double", points=16)
    cells["test_double"].metadata = settings("test_double", points=20)


def cells_come_and_go(cells):
    """A manual answer and a locked check go; a function and a task come."""
    for name in ("plot", "check_double"):
        del cells[name]
    for cell in function("square", "x**2", 8):
        cells[cell.id] = cell
    cells["more"] = text("more", "Do more.", points=2, grade=False, task=True)


def other_words(cells):
    """A stub, a check and a set-up get another text."""
    cells["double"].source = cells["double"].source.replace("(x):", '(x):\n    """Twice x."""')
    cells["check_double"].source += "\n# read the line above"
    cells["setup"].source += "\nimport math"


def test_release_then_grade_then_diff(course, capsys):
    points = {"right": 17.5, "wrong": 0.0, "untouched": 0.0}
    for change, maximum, more in [
        (other_words, 22, {}),
        (changed_points, 32, {"right": 10}),
        (cells_come_and_go, 39, {}),
    ]:
        change_source(course, change)
        run("release", NAME)
        run("grade", NAME)
        run("grade", NAME)
        assert "0 marked" in capsys.readouterr().out
        if change is changed_points:
            said = told(course, capsys)
            assert "The total has changed for 1 of 3 students; nothing has changed for 2" in said
            assert "right 17.5 27.5 double: test" in said
            assert said.endswith("double, y 6 16 test right")
        points = {student: was + more.get(student, 0) for student, was in points.items()}
        rows = table(course)
        assert {student: float(row["score"]) for student, row in rows.items()} == points
        assert {float(row["max_score"]) for row in rows.values()} == {maximum}
        assert {row["status"] for row in rows.values()} == {"graded"}, rows
        with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
            given = book.find_grade("why", "first", NAME, "right")
            assert (given.manual_score, given.needs_manual_grade) == (3.0, True)
            assert book.find_grade("improve", "first", NAME, "right").score == 4.5
            assert book.find_comment("why", "first", NAME, "right").comment == "Nicely said."
            assert book.find_assignment(NAME).max_score == maximum
    assert "full marks were 32, and are 39" in told(course, capsys)

    # a notebook comes, and goes, and one server does it, as formgrader is
    server, second = enter_course(), course / "source" / NAME / "second.ipynb"
    write(course, NAME, second=notebook("Cubes", function("cube", "x**3", 20)))
    for maximum, note in [(59, "second: there is no notebook"), (39, "")]:
        assert server.generate_assignment(NAME, force=True)["success"]
        assert server.autograde(NAME, "right", force=True)["success"]
        found = find_certificate(course / "reports" / NAME, "right")
        assert (found.status, found.score, found.max_score) == ("graded", 27.5, maximum)
        assert note in found.note and ("second" in found.note) is bool(note)
        second.unlink(missing_ok=True)


def told(course: Path, capsys) -> str:
    """Return what `diff` says of the last two markings, in one line."""
    run("diff", f"reports/{NAME}/certificates.before", f"reports/{NAME}/certificates")
    return " ".join(capsys.readouterr().out.split())


def change_source(course: Path, change) -> None:
    """Let the instructor change the notebook."""
    path = course / "source" / NAME / "first.ipynb"
    made = nbformat.read(path, as_version=4)
    cells = {cell.id: cell for cell in made.cells}
    change(cells)
    made.cells = list(cells.values())
    nbformat.write(made, path)
