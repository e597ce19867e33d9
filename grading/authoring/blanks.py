"""Versions of every function in which nothing is right: they must earn nothing."""

import inspect
from collections.abc import Collection, Iterator

import numpy as np

from grading.checks import where_wrong
from grading.marking.naming import Outcomes
from grading.source import Source, Version


def arrays_in(value: object) -> "Iterator[np.ndarray]":
    """Yield all arrays in a value: here, and in the versions, where `Iterator` is no name."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, (dict, list, tuple)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from arrays_in(item)


# For each version, what it returns in the place of an array, and of a number.
FILLINGS = {
    "zeros": ("np.zeros(value.shape)", "0"),
    "ones": ("np.ones(value.shape)", "1"),
    "inputs": ("next((each for each in given if each.shape == value.shape), given[0])", "0"),
}
# What is returned has the right form, from the solution; arrays, numbers and texts are others.
BLANK = """

import numpy as np


def {function}(*arguments, **named):
    given = [*arguments, *named.values()]
    return blank(right_function(*arguments, **named), list(arrays_in(given)))


def blank(value, given):
    if isinstance(value, np.ndarray):
        return {array}
    if isinstance(value, dict):
        return {{key: blank(item, given) for key, item in value.items()}}
    if isinstance(value, (list, tuple)):
        return type(value)(blank(item, given) for item in value)
    if isinstance(value, (bool, np.bool_)):
        return not value
    if isinstance(value, (int, float, np.number)):
        return type(value)({number})
    return "" if isinstance(value, str) else value


"""
NONE = "def {function}(*arguments, **named):\n    return None\n"


def blank_versions(source: Source, marked: Collection[str]) -> Iterator[Version]:
    """Yield, for each of these functions, versions that return zeros, ones, inputs, and None."""
    for function, answer in source.answers.items():
        if function not in marked or f"def {function}(" not in answer:
            continue  # classes are no functions
        renamed = answer.replace(f"def {function}(", "def right_function(")
        for name, (array, number) in FILLINGS.items():
            blank = BLANK.format(function=function, array=array, number=number)
            text = renamed + blank + inspect.getsource(arrays_in)
            yield Version(name, function, "", text, True, function)
        yield Version("none", function, "", NONE.format(function=function), True, function)


def coincidences(outcomes: Outcomes) -> Iterator[str]:
    """
    Say where zeros, ones or inputs are right in the main call of a test, by chance or not.

    Only where fractions are: truth values and what is counted are zero or one by nature.
    """
    for function, (given, values) in outcomes.main_calls.items():
        inputs = list(arrays_in(given.arguments))
        for name, value in values.items():
            for right in (each for each in arrays_in(value) if each.dtype.kind in "fc"):
                same_shape = [each for each in inputs if each.shape == right.shape]
                for wrong in (np.zeros_like(right), np.ones_like(right), *same_shape):
                    count = int((~where_wrong(wrong, right)).sum())
                    if count:
                        yield f"{function}: `{name}` is zero, one or an input in {count} places"
