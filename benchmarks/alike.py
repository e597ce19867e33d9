"""
How well `rnn-grading alike` finds copies, how long it takes, and how much memory.

    python benchmarks/alike.py [--students 300] [--copies 30] [--seed 1] [--edited 0.0]

Each student of the class writes in a way of their own (`tests/many_hands.py`); each copy is of
another one of them: renamed, reordered, laid out and commented anew, and with `--edited` a share of
its sums and products turned round, too. Prints how many copies are among the first 40 pairs.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from contextlib import chdir
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPO), str(REPO / "tests")]

import nbformat  # noqa: E402
from many_hands import write_class  # noqa: E402

from grading.alike import write_page  # noqa: E402
from grading.demo import make_course  # noqa: E402
from grading.source import enter_course, read_assignment  # noqa: E402
from grading.source.cells import with_answers  # noqa: E402

ASSIGNMENT = "rnn_lstm_forward"


def main() -> None:
    """Measure, and print one line per figure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--students", type=int, default=300)
    parser.add_argument("--copies", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--edited", type=float, default=0.0)
    options = parser.parse_args()
    written, planted = write_class(**{"count": options.students, "copies": options.copies},
                                   seed=options.seed, edited=options.edited)  # fmt: skip
    released = nbformat.read(REPO / f"release/{ASSIGNMENT}/{ASSIGNMENT}.ipynb", as_version=4)
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        course = Path(folder) / "course"
        make_course(REPO, course)
        for name, answers in written.items():
            place = course / "submitted" / name / ASSIGNMENT
            place.mkdir(parents=True)
            nbformat.write(with_answers(released, answers), place / f"{ASSIGNMENT}.ipynb")
        with chdir(course):
            measure(planted, len(written))


def measure(planted: set[tuple[str, str]], count: int) -> None:
    """Compare the class in the course here."""
    begin, before = time.monotonic(), used()
    page = Path("reports/alike.html")
    course = enter_course()
    found = write_page(course.coursedir, course.config, read_assignment(ASSIGNMENT), page)
    seconds, spent = time.monotonic() - begin, used() - before
    pairs = [tuple(sorted((p.first.student, p.second.student), reverse=True)) for p in found.pairs]
    ranks = [n for n, pair in enumerate(pairs, 1) if pair in planted]
    others = (p.likeness for p, pair in zip(found.pairs, pairs, strict=True) if pair not in planted)
    highest = max(others, default=0)
    lowest = found.pairs[ranks[-1] - 1].likeness if ranks else 0
    print(f"submissions    {count}, {len(planted)} of them copies")
    print(
        f"found          {len(ranks)} among the first {len(pairs)}, the last in place {ranks[-1]}"
    )
    print(f"likeness       of copies {lowest:.2f} and more, of others {highest:.2f} and less")
    print(f"time           {seconds:.1f} s, {spent:.1f} s of processor time")
    size = page.stat().st_size / 1e6
    print(f"memory         {peak():.0f} MB in the largest process; page {size:.1f} MB")


def used() -> float:
    """Return the processor time of this process and of those that it waited for."""
    whose = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
    return sum(r.ru_utime + r.ru_stime for r in map(resource.getrusage, whose))


def peak() -> float:
    """Return the most memory that one process took, in MB."""
    whose = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
    return max(resource.getrusage(each).ru_maxrss for each in whose) / 1024


if __name__ == "__main__":
    main()
