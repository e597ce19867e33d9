"""Late work: what it costs, by the rules that the course has set up."""

from __future__ import annotations

import marshal
import math
from collections.abc import Mapping
from datetime import datetime

from nbgrader.preprocessors import AssignLatePenalties
from traitlets import TraitError
from traitlets.config import Config

from grading import CourseError
from grading.book import LatePenalty
from grading.intake.submission import timezone_of
from grading.source import digest


def points_off(
    score: float, hours_late: float, free_hours: float, share_per_day: float, extension: float
) -> float:
    """
    Return the points lost for handing in late.

    Parameters
    ----------
    score : float
        Points before the penalty.
    hours_late, free_hours, extension : float
        Hours after the due date, those that cost nothing, those by which it is later.
    share_per_day : float
        Share of the points lost for each day begun after that.
    """
    days = math.ceil(max(hours_late - free_hours - extension, 0) / 24)
    return score * min(days * share_per_day, 1.0)


def late_penalty(config: Config, assignment: str) -> LatePenalty:
    """
    Return the course's rule, as nbgrader's plug-in for late work has it.

    Raises
    ------
    CourseError
        Where nbgrader_config.py sets it up wrongly.
    """
    try:
        step = AssignLatePenalties(config=config)
        step.assignment_id = assignment  # nbgrader's plug-ins find it there
        step.init_plugin()
    except (TraitError, ImportError) as error:
        raise CourseError(f"nbgrader_config.py: {error}") from None

    def penalty(student: str, score: float, seconds: float) -> float:
        if not step.enabled:
            return 0.0
        return step.plugin_inst.late_submission_penalty(student, score, seconds) or 0.0

    return penalty


def rules_hash(config: Config, due: datetime | None) -> str:
    """Return the hash of what late penalties depend on, beside the time of the submission."""
    kind = AssignLatePenalties(config=config).plugin_class
    rules = [repr(config.AssignLatePenalties), repr(config.LateRules)]
    others = set(kind.section_names()) - {"LateRules"}
    rules += [repr(config[name]) for name in sorted(others) if name in config]
    if not kind.__module__.startswith(("grading.", "nbgrader.")):
        code = getattr(getattr(kind, "late_submission_penalty", None), "__code__", None)
        rules.append(marshal.dumps(code).hex())
    rules += filter(None, [timezone_of(config)])
    return digest([*rules, str(due)])


def check_extensions(extensions: Mapping[str, object]) -> None:
    """Raise TraitError where extensions are not hours by student and assignment."""
    for student, hours in extensions.items():
        if not isinstance(hours, dict) or not all(
            isinstance(each, int | float) and each >= 0 for each in hours.values()
        ):
            raise TraitError(
                f"LateRules.extensions of {student!r} must be hours by assignment,"
                " such as {'rnn_lstm_forward': 48}"
            )
