"""What notebook 1 says in numbers, computed."""

import re
from pathlib import Path

import numpy as np
import pytest

from grading.source import course_root, read_source
from rnn_figures import flow
from rnn_utils import (
    example,
    initialize_lstm_parameters,
    initialize_rnn_parameters,
    sigmoid,
    softmax,
)

ROOT = course_root(Path(__file__).parent)
ASSIGNMENT = "rnn_lstm_forward"
CELLS = {cell.id: cell.source for cell in read_source(ASSIGNMENT, ROOT).notebook.cells}
SOLUTION = read_source(ASSIGNMENT, ROOT)
BACKWARD = read_source("rnn_lstm_backward", ROOT)


def rows(cell):
    """Return the rows of a cell's table, split into their entries, without its heading."""
    lines = re.findall(r"^\|(.*)\|$", CELLS[cell], re.MULTILINE)[2:]
    return [[entry.strip() for entry in line.split("|")] for line in lines]


def numbers(text):
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", text)]


@pytest.fixture(scope="module")
def names():
    """What the cells of the notebook define, up to the pictures."""
    found = {"np": np, "sigmoid": sigmoid, "softmax": softmax}
    found |= {name: SOLUTION.function(name) for name in SOLUTION.answers}
    for cell in ("agreement-unit", "memory-data"):
        exec(CELLS[cell], found)
    return found


@pytest.fixture(scope="module")
def words(names):
    """Every word of the sentence, with the values of its step."""
    arguments = (names["sentence"], np.zeros((1, 1)), names["unit"])
    _, y, _, (caches, _) = SOLUTION.function("lstm_forward")(*arguments)
    entries = ("a", "c", "a_prev", "c_prev", "f", "i", "candidate", "o")
    steps = []
    for t, (word, cache) in enumerate(zip(names["words"], caches, strict=True)):
        step = {name: entry.item() for name, entry in zip(entries, cache, strict=False)}
        step |= dict(zip(("number", "subject", "verb"), names["sentence"][:, 0, t], strict=True))
        steps.append({"word": word, "plural": y[0, 0, t], "singular": y[1, 0, t], **step})
    return steps


def test_one_step_by_hand():
    table = rows("rnn-cell-by-hand")
    Waa, Wax, ba = np.array([[0.5, 1], [-1, 0.5]]), np.array([[1], [2]]), np.array([[0], [0.1]])
    a_prev, xt = np.array([[0.4], [-0.2]]), np.array([[0.5]])
    for k, (_, state, given, bias, total, out) in enumerate(table):
        assert numbers(state)[0::2] == Waa[k].tolist()
        assert numbers(state)[1::2] == a_prev[:, 0].tolist()
        assert numbers(given) == [Wax[k, 0], xt[0, 0]]
        assert float(bias) == ba[k, 0]
        in_python = [eval(text.replace("·", "*")) for text in (state, given, bias)]
        assert float(total) == pytest.approx(sum(in_python))
        assert float(out) == pytest.approx(np.tanh(float(total)), abs=5e-4)
    p = {"Waa": Waa, "Wax": Wax, "ba": ba, "Wya": np.diag([2, 1]), "by": np.zeros((2, 1))}
    a_next, yt_pred, _ = SOLUTION.function("rnn_cell_forward")(xt, a_prev, p)
    assert [float(row[-1]) for row in table] == pytest.approx(a_next[:, 0], abs=5e-4)
    said = numbers(CELLS["rnn-cell-by-hand"].rpartition("the scores are")[2])
    expected = [*(p["Wya"] @ a_next)[:, 0]] * 2 + [*yt_pred[:, 0]]
    assert said == pytest.approx(expected, abs=5.1e-4)


def test_gate_by_gate(words):
    """Every number with three decimals in the texts of the gates is one of the unit's."""
    puppies, that, cat, other = (words[t] for t in (1, 2, 5, 10))
    told = {
        "forget-gate": [that["f"], puppies["f"]],
        "input-gate": [puppies["candidate"], puppies["i"], cat["candidate"], cat["i"]],
        "cell-state": [puppies["c"], cat["c"], other["c"]],
        "output-gate": [cat["o"], cat["a"], that["a"]],
    }
    for cell, values in told.items():
        said = [float(number) for number in re.findall(r"-?\d\.\d{3}", CELLS[cell])]
        assert said == pytest.approx(values, abs=5e-4), cell
    assert puppies["f"] == pytest.approx(sigmoid(5 - 10))
    assert that["f"] == pytest.approx(sigmoid(5))
    assert puppies["candidate"] == pytest.approx(np.tanh(1.5))
    assert words.index(cat) - words.index(puppies) == 4


def test_table_of_the_gates(words):
    columns = ("f", "i", "candidate", "c", "o", "a", "plural", "singular")
    for row, t in zip(rows("gates-table"), (1, 2, 5, 6, 10), strict=True):
        word, *said = row
        assert word.split()[0] == words[t]["word"]
        for name, number in zip(columns, said, strict=True):
            assert float(number) == pytest.approx(words[t][name], abs=5e-4), (t, name)


def test_what_is_said_of_the_sentence(words, names):
    shut = [word["word"] for word in words if word["f"] < 0.5]
    assert shut == [word["word"] for word in words if word["i"] > 0.5] == ["puppies", "cat"]
    seen = [(n, word) for n, word in enumerate(words) if word["o"] > 0.5]
    assert [word["plural"] > 0.5 for _, word in seen] == [True, False]
    assert [words[n + 1]["word"] for n, _ in seen] == ["are", "is"]
    sentence = re.search(r"> (.*?) \*\*are", CELLS["why-memory"])[1].split()
    assert [word["word"] for word in words[: len(sentence)]] == sentence
    assert len(sentence) - sentence.index("puppies") == 5  # words back from the verb
    assert "five words back" in CELLS["why-memory"]
    assert names["sentence"].shape == (3, 1, 12)


@pytest.mark.parametrize(("cell", "name"), [("rnn-cell", "rnn"), ("lstm-cell", "lstm")])
def test_how_many_parameters(cell, name):
    draw = {"rnn": initialize_rnn_parameters, "lstm": initialize_lstm_parameters}[name]
    sizes = {key: array.size for key, array in draw(3, 5, 2, np.random.default_rng(0)).items()}
    text = CELLS[f"{cell}-questions"]
    assert "with 3 inputs, 5 units and 2 classes?" in text
    answer = re.search(r"classes\?</summary>\n\n(.*)\n", text)[1]
    assert numbers(answer)[0] == sum(sizes.values())
    if name == "rnn":
        assert {key: float(n) for n, key in re.findall(r"(\d+) in `(\w+)`", answer)} == sizes
    else:
        gate, bias, *prediction, recurrent, without = numbers(answer)[2:]
        assert (gate, bias, prediction) == (sizes["Wf"], sizes["bf"], [sizes["Wy"], sizes["by"]])
        assert (without, recurrent) == (5 * 5 + 5 * 3 + 5, 4 * (5 * 5 + 5 * 3 + 5))


def test_gradients_against_steps_back():
    said = [(row[0], float(row[1])) for row in rows("vanishing-numbers")]
    rnn = [("RNN, `Waa` times", flow.rnn_norms(scale)) for scale in flow.SCALES]
    lstm = [("LSTM, `bf` =", flow.lstm_norms(bias)) for bias in flow.FORGET_BIASES]
    settings = [*flow.SCALES, *flow.FORGET_BIASES]
    for (setting, norm), (name, norms), value in zip(said, rnn + lstm, settings, strict=True):
        assert setting == f"{name} {value}"
        assert norm == pytest.approx(norms[40], rel=0.025)
    text = CELLS["vanishing-numbers"]
    drawn = (flow.N_A, flow.SEED, flow.N_X, flow.NOISE)
    assert numbers(text.partition("|")[0]) == pytest.approx(drawn)
    # the words below the figure
    shrinking, level, growing = (norms[40] for _, norms in rnn)
    assert shrinking < 1e-6
    assert level == pytest.approx(1 / 4, rel=0.1)
    assert growing == pytest.approx(40, rel=0.1)


@pytest.mark.parametrize("network", ["rnn", "lstm"])
def test_the_gradients_are_those_of_the_backward_pass(network, monkeypatch):
    """As far back as five steps, by the solution of notebook 2."""
    monkeypatch.setattr(flow, "STEPS", 5)
    rng = np.random.default_rng(flow.SEED)
    if network == "rnn":
        p = initialize_rnn_parameters(flow.N_X, flow.N_A, 2, rng)
        p["Waa"] = 1.4 * p["Waa"]
    else:
        p = initialize_lstm_parameters(flow.N_X, flow.N_A, 2, rng)
        p["bf"][:] = 3
    x = np.stack([flow.NOISE * rng.normal(size=(flow.N_X, 1)) for _ in range(5)], axis=2)
    _, *_, (caches, _) = SOLUTION.function(f"{network}_forward")(x, np.zeros((flow.N_A, 1)), p)
    start, norms = flow.unit_vector(rng), [1.0]
    da, dc = (start, None) if network == "rnn" else (np.zeros_like(start), start)
    back = BACKWARD.function(f"{network}_cell_backward")
    for cache in reversed(caches):
        got = back(da, cache) if network == "rnn" else back(da, dc, cache)
        da, dc = got["da_prev"], got.get("dc_prev")
        norms.append(np.linalg.norm(da if dc is None else (da, dc)))
    own = flow.rnn_norms(1.4) if network == "rnn" else flow.lstm_norms(3)
    assert own == pytest.approx(norms)


def test_what_is_left_of_a_difference(names):
    share, drawn = names["share_left"], names["drawn"]
    rnn, lstm = SOLUTION.function("rnn_forward"), SOLUTION.function("lstm_forward")
    kept = [100 * share(rnn, p, 0)[-1] for p in drawn(initialize_rnn_parameters)]
    kept_too = [100 * share(lstm, p, 2)[-1] for p in drawn(initialize_lstm_parameters)]
    by_hand = 100 * share(lstm, names["unit"], 2)[-1]
    text = CELLS["memory-why"]
    assert "After 39 more steps" in text
    said = [float(number) for number in re.findall(r"([\d.]+) %", text)]
    expected = [min(kept), max(kept), min(kept_too), max(kept_too), by_hand]
    assert said == pytest.approx(expected, rel=0.02)
    assert "drawn 20 times (seeds 0 to 19)" in CELLS["memory-text"]
    assert len(kept) == 20
    assert "16 units" in CELLS["memory-text"]


def test_the_forget_gate_starts_where_it_is_said_to():
    assert f"starts at {sigmoid(1):.3f}" in CELLS["initialisers"]
    open_wide, half_open = (sigmoid(b) * (1 - sigmoid(b)) for b in (10.0, 1.0))
    assert f"At 10 the slope of sigmoid is {open_wide:.5f}" in CELLS["initialisers-questions"]
    assert f"At 1 the slope is {half_open:.3f}." in CELLS["initialisers-questions"]
    assert 0.5**10 == 1 / 1024
    assert "0.5^{10} = 1/1024" in CELLS["vanishing-questions"]


@pytest.mark.parametrize("name", SOLUTION.answers)
def test_how_long_an_answer_is(name):
    """ "About 6 lines" is the length of the solution, give or take a line."""
    hints = {
        "rnn_cell_forward": "rnn-cell-hints",
        "rnn_forward": "rnn-sequence-hints",
        "lstm_cell_forward": "lstm-cell-hints",
        "lstm_forward": "lstm-sequence-hints",
    }
    said = int(re.search(r"Yours, about (\d+) lines", CELLS[hints[name]])[1])
    body = SOLUTION.answers[name].split('"""')[2]
    lines = [line.strip() for line in body.splitlines()]
    code = [line for line in lines if line and not line.startswith("#")]
    assert abs(len(code) - said) <= 2
    assert CELLS[hints[name]].count("<details>") == 3


def test_each_part_asks_two_or_three_questions():
    asked = {name: text for name, text in CELLS.items() if name.endswith("-questions")}
    assert len(asked) == 7
    for name, text in asked.items():
        assert 2 <= text.count("<details>") <= 3, name
        assert text.count("<details>") == text.count("</details>") == text.count("?</summary>")


def test_what_pytorch_prints_is_our_own_number():
    shapes = {}
    for gate in "fioc":
        shapes |= {"W" + gate: (5, 8), "b" + gate: (5, 1)}
    arguments = example({"x": (3, 10, 7), "a0": (5, 10)}, {**shapes, "Wy": (2, 5), "by": (2, 1)})
    a = SOLUTION.function("lstm_forward")(*arguments.values())[0]
    printed = re.search(r"```text\n(.*)\n```", CELLS["then-what"])[1]
    assert float(printed) == pytest.approx(a[4, 3, 6], abs=1e-12)
    assert "`a[4][3][6]`" in CELLS["frameworks"]


def test_notation_by_example():
    x = np.arange(3 * 10 * 4).reshape(3, 10, 4)
    # example 3, second input
    assert "`x[:, 2, 1]`" in CELLS["notation-marks"]
    assert np.array_equal(x[:, 2, 1], x[:, :, 2 - 1][:, 3 - 1])
