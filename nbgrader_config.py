"""The course: what nbgrader, formgrader and `python -m grading` have in common."""

import os

from grading import nbgrader_plugins

c = get_config()  # noqa: F821 - nbgrader hands it to this file
nbgrader_plugins.install(c)

c.CourseDirectory.course_id = "rnn"
c.CourseDirectory.root = os.path.dirname(os.path.abspath(__file__))

# Student code runs in a room of its own. What it may use stands in grading/rooms/limits.py; to
# set other numbers: {"memory_mb": 2048, "cell_seconds": 20}.
c.Autograde.limits = {}

# Late work. Due dates stand in the grade book (formgrader, or `nbgrader db assignment add
# NAME --duedate="2027-01-31 18:00 UTC"`); a share of 0.1 is a tenth of the points a day.
c.LateRules.free_hours = 0.0
c.LateRules.share_per_day = 0.0
c.LateRules.extensions = {}  # hours: {"student": {"rnn_lstm_forward": 48}}
