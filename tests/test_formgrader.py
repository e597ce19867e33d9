"""Formgrader in Chromium, one server from the first click to the last."""

import nbformat
import pytest
from browser import open_page
from formgrader import instructors_environment, jupyter_server, press
from nbgrader.api import Gradebook

from grading.demo import make_course, plain
from grading.source import course_root, read_source
from grading.source.cells import with_answers

ROOT = course_root()
NAME = "rnn_lstm_forward"
WRONG = ("    ### BEGIN SOLUTION\n", "    ### BEGIN SOLUTION\n    xt = 2 * xt\n")


@pytest.fixture
def course(tmp_path):
    root = tmp_path / "rnn"
    make_course(ROOT, root)
    return root


def points(course) -> dict[str, float]:
    with Gradebook(f"sqlite:///{course}/gradebook.db", "rnn") as book:
        held = book.find_submission_notebook(NAME, NAME, "solution")
        return {grade.name.removeprefix("test_"): grade.score for grade in held.grades}


def test_a_corrected_solution_judges_the_next_marking(course, tmp_path):
    path = course / "source" / NAME / f"{NAME}.ipynb"
    right = read_source(NAME, course)
    notebook = nbformat.read(path, as_version=4)
    text = right.answers["rnn_cell_forward"].replace(*WRONG)
    assert text != right.answers["rnn_cell_forward"]
    nbformat.write(with_answers(notebook, {"rnn_cell_forward": text}), path)

    with (
        jupyter_server(course, instructors_environment(tmp_path)) as address,
        open_page("about:blank") as view,
    ):
        said = press(view, address, "manage_assignments", NAME, "assign")
        assert "Successfully created the student version" in said

        released = nbformat.read(course / "release" / NAME / f"{NAME}.ipynb", as_version=4)
        folder = course / "submitted" / "solution" / NAME
        folder.mkdir(parents=True)
        handed_in = with_answers(released, plain(right.answers))
        nbformat.write(handed_in, folder / f"{NAME}.ipynb")

        said = press(view, address, f"manage_submissions/{NAME}", "solution", "autograde")
        assert "Successfully autograded" in said
        assert points(course)["rnn_cell_forward"] < 25 == points(course)["lstm_forward"]

        nbformat.write(notebook, path)
        said = press(view, address, "manage_assignments", NAME, "assign")
        assert "Successfully created the student version" in said
        said = press(view, address, f"manage_submissions/{NAME}", "solution", "autograde")
        assert "Successfully autograded" in said
        assert points(course) == dict.fromkeys(right.answers, 25.0)
