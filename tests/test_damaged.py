"""Damaged files of ours: each costs its own student a new marking, nobody anything else."""

import contextlib
import json
import os
import shutil

import pytest
from assignments import function, hand_in, notebook, write
from conftest import grade
from nbgrader.api import Grade, Gradebook

from grading.authoring.release import make_release
from grading.book import Book
from grading.run.certificate import BEFORE, FOLDER, file_name

ASSIGNMENT, POINTS = "small", 25.0
NOTEBOOK = f"{ASSIGNMENT}.ipynb"
STUDENTS = ("anna", "bert", "cleo")


@pytest.fixture(scope="module")
def marked(tmp_path_factory):
    """Mark three students."""
    root = tmp_path_factory.mktemp("damaged") / "small"
    write(root, ASSIGNMENT, small=notebook("Doubles", function("double", "2 * x", POINTS)))
    with contextlib.chdir(root):
        make_release(ASSIGNMENT)
        for student in STUDENTS:
            hand_in(root, ASSIGNMENT, student, {"double": "def double(x):\n    return 2 * x"})
        mark()
    return root


def mark(**more):
    """Mark in the course here."""
    return grade([], assignment=ASSIGNMENT, **more)


@pytest.fixture
def course(marked, tmp_path, monkeypatch):
    """Copy that course."""
    root = tmp_path / "small"
    shutil.copytree(marked, root)
    monkeypatch.chdir(root)
    return root


def changed(**fields):
    """Return what changes fields of a certificate."""

    def change(path):
        path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | fields), "utf-8")

    return change


def in_cell(**fields):
    """Return what changes fields of the first cell's mark."""

    def change(path):
        data = json.loads(path.read_text("utf-8"))
        data["cells"][0] |= fields
        path.write_text(json.dumps(data), "utf-8")

    return change


def a_folder(path):
    path.unlink(missing_ok=True)
    (path / "x").mkdir(parents=True)


def a_pipe(path):
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def a_link_to_itself(path):
    path.unlink(missing_ok=True)
    path.symlink_to(path)


DAMAGES = {
    "gone": lambda path: path.unlink(),
    "empty": lambda path: path.write_text(""),
    "cut": lambda path: os.truncate(path, path.stat().st_size // 2),
    "no JSON": lambda path: path.write_bytes(b"\xff\x00{"),
    "a folder": a_folder,
    "a pipe": a_pipe,
    "a link to itself": a_link_to_itself,
}
CERTIFICATE = {
    **DAMAGES,
    "deep": lambda path: path.write_text("[" * 10**6),
    "a list": lambda path: path.write_text("[]"),
    "other keys": lambda path: path.write_text("{}"),
    "notes": changed(notes=5),
    "score": changed(score="much"),
    "infinite": changed(max_score=float("inf")),
    "cells": changed(cells=[[]]),
    "source": changed(source=[]),
    "status": changed(status=None),
    "another's": changed(student_id="anna"),
    "points": in_cell(points="all"),
    "result": in_cell(result=[1]),
    "cell": in_cell(cell=["x"]),
}


def assert_marked_again(course, *students):
    again = {each.student_id: each.score for each in mark()}
    assert again == dict.fromkeys(students, POINTS)
    assert mark() == []
    lines = (course / "reports" / ASSIGNMENT / "grades.csv").read_text().splitlines()
    assert [line.split(",")[:2] for line in lines[1:]] == [
        [student, "25.0"] for student in STUDENTS
    ]


def test_damaged_certificates_and_marked_notebooks(course):
    """Each belongs to a student of its own, who is marked again; nobody else is."""
    notebooks = {f"notebook, {name}": damage for name, damage in DAMAGES.items()}
    students = [*CERTIFICATE, *notebooks]
    for student in students:
        shutil.copytree(course / "submitted" / "bert", course / "submitted" / student)
    assert len(mark()) == len(students)
    for student, damage in CERTIFICATE.items():
        damage(course / "reports" / ASSIGNMENT / FOLDER / file_name(student))
    for student, damage in notebooks.items():
        path = course / "autograded" / student / ASSIGNMENT / NOTEBOOK
        path.chmod(0o644)
        damage(path)
    assert {each.student_id: each.score for each in mark()} == dict.fromkeys(students, POINTS)
    assert mark() == []
    table = (course / "reports" / ASSIGNMENT / "grades.csv").read_text()
    assert table.count(",25.0,25.0,") == 3 + len(students)


@pytest.mark.parametrize(
    "names",
    [
        (".unfinished", "grades.csv", f"{FOLDER}/bert.json"),
        (BEFORE, f"{FOLDER}/.bert.json.part"),  # it is looked at where no run is unfinished
    ],
)
def test_folders_in_the_place_of_files_of_ours(course, names):
    (course / "reports" / ASSIGNMENT / FOLDER / "bert.json").unlink()
    for name in names:
        a_folder(course / "reports" / ASSIGNMENT / name)
    assert_marked_again(course, "bert")


def test_a_file_in_the_place_of_the_certificates(course):
    folder = course / "reports" / ASSIGNMENT / FOLDER
    shutil.rmtree(folder)
    folder.write_text("")
    assert_marked_again(course, *STUDENTS)


def test_a_page_that_cannot_be_written(course):
    page = course / "feedback" / "bert" / ASSIGNMENT
    shutil.rmtree(page)
    page.write_text("no folder")
    found = {each.student_id: each for each in mark(force=True)}
    assert (found["anna"].score, found["cleo"].score) == (POINTS, POINTS)
    assert found["bert"].status == "not graded"
    page.unlink()
    assert_marked_again(course, "bert")


def test_a_mark_that_the_grade_book_no_longer_holds_is_made_again(course):
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        grade_of = book.find_grade("test_double", ASSIGNMENT, ASSIGNMENT, "bert")
        grade_of.auto_score = 3.0
        book.db.commit()
    assert_marked_again(course, "bert")


def test_a_submission_that_is_removed_from_the_grade_book_beside_a_run_is_marked_again(
    course, monkeypatch
):
    """`nbgrader db assignment remove --force` takes away one thing after the other."""
    enter_points = Book._enter_points

    def beside(book, *more):
        enter_points(book, *more)
        book.query(Grade).delete()

    with monkeypatch.context() as patch:
        patch.setattr(Book, "_enter_points", beside)
        marked = {each.student_id: each for each in mark(force=True)}
    assert [each.status for each in marked.values()] == ["not graded"] * len(STUDENTS)
    assert "the grade book has no place for it" in marked["bert"].notes[0]
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        book.remove_assignment(ASSIGNMENT)
    assert_marked_again(course, *STUDENTS)


def test_a_certificate_of_nothing_is_none_of_a_submission_that_is_not_there(course):
    changed(cells=[])(course / "reports" / ASSIGNMENT / FOLDER / file_name("bert"))
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        book.remove_submission(ASSIGNMENT, "bert")
    assert_marked_again(course, "bert")
