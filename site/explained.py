"""Solutions line by line: what explained.yaml says, in front of the lines it is about."""

from __future__ import annotations

import ast
import textwrap

from grading import CourseError
from language import Language


def explain(assignment: str, function: str, source: str, language: Language) -> str:
    """
    Return a solution as Markdown: each group of lines after what is said of it.

    Raises
    ------
    CourseError
        Where a line that is to be explained is not in the solution, or not in this order.
    """
    told = language.told("explained").get(assignment, {}).get(function, {})
    pieces = []
    for words, code in groups(f"{assignment}, {function}", body(source), told.get("lines", {})):
        pieces.append(f"{words}\n\n```python\n{code}\n```")
    if anchor := told.get("derived"):
        pieces.append(language.words["derived"].format(place=f"derivations.md#{anchor}"))
    return "\n\n".join(pieces)


def body(source: str) -> list[str]:
    """Return the lines of a function without its head and docstring, which stand above."""
    statements = ast.parse(source).body[-1].body
    has_docstring = ast.get_docstring(ast.parse(source).body[-1]) is not None
    first = statements[0].end_lineno if has_docstring else statements[0].lineno - 1
    return textwrap.dedent("\n".join(source.splitlines()[first:])).splitlines()


def groups(where: str, lines: list[str], told: dict[str, str]) -> list[tuple[str, str]]:
    """Return what is said, and the lines from the one that has the key up to the next one."""
    starts = [0]
    for key in list(told)[1:]:
        found = [n for n, line in enumerate(lines) if key in line and n > starts[-1]]
        if not found:
            raise CourseError(f"site/explained.yaml: {where}: no line has {key!r} there")
        starts.append(with_comment(lines, found[0]))
    if told and not any(next(iter(told)) in line for line in lines[:2]):
        raise CourseError(f"site/explained.yaml: {where}: the first lines are not explained")
    ends = [*starts[1:], len(lines)]
    chunks = ["\n".join(lines[a:b]).strip("\n") for a, b in zip(starts, ends, strict=True)]
    return list(zip(told.values() or [""], chunks, strict=True))


def with_comment(lines: list[str], start: int) -> int:
    """Return where the comment above a line begins, or the line's own place."""
    while lines[start - 1].lstrip().startswith("#"):
        start -= 1
    return start
