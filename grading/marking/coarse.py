"""
Findings without the numbers that a function could choose.

They could carry what the function was called with. The visible checks, on data that everybody
has, say them all.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from grading.findings import NOTHING, Finding


def coarse(finding: Finding) -> Finding:
    """Return what a page may say of a finding."""
    for beginning, less in LESS.items():
        if finding.message.startswith(beginning):
            return less(finding)
    fields = {
        name: coarse(value) if isinstance(value, Finding) else value
        for name, value in finding.fields.items()
    }
    return Finding(finding.message, fields)


def places(finding: Finding) -> Finding:
    """Say whether it is all places."""
    fields = finding.fields
    if fields["count"] == fields["size"]:
        return Finding("every place", {})
    return Finding("some places", {})


def shape(finding: Finding) -> Finding:
    """Say another shape only where it is made of the numbers that are expected."""
    sizes = {name: set(re.findall(r"\d+", finding.fields[name])) for name in ("shape", "expected")}
    if sizes["shape"] <= sizes["expected"] | {"1"}:
        return finding
    return saying("`{label}` is not of shape {expected}")(finding)


def saying(message: str) -> Callable[[Finding], Finding]:
    """Return what says this instead."""

    def less(finding: Finding) -> Finding:
        fields = {n: value for n, value in finding.fields.items() if f"{{{n}}}" in message}
        return Finding(message, fields)

    return less


LESS: dict[str, Callable[[Finding], Finding]] = {
    "{count} of {size} places": places,
    ", by up to": lambda _: NOTHING,
    "`{label}` has shape": shape,
    "`{label}` is of length": saying("`{label}` is not of length {expected}"),
    "returns {count} values": saying("does not return {expected} values: {names}"),
    "cannot be looked at": saying("cannot be looked at ({error})"),
    "`{label}` is not the numeric": saying("`{label}` is not the numeric derivative"),
}
