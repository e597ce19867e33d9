"""Scripts and the like, taken out of what a person will look at."""

from __future__ import annotations

import functools
from typing import Any

from bleach import ALLOWED_TAGS
from bleach.css_sanitizer import ALLOWED_CSS_PROPERTIES
from nbconvert.preprocessors.sanitize import SanitizeHTML
from nbformat import NotebookNode

from grading.source import cells

# What tables and the reports of checks are made of.
SAFE_TAGS = ["br", "div", "hr", "p", "pre", "span", "table", "tbody", "td", "th", "thead", "tr"]
MOST_KEPT = 20_000  # characters of a cleaned text that is kept for the next student


class Sanitize(SanitizeHTML):
    """nbconvert's sanitizer; it cleans a report that many students get only once."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.clean = functools.lru_cache(1000)(super().sanitize_html_tags)

    def sanitize_html_tags(self, html_str: str) -> str:
        """Return the text without scripts and the like."""
        clean = self.clean if len(html_str) < MOST_KEPT else super().sanitize_html_tags
        return clean(html_str)


def sanitize(notebook: NotebookNode) -> None:
    """Take scripts and the like out of all outputs, and out of text that a student wrote."""
    clean = sanitizer()
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "code" or cells.is_students(cell):
            clean.preprocess_cell(cell, {}, number)


@functools.cache
def sanitizer() -> Sanitize:
    """Return the process's sanitizer."""
    return Sanitize(
        tags=[*ALLOWED_TAGS, *SAFE_TAGS],
        attributes={"*": ["style", "role", "aria-label"]},
        styles=[*ALLOWED_CSS_PROPERTIES, "list-style", "margin", "padding"],
    )
