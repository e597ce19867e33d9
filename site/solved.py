"""What the solved edition adds to a notebook: solutions, outputs, common mistakes."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_output

from explained import explain
from grading.demo import plain
from grading.source import Version, read_source
from notebooks import markdown


class SolvedNotebook:
    """
    The solution of an assignment, its outputs and its mistakes.

    Parameters
    ----------
    assignment : str
    material : Path
        Where material.py left the outputs.
    """

    def __init__(self, assignment: str, material: Path) -> None:
        self.source = read_source(assignment)
        self.answers = plain(self.source.answers)
        self.shown = json.loads((material / "outputs.json").read_text("utf-8"))

    def outputs(self, cell_id: str) -> list[NotebookNode]:
        """Return what a cell of the finished notebook shows."""
        # its pictures stand below the cell in both editions
        return [
            new_output("display_data", data=output["data"])
            for output in self.shown[cell_id]
            if "image/svg+xml" not in output["data"]
        ]

    def below(self, function: str) -> list[NotebookNode]:
        """Return the folds below a student's cell."""
        lines = explain(self.source.assignment, function, self.answers[function])
        solution = (
            '<details class="fold solution"><summary>Solution, line by line</summary>\n\n'
            f"{lines}\n\n</details>"
        )
        mistakes = self.source.mistakes(function)
        rows = "\n".join(row(mistake) for mistake in mistakes)
        table = (
            f'<details class="fold mistakes"><summary>Common mistakes: {len(mistakes)}</summary>'
            f"\n<dl>\n{rows}\n</dl>\n</details>"
        )
        return [
            markdown(f"solution-{function}", solution),
            markdown(f"mistakes-{function}", table),
        ]


def row(mistake: Version) -> str:
    """Return a mistake and why it is wrong."""
    name = mistake.name.replace("_", " ").capitalize()
    pieces = escape(mistake.sentence).split("`")  # every second one is code
    pieces[1::2] = [f"<code>{piece}</code>" for piece in pieces[1::2]]
    return f"<dt>{escape(name)}</dt><dd>{''.join(pieces)}</dd>"
