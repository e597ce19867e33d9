"""`new` and `example`: what they write can be checked, proved, released and marked as it stands."""

import json
import re
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest

from grading.authoring.check import check_assignment
from grading.authoring.example import expected_lines
from grading.authoring.new import make_assignment
from grading.authoring.prove import prove_tests
from grading.authoring.start import start_course
from grading.cli import console, main, nursery_for_author
from grading.demo import make_course
from grading.rooms.notebook import Cell, names_of_student, names_used
from grading.source import enter_course, read_source
from grading.source.names import names_in

ROOT = Path(__file__).parents[1]
LIKE = "rnn_lstm_forward"


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """Return a copy of the course, with a new assignment that is like an old one."""
    root = tmp_path_factory.mktemp("course") / "rnn"
    make_course(ROOT, root)
    make_assignment(root, "gru", ["gru_cell_forward", "gru_forward"], LIKE)
    return root


def call(monkeypatch, course, *arguments):
    """Run a command; return its exit code."""
    monkeypatch.chdir(course)
    monkeypatch.setattr(sys, "argv", ["grading", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    return end.value.code


def test_new_assignment_is_in_order_and_its_tests_are_proved(course, monkeypatch):
    monkeypatch.chdir(course)
    with nursery_for_author("gru") as rooms:
        assert check_assignment(enter_course(), "gru", rooms) == []
        proofs = list(prove_tests(read_source("gru"), rooms, b"a secret of tests"))
    assert {proof.name: proof.problems for proof in proofs if proof.problems} == {}
    assert {"solution", "mean_of_columns", "negative_axis", "untouched"} < {p.name for p in proofs}


def test_new_assignment_is_like_the_other_one(course):
    """Set-up, helper modules and headings are taken over, but the title; links are relative."""
    folder, other = (course / "source" / name for name in ("gru", LIKE))
    links = {path.name: path.readlink() for path in folder.glob("*.py")}
    assert links == {name: Path("..", "..", name) for name in ("rnn_checks.py", "rnn_utils.py")}
    made, known = (
        {cell.id: cell.source for cell in nbformat.read(f / f"{f.name}.ipynb", 4).cells}
        for f in (folder, other)
    )
    assert made["setup"] == known["setup"]
    assert re.search(r"FIGURES = (.*)", made["fetch"])[1] == '["idea.svg"]'
    assert made["title"] == "# Gru\n\n..."
    assert made["what-you-need"] == "### Before you start\n\n..."
    text = (folder / "gru.ipynb").read_text("utf-8")
    assert text == json.dumps(json.loads(text), indent=1, ensure_ascii=False) + "\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gru", "f"], "gru: there is a source/gru already; choose another"),
        (["a b", "f"], "a b: an assignment's name begins with a letter, and has letters, digits"),
        (["../up", "f"], "../up: an assignment's name begins with a letter"),
        (["gru2", "1f"], "1f: not a name that a Python function can have"),
        (["gru2", "class"], "class: not a name that a Python function can have"),
        (["gru2", "f", "f"], "f: named twice"),
        (["gru2", "test"], "test: the notebook uses this name itself; choose another"),
        (["gru2", "check_f"], "check_f: the notebook uses this name itself; choose another"),
        (["gru2", "f", "--like", "lstm"], "lstm: there is no source/lstm/lstm.ipynb"),
    ],
)
def test_what_cannot_be_made_is_refused_in_a_line(course, monkeypatch, capsys, arguments, said):
    before = {path.name for path in (course / "source").iterdir()}
    assert call(monkeypatch, course, "new", *arguments) == 1
    told = capsys.readouterr().err
    assert told.startswith(said)
    assert told.count("\n") == 1
    assert {path.name for path in (course / "source").iterdir()} == before


RETURNS = {
    "array": ("np.arange(8.0).reshape(2, 2, 2) / 3", "y", ['"y[1][1]"', "2.33333333"]),
    "integers": ("np.arange(3)", "y", ["y=np.dtype(int)", '"y", [0, 1, 2])']),
    "truth": ("np.eye(2) > 0", "y", ["y=np.dtype(bool)", '"y[1]", [False, True])']),
    "texts": ("['a', 'bc']", "y", ["y=list", "\"y[1]\", 'bc')"]),
    "array of texts": ("np.array(['a', 'bc'])", "y", ["y=np.dtype(str)", "\"y\", ['a', 'bc'])"]),
    "tuple with a cache": (
        "np.ones((2, 3)), (np.eye(2), 4.0)",
        "y, cache",
        ["y=np.ndarray, cache=tuple", "y=(2, 3)", '"cache[1]", 4.0)', 'assert_length("cache", 2)'],
    ),
    "shapes that fill more than a line": (
        "(np.ones((2, 3)),) * 9",
        "a, b, c, d, e, f, g, h, longer",
        [f"{name}=(2, 3)" for name in ("a", "b", "c", "d", "e", "f", "g", "h", "longer")],
    ),
    "scalar": ("1 / 3", "loss", ["loss=float", '"loss", 0.3333333333333333)']),
    "numpy scalar": ("np.float64(0.5)", "loss", ["loss=float", '"loss", 0.5)']),
    "text": ("'abc'", "name", ["name=str", "\"name\", 'abc')"]),
    "dict": ("{'dx': np.ones(2), 'n': 3}", "gradients", ['"dx", [1.0, 1.0])', '"n", 3)']),
}


@pytest.mark.parametrize("kind", RETURNS)
def test_expected_lines_are_those_that_the_solution_passes(tmp_path, monkeypatch, kind):
    """Pasted as they are printed, they tick; of each kind of value that a function returns."""
    value, names, said = RETURNS[kind]
    (tmp_path / "nbgrader_config.py").write_text("")
    make_assignment(tmp_path, "kinds", ["f"])
    path = tmp_path / "source" / "kinds" / "kinds.ipynb"
    notebook = nbformat.read(path, 4)
    by_id = {cell.id: cell for cell in notebook.cells}
    keys = ', keys="dx, n"' if kind == "dict" else ""
    by_id["f"].source = f"def f(x):\n    return {value}"
    by_id["check-f"].source = f'test = FunctionTest(f, "{names}"{keys})\ntest.call(x=1)'
    nbformat.write(notebook, path)
    lines = expected_lines(read_source("kinds", tmp_path), "f")
    printed = "\n".join(lines)
    assert max(map(len, lines)) <= 79
    for part in said:
        assert part in printed
    source = read_source("kinds", tmp_path)
    names = source.namespace()
    with source.importing():
        exec(by_id["check-f"].source + "\n" + printed, names)
    assert names["test"].wrong
    assert not any(names["test"].wrong.values())


def test_names_in_a_comprehension_are_no_names_of_its_cell():
    """In Python 3.12 and newer neither: a cell that others need is not run for its loops."""
    names = names_in("total = [n for n in row]\npairs = {k: {v for v in w} for k, w in total}")
    assert (names.binds, names.uses) == ({"total", "pairs"}, {"row", "total"})
    test = Cell("test_f", "print([n for n in f(1)])", "test")
    assert names_of_student(test, set(), {"row"}) == ("f",) and names_used(test).own == set()


def test_example_prints_what_the_check_of_a_notebook_holds(course, monkeypatch, capsys):
    assert call(monkeypatch, course, "example", LIKE, "rnn_cell_forward") == 0
    printed = re.findall(r"-?\d+\.\d+", capsys.readouterr().out)
    check = read_source(LIKE, course).examples["check_rnn_cell_forward"]
    np.testing.assert_array_equal(printed, re.findall(r"-?\d+\.\d+", check))
    assert call(monkeypatch, course, "example", LIKE, "rnn_cell") == 1
    assert "no locked code cell `check_rnn_cell`" in capsys.readouterr().err


def test_start_makes_a_course_of_the_assignments_and_overwrites_nothing(
    tmp_path, monkeypatch, capsys
):
    made = tmp_path / "course"
    start_course(made)
    for path in ROOT.glob("source/*/*"):
        if path.is_file():
            assert (made / path.relative_to(ROOT)).read_bytes() == path.read_bytes(), path
    monkeypatch.chdir(made)
    for name in ("rnn_lstm_forward", "rnn_lstm_backward"):  # helper modules are one file, linked
        assert (made / "source" / name / "rnn_utils.py").resolve() == made / "rnn_utils.py"
        assert read_source(name).hashes_of_tests == read_source(name, ROOT).hashes_of_tests
    monkeypatch.setattr(sys, "argv", ["grading", "start", "."])
    with pytest.raises(SystemExit, match="1"):
        main()
    assert capsys.readouterr().err == ". is not empty: name a new folder for the course\n"
    monkeypatch.setattr(console, "quiet", True)  # as a command before in this process was told
    monkeypatch.setattr(sys, "argv", ["grading", "start", str(tmp_path / "another")])
    with pytest.raises(SystemExit, match="0"):
        main()
    assert "rnn_lstm_forward" in capsys.readouterr().out
