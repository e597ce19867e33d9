"""nbgrader's exchange: when students handed in, what is collected, and what goes back to them."""

from __future__ import annotations

import os
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import nbgrader.exchange.default.collect
from nbgrader.exchange.default import ExchangeCollect, ExchangeReleaseFeedback
from nbgrader.utils import parse_utc, temp_attrs
from traitlets.config import Config
from traitlets.log import get_logger

from grading.intake.folder import SECRET, TIMESTAMP
from grading.intake.timestamps import UnknownZone, parse_time
from grading.source.course import students_in


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

    name_of_folder = re.compile(
        r"(?P<username>.+)\+[^+]+\+(?P<timestamp>[0-9]{4}-[^+]*(?<! )(?: \+[0-9]+)?)(?:\+[\w-]+)?"
    )

    def _path_to_record(self, path: str) -> dict[str, Any]:
        """Tell who handed a folder in, and when."""
        name = os.path.basename(path)
        found = self.name_of_folder.fullmatch(name)
        if not found:
            return super()._path_to_record(path)
        when = nbgrader.exchange.default.collect.parse_utc(found["timestamp"])
        return {"username": found["username"], "filename": name, "timestamp": when}


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
