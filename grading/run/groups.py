"""Groups that hand in one notebook: who they are, and whose submission counts for all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from grading import CourseError
from grading.intake.submission import timezone_of, when
from grading.sheets import read_sheet
from grading.source.course import source_folder

GROUPS = "groups.csv"  # in the course folder


@dataclass
class Groups:
    """
    Whose submission counts for whom.

    Attributes
    ----------
    whose : dict
        For each student who is to be marked, the one whose submission it is: their own, as a rule.
    notes : dict
        What is told of each member of a group.
    undecided : dict
        Why nothing can be marked for some; these are not in `whose`.
    """

    whose: dict[str, str]
    notes: dict[str, str] = field(default_factory=dict)
    undecided: dict[str, str] = field(default_factory=dict)

    @property
    def to_tell(self) -> list[str]:
        """A line for each group of which several handed in."""
        return sorted({note for note in self.notes.values() if "does not count" in note})

    def with_all_members(self, students: list[str]) -> list[str]:
        """Return the students, and who gets a mark with them."""
        wanted = {self.whose.get(student, student) for student in students}
        return sorted({s for s, of in self.whose.items() if of in wanted} | set(students))


def find_groups(
    coursedir: CourseDirectory, config: Config, assignment: str, handed_in: list[str]
) -> Groups:
    """
    Find out whose submission counts for whom: in a group, the newest.

    Parameters
    ----------
    coursedir, config
        nbgrader's, of the course.
    assignment : str
    handed_in : list of str
        Who has a folder.

    Raises
    ------
    CourseError
        Where groups.csv cannot be read, or puts a student into two groups: the line.
    """
    timezone, submitted = timezone_of(config), coursedir.submitted_directory
    groups = Groups({student: student for student in handed_in})
    for members in read_groups(coursedir, assignment):
        times = {
            member: when(Path(coursedir.format_path(submitted, member, assignment)), timezone)
            for member in members
            if member in groups.whose
        }
        work = {m: time for m, (is_there, time) in times.items() if is_there} or {
            m: time for m, (_, time) in times.items()
        }
        of = f"the group of {', '.join(members)}"
        known = {m: time for m, time in work.items() if time is not None}
        newest = max(known, key=known.__getitem__, default=next(iter(work), ""))
        if len(work) > 1 and (len(known) < len(work) or len(set(known.values())) < len(work)):
            for member in members:
                groups.whose.pop(member, None)
                groups.undecided[member] = (
                    f"{' and '.join(work)} handed in for {of}, and timestamp.txt does not tell "
                    "which is the newest: take the other folders away"
                )
        elif newest:
            older = [member for member in work if member != newest]
            note = f"handed in by {newest} for {of}"
            note += f"; the older one of {' and '.join(older)} does not count" if older else ""
            groups.whose |= dict.fromkeys(members, newest)
            groups.notes |= dict.fromkeys(members, note)
    return groups


def read_groups(coursedir: CourseDirectory, assignment: str) -> Iterator[list[str]]:
    """Yield the members of each group of an assignment."""
    root = Path(coursedir.root)
    if not (root / GROUPS).exists():
        return
    try:
        rows = read_sheet(root / GROUPS).rows
    except CourseError:
        raise CourseError(
            f"{GROUPS} cannot be read: a line is ASSIGNMENT,STUDENT,STUDENT, saved as CSV in UTF-8"
        ) from None
    seen: set[str] = set()
    for number, row in enumerate(rows, 1):
        of, *members = (field.strip() for field in row)
        members = list(filter(None, members))
        if number == 1 and of.lower() == "assignment":
            continue  # the heading
        if not source_folder(coursedir, of).is_dir() and of != assignment:
            raise CourseError(f"{GROUPS}, line {number}: there is no assignment {of}")
        if of != assignment:
            continue
        twice = [m for n, m in enumerate(members) if m in seen or m in members[:n]]
        if twice:
            raise CourseError(f"{GROUPS}, line {number}: {twice[0]} is named twice")
        odd = [member for member in members if not is_folder_name(member)]
        if odd:
            raise CourseError(f"{GROUPS}, line {number}: {odd[0]!r} is no student's name or number")
        seen |= set(members)
        yield members


def is_folder_name(student: str) -> bool:
    """Tell whether a student's folders can be called so: beside those of the others."""
    odd = set(student) & set("/\\") or student.startswith((".", "="))
    return student.isprintable() and not odd
