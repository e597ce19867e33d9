"""
The plain-data format between the rooms.

A message is one value: None, numbers, strings, bytes, NumPy scalars, arrays of numbers or of
texts, and lists, tuples and dicts of these. Nothing in it can run when read. It is a list of steps,
and behind them the bytes that they need. A step puts a value on a stack, or gathers those on top in
a list, tuple or dict. Each of these, and each array, then has a number, by which later steps
bring it back: what appears twice is sent once, and nothing can come to hold itself.

`encode` and `decode` return the `Table` of what has a number, in the same order on both sides.
An answer goes on counting where its question stopped, and says what became of the question's
lists, dicts and arrays. Once all of it was read and found sound, they are changed in place.

An array arrives in memory of its own: those of one message that share memory here share none
there. What is done there to one of them does not show there in the other, but comes back, and
shows here in both; where both were changed, the one sent last wins. In an answer, a view of a
contiguous array of numbers of the question arrives as a view of it. Every other array arrives as it
is now.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from .layouts import (
    DTYPES,
    NUMBERS,
    WEIGHT_BYTES,
    Layout,
    Size,
    UnsupportedType,
    contents,
    find_layout,
    read_layout,
)

MAGIC = b"room3\n"
HEADER = struct.Struct("<6sQQ")  # MAGIC; how many objects of the question, and how many steps
# What may be a key of a dict, or a part of a tuple that is one. Hashes can be made to meet, which
# costs time with the square of how many such keys there are in a message: here, 20 ms.
KEYS = (str, int, float, bool, bytes, type(None))
MAX_KEY = 2**60  # ints from here on can have the very same hash
MAX_KEYS, TUPLE_KEY = 4096, 2  # strings do not count, and each part of a tuple counts twice

ARRAY_KIND_NAMES = {"O": "objects", "S": "bytes", "T": "strings", "V": "records",
                    "M": "dates", "m": "time differences"}  # fmt: skip
KIND_NAMES = {
    "function": "a function", "builtin_function_or_method": "a function", "method": "a method",
    "generator": "a generator", "coroutine": "a coroutine", "module": "a module",
    "ellipsis": "an ellipsis", "set": "a set", "frozenset": "a set", "range": "a range",
    "slice": "a slice", "zip": "a zip object", "map": "a map object",
    "matrix": "a matrix (numpy.matrix)", "MaskedArray": "a masked array",
}  # fmt: skip


class WireError(Exception):
    """A message that is damaged or too large; its text is one line."""


class Bounds(NamedTuple):
    """How large a message may be: bytes, items (each reference counts anew), depth."""

    bytes: int
    items: int
    depth: int


class Table(NamedTuple):
    """What has a number in a message, by number."""

    objects: list[Any]
    sizes: list[Size | None]
    arrays: dict[int, tuple[Layout, bytes]]  # as they came, where the message was read


class _Side:
    """What writing and reading have in common: the numbers of objects, and the bounds."""

    error: type[Exception]

    def __init__(self, bounds: Bounds, known: Table | None) -> None:
        self.bounds = bounds
        self.known = known or Table([], [], {})
        pairs = zip(self.known.objects, self.known.sizes, strict=True)
        # Containers of the question have no size until it is said what became of them.
        self.sizes = [size if type(o) is np.ndarray else None for o, size in pairs]
        self.table = Table([*self.known.objects], self.sizes, {})
        self.keys = 0

    def check(self, items: int, depth: int = 0, nbytes: int = 0) -> None:
        """Keep within bounds."""
        if nbytes > self.bounds.bytes:
            raise self.error(f"a value of more than {self.bounds.bytes / 2**20:,.0f} MB")
        if items > self.bounds.items:
            raise self.error(f"a value of more than {self.bounds.items:,} items")
        if depth > self.bounds.depth:
            raise self.error(f"a value nested more than {self.bounds.depth} deep")

    def register(self, value: object, size: Size) -> int:
        """Give an object its number."""
        self.table.objects.append(value)
        self.sizes.append(size)
        return len(self.sizes) - 1

    def change(self, number: int, size: Size) -> Size:
        """Note that an object of the question now is one of this size."""
        # A tuple stays what it is, whatever is said of it, and counts for what it did.
        before = self.known.sizes[number] or (0, 0)
        self.sizes[number] = size = max(size[0], before[0]), size[1]
        return size

    def check_keys(self, keys: list[Any]) -> None:
        """Refuse what can be no keys of a dict, before anything asks for a hash."""
        for key in keys:
            kind = type(key)
            if kind is str:
                continue
            self.keys += TUPLE_KEY * len(key) if kind is tuple else 1
            if self.keys > MAX_KEYS:
                raise self.error(f"dicts of more than {MAX_KEYS:,} keys that are no strings")
            for part in key if kind is tuple else (key,):
                if type(part) not in KEYS or (type(part) is int and abs(part) >= MAX_KEY):
                    raise self.error(f"a dict with a key of type {kind.__name__}")


# ---------------------------------------------------------------- writing


def plain_kind(kind: type) -> type:
    """Return the plain type as which a value of a subclass crosses."""
    for plain in (int, float, complex, str, list, tuple, dict):
        if issubclass(kind, plain):
            return plain
    if issubclass(kind, type):
        raise UnsupportedType("a class")
    raise UnsupportedType(KIND_NAMES.get(kind.__name__, f"an object of type {kind.__name__}"))


def encode(value: object, bounds: Bounds, known: Table | None = None) -> tuple[bytes, Table]:
    """
    Write a value as a message; raise UnsupportedType where something in it cannot cross.

    Parameters
    ----------
    value : plain data
    bounds : Bounds
    known : Table, optional
        The table of the message that this one answers.
    """
    encoder = _Encoder(bounds, known)
    encoder.write_changes()
    encoder.check(*encoder.write(value))
    steps, data = struct.pack(f"<{len(encoder.steps)}Q", *encoder.steps), b"".join(encoder.data)
    encoder.check(len(encoder.steps), 0, len(steps) + len(data))
    header = HEADER.pack(MAGIC, len(encoder.known.objects), len(encoder.steps))
    return header + steps + data, encoder.table


class _Encoder(_Side):
    error = UnsupportedType

    def __init__(self, bounds: Bounds, known: Table | None) -> None:
        super().__init__(bounds, known)
        self.index = {id(o): number for number, o in enumerate(self.table.objects)}
        self.opened: set[int] = set()  # containers that are being written
        self.steps: list[int] = []
        self.data: list[bytes] = []

    def step(self, tag: int, number: int, *data: bytes) -> None:
        self.steps.append(number << 8 | tag)
        self.data += data

    def write(self, value: Any) -> Size:
        """Write a value, and return its size."""
        kind = type(value)
        if kind not in WRITERS and kind not in TAGS:
            kind = plain_kind(kind)
        if kind in WRITERS:
            tag, convert = WRITERS[kind]
            try:
                data = convert(value)
            except ValueError:
                wrong = {str: "a string that is not valid Unicode", int: "an int too long to print"}
                raise UnsupportedType(wrong[kind]) from None
            self.step(tag, len(data), data)
            return 1 + len(data) // WEIGHT_BYTES, 0
        number = self.index.get(id(value))
        if number is None:
            write = self.write_array if kind is np.ndarray else self.write_container
            self.index[id(value)], size = write(value, kind)
            return size
        known = self.sizes[number]
        if known is None:
            known = self.change(number, self.write_container(value, kind)[1])
            self.step(ord("="), number)
        self.step(ord("@"), number)
        return known

    def write_container(self, value: Any, kind: type) -> tuple[int, Size]:
        """Write a container, and return its number and size."""
        if id(value) in self.opened:
            raise UnsupportedType(f"a {kind.__name__} that contains itself")
        self.opened.add(id(value))
        parts = list(ITERATORS[kind](value))  # by the true class: a subclass cannot hide items
        self.check(len(self.steps) + len(parts), len(self.opened))
        if kind is dict:
            self.check_keys(parts)
            parts += dict.values(value)
        items = deepest = 0
        for part in parts:
            size, depth = self.write(part)
            items += size
            deepest = max(deepest, depth)
        self.opened.remove(id(value))
        self.step(TAGS[kind], len(parts))
        of_all = 1 + items, 1 + deepest
        return self.register(value, of_all), of_all

    def write_array(self, array: np.ndarray, kind: type) -> tuple[int, Size]:
        """Write an array, and return its number and size."""
        dtype, base = array.dtype, array.base
        if dtype.kind not in "biufcU":  # others may have no hash
            raise UnsupportedType(f"an array of {ARRAY_KIND_NAMES[dtype.kind]}")
        layout = find_layout(array.shape, dtype, array.flags.num)
        self.check(*layout.size, layout.nbytes)
        number = -1 if base is None else self.index.get(id(base), -1)
        whole = self.known.arrays[number][0] if number in self.known.arrays else None
        if whole and whole.lends and whole.dtype == layout.dtype and layout.nbytes:
            both = array, self.known.objects[number]
            first, start = [each.__array_interface__["data"][0] for each in both]
            place = struct.pack(f"<Q{1 + array.ndim}q", number, first - start, *array.strides)
            self.step(ord("v"), len(layout.head), layout.head, place)
        else:
            self.step(ord("a"), len(layout.head), layout.head, contents(array))
        return self.register(array, layout.size), layout.size

    def write_changes(self) -> None:
        """Write the contents of the arrays of the question that are not as they came."""
        for number, (layout, before) in self.known.arrays.items():
            array = self.known.objects[number]
            now = find_layout(array.shape, array.dtype, array.flags.num)
            if now[:4] != layout[:4]:  # it is sent as a new one
                del self.index[id(array)]
            data = contents(array)
            if data != before and len(data) == len(before):
                self.step(ord("a"), len(layout.head), layout.head, data)
                self.register(None, layout.size)
                self.step(ord("="), number)


# ---------------------------------------------------------------- reading


def decode(
    message: bytes | bytearray, bounds: Bounds, known: Table | None = None
) -> tuple[Any, Table]:
    """
    Read a message that may come from anybody; raise WireError where it is damaged or too large.

    Parameters
    ----------
    message : bytes
    bounds : Bounds
    known : Table, optional
        The table of the message that this one answers. Its objects are changed
        as the message says, once the whole message has been read and found sound.
    """
    try:
        decoder = _Decoder(bytes(message), bounds, known)
        value = decoder.read()
    except (ValueError, LookupError, struct.error):
        raise WireError("the message holds what cannot be") from None
    decoder.change_known()
    return value, decoder.table


class _Decoder(_Side):
    error = WireError

    def __init__(self, message: bytes, bounds: Bounds, known: Table | None) -> None:
        self.message, self.position = message, 0
        magic, counted, self.steps = HEADER.unpack(self.take(HEADER.size))
        super().__init__(bounds, known if counted else None)
        if magic != MAGIC or counted != len(self.known.objects):
            raise WireError("the message does not begin as one")
        self.check(self.steps, 0, len(message) - HEADER.size)
        # The stack: values, for how many items each counts, and how deep it is.
        self.values: list[Any] = []
        self.items: list[int] = []
        self.depths: list[int] = []
        self.changes: dict[int, Any] = {}  # what has become of objects of the question

    def take(self, size: int) -> bytes:
        """Return so many of the next bytes."""
        start = self.position
        self.position = start + size
        if self.position > len(self.message):
            raise WireError("the message is cut short")
        return self.message[start : self.position]

    def read(self) -> Any:
        """Return the value of the message."""
        for step in struct.unpack(f"<{self.steps}Q", self.take(8 * self.steps)):
            tag, number = step & 255, step >> 8
            if tag in READERS:
                self.values.append(READERS[tag](self.take(number)))
                self.items.append(1 + number // WEIGHT_BYTES)
                self.depths.append(0)
            else:
                STEPS[tag](self, number)
        (value,) = self.values
        self.check(self.items[0], self.depths[0])
        if self.position != len(self.message):
            raise WireError("the message goes on after its end")
        return value

    def push(self, value: object, size: Size) -> None:
        """Put an object on the stack."""
        self.values.append(value)
        self.items.append(size[0])
        self.depths.append(size[1])

    # The other steps, each with its number. ValueError and its like become a WireError.

    def read_container(self, number: int, kind: type) -> None:
        start = len(self.values) - number
        if start < 0:
            raise WireError("the message holds a container of values that are not there")
        parts = self.values[start:]
        size = 1 + sum(self.items[start:]), 1 + max(self.depths[start:], default=0)
        del self.values[start:], self.items[start:], self.depths[start:]
        self.check(*size)
        value = parts if kind is list else tuple(parts) if kind is tuple else self.make_dict(parts)
        self.register(value, size)
        self.push(value, size)

    def make_dict(self, parts: list[Any]) -> dict:
        """Return a dict of keys and, behind them, as many values."""
        half = len(parts) // 2
        keys = parts[:half]
        self.check_keys(keys)
        items = dict(zip(keys, parts[half:], strict=True))
        if len(items) != half:
            raise WireError("the message holds a key twice")
        return items

    def read_reference(self, number: int) -> None:
        size = self.sizes[number]
        if size is None:
            raise WireError("the message brings back what it does not describe")
        self.push(self.table.objects[number], size)

    def read_array(self, number: int, take: Callable[[Layout], np.ndarray]) -> None:
        layout = read_layout(self.take(number))
        self.check(*layout.size)
        array = take(layout)
        if not layout.writeable:
            array.flags.writeable = False
        self.register(array, layout.size)
        self.push(array, layout.size)

    def take_array(self, layout: Layout) -> np.ndarray:
        """Return the array that the next bytes are."""
        data = self.take(layout.nbytes)
        if layout.dtype.kind == "U":
            data.decode("utf-32-le")
        array = np.ndarray(layout.shape, layout.dtype, data, 0, None, layout.order)
        if layout.dtype.kind == "b" and array.view(np.uint8).max(initial=0) > 1:
            raise WireError("the message holds a truth value that is none")
        self.table.arrays[len(self.sizes)] = layout, data
        return array.copy(layout.order)

    def take_view(self, layout: Layout) -> np.ndarray:
        """Return a view of an array of the question, as the next bytes say."""
        place = self.take(16 + 8 * len(layout.shape))
        number, start, *strides = struct.unpack(f"<Q{len(place) // 8 - 1}q", place)
        whole = self.known.objects[number]
        lends = type(whole) is np.ndarray and whole.flags.forc and whole.dtype.kind != "U"
        if not lends or whole.dtype != layout.dtype:
            raise WireError("the message holds a view of what has none")
        low, high = start, start + layout.dtype.itemsize
        for n, stride in zip(layout.shape, strides, strict=True):
            low, high = low + min(0, (n - 1) * stride), high + max(0, (n - 1) * stride)
        if low < 0 or high > whole.nbytes:  # NumPy looks, too, but its numbers overflow
            raise WireError("the message holds an array that leaves its memory")
        return np.ndarray(layout.shape, layout.dtype, whole, start, strides)

    def read_change(self, number: int) -> None:
        """Note that an object of the question has become the last value on the stack."""
        now, size = self.values.pop(), (self.items.pop(), self.depths.pop())
        if number in self.changes or not may_become(self.known.objects[number], now):
            raise WireError("the message holds a change that cannot be")
        self.changes[number] = now
        self.change(number, size)

    def change_known(self) -> None:
        """Change the objects of the question."""
        for number, now in self.changes.items():
            before = self.known.objects[number]
            if isinstance(before, np.ndarray):
                if before.flags.writeable:
                    before[...] = now
            elif not isinstance(before, tuple):
                before.clear()
                (before.extend if isinstance(before, list) else before.update)(now)


def may_become(before: Any, now: Any) -> bool:
    """Tell whether an object of the question may become another one."""
    kind = type(now)
    if kind is np.ndarray and type(before) is kind:
        return before.shape == now.shape and before.dtype == now.dtype
    if kind is tuple and isinstance(before, tuple):
        # It stays as it is. If more were told of it, it could come to hold itself.
        pairs = zip(before, now, strict=True)
        return all(old is new or not isinstance(old, (list, tuple, dict)) for old, new in pairs)
    return kind in (list, dict) and isinstance(before, kind)


def read_scalar(data: bytes) -> np.generic:
    """Return a NumPy scalar."""
    dtype = DTYPES[data[:4]]
    if len(data) != 4 + dtype.itemsize or (dtype.kind == "b" and data[4] > 1):
        raise ValueError
    return np.frombuffer(data, dtype, 1, 4)[0]


# ------------------------------------------------------------------- tags

TAGS: dict[type, int] = dict(zip((list, tuple, dict, np.ndarray), b"ltda", strict=True))
ITERATORS: dict[type, Callable[[Any], Iterator[Any]]] = {
    list: list.__iter__, tuple: tuple.__iter__, dict: dict.__iter__,
}  # fmt: skip
SCALARS = {np.dtype(c).type: struct.pack("4s", np.dtype(c).str.encode()) for c in NUMBERS}
CONSTANTS = {b"None": None, b"False": False, b"True": True}
OF_CONSTANTS = {value: data for data, value in CONSTANTS.items()}
LEAVES = (  # tag, types, what makes bytes of a value, and what makes a value of bytes
    (b"N", (type(None), bool), OF_CONSTANTS.__getitem__, CONSTANTS.__getitem__),
    (b"i", (int,), lambda v: int.__repr__(v).encode(), int),
    (b"r", (float,), struct.Struct("<d").pack, lambda data: struct.unpack("<d", data)[0]),
    (b"c", (complex,), lambda v: complex.__repr__(v).encode(), lambda data: complex(data.decode())),
    (b"s", (str,), str.encode, bytes.decode),
    (b"b", (bytes,), bytes, bytes),
    (b"n", SCALARS, lambda v: SCALARS[type(v)] + v.tobytes(), read_scalar),
)
WRITERS = {kind: (tag[0], write) for tag, kinds, write, _ in LEAVES for kind in kinds}
READERS = {tag[0]: read for tag, _, _, read in LEAVES}
STEPS = {
    ord("@"): _Decoder.read_reference,
    ord("="): _Decoder.read_change,
    ord("a"): lambda decoder, number: decoder.read_array(number, decoder.take_array),
    ord("v"): lambda decoder, number: decoder.read_array(number, decoder.take_view),
    ord("l"): lambda decoder, number: decoder.read_container(number, list),
    ord("t"): lambda decoder, number: decoder.read_container(number, tuple),
    ord("d"): lambda decoder, number: decoder.read_container(number, dict),
}
