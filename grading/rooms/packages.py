"""
The packages that rooms see: a folder with those of students, and no others.

The folder of installed packages itself will not do: it may hold the grader, and its
compiled files and notes name the folders of this machine.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from filelock import FileLock

NOT_COPIED = {"RECORD", "direct_url.json"}
# What no room loads, but to draw a PDF: two fifths of the time that compiling takes.
NOT_COMPILED = r"/tests/|/(jedi|parso|prompt_toolkit|wcwidth|fontTools)/|/pygments/(lexers|styles)/"


class PackagesMissing(Exception):
    """A package cannot be given to rooms; the text says what to do, in one line."""


def distributions(names: Iterable[str]) -> dict[str, metadata.Distribution]:
    """Return installed packages and all that they need, by name."""
    found: dict[str, metadata.Distribution] = {}
    missing = []
    waiting = [(name, True) for name in names]
    while waiting:
        name, asked_for = waiting.pop()
        name = re.sub(r"[-_.]+", "-", name).lower()
        if name in found:
            continue
        try:
            found[name] = package = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            missing += [name] if asked_for else []  # other needs may be those of other systems
            continue
        needs = [need for need in package.requires or [] if "extra ==" not in need]
        waiting += [(re.split(r"[^\w.-]", need, maxsplit=1)[0], False) for need in needs]
    missing += [name for name, package in found.items() if package.read_text("RECORD") is None]
    if missing:
        names_ = " ".join(missing)
        raise PackagesMissing(
            f"Rooms need {', '.join(missing)}: pip install -r requirements.txt, or, where"
            f" c.Autograde.packages names it, pip install {names_}"
        )
    return found


def packages_folder(names: Iterable[str], seen_as: str) -> Path:
    """
    Return a folder with these packages and all that they need.

    It is made once, which takes some seconds, and kept in the user's cache.

    Parameters
    ----------
    names : iterable of str
    seen_as : str
        Where rooms will find the folder: the name that compiled files hold.
    """
    found = distributions(names)
    versions = sorted(
        f"{name} {package.locate_file('')} {package.read_text('RECORD')}"
        for name, package in found.items()
    )
    key = hashlib.sha256("\n".join([sys.version, seen_as, *versions]).encode()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "grading-rooms"
    folder = cache / key
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with FileLock(cache / f"{key}.lock"):  # whoever comes second waits for the first
            if not folder.is_dir():
                make(folder, found.values(), seen_as)
    return folder


def make(folder: Path, packages: Iterable[metadata.Distribution], seen_as: str) -> None:
    """Make the folder: whole, or not at all."""
    building = Path(tempfile.mkdtemp(prefix="building-", dir=folder.parent))
    try:
        fill(building, packages)
        compile_all(building, seen_as)
        building.chmod(0o755)
        building.rename(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def fill(folder: Path, packages: Iterable[metadata.Distribution]) -> None:
    """Link or copy the packages' files, compiled ones left out."""
    for package in packages:
        for file in package.files or ():
            source, target = str(package.locate_file(file)), folder.joinpath(*file.parts)
            foreign = ".." in file.parts or "__pycache__" in file.parts or file.suffix == ".pth"
            if foreign or file.name in NOT_COPIED or not os.path.isfile(source):
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(source, target)
            except OSError:  # on another disk, or another user's
                shutil.copy2(source, target)


def compile_all(folder: Path, seen_as: str) -> None:
    """Compile the modules under the names that rooms know them by."""
    subprocess.run(
        [
            sys.executable, "-I", "-m", "compileall", "-q", "-j0", "-x", NOT_COMPILED,
            "-s", folder, "-p", seen_as, folder,
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
