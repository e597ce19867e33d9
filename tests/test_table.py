"""What was seen when real work was marked: each kind's points, its name, and what the page says."""

import html
import re
import shutil
from pathlib import Path

import nbformat
import pytest
from nbgrader.coursedir import CourseDirectory

from grading.book import Entry
from grading.demo import plain
from grading.feedback import Pages
from grading.intake.folder import read_folder
from grading.intake.merge import Frame
from grading.intake.submission import take_in
from grading.marking.naming import Outcomes
from grading.marking.notebook import mark_notebook
from grading.rooms import Nursery
from grading.run.published import shipped_files
from grading.run.worker import announce
from grading.source import read_assignment, read_source
from grading.source.assignment import KNOWN_MISTAKES
from grading.source.cells import with_answers

REPO = Path(__file__).parents[1]
FORWARD, BACKWARD, FUSED = "rnn_lstm_forward", "rnn_lstm_backward", "lstm_fused_gates"

# By submission: its assignment and, function by function, an edit of the solution, the points,
# the name, and what the page says.
SEEN = {
    "stops": {
        "rnn_cell_forward": (
            ("Wax @ xt", "xt @ Wax"),
            *(0, "factors_in_the_wrong_order"),
            "`xt` is (n_x, m), `Wax` is (n_a, n_x); the columns of the left must be the rows of",
        ),
        "rnn_forward": (
            ("caches.append(cache)", "caches = np.append(caches, cache)"),
            *(20, "np_append_for_a_list"),
            "the other values are looked at without this line",
        ),
        "lstm_cell_forward": (
            ('ft = sigmoid(parameters["Wf"]', "ft = sigmoid(Wf"),
            *(0, "parameters_used_by_name"),
            '`Wf` is a key of `parameters`: write `parameters["Wf"]`',
        ),
    },
    "does not cross": {
        "rnn_cell_forward": (
            ("return a_next, ", "return np.matrix(a_next), "),
            *(24, ""),
            "`a_next` is a matrix, not an array.",
        ),
        "rnn_forward": (
            ("return a, ", "return a.astype(object), "),
            *(24, ""),
            "`a` is an object array, expected one of float64.",
        ),
        "lstm_cell_forward": (
            ("    cct = np.tanh(", "    cct = np.tanh(("),
            *(0, ""),
            "its cell stopped with SyntaxError: '(' was never closed (`line 28: cct = np.tanh((",
        ),
        "lstm_forward": (
            ("caches = []", "caches = __import__('collections').deque()"),
            *(24, ""),
            "`caches` holds a deque; only arrays, numbers, texts, lists, tuples and dicts",
        ),
    },
    "words": {
        "rnn_cell_forward": (
            ("    Wax, Waa", '    print(input("weights?"))\n    Wax, Waa'),
            *(20, ""),
            "input() waits for somebody who types",
        ),
        "rnn_forward": (
            ("a[:, :, t] = a_next", "a[:, :, t] = 0 * a_next"),
            *(11.53, "states_not_stored"),
            "`a` is zero everywhere.",
        ),
        "lstm_cell_forward": (
            ("return a_next, c_next, yt_pred,", "return None, c_next, yt_pred,"),
            *(14.15, ""),
            "`a_next` is None, not an array",
        ),
        "lstm_forward": (
            ("        caches.append(cache)\n", ""),
            *(20, "caches_left_empty"),
            "`caches[0]` is not of length 7.",
        ),
    },
    "gone": {
        "rnn_cell_forward": (
            ("def rnn_cell_forward(", "def rnn_cell_forwards("),
            *(0, ""),
            "name 'rnn_cell_forward' is not defined where its test stands: was it renamed",
        ),
        "lstm_forward": (
            ("x[:, :, t], a_next", "x[:, :, t] + 0 * x[:, t, :1], a_next"),  # where T_x > m
            *(0, ""),
            "IndexError",
        ),
    },
    "backward": {
        "rnn_cell_backward": (
            ("dWaa = dz @", "dWaa = (da_next * a_next * a_next) @"),
            *(22, "square_alone_in_one_gradient"),
            "",
        ),
        "lstm_cell_backward": (
            ('parameters["W" + k].T @ dz[k] for', "(Wf if k == 'f' else Wi).T @ dz[k] for"),
            *(0, "weights_used_by_name"),
            "name 'Wf' is not defined",
        ),
        "lstm_backward": (
            ('gradients["dxt"]', 'gradients["dx"]'),
            *(0, "keys_of_the_sequence_asked_of_the_cell"),
            "The cell's dict has no such key.",
        ),
    },
    "step stops": {
        "lstm_step_forward": (
            ("o * np.tanh", "oo * np.tanh"),
            *(0, ""),
            "name 'oo' is not defined; a name much like it is `o`",
        ),
    },
    "adds to its argument": {
        "lstm_step_backward": (
            ("dc = dnext_c + dnext_h * o", "dc = dnext_c\n    dc += dnext_h * o"),
            *(23, "dnext_c_changed"),
            "`+=` writes into the array that was handed in, under whatever name",
        ),
        "lstm_forward": (
            ("cache.append(step_cache)", "cache = np.append(cache, step_cache)"),
            *(24, "np_append_for_a_list"),
            "",
        ),
    },
}
OF = {"backward": BACKWARD, "step stops": FUSED, "adds to its argument": FUSED}


def edited(answers, edits):
    for function, ((old, new), *_) in edits.items():
        assert answers[function].count(old) == 1, (function, old)
        answers = {**answers, function: answers[function].replace(old, new)}
    return answers


@pytest.fixture(scope="module")
def marked(tmp_path_factory):
    """Hand in whole released folders; return results, page and notes by submission."""
    root, found = tmp_path_factory.mktemp("handed_in"), {}
    with Nursery(hidden=[REPO]) as rooms:
        for assignment in (FORWARD, BACKWARD, FUSED):
            source, whole = read_source(assignment, REPO), read_assignment(assignment, REPO)
            outcomes, pages = Outcomes(source), Pages(whole)
            shipped = (*shipped_files(CourseDirectory(root=str(REPO)), whole), KNOWN_MISTAKES)
            for name in (n for n in SEEN if OF.get(n, FORWARD) == assignment):
                folder = root / name
                shutil.copytree(REPO / "release" / assignment, folder)
                path = folder / f"{assignment}.ipynb"
                answers = edited(plain(source.answers), SEEN[name])
                notebook = with_answers(nbformat.read(path, as_version=4), answers)
                nbformat.write(notebook, path)
                frames = {assignment: Frame(source.notebook)}
                intake = take_in(read_folder(folder, [assignment]), frames, assignment, shipped)
                part = intake.parts[assignment]
                announce(part, part.notebook, intake.notes, {})
                done = mark_notebook(part.notebook, outcomes, rooms)
                results = {result.function: result for result in done.results.values()}
                page = pages.page(assignment, part.notebook, Entry(name))
                found[name] = results, page, intake.notes
    return found


@pytest.mark.parametrize("name", SEEN)
def test_each_kind_has_its_points_its_name_and_its_words(marked, name):
    results, page, notes = marked[name]
    got = {f: (result.points, result.mistake) for f, result in results.items()}
    right = {f: (25, "") for f in results}
    assert got == right | {
        f: (points, mistake) for f, (_, points, mistake, _) in SEEN[name].items()
    }
    assert notes == []
    text = html.unescape(re.sub(r"</?code>", "`", page))
    for *_, said in SEEN[name].values():
        assert said in text
