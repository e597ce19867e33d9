"""The table of mistakes: named wrong versions of the solution, and right ones."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass

import yaml

from grading import CourseError

ALLOW = "allow"  # what the scan for secrets lets pass, beside the functions
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C where it can be had


@dataclass(frozen=True)
class Version:
    """
    One version of a function, made from the solution by small edits.

    Attributes
    ----------
    name : str
        What the version does: "softmax_wrong_axis". Several forms of one mistake, which
        stand under `also` in the table, share it.
    function : str
        The function it is a version of.
    sentence : str
        What a student who hands this in should read; "" for a right version.
    text : str
        The whole solution cell with the edits made.
    earns_nothing : bool
        Whether a mistake is no slip: it says `earns: nothing`.
    shows_in : str
        In whose test it loses points: another function's, where only the cache that this one
        hands on is wrong.
    """

    name: str
    function: str
    sentence: str
    text: str
    earns_nothing: bool
    shows_in: str

    @property
    def is_mistake(self) -> bool:
        """Tell whether this version is wrong."""
        return bool(self.sentence)


def read_versions(
    table: bytes, answers: Mapping[str, str], others: Container[str] = ()
) -> Iterator[Version]:
    """
    Make every version that a `mistakes.yaml` describes, in its order.

    Parameters
    ----------
    table : bytes
        The file.
    answers : mapping
        The text of each solution cell, by the function's name.
    others : container of str
        Functions of other notebooks of the assignment, whose versions are left out.

    Raises
    ------
    CourseError
        Where the file cannot be read, or edits do not fit the solution: whose and why, a line each.
    """
    misfits = []
    try:
        for function, kinds in (yaml.load(table, LOADER) or {}).items():
            if function == ALLOW or function in others:
                continue
            if function not in answers:
                raise CourseError(f"mistakes.yaml: there is no function {function}")
            versions = {**(kinds.get("mistakes") or {}), **(kinds.get("correct") or {})}
            for name, entry in versions.items():
                nothing = entry.get("earns") == "nothing"
                shows_in = entry.get("shows_in", function)
                if shows_in not in answers:
                    raise CourseError(f"mistakes.yaml, {name}: there is no function {shows_in}")
                sentence = entry.get("sentence", "")
                for edits in (entry["edits"], *entry.get("also", ())):
                    try:
                        text = edit(answers[function], edits, name)
                    except CourseError as misfit:
                        misfits.append(str(misfit))
                        continue
                    yield Version(name, function, sentence, text, nothing, shows_in)
    except yaml.YAMLError as error:
        raise CourseError(f"mistakes.yaml: {' '.join(str(error).split())}") from None
    except (AttributeError, KeyError, TypeError) as error:
        raise CourseError(f"mistakes.yaml: a part is missing or misplaced ({error})") from None
    if misfits:
        raise CourseError("\n".join(dict.fromkeys(misfits)))


def read_allowed(table: bytes) -> list[str]:
    """Return what a `mistakes.yaml` lets students see, although it stands in a solution or test."""
    found = (yaml.load(table, LOADER) or {}).get(ALLOW, [])
    if not isinstance(found, list):
        raise CourseError(f"mistakes.yaml, {ALLOW}: a list is expected, of lines and numbers")
    return [str(each) for each in found]


def edit(text: str, edits: list[dict[str, str]], name: str) -> str:
    """Make the edits of one form of an entry; each must find its text exactly once."""
    for change in edits:
        found = text.count(change["find"])
        if found != 1:
            raise CourseError(
                f"mistakes.yaml, {name}: `{change['find']}` stands {found} times in the solution,"
                " not once"
            )
        text = text.replace(change["find"], change["replace"])
    return text
