"""A scratch course in which every stock command of nbgrader was run once."""

import dataclasses
import functools
import gc
import os
import pickle
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pytest
import together
import yaml
from filelock import FileLock
from nbgrader.api import Gradebook
from sqlalchemy import Engine, event

import grading.run.run
from grading.authoring.release import make_release
from grading.cli import converter_of
from grading.demo import make_course, plain
from grading.feedback.text import Prose
from grading.marking.hidden_data import read_secret
from grading.rooms import packages, sandbox
from grading.rooms.bubblewrap import SetUp, file_system
from grading.run import Certificate, Run
from grading.source import Version, read_source
from grading.source.cells import with_answers

REPO = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
ASSIGNMENT = "rnn_lstm_forward"
# NumPy says that a number is too large for exp, however often it said so before.
OVERFLOW = """\
    import warnings
    warnings.simplefilter("always")
    np.exp(np.full(1, 1000.0))
    return """

# The files that take longest: begun first, so that all workers end at about the same time.
LONG = ["site", "prove", "class", "hostile", "student_folder", "nbgrader", "release", "feedback"]
LONG += ["harmless", "leaks", "bounds", "editions", "options", "hostile_folders", "exports"]
LONG += ["motion", "instructors_cells", "rooms", "plain_tests", "beside_stock"]
LONG += ["report", "example_course", "exchange", "no_points_for_nothing", "language", "named"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first."""
    place = {f"test_{name}": number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get(item.path.stem, len(LONG)))
    gc.disable()  # looking for rubbish again and again took a seventh of these processes' time
    tidy_up()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Tidy up after the last test of a file."""
    if nextitem is None or nextitem.path != item.path:
        tidy_up()


def tidy_up() -> None:
    """Throw the rubbish away; what is left is not looked through again, here and in forks."""
    gc.collect()
    gc.freeze()


@dataclass
class Course:
    """
    A scratch course, and what the commands run in it gave.

    Attributes
    ----------
    root, home : Path
        Its folder, and one for what Jupyter and IPython keep.
    mistake : Version
        What the student "mistaken" handed in.
    said : dict
        What each command printed, by its name.
    marks : dict
        What stood in the grade book after a command: points by student and function.
    """

    root: Path
    home: Path
    mistake: Version
    said: dict[str, str] = field(default_factory=dict)
    marks: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        """The environment of an instructor who did not activate the virtual one."""
        own = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
        kinds = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
        return {**own, "PATH": os.defpath, **{kind: str(self.home / kind) for kind in kinds}}

    def run(self, name: str, *arguments: str) -> None:
        """Run `nbgrader <name>`, or `rnn-grading grade`; it must end well."""
        own = name == "grade"
        program = [sys.executable, "-m", "grading"] if own else [str(BIN / "nbgrader")]
        run = subprocess.run(
            [*program, name, *arguments],
            cwd=self.root,
            env=self.env,
            capture_output=True,
            text=True,
        )
        self.said[name] = run.stdout + run.stderr
        assert run.returncode == 0, f"{name}: {self.said[name]}"
        self.marks[name] = self.read_marks()

    def run_together(self, *commands: str) -> None:
        """Run some of nbgrader's commands in one process; they must end well."""
        run = subprocess.run(
            [sys.executable, together.__file__, *commands],
            cwd=self.root,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert run.returncode == 0, run.stdout
        said = run.stdout.split(together.END)[:-1]
        for command, each in zip(commands, said, strict=True):
            name = command.split()[0]
            self.said[name], self.marks[name] = each, self.read_marks()

    def read_marks(self) -> dict[str, dict[str, float]]:
        """Read the grade book: points by student and function."""
        with Gradebook(f"sqlite:///{self.root}/gradebook.db") as book:
            return {
                submission.student_id: {
                    grade.name.removeprefix("test_"): grade.score
                    for grade in submission.notebooks[0].grades
                }
                for submission in book.assignment_submissions(ASSIGNMENT)
            }

    def hand_in(self, student: str, answers: dict[str, str]) -> None:
        """Hand in the student version with these solution cells."""
        name = f"{ASSIGNMENT}.ipynb"
        given = self.root / "release" / ASSIGNMENT
        release = nbformat.read(given / name, as_version=4)
        folder = self.root / "submitted" / student / ASSIGNMENT
        shutil.copytree(given, folder)  # all of it, as students do
        nbformat.write(with_answers(release, plain(answers)), folder / name)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory, worker_id) -> Callable[[str, Callable[[Path], None]], Path]:
    """Return what has a folder of a name made once for all workers; it is copied."""

    def once(name: str, make: Callable[[Path], None]) -> Path:
        here = tmp_path_factory.getbasetemp()
        shared = (here if worker_id == "master" else here.parent) / name
        with FileLock(f"{shared}.lock"):
            if not shared.exists():
                folder = tmp_path_factory.mktemp(name) / "made"
                make(folder)
                folder.rename(shared)
        return shared

    return once


def make_released(root: Path) -> None:
    """Make a course in which the assignment is released."""
    make_course(REPO, root)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        assert make_release(ASSIGNMENT) == []
    read_secret(root)  # all copies of the course have the same hidden data


@pytest.fixture(scope="session")
def released(made_once) -> Path:
    """Return the course in which the assignment is released."""
    return made_once("released", make_released)


def shorten_table(source: Path, *kept: str) -> None:
    """Leave two mistakes of each function, and what is named: a release takes a second."""
    file = source / "mistakes.yaml"
    table = yaml.load(file.read_text("utf-8"), yaml.CSafeLoader)
    for about in table.values():
        if isinstance(about, dict):  # and no list of what students may see
            left = [*list(about["mistakes"])[:2], *kept]
            about["mistakes"] = {n: e for n, e in about["mistakes"].items() if n in left}
    file.write_text(yaml.safe_dump(table, sort_keys=False), "utf-8")


@pytest.fixture(scope="session")
def shortened(made_once, released) -> Path:
    """Return that course with a short table of mistakes: marking takes half the time."""

    def shorten(root: Path) -> None:
        shutil.copytree(released, root)
        shorten_table(root / "source" / ASSIGNMENT)
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(root)
            assert make_release(ASSIGNMENT) == []

    return made_once("shortened", shorten)


def make_handed_in(released: Path, root: Path, students: Iterable[str]) -> None:
    """Make a course in which these students have handed in the solution."""
    name = f"{ASSIGNMENT}.ipynb"
    shutil.copytree(released, root)
    blank = nbformat.read(root / "release" / ASSIGNMENT / name, as_version=4)
    solved = with_answers(blank, plain(read_source(ASSIGNMENT, root).answers))
    for student in students:
        folder = root / "submitted" / student / ASSIGNMENT
        folder.mkdir(parents=True)
        nbformat.write(solved, folder / name)


_warm: dict[tuple, sandbox.Process] = {}
start_process = sandbox.start_process  # to be put back where processes are tested


def branch(set_up: SetUp) -> sandbox.ControlLine:
    """Return a fork of the warm process of all runs that see the same: one takes a second."""
    if set_up.way.bwrap is not None and not set_up.way.nested:  # a process for each room
        return start_process(set_up)
    sees = (set_up.way, *file_system(set_up.packages, set_up.hidden)[0])
    if sees not in _warm:
        _warm[sees] = sandbox.Process(set_up)
        _warm[sees].wait_until_ready()
    no_count = {"processes": None} if set_up.way.name == "unprotected" else {}
    line = sandbox.ControlLine(dataclasses.asdict(set_up.limits) | no_count)
    _warm[sees].ask({"do": "branch", "cores": []}, line.theirs)
    return line


@event.listens_for(Engine, "connect")
def write_behind(connection, _) -> None:
    """Wait for no disk: a grade book of a test need not outlive the machine."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous = OFF")


find_packages, make_prose = packages.distributions, Prose.__init__
_rendered: dict[tuple, dict] = {}


@functools.cache
def installed(names: tuple[str, ...], path: tuple[str, ...]) -> dict:
    """Return the packages that are found on a path."""
    return find_packages(names)


def make_known_prose(prose: Prose, files, words) -> None:
    """Make the texts of pages; what is rendered of the same files and words is the same."""
    make_prose(prose, files, words)
    known = (frozenset(files.items()), frozenset(words.items()))
    prose.rendered = _rendered.setdefault(known, {})


@pytest.fixture(scope="session", autouse=True)
def warm_processes():
    """Let all runs in this process share warm processes; end them with the session."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sandbox, "start_process", branch)
        patch.setattr(grading.run.run, "start_early", lambda: None)
        patch.setattr(packages, "distributions", lambda n: installed(tuple(n), tuple(sys.path)))
        patch.setattr(Prose, "__init__", make_known_prose)
        yield
    while _warm:
        _warm.popitem()[1].close()


@contextmanager
def open_run(
    students: list[str], force: bool = False, assignment: str = ASSIGNMENT, **more
) -> Iterator[Run]:
    """Get all ready to mark in the course here, as `rnn-grading grade` does."""
    converter = converter_of(assignment, unprotected=False)
    converter.force = force
    with converter.open_run(students, **more) as run:
        yield run


def grade(students: list[str], jobs: int = 1, **more) -> list[Certificate]:
    """
    Mark in the course here; return the certificates in the order in which they came.

    A few students are marked soonest by one worker, where tests run beside one another.
    """
    with open_run(students, jobs=jobs, **more) as run:
        return list(run.mark())


def make_stock(home: Path) -> None:
    """Release, mark, give feedback and export with nbgrader; then mark with `grading`."""
    source = read_source(ASSIGNMENT, REPO)
    mistake = next(each for each in source.versions if each.name == "softmax_over_examples")
    course = Course(home / "rnn", home, mistake)
    home.mkdir()
    make_course(REPO, course.root)
    shorten_table(course.root / "source" / ASSIGNMENT, mistake.name)
    course.run("generate_assignment", ASSIGNMENT)
    warned = {n: text.replace("    return ", OVERFLOW) for n, text in source.answers.items()}
    course.hand_in("warned", warned)
    course.hand_in("mistaken", {**source.answers, mistake.function: mistake.text})
    course.hand_in("Zoë O'Neill", {})
    autograde, feedback = f"autograde {ASSIGNMENT}", f"generate_feedback {ASSIGNMENT}"
    course.run_together(autograde, feedback, "export --to=marks.csv")
    course.run("grade", ASSIGNMENT)
    (home / "course.pickle").write_bytes(pickle.dumps(course))


@pytest.fixture(scope="session")
def course(made_once, tmp_path_factory) -> Course:
    """Return a copy of that course."""
    home = tmp_path_factory.mktemp("course") / "home"
    shutil.copytree(made_once("stock", make_stock), home)
    course = pickle.loads((home / "course.pickle").read_bytes())
    return dataclasses.replace(course, root=home / "rnn", home=home)
