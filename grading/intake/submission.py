"""A submission, sorted out before anything runs: the source notebooks with the student's text."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from nbformat import NotebookNode
from traitlets.config import Config

from grading.findings import Finding, Words
from grading.intake.folder import (
    TIMESTAMP,
    HandedIn,
    Unreadable,
    describe,
    look_into,
    read_file,
)
from grading.intake.merge import Frame, Merge
from grading.intake.notes import some, tidy
from grading.intake.raw_cells import read_cells
from grading.intake.timestamps import UnknownZone, parse_time
from grading.source.catalogue import ENGLISH

NOTHING_READ = ("unreadable", "missing")


@dataclass
class Part:
    """
    What was made of one notebook of a submission.

    Attributes
    ----------
    notebook : NotebookNode
        The source notebook with the student's solutions and own cells in it; as it was
        released, where nothing could be read.
    status : str
        "ok", "repaired", "unreadable" or "missing".
    notes : list of Finding
        One line each: what was found, what was done.
    answered : set of str
        The names of the cells that the student has written.
    language : str
        Of the notebook that came in; of the course, where nothing could be read.
    """

    notebook: NotebookNode
    status: str
    notes: list[Finding]
    answered: set[str] = field(default_factory=set)
    language: str = ENGLISH


@dataclass
class Intake:
    """
    A submission, sorted out.

    Attributes
    ----------
    parts : dict of Part
        By the names of the source's notebooks.
    status : str
        "ok", "repaired", "unreadable" or "missing".
    notes : list of Finding
        On the folder as a whole; those on a notebook stand with its part.
    timestamp : datetime or None
        When it was handed in, in UTC, if that is known.
    """

    parts: dict[str, Part]
    status: str
    notes: list[Finding]
    timestamp: datetime | None = None

    @property
    def language(self) -> str:
        """The language of the first notebook that came in; of the course, where none did."""
        parts = list(self.parts.values())
        came = [part for part in parts if part.status not in NOTHING_READ]
        return (came or parts)[0].language

    def all_notes(self, words: Words) -> list[str]:
        """Return all notes in words; those on one of several notebooks begin with its name."""
        several = len(self.parts) > 1
        parts = [(f"{n}: " if several else "", part) for n, part in self.parts.items()]
        said = [start + note for start, part in parts for note in tidy(part.notes, words)]
        return said + tidy(self.notes, words)


def take_in(
    handed: HandedIn,
    frames: Mapping[str, Frame],
    assignment: str,
    shipped: Collection[str] = (),
    timezone: str = "",
) -> Intake:
    """
    Make of a submission notebooks that can be graded.

    Nothing that was handed in can make this raise. Ids, points, order, locked cells,
    metadata and kernel are those of the source; of the submission, only the text of cells
    is kept.

    Parameters
    ----------
    handed : HandedIn
    frames : mapping of Frame
        The instructor's notebooks, by their names without `.ipynb`.
    assignment : str
    shipped : collection of str
        Files that students receive with it, which need no note.
    timezone : str
        Of the course: see `parse_time`.
    """
    merges, broken = read_notebooks(handed, frames, assignment)
    chosen = choose(merges)
    parts = {}
    for name, frame in frames.items():
        if name in chosen:
            parts[name] = part_of(chosen[name], merges[chosen[name], name], name)
        else:
            parts[name] = empty_part(frame, name, broken, is_only=len(frames) == 1)
    also = {path for path, _ in merges} - set(chosen.values())
    repairs = [Finding("there is also {files}", {"files": some(sorted(also))})] if also else []
    repairs += [on_file(path, why) for path, why in broken.items()]
    counted = [parts[name] for name, frame in frames.items() if frame.counted]
    states = {part.status for part in counted or parts.values()}
    if not states <= set(NOTHING_READ):
        status = "repaired" if repairs or states - {"ok", "missing"} else "ok"
    else:
        status = "unreadable" if repairs or "unreadable" in states or handed.other else "missing"
        for part in counted:
            part.status = status
    notes, timestamp = read_timestamp(handed, timezone)
    notes = [*repairs, *notes, *describe(handed, shipped, len(frames))]
    return Intake(parts, status, notes, timestamp)


def read_notebooks(
    handed: HandedIn, frames: Mapping[str, Frame], assignment: str
) -> tuple[dict[tuple[str, str], Merge], dict[str, Finding]]:
    """
    Sort each notebook that was handed in into those that it may be.

    Returns
    -------
    tuple
        By the path and the source notebook's name, what comes of the two; and by path, why
        nothing can be made of a file.
    """
    merges: dict[tuple[str, str], Merge] = {}
    broken = {}
    for path in handed.in_order(frames):
        try:
            if path in handed.refused:
                broken[path] = handed.refused[path]
                continue
            found, notes = read_cells(handed.read[path])
        except Unreadable as error:
            broken[path] = error.finding
            continue
        own = name_in(path)
        tried = {n: Merge(f, [replace(c) for c in found], notes) for n, f in frames.items()}
        known = {name: merge for name, merge in tried.items() if merge.known}
        # two notebooks may have cells of one name, and one may have none that count
        if own in known or (own in frames and not frames[own].counted):
            known = {own: tried[own]}
        if not known:
            broken[path] = Finding(
                "holds no function of {assignment}: another assignment?",
                {"assignment": assignment},
            )
        merges |= {(path, name): merge for name, merge in known.items()}
    return merges, broken


def choose(merges: Mapping[tuple[str, str], Merge]) -> dict[str, str]:
    """
    Choose for each notebook of the source a file, by its path; each file is one notebook at most.

    One that was worked on comes first, then the one of the right name, then the fullest.
    """

    def rank(pair: tuple[str, str]) -> tuple[bool, bool, int]:
        answers = len(merges[pair].answers)
        return bool(answers), name_in(pair[0]) == pair[1], answers

    chosen: dict[str, str] = {}
    for path, name in sorted(merges, key=rank, reverse=True):
        if name not in chosen and path not in chosen.values():
            chosen[name] = path
    return chosen


def part_of(path: str, merge: Merge, name: str) -> Part:
    """Return what a file has given."""
    fields = {"expected": f"{name}.ipynb", "file": path}
    other = Finding("not {expected} but {file} was read", fields)
    notes = [*([] if name_in(path) == name else [other]), *merge.notes]
    status = "repaired" if notes else "ok"
    answered = {merge.frame.solutions[place] for place in merge.answers}
    return Part(merge.build(), status, notes + merge.remarks, answered, merge.language)


def on_file(path: str, why: Finding) -> Finding:
    """Say of a file why nothing can be made of it."""
    return Finding("{file} {why}", {"file": path, "why": why})


def empty_part(frame: Frame, name: str, broken: dict[str, Finding], is_only: bool) -> Part:
    """Return what stands for a notebook of which there is no file, or one that is `broken`."""
    merge = Merge(frame, [], [])
    untouched, language = merge.build(), merge.language
    path = f"{name}.ipynb"
    if path in broken:
        return Part(untouched, "unreadable", [on_file(path, broken.pop(path))], language=language)
    if not frame.counted:
        return Part(untouched, "ok", [], language=language)
    note = Finding("there is no notebook: 0 points for it", {})
    if is_only:
        note = Finding("there is no notebook", {})
    notes = [] if is_only and broken else [note]
    return Part(untouched, "missing", notes, language=language)


def name_in(path: str) -> str:
    """Return the name of a notebook, without `.ipynb`."""
    return path.removesuffix(".ipynb")


def when(folder: Path, timezone: str) -> tuple[bool, datetime | None]:
    """Tell whether there is a notebook in a folder, and when it was handed in if that is known."""
    return bool(HandedIn(*look_into(folder)).notebooks), time_of(folder, timezone)


def time_of(folder: Path, timezone: str) -> datetime | None:
    """Return when a folder was handed in, None where nothing sound tells it."""
    handed = HandedIn([TIMESTAMP])
    with contextlib.suppress(Unreadable):
        handed.read[TIMESTAMP] = read_file(folder / TIMESTAMP, 1000)
    return read_timestamp(handed, timezone)[1]


def language_of(config: Config) -> str:
    """Return the language of a course."""
    return str(config.get("Translate", {}).get("language", ENGLISH))


def timezone_of(config: Config) -> str:
    """Return the time zone of a course, "" where it has none."""
    return str(config.get("Exchange", {}).get("timezone", ""))


def read_timestamp(handed: HandedIn, timezone: str) -> tuple[list[Finding], datetime | None]:
    """Read when the submission was handed in, from the file that nbgrader keeps."""
    if TIMESTAMP not in handed.files:
        return [], None
    try:
        return [], parse_time(handed.read[TIMESTAMP][:100].decode().strip(), timezone)
    except UnknownZone as zone:
        said = Finding(
            "timestamp.txt: {zone}; not counted as late. Write +0800 or the like there",
            {"zone": zone.finding},
        )
        return [said], None
    except Exception:  # dateutil raises whatever comes
        return [Finding("timestamp.txt holds no date: not counted as late", {})], None
