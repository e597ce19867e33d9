"""An assignment of two notebooks, with parts that a person marks, from `release` to the page."""

import csv
import json
from pathlib import Path

import pytest
from assignments import function, hand_in, manual, notebook, write
from nbgrader.api import Gradebook

from grading.authoring.release import make_release
from grading.cli import converter_of
from grading.run.certificate import find_certificate

NAME = "homework"
RIGHT = {
    "double": "def double(x):\n    return 2 * x\n",
    "square": "def square(x):\n    return x**2\n",
    "why": "It doubles.",
    "plot": "print(6 * 7)",
}
STUDENTS = {
    "right": ({}, {}),
    "renamed": ({}, {"first": "my work", "second": "other work"}),
    "one_missing": ({}, {"second": None}),
    "untouched": (dict.fromkeys(RIGHT), {}),
    "wrong": ({"double": "def double(x):\n    return 3 * x\n"}, {}),
}


def grade(root: Path, students: tuple[str, ...] = (), force: bool = False) -> int:
    """Mark; return how many were marked."""
    converter = converter_of(NAME, unprotected=False)
    converter.force = force
    with converter.open_run(list(students)) as run:
        return len(list(run.mark()))


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    root = tmp_path_factory.mktemp("small")
    first = notebook("Doubles", function("double", "2 * x", 10), manual())
    write(root, NAME, first=first, second=notebook("Squares", function("square", "x**2", 20)))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        make_release(NAME)
        for student, (answers, names) in STUDENTS.items():
            given = {k: v for k, v in {**RIGHT, **answers}.items() if v is not None}
            hand_in(root, NAME, student, given, **names)
        assert grade(root) == len(STUDENTS)
        yield root


def table(root: Path, assignment: str = NAME) -> dict[str, dict[str, str]]:
    """Read grades.csv: its rows by student."""
    with (root / "reports" / assignment / "grades.csv").open(newline="") as file:
        return {row["student_id"]: row for row in csv.DictReader(file)}


def test_each_notebook_is_marked(course):
    rows = table(course)
    columns = ["double", "why", "plot", "improve", "square"]
    assert list(rows["right"])[3:-2] == columns
    assert {row["max_score"] for row in rows.values()} == {"42.0"}
    points = {student: [float(row[c]) for c in columns] for student, row in rows.items()}
    assert points == {
        "right": [10, 0, 0, 0, 20],
        "renamed": [10, 0, 0, 0, 20],
        "one_missing": [10, 0, 0, 0, 0],
        "untouched": [0, 0, 0, 0, 0],
        "wrong": [0, 0, 0, 0, 20],
    }
    assert [rows[s]["status"] for s in ("right", "one_missing")] == ["graded", "graded"]
    assert "second: there is no notebook: 0 points" in rows["one_missing"]["note"]
    assert rows["renamed"]["status"] == "repaired"
    assert "first: not first.ipynb but my work.ipynb was read" in rows["renamed"]["note"]


def test_who_is_marked_is_not_marked_again(course):
    assert grade(course) == 0


def test_there_is_a_page_and_a_marked_notebook_for_each(course):
    for student in STUDENTS:
        for folder, ending in [("autograded", "ipynb"), ("feedback", "html")]:
            found = {p.name for p in (course / folder / student / NAME).glob(f"*.{ending}")}
            assert found == {f"first.{ending}", f"second.{ending}"}


def test_certificate_names_cells_by_notebook(course):
    certificate = find_certificate(course / "reports" / NAME, "wrong")
    assert [(m.notebook, m.cell, m.max_points) for m in certificate.cells] == [
        ("first", "test_double", 10),
        ("first", "why", 4),
        ("first", "plot", 3),
        ("first", "improve", 5),
        ("second", "test_square", 20),
    ]
    assert {n: list(tests) for n, tests in certificate.source["tests"].items()} == {
        "first": ["test_double"],
        "second": ["test_square"],
    }


def test_code_that_a_person_marks_is_run(course):
    marked = json.loads((course / "autograded/right" / NAME / "first.ipynb").read_text())
    (cell,) = [c for c in marked["cells"] if c["id"] == "plot"]
    assert cell["outputs"][0]["text"] == "42\n"


def test_who_has_to_look(course):
    waiting = {}
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        for submission in book.assignment_submissions(NAME):
            grades = [grade for each in submission.notebooks for grade in each.grades]
            waiting[submission.student_id] = {g.name for g in grades if g.needs_manual_grade}
    answered = {"why", "plot", "improve"}
    assert waiting["right"] == waiting["one_missing"] == answered
    assert waiting["untouched"] == {"improve"}


def test_no_student_sees_how_marks_are_given(course):
    seen = [*course.glob("release/**/*"), *course.glob("feedback/**/*")]
    for path in seen:
        if path.is_file():
            assert b"Two points for the idea" not in path.read_bytes(), path
