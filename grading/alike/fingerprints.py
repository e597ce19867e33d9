"""
The fingerprints of code: what is left of it where names, order and layout are ignored.

Each statement has three: of its own tokens, with each name told by its place in the statement; of
that and where its values come from; and of that and where those come from. So they stay as they
are where names are changed or lines that do not need one another change places. It is the
colouring of Weisfeiler and Lehman, on the graph of which statement uses what another one sets.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import NamedTuple

from pygments.lexers import PythonLexer
from pygments.token import Token, _TokenType

ROUNDS = 2  # of looking where values come from
LAYOUT = (Token.Text, Token.Comment, Token.Literal.String.Doc, Token.Literal.String.Affix)
QUOTES = {'"', "'", '"""', "'''"}
BARE = QUOTES | {"(", ")"}  # nothing changes where there are more of them
LIBRARY = (Token.Name.Builtin, Token.Name.Exception)  # names that nobody changes
HEADS = {"class", "def", "elif", "else", "except", "finally", "for", "if", "try", "while", "with"}
COMPARISONS = {"==", "!=", "<=", ">="}


class Word(NamedTuple):
    """A token: its text or, where it is a name of the author's, that."""

    text: str
    name: str
    depth: int  # in brackets


class Statement(NamedTuple):
    """Its words, and which characters of the code it takes: brackets and quotes are among them."""

    words: list[Word]
    begin: int
    end: int


class Print(NamedTuple):
    """A fingerprint, and which characters of the code its statement takes."""

    value: int
    begin: int
    end: int


def fingerprints(code: str) -> list[Print]:
    """Return the fingerprints of some code, which need be no right Python."""
    found = list(statements(code))
    sources = []
    set_by: dict[str, tuple[int, int]] = {}
    for number, (words, *_) in enumerate(found):
        names = {word.name for word in words if word.name}
        sources.append({name: set_by[name] for name in names & set_by.keys()})
        set_by |= {name: (number, place) for place, name in enumerate(names_set(words))}
    values = [value_of(words, {}) for words, *_ in found]
    prints = [values]
    for _ in range(ROUNDS):
        values = [
            value_of(w, {name: f"{values[number]}.{place}" for name, (number, place) in of.items()})
            for (w, *_), of in zip(found, sources, strict=True)
        ]
        prints.append(values)
    return [
        Print(value, begin, end)
        for values in prints
        for value, (_, begin, end) in zip(values, found, strict=True)
    ]


def statements(code: str) -> Iterator[Statement]:
    """Yield each statement; brackets that may be redundant and quotes are no words of it."""
    words: list[Word] = []
    depth, before = 0, ""
    first = last = 0
    for begin, kind, text in tokens(code):
        is_layout = any(kind in each for each in LAYOUT)
        is_head = text == ":" and words and words[0].text in HEADS
        if depth == 0 and (is_head or text == ";" or (is_layout and "\n" in text)):
            yield from [Statement(words, first, last)] if words else []
            words, before, last = [], "", 0
        elif not is_layout:
            first, last = (first if last else begin), begin + len(text)
            depth = max(depth + (text in {"(", "[", "{"}) - (text in {")", "]", "}"}), 0)
            own = kind in Token.Name and before != "." and not any(kind in e for e in LIBRARY)
            if text not in BARE:
                words.append(Word("", text, depth) if own else Word(text, "", depth))
            before = before if text in QUOTES else text
    yield from [Statement(words, first, last)] if words else []


def tokens(code: str) -> Iterator[tuple[int, _TokenType, str]]:
    """Yield place, kind and text of each token; `a@b` is a product, which Pygments misses."""
    for begin, kind, text in PythonLexer().get_tokens_unprocessed(code):
        if kind in Token.Name.Decorator and text != "@":
            yield begin, Token.Operator, "@"
            begin, kind, text = begin + 1, Token.Name, text[1:].strip()
        yield begin, kind, text


def names_set(words: list[Word]) -> list[str]:
    """Return the names that a statement gives a value, or changes by a method."""
    first = words[0].text
    texts = [word.text for word in words]
    if first == "def":
        return [word.name for word in words if word.name]
    if first == "for":
        end = texts.index("in") if "in" in texts else len(texts)
        return [word.name for word in words[:end] if word.name]
    for number, word in enumerate(words):
        if word.depth == 0 and word.text.endswith("=") and word.text not in COMPARISONS:
            return [each.name for each in words[:number] if each.name and each.depth == 0]
    return [words[0].name] if words[0].name else []


def value_of(words: list[Word], origins: dict[str, str]) -> int:
    """Return the hash of a statement; a name is told by its first place and its origin."""
    first: dict[str, int] = {}
    texts = [
        word.text or f"\0{first.setdefault(word.name, len(first))} {origins.get(word.name, '')}"
        for word in words
    ]
    return zlib.crc32("\1".join(texts).encode())
