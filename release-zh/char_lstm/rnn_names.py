"""`char_lstm`给你的东西：写成数字的名字、读它们的LSTM，以及Adam。"""

import re
from collections.abc import Sequence

import numpy as np

from rnn_utils import initialize_fused_lstm_parameters

COARSE = re.compile("shit|poo|puke|barf|vomit|snot|booger|piss|bile|diarr")
END = 0  # 在每个名字前后都有的结束符的编号
Parameters = dict[str, np.ndarray]

# ------------------------------------------------------------------ 名字


def colour_names() -> dict[str, str]:
    """
    返回Matplotlib认得的颜色名，以及各自的颜色。

    2010年的一次调查里，xkcd.com的访问者给他们看到的颜色起名；
    最常见的名字已进入公有领域(CC0)。949个名字中，
    不便大声读出来的没有收入。

    返回
    ----
    dict
        由"cloudy blue"查到"#acc2d9"，依此类推。
    """
    from matplotlib.colors import XKCD_COLORS

    named = {key[5:]: str(colour) for key, colour in XKCD_COLORS.items()}
    return {name: c for name, c in named.items() if not COARSE.search(name)}


def split(
    names: Sequence[str], share: float, seed: int
) -> tuple[list[str], list[str]]:
    """返回按种子抽出的两部分名字；`share`是第二部分所占的比例。"""
    order = np.random.default_rng(seed).permutation(len(names))
    mixed = [names[place] for place in order]
    count = len(mixed) - round(share * len(mixed))
    return mixed[:count], mixed[count:]


def alphabet(names: Sequence[str]) -> str:
    """返回名字中的每个字符，各一次，排在结束符END之后。"""
    return "\n" + "".join(sorted(set("".join(names))))


def encode(name: str, characters: str) -> list[int]:
    """返回一个名字里每个字符的编号。"""
    return [characters.index(character) for character in name]


def decode(codes: Sequence[int], characters: str) -> str:
    """返回由这些编号的字符组成的名字。"""
    return "".join(characters[code] for code in codes)


def make_batch(
    names: Sequence[str], characters: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """
    把名字排在一起，每行一个，并把短的补齐。

    参数
    ----
    names : sequence of str
        N个名字；T比最长名字的字符数多一。
    characters : str

    返回
    ----
    x : ndarray of int, shape (N, T)
        网络读入的：先是END，然后是名字。
    targets : ndarray of int, shape (N, T)
        网络每一步应当说出的：先是名字，然后是END。
    mask : ndarray of bool, shape (N, T)
        `targets`为真字符处是True，补齐处是False。
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


# ------------------------------------------------------- LSTM和Adam


def initialize_parameters(
    V: int, H: int, rng: np.random.Generator
) -> Parameters:
    """
    抽取一个读写V种字符的LSTM的参数。

    返回
    ----
    dict
        `Wx` (V, 4H)、`Wh` (H, 4H)和`b` (4H,)，各门的顺序是输入门、
        遗忘门、输出门、候选值；`Wy` (H, V)和`by` (V,)，用来算分数。
    """
    Wx, Wh, b = initialize_fused_lstm_parameters(V, H, rng)
    limit = np.sqrt(6 / (H + V))
    Wy = rng.uniform(-limit, limit, (H, V))
    return {"Wx": Wx, "Wh": Wh, "b": b, "Wy": Wy, "by": np.zeros(V)}


def lstm_step(
    code: int, h: np.ndarray, c: np.ndarray, parameters: Parameters
) -> tuple[np.ndarray, np.ndarray]:
    """
    读入一个字符。

    参数
    ----
    code : int
        字符的编号。
    h, c : ndarray, shape (H,)
        读入之前的隐藏状态和单元状态。
    parameters : dict
        `Wx` (V, 4H)、`Wh` (H, 4H)、`b` (4H,)；其余的不看。

    返回
    ----
    h, c : ndarray, shape (H,)
        读入之后的状态。
    """
    # 只有一个1、其余全为零的一行乘以Wx，就是Wx的一行。
    z = parameters["Wx"][code] + h @ parameters["Wh"] + parameters["b"]
    return _step(z, c)


def lstm_states(
    x: np.ndarray, h0: np.ndarray, c0: np.ndarray, parameters: Parameters
) -> tuple[np.ndarray, np.ndarray, tuple]:
    """
    读入名字，所有行一起。

    参数
    ----
    x : ndarray of int, shape (N, T)
        字符的编号。
    h0, c0 : ndarray, shape (N, H)
        第一步之前的状态。
    parameters : dict
        `Wx` (V, 4H)、`Wh` (H, 4H)、`b` (4H,)；其余的不看。

    返回
    ----
    h, c : ndarray, shape (N, T, H)
        每一步之后的隐藏状态和单元状态。
    cache
        `lstm_gradients`所需的。
    """
    (N, T), H = x.shape, h0.shape[1]
    h, c = np.empty((T + 1, N, H)), np.empty((T + 1, N, H))  # 时间步在最前
    h[0], c[0] = h0, c0
    z = parameters["Wx"][x.T] + parameters["b"]
    for t in range(len(z)):
        z[t] += h[t] @ parameters["Wh"]
        h[t + 1], c[t + 1] = _step(z[t], c[t])
    cache = x, h, c, z, parameters
    return h[1:].swapaxes(0, 1), c[1:].swapaxes(0, 1), cache


def _step(z: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """返回新的状态；z原为所有门的预激活值，被换成门的值。"""
    H = c.shape[-1]
    sigmoids = z[..., : 3 * H]
    sigmoids /= 2
    np.tanh(z, out=z)
    sigmoids += 1  # sigmoid(z)等于(1 + tanh(z / 2)) / 2
    sigmoids /= 2
    write, keep, show, new = np.split(z, 4, axis=-1)
    c = keep * c + write * new
    return show * np.tanh(c), c


def lstm_gradients(dh: np.ndarray, cache: tuple) -> Parameters:
    """
    沿`lstm_states`的所有时间步往回走。

    参数
    ----
    dh : ndarray, shape (N, T, H)
        从损失传来的、对各隐藏状态的梯度。
    cache
        `lstm_states`返回的。

    返回
    ----
    dict
        各梯度，名字与参数相同：`Wx` (V, 4H)、`Wh` (H, 4H)、
        `b` (4H,)。
    """
    x, h, c, gates, parameters = cache
    size, (T, N, H) = len(parameters["Wx"]), c[1:].shape
    dz, Wh_T = np.empty_like(gates), parameters["Wh"].T
    slopes = gates * (1 - gates)  # 三个sigmoid的
    slopes[..., 3 * H :] = 1 - gates[..., 3 * H :] ** 2  # 候选值的
    tanh_c = np.tanh(c[1:])
    later_h, later_c = np.zeros((2, N, H))
    for t in range(T - 1, -1, -1):
        write, keep, show, new = np.split(gates[t], 4, axis=-1)
        here_h = dh[:, t] + later_h
        here_c = later_c + here_h * show * (1 - tanh_c[t] ** 2)
        both = here_c * new, here_c * c[t], here_h * tanh_c[t], here_c * write
        dz[t] = np.concatenate(both, axis=-1) * slopes[t]
        later_h, later_c = dz[t] @ Wh_T, here_c * keep
    # 对所有时间步和所有行求和，就是一个乘积。
    dz = dz.reshape(T * N, 4 * H)
    return {
        "Wx": np.eye(size)[x.T.ravel()].T @ dz,
        "Wh": h[:-1].reshape(T * N, H).T @ dz,
        "b": dz.sum(axis=0),
    }


def adam(gradients: Parameters, memory: dict) -> tuple[Parameters, dict]:
    """
    说出沿每个梯度走多远（Kingma和Ba，2015）。

    参数
    ----
    gradients : dict
        由参数的名字查梯度。
    memory : dict
        上次调用返回的；一开始是{}。

    返回
    ----
    steps : dict
        每个梯度对应一个同样形状的数组，与它一样指向上坡；
        长的缩短，短的拉长，都到约1。
    memory : dict
        供下次调用。两个参数都不改动。
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
    把一个0到1的数变成一个字符的编号。

    把各概率并排放好：它们填满从0到1的一段，
    u落在谁的那一份上，就取哪个字符。可能性大的字符
    占得长，所以常被取到。

    参数
    ----
    probabilities : ndarray, shape (V,)
    u : float
        不小于0，小于1。

    返回
    ----
    int
    """
    ends = np.cumsum(probabilities)
    code = int(np.searchsorted(ends, u, side="right"))
    return min(code, len(ends) - 1)  # 总和可能舍入成0.9999...
