"""What Canvas and Moodle make of the files that they are given, by the rules of their sources."""

import csv
import io
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

# --- Canvas. All of https://github.com/instructure/canvas-lms/blob/master/lib/gradebook_importer.rb
# but where another file is named.

TOTALS = re.compile(  # NON_ASSIGNMENT_COLUMN_HEADERS, anywhere in a title
    "Current Score|Current Points|Current Grade|Final Score|Final Points|Final Grade|"
    "Override Score|Override Grade|Override Status"
)


@dataclass
class CanvasCourse:
    """
    A course in Canvas.

    `users` holds the SIS id, login and name of each user, by number; `assignments` the full marks,
    by number; `attachments` the user and display name of each file handed in, by number.
    """

    users: dict[int, tuple[str, str, str]]
    assignments: dict[int, float]
    attachments: dict[int, tuple[int, str]] = field(default_factory=dict)

    def import_grades(self, path: Path) -> dict[int, dict[int, str]]:
        """Return the grades by user and assignment, as Grades > Import reads them."""
        text = path.read_bytes().decode("utf-8-sig")
        # identify_delimiter: of ; and , the one that gives the first three lines more fields
        counts = {}
        for sign in ";,":
            widths = {len(next(csv.reader([ln], delimiter=sign))) for ln in text.splitlines()[:3]}
            counts[sign] = widths.pop() if len(widths) == 1 else 0
        delimiter = ";" if counts[";"] > counts[","] else ","
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if any(row)]
        heading = rows[0]
        # row_has_student_headers?, update_column_count and last_student_info_column
        split = heading[:2] == ["LastName", "FirstName"]
        names = 2 if split else 1
        assert "ID" in heading[names] and len(heading) > names + 2
        assert split or "Student" in heading[0]
        info = names + 2  # with ID and Section
        sis, login = None, None
        if re.search(r"SIS\s+Login\s+ID", heading[names + 1]):
            login, info = names + 1, info + 1
        elif re.search(r"SIS\s+User\s+ID", heading[names + 1]):
            sis, login, info = names + 1, names + 2, info + 2
            for title in ("Integration ID", "Root Account"):  # behind the others, where there are
                info += heading[info - 1] == title
        assert "Section" in heading[info - 1]
        found: dict[int, dict[int, str]] = {}
        for at in range(info, len(heading)):
            if TOTALS.search(heading[at]):
                continue
            # Assignment.title_and_id, app/models/assignment.rb
            title = re.fullmatch(r"(.*)\s\((\d+)\)", heading[at])
            assert title and int(title[2]) in self.assignments, f"a new assignment: {heading[at]}"
            for row in rows[1:]:
                cells = [self.as_number(cell) for cell in row]
                if "Points Possible" in row[0]:  # process_pp, readonly_assignment?
                    assert not re.search(r"read\s+only", cells[at])
                    assert float(cells[at]) == self.assignments[int(title[2])]
                elif not all(re.fullmatch(r"\s*(Muted|Manual Posting.*)?\s*", c) for c in row):
                    user = self.find_user(row, names, sis, login)
                    found.setdefault(user, {})[int(title[2])] = cells[at].strip()
        return found

    @staticmethod
    def as_number(cell: str) -> str:
        """Return a number with a point, as the converter decimal_comma_to_period does."""
        if not re.fullmatch(r"-?[0-9.,]+%?", cell):
            return cell
        *whole, last = re.split("[,.]", cell)
        return f"{''.join(whole)}.{last}" if whole else last

    def find_user(self, row: list[str], names: int, sis: int | None, login: int | None) -> int:
        """Find a student by ID, then by the SIS ids, then by name: process_student."""
        if row[names] and int(row[names]) in self.users:
            return int(row[names])
        for at, which in ((sis, 0), (login, 1)):
            for user, about in self.users.items():
                if at is not None and row[at] and about[which] == row[at]:
                    return user
        name = f"{row[1]} {row[0]}".strip() if names == 2 else row[0]
        return next(user for user, about in self.users.items() if about[2] == name)

    def import_pages(self, path: Path) -> dict[int, dict[str, bytes]]:
        """
        Return the files that become comments, by user and by the name that Canvas shows.

        app/models/assignment.rb, infer_comment_context_from_filename: the first two parts between
        underscores that are digits are user and attachment; the name shown is the attachment's.
        """
        found: dict[int, dict[str, bytes]] = {}
        with zipfile.ZipFile(path) as archive:
            for member in archive.namelist():
                parts = Path(member).name.split("_")
                user, attachment = [int(part) for part in parts if re.fullmatch(r"\d+", part)][:2]
                assert not parts[-1].startswith("link")
                owner, shown = self.attachments[attachment]
                assert owner == user, f"Canvas ignores {member}"
                found.setdefault(user, {})[shown] = archive.read(member)
        return found


# --- Moodle. Below https://github.com/moodle/moodle/blob/MOODLE_405_STABLE/mod/assign/ ; titles
# from the language packs (assign.php, moodle.php, assignfeedback_comments.php).


@dataclass
class Language:
    """What Moodle says in a language, its decimal mark included."""

    recordid: str
    hiddenuser: str
    fullname: str
    status: str
    grade: str
    maxgrade: str
    scale: str
    gradecanbechanged: str
    lastmodifiedsubmission: str
    lastmodifiedgrade: str
    comments: str
    idnumber: str
    yes: str
    no: str
    decsep: str


LANGUAGES = {
    "en": Language(
        *("Identifier", "Participant ", "Full name", "Status", "Grade", "Maximum grade", "Scale"),
        *("Grade can be changed", "Last modified (submission)", "Last modified (grade)"),
        *("Feedback comments", "ID number", "Yes", "No", "."),
    ),
    "de": Language(
        *("ID", "Teilnehmer/in", "Vollständiger Name", "Status", "Bewertung", "Bestwertung"),
        *("Skala", "Bewertung kann geändert werden", "Zuletzt geändert (Abgabe)"),
        *("Zuletzt geändert (Bewertung)", "Feedback als Kommentar", "ID-Nummer", "Ja", "Nein", ","),
    ),
    "fr": Language(
        *("Identifiant", "Participant", "Nom complet", "Statut", "Note", "Note maximale", "Barème"),
        *("La note peut être modifiée", "Dernière modification (travail remis)"),
        *("Dernière modification (note)", "Feedback par commentaires", "Numéro d'identification"),
        *("Oui", "Non", ","),
    ),
    "es": Language(
        *("Identificador", "Participante", "Nombre completo", "Estado", "Calificación"),
        *("Calificación máxima", "Escala", "La calificación puede ser cambiada"),
        *("Última modificación (entrega)", "Última modificación (calificación)"),
        *("Comentarios de retroalimentación", "Número de ID", "Sí", "No", ","),
    ),
    "zh_cn": Language(
        *("识别码", "参与者", "姓名", "状态", "成绩", "最高成绩", "量表", "允许更改成绩"),
        *("最后修改（学生）", "最后修改（教师）", "评语反馈", "学号", "是", "否", "."),
    ),
}


@dataclass
class MoodleAssignment:
    """
    An assignment in Moodle.

    `participants` holds the user of each participant's number; `locked` the users whose grade is
    locked; `scale` the steps, where it is graded with one.
    """

    language: Language
    participants: dict[int, str]
    maximum: float = 100.0
    scale: list[str] = field(default_factory=list)
    locked: set[str] = field(default_factory=set)
    comments: bool = True
    workflow: bool = False

    def worksheet(
        self, about: dict[str, list[str]], grades: dict[str, str], rows=(), sign=","
    ) -> str:
        """
        Return the grading worksheet: gradingtable.php, the columns of a download.

        `about` holds ID number, e-mail address and full name of a user.
        """
        say = self.language
        heading = [say.recordid, say.fullname, say.idnumber, "E-Mail", say.status, say.grade]
        heading += [say.scale if self.scale else say.maxgrade]
        heading += ["Workflow"] if self.workflow else []
        heading += [
            say.gradecanbechanged,
            say.lastmodifiedsubmission,
            "Text",
            say.lastmodifiedgrade,
        ]
        heading += [say.comments] if self.comments else []
        most = "\n".join(self.scale) or f"{self.maximum:.2f}".replace(".", say.decsep)
        table = [heading]
        for number, user in self.participants.items():
            idnumber, address, name = about[user]
            row = [f"{say.hiddenuser}{number}", name, idnumber, address, "…", grades.get(user, "")]
            row += [most] + (["Released"] if self.workflow else [])
            row += [say.no if user in self.locked else say.yes, "-", "@text", "-"]
            table.append(row + ([""] if self.comments else []))
        buffer = io.StringIO()
        csv.writer(buffer, delimiter=sign).writerows([*table, *rows])
        return buffer.getvalue()

    def import_grades(self, path: Path, sign: str = ",") -> dict[str, tuple[float | str, str]]:
        """
        Return grade and comments by user: feedback/offline/importgradeslib.php and locallib.php.

        What is above the maximum, no step of the scale or locked is dropped without a word.
        """
        say = self.language
        with path.open(encoding="utf-8-sig", newline="") as file:
            heading, *rows = csv.reader(file, delimiter=sign)
        grade, record = heading.index(say.grade), heading.index(say.recordid)
        assert say.lastmodifiedgrade in heading
        found = {}
        for row in rows:
            user = self.participants.get(int(row[record][len(say.hiddenuser) :]))
            value: float | str = row[grade]
            if self.scale:
                value = value if value in self.scale else ""
            elif value:  # unformat_float, lib/moodlelib.php
                value = float(value.replace(" ", "").replace(say.decsep, "."))
                value = value if 0 <= value <= self.maximum else ""
            if user and value != "" and user not in self.locked:
                comments = row[heading.index(say.comments)] if self.comments else ""
                found[user] = (value, comments)
        return found

    def import_pages(self, path: Path) -> dict[str, dict[str, bytes]]:
        """Return the feedback files by user and name: feedback/file/importziplib.php."""
        found: dict[str, dict[str, bytes]] = {}
        with zipfile.ZipFile(path) as archive:
            for member in archive.namelist():
                parts = member.split("/")
                while parts:
                    info = parts.pop(0).split("_", 4)
                    if len(info) < 4 or not info[1].isdecimal():
                        continue
                    user = self.participants[int(info[1])]
                    assert info[2:4] == ["assignsubmission", "file"]
                    name = "/".join(filter(None, [*info[4:], *parts]))
                    found.setdefault(user, {})[name] = archive.read(member)
                    break
                else:
                    raise AssertionError(f"Moodle finds nobody for {member}")
        return found
