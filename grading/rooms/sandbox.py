"""The trusted side of the warm process: it is started in bubblewrap, and asked for rooms."""

from __future__ import annotations

import atexit
import dataclasses
import json
import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

from .bubblewrap import INSIDE, SEEN_PACKAGES, SetUp, Way, command, ways
from .limits import Limits
from .packages import PackagesMissing, packages_folder
from .room import wire
from .room.channel import Channel, ChannelError

PACKAGES = ("numpy", "matplotlib", "ipython")  # what students have
START_SECONDS = 60.0


APPARMOR = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")  # of Ubuntu 24.04
WITHOUT = (
    "where it cannot be had, --unprotected (for nbgrader's own commands"
    " --Autograde.unprotected=True) grades without a sandbox."
)


class IsolationUnavailable(Exception):
    """No sandbox can be had here; the text says what to do, in one line."""


class ControlLine:
    """
    The line on which a nursery's process is asked for rooms.

    Parameters
    ----------
    limits : dict
        As in `Limits`.
    """

    def __init__(self, limits: dict[str, Any]) -> None:
        self.limits = limits
        self.ready = False
        self.asked = 0  # requests so far
        self.waiting = b""  # what has been received, and not been read
        self.control, self.theirs = socket.socketpair()

    def wait_until_ready(self) -> None:
        """Wait until rooms can be started; raise OSError where that does not come about."""
        self.answer(START_SECONDS)
        self.ready = True

    def answer(self, seconds: float) -> Any:
        """Return the answer to the last request; one to an earlier request has come too late."""
        deadline = time.monotonic() + seconds
        while True:
            line, ended, rest = self.waiting.partition(b"\n")
            if ended:
                self.waiting = rest
                number, answer = json.loads(line)
                if number == self.asked:
                    return answer
                continue
            self.control.settimeout(max(deadline - time.monotonic(), 0.001))
            piece = self.control.recv(65536)
            if not piece:
                raise OSError(self.last_words())
            self.waiting += piece

    def last_words(self) -> str:
        """Return what the process said last."""
        return "it ended without a word"

    def ask(self, request: dict[str, object], line: socket.socket | None = None) -> None:
        """Send a request, and with it the nursery's end of a line."""
        self.asked += 1
        message = json.dumps(request | {"number": self.asked}).encode() + b"\n"
        if line is None:
            self.control.sendall(message)
            return
        with line:
            socket.send_fds(self.control, [message], [line.fileno()])

    def start_room(self) -> tuple[socket.socket, int]:
        """Return our end of a new room's line, and the room's number."""
        ours, theirs = socket.socketpair()
        self.ask({"do": "start", "limits": self.limits}, theirs)
        answer = self.answer(self.limits["start_seconds"])
        if "room" not in answer:
            ours.close()
            raise OSError(answer["problem"])
        return ours, answer["room"]

    def end_room(self, room: int, patience: float = 0.0) -> Usage:
        """End a room; return how it ended and what it used."""
        self.ask({"do": "end", "room": room, "patience": patience})
        return self.answer(self.limits["start_seconds"])

    def waited(self, room: int) -> float:
        """Return for how many seconds a room has waited for a processor, as far as is known."""
        self.ask({"do": "waited", "room": room})
        return self.answer(self.limits["start_seconds"])["seconds"]

    def branch(self) -> ControlLine:
        """Return a line to a new process, forked from the warm one."""
        line = ControlLine(self.limits)
        on = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []
        self.ask({"do": "branch", "cores": on}, line.theirs)
        line.wait_until_ready()
        return line

    def close(self) -> None:
        """End the process, with all its rooms."""
        with suppress(OSError):
            self.control.shutdown(socket.SHUT_RDWR)  # also where a fork of ours still holds it
        self.control.close()


class Process(ControlLine):
    """A nursery's process, started by us."""

    def __init__(self, set_up: SetUp) -> None:
        super().__init__(dataclasses.asdict(set_up.limits))
        way = set_up.way
        if way.name == "unprotected":  # the user's other processes would count
            self.limits["processes"] = None
        self.folder = tempfile.mkdtemp(prefix="rooms-") if way.bwrap is None else ""
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        if way.bwrap is None:
            room = Path(self.folder) / "opt" / "room"
            room.mkdir(parents=True)
            for path in INSIDE.glob("*.py"):
                shutil.copy(path, room)
        with self.theirs:
            self.popen = subprocess.Popen(
                command(set_up, self.folder, self.theirs.fileno()),
                pass_fds=[self.theirs.fileno()],
                cwd="/",  # not the course
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self.errors,
                start_new_session=True,
            )

    def last_words(self) -> str:
        """Return the last line that the process wrote to standard error."""
        self.errors.seek(0)
        lines = self.errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else super().last_words()

    def close(self) -> None:
        """End the process, with all its rooms."""
        super().close()
        try:
            self.popen.wait(5)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
        self.errors.close()
        shutil.rmtree(self.folder, ignore_errors=True)


_early: list[tuple[SetUp, Process]] = []


def start_early() -> None:
    """Start the best kind of warm process for the course here, for the Nursery to find."""
    root = next(
        (f for f in [Path.cwd(), *Path.cwd().parents] if (f / "nbgrader_config.py").is_file()), None
    )
    if sys.platform == "linux" and shutil.which("bwrap") and root is not None and not _early:
        with suppress(OSError, PackagesMissing):  # the Nursery will say what is wrong
            folder = str(packages_folder(PACKAGES, SEEN_PACKAGES))
            set_up = SetUp(ways(False)[0], Limits(), folder, [os.path.realpath(root)])
            _early.append((set_up, Process(set_up)))
            atexit.register(forget_early)


def start_process(set_up: SetUp) -> Process:
    """Return a process, the one that was started early if it will do."""
    while _early:
        early, process = _early.pop()
        if early._replace(limits=set_up.limits) == set_up:
            process.limits = dataclasses.asdict(set_up.limits)
            return process
        process.close()
    return Process(set_up)


def forget_early() -> None:
    """End a process that was started early and not wanted."""
    while _early:
        _early.pop()[1].close()


class Usage(TypedDict):
    """
    How a room ended, and what it used.

    Attributes
    ----------
    status : int or None
        As of `Popen.returncode`; None where it was ended.
    too_large : bool
        Whether it was ended for the memory that it held.
    cpu_seconds, peak_mb : float
    """

    status: int | None
    too_large: bool
    cpu_seconds: float
    peak_mb: float


class StartedRoom(NamedTuple):
    """
    A room that has just been started.

    Attributes
    ----------
    line : socket
        Our end of its line.
    end : callable
        Ends it. It takes the seconds that a room gets which is ending by itself.
    waited : callable
        Returns for how many seconds it has waited for a processor.
    """

    line: socket.socket
    end: Callable[[float], Usage]
    waited: Callable[[], float]


class Nursery:
    """
    Where rooms come from.

    A warm process forks them; where the system refuses nested namespaces, each room
    has such a process, in a sandbox of its own. Start it in a thread that lives as
    long as its rooms are needed.

    Parameters
    ----------
    limits : Limits
    hidden : list of path, optional
        Folders that no room may see, whatever they lie in.
    packages : sequence of str
        What is installed in rooms, with all that it needs.
    unprotected : bool
        Whether to do without a sandbox. It is never done without being asked for.
    only : str, optional
        The name of the way to use, for tests.

    Attributes
    ----------
    isolation : str
        What keeps rooms apart here, in plain words.

    Raises
    ------
    IsolationUnavailable
        Where no sandbox can be had.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        hidden: Sequence[str | os.PathLike] = (),
        packages: Sequence[str] = PACKAGES,
        unprotected: bool = False,
        only: str = "",
    ) -> None:
        self.limits = limits or Limits()
        self.lock = threading.RLock()
        self.turn = multiprocessing.get_context("fork").Lock()
        self.process: ControlLine | None = None
        self.owner = os.getpid()
        try:
            folder = str(packages_folder(packages, SEEN_PACKAGES))
        except PackagesMissing as problem:
            raise IsolationUnavailable(str(problem)) from None
        except OSError as problem:
            raise IsolationUnavailable(
                f"Rooms keep their packages in a cache, which cannot be written ({problem}): set"
                " XDG_CACHE_HOME to a folder that can be."
            ) from None
        self.set_up = self._find_way(
            [w for w in ways(unprotected) if only in ("", w.name)],
            folder,
            [os.path.realpath(path) for path in hidden],
        )
        way = self.set_up.way
        self.one_each = way.bwrap is not None and not way.nested
        self.isolation = way.statement
        atexit.register(self.close)

    def start_room(self) -> StartedRoom:
        """Return a new room."""
        with self.lock:
            if self.owner != os.getpid():  # after a fork, the warm process is another's
                self.owner, self.process = os.getpid(), self._branch()
            try:
                process, line, room = self._take_room()
            except OSError:  # the process has died, for whatever reason: once more
                process, line, room = self._take_room()
        return StartedRoom(
            line,
            lambda patience: self._end_room(process, room, patience),
            lambda: self._waited(process, room),
        )

    def load(self, name: str, text: str, use: str) -> None:
        """
        Load a module of ours in the warm process: rooms that are given just this file have it so.

        Parameters
        ----------
        name : str
            Of the file: "rnn_checks.py".
        text : str
        use : str
            A cell that uses what is in it, to warm it up.
        """
        with self.lock, suppress(OSError):  # it has died: another one will do without
            if self.process is not None and self.set_up.way.nested:
                self.process.ask({"do": "load", "name": name, "text": text, "use": use})

    def close(self) -> None:
        """End the warm process, and all rooms with it."""
        with self.lock:
            if self.process is not None and self.owner == os.getpid():
                self.process.close()
            self.process = None

    def __enter__(self) -> Nursery:
        """Return the nursery."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def _branch(self) -> ControlLine | None:
        """Return a line to a process forked from the one that was warmed up before."""
        if self.process is None or self.one_each:
            return None
        with self.turn, suppress(OSError):  # all forks have the same line to ask on
            return self.process.branch()
        return None

    def _take_room(self) -> tuple[ControlLine, socket.socket, int]:
        """Start a room; return its process, our end of its line, and its number."""
        process, self.process = self.process or Process(self.set_up), None
        try:
            if not process.ready:
                process.wait_until_ready()
            line, room = process.start_room()
        except OSError:
            process.close()
            raise
        # A process that serves one room alone has a spare, which warms up meanwhile.
        self.process = Process(self.set_up) if self.one_each else process
        return process, line, room

    def _waited(self, process: ControlLine, room: int) -> float:
        with self.lock, suppress(OSError):
            return process.waited(room)
        return 0.0

    def _end_room(self, process: ControlLine, room: int, patience: float) -> Usage:
        with self.lock:
            try:
                return process.end_room(room, patience)
            except OSError:
                return {"status": None, "too_large": False, "cpu_seconds": 0.0, "peak_mb": 0.0}
            finally:
                if self.one_each:
                    process.close()

    def _find_way(self, candidates: list[Way], packages: str, hidden: list[str]) -> SetUp:
        """Return the first way in which a room does start."""
        if sys.platform == "win32":
            raise IsolationUnavailable("Rooms need Linux: grade in WSL or in a container.")
        protected = [way for way in candidates if way.bwrap is not None]
        if protected and shutil.which("bwrap") is None:
            raise IsolationUnavailable(
                f"Rooms need bubblewrap (on Debian and Ubuntu: apt install bubblewrap); {WITHOUT}"
            )
        problem = ""
        for way in candidates:
            process = None
            set_up = SetUp(way, self.limits, packages, hidden)
            try:
                process = start_process(set_up)
                process.wait_until_ready()
                line, room = process.start_room()
                ping(line, self.limits)
                process.end_room(room)
            except OSError as error:
                problem = problem or str(error)
                if process is not None:
                    process.close()
                continue
            if way.nested or way.bwrap is None:
                self.process = process
            else:
                process.close()
            return set_up
        raise IsolationUnavailable(
            f"bubblewrap does not work here ({problem}){remedy(problem)}; {WITHOUT}"
        )


def remedy(problem: str, restricted: Path = APPARMOR) -> str:
    """Say what lets bubblewrap work, where that can be told."""
    # AppArmor lets it make a namespace, and then refuses what it does in there.
    in_there = "uid map" in problem or "RTM_NEWADDR" in problem
    if in_there and restricted.is_file() and restricted.read_text().strip() == "1":
        return ": AppArmor keeps it from making namespaces; docs/platforms.md has the profile"
    return ": the system, or the container, has to allow namespaces; docs/platforms.md says how"


def ping(line: socket.socket, limits: Limits) -> None:
    """Raise OSError unless a new room answers."""
    channel = Channel(line, 2**20)
    try:
        channel.send(wire.encode({"do": "begin", "files": {}}, limits.messages)[0])
        channel.receive(time.monotonic() + START_SECONDS)
    except ChannelError:
        raise OSError("a room could not confine itself") from None
    finally:
        channel.close()
