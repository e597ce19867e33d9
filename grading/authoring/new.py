"""A new assignment: a folder in source/ that can be released as it stands, to be written over."""

from __future__ import annotations

import ast
import builtins
import json
import keyword
import re
import shutil
import string
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from grading import CourseError
from grading.authoring import example, template
from grading.source import read_assignment, read_source
from grading.source.bundle import MADE, bundle
from grading.source.cells import Kind, is_answer, is_test, kind_of, new_metadata, tests_name

FIGURE_NAME = "idea.svg"
POINTS = 25  # of each function: four of them make 100


def make_assignment(root: Path, assignment: str, functions: list[str], like: str = "") -> Path:
    """
    Write a new folder in source/, which `check`, `release` and `prove` find in order.

    Parameters
    ----------
    root : Path
        The course folder.
    assignment : str
    functions : list of str
        What students are to write; each earns 25 points.
    like : str, optional
        Another assignment, whose set-up, helper modules and headings to take over.

    Returns
    -------
    Path
        The new folder.

    Raises
    ------
    CourseError
        Where the name is taken, or a name will not do.
    """
    check_name(root, assignment)
    check_functions(functions)
    if like:
        read_source(like, root)  # says in one line where there is none
    folder = root / "source" / assignment
    part = folder.with_name(f".{assignment}.new")
    shutil.rmtree(part, ignore_errors=True)
    (part / "figures").mkdir(parents=True)
    try:
        checks = link_helpers(root, part, like)
        frame = outline(root, assignment, like) if like else plain_frame(assignment)
        write_assignment(part, assignment, functions, frame, checks)
        fill_in_numbers(root, part, assignment, functions)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def check_name(root: Path, assignment: str) -> None:
    """Raise CourseError where an assignment cannot be called so."""
    if not re.fullmatch(r"[A-Za-z]\w*(-\w+)*", assignment, re.ASCII):
        raise CourseError(
            f"{assignment}: an assignment's name begins with a letter, and has letters, digits, _ "
            "and - in it"
        )
    if (root / "source" / assignment).exists():
        raise CourseError(f"{assignment}: there is a source/{assignment} already; choose another")


def check_functions(functions: list[str]) -> None:
    """Raise CourseError where a function cannot be called so, or there is none."""
    if not functions:
        raise CourseError("Name the functions that students are to write")
    taken = {*dir(builtins), "np", "test", "setup", "fetch", "FunctionTest", "MarkedTest"}
    for name in functions:
        if not (name.isidentifier() and name.isascii()) or keyword.iskeyword(name):
            raise CourseError(f"{name}: not a name that a Python function can have")
        if name in taken or name.startswith(("_", "test_", "check_", "example_")):
            raise CourseError(f"{name}: the notebook uses this name itself; choose another")
        if len(name) > 50:
            raise CourseError(f"{name}: too long for the id of a cell; 50 letters at most")
        if functions.count(name) > 1:
            raise CourseError(f"{name}: named twice")


# The helper modules


def link_helpers(root: Path, folder: Path, like: str) -> str:
    """Link the modules that students are given; return the name of the one with the checks."""
    checks = name_of_checks(root)
    names = {f"{checks}.py"}
    if like:
        other = root / "source" / like
        names |= {path.name for path in other.glob("*.py") if (root / path.name).is_file()}
        for path in other.glob("*.py"):
            if path.name not in names:  # it is the other's own
                shutil.copy(path, folder / path.name)
    for name in names:
        (folder / name).symlink_to(Path("..", "..", name))
    return checks


def name_of_checks(root: Path) -> str:
    """Return the name of the course's module with the checks; it gets one if it has none."""
    for path in sorted(root.glob("*.py")):
        if path.read_text("utf-8").startswith(MADE):
            return path.stem
    (root / "checks.py").write_text(bundle(), "utf-8")
    return "checks"


# The notebook


def plain_frame(assignment: str) -> tuple[list[NotebookNode], list[NotebookNode]]:
    """Return the cells before the first function, and those behind the last."""
    before = [
        text_cell("title", template.TITLE, title=title_of(assignment)),
        text_cell("before-you-start", template.START),
        code_cell("setup", ""),
    ]
    return before, [text_cell("hand-in", template.HAND_IN)]


def title_of(assignment: str) -> str:
    """Return an assignment's name as a title."""
    return assignment.replace("_", " ").replace("-", " ").capitalize()


def outline(
    root: Path, assignment: str, like: str
) -> tuple[list[NotebookNode], list[NotebookNode]]:
    """Return the cells around the functions of another assignment: code, and texts' headings."""
    found = read_source(like, root).notebook.cells
    figures = [path.name for path in sorted((root / "source" / like / "figures").glob("*"))]
    for cell in found:
        if kind_of(cell) is Kind.FETCH:
            cell.source = with_own_figure(cell.source, figures)
    first = next((n for n, cell in enumerate(found) if is_answer(cell)), len(found))
    last = max((n for n, cell in enumerate(found) if is_test(cell)), default=first)
    before = list(as_outline(found[:first]))
    for cell in before:
        if cell.cell_type == "markdown":
            cell.source = re.sub(r"\A# .*", f"# {title_of(assignment)}", cell.source)
    after = [cell for cell in as_outline(found[last + 1 :]) if cell.cell_type == "markdown"]
    return before, after


def with_own_figure(code: str, figures: list[str]) -> str:
    """Return code that names another's figures, as a list of strings, with the new one's."""
    named = "|".join(map(re.escape, figures))
    return re.sub(rf'"(?:{named})"(?:,\s*"(?:{named})")*', f'"{FIGURE_NAME}"', code)


def as_outline(found: list[NotebookNode]) -> Iterator[NotebookNode]:
    """Yield the locked code among some cells as it is, and of texts the headings."""
    for cell in found:
        if kind_of(cell) in (Kind.CHECK, Kind.FETCH):
            yield new_code_cell(cell.source, id=cell.id, metadata=cell.metadata)
        headings = re.findall(r"^#+ .*", cell.source, re.MULTILINE)
        if cell.cell_type == "markdown" and headings:
            yield new_markdown_cell("\n\n".join([*headings, "..."]), id=cell.id)


def write_assignment(
    folder: Path,
    assignment: str,
    functions: list[str],
    frame: tuple[list[NotebookNode], list[NotebookNode]],
    checks: str,
) -> None:
    """Write notebook, table of mistakes and figure; the numbers of the checks are left blank."""
    before, after = frame
    complete_setup(before, checks)
    middle = []
    for number, name in enumerate(functions, 1):
        middle += function_cells(name, number)
    notebook = new_notebook(cells=[*before, *middle, *after])
    notebook.metadata["kernelspec"] = {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    }
    write_notebook(notebook, folder / f"{assignment}.ipynb")
    each = string.Template(template.OF_FUNCTION)
    entries = [each.substitute(function=name, number=n) for n, name in enumerate(functions, 1)]
    table = "".join([template.MISTAKES, *entries, template.ALLOW])
    (folder / "mistakes.yaml").write_text(table)
    (folder / "figures" / FIGURE_NAME).write_text(template.FIGURE)


def complete_setup(cells: list[NotebookNode], checks: str) -> None:
    """Let the first code cell that runs in marking import what the new cells use."""
    code = [cell for cell in cells if kind_of(cell) is Kind.CHECK]
    if not code:
        code = [code_cell("setup", "")]
        cells += code
    bound = {name for cell in code for name in names_bound(cell.source)}
    needed = {"np": "import numpy as np", "FunctionTest": f"from {checks} import FunctionTest"}
    missing = [line for name, line in needed.items() if name not in bound]
    if missing:
        code[0].source = "\n".join([*missing, code[0].source]).strip()


def names_bound(text: str) -> set[str]:
    """Return the names that the import statements of a cell bind."""
    statements = (
        n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Import | ast.ImportFrom)
    )
    return {alias.asname or alias.name for each in statements for alias in each.names}


def function_cells(name: str, number: int) -> list[NotebookNode]:
    """Return the cells of one function: what it is for, the stub, a check, the test."""
    word = name.replace("_", "-")
    given = {"function": name, "number": number, "seed": number}
    return [
        text_cell(f"about-{word}", template.ABOUT, **given),
        code_cell(name, template.SOLUTION, given, solution=True),
        code_cell(f"check_{name}", template.CHECK, given),
        code_cell(tests_name(name), template.TEST, given, points=POINTS),
    ]


def text_cell(name: str, text: str, **given: object) -> NotebookNode:
    """Return a text cell made of a template."""
    return new_markdown_cell(string.Template(text).substitute(given), id=name)


def code_cell(
    name: str,
    text: str,
    given: Mapping[str, object] = MappingProxyType({}),
    solution: bool = False,
    points: int | None = None,
) -> NotebookNode:
    """Return a code cell made of a template, with nbgrader's settings."""
    source = string.Template(text).substitute(given)
    metadata = new_metadata(name, solution, not solution, points)
    return new_code_cell(source, id=name.replace("_", "-"), metadata=metadata)


def write_notebook(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook as git likes it: no outputs, one key a line."""
    nbformat.validate(notebook)
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", "utf-8")


def fill_in_numbers(root: Path, folder: Path, assignment: str, functions: list[str]) -> None:
    """Put what the solution returns into the visible checks."""
    source = read_assignment(assignment, root, folder).notebooks[assignment]
    for name in functions:
        lines = example.expected_lines(source, name)
        for cell in source.notebook.cells:
            if cell.source.count(template.EXPECTED) and f"{name}," in cell.source:
                cell.source = cell.source.replace(template.EXPECTED, "\n".join(lines))
    write_notebook(source.notebook, folder / f"{assignment}.ipynb")
