"""Late work: what it costs, by rules that stand in nbgrader_config.py."""

from __future__ import annotations

import math

from nbgrader.plugins import LateSubmissionPlugin
from traitlets import Dict, Float, TraitError, validate
from traitlets.config import Bunch


class LateRules(LateSubmissionPlugin):
    """
    A share of the points for each day late, after some free hours.

    nbgrader counts from the due date in its grade book, and hands in the seconds.
    """

    free_hours = Float(0.0, help="Hours late that cost nothing.").tag(config=True)
    share_per_day = Float(
        0.0, help="Share of the points lost for each day begun after the free hours."
    ).tag(config=True)
    extensions = Dict(
        help="Hours by which the due date is later, by student and assignment:"
        " {'student': {'rnn_lstm_forward': 48}}."
    ).tag(config=True)

    @validate("free_hours")
    def _not_negative(self, proposal: Bunch) -> float:
        if not proposal.value >= 0:
            raise TraitError(f"LateRules.free_hours is {proposal.value}; it must be 0 or more")
        return proposal.value

    @validate("share_per_day")
    def _a_share(self, proposal: Bunch) -> float:
        if not 0 <= proposal.value <= 1:
            raise TraitError(f"LateRules.share_per_day is {proposal.value}; it must lie in 0 to 1")
        return proposal.value

    @validate("extensions")
    def _hours(self, proposal: Bunch) -> dict:
        for student, hours in proposal.value.items():
            if not isinstance(hours, dict) or not all(
                isinstance(each, int | float) and each >= 0 for each in hours.values()
            ):
                raise TraitError(
                    f"LateRules.extensions of {student!r} must be hours by assignment,"
                    " such as {'rnn_lstm_forward': 48}"
                )
        return proposal.value

    def late_submission_penalty(
        self, student_id: str, score: float, total_seconds_late: float
    ) -> float | None:
        """
        Return the points lost.

        Parameters
        ----------
        student_id : str
        score : float
            Points before the penalty.
        total_seconds_late : float
            Seconds after the due date.

        Returns
        -------
        float or None
            `score` times `share_per_day` for each day begun, `score` at most.
        """
        assignment = getattr(self.parent, "assignment_id", "")
        extension = self.extensions.get(student_id, {}).get(assignment, 0)
        hours = total_seconds_late / 3600 - self.free_hours - extension
        days = math.ceil(max(hours, 0) / 24)
        return score * min(days * self.share_per_day, 1.0) or None
