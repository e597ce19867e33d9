"""Every option of nbgrader: honoured here, or refused with a line that names it."""

import csv
import importlib
import json
import pkgutil
import re
import shutil
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
import nbgrader as installed
import pytest
from nbconvert.preprocessors import Preprocessor
from nbgrader.api import Gradebook
from nbgrader.validator import Validator
from scratch import (
    NAME,
    REPO,
    RIGHT,
    SHOWN,
    WRONG,
    cell,
    configure,
    hand_in,
    nbgrader,
    question,
    shows,
    write_source,
)
from traitlets.config import Config, Configurable

from grading import CourseError
from grading.options import REFUSED, refuse
from grading.source import enter_course
from grading.source.course import raise_failure


@pytest.fixture(scope="module")
def released(tmp_path_factory) -> Path:
    """Make a course in which a question is released and answered."""
    root = tmp_path_factory.mktemp("options") / "course"
    write_source(root / "source" / NAME, question())
    configure(root, "")
    assert "exit" not in nbgrader(root, "generate_assignment", NAME)
    for student, answer in {"sue": RIGHT, "sam": RIGHT, "bob": WRONG, "amy": None}.items():
        hand_in(root / "release" / NAME, root / "submitted" / student / NAME, answer)
    return root


@pytest.fixture
def course(released, tmp_path, monkeypatch) -> Path:
    """Return a copy of that course, and go there."""
    root = tmp_path / "course"
    shutil.copytree(released, root)
    monkeypatch.chdir(root)
    return root


def autograde(root: Path, student: str, lines: str = "", **more) -> str:
    """Mark through nbgrader's interface, as formgrader does; return what it says."""
    if lines:
        configure(root, lines)
    done = enter_course().autograde(NAME, student, **more)
    return (done.get("log") or done.get("error", "")) + ("" if done["success"] else "\nfailed")


def scores(root: Path) -> dict[str, float]:
    with Gradebook(f"sqlite:///{root}/gradebook.db", "rnn") as book:
        found = book.assignment_submissions(NAME)
        return {e.student.id: e.score - (e.late_submission_penalty or 0) for e in found}


def marked(root: Path, student: str, folder: str = "autograded"):
    return nbformat.read(root / folder / student / NAME / f"{NAME}.ipynb", as_version=4)


def note_of(root: Path, student: str) -> tuple[str, str]:
    with (root / "reports" / NAME / "grades.csv").open(newline="", encoding="utf-8") as file:
        row = next(row for row in csv.DictReader(file) if row["student_id"] == student)
    return row["status"], row["note"]


# ------------------------------------------------------------- who is marked


@shows("CourseDirectory.student_id", "CourseDirectory.student_id_exclude", "CourseDirectory.root")
def test_students_are_chosen_by_patterns_and_left_out_by_name(course):
    said = nbgrader(
        course, "autograde", NAME, "--student=s*", "--CourseDirectory.student_id_exclude=sam,amy"
    )
    assert "exit" not in said
    assert scores(course) == {"sue": 10}
    elsewhere = course.parent, "autograde", NAME, f"--course-dir={course}"
    assert "nothing submitted by z*" in nbgrader(*elsewhere, "--student=z*")


@shows("Autograde.create_student")
def test_a_student_is_not_created_where_that_is_off(course):
    with Gradebook(f"sqlite:///{course}/gradebook.db", "rnn") as book:
        book.add_student("bob")
    assert "failed" not in autograde(course, "bob", create=False)
    said = autograde(course, "sue", create=False)
    assert "sue: is not in the grade book, and Autograde.create_student is off" in said
    assert said.endswith("failed")
    assert scores(course) == {"bob": 0}


# ------------------------------------------------------------ what goes wrong


def test_what_is_wrong_with_the_course_is_a_line_and_no_traceback(course):
    assert "failed" not in autograde(course, "s*")
    nbgrader(course, "db", "student", "remove", "sam", "--force")
    said = nbgrader(course, "generate_feedback", NAME, "--force")
    assert f"sam: the grade book holds nothing of {NAME}: run `" in said
    assert said.endswith("exit 1\n") and "raceback" not in said
    assert [path.parts[-3] for path in course.glob(f"feedback/*/{NAME}/*.html")] == ["sue"]

    before = (course / "release" / NAME / f"{NAME}.ipynb").read_bytes()
    (course / "source" / NAME / "mistakes.yaml").write_text("double: [")
    answer = enter_course().generate_assignment(NAME, force=True)  # as formgrader does
    assert answer.keys() == {"success", "log"} and "raceback" not in answer["log"]
    assert "[ERROR] mistakes.yaml, line 2: " in answer["log"]
    with pytest.raises(CourseError, match=r"^release: mistakes\.yaml, line 2: "):
        raise_failure(answer, "release")
    assert (course / "release" / NAME / f"{NAME}.ipynb").read_bytes() == before


# ------------------------------------------------------------------- folders


@shows(
    "CourseDirectory.directory_structure",
    "CourseDirectory.source_directory",
    "CourseDirectory.release_directory",
    "CourseDirectory.submitted_directory",
    "CourseDirectory.autograded_directory",
    "CourseDirectory.feedback_directory",
    "CourseDirectory.solution_directory",
    "CourseDirectory.db_url",
)
def test_folders_stand_where_the_course_wants_them(course):
    configure(
        course,
        """
c.CourseDirectory.directory_structure = "{student_id}/{nbgrader_step}-{assignment_id}"
c.CourseDirectory.source_directory = "quelle"
c.CourseDirectory.release_directory = "ausgabe"
c.CourseDirectory.submitted_directory = "eingang"
c.CourseDirectory.autograded_directory = "benotet"
c.CourseDirectory.feedback_directory = "antwort"
c.CourseDirectory.solution_directory = "loesung"
c.CourseDirectory.db_url = f"sqlite:///{c.CourseDirectory.root}/noten.db"
""",
    )
    shutil.move(course / "source" / NAME, course / f"quelle-{NAME}")
    shutil.rmtree(course / "source")
    said = nbgrader(course, "generate_assignment", NAME)
    said += nbgrader(course, "generate_solution", NAME)
    released = course / f"ausgabe-{NAME}"
    assert (released / "known_mistakes.json").is_file(), said
    assert (course / f"loesung-{NAME}" / f"{NAME}.ipynb").is_file(), said
    released = released.rename(course / NAME)  # as the helper finds it
    hand_in(released, course / "sue" / f"eingang-{NAME}", RIGHT)
    shutil.copy(released / f"{NAME}.ipynb", course / "sue" / f"eingang-{NAME}" / "other.ipynb")
    shutil.rmtree(course / "submitted")
    said = nbgrader(course, "autograde", NAME) + nbgrader(course, "generate_feedback", NAME)
    assert "exit" not in said
    assert (course / "sue" / f"benotet-{NAME}" / f"{NAME}.ipynb").is_file()
    assert (course / "sue" / f"antwort-{NAME}" / f"{NAME}.html").is_file()
    with Gradebook(f"sqlite:///{course}/noten.db", "rnn") as book:
        assert book.find_submission(NAME, "sue").score == 10


# --------------------------------------------------- hooks, steps, permissions

HOOKS = """
said = []
def note(kind):
    def hook(assignment, student, notebooks):
        with open(c.CourseDirectory.root + "/hooks.txt", "a") as file:
            print(kind, assignment, student, len(notebooks), file=file)
        1 / (student != "sam")
    return hook

for each in ("Autograde", "GenerateAssignment", "GenerateFeedback"):
    c[each].pre_convert_hook = note(f"before {each}")
    c[each].post_convert_hook = note(f"behind {each}")
c.CourseDirectory.groupshared = True
c.GenerateFeedback.permissions = 640
"""


@shows(
    "BaseConverter.pre_convert_hook",
    "BaseConverter.post_convert_hook",
    "BaseConverter.permissions",
    "CourseDirectory.groupshared",
)
def test_hooks_run_for_each_student_and_permissions_are_set(course):
    said = autograde(course, "s*", HOOKS)
    assert "failed" not in said.splitlines()
    assert scores(course) == {"sue": 10, "sam": 10}
    assert "sam: pre_convert_hook failed: ZeroDivisionError: division by zero" in said
    nbgrader(course, "generate_assignment", NAME, "--force")
    nbgrader(course, "generate_feedback", NAME, "--force", "--student=sue")
    kinds = ["before Autograde", "behind Autograde"]
    pages = ["before GenerateFeedback", "behind GenerateFeedback"]
    lines = (course / "hooks.txt").read_text("utf-8").splitlines()
    for student in ("sam", "sue"):
        own = [line for line in lines if f" {student} " in line]
        ends = [f"{kind} {NAME} {student} 1" for kind in [*kinds, *pages]]
        assert own[:4] == ends
    assert lines[8:10] == [f"{kind} GenerateAssignment {NAME} . 1" for kind in ("before", "behind")]
    assert lines[10:] == [f"{kind} {NAME} sue 1" for kind in pages]

    lock = course / ".grading.lock"  # who shares the course makes pages, too
    assert stat.S_IMODE(lock.stat().st_mode) == 0o664
    folder = course / "autograded" / "sue" / NAME
    assert {stat.S_IMODE(p.stat().st_mode) for p in folder.iterdir()} == {0o664}
    assert {p.stat().st_nlink for p in folder.iterdir()} == {1}  # a hook may change them
    assert stat.S_IMODE(folder.stat().st_mode) & 0o2770 == 0o2770
    page = course / "feedback" / "sue" / NAME / f"{NAME}.html"
    assert stat.S_IMODE(page.stat().st_mode) == 0o640


STEPS = """
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Any

class Shout(NbGraderPreprocessor):
    how = Any(config=True)
    def preprocess(self, nb, resources):
        nb.metadata["shout"] = self.how(resources["nbgrader"]["student"])
        return nb, resources

class Mend(NbGraderPreprocessor):
    def preprocess_cell(self, cell, resources, index):
        cell.source = cell.source.replace("return x\\n", "return 2 * x\\n")
        return cell, resources

c.Shout.how = lambda text: text.upper()
c.Autograde.autograde_preprocessors.append(Shout)
c.Autograde.sanitize_preprocessors.insert(0, Mend)
c.LimitOutput.max_lines = 3
c.LimitOutput.max_traceback = 3
c.OverwriteCells.add_missing_cells = True
c.IgnorePattern.enabled = True
c.IgnorePattern.pattern = "noise"
"""
NOISY = """\
def double(x):
    return x

import sys
print("noise", file=sys.stderr)
print("1\\n2\\n3\\n4\\n5")
def stop(n):
    return stop(n - 1) if n else 1 / 0
stop(5)
"""


@shows(
    "Autograde.autograde_preprocessors",
    "Autograde.sanitize_preprocessors",
    "NbGraderPreprocessor.enabled",
    "LimitOutput.max_lines",
    "LimitOutput.max_traceback",
    "LimitOutput.enabled",
    "IgnorePattern.enabled",
    "IgnorePattern.pattern",
    "OverwriteCells.add_missing_cells",
)
def test_steps_of_the_course_are_taken(course):
    folder = course / "submitted" / "noisy" / NAME
    hand_in(course / "release" / NAME, folder, NOISY)
    handed = nbformat.read(folder / f"{NAME}.ipynb", as_version=4)
    handed.cells.pop()  # the test
    nbformat.write(handed, folder / f"{NAME}.ipynb")
    assert "failed" not in autograde(course, "noisy", STEPS)
    notebook = marked(course, "noisy")
    assert notebook.metadata["shout"] == "NOISY"
    assert scores(course)["noisy"] == 10  # mended before it ran
    answer = next(each for each in notebook.cells if each.id == "double")
    outputs = {output.output_type: output for output in answer.outputs}
    assert outputs["stream"].text == "1\n2\n... Output truncated ..."
    assert len(outputs["error"].traceback) == 3
    assert "noise" not in json.dumps(answer.outputs)
    assert notebook.cells[-1].id == "test_double"
    autograde(course, "noisy", f"{STEPS}c.LimitOutput.enabled = False")
    assert '"1\\n2\\n3\\n4\\n5\\n"' in json.dumps(marked(course, "noisy").cells[1].outputs)


# ------------------------------------------------------- the student version

MARKERS = """
c.ClearSolutions.begin_solution_delimeter = "LÖSUNG"
c.ClearSolutions.end_solution_delimeter = "ENDE"
c.ClearSolutions.code_stub = {"python": "pass  # hier"}
c.ClearHiddenTests.begin_test_delimeter = "GEHEIM"
c.ClearHiddenTests.end_test_delimeter = "OFFEN"
"""


@shows(
    "ClearSolutions.begin_solution_delimeter",
    "ClearSolutions.end_solution_delimeter",
    "ClearSolutions.code_stub",
    "ClearHiddenTests.begin_test_delimeter",
    "ClearHiddenTests.end_test_delimeter",
)
def test_markers_of_the_course_are_known_in_marking_too(course):
    configure(course, MARKERS)
    cells = question()
    for each in cells:
        for old, new in {
            "BEGIN SOLUTION": "LÖSUNG",
            "END SOLUTION": "ENDE",
            "BEGIN HIDDEN TESTS": "GEHEIM",
            "END HIDDEN TESTS": "OFFEN",
        }.items():
            each.source = each.source.replace(old, new)
    write_source(course / "source" / NAME, cells)
    assert "exit" not in nbgrader(course, "generate_assignment", NAME, "--force")
    released = course / "release" / NAME
    texts = [c.source for c in nbformat.read(released / f"{NAME}.ipynb", as_version=4).cells]
    assert texts[1] == "def double(x):\n    pass  # hier"
    assert texts[3] == "# 10 points"
    hand_in(released, course / "submitted" / "amy" / NAME, None)
    assert "failed" not in autograde(course, "amy")
    assert note_of(course, "amy")[0] == "graded"
    with Gradebook(f"sqlite:///{course}/gradebook.db", "rnn") as book:
        notebook = book.find_submission_notebook(NAME, NAME, "amy")
        assert [comment.auto_comment for comment in notebook.comments] == ["No response."]


# ---------------------------------------------------------------- late work

OWN_RULE = """
from nbgrader.plugins import LateSubmissionPlugin
class Gentle(LateSubmissionPlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return 0.25 * score if student_id == "sue" else None
c.AssignLatePenalties.plugin_class = Gentle
"""
ZERO = "c.LateSubmissionPlugin.penalty_method = 'zero'"
OFF = f"{ZERO}\nc.AssignLatePenalties.enabled = False"
LEFT_OUT = f"""{ZERO}
from nbgrader.preprocessors import Execute, SaveAutoGrades
c.Autograde.autograde_preprocessors = [Execute, SaveAutoGrades]
"""


@shows(
    "AssignLatePenalties.plugin_class",
    "AssignLatePenalties.enabled",
    "LateSubmissionPlugin.penalty_method",
)
def test_late_work_costs_what_the_courses_rule_says(course):
    with Gradebook(f"sqlite:///{course}/gradebook.db", "rnn") as book:
        book.update_or_create_assignment(NAME, duedate="2027-01-31T18:00:00")
    for student in ("sue", "sam"):
        (course / "submitted" / student / NAME / "timestamp.txt").write_text("2027-02-01 12:00 UTC")
    found = {}
    for rule in (OWN_RULE, ZERO, OFF, LEFT_OUT):  # marked again, since the rules are others
        assert "failed" not in autograde(course, "s*", rule, force=False)
        found[rule] = scores(course)
    assert found == {
        OWN_RULE: {"sue": 7.5, "sam": 10},
        ZERO: {"sue": 0, "sam": 0},
        OFF: {"sue": 10, "sam": 10},
        LEFT_OUT: {"sue": 10, "sam": 10},
    }


# -------------------------------------------------------------------- limits

SLOW = "import time\ntime.sleep(4)\n\n\ndef double(x):\n    return 2 * x"


@shows("Execute.timeout")
def test_the_time_of_a_cell_is_limited(course):
    hand_in(course / "release" / NAME, course / "submitted" / "slow" / NAME, SLOW)
    assert "failed" not in autograde(course, "slow", "c.Execute.timeout = 1")
    assert scores(course)["slow"] == 0
    assert (
        "did not finish within 1 s"
        in (course / "reports" / NAME / "certificates" / "slow.json").read_text()
    )


# ------------------------------------------------------------------- refused

OTHER = {bool: False, str: "other", int: 77, list: ["other"], dict: {"a": "b"}, type(None): print}


@pytest.mark.parametrize(
    ("kind", "name"), REFUSED, ids=lambda each: getattr(each, "__name__", each)
)
def test_what_has_no_place_here_is_refused_in_one_line(kind, name):
    default = kind.class_traits()[name].default()
    value = (not default) if isinstance(default, bool) else OTHER.get(type(default), print)
    config = Config()
    config[kind.__name__][name] = default
    refuse(config)
    config[kind.__name__][name] = value
    with pytest.raises(CourseError) as raised:
        refuse(config)
    assert str(raised.value).startswith(f"{kind.__name__}.{name} has no place here: ")
    assert "\n" not in str(raised.value)


def test_each_way_of_marking_refuses(course):
    for command in ("autograde", "generate_feedback", "generate_assignment"):
        said = nbgrader(course, command, NAME, "--Execute.kernel_name=julia", "--force")
        assert "Execute.kernel_name has no place here" in said and "exit 1" in said
        assert "Traceback" not in said
    assert "--no-execute" in nbgrader(course, "autograde", NAME, "--no-execute")
    assert "leaves out Execute" in autograde(
        course, "sue", "c.Autograde.autograde_preprocessors = []"
    )
    assert not scores(course)


# ------------------------------------------------------------------ validate


def test_validate_calls_right_work_a_success_and_nothing_else(released, tmp_path):
    """In a folder of a student's, where there is nbgrader and what was released."""
    given, said = released / "release" / NAME, {}
    for name, answer in {"unwritten": None, "wrong": WRONG, "right": RIGHT}.items():
        shutil.copytree(given, tmp_path / name)
        hand_in(given, tmp_path / name, answer)
        found = Validator().validate(str(tmp_path / name / f"{NAME}.ipynb"))
        said[name] = [cell["raw_error"] for cell in found.pop("failed", [])]
        assert not found
    (unwritten,), (wrong,) = said["unwritten"], said["wrong"]
    assert unwritten == "`double`: not written yet."  # and nothing of where that is raised
    assert wrong == "`double`: `twice` is wrong."
    assert said["right"] == []


# ----------------------------------------------------------------- downloads

NAMED = r"""
c.FileNameCollectorPlugin.named_regexp = r".*/(?P<student_id>[a-z]+)-(?P<file_id>.*)\.txt"
c.FileNameCollectorPlugin.valid_ext = [".txt"]
c.ExtractorPlugin.zip_ext = [".zip"]
c.ZipCollectApp.downloaded_directory = "geladen"
c.ZipCollectApp.archive_directory = "gepackt"
c.ZipCollectApp.extracted_directory = "entpackt"
c.ZipCollectApp.collect_directory_structure = "{downloaded}/{collect_step}/{assignment_id}"
"""
PLUGINS = """
from pathlib import Path
from nbgrader.plugins import ExtractorPlugin, FileNameCollectorPlugin
class Own(FileNameCollectorPlugin):
    def collect(self, path):
        return {"student_id": "lee", "file_id": Path(path).name}
class Unpack(ExtractorPlugin):
    def extract(self, archive, extracted):
        Path(extracted, "unpacked.txt").write_text(Path(archive).parent.name)
c.ZipCollectApp.collector_plugin = Own
c.ZipCollectApp.extractor_plugin = Unpack
"""


@shows(
    "ZipCollectApp.archive_directory",
    "ZipCollectApp.collect_directory_structure",
    "ZipCollectApp.collector_plugin",
    "ZipCollectApp.extracted_directory",
    "ZipCollectApp.extractor_plugin",
    "ZipCollectApp.force",
    "FileNameCollectorPlugin.named_regexp",
    "FileNameCollectorPlugin.valid_ext",
    "ExtractorPlugin.force",
    "ExtractorPlugin.zip_ext",
    "ZipCollectApp.downloaded_directory",
)
def test_downloads_are_sorted_by_the_names_that_the_course_has(course):
    archive = course / "geladen" / "gepackt" / NAME
    archive.mkdir(parents=True)
    with zipfile.ZipFile(archive / "all.zip", "w") as file:
        file.writestr(f"kim-{NAME}.txt", "answers")
    unnamed = ["--FileNameCollectorPlugin.named_regexp="]
    configure(course, NAMED)
    said = nbgrader(course, "zip_collect", NAME, *unnamed)
    assert "has no place here without named_regexp" in said
    said = nbgrader(course, "zip_collect", NAME, "--force")
    assert (course / "submitted" / "kim" / NAME / f"{NAME}.txt").read_text() == "answers", said
    assert (course / "geladen" / "entpackt" / NAME).is_dir()
    configure(course, NAMED + PLUGINS)
    assert "Directory not empty" in nbgrader(course, "zip_collect", NAME)
    said = nbgrader(course, "zip_collect", NAME, "--force")
    assert (course / "submitted" / "lee" / NAME / "unpacked.txt").read_text() == "gepackt", said


# ----------------------------------------------------------------- the table


def configurable() -> Iterator[type]:
    """Yield what can be configured in the installed nbgrader."""
    for module in pkgutil.walk_packages(installed.__path__, "nbgrader."):
        if not re.search(r"\.(tests|docs|alembic|__main__)\b", module.name):
            for each in vars(importlib.import_module(module.name)).values():
                if not isinstance(each, type) or not issubclass(each, Configurable):
                    continue
                if each.__module__.startswith("nbgrader."):
                    yield each


def options_of_nbgrader() -> set[str]:
    """Return every option, by the class that has it first; each preprocessor has its own."""
    found = set()
    for kind in configurable():
        for name in kind.class_trait_names(config=True):
            owner = next(each for each in kind.__mro__ if name in vars(each))
            theirs = name == "enabled" or not owner.__module__.startswith("nbgrader.")
            of = kind if issubclass(kind, Preprocessor) and theirs else owner
            found.add(f"{of.__name__}.{name}")
    return found


def table() -> tuple[set[str], set[str], dict[str, str]]:
    """Return the options that work, those left to nbgrader, and those refused, with the reason."""
    works, stock, refused = set(), set(), {}
    for line in (REPO / "docs" / "nbgrader_options.md").read_text("utf-8").splitlines():
        if found := re.fullmatch(r"\| (`\w+\.\w+`.*) \| (works|stock|refused) \| ?(.*?) ?\|", line):
            names = re.findall(r"`(\w+\.\w+)`", found[1])
            if found[2] == "refused":
                refused |= dict.fromkeys(names, found[3])
            else:
                (works if found[2] == "works" else stock).update(names)
    return works, stock, refused


def test_the_table_lists_every_option_of_the_installed_nbgrader_and_what_is_refused():
    works, stock, refused = table()
    assert refused == {f"{kind.__name__}.{name}": why for (kind, name), why in REFUSED.items()}
    of_a_converter = {"Autograde.exporter_class", "GenerateFeedback.exporter_class"}
    assert (works | stock | refused.keys()) - of_a_converter == options_of_nbgrader()
    assert not works & refused.keys()
    importlib.import_module("test_beside_stock")  # what it shows counts, too
    assert works == SHOWN  # each by a test
    assert not stock & (works | refused.keys())


def test_what_is_left_to_nbgrader_is_read_by_its_own_code_alone(course):
    """The kit sets none of it, and no class that has it is replaced or built on."""
    config = enter_course().config
    kinds = {each.__name__: each for each in configurable()}
    kinds |= {base.__name__: base for each in configurable() for base in each.__mro__}
    for option in table()[1]:
        kind, name = option.split(".")
        assert name not in config.get(kind, {}), option
        waiting = [kinds[kind]]
        while waiting:
            found = waiting.pop()
            assert not found.__module__.startswith("grading"), f"{option}: {found}"
            waiting += found.__subclasses__()


@shows("ExchangeFactory.collect", "ExchangeFactory.release_feedback", "FormgradeExtension.debug")
def test_what_the_kit_sets_may_be_set_otherwise(course):
    assert enter_course().config.FormgradeExtension.debug is False
    lines = """
from nbgrader.exchange.default import ExchangeCollect, ExchangeReleaseFeedback
class OwnCollect(ExchangeCollect):
    def start(self):
        print("collected otherwise")
class OwnFeedback(ExchangeReleaseFeedback):
    def start(self):
        print("released otherwise")
c.ExchangeFactory.collect, c.ExchangeFactory.release_feedback = OwnCollect, OwnFeedback
c.FormgradeExtension.debug = True
"""
    configure(course, lines)
    assert "collected otherwise" in nbgrader(course, "collect", NAME)
    assert "released otherwise" in nbgrader(course, "release_feedback", NAME)
    assert enter_course().config.FormgradeExtension.debug is True


# --------------------------------------------------------- header and footer


@shows("IncludeHeaderFooter.header", "IncludeHeaderFooter.footer", "CourseDirectory.ignore")
def test_header_and_footer_count_as_the_assignments_own(course):
    header = [cell("welcome", "print('hello')", locked=True)]
    write_source(course / "header", header)
    configure(
        course,
        "c.IncludeHeaderFooter.header = 'header/header.ipynb'\n"
        "c.CourseDirectory.ignore = ['notes.txt']",
    )
    for name in ("notes.txt", "mistakes.yaml"):
        (course / "source" / NAME / name).write_text("")
    for each in (course / "submitted").iterdir():
        shutil.rmtree(each)
    (course / "gradebook.db").unlink()
    assert "exit" not in nbgrader(course, "generate_assignment", NAME, "--force")
    released = course / "release" / NAME
    assert not {"notes.txt", "mistakes.yaml"} & {path.name for path in released.iterdir()}
    hand_in(released, course / "submitted" / "sue" / NAME, RIGHT)
    assert "exit" not in nbgrader(course, "autograde", NAME)
    assert scores(course) == {"sue": 10}
    assert note_of(course, "sue") == ("graded", "")
    assert marked(course, "sue").cells[0].outputs[0].text == "hello\n"


# ---------------------------------------------------- nbgrader's other commands


@shows(
    "NbGrader.logfile",
    "DbStudentAddApp.first_name",
    "DbStudentAddApp.last_name",
    "DbStudentAddApp.email",
    "DbStudentAddApp.lms_user_id",
    "DbStudentRemoveApp.force",
    "DbAssignmentAddApp.duedate",
    "DbAssignmentRemoveApp.force",
    "GenerateConfigApp.filename",
    "ExportPlugin.to",
    "ExportPlugin.assignment",
    "ExportPlugin.student",
    "ExportApp.plugin_class",
    "CourseDirectory.assignment_id",
    "CourseDirectory.notebook_id",
)
def test_other_commands_take_their_options(course, tmp_path):
    nbgrader(course, "autograde", NAME, "--student=z", "--NbGrader.logfile=log.txt")
    assert "nothing submitted by z" in (course / "log.txt").read_text("utf-8")
    names = ["--first-name=Kim", "--last-name=Lee", "--email=k@example.org", "--lms-user-id=7"]
    nbgrader(course, "db", "student", "add", "kim", *names)
    nbgrader(course, "db", "assignment", "add", "ps2", "--duedate=2027-01-31 18:00 UTC")
    with Gradebook(f"sqlite:///{course}/gradebook.db", "rnn") as book:
        kim = book.find_student("kim")
        found = [kim.first_name, kim.last_name, kim.email, kim.lms_user_id]
        assert found == ["Kim", "Lee", "k@example.org", "7"]
        assert book.find_assignment("ps2").duedate.hour == 18
    nbgrader(course, "generate_config", f"--GenerateConfigApp.filename={tmp_path}/new.py")
    assert "c.CourseDirectory" in (tmp_path / "new.py").read_text("utf-8")

    configure(course, f"c.CourseDirectory.assignment_id = {NAME!r}")
    assert "exit" not in nbgrader(course, "autograde", "--student=bob")
    assert scores(course) == {"bob": 0}
    said = nbgrader(course, "autograde", "--notebook=other*")
    assert "(--notebook) is other*, which leaves notebooks out" in said
    stock = "--exporter=nbgrader.plugins.CsvExportPlugin"
    one = [f"--ExportPlugin.assignment={NAME}", "--ExportPlugin.student=bob"]
    for file, more in {"ours.csv": [], "stock.csv": [stock]}.items():
        said = nbgrader(course, "export", f"--to={file}", *one, *more)
        with (course / file).open(newline="", encoding="utf-8") as table:
            rows = list(csv.DictReader(table))
        assert [(row["student_id"], float(row["score"])) for row in rows] == [("bob", 0)], said
    nbgrader(course, "db", "student", "remove", "bob", "--force")
    nbgrader(course, "db", "assignment", "remove", NAME, "--force")
    with Gradebook(f"sqlite:///{course}/gradebook.db", "rnn") as book:
        assert {each.id for each in book.students} == {"kim"}
        assert {each.name for each in book.assignments} == {"ps2"}


@shows(
    "LockCells.lock_solution_cells",
    "LockCells.lock_readonly_cells",
    "ClearSolutions.enabled",
    "ClearHiddenTests.enabled",
    "GenerateAssignment.no_database",
    "SaveCells.enabled",
    "GenerateAssignment.preprocessors",
)
def test_the_student_version_is_made_as_the_course_wants_it(course):
    lines = """
c.LockCells.lock_solution_cells = True
c.LockCells.lock_readonly_cells = False
c.ClearHiddenTests.enabled = False
c.GenerateAssignment.no_database = True
c.SaveCells.enabled = False
c.GenerateAssignment.preprocessors.pop(0)
"""
    configure(course, lines)
    for name in ("gradebook.db", f"release/{NAME}/known_mistakes.json"):
        (course / name).unlink()
    said = nbgrader(course, "generate_assignment", NAME, "--force")
    assert "exit" not in said, said
    cells = {each.id: each for each in marked_cells(course / "release" / NAME)}
    assert cells["double"].metadata["deletable"] is False
    assert "deletable" not in cells["setup"].metadata
    assert "test.score()" in cells["test_double"].source
    assert not (course / "release" / NAME / "known_mistakes.json").exists()
    said = nbgrader(course, "autograde", NAME)
    assert f"{NAME} is not in the grade book: GenerateAssignment.no_database" in said
    said = nbgrader(
        course, "generate_assignment", NAME, "--ClearSolutions.enabled=False", "--force"
    )
    cells = {each.id: each for each in marked_cells(course / "release" / NAME)}
    assert "return 2 * x" in cells["double"].source


def marked_cells(folder: Path) -> list:
    return nbformat.read(folder / f"{NAME}.ipynb", as_version=4).cells


def test_packages_that_the_course_names_are_in_its_rooms(course):
    using = f"import yaml\n{RIGHT}"  # at hand here, and no package that students have
    for student in ("with_yaml", "without_yaml"):
        hand_in(course / "release" / NAME, course / "submitted" / student / NAME, using)
    autograde(course, "without_yaml")
    assert "failed" not in autograde(course, "with_yaml", 'c.Autograde.packages = ["pyyaml"]')
    assert scores(course) == {"with_yaml": 10, "without_yaml": 0}
    said = autograde(course, "with_yaml", 'c.Autograde.packages = ["no-such-package"]')
    assert "Rooms need no-such-package: pip install" in said
    assert said.endswith("failed")
