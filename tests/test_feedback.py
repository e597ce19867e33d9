"""What students get back: their marks, what is wrong and where, and no secret of the course."""

import base64
import copy
import html
import json
import re
from itertools import zip_longest
from pathlib import Path
from urllib.parse import quote

import nbformat
import numpy as np
import pytest
from browser import chromium, serious_violations, view_of
from nbconvert.exporters import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell
from nbgrader.api import Gradebook
from nbgrader.preprocessors import ClearHiddenTests
from ours import ASSIGNMENTS

from grading.authoring.leaks import secrets_of, texts_of
from grading.book import Book, CellGrade, Entry, Place
from grading.demo import plain
from grading.feedback import Pages
from grading.feedback.pictures import picture
from grading.feedback.text import Prose, mathml
from grading.intake.folder import read_folder
from grading.intake.merge import Frame
from grading.intake.submission import take_in
from grading.marking.hidden_data import read_secret
from grading.marking.naming import Outcomes
from grading.marking.notebook import mark_notebook
from grading.marking.result import RECORD, read_result
from grading.marking.where import where_wrong
from grading.nbgrader_plugins import prepare_process
from grading.outcomes import Finding
from grading.rooms import Nursery
from grading.run.certificate import CellMark, Certificate
from grading.run.worker import announce
from grading.source import read_assignment, read_source
from grading.source.cells import grade_id, is_students, is_test, with_answers

REPO = Path(__file__).parents[1]
ASSIGNMENT = "rnn_lstm_forward"
SOURCE = read_source(ASSIGNMENT, REPO)
PAGES = Pages(read_assignment(ASSIGNMENT, REPO))
SOLUTION = plain(SOURCE.answers)
VERSIONS = {version.name: version for version in SOURCE.versions}
SAMPLE = ["bias_ba_dropped", "a0_at_every_step", "gate_biases_dropped", "first_step_left_out"]
RIGHT = ["np_dot", "one_list_unzipped"]
STUBS = {name: f"def {name}(*_):\n    raise NotImplementedError()" for name in SOLUTION}
UNREADABLE = f"{ASSIGNMENT}.ipynb is no notebook from line 1 on: damaged, or not saved by Jupyter"
NEWER = 'greeting = t"hello'  # no Python reads it, and 3.14 almost
STOPS = """
def rnn_cell_forward(xt, a_prev, parameters):
    z = xt @ parameters["Wax"] + parameters["ba"]
    return np.tanh(z), None, None
"""
NOTES = """# My notes

I think that $a^2 < b$, $\\text{<b>bold</b>}$ and $\\nonsense{x}$; 1 < 2 & 3 > 2.

![a photo](http://example.org/photo.png)

<script>alert("text")</script>
"""
SHOWS = """
from IPython.display import HTML, Javascript, display
display(HTML('<b>bold</b><script>alert("html")</script><img src=x onerror=alert(1)>'))
display(Javascript('alert("javascript")'))
print("<script>alert('printed')</script>")
1 / 0
"""


# ------------------------------------------------------- the marked notebooks


def write_work(folder, answers, *own):
    """Hand in the student version with these solutions and own cells."""
    release = nbformat.read(REPO / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb", as_version=4)
    notebook = with_answers(release, answers)
    notebook.cells[7:7] = own
    folder.mkdir()
    nbformat.write(notebook, folder / "my work.ipynb")


def sorted_out(folder):
    """Return what intake makes of what was handed in."""
    frames = {ASSIGNMENT: Frame(SOURCE.notebook)}
    intake = take_in(read_folder(folder, [ASSIGNMENT]), frames, ASSIGNMENT)
    part = intake.parts[ASSIGNMENT]
    announce(part, part.notebook, intake.notes, {})
    return part.notebook


@pytest.fixture(scope="module")
def marked(tmp_path_factory):
    """Mark a few submissions; return the notebooks by the student's name."""
    folder = tmp_path_factory.mktemp("submitted")
    versions = {name: {VERSIONS[name].function: VERSIONS[name].text} for name in SAMPLE + RIGHT}
    right = SOLUTION["rnn_cell_forward"]
    unheard_of = right.replace("np.tanh(", "0.5 + np.tanh(1.25 * ")
    answers = {
        "right": {},
        "unheard of": {"rnn_cell_forward": unheard_of},
        "half": {
            "lstm_cell_forward": STUBS["lstm_cell_forward"],
            "rnn_forward": f"{SOLUTION['rnn_forward']}\n{NEWER}\n",
            "lstm_forward": SOLUTION["lstm_forward"].replace("    caches = []", "    input()"),
            **versions["bias_ba_dropped"],
        },
        "stops": {
            "rnn_cell_forward": STOPS,
            "rnn_forward": SOLUTION["rnn_forward"].replace(
                "caches = []", "caches = __import__('collections').deque()"
            ),
        },
        "zeros": {"rnn_cell_forward": right.replace("np.tanh(", "0 * np.tanh(")},
        "infinite": {"rnn_cell_forward": right.replace("np.tanh(", "np.inf * np.tanh(")},
        **versions,
    }
    own = [new_markdown_cell(NOTES), new_code_cell(SHOWS)]
    for student, changed in answers.items():
        cells = own if student == "half" else []
        write_work(folder / student, plain({**SOLUTION, **changed}), *cells)
    (folder / "unreadable").mkdir()
    (folder / "unreadable" / f"{ASSIGNMENT}.ipynb").write_text("<html>")
    notebooks = {each.name: sorted_out(each) for each in folder.iterdir()}
    assert notebooks["unreadable"].metadata.intake == {
        "status": "unreadable",
        "notes": [UNREADABLE],
        "language": "en",
    }
    outcomes = Outcomes(SOURCE)
    with Nursery(hidden=[REPO]) as rooms:
        for notebook in notebooks.values():
            mark_notebook(notebook, outcomes, rooms)
    return notebooks


@pytest.fixture(scope="module")
def pages(marked, tmp_path_factory):
    """Write the page of each student; return the files by the student's name."""
    folder = tmp_path_factory.mktemp("feedback")
    files = {student: folder / f"{student}.html" for student in marked}
    for student, file in files.items():
        file.write_text(PAGES.page(ASSIGNMENT, marked[student], Entry(student)), "utf-8")
    return files


def text_of(page):
    """Return what is read on a page, white space squeezed."""
    page = re.sub(r"<(head|svg)\b.*?</\1>", "", page, flags=re.DOTALL)
    page = re.sub(r"</?(?:td|th|tr|p|h\d|li|summary|figcaption|pre)\b", r" \g<0>", page)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", page)).split())


def cell_testing(notebook, function):
    """Return the cell that tests a function."""
    return next(c for c in notebook.cells if is_test(c) and grade_id(c) == f"test_{function}")


def result_of(notebook, function):
    """Return what the test of a function found."""
    return read_result(cell_testing(notebook, function))


# ------------------------------------------------------------------ what it says


@pytest.mark.parametrize("student", SAMPLE + RIGHT + ["right", "unheard of", "half"])
def test_page_tells_marks_and_every_check(marked, pages, student):
    text = text_of(pages[student].read_text("utf-8"))
    results = [result_of(marked[student], function) for function in SOLUTION]
    assert [result.function for result in results] == list(SOLUTION)
    assert f"{sum(result.points for result in results):g} of 100 points" in text
    for result in results:
        assert f"{result.function} {result.points:g} of 25 points" in text
        assert len(result.checks) >= 8
        for check in result.checks:
            if not check.wrong:
                assert f"{check.kind}: right {check.earned:g} of {check.points:g}" in text
                continue
            line = f"{str(check.wrong).replace('`', '')}."
            several = [str(c.wrong) for c in result.checks].count(str(check.wrong)) > 1
            # One line for all that have the same sentence.
            assert (": " if several else f"{check.kind}: ") + line in text
            assert re.search(rf"{re.escape(line)} .*?\b0 of \d+", text)


@pytest.mark.parametrize("student", SAMPLE)
def test_page_names_the_mistake(pages, student):
    text = text_of(pages[student].read_text("utf-8"))
    assert text.count("A known mistake.") == 1
    assert f"A known mistake. {VERSIONS[student].sentence.replace('`', '')}" in text


@pytest.mark.parametrize("student", [*RIGHT, "right", "unheard of"])
def test_page_names_no_mistake_where_none_is_known(pages, student):
    assert "A known mistake." not in text_of(pages[student].read_text("utf-8"))


def test_every_sentence_of_the_table_reaches_the_page_whole(marked):
    notebook = copy.deepcopy(marked["right"])
    mistakes = {
        name: [v for v in VERSIONS.values() if v.is_mistake and v.function == name]
        for name in SOLUTION
    }
    for together in zip_longest(*mistakes.values()):  # one of each function on a page
        for name, version in zip(SOLUTION, together, strict=True):
            record = cell_testing(notebook, name).outputs[-1].metadata[RECORD]
            record["mistake"] = version.name if version else ""
            record["sentence"] = version.sentence if version else ""
        text = text_of(PAGES.page(ASSIGNMENT, notebook, Entry("anna")))
        for version in filter(None, together):
            assert f"A known mistake. {version.sentence.replace('`', '')}" in text


def test_page_says_where_the_right_function_took_the_place_of_a_wrong_one(pages):
    said = "rnn_forward 25 of 25 points Marked with the right rnn_cell_forward in place of yours."
    assert said in text_of(pages["bias_ba_dropped"].read_text("utf-8"))
    assert "in place of yours" not in text_of(pages["right"].read_text("utf-8"))


IN_PART = (
    "Checks of anything but values (types, shapes and the like) count in the proportion in which"
    " the values are right."
)
NONE_RIGHT = "m = 1: looks at the values that were right above, and none was."


def test_page_says_why_what_is_right_may_earn_less_and_what_an_edge_case_looks_at(marked, pages):
    text = text_of(pages["zeros"].read_text("utf-8"))
    assert "types: right 0 of 1" in text
    assert text.count(IN_PART) == 1
    for student in ("right", "bias_ba_dropped", "unreadable"):  # a known mistake earns them in full
        assert IN_PART not in text_of(pages[student].read_text("utf-8"))
    assert NONE_RIGHT in text
    notebook = copy.deepcopy(marked["zeros"])
    notebook.metadata.intake["language"] = "zh"
    text = text_of(PAGES.page(ASSIGNMENT, notebook, Entry("anna")))
    assert "值以外的检查（类型、形状等）按值正确的比例计分。" in text
    assert "这一项只看上面正确的值，而上面没有一个值正确。" in text


def test_page_shows_where_the_numbers_are_wrong(pages):
    text = text_of(pages["a0_at_every_step"].read_text("utf-8"))
    assert "a, unit by time step. Wrong: every unit at time steps 1 to 6." in text
    assert "Wrong: entries a_next, a_prev at time steps 1 to 6." in text
    for student in ("right", "bias_ba_dropped"):  # nothing is wrong, or all of it
        assert pages[student].read_text("utf-8").count("<figure>") == 0


def test_page_marks_the_line_that_stops_and_says_where_to_read(pages):
    source = pages["stops"].read_text("utf-8")
    lines = re.findall("<mark>.*</mark>", source)
    assert [text_of(line) for line in lines] == ['z = xt @ parameters["Wax"] + parameters["ba"]']
    text = text_of(source)
    assert "xt is (n_x, m), parameters['Wax'] is (n_a, n_x); the columns of the left" in text
    assert "Read 1.1 One RNN cell, formulas (1) and (2), again." in text
    links = re.findall(r'<a href="#(read-[^"]+)"', source)
    assert links and all(source.count(f'id="{link}"') == 1 for link in links)


def test_a_type_that_does_not_cross_costs_its_own_points_alone(marked):
    result = result_of(marked["stops"], "rnn_forward")
    assert [check.kind for check in result.checks if check.wrong] == ["types"]
    assert result.checks[0].wrong.fields["kind"].fields == {"type": "deque"}
    assert (result.points, result.mistake) == (24, "")


def test_page_marks_the_line_that_does_not_parse_and_says_what_input_is(pages):
    source = pages["half"].read_text("utf-8")
    assert "its cell stopped with SyntaxError" in source
    assert f"<mark>{NEWER}</mark>" in html.unescape(re.sub("</?span[^>]*>", "", source))
    assert "the line may be of a newer one" in source
    assert "input() waits for somebody who types" in html.unescape(source)


def test_page_of_an_unreadable_submission_says_why_and_shows_no_notebook(pages):
    text = text_of(pages["unreadable"].read_text("utf-8"))
    assert f"Nothing could be graded {UNREADABLE}" in text
    assert "0 of 100 points" in text
    assert "Your notebook" not in text


def test_page_tells_what_was_put_right(pages):
    text = text_of(pages["right"].read_text("utf-8"))
    assert f"not {ASSIGNMENT}.ipynb but my work.ipynb was read" in text


def test_page_shows_what_the_student_wrote_as_text(pages):
    source = pages["half"].read_text("utf-8")
    shown = text_of(source)
    assert "A cell of your own My notes I think that" in shown
    # A space takes the meaning of a tag away, whoever renders it.
    assert "\\text{< b>bold< /b>} and \\nonsense{x}; 1 < 2 & 3 > 2." in shown
    assert '[picture: a photo] < script>alert("text")< /script>' in shown
    assert "<script>alert('printed')</script>" in shown
    assert "ZeroDivisionError: division by zero" in shown
    assert "<b>bold</b>" in source  # its HTML output, cleaned
    assert not re.search(r"<script|<img src=x|onerror=[^&]*>|alert\(.javascript", source)


def test_a_cell_of_a_students_own_has_the_number_by_which_errors_call_it(marked, pages):
    (own,) = (cell for cell in marked["half"].cells if cell.source == SHOWS)
    (error,) = (output for output in own.outputs if output.output_type == "error")
    name = error.traceback[0].partition(",")[0]
    assert re.fullmatch(r"cell \d+", name)
    assert f"A cell of your own: {name}" in text_of(pages["half"].read_text("utf-8"))


def test_a_test_that_broke_off_is_no_blank(marked):
    notebook = copy.deepcopy(marked["right"])
    next(cell for cell in notebook.cells if is_test(cell)).outputs = []
    text = text_of(PAGES.page(ASSIGNMENT, notebook, Entry("anna")))
    assert "rnn_cell_forward 0 of 25 points Its tests did not come to an end." in text
    assert "75 of 100 points" in text


# ------------------------------------------------------- what a person adds


@pytest.fixture
def book():
    """Yield a grade book in which a person changed points, wrote a comment, and it is late."""
    names = (ASSIGNMENT, ASSIGNMENT)
    prepare_process()
    with Gradebook("sqlite://") as book:  # in memory
        book.add_assignment(ASSIGNMENT)
        book.add_notebook(ASSIGNMENT, ASSIGNMENT)
        for name in SOLUTION:
            book.add_grade_cell(f"test_{name}", *names, max_score=25, cell_type="code")
            book.add_solution_cell(name, *names)
        book.add_student("anna")
        book.add_submission(ASSIGNMENT, "anna")
        for name in SOLUTION:
            book.find_grade(f"test_{name}", *names, "anna").auto_score = 25
        book.find_grade("test_rnn_forward", *names, "anna").manual_score = 20
        book.find_comment("rnn_forward", *names, "anna").manual_comment = "Nice,\nbut <slow>."
        book.find_comment("lstm_forward", *names, "anna").auto_comment = "No response."
        book.find_submission_notebook(*names, "anna").late_submission_penalty = 7.5
        book.db.commit()
        yield book


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # nbgrader 0.9.6
def test_page_tells_what_a_person_changed(book, marked):
    entry = Book(book).read_entry(ASSIGNMENT, "anna")
    text = text_of(PAGES.page(ASSIGNMENT, marked["right"], entry))
    assert "Feedback for anna Recurrent networks: the forward pass 87.5 of 100 points" in text
    assert "handed in late −7.5 total 87.5 100" in text
    changed = "rnn_forward 20 of 25 points Changed by a person: the tests gave 25."
    assert f"{changed} Comment Nice, but <slow>." in text
    assert text.count("Changed by a person") == text.count("Comment") == 1


COMMENT = """See **which** `t` is
read, and $a^2$; [the book](https://example.org/?a=1&b=2).

- one <b onclick="alert(1)">bold</b>
- ![a photo](https://example.org/a.png) [x](javascript:alert(1)) <javascript:alert(1)>

<script>alert(1)</script>
"""
SHOWN = """<p>See <strong>which</strong> <code>t</code> is
read, and <math"""


@pytest.mark.parametrize("cell", ["rnn_forward", "own-words"])
def test_a_comment_is_markdown_and_brings_in_no_html(marked, cell):
    notebook = copy.deepcopy(marked["right"])
    settings = {"grade": False, "solution": True, "grade_id": "own-words"}
    notebook.cells.append(new_markdown_cell("It forgets.", metadata={"nbgrader": settings}))
    page = PAGES.page(
        ASSIGNMENT, notebook, Entry("anna", comments={Place(ASSIGNMENT, cell): COMMENT})
    )
    said = re.search(r"<strong>Comment</strong></p>\n(.*?)</div>", page, re.DOTALL)[1]
    assert said.startswith(SHOWN)
    assert '<a href="https://example.org/?a=1&amp;b=2">the book</a>' in said
    assert said.count("<a ") == 1
    assert "<li>one &lt;b onclick=" in said
    assert "[picture: a photo] x" in said
    tags = set(re.findall(r"</?([a-z]+)", said))
    assert tags <= {"p", "strong", "code", "a", "ul", "li", "math", "mrow", "msup", "mi", "mn"}
    assert "**" not in text_of(said)


def test_a_cell_that_waits_for_a_person_says_so(marked):
    notebook = copy.deepcopy(marked["right"])
    settings = {"grade": True, "solution": True, "grade_id": "essay", "points": 10}
    notebook.cells.append(new_markdown_cell("It forgets.", metadata={"nbgrader": settings}))
    text = text_of(PAGES.page(ASSIGNMENT, notebook, Entry("anna")))
    assert "100 of 110 points" in text
    assert "essay not marked yet" in text
    essay = Place(ASSIGNMENT, "essay")
    for waits in (False, True):
        grade = CellGrade(8.0, None, waits, manual_points=None if waits else 8.0)
        entry = Entry("anna", grades={essay: grade}, comments={essay: "Why?"})
        text = text_of(PAGES.page(ASSIGNMENT, notebook, entry))
        assert ("essay not marked yet" in text) is waits
        assert ("essay 8 of 10 points Comment Why?" in text) is not waits


def test_nbgrader_writes_this_page_and_nothing_beside(course):
    pages = Pages(read_assignment(ASSIGNMENT, course.root))
    with Gradebook(f"sqlite:///{course.root}/gradebook.db") as book:
        for student in ("mistaken", "Zoë O'Neill"):
            folder = course.root / "feedback" / student / ASSIGNMENT
            marked = course.root / "autograded" / student / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
            notebook = nbformat.read(marked, as_version=4)
            entry = Book(book).read_entry(ASSIGNMENT, student)
            assert [file.name for file in folder.iterdir()] == [f"{ASSIGNMENT}.html"]
            written = (folder / f"{ASSIGNMENT}.html").read_text("utf-8")
            assert written == pages.page(ASSIGNMENT, notebook, entry)


# --------------------------------------------------------- where it is wrong


def places(shape, *wrong):
    """Return an array, and one that is wrong in these places."""
    right = np.ones(shape)
    actual = right.copy()
    for place in wrong:
        actual[place] = np.nan
    return actual, right


@pytest.mark.parametrize(
    ("values", "time_axis", "rows", "kinds"),
    [
        (places((2, 4, 3), (0, 3, 2), (1, 0, 0)), 2, ["001", "100"], ("unit", "time step")),
        (places((4, 3, 2), (3, 2, 0), (0, 0, 1)), 1, ["001", "100"], ("unit", "time step")),
        (places((2, 4), (0, 3)), 2, ["0001", "0000"], ("unit", "example")),
        (places((4, 2), (3, 0)), 1, ["0001", "0000"], ("unit", "example")),
        (places((2, 3), (0, 1)), 2, ["010", "000"], ("row", "column")),
    ],
)
def test_places_are_told_by_units(values, time_axis, rows, kinds):
    where = where_wrong(*values, ["c"], 4, time_axis)
    assert where == {"row": kinds[0], "column": kinds[1], "wrong": rows}


def test_right_values_have_no_places():
    assert where_wrong(*places((2, 4, 3)), ["c"], 4, 2) == {}


def test_picture_has_its_text():
    where = {"row": "unit", "column": "time step", "wrong": ["0110", "0110", "0000", "1111"]}
    shown = picture("a", where)
    assert str(shown.text) == (
        "Wrong: units 0 to 1 at time steps 1 to 2; unit 3 at every time step."
    )
    assert shown.squares(wrong=True).count("M") == 8
    assert shown.squares(wrong=False).count("M") == 8


# ------------------------------------------------------------------- formulas


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_every_formula_and_picture_is_in_the_page_itself_and_no_link_is_dead(assignment):
    source = read_source(assignment, REPO)
    prose_of = Prose(source.files, {})
    for cell in source.notebook.cells:
        if cell.cell_type == "markdown":
            made = prose_of.markdown(cell.source)
            prose = re.sub(r"<pre.*?</pre>|<code>[^<]*</code>", "", made, flags=re.DOTALL)
            assert "$" not in prose
            assert not re.search(r"\\[a-z]+", re.sub(r'="[^"]*"', "", made))
            assert "[picture:" not in made
            assert not re.findall(r'src="(?!data:)', made)
            assert not re.findall(r'href="(?!https://)', made)


@pytest.mark.parametrize(
    "formula",
    [
        r"\text{<b>x</b>}",
        r"\text{</math><script>alert(1)</script>}",
        r"\href{javascript:alert(1)}{x}",
        r"\style{position:fixed}{x}",
        r"\class{x}{y}",
        r'\color{"><b>}x',
        r"\begin{array}",
        "{" * 2000,
    ],
)
def test_a_formula_brings_in_nothing_but_mathematics(formula):
    assert mathml(formula) == f"<code>{html.escape(formula)}</code>"


# ---------------------------------------------------------------------- leaks


@pytest.fixture(scope="module")
def secrets():
    return secrets_of(read_assignment(ASSIGNMENT, REPO), REPO, read_secret(REPO))


def copy_for_student(notebook):
    """Return the marked notebook without its hidden tests."""
    return ClearHiddenTests().preprocess(copy.deepcopy(notebook), {})[0]


def certificate_of(notebook):
    """Return what the tests found, as in a certificate."""
    results = [result_of(notebook, name) for name in SOLUTION]
    marks = [
        CellMark(ASSIGNMENT, f"test_{r.function}", r.points, r.max_points, r.points, r)
        for r in results
    ]
    return Certificate("anna", ASSIGNMENT, "graded", [], cells=marks)


def scan_returned(path, secrets, notebook):
    """Return the secrets in a file that goes back to a student, less what the student wrote."""
    own = secrets.without("\n".join(c.source for c in notebook.cells if is_students(c)))
    found = (what for _, text in texts_of(path) for what in own.find(text))
    return [f"{path.name}: {what}" for what in dict.fromkeys(found)]


def test_what_students_get_back_tells_no_secret(tmp_path, secrets, marked, pages):
    for student, notebook in marked.items():
        (tmp_path / "copy.ipynb").write_text(json.dumps(copy_for_student(notebook)))
        certificate_of(notebook).write(tmp_path)
        for file in (pages[student], tmp_path / "copy.ipynb", tmp_path / "anna.json"):
            assert scan_returned(file, secrets, notebook) == []


def test_numbers_that_json_lacks_are_not_in_what_is_kept(tmp_path, marked):
    wrong = [str(each.wrong) for each in result_of(marked["infinite"], "rnn_cell_forward").checks]
    assert "`a_next` is wrong in every place" in wrong
    asked = "what was divided by zero, or too large for exp?"
    assert f"`yt_pred` is NaN in every place; {asked}" in wrong
    json.dumps(marked["infinite"], allow_nan=False)
    certificate_of(marked["infinite"]).write(tmp_path)
    json.dumps(json.loads((tmp_path / "anna.json").read_bytes()), allow_nan=False)


def test_scan_subtracts_only_what_the_student_wrote(secrets, marked, pages):
    found = scan_returned(pages["right"], secrets, marked["half"])
    assert "right.html: the line `c_next = ft * c_prev + it * cct`" in found
    assert not any("parameters[name] for name" in line for line in found)


def drawn(text):
    return quote(f"<svg><text>{text}</text></svg>")


PLACES = {
    "text, highlighted": lambda page, text: page.replace(
        "</main>", f"<pre>{''.join(f'<span>{html.escape(c)}</span>' for c in text)}</pre></main>"
    ),
    "comment": lambda page, text: page.replace("</main>", f"<!-- {text} --></main>"),
    "alternative text": lambda page, text: page.replace(
        "</main>", f'<img alt="{html.escape(text)}"></main>'
    ),
    "picture": lambda page, text: page.replace(
        "</main>", f'<img alt="" src="data:image/svg+xml,{drawn(text)}"></main>'
    ),
    "picture in base64": lambda page, text: page.replace(
        "</main>", f'<img alt="" src="data:x;base64,{base64.b64encode(text.encode()).decode()}">'
    ),
}
SECRETS = {
    "hidden test": "test.call(**rnn_inputs(seed=21, n_x=4, n_a=6, n_y=3, m=5, T_x=7))",
    "solution": "    c_next = ft * c_prev + it * cct",
    "expected value": "",
    "course path": f'File "{REPO}/source/{ASSIGNMENT}/{ASSIGNMENT}.ipynb"',
}


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("place", [*PLACES, "copy", "certificate"])
def test_scan_finds_a_secret_wherever_it_stands(tmp_path, secrets, marked, pages, kind, place):
    secret = SECRETS[kind] or f"{secrets.values[100]:.9g}"
    notebook = marked["half"]
    if place in PLACES:
        file = tmp_path / "page.html"
        file.write_text(PLACES[place](pages["half"].read_text("utf-8"), secret), "utf-8")
    elif place == "copy":
        file, planted = tmp_path / "copy.ipynb", copy_for_student(notebook)
        planted.cells[4].outputs = [{"output_type": "stream", "text": [secret]}]
        file.write_text(json.dumps(planted))
    else:
        file, planted = tmp_path / "anna.json", certificate_of(notebook)
        planted.cells[2].result.checks[0].wrong = Finding("{said}", {"said": secret})
        planted.write(tmp_path)
    assert len(scan_returned(file, secrets, notebook)) >= 1


# ---------------------------------------------------------------- in a browser

LOOKED_AT = ["right", "a0_at_every_step", "unreadable", "half"]
MEASURE = """() => ({
    wide: document.documentElement.scrollWidth - innerWidth,
    headings: [...document.querySelectorAll('h1, h2, h3, h4')].map(h => +h.tagName[1]),
    flat: [...document.querySelectorAll('math, img, figure svg')].filter(
        e => !e.getBoundingClientRect().width || e.naturalWidth === 0).length,
    formulas: document.querySelectorAll('math').length,
    scripts: document.scripts.length,
})"""


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def looks():
    """Looks of texts that were held against what is behind them: once for all pages."""
    return set()


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (360, True)])
def test_pages_ask_for_nothing_and_are_accessible(browser, looks, pages, width, dark):
    view = view_of(browser, "about:blank", width, dark)
    for student in LOOKED_AT:
        view.open(pages[student])
        everything = student == "half"  # the assignment's text is in all of them
        if everything:
            unfold = "details => details.forEach(each => each.open = true)"
            view.page.locator("details").evaluate_all(unfold)
        seen = view.page.evaluate(MEASURE)
        assert (seen["wide"], seen["scripts"]) == (0, 0), student
        assert (seen["formulas"] > 50, seen["flat"]) == (True, 0) or not everything
        assert seen["headings"].count(1) == 1
        steps = zip(seen["headings"], seen["headings"][1:], strict=False)
        assert all(after - before <= 1 for before, after in steps)
        assert serious_violations(view.page, seen=looks) == []
    assert (view.requests, view.errors) == ([], [])
    view.page.close()


def test_exports_of_the_student_notebooks_are_accessible(browser, looks, tmp_path):
    exporter = HTMLExporter(embed_images=True, mathjax_url="", require_js_url="")
    view = view_of(browser, "about:blank")
    for folder in (REPO / "release" / assignment for assignment in ASSIGNMENTS):
        resources = {"metadata": {"path": str(folder), "name": folder.name}}
        notebook = nbformat.read(folder / f"{folder.name}.ipynb", as_version=4)
        made, _ = exporter.from_notebook_node(notebook, resources)
        (tmp_path / "notebook.html").write_text(made, "utf-8")
        view.open(tmp_path / "notebook.html")
        # nbconvert's own colours of code and of prompts are too pale, whatever the notebook
        view.page.evaluate(WITHOUT_COLOURS_OF_CODE)
        pale = (".highlight", ".jp-InputPrompt")
        assert serious_violations(view.page, but=pale, seen=looks) == [], folder.name
    view.page.close()


WITHOUT_COLOURS_OF_CODE = """
    document.querySelectorAll('.highlight pre').forEach(each => each.textContent = each.textContent)
"""
