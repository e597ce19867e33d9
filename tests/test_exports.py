"""What Canvas, Moodle, Gradescope and spreadsheets are given reads back as the grade book."""

import csv
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from classes import (
    ASSIGNMENT,
    CHECKS,
    MANUAL,
    SECOND,
    TESTS,
    Cells,
    Pupil,
    as_schema_1,
    certificate,
    make_class,
)
from lms import LANGUAGES, CanvasCourse, MoodleAssignment
from nbgrader.apps.exportapp import ExportApp
from nbgrader.plugins import CsvExportPlugin
from test_collect import Course as Download

from grading import CourseError
from grading.book import Book, Place
from grading.cli import app as command
from grading.exports import WAYS, ExportRequest, Report, export, export_all, import_students
from grading.exports.canvas import GradeBook
from grading.intake.downloads import find_uploads
from grading.run.certificate import FOLDER, file_name
from grading.sheets import as_number, column_titles, guard, read_sheet, unguard

REPO = Path(__file__).parents[1]
CANARY = "canary-7f3a"
NAMES = [
    ("O'Neill, van", 'Zoë "Zo"'),
    ("Müller\nzweite Zeile", "Jörg"),
    ("伟", "李"),
    ('=HYPERLINK("http://example.org")', "+SUM(1)"),
    ("@SUM(A1)", "-2+3"),
    ("'=already guarded", "\ttab"),
    ("علی", "رضا;x"),
]
IDS = ["Zoë O'Neill", 'a,b"c', "=1+1", "@jane", "-5x", "'=x", "李;伟", "x y@example.org"]


def mixed() -> list[Pupil]:
    """Return students of every sort, with numbers of the LMS as ids."""
    named = [
        Pupil(f"{4240 + n}", last, first, f"s{n}@example.org")
        for n, (last, first) in enumerate(NAMES)
    ]
    named[0].wrong = {"rnn_forward": ["a"], "lstm_forward": ["c", "caches"]}
    named[0].mistakes = {"lstm_forward": "caches_are_views"}
    named[1].by_hand = {"rnn_forward": 12.5}
    named[2].penalty = 7.25
    named[3].status, named[3].notes = "unreadable", ["x.ipynb is <b>damaged</b>"]
    return [
        *named,
        Pupil("4300", "Late", "Very", penalty=200.0, hours_late=300),
        Pupil("4301", "Not", "Graded", status="not graded", notes=[CANARY]),
        Pupil("4302", "Absent", "Ann", handed_in=False),
    ]


def scores(pupils: list[Pupil]) -> dict[str, float]:
    """Return the scores that an LMS is to get."""
    return {p.student_id: p.score for p in pupils if p.handed_in and p.status != "not graded"}


@pytest.fixture
def root(tmp_path) -> Path:
    folder = tmp_path / "course"
    folder.mkdir()
    return folder


def run(root: Path, pupils: list[Pupil], way: str, **order) -> tuple[list[Path], list[str]]:
    """Export a class; return the files and the notes."""
    return exporter(root, pupils)(way, **order)


def exporter(root: Path, pupils: list[Pupil]) -> Callable[..., tuple[list[Path], list[str]]]:
    """Make a class, and return what exports it."""
    book = Book(make_class(root, pupils))

    def export_class(way: str, **order) -> tuple[list[Path], list[str]]:
        done = export(book, ASSIGNMENT, way, ExportRequest(root, **order))
        return done.files, done.notes

    return export_class


def run_ways(root: Path, pupils: list[Pupil], cells: Cells, *ways: str) -> list[Report]:
    """Export a class of other cells in several ways."""
    with make_class(root, pupils, cells) as book:
        return [export(Book(book), ASSIGNMENT, way, ExportRequest(root)) for way in ways]


def read(path: Path, delimiter: str = ",") -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, delimiter=delimiter, strict=True))


def read_results(path: Path) -> dict[str, dict]:
    """Return what Gradescope is to show, by student."""
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith("results.json")]
        return {name.split("/")[1]: json.loads(archive.read(name)) for name in names}


def as_text(rows: list[list[str]], delimiter: str = ",") -> str:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter).writerows(rows)
    return buffer.getvalue()


# ------------------------------------------------------------------ plain CSV


def test_csv_reads_back_as_the_grade_book(root):
    pupils = mixed() + [Pupil(student) for student in IDS]
    (path,), _ = run(root, pupils, "csv")
    rows = read(path)
    assert not [cell for row in rows for cell in row if cell[:1] in ("=", "+", "-", "@", "\t")]
    heading, *rows = rows
    found = {}
    for row in rows:
        values = dict(zip(heading, row, strict=True))
        texts = [unguard(values[k]) for k in ("student_id", "last_name", "first_name", "email")]
        found[texts[0]] = (*texts[1:], float(values["score"]))
    assert found == {p.student_id: (p.last_name, p.first_name, p.email, p.score) for p in pupils}


def test_csv_is_that_of_nbgrader_where_nothing_needs_a_quote(root, tmp_path):
    pupils = [
        Pupil("b1", "Roe", "Bob", "bob@example.org", wrong={"rnn_forward": ["a"]}),
        Pupil("a1", "Doe", by_hand={"rnn_forward": 3.5}, penalty=2.0, hours_late=5),
        Pupil("c1", handed_in=False),
    ]
    (path,), _ = run(root, pupils, "csv")
    with make_class(tmp_path, pupils) as book:
        stock = CsvExportPlugin(to=str(tmp_path / "stock.csv"))
        stock.export(book)
    assert sorted(read(path)) == sorted(read(tmp_path / "stock.csv"))


@pytest.mark.parametrize("text", ["-", "-5", "+3.5", "-5,25", "12 %", "x=1", "", "'quoted'", "a@b"])
def test_guard_leaves_alone_what_no_spreadsheet_runs(text):
    assert guard(text) == text == unguard(text)


# --------------------------------------------------------------------- Canvas

CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,Essay (11),RNN: LSTM forward (12),Current Score
,,,,,Manual Posting,,(read only)
    Points Possible,,,,,10,100,(read only)
"=Doe, Jane",4240,S-1,jane,"CS 101, A and B",9,,90
"Ünal, ""Bo"" Çağ",4241,S-2,@bo,CS 101,,55,
"Gone, Gil",77,S-3,gil,CS 101,3,12,1
"Student, Test",78,,9c1,CS 101,,,
"""


def test_a_grade_book_of_canvas_is_filled_in(root, tmp_path):
    source = tmp_path / "canvas.csv"
    source.write_text(CANVAS, "utf-8")
    pupils = [
        Pupil("4240", wrong={"rnn_forward": ["a"]}),
        Pupil("4241", penalty=0.1),
        Pupil("9999"),
    ]
    (path,), notes = run(root, pupils, "canvas", source=source)
    assert read(path) == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "RNN: LSTM forward (12)"],
        ["", "", "", "", "", ""],
        ["    Points Possible", "", "", "", "", "100"],
        ["'=Doe, Jane", "4240", "S-1", "jane", "CS 101, A and B", "88"],
        ['Ünal, "Bo" Çağ', "4241", "S-2", "@bo", "CS 101", "99.9"],
        ["Gone, Gil", "77", "S-3", "gil", "CS 101", "12"],
        ["Student, Test", "78", "", "9c1", "CS 101", ""],
    ]
    assert notes == ["2 students were found by ID", f"not in {source}: 9999"]


COURSE = CanvasCourse(
    {
        4240: ("S-1", "jane", "Doe, Jane"),
        4241: ("S-2", "bo", "Ünal, Bo"),
        4242: ("S-3", "gil", "Gone, Gil"),
        4243: ("S-4", "zoe", "van O'Neill, Zoë"),
        78: ("", "9c1", "Student, Test"),
    },
    {11: 10, 12: 100, 13: 100},
)


def canvas_file(
    *titles: str, split: bool = False, sign: str = ",", decimal: str = ".", sis: bool = True
) -> str:
    """Return a grade book as Canvas exports it: gradebook_exporter.rb, csv_data."""
    names = ["LastName", "FirstName"] if split else ["Student"]
    heading = [*names, "ID", *(["SIS User ID"] if sis else []), "SIS Login ID"]
    heading += ["Integration ID", "Root Account"] if split else []
    heading += ["Section", "Notes", *titles, "Current Score", "Unposted Final Score", "Final Grade"]
    empty = [""] * (heading.index("Notes") + 1)
    posting = [*empty, *("Manual Posting" for _ in titles), "", "", ""]
    full = [*empty, *(f"100{decimal}00" for _ in titles), *["(read only)"] * 3]
    full[0] = "    Points Possible"
    rows = [heading, posting, full]
    for user, (school, login, name) in COURSE.users.items():  # the test student is the last
        own = name.split(", ") if split else [name]
        own += [str(user), *([school] if sis else []), login]
        own += ["", "canvas.example.org"] if split else []
        grades = ["EX" if user == 4242 else "N/A" if user == 4243 else "" for _ in titles]
        rows.append([*own, "CS 101 and CS 102", "a note", *grades, "88", "88", "B"])
    return as_text(rows, sign)


@pytest.mark.parametrize(
    ("form", "encoding"),
    [
        ({}, "utf-8"),
        ({"split": True}, "utf-8"),
        ({"sis": False}, "utf-8-sig"),
        ({"sign": ";", "decimal": ","}, "utf-8-sig"),
        ({"split": True, "sign": ";", "decimal": ","}, "utf-8"),
    ],
)
def test_canvas_reads_what_was_filled_in(root, tmp_path, form, encoding):
    """With sections, a test student, excused students, split names, decimal commas."""
    source = tmp_path / "canvas.csv"
    text = canvas_file("RNN LSTM forward (12)", "Essay (11)", **form)
    source.write_text(text.replace("LastName", "Last Name"), encoding)  # as others write it
    pupils = [Pupil("4240", penalty=12.5), Pupil("4241"), Pupil("4242"), Pupil("4243")]
    (path,), notes = run(root, pupils, "canvas", source=source)
    grades = COURSE.import_grades(path)
    assert grades == {
        **{4240: {12: "87.5"}, 4241: {12: "100"}, 4242: {12: "EX"}, 4243: {12: "N/A"}},
        78: {12: ""},
    }
    assert notes == [
        "excused in Canvas, and left so: 4242",
        "not assigned to them in Canvas, and left so: 4243",
        "4 students were found by ID",
    ]


def test_columns_of_one_title_are_told_apart_by_their_number(root, tmp_path):
    fill = exporter(root, [Pupil("4240")])
    source = tmp_path / "canvas.csv"
    source.write_text(canvas_file("RNN LSTM forward (12)", "rnn_lstm_forward (13)", "Essay (11)"))
    with pytest.raises(CourseError) as problem:
        fill("canvas", source=source)
    assert str(problem.value).endswith('one of "RNN LSTM forward", "rnn_lstm_forward"')
    source.write_text(canvas_file("Week 3 (12)", "Week 3 (13)", "Essay (11)"))
    with pytest.raises(CourseError) as problem:
        fill("canvas", source=source, column="Week 3")
    assert str(problem.value).endswith('one of "Week 3 (12)", "Week 3 (13)"')
    with pytest.raises(CourseError) as problem:
        fill("canvas", source=source)
    assert str(problem.value).endswith('one of "Week 3 (12)", "Week 3 (13)", "Essay"')
    (path,), _ = fill("canvas", source=source, column="Week 3 (13)")
    assert COURSE.import_grades(path)[4240] == {13: "100"}


@pytest.mark.parametrize("title", ["RNN Final Score (12)", "Notes", "Current Score", "locked (11)"])
def test_a_column_into_which_canvas_takes_no_marks_is_not_filled_in(root, tmp_path, title):
    fill = exporter(root, [Pupil("4240")])
    source = tmp_path / "canvas.csv"
    text = canvas_file("RNN Final Score (12)", "locked (11)", "Week 3 (13)")
    source.write_text(text.replace("100.00,100.00,100.00", "100.00,(read only),100.00"))
    with pytest.raises(CourseError) as problem:
        fill("canvas", source=source, column=title)
    assert "Canvas takes no marks into" in str(problem.value) and title in str(problem.value)
    with pytest.raises(CourseError) as problem:
        fill("canvas", source=source)
    assert str(problem.value).endswith('one of "Week 3"')


def test_other_full_marks_are_refused_or_scaled_on_request(root, tmp_path):
    source = tmp_path / "canvas.csv"
    text = canvas_file("RNN LSTM forward (12)", sign=";", decimal=",").replace("100,00", "10,00")
    source.write_text(text, "utf-8")
    fill = exporter(root, [Pupil("4240", penalty=12.5)])
    with pytest.raises(CourseError, match=r"full marks are 10 points in Canvas, and 100 .*--scale"):
        fill("canvas", source=source)
    (path,), notes = fill("canvas", source=source, scale=True)
    assert replace(COURSE, assignments={12: 10}).import_grades(path)[4240] == {12: "8.75"}
    assert "scaled: 100 points here are 10 in Canvas" in notes


def test_numbers_of_two_kinds_are_not_mixed_up(root, tmp_path):
    """Students known by the school's number, one of which is also a number of Canvas."""
    rows = [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", ASSIGNMENT],
        ["A", "501", "9001", "a", "", ""],
        ["B", "9001", "9002", "b", "", ""],
        ["C", "503", "9003", "c", "", ""],
    ]
    source = tmp_path / "canvas.csv"
    source.write_text(as_text(rows, ";"), "utf-8-sig")
    pupils = [Pupil(f"900{n}", penalty=float(n)) for n in (1, 2, 3)]
    (path,), notes = run(root, pupils, "canvas", source=source)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert [row[-1] for row in read(path, ";")] == [ASSIGNMENT, "99", "98", "97"]
    assert notes == [
        "Canvas names no full marks for it: points are written as they are",
        "3 students were found by SIS User ID",
    ]


def test_a_new_grade_book_for_canvas(root):
    pupils = mixed()
    pupils[4].lms_user_id = "888"
    logins = [Pupil("jane", "Doe", "Jane"), Pupil("@ann", "=Roe")]
    of_the_school = Pupil("4242", lms_user_id="")  # in Canvas the number is another student's
    pupils = [p for p in pupils if p.student_id != "4242"]
    (path,), notes = run(root, [*pupils, *logins, of_the_school], "canvas")
    assert "a number that may not be Canvas's own, and left out (use --from): 4242" in notes[-1]
    heading, possible, *rows = read(path)
    assert heading == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", ASSIGNMENT]
    assert (possible[0].strip(), possible[-1]) == ("Points Possible", "100")
    wanted = scores(pupils)
    wanted["888"] = wanted.pop("4244")
    assert {row[1]: float(row[-1]) for row in rows if row[1]} == wanted
    # by its login Canvas looks the student up
    assert {row[3]: row[0] for row in rows if row[3]} == {"jane": "Doe, Jane", "@ann": "'=Roe"}
    names = {unguard(row[0]) for row in rows}
    assert {f"{last}, {first}" for last, first in [*NAMES[:2], *NAMES[3:]]} <= names


@pytest.mark.parametrize("way", ["canvas", "moodle"])
def test_numbers_that_may_be_the_schools_reach_no_lms_without_its_own_file(root, way):
    with pytest.raises(CourseError, match="--from"):
        run(root, [Pupil("4240", lms_user_id=""), Pupil("4241", lms_user_id="")], way)


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("Name,Id\n", "", "no grade book of Canvas"),
        (CANVAS.replace("RNN: LSTM forward", "Homework"), "", 'no column "rnn_lstm_forward"'),
        (CANVAS, "Homework", '"Essay", "RNN: LSTM forward"'),
        (CANVAS, "Essay", "full marks are 10 points in Canvas, and 100"),
        (CANVAS.replace("424", "524"), "", "none of its rows"),
        ("", "", "is empty"),
        ('"Student', "", "damaged"),
        ("Ünal".encode("cp1252"), "", "no UTF-8"),
        (None, "", "cannot be read: No such file"),
    ],
)
def test_what_is_not_filled_in_is_said_in_one_line(root, tmp_path, text, column, words):
    source = tmp_path / "canvas.csv"
    if text is not None:
        source.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(CourseError) as problem:
        run(root, [Pupil("4240")], "canvas", source=source, column=column)
    assert words in str(problem.value) and "\n" not in str(problem.value)


# --------------------------------------------------------------------- Moodle

MOODLE = list(
    csv.reader(
        """\
Identifier,Full name,ID number,Email address,Status,Grade,Maximum Grade,Grade can be changed,\
Last modified (submission),Online text,Last modified (grade),Feedback comments
"Participant 4240",=Zoë,,s0@example.org,"Submitted for grading",,100.00,Yes,\
"Friday, 20 November 2026, 3:04 PM",@text,-,
"Participant 4241","J ""Jo"" M",,s1@example.org,"Submitted for grading",3,100.00,Yes,\
-,,-,"<p>Well argued, see me</p>"
"Participant 999",Ann,,ann@example.org,"No submission",,100.00,Yes,-,,-,
""".splitlines()
    )
)


def test_a_worksheet_of_moodle_is_filled_in(root, tmp_path):
    source = tmp_path / "worksheet.csv"
    source.write_text(as_text(MOODLE), "utf-8-sig")
    (path,), notes = run(root, mixed(), "moodle", source=source)
    heading, zoe, jo, ann = read(path)
    assert [heading, ann] == [MOODLE[0], MOODLE[3]]
    assert (zoe[0], zoe[1], zoe[5], zoe[9], zoe[10]) == (
        *("Participant 4240", "'=Zoë", "66", "'@text", "-"),
    )
    assert "<p>lstm_forward: 3 of 25 points. You made caches_are_views in" in zoe[-1]
    assert (jo[5], jo[-1]) == ("87.5", "<p>Well argued, see me</p>")
    assert "2 students were found by Identifier" in notes


ABOUT = {
    "zoe": ["S-1", "s0@example.org", "Zoë O'Neill"],
    "jo": ["S-2", "s1@example.org", "Jörg Müller"],
    "ann": ["S-3", "s2@example.org", "Ann Lee"],
}
USERS = {4240: "zoe", 4241: "jo", 999: "ann"}


@pytest.mark.parametrize(
    ("language", "by"), list(zip(LANGUAGES, ["participant", "school", "address"] * 2, strict=False))
)
def test_moodle_reads_what_was_filled_in_in_each_language(root, tmp_path, language, by):
    course = MoodleAssignment(LANGUAGES[language], USERS, locked={"ann"}, workflow=by == "school")
    source = tmp_path / "worksheet.csv"
    source.write_text(course.worksheet(ABOUT, {"jo": "3"}), "utf-8-sig")
    ids = {"participant": USERS, "address": {"a": "zoe", "b": "jo", "c": "ann"}}
    ids["school"] = {about[0]: user for user, about in ABOUT.items()}
    pupils = [
        Pupil(str(own), email=ABOUT[user][1] if by == "address" else "")
        for own, user in ids[by].items()
    ]
    pupils[0].wrong, pupils[1].penalty = {"rnn_forward": ["a"]}, 4.5
    pupils[2].by_hand, ann = {"rnn_forward": 40.0}, pupils[2].student_id
    (path,), notes = run(root, pupils, "moodle", source=source)
    grades = course.import_grades(path)
    assert {user: grade for user, (grade, _) in grades.items()} == {"zoe": 88, "jo": 95.5}
    assert "<p>rnn_forward: 13 of 25 points" in grades["zoe"][1]
    assert notes == [
        f"grades that cannot be changed in Moodle, and were left: {ann}",
        f"above full marks, which Moodle drops without a word: enter it there: {ann}",
        f"3 students were found by {notes[2].rpartition(' by ')[2]}",
    ]
    text = path.read_text("utf-8-sig")
    assert ("95,5" in text) == (LANGUAGES[language].decsep == ",")


def test_any_other_language_by_the_title_of_its_column(root, tmp_path):
    basque = replace(LANGUAGES["en"], grade="Kalifikazioa", recordid="Identifikatzailea")
    course = MoodleAssignment(basque, USERS, maximum=10, comments=False)
    source = tmp_path / "worksheet.csv"
    source.write_text(course.worksheet(ABOUT, {}, sign=";"), "utf-8")
    fill = exporter(root, [Pupil("4240", wrong={"rnn_forward": ["a"]})])
    with pytest.raises(CourseError, match=r'--column which to fill in, one of .*"Kalifikazioa"'):
        fill("moodle", source=source)
    with pytest.raises(CourseError, match=r"full marks are 10 points in Moodle, and 100 .*--scale"):
        fill("moodle", source=source, column="Kalifikazioa")
    order = {"column": "Kalifikazioa", "scale": True}
    (path,), notes = fill("moodle", source=source, **order)
    assert course.import_grades(path, ";") == {"zoe": (8.8, "")}
    assert notes == [
        "scaled: 100 points here are 10 in Moodle",
        "no comments filled in: the worksheet has no empty column for them",
        "1 students were found by Identifikatzailea",
    ]


def test_a_scale_takes_no_points(root, tmp_path):
    course = MoodleAssignment(LANGUAGES["de"], USERS, scale=["schlecht", "gut", "sehr gut"])
    source = tmp_path / "worksheet.csv"
    source.write_text(course.worksheet(ABOUT, {"zoe": "gut"}), "utf-8")
    with pytest.raises(
        CourseError, match=r'beside "Bewertung" stands no maximum. Moodle grades with'
    ):
        run(root, [Pupil("4240")], "moodle", source=source, scale=True)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([["Identifier", "Grade"]], "no grading worksheet of Moodle"),
        ([["Identifier", "Grade"], ["Jane", "1"]], "no grading worksheet of Moodle"),
        ([["Identifier", "Mark"], ["Participant 4240", ""]], 'no column "Grade"'),
        ([["Identifier", "Grade"], ["Participant 4240", ""]], "columns are missing"),
    ],
)
def test_what_is_no_worksheet_is_said(root, tmp_path, rows, words):
    source = tmp_path / "worksheet.csv"
    source.write_text(as_text(rows))
    with pytest.raises(CourseError, match=words):
        run(root, [Pupil("4240")], "moodle", source=source)


def test_from_a_download_of_moodle_and_back(tmp_path, monkeypatch, caplog):
    """What Moodle names in the download, it finds again in worksheet and feedback."""
    students = {
        "1234567": "Zoë O'Neill",
        "1234568": "李 伟",
        "1234569": 'van_der_Berg, Jan "JJ"',
        "1234570": "=1+1",
    }
    monkeypatch.chdir(tmp_path)
    download = Download(tmp_path, caplog.handler)
    download.download(
        {f"{name}_{n}_assignsubmission_file_/x.ipynb": n for n, name in students.items()}
    )
    collected = download.collect()
    pupils = [Pupil(path.partition("/")[0], penalty=2.0) for path in collected]
    for pupil in pupils:
        page = tmp_path / "feedback" / pupil.student_id / ASSIGNMENT / f"{ASSIGNMENT}.html"
        page.parent.mkdir(parents=True)
        page.write_text(f"for {pupil.student_id}")
    (sheet, archive), _ = run(tmp_path, pupils, "moodle")
    heading, *rows = read(sheet)
    found = [dict(zip(heading, row, strict=True)) for row in rows]
    assert {row["Identifier"]: (unguard(row["Full name"]), row["Grade"]) for row in found} == {
        "Participant 1234567": ("Zoë O'Neill", "98"),
        "Participant 1234568": ("李 伟", "98"),
        "Participant 1234569": ("Jan JJ van_der_Berg", "98"),  # formgrader shows it as it is
        "Participant 1234570": ("=1+1", "98"),
    }
    moodle = MoodleAssignment(LANGUAGES["en"], {int(n): n for n in students})
    assert moodle.import_pages(archive) == {
        n: {f"{ASSIGNMENT}.html": f"for {n}".encode()} for n in students
    }


def test_without_participant_numbers_moodle_gets_nothing(root):
    with pytest.raises(CourseError, match="--from"):
        run(root, [Pupil("jane")], "moodle")


# ------------------------------------------------- who the students are

ROSTERS = {
    # Download Roster of Gradescope, and Moodle's table of participants
    "gradescope": "First Name,Last Name,SID,Email,Role\nZoë,O'Neill,S-1,ZO@example.org,Student\n",
    "participants": "First name;Surname;Email address\nZoë;O'Neill;zo@example.org\n",
    # formgrader shows names as they are
    "by hand": '"Name","E-Mail"\n"O\'Neill<&, ""Zoë"">\n","zo@example.org"\n',
}


@pytest.mark.parametrize("form", ROSTERS)
def test_names_come_from_a_roster(root, tmp_path, form):
    (tmp_path / "roster.csv").write_text(ROSTERS[form], "utf-8-sig")
    pupils = [
        Pupil("zo", "zo", email="zo@example.org"),
        Pupil("S-1" if form == "gradescope" else "x"),
    ]
    book = Book(make_class(root, pupils[:1] if form != "gradescope" else pupils[1:]))
    assert import_students(book, tmp_path / "roster.csv") == (1, 1)
    (entry,) = book.students()
    assert (entry.last_name, entry.first_name) == ("O'Neill", "Zoë")
    assert entry.email.casefold() == "zo@example.org"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Id;Points\n4240;5\n", "no table with the titles First name, Last name"),
        (CANVAS.replace("424", "524"), "none of its rows is of a student in the grade book"),
    ],
)
def test_what_names_nobody_is_said(root, tmp_path, text, words):
    (tmp_path / "roster.csv").write_text(text)
    with pytest.raises(CourseError, match=words):
        import_students(Book(make_class(root, [Pupil("4240")])), tmp_path / "roster.csv")


def test_a_worksheet_of_blind_marking_names_nobody(root, tmp_path):
    rows = [["Identifier", "Status", "Grade", "Maximum grade", "Grade can be changed", "Last"]]
    rows += [[f"Participant {n}", "Submitted", "", "100.00", "Yes", "-"] for n in (1, 2, 3)]
    (tmp_path / "worksheet.csv").write_text(as_text(rows))
    book = Book(make_class(root, [Pupil("1", "Doe"), Pupil("2"), Pupil("3")]))
    assert import_students(book, tmp_path / "worksheet.csv") == (3, 3)
    assert {entry.last_name for entry in book.students()} == {"Doe", ""}


# ----------------------------------------------------------------- Gradescope


def autograde(folder: Path, users: list[dict]) -> subprocess.CompletedProcess:
    """Run the autograder as Gradescope does."""
    (folder / "results").mkdir(exist_ok=True)
    (folder / "submission_metadata.json").write_text(json.dumps({"users": users}))
    script = folder / "source" / "run_autograder"
    return subprocess.run([sys.executable, script, folder], capture_output=True, text=True)


def test_gradescope_shows_each_student_the_own_marks(root, tmp_path):
    pupils = [*mixed(), Pupil("Zoë O'Neill", email="zo@example.org")]
    (path,), _ = run(root, pupils, "gradescope")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "source")
        assert archive.getinfo("run_autograder").external_attr >> 16 & 0o111
    names = {p.student_id: {"email": p.email, "sid": ""} for p in pupils}
    names |= {student: {"email": "?@example.org", "sid": student} for student in ("4240", "4300")}
    names["Zoë O'Neill"]["email"] = "ZO@example.org"
    wanted = {**scores(pupils)}
    for student, score in wanted.items():
        done = autograde(tmp_path, [{**names[student], "name": "x"}])
        assert done.returncode == 0, done.stderr
        result = json.loads((tmp_path / "results" / "results.json").read_text("utf-8"))
        assert result["score"] == score
        pupil = next(p for p in pupils if p.student_id == student)
        points = sum(test["score"] for test in result["tests"])
        assert max(0, points - pupil.penalty) == pytest.approx(score)
        assert all(test["score"] <= test["max_score"] for test in result["tests"])
        assert sum(test["max_score"] for test in result["tests"]) == 100
    for users in ([{"email": "?", "sid": None}], [names["4240"], names["4300"]]):
        assert autograde(tmp_path, users).returncode != 0


def test_gradescope_shows_the_sentences_of_the_checks(root):
    (path,), _ = run(root, mixed(), "gradescope")
    results = read_results(path)
    tests = {test["name"]: test for test in results["4240"]["tests"]}
    assert len(tests) == sum(map(len, CHECKS.values()))
    wrong = tests["lstm_forward: caches"]
    assert (wrong["status"], wrong["output"]) == ("failed", "`caches` is wrong in 3 of 6 places")
    assert {test["output"] for test in tests.values() if test["status"] == "passed"} == {""}
    assert "You made caches_are_views in lstm_forward." in results["4240"]["output"]
    assert [t["name"] for t in results["4241"]["tests"]].count("rnn_forward") == 1


def test_gradescope_says_which_points_count_in_proportion(root):
    pupil = Pupil("4240", wrong={"rnn_forward": ["a"]})
    with make_class(root, [pupil]) as book:
        marked = certificate(pupil)
        checks = marked.cells[1].result.checks
        checks[0].earned, checks[1].earned = 0.5, 2.5  # as many as before in all
        marked.write(root / "reports" / ASSIGNMENT / FOLDER)
        done = export(Book(book), ASSIGNMENT, "gradescope", ExportRequest(root))
    tests = {test["name"]: test for test in read_results(done.files[0])["4240"]["tests"]}
    types = tests["rnn_forward: types"]
    assert (types["score"], types["max_score"], types["status"]) == (0.5, 1, "failed")
    assert types["output"] == "right; counts in the proportion in which the values are right"


# ------------------------------------ what a person marks, and several notebooks


def by_hand() -> list[Pupil]:
    """Return students of whom a person has marked all, a part, and nothing."""
    return [
        Pupil("4240", by_hand={"explain": 7.5, "task_improve": 5.0}),
        Pupil("4241", by_hand={"explain": 10.0}, wrong={"rnn_forward": ["a"]}, penalty=2.0),
        Pupil("4242"),
    ]


def test_what_a_person_marks_counts_as_the_grade_book_says(root, tmp_path):
    cells = TESTS | MANUAL
    plain, canvas, moodle = run_ways(root, by_hand(), cells, "csv", "canvas", "moodle")
    heading, *rows = read(plain.files[0])
    found = [dict(zip(heading, row, strict=True)) for row in rows]
    wanted = [("112.5", "112.5"), ("98.0", "96.0"), ("100.0", "100.0")]
    assert [(row["raw_score"], row["score"]) for row in found] == wanted
    assert {row["max_score"] for row in found} == {"115.0"}
    assert plain.notes == ["still to be marked by a person: 4241, 4242"]
    with make_class(tmp_path, by_hand(), cells) as book:
        CsvExportPlugin(to=str(tmp_path / "stock.csv")).export(book)
    assert sorted(read(plain.files[0])) == sorted(read(tmp_path / "stock.csv"))
    assert [row[-1] for row in read(canvas.files[0])[1:]] == ["115", "112.5", "96", "100"]
    marks = [row[4:6] for row in read(moodle.files[0])[1:]]
    assert marks == [["112.5", "115"], ["96", "115"], ["100", "115"]]


def test_students_read_what_a_person_has_still_to_mark(root):
    (done,) = run_ways(root, by_hand(), TESTS | MANUAL, "gradescope")
    results = read_results(done.files[0])
    lines = results["4241"]["output"].splitlines()
    assert lines[1] == "rnn_forward: 13 of 25 points. `a` is wrong in 3 of 6 places"
    assert lines[-3:] == [
        "explain: 10 of 10 points.",
        "task_improve: 0 of 5 points. Not marked yet.",
        "Handed in late: 2 points off.",
    ]
    tests = {test["name"]: (test["score"], test["max_score"]) for test in results["4240"]["tests"]}
    assert (tests["explain"], tests["task_improve"]) == ((7.5, 10.0), (5.0, 5.0))
    assert sum(most for _, most in tests.values()) == 115


def test_functions_of_one_name_in_two_notebooks(root):
    pupil = Pupil("4240", wrong={"rnn_forward": ["a"]})
    folder = root / "feedback" / "4240" / ASSIGNMENT
    folder.mkdir(parents=True)
    for notebook in (ASSIGNMENT, "second"):
        (folder / f"{notebook}.html").write_text(notebook)
    cells = TESTS | SECOND
    gradescope, moodle = run_ways(root, [pupil], cells, "gradescope", "moodle")
    result = read_results(gradescope.files[0])["4240"]
    tests = {test["name"]: test["score"] for test in result["tests"]}
    assert len(tests) == sum(map(len, cells.values()))
    types = [tests[f"{name}: rnn_forward: types"] for name in (ASSIGNMENT, "second")]
    assert (types, tests["gru_forward: h"], result["score"]) == ([1, 2], 4, 95)
    assert [line.partition(" points")[0] for line in result["output"].splitlines()] == [
        "rnn_cell_forward: 25 of 25",
        f"{ASSIGNMENT}: rnn_forward: 13 of 25",
        "lstm_cell_forward: 25 of 25",
        "lstm_forward: 25 of 25",
        "second: rnn_forward: 2 of 5",
        "gru_forward: 5 of 5",
    ]
    pages = MoodleAssignment(LANGUAGES["en"], {4240: "a"}).import_pages(moodle.files[1])
    assert pages == {"a": {f"{n}.html": n.encode() for n in (ASSIGNMENT, "second")}}


def test_where_the_pages_are_left_out_a_line_says_how_to_get_them(root):
    to = exporter(root, [Pupil("4240")])
    assert to("canvas")[1] == to("gradescope")[1] == []  # no page was made
    folder = root / "feedback" / "4240" / ASSIGNMENT
    folder.mkdir(parents=True)
    (folder / f"{ASSIGNMENT}.html").write_text("A page.")
    (_,), (said,) = to("canvas")
    assert "without the pages" in said
    assert f"into {root}/downloaded/{ASSIGNMENT}/archive, and export again" in said
    (_,), (said,) = to("gradescope")
    assert "without the pages" in said and f"{root}/feedback/STUDENT/{ASSIGNMENT}" in said
    (_, _), said = to("moodle")
    assert said == []


def test_a_test_and_an_answer_of_one_name_are_told_apart():
    places = [Place("one", "test_f"), Place("one", "f"), Place("two", "test_f"), Place("two", "g")]
    assert list(column_titles(places).values()) == ["one: test_f", "one: f", "two: f", "g"]


# ------------------------------------------------------------------- all ways


@pytest.mark.parametrize("way", WAYS)
def test_students_read_nothing_but_sentences(root, way):
    """What a certificate holds beside marks and sentences reaches no student."""
    pupil = Pupil("4240", wrong={"rnn_forward": ["a"]}, notes=[CANARY], problems=[CANARY])
    with make_class(root, [pupil]) as book:
        path = root / "reports" / ASSIGNMENT / FOLDER / file_name("4240")
        content = json.loads(path.read_text())
        content |= {key: CANARY for key in ("isolation", "submission", "submitted")}
        content |= {"source": {"all": CANARY}, "environment": {"grading": CANARY}}
        for cell in content["cells"]:
            for check in cell["result"]["checks"]:
                check["where"] = {"wrong": [CANARY]}
                if check["wrong"]:
                    check["wrong"]["fields"]["seen"] = CANARY
        path.write_text(json.dumps(content))
        done = export(Book(book), ASSIGNMENT, way, ExportRequest(root))
    for file in done.files:
        if file.suffix == ".zip":
            with zipfile.ZipFile(file) as archive:
                texts = [archive.read(name).decode() for name in archive.namelist()]
        else:
            texts = [file.read_text("utf-8")]
        assert not any(CANARY in text for text in texts)


@pytest.mark.parametrize("way", ["canvas", "moodle", "gradescope"])
def test_who_has_no_marks_is_in_no_file_for_an_lms(root, way):
    (path, *_), notes = run(root, mixed(), way)
    content = path.read_bytes()
    assert b"4301" not in content and b"4302" not in content
    assert "not graded, and left out: 4301" in notes


def test_a_damaged_certificate_takes_nobodys_score(root):
    with make_class(root, [Pupil("4240"), Pupil("4241")]) as book:
        (root / "reports" / ASSIGNMENT / FOLDER / file_name("4240")).write_text("{")
        for way in WAYS:
            done = export(Book(book), ASSIGNMENT, way, ExportRequest(root))
            assert done.count == 2
            assert "without a certificate that can be read; grade them again: 4240" in done.notes


def test_a_certificate_of_an_earlier_form_is_read(root):
    pupil = Pupil("4240", wrong={"rnn_forward": ["a"]})
    with make_class(root, [pupil]) as book:
        path = root / "reports" / ASSIGNMENT / FOLDER / file_name("4240")
        path.write_text(as_schema_1(certificate(pupil)))
        done = export(Book(book), ASSIGNMENT, "gradescope", ExportRequest(root))
    result = read_results(done.files[0])["4240"]
    assert "rnn_forward: 13 of 25 points. `a` is wrong in 3 of 6 places" in result["output"]
    assert len(result["tests"]) == sum(map(len, CHECKS.values()))


def test_all_assignments_in_one_file(root):
    with make_class(root, mixed()) as book:
        book.add_assignment("other")
        path = root / "all.csv"
        done = export_all(Book(book), [ASSIGNMENT, "other"], path, ExportRequest(root))
    rows = [(row[0], row[3]) for row in read(path)[1:]]
    students = sorted(pupil.student_id for pupil in mixed())
    assert rows == [(name, student) for name in (ASSIGNMENT, "other") for student in students]
    assert (done.files, done.count) == ([path], len(students))


def test_nothing_to_export(root):
    with pytest.raises(CourseError, match="no marks to export"):
        run(root, [Pupil("1", handed_in=False)], "canvas")


def test_nbgrader_export_writes_the_same(root, monkeypatch, capsys):
    """With the plug-ins in the place of the command, problems included."""
    (root / "nbgrader_config.py").write_text((REPO / "nbgrader_config.py").read_text())
    make_class(root, mixed()).close()
    (root / "canvas.csv").write_text(CANVAS)
    monkeypatch.chdir(root)
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(root))

    def with_nbgrader(*options: str) -> None:
        application = ExportApp()
        application.initialize([*options, f"--assignment={ASSIGNMENT}"])
        application.start()

    for way, options, plug_in in [
        ("canvas", ["--from=canvas.csv"], ["--CanvasExporter.source=canvas.csv"]),
        ("moodle", [], []),
        ("gradescope", [], []),
    ]:
        command(["export", ASSIGNMENT, f"--to={way}", *options], standalone_mode=False)
        ours = root / "reports" / ASSIGNMENT / "export" / WAYS[way][0]
        theirs = root / f"theirs{ours.suffix}"
        exporter = f"--exporter=grading.nbgrader_plugins.{way.title()}Exporter"
        with_nbgrader(exporter, f"--to={theirs}", *plug_in)
        if ours.suffix == ".csv":
            assert theirs.read_bytes() == ours.read_bytes()
        else:
            with zipfile.ZipFile(ours) as one, zipfile.ZipFile(theirs) as other:
                assert {n: one.read(n) for n in one.namelist()} == {
                    n: other.read(n) for n in other.namelist()
                }
    with_nbgrader("--to=all.csv")  # the default: quoted CSV
    assert len(read(root / "all.csv")) == len(mixed()) + 1
    with pytest.raises(SystemExit):
        with_nbgrader(
            "--exporter=grading.nbgrader_plugins.CanvasExporter", "--CanvasExporter.source=no.csv"
        )
    assert "no.csv cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "value"),
    [("10", 10), ("10.5", 10.5), ("10,5", 10.5), ("1,000", 1000), ("12,345,678.90", 12345678.9),
     ("1,00", 1), ("0,125", 0.125), ("1.000,5", None), ("ten", None)],
)  # fmt: skip
def test_numbers_of_an_lms_are_read(text, value):
    assert as_number(text) == value


def test_a_page_goes_back_beside_the_notebook_not_beside_the_newest_file(tmp_path):
    names = ("doe_LATE_7_91_work.ipynb", "doe_7_90_work.ipynb", "doe_7_92_rnn_utils.py")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for name in names:
            archive.writestr(name, "{}")
    assert find_uploads(tmp_path) == {"7": "doe_LATE_7_91"}


def test_a_file_of_one_column_is_no_grade_book(tmp_path):
    path = tmp_path / "grades.csv"
    path.write_text("Student\nx\n", "utf-8")
    with pytest.raises(CourseError, match="is no grade book of Canvas"):
        GradeBook(read_sheet(path))
