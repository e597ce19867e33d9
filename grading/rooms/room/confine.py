"""What a room does to itself before it reads a byte of student code: it gives things up."""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import signal
import struct
import sys
from typing import Any

ROOM_USER = 1000  # as which a room sees itself

# From linux/sched.h: new mount, host name, message queue, user, process and network namespaces.
NAMESPACES = 0x00020000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_RDONLY = 2, 4, 8, 1
PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_CHILD_SUBREAPER = 4, 22, 36
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 24, 38
CAPABILITY_VERSION = 0x20080522
CLONE = {"x86_64": 56, "aarch64": 220}


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _prctl(option: int, *values: object) -> None:
    _check(_libc().prctl(option, *[*values, 0, 0, 0, 0][:4]), f"prctl {option}")


def become_user(user: int) -> None:
    """Leave root for good, and become an ordinary user."""
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    _prctl(PR_SET_DUMPABLE, 1)  # or /proc/self would still belong to root


def adopt_orphans() -> None:
    """Become the parent of processes whose parent ends, where the system knows how."""
    if sys.platform == "linux":
        _prctl(PR_SET_CHILD_SUBREAPER, 1)


def fork_into_namespaces() -> int:
    """
    Fork a child that is the first process in namespaces of its own; return as `os.fork` does.

    It is `os.fork`, but for the flags: with `unshare`, it would take two forks, and a fork
    takes longer than all that a room does to itself. The C library's own hooks for forks
    are not run; in a process of one thread none is needed.
    """
    if platform.machine() not in CLONE:
        raise OSError(f"the number of clone on {platform.machine()} is not known")
    libc, python = ctypes.PyDLL(None, use_errno=True), ctypes.pythonapi
    python.PyOS_BeforeFork()
    child = libc.syscall(CLONE[platform.machine()], NAMESPACES | signal.SIGCHLD, 0, 0, 0, 0)
    if child == 0:
        python.PyOS_AfterFork_Child()
    else:
        python.PyOS_AfterFork_Parent()
    _check(min(child, 0), "clone")
    return child


def name_user(user: int, group: int) -> None:
    """Be `ROOM_USER` in a new user namespace, who was `user` and `group` outside."""
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{ROOM_USER} {user} 1"),
        ("gid_map", f"{ROOM_USER} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def mount_scratch(disk_mb: int) -> None:
    """Cover /tmp with an empty folder of bounded size, and /proc with nothing at all."""
    flags = MS_NOSUID | MS_NODEV
    options = f"size={disk_mb}m,nr_inodes=4096,mode=700,uid={ROOM_USER},gid={ROOM_USER}"
    _check(_libc().mount(b"tmpfs", b"/tmp", b"tmpfs", flags, options.encode()), "mount /tmp")
    flags |= MS_NOEXEC | MS_RDONLY
    _check(_libc().mount(b"tmpfs", b"/proc", b"tmpfs", flags, b"size=4k"), "cover /proc")


def drop_capabilities() -> None:
    """Give up every privilege, also those that a program could bring back."""
    libc = _libc()
    for capability in range(64):
        if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    header = struct.pack("Ii", CAPABILITY_VERSION, 0)
    _check(libc.capset(header, bytes(24)), "capset")


def set_limits(limits: dict[str, Any]) -> None:
    """Set the resource limits of this process and its children."""
    disk, files = limits["disk_mb"] * 2**20, limits["open_files"]
    seconds = limits["cpu_seconds"]
    bounds = {
        "RLIMIT_AS": address_space() + limits["memory_mb"] * 2**20,
        "RLIMIT_NPROC": limits["processes"],  # None where other processes count too
        "RLIMIT_FSIZE": disk,
        "RLIMIT_NOFILE": files,
        "RLIMIT_CORE": 0,
        "RLIMIT_MEMLOCK": 0,
        "RLIMIT_MSGQUEUE": 0,
        "RLIMIT_CPU": seconds,
    }
    for name, bound in bounds.items():
        kind = getattr(resource, name, None)
        if kind is not None and bound is not None:
            _set_limit(kind, bound)
    if os.path.exists("/proc/self/oom_score_adj"):  # if memory runs out, rooms go first
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")


def _set_limit(kind: int, bound: int) -> None:
    most = resource.getrlimit(kind)[1]
    if most != resource.RLIM_INFINITY:
        bound = min(bound, most)
    try:
        resource.setrlimit(kind, (bound, bound))
    except (ValueError, OSError):  # macOS knows some of them by name only
        if sys.platform == "linux":
            raise


def address_space() -> int:
    """Return how many bytes of address space this process has."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 2**29  # no /proc in here: about what it is, and some more


def refuse_calls(program: bytes) -> None:
    """Let the kernel refuse system calls, by a program of its packet filter (linux/filter.h)."""
    block = ctypes.create_string_buffer(program)
    pointer = ctypes.create_string_buffer(
        struct.pack("HP", len(program) // 8, ctypes.addressof(block))
    )
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    _prctl(PR_SET_SECCOMP, 2, pointer)
