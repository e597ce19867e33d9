"""The table of mistakes proves the tests of every assignment."""

from collections import Counter
from pathlib import Path

import pytest

from grading.authoring.prove import prove
from grading.source.assignment import course_root
from grading.source.mistakes import read_versions

ROOT = course_root(Path(__file__).parent)
ASSIGNMENTS = sorted(path.parent.name for path in ROOT.glob("source/*/*.ipynb"))


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_every_promise_holds(assignment, monkeypatch):
    monkeypatch.chdir(ROOT)
    broken = {proof.name: proof.problems for proof in prove(assignment) if proof.problems}
    assert broken == {}


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_every_function_has_mistakes_and_right_versions(assignment):
    versions = read_versions(assignment, ROOT)
    mistakes = Counter(version.function for version in versions if version.is_mistake)
    right = Counter(version.function for version in versions if not version.is_mistake)
    assert len(mistakes) == len(right) == 4
    assert min(mistakes.values()) >= 12
    assert min(right.values()) >= 6
