"""What `char_lstm` gives you: names as numbers, an LSTM over them, and Adam."""

import re
from collections.abc import Sequence

import numpy as np

from rnn_utils import initialize_fused_lstm_parameters

COARSE = re.compile("shit|poo|puke|barf|vomit|snot|booger|piss|bile|diarr")
END = 0  # the number of the mark that stands before and after every name
Parameters = dict[str, np.ndarray]

# ------------------------------------------------------------------ names


def colour_names() -> dict[str, str]:
    """
    Return the names of colours that Matplotlib knows, each with its colour.

    In a survey of 2010, visitors of xkcd.com named the colours that they were
    shown; the names most often given are in the public domain (CC0). Of the
    949, those that one would rather not read aloud are left out.

    Returns
    -------
    dict
        "#acc2d9" by "cloudy blue", and so on.
    """
    from matplotlib.colors import XKCD_COLORS

    named = {key[5:]: str(colour) for key, colour in XKCD_COLORS.items()}
    return {name: c for name, c in named.items() if not COARSE.search(name)}


def split(
    names: Sequence[str], share: float, seed: int
) -> tuple[list[str], list[str]]:
    """Return two parts of the names, drawn by a seed; `share` is the second's."""
    order = np.random.default_rng(seed).permutation(len(names))
    mixed = [names[place] for place in order]
    count = len(mixed) - round(share * len(mixed))
    return mixed[:count], mixed[count:]


def alphabet(names: Sequence[str]) -> str:
    """Return every character of the names once, behind the mark END."""
    return "\n" + "".join(sorted(set("".join(names))))


def encode(name: str, characters: str) -> list[int]:
    """Return the number of each character of a name."""
    return [characters.index(character) for character in name]


def decode(codes: Sequence[int], characters: str) -> str:
    """Return the name whose characters have these numbers."""
    return "".join(characters[code] for code in codes)


def make_batch(
    names: Sequence[str], characters: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """
    Lay names side by side, one a row, and fill up the short ones.

    Parameters
    ----------
    names : sequence of str
        N names; T is one more than the longest has characters.
    characters : str

    Returns
    -------
    x : ndarray of int, shape (N, T)
        What the network reads: END, then the name.
    targets : ndarray of int, shape (N, T)
        What it should say at each step: the name, then END.
    mask : ndarray of bool, shape (N, T)
        True where `targets` is real, False where a row is filled up.
    """
    T = 1 + max(map(len, names))
    x = np.full((len(names), T), END)
    targets = x.copy()
    for row, name in enumerate(names):
        codes = encode(name, characters)
        x[row, 1 : len(codes) + 1] = codes
        targets[row, : len(codes)] = codes
    lengths = np.array([len(name) for name in names])
    mask = np.arange(T) <= lengths[:, None]
    return x, targets, mask


# ------------------------------------------------------- the LSTM, and Adam


def initialize_parameters(
    V: int, H: int, rng: np.random.Generator
) -> Parameters:
    """
    Draw the parameters of an LSTM that reads and writes V characters.

    Returns
    -------
    dict
        `Wx` (V, 4H), `Wh` (H, 4H) and `b` (4H,), gates in the order input,
        forget, output, candidate; `Wy` (H, V) and `by` (V,), for the scores.
    """
    Wx, Wh, b = initialize_fused_lstm_parameters(V, H, rng)
    limit = np.sqrt(6 / (H + V))
    Wy = rng.uniform(-limit, limit, (H, V))
    return {"Wx": Wx, "Wh": Wh, "b": b, "Wy": Wy, "by": np.zeros(V)}


def lstm_step(
    code: int, h: np.ndarray, c: np.ndarray, parameters: Parameters
) -> tuple[np.ndarray, np.ndarray]:
    """
    Read one character.

    Parameters
    ----------
    code : int
        The character's number.
    h, c : ndarray, shape (H,)
        Hidden state and cell state before it.
    parameters : dict
        `Wx` (V, 4H), `Wh` (H, 4H), `b` (4H,); others are not looked at.

    Returns
    -------
    h, c : ndarray, shape (H,)
        The states after it.
    """
    # A row of zeros with a one in it, times Wx, is a row of Wx.
    z = parameters["Wx"][code] + h @ parameters["Wh"] + parameters["b"]
    return _step(z, c)


def lstm_states(
    x: np.ndarray, h0: np.ndarray, c0: np.ndarray, parameters: Parameters
) -> tuple[np.ndarray, np.ndarray, tuple]:
    """
    Read names, all rows at once.

    Parameters
    ----------
    x : ndarray of int, shape (N, T)
        Numbers of characters.
    h0, c0 : ndarray, shape (N, H)
        States before the first step.
    parameters : dict
        `Wx` (V, 4H), `Wh` (H, 4H), `b` (4H,); others are not looked at.

    Returns
    -------
    h, c : ndarray, shape (N, T, H)
        Hidden state and cell state after each step.
    cache
        What `lstm_gradients` needs.
    """
    (N, T), H = x.shape, h0.shape[1]
    h, c = np.empty((T + 1, N, H)), np.empty((T + 1, N, H))  # steps first
    h[0], c[0] = h0, c0
    z = parameters["Wx"][x.T] + parameters["b"]
    for t in range(len(z)):
        z[t] += h[t] @ parameters["Wh"]
        h[t + 1], c[t + 1] = _step(z[t], c[t])
    cache = x, h, c, z, parameters
    return h[1:].swapaxes(0, 1), c[1:].swapaxes(0, 1), cache


def _step(z: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the new states; z, of all gates, is replaced by the gates."""
    H = c.shape[-1]
    sigmoids = z[..., : 3 * H]
    sigmoids /= 2
    np.tanh(z, out=z)
    sigmoids += 1  # sigmoid(z) is (1 + tanh(z / 2)) / 2
    sigmoids /= 2
    write, keep, show, new = np.split(z, 4, axis=-1)
    c = keep * c + write * new
    return show * np.tanh(c), c


def lstm_gradients(dh: np.ndarray, cache: tuple) -> Parameters:
    """
    Go back through all steps of `lstm_states`.

    Parameters
    ----------
    dh : ndarray, shape (N, T, H)
        Gradients of the hidden states, as they arrive from the loss.
    cache
        What `lstm_states` returned.

    Returns
    -------
    dict
        The gradients, under the names of the parameters: `Wx` (V, 4H),
        `Wh` (H, 4H), `b` (4H,).
    """
    x, h, c, gates, parameters = cache
    size, (T, N, H) = len(parameters["Wx"]), c[1:].shape
    dz, Wh_T = np.empty_like(gates), parameters["Wh"].T
    slopes = gates * (1 - gates)  # of the three sigmoids
    slopes[..., 3 * H :] = 1 - gates[..., 3 * H :] ** 2  # of the candidate
    tanh_c = np.tanh(c[1:])
    later_h, later_c = np.zeros((2, N, H))
    for t in range(T - 1, -1, -1):
        write, keep, show, new = np.split(gates[t], 4, axis=-1)
        here_h = dh[:, t] + later_h
        here_c = later_c + here_h * show * (1 - tanh_c[t] ** 2)
        both = here_c * new, here_c * c[t], here_h * tanh_c[t], here_c * write
        dz[t] = np.concatenate(both, axis=-1) * slopes[t]
        later_h, later_c = dz[t] @ Wh_T, here_c * keep
    # The sum over all steps and rows is one product.
    dz = dz.reshape(T * N, 4 * H)
    return {
        "Wx": np.eye(size)[x.T.ravel()].T @ dz,
        "Wh": h[:-1].reshape(T * N, H).T @ dz,
        "b": dz.sum(axis=0),
    }


def adam(gradients: Parameters, memory: dict) -> tuple[Parameters, dict]:
    """
    Say how far to go along each gradient (Kingma and Ba, 2015).

    Parameters
    ----------
    gradients : dict
        By the name of the parameter.
    memory : dict
        What the call before returned; {} at first.

    Returns
    -------
    steps : dict
        For each gradient an array of its shape, which points up as it does;
        what is long is shortened and what is short lengthened, to about 1.
    memory : dict
        For the next call. Neither argument is changed.
    """
    n = memory.get("rounds", 0) + 1
    steps, kept = {}, {"rounds": n}
    for name, d in gradients.items():
        mean, square = memory.get(name, (0, 0))
        mean, square = 0.9 * mean + 0.1 * d, 0.99 * square + 0.01 * d**2
        size = np.sqrt(square / (1 - 0.99**n)) + 1e-8
        steps[name] = mean / (1 - 0.9**n) / size
        kept[name] = mean, square
    return steps, kept


def pick(probabilities: np.ndarray, u: float) -> int:
    """
    Turn a number from 0 to 1 into the number of a character.

    Lay the probabilities side by side: they fill the way from 0 to 1, and
    the character on whose part u lies is picked. A likely one has a long
    part, so it is picked often.

    Parameters
    ----------
    probabilities : ndarray, shape (V,)
    u : float
        At least 0, below 1.

    Returns
    -------
    int
    """
    ends = np.cumsum(probabilities)
    code = int(np.searchsorted(ends, u, side="right"))
    return min(code, len(ends) - 1)  # the sum may round to 0.9999...
