"""Arrays in messages: what they can hold, and what is said of one before its bytes."""

from __future__ import annotations

import math
import struct
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np

MAX_NDIM = 64  # of NumPy
WEIGHT_BYTES = 256  # so many bytes of a value count for as much as one item

NUMBERS = "?bhilqBHILQefdFD"  # NumPy's letters for the types of numbers that can cross
NAMES = {np.dtype(order + letter).str for order in "<>" for letter in NUMBERS}
TEXTS = b"<U\0\0"  # the last number of such a head is how many characters each text has
MAX_TEXT = 2**28  # characters
DTYPES = {struct.pack("4s", name.encode()): np.dtype(name) for name in NAMES}


class UnsupportedType(TypeError):
    """A value that cannot cross; its text names the kind: "a generator"."""


Size = tuple[int, int]  # for how many items a value counts, and how many containers deep it is


class Layout(NamedTuple):
    """All about an array but its contents."""

    dtype: np.dtype
    shape: tuple[int, ...]
    order: Literal["C", "F"]  # of its bytes
    writeable: bool
    lends: bool  # whether it was contiguous: its views cross as views
    head: bytes  # says all this in a message
    nbytes: int
    size: Size


@lru_cache(1024)
def read_layout(head: bytes) -> Layout:
    """Return the layout that a head states; raise ValueError or KeyError where there is none."""
    if len(head) > 13 + 8 * MAX_NDIM:
        raise ValueError
    name, flags, *shape = struct.unpack(f"<4sB{len(head) // 8}Q", head)
    texts = name == TEXTS
    length = shape.pop() if texts else 1
    if len(shape) > MAX_NDIM or not 0 < length <= MAX_TEXT:
        raise ValueError
    dtype = np.dtype(f"<U{length}") if texts else DTYPES[name]
    nbytes = math.prod(shape) * dtype.itemsize
    # What works with an empty array may make a large one, if its other axes are long.
    items = 1 + math.prod([n or 1 for n in shape]) * dtype.itemsize // WEIGHT_BYTES
    order: Literal["C", "F"] = "F" if flags & 3 == 2 else "C"
    writeable, lends = flags & 4 > 0, flags & 3 > 0 and not texts
    return Layout(dtype, tuple(shape), order, writeable, lends, head, nbytes, (items, 0))


@lru_cache(1024)
def find_layout(shape: tuple[int, ...], dtype: np.dtype, flags: int) -> Layout:
    """Return the layout of an array, whose flags are `flags.num`."""
    name = dtype.str.encode()
    if name.startswith(b"<U") and 0 < dtype.itemsize <= 4 * MAX_TEXT:
        name, shape = TEXTS, (*shape, dtype.itemsize // 4)
    elif dtype.str not in NAMES:
        raise UnsupportedType(f"an array of {dtype.name}")
    flags = flags & 3 | flags >> 8 & 4  # contiguous in C order, in Fortran order; writeable
    return read_layout(struct.pack(f"<4sB{len(shape)}Q", name, flags, *shape))


def contents(array: np.ndarray) -> bytes:
    """Return the bytes of an array; raise UnsupportedType where they are no texts that can be."""
    data = array.tobytes("A")
    if array.dtype.kind == "U":
        try:
            data.decode("utf-32-le")
        except ValueError:
            raise UnsupportedType("a string that is not valid Unicode") from None
    return data
