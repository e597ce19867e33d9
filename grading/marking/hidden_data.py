"""
The sets of hidden data: on which of them a submission is tested.

All are drawn from a secret of the course, so that nobody who reads this repository knows the
numbers, and what one submission may have learned of its set is of little use to the next.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import io
import os
import secrets
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from grading import CourseError

SETS = 2
SECRET = ".hidden_data_secret"  # in the course folder, which no room sees
WITHOUT_MEANING = (tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER)


@dataclass(frozen=True)
class HiddenData:
    """
    One set of hidden data.

    Attributes
    ----------
    number : int
        Which of the sets.
    entropy : tuple of int
        What its numbers are drawn from, beside the seeds that stand in the tests.
    fingerprint : str
        Of the secret: tells whether two runs had the same.
    twin : tuple of int
        What the numbers are drawn from that earn nothing: the same for all sets.
    """

    number: int = 0
    entropy: tuple[int, ...] = ()
    fingerprint: str = ""
    twin: tuple[int, ...] = (1,)

    def __str__(self) -> str:
        """Say which set it is."""
        return f"set {self.number + 1} of {SETS}, secret {self.fingerprint}"


def read_secret(root: Path) -> bytes:
    """
    Return the secret of a course; it is made at the first time.

    Raises
    ------
    CourseError
        Where it cannot be read or made.
    """
    path = root / SECRET
    try:
        if not path.exists():
            part = path.with_name(f"{SECRET}.{os.getpid()}")
            part.touch(mode=0o600)
            part.write_text(secrets.token_hex(32))
            with contextlib.suppress(FileExistsError):  # another run was first
                os.link(part, path)
            part.unlink()
        return path.read_bytes()
    except OSError as error:
        raise CourseError(f"{path}: {error.strerror}; the hidden data is drawn from it") from None


def sets_of(secret: bytes) -> list[HiddenData]:
    """Return all sets that a secret gives."""
    fingerprint = hashlib.sha256(b"fingerprint" + secret).hexdigest()[:12]
    digests = (hmac.digest(secret, f"set {number}".encode(), "sha256") for number in range(SETS))
    twin = tuple(hmac.digest(secret, b"twin", "sha256"))
    return [
        HiddenData(number, tuple(digest), fingerprint, twin)
        for number, digest in enumerate(digests)
    ]


def choose(secret: bytes, answers: Iterable[str]) -> int:
    """
    Return the number of the set on which answers are tested.

    It depends on their code alone: comments, layout and running again change nothing.
    """
    code = "\0".join(code_of(answer) for answer in answers)
    return int.from_bytes(hmac.digest(secret, code.encode(), "sha256")) % SETS


def code_of(text: str) -> str:
    """Return what counts of Python code: its tokens, but no comments and blank lines."""
    try:
        found = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError, ValueError, RecursionError):
        return text
    kept = (token for token in found if token.type not in WITHOUT_MEANING)
    return " ".join(tokenize.tok_name[t.type] if t.string.isspace() else t.string for t in kept)
