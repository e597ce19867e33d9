"""The learners' site: what a reader with a browser and no connection finds."""

import functools
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from urllib.parse import unquote, urldefrag
from xml.parsers import expat

import html5lib
import nbformat
import pytest
from browser import KEPT, LOOKS, but_for_colours, chromium, pale, still, view_of
from bs4 import BeautifulSoup
from ours import ASSIGNMENTS, secrets
from test_translation import ENGLISH, numbers

from grading.authoring import leaks
from grading.source import course_root, read_source
from rnn_marking.address import open_in

ROOT = course_root(Path(__file__).parent)
COURSE = [
    *(
        "SECURITY.md",
        "docs",
        "grading",
        "nbgrader_config.py",
        "release",
        "release-zh",
        "rnn_checks.py",
    ),
    *("site", "source"),
]
SOURCES = {assignment: read_source(assignment, ROOT) for assignment in ASSIGNMENTS}
FIRST = "rnn_lstm_forward"
sys.path.insert(0, str(ROOT / "site"))  # its files are programs, and no package

from language import CODES, Language  # noqa: E402
from motion_file import file_of  # noqa: E402
from notebooks import NotebookPage  # noqa: E402

WIDTHS = (1280, 768, 360)
ON_A_DESK = ("index", FIRST, "lstm_in_motion", "derivations")  # held against all rules there, too
# What is made alike on all pages: one is enough, in which it is left.
WHOLE = "lstm_fused_gates"
EMPTIED = """
    document.querySelectorAll('mjx-math, mjx-assistive-mml').forEach(e => e.replaceChildren());
    document.querySelectorAll('pre').forEach(e => e.textContent = e.textContent);
    document.querySelectorAll('svg.drawing').forEach(e => e.replaceChildren());
"""
# Formulas that stood in the same place of another page are left out, before MathJax sees them.
NOT_AGAIN = """
    addEventListener("DOMContentLoaded", () => {
        const known = new Set(KNOWN);
        window.formulas = [...document.querySelectorAll("article .math")].map((formula) => {
            const around = [];
            for (let e = formula; e.nodeName !== "ARTICLE"; e = e.parentElement)
                around.push(e.nodeName);
            const place = [formula.textContent, ...around].join(" in ");
            if (known.has(place)) formula.replaceChildren();
            return place;
        });
    });
"""
HREFS = "all => all.map(a => a.href)"


def build(editions, to):
    """Build editions into the folder `to`; return where the pages of each are."""
    command = [sys.executable, ROOT / "site" / "build.py", *editions, "--to", to]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-3000:]
    return [Path(line).parent for line in run.stdout.splitlines()]


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """
    Both editions, and Chinese pages once more: another folder, time of day and order of sets.

    There the first notebook is run once more; what the others show is there already. As `make
    site` does, it runs no notebook that is as it was the last time: pytest's cache keeps that.
    """
    folder = tmp_path_factory.mktemp("site")
    kept = KEPT.with_name("site-material")
    if kept.exists():
        shutil.copytree(kept, folder / "one" / "material")
    copy = folder / "a copy elsewhere"
    copy.mkdir()
    for name in COURSE:
        copier = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copier(ROOT / name, copy / name)
    public, solved = build(["public", "solved"], folder / "one")
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(folder / "one" / "material", kept)
    shown = shutil.copytree(folder / "one" / "material", folder / "two" / "material")
    shutil.rmtree(shown / "zh" / FIRST)
    shutil.copytree(ROOT / "site" / "vendor", folder / "two" / "html" / "_static")
    again = [sys.executable, "-c", AGAIN, folder / "two"]
    env = {"TZ": "Pacific/Auckland", "PYTHONHASHSEED": "1", "OPENBLAS_NUM_THREADS": "1"}
    env = {**os.environ, **env}
    run = subprocess.run(again, cwd=copy, env=env, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-3000:]
    return {"public": public, "zh": public / "zh", "solved": solved, "again": Path(run.stdout[:-1])}


AGAIN = """
import pathlib, sys
sys.path.insert(0, "site")
import build, material
work = pathlib.Path(sys.argv[1])
material.main(work / "material", measure=False)
print(build.build_language(work, "public", build.Language("zh")).parent)
"""


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def looking(browser):
    with still(beside=browser) as looking:
        yield looking


@pytest.fixture
def view(browser):
    view = view_of(browser, "about:blank")
    yield view
    view.page.close()


@pytest.fixture
def plain_view(view):
    """Return a view in which no formula is typeset: most of the work of opening a notebook."""
    view.page.route("**/mathjax/*.js", lambda route: route.abort())
    return view


def pages(folder):
    return sorted(folder.glob("*.html"))


def files(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_same_course_gives_the_same_bytes(site):
    one, two = files(site["zh"]), files(site["again"])
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
    ("edition", "names", "widths"),
    [
        ("public", ["*"], WIDTHS),
        ("public", ["zh/*"], WIDTHS[-1:]),
        ("solved", [*ASSIGNMENTS, "derivations"], WIDTHS[::2]),  # what the public edition lacks
        ("solved", [f"zh/{FIRST}"], WIDTHS[:1]),
    ],
)
def test_every_page_is_whole_and_for_everyone(
    site, looking, looks, formulas, edition, names, widths
):
    """On a phone, a tablet and a desk, by day and by night; the bars of what scrolls are seen."""
    home, found, view = site[edition], [], view_of(looking, "about:blank")
    view.page.add_init_script(NOT_AGAIN.replace("KNOWN", json.dumps(sorted(formulas))))
    view.page.context.set_offline(True)
    for page in sorted(page for name in names for page in home.glob(f"{name}.html")):
        on_a_desk = page.stem in ON_A_DESK
        resize(view.page, widths[0])
        show(view, page)
        formulas.update(view.page.evaluate("window.formulas"))
        lines = looked_at(view.page, widths, widths if on_a_desk else widths[-1:], looks)
        if page != site["public"] / f"{WHOLE}.html":
            view.page.evaluate(EMPTIED)
        if names == ["*"] or on_a_desk:  # in other words, the same parts
            lines += but_for_colours(view.page)
        if on_a_desk and len(widths) > 1:
            view.page.evaluate(EMPTIED)
            resize(view.page, widths[0])
            lines += but_for_colours(view.page)
        found += [f"{page.relative_to(home)}, {line}" for line in lines]
        assert view.errors == [], page.name
    assert found == []
    assert [url for url in view.requests if not url.startswith(home.as_uri())] == []
    view.page.close()


def test_on_a_phone_what_scrolls_fades_until_its_end_and_buttons_do_not_touch(site, view):
    resize(view.page, WIDTHS[-1])
    show(view, site["public"] / f"{FIRST}.html")
    boxes = ".scroller[tabindex], .table-wrapper[tabindex]"
    assert view.page.locator(boxes).count() > 1
    fades = f"[...document.querySelectorAll('{boxes}')].map(e => getComputedStyle(e).maskImage)"
    assert "none" not in view.page.evaluate(fades)
    view.page.evaluate(f"document.querySelector('{boxes}').scrollLeft = 10_000")
    view.page.wait_for_function(f"{fades}[0] === 'none'")
    theme, contents = view.page.locator(".header-right > *:visible").all()
    gap = contents.bounding_box()["x"] - theme.bounding_box()["x"] - theme.bounding_box()["width"]
    assert gap >= 8


@pytest.fixture(scope="module")
def looks():
    """Looks of texts that were held against what is behind them: once for all pages."""
    return set()


@pytest.fixture(scope="module")
def formulas():
    """Formulas that were typeset, with the kinds of boxes they stand in: once for all pages."""
    return set()


def looked_at(page, widths, coloured, looks):
    """Return what is cut or too small, and where `coloured`, too pale of looks that are new."""
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.evaluate(f"{LOOKS}; Object.assign(window, {{whatIsCut}})")
    found = []
    for width in widths:
        resize(page, width)
        page.evaluate("markScrolling()")
        found += [f"{width}: {line}" for line in page.evaluate("whatIsCut()")]
        # the colours of a tablet are those of a desk
        for scheme in ("dark", "light") if width in coloured and width != 768 else ():
            page.emulate_media(color_scheme=scheme)
            page.evaluate(
                "document.getAnimations().forEach(a => a instanceof CSSTransition && a.finish())"
            )
            found += [f"{width}, {scheme}: {line}" for line in pale(page, seen=looks)]
    return found


def resize(page, width):
    page.set_viewport_size({"width": width, "height": 900})


def broken_images(page):
    return page.evaluate(
        "[...document.images].filter(image => !image.naturalWidth).map(image => image.src)"
    )


def maths_left_raw(page):
    """Return where TeX stands to be read, outside of code."""
    text = page.evaluate(
        """() => {
            const code = ["PRE", "CODE", "SCRIPT", "MJX-CONTAINER"];
            const text = (node) =>
                node.nodeType === 3 ? node.data
                : code.includes(node.nodeName) ? "" : [...node.childNodes].map(text).join("");
            return text(document.querySelector("article, main"));
        }"""
    )
    found = re.search(r".{0,30}(\$|\\[(\[a-zA-Z]).{0,30}", text)
    return found[0] if found else ""


@pytest.mark.parametrize("edition", ["public", "solved", "zh"])
def test_pages_are_valid_and_lead_somewhere(site, edition):
    trees = {page.name: tree_of(page) for page in pages(site[edition])}
    titles, descriptions, places = set(), set(), {}
    for name, tree in trees.items():
        text = (site[edition] / name).read_text("utf-8")
        html5lib.HTMLParser(strict=True).parse(DRAWN.sub(r"\1\3", text))
        drawn = [part for found in DRAWN.finditer(text) for part in parts_of(found[0])]
        ids = [element["id"] for element in tree.find_all(id=True)]
        ids += [part["id"] for part in drawn if "id" in part]
        assert len(ids) == len(set(ids)), name
        assert tree.html["lang"] == ("zh-CN" if edition == "zh" else "en")
        assert len(tree.find_all("h1")) == 1, name
        titles.add(tree.title.text)
        descriptions.add(tree.find("meta", {"name": "description"})["content"])
        assert not tree.find_all("img"), name
        words = {element["id"]: element for element in tree.select("figcaption p[id]")}
        for drawing in tree.find_all("svg", "drawing"):
            assert drawing["aria-label"], name
            described = words[drawing["aria-describedby"]].text
            assert len(described) > (30 if edition == "zh" else 60), drawing["aria-label"]
        places[name] = set(ids)
    for name, tree in trees.items():
        for link in tree.find_all("a", href=True):
            assert leads_somewhere(site[edition], name, link["href"], places), (name, link["href"])
    assert len(titles) == len(descriptions) == len(trees)
    assert all(20 < len(description) < 200 for description in descriptions)


# Most of a page is drawings, which are well-formed XML, and of which only the words are read.
DRAWN = re.compile(r'(<svg class="drawing"[^>]*>)(.*?)(</svg>)', re.DOTALL)


def parse(page):
    text = DRAWN.sub(lambda found: f"{found[1]}{words_in(found[2])}</svg>", page.read_text("utf-8"))
    return BeautifulSoup(text, "html.parser")


def parts_of(drawing):
    """Return the attributes of each element of a drawing but itself; it must be well-formed."""
    found, parser = [], expat.ParserCreate()
    parser.StartElementHandler = lambda _, attributes: found.append(attributes)
    parser.Parse(drawing, True)
    return found[1:]


def words_in(drawing):
    return "".join(re.findall("<text.*?</text>", drawing, re.DOTALL))


tree_of = functools.cache(parse)  # several tests read a page


def leads_somewhere(folder, page, href, places):
    if href.startswith("https://"):
        return True
    file, fragment = urldefrag(unquote(href))
    file = file or page
    if not fragment:
        return (folder / file).is_file()
    return fragment in places[file]


def test_symbols_lead_to_the_table_of_notation(site, view):
    page = (site["public"] / f"{FIRST}.html").read_text("utf-8")
    linked = set(re.findall(r"notation\.html#([\w-]+)", page))
    assert {"hidden-state", "cell-state", "forget-gate", "candidate", "time-steps"} <= linked
    view.open(site["public"] / f"{FIRST}.html")
    view.page.locator("a.symbol").first.focus()
    view.page.keyboard.press("Enter")
    view.page.wait_for_url("**/notation.html#*")
    assert view.page.locator("tr:has(:target)").count() == 1


def test_search_finds_words_and_characters(site, view):
    """Also what no blanks set apart, and a single character; all of it must be in a page."""
    wanted = {
        "public": {"forget gate": FIRST},
        "zh": {"遗忘门": FIRST, "前向传播": FIRST, "循环神经网络": "index", "词": FIRST},
    }
    for edition, queries in wanted.items():
        view.open(site[edition] / "index.html")
        for query, page in queries.items():
            assert f"{page}.html" in found_by_search(view, query), query
    assert found_by_search(view, "遗忘的斑马") == []
    said = view.page.locator("#search-results").inner_text()
    assert not re.search("[A-Za-z]", said)
    assert view.errors == []
    assert [url for url in view.requests if not url.startswith("file:")] == []


def found_by_search(view, query):
    """Return the pages that a search leads to, as a reader makes it from the page that is open."""
    view.page.locator(".sidebar-search").fill(query)
    with view.page.expect_navigation(url="**/search.html?*"):
        view.page.keyboard.press("Enter")
    view.page.wait_for_selector("#search-results .search-summary:not(:empty)")
    links = view.page.locator("#search-results li a")
    return [Path(urldefrag(a)[0].split("?")[0]).name for a in links.evaluate_all(HREFS)]


def test_every_page_leads_to_itself_in_the_other_language(site):
    others = {f"{path.name}.html" for path in (ROOT / "source").iterdir()}  # of one's own: English
    others -= {f"{name}.html" for name in ASSIGNMENTS}
    names = {page.name for page in pages(site["public"])} - others
    assert names == {page.name for page in pages(site["zh"])} - others
    for name in names:
        trees = {"en": tree_of(site["public"] / name), "zh-CN": tree_of(site["zh"] / name)}
        to = {"en": f"../{name}", "zh-CN": f"zh/{name}"}
        for tag, other in (("en", "zh-CN"), ("zh-CN", "en")):
            (switch,) = trees[tag].select("nav.languages a")
            assert (switch["href"], switch["hreflang"], switch["lang"]) == (to[other], other, other)
            alternates = trees[tag].select("link[rel=alternate][hreflang]")
            assert {each["hreflang"]: each["href"] for each in alternates} == {
                **{tag: name, other: to[other]},
                "x-default": name if tag == "en" else f"../{name}",
            }


# Latin text on a Chinese page: code, what programs say, what is quoted, literature, terms
QUOTED = ("pre", "code, script, style, em, blockquote, [lang=en], .math")
QUOTED += (":is(li, td):has(a[href^=https])",)


def test_no_english_sentence_is_left_on_a_chinese_page(site):
    for page in [*pages(site["zh"]), *pages(site["solved"] / "zh")]:
        tree = parse(page)  # its own, to take away from
        for quoted in QUOTED:  # the many first: fewer are left to look at
            for element in tree.select(quoted):
                element.decompose()
        told = [each.attrs for each in tree.find_all(True)]
        attributes = ("title", "aria-label", "placeholder", "content")
        said = [tree.get_text("\n"), *(e[a] for a in attributes for e in told if a in e)]
        assert ENGLISH.findall("\n\n".join(said)) == [], page.name
        for shown in [e[a] for a in attributes[1:3] for e in told if a in e]:
            assert not shown.isascii() or shown in ("English", "tanh"), shown


@pytest.mark.parametrize("code", CODES[1:])
def test_a_translation_keeps_formulas_code_links_and_numbers(code):
    english, other = Language(), Language(code)
    texts = [
        (path.read_text("utf-8"), (other.folder / "pages" / path.name).read_text("utf-8"))
        for path in (english.folder / "pages").glob("*.md")
        if path.stem not in ("instructors", "derivations")
    ]  # which are in English alone
    told = {name: [leaves(each.told(name)) for each in (english, other)] for name in TOLD}
    texts += [pair for both in told.values() for pair in zip(*both, strict=True)]
    assert len(texts) > 300
    pictures = [each.get("pictures", {}) for each in english.told("assignments").values()]
    described = {picture["words"] for each in pictures for picture in each.values()}
    for one, two in texts:
        for what in SAME:
            found = [sorted(re.findall(what, text, re.M | re.S)) for text in (one, two)]
            assert found[0] == found[1], two
        assert set(re.findall(r"\{.*?\}", one)) <= set(re.findall(r"\{.*?\}", two)), two
        if one not in described:  # there, English has numbers as words
            assert numbers(one) == numbers(two), two


TOLD = ("words", "motion", "notation", "assignments")
SAME = (
    r"\$[^$]+\$",
    r"`[^`\n]+`|<code>.*?</code>",
    r"\]\(([^)#]*)",
    r'href="([^"]*)"',
    r"^#+ ",
    r"^\|",
)


def leaves(told):
    """Yield the texts of a YAML file, in their order."""
    if isinstance(told, dict | list):
        for each in told.values() if isinstance(told, dict) else told:
            yield from leaves(each)
    elif isinstance(told, str):
        yield told


def test_dark_mode_can_be_chosen(site, view):
    view.open(site["public"] / "index.html")
    paper = "getComputedStyle(document.body).backgroundColor"
    seen = {view.page.evaluate(paper)}
    for _ in range(2):
        view.page.locator(".content-icon-container .theme-toggle").click()
        seen.add(view.page.evaluate(paper))
    assert len(seen) == 2


def test_one_click_brings_the_notebook_with_all_it_needs(site, plain_view, tmp_path):
    view = plain_view
    view.open(site["public"] / f"{FIRST}.html")
    with view.page.expect_download() as started:
        view.page.get_by_role("link", name="Download the notebook").click()
    started.value.save_as(tmp_path / "all.zip")
    assert (tmp_path / "all.zip").read_bytes() == zip_of(site, FIRST).read_bytes()


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
@pytest.mark.parametrize(("edition", "release"), [("public", "release"), ("zh", "release-zh")])
def test_downloads_are_the_released_folders(site, assignment, edition, release, tmp_path):
    with zipfile.ZipFile(zip_of(site, assignment, edition)) as archive:
        archive.extractall(tmp_path)
    assert files(tmp_path / assignment) == files(ROOT / release / assignment)
    notebook = nbformat.read(tmp_path / assignment / f"{assignment}.ipynb", as_version=4)
    nbformat.validate(notebook)


def zip_of(site, assignment, edition="public"):
    return site[edition] / "downloads" / f"{assignment}.zip"


# ------------------------------------------------------------------ nothing leaks


@functools.cache
def texts_in(folder):
    """Return each text that the leak scan reads in a folder, with the first file it stands in."""
    paths = [path for path in sorted(folder.rglob("*"), reverse=True) if path.is_file()]
    return {text: path.relative_to(folder) for path in paths for _, text in leaks.texts_of(path)}


def leaks_in(folder, assignment):
    find = secrets(assignment).find
    return [f"{path}: {what}" for text, path in texts_in(folder).items() for what in find(text)]


@pytest.fixture(scope="module")
def opened(site, tmp_path_factory):
    """
    The public edition with its zips unpacked.

    Without MathJax, and the guides for authors: they are public in any case, and their examples
    are their own.
    """
    left_out = shutil.ignore_patterns("mathjax", "docs")
    to = tmp_path_factory.mktemp("opened") / "html"
    folder = shutil.copytree(site["public"], to, ignore=left_out)
    for file in folder.rglob("*.zip"):
        with zipfile.ZipFile(file) as archive:
            archive.extractall(file.with_suffix(""))
    return folder


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_public_edition_tells_no_secret(opened, assignment):
    found = leaks_in(opened, assignment)
    # a call without arguments, which another notebook makes in sight, tells nothing
    assert [leak for leak in found if not re.search(r"`test\.\w+\(\)`$", leak)] == []
    assert "SOLUTION" not in (opened / f"{assignment}.html").read_text("utf-8")


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_the_solved_edition_shows_what_it_should(site, assignment):
    """This also shows that the scan above would see a solution."""
    file = site["solved"] / f"{assignment}.html"
    page, hidden = tree_of(file), secrets(assignment)
    found = "\n".join(leak for _, text in leaks.texts_of(file) for leak in hidden.find(text))
    for name, source in SOURCES[assignment].answers.items():
        last = [line.strip() for line in source.splitlines() if "SOLUTION" not in line][-1]
        assert f"the line `{last}`" in found, name
    assert len(page.select("details.solution")) == len(page.select("details.mistakes")) == 4
    assert all(len(each.find_all("dd")) > 5 for each in page.select("details.mistakes"))
    assert len(page.select("[aria-label=right]")) > 12, "the checks' ticks"
    assert page.select_one(".announcement")
    assert page.find("meta", {"name": "robots"})["content"] == "noindex"


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_solutions_are_explained_and_repeat_no_docstring(site, assignment):
    page = tree_of(site["solved"] / f"{assignment}.html")
    for fold in page.select("details.solution"):
        code = [block.text for block in fold.select("pre")]
        said = [p.text for p in fold.select("p")]
        assert len(said) >= len(code) > 2, fold.text
        assert '"""' not in "".join(code)
        derived = fold.find("a", href=re.compile(r"^derivations\.html#"))
        of_forward = re.search(r"\w+_forward\(", "".join(code))  # a loop has no formulas
        assert derived or assignment == FIRST or of_forward


def test_pictures_of_the_finished_notebook_are_shown(site):
    page = tree_of(site["public"] / f"{FIRST}.html")
    assert len(page.select(".meant svg.drawing")) == 2
    for name in os.listdir(ROOT / "release-zh"):  # in their own words
        for drawing in tree_of(site["zh"] / f"{name}.html").select(".meant svg.drawing"):
            words = "".join(each.text for each in drawing.select("text"))
            assert re.search("[\u4e00-\u9fff]", words), (name, words)
    assert not page.select(".cell_output")


def test_drawings_follow_the_page(site, plain_view):
    """They do where the system is dark, and where the page's own switch says otherwise."""
    view = plain_view
    paper = "getComputedStyle(document.body).backgroundColor"
    fill = "getComputedStyle(document.querySelector('svg.drawing .fill-paper')).fill"
    view.page.emulate_media(color_scheme="dark")
    view.open(site["public"] / f"{FIRST}.html")
    seen = []
    for _ in range(3):  # as the system has it, and both choices
        seen.append(view.page.evaluate(fill))
        assert seen[-1] == view.page.evaluate(paper)
        view.page.locator(".content-icon-container .theme-toggle").click()
    assert len(set(seen)) == 2


def test_the_index_is_a_path(site):
    page = tree_of(site["public"] / "index.html")
    steps = page.select("ol.path > li")
    assert page.select_one(".start a.button")["href"] == f"{FIRST}.html"
    assert [step.select_one("h3 a")["href"] for step in steps[:3]] == [
        f"{name}.html" for name in (FIRST, "rnn_lstm_backward", "lstm_fused_gates")
    ]
    assert len(steps) == len([each for each in (ROOT / "release").iterdir() if each.is_dir()])
    ours = steps[: len(ASSIGNMENTS)]  # others come last, with what is known of them
    assert all(step.select_one(".cover svg") and "hours" in step.text for step in ours)


def test_links_to_other_places_come_with_the_address(tmp_path, monkeypatch):
    """Colab and Binder are in reach by a link once the notebook's own line has them."""
    release = shutil.copytree(ROOT / "release" / FIRST, tmp_path / FIRST)
    file = release / f"{FIRST}.ipynb"
    notebook = nbformat.read(file, as_version=4)
    monkeypatch.setattr(Language, "release", tmp_path)
    assert NotebookPage(FIRST, Language(), tmp_path).places == {}
    line = next(cell for cell in notebook.cells if cell.id == "open-in")
    line.source = open_in("https://github.com/someone/something", FIRST)
    nbformat.write(notebook, file)
    page = NotebookPage(FIRST, Language(), tmp_path)
    assert list(page.places) == ["Colab", "Binder"]
    assert "someone/something" in page.download()


def test_the_motion_page_holds_the_shipped_animation(site):
    for edition, code in (("public", "en"), ("zh", "zh")):
        page = site[edition] / "lstm_in_motion.html"
        alone = site[edition] / "downloads" / "lstm_in_motion.html"
        assert alone.read_bytes() == file_of(code).read_bytes()
        told = [tree_of(each).find(id="motion-data").text for each in (alone, page)]
        assert told[0] == told[1]


def test_docs_are_on_the_site_for_instructors(site):
    shown = site["public"] / "docs"
    names = {path.stem for path in (ROOT / "docs").glob("*.md")} | {"SECURITY"}
    assert {path.stem for path in shown.glob("*.html")} == names
    leads = {a["href"] for a in tree_of(site["public"] / "instructors.html").select("article a")}
    assert {f"docs/{name}.html" for name in names} <= leads
    for page in shown.glob("*.html"):
        links = [a["href"] for a in tree_of(page).select("a[href]")]
        files = [urldefrag(link)[0] for link in links if "://" not in link]
        assert [f for f in files if not (shown / unquote(f)).exists()] == [], page.name
    assert not (site["solved"] / "docs").exists()
