"""笔记本用到、但不要求你写的函数。只需要NumPy。"""

from collections.abc import Callable
from typing import Any

import numpy as np


def sigmoid(x: np.ndarray) -> np.ndarray:
    """
    返回每个元素的逻辑函数1 / (1 + exp(-x))。

    写成(1 + tanh(x / 2)) / 2：结果相同，元素再大也不会溢出，
    而且只需调用一个函数。最小的结果精确到约1e-16，
    x小于-38时为0。

    参数
    ----
    x : array_like，任意形状

    返回
    ----
    ndarray
        形状与`x`相同，值在0到1之间；float32仍是float32。
    """
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(x)))


def softmax(z: np.ndarray) -> np.ndarray:
    """
    返回exp(z) / sum(exp(z))，每一列各算各的。

    减去一列中最大的元素，商不变，exp也不会溢出
    （Goodfellow、Bengio和Courville，Deep Learning，2016，
    4.1节）。

    参数
    ----
    z : array_like, shape (n_y, ...)
        分数；轴0是各个类别。

    返回
    ----
    ndarray
        形状与`z`相同；每一列的和为1。
    """
    z = np.asarray(z)
    with np.errstate(under="ignore"):
        e = np.exp(z - np.max(z, axis=0, keepdims=True))
    return e / np.sum(e, axis=0, keepdims=True)


def numeric_gradient(
    f: Callable[[], float], x: np.ndarray, h: float = 1e-5
) -> np.ndarray:
    """
    返回f()对`x`每个元素的导数。

    每个元素依次加上一步`h`，再减去一步`h`，两次都计算f()：
    中心差商(f(+h) - f(-h)) / 2h。算完之后`x`和原来一样。

    参数
    ----
    f : callable
        不接受参数，返回一个数，这个数取决于`x`。
    x : ndarray，元素为浮点数，任意形状
        就是`f`所读的那个数组，而不是它的副本。
    h : float
        步长。

    返回
    ----
    ndarray
        形状与`x`相同。
    """
    if x.dtype.kind != "f":
        raise TypeError(f"x is an array of {x.dtype}; its elements must be"
                        " floats, or they cannot be changed by a step h")
    gradient = np.zeros(x.shape)
    for place in np.ndindex(x.shape):
        value = x[place]
        x[place] = value + h
        above = f()
        x[place] = value - h
        below = f()
        x[place] = value
        gradient[place] = (above - below) / (2 * h)
    return gradient


def relative_error(gradient: np.ndarray, numeric: np.ndarray) -> float:
    """
    返回一个梯度与数值梯度相差多少，以后者范数的比例计。

    参数
    ----
    gradient, numeric : ndarray，形状相同

    返回
    ----
    float
        |gradient - numeric| / |numeric|，用欧几里得范数；
        小于1e-3的范数按1e-3算，所以梯度可以为零。
    """
    size = max(float(np.linalg.norm(numeric)), 1e-3)
    return float(np.linalg.norm(gradient - numeric) / size)


def example(
    data: dict, parameters: dict, gradients: dict | None = None
) -> dict:
    """
    抽取一个例子的参数：每次都是同样的数。

    参数
    ----
    data, parameters, gradients : dict
        名字和形状，按抽取的顺序。

    返回
    ----
    dict
        `data`的各个数组（按名字）、字典`parameters`，
        以及`gradients`的各个数组（按名字）。
    """
    normal = np.random.RandomState(1).randn
    drawn, weights, back = (
        {name: normal(*shape) for name, shape in shapes.items()}
        for shapes in (data, parameters, gradients or {})
    )
    return {**drawn, "parameters": weights, **back}


def cache_of(function: Callable, **arguments: np.ndarray) -> Any:
    """返回缓存，即`function`返回的最后一个值；没有则返回None。"""
    try:
        return function(*(array.copy() for array in arguments.values()))[-1]
    except Exception:  # 这个函数自己的检查会说明原因
        return None


def initialize_rnn_parameters(
    n_x: int, n_a: int, n_y: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """
    抽取一个RNN的参数。

    参数
    ----
    n_x, n_a, n_y : int
        输入、隐藏状态和预测的大小。
    rng : numpy.random.Generator

    返回
    ----
    dict
        `Wax` (n_a, n_x)和`Wya` (n_y, n_a)，Glorot均匀分布；
        `Waa` (n_a, n_a)，正交；`ba` (n_a, 1)和`by` (n_y, 1)，零。
    """
    return {
        "Wax": _glorot(n_a, n_x, rng),
        "Waa": _orthogonal(n_a, rng),
        "Wya": _glorot(n_y, n_a, rng),
        "ba": np.zeros((n_a, 1)),
        "by": np.zeros((n_y, 1)),
    }


def initialize_lstm_parameters(
    n_x: int, n_a: int, n_y: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """
    抽取一个LSTM的参数。

    遗忘门的偏置从1开始，这样单元在学会该忘什么之前
    先会记住（Gers、Schmidhuber和Cummins，2000；
    Jozefowicz、Zaremba和Sutskever，2015）。

    参数
    ----
    n_x, n_a, n_y : int
        输入、隐藏状态和预测的大小。
    rng : numpy.random.Generator

    返回
    ----
    dict
        `Wf`、`Wi`、`Wc`、`Wo` (n_a, n_a + n_x)：与隐藏状态相乘的
        前n_a列是正交的，其余各列为Glorot均匀分布；
        `Wy` (n_y, n_a)，Glorot均匀分布；`bf` (n_a, 1)，一；
        `bi`、`bc`、`bo` (n_a, 1)和`by` (n_y, 1)，零。
    """
    parameters = {}
    for gate in "fico":
        recurrent, inputs = _orthogonal(n_a, rng), _glorot(n_a, n_x, rng)
        parameters["W" + gate] = np.hstack((recurrent, inputs))
        parameters["b" + gate] = np.zeros((n_a, 1))
    parameters["bf"] += 1
    parameters["Wy"] = _glorot(n_y, n_a, rng)
    parameters["by"] = np.zeros((n_y, 1))
    return parameters


def initialize_fused_lstm_parameters(
    D: int, H: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """
    抽取一个融合门LSTM的参数，批在最前。

    参数
    ----
    D, H : int
        输入和隐藏状态的大小。
    rng : numpy.random.Generator

    返回
    ----
    Wx : ndarray, shape (D, 4H)，Glorot均匀分布，逐门抽取
    Wh : ndarray, shape (H, 4H)，正交，逐门抽取
    b : ndarray, shape (4H,)，零；遗忘门的为一

    各门的顺序是输入门、遗忘门、输出门、候选值。
    """
    Wx = np.hstack([_glorot(D, H, rng) for _ in range(4)])
    Wh = np.hstack([_orthogonal(H, rng) for _ in range(4)])
    b = np.zeros(4 * H)
    b[H : 2 * H] = 1
    return Wx, Wh, b


def initialize_gru_parameters(
    n_x: int, n_a: int, n_y: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """
    抽取一个GRU的参数。

    更新门的偏置从-1开始，这样单元在学会该替换什么之前
    先保持状态：相当于LSTM遗忘门的偏置为1。

    参数
    ----
    n_x, n_a, n_y : int
        输入、隐藏状态和预测的大小。
    rng : numpy.random.Generator

    返回
    ----
    dict
        `Wr`、`Wu`、`Wa` (n_a, n_a + n_x)：与隐藏状态相乘的
        前n_a列是正交的，其余各列为Glorot均匀分布；
        `Wy` (n_y, n_a)，Glorot均匀分布；`bu` (n_a, 1)，负一；
        `br`、`ba` (n_a, 1)和`by` (n_y, 1)，零。
    """
    parameters = {}
    for gate in "rua":
        recurrent, inputs = _orthogonal(n_a, rng), _glorot(n_a, n_x, rng)
        parameters["W" + gate] = np.hstack((recurrent, inputs))
        parameters["b" + gate] = np.zeros((n_a, 1))
    parameters["bu"] -= 1
    parameters["Wy"] = _glorot(n_y, n_a, rng)
    parameters["by"] = np.zeros((n_y, 1))
    return parameters


CHINESE_FONTS = [
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "Microsoft YaHei",
    "PingFang SC", "PingFang HK", "Hiragino Sans GB", "Heiti TC", "SimHei",
    "Source Han Sans SC", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei",
    "Arial Unicode MS", "DengXian", "SimSun", "Droid Sans Fallback",
]


def translated_words(words: dict, translation: dict[str, str]) -> dict:
    """
    翻译一幅图里的文字，只要有能画出它们的字体。

    参数
    ----
    words : dict
        图里的文字：每个名字对应一段文字或几段文字的列表。
    translation : dict
        由英文查中文；其中没有的保持不变。

    返回
    ----
    dict
        中文的`words`；如果Matplotlib没有`CHINESE_FONTS`中的
        任何一种，就原样返回：英文总比空方框好。
    """
    import matplotlib as mpl
    from matplotlib import font_manager

    there = font_manager.get_font_names()
    found = [font for font in CHINESE_FONTS if font in there]
    if not found:
        return words
    mpl.rcParams["font.family"] = ["DejaVu Sans", found[0]]
    return {
        name: [translation.get(each, each) for each in text]
        if isinstance(text, list) else translation.get(text, text)
        for name, text in words.items()
    }


def _glorot(rows: int, columns: int, rng: np.random.Generator) -> np.ndarray:
    """在+-sqrt(6 / (rows + columns))之间均匀抽取：Glorot和Bengio，2010。"""
    limit = np.sqrt(6 / (rows + columns))
    return rng.uniform(-limit, limit, (rows, columns))


def _orthogonal(n: int, rng: np.random.Generator) -> np.ndarray:
    """在正交矩阵中均匀抽取：Saxe等，2014；Mezzadri，2007。"""
    q, r = np.linalg.qr(rng.standard_normal((n, n)))
    return q * np.sign(np.diag(r))
