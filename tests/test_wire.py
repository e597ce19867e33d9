"""The plain-data format: what may cross arrives as it was, what is damaged is refused."""

from __future__ import annotations

import collections
import contextlib
import itertools
import struct
import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from grading.rooms.room import wire
from grading.rooms.room.wire import Bounds, UnsupportedType, WireError, decode, encode

TYPES = sorted(wire.NAMES)


def cross(value, bounds=wire.BOUNDS):
    """Send a value to the other side."""
    return decode(encode(value, bounds)[0], bounds)[0]


def same(one, other):
    """Tell whether a value is like another one that was sent, to the last bit, types included."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return (
            one.dtype.str == other.dtype.str
            and one.shape == other.shape
            and one.tobytes() == other.tobytes()
            and one.flags.writeable == other.flags.writeable
            and (one.flags.f_contiguous if other.flags.fnc else one.flags.c_contiguous)
        )
    if isinstance(one, np.generic):
        return one.tobytes() == other.tobytes()
    if isinstance(one, float):
        return struct.pack("d", one) == struct.pack("d", other)
    if isinstance(one, complex):
        return repr(one) == repr(other)
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
key_parts = texts | st.integers(1 - 2**60, 2**60 - 1) | st.booleans() | st.none() | st.binary()
keys = key_parts | st.floats() | st.lists(key_parts, max_size=3).map(tuple)
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
def test_every_array_arrives_once_and_in_memory_of_its_own(given_arrays, data):
    chosen = data.draw(st.lists(st.sampled_from(given_arrays), min_size=2, max_size=6))
    value = [a[..., 1:] if a.ndim and data.draw(st.booleans()) else a for a in chosen]
    there = cross(value)
    assert all(array.flags.owndata for array in there)
    for i, one in enumerate(value):
        for j, other in enumerate(value):
            assert (there[i] is there[j]) == (one is other)
            if one is not other:
                assert not np.shares_memory(there[i], there[j])


@pytest.mark.parametrize("dtype", ["<f8", ">f8", "<f4", "<c16"])
def test_every_bit_of_a_number_that_is_none_arrives(dtype):
    array = np.frombuffer(np.random.default_rng(0).bytes(160), dtype).copy()
    array[:3].view(np.uint8)[:] = 0xFF  # not a number, with a payload
    array[0:1].view(np.uint8)[0] = 0x5A
    assert cross(array).tobytes() == array.tobytes()
    assert cross([array[0]])[0].tobytes() == array[0].tobytes()


def test_a_view_of_a_result_arrives_as_it_is_now():
    c = np.zeros((2, 3, 4))
    cache = []
    for t in range(4):
        c[:, :, t] = t
        cache.append(c[:, :, t])
    message, _ = encode((c, cache))
    c[:] = -1
    there, views = decode(message)[0]
    assert there[0, 0].tolist() == [0, 1, 2, 3]
    assert [view.tolist() for view in views] == [[[t] * 3] * 2 for t in range(4)]
    assert [view.shape for view in views] == [(2, 3)] * 4


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

        def __len__(self):
            return 7

        @property
        def __class__(self):
            return np.ndarray

    class Number(int):
        def __repr__(self):
            return "8"

    pair = collections.namedtuple("pair", "a b")
    assert same(cross([Liar([1, 2]), pair(1, 2)]), [[1, 2], (1, 2)])
    assert same(cross(collections.OrderedDict(a=1)), {"a": 1})
    assert same(cross([Number(5)]), [5])


class Hashed(str):
    """A string that lies about its hash."""

    __slots__ = ()

    def __hash__(self):
        return 1

    def __eq__(self, other):
        return self is other


@pytest.mark.filterwarnings("ignore:the matrix subclass")
@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ((i for i in range(3)), "a generator"),
        (len, "a function"),
        (cross, "a function"),
        (np, "a module"),
        ({1, 2}, "a set"),
        (zip([1]), "a zip object"),
        (object, "a class"),
        (object(), "an object of type object"),
        (np.array([None]), "an array of objects"),
        (np.array(["x"]), "an array of strings"),
        (np.array(["x"], np.dtypes.StringDType()), "an array of strings"),
        (np.ones(1, [("x", "f8")]), "an array of records"),
        (np.ones((1, 1)).view(np.matrix), "a matrix (numpy.matrix)"),
        (np.ma.masked_array([1]), "a masked array"),
        (np.ones(1, np.longdouble), "an array of float128"),
        (np.longdouble(1), "an object of type longdouble"),
        (np.str_("x"), "an object of type str_"),
        ({2**60: 1}, "a dict with a key of type int"),
        ({-(2**60): 1}, "a dict with a key of type int"),
        ({1j: 1}, "a dict with a key of type complex"),
        ({np.int64(1): 1}, "a dict with a key of type int64"),
        ({np.float64(1): 1}, "a dict with a key of type float64"),
        ({(1, 2**60): 1}, "a dict with a key of type tuple"),
        ({(1, (2,)): 1}, "a dict with a key of type tuple"),
        ({Hashed("x"): 1}, "a dict with a key of type Hashed"),
        ("\ud800", "a string that is not valid Unicode"),
        (1 << 20000, "an int too long to print"),
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
    message, _ = encode([[]])
    there, received = decode(message)
    there[0].append(there)
    with pytest.raises(UnsupportedType, match="contains itself"):
        encode(there, known=received)


def nested(depth, value=1):
    """Lists in lists."""
    for _ in range(depth):
        value = [value]
    return value


def doubled(times, value=1):
    """Few objects that stand for many: a list of twice the list before."""
    value = [value]
    for _ in range(times):
        value = [value, value]
    return value


def chained(length):
    """A short list of lists, of which each holds the one before."""
    value = [[]]
    for _ in range(length):
        value.append([value[-1]])
    return value


@pytest.mark.parametrize(
    ("value", "bounds"),
    [
        (nested(33), Bounds()),
        (nested(100_000), Bounds()),
        (chained(33), Bounds()),
        (list(range(200)), Bounds(items=100)),
        (doubled(25), Bounds()),
        (doubled(14, "x" * 40_000), Bounds()),
        (doubled(14, b"x" * 40_000), Bounds()),
        (doubled(14, np.zeros(5000)), Bounds()),
        (doubled(18, 10**4000), Bounds()),
        ("x" * 25_600, Bounds(items=100)),
        ("x" * 2000, Bounds(bytes=1000)),
        (np.zeros(1000), Bounds(bytes=1000)),
        (np.zeros((0, 2**40)), Bounds()),
        (np.broadcast_to(1.0, (10**15,)), Bounds()),
        (dict.fromkeys(range(5000)), Bounds()),
        (dict.fromkeys(map(float, range(5000))), Bounds()),
        (dict.fromkeys((i, i) for i in range(1025)), Bounds()),
        ([{i: 0} for i in range(5000)], Bounds()),
        ({tuple(range(5000)): 0}, Bounds()),
    ],
)
def test_bounds_hold_on_both_sides(value, bounds, monkeypatch):
    with pytest.raises(UnsupportedType):
        encode(value, bounds)
    monkeypatch.setattr(wire, "MAX_KEYS", 10**9)
    try:
        message, _ = encode(value, Bounds(2**50, 2**60, 50))
    except UnsupportedType:
        return
    monkeypatch.undo()
    with pytest.raises(WireError):
        decode(message, bounds)


def test_what_is_just_within_bounds_crosses():
    for value in (
        nested(32),
        nested(30, chained(0)),
        "x" * 25_000,
        list(range(99)),
        dict.fromkeys(map(str, range(50_000))),
        {**dict.fromkeys(range(2048)), **dict.fromkeys((str(i), i) for i in range(512))},
    ):
        bounds = Bounds(items=100) if len(value) in (99, 25_000) else Bounds()
        assert same(cross(value, bounds), value)


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


def test_changes_of_what_the_answer_does_not_hold_come_back():
    p = {"W": np.zeros(2), "b": np.zeros(1)}

    def act(there):
        there.pop("W")[0] = 1

    w = p["W"]
    answer(p, act)
    assert list(p) == ["b"]
    assert w.tolist() == [1, 0]


def test_subclasses_in_a_question_stay_what_they_are():
    pair = collections.namedtuple("pair", "a b")
    question = collections.OrderedDict(a=pair([1], 2))
    inner = question["a"]

    def act(there):
        there["a"][0].append(3)
        there["b"] = 4

    answer(question, act)
    assert question["a"] is inner
    assert question == {"a": pair([1, 3], 2), "b": 4}


def test_results_that_are_views_of_arguments_are_views_of_our_arguments():
    x = np.arange(6.0).reshape(2, 3)
    result = answer(
        (x,),
        lambda there: [
            there[0], there[0].T, there[0][1:], there[0][::-1, ::2], there[0][1, 1, ...],
            there[0] + 0, there[0].view(np.int64), there[0][:0],
        ],
    )  # fmt: skip
    assert result[0] is x
    assert [np.shares_memory(part, x) for part in result] == [True] * 5 + [False] * 3
    for part, right in zip(result, [x, x.T, x[1:], x[::-1, ::2], x[1, 1, ...]], strict=False):
        assert (part == right).all()
        assert part.strides == right.strides
    assert result[6].dtype == np.int64


@pytest.mark.parametrize("order", "CF")
def test_views_in_a_cache_show_what_became_of_the_argument(order):
    x = np.array(np.arange(24.0).reshape(2, 3, 4), order=order)

    def act(there):
        views = [there[0][:, :, t] for t in range(4)]
        there[0][:, :, 1] = -1
        views[2].flags.writeable = False
        return views

    views = answer((x,), act)
    assert (views[1] == -1).all()
    assert (views[3] == x[:, :, 3]).all()
    x[:, :, 2] = 7
    assert (views[2] == 7).all()
    assert [view.flags.writeable for view in views] == [True, True, False, True]


def test_a_view_and_its_array_in_one_question_show_here_what_was_done_to_either():
    x, y = np.zeros((2, 3)), np.zeros((2, 3))

    def act(there):
        there[0][0] = 1  # an array, whose view follows here
        there[3][:] = 2  # a view, whose array follows here
        return there[1].tolist(), there[2].tolist()

    there = answer([x, x[0], y, y[1]], act)
    assert there == ([0, 0, 0], [[0, 0, 0], [0, 0, 0]])
    assert x.tolist() == [[1, 1, 1], [0, 0, 0]]
    assert y.tolist() == [[0, 0, 0], [2, 2, 2]]


def test_arguments_with_gaps_are_changed_and_lend_no_memory_between():
    table = np.arange(8.0).reshape(4, 2)

    def act(there):
        assert there[0].flags.owndata
        there[0][1] = -1
        return [there[0][:2], there[0]]

    part, column = answer((table[:, 0],), act)
    assert table.tolist() == [[0, 1], [-1, 3], [4, 5], [6, 7]]
    assert part.tolist() == [0, -1]
    assert column.tolist() == [0, -1, 4, 6]
    assert np.shares_memory(column, table)
    assert not np.shares_memory(part, table)


def test_an_argument_given_another_shape_arrives_as_one_of_that_shape():
    x, y, z = np.zeros((2, 3)), np.zeros(4), np.zeros(2)

    def act(there):
        there[0].shape = (6,)
        there[0][4] = 1
        there[1].dtype = np.int64
        there[2].flags.writeable = False
        return [*there, there[0], there[0][:3]]

    one, two, three, again, part = answer((x, y, z), act)
    assert one.tolist() == [0, 0, 0, 0, 1, 0]
    assert again is one
    assert x.tolist() == [[0, 0, 0], [0, 1, 0]]
    assert two.dtype == np.int64
    assert not three.flags.writeable
    assert z.flags.writeable
    assert part.tolist() == [0, 0, 0]


def test_locked_arguments_stay():
    x = np.zeros(2)
    x.flags.writeable = False

    def act(there):
        there[0].flags.writeable = True
        there[0][0] = 1
        return there[0][1:]

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


def built(*steps, data=b"", count=None, known=0):
    """A message of these steps, each a tag and a number, or a tag alone."""
    numbers = [(step[1] if step[1:] else 0) << 8 | ord(step[0]) for step in steps]
    header = wire.HEADER.pack(wire.MAGIC, known, len(numbers) if count is None else count)
    return header + struct.pack(f"<{len(steps)}Q", *numbers) + data


def head(*shape, dtype="<f8", flags=7):
    """The head of an array."""
    return struct.pack(f"<4sB{len(shape)}Q", dtype.encode(), flags, *shape)


def view(number, start, shape, strides, dtype="<f8"):
    """What says where a view lies."""
    place = struct.pack(f"<Q{1 + len(strides)}q", number, start, *strides)
    return head(*shape, dtype=dtype) + place


tags = st.sampled_from("Nirsbcn@=avltd")
small = st.integers(0, 4) | st.integers(0, 30) | st.integers(0, 2**56 - 1)


@given(st.binary(max_size=200), st.lists(st.tuples(tags, small), max_size=30))
@settings(max_examples=500, deadline=None)
def test_random_bytes_are_refused(data, steps):
    refused_or_sound(data)
    refused_or_sound(wire.MAGIC + data)
    refused_or_sound(built(*steps, data=data))
    refused_or_sound(built(*steps, data=b"None" * 50))


@given(st.lists(st.tuples(st.sampled_from("@=ltdNi"), st.integers(0, 6)), max_size=20))
@settings(max_examples=500, deadline=None)
def test_random_changes_of_a_question_are_refused_or_sound(steps):
    question = [[1], {"a": (1, [2])}, np.zeros(1)]
    _, sent = encode(question)
    numbers = [(tag, 1 if tag == "i" else 4 if tag == "N" else number) for tag, number in steps]
    data = b"".join({"i": b"1", "N": b"None"}.get(tag, b"") for tag, _ in steps)
    refused_or_sound(built(*numbers, data=data, known=5), sent)
    encode(question)  # it does not hold itself


def test_an_answer_that_does_not_refer_to_its_question_is_read_by_itself():
    question = [[1], np.zeros(2)]
    _, sent = encode(question)
    there = [[5], np.ones(3)]
    message, _ = encode([*there, there[0]])
    value, _ = decode(message, known=sent)
    assert same(value, [*there, there[0]])
    assert value[2] is value[0]
    assert same(question, [[1], np.zeros(2)])


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


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (b"", "cut short"),
        (SAMPLES[0][:20], "cut short"),
        (built(), "cannot be"),
        (b"room2\n" + SAMPLES[0][6:], "does not begin as one"),
        (built(count=2**56), "items"),
        (built(count=3), "cut short"),
        (built(("N", 4), data=b"None" + bytes(2**26)), "more than 64 MB"),
        (built(("N", 4), data=b"None!"), "goes on after its end"),
        (built(("N", 4), ("N", 4), data=b"None" * 2), "cannot be"),
        (built(("N", 4), data=b"Nine"), "cannot be"),
        (built(("s", 2**55), data=b"x"), "cut short"),
        (built(("b", 2**55), data=b"x"), "cut short"),
        (built(("b", 2), data=b"x"), "cut short"),
        (built(("r", 7), data=bytes(7)), "cannot be"),
        (built(("i", 5000), data=b"1" * 5000), "cannot be"),
        (built(("i", 0)), "cannot be"),
        (built(("c", 1), data=b"?"), "cannot be"),
        (built(("s", 2), data=b"\xff\xfe"), "cannot be"),
        (built(("s", 3), data=b"\xed\xa0\x80"), "cannot be"),
        (built("?"), "cannot be"),
        (built("@"), "cannot be"),
        (built(("@", 2**55)), "cannot be"),
        (built("=", ("l", 0)), "cannot be"),
        (built(("l", 0), "="), "cannot be"),
        (built(("l", 1)), "values that are not there"),
        (built(("l", 2**55)), "values that are not there"),
        (built(("l", 0), "@", ("d", 2)), "key of type list"),
        (built(("t", 0), ("t", 1), ("N", 4), ("d", 2), data=b"None"), "key of type tuple"),
        (built(("n", 12), ("N", 4), ("d", 2), data=b"<i8\0" + bytes(8) + b"None"), "type int64"),
        (built(("i", 19), ("N", 4), ("d", 2), data=b"%dNone" % 2**60), "key of type int"),
        (built(*[("N", 4)] * 4, ("d", 4), data=b"None" * 4), "key twice"),
        (built(*[("N", 4)] * 3, ("d", 3), data=b"None" * 3), "cannot be"),
        (built(("n", 5), data=b"|b1\0\2"), "cannot be"),
        (built(("n", 4), data=b"<f8\0"), "cannot be"),
        (built(("n", 13), data=b"<f8\0" + bytes(9)), "cannot be"),
        (built(("n", 12), data=b"<x8\0" + bytes(8)), "cannot be"),
        (built(("n", 0)), "cannot be"),
        (built(("a", 13), data=head(1)), "cut short"),
        (built(("a", 13), data=head(2**40)), "items"),
        (built(("a", 21), data=head(0, 2**40)), "items"),
        (built(("a", 21), data=head(0, 2**63)), "items"),
        (built(("a", 5 + 8 * 65), data=head(*[1] * 65) + bytes(8)), "cannot be"),
        (built(("a", 2**20), data=bytes(2**20)), "cannot be"),
        (built(("a", 6), data=head() + bytes(9)), "cannot be"),
        (built(("a", 5), data=head(dtype="|O") + bytes(8)), "cannot be"),
        (built(("a", 5), data=head(dtype="|b1") + b"\2"), "truth value"),
        (built(("v", 13), data=view(0, 0, [1], [8])), "cannot be"),
        (built(("l", 0), ("v", 13), ("l", 2), data=view(0, 0, [1], [8])), "cannot be"),
    ],
)  # fmt: skip
def test_lies_are_refused_at_once(message, why):
    tracemalloc.start()
    start = time.perf_counter()
    with pytest.raises(WireError, match=why):
        decode(message)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20 + 2 * len(message)
    assert time.perf_counter() - start < 0.5


X, LIST, GAPS, TUPLE = 0, 1, 2, 3  # the numbers of objects of the question below


def said(*steps, data=b""):
    """A message about that question."""
    return built(*steps, data=data, known=5)


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (built(("@", LIST), known=4), "does not begin as one"),
        (built(("@", LIST)), "cannot be"),
        (said(("@", LIST)), "does not describe"),
        (said(("@", TUPLE)), "does not describe"),
        (said(("@", 9)), "cannot be"),
        (said(("l", 0), ("=", LIST), ("l", 0), ("=", LIST), ("@", LIST)), "change that cannot be"),
        (said(("l", 0), ("=", X), ("@", X)), "change that cannot be"),
        (said(("l", 0), ("=", 9), ("@", 9)), "cannot be"),
        (said(("t", 0), ("=", LIST), ("@", LIST)), "change that cannot be"),
        (said(("d", 0), ("=", LIST), ("@", LIST)), "change that cannot be"),
        (said(("N", 4), ("=", LIST), ("@", LIST), data=b"None"), "change that cannot be"),
        (said(("t", 0), ("=", TUPLE), ("@", TUPLE)), "cannot be"),
        (said(("l", 0), ("t", 1), ("=", TUPLE), ("@", TUPLE)), "change that cannot be"),
        (said(("N", 4), ("t", 1), ("=", TUPLE), ("@", TUPLE), data=b"None"), "change that cannot"),
        (said(("@", LIST), ("l", 1), ("=", LIST), ("@", LIST)), "does not describe"),
        (said(("a", 13), ("=", X), ("@", X), data=head(3) + bytes(24)), "change that cannot be"),
        (said(("a", 13), ("=", X), ("@", X), data=head(2, dtype="<i8") + bytes(16)), "cannot be"),
        (said(("a", 21), ("=", X), ("@", X), data=head(1, 2) + bytes(16)), "change that cannot"),
        (said(("v", 13), data=view(LIST, 0, [1], [8])), "view of what has none"),
        (said(("v", 13), data=view(9, 0, [1], [8])), "cannot be"),
        (said(("v", 13), data=view(2**64 - 1, 0, [1], [8])), "cannot be"),
        (said(("v", 13), data=view(GAPS, 0, [1], [8])), "view of what has none"),
        (said(("v", 13), data=view(X, 0, [1], [8], dtype="<i8")), "view of what has none"),
        (said(("v", 13), data=view(X, 0, [1], [8])[:-1]), "cut short"),
        *[
            (said(("v", 13), data=view(X, start, [number], [stride])), "leaves its memory")
            for number, stride, start in [(3, 8, 0), (1, 8, 16), (1, 8, -8), (2, -8, 0), (2, 8, 9),
                                          (2, 2**62, 0), (5, 2**62, 0), (2, -(2**63), 0),
                                          (0, 8, 0)]
        ],
        (said(("v", 13), data=view(X, 0, [2**40], [0])), "items"),
    ],
)  # fmt: skip
def test_lies_about_a_question_are_refused_and_change_nothing(message, why):
    question = [np.zeros(2), [1], np.zeros((2, 2))[:, 0]]
    question.append((question[1],))
    _, sent = encode(question)
    with pytest.raises(WireError, match=why):
        decode(message, known=sent)
    assert same(question[1:2] + question[3:], [[1], ([1],)])
    assert question[0].tolist() == [0, 0]


def test_a_tuple_of_the_question_counts_for_what_it_holds():
    _, sent = encode((np.zeros(3200), "x" * 25_600))
    told = [("N", 4), ("N", 4), ("t", 2), ("=", 1)]
    message = built(*told, *[("@", 1)] * 10, ("l", 10), data=b"None" * 2, known=2)
    decode(message, known=sent)
    with pytest.raises(WireError, match="items"):
        decode(message, Bounds(items=1000), known=sent)


# ------------------------------------------------------------------- attacks


def is_refused(message, known=None):
    """Read a message, which takes little time and memory; tell whether it is refused."""
    refused = False
    start = time.process_time()
    try:
        decode(message, Bounds(items=100_000), known)
    except WireError:
        refused = True
    assert time.process_time() - start < 0.5
    tracemalloc.start()
    with contextlib.suppress(WireError):
        decode(message, Bounds(items=100_000), known)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**24 + 10 * len(message)
    return refused


def pairs_of_one_hash(number):
    """Tuples of two ints that all have the hash of (5, 7)."""
    one, two, five, modulus = 11400714785074694791, 14029467366897019727, 2870177450012600261, 2**64

    def half(x):
        lane = (five + x * two) % modulus
        return ((lane << 31) | (lane >> 33)) % modulus * one % modulus

    found = []
    for x in itertools.count(5):
        y = (half(5) + 7 * two - half(x)) * pow(two, -1, modulus) % modulus
        y -= modulus if y >= modulus // 2 else 0
        if abs(y) < wire.MAX_KEY:
            found.append((x, y))
        if len(found) == number:
            return found


def test_keys_of_one_hash_cost_no_time(monkeypatch):
    pairs = pairs_of_one_hash(3000)
    assert len({hash(pair) for pair in pairs}) == 1
    values = dict.fromkeys(pairs[:1024]), dict.fromkeys(pairs), [{pair: 0} for pair in pairs]
    monkeypatch.setattr(wire, "MAX_KEYS", 10**9)
    messages = [encode(value)[0] for value in values]
    monkeypatch.undo()
    assert [is_refused(message) for message in messages] == [False, True, True]


def test_a_long_tuple_that_is_a_key_time_and_again_costs_no_time():
    long = [*[("i", 1)] * 30_000, ("t", 30_000)]
    for keys in (
        [("@", 0), ("N", 4), ("d", 2)] * 5000,
        [("@", 0)] * 5000 + [("N", 4)] * 5000 + [("d", 10_000)],
    ):
        assert is_refused(built(*long, *keys, data=b"1" * 30_000 + b"None" * 5000))


def test_a_dict_whose_keys_lie_about_their_hash_costs_no_time():
    value = dict.fromkeys(map(Hashed, map(str, range(1000))))
    start = time.perf_counter()
    with pytest.raises(UnsupportedType, match="Hashed"):
        encode(value)
    assert time.perf_counter() - start < 0.1


def test_many_steps_and_many_references_cost_no_time():
    for steps in (
        [("l", 0)] + [("@", 0)] * 29_998 + [("l", 29_999)],
        [("l", 0)] + [("@", 0), ("l", 1)] * 14_999,
        [("l", 0)] + [step for n in range(14_999) for step in (("@", n), ("l", 1))],
        [("l", 0)] + [step for n in range(9999) for step in (("@", n), ("@", n), ("l", 2))],
        [("l", 0)] * 30_000,
    ):
        assert is_refused(built(*steps, ("@", 0)))


def test_many_views_of_one_array_cost_no_memory():
    _, sent = encode([np.zeros(2**20)])
    message = built(*[("v", 13)] * 5000, ("l", 5000), data=view(0, 0, [1], [8]) * 5000,
                    known=2)  # fmt: skip
    assert not is_refused(message, sent)
    broad = built(*[("v", 13)] * 5000, ("l", 5000), data=view(0, 0, [2**15], [0]) * 5000,
                  known=2)  # fmt: skip
    assert is_refused(broad, sent)
