"""The table of mistakes: named wrong versions of the solution, and right ones."""

from __future__ import annotations

import functools
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import fastjsonschema
import yaml

from grading import CourseError

ALLOW = "allow"  # what the scan for secrets lets pass, beside the functions

TEXT = {"type": "string", "minLength": 1}
EDITS = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "properties": {"find": TEXT, "replace": {"type": "string"}},
        "required": ["find", "replace"],
        "additionalProperties": False,
    },
}
FORMS = {"edits": EDITS, "also": {"type": "array", "items": EDITS}}
CORRECT = {
    "type": "object",
    "properties": FORMS,
    "required": ["edits"],
    "additionalProperties": False,
}
MISTAKE = {
    **CORRECT,
    "properties": {**FORMS, "sentence": TEXT, "earns": {"enum": ["nothing"]}, "shows_in": TEXT},
    "required": ["sentence", "edits"],
}
TABLE = {
    "type": "object",
    "properties": {ALLOW: {"type": "array", "items": {"type": ["string", "number"]}}},
    "additionalProperties": {
        "type": "object",
        "properties": {
            "mistakes": {"type": ["object", "null"], "additionalProperties": MISTAKE},
            "correct": {"type": ["object", "null"], "additionalProperties": CORRECT},
        },
        "additionalProperties": False,
    },
}


SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C where it can be had


class Loader(SafeLoader):
    """Reads YAML; a key that stands twice is an error, where YAML would take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        """Return a mapping."""
        seen: set[str] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                said = f"`{key.value}` stands there twice"
                raise yaml.MarkedYAMLError(problem=said, problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


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
    def entry(self) -> str:
        """Where it stands in the table."""
        return f"mistakes.yaml, {self.function}, {self.name}"

    @property
    def is_mistake(self) -> bool:
        """Tell whether this version is wrong."""
        return bool(self.sentence)


@functools.cache
def check_of_tables() -> Callable[[object], object]:
    """Return what raises where a table is not as it should be."""
    return fastjsonschema.compile(TABLE)


@functools.lru_cache(20)
def read_table(table: bytes) -> Mapping[str, Any]:
    """
    Read a `mistakes.yaml`.

    Raises
    ------
    CourseError
        Where it cannot be read, or holds something else than a table of mistakes: where, and why.
    """
    try:
        found = yaml.load(table, Loader) or {}
        check_of_tables()(found)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise CourseError(f"mistakes.yaml{line}: {error.problem}") from None
    except yaml.YAMLError as error:
        raise CourseError(f"mistakes.yaml: {' '.join(str(error).split())}") from None
    except fastjsonschema.JsonSchemaValueException as error:
        raise CourseError(f"mistakes.yaml{misplaced(error)}") from None
    return found


def misplaced(error: fastjsonschema.JsonSchemaValueException) -> str:
    """Say what of a table is not as it should be: of which function and entry, and what."""
    _, *path = (str(int(part) + 1) if str(part).isdigit() else part for part in error.path)
    where = "".join(f", {part}" for part in path if part not in ("mistakes", "correct"))
    rule, known = error.definition, error.definition.get("properties", {})
    needed = rule.get("required", ())
    if error.rule == "required":
        missing = [f"`{each}`" for each in needed if each not in error.value]
        return f"{where}: {' and '.join(missing)} is missing"
    if error.rule == "additionalProperties":
        odd = ", ".join(f"`{each}`" for each in error.value if each not in known)
        return f"{where}: there is no {odd} here; it may hold {', '.join(known)}"
    kinds = {"string": "a text", "array": "a list", "object": "a table of names"}
    wanted = rule.get("type")
    if error.rule == "type" and wanted in kinds:
        return f"{where}: {kinds[wanted]} belongs here"
    return f"{where}: {error.message.removeprefix(str(error.name)).strip()}"


def read_versions(
    table: Mapping[str, Any], answers: Mapping[str, str], others: Container[str] = ()
) -> Iterator[Version]:
    """
    Make every version that a `mistakes.yaml` describes, in its order.

    Parameters
    ----------
    table : dict
        What the file holds.
    answers : mapping
        The text of each solution cell, by the function's name.
    others : container of str
        Functions of other notebooks of the assignment, whose versions are left out.

    Raises
    ------
    CourseError
        Where edits do not fit the solution: whose and why, a line each.
    """
    misfits = []
    for function, kinds in table.items():
        if function == ALLOW or function in others:
            continue
        if function not in answers:
            misfits.append(f"mistakes.yaml: there is no function {function}")
            continue
        for name, entry in {**(kinds.get("mistakes") or {}), **(kinds.get("correct") or {})}.items():
            shows_in = entry.get("shows_in", function)
            if shows_in not in answers:
                misfits.append(f"mistakes.yaml, {function}, {name}: there is no function {shows_in}")
                continue
            sentence, nothing = entry.get("sentence", ""), "earns" in entry
            for edits in (entry["edits"], *entry.get("also", ())):
                try:
                    text = edit(answers[function], edits, f"{function}, {name}")
                except CourseError as misfit:
                    misfits.append(str(misfit))
                else:
                    yield Version(name, function, sentence, text, nothing, shows_in)
    if misfits:
        raise CourseError("\n".join(dict.fromkeys(misfits)))


def read_allowed(table: Mapping[str, Any]) -> list[str]:
    """Return what the table lets students see, although it stands in a solution or test."""
    return [str(each) for each in table.get(ALLOW, [])]


def edit(text: str, edits: list[dict[str, str]], name: str) -> str:
    """Make the edits of one form of an entry, `name`; each must find its text exactly once."""
    for change in edits:
        found = text.count(change["find"])
        if found != 1:
            raise CourseError(
                f"mistakes.yaml, {name}: `{change['find']}` stands {found} times in the solution,"
                " not once"
            )
        if change["find"] == change["replace"]:
            raise CourseError(f"mistakes.yaml, {name}: `{change['find']}` is replaced by itself")
        text = text.replace(change["find"], change["replace"])
    return text
