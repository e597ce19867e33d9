"""The annotated cell of the LSTM in motion, as SVG."""

from __future__ import annotations

from typing import Any

import numpy as np

from motion import FORMULAS, Step, shown

# Where things stand in the drawing, which is 540 wide and 390 high.
CELL_Y, PRODUCT_Y, GATE_Y, BUS_Y = 80, 150, 212, 268
STACK_X, FORGET_X, INPUT_X, CANDIDATE_X, OUTPUT_X, HIDDEN_X = 96, 148, 216, 300, 388, 442
ENTRIES = (170, 265, 360)


def drawing(step: Step, told: dict[str, Any]) -> str:
    """Return the annotated cell at a step, in the words of motion.yaml."""
    shapes = {
        "read": read_part(step, told["scenes"]["commands"]["entries"]),
        "forget": forget_part(step, told["gates"]),
        "store": store_part(step, told["gates"]),
        "cell": cell_part(step),
        "show": show_part(step, told["gates"]),
    }
    drawn = [
        part(name, " ".join([title, *FORMULAS[name]]).strip(), *shapes[name])
        for name, title in told["parts"].items()
    ]
    return (
        '<svg class="motion-cell" viewBox="0 0 540 390" role="group"'
        f' aria-label="{told["labels"]["drawing"]}">'
        '<rect class="body" x="66" y="34" width="412" height="290" rx="18"/>'
        f"{''.join(drawn)}</svg>"
    )


def memories(step: Step) -> dict[str, float]:
    """Return how large the memory is: the old one, what is kept of it, the new one."""
    sizes = {"old": step["c_prev"], "kept": step["f"] * step["c_prev"], "new": step["c"]}
    return {name: round(abs(size), 3) for name, size in sizes.items()}


def part(name: str, label: str, *shapes: str) -> str:
    """Return a part of the cell as a link to its card."""
    drawn = "".join(shape for shape in shapes if not shape.startswith("<text"))
    written = "".join(shape for shape in shapes if shape.startswith("<text"))
    return (
        f'<a class="part part-{name}" href="#part-{name}" aria-label="{label}">{drawn}</a>'
        f'<g class="part part-{name}">{written}</g>'
    )


def line(*points: tuple[float, float], style: str = "") -> str:
    """Return a line with an arrow's head at its end."""
    (x0, y0), (x, y) = points[-2:]
    along_x, along_y = np.sign(x - x0), np.sign(y - y0)
    base = (x - 9 * along_x, y - 9 * along_y)
    path = " ".join(f"{px:g},{py:g}" for px, py in (*points[:-1], base))
    corners = [
        (x, y),
        (base[0] + 5 * along_y, base[1] + 5 * along_x),
        (base[0] - 5 * along_y, base[1] - 5 * along_x),
    ]
    head = " ".join(f"{px:g},{py:g}" for px, py in corners)
    return f'<polyline{style} points="{path}"/><polygon points="{head}"/>'


def memory_line(step: Step, name: str, *points: tuple[float, float]) -> str:
    """Return a line that is as thick as the memory in it is large."""
    size = memories(step)[name]
    style = f' class="memory" data-memory="{name}" style="--size:{size}"'
    return line(*points, style=style)


def symbol(x: float, y: float, letter: str, step: str) -> str:
    """Return a letter with its time step, as a^<t>."""
    return (
        f'<text class="symbol" x="{x}" y="{y}"><tspan class="letter">{letter}</tspan>'
        f'<tspan class="step" dy="-7">⟨{step}⟩</tspan></text>'
    )


def value(step: Step, name: str, x: float, y: float, anchor: str = "middle") -> str:
    """Return a value in its place."""
    return (
        f'<text class="value" x="{x}" y="{y}" text-anchor="{anchor}"'
        f' data-value="{name}">{shown(step, name)}</text>'
    )


def box(x: float, y: float, text: str, width: float = 52) -> list[str]:
    """Return a function's box and its text."""
    return [
        f'<rect class="box" x="{x - width / 2:g}" y="{y - 17}" width="{width:g}" height="34"'
        ' rx="9"/>',
        f'<text class="function" x="{x}" y="{y + 6}">{text}</text>',
    ]


def gate_node(step: Step, gate: str, x: float, y: float) -> str:
    """Return a product's circle, filled as far as its gate is open."""
    at = f'cx="{x}" cy="{y}"'
    return (
        f'<circle class="node" {at} r="15"/>'
        f'<circle class="level" {at} r="15" data-gate="{gate}" style="--level:{step[gate]:.3f}"/>'
        f'<circle class="ring" {at} r="15"/><circle class="dot" {at} r="4"/>'
    )


def name_of(x: float, name: str, formula: int) -> str:
    """Return the name and the formula's number below a gate."""
    return (
        f'<text class="name" x="{x}" y="{BUS_Y + 24}">{name}</text>'
        f'<text class="name" x="{x}" y="{BUS_Y + 43}">({formula})</text>'
    )


def read_part(step: Step, entries: list[dict[str, Any]]) -> list[str]:
    """Draw hidden state and input, stacked and led to the gates."""
    return [
        symbol(10, CELL_Y + 28, "c", "t−1"),
        value(step, "c_prev", 32, CELL_Y - 14),
        symbol(10, BUS_Y + 25, "a", "t−1"),
        value(step, "a_prev", 32, BUS_Y - 10),
        line((8, BUS_Y), (STACK_X - 9, BUS_Y)),
        symbol(STACK_X - 42, 366, "x", "t"),
        line((STACK_X, 345), (STACK_X, BUS_Y + 20)),
        f'<rect class="box" x="{STACK_X - 9}" y="{BUS_Y - 20}" width="18" height="20"/>',
        f'<rect class="box" x="{STACK_X - 9}" y="{BUS_Y}" width="18" height="20"/>',
        f'<polyline points="{STACK_X + 9},{BUS_Y} {OUTPUT_X},{BUS_Y}"/>',
        *(
            f'<text class="entry" x="{x}" y="352" data-entry="{k}">{entry["name"]}</text>'
            for k, (x, entry) in enumerate(zip(ENTRIES, entries, strict=True))
        ),
        *(value(step, f"x{k}", x, 376) for k, x in enumerate(ENTRIES)),
    ]


def forget_part(step: Step, gates: dict[str, str]) -> list[str]:
    """Draw the forget gate."""
    return [
        line((FORGET_X, BUS_Y), (FORGET_X, GATE_Y + 17)),
        *box(FORGET_X, GATE_Y, "σ"),
        line((FORGET_X, GATE_Y - 17), (FORGET_X, CELL_Y + 15)),
        value(step, "f", FORGET_X - 8, 150, "end"),
        name_of(FORGET_X, gates["forget"], 3),
    ]


def store_part(step: Step, gates: dict[str, str]) -> list[str]:
    """Draw input gate, candidate and their product."""
    return [
        line((INPUT_X, BUS_Y), (INPUT_X, GATE_Y + 17)),
        *box(INPUT_X, GATE_Y, "σ"),
        line((INPUT_X, GATE_Y - 17), (INPUT_X, PRODUCT_Y), (CANDIDATE_X - 15, PRODUCT_Y)),
        value(step, "i", INPUT_X + 6, 142, "start"),
        name_of(INPUT_X, gates["input"], 4),
        line((CANDIDATE_X, BUS_Y), (CANDIDATE_X, GATE_Y + 17)),
        *box(CANDIDATE_X, GATE_Y, "tanh", 60),
        line((CANDIDATE_X, GATE_Y - 17), (CANDIDATE_X, PRODUCT_Y + 15)),
        value(step, "cct", CANDIDATE_X - 6, 187, "end"),
        name_of(CANDIDATE_X, gates["candidate"], 5),
        gate_node(step, "i", CANDIDATE_X, PRODUCT_Y),
    ]


def cell_part(step: Step) -> list[str]:
    """Draw the way of the cell state."""
    y = CELL_Y
    return [
        memory_line(step, "old", (8, y), (FORGET_X - 15, y)),
        memory_line(step, "kept", (FORGET_X + 15, y), (CANDIDATE_X - 15, y)),
        line((CANDIDATE_X, PRODUCT_Y - 15), (CANDIDATE_X, y + 15)),
        memory_line(step, "new", (CANDIDATE_X + 15, y), (534, y)),
        gate_node(step, "f", FORGET_X, y),
        f'<circle class="node ring" cx="{CANDIDATE_X}" cy="{y}" r="15"/>',
        f'<path class="plus" d="M{CANDIDATE_X - 8},{y}h16M{CANDIDATE_X},{y - 8}v16"/>',
        f'<text class="name" x="{CANDIDATE_X + 30}" y="{y + 24}">(6)</text>',
        value(step, "c", 508, y - 14),
        symbol(494, y + 28, "c", "t"),
    ]


def show_part(step: Step, gates: dict[str, str]) -> list[str]:
    """Draw the output gate and the hidden state."""
    return [
        line((OUTPUT_X, BUS_Y), (OUTPUT_X, GATE_Y + 17)),
        *box(OUTPUT_X, GATE_Y, "σ"),
        line((OUTPUT_X, GATE_Y - 17), (OUTPUT_X, 178), (HIDDEN_X - 15, 178)),
        value(step, "o", OUTPUT_X + 4, 168),
        name_of(OUTPUT_X, gates["output"], 7),
        line((HIDDEN_X, CELL_Y), (HIDDEN_X, 105)),
        *box(HIDDEN_X, 122, "tanh", 60),
        line((HIDDEN_X, 139), (HIDDEN_X, 163)),
        line((HIDDEN_X, 193), (HIDDEN_X, BUS_Y), (534, BUS_Y)),
        gate_node(step, "o", HIDDEN_X, 178),
        f'<text class="name" x="{HIDDEN_X + 14}" y="215">(8)</text>',
        value(step, "a", 508, BUS_Y - 10),
        symbol(494, BUS_Y + 25, "a", "t"),
    ]
