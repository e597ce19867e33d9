"""A third language is a folder of files and no code: in a pretend one nothing stays English."""

import html
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from conftest import REPO
from pretend import FUNCTION, KEPT, LANGUAGE, NAME, pretend

from grading.demo import make_course

# What stays in Latin letters: names, Python's own words, and who it is.
ALLOWED = {NAME, FUNCTION, "ValueError", "ZeroDivisionError", "x", "y", "n", "d", "list", "tuple"}
ALLOWED |= {"NameError", "RoomDied", "RoomTimeout", f"check_{FUNCTION}"}
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
    assert len(pages) == 14
    for page in pages:
        text = page.read_text("utf-8")
        assert f'<html lang="{LANGUAGE}">' in text
        assert english_in(read(text)) == [], page
    said = {"2": "A known mistake.", "11": "did not finish within", "12": "ended its own process"}
    for student, sentence in said.items():
        page = course / "feedback" / student / NAME / "tiny.html"
        assert pretend(sentence) in page.read_text("utf-8")


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


def test_no_word_stands_in_the_template_itself():
    text = re.sub(
        r"{%.*?%}|{{.*?}}|{#.*?#}|<style>.*?</style>", "", TEMPLATE.read_text(), flags=re.S
    )
    assert re.findall(r"[A-Za-z]+", re.sub(r"<[^>]*>", "", text)) == []
    labels = re.findall(r'(?:aria-label|alt|title)="([^"]*)"', text)
    assert not any(labels)
