"""A scratch course with one small question, and nbgrader's commands run in it."""

import contextlib
import io
import os
import shutil
import sys
from pathlib import Path

import nbformat
from jupyter_core.application import NoStart
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.apps.nbgraderapp import NbGraderApp

REPO = Path(__file__).parents[1]
NAME = "ps1"
CONFIG = "nbgrader_config.py"
SOLUTION = """\
def double(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION"""
CHECK = """\
test = FunctionTest(double, "twice")
test.call(x=3.0)
test.assert_allclose("twice", 6.0)
test.report()"""
TEST = """\
# 10 points
### BEGIN HIDDEN TESTS
from grading.testing import MarkedTest

test = MarkedTest(double, "twice", points={
    "types": 2, "twice": 6, "arguments": 1, "second call": 1})
test.call(x=5.0)
test.assert_all()
test.score()
### END HIDDEN TESTS"""
SHOWN: set[str] = set()  # the options of nbgrader whose effect a test shows
RIGHT, WRONG = "def double(x):\n    return x + x", "def double(x):\n    return x"


def shows(*options: str):
    """Mark a test as one that shows the effect of options."""
    SHOWN.update(options)
    return lambda test: test


def cell(name: str, text: str, **settings) -> NotebookNode:
    """Return a cell of a source notebook."""
    about = {"grade_id": name, "grade": False, "solution": False, "locked": False, "task": False}
    metadata = {"nbgrader": {**about, "schema_version": 3, **settings}}
    make = new_markdown_cell if settings.get("task") else new_code_cell
    return make(text, id=name, metadata=metadata)


def question() -> list[NotebookNode]:
    """Return the cells of the question: double a number, for 10 points."""
    return [
        cell("setup", "from rnn_checks import FunctionTest", locked=True),
        cell("double", SOLUTION, solution=True),
        cell("check_double", CHECK, locked=True),
        cell("test_double", TEST, grade=True, locked=True, points=10),
    ]


def write_source(folder: Path, cells: list[NotebookNode]) -> None:
    """Write an assignment into a folder of source/."""
    folder.mkdir(parents=True, exist_ok=True)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, folder / f"{folder.name}.ipynb")
    shutil.copy(REPO / "grading" / "checks.py", folder / "rnn_checks.py")


def configure(root: Path, lines: str) -> None:
    """Let a course's configuration be that of this repository, and some lines more."""
    (root / CONFIG).write_text((REPO / CONFIG).read_text("utf-8") + "\n" + lines, "utf-8")


def hand_in(released: Path, folder: Path, answer: str | None) -> None:
    """Hand in a released notebook with this function; as it was released, if there is none."""
    notebook = nbformat.read(released / f"{released.name}.ipynb", as_version=4)
    if answer is not None:
        next(each for each in notebook.cells if each.id == "double").source = answer
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / f"{released.name}.ipynb")


def nbgrader(folder: Path, *arguments: str) -> str:
    """Run a command of nbgrader in a folder; return what it says, its status last if not 0."""
    said, here = io.StringIO(), os.getcwd()
    path = sys.path[:]
    os.chdir(folder)
    app = NbGraderApp.instance()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        try:
            app.initialize(list(arguments))
            app.start()
        except NoStart:  # its subcommand has run
            pass
        except SystemExit as end:
            said.write(f"exit {end.code}\n" if end.code else "")
        finally:
            app.reset()
            os.chdir(here)
            sys.path[:] = path
    return said.getvalue()
