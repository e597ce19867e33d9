"""Groups that hand in one notebook: the mark is that of all members, everywhere."""

import csv
import re
import shutil
from contextlib import chdir

import nbformat
import pytest
from conftest import ASSIGNMENT, open_run
from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory

from grading import CourseError
from grading.cli import export_command
from grading.demo import plain
from grading.run.groups import read_groups
from grading.source import enter_course, read_source
from grading.source.cells import with_answers

NOTEBOOK = f"{ASSIGNMENT}.ipynb"
RANDOM = "import random\ndef rnn_cell_forward(xt, a_prev, parameters):\n    return random.random()"
GROUPS = f"""\
assignment;members
{ASSIGNMENT};hands_in;member_2;member_3
{ASSIGNMENT};newer; older
{ASSIGNMENT};no_time_1;no_time_2;no_time_3
{ASSIGNMENT};nobody_1;nobody_2
rnn_lstm_backward;older;hands_in
"""


@pytest.fixture(scope="module")
def course(released, tmp_path_factory):
    """Mark a class with groups; return its folder and the certificates."""
    root = tmp_path_factory.mktemp("groups") / "rnn"
    shutil.copytree(released, root)
    with chdir(root):
        blank = nbformat.read(root / "release" / ASSIGNMENT / NOTEBOOK, as_version=4)
        solved = with_answers(blank, plain(read_source(ASSIGNMENT).answers))
        by_chance = with_answers(solved, {"rnn_cell_forward": RANDOM})
        hand_in(root, "hands_in", by_chance)
        hand_in(root, "older", blank, "2026-11-20 10:00:00 UTC")
        hand_in(root, "newer", solved, "2026-11-20 12:00:00 CET")  # 11:00 in UTC
        hand_in(root, "no_time_1", solved)
        hand_in(root, "no_time_2", blank)
        hand_in(root, "alone", solved)
        (root / "groups.csv").write_text(GROUPS, "utf-8-sig")
        return root, *mark()


def hand_in(root, student, notebook, timestamp=""):
    folder = root / "submitted" / student / ASSIGNMENT
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / NOTEBOOK)
    if timestamp:
        (folder / "timestamp.txt").write_text(timestamp)


def mark(*students):
    """Mark; return the certificates by student, and what is told."""
    with open_run(list(students)) as run:
        certificates = list(run.mark())
        assert len(certificates) == run.total
        return {each.student_id: each for each in certificates}, run.groups.to_tell


def test_all_members_get_the_mark_of_the_one_notebook(course):
    root, certificates, _ = course
    first = certificates["hands_in"]
    assert 60 < first.score < 100
    for student in ("hands_in", "member_2", "member_3"):
        each = certificates[student]
        assert (each.score, each.cells, each.seconds) == (first.score, first.cells, first.seconds)
        assert each.status == "graded"
        assert each.notes == ["handed in by hands_in for the group of hands_in, member_2, member_3"]
        page = root / "feedback" / student / ASSIGNMENT / f"{ASSIGNMENT}.html"
        told = "handed in by hands_in, for your group" in page.read_text("utf-8")
        assert told == (student != "hands_in")
        assert (root / "autograded" / student / ASSIGNMENT / NOTEBOOK).is_file()


def test_a_page_that_is_made_again_says_as_before_who_handed_in(course):
    root, *_ = course
    page = root / "feedback" / "member_2" / ASSIGNMENT / f"{ASSIGNMENT}.html"
    before = page.read_bytes()
    with chdir(root):
        assert enter_course().generate_feedback(ASSIGNMENT, "member_2", force=True)["success"]
    assert page.read_bytes() == before


def test_of_two_who_hand_in_the_newest_counts_and_a_line_says_so(course):
    _, certificates, told = course
    line = "handed in by newer for the group of newer, older; the older one of older does not count"
    assert told == [line]
    assert {s: certificates[s].score for s in ("newer", "older")} == {"newer": 100, "older": 100}


def test_where_no_time_tells_which_is_newer_nothing_is_guessed(course):
    _, certificates, _ = course
    for student in ("no_time_1", "no_time_2", "no_time_3"):
        assert certificates[student].status == "not graded"
        assert "no_time_1 and no_time_2 handed in" in certificates[student].note
        assert "take the other folders away" in certificates[student].note


def test_grade_book_table_and_exports_have_all_members(course):
    root, certificates, _ = course
    scores = {s: c.score for s, c in certificates.items() if c.status == "graded"}
    assert set(scores) == {"hands_in", "member_2", "member_3", "newer", "older", "alone"}
    with Gradebook(f"sqlite:///{root}/gradebook.db") as book:
        assert {s.student_id: s.score for s in book.assignment_submissions(ASSIGNMENT)} == scores
    with chdir(root):
        export_command(ASSIGNMENT, to="csv")
    for table in ("grades.csv", "export/marks.csv"):
        with (root / "reports" / ASSIGNMENT / table).open(newline="") as file:
            rows = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
        assert rows == scores


def test_a_group_that_grows_is_marked_again_and_no_one_else(course):
    root, before, _ = course
    with chdir(root):
        assert not {s for s, c in mark()[0].items() if c.status != "not graded"}
        path = root / "groups.csv"
        path.write_text(path.read_text().replace("newer; older", "newer; older; grown"))
        again, _ = mark("newer")
    assert set(again) == {"newer", "older", "grown"}
    assert again["grown"].score == before["newer"].score


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (f"{ASSIGNMENT},a,b\n{ASSIGNMENT},c,a", "groups.csv, line 2: a is named twice"),
        (f"{ASSIGNMENT},a,b,a", "groups.csv, line 1: a is named twice"),
        (f"{ASSIGNMENT},a,../../b", "groups.csv, line 1: '../../b' is no student's name or"),
        (f"{ASSIGNMENT},a,=cmd|x", "groups.csv, line 1: '=cmd|x' is no student's name or"),
        (f'{ASSIGNMENT},a,"b\nc"', r"groups.csv, line 1: 'b\nc' is no student's name or"),
        ("rnn_lstm_forwards,a,b", "groups.csv, line 1: there is no assignment rnn_lstm_forwards"),
        (f'{ASSIGNMENT},"a', "groups.csv cannot be read"),
        (b"\xff\xfe", "groups.csv cannot be read"),
    ],
)
def test_what_is_wrong_in_the_file_is_one_line(tmp_path, lines, said):
    (tmp_path / "source" / ASSIGNMENT).mkdir(parents=True)
    (tmp_path / "groups.csv").write_bytes(lines if isinstance(lines, bytes) else lines.encode())
    with pytest.raises(CourseError, match=re.escape(said)) as raised:
        list(read_groups(CourseDirectory(root=str(tmp_path)), ASSIGNMENT))
    assert "\n" not in str(raised.value)
