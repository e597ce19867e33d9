"""What is shown of checks: lines with ticks and crosses."""

import ast
import html
import re
import sys

from grading.findings import Finding, Words

Line = tuple[str, Finding]  # a mark, and what stands behind it
STYLES = {
    "✓": (Finding("right", {}), "var(--jp-success-color1, #1b5e20)"),
    "✗": (Finding("wrong", {}), "var(--jp-error-color1, #b71c1c)"),
    "→": (Finding("known mistake", {}), "inherit"),
}


def report_lines(name: str, wrong: dict, mistake: str) -> list[Line]:
    """Return every line; what is found of several kinds shares one."""
    alike: dict[str, list[str]] = {}
    for kind, found in wrong.items():
        alike.setdefault(str(found or kind), []).append(kind)
    lines = []
    for kinds in alike.values():
        found = wrong[kinds[0]]
        about = {
            "kinds": [Finding(kind, {}) for kind in kinds],
            "name": name,
            "sentence": found and ended(found),
        }
        if not found:
            lines.append(("✓", Finding("{kinds}: right", about)))
        elif len(kinds) == len(wrong):
            lines.append(("✗", Finding("`{name}`: {sentence}", about)))
        else:
            lines.append(("✗", Finding("{kinds}: {sentence}", about)))
    return lines + ([("→", Finding(mistake, {}))] if mistake else [])


def ended(found: Finding) -> Finding:
    """Return what was found as a sentence with its full stop."""
    if str(found).endswith(("?", ".")):
        return found
    return Finding("{sentence}.", {"sentence": found})


def show(
    lines: list[Line],
    closing: Finding | None = None,
    words: Words | None = None,
) -> None:
    """Show lines: HTML in a notebook, plain text elsewhere."""
    shown = as_shown(lines, closing, words or {})
    ipython = sys.modules.get("IPython")
    if ipython is None or ipython.get_ipython() is None:
        print(shown["text/plain"])
        return
    ipython.display.display(shown, raw=True)


def reject_next_cell(said: str) -> None:
    """
    Let the cell below, the graded one, fail: so nbgrader's Validate says it.

    Validate looks at graded cells alone, of which students have no tests.
    """
    from IPython import get_ipython
    from IPython.core.error import InputRejected

    class NotRight(InputRejected):
        def _render_traceback_(self) -> list[str]:
            return [said]  # where it is raised is no matter of the student's

    class Reject(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            shell.ast_transformers.remove(self)
            raise NotRight(said)

    if shell := get_ipython():
        shell.ast_transformers.append(Reject())


def as_shown(
    lines: list[Line], closing: Finding | None, words: Words
) -> dict[str, str]:
    """Return the lines as a notebook shows them."""
    said = [(mark, found.said(words)) for mark, found in lines]
    end = closing.said(words) if closing else ""
    text = "\n".join([*(f"{mark} {line}" for mark, line in said), end])
    html = to_html(said, end, words)
    return {"text/plain": text.strip(), "text/html": html}


def to_html(said: list[tuple[str, str]], end: str, words: Words) -> str:
    """Return the lines as a list in HTML, in the colours of JupyterLab."""
    items = "".join(
        f'<li><strong role="img" aria-label="{STYLES[mark][0].said(words)}"'
        f' style="color: {STYLES[mark][1]}">{mark}</strong> {code(line)}</li>'
        for mark, line in said
    )
    return (
        f'<ul style="list-style: none; margin: 0; padding: 0">{items}</ul>'
        f'<p style="margin: 0.5em 0 0">{code(end)}</p>'
    )


def code(text: str) -> str:
    """Return the text as HTML, what stands in backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))
