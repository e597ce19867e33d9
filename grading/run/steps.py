"""The preprocessors that a course has set up, on their way to workers."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cloudpickle
from nbformat import NotebookNode
from traitlets.config import Config

from grading import CourseError

Step = Callable[[NotebookNode, dict], tuple[NotebookNode, dict]]


@dataclass(frozen=True)
class Steps:
    """
    What a course does to notebooks with preprocessors, packed: see `pack_steps`.

    Attributes
    ----------
    clearing : bytes
        Those that make the student version of a cell.
    sanitizing, marking : bytes
        The course's own, before a submission runs, and those behind.
    """

    clearing: bytes
    sanitizing: bytes
    marking: bytes


def pack_steps(config: Config, steps: Iterable[Any], root: Path) -> bytes:
    """
    Return preprocessors as bytes: of the configuration, what is set of each, and nothing else.

    Parameters
    ----------
    config : Config
        The course's.
    steps : iterable
        Classes, or functions of a notebook and resources. Those that are written in
        nbgrader_config.py, or in a module beside it, are sent whole.
    root : Path
        The course folder, which workers on other machines do not see.

    Raises
    ------
    CourseError
        Where one of them cannot be sent.
    """
    packed = []
    with ExitStack() as stack:
        for step in steps:
            module = sys.modules.get(step.__module__)
            if lies_in(getattr(module, "__file__", None), root):
                cloudpickle.register_pickle_by_value(module)
                stack.callback(cloudpickle.unregister_pickle_by_value, module)
            try:
                packed.append(cloudpickle.dumps((step, options_of(step, config))))
            except (TypeError, AttributeError, ValueError, pickle.PicklingError) as error:
                raise CourseError(
                    f"nbgrader_config.py: {step.__name__} cannot be sent to workers ({error});"
                    " let it make what it needs itself"
                ) from None
    return pickle.dumps(packed)


def options_of(step: object, config: Config) -> dict[str, Any] | None:
    """Return what is set of a preprocessor; None for a function, which has no options."""
    if not isinstance(step, type):
        return None
    made = step(config=config)
    names = filter(made.trait_has_value, made.trait_names(config=True))
    return {name: getattr(made, name) for name in names}


def lies_in(file: str | None, root: Path) -> bool:
    """Tell whether a module is one of the course's own, and not an installed one."""
    return file is not None and Path(file).parent == root


def unpack_steps(data: bytes) -> list[Step]:
    """Return the preprocessors that were packed."""
    found = map(pickle.loads, pickle.loads(data))
    return [step if options is None else step(**options) for step, options in found]


def take_steps(steps: Iterable[Step], notebook: NotebookNode, about: dict) -> NotebookNode:
    """Return the notebook as these preprocessors leave it."""
    resources = {"nbgrader": about}
    for step in steps:
        notebook, resources = step(notebook, resources)
    return notebook
