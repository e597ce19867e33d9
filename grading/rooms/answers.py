"""What comes from a room, checked: it may come from anybody."""

from __future__ import annotations

import base64
import binascii
import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from .exceptions import COMMON, Shown
from .room import wire
from .room.shell import CUT, Described, Output, clean

OURS = ("RoomDied", "RoomTimeout", "CannotCross")  # what a student's exception is not called
# What a student's cell may show. Text alone, and pictures that are plainly pictures.
SHOWN = ("text/plain", "text/html", "image/png")
PNG = b"\x89PNG\r\n\x1a\n"
# What Python raises where a message is not of the form that is read from it.
WRONG_FORM = (TypeError, LookupError, ValueError, ArithmeticError, AttributeError)


class RoomError(Exception):
    """A room is no more; the text is one line that says why."""

    student_lines: Sequence[tuple[str, int, str]] = ()


class RoomDied(RoomError):
    """The room has ended itself, or was ended by a limit."""


class RoomTimeout(RoomError):
    """The room did not answer in time."""


class Told(Described, total=False):
    """An exception, and what a test may know of it beside: as in `StudentError`."""

    raised: list[Any] | None
    text: str
    args: tuple


class StudentError(Exception):
    """
    What a student's function raised.

    `student_error` makes it an instance of the built-in types that the student's
    own exception has, too.

    Attributes
    ----------
    student_lines : list of tuple
        The lines of the student's own cells, the innermost last: the cell ("" for that of
        the function that was called), the number, and the code.
    message : str
        What of its text may be shown.
    raised : list or None
        In which operation, and on what: compared with known mistakes, and never shown.
    text : str
        What a test finds that asks for its text.
    """

    def __init__(
        self,
        message: str,
        student_lines: list[tuple[str, int, str]],
        raised: list[Any] | None = None,
        text: str | None = None,
        args: tuple = (),
    ) -> None:
        self.message = message
        self.student_lines = student_lines
        self.raised = raised
        self.text = message if text is None else text
        self.args = args or (self.text,)

    def __str__(self) -> str:
        """Return its text, as the student's exception gives it."""
        return self.text


def exception_class(name: str, bases: Any) -> type[Exception]:
    """Return what stands for a student's class of exceptions, for a test that catches it."""
    known = builtin_exception([base for base in bases if type(base) is str])
    return type(name, (known or Exception,), {"__module__": "student"})


def builtin_exception(names: list[str]) -> type[Exception] | None:
    """Return the first of these that is an exception of Python's and may go through a test."""
    # None that would stop a loop or the grader where a test lets it pass.
    stops = (StopIteration, StopAsyncIteration, BaseExceptionGroup)
    found = (getattr(builtins, name, None) for name in names)
    return next(
        (
            each
            for each in found
            if isinstance(each, type)
            and issubclass(each, Exception)
            and not issubclass(each, stops)
        ),
        None,
    )


def student_error(
    description: Told, cell: str, classes: Sequence[type[Exception]] = ()
) -> StudentError:
    """
    Return an exception like the student's own.

    Parameters
    ----------
    description : Told
    cell : str
        The label of the cell of the function that was called.
    classes : sequence of type
        Of `exception_class`, those that it is of.
    """
    lines = [
        ("" if label == cell else label, number, text)
        for label, number, text in description["lines"]
    ]
    known = builtin_exception(description["bases"])
    bases: tuple[type, ...] = (StudentError, *classes, *([known] if known else []))
    name = description["type"]
    if not name.isidentifier() or name in OURS:
        name = bases[-1].__name__
    try:
        kind = type(name, bases, {"__module__": "student"})
    except TypeError:  # no class can be of all these
        kind = type(name, (StudentError,), {"__module__": "student"})
    parts = ("message", "raised", "text", "args")
    message, raised, text, args = map(description.get, parts)
    return kind(message, lines, raised, text, args or ())


def check_text(text: object, most: int) -> str:
    """Return a text from a room."""
    if type(text) is not str:
        raise wire.WireError("the message is not of the right form")
    return clean(text, most)


def without_controls(text: str) -> str:
    """Return a text without characters that steer a terminal."""
    return "".join(c for c in text if c.isprintable() or c in "\n\t")


def check_error(error: Any, shown: Shown | None = None, told: bool = False) -> Told:
    """
    Return a description of an exception from a room.

    Parameters
    ----------
    error : Any
    shown : Shown, optional
        Of an exception in a test: decides what of it is shown.
    told : bool
        Whether the test may ask for its text, and for its arguments.
    """
    checked = check_form_of_error(error)
    if shown is None:
        return checked
    args = error.get("args")
    bases = [base for base in checked["bases"] if base in COMMON]
    lines = [(label, n, shown.line(label, n)) for label, n, _ in checked["lines"]]
    known: Told = {
        "type": shown.name(checked["type"], (bases or ["Exception"])[0]),
        "bases": bases,
        "message": shown.message(checked["message"]),
        "raised": checked["raised"] and shown.stop(*checked["raised"]),
        "lines": [(label, n, text) for label, n, text in lines if text is not None],
    }
    if told:
        known["text"] = checked["message"]
        known["args"] = tuple(args) if type(args) is list else ()
    return known


def check_form_of_error(error: Any) -> Told:
    """Return a description of an exception, if it is of the right form."""
    try:
        return {
            "type": check_text(error["type"], 100),
            "bases": [check_text(base, 100) for base in error["bases"][:20]],
            "message": without_controls(check_text(error["message"], 5000)),
            "lines": [
                (check_text(label, 200), int(number), without_controls(check_text(text, 300)))
                for label, number, text in error["lines"][:20]
            ],
            "raised": check_raised(error.get("raised")),
        }
    except WRONG_FORM:
        raise wire.WireError("the message is not of the right form") from None


def check_raised(raised: Any) -> list[Any] | None:
    """Return in which operation a function stopped, and on what, if it is of the right form."""
    if raised is None:
        return None
    operation, kind, names, values, texts = raised
    for text in (operation, kind, *names, *texts):
        check_text(text, 200)
    return [operation, kind, list(names), list(values), list(texts)]


def check_outputs(outputs: Any, most: int) -> list[Output]:
    """
    Return outputs from a room as nbformat's dicts: text and pictures, and nothing else.

    All together they hold `most` characters: one text may stand in a message many times.
    """
    kept = []
    try:
        for output in outputs[:10_000]:
            checked = check_output(output, most)
            most -= size_of(checked)
            if most < 0:
                kept.append({"output_type": "stream", "name": "stdout", "text": CUT})
                break
            kept.append(checked)
    except WRONG_FORM:
        raise wire.WireError("the message is not of the right form") from None
    return [output for output in kept if output]


def size_of(output: Output) -> int:
    """Return how many characters an output holds."""
    texts = [output.get("text", ""), *output.get("traceback", ()), *output.get("data", {}).values()]
    return 100 + sum(map(len, texts))


def check_output(output: Output, most: int) -> Output:
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


def with_odd(value: Any, path: tuple, kind: str) -> Any:
    """Return a value that is of another type at one place: as that type is called."""
    if path:
        changed = with_odd(value[path[0]], path[1:], kind)
        if type(value) is tuple:
            return (*value[: path[0]], changed, *value[path[0] + 1 :])
        value[path[0]] = changed
        return value
    if isinstance(value, np.ndarray):
        return value.view(type(kind, (np.ndarray,), {}))
    base = list if isinstance(value, list) else object
    return type(kind, (base,), {})(*([value] if base is list else []))
