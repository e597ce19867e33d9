"""A class that hands in Chinese notebooks, and a course that is in Chinese."""

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from conftest import REPO, grade

from grading.authoring.release import make_release
from grading.demo import make_course
from grading.source import read_source
from grading.source.cells import with_answers

ASSIGNMENT = "rnn_lstm_forward"
NOTEBOOK = f"{ASSIGNMENT}.ipynb"
FOLDERS = {"en": "release", "zh": "release-zh"}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """Return a scratch course with its student versions; tests run in it."""
    folder = tmp_path_factory.mktemp("editions") / "rnn"
    make_course(REPO, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert make_release(ASSIGNMENT) == []
        yield folder


@pytest.fixture(scope="module")
def marked(course):
    """Return the certificates of pairs that hand in the same, in English and in Chinese."""
    right = read_source(ASSIGNMENT, course).answers
    wrong = right | {
        "rnn_cell_forward": right["rnn_cell_forward"].replace("np.tanh(", "np.sin("),
        "lstm_forward": "def lstm_forward(x, a0, parameters):\n    return x @ a0",
    }
    versions = {"right": right, "wrong": wrong, "untouched": {}}
    for language, folder in FOLDERS.items():
        for name, answers in versions.items():
            place = course / "submitted" / f"{name}_{language}" / ASSIGNMENT
            shutil.copytree(course / folder / ASSIGNMENT, place)  # the whole folder, as students do
            notebook = nbformat.read(place / NOTEBOOK, as_version=4)
            nbformat.write(with_answers(notebook, answers), place / NOTEBOOK)
    students = [f"{name}_{language}" for name in versions for language in FOLDERS]
    return {each.student_id: each for each in grade(students)}


def findings(certificate):
    """Return what each check found, test by test."""
    checks = [mark.result.checks for mark in certificate.cells]
    return [[(each.kind, each.wrong and each.wrong.message) for each in some] for some in checks]


@pytest.mark.parametrize("name", ["right", "wrong", "untouched"])
def test_either_language_earns_the_same(marked, name):
    english, chinese = marked[f"{name}_en"], marked[f"{name}_zh"]
    assert (english.language, chinese.language) == ("en", "zh")
    assert chinese.status == "graded" and chinese.notes == english.notes == []
    assert [m.points for m in chinese.cells] == [m.points for m in english.cells]
    assert findings(chinese) == findings(english)
    assert (chinese.score == 100) == (name == "right")


def test_what_is_shown_is_what_the_student_had(marked, course):
    path = course / "autograded" / "untouched_zh" / ASSIGNMENT / NOTEBOOK
    cells = nbformat.read(path, as_version=4).cells
    assert cells[0].source.startswith("# 循环神经网络")
    assert marked["untouched_zh"].score == 0


def test_a_course_in_chinese_publishes_with_stock_commands(course, tmp_path):
    folder = tmp_path / "rnn"
    make_course(REPO, folder)
    config = folder / "nbgrader_config.py"
    text = config.read_text("utf-8")
    config.write_text(text.replace("install(c)", 'install(c, language="zh")'), "utf-8")
    command = [Path(sys.executable).parent / "nbgrader", "generate_assignment", ASSIGNMENT]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert not (folder / "release").exists()
    made, wanted = (each / "release-zh" / ASSIGNMENT for each in (folder, course))
    assert {p.relative_to(made): p.read_bytes() for p in made.rglob("*") if p.is_file()} == {
        p.relative_to(wanted): p.read_bytes() for p in wanted.rglob("*") if p.is_file()
    }


def test_a_stale_translation_is_named_and_what_was_released_stays(course):
    source = course / "source" / ASSIGNMENT / NOTEBOOK
    notebook = nbformat.read(source, as_version=4)
    before = (course / "release-zh" / ASSIGNMENT / NOTEBOOK).read_bytes()
    notebook.cells[0].source += " And more."
    nbformat.write(notebook, source)
    (stale,) = make_release(ASSIGNMENT)
    assert f"zh/{ASSIGNMENT}.md: cell title is stale" in stale
    assert (course / "release-zh" / ASSIGNMENT / NOTEBOOK).read_bytes() == before
    assert "And more." in (course / "release" / ASSIGNMENT / NOTEBOOK).read_text("utf-8")
