"""What is shown of checks: lines with ticks and crosses."""

import ast
import html
import re
import sys

Line = tuple[str, str]  # a mark, and the text behind it


def report_lines(name: str, wrong: dict, mistake: str) -> list[Line]:
    """Return (mark, text) of every line; like sentences share a line."""
    kinds = {}
    for kind, finding in wrong.items():
        sentence = str(finding) if finding else f"{kind}: right"
        kinds.setdefault(sentence, []).append(kind)
    lines = []
    for sentence, about in kinds.items():
        if not wrong[about[0]]:
            lines.append(("✓", sentence))
        elif len(about) == len(wrong):
            lines.append(("✗", f"`{name}`: {ended(sentence)}"))
        else:
            lines.append(("✗", f"{', '.join(about)}: {ended(sentence)}"))
    return lines + ([("→", mistake)] if mistake else [])


def ended(sentence: str) -> str:
    """Return a sentence with its full stop."""
    return sentence if sentence.endswith(("?", ".")) else f"{sentence}."


def show(lines: list[Line], closing: str = "") -> None:
    """Show (mark, text) lines: HTML in a notebook, plain text elsewhere."""
    shown = as_shown(lines, closing)
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

    class Reject(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            shell.ast_transformers.remove(self)
            raise InputRejected(said)

    if shell := get_ipython():
        shell.ast_transformers.append(Reject())


def as_shown(lines: list[Line], closing: str) -> dict[str, str]:
    """Return the lines as a notebook shows them."""
    text = "\n".join([*(f"{mark} {line}" for mark, line in lines), closing])
    return {"text/plain": text.strip(), "text/html": to_html(lines, closing)}


def to_html(lines: list[Line], closing: str) -> str:
    """Return the lines as a list in HTML, in the colours of JupyterLab."""
    styles = {
        "✓": ("right", "var(--jp-success-color1, #1b5e20)"),
        "✗": ("wrong", "var(--jp-error-color1, #b71c1c)"),
        "→": ("known mistake", "inherit"),
    }
    items = "".join(
        f'<li><strong role="img" aria-label="{styles[mark][0]}"'
        f' style="color: {styles[mark][1]}">{mark}</strong> {code(line)}</li>'
        for mark, line in lines
    )
    return (
        f'<ul style="list-style: none; margin: 0; padding: 0">{items}</ul>'
        f'<p style="margin: 0.5em 0 0">{code(closing)}</p>'
    )


def code(text: str) -> str:
    """Return the text as HTML, what stands in backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))
