"""A class that hands in Chinese notebooks, and a course that is in Chinese."""

import ast
import contextlib
import html
import re
import shutil

import classic
import nbformat
import pytest
from conftest import REPO, grade, shorten_table
from nbformat.v4 import new_code_cell
from ours import ASSIGNMENTS
from scratch import nbgrader
from test_translation import ENGLISH

from grading.authoring.release import make_release
from grading.demo import make_course, plain
from grading.intake.folder import read_folder
from grading.intake.merge import Frame
from grading.intake.submission import take_in
from grading.marking.naming import Outcomes
from grading.marking.notebook import mark_notebook
from grading.marking.solution import mark_solution
from grading.rooms import Limits, Nursery
from grading.source import read_source
from grading.source.cells import grade_id, with_answers

ASSIGNMENT = "rnn_lstm_forward"
NOTEBOOK = f"{ASSIGNMENT}.ipynb"
FOLDERS = {"en": "release", "zh": "release-zh"}
MISTAKES = ["bias_ba_dropped", "a0_at_every_step", "first_step_left_out", "np_append_for_a_list"]
STUDENTS = ["right", "classic", "wrong", "stopped", "untouched", *MISTAKES]
WORDS = {"ValueError", "Python", "list", "notes", "txt"}
WORDS |= {"RoomDied", "EOFError", "NameError", "exit", "generator"}  # "exit" code: 退出码
STOPS = {  # in as many ways as take no time
    "rnn_cell_forward": "import os\n    os._exit(3)",
    "rnn_forward": "return (page for page in x)",
    "lstm_cell_forward": "return input()",
}


@pytest.fixture(scope="module")
def course(released, tmp_path_factory):
    """Return a scratch course with its student versions; tests run in it."""
    folder = tmp_path_factory.mktemp("editions") / "rnn"
    shutil.copytree(released, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield folder


@pytest.fixture(scope="module")
def marked(course):
    """Return the certificates of pairs that hand in the same, in English and in Chinese."""
    source = read_source(ASSIGNMENT, course)
    right = source.answers
    wrong = right | {
        "rnn_cell_forward": right["rnn_cell_forward"].replace("np.tanh(", "np.sin("),
        "lstm_forward": "def lstm_forward(x, a0, parameters):\n    return x @ a0",
    }
    stopped = dict(right)
    for name, line in STOPS.items():
        stopped[name] = re.sub(r"(?<=\"\"\"\n)    (?=### BEGIN)", f"    {line}\n    ", right[name])
        assert line in stopped[name]
    mistakes = {each.name: {**right, each.function: each.text} for each in source.versions}
    versions = {"right": right, "classic": classic.ANSWERS, "wrong": wrong, "untouched": {}}
    versions["stopped"] = stopped
    versions |= {name: mistakes[name] for name in MISTAKES}
    for language, folder in FOLDERS.items():
        for name, answers in versions.items():
            place = course / "submitted" / f"{name}_{language}" / ASSIGNMENT
            shutil.copytree(course / folder / ASSIGNMENT, place)  # the whole folder, as students do
            notebook = with_answers(nbformat.read(place / NOTEBOOK, as_version=4), plain(answers))
            if name == "wrong":  # and what intake has to put right
                notebook.cells.insert(4, new_code_cell("print(1)\n1 / 0"))
                del notebook.cells[-12:]
                (place / "notes.txt").touch()
            if name == "stopped":
                notebook.cells.insert(4, new_code_cell("import os\nos._exit(1)"))
            nbformat.write(notebook, place / NOTEBOOK)
    students = [f"{name}_{language}" for name in versions for language in FOLDERS]
    return {each.student_id: each for each in grade(students)}


def findings(certificate):
    """Return what each check found, test by test."""
    checks = [mark.result.checks for mark in certificate.cells]
    return [[(each.kind, each.wrong and each.wrong.message) for each in some] for some in checks]


def text_of(page):
    """Return what a page says and reads out, code and formulas left out."""
    code = r'<style>.*?</style>|<math.*?</math>|<pre.*?</pre>|<code>.*?</code>|src="data:.*?"'
    page = re.sub(code, "", page, flags=re.S)
    told = re.findall(r'(?:aria-label|alt|title)="([^"]*)"', page)
    return "\n".join([*told, html.unescape(re.sub(r"<[^>]+>", "\n", page))])


@pytest.mark.parametrize("name", STUDENTS)
def test_either_language_earns_the_same(marked, name):
    english, chinese = marked[f"{name}_en"], marked[f"{name}_zh"]
    assert (english.language, chinese.language) == ("en", "zh")
    assert chinese.status == english.status and chinese.notes == english.notes
    assert [m.result.mistake for m in chinese.cells] == [m.result.mistake for m in english.cells]
    assert [m.points for m in chinese.cells] == [m.points for m in english.cells]
    assert findings(chinese) == findings(english)
    assert (chinese.score == 100) == (name in ("right", "classic"))


@pytest.mark.parametrize("name", STUDENTS)
def test_the_page_speaks_the_language_of_the_notebook(marked, course, name):
    english, chinese = (
        (course / "feedback" / f"{name}_{code}" / ASSIGNMENT / f"{ASSIGNMENT}.html").read_text()
        for code in FOLDERS
    )
    assert '<html lang="en">' in english and '<html lang="zh">' in chinese
    assert not re.search("[\u4e00-\u9fff]", text_of(english))
    said = text_of(chinese).replace(f"{name}_zh", "")
    notebook = nbformat.read(course / "release-zh" / ASSIGNMENT / NOTEBOOK, as_version=4)
    ours = "\n".join(cell.source for cell in notebook.cells)
    assert [each for each in ENGLISH.findall(said) if each not in ours] == []
    latin = set(re.findall(r"[A-Za-z]{3,}", said)) - set(re.findall("[A-Za-z]+", ours))
    assert latin <= WORDS, latin


@pytest.fixture(scope="module")
def rooms():
    """Return what all assignments are marked in."""
    with contextlib.closing(Nursery(Limits())) as rooms:
        yield rooms


def below_docstring(stub, answer):
    """Return an answer as it is written into a stub, whose docstring stays."""
    tree = ast.parse(answer)
    body = answer.split("\n")[tree.body[0].body[0].end_lineno :]
    return stub.replace("    raise NotImplementedError()", "\n".join(body))


def mistakes_of(source):
    """Return a wrong version of each function that is its `def` alone."""
    found = {}
    for each in source.versions:
        if each.is_mistake and len(ast.parse(each.text).body) == 1:
            found.setdefault(each.function, each)
    return found


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_each_assignment_is_marked_alike(name, rooms, tmp_path):
    """A mistake in each of its functions: the same marks, and the same mistakes named."""
    source = read_source(name, REPO)
    frames = {name: Frame(source.notebook, source.translations)}
    outcomes = Outcomes(source)
    mark_solution(outcomes, rooms)
    mistakes = mistakes_of(source)
    assert len(mistakes) == 4
    found = {}
    for language, folder in FOLDERS.items():
        notebook = nbformat.read(REPO / folder / name / f"{name}.ipynb", as_version=4)
        for cell in notebook.cells:
            if grade_id(cell) in mistakes:
                cell.source = below_docstring(cell.source, mistakes[grade_id(cell)].text)
        (tmp_path / language).mkdir()
        nbformat.write(notebook, tmp_path / language / f"{name}.ipynb")
        intake = take_in(read_folder(tmp_path / language, [name]), frames, name)
        assert (intake.language, intake.status) == (language, "ok")
        results = mark_notebook(intake.parts[name].notebook, outcomes, rooms).results
        found[language] = {
            test: (result.points, result.mistake, [str(each.wrong) for each in result.checks])
            for test, result in results.items()
        }
    assert found["zh"] == found["en"]
    named = {mistake for _, mistake, _ in found["zh"].values()}
    assert len(named & {each.name for each in mistakes.values()}) > 1, found


def test_what_is_shown_is_what_the_student_had(marked, course):
    path = course / "autograded" / "untouched_zh" / ASSIGNMENT / NOTEBOOK
    cells = nbformat.read(path, as_version=4).cells
    assert cells[0].source.startswith("# 循环神经网络")
    assert marked["untouched_zh"].score == 0


def test_a_course_in_chinese_publishes_with_stock_commands(tmp_path):
    name = "gru_bidirectional"
    folder = tmp_path / "rnn"
    make_course(REPO, folder)
    config = folder / "nbgrader_config.py"
    text = config.read_text("utf-8")
    config.write_text(text.replace("install(c)", 'install(c, language="zh")'), "utf-8")
    said = nbgrader(folder, "generate_assignment", name)
    assert "exit" not in said, said
    assert not (folder / "release").exists()
    made, wanted = (each / "release-zh" / name for each in (folder, REPO))
    assert {p.relative_to(made): p.read_bytes() for p in made.rglob("*") if p.is_file()} == {
        p.relative_to(wanted): p.read_bytes() for p in wanted.rglob("*") if p.is_file()
    }


def test_a_stale_translation_is_named_and_what_was_released_stays(course):
    source = course / "source" / ASSIGNMENT / NOTEBOOK
    notebook = nbformat.read(source, as_version=4)
    before = (course / "release-zh" / ASSIGNMENT / NOTEBOOK).read_bytes()
    notebook.cells[0].source += " And more."
    nbformat.write(notebook, source)
    shorten_table(source.parent)
    (stale,) = make_release(ASSIGNMENT)
    assert f"zh/{ASSIGNMENT}.md: cell title is stale" in stale
    assert (course / "release-zh" / ASSIGNMENT / NOTEBOOK).read_bytes() == before
    assert "And more." in (course / "release" / ASSIGNMENT / NOTEBOOK).read_text("utf-8")
