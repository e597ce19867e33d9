"""One run over a class: pool, workers, certificates, what has changed since the last."""

from grading.run.certificate import Certificate
from grading.run.run import Run, open_run

__all__ = ["Certificate", "Run", "open_run"]
