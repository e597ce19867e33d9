"""The source notebooks: small cells, normal form, and a table of points that is true."""

import json
import re
from pathlib import Path

import pytest
from ours import ASSIGNMENTS

from grading.source import course_root, read_source
from grading.source.cells import SKIPPED, grade_id, is_answer, points_of

ROOT = course_root(Path(__file__).parent)
SOURCES = {assignment: read_source(assignment, ROOT) for assignment in ASSIGNMENTS}
pytestmark = pytest.mark.parametrize("assignment", ASSIGNMENTS)


def prose(source):
    """Return what is read as text: no tables, formulas, images or tags."""
    source = re.sub(r"!\[.*?\]\(.*?\)|\$\$.*?\$\$|</?\w[^>]*>", " ", source, flags=re.DOTALL)
    return " ".join(line for line in source.splitlines() if not line.startswith("|"))


def test_each_task_says_how_many_lines_it_takes(assignment):
    answers = SOURCES[assignment].answers
    text = "\n".join(cell.source for cell in SOURCES[assignment].notebook.cells)
    told = re.findall(r"\*\*(?:Your turn:\*\* `(\w+)`|Yours), about (\d+) lines", text)
    assert [name or own for (name, _), own in zip(told, answers, strict=True)] == list(answers)
    for (name, answer), (_, lines) in zip(answers.items(), told, strict=True):
        code = re.split('"""', answer)[2].splitlines()
        written = [line for line in code if line.strip() and not line.strip().startswith("#")]
        assert abs(len(written) - int(lines)) <= 1, (name, len(written))


def test_the_table_of_points_leads_to_each_task(assignment):
    texts = [c.source for c in SOURCES[assignment].notebook.cells if c.cell_type == "markdown"]
    places = re.findall(r'^<a id="([\w-]+)"></a>\n\n###', "\n".join(texts), re.MULTILINE)
    leads = [place for text in texts for place in re.findall(r"\]\(#([\w-]+)\)", text)]
    tasks = [f"task-{name.replace('_', '-')}" for name in SOURCES[assignment].answers]
    assert tasks == leads == places


def test_cells_are_short_enough_to_read(assignment):
    for cell in SOURCES[assignment].notebook.cells:
        if cell.cell_type == "markdown":
            assert len(prose(cell.source).split()) <= 90, cell.id
            continue
        lines = [line for line in cell.source.splitlines() if not line.strip().startswith("###")]
        assert len(lines) <= (35 if is_answer(cell) else 20), cell.id
        assert max(map(len, lines)) <= 79, cell.id


def test_file_is_in_normal_form(assignment):
    text = (ROOT / f"source/{assignment}/{assignment}.ipynb").read_text("utf-8")
    notebook = json.loads(text)
    assert set(notebook["metadata"]) == {"kernelspec"}
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    for cell in notebook["cells"]:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", cell["id"])
        assert set(cell["metadata"]) <= {"nbgrader", "tags"}
        assert cell["metadata"].get("tags", [SKIPPED]) == [SKIPPED]
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None
    assert text == json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def test_one_title_and_alt_text_everywhere(assignment):
    cells = SOURCES[assignment].notebook.cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type != "code")
    assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1
    images = re.findall(r"!\[(.*?)\]\((.*?)\)", text)
    assert images
    for alt, path in images:
        assert len(alt.split()) >= 8, path
        assert (ROOT / "source" / assignment / path).is_file()


def marking_table(text):
    """Return the points of each function, by function and check, as a notebook tells them."""
    header, *rows = re.search(r"^\| check \|.*\n\|[-|]+\n((?:\|.*\n?)*)", text, re.MULTILINE)[
        0
    ].splitlines()
    names = re.findall(r"`(\w+)`", header)
    told = {name: {} for name in names}
    for row in rows[1:]:
        check, *points = (cell.strip() for cell in row.strip("|").split("|"))
        assert len(points) == len(names), row
        for name, number in zip(names, points, strict=True):
            if number:
                told[name][re.sub(r"[`$]| unchanged", "", check)] = int(number)
    return told


def test_table_of_points_is_the_one_that_is_marked(assignment):
    """The column of each function holds the points of its test, and they are 25."""
    source = SOURCES[assignment]
    *_, marking, licence = source.notebook.cells
    assert marking.id == "marking" and licence.id == "licence"
    told = marking_table(marking.source)
    known = json.loads((ROOT / "release" / assignment / "known_mistakes.json").read_text("utf-8"))
    assert list(told) == list(source.answers) and set(known) == set(source.answers)
    for name in source.answers:
        test = source.tests[f"test_{name}"]
        points = {k: int(p) for k, p in re.findall(r'"([\w =,]+)": (\d+)', test)}
        assert sum(points.values()) == 25
        assert told[name] == points
        assert known[name]["kinds"] == len(points)


def test_cells_are_named_for_their_functions(assignment):
    cells = SOURCES[assignment].notebook.cells
    names = [grade_id(cell) for cell in cells if is_answer(cell)]
    assert len(names) == 4
    for name in names:
        cell = next(c for c in cells if grade_id(c) == name)
        assert f"def {name}(" in cell.source
        test = next(c for c in cells if grade_id(c) == f"test_{name}")
        assert points_of(test) == 25


def test_starter_is_one_raise(assignment):
    release = ROOT / f"release/{assignment}/{assignment}.ipynb"
    for cell in json.loads(release.read_text("utf-8"))["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("solution"):
            body = "".join(cell["source"]).split('"""')[2]
            assert body.split("\n") == [
                "",
                "    # YOUR CODE HERE",
                "    raise NotImplementedError()",
            ]


def test_hints_come_in_three_steps_before_each_function(assignment):
    cells, steps = SOURCES[assignment].notebook.cells, ("the idea", "the shapes", "nearly the line")
    start = 0
    for place, cell in enumerate(cells):
        if is_answer(cell):
            before = "\n".join(c.source for c in cells[start:place] if c.cell_type == "markdown")
            hints = re.findall(r"<details><summary>(Hint .*?)</summary>", before)
            assert hints == [f"Hint {n}: {step}" for n, step in enumerate(steps, 1)], cell.id
            start = place


def test_each_part_ends_in_two_or_three_questions(assignment):
    text = "\n".join(
        c.source for c in SOURCES[assignment].notebook.cells if c.cell_type == "markdown"
    )
    parts = re.split(r"^## (?=\d )", text, flags=re.MULTILINE)[1:]
    # the outlook and what comes after the work ask nothing
    parts = [
        part for part in parts if not part.startswith("4 ") or assignment == "rnn_lstm_backward"
    ]
    for part in parts:
        asked = re.findall(
            r"^(?:### Questions|\*\*To think about\*\*)\n(.*?)(?=^#|\Z)", part, re.S | re.M
        )
        assert asked, part[:40]
        for each in asked:
            folded = each.split("\n\n**Yours")[0].count("?</summary>")
            assert 2 <= folded <= 3, each
