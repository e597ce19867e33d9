"""Messages over a socket, each with its length before it; every wait has an end."""

from __future__ import annotations

import select
import socket
import time
from struct import Struct

FRAME_HEADER = Struct("<cQ")
SMALL = 2**16  # messages below this size go out in one piece
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
                    self._set_time(deadline)
                    view = view[self.line.send(view) :]
        except TimeoutError:
            raise ChannelTimeout("does not take its message") from None
        except OSError:
            raise ChannelClosed("has gone") from None

    def receive(self, deadline: float | None = None) -> tuple[bytes, bytearray]:
        """Return the kind of the next message, and the message, if it comes before `deadline`."""
        kind, size = FRAME_HEADER.unpack(self._read(FRAME_HEADER.size, deadline))
        if size > self.most_bytes:
            raise ChannelError("the message is too large")
        return kind, self._read(size, deadline)

    def wait(self, seconds: float) -> bool:
        """Wait for so long at most until the other side speaks or has gone; tell whether it has."""
        return bool(select.select([self.line], [], [], seconds)[0])

    def has_gone(self) -> bool:
        """Tell, without waiting, whether the other side has gone or speaks out of turn."""
        try:
            self.line.settimeout(0)
            self.line.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            pass
        return True

    def close(self) -> None:
        """Close this end."""
        self.line.close()

    def _read(self, size: int, deadline: float | None) -> bytearray:
        buffer = bytearray(size)
        view = memoryview(buffer)
        try:
            while view:
                self._set_time(deadline)
                received = self.line.recv_into(view)
                if not received:
                    raise ChannelClosed("has gone")
                view = view[received:]
        except TimeoutError:
            raise ChannelTimeout("does not answer") from None
        except OSError:
            raise ChannelClosed("has gone") from None
        return buffer

    def _set_time(self, deadline: float | None) -> None:
        if deadline is None:
            self.line.settimeout(None)
        else:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self.line.settimeout(left)
