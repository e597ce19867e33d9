"""One submission's notebook, run and marked."""

from __future__ import annotations

import copy
import functools
import importlib.util
import json
import math
import py_compile
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from nbformat import NotebookNode, from_dict

from grading.checks import WORDS
from grading.findings import Words
from grading.marking.current import marking
from grading.marking.naming import Outcomes, Tried
from grading.marking.plain import plain_result, tell, visible
from grading.marking.result import NOT_GRADED, TestResult, result_of, settle
from grading.marking.sanitize import sanitize
from grading.marking.twin import may_tell, tell_what_both_say
from grading.rooms import Cell, CellResult, NotebookResult, Nursery, run_notebook
from grading.rooms.cell import Runs
from grading.source import cells
from grading.source.assignment import KNOWN_MISTAKES
from grading.source.cells import Kind
from grading.source.names import Names

NEVER_RUN = (Kind.FETCH, Kind.SHOWN, Kind.TASK)  # the last is ours to tell, and nothing to run
# Who runs a cell, if not the student alone.
ROOMS: dict[Kind, Runs] = {Kind.TEST: "test", Kind.CHECK: "shared"}


@dataclass
class MarkedNotebook:
    """
    What came of a notebook; its cells hold their outputs.

    Attributes
    ----------
    results : dict
        The result of each test, by the name of its cell.
    run : NotebookResult
        What the rooms used, and what went wrong in them.
    """

    results: dict[str, TestResult]
    run: NotebookResult


def mark_notebook(
    notebook: NotebookNode,
    outcomes: Outcomes,
    rooms: Nursery,
    most_seconds: float = math.inf,
    words: Words | None = None,
) -> MarkedNotebook:
    """
    Run a notebook up to its last graded cell, put the outputs into its cells, and mark it.

    What comes after that cell is for the students themselves: pictures, a training. Where it
    is a task, what comes after it is the student's answer, and is run, too.

    Parameters
    ----------
    notebook : NotebookNode
        Locked cells and tests must be those of the source.
    outcomes : Outcomes
        Of the assignment's source.
    rooms : Nursery
    most_seconds : float
        As in `run_notebook`.
    words : mapping, optional
        Of the language that the visible checks speak.
    """
    code = code_in(notebook)
    run = as_cells(code, outcomes)
    done, results = ask(code, run, outcomes, rooms, most_seconds, words)
    plain = {cell.id for cell in code if cells.grade_id(cell) in outcomes.tried.plain}
    unclear = {
        key
        for key, result in results.items()
        if may_tell(result) or (key in plain and result.stopped)  # which may be in a hidden line
    }
    if unclear:
        others: dict[str, TestResult] = {}
        if not (done.took.timed_out and most_seconds < math.inf):  # then it is marked again
            end = 1 + max(n for n, cell in enumerate(run) if cell.id in unclear)
            asked = unclear | plain  # these may build on one another
            again = [n for n in range(end) if run[n].kind != "test" or run[n].id in asked]
            copies = [copy.deepcopy(code[n]) for n in again]
            shown = [
                replace(run[n], source=visible(code[n])) if run[n].id in plain else run[n]
                for n in again
            ]
            others = ask(copies, shown, outcomes.twin, rooms, most_seconds, words)[1]
        for key in unclear:
            (tell if key in plain else tell_what_both_say)(results[key], others.get(key))
    sanitize(notebook)
    tests = [cell for cell in code if cells.is_test(cell)]
    for cell in tests:
        settle(cell, results[cell.id])
    return MarkedNotebook({cells.grade_id(cell): results[cell.id] for cell in tests}, done)


def ask(
    code: list[NotebookNode],
    run: list[Cell],
    outcomes: Outcomes,
    rooms: Nursery,
    most_seconds: float = math.inf,
    words: Words | None = None,
) -> tuple[NotebookResult, dict[str, TestResult]]:
    """Run code cells, put their outputs into them; return the result of each test by its id."""
    kept: dict[str, TestResult | None] = {}
    with marking(outcomes) as results:

        def take_result(done: CellResult) -> None:
            kept[done.cell.id] = results[-1] if results else None
            results.clear()

        files = given_files(outcomes, words or {})
        done = run_notebook(run, files, rooms, most_seconds, take_result)
    found = {}
    for number, (cell, result) in enumerate(zip(code, done.cells, strict=True), 1):
        cell.execution_count = number
        cell.outputs = [from_dict(output) for output in result.outputs]
        if cells.is_test(cell):
            found[cell.id] = result_in(cell, result, kept[cell.id], outcomes.tried)
    return done, found


def result_in(
    cell: NotebookNode, done: CellResult, kept: TestResult | None, tried: Tried
) -> TestResult:
    """Return what came of a test: what it kept, or what nbgrader would make of it."""
    name = cells.grade_id(cell)
    if name in tried.faults:
        function = cells.function_tested(name)
        return TestResult(function, 0.0, cells.points_of(cell), stopped=NOT_GRADED)
    if kept is None and name in tried.plain:
        return plain_result(cell, done)
    return result_of(cell, kept)


def code_in(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the code of a notebook that is run."""
    kinds = [cells.kind_of(cell) for cell in notebook.cells]
    last = max((n for n, kind in enumerate(kinds) if kind in cells.GRADED), default=-1)
    end = len(kinds) if last >= 0 and kinds[last] is Kind.TASK else last + 1
    return [cell for cell in notebook.cells[:end] if runs(cell)]


def runs(cell: NotebookNode) -> bool:
    """Tell whether a cell is run in marking."""
    return cell.cell_type == "code" and cells.kind_of(cell) not in NEVER_RUN


def as_cells(code: Iterable[NotebookNode], outcomes: Outcomes) -> list[Cell]:
    """Return cells as rooms run them, under names that a student knows them by."""
    made = []
    names = outcomes.source.names
    for number, cell in enumerate(code, 1):
        label = cells.grade_id(cell) or f"cell {number}"
        kind = ROOMS.get(cells.kind_of(cell), "student")
        text = "" if label in outcomes.tried.faults else cell.source
        about = names.get(cell.id, Names())
        made.append(Cell(cell.id, text, kind, label, about.binds, about.looks_up, about.imports))
    return made


def given_files(outcomes: Outcomes, words: Words) -> dict[str, bytes]:
    """Return what a student's cells find: modules, compiled ones beside, the checks' words."""
    kinds = {name: {"kinds": kinds, "mistakes": []} for name, kinds in outcomes.tried.kinds.items()}
    files = {KNOWN_MISTAKES: json.dumps({**kinds, WORDS: words}).encode()}
    for path, text in outcomes.source.given.items():
        files[path] = text
        if path.endswith(".py") and "/" not in path:
            compiled = importlib.util.cache_from_source(path)
            files[str(Path(compiled))] = compile_module(path, text)
    return files


@functools.lru_cache(20)
def compile_module(name: str, text: bytes) -> bytes:
    """Compile a module once, which else every room would do."""
    with tempfile.TemporaryDirectory() as folder:
        module = Path(folder, name)
        module.write_bytes(text)
        compiled = module.with_suffix(".pyc")
        mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
        py_compile.compile(str(module), str(compiled), name, doraise=True, invalidation_mode=mode)
        return compiled.read_bytes()
