"""Every hostile submission: what it earns, and that it leaves nothing behind."""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import functools
import os
import resource
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import ASSIGNMENT, shorten_table, start_process
from hostile import (
    CANARY,
    FILES,
    FUNCTIONS,
    REACHED,
    SUBMISSIONS,
    WITHIN_PYTHON,
    Submission,
    source_in,
)

from grading.authoring.prove import STUB
from grading.demo import make_course
from grading.marking.naming import Outcomes
from grading.marking.notebook import mark_notebook
from grading.marking.result import read_result
from grading.rooms import IsolationUnavailable, Limits, Nursery, Room, clock, sandbox
from grading.source.cells import is_test
from rnn_marking import inputs

REPO = Path(__file__).parents[1]
LIMITS = Limits(
    memory_mb=256,
    cpu_seconds=30,
    disk_mb=32,
    cell_seconds=1,
    call_seconds=0.2,
    notebook_seconds=60,
)
HIDDEN = ("inputs(seed", "HIDDEN TESTS", "MarkedTest(\n")


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A scratch course, so that nothing else is lost if a submission breaks out."""
    home = tmp_path_factory.mktemp("hostile")
    course = home / "course"
    make_course(REPO, course)
    shorten_table(course / "source" / ASSIGNMENT)  # what is known of mistakes gives no points
    (course / "gradebook.db").write_bytes(b"")
    (course / "submitted" / "another").mkdir(parents=True)
    (home / "home").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(course)
        yield course


@pytest.fixture(scope="module", params=["sandbox", "unprotected"])
def mode(request):
    return request.param


@pytest.fixture(scope="module")
def rooms(course, mode):
    """One source of rooms for all submissions, in a process of its own; an honest one is last."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sandbox, "start_process", start_process)
        patch.setattr(clock, "MESSAGE_SECONDS", 2.0)  # some send a part of one, and no more
        try:
            nursery = Nursery(LIMITS, hidden=[course, REPO], unprotected=mode == "unprotected")
        except IsolationUnavailable as problem:
            pytest.skip(str(problem))
        with nursery:
            yield nursery
            assert points(marked(Submission("honest", {}), nursery, course)) == [25.0] * 2


@pytest.fixture(scope="module")
def untouched(rooms, course):
    """What is there before any submission has run, and has to be there after each."""
    return traces(course.parent), processes()


@functools.cache
def outcomes_in(course):
    return Outcomes(source_in(course))


def marked(submission, rooms, course):
    """Return a submission's notebook after its run."""
    notebook = submission.notebook(course, submission.functions)
    done = mark_notebook(notebook, outcomes_in(course), rooms)
    assert list(done.results.values()) == results_in(notebook)
    return notebook


def results_in(notebook):
    return [read_result(cell) for cell in notebook.cells if is_test(cell)]


def points(notebook):
    return [result.points for result in results_in(notebook)]


def shown(notebook):
    """Return all text that the cells show."""
    outputs = [o for cell in notebook.cells if cell.cell_type == "code" for o in cell.outputs]
    return "\n".join(str(o.get("text") or o.get("data") or o.get("traceback")) for o in outputs)


def traces(folder):
    """Return the files of a folder with their times and sizes, and files named CANARY."""
    files = {p: (p.lstat().st_mtime_ns, p.lstat().st_size) for p in folder.rglob("*")}
    common = [*Path("/tmp").glob(f"*{CANARY}*"), *Path("/tmp").glob(f"room*/*{CANARY}*")]
    return files, common


def processes():
    """Return how many processes descend from this one, and whether any is named CANARY."""
    parents, named = {}, 0
    for process in filter(str.isdecimal, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            stat = read_whole(f"/proc/{process}/stat").rpartition(b")")[2].split()
            parents[int(process)] = int(stat[1])
            named += read_whole(f"/proc/{process}/cmdline").startswith(CANARY.encode())
    mine, found = {os.getpid()}, 0
    while len(mine) != found:
        found = len(mine)
        mine |= {child for child, parent in parents.items() if parent in mine}
    return found, named


def read_whole(path):
    """Return what a small file holds: many are read, and this is the fastest way."""
    with open(path, "rb", buffering=0) as file:
        return file.read()


def peak_mb():
    """Return the most memory that this process has ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.mark.parametrize("submission", SUBMISSIONS, ids=lambda submission: submission.name)
def test_a_submission_earns_what_it_deserves_and_leaves_nothing_behind(
    submission, mode, rooms, course, untouched, monkeypatch
):
    if mode == "unprotected" and submission.sandbox:
        pytest.skip(f"not without a sandbox: {submission.sandbox}")
    if mode == "unprotected" and submission in WITHIN_PYTHON:
        pytest.skip("comes to the same without a sandbox")
    if submission.name in ("sends_a_message_byte_by_byte", "states_a_message_that_does_not_come"):
        monkeypatch.setattr(clock, "MESSAGE_SECONDS", 0.3)  # which passes, each time
    if submission.name.startswith("never_returns_from_its_cell"):
        monkeypatch.setattr(rooms, "limits", dataclasses.replace(LIMITS, cell_seconds=0.3))
    (before, number), peak = untouched, peak_mb()
    notebook = marked(submission, rooms, course)
    earned = dict(zip(submission.functions, points(notebook), strict=True))
    deserves = dict(zip(FUNCTIONS, submission.earns, strict=True))
    if submission.least is None:
        assert earned == {name: deserves[name] for name in earned}
    for name, least in zip(earned, submission.least or submission.earns, strict=False):
        most = deserves[name]
        assert least <= earned[name] <= most, name
    text = shown(notebook)
    assert REACHED not in text
    assert not [secret for secret in HIDDEN if secret in text]
    assert traces(course.parent) == before
    assert peak_mb() < peak + 500
    deadline = time.monotonic() + 60
    while processes() != number and time.monotonic() < deadline:
        time.sleep(0.01)
    assert processes() == number


def test_names_are_unique_and_enough():
    names = [submission.name for submission in SUBMISSIONS]
    assert len(names) == len(set(names)) >= 60


# ------------------------------------------------ what can be seen during a test

# Looks through all that the process can read for needles, which it knows masked alone.
# Memory is copied by the kernel, which says what cannot be read. Without /proc, it is found
# from the places of known objects, page by page.
SEARCH = """
import ctypes, gc, os, sys
MASK = 0x5A
masked = NEEDLES
found, looked = {}, {}

libc = ctypes.CDLL(None, use_errno=True)
libc.write.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t]
libc.write.restype = ctypes.c_ssize_t
libc.malloc.restype = libc.sbrk.restype = ctypes.c_void_p
out, into = os.pipe()

def read(address, size):
    done = libc.write(into, address, size)
    return os.read(out, done) if done > 0 else b""

def look(place, data):
    looked[place] = looked.get(place, 0) + len(data)
    hidden = (np.frombuffer(data, np.uint8) ^ MASK).tobytes()
    for name, needle in masked.items():
        if bytes.fromhex(needle) in hidden:
            found.setdefault(place, set()).add(name)

def regions():
    if os.path.exists("/proc/self/maps"):
        for line in list(open("/proc/self/maps")):
            span, flags = line.split()[:2]
            if flags[0] == "r" and "[v" not in line:
                yield [int(part, 16) for part in span.split("-")]
        return
    environ = ctypes.c_void_p.in_dll(libc, "environ").value
    known = {id(item) for item in gc.get_objects()} | {id(m) for m in sys.modules.values()}
    known |= {environ, ctypes.c_void_p.from_address(environ).value or environ, libc.malloc(9),
              libc.sbrk(0) - 16, ctypes.addressof(ctypes.c_int.in_dll(libc, "stdout")),
              np.zeros(10).ctypes.data, np.zeros(10**7).ctypes.data}
    done = set()
    for page in sorted({address // 4096 for address in known}):
        if page in done or not read(page * 4096, 1):
            continue
        low = high = page
        while low - 1 not in done and read((low - 1) * 4096, 1):
            low -= 1
        while read((high + 1) * 4096, 1):
            high += 1
        done.update(range(low, high + 1))
        yield low * 4096, (high + 1) * 4096

def search():
    for low, high in list(regions()):
        for start in range(low, high, 2**15):
            look("memory", read(start, min(2**15 + 512, high - start)))
    frame, names = sys._getframe(), []
    while frame is not None:
        names.append(frame.f_code.co_filename + repr(list(frame.f_locals)))
        frame = frame.f_back
    look("frames", repr(names).encode())
    look("environment", repr((dict(os.environ), sys.path, sys.argv, sys.orig_argv)).encode())
    look("modules", repr(list(sys.modules.values())).encode())
    if FILES:
        python = ("/usr", "/lib", "/bin", "/sbin", "/opt/python", "/opt/packages", "/dev")
        for folder, folders, files in os.walk("/"):
            folders[:] = [f for f in folders if not os.path.join(folder, f).startswith(python)]
            for name in files:
                path = os.path.join(folder, name)
                look("files", path.encode())
                try:
                    with open(path, "rb") as file:
                        look("files", file.read())
                except OSError:
                    pass
    return repr(({k: sorted(v) for k, v in found.items()}, looked))

def rnn_cell_forward(xt, a_prev, parameters):
    if xt.shape == (4, 7) and not looked:
        return search()
    raise NotImplementedError
"""


def needles(course):
    """Return what must not be found, and two things that must be, by name."""
    solution = source_in(course)
    calls = {
        "rnn_cell_forward": inputs.rnn_cell_inputs(11, 4, 6, 3, 7),
        "rnn_forward": inputs.rnn_inputs(21, 4, 6, 3, 7, 5),
        "lstm_cell_forward": inputs.lstm_cell_inputs(31, 4, 6, 3, 7),
        "lstm_forward": inputs.lstm_inputs(41, 4, 6, 3, 7, 5),
    }
    found = {"own text": b"if xt.shape == (4, 7) and not looked:"}
    found["inputs"] = calls["rnn_cell_forward"]["xt"].tobytes()[:16]
    found["course"] = str(course).encode()
    for name, arguments in calls.items():
        for number, value in enumerate(solution.function(name)(**arguments)[:2]):
            found[f"expected value {number} of {name}"] = value.tobytes()[:8]
    for name, source in solution.tests.items():
        hidden = [line for line in source.splitlines() if "inputs(seed" in line]
        assert hidden
        found |= {f"line {n} of {name}": line.encode() for n, line in enumerate(hidden)}
        found[f"points of {name}"] = b'"types": 1, "shapes": 2, "'
    for name, source in solution.answers.items():
        line = max(source.partition("### BEGIN SOLUTION")[2].splitlines(), key=len)
        found[f"solution of {name}"] = line.strip().encode()
    return found


def test_nothing_of_a_test_is_in_sight_while_it_runs(mode, course, monkeypatch):
    real, answers = Room.call, []

    def listen(*args, **kwargs):  # nothing that a function learns in a test is shown anywhere
        answers.append(real(*args, **kwargs))
        return answers[-1]

    monkeypatch.setattr(Room, "call", listen)
    sought = needles(course)
    masked = {
        name: (np.frombuffer(text, np.uint8) ^ 0x5A).tobytes().hex()
        for name, text in sought.items()
    }
    source = SEARCH.replace("NEEDLES", repr(masked)).replace("FILES", str(mode == "sandbox"))
    cells = {**dict.fromkeys(FUNCTIONS, STUB), "rnn_cell_forward": source}
    limits = Limits(memory_mb=2048, cpu_seconds=120, call_seconds=100, cell_seconds=10)
    with Nursery(limits, hidden=[course, REPO], unprotected=mode == "unprotected") as rooms:
        notebook = marked(Submission("searches", cells), rooms, course)
    found, looked = ast.literal_eval(answers[0])
    assert "memory" not in shown(notebook)
    assert looked["memory"] > 5e7  # it did look
    assert found.pop("memory") == ["inputs", "own text"]
    assert found == {}


MOUNTS = """
import ctypes
listmount, statmount = 458, 457
libc = ctypes.CDLL(None, use_errno=True)
request = (ctypes.c_uint64 * 4)(32, 2**64 - 1)
mounts = (ctypes.c_uint64 * 256)()
print(libc.syscall(listmount, request, mounts, 256, 0), ctypes.get_errno())
"""


def test_a_room_cannot_ask_where_its_files_come_from(mode, rooms, course):
    if mode == "unprotected":
        pytest.skip(f"not without a sandbox: {FILES}")
    notebook = marked(Submission("asks", {}, {"setup": MOUNTS}), rooms, course)
    assert "-1 38\n" in shown(notebook)  # ENOSYS
