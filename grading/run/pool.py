"""Where submissions are marked: in this process, in several, or on a Dask cluster."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import pickle
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from grading import CourseError
from grading.run.apart import work_apart
from grading.run.bounds import become_worker

JobT = TypeVar("JobT")
AHEAD = 4  # jobs handed out for each worker: enough to keep it busy, few enough to stay small
TOGETHER_SECONDS = 0.5  # that what is done waits for others: entered together, it takes less
MOST_TOGETHER = 12  # of which more would gain nothing
RETRIES = 2  # of a job whose worker in the cluster dies


def together(done: SimpleQueue[Future], wanted: int) -> Iterator[Future]:
    """Yield what is done: wait for one, and a little for so many, and take what is there."""
    yield done.get()
    until = time.monotonic() + TOGETHER_SECONDS
    for number in itertools.count(1):
        left = until - time.monotonic() if number < wanted else 0.0
        try:
            yield done.get(timeout=max(left, 0.0))
        except Empty:
            return


class Workers:
    """
    Workers for many jobs.

    Parameters
    ----------
    count : int
        Processes.
    work : callable
        Does a job. It may hold much: each worker gets it once, and not with every job.
    scheduler : str
        Address of a Dask scheduler, whose workers are used instead; "" for none.

    Raises
    ------
    CourseError
        Where the scheduler does not answer.
    """

    def __init__(self, count: int, work: Callable[[Any], Any], scheduler: str = "") -> None:
        self.count, self.work = count, work
        self.client = connect(scheduler) if scheduler else None
        if self.client is not None:
            self.count = max(sum(self.client.nthreads().values()), 1)
            # what a task returns goes from worker to worker, and is made again if it is lost
            self.packed = self.client.submit(bytes, pickle.dumps(work), pure=False, retries=RETRIES)
        self.executor = self.new_executor()

    def new_executor(self) -> Executor:
        """Return an executor of a kind that fits."""
        if self.client is not None:
            return self.client.get_executor(pure=False, retries=RETRIES)
        # forked: all that is loaded and warmed up here is at hand there
        context = multiprocessing.get_context("fork")
        places = context.SimpleQueue()
        for core in cores_for(self.count):
            places.put(core)
        executor = ProcessPoolExecutor(self.count, context, start_with, (self.work, places))
        executor.submit(int)  # this forks them, before Dask has threads that hold locks
        return executor

    def submit(self, job: object) -> Future:
        """Hand a job to the workers."""
        if self.client is not None:
            return self.executor.submit(work_apart, self.packed, pickle.dumps(job))
        return self.executor.submit(do, job)

    def outcome(self, future: Future) -> tuple[Any, BaseException | None]:
        """Wait for what came of a job: its result, or an error."""
        error = future.exception()
        if error is not None:
            return None, error
        return pickle.loads(future.result()) if self.client else (future.result(), None)

    def run(
        self, take: Callable[[], JobT | None]
    ) -> Iterator[tuple[JobT, Any, BaseException | None]]:
        """Do one job after the other; yield job, result and error as they are done."""
        for batch in self.batches(take):
            yield from batch

    def batches(
        self, take: Callable[[], JobT | None]
    ) -> Iterator[list[tuple[JobT, Any, BaseException | None]]]:
        """
        Do one job after the other; yield job, result and error of several that are done.

        A few jobs are taken ahead, no more, and others are under way while some that are done
        are waited for. Where a worker dies, the jobs under way are done again one by one, so
        that only the one that kills its worker fails.

        Parameters
        ----------
        take : callable
            Returns the next job, None where there is none at the moment: a result that was
            yielded may bring another.
        """
        running: dict[Future, JobT] = {}
        done: SimpleQueue[Future] = SimpleQueue()
        while self.hand_out(take, running, done):
            batch, lost = [], list[JobT]()
            for future in together(
                done, min((AHEAD - 1) * self.count, len(running), MOST_TOGETHER)
            ):
                job = running.pop(future, None)
                if job is None:
                    continue  # it was lost, and is done again
                if isinstance(future.exception(), BrokenProcessPool):
                    lost.append(job)
                else:
                    batch.append((job, *self.outcome(future)))
            if lost:
                lost += running.values()
                running.clear()
            else:
                self.hand_out(take, running, done)  # nobody waits until the batch is looked at
            if batch:
                yield batch
            for job in lost:
                yield [(job, *self.run_alone(job))]

    def hand_out(
        self,
        take: Callable[[], JobT | None],
        running: dict[Future, JobT],
        done: SimpleQueue[Future],
    ) -> bool:
        """Hand out jobs until enough are under way; tell whether any is."""
        while len(running) < AHEAD * self.count and (job := take()) is not None:
            try:
                future = self.submit(job)
            except BrokenProcessPool as error:  # noticed only now
                future = Future()
                future.set_exception(error)
            running[future] = job
            future.add_done_callback(done.put)
        return bool(running)

    def renew(self) -> None:
        """Begin with new processes, which know what this one knows by now."""
        let_go(self.executor)
        self.executor = self.new_executor()

    def run_alone(self, job: object) -> tuple[Any, BaseException | None]:
        """Run one job in a new pool, with nothing beside it; return result and error."""
        self.renew()
        return self.outcome(self.submit(job))

    def close(self) -> None:
        """Let the workers go."""
        if self.client is not None:
            self.client.close()
        else:
            let_go(self.executor)


# In a process of a pool: does its jobs. It came with the fork.
_work: list[Callable[[Any], Any]] = []


def start_with(work: Callable[[Any], Any], places: Any) -> None:
    """Begin as a worker that does its jobs in this way."""
    _work[:] = [work]
    become_worker()
    core = places.get()
    if core is not None:
        os.sched_setaffinity(0, [core])


def cores_for(count: int) -> list[int | None]:
    """
    Return on which core each worker stays; None where it may go where it likes.

    A worker and its rooms take turns. Where every core has a worker, they share it: to wake
    one another on another core would take time.
    """
    mine = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []
    if not mine or count < len(mine):
        return [None] * count
    return [mine[number % len(mine)] for number in range(count)]


def do(job: object) -> Any:
    """Do a job."""
    return _work[0](job)


def let_go(executor: Executor) -> None:
    """
    End an executor; what is under way in its processes is not waited for.

    Its thread is: left to itself, it closes the pipe on which Python, as it ends, calls it.
    """
    if isinstance(executor, ProcessPoolExecutor) and executor._result_queue:
        for worker in list((executor._processes or {}).values()):
            worker.kill()
        # the thread waits for no rest of what one of them had begun to answer
        vars(executor._result_queue)["_writer"].close()
    executor.shutdown(cancel_futures=True)


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


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
