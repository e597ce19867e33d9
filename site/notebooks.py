"""Notebooks as pages of the site."""

from __future__ import annotations

import json
import re
from html import escape
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from grading import CourseError
from grading.source.cells import (
    function_checked,
    function_tested,
    grade_id,
    is_answer,
    is_test,
    points_of,
)
from language import Language
from notation import Notation, boxed
from pictures import Drawing, figure

PICTURE = re.compile(r"^!\[(?P<words>[^\]]*)\]\((?P<file>[^)]+)\)$", re.MULTILINE)
# A page in the folder of the figures; the site has its own.
MOTION = re.compile(r"\[(?P<words>[^\]]*)\]\(figures/(?P<page>lstm_in_motion\.html[^)]*)\)")
TASK = re.compile(r"\[(?P<words>[^\]]+)\]\(#(?P<place>[\w-]+)\)")  # elsewhere in the notebook
LINK = re.compile(r"\[(\w+)\]\((https://[^)]+)\)")
COVERS = Path(__file__).with_name("covers")
# What the site says in its own way: where to open a notebook, and what must lie beside it.
NOT_HERE = ("open-in", "fetch")


class NotebookPage:
    """
    A released notebook on its way to a page.

    Parameters
    ----------
    name : str
        The assignment.
    language : Language
    material : Path
        The pictures that the finished notebook draws.
    solved : SolvedNotebook, optional
        What the solved edition adds.
    """

    def __init__(self, name: str, language: Language, material: Path, solved: Any = None) -> None:
        self.name = name
        self.folder = language.release / name
        self.notebook = nbformat.read(self.folder / f"{name}.ipynb", as_version=4)
        self.words = language.words
        about = language.told("assignments").get(name, {})
        self.about = {"blurb": self.words["unknown"].format(name=name), **about}
        self.material = material
        self.solved = solved
        self.pictures = 0  # numbers their descriptions
        self.points = {
            function_tested(grade_id(cell)): points_of(cell)
            for cell in self.notebook.cells
            if is_test(cell)
        }

    @property
    def title(self) -> str:
        """The notebook's own first heading."""
        return self.notebook.cells[0].source.splitlines()[0].lstrip("# ")

    @property
    def cover(self) -> str:
        """A picture without words, "" where there is none."""
        file = COVERS / f"{self.name}.svg"
        return " ".join(file.read_text("utf-8").split()) if file.exists() else ""

    @property
    def plan(self) -> str:
        """How long it takes, and what it needs."""
        hours, needs = self.about.get("hours", ""), self.about.get("needs", "")
        said = self.words["hours"].format(hours=f"{hours[:1].upper()}{hours[1:]}") if hours else ""
        return (said + (self.words["needs"].format(needs=needs) if needs else "")).strip()

    @property
    def places(self) -> dict[str, str]:
        """Where it opens by a link, by name: none while the repository has no address."""
        said = next((cell.source for cell in self.notebook.cells if cell.id == "open-in"), "")
        return dict(LINK.findall(said))

    def render(self, notation: Notation) -> NotebookNode:
        """Return the page as a notebook that MyST-NB reads."""
        links = notation.links(self.name)
        cells = []
        for cell in self.notebook.cells:
            if cell.id in NOT_HERE:
                continue
            if cell.cell_type == "code":
                cells += self.code(cell)
                continue
            text = PICTURE.sub(self.figure, cell.source)
            text = MOTION.sub(r'<a href="\g<page>">\g<words></a>', text)
            text = TASK.sub(r'<a href="#\g<place>">\g<words></a>', text)
            if not cell.id.startswith("notation"):
                text = links.add(text)
            if cell.id == "notation":
                text = boxed(text)
            cells.append(markdown(cell.id, text))
        heading, _, rest = cells[0].source.partition("\n")
        cells[0].source = f"{heading}\n\n{self.download()}\n{rest}"
        page = nbformat.v4.new_notebook(cells=cells)
        page.metadata = {
            "kernelspec": self.notebook.metadata.kernelspec,
            "myst": {"html_meta": {"description": " ".join(self.about["blurb"].split())}},
        }
        return page

    def download(self) -> str:
        """Return the button that downloads the notebook with all it needs, and other ways."""
        others = "".join(
            f' <a class="button other" href="{address}">'
            f"{self.words['open_in'].format(place=place)}</a>"
            for place, address in self.places.items()
        )
        return (
            f'<p class="download"><a class="button" href="downloads/{self.name}.zip" download>'
            f"{self.words['download']}</a>{others} <span>"
            f"{self.words['download_holds'].format(name=self.name)}</span></p>\n"
        )

    def figure(self, found: re.Match) -> str:
        """Return a figure of the notebook: its title, and its description in words."""
        try:
            svg = (self.folder / found["file"]).read_text("utf-8")
        except OSError:
            raise CourseError(
                f"{self.folder.parent.name}/{self.name}: {found['file']} is missing;"
                " release it again"
            ) from None
        drawing = Drawing(svg)
        return self.picture(drawing, drawing.title, found["words"])

    def picture(self, drawing: Drawing, title: str, words: str) -> str:
        """Return a drawing with a caption and a description."""
        self.pictures += 1
        return figure(drawing, self.pictures, title, words, self.words["in_words"])

    def code(self, cell: NotebookNode) -> list[NotebookNode]:
        """Return a code cell, with what belongs above and below it."""
        name = grade_id(cell)
        kept = nbformat.v4.new_code_cell(cell.source, id=cell.id)
        kept.outputs = self.solved.outputs(cell.id) if self.solved else []
        if is_answer(cell):
            kept.metadata["tags"] = ["yours"]
            label = self.words["yours"].format(name=name, points=f"{self.points[name]:g}")
            above = [markdown(f"{cell.id}-label", f'<p class="cell-label">{label}</p>')]
            below = self.solved.below(name) if self.solved else []
            return [*above, kept, *below]
        if is_test(cell):  # one line that says so, and the label of the function does, too
            return []
        if function_checked(name):
            return fold(kept, self.words["check"].format(name=function_checked(name)))
        if name.startswith("example_"):
            return fold(kept, self.words["example"])
        return [kept, *self.meant(cell.id)]

    def meant(self, cell_id: str) -> list[NotebookNode]:
        """Return the pictures that this cell draws in the finished notebook, and samples."""
        cells = [] if self.solved else self.printed(cell_id)
        for file in sorted(self.material.glob(f"{cell_id}-[0-9]*.svg")):
            try:
                words = self.about["pictures"][cell_id]
            except KeyError:
                raise CourseError(
                    f"site/assignments.yaml: {self.name}: the picture of cell {cell_id} has no"
                    " title and words yet; learners who cannot see it need them"
                ) from None
            drawing = Drawing(file.read_text("utf-8"))
            shown = self.picture(drawing, words["title"], words["words"])
            meant = self.words["meant_roughly" if words.get("measured") else "meant"]
            text = f'<div class="meant"><p class="cell-label">{meant}</p>\n{shown}</div>'
            cells.append(markdown(file.stem, text))
        return cells

    def printed(self, cell_id: str) -> list[NotebookNode]:
        """Return what this cell prints in the finished notebook, where it is a sample of it."""
        if cell_id not in self.about.get("samples", ()):
            return []
        outputs = json.loads((self.material / "outputs.json").read_text("utf-8"))[cell_id]
        text = "".join(each["data"].get("text/plain", "") for each in outputs).rstrip()
        shown = f'<pre style="white-space: pre-wrap">{escape(text)}</pre>'
        label = f'<p class="cell-label">{self.words["meant"]}</p>'
        return [markdown(f"{cell_id}-printed", f'<div class="meant">{label}\n{shown}</div>')]


def fold(cell: NotebookNode, title: str) -> list[NotebookNode]:
    """Return a code cell in a fold; its outputs stay in sight."""
    outputs, cell.outputs = cell.outputs, []
    # a cell without any source would be left out
    shown = nbformat.v4.new_code_cell("...", id=f"{cell.id}-output", outputs=outputs)
    shown.metadata["tags"] = ["remove-input"]
    opening = f'<details class="fold"><summary>{title}</summary>'
    return [
        markdown(f"{cell.id}-fold", opening),
        cell,
        markdown(f"{cell.id}-folded", "</details>"),
        *([shown] if outputs else []),
    ]


def markdown(cell_id: str, text: str) -> NotebookNode:
    """Return a Markdown cell."""
    return new_markdown_cell(text, id=cell_id[:64])
