"""The student version of an assignment, and what its checks know of mistakes."""

from __future__ import annotations

from grading import CourseError
from grading.authoring.translated import languages_of, write_translated
from grading.marking.naming import Outcomes
from grading.marking.solution import mark_solution
from grading.outcomes import NOT_CALLED, fingerprint, same_fingerprint
from grading.source import Assignment, Source, Version, enter_course
from grading.source.assignment import as_json
from grading.source.catalogue import LANGUAGES
from grading.source.cells import function_checked
from grading.source.course import raise_failure, release_folder
from grading.source.set_up import read_as_set_up


def make_release(assignment: str) -> list[str]:
    """
    Generate the student version in release/, and those in other languages beside it.

    Returns
    -------
    list of str
        What is stale in the translations: their student versions stay as they were.
    """
    course = enter_course()
    # says in one line where there is none
    source = read_as_set_up(course.coursedir, course.config, assignment)
    done = course.generate_assignment(assignment, force=True)
    raise_failure(done, f"release {assignment}")
    coursedir = course.coursedir
    released = release_folder(coursedir, assignment)
    if coursedir.release_directory in (f"release-{each}" for each in LANGUAGES):
        return []  # the course is in that language
    stale = []
    for language in languages_of(source):
        try:
            write_translated(source, released, language)
        except CourseError as error:
            stale.append(str(error))
    return stale


def known_mistakes(assignment: Assignment) -> bytes:
    """
    Return known_mistakes.json: what the visible checks need to know of each function.

    By function: how many kinds of check the marking makes (`kinds`); and of each mistake the
    sentence, and a fingerprint (a few numbers) of what the mistake makes of the visible
    example. Mistakes that the example cannot tell from the solution are left out.
    """
    table: dict[str, dict] = {}
    for source in assignment.notebooks.values():
        table = mistakes_of(source) | table  # of two functions of one name, the first
    return as_json(table)


def mistakes_of(source: Source) -> dict[str, dict]:
    """Return what is to be known of the functions of one notebook."""
    outcomes = Outcomes(source)
    mark_solution(outcomes)
    for name, said in outcomes.tried.faults.items():
        raise CourseError(f"{source.assignment}, {name}: the solution itself does not pass: {said}")
    checked = {function_checked(cell) for cell in source.examples}
    with source.importing():  # once for all versions: it writes the assignment's files
        right = {n: example_fingerprint(source, n) for n in source.answers if n in checked}
        table: dict[str, dict] = {
            name: {"kinds": outcomes.tried.kinds.get(name, 0), "mistakes": []}
            for name in {**right, **outcomes.tried.kinds}
        }
        for version in source.versions:
            if not version.is_mistake or version.shows_in not in right:
                continue
            seen = example_fingerprint(source, version.shows_in, version)
            if seen and not same_fingerprint(seen, right[version.shows_in]):
                entry = {"sentence": version.sentence, "fingerprint": seen}
                table[version.shows_in]["mistakes"].append(entry)
    return table


def example_fingerprint(source: Source, name: str, version: Version | None = None) -> list:
    """Run a function's visible checks; return the outcome's fingerprint, [] where none tells it."""
    outcome = getattr(source.at_check(name, version).get("test"), "outcome", NOT_CALLED)
    return [] if outcome.stopped and not outcome.raised else fingerprint(outcome)
