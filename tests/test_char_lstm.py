"""What `char_lstm` says in numbers, computed; and what its hidden tests can tell."""

import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import CSS4_COLORS, XKCD_COLORS

from grading.marking.hidden_data import sets_of
from grading.marking.naming import Outcomes
from grading.source import course_root, read_source
from grading.testing import marking
from rnn_marking.names import END, first_and_third_step, sample_inputs

ROOT = course_root(Path(__file__).parent)
SOURCE = read_source("char_lstm", ROOT)
CELLS = {cell.id: cell.source for cell in SOURCE.notebook.cells}
AT_WORK = ("data-names", "fun-loss", "fun-train", "fun-colours-fit")


def names_at_work():
    """Return the notebook's own names and functions, and those that train."""
    found = SOURCE.namespace()
    with SOURCE.importing():
        for cell in AT_WORK:
            exec(CELLS[cell], found)
    return found


names = pytest.fixture(names_at_work, scope="module")


def told(cell, pattern):
    """Return the numbers that a sentence tells, one for each group."""
    found = re.search(pattern, CELLS[cell])
    assert found, f"{cell} does not say: {pattern}"
    return [float(number) for number in found.groups()]


def test_numbers_of_names_and_characters(names):
    all_names, learned, others = names["colours"], names["training"], names["held_out"]
    assert told("data", r"The (\d+) names") == [len(XKCD_COLORS)]
    assert told("data", r"leaves out (\d+) that") == [len(XKCD_COLORS) - len(all_names)]
    assert told("title", r"learn from (\d+) names") == [len(learned)]
    assert "One name in ten is **held out**" in CELLS["data"]
    assert len(others) == round(len(all_names) / 10)
    assert sorted([*learned, *others]) == sorted(all_names)
    log_V, V = told("loss-mean", r"which is (\d\.\d) for our (\d+)")
    assert len(names["characters"]) == V and log_V == round(np.log(V), 1)
    assert names["characters"][END] not in "".join(all_names)


def test_untrained_it_is_about_as_good_as_a_die(names):
    (log_V,) = told("loss-mean", r"which is (\d\.\d) for")
    new, _ = names["train"](names["training"], names["characters"], -1)
    loss = names["loss_of"](names["training"][:200], names["characters"], new)
    assert loss == pytest.approx(log_V, abs=0.1)


def test_names_of_the_title_are_on_no_list():
    invented = re.search(r"`(.*)`: no list has", CELLS["title"])[1].split("`, `")
    lists = {key.removeprefix("xkcd:") for key in XKCD_COLORS} | set(CSS4_COLORS)
    assert len(invented) == 3 and not lists & set(invented)


def test_sizes_that_the_text_tells_are_those_of_the_code():
    (batch,) = told("fun", r": (\d+) names a round")
    assert f"min({batch:.0f}, len(names))" in CELLS["fun-train"]
    (apart,) = told("fun", r"Every (\d+) rounds")
    assert f"n % {apart:.0f} == 0" in CELLS["fun-train"]
    (measured,) = told("fun", r"on (\d+) of the names")
    assert f"training[:{measured:.0f}]" in CELLS["fun-run"]
    (units,) = told("fun-colours", r"lists of (\d+) numbers")
    assert f"units={units:.0f}" in CELLS["fun-train"]
    assert f"One unit of {units:.0f}" in CELLS["plot-words"]
    (count,) = told("fun-temperature", r"temperatures, (\d+) names each")
    assert f"temperature, {count:.0f})" in CELLS["fun-temperature-table"]


def test_answers_to_the_questions():
    h, W = (map(int, re.findall(r"\d", shape)) for shape in ("(3, 4, 5)", "(5, 7)"))
    assert "h is (3, 4, 5) and W is (5, 7)" in CELLS["self-test"]
    assert f"`{(np.ones([*h]) @ np.ones([*W])).shape}`" in CELLS["self-test"]
    short, long = told("ask-loss", r"A name has (\d+) characters, another (\d+)")
    assert long / short == 5 and "count five times as much" in CELLS["ask-loss"]


# ------------------------------------------------------------- the hidden tests


@pytest.fixture(params=sets_of(b"a secret of tests"), ids=str)
def drawn(request):
    """Let hidden data be drawn from one of the sets."""
    with marking(Outcomes(SOURCE, request.param)):
        yield


def test_three_steps_bring_the_loss_down(drawn):
    """So a third step that equals the solution's has brought it down, too."""
    step = SOURCE.function("train_step")
    for seed in range(40, 60):
        first, third = first_and_third_step(step, seed=seed, N=5, T=4, H=3, V=5, window=4)
        assert first["memory"] == {} and third["memory"]["rounds"] == 2
        assert step(**third)[2] < step(**first)[2] - 0.01, seed


def test_no_mistake_writes_empty_names_alone(drawn):
    """A stub does, and would be taken for it."""
    built = {v.name: SOURCE.build(v) for v in SOURCE.mistakes("sample") if "text" not in v.name}
    for seed in range(20, 23):
        given = sample_inputs(seed=seed, H=5, V=8, temperature=1.0, length=28)
        for name, function in built.items():
            assert len(function(**given)), (name, seed)
