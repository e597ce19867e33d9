"""
A class marked on a Dask cluster whose workers have fixed shares of a processor.

    python benchmarks/cluster.py [1 2 4] [--students 100] [--share 0.25] [--rounds 1]

Each worker is a process with one thread, on one processor and in a control group of its own that
gives it this share, its rooms included; so a few stand for as many machines, as long as all
shares together leave Dask's scheduler and the run that hands out the work what they need. Needs
root, and cgroups of version 1 or 2.

A class is marked twice, a small part of it and the whole: the difference is what is printed, so
start-up is not.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from distributed import Client, LocalCluster
from speed import ASSIGNMENT, BIN, make_class

WEIGHT = 8192  # of a process outside: 1024 in version 1, 100 in version 2
PERIOD = 20_000  # microseconds: short, so that a job is not held up for long at once
ROOT = Path("/sys/fs/cgroup")
IS_OLD = (ROOT / "cpu").is_dir()  # version 1
FEW = 4  # submissions of the small part, for each worker
MANY = 100_000  # submissions, on paper
CORES = 16
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Took:
    """
    What a marking took, in seconds.

    Attributes
    ----------
    wall : float
    workers, scheduler, run, readers : float
        Processor time of all workers with their rooms, of Dask's scheduler, of the process that
        hands out the work, and of those beside it that read what was handed in.
    """

    wall: float
    workers: float
    scheduler: float
    run: float
    readers: float

    def less(self, other: Took, count: int) -> Took:
        """Return what each of so many more submissions took, in ms."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Took(*[(mine - theirs) * 1000 / count for mine, theirs in pairs])


@dataclass
class Group:
    """A control group, whose processes come before others on the machine."""

    name: str

    @contextmanager
    def made(self, share: float = 0.0) -> Iterator[Group]:
        """Make it for the time of the block; with a share of a processor, if it has no more."""
        for folder in self.folders:
            folder.mkdir()
        try:
            settings = {"cpu.shares" if IS_OLD else "cpu.weight": WEIGHT}
            if share and IS_OLD:
                quota = int(share * PERIOD)
                settings |= {"cpu.cfs_period_us": PERIOD, "cpu.cfs_quota_us": quota}
            elif share:
                settings["cpu.max"] = f"{int(share * PERIOD)} {PERIOD}"
            for name, value in settings.items():
                (self.folders[0] / name).write_text(str(value))
            yield self
        finally:
            for folder in self.folders:
                (folder.parent / "cgroup.procs").write_text(str(os.getpid()))
                while (folder / "cgroup.procs").read_text().strip():
                    time.sleep(0.1)
                folder.rmdir()

    @property
    def folders(self) -> list[Path]:
        """The group's folders: version 1 may have two, the first for shares, the last to count."""
        kinds = [(ROOT / kind).resolve() for kind in ("cpu", "cpuacct")] if IS_OLD else [ROOT]
        return [kind / self.name for kind in dict.fromkeys(kinds)]

    def enter(self) -> None:
        """Put this process into it."""
        for folder in self.folders:
            (folder / "cgroup.procs").write_text(str(os.getpid()))

    def seconds(self) -> float:
        """Return the processor time of all that has run in it."""
        if IS_OLD:
            return int((self.folders[-1] / "cpuacct.usage").read_text()) / 1e9
        told = (self.folders[0] / "cpu.stat").read_text().split()
        return int(told[told.index("usage_usec") + 1]) / 1e6


@contextmanager
def worker_of(address: str, group: Group, processor: int) -> Iterator[None]:
    """Run a worker with one thread in a control group."""

    def begin() -> None:
        os.sched_setaffinity(0, {processor})
        group.enter()

    process = subprocess.Popen(
        [BIN / "dask", "worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"],
        preexec_fn=begin,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def mark(course: Path, address: str, groups: list[Group], students: list[str]) -> Took:
    """Mark a class, or a part of it, on a cluster whose scheduler is in this process."""
    before, scheduler, begin = (
        sum(g.seconds() for g in groups),
        time.process_time(),
        time.monotonic(),
    )
    command = [sys.executable, "-m", "grading", "grade", ASSIGNMENT, *students]
    command += ["--scheduler", address, "--force", "--quiet"]
    process = subprocess.Popen(command, cwd=course)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    wall = time.monotonic() - begin
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    user, system, of_user, of_system = (int(each) / TICKS for each in fields[11:15])
    if process.wait():
        raise SystemExit("the class could not be marked")
    return Took(
        wall,
        sum(group.seconds() for group in groups) - before,
        time.process_time() - scheduler,
        user + system,
        of_user + of_system,
    )


def measure(course: Path, count: int, share: float, students: int) -> Took:
    """Return what a submission takes with so many workers, in ms."""
    processors = sorted(os.sched_getaffinity(0))
    with ExitStack() as stack:
        stack.enter_context(Group("bench-host").made()).enter()  # the workers leave it
        cluster = stack.enter_context(
            LocalCluster(n_workers=0, dashboard_address=None, host="127.0.0.1")
        )
        address, groups = cluster.scheduler_address, []
        for number in range(count):
            group = stack.enter_context(Group(f"bench-{number}").made(share))
            groups.append(group)
            processor = processors[number % len(processors)]
            stack.enter_context(worker_of(address, group, processor))
        with Client(address) as client:
            client.wait_for_workers(count)
        few = [f"student_{number:05}" for number in range(FEW * count)]
        mark(course, address, groups, few)  # so that all are warm
        part = mark(course, address, groups, few)
        return mark(course, address, groups, []).less(part, students - len(few))


def main() -> None:
    """Mark the class with each number of workers."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("workers", type=int, nargs="*", default=[1, 2, 4])
    parser.add_argument("--students", type=int, default=100)
    parser.add_argument("--share", type=float, default=0.25)
    parser.add_argument("--rounds", type=int, default=1)
    asked = parser.parse_args()
    for _ in range(asked.rounds):
        alone = 0.0
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            course = make_class(Path(folder) / "round", asked.students)
            for count in asked.workers:
                each = measure(course, count, asked.share, asked.students)
                alone = alone or each.wall * count
                print(
                    f"{count} workers of {asked.share:g} processors: {each.wall:.0f} ms for each"
                    f" submission, efficiency {alone / count / each.wall:.0%}; processor time:"
                    f" {each.workers:.0f} ms in workers ({each.workers / each.wall / count:.2f}"
                    f" processors each), {each.scheduler:.1f} in the scheduler, {each.run:.1f} in"
                    f" what hands out the work, {each.readers:.1f} beside it; load"
                    f" {os.getloadavg()[0]:.1f}",
                    flush=True,
                )
        print(
            f"on paper: {each.workers / each.run:.0f} processors keep one run busy,"
            f" {each.workers / each.scheduler:.0f} one scheduler; {MANY:,} submissions take"
            f" {MANY * each.workers / CORES / 3.6e6:.2f} hours on {CORES}, and"
            f" {MANY * each.run / 3.6e6:.2f} at the least"
        )


if __name__ == "__main__":
    main()
