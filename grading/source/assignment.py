"""An assignment as its author wrote it: read once for a run, and handed on."""

from __future__ import annotations

import copy
import functools
import hashlib
import io
import json
import pickle
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, redirect_stdout, suppress
from pathlib import Path
from types import FunctionType
from typing import Any

from nbformat import NotebookNode

from grading import CellStops, CourseError
from grading.bounded import Times
from grading.findings import Words
from grading.source import cells
from grading.source.autotest import Writer, write_tests
from grading.source.catalogue import LANGUAGES, read_catalogue, words_with
from grading.source.cells import Kind
from grading.source.course import course_root
from grading.source.material import MISTAKES, Material
from grading.source.mistakes import Version, read_allowed, read_table, read_versions
from grading.source.modules import NoShell, CourseModules, read_modules
from grading.source.names import Names, names_in
from grading.source.running import in_entry, run_cell
from grading.source.translation import Translation, read_translation

KNOWN_MISTAKES = "known_mistakes.json"  # what students get of it, generated


class Assignment:
    """
    An assignment: its notebooks, with what they share.

    Parameters
    ----------
    name : str
    files : dict
        All that lies in source/<assignment>, by its path there.
    modules : dict
        The modules of the course, by their path in the course folder.
    writer : Writer, optional
        Writes its AUTOTEST tests, as the course has set it up.
    times : Times
        So long its code may run.

    Attributes
    ----------
    modules : CourseModules
        What its code imports.
    material : Material
        What its code opens.
    notebooks : dict of Source
        By their names, sorted.

    Raises
    ------
    CourseError
        Where there is no notebook.
    """

    def __init__(
        self,
        name: str,
        files: Mapping[str, bytes],
        modules: Mapping[str, bytes],
        writer: Writer | None = None,
        times: Times = Times(),
    ) -> None:
        self.name, self.writer, self.times = name, writer or Writer(), times
        self.files, self.course_modules = dict(files), dict(modules)
        own = {path: text for path, text in files.items() if path.endswith(".py")}
        self.modules = CourseModules({**modules, **own})
        self.material = Material(name, self.files, self.writer.autotest_filename)
        paths = [path for path in sorted(files) if path.endswith(".ipynb") and "/" not in path]
        if not paths:
            raise CourseError(f"{name}: there is no source/{name}/{name}.ipynb")
        names = [path.removesuffix(".ipynb") for path in paths]
        self.notebooks = {name: Source(self, name) for name in names}

    def functions_of_others(self, source: Source) -> set[str]:
        """Return the functions that are not this notebook's; of two with one name, the first's."""
        sources = reversed(self.notebooks.values())
        owners = {function: each for each in sources for function in each.answers}
        return {function for function, owner in owners.items() if owner is not source}

    @property
    def allowed(self) -> list[str]:
        """Lines and numbers that students may see although the scan for secrets knows them."""
        return read_allowed(self.table)

    @functools.cached_property
    def table(self) -> Mapping[str, Any]:
        """What `mistakes.yaml` holds; {} without one."""
        return read_table(self.files.get(MISTAKES, b""))

    def words(self, language: str) -> Words:
        """Return what is said in a language: by the engine, and of this assignment."""
        return self._words.get(language, {})

    @functools.cached_property
    def _words(self) -> dict[str, Words]:
        return {each: words_with(each, self._own_catalogue(each)) for each in LANGUAGES}

    def files_in(self, language: str) -> dict[str, bytes]:
        """Return the files by the paths that texts in a language name: figures may be its own."""
        start = f"{language}/"
        own = {p.removeprefix(start): d for p, d in self.files.items() if p.startswith(start)}
        return {**self.files, **own}

    def own_words(self, language: str) -> Words:
        """Return what the mistakes' sentences are in another language."""
        return read_catalogue(self._own_catalogue(language))

    def _own_catalogue(self, language: str) -> bytes:
        return self.files.get(f"{language}/mistakes.po", b"")

    def as_published(self, texts: Mapping[tuple[str, str], str]) -> Assignment:
        """
        Return the assignment with the tests that nbgrader has written as they were published.

        Parameters
        ----------
        texts : mapping
            The text of each cell, by the names of its notebook and its own.
        """
        files = dict(self.files)
        for name, source in self.notebooks.items():
            for cell in source.notebook.cells:
                if cells.grade_id(cell) in source.written:
                    cell.source = texts[name, cells.grade_id(cell)]
            if source.written:
                files[f"{name}.ipynb"] = json.dumps(source.notebook).encode()
        return Assignment(self.name, files, self.course_modules, times=self.times)

    # Hashes

    @functools.cached_property
    def hashes(self) -> dict[str, Any]:
        """Hashes of what all marks depend on (`all`), and those of each notebook's tests."""
        sources = self.notebooks.values()
        table = self.files.get(MISTAKES, b"")
        tests = {source.name: source.hashes_of_tests for source in sources}
        parts = [part for source in sources for part in source.hashed]
        data = [part for item in sorted(self.material.given.items()) for part in item]
        return {"all": digest([table, *parts, *data]), "tests": tests}

    # The way to workers that see no course folder

    def packed(self) -> bytes:
        """Return the assignment as bytes."""
        parts = self.name, self.files, self.course_modules, None, self.times
        return zlib.compress(pickle.dumps(parts), level=1)

    @classmethod
    def unpacked(cls, data: bytes) -> Assignment:
        """Return the assignment that was packed."""
        return cls(*pickle.loads(zlib.decompress(data)))


class Source:
    """
    A notebook of an assignment, with the solution, and its part of the table of mistakes.

    Parameters
    ----------
    of : Assignment
    name : str
        The notebook's, without `.ipynb`.

    Attributes
    ----------
    assignment : str
        The assignment's name.
    files, modules, times
        As of the assignment.
    notebook : NotebookNode
    answers : dict
        The text of each solution cell of code, by its name: the function's.
    tests : dict
        The text of each test, hidden parts included, by the cell's name.
    as_written : NotebookNode
        The notebook without the tests that nbgrader writes: AUTOTEST.
    written : set of str
        The names of these.
    """

    def __init__(self, of: Assignment, name: str) -> None:
        self.name, self.assignment = name, of.name
        self.files, self.modules, self.times, self._of = of.files, of.modules, of.times, of
        self.notebook = cells.read_notebook(f"{of.name}/{name}.ipynb", self.files[f"{name}.ipynb"])
        self.as_written = copy.deepcopy(self.notebook)
        names = {**self.no_names(), "__name__": "__main__"}
        templates = self.files.get(of.writer.autotest_filename, b"")
        self.written = write_tests(
            self.notebook, of.writer, templates, names, self.importing, of.times.notebook
        )
        self.answers = self._named(Kind.SOLUTION)
        self.tests = self._named(Kind.TEST)

    def _named(self, *kinds: Kind) -> dict[str, str]:
        code = (cell for cell in self.notebook.cells if cell.cell_type == "code")
        found = (cell for cell in code if cells.kind_of(cell) in kinds)
        return {cells.grade_id(cell): cell.source for cell in found if cells.grade_id(cell)}

    @contextmanager
    def importing(self) -> Iterator[None]:
        """Let the assignment's code import the course's modules, and open its files."""
        with self.modules.importing(), self._of.material.at_home():
            yield

    @property
    def given(self) -> dict[str, bytes]:
        """The files beside the notebook that student code finds."""
        return self._of.material.given

    # The solution

    @functools.cached_property
    def built_on(self) -> dict[str, str]:
        """The code of ours on which solution and tests build, by the cells' ids, in order."""
        kinds = {c.id: cells.kind_of(c) for c in self.notebook.cells if c.cell_type == "code"}
        texts = {c.id: c.source for c in self.notebook.cells if c.id in kinds}
        shown = {c.id for c in self.notebook.cells if cells.grade_id(c) in self.examples}
        last = max((n for n, c in enumerate(self.notebook.cells) if cells.is_test(c)), default=None)
        before = {c.id for c in self.notebook.cells[:last]}  # what is behind runs nowhere
        ours = {i for i in before if kinds.get(i) is Kind.CHECK} - shown
        setup = {c.id for c in self.notebook.cells if cells.grade_id(c) == "setup"}
        first = next((n for n, c in enumerate(self.notebook.cells) if cells.is_answer(c)), 0)
        needed = ours & (setup or {c.id for c in self.notebook.cells[:first]})
        waiting = [*self.answers.values(), *self.tested.values(), *(texts[i] for i in needed)]
        while waiting:
            uses = names_in(waiting.pop()).uses
            found = {i for i in ours - needed if uses & names_in(texts[i]).binds}
            needed |= found
            waiting += [texts[each] for each in found]
        others = [i for i, kind in kinds.items() if kind in (Kind.CHECK, Kind.FREE)]
        # of what students may change, and of pictures, what it imports
        return {i: texts[i] if i in needed else names_in(texts[i]).imports for i in others}

    @functools.cached_property
    def examples(self) -> dict[str, str]:
        """The text of the visible examples and checks, by the cells' names, in order."""
        named = self._named(Kind.CHECK)
        return {n: text for n, text in named.items() if n.startswith(("example_", "check_"))}

    @functools.cached_property
    def tested(self) -> dict[str, str]:
        """The text of examples, checks and tests, by the cells' names, in order."""
        texts = {**self.examples, **self.tests}
        names = map(cells.grade_id, self.notebook.cells)
        return {name: texts[name] for name in names if name in texts}

    @functools.cached_property
    def names(self) -> dict[str, Names]:
        """The names in each code cell that is no test, as its author wrote it, by the cell's id."""
        code = [c for c in self.notebook.cells if c.cell_type == "code" and not cells.is_test(c)]
        return {cell.id: names_in(cell.source) for cell in code}

    def in_order(self, **replaced: str) -> Iterator[tuple[NotebookNode, str]]:
        """Yield what of the author's code is run on our side, some cells of it `replaced`."""
        for cell in self.notebook.cells:
            name = cells.grade_id(cell)
            if cell.cell_type != "code" or cells.kind_of(cell) is Kind.FETCH:
                continue
            if name in self.examples or cells.kind_of(cell) in (*cells.GRADED, Kind.SOLUTION):
                yield cell, replaced.get(name, cell.source)
            elif self.built_on.get(cell.id):
                yield cell, self.built_on[cell.id]

    def namespace(self, **replaced: str) -> dict[str, Any]:
        """
        Run set-up and solution, some cells of it `replaced`; return what they define.

        Raises
        ------
        CourseError
            Where a cell stops: which, and why.
        """
        names = self.no_names()
        with self.importing(), redirect_stdout(io.StringIO()):
            for cell, text in self.in_order(**replaced):
                if not (cells.is_test(cell) or cells.grade_id(cell) in self.examples):
                    self.run_cell(cell, text, names)
        return names

    @staticmethod
    def no_names() -> dict[str, Any]:
        """Return the names that there are before any cell has run."""
        return {"__name__": "solution", "get_ipython": NoShell}

    def run_cell(self, cell: NotebookNode, text: str, names: dict[str, Any]) -> None:
        """Run a cell of the author's; one that a person marks may stop."""
        may_stop = cells.kind_of(cell) is Kind.MANUAL_CODE
        with suppress(CellStops) if may_stop else nullcontext():
            self.run(cells.grade_id(cell) or cell.id, text, names)

    def run(self, name: str, text: str, names: dict[str, Any]) -> None:
        """Run a cell of the author's; one that stops is said with its name, and why."""
        run_cell(self.assignment, name, text, names, self.times.notebook)

    @functools.cached_property
    def _right(self) -> dict[str, Any]:
        return self.namespace()

    def function(self, name: str) -> Callable:
        """Return the right function of this name."""
        if name not in self._right:
            raise CourseError(f"{self.assignment}: the solution defines no {name}")
        return self._right[name]

    @functools.cached_property
    def translations(self) -> dict[str, Translation]:
        """What the notebook is in other languages, by their codes."""
        files = {each: self.files.get(f"{each}/{self.name}.md") for each in LANGUAGES}
        return {each: read_translation(text.decode()) for each, text in files.items() if text}

    @functools.cached_property
    def docstrings(self) -> str:
        """What the docstrings of all functions say."""
        names = (name for text in self.answers.values() for name in sorted(names_in(text).binds))
        found = (self._right.get(name) for name in names)  # cells may be called otherwise
        return "\n".join(each.__doc__ or "" for each in found if isinstance(each, FunctionType))

    # The mistakes

    @functools.cached_property
    def versions(self) -> list[Version]:
        """The named wrong and right versions of the functions; [] without mistakes.yaml."""
        others = self._of.functions_of_others(self)
        return list(read_versions(self._of.table, self.answers, others))

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
        return self._amid_right(version)[version.function]

    def _amid_right(self, version: Version) -> dict[str, Any]:
        names = dict(self._right)
        try:
            with self.importing(), in_entry(version):
                self.run(version.function, version.text, names)
        except CellStops as stop:
            raise CourseError(f"{version.entry}: {stop.said}") from None
        return names

    def build_in_notebook(self, version: Version) -> Callable:
        """Return it amid all that the notebook has defined by then, too: its examples."""
        return self.at_check(version.function, version)[version.function]

    def at_check(self, function: str, version: Version | None = None) -> dict[str, Any]:
        """Return what is defined when the visible check of a function has run."""
        if version and version.function == function:  # no other function calls it here
            names = self._amid_right(version)
        else:
            with in_entry(version):
                names = self.namespace(**({version.function: version.text} if version else {}))
        with in_entry(version), self.importing(), redirect_stdout(io.StringIO()):
            for name, text in self.examples.items():
                self.run(name, text, names)
                if cells.function_checked(name) == function:
                    break
        return names

    # Hashes

    @functools.cached_property
    def hashed(self) -> list[str]:
        """What all marks of the notebook depend on: modules, and what its named cells say."""
        imported = self.modules.reached_from([*self.built_on.values(), *self.tests.values()])
        shared = [json.dumps([path, text.decode()]) for path, text in sorted(imported.items())]
        return [self.name, *shared, json.dumps([self._cells, self.built_on])]

    @functools.cached_property
    def hashes_of_tests(self) -> dict[str, str]:
        """The hash of each test, and of all that it depends on."""
        names, found = list(self._cells), {}
        *shared, _ = self.hashed
        for name in self.tests:
            before = [n for n in names[: names.index(name)] if n not in self.tests]
            cells_before = json.dumps({n: self._cells[n] for n in before})
            found[name] = digest([*shared, cells_before, json.dumps(self._cells[name])])
        return found

    @functools.cached_property
    def _cells(self) -> dict[str, list[Any]]:
        named = [cell for cell in self.notebook.cells if cells.grade_id(cell)]
        return {cells.grade_id(c): [c.source, cells.kind_of(c), cells.points_of(c)] for c in named}


def read_assignment(
    name: str,
    root: Path | None = None,
    folder: Path | None = None,
    writer: Writer | None = None,
    times: Times = Times(),
) -> Assignment:
    """
    Read an assignment.

    Parameters
    ----------
    name : str
    root : Path, optional
        The course folder; the one here if none is given.
    folder : Path, optional
        Where the source lies, if not in source/<assignment>.
    writer, times
        As of `Assignment`.

    Raises
    ------
    CourseError
        Where there is none.
    """
    root = root or course_root()
    folder = folder or root / "source" / name
    paths = [p for p in sorted(folder.glob("**/*")) if p.is_file() and not is_scratch(p, folder)]
    files = {str(path.relative_to(folder)): path.read_bytes() for path in paths}
    writer = writer or Writer()
    templates = writer.autotest_filename  # beside the notebook, or in the course folder
    if (root / templates).is_file():
        files.setdefault(templates, (root / templates).read_bytes())
    return Assignment(name, files, read_modules(root), writer, times)


def read_source(assignment: str, root: Path | None = None, notebook: str = "") -> Source:
    """
    Read one notebook of an assignment; if none is named, that of its own name, or the first.

    Raises
    ------
    CourseError
        Where there is none.
    """
    notebooks = read_assignment(assignment, root).notebooks
    name = notebook or (assignment if assignment in notebooks else next(iter(notebooks)))
    if name not in notebooks:
        raise CourseError(f"{assignment}: there is no source/{assignment}/{name}.ipynb")
    return notebooks[name]


def as_json(table: dict[str, Any]) -> bytes:
    """Return what students get of a table, as a file of lines."""
    return (json.dumps(table, indent=1, ensure_ascii=False) + "\n").encode()


def is_scratch(path: Path, folder: Path) -> bool:
    """Tell whether a file is left behind by Jupyter or Python."""
    parts = path.relative_to(folder).parts
    return any(part == "__pycache__" or part.startswith(".") for part in parts)


def digest(parts: Iterable[str | bytes]) -> str:
    """Return the SHA-256 of several texts."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "big") + data)
    return total.hexdigest()
