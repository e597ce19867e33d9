"""The course's own modules, imported as they stood when the source was read."""

from __future__ import annotations

import ast
import functools
import importlib.abc
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType

from grading.later import Later

NOT_OURS = ("nbgrader_config", "grading")


def read_modules(root: Path) -> dict[str, bytes]:
    """Read the modules and packages that lie in a course folder, by their path there."""
    paths = [path for path in root.glob("*.py") if path.stem not in NOT_OURS]
    for package in root.glob("*/__init__.py"):
        if package.parent.name not in NOT_OURS:
            paths += package.parent.glob("**/*.py")
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(paths)}


class NoShell:
    """Stands for IPython's shell where a magic is run on our side: it does nothing."""

    @staticmethod
    def run_line_magic(*_: str) -> None:
        """Do nothing."""

    run_cell_magic = run_line_magic


def put_off_plots() -> None:
    """Load Matplotlib when something is drawn, which tests seldom do: it takes half a second."""
    if "matplotlib" not in sys.modules:
        package = sys.modules["matplotlib"] = Later("matplotlib")
        plots = sys.modules["matplotlib.pyplot"] = Later("matplotlib.pyplot")
        setattr(package, "pyplot", plots)


class CourseModules(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """
    Finds and loads modules by their text, whatever else has the same names.

    A server marks for months: what it has once imported is not what stands in the course
    folder today, and another assignment may have other modules of the same names.

    Parameters
    ----------
    files : dict
        Path and text of each module: "rnn_utils.py", "rnn_marking/inputs.py".
    """

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = {name_of(path): (path, text) for path, text in files.items()}
        self.loaded: dict[str, ModuleType] = {}

    @contextmanager
    def importing(self) -> Iterator[None]:
        """Let `import` find these modules, and no others of their names, in the block."""
        if self in sys.meta_path:
            yield
            return
        put_off_plots()
        tops = tuple({name.partition(".")[0] for name in self.files})
        alike = [name for name in [*sys.modules] if name.startswith(tops)]  # fast: of thousands
        others = [name for name in alike if name.partition(".")[0] in tops]
        before = {name: sys.modules.pop(name) for name in others}
        sys.modules.update(self.loaded)
        sys.meta_path.insert(0, self)
        try:
            yield
        finally:
            sys.meta_path.remove(self)
            for name in self.files.keys() & sys.modules.keys():
                self.loaded[name] = sys.modules.pop(name)
            sys.modules.update(before)

    def reached_from(self, texts: Iterable[str]) -> dict[str, bytes]:
        """Return the modules that code imports, and what these import: path and text."""
        found: dict[str, bytes] = {}
        waiting = list(texts)
        while waiting:
            for name in names_imported(waiting.pop()) & self.files.keys():
                path, text = self.files[name]
                if path not in found:
                    found[path] = text
                    waiting.append(text.decode())
        return found

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where a module comes from; None for modules of others."""
        if name not in self.files:
            return None
        path = self.files[name][0]
        spec = ModuleSpec(
            name, self, origin=f"<source>/{path}", is_package=path.endswith("__init__.py")
        )
        spec.has_location = True  # or the module has no `__file__`
        return spec

    def get_source(self, name: str) -> str:
        """Return a module's text."""
        return self.files[name][1].decode()

    def get_code(self, name: str) -> CodeType:
        """Return a module's code."""
        return code_of(*self.files[name])


@functools.lru_cache(1000)
def code_of(path: str, text: bytes) -> CodeType:
    """Compile the text of a module."""
    return compile(text, f"<source>/{path}", "exec", dont_inherit=True)


@functools.lru_cache(1000)
def names_imported(text: str) -> frozenset[str]:
    """Return the names of all modules that code may import, the packages they lie in as well."""
    names: set[str] = set()
    try:
        tree = ast.parse(text)
    except SyntaxError:  # a magic, or an author's slip: it is said where the code is run
        return frozenset()
    for node in statements_in(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(names | {name.partition(".")[0] for name in names})


def statements_in(block: ast.AST) -> Iterator[ast.AST]:
    """Yield all statements in a block, at any depth: `ast.walk` looks at every expression, too."""
    for field in ("body", "orelse", "finalbody", "handlers", "cases"):
        parts = getattr(block, field, ())
        for part in parts if isinstance(parts, list) else ():  # a lambda has an expression there
            yield part
            yield from statements_in(part)


def name_of(path: str) -> str:
    """Return the name by which a module is imported."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
