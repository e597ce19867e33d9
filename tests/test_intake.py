"""Hostile and broken submissions, and what is made of them before anything runs."""

import base64
import codecs
import copy
import json
import os
import re
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import nbformat
import pytest
from dateutil.tz import gettz
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grading.intake.folder import HandedIn, Unreadable, look_into, read_file, read_folder
from grading.intake.merge import Frame
from grading.intake.submission import Part, take_in
from grading.intake.timestamps import UnknownZone, parse_time
from grading.run.late import points_off
from grading.source.cells import grade_id, is_answer

ROOT = Path(__file__).parents[1]
NAME = "rnn_lstm_forward"
SOURCE = nbformat.read(ROOT / "source" / NAME / f"{NAME}.ipynb", as_version=4)
FRAME = Frame(SOURCE)
RELEASE = json.loads((ROOT / "release" / NAME / f"{NAME}.ipynb").read_text("utf-8"))
FUNCTIONS = [grade_id(cell) for cell in SOURCE.cells if is_answer(cell)]
A, B, C, D = FUNCTIONS
STUB = "raise NotImplementedError"
STAMP = "%Y-%m-%d %H:%M:%S.%f %Z"  # Exchange.timestamp_format of nbgrader
# and what its abbreviation may stand for, where nothing but itself says
ZONES = dict.fromkeys(
    [
        *["UTC", "Europe/Berlin", "Europe/London", "America/Sao_Paulo", "Asia/Kathmandu"],
        *["Asia/Tokyo", "Australia/Sydney", "America/New_York", "America/Phoenix", "Africa/Lagos"],
    ],
    "",
)
ZONES |= {"Asia/Shanghai": '"CST" may be UTC-6', "Asia/Kolkata": '"IST" may be UTC+1'}

CASES: list = []
codecs.register_error("as JSON", lambda e: (json.dumps(e.object[e.start : e.end])[1:-1], e.end))


def version(name: str, marker: str = "mine") -> str:
    return f"def {name}(*arguments):\n    return '{marker}'\n"


class Submission:
    """A folder with a solved notebook, to be spoiled."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True)
        self.notebook = copy.deepcopy(RELEASE)
        self.cells = self.notebook["cells"]
        for name in FUNCTIONS:
            self[name]["source"] = version(name)

    def __getitem__(self, name: str) -> dict:
        return next(
            c for c in self.cells if c["metadata"].get("nbgrader", {}).get("grade_id") == name
        )

    def drop(self, name: str) -> dict:
        """Take a cell out."""
        return self.cells.pop(self.cells.index(self[name]))

    def add(self, below: str, text: str, kind: str = "code") -> dict:
        """Add an own cell below a known one."""
        cell = {"cell_type": kind, "metadata": {}, "source": text, "id": f"new-{len(self.cells)}"}
        if kind == "code":
            cell |= {"outputs": [], "execution_count": None}
        self.cells.insert(self.cells.index(self[below]) + 1, cell)
        return cell

    def blank(self, *names: str) -> None:
        """Put the stubs back."""
        for name in names:
            stub = next(c for c in RELEASE["cells"] if c["id"] == self[name]["id"])
            self[name]["source"] = stub["source"]

    def save(self, name: str = f"{NAME}.ipynb", encoding: str = "utf-8") -> Path:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        text = json.dumps(self.notebook, ensure_ascii=False).encode(encoding, "as JSON")
        path.write_bytes(text)
        return path


def case(status: str, note: str = "", **met: str | None) -> Callable:
    """Add a submission: its status, a note, and what tests meet where it is not "mine"."""

    def add(spoil: Callable) -> Callable:
        CASES.append(pytest.param(spoil, status, note, met, id=spoil.__name__))
        return spoil

    return add


def texts(notebook: nbformat.NotebookNode) -> list[str]:
    return [cell.source for cell in notebook.cells]


def met_by_test(notebook: nbformat.NotebookNode, name: str) -> str:
    """Return the definition of a function that its test meets."""
    text = ""
    for cell in notebook.cells:
        if grade_id(cell) == f"test_{name}":
            return text
        if cell.cell_type == "code" and re.search(rf"^def {name}\(", cell.source, re.MULTILINE):
            text = cell.source
    raise AssertionError(f"no test of {name}")


def read(folder: Path, frame: Frame = FRAME, **more) -> Part:
    """Read a folder, and sort out what is in it; the notes are all that there are."""
    return sort_out(read_folder(folder, [NAME]), frame, **more)


def sort_out(handed: HandedIn, frame: Frame = FRAME, **more) -> Part:
    """Sort out a submission of an assignment of one notebook."""
    intake = take_in(handed, {NAME: frame}, NAME, **more)
    part = intake.parts[NAME]
    assert part.status == intake.status or intake.status == "repaired"
    return Part(part.notebook, intake.status, intake.all_notes({}), part.answered)


def check(intake: Part) -> None:
    """Hold that all but the text of solution cells and own cells is the source's."""
    assert all(note.isprintable() and len(note) <= 300 for note in intake.notes)
    assert len(intake.notes) < 20
    assert (intake.status == "ok") or intake.notes
    if intake.status in ("unreadable", "missing"):
        assert intake.answered == set()
        for name in FUNCTIONS:
            assert STUB in met_by_test(intake.notebook, name)
    nbformat.validate(intake.notebook)
    json.dumps(intake.notebook, ensure_ascii=False, allow_nan=False).encode()
    assert not {"\0", "\r"} & set("".join(texts(intake.notebook)))
    own = [cell for cell in intake.notebook.cells if cell.id.startswith("student-")]
    ours = [cell for cell in intake.notebook.cells if not cell.id.startswith("student-")]
    expected = copy.deepcopy(SOURCE)
    for cell, theirs in zip(expected.cells, ours, strict=True):
        if is_answer(cell):
            cell.source = theirs.source
            assert "BEGIN SOLUTION" not in cell.source
    assert ours == expected.cells
    assert intake.notebook.metadata == expected.metadata
    assert len(own) <= 1000
    for cell in own:
        assert cell.metadata == {}
        assert not cell.get("outputs")
        assert "attachments" not in cell


# As it should be


@case("ok")
def right(sub):
    sub.save()


@case("ok", **dict.fromkeys(FUNCTIONS, STUB))
def untouched(sub):
    sub.blank(*FUNCTIONS)
    sub.save()


@case("ok")
def run_with_outputs_and_own_cells(sub):
    sub.add("setup", "import math")
    sub.add(f"check_{A}", "A thought", "markdown")
    sub[A]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x" * 1000}]
    sub[A]["execution_count"] = 7
    sub.save()


def show(sub, data: dict) -> None:
    """Add an output to a cell of the student's."""
    shown = {"output_type": "display_data", "data": data, "metadata": {}}
    sub[A]["outputs"].append(shown)


@case("ok")
def an_animation_of_21_megabytes(sub):
    show(sub, {"text/html": base64.b64encode(bytes(16_000_000)).decode()})
    sub.save()


@case("ok")
def printed_lists_of_6_megabytes(sub):
    sub[A]["outputs"] = [
        {"output_type": "stream", "name": "stdout", "text": ["[[0.25, 1]]\n"] * 400_000}
    ]
    sub.save()


@case("ok")
def figures_and_widgets_as_json(sub):
    """Their lists are as many as a notebook may hold, and more; texts in them look like keys."""
    figure = {"data": [[n, [n]] for n in range(130_000)], "title": '"outputs": [ "]'}
    show(sub, {"application/vnd.plotly.v1+json": figure})
    sub.notebook["metadata"]["widgets"] = {"state": figure}
    sub.add("setup", "![](attachment:a.png)", "markdown")["attachments"] = {"a.png": figure}
    sub.save()


@case("ok")
def code_that_looks_like_an_output(sub):
    sub[A]["source"] += """x = '"outputs": [ {'\ny = {"outputs": [1, "]"], "widgets": {}}\n"""
    sub.save()


@case("ok", "other files, not used: data.csv, ipykernel_launcher.py, numpy.py")
def files_named_like_modules(sub):
    for name in ("numpy.py", "ipykernel_launcher.py", "data.csv", "rnn_utils.py", ".hidden"):
        (sub.folder / name).write_text("raise SystemExit")
    sub.save()


@case("ok", "not used: 0.txt, 1.txt, 10.txt, 100.txt, 101.txt, 495 more")
def hundreds_of_files(sub):
    for number in range(500):
        (sub.folder / f"{number}.txt").touch()
    sub.save()


@case("ok")
def checkpoints(sub):
    sub.save()
    sub.blank(*FUNCTIONS)
    sub.save(f".ipynb_checkpoints/{NAME}-checkpoint.ipynb")


@case("ok", "not followed: away, pipe, socket")
def links_and_pipes_beside_it(sub):
    os.symlink("/", sub.folder / "away")
    os.mkfifo(sub.folder / "pipe")
    here = os.getcwd()
    os.chdir(sub.folder)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket")
    os.chdir(here)
    sub.save()


@case("ok", "not followed: a.ipynb, rnn.ipynb")
def notebooks_that_are_a_folder_and_a_link(sub):
    os.symlink(ROOT / "source" / NAME / f"{NAME}.ipynb", sub.folder / "a.ipynb")
    (sub.folder / "rnn.ipynb").mkdir()
    sub.save()


@case("ok", "timestamp.txt holds no date")
def garbage_timestamp(sub):
    (sub.folder / "timestamp.txt").write_bytes(b"\xff 99999999999999 \0")
    sub.save()


@case("ok", "evil  [31m")
def terminal_codes_in_a_file_name(sub):
    (sub.folder / "evil\n\x1b[31m\udcff.txt").touch()
    sub.save()


# The file


@case("repaired", "utf-8-sig")
def byte_order_mark(sub):
    sub.save(encoding="utf-8-sig")


@case("repaired", "utf-16")
def utf_16(sub):
    sub.save(encoding="utf-16")


@case("repaired", "letters could not be read")
def one_byte_of_utf_8_is_damaged(sub):
    sub[A]["source"] += "# größer als café\n"
    path = sub.save()
    path.write_bytes(path.read_bytes().replace(b"'mine'", b"'mine' # \xe9", 1))


# Saved by an editor of a Windows in Japan, whose 能 and 表 end in the byte of a backslash, ...
IN_OTHER_ENCODINGS = {
    "cp932": "機能の表示: ソース、予測",
    "cp1252": "Zustand des nächsten Schritts – größer",
    "latin_1": "l'état caché à l'étape précédente",
    "gb18030": "计算下一个隐藏状态的值",
    "big5": "計算下一個隱藏狀態的值",
    "cp949": "다음 은닉 상태를 계산한다",
    "cp1251": "функция потерь",
    "koi8_r": "вычисляем следующее состояние",
    "utf-16": "機能の表示",
    "utf-32": "機能の表示",
}


@pytest.mark.parametrize(("encoding", "text"), IN_OTHER_ENCODINGS.items())
def test_other_encodings_are_read(encoding, text, tmp_path):
    submission = Submission(tmp_path / "ada")
    submission[A]["source"] += f"# {text}\nlabel = '{text}'\n"
    submission.save(encoding=encoding)
    intake = read(submission.folder)
    check(intake)
    assert (intake.status, intake.answered) == ("repaired", set(FUNCTIONS))
    assert f"label = '{text}'" in met_by_test(intake.notebook, A)
    (note,) = intake.notes
    assert "saved as utf" in note or "not UTF-8: read as" in note


def test_an_encoding_that_nobody_can_tell_costs_nothing(tmp_path):
    submission = Submission(tmp_path / "ada")
    path = submission.save()
    path.write_bytes(path.read_bytes().replace(b"'mine'", b"'mine' # \x81\x8d\xff"))
    intake = read(submission.folder)
    check(intake)
    assert intake.answered == set(FUNCTIONS) and "not UTF-8" in intake.notes[0]


@case("repaired", "format 4")
def format_3(sub):
    cells = [
        {**cell, "input": cell.pop("source"), "language": "python"}
        if cell["cell_type"] == "code"
        else cell
        for cell in sub.cells
    ]
    sub.notebook = {"nbformat": 3, "metadata": {}, "worksheets": [{"cells": cells}]}
    sub.save()


@case("repaired", "format 4")
def format_5(sub):
    sub.notebook["nbformat"] = 5
    sub.save()


@case("ok")
def minor_99(sub):
    sub.notebook["nbformat_minor"] = 99
    sub.save()


@case("ok")
def other_kernel_and_language(sub):
    sub.notebook["metadata"] = {"kernelspec": {"name": "bash"}, "widgets": {"state": {}}, "a": [1]}
    sub.save()


@case("repaired", "not rnn_lstm_forward.ipynb but rnn (1).ipynb")
def renamed(sub):
    sub.save("rnn (1).ipynb")


@case("repaired", "hand-in/rnn.ipynb.txt")
def renamed_in_a_folder(sub):
    sub.save("hand-in/rnn.ipynb.txt")


@case("repaired", "there is also draft.ipynb", **{A: STUB, C: STUB})
def several_notebooks(sub):
    sub.save("draft.ipynb")
    sub.blank(A, C)
    sub.save()


@case("repaired", "but rnn-Copy1.ipynb was read")
def the_copy_is_the_one_worked_on(sub):
    sub.save("rnn-Copy1.ipynb")
    sub.blank(*FUNCTIONS)
    sub.save()


@case("repaired", "rnn_lstm_forward.ipynb is empty")
def right_name_empty_but_another(sub):
    sub.save("rnn.ipynb")
    (sub.folder / f"{NAME}.ipynb").touch()


@case("ok")
def giant_numbers_nan_and_double_keys(sub):
    path = sub.save()
    odd = '{"a": 1' + "0" * 10_000 + ', "b": NaN, "c": 1e999, "cells": [],' + '"cells": []'
    path.write_text(odd + "," + path.read_text()[1:])


@case("ok")
def raw_line_ends_in_json(sub):
    path = sub.save()
    path.write_bytes(path.read_bytes().replace(rb"\n", b"\r\n"))


@case("ok")
def nul_characters_and_lone_surrogates(sub):
    sub[A]["source"] += "# \0 \ud800\rx = 1"
    sub.add(A, "\udfff\0", "markdown")
    sub.save()


@case("unreadable", "is empty")
def empty_file(sub):
    (sub.folder / f"{NAME}.ipynb").touch()


@case("unreadable", "no notebook from line 1 on")
def comma_too_many(sub):
    path = sub.save()
    path.write_text(path.read_text()[:-1] + ",}")


@case("unreadable", "no notebook")
def cut_off(sub):
    path = sub.save()
    path.write_bytes(path.read_bytes()[:-100])


@case("unreadable", "too deeply")
def nested_thousands_deep(sub):
    (sub.folder / f"{NAME}.ipynb").write_text('{"cells":' + "[" * 100_000)


@case("unreadable", "far more")
def millions_of_parts(sub):
    (sub.folder / f"{NAME}.ipynb").write_text('{"cells":[' + "[]," * 1_000_000 + "1]}")


@case("unreadable", "larger than 100 MB")
def many_megabytes(sub):
    with sub.save().open("r+b") as file:
        file.truncate(10**12)  # sparse


@case("unreadable", "larger than 20 MB, outputs left out")
def many_megabytes_of_text(sub):
    sub.add(A, "#" * 21_000_000)
    sub.save()


@case("unreadable", "larger than 20 MB: clear its outputs")
def many_megabytes_in_another_encoding(sub):
    sub[A]["source"] += "# é"
    show(sub, {"text/html": "x" * 21_000_000})
    sub.save(encoding="latin-1")


@case("unreadable", "far more")
def outputs_cut_off(sub):
    sub.cells.clear()
    path = sub.save()
    path.write_bytes(path.read_bytes().partition(b"[")[0] + b'[{"outputs":[' + b'"[{",[' * 300_000)


@case("unreadable", "xxx")
def endless_names(sub):
    (sub.folder / ("x" * 200)).mkdir()
    (sub.folder / ("x" * 200) / ("y" * 200 + ".ipynb")).touch()


@case("unreadable", "has no cells")
def a_list(sub):
    (sub.folder / f"{NAME}.ipynb").write_text("[1, 2]")


@case("unreadable", "another assignment?")
def other_assignment(sub):
    sub.notebook["cells"] = [sub["setup"], sub.cells[0]]
    sub.save()


@case("unreadable", f"not followed: {NAME}.ipynb")
def notebook_is_a_link_to_the_source(sub):
    os.symlink(ROOT / "source" / NAME / f"{NAME}.ipynb", sub.folder / f"{NAME}.ipynb")


@case("unreadable", "not followed")
def notebook_is_a_pipe(sub):
    os.mkfifo(sub.folder / f"{NAME}.ipynb")


@case("unreadable", "not followed")
def notebook_is_a_folder(sub):
    (sub.folder / f"{NAME}.ipynb").mkdir()


@case("unreadable", "not followed")
def the_folder_is_a_link(sub):
    sub.folder.rmdir()
    sub.folder.symlink_to(ROOT / "release" / NAME)


@case("missing", "no notebook")
def nothing_but_a_picture(sub):
    (sub.folder / "photo.jpg").touch()


@case("missing", "no notebook")
def no_folder(sub):
    sub.folder.rmdir()


# The cells


@case("repaired", f"deleted, counted as not written: {B}", **{B: STUB})
def solution_deleted(sub):
    sub.drop(B)
    sub.save()


@case("ok", f"not in it, put back as the course has it: setup, check_{A}, test_{A}")
def locked_cells_deleted(sub):
    for name in ("setup", f"check_{A}", f"test_{A}"):
        sub.drop(name)
    sub.save()


@case("repaired", "settings")
def freed_tests_and_points_changed(sub):
    for name in FUNCTIONS:
        sub[f"test_{name}"]["metadata"]["nbgrader"] |= {"locked": False, "points": 1000}
        sub[f"test_{name}"]["metadata"]["tags"] = ["skip-execution"]
    sub[A]["metadata"]["nbgrader"] |= {"grade": True, "solution": False, "schema_version": 99}
    sub.save()


@case("repaired", "settings")
def settings_are_no_dictionary(sub):
    for cell in sub.cells:
        cell["metadata"]["nbgrader"] = ["grade_id"]
    sub.save()


@case("repaired", "settings")
def grade_id_is_no_text(sub):
    sub[A]["metadata"]["nbgrader"]["grade_id"] = {"a": []}
    sub.save()


@case("repaired", f"taken from where it is defined: {A}, {B}, {C}, {D}")
def metadata_and_ids_lost(sub):
    for cell in sub.cells:
        cell["metadata"] = {}
        del cell["id"]
    sub.save()


@case("ok")
def ids_lost_or_invalid(sub):
    for number, cell in enumerate(sub.cells):
        cell["id"] = [None, "no id!" * 50, "same", 3, "title"][number % 5]
    sub.save()


@case("ok")
def sources_are_lists(sub):
    for cell in sub.cells:
        cell["source"] = [*"".join(cell["source"]).splitlines(keepends=True), 7, None]
    sub.save()


@case("repaired", "changed in locked cells", **{A: STUB})
def sources_are_none_or_numbers(sub):
    sub[A]["source"] = None
    sub[f"check_{A}"]["source"] = 5
    sub["setup"]["source"] = "import math"
    sub.cells += [None, 7, {}, {"cell_type": "code", "source": {"a": 1}}]
    sub.save()


@case("repaired", "no longer of its type")
def solution_turned_into_text(sub):
    sub[A]["cell_type"] = "markdown"
    sub[B]["cell_type"] = "raw"
    sub.save()


@case("repaired", "deleted", **{A: STUB})
def solution_replaced_by_a_remark(sub):
    sub[A].update(cell_type="markdown", source="I could not do it.")
    sub.save()


@case("repaired", f"copied cells, run as cells of their own: {A}", **{A: "later"})
def copied_and_changed_below(sub):
    sub.add(A, version(A, "later"))["metadata"] = sub[A]["metadata"]
    sub.save()


@case("repaired", "copied cells")
def copied_below_the_test(sub):
    sub.add(f"test_{A}", version(A, "later"))["metadata"] = sub[A]["metadata"]
    sub.save()


@case("repaired", "copied cells")
def older_version_kept_at_the_top(sub):
    backup = copy.deepcopy(sub[A]) | {"id": "backup", "source": version(A, "older")}
    sub.cells.insert(0, backup)
    sub.save()


@case("repaired", "copied cells")
def copied_and_left_blank(sub):
    own = sub[A]["source"]
    sub.blank(A)
    sub.add(A, sub[A]["source"])["metadata"] = sub[A]["metadata"]
    sub[A]["source"] = own
    sub.save()


@case("repaired", "copied cells")
def split_in_two(sub):
    metadata = sub[A]["metadata"]
    sub.add(A, sub[A]["source"])["metadata"] = metadata
    sub[A]["source"] = "import math\n"
    sub.save()


@case("repaired", "where it is defined")
def written_below_the_stub(sub):
    sub.blank(A)
    sub.add(A, version(A))
    sub.save()


@case("repaired", "where it is defined")
def written_twice_below_the_stub(sub):
    sub.blank(B)
    sub.add(B, version(B))
    sub.add(B, version(B, "draft"))
    sub.save()


@case("repaired", "where it is defined", **{B: "later"})
def deleted_and_written_twice(sub):
    sub.add(B, version(B, "later"))
    sub.add(B, version(B))
    sub.drop(B)
    sub.save()


@case("repaired", "where it is defined")
def written_at_the_end(sub):
    sub.blank(A, B)
    sub.drop(C)
    for name in (A, B, C):
        sub.add("memory_picture", version(name))
    sub.save()


@case("repaired", "where it is defined")
def drafts_then_the_last_at_the_end(sub):
    sub.blank(A)
    sub.add("memory_picture", version(A))
    sub.add("memory_picture", version(A, "draft"))
    sub.save()


@case("repaired", "where it is defined")
def all_in_one_cell(sub):
    for name in (B, C, D):
        sub.drop(name)
    sub[A]["source"] = "\n".join(map(version, FUNCTIONS))
    sub.save()


@case("ok", **{A: "later"})
def redefined_in_an_own_cell(sub):
    sub.add(A, version(A, "later"))
    sub.add(f"test_{B}", version(B, "too late"))
    sub.save()


@case("ok", **{A: "later"})
def solution_moved_up_and_redefined(sub):
    moved = sub.drop(A)
    sub.add("setup", version(A, "later"))
    sub.cells.insert(1, moved)
    sub.save()


@case("ok")
def its_tests_come_first(sub):
    sub.cells.sort(key=lambda cell: "nbgrader" not in cell["metadata"])
    sub.cells.sort(key=lambda c: not c["metadata"].get("nbgrader", {}).get("grade"))
    sub.save()


@case("repaired", "changed in locked cells")
def imports_added_to_a_locked_cell(sub):
    sub["setup"]["source"] = ["import numpy as np\n", "import math"]
    sub.save()


@case("repaired", "the first 1000 were read")
def too_many_cells(sub):
    sub.cells += [{"cell_type": "code", "source": str(n), "metadata": {}} for n in range(5000)]
    sub.save()


@case("repaired", "more than 1000000 characters", **{A: STUB})
def cell_of_megabytes(sub):
    sub[A]["source"] += "#" * 2_000_000
    sub.save()


@pytest.mark.parametrize(("spoil", "status", "note", "met"), CASES)
def test_submission(spoil, status, note, met, tmp_path):
    submission = Submission(tmp_path / "ada" / NAME)
    spoil(submission)
    intake = read(submission.folder, shipped=["rnn_utils.py"])
    check(intake)
    assert intake.status == status, intake.notes
    assert any(note in line for line in intake.notes or [""]), intake.notes
    if status in ("ok", "repaired"):
        assert intake.answered == {name for name in FUNCTIONS if met.get(name) != STUB}
        for name in FUNCTIONS:
            assert met.get(name, "'mine'") in met_by_test(intake.notebook, name)


def test_a_helper_module_is_named_only_where_it_says_something_else(tmp_path):
    submission = Submission(tmp_path / "ada")
    submission.save()
    given = {"rnn_utils.py": [b"x = 2\n", b"def f():\n    return 1\n"], "more.py": [b"x = 1\n"]}
    for name, (*_, text) in given.items():
        (submission.folder / name).write_bytes(text.replace(b"\n", b"\r\n"))
    texts = lambda path: given.get(path, ())  # noqa: E731
    same = read_folder(submission.folder, [NAME], texts)
    assert sort_out(same, shipped=given).notes == []
    (submission.folder / "more.py").write_bytes(b"x = 2\n")
    other = read_folder(submission.folder, [NAME], texts)
    assert sort_out(other, shipped=given).notes == [
        "changed, where the course's own counts: more.py"
    ]
    assert same.hash != other.hash


def test_own_cells_stay_where_the_student_had_them(tmp_path):
    submission = Submission(tmp_path / "ada")
    submission.add(B, "helper = 1")
    submission.add(f"test_{B}", "**a remark**", "markdown")["attachments"] = {"a": {}}
    submission.cells.insert(0, {"cell_type": "code", "metadata": {"tags": ["x"]}, "source": "top"})
    submission.save()
    intake = read(submission.folder)
    check(intake)
    order = texts(intake.notebook)
    assert order[0] == "top"
    assert order[order.index("helper = 1") - 1] == version(B)
    assert (
        order[order.index("**a remark**") - 1]
        == texts(SOURCE)[[grade_id(cell) for cell in SOURCE.cells].index(f"test_{B}")]
    )


def test_a_helper_moves_with_its_function(tmp_path):
    submission = Submission(tmp_path / "ada")
    helper, moved = submission.add("setup", "def helper(): ..."), submission.drop(A)
    submission.cells.remove(helper)
    submission.cells += [helper, moved]
    submission.save()
    order = texts(read(submission.folder).notebook)
    assert order[order.index("def helper(): ...") + 1] == version(A)


def test_what_was_written_into_a_locked_cell_runs_below_the_original(tmp_path):
    submission = Submission(tmp_path / "ada")
    submission["setup"]["source"] = "import math"
    submission.save()
    cells = read(submission.folder).notebook.cells
    setup = [grade_id(cell) for cell in cells].index("setup")
    assert "import numpy" in cells[setup].source
    assert cells[setup + 1].source == "import math"


def test_what_is_taken_from_elsewhere_stands_there_no_more(tmp_path):
    submission = Submission(tmp_path / "ada")
    submission.blank(A)
    submission.add(A, version(A))
    submission.save()
    assert texts(read(submission.folder).notebook).count(version(A)) == 1


def test_without_metadata_order_is_kept(tmp_path):
    submission = Submission(tmp_path / "ada")
    submission.add(f"test_{A}", "below")
    for cell in submission.cells:
        cell["metadata"] = {}
        del cell["id"]
    submission.save()
    cells = read(submission.folder).notebook.cells
    order = [grade_id(cell) or cell.source for cell in cells]
    assert order.index(f"check_{A}") < order.index("below") < order.index(B)


def test_tests_of_one_text_that_have_lost_their_names_are_not_said_to_be_missing(tmp_path):
    source = copy.deepcopy(SOURCE)
    for name in FUNCTIONS:
        test = next(cell for cell in source.cells if grade_id(cell) == f"test_{name}")
        test.source = f"# {name[:3]}\n### BEGIN HIDDEN TESTS\npass\n### END HIDDEN TESTS"
    sub = Submission(tmp_path / "ada" / NAME)
    for name in FUNCTIONS:
        sub[f"test_{name}"]["source"] = f"# {name[:3]}"
    metadata_and_ids_lost(sub)
    assert "not in it, put back" not in " ".join(read(sub.folder, Frame(source)).notes)


def test_outputs_of_the_source_are_not_kept(tmp_path):
    submission = Submission(tmp_path / "ada")
    submission.save()
    source = copy.deepcopy(SOURCE)
    for cell in source.cells:
        if cell.cell_type == "code":
            cell.outputs = [nbformat.v4.new_output("stream", text="4")]
            cell.execution_count = 4
    check(read(submission.folder, Frame(source)))


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/etc/passwd")])
def test_only_plain_files_are_read(make, tmp_path):
    make(tmp_path / "file")
    with pytest.raises(Unreadable):
        read_file(tmp_path / "file", 1000)


def test_nothing_answered_is_the_student_version():
    intake = sort_out(HandedIn())
    assert intake.status == "missing"
    check(intake)
    for name in FUNCTIONS:
        assert STUB in met_by_test(intake.notebook, name)


# When: what `Exchange.timezone` and `Exchange.timestamp_format` make of two moments, in each zone


@pytest.mark.parametrize("zone", sorted(ZONES))
@pytest.mark.parametrize(
    "moment", [datetime(2026, 1, 15, 11, 5, 6, 7), datetime(2026, 7, 15, 23, 59)]
)
def test_a_time_as_the_exchange_writes_it(zone, moment):
    written = moment.replace(tzinfo=UTC).astimezone(gettz(zone)).strftime(STAMP)
    assert parse_time(written, zone) == moment
    if ZONES[zone]:
        with pytest.raises(UnknownZone, match=re.escape(ZONES[zone])):
            parse_time(written)
    else:
        assert parse_time(written) == moment


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2026-10-25 02:30 CEST", 0),  # clocks are set back: the hour from two to three, twice
        ("2026-10-25 02:30 CET", 1),
        ("2026-03-29 01:59:59.999999 CET", 0),  # and forward
        ("2026-03-29 03:00 CEST", 1),
        ("2026-07-15 12:00 +0200", 10),  # to nbgrader these were 200 seconds
        ("2026-07-15 12:00:00 +02:00", 10),
        ("2026-07-15T12:00:00+02", 10),
        ("2026-07-15 12:00 UTC+2", 10),
        ("2026-07-15 12:00 UTC", 12),
        ("2026-07-15 12:00", 12),
    ],
)
def test_times_around_a_change_of_the_clocks_and_with_offsets(text, hour):
    assert parse_time(text).hour == parse_time(text, "Europe/Berlin").hour == hour


def test_an_extension_is_of_hours_that_pass_also_when_clocks_change():
    due = parse_time("2026-10-24 18:00 CEST")
    for handed_in, lost in [("2026-10-26 17:00 CET", 0), ("2026-10-26 17:01 CET", 10)]:
        hours = (parse_time(handed_in) - due).total_seconds() / 3600
        assert points_off(100, hours, 0, 0.1, extension=48) == lost


@pytest.mark.parametrize(
    ("written", "timezone", "timestamp", "note"),
    [
        ("2026-02-02 15:58:23.948203 UTC\n", "", datetime(2026, 2, 2, 15, 58, 23, 948203), ""),
        ("2026-02-02 08:00 PST", "America/Los_Angeles", datetime(2026, 2, 2, 16), ""),
        (
            "2026-07-02 08:00:00.5 America/Los_Angeles\n",
            "",
            datetime(2026, 7, 2, 15, 0, 0, 500000),
            "",
        ),
        ("2026-02-02 08:00 PST", "Asia/Manila", datetime(2026, 2, 2), ""),
        ("2026-02-02 08:00 PST", "Europe/Berlin", None, '"PST" may be UTC-8 or UTC+8; not counted'),
        ("2026-02-02 08:00 MEZ", "no zone", None, '"MEZ" is no time zone; not counted as late'),
        ("tomorrow", "", None, "holds no date"),
    ],
)
def test_timestamp(written, timezone, timestamp, note, tmp_path):
    submission = Submission(tmp_path / "ada")
    submission.save()
    (submission.folder / "timestamp.txt").write_text(written)
    handed = read_folder(submission.folder, [NAME])
    intake = take_in(handed, {NAME: FRAME}, NAME, timezone=timezone)
    assert (intake.timestamp, intake.status) == (timestamp, "ok")
    assert note in "".join(intake.all_notes({})) and bool(note) == bool(intake.notes)


# Anything else

junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None, exclude_categories=[]))
    | st.sampled_from([*FUNCTIONS, "code", "markdown", "setup", version(A, "junk")]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["cells", "source", "metadata", "nbgrader", "grade_id", "cell_type"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


def parts_of(value, path=()) -> list[tuple]:
    """Return the path of every part of a JSON document."""
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else []
    )
    return [path, *(p for key, part in inner for p in parts_of(part, (*path, key)))]


PARTS = parts_of(RELEASE)[1:]


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    changes=st.lists(st.tuples(st.sampled_from(PARTS), junk), max_size=8),
    moves=st.lists(st.tuples(st.integers(0, 42), st.integers(0, 42), st.booleans()), max_size=8),
    cut=st.none() | st.integers(0, 30_000),
)
def test_nothing_makes_it_raise(tmp_path_factory, changes, moves, cut):
    notebook = copy.deepcopy(RELEASE)
    for start, end, keep in moves:
        cells = notebook["cells"]
        cells.insert(end, cells[start % len(cells)])
        if not keep:
            del cells[start % len(cells)]
    for path, value in changes:
        part = notebook
        try:
            for key in path[:-1]:
                part = part[key]
            part[path[-1]] = value
        except (KeyError, IndexError, TypeError):
            pass  # an earlier change took it away
    folder = tmp_path_factory.mktemp("any")
    raw = json.dumps(notebook).encode()
    (folder / f"{NAME}.ipynb").write_bytes(raw[:cut])
    check(read(folder))


def test_files_are_found_three_folders_deep_and_no_deeper(tmp_path):
    for place in ("a/b/c", "d/e/f/g"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / NAME).touch()
    assert look_into(tmp_path) == ([f"a/b/c/{NAME}"], [])
