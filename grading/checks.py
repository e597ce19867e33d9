"""
The checks of the notebooks: what a function returns, looked at bit by bit.

A `FunctionTest` calls one function on copies of its arguments; then each
`assert_...` looks at one thing, as those of `numpy.testing` do. Nothing is
raised: every check becomes a line, ticked or crossed, and `report` shows
the lines. NumPy only, and no answers.
"""

import hashlib
import html
import json
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

RTOL, ATOL = 1e-6, 1e-8
NOT_WRITTEN = "not written yet"
NO_CACHE = "needs the cache of the forward function, which returns none"
KEPT, CHANGED = "as it was", "changed"  # stand for an own cache


class Outcome(NamedTuple):
    """What came of calling a function twice with the same arguments."""

    result: Any  # what it returned
    arguments: dict[str, Any]  # the arguments as they were afterwards
    again: Any  # what the second call returned
    error: str  # what it raised, in a sentence


Check = Callable[[Outcome], None]
Line = tuple[str, str]  # a mark, and the text behind it


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
    kinds : int, optional
        How many kinds of check the marking makes.
    keys : str, optional
        Where the function returns one dict: its keys, "dxt, da_prev". The
        checks then look at each of its values as at a returned value.
    own_cache : bool, optional
        Whether what the cache holds is the student's own choice: the last
        value returned, or the argument `cache`. It is not compared.
    time_axis : int, optional
        Which axis of a sequence the time steps lie along.
    """

    def __init__(
        self,
        function: Callable,
        returns: str,
        cache: str = "",
        kinds: int = 0,
        keys: str = "",
        own_cache: bool = False,
        time_axis: int = 2,
    ) -> None:
        self.function = function
        self.name = getattr(function, "__name__", "the function")
        self.returns = returns.split(", ")
        self.cache = cache.split(", ")
        self.kinds = kinds
        self.keys = keys.split(", ") if keys else []
        self.own_cache = own_cache
        self.time_axis = time_axis
        self.arguments = {}
        self.outcome = None
        self.wrong = {}  # kind of check: what is wrong, "" where it is right

    def call(self, **arguments: Any) -> None:
        """Call the function on copies of `arguments`, in this order."""
        self.arguments = dict(arguments)
        if self.own_cache and "cache" in arguments:
            self.arguments["cache"] = KEPT
        self.outcome = run_function(
            self.function, arguments, self.own_cache
        )

    def assert_types(self, **types: type) -> None:
        """Check how many values are returned, and the type of each."""

        def check(outcome: Outcome) -> None:
            values = self.named(outcome.result)
            for name, expected in types.items():
                check_type(self.label(name), values[name], expected)

        self.check("types", check)

    def assert_shapes(self, **shapes: tuple[int, ...]) -> None:
        """Check the shapes of the returned arrays."""

        def check(outcome: Outcome) -> None:
            values = self.named(outcome.result)
            for name, expected in shapes.items():
                check_shape(self.label(name), values[name], expected)

        self.check("shapes", check)

    def assert_length(self, name: str, length: int) -> None:
        """Check how many entries a returned value has."""

        def check(outcome: Outcome) -> None:
            actual = len(self.named(outcome.result)[name])
            if actual != length:
                raise AssertionError(
                    f"`{name}` is of length {actual}, expected {length}"
                )

        self.check(name, check)

    def assert_allclose(self, path: str, expected: Any) -> None:
        """
        Check the values of a returned array, or of all that a cache holds.

        `path` is a returned value's name, with indices where a part of it
        is meant, as in "cache[1][3]".
        """
        if isinstance(expected, list):
            expected = np.array(expected)

        def check(outcome: Outcome) -> None:
            actual = self.part(outcome.result, path)
            label, axis = self.label(path), self.time_axis
            check_value(label, actual, expected, self.cache, axis)

        self.check(path.split("[")[0], check)

    def assert_arguments_unchanged(self) -> None:
        """Check that the function leaves its arguments as they were."""
        self.check("arguments", self.check_arguments)

    def assert_same_when_called_again(self) -> None:
        """Check that a second call with the same arguments changes nothing."""
        self.check("second call", self.check_again)

    def check(self, kind: str, check: Check) -> None:
        """Make one check, and keep what it finds wrong."""
        wrong = find_wrong(check, self.outcome)
        self.wrong[kind] = self.wrong.get(kind) or wrong

    def check_arguments(self, outcome: Outcome) -> None:
        """Raise AssertionError where an argument is not what it was."""
        self.named(outcome.result)
        for name, value in outcome.arguments.items():
            if not same_value(value, self.arguments[name]):
                raise AssertionError(
                    f"the argument `{name}` is changed by the call; leave it"
                    " as it is, and write into an array of your own"
                )

    def check_again(self, outcome: Outcome) -> None:
        """Raise AssertionError where a second call returns something else."""
        self.named(outcome.result)
        if not same_value(outcome.again, outcome.result):
            raise AssertionError(
                "a second call with the same arguments returns other values;"
                " what is kept from call to call, or drawn at random?"
            )

    def report(self) -> None:
        """Show one line per kind of check, and how much they covered."""
        lines = report_lines(self.name, self.wrong, self.known_mistake())
        closing = (
            f"`{self.name}`: {len(self.wrong)} of {self.kinds} kinds of check"
            " made here, on one example. Marking makes all of them, on data"
            " that you have not seen."
        )
        written = self.outcome.error != NOT_WRITTEN
        show(lines, closing if written else "")

    def known_mistake(self) -> str:
        """Return the sentence of the known mistake that gives this outcome."""
        file = Path(__file__).with_name("known_mistakes.json")
        known = json.loads(file.read_text("utf-8")) if file.exists() else {}
        if self.outcome.error or self.name not in known:
            return ""
        seen = fingerprint(self.outcome)
        for mistake in known[self.name]:
            if same_fingerprint(mistake["fingerprint"], seen):
                return mistake["sentence"]
        return ""

    def named(self, result: Any) -> dict[str, Any]:
        """Return the returned values by name."""
        if len(self.returns) == 1 and not self.keys:
            return {self.returns[0]: result}
        names = ", ".join(f"`{name}`" for name in self.returns)
        if result is None:
            raise AssertionError("returns nothing; is its `return` missing?")
        if self.keys:
            return self.entries(result)
        if not isinstance(result, (tuple, list)):
            raise AssertionError(
                f"returns {a_type(type(result))}, not {names}"
            )
        if len(result) != len(self.returns):
            raise AssertionError(
                f"returns {len(result)} values, expected"
                f" {len(self.returns)}: {names}"
            )
        return dict(zip(self.returns, result, strict=True))

    def entries(self, result: Any) -> "Entries":
        """Return the values of the returned dict by key."""
        name = self.returns[0]
        if not isinstance(result, dict):
            kind = a_type(type(result))
            raise AssertionError(f"returns {kind}, not the dict `{name}`")
        entries = Entries(result)
        entries.name = name
        return entries

    def label(self, path: str) -> str:
        """Return how a student writes what `path` names."""
        key, bracket, indices = path.partition("[")
        if self.keys:
            key = f"{self.returns[0]}['{key}']"
        return key + bracket + indices

    def part(self, result: Any, path: str) -> Any:
        """Return the part of the result that `path` names."""
        name, *indices = re.findall(r"\w+", path)
        value = self.named(result)[name]
        for index in indices:
            try:
                value = value[int(index) if index.isdigit() else index]
            except (IndexError, KeyError, TypeError):
                raise AssertionError(f"`{path}` is not there") from None
        return value


class Entries(dict):
    """The values of a returned dict; a key that it lacks is named."""

    name = "gradients"

    def __missing__(self, key: str) -> None:
        raise AssertionError(f"`{self.name}` has no key '{key}'")


def example(
    data: dict, parameters: dict, gradients: dict | None = None
) -> dict:
    """
    Draw an example's arguments: the same numbers every time.

    Parameters
    ----------
    data, parameters, gradients : dict
        Names and shapes, in the order in which they are drawn.

    Returns
    -------
    dict
        The arrays of `data` by name, the dict `parameters`, and the arrays
        of `gradients` by name.
    """
    normal = np.random.RandomState(1).randn
    drawn, weights, back = (
        {name: normal(*shape) for name, shape in shapes.items()}
        for shapes in (data, parameters, gradients or {})
    )
    return {**drawn, "parameters": weights, **back}


@contextmanager
def skip_unwritten(what: str) -> Iterator[None]:
    """Run the block; where a function is not written yet, say so in a line."""
    try:
        yield
    except NotImplementedError:
        print(f"{what}: waits for a function that is not written yet.")


# ---------------------------------------------------------------- one call


def cache_of(function: Callable, **arguments: Any) -> Any:
    """Return the cache, the last value that `function` returns, or None."""
    try:
        return function(*copy_value(arguments).values())[-1]
    except Exception:  # the checks of this function say why
        return None


def run_function(
    function: Callable, arguments: dict, own_cache: bool = False
) -> Outcome:
    """
    Call `function` twice on copies of `arguments`; return the Outcome.

    Of an own cache, it tells only whether the function has changed it.
    """
    given = copy_value(arguments)
    try:
        result = copy_value(function(*given.values()))
        again = copy_value(function(*copy_value(arguments).values()))
    except (Exception, SystemExit) as error:
        wrong = describe_error(error)
        if own_cache and given.get("cache", KEPT) is None:
            wrong = wrong if wrong == NOT_WRITTEN else NO_CACHE
        return Outcome(None, given, None, wrong)
    outcome = Outcome(result, given, again, "")
    return without_cache(outcome, arguments) if own_cache else outcome


def without_cache(outcome: Outcome, arguments: dict) -> Outcome:
    """Return the outcome with a word in the place of the student's cache."""
    result, given, again, error = outcome
    if "cache" in arguments:
        same = same_value(given["cache"], arguments["cache"])
        given = {**given, "cache": KEPT if same else CHANGED}
        return Outcome(result, given, again, error)
    result, again = (
        (*value[:-1], KEPT) if type(value) in (list, tuple) else value
        for value in (result, again)
    )
    return Outcome(result, given, again, error)


def copy_value(value: Any) -> Any:
    """Copy arrays, and the containers that hold them."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if type(value) is dict:
        return {key: copy_value(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(copy_value(item) for item in value)
    return value


def describe_error(error: BaseException) -> str:
    """Say in one sentence what was raised, and in which line of the cell."""
    if isinstance(error, NotImplementedError):
        return NOT_WRITTEN
    lines = getattr(error, "student_lines", None)
    if lines is None:
        lines = [
            f"line {frame.lineno}: {frame.line}"
            for frame in traceback.extract_tb(error.__traceback__)
            if "ipykernel" in frame.filename or frame.filename[0] == "<"
        ]
    where = f" (`{lines[-1]}`)" if lines else ""
    message = re.sub(r", with gufunc signature \S+", "", str(error)).strip()
    return f"stopped with {type(error).__name__}: {message}{where}"


# --------------------------------------------------------- single checks


def find_wrong(check: Check, outcome: Outcome) -> str:
    """Return what the check finds wrong with the outcome, or ""."""
    if outcome.error:
        return outcome.error
    try:
        check(outcome)
    except AssertionError as wrong:
        return str(wrong)
    except Exception as error:  # a value that lets nobody look at it
        return f"cannot be looked at ({type(error).__name__}: {error})"
    return ""


def check_type(label: str, actual: Any, expected: type) -> None:
    """Raise AssertionError where a value is not of the expected type."""
    if type(actual) is not expected:
        raise AssertionError(
            f"`{label}` is {a_type(type(actual))}, not {a_type(expected)}"
        )
    if expected is np.ndarray and actual.dtype != np.float64:
        raise AssertionError(
            f"`{label}` is an array of {actual.dtype}, expected float64"
        )


def a_type(kind: type) -> str:
    """Name a type, with its article."""
    names = {np.ndarray: "an array", type(None): "None", int: "an int"}
    return names.get(kind, f"a {kind.__name__}")


def check_shape(label: str, actual: Any, expected: tuple) -> None:
    """Raise AssertionError where a value is not of the expected shape."""
    shape = np.shape(actual)
    if shape == expected:
        return
    wrong = f"`{label}` has shape {shape}, expected {expected}"
    if shape == expected[::-1]:
        wrong += "; is it transposed?"
    elif sorted(shape) == sorted(expected):
        wrong += "; are its axes in another order?"
    elif shape and shape == tuple(n for n in expected if n > 1):
        wrong += "; an axis of length 1 is lost"
    elif len(shape) == 2 and shape == expected[:2]:
        wrong += "; the axis of the time steps is missing"
    raise AssertionError(wrong)


def check_value(
    path: str,
    actual: Any,
    expected: Any,
    cache: list[str] | tuple = (),
    time_axis: int = 2,
) -> None:
    """
    Raise AssertionError where a value, or anything that it holds, differs.

    `cache` names the entries of a cache, so that the wrong ones can be named.
    """
    if isinstance(expected, np.ndarray):
        check_array(path, actual, expected, time_axis)
    elif isinstance(expected, (dict, list, tuple)):
        check_container(path, actual, expected)
        check_entries(path, actual, expected, cache)
    elif not same_value(actual, expected):
        raise AssertionError(f"`{path}` is wrong")


def check_container(path: str, actual: Any, expected: Any) -> None:
    """Raise AssertionError where another container stands, or another size."""
    kinds = dict if isinstance(expected, dict) else (list, tuple)
    if not isinstance(actual, kinds):
        wrong = f"is {a_type(type(actual))}, not {a_type(type(expected))}"
    elif kinds is dict and set(expected) - set(actual):
        wrong = f"lacks {', '.join(sorted(set(expected) - set(actual)))}"
    elif len(actual) != len(expected):
        wrong = f"is of length {len(actual)}, expected {len(expected)}"
    else:
        return
    raise AssertionError(f"`{path}` {wrong}")


def check_entries(
    path: str, actual: Any, expected: Any, cache: list[str] | tuple
) -> None:
    """Raise AssertionError where entries of a container differ."""
    wrong = {}
    for key in (
        expected if isinstance(expected, dict) else range(len(expected))
    ):
        try:
            check_value(f"{path}[{key!r}]", actual[key], expected[key], cache)
        except AssertionError as error:
            wrong[key] = str(error)
    if not wrong:
        return
    first, sentence = next(iter(wrong.items()))
    if isinstance(expected, list):
        sentence += f", first at time step t = {first}"
    elif isinstance(expected, tuple) and len(expected) == len(cache):
        names = ", ".join(f"`{cache[entry]}`" for entry in wrong)
        one = f"the entry {names}: {sentence}"
        several = f"`{path}` is wrong in the entries {names}"
        sentence = one if len(wrong) == 1 else several
    raise AssertionError(sentence)


def check_array(
    path: str, actual: Any, expected: np.ndarray, time_axis: int
) -> None:
    """Raise AssertionError where an array differs, and say where and how."""
    if not isinstance(actual, (np.ndarray, np.generic)):
        kind = a_type(type(actual))
        raise AssertionError(f"`{path}` is {kind}, not an array")
    check_shape(path, actual, expected.shape)
    count = int(np.isnan(actual).sum())
    if count:
        raise AssertionError(
            f"`{path}` is NaN in {count} of {actual.size} places; what was"
            " divided by zero, or too large for exp?"
        )
    error = np.abs(actual - expected)
    wrong = error > ATOL + RTOL * np.abs(expected)
    if wrong.any():
        raise AssertionError(
            f"`{path}` is wrong in {wrong.sum()} of {wrong.size} places, by"
            f" up to {error.max():.2g}{wrong_steps(wrong, time_axis)}"
        )


def wrong_steps(wrong: np.ndarray, time_axis: int) -> str:
    """Say at which time steps an array of three axes is wrong."""
    if wrong.ndim < 3 or wrong.shape[time_axis] == 1:
        return ""
    others = tuple(axis for axis in range(3) if axis != time_axis)
    steps = np.flatnonzero(wrong.any(axis=others))
    first, last = steps[0], wrong.shape[time_axis] - 1
    if len(steps) == last + 1:
        return ", at every time step"
    if len(steps) == last + 1 - first:
        return f", from time step t = {first} on"
    return f", at time steps t = {', '.join(map(str, steps))}"


# --------------------------------------------------------- known mistakes


def flatten(value: Any) -> tuple[str, np.ndarray]:
    """Return the form of a value, as a text, and its numbers in a row."""
    if isinstance(value, dict):
        keys = sorted(value, key=str)
        form, numbers = flatten([value[key] for key in keys])
        return f"{keys}{form}", numbers
    if isinstance(value, (list, tuple)):
        parts = [flatten(item) for item in value]
        numbers = [np.zeros(0), *(row for form, row in parts)]
        return str([form for form, row in parts]), np.concatenate(numbers)
    if isinstance(value, (np.ndarray, np.number, float)):
        array = np.asarray(value)
        if array.dtype.kind in "biuf":
            return str(array.shape), array.astype(float).ravel()
    return repr(value)[:80], np.zeros(0)


def same_value(one: Any, other: Any) -> bool:
    """Tell whether two values are equal, but for rounding."""
    if type(one) is type(other):
        if isinstance(one, np.ndarray) and np.array_equal(one, other):
            return True
        if isinstance(one, (list, tuple)) and len(one) == len(other):
            return all(map(same_value, one, other))
        if isinstance(one, dict) and one.keys() == other.keys():
            return all(same_value(one[key], other[key]) for key in one)
    return same_flat(flatten(one), flatten(other))


def same_flat(one: tuple, other: tuple) -> bool:
    """Tell whether two results of `flatten` are equal, but for rounding."""
    form, numbers = one
    other_form, other_numbers = other
    return form == other_form and np.allclose(
        numbers, other_numbers, rtol=1e-9, atol=1e-12, equal_nan=True
    )


def fingerprint(outcome: Outcome) -> list:
    """Return a few numbers that tell this outcome from any other one."""
    form, numbers = flatten(outcome)
    weights = np.random.default_rng(0).standard_normal((3, numbers.size))
    digest = hashlib.sha256(form.encode()).hexdigest()[:12]
    sums = weights @ np.nan_to_num(numbers)
    return [digest, *(float(f"{total:.9g}") for total in sums)]


def same_fingerprint(one: list, other: list) -> bool:
    """Tell whether two fingerprints are equal, but for rounding."""
    return one[0] == other[0] and np.allclose(one[1:], other[1:], rtol=1e-8)


# ------------------------------------------------------------- the report


def report_lines(name: str, wrong: dict[str, str], mistake: str) -> list[Line]:
    """Return (mark, text) of every line; like sentences share a line."""
    kinds = {}
    for kind, sentence in wrong.items():
        kinds.setdefault(sentence or f"{kind}: right", []).append(kind)
    lines = []
    for sentence, about in kinds.items():
        if not wrong[about[0]]:
            lines.append(("✓", sentence))
        elif len(about) == len(wrong):
            lines.append(("✗", f"`{name}`: {sentence}."))
        else:
            lines.append(("✗", f"{', '.join(about)}: {sentence}."))
    return lines + ([("→", mistake)] if mistake else [])


def show(lines: list[Line], closing: str = "", **more: Any) -> None:
    """Show (mark, text) lines: HTML in a notebook, plain text elsewhere."""
    text = "\n".join([*(f"{mark} {line}" for mark, line in lines), closing])
    ipython = sys.modules.get("IPython")
    if ipython is None or ipython.get_ipython() is None:
        print(text.strip())
        return
    bundle = {"text/plain": text.strip(), "text/html": to_html(lines, closing)}
    ipython.display.display({**bundle, **more}, raw=True)


def to_html(lines: list[Line], closing: str) -> str:
    """Return the lines as a list in HTML, in the colours of JupyterLab."""
    styles = {
        "✓": ("right", "var(--jp-success-color1, #1b5e20)"),
        "✗": ("wrong", "var(--jp-error-color1, #b71c1c)"),
        "→": ("known mistake", "inherit"),
    }
    items = "".join(
        f'<li><strong role="img" aria-label="{styles[mark][0]}"'
        f' style="color: {styles[mark][1]}">{mark}</strong> {code(line)}</li>'
        for mark, line in lines
    )
    return (
        f'<ul style="list-style: none; margin: 0; padding: 0">{items}</ul>'
        f'<p style="margin: 0.5em 0 0">{code(closing)}</p>'
    )


def code(text: str) -> str:
    """Return the text as HTML, what stands in backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))
