"""Every option of nbgrader: honoured here, or refused with a line that names it."""

import csv
import json
import shutil
import stat
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook
from scratch import (
    NAME,
    RIGHT,
    WRONG,
    configure,
    hand_in,
    nbgrader,
    question,
    write_source,
)
from traitlets.config import Config

from grading import CourseError
from grading.options import REFUSED, refuse
from grading.source import enter_course

SHOWN: set[str] = set()  # the options whose effect a test of this module shows


def shows(*options: str):
    """Mark a test as one that shows the effect of options."""
    SHOWN.update(options)
    return lambda test: test


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


@shows("CourseDirectory.student_id", "CourseDirectory.student_id_exclude")
def test_students_are_chosen_by_patterns_and_left_out_by_name(course):
    said = nbgrader(
        course, "autograde", NAME, "--student=s*", "--CourseDirectory.student_id_exclude=sam,amy"
    )
    assert "exit" not in said
    assert scores(course) == {"sue": 10}
    assert "nothing submitted by z*" in nbgrader(course, "autograde", NAME, "--student=z*")


@shows("Autograde.create_student")
def test_a_student_is_not_created_where_that_is_off(course):
    with Gradebook(f"sqlite:///{course}/gradebook.db", "rnn") as book:
        book.add_student("bob")
    assert "failed" not in autograde(course, "bob", create=False)
    said = autograde(course, "sue", create=False)
    assert "sue: is not in the grade book, and Autograde.create_student is off" in said
    assert said.endswith("failed")
    assert scores(course) == {"bob": 0}


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

    folder = course / "autograded" / "sue" / NAME
    assert {stat.S_IMODE(p.stat().st_mode) for p in folder.iterdir()} == {0o664}
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
    "IgnorePattern.enabled",
    "IgnorePattern.pattern",
)
def test_steps_of_the_course_are_taken(course):
    hand_in(course / "release" / NAME, course / "submitted" / "noisy" / NAME, NOISY)
    assert "failed" not in autograde(course, "noisy", STEPS)
    notebook = marked(course, "noisy")
    assert notebook.metadata["shout"] == "NOISY"
    assert scores(course)["noisy"] == 10  # mended before it ran
    answer = next(each for each in notebook.cells if each.id == "double")
    outputs = {output.output_type: output for output in answer.outputs}
    assert outputs["stream"].text == "1\n2\n... Output truncated ..."
    assert len(outputs["error"].traceback) == 3
    assert "noise" not in json.dumps(answer.outputs)


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


@shows("AssignLatePenalties.plugin_class", "LateSubmissionPlugin.penalty_method")
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
