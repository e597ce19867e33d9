"""What the GRU's notebook says of all seeds and rates; it takes a minute: `make test-torch`."""

import re

import pytest
from test_gru import (
    BOUND,
    CELLS,
    ROUNDS,
    names_at_work,
    rounds_needed,
    told_rounds,
    train_lstm,
)

SEEDS = (3, 4, 5)


names = pytest.fixture(names_at_work, scope="module")


def test_both_ways_and_one_with_every_seed(names):
    told = re.search(r"the other at (.*) of them", CELLS["train-why"])[1]
    shares = [float(share) for share in re.findall(r"0\.\d+", told)]
    for seed, share in zip(SEEDS, shares, strict=True):
        assert names["train_brackets"](1, seed)[-1] == pytest.approx(share, abs=0.01)
        assert names["train_brackets"](1, seed)[-1] <= BOUND
        assert names["train_brackets"](2, seed)[-1] > 0.99


@pytest.mark.parametrize("rate", told_rounds())
def test_rounds_of_both_networks(names, rate):
    low, high, lstm_low, lstm_high = told_rounds()[rate]
    for seed in SEEDS:
        gru = rounds_needed(names["train_marks"](rate, seed, 160))
        assert low - ROUNDS <= gru <= high + ROUNDS, seed
        lstm = rounds_needed(train_lstm(rate, seed, 160))
        assert lstm_low - ROUNDS <= lstm <= lstm_high + ROUNDS, seed


def test_the_rate_that_is_too_high(names):
    """With some of the seeds, neither network has learned it after 100 rounds."""
    for losses in (
        [names["train_marks"](0.32, s) for s in SEEDS],
        [train_lstm(0.32, s) for s in SEEDS],
    ):
        assert max(each[-1] for each in losses) > 0.1


def test_the_rates_that_were_tried():
    tried = [float(rate) for rate in re.findall(r"0\.\d\d", CELLS["marks-text"])]
    assert tried == [*told_rounds(), 0.32]
    best = [
        min(told_rounds(), key=lambda rate: sum(told_rounds()[rate][k : k + 2])) for k in (0, 2)
    ]
    assert best == [0.16, 0.16]
