"""Lines on what came in, safe to show: whoever handed it in has chosen the names in them."""

from __future__ import annotations

from collections.abc import Iterable

from grading.findings import Finding, Words

MAX_NOTE = 300  # characters


def some(names: Iterable[str], most: int = 5) -> list[str | Finding]:
    """Name the first few, and count the others: what a field of a finding may be."""
    names = list(names)
    more = [Finding("{count} more", {"count": len(names) - most})] if len(names) > most else []
    return [*(name[:60] for name in names[:most]), *more]


def listed(names: Iterable[str], most: int = 5) -> str:
    """Name the first few, and count the others, in English."""
    return ", ".join(map(str, some(names, most)))


def tidy(notes: Iterable[Finding], words: Words) -> list[str]:
    """Say notes so that they are safe to show: one line each, not too long, nothing but text."""
    return [printable(note.said(words)[:MAX_NOTE]) for note in notes]


def printable(text: str) -> str:
    """Make a text safe to show: no line breaks, no terminal codes, no stray bytes."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
