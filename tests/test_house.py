"""The rules of the house that imports cannot show; import-linter's contracts hold the others."""

import ast
import functools
import importlib
import pkgutil
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from types import ModuleType

import nbformat
import pytest
from conftest import make_handed_in, open_run
from ours import NOTEBOOKS

import grading
import rnn_marking
from grading import typed
from grading.run.jobs import Mark
from grading.run.worker import Marker, make_ready
from grading.source import cells
from grading.source.bundle import bundle

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "docs"))
from draw import PICTURE, draw  # noqa: E402

ENGINE = sorted(path for path in (ROOT / "grading").rglob("*.py") if not path.is_symlink())
SUBJECT = sorted((ROOT / "rnn_marking").rglob("*.py"))
SITE = sorted((ROOT / "site").glob("*.py"))
# What rooms may import beside the standard library. traitlets comes with IPython.
IN_ROOMS = {"numpy", "matplotlib", "matplotlib_inline", "IPython", "traitlets"}


@functools.cache  # for the one process that runs this file; all of them import it
def trees() -> dict[Path, ast.Module]:
    """Return what is written in each module."""
    return {path: ast.parse(path.read_text("utf-8")) for path in [*ENGINE, *SUBJECT, *SITE]}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported_by(tree: ast.Module) -> set[str]:
    """Return the full names of what a module imports, relative ones left out."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return found


def those_that(does) -> set[str]:
    return {name_of(path) for path, tree in trees().items() if does(tree)}


def reads_settings(tree: ast.Module) -> bool:
    """Tell whether a module looks into a cell's `metadata.nbgrader`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node).endswith("metadata.nbgrader"):
            return True
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            texts = [a.value for a in node.args if isinstance(a, ast.Constant)]
            if node.func.attr == "get" and "nbgrader" in texts:
                return True
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            of_metadata = "metadata" in ast.unparse(node.value)
            if node.slice.value == "nbgrader" and of_metadata:
                return True
    return False


def test_one_module_reads_what_nbgrader_keeps_in_cells():
    assert those_that(reads_settings) == {"grading/source/cells.py"}


def test_one_module_queries_the_grade_book():
    def queries(tree):
        return any(re.match(r"nbgrader\.api\.(?!Gradebook$)", name) for name in imported_by(tree))

    assert those_that(queries) == {"grading/book.py"}
    opens = those_that(lambda tree: "nbgrader.api.Gradebook" in imported_by(tree))
    assert opens == {"grading/book.py", "grading/nbgrader_plugins.py"}


def test_one_module_puts_things_into_nbgrader():
    def changes_nbgrader(tree):
        targets = [t for n in ast.walk(tree) if isinstance(n, ast.Assign) for t in n.targets]
        return any(ast.unparse(target).startswith("nbgrader.") for target in targets)

    assert those_that(changes_nbgrader) == {"grading/nbgrader_plugins.py"}
    plugs = those_that(lambda t: any(n.startswith("nbgrader.plugins") for n in imported_by(t)))
    assert plugs == {"grading/nbgrader_plugins.py"}


def test_production_code_mocks_nothing():
    assert not those_that(lambda t: any(n.startswith("unittest") for n in imported_by(t)))


@pytest.mark.parametrize("path", sorted((ROOT / "grading/rooms/room").glob("*.py")), ids=name_of)
def test_what_runs_in_rooms_imports_little(path):
    tree = trees()[path.resolve()]  # one of them is a link
    tops = {name.partition(".")[0] for name in imported_by(tree)}
    assert tops <= sys.stdlib_module_names | IN_ROOMS
    for node in ast.walk(tree):  # and nothing above its own folder
        assert not isinstance(node, ast.ImportFrom) or node.level <= 1


def test_hidden_tests_import_the_public_module_and_their_subject():
    for path in NOTEBOOKS.values():
        for cell in nbformat.read(path, as_version=4).cells:
            if cells.is_test(cell):
                tops = {node.module for node in ast.parse(cell.source).body if is_from(node)}
                assert tops, f"{path}: {cell.id} imports nothing"
                ours = {name for name in tops if name.startswith("grading")}
                assert ours <= {"grading.testing"}
                assert all(n.startswith("rnn_marking.") for n in tops - ours)


def is_from(node: ast.AST) -> bool:
    return isinstance(node, ast.ImportFrom)


def test_no_cache_is_keyed_by_a_path_or_an_assignment():
    keyed = []
    for path, tree in trees().items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.FunctionDef):
                continue
            kept = any("cache" in ast.unparse(each) for each in node.decorator_list)
            given = {a.arg for a in node.args.args if a.arg in ("assignment", "root", "folder")}
            paths = [
                a for a in node.args.args if a.annotation and "Path" in ast.unparse(a.annotation)
            ]
            if kept and (given or paths):
                keyed.append(f"{name_of(path)}: {node.name}")
    assert keyed == []


@pytest.mark.parametrize("package", [grading, rnn_marking], ids=lambda p: p.__name__)
def test_no_name_shadows_a_module(package):
    names = [m.name for m in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    for name in names:
        if name != "grading.__main__" and "run_autograder" not in name:
            importlib.import_module(name)
    for name in set(names) & set(sys.modules):
        parent, _, own = name.rpartition(".")
        assert isinstance(getattr(sys.modules[parent], own), ModuleType), name


def test_no_two_classes_have_one_name():
    ours = [tree for path, tree in trees().items() if path not in SITE]
    named = [n.name for tree in ours for n in ast.walk(tree) if isinstance(n, ast.ClassDef)]
    assert len(named) == len(set(named)), {n for n in named if named.count(n) > 1}


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=lambda c: c[0])
def test_sources_of_the_kit_are_tidy(command):
    """Assignments of one's own beside them may be in any style: ruff looks at no source/."""
    folders = [path.parent for path in NOTEBOOKS.values()]
    subprocess.run([Path(sys.executable).with_name("ruff"), *command, *folders], check=True)


def test_the_drawing_is_that_of_the_code():
    assert PICTURE.read_text("utf-8") == draw(), "python docs/draw.py"


def test_no_file_is_long():
    for path in [*ENGINE, *SUBJECT]:
        assert len(path.read_text("utf-8").splitlines()) <= 500, name_of(path)


def test_the_checks_of_students_are_those_of_the_engine():
    assert (ROOT / "rnn_checks.py").read_text("utf-8") == bundle()
    assert max(map(len, bundle().splitlines())) < 80
    named = [node.name for node in ast.parse(bundle()).body if hasattr(node, "name")]
    named += re.findall(r"^(\w+) = ", bundle(), re.MULTILINE)
    assert len(named) == len(set(named))  # no part takes another's name


def test_one_module_opens_what_students_handed_in(released, tmp_path, monkeypatch):
    make_handed_in(released, tmp_path / "rnn", ("one",))
    opened = set()
    watching = True

    def watch(event: str, arguments: tuple) -> None:
        looks = watching and event in ("open", "os.listdir", "os.scandir")
        if looks and f"{tmp_path}/rnn/submitted/" in str(arguments[0]):
            frame = sys._getframe(1)
            while frame and Path(frame.f_code.co_filename) not in ENGINE:
                frame = frame.f_back
            opened.add(frame and name_of(Path(frame.f_code.co_filename)))

    sys.addaudithook(watch)  # it cannot be taken away again
    monkeypatch.chdir(tmp_path / "rnn")
    with open_run([], jobs=1) as run:  # its workers are processes of their own
        (student,) = run.todo
        assert Mark(student, run.submission(student)).work(make_ready(run.settings, Marker)).results
    watching = False
    assert opened == {"grading/intake/folder.py"}


def test_a_run_loads_no_plots_no_server_and_no_installer():
    """They take half a second and two tenths, of which a single regrade has two."""
    code = (
        "import sys; from grading import __main__; __main__.leave_out_what_nobody_needs()\n"
        "from grading.cli import app; from grading.source import read_source\n"
        "left_out = {'jupyter_server', 'pkg_resources', 'arrow', 'urllib3', 'soupsieve.util'}\n"
        "assert not left_out & sys.modules.keys()\n"
        "read_source('rnn_lstm_forward').namespace()\n"
        "assert 'matplotlib.figure' not in sys.modules\n"
        "sys.modules['matplotlib.pyplot'].figure()"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_every_package_imported_is_declared():
    def names(lines):
        found = (re.match(r"[\w.-]+", line.strip()) for line in lines if line[0] not in "#-")
        return {re.sub(r"[-_.]+", "-", each[0]).lower() for each in found if each}

    def tops(*folders):
        trees = (ast.parse(p.read_text("utf-8")) for f in folders for p in (ROOT / f).rglob("*.py"))
        return {name.partition(".")[0] for tree in trees for name in imported_by(tree)}

    ours = {"__future__", *(p.stem for p in ROOT.glob("*")), *(p.stem for p in ROOT.glob("*/*.py"))}
    known = packages_distributions()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = names(project["dependencies"])
    pinned = names((ROOT / "requirements.txt").read_text("utf-8").splitlines())
    assert declared == pinned
    more = names((ROOT / "requirements-dev.txt").read_text("utf-8").splitlines())
    comes_with = {"torch", "base"}  # requirements-torch.txt; what a marked notebook is told
    for folders, may in (
        (["grading", "rnn_marking", "rnn_figures"], declared),
        (["tests", "site", "benchmarks", "docs"], declared | more),
    ):
        others = tops(*folders) - sys.stdlib_module_names - ours - comes_with
        missing = {n for n in others if not names(known.get(n, [n])) & may}
        assert not missing


# ---------------------------------------------------------------- the word for the command

OLD_WORD = "python -m grading"
KEEPS_IT = {"grading/__main__.py", "grading/source/bundle.py"}  # it also works; tells made files


def test_one_word_stands_for_the_command_wherever_users_read():
    read = [ROOT / name for name in ("CONTRIBUTING.md", "SECURITY.md", "nbgrader_config.py")]
    read += [*ROOT.glob("README*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("site/**/*.md")]
    read += [*ROOT.glob("source/*/mistakes.yaml"), *ROOT.glob("grading/**/*.py")]
    said = {str(path.relative_to(ROOT)) for path in read if OLD_WORD in path.read_text("utf-8")}
    assert said <= KEEPS_IT


@pytest.mark.parametrize(
    ("argv", "typed_as", "hint"),
    [
        (["{bin}/rnn-grading", "grade"], [], "rnn-grading"),  # as a shell finds it
        (["{elsewhere}/rnn-grading", "grade"], [], "{elsewhere}/rnn-grading"),
        (["{grading}/__main__.py"], ["python3", "-m", "grading"], "python3 -m grading"),
        (["{grading}/__main__.py"], ["bin/python", "-m"], f"{sys.executable} -m grading"),
        (["/usr/bin/jupyter-lab"], [], "rnn-grading"),  # formgrader
    ],
)
def test_hints_say_the_command_as_it_was_typed(tmp_path, monkeypatch, argv, typed_as, hint):
    places = {"bin": tmp_path / "bin", "elsewhere": tmp_path, "grading": ROOT / "grading"}
    (tmp_path / "bin").mkdir()
    for folder in (tmp_path, tmp_path / "bin"):
        (folder / "rnn-grading").touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(sys, "argv", [each.format(**places) for each in argv])
    monkeypatch.setattr(sys, "orig_argv", typed_as)
    assert typed.command() == hint.format(**places)
