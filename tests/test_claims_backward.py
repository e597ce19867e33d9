"""What notebooks 2 and 3 say in numbers, computed."""

import re
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

from grading.source import course_root, read_source
from rnn_utils import initialize_fused_lstm_parameters, initialize_lstm_parameters, sigmoid

ROOT = course_root(Path(__file__).parent)
BACKWARD, FUSED = "rnn_lstm_backward", "lstm_fused_gates"
CELLS = {
    name: {cell.id: cell.source for cell in read_source(name, ROOT).notebook.cells}
    for name in (BACKWARD, FUSED)
}
SEEDS = (3, 4, 5)
GIVEN = (
    "plot-words",
    "far-networks",
    "far-norms",
    "clip",
    "truncated-table",
    "train-data",
    "train-read-out",
)
GIVEN += ("train-loop", "train-share", "train-network", "train-gates")


def rows(cell):
    """Return the rows of a cell's tables in notebook 2, split into their entries."""
    lines = re.findall(r"^\|(.*)\|$", CELLS[BACKWARD][cell], re.MULTILINE)
    return [[entry.strip() for entry in line.split("|")] for line in lines]


def told(cell, pattern):
    """Return the numbers that a sentence of notebook 2 tells, one for each group."""
    found = re.search(pattern, CELLS[BACKWARD][cell])
    assert found, f"{cell} does not say: {pattern}"
    return [float(number) for number in found.groups()]


class Trained:
    """Notebook 2's own cells, and networks trained with them."""

    def __init__(self, steps=15):
        self.names = read_source(BACKWARD, ROOT).namespace()
        for cell in GIVEN:
            exec(CELLS[BACKWARD][cell], self.names)
        self.names["STEPS"] = steps

    def begin(self, network, seed):
        return self.names["begin"](self.names[f"initialize_{network}_parameters"], seed)

    def train(self, network, seed, rate, rounds, held=None, back=None):
        """Return the shares of right answers of a trained network, by the step of the mark."""
        states = self.names[f"{network}_states"]
        p = self.begin(network, seed)
        held = held or {}
        p = {name: value for name, value in p.items() if name not in held}

        def run(x, a0, parameters):
            return states(x, a0, {**parameters, **held})

        backward = self.names[f"{network}_backward"]
        if back:

            def truncated(da, caches):
                return whole(da[:, :, -back:], (caches[0][-back:], caches[1][:, :, -back:]))

            whole, backward = backward, truncated
        self.names["train"](run, backward, p, rate, rounds)
        self.parameters = p
        return self.names["share_right"](run, p)

    def right(self, *arguments, **options):
        return np.mean(self.train(*arguments, **options))


@pytest.fixture(scope="module")
def trained():
    return Trained()


def test_share_of_the_gradient_that_is_left(trained):
    _, _, rnn, _, _, lstm = rows("far-what")
    names = trained.names
    for network, shares in (("rnn", rnn[1:]), ("lstm", lstm[1:])):
        lines = names["norms_of"](names[f"{network}_cell_backward"], names[f"{network}s"])
        for norms, share in zip(lines.values(), shares, strict=True):
            assert norms[-1] == pytest.approx(float(share), rel=0.2)
    settings = [
        [float(entry) for entry in row[1:]] for row in (rows("far-what")[k] for k in (0, 3))
    ]
    assert settings == [list(names["rnns"]), list(names["lstms"])]


def test_forget_gate_at_the_start():
    (gate,) = told("far-initialise", r"at about ([\d.]+) to begin with")
    assert sigmoid(1.0) == pytest.approx(gate, abs=0.005)
    assert sigmoid(0.0) == 0.5
    assert set(initialize_lstm_parameters(2, 3, 1, np.random.default_rng(0))["bf"].flat) == {1.0}


def test_truncated_gradients(trained):
    names = trained.names
    errors = [
        100 * names["truncation_errors"](steps, x, reach=[10])[0]
        for steps, x in names["rnns"].values()
    ]
    text = r"`dWaa` to (\d+) %.*error is (\d+) % and (\d+) %"
    assert told("truncated-what", text) == pytest.approx(errors, abs=0.6)


def test_clipping_keeps_the_direction(trained):
    clip = trained.names["clip"]
    gradients = {"dW": np.array([3.0, 4.0]), "db": np.array([12.0]), "dx": np.array([100.0])}
    clipped = clip(gradients, ["W", "b"])
    whole = np.concatenate(list(clipped.values()))
    np.testing.assert_allclose(whole, np.array([3, 4, 12]) / 13)
    small = {"dW": np.array([0.1])}
    np.testing.assert_allclose(clip(small, ["W"])["dW"], [0.1])


def test_gradient_of_untrained_networks(trained):
    text = r"the gradient (\d+) steps back is ([\d.]+) .* RNN, and ([\d.]+) in the LSTM"
    back, *shares = told("train-why", text)
    names = trained.names
    x, y, _ = names["draw_batch"](np.random.default_rng(1), 500)
    for network, share in zip(("rnn", "lstm"), shares, strict=True):
        left = []
        for seed in SEEDS:
            p = trained.begin(network, seed)
            a, (steps, _) = names[f"{network}_states"](x, np.zeros((16, 500)), p)
            da = names["read_out"](a[:, :, -1], y, p["Wy"], p["by"])[2]
            cell = names[f"{network}_cell_backward"]
            left.append(names["norms_back"](cell, steps, da)[int(back)])
        assert np.mean(left) == pytest.approx(share, abs=0.005)


def test_answers_that_are_numbers():
    p = initialize_lstm_parameters(3, 5, 1, np.random.default_rng(0))
    size = sum(p[kind + gate].size for gate in "fico" for kind in "Wb")
    assert f"= {size}$" in CELLS[BACKWARD]["ask-lstm"]
    fused = initialize_fused_lstm_parameters(4, 5, np.random.default_rng(0))
    assert f"= {sum(array.size for array in fused)}$" in CELLS[FUSED]["ask-step"]
    np.testing.assert_allclose(0.999 * (1 - 0.999), 0.001, rtol=0.01)
    assert np.tanh(3e-6) / 1e-6 == pytest.approx(3)


def test_what_a_numeric_gradient_costs(trained):
    calls = []
    trained.names["numeric_gradient"](lambda: calls.append(0) or 0.0, np.zeros((2, 3)))
    assert len(calls) == 2 * 6  # two for a weight, so two million for a million
    assert "A network has a million weights" in CELLS[BACKWARD]["ask-numeric"]
    assert "Two million." in CELLS[BACKWARD]["ask-numeric"]
    # the backward pass: two products for each one of the forward pass
    product = next(row for row in rows("chain-rule") if row[0] == "$u = W v$")
    assert product[1].count("du") == 2
    steps = read_source(BACKWARD, ROOT).answers["rnn_cell_backward"]
    assert steps.count(" @ ") == 2 * CELLS[BACKWARD]["rnn-cell"].count(r"\, ") == 4


def test_errors_of_numeric_gradients(trained):
    names = dict(trained.names)
    exec(CELLS[BACKWARD]["numeric-example"], names)
    right = names["w"] * np.cos(names["x"])
    coarse, fine, used = (
        names["relative_error"](right, names["numeric_gradient"](names["loss"], names["x"], h))
        for h in (1e-2, 1e-3, 1e-5)
    )
    assert coarse / fine == pytest.approx(100, rel=0.01)  # ten times smaller, a hundred better
    assert (
        "10^{-5}$, a right gradient comes out at about $10^{-10}$"
        in (CELLS[BACKWARD]["numeric-good"])
    )
    assert 1e-11 < used < 1e-9


def test_numbers_that_were_published_are_of_a_loop_that_carries_nothing_back(trained):
    names = dict(trained.names)
    exec(CELLS[BACKWARD]["example-lstm-cell"], names)
    drawn = names["example"](
        {"x": (3, 10, 7), "a0": (5, 10)}, names["lstm_shapes"], {"da": (5, 10, 4)}
    )
    da = drawn.pop("da")
    _, (steps, _) = names["lstm_states"](**drawn)
    nothing = np.zeros((5, 10))
    found = [
        names["lstm_cell_backward"](da[:, :, t], nothing, steps[t])["dxt"][1, 2] for t in range(4)
    ]
    said = re.search(r"carries nothing back, `(.*?)`", CELLS[BACKWARD]["lstm-example-text"])[1]
    assert [float(number) for number in said.split()] == pytest.approx(found, abs=6e-5)


def test_errors_of_the_fused_gradients(capsys):
    source = read_source(FUSED, ROOT)
    names = source.namespace()
    for cell in (
        "example-step",
        "gradient-check-step",
        "example-sequence",
        "gradient-check-sequence",
    ):
        exec(CELLS[FUSED][cell], names)
    errors = [float(line.split()[1]) for line in capsys.readouterr().out.splitlines()]
    assert len(errors) == 11
    assert "about $10^{-10}$" in CELLS[FUSED]["gradient-check"]
    assert 1e-12 < min(errors) < max(errors) < 1e-9
    assert "above $10^{-6}$, a formula is wrong" in CELLS[FUSED]["gradient-check"]
    # what PyTorch prints is our own
    h, _ = names["lstm_forward"](**names["sequence_example"])
    dWx = dict(zip(names["sequence_example"], names["gradients"], strict=True))["Wx"]
    for cell, values in (("torch-forward", h[1, 0]), ("torch-backward", dWx[3, :5])):
        printed = re.search(r"```text\n\[(.*)\]\n```", CELLS[FUSED][cell])[1]
        assert [float(n) for n in printed.split()] == pytest.approx(values, abs=6e-9)


def test_operations_of_a_step():
    """Notebook 3 counts them: gate by gate four of each kind, fused two."""
    told = "four products, four sums with a bias and four activations; fused it is two, two and two"
    assert told in CELLS[FUSED]["use"]
    assert CELLS[FUSED]["timing-gates"].count("act(W @ both + bias)") == 1
    step = read_source(FUSED, ROOT).answers["lstm_step_forward"]
    line = re.search(r"z = (.*)", step)[1]
    assert (line.count("@"), line.count("+")) == (2, 2)
    assert len(re.findall(r"= (?:sigmoid|np\.tanh)\(z", step)) == 2


@pytest.mark.parametrize("assignment", [BACKWARD, FUSED])
def test_colours_and_styles_of_plots(assignment):
    """No colour of Matplotlib's cycle, and a line style or marker for each curve."""
    code = "\n".join(cell for name, cell in CELLS[assignment].items() if "plt." in cell)
    assert not re.findall(r"[\"']C\d", code)
    for colour in re.findall(r"#[0-9a-f]{6}", code):
        assert mpl.colors.is_color_like(colour)
