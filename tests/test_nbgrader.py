"""nbgrader's own commands and pages in this course, and what it makes of a test cell."""

import copy
import csv
import dataclasses
import json
import math
import shutil
import weakref
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import httpx
import nbformat
import pytest
from conftest import ASSIGNMENT, REPO, Course, shorten_table
from formgrader import TOKEN, jupyter_server
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output
from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI
from nbgrader.exchange import ExchangeFactory
from nbgrader.utils import determine_grade

from grading.authoring.release import known_mistakes
from grading.book import Class, Place
from grading.demo import make_course
from grading.marking.result import RECORD, TestResult, as_plain, read_result, result_of, settle
from grading.run.certificate import CellMark, Certificate, find_certificate
from grading.run.grades_csv import grade_rows, row_of
from grading.sheets import write_rows
from grading.source import Assignment, enter_course, read_assignment, read_source

FUNCTIONS = list(read_source(ASSIGNMENT, REPO).answers)
TOTALS = {"warned": 100.0, "mistaken": 94.0, "Zoë O'Neill": 0.0}


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# --------------------------------------------- times, with whatever time zone


@pytest.mark.parametrize(
    ("name", "student", "moment"),
    [
        ("ada+rnn+2026-01-15 16:50:06 +0545+UmFuZG9tXy1z", "ada", (2026, 1, 15, 11, 5, 6)),
        ("ada+rnn+2026-01-15 16:50:06 +0545", "ada", (2026, 1, 15, 11, 5, 6)),
        (
            "a+da+rnn+2026-07-15 12:00:00.5 CEST+UmFuZG9tXy1z",
            "a+da",
            (2026, 7, 15, 10, 0, 0, 500000),
        ),
        ("ada+rnn+2026-07-15 12:00:00 -03+UmFuZG9tXy1z", "ada", (2026, 7, 15, 15)),
        ("ada+rnn+2026-07-15 12:00:00 UTC", "ada", (2026, 7, 15, 12)),
    ],
)
def test_whose_and_when_is_told_from_the_name_in_the_exchange(name, student, moment):
    application = enter_course()
    collect = ExchangeFactory(config=application.config).collect(
        coursedir=application.coursedir, config=application.config
    )
    record = collect._path_to_record(f"/srv/exchange/rnn/inbound/{name}")
    assert (record["username"], record["timestamp"]) == (student, datetime(*moment))


def test_a_due_date_in_another_time_zone(caplog):
    enter_course()
    due = {"18:00 +0200": 16, "18:00 EST": 23, "18:00 PST": 18, "18:00": 18}
    with Gradebook("sqlite:///:memory:") as book:
        for text, hour in due.items():
            assignment = book.update_or_create_assignment("rnn", duedate=f"2027-01-31 {text}")
            assert assignment.duedate == datetime(2027, 1, 31, hour)
    (line,) = [line for line in caplog.messages if "PST" in line]
    assert '"PST" may be UTC-8 or UTC+8; taken for UTC' in line


# ------------------------------------------------------------- the commands


@pytest.mark.parametrize(
    "name", ["generate_assignment", "autograde", "generate_feedback", "export", "grade"]
)
def test_command_makes_no_noise(course, name):
    for noise in ("Traceback", "SAWarning", "checksum", "without encryption", "not recognized"):
        assert noise not in course.said[name]


def test_generate_assignment_gives_the_committed_release(course):
    made = files_of(course.root / "release" / ASSIGNMENT)
    table = known_mistakes(read_assignment(ASSIGNMENT, course.root))  # shorter than the committed
    committed = files_of(REPO / "release" / ASSIGNMENT) | {"known_mistakes.json": table}
    assert made.keys() == committed.keys()
    assert [name for name in made if made[name] != committed[name]] == []


def test_autograde_marks_the_functions(course):
    marks = course.marks["autograde"]
    assert marks.keys() == TOTALS.keys()
    assert marks["Zoë O'Neill"] == dict.fromkeys(FUNCTIONS, 0.0)
    right = dict.fromkeys(FUNCTIONS, 25.0)
    assert marks["mistaken"] == {**right, course.mistake.function: 19.0}


def test_a_warning_on_standard_error_costs_nothing(course):
    assert course.marks["autograde"]["warned"] == dict.fromkeys(FUNCTIONS, 25.0)


def test_python_m_grading_gives_the_marks_of_autograde(course):
    assert course.marks["grade"] == course.marks["autograde"]


@pytest.mark.parametrize("student", TOTALS)
def test_autograde_writes_the_notebook_with_its_outputs(course, student):
    path = course.root / "autograded" / student / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    tests = [c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade")]
    assert [determine_grade(cell)[0] for cell in tests] == list(
        course.marks["autograde"][student].values()
    )


def test_feedback_names_the_mistake(course):
    pages = {
        student: (course.root / "feedback" / student / ASSIGNMENT / f"{ASSIGNMENT}.html").read_text(
            "utf-8"
        )
        for student in TOTALS
    }
    sentence = course.mistake.sentence.partition("`")[0].strip()
    assert [student for student, page in pages.items() if sentence in page] == ["mistaken"]


def test_export_writes_the_totals(course):
    rows = read_csv(course.root / "marks.csv")
    assert {row["student_id"]: float(row["score"]) for row in rows} == TOTALS
    assert {(row["assignment"], row["max_score"]) for row in rows} == {(ASSIGNMENT, "100.0")}


# ------------------------------------------------------ reports/*/grades.csv


def test_grades_csv_holds_the_marks_of_the_grade_book(course):
    rows = read_csv(course.root / "reports" / ASSIGNMENT / "grades.csv")
    assert list(rows[0]) == ["student_id", "score", "max_score", *FUNCTIONS, "status", "note"]
    assert {row["student_id"]: float(row["score"]) for row in rows} == TOTALS
    assert {(row["max_score"], row["status"]) for row in rows} == {("100.0", "graded")}
    marks = {row["student_id"]: {name: float(row[name]) for name in FUNCTIONS} for row in rows}
    assert marks == course.marks["grade"]
    notes = {row["student_id"]: row["note"] for row in rows}
    assert notes["warned"] == ""
    assert notes["mistaken"] == f"{course.mistake.function}: {course.mistake.name}"
    assert "not written" in notes["Zoë O'Neill"]


def test_grades_csv_is_quoted(tmp_path):
    awkward = 'O\'Neill, "Zoë"\nof 2\r\n; =1'
    cell = CellMark("a", "test_f", 25.0, 25.0, 25.0, record(25.0))
    first = Certificate(awkward, "a", "graded", [awkward], score=25.0, max_score=25.0, cells=[cell])
    second = Certificate("next", "a", "not graded", [], max_score=25.0)
    rows = grade_rows(
        map(row_of, [first, second]), Class("a", None, {Place("a", "test_f"): 25.0}, {})
    )
    write_rows(tmp_path / "grades.csv", rows)
    first, second = read_csv(tmp_path / "grades.csv")
    assert first["student_id"] == first["note"] == awkward
    assert list(second.values()) == ["next", "0.0", "25.0", "0.0", "not graded", ""]


def test_grades_csv_keeps_no_certificates(tmp_path):
    """Of 10,000 they would take 200 MB."""
    read = []

    def certificates() -> Iterator[Certificate]:
        for number in range(3):
            certificate = Certificate(f"s{number}", "a", "graded", [])
            read.append(weakref.ref(certificate))
            yield certificate

    rows = grade_rows(map(row_of, certificates()), Class("a", None, {}, {}))
    assert next(rows)[:1] == ["student_id"]
    assert [each() for each in read[:-1]] == [None, None]  # the last one is at hand
    assert [row[0] for row in rows] == ["s0", "s1", "s2"]


# ---------------------------------------------------------------- formgrader


@pytest.fixture(scope="module")
def served(course: Course, tmp_path_factory) -> Course:
    """Return a copy of the course for the server."""
    root = tmp_path_factory.mktemp("served") / "rnn"
    shutil.copytree(course.root, root)
    return dataclasses.replace(course, root=root)


@pytest.fixture(scope="module")
def fetch(served: Course) -> Iterator[Callable]:
    """Start a Jupyter server in the course; give a function from URL path to the text."""
    with (
        jupyter_server(served.root, served.env) as address,
        httpx.Client(
            base_url=f"{address}/formgrader",
            headers={"Authorization": f"token {TOKEN}"},
            transport=httpx.HTTPTransport(retries=8),  # the line comes before the port is open
            follow_redirects=True,
            timeout=None,  # a busy machine is slow, and not wrong
        ) as client,
    ):

        def get(path: str, method: str = "GET") -> str:
            return client.request(method, path).raise_for_status().text

        yield get


@pytest.mark.parametrize(
    "page",
    [
        "",
        "/manage_assignments",
        f"/manage_submissions/{ASSIGNMENT}",
        "/gradebook",
        f"/gradebook/{ASSIGNMENT}",
        f"/gradebook/{ASSIGNMENT}/{ASSIGNMENT}",
        "/manage_students",
        "/manage_students/mistaken",
        f"/manage_students/mistaken/{ASSIGNMENT}",
    ],
)
def test_formgrader_shows_its_pages(fetch, page):
    assert "<title>nbgrader" in fetch(page)


def test_formgrader_lists_assignment_students_and_scores(fetch):
    assignments = {each["name"]: each for each in json.loads(fetch("/api/assignments"))}
    assert assignments[ASSIGNMENT]["max_score"] == 100
    for table, key in [
        (f"/api/submissions/{ASSIGNMENT}", "student"),
        ("/api/students", "id"),
    ]:
        assert {each[key]: each["score"] for each in json.loads(fetch(table))} == TOTALS


def test_formgrader_shows_a_submission_with_its_marks(fetch, course):
    table = json.loads(fetch(f"/api/submitted_notebooks/{ASSIGNMENT}/{ASSIGNMENT}"))
    first = next(each for each in table if each["student"] == "mistaken")
    assert course.mistake.sentence.partition("`")[0].strip() in fetch(f"/submissions/{first['id']}")


def test_formgrader_buttons_work_and_leave_the_marks(fetch, served):
    for button in (
        f"/api/assignment/{ASSIGNMENT}/assign",
        f"/api/submission/{ASSIGNMENT}/mistaken/autograde",
        f"/api/assignment/{ASSIGNMENT}/generate_feedback",
    ):
        answer = json.loads(fetch(button, "POST"))
        assert answer["success"], (button, answer)
        assert served.read_marks() == served.marks["grade"], button


# -------------------------------------- one process, as a server is, and a change


# A wrong line of the solution, which leaves room for all edits of mistakes.yaml, and one of a
# helper. So right work loses points until they are corrected.
ANSWER = ("    ### BEGIN SOLUTION\\n", "    ### BEGIN SOLUTION\\n    xt = 2 * xt\\n")
HELPER = ("np.sum(e, axis=0, keepdims=True)", "np.sum(e)")
OWN_SOFTMAX = """\
def softmax(z):
    e = np.exp(z - np.max(z, axis=0, keepdims=True))
    return e / np.sum(e, axis=0, keepdims=True)


"""
CELLS = {"rnn_cell_forward", "lstm_cell_forward"}  # what calls softmax


def spoil(path: Path, right: str, wrong: str) -> None:
    """Put an error into a file, once."""
    text = path.read_text("utf-8")
    assert right in text
    path.write_text(text.replace(right, wrong, 1), "utf-8")


def test_one_server_marks_by_the_source_as_it_stands(tmp_path, monkeypatch):
    root = tmp_path / "rnn"
    make_course(REPO, root)
    monkeypatch.chdir(root)
    course = Course(root, tmp_path, None)
    folder = root / "source" / ASSIGNMENT
    shorten_table(folder)
    errors = {
        folder / f"{ASSIGNMENT}.ipynb": ANSWER,
        folder / "rnn_utils.py": HELPER,
        root / "rnn_utils.py": HELPER,
    }
    sources = [read_assignment(ASSIGNMENT, root)]
    right, files = sources[0].notebooks[ASSIGNMENT], {path: path.read_bytes() for path in errors}
    for path, error in errors.items():
        spoil(path, *error)
    sources.append(read_assignment(ASSIGNMENT, root))
    wrong = sources[1].notebooks[ASSIGNMENT]
    assert [n for n in FUNCTIONS if wrong.answers[n] != right.answers[n]] == ["rnn_cell_forward"]

    server = enter_course()
    assert server.generate_assignment(ASSIGNMENT, force=True)["success"]
    own = {n: OWN_SOFTMAX + text if n in CELLS else text for n, text in right.answers.items()}
    course.hand_in("right", right.answers)
    course.hand_in("right, with a softmax of its own", own)
    course.hand_in("wrong", wrong.answers)
    assert losing(course, server, sources[1]) == {
        "right": {"rnn_cell_forward"},
        "right, with a softmax of its own": CELLS,
        "wrong": set(),
    }

    for path, data in files.items():
        path.write_bytes(data)
    assert server.generate_assignment(ASSIGNMENT, force=True)["success"]
    made = files_of(root / "release" / ASSIGNMENT)
    assert made == files_of(REPO / "release" / ASSIGNMENT) | {
        "known_mistakes.json": known_mistakes(sources[0])
    }
    assert sources[0].hashes["all"] != sources[1].hashes["all"]
    first, second = (each.hashes["tests"][ASSIGNMENT] for each in sources)
    assert all(first[test] != second[test] for test in right.tests)
    assert losing(course, server, sources[0]) == {
        "right": set(),
        "right, with a softmax of its own": set(),
        "wrong": {"rnn_cell_forward"},
    }


def losing(course: Course, server: NbGraderAPI, source: Assignment) -> dict[str, set[str]]:
    """Mark all students, and hold the certificates against the source; return who loses where."""
    answer = server.autograde(ASSIGNMENT, "*", force=True)
    assert answer["success"], answer
    for student in sorted(path.name for path in course.root.glob("submitted/*")):
        certificate = find_certificate(course.root / "reports" / ASSIGNMENT, student)
        assert certificate.status == "graded"
        assert source.hashes.items() <= certificate.source.items()
        points = {mark.function: mark.points for mark in certificate.cells}
        assert points == course.read_marks()[student]
    return {
        student: {function for function, points in marks.items() if points < 25}
        for student, marks in course.read_marks().items()
    }


# ------------------------------------------------------ a test cell's points


def shown(text: str) -> NotebookNode:
    """Return the output of a cell whose last value prints like this."""
    return new_output("execute_result", {"text/plain": text})


def record(points: float) -> TestResult:
    """Return what a test that gave these points kept."""
    return TestResult("f", points, 25.0)


WARNING = new_output("stream", name="stderr", text="RuntimeWarning: overflow")
ERROR = new_output("error", ename="KeyError", evalue="'Wax'", traceback=[])
OUTPUTS = {
    "nothing": [],
    "text on standard output": [new_output("stream", name="stdout", text="25.0")],
    "a float": [shown("10.0")],
    "all points": [shown("25.0")],
    "a NumPy number": [shown("np.float64(0.0)")],
    "NaN": [shown("nan")],
    "a negative number": [shown("-5")],
    "a word": [shown("'fail'")],
    "a hair too much": [shown("25.000000001")],
    "no text": [new_output("execute_result", {"text/html": "25.0"})],
    "a record of its own": [
        new_output(
            "execute_result", {"text/plain": "25.0"}, metadata={RECORD: as_plain(record(25.0))}
        )
    ],
    "a record displayed": [
        new_output(
            "display_data", {"text/plain": "25.0"}, metadata={RECORD: as_plain(record(25.0))}
        )
    ],
    "a warning before": [WARNING, shown("10.0")],
    "a warning after": [shown("10.0"), WARNING],
    "an error": [ERROR],
    "two results": [shown("25.0"), shown("10.0")],
}


def points_of(outputs: list[NotebookNode], kept: TestResult | None) -> float:
    """Return what nbgrader and `grading` both give a cell worth 25 with these outputs."""
    about = {"grade": True, "solution": False, "locked": True, "grade_id": "test_f", "points": 25}
    cell = new_code_cell(outputs=copy.deepcopy(outputs), metadata={"nbgrader": about})
    result = result_of(cell, kept)
    settle(cell, result)
    points, _ = determine_grade(cell)
    assert result.points == points
    assert read_result(cell) == result
    return points


@pytest.mark.parametrize("outputs", OUTPUTS.values(), ids=OUTPUTS)
@pytest.mark.parametrize("points", [0.0, 10.0, 25.0])
def test_points_are_those_of_the_record_whatever_the_cell_shows(outputs, points):
    assert points_of(outputs, record(points)) == points


@pytest.mark.parametrize("outputs", OUTPUTS.values(), ids=OUTPUTS)
def test_no_points_without_a_record(outputs):
    assert points_of(outputs, None) == 0


@pytest.mark.parametrize("points", [math.nan, math.inf, -5.0, 25.000000001, 30.0])
def test_a_record_that_cannot_be_gives_no_mark(points):
    with pytest.raises(ValueError, match=r"test_f: .* points"):
        points_of([], record(points))
