"""
The trusted side of a room: the line to it, and stand-ins for the student's functions.

Nothing that comes over the line is trusted. It is read as plain data, its form is
checked, and whatever is wrong with it ends the room.
"""

from __future__ import annotations

import base64
import binascii
import builtins
import math
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from .limits import Limits
from .room import wire
from .room.channel import ANSWER, CALL_BACK, Channel, ChannelClosed, ChannelError, ChannelTimeout
from .room.shell import clean
from .sandbox import Nursery

# What a student's cell may show. Text alone, and pictures that are plainly pictures.
SHOWN = ("text/plain", "text/html", "image/png")
PLAIN_DATA = "only arrays of numbers, numbers, strings, lists, tuples and dicts can cross"
PNG = b"\x89PNG\r\n\x1a\n"


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


class StudentError(Exception):
    """
    What a student's function raised.

    `student_error` makes it an instance of the built-in types that the student's
    own exception has, too.

    Attributes
    ----------
    student_lines : list of str
        The lines of the student's own cells, the innermost last:
        "line 5: concat = np.concatenate(a_prev, xt)".
    """

    def __init__(self, message: str, student_lines: list[str]) -> None:
        self.message = message
        self.student_lines = student_lines

    def __str__(self) -> str:
        """Return the message, as the student's exception gives it."""
        return self.message


def student_error(description: dict[str, Any], cell: str) -> StudentError:
    """
    Return an exception like the student's own.

    Parameters
    ----------
    description : dict
        As `check_error` returns it.
    cell : str
        The label of the cell of the function that was called.
    """
    lines = [
        f"line {number}: {text}" if label == cell else f"{label}, line {number}: {text}"
        for label, number, text in description["lines"]
    ]
    bases: tuple[type, ...] = (StudentError,)
    for name in description["bases"]:
        base = getattr(builtins, name, None)
        # None that would stop a loop or the grader where a test lets it pass.
        stops = (StopIteration, StopAsyncIteration, BaseExceptionGroup)
        if isinstance(base, type) and issubclass(base, Exception) and not issubclass(base, stops):
            bases = (StudentError, base)
            break
    name = description["type"] if description["type"].isidentifier() else "Exception"
    kind = type(name, bases, {"__module__": "student"})
    return kind(description["message"], lines)


# ------------------------------------------------ what comes from a room, checked


def check_text(text: Any, most: int) -> str:
    """Return a text from a room."""
    if type(text) is not str:
        raise wire.WireError("the message is not of the right form")
    return clean(text, most)


def without_controls(text: str) -> str:
    """Return a text without characters that steer a terminal."""
    return "".join(c for c in text if c.isprintable() or c in "\n\t")


def check_error(error: Any) -> dict[str, Any]:
    """Return a description of an exception from a room."""
    try:
        return {
            "type": check_text(error["type"], 100),
            "bases": [check_text(base, 100) for base in error["bases"][:20]],
            "message": without_controls(check_text(error["message"], 5000)),
            "lines": [
                (check_text(label, 200), int(number), without_controls(check_text(text, 300)))
                for label, number, text in error["lines"][:20]
            ],
        }
    except (TypeError, KeyError, ValueError, AttributeError):
        raise wire.WireError("the message is not of the right form") from None


def check_outputs(outputs: Any, most: int) -> list[dict[str, Any]]:
    """Return outputs from a room as nbformat's dicts: text and pictures, and nothing else."""
    try:
        kept = [check_output(output, most) for output in outputs[:10_000]]
    except (TypeError, KeyError, ValueError, AttributeError):
        raise wire.WireError("the message is not of the right form") from None
    return [output for output in kept if output]


def check_output(output: dict, most: int) -> dict[str, Any]:
    """Return one output from a room; an empty dict where there is nothing to show."""
    kind = output["output_type"]
    if kind == "stream":
        name = "stderr" if output["name"] == "stderr" else "stdout"
        return {"output_type": kind, "name": name, "text": check_text(output["text"], most)}
    if kind == "error":
        return {
            "output_type": kind,
            "ename": check_text(output["ename"], 100),
            "evalue": check_text(output["evalue"], 5000),
            "traceback": [check_text(line, 5000) for line in output["traceback"][:50]],
        }
    data = {m: check_text(output["data"][m], most) for m in SHOWN if m in output["data"]}
    if "image/png" in data and not is_png(data["image/png"]):
        del data["image/png"]
    if kind not in ("display_data", "execute_result") or not data:
        return {}
    shown = {"output_type": kind, "data": data, "metadata": {}}
    return shown if kind == "display_data" else {**shown, "execution_count": None}


def is_png(text: str) -> bool:
    """Tell whether a text is a PNG picture in Base64."""
    try:
        return base64.b64decode("".join(text.split()), validate=True).startswith(PNG)
    except (binascii.Error, ValueError):
        return False


# ------------------------------------------------------------------- the room


class Room:
    """
    A student's room, as the marking room sees it.

    Parameters
    ----------
    nursery : Nursery
    files : dict, optional
        Name and contents of the files that the student's cells find.
    until : float
        When the room's time is up, by `time.monotonic`.

    Attributes
    ----------
    usage : dict or None
        What the room used, once it is closed: `cpu_seconds`, `peak_mb`.
    """

    def __init__(
        self, nursery: Nursery, files: dict[str, bytes] | None = None, until: float = math.inf
    ) -> None:
        self.limits = nursery.limits
        self.until = until
        self.usage: dict[str, Any] | None = None
        self.bounds = bounds_of(self.limits)
        try:
            line, self._end = nursery.start_room()
        except OSError as error:
            raise RoomDied(f"no room could be started: {error}") from None
        self.channel = Channel(line, 2 * self.bounds.bytes)
        self.ask({"do": "begin", "files": files or {}}, "the room", self.limits.start_seconds)

    def run_cell(self, source: str, label: str) -> tuple[list[dict], dict | None]:
        """
        Run one cell.

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
        return self.get_outputs(answer), None if error is None else check_error(error)

    def call(
        self, name: str, args: tuple, kwargs: dict, lent: dict[str, Callable], show: Callable
    ) -> Any:
        """
        Call a function of the student's; what it does to its arguments is done to ours.

        Parameters
        ----------
        name : str
        args, kwargs
            Its arguments, plain data.
        lent : dict
            Functions of ours that it finds in place of its own, by name.
        show : callable
            Is given the outputs of the call.
        """
        question = {"do": "call", "name": name, "args": args, "kwargs": kwargs, "lent": list(lent)}
        answer = self.ask(question, name, self.limits.call_seconds, lent)
        show(self.get_outputs(answer))
        if "unsupported" in answer:
            kind = check_text(answer["unsupported"], 200)
            returned = self.get(answer, "where") == "result"
            what = f"returns {kind}" if returned else f"puts {kind} into its arguments"
            raise CannotCross(f"{name} {what}, which cannot be tested: {PLAIN_DATA}")
        if "error" in answer:
            cell = check_text(self.get(answer, "cell"), 200)
            raise student_error(check_error(answer["error"]), cell)
        return self.get(answer, "result")

    def resolve(self, names: Sequence[str]) -> dict[str, tuple]:
        """
        Say what names are.

        Returns
        -------
        dict
            Name: ("callable",), ("value", its value), ("missing",), or ("other",
            the kind of thing it is).
        """
        question = {"do": "resolve", "names": list(names)}
        answer = self.ask(question, "the room", self.limits.call_seconds)
        for name in names:
            found = self.get(answer, name)
            sizes = {"callable": 1, "missing": 1, "value": 2, "other": 2}
            if type(found) is not tuple or not found or type(found[0]) is not str:
                self.fail("the message is not of the right form")
            if sizes.get(found[0]) != len(found):
                self.fail("the message is not of the right form")
        return answer

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
    ) -> dict[str, Any]:
        """Send a question, serve what is asked back, and return the answer."""
        try:
            message, table = wire.encode(question, self.bounds)
        except wire.UnsupportedType as kind:
            raise CannotCross(f"{who} cannot be given {kind}: {PLAIN_DATA}") from None
        deadline = min(time.monotonic() + seconds, self.until)
        try:
            self.channel.send(message, deadline)
            kind, reply = self.channel.receive(deadline)
            while lent and kind == CALL_BACK:
                self.channel.send(self.call_back(reply, lent), deadline)
                kind, reply = self.channel.receive(deadline)
            answer, _ = wire.decode(reply, self.bounds, table)
            if kind != ANSWER or type(answer) is not dict:
                raise wire.WireError("the message is not of the right form")
            return answer
        except ChannelTimeout:
            self.close()
            if time.monotonic() >= self.until:
                text = f"{who} has not finished: the time for the whole notebook is used up"
                raise RoomTimeout(text) from None
            raise RoomTimeout(f"{who} did not finish within {seconds:g} s") from None
        except ChannelClosed:
            raise RoomDied(f"{who} {self.last_words()}") from None
        except (ChannelError, wire.WireError) as error:
            self.close()
            raise RoomDied(f"{who} ended its room: {error}") from None

    def call_back(self, message: bytearray, lent: dict[str, Callable]) -> bytes:
        """Run a lent function, and return the answer for the room."""
        asked, table = wire.decode(message, self.bounds)
        try:
            function = lent[asked["callback"]]
            args, kwargs = tuple(asked["args"]), dict(asked["kwargs"])
        except (TypeError, KeyError, ValueError):
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

    def last_words(self) -> str:
        """Return how a room ended that is found closed."""
        usage = self.close(patience=0.5)
        status = usage["status"]
        if status is None:
            return "closed the line to its room"
        if status >= 0:
            return f"ended its own process (exit code {status})"
        if usage["cpu_seconds"] >= self.limits.cpu_seconds - 1:
            return f"used more than {self.limits.cpu_seconds} s of processor time"
        try:
            return f"was ended by {signal.Signals(-status).name}"
        except ValueError:
            return f"was ended by signal {-status}"

    def get(self, answer: dict[str, Any], key: str) -> Any:
        """Return an entry of an answer."""
        if key not in answer:
            self.fail("the message is not of the right form")
        return answer[key]

    def get_outputs(self, answer: dict[str, Any]) -> list[dict]:
        """Return the outputs of an answer."""
        try:
            return check_outputs(self.get(answer, "outputs"), 2 * self.limits.output_bytes)
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
        Makes the call: `call(name, args, kwargs, lent)`.
    """

    def __init__(self, name: str, call: Callable[[str, tuple, dict, dict], Any]) -> None:
        self.__name__ = self.__qualname__ = name
        self._call = call
        self._lent: dict[str, Callable] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the student's function."""
        return self._call(self.__name__, args, kwargs, self._lent)

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
