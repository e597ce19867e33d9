"""
The colours of figures and plots, and how a drawing follows the page's light or dark.

Matplotlib writes every colour into the shape that has it. `follow_page` moves those that
have a role here into a style sheet inside the drawing, which gives each role one colour
on a light page and another on a dark one. Programs that know nothing of dark pages read
the light ones; a page that holds the drawing itself may set its own for the same roles.
"""

from __future__ import annotations

import re

# By role: on a light page, on a dark page. Type in `ink`, `soft` and the four line colours
# has a contrast of 4.5 : 1 at least on `paper` and `body`, `ink` on every fill.
ROLES = {
    "ink": ("#17202b", "#e8ecf1"),
    "soft": ("#5f6975", "#98a2ae"),
    "edge": ("#77818d", "#8b95a1"),
    "paper": ("#ffffff", "#131416"),
    "body": ("#f6f7f9", "#1d2127"),
    "gate": ("#a5c8ea", "#1f4f7f"),
    "parameter": ("#dcdfe4", "#3a424d"),
    "function": ("#fbe7b2", "#5a4a14"),
    "blue": ("#0067a5", "#66b8f5"),
    "orange": ("#c24a00", "#ff9255"),
    "green": ("#00795c", "#3fcca3"),
    "purple": ("#9c3d77", "#e592c4"),
}
# What Matplotlib draws axes and grids with, and the colours it counts curves with: C0 to C2.
ALSO = {
    "#000000": "ink",
    "#808080": "edge",
    "#b0b0b0": "edge",
    "#cccccc": "edge",
    "#1f77b4": "blue",
    "#ff7f0e": "orange",
    "#2ca02c": "green",
}
ROLE_OF = {light: role for role, (light, _) in ROLES.items()} | ALSO
STYLE_ATTRIBUTE = re.compile(r' style="([^"]*)"')
COLOUR = re.compile(r"(fill|stroke): (#[0-9a-f]{6})")
DARK = "@media (prefers-color-scheme: dark)"


def light(role: str) -> str:
    """Return the colour that Matplotlib draws a role with."""
    return ROLES[role][0]


def follow_page(svg: str) -> str:
    """Return a drawing of Matplotlib's whose colours follow the page it stands in."""
    marked = by_roles(svg)
    used = [role for role in ROLES if re.search(rf'"[^"]*-{role}\b[^"]*"', marked)]
    sheet = f"{rules(used, 0)}\n   {DARK} {{\n{rules(used, 1)}\n   }}"
    return marked.replace("</style>", f"\n{sheet}\n  </style>", 1)


def by_roles(svg: str) -> str:
    """Return a drawing of Matplotlib's whose shapes name their colours by their roles."""
    return STYLE_ATTRIBUTE.sub(lambda found: by_role(found[1]), svg)


def by_role(style: str) -> str:
    """Return the attributes of a shape, its colours named by their roles."""
    names, kept = [], []
    for declaration in style.split("; "):
        found = COLOUR.fullmatch(declaration)
        if found and found[2] in ROLE_OF:
            names.append(f"{found[1]}-{ROLE_OF[found[2]]}")
        else:
            kept.append(declaration)
    attributes = {"class": " ".join(names), "style": "; ".join(kept)}
    return "".join(f' {name}="{text}"' for name, text in attributes.items() if text)


def rules(roles: list[str], which: int) -> str:
    """Return the style sheet's lines for a light page (0) or a dark one (1)."""
    return "\n".join(
        f"   .{part}-{role} {{ {part}: {ROLES[role][which]} }}"
        for role in roles
        for part in ("fill", "stroke")
    )
