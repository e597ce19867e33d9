"""The course: what nbgrader, formgrader and `rnn-grading` have in common."""

import os

from grading import nbgrader_plugins

c = get_config()  # noqa: F821 - nbgrader hands it to this file
nbgrader_plugins.install(c)

c.CourseDirectory.course_id = "rnn"
c.CourseDirectory.root = os.path.dirname(os.path.abspath(__file__))

# Student code runs in a room of its own. What it may use stands in grading/rooms/limits.py; to
# set other numbers: {"memory_mb": 2048, "cell_seconds": 20}.
c.Autograde.limits = {}

# The time zone of the course: students' machines write its abbreviations (PST), which elsewhere
# stand for another.
# c.Exchange.timezone = "America/Los_Angeles"

# Late work. Due dates stand in the grade book (formgrader, or `nbgrader db assignment add
# NAME --duedate="2027-01-31 18:00 +0100"`); a share of 0.1 is a tenth of the points a day.
c.LateRules.free_hours = 0.0
c.LateRules.share_per_day = 0.0
# Hours that pass, whatever the clocks do:
c.LateRules.extensions = {}  # {"student": {"rnn_lstm_forward": 48}}
