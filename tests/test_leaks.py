"""Nothing that is learned in a hidden test reaches a page, a certificate, an export."""

from __future__ import annotations

import base64
import json
import re
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path

import nbformat
import numpy as np
import pytest
from leaking import ASSIGNMENT, FUNCTIONS, LEAKS

from grading.cli import converter_of
from grading.marking.hidden_data import SECRET, sets_of
from grading.marking.naming import Outcomes
from grading.marking.solution import mark_solution
from grading.run.certificate import FOLDER, file_name
from grading.source import cells, course_root, read_source

ROOT = course_root(Path(__file__).parent)
FIXED = b"the secret of a course"
DIGITS = 9  # of a number: fewer stand in hashes by chance
BITS = 40  # of a number's 64


class Secrets:
    """All hidden inputs and right values of a course's sets, ready to be looked for."""

    def __init__(self, outcomes: list[Outcomes]) -> None:
        numbers = set()
        for each in outcomes:
            mark_solution(each)
            numbers |= {abs(float(n)) for n in numbers_in(each.secret)} - {0.0, 1.0}
        self.numbers = numbers
        self.digits = {digits_of(n)[:DIGITS] for n in numbers}
        self.first = [
            digits_of(abs(each.main_calls[FUNCTIONS[0]][0].arguments["xt"].flat[0]))
            for each in outcomes
        ]
        packed = [struct.pack(order, n) for n in numbers for order in ("<d", ">d")]
        # The six bytes behind sign and exponent, which are those of -n, too.
        bits = (np.unpackbits(np.array([n]).view(np.uint8)) for n in numbers)
        self.bits = {"".join(map(str, each[:BITS])) for each in bits}  # the sign is in the last
        self.hex = {p.hex()[:12] if p[-1] in (0x3F, 0xBF) else p.hex()[4:] for p in packed}

    def found_in(self, text: str) -> list[str]:
        """Return which are found in a text: as numbers, in hex, or in Base64 of either."""
        found = [*self.numbers_in(text), *self.hex_in(text)]
        for part in re.findall(r"[A-Za-z0-9+/]{16,}", text):
            for start in range(4):
                cut = part[start : start + (len(part) - start) // 4 * 4]
                data = base64.b64decode(cut)
                found += self.hex_in(data.hex())
                found += self.numbers_in(data.decode("latin-1"))
        return found

    def numbers_in(self, text: str) -> list[str]:
        """Return the numbers whose first digits stand in a text."""
        runs = [run.lstrip("0") for run in re.findall(r"\d{9,}", text.replace(".", ""))]
        windows = {run[n : n + DIGITS] for run in runs for n in range(len(run) - DIGITS + 1)}
        return sorted(self.digits & windows)

    def hex_in(self, text: str) -> list[str]:
        """Return the numbers whose bytes stand in a text in hex."""
        runs = re.findall(r"[0-9a-f]{12,}", text.lower())
        windows = {run[n : n + 12] for run in runs for n in range(len(run) - 11)}
        return sorted(self.hex & windows)

    def bits_in(self, rows: list[str]) -> list[str]:
        """Return those whose first bits stand in a picture of wrong places."""
        joined = "".join(rows)
        return sorted(self.bits & {joined[n : n + BITS] for n in range(len(joined) - BITS + 1)})

    def carried_in(self, texts: list[str]) -> list[str]:
        """Return the first numbers that a submission learns, if its functions carry the digits."""
        return [first for first in self.first if self.is_carried(first, texts)]

    def is_carried(self, first: str, texts: list[str]) -> bool:
        """Tell whether most functions say their four digits, or the first two of them."""
        parts = [first[n : n + 4] for n in range(0, 4 * len(texts), 4)]
        for length in (4, 2):
            said = [
                part[:length] in tokens_of(text, length)
                for part, text in zip(parts, texts, strict=True)
            ]
            if sum(said) >= len(texts) - 1:
                return True
        return False


def tokens_of(text: str, length: int) -> set[str]:
    """Return the digits that stand in a text, and those for which the ends of words may stand."""
    runs = re.findall(r"\d+", text)
    found = {run[n : n + length] for run in runs for n in range(len(run) - length + 1)}
    ends = re.findall(rf"[a-j]{{{length}}}\b", text)
    return found | {"".join(str(ord(letter) - 97) for letter in end) for end in ends}


def numbers_in(value: object) -> Iterator[float]:
    """Yield all numbers in a value that have many digits."""
    if isinstance(value, np.ndarray):
        yield from value.ravel()
    elif isinstance(value, dict):
        yield from numbers_in(list(value.values()))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from numbers_in(item)


def digits_of(number: float) -> str:
    """Return the significant digits of a number."""
    return f"{number:.17f}".replace(".", "").lstrip("0")


@pytest.fixture(scope="module")
def secrets() -> Secrets:
    source = read_source(ASSIGNMENT, ROOT)
    return Secrets([Outcomes(source, data) for data in sets_of(FIXED)])


LEAKS_OF = {"sandbox": LEAKS, "unprotected": [each for each in LEAKS if each.by_process]}


@pytest.fixture(scope="module", params=LEAKS_OF)
def course(request, shortened, tmp_path_factory) -> Path:
    """A course in which they were marked by `grade`, two at a time."""
    folder = tmp_path_factory.mktemp("leaks") / "course"
    shutil.copytree(shortened, folder)
    (folder / SECRET).write_bytes(FIXED)
    source = read_source(ASSIGNMENT, ROOT)
    for each in LEAKS_OF[request.param]:
        place = folder / "submitted" / student_of(each) / ASSIGNMENT
        place.mkdir(parents=True)
        nbformat.write(each.notebook(source), place / f"{ASSIGNMENT}.ipynb")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        converter = converter_of(ASSIGNMENT, unprotected=request.param == "unprotected")
        with converter.open_run([], jobs=2) as run:
            assert {certificate.status for certificate in run.mark()} == {"repaired"}
    return folder


def student_of(each) -> str:
    return re.sub(r"\W+", "_", each.name)


def findings_of(certificate: dict) -> list[str]:
    """Return what a certificate says of each function, without its points."""
    said = []
    for cell in certificate["cells"]:
        result = cell["result"]
        parts = [result["stopped"], *(c["wrong"] for c in result["checks"]), result["sentence"]]
        said.append(json.dumps(parts) + json.dumps([c["where"] for c in result["checks"]]))
    return said


@pytest.mark.parametrize("each", LEAKS, ids=lambda each: each.name)
def test_nothing_that_a_test_says_is_found(each, course, secrets):
    student = student_of(each)
    if not (course / "submitted" / student).exists():
        pytest.skip("comes to the same without a sandbox: no process carries it")
    certificate = course / "reports" / ASSIGNMENT / FOLDER / file_name(student)
    (page,) = (course / "feedback" / student).glob("*/*.html")
    (notebook,) = (course / "autograded" / student).glob("*/*.ipynb")
    for path in (certificate, page, notebook):
        assert secrets.found_in(path.read_text()) == [], path.name
    about = json.loads(certificate.read_text())
    assert secrets.carried_in(findings_of(about)) == []
    for check in (check for cell in about["cells"] for check in cell["result"]["checks"]):
        assert secrets.bits_in(check["where"].get("wrong", [])) == []
    tests = [c for c in nbformat.read(notebook, as_version=4).cells if cells.is_test(c)]
    assert secrets.carried_in([json.dumps(cell.outputs[0].data) for cell in tests]) == []


def test_no_export_holds_any(course, secrets):
    grades = (course / "reports" / ASSIGNMENT / "grades.csv").read_text()
    assert secrets.found_in(grades) == []


@pytest.mark.parametrize(
    "write",
    [
        repr,
        "{:.12f}".format,
        lambda n: struct.pack("<d", n).hex(),
        lambda n: base64.b64encode(b"ab" + struct.pack("<dd", n, n)).decode(),
        lambda n: base64.b64encode(repr((n, n)).encode()).decode(),
    ],
)
def test_the_search_finds_what_there_is(write, secrets):
    for number in sorted(secrets.numbers)[3000:3010]:
        assert secrets.found_in(f"said: {write(number)}, and more")


def test_the_search_finds_what_several_functions_carry(secrets):
    parts = [secrets.first[1][n : n + 4] for n in range(0, 16, 4)]
    assert secrets.carried_in([f"line 41: KeyError: '{part}'" for part in parts])
    letters = ["".join(chr(97 + int(d)) for d in part) for part in parts]
    assert secrets.carried_in([f"line 4: raise Error{part}" for part in letters])
    assert secrets.carried_in([f"line 4: def stop_{part[:2]}()" for part in letters])
    number = np.array([sorted(secrets.numbers)[3000]])
    bits = "".join(map(str, np.unpackbits(number.view(np.uint8))))
    assert secrets.bits_in([bits[:32], bits[32:]])
