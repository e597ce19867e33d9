"""Late work: what it costs, by the rules that the course has set up."""

from __future__ import annotations

import math
from collections.abc import Mapping

from nbgrader.preprocessors import AssignLatePenalties
from traitlets import TraitError
from traitlets.config import Config

from grading import CourseError
from grading.book import LatePenalty


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
    step = AssignLatePenalties(config=config)
    step.assignment_id = assignment  # nbgrader's plug-ins find it there
    try:
        step.init_plugin()
    except TraitError as error:
        raise CourseError(f"nbgrader_config.py: {error}") from None

    def penalty(student: str, score: float, seconds: float) -> float:
        return step.plugin_inst.late_submission_penalty(student, score, seconds) or 0.0

    return penalty


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
