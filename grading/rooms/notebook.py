"""A notebook run in two rooms: the student's cells in one, the tests in the other."""

from __future__ import annotations

import builtins
import functools
import math
import os
import random
import re
import symtable
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn

import numpy as np
from IPython.core.inputtransformer2 import TransformerManager

from .answers import StudentError, size_of, student_error
from .door import (
    CannotCross,
    Room,
    RoomDied,
    RoomError,
    RoomTimeout,
    StandIn,
)
from .exceptions import Shown
from .room.shell import MOST_KEPT, Outputs, Shell
from .sandbox import Nursery

SEED = 0
OUTPUTS = 5  # of a notebook: so many times what one cell may show


@dataclass(frozen=True)
class Cell:
    """
    A code cell.

    Attributes
    ----------
    id : str
    source : str
    kind : {"student", "shared", "test"}
        Who runs it: the student's room, both, or the marking room.
    label : str
        What the student knows it by.
    """

    id: str
    source: str
    kind: Literal["student", "shared", "test"]
    label: str = ""

    @property
    def name(self) -> str:
        """What the cell is called in errors."""
        return self.label or f"cell {self.id}"


@dataclass
class CellResult:
    """
    What came of a cell.

    Attributes
    ----------
    cell : Cell
    outputs : list of dict
        As in a notebook.
    value : Any
        Of a test: the value of its last line.
    error : str
        "NameError: name 'x' is not defined", or "".
    """

    cell: Cell
    outputs: list[dict] = field(default_factory=list)
    value: Any = None
    error: str = ""


@dataclass
class NotebookResult:
    """
    What came of a notebook.

    Attributes
    ----------
    cells : list of CellResult
    problems : list of str
        One line for each room that was lost.
    timed_out : bool
        Whether something took longer than it may.
    rooms : int
        How many rooms it took.
    seconds, cpu_seconds, peak_mb : float
        Wall time of the whole, and what the student's rooms used.
    """

    cells: list[CellResult]
    problems: list[str]
    timed_out: bool
    rooms: int
    seconds: float
    cpu_seconds: float
    peak_mb: float


@dataclass(frozen=True)
class Test:
    """Where a test stands: what it calls is held as it was there."""

    number: int
    names: tuple[str, ...]


class Student:
    """
    A student's room that is replaced when it is lost.

    Parameters
    ----------
    nursery : Nursery
    files : dict
        Name and contents of the files that the student's cells find.
    cells : sequence of Cell
        All that are run in it.
    seconds : float
        Time that it may take in all.
    """

    def __init__(
        self, nursery: Nursery, files: dict[str, bytes], cells: Sequence[Cell], seconds: float
    ) -> None:
        self.nursery = nursery
        self.files = files
        self.shown = Shown({cell.name: cell.source for cell in cells if cell.kind != "test"})
        self.budget = seconds
        self.output_left = OUTPUTS * nursery.limits.output_bytes
        self.timed_out = False
        self.room: Room | None = None
        self.room_of: Test | None = None  # where the room stands still; None at the end
        self.rooms = 0
        self.cpu_seconds = self.peak_mb = 0.0
        self.problems: list[str] = []
        self.earlier: list[Cell | Test] = []  # what a new room does again
        self.found: dict[int, dict[str, tuple]] = {}  # what names are, test by test
        self.moved: set[int] | None = None  # tests that need a room of their own
        self.failed: list[tuple[Cell, str]] = []
        self.deadly: dict[tuple, RoomError] = {}  # calls that have ended a room

    # First all cells are run, and what tests call is held

    def run(self, cell: Cell) -> CellResult:
        """Run a cell; a room that is lost in it costs this cell alone."""
        result = CellResult(cell)
        try:
            outputs, error = self.living_room().run_cell(cell.source, cell.name, self.output_left)
            self.output_left -= sum(map(size_of, outputs))
            result.outputs = outputs
            self.earlier.append(cell)
            if error:
                result.error = f"{error['type']}: {error['message']}"
        except RoomError as lost:
            self.lose(lost)
            result.error = f"{type(lost).__name__}: {lost}"
            result.outputs = [error_output(type(lost).__name__, str(lost))]
        if result.error:
            self.failed.append((cell, result.error))
        return result

    def hold(self, test: Test) -> None:
        """Hold what a test calls, as it stands now."""
        self.earlier.append(test)
        try:
            self.found[test.number] = self.living_room().hold(test.number, test.names)
        except RoomError as lost:
            self.lose(lost)

    # Then the tests are asked

    def find(self, test: Test, names: Sequence[str]) -> dict[str, Any]:
        """Return what a test finds under these names: a stand-in, or a copy of plain data."""
        try:
            self.room_for(test)
        except RoomError as lost:
            self.lose(lost)
        found = self.found.get(test.number, {})
        return {name: self.stand_in(test, name, *found.get(name, ("missing",))) for name in names}

    def room_for(self, test: Test) -> Room:
        """Return a room that holds what a test calls as it stood at the test's cell."""
        if self.moved is None:
            self.moved = self.living_room().moved()
        if test.number in self.moved and self.room_of != test:
            self.close()  # later cells would make a difference: a room in which they have not run
            self.room_of = test
        elif test.number not in self.moved and self.room_of is not None:
            self.close()
            self.room_of = None
        return self.living_room()

    def call(self, test: Test, name: str, args: tuple, kwargs: dict, lent: dict, keep: bool) -> Any:
        """Call a function; one that has ended a room is not called again in this test."""
        key = (test, name, *sorted(lent))
        if key in self.deadly:
            raise self.deadly[key]
        try:
            return self.room_for(test).call(test.number, name, args, kwargs, lent, keep)
        except RoomError as lost:
            self.lose(lost)
            self.deadly[key] = lost
            raise

    def stand_in(self, test: Test, name: str, kind: str, value: Any = None) -> Any:
        """Return what stands for a student's name."""
        if kind == "value":
            return value
        if kind == "callable":
            return StandIn(name, functools.partial(self.call, test))

        def refuse(*_: Any) -> NoReturn:
            if kind == "missing":
                message = f"name '{name}' is not defined{self.why_missing(name)}"
                described = {"type": "NameError", "bases": ["NameError"], "message": message}
                raise student_error({**described, "lines": []}, "")
            raise CannotCross(f"{name} is {value}: a test can use functions and plain data only")

        return StandIn(name, refuse)

    def why_missing(self, name: str) -> str:
        """Say which failure left a name without a value."""
        defines = re.compile(rf"^\s*(def|class)\s+{name}\b|^\s*{name}\s*=", re.MULTILINE)
        for cell, error in reversed(self.failed):
            if defines.search(cell.source):
                return f": its cell stopped with {error}"
        return ""

    # The room

    def living_room(self) -> Room:
        """Return the room; where it is gone, a new one that has done the same again."""
        if self.room is not None and self.room.has_gone():
            said = self.room.last_words(of_call=self.moved is not None)
            self.lose(RoomDied(f"between two cells, the room {said}"))
        while self.room is None:
            if self.budget <= 0:
                raise RoomTimeout("not run: the time for the whole notebook is used up")
            if self.rooms >= self.nursery.limits.rooms:
                raise RoomDied(f"not run: {self.rooms} rooms have been lost")
            self.rooms += 1
            self.room = Room(self.nursery, self.files, self.budget, self.shown)
            self.do_again()
        return self.room

    def do_again(self) -> None:
        """Do in a new room what was done before; a cell that now ends it is left out from now."""
        for step in list(self.earlier):
            try:
                if isinstance(step, Test):
                    self.found[step.number] = self.room.hold(step.number, step.names)
                    if step == self.room_of:
                        return
                else:
                    self.room.run_cell(step.source, step.name, 0)
            except RoomError as lost:
                self.earlier.remove(step)
                if isinstance(step, Cell):
                    self.failed.append((step, f"{type(lost).__name__}: {lost}"))
                self.lose(lost)
                return

    def lose(self, why: RoomError) -> None:
        """Give the room up, and note why."""
        self.timed_out = self.timed_out or isinstance(why, RoomTimeout)
        if self.room is not None:
            self.problems.append(str(why))
            self.close()

    def close(self) -> None:
        """End the room, and count what it used."""
        if self.room is not None:
            usage = self.room.close()
            self.budget -= self.room.clock.used
            self.cpu_seconds += usage["cpu_seconds"]
            self.peak_mb = max(self.peak_mb, usage["peak_mb"])
            self.room = None


class MarkingRoom:
    """The marking room: the namespace of the tests, and the shell that runs them."""

    shell: Shell | None = None  # one for the process, since IPython's is made for one
    lock = threading.RLock()

    def __init__(self, most_output: int) -> None:
        self.most_output = most_output
        if MarkingRoom.shell is None:
            MarkingRoom.shell = Shell(plots=False)
        self.shell.renew(0)

    def run(self, cell: Cell, test: Test, student: Student) -> CellResult:
        """Run a test; names that it does not find here are those that were held for it."""
        result = CellResult(cell)
        names = self.shell.user_ns
        found = student.find(test, [n for n in test.names if n not in names])
        names.update(found)
        result.value, error = self.run_here(cell, self.most_output)
        for name, value in found.items():
            if names.get(name) is value:
                del names[name]
        result.outputs = self.shell.outputs.take()
        if error is not None:
            result.error = f"{type(error).__name__}: {error}"
            lines = getattr(error, "student_lines", ())
            result.outputs.append(error_output(type(error).__name__, str(error), lines))
        return result

    def run_quietly(self, cell: Cell) -> None:
        """Run a cell for its definitions; where it needs the student's names, it may fail."""
        self.run_here(cell, most_output=0)

    def run_here(self, cell: Cell, most_output: int) -> tuple[Any, BaseException | None]:
        """Run a cell in the marking room; return its value, and what it raised."""
        self.shell.outputs = Outputs(most_output)
        value, error = self.shell.run(cell.source, cell.name)
        ours = isinstance(error, MemoryError) and not isinstance(error, StudentError)
        if ours or isinstance(error, KeyboardInterrupt):  # the instructor's, or our own bounds'
            raise error from None
        return value, error


@functools.lru_cache(MOST_KEPT)
def free_names(cell: Cell) -> list[str]:
    """Return the names that a cell uses and does not define."""
    try:
        top = symtable.symtable(TransformerManager().transform_cell(cell.source), cell.name, "exec")
    except SyntaxError:
        return []
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
    return sorted(name for name in used - own if not hasattr(builtins, name))


@contextmanager
def settled_state() -> Iterator[None]:
    """Give a notebook the state of a fresh process, and put the process's own back."""
    numbers, numpy_numbers = random.getstate(), np.random.get_state()
    backend = os.environ.get("MPLBACKEND")
    os.environ["MPLBACKEND"] = "agg"  # no windows
    random.seed(SEED)
    np.random.seed(SEED)
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
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")


def error_output(kind: str, message: str, lines: Sequence[str] = ()) -> dict[str, Any]:
    """Return an error as in a notebook, with lines of the student's alone."""
    return {
        "output_type": "error",
        "ename": kind,
        "evalue": message,
        "traceback": [*lines, f"{kind}: {message}"],
    }


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
    tests = {
        number: Test(number, tuple(free_names(cell)))
        for number, cell in enumerate(cells)
        if cell.kind == "test"
    }
    seconds = min(most_seconds, nursery.limits.notebook_seconds)
    student = Student(nursery, files, cells, seconds)
    results: dict[int, CellResult] = {}
    with MarkingRoom.lock, settled_state():
        marking = MarkingRoom(nursery.limits.output_bytes)
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
        finally:
            student.close()
    return NotebookResult(
        [results[number] for number in range(len(cells))],
        student.problems,
        student.timed_out,
        student.rooms,
        time.monotonic() - start,
        student.cpu_seconds,
        student.peak_mb,
    )
