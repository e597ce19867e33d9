"""A course of the assignments that come with the package."""

from __future__ import annotations

import shutil
from pathlib import Path

from grading import CourseError
from grading.source.course import CONFIG

INSTALLED = Path(__file__).parents[2]  # the packages' folder, or a checkout: a course itself
KIT = Path(__file__).parents[1] / "kit"
SUBJECT = "rnn_marking"  # hidden tests import it: a part of the course, whose change marks anew

# What never enters git: the contents of nbgrader's folders, the grade book, the secret.
IGNORED = """\
.ipynb_checkpoints/
__pycache__/
/.grading.lock
/.hidden_data_secret
/gradebook.db*
/groups.csv
/submitted/
/autograded/
/feedback/
/reports/
/downloaded/
/demo/
"""


def start_course(folder: Path) -> None:
    """
    Make a course: its configuration, the assignments, and the modules that these import.

    Raises
    ------
    CourseError
        Where something stands there already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CourseError(f"{folder} is not empty: name a new folder for the course")
    source = next(path for path in (KIT / "source", INSTALLED / "source") if path.is_dir())
    rubbish = shutil.ignore_patterns("__pycache__", ".*")
    shutil.copytree(source, folder / "source", ignore=rubbish)
    shutil.copytree(INSTALLED / SUBJECT, folder / SUBJECT, ignore=rubbish)
    shutil.copyfile(KIT / CONFIG, folder / CONFIG)
    (folder / ".gitignore").write_text(IGNORED)
    for path in (folder / "source").glob("*/*.py"):
        if (INSTALLED / path.name).is_file():  # one for all assignments, as in a checkout
            shutil.copyfile(INSTALLED / path.name, folder / path.name)
            path.unlink()
            path.symlink_to(Path("..", "..", path.name))
