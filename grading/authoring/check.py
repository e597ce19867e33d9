"""What is wrong with an assignment: it is read, released into a scratch folder, and run."""

from __future__ import annotations

import builtins
import copy
import difflib
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.apps.api import NbGraderAPI
from traitlets.config import Config

from grading import CellStops, CourseError, StillRuns
from grading.authoring.example import run_check
from grading.authoring.leaks import markers, scan, secrets_of
from grading.marking.naming import Outcomes
from grading.marking.notebook import mark_notebook
from grading.marking.solution import mark_solution, points_lost
from grading.rooms import Cell, Nursery, run_notebook
from grading.source import Assignment, Source, cells
from grading.source.cells import Kind
from grading.source.course import raise_failure, release_folder
from grading.source.names import names_in
from grading.source.problems import Problem, problems_in, problems_of_table
from grading.source.set_up import read_as_set_up

LIKE = 0.8  # so much of a marker's letters is a slip in writing it
ALLOW = "where they may, name it under `allow:` in mistakes.yaml"
SAID_POINTS = re.compile(r"^\s*#+ *\(?(\d+(?:\.\d+)?) *(?:points?|pts?)\b", re.MULTILINE)
MISSING = {
    "ModuleNotFoundError": "lay the module, or a link to it, into source/{assignment}",
    "FileNotFoundError": "lay the file into source/{assignment}, and open it by its name alone",
}
NOT_FOR_STUDENTS = "No module named 'grading'"
NOT_HIDDEN = "put it between `### BEGIN HIDDEN TESTS` and `### END HIDDEN TESTS`"


def check_assignment(course: NbGraderAPI, assignment: str, rooms: Nursery) -> list[Problem]:
    """
    Return what an author has to mend; [] where the assignment can be released and marked.

    Parameters
    ----------
    course : NbGraderAPI
        The course, as its configuration sets it up.
    assignment : str
    rooms : Nursery
        Where the student version is run.

    Raises
    ------
    CourseError
        Where there is no such assignment.
    """
    root = Path(course.coursedir.root)
    known = read_as_set_up(course.coursedir, course.config, assignment)
    found = list(problems_in(known))
    if not any(problem.stops for problem in found):  # else names are not known
        found += [each for source in known.notebooks.values() for each in beside_each_other(source)]
    found += read_through(known, course.config)
    if not any(problem.stops for problem in found):  # else the others would say the same again
        for source in known.notebooks.values():
            found += mark_solution_of(source)
    if not any(problem.stops for problem in found):
        found += problems_of_release(known, course.config, root, rooms)
    return list(dict.fromkeys(found))


# What reading tells


def read_through(assignment: Assignment, config: Config) -> Iterator[Problem]:
    """Yield what is wrong with markers and the table of mistakes."""
    for source in assignment.notebooks.values():
        for number, cell in enumerate(source.notebook.cells, 1):
            name = cells.grade_id(cell) or cell.get("id", f"cell {number}")
            yield from marker_problems(cell, name, config)
        yield from helpers_not_locked(source)
        yield from points_said_otherwise(source.notebook)
    yield from problems_of_table(assignment)


def marker_problems(cell: NotebookNode, name: str, config: Config) -> Iterator[Problem]:
    """Yield what is wrong with the marks around what students do not see."""
    known = markers(config)
    every = [marker for pair in known.values() for marker in pair]
    for line in cell.source.splitlines():
        written = line.strip().strip("#").strip()
        if line.strip().startswith("#") and not any(marker in line for marker in every):
            for marker in difflib.get_close_matches(written.upper(), every, 1, LIKE):
                yield Problem(name, f"`{line.strip()}` is no mark; write `### {marker}`")
    for kind, pair in known.items():
        begins, ends = (cell.source.count(marker) for marker in pair)
        if begins != ends:
            yield Problem(name, f"{begins} times `{pair[0]}`, {ends} times `{pair[1]}`")
        if begins and not cells.settings_of(cell).get(kind) and kind != "task":
            yield Problem(name, f"`{pair[0]}` stands in a cell that is no {kind} cell")
        elif begins and kind == "grade" and cells.is_answer(cell):
            said = f"what follows `{pair[0]}` is never run: a person marks this cell"
            yield Problem(name, f"{said}; move it into a test below", False)


def beside_each_other(source: Source) -> Iterator[Problem]:
    """Yield where solutions, checks and tests do not fit each other."""
    yield from names_not_defined(source)
    yield from answers_not_tested(source)
    yield from checks_not_shown(source)
    yield from checks_of_nothing(source)


def names_not_defined(source: Source) -> Iterator[Problem]:
    """Yield the checks and tests of a function that no cell defines, as far as reading tells."""
    bound = set(dir(builtins)).union(*(names.binds for names in source.names.values()))
    imports = "\n".join(names.imports for names in source.names.values())
    for name, text in source.tested.items():
        function = cells.function_checked(name) or cells.function_tested(name)
        here = names_in(text)
        imported = re.findall(r"[\w*]+", f"{imports}\n{here.imports}")
        if function in here.uses - here.binds - bound and not {function, "*"} & {*imported}:
            said = f"tries `{function}`, which no cell defines"
            own = ", ".join(sorted(names_in(source.answers.get(function, "")).binds))
            beside = f"; the cell `{function}` defines {own}" if own else ""
            yield Problem(name, said + beside, False)


def answers_not_tested(source: Source) -> Iterator[Problem]:
    """Yield the solutions that define nothing which a test, or another solution, uses."""
    texts = {**source.answers, **source.tests}
    for name, text in source.answers.items():
        uses = set().union(*(names_in(t).uses for other, t in texts.items() if other != name))
        made = names_in(text).binds
        if source.tests and made and not made & uses:
            yield Problem(name, "no test uses what this cell defines: it earns no points", False)


def checks_not_shown(source: Source) -> Iterator[Problem]:
    """Yield the visible checks that make a test, and do not show what it finds."""
    for name, text in source.examples.items():
        if "FunctionTest(" in text and ".report()" not in text:
            yield Problem(name, "it shows nothing; end it with `test.report()`", False)


def checks_of_nothing(source: Source) -> Iterator[Problem]:
    """Yield the visible checks whose id is a slip in writing that of a function."""
    known = {*source.answers}.union(*(names.binds for names in source.names.values()))
    functions = set(map(cells.function_checked, source.examples))
    for function in sorted(functions - known - {""}):
        name = f"{cells.CHECK_PREFIX}{function}"
        if function in names_in(source.examples[name]).uses:
            continue  # this is said otherwise
        for near in difflib.get_close_matches(function, source.answers.keys() - functions, 1):
            said = f"no function is called `{function}`, so that `{near}` has no check"
            yield Problem(name, f"{said}; call this cell `{cells.CHECK_PREFIX}{near}`", False)


def helpers_not_locked(source: Source) -> Iterator[Problem]:
    """Yield what tests use of cells that students may change, and that are no answers."""
    code = [cell for cell in source.notebook.cells if cell.cell_type == "code"]
    answered = {n for c in code if cells.is_answer(c) for n in names_in(c.source).binds}
    for test, text in source.tests.items():
        used = names_in(text).uses - names_in(text).binds - answered
        for cell in code:
            for name in sorted(used & names_in(cell.source).binds):
                if cells.kind_of(cell) is Kind.FREE:
                    where = cells.grade_id(cell) or cell.id
                    said = f"uses `{name}` of the cell `{where}`, which students may change"
                    yield Problem(test, f"{said}; lock that cell, or define it in the test", False)


def points_said_otherwise(notebook: NotebookNode) -> Iterator[Problem]:
    """Yield the tests of which a comment says other points than they are worth."""
    for cell in filter(cells.is_test, notebook.cells):
        said, points = SAID_POINTS.findall(cell.source), cells.settings_of(cell).get("points")
        if len(said) == 1 and float(said[0]) != (points or 0):  # several are of its parts
            text = f"a comment says {said[0]} points, the cell is worth {points}; make them equal"
            yield Problem(cells.grade_id(cell), text, False)


# What running the solution tells


def mark_solution_of(source: Source) -> Iterator[Problem]:
    """Yield which tests the solution does not pass, and points that do not add up."""
    outcomes = Outcomes(source)
    try:
        results = mark_solution(outcomes)
    except StillRuns as stop:
        yield Problem(stop.place, stop.said)
        return
    except CellStops as stop:
        yield Problem(stop.place, f"stops with {stop.error}")
        return
    yield from faults_in(outcomes)
    lost = list(points_lost(outcomes, results))
    yield from lost or crosses_in(source)


def faults_in(outcomes: Outcomes) -> Iterator[Problem]:
    """Yield the tests that stop with the solution itself."""
    for name, said in outcomes.tried.faults.items():
        yield Problem(name, f"the solution itself does not pass: {said}")


def crosses_in(source: Source) -> Iterator[Problem]:
    """Yield what a visible check says is wrong, where the solution is filled in."""
    for function in filter(None, map(cells.function_checked, source.examples)):
        try:
            test = run_check(source, function)
        except CourseError:  # a check of another kind
            continue
        for wrong in filter(None, test.wrong.values()):
            name = f"{cells.CHECK_PREFIX}{function}"
            yield Problem(name, f"the solution itself gets a cross: {wrong}")


# The student version


def problems_of_release(
    assignment: Assignment, config: Config, root: Path, rooms: Nursery
) -> Iterator[Problem]:
    """Make the student version in a scratch folder, and yield what is wrong with it."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            released = release_into(Path(folder), config, assignment.name)
        except CourseError as problem:
            yield Problem("", str(problem))
            return
        yield from secrets_in(released, assignment, root)
        yield from links_in(released)
        for source in assignment.notebooks.values():
            yield from run_as_students_do(released, source, rooms)
            yield from mark_in_room(released, source, rooms)


def release_into(folder: Path, config: Config, assignment: str) -> Path:
    """Make the student version below this folder, and leave course and grade book as they are."""
    config = copy.deepcopy(config)
    config.CourseDirectory.release_directory = str(folder)
    config.GenerateAssignment.no_database = True
    config.SaveCells.enabled = False
    for hook in ("pre_convert_hook", "post_convert_hook"):
        config.GenerateAssignment.pop(hook, None)
    scratch = NbGraderAPI(config=config)
    raise_failure(scratch.generate_assignment(assignment, force=True), "release")
    return release_folder(scratch.coursedir, assignment)


def read_released(path: Path) -> NotebookNode:
    """Read a notebook of the student version; cells of old formats have no ids of their own."""
    notebook = nbformat.read(path, as_version=4)
    for number, cell in enumerate(notebook.cells, 1):
        cell.setdefault("id", cells.grade_id(cell) or f"cell-{number}")
    return notebook


def secrets_in(released: Path, assignment: Assignment, root: Path) -> Iterator[Problem]:
    """Yield what stands in the student version and should not."""
    for found in scan(released, secrets_of(assignment, root)):
        where, _, what = found.partition(": ")
        yield Problem(where, f"students would see {what}; {ALLOW}")


def links_in(released: Path) -> Iterator[Problem]:
    """Yield pictures and links of the text that lead nowhere."""
    for path in released.glob("*.ipynb"):
        for cell in read_released(path).cells:
            text = cell.source if cell.cell_type == "markdown" else ""
            for target in re.findall(r"\]\(([\w./-]+)\)|src=\"([\w./-]+)\"", text):
                name = "".join(target)
                if not (released / name).exists():
                    yield Problem(cell.id, f"`{name}` is not in the folder that students get")


def run_as_students_do(released: Path, source: Source, rooms: Nursery) -> Iterator[Problem]:
    """Run the student version with the solution in it, beside the files that students get."""
    files = {
        str(path.relative_to(released)): path.read_bytes()
        for path in released.rglob("*")
        if path.is_file() and path.suffix != ".ipynb"
    }
    answers = {cells.grade_id(c): c.source for c in source.notebook.cells if cells.is_answer(c)}
    path = released / f"{source.name}.ipynb"
    notebook = cells.with_answers(read_released(path), answers)
    code = [
        Cell(cell.id, cell.source, "student", cells.grade_id(cell) or cell.id)
        for cell in notebook.cells
        if cell.cell_type == "code" and "raises-exception" not in cell.metadata.get("tags", ())
    ]
    last = max((n for n, cell in enumerate(code) if cell.name in source.tests), default=0)
    for number, result in enumerate(run_notebook(code, files, rooms).cells):
        if result.error:
            kind = result.error.partition(":")[0]
            advice = MISSING.get(kind, "").format(assignment=source.assignment)
            if NOT_FOR_STUDENTS in result.error:
                advice = NOT_HIDDEN
            text = f"stops where a student runs it, the solution filled in: {result.error}"
            said = "; ".join(filter(None, [text, advice]))
            yield Problem(result.cell.name, said, number <= last or kind != "RoomTimeout")


def mark_in_room(released: Path, source: Source, rooms: Nursery) -> Iterator[Problem]:
    """Mark the solution and the student version as submissions are marked."""
    if not source.tests:
        return
    outcomes = Outcomes(source)
    mark_solution(outcomes, rooms)
    yield from faults_in(outcomes)
    marked = mark_notebook(copy.deepcopy(source.notebook), outcomes, rooms)
    sound = {n: r for n, r in marked.results.items() if n not in outcomes.tried.faults}
    yield from points_lost(outcomes, sound)
    path = released / f"{source.name}.ipynb"
    stubs = {cells.grade_id(c): c.source for c in read_released(path).cells}
    untouched = mark_notebook(cells.with_answers(source.notebook, stubs), outcomes, rooms)
    for name, result in untouched.results.items():
        if result.points:
            text, test = f"who writes nothing earns {result.points:g} points", source.tests[name]
            keeps_none = "MarkedTest(" in test and ".score(" not in test
            yield Problem(name, f"{text}; end it with `test.score()`" if keeps_none else text)
