"""Notebooks and modules in other languages: whole, not stale, the same but for their words."""

import ast
import json
import re
import unicodedata

import nbformat
import pytest
from ours import ASSIGNMENTS, ROOT

from grading.authoring import catalogues
from grading.authoring.catalogues import of_assignment, stale_messages
from grading.authoring.catalogues import updated as updated_catalogue
from grading.source import read_assignment
from grading.source.catalogue import CATALOGUES, read_catalogue
from grading.source.translation import (
    MARK,
    cells_of,
    code_parts,
    read_translation,
    translate,
    updated,
    what_is_stale,
    write_translation,
)

FILES = [path for path in sorted(ROOT.glob("source/*/zh/*.md")) if not path.is_symlink()]
MODULES = [*sorted(ROOT.glob("zh/*.md")), *CATALOGUES.glob("zh.md")]  # the latter of the checks
ids = {"ids": lambda path: path.stem}
# What no translation changes of a text: formulas, code, where links and pictures lead, headings'
# numbers, numbers.
SAME = {
    "formulas": r"\$\$[^$]+\$\$|\$[^$]+\$",
    "blocks of code": r"^```.*?^```",
    "code": r"(?<!`)`[^`\n]+`(?!`)|<code>.*?</code>",
    "links": r"\]\(([^)]*)\)",
    "headings": r"^#+ (?:\d[\d.]*)?",
    "rows of tables": r"^\|",
    "answers to click": r"<details>",
}
# Latin words that stand in Chinese text: names, titles, what Python and its packages are called.
CODE_AND_MATHS = re.compile(r"```.*?```|\$\$.*?\$\$|\$[^$]+\$|`[^`\n]+`|<[^>]+>|\]\([^)]*\)", re.S)
NO_WORDS = {"fmt: skip"}
ENGLISH = re.compile(r"(?:[A-Za-z]{2,}['’]?[a-z]*[ ,]+){4,}[A-Za-z]{2,}")


def released(path):
    """Return the English student version of what a translation is of; a module as cells."""
    if path in MODULES:
        name = "rnn_checks" if path.parent == CATALOGUES else path.stem
        return cells_of((ROOT / f"{name}.py").read_text("utf-8"))
    name = path.stem
    return nbformat.read(ROOT / "release" / path.parts[-3] / f"{name}.ipynb", as_version=4)


def both(path):
    """Yield each cell of a notebook in English and in the language of a translation."""
    notebook = released(path)
    return zip(
        notebook.cells,
        translate(notebook, read_translation(path.read_text("utf-8"))).cells,
        strict=True,
    )


def numbers(text):
    """Return the numbers in a text, formulas and code left out."""
    return sorted(re.findall(r"\d+(?:\.\d+)?", CODE_AND_MATHS.sub("", text)))


def without_words(code):
    """Return code as a tree without docstrings and strings that are shown."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return ast.dump(tree)


def without_docstrings(tree):
    """Return a module's tree without docstrings."""
    kinds = ast.Module | ast.FunctionDef | ast.ClassDef
    for node in ast.walk(tree):
        if isinstance(node, kinds) and ast.get_docstring(node):
            del node.body[0]
    return tree


def test_every_notebook_is_translated():
    assert {path.stem for path in FILES} >= set(ASSIGNMENTS)


@pytest.mark.parametrize("path", [*FILES, *MODULES], **ids)
def test_no_cell_is_stale(path):
    assert list(what_is_stale(released(path), read_translation(path.read_text("utf-8")))) == []


@pytest.mark.parametrize("path", FILES, **ids)
def test_texts_are_the_same_but_for_their_words(path):
    for english, other in both(path):
        if english.cell_type == "markdown":
            for what, pattern in SAME.items():
                found = [
                    sorted(re.findall(pattern, c.source, re.M | re.S)) for c in (english, other)
                ]
                assert found[0] == found[1], f"{english.id}: {what}"
            assert numbers(english.source) == numbers(other.source), english.id


@pytest.mark.parametrize("path", [*FILES, *MODULES], **ids)
def test_code_is_the_same_but_for_its_words(path):
    translation = read_translation(path.read_text("utf-8"))
    for english, other in both(path):
        if english.cell_type == "code":
            added = translation[english.id].code if english.id in translation else ""
            assert other.source.endswith(added)
            rest = other.source.removesuffix(added)
            assert without_words(rest) == without_words(english.source), english.id
            shown = {s for t in translation.values() for s in t.strings.values()}
            literals = [n.value for n in ast.walk(ast.parse(rest)) if isinstance(n, ast.Constant)]
            for text in literals:  # no words but those of docstrings and of what is shown
                if isinstance(text, str) and not text.isascii():
                    assert any(each in text for each in shown) or "\n" in text or len(text) < 60
            for line in added.splitlines():
                assert len(line) < 80, line


@pytest.mark.parametrize("path", FILES, **ids)
def test_no_english_sentence_is_left(path):
    for _, other in both(path):
        if other.cell_type == "markdown":
            prose = "\n".join(
                line
                for line in CODE_AND_MATHS.sub("", other.source).splitlines()
                if not line.startswith(("> ", "- ", "| [")) and "Step by Step" not in line
            )
            assert ENGLISH.search(prose) is None, other.id


@pytest.mark.parametrize("path", [*FILES, *MODULES], **ids)
def test_chinese_is_set_in_one_style(path):
    """No blank beside a Chinese character, no half-width mark after one: docs/translating.md."""
    text = CODE_AND_MATHS.sub("x", MARK.sub("", path.read_text("utf-8")))
    han = "[\u4e00-\u9fff]"
    for line in text.splitlines():
        if "<!--" not in line and not line.startswith(("|", " ", "-", "#")):
            assert not re.search(rf"{han} (?=[\w$`])|(?<=[\w]) {han}", line), line
            assert not re.search(rf"{han}[,;:?!]", line), line


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("release-zh/*/*.py")), ids=lambda path: "-".join(path.parts[-2:])
)
def test_modules_of_students_are_chinese_and_their_code_is_the_same(path):
    module = path.read_text("utf-8")
    english = ast.parse((ROOT / path.name).read_text("utf-8"))
    assert ast.dump(without_docstrings(ast.parse(module))) == ast.dump(without_docstrings(english))
    for part in code_parts(module):
        assert re.search("[\u4e00-\u9fff]", part.text) or part.text in NO_WORDS, part.text
        prose = re.sub(r"\([\w, .]*_[\w, .]*\)", "", CODE_AND_MATHS.sub("", part.text))
        assert ENGLISH.search(prose) is None, part.text
    for line in module.splitlines():
        assert sum(1 + (unicodedata.east_asian_width(c) in "WF") for c in line) < 80, line


def test_the_same_english_is_the_same_chinese():
    """Line by line of texts, part by part of code: one word for one thing in all notebooks."""
    said = {}
    for path in [*FILES, *MODULES]:
        translation = read_translation(path.read_text("utf-8"))
        for english, other in both(path):
            lines = [each.source.split("\n") for each in (english, other)]
            if english.cell_type == "markdown" and len(lines[0]) == len(lines[1]):
                for line, its in zip(*lines, strict=True):
                    said.setdefault(line, set()).add(its)
            elif english.id in translation:
                cell = translation[english.id]
                said.setdefault(cell.mark, set()).add(tuple(cell.parts))
                for text, its in cell.strings.items():
                    said.setdefault(text, set()).add(its)
    assert {line: its for line, its in said.items() if len(its) > 1} == {}


@pytest.mark.parametrize("path", [*FILES, *MODULES], **ids)
def test_docstrings_have_chinese_headings(path):
    text = path.read_text("utf-8")
    assert re.findall(r"^[A-Z][a-z]+\n-{3,}$", text, re.M) == []


def test_a_cell_whose_english_changes_is_named():
    path = FILES[0]
    notebook, translation = released(path), read_translation(path.read_text("utf-8"))
    cell = next(cell for cell in notebook.cells if cell.cell_type == "markdown")
    cell.source += " And so on."
    (stale,) = what_is_stale(notebook, translation)
    assert cell.id in stale and "stale" in stale
    notebook.cells.remove(cell)
    (stale,) = what_is_stale(notebook, translation)
    assert cell.id in stale and "not in the notebook" in stale


@pytest.mark.parametrize("path", [*FILES, *MODULES], **ids)
def test_a_translation_is_written_as_it_is_read(path):
    notebook, text = released(path), path.read_text("utf-8")
    head = text[: text.index("<!-- cell")]
    assert write_translation(read_translation(text), head) == text
    empty = updated(notebook, {})  # what a translator begins with: the English itself
    again = translate(notebook, read_translation(write_translation(empty)))
    for one, other in zip(notebook.cells, again.cells, strict=True):
        if one.cell_type == "markdown":
            assert json.dumps(one.source) == json.dumps(other.source)
        else:
            assert ast.dump(ast.parse(one.source)) == ast.dump(ast.parse(other.source))


@pytest.fixture(scope="module")
def of_engine():
    """Return what the engine says, looked for once."""
    found = catalogues.of_engine()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogues, "of_engine", lambda: found)
        yield found


@pytest.mark.parametrize("assignment", ["", *ASSIGNMENTS])
def test_every_sentence_is_translated(assignment, of_engine):
    """With the same names and numbers; and none is left that the code no longer says."""
    path, messages = CATALOGUES / "zh.po", of_engine
    if assignment:
        path = ROOT / "source" / assignment / "zh" / "mistakes.po"
        messages = of_assignment(read_assignment(assignment, ROOT))
    assert list(stale_messages(messages, path.read_bytes())) == []
    assert updated_catalogue(messages, path.read_bytes(), "zh") == path.read_bytes()
    for english, other in read_catalogue(path.read_bytes()).items():
        if "{code}" in english:
            continue
        code = [set(re.findall(r"`[^`]+`", text)) for text in (english, other)]
        assert code[0] == code[1], other
        assert set(numbers(english)) <= set(numbers(other)), other
        assert ENGLISH.search(CODE_AND_MATHS.sub("", other)) is None, other
