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
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from typing import IO, Any

from grading.run.bounds import become_worker

LENGTH = 8  # bytes that say how long a message is


class Apart:
    """A process that does one job after the other; it ends when this object is no longer held."""

    def __init__(self) -> None:
        self.popen = subprocess.Popen(
            [sys.executable, "-c", f"from {__name__} import serve; serve()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.popen.stdin and self.popen.stdout  # pipes, both of them
        self.questions, self.answers = self.popen.stdin, self.popen.stdout

    def work(self, function: Callable, *arguments: object) -> Any:
        """
        Call a function there.

        Raises
        ------
        BrokenProcessPool
            Where the process has ended in it.
        Exception
            What the function raised.
        """
        try:
            send(self.questions, (function, arguments))
            result, error = receive(self.answers)
        except (OSError, EOFError):
            self.popen.kill()
            self.popen.wait()
            raise BrokenProcessPool("a worker's process has ended") from None
        if error is not None:
            raise error
        return result


_mine = threading.local()


def work_apart(function: Callable, *arguments: object) -> Any:
    """Call a function in this thread's process apart."""
    apart = getattr(_mine, "apart", None)
    if apart is None or apart.popen.poll() is not None:
        apart = _mine.apart = Apart()
    return apart.work(function, *arguments)


def send(file: IO[bytes], message: object) -> None:
    """Write a message."""
    data = pickle.dumps(message)
    file.write(len(data).to_bytes(LENGTH))
    file.write(data)
    file.flush()


def receive(file: IO[bytes]) -> Any:
    """Read a message; raise EOFError where there is none any more."""
    head = file.read(LENGTH)
    data = file.read(int.from_bytes(head))
    if len(head) < LENGTH or len(data) < int.from_bytes(head):
        raise EOFError
    return pickle.loads(data)


def serve() -> None:
    """Do what is asked for on standard input, until it ends."""
    asked, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what is printed goes elsewhere
    become_worker()
    while True:
        try:
            function, arguments = receive(asked)
        except EOFError:
            return
        try:
            result, failed = function(*arguments), None
        except Exception as error:
            result, failed = None, error
        send(answers, (result, failed))
