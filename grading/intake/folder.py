"""The folder that a student handed in: the only place that opens what lies there."""

from __future__ import annotations

import codecs
import contextlib
import os
import stat
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from grading.findings import Finding
from grading.intake.notes import some
from grading.intake.outputs import without_outputs
from grading.source import digest

MAX_FILE = 100_000_000  # bytes of a notebook; nbgrader lets as much through
MAX_BYTES = 20_000_000  # of it, without its outputs
MAX_TOTAL = 40_000_000  # of all files without theirs, for each notebook of the assignment
MAX_FILES = 10_000  # looked at in a submission
MAX_DEPTH = 3  # of folders in it
MAX_NOTEBOOKS = 10  # read, to find the right one; one more for each further notebook
TIMESTAMP, SECRET = "timestamp.txt", "submission_secret.txt"  # of nbgrader's exchange
MAX_SECRET = 1000  # bytes; nbgrader's has 128
PACKED = (".zip", ".tar", ".tar.gz", ".tgz", ".7z", ".rar")


class Unreadable(Exception):
    """Why nothing can be made of a file; the end of a sentence that begins with its name."""

    def __init__(self, message: str, **fields: object) -> None:
        self.finding = Finding(message, fields)
        super().__init__(str(self.finding))


@dataclass
class HandedIn:
    """
    A student's folder, read once.

    Attributes
    ----------
    files : list of str
        The plain files, by their path in the folder; a name may hold any bytes.
    other : list of str
        Links, pipes, devices and the like, which are not followed.
    read : dict
        What the notebooks and the files of the exchange hold, by path; large notebooks without
        their outputs.
    refused : dict
        Why one of them was not read, by path.
    changed : list of str
        Modules that students are given, and that say something else here.
    """

    files: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    read: dict[str, bytes] = field(default_factory=dict)
    refused: dict[str, Finding] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)

    @property
    def notebooks(self) -> list[str]:
        """The files that claim to be notebooks."""
        return [path for path in self.files if is_notebook(path)]

    def in_order(self, names: Iterable[str]) -> list[str]:
        """Return the notebooks that are looked at, those of the right names first."""
        right = [f"{name}.ipynb" for name in names]
        found = sorted(self.notebooks, key=lambda path: (path not in right, path))
        return found[: MAX_NOTEBOOKS + len(right) - 1]

    @property
    def secret(self) -> bytes:
        """By which nbgrader's exchange gives the page to its student alone; b"" without."""
        found = self.read.get(SECRET, b"")
        return found if len(found) <= MAX_SECRET else b""

    @property
    def hash(self) -> str:
        """The hash of what counts: names, notebooks, and when it was handed in."""
        parts: list[str | bytes] = []
        for path in sorted(self.files):
            parts += [os.fsencode(path), self.read.get(path) or str(self.refused.get(path, ""))]
        return digest([*parts, *map(os.fsencode, self.other), *self.changed])


def read_folder(
    folder: Path, names: Collection[str], given: Callable[[str], Iterable[bytes]] = lambda path: ()
) -> HandedIn:
    """
    Read what a student handed in; nothing in the folder can make this raise, or take long.

    Parameters
    ----------
    folder : Path
    names : collection of str
        The names of the notebooks that are looked for, without `.ipynb`.
    given : callable, optional
        What a module that students are given may say, by its path: in English, or translated.
    """
    handed = HandedIn(*look_into(folder))
    stamps = [path for path in (TIMESTAMP, SECRET) if path in handed.files]
    for path in [*stamps, *handed.in_order(names)]:
        left = MAX_TOTAL * len(names) - sum(map(len, handed.read.values()))
        try:
            handed.read[path] = read_notebook(folder / path, min(left, MAX_BYTES))
        except Unreadable as error:
            handed.refused[path] = error.finding
    handed.changed = [path for path in handed.files if differs(folder / path, given(path))]
    return handed


def differs(path: Path, given: Iterable[bytes]) -> bool:
    """Tell whether a file says something else than what is given in its place, if anything is."""
    there = False
    for text in given:
        there = True
        if same_text(path, text):
            return False
    return there


def same_text(path: Path, given: bytes) -> bool:
    """Tell whether a file says the same, line ends left out."""
    try:
        return read_file(path, 2 * len(given) + 1).split() == given.split()
    except Unreadable:
        return False


def look_into(folder: Path) -> tuple[list[str], list[str]]:
    """Return the plain files of a folder, and its links, pipes and the like; follow none."""
    files: list[str] = []
    other: list[str] = []
    with contextlib.suppress(OSError):  # what may not be looked at is not there
        if not stat.S_ISDIR(os.lstat(folder).st_mode):
            return [], [folder.name]
        for place, folders, names, descriptor in os.fwalk(folder):
            inside = Path(place).relative_to(folder)
            entries = sorted([*folders, *names], key=lambda n: (not is_notebook(n), n))
            folders.clear()
            for entry in entries:
                if len(files) + len(other) == MAX_FILES:
                    return files, other
                if entry.startswith((".", "__")):  # checkpoints, caches, what macOS adds
                    continue
                mode = mode_of(entry, descriptor)
                if stat.S_ISDIR(mode) and not is_notebook(entry):
                    folders += [entry] if len(inside.parts) < MAX_DEPTH else []
                else:
                    (files if stat.S_ISREG(mode) else other).append(str(inside / entry))
    return files, other


def mode_of(entry: str, descriptor: int) -> int:
    """Return what an entry of an open folder is; 0 where it has gone meanwhile."""
    try:
        return os.stat(entry, dir_fd=descriptor, follow_symlinks=False).st_mode
    except OSError:
        return 0


def is_notebook(path: str) -> bool:
    """Tell whether a file claims to be a notebook; browsers save some as `.ipynb.txt`."""
    return ".ipynb" in os.path.basename(path).lower()


def read_notebook(path: Path, limit: int) -> bytes:
    """Read a notebook; of one that is larger than the limit, what is not output."""
    raw = read_file(path, MAX_FILE)
    if len(raw) <= limit:
        return raw
    if not is_utf8(raw):
        raise Unreadable(
            "is larger than {most:g} MB: clear its outputs, and save it again", most=limit / 1e6
        )
    kept = without_outputs(raw)
    if len(kept) > limit:
        raise Unreadable("is larger than {most:g} MB, outputs left out", most=limit / 1e6)
    return kept


def copy_plain_files(folder: Path, to: Path, limit: int) -> list[str]:
    """
    Copy the plain files of a folder, whatever its owner makes of it meanwhile.

    Returns
    -------
    list of str
        What was left out: links, pipes, files that cannot be read or are larger than `limit`.
    """
    files, left = look_into(folder)
    to.mkdir()
    for path in files:
        try:
            text = read_inside(folder, path, limit)
        except (Unreadable, OSError):
            left.append(path)
        else:
            (to / path).parent.mkdir(parents=True, exist_ok=True)
            (to / path).write_bytes(text)
    return left


def read_inside(folder: Path, path: str, limit: int) -> bytes:
    """Read a plain file in a folder; no link on the way to it is followed, either."""
    *folders, name = Path(path).parts
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY
    with contextlib.ExitStack() as opened:
        place = None
        for each in [str(folder), *folders]:
            place = os.open(each, flags, dir_fd=place)
            opened.callback(os.close, place)
        return read_file(Path(name), limit, place)


def read_file(path: Path, limit: int, place: int | None = None) -> bytes:
    """Read a plain file that is not too large, and nothing else; `place` is an open folder."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=place)
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Unreadable("is no plain file")
            if os.fstat(descriptor).st_size > limit:
                raise Unreadable("is larger than {most:g} MB", most=limit / 1e6)
            raw = file.read(limit + 1)
    except OSError as error:
        raise Unreadable("cannot be opened: {said}", said=error.strerror) from None
    if len(raw) > limit:
        raise Unreadable("is larger than {most:g} MB", most=limit / 1e6)
    return raw


def is_utf8(raw: bytes) -> bool:
    """Tell whether bytes are a text in UTF-8, without a copy of it."""
    decoder, step = codecs.getincrementaldecoder("utf-8")(), 2**20
    try:
        for at in range(0, len(raw), step):
            decoder.decode(raw[at : at + step])
    except UnicodeDecodeError:
        return False
    return True


def describe(handed: HandedIn, shipped: Iterable[str], count: int = 1) -> list[Finding]:
    """Say which files are not used, of a submission of so many notebooks."""
    used = {*shipped, TIMESTAMP, SECRET}
    unused = [path for path in handed.files if not is_notebook(path) and path not in used]
    notes = []
    if unused:
        notes.append(Finding("other files, not used: {files}", {"files": some(unused)}))
    packed = [path for path in unused if path.lower().endswith(PACKED)]
    if packed and not any(map(is_notebook, handed.files)):
        files = {"files": some(packed)}
        notes.append(Finding("the notebook may be in {files}: unpack it here", files))
    if handed.changed:
        files = {"files": some(handed.changed)}
        notes.append(Finding("changed, where the course's own counts: {files}", files))
    if handed.other:
        files = {"files": some(handed.other)}
        notes.append(Finding("links, folders, pipes or devices, not followed: {files}", files))
    if len(handed.files) + len(handed.other) >= MAX_FILES:
        most = {"most": MAX_FILES}
        notes.append(Finding("more than {most} files: the others were not looked at", most))
    most = {"most": MAX_NOTEBOOKS + count - 1}
    if len(handed.notebooks) > most["most"]:
        notes.append(Finding("more than {most} notebooks: the others were not looked at", most))
    return notes
