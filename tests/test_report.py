"""The class report counts what the certificates hold, and shows it to anyone."""

import csv
import dataclasses
import html
import io
import json
import math
import re
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import yaml
from browser import open_page, serious_violations
from classes import (
    ASSIGNMENT,
    CHECKS,
    DUE,
    ISOLATION,
    MANUAL,
    SECOND,
    TESTS,
    Cells,
    Pupil,
    as_schema_1,
    certificate,
    make_class,
    random_class,
)
from nbgrader.api import Gradebook
from rich.console import Console

from grading import CourseError, cli
from grading.book import Book, Place
from grading.cli import app as command
from grading.outcomes import NOT_WRITTEN
from grading.report import write_report
from grading.report.plots import round_edges
from grading.report.statistics import discrimination
from grading.run.certificate import FOLDER, Certificate, file_name
from grading.run.diff import Change, compare
from grading.sheets import unguard

SCRIPT = "<script>document.title = 'run'</script><img src=x onerror=alert(1)>"
VIEWS = "caches_are_views"


def small_class() -> list[Pupil]:
    """Return students with something of everything."""
    views = {"wrong": {"lstm_forward": ["caches"]}, "mistakes": {"lstm_forward": VIEWS}}
    return [
        Pupil("1", "Doe", "Jane", **views),
        Pupil("2", SCRIPT, "=1+1", **views, seconds=9.5, problems=["ran out of time: 5 s"]),
        Pupil("3", wrong={"lstm_forward": ["c", "caches"], "rnn_forward": ["a"]}),
        Pupil("4", status="repaired", notes=[f"not x but {SCRIPT} was read"]),
        Pupil("5", hours_late=51, penalty=10.0),
        Pupil("6", by_hand={"rnn_forward": 1.0}, notes=["files of the student's own: a.py"]),
        Pupil("7", status="unreadable", notes=["damaged"]),
        Pupil("8", status="missing", notes=["there is no notebook"]),
        Pupil("9", status="not graded", notes=["the disk is full"]),
        Pupil("10", handed_in=False),
    ]


def make_report(root: Path, pupils: list[Pupil], cells: Cells = TESTS) -> Path:
    with make_class(root, pupils, cells) as book:
        return write_report(Book(book), ASSIGNMENT, root / "reports" / ASSIGNMENT)


def table(page: Path, name: str) -> list[dict[str, str]]:
    """Read one of the CSV files."""
    path = page.with_suffix("") / f"{name}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, strict=True))
    return [{key: unguard(value) for key, value in row.items()} for row in rows]


def attention(page: Path) -> dict[str, dict[str, str]]:
    """Return what needs a person's eye: kind and words by student."""
    found: dict[str, dict[str, str]] = {}
    for row in table(page, "attention"):
        found.setdefault(row["student_id"], {})[row["kind"]] = row["what"]
    return found


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    return make_report(tmp_path_factory.mktemp("small"), small_class())


def test_mistakes_are_counted_with_who_made_them(small):
    rows = table(small, "mistakes")
    named = [row["student_id"] for row in rows if row["mistake"] == VIEWS]
    assert named == ["1", "2"]
    assert [(r["student_id"], r["function"], r["failing"]) for r in rows if not r["mistake"]] == [
        ("3", "rnn_forward", "a"),
        ("3", "lstm_forward", "c, caches"),
    ]
    assert "2 of 6" in small.read_text("utf-8")


def test_several_who_made_the_same_mistake_without_a_name_are_put_together(tmp_path):
    """By what came of the calls, not by what fails: and once, not for one alone."""
    wrong = {"rnn_forward": ["a"]}
    made = {"1": "abc", "2": "abc", "3": "def"}
    pupils = [Pupil(i, wrong=wrong, made={"rnn_forward": made[i]}) for i in made]
    page = make_report(tmp_path, pupils).read_text("utf-8")
    assert page.count("Several made the same mistake") == 1
    assert "2 of 3" in page
    stub = re.search(r"<pre>(.*?)</pre>", page, re.DOTALL)[1]
    entry = yaml.safe_load(html.unescape(stub))["rnn_forward"]["mistakes"]["what_it_does"]
    assert set(entry) == {"sentence", "edits"}


def test_the_entry_to_paste_makes_no_table_wider_than_a_phone(tmp_path):
    wrong, made = {"rnn_forward": ["a"]}, {"rnn_forward": "abc"}
    file = make_report(tmp_path, [Pupil(i, wrong=wrong, made=made) for i in "12"])
    with open_page(file, 360) as view:
        region = view.page.get_by_role("region", name="Wrong in ways without a name")
        assert "what_it_does" in region.inner_text()
        assert region.evaluate("e => e.scrollWidth <= e.clientWidth")


@pytest.mark.parametrize(("makers", "drawn"), [((1, 1), False), ((2, 1), True)])
def test_bars_that_are_all_as_long_are_not_drawn(tmp_path, makers, drawn):
    names = [name for name, count in zip("ab", makers, strict=True) for _ in range(count)]
    pupils = [
        Pupil(f"{n}", wrong={"rnn_forward": list(CHECKS)}, mistakes={"rnn_forward": name})
        for n, name in enumerate(names)
    ]
    page = make_report(tmp_path, pupils).read_text("utf-8")
    assert "Known mistakes, the most frequent first" in page
    assert ("The most frequent mistakes" in page) is drawn
    (right := tmp_path / "right").mkdir()
    rights = make_report(right, [Pupil("1"), Pupil("2")]).read_text("utf-8")
    assert "points by check" in rights
    assert "How much of each check" not in rights


def test_what_is_not_written_yet_is_counted_apart(tmp_path):
    """It is no mistake without a name, and both are said of the same students."""
    pupils = [Pupil("1"), Pupil("2", wrong={"rnn_forward": ["a"]}), Pupil("3")]
    with make_class(tmp_path, pupils) as book:
        for student in ("1", "3"):
            untouched = certificate(Pupil(student))
            for check in untouched.cells[1].result.checks:
                check.wrong, check.earned = NOT_WRITTEN, 0.0
            untouched.write(tmp_path / "reports" / ASSIGNMENT / FOLDER)
        page = write_report(Book(book), ASSIGNMENT, tmp_path / "reports" / ASSIGNMENT)
    text = page.read_text("utf-8")
    _, apart, unnamed = re.split("<h3>(?:Not written yet|Wrong in ways without a name)</h3>", text)
    assert "2 of 3" in apart and "rnn_<wbr>forward" in apart
    assert "not written yet" not in unnamed and "1 of 3" in unnamed
    rows = [(row["failing"], row["student_id"]) for row in table(page, "mistakes")]
    assert rows == [("not written yet", "1"), ("not written yet", "3"), ("a", "2")]


def test_what_was_lost_in_several_rooms_is_said_once(tmp_path):
    lost = ["f did not finish within 5 s", "g did not finish within 5 s"]
    page = make_report(tmp_path, [Pupil("1", problems=[*lost, *lost])])
    assert attention(page) == {"1": {"while running": "; ".join(lost)}}


@pytest.mark.parametrize(
    ("values", "edges"),
    [
        ([0.7, 190.0], [0, 25, 50, 75, 100, 125, 150, 175, 200]),
        ([67.9, 68.1], [61, 62, 63, 64, 65, 66, 67, 68, 69]),
        ([0.0, 0.0], [0, 0.2, 0.4, 0.6, 0.8, 1]),
    ],
)
def test_time_and_memory_are_counted_in_round_numbers(values, edges):
    assert round_edges(values).tolist() == edges


def test_how_many_students_each_table_is_of(small):
    text = small.read_text("utf-8")
    assert "Of all 9 who handed in: points by function" in text
    assert "Of the 6 whose work could be run: points by check" in text


def test_what_needs_a_persons_eye(small):
    assert attention(small) == {
        "2": {"while running": "ran out of time: 5 s"},
        "4": {"repaired": f"not x but {SCRIPT} was read"},
        "5": {"late": "2 days 3 h; 10 points off"},
        "6": {"note": "files of the student's own: a.py"},
        "7": {"unreadable": "damaged"},
        "8": {"missing": "there is no notebook"},
        "9": {"not graded": "the disk is full"},
    }
    assert ISOLATION in small.read_text("utf-8")


def test_marks_are_those_of_the_grade_book(small):
    found = {row["student_id"]: row for row in table(small, "students")}
    pupils = {pupil.student_id: pupil for pupil in small_class() if pupil.handed_in}
    assert {s: float(row["score"]) for s, row in found.items()} == {
        s: pupil.score for s, pupil in pupils.items()
    }
    assert (found["6"]["rnn_forward"], found["5"]["late_penalty"]) == ("1.0", "10.0")
    assert (found["2"]["first_name"], found["2"]["last_name"]) == ("=1+1", SCRIPT)
    assert (found["2"]["seconds"], found["2"]["cpu_seconds"]) == ("9.5", "4.75")


def test_checks_of_those_who_were_marked(small):
    rows = table(small, "checks")
    expected = [(function, kind) for function, kinds in CHECKS.items() for kind in kinds]
    assert [(row["function"], row["check"]) for row in rows] == expected
    by_check = {(row["function"], row["check"]): row for row in rows}
    caches = by_check["lstm_forward", "caches"]
    assert (caches["students"], caches["earned"], caches["difficulty"]) == ("6", "3", "0.5")
    # everybody earns it: nobody is told apart
    assert by_check["lstm_forward", "types"]["discrimination"] == ""
    item, rest = [0, 0, 0, 10, 10, 10], [90, 90, 66, 90, 90, 90]  # of students 1 to 6
    wanted = np.corrcoef(item, rest)[0, 1]
    assert float(caches["discrimination"]) == pytest.approx(wanted, abs=1e-4)


def test_points_that_count_in_proportion_are_counted_as_such(tmp_path):
    """The first of three earns half a point of one for the types."""
    pupils = [Pupil(name, wrong={"rnn_forward": ["a"]}) for name in "12"] + [Pupil("3")]
    with make_class(tmp_path, pupils) as book:
        first = certificate(pupils[0])
        first.cells[1].result.checks[0].earned = 0.5
        first.write(tmp_path / "reports" / ASSIGNMENT / FOLDER)
        page = write_report(Book(book), ASSIGNMENT, tmp_path / "reports" / ASSIGNMENT)
    rows = {(row["function"], row["check"]): row for row in table(page, "checks")}
    types = rows["rnn_forward", "types"]
    assert (types["students"], types["earned"]) == ("3", "2")
    assert float(types["difficulty"]) == pytest.approx(2.5 / 3, abs=1e-3)
    wanted = np.corrcoef([0.5, 1, 1], [99 - 12, 99 - 12, 99])[0, 1]
    assert float(types["discrimination"]) == pytest.approx(wanted, abs=1e-4)


def test_discrimination_is_the_corrected_item_total_correlation():
    points = np.random.default_rng(1).integers(0, 2, (40, 5)) * np.array([1.0, 2, 7, 6, 4])
    wanted = [np.corrcoef(points[:, n], np.delete(points, n, 1).sum(1))[0, 1] for n in range(5)]
    np.testing.assert_allclose(discrimination(points), wanted)


@pytest.mark.parametrize(
    "points",
    [
        [[1.0, 2.0], [0.0, 2.0]],  # two students
        [[1.0, 2.0], [1.0, 0.0], [1.0, 2.0]],  # one check tells nobody apart, the other's rest not
        np.zeros((0, 2)),
    ],
)
def test_discrimination_that_is_not_defined(points):
    assert all(math.isnan(value) for value in discrimination(np.array(points)))


def test_certificates_that_do_not_belong_to_the_grade_book(tmp_path):
    names = ("gone", "damaged", "stale", 'Zoë %2F "Q"')
    pupils = [Pupil(name) for name in names]
    make_report(tmp_path, pupils)
    folder = tmp_path / "reports" / ASSIGNMENT / FOLDER
    (folder / file_name("gone")).unlink()
    (folder / file_name("damaged")).write_text('{"student_id": ')
    stale = json.loads((folder / file_name("stale")).read_text())
    stale["cells"][0]["auto_points"] = 3.0
    stale["source"]["all"] = "2" * 64
    (folder / file_name("stale")).write_text(json.dumps(stale))
    certificate(Pupil("new", status="not graded", notes=["the disk is full"])).write(folder)
    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db", "rnn") as book:
        page = write_report(Book(book), ASSIGNMENT, tmp_path / "reports" / ASSIGNMENT)
    found = attention(page)
    assert found.keys() == {"gone", "damaged", "stale", "new"}
    assert found["new"] == {"not graded": "the disk is full"}
    assert found["stale"] == {"certificate": "rnn_cell_forward: 3 points, 25 in the grade book"}
    assert "2 different states of the source" in page.read_text("utf-8")


def test_an_extension_is_not_late(tmp_path):
    with make_class(tmp_path, [Pupil("1", hours_late=5), Pupil("2", hours_late=5)]) as book:
        book.grant_extension(ASSIGNMENT, "1", hours=6)
        assert book.find_submission(ASSIGNMENT, "1").duedate == DUE + timedelta(hours=6)
        page = write_report(Book(book), ASSIGNMENT, tmp_path / "reports" / ASSIGNMENT)
    assert attention(page) == {"2": {"late": "5 h; no points off"}}


def test_what_a_person_marks(tmp_path):
    """A waiting part is named; points given count, and are no change by hand."""
    pupils = [
        Pupil("1", by_hand={"explain": 7.5, "task_improve": 5.0}),
        Pupil("2", by_hand={"explain": 10.0, "rnn_forward": 1.0}, wrong={"rnn_forward": ["a"]}),
        Pupil("3"),
    ]
    cells = TESTS | MANUAL | {Place(ASSIGNMENT, "task_free"): 0.0}
    page = make_report(tmp_path, pupils, cells)
    rows = table(page, "students")
    titles = list(rows[0])[6:-5]
    assert titles == [*CHECKS, "explain", "task_improve", "task_free"]
    assert [(r["explain"], r["task_improve"], r["score"], r["max_score"]) for r in rows] == [
        ("7.5", "5.0", "112.5", "115.0"),
        ("10.0", "0.0", "86.0", "115.0"),
        ("0.0", "0.0", "100.0", "115.0"),
    ]
    assert attention(page) == {
        "2": {"by hand": "task_improve"},
        "3": {"by hand": "explain, task_improve"},
    }
    assert {row["function"] for row in table(page, "checks")} == set(CHECKS)
    assert [row["function"] for row in table(page, "mistakes")] == ["rnn_forward"]
    text = page.read_text("utf-8")
    assert "; 1 student had points changed by hand" in text
    assert '<code>explain</code></th><td class="n">8.75 of 10</td><td class="n">33%</td>' in text
    shares = ['<td class="n">100%</td>', '<td class="n">0%</td>', '<td class="n">0%</td>']
    assert f'<code>task_<wbr>free</code></th><td class="n">0 of 0</td>{"".join(shares)}' in text


def test_a_certificate_that_knows_nothing_of_the_tests_points(tmp_path):
    with make_class(tmp_path, [Pupil("1")]) as book:
        marked = certificate(Pupil("1"))
        marked.cells[1].auto_points = marked.cells[1].result = None
        marked.write(tmp_path / "reports" / ASSIGNMENT / FOLDER)
        page = write_report(Book(book), ASSIGNMENT, tmp_path / "reports" / ASSIGNMENT)
    said = "rnn_forward: no points, 25 in the grade book"
    assert attention(page) == {"1": {"certificate": said}}


def test_functions_of_one_name_in_two_notebooks(tmp_path):
    pupils = [Pupil("1", wrong={"rnn_forward": ["a"]}), Pupil("2")]
    page = make_report(tmp_path, pupils, TESTS | SECOND)
    titles = [f"{ASSIGNMENT}: rnn_forward", "second: rnn_forward"]
    assert [[row[title] for title in titles] for row in table(page, "students")] == [
        ["13.0", "2.0"],
        ["25.0", "5.0"],
    ]
    assert [row["function"] for row in table(page, "mistakes")] == titles
    wrong = [row for row in table(page, "checks") if row["earned"] == "1"]
    assert [(row["function"], row["check"], row["points"]) for row in wrong] == [
        (titles[0], "a", "12"),
        (titles[1], "a", "3"),
    ]


def test_nothing_graded(tmp_path):
    with pytest.raises(CourseError, match="nothing is graded yet"):
        make_report(tmp_path, [Pupil("1", handed_in=False)])


@pytest.fixture(scope="module")
def large(tmp_path_factory) -> Path:
    return make_report(tmp_path_factory.mktemp("large"), random_class(300))


def test_the_page_of_a_large_class_is_short_and_its_tables_are_whole(large):
    assert large.stat().st_size < 200_000
    assert len(table(large, "students")) == 300
    pupils = random_class(300)
    late = [pupil.student_id for pupil in pupils if pupil.hours_late]
    assert sorted(s for s, kinds in attention(large).items() if "late" in kinds) == sorted(late)


@pytest.mark.parametrize(("name", "width"), [("small", 360), ("large", 1280)])
def test_the_page_in_a_browser(request, name, width):
    """No request, no script, nothing out of reach; text and table beside each plot."""
    with open_page(request.getfixturevalue(name), width, dark=width == 360) as view:
        page = view.page
        assert (view.requests, view.errors) == ([], [])
        assert serious_violations(page) == []
        assert page.title() == f"Class report: {ASSIGNMENT}"
        assert page.locator("script, img, link, iframe").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        plots = page.locator("figure svg[role=img]")
        assert plots.count() == (6 if name == "large" else 5)  # one mistake needs no bars
        assert all(len(plot.get_attribute("aria-label")) > 60 for plot in plots.all())
        assert page.locator("table").count() == page.locator("table > caption").count() > 5
        assert (
            page.evaluate(
                "() => { const all = [...document.querySelectorAll('[id]')].map(e => e.id);"
                " return all.length - new Set(all).size }"
            )
            == 0
        )
        eye = page.get_by_role("region", name="Students for your eye")
        assert eye.evaluate("e => e.scrollWidth <= e.clientWidth")
        ink = page.locator("svg text").first.evaluate("e => getComputedStyle(e).fill")
        assert ink == page.evaluate("getComputedStyle(document.body).color")


def test_the_command(tmp_path, monkeypatch, capsys):
    (tmp_path / "nbgrader_config.py").write_text(
        (Path(__file__).parents[1] / "nbgrader_config.py").read_text()
    )
    make_class(tmp_path, small_class()).close()
    monkeypatch.chdir(tmp_path)
    command(["report", ASSIGNMENT], standalone_mode=False)
    page = Path("reports") / ASSIGNMENT / "report.html"
    assert page.is_file() and str(page) in capsys.readouterr().out
    with pytest.raises(CourseError, match="nothing is not in the grade book"):
        command(["report", "nothing"], standalone_mode=False)


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_terminal_is_told_what_is_being_done_and_a_log_is_not(monkeypatch, is_terminal):
    said = io.StringIO()
    monkeypatch.setattr(cli, "console", Console(file=said, force_terminal=is_terminal))
    monkeypatch.chdir("/")  # no course
    for name in ("check", "release", "prove", "grade", "report", "alike"):
        with pytest.raises(CourseError):
            command([name, "waves"], standalone_mode=False)
        assert said.getvalue().count(" …") == is_terminal
        said.truncate(0)


# ------------------------------------------------------- changes between two markings


def changes(root: Path, old: Certificate | str, new: Certificate) -> list[Change]:
    """Compare two certificates of a student; text is that of an earlier version."""
    new.write(root / "new")
    if isinstance(old, str):
        (root / "old").mkdir(parents=True)
        (root / "old" / file_name(new.student_id)).write_text(old, "utf-8")
    else:
        old.write(root / "old")
    (found,) = compare(root / "old", root / "new")
    assert isinstance(old, str) or (found.before, found.after) == (old.score, new.score)
    return found.changes


def test_a_marking_of_an_earlier_version_is_compared(tmp_path):
    before = certificate(Pupil("1", wrong={"rnn_forward": ["a"], "lstm_forward": ["c"]}))
    before.submission, before.source["tests"] = "1", {ASSIGNMENT: {"test_rnn_forward": "1"}}
    after = certificate(Pupil("1", wrong={"lstm_forward": ["c", "caches"]}))
    after.submission, after.source["tests"] = "2", {ASSIGNMENT: {"test_rnn_forward": "2"}}
    # hashes were others then: they say nothing of the submission
    assert changes(tmp_path, as_schema_1(before), after) == [
        Change("rnn_forward", "a", 0.0, 12, "version of the kit"),
        Change("lstm_forward", "caches", 10, 0.0, "version of the kit"),
    ]


def test_points_of_a_person_are_compared(tmp_path):
    cells = TESTS | MANUAL
    before = certificate(Pupil("1", by_hand={"task_improve": 2.0}), cells)
    after = certificate(Pupil("1", by_hand={"task_improve": 2.0, "explain": 4.0}), cells)
    given = [Change("explain", "by hand", None, 4.0, "a person's points")]
    assert changes(tmp_path, before, after) == given


def test_other_words_are_no_other_points(tmp_path):
    wrong = {"rnn_forward": ["a"]}
    before = certificate(Pupil("1", wrong=wrong))
    after = certificate(Pupil("1", wrong=wrong, mistakes={"rnn_forward": "one_step_short"}))
    assert before.cells[1].result.note != after.cells[1].result.note
    assert changes(tmp_path / "today", before, after) == []
    assert changes(tmp_path / "earlier", as_schema_1(before), after) == []


def test_functions_of_one_name_are_compared_each_with_its_own(tmp_path):
    before = certificate(Pupil("1", wrong={"rnn_forward": ["types"]}), TESTS | SECOND)
    after = certificate(Pupil("1"), TESTS | SECOND)
    after.hidden_data = "2"
    assert changes(tmp_path, before, after) == [
        Change(f"{ASSIGNMENT}: rnn_forward", "types", 0.0, 1, "hidden data"),
        Change("second: rnn_forward", "types", 0.0, 2, "hidden data"),
    ]


def test_points_without_checks_are_compared(tmp_path):
    """A test that keeps no record gives points and no more."""
    marked = [certificate(Pupil("1")) for _ in range(2)]
    for each, points in zip(marked, (25.0, 20.0), strict=True):
        mark = each.cells[0]
        result = dataclasses.replace(mark.result, points=points, checks=[])
        each.cells[0] = dataclasses.replace(mark, points=points, auto_points=points, result=result)
    (change,) = changes(tmp_path, *marked)
    assert (change.what, change.before, change.after) == ("rnn_cell_forward, test", 25.0, 20.0)
