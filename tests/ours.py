"""The assignments that the tests of contents are about; a course may have others beside them."""

import functools
from pathlib import Path

from grading.authoring.leaks import Secrets, secrets_of
from grading.source import read_assignment

ROOT = Path(__file__).parents[1]
ASSIGNMENTS = [
    "char_lstm",
    "gru_bidirectional",
    "lstm_fused_gates",
    "rnn_lstm_backward",
    "rnn_lstm_forward",
]
NOTEBOOKS = {name: ROOT / "source" / name / f"{name}.ipynb" for name in ASSIGNMENTS}


@functools.cache
def secrets(assignment: str) -> Secrets:
    """Return what students must not see of an assignment."""
    return secrets_of(read_assignment(assignment, ROOT), ROOT)
