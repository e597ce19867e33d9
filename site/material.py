"""
Run the instructor's solution: `python site/material.py [--measure] [FOLDER]`.

It leaves what the pages show of the finished notebooks: the pictures, the outputs of
every cell, the numbers of the animation and the evidence of the errata. Only this file
runs a solution, and what it leaves holds none.

Cells that measure times would give other pictures every time. assignments.yaml names the function
by which such a cell is `measured`; it is called with --measure only. What it returned then is kept
in site/measured/, and returned again to the cell, in every language.

A notebook that is as it was the last time, in all that it is made of, is not run again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import os
import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
import yaml
from nbformat import NotebookNode

import errata
import motion
import rnn_figures
from grading import CourseError
from grading.demo import plain
from grading.source import read_source
from grading.source.cells import with_answers
from language import CODES, ENGLISH, Language

HERE = Path(__file__).parent
MEASURED = HERE / "measured"
SVG = "image/svg+xml"
# what takes long to load; not `__main__`, of which Python 3.11 makes nothing
LOADED = ["IPython.core.interactiveshell", "matplotlib.pyplot", "matplotlib.backends.backend_svg"]
LOADED += ["grading.demo", "rnn_figures.words"]
MADE_OF = "made_of"  # the file that says of what text the outputs beside it came


def main(folder: Path, measure: bool) -> None:
    """Write the material of every released assignment, in every language, into the folder."""
    english = Language()
    assignments = sorted(path.name for path in english.release.iterdir() if path.is_dir())
    kept = {name: None if measure else read_measured(name) for name in assignments}
    jobs = [(language, name) for language in map(Language, CODES) for name in assignments]
    # a process each, as notebooks import modules of the same names, with what takes long loaded
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    context = get_context("forkserver")
    context.set_forkserver_preload(LOADED)
    with ProcessPoolExecutor(mp_context=context, max_tasks_per_child=1) as pool:
        answers = {name: plain(read_source(name).answers) for name in assignments}
        runs = {}
        for language, name in jobs:
            given = name, answers[name], measured_by(name), kept[name]
            made_of = hash_of(language, *given)
            file = folder / language.code / name / MADE_OF
            if (language.release / name).exists() and (
                measure or not file.exists() or file.read_text("utf-8") != made_of
            ):
                runs[language, name] = made_of, pool.submit(run_notebook, language, *given)
        forward = read_source("rnn_lstm_forward")
        write(folder / "motion.json", motion.traces(forward.function("lstm_forward")))
        write(folder / "errata.json", errata.measure(forward))
        for (language, assignment), (made_of, run) in runs.items():
            outputs, times = run.result()
            save(folder / language.code / assignment, outputs, made_of)
            if measure and language == english and times:
                sources = sources_of(assignment)
                seen = {n: {"source": sources[n], "times": each} for n, each in times.items()}
                write(MEASURED / f"{assignment}.json", seen)


def measured_by(assignment: str) -> dict[str, str]:
    """Return the functions that measure times, by the cells that show them."""
    table = yaml.safe_load((HERE / "assignments.yaml").read_text("utf-8"))
    pictures = table.get(assignment, {}).get("pictures", {})
    return {cell: about["measured"] for cell, about in pictures.items() if "measured" in about}


def sources_of(assignment: str) -> dict[str, str]:
    """Return the cells of an assignment, as students have them."""
    return {cell.id: cell.source for cell in read_release(assignment, Language()).cells}


def read_measured(assignment: str) -> dict[str, list[Any]]:
    """
    Return the times that cells were given when they were measured, in their order.

    Raises
    ------
    CourseError
        Where they were not measured yet, or a cell has changed since.
    """
    sources, file = sources_of(assignment), MEASURED / f"{assignment}.json"
    kept = json.loads(file.read_text("utf-8")) if file.exists() else {}
    for cell in measured_by(assignment):
        if kept.get(cell, {}).get("source") != sources[cell]:
            raise CourseError(
                f"{assignment}: the times that cell {cell} shows are missing or old;"
                " measure them with: python site/material.py --measure"
            )
    return {cell: each["times"] for cell, each in kept.items()}


def read_release(assignment: str, language: Language) -> NotebookNode:
    """Read the student version of an assignment."""
    return nbformat.read(language.release / assignment / f"{assignment}.ipynb", as_version=4)


def write(file: Path, value: Any) -> None:
    """Write a value as JSON."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(value, indent=1, sort_keys=True), "utf-8")


def hash_of(language: Language, assignment: str, *given: Any) -> str:
    """Return a hash of all that the outputs of a notebook come from."""
    found = hashlib.sha256(json.dumps([language.code, *given]).encode())
    for package in ("numpy", "matplotlib", "ipython"):
        found.update(version(package).encode())
    made_with = Path(rnn_figures.__file__).parent.glob("*.py")
    release = (language.release / assignment).rglob("*")
    for file in [Path(__file__), *sorted(made_with), *sorted(filter(Path.is_file, release))]:
        found.update(file.read_bytes())
    return found.hexdigest()


def save(folder: Path, outputs: dict[str, list[dict]], made_of: str) -> None:
    """Write the outputs of a notebook, and its pictures as files of their own."""
    shutil.rmtree(folder, ignore_errors=True)
    write(folder / "outputs.json", outputs)
    for cell, shown in outputs.items():
        plots = [each["data"][SVG] for each in shown if SVG in each["data"]]
        for number, plot in enumerate(plots):
            (folder / f"{cell}-{number}.svg").write_text(plot, "utf-8")
    (folder / MADE_OF).write_text(made_of, "utf-8")


def run_notebook(
    language: Language,
    assignment: str,
    sources: dict[str, str],
    measures: dict[str, str],
    kept: dict[str, list[Any]] | None,
) -> tuple[dict[str, list[dict]], dict[str, list[Any]]]:
    """
    Run the solved notebook as a kernel would, in a process of its own.

    Parameters
    ----------
    language : Language
    assignment : str
    sources : dict
        The answers.
    measures : dict
        The functions that measure times, by the cells that show them.
    kept : dict or None
        What they returned before, and return again; None to measure.

    Returns
    -------
    outputs : dict
        By cell id, what the cell shows: `data` by MIME type each.
    times : dict
        By cell id, what was measured.
    """
    os.environ["SOURCE_DATE_EPOCH"] = "0"  # the date that a plot says it was drawn on
    sys.dont_write_bytecode = True
    os.chdir(language.release / assignment)
    sys.path.insert(0, "")

    import matplotlib as mpl
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output
    from traitlets.config import Config

    from rnn_figures.words import with_fonts

    config = Config()
    config.HistoryManager.enabled = False
    config.InlineBackend.figure_formats = {"svg"}
    mpl.rcParams["svg.hashsalt"] = assignment  # or ids differ from one time to the next
    if language.code != ENGLISH:
        draw_words_as_text()
    outputs: dict[str, list[dict]] = {}
    times: dict[str, list[Any]] = {}
    with TemporaryDirectory() as home:  # the user's own settings stay out
        shell = InteractiveShell.instance(config=config, ipython_dir=home)
        for cell in with_answers(read_release(assignment, language), sources).cells:
            if cell.cell_type != "code":
                continue
            if cell.id in measures:
                name = measures[cell.id]
                times[cell.id] = [] if kept is None else kept[cell.id]
                shell.user_ns[name] = (
                    measuring(shell.user_ns[name], times[cell.id])
                    if kept is None
                    else returning(times[cell.id])
                )
            with capture_output() as said:
                result = shell.run_cell(cell.source)
            result.raise_error()
            printed = [{"data": {"text/plain": said.stdout}}] if said.stdout else []
            outputs[cell.id] = printed + [{"data": output.data} for output in said.outputs]
            for each in outputs[cell.id]:
                if SVG in each["data"]:
                    each["data"][SVG] = with_fonts(each["data"][SVG])
    return outputs, times


def measuring(function: Callable, times: list[Any]) -> Callable:
    """Return a function that notes what another one returns."""

    def measure(*args: Any) -> Any:
        times.append([float(f"{each:.6g}") for each in function(*args)])
        return times[-1]

    return measure


def returning(times: list[Any]) -> Callable:
    """Return a function that returns these, one after the other."""
    left = iter(times)
    return lambda *_: next(left)


def draw_words_as_text() -> None:
    """Let plots be drawn in their own words without a font for them: it is the reader's."""
    import matplotlib as mpl
    from matplotlib.text import Text

    import rnn_utils

    rnn_utils.CHINESE_FONTS = ("DejaVu Sans",)  # that is always there
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    draw = Text.draw

    def draw_as_text(text: Text, renderer: Any) -> None:
        kind = "path" if text.get_text().isascii() else "none"
        with mpl.rc_context({"svg.fonttype": kind}):
            draw(text, renderer)

    Text.draw = draw_as_text


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Run the solved notebooks.")
    parser.add_argument("folder", nargs="?", type=Path, default=HERE / "_build" / "material")
    parser.add_argument("--measure", action="store_true", help="measure times again")
    arguments = parser.parse_args()
    os.chdir(HERE.parent)  # the course is found from where one is
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # the same sums every time
    try:
        main(arguments.folder.resolve(), arguments.measure)
    except CourseError as error:
        sys.exit(f"{error}")
