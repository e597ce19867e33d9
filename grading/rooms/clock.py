"""How much time a room takes, whatever else the machine does."""

from __future__ import annotations

import time
from collections.abc import Callable

WALL_FACTOR, GRACE = 20, 10.0  # wall time: so many times what a room may take, and seconds more
MESSAGE_SECONDS = 5.0  # wall time in which an answer that has begun to come is whole
SHORTEST_WAIT = 0.01  # seconds


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

    def start(self, seconds: float) -> None:
        """Begin to count; the room may take so many seconds until it answers."""
        self.seconds = min(seconds, self.budget)
        self.begin, self.waited_before = time.monotonic(), self.waited
        self.latest = self.begin + WALL_FACTOR * self.seconds + GRACE

    def stop(self) -> None:
        """Count no more until the next start."""
        self.passed += time.monotonic() - self.begin

    @property
    def used(self) -> float:
        """The seconds that the room has taken before this start."""
        return max(self.passed - self.waited, 0.0)

    def left(self) -> float:
        """Return the seconds that are left, as far as is known without asking."""
        now = time.monotonic() - self.begin
        of_this = self.seconds - now + (self.waited - self.waited_before)
        of_all = self.budget - self.passed - now + self.waited
        return min(of_this, of_all, self.latest - time.monotonic())

    def latest_end(self) -> float:
        """Return until when a message that has begun may come: a part may be all there is."""
        return min(self.latest, time.monotonic() + max(self.left(), 0.0) + MESSAGE_SECONDS)

    def is_spent(self) -> bool:
        """Tell whether all the time that the room had is used up."""
        now = time.monotonic() - self.begin
        return self.passed + now - self.waited >= self.budget - SHORTEST_WAIT

    def is_up(self) -> bool:
        """Tell whether the time is over, now that what the room has waited does not count."""
        if self.left() < SHORTEST_WAIT:
            self.waited = max(self.ask_waited(), self.waited)
        return self.left() < SHORTEST_WAIT
