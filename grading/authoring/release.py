"""The student version of an assignment."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor

from grading.authoring.leaks import scan, secrets_of
from grading.checks import FunctionTest, fingerprint, same_fingerprint
from grading.source.assignment import Solution, course_root, load_solution, read_source
from grading.source.course import check, open_course
from grading.source.mistakes import Version, read_versions


class PublishMistakes(NbGraderPreprocessor):
    """Put `known_mistakes.json` beside the student version of a notebook."""

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """Add the file to those that nbgrader writes."""
        assignment = resources["nbgrader"]["assignment"]
        table = json.dumps(known_mistakes_table(assignment), indent=1, ensure_ascii=False)
        file = {"known_mistakes.json": f"{table}\n".encode()}
        resources["outputs"] = {**(resources["outputs"] or {}), **file}
        return nb, resources


def known_mistakes_table(assignment: str, root: Path | None = None) -> dict[str, list[dict]]:
    """
    Return what the visible checks need to know of each mistake.

    By function: the sentence of each mistake, and a fingerprint (a few numbers) of
    what the mistake makes of the visible example. Mistakes that the example cannot
    tell from the solution, or that raise, are left out.
    """
    solution = load_solution(assignment, root)
    right = {name: example_fingerprint(solution, name) for name in solution.sources}
    table: dict[str, list[dict]] = {name: [] for name in solution.sources}
    for version in read_versions(assignment, root):
        if not version.is_mistake:
            continue
        seen = example_fingerprint(solution, version.function, version)
        if seen and not same_fingerprint(seen, right[version.function]):
            entry = {"sentence": version.sentence, "fingerprint": seen}
            table[version.function].append(entry)
    return table


def example_fingerprint(solution: Solution, name: str, version: Version | None = None) -> list:
    """Run a function's visible checks; return the outcome's fingerprint, [] where it raised."""
    replaced = {name: version.source} if version else {}
    names = solution.namespace(**replaced)
    with contextlib.redirect_stdout(io.StringIO()):
        for cell_id, source in solution.examples.items():
            exec(compile(source, f"<{cell_id}>", "exec"), names)
            if cell_id == f"check_{name}":
                break
    test: FunctionTest = names["test"]
    return [] if test.outcome.error else fingerprint(test.outcome)


def release(assignment: str) -> None:
    """Generate the student version in release/."""
    course = open_course()
    read_source(assignment)  # says in one line where there is none
    check(course.generate_assignment(assignment, force=True), f"release {assignment}")


def leaks(assignment: str) -> list[str]:
    """Scan the student version; return every secret found, "file: what"."""
    return scan(course_root() / "release" / assignment, secrets_of(assignment))
