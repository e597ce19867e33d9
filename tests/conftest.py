"""A scratch course in which every stock command of nbgrader was run once."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from grading.demo import make_course, plain
from grading.mistakes import read_versions
from grading.prove import with_solutions
from grading.solution import load_solution

REPO = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
ASSIGNMENT = "rnn_lstm_forward"
MISTAKE = "softmax_over_examples"
# What NumPy says of a number too large, shown however often it was said before.
OVERFLOW = (
    "    import warnings\n"
    "    warnings.simplefilter('always')\n"
    "    np.exp(np.full(1, 1000.0))\n"
    "    return "
)


@dataclass
class Course:
    """
    A scratch course, and what the commands run in it gave.

    Attributes
    ----------
    root, home : Path
        Its folder, and one for what Jupyter and IPython keep.
    runs : dict
        The finished process of each command, by its first words.
    books : dict
        What the grade book held after a command: points by student and function.
    """

    root: Path
    home: Path
    runs: dict[str, subprocess.CompletedProcess] = field(default_factory=dict)
    books: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        """The environment of an instructor who did not activate the virtual one."""
        own = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
        kinds = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
        return {**own, "PATH": os.defpath, **{kind: str(self.home / kind) for kind in kinds}}

    def run(self, name: str, *arguments: str) -> None:
        """Run `nbgrader <name>`, or `python -m grading <name>` where it is "grading <name>"."""
        program, _, command = name.rpartition(" ")
        start = [sys.executable, "-m", program] if program else [str(BIN / "nbgrader")]
        self.runs[name] = subprocess.run(
            [*start, command, *arguments],
            cwd=self.root,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        self.books[name] = self.points()

    def points(self) -> dict[str, dict[str, float]]:
        """Read every submission's points off the grade book, by student and function."""
        with Gradebook(f"sqlite:///{self.root}/gradebook.db") as book:
            return {
                submission.student.id: {
                    grade.cell.name.removeprefix("test_"): grade.score
                    for grade in submission.notebooks[0].grades
                }
                for submission in book.assignment_submissions(ASSIGNMENT)
            }

    def hand_in(self, student: str, sources: dict[str, str]) -> Path:
        """Hand in the student version with these solution cells."""
        name = f"{ASSIGNMENT}.ipynb"
        release = nbformat.read(self.root / "release" / ASSIGNMENT / name, as_version=4)
        path = self.root / "submitted" / student / ASSIGNMENT / name
        path.parent.mkdir(parents=True)
        nbformat.write(with_solutions(release, plain(sources)), path)
        return path


@pytest.fixture(scope="session")
def new_course(tmp_path_factory) -> Callable[[], Course]:
    """Return a function that makes a course of its own, with nothing run in it."""

    def make() -> Course:
        course = Course(tmp_path_factory.mktemp("course") / "rnn", tmp_path_factory.mktemp("home"))
        make_course(REPO, course.root)
        return course

    return make


@pytest.fixture(scope="session")
def course(new_course) -> Course:
    """Release, collect, mark and export: each stock command once, then our own `grade`."""
    course = new_course()
    course.run("generate_assignment", ASSIGNMENT)
    solution = load_solution(ASSIGNMENT, REPO).sources
    versions = read_versions(ASSIGNMENT, REPO)
    mistake = next(version for version in versions if version.name == MISTAKE)
    course.hand_in("right", solution)
    course.hand_in("untouched", {})
    course.hand_in("mistaken", {**solution, mistake.function: mistake.source})
    course.hand_in(
        "warned",
        {name: source.replace("    return ", OVERFLOW) for name, source in solution.items()},
    )
    course.run("autograde", ASSIGNMENT)
    course.run("generate_feedback", ASSIGNMENT)
    course.run("export", "--to=marks.csv")
    course.run("grading grade", ASSIGNMENT)
    return course
