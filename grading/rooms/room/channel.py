"""Messages over a socket, each with its length before it; every wait has an end."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from struct import Struct
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
FRAME_HEADER = Struct("<cQ")
SMALL = 2**16  # messages below this size go out in one piece, and come in one
ANSWER, QUESTION = b"=", b"?"  # what a message is


class ChannelError(Exception):
    """The other side cannot be heard; its text says why."""


class ChannelClosed(ChannelError):
    """The other side has gone."""


class ChannelTimeout(ChannelError):
    """The other side did not answer in time."""


class Channel:
    """
    One end of the line between two rooms.

    Parameters
    ----------
    line : socket.socket
    most_bytes : int
        The largest message that is accepted.
    """

    def __init__(self, line: socket.socket, most_bytes: int) -> None:
        self.line = line
        self.most_bytes = most_bytes
        self.received = bytearray()  # and not yet read
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            line.setsockopt(socket.SOL_SOCKET, option, 2**20)

    def send(self, message: bytes, deadline: float | None = None, kind: bytes = ANSWER) -> None:
        """Send one message until `deadline`, a time of `time.monotonic`."""
        header = FRAME_HEADER.pack(kind, len(message))
        small = len(message) < SMALL
        try:
            for part in [header + message] if small else [header, message]:
                view = memoryview(part)
                while view:
                    sent = self._until(deadline, self.line.send, view)
                    view = view[sent:]
        except TimeoutError:
            raise ChannelTimeout("does not take its message") from None
        except OSError:
            raise ChannelClosed("has gone") from None

    def receive(self, deadline: float | None = None) -> tuple[bytes, bytearray]:
        """Return the kind of the next message, and the message, if it comes before `deadline`."""
        self._fill(FRAME_HEADER.size, deadline)
        kind, size = FRAME_HEADER.unpack_from(self.received)
        if size > self.most_bytes:
            raise ChannelError("the message is too large")
        end = FRAME_HEADER.size + size
        self._fill(end, deadline)
        message = self.received[FRAME_HEADER.size : end]
        del self.received[:end]
        return kind, message

    def wait(self, seconds: float) -> bool:
        """Wait for so long at most until the other side speaks or has gone; tell whether it has."""
        return bool(self.received) or bool(select.select([self.line], [], [], seconds)[0])

    def has_gone(self) -> bool:
        """Tell, without waiting, whether the other side has gone or speaks out of turn."""
        try:
            self.line.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return bool(self.received)
        except OSError:
            pass
        return True

    def close(self) -> None:
        """Close this end."""
        self.line.close()

    def _fill(self, size: int, deadline: float | None) -> None:
        """Receive until so many bytes are there."""
        try:
            while len(self.received) < size:
                piece = self._until(deadline, self.line.recv, SMALL)
                if not piece:
                    raise ChannelClosed("has gone")
                self.received += piece
        except TimeoutError:
            raise ChannelTimeout("does not answer") from None
        except OSError:
            raise ChannelClosed("has gone") from None

    def _until(self, deadline: float | None, work: Callable[[T, int], R], what: T) -> R:
        """Send or receive what can be at once, or as soon as can be; TimeoutError at `deadline`."""
        if deadline is None:
            return work(what, 0)
        sends = work == self.line.send
        while (left := deadline - time.monotonic()) > 0:
            with suppress(BlockingIOError):
                return work(what, socket.MSG_DONTWAIT)
            select.select([] if sends else [self.line], [self.line] if sends else [], [], left)
        raise TimeoutError
