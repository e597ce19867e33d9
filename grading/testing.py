"""
What hidden tests import: `from grading.testing import MarkedTest`.

A package of a subject builds tests of its own on the other names.
"""

from grading.checks import (
    KEPT,
    Finding,
    FunctionTest,
    Outcome,
    Wrong,
    copy_value,
    find_wrong,
    flatten,
    run_function,
    same_flat,
    same_value,
    without_cache,
)
from grading.marking.lending import lending
from grading.marking.naming import Given, Outcomes
from grading.marking.test import Call, MarkedTest, check_gradient, marking
from grading.source import Source, Version

__all__ = [
    "KEPT",
    "Call",
    "Finding",
    "FunctionTest",
    "Given",
    "MarkedTest",
    "Outcome",
    "Outcomes",
    "Source",
    "Version",
    "Wrong",
    "check_gradient",
    "copy_value",
    "find_wrong",
    "flatten",
    "lending",
    "marking",
    "run_function",
    "same_flat",
    "same_value",
    "without_cache",
]
