"""Whose a file of a download is: told from its name only where that fits in one way."""

import logging
import zipfile

import pytest

from grading.intake.downloads import sort_out, whose

MOODLE = "_assignsubmission_file"


@pytest.mark.parametrize(
    ("path", "student"),
    [
        ("doejane_4242_98765_rnn.ipynb", "4242"),
        ("doejane_LATE_4242_98765_rnn-2.ipynb", "4242"),
        ("doejane_4242_LATE_98765_rnn.ipynb", "4242"),
        (f"Zoë O'Neill_12{MOODLE}_/rnn.ipynb", "12"),
        (f"Zoë O'Neill_12{MOODLE}_rnn.ipynb", "12"),
        # inside of Moodle's folder, all is the student's
        (f"Zoë O'Neill_12{MOODLE}_/roebob_7_8_rnn.ipynb", "12"),
        (f"Zoë O'Neill_12{MOODLE}_/Bob_7{MOODLE}_/rnn.ipynb", "12"),
    ],
)
def test_a_number_that_fits_in_one_way(path, student):
    assert whose(path)["id"] == student


@pytest.mark.parametrize(
    "path",
    [
        "mallory_4242_1_666_98765_rnn.ipynb",  # a name "Mallory_4242_1"
        "mallory_4242_666_98765_rnn.ipynb",
        "mallory_LATE_4242_666_98765_rnn.ipynb",
        "4242_1_666_98765_rnn.ipynb",
        "mallory_666_98765_4242_1_rnn.ipynb",  # his own file name
        f"mallory_4242{MOODLE}_x_666{MOODLE}_/rnn.ipynb",
        f"mallory_4242{MOODLE}_x_666{MOODLE}_rnn.ipynb",
        f"mallory_4242_1_x_666{MOODLE}_rnn.ipynb",
        f"mallory_666_1_x_4242{MOODLE}_rnn.ipynb",
    ],
)
def test_a_number_that_fits_in_more_ways_is_refused_with_a_line(path, tmp_path, caplog):
    with pytest.raises(ValueError, match=", ") as ambiguous:
        whose(path)
    archive, extracted, release = (tmp_path / name for name in ("archive", "out", "release/rnn"))
    for folder in (archive, extracted, release):
        folder.mkdir(parents=True)
    (release / "rnn.ipynb").write_text("{}")
    with zipfile.ZipFile(archive / "submissions.zip", "w") as download:
        download.writestr(path, "the attacker's")
        download.writestr("victim_4242_97000_rnn.ipynb", "the victim's")
        download.writestr('<img src="x" onerror=alert()>_55_97001_rnn.ipynb', "a third's")
    names = sort_out(archive, extracted, release, 10**6, "submitted/{}/rnn", logging.getLogger())
    assert names == {"4242": ("victim", ""), "55": ("img src=x onerror=alert()", "")}
    assert (extracted / "4242" / "rnn.ipynb").read_text() == "the victim's"
    (line,) = [each for each in caplog.messages if path in each]
    assert "more than one way" in line
    ways = str(ambiguous.value).split(", ")
    folders = " or ".join(f"submitted/{number}/rnn" for number in ways)
    assert line.endswith(f"and copy it into {folders} by hand, as rnn.ipynb.")


def test_a_folder_that_is_a_link_is_left_out_with_a_line(tmp_path, caplog):
    archive, extracted, release = (tmp_path / name for name in ("archive", "out", "release/rnn"))
    for folder in (archive, extracted, release, tmp_path / "elsewhere"):
        folder.mkdir(parents=True)
    (release / "rnn.ipynb").write_text("{}")
    (tmp_path / "elsewhere" / "doejane_4242_98765_rnn.ipynb").write_text("hers")
    (archive / "week 1").symlink_to(tmp_path / "elsewhere")
    assert sort_out(archive, extracted, release, 10**6, "{}", logging.getLogger()) == {}
    assert caplog.messages == ["Left out week 1: not a plain file. Ask for the notebook itself."]
