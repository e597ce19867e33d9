"""The course in the current folder, as nbgrader sees it."""

from __future__ import annotations

import logging
import os
import re
import sys
import warnings
from pathlib import Path

from nbgrader.apps.api import NbGraderAPI
from sqlalchemy.exc import SAWarning
from traitlets.config.loader import PyFileConfigLoader

from grading import CourseError
from grading.source.assignment import course_root


def prepare_process() -> None:
    """Let nbgrader find its tools, and keep it from warning of what is as it should be."""
    # alembic is called by name; it lies beside this Python
    tools = str(Path(sys.executable).parent)
    if tools not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([tools, os.environ.get("PATH", os.defpath)])
    # nbgrader 0.9.6 and SQLAlchemy 2
    warnings.filterwarnings("ignore", category=SAWarning, module="nbgrader")
    # cells with hidden tests always differ from the student version
    logging.getLogger("AutogradeApp").addFilter(
        lambda record: "Attribute 'checksum'" not in record.getMessage()
    )


def open_course(unprotected: bool = False) -> NbGraderAPI:
    """
    Return nbgrader's interface to the course, set up by its nbgrader_config.py.

    Parameters
    ----------
    unprotected : bool
        Whether student code may run without a sandbox.
    """
    root = course_root()
    os.chdir(root)
    config = PyFileConfigLoader("nbgrader_config.py", str(root)).load_config()
    config.Execute.unprotected = unprotected
    return NbGraderAPI(config=config)


def check(result: dict, what: str) -> None:
    """Raise CourseError where a step of nbgrader failed, with the step's own last word."""
    if not result["success"]:
        log = result["log"] or ""
        raised = re.findall(r"^ +([\w.]+(?:Error|Exception): .*)$", log, re.MULTILINE)
        said = (result["error"] or log or "failed").strip().splitlines()
        raise CourseError(f"{what}: {(raised or said[-1:])[0]}")
