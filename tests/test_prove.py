"""The table of mistakes proves the tests of every assignment."""

from collections import Counter
from pathlib import Path

import pytest
from hostile import SUBMISSIONS
from ours import ASSIGNMENTS
from scratch import NAME, SOLUTION, TEST, cell, configure, write_source

from grading.authoring import prove
from grading.authoring.prove import prove_tests
from grading.cli import converter_of, open_nursery
from grading.source import course_root, read_source

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


def test_tests_that_keep_no_record_are_proved_as_far_as_they_can(tmp_path, monkeypatch):
    cells = [
        cell("cell-1a", SOLUTION, solution=True),  # as JupyterLab calls it
        cell("cell-2b", "assert double(2) == 4", grade=True, locked=True, points=5),
        cell("cell-3c", TEST, grade=True, locked=True, points=10),
    ]
    write_source(tmp_path / "source" / NAME, cells)
    configure(tmp_path, "")
    monkeypatch.chdir(tmp_path)
    with open_nursery(converter_of(NAME, unprotected=False)) as rooms:
        proofs = list(prove_tests(read_source(NAME), rooms, b"a secret of tests"))
    assert {proof.name: proof.problems for proof in proofs} == {"solution": [], "untouched": []}
