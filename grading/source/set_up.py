"""An assignment as a course has set it up: where it lies, and what is put around its notebooks."""

from __future__ import annotations

import contextlib
import copy
from pathlib import Path

import nbformat
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import IncludeHeaderFooter
from traitlets.config import Config
from traitlets.config.loader import LazyConfigValue

from grading import CourseError
from grading.bounded import Times
from grading.options import limits_by_timeout
from grading.source.assignment import Assignment, read_assignment
from grading.source.autotest import Writer
from grading.source.course import source_folder


def read_as_set_up(coursedir: CourseDirectory, config: Config, name: str) -> Assignment:
    """
    Read an assignment from where the course keeps it, header and footer included.

    Raises
    ------
    CourseError
        Where there is none.
    """
    folder, writer = source_folder(coursedir, name), Writer(config=config)
    found = read_assignment(name, Path(coursedir.root), folder, writer, times_of(config))
    return with_header(found, coursedir.root, config)


def with_header(assignment: Assignment, root: str, config: Config) -> Assignment:
    """
    Return an assignment with these cells in its notebooks: they count as its own.

    Parameters
    ----------
    assignment : Assignment
    root : str
        The course folder, in which they lie.
    config : Config

    Raises
    ------
    CourseError
        Where they cannot be read.
    """
    step = IncludeHeaderFooter(config=config)
    if not step.enabled or not (step.header or step.footer):
        return assignment
    files = dict(assignment.files)
    for name, source in assignment.notebooks.items():
        try:
            with contextlib.chdir(root):
                notebook = step.preprocess(copy.deepcopy(source.as_written), {})[0]
        except (OSError, ValueError) as error:
            raise CourseError(f"IncludeHeaderFooter: {error}") from None
        for number, cell in enumerate(notebook.cells):
            cell.setdefault("id", f"added-{number}")  # older notebooks have none
        files[f"{name}.ipynb"] = nbformat.writes(notebook).encode()
    modules, writer = assignment.course_modules, assignment.writer
    return Assignment(assignment.name, files, modules, writer, assignment.times)


def times_of(config: Config) -> Times:
    """Return for how long code may run: as the course has set it for students' rooms."""
    limits = config.get("Autograde", {}).get("limits", {})
    if isinstance(limits, LazyConfigValue):
        limits = limits.get_value({})
    found = {**limits_by_timeout(config), **limits}
    usual = Times()
    return Times(
        found.get("notebook_seconds", usual.notebook), found.get("call_seconds", usual.call)
    )
