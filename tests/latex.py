r"""
Displayed formulas, translated into NumPy.

What a formula says decides what is computed: `W_f\, a^{\langle t \rangle} + b_f` becomes
`mul(value('W_f'), value('a', t)) + value('b_f')`. A notation not known here is an error.
"""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
from lark import Lark, Tree
from lark.visitors import Interpreter

# A product without a sign is one of matrices, or with a number, and binds before \odot.
GRAMMAR = r"""
relation: sum (("=" | "\\approx") sum)+ ("." | ",")?
?sum: product
    | sum "+" product  -> add
    | sum "-" product  -> subtract
    | "-" product      -> negative
?product: chain
    | product "\\odot" chain  -> times
?chain: factor
    | chain factor     -> mul
?factor: atom
    | atom "^" (NUMBER | "{" NUMBER "}")  -> power
    | atom "^" (TOP | "{" TOP "}")        -> transpose
?atom: NUMBER          -> number
    | quantity         -> value
    | "d" quantity     -> gradient
    | "\\frac" "{" "\\partial" "L" "}" "{" "\\partial" quantity "}"  -> gradient
    | "\\frac" "{" sum "}" "{" sum "}"         -> quotient
    | "\\sqrt" "{" sum "}"                    -> root
    | (MIN | MAX) "(" sum "," sum ")"         -> extreme
    | "(" sum ")"
    | function ("(" sum ")" | quantity_value)  -> call
    | "\\sum" "_" "{" LETTER "=" index "}" "^" "{" index "}" chain  -> total
    | "\\begin{bmatrix}" row ("\\\\" row)* "\\end{bmatrix}"         -> blocks
row: sum ("&" sum)*
?quantity_value: quantity -> value
function: FUNCTION
quantity: name (AT index "\\rangle" "}" | OF LETTER ")" (ANGLE index "\\rangle")? "}")?
name: base ("_" (LETTER | "{" LETTER (","? LETTER)* "}"))?
base: LETTER | GREEK | ACCENT (LETTER | "{" LETTER "}")
?index: index_atom
    | index "+" index_atom -> add
    | index "-" index_atom -> subtract
?index_atom: NUMBER    -> number
    | LETTER ("_" LETTER)? -> counter

AT: /\^\{\s*\\langle/
OF: /\^\{\s*\(/
ANGLE: "\\langle"
TOP: "\\top"
FUNCTION: "\\tanh" | "\\sigma" | "\\mathrm{softmax}" | "\\log" | "\\exp"
MIN: "\\min"
MAX: "\\max"
GREEK: "\\Gamma" | "\\delta" | "\\ell" | "\\tau" | "\\eta"
ACCENT: "\\hat" | "\\tilde" | "\\overrightarrow" | "\\overleftarrow"
LETTER: /[A-Za-z]/
NUMBER: /[0-9]+/
%ignore /\s+|\\[,;:!]|\\quad|\\left|\\right|\\tag\{\d+\}/
%ignore /\\(begin|end)\{gathered\}|\\\\\[\d+pt\]/  // a long formula, broken into lines
"""
PARSER = Lark(GRAMMAR, start="relation", parser="lalr")
INFIX = {"add": "+", "subtract": "-", "times": "*", "quotient": "/"}


class ToNumPy(Interpreter):
    """
    Writes a parsed formula as NumPy expressions, one for each side.

    Parameters
    ----------
    counters : set of str
        Letters that count: rows and columns below, examples above; those of a sum are added
        while it is written.
    labels : dict
        What other subscripts stand for: {"k": "f"} reads z_k as z_f.
    """

    def __init__(self, counters: set[str], labels: dict[str, str]) -> None:
        self.counters, self.labels = counters, labels

    def relation(self, tree):
        return self.visit_children(tree)

    def __default__(self, tree):
        one, other = self.visit_children(tree)
        return f"({one} {INFIX[tree.data]} {other})"

    def mul(self, tree):
        return "mul({}, {})".format(*self.visit_children(tree))

    def negative(self, tree):
        return f"(-{self.visit(tree.children[0])})"

    def power(self, tree):
        return f"{self.visit(tree.children[0])} ** {tree.children[1]}"

    def transpose(self, tree):
        return f"{self.visit(tree.children[0])}.T"

    def root(self, tree):
        return f"np.sqrt({self.visit(tree.children[0])})"

    def extreme(self, tree):
        which, one, other = tree.children
        return f"np.{which[1:]}imum({self.visit(one)}, {self.visit(other)})"

    def number(self, tree):
        return str(tree.children[0])

    def counter(self, tree):
        return "_".join(tree.children)

    def function(self, tree):
        return re.sub(r"\\(mathrm)?|[{}]", "", tree.children[0])

    def call(self, tree):
        return "{}({})".format(*self.visit_children(tree))

    def row(self, tree):
        return f"[{', '.join(self.visit_children(tree))}]"

    def blocks(self, tree):
        return f"np.block([{', '.join(self.visit_children(tree))}])"

    def total(self, tree):
        counter, *bounds, term = tree.children
        first, last = map(self.visit, bounds)
        outside, self.counters = self.counters, self.counters | {str(counter)}
        term, self.counters = self.visit(term), outside
        return f"sum({term} for {counter} in range({first}, {last} + 1))"

    def value(self, tree):
        return f"value({self.visit(tree.children[0])})"

    def gradient(self, tree):
        return f"gradient({self.visit(tree.children[0])})"

    def quantity(self, tree):
        name_of_it, *above = tree.children
        base, *subscripts = name_of_it.children
        counted = [letter for letter in subscripts if letter in self.counters]
        named = [self.labels.get(letter, letter) for letter in subscripts if letter not in counted]
        name = "".join(base.children) + ("_" + "".join(named) if named else "")
        step = next((self.visit(part) for part in above if isinstance(part, Tree)), None)
        example = [f"example={part}" for part in above if getattr(part, "type", "") == "LETTER"]
        return ", ".join([repr(name), f"{step}", *counted, *example])


def displayed(markdown: str) -> list[str]:
    """Return the displayed formulas of a text, as they stand between $$ and $$."""
    return re.findall(r"\$\$(.*?)\$\$", markdown, re.DOTALL)


def to_numpy(formula: str, counters: set[str] = frozenset(), **labels: str) -> list[str]:
    """Translate a formula: one NumPy expression for each side of its equal signs."""
    return ToNumPy(counters, labels).visit(PARSER.parse(formula))


def mul(one: Any, other: Any) -> Any:
    """Return what two things side by side mean: a product, or a function of its argument."""
    if callable(one):
        return one(other)
    return one * other if np.ndim(one) == 0 or np.ndim(other) == 0 else one @ other


def sigma(u: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-u))


def softmax(u: np.ndarray) -> np.ndarray:
    return np.exp(u) / np.exp(u).sum(axis=0)


def sides(
    formula: str, value: Callable, gradient: Callable, numbers: dict[str, int], **labels: str
) -> list:
    """
    Evaluate each side of a formula.

    Parameters
    ----------
    formula : str
    value, gradient : callable
        Take a quantity's name, its time step or None, the row and column that are meant, and
        `example`, the column that is one example's.
    numbers : dict
        Sizes, and the counters that the formula leaves free: {"t": 2, "T_x": 5}.
    labels : str
        As in `ToNumPy`.
    """
    names = {"np": np, "mul": mul, "sigma": sigma, "softmax": softmax}
    names |= {"tanh": np.tanh, "log": np.log, "exp": np.exp}
    names |= {"value": value, "gradient": gradient, **numbers}
    return [eval(side, names) for side in to_numpy(formula, set(numbers) - set(labels), **labels)]
