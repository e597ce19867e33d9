"""Pages in headless Chromium with the network off, and the rules of accessibility."""

import functools
import json
import shutil
import subprocess
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserType, Page, expect, sync_playwright

# the one without windows takes two thirds of the processor time
PROGRAMS = ["chromium-headless-shell", "chromium", "chromium-browser"]
CHROMIUM = next(filter(None, map(shutil.which, PROGRAMS)), None)
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
AXE = "axe-core@4.14.1"
PATIENCE = 600_000  # milliseconds: a busy machine is slow, and not wrong
expect.set_options(timeout=PATIENCE)
LOOKS = (Path(__file__).parent / "looks.js").read_text("utf-8")
KEPT = Path(__file__).parents[1] / ".pytest_cache" / "d" / AXE


@dataclass
class View:
    """
    A page in the browser, and what came of opening it.

    Attributes
    ----------
    page : Page
    requests : list of str
        What it asked for beside itself; data in the page itself is not asked for.
    errors : list of str
        What it said on the console as an error, and what its scripts raised.
    """

    page: Page
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    _own: str = ""

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE)
        self.page.on("request", lambda request: self._note(request.url))
        self.page.on("console", lambda said: said.type == "error" and self.errors.append(said.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def open(self, where: str | Path) -> None:
        """Open another page in this one's place."""
        self._own = where.resolve().as_uri() if isinstance(where, Path) else where
        self.page.goto(self._own)

    def _note(self, url: str) -> None:
        own = self._own.partition("#")[0]
        if url.partition("#")[0] != own and not url.startswith(("data:", "blob:")):
            self.requests.append(url)


@contextmanager
def chromium(*left_out: str) -> Iterator[Browser]:
    """Start Chromium without the options named; skip the test where there is none."""
    if not CHROMIUM:
        pytest.skip("needs Chromium: apt-get install chromium-headless-shell")
    with sync_playwright() as playwright:
        browser = launch(playwright.chromium, OPTIONS, left_out)
        yield browser
        browser.close()


@contextmanager
def still(beside: Browser) -> Iterator[Browser]:
    """
    Start a second Chromium, for pages that are only looked at: the bars of what scrolls are seen.

    Boxes that scroll have no layers of their own, which takes a third of the time; so nothing can
    be clicked.
    """
    options = [*OPTIONS, "--disable-threaded-compositing"]
    browser = launch(beside.browser_type, options, ["--hide-scrollbars"])
    yield browser
    browser.close()


def launch(kind: BrowserType, options: list[str], left_out: Iterable[str]) -> Browser:
    """Start Chromium with options, and without some of Playwright's."""
    return kind.launch(executable_path=CHROMIUM, args=options, ignore_default_args=list(left_out))


def view_of(browser: Browser, where: str | Path, width: int = 1280, dark: bool = False) -> View:
    """Open a file, or an address on this machine, in a window of its own."""
    scheme = "dark" if dark else "light"
    view = View(browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme))
    view.open(where)
    return view


@contextmanager
def open_page(where: str | Path, width: int = 1280, dark: bool = False) -> Iterator[View]:
    """Open a file, or an address on this machine; skip the test where there is no Chromium."""
    with chromium() as browser:
        yield view_of(browser, where, width, dark)


def serious_violations(
    page: Page, but: tuple[str, ...] = (), seen: set[str] | None = None
) -> list[str]:
    """
    Return what axe-core calls serious or critical, a line each; skip without axe-core.

    Parameters
    ----------
    page, but, seen
        As of `pale`.
    """
    return pale(page, but, seen) + but_for_colours(page, but)


def but_for_colours(page: Page, but: tuple[str, ...] = ()) -> list[str]:
    """
    Return what axe-core calls serious or critical, but for contrast.

    Parameters
    ----------
    page, but
        As of `pale`.
    """
    load_axe(page)
    found = page.evaluate(
        """but => axe.run({exclude: but}, {
            resultTypes: ['violations'], preload: false,
            rules: {'color-contrast': {enabled: false}, region: {enabled: false}},  // is moderate
        })""",
        [[part] for part in but],
    )
    return [
        f"{each['impact']}, {each['id']}: {each['help']}: {json.dumps(node['target'])}"
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


def pale(page: Page, but: tuple[str, ...] = (), seen: set[str] | None = None) -> list[str]:
    """
    Return texts whose contrast is too low, one for each look that the page had not before.

    Parameters
    ----------
    page : Page
    but : tuple of str
        CSS selectors of parts that are not looked at.
    seen : set of str, optional
        Looks of other pages, which are not looked at again; those of this one are added.
    """
    count, looks = page.evaluate(
        f"""given => {{
            {LOOKS}
            const [but, seen] = given;
            seen.forEach(each => looksSeen.add(each));
            window.lookedAt = newlyColoured().filter(each => !but || !each.closest(but));
            return [lookedAt.length, [...looksSeen]];
        }}""",
        [", ".join(but), list(seen or ())],
    )
    if seen is not None:
        seen.update(looks)
    if not count:
        return []
    load_axe(page)
    found = page.evaluate(
        f"""() => {{
            {LOOKS}
            const options = {{
                runOnly: ['color-contrast'], resultTypes: ['violations'], preload: false,
            }};
            return withoutFormulas(lookedAt, () => axe.run(lookedAt, options));
        }}"""
    )
    return [
        f"{node['target']}: {node['any'][0]['message']}"
        for each in found["violations"]
        for node in each["nodes"]
    ]


def load_axe(page: Page) -> None:
    """Load axe-core into a page, once."""
    if page.evaluate("!window.axe"):
        page.evaluate(axe())


@functools.cache
def axe() -> str:
    """Return axe-core's source; npm fetches it once, and pytest's cache keeps it."""
    file = KEPT / "axe.min.js"
    if not file.exists():
        if not shutil.which("npm"):
            pytest.skip(f"needs npm, to fetch {AXE}: apt-get install npm")
        KEPT.mkdir(parents=True, exist_ok=True)
        packed = subprocess.run(
            ["npm", "pack", AXE, "--silent"], cwd=KEPT, capture_output=True, text=True
        )
        if packed.returncode:
            pytest.skip(f"npm could not fetch {AXE}: {packed.stderr.strip()[-300:]}")
        with tarfile.open(KEPT / packed.stdout.split()[-1]) as archive:
            file.write_bytes(archive.extractfile("package/axe.min.js").read())
    return file.read_text("utf-8")
