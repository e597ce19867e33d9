"""The commands: python -m grading release | prove | grade | demo."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

from grading import CourseError
from grading.course import open_course
from grading.demo import make_course, make_submissions
from grading.grade import Result, grade, isolation
from grading.prove import Proof, prove
from grading.release import leaks, release
from grading.solution import course_root

app = typer.Typer(
    help="Publish and mark notebooks of RNNs and LSTMs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console(width=None if sys.stdout.isatty() else 120)
Assignment = Annotated[str, typer.Argument(help="A folder of source/.")]
Unprotected = Annotated[
    bool, typer.Option("--unprotected", help="Run student code without a sandbox.")
]


@app.command("release")
def release_command(assignment: Assignment) -> None:
    """Generate the student version in release/, and scan it for secrets."""
    release(assignment)
    check_leaks(assignment)
    console.print(f"release/{assignment} is ready; no secrets in it.")


@app.command("prove")
def prove_command(assignment: Assignment, unprotected: Unprotected = False) -> None:
    """Show that every mistake loses its points, and that right work earns them all."""
    proofs = list(track(prove(assignment, unprotected), "Proving", total=None, console=console))
    console.print(proof_table(proofs))
    broken = [proof for proof in proofs if proof.problems]
    for proof in broken:
        console.print(f"{proof.name}: {'; '.join(proof.problems)}", markup=False)
    if broken:
        raise CourseError(f"{assignment}: {len(broken)} of {len(proofs)} versions break a promise")
    check_leaks(assignment)
    console.print(f"{len(proofs)} versions, and every promise holds; no secrets in release/.")


@app.command("grade")
def grade_command(
    assignment: Assignment,
    students: Annotated[list[str] | None, typer.Argument(help="All, if none is named.")] = None,
    unprotected: Unprotected = False,
) -> None:
    """Mark what was handed in: grade book, autograded/ and reports/."""
    results = list(
        track(grade(assignment, students or [], unprotected), "Grading", console=console)
    )
    console.print(result_table(results))
    console.print(f"Isolation: {isolation(open_course(unprotected))}")
    console.print(f"Marks: reports/{assignment}/grades.csv and gradebook.db")


@app.command("demo")
def demo_command(
    assignment: Assignment = "rnn_lstm_forward", unprotected: Unprotected = False
) -> None:
    """Grade a class of 24 sample students in the scratch course demo/."""
    folder = course_root() / "demo"
    make_course(course_root(), folder)
    os.chdir(folder)
    release(assignment)
    make_submissions(assignment, folder)
    graded = grade(assignment, [], unprotected)
    results = list(track(graded, "Grading", total=24, console=console))
    console.print(result_table(results))
    console.print(f"Isolation: {isolation(open_course(unprotected))}\n")
    console.print(
        f"All marks:          demo/reports/{assignment}/grades.csv\n"
        f"A marked notebook:  demo/autograded/{results[0].student_id}/{assignment}/\n"
        "The grade book:     demo/gradebook.db; to look into it, `cd demo`, then\n"
        "                    `../.venv/bin/jupyter lab` and Nbgrader > Formgrader",
        markup=False,
        soft_wrap=True,
    )


def check_leaks(assignment: str) -> None:
    """Show what the student version tells and should not; raise CourseError if anything."""
    found = leaks(assignment)
    for leak in found:
        console.print(f"release/{assignment}/{leak}", markup=False, soft_wrap=True)
    if found:
        raise CourseError(f"{assignment}: secrets stand in release/{assignment} ({len(found)})")


def result_table(results: list[Result]) -> Table:
    """Return the table of a class: who, points per function, total, note."""
    functions = next(([m.function for m in r.marks] for r in results if r.marks), [])
    table = marks_table(["student"], functions)
    table.add_column("total", justify="right")
    table.add_column("what is wrong", min_width=24)
    for result in results:
        points = [f"{mark.points:g}" for mark in result.marks] or ["0"] * len(functions)
        notes = dict.fromkeys(mark.mistake or mark.note for mark in result.marks if mark.note)
        note = "; ".join(notes) if result.status == "graded" else result.note
        table.add_row(escape(result.student_id), *points, f"{result.score:g}", escape(note))
    return table


def proof_table(proofs: list[Proof]) -> Table:
    """Return the table of the proof: version, points per function, what is broken."""
    table = marks_table(["function", "version"], [mark.function for mark in proofs[0].marks])
    for proof in proofs:
        points = [f"{mark.points:g}" for mark in proof.marks]
        table.add_row(proof.function, proof.name, *points)
    return table


def marks_table(headings: list[str], functions: list[str]) -> Table:
    """Return an empty table with a narrow column per function."""
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    for function in functions:
        short = function.removesuffix("_forward").removesuffix("_backward")
        table.add_column(short.replace("_", "\n"), justify="right", no_wrap=True)
    return table


def main() -> None:
    """Run a command; what went wrong for the one who typed it is one line."""
    try:
        app()
    except CourseError as error:
        print(error, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
