"""A student's room that is replaced when it is lost, and what tests ask of it."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import FunctionType
from typing import Any, NoReturn, Protocol

from . import said
from .answers import Told, exception_class, size_of, student_error
from .cell import Cell, CellResult, error_output, with_place
from .door import Room, RoomDied, RoomError, RoomTimeout
from .exceptions import Shown
from .sandbox import Nursery
from .stand_in import CannotCross, Nothing, StandIn, Thing
from .written import plain_definitions, written_function

OUTPUTS = 5  # of a notebook: so many times what one cell may show


@dataclass(frozen=True)
class Test:
    """Where a test stands: what it calls is held as it was there."""

    number: int
    names: tuple[str, ...]


class NamesHere(Protocol):
    """The names of a running test."""

    def others(self) -> tuple[dict[str, Any], list[str]]:
        """Return names with another value than in the student's room, and those that are gone."""

    def take(self, values: dict[str, Any]) -> None:
        """Take values that have changed in the student's room."""

    def seeded(self) -> tuple | None:
        """Return the state of random numbers, where the test has seeded them since it was asked."""

    def exceptions(self) -> dict[str, type]:
        """Return the student's classes of exceptions, by their names."""


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
        self.asks = Test(-1, ())  # the test that asks
        self.here: NamesHere  # its names

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
                result.error = f"{error['type']}: {with_place(error)}"
        except RoomError as lost:
            self.lose(lost)
            result.error = f"{type(lost).__name__}: {lost}"
            result.outputs = [error_output(type(lost).__name__, str(lost))]
            if (
                cell.kind == "shared"
            ):  # a check: what it defines for those below is not the student's
                self.earlier.append(replace(cell, source=plain_definitions(cell)))
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
            self.go_to(test)
        except RoomError as lost:
            self.lose(lost)
        found = self.found.get(test.number, {})
        return {name: self.stand_in(test, name, *found.get(name, ("missing",))) for name in names}

    def go_to(self, test: Test) -> None:
        """
        Have a room that holds what a test calls as it stood at the test's cell.

        Where later cells make a difference to any test, all are asked of a second room, which
        runs the cells up to each.
        """
        before, self.asks = self.asks, test
        if self.moved is None:
            self.moved = self.living_room().moved()
            if self.moved:
                self.close()
                self.room_of = test
        elif self.moved and test in self.earlier:
            self.room_of = test
            if self.room is not None and before in self.earlier:
                start, end = self.earlier.index(before), self.earlier.index(test)
                self.do_again(self.room, self.earlier[start + 1 : end + 1])
        self.living_room()

    def call(
        self, test: Test, name: str, args: tuple, kwargs: dict, lent: dict, **how: bool
    ) -> Any:
        """Call a function; one that has ended a room is not called again in this test."""
        key = (self.asks, name, *sorted(lent))
        return self.unless_deadly(
            key, lambda room: room.call(test.number, name, args, kwargs, lent, **how)
        )

    def unless_deadly(self, key: tuple, ask: Callable[[Room], Any]) -> Any:
        """Ask the room something that has not ended one before."""
        if key in self.deadly:
            raise self.deadly[key]
        try:
            return ask(self.living_room())
        except RoomError as lost:
            self.lose(lost)
            self.deadly[key] = lost
            raise

    def operate(
        self,
        thing: Thing,
        operation: str,
        args: tuple,
        kwargs: dict,
        label: str,
        lent: dict[str, Callable] | None = None,
    ) -> Any:
        """Ask an object something; what has ended a room is not asked again in this test."""
        others, gone = self.here.others()
        seeded, exceptions = self.here.seeded(), self.here.exceptions()
        key = (self.asks, thing.label_, operation, label, *sorted(lent or ()))
        result, values = self.unless_deadly(
            key,
            lambda room: room.operate(
                self.asks.number,
                thing,
                operation,
                (args, kwargs),
                {**others, **(lent or {})},
                gone,
                label,
                seeded,
                exceptions,
            ),
        )
        self.here.take(values)
        return result

    def stand_in(self, test: Test, name: str, kind: str, value: Any = None) -> Any:
        """Return what stands for a student's name."""
        if kind == "value":
            return value
        reference = ("name", test.number, name)
        if kind == "callable":
            call = functools.partial(self.call, test)
            written = functools.cache(functools.partial(self.written, test, name))
            return StandIn(name, self.operate, "a function", reference, call, written)
        if kind == "exception":
            return exception_class(name, value)
        if kind == "object":
            return Thing(name, self.operate, self.shown.kind(value), reference)

        def refuse(*_: object, **__: object) -> NoReturn:
            if kind == "missing":
                message = self.not_defined(name)
                told = Told(type="NameError", bases=["NameError"], message=message, lines=[])
                raise student_error(told, "")
            raise CannotCross(said.NOT_FOR_TESTS.format(name=name, kind=value))

        return Nothing(name, refuse, reference=reference, call=refuse)

    def written(self, test: Test, name: str) -> FunctionType | None:
        """Return a function as it is written above a test."""
        above = self.earlier[: self.earlier.index(test)] if test in self.earlier else []
        return written_function((s for s in reversed(above) if isinstance(s, Cell)), name)

    def not_defined(self, name: str) -> str:
        """Say that a name has no value, and which failure left it without."""
        defines = re.compile(rf"^\s*(def|class)\s+{name}\b|^\s*{name}\s*=", re.MULTILINE)
        for cell, error in reversed(self.failed):
            if defines.search(cell.source):
                kind, _, why = error.partition(": ")
                return said.NOT_DEFINED.format(name=name, error=kind, said=why)
        return said.NOT_THERE.format(name=name)

    # The room

    def living_room(self) -> Room:
        """Return the room; where it is gone, a new one that has done the same again."""
        if self.room is not None and self.room.has_gone():
            why = self.room.last_words(said.BETWEEN, of_call=self.moved is not None)
            self.lose(RoomDied(why))
        while self.room is None:
            if self.budget <= 0:
                raise RoomTimeout(said.NO_TIME_LEFT)
            if len(self.problems) >= self.nursery.limits.rooms:
                raise RoomDied(said.TOO_MANY_LOST.format(count=len(self.problems)))
            self.rooms += 1
            self.room = Room(self.nursery, self.files, self.budget, self.shown, self.operate)
            self.do_again(self.room, list(self.earlier))
        return self.room

    def do_again(self, room: Room, steps: list[Cell | Test]) -> None:
        """Do in a room what was done before; a cell that now ends it is left out from now."""
        for step in steps:
            try:
                if isinstance(step, Test):
                    self.found[step.number] = room.hold(step.number, step.names)
                    if step == self.room_of:
                        return
                else:
                    room.run_cell(step.source, step.name, 0)
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
