"""What an instructor does who knows nbgrader: `release`, then `grade`, and points or one line."""

import shutil

import nbformat
import pytest
from assignments import TEST, code, function, hand_in, notebook, write
from nbformat.v4 import new_raw_cell
from test_check import call
from test_several_notebooks import table

from grading.source import enter_course

NAME, COPY = "homework", "homework2"
MORE = TEST.format(name="double", points=1).replace("hidden_rng(3)", "abs(hidden_rng(4)")
MORE = MORE.replace("((3, 4))", "((3, 4)))")
ANSWERS = {
    "twice": "def double(x):\n    return 2 * x\n",
    "thrice": "def double(x):\n    return 3 * x\n",
    "positive_alone": "def double(x):\n    return 2 * np.abs(x)\n",
    "pass_alone": "def double(x):\n    pass\n",
}

PAGE = f"feedback/twice/{NAME}/first.html"
NOTHING = dict.fromkeys(ANSWERS, (0, 0))


@pytest.fixture
def course(tmp_path, monkeypatch):
    """An assignment with two tests of one function, and a copy of it with another solution."""
    more = code("test_double_more", MORE, points=5)
    raw = new_raw_cell("as it <is>", id="raw")
    doubles = notebook("Doubles", function("double", "2 * x", 20), [more, raw])
    write(tmp_path, NAME, first=doubles)
    shutil.copytree(tmp_path / "source" / NAME, tmp_path / "source" / COPY)
    edit(tmp_path, "double", "2 * x", "3 * x")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def edit(course, name, old, new):
    """Edit a cell of the copy."""
    path = course / "source" / COPY / "first.ipynb"
    source = nbformat.read(path, as_version=4)
    cell = next(cell for cell in source.cells if cell.id == name)
    assert old in cell.source
    cell.source = cell.source.replace(old, new)
    nbformat.write(source, path)


def points(course, monkeypatch, assignment):
    """Mark by the command; return what each earns in both tests."""
    assert call(monkeypatch, "grade", assignment) == 0
    rows = table(course, assignment)
    return {s: (float(r["double"]), float(r["double_more"])) for s, r in rows.items()}


def test_each_edit_earns_what_it_should_or_is_a_line(course, monkeypatch, capsys):
    for assignment in (NAME, COPY):
        assert call(monkeypatch, "release", assignment) == 0
        for student, answer in ANSWERS.items():
            hand_in(course, assignment, student, {"double": answer})
    own = points(course, monkeypatch, NAME)
    assert own == {**NOTHING, "twice": (20, 5), "positive_alone": (0, 5)}
    assert "<pre>as it &lt;is&gt;</pre>" in (course / PAGE).read_text("utf-8")
    assert points(course, monkeypatch, COPY) == {**NOTHING, "thrice": (20, 5)}  # its own solution

    # a typo in a hidden test, and a helper that is not in the folder
    edit(course, "test_double_more", "hidden_rng(4)", "hiden_rng(4)")
    edit(course, "setup", "import numpy", "import beside\nimport numpy")
    (course / "beside.py").write_text("A = 1")
    capsys.readouterr()
    fault = "test_double_more: the solution itself does not pass: line 6: stops with NameError: "
    assert call(monkeypatch, "release", COPY) == 1
    assert fault in " ".join(capsys.readouterr().out.split())
    assert fault in enter_course().generate_assignment(COPY, force=True)["log"]
    assert call(monkeypatch, "grade", COPY) == 1
    assert "(setup, test_double_more); publish it again" in capsys.readouterr().err
    edit(course, "test_double_more", "hiden_rng(4)", "hidden_rng(4)")
    assert call(monkeypatch, "release", COPY) == 1
    assert "No module named 'beside'" in " ".join(capsys.readouterr().out.split())
