"""What the trusted side may spend on a submission, and what becomes of one that costs more."""

import itertools
import os
import pickle
import shutil
import signal
import subprocess
import sys
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from conftest import ASSIGNMENT, grade, make_handed_in
from costly import COSTLY, weigh
from typer.testing import CliRunner

from grading import CourseError
from grading.cli import app
from grading.rooms import Cell, Limits, Nursery, run_notebook
from grading.rooms.room.nursery import seconds_waited
from grading.run import bounds, worker
from grading.run.apart import work_apart
from grading.run.bounds import TookTooMuch, bounded_time
from grading.run.certify import not_graded
from grading.run.pool import Workers
from grading.run.worker import Marker

NOTEBOOK = f"{ASSIGNMENT}.ipynb"
STUDENTS = ["anna", "bert", "cleo"]


@pytest.fixture(scope="module")
def handed_in(released, tmp_path_factory):
    """Make a course in which three students have handed in the solution."""
    root = tmp_path_factory.mktemp("three") / "rnn"
    make_handed_in(released, root, STUDENTS)
    return root


@pytest.fixture
def course(handed_in, tmp_path, monkeypatch):
    """Copy that course."""
    root = tmp_path / "rnn"
    shutil.copytree(handed_in, root)
    monkeypatch.chdir(root)
    monkeypatch.setattr(bounds, "JOB_SECONDS", 1)
    monkeypatch.setattr(bounds, "GRACE_SECONDS", 0.3)
    return root


def spend(monkeypatch):
    """Let our own work on a submission be as costly as its student's name says."""
    real = Marker.mark

    def mark(marker, student, *rest):
        COSTLY.get(student, (bool, ""))[0]()
        return real(marker, student, *rest)

    monkeypatch.setattr(Marker, "mark", mark)


def test_a_submission_that_costs_too_much_is_not_graded_and_the_others_are(course, monkeypatch):
    for name in COSTLY:
        shutil.copytree(course / "submitted" / "anna", course / "submitted" / name)
    with monkeypatch.context() as patch:
        spend(patch)
        found = {each.student_id: each for each in grade([], jobs=2)}
    assert sorted(found) == sorted([*STUDENTS, *COSTLY])
    for name, (_, said) in COSTLY.items():
        assert found[name].status == "not graded"
        assert said in found[name].note
    assert [found[name].score for name in STUDENTS] == [100] * 3
    again = {each.student_id: each.score for each in grade([])}
    assert again == dict.fromkeys(COSTLY, 100)
    assert grade([]) == []


def test_a_process_apart_is_told_the_work_once_and_another_where_it_has_changed(monkeypatch):
    def outcome(much, job):
        told = pickle.dumps(partial(weigh, much))
        result, error = pickle.loads(work_apart(told, pickle.dumps(job)))
        return error or result

    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), *sys.path]))
    first = outcome("one course", 1)
    assert first[:2] == ("one course", 1)
    assert outcome("one course", 2) == ("one course", 2, first[2])
    later = outcome("a changed one", 3)
    assert later[:2] == ("a changed one", 3)
    assert later[2] != first[2]
    assert isinstance(outcome("a changed one", "die"), BrokenProcessPool)
    assert outcome("a changed one", 4)[:2] == ("a changed one", 4)


@pytest.mark.parametrize("text", ["while True:\n    pass", "a = bytes(10 ** 15)\na"])
def test_a_test_that_costs_too_much_is_no_result_of_the_student(monkeypatch, text):
    monkeypatch.setattr(bounds, "JOB_SECONDS", 1)
    nursery = Nursery(Limits())
    try:
        with pytest.raises(TookTooMuch), bounded_time(0):
            run_notebook([Cell("a", text, "test")], {}, nursery)
        done = run_notebook([Cell("a", "1 + 1\n2 + 2", "test")], {}, nursery)
    finally:
        nursery.close()
    assert done.cells[0].value == 4


def test_what_all_submissions_need_is_worked_out_before_the_fork(course, monkeypatch):
    known, renew = [], Workers.renew
    monkeypatch.setattr("grading.run.run.MANY", 1)
    monkeypatch.setattr(Workers, "renew", lambda workers: known.append(ready()) or renew(workers))

    def ready():
        """Return how many known mistakes are ready, on each set of hidden data."""
        (marker,) = worker._ready
        found = [outcomes for each in marker.outcomes for outcomes in each.values()]
        return [sum(map(len, (each.mistakes(*c) for c in each.calls.items()))) for each in found]

    assert {each.score for each in grade([], jobs=1)} == {100}
    (counts,) = known
    assert len(counts) > 1 and min(counts) > 300


WHERE = "import os\nprint(sorted(os.sched_getaffinity(0)))"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody stays on a core")
def test_a_worker_for_each_core_stays_there_with_its_rooms():
    before = os.sched_getaffinity(0)
    mine = sorted(before)[:2]

    def cores_of(job):
        (cell,) = run_notebook([Cell("a", WHERE, "student")], {}, nursery).cells
        return sorted(os.sched_getaffinity(0)), cell.outputs[0]["text"].strip()

    with Nursery(Limits()) as nursery:
        os.sched_setaffinity(0, mine)
        try:
            for count in range(1, len(mine) + 1):
                workers = Workers(count, cores_of)
                jobs = iter(range(2 * count))
                found = [result for _, result, _ in workers.run(lambda jobs=jobs: next(jobs, None))]
                workers.close()
                assert {len(own) for own, _ in found} == {1 if count == len(mine) else len(mine)}
                assert all(str(own) == of_room for own, of_room in found)
        finally:
            os.sched_setaffinity(0, before)


SHARES_ITS_CORE = """
import os, sys, time

os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
ends = os.fork()
stays = ends and os.fork()
while time.process_time() < 0.1:
    pass
if not ends:
    os._exit(0)
if stays:
    os.waitpid(ends, 0)
print(flush=True)
sys.stdin.read()
os._exit(0)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody knows how long it waited")
def test_a_room_that_waits_for_its_own_processes_waits_for_nobody():
    ran_beside = 0.2 - 0.05  # as far as ticks tell
    python = [sys.executable, "-c", SHARES_ITS_CORE]
    with subprocess.Popen(python, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as room:
        assert room.stdout.readline() and room.stdout.readline()
        counted = seconds_waited(room.pid)
        ready = int(Path(f"/proc/{room.pid}/schedstat").read_text().split()[1]) / 1e9
    assert counted <= max(ready - ran_beside, 0)


def test_why_a_submission_is_not_graded_is_said_once_however_often_it_is_handed_on():
    said = not_graded(KeyError("problem"))
    for _ in range(3):  # from a cluster's worker to its scheduler to the run
        said = not_graded(pickle.loads(pickle.dumps(said)))
    assert str(said) == "could not be marked: KeyError: 'problem'; look at what was handed in"


def test_a_run_that_is_stopped_goes_on_where_it_was(course, monkeypatch):
    real, seen = Workers.batches, []

    def batches(workers, take):
        for each in itertools.chain.from_iterable(real(workers, take)):
            yield [each]
            seen.append(each)
            if len(seen) == 2:
                raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Workers, "batches", batches)
        done = CliRunner().invoke(app, ["grade", ASSIGNMENT, "--jobs", "1"])
    assert isinstance(done.exception, CourseError)
    marked = int(str(done.exception).partition("Stopped after ")[2].partition(".")[0])
    assert 0 < marked < 3
    assert len(grade([])) == 3 - marked
    assert len(grade([], force=True)) == 3


def stop_in_the_job(told):
    os.write(told, b".")
    signal.pause()


def stop_in_the_answer(told):
    def begin(connection, data):
        os.write(connection.fileno(), data[:4])
        stop_in_the_job(told)

    Connection._send = begin  # in the worker alone


@pytest.mark.parametrize("job", [stop_in_the_job, stop_in_the_answer], ids=lambda j: j.__name__)
def test_workers_that_are_let_go_are_gone_and_nothing_waits_for_their_answer(job):
    heard, told = os.pipe()
    workers = Workers(1, job)
    workers.submit(told)
    assert os.read(heard, 1)
    (worker,), thread = (
        workers.executor._processes.values(),
        workers.executor._executor_manager_thread,
    )
    workers.close()
    assert not thread.is_alive()  # Python's end would write to it while it closes its pipes
    assert worker.exitcode == -signal.SIGKILL
    for end in heard, told:
        os.close(end)
