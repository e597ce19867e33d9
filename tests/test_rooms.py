"""The two rooms: what crosses, what a room may use, and what it can see."""

from __future__ import annotations

import builtins
import contextlib
import copy
import dataclasses
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import filelock
import numpy as np
import pytest
from conftest import start_process

from grading.__main__ import main
from grading.rooms import (
    CannotCross,
    Cell,
    IsolationUnavailable,
    Limits,
    Nursery,
    Room,
    RoomDied,
    RoomTimeout,
    StandIn,
    StudentError,
    packages,
    run_notebook,
    said,
    sandbox,
)
from grading.rooms.exceptions import Shown

LIMITS = Limits(
    memory_mb=256,
    room_mb=500,
    cpu_seconds=20,
    disk_mb=8,
    cell_seconds=60,  # a slow disk changes no result: what tests time itself sets less
    call_seconds=60,
    output_bytes=50_000,
)
CANARY = "canary-7c1f"
MODES = ("nested", "single", "unprotected")


@pytest.fixture(scope="module")
def nurseries(tmp_path_factory):
    """One nursery of each kind, started when it is first needed."""
    started = {}

    def get(mode):
        if mode not in started:
            try:
                started[mode] = Nursery(
                    LIMITS,
                    hidden=[Path(__file__).parents[1]],
                    unprotected=mode == "unprotected",
                    only=mode,
                )
            except IsolationUnavailable as problem:
                started[mode] = problem
        if isinstance(started[mode], IsolationUnavailable):
            pytest.skip(f"no {mode} rooms here: {started[mode]}")
        return started[mode]

    yield get
    for nursery in started.values():
        if isinstance(nursery, Nursery):
            nursery.close()


@pytest.fixture(scope="module")
def nursery(nurseries):
    """The best rooms to be had here: for what does not depend on the isolation."""
    for mode in MODES[:2]:
        with contextlib.suppress(pytest.skip.Exception):
            return nurseries(mode)
    return nurseries("unprotected")


@pytest.fixture(scope="module")
def shared_rooms(nurseries):
    """One room of each kind, for questions that leave no trace."""
    rooms = {}

    def get(mode):
        if mode not in rooms or rooms[mode].has_gone():
            rooms[mode] = Room(nurseries(mode))
        return rooms[mode]

    yield get
    for room in rooms.values():
        room.close()


@pytest.fixture(params=MODES)
def any_room(request, shared_rooms):
    """A room of each kind."""
    return shared_rooms(request.param)


@pytest.fixture(params=MODES[:2])
def walled_room(request, shared_rooms):
    """A room in a sandbox: without one, the tests with it cannot hold."""
    return shared_rooms(request.param)


@pytest.fixture
def room(nursery):
    """A fresh room."""
    room = Room(nursery)
    yield room
    room.close()


def run_cell(room, source, label):
    """Run a cell; of exceptions in tests, all that stands in it may be shown."""
    sources = {**getattr(room, "sources", {}), label: source}
    room.sources, room.shown = sources, Shown(sources)
    return room.run_cell(source, label, LIMITS.output_bytes)


def shown(room, source):
    """Run a cell and return all that it printed."""
    outputs, error = run_cell(room, source, "cell 1")
    assert error is None, error
    return "".join(o["text"] for o in outputs if o["output_type"] == "stream")


def call(room, name, *args, lent=None, **kwargs):
    """Call a student's function as it stands now."""
    room.hold(0, [name])
    return room.call(0, name, args, kwargs, lent or {})


def with_limits(nursery, **limits):
    """A nursery like the other one, with other limits for what the marking room watches."""
    other = copy.copy(nursery)
    other.limits = dataclasses.replace(nursery.limits, **limits)
    return other


# ------------------------------------------------------------------- calls


def test_arguments_go_there_and_results_come_back(any_room):
    run_cell(any_room, "def f(x, *, p):\n    return x @ p['W'], [None, 'é'], (1, 2.5)", "cell 1")
    x, w = np.arange(6.0).reshape(2, 3), np.ones((3, 1), np.float32)
    product, texts, pair = call(any_room, "f", x, p={"W": w})
    np.testing.assert_array_equal(product, x @ w)
    assert (texts, pair) == ([None, "é"], (1, 2.5))


def test_changes_in_place_are_seen_here(room):
    run_cell(
        room,
        "def f(x, p):\n    x += 1\n    p['W'][0] = 9\n    p['b'] = x\n    raise ValueError",
        "cell 1",
    )
    x, p = np.zeros((2, 2)), {"W": np.zeros(3)}
    view = x[0]
    with pytest.raises(ValueError):
        call(room, "f", x, p)
    assert view.tolist() == [1, 1]
    assert p["W"].tolist() == [9, 0, 0]
    assert p["b"] is x


def test_views_in_a_result_are_views_here(room):
    run_cell(room, "def f(c, n):\n    return c, [c[:, t] for t in range(n)], c.copy()", "cell 1")
    c = np.arange(6.0).reshape(2, 3)
    same, slices, copy = call(room, "f", c, 3)
    assert same is c
    c[:, 1] = -1
    assert slices[1].tolist() == [-1, -1]
    assert copy[0, 1] == 1


def test_a_function_is_lent_for_one_call_and_sees_the_arguments_of_each(room):
    run_cell(
        room,
        "def step(x, p):\n    raise NotImplementedError\n"
        "def loop(x, p, n):\n    for t in range(n):\n        x, seen = step(x, p)\n"
        "    return x, seen is not p, p",
        "cell 1",
    )
    calls = []

    def reference(x, p):
        calls.append(x.copy())
        return x + p["b"], p

    start, p = np.zeros(2), {"b": np.ones(2)}
    result, _, after = call(room, "loop", start, p, 3, lent={"step": reference})
    assert result.tolist() == [3, 3]
    assert after is p
    assert [c.tolist() for c in calls] == [[0, 0], [1, 1], [2, 2]]
    with pytest.raises(NotImplementedError):
        call(room, "loop", start, p, 3)


def test_a_lent_function_that_raises_raises_in_the_students_loop(room):
    run_cell(room, "def loop():\n    try:\n        step(1)\n    except ValueError as e:\n"
                  "        return str(e)", "cell 1")  # fmt: skip

    def reference(x):
        raise ValueError("shapes (1,) and (2,)")

    assert call(room, "loop", lent={"step": reference}) == "shapes (1,) and (2,)"


ODD = {
    "an array": "np.arange(3.0)",
    "a number": "np.float64(2)",
    "pairs": "[('x', 1)]",
    "none": "None",
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
@pytest.mark.parametrize(
    ("mark", "message"),
    [
        ("?", "{odd}"),
        ("?", "{{'callback': 'step', 'args': (1,), 'kwargs': {odd}}}"),
        ("?", "{{'callback': {odd}, 'args': (), 'kwargs': {{}}}}"),
        ("=", "{odd}"),
        ("=", "{{'result': 1, 'args': (), 'kwargs': {{}}, 'outputs': {odd}, 'error': {odd}}}"),
        (
            "=",
            "{{'error': {{'type': 'E', 'message': '', 'bases': [], 'lines': [('c', inf, '')]}}}}",
        ),
    ],
)
def test_a_forged_message_of_any_form_ends_the_room_alone(room, mark, message, odd):
    forged = message.format(odd=odd)
    run_cell(room, "import os, struct, sys\nimport numpy as np\nfrom math import inf\n"
        "def loop():\n"
        f"    told = sys.modules['room.wire'].encode({forged})[0]\n"
        f"    os.write(3, struct.pack('<cQ', {mark.encode()}, len(told)) + told)\n"
        "    os._exit(0)\n", "cell 1")  # fmt: skip
    with pytest.raises((RoomDied, StudentError)):
        call(room, "loop", lent={"step": abs})


def test_a_function_kept_from_an_earlier_loan_cannot_be_called(room):
    run_cell(
        room,
        "def keep():\n    global kept\n    kept = step\ndef use():\n    return kept(1)",
        "cell 1",
    )
    call(room, "keep", lent={"step": abs})
    with pytest.raises(RoomDied):
        call(room, "use")


def test_an_exception_comes_with_its_type_its_message_and_the_students_own_lines(room):
    run_cell(
        room,
        "import numpy as np\n\ndef f(x):\n    y = g(x)\n    return y\n"
        "class Odd(KeyError):\n    pass",
        "cell 1",
    )
    run_cell(room, "def g(x):\n    return np.concatenate(x, 1, 2)", "cell 2")
    with pytest.raises(TypeError) as caught:
        call(room, "f", [1])
    assert type(caught.value).__name__ == "TypeError"
    assert caught.value.student_lines == [
        ("", 4, "y = g(x)"),
        ("cell 2", 2, "return np.concatenate(x, 1, 2)"),
    ]
    run_cell(room, "def f():\n    raise Odd('what')", "cell 3")
    with pytest.raises(KeyError) as caught:
        call(room, "f")
    assert (type(caught.value).__name__, str(caught.value)) == ("Odd", "'what'")
    run_cell(room, "def f(x):\n    raise Odd(f'got {x}')", "cell 4")
    with pytest.raises(KeyError) as caught:
        call(room, "f", 0.125)
    assert (str(caught.value), caught.value.student_lines) == (
        "",
        [("", 2, "raise Odd(f'got {x}')")],
    )


BUILTIN_ERRORS = {
    kind.__name__
    for kind in vars(builtins).values()
    if isinstance(kind, type) and issubclass(kind, BaseException)
}


def test_every_kind_of_exception_can_be_caught_as_an_exception(room):
    run_cell(
        room,
        "import builtins\ndef f(name):\n    kind = getattr(builtins, name)\n"
        "    within = [KeyboardInterrupt() if name[0] == 'B' else ValueError()]\n"
        "    raise kind.__new__(kind, 'a', within) if 'Group' in name else kind.__new__(kind)",
        "cell 1",
    )
    for name in sorted(BUILTIN_ERRORS):
        with pytest.raises(Exception) as caught:
            call(room, "f", name)
        assert type(caught.value).__name__ == name
        assert caught.value.student_lines


def test_an_exception_that_lies_about_itself_does_no_harm(room):
    run_cell(
        room,
        "class Bad(Exception):\n    def __str__(self):\n        raise RuntimeError\n"
        "Bad.__name__ = 'x' * 10**6\n"
        "def f():\n    raise Bad\ndef g():\n    raise ValueError('\\ud800' * 10**6)\n"
        "class Worse:\n    def __add__(self, other):\n        raise Bad\n"
        "    @property\n    def __class__(self):\n        raise Bad\n"
        "def h():\n    return Worse() + 1",
        "cell 1",
    )
    for name in "fgh":
        with pytest.raises(Exception) as caught:
            call(room, name)
        assert len(str(caught.value)) < 5000
        str(caught.value).encode()


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("x.append(print)", "f puts into its arguments a function, which cannot"),
        ("return np.zeros(2**24)", "f returns a value of more than … MB, which cannot"),
        ("for _ in range(5000):\n        x = [x]\n    return x", "f returns a value nested more"),
        (
            "class Sly(np.ndarray):\n        def copy(self):\n            raise ValueError\n"
            "    return np.zeros(2).view(Sly)",
            "f returns ",
        ),
    ],
)
def test_what_cannot_cross_is_said_in_one_sentence(room, body, sentence):
    run_cell(room, f"import numpy as np\ndef f(x):\n    {body}", "cell 1")
    with pytest.raises(CannotCross, match=sentence) as caught:
        call(room, "f", [1])
    assert "\n" not in str(caught.value)


def test_a_stand_in_says_what_it_is():
    stand_in = StandIn("rnn_forward", lambda *_: None)
    assert stand_in.__name__ == "rnn_forward"
    for look in (lambda: stand_in.__code__, lambda: __import__("inspect").getsource(stand_in)):
        with pytest.raises(CannotCross, match="`rnn_forward` is a function in the student's room"):
            look()


def test_a_student_cannot_pass_an_array_off_as_equal_to_everything(room):
    run_cell(
        room,
        "import numpy as np\nclass Lie(np.ndarray):\n    def __eq__(self, other): return True\n"
        "    def __array_ufunc__(self, *a, **k): return True\n"
        "def f():\n    return np.zeros(2).view(Lie)",
        "cell 1",
    )
    found = call(room, "f")  # its numbers, under its name, and nothing that it does
    assert (type(found).__name__, type(found).__mro__[1]) == ("Lie", np.ndarray)
    assert not np.array_equal(found, np.ones(2))


@pytest.mark.parametrize(
    ("value", "name", "kept"),
    [
        ("(i for i in x)", "generator", None),
        ("np.array([None])", "object array", None),
        ("np.ones(1, np.longdouble)", "longdouble array", [1.0]),
        ("np.array([1.0], object)", "object array", [1.0]),
        ("np.array(['a'], object)", "object array", ["a"]),
        ("np.array(['a'], np.dtypes.StringDType())", "StringDType array", ["a"]),
        ("np.array([b'a'])", "bytes array", None),
        ("np.array(['\\ud800'])", "value of another type", None),
        ("'\\ud800'", "value of another type", None),
        ("np.matrix([[1.0]])", "matrix", [[1.0]]),
        ("__import__('collections').deque([1, 2])", "deque", [1, 2]),
    ],
)
def test_a_value_of_another_type_crosses_under_its_name(room, value, name, kept):
    run_cell(room, f"import numpy as np\ndef f(x):\n    return 7, {value}", "cell 1")
    seven, found = call(room, "f", [1])
    assert seven == 7
    assert kept is None or np.array_equal(np.asarray(found), kept)
    assert type(found).__name__ == name


# -------------------------------------------------------------------- cells


@pytest.mark.parametrize("magic", ["", "%matplotlib inline\n"])
def test_a_cell_shows_what_a_notebook_shows(room, magic):
    outputs, error = run_cell(
        room,
        f"import sys, warnings\n{magic}import matplotlib.pyplot as plt\n"
        "print('one')\nprint('two', file=sys.stderr)\ndisplay({'a': 1})\n"
        "plt.plot([1, 2])\nplt.show()\n6 * 7",
        "cell 1",
    )
    assert error is None
    kinds = [o.get("name") or o["output_type"] for o in outputs]
    assert kinds == ["stdout", "stderr", "display_data", "display_data", "execute_result"]
    assert outputs[3]["data"]["image/png"].startswith("iVBORw0KGgo")
    assert outputs[4]["data"]["text/plain"] == "42"


@pytest.mark.parametrize(
    ("source", "line"),
    [("x = 1\nx = = 2", 2), ("def f():\n    return 1 / 0\n\nf()", 2), ("%no_such_magic", 1)],
)
def test_an_error_names_the_line_of_the_cell(room, source, line):
    outputs, error = run_cell(room, source, "cell 7")
    assert error["lines"][-1][:2] == ("cell 7", line)
    assert outputs[-1]["output_type"] == "error"
    assert f"cell 7, line {line}:" in outputs[-1]["traceback"]
    assert not any("IPython" in text for text in outputs[-1]["traceback"])


def test_cells_run_as_in_a_notebook(room):
    assert shown(room, "%%capture\nprint('kept to itself')") == ""
    assert shown(room, "    indented = 1\n    print(indented)") == "1\n"
    assert shown(room, "import asyncio\nawait asyncio.sleep(0)\nprint('awaited')") == "awaited\n"
    shown(room, "from __future__ import annotations\nimport numpy as np")
    shown(room, "def f(x: not_defined):\n    return x")  # holds for all cells that follow
    outputs, _ = run_cell(room, "f(1)\nf(2);", "cell 2")
    assert outputs == []
    assert shown(room, "before = _\nprint(before)") == "2\n"
    outputs, _ = run_cell(room, "f(4)\n'; is in here'", "cell 3")
    assert outputs[0]["data"]["text/plain"] == "'; is in here'"
    outputs, _ = run_cell(room, "import matplotlib.pyplot as plt\nplt.plot([1, 2])", "cell 4")
    assert "image/png" in outputs[-1]["data"]  # a figure left open is shown at the end
    outputs, _ = run_cell(room, "x = 1\nx is 1", "cell 5")
    assert [o["text"].count("SyntaxWarning") for o in outputs if "text" in o] == [1]


OURS = "USED = [0]\n\ndef use():\n    USED[0] += 1\n"
LOOK = "import sys, ours, pathlib\nprint(ours.USED[0] > 0, pathlib.Path(ours.__file__).exists())"


@pytest.mark.parametrize("mode", ["nested", "unprotected"])
def test_what_is_loaded_beforehand_is_there_where_the_very_file_is_given(nurseries, mode):
    nursery = nurseries(mode)
    nursery.load("ours.py", OURS, "from ours import use\nuse()")
    for text, said_of_it in {
        OURS: f"{mode == 'nested'} True",  # other rooms load it as they did
        OURS + "\n": "False True",
        "": "ModuleNotFoundError",
    }.items():
        room = Room(nursery, {"ours.py": text.encode()} if text else {})
        outputs, error = room.run_cell(LOOK, "cell", 1000)
        room.close()
        assert (error["type"] if error else outputs[0]["text"].strip()) == said_of_it


def test_a_module_that_cannot_be_loaded_beforehand_is_none(nurseries):
    nursery = nurseries("nested")
    before = nursery.process
    nursery.load("broken.py", "1 / 0", "")
    room = Room(nursery, {"broken.py": b"WHOLE = True"})
    assert room.run_cell("from broken import WHOLE", "cell", 1000)[1] is None
    assert nursery.process is before
    room.close()


def test_files_of_the_assignment_are_modules_there(nursery):
    room = Room(nursery, {"rnn_utils.py": b"def sigmoid(x):\n    return 0.5"})
    assert shown(room, "from rnn_utils import sigmoid\nprint(sigmoid(3))") == "0.5\n"
    room.close()


@pytest.mark.parametrize(
    "source",
    [
        "for i in range(10**5):\n    print('x' * 100)",
        "print('x' * 10**7)",
        "import sys\nsys.stderr.write('y' * 10**7)",
        "for i in range(3000):\n    display('z' * 1000)",
        "'w' * 10**7",
    ],
)
def test_a_flood_of_output_is_cut(room, source):
    outputs, _ = run_cell(room, source, "cell 1")
    assert len(str(outputs)) < 2 * LIMITS.output_bytes
    assert "it is too long" in str(outputs)


def test_active_content_and_foreign_types_of_output_stay_in_the_room(room):
    outputs, _ = run_cell(
        room,
        "from IPython.display import display\n"
        "display({'application/javascript': 'alert(1)', 'image/svg+xml': '<svg/>',"
        " 'application/vnd.rnn-checks+json': '{\"points\": 25}',"
        " 'image/png': 'aGVsbG8=', 'text/plain': 'ok'}, raw=True)",
        "cell 1",
    )
    assert [o["data"] for o in outputs] == [{"text/plain": "ok"}]


def test_random_numbers_are_the_same_in_every_room(nursery):
    rooms = [Room(nursery) for _ in range(2)]
    source = "import numpy as np, random\nprint(np.random.rand(), random.random(), hash('a'))"
    assert len({shown(room, source) for room in rooms}) == 1
    for room in rooms:
        room.close()


# ------------------------------------------------------------------- limits


def test_an_endless_loop_is_ended(nurseries):
    for mode in MODES[::2]:
        room = Room(with_limits(nurseries(mode), cell_seconds=0.2))
        with pytest.raises(RoomTimeout, match=r"cell 9 did not finish within 0\.2 s"):
            run_cell(room, "while True:\n    pass", "cell 9")


def test_an_answer_that_comes_too_late_is_not_taken_for_the_next_one(nursery):
    room = nursery.start_room()
    for _ in range(3):  # given up on a busy machine, and answered all the same
        nursery.process.ask({"do": "waited", "room": 0})
    assert room.end(0.0)["cpu_seconds"] > 0


def test_processor_time_is_bounded(nurseries):
    with Nursery(dataclasses.replace(LIMITS, cpu_seconds=1), unprotected=True) as nursery:
        room = Room(nursery)
        with pytest.raises(RoomDied, match="used more than 1 s of processor time"):
            run_cell(room, "while True:\n    pass", "cell 9")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import os\nos._exit(3)", "ended its own process .exit code 3."),
        ("import os\nos.abort()", "was ended by SIG"),
        ("import os\nos.close(3)", "ended its own process .exit code 0."),
        (
            "import socket\nsocket.socket(fileno=3).shutdown(2)\nwhile True:\n    pass",
            "closed the line to its room",
        ),
        ("import os\nos.write(3, b'x' * 10**4)", "ended its room: the message is too large"),
        (
            "import os\nos.write(3, b'=' + (5).to_bytes(8, 'little') + b'hello')",
            "ended its room: the message is cut short",
        ),
        ("import ctypes\nctypes.string_at(0)", "was ended by SIGSEGV"),
    ],
)
def test_a_room_that_ends_or_misbehaves_says_how(nurseries, source, reason):
    for mode in MODES[::2]:
        room = Room(nurseries(mode))
        with pytest.raises(RoomDied, match=reason):
            run_cell(room, source, "cell 1")
            run_cell(room, "1", "cell 2")


def test_memory_is_bounded(any_room):
    assert "MemoryError" in shown(
        any_room, "try:\n    x = bytearray(10**9)\nexcept MemoryError as e:\n    print(repr(e))"
    )


FIVE_CHILDREN = """
import os, time
most = bytearray(b"1") * 180_000_000
for child in range(5):
    if os.fork() == 0:
        {what}
        time.sleep({seconds})
        os._exit(0)
for child in range(5):
    os.wait()
print("done")
"""


@pytest.mark.parametrize("mode", MODES[::2])
def test_memory_of_all_processes_together_is_bounded(nurseries, mode):
    room = Room(nurseries(mode))
    with pytest.raises(RoomDied, match="500 MB of memory in all its processes"):
        run_cell(
            room, FIVE_CHILDREN.format(what="most[::4096] = most[::4096]", seconds=60), "cell 1"
        )


def test_memory_that_processes_share_counts_once(nursery):
    room = Room(nursery)
    source = FIVE_CHILDREN.format(what="sum(most[::4096])", seconds=0.7)
    assert shown(room, source) == "done\n"
    room.close()


def test_disk_is_bounded(walled_room):
    source = (
        "import os\nn = 0\ntry:\n    for i in range(100):\n"
        "        with open(f'/tmp/{i}', 'wb') as f:\n            n += f.write(bytes(2**20))\n"
        "except OSError as e:\n    print(e.errno, n >> 20)\n"
        "for i in range(100):\n    if os.path.exists(f'/tmp/{i}'): os.remove(f'/tmp/{i}')"
    )
    assert int(shown(walled_room, source).split()[-1]) <= LIMITS.disk_mb


def test_processes_are_bounded(walled_room):
    source = (
        "import os, time\nchildren = []\ntry:\n    for _ in range(50):\n        pid = os.fork()\n"
        "        if pid == 0:\n            time.sleep(60)\n            os._exit(0)\n"
        "        children.append(pid)\nexcept OSError as e:\n    print(e.errno)\n"
        "print(len(children))\nfor pid in children:\n    os.kill(pid, 9)\n    os.waitpid(pid, 0)"
    )
    assert int(shown(walled_room, source).split()[-1]) < LIMITS.processes


@pytest.mark.parametrize("mode", MODES)
def test_nothing_outlives_its_room(nurseries, mode, tmp_path):
    nursery = nurseries(mode)
    room = Room(nursery)
    source = (
        "import os, subprocess, time\nif os.fork() == 0:\n    os.setsid()\n"
        "    if os.fork() == 0:\n        os.execv('/bin/sleep', ['canary-7c1f', '61'])\n"
        "    os._exit(0)\nos.wait()\nopen('left-behind', 'w').write('x')\nprint(os.getcwd())"
    )
    folder = shown(room, source).strip()
    wait_until(lambda: CANARY in commands())
    room.close()
    wait_until(lambda: CANARY not in commands())
    assert mode != "unprotected" or not os.path.exists(folder)
    other = Room(nursery)
    assert shown(other, "import os\nprint(os.listdir('.'))") == "[]\n"
    other.close()


def commands():
    """Return the commands of all processes of this machine."""
    found = ""
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += process.read_text(errors="replace")
        except OSError:  # it has just ended
            continue
    return found


def wait_until(condition):
    """Wait until something has come about, and not for ever."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


# ----------------------------------------------------------------- isolation


def test_a_room_sees_nothing_of_the_course(walled_room, tmp_path):
    (tmp_path / "secret.txt").write_text(CANARY)
    here = [str(Path(__file__).parents[1]), str(tmp_path), os.path.expanduser("~"), "/home",
            "/etc/passwd", "/sys", "/var", "/run"]  # fmt: skip
    source = f"import os\nprint([p for p in {here!r} if os.path.exists(p)])"
    assert shown(walled_room, source) == "[]\n"


def test_a_room_knows_no_path_of_the_course(walled_room):
    root = Path(__file__).parents[1]
    source = (
        "import gc, os, sys, types\n"
        "texts = [str(sys.path), str(dict(os.environ)), str(sys.argv), str(sys.orig_argv),\n"
        "         sys.executable, sys.prefix, os.getcwd(), str(list(sys.modules.values()))]\n"
        "texts += [m.__dict__.get('__file__') or '' for m in list(sys.modules.values())\n"
        "          if hasattr(m, '__dict__')]\n"
        "texts += [f.__code__.co_filename for f in gc.get_objects()\n"
        "          if type(f) is types.FunctionType]\n"
        "for folder, folders, files in os.walk('/'):\n"
        "    texts += [folder, *files]\n    folders[:] = [f for f in folders if f != 'usr']\n"
        "for name in ('/proc/self/mountinfo', '/proc/self/cmdline', '/proc/1/environ'):\n"
        "    if os.path.exists(name):\n        texts.append(open(name).read())\n"
        f"print([t for t in texts if {str(root)!r} in t][:3])"
    )
    assert shown(walled_room, source) == "[]\n"


def test_no_file_that_a_room_can_read_holds_a_path_of_the_course(walled_room):
    root = str(Path(__file__).parents[1])
    source = (
        "import os\nfiles = [os.path.join(folder, file)\n"
        "    for top in ('/opt/packages', '/opt/room', '/tmp', '/etc')\n"
        "    for folder, _, files in os.walk(top) for file in files]\n"
        "found = []\nfor file in files:\n    with open(file, 'rb') as f:\n"
        f"        if {root.encode()!r} in f.read():\n            found.append(file)\n"
        "print(len(files) > 1000, found[:5])"
    )
    assert shown(walled_room, source) == "True []\n"


def test_only_the_packages_of_students_are_there(walled_room):
    source = (
        "import importlib.util as u, os\n"
        "print([n for n in ('numpy', 'matplotlib', 'nbgrader', 'nbclient', 'sqlalchemy',\n"
        "                   'pytest', 'pip') if u.find_spec(n)])"
    )
    assert shown(walled_room, source) == "['numpy', 'matplotlib']\n"


def test_a_package_that_is_not_installed_is_named():
    with pytest.raises(IsolationUnavailable, match="Rooms need no-such-package: pip install"):
        Nursery(LIMITS, packages=["numpy", "no-such-package"])


def test_a_cache_that_cannot_be_written_is_one_line(monkeypatch, tmp_path):
    (tmp_path / "a file").touch()
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "a file"))
    with pytest.raises(IsolationUnavailable, match=r"^.*a file.*: set XDG_CACHE_HOME to .*\.$"):
        Nursery(LIMITS)


def test_who_comes_while_packages_are_made_waits_for_them(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made, others = [], []

    def fill(folder, found):
        made.append(folder)
        others.append(threading.Thread(target=lambda: others.append(ask())))
        others[0].start()
        (lock,) = folder.parent.glob("*.lock")
        with pytest.raises(filelock.Timeout):
            filelock.FileLock(lock, blocking=False).acquire()

    def ask():
        return packages.packages_folder(["numpy"], "/opt")

    monkeypatch.setattr(packages, "fill", fill)
    folder = ask()
    others[0].join()
    assert (others[1], len(made)) == (folder, 1)


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch):
    def unknown(user):
        raise KeyError

    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", unknown)
    with pytest.raises(SystemExit, match="set HOME"):
        main()


def test_a_room_holds_no_module_of_the_grader(walled_room):
    source = (
        "import sys\nprint([n for n in sys.modules if n.startswith(('grading', 'nbgrader'))])\n"
        "try:\n    import grading\nexcept ImportError as e:\n    print(type(e).__name__)"
    )
    assert shown(walled_room, source) == "[]\nModuleNotFoundError\n"


@pytest.mark.parametrize("mode", MODES)
def test_a_room_has_no_network(mode, shared_rooms):
    with socket.create_server(("127.0.0.1", 0)) as net, socket.socket(socket.AF_UNIX) as local:
        local.bind(b"\0" + CANARY.encode())  # a name without a file
        local.listen()
        places = [(int(each.family), each.getsockname()) for each in (net, local)]
        source = (
            f"import socket\nreached = 0\nfor kind, place in {places!r}:\n    try:\n"
            "        socket.socket(kind).connect(place)\n        reached += 1\n"
            "    except OSError:\n        pass\nprint(reached)"
        )
        assert shown(shared_rooms(mode), source) == "0\n"
        for each in (net, local):  # they are there to be reached
            socket.socket(each.family).connect(each.getsockname())


@pytest.mark.parametrize("mode", MODES[:2])
def test_a_room_is_in_a_network_of_its_own(mode, nurseries):
    room = Room(nurseries(mode))
    shown(room, f"import os\nif os.fork() == 0:\n    os.execv('/bin/sleep', [{CANARY!r}, '61'])")
    wait_until(lambda: CANARY in commands())
    (process,) = [p for p in Path("/proc").glob("[0-9]*") if is_canary(p)]
    assert os.readlink(process / "ns/net") != os.readlink("/proc/self/ns/net")
    room.close()


def is_canary(process):
    """Tell whether a process is that which a cell has left."""
    with contextlib.suppress(OSError):
        return (process / "cmdline").read_bytes().startswith(CANARY.encode())
    return False


def test_a_cell_finds_all_that_python_gives_to_a_notebook(room):
    program = "import builtins; print(dir(builtins))"
    names = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout
    source = (
        "import builtins\nfound = {**vars(builtins), **globals()}\n"
        f"print([name for name in {names} if name not in found])"
    )
    assert shown(room, source) == "[]\n"
    assert "Help on built-in function len" in shown(room, "help(len)")
    assert "Python Software Foundation" in shown(room, "print(copyright)")
    assert shown(room, "quit()\nexit()") == ""
    assert shown(room, "exit") == ""
    assert shown(room, "print('goes on')") == "goes on\n"


def test_a_room_holds_no_line_but_its_own(any_room):
    source = (
        "import os\nopen_ones = []\nfor n in range(64):\n    try:\n        os.fstat(n)\n"
        "        open_ones.append(n)\n    except OSError:\n        pass\nprint(open_ones)"
    )
    assert shown(any_room, source) == "[0, 1, 2, 3]\n"


def test_a_room_cannot_write_outside_its_folder(walled_room):
    source = (  # /tmp is its own; in two large folders of the system nothing is looked at
        "import os\nwritten = []\nfor folder, folders, _ in os.walk('/'):\n"
        "    if folder in ('/tmp', '/usr/lib', '/usr/share'):\n"
        "        folders.clear()\n        continue\n"
        "    try:\n        open(folder + '/x', 'w').close()\n        written.append(folder)\n"
        "    except OSError:\n        pass\nprint(written)"
    )
    assert shown(walled_room, source) == "[]\n"


def test_rooms_cannot_see_or_signal_one_another(nurseries):
    one, other = Room(nurseries("nested")), Room(nurseries("nested"))
    shown(one, "open('/tmp/mine', 'w').write('x')")
    source = (
        "import os\nalive = []\nfor pid in range(2, 100):\n    try:\n        os.kill(pid, 0)\n"
        "        alive.append(pid)\n    except OSError:\n        pass\n"
        "print(os.getpid(), alive, os.listdir('/tmp'), os.path.exists('/proc/1'))\n"
        "try:\n    os.kill(-1, 9)\nexcept OSError:\n    pass"
    )
    assert shown(other, source) == "1 [] [] False\n"
    assert shown(one, "print('still here')") == "still here\n"
    one.close()
    other.close()


@pytest.mark.parametrize(
    "attempt",
    [
        "libc.unshare(0x10000000)",
        "libc.mount(b'tmpfs', b'/tmp', b'tmpfs', 0, None)",
        "libc.umount2(b'/proc', 2)",
        "libc.ptrace(16, 1, 0, 0)",
        "libc.shmget(0, 4096, 0o1600)",
        "libc.memfd_create(b'x', 0)",
        "libc.setuid(0)",
        "libc.chroot(b'/tmp')",
        "libc.syscall(56 if os.uname().machine == 'x86_64' else 220, 0x10000011, 0, 0, 0, 0)",
    ],
)
def test_a_room_has_no_way_to_privileges(walled_room, attempt):
    source = f"import ctypes, os\nlibc = ctypes.CDLL(None)\nprint({attempt})"
    assert shown(walled_room, source) == "-1\n"


def test_a_way_without_a_sandbox_is_never_taken_unasked(monkeypatch):
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    with pytest.raises(IsolationUnavailable, match=r"bubblewrap.*--unprotected") as caught:
        Nursery(LIMITS)
    assert "\n" not in str(caught.value)
    with Nursery(LIMITS, unprotected=True) as nursery:
        assert "no protection" in nursery.isolation


@pytest.mark.parametrize(
    ("problem", "restricted", "says"),
    [
        ("setting up uid map: Permission denied", "1", "AppArmor"),
        ("loopback: Failed RTM_NEWADDR: Operation not permitted", "1", "AppArmor"),
        ("setting up uid map: Permission denied", "0", "the system, or the container"),
        ("setting up uid map: Permission denied", "", "the system, or the container"),
        # Docker, on a machine with that AppArmor or without
        ("No permissions to create a new namespace", "1", "the system, or the container"),
        ("Failed to make / slave: Permission denied", "1", "the system, or the container"),
        ("Creating new namespace failed: nesting depth", "0", "the system, or the container"),
    ],
)
def test_what_lets_bubblewrap_work_is_named(tmp_path, problem, restricted, says):
    switch = tmp_path / "restricted"
    if restricted:
        switch.write_text(restricted + "\n")
    assert sandbox.remedy(f"bwrap: {problem}", switch).startswith(f": {says}")


# ---------------------------------------------------------------- notebooks


def run(nursery, *cells, files=None, **limits):
    """Run cells given as (id, kind, source), and return the results by id."""
    cells = [Cell(name, source, kind) for name, kind, source in cells]
    result = run_notebook(cells, files or {}, with_limits(nursery, **limits))
    return {r.cell.id: r for r in result.cells}, result


def printed(result):
    """Return what a cell printed."""
    return "".join(o.get("text", "") for o in result.outputs)


def test_a_test_meets_the_function_as_it_was_then(nursery):
    cells, _ = run(
        nursery,
        ("one", "student", "def f():\n    return 1"),
        ("test one", "test", "f()"),
        ("two", "student", "def f():\n    return 2"),
        ("test two", "test", "f()"),
    )
    assert (cells["test one"].value, cells["test two"].value) == (1, 2)


def test_a_test_sees_functions_data_and_its_own_names(nursery):
    cells, _ = run(
        nursery,
        ("setup", "shared", "import numpy as np\nshapes = {'W': (2, 3)}"),
        ("student", "student", "def f(x):\n    print('called')\n    return x + k\nk = np.ones(2)\n"
         "shapes = 'no'"),
        ("check", "test", "right = np.arange(2.0)\nassert shapes == {'W': (2, 3)}"),
        ("test", "test", "total = [f(right) for _ in range(2)][0] + k\ntotal.tolist()"),
        ("again", "test", "'f' in globals() or 'k' in globals()"),
    )  # fmt: skip
    assert cells["test"].error == ""
    assert cells["test"].value == [2, 3]
    assert printed(cells["test"]) == ""  # what a call prints may be of the test's data
    assert cells["again"].value is False


def test_a_missing_function_says_why_it_is_missing(nursery):
    cells, _ = run(
        nursery,
        ("broken", "student", "def f(x):\n    return x +"),
        ("test f", "test", "f(1)"),
        ("test g", "test", "try:\n    g(1)\nexcept NameError as e:\n    print(e)\n1.0"),
    )
    assert cells["test f"].error == (
        "NameError: name 'f' is not defined: its cell stopped with SyntaxError: invalid syntax"
        " (`line 2: return x +`)"
    )
    assert printed(cells["test g"]) == f"{said.NOT_THERE.format(name='g')}\n"
    assert cells["test g"].value == 1.0


def test_a_shared_cell_shows_what_it_shows_with_the_students_functions(nursery):
    cells, _ = run(
        nursery,
        ("student", "student", "def f(x):\n    return 2 * x"),
        ("use", "shared", "base = 5\nprint(f(base))"),
        ("test", "test", "base"),
    )
    assert printed(cells["use"]) == "10\n"
    assert cells["test"].value == 5


def test_a_lost_room_costs_only_what_lost_it(nursery):
    cells, result = run(
        nursery,
        ("f", "student", "def f():\n    return 1\nprint('once')"),
        ("hang", "student", "g = 1\nwhile True:\n    pass"),
        ("test g", "test", "g()"),
        ("h", "student", "def h(n):\n    import os\n    os._exit(1)\ndef k():\n    return 3"),
        ("test h", "test", "found = []\nfor n in range(9):\n    try:\n        h(n)\n"
         "    except Exception as e:\n        found.append(str(e))\nlen(set(found)), found[0]"),
        ("test all", "test", "f() + k()"),
        cell_seconds=0.3,
    )  # fmt: skip
    assert "RoomTimeout: cell hang did not finish within 0.3 s" in cells["test g"].error
    assert cells["test h"].value == (1, "h ended its own process")
    assert cells["test all"].value == 4
    assert result.took.rooms == 3
    assert len(result.took.problems) == 2
    assert printed(cells["f"]) == "once\n"


def test_what_a_check_defines_is_there_below_it_when_the_function_it_checks_hangs(nursery):
    cells, result = run(
        nursery,
        ("f", "student", "def f():\n    while True:\n        pass"),
        ("check f", "shared", "import math\nname, (n, m) = 'x', (2, 3)\nshape = {'W': (n, -1)}\n"
         "def area():\n    return max(shape['W'])\nclass Size:\n    def a(self):\n"
         "        return area()\n%time f()\nresult = f()"),
        ("check g", "shared", "print(name, shape, area(), Size().a(), math.inf)\nprint(result)"),
        cell_seconds=0.3,
    )  # fmt: skip
    assert cells["check f"].error == "RoomTimeout: cell check f did not finish within 0.3 s"
    assert printed(cells["check g"]) == "x {'W': (2, -1)} 2 2 inf\n"
    assert cells["check g"].error.startswith("NameError: name 'result' is not defined")
    assert result.took.rooms == 2


def test_a_loop_is_called_again_with_a_lent_cell_after_its_own_has_hung(nursery):
    cells, _ = run(
        nursery,
        ("f", "student", "def step(x):\n    while True:\n        pass\n"
         "def loop(x):\n    return step(step(x))"),
        ("test", "test", "try:\n    loop(1)\nexcept Exception as e:\n    print(type(e).__name__)\n"
         "with loop.lending(step=lambda x: x + 1):\n    result = loop(1)\nresult"),
        call_seconds=0.3,
    )  # fmt: skip
    assert printed(cells["test"]) == "RoomTimeout\n"
    assert cells["test"].value == 3


def test_rooms_and_time_of_a_notebook_are_bounded(nursery):
    deadly = [(f"c{i}", "student", "import os\nos._exit(1)") for i in range(6)]
    cells, result = run(nursery, *deadly, rooms=3)
    assert result.took.rooms == 3
    assert cells["c5"].error == "RoomDied: not run: 3 rooms have been lost"
    loops = [(f"c{i}", "student", "while True:\n    pass") for i in range(5)]
    cells, result = run(nursery, *loops, cell_seconds=0.3, notebook_seconds=0.5)
    assert result.took.seconds < 3
    assert cells["c4"].error.endswith("the time for the whole notebook is used up")


def test_a_test_that_fails_shows_no_line_of_itself(nursery):
    cells, _ = run(
        nursery,
        ("f", "student", "def f():\n    return 1 / 0"),
        ("test", "test", "secret = 42\nf()"),
        ("own", "test", "secret = 42\nsecret / 0"),
    )
    assert cells["test"].outputs[-1]["traceback"] == [
        "line 2: return 1 / 0",
        "ZeroDivisionError: division by zero",
    ]
    assert "secret" not in str(cells["own"].outputs)


def test_a_notebook_leaves_no_state_here(nursery):
    np.random.seed(5)
    state, errors = np.random.get_state()[1].copy(), np.geterr()
    both, _ = run(
        nursery,
        ("a", "test", "import numpy as np\nnp.seterr(all='raise')\nleft = np.random.rand()\nleft"),
    )
    again, _ = run(nursery, ("a", "test", "import numpy as np\n('left' in globals(), "
                             "np.random.rand())"))  # fmt: skip
    assert again["a"].value == (False, both["a"].value)
    assert (np.random.get_state()[1] == state).all()
    assert np.geterr() == errors


def test_marks_cannot_be_displayed_by_a_students_function(nursery):
    cells, _ = run(
        nursery,
        ("f", "student", "def f():\n    display({'application/vnd.rnn-checks+json': '{}',"
         " 'text/plain': 'x'}, raw=True)"),
        ("test", "test", "f()\ndisplay({'application/vnd.rnn-checks+json': {'points': 1}},"
         " raw=True)\n1.0"),
    )  # fmt: skip
    shown = [o["data"] for o in cells["test"].outputs]
    assert shown == [{"application/vnd.rnn-checks+json": {"points": 1}}]


def test_a_nursery_that_is_lost_is_replaced(monkeypatch):
    monkeypatch.setattr(sandbox, "start_process", start_process)
    with Nursery(LIMITS, unprotected=True) as nursery:
        nursery.process.popen.kill()
        nursery.process.popen.wait()
        room = Room(nursery)
        assert shown(room, "print(1)") == "1\n"
        room.close()
