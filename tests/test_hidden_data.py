"""The sets of hidden data: one secret, chosen by the code alone, and all can be asked for."""

from __future__ import annotations

import hashlib
import pickle
import re
import shutil
import stat
from pathlib import Path

import nbformat
import numpy as np
import pytest
from typer.testing import CliRunner

from grading.authoring.release import known_mistakes
from grading.cli import app
from grading.demo import plain
from grading.marking.hidden_data import SECRET, SETS, choose, read_secret, sets_of
from grading.marking.naming import Given, Outcomes
from grading.marking.solution import mark_solution
from grading.source import course_root, read_assignment, read_source
from grading.source.cells import with_answers

ROOT = course_root(Path(__file__).parent)
ASSIGNMENT = "rnn_lstm_forward"
CODE = "def f(x):\n    y = x + 1\n    return y\n"


@pytest.mark.parametrize(
    "same",
    [
        "# begin\n" + CODE,
        CODE.replace("x + 1\n", "x  +  1  # one more\n"),
        CODE.replace("    return", "\n\n    # all\n    return"),
    ],
)
def test_comments_and_layout_choose_no_other_set(same):
    for secret in (b"%d" % number for number in range(20)):
        assert choose(secret, [same, "b"]) == choose(secret, [CODE, "b"])


def test_other_code_and_another_secret_may_choose_another():
    others = [CODE.replace("1", str(number)) for number in range(40)]
    assert {choose(b"secret", [other]) for other in others} == set(range(SETS))
    assert {choose(b"%d" % number, [CODE]) for number in range(40)} == set(range(SETS))


def test_the_secret_is_made_once_and_for_its_owner(tmp_path):
    secret = read_secret(tmp_path)
    assert len(secret) >= 32
    assert read_secret(tmp_path) == secret
    assert stat.S_IMODE((tmp_path / SECRET).stat().st_mode) == 0o600
    assert sets_of(secret)[0].entropy != sets_of(b"another")[0].entropy
    assert secret.decode() not in str(sets_of(secret)[0])


def test_sets_differ_in_all_that_tests_give(tmp_path):
    source = read_source(ASSIGNMENT, ROOT)
    wrong = source.answers["rnn_cell_forward"].replace("np.tanh(", "1.5 * np.tanh(")
    seen, made = [], []
    for data in sets_of(b"secret"):
        outcomes = Outcomes(source, data)
        for each in (outcomes, outcomes.twin):
            mark_solution(each)
            seen.append({given.digest for given, _ in each.main_calls.values()})
            found = mark_solution(each, rnn_cell_forward=wrong)
            made.append(found["test_rnn_cell_forward"].made)
    assert all(len(each) == 4 for each in seen)
    assert len(set.union(*seen)) == 4 * (SETS + 1)
    assert seen[1] == seen[3]  # what earns nothing is the same for all sets,
    assert made[1] == made[3]  # so that the same mistake is known again
    assert len(set(made)) == SETS + 1
    others = Outcomes(source, sets_of(b"another")[0]).twin
    found = mark_solution(others, rnn_cell_forward=wrong)
    assert found["test_rnn_cell_forward"].made not in made  # and is keyed with the secret


def test_an_appeal_shows_every_set_and_changes_nothing(released, tmp_path, monkeypatch):
    course = tmp_path / "course"
    shutil.copytree(released, course)
    source = read_source(ASSIGNMENT, ROOT)
    wrong = next(v for v in source.versions if v.name == "softmax_over_examples")
    answers = plain({**source.answers, wrong.function: wrong.text})
    folder = course / "submitted" / "ada" / ASSIGNMENT
    folder.mkdir(parents=True)
    nbformat.write(with_answers(source.notebook, answers), folder / f"{ASSIGNMENT}.ipynb")
    monkeypatch.chdir(course)
    runner = CliRunner()
    assert runner.invoke(app, ["grade", ASSIGNMENT]).exit_code == 0
    before = contents(course)
    shown = runner.invoke(app, ["grade", ASSIGNMENT, "--all-sets", "ada"])
    assert shown.exit_code == 0
    rows = [line.split() for line in shown.output.splitlines() if line.strip().startswith("ada")]
    assert [row[1:5] for row in rows] == [
        ["set", str(n + 1), "of", f"{SETS},"] for n in range(SETS)
    ]
    assert len({tuple(row[-5:]) for row in rows}) == 1  # the points: the same in every set
    assert contents(course) == before


def contents(folder: Path) -> dict[str, str]:
    """Return a hash of each file, without what SQLite and Python leave beside."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.name != ".grading.lock"
    }


def test_a_mistake_in_a_cache_is_known_where_it_shows():
    source = read_source("lstm_fused_gates", ROOT)
    (version,) = [v for v in source.versions if v.name == "new_hidden_state_in_the_cache"]
    assert (version.function, version.shows_in) == ("lstm_step_forward", "lstm_step_backward")
    assert version in source.mistakes_of_others("lstm_step_backward")
    assert version not in source.mistakes("lstm_step_forward")
    assert version.sentence in known_mistakes(read_assignment("lstm_fused_gates", ROOT)).decode()


def drawn_once(outcomes):
    """Return all that was drawn from seeds and sizes alone, as bytes."""
    of_calls = Given, tuple
    known = {k: v for k, v in outcomes._known.items() if not isinstance(k[1], of_calls)}
    with outcomes.source.importing():
        return {key: pickle.dumps(value) for key, value in known.items()}


@pytest.mark.parametrize("assignment", ["rnn_lstm_backward", "char_lstm"])
def test_no_version_changes_the_inputs_that_tests_share(assignment):
    """They are drawn once for each set: what one changed, all that come later would be given."""
    source = read_source(assignment, ROOT)
    outcomes = Outcomes(source, sets_of(b"a secret")[0])
    mark_solution(outcomes)
    shared = drawn_once(outcomes)
    assert shared
    in_place = [v for v in source.versions if re.search(r"^ +\w+ [-+*/]= ", v.text, re.MULTILINE)]
    for version in [*in_place[:6], *source.versions[:2]]:
        with np.errstate(all="ignore"):
            mark_solution(outcomes, **{version.function: version.text})
    assert drawn_once(outcomes) == shared
