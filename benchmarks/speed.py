"""
A class marked by stock nbgrader and by this kit, and by this kit at several sizes.

    python benchmarks/speed.py compare [ASSIGNMENT ...] [--students 100] [--rounds 1] [--many 0]
    python benchmarks/speed.py scale [100 1000 10000]
    python benchmarks/speed.py hang [--students 200]
    python benchmarks/speed.py busy [--students 200]

The class is made of the demo's honest submissions. Every course lies in a scratch folder.
Nothing else should run on the machine meanwhile; this does not belong in CI. Stock nbgrader takes
as long for each submission, so it marks a smaller class, and what it would take for the whole
one is what it takes with nothing to mark, and so much for each.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from itertools import cycle, islice
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import psutil
from nbgrader.api import Gradebook
from stock import environment

from grading.authoring.release import make_release
from grading.demo import make_course, submissions
from grading.marking.notebook import runs
from grading.run.certificate import FOLDER, read_certificates
from grading.run.pool import cores
from grading.source import read_source
from grading.source.cells import is_test, with_answers

REPO = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
ASSIGNMENTS = sorted(path.name for path in (REPO / "source").iterdir() if path.is_dir())
ASSIGNMENT = "rnn_lstm_forward"  # for what one is enough
FOR_STOCK = 24  # submissions
HANGS = "endless_loop"
SAMPLE_SECONDS = 2.0  # between looks at the memory
STOCK = """\
c = get_config()
c.CourseDirectory.course_id = "rnn"
c.CourseDirectory.root = {root!r}
c.CourseDirectory.ignore = ["mistakes.yaml", "draw.py", "__pycache__", ".ipynb_checkpoints"]
"""


@dataclass
class Timing:
    """
    What one command took.

    Attributes
    ----------
    seconds, cpu_seconds, peak_mb : float
        Wall time; processor time and memory of all its processes together.
    memory : list of (float, float)
        Memory in MB over the seconds.
    """

    seconds: float
    cpu_seconds: float
    peak_mb: float
    memory: list[tuple[float, float]] = field(default_factory=list)


# ------------------------------------------------------------------- the class


def make_class(folder: Path, students: int, hanging: int = 0, assignment: str = ASSIGNMENT) -> Path:
    """Make a course in which so many have handed in, every `hanging`-th an endless loop."""
    course = folder / "rnn"
    folder.mkdir(exist_ok=True)
    make_course(REPO, course)
    os.chdir(course)
    make_release(assignment)
    blank = nbformat.read(course / "release" / assignment / f"{assignment}.ipynb", as_version=4)
    kinds = {
        name: nbformat.writes(with_answers(blank, answers))
        for name, answers in submissions(read_source(assignment))
    }
    loop = kinds.pop(HANGS)
    for number, text in enumerate(islice(cycle(kinds.values()), students)):
        hangs = hanging and number % hanging == hanging // 2
        path = course / "submitted" / f"student_{number:05}" / assignment / f"{assignment}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(loop if hangs else text, "utf-8")
    return course


def forget(course: Path) -> None:
    """Take away all that a marking made, but for what was published."""
    for name in ("autograded", "feedback", "reports"):
        shutil.rmtree(course / name, ignore_errors=True)
    with Gradebook(f"sqlite:///{course}/gradebook.db", "rnn") as book:
        for assignment in book.assignments:
            for submission in book.assignment_submissions(assignment.name):
                book.remove_submission(assignment.name, submission.student.id)


def marks(course: Path) -> dict[tuple[str, str], float]:
    """Return the points that stand in the grade book, by student and cell."""
    with Gradebook(f"sqlite:///{course}/gradebook.db", "rnn") as book:
        return {
            (submission.student_id, grade.name): grade.score
            for assignment in book.assignments
            for submission in book.assignment_submissions(assignment.name)
            for notebook in submission.notebooks
            for grade in notebook.grades
        }


# --------------------------------------------------------------------- measuring


def measure(
    course: Path,
    *command: str | Path,
    watched: bool = False,
    env: dict[str, str] | None = None,
) -> Timing:
    """
    Run a command in a course; return what it took, all its processes included.

    Memory is looked at only where it is asked for, since looking takes time.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.monotonic()
    process = psutil.Popen(
        command, cwd=course, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    memory: list[tuple[float, float]] = []
    watch = threading.Thread(target=lambda: memory.extend(memory_of(process, begin)))
    if watched:
        watch.start()
    _, said = process.communicate()
    seconds = time.monotonic() - begin
    if watched:
        watch.join()
    if process.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{said.decode()[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Timing(seconds, cpu, max((mb for _, mb in memory), default=0.0), memory)


def memory_of(process: psutil.Popen, begin: float) -> Iterator[tuple[float, float]]:
    """Yield the memory of a process and all its children until it ends; shared pages count once."""
    while process.poll() is None:
        total = 0.0
        for each in [process, *process.children(recursive=True)]:
            try:
                total += each.memory_full_info().pss / 2**20
            except psutil.Error:
                continue
        yield time.monotonic() - begin, total
        time.sleep(SAMPLE_SECONDS)


def ours(course: Path, *more: str, watched: bool = False, assignment: str = ASSIGNMENT) -> Timing:
    """Mark a class with this kit."""
    command = [sys.executable, "-m", "grading", "grade", assignment, *more]
    return measure(course, *command, watched=watched)


def stock(course: Path, assignment: str) -> Timing:
    """Mark a class with stock nbgrader."""
    with tempfile.TemporaryDirectory(prefix="ipython-") as folder:
        known = environment(Path(folder), course, assignment)
        return measure(course, BIN / "nbgrader", "autograde", assignment, env=known)


def parts_of(course: Path, assignment: str) -> dict[str, float]:
    """Return the processor time of each part in milliseconds for each submission; see parts.py."""
    program = REPO / "benchmarks" / "parts.py"
    done = subprocess.run(
        [sys.executable, program, assignment],
        cwd=course,
        capture_output=True,
        text=True,
        check=True,
    )
    seconds = json.loads(done.stdout.splitlines()[-1])
    count = seconds.pop("submissions")
    return {part: 1000 * took / count for part, took in seconds.items()}


def bare_seconds(course: Path, assignment: str) -> float:
    """Return the time that the students' cells take by themselves, in a process of their own."""
    done = subprocess.run(
        [sys.executable, __file__, "bare", assignment],
        cwd=course / "source" / assignment,
        env={**os.environ, "MPLBACKEND": "agg"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return float(done.stdout.splitlines()[-1])


def bare(assignment: str) -> None:
    """Print the time that the cells take which are run in marking, tests left out."""
    total, course = 0.0, Path.cwd().parents[1]
    sys.path.insert(0, os.getcwd())
    for path in sorted((course / "submitted").glob(f"*/{assignment}/{assignment}.ipynb")):
        cells = nbformat.read(path, as_version=4).cells
        last = max(number for number, cell in enumerate(cells) if is_test(cell))
        code = [c for c in cells[:last] if runs(c) and not is_test(c)]
        names: dict = {"__name__": "__main__"}
        begin = time.process_time()
        with redirect_stdout(StringIO()):
            for cell in code:
                try:
                    exec(cell.source, names)
                except Exception:
                    continue
        total += time.process_time() - begin
    print(total)


# ------------------------------------------------------------------- what is shown


def compare(assignment: str, students: int, rounds: int, many: int) -> None:
    """Mark a class of an assignment with both, in turn; print the ratio and where time goes."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        mine = make_class(Path(folder) / "ours", students, assignment=assignment)
        theirs = make_class(Path(folder) / "stock", FOR_STOCK, assignment=assignment)
        (theirs / "nbgrader_config.py").write_text(STOCK.format(root=str(theirs)))
        ratios, times, per_stock = [], [], []
        for number in range(rounds):
            if number:
                forget(mine)
                forget(theirs)
            slow, nothing = stock(theirs, assignment), stock(theirs, assignment)
            fast = ours(mine, assignment=assignment)
            per_stock.append((nothing.seconds, (slow.seconds - nothing.seconds) / FOR_STOCK))
            whole = per_stock[-1][0] + students * per_stock[-1][1]
            ratios.append(whole / fast.seconds)
            times.append(fast)
            print(
                f"{assignment}, round {number + 1}: stock {whole:.0f} s ({FOR_STOCK} in"
                f" {slow.seconds:.1f} s, none in {nothing.seconds:.1f} s), ours"
                f" {fast.seconds:.1f} s, ratio {ratios[-1]:.1f}",
                flush=True,
            )
        found = marks(mine)
        other = {p: points for p, points in marks(theirs).items() if found[p] != points}
        isolation = next(read_certificates(mine / "reports" / assignment / FOLDER)).isolation
        single = statistics.median(
            ours(mine, "student_00000", "--force", assignment=assignment).seconds for _ in range(3)
        )
        peak = ours(mine, "--force", watched=True, assignment=assignment).peak_mb
        parts, bare = parts_of(mine, assignment), bare_seconds(mine, assignment)
        cpu = statistics.median(each.cpu_seconds for each in times)
        print(f"{students} submissions, {cores()} cores; {isolation}")
        print(f"ratio: {statistics.median(ratios):.1f}; other marks: {len(other) or 'none'}")
        for (student, cell), points in other.items():
            print(f"  {student}, {cell}: stock {points:g}, ours {found[student, cell]:g}")
        if many:
            shutil.rmtree(mine.parent)
            most = make_class(Path(folder) / "many", many, assignment=assignment)
            took = ours(most, "--quiet", assignment=assignment).seconds
            nothing, each = map(statistics.median, zip(*per_stock, strict=True))
            print(f"{many}: ours {took:.1f} s, ratio {(nothing + many * each) / took:.1f}")
    start_up = parts.pop("start-up") * students / 1000
    print(f"processor time: {cpu:.1f} s; start-up {start_up:.1f} s, and in ms for each submission:")
    print("  " + ", ".join(f"{part} {took:.1f}" for part, took in parts.items()))
    print(f"students' own code, bare: {bare:.1f} s, {bare / cpu:.0%} of ours")
    print(f"peak memory, all processes: {peak:.0f} MB")
    print(f"a single submission, start-up included: {single:.1f} s", flush=True)


def scale(sizes: list[int]) -> None:
    """Mark classes of several sizes; print and plot time and memory."""
    rows, curves = [], {}
    for students in sizes:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            course = make_class(Path(folder), students)
            took = ours(course, "--quiet", watched=True)
            assert len({student for student, _ in marks(course)}) == students
        curves[students] = took.memory
        each = took.seconds / students * 1000
        rows.append((students, took.seconds, each, took.cpu_seconds / students, took.peak_mb))
        print(
            f"{students} submissions: {took.seconds:.1f} s, {each:.1f} ms each "
            f"({rows[-1][3] * 1000:.0f} ms of processor), peak memory {took.peak_mb:.0f} MB",
            flush=True,
        )
    with open(REPO / "benchmarks" / "scale.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["submissions", "seconds", "ms_each", "cpu_seconds_each", "peak_mb"])
        writer.writerows(
            [f"{value:.4g}" if value < 1e4 else int(value) for value in r] for r in rows
        )
    plot(rows, curves)


def plot(rows: list[tuple], curves: dict[int, list[tuple[float, float]]]) -> None:
    """Draw time per submission over the size of the class, and memory over the run."""
    left, right = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")[1]
    left.plot([row[0] for row in rows], [row[2] for row in rows], "o-", color="C0")
    left.set(xscale="log", xlabel="submissions", ylabel="ms for each", ylim=(0, None))
    for students, curve in curves.items():
        whole = max((second for second, _ in curve), default=1.0)
        right.plot([s / whole for s, _ in curve], [mb for _, mb in curve], label=f"{students:,}")
    right.set(xlabel="share of the run", ylabel="memory in MB, all processes", ylim=(0, None))
    right.legend(title="submissions")
    plt.savefig(REPO / "benchmarks" / "scale.svg", metadata={"Date": None})


def hang(students: int) -> None:
    """Mark a class in which every tenth hangs, and say how long the others waited."""
    for hanging in (0, 10):
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            course = make_class(Path(folder), students, hanging)
            begin = time.time()
            took = ours(course, "--quiet")
            reports = course / "reports" / ASSIGNMENT / FOLDER
            done = {c.student_id: c.timed_out for c in read_certificates(reports)}
            ends = {p.stem: p.stat().st_mtime - begin for p in reports.glob("*.json")}
        others = max(ends[student] for student, timed_out in done.items() if not timed_out)
        print(
            f"{students} submissions, {sum(done.values())} of them hang: the others are marked "
            f"after {others:.1f} s, all after {took.seconds:.1f} s",
            flush=True,
        )


def busy(students: int) -> None:
    """Mark a class alone and beside four endless loops; say whether the marks are the same."""
    counted = (
        "import sys; from grading.run.run import Run; from grading.cli import main\n"
        "mark_all = Run.mark_all\n"
        "def count(self, students, *more):\n"
        "    print('marked', len(students), file=sys.stderr)\n"
        "    return mark_all(self, students, *more)\n"
        f"Run.mark_all = count; sys.argv[1:] = ['grade', {ASSIGNMENT!r}, '--quiet']; main()"
    )
    marks_of: list[dict[tuple[str, str], float]] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        course = make_class(Path(folder), students)
        for loops in (0, 4):
            forget(course)
            loop = [sys.executable, "-c", "while True: pass"]
            beside = [subprocess.Popen(loop) for _ in range(loops)]
            begin = time.monotonic()
            done = subprocess.run(
                [sys.executable, "-c", counted], cwd=course, capture_output=True, text=True
            )
            seconds = time.monotonic() - begin
            for each in beside:
                each.kill()
            marks_of.append(marks(course))
            first, *again = [int(n) for n in re.findall(r"^marked (\d+)$", done.stderr, re.M)]
            print(f"beside {loops} loops: {first} in {seconds:.0f} s, {sum(again)} of them twice")
    print("same marks" if marks_of[0] == marks_of[1] else "the marks differ", flush=True)


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("compare")
    one.add_argument("assignments", nargs="*", default=ASSIGNMENTS)
    one.add_argument("--students", type=int, default=100)
    one.add_argument("--rounds", type=int, default=1)
    one.add_argument("--many", type=int, default=0, help="Also mark a class of this size.")
    commands.add_parser("bare").add_argument("assignment")
    two = commands.add_parser("scale")
    two.add_argument("sizes", type=int, nargs="*", default=[100, 1000, 10_000])
    three = commands.add_parser("hang")
    three.add_argument("--students", type=int, default=200)
    four = commands.add_parser("busy")
    four.add_argument("--students", type=int, default=200)
    asked = parser.parse_args()
    if asked.command == "compare":
        for assignment in asked.assignments:
            compare(assignment, asked.students, asked.rounds, asked.many)
    elif asked.command == "bare":
        bare(asked.assignment)
    elif asked.command == "scale":
        scale(asked.sizes)
    elif asked.command == "hang":
        hang(asked.students)
    else:
        busy(asked.students)


if __name__ == "__main__":
    main()
