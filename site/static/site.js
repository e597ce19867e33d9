// What scrolls sideways can be reached with the keyboard; search works from file:// too.
"use strict";

function markScrolling() {
  const boxes = document.querySelectorAll(
    "pre, .scroller, .table-wrapper, .motion-tape, mjx-container[display]",
  );
  for (const box of boxes) {
    if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
    box.addEventListener("scroll", markEnd, { passive: true }); // once, however often it is said
    markEnd({ target: box });
  }
}

function markEnd({ target }) {
  const left = target.scrollWidth - target.clientWidth - target.scrollLeft;
  target.toggleAttribute("data-more", left > 1);
}

// a page opened as a file may not read other files, so search shows titles alone there
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

addEventListener("load", () => {
  const typeset = window.MathJax?.startup?.promise ?? Promise.resolve();
  typeset.then(() => {
    // the links in formulas are for pointers; assistive technology reads another copy
    for (const link of document.querySelectorAll("mjx-math a")) link.tabIndex = -1;
    markScrolling();
    document.documentElement.dataset.ready = "true";
  });
});
addEventListener("resize", markScrolling);
