"""
A pretend language, in a copy of the engine: its files, a release, and a class marked in it.

`python pretend.py COURSE` runs in a process of its own, with the copy first on its path: the
languages that there are, the engine finds out when it is imported.
"""

import contextlib
import functools
import io
import linecache
import os
import re
import shutil
import sys
from pathlib import Path

import nbformat
from babel.messages.pofile import read_po, write_po
from nbformat.v4 import new_code_cell

from grading.authoring import catalogues, translating
from grading.authoring.new import make_assignment
from grading.authoring.release import make_release
from grading.authoring.translating import write_language
from grading.book import open_book
from grading.cli import converter_of
from grading.demo import plain
from grading.exports import ExportRequest, export
from grading.source import read_source
from grading.source.bundle import bundle, refresh
from grading.source.catalogue import CATALOGUES
from grading.source.cells import new_metadata, with_answers
from grading.source.translation import (
    cells_of,
    mark_of,
    read_translation,
    updated,
    write_translation,
)

NAME, FUNCTION, LANGUAGE = "tiny", "center", "eo"
# Every letter another one: what is left in Latin letters was not translated.
OTHER = {n: n - ord("a") + 0x430 for n in range(ord("a"), ord("z") + 1)}
OTHER |= {n: n - ord("A") + 0x410 for n in range(ord("A"), ord("Z") + 1)}
PLAIN = "assert np.ndim(center(np.ones((1, 1)))) == 2"  # a test that keeps no record
KEPT = r"\{[^{}]*\}|`[^`]*`|\$\$.*?\$\$|\$[^$]+\$|\]\([^)]*\)|<[^>]+>"


def pretend(text):
    """Return a text in the pretend language: gaps, code, formulas and links stay."""
    return re.sub(
        rf"({KEPT})|[A-Za-z]+", lambda m: m[0] if m[1] else m[0].translate(OTHER), text, flags=re.S
    )


def translate_all(root):
    """Write the files of the language, and fill them in."""
    assert list(write_language(root, LANGUAGE))
    for path in (CATALOGUES / f"{LANGUAGE}.po", root / "source" / NAME / LANGUAGE / "mistakes.po"):
        messages = read_po(io.BytesIO(path.read_bytes()))
        for message in messages:
            message.string = pretend(message.id) if message.id else message.string
        written = io.BytesIO()
        write_po(written, messages, width=0)
        path.write_bytes(written.getvalue())
    drawing = Path("figures", "idea.svg")
    words = pretend((root / "source" / NAME / drawing).read_text("utf-8"))
    (root / "source" / NAME / LANGUAGE / "figures").mkdir()
    (root / "source" / NAME / LANGUAGE / drawing).write_text(words, "utf-8")
    notebook = nbformat.read(root / "release" / NAME / f"{NAME}.ipynb", as_version=4)
    fill_in(root / "source" / NAME / LANGUAGE / f"{NAME}.md", notebook)
    fill_in(CATALOGUES / f"{LANGUAGE}.md", cells_of(bundle()))
    checks = root / "rnn_checks.py"
    checks.write_text(checks.read_text("utf-8") + "# of an engine before this one\n", "utf-8")
    assert list(write_language(root, LANGUAGE)) == []
    refresh(root)  # as the command does


def fill_in(path, notebook):
    """Fill in the translation of a notebook, or of the cells of a module."""
    cells = updated(notebook, read_translation(path.read_text("utf-8")))
    for cell in notebook.cells:
        if cell.id in cells:
            cells[cell.id].mark = mark_of(cell)
            cells[cell.id].parts = list(map(pretend, cells[cell.id].parts))
    path.write_text(write_translation(cells), "utf-8")


def hand_in(root):
    """Hand in a class, each in the pretend language."""
    right = plain(read_source(NAME, root).answers)[FUNCTION]
    last = "return x - mean"
    answers = {
        "1": right,
        "2": right.replace("axis=1", "axis=0"),  # the known mistake
        "3": right.replace(last, "return x @ x"),
        "4": right.replace(last, "return (x - mean).T"),
        "5": right.replace(last, "x -= mean\n    return x"),
        "6": right.replace(last, "return list(x - mean)"),
        "7": right.replace(last, "return x, mean"),
        "8": right.replace(last, "x[0, 0]"),
        "9": right.replace(last, "return x - mean + (x > 1)"),
    }
    given = root / f"release-{LANGUAGE}" / NAME
    released = nbformat.read(given / f"{NAME}.ipynb", as_version=4)
    others = {
        "10": "",
        "11": right.replace(last, "while True: pass"),
        "12": f"import os\nos._exit(3)\n{right}",
        "15": f"class Box:\n    pass\n\n\n{right.replace(last, 'return Box()')}",
        "16": right.replace(last, "return (row for row in x)"),
        "17": right.replace(last, "return input()"),
    }
    for student, answer in {**answers, **others}.items():
        folder = root / "submitted" / student / NAME
        shutil.copytree(given, folder)
        notebook = with_answers(released, {FUNCTION: answer} if answer else {})
        notebook.cells.append(new_code_cell("1 / 0"))
        if student == "9":
            (folder / "9.txt").touch()
            (folder / f"{NAME}.ipynb").unlink()
            notebook.cells.insert(3, new_code_cell("print(1)\n1 / 0"))
        nbformat.write(notebook, folder / ("9.ipynb" if student == "9" else f"{NAME}.ipynb"))
    for student in ("13", "14"):  # nothing that can be read
        (root / "submitted" / student / NAME).mkdir(parents=True)
    (root / "submitted" / "13" / NAME / f"{NAME}.ipynb").write_text("<html>")
    return answers


def checks_of(root, answers):
    """Return what the visible check says of each answer, beside the released notebook."""
    given = root / f"release-{LANGUAGE}" / NAME
    sys.path.insert(0, str(given))
    notebook = nbformat.read(given / f"{NAME}.ipynb", as_version=4)
    said = io.StringIO()
    for answer in answers.values():
        names = {}
        with contextlib.redirect_stdout(said):
            for cell in with_answers(notebook, {FUNCTION: answer}).cells:
                if cell.cell_type == "code" and cell.source != PLAIN:
                    file = f"<{cell.id}>"  # where the check looks for the line that stops
                    linecache.cache[file] = 0, None, cell.source.splitlines(True), file
                    exec(compile(cell.source, file, "exec"), names)
    return said.getvalue()


def add_plain_test(root):
    """Put a test that keeps no record into the source."""
    path = root / "source" / NAME / f"{NAME}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    about = new_metadata("test_plain", solution=False, locked=True, points=5)
    notebook.cells.insert(-1, new_code_cell(PLAIN, id="test-plain", metadata=about))
    nbformat.write(notebook, path)


def main(folder):
    """Do all of it in a course folder; what the checks say goes to checks.txt."""
    root = Path(folder)
    os.chdir(root)
    # what the engine says is looked for once
    catalogues.of_engine = translating.of_engine = functools.cache(catalogues.of_engine)
    make_assignment(root, NAME, [FUNCTION])
    add_plain_test(root)
    make_release(NAME)
    translate_all(root)
    assert make_release(NAME) == []
    answers = hand_in(root)
    config = root / "nbgrader_config.py"
    text = config.read_text("utf-8").replace("install(c)", f'install(c, language="{LANGUAGE}")')
    config.write_text(
        f'{text}\nc.Autograde.limits = {{"cell_seconds": 0.5, "call_seconds": 0.2}}\n', "utf-8"
    )
    with converter_of(NAME, unprotected=False).open_run([]) as run:
        odd = [each.note for each in run.mark() if each.language != LANGUAGE]
        assert not odd, odd
    with open_book(f"sqlite:///{root}/gradebook.db", "tiny") as book:
        export(book, NAME, "gradescope", ExportRequest(root))
    Path("checks.txt").write_text(checks_of(root, answers), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
