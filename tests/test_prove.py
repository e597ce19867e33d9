"""The table of mistakes proves the tests of every assignment."""

import sys
from collections import Counter
from pathlib import Path

import pytest
from hostile import SUBMISSIONS
from ours import ASSIGNMENTS
from scratch import NAME, SOLUTION, TEST, cell, configure, write_source

from grading.authoring import prove
from grading.authoring.prove import prove_tests
from grading.cli import converter_of, main, open_nursery
from grading.source import course_root, read_source
from grading.tables import proof_table

ROOT = course_root(Path(__file__).parent)


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_every_promise_holds(assignment, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(prove, "SAMPLE", 72)  # as the command does, with fewer rooms and sets:
    monkeypatch.setattr(prove, "OTHER_SETS", 12)  # each mistake once, each right version twice
    source = read_source(assignment)
    with open_nursery(converter_of(assignment, unprotected=False)) as rooms:
        proofs = list(prove_tests(source, rooms, b"a secret of tests"))
    assert [proof.name for proof in proofs] == [
        "solution",
        *(version.name for version in source.versions),
        *["zeros", "ones", "inputs", "none"] * len(source.answers),
        "untouched",
    ]
    assert {proof.name: proof.problems for proof in proofs if proof.problems} == {}


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_every_function_has_mistakes_and_right_versions(assignment):
    versions = read_source(assignment, ROOT).versions
    mistakes = Counter(version.function for version in versions if version.is_mistake)
    right = Counter(version.function for version in versions if not version.is_mistake)
    assert len(mistakes) == len(right) == 4
    assert min(mistakes.values()) >= 12
    assert min(right.values()) >= 6


def test_readme_counts_the_table_and_the_attacks():
    sources = [read_source(name, ROOT) for name in ASSIGNMENTS]
    forms = [(s.name, v.function, v.name) for s in sources for v in s.versions if v.is_mistake]
    readme = (ROOT / "README.md").read_text("utf-8")
    assert f"**{len(set(forms)):,} named mistakes**, in {len(forms):,} forms" in readme
    assert f"Of {len(SUBMISSIONS)} hostile submissions" in readme
    assert f"holds {len(SUBMISSIONS)} submissions" in (ROOT / "SECURITY.md").read_text("utf-8")


def write_course(root, cells):
    """Write a course of one assignment."""
    write_source(root / "source" / NAME, cells)
    configure(root, "")


def proofs_in(root, monkeypatch, in_all_sets=False):
    """Prove the tests of the assignment of a course."""
    monkeypatch.chdir(root)
    with open_nursery(converter_of(NAME, unprotected=False)) as rooms:
        return list(prove_tests(read_source(NAME), rooms, b"a secret", in_all_sets))


def test_tests_that_keep_no_record_are_proved_as_far_as_they_can(tmp_path, monkeypatch):
    cells = [
        cell("cell-1a", SOLUTION, solution=True),  # as JupyterLab calls it
        cell("cell-2b", "assert double(2) == 4", grade=True, locked=True, points=5),
        cell("cell-3c", TEST, grade=True, locked=True, points=10),
    ]
    write_course(tmp_path, cells)
    proofs = proofs_in(tmp_path, monkeypatch)
    assert {proof.name: proof.problems for proof in proofs} == {"solution": [], "untouched": []}


ZSCORE = """\
def zscore(x):
    ### BEGIN SOLUTION
    return (x - x.mean()) / x.std()
    ### END SOLUTION"""
HALF = """\
def half(n):
    ### BEGIN SOLUTION
    return n / 2
    ### END SOLUTION"""
ASSERTS = """\
x = np.array([1.0, 2.0, 6.0])
assert abs(zscore(x=x).mean()) < 1e-9
### BEGIN HIDDEN TESTS
assert abs(zscore(x).std() - 1) < 1e-9
### END HIDDEN TESTS"""
COUNTS = "found = [half(n) == n / 2 for n in (4, 6)]\n(\n  2 * sum(found)  # of 4\n)"
OF_PLAIN = """\
zscore:
  mistakes:
    not_divided:
      sentence: The distances are not divided by anything.
      edits: [{find: " / x.std()", replace: ""}]
    unseen:
      sentence: It is so.
      edits: [{find: "x.mean()", replace: "x.mean(axis=0)"}]
  correct:
    by_numpy:
      edits: [{find: "x.mean()", replace: "np.mean(x)"}]
    by_variance:
      edits: [{find: "x.std()", replace: "x.var()"}]
half:
  mistakes:
    two_less:
      sentence: Half is not two less.
      edits: [{find: "n / 2", replace: "n - 2"}]
"""


def write_plain(root):
    """Write an assignment whose tests keep no record, and a MarkedTest behind them."""
    cells = [
        cell("setup", "import numpy as np", locked=True),
        cell("zscore", ZSCORE, solution=True),
        cell("check_zscore", "assert zscore(np.array([1.0, 3.0]))[1] == 1", locked=True),
        cell("shown", "mean = zscore(np.array([1.0, 3.0])).mean()\nassert mean == 0", locked=True),
        cell("test_zscore", ASSERTS, grade=True, locked=True, points=5),
        cell("half", HALF, solution=True),
        cell("test_half", COUNTS, grade=True, locked=True, points=4),
        cell("double", SOLUTION, solution=True),
        cell("test_double", TEST, grade=True, locked=True, points=10),
    ]
    write_course(root, cells)
    (root / "source" / NAME / "mistakes.yaml").write_text(OF_PLAIN)


@pytest.mark.parametrize("in_all_sets", [False, True])
def test_plain_tests_are_put_to_every_version(tmp_path, monkeypatch, in_all_sets):
    """One that stops, as stock nbgrader marks it, has lost its points; the last value counts."""
    write_plain(tmp_path)
    proofs = proofs_in(tmp_path, monkeypatch, in_all_sets)
    said = {proof.name: str(proof.problems) for proof in proofs if proof.problems}
    assert said.keys() == {"unseen", "by_variance"}
    assert "zscore: loses no points" in said["unseen"]
    assert "zscore: 0 of 5 points; line 4: stops with AssertionError" in said["by_variance"]
    earned = {p.name: {m.function: m.points for m in p.marks} for p in proofs}
    assert earned["solution"] == {"zscore": 5, "half": 4, "double": 10}
    assert earned["not_divided"]["zscore"] == 0
    assert earned["two_less"]["half"] == 2
    blank = [proof for proof in proofs if proof.name == "zeros"]
    assert [proof.function for proof in blank] == ["zscore", "half", "double"]
    rows = [[*column.cells] for column in proof_table(proofs).columns]
    two_less = rows[1].index("two_less")
    assert [rows[column][two_less] for column in (0, 3)] == ["half", "2"]


def test_zeros_that_earn_points_in_a_plain_test_are_found(tmp_path, monkeypatch):
    cells = [
        cell("half", HALF, solution=True),
        cell("test_half", "assert half(0) == 0", grade=True, locked=True, points=4),
    ]
    write_course(tmp_path, cells)
    proofs = proofs_in(tmp_path, monkeypatch)
    assert "half: 4 points for nothing" in str({p.name: p.problems for p in proofs}["zeros"])


FAR = """\
def far(x):
    ### BEGIN SOLUTION
    return abs(x - x.mean()) > x.std()
    ### END SOLUTION"""
TEST_FAR = """\
from grading.testing import MarkedTest, hidden_rng

test = MarkedTest(far, "outside", points={
    "types": 1, "shapes": 1, "outside": 6, "arguments": 1, "second call": 1})
test.call(x=hidden_rng(1).standard_normal((6, 7)))
test.assert_all()
test.score()"""


def test_truth_values_may_be_zero_or_one(tmp_path, monkeypatch):
    cells = [
        cell("far", FAR, solution=True),
        cell("test_far", TEST_FAR, grade=True, locked=True, points=10),
    ]
    write_course(tmp_path, cells)
    proofs = proofs_in(tmp_path, monkeypatch)
    assert {proof.name: proof.problems for proof in proofs if proof.problems} == {}
    assert {proof.name for proof in proofs} > {"zeros", "ones", "inputs", "none"}


def test_broken_promises_are_said_with_their_versions_and_what_to_do(tmp_path, monkeypatch, capsys):
    write_plain(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["grading", "prove", NAME])
    with pytest.raises(SystemExit) as end:
        main()
    said = capsys.readouterr()
    assert end.value.code == 1
    assert said.err.endswith(f"{NAME}: 2 of 19 versions break a promise\n")
    told = said.out.splitlines()
    below = told.index("The solution and every right version must earn all points:") + 1
    assert told[below].startswith("  zscore, by_variance: set 1: zscore: 0 of 5 points; line 4: ")
    below = told.index("A mistake must lose points of its own function alone, and be named:") + 1
    assert told[below] == "  zscore, unseen: set 1: zscore: loses no points"
    assert told[below + 1].startswith("  To do: add a check to the hidden test that tells it apart")
    unproved = "mistakes.yaml lists no mistake of it; that a test finds one is not proved"
    assert [line for line in told if "not proved" in line] == [f"{NAME}, double: {unproved}"]
