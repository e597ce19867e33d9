"""
The trusted side of a room: the line to it, and stand-ins for the student's functions.

Nothing that comes over the line is trusted. It is read as plain data, its form is
checked, and whatever is wrong with it ends the room.
"""

from __future__ import annotations

import math
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from .answers import WRONG_FORM, check_error, check_outputs, check_text, student_error
from .clock import SHORTEST_WAIT, Clock
from .exceptions import Shown
from .limits import Limits
from .room import wire
from .room.channel import ANSWER, CALL_BACK, Channel, ChannelClosed, ChannelError, ChannelTimeout
from .room.shell import clean
from .sandbox import Nursery

PLAIN_DATA = "only arrays of numbers, numbers, strings, lists, tuples and dicts can cross"
COMMON_SIGNALS = (signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT)  # what bounds and faults send
ROOM_FOR_A_WORD = 1000  # characters: that the output ends here


class RoomError(Exception):
    """A room is no more; the text is one line that says why."""

    student_lines: Sequence[str] = ()


class RoomDied(RoomError):
    """The room has ended itself, or was ended by a limit."""


class RoomTimeout(RoomError):
    """The room did not answer in time."""


class CannotCross(TypeError):
    """What a stand-in cannot do, in one sentence that names the function."""

    student_lines: Sequence[str] = ()


# ------------------------------------------------------------------- the room


class Ticket:
    """
    Stands for a value that stays in the student's room: it may be anything there.

    Parameters
    ----------
    room : Room
    number : int
    """

    def __init__(self, room: Room, number: int) -> None:
        self.room = room
        self.number = number

    def __repr__(self) -> str:
        """Say what it is: the same for all."""
        return "<a value in the student's room>"


class Room:
    """
    A student's room, as the marking room sees it.

    Parameters
    ----------
    nursery : Nursery
    files : dict, optional
        Name and contents of the files that the student's cells find.
    budget : float
        Seconds that its code may take in all.
    shown : Shown, optional
        Decides what is shown of exceptions in tests.

    Attributes
    ----------
    clock : Clock
        How much time its code has taken.
    usage : dict or None
        What the room used, once it is closed: `cpu_seconds`, `peak_mb`.
    """

    def __init__(
        self,
        nursery: Nursery,
        files: dict[str, bytes] | None = None,
        budget: float = math.inf,
        shown: Shown | None = None,
    ) -> None:
        self.limits = nursery.limits
        self.shown = shown or Shown({})
        self.usage: dict[str, Any] | None = None
        self.bounds = bounds_of(self.limits)
        try:
            line, self._end, waited = nursery.start_room()
        except OSError as error:
            raise RoomDied(f"no room could be started: {error}") from None
        self.clock = Clock(waited, budget)
        self.channel = Channel(line, 2 * self.bounds.bytes)
        self.ask({"do": "begin", "files": files or {}}, "the room", self.limits.start_seconds)

    def run_cell(self, source: str, label: str, most: int) -> tuple[list[dict], dict | None]:
        """
        Run one cell.

        Parameters
        ----------
        source, label : str
        most : int
            How many characters of output are kept.

        Returns
        -------
        outputs : list of dict
            As in a notebook.
        error : dict or None
            What the cell raised, as `check_error` returns it.
        """
        question = {"do": "run", "source": source, "label": label}
        answer = self.ask(question, label, self.limits.cell_seconds)
        error = self.get(answer, "error")
        outputs = self.get_outputs(answer, min(most, self.limits.output_bytes))
        return outputs, None if error is None else check_error(error)

    def hold(self, test: int, names: Sequence[str]) -> dict[str, tuple]:
        """
        Keep what a test will call as it stands, and say what names are.

        Returns
        -------
        dict
            Name: ("callable",), ("value", its value), ("missing",), or ("other",
            the kind of thing it is).
        """
        question = {"do": "hold", "test": test, "names": list(names)}
        answer = self.ask(question, "the room", self.limits.call_seconds)
        for name in names:
            found = self.get(answer, name)
            sizes = {"callable": 1, "missing": 1, "value": 2, "other": 2}
            if type(found) is not tuple or not found or type(found[0]) is not str:
                self.fail("the message is not of the right form")
            if sizes.get(found[0]) != len(found):
                self.fail("the message is not of the right form")
        return answer

    def moved(self) -> set[int]:
        """Return the tests for which what was held may by now do something else."""
        answer = self.ask({"do": "moved"}, "the room", self.limits.call_seconds, kind=list)
        return {test for test in answer if type(test) is int}

    def call(
        self,
        test: int,
        name: str,
        args: tuple,
        kwargs: dict,
        lent: dict[str, Callable],
        keep: bool = False,
    ) -> Any:
        """
        Call a function; what it does to its arguments is done to ours. What it prints is dropped.

        Parameters
        ----------
        test : int
            For which test it was held.
        name : str
        args, kwargs
            Its arguments, plain data and tickets.
        lent : dict
            Functions of ours that it finds in place of its own, by name.
        keep : bool
            Whether the last value returned stays in the room; a `Ticket` stands for it.
        """
        given = {n: arg.number for n, arg in enumerate(args) if isinstance(arg, Ticket)}
        for arg in args:
            if isinstance(arg, Ticket) and arg.room is not self:
                raise RoomDied(f"{name}: what it is to be called with was lost with its room")
        plain = tuple(None if n in given else arg for n, arg in enumerate(args))
        question = {
            **{"do": "call", "test": test, "name": name, "args": plain, "kwargs": kwargs},
            **{"lent": list(lent), "keep": keep, "given": given},
        }
        answer = self.ask(question, name, self.limits.call_seconds, lent)
        if "unsupported" in answer:
            returned = self.get(answer, "where") == "result"
            what = "returns" if returned else "puts into its arguments"
            kind = self.shown.kind(check_text(answer["unsupported"], 200)) or "something"
            raise CannotCross(f"{name} {what} {kind}, which cannot be tested: {PLAIN_DATA}")
        if "error" in answer:
            cell = check_text(self.get(answer, "cell"), 200)
            raise student_error(check_error(answer["error"], self.shown), cell)
        result = self.get(answer, "result")
        if keep and "ticket" in answer:
            if type(answer["ticket"]) is not int or type(result) is not tuple or not result:
                self.fail("the message is not of the right form")
            result = (*result[:-1], Ticket(self, answer["ticket"]))
        return result

    def has_gone(self) -> bool:
        """Tell whether the room has ended, or speaks without being asked."""
        return self.channel.has_gone()

    def close(self, patience: float = 0.0) -> dict[str, Any]:
        """End the room with all its processes; return how it ended and what it used."""
        if self.usage is None:
            self.channel.close()
            self.usage = self._end(patience)
        return self.usage

    # The line

    def ask(
        self,
        question: dict[str, Any],
        who: str,
        seconds: float,
        lent: dict[str, Callable] | None = None,
        kind: type = dict,
    ) -> Any:
        """Send a question, serve what is asked back, and return the answer, of this kind."""
        try:
            message, table = wire.encode(question, self.bounds)
        except wire.UnsupportedType as wrong:
            raise CannotCross(f"{who} cannot be given {wrong}: {PLAIN_DATA}") from None
        self.clock.start(seconds)
        try:
            self.channel.send(message, self.clock.latest)
            what, reply = self.receive()
            while lent and what == CALL_BACK:
                self.channel.send(self.call_back(reply, lent), self.clock.latest)
                what, reply = self.receive()
            answer, _ = wire.decode(reply, self.bounds, table)
            if what != ANSWER or type(answer) is not kind:
                raise wire.WireError("the message is not of the right form")
            return answer
        except ChannelTimeout:
            self.close()
            if self.clock.is_spent():
                text = f"{who} has not finished: the time for the whole notebook is used up"
                raise RoomTimeout(text) from None
            raise RoomTimeout(f"{who} did not finish within {seconds:g} s") from None
        except ChannelClosed:
            raise RoomDied(f"{who} {self.last_words(question['do'] == 'call')}") from None
        except (ChannelError, wire.WireError) as error:
            self.close()
            raise RoomDied(f"{who} ended its room: {error}") from None
        finally:
            self.clock.stop()

    def receive(self) -> tuple[bytes, bytearray]:
        """Return the next message, if it begins to come before the time is up."""
        while not self.channel.wait(max(self.clock.left(), SHORTEST_WAIT)):
            if self.clock.is_up():
                raise ChannelTimeout("does not answer")
        return self.channel.receive(self.clock.latest_end())

    def call_back(self, message: bytearray, lent: dict[str, Callable]) -> bytes:
        """Run a lent function, and return the answer for the room."""
        asked, table = wire.decode(message, self.bounds)
        try:
            function = lent[asked["callback"]]
            args, kwargs = tuple(asked["args"]), asked["kwargs"]
            if type(kwargs) is not dict:  # of pairs, none would have weighed the keys
                raise TypeError
        except WRONG_FORM:
            raise wire.WireError("asks for what is not lent") from None
        try:
            answer = {"result": function(*args, **kwargs)}
        except Exception as error:  # the student's arguments may be anything
            answer = {"error": {"type": type(error).__name__, "message": clean(str(error), 500)}}
        try:
            return wire.encode({**answer, "args": args, "kwargs": kwargs}, self.bounds, table)[0]
        except wire.UnsupportedType as kind:
            answer = {"error": {"type": "TypeError", "message": f"the result is {kind}"}}
            return wire.encode(answer, self.bounds)[0]

    def last_words(self, of_call: bool) -> str:
        """
        Return how a room ended that is found closed.

        How it ended in a call of a test, it may have chosen by what it was called with: then
        no number is told.
        """
        usage = self.close(patience=0.5)
        status = usage["status"]
        if usage["too_large"]:
            return f"used more than {self.limits.room_mb} MB of memory in all its processes"
        if status is None:
            return "closed the line to its room"
        if status >= 0:
            return "ended its own process" + ("" if of_call else f" (exit code {status})")
        if usage["cpu_seconds"] >= self.limits.cpu_seconds - 1:
            return f"used more than {self.limits.cpu_seconds} s of processor time"
        if of_call and -status not in COMMON_SIGNALS:
            return "was ended by a signal"
        try:
            return f"was ended by {signal.Signals(-status).name}"
        except ValueError:
            return f"was ended by signal {-status}"

    def get(self, answer: dict[str, Any], key: str) -> Any:
        """Return an entry of an answer."""
        if key not in answer:
            self.fail("the message is not of the right form")
        return answer[key]

    def get_outputs(self, answer: dict[str, Any], most: int) -> list[dict]:
        """Return the outputs of an answer."""
        try:
            return check_outputs(self.get(answer, "outputs"), most + ROOM_FOR_A_WORD)
        except wire.WireError as error:
            self.fail(str(error))

    def fail(self, why: str) -> NoReturn:
        """End the room for what it sends."""
        self.close()
        raise RoomDied(f"the room was ended: {why}")


def bounds_of(limits: Limits) -> wire.Bounds:
    """Return the bounds of messages."""
    return wire.Bounds(limits.message_bytes, limits.message_items, limits.message_depth)


# ------------------------------------------------------------------ stand-ins


class StandIn:
    """
    Stands for a student's function in the marking room.

    Calling it calls the function in the student's room. Arguments are copied there,
    results are copied back, and arguments that were changed in place are changed here.

    Parameters
    ----------
    name : str
    call : callable
        Makes the call: `call(name, args, kwargs, lent, keep)`.
    """

    def __init__(self, name: str, call: Callable[..., Any], keep: bool = False) -> None:
        self.__name__ = self.__qualname__ = name
        self._call = call
        self._keep = keep
        self._lent: dict[str, Callable] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the student's function."""
        return self._call(self.__name__, args, kwargs, self._lent, self._keep)

    def keeping_last(self) -> StandIn:
        """Return one whose last value stays in the room: a `Ticket` comes back for it."""
        keeping = StandIn(self.__name__, self._call, keep=True)
        keeping._lent = self._lent
        return keeping

    @contextmanager
    def lending(self, **functions: Callable) -> Iterator[None]:
        """
        Lend functions to the student's, for the time of the block.

            with rnn_forward.lending(rnn_cell_forward=reference):
                rnn_forward(x, a0, parameters)
        """
        before = self._lent
        self._lent = {**before, **functions}
        try:
            yield
        finally:
            self._lent = before

    def __getattr__(self, name: str) -> NoReturn:
        """Say what a stand-in is."""
        text = (
            f"{self.__dict__['__name__']} is a student's function in a room of its own: a test can "
            f"call it, but not look at its {name}"
        )
        # To tools that look for the parts of a function this must not seem a mere lack.
        hidden = name.startswith("__") and not name.startswith("__array")
        raise CannotCross(text) if hidden else AttributeError(text)

    def __repr__(self) -> str:
        """Name the function."""
        return f"<the student's {self.__name__}>"
