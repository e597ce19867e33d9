"""What stock nbgrader needs for this course's hidden tests, which run in the student's kernel."""

import os
from pathlib import Path

# The tests ask what is right; the rooms say it, and a stock kernel has to be told.
STARTUP = """\
from pathlib import Path
from grading.source import read_source
from grading.testing import Outcomes, marking
kept = marking(Outcomes(read_source({assignment!r}, Path({course!r}))))
kept.__enter__()
"""


def environment(folder: Path, course: Path, assignment: str) -> dict[str, str]:
    """Return the environment of a run in a course; `folder` is for what IPython keeps."""
    startup = folder / "profile_default" / "startup" / "marking.py"
    startup.parent.mkdir(parents=True)
    startup.write_text(STARTUP.format(assignment=assignment, course=str(course)))
    return {**os.environ, "IPYTHONDIR": str(folder)}
