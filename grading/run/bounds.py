"""How much the trusted side spends on one submission: bounds on its processor time and memory."""

from __future__ import annotations

import ctypes
import gc
import os
import resource
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

JOB_SECONDS = 60  # of processor time for each notebook, and one more for each MB that came in
GRACE_SECONDS = 10
WORKER_MB = 2048  # of memory, beyond what a worker has when it begins


PR_SET_PDEATHSIG = 1


class TookTooMuch(Exception):
    """Our own work on a submission passed its bound; the text says which."""


def become_worker() -> None:
    """Leave Ctrl-C to the process that hands out the jobs, end when that ends, stay small."""
    bound_memory()
    gc.freeze()  # what was made ready before is no rubbish
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def bound_memory() -> None:
    """Bound the memory of this worker for good: what asks for more gets a MemoryError."""
    if sys.platform != "linux":
        return
    with open("/proc/self/statm") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    most = resource.getrlimit(resource.RLIMIT_AS)[1]
    bound = now + WORKER_MB * 2**20
    if most != resource.RLIM_INFINITY:
        bound = min(bound, most)
    resource.setrlimit(resource.RLIMIT_AS, (bound, most))


@contextmanager
def bounded_time(size: int, notebooks: int = 1) -> Iterator[None]:
    """
    Bound the processor time that this process takes for the block; rooms count for themselves.

    In a thread nothing is bounded: signals reach the main thread alone. See `apart`.

    Parameters
    ----------
    size, notebooks : int
        Bytes that came in, and notebooks of the assignment: the bound is linear in both.

    Raises
    ------
    TookTooMuch
        Where it is passed, or memory ran out. Where the work goes on in C and does not listen,
        the system ends the process some seconds later.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    seconds = JOB_SECONDS * notebooks + size // 1_000_000
    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    signal.setitimer(signal.ITIMER_PROF, seconds + GRACE_SECONDS)  # its signal ends the process
    try:
        yield
    except MemoryError:
        raise TookTooMuch(f"our own work on it took more than {WORKER_MB} MB") from None
    except JobOutOfTime:
        said = f"our own work on it took more than {seconds} s of processor time"
        raise TookTooMuch(said) from None
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


class JobOutOfTime(KeyboardInterrupt):
    """
    Raised by the signal: no `except Exception` on the way may take it for its own.

    The marking room takes whatever a test raises for the test's result, but for an
    interrupt of its own process.
    """


def stop(number: int, frame: FrameType | None) -> None:
    """Stop the work at hand."""
    raise JobOutOfTime
