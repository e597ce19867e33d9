"""A third language is a folder of files and no code: in a pretend one nothing stays English."""

import html
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
from conftest import REPO
from pretend import FUNCTION, KEPT, LANGUAGE, NAME, pretend

from grading.demo import make_course
from grading.marking.retold import said_as
from grading.rooms.exceptions import KNOWN_KINDS, OF_ARRAYS
from grading.rooms.said import SENTENCES
from grading.source.translation import code_parts

# What stays in Latin letters: names, Python's own words, and who it is.
ALLOWED = {NAME, FUNCTION, "ValueError", "ZeroDivisionError", "x", "y", "n", "d", "list", "tuple"}
ALLOWED |= {"NameError", "RoomDied", "RoomTimeout", f"check_{FUNCTION}"}
ALLOWED |= {"NotImplementedError", "CannotCross", "EOFError", "Box", "generator", "plain"}
ALLOWED |= {"txt", "ipynb", *["division", "by", "zero"]}
PYTHONS = f"""name '{FUNCTION}' is not defined(?!:)|test = FunctionTest.*"""  # and code
TEMPLATE = REPO / "grading" / "feedback" / "page.html.j2"


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """Return a course with a class marked in the language; see pretend.py."""
    folder = tmp_path_factory.mktemp("pretend")
    engine, root = folder / "engine", folder / "rnn"
    shutil.copytree(REPO / "grading", engine / "grading")
    (engine / "grading" / "languages" / f"{LANGUAGE}.po").touch()
    make_course(REPO, root)
    shutil.rmtree(root / "source")
    (root / "source").mkdir()
    command = [sys.executable, Path(__file__).with_name("pretend.py"), root]
    env = {**os.environ, "PYTHONPATH": str(engine)}
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return root


def english_in(text):
    """Return the words that were not translated."""
    words = re.findall(r"[A-Za-z_]+", re.sub(KEPT, " ", text, flags=re.S))
    return sorted(set(words) - ALLOWED)


def read(page):
    """Return what a page says: its text, and what is read out of its pictures and parts."""
    page = re.sub(r"<style>.*?</style>|<math.*?</math>", "", page, flags=re.S)
    page = re.sub(
        r"<pre class=.code.*?</pre>|<code>.*?</code>|src=.data:.*?\"", "", page, flags=re.S
    )
    told = re.findall(r'(?:aria-label|alt|title)="([^"]*)"', page)
    text = html.unescape(re.sub(r"<[^>]+>", " ", page))
    return "\n".join([*told, re.sub(PYTHONS, " ", text)])


def test_the_pages(course):
    pages = sorted((course / "feedback").glob(f"*/{NAME}/*.html"))
    assert len(pages) == 17
    for page in pages:
        text = page.read_text("utf-8")
        assert f'<html lang="{LANGUAGE}">' in text
        assert english_in(read(text)) == [], page
    said = {"2": "A known mistake.", "11": "did not finish within", "12": "ended its own process"}
    said |= {"15": "and a test cannot take it for an array: look at its"}
    said |= {"16": "a generator", "17": "waits for somebody who types"}
    for student, sentence in said.items():
        page = course / "feedback" / student / NAME / "tiny.html"
        assert pretend(sentence) in page.read_text("utf-8")


def test_what_gradescope_shows(course):
    path = course / "reports" / NAME / "export" / "gradescope.zip"
    with zipfile.ZipFile(path) as archive:
        shown = [json.loads(archive.read(n)) for n in archive.namelist() if "results.json" in n]
    assert len(shown) == 17
    said = "\n".join(
        [each["output"] for each in shown]
        + [f"{test['name']}\n{test['output']}" for each in shown for test in each["tests"]]
    )
    assert pretend("wrong in") in said and pretend("of 25 points") in said
    assert english_in(re.sub(PYTHONS, " ", said)) == []


@pytest.mark.parametrize("gap", SENTENCES)
def test_what_rooms_say(gap):
    for sentence in SENTENCES[gap]:
        text = re.sub(r"\{\w+\}", "1", sentence)
        words = {each: pretend(each) for each in SENTENCES[gap]}
        assert re.findall("[a-z]+", re.sub(KEPT, "", said_as(text, gap).said(words))) == [], text


def test_what_rooms_say_of_kinds():
    """As they are shown: what stands in their gaps is a name, or is hidden."""
    words = {each: pretend(each) for each in SENTENCES["kind"]}
    arrays = [(f"an array of {each}", None) for each in OF_ARRAYS]
    for form, _ in [*KNOWN_KINDS, *arrays]:
        kind = form.replace("?", "Box").replace("#", "…").replace("~", " …")
        assert english_in(said_as(kind, "kind").said(words)) in ([], ["Box"]), kind


def test_the_checks(course):
    said = (course / "checks.txt").read_text("utf-8")
    assert pretend("right") in said and "→" in said
    assert english_in(said) == []


def test_the_notebook(course):
    notebook = nbformat.read(course / f"release-{LANGUAGE}" / NAME / f"{NAME}.ipynb", as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            assert english_in(cell.source) == []
    assert pretend("Take the mean off each row") in str(notebook)
    for path in (course / f"release-{LANGUAGE}" / NAME).glob("*.py"):  # the checks
        for part in code_parts(path.read_text("utf-8")):
            assert set(english_in(part.text)) <= {"fmt", "skip", "_"}, part.text


def test_no_word_stands_in_the_template_itself():
    text = re.sub(
        r"{%.*?%}|{{.*?}}|{#.*?#}|<style>.*?</style>", "", TEMPLATE.read_text(), flags=re.S
    )
    assert re.findall(r"[A-Za-z]+", re.sub(r"<[^>]*>", "", text)) == []
    labels = re.findall(r'(?:aria-label|alt|title)="([^"]*)"', text)
    assert not any(labels)
