"""Sentences in another language: gettext's files, read by Babel."""

from __future__ import annotations

import io
from collections.abc import Mapping

from babel.messages.pofile import read_po

Catalogue = Mapping[str, str]  # by the English; what is not in it is said in English


def read_catalogue(data: bytes) -> dict[str, str]:
    """Read a .po file; what is not translated, or only supposed to be, is left out."""
    messages = read_po(io.BytesIO(data))
    pairs = [(m.id, m.string) for m in messages if m.string and not m.fuzzy]
    return {i: s for i, s in pairs if i and isinstance(i, str) and isinstance(s, str)}
