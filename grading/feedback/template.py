"""How all pages of the kit are filled in: a template beside the code, and nothing unescaped."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from grading.shown import code


def templates_in(folder: Path, **filters: object) -> Environment:
    """Return where the templates of a folder are read, with these filters beside `code`."""
    made = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    made.filters |= {"code": lambda text: Markup(code(text)), **filters}
    return made
