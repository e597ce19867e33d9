"""Points, extra credit and comments that a person gives after marking come back on the page."""

import csv
import zipfile
from pathlib import Path

import pytest
from assignments import function, hand_in, manual, notebook, write
from nbgrader.api import Gradebook
from test_several_notebooks import NAME, RIGHT

from grading.cli import app
from grading.exports.moodle import WORKSHEET_COLUMNS
from grading.run.run import alone
from grading.source import enter_course

MARKED, OTHER = "4240", "4241"
NEW = "1 got new pages"


def run(*arguments: str) -> None:
    """Run a command as on the command line."""
    app(list(arguments), standalone_mode=False)


@pytest.fixture(scope="module")
def marked(tmp_path_factory) -> Path:
    """A course in which two students have been marked."""
    root = tmp_path_factory.mktemp("by_hand")
    first = notebook("Doubles", function("double", "2 * x", 10), manual())
    write(root, NAME, first=first, second=notebook("Squares", function("square", "x**2", 20)))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        run("release", NAME)
        for student in (MARKED, OTHER):
            hand_in(root, NAME, student, RIGHT)
        run("grade", NAME, "--quiet")
        return root


@pytest.fixture
def course(marked, monkeypatch) -> Path:
    monkeypatch.chdir(marked)
    return marked


def give(course: Path, points: float, extra: float = 0.0, comment: str = "") -> None:
    """Give points, extra credit and a comment, as formgrader does."""
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        grade = book.find_grade("why", "first", NAME, MARKED)
        grade.manual_score, grade.extra_credit = points, extra
        grade.needs_manual_grade = False
        book.find_comment("why", "first", NAME, MARKED).manual_comment = comment
        book.db.commit()


def pages(course: Path, student: str) -> dict[str, Path]:
    """Return a student's pages, by notebook."""
    return {path.stem: path for path in (course / "feedback" / student / NAME).glob("*.html")}


def texts(course: Path, student: str) -> dict[str, str]:
    return {name: path.read_text("utf-8") for name, path in pages(course, student).items()}


def export(course: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Export for Moodle; return grades by participant, and pages by their paths in the zip."""
    source, folder = course / "worksheet.csv", course / "reports" / NAME / "export"
    rows = [
        [f"Participant {n}", "A Name", "", "Submitted", "", "42.00", "Yes", "-", "-", ""]
        for n in (MARKED, OTHER)
    ]
    with source.open("w", newline="") as file:
        csv.writer(file).writerows([WORKSHEET_COLUMNS, *rows])
    run("export", NAME, "--to", "moodle", "--from", str(source))
    with (folder / "moodle.csv").open(encoding="utf-8-sig", newline="") as file:
        grades = {row["Identifier"].split()[1]: row["Grade"] for row in csv.DictReader(file)}
    archive = folder / "moodle_feedback.zip"
    if not archive.exists():
        return grades, {}
    with zipfile.ZipFile(archive) as held:
        return grades, {name: held.read(name).decode() for name in held.namelist()}


def test_a_run_with_nothing_to_mark_makes_older_pages_anew(course, capsys):
    give(course, 3.5)
    run("grade", NAME)
    capsys.readouterr()
    before = {path: path.stat() for path in pages(course, OTHER).values()}
    certificates = sorted((course / "reports" / NAME / "certificates").glob("*.json"))
    held = [path.read_bytes() for path in certificates]
    give(course, 2.5, 6.0, "Well *argued*.")
    run("grade", NAME)
    told = capsys.readouterr().out
    assert "0 marked" in told and NEW in told
    made = texts(course, MARKED)
    assert "<strong>18.5</strong> of 22 points in this notebook" in made["first"]
    assert "<em>argued</em>" in made["first"]
    assert all("38.5" in text for text in made.values())  # each says what all of them give
    assert {path: path.stat() for path in before} == before
    assert [path.read_bytes() for path in certificates] == held
    run("grade", NAME)
    assert "new pages" not in capsys.readouterr().out


def test_pages_are_those_of_nbgrader_itself(course):
    give(course, 1.0, 0.5, "See me.")
    run("grade", NAME, "--quiet")
    ours = texts(course, MARKED)
    assert enter_course().generate_feedback(NAME, MARKED, force=True)["success"]
    assert texts(course, MARKED) == ours


@pytest.mark.parametrize("button", ["autograde", "generate_feedback"])
def test_a_button_pressed_beside_a_run_changes_nothing_and_says_one_line(course, button):
    """Stock takes a student's folder of pages away first: the run could not show its own."""
    before = {path: path.stat() for path in pages(course, MARKED).values()}
    server = enter_course()
    with alone(server.coursedir):
        answer = getattr(server, button)(NAME, MARKED, force=True)
    line = "another run is at work in this course; wait until it has ended"
    assert answer == {"success": False, "log": f"[ERROR] {line}\n"}
    assert {path: path.stat() for path in before} == before


def test_an_export_takes_no_page_that_is_older_than_the_mark(course, capsys):
    give(course, 4.0, 2.0, "A *fine* answer.")
    grades, archive = export(course)
    assert grades == {MARKED: "36", OTHER: "30"}
    (page,) = [t for n, t in archive.items() if MARKED in n and n.endswith("/first.html")]
    assert "<strong>16</strong> of 22 points in this notebook" in page
    assert "<em>fine</em>" in page
    assert page == texts(course, MARKED)["first"]
    capsys.readouterr()
    run("grade", NAME)
    assert "new pages" not in capsys.readouterr().out


def test_a_page_that_is_gone_is_made_again(course, capsys):
    pages(course, MARKED)["second"].unlink()
    run("grade", NAME)
    assert NEW in capsys.readouterr().out
    assert set(pages(course, MARKED)) == {"first", "second"}


def test_what_cannot_be_made_anew_is_told_and_goes_nowhere(course, capsys, monkeypatch):
    """The mark does; and the certificate stays, for nothing is wrong with the marking."""
    give(course, 0.5)

    def fail(*_: object) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr("grading.run.files.write_part", fail)
        patch.setattr("grading.run.renew.write_parts", fail)
        with pytest.raises(Exception, match="could not be marked"):
            run("grade", NAME)
        said = capsys.readouterr()
        assert f"{MARKED}: its page could not be made anew: OSError: no space left" in said.err
    marked = course / "autograded" / MARKED / NAME / "first.ipynb"
    held = marked.read_bytes()
    marked.write_text("{}")
    grades, archive = export(course)
    assert grades[MARKED] == "30.5"
    assert archive and not any(MARKED in name for name in archive)
    said = " ".join(capsys.readouterr().out.split())
    assert "without a page: theirs is older than the grade book, and cannot be made anew" in said
    marked.write_bytes(held)
    _, archive = export(course)
    assert any(MARKED in name for name in archive)
