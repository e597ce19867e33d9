"""The walls of a room, shown to be walls: what lies behind them is there, and would be reached."""

import os
import shutil
import socket
import sys
import tempfile
from pathlib import Path

import pytest

from grading.rooms import Cell, Limits, Nursery, bubblewrap, run_notebook, sandbox
from grading.rooms.bubblewrap import INSIDE

ALL, UNUSED = "def refuse_calls() -> None:\n", "def unused() -> None:"


def outcome(text, unprotected, hidden=()):
    """Run a student's cell; return what it printed, or its error."""
    nursery = Nursery(Limits(), hidden=list(hidden), unprotected=unprotected)
    try:
        (cell,) = run_notebook([Cell("a", text, "student")], {}, nursery).cells
    finally:
        nursery.close()
    return cell.error or "".join(output.get("text", "") for output in cell.outputs).strip()


def is_reached(listener):
    """Tell whether somebody has connected."""
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def allow_all_calls(monkeypatch, folder):
    """Let rooms start from a copy of their code that refuses no system call."""
    shutil.copytree(INSIDE, folder)
    code = (folder / "confine.py").read_text("utf-8")
    open_wall = code.replace("def refuse_calls() -> None:", f"{ALL}    return\n\n\n{UNUSED}")
    assert open_wall != code
    (folder / "confine.py").write_text(open_wall, "utf-8")
    for module in (bubblewrap, sandbox):
        monkeypatch.setattr(module, "INSIDE", folder)


@pytest.mark.parametrize("family", ["AF_INET", "AF_UNIX"])
def test_a_listener_would_be_reached_and_each_wall_keeps_it(tmp_path, monkeypatch, family):
    with socket.socket(getattr(socket, family)) as listener:
        listener.bind(str(tmp_path / "socket") if family == "AF_UNIX" else ("127.0.0.1", 0))
        listener.listen()
        listener.setblocking(False)
        text = (
            f"import socket\nline = socket.socket(socket.{family})\n"
            f"line.connect({listener.getsockname()!r})\nprint('connected')"
        )
        refused = outcome(text, unprotected=True)  # the system calls' wall alone
        assert "PermissionError" in refused
        allow_all_calls(monkeypatch, tmp_path / "room")
        behind = outcome(text, unprotected=False)  # the namespaces' wall alone
        assert "ConnectionRefused" in behind or "FileNotFound" in behind or "OSError" in behind
        assert not is_reached(listener)
        assert outcome(text, unprotected=True) == "connected"  # no wall
        assert is_reached(listener)


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
