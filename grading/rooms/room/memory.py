"""How much memory a room has in use, with all its processes."""

from __future__ import annotations

import os


def is_larger(room: int, most: int) -> bool:
    """
    Tell whether a room's processes hold more than `most` bytes together.

    What several of them share is counted once (proc(5), `Pss`); it is looked up only where
    the sum of all that each of them sees is too large. False where the system does not tell.
    """
    processes = family(room)
    return sum(map(resident, processes)) > most and sum(map(proportional, processes)) > most


def family(first: int) -> list[int]:
    """Return a process and all that descend from it."""
    children: dict[int, list[int]] = {}
    try:
        processes = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []
    for process in processes:
        children.setdefault(parent_of(process), []).append(process)
    found = [first]
    for process in found:
        found += children.get(process, [])
    return found


def parent_of(process: int) -> int:
    """Return a process's parent; 0 where it has ended."""
    try:
        with open(f"/proc/{process}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[1])
    except (OSError, IndexError):
        return 0


def resident(process: int) -> int:
    """Return the bytes of memory that a process has, its own or shared."""
    try:
        with open(f"/proc/{process}/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def proportional(process: int) -> int:
    """Return the bytes that a process has, of what it shares its part alone."""
    try:
        with open(f"/proc/{process}/smaps_rollup", "rb") as file:
            lines = (line.split() for line in file)
            return next(1024 * int(words[1]) for words in lines if words[0] == b"Pss:")
    except (OSError, StopIteration):
        return 0
