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

from .door import CannotCross, Room, RoomDied, RoomError, RoomTimeout, StandIn, student_error
from .room.shell import MOST_KEPT, Outputs, Shell
from .sandbox import Nursery

SEED = 0


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


class Student:
    """
    A student's room that is replaced when it is lost.

    Parameters
    ----------
    nursery : Nursery
    files : dict
        Name and contents of the files that the student's cells find.
    show : callable
        Is given the outputs of each call.
    seconds : float
        Wall time that it may take in all.
    """

    def __init__(
        self,
        nursery: Nursery,
        files: dict[str, bytes],
        show: Callable[[list[dict]], None],
        seconds: float,
    ) -> None:
        self.nursery = nursery
        self.files = files
        self.show = show
        self.until = time.monotonic() + seconds
        self.timed_out = False
        self.room: Room | None = None
        self.rooms = 0
        self.cpu_seconds = self.peak_mb = 0.0
        self.problems: list[str] = []
        self.earlier: list[Cell] = []  # cells that a new room runs again
        self.failed: list[tuple[Cell, str]] = []
        self.deadly: dict[tuple, RoomError] = {}  # calls that have ended a room

    def run(self, cell: Cell) -> CellResult:
        """Run a cell; a room that is lost in it costs this cell alone."""
        self.deadly.clear()
        result = CellResult(cell)
        try:
            result.outputs, error = self.living_room().run_cell(cell.source, cell.name)
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

    def call(self, name: str, args: tuple, kwargs: dict, lent: dict[str, Callable]) -> Any:
        """Call a function; one that has ended a room is not called again until another cell ran."""
        key = (name, *sorted(lent))
        if key in self.deadly:
            raise self.deadly[key]
        room = self.living_room()
        try:
            return room.call(name, args, kwargs, lent, self.show)
        except RoomError as lost:
            self.lose(lost)
            self.deadly[key] = lost
            raise

    def find(self, names: Sequence[str]) -> dict[str, Any]:
        """Return what a test finds under these names: a stand-in, or a copy of plain data."""
        try:
            found = self.living_room().resolve(names) if names else {}
        except RoomError as lost:
            self.lose(lost)
            found = dict.fromkeys(names, ("missing",))
        return {name: self.stand_in(name, *found[name]) for name in names}

    def stand_in(self, name: str, kind: str, value: Any = None) -> Any:
        """Return what stands for a student's name."""
        if kind == "value":
            return value
        if kind == "callable":
            return StandIn(name, self.call)

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

    def living_room(self) -> Room:
        """Return the room; where it is gone, a new one in which the earlier cells have run."""
        if self.room is not None and self.room.has_gone():
            self.lose(RoomDied(f"between two cells, the room {self.room.last_words()}"))
        while self.room is None:
            if time.monotonic() >= self.until:
                raise RoomTimeout("not run: the time for the whole notebook is used up")
            if self.rooms >= self.nursery.limits.rooms:
                raise RoomDied(f"not run: {self.rooms} rooms have been lost")
            self.rooms += 1
            self.room = Room(self.nursery, self.files, self.until)
            self.run_again()
        return self.room

    def run_again(self) -> None:
        """Run the earlier cells in a new room; one that now ends it is left out from now on."""
        for cell in list(self.earlier):
            try:
                self.room.run_cell(cell.source, cell.name)
            except RoomError as lost:
                self.earlier.remove(cell)
                self.failed.append((cell, f"{type(lost).__name__}: {lost}"))
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

    def run(self, cell: Cell, student: Student) -> CellResult:
        """Run a test; names that it does not find here are looked up in the student's room."""
        result = CellResult(cell)
        names = self.shell.user_ns
        found = student.find(
            [n for n in free_names(cell) if n not in names and not hasattr(builtins, n)]
        )
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
        if isinstance(error, KeyboardInterrupt):  # the instructor's
            raise error from None
        return value, error

    def show(self, outputs: list[dict]) -> None:
        """Add what a student's function showed to what the test shows."""
        for output in outputs:
            if output["output_type"] == "stream":
                self.shell.outputs.stream(output["name"], output["text"])
            elif "data" in output:
                self.shell.outputs.show("display_data", output["data"], None)


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
    return sorted(used - own)


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
    Run a notebook's cells in order, each in its room.

    Parameters
    ----------
    cells : sequence of Cell
    files : dict
        Name and contents of the files that the student's cells find: what students
        are given, and nothing else.
    nursery : Nursery
    most_seconds : float
        Wall time of the whole, if it is to be less than the nursery's limits allow.
    after : callable
        Is given the result of each cell as soon as it has run.

    Returns
    -------
    NotebookResult
    """
    start = time.monotonic()
    results = []
    with MarkingRoom.lock, settled_state():
        marking = MarkingRoom(nursery.limits.output_bytes)
        seconds = min(most_seconds, nursery.limits.notebook_seconds)
        student = Student(nursery, files, marking.show, seconds)
        try:
            for cell in cells:
                if cell.kind == "test":
                    result = marking.run(cell, student)
                else:
                    if cell.kind == "shared":
                        marking.run_quietly(cell)
                    result = student.run(cell)
                results.append(result)
                after(result)
        finally:
            student.close()
    return NotebookResult(
        results,
        student.problems,
        student.timed_out,
        student.rooms,
        time.monotonic() - start,
        student.cpu_seconds,
        student.peak_mb,
    )
