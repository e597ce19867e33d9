"""
Take the pictures of README: a page of feedback, and the LSTM in motion.

    make demo
    python docs/picture.py

writes docs/feedback.png and docs/motion.gif, with Chromium.
"""

import io
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

HERE = Path(__file__).parent
ROOT = HERE.parent
ASSIGNMENT, STUDENT = "rnn_lstm_forward", "bias_ba_dropped"
FEEDBACK = ROOT / "demo" / "feedback" / STUDENT / ASSIGNMENT / f"{ASSIGNMENT}.html"
MOTION = ROOT / "source" / ASSIGNMENT / "figures" / "lstm_in_motion.html"
PARTS = 12  # presses of "One part on"
MILLISECONDS, COLOURS = 900, 32


def feedback(browser: Browser) -> bytes:
    """Return the beginning of a page as PNG."""
    page = browser.new_page(viewport={"width": 860, "height": 640})
    page.goto(FEEDBACK.as_uri())
    return page.screenshot()


def motion(browser: Browser) -> list[Image.Image]:
    """Return the cell, part by part."""
    page = browser.new_page(viewport={"width": 860, "height": 900}, reduced_motion="reduce")
    page.goto(MOTION.as_uri())
    cell, frames = page.locator(".motion-cell"), []
    for _ in range(PARTS):
        frames.append(as_image(cell.screenshot()))
        page.locator("[data-do=next]").click()
    return frames


def as_image(png: bytes) -> Image.Image:
    """Return a picture in few colours."""
    return Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS)


def main() -> None:
    """Write the pictures."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium-headless-shell")
        page = as_image(feedback(browser))
        first, *others = motion(browser)
        browser.close()
    page.save(HERE / "feedback.png", optimize=True)
    first.save(
        HERE / "motion.gif", save_all=True, append_images=others, duration=MILLISECONDS, loop=0
    )


if __name__ == "__main__":
    main()
