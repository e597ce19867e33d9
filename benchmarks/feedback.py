"""
How long the feedback pages take: 1,000 of differing submissions, in one process.

    python benchmarks/feedback.py [ASSIGNMENT]

Marks a handful of versions in the rooms, then makes 1,000 submissions of them that differ in every
solution cell, and times their pages.
"""

import itertools
import statistics
import sys
import time

from grading.book import Entry
from grading.cli import converter_of, open_nursery
from grading.feedback import Pages
from grading.marking.naming import Outcomes
from grading.marking.notebook import mark_notebook
from grading.source import read_assignment, read_source
from grading.source.cells import is_answer, with_answers

COUNT, SAMPLE = 1000, 8


def main() -> None:
    """Measure, and print one line per figure."""
    assignment = sys.argv[1] if len(sys.argv) > 1 else "rnn_lstm_forward"
    source = read_source(assignment)
    outcomes, versions = Outcomes(source), source.versions
    marked = []
    with open_nursery(converter_of(assignment, unprotected=False)) as rooms:
        for version in versions[:: len(versions) // SAMPLE]:
            notebook = with_answers(source.notebook, {version.function: version.text})
            mark_notebook(notebook, outcomes, rooms)
            marked.append(notebook)
    pages, seconds, sizes = Pages(read_assignment(assignment)), [], []
    for number, notebook in zip(range(COUNT), itertools.cycle(marked), strict=False):
        for cell in notebook.cells:
            if is_answer(cell):
                cell.source += f"\n# {number}"
        start = time.process_time()
        made = pages.page(assignment, notebook, Entry(f"student {number}")).encode()
        seconds.append(time.process_time() - start)
        sizes.append(len(made))
    print(f"pages              {COUNT}")
    print(f"CPU ms per page    {1000 * statistics.mean(seconds):.1f} on average")
    print(f"                   {1000 * statistics.median(seconds):.1f} median")
    print(
        f"                   {1000 * seconds[0]:.0f} the first, {1000 * max(seconds[1:]):.1f} max"
    )
    print(f"kB per page        {statistics.mean(sizes) / 1000:.0f}, up to {max(sizes) / 1000:.0f}")


if __name__ == "__main__":
    main()
