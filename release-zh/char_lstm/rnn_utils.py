"""Functions that the notebooks use and do not ask you to write. NumPy only."""

from collections.abc import Callable
from typing import Any

import numpy as np


def sigmoid(x: np.ndarray) -> np.ndarray:
    """
    Return the logistic function 1 / (1 + exp(-x)) of every element.

    Written as (1 + tanh(x / 2)) / 2, which is the same, cannot overflow,
    however large the elements are, and costs one function call. The smallest
    results are exact to about 1e-16, and 0 where x is below -38.

    Parameters
    ----------
    x : array_like, any shape

    Returns
    -------
    ndarray
        Same shape as `x`, values from 0 to 1; float32 stays float32.
    """
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(x)))


def softmax(z: np.ndarray) -> np.ndarray:
    """
    Return exp(z) / sum(exp(z)), each column by itself.

    Subtracting the largest element of a column changes nothing in the
    quotient and keeps exp from overflowing (Goodfellow, Bengio and
    Courville, Deep Learning, 2016, section 4.1).

    Parameters
    ----------
    z : array_like, shape (n_y, ...)
        Scores; axis 0 runs over the classes.

    Returns
    -------
    ndarray
        Same shape as `z`; each column adds up to 1.
    """
    z = np.asarray(z)
    with np.errstate(under="ignore"):
        e = np.exp(z - np.max(z, axis=0, keepdims=True))
    return e / np.sum(e, axis=0, keepdims=True)


def numeric_gradient(
    f: Callable[[], float], x: np.ndarray, h: float = 1e-5
) -> np.ndarray:
    """
    Return the derivatives of f() with respect to every element of `x`.

    Each element in turn is set a step `h` up and a step `h` down, and f() is
    looked at both times: the central difference (f(+h) - f(-h)) / 2h.
    Afterwards `x` is as it was.

    Parameters
    ----------
    f : callable
        Takes nothing and returns one number, which depends on `x`.
    x : ndarray of floats, any shape
        The very array that `f` reads, not a copy of it.
    h : float
        The step.

    Returns
    -------
    ndarray
        Same shape as `x`.
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
    Return how far a gradient is from the numeric one, as a share of its norm.

    Parameters
    ----------
    gradient, numeric : ndarray, same shape

    Returns
    -------
    float
        |gradient - numeric| / |numeric|, in Euclidean norms; a norm below
        1e-3 counts as 1e-3, so that a gradient may be zero.
    """
    size = max(float(np.linalg.norm(numeric)), 1e-3)
    return float(np.linalg.norm(gradient - numeric) / size)


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


def cache_of(function: Callable, **arguments: np.ndarray) -> Any:
    """Return the cache, the last value that `function` returns, or None."""
    try:
        return function(*(array.copy() for array in arguments.values()))[-1]
    except Exception:  # the checks of this function say why
        return None


def initialize_rnn_parameters(
    n_x: int, n_a: int, n_y: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """
    Draw the parameters of an RNN.

    Parameters
    ----------
    n_x, n_a, n_y : int
        Sizes of the input, the hidden state and the prediction.
    rng : numpy.random.Generator

    Returns
    -------
    dict
        `Wax` (n_a, n_x) and `Wya` (n_y, n_a), Glorot uniform; `Waa`
        (n_a, n_a), orthogonal; `ba` (n_a, 1) and `by` (n_y, 1), zero.
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
    Draw the parameters of an LSTM.

    The forget gate's bias starts at one, so that the cell remembers before
    it has learned what to forget (Gers, Schmidhuber and Cummins, 2000;
    Jozefowicz, Zaremba and Sutskever, 2015).

    Parameters
    ----------
    n_x, n_a, n_y : int
        Sizes of the input, the hidden state and the prediction.
    rng : numpy.random.Generator

    Returns
    -------
    dict
        `Wf`, `Wi`, `Wc`, `Wo` (n_a, n_a + n_x): the first n_a columns,
        which meet the hidden state, orthogonal, the others Glorot uniform;
        `Wy` (n_y, n_a), Glorot uniform; `bf` (n_a, 1), one; `bi`, `bc`,
        `bo` (n_a, 1) and `by` (n_y, 1), zero.
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
    Draw the parameters of a batch-first LSTM with fused gates.

    Parameters
    ----------
    D, H : int
        Sizes of the input and of the hidden state.
    rng : numpy.random.Generator

    Returns
    -------
    Wx : ndarray, shape (D, 4H), Glorot uniform, gate by gate
    Wh : ndarray, shape (H, 4H), orthogonal, gate by gate
    b : ndarray, shape (4H,), zero, and one for the forget gate

    The gates stand in the order input, forget, output, candidate.
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
    Draw the parameters of a GRU.

    The update gate's bias starts at minus one, so that the cell keeps its
    state before it has learned what to replace: what a bias of one does for
    the forget gate of an LSTM.

    Parameters
    ----------
    n_x, n_a, n_y : int
        Sizes of the input, the hidden state and the prediction.
    rng : numpy.random.Generator

    Returns
    -------
    dict
        `Wr`, `Wu`, `Wa` (n_a, n_a + n_x): the first n_a columns, which meet
        the hidden state, orthogonal, the others Glorot uniform; `Wy`
        (n_y, n_a), Glorot uniform; `bu` (n_a, 1), minus one; `br`, `ba`
        (n_a, 1) and `by` (n_y, 1), zero.
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
    Translate the words of a plot, where there is a font to draw them with.

    Parameters
    ----------
    words : dict
        Of the plot: a text or a list of texts for each name.
    translation : dict
        Chinese by the English; what it does not hold stays.

    Returns
    -------
    dict
        `words` in Chinese, or as they are, where Matplotlib has none of
        `CHINESE_FONTS`: better English than empty boxes.
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
    """Uniform in +-sqrt(6 / (rows + columns)): Glorot and Bengio, 2010."""
    limit = np.sqrt(6 / (rows + columns))
    return rng.uniform(-limit, limit, (rows, columns))


def _orthogonal(n: int, rng: np.random.Generator) -> np.ndarray:
    """Uniform over orthogonal matrices: Saxe et al., 2014; Mezzadri, 2007."""
    q, r = np.linalg.qr(rng.standard_normal((n, n)))
    return q * np.sign(np.diag(r))
