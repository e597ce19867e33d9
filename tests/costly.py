"""Work that costs too much, for processes that load nothing else of the tests."""

import os
import signal
from dataclasses import dataclass

from grading.run import bounds
from grading.run.bounds import bounded_time
from grading.run.jobs import Read


def loop_in_python():
    while True:
        pass


def loop_in_c():
    sum(range(10**12))


def take_memory():
    return [bytes(10**8) for _ in range(100)]


def take_memory_at_once():
    return bytes(10**12)


def die():
    os.kill(os.getpid(), signal.SIGKILL)


COSTLY = {
    "loop_in_python": (loop_in_python, "more than 1 s of processor time"),
    "loop_in_c": (loop_in_c, "it took too much time or memory"),
    "take_memory": (take_memory, "more than 2048 MB"),
    "take_memory_at_once": (take_memory_at_once, "more than 2048 MB"),
    "die": (die, "it took too much time or memory"),
}


@dataclass(frozen=True)
class Spend(Read):
    """A job that is as costly as its student's name says."""

    def work(self, marker):
        bounds.JOB_SECONDS, bounds.GRACE_SECONDS = 1, 0.3
        with bounded_time(0):
            COSTLY[self.student][0]()


def weigh(much, job):
    """Do a job, by which process; "die" ends it."""
    if job == "die":
        die()
    return much, job, os.getpid()
