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

from grading.rooms import Limits
from grading.rooms.room import layouts, wire
from grading.rooms.room.wire import Bounds, UnsupportedType, WireError

BOUNDS = Limits().messages._replace(items=1_000_000)  # some cases need more


def encode(value, bounds=BOUNDS, known=None):
    return wire.encode(value, bounds, known)


def decode(message, bounds=BOUNDS, known=None):
    return wire.decode(message, bounds, known)


def cross(value, bounds=BOUNDS):
    """Send a value to the other side."""
    return decode(encode(value, bounds)[0], bounds)[0]


def same(one, other):
    """Tell whether a value is like one that was sent, to the last bit, types included."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        flags = one.flags
        return (
            (one.dtype.str, one.shape, one.tobytes(), flags.writeable)
            == (other.dtype.str, other.shape, other.tobytes(), other.flags.writeable)
        ) and (flags.f_contiguous if other.flags.fnc else flags.c_contiguous)
    if isinstance(one, np.generic):
        return one.tobytes() == other.tobytes()
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return same(list(one.items()), list(other.items()))
    if isinstance(one, float):
        return struct.pack("d", one) == struct.pack("d", other)
    return repr(one) == repr(other)


texts = st.text(st.characters(exclude_categories=["Cs"]))


def arrays():
    """Arrays of all types, also Fortran order, strided, reversed and empty."""
    plain = st.sampled_from(sorted(layouts.NAMES)).flatmap(
        lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0))
    )
    rows = st.lists(st.lists(texts, min_size=2, max_size=2), max_size=3)
    plain |= rows.map(lambda table: np.array(table, str))
    views = [
        lambda a: a,
        lambda a: a.T,
        np.asfortranarray,
        lambda a: a[::-1] if a.ndim else a,
        lambda a: a[..., ::2] if a.ndim else a,
        lambda a: np.broadcast_to(a, (2, *a.shape)),
    ]
    return st.tuples(plain, st.sampled_from(views)).map(lambda pair: pair[1](pair[0]))


numbers = st.integers() | st.integers(-(2**300), 2**300) | st.floats() | st.complex_numbers()
scalars = arrays().filter(lambda a: a.size and a.dtype.kind != "U").map(lambda a: a.flat[0])
leaves = st.none() | st.booleans() | numbers | texts | st.binary() | scalars | arrays()
parts = texts | st.integers(1 - 2**60, 2**60 - 1) | st.booleans() | st.none() | st.binary()
keys = parts | st.floats() | st.lists(parts, max_size=3).map(tuple)
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
    for (one, here), (other, beside) in itertools.combinations(zip(there, value, strict=True), 2):
        assert (one is other) == (here is beside)
        assert one is other or not np.shares_memory(one, other)


@pytest.mark.parametrize("dtype", ["<f8", ">f8", "<f4", "<c16"])
def test_every_bit_of_what_is_no_number_arrives(dtype):
    array = np.frombuffer(np.random.default_rng(0).bytes(160), dtype).copy()
    array[:3].view(np.uint8)[:] = 0xFF
    array[:1].view(np.uint8)[[0, -1]] = 0x5A, 0x7F  # with a payload
    assert cross(array).tobytes() == array.tobytes()
    assert cross([array[0]])[0].tobytes() == array[0].tobytes()


def test_a_view_of_a_result_arrives_as_it_is_now():
    c, cache = np.zeros((2, 3, 4)), []
    for t in range(4):
        c[:, :, t] = t
        cache.append(c[:, :, t])
    message, _ = encode((c, cache))
    c[:] = -1
    there, views = decode(message)[0]
    assert there[0, 0].tolist() == [0, 1, 2, 3]
    assert [view.tolist() for view in views] == [[[t] * 3] * 2 for t in range(4)]


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


def test_subclasses_arrive_as_the_plain_kind():
    class Liar(list):
        __iter__ = lambda self: iter([0, 0, 0])  # noqa: E731
        __len__ = lambda self: 7  # noqa: E731
        __class__ = np.ndarray

    class Number(int):
        __repr__ = lambda self: "8"  # noqa: E731

    pair = collections.namedtuple("pair", "a b")
    assert same(cross([Liar([1, 2]), pair(1, 2), Number(5)]), [[1, 2], (1, 2), 5])
    assert same(cross(np.str_("x")), "x")
    assert same(cross(collections.OrderedDict(a=1)), {"a": 1})


class Hashed(str):
    """A string that lies about its hash."""

    __slots__ = ()
    __hash__ = lambda self: 1  # noqa: E731
    __eq__ = object.__eq__


@pytest.mark.filterwarnings("ignore:the matrix subclass")
@pytest.mark.parametrize(
    ("kind", "values"),
    {
        "a generator": [(i for i in range(3))],
        "a function": [len, cross],
        "a module": [np],
        "a set": [{1, 2}, frozenset()],
        "a zip object": [zip([1])],
        "a class": [object],
        "an object of type object": [object()],
        "an array of objects": [np.array([None])],
        "an array of strings": [np.array(["x"], np.dtypes.StringDType())],
        "an array of str32": [np.array(["x"], ">U1")],
        "an array of records": [np.ones(1, [("x", "f8")])],
        "a matrix (numpy.matrix)": [np.ones((1, 1)).view(np.matrix)],
        "a masked array": [np.ma.masked_array([1])],
        "an array of float128": [np.ones(1, np.longdouble)],
        "an object of type longdouble": [np.longdouble(1)],
        "a dict with a key of type int": [{2**60: 1}, {-(2**60): 1}],
        "a dict with a key of type complex": [{1j: 1}],
        "a dict with a key of type int64": [{np.int64(1): 1}],
        "a dict with a key of type float64": [{np.float64(1): 1}],
        "a dict with a key of type tuple": [{(1, 2**60): 1}, {(1, (2,)): 1}, {(1j,): 1}],
        "a dict with a key of type Hashed": [{Hashed("x"): 1}],
        "a string that is not valid Unicode": ["\ud800", np.array(["\ud800"])],
        "an int too long to print": [1 << 20000],
    }.items(),
)
def test_what_cannot_cross_is_named(kind, values):
    for value in values:
        with pytest.raises(UnsupportedType) as caught:
            encode(["in a list", value])
        assert str(caught.value) == kind


def test_a_value_that_contains_itself_cannot_cross():
    there, received = decode(encode([[]])[0])
    there[0].append(there)
    for known in (None, received):
        with pytest.raises(UnsupportedType, match="a list that contains itself"):
            encode(there, known=known)


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
    """A list of lists, of which each holds the one before."""
    value = [[]]
    for _ in range(length):
        value.append([value[-1]])
    return value


@pytest.mark.parametrize(
    ("value", "bounds"),
    [
        *[(nested(33), {}), (nested(100_000), {}), (chained(33), {})],
        *[(doubled(25), {}), (doubled(18, 10**4000), {}), (doubled(14, np.zeros(5000)), {})],
        *[(doubled(14, "x" * 40_000), {}), (doubled(14, b"x" * 40_000), {})],
        *[(list(range(200)), {"items": 100}), ("x" * 25_600, {"items": 100})],
        *[("x" * 2000, {"bytes": 1000}), (np.zeros(1000), {"bytes": 1000})],
        *[(np.zeros((0, 2**40)), {}), (np.broadcast_to(1.0, (10**15,)), {})],
        *[(dict.fromkeys(range(5000)), {}), (dict.fromkeys(map(float, range(5000))), {})],
        *[({tuple(range(5000)): 0}, {}), (dict.fromkeys((i, i) for i in range(1025)), {})],
        ([{i: 0} for i in range(5000)], {}),
    ],
)
def test_bounds_hold_on_both_sides(value, bounds, monkeypatch):
    with pytest.raises(UnsupportedType):
        encode(value, BOUNDS._replace(**bounds))
    monkeypatch.setattr(wire, "MAX_KEYS", 10**9)
    try:
        message, _ = encode(value, Bounds(2**49, 2**60, 50))
    except UnsupportedType:
        return
    monkeypatch.undo()
    with pytest.raises(WireError):
        decode(message, BOUNDS._replace(**bounds))


def test_what_is_just_within_bounds_crosses():
    for value in ["x" * 25_000, list(range(99))]:
        assert same(cross(value, BOUNDS._replace(items=100)), value)
    many = {**dict.fromkeys(range(2048)), **dict.fromkeys((str(i), i) for i in range(512))}
    for value in [nested(32), nested(30, chained(0)), dict.fromkeys(map(str, range(50_000))), many]:
        assert same(cross(value), value)


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
    x, p = np.zeros((2, 3)), {"W": [1, 2], "b": np.zeros(1)}
    view, b = x[0], p["b"]

    def act(there):
        there[0][0, 1] = 5
        there[1]["W"].append(there[0])
        there[1]["new"] = 1
        there[1].pop("b")[0] = 7  # the answer does not hold it

    answer((x, p), act)
    assert view[1] == 5
    assert p == {"W": [1, 2, x], "new": 1}
    assert p["W"][2] is x
    assert b[0] == 7


def test_subclasses_in_a_question_stay_what_they_are():
    pair = collections.namedtuple("pair", "a b")
    question = collections.OrderedDict(a=pair([1], 2))
    inner = question["a"]
    answer(question, lambda there: there["a"][0].append(3) or there.update(b=4))
    assert question["a"] is inner
    assert question == {"a": pair([1, 3], 2), "b": 4}


def test_results_that_are_views_of_arguments_are_views_of_our_arguments():
    x = np.arange(6.0).reshape(2, 3)

    def views(x):
        return [x.T, x[1:], x[::-1, ::2], x[1, 1, ...]]

    def others(x):
        return [x + 0, x.view(np.int64), x[:0]]

    result = answer((x,), lambda there: [there[0], *views(there[0]), *others(there[0])])
    assert result[0] is x
    assert [np.shares_memory(part, x) for part in result] == [True] * 5 + [False] * 3
    assert all(map(np.array_equal, result[1:], views(x) + others(x)))
    assert [part.strides for part in result[1:5]] == [part.strides for part in views(x)]


@pytest.mark.parametrize("order", "CF")
def test_views_in_a_cache_show_what_became_of_the_argument(order):
    x = np.array(np.arange(24.0).reshape(2, 3, 4), order=order)

    def act(there):
        views = [there[0][:, :, t] for t in range(4)]
        there[0][:, :, 1] = -1
        views[2].flags.writeable = False
        return views

    views = answer((x,), act)
    x[:, :, 2] = 7
    assert [view[0, 0] for view in views] == [0, -1, 7, 3]
    assert [view.flags.writeable for view in views] == [True, True, False, True]


def test_a_view_and_its_array_in_one_question_show_here_what_was_done_to_either():
    x, y = np.zeros((2, 3)), np.zeros((2, 3))

    def act(there):
        there[0][0] = 1  # an array, whose view follows
        there[3][:] = 2  # a view, whose array stands before
        return there[1].sum(), there[2].sum()

    assert answer([x, x[0], y, y[1]], act) == (0, 0)
    assert x.tolist() == [[1, 1, 1], [0, 0, 0]]
    assert y.tolist() == [[0, 0, 0], [2, 2, 2]]


def test_arguments_with_gaps_are_changed_and_lend_no_memory_between():
    table = np.arange(8.0).reshape(4, 2)

    def act(there):
        there[0][1] = -1
        return [there[0][:2], there[0], there[0].flags.owndata]

    part, column, apart = answer((table[:, 0],), act)
    assert table.tolist() == [[0, 1], [-1, 3], [4, 5], [6, 7]]
    assert part.tolist() == [0, -1]
    assert apart
    assert np.shares_memory(column, table)
    assert not np.shares_memory(part, table)


def test_an_argument_laid_out_anew_arrives_as_it_is():
    question = tuple(np.zeros(shape) for shape in [(2, 3), 4, 2, 3])

    def act(there):
        there[0].shape = (6,)
        there[0][4] = 1
        there[1].dtype = np.int64
        there[2].flags.writeable = False
        there[3].resize((4,), refcheck=False)
        return [*there, there[0], there[0][:3]]

    one, two, three, four, again, part = answer(question, act)
    assert one.tolist() == [0, 0, 0, 0, 1, 0]
    assert again is one
    assert question[0].tolist() == [[0, 0, 0], [0, 1, 0]]
    assert (two.dtype, four.shape, part.shape) == (np.int64, (4,), (3,))
    assert (three.flags.writeable, question[2].flags.writeable) == (False, True)


def test_locked_arguments_stay():
    x = np.zeros(2)
    x.flags.writeable = False

    def act(there):
        there[0].flags.writeable = True
        there[0][0] = 1

    answer((x,), act)
    assert x[0] == 0


def test_an_answer_that_does_not_refer_to_its_question_is_read_by_itself():
    question, there = [[1], np.zeros(2)], [[5], np.ones(3)]
    _, sent = encode(question)
    value, _ = decode(encode([*there, there[0]])[0], known=sent)
    assert same(value, [*there, there[0]])
    assert value[2] is value[0]
    assert same(question, [[1], np.zeros(2)])


# -------------------------------------------------------------------- damage

SAMPLES = [
    encode(value)[0]
    for value in (
        {"a": np.arange(6.0).reshape(2, 3), "b": [1, "text", None, True], 3: (1.5, 2j, b"x")},
        [np.ones((2, 2), bool), np.float32(2), np.zeros((0, 3)), {("k", 1): 2**70}],
        [[1], [[2, [3]]]] * 2,
        [np.array(["ab", "ä"])],
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


def built(steps, data=b"", known=0, count=None):
    """A message: each step a tag and a number, in a text."""
    steps = [int(step[1:]) << 8 | ord(step[0]) for step in steps.split()]
    header = wire.HEADER.pack(wire.MAGIC, known, len(steps) if count is None else count)
    return header + struct.pack(f"<{len(steps)}Q", *steps) + data


def head(*shape, dtype="<f8"):
    """The head of an array."""
    return struct.pack(f"<4sB{len(shape)}Q", dtype.encode(), 7, *shape)


def view(number, start, length, stride, dtype="<f8"):
    """What says where a view lies."""
    return head(length, dtype=dtype) + struct.pack("<Qqq", number, start, stride)


NONE = b"None"
NO_TEXTS = (b"\0\0\x11\0", b"\0\xd8\0\0", b"\xff" * 4)  # too large, half a pair
tags = st.sampled_from("Nirsbcn@=avltd")
small = st.integers(0, 4) | st.integers(0, 30) | st.integers(0, 2**56 - 1)


@given(st.binary(max_size=200), st.lists(st.tuples(tags, small), max_size=30))
@settings(max_examples=500, deadline=None)
def test_random_bytes_are_refused(data, steps):
    refused_or_sound(data)
    refused_or_sound(wire.MAGIC + data)
    for its_data in (data, NONE * 50):
        refused_or_sound(built(" ".join(f"{tag}{number}" for tag, number in steps), its_data))


@given(st.lists(st.sampled_from(["N4", *[f"{tag}{n}" for tag in "@=ltd" for n in range(6)]])))
@settings(max_examples=500, deadline=None)
def test_random_changes_of_a_question_are_refused_or_sound(steps):
    question = [[1], {"a": (1, [2])}, np.zeros(1)]
    _, sent = encode(question)
    refused_or_sound(built(" ".join(steps), NONE * steps.count("N4"), 6), sent)
    encode(question)  # it does not hold itself


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


@contextlib.contextmanager
def in_little_time():
    """Let the block take no more than this machine takes now to count to sixty million."""
    start = time.process_time()
    for _ in range(2 * 10**5):
        pass
    counted = time.process_time()
    yield
    assert time.process_time() - counted < 300 * (counted - start)


def refusal(message, known=None, items=100_000):
    """Read a message, which takes little time and memory; return why it is refused."""
    why = ""
    with in_little_time(), contextlib.suppress(WireError):
        decode(message, BOUNDS._replace(items=items), known)
    tracemalloc.start()
    try:
        decode(message, BOUNDS._replace(items=items), known)
    except WireError as error:
        why = str(error)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**22 + 10 * len(message)
    return why


@pytest.mark.parametrize(
    ("why", "messages"),
    {
        "does not begin as one": [b"room2\n" + SAMPLES[0][6:], built("N4", NONE, known=1)],
        "more than 100,000 items": [built("", count=2**56), built("a13", head(2**40)),
                                    built("a21", head(0, 2**40)), built("a21", head(0, 2**63))],
        "more than 64 MB": [built("N4", NONE + bytes(2**26))],
        "cut short": [b"", SAMPLES[0][:20], built("", count=3), built(f"s{2**55}", b"x"),
                      built(f"b{2**55}", b"x"), built("b2", b"x"), built("a13", head(1))],
        "goes on after its end": [built("N4", NONE + b"!")],
        "values that are not there": [built("l1"), built(f"l{2**55}")],
        "key of type list": [built("l0 @0 d2")],
        "key of type tuple": [built("t0 t1 N4 d2", NONE)],
        "key of type int": [built("i19 N4 d2", b"%dNone" % 2**60)],
        "key of type int64": [built("n12 N4 d2", b"<i8\0" + bytes(8) + NONE)],
        "key twice": [built("N4 N4 N4 N4 d4", 4 * NONE)],
        "truth value": [built("a5", head(dtype="|b1") + b"\2")],
        "what cannot be": [
            *[built(""), built("N4 N4", NONE * 2), built("N4", b"Nine"), built("?0"), built("@0")],
            *[built(f"@{2**55}"), built("=0 l0"), built("l0 =0"), built("N4 N4 N4 d3", NONE * 3)],
            *[built("r7", bytes(7)), built("i5000", b"1" * 5000), built("i0"), built("c1", b"?")],
            *[built("s2", b"\xff\xfe"), built("s3", b"\xed\xa0\x80"), built("n0"),
              built("n5", b"|b1\0\2"), built("n4", b"<f8\0"), built("n13", b"<f8\0" + bytes(9)),
              built("n12", b"<x8\0" + bytes(8)), built("a6", head() + bytes(9)),
              built("a5", head(dtype="|O") + bytes(8)), built(f"a{2**20}", bytes(2**20)),
              built(f"a{5 + 8 * 65}", head(*[1] * 65) + bytes(8)),
              built(f"a{5 + 8 * 66}", head(*[1] * 66, dtype="<U") + bytes(4)),
              *[built("a21", head(1, n, dtype="<U") + bytes(4)) for n in (0, 2**29, 2**63)],
              *[built("a21", head(1, 1, dtype="<U") + code) for code in NO_TEXTS],
              built("a5", head(dtype="<U") + bytes(4)),
              built(f"a{5 + 8 * 10**5}", head(*[2**63] * 10**5))],
            *[built("v13", view(0, 0, 1, 8)), built("l0 v13 l2", view(0, 0, 1, 8))],
        ],
    }.items(),
)  # fmt: skip
def test_lies_are_refused_at_once(why, messages):
    for message in messages:
        assert why in refusal(message)


def said(steps, data=b""):
    """An answer to the question below."""
    return built(steps, data, 5)


@pytest.mark.parametrize(
    ("why", "messages"),
    {
        "does not begin as one": [built("@1", known=4), built("@1", known=6)],
        "does not describe": [said("@1"), said("@3"), said("@1 l1 =1 @1")],
        "a change that cannot be": [
            *[said("l0 =1 l0 =1 @1"), said("l0 =0 @0"), said("t0 =1 @1"), said("d0 =1 @1")],
            *[said("N4 =1 @1", NONE), said("l0 t1 =3 @3"), said("N4 t1 =3 @3", NONE)],
            *[said("a13 =0 @0", head(3) + bytes(24)), said("a21 =0 @0", head(1, 2) + bytes(16)),
              said("a13 =0 @0", head(2, dtype="<i8") + bytes(16)), said("l0 =3 @3"),
              said("a13 =1 @1", head(2) + bytes(16)), said("t0 =0 @0"), said("l0 =2 @2")],
        ],
        "a view of what has none": [said("v13", view(1, 0, 1, 8)), said("v13", view(2, 0, 1, 8)),
                                    said("v13", view(0, 0, 1, 8, dtype="<i8"))],
        "leaves its memory": [
            said("v13", view(0, start, length, stride))
            for length, stride, start in [(3, 8, 0), (1, 8, 16), (1, 8, -8), (2, -8, 0), (2, 8, 9),
                                          (2, 2**62, 0), (5, 2**62, 0), (2, -(2**63), 0)]
        ],
        "more than 100,000 items": [said("v13", view(0, 0, 2**40, 0))],
        "cut short": [said("v13", view(0, 0, 1, 8)[:-1])],
        "what cannot be": [said("@9"), said("l0 =9 @9"), said("t0 =3 @3"), built("@1"),
                           said("v13", view(9, 0, 1, 8)), said("v13", view(2**64 - 1, 0, 1, 8))],
    }.items(),
)  # fmt: skip
def test_lies_about_a_question_are_refused_and_change_nothing(why, messages):
    question = [np.zeros(2), [1], np.zeros((2, 2))[:, 0]]
    question.append((question[1],))  # their numbers: 0, 1, 2, 3
    _, sent = encode(question)
    for message in messages:
        assert why in refusal(message, sent)
        assert repr(question[:2] + question[3:]) == "[array([0., 0.]), [1], ([1],)]"


def test_a_view_of_texts_is_none_so_that_no_text_begins_in_a_letter():
    question = [np.array(["ab", "cd"])]
    lie = struct.pack("<Qqq", 0, 1, 4)
    assert "a view of what has none" in refusal(
        built("v21", head(1, 1, dtype="<U") + lie, 2), encode(question)[1]
    )
    result = answer(question, lambda there: there[0].__setitem__(0, "xy") or there[0][::-1])
    assert (question[0].tolist(), result.tolist()) == (["xy", "cd"], ["cd", "xy"])


# ------------------------------------------------------------------- attacks


def test_a_tuple_of_the_question_counts_for_what_it_holds():
    _, sent = encode((np.zeros(3200), "x" * 25_600))
    message = built("N4 N4 t2 =1 " + "@1 " * 10 + "l10", NONE * 2, 2)
    assert not refusal(message, sent)
    assert "items" in refusal(message, sent, items=1000)


def test_keys_of_one_hash_cost_no_time(monkeypatch):
    few, many = (list(itertools.product((-1, -2), repeat=n)) for n in (8, 13))
    assert len({hash(key) for key in many}) == 1  # that of -1 is -2
    values = dict.fromkeys(few), dict.fromkeys(many), [{key: 0} for key in many[:1000]]
    monkeypatch.setattr(wire, "MAX_KEYS", 10**9)
    messages = [encode(value)[0] for value in values]
    monkeypatch.undo()
    assert [bool(refusal(message)) for message in messages] == [False, True, True]
    with in_little_time(), pytest.raises(UnsupportedType, match="Hashed"):
        encode(dict.fromkeys(map(Hashed, map(str, range(1000)))))


def test_a_long_tuple_that_is_a_key_time_and_again_costs_no_time():
    long, data = "i1 " * 30_000 + "t30000 ", b"1" * 30_000 + NONE * 5000
    assert "no strings" in refusal(built(long + "@0 N4 d2 " * 5000, data))
    assert "items" in refusal(built(long + "@0 " * 5000 + "N4 " * 5000 + "d10000", data))


def test_many_steps_and_many_references_cost_no_time():
    for steps in (
        "@0 " * 29_998 + "l29999",
        "@0 l1 " * 14_999,
        "".join(f"@{n} l1 " for n in range(14_999)),
        "".join(f"@{n} @{n} l2 " for n in range(14_999)),
        "l0 " * 30_000,
    ):
        assert refusal(built(f"l0 {steps} @0"))


def test_many_views_of_one_array_cost_no_memory():
    _, sent = encode([np.zeros(2**20)])
    steps = "v13 " * 5000 + "l5000"
    assert not refusal(built(steps, view(0, 0, 1, 8) * 5000, 2), sent)
    assert refusal(built(steps, view(0, 0, 2**15, 0) * 5000, 2), sent)
