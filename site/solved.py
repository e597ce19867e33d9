"""What the solved edition adds to a notebook: solutions, outputs, common mistakes."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_output

from explained import explain
from grading.demo import plain
from grading.shown import code
from grading.source import Version, read_assignment, read_source
from language import ENGLISH, Language
from notebooks import markdown


def without_comments(code: str) -> str:
    """Return code without the lines that are comments."""
    return "\n".join(line for line in code.splitlines() if not line.lstrip().startswith("#"))


class SolvedNotebook:
    """
    The solution of an assignment, its outputs and its mistakes.

    Parameters
    ----------
    assignment : str
    material : Path
        Where material.py left the outputs.
    language : Language
    """

    def __init__(self, assignment: str, material: Path, language: Language) -> None:
        self.language = language
        self.source = read_source(assignment)
        self.said = read_assignment(assignment).words(language.code)
        self.answers = plain(self.source.answers)
        if language.code != ENGLISH:  # what is said of the lines stands above them
            self.answers = {n: without_comments(text) for n, text in self.answers.items()}
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
        words, assignment = self.language.words, self.source.assignment
        lines = explain(assignment, function, self.answers[function], self.language)
        solution = (
            f'<details class="fold solution"><summary>{words["solution"]}</summary>\n\n'
            f"{lines}\n\n</details>"
        )
        mistakes = self.source.mistakes(function)
        rows = "\n".join(self.row(mistake) for mistake in mistakes)
        title = words["mistakes"].format(count=len(mistakes))
        table = (
            f'<details class="fold mistakes"><summary>{title}</summary>'
            f"\n<dl>\n{rows}\n</dl>\n</details>"
        )
        return [
            markdown(f"solution-{function}", solution),
            markdown(f"mistakes-{function}", table),
        ]

    def row(self, mistake: Version) -> str:
        """Return a mistake and why it is wrong."""
        name = escape(mistake.name.replace("_", " ").capitalize())
        if self.language.code != ENGLISH:
            name = f"<code>{mistake.name}</code>"
        sentence = self.said.get(mistake.sentence, mistake.sentence)
        return f"<dt>{name}</dt><dd>{code(sentence)}</dd>"
