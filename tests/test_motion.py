"""The LSTM in motion, as the file that opens from disk: what it computes, shows and takes."""

import sys
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from browser import LOOKS, but_for_colours, chromium, pale, view_of

from grading.source import course_root, read_source

ROOT = course_root(Path(__file__).parent)
sys.path.insert(0, str(ROOT / "site"))  # its files are programs, and no package

import motion  # noqa: E402
import motion_page  # noqa: E402
from language import CODES, Language  # noqa: E402
from motion_file import file_of  # noqa: E402

LANGUAGES = [Language(code) for code in CODES]
TOLD = LANGUAGES[0].told("motion")
SHIPPED = ROOT / "source" / "rnn_lstm_forward" / "figures" / "lstm_in_motion.html"
WIDTHS = (360, 768, 1280)
NAMES = ("a", "c", "a_prev", "c_prev", "f", "i", "cct", "o")


@pytest.fixture(scope="module")
def lstm_forward():
    return read_source("rnn_lstm_forward", ROOT).function("lstm_forward")


@pytest.fixture(scope="module")
def browser():
    with chromium("--hide-scrollbars") as browser:
        yield browser


@contextmanager
def nothing_wrong(view):
    """Open the shipped file in a view; nothing is asked for, and nothing goes wrong."""

    def open_scene(scene="commands"):
        view.open(f"{SHIPPED.as_uri()}#{scene}")
        return view.page

    yield open_scene
    assert view.errors == []
    assert view.requests == []
    view.open("about:blank")  # else the page would stay, from one scene to another


@pytest.fixture(scope="module")
def view(browser):
    """Return a window for all tests that leave it as it was."""
    return view_of(browser, "about:blank")


@pytest.fixture
def opened(view):
    with nothing_wrong(view) as open_scene:
        yield open_scene


@pytest.fixture
def opened_anew(browser, request):
    """Open it in a window of its own."""
    view = view_of(browser, "about:blank", dark=getattr(request, "param", False))
    with nothing_wrong(view) as open_scene:
        yield open_scene
    view.page.close()


def computed(lstm_forward, unit, x):
    """Return what the solution computes: by name, a list over the time steps."""
    x = np.array(x, dtype=float)[:, None, :]
    _, y, _, (caches, _) = lstm_forward(x, np.zeros((1, 1)), motion.parameters(unit))
    values = {name: [cache[k].item() for cache in caches] for k, name in enumerate(NAMES)}
    return {**values, "y": y[:, 0, :].T.tolist()}


def number(text):
    return {"½": 0.5}.get(text) or float(text.replace("−", "-"))


def row(page, name):
    cells = page.locator(f"[data-row={name}] td:not(.now) span").all_text_contents()
    return [number(text) for text in cells]


def assert_table_holds(page, lstm_forward):
    """All values of the table are those of its own input, by the solution."""
    x = [row(page, f"x{k}") for k in range(3)]
    for name, values in computed(lstm_forward, TOLD["unit"], x).items():
        if name in ("f", "i", "cct", "c", "o", "a"):
            np.testing.assert_allclose(row(page, name), values, rtol=0, atol=0.0051, err_msg=name)


def current(page):
    root = page.locator("#motion")
    return int(root.get_attribute("data-step")), root.get_attribute("data-part")


def test_the_shipped_file_is_what_the_site_makes(lstm_forward):
    traces = motion.traces(lstm_forward)
    for language in LANGUAGES:
        shipped = file_of(language.code).read_text("utf-8")
        assert shipped == motion_page.whole_page(traces, language), (
            "write it again: python site/motion_file.py"
        )


def test_the_sentence_is_that_of_the_notebook():
    cells = {cell.id: cell.source for cell in read_source("rnn_lstm_forward", ROOT).notebook.cells}
    names = {"np": np}
    exec(cells["agreement-unit"], names)
    for name, value in motion.parameters(TOLD["unit"]).items():
        np.testing.assert_array_equal(value, names["unit"][name])
    scene = TOLD["scenes"]["sentence"]
    assert scene["words"] == names["words"]
    np.testing.assert_array_equal(scene["x"], names["sentence"][:, 0])


def test_the_page_computes_what_the_solution_computes(opened, lstm_forward):
    rng = np.random.default_rng(17)
    page = opened()
    for _ in range(20):
        unit = {f"W{k}": rng.normal(size=4).tolist() for k in "fico"}
        unit |= {f"b{k}": rng.normal() for k in "fico"}
        unit |= {"Wy": rng.normal(size=2).tolist(), "by": rng.normal(size=2).tolist()}
        x = rng.normal(scale=3, size=(3, 7)).tolist()
        steps = page.evaluate("([unit, x]) => runUnit(unit, x)", [unit, x])
        for name, values in computed(lstm_forward, unit, x).items():
            got = [step[name] for step in steps]
            np.testing.assert_allclose(got, values, rtol=1e-12, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("scene", TOLD["scenes"])
def test_it_starts_at_step_1_with_the_scene_that_was_asked_for(opened, lstm_forward, scene):
    page = opened(scene)
    assert current(page) == (1, "read")
    assert [row(page, f"x{k}") for k in range(3)] == TOLD["scenes"][scene]["x"]
    assert_table_holds(page, lstm_forward)
    assert page.locator(".motion-about").inner_text() == TOLD["scenes"][scene]["about"]
    assert page.locator("[data-row=y]").is_visible() == (scene == "sentence")


def test_the_unit_tells_are_from_is(opened):
    page = opened("sentence")
    for button, word in (("Step 6: cat, shown", "are"), ("Step 11: shown", "is")):
        page.get_by_role("button", name=button).click()
        assert f"“{word}” is expected" in page.locator("#part-show .said").inner_text()
        assert page.locator(".motion-sentence .current").inner_text() == "cat"


def test_an_input_is_changed_by_keyboard(opened, lstm_forward):
    page = opened()
    press = page.keyboard.press
    page.locator("[data-do=next]").focus()
    press("ArrowRight")
    page.locator("[type=number]").focus()
    press("Control+a")
    page.keyboard.type("-1.2")
    assert row(page, "x0")[0] == -1.2
    page.get_by_role("radio", name="0").first.focus()
    press("ArrowRight")
    press("ArrowRight")
    assert row(page, "x1")[0] == 1
    assert "store 1: cell state −0.83" in page.locator("[aria-live]").inner_text()
    assert_table_holds(page, lstm_forward)
    page.locator(".field [type=range]").focus()
    press("ArrowRight")
    assert row(page, "x0")[0] == -1.1
    page.locator("[data-do=reset]").focus()
    press("Enter")
    assert row(page, "x0") == TOLD["scenes"]["commands"]["x"][0]
    assert page.locator("[data-do=reset]").is_disabled()


def test_an_input_is_changed_by_mouse_and_touch(opened, lstm_forward):
    page = opened("sentence")
    bar = page.locator("[data-row=x0] td").nth(5)
    bar.scroll_into_view_if_needed()
    at = bar.bounding_box()
    page.mouse.move(at["x"] + 3, at["y"] + at["height"] / 2)
    page.mouse.down()
    page.mouse.move(at["x"] + 3, at["y"] - 20)
    page.mouse.up()
    assert row(page, "x0")[5] == 1.5
    page.locator("[data-row=x1] td").nth(5).dispatch_event("pointerdown", {"pointerType": "touch"})
    assert row(page, "x1")[5] == 1
    assert current(page) == (6, "show")
    assert_table_holds(page, lstm_forward)


def test_it_plays_and_steps_by_keyboard(opened_anew):
    page = opened_anew()
    press = page.keyboard.press
    page.clock.install()
    page.reload()
    page.locator("[data-do=play]").focus()
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
    page.locator("#motion .time").focus()
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
    page.locator("[data-do=play]").focus()
    press("Home")
    assert current(page) == (1, "read")


NUMBERS = """() => [...document.querySelectorAll(".tape thead th:not(:first-child, .now)")]
    .filter(head => getComputedStyle(head).visibility === "visible")
    .map(head => {
        const range = document.createRange();
        range.selectNodeContents(head);
        const {left, right} = range.getBoundingClientRect();
        return [+head.textContent, left, right];
    })"""


def test_on_a_phone_the_numbers_of_steps_go_to_the_end_and_do_not_touch(opened_anew):
    page = opened_anew()
    page.set_viewport_size({"width": 360, "height": 900})
    for step in range(1, 13):
        page.locator("#motion .time").fill(f"{step}")
        assert current(page)[0] == step
        numbers = page.evaluate(NUMBERS)
        assert {step} < {number for number, *_ in numbers}
        assert numbers[-1][0] >= 11
        gaps = [after[1] - before[2] for before, after in pairwise(numbers)]
        assert min(gaps) > 5


def test_who_wants_no_motion_gets_a_still(opened_anew):
    page = opened_anew()
    for media in ({"reduced_motion": "reduce"}, {"media": "print"}):
        page.emulate_media(**media)
        page.reload()
        assert page.locator("[data-do=play]").is_hidden()
        values = page.locator("table.tape tr:not([hidden]) td:not(.now) span")
        assert values.count() == 9 * 12
        assert all(
            values.evaluate_all(
                "all => all.map(one => one.checkVisibility({visibilityProperty: true}))"
            )
        )
        running = "document.getAnimations().filter(a => a.playState === 'running').length"
        assert page.evaluate(running) == 0


@pytest.mark.parametrize(
    ("opened_anew", "dark"), [(False, False), (True, True)], indirect=["opened_anew"]
)
def test_nothing_is_cut_and_all_can_be_read(opened_anew, dark):
    page, looks = opened_anew("sentence"), set()
    page.evaluate(f"{LOOKS}; window.whatIsCut = whatIsCut")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        for _ in range(2):  # at a part of step 1, and with all parts of it
            assert page.evaluate("whatIsCut()") == [], width
            assert pale(page, seen=looks) == [], width
            if width == WIDTHS[0] and not dark:  # labels, names and roles stay the same
                assert but_for_colours(page) == []
            page.locator("[data-do=next]").click()
