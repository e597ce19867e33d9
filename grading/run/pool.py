"""Where submissions are marked: in this process, in several, or on a Dask cluster."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from grading import CourseError

Job = TypeVar("Job")
PR_SET_PDEATHSIG = 1
AHEAD = 3  # jobs waiting for each worker: enough to keep it busy, few enough to stay small
RETRIES = 2  # of a job whose worker in the cluster dies


class AtOnce(Executor):
    """Runs what is submitted at once, in this process."""

    def submit(self, function: Callable, /, *args: Any, **kwargs: Any) -> Future:
        """Run the function; its result, or what it raised, is in the future."""
        future: Future = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class Workers:
    """
    Workers for many jobs.

    Parameters
    ----------
    count : int
        Processes; 1 for none but this one.
    scheduler : str
        Address of a Dask scheduler, whose workers are used instead; "" for none.

    Attributes
    ----------
    are_elsewhere : bool
        Whether they may be on other machines, which do not see the course folder.

    Raises
    ------
    CourseError
        Where the scheduler does not answer.
    """

    def __init__(self, count: int, scheduler: str = "") -> None:
        self.count = count
        self.are_elsewhere = bool(scheduler)
        self.client = connect(scheduler) if scheduler else None
        if self.client is not None:
            self.count = max(sum(self.client.nthreads().values()), 1)
        self.executor = self.new_executor()

    def new_executor(self) -> Executor:
        """Return an executor of a kind that fits."""
        if self.client is not None:
            return self.client.get_executor(pure=False, retries=RETRIES)
        if self.count == 1:
            return AtOnce()
        # forked: all that is loaded and warmed up here is at hand there
        context = multiprocessing.get_context("fork")
        return ProcessPoolExecutor(self.count, context, initializer=become_worker)

    def run(
        self, function: Callable[[Job], Any], jobs: Iterable[Job]
    ) -> Iterator[tuple[Job, Any, Exception | None]]:
        """
        Run the function on each job; yield job, result and error as they are done.

        A few jobs are taken ahead, no more. Where a worker dies, the jobs under way are
        run again one by one, so that only the one that kills its worker fails.
        """
        jobs = iter(jobs)
        running: dict[Future, Job] = {}
        while True:
            lost = []
            while len(running) < AHEAD * self.count and not lost:
                job = next(jobs, None)
                if job is None:
                    break
                try:
                    running[self.executor.submit(function, job)] = job
                except BrokenProcessPool:  # noticed only now
                    lost.append(job)
            if not running and not lost:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done if not lost else ():
                job, error = running.pop(future), future.exception()
                if isinstance(error, BrokenProcessPool):
                    lost.append(job)
                else:
                    yield job, None if error else future.result(), error
            if lost:
                lost += running.values()
                running.clear()
                for job in lost:
                    yield job, *self.run_alone(function, job)

    def run_alone(self, function: Callable[[Job], Any], job: Job) -> tuple[Any, Exception | None]:
        """Run one job in a new pool, with nothing beside it; return result and error."""
        self.executor.shutdown(wait=False, cancel_futures=True)
        self.executor = self.new_executor()
        future = self.executor.submit(function, job)
        error = future.exception()
        return None if error else future.result(), error

    def close(self) -> None:
        """Let the workers go."""
        if self.client is not None:
            self.client.close()
        else:
            self.executor.shutdown(wait=False, cancel_futures=True)
            for worker in multiprocessing.active_children():  # what is under way is not waited for
                worker.terminate()


def connect(scheduler: str) -> Any:
    """Return the client of a Dask cluster."""
    from distributed import Client

    try:
        return Client(scheduler, timeout="10s", set_as_default=False)
    except (OSError, ValueError) as error:
        raise CourseError(
            f"{scheduler}: no Dask scheduler answers there ({' '.join(str(error).split())});"
            " start one with `dask scheduler`"
        ) from None


def become_worker() -> None:
    """Leave Ctrl-C to the process that hands out the jobs, and end when that ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
