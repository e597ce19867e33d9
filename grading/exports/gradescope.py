"""
Gradescope: a results.json per student, in a zip that is an autograder.

Gradescope takes no file of marks: it runs an autograder on every submission and reads what that
leaves in `/autograder/results/results.json`. The zip holds the results that were made here and a
script that picks the right one, by e-mail or student id; no student code runs, and none of the
tests are in it. Upload it under Configure Autograder, then Regrade All Submissions.
Sources: https://gradescope-autograders.readthedocs.io/en/latest/specs/ (the zip, the output) and
https://gradescope-autograders.readthedocs.io/en/latest/submission_metadata/
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable
from pathlib import Path

from grading.book import Entry
from grading.exports.marks import Marks
from grading.findings import NOTHING, Finding
from grading.marking.result import total
from grading.marking.retold import retold

SCRIPT = Path(__file__).with_name("run_autograder.py")
IN_PROPORTION = Finding("right; counts in the proportion in which the values are right", {})
SETUP = """#!/usr/bin/env bash
command -v python3 >/dev/null || { apt-get update && apt-get install -y python3; }
"""


def shown_results(marks: Marks, entry: Entry) -> dict[str, object]:
    """
    Return what Gradescope shows of a student's marks: the sentences of the checks, and no test.

    They are said in the language of the notebook that came in.
    Where a person gave or changed the points of a cell, it is one line and not one per check.
    """
    tests: list[dict[str, object]] = []
    words = marks.words(entry)
    for n, (place, result) in enumerate(marks.results(entry).items(), 1):
        title, points = marks.titles[place], entry.points[place]
        checks = result.checks if result else []
        if not checks or abs(total(check.earned for check in checks) - points) > 1e-6:
            checks = []
            tests.append(line(title, f"{n}", points, marks.class_.max_points[place], ""))
        for m, check in enumerate(checks, 1):
            about = {"title": title, "kind": Finding(check.kind, {})}
            name = Finding("{title}: {kind}", about).said(words)
            found = retold(check.wrong) if check.wrong else NOTHING
            if not check.wrong and check.earned < check.points:
                found = IN_PROPORTION
            tests.append(line(name, f"{n}.{m}", check.earned, check.points, found.said(words)))
    return {
        "score": entry.score,
        "output": "\n".join(marks.remarks(entry)),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
    }


def line(name: str, number: str, score: float, max_score: float, output: str) -> dict[str, object]:
    """Return one test, as Gradescope shows it."""
    return {
        "name": name,
        "number": number,
        "score": score,
        "max_score": max_score,
        "status": "passed" if score >= max_score else "failed",
        "output": output,
        "output_format": "text",
        "visibility": "visible",
    }


def write_autograder(path: Path, graded: Iterable[tuple[Entry, dict[str, object]]]) -> None:
    """Write the zip: the results by student, and under what names Gradescope may know them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    known: dict[str, list[str]] = {}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, result in graded:
            for name in {entry.email, entry.student_id, entry.lms_user_id} - {""}:
                known.setdefault(name.casefold(), []).append(entry.student_id)
            text = json.dumps(result, ensure_ascii=False, indent=1)
            archive.writestr(f"results/{entry.student_id}/results.json", text)
        archive.writestr("students.json", json.dumps(known, ensure_ascii=False, indent=1))
        for name, text in [("setup.sh", SETUP), ("run_autograder", SCRIPT.read_text("utf-8"))]:
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o755 << 16
            archive.writestr(info, text, zipfile.ZIP_DEFLATED)
