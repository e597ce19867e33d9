"""The learners' site: what a reader with a browser and no connection finds."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote, urldefrag

import html5lib
import nbformat
import numpy as np
import pytest
from browser import open_page, serious_violations
from bs4 import BeautifulSoup

from grading.authoring.leaks import scan, secrets_of
from grading.source import course_root, read_source

ROOT = course_root(Path(__file__).parent)
COURSE = ["grading", "nbgrader_config.py", "release", "rnn_checks.py", "site", "source"]
ASSIGNMENTS = sorted(path.name for path in (ROOT / "release").iterdir() if path.is_dir())
SOURCES = {assignment: read_source(assignment, ROOT) for assignment in ASSIGNMENTS}
FIRST = "rnn_lstm_forward"


def build(course, editions, to, **variables):
    """Build editions into the folder `to`; return where the pages of each are."""
    command = [sys.executable, course / "site" / "build.py", *editions, "--to", to]
    env = {**os.environ, **variables}
    run = subprocess.run(command, env=env, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-3000:]
    return [Path(line).parent for line in run.stdout.splitlines()]


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Both editions, and the public one once more: another folder, another time of day."""
    folder = tmp_path_factory.mktemp("site")
    copy = folder / "a copy elsewhere"
    copy.mkdir()
    for name in COURSE:
        copier = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copier(ROOT / name, copy / name)
    with ThreadPoolExecutor(2) as pool:
        both = pool.submit(build, ROOT, ["public", "solved"], folder / "one")
        again = pool.submit(build, copy, [], folder / "two", TZ="Pacific/Auckland")
        public, solved = both.result()
        return {"public": public, "solved": solved, "again": again.result()[0]}


def pages(folder):
    return sorted(folder.glob("*.html"))


def files(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_same_course_gives_the_same_bytes(site):
    one, two = files(site["public"]), files(site["again"])
    assert [path for path in one | two if one.get(path) != two.get(path)] == []


def show(view, page):
    """Go to a page without a network; what it lacks is an error."""
    view.open(page)
    view.page.wait_for_selector("html[data-ready]")
    view.page.wait_for_function("[...document.images].every(image => image.complete)")
    assert view.errors == [], page.name
    assert broken_images(view.page) == [], page.name
    assert maths_left_raw(view.page) == "", page.name
    assert view.page.locator("mjx-merror, [data-mjx-error]").count() == 0, page.name


@pytest.mark.parametrize(
    ("edition", "names", "width", "dark"),
    [
        ("public", ["*"], 390, True),
        ("public", ["index", FIRST, "lstm_in_motion"], 1280, False),
        ("solved", ["derivations", FIRST], 1280, False),
    ],
)
def test_every_page_is_whole_and_for_everyone(site, edition, names, width, dark):
    home = site[edition]
    with open_page(home / "index.html", width, dark) as view:
        view.page.context.set_offline(True)
        for page in sorted(page for name in names for page in home.glob(f"{name}.html")):
            show(view, page)
            assert view.page.evaluate("document.documentElement.scrollWidth") <= width, page.name
            assert serious_violations(view.page) == [], page.name
            # axe-core asks for the style sheets, which a file may not, and is told so by and by
            view.open("about:blank")
            view.errors.clear()
    assert [url for url in view.requests if not url.startswith(home.as_uri())] == []


def broken_images(page):
    return page.evaluate(
        "[...document.images].filter(image => !image.naturalWidth).map(image => image.src)"
    )


def maths_left_raw(page):
    """Return where TeX stands to be read, outside of code."""
    text = page.evaluate(
        """() => {
            const copy = document.querySelector("article, main").cloneNode(true);
            copy.querySelectorAll("pre, code, script, mjx-container").forEach(e => e.remove());
            return copy.textContent;
        }"""
    )
    found = re.search(r".{0,30}(\$|\\[(\[a-zA-Z]).{0,30}", text)
    return found[0] if found else ""


@pytest.mark.parametrize("edition", ["public", "solved"])
def test_pages_are_valid_and_lead_somewhere(site, edition):
    trees = {
        page.name: BeautifulSoup(page.read_text("utf-8"), "html.parser")
        for page in pages(site[edition])
    }
    titles, descriptions = set(), set()
    for name, tree in trees.items():
        html5lib.HTMLParser(strict=True).parse((site[edition] / name).read_bytes())
        ids = [element["id"] for element in tree.find_all(id=True)]
        assert len(ids) == len(set(ids)), name
        assert tree.html["lang"] == "en"
        assert len(tree.find_all("h1")) == 1, name
        titles.add(tree.title.text)
        descriptions.add(tree.find("meta", {"name": "description"})["content"])
        for image in tree.find_all("img"):
            assert image["alt"], name
            assert len(tree.find(id=image["aria-describedby"]).text) > 60, image["src"]
        for link in tree.find_all("a", href=True):
            assert leads_somewhere(site[edition], name, link["href"], trees), (name, link["href"])
    assert len(titles) == len(descriptions) == len(trees)
    assert all(20 < len(description) < 200 for description in descriptions)


def tree_of(page):
    return BeautifulSoup(page.read_text("utf-8"), "html.parser")


def leads_somewhere(folder, page, href, trees):
    if href.startswith("https://"):
        return True
    file, fragment = urldefrag(unquote(href))
    file = file or page
    if not fragment:
        return (folder / file).is_file()
    return trees[file].find(id=fragment) is not None


def test_symbols_lead_to_the_table_of_notation(site):
    page = (site["public"] / f"{FIRST}.html").read_text("utf-8")
    linked = set(re.findall(r"notation\.html#([\w-]+)", page))
    assert {"hidden-state", "cell-state", "forget-gate", "candidate", "time-steps"} <= linked
    with open_page(site["public"] / f"{FIRST}.html") as view:
        view.page.locator("a.symbol").first.focus()
        view.page.keyboard.press("Enter")
        view.page.wait_for_url("**/notation.html#*")
        assert view.page.locator("tr:has(:target)").count() == 1


def test_search_finds_the_forget_gate(site):
    with open_page(site["public"] / "index.html") as view:
        view.page.get_by_label("Search").first.fill("forget gate")
        view.page.keyboard.press("Enter")
        results = view.page.locator("#search-results li a")
        results.first.wait_for()
        assert any(
            FIRST in (each or "") for each in results.evaluate_all("all => all.map(a => a.href)")
        )
        assert view.errors == []


def test_dark_mode_can_be_chosen(site):
    with open_page(site["public"] / "index.html") as view:
        paper = "getComputedStyle(document.body).backgroundColor"
        seen = {view.page.evaluate(paper)}
        for _ in range(2):
            view.page.locator(".content-icon-container .theme-toggle").click()
            seen.add(view.page.evaluate(paper))
        assert len(seen) == 2


def test_one_click_brings_the_notebook_with_all_it_needs(site, tmp_path):
    with open_page(site["public"] / f"{FIRST}.html") as view:
        with view.page.expect_download() as started:
            view.page.get_by_role("link", name="Download the notebook").click()
        started.value.save_as(tmp_path / "all.zip")
    assert (tmp_path / "all.zip").read_bytes() == zip_of(site, FIRST).read_bytes()


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_downloads_are_the_released_folders(site, assignment, tmp_path):
    with zipfile.ZipFile(zip_of(site, assignment)) as archive:
        archive.extractall(tmp_path)
    assert files(tmp_path / assignment) == files(ROOT / "release" / assignment)
    notebook = nbformat.read(tmp_path / assignment / f"{assignment}.ipynb", as_version=4)
    nbformat.validate(notebook)


def zip_of(site, assignment):
    return site["public"] / "downloads" / f"{assignment}.zip"


# ------------------------------------------------------------------ nothing leaks


@pytest.fixture(scope="module")
def opened(site, tmp_path_factory):
    """The public edition with its zips unpacked."""
    folder = shutil.copytree(site["public"], tmp_path_factory.mktemp("opened") / "html")
    for file in folder.rglob("*.zip"):
        with zipfile.ZipFile(file) as archive:
            archive.extractall(file.with_suffix(""))
    return folder


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_public_edition_tells_no_secret(opened, assignment):
    found = scan(opened, secrets_of(SOURCES[assignment], ROOT))
    # a call without arguments, which another notebook makes in sight, tells nothing
    assert [leak for leak in found if not re.search(r"`test\.\w+\(\)`$", leak)] == []
    assert "SOLUTION" not in (opened / f"{assignment}.html").read_text("utf-8")


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_solved_edition_shows_what_it_should(site, assignment):
    """This also shows that the scan above would see a solution."""
    page = tree_of(site["solved"] / f"{assignment}.html")
    found = "\n".join(scan(site["solved"], secrets_of(SOURCES[assignment], ROOT)))
    for name, source in SOURCES[assignment].answers.items():
        last = [line.strip() for line in source.splitlines() if "SOLUTION" not in line][-1]
        assert f"the line `{last}`" in found, name
    assert len(page.select("details.solution")) == len(page.select("details.mistakes")) == 4
    assert all(len(each.find_all("dd")) > 5 for each in page.select("details.mistakes"))
    assert len(page.select("[aria-label=right]")) > 12, "the checks' ticks"
    assert page.select_one(".announcement")
    assert page.find("meta", {"name": "robots"})["content"] == "noindex"


def test_pictures_of_the_finished_notebook_are_shown_as_images(site):
    page = tree_of(site["public"] / f"{FIRST}.html")
    meant = page.select(".meant img")
    assert len(meant) == 2
    assert all(image["src"].endswith(".png") for image in meant)
    assert not page.select(".cell_output")


# ------------------------------------------------------------------ the LSTM in motion


def recomputed(value, store, show):
    """Compute the gates and states of the one-unit cell, from its formulas alone."""
    sigmoid, c, steps = lambda z: 1 / (1 + np.exp(-z)), 0.0, []
    for x, s, o in zip(value, store, show, strict=True):
        forget, stored, shown = sigmoid(5 - 10 * s), sigmoid(10 * s - 5), sigmoid(10 * o - 5)
        c = forget * c + stored * np.tanh(x)
        steps.append({"f": forget, "i": stored, "cct": np.tanh(x), "c": c, "o": shown})
        steps[-1]["a"] = shown * np.tanh(c)
    return steps


def number(text):
    return {"½": 0.5}.get(text) or float(text.replace("−", "-"))


def current(page):
    root = page.locator("#motion")
    return int(root.get_attribute("data-step")), root.get_attribute("data-part")


def test_the_numbers_in_motion_are_those_of_the_formulas(site):
    page = tree_of(site["public"] / "lstm_in_motion.html")
    frames = json.loads(page.find(id="motion-data").text)
    given = [[number(f["values"][name]) for f in frames] for name in ("value", "store", "show")]
    for frame, step in zip(frames, recomputed(*given), strict=True):
        for name, value in step.items():
            assert number(frame["values"][name]) == pytest.approx(value, abs=0.0051), name
    table = page.select("table.tape tbody tr")
    assert [number(cell.text) for cell in table[0].select("td span")] == given[0]


def test_the_animation_plays_and_steps_by_keyboard(site):
    with open_page(site["public"] / "lstm_in_motion.html") as view:
        page, press = view.page, view.page.keyboard.press
        page.clock.install()
        page.reload()
        page.locator("[data-do=play]").focus()
        assert current(page) == (12, "show")
        press("Home")
        assert current(page) == (1, "read")
        press("ArrowRight")
        press("ArrowRight")
        assert current(page) == (1, "store")
        assert page.locator(".card.active h3").inner_text() == "Input gate and candidate"
        assert page.locator(".motion-cell [data-value=c]").is_hidden()
        press("ArrowLeft")
        assert current(page) == (1, "forget")
        assert "Time step 1. Forget gate." in page.locator("#motion [aria-live]").inner_text()
        press("Space")
        assert page.locator("[data-do=play]").inner_text() == "Pause"
        page.clock.run_for(1600 * 5)
        assert current(page) == (2, "forget")
        press("Space")
        page.clock.run_for(1600 * 5)
        assert current(page) == (2, "forget")
        page.locator("#motion [type=range]").focus()
        press("ArrowRight")
        assert current(page) == (3, "show")
        page.locator("[data-do=parts]").uncheck()
        page.locator("[data-do=next]").focus()
        press("Enter")
        assert current(page) == (4, "show")
        page.locator("a.part-cell").focus()
        press("Enter")
        assert current(page) == (4, "cell")
        press("End")
        assert current(page) == (12, "show")
        assert view.errors == []


def test_who_wants_no_motion_gets_a_still(site):
    with open_page(site["public"] / "lstm_in_motion.html") as view:
        for media in ({"reduced_motion": "reduce"}, {"media": "print"}):
            view.page.emulate_media(**media)
            view.page.reload()
            view.page.locator("[data-do=first]").evaluate("button => button.click()")
            assert view.page.locator("[data-do=play]").is_hidden()
            values = view.page.locator("table.tape td:not(.now) span")
            assert values.count() == 9 * 12
            assert all(
                values.evaluate_all(
                    "all => all.map(one => one.checkVisibility({visibilityProperty: true}))"
                )
            )
            running = "document.getAnimations().filter(a => a.playState === 'running').length"
            assert view.page.evaluate(running) == 0
