"""The assignments that the tests of contents are about; a course may have others beside them."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
ASSIGNMENTS = [
    "char_lstm",
    "gru_bidirectional",
    "lstm_fused_gates",
    "rnn_lstm_backward",
    "rnn_lstm_forward",
]
NOTEBOOKS = {name: ROOT / "source" / name / f"{name}.ipynb" for name in ASSIGNMENTS}
