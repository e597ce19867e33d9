"""The notebook on the backward pass: what is given, what is checked, and what it ends with."""

import contextlib
import importlib
import io
import json
from pathlib import Path

import matplotlib
import numpy as np
import pytest

import rnn_forward_passes
from grading.authoring.leaks import scan, secrets_of
from grading.marking.compare import check_value
from grading.marking.naming import Outcomes
from grading.source import course_root, read_assignment, read_source
from grading.testing import MarkedTest, marking
from rnn_checks import FunctionTest, run_function, same_value
from rnn_marking.gradients import Case
from rnn_marking.inputs import lstm_case, lstm_inputs, rnn_case, rnn_cell_case, rnn_inputs
from rnn_utils import numeric_gradient, relative_error

ROOT = course_root(Path(__file__).parent)
ASSIGNMENT = "rnn_lstm_backward"
FIRST = read_source("rnn_lstm_forward", ROOT)
SOURCE = read_source(ASSIGNMENT, ROOT)
SIZES = {"n_x": 4, "n_a": 6, "n_y": 3, "m": 7, "T_x": 5}


# ------------------------------------------------------------- what is given


@pytest.mark.parametrize("network", ["rnn", "lstm"])
def test_given_forward_pass_is_that_of_the_first_notebook(network):
    inputs = {"rnn": rnn_inputs, "lstm": lstm_inputs}[network](seed=1, **SIZES)
    a, *_, caches = FIRST.function(f"{network}_forward")(**inputs)
    given = getattr(rnn_forward_passes, f"{network}_states")(**inputs)
    check_value("given", given, (a, caches))


def test_nothing_given_answers_the_first_notebook():
    assert (
        scan(
            ROOT / "release" / ASSIGNMENT,
            secrets_of(read_assignment("rnn_lstm_forward", ROOT), ROOT),
        )
        == []
    )
    inputs = {"rnn": rnn_inputs(seed=1, **SIZES), "lstm": lstm_inputs(seed=1, **SIZES)}
    for network, arguments in inputs.items():
        answer = run_function(FIRST.function(f"{network}_forward"), arguments)
        given = run_function(getattr(rnn_forward_passes, f"{network}_states"), arguments)
        assert not given.stopped
        assert not same_value(given.result, answer.result)
        assert not hasattr(rnn_forward_passes, f"{network}_forward")


# ----------------------------------------------------------- what is checked


KEYS = "dxt, da_prev, dWax, dWaa, dba"
WORTH = {**dict.fromkeys(["types", "shapes", "arguments", "second call"], 1), "numeric": 6}
WORTH |= dict.fromkeys(KEYS.split(", "), 3)


def marked(case, function=None, points=WORTH):
    with marking(Outcomes(SOURCE)):
        function = function or SOURCE.function("rnn_cell_backward")
        test = MarkedTest(function, "gradients", keys=KEYS, points=points)
    test.marking = test.marking._replace(in_jupyter=True)  # so that it shows what it finds
    test.call(**case.arguments)
    return test


@pytest.mark.parametrize(("error", "points"), [(0, 25), (2e-8, 25), (2e-7, 19), (np.nan, 19)])
def test_numeric_derivatives_have_a_say_of_their_own(error, points, capsys):
    """The solution itself loses these points where numeric derivatives are against it."""
    case = rnn_cell_case(seed=2, n_x=4, n_a=6, n_y=3, m=7)
    test = marked(case)
    test.assert_all()
    test.assert_gradients("numeric", {**case.numeric, "dWaa": case.numeric["dWaa"] * (1 + error)})
    assert test.score() == points
    wrong = "numeric: `gradients['dWaa']` is not the numeric derivative."
    assert (wrong in capsys.readouterr().out) is (points == 19)


def test_no_error_costs_points_for_the_value_and_for_its_numeric_derivative(capsys):
    """One of five gradients is lost: 3 points, and a fifth of the 10 that count in proportion."""
    case = rnn_cell_case(seed=2, n_x=4, n_a=6, n_y=3, m=7)

    def rnn_cell_backward(*given):
        gradients = SOURCE.function("rnn_cell_backward")(*given)
        return {**gradients, "dWaa": 1.5 * gradients["dWaa"]}

    test = marked(case, rnn_cell_backward)
    test.assert_all()
    test.assert_gradients("numeric", case.numeric)
    assert test.score() == 25 - 3 - 10 / 5
    assert "numeric: right" in capsys.readouterr().out


def test_points_without_a_value_say_so():
    """What is no value counts in proportion to the values: there must be some."""
    case = rnn_cell_case(seed=2, n_x=4, n_a=6, n_y=3, m=7)
    test = marked(case, points={"types": 25})
    test.assert_types()
    with pytest.raises(ValueError, match="test_rnn_cell_backward: no points for a value"):
        test.score()


def test_no_gradient_can_be_left_out_of_the_numeric_check():
    case = rnn_cell_case(seed=2, n_x=4, n_a=6, n_y=3, m=7)
    test = marked(case)
    with pytest.raises(ValueError, match="no numeric derivative for dWaa"):
        test.assert_gradients("numeric", {k: v for k, v in case.numeric.items() if k != "dWaa"})


def test_numeric_derivatives_are_computed_once_and_when_asked_for():
    calls = []
    case = Case({}, lambda: calls.append(1) or {"dx": 0})
    assert calls == []
    assert case.numeric is case.numeric
    assert calls == [1]
    sizes = {"n_x": 4, "n_a": 6, "n_y": 3, "m": 7}
    with marking(Outcomes(SOURCE)):
        assert rnn_cell_case(seed=2, **sizes) is rnn_cell_case(seed=2, **sizes)


@pytest.mark.parametrize(("case_of", "network"), [(rnn_case, "rnn"), (lstm_case, "lstm")])
def test_steps_left_out_have_no_gradient(case_of, network):
    """`dx` has the steps of `da`: by those after them, the derivative is zero."""
    case = case_of(seed=3, n_x=2, n_a=3, n_y=2, m=2, T_x=5, steps=3)
    da, (steps, x) = case.arguments.values()
    a0, parameters = steps[0][1 if network == "rnn" else 2], steps[0][-1]
    states = getattr(rnn_forward_passes, f"{network}_states")
    x = x.copy()
    numeric = numeric_gradient(lambda: np.sum(da * states(x, a0, parameters)[0][:, :, :3]), x)
    gradients = SOURCE.function(f"{network}_backward")(da, (steps, x))
    assert gradients["dx"].shape == (2, 2, 3)
    assert relative_error(gradients["dx"], numeric[:, :, :3]) < 1e-8
    assert not numeric[:, :, 3:].any()
    assert relative_error(gradients["dx"], case.numeric["dx"]) < 1e-8


RIGHT = {"dx": np.ones((2, 3)), "db": np.ones((2, 1))}


@pytest.mark.parametrize(
    ("result", "lines"),
    [
        (RIGHT, ["✓ types", "✓ shapes", "✓ dx", "✓ db"]),
        ({**RIGHT, "dz": 1}, ["✓ types", "✓ shapes", "✓ dx", "✓ db"]),
        ({"dx": RIGHT["dx"]}, ["✗ types, shapes, db: `gradients` has no key 'db'.", "✓ dx"]),
        ({**RIGHT, "db": np.ones(2)}, ["`gradients['db']` has shape (2,), expected (2, 1)"]),
        (
            {**RIGHT, "dx": 2 * RIGHT["dx"]},
            ["✗ dx: `gradients['dx'][1]` is wrong in 3 of 3", "✓ db"],
        ),
        ({**RIGHT, "dx": [1]}, ["`gradients['dx']` is a list, not an array"]),
        (tuple(RIGHT.values()), ["returns a tuple, not the dict `gradients`"]),
        (None, ["returns None; is a `return` missing at its end?"]),
    ],
)
def test_a_dict_of_gradients_is_checked_key_by_key(capsys, result, lines):
    test = FunctionTest(lambda: result, "gradients", keys="dx, db")
    test.call()
    test.assert_types(dx=np.ndarray, db=np.ndarray)
    test.assert_shapes(dx=(2, 3), db=(2, 1))
    test.assert_allclose("dx[1]", [1, 1, 1])
    test.assert_allclose("db", RIGHT["db"])
    test.report()
    out = capsys.readouterr().out
    assert [line for line in lines if line not in out] == []


@pytest.mark.parametrize("function", ["rnn_backward", "lstm_backward"])
def test_visible_check_tells_who_carries_nothing_back(function, capsys, monkeypatch):
    release = ROOT / "release" / ASSIGNMENT
    mistake = next(v for v in SOURCE.mistakes(function) if v.name == "nothing_carried_back")
    names = SOURCE.namespace(**{function: mistake.text})
    with SOURCE.importing():
        checks = importlib.import_module("rnn_checks")
        monkeypatch.setattr(checks, "__file__", str(release / "rnn_checks.py"))
        for cell, text in SOURCE.examples.items():
            exec(compile(text, f"<{cell}>", "exec"), names)
    out = capsys.readouterr().out
    assert f"→ {mistake.sentence}\n`{function}`" in out
    assert out.count("→") == 1


# ------------------------------------------------------------- run to its end


def run_cells(path, names):
    """Run the code cells of a notebook as far as they are the student's; return what they print."""
    matplotlib.use("agg")
    with contextlib.redirect_stdout(io.StringIO()) as out:
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            source = "".join(cell["source"])
            if cell["cell_type"] == "code" and not cell["id"].startswith("test-"):
                exec(compile(source, f"<{cell['id']}>", "exec"), names)
    return out.getvalue()


def test_untouched_notebook_waits_for_its_functions():
    names = {"__name__": "__main__"}
    out = run_cells(ROOT / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", names)
    # Four checks, and what they are put to work for: two pictures and a table.
    assert out.count("not written yet.") == 7
    assert out.count("There are no gradients to check yet.") == 4
    assert "The training: waits for a function that is not written yet." in out


def test_solved_notebook_ends_with_networks_that_have_learned():
    names = {"__name__": "__main__"}
    out = run_cells(ROOT / "source" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", names)
    assert "✗" not in out
    left, right = names["plt"].gcf().axes
    losses = {line.get_label(): line.get_ydata() for line in left.get_lines()}
    shares = {line.get_label(): line.get_ydata() for line in right.get_lines()}
    names["plt"].close("all")
    assert losses["LSTM"][0] > 1.3
    assert losses["LSTM"][-1] < 0.05
    assert min(shares["LSTM"]) > 0.95
    assert len(losses["RNN"]) > 4 * len(losses["LSTM"])
    assert losses["RNN"][len(losses["LSTM"])] > 1
    assert losses["RNN"][-1] < 0.5
    assert np.mean(shares["RNN"]) > 0.9
