"""What each student of a class has written: read as marking reads it, in workers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from nbgrader.coursedir import CourseDirectory

from grading.alike.fingerprints import fingerprints
from grading.intake.folder import read_folder
from grading.intake.submission import Frame, take_in
from grading.run.bounds import bounded_time
from grading.run.pool import Workers, cores
from grading.source import Source, cells

MOST_TEXT = 100_000  # characters of a submission


@dataclass(frozen=True)
class Work:
    """
    The code of one student.

    Attributes
    ----------
    student : str
    texts : dict
        The text of each code cell that the student has written, by its name.
    prints : frozenset of int
        Their fingerprints.
    """

    student: str
    texts: dict[str, str]
    prints: frozenset[int]


def read_class(
    coursedir: CourseDirectory, source: Source, students: list[str]
) -> Iterator[tuple[str, Work | None]]:
    """Yield each student and, where something could be read, what was written."""
    submitted = Path(coursedir.root) / coursedir.submitted_directory
    folders = iter([(student, submitted / student / source.assignment) for student in students])
    workers = Workers(min(cores(), len(students)))
    try:
        work = partial(read_work, Frame(source.notebook), source.assignment)
        for (student, _), found, _ in workers.run(work, lambda: next(folders, None)):
            yield student, found
    finally:
        workers.close()


def read_work(frame: Frame, name: str, job: tuple[str, Path]) -> Work | None:
    """Return what a student has written; None where nothing could be read."""
    student, folder = job
    with bounded_time(0):
        intake = take_in(read_folder(folder, name), frame, name)
        if intake.status in ("unreadable", "missing"):
            return None
        texts, left = {}, MOST_TEXT
        for cell in intake.notebook.cells:
            own = cells.grade_id(cell) or cell.id
            written = own in intake.answered or not cells.is_answer(cell)
            if cell.cell_type == "code" and cells.is_students(cell) and written:
                texts[own] = cell.source[:left]
                left -= len(texts[own])
        prints = {each.value for text in texts.values() for each in fingerprints(text)}
        return Work(student, texts, frozenset(prints))


def given_prints(source: Source) -> frozenset[int]:
    """Return the fingerprints of what students are given, of the solution and right versions."""
    frame = Frame(source.notebook)
    texts = [
        *frame.released,
        *source.answers.values(),
        *(version.text for version in source.versions if not version.is_mistake),
        *(data.decode() for path, data in source.files.items() if path.endswith(".py")),
    ]
    return frozenset(each.value for text in texts for each in fingerprints(text))
