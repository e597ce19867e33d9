"""The commands: rnn-grading --help."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import track

from grading import CourseError, __version__, typed
from grading.authoring.check import check_assignment
from grading.authoring.example import expected_lines
from grading.authoring.new import POINTS, make_assignment
from grading.authoring.promises import unproved
from grading.authoring.prove import as_lines, prove_tests
from grading.authoring.release import make_release
from grading.authoring.start import start_course
from grading.authoring.translating import write_language
from grading.book import Book, open_book
from grading.demo import make_course, make_submissions
from grading.exports import WAYS, ExportRequest, export, import_students
from grading.marking.hidden_data import read_secret
from grading.marking.result import total
from grading.nbgrader_plugins import Autograde, GenerateFeedback
from grading.progress import follow, say
from grading.rooms import PACKAGES, IsolationUnavailable, Nursery
from grading.run import Certificate, Run
from grading.run.certificate import BEFORE, FOLDER
from grading.run.diff import compare, summary_of
from grading.source import course_root, enter_course, read_source
from grading.source.bundle import refresh
from grading.tables import changes_table, marks_table, proof_table, result_table, totals_table

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console(width=None if sys.stdout.isatty() else 120)
errors = Console(stderr=True, soft_wrap=True)
MOST_ROWS = 40  # of a table of students


def name_of(path: str) -> str:
    """Return an assignment's name; a shell completes it to a path, with a slash at its end."""
    return Path(path).name or path


AssignmentName = Annotated[str, typer.Argument(help="A folder of source/.", callback=name_of)]
Unprotected = Annotated[
    bool, typer.Option("--unprotected", help="Run student code without a sandbox.")
]


def tell_version(asked: bool) -> None:
    """Say which version this is."""
    if asked:
        print(f"rnn-grading {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=tell_version, is_eager=True, help="Say which.")
    ] = False,
) -> None:
    """Publish and mark notebooks of RNNs and LSTMs."""
    console.quiet = False  # whatever the command before was told, in a process with several


@app.command("start")
def start_command(
    folder: Annotated[Path, typer.Argument(help="A new folder.")],
) -> None:
    """Make a course of the assignments that come with this package."""
    start_course(folder)
    found = " ".join(sorted(path.name for path in (folder / "source").iterdir()))
    console.print(
        f"{folder}: a course, with {found}. Go there; then: {typed.command()} release ASSIGNMENT",
        markup=False,
        soft_wrap=True,
    )


@app.command("new")
def new_command(
    assignment: Annotated[str, typer.Argument(help="What to call it: a new folder of source/.")],
    functions: Annotated[list[str], typer.Argument(help="What students are to write.")],
    like: Annotated[
        str, typer.Option(help="An assignment whose set-up and headings to take over.")
    ] = "",
) -> None:
    """Write a new assignment, with an example in it that can be released as it stands."""
    folder = make_assignment(course_root(), assignment, functions, like)
    for path in sorted(folder.rglob("*")):
        if not path.is_dir():
            console.print(path, markup=False, soft_wrap=True)
    points = POINTS * len(functions)
    console.print(
        f"{len(functions)} functions of {POINTS} points each, {points} in all. Open "
        f"{assignment}.ipynb in JupyterLab and write over it; then: "
        f"{typed.command()} check {assignment}",
        soft_wrap=True,
    )


@app.command("check")
def check_command(assignment: AssignmentName) -> None:
    """Say what is wrong with an assignment, a line each, with the cell and what to do."""
    with nursery_for_author(assignment) as rooms:
        check_first(assignment, rooms)
    console.print(f"{assignment} is in order: it can be released.")


@app.command("example")
def example_command(
    assignment: AssignmentName,
    function: Annotated[str, typer.Argument(help="The function of which check.")],
) -> None:
    """Print the expected lines of a visible check, to paste into its cell."""
    sources = converter_of(assignment, False).read_assignment().notebooks.values()
    source = next((each for each in sources if function in each.answers), next(iter(sources)))
    for line in expected_lines(source, function):
        print(line)


@app.command("release")
def release_command(assignment: AssignmentName) -> None:
    """Generate the student version in release/, and scan it for secrets."""
    with nursery_for_author(assignment) as rooms:
        check_first(assignment, rooms)
    say(f"Making release/{assignment}, and looking for secrets in it", console)
    for stale in make_release(assignment):
        console.print(stale, markup=False, highlight=False, soft_wrap=True)
    console.print(f"release/{assignment} is ready; no secrets in it.")


@app.command("translate")
def translate_command(
    language: Annotated[str, typer.Argument(help="Its code: zh, say.")],
) -> None:
    """Bring the files of a language up to date with the English, and say what is to do."""
    todo = list(write_language(course_root(), language))
    for line in todo:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    console.print(f"{len(todo)} to translate." if todo else "All is translated.")


@app.command("prove")
def prove_command(
    assignment: AssignmentName,
    in_all_sets: Annotated[
        bool, typer.Option("--all", help="Every version on every set of hidden data, not a sample.")
    ] = False,
    unprotected: Unprotected = False,
) -> None:
    """Show that every mistake loses its points, and that right work earns them all."""
    say(f"Checking {assignment}", console)
    converter = converter_of(assignment, unprotected)
    secret, proofs = read_secret(Path(converter.coursedir.root)), []
    unknown: list[str] = []
    with open_nursery(converter) as rooms:
        check_first(assignment, rooms)
        every = converter.read_assignment().notebooks.values()
        for source in (each for each in every if each.tests):
            unknown += unproved(source)
            found = prove_tests(source, rooms, secret, in_all_sets)
            proved = list(track(found, f"Proving {source.name}", total=None, console=console))
            console.print(proof_table(proved))
            proofs += proved
    for line in [*as_lines(proofs), *(f"{assignment}, {each}" for each in unknown)]:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    broken = sum(bool(proof.problems) for proof in proofs)
    if broken:
        raise CourseError(f"{assignment}: {broken} of {len(proofs)} versions break a promise")
    console.print(f"{len(proofs)} versions, and every promise holds.")


@app.command("grade")
def grade_command(
    assignment: AssignmentName,
    students: Annotated[list[str] | None, typer.Argument(help="All, if none is named.")] = None,
    jobs: Annotated[int, typer.Option(help="How many at a time; all cores by default.", min=0)] = 0,
    scheduler: Annotated[str, typer.Option(help="Address of a Dask scheduler.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Also what is marked already.")] = False,
    all_sets: Annotated[
        bool,
        typer.Option("--all-sets", help="For an appeal: show marks on every set, change nothing."),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but problems.")] = False,
    unprotected: Unprotected = False,
) -> None:
    """Mark what was handed in: grade book, autograded/, feedback/ and reports/."""
    console.quiet = quiet
    say(f"Getting ready to mark {assignment}", console)
    converter = converter_of(assignment, unprotected)
    converter.force = force
    if all_sets and not students:
        raise CourseError("--all-sets: say whose submission")
    with converter.open_run(students or [], jobs, scheduler) as run:
        if all_sets:
            tell_on_all_sets(run, students or [])
        else:
            mark_and_tell(run, assignment)


@app.command("diff")
def diff_command(
    old: Annotated[Path, typer.Argument(help="A folder of certificates.")],
    new: Annotated[Path, typer.Argument(help="A later one.")],
) -> None:
    """Show whose total has changed between two markings and why, then every changed point."""
    found = list(compare(old, new))
    changed = [each for each in found if each.before != each.after]
    if changed:
        console.print(totals_table(changed))
    console.print(summary_of(found))
    if any(each.changes for each in found):
        console.print(changes_table(found))


@app.command("report")
def report_command(assignment: AssignmentName) -> None:
    """Write the class report, a page and its figures as CSV, to reports/."""
    say("Writing the report", console)
    from grading.report import write_report  # with it comes Matplotlib, which takes its time

    with book_here() as book:
        page = write_report(book, assignment, Path("reports") / assignment)
    console.print(f"{page}, and its figures in {page.with_suffix('')}/", soft_wrap=True)


@app.command("alike")
def alike_command(assignment: AssignmentName) -> None:
    """Write a page of the submissions that are most alike, side by side; no mark changes."""
    from grading.alike import write_page

    say("Comparing submissions", console)
    converter, page = converter_of(assignment, False), Path("reports") / assignment / "alike.html"
    source = converter.read_assignment()
    found = write_page(converter.coursedir, converter.config, source, page)
    console.print(
        f"{page}: the most alike pairs of {len(found.works)} submissions: {len(found.pairs)}",
        soft_wrap=True,
    )


@app.command("export")
def export_command(
    assignment: AssignmentName,
    to: Annotated[str, typer.Option(help=f"For whom the file is: {', '.join(WAYS)}.")],
    source: Annotated[
        Path | None, typer.Option("--from", help="The LMS's own export, to fill in.")
    ] = None,
    column: Annotated[str, typer.Option(help="The title of its column to fill in.")] = "",
    scale: Annotated[
        bool, typer.Option("--scale", help="Count points in proportion to its full marks.")
    ] = False,
) -> None:
    """Write the marks as Canvas, Moodle or Gradescope imports them, or as plain CSV."""
    source = source and source.absolute()
    course = enter_course()
    pages = GenerateFeedback(coursedir=course.coursedir, config=course.config)
    with open_book(course.coursedir.db_url, course.coursedir.course_id) as book:
        request = ExportRequest(Path(), source, column, scale=scale, pages=pages)
        done = export(book, assignment, to, request)
    files = " and ".join(map(str, done.files))
    for line in [*done.notes, f"{done.count} students in {files}"]:
        console.print(line, markup=False, soft_wrap=True)


@app.command("import-students")
def import_students_command(
    file: Annotated[
        Path, typer.Argument(help="Canvas's grade book, Moodle's worksheet, or a roster.")
    ],
) -> None:
    """Take names and addresses of the students from a file of the LMS."""
    file = file.absolute()
    with book_here() as book:
        found, known = import_students(book, file)
    console.print(f"{found} of {known} students in the grade book have names now")


@app.command("demo")
def demo_command(
    assignment: AssignmentName = "rnn_lstm_forward",
    every: Annotated[bool, typer.Option("--all", help="Of every assignment.")] = False,
    unprotected: Unprotected = False,
) -> None:
    """Grade a class of 24 sample students in the scratch course demo/."""
    root = course_root()
    folder = root / "demo"
    make_course(root, folder)
    os.chdir(folder)
    names = sorted(path.name for path in Path("source").iterdir()) if every else [assignment]
    for name in names:
        say(f"{name}: making a class of 24", console)
        make_release(name)
        make_submissions(read_source(name), folder)
        with converter_of(name, unprotected).open_run([]) as run:
            mark_and_tell(run, name)
        report_command(name)
    jupyter = Path(sys.executable).with_name("jupyter")
    if jupyter.is_relative_to(root):
        jupyter = Path("..") / jupyter.relative_to(root)
    console.print(
        f"The class report:   demo/reports/{names[0]}/report.html\n"
        f"A page of feedback: demo/feedback/endless_loop/{names[0]}/{names[0]}.html\n"
        f"All marks:          demo/reports/{names[0]}/grades.csv\n"
        "The grade book:     demo/gradebook.db; to look into it, `cd demo`, then\n"
        f"                    `{jupyter} lab` and Nbgrader > Formgrader",
        markup=False,
        soft_wrap=True,
    )


def converter_of(assignment: str, unprotected: bool) -> Autograde:
    """Return nbgrader's converter, set up by the course here."""
    course = enter_course(unprotected)
    course.coursedir.assignment_id = assignment
    return Autograde(coursedir=course.coursedir, config=course.config)


def open_nursery(converter: Autograde) -> Nursery:
    """Return a source of rooms, as the course has set them up."""
    try:
        hidden = [converter.coursedir.root]
        packages = (*PACKAGES, *converter.packages)
        return Nursery(converter.room_limits(), hidden, packages, converter.unprotected)
    except IsolationUnavailable as problem:
        raise CourseError(str(problem)) from None


def nursery_for_author(assignment: str) -> Nursery:
    """Return a source of rooms; what is run in them is the author's own, so no sandbox will do."""
    say(f"Checking {assignment}", console)
    try:
        return open_nursery(converter_of(assignment, unprotected=False))
    except CourseError:
        return open_nursery(converter_of(assignment, unprotected=True))


@contextmanager
def book_here() -> Iterator[Book]:
    """Open the grade book of the course here."""
    coursedir = enter_course().coursedir
    with open_book(coursedir.db_url, coursedir.course_id) as book:
        yield book


def check_first(assignment: str, rooms: Nursery) -> None:
    """Say what is wrong with an assignment; raise CourseError if it cannot be released so."""
    refresh(course_root())  # those of an older version of the kit may expect something else
    found = check_assignment(enter_course(), assignment, rooms)
    for problem in found:
        console.print(f"{assignment}, {problem}", markup=False, soft_wrap=True)
    stopping = sum(problem.stops for problem in found)
    if stopping:
        beside = f", {len(found) - stopping} to look at" if len(found) > stopping else ""
        raise CourseError(f"{assignment}: {stopping} to mend{beside}, and nothing was changed")


def mark_and_tell(run: Run, assignment: str) -> None:
    """Mark a class, and tell what came of it."""
    for line in run.to_tell:
        errors.print(line, markup=False)
    begin, marked, failed, late = time.monotonic(), 0, 0, 0
    shown: list[Certificate] = []
    isolation: dict[str, None] = {}
    try:
        for certificate in follow(run, console):
            marked += 1
            failed += certificate.status == "not graded"
            late += certificate.late_penalty > 0
            isolation[certificate.isolation] = None
            if len(shown) <= MOST_ROWS:
                shown.append(certificate)
            if certificate.status not in ("graded", "repaired"):
                errors.print(f"{certificate.student_id}: {certificate.note}", markup=False)
    except KeyboardInterrupt:
        raise CourseError(
            f"Stopped after {marked}. What is marked is kept; the same command goes on from here."
        ) from None
    if 0 < marked <= MOST_ROWS:
        console.print(result_table(sorted(shown, key=lambda each: each.student_id)))
    console.print(
        f"{marked} marked in {time.monotonic() - begin:.1f} s"
        + (f"; {late} of them with points off for handing in late" if late else "")
        + (f"; {run.earlier} are marked already (--force marks them again)" if run.earlier else "")
        + (f"; {run.renewed} got new pages, as the grade book has it now" if run.renewed else "")
    )
    for each in filter(None, isolation):
        console.print(f"Isolation: {each}")
    console.print(f"Marks: reports/{assignment}/grades.csv and gradebook.db", soft_wrap=True)
    if marked:
        tell_changes(run.reports)
    if failed:
        raise CourseError(
            f"{failed} of {marked} could not be marked: why stands above; the same command tries"
            " them again"
        )


def tell_on_all_sets(run: Run, students: list[str]) -> None:
    """Show what the tests give on every set of hidden data."""
    found = {
        (marked.certificate.student_id, marked.certificate.hidden_data): marked.results.values()
        for marked in run.mark_on_all_sets(students)
    }
    functions = [result.function for result in next(iter(found.values()))]
    table = marks_table(["student", "hidden data"], functions)
    table.add_column("total", justify="right")
    for (student, data), results in sorted(found.items()):
        points = [result.points for result in results]
        table.add_row(escape(student), data, *(f"{p:g}" for p in [*points, total(points)]))
    console.print(table)
    console.print("Nothing was changed.")


def tell_changes(reports: Path) -> None:
    """Say for how many a run has changed points, if for anybody."""
    before, now = (Path("reports") / reports.name / name for name in (BEFORE, FOLDER))
    if before.is_dir():
        found = list(compare(before, now))
        if any(each.changes for each in found):
            command = f"{typed.command()} diff {before} {now}"
            console.print(f"{summary_of(found)}: {command}", markup=False, soft_wrap=True)


def main() -> None:
    """Run a command; what went wrong for the one who typed it is one line."""
    try:
        app()
    except CourseError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
