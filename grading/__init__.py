"""The package that publishes and marks the course's notebooks."""

from __future__ import annotations

__version__ = "0.2.0"


class CourseError(Exception):
    """Something that whoever runs the command has to mend; one clear line."""


class MistakeStops(CourseError):
    """A mistake of the table stops where it is defined: no fault of whom a test is about."""


class CellStops(CourseError):
    """
    A cell of the author's stops.

    Attributes
    ----------
    place : str
        The cell, and its line where it can be told: "rnn_forward, line 3".
    said : str
        What it stops with, behind the line.
    """

    def __init__(self, assignment: str, cell: str, line: int | None, error: str) -> None:
        super().__init__(assignment, cell, line, error)
        self.assignment, self.error = assignment, error
        self.place = f"{cell}, line {line}" if line else cell
        self.said = f"line {line}: stops with {error}" if line else f"stops with {error}"

    def __str__(self) -> str:
        return f"{self.assignment}, {self.place}: stops with {self.error}"


class StillRuns(CourseError):
    """
    Code of the author's has taken all the time that a submission's may take.

    Attributes
    ----------
    place : str
        The cell, and its line where it can be told; or the entry of mistakes.yaml.
    said : str
        What is wrong.
    """

    def __init__(
        self, assignment: str, place: str, seconds: float, what: str = "a submission"
    ) -> None:
        super().__init__(assignment, place, seconds, what)
        self.assignment, self.place = assignment, place
        so_long = f"it still runs after {seconds:g} s, all that {what} may take"
        self.said = f"{so_long}; does a loop never end?"

    def of(self, place: str) -> StillRuns:
        """Return the like, said of another place."""
        return StillRuns(self.assignment, place, *self.args[2:])

    def __str__(self) -> str:
        return f"{self.assignment}, {self.place}: {self.said}"
