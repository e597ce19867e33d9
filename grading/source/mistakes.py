"""The table of mistakes: named wrong versions of the solution, and right ones."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from grading import CourseError
from grading.source.assignment import Solution, course_root, load_solution, source_folder


@dataclass(frozen=True)
class Version:
    """
    One version of a function, made from the solution by small edits.

    Attributes
    ----------
    name : str
        What the version does: "softmax_wrong_axis".
    function : str
        The function it is a version of.
    sentence : str
        What a student who hands this in should read; "" for a right version.
    source : str
        The whole solution cell with the edits made.
    """

    name: str
    function: str
    sentence: str
    source: str

    @property
    def is_mistake(self) -> bool:
        """Tell whether this version is wrong."""
        return bool(self.sentence)

    def build(self, solution: Solution) -> Callable:
        """Return this version as a function, amid the right other functions."""
        return solution.namespace(**{self.function: self.source})[self.function]


def read_versions(assignment: str, root: Path | None = None) -> list[Version]:
    """
    Read `mistakes.yaml` and make every version that it describes.

    Raises
    ------
    CourseError
        Where an edit does not fit the solution: whose, and why.
    """
    sources = load_solution(assignment, root).sources
    try:
        table = yaml.safe_load((source_folder(assignment, root) / "mistakes.yaml").read_bytes())
        return list(versions_in(table, sources))
    except (OSError, yaml.YAMLError) as error:
        raise CourseError(f"mistakes.yaml: {' '.join(str(error).split())}") from None
    except (AttributeError, KeyError, TypeError) as error:
        raise CourseError(f"mistakes.yaml: a part is missing or misplaced ({error})") from None


def versions_in(table: dict, sources: dict[str, str]) -> Iterator[Version]:
    """Yield the versions that the table describes, in its order."""
    for function, kinds in table.items():
        for name, entry in {**kinds["mistakes"], **kinds["correct"]}.items():
            source = edit(sources[function], entry, name)
            yield Version(name, function, entry.get("sentence", ""), source)


def edit(source: str, entry: dict, name: str) -> str:
    """Make the edits of one entry; each must find its text exactly once."""
    for change in entry["edits"]:
        found = source.count(change["find"])
        if found != 1:
            raise CourseError(
                f"mistakes.yaml, {name}: `{change['find']}` stands {found} times in the solution,"
                " not once"
            )
        source = source.replace(change["find"], change["replace"])
    return source


def known_mistakes(assignment: str, function: str) -> list[Version]:
    """Return the mistakes of one function; the table is read once per process."""
    versions = _read_versions(assignment, course_root())
    return [v for v in versions if v.is_mistake and v.function == function]


@functools.cache
def _read_versions(assignment: str, root: Path) -> list[Version]:
    return read_versions(assignment, root)
