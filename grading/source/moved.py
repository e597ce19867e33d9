"""What courses of earlier versions import, and what to write instead."""

from __future__ import annotations

import re

MOVED = {
    "grading.marking": "from grading.testing import MarkedTest",
    "grading.layouts": "from rnn_marking.own_cache import ForwardTest, BackwardTest",
    "grading.inputs": "from rnn_marking.inputs import ...",
    "grading.gradients": "from rnn_marking.gradients import ...",
    "grading.drawing": "from rnn_figures.drawing import ...",
    "grading.solution": "from grading.source import ...",
    "rnn_checks.example": "from rnn_utils import example",
    "rnn_checks.cache_of": "from rnn_utils import cache_of",
    "grading.autograde": "from grading import nbgrader_plugins, and nbgrader_plugins.install(c)",
}
for _old in ("course", "execute", "late", "release", "feedback.converter"):
    MOVED[f"grading.{_old}"] = MOVED["grading.autograde"]


def say_where(error: BaseException) -> str:
    """Say where a name of an earlier version is now; "" for any other exception."""
    if not isinstance(error, ImportError):
        return ""
    module = error.name or ""
    asked = re.match(r"cannot import name '(\w+)'", str(error))
    names = [module, f"{module}.{asked[1]}"] if asked else [module]
    for name in reversed(names):
        if name in MOVED:
            return f"{name} is no more since version 0.2; write instead: {MOVED[name]}"
    return ""
