"""
What is shown of an exception in a test: nothing that could carry the test's data.

A student's function is called with hidden inputs, and may raise with any text. Shown are
messages of the forms that Python and NumPy themselves use, without their numbers, and
names that stand in the student's own code.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import functools
import re
from collections.abc import Mapping

import numpy as np

from .room import wire
from .said import NOBODY_TYPES

# ? is a name, # a number, @ a shape, ~ anything, which is not shown.
FORMS = """
name '?' is not defined
name '?' is not defined. Did you mean: '?'~
cannot access local variable '?' where it is not associated with a value
cannot access free variable '?' where it is not associated with a value in enclosing scope
'?'
list index out of range
tuple index out of range
string index out of range
list assignment index out of range
index # is out of bounds for axis # with size #
too many indices for array: array is #-dimensional, but # were indexed
invalid index to scalar variable.
only integers, slices (`:`), ellipsis (`...`), numpy.newaxis (`None`) and integer or boolean arrays~
arrays used as indices must be of integer (or boolean) type
list indices must be integers or slices, not ?
tuple indices must be integers or slices, not ?
string indices must be integers, not '?'
unsupported operand type(s) for ~: '?' and '?'
unsupported operand type(s) for ~: 'numpy.?' and '?'
bad operand type for unary ~: '?'
can't multiply sequence by non-int of type '?'
can't multiply sequence by non-int of type 'numpy.?'
'?' object is not subscriptable
'?' object is not callable
'?' object is not iterable
'numpy.?' object is not subscriptable
'numpy.?' object is not callable
'numpy.?' object is not iterable
cannot unpack non-iterable ? object
'?' object does not support item assignment
'numpy.?' object does not support item assignment
?() missing # required positional argument: '?'
?() missing # required positional arguments: '?' and '?'
?() missing # required positional arguments: '?', '?', and '?'
?() missing # required positional arguments: ~
?() takes # positional argument but # were given
?() takes # positional arguments but # were given
?() takes # positional arguments but # was given
?() takes from # to # positional arguments but # were given
?() got an unexpected keyword argument '?'
?() got multiple values for argument '?'
'?' object has no attribute '?'
'?' object has no attribute '?'. Did you mean: '?'~
'numpy.?' object has no attribute '?'
module '?' has no attribute '?'
module '?' has no attribute '?'.~
can only concatenate list (not "?") to list
can only concatenate list (not "numpy.?") to list
can only concatenate tuple (not "?") to tuple
can only concatenate str (not "?") to str
only integer scalar arrays can be converted to a scalar index
only length-1 arrays can be converted to Python scalars
only 0-dimensional arrays can be converted to Python scalars
operands could not be broadcast together with shapes @ @
operands could not be broadcast together with shapes @ @ @
operands could not be broadcast together with remapped shapes~
shapes @ and @ not aligned: # (dim #) != # (dim #)
matmul: Input operand # has a mismatch in its core dimension #~
matmul: Input operand # does not have enough dimensions~
could not broadcast input array from shape @ into shape @
non-broadcastable output operand with shape @ doesn't match the broadcast shape @
all the input array dimensions except for the concatenation axis must match exactly~
all the input arrays must have same number of dimensions~
zero-dimensional arrays cannot be concatenated
need at least one array to concatenate
need at least one array to stack
all input arrays must have the same shape
cannot reshape array of size # into shape @
axis # is out of bounds for array of dimension #
axes don't match array
setting an array element with a sequence.~
The truth value of an array with more than one element is ambiguous. Use a.any() or a.all()
not enough values to unpack (expected #, got #)
not enough values to unpack (expected at least #, got #)
too many values to unpack (expected #)
too many values to unpack (expected #, got #)
division by zero
float division by zero
maximum recursion depth exceeded
maximum recursion depth exceeded in comparison
maximum recursion depth exceeded while calling a Python object
Cannot cast ufunc '?' output from dtype('?') to dtype('?') with casting rule 'same_kind'
assignment destination is read-only
output array is read-only
Python int too large to convert to C long
ufunc '?' not supported for the input types, and the inputs could not be safely coerced~
loop of ufunc does not support argument # of type ? which has no callable ? method
"""
PARTS = {"?": r"([^\W\d]\w*)", "#": r"-?\d+", "@": r"\([\d, ]*\)", "~": r".*"}


def compiled(forms: str) -> list[tuple[str, re.Pattern]]:
    """Return each form with a pattern for it."""
    return [
        (form, re.compile("".join(PARTS.get(c, re.escape(c)) for c in form), re.DOTALL))
        for form in forms.strip().splitlines()
    ]


# What a value is that cannot cross.
KINDS = """
an object of type ?
an array of ?
an array of time differences
a class
a ? that contains itself
a dict with a key of type ?
a value of more than # MB
a value of more than~ items
a value nested more than # deep
dicts of more than~ keys that are no strings
a string that is not valid Unicode
an int too long to print
"""
MESSAGES = compiled(f"{FORMS.strip()}\n{NOBODY_TYPES}")
KNOWN_KINDS = compiled("\n".join([KINDS.strip(), *dict.fromkeys(wire.KIND_NAMES.values())]))
# Names that anybody's code may bring up.
COMMON = {*dir(builtins), *dir(np), *dir(np.ndarray), "ndarray", "dtype", "NoneType", "function"}
COMMON |= {"safe", "same_kind"}  # rules of NumPy's, in its messages
HIDDEN = "…"
LONGEST = 1000  # characters of an expression that is shown
NO_CODE = (SyntaxError, ValueError, RecursionError, MemoryError)
OF_ARRAYS = set(wire.ARRAY_KIND_NAMES.values())


class Shown:
    """
    Decides what is shown of the exceptions of a student's functions.

    Parameters
    ----------
    cells : mapping
        The text of the student's cells, by the label under which they run.
    """

    def __init__(self, cells: Mapping[str, str]) -> None:
        self.lines = {label: text.splitlines() for label, text in cells.items()}
        words = re.findall(r"[^\W\d]\w*", "\n".join(cells.values()))
        self.words = COMMON | OF_ARRAYS | set(words)
        self.expressions: dict[type, set[str]] = {}  # by the kind of their first operation

    def name(self, text: str, otherwise: str) -> str:
        """Return a name that stands in the student's code, or else something that tells less."""
        return text if text in self.words else otherwise

    def message(self, text: str) -> str:
        """Return what is shown of a message: "" where its form is not known."""
        return self.in_form(text.strip(), MESSAGES)

    def kind(self, text: str) -> str:
        """Return what is shown of what a value is that cannot cross: "" for no known kind."""
        return self.in_form(text, KNOWN_KINDS)

    def in_form(self, text: str, forms: list[tuple[str, re.Pattern]]) -> str:
        """Return a text without numbers, if it is of one of these forms, and else ""."""
        for form, pattern in forms:
            found = pattern.fullmatch(text)
            if found and all(name in self.words for name in found.groups()):
                names = iter(found.groups())
                parts = {"#": HIDDEN, "@": f"({HIDDEN})", "~": f" {HIDDEN}"}
                return "".join(next(names) if c == "?" else parts.get(c, c) for c in form)
        return ""

    def stop(self, kind: str, error: str, names: list, values: list, texts: list) -> list:
        """Return where a function stopped; texts only as they stand in the student's code."""
        names = [self.name(name, HIDDEN) for name in names]
        return [kind, error, names, values, [t if self.is_expression(t) else "" for t in texts]]

    def is_expression(self, text: str) -> bool:
        """Tell whether a text is an expression in the student's code, or names a function of it."""
        if len(text) > LONGEST:
            return False
        with contextlib.suppress(*NO_CODE):
            kind = type(ast.parse(text, mode="eval").body)
            if kind not in self.expressions:
                nodes = [node for node in self.nodes if type(node) is kind]
                self.expressions[kind] = set(map(ast.unparse, nodes))
            return text in self.expressions[kind] or text in self.functions
        return False

    @functools.cached_property
    def nodes(self) -> list[ast.AST]:
        """The parts of the student's code."""
        found: list[ast.AST] = []
        for lines in self.lines.values():
            with contextlib.suppress(*NO_CODE):
                found += ast.walk(ast.parse("\n".join(lines)))
        return found

    @functools.cached_property
    def functions(self) -> set[str]:
        """The names of the student's functions."""
        return {node.name for node in self.nodes if isinstance(node, ast.FunctionDef)}

    def line(self, label: str, number: int) -> str | None:
        """Return a line of the student's code, as it was handed in."""
        lines = self.lines.get(label, [])
        return lines[number - 1].strip() if 1 <= number <= len(lines) else None
