"""The files beside an assignment's notebooks: what code opens."""

from __future__ import annotations

import functools
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from grading import CourseError
from grading.source.catalogue import LANGUAGES
from grading.source.cells import read_notebook
from grading.source.scratch import scratch

MISTAKES = "mistakes.yaml"  # stays with the instructor


class Material:
    """
    The files of an assignment, for the code that opens them.

    Parameters
    ----------
    name : str
        The assignment's.
    files : mapping
        All that lies in its folder, by its path there.
    templates : str
        Which of them nbgrader writes tests with.
    """

    def __init__(self, name: str, files: Mapping[str, bytes], templates: str) -> None:
        self.name, self.files, self.templates = name, files, templates
        self.is_at_home = False

    @functools.cached_property
    def opened(self) -> dict[str, bytes]:
        """What the course's code may open, by its path; not pictures that the text alone shows."""
        texts = {"code": "", "markdown": "", "raw": ""}
        for path, data in self.files.items():
            if path.endswith(".ipynb") and "/" not in path:
                for cell in read_notebook(f"{self.name}/{path}", data).cells:
                    texts[cell.cell_type] += cell.source
        return {
            path: data
            for path, data in self.files.items()
            if not path.endswith(".ipynb")
            and path not in (MISTAKES, self.templates)
            and path.partition("/")[0] not in LANGUAGES
            and (path in texts["code"] or path not in texts["markdown"])
        }

    @functools.cached_property
    def given(self) -> dict[str, bytes]:
        """What student code may open, by its path: that, if nothing else is said."""
        return self.opened

    def keep_to(self, shipped: Collection[str], most_mb: int) -> None:
        """
        Give to student code what students are given, and nothing else.

        Raises
        ------
        CourseError
            Where that is more than `most_mb`.
        """
        self.given = {path: data for path, data in self.opened.items() if path in shipped}
        size = sum(map(len, self.given.values())) / 2**20
        if size > most_mb:
            raise CourseError(
                f"{self.name}: its files come to {size:,.0f} MB, and a room takes {most_mb}: leave "
                'some out, or set c.Autograde.limits = {"files_mb": ...} in nbgrader_config.py'
            )

    @contextmanager
    def at_home(self) -> Iterator[None]:
        """Be in a folder with the files; what code writes there is gone with it."""
        if self.is_at_home:
            yield
            return
        here = os.getcwd()
        with scratch() as folder:
            for path, data in self.opened.items():
                file = folder / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(data)
            os.chdir(folder)
            self.is_at_home = True
            try:
                yield
            finally:
                self.is_at_home = False
                os.chdir(here)
