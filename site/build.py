"""
Build the learners' site: `python site/build.py [public] [solved] [--to FOLDER]`.

The pages of the public edition, in every language, are made of the releases, of `site/`,
and of the pictures and numbers that `material.py` leaves; nothing here reads a solution for
it. The solved edition adds what `solved.py` reads from `source/`, and goes into a folder of
its own.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import nbformat
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sphinx.application import builtin_extensions
from sphinx.cmd.build import main as sphinx

import motion
import motion_page
import pictures
from grading import CourseError
from language import CODES, DOCS, ENGLISH, Language
from notation import Notation
from notebooks import NotebookPage

HERE = Path(__file__).parent
FOLDERS = {"public": "html", "solved": "solved"}
LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]+)\]\((?P<to>[^)\s]+)\)")
NOT_SHIPPED = ("__pycache__", ".ipynb_checkpoints")
OLDEST = (1980, 1, 1, 0, 0, 0)  # the first date that a zip can hold


def main() -> None:
    """Read the command line and build."""
    parser = argparse.ArgumentParser(description="Build the learners' site.")
    parser.add_argument("editions", nargs="*", metavar="EDITION", help="public (default), solved")
    parser.add_argument("--to", type=Path, default=HERE / "_build", metavar="FOLDER")
    arguments = parser.parse_args()
    editions = arguments.editions or ["public"]
    if unknown := set(editions) - set(FOLDERS):
        parser.error(f"there is no edition {', '.join(unknown)}, only {', '.join(FOLDERS)}")
    work = arguments.to.resolve()
    os.chdir(HERE.parent)  # the course is found from where one is
    # the same order of sets and the same order of sums every time, in all processes from here on
    os.environ |= {"PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1"}
    material = [sys.executable, HERE / "material.py", work / "material"]
    if failed := subprocess.run(material).returncode:
        sys.exit(failed)
    try:
        for edition in editions:
            print(build(work, edition))
    except CourseError as error:
        sys.exit(f"{error}")


def build(work: Path, edition: str) -> Path:
    """Build an edition in the folder `work`; return its first page."""
    languages = list(map(Language, CODES))
    html = work / FOLDERS[edition]
    shutil.rmtree(html, ignore_errors=True)
    # pages of all languages name it with its hash, and are built at once
    shutil.copytree(HERE / "vendor", html / "_static")
    context = get_context("forkserver")
    loaded = [*builtin_extensions, "furo", "myst_nb.sphinx_ext", "grading.demo"]
    context.set_forkserver_preload(loaded)  # not `__main__`, of which Python 3.11 makes nothing
    with ProcessPoolExecutor(mp_context=context, max_tasks_per_child=1) as pool:
        homes = list(pool.map(partial(build_language, work, edition), languages))
    return homes[0]


def build_language(work: Path, edition: str, language: Language) -> Path:
    """Build an edition in one language; return its first page."""
    gc.disable()  # its process ends with it
    solved = edition == "solved"
    material, staged = work / "material", work / f"pages-{edition}-{language.code}"
    shown = material / language.code
    html = work / FOLDERS[edition] / ("" if language.code == ENGLISH else language.code)
    shutil.rmtree(staged, ignore_errors=True)
    pages = [page(name, language, shown, solved) for name in assignments(language)]
    stage(staged, pages, language, material, solved)
    tags = ["-t", edition, "-t", language.code]
    command = ["-qEW", "-c", HERE, *tags, "-d", staged / ".doctrees", staged, html]
    if failed := sphinx(list(map(str, command))):
        sys.exit(failed)
    for left_over in (".buildinfo", "objects.inv"):  # of use to Sphinx alone
        (html / left_over).unlink()
    (html / "_sources").rmdir()
    shutil.rmtree(html.parent / "jupyter_execute", ignore_errors=True)  # MyST-NB's
    (html / "downloads").mkdir()
    for each in pages:
        add_zip(html, each)
    traces = json.loads((material / "motion.json").read_text("utf-8"))
    alone = motion_page.whole_page(traces, language)
    (html / "downloads" / "lstm_in_motion.html").write_text(alone, "utf-8")
    return html / "index.html"


def assignments(language: Language) -> list[str]:
    """Return the released assignments in the order of assignments.yaml."""
    order, release = list(language.told("assignments")), language.release
    released = [path.name for path in release.iterdir() if (path / f"{path.name}.ipynb").exists()]
    return sorted(released, key=lambda name: (name not in order, [*order, name].index(name), name))


def page(name: str, language: Language, material: Path, solved: bool) -> NotebookPage:
    """Return a released notebook on its way to a page."""
    extra = None
    if solved:
        from solved import SolvedNotebook

        extra = SolvedNotebook(name, material / name, language)
    return NotebookPage(name, language, material / name, extra)


def stage(
    folder: Path, pages: list[NotebookPage], language: Language, material: Path, solved: bool
) -> None:
    """Write every page as Sphinx reads it into a fresh folder."""
    (folder / "made").mkdir(parents=True)
    fonts = f"body {{ --fonts: {language.words['fonts']}; }}\n"
    (folder / "made" / "colours.css").write_text(pictures.colours() + fonts, "utf-8")
    notation = Notation(language)
    for each in pages:
        nbformat.write(each.render(notation), folder / f"{each.name}.ipynb")
    traces = json.loads((material / "motion.json").read_text("utf-8"))
    errata = json.loads((material / "errata.json").read_text("utf-8"))
    templates = Environment(
        loader=FileSystemLoader(language.folder / "pages"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
    )
    docs = stage_docs(folder / DOCS) if language.code == ENGLISH and not solved else {}
    names = {
        "docs": docs,
        "assignments": pages,
        "notation": notation.tables(),
        "terms": notation.terms(),
        "motion": f"{motion_page.widget(traces, language)}\n{motion_page.scripts()}",
        "memory": [motion.number(step["c"]) for step in traces["commands"]],
        "errata": {name: text or language.words["nothing"] for name, text in errata.items()},
        "solved": solved,
    }
    for file in sorted((language.folder / "pages").glob("*.md")):
        text = templates.get_template(file.name).render(names)
        if file.stem != "notation":
            text = notation.links(file.stem).add(text)
        if solved or file.stem != "derivations":
            (folder / file.name).write_text(text, "utf-8")


def stage_docs(folder: Path) -> dict[str, str]:
    """Write what instructors read into a folder; return the titles by name."""
    folder.mkdir()
    files = [*sorted((HERE.parent / DOCS).glob("*.md")), HERE.parent / "SECURITY.md"]
    names = {file.name for file in files}
    titles = {}
    for file in files:
        text = file.read_text("utf-8")
        titles[file.stem] = text.partition("\n")[0].removeprefix("# ")
        (folder / file.name).write_text(LINK.sub(partial(link_among, names), text), "utf-8")
    shutil.copy(HERE.parent / DOCS / "architecture.svg", folder)
    return titles


def link_among(names: set[str], link: re.Match[str]) -> str:
    """Return a link that leads to a page of these names, or elsewhere on the web; else its text."""
    file, hash_, place = Path(link["to"]).name.partition("#")
    if file in names or not file:
        return f"[{link['text']}]({file}{hash_}{place})"
    return link[0] if "://" in link["to"] else link["text"]


def add_zip(html: Path, page: NotebookPage) -> None:
    """Put the zip of a notebook beside the pages."""
    file = html / "downloads" / f"{page.name}.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(path for path in page.folder.rglob("*") if path.is_file()):
            inside = file.relative_to(page.folder.parent)
            if not set(NOT_SHIPPED) & set(inside.parts):
                entry = zipfile.ZipInfo(inside.as_posix(), OLDEST)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, file.read_bytes())


if __name__ == "__main__":
    main()
