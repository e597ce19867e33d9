"""A notebook run in two rooms: the student's cells in one, the tests in the other."""

from __future__ import annotations

import ast
import builtins
import functools
import math
import os
import pickle
import random
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from IPython.core.inputtransformer2 import TransformerManager

from .. import MistakeStops, StillRuns
from ..scopes import scopes_of
from .answers import StudentError
from .cell import Cell, CellResult, error_output
from .room.shell import MOST_COMPILED, Outputs, Shell, seed_random_numbers
from .sandbox import Nursery
from .student import Student, Test
from .written import definitions

MISSING, OTHER = object(), object()
PATCHED = ("input", "print")  # of Python's, what tests put something else in the place of


@dataclass
class Took:
    """
    What it took to run a student's code.

    Attributes
    ----------
    problems : list of str
        One line for each room that was lost.
    timed_out : bool
        Whether something took longer than it may.
    rooms : int
        How many there were.
    seconds, cpu_seconds, peak_mb : float
        Wall time of the whole, and what the student's rooms used.
    """

    problems: list[str]
    timed_out: bool
    rooms: int
    seconds: float
    cpu_seconds: float
    peak_mb: float


@dataclass
class NotebookResult:
    """What came of a notebook's cells, and what it took."""

    cells: list[CellResult]
    took: Took


@functools.cache
def process_shell() -> Shell:
    """Return the one shell of this process: IPython's is made for one."""
    return Shell(shows=False)


class MarkingRoom:
    """
    The marking room: the namespace of the tests, and the shell that runs them.

    Parameters
    ----------
    most_output : int
        Characters of output that are kept of a test.
    looked_up : set of str
        What the solution's functions look up when they are called: what a test binds or
        deletes of it, they see.
    """

    lock = threading.RLock()

    def __init__(self, most_output: int, looked_up: set[str]) -> None:
        self.most_output = most_output
        self.looked_up = looked_up
        self.changed: set[str] = set()  # of these, what tests have bound for good
        self.shell = process_shell()
        self.shell.renew(0)

    def run(self, cell: Cell, test: Test, student: Student) -> CellResult:
        """Run a test; names that it does not find here are those that were held for it."""
        result = CellResult(cell)
        names = self.shell.user_ns
        found = student.find(test, [n for n in test.names if n not in names])
        names.update(found)
        here = Here(names, found, self.looked_up, self.changed, "seed(" in cell.source)
        student.here = here
        result.value, error = self.run_here(cell, self.most_output)
        self.changed |= here.bound()
        for name, value in found.items():
            if names.get(name) is value:
                del names[name]
        result.outputs = self.shell.outputs.take()
        if error is not None:
            said = getattr(error, "message", str(error))
            result.error = f"{type(error).__name__}: {said}"
            lines = getattr(error, "student_lines", ())
            result.outputs.append(error_output(type(error).__name__, said, lines))
            result.line = line_of(error, cell)
        return result

    def run_quietly(self, cell: Cell) -> None:
        """
        Run a cell for its definitions; where it needs the student's names, it may fail.

        What it defines further down is ours all the same, and never looked for in the room.
        """
        _, error = self.run_here(cell, most_output=0)
        for text in definitions_below(cell, line_of(error, cell)) if error else ():
            self.run_here(Cell(cell.id, text, "shared", cell.label), most_output=0)

    def leave_to_student(self, cell: Cell) -> None:
        """Let the student have what a cell of theirs binds; what it imports is ours."""
        for name in cell.binds:
            self.shell.user_ns.pop(name, None)
        self.changed -= cell.binds
        if cell.imports:
            self.run_quietly(Cell(cell.id, cell.imports, "shared", cell.label))

    def run_here(self, cell: Cell, most_output: int) -> tuple[Any, BaseException | None]:
        """Run a cell in the marking room; return its value, and what it raised."""
        self.shell.outputs = Outputs(most_output)
        value, error = self.shell.run(cell.source, cell.name)
        is_ours = isinstance(error, (MemoryError, MistakeStops, StillRuns))
        is_ours = is_ours and not isinstance(error, StudentError)
        if error and (is_ours or isinstance(error, KeyboardInterrupt)):  # or the instructor's
            raise error from None
        return value, error


class Here:
    """
    The names of a running test, and how they differ from those in the student's room.

    Parameters
    ----------
    names : dict
        Those of the marking room.
    found : dict
        Which of them are the student's.
    looked_up, changed : set of str
        As in `MarkingRoom`.
    seeds : bool
        Whether it seeds random numbers: then the student's functions draw the same.
    """

    def __init__(
        self,
        names: dict[str, Any],
        found: dict[str, Any],
        looked_up: set[str],
        changed: set[str],
        seeds: bool,
    ) -> None:
        self.names, self.found, self.seeds = names, found, seeds
        self.state = state_of_random() if seeds else None
        self.of_python = {name: getattr(builtins, name) for name in PATCHED}
        self.before = {
            name: OTHER if name in changed else names.get(name, MISSING) for name in looked_up
        }

    def others(self) -> tuple[dict[str, Any], list[str]]:
        """Return names with another value than in the student's room, and those that are gone."""
        now = {name: self.names.get(name, MISSING) for name in self.before}
        other = {name: value for name, value in now.items() if value is not self.before[name]}
        gone = [name for name, value in other.items() if value is MISSING]
        bound = {n: v for n, v in other.items() if not (v is MISSING or type(v) is ModuleType)}
        for name, before in self.of_python.items():  # what it has put into their place
            value = self.names.get(name, getattr(builtins, name))
            if value is not before:  # nobody looks at what `print` returns
                bound[name] = (
                    value if name == "input" else lambda *a, of=value, **k: of(*a, **k) and None
                )
        return bound, gone

    def seeded(self) -> tuple | None:
        """Return the state of random numbers, where the test has changed it since it was asked."""
        before, self.state = self.state, state_of_random() if self.seeds else None
        return None if pickle.dumps(self.state) == pickle.dumps(before) else self.state

    def exceptions(self) -> dict[str, type]:
        """Return the student's classes of exceptions, by their names."""
        return {n: v for n, v in self.found.items() if issubclass(type(v), type)}

    def take(self, values: dict[str, Any]) -> None:
        """Take values that have changed in the student's room, where the test did not bind them."""
        for name, value in values.items():
            if name in self.found and self.names.get(name) is self.found[name]:
                self.names[name] = self.found[name] = value
                if name in self.before:
                    self.before[name] = value

    def bound(self) -> set[str]:
        """Return the names that the test has bound for good."""
        return set(self.others()[0]) - set(PATCHED)


def state_of_random() -> tuple[Any, Any]:
    """Return the state of `random` and of NumPy's own random numbers."""
    return random.getstate(), np.random.get_state()


@functools.lru_cache(MOST_COMPILED)
def definitions_below(cell: Cell, line: int) -> list[str]:
    """Return what a cell defines at its top below a line, each by itself."""
    return [ast.unparse(node) for node in definitions(cell) if node.lineno > line > 0]


def line_of(error: BaseException, cell: Cell) -> int:
    """Return the line of a cell that was running when it stopped, 0 for none."""
    for frame, number in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename == cell.name:
            return number
    return getattr(error, "lineno", 0) or 0


class Used(NamedTuple):
    """The names that a cell refers to, and those that it binds or deletes."""

    names: frozenset[str]
    own: frozenset[str]


@functools.lru_cache(MOST_COMPILED)
def names_used(cell: Cell) -> Used:
    """Return the global names that a cell uses."""
    try:
        top = scopes_of(TransformerManager().transform_cell(cell.source))
    except SyntaxError:
        return Used(frozenset(), frozenset())
    own = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_assigned()}
    used = set()
    scopes = [top]
    while scopes:
        scope = scopes.pop()
        scopes += scope.get_children()
        used |= {
            symbol.get_name()
            for symbol in scope.get_symbols()
            if symbol.is_referenced() and (scope is top or symbol.is_global())
        }
    return Used(frozenset(used), frozenset(own))


def names_of_student(cell: Cell, answers: set[str], ours: set[str]) -> tuple[str, ...]:
    """
    Return the names for which a test may want the student's value.

    Parameters
    ----------
    cell : Cell
        The test.
    ours : set of str
        What tests bind: no student's, but where the solution binds it, too.
    answers : set of str
        What the solution binds: these are the student's even where the test binds them, too,
        or where Python has something of that name.
    """
    used, own = names_used(cell)
    others = {name for name in used - own - ours if not hasattr(builtins, name)}
    return tuple(sorted(others | (used & answers)))


@contextmanager
def settled_state() -> Iterator[None]:
    """Give a notebook the state of a fresh process, and put the process's own back."""
    numbers, numpy_numbers = random.getstate(), np.random.get_state()
    backend = os.environ.get("MPLBACKEND")
    os.environ["MPLBACKEND"] = "agg"  # no windows
    seed_random_numbers()
    try:
        with warnings.catch_warnings(), np.errstate(), np.printoptions():
            yield
    finally:
        random.setstate(numbers)
        np.random.set_state(numpy_numbers)
        if backend is None:
            del os.environ["MPLBACKEND"]
        else:
            os.environ["MPLBACKEND"] = backend
        if "matplotlib._pylab_helpers" in sys.modules:  # something was drawn
            sys.modules["matplotlib._pylab_helpers"].Gcf.destroy_all()


def run_notebook(
    cells: Sequence[Cell],
    files: dict[str, bytes],
    nursery: Nursery,
    most_seconds: float = math.inf,
    after: Callable[[CellResult], None] = lambda result: None,
) -> NotebookResult:
    """
    Run a notebook's cells, each in its room: first the student's, then the tests.

    So nothing that is learned in a test reaches a cell. A test is asked of the functions as
    they stood at its cell.

    Parameters
    ----------
    cells : sequence of Cell
    files : dict
        Name and contents of the files that the student's cells find: what students
        are given, and nothing else.
    nursery : Nursery
    most_seconds : float
        Time of the whole, if it is to be less than the nursery's limits allow.
    after : callable
        Is given the result of each test as soon as it has run.

    Returns
    -------
    NotebookResult
    """
    start = time.monotonic()
    answers = {name for cell in cells if cell.kind == "student" for name in cell.binds}
    looked_up = {name for cell in cells for name in cell.looks_up}
    ours = {name for cell in cells if cell.kind == "test" for name in names_used(cell).own}
    tests = {
        number: Test(number, names_of_student(cell, answers, ours))
        for number, cell in enumerate(cells)
        if cell.kind == "test"
    }
    seconds = min(most_seconds, nursery.limits.notebook_seconds)
    student = Student(nursery, files, cells, seconds)
    results: dict[int, CellResult] = {}
    with MarkingRoom.lock, settled_state():
        marking = MarkingRoom(nursery.limits.output_bytes, looked_up)
        try:
            for number, cell in enumerate(cells):
                if number in tests:
                    student.hold(tests[number])
                else:
                    results[number] = student.run(cell)
            for number, cell in enumerate(cells):
                if number in tests:
                    results[number] = marking.run(cell, tests[number], student)
                    after(results[number])
                elif cell.kind == "shared":
                    marking.run_quietly(cell)
                else:
                    marking.leave_to_student(cell)
        finally:
            student.close()
    seconds = time.monotonic() - start
    took = (student.rooms, seconds, student.cpu_seconds, student.peak_mb)
    return NotebookResult(
        [results[number] for number in range(len(cells))],
        Took(student.problems, student.timed_out, *took),
    )
