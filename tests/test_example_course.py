"""nbgrader's own example course, marked by nbgrader as it comes and by this kit: the same marks."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbgrader
import pytest
import together
from assignments import CONFIG
from nbgrader.api import Gradebook

from grading.cli import app

EXAMPLE = Path(nbgrader.__file__).parent / "docs" / "source" / "user_guide"
STOCK = CONFIG.replace("nbgrader_plugins.install(c)\n", "")
NAME = "ps1"


def make(root: Path, config: str) -> Path:
    """Make a course of what `nbgrader quickstart` installs, with the example's submissions."""
    shutil.copytree(EXAMPLE / "source" / NAME, root / "source" / NAME)
    shutil.copytree(EXAMPLE / "submitted", root / "submitted")
    (root / "nbgrader_config.py").write_text(config)
    return root


def read_grades(root: Path) -> dict[tuple[str, str, str], tuple]:
    """Read of each graded cell: automatic points, maximum, who has to look, handed in when."""
    with Gradebook(f"sqlite:///{root}/gradebook.db") as book:
        return {
            (submission.student_id, notebook.name, grade.name): (
                *(grade.auto_score, grade.max_score),
                *(grade.needs_manual_grade, submission.timestamp),
            )
            for submission in book.assignment_submissions(NAME)
            for notebook in submission.notebooks
            for grade in notebook.grades
        }


@pytest.fixture(scope="module")
def stock(tmp_path_factory) -> Path:
    """The course, marked by nbgrader alone; bitdiddle's second notebook is missing."""
    root = make(tmp_path_factory.mktemp("stock") / "example", STOCK)
    more(root)
    env = {**os.environ, "JUPYTER_PREFER_ENV_PATH": "1", "IPYTHONDIR": str(root.parent)}
    commands = [f"{name} {NAME}" for name in ("generate_assignment", "autograde")]
    subprocess.run(
        [sys.executable, together.__file__, *commands],
        cwd=root,
        env=env | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        check=True,
        capture_output=True,
    )
    return root


def more(root: Path) -> None:
    """Add a student who has handed in one of the two notebooks."""
    folder = root / "submitted" / "one" / NAME
    folder.mkdir(parents=True)
    shutil.copy(EXAMPLE / "submitted" / "hacker" / NAME / "problem1.ipynb", folder)


def test_marks_are_those_of_nbgrader(stock, tmp_path, monkeypatch):
    root = make(tmp_path / "example", CONFIG)
    more(root)
    monkeypatch.chdir(root)
    app(["release", NAME], standalone_mode=False)
    app(["grade", NAME, "--quiet"], standalone_mode=False)
    ours, theirs = read_grades(root), read_grades(stock)
    assert len(theirs) == 3 * 9
    assert ours == theirs
