"""No points for nothing: what earns no more than is right in it, and honest work that keeps all."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

import nbformat
import pytest
from conftest import shorten_table
from nbformat.v4 import new_code_cell

from grading.cli import converter_of
from grading.demo import make_course, plain
from grading.marking.hidden_data import sets_of
from grading.marking.naming import Outcomes
from grading.marking.notebook import as_cells, mark_notebook
from grading.rooms import Nursery
from grading.source import Source, cells, course_root, read_source
from grading.source.cells import with_answers

ROOT = course_root(Path(__file__).parent)
SECRET = b"of these tests"
FORWARD, FUSED = "rnn_lstm_forward", "lstm_fused_gates"


@dataclass(frozen=True)
class Work:
    """
    A submission and what it deserves.

    Attributes
    ----------
    name : str
    assignment : str
    earns : tuple of float
        Points of each function.
    answers : dict
        Solution cells by the function's name; `RIGHT` in one stands for the right text.
    own : dict
        Text of a cell of the student's own, by the name of the cell that it stands above.
    """

    name: str
    assignment: str
    earns: tuple[float, ...]
    answers: dict[str, str] = field(default_factory=dict)
    own: dict[str, str] = field(default_factory=dict)

    def notebook(self, source: Source):
        """Return the submission."""
        right = plain(source.answers)
        answers = {n: dedent(t).replace("RIGHT", right[n]) for n, t in self.answers.items()}
        notebook = with_answers(source.notebook, {**right, **answers})
        for name, text in self.own.items():
            place = [cells.grade_id(cell) for cell in notebook.cells].index(name)
            notebook.cells.insert(place, new_code_cell(dedent(text)))
        return notebook


ZEROS = {
    "lstm_step_forward": """
        def lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b):
            return np.zeros_like(prev_h), np.zeros_like(prev_c), (x, prev_h, Wx, Wh, b)
        """,
    "lstm_step_backward": """
        def lstm_step_backward(dnext_h, dnext_c, cache):
            x, h, *weights = [np.zeros_like(each) for each in cache]
            return x, h, h, *weights
        """,
    "lstm_forward": """
        def lstm_forward(x, h0, Wx, Wh, b):
            return np.zeros((*x.shape[:2], len(h0[0]))), (x, h0, Wx, Wh, b)
        """,
    "lstm_backward": """
        def lstm_backward(dh, cache):
            return tuple(np.zeros_like(each) for each in cache)
        """,
}
ROTATING = """
RIGHT

import itertools
orders = itertools.cycle(list(itertools.permutations(range(4)))[::-1])
one_step_backward = lstm_step_backward


def lstm_step_backward(dnext_h, dnext_c, cache):
    dx, dh, dc, dWx, dWh, db = one_step_backward(dnext_h, dnext_c, cache)
    order = next(orders)

    def turn(a):
        return np.concatenate([np.split(a, 4, axis=-1)[k] for k in order], axis=-1)

    return dx, dh, dc, turn(dWx), turn(dWh), turn(db)
"""


def giving(function: str, given: str) -> str:
    """Return a cell in which a function gives something else of what is `right`."""
    wrapped = f"def {function}(*args):\n    right = right_{function}(*args)\n    return {given}\n"
    return f"RIGHT\nright_{function} = {function}\n\n\n{wrapped}"


WORKS = [
    Work("zeros of the right shapes", FUSED, (0, 0, 0, 0), ZEROS),
    Work(
        "forward functions switched to constants before the tests of the backward ones",
        FUSED,
        (25, 0, 25, 0),
        {name: ZEROS[name] for name in ("lstm_step_backward", "lstm_backward")},
        {
            "test_lstm_step_backward": "right_step = lstm_step_forward"
            + dedent(ZEROS["lstm_step_forward"]),
            "lstm_forward": "lstm_step_forward = right_step",
            "test_lstm_backward": ZEROS["lstm_forward"],
        },
    ),
    # dx, dprev_h and dprev_c are right: 9 of 17, and of 7 more what holds in that proportion.
    Work("another gate order at each call", FUSED, (25, 12.71, 25, 25),
         {"lstm_step_backward": ROTATING}),
    Work(
        "a table without a formula",
        FORWARD,
        (0, 25, 25, 25),
        {
            "rnn_cell_forward": """
            RIGHT
            table, rule = {}, rnn_cell_forward


            def rnn_cell_forward(xt, a_prev, parameters):
                key = round(float(xt[0, 0]), 6)
                if key not in table:
                    return np.zeros_like(a_prev), np.zeros((len(parameters["by"]), 1)), ()
                return table[key]
            """
        },
        {
            "check_rnn_cell_forward": """
            inputs = [np.random.default_rng(seed).normal(size=(4, 7)) for seed in range(99)]
            for xt in inputs:
                table[round(float(xt[0, 0]), 6)] = np.ones(6), np.ones(6), ()
            """
        },
    ),
    Work(
        "keeps what right functions return, for another test",
        FORWARD,
        (0, 25, 25, 25),
        {
            "rnn_cell_forward": """
            import builtins


            def rnn_cell_forward(xt, a_prev, parameters):
                return getattr(builtins, "kept", {}).get(xt.shape)
            """,
            "rnn_forward": """
            RIGHT
            import builtins
            builtins.kept, loop = {}, rnn_forward


            def rnn_forward(x, a0, parameters):
                builtins.kept[x.shape[:2]] = rnn_cell_forward(x[:, :, 0], a0, parameters)
                return loop(x, a0, parameters)
            """,
        },
    ),
    Work(
        "looks for right values in the frames of who calls, and in all that there is",
        FORWARD,
        (0, 25, 25, 25),
        {
            "rnn_cell_forward": """
            def rnn_cell_forward(xt, a_prev, parameters):
                import gc, sys
                frame, seen = sys._getframe(), []
                while frame:
                    seen += [*frame.f_locals.values(), *frame.f_globals.values()]
                    frame = frame.f_back
                seen += gc.get_objects()
                arrays = [each for each in seen if isinstance(each, np.ndarray)]
                others = [each for each in arrays if each is not a_prev]
                a = [each for each in others if each.shape == a_prev.shape]
                y = [each for each in others if each.shape == (3, xt.shape[1])]
                return (a or [a_prev])[-1], (y or [xt[:3]])[-1], (a_prev, a_prev, xt, parameters)
            """
        },
    ),
    Work(
        "views of its arguments",
        FORWARD,
        (0, 25, 25, 25),
        {
            "rnn_cell_forward": """
            def rnn_cell_forward(xt, a_prev, parameters):
                return a_prev[:], xt[:3], (a_prev, a_prev, xt, parameters)
            """
        },
    ),
    Work(
        "right at the first call alone",
        FORWARD,
        (24, 25, 25, 25),
        {
            "rnn_cell_forward": """
            RIGHT
            seen, right_cell = set(), rnn_cell_forward


            def rnn_cell_forward(xt, a_prev, parameters):
                found = right_cell(xt, a_prev, parameters)
                if float(xt[0, 0]) in seen:
                    return (0 * found[0], *found[1:])
                seen.add(float(xt[0, 0]))
                return found
            """
        },
    ),
    Work(
        "values that are equal to all others",
        FORWARD,
        (0, 25, 25, 25),
        {
            "rnn_cell_forward": """
            class Same(np.ndarray):
                def __array_ufunc__(self, *_, **__):
                    return np.zeros(self.shape)

                __eq__ = __array_function__ = lambda *_, **__: True


            def rnn_cell_forward(xt, a_prev, parameters):
                a, y = a_prev.view(Same), xt[:3].view(Same)
                return a, y, (a, a_prev, xt, parameters)
            """
        },
    ),
    Work(
        "what is no number, and what is too large",
        FORWARD,
        (0, 25, 0, 25),
        {
            "rnn_cell_forward": """
            def rnn_cell_forward(xt, a_prev, parameters):
                return a_prev * np.nan, xt[:3] * np.inf, (a_prev, a_prev, xt, parameters)
            """,
            "lstm_cell_forward": """
            def lstm_cell_forward(xt, a_prev, c_prev, parameters):
                huge = np.full(a_prev.shape, 1e308)
                return huge, -huge, huge[:3] * np.nan, ()
            """,
        },
    ),
    Work(
        "a helper that a later cell makes wrong",
        FORWARD,
        (25, 25, 25, 25),
        {
            "rnn_cell_forward": """
            def bend(z):
                return np.tanh(z)


            RIGHT
            """,
        },
        {
            "rnn_forward": "def bend(z):\n    return 0 * z\n\n\nsoftmax = bend",
            "lstm_cell_forward": "from rnn_utils import softmax",
        },
    ),
    Work(
        "a helper that a later cell makes right",
        FORWARD,
        (0, 25, 25, 25),
        {
            "rnn_cell_forward": """
            def whole(xt, a_prev, parameters):
                return None


            def rnn_cell_forward(xt, a_prev, parameters):
                return whole(xt, a_prev, parameters)
            """
        },
        {
            "rnn_forward": """
            def whole(xt, a_prev, parameters):
                a = np.tanh(parameters["Wax"] @ xt + parameters["Waa"] @ a_prev + parameters["ba"])
                return a, softmax(parameters["Wya"] @ a + parameters["by"]), (
                    a, a_prev, xt, parameters)
            """
        },
    ),
    Work(
        "a function that a later cell gives other code",
        FORWARD,
        (0, 25, 25, 25),
        {
            "rnn_cell_forward": """
            RIGHT
            good = rnn_cell_forward


            def rnn_cell_forward(xt, a_prev, parameters):
                return None
            """
        },
        {"rnn_forward": "rnn_cell_forward.__code__ = good.__code__"},
    ),
    Work(
        "NumPy, broken by a cell below the functions that use it",
        FORWARD,
        (25, 25, 25, 25),
        {},
        {"test_lstm_forward": "tanh = np.tanh\nnp.tanh = lambda z: 0 * z\nnp.tanh = tanh\n"},
    ),
    Work(
        "NumPy, broken above the last test",
        FORWARD,
        (25, 25, 25, 0),
        {},
        {"test_lstm_forward": "np.zeros = np.dot = np.concatenate = None\n"},
    ),
    Work(
        "a built-in name that a later cell takes",
        FORWARD,
        (25, 25, 25, 25),
        {"rnn_cell_forward": "RIGHT\nby_name = rnn_cell_forward\n\n\n"
         "def rnn_cell_forward(*args):\n    return by_name(*list(args))\n"},
        {"test_lstm_forward": "list = 5"},
    ),
    Work(
        "lists of the right numbers",
        FORWARD,
        (24, 25, 24, 25),
        {
            "rnn_cell_forward": giving(
                "rnn_cell_forward", "*[each.tolist() for each in right[:-1]], right[-1]"
            ),
            "lstm_cell_forward": giving(
                "lstm_cell_forward", "right[0].tolist(), right[1], right[2].tolist(), right[3]"
            ),
        },
    ),
    Work(
        "gradients in lists",
        FUSED,
        (25, 24, 25, 25),
        {
            "lstm_step_backward": giving(
                "lstm_step_backward", "tuple([each.tolist() for each in right])"
            )
        },
    ),
    Work(
        "lists of right and of wrong numbers",
        FORWARD,
        (12.93, 25, 0, 25),
        {
            "rnn_cell_forward": giving(
                "rnn_cell_forward", "right[0].tolist(), (2 * right[1]).tolist(), right[2]"
            ),
            "lstm_cell_forward": """
            def lstm_cell_forward(xt, a_prev, c_prev, parameters):
                return [a_prev, [1]], [[1, 2], [3]], "no array", (a_prev.tolist(),)
            """,
        },
    ),
    Work(
        "what stops in keeping the caches, and nowhere else",
        FORWARD,
        (25, 20, 25, 25),
        {
            "rnn_forward": """
            def rnn_forward(x, a0, parameters):
                a, y, caches = [], [], []
                for xt in x.transpose(2, 0, 1):
                    a0, yt, cache = rnn_cell_forward(xt, a0, parameters)
                    a.append(a0)
                    y.append(yt)
                    caches = np.append(caches, cache)
                return np.dstack(a), np.dstack(y), (caches, x)
            """
        },
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def rooms():
    with Nursery() as nursery:
        yield nursery


@pytest.fixture(scope="module")
def outcomes() -> dict[str, list[Outcomes]]:
    """The sets of hidden data of each assignment."""
    sources = {name: read_source(name, ROOT) for name in (FORWARD, FUSED)}
    return {n: [Outcomes(source, d) for d in sets_of(SECRET)] for n, source in sources.items()}


@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.name)
def test_it_earns_what_is_right_in_it_in_every_set(work, rooms, outcomes):
    for each in outcomes[work.assignment]:
        marked = mark_notebook(work.notebook(each.source), each, rooms)
        earned = {name: result.points for name, result in marked.results.items()}
        assert list(earned.values()) == list(work.earns), marked.results


WRITES = """
import pathlib
for folder in ("COURSE", "."):
    try:
        pathlib.Path(folder, "canary").write_text("here")
    except OSError as error:
        print(type(error).__name__)
print(25.0)
25.0
"""


def test_manual_code_is_run_where_students_code_is(tmp_path, monkeypatch):
    course = tmp_path / "course"
    make_course(ROOT, course)
    shorten_table(course / "source" / FORWARD)
    path = course / "source" / FORWARD / f"{FORWARD}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    about = {"grade": True, "solution": True, "locked": False, "task": False, "points": 25}
    manual = new_code_cell("# Write what you like", id="essay")
    manual.metadata["nbgrader"] = {**about, "grade_id": "essay", "schema_version": 3}
    manual.metadata["nbgrader"]["cell_type"] = "code"
    last = max(n for n, cell in enumerate(notebook.cells) if cells.is_test(cell))
    notebook.cells.insert(last, manual)
    nbformat.write(notebook, path)
    answers = plain(read_source(FORWARD, course).answers)
    answers["essay"] = WRITES.replace("COURSE", str(course))
    folder = course / "submitted" / "writer" / FORWARD
    folder.mkdir(parents=True)
    nbformat.write(with_answers(notebook, answers), folder / path.name)
    monkeypatch.chdir(course)
    with converter_of(FORWARD, unprotected=False).open_run([], jobs=1) as run:
        (certificate,) = run.mark()
    assert not list(tmp_path.rglob("canary"))
    marks = {mark.cell: mark.auto_points for mark in certificate.cells}
    assert marks.pop("essay") is None  # a person marks it
    assert set(marks.values()) == {25.0}
    marked = nbformat.read(course / "autograded" / "writer" / FORWARD / path.name, as_version=4)
    (essay,) = [cell for cell in marked.cells if cells.grade_id(cell) == "essay"]
    assert "Error" in essay.outputs[0].text  # it was run, and reached no folder of the course


@pytest.mark.parametrize(
    ("settings", "is_ours"),
    [
        ({"grade": True, "locked": True, "solution": False}, True),
        ({"grade": True, "locked": True, "solution": True}, False),
        ({"grade": True, "locked": False, "solution": True}, False),
        ({"grade": True, "locked": False, "solution": False}, True),  # as nbgrader has it
        ({"grade": False, "locked": False, "solution": True}, False),
    ],
)
def test_a_test_is_graded_and_no_solution(settings, is_ours):
    cell = new_code_cell("1", metadata={"nbgrader": {**settings, "grade_id": "a"}})
    assert cells.is_test(cell) is is_ours
    outcomes = Outcomes(read_source(FORWARD, ROOT))
    assert as_cells([cell], outcomes)[0].kind == ("test" if is_ours else "student")
