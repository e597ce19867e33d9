"""How much time a room takes, whatever else the machine does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from ..bounded import SHORTEST_WAIT

WALL_FACTOR, GRACE = 20, 10.0  # wall time: so many times what a room may take, and seconds more
MESSAGE_SECONDS = 5.0  # wall time in which an answer that has begun to come is whole


class Span(NamedTuple):
    """
    A question, and those in which it is asked.

    Attributes
    ----------
    begin : float
        When it was asked.
    end : float
        When their time is over, but for what the room has waited for a processor in all.
    latest : float
        When they have to be answered, however long it waited.
    """

    begin: float
    end: float
    latest: float


class Clock:
    """
    Counts the time that a room takes, without that in which it waits for a processor.

    So a busy machine changes no mark. Where the system does not tell how long a process
    has waited, wall time counts.

    Parameters
    ----------
    ask_waited : callable
        Returns the seconds for which the room has waited for a processor.
    budget : float
        Seconds that it may take in all.
    """

    def __init__(self, ask_waited: Callable[[], float], budget: float) -> None:
        self.ask_waited = ask_waited
        self.budget = budget
        self.passed = self.waited = 0.0
        self.spans: list[Span] = []

    def start(self, seconds: float) -> None:
        """Begin to count; the room may take so many seconds until it answers."""
        seconds, now = min(seconds, self.budget), time.monotonic()
        end, latest = now + seconds - self.waited, now + WALL_FACTOR * seconds + GRACE
        if self.spans:
            end, latest = min(end, self.spans[-1].end), min(latest, self.latest)
        self.spans.append(Span(now, end, latest))

    def stop(self) -> None:
        """Count no more for the last start."""
        begin = self.spans.pop().begin
        if not self.spans:
            self.passed += time.monotonic() - begin

    @property
    def used(self) -> float:
        """The seconds that the room has taken before this start."""
        return max(self.passed - self.waited, 0.0)

    @property
    def latest(self) -> float:
        """When the room has to answer, however long it waited for a processor."""
        return self.spans[-1].latest

    def left(self) -> float:
        """Return the seconds that are left, as far as is known without asking."""
        now, span = time.monotonic(), self.spans[-1]
        return min(span.end + self.waited - now, self.left_of_all(now), span.latest - now)

    def left_of_all(self, now: float) -> float:
        """Return what is left of the whole budget."""
        return self.budget - self.passed - (now - self.spans[0].begin) + self.waited

    def latest_end(self) -> float:
        """Return until when a message that has begun may come: a part may be all there is."""
        return min(self.latest, time.monotonic() + max(self.left(), 0.0) + MESSAGE_SECONDS)

    def is_spent(self) -> bool:
        """Tell whether all the time that the room had is used up."""
        return self.left_of_all(time.monotonic()) <= SHORTEST_WAIT

    def is_up(self) -> bool:
        """Tell whether the time is over, now that what the room has waited does not count."""
        if self.left() < SHORTEST_WAIT:
            self.waited = max(self.ask_waited(), self.waited)
        return self.left() < SHORTEST_WAIT
