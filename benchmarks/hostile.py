"""
The hostile submissions of the tests, marked by stock nbgrader and by the rooms, side by side.

    python benchmarks/hostile.py [NAME ...]

Stock nbgrader runs in a throwaway copy of the course, one submission at a time, with a
kernel for each; bubblewrap sees to it that all processes of a run end with it, and to
nothing else. What would harm the machine (`harms` in tests/hostile.py) is not run there.
This takes some minutes, and does not belong in CI.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPO), str(REPO / "tests")]

import nbformat  # noqa: E402
from hostile import ASSIGNMENT, CANARY, SUBMISSIONS, Submission, source_in  # noqa: E402
from nbgrader.preprocessors import Execute  # noqa: E402
from nbgrader.utils import determine_grade  # noqa: E402
from stock import environment  # noqa: E402

from grading.demo import make_course  # noqa: E402
from grading.marking.naming import Outcomes  # noqa: E402
from grading.marking.notebook import given_files, mark_notebook  # noqa: E402
from grading.marking.solution import mark_solution  # noqa: E402
from grading.rooms import Limits, Nursery  # noqa: E402
from grading.source.cells import is_test  # noqa: E402

LIMITS = Limits(memory_mb=512, disk_mb=32, cell_seconds=5, call_seconds=2, notebook_seconds=60)
CELL_SECONDS, RUN_SECONDS = 5, 60
MEMORY = 4 * 2**30  # of each process of stock nbgrader
END_TOGETHER = ["bwrap", "--dev-bind", "/", "/", "--unshare-pid", "--proc", "/proc",
                "--die-with-parent"]  # fmt: skip


def main() -> None:
    """Mark all, or those that are named; print one line each, and the counts."""
    wanted = [s for s in SUBMISSIONS if s.name in sys.argv[1:] or not sys.argv[1:]]
    print(f"{'submission':55}{'deserved':>9}{'stock':>9}{'rooms':>9}")
    rows = []
    outcomes = Outcomes(source_in(REPO))
    with (
        tempfile.TemporaryDirectory(prefix="hostile-") as folder,
        Nursery(LIMITS, hidden=[folder, REPO]) as rooms,
    ):
        for number, submission in enumerate(wanted):
            course = Path(folder) / str(number) / "course"
            course.parent.mkdir()
            make_course(REPO, course)
            os.chdir(course)
            stock = stock_marks(submission, course)
            rows.append((submission, stock, room_marks(submission, course, outcomes, rooms)))
            print(line(*rows[-1]), flush=True)
            os.chdir(REPO)
    for path in Path("/tmp").glob(f"*{CANARY}*"):  # left by stock nbgrader's kernel
        path.unlink()
    for what, count in (("more than deserved", gained), ("less than deserved", lost)):
        stock = sum(count(submission, marks) for submission, marks, _ in rows)
        rooms = sum(count(submission, marks) for submission, _, marks in rows)
        print(f"{what:64}{stock:9}{rooms:9}")
    not_marked = sum(marks is None and not submission.harms for submission, marks, _ in rows)
    print(f"{'  of these without any mark, the run having died':64}{not_marked:9}")
    skipped = sum(submission.harms for submission, _, _ in rows)
    print(f"Not run with stock nbgrader, because it would harm this machine: {skipped}")


def line(submission: Submission, stock: list | None, rooms: list) -> str:
    """Return one line; + and - say where marks are more or less than deserved."""
    cells = [f"{submission.name:55}{sum(submission.earns):9g}"]
    for marks, none in ((stock, "not run" if submission.harms else "died"), (rooms, "")):
        signs = "+" * gained(submission, marks) + "-" * lost(submission, marks)
        cells.append(f"{none if marks is None else f'{sum(marks):g}'}{signs or ' '}".rjust(9))
    return "".join(cells)


def gained(submission: Submission, marks: list | None) -> bool:
    """Tell whether any function earned more than it should."""
    return any(e > most for e, most in zip(marks or [], submission.earns, strict=False))


def lost(submission: Submission, marks: list | None) -> bool:
    """Tell whether any function earned less than it should."""
    least = submission.least or submission.earns
    if marks is None:
        return not submission.harms and any(least)
    return any(e < should for e, should in zip(marks, least, strict=True))


def room_marks(
    submission: Submission, course: Path, outcomes: Outcomes, rooms: Nursery
) -> list[float]:
    """Return the points of each function, from the rooms."""
    marked = mark_notebook(submission.notebook(course), outcomes, rooms)
    return [result.points for result in marked.results.values()]


def stock_marks(submission: Submission, course: Path) -> list[float] | None:
    """Return the points of each function, from stock nbgrader; None where its run dies."""
    if submission.harms:
        return None
    home = course.parent / "home"
    home.mkdir()
    known = environment(course.parent / "ipython", course, ASSIGNMENT)
    known |= {"HOME": str(home), "PYTHONPATH": str(REPO)}
    command = [sys.executable, __file__, "--stock", submission.name, str(course)]
    try:
        done = subprocess.run(
            [*END_TOGETHER, *command],
            cwd=course,
            env=known,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=RUN_SECONDS,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
        )
        return json.loads(done.stdout.splitlines()[-1])
    except (subprocess.TimeoutExpired, ValueError, IndexError):
        return None


def run_stock(name: str, course: Path) -> None:
    """Run one submission as stock nbgrader does, and print the points of each test."""
    submission = next(s for s in SUBMISSIONS if s.name == name)
    outcomes = Outcomes(source_in(course))
    mark_solution(outcomes)
    folder = course / "autograded" / "student" / ASSIGNMENT
    folder.mkdir(parents=True)
    for file, data in given_files(outcomes).items():
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_bytes(data)
    notebook = submission.notebook(course)
    nbformat.write(notebook, folder / f"{ASSIGNMENT}.ipynb")
    resources = {"metadata": {"path": str(folder)}, "nbgrader": {"assignment": ASSIGNMENT}}
    step = Execute(timeout=CELL_SECONDS, log=logging.getLogger("stock"))
    notebook, _ = step.preprocess(notebook, resources)
    tests = [cell for cell in notebook.cells if is_test(cell)]
    print(json.dumps([determine_grade(cell, step.log)[0] for cell in tests]))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--stock"]:
        run_stock(sys.argv[2], Path(sys.argv[3]))
    else:
        main()
