"""nbgrader's options, here and in stock nbgrader: one course, the same commands, what comes out."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from scratch import cell, nbgrader, shows, write_source

NAME = "ps1"
STOCK = "c = get_config()\n"
KIT = "from grading import nbgrader_plugins\nc = get_config()\nnbgrader_plugins.install(c)\n"
SAID = "-- what they said --"
RUN = f"""
import json, sys
from scratch import nbgrader
for line in sys.stdin:
    said = json.dumps([nbgrader(*each) for each in json.loads(line)])
    print("{SAID}" + said, flush=True)
"""
OWN = ("known_mistakes.json", "gradebook.db")  # of the kit alone, and what holds times

TEMPLATES = """
python3:
    setup: "from hashlib import sha1"
    hash: 'sha1({{snippet}}.encode("utf-8")+b"{{salt}}").hexdigest()'
    dispatch: "type({{snippet}})"
    normalize: "str({{snippet}})"
    check: 'assert {{snippet}} == \"\"\"{{value}}\"\"\", \"\"\"{{message}}\"\"\"'
    success: "print('Success!')"
    templates:
        default:
            - test: "{{snippet}}"
              fail: "value of {{snippet}} is not correct"
"""
AUTO = "%% TRY f(2); f(3)\n%% SECRET TRY f(4)"
ANSWER = "def f(x):\n    #( \n    return \"'a%d'\" % x\n    #)"
HIDDEN = "#[\nassert len(f(2)) == 4\n#]"


def cells():
    """Return a question with parts of every kind, written with marks of the course's own."""
    answer = cell("f", ANSWER.replace("#( ", "#("), solution=True)
    answer.metadata["secret"] = "of the author"
    answer.outputs = [nbformat.v4.new_output("stream", text="shown")]
    text = cell("why", "#(\nBecause.\n#)\n", grade=True, solution=True, points=3, task=True)
    text.metadata.nbgrader["task"] = False
    task = cell("do", "Do it.\n=== scheme\nTwo points.\n=== end\n", task=True, points=2)
    return [
        cell("setup", "import math", locked=True),
        answer,
        cell("auto", AUTO.replace("%%", "#"), grade=True, locked=True, points=4),
        cell(
            "test", "assert f(1)\n#[\nassert len(f(2)) == 4\n#]", grade=True, locked=True, points=1
        ),
        text,
        task,
        cell("hidden", HIDDEN, locked=True),
    ]


@pytest.fixture(scope="module")
def courses(tmp_path_factory):
    """Return two courses: one of the kit, and a stock one."""
    found = {}
    for kind, lines in {"kit": KIT, "stock": STOCK}.items():
        root = found[kind] = tmp_path_factory.mktemp(kind) / "course"
        write_source(root / "source" / NAME, cells())
        (root / "source" / NAME / "rnn_checks.py").unlink()
        (root / "source" / NAME / "data.csv").write_text("1,2")
        (root / "source" / NAME / "left.tmp").write_text("")
        (root / "tests.yml").write_text(TEMPLATES)
        for name in ("header", "footer"):
            write_source(root / name, [cell(name, f"'{name}'", locked=True)])
        (root / "nbgrader_config.py").write_text(lines)
    return found


@pytest.fixture(scope="module")
def stock():
    """Start a process that runs commands of nbgrader as it comes, a list of them on each line."""
    with subprocess.Popen(
        [sys.executable, "-c", RUN],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    ) as process:
        yield process


@pytest.fixture
def run(courses, stock):
    """Return what runs commands in both courses with some lines of configuration."""

    def both(lines, *commands):
        asked = {kind: [[str(root), *each] for each in commands] for kind, root in courses.items()}
        for kind, root in courses.items():
            text = {"kit": KIT, "stock": STOCK}[kind] + lines.replace("ROOT", str(root.parent))
            (root / "nbgrader_config.py").write_text(text)
        print(json.dumps(asked["stock"]), file=stock.stdin, flush=True)
        here = [nbgrader(*each) for each in asked["kit"]]
        said = next(line for line in stock.stdout if line.startswith(SAID))
        return {"kit": here, "stock": json.loads(said.removeprefix(SAID))}

    return both


def tree(folder):
    """Return what lies in a folder: notebooks as data, and the permissions of all."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name not in OWN:
            text = path.read_text("utf-8")
            if path.suffix == ".ipynb":
                text = json.loads(text)
                for each in text["cells"]:
                    each["metadata"].pop("execution", None)  # when it ran
            found[str(path.relative_to(folder))] = text, oct(path.stat().st_mode)
    return found


def alike(courses, *folders):
    """Assert that folders hold the same in both courses."""
    for name in folders:
        one, other = (tree(root / name) for root in courses.values())
        assert one == other, name
        assert one, name


# ------------------------------------------------------- the student version

MARKS = """
c.IncludeHeaderFooter.header = "header/header.ipynb"
c.IncludeHeaderFooter.footer = "footer/footer.ipynb"
c.ClearSolutions.begin_solution_delimeter = "#("
c.ClearSolutions.end_solution_delimeter = "#)"
c.ClearSolutions.code_stub = {"python": "..."}
c.ClearSolutions.text_stub = "Say it."
c.ClearHiddenTests.begin_test_delimeter = "#["
c.ClearHiddenTests.end_test_delimeter = "#]"
c.ClearHiddenTests.enforce_metadata = False
c.ClearMarkScheme.begin_mark_scheme_delimeter = "=== scheme"
c.ClearMarkScheme.end_mark_scheme_delimeter = "=== end"
c.InstantiateTests.autotest_delimiter = "TRY"
c.InstantiateTests.hashed_delimiter = "SECRET"
c.InstantiateTests.autotest_filename = "tests.yml"
c.InstantiateTests.comment_strs = {"python3": "# "}
c.InstantiateTests.sanitizers = {"python3": lambda text: text[1:-1] if text[0] in "'\\"" else text}
c.LockCells.lock_all_cells = True
c.ClearOutput.remove_metadata_fields = ["secret"]
c.CourseDirectory.ignore = ["*.tmp"]
c.BaseConverter.force = True
"""
SWITCHED_OFF = """
c.IncludeHeaderFooter.header = "header/header.ipynb"
c.IncludeHeaderFooter.enabled = False
c.LockCells.enabled = False
c.CheckCellMetadata.enabled = False
c.ComputeChecksums.enabled = False
c.ClearMarkScheme.enabled = False
c.InstantiateTests.enabled = False
c.InstantiateTests.use_salt = False
c.ClearSolutions.begin_solution_delimeter = "#["
c.ClearSolutions.end_solution_delimeter = "#]"
c.ClearSolutions.enforce_metadata = False
c.GenerateSolution.create_assignment = False
c.GenerateSolution.preprocessors = ["nbgrader.preprocessors.LockCells"]
c.GenerateSolution.exporter_class = "nbconvert.exporters.PythonExporter"
"""
LEFT = """
c.LockCells.lock_grade_cells = False
c.ClearMarkScheme.begin_mark_scheme_delimeter = "#("
c.ClearMarkScheme.end_mark_scheme_delimeter = "#)"
c.ClearMarkScheme.enforce_metadata = False
c.ClearMarkScheme.check_attachment_leakage = False
c.InstantiateTests.enforce_metadata = False
c.GenerateAssignmentApp.source_with_tests = True
c.GenerateSourceWithTests.preprocessors = ["nbgrader.preprocessors.ClearOutput"]
c.CourseDirectory.source_with_tests_directory = "written"
"""


@shows(
    *(f"IncludeHeaderFooter.{name}" for name in ("header", "footer", "enabled")),
    *(f"LockCells.{name}" for name in ("lock_all_cells", "lock_grade_cells", "enabled")),
    *(f"ClearSolutions.{end}" for end in ("text_stub", "enforce_metadata")),
    *(f"ClearMarkScheme.{mark}_mark_scheme_delimeter" for mark in ("begin", "end")),
    *(f"ClearMarkScheme.{name}" for name in ("enforce_metadata", "enabled")),
    *(f"InstantiateTests.{name}" for name in (
        "autotest_delimiter", "autotest_filename", "comment_strs", "hashed_delimiter",
        "sanitizers", "use_salt", "enforce_metadata", "enabled",
    )),
    "ClearHiddenTests.enforce_metadata", "ClearMarkScheme.check_attachment_leakage",
    "ClearOutput.remove_metadata_fields", "CheckCellMetadata.enabled", "ComputeChecksums.enabled",
    "CourseDirectory.ignore", "CourseDirectory.source_with_tests_directory", "BaseConverter.force",
    "GenerateAssignmentApp.source_with_tests", "GenerateSolution.create_assignment",
    "GenerateAssignment.create_assignment", "GenerateSolution.preprocessors",
    "GenerateSourceWithTests.preprocessors", "BaseConverter.exporter_class",
)  # fmt: skip
@pytest.mark.parametrize("lines", [MARKS, SWITCHED_OFF, LEFT], ids=["marks", "off", "left"])
def test_student_version_and_solution(courses, run, lines):
    for root in courses.values():
        for folder in ("release", "solution", "written"):
            shutil.rmtree(root / folder, ignore_errors=True)
    commands = [["generate_assignment", NAME, "--force"]]
    if lines == MARKS:
        for root in courses.values():
            (root / "gradebook.db").unlink(missing_ok=True)
        off = "--GenerateAssignment.create_assignment=False"
        commands.insert(0, [*commands[0], off])
    if lines == SWITCHED_OFF:
        commands.append(["generate_solution", NAME, "--force"])
    said = run(lines, *commands)
    for one, other in zip(said["kit"], said["stock"], strict=True):
        assert ("exit" in one) == ("exit" in other), f"{one}\n{other}"
    assert ["exit" in each for each in said["kit"]] == [len(each) > 3 for each in commands]
    alike(courses, "release")
    alike(courses, *{SWITCHED_OFF: ["solution"], LEFT: ["written"]}.get(lines, []))


# --------------------------------------------------------------- the exchange

EXCHANGE = """
c.CourseDirectory.course_id = "abc"
c.Exchange.root = "ROOT/exchange"
c.Exchange.cache = "ROOT/cache"
c.Exchange.assignment_dir = "ROOT/home"
c.Exchange.path_includes_course = True
c.Exchange.timezone = "Europe/Zurich"
c.Exchange.timestamp_format = "%Y-%m-%d at %H:%M:%S.%f %Z"
c.CourseDirectory.include = ["*.ipynb", "*.csv"]
c.CourseDirectory.max_file_size = 60
c.CourseDirectory.max_dir_size = 200
c.ExchangeSubmit.add_random_string = False
c.ExchangeSubmit.strict = True
c.ExchangeCollect.check_owner = False
c.ExchangeCollect.update = True
c.ExchangeReleaseAssignment.force = True
c.ExchangeFetchAssignment.replace_missing_files = True
"""
BEFORE = f"{EXCHANGE}\nc.ExchangeCollect.before_duedate = True\n"
TIME = re.compile(r"\d{4}-\d\d-\d\d at \d\d:\d\d:\d\d\.\d+ \w+")


def everything(courses, said):
    """Return what was said and what lies there, without times and places, for each course."""
    found = {}
    for kind, root in courses.items():
        files = [p for f in ("exchange", "cache", "home") for p in (root.parent / f).rglob("*")]
        files += (root / "submitted").rglob("*")
        names = sorted(str(p.relative_to(root.parent)) for p in files if p.is_file())
        text = "\n".join([*names, *said[kind]]).replace(str(root.parent), "ROOT")
        lines = (line.rpartition("] ")[2] for line in text.splitlines())  # who says it is another
        lines = (line for line in lines if "tzname" not in line)  # the kit knows the zone
        found[kind] = sorted(filter(None, (TIME.sub("TIME", line) for line in lines)))
    return found


@shows(
    "CourseDirectory.course_id", "CourseDirectory.include", "CourseDirectory.max_file_size",
    "CourseDirectory.max_dir_size", "Exchange.assignment_dir", "Exchange.cache",
    "Exchange.path_includes_course", "Exchange.root", "Exchange.timezone",
    "Exchange.timestamp_format", "ExchangeCollect.before_duedate", "ExchangeCollect.check_owner",
    "ExchangeCollect.update", "ExchangeFetchAssignment.replace_missing_files",
    "ExchangeList.cached", "ExchangeList.inbound", "ExchangeList.remove",
    "ExchangeReleaseAssignment.force", "ExchangeSubmit.add_random_string", "ExchangeSubmit.strict",
)  # fmt: skip
def test_the_exchange(courses, run):
    """A release, a fetch, two submissions, a collection; what is missing, late or too large."""
    for root in courses.values():
        for folder in ("exchange", "home"):
            (root.parent / folder).mkdir()
        (root.parent / "exchange").chmod(0o777)
        shutil.rmtree(root / "release", ignore_errors=True)
        (root / "release" / NAME).mkdir(parents=True)
        write_source(root / "release" / NAME, [cell("one", "1", locked=True)])
        for name, size in {"data.csv": 10, "other.txt": 10, "large.csv": 70_000}.items():
            (root / "release" / NAME / name).write_text("x" * size)
    said = run(
        EXCHANGE, ["release_assignment", NAME], ["release_assignment", NAME], ["list"],
        ["fetch_assignment", NAME],
    )  # fmt: skip
    for root in courses.values():
        (root.parent / "home" / "abc" / NAME / "data.csv").unlink()
    again = run(BEFORE, ["fetch_assignment", NAME], ["submit", NAME], ["collect", NAME],
                ["list", "--inbound"], ["list", "--cached"], ["list", "--remove"])  # fmt: skip
    found = everything(courses, {kind: said[kind] + again[kind] for kind in said})
    assert found["kit"] == found["stock"]
    text = "\n".join(found["kit"])
    for part in (
        "home/abc/ps1/data.csv",
        "submitted/root/ps1/data.csv",
        "TIME (no feedback available)",
    ):
        assert part in text, text
