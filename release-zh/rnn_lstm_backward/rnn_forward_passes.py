"""
反向传播笔记本所用的前向传播。

一步的全部工作由一个乘积完成：隐藏状态、输入和一行1叠在一起，
与它们相乘的所有权重和偏置也叠在一起。这里没有预测；
保留下来的是反向传播所需的。
"""

import numpy as np

from rnn_utils import sigmoid


def rnn_step(xt: np.ndarray, a_prev: np.ndarray, parameters: dict) -> tuple:
    """
    走RNN的一个时间步；返回它的缓存。

    参数
    ----
    xt : ndarray, shape (n_x, m)
    a_prev : ndarray, shape (n_a, m)
    parameters : dict
        `Wax` (n_a, n_x)、`Waa` (n_a, n_a)、`ba` (n_a, 1)；
        其余的保留，但不用。

    返回
    ----
    tuple
        (a_next, a_prev, xt, parameters)
    """
    return _rnn_step(xt, a_prev, parameters, _side_by_side(parameters))


def lstm_step(
    xt: np.ndarray, a_prev: np.ndarray, c_prev: np.ndarray, parameters: dict
) -> tuple:
    """
    走LSTM的一个时间步；返回它的缓存。

    参数
    ----
    xt : ndarray, shape (n_x, m)
    a_prev, c_prev : ndarray, shape (n_a, m)
    parameters : dict
        `Wf`、`Wi`、`Wc`、`Wo` (n_a, n_a + n_x)，`bf`、`bi`、`bc`、
        `bo` (n_a, 1)；其余的保留，但不用。

    返回
    ----
    tuple
        (a_next, c_next, a_prev, c_prev, ft, it, cct, ot, xt, parameters)
    """
    weights = _all_gates(parameters)
    return _lstm_step(xt, a_prev, c_prev, parameters, weights)


def rnn_states(
    x: np.ndarray, a0: np.ndarray, parameters: dict
) -> tuple[np.ndarray, tuple]:
    """
    让RNN走过所有时间步。

    参数
    ----
    x : ndarray, shape (n_x, m, T_x)
    a0 : ndarray, shape (n_a, m)
    parameters : dict
        与`rnn_step`的相同。

    返回
    ----
    a : ndarray, shape (n_a, m, T_x)，各隐藏状态
    caches : tuple
        （由每个时间步的缓存组成的列表, x）
    """
    weights = _side_by_side(parameters)
    steps, state = [], a0
    for xt in np.moveaxis(x, 2, 0):
        steps.append(_rnn_step(xt, state, parameters, weights))
        state = steps[-1][0]
    return np.dstack([step[0] for step in steps]), (steps, x)


def lstm_states(
    x: np.ndarray, a0: np.ndarray, parameters: dict
) -> tuple[np.ndarray, tuple]:
    """
    让LSTM走过所有时间步，单元状态从零开始。

    参数
    ----
    x : ndarray, shape (n_x, m, T_x)
    a0 : ndarray, shape (n_a, m)
    parameters : dict
        与`lstm_step`的相同。

    返回
    ----
    a : ndarray, shape (n_a, m, T_x)，各隐藏状态
    caches : tuple
        （由每个时间步的缓存组成的列表, x）
    """
    weights = _all_gates(parameters)
    steps, states = [], (a0, np.zeros_like(a0))
    for xt in np.moveaxis(x, 2, 0):
        steps.append(_lstm_step(xt, *states, parameters, weights))
        states = steps[-1][:2]
    return np.dstack([step[0] for step in steps]), (steps, x)


def _side_by_side(parameters: dict) -> np.ndarray:
    """返回Waa、Wax和ba合成的一个矩阵，(n_a, n_a + n_x + 1)。"""
    return np.hstack([parameters[name] for name in ("Waa", "Wax", "ba")])


def _all_gates(parameters: dict) -> np.ndarray:
    """返回所有权重和偏置，(4 n_a, n_a + n_x + 1)，行按门排列。"""
    return np.vstack(
        [np.hstack((parameters["W" + g], parameters["b" + g])) for g in "fioc"]
    )


def _stack(a_prev: np.ndarray, xt: np.ndarray) -> np.ndarray:
    """返回隐藏状态、输入，以及给偏置用的一行1。"""
    return np.vstack((a_prev, xt, np.ones((1, xt.shape[1]))))


def _rnn_step(
    xt: np.ndarray, a_prev: np.ndarray, parameters: dict, weights: np.ndarray
) -> tuple:
    """返回一个时间步的缓存。"""
    return np.tanh(weights @ _stack(a_prev, xt)), a_prev, xt, parameters


def _lstm_step(
    xt: np.ndarray,
    a_prev: np.ndarray,
    c_prev: np.ndarray,
    parameters: dict,
    weights: np.ndarray,
) -> tuple:
    """返回一个时间步的缓存。"""
    sums = weights @ _stack(a_prev, xt)
    n_a = len(a_prev)
    gates, new = sigmoid(sums[: 3 * n_a]), np.tanh(sums[3 * n_a :])
    keep, store, show = gates[:n_a], gates[n_a : 2 * n_a], gates[2 * n_a :]
    memory = keep * c_prev + store * new
    values = keep, store, new, show, xt, parameters
    return show * np.tanh(memory), memory, a_prev, c_prev, *values
