"""Every displayed formula of the notebooks, computed from its own text and held against values."""

import re

import lark
import latex
import numpy as np
import pytest
from quantities import ASSIGNMENTS, SOURCES, Context, context

from rnn_marking.inputs import normal
from rnn_utils import numeric_gradient


def marked_up(pattern):
    """Return what matches in all notebooks' texts: assignment, heading and match of each."""
    found = []
    for assignment in ASSIGNMENTS:
        heading = ""
        for cell in SOURCES[assignment].notebook.cells:
            if cell.cell_type == "markdown":
                for match in re.finditer(rf"(?m)^##+ (?P<heading>\d.*)$|{pattern}", cell.source):
                    heading = match["heading"] or heading
                    if not match["heading"]:
                        found.append((assignment, heading, match[0]))
    return found


DISPLAYED = marked_up(r"\$\$[^$]*\$\$")
# In a line of text, too, where they speak of a time step: $c^{\langle 0 \rangle} = 0$.
IN_TEXT = marked_up(r"(?<![$\\])\$[^$\n]*\\langle[^$\n]*=[^$\n]*\$(?!\$)")
ROWS = marked_up(r"^\| \$\w = [^$]*\$.*\| \$[^$]*\$ \|$")
MUTATIONS = {
    r" \+ ": " - ",
    " - ": " + ",
    r"t-1": "t",
    r"t\+1": "t",
    r"\\odot": "+",
    r"\\sigma": r"\\tanh",
    r"\\tanh": r"\\sigma",
    r"\^\\top": "",
    r"\\Gamma_f": r"\\Gamma_i",
    r"\\Gamma_i": r"\\Gamma_o",
    r"\\Gamma_o": r"\\Gamma_f",
    r"\\tilde c": "c",
    r"_f": "_i",
    r"_\{ax\}": "_{aa}",
    r"=1\}": "=2}",
    r"\^2": "",
    r"\\mathrm\{softmax\}": r"\\sigma",
    r"= -": "= ",
    r"\\delta_": "d",
    r"\\overrightarrow": r"\\overleftarrow",
    r"\\min": r"\\max",
    r"\\exp": r"\\tanh",
}


def named(found):
    """Return the parameters of a test, each with an id that says where the formula stands."""
    return [
        pytest.param(assignment, heading, text, id=f"{assignment}-{place(text) or n}")
        for n, (assignment, heading, text) in enumerate(found)
    ]


def place(formula):
    """Return a formula's number, "(7)", or ""."""
    tag = re.search(r"\\tag\{(\d+)\}", formula)
    return f"({tag[1]})" if tag else ""


def holds(assignment, heading, formula):
    return context(assignment, heading).holds(formula.strip("$ \n"))


def test_every_displayed_formula_is_read():
    for assignment in ASSIGNMENTS:
        cells = SOURCES[assignment].notebook.cells
        text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
        read = [formula for own, _, formula in DISPLAYED if own == assignment]
        assert text.count("$$") == 2 * len(read)
        assert not re.findall(r"(?<!\\)\\[\[(]|\\begin\{(?:align|equation|gather\*?\}|eqn)", text)
        everything = "\n".join(cell.source for cell in cells)
        tags = [int(tag) for tag in re.findall(r"\\tag\{(\d+)\}", text)]
        assert tags == list(range(1, len(tags) + 1))
        numbers = re.findall(r"formulas? \((\d+)\)(?: (?:to|and) \((\d+)\))?", everything)
        assert {int(n) for pair in numbers for n in pair if n} <= set(tags)


@pytest.mark.parametrize(("assignment", "heading", "formula"), named(DISPLAYED + IN_TEXT))
def test_formula_holds(assignment, heading, formula):
    assert holds(assignment, heading, formula)


@pytest.mark.parametrize(("assignment", "heading", "formula"), named(DISPLAYED))
def test_a_formula_with_an_error_does_not_hold(assignment, heading, formula):
    wrong = {re.sub(find, put, formula, count=1) for find, put in MUTATIONS.items()} - {formula}
    assert wrong
    assert [changed for changed in wrong if seems_to_hold(assignment, heading, changed)] == []


def seems_to_hold(assignment, heading, formula):
    try:
        with np.errstate(all="ignore"):  # the logarithm of something negative
            return holds(assignment, heading, formula)
    except (KeyError, ValueError, lark.LarkError):  # no such quantity, or no such product
        return False


@pytest.mark.parametrize(("assignment", "heading", "row"), named(ROWS))
def test_row_of_the_table_of_operations_holds(assignment, heading, row):
    """Each operation, and what it hands back, against numeric derivatives of the operation."""
    forward, backward = (cell.strip() for cell in row.strip("|").split("|"))
    forward = re.match(r"\$([^$]*)\$", forward)[1]
    rng = np.random.default_rng(1)
    given = normal(rng, W=(3, 4), b=(4, 1), v=(4, 5), w=(4, 5))
    operands = Context({(name, None): array for name, array in given.items()})
    numbers = {"m": 5}

    def operation():
        # The left side is its result, which the right side gives.
        return latex.sides(forward, lambda name, *_: given.get(name), None, numbers)[1]

    operands.values["u", None] = operation()
    du = operands.gradients["u", None] = rng.standard_normal(operation().shape)
    for formula in re.split(r",\s*\\quad\s*", backward.strip("$")):
        name = re.match(r"d(\w) =", formula)[1]
        numeric = numeric_gradient(lambda: np.sum(du * operation()), given[name])
        operands.gradients[name, None] = numeric
        right = latex.sides(formula, operands.value, operands.gradient, numbers)[1]
        np.testing.assert_allclose(right, numeric, rtol=0, atol=1e-8, strict=True)


def test_every_operation_of_a_table_is_read():
    tables = marked_up(r"^\| forward \| backward \|\n(?:\|.*\n?)*")
    assert sum(table.strip().count("\n") - 1 for *_, table in tables) == len(ROWS) > 0
