"""What comes from a room, checked: it may come from anybody."""

from __future__ import annotations

import base64
import binascii
import builtins
from typing import Any

from .exceptions import COMMON, Shown
from .room import wire
from .room.shell import CUT, clean

OURS = ("RoomDied", "RoomTimeout", "CannotCross")  # what a student's exception is not called
# What a student's cell may show. Text alone, and pictures that are plainly pictures.
SHOWN = ("text/plain", "text/html", "image/png")
PNG = b"\x89PNG\r\n\x1a\n"
# What Python raises where a message is not of the form that is read from it.
WRONG_FORM = (TypeError, LookupError, ValueError, ArithmeticError, AttributeError)


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
    raised : list or None
        In which operation, and on what: compared with known mistakes, and never shown.
    """

    def __init__(
        self,
        message: str,
        student_lines: list[tuple[str, int, str]],
        raised: list[Any] | None = None,
    ) -> None:
        self.message = message
        self.student_lines = student_lines
        self.raised = raised

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
        ("" if label == cell else label, number, text)
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
    name = description["type"]
    if not name.isidentifier() or name in OURS:
        name = bases[-1].__name__
    kind = type(name, bases, {"__module__": "student"})
    return kind(description["message"], lines, description.get("raised"))


def check_text(text: Any, most: int) -> str:
    """Return a text from a room."""
    if type(text) is not str:
        raise wire.WireError("the message is not of the right form")
    return clean(text, most)


def without_controls(text: str) -> str:
    """Return a text without characters that steer a terminal."""
    return "".join(c for c in text if c.isprintable() or c in "\n\t")


def check_error(error: Any, shown: Shown | None = None) -> dict[str, Any]:
    """
    Return a description of an exception from a room.

    Parameters
    ----------
    error : Any
    shown : Shown, optional
        Of an exception in a test: decides what of it is shown.
    """
    checked = check_form_of_error(error)
    if shown is None:
        return checked
    bases = [base for base in checked["bases"] if base in COMMON]
    lines = [(label, n, shown.line(label, n)) for label, n, _ in checked["lines"]]
    return {
        "type": shown.name(checked["type"], (bases or ["Exception"])[0]),
        "bases": bases,
        "message": shown.message(checked["message"]),
        "raised": checked["raised"] and shown.stop(*checked["raised"]),
        "lines": [line for line in lines if line[2] is not None],
    }


def check_form_of_error(error: Any) -> dict[str, Any]:
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


def check_outputs(outputs: Any, most: int) -> list[dict[str, Any]]:
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


def size_of(output: dict[str, Any]) -> int:
    """Return how many characters an output holds."""
    texts = [output.get("text", ""), *output.get("traceback", ()), *output.get("data", {}).values()]
    return 100 + sum(map(len, texts))


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
