"""A class, marked: in parallel, killed and begun again, late, on a cluster, in PostgreSQL."""

import csv
import dataclasses
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from unittest import mock
from zoneinfo import ZoneInfo

import distributed
import nbformat
import pytest
from conftest import ASSIGNMENT, grade, open_run
from costly import COSTLY, Spend
from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from typer.testing import CliRunner

import grading.run.run
from grading import CourseError
from grading.authoring.release import make_release
from grading.book import Book
from grading.cli import app
from grading.demo import plain
from grading.marking.result import CheckResult, TestResult
from grading.nbgrader_plugins import Autograde, GenerateFeedback
from grading.outcomes import Finding
from grading.rooms import sandbox
from grading.run import Certificate
from grading.run.bounds import TookTooMuch
from grading.run.certificate import CellMark, environment, read_certificates
from grading.run.diff import compare
from grading.run.files import FileWriter
from grading.run.pool import Workers
from grading.run.record import Recorder
from grading.run.run import alone
from grading.source import read_source
from grading.source.cells import with_answers
from grading.source.scratch import PREFIX, scratch, sweep

NOTEBOOK = f"{ASSIGNMENT}.ipynb"
STUDENTS = 16
FEW = 4  # what most of the tests mark
MEASURED = ("seconds", "cpu_seconds", "peak_mb")


@pytest.fixture(scope="module")
def handed_in(shortened, tmp_path_factory):
    """Make a course in which all students have handed in, and nothing is marked."""
    environment()  # kept: the hash of what is loaded here
    root = tmp_path_factory.mktemp("class") / "rnn"
    shutil.copytree(shortened, root)
    blank = nbformat.read(root / "release" / ASSIGNMENT / NOTEBOOK, as_version=4)
    source = read_source(ASSIGNMENT, root)
    for number in range(STUDENTS):
        version = source.versions[number * len(source.versions) // STUDENTS]
        answers = plain({**source.answers, version.function: version.text})
        hand_in(root, f"student_{number:02}", with_answers(blank, answers))
    return root


def hand_in(root, student, notebook, timestamp=None):
    folder = root / "submitted" / student / ASSIGNMENT
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / NOTEBOOK)
    if timestamp:
        (folder / "timestamp.txt").write_text(timestamp)


@pytest.fixture
def course(handed_in, tmp_path, monkeypatch):
    """Copy that course, with its first few students."""
    root = tmp_path / "rnn"
    shutil.copytree(handed_in, root)
    for number in range(FEW, STUDENTS):
        shutil.rmtree(root / "submitted" / f"student_{number:02}")
    monkeypatch.chdir(root)
    return root


@pytest.fixture(scope="module")
def undisturbed(handed_in, tmp_path_factory):
    """Mark them without a break; return what came of it."""
    root = tmp_path_factory.mktemp("undisturbed") / "rnn"
    shutil.copytree(handed_in, root)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        grade([], jobs=2)
    return outcome(root)


def assert_same(one, other):
    """Say which part of two outcomes differs, and for whom."""
    for part, (mine, theirs) in enumerate(zip(one, other, strict=True)):
        if isinstance(mine, dict):
            assert mine.keys() == theirs.keys()
            for name in mine:
                assert mine[name] == theirs[name], (part, name)
        assert mine == theirs, part


def outcome(root):
    """Return marks, certificates and files of a course, but for what is measured."""
    folder = root / "reports" / ASSIGNMENT / "certificates"
    certificates = {}
    for each in read_certificates(folder):
        fields = dataclasses.asdict(each)
        certificates[each.student_id] = {k: v for k, v in fields.items() if k not in MEASURED}
    with Gradebook(f"sqlite:///{root}/gradebook.db") as book:
        marks = sorted(
            (grade.student.id, grade.name, grade.auto_score)
            for submission in book.assignment_submissions(ASSIGNMENT)
            for notebook in submission.notebooks
            for grade in notebook.grades
        )
    made = [root / "autograded", root / "feedback"]
    files = {
        str(p.relative_to(root)): p.read_bytes() for f in made for p in f.rglob("*") if p.is_file()
    }
    return certificates, marks, files, (root / "reports" / ASSIGNMENT / "grades.csv").read_text()


def test_a_table_that_no_longer_fits_costs_no_student_points(course):
    table = course / "source" / ASSIGNMENT / "mistakes.yaml"
    table.write_text(table.read_text().replace("find:", "find: no such text #", 1))
    with pytest.raises(CourseError, match=f"^{ASSIGNMENT}, mistakes.yaml, .*`no such text`"):
        grade([])
    assert not (course / "autograded").exists()


def test_a_mistake_that_does_not_run_costs_no_student_points(course):
    table = course / "source" / ASSIGNMENT / "mistakes.yaml"
    grade([])
    before = outcome(course)[1]
    table.write_text(table.read_text().replace("replace: ", "replace: )", 1))
    left = [each.notes for each in grade([], force=True) if each.status == "not graded"]
    ((said,),) = left  # whose mistake it is; on others' marks it has no bearing
    assert said.startswith(
        "could not be marked: mistakes.yaml, rnn_cell_forward, bias_ba_dropped: "
    )
    assert "stops with SyntaxError: unmatched ')'" in said
    assert outcome(course)[1] == before


# ------------------------------------------------------- killed, and begun again

# Where a run is killed: before it has entered a mark, with the mark entered and not yet
# committed, with nothing shown yet, no page yet, and no certificate yet.
PLACES = {
    "handed_out": (grading.run.run, "Mark"),
    "uncommitted": (Book, "_insert"),  # five times for what has come in together
    "entered": (Recorder, "show"),
    "marked": (Autograde, "end"),
    "page": (GenerateFeedback, "end"),
}


def killed_at(place, number):
    """Mark the class in a process that kills itself at a place, the n-th time it comes there."""
    owner, name = PLACES[place]
    real = getattr(owner, name)
    left = number

    def deadly(*args, **kwargs):
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **kwargs)

    setattr(owner, name, deadly)
    grade([], jobs=2)


def test_a_run_that_is_killed_again_and_again_gives_the_same(
    handed_in, undisturbed, tmp_path, monkeypatch
):
    root = tmp_path / "rnn"
    shutil.copytree(handed_in, root)
    monkeypatch.chdir(root)
    fork = multiprocessing.get_context("fork")
    marked = []
    for kill, place in enumerate(PLACES):
        number = {"handed_out": 8, "uncommitted": 5}.get(place, 2 + kill % 3)
        process = fork.Process(target=killed_at, args=(place, number))
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        marked.append(len(list(root.glob(f"reports/{ASSIGNMENT}/certificates/*.json"))))
    assert marked == sorted(marked)
    certificate = next(root.glob(f"reports/{ASSIGNMENT}/certificates/*.json"))
    page = root / "feedback" / certificate.stem / ASSIGNMENT / f".{ASSIGNMENT}.html.part"
    for left in (page, certificate.with_name(".left.json.part")):  # of one that is marked
        left.touch()
    with open_run([]) as last:
        assert last.earlier == marked[-1] > 3
        assert len(list(last.mark())) == STUDENTS - marked[-1]
    assert not [*root.rglob(".*.part")]
    assert_same(outcome(root), undisturbed)


@pytest.mark.parametrize("fails", ["", "student_03"])
def test_what_has_come_in_is_entered_at_once_and_a_failure_takes_nobody_along(
    course, undisturbed, monkeypatch, fails
):
    batches, hand_in = Workers.batches, Book._hand_in
    saved = []

    def all_at_once(workers, take):
        while batch := [each for some in batches(workers, take) for each in some]:
            yield batch

    def hand_in_or_fail(book, known, marks):
        entered = hand_in(book, known, marks)
        if fails in marks:
            raise OSError("the disk is full")
        return entered

    def save(book, assignment, marks, late_penalty):
        saved.append(len(marks))
        return save_all(book, assignment, marks, late_penalty)

    save_all = Book.save
    monkeypatch.setattr(Workers, "batches", all_at_once)
    monkeypatch.setattr(Book, "_hand_in", hand_in_or_fail)
    monkeypatch.setattr(Book, "save", save)
    found = {each.student_id: each for each in grade([])}
    assert saved == ([FEW, *[1] * FEW] if fails else [FEW])
    if fails:
        assert "the disk is full" in found.pop(fails).note
        assert fails not in {student for student, *_ in outcome(course)[1]}
        assert not [*course.rglob(".*.part"), *course.glob(f"*/{fails}/*/{ASSIGNMENT}.html")]
    for student, each in found.items():
        assert each.score == undisturbed[0][student]["score"]
    assert outcome(course)[1] == [m for m in undisturbed[1] if m[0] in found]


def dying(monkeypatch, course, times):
    """Let the worker that has written the files of student_03 die, so many times."""
    real = FileWriter.write

    def deadly(writer, folders, files):
        written = real(writer, folders, files)
        if folders.certificate.stem == "student_03":
            deaths = len(list(course.glob("death_*")))
            if deaths < times:
                (course / f"death_{deaths}").touch()
                os.kill(os.getpid(), signal.SIGKILL)
        return written

    monkeypatch.setattr(FileWriter, "write", deadly)


def test_a_worker_that_dies_costs_time_alone(course, undisturbed, monkeypatch):
    dying(monkeypatch, course, 1)
    scores = {each.student_id: each.score for each in grade([], jobs=2)}
    assert (course / "death_0").exists()
    assert len(scores) == FEW
    assert scores == {student: undisturbed[0][student]["score"] for student in scores}


def test_a_submission_whose_worker_always_dies_fails_alone(course, monkeypatch):
    dying(monkeypatch, course, 2)
    done = CliRunner().invoke(app, ["grade", ASSIGNMENT, "--jobs", "2"])
    said = f"1 of {FEW} could not be marked: why stands above; the same command tries them again"
    assert str(done.exception) == said
    assert re.search(r"^ student_03( +-){5} ", done.stdout, re.MULTILINE)
    folder = course / "reports" / ASSIGNMENT / "certificates"
    status = {each.student_id: each.status for each in read_certificates(folder)}
    assert len(status) == FEW
    assert status.pop("student_03") == "not graded"
    assert set(status.values()) == {"graded"}
    again = [(each.student_id, each.status) for each in grade([])]
    assert again == [("student_03", "graded")]
    assert not list(course.rglob(".*.part"))


def test_outside_of_a_course_a_line_says_how_one_is_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["grade", ASSIGNMENT])
    assert "or above; `rnn-grading start FOLDER` makes one" in str(done.exception)


def test_a_course_that_belongs_to_another_user_is_one_line(tmp_path):
    said = r"^anna.json: Permission denied; .*belong"
    folder = CourseDirectory(root=str(tmp_path))
    with pytest.raises(CourseError, match=said), alone(folder):
        raise PermissionError(13, "Permission denied", "anna.json")
    with alone(folder):  # the lock was given back
        pass


def test_two_runs_at_once_are_refused(course):
    with open_run([]) as run:
        marked = run.mark()
        next(marked)
        done = CliRunner().invoke(app, ["grade", ASSIGNMENT])
        assert isinstance(done.exception, CourseError)
        said = "another run is at work in this course; wait until it has ended"
        assert str(done.exception) == said
        assert len(list(marked)) == FEW - 1


# ------------------------------------------------------------ marked once, or again


def test_only_what_has_changed_is_marked_again(course):
    names = [f"student_{number:02}" for number in range(FEW)]
    assert sorted(each.student_id for each in grade([])) == names
    assert grade([]) == []
    shutil.copy(
        course / "submitted" / "student_03" / ASSIGNMENT / NOTEBOOK,
        course / "submitted" / "student_00" / ASSIGNMENT / NOTEBOOK,
    )
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        book.remove_submission(ASSIGNMENT, "student_02")
    shutil.rmtree(course / "autograded" / "student_01")
    again = [each.student_id for each in grade([])]
    assert sorted(again) == ["student_00", "student_01", "student_02"]
    assert len(grade(["student_03"], force=True)) == 1


def test_diff_of_a_folder_without_certificates_says_where_they_are(tmp_path):
    said = f"{tmp_path}: no certificates there; they are in reports/ASSIGNMENT/certificates, and"
    with pytest.raises(CourseError, match=re.escape(said)):
        list(compare(tmp_path, tmp_path))


def test_a_changed_test_is_marked_anew_and_explained(course, monkeypatch):
    before = {each.student_id: each for each in grade([])}
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        by_hand = book.find_grade("test_rnn_forward", ASSIGNMENT, ASSIGNMENT, "student_01")
        by_hand.manual_score = 24.5
        said = book.find_comment("rnn_forward", ASSIGNMENT, ASSIGNMENT, "student_01")
        said.manual_comment = "A new idea."
        book.db.commit()
    source = course / "source" / ASSIGNMENT / NOTEBOOK
    text = source.read_text("utf-8")
    assert text.count('\\"types\\": 1, \\"shapes\\": 2, \\"a\\": 4') == 1
    source.write_text(text.replace('\\"shapes\\": 2, \\"a\\": 4', '\\"shapes\\": 1, \\"a\\": 5'))
    with pytest.raises(CourseError, match=r"test_lstm_forward\); publish it again"):
        grade([])
    make_release(ASSIGNMENT)
    after = {each.student_id: each for each in grade([])}
    assert after.keys() == before.keys()
    folder = course / "reports" / ASSIGNMENT
    found = list(compare(folder / "certificates.before", folder / "certificates"))
    changes = [(each.student_id, change) for each in found for change in each.changes]
    by_student = {student for student, change in changes if change.cell == "lstm_forward"}
    assert by_student == before.keys()
    assert {change.reason for _, change in changes if change.cell == "lstm_forward"} == {"test"}
    ((student, hand),) = [each for each in changes if each[1].cell != "lstm_forward"]
    assert (student, hand.what) == ("student_01", "rnn_forward, by hand")
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        kept = book.find_grade("test_rnn_forward", ASSIGNMENT, ASSIGNMENT, "student_01")
        assert (kept.manual_score, kept.score) == (24.5, 24.5)
        said = book.find_comment("rnn_forward", ASSIGNMENT, ASSIGNMENT, "student_01")
        assert said.comment == "A new idea."
    assert "A new idea." in (
        course / "feedback" / "student_01" / ASSIGNMENT / f"{ASSIGNMENT}.html"
    ).read_text("utf-8")


def test_diff_tells_submission_from_environment(tmp_path):
    cell = marked_cell(25.0, None)
    right = Certificate("kept", ASSIGNMENT, "graded", [], score=25, max_score=25)
    right.cells = [cell]
    right.submission, right.source = "1", {"tests": {"test_rnn_forward": "1"}}
    right.environment = {"numpy": "2.4.6"}
    wrong = marked_cell(5.0, Finding("`{label}` is wrong", {"label": "a"}))
    for student, changed in {
        "kept": {},
        "resubmitted": {"submission": "2", "cells": [wrong]},
        "new_numpy": {"environment": {"numpy": "2.5.0"}, "cells": [wrong]},
        "unsteady": {"cells": [wrong]},
    }.items():
        dataclasses.replace(right, student_id=student).write(tmp_path / "old")
        dataclasses.replace(right, student_id=student, **changed).write(tmp_path / "new")
    dataclasses.replace(right, student_id="newcomer").write(tmp_path / "new")
    pairs = [(d.student_id, c) for d in compare(*folders(tmp_path)) for c in d.changes]
    found = {student: (c.what, c.before, c.after, c.reason) for student, c in pairs}
    assert found["resubmitted"] == ("rnn_forward, a", 20, 0, "submission")
    assert found["new_numpy"] == ("rnn_forward, a", 20, 0, "environment (numpy 2.4.6 -> 2.5.0)")
    assert found["unsteady"][3].startswith("nothing that is recorded")
    assert found["newcomer"] == ("all", None, 25, "handed in since")
    assert found.keys() == {"resubmitted", "new_numpy", "unsteady", "newcomer"}


def marked_cell(points, wrong):
    """Return what a certificate holds of one function whose array is right, or wrong."""
    checks = [CheckResult("a", 20.0, 0.0 if wrong else 20.0, wrong), CheckResult("y", 5.0, 5.0)]
    result = TestResult("rnn_forward", points, 25.0, checks)
    return CellMark(ASSIGNMENT, "test_rnn_forward", points, 25.0, points, result)


def folders(root):
    return root / "old", root / "new"


def test_folders_of_the_dead_are_taken_away_and_no_others(course, tmp_path, monkeypatch):
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    process = multiprocessing.get_context("fork").Process(target=killed_in_a_folder)
    process.start()
    process.join()
    (dead,) = place.iterdir()
    (place / f"{PREFIX}is-a-file").touch()
    (place / "assignment-of-mine").mkdir()
    with scratch() as living:
        grade(["student_03"])
        assert not dead.exists()
        kept = {living.name, f"{PREFIX}is-a-file", "assignment-of-mine"}
        assert {path.name for path in place.iterdir() if path.name.startswith(PREFIX)} <= kept
        assert living.exists()
    assert not living.exists() and (place / "assignment-of-mine").exists()


@pytest.mark.parametrize("module, step", [(tempfile, "mkdtemp"), (os, "open")])
def test_a_folder_that_another_run_sweeps_as_it_is_made_is_made_anew(
    module, step, tmp_path, monkeypatch
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    do, swept = getattr(module, step), []

    def do_as_another_sweeps(*arguments, **named):
        made = do(*arguments, **named)
        if not swept:
            swept.extend(tmp_path.iterdir())
            sweep()
        return made

    monkeypatch.setattr(module, step, do_as_another_sweeps)
    with scratch() as folder:
        assert swept and not swept[0].exists()
        assert folder.exists() and folder != swept[0]
        sweep()
        assert folder.exists()


def killed_in_a_folder():
    with scratch() as folder:
        (folder / "file").touch()
        os.kill(os.getpid(), signal.SIGKILL)


# --------------------------------------------------------------------- late work

TIMEZONE = "America/Los_Angeles"  # whose PST is another one in Manila


def test_late_work_costs_a_share_for_each_day(course):
    configure(course, "c.LateRules.free_hours = 2\nc.LateRules.share_per_day = 0.1")
    share = {0: 0, 2: 0, 3: 0.1, 26: 0.1, 27: 0.2, 500: 1.0}
    for more in range(FEW, len(share)):
        shutil.copytree(course / "submitted/student_00", course / f"submitted/student_{more:02}")
    students = dict(zip(sorted(os.listdir(course / "submitted")), share, strict=True))
    lost = penalties(course, students)
    assert {hours: lost[student] for student, hours in students.items()} == pytest.approx(share)


def test_an_extension_counts_for_one_student_alone(course):
    configure(
        course,
        "c.LateRules.share_per_day = 0.1\n"
        f"c.LateRules.extensions = {{'student_01': {{'{ASSIGNMENT}': 48}}}}",
    )
    lost = penalties(course, {"student_01": 50, "student_03": 50})
    assert lost == pytest.approx({"student_01": 0.1, "student_03": 0.3})


def test_a_new_rule_counts_for_what_was_marked_before(course):
    late = {"student_03": 50}
    assert penalties(course, late)["student_03"] == 0
    configure(course, "c.LateRules.share_per_day = 0.1", timezone="")
    assert penalties(course, late)["student_03"] == 0  # PST, but which?
    configure(course, "")
    assert penalties(course, late)["student_03"] == pytest.approx(0.3)
    configure(course, "c.Exchange.timezone = ''", timezone="")
    assert penalties(course, late)["student_03"] == 0  # nor is the time that was known once


def test_the_table_and_the_terminal_say_that_a_total_is_less_for_being_late(course, capsys):
    configure(course, "c.LateRules.share_per_day = 0.1")
    penalties(course, {"student_01": 0, "student_03": 50})
    with (course / "reports" / ASSIGNMENT / "grades.csv").open(newline="") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    off = (
        sum(
            float(rows["student_03"][name])
            for name in rows["student_03"]
            if name.endswith("_forward")
        )
        * 0.3
    )
    said = f"handed in late: {off:g} points off"
    assert said in rows["student_03"]["note"]
    assert "late" not in rows["student_01"]["note"]
    app(["grade", ASSIGNMENT, "student_01", "student_03", "--force"], standalone_mode=False)
    printed = " ".join(capsys.readouterr().out.split())
    assert printed.count("handed in late") == printed.count(said) == 1
    assert "s; 1 of them with points off for handing in late" in printed


OWN_RULE = """
from nbgrader.plugins import LateSubmissionPlugin
class OwnRule(LateSubmissionPlugin):
    share = {share}
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return score * self.share
c.AssignLatePenalties.plugin_class = OwnRule
"""


def test_a_rule_of_the_courses_own_counts_anew_whatever_of_it_has_changed(course):
    late = {"student_03": 50}
    for share in (0.1, 0.2):
        configure(course, OWN_RULE.format(share=share))
        assert penalties(course, late)["student_03"] == pytest.approx(share)
    with open_run([]) as run:
        assert run.earlier == 1


def test_a_late_rule_that_cannot_be_is_one_line(course):
    configure(course, "c.LateRules.share_per_day = 10")
    with pytest.raises(CourseError, match=r"LateRules.share_per_day is 10.*must lie in 0 to 1"):
        grade(["student_03"])


def configure(root, lines, timezone=TIMEZONE):
    with (root / "nbgrader_config.py").open("a") as file:
        file.write(f"\n{lines}\n" + (f"c.Exchange.timezone = {timezone!r}\n" if timezone else ""))


def penalties(root, hours_late):
    """Return the share of its points that each submission loses, so many hours late."""
    due = datetime(2027, 1, 31, 18)
    with Gradebook(f"sqlite:///{root}/gradebook.db") as book:
        book.update_or_create_assignment(ASSIGNMENT, duedate=due.isoformat())
    for student, hours in hours_late.items():
        when = (due + timedelta(hours=hours)).replace(tzinfo=UTC)
        stamp = when.astimezone(ZoneInfo(TIMEZONE)).strftime("%Y-%m-%d %H:%M:%S.%f %Z")
        (root / "submitted" / student / ASSIGNMENT / "timestamp.txt").write_text(stamp)
    lost = {}
    for each in grade(list(hours_late)):
        earned = sum(mark.points for mark in each.cells)
        assert each.score == pytest.approx(earned - each.late_penalty)
        page = root / "feedback" / each.student_id / ASSIGNMENT / f"{ASSIGNMENT}.html"
        assert ("handed in late" in page.read_text("utf-8")) == (each.late_penalty > 0)
        lost[each.student_id] = each.late_penalty / earned
    return lost


# ----------------------------------------------------------------- what is shown


def test_a_log_gets_plain_lines_and_quiet_gets_none(course, monkeypatch):
    (course / "submitted" / "student_02" / ASSIGNMENT / NOTEBOOK).write_text("{")
    monkeypatch.setattr("grading.progress.LINE_SECONDS", 0.0)
    quiet = CliRunner().invoke(app, ["grade", ASSIGNMENT, "--quiet"])
    assert (quiet.exit_code, quiet.stdout) == (0, "")
    assert re.fullmatch(r"student_02: .* is no notebook.*\n", quiet.stderr)
    told = CliRunner().invoke(app, ["grade", ASSIGNMENT, "--force"])
    assert told.exit_code == 0
    assert re.search(
        rf"^{FEW} of {FEW} marked, [0-9.]+/s, 0 s left, 1 to look at$", told.stdout, re.M
    )
    assert f"{FEW} marked in" in told.stdout
    again = CliRunner().invoke(app, ["grade", ASSIGNMENT])
    assert "0 marked in" in again.stdout
    assert f"{FEW} are marked already" in again.stdout


# --------------------------------------------------------- elsewhere than usual


def test_a_hanging_submission_does_not_hold_up_the_others(course):
    path = course / "submitted" / "student_00" / ASSIGNMENT / NOTEBOOK
    notebook = nbformat.read(path, as_version=4)
    endless = "def lstm_forward(x, a0, parameters):\n    while True:\n        pass"
    nbformat.write(with_answers(notebook, {"lstm_forward": endless}), path)
    configure(course, "c.Autograde.limits |= {'cell_seconds': 0.5, 'call_seconds': 0.2}")
    order = [(each.student_id, each.timed_out) for each in grade([], jobs=1)]
    assert len(order) == FEW
    assert order[-1] == ("student_00", True)
    assert not any(timed_out for _, timed_out in order[:-1])
    given = course / "autograded" / "student_01" / ASSIGNMENT / "figures" / "rnn_cell.svg"
    assert given.stat().st_nlink > 1  # one file under many names: a class takes half the space


@pytest.fixture
def cluster(monkeypatch):
    """Start a Dask cluster of two workers."""
    # the processes apart have to find `costly`
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), *sys.path]))
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        yield cluster


@pytest.fixture
def early(monkeypatch):
    """Let nobody here have rooms, forks included; return what stands for those begun early."""

    def no_rooms(settings):
        raise AssertionError("who reads for a cluster has no rooms, and shares none")

    early = mock.Mock()
    monkeypatch.setattr(sandbox, "_early", [(None, early)])
    monkeypatch.setattr("grading.run.worker.new_nursery", no_rooms)
    return early


def never_read(monkeypatch, student):
    """Let the folder of a student take too long to read."""
    real = Workers.run

    def run(workers, take):
        for job, result, error in real(workers, take):
            is_read = type(job).__name__ == "Read" and job.student == student
            yield (job, None, TookTooMuch("too long")) if is_read else (job, result, error)

    monkeypatch.setattr(Workers, "run", run)


def test_a_dask_cluster_keeps_the_bounds_gives_the_same_and_may_lose_a_worker(
    course, undisturbed, cluster, early, monkeypatch
):
    never_read(monkeypatch, "student_01")
    with open_run([], scheduler=cluster.scheduler_address) as run:
        names = ["loop_in_python", "loop_in_c", "take_memory"]
        jobs = iter([Spend(name, course) for name in names])
        done = run.workers.run(partial(next, jobs, None))
        errors = {job.student: str(error) for job, _, error in done}
        marked = run.mark()
        certificates = [next(marked)]
        cluster.workers[0].auto_restart = False  # the other one does what is left
        os.kill(cluster.workers[0].pid, signal.SIGKILL)
        certificates += marked
    early.close.assert_called_once()
    assert errors.keys() == set(names)
    for name in names:
        assert COSTLY[name][1] in errors[name] or "process has ended" in errors[name]
    found = {each.student_id: dataclasses.asdict(each) for each in certificates}
    assert len(found) == FEW
    unread = found.pop("student_01")  # and not marked as missing
    assert unread["status"] == "not graded" and "too long" in unread["notes"][0]
    for student, each in found.items():
        expected = undisturbed[0][student]
        assert {k: v for k, v in each.items() if k not in MEASURED} == expected


@pytest.fixture(scope="module")
def postgresql():
    """Start a PostgreSQL server on a socket of its own; return the URL of an empty database."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin")) or [Path("/usr/bin")]
    programs = programs[-1]
    if not (programs / "initdb").exists():
        pytest.skip("PostgreSQL is not installed: apt install postgresql")
    # it refuses to be run by root
    user = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.getuid() == 0 else {}
    with tempfile.TemporaryDirectory(prefix="rnn-pg-") as folder:
        if user:
            shutil.chown(folder, "nobody", "nogroup")

        def run(program, *arguments):
            command = [programs / program, *arguments]
            subprocess.run(command, check=True, capture_output=True, cwd=folder, **user)

        data = f"{folder}/data"
        run("initdb", "-D", data, "-U", "rnn", "-A", "trust", "-N")
        options = f"-k {folder} -c listen_addresses= -c fsync=off"
        run("pg_ctl", "-D", data, "-w", "-l", f"{folder}/log", "-o", options, "start")
        try:
            run("createdb", "-h", folder, "-U", "rnn", "grades")
            yield f"postgresql://rnn@/grades?host={folder}"
        finally:
            run("pg_ctl", "-D", data, "-m", "immediate", "stop")


def test_postgresql_holds_the_same_grade_book(course, undisturbed, postgresql):
    configure(course, f"c.CourseDirectory.db_url = {postgresql!r}")
    scores = {each.student_id: each.score for each in grade([], jobs=2)}
    assert len(scores) == FEW
    assert scores == {student: undisturbed[0][student]["score"] for student in scores}
    assert grade([]) == []
    with Gradebook(postgresql) as book:
        found = {each["student"]: each["score"] for each in book.submission_dicts(ASSIGNMENT)}
    assert found == scores


def test_a_grade_book_that_cannot_be_opened_is_one_line(course):
    configure(course, "c.CourseDirectory.db_url = 'postgresql://nobody@/none?host=/nowhere'")
    with pytest.raises(CourseError, match=r"The grade book cannot be opened: .*nowhere"):
        grade([])
