"""What a notebook holds beside the text of its cells, taken out unread: outputs, widgets."""

from __future__ import annotations

import re

MAX_BRACKETS = 3_000_000  # of all that is taken out

# In JSON a quote inside a text has a backslash before it, so this matches keys alone.
UNUSED = re.compile(rb'"(?:outputs|attachments|widgets)"\s*+:\s*+(?=[\[{])')
NEXT_BRACKET = re.compile(rb'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+")*+([\[\]{}])', re.DOTALL)


def without_outputs(raw: bytes) -> bytes:
    """
    Return the JSON of a notebook without what marking does not use; linear in its size.

    Parameters
    ----------
    raw : bytes
        In UTF-8. In other encodings a byte of a letter may look like a bracket.
    """
    parts, begin, left = [], 0, MAX_BRACKETS
    while key := UNUSED.search(raw, begin):
        end, left = end_of_value(raw, key.end(), left)
        if not end:  # cut off, or far more than a notebook: the rest stays as it is
            break
        parts += [raw[begin : key.end()], b"[]"]
        begin = end
    return b"".join([*parts, raw[begin:]])


def end_of_value(raw: bytes, at: int, left: int) -> tuple[int, int]:
    """Return where the list or object at a place ends, 0 if nowhere, and the brackets left."""
    depth = 0
    while left and (bracket := NEXT_BRACKET.match(raw, at)):
        at, left = bracket.end(), left - 1
        depth += 1 if bracket[1] in b"[{" else -1
        if not depth:
            return at, left
    return 0, left
