"""The repository's address: in one place, absent while unset, and what comes of it in notebooks."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from ours import NOTEBOOKS

from grading.source.assignment import course_root
from rnn_marking.address import HERE, main, repository, with_address

ROOT = course_root(Path(__file__).parent)
GITHUB = "https://github.com/somebody/course"
each_notebook = pytest.mark.parametrize("assignment", sorted(NOTEBOOKS))


def read(assignment):
    return json.loads(NOTEBOOKS[assignment].read_text("utf-8"))


def cells(notebook):
    return {cell["id"]: "".join(cell["source"]) for cell in notebook["cells"]}


@each_notebook
def test_notebooks_hold_the_address_that_is_set(assignment):
    notebook = read(assignment)
    assert with_address(notebook, repository(ROOT), assignment) == notebook
    assert "open-in" in cells(notebook)
    assert 'ADDRESS = "' in cells(notebook)["fetch"]


@each_notebook
def test_an_address_gives_links_and_a_place_to_fetch_from(assignment):
    found = cells(with_address(read(assignment), GITHUB + ".git", assignment))
    notebook = f"release/{assignment}/{assignment}.ipynb"
    assert f"github/somebody/course/blob/HEAD/{notebook})" in found["open-in"]
    assert f"gh/somebody/course/HEAD?labpath={notebook})" in found["open-in"]
    raw = f"https://raw.githubusercontent.com/somebody/course/HEAD/release/{assignment}"
    assert f'ADDRESS = "{raw}"' in found["fetch"]
    without = cells(
        with_address(with_address(read(assignment), GITHUB, assignment), "", assignment)
    )
    assert without["open-in"] == HERE
    assert 'ADDRESS = ""' in without["fetch"]


def test_the_command_writes_the_notebooks(tmp_path, capsys):
    (tmp_path / "site").mkdir()
    (tmp_path / "site/address.yaml").write_text(f"repository: {GITHUB}\n")
    name, source = min(NOTEBOOKS.items())
    copy = tmp_path / "source" / name / source.name
    copy.parent.mkdir(parents=True)
    copy.write_bytes(source.read_bytes())
    main(tmp_path)
    assert "release it again" in capsys.readouterr().out
    assert json.loads(copy.read_text("utf-8")) == with_address(read(name), GITHUB, name)
    main(tmp_path)
    assert capsys.readouterr().out == ""


@each_notebook
def test_the_cell_fetches_what_is_missing_or_says_so(assignment, tmp_path):
    """Once with an address, a folder here, and once without any."""
    release = ROOT / "release" / assignment
    source = cells(read(assignment))["fetch"]
    wanted = {p.name for p in release.glob("*.py")} | {"known_mistakes.json"}
    without = run(source, tmp_path)
    assert without.startswith("Put these files beside this notebook: ")
    assert set(without.strip().partition(": ")[2].split(", ")) == wanted
    assert without.count("\n") == 1
    assert not list(tmp_path.iterdir())
    fetched = run(source.replace('ADDRESS = ""', f'ADDRESS = "{release.as_uri()}"'), tmp_path)
    assert fetched == ""
    assert {path.name for path in tmp_path.iterdir()} == wanted | {"figures"}
    for path in tmp_path.glob("figures/*"):
        assert path.read_bytes() == (release / "figures" / path.name).read_bytes()
    figures = {path.name for path in (release / "figures").iterdir()}
    assert {path.name for path in tmp_path.glob("figures/*")} == figures
    assert run(source, tmp_path) == ""


def run(source, folder):
    """Run a cell in a folder, with the standard library and the folder alone; return its words."""
    code = f"import sys; sys.path.insert(0, '')\n{source}"
    command = [sys.executable, "-I", "-S", "-B", "-c", code]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout
