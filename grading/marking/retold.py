"""What rooms have said as text, as findings: so that a page says it in its own language."""

from __future__ import annotations

from grading.findings import Finding
from grading.marking.result import BROKE_OFF
from grading.rooms import read_back


def retold(finding: Finding) -> Finding:
    """Return a finding in which what a room has said is a finding, too."""
    fields = {name: field_of(name, field) for name, field in finding.fields.items()}
    return Finding(finding.message, fields)


def field_of(name: str, field: object) -> object:
    """Return a field of a finding, read back where a room may have said it."""
    if isinstance(field, Finding):
        return retold(field)
    return said_as(field, name) if isinstance(field, str) else field


def said_as(text: str, gap: str) -> Finding | str:
    """Return what a sentence of a room, or a part that fills this gap, says; else the text."""
    if gap == "why":  # a whole sentence
        return Finding(text, {})
    if found := read_back(text, gap):
        sentence, gaps = found
        return Finding(sentence, {name: said_as(each, name) for name, each in gaps.items()})
    return text


def error_as(line: str) -> Finding | None:
    """Return the last line of a traceback, where a room has said it."""
    error, _, text = line.partition(": ")
    said = said_as(text, "said")
    return Finding(BROKE_OFF, {"error": error, "said": said}) if said != text else None
