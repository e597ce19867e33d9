"""nbgrader's options that have no place here; docs/nbgrader_options.md lists them all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from nbgrader.converters import Autograde, GenerateFeedback
from nbgrader.preprocessors import (
    AssignLatePenalties,
    ClearOutput,
    DeduplicateIds,
    Execute,
    GetGrades,
    OverwriteCells,
    OverwriteKernelspec,
    SaveAutoGrades,
)
from traitlets.config import Config, Configurable
from traitlets.config.loader import DeferredConfig, LazyConfigValue
from traitlets.utils.importstring import import_item

from grading import CourseError
from grading.bounded import Times

KERNEL = (
    "student code runs in a room and not in a Jupyter kernel; set what it may use with"
    " c.Autograde.limits"
)
TEXT_ALONE = "of a submission nothing but the text of cells is ever used; leave it on"
PAGES = "pages are the kit's own; change them in c.GenerateFeedback.post_convert_hook"
# What is said of an option that is set: why it has no place here, and what to set instead.
REFUSED: dict[tuple[type[Configurable], str], str] = {
    (Execute, "enabled"): (
        "what is not run cannot be marked (--no-execute); leave it out, and mark by hand in"
        " formgrader"
    ),
    **{
        (Execute, name): KERNEL
        for name in Execute.class_trait_names(config=True)
        if name not in ("enabled", "timeout")
    },
    (ClearOutput, "enabled"): "the solution's outputs would be released; leave it on",
    (DeduplicateIds, "enabled"): TEXT_ALONE,
    (OverwriteKernelspec, "enabled"): TEXT_ALONE,
    (OverwriteCells, "enabled"): TEXT_ALONE,
    (OverwriteCells, "missing_cell_notification"): (
        "a cell that was deleted is put back as it was; the note in grades.csv says so"
    ),
    (SaveAutoGrades, "enabled"): (
        "marks are kept in a grade book; to try something, take another one with"
        " --db=sqlite:///trial.db"
    ),
    (Autograde, "exporter_class"): (
        "a marked notebook stays one; make other files of it in c.Autograde.post_convert_hook"
    ),
    (Autograde, "exclude_overwriting"): (
        "rooms hold the course's own files; let students write such code in a solution cell"
    ),
    (GenerateFeedback, "exporter_class"): PAGES,
    (GenerateFeedback, "preprocessors"): PAGES,
    (GetGrades, "enabled"): PAGES,
    (GetGrades, "display_data_priority"): PAGES,
}
# nbgrader's own steps that the kit stands for: those that must be there, and all.
SANITIZING = tuple(Autograde.class_traits()["sanitize_preprocessors"].default())
MARKING = (Execute, SaveAutoGrades)
OURS = (*SANITIZING, *MARKING, AssignLatePenalties)


def refuse(config: Config) -> None:
    """
    Raise CourseError where an option is set that would be ignored, in one line that names it.

    Parameters
    ----------
    config : Config
        Of files and command line.
    """
    for (kind, name), why in REFUSED.items():
        if is_set(config, kind, name):
            raise CourseError(f"{kind.__name__}.{name} has no place here: {why}")


def is_set(config: Config, kind: type[Configurable], name: str) -> bool:
    """Tell whether an option is set to something other than its default."""
    return bool(set_to(config, kind, name) != kind.class_traits()[name].default())


def set_to(config: Config, kind: type[Configurable], name: str) -> Any:
    """Return what an option is set to, its default where it is not set."""
    trait = kind.class_traits()[name]
    value = default = trait.default()
    for section in kind.section_names():  # the bases' first
        if section in config and name in config[section]:
            value = config[section][name]
    if isinstance(value, DeferredConfig):  # from the command line, a text as yet
        value = value.get_value(trait)
    return value.get_value(default) if isinstance(value, LazyConfigValue) else value


def limits_by_timeout(config: Config) -> dict[str, float]:
    """Return the limits that nbgrader's own time for a cell stands for; {} where it is not set."""
    seconds = set_to(config, Execute, "timeout") or 0
    if not is_set(config, Execute, "timeout") or seconds <= 0:
        return {}
    longest = max(seconds, int(Times().notebook))
    a_cell = {"cell_seconds": seconds, "call_seconds": seconds}
    return {**a_cell, "notebook_seconds": longest, "cpu_seconds": longest}


def own_steps(option: str, steps: Iterable[Any], needed: tuple[type, ...]) -> Iterator[Any]:
    """
    Yield those steps of a list that are not nbgrader's own, for which the kit stands.

    Parameters
    ----------
    option : str
        Which list of Autograde.
    steps : iterable
        Classes, their names, or functions of a notebook and resources.
    needed : tuple of type
        What must not be left out.

    Raises
    ------
    CourseError
        Where it is, or where a step is built on one of nbgrader's own.
    """
    steps = [import_item(step) if isinstance(step, str) else step for step in steps]
    missing = [kind.__name__ for kind in needed if kind not in steps]
    if missing:
        raise CourseError(
            f"Autograde.{option} leaves out {', '.join(missing)}, and nothing here can do without;"
            f" add to nbgrader's list: c.Autograde.{option}.append(...)"
        )
    for step in steps:
        if step in OURS:
            continue
        base = next((k for k in OURS if isinstance(step, type) and issubclass(step, k)), None)
        if base:
            raise CourseError(
                f"Autograde.{option}: {step.__name__} is built on {base.__name__}, for which"
                " the kit has its own; build it on NbGraderPreprocessor"
            )
        yield step
