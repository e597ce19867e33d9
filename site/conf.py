"""Sphinx's configuration: `python site/build.py` runs it."""

import json
import re
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

from docutils import nodes
from markupsafe import Markup
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.search import SearchLanguage

sys.path.insert(0, str(Path(__file__).parent))
from language import CODES, ENGLISH, Language

SOLVED = tags.has("solved")  # noqa: F821 - Sphinx hands it to this file
HERE = Language(next(code for code in CODES if tags.has(code)))  # noqa: F821
WORDS = HERE.words

project = WORDS["site"]
html_title = WORDS["solutions"].format(site=project) if SOLVED else project
copyright = ""
language = WORDS["sphinx"]
root_doc = "index"

extensions = ["myst_nb"]
myst_enable_extensions = ["attrs_inline", "deflist", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "off"
highlight_language = "python"

html_theme = "furo"
templates_path = ["templates"]
html_static_path = ["static", *(["vendor"] if HERE.code == ENGLISH else [])]
html_css_files = ["colours.css", "site.css", "motion.css"]
html_js_files = [("site.js", {"defer": "defer"})]
html_theme_options = {"top_of_page_buttons": []}
html_use_index = False
html_show_copyright = False
html_copy_source = False
suppress_warnings = ["misc.highlighting_failure"]  # what a command prints is no Python
html_show_sourcelink = False
if SOLVED:
    html_theme_options["announcement"] = WORDS["announcement"]

# MathJax lies in _static, its fonts beside it; its menu would fetch more than lies there.
# Every language uses that of the English pages.
mathjax_path = f"{'' if HERE.code == ENGLISH else '../../_static/'}mathjax/tex-chtml.js"
mathjax3_config = {
    "loader": {"load": ["[tex]/html"]},
    "tex": {"packages": {"[+]": ["html"]}},
    "options": {"enableMenu": False},
}


def keep_displays_whole(app: Sphinx, document: nodes.document) -> None:
    r"""Keep Sphinx from wrapping displays in `split`, which allows no `\tag`."""
    for node in list(document.findall(nodes.math_block)):
        text = rf"\[{node.astext()}\]"
        node.replace_self(nodes.math_block(text, text, nowrap=True, number=None))


def complete_page(
    app: Sphinx, page: str, template: str, context: dict[str, Any], document: nodes.document
) -> None:
    """Mend Furo's captions; describe the search page; hide solutions from search engines."""
    levels = 'role="heading" aria-level="2"'
    tree = context["furo_navigation_tree"].replace('role="heading"', levels)
    context["furo_navigation_tree"] = tree
    if page == "search":
        about = WORDS["search_about"]
        context["metatags"] = f'<meta name="description" content="{about}" />'
    more = ['<meta name="robots" content="noindex" />'] if SOLVED else alternates(page)
    context["metatags"] = "".join([context.get("metatags", ""), *more])
    context["words"], context["in_our_words"] = WORDS, in_our_words
    context["others"] = [
        (other.words, up(page) + HERE.address(page, other))
        for other in languages()
        if other != HERE
    ]


def up(page: str) -> str:
    """Return the way from a page up to the first."""
    return "../" * page.count("/")


def languages() -> list[Language]:
    """Return the languages that an edition is in."""
    return list(map(Language, CODES))


def alternates(page: str) -> list[str]:
    """Return links to a page in all languages, for search engines and browsers."""
    have = [each for each in languages() if each.has(page)]
    tags = [(each.words["html"], up(page) + HERE.address(page, each)) for each in have]
    return [
        f'<link rel="alternate" hreflang="{tag}" href="{address}" />'
        for tag, address in [*tags, ("x-default", tags[0][1])]
    ]


def in_our_words(html: str) -> Markup:
    """Return the theme's HTML with those of its words that it has in English alone."""
    ours = WORDS["theme"]
    theirs = rf"([\">])({'|'.join(map(re.escape, ours))})(?=[\"<])"
    return Markup(re.sub(theirs, lambda found: found[1] + ours[found[2]], html))


def use_our_words(app: Sphinx) -> None:
    """Have words of templates that Sphinx's own catalogue lacks translated by ours."""
    if HERE.code != ENGLISH:
        theirs, ours = app.translator, WORDS["theme"]
        app.builder.templates.environment.install_gettext_callables(
            lambda text: ours.get(text.strip()) or theirs.gettext(text), theirs.ngettext
        )


# Characters of scripts that put no blanks between words
UNSPACED = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
RUNS = rf"[{UNSPACED}]+|[^\W{UNSPACED}]+"


class PairsOfCharacters(SearchLanguage):
    """
    Search by words, and where none are set apart, by pairs of characters and single ones.

    Sphinx's own search of Chinese needs a dictionary, and finds no single character. What is
    looked for is cut in the same way: into pairs, all of which have to be in a page.
    """

    lang = WORDS["sphinx"]
    language_name = WORDS["name"]
    js_splitter_code = """
function splitQuery(query) {
    const runs = query.match(/[UNSPACED]+|(?:(?![UNSPACED])[\\p{L}\\p{N}_])+/gu) ?? [];
    return runs.flatMap((run) => {
        if (run.length < 3 || !/[UNSPACED]/.test(run)) return [run];
        return [...run].slice(1).map((character, k) => run[k] + character);
    });
}
""".replace("UNSPACED", UNSPACED)

    def split(self, text: str) -> list[str]:
        """Return the words, pairs and characters of a text."""
        found = []
        for run in re.findall(RUNS, text):
            if re.match(f"[{UNSPACED}]", run):
                found += [*run, *map("".join, pairwise(run))]
            else:
                found.append(run)
        return found


def add_made_files(app: Sphinx, config: Config) -> None:
    """Let Sphinx find the style sheet that build.py left beside the pages."""
    config.html_static_path.append(str(app.srcdir / "made"))


def setup(app: Sphinx) -> None:
    """Plug the functions in."""
    app.connect("config-inited", add_made_files)
    app.connect("builder-inited", use_our_words)
    if HERE.code != ENGLISH:
        said = json.dumps(WORDS["script"], ensure_ascii=False)
        app.add_js_file(None, body=f"Object.assign(Documentation.TRANSLATIONS, {said});")
        app.add_search_language(PairsOfCharacters)
    app.connect("doctree-read", keep_displays_whole)
    app.connect("html-page-context", complete_page, priority=900)  # after Furo
