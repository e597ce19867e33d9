"""
The caches of batch-first functions, whatever their layout, and right steps for a sequence.

Nothing is known of such a cache but that it is plain data.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from itertools import pairwise, permutations, product
from typing import Any, NamedTuple

import numpy as np

from grading.testing import Finding, Outcome, Source, flatten, run_function, same_flat, same_value
from rnn_utils import sigmoid

Pairs = list[tuple[np.ndarray, np.ndarray]]  # what is found, and what is right

STEP_FORWARD, STEP_BACKWARD = "lstm_step_forward", "lstm_step_backward"
MOST_BLOCKS = 30  # of shape (N, H) in a cache; no more are looked at
NOTHING = np.zeros(0)


def returned_cache(result: Any, count: int = 2) -> Any:
    """Return the cache, the last of `count` values that were returned, None where it is not."""
    return result[-1] if type(result) in (list, tuple) and len(result) == count else None


def parts(value: Any) -> Iterator[Any]:
    """Yield a value, and all that it holds."""
    yield value
    if isinstance(value, (list, tuple, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from parts(item)


def rebuilt(value: Any, change: Callable[[Any], Any]) -> Any:
    """Return a value of the same layout, with other things where `change` returns one."""
    changed = change(value)
    if changed is not None:
        return changed
    if isinstance(value, dict):
        return {key: rebuilt(item, change) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(rebuilt(item, change) for item in value)
    return value


# ----------------------------------------- one time step: right values for wrong ones


class Quantities:
    """
    What the cache of one time step may hold, all of it right.

    Attributes
    ----------
    gates, sums, states, others : dict of ndarray, shape (N, H)
        i, f, o, g; the sums that they are made of; the new states, and what the backward
        formulas need of them; what is made of the gates.
    """

    def __init__(self, **arguments: np.ndarray) -> None:
        x, prev_h, prev_c, Wx, Wh, b = arguments.values()
        sums = np.split(x @ Wx + prev_h @ Wh + b, 4, axis=1)
        i, f, o, g = (*map(sigmoid, sums[:3]), np.tanh(sums[3]))
        next_c = f * prev_c + i * g
        self.gates = {"i": i, "f": f, "o": o, "g": g}
        self.sums = dict(zip(("zi", "zf", "zo", "zg"), sums, strict=True))
        self.states = made_of_states(o * np.tanh(next_c), next_c)
        slopes = {"di": i * (1 - i), "df": f * (1 - f), "do": o * (1 - o), "dg": 1 - g**2}
        self.others = {"ig": i * g, "fc": f * prev_c, **slopes}
        self.all = self.gates | self.sums | self.states | self.others

    def names_of(self, found: list[np.ndarray], states: dict) -> Iterator[list[str]]:
        """
        Yield what the arrays found may be: a name for each.

        What is right stays at first, what is made of the states that the student's function
        returned is made of the right ones, and the rest is what is not there yet. Then one
        state is taken for another, and gates and sums are tried in every order.
        """
        orders = (self.gates | self.sums | self.states, states, self.others)
        names = [
            next((n for of in orders for n in of if close(of[n], array)), "") for array in found
        ]
        for family in (self.gates, self.states, self.sums, self.all):
            for some in permutations([n for n in family if n not in names], names.count("")):
                rest = iter(some)
                yield [name or next(rest) for name in names]
        known = [name or "i" for name in names]
        for k, name in enumerate(known):
            for other in self.states if name in self.states else ():
                yield [*known[:k], other, *known[k + 1 :]]
        gates = [k for k, name in enumerate(names) if name not in self.states]
        for family in (self.gates, self.sums):
            for some in permutations(family, len(gates)):
                changed = dict(zip(gates, some, strict=True))
                yield [changed.get(k, name) for k, name in enumerate(names)]

    def pairs(self, found: list[np.ndarray], more: list[Follower], names: list[str]) -> Pairs:
        """Return pairs, (found, right), if the arrays found are those of these names."""
        pairs = [(array, self.all[name]) for array, name in zip(found, names, strict=True)]
        for array, leader, kind in more:
            name = next(n for a, n in zip(found, names, strict=True) if a is leader)
            if kind != "sum":
                pairs.append((array, SLOPES[kind](self.all[name])))
            elif name in self.gates and not any(close(array, z) for z in self.sums.values()):
                pairs.append((array, self.sums["z" + name]))
        return pairs


SLOPES = {"sigmoid": lambda a: a * (1 - a), "tanh": lambda a: 1 - a**2}


class Follower(NamedTuple):
    """An array in a cache that belongs to another one: its sum, or its slope."""

    array: np.ndarray
    leader: np.ndarray
    kind: str


@np.errstate(all="ignore")
def follower_of(array: np.ndarray, leader: np.ndarray) -> Follower | None:
    """Return the array as the leader's sum or slope, None where it is neither."""
    if close(leader, sigmoid(array)) or close(leader, np.tanh(array)):
        return Follower(array, leader, "sum")
    for kind, slope in SLOPES.items():
        if close(array, slope(leader)):
            return Follower(array, leader, kind)
    return None


@np.errstate(all="ignore")
def made_of_states(next_h: Any, next_c: Any) -> dict[str, np.ndarray]:
    """Return the new states, and what the backward formulas need of them, by name."""
    h, c = (
        s if isinstance(s, np.ndarray) and s.dtype.kind == "f" else NOTHING
        for s in (next_h, next_c)
    )
    return {"tanh c": np.tanh(c), "c": c, "h": h, "slope": 1 - np.tanh(c) ** 2}


def right_caches(own: Outcome, arguments: dict[str, np.ndarray]) -> Iterator[Any]:
    """
    Yield caches in the student's own layout, with right values in place of wrong ones.

    Parameters
    ----------
    own : Outcome
        Of the student's `lstm_step_forward`.
    arguments : dict
        What it was called with.
    """
    if type(own.result) not in (list, tuple) or len(own.result) != 3:
        return
    *states, cache = own.result
    right, shape = Quantities(**arguments), arguments["prev_h"].shape
    kept = [a for a in arguments.values() if a.shape == shape]
    overwritten = [
        (after, before)
        for after, before in zip(own.arguments.values(), arguments.values(), strict=True)
        if before.shape == shape and not close(after, before)
    ]
    found: list[np.ndarray] = []
    unclear = 0  # blocks that may be an argument, or what it was overwritten with
    for block in (block for part in parts(cache) for block in blocks(part, shape)):
        unclear += any(close(block, after) for after, _ in overwritten)
        if not any(close(block, one) for one in [*found, *kept]):
            found.append(block)
        if len(found) > MOST_BLOCKS:
            return
    more = [f for a in found for b in found if a is not b and (f := follower_of(a, b))]
    found = [a for a in found if not any(a is f.array for f in more)]
    more = [f for f in more if any(f.leader is a for a in found)]
    for names in right.names_of(found, made_of_states(*states)):
        pairs = right.pairs(found, more, names)
        for turns in product((overwritten, []), repeat=unclear):
            change = functools.partial(with_right_blocks, shape, pairs, overwritten, iter(turns))
            yield rebuilt(cache, change)


def with_right_blocks(
    shape: tuple[int, int], pairs: Pairs, overwritten: Pairs, turns: Iterator[Pairs], part: Any
) -> Any:
    """
    Return an array with its blocks replaced; None for what has no blocks.

    Parameters
    ----------
    shape : tuple
        (N, H), that of a block.
    pairs : list of (found, right)
    overwritten : list of (after, before)
        Arguments that the student's function has written into.
    turns : iterator
        For each block that may be such an argument, the pairs that are looked at first.
    part : any
        Part of a cache.
    """
    copy = np.array(part, float) if isinstance(part, np.ndarray) else part
    places = blocks(copy, shape)
    for place in places:
        unclear = any(close(after, place) for after, _ in overwritten)
        choice = [*next(turns), *pairs] if unclear else pairs
        place[...] = next((right for found, right in choice if close(found, place)), place)
    return copy if places else None


def blocks(part: Any, shape: tuple[int, int]) -> list[np.ndarray]:
    """Return views of shape (N, H) of which an array consists, however they are stacked."""
    if not isinstance(part, np.ndarray) or part.dtype.kind != "f" or part.size == 0:
        return []
    N, H = shape
    if part.ndim == 2 and part.shape[0] == N and part.shape[1] % H == 0:
        return [part[:, k : k + H] for k in range(0, part.shape[1], H)]
    if part.ndim == 2 and part.shape[1] == N and part.shape[0] % H == 0:
        return [part[k : k + H].T for k in range(0, part.shape[0], H)]
    for axis in range(3 if part.ndim == 3 else 0):
        slices = np.moveaxis(part, axis, 0)
        if slices.shape[1:] in (shape, shape[::-1]):
            return [one if one.shape == shape else one.T for one in slices]
    return []


@np.errstate(all="ignore")
def close(one: np.ndarray, other: np.ndarray) -> bool:
    """Tell whether two arrays are equal, but for rounding."""
    if one.shape != other.shape:
        return False
    return bool((np.abs(one - other) <= 1e-12 + 1e-9 * np.abs(other)).all())


# ------------------------------------------- a sequence: the right functions of a step


class Steps:
    """
    The right functions of one time step, for a loop of the student's.

    The caches that they hand out are those of the student's own `lstm_step_forward`, so
    that a loop that looks into them finds what it expects. They only tell which step it
    is; what the gradients are computed from is right.

    Parameters
    ----------
    source : Source
    step : callable
        The student's `lstm_step_forward`.
    arguments : dict
        Of `lstm_forward`.

    Attributes
    ----------
    caches : list
        The cache that is handed out at each time step.
    """

    def __init__(
        self, source: Source, step: Callable, arguments: dict[str, np.ndarray]
    ) -> None:
        self.arguments = arguments
        self.step_forward = source.function(STEP_FORWARD)
        self.step_backward = source.function(STEP_BACKWARD)
        self.right = chain_of(self.step_forward, *arguments.values())
        own = chain_of(step, *arguments.values())
        self.step_is_right = same_value([s[:2] for s in own], [s[:2] for s in self.right])
        self.caches = [cache for *_, cache in own]
        same = any(same_value(one, other) for one, other in pairwise(self.caches))
        if same or len(own) < len(self.right):
            self.caches = [{"time step": t} for t in range(len(self.right))]
        self.flat = [flatten(cache) for cache in self.caches]
        self.calls = 0

    def forward(
        self, x: Any, prev_h: Any, prev_c: Any, Wx: Any, Wh: Any, b: Any
    ) -> tuple[np.ndarray, np.ndarray, Any]:
        """Stand for `lstm_step_forward`."""
        right = (self.arguments["x"][:, 0], *2 * [self.arguments["h0"]])
        weights = (self.arguments[name] for name in ("Wx", "Wh", "b"))
        check_shapes((x, prev_h, prev_c, Wx, Wh, b), (*right, *weights))
        next_h, next_c, _ = self.step_forward(x, prev_h, prev_c, Wx, Wh, b)
        return next_h, next_c, self.right_forward()[2]

    def right_forward(self, *_: Any, **__: Any) -> tuple[np.ndarray, np.ndarray, Any]:
        """Stand for `lstm_step_forward`, right whatever it is given."""
        t = self.calls % len(self.right)
        self.calls += 1
        return (*self.right[t][:2], self.caches[t])

    def backward(self, dnext_h: Any, dnext_c: Any, cache: Any) -> tuple[np.ndarray, ...]:
        """Stand for `lstm_step_backward`."""
        check_shapes((dnext_h, dnext_c), 2 * (self.arguments["h0"],))
        t = self.step_of(cache)
        if t is None:
            raise ValueError(f"the cache is none that {STEP_FORWARD} has returned")
        return self.step_backward(dnext_h, dnext_c, self.right[t][2])

    def step_of(self, value: Any) -> int | None:
        """Return the time step of a cache that was handed out, None for anything else."""
        flat = flatten(value)
        return next((t for t, own in enumerate(self.flat) if same_flat(flat, own)), None)

    def completed(self, cache: Any) -> Any:
        """Return the cache of a sequence, with the cache of every time step in its lists."""

        def change(value: Any) -> Any:
            if self.step_of(value) is not None:
                return value
            if type(value) not in (list, tuple):
                return None
            there = [self.step_of(item) for item in value if item is not None]
            if None in there:
                return None
            backwards = there != sorted(there)
            return type(value)(self.caches[::-1] if backwards else self.caches)

        return rebuilt(cache, change)

    def missing_in(self, cache: Any) -> Finding | None:
        """Say which time steps a cache made of such caches lacks; None for any other cache."""
        there = [flat for flat in map(flatten, parts(cache)) if flat[0] == self.flat[0][0]]
        lost = [
            str(t)
            for t, own in enumerate(self.flat)
            if not any(same_flat(flat, own) for flat in there)
        ]
        fields = {"step": STEP_FORWARD, "lost": ", ".join(lost)}
        if not self.step_is_right or not lost:
            return None
        if not there:
            empty = cache is None or any(
                isinstance(part, (list, tuple, dict)) and all(item is None for item in part)
                for part in parts(cache)
            )
            nothing = "`cache` keeps nothing of what `{step}` returns"
            return Finding(nothing, fields) if empty else None
        if len(there) < len(self.caches):
            lacks = "`cache` lacks what `{step}` returned at time step t = {lost}"
            return Finding(lacks, fields)
        return Finding(
            "what `{step}` returned at time step t = {lost} stands in `cache` with other"
            " values; does a later step write into the same array?",
            fields,
        )


def chain_of(step: Callable, x: np.ndarray, h0: np.ndarray, *weights: np.ndarray) -> list[tuple]:
    """Return the results of `step` over all time steps, as far as it does what it should."""
    results = []
    h, c = h0, np.zeros_like(h0)
    for t in range(x.shape[1]):
        given = [x[:, t], h, c, *weights]
        outcome = run_function(step, dict(enumerate(given)))
        if outcome.stopped or not same_value(list(outcome.arguments.values()), given):
            break
        if type(outcome.result) not in (list, tuple) or len(outcome.result) != 3:
            break
        h, c, _ = outcome.result
        results.append(tuple(outcome.result))
    return results


def check_shapes(given: tuple, right: tuple) -> None:
    """Raise ValueError where arguments of a lent function are not of the right shapes."""
    shapes = [tuple(getattr(value, "shape", ())) for value in given]
    expected = [value.shape for value in right]
    if shapes != expected:
        raise ValueError(f"arguments of shapes {shapes}, expected {expected}")
