"""
A process of its own for the jobs of a thread, as a cluster's workers have them.

Bounds on time need signals, and these reach a process's main thread alone; bounds on memory
hold for a whole process.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from concurrent.futures.process import BrokenProcessPool
from typing import IO, Any

from grading.run.bounds import become_worker

LENGTH = 8  # bytes that say how long a message is


class Apart:
    """
    A process that does one job after the other; it ends when this object is no longer held.

    Parameters
    ----------
    work : bytes
        The function that does them, pickled.
    """

    def __init__(self, work: bytes) -> None:
        self.work, self.knows = work, False
        self.popen = subprocess.Popen(
            [sys.executable, "-c", f"from {__name__} import serve; serve()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.popen.stdin and self.popen.stdout  # pipes, both of them
        self.questions, self.answers = self.popen.stdin, self.popen.stdout

    def do(self, job: bytes) -> bytes:
        """Do a job there; return the result and the error, pickled."""
        try:
            if not self.knows:
                send(self.questions, self.work)
                self.knows = True
            send(self.questions, job)
            return receive(self.answers)
        except (OSError, EOFError):
            self.popen.kill()
            self.popen.wait()
            return pickle.dumps((None, BrokenProcessPool("a worker's process has ended")))


_mine = threading.local()


def work_apart(work: bytes, job: bytes) -> bytes:
    """
    Do a job in this thread's process apart; return the result and the error, pickled.

    Where the work is another, for a later run, so is the process. An error is handed back and
    not raised: a cluster would try again.
    """
    apart = getattr(_mine, "apart", None)
    if apart is None or apart.work != work or apart.popen.poll() is not None:
        apart = _mine.apart = Apart(work)
    return apart.do(job)


def send(file: IO[bytes], message: bytes) -> None:
    """Write a message."""
    file.write(len(message).to_bytes(LENGTH))
    file.write(message)
    file.flush()


def receive(file: IO[bytes]) -> bytes:
    """Read a message; raise EOFError where there is none any more."""
    head = file.read(LENGTH)
    message = file.read(int.from_bytes(head))
    if len(head) < LENGTH or len(message) < int.from_bytes(head):
        raise EOFError
    return message


def serve() -> None:
    """Do what is asked for on standard input, until it ends."""
    asked, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what is printed goes elsewhere
    become_worker()
    packed, work = receive(asked), None
    while True:
        try:
            job = receive(asked)
        except EOFError:
            return
        outcome: tuple[Any, Exception | None]
        try:
            work = work or pickle.loads(packed)
            outcome = work(pickle.loads(job)), None
        except Exception as error:
            outcome = None, error
        send(answers, pickle.dumps(outcome))
