"""
Write the LSTM in motion as one file in each language: `python site/motion_file.py`.

It goes among the figures of the notebook on the forward pass, which leads to it; it opens
from disk, and ships with the student version as the figures do.
"""

from __future__ import annotations

import os
from pathlib import Path

import motion
import motion_page
from grading.source import read_source
from language import CODES, ENGLISH, Language

COURSE = Path(__file__).parents[1]
FORWARD = COURSE / "source" / "rnn_lstm_forward"


def file_of(code: str) -> Path:
    """Return where the file of a language stands."""
    folder = FORWARD if code == ENGLISH else FORWARD / code
    return folder / "figures" / "lstm_in_motion.html"


if __name__ == "__main__":
    os.chdir(COURSE)  # the course is found from where one is
    lstm_forward = read_source("rnn_lstm_forward").function("lstm_forward")
    traces = motion.traces(lstm_forward)
    for code in CODES:
        file_of(code).write_text(motion_page.whole_page(traces, Language(code)), "utf-8")
        print(file_of(code).relative_to(COURSE))
