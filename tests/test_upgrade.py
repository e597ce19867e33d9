"""
A course of version 0.1 goes on with this one: nothing is lost.

tests/data/course_0_1.tar.xz holds what version 0.1 left of a course: grade book, submissions
(each named for what it is), what was marked, certificates, the source of that time and its
configuration. `by_hand` has points and a comment from a person, `waa_transposed` came late.
"""

import csv
import json
import re
import shutil
import tarfile
from pathlib import Path

import pytest
from conftest import shorten_table
from nbgrader.api import Gradebook
from typer.testing import CliRunner

from grading.cli import app
from grading.demo import make_course

REPO = Path(__file__).parents[1]
NAME = "rnn_lstm_forward"


@pytest.fixture
def old(tmp_path) -> Path:
    """What version 0.1 left behind."""
    with tarfile.open(REPO / "tests/data/course_0_1.tar.xz") as archive:
        archive.extractall(tmp_path / "old", filter="data")
    return tmp_path / "old"


@pytest.fixture
def course(old, tmp_path, monkeypatch) -> Path:
    """The course of today, with the grade book and the folders of then."""
    root = tmp_path / "course"
    make_course(REPO, root)
    shorten_table(root / "source" / NAME, "tanh_left_out", "waa_transposed")
    for name in ("submitted", "autograded", "reports"):
        shutil.copytree(old / name, root / name)
    shutil.copy(old / "gradebook.db", root)
    monkeypatch.chdir(root)
    return root


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(arguments))
    return done.exit_code, f"{done.output} {done.exception or ''}"


def by_hand(course: Path) -> tuple[float, str]:
    """Return the points and the comment that a person gave."""
    with Gradebook(f"sqlite:///{course}/gradebook.db", "rnn") as book:
        held = book.find_submission_notebook(NAME, NAME, "by_hand")
        points = next(g.score for g in held.grades if g.name == "test_rnn_cell_forward")
        return points, next(c.manual_comment for c in held.comments if c.manual_comment)


def rows(course: Path) -> dict[str, dict[str, str]]:
    with (course / "reports" / NAME / "grades.csv").open(encoding="utf-8") as file:
        return {row["student_id"]: row for row in csv.DictReader(file)}


def test_nothing_is_lost(course):
    before, given = rows(course), by_hand(course)
    code, said = run("grade", NAME)
    assert code == 1
    assert f"publish it again: rnn-grading release {NAME}" in said

    assert run("release", NAME)[0] == 0
    code, said = run("grade", NAME)
    assert code == 0, said
    assert "5 marked" in said  # certificates of then are not enough
    assert by_hand(course) == given == (21.5, given[1])

    reports = course / "reports" / NAME
    code, said = run("diff", str(reports / "certificates.before"), str(reports / "certificates"))
    assert code == 0, said
    assert "changed for 0 of 5 students; nothing has changed for 5" in said
    after = rows(course)
    points = ["score", "max_score", *[name for name in before["solution"] if "_forward" in name]]
    for student, row in before.items():
        assert {n: float(row[n]) for n in points} == {n: float(after[student][n]) for n in points}
    new = json.loads((reports / "certificates" / "by_hand.json").read_text("utf-8"))
    assert new["schema"] == 2
    assert "5 are marked already" in run("grade", NAME)[1]


def test_old_imports_are_named_with_what_to_write(course, old):
    shutil.copy(old / "source" / NAME / f"{NAME}.ipynb", course / "source" / NAME)
    (course / "source" / NAME / "mistakes.yaml").unlink()  # today's are edits of today's solution
    code, said = run("release", NAME)
    assert code == 1
    assert f"{NAME}, setup" in said and "rnn_checks.example is no more since version 0.2" in said
    assert "write instead: from rnn_utils import example" in said

    path = course / "source" / NAME / f"{NAME}.ipynb"
    text = path.read_text("utf-8").replace("FunctionTest, example,", "FunctionTest,")
    path.write_text(text.replace("import sigmoid, softmax", "import example, sigmoid, softmax"))
    code, said = run("release", NAME)
    assert code == 1
    assert f"{NAME}, check_rnn_cell_forward" in said  # it says how many kinds there are

    path.write_text(re.sub(r", kinds=\d", "", path.read_text("utf-8")))
    code, said = run("release", NAME)
    assert code == 1
    assert f"{NAME}, test_rnn_cell_forward" in said and "grading.inputs is no more" in said
    assert "write instead: from rnn_marking.inputs import ..." in said


def test_an_old_configuration_is_named(course, old):
    shutil.copy(old / "nbgrader_config.py", course)
    code, said = run("grade", NAME)
    assert code == 1
    assert "nbgrader_config.py, line 8: grading.autograde is no more" in said
    assert "nbgrader_plugins.install(c)" in said
