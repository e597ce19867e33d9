// The LSTM in motion. Every number and sentence was computed when the page was built;
// this script only shows one part of one time step after the other.
"use strict";

(() => {
  const root = document.getElementById("motion");
  const frames = JSON.parse(document.getElementById("motion-data").textContent);
  const parts = ["read", "forget", "store", "cell", "show"];
  const partOf = {
    value: 0, store: 0, show: 0, a_prev: 0, c_prev: 0, f: 1, i: 2, cct: 2, c: 3, o: 4, a: 4,
  };
  const last = frames.length * parts.length - 1;
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const all = (selector) => [...root.querySelectorAll(selector)];
  const find = (name) => root.querySelector(`[data-do="${name}"]`);
  const slider = root.querySelector("[type=range]");
  const spoken = root.querySelector("[aria-live]");
  let at = last;
  let timer = 0;

  function draw() {
    const step = Math.floor(at / parts.length);
    const part = at % parts.length;
    const frame = frames[step];
    root.dataset.part = parts[part];
    root.dataset.step = step + 1;
    for (const [index, name] of parts.entries()) {
      for (const element of all(`.motion-top .part-${name}`)) {
        element.classList.toggle("active", index === part);
        element.classList.toggle("ahead", index > part);
      }
      const card = root.querySelector(`#part-${name}`);
      card.querySelector(".numbers").innerHTML = frame.words[name][0];
      card.querySelector(".said").innerHTML = frame.words[name][1];
    }
    for (const element of all("[data-value]")) {
      const name = element.dataset.value;
      const known = partOf[name] <= part;
      element.textContent = known || !element.closest("table") ? frame.values[name] : "";
    }
    for (const element of all("[data-gate]")) {
      const name = element.dataset.gate;
      element.style.setProperty("--level", partOf[name] <= part ? frame.gates[name] : 0);
    }
    for (const element of all("[data-memory]")) {
      element.style.setProperty("--size", frame.memories[element.dataset.memory]);
    }
    for (const row of all("tbody tr")) {
      const rowPart = parts.findIndex((name) => row.classList.contains(`part-${name}`));
      [...row.querySelectorAll("td:not(.now)")].forEach((cell, column) => {
        cell.classList.toggle("current", column === step);
        cell.classList.toggle("ahead", column > step || (column === step && rowPart > part));
      });
    }
    all("thead th:not(.now)").forEach((head, column) => {
      head.classList.toggle("current", column === step + 1);
    });
    slider.value = step + 1;
    slider.setAttribute("aria-valuetext", `time step ${step + 1} of ${frames.length}`);
    root.querySelector("output").textContent = `${step + 1} of ${frames.length}`;
    find("back").disabled = find("first").disabled = at === 0;
    find("next").disabled = at === last;
  }

  function go(where) {
    at = Math.max(0, Math.min(last, where));
    draw();
    if (at === last) pause();
    if (!timer) {
      const card = root.querySelector(".card.active");
      const words = [...card.querySelectorAll("h3, .numbers, .said")].map((p) => p.textContent);
      spoken.textContent = `Time step ${root.dataset.step}. ${words.join(". ")}`;
    }
  }

  function advance(direction) {
    if (find("parts").checked) return go(at + direction);
    // whole time steps: always with the hidden state shown
    const step = Math.floor((at + 1) / parts.length) + (direction > 0 ? 1 : -1);
    return go(Math.max(step, 1) * parts.length - 1);
  }

  function pause() {
    clearInterval(timer);
    timer = 0;
    find("play").firstElementChild.textContent = "Play";
  }

  function play() {
    if (timer) return pause();
    if (at === last) go(find("parts").checked ? 0 : parts.length - 1);
    timer = setInterval(() => advance(1), find("parts").checked ? 1600 : 1200);
    find("play").firstElementChild.textContent = "Pause";
    return undefined;
  }

  const actions = {
    first: () => go(0),
    back: () => advance(-1),
    play,
    next: () => advance(1),
    parts: pause,
  };
  for (const [name, action] of Object.entries(actions)) {
    find(name).addEventListener("click", () => {
      if (name !== "play") pause();
      action();
    });
  }
  slider.addEventListener("input", () => {
    pause();
    go(slider.value * parts.length - 1);
  });
  for (const link of all("a.part")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      pause();
      const index = parts.findIndex((name) => link.classList.contains(`part-${name}`));
      go(Math.floor(at / parts.length) * parts.length + index);
    });
  }
  for (const button of document.querySelectorAll("[data-go]")) {
    button.addEventListener("click", () => {
      pause();
      const [step, part] = button.dataset.go.split(" ");
      go((step - 1) * parts.length + parts.indexOf(part));
      root.scrollIntoView({ block: "start", behavior: still.matches ? "auto" : "smooth" });
    });
  }
  root.addEventListener("click", (event) => {
    const cell = event.target.closest("td:not(.now)");
    if (!cell) return;
    const step = [...cell.parentElement.children].indexOf(cell);
    pause();
    go(step * parts.length - 1);
  });
  root.addEventListener("keydown", (event) => {
    const keys = {
      ArrowRight: actions.next, ArrowLeft: actions.back, Home: actions.first,
      End: () => go(last), " ": play,
    };
    const own = event.target.matches("input") || (event.key === " " && event.target.matches("button"));
    if (own || !(event.key in keys) || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    if (event.key !== " ") pause();
    keys[event.key]();
  });

  root.classList.add("live");
  if (still.matches) find("play").hidden = true;
  draw();
})();
