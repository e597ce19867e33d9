"""
The warm process from which rooms are forked.

It has NumPy, Matplotlib and IPython loaded, and has never seen a submission. Over
its control line come requests, each one line of JSON; with "start" comes the room's
end of its own line.
"""

from __future__ import annotations

import base64
import gc
import importlib.util
import json
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from . import confine, student, wire
from .channel import Channel, ChannelClosed
from .memory import family, is_larger
from .shell import Shell
from .student import Loaded

SCRATCH = "/tmp"  # of rooms that have namespaces of their own
USES = 20  # of a module that is loaded beforehand: Python is faster then
LINE = 3  # the descriptor of a room's line
WATCH_SECONDS = 0.25


def main() -> None:
    """Warm up, say so, and start and end rooms until the control line closes."""
    options = json.loads(sys.argv[1])
    control = socket.socket(fileno=options["control"])
    if options["user"]:
        confine.become_user(options["user"])
    confine.adopt_orphans()
    shell = student.warm_up()
    gc.collect()
    gc.freeze()
    first = os.getpid()
    calls = base64.b64decode(options["calls"])
    nursery = RoomForker(control, shell, options["nested"], calls)
    nursery.reply({"ready": True})
    nursery.serve()
    if os.getpid() == first:  # and not a branch
        shutil.rmtree(options["folder"], ignore_errors=True)
    os._exit(0)  # to tidy up what was warmed up takes longer than a room


class RoomForker:
    """
    Forks rooms, and ends them.

    Parameters
    ----------
    control : socket.socket
    shell : Shell
    nested : bool
        Whether each room takes namespaces of its own.
    calls : bytes
        The filter of system calls; b"" for none.
    """

    def __init__(self, control: socket.socket, shell: Shell, nested: bool, calls: bytes) -> None:
        self.control = control
        self.shell = shell
        self.nested = nested
        self.calls = calls
        self.user = os.getuid(), os.getgid()
        self.folders: dict[int, str] = {}
        self.most_bytes: dict[int, int] = {}
        self.too_large: set[int] = set()
        self.branches: set[int] = set()
        self.loaded: dict[str, Loaded] = {}
        self.waiting = b""  # what has been received, and is no whole request yet
        self.descriptors: list[int] = []  # the lines that requests have brought, in their order

    def reply(self, answer: dict[str, object], number: int = 0) -> None:
        """Send one line: the number of a request, and the answer to it."""
        self.control.sendall(json.dumps([number, answer]).encode() + b"\n")

    def serve(self) -> None:
        """Answer requests until the control line closes."""
        looked = time.monotonic()
        while True:
            if time.monotonic() > looked + WATCH_SECONDS:
                self.watch()
                looked = time.monotonic()
            if self.folders and not select.select([self.control], [], [], WATCH_SECONDS)[0]:
                continue
            data, descriptors, _, _ = socket.recv_fds(self.control, 65536, 1)
            if not data:
                for room in list(self.folders):
                    self.end(room, 0)
                return
            self.descriptors += descriptors
            # several, where answers were not waited for, and a part of one
            *requests, self.waiting = (self.waiting + data).split(b"\n")
            for request in requests:
                self.answer(json.loads(request))

    def answer(self, request: dict[str, Any]) -> None:
        """Answer one request."""
        number = request["number"]
        if request["do"] == "load":
            self.load(request["name"], request["text"], request["use"])
        elif request["do"] == "branch":
            self.branch(socket.socket(fileno=self.descriptors.pop(0)), request["cores"])
        elif request["do"] == "start":
            line = socket.socket(fileno=self.descriptors.pop(0))
            try:
                self.reply({"room": self.start(line, request["limits"])}, number)
            except OSError as error:
                self.reply({"problem": str(error)}, number)
            line.close()
        elif request["do"] == "waited":
            self.reply({"seconds": seconds_waited(request["room"])}, number)
        else:
            self.reply(self.end(request["room"], request["patience"]), number)

    def load(self, name: str, text: str, use: str) -> None:
        """Load a module from its text, and use it: a cell that does so is run a few times."""
        spec = importlib.util.spec_from_file_location(Path(name).stem, f"{SCRATCH}/{name}")
        if spec is None:
            return
        module = importlib.util.module_from_spec(spec)
        sys.modules[module.__name__] = module
        try:
            exec(compile(text, f"{SCRATCH}/{name}", "exec"), vars(module))
            for _ in range(USES):
                self.shell.run(use, "cell")
            self.loaded[name] = Loaded(text.encode(), module)
        except Exception:  # the room that imports it says why
            return
        finally:
            del sys.modules[module.__name__]
        gc.collect()
        gc.freeze()

    def branch(self, control: socket.socket, cores: list[int]) -> None:
        """Fork a nursery, as warm as this one, on these cores, with a control line of its own."""
        branch = os.fork()
        if branch == 0:
            if cores:
                os.sched_setaffinity(0, cores)
            self.control.close()
            self.control = control
            self.folders, self.branches, self.most_bytes = {}, set(), {}
            confine.adopt_orphans()
            self.reply({"ready": True})
        else:
            control.close()
            self.branches.add(branch)

    def start(self, line: socket.socket, limits: dict[str, Any]) -> int:
        """Fork a room, and return its process id."""
        folder = SCRATCH if self.nested else tempfile.mkdtemp(prefix="room-")
        room = confine.fork_into_namespaces() if self.nested else os.fork()
        if room == 0:
            self.become_room(line, limits, folder)
        self.folders[room] = folder
        self.most_bytes[room] = limits["room_mb"] * 2**20
        return room

    def watch(self) -> None:
        """End rooms that hold more memory than all processes of a room may, together."""
        for room, most in self.most_bytes.items():
            if is_larger(room, most):
                self.too_large.add(room)
                os.kill(room, signal.SIGKILL)
                if not self.nested:  # or its children would hold its line
                    os.killpg(room, signal.SIGKILL)

    def end(self, room: int, patience: float) -> dict[str, object]:
        """
        End a room with all its processes; return how it ended and what it used.

        A room that is ending by itself gets `patience` seconds to do so.
        """
        deadline = time.monotonic() + patience
        ended, status, usage = os.wait4(room, os.WNOHANG)
        while not ended and time.monotonic() < deadline:
            time.sleep(0.002)
            ended, status, usage = os.wait4(room, os.WNOHANG)
        how = os.waitstatus_to_exitcode(status) if ended else None
        if not ended:
            os.kill(room, signal.SIGKILL)
            _, _, usage = os.wait4(room, 0)
        if not self.nested:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(room, signal.SIGKILL)
            shutil.rmtree(self.folders[room], ignore_errors=True)
            self.end_orphans()
        del self.folders[room], self.most_bytes[room]
        too_large = room in self.too_large
        self.too_large.discard(room)
        return {
            "status": how,
            "too_large": too_large,
            "cpu_seconds": usage.ru_utime + usage.ru_stime,
            "peak_mb": usage.ru_maxrss / (1024 if sys.platform == "linux" else 2**20),
        }

    def end_orphans(self) -> None:
        """Kill what a room without a process namespace has left behind."""
        try:
            with open(f"/proc/self/task/{os.getpid()}/children") as file:
                children = [int(child) for child in file.read().split()]
        except OSError:  # not Linux, or a sandbox that ends with its room
            return
        for child in children:
            if child not in self.folders and child not in self.branches:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)

    def become_room(self, line: socket.socket, limits: dict[str, Any], folder: str) -> NoReturn:
        """Be a room, in the child: give everything up, then listen to the line."""
        try:
            os.setsid()
            self.control.detach()
            keep_only(line.detach())
            confine.set_limits(limits)
            if self.nested:
                confine.name_user(*self.user)
                confine.mount_scratch(limits["disk_mb"])
            os.environ["HOME"] = folder
            os.chdir(folder)
            sys.path.insert(0, folder)
            if sys.platform == "linux":
                confine.drop_capabilities()
            if self.calls:
                confine.refuse_calls(self.calls)
            bounds = wire.Bounds(
                limits["message_bytes"], limits["message_items"], limits["message_depth"]
            )
            channel = Channel(socket.socket(fileno=LINE), 2 * bounds.bytes)
            student.StudentRoom(
                self.shell, channel, bounds, limits["output_bytes"], self.loaded
            ).serve()
        except ChannelClosed:
            os._exit(0)
        finally:
            os._exit(1)


def seconds_waited(room: int) -> float:
    """
    Return for how long a process was ready to run, and had no processor (proc(5)).

    Where it may have waited for its own threads and processes, it has waited for nobody.
    """
    try:
        with open(f"/proc/{room}/schedstat") as file:
            ran, waited = [int(word) / 1e9 for word in file.read().split()[:2]]
    except (OSError, ValueError):  # another system, or no /proc in here
        return 0.0
    beside = max(sum(map(processor_seconds, family(room))) - ran, 0.0)
    return max(waited - beside, 0.0)


def processor_seconds(process: int) -> float:
    """Return the processor time of a process, and of its children that it has seen end."""
    try:
        with open(f"/proc/{process}/stat", "rb") as file:
            words = file.read().rpartition(b")")[2].split()
        return sum(map(int, words[11:15])) / os.sysconf("SC_CLK_TCK")
    except OSError:  # it has ended
        return 0.0


def keep_only(line: int) -> None:
    """Close every descriptor but the room's line, which gets the number LINE."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.dup2(line, LINE)
    os.closerange(LINE + 1, 4096)


if __name__ == "__main__":
    main()
