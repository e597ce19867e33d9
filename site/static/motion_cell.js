// One unit of an LSTM: formulas (3) to (9) of the notebook on the forward pass. The weights
// are those of its `parameters`, a row each: first the hidden state, then the input.
"use strict";

function logistic(z) {
  return 0.5 * (1 + Math.tanh(z / 2));
}

function weightedSum(weights, bias, inputs) {
  return weights.reduce((sum, weight, k) => sum + weight * inputs[k], bias);
}

function softmax(scores) {
  const powers = scores.map((score) => Math.exp(score - Math.max(...scores)));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

function stepOfUnit(unit, x, aPrev, cPrev) {
  const stacked = [aPrev, ...x];
  const f = logistic(weightedSum(unit.Wf, unit.bf, stacked));
  const i = logistic(weightedSum(unit.Wi, unit.bi, stacked));
  const cct = Math.tanh(weightedSum(unit.Wc, unit.bc, stacked));
  const c = f * cPrev + i * cct;
  const o = logistic(weightedSum(unit.Wo, unit.bo, stacked));
  const a = o * Math.tanh(c);
  const y = softmax(unit.Wy.map((weight, k) => weight * a + unit.by[k]));
  return { x, a_prev: aPrev, c_prev: cPrev, f, i, cct, c, o, a, y };
}

// x: a list for each entry of the input, as long as there are steps; the cell starts empty
function runUnit(unit, x) {
  const steps = [];
  for (const t of x[0].keys()) {
    const { a, c } = steps.at(-1) ?? { a: 0, c: 0 };
    steps.push(stepOfUnit(unit, x.map((entry) => entry[t]), a, c));
  }
  return steps;
}
