"""An assignment as its author wrote it: read once for a run, and handed on."""

from __future__ import annotations

import functools
import hashlib
import json
import pickle
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import CodeType
from typing import Any

import nbformat
from nbformat import NotebookNode

from grading import CourseError
from grading.source import cells
from grading.source.cells import Kind
from grading.source.course import course_root
from grading.source.mistakes import Version, read_versions
from grading.source.modules import CourseModules, read_modules
from grading.source.moved import say_where

MISTAKES = "mistakes.yaml"  # stays with the instructor
KNOWN_MISTAKES = "known_mistakes.json"  # what students get of it, generated


class Source:
    """
    An assignment: its notebook, with the solution, its table of mistakes, its files.

    Parameters
    ----------
    assignment : str
    files : dict
        All that lies in source/<assignment>, by its path there.
    modules : dict
        The modules of the course, by their path in the course folder.

    Attributes
    ----------
    notebook : NotebookNode
    answers : dict
        The text of each solution cell, by its name: the function's.
    tests : dict
        The text of each test, hidden parts included, by the cell's name.
    """

    def __init__(
        self, assignment: str, files: Mapping[str, bytes], modules: Mapping[str, bytes]
    ) -> None:
        self.assignment = assignment
        self.files, self.course_modules = dict(files), dict(modules)
        self.notebook = self._read_notebook()
        own = {path: text for path, text in files.items() if path.endswith(".py")}
        self.modules = CourseModules({**modules, **own})
        self.answers = self._named(Kind.SOLUTION)
        self.tests = self._named(Kind.TEST)

    def _read_notebook(self) -> NotebookNode:
        name = f"{self.assignment}.ipynb"
        if name not in self.files:
            raise CourseError(f"{self.assignment}: there is no source/{self.assignment}/{name}")
        return nbformat.reads(self.files[name].decode(), as_version=4)

    def _named(self, *kinds: Kind) -> dict[str, str]:
        found = (cell for cell in self.notebook.cells if cells.kind_of(cell) in kinds)
        return {cells.grade_id(cell): cell.source for cell in found if cells.grade_id(cell)}

    @contextmanager
    def importing(self) -> Iterator[None]:
        """Let the assignment's code import the course's modules, as they were read."""
        with self.modules.importing():
            yield

    # The solution

    @functools.cached_property
    def setup(self) -> str:
        """The cell `setup`, or else the locked code above the first answer."""
        named = self._named(Kind.CHECK)
        if "setup" in named:
            return named["setup"]
        texts = []
        for cell in self.notebook.cells:
            if cells.is_answer(cell):
                break
            if cells.kind_of(cell) is Kind.CHECK:
                texts.append(cell.source)
        return "\n\n".join(texts)

    @functools.cached_property
    def examples(self) -> dict[str, str]:
        """The text of the visible examples and checks, by the cells' names, in order."""
        named = self._named(Kind.CHECK)
        return {n: text for n, text in named.items() if n.startswith(("example_", "check_"))}

    def namespace(self, **replaced: str) -> dict[str, Any]:
        """
        Run set-up and solution, some cells of it `replaced`; return what they define.

        Raises
        ------
        CourseError
            Where a cell stops: which, and why.
        """
        names: dict[str, Any] = {"__name__": "solution"}
        with self.importing():
            for name, text in {"setup": self.setup, **self.answers, **replaced}.items():
                self.run(name, text, names)
        return names

    def run(self, name: str, text: str, names: dict[str, Any]) -> None:
        """Run a cell of the author's; one that stops is said with its name, and why."""
        try:
            exec(compiled(text, name), names)
        except Exception as error:
            said = say_where(error) or f"stops with {type(error).__name__}: {error}"
            raise CourseError(f"{self.assignment}, {name}: {said}") from None

    @functools.cached_property
    def _right(self) -> dict[str, Any]:
        return self.namespace()

    def function(self, name: str) -> Callable:
        """Return the right function of this name."""
        return self._right[name]

    # The mistakes

    @functools.cached_property
    def versions(self) -> list[Version]:
        """The named wrong and right versions of the functions; [] without mistakes.yaml."""
        return list(read_versions(self.files.get(MISTAKES, b""), self.answers))

    def mistakes(self, function: str) -> list[Version]:
        """Return the known mistakes of one function that its own test shows."""
        return [v for v in self.versions_shown_in(function) if v.function == function]

    def mistakes_of_others(self, function: str) -> list[Version]:
        """Return those of other functions that show in this one's test: they pass a wrong cache."""
        return [v for v in self.versions_shown_in(function) if v.function != function]

    def versions_shown_in(self, function: str) -> list[Version]:
        """Return the known mistakes that lose points in the test of this function."""
        return [v for v in self.versions if v.is_mistake and v.shows_in == function]

    def build(self, version: Version) -> Callable:
        """Return a version as a function, amid the right other functions."""
        names = dict(self._right)
        with self.importing():
            self.run(version.function, version.text, names)
        return names[version.function]

    # Hashes

    @functools.cached_property
    def hashes(self) -> dict[str, Any]:
        """Hashes of what all marks depend on (`all`), and those of each test (`tests`)."""
        texts = {cells.grade_id(c): c.source for c in self.notebook.cells if cells.grade_id(c)}
        imported = self.modules.reached_from([self.setup, *self.tests.values()])
        shared = [part for item in sorted(imported.items()) for part in item]
        names = list(texts)
        tests = {}
        for name in self.tests:
            before = [n for n in names[: names.index(name)] if n not in self.tests]
            tests[name] = digest([*shared, json.dumps({n: texts[n] for n in before}), texts[name]])
        table = self.files.get(MISTAKES, b"")
        return {"all": digest([*shared, table, json.dumps(texts)]), "tests": tests}

    # The way to workers that see no course folder

    def packed(self) -> bytes:
        """Return the source as bytes."""
        return zlib.compress(pickle.dumps((self.assignment, self.files, self.course_modules)))

    @classmethod
    def unpacked(cls, data: bytes) -> Source:
        """Return the source that was packed."""
        return cls(*pickle.loads(zlib.decompress(data)))


def read_source(assignment: str, root: Path | None = None, folder: Path | None = None) -> Source:
    """
    Read an assignment.

    Parameters
    ----------
    assignment : str
    root : Path, optional
        The course folder; the one here if none is given.
    folder : Path, optional
        Where the source lies, if not in source/<assignment>.

    Raises
    ------
    CourseError
        Where there is none.
    """
    root = root or course_root()
    folder = folder or root / "source" / assignment
    paths = [p for p in sorted(folder.glob("**/*")) if p.is_file() and not is_scratch(p, folder)]
    files = {str(path.relative_to(folder)): path.read_bytes() for path in paths}
    return Source(assignment, files, read_modules(root))


def is_scratch(path: Path, folder: Path) -> bool:
    """Tell whether a file is left behind by Jupyter or Python."""
    parts = path.relative_to(folder).parts
    return any(part == "__pycache__" or part.startswith(".") for part in parts)


@functools.lru_cache(1000)
def compiled(text: str, name: str) -> CodeType:
    """Compile the text of a cell."""
    return compile(text, f"<{name}>", "exec", dont_inherit=True)


def digest(parts: Iterable[str | bytes]) -> str:
    """Return the SHA-256 of several texts."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "big") + data)
    return total.hexdigest()
