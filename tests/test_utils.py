"""The functions that students are given: right, and without a warning."""

import timeit
import warnings

import numpy as np
import pytest

from rnn_utils import (
    initialize_fused_lstm_parameters,
    initialize_lstm_parameters,
    initialize_rnn_parameters,
    numeric_gradient,
    relative_error,
    sigmoid,
    softmax,
)

RNG = np.random.default_rng(0)
N_X, N_A, N_Y = 4, 6, 3


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        yield


def test_sigmoid_is_right_from_end_to_end():
    assert sigmoid(np.array([-1000, 0, 1000])).tolist() == [0, 0.5, 1]
    x = np.linspace(-30, 30, 601)
    np.testing.assert_allclose(sigmoid(x), 1 / (1 + np.exp(-x)), rtol=0, atol=3e-16)
    assert sigmoid(np.array([-38.0])) == 0
    assert sigmoid(np.float32([-1000, 0, 1000])).dtype == np.float32
    assert sigmoid([[1, 2]]).dtype == np.float64
    assert sigmoid(np.zeros((2, 3, 4))).shape == (2, 3, 4)
    assert sigmoid(0) == 0.5


def test_sigmoid_is_symmetric_and_leaves_its_argument_alone():
    x = RNG.standard_normal((6, 7)) * 10
    before = x.copy()
    np.testing.assert_allclose(sigmoid(x) + sigmoid(-x), 1, rtol=0, atol=3e-16)
    assert np.array_equal(x, before)


def test_sigmoid_is_several_times_as_fast_as_by_logaddexp():
    """Four times in quiet, of this size; twice will do on a busy machine."""
    x = RNG.standard_normal((256, 256))
    ways = (sigmoid, lambda x: np.exp(-np.logaddexp(0, -x)))
    fast, slow = (min(timeit.repeat(lambda f=f: f(x), number=3, repeat=15)) for f in ways)
    assert slow > 2 * fast


def test_softmax_takes_each_column_by_itself():
    expected = [[0.7310585786, 0.2689414214], [0.2689414214, 0.7310585786]]
    np.testing.assert_allclose(softmax([[1000, 0], [999, 1]]), expected)
    assert softmax(np.float32([[1], [2]])).dtype == np.float32
    z = RNG.standard_normal((N_Y, 5, 2))
    np.testing.assert_allclose(softmax(z).sum(axis=0), 1)
    np.testing.assert_allclose(softmax(z)[:, 1, 0], softmax(z[:, 1, 0]))


def assert_orthogonal(matrix):
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(len(matrix)), atol=1e-12)


def assert_glorot(matrix):
    limit = np.sqrt(6 / sum(matrix.shape))
    assert 0.5 * limit < np.abs(matrix).max() <= limit


def test_rnn_parameters():
    p = initialize_rnn_parameters(N_X, N_A, N_Y, RNG)
    shapes = {k: v.shape for k, v in p.items()}
    assert shapes == {"Wax": (6, 4), "Waa": (6, 6), "Wya": (3, 6), "ba": (6, 1), "by": (3, 1)}
    assert_orthogonal(p["Waa"])
    assert_glorot(p["Wax"])
    assert_glorot(p["Wya"])
    assert not p["ba"].any()
    assert not p["by"].any()


def test_lstm_parameters():
    p = initialize_lstm_parameters(N_X, N_A, N_Y, RNG)
    for gate in "fico":
        assert p[f"W{gate}"].shape == (N_A, N_A + N_X)
        assert_orthogonal(p[f"W{gate}"][:, :N_A])
        assert_glorot(p[f"W{gate}"][:, N_A:])
        assert p[f"b{gate}"].tolist() == [[float(gate == "f")]] * N_A
    assert p["Wy"].shape == (N_Y, N_A)
    assert p["by"].tolist() == [[0.0]] * N_Y


def test_fused_parameters_have_their_gates_in_the_order_i_f_o_g():
    Wx, Wh, b = initialize_fused_lstm_parameters(N_X, N_A, RNG)
    assert (Wx.shape, Wh.shape, b.shape) == ((N_X, 4 * N_A), (N_A, 4 * N_A), (4 * N_A,))
    for gate in range(4):
        columns = slice(gate * N_A, (gate + 1) * N_A)
        assert_orthogonal(Wh[:, columns])
        assert_glorot(Wx[:, columns])
        assert b[columns].tolist() == [float(gate == 1)] * N_A


def test_the_same_seed_draws_the_same_parameters():
    one, other = (initialize_lstm_parameters(2, 3, 2, np.random.default_rng(7)) for _ in range(2))
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_numeric_gradient_is_the_derivative_by_every_element():
    x = RNG.standard_normal((2, 3, 2))
    weights = RNG.standard_normal((2, 3, 2))
    before = x.copy()
    numeric = numeric_gradient(lambda: np.sum(weights * np.sin(x)), x)
    assert relative_error(weights * np.cos(x), numeric) < 1e-10
    assert np.array_equal(x, before)
    # halving the step takes three quarters of the error away
    errors = [
        np.abs(numeric_gradient(lambda: np.sum(np.exp(x)), x, h) - np.exp(x)).max()
        for h in (0.02, 0.01)
    ]
    assert errors[0] / errors[1] == pytest.approx(4, rel=1e-3)


def test_numeric_gradient_refuses_what_a_small_step_would_not_change():
    with pytest.raises(TypeError, match="array of int64; its elements must be floats"):
        numeric_gradient(lambda: 0.0, np.arange(3))


def test_relative_error_is_a_share_of_the_norm_and_knows_zero():
    numeric = np.array([[3.0, 4.0]])
    assert relative_error(numeric + np.array([[0, 0.5]]), numeric) == pytest.approx(0.1)
    assert relative_error(np.zeros(3), np.zeros(3)) == 0
    assert relative_error(np.full(1, 1e-6), np.zeros(1)) == pytest.approx(1e-3)
