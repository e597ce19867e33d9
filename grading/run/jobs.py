"""The jobs of workers: a student's folder goes in, marks, marked notebook and page come out."""

from __future__ import annotations

import contextlib
import json
import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from grading.entries import Entry
from grading.findings import Finding
from grading.intake.folder import HandedIn, read_folder
from grading.run.bounds import bounded_time
from grading.run.files import Files, Folders, Parts, Written
from grading.run.marked import Marked
from grading.run.renew import make_anew, packed, unpacked
from grading.run.worker import Marker, Reader, Settings, make_ready


@dataclass(frozen=True)
class Read:
    """To read what a student handed in."""

    student: str
    folder: Path

    def work(self, reader: Reader) -> HandedIn:
        """Return what lies in the folder."""
        with bounded_time(0):
            return read_folder(self.folder, reader.assignment.notebooks, reader.given)


@dataclass(frozen=True)
class Hash:
    """To hash it; `marked` is where the marked notebooks lie."""

    student: str
    folder: Path
    marked: tuple[Path, ...]

    def work(self, reader: Reader) -> str:
        """Return the hash of the folder; "" where a marked notebook is not there and whole."""
        there = all(map(is_whole, self.marked))
        return Read(self.student, self.folder).work(reader).hash if there else ""


def is_whole(notebook: Path) -> bool:
    """Tell whether a marked notebook is there, and not damaged."""
    try:
        return notebook.is_file() and isinstance(json.loads(notebook.read_bytes()), dict)
    except (OSError, ValueError, RecursionError):
        return False


@dataclass(frozen=True)
class Mark:
    """
    To mark a submission.

    Attributes
    ----------
    student : str
    handed : Path, HandedIn or Exception
        What was handed in, or where it lies, or why it could not be read.
    most_seconds : float
        Time that its code may take in all, if that is less than the limits allow.
    number : int or None
        Of the set of hidden data; None for that which its own code chooses.
    known : Entry or None
        Who it is, for pages and certificate; None where these are not made yet.
    notes : list of str
        What the certificate says beside.
    folders : Folders or None
        Where files are written, if that can be done here.
    """

    student: str
    handed: Path | HandedIn | Exception
    most_seconds: float = math.inf
    number: int | None = None
    known: Entry | None = None
    notes: list[str] = field(default_factory=list)
    folders: Folders | None = None

    def work(self, marker: Marker) -> Marked:
        """Return what came of it; files are ready if it is all that counts."""
        marked, notebooks = self.mark(marker)
        is_last = self.most_seconds == math.inf or not marked.certificate.timed_out
        if self.known is not None and is_last:
            bound = bounded_time(sum(map(len, marked.notebooks.values())), len(notebooks))
            with contextlib.suppress(Exception), bound:  # they are asked for again, and it is told
                entry = marked.foresee(self.known)
                files = marker.files(self.student, marked, self.notes, entry, notebooks)
                marked.written, marked.foreseen = marker.write(files, self.folders), entry
        return marked

    def mark(self, marker: Marker) -> tuple[Marked, dict[str, NotebookNode]]:
        """Mark it; return the notebooks, too."""
        handed = self.handed
        if isinstance(handed, Exception):
            raise handed
        if not isinstance(handed, HandedIn):
            handed = Read(self.student, handed).work(marker)
        size = sum(map(len, handed.read.values()))
        with bounded_time(size, len(marker.assignment.notebooks)):
            return marker.mark(self.student, handed, self.most_seconds, self.number)


@dataclass(frozen=True)
class Finish:
    """
    To make pages and certificate of what is in the grade book.

    Attributes
    ----------
    student : str
    marked : Marked
        What was handed in: in a group, another member may have done that.
    entry : Entry
        What the grade book holds by now.
    notes, folders
        As in `Mark`.
    """

    student: str
    marked: Marked
    entry: Entry
    notes: list[str]
    folders: Folders | None

    def work(self, marker: Marker) -> Files | Written:
        """Return what is ready."""
        texts, marked = self.marked.notebooks, self.marked
        with bounded_time(sum(map(len, texts.values())), len(texts)):
            notebooks = unpacked(texts)
            if marked.certificate.student_id != self.student:
                for notebook in notebooks.values():
                    self.tell_by_whom(notebook, marker)
                texts = {name: packed(notebook) for name, notebook in notebooks.items()}
                marked = replace(marked, notebooks=texts)
            files = marker.files(self.student, marked, self.notes, self.entry, notebooks)
            return marker.write(files, self.folders)

    def tell_by_whom(self, notebook: NotebookNode, marker: Marker) -> None:
        """Let the page of a member of a group say who handed in, whenever it is made."""
        about = notebook.metadata["intake"]
        by = self.marked.certificate.student_id
        note = Finding("handed in by {student}, for your group", {"student": by})
        words = marker.assignment.words(about["language"])
        about["notes"] = [note.said(words), *about["notes"]]


@dataclass(frozen=True)
class Renew:
    """
    To make the pages of a marked submission anew.

    Attributes
    ----------
    student : str
    marked, entry, folder
        As in `make_anew`.
    """

    student: str
    marked: dict[str, Path]
    entry: Entry
    folder: Path

    def work(self, reader: Reader) -> Parts:
        """Return the pages, which are not shown yet."""
        mode = reader.settings.modes[1]
        return make_anew(reader.pages, self.marked, self.entry, self.folder, mode)


Job = Read | Hash | Mark | Finish | Renew


def do_job(settings: Settings, job: Job) -> Any:
    """Do one job; who reads needs no rooms."""
    if isinstance(job, Read | Hash | Renew):
        return job.work(make_ready(settings, Reader))
    return job.work(make_ready(settings, Marker))
