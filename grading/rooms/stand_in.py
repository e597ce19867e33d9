"""
What stands in the marking room for a student's functions and objects.

What a test asks of a stand-in is asked in the student's room. Whatever could pass a test by a
lie is not asked at all: comparison, truth, hash, class, numbers and arrays made of an object,
and arithmetic where anything but another object comes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType
from typing import Any, NoReturn

from . import said
from .room.student import ARITHMETIC, SIGNS

LEFT_TO_US = ("_repr_", "_ipython_")  # by which Jupyter asks how to show a value
IN_TEXT = (  # and what `inspect` looks for from Python 3.12 and 3.13 on
    *("__code__", "__annotations__", "__wrapped__", "__signature__", "__text_signature__"),
    *("_is_coroutine_marker", "__partialmethod__"),
)
ABOUT = ("__defaults__", "__kwdefaults__")  # attributes like others
MOST_ITEMS = 1_000_000  # for more, Python would set memory aside
MOST_STEPS = 10_000  # of one iterator: each is a question
MOST_SHOWN = 20  # characters of a key in the name of a part


class CannotCross(TypeError):
    """What a stand-in cannot do, in one sentence that names it."""

    student_lines: tuple[tuple[str, int, str], ...] = ()


def vars_of(thing: Thing) -> dict[str, Any]:
    """Return a stand-in's own attributes; their names end with a line, as no student's do."""
    return object.__getattribute__(thing, "__dict__")


def computed(operation: str) -> Callable[..., Any]:
    """Return a method that asks for an operation of which another object has to come."""

    def method(self: Thing, *other: object) -> Any:
        result = self.do_(operation, *other)
        if type(result) in (Thing, CallableThing):
            return result
        return self.refuse_(said.ANOTHER_OBJECT)

    return method


def refused(what: str) -> Callable[..., Any]:
    """Return a method that says what cannot be done."""

    def method(self: Thing, *_: object, **__: object) -> NoReturn:
        self.refuse_(what)

    return method


class Thing:
    """
    Stands for an object in the student's room: its attributes, items, methods, length, text.

    Parameters
    ----------
    label : str
        What a test calls it: "account.history".
    ask : callable
        Asks it: `ask(self, operation, args, kwargs, label)`, the label being the result's.
    kind : str
        What it is: "an object of type Account".
    reference : tuple
        As which it is sent back to its room.
    room : Room, optional
        That room, if it is there alone.
    """

    def __init__(
        self,
        label: str,
        ask: Callable[..., Any],
        kind: str = "",
        reference: tuple = (),
        room: object = None,
    ) -> None:
        self.keep_(label_=label, ask_=ask, kind_=kind or "an object")
        self.keep_(reference_=reference, room_=room, steps_=0, length_=None, given_={})

    def keep_(self, **own: object) -> None:
        """Keep attributes of the stand-in itself."""
        vars_of(self).update(own)

    def do_(self, operation: str, *args: object, label: str = "") -> Any:
        """Ask the object something."""
        self.keep_(length_=None)  # it may have another from now on
        return self.ask_(self, operation, args, {}, label or f"{operation}({self.label_})")

    def refuse_(self, what: str) -> NoReturn:
        """Say what a test cannot do."""
        raise CannotCross(said.REFUSED.format(label=self.label_, kind=self.kind_, do=what))

    # What is asked in the student's room

    def __getattr__(self, name: str) -> Any:
        """Return an attribute."""
        if name.startswith(LEFT_TO_US) or name.startswith("__array"):
            raise AttributeError(name)
        if name.startswith("__") and name not in ABOUT:
            self.refuse_(said.LOOK_AT.format(name=name))  # to tools, it must not seem a mere lack
        return self.do_("getattr", name, label=f"{self.label_}.{name}")

    def __setattr__(self, name: str, value: object) -> None:
        """Set an attribute."""
        self.do_("setattr", name, value)

    def __delattr__(self, name: str) -> None:
        """Delete an attribute."""
        self.do_("delattr", name)

    def __getitem__(self, key: object) -> Any:
        """Return an item."""
        shown = repr(key) if type(key) in (int, str) else ":"
        return self.do_("getitem", key, label=f"{self.label_}[{shown[:MOST_SHOWN]}]")

    def __setitem__(self, key: object, value: object) -> None:
        """Set an item."""
        self.do_("setitem", key, value)

    def __delitem__(self, key: object) -> None:
        """Delete an item."""
        self.do_("delitem", key)

    def __len__(self) -> int:
        """Return its length; asked again at once, it has to be the same."""
        before = self.length_
        size = self.do_("len")
        if type(size) is not int or not 0 <= size <= MOST_ITEMS or before not in (None, size):
            self.refuse_(said.LENGTH)
        self.keep_(length_=size)
        return size

    def __iter__(self) -> Iterator[Any]:
        """Go over its items; where it has a length, there have to be so many."""
        before = self.length_
        items = self.do_("iter", label=self.label_)
        try:
            size = self.do_("len")
        except Exception:  # an iterator, a generator
            size = before
        if size is None:
            return items
        found = list(items)
        if len(found) != size or before not in (None, size):
            self.refuse_(said.AS_MANY)
        return iter(found)

    def __next__(self) -> Any:
        """Return the next item."""
        self.keep_(steps_=self.steps_ + 1)
        if self.steps_ > MOST_STEPS:
            self.refuse_(said.MORE_ITEMS)
        for item in self.do_("next", label=f"next({self.label_})"):
            return item
        raise StopIteration

    def __str__(self) -> str:
        """Return it as text."""
        return self.text_("str")

    def __repr__(self) -> str:
        """Return how it is shown."""
        return self.text_("repr")

    def text_(self, operation: str) -> str:
        """Return a text that it makes of itself."""
        text = self.do_(operation)
        return text if type(text) is str else self.refuse_(said.SHOW)

    def __enter__(self) -> Any:
        """Enter it, as `with` does."""
        return self.do_("enter", label=self.label_)

    def __exit__(self, kind: type | None, *_: object) -> None:
        """Leave it; what has stopped the block goes on, whatever it would say."""
        if kind is None:
            self.do_("exit")

    for _name in ARITHMETIC:
        for _prefix in ("", "r", "i"):
            locals()[f"__{_prefix}{_name}__"] = computed(_prefix + _name)
    for _name in SIGNS:
        locals()[f"__{_name}__"] = computed(_name)
    del _name, _prefix

    # What is not

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = refused(said.COMPARE)
    __hash__ = refused(said.HASH)
    __bool__ = refused(said.TRUTH)
    __float__ = __int__ = __index__ = __complex__ = __round__ = refused(said.NUMBER)
    __divmod__ = __rdivmod__ = refused(said.CALCULATE)
    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = __divmod__
    __array__ = refused(said.ARRAY)
    __array_ufunc__ = None
    __instancecheck__ = __subclasscheck__ = refused(said.INSTANCE)
    __reduce_ex__ = refused(said.COPY)
    __class__ = property(refused(said.CLASS))


class CallableThing(Thing):
    """Stands for an object that can be called."""

    def __call__(self, *args: object, **kwargs: object) -> Any:
        """Call it."""
        return self.ask_(self, "call", args, kwargs, f"{self.label_}(...)")


class StandIn(CallableThing):
    """
    Stands for a student's function or class.

    Calling it calls the function in the student's room. Arguments are copied there,
    results are copied back, and arguments that were changed in place are changed here.

    Parameters
    ----------
    label, ask, kind, reference
        As in `Thing`.
    call : callable, optional
        Makes calls of which plain data alone comes back: `call(name, args, kwargs, lent,
        keep=..., spare=...)`.
    written : callable, optional
        Returns the function as the text of the student's cells has it, None where it is none:
        what `inspect` tells of it, and is never called.
    """

    def __init__(
        self,
        label: str,
        ask: Callable[..., Any],
        kind: str = "a function",
        reference: tuple = (),
        call: Callable[..., Any] | None = None,
        written: Callable[[], FunctionType | None] = lambda: None,
    ) -> None:
        super().__init__(label, ask, kind, reference)
        self.keep_(__name__=label, __qualname__=label, call_=call, written_=written)
        self.keep_(lent_={}, is_of_data_=False, keeps_last_=False, spares_=False)

    def __call__(self, *args: object, **kwargs: object) -> Any:
        """Call the student's function."""
        if self.is_of_data_:
            how = {"keep": self.keeps_last_, "spare": self.spares_}
            return self.call_(self.__name__, args, kwargs, self.lent_, **how)
        return self.ask_(self, "call", args, kwargs, f"{self.label_}(...)", self.lent_)

    def of_data(self, keep: bool = False) -> StandIn:
        """
        Return one that returns plain data or raises CannotCross, as checks need it.

        With `keep`, its last value stays in the room: a `Ticket` comes back for it.
        """
        parts = self.label_, self.ask_, self.kind_, self.reference_, self.call_, self.written_
        other = type(self)(*parts)
        other.keep_(lent_=self.lent_, is_of_data_=True, keeps_last_=keep)
        return other

    def keeping_last(self) -> StandIn:
        """Return one whose last value stays in the room: a `Ticket` comes back for it."""
        return self.of_data(keep=True)

    def sparing(self) -> StandIn:
        """Return one that is called without what keeps its last value and stops."""
        other = self.of_data(keep=self.keeps_last_)
        other.keep_(spares_=True)
        return other

    @contextmanager
    def lending(self, **functions: Callable) -> Iterator[None]:
        """
        Lend functions to the student's, for the time of the block.

            with rnn_forward.lending(rnn_cell_forward=reference):
                rnn_forward(x, a0, parameters)
        """
        before = self.lent_
        self.keep_(lent_={**before, **functions})
        try:
            yield
        finally:
            self.keep_(lent_=before)

    def __getattr__(self, name: str) -> Any:
        """Return an attribute; what stands in the text of a function is read there."""
        written = self.written_() if name in IN_TEXT else None
        if written is None:
            return super().__getattr__(name)
        if name == "__wrapped__":
            return written
        return getattr(written, name)  # where it has none, none is what `inspect` has to find

    def class_(self) -> type:
        """Return that of functions, where the student has written one."""
        return FunctionType if self.written_() else self.refuse_(said.CLASS)

    __class__ = property(class_)
    __eq__ = object.__eq__  # by which name it is known
    __ne__ = object.__ne__
    __hash__ = object.__hash__

    def __repr__(self) -> str:
        """Name the function."""
        return f"<{self.label_}>"  # in no language

    __str__ = __repr__


class Nothing(StandIn):
    """Stands for a name that cannot be asked: whatever a test does with it says why."""

    def refuse_(self, what: str) -> NoReturn:
        """Say why."""
        raise self.ask_()

    __eq__ = __ne__ = Thing.__eq__
    __hash__ = Thing.__hash__
    __str__ = Thing.__str__


def is_ours(value: object) -> bool:
    """Tell whether a value is a function of the marking room."""
    return callable(value) and not isinstance(value, Thing)


for _kind in (Thing, CallableThing, StandIn, Nothing):  # a test asks for the object's, not for ours
    type.__setattr__(_kind, "__doc__", property(lambda thing: thing.do_("getattr", "__doc__")))
