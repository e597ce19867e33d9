"""
The plain-data format between the rooms.

A message is one value: None, numbers, strings, bytes, NumPy scalars, arrays of
numbers, and lists, tuples and dicts of these. Nothing in it can run when read.

Objects that appear twice in a value are sent once, and arrays that share memory
share it on the other side: memory is sent as blocks, and an array as its place in
a block. `encode` and `decode` both return a `Table` of the objects and blocks of
the message, in the same order on both sides. A reply that is encoded with the
table of the question can refer to the objects of the question, and says what
became of them; decoding it changes them in place.

A message has a header and three columns, each read once from its start to its end:
numbers, tags, and data. A tag says what a value is, and what else the value needs comes
next in the other columns. Blocks of memory, and layouts of arrays, come before the values.
"""

from __future__ import annotations

import math
import types
from array import array as Column
from bisect import bisect_right
from collections.abc import Callable, Sequence
from ctypes import addressof, c_char
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from struct import Struct
from typing import Any, NamedTuple

import numpy as np

MAGIC = b"room2\n"
MAX_INT_BYTES = 1024  # so many digits that they can still be printed
MAX_NDIM = 32
MAX_TUPLE_KEYS = MAX_LAYOUTS = 4096  # hashes of tuples can be made to collide
MAX_KEY = 2**60
NO_MEMORY = 2**64 - 1
WEIGHT_BYTES = 256  # so many bytes of an array weigh as much as one item

HEADER = Struct("=6s5Q")  # MAGIC; how many numbers, tags, changed blocks, blocks, layouts
NUMBER = "Q"  # of 64 bits, never negative
REAL = Struct("<d")
COMPLEX = Struct("<dd")

NUMBER_TYPES = (
    np.bool_, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64,
    np.float16, np.float32, np.float64, np.complex64, np.complex128,
)  # fmt: skip
DTYPES = [
    np.dtype(np.dtype(number).newbyteorder(order).str)  # the very dtype that NumPy uses
    for number in NUMBER_TYPES
    for order in "<>"
    if order == "<" or np.dtype(number).itemsize > 1
]
DTYPE_CODES = {dtype.str: code for code, dtype in enumerate(DTYPES)}
SCALAR_CODES = {
    number: DTYPE_CODES[np.dtype(number).str]
    for number in (*NUMBER_TYPES, np.longlong, np.ulonglong)
}

KIND_NAMES = {
    types.FunctionType: "a function",
    types.BuiltinFunctionType: "a function",
    types.MethodType: "a method",
    types.GeneratorType: "a generator",
    types.CoroutineType: "a coroutine",
    types.ModuleType: "a module",
    types.EllipsisType: "an ellipsis",
    set: "a set",
    frozenset: "a set",
    range: "a range",
    slice: "a slice",
    zip: "a zip object",
    map: "a map object",
    np.matrix: "a matrix (numpy.matrix)",
    np.ma.MaskedArray: "a masked array",
}
ARRAY_KIND_NAMES = {"O": "objects", "U": "strings", "S": "bytes", "V": "records",
                    "M": "dates", "m": "time differences", "T": "strings"}  # fmt: skip


class WireError(Exception):
    """A message that is damaged or too large; its text is one line."""


class UnsupportedType(TypeError):
    """A value that cannot cross; its text names the kind: "a generator"."""


class Bounds(NamedTuple):
    """How large a message may be: bytes, items (each reference counts anew), depth."""

    bytes: int = 64 * 2**20
    items: int = 1_000_000
    depth: int = 32


BOUNDS = Bounds()


@dataclass(slots=True)
class Memory:
    """
    A block of memory: of a message, and of the process at hand.

    Attributes
    ----------
    size : int
    low : int or None
        Its address here, once it was asked for.
    arrays : sequence of ndarray
        The arrays of the message that lie in it.
    whole : ndarray or None
        All its bytes as an array in C order, where they belong to an array of the
        message; None where there are gaps between the arrays.
    received : memoryview or None
        Its bytes as they came.
    """

    size: int
    low: int | None = None
    arrays: Sequence[np.ndarray] = ()
    whole: np.ndarray | None = None
    received: memoryview | None = None

    def locate(self) -> int:
        """Return its address here."""
        if self.low is None:
            self.low = first_byte(self.whole)
        return self.low

    def gather(self) -> np.ndarray:
        """Return the bytes as an array in C order, with zeros in the gaps between arrays."""
        if self.whole is not None:
            return self.whole
        block = np.zeros(self.size, np.uint8)
        self._copy(block, into_block=True)
        return block

    def overwrite(self, block: np.ndarray) -> None:
        """Give the arrays the contents of `block`; arrays locked against writing stay."""
        self._copy(block, into_block=False)

    def _copy(self, block: np.ndarray, into_block: bool) -> None:
        for array in self.arrays:
            offset = first_byte(array) - self.locate()
            twin = np.ndarray(array.shape, array.dtype, block, offset, array.strides)
            if into_block:
                twin[...] = array
            elif array.flags.writeable:
                array[...] = twin


@dataclass(slots=True)
class Table:
    """The objects and the blocks of memory of one message, in order."""

    objects: list[Any] = field(default_factory=list)
    memories: list[Memory] = field(default_factory=list)
    # Of the arrays of a message that was read, by index: block, place in it, and layout.
    places: dict[int, tuple[Memory | None, int, Layout]] = field(default_factory=dict)


# ------------------------------------------------------------------ arrays


class Layout(NamedTuple):
    """How an array lies in memory, and what follows from it."""

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: np.dtype
    writeable: bool
    code: int | None  # of the dtype; None where it cannot cross
    low: int  # the first and last byte that it touches, counted from its first element
    high: int
    nbytes: int
    weight: int  # for how many items it counts


@lru_cache(1024)
def lay_out(shape: tuple[int, ...], strides: tuple[int, ...], dtype: np.dtype, w: bool) -> Layout:
    """Return a layout with what follows from its first four entries."""
    low, high = byte_span(shape, strides, dtype.itemsize)
    nbytes = math.prod(shape) * dtype.itemsize
    code, weight = DTYPE_CODES.get(dtype.str), 1 + nbytes // WEIGHT_BYTES
    return Layout(shape, strides, dtype, w, code, low, high, nbytes, weight)


def byte_span(shape: tuple[int, ...], strides: tuple[int, ...], itemsize: int) -> tuple[int, int]:
    """Return the first and last byte that an array touches, counted from its first element."""
    low, high = 0, itemsize
    for number, stride in zip(shape, strides, strict=True):
        if stride < 0:
            low += (number - 1) * stride
        else:
            high += (number - 1) * stride
    return low, high


def first_byte(array: np.ndarray) -> int:
    """Return the address of the array's first element."""
    flags = array.flags
    if flags.c_contiguous and flags.writeable and array.nbytes:
        return addressof(c_char.from_buffer(array))  # many times faster than NumPy's own way
    return array.__array_interface__["data"][0]


def whole_view(array: np.ndarray) -> np.ndarray | None:
    """Return a view in C order of a contiguous array; None for any other array."""
    if array.flags.c_contiguous:
        return array.view()
    return array.T if array.flags.f_contiguous else None


# ---------------------------------------------------------------- encoding


def kind_of(value: object) -> str:
    """Name the kind of a value: "a generator", "an array of objects"."""
    kind = type(value)
    if kind is np.ndarray:
        name = ARRAY_KIND_NAMES.get(value.dtype.kind, value.dtype.name)
        return f"an array of {name}"
    if kind in KIND_NAMES:
        return KIND_NAMES[kind]
    if issubclass(kind, type):
        return "a class"
    return f"an object of type {kind.__name__}"


def encode(value: Any, bounds: Bounds = BOUNDS, known: Table | None = None) -> tuple[bytes, Table]:
    """
    Write a value as a message.

    Parameters
    ----------
    value : plain data
    bounds : Bounds
    known : Table, optional
        The table of the message that this one answers.

    Returns
    -------
    message : bytes
    table : Table

    Raises
    ------
    UnsupportedType
        Where something in the value cannot cross.
    """
    encoder = _Encoder(bounds, known or Table())
    encoder.write_parts([value], 0)
    return encoder.finish()


class _Encoder:
    def __init__(self, bounds: Bounds, known: Table) -> None:
        self.bounds = bounds
        self.known = known
        self.known_index = {id(o): i for i, o in enumerate(known.objects)}
        self.numbers: list[int] = []
        self.tags = bytearray()
        self.data: list[bytes] = []
        self.size = 0  # of the data
        self.table = Table()
        self.index: dict[int, int] = {}  # id of an object: its place in the table, or OPEN
        self.weights: list[int] = []
        self.layouts: list[Layout] = []
        self.layout_index: dict[tuple, int] = {}  # the first entries of a layout: its number
        # The arrays: first and last address, where in the numbers the place of each
        # goes, and the address of the first element.
        self.places: list[tuple[int, int, int, int, np.ndarray]] = []
        self.items = 0

    def write_parts(self, parts: list[Any], depth: int) -> None:
        """Append values that lie in so many containers."""
        self.count(len(parts))
        for part in parts:
            kind = type(part)
            if kind not in WRITERS:
                kind = plain_kind(part)
            WRITERS[kind](self, part, kind, depth)

    def count(self, weight: int) -> None:
        """Keep the number of items within bounds."""
        self.items += weight
        if self.items > self.bounds.items:
            raise UnsupportedType(f"a value of more than {self.bounds.items:,} items")

    def check_size(self, size: int) -> None:
        if size > self.bounds.bytes:
            raise UnsupportedType(f"a value of more than {self.bounds.bytes / 2**20:,.0f} MB")

    def write_data(self, tag: bytes, data: bytes) -> None:
        self.size += len(data)
        self.check_size(self.size)
        self.tags += tag
        self.data.append(data)

    # The writers get a value, its plain type, and the number of containers that it lies in.

    def write_constant(self, value: bool | None, kind: type, depth: int) -> None:
        self.tags += b"N" if value is None else b"+" if value else b"-"

    def write_text(self, value: str, kind: type, depth: int) -> None:
        try:
            data = str.encode(value, "utf-8")
        except UnicodeEncodeError:
            raise UnsupportedType("a string that is not valid Unicode") from None
        self.numbers.append(len(data))
        self.write_data(b"s", data)

    def write_bytes(self, value: bytes, kind: type, depth: int) -> None:
        self.numbers.append(len(value))
        self.write_data(b"b", value)

    def write_int(self, value: int, kind: type, depth: int) -> None:
        number = int.__add__(value, 0)
        size = number.bit_length() // 8 + 1
        if size > MAX_INT_BYTES:
            raise UnsupportedType(f"an int of more than {MAX_INT_BYTES} bytes")
        self.numbers.append(size)
        self.write_data(b"i", number.to_bytes(size, "little", signed=True))

    def write_float(self, value: complex, kind: type, depth: int) -> None:
        if kind is float:
            self.write_data(b"r", REAL.pack(float.__float__(value)))
        else:
            number = complex.__complex__(value)
            self.write_data(b"c", COMPLEX.pack(number.real, number.imag))

    def write_scalar(self, value: np.generic, kind: type, depth: int) -> None:
        self.write_data(b"n" + bytes([SCALAR_CODES[kind]]), value.tobytes())

    def write_container(self, value: Any, kind: type, depth: int) -> None:
        place = self.index.get(id(value), NEW)
        if place >= 0:
            self.write_reference(place)
            return
        if depth >= self.bounds.depth:
            raise UnsupportedType(f"a value nested more than {self.bounds.depth} deep")
        if place == OPEN:
            raise UnsupportedType(f"{kind_of(value)} that contains itself")
        self.index[id(value)] = OPEN
        before = self.items
        known = self.known_index.get(id(value))
        if known is None:
            self.tags += TAGS[kind]
        else:
            self.tags += TAGS[kind].upper()
            self.numbers.append(known)
        # By the true class: a subclass cannot hide or invent items.
        parts = list(kind.__iter__(value))
        self.numbers.append(len(parts))
        if kind is dict:
            values = list(dict.values(value))
            if wrong := misfit(parts):
                raise UnsupportedType(wrong)
            self.write_parts(parts, depth + 1)
            parts = values
        self.write_parts(parts, depth + 1)
        self.register(value, self.items - before)

    def write_reference(self, place: int) -> None:
        """Write that an object stands in the message already."""
        self.count(self.weights[place])
        self.tags += b"@"
        self.numbers.append(place)

    def register(self, value: Any, weight: int) -> None:
        self.index[id(value)] = len(self.weights)
        self.table.objects.append(value)
        self.weights.append(weight)

    def write_array(self, array: np.ndarray, kind: type, depth: int) -> None:
        place = self.index.get(id(array), NEW)
        if place >= 0:
            self.write_reference(place)
            return
        if array.dtype.kind not in "biufc":  # others may be no keys of a dict
            raise UnsupportedType(kind_of(array))
        first = (array.shape, array.strides, array.dtype, array.flags.writeable)
        number = self.layout_index.get(first)
        if number is None:
            number = self.add_layout(array, first)
        here = self.layouts[number]
        self.count(here.weight)
        start = first_byte(array)
        known = self.known_index.get(id(array))
        if known is not None and self.is_as_received(known, start, here):
            self.tags += b"A"
            self.numbers.append(known)
        else:
            self.tags += b"a"
            if here.nbytes:
                position = len(self.numbers) + 1
                self.places.append((start + here.low, start + here.high, position, start, array))
            self.numbers += (number, NO_MEMORY, 0)
        self.register(array, here.weight)

    def add_layout(self, array: np.ndarray, first: tuple) -> int:
        """Return the number of a layout that no array before has had."""
        here = lay_out(*first)
        if here.code is None:
            raise UnsupportedType(kind_of(array))
        self.check_size(here.nbytes)
        number = self.layout_index[first] = len(self.layouts)
        if number == MAX_LAYOUTS:
            raise UnsupportedType(f"a value with arrays of more than {MAX_LAYOUTS:,} shapes")
        self.layouts.append(here)
        return number

    def is_as_received(self, known: int, start: int, here: Layout) -> bool:
        """Tell whether an array of the message answered still lies where and as it did."""
        memory, offset, before = self.known.places.get(known, (None, 0, None))
        return memory is not None and start == memory.locate() + offset and before == here

    def finish(self) -> tuple[bytes, Table]:
        """Put the message together: the header and the columns."""
        if self.places:
            self.group_arrays()
        blocks = self.table.memories
        changed = {
            index: memory
            for index, memory in enumerate(self.known.memories)
            if memory.received is not None and memory.whole.tobytes() != memory.received
        }
        numbers = [*changed, *[memory.size for memory in blocks]]
        for here in self.layouts:
            numbers += (here.code, here.writeable, len(here.shape), *here.shape)
            numbers += [stride % 2**64 for stride in here.strides]
        numbers += self.numbers
        memories = [*changed.values(), *blocks]
        size = self.size + len(self.tags) + 8 * len(numbers)
        self.check_size(size + sum([memory.size for memory in memories]))
        lengths = len(numbers), len(self.tags), len(changed), len(blocks), len(self.layouts)
        parts = [HEADER.pack(MAGIC, *lengths), Column(NUMBER, numbers), self.tags]
        parts += [memory.gather() for memory in memories]
        return b"".join(parts + self.data), self.table

    def group_arrays(self) -> None:
        """Give each array its place in a block: a known one, or one for all that overlap."""
        memories = self.table.memories
        around = enumerate(self.known.memories)
        known = sorted((m.locate(), i) for i, m in around if m.whole is not None)
        end = 0  # of the last block
        self.places.sort()
        for low, high, position, start, array in self.places:
            nearest = bisect_right(known, (low, NO_MEMORY)) - 1 if known else -1
            base, index = known[nearest] if nearest >= 0 else (0, 0)
            if nearest < 0 or high > base + self.known.memories[index].size:
                if low >= end:
                    memories.append(memory := Memory(0, low, []))
                end = max(end, high)
                memory.size = end - memory.low
                memory.arrays.append(array)
                base, index = memory.low, len(self.known.memories) + len(memories) - 1
            self.numbers[position] = index
            self.numbers[position + 1] = start - base
        for memory in memories:
            for array in memory.arrays:
                if memory.whole is None and array.nbytes == memory.size:
                    memory.whole = whole_view(array)


NEW, OPEN = -2, -1  # in the place of a place: of what is not yet written, or not to its end
TAGS = {list: b"l", tuple: b"t", dict: b"d"}
WRITERS: dict[type, Callable] = {
    str: _Encoder.write_text,
    bytes: _Encoder.write_bytes,
    np.ndarray: _Encoder.write_array,
    **dict.fromkeys((type(None), bool), _Encoder.write_constant),
    int: _Encoder.write_int,
    **dict.fromkeys((float, complex), _Encoder.write_float),
    **dict.fromkeys(TAGS, _Encoder.write_container),
    **dict.fromkeys(SCALAR_CODES, _Encoder.write_scalar),
}


def plain_kind(value: object) -> type:
    """Return the plain type as which a value of a subclass crosses."""
    kind = type(value)
    if not issubclass(kind, (np.generic, np.ndarray)):
        for plain in (int, float, complex, str, list, tuple, dict):
            if issubclass(kind, plain):
                return plain
    raise UnsupportedType(kind_of(value))


def misfit(keys: list[Any]) -> str:
    """Say why a dict cannot have these keys; "" where it can."""
    if {*map(type, keys)} <= {str}:
        return ""
    for key in keys:
        if not is_key(key):
            return f"a dict with a key of type {type(key).__name__}"
    many = sum(type(key) is tuple for key in keys) > MAX_TUPLE_KEYS
    return f"a dict of more than {MAX_TUPLE_KEYS} tuples" if many else ""


def is_key(key: Any) -> bool:
    """Tell whether a value may be a key: one whose hashes cannot be made to collide."""
    kind = type(key)
    if kind is tuple:
        return all(is_key(part) for part in key)
    if kind is int or (kind in SCALAR_CODES and np.dtype(kind).kind in "iu"):
        return abs(int(key)) < MAX_KEY
    return key is None or kind in (str, bytes, bool, float) or kind in SCALAR_CODES


# ---------------------------------------------------------------- decoding


def decode(
    message: bytes | bytearray, bounds: Bounds = BOUNDS, known: Table | None = None
) -> tuple[Any, Table]:
    """
    Read a message that may come from anybody.

    Parameters
    ----------
    message : bytes
    bounds : Bounds
    known : Table, optional
        The table of the message that this one answers. Its objects are changed
        as the message says, once the whole message has been read and found sound.

    Returns
    -------
    value : plain data
    table : Table

    Raises
    ------
    WireError
        Where the message is damaged or too large.
    """
    decoder = _Decoder(message, bounds, known or Table())
    try:
        value = decoder.read_message()
    except StopIteration:  # a column has come to its end
        raise WireError("the message is cut short") from None
    decoder.update_known()
    return value, decoder.table


class _Decoder:
    def __init__(self, message: bytes | bytearray, bounds: Bounds, known: Table) -> None:
        self.bounds = bounds
        self.known = known
        self.table = Table()
        self.weights: list[int] = []
        self.memories = list(known.memories)  # and then those of this message
        self.layouts: list[Layout] = []
        self.items = 0
        self.described: set[int] = set()
        self.updates: list[tuple[Any, Any]] = []
        self.changed: dict[int, np.ndarray] = {}
        self.copies: dict[int, np.ndarray] = {}  # of known memory that has gaps
        self.data = memoryview(message).toreadonly()
        self.position = 0

    # The pieces: every length is checked before it is used. `next` raises StopIteration
    # where a column has come to its end, and `decode` makes it a WireError.

    def take(self, size: int) -> memoryview:
        start = self.position
        end = start + size
        if end > len(self.data):
            raise WireError("the message is cut short")
        self.position = end
        return self.data[start:end]

    def take_numbers(self, number: int) -> tuple[int, ...]:
        numbers = tuple(islice(self.numbers, number))
        if len(numbers) != number:
            raise WireError("the message is cut short")
        return numbers

    def count(self, weight: int) -> None:
        self.items += weight
        if self.items > self.bounds.items:
            raise WireError("the message holds too many items")

    def register(self, value: Any, weight: int) -> Any:
        self.table.objects.append(value)
        self.weights.append(weight)
        return value

    def known_object(self, kind: type) -> tuple[int, Any]:
        """Return an object of the message that this one answers."""
        index = next(self.numbers)
        if index >= len(self.known.objects) or not isinstance(self.known.objects[index], kind):
            raise WireError("the message refers to an object that is not there")
        return index, self.known.objects[index]

    # The message

    def read_message(self) -> Any:
        if len(self.data) > self.bounds.bytes + HEADER.size:
            raise WireError("the message is too large")
        magic, numbers, tags, *counts = HEADER.unpack(self.take(HEADER.size))
        if magic != MAGIC:
            raise WireError("the message does not begin as one")
        # A view of nothing cannot be cast.
        self.numbers = iter(self.take(8 * numbers).cast(NUMBER) if numbers else ())
        self.tags = iter(bytes(self.take(tags)))
        if any(counts):
            self.read_memory(*counts)
        (value,) = self.read_parts(1, 0)
        ends = (next(self.numbers, None), next(self.tags, None))
        if ends != (None, None) or self.position != len(self.data):
            raise WireError("the message goes on after its end")
        for memory in self.table.memories:
            if memory.whole is None:
                raise WireError("the message holds memory that nothing uses")
        return value

    def read_memory(self, changed: int, blocks: int, layouts: int) -> None:
        """Read so many blocks of the message answered, blocks of this one, and layouts."""
        if max(changed, blocks) > self.bounds.items or layouts > MAX_LAYOUTS:
            raise WireError("the message states a number that is too large")
        for index in self.take_numbers(changed):
            self.read_changed(index)
        for size in self.take_numbers(blocks):
            self.table.memories.append(Memory(size, received=self.take(size)))
        self.memories += self.table.memories
        for _ in range(layouts):
            self.layouts.append(self.read_layout())

    def read_changed(self, index: int) -> None:
        """Read the new contents of a block of the message that this one answers."""
        if index >= len(self.known.memories) or index in self.changed:
            raise WireError("the message changes memory that is not there")
        memory = self.known.memories[index]
        block = np.frombuffer(self.take(memory.size), np.uint8)
        self.changed[index] = block
        for array in memory.arrays:
            place = first_byte(array) - memory.locate()
            check_bools(array.dtype, array.shape, array.strides, block, place)

    def read_parts(self, number: int, depth: int) -> list[Any]:
        """Read values that lie in so many containers."""
        self.count(number)
        # What reads a value may take more tags than the one that the loop takes.
        tags = islice(self.tags, number)
        parts = [READERS.get(tag, _Decoder.read_unknown)(self, depth) for tag in tags]
        if len(parts) != number:
            raise WireError("the message is cut short")
        return parts

    def read_unknown(self, depth: int) -> None:
        raise WireError("the message holds an unknown tag")

    def read_text(self, depth: int) -> str:
        try:
            return str(self.take(next(self.numbers)), "utf-8")
        except UnicodeDecodeError:
            raise WireError("the message holds text that is not UTF-8") from None

    def read_int(self, depth: int) -> int:
        size = next(self.numbers)
        if size > MAX_INT_BYTES:
            raise WireError("the message states a size that is too large")
        return int.from_bytes(self.take(size), "little", signed=True)

    def get_dtype(self, code: int) -> np.dtype:
        if code >= len(DTYPES):
            raise WireError("the message holds an unknown type of numbers")
        return DTYPES[code]

    def read_scalar(self, depth: int) -> np.generic:
        dtype = self.get_dtype(next(self.tags))
        data = np.frombuffer(self.take(dtype.itemsize), np.uint8)
        check_bools(dtype, (), (), data, 0)
        return data.view(dtype)[0]

    def read_reference(self, depth: int) -> Any:
        place = next(self.numbers)
        if place >= len(self.weights):
            raise WireError("the message refers to an object that is not there")
        self.count(self.weights[place])
        return self.table.objects[place]

    def read_container(self, kind: type, is_known: bool, depth: int) -> Any:
        if depth >= self.bounds.depth:
            raise WireError("the message is nested too deep")
        before = self.items
        known = self.known_container(kind) if is_known else None
        number = next(self.numbers)
        parts = self.read_parts(number, depth + 1)
        value = self.read_dict(parts, depth + 1) if kind is dict else kind(parts)
        if known is not None:
            if kind is not tuple:
                self.updates.append((known, value))
            elif len(known) != number:
                raise WireError("the message changes the length of a tuple")
            value = known
        return self.register(value, self.items - before)

    def known_container(self, kind: type) -> Any:
        """Return the container of the message answered that the next value is about."""
        index, known = self.known_object(kind)
        if index in self.described:
            raise WireError("the message describes an object twice")
        self.described.add(index)
        return known

    def read_dict(self, keys: list[Any], depth: int) -> dict:
        """Return a dict of these keys and of as many values that come next."""
        if misfit(keys):
            raise WireError("the message holds a key that cannot be one")
        items = dict(zip(keys, self.read_parts(len(keys), depth), strict=True))
        if len(items) != len(keys):
            raise WireError("the message holds a key twice")
        return items

    # Arrays

    def read_known_array(self, depth: int) -> np.ndarray:
        _, array = self.known_object(np.ndarray)
        weight = 1 + array.nbytes // WEIGHT_BYTES
        self.count(weight)
        return self.register(array, weight)

    def read_layout(self) -> Layout:
        code, writeable, ndim = self.take_numbers(3)
        if writeable > 1 or ndim > MAX_NDIM:
            raise WireError("the message holds an array that cannot be one")
        dtype = self.get_dtype(code)
        shape = self.take_numbers(ndim)
        strides = self.take_numbers(ndim)
        if max(strides, default=0) >= 2**63:  # some are negative
            strides = tuple(n - 2**64 if n >= 2**63 else n for n in strides)
        here = lay_out(shape, strides, dtype, writeable == 1)
        if here.nbytes > self.bounds.bytes:
            raise WireError("the message holds an array that is too large")
        return here

    def read_array(self, depth: int) -> np.ndarray:
        number, index, offset = next(self.numbers), next(self.numbers), next(self.numbers)
        if number >= len(self.layouts):
            raise WireError("the message refers to a layout that is not there")
        here = self.layouts[number]
        self.count(here.weight)
        memory = None
        try:
            if here.nbytes == 0:
                array = np.empty(here.shape, here.dtype)
            elif index < len(self.memories):
                memory = self.memories[index]
                array = self.place_array(here, memory, index, offset)
            else:
                raise WireError("the message refers to memory that is not there")
        except (ValueError, OverflowError):  # NumPy's own bounds
            raise WireError("the message holds an array that cannot be one") from None
        if not here.writeable:
            array.flags.writeable = False
        elif not array.flags.writeable:
            here = here._replace(writeable=False)
        self.table.places[len(self.weights)] = (memory, offset, here)
        return self.register(array, here.weight)

    def place_array(self, here: Layout, memory: Memory, index: int, offset: int) -> np.ndarray:
        """Return an array at its place in a block."""
        shape, strides, dtype, _, _, low, high, nbytes, _ = here
        if offset + low < 0 or offset + high > memory.size:
            raise WireError("the message holds an array that leaves its memory")
        if memory.whole is None and memory.received is not None:  # the first array of a new block
            check_bools(dtype, shape, strides, memory.received, offset)
            source = np.ndarray(shape, dtype, memory.received, offset, strides)
            for order in "CF" if nbytes == memory.size else "":
                array = source.copy(order)
                if array.strides == strides:  # so it may own its memory
                    memory.whole = whole_view(array)
                    return array
            memory.whole = np.array(memory.received, np.uint8)
        block = memory.whole
        if block is None:  # known, but not whole: what refers to it gets a copy
            if index not in self.copies:
                self.copies[index] = np.array(self.changed.get(index, memory.gather()))
            block = self.copies[index]
        check_bools(dtype, shape, strides, self.changed.get(index, block), offset)
        return np.ndarray(shape, dtype, block, offset, strides)

    def update_known(self) -> None:
        """Change the objects of the message that this one answers."""
        for index, block in self.changed.items():
            self.known.memories[index].overwrite(block)
        for known, value in self.updates:
            if isinstance(known, list):
                known[:] = value
            else:
                known.clear()
                known.update(value)


READERS: dict[int, Callable] = {
    ord("N"): lambda decoder, depth: None,
    ord("+"): lambda decoder, depth: True,
    ord("-"): lambda decoder, depth: False,
    ord("i"): _Decoder.read_int,
    ord("r"): lambda decoder, depth: REAL.unpack(decoder.take(8))[0],
    ord("c"): lambda decoder, depth: complex(*COMPLEX.unpack(decoder.take(16))),
    ord("s"): _Decoder.read_text,
    ord("b"): lambda decoder, depth: bytes(decoder.take(next(decoder.numbers))),
    ord("n"): _Decoder.read_scalar,
    ord("a"): _Decoder.read_array,
    ord("A"): _Decoder.read_known_array,
    ord("@"): _Decoder.read_reference,
    ord("l"): lambda decoder, depth: decoder.read_container(list, False, depth),
    ord("t"): lambda decoder, depth: decoder.read_container(tuple, False, depth),
    ord("d"): lambda decoder, depth: decoder.read_container(dict, False, depth),
    ord("L"): lambda decoder, depth: decoder.read_container(list, True, depth),
    ord("T"): lambda decoder, depth: decoder.read_container(tuple, True, depth),
    ord("D"): lambda decoder, depth: decoder.read_container(dict, True, depth),
}


def check_bools(dtype: np.dtype, shape: tuple, strides: tuple, block: Any, offset: int) -> None:
    """Raise WireError where an array of bools would hold bytes other than 0 and 1."""
    if dtype.kind != "b" or 0 in shape:
        return
    if np.ndarray(shape, np.uint8, block, offset, strides).max() > 1:
        raise WireError("the message holds a truth value that is none")
