"""The student versions: what the command makes is what is committed, and they tell no secret."""

import base64
import importlib
import inspect
import json
import linecache
import subprocess
import sys
import types
from pathlib import Path

import pytest
from conftest import shorten_table
from ours import ASSIGNMENTS, secrets

from grading.authoring.leaks import scan
from grading.authoring.release import make_release
from grading.cli import main
from grading.demo import make_course
from grading.marking.current import marking
from grading.marking.naming import Outcomes
from grading.source import course_root, read_source

ROOT = course_root(Path(__file__).parent)
ASSIGNMENT = "rnn_lstm_forward"  # the one that secrets are planted in
SAID_ALOUD = "test.assert_arguments_unchanged()"  # hidden here, a visible check there
each_assignment = pytest.mark.parametrize("assignment", ASSIGNMENTS)


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """Return a copy of the course."""
    folder = tmp_path_factory.mktemp("course") / "rnn"
    make_course(ROOT, folder)
    return folder


@pytest.fixture
def release(monkeypatch):
    """Return the command that releases an assignment of a course; it returns its exit code."""

    def command(course, assignment):
        monkeypatch.chdir(course)
        monkeypatch.setattr(sys, "argv", ["grading", "release", assignment])
        with pytest.raises(SystemExit) as end:
            main()
        return end.value.code

    return command


def files(folder):
    return {
        path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@each_assignment
def test_committed_release_is_what_the_source_gives(
    course, released, assignment, release, monkeypatch
):
    if assignment == "lstm_fused_gates":  # one of them with all that `check` does before
        assert release(course, assignment) == 0
    elif assignment == ASSIGNMENT:  # which other tests have released
        course = released
    else:
        monkeypatch.chdir(course)
        assert make_release(assignment) == []
    made = files(course / "release" / assignment)
    assert made == files(ROOT / "release" / assignment)
    assert not [path for path in made if path.name in ("mistakes.yaml", "draw.py", "figures.yaml")]
    assert not [path for path in made if "zh" in path.parts]
    translated = files(course / "release-zh" / assignment)
    assert translated == files(ROOT / "release-zh" / assignment)
    assert translated.keys() == made.keys()


DRAW = """
import runpy, sys
for sys.argv in map(list, zip(sys.argv[1::2], sys.argv[2::2])):
    runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Return a folder in which each assignment's code has drawn, in one process."""
    folder = tmp_path_factory.mktemp("drawn")
    places = {ROOT / "source" / name / "figures" / "draw.py": folder / name for name in ASSIGNMENTS}
    for place in places.values():
        place.mkdir()
    orders = [each for order in places.items() for each in order]
    subprocess.run([sys.executable, "-c", DRAW, *orders], check=True)
    return folder


@each_assignment
def test_figures_are_what_their_code_draws(drawn, assignment):
    figures = ROOT / "source" / assignment / "figures"
    wanted = files(figures)
    for table in figures.parent.glob("*/figures.yaml"):
        place = Path("translated", table.parent.name, "figures")
        wanted |= {place / path: data for path, data in files(table.parent / "figures").items()}
    assert files(drawn / assignment) == {
        p: data for p, data in wanted.items() if p.suffix == ".svg"
    }


@each_assignment
def test_release_tells_no_secret(assignment):
    for release in ("release", "release-zh"):
        assert scan(ROOT / release / assignment, secrets(assignment)) == []


@each_assignment
def test_release_tells_no_secret_of_another_assignment(assignment):
    for other in set(ASSIGNMENTS) - {assignment}:
        still_secret = secrets(other).without(SAID_ALOUD)
        assert scan(ROOT / "release" / assignment, still_secret) == [], other


def released_functions():
    """Return the functions of all modules that students get."""
    released = (ROOT / "release" / assignment for assignment in ASSIGNMENTS)
    modules = {path.stem for folder in released for path in folder.glob("*.py")}
    return [
        function
        for module in map(importlib.import_module, sorted(modules))
        for function in vars(module).values()
        if inspect.isfunction(function) and function.__module__ == module.__name__
    ]


def pasted(function, name):
    """Return the function as it is under another name, from a cell of its own."""
    cell = f"<{function.__module__}.{function.__name__}>"
    lines = inspect.getsourcelines(function)[0]
    linecache.cache[cell] = len(lines), None, lines, cell
    code = function.__code__.replace(co_filename=cell, co_firstlineno=1)
    parts = function.__globals__, name, function.__defaults__, function.__closure__
    copy = types.FunctionType(code, *parts)
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy


@each_assignment
def test_no_released_function_earns_points_as_an_answer(assignment):
    source = read_source(assignment, ROOT)
    outcomes = Outcomes(source)
    for name in source.answers:
        names = source.namespace()
        with source.importing():
            for cell, text in source.examples.items():
                exec(compile(text, f"<{cell}>", "exec"), names)
        arguments = inspect.signature(names[name]).parameters
        for function in released_functions():
            try:
                inspect.signature(function).bind(*arguments)
            except TypeError:
                continue  # it cannot be called so
            names[name] = pasted(function, name)
            with marking(outcomes) as results:
                exec(compile(source.tests[f"test_{name}"], f"<test_{name}>", "exec"), names)
            (result,) = results
            assert result.function == name
            assert result.points == 0, f"{function.__module__}.{function.__name__} as {name}"


def as_notebook(where, text):
    cell = {"cell_type": "code", "source": "", "metadata": {}, "outputs": []}
    if where == "source":
        cell["source"] = text.splitlines(keepends=True)
    elif where == "output":
        cell["outputs"] = [{"output_type": "stream", "text": [text]}]
    elif where == "metadata":
        cell["metadata"] = {"note": {"deep": text}}
    elif where == "attachment":
        data = base64.b64encode(text.encode()).decode()
        cell["attachments"] = {"a.svg": {"image/svg+xml": data}}
    return json.dumps({"cells": [cell], "metadata": {}})


@pytest.mark.parametrize("where", ["source", "output", "metadata", "attachment", "helper file"])
@pytest.mark.parametrize("kind", ["solution line", "hidden test line", "expected value"])
def test_scan_finds_a_secret_wherever_it_stands(tmp_path, where, kind):
    hidden = secrets(ASSIGNMENT)
    text = {
        "solution line": "   a_next  = np.tanh(Waa @ a_prev + Wax @ xt + ba)",
        "hidden test line": "test.call(**rnn_inputs(seed=21, n_x=4, n_a=6, n_y=3, m=5, T_x=7))",
        "expected value": f"about {hidden.values[100]:.9g}",
    }[kind]
    name, content = (
        ("notes.py", text) if where == "helper file" else ("a.ipynb", as_notebook(where, text))
    )
    (tmp_path / name).write_text(content)
    assert len(scan(tmp_path, hidden)) >= 1


def test_command_fails_where_a_secret_is_released(tmp_path, release, capsys):
    course = tmp_path / "course"
    make_course(ROOT, course)
    shorten_table(course / "source" / ASSIGNMENT)
    (course / "source" / ASSIGNMENT / "notes.txt").write_text(
        "yt_pred = softmax(Wya @ a_next + by)"
    )
    assert release(course, f"{ASSIGNMENT}/") == 1
    said = capsys.readouterr()
    assert (
        "notes.txt: students would see the line `yt_pred = softmax(Wya @ a_next + by)`" in said.out
    )
    assert "Traceback" not in said.err
