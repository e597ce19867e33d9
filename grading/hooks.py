"""What nbgrader's converters have in common here: the course's own hooks, and who is refused."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from nbformat.reader import NotJSONError
from nbgrader import utils
from nbgrader.converters import BaseConverter, NbGraderException
from nbgrader.coursedir import CourseDirectory

from grading import CourseError
from grading.book import reason
from grading.options import refuse
from grading.source import Assignment
from grading.source.catalogue import LANGUAGES
from grading.source.set_up import read_as_set_up

# What stays with the instructor: mistakes, drawing code, translations.
KEPT_BACK = ["mistakes.yaml", "draw.py", *LANGUAGES]


def says_one_line(record: logging.LogRecord) -> bool:
    """Let nbgrader say in a line what is wrong with the course, where it logs a traceback."""
    error = sys.exc_info()[1]
    if isinstance(error, CourseError | NotJSONError) and str(record.msg).startswith("Traceback"):
        record.msg = reason(error)
    return not str(record.msg).startswith("Please see the the above traceback")


def capture_log(converter: BaseConverter, *more: str) -> dict[str, object]:
    """Do as nbgrader's own: where a line was said of what is wrong, no traceback goes with it."""
    result: dict[str, object] = utils.capture_log(converter, *more)
    if not result["success"] and getattr(converter, "failed", False):
        del result["error"]  # formgrader shows the log, and below it a traceback if there is one
    return result


class CourseConverter(BaseConverter):
    """What all converters of this course have in common."""

    student = ""  # whose folder is at hand
    failed = False  # and a line said why

    def __init__(self, coursedir: CourseDirectory, **more: object) -> None:
        coursedir.ignore = [*dict.fromkeys([*coursedir.ignore, *KEPT_BACK])]
        super().__init__(coursedir=coursedir, **more)

    def start(self) -> None:
        """Convert what is asked for, if no option is set that would be ignored."""
        try:
            refuse(self.config)
            super().start()
        except CourseError as error:
            self.fail(str(error))
        except NbGraderException:
            self.failed = True
            raise

    def convert_notebooks(self) -> None:
        """Convert what is asked for; what is wrong with the course is told in a line."""
        self.log.addFilter(says_one_line)
        try:
            super().convert_notebooks()
        finally:
            self.log.removeFilter(says_one_line)

    def read_assignment(self) -> Assignment:
        """Return the assignment at hand, as the course has set it up."""
        return read_as_set_up(self.coursedir, self.config, self.coursedir.assignment_id)

    def fail(self, line: str) -> None:
        """End the run as nbgrader does: the line in the log, and no traceback on the terminal."""
        self.log.error(line)
        self.failed = True
        raise NbGraderException(line) from None

    def init_destination(self, assignment_id: str, student_id: str) -> bool:
        """Take note of whose folder is at hand: the hooks are told."""
        self.student = student_id
        return super().init_destination(assignment_id, student_id)

    def begin(self, student: str) -> None:
        """Run the hook before the work on a student's folder."""
        self.turn_to(student)
        self.run_pre_convert_hook()

    def end(self, student: str) -> None:
        """Run the hook behind the work on a student's folder; files have their permissions."""
        self.turn_to(student)
        if self.coursedir.groupshared:  # folders have not
            self.set_permissions(self.coursedir.assignment_id, student)
        self.run_post_convert_hook()

    def turn_to(self, student: str) -> None:
        """Have the notebooks of a student at hand, for hooks."""
        self.student = student
        if self.pre_convert_hook or self.post_convert_hook:
            folder = Path(self._format_source(self.coursedir.assignment_id, student))
            self.notebooks = sorted(map(str, folder.glob("*.ipynb")))

    def run_pre_convert_hook(self) -> None:
        """Run the course's own code before a conversion."""
        self.run_hook("pre_convert_hook")

    def run_post_convert_hook(self) -> None:
        """Run the course's own code after a conversion."""
        self.run_hook("post_convert_hook")

    def run_hook(self, name: str) -> None:
        """Run a hook; where it fails, a line says so, and the work goes on."""
        hook = getattr(self, name)
        if hook is None:
            return
        about = {"assignment": self.coursedir.assignment_id, "notebooks": self.notebooks}
        try:
            hook(student=self.student, **about)
        except Exception as error:
            self.log.warning("%s: %s failed: %s", self.student, name, reason(error))
