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
LIBRARY = (Token.Name.Builtin, Token.Name.Exception)  # names that nobody changes
HEADS = {"class", "def", "elif", "else", "except", "finally", "for", "if", "try", "while", "with"}
COMPARISONS = {"==", "!=", "<=", ">="}


class Word(NamedTuple):
    """A token: its text or, where it is a name of the author's, that; where it stands."""

    text: str
    name: str
    begin: int
    end: int
    depth: int  # in brackets


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
    for number, statement in enumerate(found):
        names = {word.name for word in statement if word.name}
        sources.append({name: set_by[name] for name in names & set_by.keys()})
        set_by |= {name: (number, place) for place, name in enumerate(names_set(statement))}
    values = [value_of(statement, {}) for statement in found]
    prints = [values]
    for _ in range(ROUNDS):
        values = [
            value_of(s, {name: f"{values[number]}.{place}" for name, (number, place) in of.items()})
            for s, of in zip(found, sources, strict=True)
        ]
        prints.append(values)
    return [
        Print(value, statement[0].begin, statement[-1].end)
        for values in prints
        for value, statement in zip(values, found, strict=True)
    ]


def statements(code: str) -> Iterator[list[Word]]:
    """Yield the words of each statement; brackets that may be redundant and quotes are layout."""
    statement: list[Word] = []
    depth, before = 0, ""
    for begin, kind, text in tokens(code):
        is_layout = any(kind in each for each in LAYOUT)
        is_head = text == ":" and statement and statement[0].text in HEADS
        if depth == 0 and (is_head or text == ";" or (is_layout and "\n" in text)):
            yield from [statement] if statement else []
            statement, before = [], ""
        elif not is_layout and text not in QUOTES:
            depth = max(depth + (text in {"(", "[", "{"}) - (text in {")", "]", "}"}), 0)
            own = kind in Token.Name and before != "." and not any(kind in e for e in LIBRARY)
            if text not in {"(", ")"}:
                where = begin, begin + len(text), depth
                statement.append(Word("", text, *where) if own else Word(text, "", *where))
            before = text
    yield from [statement] if statement else []


def tokens(code: str) -> Iterator[tuple[int, _TokenType, str]]:
    """Yield place, kind and text of each token; `a@b` is a product, which Pygments misses."""
    for begin, kind, text in PythonLexer().get_tokens_unprocessed(code):
        if kind in Token.Name.Decorator and text != "@":
            yield begin, Token.Operator, "@"
            begin, kind, text = begin + 1, Token.Name, text[1:].strip()
        yield begin, kind, text


def names_set(statement: list[Word]) -> list[str]:
    """Return the names that a statement gives a value, or changes by a method."""
    first = statement[0].text
    texts = [word.text for word in statement]
    if first == "def":
        return [word.name for word in statement if word.name]
    if first == "for":
        end = texts.index("in") if "in" in texts else len(texts)
        return [word.name for word in statement[:end] if word.name]
    for number, word in enumerate(statement):
        if word.depth == 0 and word.text.endswith("=") and word.text not in COMPARISONS:
            return [each.name for each in statement[:number] if each.name and each.depth == 0]
    return [statement[0].name] if statement[0].name else []


def value_of(statement: list[Word], origins: dict[str, str]) -> int:
    """Return the hash of a statement; a name is told by its first place and its origin."""
    first: dict[str, int] = {}
    texts = [
        word.text or f"\0{first.setdefault(word.name, len(first))} {origins.get(word.name, '')}"
        for word in statement
    ]
    return zlib.crc32("\1".join(texts).encode())
