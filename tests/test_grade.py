"""A class with odd submissions: every one is marked or named, and none runs scripts."""

import csv
import os
import re
import shutil
import subprocess
import sys

import nbformat
import pytest
from conftest import ASSIGNMENT, grade
from nbgrader.api import Gradebook

from grading.demo import plain
from grading.source import read_source
from grading.source.cells import with_answers

NOTEBOOK = f"{ASSIGNMENT}.ipynb"


@pytest.fixture(scope="module")
def course(released, tmp_path_factory):
    """Mark a class of odd submissions; return the course's folder and the results."""
    with pytest.MonkeyPatch.context() as patch:
        root = tmp_path_factory.mktemp("class") / "rnn"
        shutil.copytree(released, root)
        patch.chdir(root)
        hand_in_all(root)
        results = {result.student_id: result for result in grade([])}
        yield root, results


def hand_in_all(root):
    """Hand in the class."""
    blank = nbformat.read(root / "release" / ASSIGNMENT / NOTEBOOK, as_version=4)
    solved = with_answers(blank, plain(read_source(ASSIGNMENT, root).answers))

    def folder(student):
        path = root / "submitted" / student / ASSIGNMENT
        path.mkdir(parents=True)
        return path

    nbformat.write(solved, folder("solved") / NOTEBOOK)
    nbformat.write(solved, folder("renamed") / "my work (1).ipynb")
    (folder("damaged") / NOTEBOOK).write_text("{not json")
    folder("empty")
    (folder("linked") / NOTEBOOK).symlink_to(root / "source" / ASSIGNMENT / NOTEBOOK)
    stopped = with_answers(
        solved, {"rnn_cell_forward": "import os\nos._exit(0)\ndef rnn_cell_forward(): ..."}
    )
    nbformat.write(stopped, folder("stops_its_room") / NOTEBOOK)


@pytest.mark.parametrize(
    ("student", "score", "status", "note"),
    [
        ("solved", 100, "graded", ""),
        ("renamed", 100, "repaired", "my work (1).ipynb was read"),
        ("damaged", 0, "unreadable", "damaged, or not saved by Jupyter"),
        ("empty", 0, "missing", "there is no notebook"),
        ("linked", 0, "unreadable", "not followed: rnn_lstm_forward.ipynb"),
        ("stops_its_room", 75, "graded", "its cell stopped with RoomDied"),
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


def test_each_certificate_says_which_isolation_was_in_force(course):
    for certificate in course[1].values():
        said = certificate.isolation
        assert "no network" in said or "no protection against a determined student" in said


def test_a_second_hand_in_that_cannot_be_read_has_no_marks_left(course, monkeypatch):
    root, _ = course
    monkeypatch.chdir(root)
    shutil.copytree(root / "submitted" / "solved", root / "submitted" / "twice")
    assert grade(["twice"])[0].score == 100
    (root / "submitted" / "twice" / ASSIGNMENT / NOTEBOOK).write_text("")
    results = grade(["twice"])
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
