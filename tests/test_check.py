"""`check`: each slip of an author is a line that names the cell, and says what to do."""

import shutil
import sys
from pathlib import Path

import nbformat
import pytest

from grading import CourseError
from grading.authoring import translating
from grading.authoring.check import check_assignment
from grading.authoring.new import make_assignment
from grading.cli import main, nursery_for_author
from grading.source import enter_course

CONFIG = """\
import os
from grading import nbgrader_plugins

c = get_config()
nbgrader_plugins.install(c)
c.CourseDirectory.course_id = "images"
c.CourseDirectory.root = os.path.dirname(os.path.abspath(__file__))
"""
NAME = "filters"


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """Return an empty course with one new assignment."""
    root = tmp_path_factory.mktemp("course")
    (root / "nbgrader_config.py").write_text(CONFIG)
    make_assignment(root, NAME, ["blur", "edges"])
    (root / "beside.py").write_text("A = 1\n")  # a module that is not shipped
    return root


@pytest.fixture(scope="module")
def rooms(course):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(course)
        with nursery_for_author(NAME) as rooms:
            yield rooms


class Author:
    """Edits the new assignment; all is as it was afterwards."""

    def __init__(self, folder: Path):
        self.path = folder / f"{NAME}.ipynb"
        self.table = folder / "mistakes.yaml"
        self.notebook = nbformat.read(self.path, as_version=4)

    def cell(self, name):
        return next(c for c in self.notebook.cells if c.id == name)

    def replace(self, name, old, new):
        cell = self.cell(name)
        assert cell.source.count(old) == 1
        cell.source = cell.source.replace(old, new)

    def edit(self, old, new):
        text = self.table.read_text()
        assert old in text
        self.table.write_text(text.replace(old, new, 1))

    def set(self, name, **settings):
        self.cell(name).metadata["nbgrader"].update(settings)


@pytest.fixture
def author(course, monkeypatch):
    monkeypatch.chdir(course)
    author = Author(course / "source" / NAME)
    kept = [(path, path.read_bytes()) for path in (author.path, author.table)]
    yield author
    for path, data in kept:
        path.write_bytes(data)


def problems(author, rooms):
    nbformat.write(author.notebook, author.path)
    return [str(problem) for problem in check_assignment(enter_course(), NAME, rooms)]


MISTAKE = """\
blur:
  mistakes:
    wrong:
      sentence: It is so.
      edits:
        - find: axis=1
          replace: axis=0
"""
FAILS = "test_blur: the solution itself does not pass:"
FAULTS = {
    "an id twice": (
        lambda a: a.set("edges", grade_id="blur"),
        "blur: 2 cells have this id; give each its own",
    ),
    "an id with a space": (
        lambda a: a.set("blur", grade_id="blur it"),
        "blur it: an id is made of letters, digits, _ and -; rename it",
    ),
    "no id": (lambda a: a.set("blur", grade_id=""), "cell 5: it has no id"),
    "a text that tests": (
        lambda a: a.cell("test-blur").update(cell_type="markdown"),
        "test_blur: a text cannot test anything",
    ),
    "no points": (lambda a: a.set("test-blur", points=None), "test_blur: it has no points"),
    "a marker misspelt": (
        lambda a: a.replace("test-blur", "### BEGIN HIDDEN TESTS", "### BEGIN HIDEN TEST"),
        "test_blur: `### BEGIN HIDEN TEST` is no mark; write `### BEGIN HIDDEN TESTS`",
    ),
    "a marker in small letters": (
        lambda a: a.replace("blur", "### END SOLUTION", "# end solution"),
        "blur: `# end solution` is no mark; write `### END SOLUTION`",
    ),
    "a region without an end": (
        lambda a: a.replace("blur", "### END SOLUTION", ""),
        "blur: 1 times `BEGIN SOLUTION`, 0 times `END SOLUTION`",
    ),
    "a hidden test where nothing is graded": (
        lambda a: a.replace(
            "setup", "import numpy", "### BEGIN HIDDEN TESTS\n### END HIDDEN TESTS\nimport numpy"
        ),
        "setup: `BEGIN HIDDEN TESTS` stands in a cell that is no grade cell",
    ),
    "a solution that is no Python": (
        lambda a: a.replace("blur", "return x - mean", "return x - (mean"),
        "blur: line 18 is no Python ('(' was never closed): return x - (mean",
    ),
    "a solution that stops": (
        lambda a: a.replace("blur", "return x - mean", "return x - maen"),
        f"{FAILS} line 11: stops with ValueError: the solution stopped"
        " with NameError (`line 18: return x - maen`): name 'maen' is not defined",
    ),
    "a solution that is not what the test wants": (
        lambda a: a.replace("blur", "mean = x.mean", "x -= 1\n    mean = x.mean"),
        "test_blur: the solution itself earns 23 of 25 points: the argument `x` is changed",
    ),
    "a number that the solution does not return": (
        lambda a: a.replace("check-blur", "0.05611237", "0.05611"),
        "check_blur: the solution itself gets a cross: `y[2]`",
    ),
    "a typo in a hidden test": (
        lambda a: a.replace("test-blur", "(1, 5)", "(1, m)"),
        f"{FAILS} line 13: stops with NameError: name 'm' is not",
    ),
    "a hidden test in which the solution raises": (
        lambda a: a.replace("test-blur", "(6, 5)", "30"),
        f"{FAILS} line 11: stops with ValueError: the solution stopped with AxisError",
    ),
    "points of the cell": (
        lambda a: a.set("test-blur", points=20),
        "test_blur: the cell is worth 20 points, its `points=` 25 in all; make them equal",
    ),
    "points of the checks": (
        lambda a: a.replace("test-blur", '"y": 17', '"y": 18'),
        "test_blur: the cell is worth 25 points, its `points=` 26 in all; make them equal",
    ),
    "points in a comment": (
        lambda a: a.replace("test-blur", "# 25 points", "# 20 points"),
        "test_blur: a comment says 20 points, the cell is worth 25; make them equal",
    ),
    "a helper that students may change": (
        lambda a: (
            a.notebook.cells.insert(
                3, nbformat.v4.new_code_cell("def rows(n):\n    return n, 5", id="help")
            ),
            a.replace("test-blur", "(6, 5)", "rows(6)"),
        ),
        "test_blur: uses `rows` of the cell `help`, which students may change; lock that cell, or "
        "define it in the test",
    ),
    "the answer given away": (
        lambda a: a.replace(
            "check-blur", "x = np", "def blur(x):\n    return x - x.mean(1)[:, None]\n\nx = np"
        ),
        "test_blur: who writes nothing earns 25 points",
    ),
    "no record of what was found": (
        lambda a: a.replace("test-blur", "test.score()", ""),
        "test_blur: who writes nothing earns 25 points; end it with `test.score()`",
    ),
    "a hidden test that is not hidden": (
        lambda a: (
            a.replace("test-blur", "### BEGIN HIDDEN TESTS\n", ""),
            a.replace("test-blur", "### END HIDDEN TESTS", ""),
        ),
        "test_blur: stops where a student runs it, the solution filled in: ModuleNotFoundError: No "
        "module named 'grading' (`line 2: from grading.testing import MarkedTest, hidden_rng`); "
        "put it between `### BEGIN HIDDEN TESTS` and `### END HIDDEN TESTS`",
    ),
    "a module that is not shipped": (
        lambda a: a.replace("setup", "import numpy", "import beside\nimport numpy"),
        "setup: stops where a student runs it, the solution filled in: ModuleNotFoundError: No "
        "module named 'beside' (`line 1: import beside`); lay the module, or a link to it, into"
        f" source/{NAME}",
    ),
    "a picture that is not there": (
        lambda a: a.replace("about-blur", "figures/idea.svg", "figures/ideas.svg"),
        "about-blur: `figures/ideas.svg` is not in the folder that students get",
    ),
    "a line of the solution": (
        lambda a: a.replace("about-blur", "its formula", "mean = x.mean(axis=1, keepdims=True)"),
        f"{NAME}.ipynb, cell about-blur: students would see the line `mean = x.mean(axis=1, "
        "keepdims=True)`; where they may, name it under `allow:` in mistakes.yaml",
    ),
    "an edit that does not fit": (
        lambda a: a.table.write_text(a.table.read_text().replace('"axis=1"', '"axis=2"')),
        "mistakes.yaml, blur, mean_of_columns: `axis=2` stands 0 times in the solution, not once",
    ),
    "two edits that do not fit": (
        lambda a: a.table.write_text(a.table.read_text().replace('"axis=1"', '"axis=2"')),
        "mistakes.yaml, edges, negative_axis: `axis=2` stands 0 times in the solution, not once",
    ),
    "a cell that defines another function": (
        lambda a: a.replace("edges", "def edges(", "def borders("),
        "test_edges: tries `edges`, which no cell defines; the cell `edges` defines borders",
    ),
    "a test without a solution": (
        lambda a: a.notebook.cells.remove(a.cell("edges")),
        "check_edges: tries `edges`, which no cell defines",
    ),
    "a solution without a test": (
        lambda a: a.notebook.cells.remove(a.cell("test-edges")),
        "edges: no test uses what this cell defines: it earns no points",
    ),
    "a check that shows nothing": (
        lambda a: a.replace("check-blur", "test.report()", ""),
        "check_blur: it shows nothing; end it with `test.report()`",
    ),
    "a check with a slip in its id": (
        lambda a: a.set("check-blur", grade_id="check_blurr"),
        "check_blurr: no function is called `blurr`, so that `blur` has no check; call this cell "
        "`check_blur`",
    ),
    "numbers drawn anew in each call": (
        lambda a: a.replace("blur", "return x - mean", "return x - mean + np.random.rand()"),
        "test_blur: the solution itself earns 0 of 25 points: two calls of the solution with the "
        "same arguments return different values;",
    ),
    "a wrong indentation": (
        lambda a: a.edit("      sentence:", "    sentence:"),
        "mistakes.yaml, line ",
    ),
    "a tab": (
        lambda a: a.edit("  mistakes:", "\tmistakes:"),
        "mistakes.yaml, line 7: found character that cannot start any token",
    ),
    "a table that is no table": (
        lambda a: a.table.write_text("- blur\n- edges\n"),
        "mistakes.yaml: a table of names belongs here",
    ),
    "mistakes under another word": (
        lambda a: a.edit("  mistakes:", "  mistake:"),
        "mistakes.yaml, blur: there is no `mistake` here; it may hold mistakes, correct",
    ),
    "a mistake without a sentence": (
        lambda a: a.table.write_text(MISTAKE.replace("      sentence: It is so.\n", "")),
        "mistakes.yaml, blur, wrong: `sentence` is missing",
    ),
    "a word misspelt": (
        lambda a: a.table.write_text(MISTAKE.replace("sentence", "sentense")),
        "mistakes.yaml, blur, wrong: ",
    ),
    "a number for a text": (
        lambda a: a.table.write_text(MISTAKE.replace("axis=1", "1")),
        "mistakes.yaml, blur, wrong, edits, 1, find: a text belongs here",
    ),
    "an edit outside a list": (
        lambda a: a.table.write_text(MISTAKE.replace("- find", "  find")),
        "mistakes.yaml, blur, wrong, edits: a list belongs here",
    ),
    "a name twice": (
        lambda a: a.table.write_text(MISTAKE + MISTAKE.partition("mistakes:\n")[2]),
        "mistakes.yaml, line 8: `wrong` stands there twice",
    ),
    "an edit that changes nothing": (
        lambda a: a.table.write_text(MISTAKE.replace("axis=0", "axis=1")),
        "mistakes.yaml, blur, wrong: `axis=1` is replaced by itself",
    ),
    "a mistake that is no Python": (
        lambda a: a.table.write_text(MISTAKE.replace("axis=0", "axis=(")),
        "release: mistakes.yaml, blur, wrong: line ",
    ),
    "an emptied table": (
        lambda a: a.table.write_text("# nothing\n"),
        "mistakes.yaml: it lists nothing; list mistakes, or take the file away",
    ),
    "mistakes of no function": (
        lambda a: a.table.write_text(a.table.read_text().replace("blur:", "blurr:")),
        "mistakes.yaml: there is no function blurr",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_named_with_its_cell(author, rooms, fault):
    spoil, said = FAULTS[fault]
    spoil(author)
    found = problems(author, rooms)
    assert any(line.startswith(said) for line in found), found


@pytest.mark.parametrize(("name", "line"), [("sum", ""), ("sqrt", "from math import sqrt\n")])
def test_a_test_of_what_comes_with_python_or_is_imported_is_in_order(author, rooms, name, line):
    author.set("test-edges", grade_id=f"test_{name}")
    author.replace("test-edges", "test.score()", f"{line}assert {name}\ntest.score()")
    assert not [found for found in problems(author, rooms) if "no cell defines" in found]
    if not line:
        return
    author.replace("test-edges", line, "")
    author.replace("setup", "import numpy", f"{line}import numpy")
    assert not [found for found in problems(author, rooms) if "no cell defines" in found]


FOREVER = "sum(0 for _ in iter(int, 1))"
HASTE = 'c.Autograde.limits = {"notebook_seconds": 1.5, "call_seconds": 0.4}\n'
ENDLESS = {
    "a solution": (
        lambda a: a.replace("blur", "return x - mean", f"return {FOREVER}"),
        "blur, line 18",
    ),
    "a visible check": (
        lambda a: a.cell("check-blur").update(source="n = 1\nwhile n: n += 1"),
        "check_blur, line 2",
    ),
    "set-up": (
        lambda a: a.replace("setup", "import numpy", f"{FOREVER}\nimport numpy"),
        "setup, line 1",
    ),
    "a mistake": (
        lambda a: a.table.write_text(MISTAKE.replace("axis=0", f"axis={FOREVER}")),
        f"{NAME}, mistakes.yaml, blur, wrong",
    ),
}


@pytest.fixture
def haste(course):
    """Let an author's code run for a second and a half."""
    config = course / "nbgrader_config.py"
    config.write_text(CONFIG + HASTE)
    yield
    config.write_text(CONFIG)


@pytest.mark.parametrize("fault", ENDLESS)
def test_a_loop_that_never_ends_is_said_with_its_place(author, rooms, haste, fault):
    spoil, place = ENDLESS[fault]
    spoil(author)
    said = "it still runs after 1.5 s, all that a submission may take; does a loop never end?"
    (found,) = problems(author, rooms)
    assert found.endswith(f"{place}: {said}")


TEMPLATES = """\
python3:
    setup: ""
    dispatch: "type({{snippet}})"
    normalize: "str({{snippet}})"
    check: 'assert {{snippet}} == {{value}}'
    templates:
        default:
            - test: "{{snippet}}"
              fail: "{{snippet}} is not right"
"""


@pytest.mark.parametrize("command", ["check", "release", "prove", "grade", "example"])
def test_an_autotest_that_never_ends_is_a_line(course, author, haste, monkeypatch, capsys, command):
    (course / "autotests.yml").write_text(TEMPLATES)
    author.cell("test-blur").source = f"### AUTOTEST {FOREVER}"
    nbformat.write(author.notebook, author.path)
    assert call(monkeypatch, command, NAME, *["blur"] * (command == "example")) == 1
    said = "it still runs after 1.5 s, all that a submission may take; does a loop never end?"
    assert capsys.readouterr().err == f"test_blur, `type({FOREVER})`: {said}\n"


ON_FEW = f"axis={FOREVER} if len(x) > 3 else 0"  # not on the example, of 3 rows


@pytest.mark.parametrize("command", ["prove", "grade"])
def test_a_mistake_that_never_ends_on_hidden_data_is_a_line(
    course, author, haste, monkeypatch, capsys, command
):
    """By the time of its calls; `grade` says it where it might be what a student made."""
    author.table.write_text(MISTAKE.replace("axis=0", ON_FEW))
    assert call(monkeypatch, "release", NAME) == 0
    hand_in(course / "release" / NAME, course / "submitted" / "one" / NAME, "blur", "x[0] + 1")
    assert call(monkeypatch, command, NAME) == 1
    said = "it still runs after 0.8 s, all that its calls may take; does a loop never end?"
    assert f"{NAME}, mistakes.yaml, blur, wrong: {said}\n" in capsys.readouterr().err
    shutil.rmtree(course / "submitted")


def hand_in(released, folder, function, value):
    """Hand in a function that returns something."""
    notebook = nbformat.read(released / f"{NAME}.ipynb", as_version=4)
    cell = next(cell for cell in notebook.cells if cell.id == function)
    cell.source = f"def {function}(x):\n    return {value}"
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / f"{NAME}.ipynb")


@pytest.mark.parametrize("command", ["example", "grade"])
def test_a_solution_that_never_ends_is_a_line(course, author, haste, monkeypatch, capsys, command):
    assert call(monkeypatch, "release", NAME) == 0
    (course / "submitted" / "one" / NAME).mkdir(parents=True)
    author.replace("blur", "return x - mean", f"return {FOREVER}")
    nbformat.write(author.notebook, author.path)
    assert call(monkeypatch, command, NAME, *["blur"] * (command == "example")) == 1
    said = "it still runs after 1.5 s, all that a submission may take; does a loop never end?"
    assert capsys.readouterr().err.endswith(f"{NAME}, blur, line 18: {said}\n")
    shutil.rmtree(course / "submitted")


def test_the_same_is_said_once(author, rooms):
    author.replace("blur", "return x - mean", "return x - maen")
    found = problems(author, rooms)
    assert found and len(found) == len(set(found))


def test_what_is_in_order_is_told_nothing_about(author, rooms):
    assert problems(author, rooms) == []


def test_a_second_check_of_a_function_may_be_called_otherwise(author, rooms):
    cell = nbformat.from_dict(author.cell("check-blur"))
    more = nbformat.from_dict({**cell, "id": "check-blur-2"})
    more.metadata["nbgrader"] = {**cell.metadata["nbgrader"], "grade_id": "check_blurr"}
    author.notebook.cells.insert(author.notebook.cells.index(author.cell("check-blur")), more)
    assert problems(author, rooms) == []


@pytest.mark.parametrize("number", ["0.99999998", "-1.00000002", "0.000000012345678"])
def test_saturated_numbers_are_no_secret(author, rooms, number):
    author.replace("edges", "return x - mean", "return np.tanh(30 * (x - mean))")
    author.replace("about-edges", "with its formula", number)
    lines = [line for line in problems(author, rooms) if "the expected value" in line]
    assert lines == []


def test_lines_between_marks_of_the_course_are_secret(course, author, rooms):
    config = course / "nbgrader_config.py"
    lines = (
        'c.ClearSolutions.begin_solution_delimeter = "<<<"',
        'c.ClearSolutions.end_solution_delimeter = ">>>"',
    )
    for name in ("blur", "edges"):
        author.replace(name, "### BEGIN SOLUTION", "# <<<")
        author.replace(name, "### END SOLUTION", "# >>>")
    author.replace("about-blur", "with its formula", "`return x - mean`")
    config.write_text("\n".join([CONFIG, *lines]))
    try:
        found = problems(author, rooms)
    finally:
        config.write_text(CONFIG)
    assert ["the line `return x - mean`" in line for line in found] == [True], found


def test_lines_that_students_have_anyway_are_no_secret(author, rooms):
    """Imports, and code of stubs and of visible tests; a docstring gives a line away."""
    author.replace("setup", "import numpy as np", "import numpy as np\nfrom math import sqrt")
    author.replace("blur", "mean = x", "from math import sqrt\n    result = mean = x")
    author.replace("blur", "return x - mean", "result = x - mean\n    return result")
    author.replace("blur", "    ### BEGIN", "    result = None\n    ### BEGIN")
    author.cell("blur").source += "\n    return result"
    author.replace("test-blur", "# 25 points.", "assert callable(blur)\n# 25 points.")
    author.replace("test-blur", "test.score()", "assert callable(blur)\ntest.score()")
    author.table.unlink()  # its edits do not fit any more
    assert problems(author, rooms) == []
    author.replace("edges", "formula (2)", "formula (2)\n    return x - mean\n")
    assert [line for line in problems(author, rooms) if "the line `return x - mean`" in line]


def secret_number(course):
    """Return one of the numbers that the hidden test of the new assignment expects."""
    names = {}
    text = "import numpy as np\nx = np.random.default_rng([11]).standard_normal((6, 5))"
    exec(text, names)
    x = names["x"]
    return f"{(x - x.mean(axis=1, keepdims=True))[0, 0]:.9g}"


def test_allowed_secrets_may_be_seen(course, author, rooms):
    number, line = secret_number(course), "mean = x.mean(axis=1, keepdims=True)"
    author.replace("about-blur", "with its formula", f"`{line}` and {number}")
    found = problems(author, rooms)
    assert len(found) == 2
    assert f"students would see the expected value {number} in `Say what" in found[1]
    author.table.write_text(f"allow:\n  - {line}\n  - {number}\n")
    assert problems(author, rooms) == []


@pytest.mark.parametrize("command", ["check", "release", "prove", "grade"])
def test_a_source_that_is_no_notebook_is_a_line(author, monkeypatch, capsys, command):
    text = author.path.read_text()
    author.path.write_text(text.replace("\n", "\n<<<<<<< HEAD\n", 1))
    assert call(monkeypatch, command, NAME) == 1
    said = f"source/{NAME}/{NAME}.ipynb is no notebook: "
    assert capsys.readouterr().err == f"{said}line 2 begins a merge conflict\n"
    author.path.write_text("[]")
    assert call(monkeypatch, command, NAME) == 1
    assert capsys.readouterr().err == f"{said}damaged, or of another kind\n"


def test_release_that_fails_changes_nothing(course, author, monkeypatch, capsys):
    """By our command and by nbgrader's own: the release before stays, and a line tells why."""
    assert call(monkeypatch, "release", NAME) == 0
    folder = course / "release" / NAME
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    author.replace("blur", "return x - mean", "return x - (mean")
    nbformat.write(author.notebook, author.path)
    assert call(monkeypatch, "release", NAME) == 1
    said = capsys.readouterr()
    assert "blur: line 18 is no Python" in said.out
    assert said.err == f"{NAME}: 1 to mend, and nothing was changed\n"
    assert not enter_course().generate_assignment(NAME, force=True)["success"]
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def call(monkeypatch, *arguments):
    """Run a command; return its exit code."""
    monkeypatch.setattr(sys, "argv", ["grading", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    return end.value.code


def test_grade_stops_where_the_assignment_is_not_in_order(course, author, monkeypatch, capsys):
    """It was never released, so that `grade` does it; no other command has looked at it."""
    shutil.rmtree(course / "release", ignore_errors=True)
    (course / "gradebook.db").unlink(missing_ok=True)
    (course / "submitted" / "somebody" / NAME).mkdir(parents=True)
    for spoil, said in (FAULTS["points of the cell"], FAULTS["an id twice"]):
        author.notebook = nbformat.read(author.path, as_version=4)
        spoil(author)
        nbformat.write(author.notebook, author.path)
        assert call(monkeypatch, "grade", NAME) == 1
        assert f"{NAME}, {said}" in capsys.readouterr().err


def test_translators_are_told_of_which_assignment_a_table_cannot_be_read(
    author, course, tmp_path, monkeypatch
):
    monkeypatch.setattr(translating, "CATALOGUES", tmp_path)
    author.table.write_text("blur: [\n")
    with pytest.raises(CourseError, match=f"^{NAME}, mistakes.yaml, line 2: "):
        list(translating.write_language(course, "eo"))
    assert not (course / "source" / NAME / "eo").exists()


def test_grade_says_first_where_no_answer_can_earn_all_points(course, author, monkeypatch, capsys):
    """What a plain test counts is what is earned, as in stock nbgrader: the class is marked."""
    author.cell("test-blur").source = "blur(np.ones((2, 3)))\n20"
    nbformat.write(author.notebook, author.path)
    assert enter_course().generate_assignment(NAME, force=True)["success"]  # nobody checks it
    hand_in(course / "release" / NAME, course / "submitted" / "one" / NAME, "blur", "x")
    capsys.readouterr()
    assert call(monkeypatch, "grade", NAME) == 0
    said = (
        "test_blur: the solution itself earns 20 of 25 points: 20 of 25 points, as the test counts"
    )
    assert capsys.readouterr().err.splitlines()[0] == f"{NAME}, {said}"
    shutil.rmtree(course / "submitted")
