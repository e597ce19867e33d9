"""
Write the LSTM in motion as one file: `python site/motion_file.py`.

It goes beside the figures of the notebook on the forward pass, which leads to it; it opens
from disk, and ships with the student version as the figures do.
"""

from __future__ import annotations

import os
from pathlib import Path

import motion
import motion_page
from grading.source import read_source

COURSE = Path(__file__).parents[1]
FILE = COURSE / "source" / "rnn_lstm_forward" / "figures" / "lstm_in_motion.html"

if __name__ == "__main__":
    os.chdir(COURSE)  # the course is found from where one is
    lstm_forward = read_source("rnn_lstm_forward").function("lstm_forward")
    FILE.write_text(motion_page.page(motion.traces(lstm_forward)), "utf-8")
    print(FILE.relative_to(COURSE))
