"""
What is written for a student: written beside where it belongs, and shown by a rename.

So workers write while the grade book does not hold the marks yet, nobody ever meets half a file,
and the process that enters the marks is left with little to do.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from grading.intake.folder import SECRET, TIMESTAMP

OF_THE_EXCHANGE = (TIMESTAMP, SECRET)  # what release_feedback asks for, beside the page


@dataclass(frozen=True)
class Folders:
    """
    Where a student's files lie.

    Attributes
    ----------
    marked, pages : Path
        The student's folders in autograded/ and in feedback/.
    certificate : Path
        The file.
    """

    marked: Path
    pages: Path
    certificate: Path


@dataclass
class Files:
    """
    What is written for a student, by name.

    Attributes
    ----------
    marked, pages : dict
        In autograded/, beside what students were given, and in feedback/.
    certificate : bytes
    """

    marked: dict[str, bytes]
    pages: dict[str, bytes]
    certificate: bytes


@dataclass(frozen=True)
class Parts:
    """
    Files of a folder that are written, and not shown yet.

    Attributes
    ----------
    ready : tuple of str
        Where they belong.
    gone : tuple of str
        What was written earlier, and is no longer true.
    """

    ready: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()

    def show(self) -> None:
        """Put each file where it belongs, whatever stands there."""
        for path in self.gone:
            clear(Path(path))
        for path in self.ready:
            try:
                os.replace(part_of(path), path)
            except IsADirectoryError:
                clear(Path(path))
                os.replace(part_of(path), path)

    def drop(self) -> None:
        """Take them away."""
        for path in self.ready:
            with suppress(OSError):  # nothing can be there
                clear(Path(part_of(path)))


@dataclass(frozen=True)
class Written:
    """The parts of all that `Files` holds."""

    marked: Parts
    pages: Parts
    certificate: Parts

    def drop(self) -> None:
        """Take all of it away."""
        for parts in (self.marked, self.pages, self.certificate):
            parts.drop()


class FileWriter:
    """
    Writes files of students.

    Parameters
    ----------
    given : mapping
        What students were given beside the notebook, by name. It lies in each folder, and is
        written once: the others are links, one file under many names.
    modes : pair of int
        Permissions in autograded/ and in feedback/.
    links : bool
        False where each student has to have files of their own.
    """

    def __init__(self, given: Mapping[str, bytes], modes: tuple[int, int], links: bool) -> None:
        self.given, self.modes, self.links = given, modes, links
        inside = {str(each) for name in given for each in Path(name).parents}
        self.folders = sorted(inside - {"."})  # from the outside in
        self.linked: dict[str, str] = {}

    def write(self, folders: Folders, files: Files) -> Written:
        """Write all of a student's files, or none; they are not seen until they are shown."""
        marked, pages = within(folders.marked, files.marked), within(folders.pages, files.pages)
        certificate = {str(folders.certificate): files.certificate}
        written = Written(
            parts(folders.marked, marked), parts(folders.pages, pages), Parts(tuple(certificate))
        )
        try:
            for each, mode in zip((marked, pages, certificate), (*self.modes, None), strict=True):
                for path, data in each.items():
                    write_part(path, data, mode)
            self.give(folders.marked)
        except BaseException:
            written.drop()
            raise
        return written

    def give(self, folder: Path) -> None:
        """Put what students were given into a folder."""
        for name in self.folders:
            with suppress(FileExistsError):
                os.mkdir(f"{folder}/{name}")
        for name, data in self.given.items():
            path = f"{folder}/{name}"
            if not (self.links and self.link(name, path)):
                write_part(path, data, self.modes[0])
                Parts((path,)).show()
                self.linked[name] = path

    def link(self, name: str, path: str) -> bool:
        """Give a file that was written before one more name; tell whether that could be done."""
        if name not in self.linked:
            return False
        try:
            try:
                os.link(self.linked[name], path)
            except FileExistsError:
                clear(Path(path))
                os.link(self.linked[name], path)
        except OSError:  # it has too many names by now, is gone, or lies on another disk
            return False
        return True


def within(folder: Path, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return files of a folder by their paths."""
    return {f"{folder}/{name}": data for name, data in files.items()}


def parts(folder: Path, files: Mapping[str, bytes]) -> Parts:
    """Return the parts of these files; of those for the exchange, no others are to be there."""
    of_the_exchange = {f"{folder}/{name}" for name in OF_THE_EXCHANGE}
    return Parts(tuple(files), tuple(filter(os.path.lexists, of_the_exchange - files.keys())))


def part_of(path: str) -> str:
    """Return where a file lies until it is shown."""
    folder, _, name = path.rpartition("/")
    return f"{folder}/.{name}.part"


def write_part(path: str, data: bytes, mode: int | None = None) -> None:
    """Write a file where it lies until it is shown; whatever stands there makes way."""
    part, flags = part_of(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        number = os.open(part, flags, 0o666)
    except OSError:
        os.makedirs(os.path.dirname(part), exist_ok=True)
        clear(Path(part))
        number = os.open(part, flags, 0o666)
    try:
        with open(number, "wb") as file:
            file.write(data)
            if mode is not None:
                os.fchmod(number, mode)
    except OSError:  # no space is left, say
        clear(Path(part))
        raise


def write_parts(files: Mapping[str, bytes], mode: int) -> Parts:
    """Write files, by their paths, all or none; they are not seen until they are shown."""
    ready = Parts(tuple(files))
    try:
        for path, data in files.items():
            write_part(path, data, mode)
    except BaseException:
        ready.drop()
        raise
    return ready


def clear_parts(root: Path, folder: str) -> None:
    """Take away what a run that was killed has not shown; `folder` is a pattern."""
    for part in root.glob(f"{os.path.relpath(folder, root)}/**/.*.part"):
        clear(part)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that nobody ever meets half of it."""
    write_part(str(path), data)
    Parts((str(path),)).show()


def clear(path: Path) -> None:
    """Take away what stands at a path of ours, whatever it is."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        if not path.is_dir():
            raise
        shutil.rmtree(path)
