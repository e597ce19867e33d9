"""The feedback pages: nbgrader's, without the hidden tests."""

from __future__ import annotations

from nbformat import NotebookNode
from nbgrader.preprocessors import ClearHiddenTests, NbGraderPreprocessor

from grading.marks import is_test


class HideTests(NbGraderPreprocessor):
    """Takes the hidden part of test cells out of a page; their results stay."""

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """Clear the test cells, and no others: what a student wrote stays as it is."""
        for number, cell in enumerate(nb.cells):
            if is_test(cell):
                ClearHiddenTests().preprocess_cell(cell, resources, number)
        return nb, resources
