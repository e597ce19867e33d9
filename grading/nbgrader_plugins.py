"""
All that is put into nbgrader: its converters, plug-ins and exporters, as this kit has them.

nbgrader_config.py calls `install(c)`; then nbgrader's commands, formgrader and NbGraderAPI
mark in rooms, release with the known mistakes, and return the kit's own pages.
"""

from __future__ import annotations

import copy
import logging
import os
import shutil
import sys
import tempfile
import warnings
from contextlib import AbstractContextManager
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import nbgrader.api
import nbgrader.apps.api
import nbgrader.apps.autogradeapp
import nbgrader.apps.generateassignmentapp
import nbgrader.apps.generatefeedbackapp
from nbconvert.exporters import Exporter as StockExporter
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde as StockAutograde
from nbgrader.converters import GenerateAssignment as StockGenerateAssignment
from nbgrader.converters import GenerateFeedback as StockGenerateFeedback
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import (
    ExportPlugin,
    ExtractorPlugin,
    FileNameCollectorPlugin,
    LateSubmissionPlugin,
)
from nbgrader.preprocessors import AssignLatePenalties, Execute, NbGraderPreprocessor
from nbgrader.preprocessors import SaveCells as StockSaveCells
from sqlalchemy.exc import SAWarning, SQLAlchemyError
from traitlets import Bool, Dict, Float, List, TraitError, Unicode, validate
from traitlets.config import Bunch, Config

from grading import CourseError
from grading.authoring.release import known_mistakes
from grading.authoring.translated import files_in_language, in_language
from grading.book import Book, newest_revision, open_book, reason
from grading.exchange import Collect, ReleaseFeedback, read_times
from grading.exports import ExportRequest, Report, export, export_all
from grading.feedback import Pages
from grading.hooks import KEPT_BACK, CourseConverter, capture_log
from grading.intake.downloads import sort_out
from grading.intake.merge import CLEARING
from grading.options import (
    MARKING,
    SANITIZING,
    is_set,
    limits_by_timeout,
    own_steps,
    refuse,
    set_to,
)
from grading.rooms import Limits
from grading.run.files import OF_THE_EXCHANGE
from grading.run.late import check_extensions, points_off
from grading.run.run import Run, alone, open_run
from grading.run.steps import Steps, pack_steps
from grading.source.assignment import KNOWN_MISTAKES
from grading.source.catalogue import ENGLISH
from grading.source.course import release_folder


def install(c: Config, language: str = ENGLISH) -> None:
    """
    Let the command line, formgrader and NbGraderAPI use what stands here.

    Parameters
    ----------
    c : Config
    language : str
        Of what students are given: with "zh", nbgrader publishes release-zh/.
    """
    prepare_process()
    nbgrader.apps.autogradeapp.Autograde = Autograde
    nbgrader.apps.generateassignmentapp.GenerateAssignment = GenerateAssignment
    nbgrader.apps.generatefeedbackapp.GenerateFeedback = GenerateFeedback
    nbgrader.apps.api.GenerateAssignment = GenerateAssignment
    nbgrader.apps.api.Autograde = Autograde
    nbgrader.apps.api.GenerateFeedback = GenerateFeedback
    nbgrader.apps.api.capture_log = capture_log
    read_times(c)
    c.ExchangeFactory.collect = Collect
    c.CourseDirectory.ignore = [*CourseDirectory.class_traits()["ignore"].default(), *KEPT_BACK]
    c.ExchangeFactory.release_feedback = ReleaseFeedback
    stock = StockGenerateAssignment.preprocessors.default_args[0]
    published = [SaveCells if step is StockSaveCells else step for step in stock]
    c.GenerateAssignment.preprocessors = [PublishMistakes, *published]  # a fault stops it here
    if language != ENGLISH:
        c.CourseDirectory.release_directory = f"release-{language}"
        c.GenerateAssignment.preprocessors.append(Translate)
        c.Translate.language = language
    c.AssignLatePenalties.plugin_class = LateRules
    c.ZipCollectApp.extractor_plugin = SubmissionExtractor
    c.ZipCollectApp.collector_plugin = SubmissionCollector
    c.ExportApp.plugin_class = CsvExporter
    c.FormgradeExtension.debug = False  # formgrader need not print this configuration


def prepare_process() -> None:
    """Let nbgrader find its tools, and keep it from warning of what is as it should be."""
    nbgrader.api.get_alembic_version = newest_revision
    # for `nbgrader db upgrade` alembic is called by name; it lies beside this Python
    tools = str(Path(sys.executable).parent)
    if tools not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([tools, os.environ.get("PATH", os.defpath)])
    # nbgrader 0.9.6 and SQLAlchemy 2
    warnings.filterwarnings("ignore", category=SAWarning, module="nbgrader")
    # cells with hidden tests always differ from the student version
    logging.getLogger("AutogradeApp").addFilter(is_news)


def is_news(record: logging.LogRecord) -> bool:
    """Tell whether a line of nbgrader's log says more than that tests are hidden."""
    said = record.getMessage()
    return not said.startswith(("Attribute 'checksum'", "Setting destination file"))


# The student version


class GenerateAssignment(CourseConverter, StockGenerateAssignment):
    """Makes a student version; where that fails, the one before it stays as it was."""

    def convert_notebooks(self) -> None:
        """Make the student versions that are asked for."""
        self.before: dict[Path, Path] = {}
        with tempfile.TemporaryDirectory() as self.scratch:
            try:
                super().convert_notebooks()
            except BaseException:
                for folder, copy in self.before.items():
                    if self.coursedir.notebook_id != "*" or not folder.exists():
                        shutil.rmtree(folder, ignore_errors=True)
                        shutil.copytree(copy, folder)
                raise

    def init_destination(self, assignment_id: str, student_id: str) -> bool:
        """Keep a copy of what lies there."""
        folder = Path(self._format_dest(assignment_id, student_id))
        if folder.is_dir():
            copy = Path(self.scratch, str(len(self.before)))
            self.before[folder] = shutil.copytree(folder, copy)  # kept when it is whole
        return super().init_destination(assignment_id, student_id)

    def _clean_old_notebooks(self, assignment_id: str, student_id: str) -> None:
        """Forget the notebooks that are no longer there."""
        names = [Path(notebook).stem for notebook in self.notebooks]
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as gradebook:
            Book(gradebook).remove_notebooks(assignment_id, names)


class SaveCells(StockSaveCells):
    """Enters the cells of a notebook into the grade book: points, tests, cells may have changed."""

    def _create_notebook(self, nb: NotebookNode) -> None:
        """Enter the notebook, and keep what was entered for its submissions."""
        names, book = (self.notebook_id, self.assignment_id), Book(self.gradebook)
        kinds = ("grade", "solution", "task", "source")
        book.match_cells(*names, {kind: getattr(self, f"new_{kind}_cells") for kind in kinds})
        super()._create_notebook(nb)
        book.match_submissions(*names)


class Translate(NbGraderPreprocessor):
    """Puts a student version into the language of the course, its figures included."""

    language = Unicode(ENGLISH, help="The language's code: zh, say.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """Put a notebook, from which hidden tests are out, into the language."""
        assignment = self.parent.parent.read_assignment()
        in_language(assignment, resources["nbgrader"]["notebook"], nb, self.language)
        known = resources["outputs"][KNOWN_MISTAKES]
        resources["outputs"] |= files_in_language(assignment, known, self.language)
        return nb, resources


class PublishMistakes(NbGraderPreprocessor):
    """Put `known_mistakes.json` beside the student version of a notebook."""

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """Add the file to those that nbgrader writes."""
        file = {KNOWN_MISTAKES: known_mistakes(self.parent.parent.read_assignment())}
        resources["outputs"] = {**(resources["outputs"] or {}), **file}
        return nb, resources


# Marking


class Autograde(CourseConverter, StockAutograde):
    """Marks in rooms, and never opens what students wrote outside of them."""

    limits = Dict(help="What a student's room may use: see grading/rooms/limits.py.").tag(
        config=True
    )
    unprotected = Bool(False, help="Run student code without a sandbox.").tag(config=True)
    packages = List(
        Unicode(), help="What student code may import beside NumPy, Matplotlib and IPython: scipy."
    ).tag(config=True)

    def open_run(
        self, students: list[str], jobs: int = 0, scheduler: str = ""
    ) -> AbstractContextManager[Run]:
        """Return a run over the assignment: see `grading.run.run.open_run`."""
        refuse(self.config)
        config, assignment = self.config, self.read_assignment()
        pattern = self.coursedir.notebook_id
        if not all(fnmatch(name, pattern) for name in assignment.notebooks):
            raise CourseError(
                f"CourseDirectory.notebook_id (--notebook) is {pattern}, which leaves notebooks"
                " out: an assignment is marked whole; leave the option out"
            )
        if AssignLatePenalties not in self.autograde_preprocessors:
            config = copy.deepcopy(config)
            config.AssignLatePenalties.enabled = False
        return open_run(
            self.coursedir,
            config,
            assignment,
            students or [self.coursedir.student_id],
            limits=self.room_limits(),
            steps=self.steps(),
            converters=(self, GenerateFeedback(coursedir=self.coursedir, config=self.config)),
            create_students=self.create_student,
            unprotected=self.unprotected,
            packages=self.packages,
            jobs=jobs,
            scheduler=scheduler,
            force=self.force,
        )

    def steps(self) -> Steps:
        """Return the preprocessors of the course, for workers."""
        before = "sanitize_preprocessors", self.sanitize_preprocessors, SANITIZING
        behind = "autograde_preprocessors", self.autograde_preprocessors, MARKING
        lists = [CLEARING, own_steps(*before), own_steps(*behind)]
        return Steps(*[pack_steps(self.config, each, Path(self.coursedir.root)) for each in lists])

    def room_limits(self) -> Limits:
        """Return the limits that the course has set: its own, and nbgrader's for a cell."""
        by_timeout = limits_by_timeout(self.config)
        if is_set(self.config, Execute, "timeout") and not by_timeout:
            seconds = set_to(self.config, Execute, "timeout") or 0
            raise CourseError(f"Execute.timeout is {seconds}: set it to a number of seconds")
        limits = {**by_timeout, **self.limits}
        try:
            return Limits(**limits)
        except TypeError:
            unknown = ", ".join(sorted(set(limits) - set(Limits.__dataclass_fields__)))
            raise CourseError(f"nbgrader_config.py: no limit is called {unknown}") from None

    def start(self) -> None:
        """Mark the submissions that are asked for."""
        failed = []
        here = os.getcwd()
        os.chdir(self.coursedir.root)
        try:
            with self.open_run([]) as run:
                isolation = ""
                for certificate in run.mark():
                    if certificate.isolation != isolation:
                        isolation = certificate.isolation
                        self.log.info("Isolation: %s", isolation)
                    self.log.info("%s: %g points", certificate.student_id, certificate.score)
                    for note in certificate.notes:
                        self.log.warning("%s: %s", certificate.student_id, note)
                    if certificate.status == "not graded":
                        failed.append(certificate.student_id)
        except CourseError as error:
            self.fail(str(error))
        finally:
            os.chdir(here)
        if failed:
            self.fail(f"{self.coursedir.assignment_id}: could not mark {', '.join(failed)}")


class LateRules(LateSubmissionPlugin):
    """
    A share of the points for each day late, after some free hours.

    nbgrader counts from the due date in its grade book, and hands in the seconds.
    """

    free_hours = Float(0.0, help="Hours late that cost nothing.").tag(config=True)
    share_per_day = Float(
        0.0, help="Share of the points lost for each day begun after the free hours."
    ).tag(config=True)
    extensions = Dict(
        help="Hours by which the due date is later, by student and assignment:"
        " {'student': {'rnn_lstm_forward': 48}}."
    ).tag(config=True)

    @validate("free_hours")
    def _not_negative(self, proposal: Bunch) -> float:
        if not proposal.value >= 0:
            raise TraitError(f"LateRules.free_hours is {proposal.value}; it must be 0 or more")
        return proposal.value

    @validate("share_per_day")
    def _a_share(self, proposal: Bunch) -> float:
        if not 0 <= proposal.value <= 1:
            raise TraitError(f"LateRules.share_per_day is {proposal.value}; it must lie in 0 to 1")
        return proposal.value

    @validate("extensions")
    def _hours(self, proposal: Bunch) -> dict:
        check_extensions(proposal.value)
        return proposal.value

    def late_submission_penalty(
        self, student_id: str, score: float, total_seconds_late: float
    ) -> float | None:
        """Return the points lost, None for none: see `points_off`."""
        assignment = getattr(self.parent, "assignment_id", "")
        extension = self.extensions.get(student_id, {}).get(assignment, 0)
        hours = total_seconds_late / 3600
        share = 1.0 if self.penalty_method == "zero" else self.share_per_day
        return points_off(score, hours, self.free_hours, share, extension) or None


# Feedback


class PageExporter(StockExporter):
    """Makes the page of a submission; points and comments are those of the grade book."""

    file_extension = ".html"
    output_mimetype = "text/html"

    def from_notebook_node(
        self, nb: NotebookNode, resources: dict | None = None, **_: object
    ) -> tuple[Any, dict[str, Any]]:
        """Return the page, and where it belongs."""
        if resources is None or not isinstance(self.parent, GenerateFeedback):
            raise TypeError("pages are made by generate_feedback")
        about = resources["nbgrader"]
        with Gradebook(about["db_url"]) as gradebook:
            entry = Book(gradebook).read_entry(about["assignment"], about["student"])
        page = self.parent.pages.page(about["notebook"], nb, entry)
        return page, {**resources, "output_extension": ".html"}


class GenerateFeedback(CourseConverter, StockGenerateFeedback):
    """Writes one page per notebook; beside it lies what nbgrader's exchange asks for alone."""

    def start(self) -> None:
        """Make the pages that are asked for, beside no run that writes them, too."""
        self.exporter_class, self.preprocessors = PageExporter, list[type]()
        try:
            with alone(self.coursedir):
                self.pages = Pages(self.read_assignment())
                super().start()
        except CourseError as error:
            self.fail(str(error))

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """Keep the time of handing in, which makes way for newer work, and the secret."""
        source = Path(self._format_source(assignment_id, student_id))
        folder = Path(self._format_dest(assignment_id, student_id))
        folder.mkdir(parents=True, exist_ok=True)
        for path in map(source.joinpath, OF_THE_EXCHANGE):
            if path.is_file():
                shutil.copyfile(path, folder / path.name)


# Downloads of Canvas and Moodle: nbgrader zip_collect


class SubmissionExtractor(ExtractorPlugin):
    """Copies each student's newest notebook to `extracted/<id>/<released name>`: see `sort_out`."""

    def extract(self, archive_path: str, extracted_path: str) -> None:
        """Sort the files of `archive_path` into `extracted_path`."""
        course = self.parent.coursedir
        if set_to(self.config, FileNameCollectorPlugin, "named_regexp"):
            super().extract(archive_path, extracted_path)
            return
        for kind, name in ((ExtractorPlugin, "zip_ext"), (FileNameCollectorPlugin, "valid_ext")):
            if is_set(self.config, kind, name):
                self.parent.fail(
                    f"{kind.__name__}.{name} has no place here without named_regexp;"
                    " set c.FileNameCollectorPlugin.named_regexp, too"
                )
        release = release_folder(course, course.assignment_id)
        try:
            names = sort_out(
                Path(archive_path),
                Path(extracted_path),
                release,
                limit=1000 * course.max_file_size,
                where=course.format_path(course.submitted_directory, "{}", course.assignment_id),
                log=self.log,
            )
        except CourseError as problem:
            self.parent.fail(str(problem))
        try:
            with open_book(course.db_url, course.course_id) as book:
                book.describe_students(
                    {
                        student: {"last_name": last, "first_name": first, "lms_user_id": student}
                        for student, (last, first) in names.items()
                    }
                )
        except (CourseError, SQLAlchemyError) as problem:
            self.log.warning("The grade book did not take the students' names: %s", reason(problem))


class SubmissionCollector(FileNameCollectorPlugin):
    """Reads id and notebook off the path that `SubmissionExtractor` made."""

    def collect(self, submitted_file: str) -> dict[str, str]:
        """Turn `.../<id>/<notebook>.ipynb` into what nbgrader asks for."""
        if self.named_regexp:
            return super().collect(submitted_file)
        path = Path(submitted_file)
        return {"student_id": path.parent.name, "file_id": path.name}


# nbgrader export --exporter=grading.nbgrader_plugins....


class Exporter(ExportPlugin):
    """What the plug-ins for `nbgrader export` have in common."""

    way = ""
    source = Unicode("", help="The file that the LMS exported, to fill in.").tag(config=True)
    column = Unicode("", help="The title of its column to fill in.").tag(config=True)
    scale = Bool(False, help="Whether points count in proportion to its full marks.").tag(
        config=True
    )

    def export(self, gradebook: Gradebook) -> None:
        """Export, and log what was done; a problem is one line."""
        try:
            done = self.export_assignments(Book(gradebook), self.assignments(gradebook))
        except CourseError as problem:
            self.parent.fail(str(problem))
        for line in done.notes:
            self.log.warning(line)
        self.log.info("%d students in %s", done.count, ", ".join(map(str, done.files)))

    def assignments(self, gradebook: Gradebook) -> list[str]:
        """Return the assignments asked for, or all that there are."""
        return list(self.assignment) or [each.name for each in gradebook.assignments]

    def export_assignments(self, book: Book, names: list[str]) -> Report:
        """Export the assignment asked for, or the only one that there is."""
        if len(names) != 1:
            raise CourseError(f"say which assignment, with --assignment: {', '.join(names)}")
        return export(book, names[0], self.way, self.request())

    def request(self) -> ExportRequest:
        """Return what is asked for on nbgrader's command line."""
        source, to = (Path(each) if each else None for each in (self.source, self.to))
        students, course = [str(student) for student in self.student], self.parent.coursedir
        pages = GenerateFeedback(coursedir=course, config=self.config)
        root = Path(course.root)
        return ExportRequest(root, source, self.column, students, to, self.scale, pages)


class CanvasExporter(Exporter):
    """A grade book for Canvas."""

    way = "canvas"


class MoodleExporter(Exporter):
    """A grading worksheet and a zip of feedback for Moodle."""

    way = "moodle"


class GradescopeExporter(Exporter):
    """Results for Gradescope."""

    way = "gradescope"


class CsvExporter(Exporter):
    """All assignments as nbgrader exports them, but with every field quoted that needs it."""

    def export_assignments(self, book: Book, names: list[str]) -> Report:
        """Export the assignments to grades.csv."""
        return export_all(book, names, Path(self.to or "grades.csv"), self.request())
