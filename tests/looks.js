// What is cut, too small to read or without a bar, in the page as it now stands: a line each.
"use strict";

function whatIsCut() {
  const width = document.documentElement.clientWidth;
  const found = [];
  const say = (element, words) => {
    const kinds = element.getAttribute("class") || "";
    found.push(`${element.tagName.toLowerCase()}.${kinds}: ${words}`.slice(0, 200));
  };
  const unseen = "script, style, .sr-only, .skip-to-content, mjx-assistive-mml, mjx-assistive-mml *, defs *";
  const seen = (element) =>
    !element.matches(unseen) &&
    element.checkVisibility({ visibilityProperty: true, opacityProperty: true });

  // the box that scrolls or clips an element, null for the page itself
  const boxes = new Map();
  function boxOf(element) {
    const around = element.parentElement;
    if (!around || around === document.documentElement || around === document.body) return null;
    if (!boxes.has(around)) {
      const clips = around instanceof HTMLElement && getComputedStyle(around).overflowX !== "visible";
      boxes.set(around, clips ? around : boxOf(around));
    }
    return boxes.get(around);
  }

  function checkPlace(element) {
    const place = element.getBoundingClientRect();
    if (!place.width || !place.height) return;
    const box = boxOf(element);
    if (!box) {
      if (place.right > width + 1 || place.left < -1) say(element, `leaves the page, ${place.right}`);
    } else if (["hidden", "clip"].includes(getComputedStyle(box).overflowX)) {
      const around = box.getBoundingClientRect();
      const cut = place.right > around.right + 1 || place.left < around.left - 1;
      if (cut) say(element, `is cut by ${box.tagName}.${box.className}`);
    }
  }

  function checkBar(box) {
    const { overflowX, borderTopWidth, borderBottomWidth } = getComputedStyle(box);
    if (!["auto", "scroll"].includes(overflowX) || box.scrollWidth <= box.clientWidth + 1) return;
    const borders = parseFloat(borderTopWidth) + parseFloat(borderBottomWidth);
    if (box.offsetHeight - box.clientHeight - borders < 5) say(box, "scrolls without a bar");
    if (box.tabIndex < 0) say(box, "scrolls, but not by keyboard");
  }

  function checkType(element) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    const index = element.closest("sub, sup, math, mjx-container, tspan.step, .headerlink");
    if (!own || index) return;
    const scale = element instanceof SVGElement ? Math.abs(element.getScreenCTM().a) : 1;
    const size = parseFloat(getComputedStyle(element).fontSize) * scale;
    if (size < 10.95) say(element, `type of ${size.toFixed(1)} px: ${element.textContent}`);
  }

  // in drawings, type is paths: glyphs of 100 units
  function checkDrawing(drawing) {
    for (const text of drawing.querySelectorAll("g[transform*='scale']")) {
      const [, scale] = /scale\(([\d.]+) -\1\)/.exec(text.getAttribute("transform")) || [];
      const size = scale * 100 * (drawing.getBoundingClientRect().width / drawing.viewBox.baseVal.width);
      if (size < 10.95) return say(drawing, `type of ${size.toFixed(1)} px`);
    }
    return undefined;
  }

  const places = ":is(article, .announcement, .mobile-header, .motion-alone)";
  const parts = `${places} :not(svg.drawing *, mjx-container *)`; // they are looked at as wholes
  const shown = [...document.querySelectorAll(parts)].filter(seen);
  const html = shown.filter((element) => !element.matches("svg.drawing"));
  html.forEach(checkPlace);
  html.filter((element) => element instanceof HTMLElement).forEach(checkBar);
  html.forEach(checkType);
  shown.filter((element) => element.matches("svg.drawing")).forEach(checkDrawing);
  for (let box = document.querySelector("article"); box; box = box.parentElement) {
    const { scrollWidth, offsetWidth } = box; // what is too wide in it scrolls by itself
    const scrolls = ["auto", "scroll"].includes(getComputedStyle(box).overflowX);
    if (scrolls && scrollWidth > offsetWidth + 1) say(box, `is ${scrollWidth} px wide in ${offsetWidth}`);
  }
  const wide = document.documentElement.scrollWidth;
  if (wide > width) found.push(`the page is ${wide} px wide`);
  return found;
}

// Elements with text, one for each look that was not seen yet: its colour, all that lies below, size and weight.
const looksSeen = (window.looksSeen ??= new Set());

function newlyColoured() {
  const below = new Map();
  const around = new Set(); // texts; what drawings and formulas are made of is none
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    let element = texts.currentNode.data.trim() && texts.currentNode.parentElement;
    if (element && element.closest("mjx-assistive-mml")) continue;
    for (; element && !around.has(element); element = element.parentElement) around.add(element);
  }
  return [...document.querySelectorAll("body, body *")].filter((element) => {
    if (!around.has(element)) return false;
    const own = getComputedStyle(element);
    const covers = !/, 0\)$|^transparent$/.test(own.backgroundColor);
    const image = own.backgroundImage === "none" ? "" : own.backgroundImage;
    const faint = own.opacity === "1" ? "" : `faint ${own.opacity}`;
    const under = covers ? "" : below.get(element.parentElement);
    below.set(element, `${under} ${covers ? own.backgroundColor : ""} ${image} ${faint}`.trim());
    const says = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!says || !element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) return false;
    const before = looksSeen.size;
    looksSeen.add([own.color, own.fill, own.fontSize, own.fontWeight, below.get(element)].join(" on "));
    return looksSeen.size > before;
  });
}

// Do something that takes long where there are formulas, which have the colour of their text, and
// drawings and code: those that hold nothing of what is looked at are empty meanwhile.
async function withoutFormulas(looked, action) {
  const emptied = [...document.querySelectorAll("mjx-math, mjx-assistive-mml, svg.drawing, pre")]
    .filter((part) => !looked.some((element) => part.contains(element)))
    .map((part) => {
      const inside = [...part.childNodes];
      part.replaceChildren();
      return () => part.replaceChildren(...inside);
    });
  const done = await action();
  emptied.forEach((fill) => fill());
  return done;
}
