"""nbgrader's exchange: when students handed in, what is collected, and what goes back to them."""

from __future__ import annotations

import os
import re
import tempfile
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import nbgrader.apps.api
import nbgrader.apps.zipcollectapp
import nbgrader.coursedir
import nbgrader.exchange.default.collect
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange.default import ExchangeCollect, ExchangeReleaseFeedback
from nbgrader.utils import parse_utc, temp_attrs
from traitlets.config import Config
from traitlets.log import get_logger

from grading.book import reason
from grading.intake.folder import SECRET, TIMESTAMP, copy_plain_files
from grading.intake.notes import listed, printable
from grading.intake.submission import time_of, timezone_of
from grading.intake.timestamps import UnknownZone, parse_time
from grading.source.course import students_in

# What reads times with nbgrader's own parse_utc: due dates, submissions, what is collected.
READ_TIMES = [
    *[nbgrader.utils, nbgrader.coursedir, nbgrader.apps.api, nbgrader.apps.zipcollectapp],
    nbgrader.exchange.default.collect,
]


def read_times(c: Config) -> None:
    """Let nbgrader read times in any time zone, and of a folder as marking does: it may be odd."""

    def submitted(api: NbGraderAPI, assignment: str, student: str) -> datetime | None:
        course = api.coursedir
        return existing(course, course.format_path(course.submitted_directory, student, assignment))

    def existing(_: CourseDirectory, folder: str) -> datetime | None:
        return time_of(Path(folder), timezone_of(c))

    for module in READ_TIMES:
        module.parse_utc = partial(read_time, c)
    NbGraderAPI.get_submitted_timestamp = submitted
    CourseDirectory.get_existing_timestamp = existing


def read_time(c: Config, time: str | datetime | None) -> datetime | None:
    """Read a time as nbgrader's `parse_utc` does, which knows few time zones."""
    if not isinstance(time, str):
        return parse_utc(time)
    try:
        return parse_time(time, str(c.get("Exchange", {}).get("timezone", "")))
    except UnknownZone as zone:
        get_logger().warning("%s: %s; taken for UTC. Write +0800 or the like.", time, zone)
        return parse_utc(time)


class Collect(ExchangeCollect):
    """Collects what students handed in, also where the time zone in its name has a sign (+0545)."""

    src_records: list[dict[str, Any]]
    name_of_folder = re.compile(
        r"(?P<username>.+)\+[^+]+\+(?P<timestamp>[0-9]{4}-[^+]*(?<! )(?: \+[0-9]+)?)(?:\+[\w-]+)?"
    )

    def _path_to_record(self, path: str) -> dict[str, Any]:
        """Tell who handed a folder in, and when."""
        name = os.path.basename(path)
        found = self.name_of_folder.fullmatch(name)
        try:
            if not found:
                return super()._path_to_record(path)
            when = nbgrader.exchange.default.collect.parse_utc(found["timestamp"])
        except (ValueError, OverflowError):  # who may write there gives it any name
            self.log.warning(
                "%s: its name holds no time; others of that student come first",
                printable(name),
            )
            found, when = None, datetime.min
        student = found["username"] if found else name.partition("+")[0]
        return {"username": student, "filename": name, "timestamp": when}

    def init_src(self) -> None:
        """Look up what was handed in, but for folders that would be copied out of their place."""
        super().init_src()
        self.src_records = [each for each in self.src_records if each["username"].strip(".")]

    def do_copy(self, src: str, dest: str, log: Any = None) -> None:
        """
        Copy plain files alone: what a link leads to would be read with the rights of who collects.

        A folder that cannot be copied holds up no other.
        """
        name, course = printable(os.path.basename(src)), self.coursedir
        try:
            if self.get_size(src) > 1000 * course.max_dir_size:
                self.log.error("%s: not collected: larger than CourseDirectory.max_dir_size", name)
                return
            with tempfile.TemporaryDirectory() as folder:
                plain = Path(folder, "plain")
                left = copy_plain_files(Path(src), plain, int(1000 * course.max_file_size))
                super().do_copy(str(plain), dest, log)
        except OSError as error:
            self.log.error("%s: not collected: %s", name, reason(error))
            return
        if left:
            self.log.warning(
                "%s: not collected, for they are links, pipes, too large or not readable: %s",
                *(name, printable(listed(left))),
            )


class ReleaseFeedback(ExchangeReleaseFeedback):
    """Puts into the exchange the pages of those who handed in through it."""

    def copy_files(self) -> None:
        """Release the pages that are asked for, and name those that cannot be."""
        course = self.coursedir
        excluded = course.student_id_exclude.split(",")
        others = []
        for student in students_in(course, course.feedback_directory, course.assignment_id):
            folder = course.format_path(course.feedback_directory, student, course.assignment_id)
            if not Path(folder, SECRET).is_file():
                others.append(student)
            elif not Path(folder, TIMESTAMP).exists():
                Path(folder, TIMESTAMP).touch()  # nbgrader writes into its log what it holds
        if others:
            self.log.warning(
                "Not released, since they were not handed in through the exchange: %s. Return the"
                " pages in %s by another way",
                *(", ".join(others), course.feedback_directory),
            )
        with temp_attrs(course, student_id_exclude=",".join([*excluded, *others])):
            super().copy_files()
