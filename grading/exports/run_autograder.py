#!/usr/bin/env python3
"""Runs at Gradescope: puts out the results that were made before, for whoever handed in."""

import json
import shutil
import sys
from pathlib import Path


def main(root: Path) -> None:
    """Find the results of the submission's students by e-mail or id; they must be one's."""
    metadata = json.loads((root / "submission_metadata.json").read_text("utf-8"))
    known = json.loads((root / "source" / "students.json").read_text("utf-8"))
    names = [user.get(key) for user in metadata["users"] for key in ("email", "sid")]
    found = {student for name in names if name for student in known.get(name.casefold(), [])}
    if len(found) != 1:
        sys.exit(
            f"{len(found)} students of the grade book are called {', '.join(filter(None, names))}"
        )
    shutil.copy(root / "source" / "results" / found.pop() / "results.json", root / "results")


if __name__ == "__main__":
    main(Path(*sys.argv[1:] or ["/autograder"]))
