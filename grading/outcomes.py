"""One call of a function: what came of it, and whether two are alike."""

import hashlib
import re
import traceback
from collections.abc import Callable
from difflib import get_close_matches
from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from grading.findings import NOTHING, Finding
from grading.sparing import sparing
from grading.stops import (
    HOLDS_ITSELF,
    Sizes,
    Stop,
    copy_value,
    describe_stop,
    message_of,
    odd_type,
)

KEPT = "the cache"  # stands for one of the student's own choice
PLAIN = {np.float64: float, np.int64: int, np.bool_: bool}  # as good as
PLAIN[np.str_] = str
NOT_WRITTEN = Finding("not written yet", {})
NO_CACHE = Finding(
    "waits for a cache: your forward function stops, or returns none", {}
)


class Wrong(AssertionError):
    """What a check raises: a finding, with what its gaps are filled with."""

    def __init__(self, message: str, **fields: object) -> None:
        self.finding = Finding(message, fields)
        super().__init__(str(self.finding))


class Outcome(NamedTuple):
    """What came of calling a function twice with the same arguments."""

    result: Any  # what it returned
    arguments: dict[str, Any]  # the arguments as they were afterwards
    again: Any  # what the second call returned
    stopped: Finding | None  # what it raised
    raised: Stop | None = None  # the same, as it can be compared

    @property
    def seen(self) -> tuple:
        """What tells this outcome from another one: no words, and no lines."""
        result = self.result
        several = isinstance(result, (list, tuple, dict))
        values = result.values() if isinstance(result, dict) else result
        kinds = [odd_type(v) or type(v) for v in (values if several else [])]
        raised = self.raised and self.raised[:4]
        names = [PLAIN.get(kind, kind).__name__ for kind in kinds]
        return result, names, self.arguments, self.again, raised


NOT_CALLED = Outcome(None, {}, None, Finding("was not called", {}))


class Lost:
    """Stands for a cache: where the function stops that would have kept it."""

    def __init__(self, why: Finding) -> None:
        self.why = why


def why_lost(result: object) -> Finding | None:
    """Return why there is no cache among returned values, None where it is."""
    last = result[-1] if isinstance(result, (tuple, list)) and result else None
    return last.why if isinstance(last, Lost) else None


def run_function(
    function: Callable,
    arguments: dict,
    own_cache: bool = False,
    keeps: bool = False,
) -> Outcome:
    """
    Call `function` twice on copies of `arguments`; return the Outcome.

    A cache of the student's own choice is handed on as it is, both times, and
    never looked into: the last value returned, or the argument `cache`.
    `keeps` says that the last value is a cache. Where the function stops in
    what this alone needs, the others are what it returns without.
    """
    given = copy_value(arguments)
    if own_cache and given.get("cache", KEPT) is None:
        return Outcome(None, given, None, NO_CACHE)
    try:
        result = copy_value(function(*given.values()))
    except (Exception, SystemExit) as error:
        raised = describe_stop(error, getattr(function, "__name__", ""))
        if own_cache and "cache" in given:
            given["cache"] = KEPT
        said = describe_error(error, list(given))
        outcome = Outcome(None, given, None, said, raised)
        if not keeps or outcome.stopped == NOT_WRITTEN:
            return outcome
        return without_cache(function, arguments, own_cache, outcome)
    repeated = copy_value(arguments)
    if own_cache and "cache" in given:
        repeated["cache"], given["cache"] = given["cache"], KEPT
    try:
        again = copy_value(function(*repeated.values()))
    except (Exception, SystemExit) as error:
        again = Finding("stops with {error}", {"error": type(error).__name__})
    if own_cache and "cache" not in given:
        result, again = without_last(result), without_last(again)
    return Outcome(result, given, again, None)


def without_cache(
    function: Callable, arguments: dict, own_cache: bool, stopped: Outcome
) -> Outcome:
    """Return what comes of a function without what keeps its cache alone."""
    own = getattr(type(function), "sparing", None)  # of a student's room
    spared = own(function) if own else sparing(function)
    found = run_function(spared, arguments, own_cache)
    if found.stopped or type(found.result) is not tuple or not stopped.stopped:
        return stopped
    lost = Lost(stopped.stopped)
    return found._replace(
        result=without_last(found.result, lost),
        again=without_last(found.again, lost),
        raised=stopped.raised,
    )


def without_last(values: Any, word: Any = KEPT) -> Any:
    """Return several values with something else in the last one's place."""
    several = type(values) in (list, tuple) and values
    return (*values[:-1], word) if several else values


def describe_error(error: BaseException, given: list[str]) -> Finding:
    """Say what was raised, and in which line; of a call, what is `given`."""
    if isinstance(error, NotImplementedError):
        return NOT_WRITTEN
    lines = getattr(error, "student_lines", None)
    if lines is None:
        lines = [
            ("", frame.lineno, frame.line)
            for frame in traceback.extract_tb(error.__traceback__)
            if "ipykernel" in frame.filename or frame.filename[0] == "<"
        ]
    said = re.sub(r", with gufunc signature \S+", "", message_of(error))
    said = said.strip()
    said = said.partition("\n")[0]
    fields = {
        "error": type(error).__name__,
        "line": name_line(*lines[-1]) if lines else NOTHING,
        "said": Finding(": {said}", {"said": said}) if said else NOTHING,
        "help": NOTHING,
    }
    if not lines and re.search(r"\(\) (takes|missing|got) ", said):
        names = [f"`{name}`" for name in given]
        help = Finding(
            "it is called with {names}: keep the line of its `def`",
            {"names": names},
        )
        fields["help"] = Finding("; {help}", {"help": help})
    return Finding("stopped with {error}{line}{said}{help}", fields)


def name_line(cell: str, number: int, code: str) -> Finding:
    """Name a line of the function's own cell, or of the one that is named."""
    fields = {"number": number, "code": code}
    if not cell:
        return Finding(" (`line {number}: {code}`)", fields)
    fields["cell"] = cell
    return Finding(" (`{cell}, line {number}: {code}`)", fields)


def explained(outcome: Outcome, sizes: Sizes, numbers: bool) -> Outcome:
    """
    Return an outcome that says, where it stopped, of what shapes all was.

    `numbers` says whether the lengths themselves are said, too.
    """
    reason = outcome.stopped or why_lost(outcome.result)
    if not outcome.raised or not reason:
        return outcome
    stop, (message, fields) = outcome.raised, reason
    help, rule = explain(stop, sizes, numbers), RULES.get(stop[:2])
    if not help or "help" not in fields:
        return outcome
    told = Finding("; {help}", {"help": help})
    if rule:
        both = {"help": help, "rule": rule}
        told = Finding(": {help}; {rule}", both)
        fields = {**fields, "said": NOTHING}
    found = Finding(message, {**fields, "help": told})
    if outcome.stopped:
        return outcome._replace(stopped=found)
    lost = without_last(outcome.result, Lost(found))
    return outcome._replace(result=lost)


SAME_LENGTH = Finding(
    "along all other axes, they must be of the same length", {}
)
BROADCAST = Finding(
    "each axis must be of the same length in both, or of length 1", {}
)
IN_A_TUPLE = Finding(
    "the arrays belong into one tuple, as its first argument", {}
)
RULES = {
    ("MatMult", "ValueError"): Finding(
        "the columns of the left must be the rows of the right", {}
    ),
    ("Subscript", "ValueError"): Finding(
        "what is written must have the shape of its place", {}
    ),
    ("append", "ValueError"): SAME_LENGTH,
}
for kind in ("concatenate", "vstack", "hstack"):
    RULES[kind, "ValueError"] = SAME_LENGTH
    RULES[kind, "TypeError"] = IN_A_TUPLE
for kind in ("Add", "Sub", "Mult", "Div"):
    RULES[kind, "ValueError"] = BROADCAST


def explain(stop: Stop, sizes: Sizes, numbers: bool) -> Finding | None:
    """Say of what shapes the values are; of a name, what it might be."""
    missing = explain_name(stop) if stop.kind in stop.names else None
    if missing:
        return missing
    if stop.error == "KeyError" and numbers and stop.values:
        fields = {"name": stop.texts[0], "keys": list(stop.values[0])}
        return Finding("the keys of `{name}` are {keys}", fields)
    given = {}
    for text, value in zip(stop.texts, stop.values, strict=False):
        fields = {"name": text, "type": type(value).__name__}
        if isinstance(value, np.ndarray):
            fields["shape"] = name_shape(text, value.shape, sizes, numbers)
            given[text] = Finding("`{name}` is {shape}", fields)
        elif isinstance(value, tuple) and not numbers:
            given[text] = Finding("`{name}` is a {type}", fields)
        elif isinstance(value, (list, tuple)):
            steps = isinstance(value, list)  # one each?
            known = sizes if steps else Sizes({}, {})
            shape = name_shape("", (len(value),), known, numbers)
            fields["length"] = re.sub("[()]", "", shape)
            given[text] = Finding("`{name}` is a {type} of {length}", fields)
    given.pop("", None)  # not to be told
    if not given:
        return None
    told = reduce(both, given.values())
    if stop.error:
        return told
    call = {"function": stop.kind, "given": told}
    return Finding("in the call of `{function}`, {given}", call)


def both(one: Finding, other: Finding) -> Finding:
    """Say the one and the other."""
    return Finding("{one}, {other}", {"one": one, "other": other})


NEW_NAMES = {"xrange": "range", "raw_input": "input", "np.Inf": "np.inf"}
NEW_NAMES |= {f"np.{n}": n for n in ("float", "int", "bool", "object", "str")}


def explain_name(stop: Stop) -> Finding | None:
    """Say what might be meant by a name that is not there."""
    name, error = stop.kind, stop.error
    if error == "UnboundLocalError":
        return Finding(
            "this function gives `{name}` a value, but not before this line",
            {"name": name},
        )
    if error not in ("NameError", "AttributeError"):
        return None
    meant = [] if stop.values else list(filter(None, stop.texts))
    if len(meant) == 2:
        return Finding(
            '`{key}` is a key of `{name}`: write `{name}["{key}"]`',
            {"key": name, "name": meant[0]},
        )
    of_numpy = error == "AttributeError" and stop.names[0] == "numpy"
    if of_numpy and meant:
        return Finding(
            "it is no part of NumPy: write `{name}` alone", {"name": name}
        )
    old = f"np.{name}" if of_numpy else name
    fields = {"old": old, "new": NEW_NAMES.get(old, f"np.{name}")}
    if old in NEW_NAMES:
        return Finding("`{old}` is of older versions: write `{new}`", fields)
    if error == "NameError" and hasattr(np, name):
        return Finding("NumPy has one of this name: write `{new}`", fields)
    if of_numpy:
        near = get_close_matches(name, dir(np), 1, 0.75)
        meant = [f"np.{each}" for each in near]
    if not meant:
        return None
    return Finding("a name much like it is `{name}`", {"name": meant[0]})


def name_shape(
    text: str, shape: tuple[int, ...], sizes: Sizes, numbers: bool
) -> str:
    """Say a shape: in numbers, and by the names of its lengths."""
    small = range(2)  # a length of 1 is a 1 in the docstring, too
    known = []
    for n, names in zip(shape, sizes.of(text, shape), strict=True):
        if numbers or n in small:  # no name by a chance
            known.append(names[0] if len(names) == 1 else str(n))
        else:
            known.append(" = ".join(names) or "…")
    named, plain = f"({', '.join(known)})", f"({', '.join(map(str, shape))})"
    return f"{plain} = {named}" if numbers and named != plain else named


def a_type(value: object) -> Finding:
    """Name the type of a value, with its article."""
    return name_type(type(value))


NO_NAMES = {  # of types, but what stands for one
    "ndarray": Finding("an array", {}),
    "NoneType": Finding("None", {}),
    HOLDS_ITSELF.__name__: Finding("a list that holds itself", {}),
}


def name_type(kind: type) -> Finding:
    """Name a type, with its article."""
    if kind.__name__ in NO_NAMES:
        return NO_NAMES[kind.__name__]
    held = kind.__name__.removesuffix(" array")
    fields = {"type": held}
    a = Finding("a {type}", fields), Finding("a {type} array", fields)
    if held[0] in "aeiou":
        a = Finding("an {type}", fields), Finding("an {type} array", fields)
    return a[held != kind.__name__]


def name_dtype(dtype: np.dtype) -> str:
    """Return how a dtype is written in a notebook."""
    return "str" if dtype.kind == "U" else str(dtype)


def flatten(value: object) -> tuple[str, np.ndarray]:
    """Return the form of a value, as a text, and its numbers in a row."""
    rows: list[Any] = [()]  # one at least, to be put together
    form = form_of(value, rows)
    row = np.concatenate(rows, axis=None, dtype=float, casting="unsafe")
    return form, row


def form_of(value: object, rows: list) -> str:
    """Return the form of a value; add its numbers to `rows`."""
    value = python_number(value)
    if isinstance(value, (np.ndarray, np.number, float)):
        array = np.asarray(value)
        kind = array.dtype.kind
        if kind in "biufc":
            rows += [array.real, array.imag] if kind == "c" else [array]
            return f"{array.shape}{'' if kind == 'f' else kind}"
        if kind == "U" and isinstance(value, np.ndarray):
            return f"{value.shape}{value.tolist()}"
    if isinstance(value, dict):
        keys = sorted(value, key=str)
        return f"{keys}{form_of([value[key] for key in keys], rows)}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join([form_of(item, rows) for item in value])}]"
    told = value is None or type(value) in (bool, int, str)
    return repr(value)[:80] if told else type(value).__name__


def python_number(value: Any) -> Any:
    """Return a number of NumPy's as Python's own."""
    return value.item() if type(value) in PLAIN else value


def same_value(one: Any, other: Any) -> bool:
    """Tell whether two values are equal, but for rounding."""
    if type(one) is type(other):
        if isinstance(one, str):
            return one == other
        if isinstance(one, (int, float)) and one == other:
            return True
        if isinstance(one, np.ndarray):
            alike = one.shape == other.shape and one.dtype == other.dtype
            if alike and one.tobytes() == other.tobytes():
                return True
            if one.dtype.kind == "U":
                return np.array_equal(one, other)
        if isinstance(one, (list, tuple)) and len(one) == len(other):
            return all(map(same_value, one, other))
        if isinstance(one, dict) and one.keys() == other.keys():
            return all(same_value(one[key], other[key]) for key in one)
    return same_flat(flatten(one), flatten(other))


def same_flat(one: tuple, other: tuple) -> bool:
    """Tell whether two results of `flatten` are equal, but for rounding."""
    form, numbers = one
    other_form, other_numbers = other
    if form != other_form:
        return False
    if numbers.size:  # most differ in the first number, and this is fast
        first, expected = numbers.item(0), other_numbers.item(0)
        if abs(first - expected) > 1e-12 + 1e-9 * abs(expected):
            return False
    if numbers.tobytes() == other_numbers.tobytes():  # ten times as fast
        return True
    with np.errstate(all="ignore"):
        limit = 1e-12 + 1e-9 * np.abs(other_numbers)
        if (np.abs(numbers - other_numbers) > limit).any():
            return False
        return np.allclose(
            numbers, other_numbers, rtol=1e-9, atol=1e-12, equal_nan=True
        )


def fingerprint(outcome: Outcome) -> list:
    """Return a few numbers that tell this outcome from any other one."""
    form, numbers = flatten(outcome.seen)
    weights = np.random.default_rng(0).standard_normal((3, numbers.size))
    digest = hashlib.sha256(form.encode()).hexdigest()[:12]
    with np.errstate(all="ignore"):
        sums = weights @ np.nan_to_num(numbers)
    return [digest, *(float(f"{total:.9g}") for total in sums)]


def same_fingerprint(one: list, other: list) -> bool:
    """Tell whether two fingerprints are equal, but for rounding."""
    return one[0] == other[0] and np.allclose(one[1:], other[1:], rtol=1e-8)
