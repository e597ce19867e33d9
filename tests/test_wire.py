"""The plain-data format: what may cross arrives as it was, what is damaged is refused."""

from __future__ import annotations

import collections
import math
import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from grading.rooms.room import wire
from grading.rooms.room.wire import Bounds, UnsupportedType, WireError, decode, encode

TYPES = [dtype.str for dtype in wire.DTYPES]


def cross(value, bounds=wire.BOUNDS):
    """Send a value to the other side."""
    return decode(encode(value, bounds)[0], bounds)[0]


def same(one, other):
    """Tell whether two values are alike to the last bit, types included."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return (
            one.dtype.str == other.dtype.str
            and one.shape == other.shape
            and (one.strides == other.strides or one.size == 0)
            and one.tobytes() == other.tobytes()
            and one.flags.writeable == other.flags.writeable
        )
    if isinstance(one, np.generic):
        return one.tobytes() == other.tobytes()
    if isinstance(one, float):
        return (one == other and math.copysign(1, one) == math.copysign(1, other)) or (
            math.isnan(one) and math.isnan(other)
        )
    if isinstance(one, complex):
        return same(one.real, other.real) and same(one.imag, other.imag)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return same(list(one.items()), list(other.items()))
    return one == other


def arrays():
    """Arrays of all types, also Fortran order, strided, reversed and empty."""
    plain = st.sampled_from(TYPES).flatmap(
        lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0))
    )
    views = [
        lambda a: a,
        lambda a: a.T,
        np.asfortranarray,
        lambda a: a[::-1] if a.ndim else a,
        lambda a: a[..., ::2] if a.ndim else a,
        lambda a: np.broadcast_to(a, (2, *a.shape)),
    ]
    return st.tuples(plain, st.sampled_from(views)).map(lambda pair: pair[1](pair[0]))


texts = st.text(st.characters(exclude_categories=["Cs"]))
numbers = st.integers() | st.integers(-(2**300), 2**300) | st.floats() | st.complex_numbers()
scalars = st.sampled_from(TYPES).flatmap(lambda dtype: hnp.arrays(dtype, ())).map(lambda a: a[()])
leaves = st.none() | st.booleans() | numbers | texts | st.binary() | scalars | arrays()
keys = texts | st.integers(-(2**59), 2**59) | st.booleans() | st.none()
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.lists(inner, max_size=5).map(tuple)
        | st.dictionaries(keys, inner, max_size=5)
    ),
    max_leaves=12,
)


@given(values)
@settings(max_examples=200, deadline=None)
def test_every_plain_value_arrives_as_it_was(value):
    assert same(cross(value), value)


@given(st.lists(arrays(), min_size=1, max_size=4), st.data())
@settings(max_examples=60, deadline=None)
def test_arrays_that_share_memory_still_share_it(given_arrays, data):
    chosen = data.draw(st.lists(st.sampled_from(given_arrays), min_size=2, max_size=6))
    value = [a[..., 1:] if a.ndim and data.draw(st.booleans()) else a for a in chosen]
    there = cross(value)
    for i, one in enumerate(value):
        for j, other in enumerate(value):
            assert (there[i] is there[j]) == (one is other)
            assert np.shares_memory(there[i], there[j]) == np.shares_memory(one, other)


def test_a_view_of_a_sequence_follows_the_sequence():
    c = np.arange(24.0).reshape(2, 3, 4)
    there, slices = cross((c, [c[:, :, t] for t in range(4)]))
    there[:, :, 2] = -1
    assert (slices[2] == -1).all()
    assert (slices[1] == c[:, :, 1]).all()


def test_arrays_in_one_allocation_that_do_not_overlap_do_not_carry_what_lies_between():
    table = np.arange(20.0).reshape(10, 2)
    message, _ = encode(table[:, 0])
    assert table[4, 1].tobytes() in table.tobytes()
    assert table[4, 1].tobytes() not in message


def test_the_same_list_twice_is_the_same_list_there():
    inner = [1, {"W": np.ones(2)}]
    one, two = cross((inner, inner))
    assert one is two


def test_numpy_and_python_scalars_stay_apart():
    there = cross([np.float64(1), 1.0, np.bool_(True), True, np.int64(1), 1])
    assert [type(item) for item in there] == [np.float64, float, np.bool_, bool, np.int64, int]


def test_subclasses_of_containers_arrive_as_the_plain_kind():
    class Liar(list):
        def __iter__(self):
            return iter([0, 0, 0])

        @property
        def __class__(self):
            return np.ndarray

    pair = collections.namedtuple("pair", "a b")
    assert same(cross([Liar([1, 2]), pair(1, 2)]), [[1, 2], (1, 2)])
    assert same(cross(collections.OrderedDict(a=1)), {"a": 1})


@pytest.mark.filterwarnings("ignore:the matrix subclass")
@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ((i for i in range(3)), "a generator"),
        (len, "a function"),
        (cross, "a function"),
        (np, "a module"),
        ({1, 2}, "a set"),
        (object, "a class"),
        (np.array([None]), "an array of objects"),
        (np.array(["x"]), "an array of strings"),
        (np.ones((1, 1)).view(np.matrix), "a matrix (numpy.matrix)"),
        (np.ma.masked_array([1]), "a masked array"),
        (np.ones(1, np.longdouble), "an array of float128"),
        ({2**61: 1}, "a dict with a key of type int"),
        ("\ud800", "a string that is not valid Unicode"),
        (1 << 10000, "an int of more than 1024 bytes"),
        ([np.zeros((0, n)) for n in range(4097)], "a value with arrays of more than 4,096 shapes"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isascii() else "",
)
def test_what_cannot_cross_is_named(value, kind):
    with pytest.raises(UnsupportedType) as caught:
        encode(["in a list", value])
    assert str(caught.value) == kind


def test_a_value_that_contains_itself_cannot_cross():
    value = []
    value.append(value)
    with pytest.raises(UnsupportedType, match="contains itself"):
        encode(value)


def nested(depth):
    """Lists in lists."""
    value = 1
    for _ in range(depth):
        value = [value]
    return value


def doubled(times):
    """Few objects that stand for many: a list of twice the list before."""
    value = [1]
    for _ in range(times):
        value = [value, value]
    return value


@pytest.mark.parametrize(
    ("value", "bounds"),
    [
        (nested(40), Bounds()),
        (nested(100_000), Bounds()),
        (list(range(200)), Bounds(items=100)),
        (doubled(25), Bounds()),
        ("x" * 2000, Bounds(bytes=1000)),
        (np.zeros(1000), Bounds(bytes=1000)),
        (np.broadcast_to(1.0, (10**12,)), Bounds()),
    ],
    ids=["deep", "very deep", "many", "doubled", "long", "large", "broadcast"],
)
def test_bounds_hold_on_both_sides(value, bounds):
    with pytest.raises(UnsupportedType):
        encode(value, bounds)
    try:
        message, _ = encode(value, Bounds(2**50, 10**9, 50))
    except UnsupportedType:
        return
    with pytest.raises(WireError):
        decode(message, bounds)


# ---------------------------------------------------------------- the answer


def answer(question, act):
    """Send a question, let the other side act on it, and bring the answer back."""
    message, sent = encode(question)
    there, received = decode(message)
    result = act(there)
    reply, _ = encode((result, there), known=received)
    (result, back), _ = decode(reply, known=sent)
    assert back is question
    return result


def test_changes_in_place_come_back():
    x, p = np.zeros((2, 3)), {"W": [1, 2]}
    view = x[0]

    def act(there):
        there[0][0, 1] = 5
        there[1]["W"].append(there[0])
        there[1]["new"] = 1

    answer((x, p), act)
    assert view[1] == 5
    assert p == {"W": [1, 2, x], "new": 1}
    assert p["W"][2] is x


def test_results_that_are_views_of_arguments_are_views_of_our_arguments():
    x = np.arange(6.0).reshape(2, 3)
    result = answer((x,), lambda there: [there[0], there[0].T, there[0][1:], there[0] + 0])
    assert result[0] is x
    assert [np.shares_memory(part, x) for part in result] == [True, True, True, False]
    assert (result[1] == x.T).all()


def test_arguments_with_gaps_are_changed_and_lend_no_memory_between():
    table = np.arange(8.0).reshape(4, 2)

    def act(there):
        there[0][1] = -1
        whole = np.lib.stride_tricks.as_strided(there[0], (7,), (8,))
        return [there[0][:2], whole]

    column, whole = answer((table[:, 0],), act)
    assert table.tolist() == [[0, 1], [-1, 3], [4, 5], [6, 7]]
    assert whole.tolist() == [0, 0, -1, 0, 4, 0, 6]
    assert column.tolist() == [0, -1]


def test_locked_arguments_stay():
    x = np.zeros(2)
    x.flags.writeable = False

    def act(there):
        there[0].flags.writeable = True
        there[0][0] = 1

    answer((x,), act)
    assert x[0] == 0


# -------------------------------------------------------------------- damage

SAMPLES = [
    encode(value)[0]
    for value in (
        {"a": np.arange(6.0).reshape(2, 3), "b": [1, "text", None, True], 3: (1.5, 2j, b"x")},
        [np.ones((2, 2), bool), np.float32(2), np.zeros((0, 3)), {("k", 1): 2**70}],
        [[1], [[2, [3]]]] * 2,
    )
]


def refused_or_sound(message, known=None):
    """Read a message; it is refused in one line, or read as a value that can cross."""
    try:
        value, _ = decode(message, Bounds(10_000, 1000, 10), known)
    except WireError as error:
        assert len(str(error).splitlines()) == 1
    else:
        encode(value, Bounds(100_000, 10_000, 20))


@given(st.sampled_from(SAMPLES), st.lists(st.tuples(st.integers(0), st.binary(min_size=1,
       max_size=8)), min_size=1, max_size=3))  # fmt: skip
@settings(max_examples=500, deadline=None)
def test_changed_bytes_are_refused_or_sound(message, changes):
    message = bytearray(message)
    for place, data in changes:
        place %= len(message)
        message[place : place + len(data)] = data
    refused_or_sound(message)


@pytest.mark.parametrize("message", SAMPLES)
def test_every_single_byte_and_every_cut_is_refused_or_sound(message):
    for place in range(len(message)):
        with pytest.raises(WireError):
            decode(message[:place])
        for byte in (0, 1, 0x7F, 0xFF, message[place] ^ 1):
            refused_or_sound(message[:place] + bytes([byte]) + message[place + 1 :])
    with pytest.raises(WireError):
        decode(message + b"N")


def built(tags=b"", numbers=(), data=b"", changed=0, blocks=0, layouts=0):
    """A message with these columns."""
    header = wire.HEADER.pack(wire.MAGIC, len(numbers), len(tags), changed, blocks, layouts)
    return header + np.array(numbers, np.uint64).tobytes() + tags + data


counts = st.integers(0, 4) | st.integers(0, 2**64 - 1)


@given(st.binary(max_size=200), st.lists(counts, max_size=30), st.lists(counts, max_size=3))
@settings(max_examples=500, deadline=None)
def test_random_bytes_are_refused(data, numbers, rest):
    refused_or_sound(data)
    refused_or_sound(wire.MAGIC + data)
    refused_or_sound(built(data, numbers, data, *rest))
    tags = bytes(b"N+-ircsbnaA@ltdLTD"[byte % 18] for byte in data)
    refused_or_sound(built(tags, numbers, data))
    refused_or_sound(built(tags, numbers, data, *rest))


def test_a_damaged_answer_changes_nothing():
    question = [np.zeros(3), [1, 2], {"a": (1, [2])}]
    message, sent = encode(question)
    there, received = decode(message)
    there[0][0] = 9
    there[1].append(3)
    there[2]["b"] = there[2]["a"]
    reply, _ = encode(there, known=received)
    for place in range(len(reply)):
        with pytest.raises(WireError):
            decode(reply[:place], known=sent)
        assert same(question, [np.zeros(3), [1, 2], {"a": (1, [2])}])
    assert decode(reply, known=sent)[0] is question
    for place in range(len(reply)):
        refused_or_sound(reply[:place] + b"\xff" + reply[place + 1 :], sent)


FLOATS = wire.DTYPES.index(np.dtype("<f8"))


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (built(b"l", [2**63]), "too many items"),
        (built(b"lNNN", [4]), "cut short"),
        (built(b"d" + b"N" * 10, [2**40]), "too many items"),
        (built(b"s", [2**62], b"x"), "cut short"),
        (built(b"b", [2**62], b"x"), "cut short"),
        (built(b"s"), "cut short"),
        (built(b"r", [], bytes(7)), "cut short"),
        (built(b"i", [5000], bytes(5000)), "size that is too large"),
        (built(b"s", [2], b"\xff\xfe"), "not UTF-8"),
        (built(b"@", [0]), "object that is not there"),
        (built(b"l@", [1, 0]), "object that is not there"),
        (built(b"A", [0]), "object that is not there"),
        (built(b"L", [0, 0]), "object that is not there"),
        (built(b"?"), "unknown tag"),
        (built(b"dlN", [1, 0]), "key that cannot be one"),
        (built(b"dNNNN", [2]), "key twice"),
        (built(b"n\x00", [], b"\x02"), "truth value"),
        (built(b"n\x63", [], bytes(8)), "unknown type"),
        (built(b"a", [FLOATS, 1, 2, 2**40, 2**40, 0, 0, 0, 0, 0], layouts=1), "too large"),
        (built(b"a", [FLOATS, 1, 1, 1, 8, 0, 0, 0], layouts=1), "memory that is not there"),
        (built(b"a", [FLOATS, 1, 0, 1, 0, 0], layouts=1), "layout that is not there"),
        (built(b"a", [0, 0, 0]), "layout that is not there"),
        (built(b"a", [FLOATS, 1, 33, *[1] * 33, *[8] * 33, 0, 0, 0], layouts=1), "cannot be one"),
        (built(b"a", [FLOATS, 2, 0, 0, 0, 0], layouts=1), "cannot be one"),
        (built(b"a", [FLOATS, 1, 2, 0, 2**63, 0, 0, 0, 0, 0], layouts=1), "cannot be one"),
        (built(b"a", [99, 1, 0, 0, 0, 0], layouts=1), "unknown type"),
        (built(b"N", [FLOATS, 1, 2, 3, 4, 5], layouts=1), "cut short"),
        (built(b"N", changed=2**60), "number that is too large"),
        (built(b"N", blocks=2**60), "number that is too large"),
        (built(b"N", layouts=4097), "number that is too large"),
        (built(b"N", changed=1), "cut short"),
        (built(b"N", [0], changed=1), "memory that is not there"),
        (built(b"N", [2**62], blocks=1), "cut short"),
        (built(b"N", [8], bytes(8), blocks=1), "memory that nothing uses"),
        (built(b"N", [0]), "goes on after its end"),
        (built(b"NN"), "goes on after its end"),
        (built(b"N", [], b"x"), "goes on after its end"),
        (wire.HEADER.pack(wire.MAGIC, 2**61, 1, 0, 0, 0) + b"N", "cut short"),
        (wire.HEADER.pack(wire.MAGIC, 0, 2**64 - 1, 0, 0, 0) + b"N", "cut short"),
        *[
            (
                built(b"a", [8, FLOATS, 1, 1, number, stride % 2**64, 0, 0, offset], bytes(8),
                      blocks=1, layouts=1),
                "leaves its memory",
            )
            for number, stride, offset in [(2, 8, 0), (1, 8, 2**64 - 8), (2, -8, 0), (1, 8, 1),
                                           (1, -8, 1), (2, 2**63 - 1, 0), (2, -(2**63), 0)]
        ],
    ],
)  # fmt: skip
def test_lies_about_sizes_are_refused_at_once(message, why):
    tracemalloc.start()
    start = time.perf_counter()
    with pytest.raises(WireError, match=why):
        decode(message)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20
    assert time.perf_counter() - start < 0.5


def test_many_lies_in_one_answer_are_refused():
    message, sent = encode([np.zeros(2), (1, 2), np.zeros(2)])
    decode(message)
    for reply, why in [
        (built(b"N", [0, 0], bytes(32), changed=2), "changes memory that is not there"),
        (built(b"N", [2], bytes(16), changed=1), "changes memory that is not there"),
        (built(b"N", [0], bytes(8), changed=1), "cut short"),
        (built(b"lTNNTNN", [2, 1, 2, 1, 2]), "describes an object twice"),
        (built(b"TN", [1, 1]), "length of a tuple"),
        (built(b"A", [1]), "object that is not there"),
        (built(b"A", [4]), "object that is not there"),
        (built(b"L", [0, 0]), "object that is not there"),
        (built(b"a", [FLOATS, 1, 1, 3, 8, 0, 0, 0], layouts=1), "leaves its memory"),
        (built(b"a", [FLOATS, 1, 1, 1, 8, 0, 2, 0], layouts=1), "memory that is not there"),
    ]:
        with pytest.raises(WireError, match=why):
            decode(reply, known=sent)
