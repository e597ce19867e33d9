"""Downloads of Canvas and Moodle, collected with stock `nbgrader zip_collect`."""

import logging
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from nbgrader.api import Base, Gradebook
from nbgrader.apps.zipcollectapp import ZipCollectApp
from scratch import nbgrader
from sqlalchemy import create_engine

from grading.intake.downloads import whose
from grading.intake.notes import printable

ASSIGNMENT = "rnn_lstm_forward"
MOODLE = "Zoë O'Neill_1234567_assignsubmission_file"
CONFIG = """
c.ZipCollectApp.extractor_plugin = "grading.nbgrader_plugins.SubmissionExtractor"
c.ZipCollectApp.collector_plugin = "grading.nbgrader_plugins.SubmissionCollector"
c.CourseDirectory.max_file_size = 100  # kB
"""


class Course:
    """A course with one released notebook, and downloads to collect."""

    def __init__(self, root: Path, log: logging.Handler):
        self.root = root
        self.log = log
        self.release = root / "release" / ASSIGNMENT
        self.archive = root / "downloaded" / ASSIGNMENT / "archive"
        self.release.mkdir(parents=True)
        self.archive.mkdir(parents=True)
        (self.release / f"{ASSIGNMENT}.ipynb").write_text("{}")
        self.gradebook = f"sqlite:///{root}/gradebook.db"
        # As nbgrader makes it, without the seconds that its stamp takes.
        Base.metadata.create_all(create_engine(self.gradebook))
        (root / "nbgrader_config.py").write_text(CONFIG)

    def download(self, files: dict, name: str = "submissions.zip") -> Path:
        """Write a zip with these files, as the LMS would."""
        path = self.archive / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, content in files.items():
                archive.writestr(member, content)
        return path

    def collect(self, *options: str) -> dict[str, str]:
        """Run zip_collect; return what stands in submitted/ now."""
        app = ZipCollectApp()
        app.initialize([ASSIGNMENT, *options])
        app.log.addHandler(self.log)
        app.start()
        files = (self.root / "submitted").rglob("*")
        return {
            file.relative_to(self.root / "submitted").as_posix(): file.read_text()
            for file in files
            if file.is_file()
        }


@pytest.fixture
def course(tmp_path, monkeypatch, caplog) -> Course:
    monkeypatch.chdir(tmp_path)
    return Course(tmp_path, caplog.handler)


@pytest.fixture
def complaints(caplog) -> Callable[[], list[str]]:
    """The lines that ask the instructor to look at something."""
    return lambda: [
        record.getMessage()
        for record in caplog.records
        if record.levelname == "WARNING" and "Directory not found" not in record.getMessage()
    ]


def submitted(notebooks: dict[str, str]) -> dict[str, str]:
    """What `Course.collect` returns for these students' notebooks."""
    return {
        f"{student}/{ASSIGNMENT}/{ASSIGNMENT}.ipynb": text for student, text in notebooks.items()
    }


@pytest.mark.parametrize(
    ("path", "student"),
    [
        # Canvas
        ("doejane_4242_98765_rnn_lstm_forward.ipynb", "4242"),
        ("doejane_LATE_4242_98765_rnn_lstm_forward.ipynb", "4242"),
        ("doejane_4242_LATE_98765_rnn_lstm_forward.ipynb", "4242"),
        ("doe--jane_late_4242_98765_rnn_lstm_forward.ipynb", "4242"),
        ("doejane_4242_98765_rnn_lstm_forward-2.ipynb", "4242"),
        ("doejane_4242_98765_rnn_lstm_forward (1).ipynb", "4242"),
        ("doejane_4242_98765_my solution.IPYNB", "4242"),
        ("doejane_4242_98765_rnn_lstm_forward.ipynb.txt", "4242"),
        ("de_la_cruz_4242_98765_3-4_homework.ipynb", "4242"),
        ("projectgroup12_4242_98765_homework.ipynb", "4242"),
        ("_4242_98765_homework.ipynb", "4242"),
        # Moodle
        (MOODLE + "/my solution.ipynb", "1234567"),
        (MOODLE + "_/my solution.ipynb", "1234567"),
        (MOODLE + "_my solution.ipynb", "1234567"),
        (MOODLE + "_/week 3/my solution.ipynb", "1234567"),
        ("CS101 RNN/" + MOODLE + "_/my solution.ipynb", "1234567"),
        ("O'Neill, Zoë_van_1234567_assignsubmission_file_x.ipynb", "1234567"),
        ("李 伟_1234567_assignsubmission_file_/作业.ipynb", "1234567"),
        ("Team A-علی رضا_1234567_assignsubmission_file_/x.ipynb", "1234567"),
        ("Participant_1234567_assignsubmission_file_/x.ipynb", "1234567"),
        # A student's own file name in a folder that looks like a classmate's
        (MOODLE + "_/Bob_7_assignsubmission_file_x.ipynb", "1234567"),
        (MOODLE + "_/roebob_7_8_x.ipynb", "1234567"),
        # Names that reach for something else
        ("../../../doejane_4242_98765_x.ipynb", "4242"),
        ("/etc/doejane_4242_98765_x.ipynb", "4242"),
        ("doejane_4242_98765_..\\..\\x.ipynb", "4242"),
        ("line\nbreak\x1b[31m_4242_98765_x.ipynb", "4242"),
        (f"doejane_4242_98765_{'x' * 300}.ipynb", "4242"),
        (f"doejane_4242_98765_x-{'9' * 5000}.ipynb", "4242"),
    ],
)
def test_whose_it_is(path, student):
    assert whose(printable(path))["id"] == student


@pytest.mark.parametrize(
    "path",
    [
        "de_la_cruz_4242_98765_3_4_homework.ipynb",
        "doejane_4242_98765_roebob_7_8_x.ipynb",
        "doejane_4242_98765_Bob_7_assignsubmission_file_x.ipynb",
        MOODLE + "_Bob_7_assignsubmission_file_x.ipynb",
    ],
)
def test_what_can_be_read_in_two_ways_is_nobodys(path):
    with pytest.raises(ValueError, match=r"(4242|1234567), "):
        whose(path)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("doe--jane_late_4242_98765_x.ipynb", "doe--jane"),
        ("doejane_4242_LATE_98765_x.ipynb", "doejane"),
        ("O'Neill, Zoë_van_1234567_assignsubmission_file_x.ipynb", "O'Neill, Zoë_van"),
        ("CS101/李 伟_1234567_assignsubmission_file_/x.ipynb", "李 伟"),
    ],
)
def test_what_they_are_called(path, name):
    assert whose(path)["name"] == name


def test_a_canvas_class(course, complaints):
    course.download(
        {
            "doejane_101_9001_rnn_lstm_forward.ipynb": "plain",
            "roebob_LATE_102_9002_rnn_lstm_forward-1.ipynb": "late",
            "obrienzo_103_9003_rnn_lstm_forward (1).ipynb": "copy",
            "liwei_104_9004_my solution.ipynb": "first Li Wei",
            "liwei_105_9005_my solution.ipynb": "second Li Wei",
            "yildiz_106_9006_RNN_LSTM_Forward.IPYNB": "capitals",
            "novak_107_9007_rnn_lstm_forward.ipynb.txt": "browser",
        }
    )
    assert course.collect() == submitted(
        {
            "101": "plain",
            "102": "late",
            "103": "copy",
            "104": "first Li Wei",
            "105": "second Li Wei",
            "106": "capitals",
            "107": "browser",
        }
    )
    assert complaints() == []


@pytest.mark.parametrize("form", ["_/", "/", "_"])
def test_a_moodle_class(course, complaints, form):
    course.download(
        {
            f"Zoë O'Neill_1234567_assignsubmission_file{form}rnn_lstm_forward.ipynb": "Zoë",
            f"李 伟_1234568_assignsubmission_file{form}作业 final.ipynb": "李",
            f"van_der_Berg, Jan_1234569_assignsubmission_file{form}a_b_1-2_c.ipynb": "Jan",
        },
        "CS101-RNN and LSTM-77.zip",
    )
    assert course.collect() == submitted({"1234567": "Zoë", "1234568": "李", "1234569": "Jan"})
    assert complaints() == []


def test_unpacked_downloads(course, complaints):
    folder = course.archive / f"{MOODLE}_"
    folder.mkdir()
    (folder / "my solution.ipynb").write_text("Zoë")
    (course.archive / "doejane_101_9001_rnn_lstm_forward.ipynb").write_text("Jane")
    assert course.collect() == submitted({"1234567": "Zoë", "101": "Jane"})
    assert complaints() == []


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("a_1_10_rnn_lstm_forward.ipynb", "a_1_11_rnn_lstm_forward.ipynb"),
        ("a_1_9_rnn_lstm_forward-1.ipynb", "a_1_10_rnn_lstm_forward-2.ipynb"),
        ("a_1_9_rnn_lstm_forward-9.ipynb", "a_1_9_rnn_lstm_forward-10.ipynb"),
        ("a_1_9_rnn_lstm_forward (1).ipynb", "a_1_9_rnn_lstm_forward-1.ipynb"),
        ("a_1_9_rnn_lstm_forward (2)-1.ipynb", "a_1_9_rnn_lstm_forward (1)-2.ipynb"),
        ("a_1_9_mine.ipynb", "a_1_10_mine-1.ipynb"),
        (f"{MOODLE}_/rnn_lstm_forward.ipynb", f"{MOODLE}_/rnn_lstm_forward (1).ipynb"),
        (f"{MOODLE}_rnn_lstm_forward-3.ipynb", f"{MOODLE}_rnn_lstm_forward-20.ipynb"),
    ],
)
def test_the_newest_counts(course, complaints, older, newer):
    course.download({newer: "newer", older: "older"})
    assert list(course.collect().values()) == ["newer"]
    assert complaints() == [f"Left out {older}: {newer} is newer and counts."]


def test_the_released_name_counts(course, complaints):
    name = f"{MOODLE}_/old attempt.ipynb"
    course.download({name: "old", f"{MOODLE}_/rnn_lstm_forward.ipynb": "right"})
    assert course.collect() == submitted({"1234567": "right"})
    (line,) = complaints()
    assert name in line and "rename it" in line


@pytest.mark.parametrize(
    "names",
    [
        [f"{MOODLE}_/draft.ipynb", f"{MOODLE}_/final.ipynb"],
        ["a_1234567_9_draft.ipynb", "a_1234567_10_final.ipynb"],
    ],
)
def test_nothing_is_guessed(course, complaints, names):
    course.download({name: name for name in names})
    assert course.collect() == {}
    lines = complaints()
    for name in names:
        assert any(name in line and f"/1234567/{ASSIGNMENT}/{ASSIGNMENT}" in line for line in lines)


@pytest.mark.parametrize("again", ["same", "different"])
def test_two_downloads(course, again):
    for name, content in [("submissions.zip", "same"), ("submissions (1).zip", again)]:
        course.download({f"{MOODLE}_/rnn_lstm_forward.ipynb": content}, name)
    assert course.collect() == (submitted({"1234567": "same"}) if again == "same" else {})


def test_several_released_notebooks(course, complaints):
    for name in [f"{ASSIGNMENT}-2", "not handed in"]:
        (course.release / f"{name}.ipynb").write_text("{}")
    course.download(
        {
            f"a_1_9_{ASSIGNMENT}-1.ipynb": "one",
            f"a_1_9_{ASSIGNMENT}-2.ipynb": "two",
            f"a_1_9_{ASSIGNMENT}-2 (1).ipynb": "two, newer",
            "a_1_9_other.ipynb": "?",
        }
    )
    folder = f"1/{ASSIGNMENT}/{ASSIGNMENT}"
    assert course.collect() == {f"{folder}.ipynb": "one", f"{folder}-2.ipynb": "two, newer"}
    assert len(complaints()) == 2


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("doejane_101_9001_helper.py", "x", "not a notebook"),
        ("doejane_101_9001_report.pdf", "x", "not a notebook"),
        ("doejane_101_9001_data.csv.gz", "x", "not a notebook"),
        ("doejane_101_9001_.ipynb.pdf", "x", None),
        (f"{MOODLE}_/figures/plot.png", "x", "not a notebook"),
        ("Zoë_1234567_assignsubmission_onlinetext_/onlinetext.html", "x", "not a notebook"),
        ("doejane_101_9001_work.zip", "x", "student's zip"),
        ("rnn_lstm_forward.ipynb", "x", "whose it is"),
        ("doejane_101_rnn_lstm_forward.ipynb", "x", "whose it is"),
        ("doejane_٤٢_٤٣_rnn_lstm_forward.ipynb", "x", "whose it is"),
        ("Zoë_٤٢_assignsubmission_file_x.ipynb", "x", "whose it is"),
        ("doejane_101_9001_rnn_lstm_forward.ipynb", "x" * 100_001, "max_file_size"),
        ("__MACOSX/._doejane_101_9001_rnn_lstm_forward.ipynb", "x", None),
        (f"{MOODLE}_/.ipynb_checkpoints/rnn_lstm_forward-checkpoint.ipynb", "x", None),
        (f"{MOODLE}_/._rnn_lstm_forward.ipynb", "x", None),
        (".DS_Store", "x", None),
    ],
)
def test_what_is_left_out(course, complaints, name, content, words):
    """One line for each file, none for what a computer left behind."""
    course.download({name: content, "roebob_7_8_rnn_lstm_forward.ipynb": "right"})
    assert course.collect() == submitted({"7": "right"})
    lines = [line for line in complaints() if line.startswith("Left out ")]
    if words:
        (line,) = lines
        assert name in line and words in line
    else:
        assert lines == []


def test_a_student_with_nothing_to_grade(course, complaints):
    course.download({f"{MOODLE}_/report.pdf": "x"})
    assert course.collect() == {}
    assert "Zoë O'Neill (1234567): no notebook to grade. Ask for it." in complaints()


def test_hostile_members(course, complaints):
    """Nothing lands outside, nothing stops the run, each has its line."""
    link = zipfile.ZipInfo("link_1_9_rnn_lstm_forward.ipynb")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    sealed = zipfile.ZipInfo("sealed_2_9_rnn_lstm_forward.ipynb")
    sealed.external_attr = stat.S_IFREG << 16
    path = course.download(
        {
            link: "/etc/passwd",
            sealed: "no permissions",
            "../../../up_3_9_rnn_lstm_forward.ipynb": "up",
            "/root_4_9_rnn_lstm_forward.ipynb": "root",
            "line\nbreak\x1b[31m_5_9_rnn_lstm_forward.ipynb": "codes",
            "line\nbreak\x1b[31m_5_9_plot.png": "codes",
            f"long_6_9_{'x' * 5000}.ipynb": "long",
            f"high_13_9_x({'9' * 5000}).ipynb": "high",
            f"high_14_9_x-{'9' * 5000}.ipynb": "higher",
            f"{'d/' * 3000}deep_7_9_x.ipynb": "deep",
            "clash_8_9_x": "a file",
            "clash_8_9_x/clash_8_9_x.ipynb": "in a folder of its name",
            "folder_10_9_x.ipynb/": "",
            "damaged_11_9_rnn_lstm_forward.ipynb": "damaged" * 3,
            "secret_12_9_rnn_lstm_forward.ipynb": "secret",
        }
    )
    content = path.read_bytes()
    start = content.index(b"damaged_11_9_rnn_lstm_forward.ipynb") + 35
    content = content[:start] + b"\xff\xff" + content[start + 2 :]
    start = content.rindex(b"PK\x01\x02", 0, content.rindex(b"secret_12_9"))
    content = content[: start + 8] + b"\x01" + content[start + 9 :]  # "encrypted"
    path.write_bytes(content)

    before = {file for file in course.root.parent.rglob("*") if file.is_file()}
    assert course.collect() == submitted(
        {"2": "no permissions", "3": "up", "4": "root", "5": "codes", "6": "long", "7": "deep"}
        | {"8": "in a folder of its name", "13": "high", "14": "higher"}
    )
    after = {file for file in course.root.parent.rglob("*") if file.is_file()}
    assert all({"submitted", "extracted"} & set(file.parts) for file in after - before)
    lines = complaints()
    for words in ["link_1_9", "clash_8_9_x: not a notebook", "damaged_11_9", "secret_12_9"]:
        assert any(words in line for line in lines)
    assert all(line.isprintable() for line in lines)
    assert not any("folder_10_9" in line for line in lines)


def test_a_student_cannot_hand_in_for_another(course):
    """A zip in the download is a student's, whatever its files are called."""
    inner = course.download({"roebob_7_9_rnn_lstm_forward.ipynb": "forged"}, "inner.zip")
    for prefix in ["doejane_101_9001_", f"{MOODLE}_", f"{MOODLE}_/", ""]:
        course.download({f"{prefix}work.zip": inner.read_bytes()}, f"download {prefix[:1]}.zip")
    (course.archive / f"{MOODLE}_").mkdir()
    (course.archive / f"{MOODLE}_" / "work.zip").write_bytes(inner.read_bytes())
    inner.unlink()
    assert course.collect() == {}


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04" + b"\0" * 100])
def test_a_damaged_download(course, complaints, content):
    (course.archive / "submissions.zip").write_bytes(content)
    assert course.collect() == {}
    assert any("submissions.zip" in line and "Download it again" in line for line in complaints())


def test_links_in_an_unpacked_download(course, complaints):
    outside = course.root / "secret.ipynb"
    outside.write_text("secret")
    name = "doejane_101_9001_rnn_lstm_forward.ipynb"
    (course.archive / name).symlink_to(outside)
    assert course.collect() == {}
    assert f"Left out {name}: not a plain file. Ask for the notebook itself." in complaints()


def test_nothing_released(course, caplog):
    (course.release / f"{ASSIGNMENT}.ipynb").unlink()
    course.download({"doejane_101_9001_rnn_lstm_forward.ipynb": "x"})
    with pytest.raises(SystemExit):
        course.collect()
    assert f"nbgrader generate_assignment {ASSIGNMENT}" in caplog.text


def test_names_in_the_grade_book(course):
    with Gradebook(course.gradebook) as gradebook:
        gradebook.add_student("101", last_name="Doe", first_name="Jane")
        gradebook.add_student("102")
    course.download(
        {
            "doejane_101_9_x.ipynb": "known",
            "roebob_102_9_x.ipynb": "without a name",
            'Zoë, Anna, "Zo" O\'Neill_103_assignsubmission_file_/x.ipynb': "commas",
            "_104_9_x.ipynb": "nameless",
            "nothing_105_9_x.pdf": "no notebook",
        }
    )
    course.collect()
    with Gradebook(course.gradebook) as gradebook:
        assert {s.id: (s.last_name, s.first_name) for s in gradebook.students} == {
            "101": ("Doe", "Jane"),
            "102": ("roebob", ""),
            "103": ("Zoë", "Anna, Zo O'Neill"),  # formgrader shows it as it stands here
            "104": ("104", ""),
        }


def test_a_grade_book_that_does_not_open(course, complaints):
    (course.root / "gradebook.db").write_bytes(b"no database" * 100)
    course.download({"doejane_101_9_x.ipynb": "right"})
    assert course.collect() == submitted({"101": "right"})
    assert any("did not take the students' names" in line for line in complaints())


def test_after_a_resubmission(course):
    for name in ["a_1_9_rnn_lstm_forward.ipynb", "a_1_10_rnn_lstm_forward-1.ipynb"]:
        course.download({name: name})
        assert course.collect("--force") == submitted({"1": name})


def test_on_the_command_line(course):
    course.download({"a_1_9_x.ipynb": "right", "odd\n\x1b[31m.gz": "x"})
    said = nbgrader(course.root, "zip_collect", ASSIGNMENT)
    assert "exit" not in said and "Traceback" not in said
    assert (course.root / "submitted/1" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb").read_text() == "right"
