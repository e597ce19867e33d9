"""Whose submissions a run is asked to mark."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Collection

from nbgrader.coursedir import CourseDirectory

from grading import CourseError
from grading.source.course import students_in


def submitted(coursedir: CourseDirectory, assignment: str) -> list[str]:
    """
    Return who handed something in.

    Raises
    ------
    CourseError
        Where nobody did.
    """
    found = students_in(coursedir, coursedir.submitted_directory, assignment)
    if not found:
        where = coursedir.format_path(coursedir.submitted_directory, "*", assignment)
        where = os.path.relpath(where, coursedir.root)
        raise CourseError(f"{assignment}: there are no folders {where}")
    return found


def choose(
    assignment: str, patterns: list[str], students: Collection[str], exclude: str
) -> list[str]:
    """
    Return which of the students are meant.

    Parameters
    ----------
    assignment : str
    patterns : list of str
        Ids, or patterns of them.
    students : collection of str
        Who may be marked.
    exclude : str
        Ids that are left out, with commas between them.

    Raises
    ------
    CourseError
        Where an id or a pattern stands for nobody.
    """
    meant = {p: [p] if p in students else fnmatch.filter(students, p) for p in patterns}
    unknown = sorted(pattern for pattern, ids in meant.items() if not ids)
    if unknown:
        raise CourseError(f"{assignment}: nothing submitted by {', '.join(unknown)}")
    return sorted({s for ids in meant.values() for s in ids} - set(exclude.split(",")))
