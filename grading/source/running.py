"""An author's code, run in this process: what stops it is said with its cell and line."""

from __future__ import annotations

import functools
import hashlib
import linecache
import re
from collections.abc import Iterator
from contextlib import contextmanager
from traceback import walk_tb
from types import CodeType
from typing import Any

from grading import CellStops, StillRuns
from grading.bounded import OutOfTime, bounded
from grading.source.mistakes import Version
from grading.source.moved import say_where
from grading.source.names import python_in


def run_cell(assignment: str, name: str, text: str, names: dict[str, Any], seconds: float) -> None:
    """
    Run a cell of the author's.

    Parameters
    ----------
    assignment, name : str
        Its assignment's, and its own.
    text : str
    names : dict
        In which it is run.
    seconds : float
        So long it may run.

    Raises
    ------
    CellStops
    StillRuns
    """
    try:
        with bounded(seconds):
            exec(compiled(text, name), names)
    except OutOfTime as stop:
        raise StillRuns(assignment, place_of(stop) or name, seconds) from None
    except StillRuns:  # what it has called in turn
        raise
    except Exception as error:
        what = error.msg if isinstance(error, SyntaxError) else str(error)
        said = say_where(error) or ": ".join(filter(None, [type(error).__name__, what]))
        raise CellStops(assignment, name, line_in(error, name), said) from None


@contextmanager
def in_entry(version: Version | None) -> Iterator[None]:
    """Let it be said which entry of the table it is that still runs in the block."""
    try:
        yield
    except StillRuns as stop:
        raise stop.of(version.entry) if version else stop from None


@functools.lru_cache(1000)
def compiled(text: str, name: str) -> CodeType:
    """Compile the text of a cell, and keep it where one looks for the line that stops."""
    file = f"<{name}, {hashlib.sha256(text.encode()).hexdigest()[:8]}>"
    linecache.cache[file] = len(text), None, text.splitlines(keepends=True), file
    try:
        return compile(text, file, "exec", dont_inherit=True)
    except SyntaxError:  # a magic, which IPython makes Python of
        return compile(python_in(text), file, "exec", dont_inherit=True)


def line_in(error: BaseException, name: str) -> int | None:
    """Return the line of the cell of this name that an exception passed through last."""
    file = f"<{name}, "
    trace = walk_tb(error.__traceback__)
    found = [number for frame, number in trace if frame.f_code.co_filename.startswith(file)]
    found += [error.lineno] if isinstance(error, SyntaxError) and error.lineno else []
    return found[-1] if found else None


def place_of(stop: OutOfTime) -> str:
    """Return in which line of which cell an author's code was stopped; "" outside of all."""
    files = [(frame.f_code.co_filename, number) for frame, number in walk_tb(stop.__traceback__)]
    found = [(re.match(r"<(.+), \w{8}>", file), number) for file, number in files]
    return next((f"{cell[1]}, line {n}" for cell, n in reversed(found) if cell), "")
