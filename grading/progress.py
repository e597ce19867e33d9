"""How far a run has come: a bar on a terminal, plain lines in a log."""

from __future__ import annotations

import time
from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from grading.run import Certificate, Run

LINE_SECONDS = 10.0


def say(what: str, console: Console) -> None:
    """Say on a terminal what begins now and may take a while; a log needs no such line."""
    if console.is_terminal:
        console.print(f"{what} …", style="dim", markup=False, highlight=False, soft_wrap=True)


def follow(run: Run, console: Console) -> Iterator[Certificate]:
    """Yield the certificates of a run, and show count, rate, time left and problems."""
    tell = bar if console.is_terminal and not console.quiet else lines
    yield from tell(run, console)


def bar(run: Run, console: Console) -> Iterator[Certificate]:
    """Follow a run with a bar."""
    columns = [
        TextColumn("Marking"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[problems]}"),
    ]
    begin, problems = time.monotonic(), 0
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=run.total, rate="", problems="")
        for number, certificate in enumerate(run.mark(), 1):
            problems += needs_a_look(certificate)
            rate = f"{number / (time.monotonic() - begin):.1f}/s"
            progress.update(task, advance=1, rate=rate, problems=f"{problems} to look at")
            yield certificate


def lines(run: Run, console: Console) -> Iterator[Certificate]:
    """Follow a run with a line now and then."""
    begin = last = time.monotonic()
    problems = 0
    for number, certificate in enumerate(run.mark(), 1):
        problems += needs_a_look(certificate)
        now = time.monotonic()
        if now - last >= LINE_SECONDS:
            rate, last = number / (now - begin), now
            console.print(
                f"{number} of {run.total} marked, {rate:.1f}/s, "
                f"{(run.total - number) / rate:.0f} s left, {problems} to look at"
            )
        yield certificate


def needs_a_look(certificate: Certificate) -> bool:
    """Tell whether a person should look at a submission."""
    return certificate.status != "graded" or certificate.timed_out or bool(certificate.problems)
