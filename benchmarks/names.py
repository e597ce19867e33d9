"""
How far the network of `char_lstm` learns, seed by seed: python benchmarks/names.py SEED ...

The training is the notebook's own: the same cells, with the solution filled in.
"""

from __future__ import annotations

import os
import sys
import time

os.environ["OPENBLAS_NUM_THREADS"] = "1"

from grading.source import read_source

CELLS = ("setup", "data-names", "fun-loss", "fun-train")


def main(seeds: list[int]) -> None:
    """Train with each seed; print losses at the end, the lowest held-out one, and the time."""
    source = read_source("char_lstm")
    names = source.namespace()
    with source.importing():
        for cell in source.notebook.cells:
            if cell.id in CELLS:
                exec(cell.source, names)

    def losses(n: int, parameters: dict) -> tuple[int, float, float]:
        loss, characters = names["loss_of"], names["characters"]
        parts = names["training"], names["held_out"]
        return (n, *(float(loss(part, characters, parameters)) for part in parts))

    for seed in seeds:
        start = time.process_time()
        _, curve = names["train"](names["training"], names["characters"], 600, losses, seed=seed)
        seconds = time.process_time() - start
        lowest, at = min((held_out, n) for n, _, held_out in curve)
        _, learned, held_out = curve[-1]
        print(
            f"seed {seed}: {learned:.2f}, held out {held_out:.2f}"
            f" (lowest {lowest:.2f}, round {at}); {seconds:.0f} s"
        )


if __name__ == "__main__":
    main([int(seed) for seed in sys.argv[1:]] or list(range(1, 11)))
