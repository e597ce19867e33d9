"""What a student reads: one line per check, with the sentence that helps."""

import json

import numpy as np
import pytest

from grading import checks
from grading.checks import FunctionTest, skip_unwritten
from grading.marking.compare import check_value
from grading.marking.test import MarkedTest
from grading.outcomes import fingerprint, run_function
from grading.shown import to_html

X = np.arange(6.0).reshape(2, 3)
EXPECTED = {"a": X + 1, "cache": (X + 1, X)}


class WholeTest(FunctionTest):
    """Looks at caches, time steps and a second call, too, as the marking does."""

    assert_same_when_called_again = MarkedTest.assert_same_when_called_again
    check_again = MarkedTest.check_again

    def compare(self, label, actual, expected):
        check_value(label, actual, expected, self.cache, 2)


@pytest.fixture
def know(tmp_path, monkeypatch):
    """Return what puts a table of known mistakes beside the module."""
    monkeypatch.setattr(checks, "__file__", str(tmp_path / "rnn_checks.py"))

    def write(table):
        (tmp_path / "known_mistakes.json").write_text(json.dumps(table))

    return write


def shown(capsys, function, **arguments):
    """Run the usual checks on a function of `x`, and return what is shown."""
    test = WholeTest(function, "a, cache", "a_next, xt")
    test.call(**(arguments or {"x": X}))
    test.assert_types(a=np.ndarray, cache=tuple)
    test.assert_shapes(a=(2, 3))
    test.assert_allclose("a", EXPECTED["a"])
    test.assert_allclose("cache", EXPECTED["cache"])
    test.assert_arguments_unchanged()
    test.assert_same_when_called_again()
    test.report()
    return capsys.readouterr().out


def right(x):
    return x + 1, (x + 1, x)


def test_right_work_is_ticked_line_by_line(capsys, know):
    know({"right": {"kinds": 9, "mistakes": []}})
    out = shown(capsys, right)
    assert out.count("✓") == 6
    assert "✗" not in out
    assert "6 of 9 kinds of check" in out
    assert "all tests passed" not in out.lower()


@pytest.mark.parametrize("table", [None, {"left": {"kinds": 9, "mistakes": []}}])
def test_where_nothing_is_known_no_number_of_kinds_is_told(capsys, know, table):
    if table:
        know(table)
    assert "`right`: 6 of all kinds of check made here" in shown(capsys, right)


def test_unwritten_function_is_one_line(capsys):
    def function(x):
        raise NotImplementedError

    assert shown(capsys, function) == "✗ `function`: not written yet.\n"


def changes_its_argument(x):
    x += 1
    return x, (x, x - 1)


def counts_its_calls(x, calls=[]):  # noqa: B006 - the mistake itself
    calls.append(1)
    return x + len(calls), (x + 1, x)


@pytest.mark.parametrize(
    ("function", "line"),
    [
        (lambda x: None, "returns None; is a `return` missing at its end?"),
        (lambda x: x, "returns an array, not `a`, `cache`"),
        (lambda x: (x, x, x), "returns 3 values, expected 2"),
        (lambda x: (x.tolist(), right(x)[1]), "`a` is a list, not an array."),
        (lambda x: (x.astype("f4") + 1, right(x)[1]), "`a` is an array of float32"),
        (lambda x: (x.T + 1, right(x)[1]), "shape (3, 2), expected (2, 3); is it transposed?"),
        (lambda x: (x.astype(str), right(x)[1]), "`a` is an array of str, expected float64"),
        (lambda x: (x * np.nan, right(x)[1]), "a: `a` is NaN in 6 of 6 places"),
        (lambda x: (x + 1.5, right(x)[1]), "a: `a` is wrong in 6 of 6 places, by up to 0.5."),
        (lambda x: (x + 1, (x + 1, x + 1)), "cache: the entry `xt`: `cache[1]` is wrong"),
        (lambda x: (x + 1, (x, x + 1)), "`cache` is wrong in the entries `a_next`, `xt`"),
        (lambda x: (x + 1, (x + 1,)), "`cache` is of length 1, expected 2"),
        (lambda x: (x + 1, {"a": x}), "`cache` is a dict, not a tuple"),
        (lambda x: (x @ x, 1), "`x` is (2, 3); the columns of the left must be the rows"),
        (lambda x: (undefined, 1), "NameError: name 'undefined' is not defined"),  # noqa: F821
        (lambda x: exit("bye"), "stopped with SystemExit"),
        (changes_its_argument, "the argument `x` is changed by the call"),
        (counts_its_calls, "a second call with the same arguments returns other values"),
    ],
)
def test_a_cross_says_what_to_look_at(capsys, function, line):
    assert line in shown(capsys, function)


@pytest.mark.parametrize(
    ("steps", "line"),
    [
        ([2, 3], "from time step t = 2 on"),
        ([0, 1, 2, 3], "at every time step"),
        ([0, 3], "at time steps t = 0, 3"),
    ],
)
def test_a_sequence_says_where_it_goes_wrong(capsys, steps, line):
    a = np.zeros((2, 3, 4))
    wrong = a.copy()
    wrong[:, :, steps] = 1
    test = WholeTest(lambda: (wrong, 0), "a, caches")
    test.call()
    test.assert_allclose("a", a)
    test.report()
    assert line in capsys.readouterr().out


def test_an_entry_of_the_caches_is_named_with_its_time_step(capsys):
    caches = ([(X, X), (X, X)], X)
    test = WholeTest(lambda: (X, ([(X, X), (X, X + 1)], X)), "a, caches", "a_next, xt")
    test.call()
    test.assert_allclose("caches", caches)
    test.report()
    out = capsys.readouterr().out
    assert "the entry `xt`: `caches[0][1][1]` is wrong" in out
    assert "first at time step t = 1" in out


def test_a_known_mistake_brings_its_sentence_and_no_other_does(capsys, know):
    def off_by_one(x):
        return x, (x, x)

    seen = fingerprint(run_function(off_by_one, {"x": X}))
    mistakes = [{"sentence": "Add one.", "fingerprint": seen}]
    know({"function": {"kinds": 9, "mistakes": mistakes}})
    for value, named in [(0, True), (1e-13, True), (1e-4, False), (1, False)]:

        def function(x, value=value):
            return x + value, (x + value, x)

        assert ("→ Add one." in shown(capsys, function)) is named


def test_odd_return_values_raise_nothing(capsys):
    class Liar:
        def __eq__(self, other):
            raise RuntimeError("no")

        __array_ufunc__ = None

    nested = []
    nested.append(nested)
    for value in (
        Liar(),
        nested,
        {1: 2, "a": 3},
        np.array(["a"]),
        np.array([None]),
        10**400,
        X * 1j,
    ):
        assert "✗" in shown(capsys, lambda x, value=value: (value, value))


def test_html_is_escaped_and_says_ticks_in_words():
    page = to_html([("✗", "a < b & `c_next`")], "", {})
    assert "a &lt; b &amp; <code>c_next</code>" in page
    assert 'aria-label="wrong"' in page


def test_what_waits_for_unwritten_functions_says_so(capsys):
    with skip_unwritten("The picture"):
        raise NotImplementedError
    assert capsys.readouterr().out == (
        "The picture: waits for a function that is not written yet.\n"
    )
