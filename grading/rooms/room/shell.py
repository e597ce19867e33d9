"""An IPython shell without a kernel, which keeps what its cells show."""

from __future__ import annotations

import ast
import base64
import functools
import io
import linecache
import random
import subprocess
import sys
import tempfile
import traceback
import types
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from types import CodeType
from typing import Any, TypedDict

import numpy as np
from IPython.core.compilerop import CachingCompiler
from IPython.core.compilerop import PyCF_MASK as FUTURES
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.profiledir import ProfileDir
from traitlets.config import Config

from .stops import message_of

MOST_FRAMES = 8
MOST_TEXT = 4000
MOST_COMPILED = 500  # compiled cells: in the marking room they are the same for all students
CUT = "\n[The output ends here: it is too long.]\n"


Output = dict[str, Any]  # as nbformat has it


class Described(TypedDict):
    """
    An exception as plain data.

    Attributes
    ----------
    type, message : str
    bases : list of str
        The names of its built-in types.
    lines : list of tuple
        Those of cells alone: the cell's label, the number, and the text.
    """

    type: str
    message: str
    bases: list[str]
    lines: list[tuple[str, int, str]]


def clean(text: str, most: int = MOST_TEXT) -> str:
    """Return a text that is valid Unicode and of bounded length."""
    text = text if len(text) <= most else text[:most] + " ..."
    return text.encode("utf-8", "replace").decode("utf-8")


@functools.lru_cache(MOST_COMPILED)
def compile_cell(source: str, label: str, flags: int) -> tuple[CodeType, CodeType | None]:
    """Compile a cell that is Python as it stands: what it does, and its last line's value."""
    tree = compile(source, label, "exec", flags | ast.PyCF_ONLY_AST, dont_inherit=True)
    value = None
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = ast.Expression(tree.body.pop().value)
        value = compile(last, label, "eval", flags, dont_inherit=True)
    return compile(tree, label, "exec", flags, dont_inherit=True), value


def seed_random_numbers() -> None:
    """Let every room draw the same random numbers: a second run gives the same."""
    random.seed(0)
    np.random.seed(0)


class Outputs:
    """
    What cells show, in order, as nbformat's dicts, and bounded.

    Parameters
    ----------
    most_bytes : int
    """

    def __init__(self, most_bytes: int) -> None:
        self.left = most_bytes
        self.entries: list[Output] = []

    def stream(self, name: str, text: str) -> None:
        """Add printed text; it joins what was printed just before."""
        if self.left <= 0 or not text:
            return
        if len(text) > self.left:
            text = text[: self.left] + CUT
        self.left -= len(text)
        last = self.entries[-1] if self.entries else {}
        if last.get("output_type") == "stream" and last["name"] == name:
            last["text"].append(text)
        else:
            self.entries.append({"output_type": "stream", "name": name, "text": [text]})

    def show(self, kind: str, data: dict[str, Any], metadata: dict[str, Any] | None) -> None:
        """Add a `display_data` or an `execute_result`: a dict by MIME type."""
        data = {
            mime: base64.b64encode(item).decode() if isinstance(item, bytes) else item
            for mime, item in data.items()
        }
        size = sum(len(item) for item in data.values() if isinstance(item, str))
        if size > self.left:
            self.stream("stdout", CUT)
            self.left = 0
            return
        self.left -= size
        entry: Output = {"output_type": kind, "data": data, "metadata": metadata or {}}
        if kind == "execute_result":
            entry["execution_count"] = None
        self.entries.append(entry)

    def add_error(self, error: Described) -> None:
        """Add an error."""
        lines = []
        for label, number, text in error["lines"]:
            lines += [f"{label}, line {number}:", f"    {text}"]
        closing = f"{error['type']}: {error['message']}"
        self.entries.append(
            {
                "output_type": "error",
                "ename": error["type"],
                "evalue": error["message"],
                "traceback": [*lines, closing],
            }
        )

    def take(self) -> list[Output]:
        """Return all outputs, printed text as strings."""
        return [
            {**entry, "text": clean("".join(entry["text"]), sys.maxsize)}
            if entry["output_type"] == "stream"
            else entry
            for entry in self.entries
        ]


class Stream(io.TextIOBase):
    """Standard output or standard error of cells."""

    def __init__(self, shell: Shell, name: str) -> None:
        self.shell = shell
        self.name = name

    def write(self, text: str) -> int:
        """Keep the text."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self.shell.outputs.stream(self.name, text)
        return len(text)

    def writable(self) -> bool:
        """Return True."""
        return True

    encoding = "utf-8"


class Compiler(CachingCompiler):
    """Compiles each cell under its label, so that tracebacks name it."""

    label = "cell"

    def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:
        """Return the label."""
        return self.label


class KeepDisplays(DisplayPublisher):
    """Keeps what is displayed."""

    def publish(
        self, data: dict, metadata: dict | None = None, source: str | None = None, **_: object
    ) -> None:
        """Keep one display."""
        self.shell.outputs.show("display_data", data, metadata)

    def clear_output(self, wait: bool = False) -> None:
        """Forget what the cell has shown so far."""
        self.shell.outputs.entries.clear()


class KeepResult(DisplayHook):
    """Keeps the value of a cell's last line."""

    def __call__(self, result: object = None) -> None:
        """Keep the value, and show it unless the cell ends with a semicolon."""
        shell = self.shell
        if result is None or not isinstance(shell, Shell) or not shell.shows:
            return
        shell.user_ns["_"] = result
        self.fill_exec_result(result)
        is_quiet = ";" in shell.source and self.semicolon_at_end_of_expression(shell.source)
        if shell.display_formatter and not is_quiet:
            data, metadata = shell.display_formatter.format(result)
            if data:
                shell.outputs.show("execute_result", data, metadata)


INSTANCE = "_instance"  # where traitlets keeps the one shell of a process


class Shell(InteractiveShell):
    """
    An IPython shell whose outputs are kept in `outputs`.

    Parameters
    ----------
    shows : bool
        Whether figures and values are shown, as in a notebook with `%matplotlib inline`.
    """

    def __init__(self, shows: bool) -> None:
        self.shows = shows
        self.outputs = Outputs(0)
        self.source = ""
        self.labels: set[str] = set()
        self.streams = Stream(self, "stdout"), Stream(self, "stderr")
        config = Config()
        config.HistoryManager.enabled = False
        config.InteractiveShell.colors = "nocolor"
        # IPython wants a profile; nobody's own may be read or written here.
        with tempfile.TemporaryDirectory() as folder:
            super().__init__(
                ipython_dir=folder,
                profile_dir=ProfileDir(location=folder),
                config=config,
                compiler_class=Compiler,
                display_pub_class=KeepDisplays,
                displayhook_class=KeepResult,
            )

    def ask_exit(self) -> None:
        """Go on after `exit` and `quit`: the cells below are marked all the same."""

    def run(self, source: str, label: str) -> tuple[Any, BaseException | None]:
        """Run one cell; return the value of its last line and what it raised."""
        self.source = source
        self.compile.label = label
        self.labels.add(label)
        with self.capture():
            cell = self.compile_python(source, label)
            if cell is not None:
                return self.run_python(*cell)
            result = self.run_cell(source)
        return result.result, result.error_before_exec or result.error_in_exec

    def compile_python(self, source: str, label: str) -> tuple[CodeType, CodeType | None] | None:
        """Return the compiled cell; None where IPython has to see to it: magics, errors."""
        if self.shows and "\n" not in source.strip():  # a word alone may be a magic
            return None
        with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            return compile_cell(source, label, self.compile.flags & FUTURES)
        return None

    def run_python(
        self, code: CodeType, value: CodeType | None
    ) -> tuple[Any, BaseException | None]:
        """Run a compiled cell as IPython does, which takes longer than most cells."""
        self.compile.flags |= code.co_flags & FUTURES
        self.compile.cache(self.source)
        self.events.trigger("pre_execute")
        result = None
        try:
            exec(code, self.user_ns)
            if value is not None:
                result = eval(value, self.user_ns)
                self.displayhook(result)
        except BaseException as error:  # a cell may raise what it likes
            return None, error
        finally:
            self.events.trigger("post_execute")
        return result, None

    @contextmanager
    def capture(self) -> Iterator[None]:
        """Keep what is printed and displayed in the block."""
        out, err = self.streams
        with self.active(), self.builtin_trap, redirect_stdout(out), redirect_stderr(err):
            yield

    @contextmanager
    def active(self) -> Iterator[None]:
        """Be the shell that `get_ipython` and `display` find, for the time of the block."""
        kinds = [kind for kind in type(self).__mro__ if issubclass(kind, InteractiveShell)]
        before = [kind.__dict__.get(INSTANCE) for kind in kinds]
        for kind in kinds:
            setattr(kind, INSTANCE, self)
        try:
            yield
        finally:
            for kind, instance in zip(kinds, before, strict=True):
                setattr(kind, INSTANCE, instance)

    def renew(self, most_bytes: int) -> None:
        """Begin anew with no names and no outputs."""
        self.user_module = types.ModuleType("__main__")
        self.user_ns = self.user_module.__dict__
        self.init_user_ns()
        self.labels.clear()
        self.compile.reset_compiler_flags()
        self.outputs = Outputs(most_bytes)

    def describe_error(self, error: BaseException) -> Described:
        """Describe an exception."""
        message = message_of(error)
        places = [
            (frame.f_code.co_filename, number)
            for frame, number in traceback.walk_tb(error.__traceback__)
            if frame.f_code.co_filename in self.labels
        ]
        if isinstance(error, SyntaxError) and error.filename in self.labels:
            message = error.msg
            places.append((error.filename, error.lineno or 1))
        if len(places) > MOST_FRAMES:
            places = places[: MOST_FRAMES // 2] + places[-MOST_FRAMES // 2 :]
        kind = type(error)
        return {
            "type": clean(kind.__name__, 100),
            "bases": [base.__name__ for base in kind.__mro__ if base.__module__ == "builtins"],
            "message": clean(message),
            "lines": [
                (label, number, clean(linecache.getline(label, number).strip(), 200))
                for label, number in places
            ],
        }

    def system(self, command: str) -> None:
        """Run `!command`, and keep what it prints."""
        done = subprocess.run(
            self.var_expand(command, depth=1),
            shell=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        print(done.stdout, end="")
        self.user_ns["_exit_code"] = done.returncode

    system_piped = system

    # What IPython would do to its process, or print by itself, is not wanted.

    def enable_gui(self, gui: str | None = None) -> None:
        """Leave event loops alone."""

    def enable_matplotlib(self, gui: str | None = None) -> tuple[str | None, str]:
        """Show figures as pictures whatever is asked for, or not at all."""
        if self.shows:
            return super().enable_matplotlib("inline")
        return None, "agg"

    def init_sys_modules(self) -> None:
        """Leave the process's `__main__` alone."""

    def init_virtualenv(self) -> None:
        """Leave `sys.path` alone."""

    def showtraceback(self, *_: object, **__: object) -> None:
        """Print nothing: `run` returns the error."""

    showsyntaxerror = showindentationerror = _showtraceback = showtraceback
