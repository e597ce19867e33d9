"""
The checks of the notebooks: what a function returns, looked at bit by bit.

A `FunctionTest` calls one function on copies of its arguments; then each
`assert_...` looks at one thing, as those of `numpy.testing` do. Nothing is
raised: every check becomes a line, ticked or crossed, and `report` shows
the lines. NumPy only, and no answers.
"""

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from grading.findings import NOTHING, Finding
from grading.outcomes import (
    KEPT,
    NOT_CALLED,
    PLAIN,
    Outcome,
    Wrong,
    a_type,
    explained,
    fingerprint,
    name_dtype,
    name_type,
    odd_type,
    run_function,
    same_fingerprint,
    same_value,
    why_lost,
)
from grading.shown import reject_next_cell, report_lines, show
from grading.stops import copy_value, sizes_in

RTOL, ATOL = 1e-6, 1e-8
# In float32 as much is lost again: that costs points for the type, once.
IN_FLOAT32 = 100
WORDS = ""  # no function's name

Check = Callable[[Outcome], None]


class FunctionTest:
    """
    Test one function, check by check.

    Parameters
    ----------
    function : callable
        The function under test.
    returns : str
        The names of what it returns: "a_next, yt_pred, cache".
    cache : str, optional
        The names of the entries of the cache of one time step.
    keys : str, optional
        Where the function returns one dict: its keys, "dxt, da_prev". The
        checks then look at each of its values as at a returned value.
    own_cache : bool, optional
        Whether what the cache holds is the student's own choice: the last
        value returned, or the argument `cache`. It is not compared.
    """

    def __init__(
        self,
        function: Callable,
        returns: str,
        cache: str = "",
        keys: str = "",
        own_cache: bool = False,
    ) -> None:
        self.function = function
        self.name = getattr(function, "__name__", "the function")
        self.returns = returns.split(", ")
        self.cache = cache.split(", ")
        self.keys = keys.split(", ") if keys else []
        self.own_cache = own_cache
        self.arguments: dict[str, Any] = {}
        self.outcome = NOT_CALLED
        self.wrong: dict[str, Finding | None] = {}  # by kind of check

    def call(self, **arguments: object) -> None:
        """Call the function on copies of `arguments`, in this order."""
        self.arguments = dict(arguments)
        if self.own_cache and "cache" in arguments:
            self.arguments["cache"] = KEPT
        outcome = run_function(
            self.function, arguments, self.own_cache, self.keeps_cache
        )
        sizes = sizes_in(self.function.__doc__ or "", arguments)
        self.outcome = explained(outcome, sizes, numbers=True)

    def assert_types(self, **types: type | np.dtype) -> None:
        """Check how many values are returned, and the type of each."""
        self.check_each("types", check_type, types)
        self.check("types", self.check_kept)

    def assert_shapes(self, **shapes: tuple[int, ...]) -> None:
        """Check the shapes of the returned arrays."""
        self.check_each("shapes", check_shape, shapes)

    def assert_length(self, name: str, length: int) -> None:
        """Check how many entries a returned value has."""
        self.check_each(name, check_length, {name: length})

    def check_each(self, kind: str, one: Callable, expected: dict) -> None:
        """Look at returned values one by one, as one kind of check."""

        def check(outcome: Outcome) -> None:
            values = self.named(outcome.result)
            for name, right in expected.items():
                one(self.label(name), values[name], right)

        self.check(kind, check)

    def assert_allclose(self, path: str, expected: object) -> None:
        """
        Check the values of a returned array, or a number or text.

        `path` is a returned value's name, with indices where a part of it
        is meant, as in "cache[1][3]".
        """

        def check(outcome: Outcome) -> None:
            actual = self.part(outcome.result, path)
            self.compare(self.label(path), actual, expected)

        self.check(path.split("[")[0], check)

    def compare(self, label: str, actual: object, expected: object) -> None:
        """Raise Wrong where a value is not what is expected."""
        if isinstance(expected, (list, np.ndarray)):
            check_array(label, actual, np.array(expected))
        else:
            check_plain(label, actual, expected)

    def assert_arguments_unchanged(self) -> None:
        """Check that the function leaves its arguments as they were."""
        self.check("arguments", self.check_arguments)

    def assert_raises(self, error: type, **arguments: object) -> None:
        """Check that the function refuses `arguments` with this error."""

        def check(outcome: Outcome) -> None:
            check_raises(self.function, error, arguments)

        self.check("raises", check)

    def check(self, kind: str, check: Check) -> None:
        """Make one check, and keep what it finds wrong."""
        self.wrong[kind] = self.wrong.get(kind) or find_wrong(
            check, self.outcome
        )

    def check_arguments(self, outcome: Outcome) -> None:
        """Raise Wrong where an argument is not what it was."""
        self.named(outcome.result)
        for name, value in outcome.arguments.items():
            if not same_value(value, self.arguments[name]):
                raise Wrong(
                    "the argument `{name}` is changed by the call; leave it"
                    " as it is, and write into an array of your own",
                    name=name,
                )

    def check_kept(self, outcome: Outcome) -> None:
        """Raise Wrong where the function stops that keeps the cache."""
        values = self.named(outcome.result)
        for name in self.returns if self.keeps_cache else []:
            values[name]

    @property
    def keeps_cache(self) -> bool:
        """Tell whether the last value returned is a cache."""
        own = self.own_cache and self.returns[-1] == "cache"
        return own or self.cache != [""]

    def report(self) -> None:
        """Show one line per kind of check, and how much they covered."""
        table = known()
        about, words = table.get(self.name, {}), table.get(WORDS, {})
        lines = report_lines(self.name, self.wrong, self.mistake(about))
        closing = self.covered(about.get("kinds"))
        show(lines, None if self.outcome.stopped else closing, words)
        if any(self.wrong.values()) and os.environ.get("NBGRADER_VALIDATING"):
            reject_next_cell("\n".join(f.said(words) for _, f in lines))

    def covered(self, kinds: int | None) -> Finding:
        """Say how many of all kinds of check were made."""
        made = {"name": self.name, "made": len(self.wrong)}
        if kinds is None:
            return Finding(
                "`{name}`: {made} of all kinds of check made here, on one"
                " example. Marking makes all of them, on data that you have"
                " not seen.",
                made,
            )
        return Finding(
            "`{name}`: {made} of {kinds} kinds of check made here, on one"
            " example. Marking makes all of them, on data that you have not"
            " seen.",
            {**made, "kinds": kinds},
        )

    def mistake(self, about: dict) -> str:
        """Return the sentence of the known mistake that gives this outcome."""
        stopped, raised = self.outcome.stopped, self.outcome.raised
        if (stopped and not raised) or not about.get("mistakes"):
            return ""
        seen = fingerprint(self.outcome)
        for mistake in about["mistakes"]:
            if same_fingerprint(mistake["fingerprint"], seen):
                return mistake["sentence"]
        return ""

    def named(self, result: object) -> dict[str, Any]:
        """Return the returned values by name."""
        if len(self.returns) == 1 and not self.keys:
            return {self.returns[0]: result}
        names = [f"`{name}`" for name in self.returns]
        if result is None:
            raise Wrong("returns None; is a `return` missing at its end?")
        if self.keys:
            return Values.of(result, self.returns[0])
        if not isinstance(result, (tuple, list)):
            raise Wrong(
                "returns {kind}, not {names}", kind=a_type(result), names=names
            )
        if len(result) != len(self.returns):
            raise Wrong(
                "returns {count} values, expected {expected}: {names}",
                count=len(result), expected=len(self.returns), names=names,
            )  # fmt: skip
        values = Values(zip(self.returns, result, strict=True))
        values.lost = why_lost(result)
        if values.lost:
            del values[self.returns[-1]]
        return values

    def label(self, path: str) -> str:
        """Return how a student writes what `path` names."""
        key, bracket, indices = path.partition("[")
        if self.keys:
            key = f"{self.returns[0]}['{key}']"
        return key + bracket + indices

    def part(self, result: object, path: str) -> Any:
        """Return the part of the result that `path` names."""
        name, *indices = re.findall(r"\w+", path)
        value = self.named(result)[name]
        for index in indices:
            try:
                value = value[int(index) if index.isdigit() else index]
            except (IndexError, KeyError, TypeError):
                raise Wrong("`{path}` is not there", path=path) from None
        return value


class Values(dict):
    """Returned values, or those of a returned dict; what lacks is named."""

    name = ""
    lost: Finding | None = None  # why there is no cache

    @classmethod
    def of(cls, result: object, name: str) -> "Values":
        """Return the values of the dict of this name."""
        if not isinstance(result, dict):
            raise Wrong(
                "returns {kind}, not the dict `{name}`",
                kind=a_type(result), name=name,
            )  # fmt: skip
        values = cls(result)
        values.name = name
        return values

    def __missing__(self, key: str) -> None:
        if self.lost:
            message, fields = self.lost
            told = Finding(
                "{help}; the other values are looked at without this line",
                {"help": fields["help"]},
            )
            raise Wrong(message, **{**fields, "help": told})
        raise Wrong("`{name}` has no key '{key}'", name=self.name, key=key)


def known() -> dict[str, dict]:
    """
    Return what the file beside the checks holds.

    Of each function its mistakes, and how many kinds of check there are; in
    another language than English, the words of that.
    """
    file = Path(__file__).with_name("known_mistakes.json")
    return json.loads(file.read_text("utf-8")) if file.exists() else {}


@contextmanager
def skip_unwritten(what: str) -> Iterator[None]:
    """Run the block; where a function is not written yet, say so in a line."""
    try:
        yield
    except NotImplementedError:
        waits = Finding(
            "{what}: waits for a function that is not written yet.",
            {"what": what},
        )
        print(waits.said(known().get(WORDS, {})))


# --------------------------------------------------------- single checks


def find_wrong(check: Check, outcome: Outcome) -> Finding | None:
    """Return what the check finds wrong with the outcome, if anything."""
    if outcome.stopped:
        return outcome.stopped
    try:
        check(outcome)
    except Wrong as wrong:
        return wrong.finding
    except Exception as error:  # a value that lets nobody look at it
        fields = {"error": type(error).__name__, "said": str(error)}
        return Finding("cannot be looked at ({error}: {said})", fields)
    return None


def check_raises(
    function: Callable, error: type[BaseException], arguments: dict
) -> None:
    """Raise Wrong where a call does not raise this error."""
    name = name_type(error)
    try:
        function(*copy_value(arguments).values())
    except error:
        return
    except Exception as other:
        raise Wrong(
            "raises {kind} where {error} is asked for",
            kind=a_type(other), error=name,
        ) from None  # fmt: skip
    raise Wrong("returns something where {error} is asked for", error=name)


def check_type(label: str, actual: Any, expected: type | np.dtype) -> None:
    """Raise Wrong where a value is of another type; a dtype is an array's."""
    dtype = np.dtype(float)
    if isinstance(expected, np.dtype):
        dtype, expected = expected, np.ndarray
    kind = type(actual)
    if kind is np.ndarray:
        kind = odd_type(actual) or kind
    if expected is np.ndarray and kind.__name__.endswith(" array"):
        raise Wrong(
            "`{label}` is {kind}, expected one of {dtype}",
            label=label, kind=name_type(kind), dtype=name_dtype(dtype),
        )  # fmt: skip
    if PLAIN.get(kind, kind) is not PLAIN.get(expected, expected):
        raise Wrong(
            "`{label}` is {kind}, not {expected}",
            label=label, kind=name_type(kind), expected=name_type(expected),
        )  # fmt: skip
    odd = odd_type(actual)
    if odd is not None:
        raise Wrong(
            "`{label}` holds {kind}; only arrays, numbers, texts, lists,"
            " tuples and dicts belong there",
            label=label, kind=name_type(odd),
        )  # fmt: skip
    if expected is np.ndarray and actual.dtype != dtype:
        if actual.dtype.kind == dtype.kind != "f":
            return  # ints of any size, texts of any length
        raise Wrong(
            "`{label}` is an array of {dtype}, expected {expected}",
            label=label,
            dtype=name_dtype(actual.dtype), expected=name_dtype(dtype),
        )  # fmt: skip


def check_plain(label: str, actual: object, expected: object) -> None:
    """Raise Wrong where a number or text is another one."""
    if not same_value(actual, expected):
        raise Wrong("`{label}` is wrong", label=label)


def check_length(label: str, actual: Any, expected: int) -> None:
    """Raise Wrong where a value has another number of entries."""
    if len(actual) != expected:
        raise Wrong(
            "`{label}` is of length {length}, expected {expected}",
            label=label, length=len(actual), expected=expected,
        )  # fmt: skip


def check_is_array(label: str, actual: object) -> None:
    """Raise Wrong where something else stands in the place of an array."""
    if not isinstance(actual, (np.ndarray, np.generic)):
        kind = a_type(actual)
        if type(actual).__name__.endswith(" array"):  # in marking, of bytes
            raise Wrong(
                "`{label}` is {kind}, not one of numbers or texts",
                label=label, kind=kind,
            )  # fmt: skip
        raise Wrong(
            "`{label}` is {kind}, not an array", label=label, kind=kind
        )


def check_shape(label: str, actual: Any, expected: tuple) -> None:
    """Raise Wrong where a value is not of the expected shape."""
    check_is_array(label, actual)
    shape = np.shape(actual)
    if shape == expected:
        return
    hint = NOTHING
    if shape == expected[::-1]:
        hint = Finding("; is it transposed?", {})
    elif sorted(shape) == sorted(expected):
        hint = Finding("; are its axes in another order?", {})
    elif shape and shape == tuple(n for n in expected if n > 1):
        hint = Finding("; an axis of length 1 is lost", {})
    elif len(shape) == 2 and shape == expected[:2]:
        hint = Finding("; the last axis is missing", {})
    raise Wrong(
        "`{label}` has shape {shape}, expected {expected}{hint}",
        label=label, shape=str(shape), expected=str(expected), hint=hint,
    )  # fmt: skip


def check_array(
    path: str,
    actual: object,
    expected: np.ndarray,
    steps: Callable[[np.ndarray], Finding] = lambda wrong: NOTHING,
) -> None:
    """Raise Wrong where an array differs; `steps` says at which time steps."""
    check_shape(path, actual, expected.shape)
    measured = expected.dtype.kind not in "bU"
    actual, expected = as_numbers(actual, expected)
    if (actual == expected).all():  # as most are
        return
    if np.isnan(actual).any():
        raise Wrong(
            "`{label}` is NaN in {places}; what was divided by zero, or too"
            " large for exp?",
            label=path, places=places(np.isnan(actual)),
        )  # fmt: skip
    wrong = where_wrong(actual, expected)
    if wrong.any() and not actual.any():
        raise Wrong("`{label}` is zero everywhere", label=path)
    if wrong.any():
        error = largest(actual - expected)
        by = Finding(", by up to {error:.2g}", {"error": error})
        raise Wrong(
            "`{label}` is wrong in {places}{by}{steps}",
            label=path, places=places(wrong), steps=steps(wrong),
            by=by if measured else NOTHING,
        )  # fmt: skip


def largest(error: np.ndarray) -> float:
    """Return the largest error, whatever its sign."""
    return float(np.abs(error).max())


def as_numbers(actual: Any, expected: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return arrays of ints, truth values or texts so as to subtract them."""
    texts = "U" in (actual.dtype.kind, expected.dtype.kind)
    if expected.dtype.kind in "fc" and not texts:
        return actual, expected
    if expected.dtype.kind in "biu" and actual.dtype.kind in "biuf":
        return actual.astype(float), expected.astype(float)
    return (actual != expected).astype(float), np.zeros(expected.shape)


def where_wrong(actual: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Return where an array is wrong, more than rounding makes it."""
    actual, expected = as_numbers(actual, expected)
    with np.errstate(all="ignore"):
        allowed = (ATOL + RTOL * np.abs(expected)) * precision(actual)
        return ~(np.abs(actual - expected) <= allowed)  # NaN is wrong


def precision(actual: Any) -> int:
    """Return how many times the usual error is allowed in an array."""
    return IN_FLOAT32 if actual.dtype == np.float32 else 1


def places(wrong: np.ndarray) -> Finding:
    """Say in how many places an array is wrong."""
    count = int(wrong.sum())
    return Finding(
        "{count} of {size} places", {"count": count, "size": wrong.size}
    )
