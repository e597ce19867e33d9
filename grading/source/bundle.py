"""The engine's checks as the one module that students get."""

from __future__ import annotations

import ast
from pathlib import Path

# Each needs those before it.
PARTS = ("findings", "stops", "sparing", "outcomes", "shown", "checks")
MADE = "# Made by `python -m grading release` of the engine's checks.\n"
# A cell that uses the module as visible checks do.
USE = """
import numpy as np
from {module} import FunctionTest


def cell_forward(x, states, parameters):
    \"""
    Return it.

    Parameters
    ----------
    x : ndarray, shape (n_x, m)
    \"""
    return x, x[0], ([(x, x, parameters)], x)


array = np.ones((3, 4))
test = FunctionTest(cell_forward, "x_next, y, caches", "x_next, x_prev, parameters")
test.call(x=array, states=array, parameters={{"Wx": array}})
test.assert_types(x_next=np.ndarray, y=np.ndarray, caches=tuple)
test.assert_shapes(x_next=(3, 4), y=(4, 3))
test.assert_allclose("x_next[1]", [1, 1, 1, 1])
test.assert_allclose("y[1]", 2.0)
test.assert_length("caches", 2)
test.report()
"""


def refresh(root: Path) -> None:
    """Make the modules of a course anew that are made of the engine's checks."""
    text = bundle()
    for path in root.glob("*.py"):
        with path.open(encoding="utf-8") as file:
            if file.readline() != MADE:
                continue
        if path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


def bundle() -> str:
    """Return the module: all imports, and then part after part."""
    folder = Path(__file__).parents[1]
    plain: set[str] = set()
    from_: dict[str, set[str]] = {}
    bodies = []
    for part in PARTS:
        text = (folder / f"{part}.py").read_text("utf-8")
        tree = ast.parse(text)
        imports = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
        for node in imports:
            for name in node.names:
                if isinstance(node, ast.Import):
                    plain.add(ast.unparse(ast.Import([name])))
                elif node.module and not node.module.startswith("grading."):
                    from_.setdefault(node.module, set()).add(name.name)
        body = "\n".join(text.splitlines()[imports[-1].end_lineno :]).strip("\n")
        doc = ast.get_docstring(tree, clean=False) or ""
        bodies.append(f"# {doc.strip().splitlines()[0]}\n\n\n{body}")
    numpy = "import numpy as np"
    listed = [
        f"from {module} import {', '.join(sorted(each, key=in_order))}"
        for module, each in sorted(from_.items())
    ]
    head = [f'{MADE}"""{doc}"""', "", *sorted(plain - {numpy}), *listed, "", numpy]
    return "\n".join(head) + ("\n\n" + "\n\n\n".join(bodies) + "\n")


def in_order(name: str) -> tuple[bool, bool, str]:
    """Return by what names in an import are sorted: constants, classes, functions."""
    return not name.isupper(), name[0].islower(), name
