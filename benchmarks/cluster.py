"""
A class marked on a Dask cluster whose workers have fixed shares of a processor.

    python benchmarks/cluster.py [1 2 4] [--students 60] [--share 0.3]

Each worker is a process with one thread, in a control group of its own that gives it this share,
its rooms included; so a few stand for as many machines, as long as all shares together leave
the one that hands out the work what it needs. Needs root, and cgroups of version 1 or 2.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from distributed import Client, LocalCluster
from speed import ASSIGNMENT, BIN, make_class

PERIOD = 20_000  # microseconds: short, so that a job is not held up for long at once
ROOT = Path("/sys/fs/cgroup")
MANY = 100_000  # submissions, on paper


@contextmanager
def group_with(share: float, name: str) -> Iterator[Path]:
    """Make a control group with a share of a processor; yield the file that processes enter by."""
    old = ROOT / "cpu"
    folder = (old if old.is_dir() else ROOT) / name
    folder.mkdir()
    quota = int(share * PERIOD)
    try:
        if old.is_dir():
            (folder / "cpu.cfs_period_us").write_text(str(PERIOD))
            (folder / "cpu.cfs_quota_us").write_text(str(quota))
        else:
            (folder / "cpu.max").write_text(f"{quota} {PERIOD}")
        yield folder / "cgroup.procs"
    finally:
        while (folder / "cgroup.procs").read_text().strip():
            time.sleep(0.1)
        folder.rmdir()


@contextmanager
def worker_of(address: str, procs: Path) -> Iterator[None]:
    """Run a worker with one thread in a control group."""
    process = subprocess.Popen(
        [BIN / "dask", "worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"],
        preexec_fn=lambda: procs.write_text(str(os.getpid())),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def mark(course: Path, address: str, *students: str) -> tuple[float, float]:
    """Mark a class on a cluster; return wall time, and processor time of what hands out work."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.monotonic()
    command = [sys.executable, "-m", "grading", "grade", ASSIGNMENT, *students]
    command += ["--scheduler", address, "--force", "--quiet"]
    subprocess.run(command, cwd=course, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.monotonic() - begin, cpu


def main() -> None:
    """Mark the class with each number of workers."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("workers", type=int, nargs="*", default=[1, 2, 4])
    parser.add_argument("--students", type=int, default=60)
    parser.add_argument("--share", type=float, default=0.3)
    asked = parser.parse_args()
    alone = 0.0
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        course = make_class(Path(folder), asked.students)
        for count in asked.workers:
            with ExitStack() as stack:
                cluster = stack.enter_context(
                    LocalCluster(n_workers=0, dashboard_address=None, host="127.0.0.1")
                )
                address = cluster.scheduler_address
                for number in range(count):
                    procs = stack.enter_context(group_with(asked.share, f"bench-{number}"))
                    stack.enter_context(worker_of(address, procs))
                with Client(address) as client:
                    client.wait_for_workers(count)
                mark(course, address)  # so that all are warm
                one, of_one = mark(course, address, "student_00000")
                all_, of_all = mark(course, address)
            each = (all_ - one) / (asked.students - 1)
            parent = (of_all - of_one) / (asked.students - 1)
            alone = alone or each * count
            print(
                f"{count} workers of {asked.share:g} processors: {each * 1000:.0f} ms for each"
                f" submission, efficiency {alone / count / each:.0%}; what hands out the work"
                f" takes {parent * 1000:.0f} ms of processor time for each",
                flush=True,
            )
    work = alone * asked.share
    print(
        f"on paper: a submission takes {work * 1000:.0f} ms of a worker's processor, so"
        f" {work / parent:.0f} processors keep one parent busy; {MANY:,} submissions take"
        f" {MANY * work / 16 / 3600:.1f} hours on 16, and {MANY * parent / 3600:.1f} at the least"
    )


if __name__ == "__main__":
    main()
