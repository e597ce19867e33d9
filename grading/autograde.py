"""nbgrader's Autograde, which marks as `python -m grading grade` does."""

from __future__ import annotations

import os

import nbgrader.apps.api
import nbgrader.apps.autogradeapp
from nbgrader.converters import Autograde as StockAutograde
from nbgrader.converters import NbGraderException

from grading import CourseError
from grading.run.run import Run


class Autograde(StockAutograde):
    """Marks in rooms, and never opens what students wrote outside of them."""

    def start(self) -> None:
        """Mark the submissions that are asked for."""
        student = self.coursedir.student_id
        students = [] if student == "*" else [student]
        failed = []
        here = os.getcwd()
        os.chdir(self.coursedir.root)
        try:
            run = Run(
                self.coursedir,
                self.config,
                self.coursedir.assignment_id,
                students,
                force=self.force,
            )
            for certificate in run:
                self.log.info("%s: %g points", certificate.student_id, certificate.score)
                for note in certificate.notes:
                    self.log.warning("%s: %s", certificate.student_id, note)
                if certificate.status == "not graded":
                    failed.append(certificate.student_id)
        except CourseError as error:
            self.fail(str(error))
        finally:
            os.chdir(here)
        if failed:
            self.fail(f"{self.coursedir.assignment_id}: could not mark {', '.join(failed)}")

    def fail(self, line: str) -> None:
        """End the run as nbgrader does: the line in the log, and no traceback on the terminal."""
        self.log.error(line)
        raise NbGraderException(line) from None


def install() -> None:
    """Let the command line, formgrader and NbGraderAPI use it; called by nbgrader_config.py."""
    nbgrader.apps.autogradeapp.Autograde = Autograde
    nbgrader.apps.api.Autograde = Autograde
