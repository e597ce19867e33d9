"""The course: its folder, its nbgrader_config.py, nbgrader's interface to it."""

from __future__ import annotations

import glob
import os
import re
from pathlib import Path

from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from grading import CourseError
from grading.source.moved import say_where

CONFIG = "nbgrader_config.py"


def course_root(start: Path | None = None) -> Path:
    """
    Return the course folder: the nearest one upwards with nbgrader_config.py.

    Raises
    ------
    CourseError
        Outside of a course.
    """
    start = (start or Path.cwd()).absolute()
    for folder in (start, *start.parents):
        if (folder / CONFIG).is_file():
            return folder
    raise CourseError(
        f"{start} is not in a course: no {CONFIG} here or above; `rnn-grading start FOLDER` makes one"
    )


def enter_course(unprotected: bool = False) -> NbGraderAPI:
    """
    Go to the course folder, and return nbgrader's interface to it, set up by its configuration.

    Parameters
    ----------
    unprotected : bool
        Whether student code may run without a sandbox.
    """
    root = course_root()
    os.chdir(root)
    config = read_config(root)
    if unprotected:
        config.Autograde.unprotected = True
    course = NbGraderAPI(config=config)
    os.chdir(course.coursedir.root)
    return course


def source_folder(coursedir: CourseDirectory, assignment: str) -> Path:
    """Return where an assignment lies as its author wrote it."""
    return Path(coursedir.format_path(coursedir.source_directory, ".", assignment))


def release_folder(coursedir: CourseDirectory, assignment: str) -> Path:
    """Return where the student version of an assignment lies."""
    return Path(coursedir.format_path(coursedir.release_directory, ".", assignment))


def students_in(coursedir: CourseDirectory, step: str, assignment: str) -> list[str]:
    """
    Return who has a folder of an assignment.

    Parameters
    ----------
    coursedir : CourseDirectory
    step : str
        The name of a directory of the course: coursedir.submitted_directory, say.
    assignment : str
    """
    names = {"nbgrader_step": step, "assignment_id": assignment}
    parts = {name: glob.escape(text) for name, text in names.items()}
    pattern = coursedir.directory_structure.format(student_id="*", **parts)
    paths = glob.glob(os.path.join(glob.escape(coursedir.root), pattern), include_hidden=True)
    marked = coursedir.format_path(step, "\0", assignment)
    expected = re.compile("(?P<id>[^/]*)".join(map(re.escape, marked.split("\0", 1))))
    found = (expected.fullmatch(path) for path in paths)
    return sorted(match["id"] for match in found if match)


def read_config(root: Path) -> Config:
    """
    Read a course's configuration.

    Raises
    ------
    CourseError
        Where it stops, with its line.
    """
    try:
        return PyFileConfigLoader(CONFIG, str(root)).load_config()
    except Exception as error:
        said = say_where(error) or f"{type(error).__name__}: {error}"
        raise CourseError(f"{CONFIG}{line_of(error, root / CONFIG)}: {said}") from None


def line_of(error: BaseException, path: Path) -> str:
    """Return ", line 12" where an exception passed through this file."""
    found, trace = "", error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            found = f", line {trace.tb_lineno}"
        trace = trace.tb_next
    return found


PROCESSING = re.escape("[ERROR] There was an error processing assignment: ")  # nbgrader's words


def raise_failure(result: dict, what: str) -> None:
    """Raise CourseError where a step of nbgrader failed, with the step's own last word."""
    if not result["success"]:
        log = result.get("log") or ""
        told = re.findall(rf"^{PROCESSING}.*\n\[ERROR\] (?!Traceback)(.+)$", log, re.MULTILINE)
        raised = re.findall(r"^ +([\w.]+(?:Error|Exception): .*)$", log, re.MULTILINE)
        said = (result.get("error") or log or "failed").strip().splitlines()
        raise CourseError(f"{what}: {(told or raised or said[-1:])[0].removeprefix('[ERROR] ')}")
