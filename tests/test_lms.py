"""A class from the downloads of Canvas and Moodle, through the grade book, and back to them."""

import json
import shutil
import zipfile
from dataclasses import replace

import nbformat
import pytest
from conftest import ASSIGNMENT, REPO, grade
from lms import LANGUAGES, CanvasCourse, MoodleAssignment
from nbgrader.api import Gradebook
from nbgrader.apps.zipcollectapp import ZipCollectApp
from test_exports import as_text, autograde
from typer.testing import CliRunner

from grading.cli import app, console
from grading.demo import plain
from grading.source import read_source
from grading.source.cells import with_answers

CANVAS = CanvasCourse(
    {
        4240: ("S-1", "jane", "Doe, Jane"),
        4241: ("S-2", "bo", "Ünal, Bo"),
        4242: ("S-3", "gil", "Gone, Gil"),
        4249: ("", "9c1", "Student, Test"),
    },
    {11: 10, 12: 100},
    {98001: (4240, "rnn_lstm_forward.ipynb"), 98002: (4241, "my link.ipynb")},
)
MOODLE = MoodleAssignment(LANGUAGES["de"], {1234567: "zoe", 1234568: "wei"}, maximum=10)
ABOUT = {
    "zoe": ["S-8", "zoe@example.org", "Zoë O'Neill"],
    "wei": ["S-9", "wei@example.org", "李 伟"],
}
SCORES = {"4240": 100, "4241": 94, "1234567": 100, "1234568": 0}


@pytest.fixture(scope="module")
def marked(course, tmp_path_factory):
    """Collect two downloads, take over names, and mark; return the course and what was said."""
    root = tmp_path_factory.mktemp("lms") / "rnn"
    shutil.copytree(course.root, root, ignore=shutil.ignore_patterns("submitted", "autograded"))
    shutil.rmtree(root / "feedback")
    shutil.rmtree(root / "reports")
    with Gradebook(f"sqlite:///{root}/gradebook.db") as book:
        for student in course.marks["grade"]:
            book.remove_student(student)
    download(root, {"4240": "", "4241": course.mistake, "1234567": ""})
    (root / "canvas.csv").write_text(canvas_file(), "utf-8-sig")
    (root / "worksheet.csv").write_text(MOODLE.worksheet(ABOUT, {}), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setenv("JUPYTER_CONFIG_DIR", str(root))
        collect = ZipCollectApp()
        collect.initialize([ASSIGNMENT])
        collect.start()
        said = {name: run("import-students", name) for name in ("canvas.csv", "worksheet.csv")}
        results = {each.student_id: each for each in grade([])}
        yield root, results, said


def download(root, versions):
    """Put there what Canvas (content_zipper.rb) and Moodle (downloads in folders) send."""
    name = f"{ASSIGNMENT}.ipynb"
    blank = json.loads((root / "release" / ASSIGNMENT / name).read_text("utf-8"))
    answers = read_source(ASSIGNMENT, REPO).answers
    texts = {}
    for student, version in versions.items():
        own = {version.function: version.text} if version else {}
        notebook = with_answers(nbformat.from_dict(blank), plain({**answers, **own}))
        texts[student] = json.dumps(notebook)
    archive = root / "downloaded" / ASSIGNMENT / "archive"
    archive.mkdir(parents=True)
    moodle = "assignsubmission_file"
    for file, members in {
        "submissions.zip": {
            f"doejane_4240_98001_{name}": texts["4240"],
            "nalbo_LATE_4241_98002_my link.ipynb": texts["4241"],
        },
        "RNN-77.zip": {
            f"Zoë O'Neill_1234567_{moodle}/week 3/{name}": texts["1234567"],
            f"李 伟_1234568_{moodle}/{name}": json.dumps(blank),
        },
    }.items():
        with zipfile.ZipFile(archive / file, "w") as packed:
            for member, text in members.items():
                packed.writestr(member, text)


def canvas_file():
    """Return a grade book as Canvas exports it, with names that are split."""
    heading = ["LastName", "FirstName", "ID", "SIS User ID", "SIS Login ID", "Section"]
    rows = [[*heading, "Essay (11)", "RNN LSTM forward (12)", "Final Score"]]
    rows.append(["    Points Possible", "", "", "", "", "", "10.00", "100.00", "(read only)"])
    for user, (school, login, name) in CANVAS.users.items():
        rows.append([*name.split(", "), str(user), school, login, "CS 101", "9.00", "", "50.00"])
    return as_text(rows)


def run(*arguments: str, columns: int = 80) -> list[str]:
    """Run a command in a terminal of so many columns; return the lines that it prints."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(console, "width", columns)
        result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


def page_of(root, student):
    return (root / "feedback" / student / ASSIGNMENT / f"{ASSIGNMENT}.html").read_bytes()


def test_the_class_is_marked(marked):
    _, results, _ = marked
    assert {student: each.score for student, each in results.items()} == SCORES


def test_names_are_those_of_the_lms(marked):
    root, _, said = marked
    with Gradebook(f"sqlite:///{root}/gradebook.db") as book:
        found = {s.id: (s.last_name, s.first_name, s.email, s.lms_user_id) for s in book.students}
    assert found == {
        "4240": ("Doe", "Jane", None, "4240"),
        "4241": ("Ünal", "Bo", None, "4241"),
        "1234567": ("Zoë O'Neill", "", "zoe@example.org", "1234567"),
        "1234568": ("李 伟", "", "wei@example.org", "1234568"),
    }
    assert said["canvas.csv"] == ["2 of 4 students in the grade book have names now"]
    assert "Feedback for Jane Doe" in page_of(root, "4240").decode()
    assert "Feedback for 李 伟" in page_of(root, "1234568").decode()


def test_back_to_canvas(marked):
    root, _, _ = marked
    lines = run("export", ASSIGNMENT, "--to=canvas", "--from=canvas.csv", columns=40)
    folder = root / "reports" / ASSIGNMENT / "export"
    assert CANVAS.import_grades(folder / "canvas.csv") == {
        **{4240: {12: "100"}, 4241: {12: "94"}, 4242: {12: ""}, 4249: {12: ""}},
    }
    # under the names of what was handed in, which is all that Canvas shows
    assert CANVAS.import_pages(folder / "canvas_feedback.zip") == {
        4240: {"rnn_lstm_forward.ipynb": page_of(root, "4240")},
        4241: {"my link.ipynb": page_of(root, "4241")},
    }
    files = [folder.relative_to(root) / name for name in ("canvas.csv", "canvas_feedback.zip")]
    assert lines[-1] == f"2 students in {files[0]} and {files[1]}"


def test_back_to_moodle(marked):
    root, _, _ = marked
    order = ["export", ASSIGNMENT, "--to=moodle", "--from=worksheet.csv"]
    refused = CliRunner().invoke(app, order)
    assert refused.exit_code == 1
    assert "full marks are 10 points in Moodle, and 100" in str(refused.exception)
    lines = run(*order, "--scale")
    assert "scaled: 100 points here are 10 in Moodle" in lines
    folder = root / "reports" / ASSIGNMENT / "export"
    grades = MOODLE.import_grades(folder / "moodle.csv")
    assert {user: grade for user, (grade, _) in grades.items()} == {"zoe": 10, "wei": 0}
    assert "<p>rnn_forward: 0 of 25 points" in grades["wei"][1]
    assert MOODLE.import_pages(folder / "moodle_feedback.zip") == {
        "zoe": {f"{ASSIGNMENT}.html": page_of(root, "1234567")},
        "wei": {f"{ASSIGNMENT}.html": page_of(root, "1234568")},
    }
    english = replace(MOODLE, language=LANGUAGES["en"], maximum=100)
    run("export", ASSIGNMENT, "--to=moodle")  # without a file of Moodle's
    grades = english.import_grades(folder / "moodle.csv")
    assert grades["zoe"][0] == 100


def test_back_to_gradescope(marked, tmp_path):
    """Gradescope's roster has nothing but the address that came from Moodle."""
    root, _, _ = marked
    run("export", ASSIGNMENT, "--to=gradescope")
    with zipfile.ZipFile(root / "reports" / ASSIGNMENT / "export" / "gradescope.zip") as archive:
        archive.extractall(tmp_path / "source")
    done = autograde(tmp_path, [{"email": "WEI@example.org", "sid": None, "name": "Wei Li"}])
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "results" / "results.json").read_text("utf-8"))["score"] == 0


def test_a_command_to_be_pasted_is_whole_in_a_narrow_terminal(marked):
    root, _, _ = marked
    folder = root / "reports" / ASSIGNMENT / "certificates"
    (path,) = folder.glob("4241*.json")
    text = path.read_text("utf-8")
    path.write_text(text.replace('"points": 19.0', '"points": 20.0'), "utf-8")
    assert path.read_text("utf-8") != text
    lines = run("grade", ASSIGNMENT, "4241", "--force", columns=40)
    folder = folder.relative_to(root)
    assert any(f"rnn-grading diff {folder}.before {folder}" in line for line in lines)
    assert f"Marks: reports/{ASSIGNMENT}/grades.csv and gradebook.db" in lines
