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

from grading.authoring.prove import with_solutions
from grading.feedback import page
from grading.marking.notebook import Execute, run
from grading.source.assignment import is_solution, read_source
from grading.source.course import open_course
from grading.source.mistakes import read_versions

COUNT, SAMPLE = 1000, 8


def main() -> None:
    """Measure, and print one line per figure."""
    assignment = sys.argv[1] if len(sys.argv) > 1 else "rnn_lstm_forward"
    execute = Execute(config=open_course().config)
    versions = read_versions(assignment)
    marked = []
    for version in versions[:: len(versions) // SAMPLE]:
        notebook = with_solutions(read_source(assignment), {version.function: version.source})
        run(notebook, assignment, execute.nursery())
        marked.append(notebook)
    seconds, sizes = [], []
    for number, notebook in zip(range(COUNT), itertools.cycle(marked), strict=False):
        for cell in notebook.cells:
            if is_solution(cell):
                cell.source += f"\n# {number}"
        start = time.process_time()
        made = page(notebook, assignment, f"student {number}").encode()
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
