"""
Where processor time goes when a class is marked: `python benchmarks/parts.py ASSIGNMENT`.

It marks the class of the course here again, with one worker and its parts timed, and prints a
line of JSON: seconds of processor time by part. speed.py runs it in its courses.
"""

from __future__ import annotations

import functools
import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from grading.cli import app
from grading.rooms.notebook import MarkingRoom
from grading.run import Certificate, Run, jobs, pool, run, worker
from grading.run.certificate import FOLDER, read_certificates
from grading.run.files import FileWriter
from grading.run.record import Recorder

# What belongs to a part: in whom it is looked up, and under which name.
PARTS = {
    "grade book": [(Recorder, "save")],
    "files": [(FileWriter, "write"), (Recorder, "show")],
    "certificate": [(Certificate, "text")],
    "table of marks": [(Run, "end")],
    "reading": [(jobs, "read_folder"), (worker, "take_in")],
    "tests": [(MarkingRoom, "run")],
    "page": [(worker.Marker, "make_pages")],
}
SECONDS: defaultdict[str, float] = defaultdict(float)


def timed(part: str, function: Callable) -> Callable:
    """Return a function that adds to a part the processor time that it takes in its process."""

    @functools.wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        begin = time.process_time()
        try:
            return function(*arguments, **named)
        finally:
            SECONDS[part] += time.process_time() - begin

    return call


def tell_from_workers(folder: Path) -> None:
    """Let each worker write down what its parts have taken by now."""
    begin, work = pool.become_worker, run.do_job

    def become_worker() -> None:
        SECONDS.clear()
        begin()

    @functools.wraps(work)
    def work_and_tell(*arguments: Any) -> Any:
        done = work(*arguments)
        told = SECONDS | {"worker": time.process_time()}
        Path(folder, str(os.getpid())).write_text(json.dumps(told))
        return done

    pool.become_worker, run.do_job = become_worker, work_and_tell


def main(assignment: str) -> None:
    """Mark the class, and print what each part took."""
    mark = Run.mark

    def mark_and_tell(self: Run) -> Iterator[Certificate]:
        SECONDS["start-up"] = time.process_time()
        yield from mark(self)
        SECONDS["parent"] = time.process_time() - SECONDS["start-up"]

    Run.mark = mark_and_tell
    for part, functions in PARTS.items():
        for owner, name in functions:
            setattr(owner, name, timed(part, getattr(owner, name)))
    with TemporaryDirectory() as folder:
        tell_from_workers(Path(folder))
        app(["grade", assignment, "--force", "--quiet", "--jobs=1"], standalone_mode=False)
        for path in Path(folder).iterdir():
            for part, seconds in json.loads(path.read_text()).items():
                SECONDS[part] += seconds
    certificates = list(read_certificates(Path("reports", assignment, FOLDER)))
    SECONDS["room"] = sum(each.cpu_seconds for each in certificates)
    print(json.dumps(SECONDS | {"submissions": len(certificates)}))


if __name__ == "__main__":
    main(sys.argv[1])
