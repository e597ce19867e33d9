"""Damaged files of ours: each costs its own student a new marking, nobody anything else."""

import json
import os
import shutil

import pytest
from conftest import ASSIGNMENT, grade, make_handed_in
from nbgrader.api import Gradebook

from grading.run.certificate import BEFORE, FOLDER, file_name

NOTEBOOK = f"{ASSIGNMENT}.ipynb"


@pytest.fixture(scope="module")
def marked(released, tmp_path_factory):
    """Mark three students."""
    root = tmp_path_factory.mktemp("damaged") / "rnn"
    make_handed_in(released, root, ("anna", "bert", "cleo"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        grade([])
    return root


@pytest.fixture
def course(marked, tmp_path, monkeypatch):
    """Copy that course."""
    root = tmp_path / "rnn"
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
    again = {each.student_id: each.score for each in grade([])}
    assert again == dict.fromkeys(students, 100)
    assert grade([]) == []
    lines = (course / "reports" / ASSIGNMENT / "grades.csv").read_text().splitlines()
    assert [line.split(",")[:2] for line in lines[1:]] == [
        [student, "100.0"] for student in ("anna", "bert", "cleo")
    ]


def test_damaged_certificates_and_marked_notebooks(course):
    """Each belongs to a student of its own, who is marked again; nobody else is."""
    notebooks = {f"notebook, {name}": damage for name, damage in DAMAGES.items()}
    students = [*CERTIFICATE, *notebooks]
    for student in students:
        shutil.copytree(course / "submitted" / "bert", course / "submitted" / student)
    assert len(grade([])) == len(students)
    for student, damage in CERTIFICATE.items():
        damage(course / "reports" / ASSIGNMENT / FOLDER / file_name(student))
    for student, damage in notebooks.items():
        path = course / "autograded" / student / ASSIGNMENT / NOTEBOOK
        path.chmod(0o644)
        damage(path)
    assert {each.student_id: each.score for each in grade([])} == dict.fromkeys(students, 100)
    assert grade([]) == []
    table = (course / "reports" / ASSIGNMENT / "grades.csv").read_text()
    assert table.count(",100.0,100.0,") == 3 + len(students)


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
    assert_marked_again(course, "anna", "bert", "cleo")


def test_a_page_that_cannot_be_written(course):
    page = course / "feedback" / "bert" / ASSIGNMENT
    shutil.rmtree(page)
    page.write_text("no folder")
    found = {each.student_id: each for each in grade([], force=True)}
    assert (found["anna"].score, found["cleo"].score) == (100, 100)
    assert found["bert"].status == "not graded"
    page.unlink()
    assert_marked_again(course, "bert")


def test_a_mark_that_the_grade_book_no_longer_holds_is_made_again(course):
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        grade_of = book.find_grade("test_rnn_forward", ASSIGNMENT, ASSIGNMENT, "bert")
        grade_of.auto_score = 3.0
        book.db.commit()
    assert_marked_again(course, "bert")
