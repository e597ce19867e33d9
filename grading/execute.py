"""The one place where the cells of a submission are run."""

from __future__ import annotations

from nbformat import NotebookNode
from nbgrader.preprocessors import Execute as StockExecute

from grading.marks import is_test, settle
from grading.solution import course_root


class Execute(StockExecute):
    """nbgrader's Execute, whose test cells end in the points that the tests recorded."""

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """Run all cells in order, and settle the score of each test cell."""
        nb, resources = super().preprocess(nb, resources)
        for cell in nb.cells:
            if is_test(cell):
                settle(cell)
        return nb, resources


def run_notebook(notebook: NotebookNode) -> NotebookNode:
    """Run a notebook of the course's own, and return it with its outputs."""
    resources = {"metadata": {"path": str(course_root())}}
    return Execute(timeout=10).preprocess(notebook, resources)[0]
