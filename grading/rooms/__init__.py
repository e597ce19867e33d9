"""Two rooms: student code runs in one, the tests in the other; plain data crosses."""

from .answers import StudentError
from .cell import Cell, CellResult
from .door import Room, RoomDied, RoomError, RoomTimeout, Ticket
from .limits import Limits
from .notebook import NotebookResult, Took, run_notebook
from .packages import PackagesMissing
from .said import read_back
from .sandbox import PACKAGES, IsolationUnavailable, Nursery
from .stand_in import CannotCross, StandIn

__all__ = [
    "PACKAGES",
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
    "Took",
    "read_back",
    "run_notebook",
]
