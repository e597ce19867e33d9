"""The ways to isolate rooms: what bubblewrap is told, and what a room sees of this machine."""

from __future__ import annotations

import base64
import glob
import json
import os
import random
import sys
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import NamedTuple

from .limits import Limits
from .system_calls import filter_of_calls

INSIDE = Path(__file__).resolve().with_name("room")  # all that runs in rooms
SEEN_PYTHON, SEEN_PACKAGES, SEEN_ROOM = "/opt/python", "/opt/packages", "/opt/room"
ROOM_USERS = range(60600, 61100)  # as whom rooms run when root grades: nobody's numbers
WARM_MB = 64  # of scratch for a warm process
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")

UNPROTECTED = (
    "Rooms are separate processes with resource limits. This is no protection against a "
    "determined student."
)


class Way(NamedTuple):
    """
    One way to isolate rooms.

    Attributes
    ----------
    name : str
    statement : str
        What holds, in plain words.
    bwrap : tuple of str, or None
        Options of bubblewrap; None for no sandbox.
    from_root : bool
        Whether the nursery starts as root, and becomes an ordinary user.
    nested : bool
        Whether one sandbox serves all rooms, each in namespaces of its own.
    """

    name: str
    statement: str
    bwrap: tuple[str, ...] | None
    from_root: bool = False
    nested: bool = False


def ways(unprotected: bool) -> list[Way]:
    """Return the ways to isolate rooms that may work here, the best first."""
    if unprotected:
        return [Way("unprotected", UNPROTECTED, None)]
    own_user = ("--unshare-user", "--uid", "1000", "--gid", "1000")
    as_root = ("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID")
    users: list[tuple[tuple[str, ...], bool]] = [(own_user, False)]
    if os.geteuid() == 0:
        users.insert(0, (as_root, True))
    always = (
        "no network, no files but Python's own and a scratch folder, no privileges, "
        "bounded memory, processes, time, output and disk."
    )
    return [
        Way("nested", f"bubblewrap, each room in namespaces of its own: {always}", o, u, True)
        for o, u in users
    ] + [
        Way("single", f"bubblewrap, one sandbox for each room: {always}", o, u, False)
        for o, u in users
    ]


# ------------------------------------------------------------- what a room sees


def python_paths() -> tuple[str, str]:
    """Return this Python's installation folder and its program."""
    program = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    return os.path.realpath(sys.base_prefix), program


def seen(path: str, binds: list[tuple[str, str]]) -> str | None:
    """Return the name that a path has inside the sandbox, None for one that is not there."""
    for source, target in binds:
        if path == source or path.startswith(source + "/"):
            return target + path[len(source) :]
    return None


def file_system(packages: str, hidden: list[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """
    Return bubblewrap's options for what a room sees, and its binds (source, target).

    Python and its packages are put at neutral places: no name of a folder of
    this machine is seen.
    """
    prefix, _ = python_paths()
    binds = [("/usr", "/usr")]
    options = []
    for folder in ("/bin", "/sbin", "/lib", "/lib32", "/lib64"):
        if os.path.islink(folder):
            options += ["--symlink", os.readlink(folder).lstrip("/"), folder]
        elif os.path.isdir(folder):
            binds.append((folder, folder))
    for path in ("/etc/ld.so.cache", "/etc/alternatives"):
        if os.path.exists(path):
            binds.append((path, path))
    if seen(prefix, binds) is None:
        binds.append((prefix, SEEN_PYTHON))
    binds.append((packages, SEEN_PACKAGES))
    # file by file: what Python has compiled beside them names this machine's folders
    binds += [(str(path), f"{SEEN_ROOM}/room/{path.name}") for path in INSIDE.glob("*.py")]
    for folder in ("/opt", SEEN_ROOM, f"{SEEN_ROOM}/room"):
        options += ["--perms", "0755", "--dir", folder]
    for source, target in binds:
        options += ["--ro-bind", source, target]
    unneeded = [] if f"{prefix}/".startswith("/usr/local/") else ["/usr/local"]
    unneeded += glob.glob(f"{prefix}/lib/python*/*-packages")
    for path in [*unneeded, "/usr/share/fonts", *hidden]:
        place = seen(path, [b for b in binds if os.path.isdir(b[0])])
        if place and os.path.isdir(path):
            options += ["--tmpfs", place, "--remount-ro", place]
    return options, binds


BOOT = "import sys; sys.path += {path!r}; from room import nursery; nursery.main()"


def command(set_up: SetUp, folder: str, control: int) -> list[str]:
    """Return the command that starts a nursery."""
    way = set_up.way
    prefix, program = python_paths()
    options, binds = file_system(set_up.packages, set_up.hidden)
    path = [f"{folder}/opt", set_up.packages]
    scratch = folder
    if way.bwrap is not None:
        path = [SEEN_ROOM, SEEN_PACKAGES]
        prefix, program = (seen(each, binds) or each for each in (prefix, program))
        scratch = "/tmp"
    environment = {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": scratch,
        "TMPDIR": scratch,
        "MPLCONFIGDIR": scratch,
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "PYTHONHASHSEED": "0",  # a second run gives the same
        "LD_LIBRARY_PATH": f"{prefix}/lib",
        **dict.fromkeys(ONE_THREAD, "1"),
    }
    user = random.choice(ROOM_USERS) if way.from_root else 0
    options_inside = {"control": control, "user": user, "nested": way.nested, "folder": folder}
    calls = b""
    with suppress(OSError) if way.bwrap is None else nullcontext():  # macOS, or no libseccomp
        calls = filter_of_calls()
    options_inside["calls"] = base64.b64encode(calls).decode()
    python = [program, "-s", "-S", "-P", "-B", "-c", BOOT.format(path=path)]
    python.append(json.dumps(options_inside))
    # in a way that is nested, each room mounts its own
    scratch_mb = WARM_MB if way.nested else set_up.limits.disk_mb
    if way.bwrap is None:
        return ["env", "-i", *(f"{k}={v}" for k, v in environment.items()), *python]
    return [
        "bwrap", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts",
        "--as-pid-1",
        "--unshare-cgroup-try", "--hostname", "room", "--die-with-parent", "--new-session",
        "--cap-drop", "ALL", *way.bwrap,
        *options, "--dev", "/dev", "--remount-ro", "/dev",
        *(["--proc", "/proc"] if way.nested else []),
        "--perms", "1777", "--size", str(scratch_mb * 2**20), "--tmpfs", "/tmp",
        "--remount-ro", "/", "--chdir", "/tmp", "--clearenv",
        *(word for k, v in environment.items() for word in ("--setenv", k, v)),
        "--", *python,
    ]  # fmt: skip


class SetUp(NamedTuple):
    """What a nursery's process is started with."""

    way: Way
    limits: Limits
    packages: str
    hidden: list[str]
