"""The student folder, away from the course: NumPy, Matplotlib and Jupyter alone."""

import csv
import json
import os
import re
import shutil
import subprocess
import sysconfig
import venv
from importlib.metadata import distribution
from pathlib import Path

import matplotlib
import nbformat
import pytest
from packaging.requirements import Requirement
from playwright.sync_api import expect, sync_playwright

from grading.solution import course_root, grade_id, load_solution

ASSIGNMENT = "rnn_lstm_forward"
FUNCTIONS = ["rnn_cell_forward", "rnn_forward", "lstm_cell_forward", "lstm_forward"]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NOT_FOR_STUDENTS = ["grading", "nbgrader", "typer", "rich", "pytest"]

# Runs the code cells of the notebook as a kernel would; prints what each one shows.
RUN_ALL = """
import importlib.util, json, sys
from pathlib import Path
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

sys.path.insert(0, "")
notebook, *refused = sys.argv[1:]
shell, shown = InteractiveShell.instance(), []
for cell in json.loads(Path(notebook).read_text("utf-8"))["cells"]:
    if cell["cell_type"] == "code":
        with capture_output() as out:
            result = shell.run_cell("".join(cell["source"]))
        plain = [output.data.get("text/plain", "") for output in out.outputs]
        shown.append({
            "id": cell["id"],
            "error": repr(result.error_before_exec or result.error_in_exec or ""),
            "warnings": out.stderr,
            "lines": "\\n".join([out.stdout, *plain]).strip().splitlines(),
            "pictures": sum("image/png" in output.data for output in out.outputs),
        })
print(json.dumps({
    "cells": shown,
    "found": [name for name in refused if importlib.util.find_spec(name)],
    "checks": sys.modules["rnn_checks"].__file__,
}))
"""


def clean_environment(folder, *packages):
    """Make a virtual environment of these packages and what they need; return its Python."""
    venv.create(folder, symlinks=True)
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder)}))
    wanted, seen = [Requirement(name) for name in packages], set()
    for requirement in wanted:  # it grows on the way
        needed = not requirement.marker or requirement.marker.evaluate({"extra": ""})
        if not needed or requirement.name in seen:
            continue
        seen.add(requirement.name)
        package = distribution(requirement.name)
        wanted += map(Requirement, package.requires or [])
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


@pytest.fixture
def student_folder(tmp_path):
    return shutil.copytree(course_root() / "release" / ASSIGNMENT, tmp_path / "student folder")


def solve(student_folder):
    """Put the solution into the solution cells of the student's notebook."""
    file = student_folder / f"{ASSIGNMENT}.ipynb"
    notebook = nbformat.read(file, as_version=4)
    sources = load_solution(ASSIGNMENT).sources
    for cell in notebook.cells:
        cell.source = sources.get(grade_id(cell), cell.source)
    nbformat.write(notebook, file)


def run_all(student_folder, tmp_path):
    """Run all cells where nothing but NumPy, Matplotlib and IPython is there."""
    python = clean_environment(tmp_path / "environment", "numpy", "matplotlib", "ipython")
    command = [python, "-c", RUN_ALL, f"{ASSIGNMENT}.ipynb", "yaml", *NOT_FOR_STUDENTS]
    variables = environment_variables(tmp_path)
    variables["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"  # as in a kernel
    out = subprocess.run(
        command, cwd=student_folder, env=variables, capture_output=True, text=True, timeout=60
    )
    assert out.returncode == 0, out.stderr
    seen = json.loads(out.stdout.splitlines()[-1])
    assert seen["found"] == [], "the environment is not clean"
    assert Path(seen["checks"]).samefile(student_folder / "rnn_checks.py")
    for cell in seen["cells"]:
        assert (cell["error"], cell["warnings"]) == ("''", ""), cell["id"]
    return seen["cells"]


def test_an_untouched_notebook_runs_to_the_bottom(student_folder, tmp_path):
    cells = run_all(student_folder, tmp_path)
    said = [line for cell in cells for line in cell["lines"]]
    unwritten = [line for line in said if "not written yet" in line]
    for name in FUNCTIONS:
        assert [line for line in unwritten if f"`{name}`" in line] == [
            f"✗ `{name}`: not written yet."
        ]
    assert said == unwritten
    assert cells[-1]["lines"], "the last cell has something to say"


def test_a_solved_notebook_shows_ticks_and_pictures_only(student_folder, tmp_path):
    solve(student_folder)
    cells = {cell["id"]: cell for cell in run_all(student_folder, tmp_path)}
    for name in FUNCTIONS:
        *ticks, closing = cells[f"check-{name.replace('_', '-')}"]["lines"]
        assert len(ticks) > 3
        assert all(re.match("✓ .*: right", line) for line in ticks)
        assert f"{len(ticks)} of " in closing
    assert [name for name, cell in cells.items() if cell["pictures"]] == [
        "gates-picture",
        "memory-picture",
    ]


@pytest.fixture
def jupyterlab(student_folder, tmp_path):
    """Serve the student folder with JupyterLab; yield the notebook's address."""
    python = clean_environment(tmp_path / "environment", "numpy", "matplotlib", "jupyterlab")
    command = [python, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1"]
    command += ["--IdentityProvider.token=", f"--notebook-dir={student_folder}"]
    command += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    command += ["--LabApp.news_url=None", "--LabApp.extension_manager=readonly"]
    variables = environment_variables(tmp_path)
    settings = tmp_path / "settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)
    # every cell is in the page, whether it is in view or not
    (settings / "tracker.jupyterlab-settings").write_text('{"windowingMode": "none"}')
    server = subprocess.Popen(command, env=variables, stderr=subprocess.PIPE, text=True)
    said = []
    for line in server.stderr:
        said.append(line)
        if found := re.search(r"http://127\.0\.0\.1:\d+/lab", line):
            break
    assert found, "".join(said)
    yield f"{found[0]}/tree/{ASSIGNMENT}.ipynb?reset"
    server.terminate()
    server.communicate(timeout=20)


@pytest.fixture
def page():
    """Open a page in headless Chromium, which must stay on this machine."""
    if not CHROMIUM:
        pytest.skip("needs Chromium: apt-get install chromium")
    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(20_000)
        yield page
        browser.close()


def test_a_student_fills_in_a_function_in_jupyterlab(page, jupyterlab):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(jupyterlab)
    stub = page.locator(".jp-CodeCell", has_text="def rnn_cell_forward(").first
    stub.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(load_solution(ASSIGNMENT).sources["rnn_cell_forward"])
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()

    outputs = page.locator(".jp-CodeCell .jp-OutputArea-output")
    expect(outputs.last).to_contain_text("The picture of what is kept", timeout=20_000)
    checks = [cell for cell in outputs.all_text_contents() if "✓" in cell or "✗" in cell]
    assert len(checks) == len(FUNCTIONS)
    assert "✓ a_next: right" in checks[0]
    assert "✗" not in checks[0]
    for name, check in zip(FUNCTIONS[1:], checks[1:], strict=True):
        assert f"{name}: not written yet." in check
    assert page.locator("[data-mime-type$='stderr'], [data-mime-type$='error']").count() == 0

    page.wait_for_function("[...document.images].every(image => image.complete)")
    images = page.locator(".jp-RenderedMarkdown img")
    sizes = images.evaluate_all("all => all.map(image => image.naturalWidth)")
    assert len(sizes) >= 8
    assert all(sizes)
    expect(page.locator(".jp-RenderedMarkdown mjx-container").nth(30)).to_be_attached()
    text = "\n".join(page.locator(".jp-RenderedMarkdown").all_text_contents())
    assert not re.search(r"\$|\\(langle|begin|odot|tag)", text)

    home = jupyterlab.split("/lab")[0]
    assert [url for url in asked if not url.startswith((home, "data:", "blob:"))] == []
