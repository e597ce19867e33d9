"""An assignment as a course has set it up: where it lies, and what is put around its notebooks."""

from __future__ import annotations

import contextlib
import copy
from pathlib import Path

import nbformat
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import IncludeHeaderFooter
from traitlets.config import Config

from grading import CourseError
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
    found = read_assignment(name, Path(coursedir.root), folder, writer)
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
    return Assignment(assignment.name, files, assignment.course_modules, assignment.writer)
