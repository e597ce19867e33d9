"""What a student's room may use; nbgrader_config.py may set other numbers."""

from __future__ import annotations

from dataclasses import dataclass

from ..bounded import Times
from .room.wire import Bounds


@dataclass(frozen=True)
class Limits:
    """
    The bounds of one room and of one notebook.

    Attributes
    ----------
    memory_mb : int
        Address space of each process, beyond what a fresh room holds.
    room_mb : int
        Memory in use by all processes of a room together; it is looked at every 0.25 s.
    processes : int
        Processes and threads, the room's own included.
    cpu_seconds : int
        Processor time of each process.
    open_files : int
    disk_mb : int
        The scratch folder, and each file in it.
    start_seconds, cell_seconds, call_seconds : float
        Wall time until a room answers, of one cell, of one call of a function.
    notebook_seconds : float
        Wall time of a whole notebook.
    rooms : int
        How many rooms one notebook may use up.
    files_mb : int
        The assignment's own files, which each room gets to read.
    output_bytes : int
        Text and pictures kept of one cell.
    message_bytes, message_items, message_depth : int
        Size of one message between the rooms, how many values it may hold,
        and how deep they may be nested.
    """

    memory_mb: int = 1024
    room_mb: int = 1536
    processes: int = 8
    cpu_seconds: int = 120
    open_files: int = 64
    disk_mb: int = 64
    start_seconds: float = 20.0
    cell_seconds: float = 10.0
    call_seconds: float = Times().call
    notebook_seconds: float = Times().notebook
    rooms: int = 12
    files_mb: int = 24
    output_bytes: int = 2_000_000
    message_bytes: int = 64 * 2**20
    message_items: int = 100_000
    message_depth: int = 32

    @property
    def messages(self) -> Bounds:
        """The bounds of one message between the rooms."""
        return Bounds(self.message_bytes, self.message_items, self.message_depth)
