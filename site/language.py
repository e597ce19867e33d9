"""The languages of the site: English, and every folder of this one that holds a words.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from grading import CourseError

HERE = Path(__file__).parent
ENGLISH = "en"
DOCS = "docs"  # the folder of what instructors read
CODES = [ENGLISH, *sorted(path.parent.name for path in HERE.glob("*/words.yaml"))]


@dataclass(frozen=True)
class Language:
    """
    A language of the site.

    Attributes
    ----------
    code : str
        That of its folder, and of its release.
    """

    code: str = ENGLISH

    @property
    def folder(self) -> Path:
        """Where its texts stand: beside this file, or in a folder that mirrors it."""
        return HERE if self.code == ENGLISH else HERE / self.code

    @property
    def release(self) -> Path:
        """Where its student versions are."""
        return HERE.parent / ("release" if self.code == ENGLISH else f"release-{self.code}")

    @property
    def words(self) -> dict[str, Any]:
        """The words that stand in programs and templates."""
        return self.told("words")

    def told(self, name: str) -> dict[str, Any]:
        """
        Return what `<name>.yaml` says: the English with the words of the language.

        Raises
        ------
        CourseError
            Where the language has an entry that the English has not.
        """
        return read(name, self.code)

    def has(self, page: str) -> bool:
        """Whether a page is there in the language."""
        notebook = self.release / page / f"{page}.ipynb"
        own = page.startswith(f"{DOCS}/") and self.code == ENGLISH  # for instructors
        return page == "search" or notebook.exists() or page in self.pages or own

    @property
    def pages(self) -> set[str]:
        """The pages that are written for the site."""
        return {path.stem for path in (self.folder / "pages").glob("*.md")}

    def address(self, page: str, of: Language) -> str:
        """Return the address of a page in another language, or of its first, seen from here."""
        page = page if of.has(page) else "index"
        if of == self:
            return f"{page}.html"
        back = "" if self.code == ENGLISH else "../"
        return f"{back}{page}.html" if of.code == ENGLISH else f"{back}{of.code}/{page}.html"


@cache
def read(name: str, code: str) -> dict[str, Any]:
    """Return what a file says in a language."""
    english = yaml.safe_load((HERE / f"{name}.yaml").read_text("utf-8"))
    if code == ENGLISH:
        return english
    file = HERE / code / f"{name}.yaml"
    return merged(english, yaml.safe_load(file.read_text("utf-8")), f"site/{code}/{name}.yaml")


def merged(english: Any, words: Any, where: str) -> Any:
    """Return the English with other words: numbers and names are those of the English."""
    if isinstance(english, dict):
        if unknown := words.keys() - english.keys():
            raise CourseError(f"{where}: the English has no {', '.join(map(str, unknown))}")
        return {
            key: merged(value, words[key], f"{where}, {key}") if key in words else value
            for key, value in english.items()
        }
    if isinstance(english, list):
        if len(english) != len(words):
            raise CourseError(f"{where}: the English has {len(english)} entries")
        return [merged(*pair, where) for pair in zip(english, words, strict=True)]
    return words
