"""A class with odd submissions: every one is marked or named, and none runs scripts."""

import csv
import html
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell
from nbgrader.api import Gradebook

from grading.course import open_course
from grading.demo import make_course, plain
from grading.grade import grade
from grading.leaks import secrets_of
from grading.prove import with_solutions
from grading.release import release
from grading.solution import load_solution

REPO = Path(__file__).parents[1]
ASSIGNMENT = "rnn_lstm_forward"
NOTEBOOK = f"{ASSIGNMENT}.ipynb"
SCRIPTS = [
    "<script>alert('text')</script>",
    "<img src=x onerror=alert('image')>",
    "<a href=\"javascript:alert('link')\">x</a>",
    "<iframe src=x></iframe>",
]
DISPLAYS = """
from IPython.display import HTML, Javascript, display
display(HTML('<b>bold</b><script>alert("html")</script><td onclick=alert("cell")>x</td>'))
display(Javascript('alert("javascript")'))
print('<script>alert("printed")</script>')
"""


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """Mark a class of odd submissions; return the course's folder and the results."""
    with pytest.MonkeyPatch.context() as patch:
        root = tmp_path_factory.mktemp("class") / "rnn"
        make_course(REPO, root)
        patch.chdir(root)
        release(ASSIGNMENT)
        hand_in_all(root)
        results = {result.student_id: result for result in grade(ASSIGNMENT, [])}
        for student in ("scripted", "damaged"):
            open_course().generate_feedback(ASSIGNMENT, student)
        yield root, results


def hand_in_all(root):
    """Hand in the class."""
    blank = nbformat.read(root / "release" / ASSIGNMENT / NOTEBOOK, as_version=4)
    solved = with_solutions(blank, plain(load_solution(ASSIGNMENT, root).sources))

    def folder(student):
        path = root / "submitted" / student / ASSIGNMENT
        path.mkdir(parents=True)
        return path

    nbformat.write(solved, folder("solved") / NOTEBOOK)
    nbformat.write(solved, folder("renamed") / "my work (1).ipynb")
    (folder("damaged") / NOTEBOOK).write_text("{not json")
    folder("empty")
    (folder("linked") / NOTEBOOK).symlink_to(root / "source" / ASSIGNMENT / NOTEBOOK)
    stopped = with_solutions(
        solved, {"rnn_cell_forward": "import os\nos._exit(0)\ndef rnn_cell_forward(): ..."}
    )
    nbformat.write(stopped, folder("stops_its_room") / NOTEBOOK)
    scripted = with_solutions(solved, {})
    scripted.cells.insert(3, new_markdown_cell("\n\n".join(SCRIPTS)))
    scripted.cells.append(new_code_cell(DISPLAYS))
    nbformat.write(scripted, folder("scripted") / NOTEBOOK)


@pytest.mark.parametrize(
    ("student", "score", "status", "note"),
    [
        ("solved", 100, "graded", ""),
        ("renamed", 100, "repaired", "my work (1).ipynb was read"),
        ("damaged", 0, "unreadable", "damaged, or not saved by Jupyter"),
        ("empty", 0, "missing", "there is no notebook"),
        ("linked", 0, "unreadable", "not followed: rnn_lstm_forward.ipynb"),
        ("stops_its_room", 75, "graded", "its cell stopped with RoomDied"),
        ("scripted", 100, "graded", ""),
    ],
)
def test_each_is_marked_and_named(course, student, score, status, note):
    root, results = course
    result = results[student]
    assert (result.score, result.status) == (score, status)
    assert note in result.note
    with (root / "reports" / ASSIGNMENT / "grades.csv").open(newline="") as file:
        row = next(row for row in csv.DictReader(file) if row["student_id"] == student)
    assert float(row["score"]) == score
    assert (row["status"], row["note"]) == (status, result.note)
    with Gradebook(f"sqlite:///{root}/gradebook.db") as book:
        assert book.find_submission(ASSIGNMENT, student).score == score


def test_report_says_which_isolation_was_in_force(course):
    root, _ = course
    said = (root / "reports" / ASSIGNMENT / "isolation.txt").read_text()
    assert "no network" in said or "no protection against a determined student" in said


def test_feedback_shows_results_and_no_hidden_test(course):
    root, _ = course
    page = (root / "feedback" / "damaged" / ASSIGNMENT / f"{ASSIGNMENT}.html").read_text()
    text = html.unescape(re.sub(r"<[^>]*>", "", page))
    assert secrets_of(ASSIGNMENT, root).find(text) == []
    assert "rnn_forward: not written yet." in text


def test_no_script_of_a_submission_is_shown(course):
    root, _ = course
    page = (root / "feedback" / "scripted" / ASSIGNMENT / f"{ASSIGNMENT}.html").read_text()
    assert "<b>bold</b>" in page
    for script in ("text", "html", "printed"):
        assert f"<script>alert('{script}')" not in page
        assert f'<script>alert("{script}")' not in page
    for attack in ("<img src=x", 'href="javascript', "<iframe src=x", "<td onclick"):
        assert attack not in page


def test_a_second_hand_in_that_cannot_be_read_has_no_marks_left(course, monkeypatch):
    root, _ = course
    monkeypatch.chdir(root)
    shutil.copytree(root / "submitted" / "solved", root / "submitted" / "twice")
    assert next(iter(grade(ASSIGNMENT, ["twice"]))).score == 100
    (root / "submitted" / "twice" / ASSIGNMENT / NOTEBOOK).write_text("")
    results = list(grade(ASSIGNMENT, ["twice"]))
    assert [(r.score, r.status) for r in results] == [(0, "unreadable")]
    with Gradebook(f"sqlite:///{root}/gradebook.db") as book:
        assert book.find_submission(ASSIGNMENT, "twice").score == 0
    with (root / "reports" / ASSIGNMENT / "grades.csv").open(newline="") as file:
        rows = {row["student_id"]: row["score"] for row in csv.DictReader(file)}
    assert (rows["twice"], rows["solved"]) == ("0.0", "100.0")


def test_without_a_sandbox_no_mark_is_touched(course, monkeypatch):
    root, _ = course
    before = (root / "reports" / ASSIGNMENT / "grades.csv").read_text()
    environment = {**os.environ, "PATH": "/nowhere"}
    command = [sys.executable, "-m", "grading", "grade", ASSIGNMENT]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert re.fullmatch(r"Rooms need .*--unprotected.*\n", done.stderr)
    assert (root / "reports" / ASSIGNMENT / "grades.csv").read_text() == before
