"""
What is said of rooms that are lost, and of what cannot cross.

It travels as text, as all errors do; `read_back` tells which sentence a text is, so that it can
be said in another language.
"""

from __future__ import annotations

import functools
import re

SENTENCES: dict[str, list[str]] = {}  # by the gap that they may fill; whole ones fill "said"


def sentence(text: str, gap: str = "said") -> str:
    """Return a sentence with {gaps}, which can be read back from now on."""
    SENTENCES.setdefault(gap, []).append(text)
    return text


def read_back(text: str, gap: str = "said") -> tuple[str, dict[str, str]] | None:
    """Return the sentence that a text is, and what its gaps are filled with; None for another."""
    for known in SENTENCES.get(gap, ()):
        if found := pattern_of(known).fullmatch(text):
            return known, found.groupdict()
    return None


@functools.cache
def pattern_of(known: str) -> re.Pattern[str]:
    """Return what matches a sentence, whatever fills its gaps."""
    parts = re.split(r"\{(\w+)\}", known)
    parts[::2] = map(re.escape, parts[::2])
    parts[1::2] = [f"(?P<{name}>.+?)" for name in parts[1::2]]
    return re.compile("".join(parts), re.DOTALL)


# Why a name is missing, and where a cell stopped: first, as they hold other sentences
NOT_DEFINED = sentence("name '{name}' is not defined: its cell stopped with {error}: {said}")
NOT_THERE = sentence(
    "name '{name}' is not defined where its test stands:"
    " was it renamed, or its cell deleted or never written?"
)
NEWER = sentence("{said}; this is marked with Python {version}, and the line may be of a newer one")
IN_LINE = sentence("{said} (`line {number}: {code}`)")

# Time
OUT_OF_TIME = sentence("{who} has not finished: the time for the whole notebook is used up")
TOO_SLOW = sentence("{who} did not finish within {seconds} s")
ASKS_TOO_MUCH = sentence("{who} asks a function of the test for what takes longer than {seconds} s")
NO_TIME_LEFT = sentence("not run: the time for the whole notebook is used up")

# How a room ended
TOO_LARGE = sentence("{who} used more than {size} MB of memory in all its processes")
TOO_BUSY = sentence("{who} used more than {seconds} s of processor time")
LINE_CLOSED = sentence("{who} closed the line to its room")
ENDED_WITH = sentence("{who} ended its own process (exit code {code})")
ENDED = sentence("{who} ended its own process")
A_SIGNAL = sentence("{who} was ended by a signal")
SIGNAL_NUMBER = sentence("{who} was ended by signal {number}")
SIGNAL = sentence("{who} was ended by {signal}")
ENDED_FOR = sentence("{who} ended its room: {why}")
FOR_WHAT_IT_SENDS = sentence("the room was ended: {why}")
NOT_STARTED = sentence("no room could be started: {problem}")
TOO_MANY_LOST = sentence("not run: {count} rooms have been lost")
GONE = sentence("`{name}` was lost with its room")
ARGUMENT_GONE = sentence("{name}: what it is to be called with was lost with its room")

# What cannot cross
RETURNS = sentence(
    "{who} returns {kind}, which cannot be tested: "
    "only arrays of numbers, numbers, strings, lists, tuples and dicts can cross"
)
PUTS_INTO = sentence(
    "{who} puts into its arguments {kind}, which cannot be tested: "
    "only arrays of numbers, numbers, strings, lists, tuples and dicts can cross"
)
CANNOT_BE_GIVEN = sentence(
    "{who} cannot be given {kind}: "
    "only arrays of numbers, numbers, strings, lists, tuples and dicts can cross"
)
TOO_DEEP = sentence("`{name}` calls functions of the test that call it, {count} deep")
NOT_FOR_TESTS = sentence("{name} is {kind}: a test can use functions and plain data only")
THE_RESULT = sentence("the result is {kind}")
NOBODY_TYPES = sentence("input() waits for somebody who types: nobody does when work is marked")

# What a test cannot do with a stand-in
REFUSED = sentence(
    "`{label}` is {kind} in the student's room, and a test cannot {do}:"
    " look at its attributes, its items, or what its methods return"
)
ANOTHER_OBJECT = sentence("calculate with it, but where another object comes of it", "do")
LOOK_AT = sentence("look at its {name}", "do")
LENGTH = sentence("take its length", "do")
AS_MANY = sentence("go over its items, which are not as many as its length says", "do")
MORE_ITEMS = sentence("go over more of its items", "do")
SHOW = sentence("show it", "do")
COMPARE = sentence("compare it", "do")
HASH = sentence("take its hash", "do")
TRUTH = sentence("ask whether it is true", "do")
NUMBER = sentence("take it for a number", "do")
CALCULATE = sentence("calculate with it", "do")
ARRAY = sentence("take it for an array", "do")
INSTANCE = sentence("ask what is an instance of it", "do")
COPY = sentence("copy it", "do")
CLASS = sentence("ask for its class", "do")

# Who
BETWEEN = sentence("between two cells, the room", "who")
sentence("the room", "who")
sentence("cell {number}", "who")

# Kinds of values, as `room.wire` and `exceptions` name them: the general ones last
sentence("a {type} that contains itself", "kind")
sentence("a dict with a key of type {type}", "kind")
sentence("a value of more than {number} MB", "kind")
sentence("a value of more than {number} items", "kind")
sentence("a value nested more than {number} deep", "kind")
sentence("dicts of more than {number} keys that are no strings", "kind")
sentence("a string that is not valid Unicode", "kind")
sentence("an int too long to print", "kind")
sentence("a class", "kind")
sentence("a function", "kind")
sentence("a method", "kind")
sentence("a generator", "kind")
sentence("a coroutine", "kind")
sentence("a module", "kind")
sentence("an ellipsis", "kind")
sentence("a set", "kind")
sentence("a range", "kind")
sentence("a slice", "kind")
sentence("a zip object", "kind")
sentence("a map object", "kind")
sentence("a matrix (numpy.matrix)", "kind")
sentence("a masked array", "kind")
sentence("an array of objects", "kind")
sentence("an array of strings", "kind")
sentence("an array of bytes", "kind")
sentence("an array of records", "kind")
sentence("an array of dates", "kind")
sentence("an array of time differences", "kind")
sentence("an array of {type}", "kind")
sentence("an object of type {type}", "kind")
sentence("an object", "kind")
sentence("something", "kind")
sentence("an {type}", "kind")
sentence("a {type}", "kind")

# What a type is called that is not told
OTHER_TYPE = sentence("value of another type", "type")
