"""The walls of a room, shown to be walls: what lies behind them is there, and would be reached."""

import contextlib
import os
import socket
import sys
import tempfile
from pathlib import Path

import pytest
from conftest import start_process

from grading.rooms import Cell, Limits, Nursery, bubblewrap, run_notebook, sandbox, system_calls


def outcome(text, unprotected, hidden=()):
    """Run a student's cell; return what it printed, or its error."""
    nursery = Nursery(Limits(), hidden=list(hidden), unprotected=unprotected)
    try:
        (cell,) = run_notebook([Cell("a", text, "student")], {}, nursery).cells
    finally:
        nursery.close()
    return cell.error or "".join(output.get("text", "") for output in cell.outputs).strip()


def reached(listeners):
    """Return to which somebody has connected."""
    found = []
    for family, listener in listeners.items():
        with contextlib.suppress(BlockingIOError):
            listener.accept()[0].close()
            found.append(family)
    return found


def allow_all_calls(monkeypatch):
    """Let rooms start that may make every system call."""
    monkeypatch.setattr(sandbox, "start_process", start_process)
    monkeypatch.setattr(bubblewrap, "filter_of_calls", lambda: b"")


CONNECT = """
import socket
for family, place in PLACES.items():
    try:
        socket.socket(getattr(socket, family)).connect(place)
        print("connected")
    except Exception as error:
        print(type(error).__name__)
"""


def test_a_listener_would_be_reached_and_each_wall_keeps_it(tmp_path, monkeypatch):
    places = {"AF_INET": ("127.0.0.1", 0), "AF_UNIX": str(tmp_path / "socket")}
    with contextlib.ExitStack() as stack:
        listeners = {}
        for family, place in places.items():
            listener = stack.enter_context(socket.socket(getattr(socket, family)))
            listener.bind(place)
            listener.listen()
            listener.setblocking(False)
            listeners[family] = listener
        names = {family: listener.getsockname() for family, listener in listeners.items()}
        text = CONNECT.replace("PLACES", repr(names))
        refused = outcome(text, unprotected=True).split()  # the system calls' wall alone
        assert refused == ["PermissionError", "PermissionError"]
        allow_all_calls(monkeypatch)
        behind = outcome(text, unprotected=False).split()  # the namespaces' wall alone
        assert len(behind) == 2
        assert set(behind) <= {"ConnectionRefusedError", "FileNotFoundError", "OSError"}
        assert reached(listeners) == []
        assert outcome(text, unprotected=True).split() == ["connected"] * 2  # no wall
        assert reached(listeners) == list(places)


def test_a_course_inside_of_what_rooms_see_is_hidden():
    try:  # beside Python's own library, which rooms need
        folder = tempfile.TemporaryDirectory(dir=sys.base_prefix)
    except OSError:
        pytest.skip(f"{sys.base_prefix} cannot be written to")
    with folder as course:
        os.chmod(course, 0o755)  # rooms are another user
        secret = Path(course, "secret.txt")
        secret.write_text("a hidden test")
        text = (
            f"import sys\nprint(open(sys.base_prefix + '/{Path(course).name}/secret.txt').read())"
        )
        assert outcome(text, unprotected=False).startswith("a hidden test")
        assert "Error" in outcome(text, unprotected=False, hidden=[os.path.realpath(course)])


ORDINARY = """
import asyncio, os, shutil, signal, subprocess, sys, tempfile, threading, time
import matplotlib.pyplot as plt, numpy as np

def exercise():
    thread = threading.Thread(target=lambda: np.linalg.svd(np.eye(50)))
    thread.start(); thread.join()
    child = subprocess.run([sys.executable, "-c", "print(6 * 7)"], capture_output=True, text=True)
    asyncio.run(asyncio.sleep(0.001))
    with tempfile.TemporaryDirectory() as folder:
        plt.plot([1, 2]); plt.savefig(f"{folder}/plot.png"); plt.close()
        shutil.copy2(f"{folder}/plot.png", f"{folder}/copy.png")
        os.mkfifo(f"{folder}/pipe")
        size = os.path.getsize(shutil.move(f"{folder}/copy.png", f"{folder}/moved.png"))
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.001); time.sleep(0.01)
    return child.stdout.strip() if size else ""

print(exercise())
"""


def test_ordinary_work_needs_no_call_that_is_not_allowed():
    assert outcome(ORDINARY, unprotected=False) == "42"


def test_a_call_that_is_not_on_the_list_is_not_there():
    resolve = system_calls.library().seccomp_syscall_resolve_name
    allowed = {resolve(name.encode()) for name in [*system_calls.ALLOWED.split(), "clone"]}
    probes = {335, 336}  # x86's uretprobe and uprobe, which no filter sees: SIGILL, as from nowhere
    others = sorted(set(range(600)) - allowed - probes)
    text = (
        "import ctypes, errno\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        f"there = [n for n in {others} if libc.syscall(n, 0, 0, 0, 0, 0, 0) != -1\n"
        "         or ctypes.get_errno() not in (errno.ENOSYS, errno.EPERM)]\n"
        f"print(there, libc.syscall({resolve(b'clone')}, 0x10000000 | 17, 0, 0, 0, 0))"
    )
    assert outcome(text, unprotected=False) == "[] -1"
