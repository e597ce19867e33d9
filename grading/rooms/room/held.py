"""What a test will call, kept as it stood at the test's cell while later cells run."""

from __future__ import annotations

import operator
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

    Later cells may bind a name anew that a held function looks up, in their own space or in
    a module, or give the function other code: then it is no longer what it was, and the test
    is asked of a room in which those cells have not run.

    Parameters
    ----------
    names : dict
        What the test calls.
    space : dict
        The student's names at that time.
    """

    def __init__(self, names: dict[str, Any], space: dict[str, Any]) -> None:
        self.names = names
        self.looked_up: list[tuple[dict[str, Any], str, Any]] = []  # where, name, what was there
        self.made_of: list[tuple[types.FunctionType, list]] = []
        self.is_fixed = all(self._reach(value, space) for value in names.values())

    def may_differ(self) -> bool:
        """Tell whether the functions may do something else by now."""
        same = all(space.get(name, MISSING) is value for space, name, value in self.looked_up)
        same = same and all(are_same(parts_of(each), parts) for each, parts in self.made_of)
        return not (same and self.is_fixed)

    def _reach(self, value: object, space: dict[str, Any]) -> bool:
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
                code, defaults, named_defaults, *held = parts_of(value)
                self.made_of.append((value, parts_of(value)))
                waiting += [*(defaults or ()), *(named_defaults or {}).values(), *held]
                used = set(names_in(code))
                if value.__globals__ is space:
                    if used & LOOKS_UP_NAMES or vars(value):
                        return False
                    waiting += self._look_up(space, used)
                else:  # a module's
                    self._look_up(value.__globals__, used)
            else:
                return False
        return True

    def _look_up(self, space: dict[str, Any], used: set[str]) -> list[Any]:
        """Note what names stand for, and what they may stand for in modules; return the former."""
        found = [space[name] for name in used & space.keys()]
        self.looked_up += [(space, name, MISSING) for name in used - space.keys()]
        spaces, seen = [space], set()
        while spaces:
            names = spaces.pop()
            seen.add(id(names))
            for name in used & names.keys():
                value = names[name]
                self.looked_up.append((names, name, value))
                if isinstance(value, types.ModuleType) and id(vars(value)) not in seen:
                    spaces.append(vars(value))
        return found


def parts_of(function: types.FunctionType) -> list[Any]:
    """Return what a function is made of."""
    held = [c.cell_contents for c in function.__closure__ or () if c != EMPTY]
    return [function.__code__, function.__defaults__, function.__kwdefaults__, *held]


def are_same(some: list[Any], others: list[Any]) -> bool:
    """Tell whether two lists hold the same objects."""
    return len(some) == len(others) and all(map(operator.is_, some, others))


def names_in(code: CodeType) -> Iterator[str]:
    """Yield the names that code looks up, that of inner functions too."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from names_in(constant)
