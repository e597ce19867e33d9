"""Formgrader in Chromium, one server from the first click to the last."""

from browser import open_page
from formgrader import instructors_environment, jupyter_server, press
from nbgrader.api import Gradebook
from scratch import NAME, RIGHT, configure, hand_in, question, write_source


def points(course) -> list[float]:
    with Gradebook(f"sqlite:///{course}/gradebook.db", "rnn") as book:
        held = book.find_submission_notebook(NAME, NAME, "solution")
        return [grade.score for grade in held.grades]


def write(course, factor: int) -> None:
    """Write the source notebook, whose solution multiplies by a factor."""
    cells = question()
    (solution,) = (each for each in cells if each.id == "double")
    solution.source = solution.source.replace("2 * x", f"{factor} * x")
    write_source(course / "source" / NAME, cells)


def test_a_corrected_solution_judges_the_next_marking(tmp_path):
    course = tmp_path / "rnn"
    write(course, 3)
    configure(course, "")
    with (
        jupyter_server(course, instructors_environment(tmp_path)) as address,
        open_page("about:blank") as view,
    ):
        for factor, earned in [(3, 0.0), (2, 10.0)]:
            write(course, factor)
            said = press(view, address, "manage_assignments", NAME, "assign")
            assert "Successfully created the student version" in said
            if factor == 3:
                hand_in(course / "release" / NAME, course / "submitted" / "solution" / NAME, RIGHT)
            said = press(view, address, f"manage_submissions/{NAME}", "solution", "autograde")
            assert "Successfully autograded" in said
            assert points(course) == [earned]
