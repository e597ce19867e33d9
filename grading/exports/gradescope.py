"""Gradescope: a results.json per student, in a zip that is an autograder.

Gradescope takes no file of marks: it runs an autograder on every submission and reads what that
leaves in `/autograder/results/results.json`. The zip holds the results that were made here and a
script that picks the right one, by e-mail or student id; no student code runs, and none of the
tests are in it. Upload it under Configure Autograder, then Regrade All Submissions.
Sources: https://gradescope-autograders.readthedocs.io/en/latest/specs/ (the zip, the output) and
https://gradescope-autograders.readthedocs.io/en/latest/submission_metadata/
"""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from grading.results import StudentEntry, in_order

SCRIPT = Path(__file__).with_name("run_autograder.py")
SETUP = """#!/usr/bin/env bash
command -v python3 >/dev/null || { apt-get update && apt-get install -y python3; }
"""


def results(
    entry: StudentEntry,
    max_points: dict[str, float],
    functions: dict[str, dict[str, Any]],
    remarks: list[str],
) -> dict[str, Any]:
    """
    Return what Gradescope shows of a student's marks: the sentences of the checks, and no test.

    Where a person changed the points of a function, it is one line and not one per check.
    """
    tests: list[dict[str, Any]] = []
    for n, (name, points) in enumerate(in_order(entry.points, list(functions)), 1):
        checks = functions.get(name, {}).get("checks", [])
        earned = math.fsum(check["points"] for check in checks if not check["wrong"])
        if not checks or abs(earned - points) > 1e-6:
            checks = []
            tests.append(line(name, f"{n}", points, max_points.get(name, points), ""))
        for m, check in enumerate(checks, 1):
            wrong = check["wrong"]
            right = 0 if wrong else check["points"]
            tests.append(
                line(f"{name}: {check['kind']}", f"{n}.{m}", right, check["points"], wrong)
            )
    return {
        "score": entry.score,
        "output": "\n".join(remarks),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
    }


def line(name: str, number: str, score: float, max_score: float, output: str) -> dict[str, Any]:
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


def write_autograder(path: Path, graded: Iterable[tuple[StudentEntry, dict[str, Any]]]) -> None:
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
