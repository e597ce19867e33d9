"""What the notebook on the GRU says in numbers, computed; and how its loops are lent a cell."""

import functools
import re
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from grading.authoring.prove import marks_of
from grading.marking.hidden_data import sets_of
from grading.marking.naming import Outcomes
from grading.marking.solution import mark_solution
from grading.rooms import Nursery
from grading.source import course_root, read_source
from grading.source.cells import with_answers
from rnn_utils import initialize_gru_parameters, initialize_lstm_parameters, sigmoid

ROOT = course_root(Path(__file__).parent)
ASSIGNMENT, LSTM = "gru_bidirectional", "rnn_lstm_backward"
SOURCE = read_source(ASSIGNMENT, ROOT)
CELLS = {cell.id: cell.source for cell in SOURCE.notebook.cells}
AT_WORK = ("brackets-data", "bound-count", "way-back-through-time", "step-down", "networks")
AT_WORK += ("brackets-train", "marks-train", "marks-loop")
BOUND = 8618 / 10240
# How many rounds a training may be off what the text says: another processor rounds otherwise.
ROUNDS = 12


def names_at_work():
    """Return the notebook's own functions, and those that train."""
    found = SOURCE.namespace()
    for cell in AT_WORK:
        exec(CELLS[cell], found)
    return found


names = pytest.fixture(names_at_work, scope="module")


def rounds_needed(losses):
    """Return after how many rounds the mean loss of ten is below 0.1."""
    means = np.convolve(losses, np.ones(10) / 10, "valid")
    return int(np.argmax(means < 0.1)) + 10


def train_lstm(rate, seed, rounds=100):
    """Return the losses of notebook 2's LSTM on the task that both notebooks have."""
    source = read_source(LSTM, ROOT)
    found = source.namespace()
    cells = {cell.id: cell.source for cell in source.notebook.cells}
    for cell in ("clip", "train-data", "train-read-out", "train-loop", "train-network"):
        exec(cells[cell], found)
    parameters = found["begin"](found["initialize_lstm_parameters"], seed)
    return found["train"](found["lstm_states"], found["lstm_backward"], parameters, rate, rounds)


def test_bound_of_one_way_is_that_of_every_function_of_what_was_read(names):
    """Counted with nothing of the notebook's: how a line goes on does not depend on its past."""

    def is_closed(rest):
        depth = np.cumsum([1 if bracket == "(" else -1 for bracket in rest])
        return bool(len(rest) and depth.min() < 0)

    right = 0.0
    for t in range(10):
        ways = [is_closed(rest) for rest in product("()", repeat=9 - t)]
        closed = np.mean(ways)
        # half of all brackets close, and the past tells of them; the others are open
        right += 0.5 + 0.5 * max(closed, 1 - closed)
    assert right / 10 == BOUND
    assert names["best_one_way"](names["lines"], names["answers"]) == BOUND
    mirrored = [line[::-1] for line in names["lines"]]
    assert names["best_one_way"](mirrored, names["answers"][:, ::-1]) == BOUND
    said = "Both ways it is 0.8416, or 8618 of 10240"
    assert said in CELLS["bound-what"] and f"{BOUND:.4f}" == "0.8416"


def test_partners_are_those_that_match(names):
    partners = names["partners"]
    for line, answer in {
        "(())": [True] * 4,
        ")(": [False, False],
        "())(": [True, True, False, False],
    }.items():
        assert partners(line) == answer
    for line in names["lines"][::17]:  # taking out "()" again and again leaves those without
        left = line
        while "()" in left:
            left = left.replace("()", "")
        assert sum(partners(line)) == len(line) - len(left)


def test_two_ways_pass_the_bound_that_one_way_keeps(names):
    one, both = (names["train_brackets"](ways, seed=3)[-1] for ways in (1, 2))
    assert BOUND - 0.01 < one <= BOUND
    assert both > 0.99
    told = re.search(r"right at all brackets, and the other at (.*) of them", CELLS["train-why"])
    shares = [float(share) for share in re.findall(r"0\.\d+", told[1])]
    assert all(abs(share - one) < 0.01 for share in shares)
    assert one == pytest.approx(shares[0], abs=0.01)


def told_rounds():
    """Return what the table says: by the rate, rounds of the GRU and of the LSTM, from and to."""
    rows = re.findall(
        r"^\| (0\.\d+) \| (\d+) to (\d+) \| (\d+) to (\d+) \|$", CELLS["marks-table"], re.M
    )
    return {float(rate): (*map(int, numbers),) for rate, *numbers in rows}


def test_gru_and_lstm_side_by_side(names):
    (rate,) = re.findall(r"train_marks\((0\.\d+)\)", CELLS["marks-picture"])
    low, high, lstm_low, lstm_high = told_rounds()[float(rate)]
    gru, lstm = names["train_marks"](float(rate)), train_lstm(float(rate), 3)
    assert low - ROUNDS <= rounds_needed(gru) <= high + ROUNDS
    assert lstm_low - ROUNDS <= rounds_needed(lstm) <= lstm_high + ROUNDS
    assert np.mean(gru[-10:]) < 0.02
    drawn = re.search(r"lstm_losses = \[(.*)\]", CELLS["marks-picture"])[1]
    shown = [float(loss) for loss in drawn.split(", ")]
    assert shown == pytest.approx(np.reshape(lstm, (10, 10)).mean(axis=1), abs=0.3)
    assert shown[-3:] == [0, 0, 0] and np.mean(lstm[-30:]) < 0.05


def test_numbers_of_parameters():
    def size(parameters):
        return sum(p.size for name, p in parameters.items() if name not in ("Wy", "by"))

    draw = np.random.default_rng
    gru, lstm = initialize_gru_parameters, initialize_lstm_parameters
    assert "= 135$" in CELLS["ask-gru-cell"] and size(gru(3, 5, 1, draw(0))) == 135
    assert "= 180$" in CELLS["ask-gru-cell"] and size(lstm(3, 5, 1, draw(0))) == 180
    told = re.search(r"(\d+) parameters against (\d+)", CELLS["marks-table"]).groups()
    assert told == (str(size(gru(5, 16, 4, draw(0)))), str(size(lstm(5, 16, 4, draw(0)))))
    assert set(gru(2, 3, 1, draw(0))["bu"].flat) == {-1.0}


def test_the_step_by_hand():
    rows = [line.strip("|").split("|") for line in CELLS["gru-cell-by-hand"].splitlines()[-5:]]
    told = [float(row[-1].split()[-1]) for row in rows]
    weights = [[float(n) for n in row[1].split(", ")] for row in (rows[0], rows[1], rows[3])]
    parameters = {}
    for gate, (of_state, of_input, bias) in zip("rua", weights, strict=True):
        parameters[f"W{gate}"], parameters[f"b{gate}"] = np.array([[of_state, of_input]]), bias
    state, (_, a_prev, rt, ut, aat, *_) = SOURCE.function("gru_cell_forward")(
        np.array([[1.0]]), np.array([[0.5]]), parameters
    )
    computed = [float(value[0, 0]) for value in (rt, ut, rt * a_prev, aat, state)]
    assert told == pytest.approx(computed, abs=6e-4)


def test_a_gate_that_keeps_is_one_whose_signs_are_turned_round():
    v = np.linspace(-3, 3, 7)
    np.testing.assert_allclose(1 - sigmoid(v), sigmoid(-v))
    version = next(v for v in SOURCE.versions if v.name == "update_gate_keeps")
    keeps = SOURCE.namespace(gru_cell_forward=version.text)["gru_cell_forward"]
    p = initialize_gru_parameters(3, 5, 1, np.random.default_rng(0))
    x, a = np.random.default_rng(1).normal(size=(2, 5, 4))
    turned = {**p, "Wu": -p["Wu"], "bu": -p["bu"]}
    own, _ = SOURCE.function("gru_cell_forward")(x[:3], a, p)
    np.testing.assert_allclose(keeps(x[:3], a, turned)[0], own)


@functools.cache
def outcomes():
    return Outcomes(SOURCE, sets_of(b"a secret of tests")[0])


def points_of(**answers):
    """Return the points of each function, where these take the place of the solution's."""
    results = mark_solution(outcomes(), **answers)
    return {result.function: result.points for result in results.values()}


def changed(function, *edits):
    """Return the solution of a function with edits, pairs of what is found and replaced."""
    text = SOURCE.answers[function]
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


OWN_LOOP = """
def bidirectional_forward(
    x, a0_forward, a0_backward, parameters_forward, parameters_backward
):
    n_a, T = len(a0_forward), x.shape[2]
    a = np.zeros((2 * n_a, *x.shape[1:]))
    ways = []
    for half, order, state, weights in (
        (a[:n_a], range(T), a0_forward, parameters_forward),
        (a[n_a:], range(T)[::-1], a0_backward, parameters_backward),
    ):
        steps = []
        for t in order:
            state, cache = gru_cell_forward(x[:, :, t], state, weights)
            half[:, :, t] = state
            steps.append(cache)
        ways.append((steps, x[:, :, list(order)]))
    return a, tuple(ways)
"""
WRONG_CELL = "ut * aat + (1 - ut) * a_prev", "ut * aat + (1 - ut) * a_prev + 0.1 * rt"


@pytest.mark.parametrize("both_wrong", [False, True])
@pytest.mark.parametrize("own_loop", [False, True])
def test_a_right_loop_over_a_wrong_cell_keeps_its_points(own_loop, both_wrong):
    """Whether it calls the sequence or the cell, and whatever is wrong below it."""
    answers = {"gru_cell_forward": changed("gru_cell_forward", WRONG_CELL)}
    if own_loop:
        answers["bidirectional_forward"] = OWN_LOOP
    if both_wrong:  # every step starts from the first state
        answers["gru_forward"] = changed("gru_forward", ("t], a_next,", "t], a0 + 0.5,"))
    points = points_of(**answers)
    assert points.pop("gru_forward") < 10 if both_wrong else points.pop("gru_forward") == 25
    assert points == {
        "gru_cell_forward": 0,  # a mistake that is not known: nothing of it is right
        "gru_cell_backward": 25,
        "bidirectional_forward": 25,
    }


AGAIN = "gru_cell_forward(*cache[5:0:-4], cache[6])[1]"  # of xt and a_prev
AS_A_DICT = "cache = dict(zip('abcdefg', (a_next, a_prev, rt, ut, aat, xt, parameters)))\n"


@pytest.mark.parametrize(
    ("in_the_cell", "in_its_backward_pass", "points"),
    [
        (WRONG_CELL, ("= cache\n", f"= {AGAIN}\n"), 0),
        (
            ("cache = (a_next, a_prev, rt, ut", "cache = (a_next, a_prev, ut, rt"),
            ("rt, ut, aat, xt, parameters =", "ut, rt, aat, xt, parameters ="),
            21,
        ),
        (("    return", f"    {AS_A_DICT}    return"), ("= cache\n", "= cache.values()\n"), 20),
    ],
)
def test_what_is_wrong_in_the_cell_costs_its_backward_pass_nothing(
    in_the_cell, in_its_backward_pass, points
):
    answers = {
        "gru_cell_forward": changed("gru_cell_forward", in_the_cell),
        "gru_cell_backward": changed("gru_cell_backward", in_its_backward_pass),
    }
    assert list(points_of(**answers).values()) == [points, 25, 25, 25]


def test_an_argument_changed_in_place_costs_its_own_check_alone():
    """The cache holds it as it is by then."""
    for name in ("xt", "a_prev"):
        cell = changed("gru_cell_forward", ("    cache =", f"    {name} += 1\n    cache ="))
        assert points_of(gru_cell_forward=cell)["gru_cell_forward"] == 23
    back = changed("gru_cell_backward", ("    return", "    aat *= 2\n    return"))
    assert points_of(gru_cell_backward=back)["gru_cell_backward"] == 23
    both = "xt += 1\n    cache = (a_prev, a_next"
    wrong = changed("gru_cell_forward", ("cache = (a_next, a_prev", both))
    assert points_of(gru_cell_forward=wrong)["gru_cell_forward"] == 19


@pytest.fixture(scope="module")
def rooms():
    with Nursery(hidden=[ROOT]) as rooms:
        yield rooms


IN_PLACE = [
    *[(ASSIGNMENT, name) for name in ("gru_forward", "bidirectional_forward")],
    *[("rnn_lstm_forward", name) for name in ("rnn_forward", "lstm_forward")],
]


@pytest.mark.parametrize(("assignment", "function"), IN_PLACE)
@pytest.mark.parametrize("edit", ["x *= 2", "x[:, :, -1] = 0"])
def test_a_sequence_changed_in_place_costs_its_own_check_alone(rooms, assignment, function, edit):
    """The caches hold its time steps, and the sequence backwards, as they are by then."""
    source = read_source(assignment, ROOT)
    head, last, tail = source.answers[function].rpartition("    return ")
    handed_in = with_answers(source.notebook, {function: f"{head}    {edit}\n{last}{tail}"})
    results = marks_of(handed_in, Outcomes(source, sets_of(b"a secret of tests")[0]), rooms)
    lost = {(r.function, c.kind) for r in results for c in r.checks if c.wrong}
    assert lost == {(function, "arguments")}
    assert sum(result.points for result in results) == 98


def test_numeric_errors_are_as_small_as_the_text_says(capsys):
    found = SOURCE.namespace()
    for cell in ("check-gru-cell-forward", "example-gru-cell"):
        exec(CELLS[cell], found)
    capsys.readouterr()
    exec(CELLS["numeric-gru-cell"], found)
    errors = [float(line.split()[1]) for line in capsys.readouterr().out.splitlines()]
    assert len(errors) == 8
    assert "about $10^{-10}$" in CELLS["gradient-check"]
    assert 1e-12 < min(errors) <= max(errors) < 2e-9
