// What is said of a step: its sums, and a sentence for each part. The sentences stand in
// motion.yaml; here, the values choose among them.
"use strict";

function fill(template, values) {
  return template.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

function asNumber(value) {
  const text = value.toFixed(2).replace("-", "−");
  return text === "−0.00" ? "0.00" : text;
}

// short, for what a learner sets: 0, ½, 1, or a number
function asInput(value) {
  return { 0: "0", 0.5: "½", 1: "1" }[value] ?? asNumber(value);
}

function signed(value) {
  const text = asNumber(value);
  return text.startsWith("−") ? `(${text})` : text;
}

function openness(gate) {
  if (gate > 0.9) return "open";
  return gate < 0.1 ? "shut" : "half";
}

// "5 − 10 · 1": what goes into a gate, without the terms that are zero whatever comes
function sumInWords(weights, bias, inputs) {
  const terms = weights.map((weight, k) => [weight, `${Math.abs(weight)} · ${asInput(inputs[k])}`]);
  const used = [...terms, [bias, `${Math.abs(bias)}`]].filter(([weight]) => weight);
  used.sort(([one], [other]) => Math.sign(other) - Math.sign(one));
  return used
    .map(([weight, text], k) => (weight < 0 ? "− " : k ? "+ " : "") + text)
    .join(" ");
}

function gateInWords(unit, letter, stacked, gate) {
  return `σ(${sumInWords(unit[`W${letter}`], unit[`b${letter}`], stacked)}) = <b>${asNumber(gate)}</b>`;
}

function whatArrives(scene, x, word) {
  const names = scene.entries.flatMap(({ said }, k) => {
    if (!said || !x[k]) return [];
    if (Array.isArray(said)) return [said[x[k] > 0 ? 1 : 0]];
    return [x[k] === 1 ? `<em>${said}</em>` : fill(scene.read.half, { name: `<em>${said}</em>` })];
  });
  const template = names.length ? scene.read.something : scene.read.nothing;
  return fill(template, { word, names: names.join(scene.read.and) });
}

function memoryInWords(step) {
  const empty = Math.abs(step.c_prev) < 0.05;
  const how = openness(step.f);
  if (how === "half") return "blend";
  if (how === "open") return empty ? "empty" : "kept";
  return empty ? "first" : "replaced";
}

function wordsOf(scene, { unit, labels }, step, t) {
  const stacked = [step.a_prev, ...step.x];
  const given = scene.entries.map(({ name }, k) => fill(labels.entry, { name, value: asInput(step.x[k]) }));
  const likely = scene.classes?.[step.y[0] >= step.y[1] ? 0 : 1];
  const gate = (letter, value) => gateInWords(unit, letter, stacked, value);
  const predicted = (scene.classes ?? []).map((name, k) => fill(labels.entry, { name, value: `<b>${asNumber(step.y[k])}</b>` }));
  return {
    read: [given.join(labels.list), whatArrives(scene, step.x, scene.words?.[t])],
    forget: [gate("f", step.f), scene.forget[openness(step.f)]],
    store: [
      `${gate("i", step.i)}<br>tanh ${signed(weightedSum(unit.Wc, unit.bc, stacked))} = <b>${asNumber(step.cct)}</b>`,
      scene.store[openness(step.i)],
    ],
    cell: [
      `${asNumber(step.f)} · ${signed(step.c_prev)} + ${asNumber(step.i)} · ${signed(step.cct)} = <b>${asNumber(step.c)}</b>`,
      fill(scene.cell[memoryInWords(step)], { old: asNumber(step.c_prev) }),
    ],
    show: [
      [
        gate("o", step.o),
        `${asNumber(step.o)} · tanh ${signed(step.c)} = <b>${asNumber(step.a)}</b>`,
        ...(predicted.length ? [predicted.join(labels.list)] : []),
      ].join("<br>"),
      fill(scene.show[openness(step.o)], { likely }),
    ],
  };
}
