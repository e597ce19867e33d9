"""
Whether two checkouts of the kit mark the same: a class, marked by both, and every difference.

    python benchmarks/same_marks.py make CHECKOUT FOLDER [--count 200] [--seed 1]
    python benchmarks/same_marks.py mark CHECKOUT FOLDER RESULT
    python benchmarks/same_marks.py compare RESULT_A RESULT_B

`make` writes a class for each assignment, of right and wrong work in whole and in odd notebooks;
handed_in.json tells who hands in what. `mark` marks it in scratch courses of a checkout, with the
checkout's own .venv. `compare` ends with 1 where anything differs.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random
from typing import Any

DUE = "2027-01-31 18:00 UTC"
LATE_RULES = "\nc.LateRules.free_hours = 1.0\nc.LateRules.share_per_day = 0.1\n"
TIMES = {
    "in_time": "2027-01-31 17:59:59 UTC",
    "in_the_free_hour": "2027-01-31T20:30:00.5+02:00",
    "zone_in_digits": "2027-01-31 20:30:00 +0200",
    "late": "2027-02-02 12:00:00",
    "far_too_late": "2027-03-01T12:00:00+00:00",
    "no_time": "yesterday evening",
}
WHAT = {"solution": 40, "mistake": 25, "right_version": 10, "untouched": 5, "broken": 20}  # of 100

# Breakages of any function {f} with a first argument {x}: what its body begins with, and what
# it returns in the place of `result`.
EACH = """
def each(change, value):
    if isinstance(value, dict):
        return {key: each(change, item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(each(change, item) for item in value)
    return change(value) if isinstance(value, np.ndarray) else value
"""
BREAKAGES = {
    "raises": ("raise ValueError('<b>not</b> written yet')", "result"),
    "undefined_name": ("{x} = {x} + wieghts", "result"),
    "exits": ("raise SystemExit('enough')", "result"),
    "calls_itself": ("return {f}(*[{x}] * {f}.__code__.co_argcount)", "result"),
    "returns_none": ("", "None"),
    "zeros": ("", "each(np.zeros_like, result)"),
    "not_a_number": ("", "each(lambda v: v * np.nan, result)"),
    "whole_numbers": ("", "each(lambda v: v.astype(int), result)"),
    "lists": ("", "each(lambda v: v.tolist(), result)"),
    "wrong_shape": ("", "each(lambda v: v[..., None], result)"),
    "one_value_too_many": ("", "(result, {x})"),
    "argument_doubled": ("{x} *= 2", "result"),
    "argument_cleared": ("", "({x}.fill(0), result)[1]"),
    "counts_calls": ("{f}.n = getattr({f}, 'n', 0) + 1\n    {x} = {x} * {f}.n", "result"),
    "right_once": ("{f}.n = getattr({f}, 'n', 0) + 1", "result if {f}.n == 1 else None"),
    "prints": ("for n in range(300):\n        print(n, {x}.shape)", "result"),
    "prints_far_too_much": ("print('far too much ' * 100_000)", "result"),
    "numpy_warns": ("np.log(np.zeros(2) - 1)", "result"),
    "warns": ("import warnings\n    warnings.warn('careful')", "result"),
}
# Breakages of its text: what is replaced where it first stands, and by what.
TEXTS = {
    "syntax_error": ("):\n", ")\n"),
    "open_bracket": ("    return ", "    return ("),
    "tabs_and_spaces": ("\n    return ", "\n\treturn "),
    "other_name": ("def ", "def my_"),
    "one_argument_more": ("(", "(self, "),
    "redefines_numpy": ("def ", "np = None\n\n\ndef "),
}
OWN_CELLS = [
    "%matplotlib inline\nplt.plot([1, 3, 2])\nplt.show()",
    "1 / 0",
    "print('look', np.random.rand(2))\nnp.random.seed(3)",
    "!echo hello\nsigmoid = abs",
    "def softmax(z):\n    return z",
    "%%html\nMy remarks <script>alert(1)</script>",
]
# What may befall the cells, most of it cells[at], an answer; and the file with this text.
CELLS = {
    "deleted_answer": lambda cells, at, rng: cells.pop(at),
    "deleted_cell": lambda cells, at, rng: cells.pop(rng.randrange(len(cells))),
    "copied_answer": lambda cells, at, rng: insert(cells, rng, {**cells[at], "id": "copy"}),
    "other_answer": lambda cells, at, rng: insert(cells, rng, own(f"{name_of(cells[at])} = abs")),
    "shuffled": lambda cells, at, rng: rng.shuffle(cells),
    "helper_cell": lambda cells, at, rng: move_answer(cells, at, rng, "helper"),
    "other_cell": lambda cells, at, rng: move_answer(cells, at, rng, name_of(cells[at])),
    "as_markdown": lambda cells, at, rng: cells[at].update(cell_type="markdown"),
    "changed_locked": lambda cells, at, rng: change_locked(cells, rng),
    "own_cells": lambda cells, at, rng: [insert(cells, rng, own(text)) for text in OWN_CELLS],
    "lost_metadata": lambda cells, at, rng: [cell.update(metadata={}, id="") for cell in cells],
}
FILES = {
    "renamed": lambda file, text: file.rename(file.with_name("my solution (1).ipynb")),
    "renamed_txt": lambda file, text: file.rename(f"{file}.txt"),
    "utf16": lambda file, text: file.write_text(text, "utf-16"),
    "byte_order_mark": lambda file, text: file.write_text(text, "utf-8-sig"),
    "latin1": lambda file, text: file.write_text(text.replace("Parame", "Param\u00e8"), "latin1"),
    "extra_files": lambda file, text: add_files(file.parent),
    "two_notebooks": lambda file, text: shutil.copy(file, file.with_name("Untitled.ipynb")),
    "empty_file": lambda file, text: file.write_text(""),
    "damaged": lambda file, text: file.write_text(text[: len(text) // 2]),
    "missing": lambda file, text: file.unlink(),
}


# ------------------------------------------------------------------- the class


def make(checkout: Path, folder: Path, count: int, seed: int) -> None:
    """Write the class of each assignment: the demo's, and more up to `count`."""
    if Path(sys.prefix) != checkout / ".venv":
        python = checkout / ".venv/bin/python"
        os.execv(python, [python, *sys.argv])
    from grading.demo import submissions

    os.chdir(checkout)
    for assignment in sorted(os.listdir("source")):
        rng = Random(f"{seed} {assignment}")
        class_ = [(name, texts, {}) for name, texts in submissions(assignment)]
        class_ += varied(assignment, range(len(class_), count), rng)
        shutil.rmtree(folder / assignment, ignore_errors=True)
        for student, texts, told in class_:
            told["whole_folder"] = rng.random() < 0.5
            place = folder / assignment / "submitted" / student / assignment
            hand_in(Path("release", assignment), place, texts, told, rng)
        table = {student: told for student, _, told in class_}
        (folder / assignment / "handed_in.json").write_text(json.dumps(table, indent=1))
        print(f"{assignment}: {len(table)} submissions", flush=True)


def varied(assignment: str, numbers: range, rng: Random) -> Iterator[tuple[str, dict, dict]]:
    """
    Yield varied submissions: student, texts of the answers, and what is handed in.

    Two fifths are right but for one function; a fifth is odd, and a fifth has a timestamp.
    """
    texts = possible_texts(assignment)
    decks = {(f, what): deck(texts[f][what], rng) for f in texts for what in WHAT}
    functions, times, oddities = deck(texts, rng), deck(TIMES, rng), deck([*CELLS, *FILES], rng)
    for number in numbers:
        alone = next(functions) if rng.random() < 0.4 else ""
        answers = {}
        for function in texts:
            weights = {**WHAT, "solution": 0} if alone else WHAT
            what = rng.choices([*weights], [*weights.values()])[0]
            what = "solution" if alone not in ("", function) else what
            answers[function] = what, next(decks[function, what])
        oddity = next(oddities) if number % 5 == 0 else ""
        stamp = next(times) if rng.random() < 0.2 else ""
        parts = [oddity, answers[alone][1] if alone else "mix", stamp, f"{number:03}"]
        chosen = {f: texts[f][what][name] for f, (what, name) in answers.items()}
        told = {"answers": answers, "oddity": oddity, "time": stamp}
        yield "_".join(filter(None, parts)), chosen, told


def possible_texts(assignment: str) -> dict[str, dict[str, dict[str, str]]]:
    """Return all texts of each answer, by function, by what they are, and by name."""
    from grading.mistakes import read_versions
    from grading.solution import load_solution

    from grading.demo import plain

    texts: dict[str, dict] = {}
    for function, right in plain(load_solution(assignment).sources).items():
        broken = {name: break_function(right, *lines) for name, lines in BREAKAGES.items()}
        broken |= {name: right.replace(*words, 1) for name, words in TEXTS.items()}
        texts[function] = {"solution": {"solution": right}, "untouched": {"one_untouched": ""}}
        texts[function] |= {"mistake": {}, "right_version": {}, "broken": broken}
    for version in read_versions(assignment):
        what = "mistake" if version.is_mistake else "right_version"
        texts[version.function][what] |= plain({version.name: version.source})
    return texts


def break_function(source: str, first: str, returned: str) -> str:
    """Return a function that begins with other lines, and returns something else."""
    head, doc, body = source.split('"""', 2)
    body, _, result = body.rpartition("\n    return ")
    names = dict(zip("fx", re.search(r"def (\w+)\((\w+)", head).groups(), strict=True))
    begin = f'{EACH}\n\n{head}"""{doc}"""\n    {first.format(**names)}'
    return f"{begin}{body}\n    result = {result}\n    return {returned.format(**names)}"


def deck(items: Iterable[str], rng: Random) -> Iterator[str]:
    """Yield all items in a random order, again and again."""
    while True:
        yield from rng.sample([*items], len([*items]))


def hand_in(release: Path, folder: Path, texts: dict, told: dict, rng: Random) -> None:
    """Write one submission."""
    if told["whole_folder"]:
        shutil.copytree(release, folder)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{release.name}.ipynb"
    notebook = json.loads((release / file.name).read_bytes())
    cells, oddity = notebook["cells"], told.get("oddity")
    for cell in cells:
        cell["source"] = texts.get(name_of(cell)) or "".join(cell["source"])
    if oddity in CELLS:
        at = rng.choice([n for n, cell in enumerate(cells) if name_of(cell) in texts])
        CELLS[oddity](cells, at, rng)
    text = json.dumps(notebook, indent=1, ensure_ascii=False)
    file.write_text(text)
    if oddity in FILES:
        FILES[oddity](file, text)
    if told.get("time"):
        (folder / "timestamp.txt").write_text(TIMES[told["time"]])


def name_of(cell: dict) -> str:
    """Return the cell's nbgrader id, "" where it has none."""
    return cell["metadata"].get("nbgrader", {}).get("grade_id", "")


def own(source: str) -> dict[str, Any]:
    """Return a cell as a student adds it."""
    cell = {"cell_type": "code", "id": f"own-{len(source)}", "metadata": {}, "source": source}
    return {**cell, "outputs": [], "execution_count": None}


def insert(cells: list[dict], rng: Random, cell: dict) -> None:
    """Put a cell anywhere."""
    cells.insert(rng.randint(0, len(cells)), cell)


def move_answer(cells: list[dict], at: int, rng: Random, new: str) -> None:
    """Move an answer into the student's own cell; its own cell calls it, if that has a new name."""
    name, text = name_of(cells[at]), cells[at]["source"]
    call = f"def {name}(*values, **named):\n    return {new}(*values, **named)"
    remark = "# see my other cell" * (at % 2)  # or nothing
    cells[at]["source"] = call if new != name else remark
    insert(cells, rng, own(text.replace(f"def {name}(", f"def {new}(")))


def change_locked(cells: list[dict], rng: Random) -> None:
    """Change what is not the student's to change."""
    for settings, cell in [(cell["metadata"].get("nbgrader", {}), cell) for cell in cells]:
        if settings.get("locked"):
            cell["source"] += rng.choice(["", "\nprint('changed')", "\n1 / 0"])
            settings["points"] = 100


def add_files(folder: Path) -> None:
    """Add files of the student's own."""
    (folder / "more").mkdir()
    (folder / "more" / "notes <1>.txt").write_text("mine")
    (folder / "solution.py").write_text("x = 1")
    (folder / "link.py").symlink_to("solution.py")


# ----------------------------------------------------------------- the marking


def mark(checkout: Path, folder: Path, result: Path) -> None:
    """Mark the class of each assignment in a scratch course, and keep what came of it."""
    code = run(checkout, folder, "-c", "import grading; print(grading.__file__)").strip()
    if not Path(code).resolve().is_relative_to(checkout):
        sys.exit(f"{checkout}/.venv runs {code}, which is not of this checkout")
    for assignment in sorted(os.listdir(folder)):
        with tempfile.TemporaryDirectory() as scratch:
            course, kept = Path(scratch, "course"), result / assignment
            make = f"make_course(Path({str(checkout)!r}), Path({str(course)!r}))"
            run(checkout, checkout, "-c", f"from grading.demo import Path, make_course; {make}")
            with (course / "nbgrader_config.py").open("a") as config:
                config.write(LATE_RULES)
            run(checkout, course, "-m", "grading", "release", assignment)
            add = ("db", "assignment", "add", assignment, "--duedate", DUE)
            run(checkout, course, "-m", "nbgrader", *add)
            submitted = folder / assignment / "submitted"
            shutil.copytree(submitted, course / "submitted", symlinks=True)
            begin = time.monotonic()
            log = run(checkout, course, "-m", "grading", "grade", assignment)
            print(f"{assignment}: marked in {time.monotonic() - begin:.0f} s", flush=True)

            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(course / "release" / assignment, kept / "release")
            reports = course / "reports" / assignment
            shutil.copytree(reports / "certificates", kept / "certificates")
            shutil.copy(reports / "grades.csv", kept)
            (kept / "grade.log").write_text(log)
            for step, kind in (("feedback", "html"), ("autograded", "ipynb")):
                (kept / step).mkdir()
                for path in (course / step).glob(f"*/*/*.{kind}"):
                    shutil.copy(path, kept / step / f"{path.parts[-3]}.{kind}")


def run(checkout: Path, folder: Path, *words: str) -> str:
    """Run a checkout's own Python in a folder; return what it prints."""
    command = [checkout / ".venv/bin/python", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        said = f"{done.stdout}{done.stderr}"
        sys.exit(f"{' '.join(words)} ended with {done.returncode}\n{said}")
    return done.stdout + done.stderr


# -------------------------------------------------------------- the comparison


def compare(old: Path, new: Path) -> bool:
    """Print every difference; tell whether there is any."""
    found = False
    for name in sorted({*os.listdir(old), *os.listdir(new)}):
        lines = list(class_differences(old / name, new / name))
        students = {p.stem for r in (old, new) for p in (r / name / "certificates").glob("*.json")}
        same = students - {student for student, _ in lines}
        print(f"{name}: {len(same)} of {len(students)} students are the same")
        for student, line in lines:
            print(f"  {student}: {line}")
        found = found or bool(lines)
    return found


def class_differences(old: Path, new: Path) -> Iterator[tuple[str, str]]:
    """Yield student, or file, and difference, of the class of one assignment."""
    tables = [plain_table(folder / "grades.csv") for folder in (old, new)]
    for student in tables[0] | tables[1]:
        for line in differences(*(table.get(student) for table in tables), "grades.csv"):
            yield student, line
    kinds = {
        "certificates": lambda path: plain_certificate(json.loads(path.read_bytes())),
        "autograded": plain_notebook,
        "feedback": lambda path: path.read_bytes().decode(errors="surrogateescape"),
        "release": lambda path: path.read_bytes().decode(errors="surrogateescape"),
    }
    for kind, read in kinds.items():
        paths = {p.relative_to(f / kind) for f in (old, new) for p in (f / kind).rglob("*")}
        for path in sorted(paths):
            both = [f / kind / path for f in (old, new)]
            for line in differences(*(read(p) if p.is_file() else None for p in both), kind):
                yield str(path) if kind == "release" else path.stem, line


def plain_table(path: Path) -> dict[str, dict[str, str]]:
    """Return the rows of a table by student; before them its columns and the order of rows."""
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = {row["student_id"]: row for row in reader}
    return {"(all)": {"columns": str(reader.fieldnames), "rows": str(list(rows))}, **rows}


def plain_certificate(data: dict) -> dict[str, Any]:
    """Return what counts of a certificate of either form: no hashes, times and environment."""
    kept = ("status", "notes", "score", "max_score", "late_penalty", "submitted", "problems")
    plain = {key: data[key] for key in (*kept, "timed_out")}
    for each in data.get("functions", ()):
        checks = {
            check["kind"]: [check["points"], check["wrong"], check.get("where") or {}]
            for check in each["checks"]
        }
        kept = ("points", "auto_points", "max_points", "mistake", "sentence", "rule", "note")
        plain[each["function"]] = {**{key: each[key] for key in kept}, "checks": checks}
    for mark in data.get("cells", ()):
        result = mark["result"]
        checks = {
            check["kind"]: [check["points"], sentence(check["wrong"]), check["where"]]
            for check in result["checks"]
        }
        wrong = [sentence(result["stopped"]), *(found for _, found, _ in checks.values())]
        plain[result["function"]] = {
            **{key: mark[key] for key in ("points", "auto_points", "max_points")},
            **{key: result[key] for key in ("mistake", "sentence")},
            "rule": sentence(result["rule"]),
            "note": result["sentence"] or next(filter(None, wrong), ""),
            "checks": checks,
        }
    return plain


def sentence(finding: dict | None) -> str:
    """Return the sentence of a finding."""
    if not finding:
        return ""
    fields = {n: sentence(v) if isinstance(v, dict) else v for n, v in finding["fields"].items()}
    return finding["message"].format(**fields)


def plain_notebook(path: Path) -> list[dict[str, Any]]:
    """Return type, source and outputs of all cells, without metadata."""
    cells = json.loads(path.read_bytes())["cells"]
    for output in (output for cell in cells for output in cell.get("outputs", ())):
        output.pop("metadata", None)
    return [{k: cell.get(k) for k in ("cell_type", "source", "outputs")} for cell in cells]


def differences(old: Any, new: Any, place: str) -> Iterator[str]:
    """Yield each difference of two values, in one line with its place."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in old | new:
            yield from differences(old.get(key), new.get(key), f"{place}/{key}")
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from differences(one, other, f"{place}/{number}")
    elif old != new:
        texts = [value if isinstance(value, str) else repr(value) for value in (old, new)]
        shared = [one == other for one, other in zip(*texts, strict=False)]
        at = [*shared, False].index(False)
        pieces = [repr(text[max(at - 30, 0) : at + 50]) for text in texts]
        yield f"{place}, character {at}: {' -> '.join(pieces)}"


def main() -> None:
    """Run a command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[1])
    commands = parser.add_subparsers(required=True)
    of_command = {make: "checkout folder", mark: "checkout folder result", compare: "old new"}
    for function, folders in of_command.items():
        command = commands.add_parser(function.__name__, help=function.__doc__)
        command.set_defaults(run=function)
        for folder in folders.split():
            command.add_argument(folder, type=lambda name: Path(name).resolve())
    commands.choices["make"].add_argument("--count", type=int, default=200)
    commands.choices["make"].add_argument("--seed", type=int, default=1)
    given = vars(parser.parse_args())
    sys.exit(given.pop("run")(**given))


if __name__ == "__main__":
    main()
