"""Sphinx's configuration: `python site/build.py` runs it."""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

SOLVED = tags.has("solved")  # noqa: F821 - Sphinx hands it to this file

project = "Recurrent networks in NumPy"
html_title = f"{project}: solutions" if SOLVED else project
copyright = ""
language = "en"
root_doc = "index"

extensions = ["myst_nb"]
myst_enable_extensions = ["attrs_inline", "deflist", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "off"
highlight_language = "python"

html_theme = "furo"
templates_path = ["templates"]
html_static_path = ["static", "vendor"]
html_css_files = ["colours.css", "site.css", "motion.css"]
html_js_files = [("site.js", {"defer": "defer"})]
html_theme_options = {"top_of_page_buttons": []}
html_use_index = False
html_show_copyright = False
html_copy_source = False
html_show_sourcelink = False
if SOLVED:
    html_theme_options["announcement"] = (
        "This edition shows the solutions. It is for after the deadline."
    )

# MathJax lies in _static, its fonts beside it; its menu would fetch more than lies there.
mathjax_path = "mathjax/tex-chtml.js"
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
        about = "Search all pages about recurrent networks in NumPy."
        context["metatags"] = f'<meta name="description" content="{about}" />'
    if SOLVED:
        found = context.get("metatags", "")
        context["metatags"] = f'{found}<meta name="robots" content="noindex" />'


def add_made_files(app: Sphinx, config: Config) -> None:
    """Let Sphinx find the style sheet that build.py left beside the pages."""
    config.html_static_path.append(str(app.srcdir / "made"))


def setup(app: Sphinx) -> None:
    """Plug the functions in."""
    app.connect("config-inited", add_made_files)
    app.connect("doctree-read", keep_displays_whole)
    app.connect("html-page-context", complete_page, priority=900)  # after Furo
