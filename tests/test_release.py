"""The student version: what the commands make is what is committed, and it tells no secret."""

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

from grading.demo import make_course
from grading.leaks import scan, secrets_of
from grading.solution import course_root

ROOT = course_root(Path(__file__).parent)
ASSIGNMENT = "rnn_lstm_forward"


@pytest.fixture(scope="module")
def secrets():
    return secrets_of(ASSIGNMENT, ROOT)


def files(folder):
    return {
        path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_committed_release_is_what_the_source_gives(tmp_path):
    make_course(ROOT, tmp_path / "course")
    command = [sys.executable, "-m", "grading", "release", ASSIGNMENT]
    subprocess.run(command, cwd=tmp_path / "course", check=True, capture_output=True)
    made = files(tmp_path / "course" / "release" / ASSIGNMENT)
    assert made == files(ROOT / "release" / ASSIGNMENT)
    assert not [path for path in made if path.name in ("mistakes.yaml", "draw.py")]


def test_figures_are_what_their_code_draws(tmp_path):
    figures = ROOT / "source" / ASSIGNMENT / "figures"
    subprocess.run([sys.executable, figures / "draw.py", tmp_path], check=True)
    drawn = files(tmp_path)
    assert drawn == {path: data for path, data in files(figures).items() if path.suffix == ".svg"}


def test_release_tells_no_secret(secrets):
    assert scan(ROOT / "release" / ASSIGNMENT, secrets) == []


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
def test_scan_finds_a_secret_wherever_it_stands(tmp_path, secrets, where, kind):
    text = {
        "solution line": "   a_next  = np.tanh(Waa @ a_prev + Wax @ xt + ba)",
        "hidden test line": "test.call(**rnn_inputs(seed=21, n_x=4, n_a=6, n_y=3, m=7, T_x=5))",
        "expected value": f"about {secrets.values[100]:.9g}",
    }[kind]
    name, content = (
        ("notes.py", text) if where == "helper file" else ("a.ipynb", as_notebook(where, text))
    )
    (tmp_path / name).write_text(content)
    assert len(scan(tmp_path, secrets)) >= 1


def test_command_fails_where_a_secret_is_released(tmp_path):
    course = tmp_path / "course"
    make_course(ROOT, course)
    (course / "source" / ASSIGNMENT / "notes.txt").write_text(
        "yt_pred = softmax(Wya @ a_next + by)"
    )
    command = [sys.executable, "-m", "grading", "release", ASSIGNMENT]
    done = subprocess.run(command, cwd=course, capture_output=True, text=True)
    assert done.returncode == 1
    assert "notes.txt: the line `yt_pred = softmax(Wya @ a_next + by)`" in done.stdout
    assert "Traceback" not in done.stderr
