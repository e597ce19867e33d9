"""nbgrader's exchange, the whole round, as two users of the machine where it has a second one."""

import contextlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
import pytest
from scratch import NAME, RIGHT, WRONG, configure, hand_in, nbgrader, question, write_source

from grading.cli import app
from grading.nbgrader_plugins import KEPT_BACK
from grading.source import enter_course

COURSE = "rnn"
# A student has no more than nbgrader; one process runs all commands of a sitting.
SITTING = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from scratch import nbgrader
for line in sys.argv[1:]:
    print(nbgrader(Path.cwd(), *line.split(), "--course=" + {course!r}, {root!r}))
"""
SECOND = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]


def second_user() -> list[str]:
    """Return what a command is begun with to be another user's; [] where there is none."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        return []
    probe = [*SECOND, sys.executable, "-c", "import nbgrader.apps.nbgraderapp"]
    return [] if subprocess.run(probe, cwd="/", capture_output=True).returncode else SECOND


class Round:
    """A course, the exchange, and the home of a student."""

    def __init__(self, folder: Path) -> None:
        self.as_student = second_user()
        self.student = "nobody" if self.as_student else pwd.getpwuid(os.geteuid()).pw_name
        self.course, self.exchange, self.home = (folder / n for n in ("rnn", "exchange", "home"))
        for each in (self.course, self.exchange, self.home):
            each.mkdir()
        folder.chmod(0o755)
        self.exchange.chmod(0o777)
        self.home.chmod(0o777)
        write_source(self.course / "source" / NAME, question())
        for name in KEPT_BACK:
            (self.course / "source" / NAME / name).write_text("")
        configure(self.course, f"c.Exchange.root = {str(self.exchange)!r}")

    def instructor(self, *commands: str) -> str:
        """Run nbgrader's commands in the course folder."""
        return "\n".join(nbgrader(self.course, *line.split()) for line in commands)

    def sits_down(self, *commands: str) -> str:
        """Run a student's commands at home."""
        root = f"--Exchange.root={self.exchange}"
        script = SITTING.format(tests=str(Path(__file__).parent), course=COURSE, root=root)
        run = subprocess.run(
            [*self.as_student, sys.executable, "-c", script, *commands],
            cwd=self.home,
            env={"HOME": str(self.home), "PATH": os.defpath},
            capture_output=True,
            text=True,
        )
        assert run.returncode == 0, run.stderr
        return run.stdout

    def write(self, answer: str) -> None:
        """Write the answer into the notebook that was fetched."""
        notebook = self.home / NAME / f"{NAME}.ipynb"
        found = nbformat.read(notebook, as_version=4)
        next(each for each in found.cells if each.id == "double").source = answer
        notebook.write_text(nbformat.writes(found))

    def pages(self) -> list[str]:
        """Return what the student has fetched, the newest last: pages, and nothing beside."""
        found = sorted(p for p in (self.home / NAME / "feedback").rglob("*") if p.is_file())
        assert {path.name for path in found} <= {f"{NAME}.html"}
        return [path.read_text("utf-8") for path in found]

    def page(self) -> str:
        """Return the page that the instructor has."""
        folder = self.course / "feedback" / self.student / NAME
        return (folder / f"{NAME}.html").read_text("utf-8")


@pytest.fixture(scope="module")
def around():
    with tempfile.TemporaryDirectory() as folder:  # pytest's own are closed to others
        yield Round(Path(folder))


def test_the_round(around):
    said = around.instructor(f"generate_assignment {NAME}", f"release_assignment {NAME}")
    assert "Released as: rnn ps1" in said
    said = around.sits_down("list", f"fetch_assignment {NAME}")
    assert "[ListApp | INFO] rnn ps1" in said
    assert {p.name for p in (around.home / NAME).iterdir()} == {
        *(f"{NAME}.ipynb", "known_mistakes.json", "rnn_checks.py")
    }

    around.write(WRONG)
    assert f"Submitted as: rnn {NAME}" in around.sits_down(f"submit {NAME}")
    assert f"Collecting submission: {around.student} {NAME}" in around.instructor(f"collect {NAME}")
    assert "exit" not in around.instructor(f"autograde {NAME}", f"generate_feedback {NAME}")
    assert "Feedback released" in around.instructor(f"release_feedback {NAME}")

    # the same student once more: another secret, another page; this time the kit's own command
    around.write(RIGHT)
    said = around.sits_down("list --cached", f"fetch_feedback {NAME}", f"submit {NAME}")
    assert "feedback ready to be fetched" in said
    assert around.pages() == [around.page()]
    assert "Updating submission" in around.instructor(f"collect {NAME} --update")
    with contextlib.chdir(around.course):
        app(["grade", NAME, "--quiet"], standalone_mode=False)
    assert "Feedback released" in around.instructor(f"release_feedback {NAME}")
    around.sits_down(f"fetch_feedback {NAME}")
    wrong, right = around.pages()
    assert right == around.page()
    assert "is wrong" in wrong and "is wrong" not in right


def test_feedback_is_released_without_a_timestamp_and_never_to_others(around):
    """A page goes out by the secret; a submission that came another way is named."""
    submitted = around.course / "submitted"
    for name, text in {"no_time": "a" * 128, "another_way": ""}.items():
        folder = submitted / name / NAME
        hand_in(around.course / "release" / NAME, folder, RIGHT)
        if text:
            (folder / "submission_secret.txt").write_text(text)
    linked = submitted / "linked" / NAME
    hand_in(around.course / "release" / NAME, linked, RIGHT)
    (linked / "submission_secret.txt").symlink_to(around.course / "gradebook.db")

    assert "exit" not in around.instructor(f"autograde {NAME}")
    before = set((around.exchange / COURSE / "feedback").iterdir())
    said = around.instructor(f"release_feedback {NAME}")
    assert "exit" not in said and "Traceback" not in said
    assert "not handed in through the exchange: another_way, linked." in said
    new = set((around.exchange / COURSE / "feedback").iterdir()) - before
    assert [path.suffix for path in new] == [".html"]


WHEN = "2027-01-01 10:00:00.000000 UTC+abc"
ODD_TIMES = {"no date": b"whenever", "no text": b"\xff\xfe", "no year": b"99999999999999"}


def test_collect_follows_no_link_and_one_folder_holds_up_no_other(around):
    """Students may write into that folder whatever they like: nbgrader reads it as who collects."""
    source, given = around.course / "source" / NAME, around.course / "release" / NAME
    assert "BEGIN SOLUTION" in (source / f"{NAME}.ipynb").read_text()
    inbound = around.exchange / COURSE / "inbound"
    thief, pipe = (inbound / f"{name}+{NAME}+{WHEN}" for name in ("thief", "pipe"))
    hand_in(given, pipe, RIGHT)
    os.mkfifo(pipe / "more")
    thief.mkdir()
    (thief / f"{NAME}.ipynb").symlink_to(source / f"{NAME}.ipynb")
    (thief / "all").symlink_to(source)
    (inbound / f"whole+{NAME}+{WHEN}").symlink_to(source)
    hand_in(given, inbound / f"..+{NAME}+{WHEN}", RIGHT)
    hand_in(given, inbound / f"untimed+{NAME}+whenever", RIGHT)
    hand_in(given, inbound / f"zoe+{NAME}+{WHEN}", RIGHT)
    try:
        said = around.instructor(f"collect {NAME}", f"collect {NAME} --update")
        for folder in (thief, inbound / f"whole+{NAME}+{WHEN}"):
            assert f"{folder.name}: not collected, for they are links" in said
        assert "Traceback" not in said and "exit" not in said
        found = around.course.glob(f"submitted/*/{NAME}/**/*")
        texts = {path.parts[-3]: path.read_text() for path in found if path.suffix == ".ipynb"}
        assert {"pipe", "untimed", "zoe"} <= set(texts) and not {"thief", "whole"} & set(texts)
        assert not any("BEGIN SOLUTION" in text for text in texts.values())
        assert not (around.course / NAME).exists()
    finally:
        for name in ("thief", "whole", "pipe", "untimed", "zoe"):
            shutil.rmtree(around.course / "submitted" / name, ignore_errors=True)


def test_formgrader_lists_a_class_whatever_a_timestamp_says(around):
    submitted = around.course / "submitted"
    for name, text in ODD_TIMES.items():
        hand_in(around.course / "release" / NAME, submitted / name / NAME, RIGHT)
        (submitted / name / NAME / "timestamp.txt").write_bytes(text)
    hand_in(around.course / "release" / NAME, submitted / "no file" / NAME, RIGHT)
    (submitted / "no file" / NAME / "timestamp.txt").mkdir()
    odd = {*ODD_TIMES, "no file"}
    try:
        for graded in (False, True):
            with contextlib.chdir(around.course):
                listed = enter_course().get_submissions(NAME)
            found = {each["student"]: each for each in listed}
            assert {found[name]["autograded"] for name in odd} == {graded}
            assert {found[name]["timestamp"] for name in odd} == {None}
            assert "exit" not in around.instructor(f"autograde {NAME}")
    finally:
        for name in odd:
            shutil.rmtree(submitted / name)
