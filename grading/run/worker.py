"""One submission, marked: a clean notebook goes in, a marked one comes out."""

from __future__ import annotations

import atexit
import functools
import json
import os
import pickle
import shutil
import tempfile
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import from_dict
from nbgrader.converters import Autograde
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades
from traitlets.config import Config

from grading.marking.notebook import Execute
from grading.marking.result import Mark, read_marks
from grading.run.certificate import environment
from grading.source.assignment import source_folder


@dataclass(frozen=True)
class Job:
    """
    A submission to be marked.

    Attributes
    ----------
    student, assignment : str
    notebook : str
        JSON of the notebook as intake made it.
    most_seconds : float
        Wall time that its code may take in all, if that is less than the limits allow.
    """

    student: str
    assignment: str
    notebook: str
    most_seconds: float


@dataclass
class Marked:
    """
    A marked submission; the last eight as in `Certificate`.

    Attributes
    ----------
    notebook : str
        JSON of the notebook with all outputs.
    marks : list of Mark
    """

    notebook: str
    marks: list[Mark]
    isolation: str
    environment: dict[str, str]
    problems: list[str]
    timed_out: bool
    rooms: int
    seconds: float
    cpu_seconds: float
    peak_mb: float


@dataclass(frozen=True)
class Settings:
    """
    What a worker has to know of the course.

    Attributes
    ----------
    steps : bytes
        nbgrader's configuration, and the preprocessors up to the grade book, pickled.
    source : bytes
        For workers that do not see the course folder: what the marking needs of the
        assignment's source, packed; b"" for the others.
    """

    steps: bytes
    source: bytes = b""


def settings_of(config: Config, assignment: str, packed: bool) -> Settings:
    """Return the settings for workers, with the source packed for those elsewhere."""
    before, _ = split_steps(config)
    return Settings(pickle.dumps((config, before)), pack(assignment) if packed else b"")


def split_steps(config: Config) -> tuple[list[type], list[type]]:
    """Return nbgrader's steps of autograding: before the grade book, and from there on."""
    steps = list(Autograde(config=config).autograde_preprocessors)
    first = steps.index(SaveAutoGrades)
    return steps[:first], steps[first:]


def mark(settings: Settings, job: Job) -> Marked:
    """Run the steps of autograding that need no grade book."""
    begin = time.monotonic()
    if settings.source:
        os.chdir(unpacked(settings.source))
    notebook = from_dict(json.loads(job.notebook))
    names = {"assignment": job.assignment, "student": job.student, "notebook": job.assignment}
    resources: dict[str, Any] = {"nbgrader": {**names, "most_seconds": job.most_seconds}}
    steps = prepared(settings.steps)
    for step in steps:
        notebook, resources = step(notebook, resources)
    done = resources["rooms"]
    return Marked(
        notebook=json.dumps(notebook, ensure_ascii=False),
        marks=read_marks(notebook),
        isolation=next(s for s in steps if isinstance(s, Execute)).nursery().isolation,
        environment=environment(),
        problems=done.problems,
        timed_out=done.timed_out,
        rooms=done.rooms,
        seconds=time.monotonic() - begin,
        cpu_seconds=done.cpu_seconds,
        peak_mb=done.peak_mb,
    )


@functools.lru_cache(4)
def prepared(steps: bytes) -> list[NbGraderPreprocessor]:
    """Return the steps, made ready once per process."""
    config, kinds = pickle.loads(steps)
    return [kind(config=config) for kind in kinds]


# -------------------------------------------------- workers on other machines


def pack(assignment: str) -> bytes:
    """Pack what the marking needs of an assignment's source."""
    folder = source_folder(assignment)
    names = [f"{assignment}.ipynb", "mistakes.yaml", *(p.name for p in folder.glob("*.py"))]
    files = {f"source/{assignment}/{name}": (folder / name).read_bytes() for name in names}
    return zlib.compress(pickle.dumps({**files, "nbgrader_config.py": b""}))


@functools.lru_cache(4)
def unpacked(source: bytes) -> Path:
    """Return a folder with what was packed; it is made once per process."""
    folder = Path(tempfile.mkdtemp(prefix="rnn-course-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name, data in pickle.loads(zlib.decompress(source)).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder
