"""Hostile folders, marked as a class: each costs its own student, nobody else, and no time."""

import csv
import json
import os
import resource
import shutil
from pathlib import Path

import pytest
from conftest import ASSIGNMENT, converter_of, make_handed_in

from grading.cli import app

NOTEBOOK = f"{ASSIGNMENT}.ipynb"
JOB = 20  # seconds of processor time, for the reading of any of them
CSV_FORMULA = "=cmd|'&calc'!A0.ipynb"


def not_utf8(folder):
    (folder / os.fsdecode(b"\xff\xfe.ipynb")).write_text("{}")
    (folder / os.fsdecode(b"caf\xe9.txt")).write_text("")
    inside = folder / os.fsdecode(b"\x80")
    inside.mkdir()
    (inside / "x.ipynb").write_text("{}")


def sparse(folder):
    for name in ("a.ipynb", "data.bin"):
        with open(folder / name, "wb") as file:
            file.truncate(12 * 2**30)


def many_files(folder):
    for number in range(30_000):
        (folder / f"{number}.txt").touch()


def many_notebooks(folder):
    for number in range(50):
        (folder / f"a{number}.ipynb").write_bytes(b'{"cells":[' + b"1," * 500_000 + b"1]}")


def many_folders(folder):
    for number in range(10_000):
        (folder / f"{number}").mkdir()


def deep(folder):
    path = folder
    for _ in range(600):
        path /= "d"
    path.mkdir(parents=True)


def pipe(folder):
    os.mkfifo(folder / "a.ipynb")
    os.mkfifo(folder / "timestamp.txt")


def links(folder):
    (folder / "loop").symlink_to(folder)
    (folder / "a.ipynb").symlink_to("a.ipynb")
    (folder / "b.ipynb").symlink_to("/dev/zero")
    (folder / "timestamp.txt").symlink_to("/dev/zero")


def unreadable(folder):
    (folder / "a.ipynb").write_text("{}")
    (folder / "a.ipynb").chmod(0)


def formula(folder):
    (folder / CSV_FORMULA).write_text("{")


def replace(data):
    """Return what puts these bytes in the notebook's place."""
    return lambda folder: (folder / NOTEBOOK).write_bytes(data)


def a_folder_as_notebook(folder):
    (folder / NOTEBOOK).unlink()
    (folder / NOTEBOOK / "x").mkdir(parents=True)


def own(kind, text, count=1):
    """Return what adds cells to the notebook."""

    def add(folder):
        notebook = json.loads((folder / NOTEBOOK).read_text("utf-8"))
        cell = {"cell_type": kind, "metadata": {}, "source": text}
        if kind == "code":
            cell |= {"outputs": [], "execution_count": None}
        notebook["cells"][3:3] = [{**cell, "id": f"own-{n}"} for n in range(count)]
        (folder / NOTEBOOK).write_text(json.dumps(notebook), "utf-8")

    return add


SHOW = "from IPython.display import HTML, display\n"
# What is done to a folder that holds a right notebook, and the points that it deserves.
FOLDERS = {
    "not_utf8": (not_utf8, 100),
    "sparse": (sparse, 100),
    "many_files": (many_files, 100),
    "many_notebooks": (many_notebooks, 100),
    "many_folders": (many_folders, 100),
    "deep": (deep, 100),
    "pipe": (pipe, 100),
    "links": (links, 100),
    "unreadable": (unreadable, 100),
    "formula": (formula, 100),
    "=1+1": (formula, 100),
    "a_folder_as_notebook": (a_folder_as_notebook, 0),
    "deep_lists": (replace(b"[" * 15_000_000), 0),
    "deep_objects": (replace(b'{"a":' * 3_000_000), 0),
    "huge_integer": (replace(b'{"cells":[' + b"1" * 15_000_000 + b"]}"), 0),
    "no_unicode": (replace(b'{"cells":["' + b"\xff" * 15_000_000 + b'"]}'), 0),
    "many_values": (replace(b'{"cells":[' + b'"",' * 4_000_000 + b'""]}'), 0),
    "empty_lines_and_an_error": (own("code", "\n" * 16_000 + "1 / 0"), 100),
    "lines_of_spaces": (own("code", " \n" * 9000 + "f(", 20), 100),
    "long_line": (own("code", "a = (" + "a." * 9000 + ")", 20), 100),
    "opened_formulas": (own("markdown", r"\\(" * 6000, 50), 100),
    "opened_environments": (own("markdown", r"\begin{a}" * 2000, 50), 100),
    "nested_quotes": (own("markdown", "> " * 9000, 20), 100),
    "fences": (own("markdown", "`" * 19_000, 50), 100),
    "nasty_formulas": (own("markdown", "$" + r"\frac{" * 3000 + "$", 20), 100),
    "nested_html": (own("code", SHOW + "display(HTML('<div>' * 90_000))", 20), 100),
    "one_output_often": (
        own("code", SHOW + "h = HTML('x' * 400_000)\nfor _ in range(200):\n    display(h)", 12),
        100,
    ),
    "terminal_codes": (own("code", "print('\\x1b[1m' * 400_000)", 5), 100),
}


@pytest.fixture(scope="module")
def handed_in(released, tmp_path_factory):
    """Make a course in which two honest students have handed in, and all of the above."""
    root = tmp_path_factory.mktemp("folders") / "rnn"
    make_handed_in(released, root, ("anna", "zoe", *FOLDERS))
    for student, (spoil, _) in FOLDERS.items():
        spoil(root / "submitted" / student / ASSIGNMENT)
    shutil.copytree(root / "submitted" / "anna", root / "submitted" / os.fsdecode(b"\xff"))
    return root


def test_hostile_folders_cost_nobody_else(handed_in, monkeypatch):
    monkeypatch.chdir(handed_in)
    # a room's own time is no matter here, and a machine may be busy
    monkeypatch.setattr("grading.run.bounds.JOB_SECONDS", JOB)
    before = resource.getrusage(resource.RUSAGE_SELF)
    found = {each.student_id: each for each in mark(force=True)}
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < JOB
    nameless = found.pop(" ")
    assert (nameless.status, nameless.score) == ("not graded", 0)
    assert sorted(found) == sorted(["anna", "zoe", *FOLDERS])
    scores = {student: each.score for student, each in found.items()}
    assert scores == {"anna": 100, "zoe": 100} | {s: points for s, (_, points) in FOLDERS.items()}
    assert not [s for s, each in found.items() if each.status == "not graded"]
    assert all(note == note.encode().decode() for e in found.values() for note in e.notes)
    made = [*handed_in.glob("autograded/*/*/*.ipynb"), *handed_in.glob("feedback/*/*/*.html")]
    assert len(made) == 2 * len(found)
    assert max(path.stat().st_size for path in made) < 25_000_000
    # all are marked; only the folder without a name is told of again
    assert [each.student_id for each in mark()] == [" "]


def mark(force=False):
    """Mark the course here with two workers."""
    converter = converter_of(ASSIGNMENT, unprotected=False)
    converter.force = force
    with converter.open_run([], jobs=2) as run:
        yield from run.mark()


def test_no_table_holds_a_formula(handed_in, monkeypatch):
    monkeypatch.chdir(handed_in)
    for command in (["report", ASSIGNMENT], ["export", ASSIGNMENT, "--to", "csv"]):
        app(command, standalone_mode=False)
    tables = [p for p in Path().rglob("*.csv") if "submitted" not in p.parts]
    assert Path("reports", ASSIGNMENT, "grades.csv") in tables
    assert len(tables) > 3
    fields = [f for p in tables for row in csv.reader(p.open(encoding="utf-8-sig")) for f in row]
    assert "'=1+1" in fields
    assert any(CSV_FORMULA in field for field in fields)
    for field in fields:
        assert field[:1] not in ("=", "+", "@", "\t", "\r", "\n"), field
        assert field[:1] != "-" or is_number(field), field


def is_number(field):
    """Tell whether a field is a number."""
    try:
        float(field)
    except ValueError:
        return field == "-"
    return True
