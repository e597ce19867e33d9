"""Two rooms: student code runs in one, the tests in the other; plain data crosses."""

from .answers import StudentError
from .door import (
    CannotCross,
    Room,
    RoomDied,
    RoomError,
    RoomTimeout,
    StandIn,
    Ticket,
)
from .limits import Limits
from .notebook import Cell, CellResult, NotebookResult, run_notebook
from .packages import PackagesMissing
from .sandbox import IsolationUnavailable, Nursery

__all__ = [
    "CannotCross",
    "Cell",
    "CellResult",
    "IsolationUnavailable",
    "Limits",
    "NotebookResult",
    "Nursery",
    "PackagesMissing",
    "Room",
    "RoomDied",
    "RoomError",
    "RoomTimeout",
    "StandIn",
    "StudentError",
    "Ticket",
    "run_notebook",
]
