"""Small assignments, written as an instructor writes them."""

import shutil
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

REPO = Path(__file__).parents[1]
CONFIG = """
import os
from grading import nbgrader_plugins

c = get_config()
nbgrader_plugins.install(c)
c.CourseDirectory.course_id = "small"
c.CourseDirectory.root = os.path.dirname(os.path.abspath(__file__))
"""
SETUP = "import numpy as np\n\nfrom rnn_checks import FunctionTest"
SOLUTION = """
def {name}(x):
    ### BEGIN SOLUTION
    return {right}
    ### END SOLUTION
"""
CHECK = """
test = FunctionTest({name}, returns="y")
test.call(x=np.ones((2, 3)))
test.assert_types(y=np.ndarray)
test.report()
"""
TEST = """
### BEGIN HIDDEN TESTS
from grading.testing import MarkedTest, hidden_rng

points = {{"types": 1, "shapes": 1, "y": {points}, "arguments": 1, "second call": 1}}
test = MarkedTest({name}, returns="y", points=points)
test.call(x=hidden_rng(3).standard_normal((3, 4)))
test.assert_all()
test.score()
### END HIDDEN TESTS
"""
SCHEME = """
### BEGIN MARK SCHEME
Two points for the idea.
### END MARK SCHEME
"""


def settings(name: str, points: float | None = None, **flags: bool) -> dict:
    """Return the metadata of a cell that nbgrader knows; it is locked, if nothing is said."""
    kinds = {"grade": points is not None, "locked": True, "solution": False, "task": False}
    own = {**kinds, **flags, "grade_id": name, "schema_version": 3}
    return {"nbgrader": own | ({} if points is None else {"points": points})}


def code(name: str, text: str, **more) -> NotebookNode:
    """Return a cell of code."""
    return new_code_cell(text.strip(), id=name, metadata=settings(name, **more))


def text(name: str, said: str, **more) -> NotebookNode:
    """Return a cell of text."""
    return new_markdown_cell(said.strip(), id=name, metadata=settings(name, **more))


def function(name: str, right: str, points: float) -> list[NotebookNode]:
    """Return the cells of a function of one array: solution, check and test."""
    return [
        code(name, SOLUTION.format(name=name, right=right), solution=True, locked=False),
        code(f"check_{name}", CHECK.format(name=name)),
        code(f"test_{name}", TEST.format(name=name, points=points - 4), points=points),
    ]


def manual() -> list[NotebookNode]:
    """Return the cells that a person marks: text, code and a task."""
    answer = {"solution": True, "locked": False}
    return [
        text("why", "Because $x^2$ grows.", points=4, **answer),
        code("plot", "print('drawn')", points=3, **answer),
        text("improve", f"Make it faster.\n{SCHEME}", points=5, grade=False, task=True),
    ]


def notebook(title: str, *parts: list[NotebookNode]) -> NotebookNode:
    """Return a notebook of these parts, with a set-up."""
    start = [new_markdown_cell(f"# {title}", id="title"), code("setup", SETUP)]
    made = new_notebook(cells=[*start, *(cell for part in parts for cell in part)])
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    made.metadata.kernelspec = kernel
    return made


def write(root: Path, assignment: str, **notebooks: NotebookNode) -> None:
    """Write an assignment of these notebooks into a course, which is made if there is none."""
    folder = root / "source" / assignment
    folder.mkdir(parents=True, exist_ok=True)
    (root / "nbgrader_config.py").write_text(CONFIG)
    shutil.copy(REPO / "rnn_checks.py", folder)
    for name, each in notebooks.items():
        nbformat.write(each, folder / f"{name}.ipynb")


def hand_in(
    root: Path, assignment: str, student: str, answers: dict[str, str], **names: str | None
) -> None:
    """Hand in what was released, with these answers; a notebook may get another name, or None."""
    for path in (root / "release" / assignment).glob("*.ipynb"):
        name = names.get(path.stem, path.stem)
        if name is None:
            continue
        handed = nbformat.read(path, as_version=4)
        for cell in handed.cells:
            own = cell.metadata.get("nbgrader", {}).get("grade_id")
            cell.source = answers.get(own, cell.source)
        folder = root / "submitted" / student / assignment
        folder.mkdir(parents=True, exist_ok=True)
        nbformat.write(handed, folder / f"{name}.ipynb")
