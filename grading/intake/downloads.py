"""Sort the downloads of Canvas and Moodle into nbgrader's folders.

Put the zip, as downloaded, into ``downloaded/<assignment>/archive/`` and run
``nbgrader zip_collect <assignment>``.

A student's id is the number the LMS puts into the file names: it is unique,
and marks find their way back by it. Canvas writes its user id (column ``ID``
of its grade book export), Moodle the participant number (column
``Identifier`` of its grading worksheet, "Participant 1234567"). Two students
with one name stay two. Moodle counts anew for each assignment, so there a
student has one id per assignment. With group work the number is that of the
member the LMS names.

The name the LMS shows goes into the grade book, for students without one.
Neither LMS says when a file was handed in, so there is no ``timestamp.txt``;
Canvas's mark ``LATE`` is logged.
"""

import os
import re
import stat
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from nbgrader.api import Gradebook
from nbgrader.plugins import ExtractorPlugin, FileNameCollectorPlugin
from sqlalchemy.exc import SQLAlchemyError

# "doejane_LATE_4242_98765_my solution-2.ipynb": name, user id, number of the
# attachment (higher for a later upload), the student's own file name.
CANVAS = re.compile(
    r"(?:^|/)(?P<name>[^/]*?)_(?P<late>LATE_)?(?P<id>[0-9]{1,20})_"
    r"(?:LATE_)?(?P<attachment>[0-9]{1,20})_(?P<file>[^/]+)$",
    re.IGNORECASE,
)
# "Zoë O'Neill_1234567_assignsubmission_file_/my solution.ipynb", or without
# folders: "Zoë O'Neill_1234567_assignsubmission_file_my solution.ipynb".
MOODLE = re.compile(
    r"(?:^|/)(?P<name>[^/]*?)_(?P<id>[0-9]{1,20})_assignsubmission_[a-z]+"
    r"(?:_?/(?:.*/)?|_)(?P<file>[^/]+)$"
)
# Some browsers add an ending of their own to a notebook.
NOTEBOOK = re.compile(r"(?P<stem>.+)\.ipynb(?:\.txt|\.json)?", re.IGNORECASE)
# "rnn (1)-2": the browser's mark for a copy, the LMS's for a resubmission.
AGAIN = r"(?:[ +_]?\((?P<copy>[0-9]{1,9})\))?(?:-(?P<again>[0-9]{1,9}))?"
# Left behind by macOS and Jupyter, and nobody's work.
JUNK = re.compile(r"(?:^|/)(?:__MACOSX|\.ipynb_checkpoints)/")


class File(NamedTuple):
    """A file of a download: its path there, and how to read it."""

    path: str
    size: int
    read: Callable[[], bytes]


class Notebook(NamedTuple):
    """A student's notebook; the one with the highest order is the newest."""

    path: str
    read: Callable[[], bytes]
    base: str
    order: tuple[int, int, int]


def whose(path: str) -> re.Match | None:
    """Match a path with the two naming schemes.

    The one that starts first is the LMS's; the rest is the student's own file
    name, which may look like anything, the other scheme included.
    """
    matches = [match for match in (CANVAS.search(path), MOODLE.search(path)) if match]
    return min(matches, key=lambda match: match.start("id"), default=None)


def printable(path: str) -> str:
    """Make a path safe to show: no line breaks, no terminal codes."""
    return "".join(letter if letter.isprintable() else " " for letter in path)


class SubmissionExtractor(ExtractorPlugin):
    """Copy each student's newest notebook to ``extracted/<id>/<released name>``.

    nbgrader's own extractor unpacks all it is given, students' zips included,
    and ends in a traceback where that fails. Here a path in a zip is only
    read, never written to.

    - With one released notebook, a student's only notebook may have any name.
      Of several, those with the released name count; where none has it, the
      instructor is asked to choose.
    - The newest counts: the highest attachment number (Canvas), then the
      highest ``-N``, then the highest ``(N)``.
    - Other files are left out, each with a line that says why.
    - ``CourseDirectory.max_file_size`` is the limit for one notebook.
    """

    def extract(self, archive_path: str, extracted_path: str) -> None:
        """Sort the files of ``archive_path`` into ``extracted_path``."""
        course = self.parent.coursedir
        release = Path(course.format_path(course.release_directory, ".", course.assignment_id))
        released = sorted(file.stem for file in release.glob("*.ipynb"))
        if not released:
            self.parent.fail(
                f"No notebook in {release}. Run `nbgrader generate_assignment "
                f"{course.assignment_id}` first."
            )
        names, notebooks = self._sort_out(Path(archive_path), released)
        taken = {}
        for student, name in sorted(names.items()):
            folder = Path(extracted_path, student)
            for stem, content in self._choose(student, notebooks[student], released):
                folder.mkdir(exist_ok=True)
                (folder / f"{stem}.ipynb").write_bytes(content)
                taken[student] = name
            if student not in taken:
                self.log.warning("%s (%s): no notebook to grade. Ask for it.", name, student)
        self._write_names(taken)

    def _sort_out(
        self, archive: Path, released: list[str]
    ) -> tuple[dict[str, str], dict[str, list[Notebook]]]:
        """Find the students' names and notebooks."""
        known = "|".join(re.escape(stem) for stem in sorted(released, key=len, reverse=True))
        parts = re.compile(rf"(?P<base>{known}|.+?){AGAIN}", re.IGNORECASE)
        limit = 1000 * self.parent.coursedir.max_file_size
        names: dict[str, str] = {}
        notebooks: dict[str, list[Notebook]] = defaultdict(list)
        for file in self._files(archive):
            owner = whose(file.path)
            own_name = owner["file"] if owner else file.path.rpartition("/")[2]
            if JUNK.search(file.path) or own_name.startswith("."):
                continue
            if not owner:
                self._leave_out(
                    file.path,
                    "not named the way Canvas or Moodle name files, so nobody knows whose it is. "
                    "If it is a student's work, copy it to submitted/ by hand.",
                )
                continue
            details = owner.groupdict()
            names[owner["id"]] = owner["name"] or owner["id"]
            notebook = NOTEBOOK.fullmatch(own_name)
            if own_name.lower().endswith(".zip"):
                self._leave_out(
                    file.path,
                    "a student's zip is not opened. Ask for the notebook itself. "
                    "(If it is the whole download, rename it to submissions.zip.)",
                )
            elif not notebook:
                self._leave_out(file.path, "not a notebook. Only notebooks are graded.")
            elif file.size > limit:
                self._leave_out(
                    file.path,
                    f"{file.size / 1e6:.0f} MB, more than CourseDirectory.max_file_size. "
                    "Ask for it without outputs.",
                )
            else:
                if details.get("late"):
                    self.log.info("%s: late, says Canvas.", file.path)
                base, copy, again = parts.fullmatch(notebook["stem"]).groups("0")
                order = (int(details.get("attachment", 0)), int(again), int(copy))
                notebooks[owner["id"]].append(
                    Notebook(file.path, file.read, base.casefold(), order)
                )
        return names, notebooks

    def _files(self, archive: Path) -> Iterator[File]:
        """Go through the files of a folder and those in its zips."""
        for folder, _, names in os.walk(archive):
            for name in sorted(names):
                source = Path(folder, name)
                path = printable(source.relative_to(archive).as_posix())
                if source.is_symlink() or not source.is_file():
                    self._leave_out(path, "not a plain file. Ask for the notebook itself.")
                elif path.lower().endswith(".zip") and not whose(path):
                    yield from self._members(source)
                else:
                    yield File(path, source.stat().st_size, source.read_bytes)

    def _members(self, source: Path) -> Iterator[File]:
        """Go through the files in a zip."""
        try:
            archive = zipfile.ZipFile(source)
        except Exception as error:  # zipfile has many ways to say "damaged"
            self._leave_out(
                printable(source.name), f"cannot be opened ({error}). Download it again."
            )
            return
        for member in archive.infolist():
            path = printable(member.filename)
            if stat.S_ISLNK(member.external_attr >> 16):
                self._leave_out(path, "a link, not a file. Ask for the notebook itself.")
            elif not member.is_dir():
                # The size is a promise: zipfile reads no byte more.
                yield File(path, member.file_size, partial(archive.read, member))

    def _choose(
        self, student: str, notebooks: list[Notebook], released: list[str]
    ) -> Iterator[tuple[str, bytes]]:
        """Pick a student's newest notebook for each of the released ones."""
        rest = notebooks
        for stem in released:
            mine = [notebook for notebook in rest if notebook.base == stem.casefold()]
            if not mine and len(released) == 1:
                mine = rest
            if not mine:
                continue
            rest = [notebook for notebook in rest if notebook not in mine]
            newest = max(mine, key=lambda notebook: notebook.order)
            try:
                content = newest.read()
                unclear = any(
                    notebook.base != newest.base
                    or (notebook.order == newest.order and notebook.read() != content)
                    for notebook in mine
                )
            except Exception as error:  # zipfile has many ways to say "damaged"
                self._leave_out(newest.path, f"cannot be read ({error}). Ask for it again.")
                continue
            if unclear:
                course = self.parent.coursedir
                folder = course.format_path(
                    course.submitted_directory, student, course.assignment_id
                )
                for notebook in mine:
                    self._leave_out(
                        notebook.path,
                        "one of several, and nothing says which one counts. "
                        f"Copy the right one to {folder}/{stem}.ipynb.",
                    )
                continue
            for notebook in mine:
                if notebook.order != newest.order:
                    self._leave_out(notebook.path, f"{newest.path} is newer and counts.")
            yield stem, content
        for notebook in rest:
            self._leave_out(
                notebook.path,
                f"not named like the assignment ({', '.join(released)}). "
                "If it should count, rename it and collect again.",
            )

    def _leave_out(self, path: str, why: str) -> None:
        self.log.warning("Left out %s: %s", path, why)

    def _write_names(self, names: dict[str, str]) -> None:
        """Give students without a name in the grade book the LMS's."""
        course = self.parent.coursedir
        try:
            with Gradebook(course.db_url, course.course_id) as gradebook:
                named = {student.id for student in gradebook.students if student.last_name}
                for student in names.keys() - named:
                    last, _, first = names[student].partition(",")
                    gradebook.update_or_create_student(
                        student, last_name=last.strip(), first_name=first.strip()
                    )
        except (SQLAlchemyError, OSError) as error:
            reason = str(error).partition("\n")[0]
            self.log.warning("The grade book did not take the students' names: %s", reason)


class SubmissionCollector(FileNameCollectorPlugin):
    """Read id and notebook off the path that `SubmissionExtractor` made."""

    def collect(self, submitted_file: str) -> dict[str, str]:
        """Turn ``.../<id>/<notebook>.ipynb`` into what nbgrader asks for."""
        path = Path(submitted_file)
        return {"student_id": path.parent.name, "file_id": path.name}
