"""What a test will call, kept as it stood at the test's cell while later cells run."""

from __future__ import annotations

import types
from collections.abc import Iterator
from types import CodeType
from typing import Any

import numpy as np

MISSING = object()
EMPTY = types.CellType()
# What these name is seen by looking at the code, not by running it.
LOOKS_UP_NAMES = {"eval", "exec", "globals", "locals", "vars", "getattr", "__import__", "compile"}
FIXED = (
    type(None), bool, int, float, complex, str, bytes, frozenset, range,
    types.ModuleType, types.BuiltinFunctionType, np.ufunc, type(np.dot), np.generic,
)  # fmt: skip


class Held:
    """
    Functions held for a test, and what they reach.

    Later cells may bind a name anew that a held function looks up: then the function is no
    longer what it was, and the test is asked of a room in which those cells have not run.

    Parameters
    ----------
    names : dict
        What the test calls.
    space : dict
        The student's names at that time.
    """

    def __init__(self, names: dict[str, Any], space: dict[str, Any]) -> None:
        self.names = names
        self.reached: dict[str, Any] = {}
        self.is_fixed = all(self._reach(value, space) for value in names.values())

    def may_differ(self, space: dict[str, Any]) -> bool:
        """Tell whether the functions may do something else amid these names."""
        same = all(space.get(name, MISSING) is value for name, value in self.reached.items())
        return not (same and self.is_fixed)

    def _reach(self, value: Any, space: dict[str, Any]) -> bool:
        """Note what a value looks up; tell whether nothing in it can change in place."""
        waiting, seen = [value], set()
        while waiting:
            value = waiting.pop()
            if id(value) in seen or isinstance(value, FIXED):
                continue
            seen.add(id(value))
            if isinstance(value, tuple):
                waiting += value
            elif isinstance(value, type):
                waiting += [v for v in vars(value).values() if isinstance(v, types.FunctionType)]
            elif isinstance(value, types.FunctionType):
                if value.__globals__ is not space:
                    continue  # a module's, which no cell writes
                waiting += [*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()]
                waiting += [c.cell_contents for c in value.__closure__ or () if c != EMPTY]
                used = set(names_in(value.__code__))
                if used & LOOKS_UP_NAMES or vars(value):
                    return False
                for name in used & space.keys():
                    self.reached[name] = space[name]
                    waiting.append(space[name])
            else:
                return False
        return True


def names_in(code: CodeType) -> Iterator[str]:
    """Yield the names that code looks up, that of inner functions too."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from names_in(constant)
