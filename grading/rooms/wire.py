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
"""

from __future__ import annotations

import math
import types
from bisect import bisect_right
from dataclasses import dataclass, field
from operator import itemgetter
from struct import Struct, pack, unpack
from typing import Any, NamedTuple

import numpy as np

MAGIC = b"room1\n"
MAX_INT_BYTES = 1024  # so many digits that they can still be printed
MAX_NDIM = 32
MAX_TUPLE_KEYS = 4096
MAX_KEY = 2**60
NO_MEMORY = 2**64 - 1
WEIGHT_BYTES = 256  # so many bytes of an array weigh as much as one item

COUNT = Struct("<Q")
PLACE = Struct("<QQ")
REAL = Struct("<d")
COMPLEX = Struct("<dd")

NUMBER_TYPES = (
    np.bool_, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64,
    np.float16, np.float32, np.float64, np.complex64, np.complex128,
)  # fmt: skip
DTYPES = [
    np.dtype(number).newbyteorder(order)
    for number in NUMBER_TYPES
    for order in "<>"
    if order == "<" or np.dtype(number).itemsize > 1
]
DTYPE_CODES = {dtype.str: code for code, dtype in enumerate(DTYPES)}
SCALAR_TYPES = {*NUMBER_TYPES, np.longlong, np.ulonglong}

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


@dataclass
class Memory:
    """
    A block of memory: of a message, and of the process at hand.

    Attributes
    ----------
    low, high : int
        Its addresses here.
    arrays : list of ndarray
        The arrays of the message that lie in it.
    flat : ndarray of uint8, or None
        All its bytes, where they belong to an array of the message; None where
        there are gaps between the arrays.
    received : memoryview or None
        Its bytes as they came.
    """

    low: int
    high: int
    arrays: list[np.ndarray] = field(default_factory=list)
    flat: np.ndarray | None = None
    received: memoryview | None = None

    def gather(self) -> np.ndarray:
        """Return the bytes, shape (high - low,), with zeros in the gaps between arrays."""
        if self.flat is not None:
            return self.flat
        block = np.zeros(self.high - self.low, np.uint8)
        self._copy(block, into_block=True)
        return block

    def overwrite(self, block: np.ndarray) -> None:
        """Give the arrays the contents of `block`; arrays locked against writing stay."""
        self._copy(block, into_block=False)

    def _copy(self, block: np.ndarray, into_block: bool) -> None:
        for array in self.arrays:
            offset = first_byte(array) - self.low
            twin = np.ndarray(array.shape, array.dtype, block, offset, array.strides)
            if into_block:
                twin[...] = array
            elif array.flags.writeable:
                array[...] = twin


@dataclass
class Table:
    """The objects and the blocks of memory of one message, in order."""

    objects: list[Any] = field(default_factory=list)
    memories: list[Memory] = field(default_factory=list)
    layouts: dict[int, tuple] = field(default_factory=dict)  # of arrays, by index


# ------------------------------------------------------------------ arrays


def first_byte(array: np.ndarray) -> int:
    """Return the address of the array's first element."""
    return array.__array_interface__["data"][0]


def layout(array: np.ndarray) -> tuple:
    """Return what says where and how an array lies in memory."""
    return (first_byte(array), array.shape, array.strides, array.dtype, array.flags.writeable)


def byte_span(shape: tuple[int, ...], strides: tuple[int, ...], itemsize: int) -> tuple[int, int]:
    """Return the first and last byte that an array touches, counted from its first element."""
    low, high = 0, itemsize
    for number, stride in zip(shape, strides, strict=True):
        if stride < 0:
            low += (number - 1) * stride
        else:
            high += (number - 1) * stride
    return low, high


def flat_bytes(array: np.ndarray) -> np.ndarray | None:
    """Return all bytes of a contiguous array as a view; None for any other array."""
    if array.flags.c_contiguous:
        return array.reshape(-1).view(np.uint8)
    if array.flags.f_contiguous:
        return array.T.reshape(-1).view(np.uint8)
    return None


def array_weight(array: np.ndarray) -> int:
    """Return for how many items an array counts."""
    return 1 + array.nbytes // WEIGHT_BYTES


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
    encoder.write(value, 0)
    return encoder.finish()


class _Encoder:
    def __init__(self, bounds: Bounds, known: Table) -> None:
        self.bounds = bounds
        self.known = known
        self.known_index = {id(o): i for i, o in enumerate(known.objects)}
        self.tree = bytearray()
        self.table = Table()
        self.index: dict[int, int] = {}  # id of a finished object: its place in the table
        self.weights: list[int] = []
        self.open: set[int] = set()
        self.keep: list[Any] = []  # objects whose ids are in use
        # The arrays: first and last address, and where in the tree the place of each goes.
        self.places: list[tuple[int, int, int, np.ndarray]] = []
        self.items = 0

    def write(self, value: Any, depth: int) -> None:
        """Append one value to the tree."""
        self.count(1)
        kind = type(value)
        if value is None or value is True or value is False:
            self.tree += b"N" if value is None else b"+" if value else b"-"
        elif kind is np.ndarray:
            self.write_array(value)
        elif kind in SCALAR_TYPES:
            dtype = np.dtype(kind)
            self.tree += b"n" + bytes([DTYPE_CODES[dtype.str]]) + value.tobytes()
        elif issubclass(kind, (np.generic, np.ndarray)):
            raise UnsupportedType(kind_of(value))
        elif issubclass(kind, int):
            self.write_int(int.__add__(value, 0))
        elif issubclass(kind, float):
            self.tree += b"r" + REAL.pack(float.__float__(value))
        elif issubclass(kind, complex):
            number = complex.__complex__(value)
            self.tree += b"c" + COMPLEX.pack(number.real, number.imag)
        elif issubclass(kind, str):
            self.write_bytes(b"s", self.to_utf8(value))
        elif kind is bytes:
            self.write_bytes(b"b", value)
        elif issubclass(kind, (list, tuple, dict)):
            self.write_container(value, depth + 1)
        else:
            raise UnsupportedType(kind_of(value))

    def count(self, weight: int) -> None:
        """Keep the number of items and of bytes within bounds."""
        self.items += weight
        if self.items > self.bounds.items:
            raise UnsupportedType(f"a value of more than {self.bounds.items:,} items")
        self.check_size(len(self.tree))

    def check_size(self, size: int) -> None:
        if size > self.bounds.bytes:
            raise UnsupportedType(f"a value of more than {self.bounds.bytes / 2**20:,.0f} MB")

    def write_int(self, number: int) -> None:
        size = number.bit_length() // 8 + 1
        if size > MAX_INT_BYTES:
            raise UnsupportedType(f"an int of more than {MAX_INT_BYTES} bytes")
        self.write_bytes(b"i", number.to_bytes(size, "little", signed=True))

    def to_utf8(self, text: str) -> bytes:
        try:
            return str.encode(text, "utf-8")
        except UnicodeEncodeError:
            raise UnsupportedType("a string that is not valid Unicode") from None

    def write_bytes(self, tag: bytes, data: bytes) -> None:
        self.check_size(len(self.tree) + len(data))
        self.tree += tag
        self.tree += COUNT.pack(len(data))
        self.tree += data

    def written_before(self, value: Any) -> bool:
        """Write a reference, if this object stands in the message already."""
        place = self.index.get(id(value))
        if place is None:
            return False
        self.count(self.weights[place])
        self.tree += b"@" + COUNT.pack(place)
        return True

    def write_container(self, value: Any, depth: int) -> None:
        if self.written_before(value):
            return
        if depth > self.bounds.depth:
            raise UnsupportedType(f"a value nested more than {self.bounds.depth} deep")
        if id(value) in self.open:
            raise UnsupportedType(f"{kind_of(value)} that contains itself")
        self.open.add(id(value))
        self.keep.append(value)
        before = self.items
        # By the true class: a subclass cannot hide or invent items.
        base = next(b for b in (list, tuple, dict) if issubclass(type(value), b))
        tag = {list: b"l", tuple: b"t", dict: b"d"}[base]
        if id(value) in self.known_index:
            self.tree += tag.upper() + COUNT.pack(self.known_index[id(value)])
        else:
            self.tree += tag
        self.tree += COUNT.pack(base.__len__(value))
        if base is dict:
            items = list(dict.items(value))
            self.check_keys([key for key, _ in items])
            for key, item in items:
                self.write(key, depth)
                self.write(item, depth)
        else:
            for item in list(base.__iter__(value)):
                self.write(item, depth)
        self.open.discard(id(value))
        self.register(value, self.items - before)

    def check_keys(self, keys: list[Any]) -> None:
        for key in keys:
            if not is_key(key):
                raise UnsupportedType(f"a dict with a key of type {type(key).__name__}")
        if sum(type(key) is tuple for key in keys) > MAX_TUPLE_KEYS:
            raise UnsupportedType(f"a dict of more than {MAX_TUPLE_KEYS} tuples")

    def register(self, value: Any, weight: int) -> None:
        self.index[id(value)] = len(self.table.objects)
        self.table.objects.append(value)
        self.weights.append(weight)

    def write_array(self, array: np.ndarray) -> None:
        if self.written_before(array):
            return
        code = DTYPE_CODES.get(array.dtype.str)
        if code is None:
            raise UnsupportedType(kind_of(array))
        self.check_size(array.nbytes)
        self.count(array_weight(array))
        here = layout(array)
        start, shape, strides, _, writeable = here
        place = self.known_index.get(id(array))
        if place is not None and self.known.layouts.get(place) == here:
            self.tree += b"A" + COUNT.pack(place)
        else:
            ndim = len(shape)
            self.tree += b"a" + bytes([code, writeable, ndim])
            self.tree += pack(f"<{ndim}Q{ndim}q", *shape, *strides)
            if 0 not in shape:
                low, high = byte_span(shape, strides, array.itemsize)
                self.places.append((start + low, start + high, len(self.tree), array))
            self.tree += PLACE.pack(NO_MEMORY, 0)
        self.table.layouts[len(self.table.objects)] = here
        self.register(array, array_weight(array))

    def finish(self) -> tuple[bytes, Table]:
        """Put blocks of memory before the tree, and places into the arrays."""
        self.group_arrays()
        changed = [
            (index, memory.flat)
            for index, memory in enumerate(self.known.memories)
            if memory.received is not None
            and not np.array_equal(memory.flat, np.frombuffer(memory.received, np.uint8))
        ]
        blocks = [memory.gather() for memory in self.table.memories]
        self.check_size(
            len(self.tree) + sum(b.nbytes for b in blocks) + sum(b.nbytes for _, b in changed)
        )
        parts = [MAGIC, COUNT.pack(len(changed))]
        for index, block in changed:
            parts += [PLACE.pack(index, block.nbytes), block.data]
        parts.append(COUNT.pack(len(blocks)))
        for block in blocks:
            parts += [COUNT.pack(block.nbytes), block.data]
        return b"".join([*parts, self.tree]), self.table

    def group_arrays(self) -> None:
        """Give each array its place in a block: a known one, or one for all that overlap."""
        memories = self.table.memories
        known = sorted((m.low, i) for i, m in enumerate(self.known.memories) if m.flat is not None)
        for low, high, position, array in sorted(self.places, key=itemgetter(0, 1)):
            nearest = bisect_right(known, (low, NO_MEMORY)) - 1
            if nearest >= 0 and high <= self.known.memories[known[nearest][1]].high:
                index = known[nearest][1]
                start = known[nearest][0]
            else:
                if not memories or low >= memories[-1].high:
                    memories.append(Memory(low, high))
                memories[-1].high = max(memories[-1].high, high)
                memories[-1].arrays.append(array)
                index = len(self.known.memories) + len(memories) - 1
                start = memories[-1].low
            first = low if array.flags.c_contiguous else first_byte(array)
            PLACE.pack_into(self.tree, position, index, first - start)
        for memory in memories:
            whole = (a for a in memory.arrays if a.nbytes == memory.high - memory.low)
            memory.flat = next((f for f in map(flat_bytes, whole) if f is not None), None)


def is_key(key: Any) -> bool:
    """Tell whether a value may be a key: one whose hashes cannot be made to collide."""
    kind = type(key)
    if kind is tuple:
        return all(is_key(part) for part in key)
    if kind is int or (kind in SCALAR_TYPES and np.dtype(kind).kind in "iu"):
        return abs(int(key)) < MAX_KEY
    return key is None or kind in (str, bytes, bool, float) or kind in SCALAR_TYPES


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
    value = decoder.read_message()
    decoder.update_known()
    return value, decoder.table


class _Decoder:
    def __init__(self, message: bytes | bytearray, bounds: Bounds, known: Table) -> None:
        self.data = memoryview(message).toreadonly()
        self.position = 0
        self.bounds = bounds
        self.known = known
        self.table = Table()
        self.weights: list[int] = []
        self.items = 0
        self.described: set[int] = set()
        self.updates: list[tuple[Any, Any]] = []
        self.changed: dict[int, np.ndarray] = {}
        self.copies: dict[int, np.ndarray] = {}  # of known memory that has gaps

    # The pieces: every length is checked before it is used.

    def take(self, size: int) -> memoryview:
        if size > len(self.data) - self.position:
            raise WireError("the message is cut short")
        self.position += size
        return self.data[self.position - size : self.position]

    def take_count(self) -> int:
        return COUNT.unpack(self.take(8))[0]

    def take_sized(self, most: int) -> memoryview:
        size = self.take_count()
        if size > most:
            raise WireError("the message states a size that is too large")
        return self.take(size)

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
        index = self.take_count()
        if index >= len(self.known.objects) or not isinstance(self.known.objects[index], kind):
            raise WireError("the message refers to an object that is not there")
        return index, self.known.objects[index]

    # The message

    def read_message(self) -> Any:
        if len(self.data) > self.bounds.bytes + 2**20:
            raise WireError("the message is too large")
        if self.take(len(MAGIC)) != MAGIC:
            raise WireError("the message does not begin as one")
        for _ in range(self.take_block_count()):
            index, size = PLACE.unpack(self.take(16))
            if index >= len(self.known.memories) or index in self.changed:
                raise WireError("the message changes memory that is not there")
            memory = self.known.memories[index]
            if size != memory.high - memory.low:
                raise WireError("the message changes the size of memory")
            block = self.changed[index] = np.frombuffer(self.take(size), np.uint8)
            for array in memory.arrays:
                place = first_byte(array) - memory.low
                check_bools(array.dtype, array.shape, array.strides, block, place)
        for _ in range(self.take_block_count()):
            data = self.take_sized(self.bounds.bytes)
            self.table.memories.append(Memory(0, len(data), received=data))
        value = self.read(0)
        if self.position != len(self.data):
            raise WireError("the message goes on after its end")
        if any(memory.flat is None for memory in self.table.memories):
            raise WireError("the message holds memory that nothing uses")
        return value

    def take_block_count(self) -> int:
        number = self.take_count()
        if number > self.bounds.items or number * 8 > len(self.data):
            raise WireError("the message states a number that is too large")
        return number

    def read(self, depth: int) -> Any:
        """Read one value of the tree."""
        self.count(1)
        tag = bytes(self.take(1))
        match tag:
            case b"N":
                return None
            case b"+":
                return True
            case b"-":
                return False
            case b"i":
                return int.from_bytes(self.take_sized(MAX_INT_BYTES), "little", signed=True)
            case b"r":
                return REAL.unpack(self.take(8))[0]
            case b"c":
                return complex(*COMPLEX.unpack(self.take(16)))
            case b"s":
                return self.read_text()
            case b"b":
                return bytes(self.take_sized(self.bounds.bytes))
            case b"n":
                return self.read_scalar()
            case b"a":
                return self.read_array()
            case b"A":
                return self.read_known_array()
            case b"@":
                return self.read_reference()
            case b"l" | b"t" | b"d" | b"L" | b"T" | b"D":
                return self.read_container(tag, depth + 1)
        raise WireError("the message holds an unknown tag")

    def read_text(self) -> str:
        try:
            return str(self.take_sized(self.bounds.bytes), "utf-8")
        except UnicodeDecodeError:
            raise WireError("the message holds text that is not UTF-8") from None

    def read_dtype(self) -> np.dtype:
        code = self.take(1)[0]
        if code >= len(DTYPES):
            raise WireError("the message holds an unknown type of numbers")
        return DTYPES[code]

    def read_scalar(self) -> np.generic:
        dtype = self.read_dtype()
        data = np.frombuffer(self.take(dtype.itemsize), np.uint8)
        check_bools(dtype, (), (), data, 0)
        return data.view(dtype)[0]

    def read_reference(self) -> Any:
        place = self.take_count()
        if place >= len(self.table.objects):
            raise WireError("the message refers to an object that is not there")
        self.count(self.weights[place])
        return self.table.objects[place]

    def read_container(self, tag: bytes, depth: int) -> Any:
        if depth > self.bounds.depth:
            raise WireError("the message is nested too deep")
        kind = {b"l": list, b"t": tuple, b"d": dict}[tag.lower()]
        before = self.items
        known = None
        if tag.isupper():
            index, known = self.known_object(kind)
            if index in self.described:
                raise WireError("the message describes an object twice")
            self.described.add(index)
        number = self.take_count()
        if number > len(self.data) - self.position:
            raise WireError("the message is cut short")
        if kind is dict:
            value = self.read_items(number, depth)
        else:
            value = kind([self.read(depth) for _ in range(number)])
        if known is not None:
            if kind is not tuple:
                self.updates.append((known, value))
            elif len(known) != number:
                raise WireError("the message changes the length of a tuple")
            value = known
        return self.register(value, self.items - before)

    def read_items(self, number: int, depth: int) -> dict:
        items = {}
        tuples = 0
        for _ in range(number):
            key = self.read(depth)
            tuples += type(key) is tuple
            if not is_key(key) or tuples > MAX_TUPLE_KEYS:
                raise WireError("the message holds a key that cannot be one")
            items[key] = self.read(depth)
        if len(items) != number:
            raise WireError("the message holds a key twice")
        return items

    # Arrays

    def read_known_array(self) -> np.ndarray:
        _, array = self.known_object(np.ndarray)
        self.count(array_weight(array))
        return self.register(array, array_weight(array))

    def read_array(self) -> np.ndarray:
        dtype = self.read_dtype()
        writeable, ndim = self.take(2)
        if writeable > 1 or ndim > MAX_NDIM:
            raise WireError("the message holds an array that cannot be one")
        numbers = unpack(f"<{ndim}Q{ndim}q", self.take(16 * ndim))
        shape, strides = numbers[:ndim], numbers[ndim:]
        index, offset = PLACE.unpack(self.take(16))
        size = math.prod(shape)
        if size * dtype.itemsize > self.bounds.bytes:
            raise WireError("the message holds an array that is too large")
        self.count(1 + size * dtype.itemsize // WEIGHT_BYTES)
        try:
            array, start = self.place_array(shape, dtype, strides, index, offset)
        except (ValueError, OverflowError):  # NumPy's own bounds
            raise WireError("the message holds an array that cannot be one") from None
        if not writeable:
            array.flags.writeable = False
        here = (start, shape, strides, dtype, array.flags.writeable)
        self.table.layouts[len(self.table.objects)] = here
        return self.register(array, array_weight(array))

    def place_array(
        self, shape: tuple, dtype: np.dtype, strides: tuple, index: int, offset: int
    ) -> tuple[np.ndarray, int]:
        """Return an array at its place in a block, and the address of its first byte."""
        if 0 in shape:
            return np.empty(shape, dtype), 0
        memory = self.find_memory(index)
        low, high = byte_span(shape, strides, dtype.itemsize)
        if offset + low < 0 or offset + high > memory.high - memory.low:
            raise WireError("the message holds an array that leaves its memory")
        if memory.flat is None and memory.received is not None:  # the first array of a new block
            content = np.frombuffer(memory.received, np.uint8)
            check_bools(dtype, shape, strides, content, offset)
            array = own_array(shape, dtype, strides) if high - low == content.size else None
            memory.flat = np.empty(content.size, np.uint8) if array is None else flat_bytes(array)
            memory.flat[:] = content
            memory.low = first_byte(memory.flat)
            memory.high = memory.low + content.size
            if array is not None:
                return array, memory.low + offset
        block = memory.flat
        if block is None:  # known, but not whole: what refers to it gets a copy
            if index not in self.copies:
                self.copies[index] = np.array(self.changed.get(index, memory.gather()))
            block = self.copies[index]
        check_bools(dtype, shape, strides, self.changed.get(index, block), offset)
        return np.ndarray(shape, dtype, block, offset, strides), memory.low + offset

    def find_memory(self, index: int) -> Memory:
        """Return a block: the known ones come first, then those of this message."""
        number = len(self.known.memories)
        memories = self.known.memories if index < number else self.table.memories
        place = index if index < number else index - number
        if place >= len(memories):
            raise WireError("the message refers to memory that is not there")
        return memories[place]

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


def own_array(shape: tuple, dtype: np.dtype, strides: tuple) -> np.ndarray | None:
    """Return a new array of this layout that owns its memory, if there is one."""
    for order in "CF":
        array = np.empty(shape, dtype, order)
        if array.strides == strides:
            return array
    return None


def check_bools(
    dtype: np.dtype, shape: tuple, strides: tuple, block: np.ndarray, offset: int
) -> None:
    """Raise WireError where an array of bools would hold bytes other than 0 and 1."""
    if dtype.kind != "b" or 0 in shape:
        return
    if np.ndarray(shape, np.uint8, block, offset, strides).max() > 1:
        raise WireError("the message holds a truth value that is none")
