"""Sentences in another language: gettext's files, read by Babel."""

from __future__ import annotations

import io
from collections.abc import Collection
from pathlib import Path

from babel.messages.pofile import read_po

from grading.findings import Words

ENGLISH = "en"  # the truth
# By their codes: those whose sentences of checks and pages lie in grading/languages.
CATALOGUES = Path(__file__).parents[1] / "languages"
LANGUAGES = sorted(path.stem for path in CATALOGUES.glob("*.po"))
# Whose sentences the visible checks say, in the student's own room.
CHECKS = [f"grading/{name}.py" for name in ("checks", "findings", "outcomes", "shown")]


def read_catalogue(data: bytes, files: Collection[str] = ()) -> Words:
    """
    Read a .po file; what is not translated, or only supposed to be, is left out.

    Parameters
    ----------
    data : bytes
    files : collection of str, optional
        Of which sentences are wanted; all if none are named.
    """
    wanted = set(files)
    pairs = [
        (message.id, message.string)
        for message in read_po(io.BytesIO(data))
        if message.id and message.string and not message.fuzzy
        if not wanted or wanted & {file for file, _ in message.locations}
    ]
    return {i: s for i, s in pairs if isinstance(i, str) and isinstance(s, str)}


def words_of(language: str, files: Collection[str] = ()) -> Words:
    """Return what the engine says in another language: all, or what some files of it say."""
    return read_catalogue((CATALOGUES / f"{language}.po").read_bytes(), files)


def words_with(language: str, own: bytes) -> Words:
    """Return what is said in a language: by the engine, and in an assignment's own .po file."""
    known = words_of(language) if language in LANGUAGES else {}
    return {**known, **read_catalogue(own)}
