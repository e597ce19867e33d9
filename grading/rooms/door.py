"""
The trusted side of a room: the line to it, and stand-ins for the student's functions.

Nothing that comes over the line is trusted. It is read as plain data, its form is
checked, and whatever is wrong with it ends the room.
"""

from __future__ import annotations

import math
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from ..bounded import SHORTEST_WAIT, OutOfTime, bounded
from . import said
from .answers import (
    WRONG_FORM,
    RoomDied,
    RoomError,
    RoomTimeout,
    Told,
    check_error,
    check_outputs,
    check_text,
    student_error,
    with_odd,
)
from .clock import Clock
from .exceptions import Shown
from .room import wire
from .room.channel import ANSWER, QUESTION, Channel, ChannelClosed, ChannelError, ChannelTimeout
from .room.folded import Folded, fold, unfold
from .room.shell import Output, Stream, clean
from .room.stops import HOLDS_ITSELF
from .sandbox import Nursery, Usage
from .stand_in import CallableThing, CannotCross, Thing, is_ours

# What a value may be called that should be plain data, and is not.
ODD = (
    *("deque", "matrix", "generator", "set", "range", "map", "zip", "MaskedArray"),
    *(f"{held} array" for held in ("object", "longdouble", "clongdouble", "bytes", "void")),
    *("StringDType array", "datetime64 array", "timedelta64 array"),
    *("longdouble", "clongdouble", "bytes_"),
    HOLDS_ITSELF.__name__,
)
NOT_RIGHT = "the message is not of the right form"
CALLS = ("call", "operate")
COMMON_SIGNALS = (signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT)  # what bounds and faults send
DEEPEST = 40  # questions in one another
ROOM_FOR_A_WORD = 1000  # characters: that the output ends here


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
        return "<object>"  # in no language


def cannot_ask(*_: object) -> NoReturn:
    """Refuse to ask an object: what a room without a `Student` around it does."""
    raise TypeError("this room answers calls alone")


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
    operate : callable
        Asks the objects of this room: as `Student.operate`.

    Attributes
    ----------
    clock : Clock
        How much time its code has taken.
    usage : Usage or None
        What the room used, once it is closed.
    """

    def __init__(
        self,
        nursery: Nursery,
        files: dict[str, bytes] | None = None,
        budget: float = math.inf,
        shown: Shown | None = None,
        operate: Callable[..., Any] = cannot_ask,
    ) -> None:
        self.operate_by = operate
        self.limits = nursery.limits
        self.shown = shown or Shown({})
        self.usage: Usage | None = None
        self.bounds = self.limits.messages
        try:
            line, self._end, waited = nursery.start_room()
        except OSError as error:
            raise RoomDied(said.NOT_STARTED.format(problem=error)) from None
        self.clock = Clock(waited, budget)
        self.channel = Channel(line, 2 * self.bounds.bytes)
        self.things: dict[int, Thing] = {}  # the stand-ins made of its tickets
        self.lent = 0  # how many functions of ours have been
        self.depth = 0  # of questions, each asked by a function that the one before has called
        self.ask({"do": "begin", "files": files or {}}, "the room", self.limits.start_seconds)

    def run_cell(self, source: str, label: str, most: int) -> tuple[list[Output], Told | None]:
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
        error : Told or None
            What the cell raised.
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
            Name: ("callable",), ("exception", its bases), ("value", it), ("missing",),
            ("object", its kind), or ("other", its kind).
        """
        question = {"do": "hold", "test": test, "names": list(names)}
        answer = self.ask(question, "the room", self.limits.call_seconds)
        for name in names:
            found = self.get(answer, name)
            sizes = {"callable": 1, "missing": 1}
            sizes |= dict.fromkeys(("exception", "value", "object", "other"), 2)
            if type(found) is not tuple or not found or type(found[0]) is not str:
                self.fail(NOT_RIGHT)
            if sizes.get(found[0]) != len(found):
                self.fail(NOT_RIGHT)
            if found[0] == "value":
                answer[name] = "value", self.unfold(found[1], name)
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
        spare: bool = False,
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
        spare : bool
            Whether what stops, and what its last value alone needs, is left out: see `sparing`.
        """
        given = {n: arg.number for n, arg in enumerate(args) if isinstance(arg, Ticket)}
        for arg in args:
            if isinstance(arg, Ticket) and arg.room is not self:
                raise RoomDied(said.ARGUMENT_GONE.format(name=name))
        plain = tuple(None if n in given else arg for n, arg in enumerate(args))
        question = {
            **{"do": "call", "test": test, "name": name, "args": plain, "kwargs": kwargs},
            **{"lent": {each: each for each in lent}, "keep": keep, "spare": spare},
            "given": given,
        }
        answer = self.ask(question, name, self.limits.call_seconds, lent)
        self.check_crossed(answer, name)
        result = self.get(answer, "result")
        for path, kind in answer.get("odd", ()):
            name = check_text(kind, 100)
            known = name if name in ODD else self.shown.name(name, said.OTHER_TYPE)
            result = with_odd(result, tuple(path), known)
        if keep and "ticket" in answer:
            if type(answer["ticket"]) is not int or type(result) is not tuple or not result:
                self.fail(NOT_RIGHT)
            result = (*result[:-1], Ticket(self, answer["ticket"]))
        return result

    def check_crossed(
        self, answer: dict[str, Any], who: str, classes: Mapping[str, type] | None = None
    ) -> None:
        """
        Raise what was raised there, or CannotCross where something could not cross.

        With `classes`, the student's of exceptions, a test may catch these and ask for the text.
        """
        if "unsupported" in answer:
            returned = self.get(answer, "where") == "result"
            does = said.RETURNS if returned else said.PUTS_INTO
            kind = self.shown.kind(check_text(answer["unsupported"], 200)) or "something"
            raise CannotCross(does.format(who=who, kind=kind))
        if "error" in answer:
            cell = check_text(self.get(answer, "cell"), 200)
            error = check_error(answer["error"], self.shown, classes is not None)
            of = answer.get("of", [])
            known = [classes[n] for n in of if n in classes] if classes and type(of) is list else []
            raise student_error(error, cell, known)

    def operate(
        self,
        test: int,
        target: Thing,
        operation: str,
        given: tuple[tuple, dict[str, Any]],
        names: Mapping[str, Any],
        gone: Sequence[str],
        label: str,
        seeded: tuple | None,
        classes: Mapping[str, type],
    ) -> tuple[Any, dict[str, Any]]:
        """
        Ask an object something; what it prints is printed here.

        Parameters
        ----------
        test : int
            Which test asks.
        target : Thing
            What is asked.
        operation : str
            One of those that the room knows.
        given : tuple
            Arguments in places, and by name: plain data, stand-ins, functions of ours.
        names, gone
            Which names have other values for the time of this, and which have none.
        label : str
            What the result is called in errors.
        seeded : tuple or None
            The state of random numbers to go on with.
        classes : mapping
            The student's classes of exceptions, by their names.

        Returns
        -------
        result : object
        values : dict
            Of the plain data that the test was told, what is other data by now.
        """
        who = target.label_
        if self.depth >= DEEPEST:
            raise CannotCross(said.TOO_DEEP.format(name=who, count=DEEPEST))
        lent: dict[str, Callable] = {}

        def lend(function: Callable) -> str:
            self.lent += 1
            name = f"{getattr(function, '__name__', 'function')} {self.lent}"
            lent[name] = function
            return name

        def refer(value: Any) -> Folded:
            return ("lent", lend(value)) if is_ours(value) else self.refer(value, who)

        ours = {name: lend(value) for name, value in names.items() if is_ours(value)}
        question = {
            **{"do": "operate", "test": test, "target": refer(target), "operation": operation},
            **{"given": fold(given, refer, self.bounds), "gone": list(gone), "lent": ours},
            "seeded": seeded,
            "space": {
                name: fold(value, refer, self.bounds)
                for name, value in names.items()
                if name not in ours
            },
        }
        # What an object has been given, it and what comes of it may call when they are asked again.
        may_call = target.given_ if target.room_ else {}
        may_call.update(lent)
        self.depth += 1
        try:
            answer = self.ask(question, who, self.limits.call_seconds, may_call)
        finally:
            self.depth -= 1
        self.check_crossed(answer, who, classes)
        values = self.get(answer, "values")
        if type(values) is not dict:
            self.fail(NOT_RIGHT)
        changed = {name: self.unfold(value, name) for name, value in values.items()}
        try:
            printed = check_text(self.get(answer, "printed"), 2 * self.limits.output_bytes)
        except wire.WireError:
            self.fail(NOT_RIGHT)
        if not isinstance(sys.stdout, Stream):  # the test looks at it, or else nobody does
            sys.stdout.write(printed)
        return self.unfold(self.get(answer, "result"), label, may_call), changed

    def refer(self, value: object, who: str = "a function") -> Folded:
        """Return the reference to an object of the room."""
        if not isinstance(value, Thing):
            kind = f"a {type(value).__name__}"
            raise CannotCross(said.CANNOT_BE_GIVEN.format(who=f"`{who}`", kind=kind))
        if value.room_ not in (None, self):
            raise CannotCross(said.GONE.format(name=value.label_))
        return value.reference_

    def unfold(self, folded: object, label: str, given: dict[str, Callable] | None = None) -> Any:
        """Return a value that came folded, with stand-ins for what stays in the room."""
        given = {} if given is None else given
        try:
            return unfold(folded, lambda reference: self.thing(reference, label, given))
        except WRONG_FORM:
            self.fail(NOT_RIGHT)

    def thing(self, reference: tuple, label: str, given: dict[str, Callable]) -> Thing:
        """Return the stand-in for an object, the same for the same, made with functions of ours."""
        tag, number, kind, is_callable = reference
        if tag != "ref" or type(number) is not int or type(kind) is not str:
            raise ValueError
        if number not in self.things:
            make = CallableThing if is_callable is True else Thing
            kind = self.shown.kind(kind)
            made = self.things[number] = make(label, self.operate_by, kind, ("ref", number), self)
            made.keep_(given_=given)
        elif self.things[number].given_ is not given:
            self.things[number].given_.update(given)
        return self.things[number]

    def has_gone(self) -> bool:
        """Tell whether the room has ended, or speaks without being asked."""
        return self.channel.has_gone()

    def close(self, patience: float = 0.0) -> Usage:
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
            raise CannotCross(said.CANNOT_BE_GIVEN.format(who=who, kind=wrong)) from None
        self.clock.start(seconds)
        try:
            self.channel.send(message, self.clock.latest, QUESTION)
            what, reply = self.receive()
            while lent and what == QUESTION:
                self.channel.send(self.call_back(reply, lent), self.clock.latest)
                what, reply = self.receive()
            answer, _ = wire.decode(reply, self.bounds, table)
            if what != ANSWER or type(answer) is not kind:
                raise wire.WireError(NOT_RIGHT)
            return answer
        except ChannelTimeout:
            self.close()
            if self.clock.is_spent():
                raise RoomTimeout(said.OUT_OF_TIME.format(who=who)) from None
            raise RoomTimeout(said.TOO_SLOW.format(who=who, seconds=f"{seconds:g}")) from None
        except ChannelClosed:
            raise RoomDied(self.last_words(who, question["do"] in CALLS)) from None
        except (ChannelError, wire.WireError) as error:
            self.close()
            raise RoomDied(said.ENDED_FOR.format(who=who, why=error)) from None
        except OutOfTime:
            self.close()
            text = said.ASKS_TOO_MUCH.format(who=who, seconds=f"{seconds:g}")
            raise RoomTimeout(text) from None
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
            if self.depth and "given" in asked:  # objects, of which a test may be told
                args, kwargs = unfold(asked["given"], lambda ref: self.thing(ref, "it", lent))
        except WRONG_FORM:
            raise wire.WireError("asks for what is not lent") from None
        try:
            with bounded(self.limits.call_seconds, self.clock.latest):
                answer = {"result": function(*args, **kwargs)}
        except RoomError:  # it has asked the student's function in turn
            raise
        except Exception as error:  # the student's arguments may be anything
            answer = {"error": {"type": type(error).__name__, "message": clean(str(error), 500)}}
        given = {} if "given" in asked else {"args": args, "kwargs": kwargs}
        try:
            return wire.encode({**answer, **given}, self.bounds, table)[0]
        except wire.UnsupportedType as kind:
            why = said.THE_RESULT.format(kind=kind)
        try:
            answer = {"folded": fold(answer["result"], self.refer, self.bounds)}
        except CannotCross:
            answer = {"error": {"type": "TypeError", "message": why}}
        return wire.encode(answer, self.bounds)[0]

    def last_words(self, who: str, of_call: bool) -> str:
        """
        Return how `who` ended a room that is found closed.

        How it ended in a call of a test, it may have chosen by what it was called with: then
        no number is told.
        """
        usage = self.close(patience=0.5)
        status = usage["status"]
        if usage["too_large"]:
            return said.TOO_LARGE.format(who=who, size=self.limits.room_mb)
        if status is None:
            return said.LINE_CLOSED.format(who=who)
        if status >= 0:
            return (said.ENDED if of_call else said.ENDED_WITH).format(who=who, code=status)
        if usage["cpu_seconds"] >= self.limits.cpu_seconds - 1:
            return said.TOO_BUSY.format(who=who, seconds=self.limits.cpu_seconds)
        if of_call and -status not in COMMON_SIGNALS:
            return said.A_SIGNAL.format(who=who)
        try:
            return said.SIGNAL.format(who=who, signal=signal.Signals(-status).name)
        except ValueError:
            return said.SIGNAL_NUMBER.format(who=who, number=-status)

    def get(self, answer: dict[str, Any], key: str) -> Any:
        """Return an entry of an answer."""
        if key not in answer:
            self.fail(NOT_RIGHT)
        return answer[key]

    def get_outputs(self, answer: dict[str, Any], most: int) -> list[Output]:
        """Return the outputs of an answer."""
        try:
            return check_outputs(self.get(answer, "outputs"), most + ROOM_FOR_A_WORD)
        except wire.WireError as error:
            self.fail(str(error))

    def fail(self, why: str) -> NoReturn:
        """End the room for what it sends."""
        self.close()
        raise RoomDied(said.FOR_WHAT_IT_SENDS.format(why=why))
