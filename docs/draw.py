"""
Draw architecture.svg from the code: stations as boxes, imports between them as arrows.

`python docs/draw.py` writes it; tests/test_house.py holds the picture against the code.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from html import escape
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]
PICTURE = Path(__file__).with_name("architecture.svg")
WIDE, HIGH, GAP_X, GAP_Y = 132, 34, 24, 40
STYLE = """
text { font: 13px system-ui, sans-serif; text-anchor: middle; fill: #1b1b1b }
rect { fill: #f4f1ea; stroke: #6b6b6b } .subject { fill: #e3eef7 }
path { fill: none; stroke: #8a8a8a } @media (prefers-color-scheme: dark) {
text { fill: #f0f0f0 } rect { fill: #2e2b26; stroke: #a0a0a0 } .subject { fill: #22313f } }
""".strip()


def layers() -> list[list[str]]:
    """Return the stations row by row, as the contract in pyproject.toml has them."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    (rows,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    names = [[name.strip() for name in row.split("|")] for row in rows]
    next(row for row in names if "grading.book" in row).append("rnn_marking")
    return names


def imports(stations: list[str]) -> Counter[tuple[str, str]]:
    """Return how many imports lead from one station to another."""
    graph = grimp.build_graph("grading", "rnn_marking")
    found: Counter[tuple[str, str]] = Counter()
    for importer in graph.modules:
        for imported in graph.find_modules_directly_imported_by(importer):
            pair = station_of(importer, stations), station_of(imported, stations)
            if None not in pair and pair[0] != pair[1]:
                found[pair] += 1
    return found


def station_of(module: str, stations: list[str]) -> str | None:
    """Return the station that a module belongs to."""
    return next((s for s in stations if module == s or module.startswith(f"{s}.")), None)


def draw() -> str:
    """Return the picture as SVG."""
    rows = layers()
    most = max(map(len, rows))
    width = most * (WIDE + GAP_X) + GAP_X
    places = {}
    for y, row in enumerate(rows):
        left = (width - len(row) * (WIDE + GAP_X) + GAP_X) / 2
        for x, name in enumerate(row):
            places[name] = left + x * (WIDE + GAP_X), GAP_Y / 2 + y * (HIGH + GAP_Y)
    lines = []
    for (above, below), count in sorted(imports(list(places)).items()):
        (x1, y1), (x2, y2) = places[above], places[below]
        start, end = (x1 + WIDE / 2, y1 + HIGH), (x2 + WIDE / 2, y2)
        bend = f"C{start[0]:g} {start[1] + 30:g} {end[0]:g} {end[1] - 30:g}"
        lines.append(
            f'<path stroke-width="{min(0.6 + count / 6, 3):.1f}" '
            f'd="M{start[0]:g} {start[1]:g}{bend} {end[0]:g} {end[1]:g}"/>'
        )
    boxes = []
    for name, (x, y) in places.items():
        kind = ' class="subject"' if name == "rnn_marking" else ""
        text = escape(name.removeprefix("grading."))
        boxes.append(f'<rect{kind} x="{x:g}" y="{y:g}" width="{WIDE}" height="{HIGH}" rx="6"/>')
        boxes.append(f'<text x="{x + WIDE / 2:g}" y="{y + 22:g}">{text}</text>')
    height = len(rows) * (HIGH + GAP_Y)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
            "<title>The stations of the code, and what imports what: arrows run downwards</title>",
            f"<style>{STYLE}</style>",
            *lines,
            *boxes,
            "</svg>\n",
        ]
    )


if __name__ == "__main__":
    PICTURE.write_text(draw(), "utf-8")
