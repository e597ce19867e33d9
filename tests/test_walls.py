"""The walls of a room, shown to be walls: what lies behind them is there, and would be reached."""

import socket

import pytest

from grading.rooms import Cell, Limits, Nursery, run_notebook


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


@pytest.mark.parametrize("family", ["AF_INET", "AF_UNIX"])
def test_a_listener_is_reached_without_a_sandbox_alone(tmp_path, family):
    with socket.socket(getattr(socket, family)) as listener:
        unix = family == "AF_UNIX"
        listener.bind(str(tmp_path / "socket") if unix else ("127.0.0.1", 0))
        listener.listen()
        listener.setblocking(False)
        text = (
            f"import socket\nline = socket.socket(socket.{family})\n"
            f"line.connect({listener.getsockname()!r})\nprint('connected')"
        )
        assert outcome(text, unprotected=True) == "connected"
        assert is_reached(listener)
        assert "Error" in outcome(text, unprotected=False)
        assert not is_reached(listener)


def test_a_course_is_seen_without_a_sandbox_alone(tmp_path):
    secret = tmp_path / "course" / "source" / "secret.txt"
    secret.parent.mkdir(parents=True)
    secret.write_text("a hidden test")
    text = f"print(open({str(secret)!r}).read())\n1"
    hidden = [tmp_path / "course"]
    assert outcome(text, True, hidden).startswith("a hidden test")
    assert "FileNotFoundError" in outcome(text, False, hidden)
