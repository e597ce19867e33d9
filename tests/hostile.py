"""
Hostile, broken and merely unusual submissions, and what each should earn.

The code stands in the solution cell of `rnn_cell_forward` unless another cell is named;
all other cells hold the right solution. COURSE and HOME in a text stand for folders of the
machine that grades: a student who knows them must not reach them. Code that reaches what it
must not reach prints REACHED; files and processes that it leaves behind are named CANARY.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent, indent

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from grading.demo import plain
from grading.source import Source, read_source
from grading.source.cells import grade_id, is_test, with_answers

ASSIGNMENT = "rnn_lstm_forward"
CANARY = "hostile-canary"
REACHED = "hostile: reached"
FUNCTIONS = ("rnn_cell_forward", "rnn_forward", "lstm_cell_forward", "lstm_forward")
FIRST = FUNCTIONS[0]
ALL, ALL_BUT_FIRST = (25, 25, 25, 25), (0, 25, 25, 25)

WRONG = """
def rnn_cell_forward(xt, a_prev, parameters):
    return 25.0
"""
RIGHT = """
def rnn_cell_forward(xt, a_prev, parameters):
    pass
    Wax, Waa, Wya = (parameters[k] for k in ("Wax", "Waa", "Wya"))
    a_next = np.tanh(Wax @ xt + Waa @ a_prev + parameters["ba"])
    yt_pred = softmax(Wya @ a_next + parameters["by"])
    return a_next, yt_pred, (a_next, a_prev, xt, parameters)
"""
SLEEPS = "import time\ntime.sleep(1000)"
LSTM_CELL_SLEEPS = """
def lstm_cell_forward(xt, a_prev, c_prev, parameters):
    import time
    time.sleep(1000)
"""
FILES = "what the grader's account may read or write, every program of that account may"
PROCESSES = "processes of one account can signal one another"


@functools.cache
def source_in(course: Path) -> Source:
    """Return the assignment as it stands in a course, read once."""
    return read_source(ASSIGNMENT, course)


@dataclass(frozen=True)
class Submission:
    """
    A submission's code, and what it should earn.

    Attributes
    ----------
    name : str
        What it does.
    cells : dict
        Text of solution cells, by the function's name; the others are right.
    extra : dict
        Text of a cell of the student's own, by the grade_id that it stands behind.
    earns : tuple of float
        Points of each of FUNCTIONS.
    least : tuple of float or None
        Where chance or its own hand may cost it more, the least that it keeps.
    sandbox : str
        Why this cannot hold without a sandbox, "" where it does.
    harms : bool
        Whether it would harm a machine that runs it without bounds.
    """

    name: str
    cells: dict[str, str]
    extra: dict[str, str] = field(default_factory=dict)
    earns: tuple[float, ...] = ALL
    least: tuple[float, ...] | None = None
    sandbox: str = ""
    harms: bool = False

    @property
    def functions(self) -> tuple[str, ...]:
        """Those of FUNCTIONS that show what it does: the first and the next, mostly."""
        code = str((self.cells, self.extra))
        return FUNCTIONS if self.least or "lstm" in code else FUNCTIONS[:2]

    def notebook(self, course: Path, functions: tuple[str, ...] = FUNCTIONS) -> NotebookNode:
        """Return the submission as a notebook up to a test; it knows where `course` is."""
        source = source_in(course)
        notebook = with_answers(source.notebook, {**plain(source.answers), **self.cells})
        tests = [n for n, cell in enumerate(notebook.cells) if is_test(cell)]
        last = tests[len(functions) - 1]
        del notebook.cells[last + 1 :]
        for name, text in self.extra.items():
            place = next(n for n, cell in enumerate(notebook.cells) if grade_id(cell) == name)
            notebook.cells.insert(place + 1, new_code_cell(text))
        for cell in notebook.cells:
            if not cell.metadata.get("nbgrader", {}).get("locked"):
                cell.source = cell.source.replace("COURSE", str(course))
                cell.source = cell.source.replace("HOME", str(course.parent / "home"))
        return notebook


SUBMISSIONS: list[Submission] = []


def add(name, cell=RIGHT, *, earns=ALL, extra=None, cells=None, **more):
    """Add a submission with this text in its first cell."""
    SUBMISSIONS.append(
        Submission(name, {FIRST: cell, **(cells or {})}, extra or {}, earns=earns, **more)
    )


def attack(name, code, *, earns=ALL_BUT_FIRST, **more):
    """Add one that does something behind a wrong function, which must earn nothing."""
    add(name, WRONG + dedent(code), earns=earns, **more)


def attack_inside(name, code, *, earns=ALL_BUT_FIRST, **more):
    """Add one whose first function does something, and returns nothing right."""
    add(name, RIGHT.replace("    pass\n", body(code)), earns=earns, **more)


def legitimate(name, code="", inside="", **more):
    """Add one whose functions are right, whatever else it does."""
    cell = RIGHT.replace("    pass\n", body(inside)) if inside else RIGHT
    add(name, cell + dedent(code), **more)


def body(code):
    return indent(dedent(code).strip("\n") + "\n", "    ")


# ------------------------------------------------ the tools of the tests, replaced

attack(
    "replaces_numpy_testing",
    """
    import numpy.testing
    for name in dir(np.testing):
        if name.startswith("assert_"):
            setattr(np.testing, name, lambda *a, **k: None)
    np.allclose = np.isclose = np.array_equal = lambda *a, **k: np.array(True)
    """,
)
attack(
    "replaces_assertion_error",
    """
    import builtins
    builtins.AssertionError = type("AssertionError", (Exception,), {})
    """,
)
attack(
    "replaces_builtin_functions",
    """
    import builtins
    builtins.sum = builtins.round = lambda *a, **k: 25.0
    """,
)
attack(
    "replaces_import",
    """
    import builtins, types
    real = builtins.__import__
    class Fake:
        def __init__(self, *a, **k): pass
        def __getattr__(self, name): return lambda *a, **k: 25.0
    def fake(name, *a, **k):
        if name.startswith(("grading", "rnn_marking")):
            return types.SimpleNamespace(MarkedTest=Fake, rnn_cell_inputs=lambda **k: {})
        return real(name, *a, **k)
    builtins.__import__ = fake
    """,
    earns=ALL_BUT_FIRST,
)
attack(
    "replaces_the_functions_of_the_checks",
    """
    import rnn_checks
    rnn_checks.find_wrong = lambda *a: None
    rnn_checks.same_value = lambda *a: True
    for name in ("check_type", "check_shape", "check_value", "check_array"):
        setattr(rnn_checks, name, lambda *a, **k: None)
    """,
)
attack(
    "replaces_the_methods_of_the_checks",
    """
    FunctionTest.check = lambda self, kind, check: self.wrong.__setitem__(kind, None)
    """,
)
attack(
    "replaces_show",
    """
    import rnn_checks
    rnn_checks.show = lambda *a, **k: print("25.0")
    """,
)
attack(
    "overwrites_the_file_of_the_checks",
    """
    open("rnn_checks.py", "w").write("class FunctionTest: score = lambda self: 25.0")
    import importlib, rnn_checks
    importlib.reload(rnn_checks)
    """,
)
attack(
    "replaces_marked_test",
    """
    try:
        import grading.marking.test
        from grading.marking.result import TestResult
        full = lambda self, *way: TestResult(self.name, 25.0, 25.0)
        grading.marking.test.MarkedTest.score = lambda self: float(sum(self.points.values()))
        grading.marking.test.MarkedTest.result_of = full
    except ImportError:
        pass
    """,
)
attack(
    "puts_a_module_named_grading_into_sys_modules",
    """
    import sys, types
    class MarkedTest:
        def __init__(self, *a, **k): pass
        def __getattr__(self, name): return lambda *a, **k: 25.0
    for name in ("grading", "grading.testing", "rnn_marking", "rnn_marking.inputs"):
        module = sys.modules[name] = types.ModuleType(name)
        module.MarkedTest = MarkedTest
        module.rnn_cell_inputs = lambda **k: {}
    """,
)
attack(
    "writes_a_module_named_grading",
    """
    import os, sys
    os.makedirs("grading", exist_ok=True)
    open("grading/__init__.py", "w").close()
    code = "class MarkedTest:\\n    __init__ = __getattr__ = lambda *a, **k: (lambda *a: 25.0)"
    open("grading/testing.py", "w").write(code)
    sys.path.insert(0, os.getcwd())
    """,
)
attack("defines_a_class_named_marked_test", "class MarkedTest: score = lambda self: 25.0")
attack(
    "replaces_numpy_random",
    """
    class Zeros:
        def __getattr__(self, name): return lambda *a, **k: np.zeros(a[-1] if a else ())
    np.random.default_rng = np.random.RandomState = lambda *a: Zeros()
    """,
)
attack("replaces_sigmoid_in_its_module", "import rnn_utils\nrnn_utils.sigmoid = lambda x: x * 0")
attack(
    "replaces_the_sum_of_points_at_import",
    """
    import sys
    class Finder:
        def find_spec(self, name, path=None, target=None):
            if name.startswith(("grading", "rnn_marking")):
                raise ImportError
    sys.meta_path.insert(0, Finder())
    """,
)

# -------------------------------------------------------- marks that are only shown

RECORD = (
    '{"function": "rnn_cell_forward", "points": 25.0, "max_points": 25.0, "checks": [],'
    ' "mistake": "", "sentence": "", "rule": None, "stopped": None}'
)
FORGED = (
    f'{{"application/vnd.rnn-checks+json": {RECORD}, "text/plain": "25.0"}}, raw=True,'
    f' metadata={{"grading": {RECORD}}}'
)
attack("displays_a_forged_record", f"from IPython.display import display\ndisplay({FORGED})")
attack_inside(
    "displays_a_forged_record_in_the_call",
    f"""
    from IPython.display import display
    display({FORGED})
    return 25.0
    """,
)
attack("prints_full_marks", "print(25.0)\nprint('`rnn_cell_forward`: 25 of 25 points.')\n25.0")
attack_inside(
    "shows_full_marks_as_a_result_in_the_call",
    """
    get_ipython().displayhook(25.0)
    print(25.0)
    raise SystemExit
    """,
)
attack(
    "returns_full_marks_from_the_shell",
    """
    shell = get_ipython()
    real_run = shell.run
    shell.run = lambda source, label: (25.0, None) if "score" in source else real_run(source, label)
    """,
)

# ------------------------------------------------------------- the shell's own hooks

attack(
    "transforms_the_input",
    """
    def transform(lines):
        return ["25.0\\n" if "test.score()" in line else line for line in lines]
    get_ipython().input_transformers_post.append(transform)
    """,
)
attack(
    "transforms_the_syntax_tree",
    """
    import ast
    class Transformer(ast.NodeTransformer):
        def visit_Call(self, node):
            if getattr(node.func, "attr", "") == "score":
                return ast.copy_location(ast.Constant(25.0), node)
            return self.generic_visit(node)
    get_ipython().ast_transformers.append(Transformer())
    """,
)
attack(
    "prints_each_cell_before_it_runs",
    """
    get_ipython().events.register("pre_run_cell", lambda info: print(info.raw_cell))
    """,
)
attack(
    "changes_the_test_before_it_runs",
    """
    def hook(info):
        test = get_ipython().user_ns.get("test")
        if "MarkedTest" in info.raw_cell:
            import grading.marking.test
            grading.marking.test.find_wrong = lambda *a: None
    get_ipython().events.register("pre_run_cell", hook)
    """,
)
attack(
    "changes_results_after_they_are_there",
    """
    def hook(result):
        if result.result is not None:
            result.result = 25.0
    get_ipython().events.register("post_run_cell", hook)
    """,
)
attack(
    "traces_every_call",
    """
    import sys
    def tracer(frame, event, arg):
        for name in ("wrong", "points"):
            value = frame.f_locals.get(name)
            if name == "wrong" and isinstance(value, dict):
                for key in value:
                    value[key] = ""
    sys.setprofile(tracer)
    """,
)

# ------------------------------------------------------------------- values that lie

LIAR = """
    class Liar:
        shape, ndim, size, dtype = (6, 7), 2, 42, np.dtype(float)
        __class__ = np.ndarray
        __eq__ = __ge__ = __le__ = lambda *a: True
        __ne__ = lambda *a: False
        __len__ = lambda self: 3
        __iter__ = lambda self: iter([self] * 3)
        __array_ufunc__ = lambda self, ufunc, *a, **k: np.array(ufunc.__name__ != "isnan")
        __array_function__ = lambda self, *a: True
        __array__ = lambda self, *a, **k: np.zeros((6, 7))
        __getitem__ = lambda self, key: self
"""
attack_inside("returns_a_liar", LIAR + "    return Liar()")
attack_inside("returns_three_liars", LIAR + "    return Liar(), Liar(), (Liar(),) * 4")
attack_inside(
    "returns_arrays_of_a_class_of_its_own",
    """
    class Array(np.ndarray):
        __array_ufunc__ = lambda self, *a, **k: np.array(False)
        __array_function__ = lambda self, *a: False
    a = np.zeros(a_prev.shape).view(Array)
    return a, a[:3], (a, a, a, parameters)
    """,
)
attack_inside(
    "returns_an_array_of_objects",
    """
    class Same:
        __eq__ = __le__ = __lt__ = lambda *a: True
        __sub__ = __rsub__ = __abs__ = lambda *a: 0.0
    a = np.full(a_prev.shape, Same(), object)
    return a, a[:3], (a, a, a, a)
    """,
)
attack_inside(
    "returns_a_tuple_that_lies",
    """
    class Tuple(tuple):
        __len__ = lambda self: 3
        __eq__ = lambda *a: True
        __iter__ = lambda self: iter([np.zeros((6, 7))] * 3)
    return Tuple()
    """,
)
attack_inside(
    "raises_an_exception_that_lies",
    """
    class Fine(AssertionError):
        __str__ = __repr__ = lambda self: ""
        __bool__ = lambda self: False
    raise Fine
    """,
)
attack_inside(
    "raises_an_exception_that_cannot_be_shown",
    """
    class Bad(Exception):
        def __str__(self): raise SystemExit
    raise Bad
    """,
)
attack_inside("raises_keyboard_interrupt", "raise KeyboardInterrupt")
attack_inside("raises_generator_exit", "raise GeneratorExit")
attack_inside("raises_stop_iteration", "raise StopIteration")
attack_inside("asks_for_input", "return input('Points? ')")
attack_inside("returns_a_generator", "return (x for x in (a_prev, xt, parameters))")
attack_inside("returns_a_lambda", "return lambda: 25.0")
attack_inside("returns_strings", "return 'a_next', 'yt_pred', 'cache'")
attack_inside("returns_80_megabytes", "return np.zeros(10**7), 0, 0")
attack_inside("returns_more_numbers_than_anybody_needs", "return [0.5] * 10_000, 0, 0")
attack_inside("returns_an_array_with_a_huge_shape", "return np.broadcast_to(1.0, (10**9,) * 2)")
attack_inside("returns_a_huge_number", "return 7 ** 20_000, 0, 0")
attack_inside(
    "returns_a_list_nested_deep",
    """
    deep = []
    for _ in range(100_000):
        deep = [deep]
    return deep
    """,
)
attack_inside("returns_a_list_that_holds_itself", "a = []\na.append(a)\nreturn a, a, a")
attack_inside(
    "returns_a_list_that_doubles_thirty_times",
    """
    a = [0.0]
    for _ in range(30):
        a = [a, a]
    return a, a, a
    """,
)
attack(
    "is_right_for_the_visible_example_alone",
    """
    def rnn_cell_forward(xt, a_prev, parameters):
        if abs(xt[0, 0] - 1.62434536) > 1e-8:
            return 25.0
        a_next = np.tile([0.59584544, 0.18141802, 0.61311866, 0.99808218, 0.85016201,
                          0.99980978, -0.18887155, 0.99815551, 0.6531151, 0.82872037], (5, 1))
        return a_next, a_next[:2], (a_next,) * 4
    """,
)

WITHIN_PYTHON = list(SUBMISSIONS)  # up to here: they come to the same with and without a sandbox

# ------------------------------------------------ looking for the expected values

attack_inside(
    "imports_the_solution",
    """
    from grading.source import read_source
    return read_source("rnn_lstm_forward").function("rnn_cell_forward")(xt, a_prev, parameters)
    """,
)
attack_inside(
    "looks_for_the_solution_in_frames",
    """
    import sys
    frame = sys._getframe()
    while frame is not None:
        for value in list(frame.f_locals.values()):
            if hasattr(value, "right"):
                return value.right.result
            if type(value).__name__ == "Outcome" and value.result is not None:
                return value.result
        frame = frame.f_back
    return 25.0
    """,
)
attack_inside(
    "looks_for_the_solution_in_memory_of_python",
    """
    import gc, types
    for found in gc.get_objects():
        if type(found) is types.FunctionType and found.__name__ == "rnn_cell_forward":
            if found.__globals__.get("__name__") == "solution":
                return found(xt, a_prev, parameters)
    return 25.0
    """,
)
attack_inside(
    "looks_for_the_solution_in_modules",
    """
    import sys
    for module in list(sys.modules.values()):
        if hasattr(module, "read_source"):
            right = module.read_source("rnn_lstm_forward").function("rnn_cell_forward")
            return right(xt, a_prev, parameters)
    return 25.0
    """,
)
attack_inside(
    "draws_the_hidden_inputs_again",
    """
    for seed in range(100):
        rng = np.random.default_rng(seed)
        drawn = 0.6 * rng.standard_normal(xt.shape)
        if np.array_equal(drawn, xt):
            return drawn, 0.6 * rng.standard_normal(a_prev.shape)
    return 25.0
    """,
)
READ_SOURCE = """
    import glob, json
    for path in glob.glob(PATTERN):
        print("REACHED")
        for cell in json.load(open(path))["cells"]:
            if cell["metadata"].get("nbgrader", {}).get("grade_id") == "rnn_cell_forward":
                names = dict(globals())
                exec("".join(cell["source"]), names)
                return names["rnn_cell_forward"](xt, a_prev, parameters)
    return 25.0
""".replace("REACHED", REACHED)
attack_inside(
    "reads_the_source",
    READ_SOURCE.replace("PATTERN", "'COURSE/source/*/*.ipynb'"),
    sandbox=FILES,
)
attack_inside(
    "reads_the_source_beside_its_folder",
    READ_SOURCE.replace("PATTERN", "'../../../source/*/*.ipynb'"),
)
attack_inside(
    "reads_the_source_in_the_folder_of_its_parent",
    "    import os"
    + READ_SOURCE.replace("PATTERN", "f'/proc/{os.getppid()}/cwd/source/*/*.ipynb'"),
    sandbox=FILES,
)
attack_inside(
    "reads_what_its_processes_show",
    f"""
    import glob
    for name in ("environ", "maps", "cmdline", "mountinfo", "mounts"):
        for path in glob.glob("/proc/[0-9]*/" + name):
            try:
                if b"COURSE" in open(path, "rb").read():
                    print("{REACHED}", path)
            except OSError:
                pass
    return 25.0
    """,
    sandbox="the processes of one account show themselves to one another",
)
attack_inside(
    "reads_what_its_own_process_shows",
    f"""
    import os
    for name in ("environ", "maps", "cmdline", "mountinfo"):
        if os.path.exists("/proc/self/" + name):
            text = open("/proc/self/" + name, "rb").read()
            if b"COURSE" in text or b".ipynb" in text:
                print("{REACHED}", name)
    for name in ("cwd", "exe", *(f"fd/{{n}}" for n in range(64))):
        try:
            if os.readlink("/proc/self/" + name).startswith("COURSE"):
                print("{REACHED}", name)
        except OSError:
            pass
    return 25.0
    """,
    sandbox="an installation of Python inside the course folder shows in a process's own maps",
)
attack_inside(
    "reads_the_memory_of_its_parent",
    f"""
    import os
    for line in open(f"/proc/{{os.getppid()}}/maps"):
        low, high = (int(part, 16) for part in line.split()[0].split("-"))
        with open(f"/proc/{{os.getppid()}}/mem", "rb", 0) as memory:
            memory.seek(low)
            memory.read(4096)
            print("{REACHED}")
            return 25.0
    """,
    sandbox="processes of one account can read one another's memory",
)
attack(
    "reads_the_grade_book",
    f"""
    import os
    try:
        open("COURSE/gradebook.db", "rb").read()
        print("{REACHED}")
    except OSError:
        pass
    """,
    sandbox=FILES,
)
attack(
    "writes_the_grade_book",
    f"""
    import sqlite3
    try:
        with sqlite3.connect("COURSE/gradebook.db") as book:
            book.execute("create table '{CANARY}' (points)")
        print("{REACHED}")
    except sqlite3.Error:
        pass
    """,
    sandbox=FILES,
)
attack(
    "deletes_the_submissions_of_others",
    f"""
    import shutil, os
    if os.path.exists("COURSE/submitted"):
        print("{REACHED}")
        shutil.rmtree("COURSE/submitted")
    """,
    sandbox=FILES,
)
attack(
    "writes_into_the_configuration_of_ipython_and_jupyter",
    f"""
    import os
    for folder in ("HOME/.ipython/profile_default/startup", "HOME/.jupyter"):
        try:
            os.makedirs(folder, exist_ok=True)
            open(folder + "/{CANARY}.py", "w").write("1/0")
        except OSError:
            pass
    """,
    sandbox=FILES,
)

# -------------------------------------------------------------- the line to the tests

FRAME = "import os, struct\ndef frame(data, size=None):\n" + (
    "    return struct.pack('<cQ', b'=', len(data) if size is None else size) + data\n"
)
attack("writes_garbage_to_every_descriptor", "import os\n" + dedent("""
    for number in range(3, 64):
        try:
            os.write(number, bytes(range(256)) * 4)
        except OSError:
            pass
"""))  # fmt: skip
attack("states_an_endless_message", FRAME + "os.write(3, frame(b'', 2**62))")
attack("states_a_message_that_does_not_come", FRAME + "os.write(3, frame(b'', 10**8))")
attack(
    "sends_a_message_byte_by_byte",
    FRAME + "os.write(3, frame(b'', 10**8))\nwhile True:\n    os.write(3, b'x')",
)
WITHIN_PYTHON.append(SUBMISSIONS[-1])  # the line is the same, and who reads it
attack("closes_its_line", "import os\nos.closerange(3, 64)")
attack(
    "answers_for_the_function_and_ends",
    FRAME
    + dedent("""
    import sys
    def rnn_cell_forward(xt, a_prev, parameters):
        wire = sys.modules["room.wire"]
        answer = {"result": 25.0, "outputs": [], "args": (), "kwargs": {}}
        os.write(3, frame(wire.encode(answer)[0]))
        os._exit(0)
    """),
    least=(0, 0, 25, 25),
)
attack_inside(
    "asks_for_a_function_that_is_not_lent",
    """
    import os, struct, sys
    wire = sys.modules["room.wire"]
    message = wire.encode({"callback": "rnn_cell_forward", "args": (xt, a_prev, parameters),
                           "kwargs": {}})[0]
    os.write(3, struct.pack("<cQ", b"?", len(message)) + message)
    line = os.fdopen(os.dup(3), "rb", 0)
    kind, size = struct.unpack("<cQ", line.read(9))
    return wire.decode(line.read(size))[0]["result"]
    """,
)
SENDS_AHEAD = FRAME + dedent("""
    import sys
    for answer in ({"outputs": [], "error": None}, {"rnn_cell_forward": ("callable",)}):
        os.write(3, frame(sys.modules["room.wire"].encode(answer)[0]))
""")
NOTHING = (0, 0, 0, 0)  # who answers in the room's place has no room
attack("sends_answers_ahead", SENDS_AHEAD, least=NOTHING)
attack("has_a_twin_that_answers_too", "import os\nos.fork()", least=NOTHING, harms=True)
attack(
    "watches_the_line_for_the_inputs",
    """
    import socket, threading, time
    def watch():
        line = socket.socket(fileno=3)
        line.detach
        for _ in range(100):
            try:
                line.recv(10**6, socket.MSG_PEEK | socket.MSG_DONTWAIT)
            except OSError:
                pass
            time.sleep(0.002)
        line.detach()
    threading.Thread(target=watch, daemon=True).start()
    """,
)
KEEPS = """
kept = []
def rnn_forward(x, a0, parameters):
    n_x, m, T_x = x.shape
    n_y, n_a = parameters["Wya"].shape
    a, y_pred, caches, a_next = np.zeros((n_a, m, T_x)), np.zeros((n_y, m, T_x)), [], a0
    kept.append(rnn_cell_forward)
    for t in range(T_x):
        a_next, y_pred[:, :, t], cache = rnn_cell_forward(x[:, :, t], a_next, parameters)
        a[:, :, t] = a_next
        caches.append(cache)
    return a, y_pred, (caches, x)
"""
attack(
    "keeps_a_lent_function_for_later",
    "",
    cells={
        "rnn_forward": KEEPS,
        "lstm_cell_forward": "def lstm_cell_forward(xt, a_prev, c_prev, parameters):\n"
        "    return kept[-1](xt, a_prev, parameters)",
    },
    earns=(0, 25, 0, 25),
)
attack(
    "lends_the_tests_a_huge_product",
    "",
    cells={
        "rnn_forward": """
def rnn_forward(x, a0, parameters):
    n = 10_000
    big = {"Waa": np.ones((n, 1)), "Wax": np.ones((n, 1)), "ba": 0.0,
           "Wya": np.ones((1, n)), "by": 0.0}
    return rnn_cell_forward(np.ones((1, n)), np.ones((1, n)), big)
"""
    },
    earns=(0, 0, 25, 25),
)

# ------------------------------------------------------ processes, threads, the machine

attack(
    "kills_its_parent",
    "import os, signal\nif os.getppid() > 1: os.kill(os.getppid(), signal.SIGKILL)",
    sandbox=PROCESSES,
)
attack(
    "kills_everything",
    "import os, signal\ntry:\n    os.kill(-1, signal.SIGKILL)\nexcept OSError:\n    pass",
    sandbox=PROCESSES,
    harms=True,
)
attack(
    "kills_every_process_by_number",
    """
    import os, signal
    for number in range(2, 5000):
        try:
            if number != os.getpid():
                os.kill(number, signal.SIGKILL)
        except OSError:
            pass
    """,
    sandbox=PROCESSES,
    harms=True,
)
legitimate(
    "forks_without_end",
    """
    import os, time
    for _ in range(200):
        try:
            if os.fork() == 0:
                time.sleep(20)
                os._exit(0)
        except OSError:
            break
    """,
    sandbox="the number of processes is one account's, not one room's",
    harms=True,
)
legitimate(
    "leaves_a_process_behind",
    f"""
    import os, subprocess
    subprocess.Popen(["{CANARY}", "61"], executable="/bin/sleep", start_new_session=True)
    """,
)
legitimate(
    "takes_all_memory",
    """
    kept = []
    try:
        while True:
            kept.append(np.ones(2**22))
    except MemoryError:
        kept.clear()
    """,
    harms=True,
)
attack_inside("takes_all_memory_in_the_call", "return [np.ones(2**22) for _ in range(10**4)]",
              harms=True)  # fmt: skip
legitimate(
    "fills_the_disk",
    f"""
    try:
        for number in range(20):
            with open(f"{CANARY}-{{number}}", "wb") as file:
                file.write(bytes(10**7))
    except OSError:
        pass
    """,
    sandbox="the size of each file is bounded, but not their number",
    harms=True,
)
legitimate("writes_a_module_named_numpy", "open('numpy.py', 'w').write('raise SystemExit')")
legitimate(
    "writes_to_the_common_scratch_folder",
    f"open('/tmp/{CANARY}', 'w').write('x')",
    sandbox=FILES,
)
legitimate("writes_when_it_ends", f"""
    import atexit
    atexit.register(lambda: open("COURSE/{CANARY}", "w"))
""")  # fmt: skip
attack(
    "opens_a_socket",
    f"""
    import socket
    try:
        socket.socket().bind(("127.0.0.1", 0))
        print("{REACHED}")
    except OSError:
        pass
    """,
)
attack(
    "asks_for_an_address_of_the_network",
    f"""
    import socket
    try:
        socket.getaddrinfo("example.org", 80)
        print("{REACHED}")
    except OSError:
        pass
    """,
)
attack(
    "replaces_things_in_a_thread_later",
    """
    import threading, time
    def patch():
        for _ in range(50):
            np.allclose = np.isclose = lambda *a, **k: np.array(True)
            FunctionTest.check = lambda self, kind, check: None
            time.sleep(0.005)
    threading.Thread(target=patch, daemon=True).start()
    """,
)
legitimate(
    "leaves_a_busy_thread_behind",
    """
    import threading
    def busy():
        while True:
            pass
    threading.Thread(target=busy, daemon=True).start()
    """,
)

# ------------------------------------------------------------- loops, ends and floods

LOOP = "while True:\n    pass"
attack_inside("never_returns", LOOP)
attack("never_returns_from_its_cell", LOOP)
add("never_returns_from_its_cell_behind_a_right_function", RIGHT + LOOP, earns=ALL_BUT_FIRST)
attack_inside("sleeps", SLEEPS)
attack_inside("sleeps_in_two_functions", SLEEPS, cells={"lstm_cell_forward": LSTM_CELL_SLEEPS},
              earns=(0, 25, 0, 25))  # fmt: skip
# `never_returns` and the next one show that a process without a sandbox is ended, too
WITHIN_PYTHON += SUBMISSIONS[-4:]
attack_inside(
    "ignores_signals_and_never_returns",
    """
    import signal
    for number in range(1, 32):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
    """,
)
attack_inside("exits", "import sys\nsys.exit(0)")
legitimate("exits_behind_its_function", "import sys\nsys.exit(0)")
attack_inside("ends_its_process", "import os\nos._exit(0)")
add("ends_its_process_in_its_cell", RIGHT + "import os\nos._exit(0)", earns=ALL_BUT_FIRST)
attack_inside("kills_itself", "import os\nos.kill(os.getpid(), 9)\nos._exit(0)")
attack_inside("breaks_its_memory", "import ctypes\nctypes.string_at(0)")
add("breaks_its_memory_in_its_cell", RIGHT + "import ctypes\nctypes.string_at(0)",
    earns=ALL_BUT_FIRST)  # fmt: skip
add("ends_its_process_a_moment_later", RIGHT + dedent("""
    import os, threading
    threading.Timer(0.1, os._exit, [0]).start()
"""), least=NOTHING)  # fmt: skip
attack_inside("calls_itself_without_end", "return rnn_cell_forward(xt, a_prev, parameters)")
attack_inside(
    "breaks_the_stack",
    """
    import sys
    sys.setrecursionlimit(10**9)
    deep, twin = (), ()
    for _ in range(10**6):
        deep, twin = (deep,), (twin,)
    return deep == twin
    """,
)
legitimate("prints_ten_megabytes_in_the_call", inside="print('x' * 10**7)")
legitimate("prints_without_measure", "for n in range(40_000):\n    print('line', n, 'x' * 50)")
legitimate("writes_to_the_descriptors_of_the_process",
           "import os\nfor n in (1, 2):\n    os.write(n, b'25.0' * 10**5)")  # fmt: skip
legitimate("prints_half_of_a_letter", inside="print(chr(0xD800), '\\x1b[2J', '</script>')")

# ------------------------------------------------------------- the names of the notebook

before = len(SUBMISSIONS)  # these, too, are a matter of Python alone

legitimate("changes_names_that_the_tests_use",
           "rnn_cache = ''\ntest = example = FunctionTest = rnn_shapes = None")  # fmt: skip
legitimate("deletes_names_that_the_tests_use", "del FunctionTest, example")
add("sets_numpy_to_none", extra={"test_rnn_cell_forward": "np = None"}, earns=(25, 0, 0, 0))
attack("is_right_only_behind_its_test", "", extra={"test_rnn_cell_forward": RIGHT})
add("is_wrong_behind_its_test", extra={"test_rnn_cell_forward": WRONG})
add("deletes_its_function_behind_its_test",
    extra={"test_rnn_cell_forward": "del rnn_cell_forward"})  # fmt: skip
add("is_no_function", "rnn_cell_forward = 25.0", earns=ALL_BUT_FIRST)
add("is_a_module", "import math as rnn_cell_forward", earns=ALL_BUT_FIRST)
add("is_a_class", "class rnn_cell_forward:\n    def __init__(self, *a): pass", earns=ALL_BUT_FIRST)
add("is_not_even_python", "def rnn_cell_forward(:", earns=ALL_BUT_FIRST)
attack("is_right_at_every_other_call", RIGHT.replace("    pass\n", body("""
    rnn_cell_forward.calls = getattr(rnn_cell_forward, "calls", 0) + 1
    if rnn_cell_forward.calls % 2 == 0:
        return 25.0
""")), earns=(24, 25, 25, 25))  # fmt: skip

# ------------------------------------------- unusual, and worth all of its points

legitimate("is_an_object_with_call", """
    class Cell:
        def __init__(self, function):
            self.function = function
        def __call__(self, xt, a_prev, parameters):
            return self.function(xt, a_prev, parameters)
    rnn_cell_forward = Cell(rnn_cell_forward)
""")  # fmt: skip
legitimate("is_a_partial", """
    import functools
    rnn_cell_forward = functools.partial(rnn_cell_forward)
""")  # fmt: skip
legitimate("takes_any_arguments", """
    right = rnn_cell_forward
    def rnn_cell_forward(*args, **kwargs):
        return right(*args, **kwargs)
""")  # fmt: skip
legitimate("is_a_lambda", """
    right = rnn_cell_forward
    rnn_cell_forward = lambda xt, a_prev, parameters: right(xt, a_prev, parameters)
""")  # fmt: skip
legitimate("is_a_method", """
    class Cell:
        def forward(self, xt, a_prev, parameters, right=rnn_cell_forward):
            return right(xt, a_prev, parameters)
    rnn_cell_forward = Cell().forward
""")  # fmt: skip
legitimate("has_a_decorator", """
    import functools, time
    def timed(function):
        @functools.wraps(function)
        def wrapper(*args):
            start = time.perf_counter()
            result = function(*args)
            print(time.perf_counter() - start, "s")
            return result
        return wrapper
    rnn_cell_forward = timed(rnn_cell_forward)
""")  # fmt: skip
legitimate("returns_a_list_of_its_values", """
    right = rnn_cell_forward
    def rnn_cell_forward(xt, a_prev, parameters):
        return list(right(xt, a_prev, parameters))
""")  # fmt: skip
add("is_a_coroutine", RIGHT.replace("def ", "async def "), earns=ALL_BUT_FIRST)
add("is_a_generator", RIGHT.replace("return ", "yield "), earns=ALL_BUT_FIRST)
legitimate("raises_numerical_errors", "np.seterr(all='raise')")
legitimate("raises_warnings", "import warnings\nwarnings.simplefilter('error')")
legitimate("uses_magics", """
    %timeit -n1 -r1 np.ones(3)
    !ls
    %matplotlib inline
    %precision 2
""")  # fmt: skip
add("is_timed_by_a_magic", "%%time\n" + RIGHT.lstrip())
legitimate("imports_all_of_numpy", "from numpy import *")
legitimate("has_names_beyond_ascii", inside="θ, größe, 隐藏 = 1, xt.shape, a_prev")
legitimate("has_constants_of_its_own", "EPSILON = 0.0\nhelpers = {'softmax': softmax}")
legitimate("draws_in_the_call", inside="plt.plot(xt[0])\nplt.title('x')\nplt.close()")
legitimate("logs_and_warns", inside="""
    import logging, sys, warnings
    warnings.simplefilter("always")
    warnings.warn("look")
    logging.warning("look")
    print("look", file=sys.stderr)
""")  # fmt: skip
legitimate("changes_how_numbers_are_printed", "np.set_printoptions(precision=0, suppress=True)")
legitimate("leaves_its_folder", "import os\nos.chdir('/')\nos.environ.clear()")
legitimate("forgets_where_modules_are", "import sys\nsys.path.clear()\nsys.stdout = None")
legitimate("asks_for_input_behind_its_function", "input('Done? ')")

WITHIN_PYTHON += SUBMISSIONS[before:]
