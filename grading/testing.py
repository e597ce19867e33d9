"""
What hidden tests import: `from grading.testing import MarkedTest`.

A package of a subject builds tests of its own on the other names.
"""

from grading.checks import FunctionTest
from grading.findings import Finding
from grading.marking.compare import check_gradient
from grading.marking.current import hidden_rng, marking, once_per_set
from grading.marking.lending import lending, of_like_size
from grading.marking.naming import Given, Outcomes
from grading.marking.test import (
    THE_SOLUTIONS,
    MarkedTest,
    is_clear,
    is_right,
    is_same,
)
from grading.outcomes import (
    KEPT,
    Outcome,
    Wrong,
    flatten,
    run_function,
    same_flat,
    same_value,
)
from grading.source import Version
from grading.stops import copy_value

__all__ = [
    "KEPT",
    "THE_SOLUTIONS",
    "Finding",
    "FunctionTest",
    "Given",
    "MarkedTest",
    "Outcome",
    "Outcomes",
    "Version",
    "Wrong",
    "check_gradient",
    "copy_value",
    "flatten",
    "hidden_rng",
    "is_clear",
    "is_right",
    "is_same",
    "lending",
    "marking",
    "of_like_size",
    "once_per_set",
    "run_function",
    "same_flat",
    "same_value",
]
