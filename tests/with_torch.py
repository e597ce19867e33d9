"""The solutions against PyTorch's nn.RNN, nn.LSTM and autograd. Run by `make test-torch` alone."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

import rnn_names
from grading.source import course_root, read_source
from rnn_marking.inputs import gru_parameters, lstm_parameters, normal, rnn_parameters
from rnn_marking.names import first_step_inputs

ROOT = course_root(Path(__file__).parent)
FORWARD, BACKWARD, FUSED, GRU, LETTERS = (
    read_source(name, ROOT)
    for name in (
        "rnn_lstm_forward",
        "rnn_lstm_backward",
        "lstm_fused_gates",
        "gru_bidirectional",
        "char_lstm",
    )
)
TORCH_GATES = "ifco"  # how PyTorch stacks them, in our letters
DOUBLE = torch.float64
pytestmark = pytest.mark.parametrize("seed", range(10))


@pytest.fixture
def rng(seed):
    return np.random.default_rng(seed)


@pytest.fixture
def sizes(rng):
    """Return n_x, n_a, n_y, m, T."""
    return tuple(map(int, rng.integers(1, 9, 5)))


def tensor(array):
    """Return a leaf of PyTorch's graph that holds this array."""
    return torch.tensor(array, dtype=DOUBLE, requires_grad=True)


def assert_agree(actual, expected):
    right = expected.detach().numpy()
    np.testing.assert_allclose(actual, right, rtol=0, atol=1e-10, strict=True)


def assert_all_agree(actual, expected):
    assert set(actual) == set(expected)
    for name, value in expected.items():
        assert_agree(actual[name], value)


def load(network, ih, hh, bias):
    """Give a network of one layer these weights; the second bias is zero."""
    weights = [tensor(ih), tensor(hh), tensor(bias), tensor(np.zeros_like(bias))]
    with torch.no_grad():
        for own, given in zip(network.parameters(), weights, strict=True):
            own.copy_(given)
    return network


def columns_last(states):
    """Turn PyTorch's (T, m, n) into the notebooks' (n, m, T)."""
    return states.permute(2, 1, 0)


def predictions(weights, bias, states):
    """Return the softmax of W a + b of hidden states (n_a, m, T)."""
    scores = torch.einsum("ya,amt->ymt", torch.tensor(weights), states)
    return torch.softmax(scores + torch.tensor(bias)[:, :, None], dim=0)


def torch_rnn(p):
    n_a, n_x = p["Wax"].shape
    network = torch.nn.RNN(n_x, n_a, nonlinearity="tanh", dtype=DOUBLE)
    return load(network, p["Wax"], p["Waa"], p["ba"][:, 0])


def torch_lstm(p):
    n_a, width = p["Wf"].shape
    weights = np.vstack([p["W" + gate] for gate in TORCH_GATES])
    bias = np.vstack([p["b" + gate] for gate in TORCH_GATES])[:, 0]
    network = torch.nn.LSTM(width - n_a, n_a, dtype=DOUBLE)
    return load(network, weights[:, n_a:], weights[:, :n_a], bias)


def rnn_gradients(network):
    ih, hh, bias, _ = (weights.grad for weights in network.parameters())
    return {"dWax": ih, "dWaa": hh, "dba": bias[:, None]}


def lstm_gradients(network):
    ih, hh, bias, _ = (weights.grad for weights in network.parameters())
    found = {}
    for gate, dW, db in zip(
        TORCH_GATES, torch.hstack((hh, ih)).chunk(4), bias.chunk(4), strict=True
    ):
        found |= {"dW" + gate: dW, "db" + gate: db[:, None]}
    return found


def test_rnn(rng, sizes):
    n_x, n_a, n_y, m, T = sizes
    p = rnn_parameters(rng, n_x, n_a, n_y)
    given = normal(rng, x=(n_x, m, T), a0=(n_a, m), da=(n_a, m, T))
    x, a0, network = tensor(given["x"]), tensor(given["a0"]), torch_rnn(p)
    states = columns_last(network(x.permute(2, 1, 0), a0.T[None].contiguous())[0])
    (states * torch.tensor(given["da"])).sum().backward()

    a, y_pred, caches = FORWARD.function("rnn_forward")(given["x"], given["a0"], p)
    assert_agree(a, states)
    assert_agree(y_pred, predictions(p["Wya"], p["by"], states))
    got = BACKWARD.function("rnn_backward")(given["da"], caches)
    assert_all_agree(got, {"dx": x.grad, "da0": a0.grad, **rnn_gradients(network)})


def test_rnn_cell(rng, sizes):
    n_x, n_a, n_y, m, _ = sizes
    p = rnn_parameters(rng, n_x, n_a, n_y)
    given = normal(rng, xt=(n_x, m), a_prev=(n_a, m), da_next=(n_a, m))
    xt, a_prev, network = tensor(given["xt"]), tensor(given["a_prev"]), torch_rnn(p)
    state = network(xt.T[None], a_prev.T[None].contiguous())[0][0].T
    (state * torch.tensor(given["da_next"])).sum().backward()

    a_next, yt_pred, cache = FORWARD.function("rnn_cell_forward")(given["xt"], given["a_prev"], p)
    assert_agree(a_next, state)
    assert_agree(yt_pred, predictions(p["Wya"], p["by"], state[:, :, None])[:, :, 0])
    got = BACKWARD.function("rnn_cell_backward")(given["da_next"], cache)
    assert_all_agree(got, {"dxt": xt.grad, "da_prev": a_prev.grad, **rnn_gradients(network)})


def test_lstm(rng, sizes):
    n_x, n_a, n_y, m, T = sizes
    p = lstm_parameters(rng, n_x, n_a, n_y)
    given = normal(rng, x=(n_x, m, T), a0=(n_a, m), da=(n_a, m, T))
    x, a0, network = tensor(given["x"]), tensor(given["a0"]), torch_lstm(p)
    start = (a0.T[None].contiguous(), torch.zeros(1, m, n_a, dtype=DOUBLE))
    states = columns_last(network(x.permute(2, 1, 0), start)[0])
    (states * torch.tensor(given["da"])).sum().backward()

    a, y, c, caches = FORWARD.function("lstm_forward")(given["x"], given["a0"], p)
    assert_agree(a, states)
    assert_agree(y, predictions(p["Wy"], p["by"], states))
    assert_agree(c[:, :, -1], network(x.permute(2, 1, 0), start)[1][1][0].T)
    got = BACKWARD.function("lstm_backward")(given["da"], caches)
    assert_all_agree(got, {"dx": x.grad, "da0": a0.grad, **lstm_gradients(network)})


def test_lstm_cell(rng, sizes):
    n_x, n_a, n_y, m, _ = sizes
    p = lstm_parameters(rng, n_x, n_a, n_y)
    state = (n_a, m)
    given = normal(rng, xt=(n_x, m), a_prev=state, c_prev=state, da_next=state, dc_next=state)
    xt, a_prev, c_prev = (tensor(given[name]) for name in ("xt", "a_prev", "c_prev"))
    network = torch_lstm(p)
    start = (a_prev.T[None].contiguous(), c_prev.T[None].contiguous())
    a_right, c_right = (state[0].T for state in network(xt.T[None], start)[1])
    by_a, by_c = torch.tensor(given["da_next"]), torch.tensor(given["dc_next"])
    (a_right * by_a + c_right * by_c).sum().backward()

    a_next, c_next, yt_pred, cache = FORWARD.function("lstm_cell_forward")(
        given["xt"], given["a_prev"], given["c_prev"], p
    )
    assert_agree(a_next, a_right)
    assert_agree(c_next, c_right)
    assert_agree(yt_pred, predictions(p["Wy"], p["by"], a_right[:, :, None])[:, :, 0])
    got = BACKWARD.function("lstm_cell_backward")(given["da_next"], given["dc_next"], cache)
    states = {"dxt": xt.grad, "da_prev": a_prev.grad, "dc_prev": c_prev.grad}
    assert_all_agree(got, {**states, **lstm_gradients(network)})


def torch_fused(Wx, Wh, b):
    """Return an nn.LSTM with these weights; PyTorch's gates stand in the order i, f, g, o."""
    H = Wh.shape[0]
    network = torch.nn.LSTM(Wx.shape[0], H, batch_first=True, dtype=DOUBLE)
    return load(network, *(in_other_order(array, H).T for array in (Wx, Wh, b)))


def in_other_order(array, H):
    """Change between i, f, o, g and i, f, g, o along the last axis."""
    i, f, third, fourth = (array[..., k * H : (k + 1) * H] for k in range(4))
    join = torch.cat if isinstance(array, torch.Tensor) else np.concatenate
    return join((i, f, fourth, third), -1)


def fused_gradients(network):
    """Return the gradients of Wx, Wh and b."""
    H = network.hidden_size
    ih, hh, bias, _ = (weights.grad for weights in network.parameters())
    return [in_other_order(grad, H) for grad in (ih.T, hh.T, bias)]


def test_fused_lstm(rng, sizes):
    D, H, _, N, T = sizes
    given = normal(rng, x=(N, T, D), h0=(N, H), Wx=(D, 4 * H), Wh=(H, 4 * H), b=(4 * H,))
    dh = normal(rng, dh=(N, T, H))["dh"]
    x, h0 = tensor(given["x"]), tensor(given["h0"])
    network = torch_fused(given["Wx"], given["Wh"], given["b"])
    states = network(x, (h0[None], torch.zeros(1, N, H, dtype=DOUBLE)))[0]
    (states * torch.tensor(dh)).sum().backward()

    h, cache = FUSED.function("lstm_forward")(*given.values())
    assert_agree(h, states)
    got = FUSED.function("lstm_backward")(dh, cache)
    for value, right in zip(got, [x.grad, h0.grad, *fused_gradients(network)], strict=True):
        assert_agree(value, right)


def test_fused_step(rng, sizes):
    D, H, _, N, _ = sizes
    given = normal(
        rng, x=(N, D), prev_h=(N, H), prev_c=(N, H), Wx=(D, 4 * H), Wh=(H, 4 * H), b=(4 * H,)
    )
    dnext_h, dnext_c = normal(rng, h=(N, H), c=(N, H)).values()
    x, prev_h, prev_c = (tensor(given[name]) for name in ("x", "prev_h", "prev_c"))
    network = torch_fused(given["Wx"], given["Wh"], given["b"])
    right = [state[0] for state in network(x[:, None], (prev_h[None], prev_c[None]))[1]]
    (right[0] * torch.tensor(dnext_h) + right[1] * torch.tensor(dnext_c)).sum().backward()

    *states, cache = FUSED.function("lstm_step_forward")(*given.values())
    for value, state in zip(states, right, strict=True):
        assert_agree(value, state)
    got = FUSED.function("lstm_step_backward")(dnext_h, dnext_c, cache)
    inputs = [x.grad, prev_h.grad, prev_c.grad]
    for value, grad in zip(got, [*inputs, *fused_gradients(network)], strict=True):
        assert_agree(value, grad)


def torch_gru(p, q=None):
    """Return an nn.GRU with these weights, and those that read backwards: its z is 1 - u."""
    n_a, width = p["Wr"].shape
    ways = [p] if q is None else [p, q]
    network = torch.nn.GRU(width - n_a, n_a, bidirectional=len(ways) == 2, dtype=DOUBLE)
    weights = []
    for way in ways:
        W = np.vstack([way["Wr"], -way["Wu"], way["Wa"]])
        b = np.vstack([way["br"], -way["bu"], way["ba"]])[:, 0]
        weights += [W[:, n_a:], W[:, :n_a], b, np.zeros_like(b)]
    with torch.no_grad():
        for own, given in zip(network.parameters(), weights, strict=True):
            own.copy_(tensor(given))
    return network


def gru_gradients(network):
    """Return the gradients of a GRU's parameters, in the notebook's letters and signs."""
    ih, hh, bias, _ = (weights.grad for weights in network.parameters())
    found = {}
    for gate, sign, dW, db in zip(
        "rua", (1, -1, 1), torch.hstack((hh, ih)).chunk(3), bias.chunk(3), strict=True
    ):
        found |= {"dW" + gate: sign * dW, "db" + gate: sign * db[:, None]}
    return found


def other_form():
    """Return the notebook's functions in PyTorch's form: the reset gate after the product."""
    changed = {
        version.function: version.text
        for version in reversed(GRU.versions)  # of several forms of a mistake, the first
        if version.name == "reset_gate_after_the_product" and "cell" in version.function
    }
    assert set(changed) == {"gru_cell_forward", "gru_cell_backward"}
    return GRU.namespace(**changed)


def test_gru_in_the_form_of_pytorch(rng, sizes):
    n_x, n_a, _, m, T = sizes
    p, q = gru_parameters(rng, n_x, n_a), gru_parameters(rng, n_x, n_a)
    given = normal(rng, x=(n_x, m, T), a=(n_a, m), b=(n_a, m))
    start = tensor(np.stack([given["a"].T, given["b"].T]))
    states = columns_last(torch_gru(p, q)(tensor(given["x"].T), start)[0])
    a, _ = other_form()["bidirectional_forward"](*given.values(), p, q)
    assert_agree(a, states)


def test_gru_cell_in_the_form_of_pytorch(rng, sizes):
    n_x, n_a, _, m, _ = sizes
    p = gru_parameters(rng, n_x, n_a)
    given = normal(rng, xt=(n_x, m), a_prev=(n_a, m), da_next=(n_a, m))
    xt, a_prev, network = tensor(given["xt"]), tensor(given["a_prev"]), torch_gru(p)
    state = network(xt.T[None], a_prev.T[None].contiguous())[0][0].T
    (state * torch.tensor(given["da_next"])).sum().backward()

    names = other_form()
    a_next, cache = names["gru_cell_forward"](given["xt"], given["a_prev"], p)
    assert_agree(a_next, state)
    got = names["gru_cell_backward"](given["da_next"], cache)
    assert_all_agree(got, {"dxt": xt.grad, "da_prev": a_prev.grad, **gru_gradients(network)})


def test_gru_where_both_forms_are_one(rng, sizes):
    """Each unit of the candidate sees itself alone, so the place of the reset gate is the same."""
    n_x, n_a, _, m, T = sizes
    p, q = gru_parameters(rng, n_x, n_a), gru_parameters(rng, n_x, n_a)
    for each in (p, q):
        each["Wa"][:, :n_a] *= np.eye(n_a)
    given = normal(rng, x=(n_x, m, T), a=(n_a, m), b=(n_a, m))
    start = tensor(np.stack([given["a"].T, given["b"].T]))
    states = columns_last(torch_gru(p, q)(tensor(given["x"].T), start)[0])
    a, _ = GRU.function("bidirectional_forward")(*given.values(), p, q)
    assert_agree(a, states)


def test_gru_cell_by_autograd(rng, sizes):
    n_x, n_a, _, m, _ = sizes
    p = {name: tensor(array) for name, array in gru_parameters(rng, n_x, n_a).items()}
    given = normal(rng, xt=(n_x, m), a_prev=(n_a, m), da_next=(n_a, m))
    xt, a_prev = tensor(given["xt"]), tensor(given["a_prev"])
    r, u = (torch.sigmoid(p["W" + k] @ torch.vstack((a_prev, xt)) + p["b" + k]) for k in "ru")
    new = torch.tanh(p["Wa"] @ torch.vstack((r * a_prev, xt)) + p["ba"])
    state = u * new + (1 - u) * a_prev
    (state * torch.tensor(given["da_next"])).sum().backward()

    own = {name: array.detach().numpy() for name, array in p.items()}
    a_next, cache = GRU.function("gru_cell_forward")(given["xt"], given["a_prev"], own)
    assert_agree(a_next, state)
    got = GRU.function("gru_cell_backward")(given["da_next"], cache)
    right = {"dxt": xt.grad, "da_prev": a_prev.grad}
    assert_all_agree(got, right | {f"d{name}": array.grad for name, array in p.items()})


def test_what_notebook_4_shows_of_pytorch(seed, capsys):
    """The lines at its end, run one after the other, print what stands below them."""
    if seed:
        pytest.skip("has nothing drawn in it")
    cells = {cell.id: cell.source for cell in GRU.notebook.cells}
    names = GRU.namespace()
    for cell in ("check-gru-cell-forward", "check-bidirectional-forward"):
        exec(cells[cell], names)
    text = "\n".join(cells[cell] for cell in ("then-what", "torch-run"))
    capsys.readouterr()
    for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(code, names)
    (printed,) = re.findall(r"```text\n(.*?)```", text, re.DOTALL)
    assert capsys.readouterr().out == printed


def lstm_of_names(parameters, N, H):
    """Return PyTorch's LSTM with these parameters, and what reorders its gradients to ours."""
    places = [*range(2 * H), *range(3 * H, 4 * H), *range(2 * H, 3 * H)]  # i, f, g, o
    lstm = torch.nn.LSTM(len(parameters["Wx"]), H, batch_first=True).double()
    weights = parameters["Wx"].T, parameters["Wh"].T, parameters["b"], 0 * parameters["b"]
    for own, array in zip(lstm.parameters(), weights, strict=True):
        own.data = torch.tensor(array[places].copy())
    return lstm, np.argsort(places)


def test_loss_and_gradients_of_names(seed):
    """All of char_lstm's parameters, through the LSTM that is given and the loss over a batch."""
    N, T, H, V = 5, 7, 4, 6
    given = first_step_inputs(seed=seed, N=N, T=T, H=H, V=V, window=T)
    parameters, (x, targets, mask) = given["parameters"], given["batch"]
    Wy, by = parameters["Wy"], parameters["by"]
    h, _, cache = rnn_names.lstm_states(x, *np.zeros((2, N, H)), parameters)
    loss, dh, dWy, dby = LETTERS.function("sequence_loss")(h, targets, mask, Wy, by)
    gradients = rnn_names.lstm_gradients(dh, cache)

    lstm, ours = lstm_of_names(parameters, N, H)
    read_out = tensor(Wy), tensor(by)
    scores = lstm(torch.eye(V, dtype=DOUBLE)[x])[0] @ read_out[0] + read_out[1]
    real = torch.tensor(mask)
    expected = torch.nn.functional.cross_entropy(scores[real], torch.tensor(targets)[real])
    expected.backward()
    assert abs(loss - expected.item()) < 1e-10
    found = [each.grad[ours].T for each in list(lstm.parameters())[:3]]
    for actual, right in zip(gradients.values(), found, strict=True):
        np.testing.assert_allclose(actual, right.numpy(), rtol=0, atol=1e-10)
    for actual, weight in zip((dWy, dby), read_out, strict=True):
        assert_agree(actual, weight.grad)


def test_a_step_of_names_is_that_of_clipping_and_adam(seed):
    """PyTorch adds a millionth to the norm that it divides by."""
    given = first_step_inputs(seed=seed, N=5, T=7, H=4, V=6, window=7)
    step = LETTERS.function("train_step")
    first = given["parameters"]
    weights = {name: tensor(array) for name, array in first.items()}
    optimiser = torch.optim.Adam(weights.values(), lr=given["rate"], betas=(0.9, 0.99))
    for _ in range(3):
        before = given["parameters"]
        h, _, cache = rnn_names.lstm_states(given["batch"][0], *np.zeros((2, 5, 4)), before)
        loss = LETTERS.function("sequence_loss")
        _, dh, dWy, dby = loss(h, *given["batch"][1:], before["Wy"], before["by"])
        gradients = {**rnn_names.lstm_gradients(dh, cache), "Wy": dWy, "by": dby}
        for name, weight in weights.items():
            weight.grad = torch.tensor(gradients[name])
        torch.nn.utils.clip_grad_norm_(weights.values(), given["max_norm"])
        optimiser.step()
        after, memory, _ = step(**given)
        given = {**given, "parameters": after, "memory": memory}
    for name, weight in weights.items():
        np.testing.assert_allclose(after[name], weight.detach().numpy(), rtol=0, atol=1e-5)


def test_what_notebook_1_shows_of_pytorch(seed, capsys):
    """The lines at its end, run, print what stands below them."""
    if seed:
        pytest.skip("has nothing drawn in it")
    cells = {cell.id: cell.source for cell in read_source("rnn_lstm_forward", ROOT).notebook.cells}
    names = FORWARD.namespace()
    for cell in ("example-lstm", "check-lstm-forward"):
        exec(cells[cell], names)
    capsys.readouterr()
    code, printed = re.findall(r"```(?:python|text)\n(.*?)```", cells["then-what"], re.DOTALL)
    exec(code, names)
    assert capsys.readouterr().out == printed


def test_what_notebook_3_shows_of_pytorch(seed, capsys):
    """The lines for PyTorch in the third notebook's text, run on its own example."""
    if seed:
        pytest.skip("has nothing drawn in it")
    text = "\n".join(cell.source for cell in read_source("lstm_fused_gates", ROOT).notebook.cells)
    names = {"np": np}
    for cell in read_source("lstm_fused_gates", ROOT).notebook.cells:
        if cell.id in ("example-step", "example-sequence"):
            exec(cell.source, names)
    pairs = re.findall(r"```python\n(.*?)```\s*```text\n(.*?)```", text, re.DOTALL)
    assert len(pairs) == 2
    for lines, printed in pairs:
        exec(lines, names)
        assert capsys.readouterr().out == printed
