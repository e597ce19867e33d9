"""
The downloads of Canvas and Moodle, sorted into nbgrader's folders.

Put the zip, as downloaded, into `downloaded/<assignment>/archive/` and run
`nbgrader zip_collect <assignment>`.

A student's id is the number the LMS puts into the file names: it is unique,
and marks find their way back by it. Canvas writes its user id (column `ID`
of its grade book export), Moodle the participant number (column
`Identifier` of its grading worksheet, "Participant 1234567"). Two students
with one name stay two. Moodle counts anew for each assignment, so there a
student has one id per assignment. With group work the number is that of the
member the LMS names.

The name the LMS shows goes into the grade book, for students without one, and so does
their number there (`lms_user_id`).
Neither LMS says when a file was handed in, so there is no `timestamp.txt`;
Canvas's mark `LATE` is logged.
"""

from __future__ import annotations

import logging
import os
import re
import stat
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from grading import CourseError
from grading.intake.notes import printable

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
# Each place where a student's number may stand, by either scheme.
CANVAS_NUMBER = re.compile(r"_(?=([0-9]{1,20})_(?:LATE_)?[0-9]{1,20}_.)", re.IGNORECASE)
MOODLE_NUMBER = re.compile(r"_([0-9]{1,20})_assignsubmission_[a-z]+[_/]")
# Some browsers add an ending of their own to a notebook.
NOTEBOOK = re.compile(r"(?P<stem>.+)\.ipynb(?:\.txt|\.json)?", re.IGNORECASE)
# "rnn (1)-2": the browser's mark for a copy, the LMS's for a resubmission.
AGAIN = r"(?:[ +_]?\((?P<copy>[0-9]{1,9})\))?(?:-(?P<again>[0-9]{1,9}))?"
# In a name that an LMS shows: formgrader puts it into its pages as it is.
MARKUP = str.maketrans("", "", '<>&"')
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


def harmless(text: str) -> str:
    """Return what an LMS says of a student, as formgrader may show it."""
    return printable(text).translate(MARKUP).strip()


def whose(path: str) -> re.Match | None:
    """
    Match a path with the two naming schemes; None where none fits.

    Raises
    ------
    ValueError
        Where they fit in more than one way. The name that an LMS shows may hold another
        student's number, and so may the student's own file name: nobody can tell them apart.
    """
    *folders, name = path.split("/")
    for folder in folders:
        if numbers := MOODLE_NUMBER.findall(f"{folder}/"):  # what lies inside is the student's
            return the_only_way(MOODLE.search(path), numbers)
    numbers = CANVAS_NUMBER.findall(name) + MOODLE_NUMBER.findall(name)
    return the_only_way(CANVAS.search(name) or MOODLE.search(name), numbers)


def is_students(path: str) -> bool:
    """Tell whether a path is that of a student's file, and not of a whole download."""
    try:
        return whose(path) is not None
    except ValueError:
        return True


def the_only_way(match: re.Match | None, numbers: list[str]) -> re.Match | None:
    """Return a match, if there is one way to read a student's number."""
    if len(numbers) > 1:
        raise ValueError(", ".join(numbers))
    return match


def sort_out(
    archive: Path, extracted: Path, release: Path, limit: int, where: str, log: logging.Logger
) -> dict[str, tuple[str, str]]:
    """
    Copy each student's newest notebook to `extracted/<id>/<released name>`.

    nbgrader's own extractor unpacks all it is given, students' zips included,
    and ends in a traceback where that fails. Here a path in a zip is only
    read, never written to.

    - With one released notebook, a student's only notebook may have any name.
      Of several, those with the released name count; where none has it, the
      instructor is asked to choose.
    - The newest counts: the highest attachment number (Canvas), then the
      highest `-N`, then the highest `(N)`.
    - Other files are left out, each with a line that says why.

    Parameters
    ----------
    archive, extracted : Path
    release : Path
        The folder of the student version.
    limit : int
        Bytes of one notebook.
    where : str
        The folder of a submission, {} for the student: where to copy one by hand.
    log : Logger

    Returns
    -------
    dict
        Last and first names, as the LMS shows them, by student.
    """
    released = sorted(file.stem for file in release.glob("*.ipynb"))
    if not released:
        raise CourseError(
            f"No notebook in {release}. Run `nbgrader generate_assignment {release.name}` first."
        )
    sorter = Sorter(released, limit, where, log)
    names, notebooks = sorter.sort(archive)
    taken = {}
    for student, name in sorted(names.items()):
        folder = extracted / student
        for stem, content in sorter.choose(student, notebooks[student]):
            folder.mkdir(exist_ok=True)
            (folder / f"{stem}.ipynb").write_bytes(content)
            last, _, first = name.partition(",")
            taken[student] = last.strip(), first.strip()
        if student not in taken:
            log.warning("%s (%s): no notebook to grade. Ask for it.", name, student)
    return taken


def find_uploads(archive: Path) -> dict[str, str]:
    """
    Return how the names of what students handed in begin in a download of Canvas.

    Parameters
    ----------
    archive : Path
        Where the download lies; there may be none.

    Returns
    -------
    dict
        `<name>_<user>_<attachment>` of the newest notebook, by the student's number.
    """
    found: dict[str, tuple[tuple[bool, int], str]] = {}
    for file in Sorter([], 0, "", logging.Logger("unheard", logging.CRITICAL + 1)).files(archive):
        try:
            owner = whose(file.path)
        except ValueError:
            continue
        if owner and "attachment" in owner.groupdict():
            begin = file.path.rpartition("/")[2].removesuffix(f"_{owner['file']}")
            rank = owner["file"].lower().endswith(".ipynb"), int(owner["attachment"])
            found[owner["id"]] = max(found.get(owner["id"], ((False, 0), "")), (rank, begin))
    return {student: begin for student, (_, begin) in found.items()}


@dataclass
class Sorter:
    """Sorts the files of a download; see `sort_out` for what its attributes are."""

    released: list[str]
    limit: int
    where: str
    log: logging.Logger

    def sort(self, archive: Path) -> tuple[dict[str, str], dict[str, list[Notebook]]]:
        """Find the students' names and notebooks."""
        known = "|".join(re.escape(stem) for stem in sorted(self.released, key=len, reverse=True))
        parts = re.compile(rf"(?P<base>{known}|.+?){AGAIN}", re.IGNORECASE)
        names: dict[str, str] = {}
        notebooks: dict[str, list[Notebook]] = defaultdict(list)
        for file in self.files(archive):
            try:
                owner = whose(file.path)
            except ValueError as numbers:
                ways = str(numbers).split(", ")
                folders = " or ".join(self.where.format(number) for number in ways)
                self._leave_out(
                    file.path,
                    f"its name can be read in more than one way (student {' or '.join(ways)}). "
                    f"Look in the LMS whose it is, and copy it into {folders} by hand, as "
                    f"{' or '.join(self.released)}.ipynb.",
                )
                continue
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
            names[owner["id"]] = harmless(owner["name"]) or owner["id"]
            notebook = NOTEBOOK.fullmatch(own_name)
            if own_name.lower().endswith(".zip"):
                self._leave_out(
                    file.path,
                    "a student's zip is not opened. Ask for the notebook itself. "
                    "(If it is the whole download, rename it to submissions.zip.)",
                )
            elif not notebook:
                self._leave_out(file.path, "not a notebook. Only notebooks are graded.")
            elif file.size > self.limit:
                self._leave_out(
                    file.path,
                    f"{file.size / 1e6:.0f} MB, more than CourseDirectory.max_file_size. "
                    "Ask for it without outputs.",
                )
            else:
                if details.get("late"):
                    self.log.info("%s: late, says Canvas.", file.path)
                named = parts.fullmatch(notebook["stem"])
                base, copy, again = named.groups("0") if named else (notebook["stem"], "0", "0")
                order = (int(details.get("attachment", 0)), int(again), int(copy))
                notebooks[owner["id"]].append(
                    Notebook(file.path, file.read, base.casefold(), order)
                )
        return names, notebooks

    def files(self, archive: Path) -> Iterator[File]:
        """Go through the files of a folder and those in its zips."""

        def unopened(error: OSError) -> None:
            path = printable(os.path.relpath(error.filename, archive))
            self._leave_out(path, f"cannot be opened ({error.strerror}). Make it readable.")

        for folder, inside, names in os.walk(archive, onerror=unopened):
            links = [name for name in inside if Path(folder, name).is_symlink()]
            for name in sorted([*names, *links]):
                source = Path(folder, name)
                path = printable(source.relative_to(archive).as_posix())
                if source.is_symlink() or not source.is_file():
                    self._leave_out(path, "not a plain file. Ask for the notebook itself.")
                elif path.lower().endswith(".zip") and not is_students(path):
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

    def choose(self, student: str, notebooks: list[Notebook]) -> Iterator[tuple[str, bytes]]:
        """Pick a student's newest notebook for each of the released ones."""
        rest = notebooks
        for stem in self.released:
            mine = [notebook for notebook in rest if notebook.base == stem.casefold()]
            if not mine and len(self.released) == 1:
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
                folder = self.where.format(student)
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
                f"not named like the assignment ({', '.join(self.released)}). "
                "If it should count, rename it and collect again.",
            )

    def _leave_out(self, path: str, why: str) -> None:
        self.log.warning("Left out %s: %s", path, why)
