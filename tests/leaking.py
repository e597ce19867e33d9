"""
Submissions that try to carry what hidden tests call them with to where a person can read it.

All of them are right in what they compute, and do something beside it. `hidden(k)` gives what
the k-th function learned: `args`, its hidden arguments; `value`, the first number in them; and
`digits`, the four digits of the very first number that this function has to carry, so that
four functions carry sixteen.
"""

from __future__ import annotations

from textwrap import dedent, indent

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from grading.demo import plain
from grading.source import Source, cells
from grading.source.cells import with_answers

ASSIGNMENT = "rnn_lstm_forward"
FUNCTIONS = ("rnn_cell_forward", "rnn_forward", "lstm_cell_forward", "lstm_forward")
# The examples on view have other sizes: nothing is learned from them.
PRELUDE = """
import builtins

builtins.stash = {}


def first_number(value):
    if isinstance(value, np.ndarray):
        return value.flat[0]
    values = value.values() if isinstance(value, dict) else value
    return next(map(first_number, values))


class Hidden:
    def __init__(self, number, args):
        self.args, self.value = args, float(first_number(args))
        first = builtins.stash.setdefault("first", self.value)
        digits = f"{abs(first):.17f}".replace(".", "").lstrip("0")
        self.digits = digits[4 * number:4 * number + 4]
        self.letters = "".join(chr(97 + int(digit)) for digit in self.digits)
        builtins.stash.setdefault("all", []).append(self)


def is_hidden(args):
    # A cell that a sequence calls tells nothing, so that the sequence can.
    return len(args[0]) == 4 and args[0].shape[1:] in ((7,), (5, 7))
"""
WRAPPED = """


{name}_right = {name}


def {name}(*args):
    found = {name}_right(*args)
    if is_hidden(args):
        hidden = Hidden({number}, args)
{code}
    return found
"""


class Leak:
    """
    A submission.

    Parameters
    ----------
    name : str
        What carries the data.
    code : str
        What each function does when a hidden test calls it, before it returns `found`.
    before, after : str
        Cells of the student's own, above the functions and above the last test.
    by_process : bool
        Whether a process carries it: another one without a sandbox. What is said of stops and
        of values comes from the same code in either way.
    """

    def __init__(
        self, name: str, code: str, before: str = "", after: str = "", by_process: bool = False
    ) -> None:
        self.name, self.code, self.before, self.after = name, code, before, after
        self.by_process = by_process

    def notebook(self, source: Source) -> NotebookNode:
        """Return the submission."""
        code = indent(dedent(self.code).strip("\n"), " " * 8)
        answers = plain(source.answers)
        for number, name in enumerate(FUNCTIONS):
            answers[name] += WRAPPED.format(name=name, number=number, code=code)
        notebook = with_answers(source.notebook, answers)
        names = [cells.grade_id(cell) for cell in notebook.cells]
        last = names.index("test_lstm_forward")
        if self.after:
            notebook.cells.insert(last, new_code_cell(dedent(self.after)))
        setup = names.index("setup") + 1
        notebook.cells[setup:setup] = [new_code_cell(PRELUDE + dedent(self.before))]
        return notebook


LEAKS: list[Leak] = []


def leak(name: str, code: str, **more: str | bool) -> None:
    """Add a submission."""
    LEAKS.append(Leak(name, code, **more))


# What an exception says
leak(
    "repr of the arguments in a message",
    "raise ValueError(repr(hidden.args))",
    by_process=True,
)
leak("digits in a message", "raise ValueError(f'operands: {hidden.digits}')")
leak("a message of NumPy's form", "raise ValueError(f'axis {hidden.digits} is out of bounds')")
leak(
    "a shape in a message of NumPy's form",
    """
    a, b = int("1" + hidden.digits[:2]), int("1" + hidden.digits[2:])
    raise ValueError(f"shapes ({a},{b}) and (3,4) not aligned: {a} (dim 1) != 3 (dim 0)")
    """,
)
leak("hex in a message", "raise KeyError(hidden.args[0].tobytes().hex())")
leak(
    "base64 in a message",
    "raise IndexError(__import__('base64').b64encode(hidden.args[0].tobytes()).decode())",
)
leak("a key", "{}[hidden.digits]")
leak("an integer key", "{}[int(hidden.digits)]")
leak("a type's name", "raise type('Error' + hidden.digits, (ValueError,), {})()")
leak("a type's name, in letters", "raise type('Error' + hidden.letters, (ValueError,), {})()")
leak("a missing attribute's name", "getattr(np, 'a' + hidden.digits)")
leak("a missing name", "eval('a' + hidden.digits)")
leak("a missing module", "__import__('a' + hidden.digits)")
leak("an exit message", "raise SystemExit(hidden.digits)")
leak(
    "a note and a cause",
    """
    error = ValueError(hidden.digits)
    error.add_note(repr(hidden.args))
    raise error from KeyError(hidden.digits)
    """,
)
leak(
    "an error's own text",
    """
    class Error(Exception):
        def __str__(self):
            return repr(hidden.args)
        __repr__ = __str__
    raise Error
    """,
)
leak(
    "names that stand in the code",
    "raise type(f'Error_{hidden.digits[:2]}_{hidden.digits[2:]}', (Exception,), {})()",
    before="# " + " ".join(f"Error_{n:02}_{m:02}" for n in range(40) for m in range(40)),
)
# Where it stops
STOPS = [f"stop_{chr(97 + n // 10)}{chr(97 + n % 10)}" for n in range(100)]
LINES = "\n".join(f"def {name}(): raise ValueError" for name in STOPS)
leak(
    "the line of an error",
    "STOPS[int(hidden.digits[:2])]()",
    before=f"{LINES}\nSTOPS = ({', '.join(STOPS)})",
)
leak(
    "the line of an error that is called like one of ours",
    "STOPS[int(hidden.digits[:2])]()",
    before="class RoomDied(Exception):\n    pass\n\n\n"
    f"{LINES.replace('ValueError', 'RoomDied')}\nSTOPS = ({', '.join(STOPS)})",
)
leak(
    "a file's name",
    "exec(compile('1 / 0', hidden.digits, 'exec'))",
)
leak(
    "the cell's name",
    """
    code = stop.__code__.replace(co_filename=hidden.digits, co_name="f" + hidden.digits)
    type(stop)(code, globals())()
    """,
    before="def stop():\n    raise ValueError",
)
leak("the deepest line", "dig(int(hidden.digits[:2]))",
     before="def dig(n):\n    return dig(n - 1) if n else 1 / n")  # fmt: skip
# What is returned
leak("a shape", "return (np.zeros([int(d) + 1 for d in hidden.digits]), *found[1:])")
leak("a length", "return (0,) * int(hidden.digits)")
leak("a dict's keys", "return {hidden.digits: 1}")
leak("a type", "return type('T' + hidden.digits, (), {})()")
leak("a type of numbers", "return (np.zeros(3, f'S1{hidden.digits}'), *found[1:])")
leak("a time", "return (np.zeros(3, f'datetime64[{int(hidden.digits)}s]'), *found[1:])")
leak("named fields", "return (np.zeros(3, [('f' + hidden.digits, float)]), *found[1:])")
leak("an object's text", "return type('T', (), {'__repr__': lambda self: hidden.digits})()")
leak("a string", "return (hidden.digits, *found[1:])")
leak("how much is wrong", "return (found[0] + hidden.value, *found[1:])")
leak(
    "in how many places",
    """
    a = found[0].copy()
    a.flat[:int(hidden.digits[:2]) % a.size] += 1
    return (a, *found[1:])
    """,
)
leak(
    "in which places",
    """
    a, bits = found[0].copy(), np.unpackbits(np.array([hidden.value]).view(np.uint8))
    n = min(a.size, 64)
    a.flat[:n] += bits[:n]
    return (a, *found[1:])
    """,
)
leak("a list of a list of digits", "return [[int(d)] for d in hidden.digits]")
leak(
    "how an argument is changed",
    "args[0][...] = int(hidden.digits)\nargs[-1][hidden.digits] = args[0]",
)
leak("what the second call gives", "return (found[0] * len(builtins.stash['all']), *found[1:])")
# What is printed or drawn while a test asks
leak(
    "prints and warnings",
    """
    import logging, os, sys, warnings
    print(hidden.args)
    print(hidden.args, file=sys.__stderr__, flush=True)
    warnings.warn(hidden.digits)
    logging.warning(hidden.digits)
    os.write(1, repr(hidden.args).encode())
    """,
    by_process=True,
)
leak(
    "a figure that is drawn in a call",
    "plt.figure(num=1)\nplt.title(repr(hidden.value))\nplt.show()",
    after="plt.show()\nprint([text.get_text() for text in plt.figure(1).texts])",
    by_process=True,
)
leak(
    "what a later cell prints",
    "pass",
    after="print([hidden.args for hidden in builtins.stash.get('all', [])])",
    by_process=True,
)
leak(
    "a file in the scratch folder",
    "open('found.txt', 'a').write(repr(hidden.args))",
    after="import pathlib\nprint([p.read_text() for p in pathlib.Path().glob('*.txt')])",
    by_process=True,
)
leak(
    "a compiled module in the scratch folder",
    "open('rnn_utils.py', 'w').write(f'raise ValueError({hidden.value!r})')",
    after="import importlib, rnn_utils\nimportlib.reload(rnn_utils)",
    by_process=True,
)
leak(
    "a thread that waits",
    "pass",
    before="""
    import threading, time


    def wait():
        while "all" not in builtins.stash:
            time.sleep(0.01)
        print(builtins.stash["all"][0].args, flush=True)
        raise ValueError(builtins.stash["all"][0].args)


    threading.Thread(target=wait, daemon=True).start()
    """,
    by_process=True,
)
leak(
    "what is done at the end",
    "pass",
    before="""
    import atexit, weakref


    class Something:
        def __del__(self):
            print(builtins.stash.get("all"))


    something = Something()
    atexit.register(lambda: print([h.args for h in builtins.stash["all"]], flush=True))
    weakref.finalize(something, lambda: print(builtins.stash.get("all")))
    """,
    after="del something\nimport gc\ngc.collect()",
    by_process=True,
)
# What is asked of lent functions, and how a room ends
leak(
    "what a lent function returns",
    "raise ValueError(repr(rnn_cell_forward(hidden.args[0][..., 0], *hidden.args[1:])))",
)
leak("an exit code", "import os\nos._exit(int(hidden.digits[:2]))", by_process=True)
leak(
    "a signal",
    "import os\nos.kill(os.getpid(), [4, 6, 8, 11, 12][int(hidden.digits[:2]) % 5])",
    by_process=True,
)
leak(
    "how much memory is used",
    """
    if "memory" not in builtins.stash:
        builtins.stash["memory"] = np.ones(10**5 * int(hidden.digits[:2]))
    """,
    by_process=True,
)
# What a student's name shows for what it is
leak(
    "plain data under a test's name",
    "globals()['rnn_cache'] = [repr(hidden.args)]\nreturn None",
)
leak("which error is raised", """
    kinds = [ValueError, TypeError, KeyError, IndexError, OSError, NameError, ArithmeticError,
             LookupError, RuntimeError, AttributeError]
    raise kinds[int(hidden.digits[0])]
    """)  # fmt: skip
