"""The truth of an assignment: the course, the notebook, its cells, its mistakes."""

from grading.source.assignment import Assignment, Source, digest, read_assignment, read_source
from grading.source.course import course_root, enter_course
from grading.source.mistakes import Version

__all__ = [
    "Assignment",
    "Source",
    "Version",
    "course_root",
    "digest",
    "enter_course",
    "read_assignment",
    "read_source",
]
