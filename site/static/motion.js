// The LSTM in motion: shows one part of one time step after the other, and computes all
// anew when the learner changes an input. The cell is motion_cell.js, the sentences come
// from motion_words.js.
"use strict";

(() => {
  const root = document.getElementById("motion");
  const told = JSON.parse(document.getElementById("motion-data").textContent);
  const labels = told.labels;
  const parts = Object.keys(told.parts);
  const partOf = {
    x0: 0, x1: 0, x2: 0, a_prev: 0, c_prev: 0, f: 1, i: 2, cct: 2, c: 3, o: 4, a: 4, y: 4,
  };
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const all = (selector) => [...root.querySelectorAll(selector)];
  const find = (name) => root.querySelector(`[data-do="${name}"]`);
  const slider = root.querySelector(".time");
  const spoken = root.querySelector("[aria-live]");
  const inputs = Object.fromEntries(
    Object.entries(told.scenes).map(([name, scene]) => [name, structuredClone(scene.x)]),
  );
  let sceneName = Object.keys(told.scenes)[0];
  let steps = [];
  let at = 0;
  let timer = 0;

  const scene = () => told.scenes[sceneName];
  const last = () => steps.length * parts.length - 1;
  const stepNow = () => Math.floor(at / parts.length);
  const changed = () => JSON.stringify(inputs[sceneName]) !== JSON.stringify(scene().x);

  function valueOf(step, name) {
    if (name.startsWith("x")) return step.x[name[1]];
    return name === "y" ? step.y[0] : step[name];
  }

  function textOf(step, name) {
    const value = valueOf(step, name);
    return name.startsWith("x") ? asInput(value) : asNumber(value);
  }

  // ---------------------------------------------------------------- what a scene shows

  function compute() {
    steps = runUnit(told.unit, inputs[sceneName]);
  }

  function setScene(name) {
    sceneName = name;
    compute();
    for (const button of all("[data-scene]")) {
      button.setAttribute("aria-pressed", button.dataset.scene === name);
    }
    root.querySelector(".motion-about").textContent = scene().about;
    for (const element of all("[data-entry]")) {
      element.textContent = scene().entries[element.dataset.entry].name;
    }
    root.querySelector("[type=number]").setAttribute("aria-label", scene().entries[0].name);
    drawSentence();
    const row = root.querySelector("[data-row=y]");
    row.hidden = !scene().classes;
    row.querySelector("th").textContent = scene().classes ? `“${scene().classes[0]}”` : "";
    root.querySelector(".looks").replaceChildren(...scene().look.map(lookAt));
    go(0);
  }

  function drawSentence() {
    const line = root.querySelector(".motion-sentence");
    line.hidden = !scene().words;
    const words = (scene().words ?? []).map((word) => {
      const span = document.createElement("span");
      span.textContent = word;
      return span;
    });
    line.replaceChildren(...words.flatMap((span) => [span, " "]));
  }

  function lookAt({ go: where, title, text }) {
    const line = document.createElement("p");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "go";
    button.textContent = title;
    button.addEventListener("click", () => {
      pause();
      const [step, part] = where.split(" ");
      go((step - 1) * parts.length + parts.indexOf(part));
      root.scrollIntoView({ block: "start", behavior: still.matches ? "auto" : "smooth" });
    });
    line.append(button, ` ${text}`);
    return line;
  }

  // ---------------------------------------------------------------- one part of one step

  function draw() {
    const t = stepNow();
    const part = at % parts.length;
    root.dataset.part = parts[part];
    root.dataset.step = t + 1;
    drawParts(part, wordsOf(scene(), told, steps[t], t));
    drawCell(part, steps[t]);
    drawTape(t, part);
    drawInputs(t);
    all(".motion-sentence span").forEach((word, k) => word.classList.toggle("current", k === t));
    const of = fill(labels.step_of, { t: t + 1, T: steps.length });
    slider.value = t + 1;
    slider.setAttribute("aria-valuetext", `${labels.step} ${of}`);
    root.querySelector("output").textContent = of;
    find("back").disabled = find("first").disabled = at === 0;
    find("next").disabled = at === last();
    find("reset").disabled = !changed();
  }

  function drawParts(part, words) {
    for (const [index, name] of parts.entries()) {
      for (const element of all(`.motion-top .part-${name}`)) {
        element.classList.toggle("active", index === part);
        element.classList.toggle("ahead", index > part);
      }
      const card = root.querySelector(`#part-${name}`);
      card.querySelector(".numbers").innerHTML = words[name][0];
      card.querySelector(".said").innerHTML = words[name][1];
    }
  }

  function drawCell(part, step) {
    for (const element of all("[data-value]")) {
      const name = element.dataset.value;
      const known = partOf[name] <= part;
      element.textContent = known || !element.closest("table") ? textOf(step, name) : "";
    }
    for (const element of all("[data-gate]")) {
      const name = element.dataset.gate;
      element.style.setProperty("--level", partOf[name] <= part ? step[name] : 0);
    }
    const memory = { old: step.c_prev, kept: step.f * step.c_prev, new: step.c };
    for (const element of all("[data-memory]")) {
      element.style.setProperty("--size", Math.min(Math.abs(memory[element.dataset.memory]), 1.5));
    }
  }

  function drawTape(t, part) {
    for (const row of all("tbody tr")) {
      const name = row.dataset.row;
      const bound = name === "x0" ? 1.5 : 1;
      [...row.querySelectorAll("td:not(.now)")].forEach((cell, column) => {
        const value = valueOf(steps[column], name) / bound;
        cell.style.setProperty("--v", Math.max(-1, Math.min(1, value)).toFixed(3));
        cell.firstElementChild.textContent = textOf(steps[column], name);
        cell.classList.toggle("current", column === t);
        const ahead = column > t || (column === t && partOf[name] > part);
        cell.classList.toggle("ahead", ahead && !name.startsWith("x"));
      });
    }
    all("thead th:not(.now)").forEach((head, column) => {
      head.classList.toggle("current", column === t + 1);
    });
  }

  function drawInputs(t) {
    root.querySelector("#motion-change").textContent = fill(labels.input, { t: t + 1 });
    for (const field of all("[data-x]")) {
      const value = inputs[sceneName][field.dataset.x][t];
      if (field.type === "radio") field.checked = Number(field.value) === value;
      else if (field !== document.activeElement || Number(field.value) !== value) {
        field.value = value;
      }
    }
  }

  // ---------------------------------------------------------------- moving

  function go(where) {
    at = Math.max(0, Math.min(last(), where));
    draw();
    if (at === last()) pause();
    if (!timer) {
      const card = root.querySelector(".card.active");
      const words = [...card.querySelectorAll("h3, .numbers, .said")].map((p) => p.textContent);
      spoken.textContent = fill(labels.spoken, { t: root.dataset.step, words: words.join(labels.stop) });
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
    find("play").firstElementChild.textContent = labels.play;
  }

  function play() {
    if (timer) return pause();
    if (at === last()) go(find("parts").checked ? 0 : parts.length - 1);
    timer = setInterval(() => advance(1), find("parts").checked ? 1600 : 1200);
    find("play").firstElementChild.textContent = labels.pause;
    return undefined;
  }

  // ---------------------------------------------------------------- changing the input

  function change(entry, t, value) {
    if (!Number.isFinite(value) || inputs[sceneName][entry][t] === value) return;
    pause();
    inputs[sceneName][entry][t] = value;
    compute();
    draw();
    const { c, a } = steps[t];
    const said = { name: scene().entries[entry].name, value: asInput(value) };
    spoken.textContent = fill(labels.changed, { ...said, c: asNumber(c), a: asNumber(a) });
  }

  for (const field of all("[data-x]")) {
    field.addEventListener("input", () => {
      if (field.value === "" || !field.checkValidity()) return;
      change(Number(field.dataset.x), stepNow(), Number(field.value));
    });
  }

  // the height of the pointer in a cell of the table is the value, in tenths
  function drag(event, cell, t) {
    const { top, height } = cell.getBoundingClientRect();
    const share = 1 - (event.clientY - top) / height;
    const value = Math.round((Math.max(0, Math.min(1, share)) * 3 - 1.5) * 10) / 10;
    change(0, t, value === 0 ? 0 : value);
  }

  root.querySelector("tbody").addEventListener("pointerdown", (event) => {
    const cell = event.target.closest("td:not(.now)");
    if (!cell || event.button) return;
    const t = [...cell.parentElement.children].indexOf(cell) - 1;
    const name = cell.parentElement.dataset.row;
    pause();
    if (name !== "x0" || stepNow() !== t) go((t + 1) * parts.length - 1);
    if (name === "x0") {
      cell.setPointerCapture(event.pointerId);
      cell.onpointermove = (moved) => drag(moved, cell, t);
      cell.onpointerup = cell.onpointercancel = () => { cell.onpointermove = null; };
      drag(event, cell, t);
    } else if (name.startsWith("x")) {
      change(Number(name[1]), t, inputs[sceneName][name[1]][t] === 0 ? 1 : 0);
    }
  });

  // ---------------------------------------------------------------- buttons and keys

  const actions = {
    first: () => go(0),
    back: () => advance(-1),
    play,
    next: () => advance(1),
    parts: pause,
    reset: () => {
      inputs[sceneName] = structuredClone(scene().x);
      compute();
      draw();
    },
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
  for (const button of all("[data-scene]")) {
    button.addEventListener("click", () => {
      pause();
      setScene(button.dataset.scene);
    });
  }
  for (const link of all("a.part")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      pause();
      const index = parts.findIndex((name) => link.classList.contains(`part-${name}`));
      go(stepNow() * parts.length + index);
    });
  }
  root.addEventListener("keydown", (event) => {
    const keys = {
      ArrowRight: actions.next, ArrowLeft: actions.back, Home: actions.first,
      End: () => go(last()), " ": play,
    };
    const own = event.target.matches("input") || (event.key === " " && event.target.matches("button"));
    if (own || !(event.key in keys) || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    if (event.key !== " ") pause();
    keys[event.key]();
  });

  root.classList.add("live");
  if (still.matches) find("play").hidden = true;
  const wanted = location.hash.slice(1);
  setScene(wanted in told.scenes ? wanted : sceneName);
})();
