"""What each student of a class has written: read as marking reads it, in workers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from nbgrader.coursedir import CourseDirectory

from grading.alike.fingerprints import fingerprints
from grading.intake.folder import read_folder
from grading.intake.merge import Frame
from grading.intake.submission import NOTHING_READ, take_in
from grading.run.bounds import bounded_time
from grading.run.pool import Workers, cores
from grading.source import Assignment, cells
from grading.source.catalogue import ENGLISH

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
    is_cut : bool
        Whether there is more code than is compared.
    """

    student: str
    texts: dict[str, str]
    prints: frozenset[int]
    is_cut: bool = False


def read_class(
    coursedir: CourseDirectory, assignment: Assignment, students: list[str]
) -> Iterator[tuple[str, Work | None]]:
    """Yield each student and, where something could be read, what was written."""
    submitted, name = coursedir.submitted_directory, assignment.name
    paths = {student: coursedir.format_path(submitted, student, name) for student in students}
    folders = iter([(student, Path(path)) for student, path in paths.items()])
    frames = {n: Frame(e.notebook, e.translations) for n, e in assignment.notebooks.items()}
    work = partial(read_work, frames, assignment.name)
    workers = Workers(min(cores(), len(students)), work)
    try:
        for (student, _), found, _ in workers.run(lambda: next(folders, None)):
            yield student, found
    finally:
        workers.close()


def read_work(frames: dict[str, Frame], assignment: str, job: tuple[str, Path]) -> Work | None:
    """Return what a student has written; None where nothing could be read."""
    student, folder = job
    with bounded_time(0):
        intake = take_in(read_folder(folder, frames), frames, assignment)
        if intake.status in NOTHING_READ:
            return None
        texts, left = {}, MOST_TEXT
        for notebook, part in intake.parts.items():
            for cell in part.notebook.cells:
                name = cells.grade_id(cell) or cell.id
                written = name in part.answered or not cells.is_answer(cell)
                if cell.cell_type == "code" and cells.is_students(cell) and written:
                    where = name if len(frames) == 1 else f"{notebook}: {name}"
                    texts[where] = cell.source[:left]
                    left -= len(texts[where])
        prints = {each.value for text in texts.values() for each in fingerprints(text)}
        return Work(student, texts, frozenset(prints), is_cut=left <= 0)


def given_prints(assignment: Assignment) -> frozenset[int]:
    """Return the fingerprints of what students are given, of the solution and right versions."""
    texts = [d.decode() for path, d in assignment.files.items() if path.endswith(".py")]
    for source in assignment.notebooks.values():
        texts += [*Frame(source.notebook).texts[ENGLISH], *source.answers.values()]
        texts += [version.text for version in source.versions if not version.is_mistake]
    return frozenset(each.value for text in texts for each in fingerprints(text))
