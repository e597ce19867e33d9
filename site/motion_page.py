"""The LSTM in motion as HTML: a part of a page of the site, and a page of its own."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import latex2mathml.converter

import pictures
from language import Language
from motion import FORMULAS, Step, shown
from motion_drawing import drawing

STATIC = Path(__file__).with_name("static")
SCRIPTS = ("motion_cell.js", "motion_words.js", "motion.js")
# What each row of the table shows, and the part of the cell that it belongs to.
ROWS = {
    "x0": "read",
    "x1": "read",
    "x2": "read",
    "f": "forget",
    "i": "store",
    "cct": "store",
    "c": "cell",
    "o": "show",
    "a": "show",
    "y": "show",
}
NAMES = {
    "f": "forget gate",
    "i": "input gate",
    "cct": "candidate",
    "c": "cell state",
    "o": "output gate",
    "a": "hidden state",
}
SIGNED = ("x0", "cct", "c", "a")
ICONS = {
    "first": "M3 2v12M14 2 6 8l8 6z",
    "back": "M12 2 4 8l8 6z",
    "next": "M4 2l8 6-8 6z",
}


def widget(traces: dict[str, list[Step]], language: Language) -> str:
    """
    Return the animation as HTML, at the first step of its first scene.

    Parameters
    ----------
    traces : dict
        The time steps of each scene, as the solution computes them.
    language : Language
    """
    told = language.told("motion")
    labels, steps = told["labels"], next(iter(traces.values()))
    data = json.dumps(told, ensure_ascii=False).replace("</", r"<\/")
    # no empty lines: Markdown would take what follows for text
    return "\n".join(
        [
            '<div class="motion" id="motion" data-part="read">',
            scenes(told),
            '<div class="motion-top">',
            drawing(steps[0], told),
            controls(labels, len(steps)),
            cards(told["parts"]),
            "</div>",
            inputs(told, steps[0]),
            tape(told, steps),
            f'<p class="motion-keys">{labels["hint"]}</p>',
            '<p class="sr-only" aria-live="polite"></p>',
            f'<div class="motion-look"><h2>{labels["look"]}</h2><div class="looks"></div></div>',
            "</div>",
            f'<script type="application/json" id="motion-data">{data}</script>',
        ]
    )


def scenes(told: dict[str, Any]) -> str:
    """Return the buttons of the scenes, what the scene is about, and its words."""
    buttons = "".join(
        f'<button type="button" id="{name}" data-scene="{name}"'
        f' aria-pressed="{str(not k).lower()}">{scene["name"]}</button>'
        for k, (name, scene) in enumerate(told["scenes"].items())
    )
    return (
        f'<div class="motion-scenes" role="group" aria-label="{told["labels"]["scenes"]}">'
        f'{buttons}</div><p class="motion-about">{first_scene(told)["about"]}</p>'
        '<p class="motion-sentence" hidden></p>'
    )


def first_scene(told: dict[str, Any]) -> dict[str, Any]:
    """Return the scene that is shown first."""
    return next(iter(told["scenes"].values()))


def controls(labels: dict[str, str], steps: int) -> str:
    """Return the buttons, and the slider of the time steps."""
    icon = {
        name: f'<button type="button" data-do="{name}" aria-label="{labels[name]}">'
        f'<svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><path d="{path}"/>'
        "</svg></button>"
        for name, path in ICONS.items()
    }
    of = labels["step_of"].format(t=1, T=steps)
    return (
        f'<div class="motion-controls" role="group" aria-label="{labels["controls"]}">'
        f'{icon["first"]}{icon["back"]}<button type="button" data-do="play" class="play">'
        f"<span>{labels['play']}</span></button>{icon['next']}"
        f'<label><input type="checkbox" data-do="parts" checked> {labels["parts"]}</label>'
        f'<label>{labels["step"]} <input class="time" type="range" min="1" max="{steps}"'
        f' value="1" step="1"><output>{of}</output></label></div>'
    )


def cards(parts: dict[str, str]) -> str:
    """Return the parts' cards: formulas; the script adds numbers and a sentence."""
    items = []
    for name, title in parts.items():
        maths = "".join(
            f'<span class="formula">{mathml(tex)}<span>{number}</span></span>'
            for number, tex in FORMULAS[name].items()
        )
        items.append(
            f'<li id="part-{name}" class="card part-{name}"><h3>{title}</h3>'
            f'<p class="formulas">{maths}</p><p class="numbers"></p><p class="said"></p></li>'
        )
    return f'<ol class="motion-cards">{"".join(items)}</ol>'


def mathml(tex: str) -> str:
    """Return a formula that needs no script; brackets of columns are drawn as borders."""
    made = latex2mathml.converter.convert(tex.replace(r"\left", "").replace(r"\right", ""))
    upright = re.sub(r"<mi>(&#x003[9A][0-9A-F];)</mi>", r'<mi mathvariant="normal">\1</mi>', made)
    brackets = r"<mo[^>]*>&#x0005B;</mo><mtable>(.*?)</mtable><mo[^>]*>&#x0005D;</mo>"
    return re.sub(brackets, r'<mtable class="brackets">\1</mtable>', upright)


def inputs(told: dict[str, Any], step: Step) -> str:
    """Return the fields in which the input of the time step is changed."""
    labels, entries = told["labels"], first_scene(told)["entries"]
    number = (
        '<div class="field"><label><span data-entry="0">{name}</span> <input type="range"'
        ' data-x="0" min="-1.5" max="1.5" step="0.1" value="{value}"></label>'
        '<input type="number" data-x="0" min="-3" max="3" step="0.1" value="{value}"'
        ' aria-label="{name}"></div>'
    ).format(name=entries[0]["name"], value=step["x0"])
    switches = "".join(
        f'<fieldset class="switch"><legend data-entry="{k}">{entries[k]["name"]}</legend>'
        + "".join(
            f'<label><input type="radio" name="x{k}" data-x="{k}" value="{value}"'
            f"{' checked' if value == step[f'x{k}'] else ''}><span>{text}</span></label>"
            for value, text in ((0, "0"), (0.5, "½"), (1, "1"))
        )
        + "</fieldset>"
        for k in (1, 2)
    )
    return (
        '<div class="motion-inputs" role="group" aria-labelledby="motion-change">'
        f'<p id="motion-change">{labels["input"].format(t=1)}</p>'
        f'<div class="fields">{number}{switches}<button type="button" data-do="reset" disabled>'
        f"{labels['reset']}</button></div></div>"
    )


def tape(told: dict[str, Any], steps: list[Step]) -> str:
    """Return the table of all values, drawn as bars."""
    labels = told["labels"]
    heads = "".join(f'<th scope="col">{t + 1}</th>' for t in range(len(steps)))
    rows = "".join(row(name, part, told, steps) for name, part in ROWS.items())
    return (
        f'<div class="motion-tape"><table class="tape"><caption>{labels["tape"]}</caption>'
        f'<thead><tr><th scope="col">{labels["step"]}</th>{heads}'
        f'<th scope="col" class="now">{labels["now"]}</th></tr>'
        f"</thead><tbody>{rows}</tbody></table></div>"
    )


def row(name: str, part: str, told: dict[str, Any], steps: list[Step]) -> str:
    """Return a row of the table; that of the prediction is for scenes that have one."""
    values = [{**step, "y": step["y"][0]} for step in steps]
    bound = 1.5 if name == "x0" else 1
    cells = "".join(
        f'<td style="--v:{step[name] / bound:.3f}"><span>{shown(step, name)}</span></td>'
        for step in values
    )
    kinds = f"part-{part}{' signed' if name in SIGNED else ''}"
    kinds += " given" if name.startswith("x") else ""
    entry = f' data-entry="{name[1]}"' if name.startswith("x") else ""
    given = first_scene(told)["entries"]
    label = given[int(name[1])]["name"] if entry else told["labels"].get(NAMES.get(name, ""), "")
    return (
        f'<tr class="{kinds}" data-row="{name}"{" hidden" if name == "y" else ""}>'
        f'<th scope="row"{entry}>{label}</th>{cells}'
        f'<td class="now" data-value="{name}">{shown(values[0], name)}</td></tr>'
    )


def scripts() -> str:
    """Return the scripts, for the page of the site."""
    return "\n".join(f'<script defer src="_static/{name}"></script>' for name in SCRIPTS)


def whole_page(traces: dict[str, list[Step]], language: Language) -> str:
    """Return the animation as a page of its own, which opens from disk and needs nothing else."""
    title = language.told("motion")["labels"]["title"]
    style = pictures.colours() + (STATIC / "motion.css").read_text("utf-8")
    code = "".join((STATIC / name).read_text("utf-8") for name in SCRIPTS)
    return (
        f'<!DOCTYPE html>\n<html lang="{language.words["html"]}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>\n{style}</style>\n</head>\n"
        f'<body class="motion-alone">\n<main>\n<h1>{title}</h1>\n'
        f"{widget(traces, language)}\n</main>\n"
        f"<script>\n{code}</script>\n</body>\n</html>\n"
    )
