"""The cells of a notebook file, of any version and in any state."""

from __future__ import annotations

import contextlib
import functools
import json
import re
from dataclasses import dataclass, field
from typing import Any

from charset_normalizer import from_bytes

from grading.findings import Finding
from grading.intake.folder import Unreadable
from grading.intake.outputs import without_outputs
from grading.source.cells import is_as_released, line_of_conflict, settings_in

MAX_PARTS = 500_000  # lists and objects in its JSON
MAX_CELLS = 1000
MAX_TEXT = 1_000_000  # characters of a cell
MAX_SAMPLE = 65_536  # bytes by which an encoding is told
# In what editors save that do not save UTF-8; of those that fit alike, the first.
ENCODINGS = [
    *["cp1252", "cp932", "gb18030", "euc_jp", "big5", "cp949", "cp1251", "cp1250", "koi8_r"],
    *["cp1254", "cp1253", "cp1256", "cp1255"],
]
NOT_ASCII = re.compile(rb'[\x80-\xff][^"\n]*+')  # a letter, and what follows in its text


@dataclass
class RawCell:
    """What counts of a submitted cell; `place` is that of the known cell before it."""

    kind: str
    text: str
    id: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    place: int = -1

    @property
    def grade_id(self) -> str:
        """Its nbgrader id, "" where it has none."""
        return text_of(self.settings.get("grade_id"))

    @functools.cached_property
    def plain(self) -> str:
        """Its text without the white space that editors change."""
        return bare(self.text)

    @functools.cached_property
    def is_as_released(self) -> bool:
        """Whether it is as it was in some release, that of today or an earlier one."""
        return is_as_released(self.kind, self.text, self.settings)

    def defines(self, function: str) -> bool:
        """Tell whether the text defines the function, not inside of another."""
        pattern = rf"^def[ \t]+{re.escape(function)}[ \t]*\("
        return bool(function and re.search(pattern, self.text, re.MULTILINE))


def bare(text: str) -> str:
    """Return a text without the white space that editors change."""
    return "\n".join(line.rstrip() for line in text.strip().split("\n"))


def read_cells(raw: bytes) -> tuple[list[RawCell], list[Finding]]:
    """
    Read the cells of a notebook of any version, and note what is odd about the file.

    Of a cell, type, text, id and nbgrader's settings are looked at, nothing else; so
    whatever else a file holds or lacks cannot hurt.
    """
    data, notes = load(raw)
    if data.get("nbformat") != 4:
        notes.append(Finding("not of notebook format 4: read all the same", {}))
    sheets = [data, *list_of(data.get("worksheets"))]  # format 3 has worksheets
    found = [c for s in sheets if isinstance(s, dict) for c in list_of(s.get("cells"))]
    if not found:
        raise Unreadable("has no cells")
    if len(found) > MAX_CELLS:
        fields = {"count": len(found), "most": MAX_CELLS}
        notes.append(Finding("{count} cells: the first {most} were read", fields))
    cells = [read_cell(cell) for cell in found[:MAX_CELLS] if isinstance(cell, dict)]
    short = [cell for cell in cells if len(cell.text) <= MAX_TEXT]
    if len(short) < len(cells):
        most = {"most": MAX_TEXT}
        notes.append(Finding("cells of more than {most} characters were left out", most))
    return short, notes


def load(raw: bytes) -> tuple[dict, list[Finding]]:
    """Read JSON in whatever encoding, and note it where that is not UTF-8."""
    if not raw.strip():
        raise Unreadable("is empty")
    encoding = json.detect_encoding(raw)  # of those of Unicode
    other = Finding("saved as {encoding}: read all the same", {"encoding": encoding})
    notes = [] if encoding == "utf-8" else [other]
    text = raw.decode(encoding, "replace")
    damaged = text.count("\ufffd")
    if damaged and encoding == "utf-8":
        whole = len(text) - len(text.encode("ascii", "ignore")) - damaged
        if damaged >= whole:
            return load_other(raw)
    notes += [Finding("some letters could not be read", {})] if damaged else []
    return parse(text), notes


def load_other(raw: bytes) -> tuple[dict, list[Finding]]:
    """Read JSON in an encoding that the file does not tell, but its letters may."""
    for encoding in likely_encodings(raw):
        with contextlib.suppress(UnicodeDecodeError, Unreadable):
            told = Finding(
                "not UTF-8: read as {encoding}, so letters that are not English may be wrong",
                {"encoding": encoding},
            )
            return parse(raw.decode(encoding)), [told]
    raise Unreadable(
        "is damaged, or not UTF-8 and in no encoding that can be told: open it in Jupyter, and "
        "save it again"
    )


def likely_encodings(raw: bytes) -> list[str]:
    """Return the encodings that a file may be in, the likeliest first."""
    pieces, size = [], 0
    for piece in NOT_ASCII.finditer(raw):
        pieces.append(piece[0])
        size += len(piece[0])
        if size > MAX_SAMPLE:
            break
    seen = from_bytes(b"\n".join(pieces), cp_isolation=ENCODINGS, threshold=1)
    found = sorted(seen, key=lambda f: (f.chaos, -f.coherence, ENCODINGS.index(f.encoding)))
    return list(dict.fromkeys([*(each.encoding for each in found), *ENCODINGS, "latin_1"]))


def parse(text: str) -> dict:
    """Read JSON, without what is not used."""
    text = without_outputs(text.encode(errors="surrogatepass")).decode(errors="surrogatepass")
    if text.count("{") + text.count("[") > MAX_PARTS:
        raise Unreadable("holds far more than a notebook")
    try:
        # a number may have any length; none is needed
        data = json.loads(text, strict=False, parse_int=lambda digits: int(digits[:18]))
    except RecursionError:
        raise Unreadable("is nested too deeply") from None
    except ValueError as error:
        line = line_of_conflict(text)
        if line:
            raise Unreadable(
                "is no notebook: in line {number} begins a merge conflict, which is not resolved",
                number=line,
            ) from None
        if hasattr(error, "lineno"):
            raise Unreadable(
                "is no notebook from line {number} on: damaged, or not saved by Jupyter",
                number=error.lineno,
            ) from None
        raise Unreadable("is no notebook: damaged, or not saved by Jupyter") from None
    return data if isinstance(data, dict) else {}


def read_cell(raw: dict) -> RawCell:
    """Read one cell, whatever state it is in."""
    text = text_of(raw.get("source", raw.get("input")))  # format 3 says input
    text = text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
    text = text.encode(errors="replace").decode()
    kind = "code" if raw.get("cell_type") == "code" else "markdown"
    return RawCell(kind, text, text_of(raw.get("id")), settings_in(raw.get("metadata")))


def text_of(value: object) -> str:
    """Return a text that may be a list of lines, or something else altogether."""
    if isinstance(value, str):
        return value
    return "".join(v for v in list_of(value) if isinstance(v, str))


def list_of(value: object) -> list:
    """Return a list, empty where it is none."""
    return value if isinstance(value, list) else []
