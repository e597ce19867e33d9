"""Two rooms: student code runs in one, the tests in the other; plain data crosses."""

from .limits import Limits
from .marking import (
    CannotCross,
    Room,
    RoomDied,
    RoomError,
    RoomTimeout,
    StandIn,
    StudentError,
)
from .notebook import Cell, CellResult, NotebookResult, run_notebook
from .sandbox import IsolationUnavailable, Nursery

__all__ = [
    "CannotCross",
    "Cell",
    "CellResult",
    "IsolationUnavailable",
    "Limits",
    "NotebookResult",
    "Nursery",
    "Room",
    "RoomDied",
    "RoomError",
    "RoomTimeout",
    "StandIn",
    "StudentError",
    "run_notebook",
]
