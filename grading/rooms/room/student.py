"""
What runs inside a student's room.

It runs cells, and answers the marking room's questions about the names they
define. It knows nothing else, and student code may do with it what it likes:
nothing here is trusted by the other side.
"""

from __future__ import annotations

import builtins
import operator
import random
import site
import sys
import types
from collections import deque
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np

from . import wire
from .channel import QUESTION, Channel
from .folded import Folded, fold, unfold
from .held import Held
from .shell import Outputs, Shell, clean, seed_random_numbers
from .sparing import sparing
from .stops import copy_value, describe_stop, odd_type

DEEPEST = 4  # containers in one another, of what is looked into
HELD = ("callable", "exception", "object")
ARITHMETIC = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul")
SIGNS = ("neg", "pos", "invert", "abs")
WARM = wire.Bounds(2**20, 10_000, 10)  # of what is said beforehand
TIMES = 20  # how often a room's work is done beforehand


def warm_up() -> Shell:
    """Return a shell that has done everything often that rooms do: Python is faster then."""
    import matplotlib_inline.backend_inline  # noqa: F401

    shell = Shell(shows=True)
    for source in (
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([0, 1])\nplt.title('$a$')",
        "import numpy as np, numpy.fft, numpy.linalg, numpy.ma, numpy.polynomial, numpy.testing\n"
        "np.random.seed(0)\nnp.linalg.norm(np.random.default_rng(0).normal(size=(2, 2)))",
        "import hashlib, html, json, re, traceback, contextlib, pathlib, typing",
        *["def f(x):\n    return x\n\n\nprint(f(1))\nf(2)", "1 / 0"] * TIMES,
        *["from IPython.display import display\ndisplay({'text/plain': ''}, raw=True)"] * TIMES,
    ):
        shell.renew(10**6)
        shell.run(source, "cell")
    arrays = {name: np.zeros((2, 3)) for name in "abcdefgh"}
    steps = [(*arrays.values(), arrays) for _ in range(5)]
    for _ in range(TIMES):
        given = np.zeros((2, 3, 5)), arrays, (steps, 1.0, 2)
        message, _ = wire.encode({"do": "", "args": given}, WARM)
        question, table = wire.decode(message, WARM)
        wire.encode({**question, "result": steps}, WARM, table)
    return shell


class Loaded(NamedTuple):
    """A module that was loaded before there was a room, and the file that it was made of."""

    text: bytes
    module: types.ModuleType


class StudentRoom:
    """
    The names that a student's cells define, and the line to the marking room.

    Parameters
    ----------
    shell : Shell
    channel : Channel
    bounds : wire.Bounds
    most_output : int
        Bytes of output kept of a cell, or of a call.
    loaded : dict
        By the name of its file, what need not be loaded again where the very file is given.
    """

    def __init__(
        self,
        shell: Shell,
        channel: Channel,
        bounds: wire.Bounds,
        most_output: int,
        loaded: dict[str, Loaded],
    ) -> None:
        self.loaded = loaded
        self.shell = shell
        self.channel = channel
        self.bounds = bounds
        self.most_output = most_output
        self.held: dict[int, Held] = {}
        self.tickets: list[Any] = []  # values that stay here, by the number of their ticket
        self.numbers: dict[int, int] = {}  # of those that a test asks, by identity
        self.told: dict[int, dict[str, bytes]] = {}  # what plain values were, test by test
        shell.renew(most_output)
        sys.modules["__main__"] = shell.user_module

    def serve(self) -> None:
        """Answer questions until the marking room closes the line."""
        while True:
            self.reply(self.channel.receive()[1])

    def reply(self, message: bytearray) -> None:
        """Answer a question; a function that it calls may ask ours, and be asked in turn."""
        answers: dict[str, Callable[..., bytes]] = {
            "begin": self.begin,
            "run": self.run,
            "call": self.call,
            "operate": self.operate,
            "hold": self.hold,
            "moved": self.moved,
        }
        question, table = wire.decode(message, self.bounds)
        outputs = self.shell.outputs
        answer = answers[question.pop("do")](table, **question)
        self.shell.outputs = outputs
        self.channel.send(answer)

    def begin(self, table: wire.Table, files: dict[str, bytes]) -> bytes:
        """Write the assignment's files into the scratch folder, to be read alone."""
        for name, data in files.items():
            path = Path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            path.chmod(0o444)
            if name in self.loaded and self.loaded[name].text == data:
                module = self.loaded[name].module
                sys.modules[module.__name__] = module
        seed_random_numbers()
        site.sethelper()  # `help` and `license`: Python starts without its `site` here
        site.setcopyright()
        builtins.input = nobody_answers
        return self.encode({})

    def run(self, table: wire.Table, source: str, label: str) -> bytes:
        """Run one cell."""
        self.shell.outputs = outputs = Outputs(self.most_output)
        _, error = self.shell.run(source, label)
        described = None
        if error is not None:
            described = self.shell.describe_error(error)
            outputs.add_error(described)
        return self.encode({"outputs": plain_outputs(outputs), "error": described})

    def hold(self, table: wire.Table, test: int, names: list[str]) -> bytes:
        """
        Keep what a test will call as it stands now, and say what each name is.

        The answer has for each name ("callable",), ("value", it, folded), ("missing",),
        ("exception", names of its built-in bases), ("object", kind) or ("other", kind).
        """
        space = self.shell.user_ns
        found = {name: self.describe(name) for name in names}
        try:
            answer = self.encode(found)
        except wire.UnsupportedType as kind:  # all together are too much
            found = {n: ("other", str(kind)) if d[0] == "value" else d for n, d in found.items()}
            answer = self.encode(found)
        held = {n: space[n] for n, d in found.items() if d[0] in HELD}
        self.held[test] = Held(held, space)
        self.told[test] = {n: self.encode(d) for n, d in found.items() if d[0] == "value"}
        return answer

    def moved(self, table: wire.Table) -> bytes:
        """Say for which tests what was held may by now do something else."""
        return self.encode([test for test, held in self.held.items() if held.may_differ()])

    def call(
        self,
        table: wire.Table,
        test: int,
        name: str,
        args: tuple,
        kwargs: dict,
        lent: dict[str, str],
        keep: bool,
        spare: bool,
        given: dict[int, int],
    ) -> bytes:
        """
        Call a function; answer with its result and with its arguments as they are then.

        Parameters
        ----------
        table : wire.Table
        test : int
            Which test asks: it calls the function that was held for it.
        name : str
        args, kwargs
        lent : dict
            Names under which it finds functions of the marking room, and how these are called.
        keep : bool
            Whether the last value returned stays here; the answer has a ticket for it.
        spare : bool
            Whether what stops, and what its last value alone needs, is left out: see `sparing`.
        given : dict
            Which arguments are values that stayed here: place, and number of the ticket.
        """
        self.shell.outputs = Outputs(0)  # what is learned in a test is shown nowhere
        answer: dict[str, Any] = {}
        function = self.held[test].names[name]
        passed = [self.tickets[given[n]] if n in given else arg for n, arg in enumerate(args)]
        try:
            borrowed = {own: self.borrowed(name) for own, name in lent.items()}
            with self.shell.capture(), self.with_names(borrowed):
                result = (sparing(function) if spare else function)(*passed, **kwargs)
            if spare:
                result = (*result[:-1], None)
            if keep and type(result) in (list, tuple) and result:
                answer["ticket"] = len(self.tickets)
                self.tickets.append(result[-1])
                result = (*result[:-1], None)
            answer["result"] = result
        except BaseException as error:
            answer = {"error": self.shell.describe_error(error), "cell": cell_of(function)}
            answer["error"]["raised"] = self.if_plain(describe_stop(error, name))
        answer |= {"args": args, "kwargs": kwargs}
        try:
            return self.encode(answer, table)
        except wire.UnsupportedType as kind:
            problem = str(kind)
            if "result" not in answer:
                return self.encode({"unsupported": problem, "where": "arguments"})
        odd: list[tuple[list, str]] = []
        try:
            answer["result"] = self.made_plain(copy_value(answer["result"]), [], odd)
            return self.encode({**answer, "odd": odd}, table)
        except wire.UnsupportedType as kind:
            problem = str(kind)
        except Exception:  # a value that lets nobody look at it, or too deep to be looked at
            pass
        where = "arguments" if self.if_plain([args, kwargs]) is None else "result"
        return self.encode({"unsupported": problem, "where": where})

    def made_plain(self, value: Any, path: list, odd: list[tuple[list, str]]) -> Any:
        """Return what can cross of a value; `odd` then says where it was of which other type."""
        if len(path) < DEEPEST and type(value) in (list, tuple, deque):
            items = [self.made_plain(each, [*path, n], odd) for n, each in enumerate(value)]
            if type(value) is deque:
                odd.append((path, "deque"))
            return tuple(items) if type(value) is tuple else items
        if len(path) < DEEPEST and type(value) is dict:
            return {key: self.made_plain(v, [*path, key], odd) for key, v in value.items()}
        if self.if_plain([value]) is not None:
            return value  # as it is, or as the plain type that it is of
        kind = odd_type(value)  # None: of a type that may be, as a text that is not valid Unicode
        odd.append((path, kind.__name__ if kind else ""))
        try:  # an array of objects, a matrix
            return np.asarray(value, float)
        except Exception:  # whatever a student's value raises
            texts = type(value) is np.ndarray and all(type(each) is str for each in value.flat)
            return np.array(value.tolist(), str) if texts else None

    def operate(
        self,
        table: wire.Table,
        test: int,
        target: Folded,
        operation: str,
        given: Folded,
        space: dict[str, Folded],
        gone: list[str],
        lent: dict[str, str],
        seeded: tuple | None,
    ) -> bytes:
        """
        Ask an object something, as tests do that keep no record; parts of the result stay here.

        Parameters
        ----------
        table : wire.Table
        test : int
            Which test asks.
        target : tuple
            What is asked: a reference.
        operation : str
            One of OPERATIONS.
        given : tuple
            The arguments, in places and by name, folded.
        space, gone
            Which names have other values for the time of this, folded, and which have none.
        lent : dict
            Names under which functions of the marking room are found, and how these are called.
        seeded : tuple or None
            The state of random numbers to go on with: `random`'s and NumPy's.
        """
        self.shell.outputs = outputs = Outputs(self.most_output)
        thing, answer = None, dict[str, Any]()
        try:
            thing = self.resolve(target)
            args, kwargs = unfold(given, self.resolve)
            bound = {name: unfold(folded, self.resolve) for name, folded in space.items()}
            bound |= {own: self.borrowed(name) for own, name in lent.items()}
            if seeded:
                random.setstate(seeded[0])
                np.random.set_state(seeded[1])
            with self.shell.capture(), self.with_names(bound, gone):
                answer["result"] = self.fold(OPERATIONS[operation](thing, *args, **kwargs))
        except BaseException as error:
            answer = {"error": self.shell.describe_error(error), "cell": cell_of(thing)}
            answer["error"]["args"] = self.if_plain(list(error.args))
            held, kinds = self.held[test].names.items(), type(error).__mro__
            answer["of"] = [name for name, value in held if any(value is k for k in kinds)]
        texts = [entry["text"] for entry in outputs.take() if entry.get("name") == "stdout"]
        answer |= {"given": given, "printed": "".join(texts), "values": self.changed(test)}
        try:
            return self.encode(answer, table)
        except wire.UnsupportedType as kind:
            return self.encode({"unsupported": str(kind), "where": "arguments"})

    def fold(self, value: object) -> Folded:
        """Fold a value; what cannot cross stays here."""
        return fold(value, self.refer, self.bounds)

    def refer(self, value: object) -> Folded:
        """Return a reference to a value that stays here: the same one for the same value."""
        number = self.numbers.get(id(value))
        if number is None:
            number = self.numbers[id(value)] = len(self.tickets)
            self.tickets.append(value)
        return "ref", number, kind_in_words(value), callable(value)

    def resolve(self, reference: Folded) -> Any:
        """Return what a reference stands for."""
        kind, *where = reference
        if kind == "name":
            test, name = where
            return self.held[test].names[name]
        return self.tickets[where[0]] if kind == "ref" else self.borrowed(where[0])

    def changed(self, test: int) -> dict[str, Folded]:
        """Return the plain values, of those that a test was told, that are others by now."""
        changed = {}
        for name, before in self.told[test].items():
            now = self.describe(name)
            message = self.encode(now)
            if message != before and now[0] == "value":
                changed[name], self.told[test][name] = now[1], message
        return changed

    def if_plain(self, value: object) -> Any:
        """Return a value that can cross; None in its place, where it cannot."""
        try:
            self.encode(value)
        except Exception:  # a student's own values
            return None
        return value

    def describe(self, name: str) -> tuple:
        """Say what a name is."""
        missing = object()
        value = self.shell.user_ns.get(name, missing)
        if value is missing:
            return ("missing",)
        if isinstance(value, types.ModuleType):
            return ("other", "a module")
        if isinstance(value, type) and Exception in value.__mro__:
            return "exception", names_of_builtin(value)
        if callable(value):
            return ("callable",)
        folded = self.fold(value)
        return ("object", folded[2]) if folded[0] == "ref" else ("value", folded)

    @contextmanager
    def with_names(self, bound: dict[str, Any], gone: Collection[str] = ()) -> Iterator[None]:
        """Give names other values for the time of the block; those that are gone have none."""
        space = self.shell.user_ns
        own = {name: space.pop(name) for name in (*bound, *gone) if name in space}
        space.update(bound)
        try:
            yield
        finally:
            for name in bound:
                space.pop(name, None)
            space.update(own)

    def borrowed(self, name: str) -> Callable:
        """Return a function that asks the marking room to run the one of this name."""

        def function(*args: object, **kwargs: object) -> Any:
            question = {"callback": name, "args": args, "kwargs": kwargs}
            try:
                message, table = wire.encode(question, self.bounds)
            except wire.UnsupportedType:  # an object, of which the function may be told
                question = {
                    **question,
                    "args": (),
                    "kwargs": {},
                    "given": self.fold((args, kwargs)),
                }
                message, table = wire.encode(question, self.bounds)
            self.channel.send(message, kind=QUESTION)
            kind, reply = self.channel.receive()
            while kind == QUESTION:  # it asks us in turn
                self.reply(reply)
                kind, reply = self.channel.receive()
            answer, _ = wire.decode(reply, self.bounds, table)
            if "error" in answer:
                raised = getattr(builtins, answer["error"]["type"], RuntimeError)
                raise raised(answer["error"]["message"])
            if "folded" in answer:
                return unfold(answer["folded"], self.resolve)
            return answer["result"]

        function.__name__ = function.__qualname__ = name
        return function

    def encode(self, value: object, known: wire.Table | None = None) -> bytes:
        """Return a message."""
        return wire.encode(value, self.bounds, known)[0]


def advance(iterator: Iterator) -> tuple:
    """Return the next item in a tuple, an empty one at the end."""
    try:
        return (next(iterator),)
    except StopIteration:
        return ()


def swapped(operation: Callable) -> Callable:
    """Return an operation with its two values in the other order."""
    return lambda thing, other: operation(other, thing)


def names_of_builtin(kind: type) -> list[str]:
    """Return the names of Python's own types that a type is of."""
    return [base.__name__ for base in kind.__mro__ if base.__module__ == "builtins"]


OPERATIONS: dict[str, Callable] = {
    "call": lambda function, *args, **kwargs: function(*args, **kwargs),
    "getattr": getattr, "setattr": setattr, "delattr": delattr,
    "getitem": operator.getitem, "setitem": operator.setitem, "delitem": operator.delitem,
    "len": len, "iter": iter, "next": advance, "str": str, "repr": repr,
    "enter": lambda thing: thing.__enter__(), "exit": lambda thing: thing.__exit__(*[None] * 3),
    **{name: getattr(operator, name) for name in SIGNS},
    **{name: getattr(operator, name) for name in ARITHMETIC},
    **{f"i{name}": getattr(operator, f"i{name}") for name in ARITHMETIC},
    **{f"r{name}": swapped(getattr(operator, name)) for name in ARITHMETIC},
}  # fmt: skip


def kind_in_words(value: object) -> str:
    """Say what a value is that cannot cross."""
    try:
        wire.plain_kind(type(value))
    except wire.UnsupportedType as kind:
        return str(kind)
    return f"an object of type {type(value).__name__}"


def plain_outputs(outputs: Outputs) -> list[dict]:
    """Return outputs with nothing in them but text."""
    entries = outputs.take()
    for entry in entries:
        entry.pop("metadata", None)
        if "data" in entry:
            entry["data"] = {
                mime: clean(item, sys.maxsize)
                for mime, item in entry["data"].items()
                if type(item) is str
            }
    return entries


def cell_of(function: object) -> str:
    """Return the label of the cell in which a function was written, or ""."""
    code = getattr(function, "__code__", None)
    return code.co_filename if isinstance(code, types.CodeType) else ""


def nobody_answers(prompt: object = "") -> NoReturn:
    """Say what `input` comes to here."""
    raise EOFError("input() waits for somebody who types: nobody does when work is marked")
