"""The solutions against automatic differentiation of the textbook's forward passes."""

from pathlib import Path

import autograd.numpy as anp
import numpy as np
import pytest
import textbook

from grading.source import course_root, read_source
from rnn_forward_passes import lstm_states, rnn_states
from rnn_marking.gru import gru_step
from rnn_marking.inputs import gru_parameters, lstm_parameters, normal, rnn_parameters
from rnn_utils import softmax

ROOT = course_root(Path(__file__).parent)
FORWARD, BACKWARD, FUSED, GRU = (
    read_source(assignment, ROOT)
    for assignment in (
        *("rnn_lstm_forward", "rnn_lstm_backward", "lstm_fused_gates"),
        "gru_bidirectional",
    )
)
# Ten random sizes; then one example, one time step, and gradients of fewer steps than were run.
SIZES = [(seed, None) for seed in range(10)] + [(10, "m = 1"), (11, "T = 1"), (12, "fewer steps")]
pytestmark = pytest.mark.parametrize(("seed", "special"), SIZES)


class Sizes:
    """Random sizes, their arrays, and how many steps have a gradient."""

    def __init__(self, seed, special):
        self.rng = np.random.default_rng(seed)
        self.n_x, self.n_a, self.n_y, self.m, self.T = map(int, self.rng.integers(2, 9, 5))
        self.m = 1 if special == "m = 1" else self.m
        self.T = 1 if special == "T = 1" else self.T
        self.steps = self.T - 1 if special == "fewer steps" else self.T

    def draw(self, **shapes):
        return normal(self.rng, **shapes)

    @property
    def state(self):
        return self.n_a, self.m

    @property
    def sequence(self):
        return self.n_x, self.m, self.T

    def rnn(self):
        return rnn_parameters(self.rng, self.n_x, self.n_a, self.n_y)

    def lstm(self):
        return lstm_parameters(self.rng, self.n_x, self.n_a, self.n_y)

    def gru(self):
        return gru_parameters(self.rng, self.n_x, self.n_a)


@pytest.fixture
def sizes(seed, special):
    return Sizes(seed, special)


def assert_agree(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-10, strict=True)


def assert_all_agree(actual, expected):
    """Hold a dictionary of gradients against the right one: the same keys, the same values."""
    assert set(actual) == set(expected)
    for name, value in expected.items():
        assert_agree(actual[name], value)


def recurrent(gradients, steps=None):
    """Leave out the gradients of the predictions' weights, and those of x after so many steps."""
    kept = {name: value for name, value in gradients.items() if name not in ("dWya", "dWy", "dby")}
    if steps is not None:
        kept["dx"] = kept["dx"][:, :, :steps]
    return kept


def along(steps, axis):
    return np.stack(steps[1:], axis)


def test_rnn_forward(sizes):
    given = {**sizes.draw(x=sizes.sequence, a0=sizes.state), "parameters": sizes.rnn()}
    right = textbook.rnn(**given)
    a, y_pred, (caches, x) = FORWARD.function("rnn_forward")(*given.values())
    assert_agree(a, along(right["a"], 2))
    assert_agree(y_pred, along(right["y"], 2))
    assert len(caches) == sizes.T
    assert_agree(x, given["x"])
    for t, (a_next, a_prev, xt, parameters) in enumerate(caches):
        assert_agree(a_next, right["a"][t + 1])
        assert_agree(a_prev, right["a"][t])
        assert_agree(xt, given["x"][:, :, t])
        assert_all_agree(parameters, given["parameters"])


def test_lstm_cell_forward(sizes):
    given = sizes.draw(xt=(sizes.n_x, sizes.m), a_prev=sizes.state, c_prev=sizes.state)
    parameters = sizes.lstm()
    right = textbook.lstm(given["xt"][:, :, None], given["a_prev"], given["c_prev"], parameters)
    got = FORWARD.function("lstm_cell_forward")(*given.values(), parameters)
    for value, name in zip(got, ("a", "c", "y"), strict=False):
        assert_agree(value, right[name][1])
    for value, name in zip(got[3][4:8], ("f", "i", "cct", "o"), strict=True):
        assert_agree(value, right[name][1])


def test_lstm_forward(sizes):
    given = sizes.draw(x=sizes.sequence, a0=sizes.state)
    parameters = sizes.lstm()
    right = textbook.lstm(**given, c0=np.zeros(sizes.state), parameters=parameters)
    a, y, c, (caches, _) = FORWARD.function("lstm_forward")(*given.values(), parameters)
    for value, name in ((a, "a"), (y, "y"), (c, "c")):
        assert_agree(value, along(right[name], 2))
    for t, cache in enumerate(caches):
        for value, name in zip(cache[4:8], ("f", "i", "cct", "o"), strict=True):
            assert_agree(value, right[name][t + 1])


def test_rnn_cell_backward(sizes):
    given = sizes.draw(xt=(sizes.n_x, sizes.m), a_prev=sizes.state)
    parameters, da_next = sizes.rnn(), sizes.draw(da=sizes.state)["da"]

    def loss(xt, a_prev, parameters):
        return np.sum(da_next * textbook.rnn(xt[:, :, None], a_prev, parameters)["a"][1])

    *_, cache = FORWARD.function("rnn_cell_forward")(*given.values(), parameters)
    got = BACKWARD.function("rnn_cell_backward")(da_next, cache)
    assert_all_agree(got, recurrent(textbook.gradients(loss, {**given, "parameters": parameters})))


def test_rnn_backward(sizes):
    given = {**sizes.draw(x=sizes.sequence, a0=sizes.state), "parameters": sizes.rnn()}
    da = sizes.draw(da=(*sizes.state, sizes.steps))["da"]

    def loss(**given):
        return textbook.weighted(da, textbook.rnn(**given)["a"][1:], axis=2)

    *_, caches = FORWARD.function("rnn_forward")(*given.values())
    got = BACKWARD.function("rnn_backward")(da, caches)
    assert_all_agree(got, recurrent(textbook.gradients(loss, given), sizes.steps))


def test_lstm_cell_backward(sizes):
    given = sizes.draw(xt=(sizes.n_x, sizes.m), a_prev=sizes.state, c_prev=sizes.state)
    parameters, way_back = sizes.lstm(), sizes.draw(da_next=sizes.state, dc_next=sizes.state)

    def loss(xt, a_prev, c_prev, parameters):
        steps = textbook.lstm(xt[:, :, None], a_prev, c_prev, parameters)
        by_a = np.sum(way_back["da_next"] * steps["a"][1])
        return by_a + np.sum(way_back["dc_next"] * steps["c"][1])

    *_, cache = FORWARD.function("lstm_cell_forward")(*given.values(), parameters)
    got = BACKWARD.function("lstm_cell_backward")(*way_back.values(), cache)
    assert_all_agree(got, recurrent(textbook.gradients(loss, {**given, "parameters": parameters})))


def test_lstm_backward(sizes):
    given = {**sizes.draw(x=sizes.sequence, a0=sizes.state), "parameters": sizes.lstm()}
    da = sizes.draw(da=(*sizes.state, sizes.steps))["da"]

    def loss(**given):
        steps = textbook.lstm(**given, c0=np.zeros(sizes.state))
        return textbook.weighted(da, steps["a"][1:], axis=2)

    *_, caches = FORWARD.function("lstm_forward")(*given.values())
    got = BACKWARD.function("lstm_backward")(da, caches)
    assert_all_agree(got, recurrent(textbook.gradients(loss, given), sizes.steps))


def test_fused_step(sizes):
    D, H, N = sizes.n_x, sizes.n_a, sizes.m
    given = sizes.draw(
        x=(N, D), prev_h=(N, H), prev_c=(N, H), Wx=(D, 4 * H), Wh=(H, 4 * H), b=(4 * H,)
    )
    way_back = sizes.draw(dnext_h=(N, H), dnext_c=(N, H))

    def run(x, prev_h, prev_c, Wx, Wh, b):
        steps = textbook.fused_lstm(x[:, None], prev_h, prev_c, Wx, Wh, b)
        return steps["h"][1], steps["c"][1]

    def loss(**given):
        next_h, next_c = run(**given)
        return np.sum(way_back["dnext_h"] * next_h) + np.sum(way_back["dnext_c"] * next_c)

    *states, cache = FUSED.function("lstm_step_forward")(*given.values())
    for value, expected in zip(states, run(**given), strict=True):
        assert_agree(value, expected)
    got = FUSED.function("lstm_step_backward")(*way_back.values(), cache)
    for value, expected in zip(got, textbook.gradients(loss, given).values(), strict=True):
        assert_agree(value, expected)


def test_fused_sequence(sizes):
    D, H, N = sizes.n_x, sizes.n_a, sizes.m
    given = sizes.draw(x=(N, sizes.T, D), h0=(N, H), Wx=(D, 4 * H), Wh=(H, 4 * H), b=(4 * H,))
    dh = sizes.draw(dh=(N, sizes.steps, H))["dh"]

    def run(**given):
        return textbook.fused_lstm(**given, c0=np.zeros((N, H)))["h"][1:]

    h, cache = FUSED.function("lstm_forward")(*given.values())
    assert_agree(h, np.stack(run(**given), 1))
    got = FUSED.function("lstm_backward")(dh, cache)
    expected = textbook.gradients(lambda **g: textbook.weighted(dh, run(**g), axis=1), given)
    expected["dx"] = expected["dx"][:, : sizes.steps]
    for value, right in zip(got, expected.values(), strict=True):
        assert_agree(value, right)


def test_gru_cell(sizes):
    given = sizes.draw(xt=(sizes.n_x, sizes.m), a_prev=sizes.state)
    parameters, da_next = sizes.gru(), sizes.draw(da=sizes.state)["da"]

    def run(xt, a_prev, parameters):
        return textbook.gru(xt[:, :, None], a_prev, parameters)

    def loss(**given):
        return np.sum(da_next * run(**given)["a"][1])

    right = run(**given, parameters=parameters)
    _, cache = GRU.function("gru_cell_forward")(*given.values(), parameters)
    for own in (cache, gru_step(**given, parameters=parameters)):
        assert_agree(own[0], right["a"][1])
        for value, name in zip(own[2:5], ("r", "u", "aat"), strict=True):
            assert_agree(value, right[name][1])
    got = GRU.function("gru_cell_backward")(da_next, cache)
    assert_all_agree(got, textbook.gradients(loss, {**given, "parameters": parameters}))


def test_two_way_gru(sizes):
    x, start, other = sizes.draw(x=sizes.sequence, a=sizes.state, b=sizes.state).values()
    there, back = sizes.gru(), sizes.gru()
    a, _ = GRU.function("bidirectional_forward")(x, start, other, there, back)
    forwards = along(textbook.gru(x, start, there)["a"], 2)
    backwards = along(textbook.gru(x[:, :, ::-1], other, back)["a"], 2)[:, :, ::-1]
    assert_agree(a, np.concatenate((forwards, backwards)))
    assert_agree(GRU.function("gru_forward")(x, start, there)[0], forwards)


def test_forward_passes_that_are_given(sizes):
    given = sizes.draw(x=sizes.sequence, a0=sizes.state)
    rnn, lstm = sizes.rnn(), sizes.lstm()
    a, (caches, _) = rnn_states(**given, parameters=rnn)
    assert_agree(a, along(textbook.rnn(**given, parameters=rnn)["a"], 2))
    assert len(caches) == sizes.T
    a, (caches, _) = lstm_states(**given, parameters=lstm)
    right = textbook.lstm(**given, c0=np.zeros(sizes.state), parameters=lstm)
    assert_agree(a, along(right["a"], 2))
    assert_agree(np.stack([cache[1] for cache in caches], 2), along(right["c"], 2))


def test_gradients_of_the_loss_that_are_given(sizes):
    given = sizes.draw(a=sizes.state, Wy=(sizes.n_y, sizes.n_a), by=(sizes.n_y, 1))
    y = np.eye(sizes.n_y)[:, sizes.rng.integers(sizes.n_y, size=sizes.m)]

    def loss(a, Wy, by):
        return -anp.sum(y * anp.log(textbook.softmax_of_columns(Wy @ a + by))) / sizes.m

    (source,) = (cell.source for cell in BACKWARD.notebook.cells if cell.id == "train-read-out")
    names = {"np": np, "softmax": softmax}
    exec(source, names)
    _, got_loss, *got = names["read_out"](given["a"], y, given["Wy"], given["by"])
    assert abs(got_loss - loss(**given)) < 1e-10
    for value, right in zip(got, textbook.gradients(loss, given).values(), strict=True):
        assert_agree(value, right)
