"""Tests that nbgrader writes itself, from lines `### AUTOTEST f(2)` and the solution."""

from __future__ import annotations

import ast
import contextlib
import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from traceback import walk_tb
from typing import Any

import yaml
from IPython.lib.pretty import pretty
from nbformat import NotebookNode
from nbgrader.preprocessors import InstantiateTests

from grading import CourseError, StillRuns
from grading.bounded import OutOfTime, bounded
from grading.source.cells import grade_id
from grading.source.names import python_in

FILE = "<autotest>"



def write_tests(
    notebook: NotebookNode,
    writer: Writer,
    templates: bytes,
    names: dict[str, Any],
    importing: Callable[[], AbstractContextManager],
    seconds: float,
) -> set[str]:
    """
    Write the tests of a notebook, as nbgrader does when it publishes.

    Parameters
    ----------
    notebook : NotebookNode
    writer : Writer
        As the course has set it up.
    templates : bytes
        What its file of templates says, b"" where there is none.
    names : dict
        In which the notebook's code is run.
    importing : callable
        Lets it import the course's modules.
    seconds : float
        So long each cell may run.

    Returns
    -------
    set of str
        The names of the cells that were written.

    Raises
    ------
    CourseError
        Where that cannot be done: which cell, and why.
    """
    kernel = notebook.metadata.get("kernelspec", {}).get("name", "")
    cells = [n for n, cell in enumerate(notebook.cells) if writer.writes(cell, kernel)]
    if not cells:
        return set()
    try:
        writer.begin(yaml.safe_load(templates)[kernel], kernel, names)
    except (yaml.YAMLError, KeyError, TypeError):
        said = f"{writer.autotest_filename} is not there, or says nothing of the kernel `{kernel}`"
        raise CourseError(f"{grade_id(notebook.cells[cells[0]])}: {said}") from None
    with importing(), contextlib.redirect_stdout(io.StringIO()):
        for number, cell in enumerate(notebook.cells[: cells[-1] + 1]):
            name = grade_id(cell) or cell.id
            try:
                with bounded(seconds):
                    writer.preprocess_cell(cell, {"kernel_name": kernel}, number)
            except OutOfTime as stop:
                raise StillRuns(name, writer.line_of(stop), seconds) from None
            except Exception as error:
                said = f"{type(error).__name__}: {error}".splitlines()[0]
                raise CourseError(f"{name}: no tests can be written: {said}") from None
    return {grade_id(notebook.cells[number]) for number in cells}


class Writer(InstantiateTests):
    """nbgrader's own, with the code run here and not in a kernel; its options are nbgrader's."""

    def writes(self, cell: NotebookNode, kernel: str) -> bool:
        """Tell whether a cell holds lines of which tests are made."""
        lines = cell.source.splitlines() if self.enabled and cell.cell_type == "code" else []
        comment = self.comment_strs.get(kernel, "#")
        marked = (line for line in lines if line.strip().startswith(comment))
        return any(self.autotest_delimiter in line for line in marked)

    def begin(self, templates: dict[str, Any], kernel: str, names: dict[str, Any]) -> None:
        """Begin with a notebook: with the templates of its kernel, and the names that it has."""
        self.names, self.sanitizer, self.code = names, self.sanitizers[kernel], "..."
        self.global_tests_loaded = True
        self.test_templates_by_type = templates["templates"]
        self.dispatch_template, self.check_template = templates["dispatch"], templates["check"]
        self.normalize_template = templates["normalize"]
        self.success_code, self.setup_code = templates.get("success"), templates.get("setup")
        self.hash_template = templates.get("hash")

    def _execute_code_snippet(self, code: str) -> str | None:
        """Run code; return how the value of its last line is shown, as the course cleans that."""
        self.code = python_in(code)
        tree = ast.parse(self.code)
        last = tree.body[-1] if tree.body else None
        if not isinstance(last, ast.Expr):
            exec(compile(tree, FILE, "exec", dont_inherit=True), self.names)
            return None
        tree.body.pop()
        exec(compile(tree, FILE, "exec", dont_inherit=True), self.names)
        expression = compile(ast.Expression(last.value), FILE, "eval", dont_inherit=True)
        value = eval(expression, self.names)
        return None if value is None else self.sanitizer(pretty(value, max_width=79))

    def line_of(self, stop: OutOfTime) -> str:
        """Return the line of the code at hand that was stopped."""
        found = walk_tb(stop.__traceback__)
        number = next((n for frame, n in found if frame.f_code.co_filename == FILE), 1)
        return f"`{self.code.splitlines()[number - 1].strip()}`"
