"""The student folders, away from the course: NumPy, Matplotlib and Jupyter alone."""

import csv
import json
import os
import re
import shutil
import subprocess
import sysconfig
import venv
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import distribution
from pathlib import Path

import matplotlib
import nbformat
import pytest
from browser import CHROMIUM, open_page
from ours import ASSIGNMENTS
from packaging.requirements import Requirement
from playwright.sync_api import expect

from grading.source import course_root, read_source
from grading.source.cells import with_answers

ROOT = course_root(Path(__file__).parent)
FILLED_IN = "rnn_lstm_forward"  # the one that a student works on in JupyterLab
# Trainings are cut short here; the solved edition of the site runs them whole.
SHORTER = {
    "char_lstm": [("characters, 600, show", "characters, 50, show")],
    "rnn_lstm_backward": [("rounds=1500)", "rounds=50)"), ("rounds=300)", "rounds=50)")],
}
WAITS = (
    r"✗ `\w+`: not written yet\."
    r"|.+: waits for a function that is not written yet\."
    r"|There are no .+ yet\."
    r"|✗ `\w+`: waits for a cache: your forward function stops, or returns none\."
)
NOT_FOR_STUDENTS = ["grading", "nbgrader", "typer", "rich", "pytest"]

# Runs the code cells of a notebook as a kernel would, and prints what each one shows: for each
# folder that comes in, in a process of its own, which has what every notebook imports.
RUN_ALL = """
import importlib.util, json, os, sys
from pathlib import Path
import matplotlib.pyplot
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

sys.path.insert(0, "")
refused = sys.argv[1:]
for line in sys.stdin:
    child = os.fork()
    if not child:
        break
    os.waitpid(child, 0)
else:
    sys.exit()
folder = Path(json.loads(line))
os.chdir(folder)
notebook = f"{folder.name}.ipynb"
shell, shown = InteractiveShell.instance(), []
for cell in json.loads(Path(notebook).read_text("utf-8"))["cells"]:
    if cell["cell_type"] == "code":
        with capture_output() as out:
            result = shell.run_cell("".join(cell["source"]))
        pictures = ["image/png" in output.data for output in out.outputs]
        plain = [
            output.data.get("text/plain", "")
            for output, is_picture in zip(out.outputs, pictures)
            if not is_picture
        ]
        shown.append({
            "id": cell["id"],
            "error": repr(result.error_before_exec or result.error_in_exec or ""),
            "warnings": out.stderr,
            "lines": "\\n".join([out.stdout, *plain]).strip().splitlines(),
            "pictures": sum(pictures),
            "draws": "plt.show()" in "".join(cell["source"]),
        })
print(json.dumps({
    "cells": shown,
    "found": [name for name in refused if importlib.util.find_spec(name)],
    "modules": {path.name: sys.modules[path.stem].__file__ for path in Path().glob("*.py")},
}), flush=True)
os._exit(0)
"""


def clean_environment(folder, *packages):
    """Make a virtual environment of these packages and what they need; return its Python."""
    venv.create(folder, symlinks=True)
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder)}))
    wanted, seen = [(Requirement(name), {""}) for name in packages], set()
    for requirement, extras in wanted:  # it grows on the way
        marker = requirement.marker
        needed = not marker or any(marker.evaluate({"extra": extra}) for extra in extras)
        if not needed or str(requirement) in seen:
            continue
        seen.add(str(requirement))
        package = distribution(requirement.name)
        own_extras = requirement.extras | {""}
        wanted += [(Requirement(each), own_extras) for each in package.requires or []]
        for entry in csv.reader(package.read_text("RECORD").splitlines()):
            place(package.locate_file(""), entry[0], site)
    return folder / "bin" / "python"


def place(installed, file, site):
    """Link what is imported; copy what JupyterLab serves, which must not be a link."""
    top = file.split("/")[0]
    if top != "..":
        if not (site / top).exists():
            (site / top).symlink_to(installed / top)
    elif "../share/jupyter/" in file or "../etc/jupyter/" in file:
        target = Path(os.path.normpath(site / file))
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(installed / file, target)


def environment_variables(folder):
    """Keep Python and Jupyter away from the user's own packages and settings."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "JUPYTER"))}
    kinds = ["CONFIG", "DATA", "RUNTIME"]
    return {
        **clean,
        **{f"JUPYTER_{kind}_DIR": str(folder / kind) for kind in kinds},
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "IPYTHONDIR": str(folder / "ipython"),
        "MPLCONFIGDIR": matplotlib.get_cachedir(),  # or it looks at every font again
    }


def copy_of(assignment, folder):
    return shutil.copytree(ROOT / "release" / assignment, folder / assignment)


def solve(student_folder):
    """Put the solution into the student's notebook, and let its trainings be short."""
    file = student_folder / f"{student_folder.name}.ipynb"
    notebook = nbformat.read(file, as_version=4)
    answers = read_source(student_folder.name, ROOT).answers
    solved = with_answers(notebook, answers)
    for long, short in SHORTER.get(student_folder.name, ()):
        (cell,) = (cell for cell in solved.cells if cell.source.count(long) == 1)
        cell.source = cell.source.replace(long, short)
    nbformat.write(solved, file)


def run_all(runner, student_folder):
    """Run all cells; return what each one shows, by its id."""
    runner.stdin.write(f"{json.dumps(str(student_folder))}\n")
    runner.stdin.flush()
    seen = json.loads(runner.stdout.readline())
    assert seen["found"] == [], "the environment is not clean"
    assert "rnn_checks.py" in seen["modules"]
    for name, file in seen["modules"].items():
        assert Path(file).samefile(student_folder / name)
    return {cell["id"]: cell for cell in seen["cells"]}


@pytest.fixture(scope="module")
def runner(tmp_path_factory):
    """Start what runs notebooks, where there is NumPy, Matplotlib and IPython alone."""
    folder = tmp_path_factory.mktemp("environment")
    python = clean_environment(folder / "packages", "numpy", "matplotlib", "ipython")
    command = [python, "-c", RUN_ALL, "yaml", *NOT_FOR_STUDENTS]
    variables = environment_variables(folder)
    variables["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"  # as in a kernel
    variables["OPENBLAS_NUM_THREADS"] = "1"  # more wait for each other, on a busy machine
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=folder, env=variables, text=True, **pipes) as process:
        yield process


@pytest.fixture(scope="module", params=ASSIGNMENTS)
def runs(request, runner, tmp_path_factory):
    """Run an untouched and a solved notebook; return the functions, and what each run showed."""
    folders = [
        copy_of(request.param, tmp_path_factory.mktemp(kind))
        for kind in ("untouched folder", "solved folder")
    ]
    solve(folders[1])
    untouched, solved = (run_all(runner, folder) for folder in folders)
    return list(read_source(request.param, ROOT).answers), untouched, solved


def check_of(function):
    """Return the id of the cell that checks a function."""
    return f"check-{function.replace('_', '-')}"


def assert_quiet(cells):
    """Assert that no cell raises or warns."""
    for name, cell in cells.items():
        assert (cell["error"], cell["warnings"]) == ("''", ""), name


def test_an_untouched_notebook_says_what_is_not_written_yet_and_no_more(runs):
    functions, untouched, solved = runs
    assert_quiet(untouched)
    said = [line for cell in untouched.values() for line in cell["lines"]]
    for name in functions:
        (unwritten,) = untouched[check_of(name)]["lines"]
        assert re.fullmatch(WAITS, unwritten) and f"`{name}`" in unwritten
        assert [line for line in said if f"`{name}`" in line] == [unwritten]
    for name, cell in untouched.items():
        # what does not wait for the student is the same in the end
        if cell["lines"] != solved[name]["lines"]:
            assert all(re.fullmatch(WAITS, line) for line in cell["lines"]), name
            assert not cell["pictures"], f"{name} shows an empty picture"
        shows = bool(solved[name]["lines"] or solved[name]["pictures"])
        assert bool(cell["lines"] or cell["pictures"]) == shows, f"{name} has something to say"


def test_a_solved_notebook_shows_ticks_and_pictures_only(runs):
    functions, _, cells = runs
    assert_quiet(cells)
    for name in functions:
        *ticks, closing = cells[check_of(name)]["lines"]
        assert len(ticks) >= 3
        assert all(re.match("✓ .*: right", line) for line in ticks)
        assert closing.startswith(f"`{name}`: {len(ticks)} of ")
    said = [line for cell in cells.values() for line in cell["lines"]]
    assert [line for line in said if "✗" in line or re.fullmatch(WAITS, line)] == []
    drawn = [name for name, cell in cells.items() if cell["pictures"]]
    assert drawn == [name for name, cell in cells.items() if cell["draws"]]


@pytest.fixture(scope="module")
def jupyterlab(tmp_path_factory):
    """Serve the student folders with JupyterLab; return its address."""
    if not CHROMIUM:
        pytest.skip("needs Chromium: apt-get install chromium")
    home = tmp_path_factory.mktemp("jupyterlab")
    for assignment in ASSIGNMENTS:
        copy_of(assignment, home / "student folder")
    python = clean_environment(home / "environment", "numpy", "matplotlib", "jupyterlab")
    command = [python, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1"]
    command += ["--IdentityProvider.token=", f"--notebook-dir={home / 'student folder'}"]
    command += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    command += ["--LabApp.news_url=None", "--LabApp.extension_manager=readonly"]
    command += ["--LabApp.expose_app_in_browser=True"]
    settings = home / "settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)
    # every cell is in the page, whether it is in view or not
    (settings / "tracker.jupyterlab-settings").write_text('{"windowingMode": "none"}')
    variables = environment_variables(home)
    server = subprocess.Popen(command, env=variables, stderr=subprocess.PIPE, text=True)
    said = []
    for line in server.stderr:
        said.append(line)
        if found := re.search(r"http://127\.0\.0\.1:\d+/lab", line):
            break
    assert found, "".join(said)
    with ThreadPoolExecutor() as pool:
        pool.submit(server.stderr.read)  # a full pipe would stop the server
        yield found[0]
        server.terminate()
    server.wait()


@pytest.fixture(scope="module")
def view(jupyterlab):
    """Open JupyterLab in headless Chromium, which must stay on this machine."""
    with open_page(f"{jupyterlab}?reset") as view:
        view.page.wait_for_function("window.jupyterapp")
        yield view
    home = jupyterlab.removesuffix("/lab")
    assert [url for url in view.requests if not url.startswith(home)] == []


HAS_A_KERNEL = "jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'"


def open_notebook(page, assignment):
    """Open a notebook; return its panel."""
    # not by clicks in the list of files: JupyterLab reads it anew now and then, and loses a click
    needs_a_kernel = assignment == FILLED_IN  # each takes a second
    page.evaluate(
        """async ([path, start]) => {
            const kernelPreference = {shouldStart: start, canStart: start};
            await jupyterapp.restored;
            await jupyterapp.commands.execute('docmanager:open', {path, kernelPreference});
        }""",
        [f"{assignment}/{assignment}.ipynb", needs_a_kernel],
    )
    tab = page.locator("#jp-main-dock-panel .lm-TabBar-tab.lm-mod-current")
    expect(tab).to_have_text(f"{assignment}.ipynb")
    return page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")


def text_of(assignment):
    """Return the text cells of a student notebook, without code in them."""
    file = ROOT / "release" / assignment / f"{assignment}.ipynb"
    cells = nbformat.read(file, as_version=4).cells
    text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return re.sub(r"```.*?```|`[^`]+`", "", text, flags=re.DOTALL)


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_jupyterlab_shows_every_image_and_formula(view, assignment):
    panel = open_notebook(view.page, assignment)
    text = text_of(assignment)
    displayed = re.findall(r"\$\$.+?\$\$", text, re.DOTALL)
    inline = re.findall(r"\$[^$]+\$", re.sub(r"\$\$.+?\$\$", "", text, flags=re.DOTALL))
    rendered = panel.locator(".jp-RenderedMarkdown")
    for kind, formulas in {"[display]": displayed, ":not([display])": inline}.items():
        shown = rendered.locator(f"mjx-container{kind}")
        expect(shown).to_have_count(len(formulas))
    assert len(displayed) + len(inline) > 30
    assert rendered.locator("mjx-merror").count() == 0
    assert not re.search(r"\$|\\[a-zA-Z]{2,}", "\n".join(rendered.all_text_contents()))

    view.page.wait_for_function("[...document.images].every(image => image.complete)")
    images = rendered.locator("img").evaluate_all("all => all.map(image => image.naturalWidth)")
    assert len(images) == len(re.findall(r"!\[[^\]]*\]\(figures/", text)) > 0
    assert all(images)


def test_a_student_fills_in_a_function_in_jupyterlab(view):
    page, solution = view.page, read_source(FILLED_IN, ROOT).answers
    panel = open_notebook(page, FILLED_IN)
    first, *others = solution
    stub = panel.locator(".jp-CodeCell", has_text=f"def {first}(").first
    stub.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(solution[first])
    page.wait_for_function(HAS_A_KERNEL)  # without one, JupyterLab runs nothing, and says nothing
    page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")  # as its menu does

    outputs = panel.locator(".jp-CodeCell .jp-OutputArea-output")
    expect(outputs.last).to_contain_text("The picture of what is kept")
    checks = [cell for cell in outputs.all_text_contents() if "✓" in cell or "✗" in cell]
    assert "✓ a_next: right" in checks[0]
    assert "✗" not in checks[0]
    for name, check in zip(others, checks[1:], strict=True):
        assert f"{name}: not written yet." in check
    assert panel.locator("[data-mime-type$='stderr'], [data-mime-type$='error']").count() == 0
