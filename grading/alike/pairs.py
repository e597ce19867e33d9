"""How alike each pair of a class is, against what the class has in common anyway."""

from __future__ import annotations

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import nlargest
from typing import NamedTuple

from grading.alike.work import Work

MOST_PAIRS = 40  # on the page
MOST_SHARED = 40  # students: what more of them have tells nothing


class Pair(NamedTuple):
    """Two students and how alike their work is, from 0 to 1."""

    likeness: float
    first: Work
    second: Work


@dataclass
class Comparison:
    """
    A class, compared.

    Attributes
    ----------
    works : list of Work
    shared_by : Counter
        How many students have a fingerprint, by its value.
    weights : dict
        What a fingerprint tells, in bits; without those that tell nothing.
    pairs : list of Pair
        The most alike.
    tenths : list of int
        How many pairs have a likeness below 0.1, below 0.2 and not below 0.1, and so on.
    """

    works: list[Work]
    shared_by: Counter[int]
    weights: dict[int, float]
    pairs: list[Pair]
    tenths: list[int]


def compare(works: list[Work], given: frozenset[int]) -> Comparison:
    """
    Compare all students of a class; in time and memory linear in their number.

    A fingerprint that d of n students have weighs log2(n / d) bits. The likeness of two is the
    weight of what both have, over the geometric mean of what each of them has; who has little of
    his own is counted as if it were half the class's median, or one line in common would do.
    """
    count = len(works)
    shared_by = Counter(value for work in works for value in work.prints - given)
    weights = {v: math.log2(count / d) for v, d in shared_by.items() if d <= MOST_SHARED}
    own = [sum(weights.get(value, 0.0) for value in work.prints) for work in works]
    least = max(statistics.median(own) / 2, 1.0) if own else 1.0
    scale = [math.sqrt(max(weight, least)) for weight in own]
    tenths = [0] * 10

    def likenesses() -> Iterator[tuple[float, int, int]]:
        seen: defaultdict[int, list[int]] = defaultdict(list)
        for second, work in enumerate(works):
            both: defaultdict[int, float] = defaultdict(float)
            for value in work.prints & weights.keys():
                for first in seen[value]:
                    both[first] += weights[value]
                seen[value].append(second)
            for first, weight in both.items():
                likeness = weight / (scale[first] * scale[second])
                tenths[min(int(10 * likeness), 9)] += 1
                yield likeness, first, second

    best = nlargest(MOST_PAIRS, likenesses())
    tenths[0] += count * (count - 1) // 2 - sum(tenths)
    pairs = [Pair(likeness, works[first], works[second]) for likeness, first, second in best]
    return Comparison(works, shared_by, weights, pairs, tenths)
