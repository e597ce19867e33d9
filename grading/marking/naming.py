"""Known mistakes by name: what the solution and its wrong versions make of a test's calls."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import io
import pickle
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from grading import CourseError, MistakeStops, StillRuns
from grading.bounded import OutOfTime, bounded
from grading.marking.hidden_data import HiddenData
from grading.outcomes import Outcome, flatten, run_function, same_flat
from grading.source import Source, Version
from grading.source.names import names_in
from grading.stops import copy_value

CALLS = 2  # the second of which has to give the same
ON_VIEW = HiddenData()  # what an author sees who runs a notebook in Jupyter


class Given:
    """Arguments of a call, as a key: equal where all their values are."""

    def __init__(
        self, arguments: dict[str, Any], own_cache: bool = False, keeps: bool = False
    ) -> None:
        self.arguments = arguments
        self.own_cache, self.keeps = own_cache, keeps  # as in `run_function`
        self.digest = hashlib.sha256(pickle.dumps((arguments, own_cache, keeps))).digest()

    def run(self, function: Callable) -> Outcome:
        """Return what a function makes of them."""
        return run_function(function, self.arguments, self.own_cache, self.keeps)

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Given) and self.digest == other.digest


@dataclass
class Tried:
    """
    What is known of the tests once the solution has been put to them.

    Attributes
    ----------
    kinds : dict
        How many kinds of check the marking makes of each function.
    plain : set of str
        The names of the tests that keep no record.
    faults : dict
        Of tests that stop with the solution itself, by name: where and why.
    """

    kinds: dict[str, int] = field(default_factory=dict)
    plain: set[str] = field(default_factory=set)
    faults: dict[str, str] = field(default_factory=dict)


class Outcomes:
    """
    What right and known wrong functions make of arguments; each is worked out once.

    Parameters
    ----------
    source : Source
    data : HiddenData
        From what the tests draw their inputs.
    tried : Tried, optional
        What is known of the tests: the same for all sets of data.

    Attributes
    ----------
    main_calls : dict
        By function: what its test calls it with first, and the right values that count.
    calls : dict
        By function: all that its test calls it with.
    """

    def __init__(
        self, source: Source, data: HiddenData = ON_VIEW, tried: Tried | None = None
    ) -> None:
        self.source = source
        self.tried = Tried() if tried is None else tried
        self.data = data
        self.secret: list[Any] = []  # all inputs and right outcomes that were asked for
        self.main_calls: dict[str, tuple[Given, dict[str, Any]]] = {}
        self.calls: dict[str, tuple[Given, ...]] = {}
        self.first_numbers: dict[tuple, np.ndarray] = {}  # of mistakes that are worked out
        self._known: dict[tuple, Any] = {}

    @functools.cached_property
    def twin(self) -> Outcomes:
        """The same tests on other numbers, which earn nothing: see `grading.marking.twin`."""
        data = dataclasses.replace(self.data, entropy=self.data.twin)
        return Outcomes(self.source, data, self.tried)

    def once(self, key: tuple, work: Callable[[], Any]) -> Any:
        """Return what the work comes to; it is done once for each key."""
        if key not in self._known:
            self._known[key] = work()
        return self._known[key]

    def right(self, name: str, given: Given) -> Outcome:
        """Return what the solution's function of this name makes of the arguments."""

        def call() -> Outcome:
            function = self.source.function(name)
            outcome = given.run(function)
            self.secret += [given.arguments, outcome.result]
            return outcome

        return self.once((name, given), call)

    def mistakes(self, name: str, calls: tuple[Given, ...]) -> list[Candidate]:
        """Return the known mistakes of a function, to be called as its test does."""
        known = self.source.mistakes
        return self.once((name, calls), lambda: [Candidate(self, v, calls) for v in known(name)])

    def mistake_in(
        self, name: str, calls: tuple[Given, ...], seen: Sequence[Seen]
    ) -> Version | None:
        """Return the first known mistake that gives just these outcomes, if any does."""
        candidates = self.mistakes(name, calls)
        if (name, calls) in self.first_numbers:  # else each is called as far as it comes to that
            fit = may_be(self.first_numbers[name, calls], seen[0].first[1])
            candidates = [candidates[number] for number in np.flatnonzero(fit)]
        return next((each.version for each in candidates if each.gives(seen)), None)

    def work_out_mistakes(self) -> None:
        """Work out of each known mistake what rules it out for most: for tests that were run."""
        with redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name, calls in self.calls.items():
                candidates = self.mistakes(name, calls)
                for each in candidates:
                    if each.first is None:
                        each.at(0)
                self.first_numbers[name, calls] = first_numbers(candidates)

    @functools.cached_property
    def bound_in_examples(self) -> frozenset[str]:
        """The names that the notebook's examples bind."""
        texts = self.source.examples.values()
        return frozenset().union(*(names_in(text).binds for text in texts))


class Candidate:
    """
    A known mistake, called as a test calls: as often as it was asked for, and once at most.

    Parameters
    ----------
    outcomes : Outcomes
    version : Version
    calls : tuple of Given
    """

    def __init__(self, outcomes: Outcomes, version: Version, calls: tuple[Given, ...]) -> None:
        self.outcomes, self.version, self.calls = outcomes, version, calls
        self.functions: list[Callable] = []
        self.seen: list[Seen] = []
        self.stop: StillRuns | None = None  # it is not waited for twice

    def gives(self, seen: Sequence[Seen]) -> bool:
        """Tell whether it gives just these outcomes."""
        if self.first is not None and not same_flat(self.first, seen[0].first):
            return False
        return all(self.at(number).is_like(each) for number, each in enumerate(seen))

    @functools.cached_property
    def first(self) -> tuple | None:
        """The first value that it returns, None where it stops: most differ in that by now."""
        if self.calls[0].own_cache:  # of a single value nobody could tell what it is
            return None
        function = self.build()
        with np.errstate(all="ignore"), self.bounded(), suppress(Exception, SystemExit):
            return first_value(function(*copy_value(self.calls[0].arguments).values()))
        return None

    @contextmanager
    def bounded(self) -> Iterator[None]:
        """Stop it where it takes longer than a student's would be let: it names nothing then."""
        if self.stop:
            raise self.stop
        source = self.outcomes.source
        most = CALLS * source.times.call
        try:
            with bounded(most):
                yield
        except OutOfTime:
            self.stop = StillRuns(source.assignment, self.version.entry, most, "its calls")
            raise self.stop from None

    def build(self) -> Callable:
        """Return it as a function; one that cannot be is nobody's fault who is marked."""
        try:
            return self.outcomes.source.build(self.version)
        except StillRuns:
            raise
        except CourseError as problem:
            raise MistakeStops(str(problem)) from None

    def at(self, number: int) -> Seen:
        """Return what it makes of a call, after those before it."""
        if number == len(self.seen):
            self.seen.append(Seen(self.run(self.calls[number])))
        return self.seen[number]

    def run(self, given: Given) -> Outcome:
        """Call it; where it looks for a name of an example, amid the notebook's from now on."""
        source = self.outcomes.source
        if not self.functions:
            self.functions.append(self.build())  # anew: it may remember its calls
        with np.errstate(all="ignore"), self.bounded():  # they divide by zero and worse
            outcome = given.run(self.functions[-1])
            stop = outcome.raised
            missing = {*stop[2]} if stop and stop[1] == "NameError" else set()
            if len(self.functions) == 1 and missing & self.outcomes.bound_in_examples:
                self.functions.append(source.build_in_notebook(self.version))
                outcome = given.run(self.functions[-1])
        return outcome


def first_numbers(candidates: Sequence[Candidate]) -> np.ndarray:
    """Return the first number that each returns, NaN where there is none."""
    rows = [np.array([]) if each.first is None else each.first[1] for each in candidates]
    return np.array([row[0] if row.size else np.nan for row in rows])


def may_be(numbers: np.ndarray, row: np.ndarray) -> np.ndarray:
    """Tell which of the numbers may be the first of a row, as `same_flat` has it: NaN may be."""
    first = row[0] if row.size else np.nan
    with np.errstate(all="ignore"):
        return ~(np.abs(numbers - first) > 1e-12 + 1e-9 * abs(first))


class Seen:
    """What can be seen of an outcome, flattened as far as it is asked for."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome

    @functools.cached_property
    def first(self) -> tuple:
        """The first value that was returned: most differ in it."""
        return first_value(self.outcome.result)

    @functools.cached_property
    def whole(self) -> tuple:
        """All of it."""
        return flatten(self.outcome.seen)

    def is_like(self, other: Seen) -> bool:
        """Tell whether two are equal, but for rounding."""
        return same_flat(self.whole, other.whole)


def first_value(result: Any) -> tuple:
    """Return the first of the values that a function has returned, flattened."""
    if isinstance(result, dict):
        result = [result[key] for key in sorted(result, key=str)]
    several = isinstance(result, (list, tuple))
    return flatten(result[0] if several and result else result)
