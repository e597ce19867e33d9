"""How long code of ours and of an author's may run in this process."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple, NoReturn

SHORTEST_WAIT = 0.01  # seconds
SIGNALS = {signal.ITIMER_VIRTUAL: signal.SIGVTALRM, signal.ITIMER_REAL: signal.SIGALRM}
WAITS = 5  # times its processor time, an author's code may wait for something


class Times(NamedTuple):
    """For how many seconds a submission's code may run, and so an author's."""

    notebook: float = 120.0
    call: float = 5.0


class OutOfTime(KeyboardInterrupt):
    """Our own work took too long; no `except Exception` of a test may take it."""


@contextmanager
def bounded(seconds: float, latest: float | None = None) -> Iterator[None]:
    """
    Bound the processor time that the block takes.

    Parameters
    ----------
    seconds : float
    latest : float, optional
        When it has to be done whatever it waits for, as `time.monotonic` counts.

    Raises
    ------
    OutOfTime
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals reach the main thread alone
        return

    def stop(*_: object) -> NoReturn:
        raise OutOfTime

    wall = WAITS * seconds if latest is None else latest - time.monotonic()
    now = {signal.ITIMER_VIRTUAL: time.process_time, signal.ITIMER_REAL: time.monotonic}
    most = {signal.ITIMER_VIRTUAL: seconds, signal.ITIMER_REAL: wall}
    outer = {kind: (signal.getitimer(kind)[0], signal.getsignal(SIGNALS[kind])) for kind in now}
    begin = {kind: read() for kind, read in now.items()}
    for kind, (left, _) in outer.items():
        if not left or most[kind] < left:
            signal.signal(SIGNALS[kind], stop)
            signal.setitimer(kind, max(most[kind], SHORTEST_WAIT))
    try:
        yield
    finally:
        for kind, (left, handler) in outer.items():
            rest = left - (now[kind]() - begin[kind])
            signal.setitimer(kind, max(rest, SHORTEST_WAIT) if left else 0)
            signal.signal(SIGNALS[kind], handler)
