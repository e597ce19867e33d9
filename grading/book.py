"""nbgrader's grade book: the only place that reads it, and that writes marks into it."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from itertools import product

from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    GradeCell,
    MissingEntry,
    Notebook,
    SolutionCell,
    SourceCell,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
    TaskCell,
    new_uuid,
)
from nbgrader.dbutil import ALEMBIC_DIR
from sqlalchemy import ColumnElement, and_, insert, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Query, Session

from grading import CourseError, typed
from grading.entries import (
    CellGrade,
    Class,
    Entry,
    LatePenalty,
    NewMarks,
    Place,
    enter_penalty,
    has_to_look,
)

# By these nbgrader looks up what belongs to a submission, in tables that have no index of them.
INDEXES = {"grade": "notebook_id", "comment": "notebook_id", "submitted_notebook": "assignment_id"}
REMOVED = "what was handed in was removed from it meanwhile"


class Book:
    """
    The grade book of a course, with one connection for a whole run.

    Parameters
    ----------
    gradebook : Gradebook
        nbgrader's, open.
    """

    def __init__(self, gradebook: Gradebook) -> None:
        self.gradebook = gradebook

    def query(self, *columns: object) -> Query:
        """Begin to ask the database."""
        return self.gradebook.db.query(*columns)

    def published_cells(self, assignment: str) -> dict[Place, SourceCell]:
        """Return the cells as they were published; {} before the first time."""
        self.gradebook.db.expire_all()  # nbgrader may have published through another connection
        try:
            notebooks = self.gradebook.find_assignment(assignment).notebooks
        except MissingEntry:
            return {}
        return {Place(each.name, c.name): c for each in notebooks for c in each.source_cells}

    def match_cells(
        self, notebook: str, assignment: str, cells: Mapping[str, Mapping[str, dict]]
    ) -> None:
        """
        Know the same cells as a source notebook of which something was handed in.

        nbgrader refuses to publish again where a cell has come or gone since. A cell that has
        gone takes along what was entered for it; all else stays.

        Parameters
        ----------
        notebook, assignment : str
        cells : mapping
            For each kind ("grade", "solution", "task", "source") what nbgrader has to know of
            the cells, by their names.
        """
        try:
            known = self.gradebook.find_notebook(notebook, assignment)
        except MissingEntry:
            return
        if not known.submissions:
            return  # nbgrader begins anew
        for kind, wanted in cells.items():
            held = {cell.name: cell for cell in getattr(known, f"{kind}_cells")}
            for name in held.keys() - wanted.keys():
                if kind != "source":
                    for entered in (Grade, Comment):
                        self.query(entered).filter(entered.cell_id == held[name].id).delete()
                self.gradebook.db.delete(held[name])
            self.gradebook.db.commit()
            add = getattr(self.gradebook, f"update_or_create_{kind}_cell")
            for name in wanted.keys() - held.keys():
                add(name, notebook, assignment, **wanted[name])

    def match_submissions(self, notebook: str, assignment: str) -> None:
        """Let each submission have a place for all that is to be entered for a notebook."""
        known, db = self.gradebook.find_notebook(notebook, assignment), self.gradebook.db
        of_this = SubmittedNotebook.notebook_id == known.id
        there = {each for (each,) in self.query(SubmittedNotebook.assignment_id).filter(of_this)}
        of_assignment = SubmittedAssignment.assignment_id == known.assignment.id
        for (submission,) in self.query(SubmittedAssignment.id).filter(of_assignment):
            if submission not in there:
                db.add(SubmittedNotebook(notebook_id=known.id, assignment_id=submission))
        db.flush()
        submitted = [each for (each,) in self.query(SubmittedNotebook.id).filter(of_this)]
        graded = [cell.id for cell in (*known.grade_cells, *known.task_cells)]
        answered = [cell.id for cell in (*known.solution_cells, *known.task_cells)]
        for entered, cells in [(Grade, graded), (Comment, answered)]:
            places = self.query(entered.notebook_id, entered.cell_id)
            places = places.filter(entered.cell_id.in_(cells))
            missing = set(product(submitted, cells)) - {tuple(each) for each in places}
            db.add_all(entered(notebook_id=each, cell_id=cell) for each, cell in missing)
        db.commit()

    def remove_notebooks(self, assignment: str, kept: Collection[str]) -> None:
        """Forget the notebooks that are no longer part of an assignment, and their marks."""
        for notebook in list(self.gradebook.find_assignment(assignment).notebooks):
            if notebook.name not in kept:
                self.gradebook.remove_notebook(notebook.name, assignment)

    def published_points(self, assignment: str) -> dict[Place, float]:
        """Return the points of each graded cell as they were published, in no particular order."""
        return {
            Place(notebook.name, cell.name): cell.max_score
            for notebook in self.gradebook.find_assignment(assignment).notebooks
            for cell in (*notebook.grade_cells, *notebook.task_cells)
        }

    # A class

    def read_class(self, assignment: str) -> Class:
        """
        Read all that the grade book holds of an assignment, with a few queries for any class.

        Raises
        ------
        CourseError
            Where the grade book does not know the assignment.
        """
        try:
            known = self.gradebook.find_assignment(assignment)
        except MissingEntry:
            raise CourseError(
                f"{assignment} is not in the grade book: run `{typed.command()} grade {assignment}`"
            ) from None
        max_points = self.published_points(assignment)
        entries = self._students(known)
        self._read_grades(known, entries)
        return Class(assignment, known.duedate, max_points, entries)

    def read_entry(self, assignment: str, student: str) -> Entry:
        """
        Read what the grade book holds of one student's submission.

        Raises
        ------
        CourseError
            Where it holds nothing of it.
        """
        try:
            submission = self.gradebook.find_submission(assignment, student)
        except MissingEntry:
            raise CourseError(
                f"{student}: the grade book holds nothing of {assignment}: run"
                f" `{typed.command()} grade {assignment}`"
            ) from None
        entry = about(submission.student)
        entry.handed_in, entry.timestamp = True, submission.timestamp
        self._read_grades(submission.assignment, {student: entry})
        return entry

    def students(self) -> list[Entry]:
        """Return every student in the grade book, without marks."""
        return [about(student) for student in self.gradebook.students]

    def _students(self, known: Assignment) -> dict[str, Entry]:
        columns = [Student.id, Student.last_name, Student.first_name, Student.email]
        of_this = and_(
            SubmittedAssignment.student_id == Student.id,
            SubmittedAssignment.assignment_id == known.id,
        )
        rows = self.query(*columns, Student.lms_user_id, SubmittedAssignment)
        entries = {}
        rows = rows.outerjoin(SubmittedAssignment, of_this).order_by(Student.id)
        for student, last, first, email, number, submission in rows:
            names = last or "", first or "", email or "", number or ""
            entry = entries[student] = Entry(student, *names)
            if submission is not None:
                entry.handed_in, entry.timestamp = True, submission.timestamp
                if known.duedate:
                    entry.seconds_late = float(submission.total_seconds_late)
        return entries

    def _read_grades(self, known: Assignment, entries: Mapping[str, Entry]) -> None:
        """Enter points, penalties and comments of these students."""
        of_this = SubmittedAssignment.assignment_id == known.id
        if len(entries) == 1:
            of_this &= SubmittedAssignment.student_id == next(iter(entries))
        student, penalty = SubmittedAssignment.student_id, SubmittedNotebook.late_submission_penalty
        late = self._of_notebooks(student, Notebook.name, penalty)
        for who, notebook, points in late.filter(of_this, penalty > 0):
            entries[who].penalties[notebook] = points
        self._read_marks(of_this, entries)

    def _read_marks(self, of_this: ColumnElement[bool], entries: Mapping[str, Entry]) -> None:
        """Enter points and comments of these students."""
        where = [SubmittedAssignment.student_id, Notebook.name, BaseCell.name]
        grade = [Grade.score, Grade.auto_score, Grade.needs_manual_grade, Grade.manual_score]
        for who, notebook, cell, *held in self._of_cells(Grade, [*where, *grade], of_this):
            entries[who].grades[Place(notebook, cell)] = CellGrade(*held)
        comments = self._of_cells(Comment, [*where, Comment.manual_comment], of_this)
        for who, notebook, cell, comment in comments.filter(Comment.manual_comment != ""):
            entries[who].comments[Place(notebook, cell)] = comment

    def _of_cells(
        self,
        entered: type[Grade] | type[Comment],
        columns: list[object],
        of_this: ColumnElement[bool],
    ) -> Query:
        """Ask about what was entered for the cells of submissions."""
        query = self._of_notebooks(*columns).join(
            entered, entered.notebook_id == SubmittedNotebook.id
        )
        return query.join(BaseCell, BaseCell.id == entered.cell_id).filter(of_this)

    def _of_notebooks(self, *columns: object) -> Query:
        """Ask about submitted notebooks, whose names and submissions are at hand."""
        return (
            self.query(*columns)
            .select_from(SubmittedNotebook)
            .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
            .join(Notebook, Notebook.id == SubmittedNotebook.notebook_id)
        )

    # Writing

    def describe_students(self, known: Mapping[str, Mapping[str, str]], anew: bool = False) -> None:
        """
        Enter what an LMS knows of students.

        Parameters
        ----------
        known : mapping
            `last_name`, `first_name`, `email` and `lms_user_id`, by the student's id; "" where
            one is not known.
        anew : bool
            Whether it counts where the grade book knows something else.
        """
        students = {student.id: student for student in self.gradebook.students}
        for name, about in known.items():
            new = {field: text for field, text in about.items() if text}
            if "last_name" in new:
                new.setdefault("first_name", "")
            old = students.get(name)
            if old is not None and not anew:
                named = old.last_name or old.first_name
                kept = {"last_name": named, "first_name": named}
                kept |= {"email": old.email, "lms_user_id": old.lms_user_id}
                new = {field: text for field, text in new.items() if not kept[field]}
            if new or old is None:
                self.gradebook.update_or_create_student(name, **new)

    def save(
        self, assignment: str, marks: Mapping[str, NewMarks], late_penalty: LatePenalty
    ) -> dict[str, Entry]:
        """
        Enter marked submissions, all of them or, where something fails, nothing.

        Parameters
        ----------
        assignment : str
        marks : mapping
            Of each submission, by its student.
        late_penalty : callable
            Returns the points off.
        """
        with self.one_transaction():
            known = self.gradebook.find_assignment(assignment)
            entries, submissions = self._hand_in(known, marks)
            new = {student: each for student, each in marks.items() if student not in submissions}
            if submissions:
                of_these = SubmittedAssignment.id.in_(submissions.values())
                self._enter_points(of_these, marks)
                self._enter_comments(of_these, marks)
                self._read_marks(of_these, entries)
                for student in submissions:
                    if marks[student].points.keys() - entries[student].grades.keys():
                        raise CourseError(f"the grade book has no place for it: {REMOVED}")
                self._enter_penalties(of_these, entries, late_penalty)
            if new:
                self._enter_new(known, new, entries, late_penalty)
        return entries

    def _hand_in(
        self, known: Assignment, marks: Mapping[str, NewMarks]
    ) -> tuple[dict[str, Entry], dict[str, str]]:
        """Enter who handed in, and when; return them, and the ids of submissions there are."""
        entries, submissions = {student: Entry(student) for student in marks}, {}
        of_this = and_(
            SubmittedAssignment.student_id == Student.id,
            SubmittedAssignment.assignment_id == known.id,
        )
        rows = self.query(Student, SubmittedAssignment).outerjoin(SubmittedAssignment, of_this)
        strangers = set(marks)
        for student, submission in rows.filter(Student.id.in_(list(marks))):
            entries[student.id] = about(student)
            strangers.discard(student.id)
            if submission is not None:
                submissions[student.id] = submission.id
                submission.timestamp = marks[student.id].timestamp
                entries[student.id].seconds_late = float(submission.total_seconds_late)
        self._insert(Student, [{"id": student} for student in marks if student in strangers])
        for student, entry in entries.items():
            entry.handed_in, entry.timestamp = True, marks[student].timestamp
            if student not in submissions and entry.timestamp and known.duedate:
                late = (entry.timestamp - known.duedate).total_seconds()
                entry.seconds_late = max(late, 0.0)
        return entries, submissions

    def _enter_new(
        self,
        known: Assignment,
        marks: Mapping[str, NewMarks],
        entries: Mapping[str, Entry],
        late_penalty: LatePenalty,
    ) -> None:
        """Enter submissions of which the grade book knows nothing yet: as rows, with all places."""
        names = dict(
            tuple(each)
            for each in self.query(Notebook.id, Notebook.name)
            .filter(Notebook.assignment_id == known.id)
            .order_by(Notebook.name)
        )
        columns = [BaseCell.notebook_id, BaseCell.id, BaseCell.name, BaseCell.type]
        # in the order in which they were published: a join has another
        cells = self.query(*columns).filter(BaseCell.notebook_id.in_(list(names))).all()
        submissions, notebooks, grades, comments = [], [], [], []
        for student, each in marks.items():
            entry, submission = entries[student], new_uuid()
            about_it = {"assignment_id": known.id, "student_id": student}
            submissions.append({"id": submission, **about_it, "timestamp": each.timestamp})
            ids = {key: new_uuid() for key in names}
            for key, cell, name, kind in cells:
                place, where = Place(names[key], name), {"notebook_id": ids[key], "cell_id": cell}
                if kind in (GradeCell.__name__, TaskCell.__name__):
                    held = entry.grades[place] = each.first_grade(place, kind == TaskCell.__name__)
                    points = {"auto_score": held.auto_points, "needs_manual_grade": held.waits}
                    grades.append({**where, **points})
                if kind in (SolutionCell.__name__, TaskCell.__name__):
                    comments.append({**where, "auto_comment": each.comment(place)})
            for key, name in names.items():
                off = enter_penalty(entry, name, late_penalty)
                about_it = {"notebook_id": key, "assignment_id": submission}
                notebooks.append({"id": ids[key], **about_it, "late_submission_penalty": off})
        tables = [SubmittedAssignment, SubmittedNotebook, Grade, Comment]
        for table, new in zip(tables, [submissions, notebooks, grades, comments], strict=True):
            self._insert(table, new)

    def _insert(self, kind: type, rows: list[dict[str, object]]) -> None:
        """Enter rows, all with the same columns."""
        if rows:
            self.gradebook.db.execute(insert(kind), rows)

    def _enter_points(self, of_these: ColumnElement[bool], marks: Mapping[str, NewMarks]) -> None:
        """Enter what each cell earned: as rows, for nbgrader's objects take twice the time."""
        columns = [SubmittedAssignment.student_id, Notebook.name, BaseCell.name, BaseCell.type]
        columns += [Grade.id, Grade.auto_score, Grade.manual_score, Grade.needs_manual_grade]
        changed = []
        for student, notebook, cell, kind, key, before, by_hand, waits in self._of_cells(
            Grade, columns, of_these
        ):
            place, each = Place(notebook, cell), marks[student]
            if place in each.points:
                points, is_task = each.points[place], kind == TaskCell.__name__
                is_there = notebook not in each.not_there
                looks = has_to_look(points, before, by_hand, waits, is_there, is_task)
                changed.append({"id": key, "auto_score": points, "needs_manual_grade": looks})
        if changed:
            self.gradebook.db.execute(update(Grade), changed)

    def _enter_comments(self, of_these: ColumnElement[bool], marks: Mapping[str, NewMarks]) -> None:
        """Say of each answer that is as it was released that there is none."""
        columns = [SubmittedAssignment.student_id, Notebook.name, BaseCell.name]
        columns += [Comment.id, Comment.auto_comment]
        changed = []
        for student, notebook, cell, key, before in self._of_cells(Comment, columns, of_these):
            said = marks[student].comment(Place(notebook, cell))
            if said != before:
                changed.append({"id": key, "auto_comment": said})
        if changed:
            self.gradebook.db.execute(update(Comment), changed)

    def _enter_penalties(
        self,
        of_these: ColumnElement[bool],
        entries: Mapping[str, Entry],
        late_penalty: LatePenalty,
    ) -> None:
        """Enter the points off for handing in late, here and in the grade book."""
        columns = [SubmittedAssignment.student_id, Notebook.name, SubmittedNotebook.id]
        penalties = []
        for student, name, key in self._of_notebooks(*columns).filter(of_these):
            off = enter_penalty(entries[student], name, late_penalty)
            penalties.append({"id": key, "late_submission_penalty": off})
        self.gradebook.db.execute(update(SubmittedNotebook), penalties)

    @contextmanager
    def one_transaction(self) -> Iterator[None]:
        """Let nothing be committed before the end of the block, whatever nbgrader commits."""
        gradebook = self.gradebook
        outer = gradebook.db
        outer.rollback()  # or what it has read would lock the database
        with (
            gradebook.engine.begin() as connection,
            Session(
                connection, join_transaction_mode="rollback_only", expire_on_commit=False
            ) as session,
        ):
            gradebook.db = session
            try:
                yield
                session.flush()
            finally:
                gradebook.db = outer
        outer.expire_all()


def about(student: Student) -> Entry:
    """Return what the grade book holds of a student, but for marks."""
    names = student.last_name or "", student.first_name or "", student.email or ""
    return Entry(student.id, *names, student.lms_user_id or "")


@functools.cache
def newest_revision() -> str:
    """Return the revision of the tables that nbgrader makes, which starts a program to ask that."""
    from alembic.script import ScriptDirectory  # for new grade books alone

    return str(ScriptDirectory(ALEMBIC_DIR).get_current_head())


@contextmanager
def open_book(db_url: str, course_id: str) -> Iterator[Book]:
    """
    Open the grade book for the time of the block.

    Raises
    ------
    CourseError
        Where it cannot be opened, or is locked.
    """
    try:
        gradebook = Gradebook(db_url, course_id)
        for table, column in INDEXES.items():
            name = f"{table}_by_{column}"
            gradebook.db.execute(text(f"CREATE INDEX IF NOT EXISTS {name} ON {table} ({column})"))
        gradebook.db.commit()
    except SQLAlchemyError as error:
        raise CourseError(f"The grade book cannot be opened: {reason(error)}") from None
    try:
        yield Book(gradebook)
    finally:
        gradebook.close()


def reason(error: Exception) -> str:
    """Say in one line what went wrong."""
    said = " ".join(str(getattr(error, "orig", None) or error).split())
    expected = isinstance(error, CourseError | SQLAlchemyError)
    return said if expected else f"{type(error).__name__}: {said}"
