"""Tests that keep no record, and student objects in them: notebooks in, points and pages out."""

from __future__ import annotations

import contextlib
from textwrap import dedent

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from grading import CourseError
from grading.marking.naming import Outcomes
from grading.marking.notebook import mark_notebook
from grading.marking.plain import points_in
from grading.marking.solution import mark_solution
from grading.rooms import Limits, Nursery, stand_in
from grading.source import Assignment
from grading.source.cells import with_answers

HIDE, SHOW = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"
LIMITS = Limits(cell_seconds=3, call_seconds=0.5)


def answer(name, text):
    """A cell that students write."""
    return cell(name, text, solution=True, locked=False)


def graded(name, text, points=10):
    """A test."""
    return cell(name, text, grade=True, points=points)


def ours(name, text):
    """A locked cell that earns nothing."""
    return cell(name, text)


def cell(name, text, **settings):
    """A code cell with nbgrader's settings."""
    about = {"grade": False, "solution": False, "locked": True, "grade_id": name, **settings}
    return new_code_cell(dedent(text).strip(), id=name, metadata={"nbgrader": about})


def source(*cells, files=(), modules=()):
    """An assignment of these cells."""
    notebook = nbformat.writes(new_notebook(cells=list(cells))).encode()
    return Assignment("own", {"own.ipynb": notebook, **dict(files)}, dict(modules)).notebooks["own"]


@pytest.fixture(scope="module", params=["nested", "unprotected"])
def any_rooms(request):
    with contextlib.closing(Nursery(LIMITS, unprotected=request.param == "unprotected")) as rooms:
        yield rooms


@pytest.fixture(scope="module")
def rooms():
    with contextlib.closing(Nursery(LIMITS)) as rooms:
        yield rooms


def mark(source, rooms, **answers):
    """Mark the solution with other answers; return points and what is told, by test."""
    outcomes = Outcomes(source)
    mark_solution(outcomes, rooms)
    assert not outcomes.tried.faults
    texts = {name: dedent(text).strip() for name, text in answers.items()}
    results = mark_notebook(with_answers(source.notebook, texts), outcomes, rooms).results
    return {name: (result.points, result.note) for name, result in results.items()}


# ------------------------------------------------------------------ points

SQUARE = source(
    answer("square", "def square(x):\n    return x * x"),
    graded("asserts", f"assert square(2) == 4\n{HIDE}\nassert square(3) == 9, 'it is 9'\n{SHOW}"),
    ours("setup", "import numpy as np"),
    graded("allclose", "np.testing.assert_allclose(square(np.ones(2)), [1, 1])"),
    graded("partial", "found = [square(n) == n**2 for n in range(5)]\n2.0 * sum(found)"),
)


def test_all_points_or_none_and_a_number_is_partial_credit(any_rooms):
    assert mark(SQUARE, any_rooms) == dict.fromkeys(["asserts", "allclose", "partial"], (10, ""))
    wrong = mark(SQUARE, any_rooms, square="def square(x):\n    return 2 * x")
    assert wrong["asserts"] == (0, "a check that is not shown does not hold")
    points, note = wrong["allclose"]
    assert points == 0 and note.startswith("`np.testing.assert_allclose(square(np.ones(2)), [1")
    assert wrong["partial"] == (4, "4 of 10 points, as the test counts")
    late = mark(SQUARE, any_rooms, square="def square(x):\n    return y * x")
    assert late["asserts"] == (
        0,
        "`assert square(2) == 4` stops with NameError: name 'y' is not defined",
    )


@pytest.mark.parametrize(
    ("value", "points"),
    [
        ("None", 10), ("'fail'", 10), ("False", 10), ("'3'", 10), ("np.float64(0.0)", 0),
        ("np.array(4)", 4), ("float('nan')", 0), ("-5", 0), ("-1e-12", 0), ("10.000000001", 10),
        ("25", 10), ("float('inf')", 10), ("4", 4),
    ],
)  # fmt: skip
def test_what_a_last_value_is_worth(value, points):
    import numpy as np

    earned, wrong = points_in(eval(value, {"np": np}), 10.0)
    assert earned == points
    assert (wrong is None) == (points == 10 and value not in ("25", "float('inf')"))


def test_no_warning_costs_points(rooms):
    own = "import warnings\ndef square(x):\n    warnings.warn('slow')\n    return x * x"
    assert mark(SQUARE, rooms, square=own)["asserts"] == (10, "")


def test_what_is_told_of_a_hidden_line_is_that_it_does_not_hold(rooms):
    # the function knows what the hidden line asks, and chooses how to fail
    spy = """
        def square(x):
            if x == 3:
                raise KeyError("asked for three")
            return x * x
    """
    assert mark(SQUARE, rooms, square=spy)["asserts"] == (
        0,
        "a check that is not shown does not hold",
    )
    remembers = """
        seen = []
        def square(x):
            seen.append(str(x))
            if '3' in seen:
                raise KeyError(seen)
            return x * x
    """
    told = mark(SQUARE, rooms, square=remembers)
    assert told["allclose"] == (0, "a check that is not shown does not hold")


@pytest.mark.parametrize("end", ["__import__('os')._exit(0)", "[0 for _ in iter(int, 1)]"])
def test_a_room_that_is_lost_in_a_hidden_line_tells_nothing_of_it(rooms, end):
    told = mark(
        SQUARE, rooms, square=f"def square(x):\n    if x == 3:\n        {end}\n    return x * x"
    )
    assert told["asserts"] == (0, "a check that is not shown does not hold")


SAME = source(
    answer("one", "def one(x):\n    return x + 1"),
    answer("two", "def two(x):\n    return x * x"),
    ours("show", "print(two(2))\ndef same(a, b):\n    return a == b\nexpected = 9"),
    graded("first", "assert one(1) == 2\ndef alike(a, b):\n    return a == b", points=1),
    graded("second", "assert alike(two(3), 9)", points=9),
    graded("third", "assert same(two(3), expected)"),
)


def test_what_our_cells_define_is_never_the_students(any_rooms):
    right = {"first": (1, ""), "second": (9, ""), "third": (10, "")}
    assert mark(SAME, any_rooms) == right
    lies = "def same(a, b):\n    return True\nalike = same\nexpected = 0\n"
    one = f"{lies}def one(x):\n    return 0"
    two = f"{lies}def two(x):\n    return 0"
    earned = mark(SAME, any_rooms, one=one, two=two)
    assert [points for points, _ in earned.values()] == [0, 0, 0]


LOOPS = [
    "assert len(h(4)) == 4\nfor a, b in zip(h(4), [0, 1, 2, 3]):\n    assert a == b",
    "r = h(4)\nassert len(r) == 4\nfor n, a in enumerate(r):\n    assert a == n",
    "r = h(4)\nassert len(r) == 4\nfor n in range(len(r)):\n    assert r[n] == n",
    "r = h(4)\nassert len(r) == 4 and all(a == b for a, b in zip(r, range(4)))",
]
EMPTY = {
    "a length alone": "__len__ = lambda self: 4\n    __iter__ = lambda self: iter(())",
    "a list": "__iter__ = lambda self: iter(())\n    __len__ = lambda self: 4",
    "right once": "def __len__(self):\n        self.n = 0 if hasattr(self, 'n') else 4\n"
    "        return self.n\n    __iter__ = lambda self: iter(())",
}


@pytest.mark.parametrize("lie", EMPTY)
def test_an_object_with_another_length_than_items_passes_no_loop(rooms, lie):
    honest = "class h(list):\n    def __init__(self, n):\n        super().__init__(range(n))"
    loops = source(answer("h", honest), *(graded(f"t{n}", t) for n, t in enumerate(LOOPS)))
    assert all(points == 10 for points, _ in mark(loops, rooms).values())
    kind = "list" if lie == "a list" else "object"
    liar = f"class h({kind}):\n    def __init__(self, n): pass\n    {EMPTY[lie]}"
    assert [points for points, _ in mark(loops, rooms, h=liar).values()] == [0, 0, 0, 0]


def test_a_test_with_a_fault_of_its_own_is_not_graded_and_the_others_are(rooms):
    typo = source(
        answer("square", "def square(x):\n    return x * x"),
        graded("good", "assert square(2) == 4"),
        graded("bad", f"{HIDE}\nassert square(2) == 4\nassert sqare(3) == 9\n{SHOW}"),
        graded(
            "marked",
            "from grading.testing import MarkedTest\n"
            "t = MarkedTest(square, 'y', points={'types': 1, 'y': 9})\nt.call(x='a')\nt.score()",
        ),
    )
    outcomes = Outcomes(typo)
    mark_solution(outcomes, rooms)
    faults = outcomes.tried.faults
    assert set(faults) == {"bad", "marked"}
    assert faults["bad"] == (
        "line 3: `assert sqare(3) == 9` stops with NameError: name 'sqare' is not defined"
        " where its test stands: was it renamed, or its cell deleted or never written?"
    )
    assert faults["marked"].startswith(
        "line 3: `t.call(x='a')` stops with ValueError: the solution stopped with TypeError"
    )
    nothing = with_answers(typo.notebook, {"square": "def square(x): pass"})
    results = mark_notebook(nothing, outcomes, rooms).results
    assert {name: result.points for name, result in results.items()} == dict.fromkeys(results, 0)
    assert "not graded" in results["bad"].note and "not graded" in results["marked"].note


# ------------------------------------------------- names that tests share with students


def test_names_that_a_test_binds_or_deletes_are_seen_by_the_functions(any_rooms):
    uses = source(
        answer("squares", "def squares(n):\n    return [i**2 for i in range(n)]"),
        answer("total", "FACTOR = 1\ndef total(n):\n    return FACTOR * sum(squares(n))"),
        graded("deleted", """
            own = squares
            del squares
            try:
                total(1)
            except NameError:
                pass
            else:
                raise AssertionError("does not use squares")
            finally:
                squares = own
        """),
        graded("bound", "FACTOR = 10\nassert total(3) == 50"),
        graded("stays", "assert total(3) == 50"),
        graded("lent", "def squares(n):\n    return [7]\nassert total(3) == 70"),
    )  # fmt: skip
    assert mark(uses, any_rooms) == dict.fromkeys(["deleted", "bound", "stays", "lent"], (10, ""))
    own = "FACTOR = 1\ndef total(n):\n    return FACTOR * sum(i**2 for i in range(n))"
    marks = mark(uses, any_rooms, total=own)
    assert [marks[name][0] for name in ("deleted", "bound", "lent")] == [0, 10, 0]


def test_what_a_test_expects_is_not_seen_by_the_functions(any_rooms):
    expects = source(
        answer("f", "def f(x):\n    return x + 1"),
        graded("test_f", "expected = 3\nother = [4]\nassert f(2) == expected and [f(3)] == other"),
    )
    peeks = "def f(x):\n    return globals().get('expected') or other[0]"
    assert mark(expects, any_rooms, f=peeks)["test_f"][0] == 0


def test_a_variable_is_its_value_as_it_was_at_the_test(any_rooms):
    variables = source(
        ours("setup", "import numpy as np"),
        answer("x", "x = {'a': [1, (2, 3)], 'b': np.arange(3)}\nseen = {1, 2}"),
        graded("first", "assert x['a'] == [1, (2, 3)] and x['b'].tolist() == [0, 1, 2]\nx = 5"),
        graded("a_set", "assert seen == {2, 1} and type(seen) is set"),
        answer("again", "x = [1]\ndef add(n):\n    x.append(n)"),
        graded("second", "assert x == [1]\nadd(2)\nassert x == [1, 2]"),
    )
    tests = ["first", "a_set", "second"]
    assert mark(variables, any_rooms) == dict.fromkeys(tests, (10, ""))
    marks = mark(variables, any_rooms, x="x = {}\nseen = [1, 2]", again="def add(n):\n    pass")
    assert [marks[name][0] for name in tests] == [0, 0, 0]


def test_what_the_author_imports_is_ours_in_a_test(any_rooms):
    imports = source(
        cell("free", "import math", locked=False),
        answer("root", "from math import isclose\ndef root(x):\n    return math.sqrt(x)"),
        graded("test_root", "assert isclose(root(2), math.sqrt(2))"),
    )
    lies = """
        import math
        math.sqrt = root = lambda x: 1
        def isclose(*_):
            return True
    """
    assert mark(imports, any_rooms)["test_root"][0] == 10
    assert mark(imports, any_rooms, root=lies)["test_root"][0] == 0


def test_a_name_of_python_is_the_students_where_the_solution_defines_it(rooms):
    own_max = source(
        answer("max", "def max(values):\n    return sorted(values)[-1]"),
        graded("test_max", "assert max([1, 3, 2]) == 3\nassert len([1]) == 1"),
    )
    assert mark(own_max, rooms)["test_max"][0] == 10
    wrong = "def max(values):\n    return 0\ndef len(x):\n    return 1"
    assert mark(own_max, rooms, max=wrong)["test_max"][0] == 0


# ------------------------------------------------------------------ objects of students

ACCOUNT = """
    class Account:
        currency = "CHF"

        def __init__(self, owner, start=0):
            self.owner, self.history = owner, []
            self._start = start

        @property
        def balance(self):
            return self._start + sum(self.history)

        def deposit(self, amount):
            if amount < 0:
                raise ValueError(amount)
            self.history.append(amount)
            return self

        def to(self, other, amount):
            self.history.append(-amount)
            other.history.append(amount)

        def __len__(self):
            return len(self.history)

        def __getitem__(self, n):
            return self.history[n]

        def __str__(self):
            return f"{self.owner}: {self.balance}"

        def __iter__(self):
            for amount in self.history:
                yield amount

    bank = [Account("a"), Account("b", 5)]

    def richest(accounts):
        return sorted(accounts, key=lambda each: each.balance)[-1]

    def adder(n):
        return lambda m: n + m

    def counts():
        n = 0
        while True:
            yield n
            n += 1

    def apply(function, *values):
        return [function(value) for value in values]

    def hello():
        print("Hello")
"""
OBJECTS = source(
    answer("account", ACCOUNT),
    graded("attributes", """
        a = Account("x", 2)
        assert a.balance == 2 and a.owner == "x" and Account.currency == "CHF"
        assert a.deposit(3).deposit(4).balance == 9 and a is a.deposit(0)
        a.owner = "y"
        assert a.owner == "y" and not hasattr(a, "debt")
        assert len(a) == 3 and a[0] == 3 and a[-1] == 0 and list(a) == [3, 4, 0] and 4 in a
        assert str(a) == "y: 9" and f"{a}" == "y: 9"
    """),
    graded("kept", "a.deposit(1)\nassert a.balance == 10"),  # made in the test above
    graded("several", """
        one, two = bank
        one.to(two, 5)
        assert (one.balance, two.balance) == (-5, 10)
        assert richest([one, two]) is two and richest(bank).owner == "b"
        assert [each.balance for each in bank] == [-5, 10]
    """),
    graded("raises", """
        try:
            Account("x").deposit(-1)
        except ValueError:
            pass
        else:
            raise AssertionError("did not raise")
    """),
    graded("functions", """
        import contextlib, io
        assert adder(2)(3) == 5
        numbers = counts()
        assert [next(numbers) for _ in range(3)] == [0, 1, 2]
        assert [n for n, _ in zip(counts(), range(3))] == [0, 1, 2]
        assert apply(lambda x: x + 1, 1, 2) == [2, 3] and apply(len, "ab") == [2]
        assert apply(adder(1), 1) == [2]
        with contextlib.redirect_stdout(io.StringIO()) as shown:
            hello()
        assert shown.getvalue() == "Hello\\n"
    """),
)  # fmt: skip


def test_objects_are_asked_in_the_students_room(any_rooms):
    tests = ["attributes", "kept", "several", "raises", "functions"]
    assert mark(OBJECTS, any_rooms) == dict.fromkeys(tests, (10, ""))
    wrong = ACCOUNT.replace("self._start + sum", "sum").replace("other.history.append(amount)", "")
    marks = mark(OBJECTS, any_rooms, account=wrong)
    assert [marks[name][0] for name in tests] == [0, 0, 0, 10, 10]


LIES = """
    import numpy as np

    class Lie:
        def __init__(self, *_, **__): pass
        def __call__(self, *_, **__): return self
        def __getattr__(self, name):
            if name.startswith("__"):
                raise AttributeError(name)
            return self
        def __eq__(self, other): return True
        __ne__ = __lt__ = __gt__ = __le__ = __ge__ = __bool__ = __contains__ = __eq__
        def __contains__(self, other): return True
        def __hash__(self): return hash(4)
        def __float__(self): return 4.0
        def __int__(self): return 4
        __index__ = __round__ = __trunc__ = __int__
        def __complex__(self): return 4j
        def __sub__(self, other): return 0
        __rsub__ = __add__ = __radd__ = __mul__ = __rmul__ = __mod__ = __abs__ = __sub__
        __truediv__ = __rtruediv__ = __floordiv__ = __pow__ = __matmul__ = __rmatmul__ = __sub__
        def __abs__(self): return 0
        def __array__(self, *_, **__): return np.array(4)
        def __array_ufunc__(self, *_, **__): return True
        def __array_function__(self, *_, **__): return True
        def __iter__(self): return iter([])
        def __len__(self): return 10**15
        def __getitem__(self, key): return self
        def __enter__(self): return self
        def __exit__(self, *_): return True
        def __instancecheck__(self, other): return True
        @property
        def __class__(self): return int
        def __reduce__(self): return (int, (4,))
"""


ASKED = [
    "assert f() == 4", "assert 4 == f()", "assert not f() != 4", "assert f() >= 4",
    "assert f()", "assert not (f() - 4)", "assert abs(4 - f()) < 1", "assert abs(f() - 4) < 1",
    "assert abs(f()) == 0", "assert f() in (4,)", "assert f() in {4: 1}", "assert 4 in f()",
    "assert float(f()) == 4", "assert int(f()) == 4", "assert round(f()) == 4",
    "assert [1, 2, 3, 4, 5][f()] == 5", "assert isinstance(f(), int)",
    "assert isinstance(4, f)", "assert issubclass(int, f)", "assert f().__class__ is int",
    "np.testing.assert_allclose(f(), 4)", "np.testing.assert_equal(f(), 4)",
    "np.testing.assert_array_equal(np.array([4]), f())", "assert np.all(np.array([4]) == f())",
    "assert np.array_equal(f(), 4)", "assert np.add(f(), 1)", "assert np.asarray(f()) == 4",
    "assert math.isclose(f(), 4)", "assert [f()] == [4]", "assert {'a': f()} == {'a': 4}",
    "assert (f(), 1) == (4, 1)", "assert copy.copy(f()) == 4", "assert len(f()) == 4",
    "assert f()[0] == 4", "assert f().x.y(1) == 4", "assert max(f(), 4) == 4",
    "with f():\n    raise AssertionError", "assert '%d' % f() == '4'", "assert sum([f()]) == 4",
    "assert sorted([f(), 4]) == [4, 4]", "assert f() == f() == 4", "assert str(f()) == '4'",
    "assert abs(f() - 4) <= 0", "assert f() + 1 == 5", "assert 4 - f() in (0,)",
    "assert not (2 * f() - 8)", "with f() as x:\n    assert x == 4", "assert f.__doc__ == '4'",
    "x = f()\nx -= 4\nassert x == 0", "assert isinstance(f() - 4, int)",
]  # fmt: skip


def test_an_object_that_lies_passes_no_test(any_rooms):
    lines = "import copy, math\nimport numpy as np\n"
    tests = [graded(f"t{n}", lines + asked) for n, asked in enumerate(ASKED)]
    honest = source(answer("f", "def f():\n    return 4"), *tests)
    outcomes = Outcomes(honest)
    outcomes.tried.plain |= {f"t{n}" for n in range(len(tests))}  # some ask what no int can
    lies, own = dedent(LIES), dedent(LIES).replace("other): return 0", "*_): return self")
    for lie in (
        f"{lies}def f():\n    return Lie()",
        f"{lies}f = Lie()",
        f"{lies}class f(Lie):\n    pass",
        f"{own}def f():\n    return Lie()",  # of its arithmetic another liar comes
    ):
        notebook = with_answers(honest.notebook, {"f": lie})
        results = mark_notebook(notebook, outcomes, any_rooms).results
        passed = [a for a, r in zip(ASKED, results.values(), strict=True) if r.points]
        assert passed == []


# ------------------------------------------------------------------ odd and hostile ones

LENDS = source(
    answer("apply", "def apply(f, x):\n    return f(x)"),
    answer("square", "def square(x):\n    return x * x"),
    graded("lends", "assert apply(lambda n: sum(i for i in range(n)), 4) == 6"),
    graded(
        "oracle", "right = lambda n: n * n\nassert apply(right, 3) == 9\nassert square(4) == 16"
    ),
)


def test_a_function_of_the_test_is_bounded_and_none_is_kept(rooms):
    assert mark(LENDS, rooms) == dict.fromkeys(["lends", "oracle"], (10, ""))
    endless = mark(LENDS, rooms, apply="def apply(f, x):\n    return f(10**15)")
    assert endless["lends"][0] == 0
    assert "asks a function of the test for what takes longer than 0.5 s" in endless["lends"][1]
    keeps = "def apply(f, x):\n    global kept\n    kept = f\n    return f(x)"
    told = mark(LENDS, rooms, apply=keeps, square="def square(x):\n    return kept(x)")
    assert told["lends"] == (10, "") and told["oracle"][0] == 0


def test_what_a_test_is_told_of_an_exception_is_shown_nowhere(rooms):
    raises = source(
        answer("f", "def f(x):\n    raise ValueError('no')"),
        graded("t", f"{HIDE}\ntry:\n    f(7)\nexcept ValueError as e:\n"
                    f"    assert str(e) == 'no', f'it says {{e}}'\n{SHOW}"),
    )  # fmt: skip
    assert mark(raises, rooms) == {"t": (10, "")}
    told = mark(raises, rooms, f="def f(x):\n    raise ValueError(f'asked for {x}')")
    assert told == {"t": (0, "a check that is not shown does not hold")}


ODD = source(
    ours("setup", "import numpy as np"),
    answer("thing", "class Thing:\n    def __init__(self):\n        self.x, self.n = 1, 3"),
    answer("make", "def make():\n    return Thing()"),
    answer("numbers", "def numbers(n):\n    return list(range(n))"),
    graded("attribute", "assert make().x == 1\nassert make().n + 1 == 4"),
    graded("items", "assert [n + 1 for n in numbers(3)] == [1, 2, 3] and len(numbers(4)) == 4"),
    graded("after", "assert numbers(2) == [0, 1]"),
)
ODD_ANSWERS = {
    "a property that raises": ("make", "class T:\n    x = property(lambda s: 1 / 0)\nmake = T"),
    "a property that hangs": (
        "make", "class T:\n    @property\n    def x(self):\n        while True: pass\nmake = T",
    ),
    "a property that ends the room": (
        "make", "import os\nclass T:\n    x = property(lambda s: os._exit(0))\nmake = T",
    ),
    "a property that kills": (
        "make",
        "import os\nclass T:\n    x = property(lambda s: os.kill(os.getpid(), 9))\nmake = T",
    ),
    "a property that recurs": ("make", "class T:\n    x = property(lambda s: s.x)\nmake = T"),
    "a huge attribute": ("make", "class T:\n    x = np.ones(2**24)\n    n = 3\nmake = T"),
    "an attribute that holds itself": ("make", "class T:\n    x = []\n    x.append(x)\nmake = T"),
    "an attribute nested deep": (
        "make", "x = 1\nfor _ in range(500):\n    x = [x]\nclass T:\n    pass\nT.x = x\nmake = T",
    ),
    "an int of its own": (
        "make",
        "class I(int):\n    def __eq__(s, o): return True\nclass T:\n    x = n = I(9)\nmake = T",
    ),
    "objects within objects": ("make", "class T:\n    def __getattr__(s, n): return T()\nmake = T"),
    "a class that cannot be named": (
        "make", "class M(type):\n    __module__ = property(lambda s: 1 / 0)\n"
        "class T(metaclass=M):\n    x, n = 2, 3\nmake = T",
    ),
    "system exit": ("make", "def make():\n    raise SystemExit"),
    "stop iteration": ("make", "def make():\n    raise StopIteration"),
    "an exception that lies": (
        "make", "class E(AttributeError):\n    def __str__(s): return 1\n"
        "def make():\n    raise E",
    ),
    "a generator without end": ("numbers", "def numbers(n):\n    while True:\n        yield 1"),
    "an iterator of itself": (
        "numbers", "class I:\n    def __iter__(s): return s\n    def __next__(s): return s\n"
        "def numbers(n): return I()",
    ),
    "a length that lies": (
        "numbers",
        "class I(list):\n    def __len__(s): return 4\n    def __iter__(s): return iter([])\n"
        "def numbers(n): return I()",
    ),
    "a huge range": ("numbers", "def numbers(n):\n    return range(10**12)"),
    "a set of other keys": ("numbers", "def numbers(n):\n    return {(1, (2, (3,)))}"),
    "a closure that remembers": (
        "numbers", "def over():\n    kept = []\n    def numbers(n):\n        kept.append(n)\n"
        "        return kept\n    return numbers\nnumbers = over()",
    ),
    "recursion": ("numbers", "def numbers(n):\n    return numbers(n) + [n]"),
}  # fmt: skip


@pytest.mark.parametrize("what", ODD_ANSWERS)
def test_odd_objects_cost_their_own_tests_alone(any_rooms, what, tried, monkeypatch):
    monkeypatch.setattr(stand_in, "MOST_STEPS", 100)
    name, text = ODD_ANSWERS[what]
    notebook = with_answers(ODD.notebook, {name: text})
    marked = mark_notebook(notebook, tried, any_rooms, most_seconds=60)
    earned = {test for test, result in marked.results.items() if result.points}
    others = {"make": {"items", "after"}, "numbers": {"attribute"}}[name]
    assert earned == others
    assert all("\n" not in result.note for result in marked.results.values())


@pytest.fixture(scope="module")
def tried(any_rooms):
    outcomes = Outcomes(ODD)
    mark_solution(outcomes, any_rooms)
    return outcomes


# ------------------------------------------------------------ files, levels, AUTOTEST


READ = "np.loadtxt('data/table.csv', delimiter=',')"


def test_files_of_the_assignment_are_there_to_read(any_rooms):
    files = {"data/table.csv": b"1,2\n3,4\n", "help/own.py": b"ONE = 1\n", "help/__init__.py": b""}
    reads = source(
        ours("setup", "import numpy as np\nfrom help.own import ONE"),
        answer("total", f"def total():\n    return {READ}.sum()"),
        graded("is_right", f"assert total() == 9 + ONE == {READ}.sum()"),
        files=files,
    )  # fmt: skip
    assert mark(reads, any_rooms) == {"is_right": (10, "")}
    writes = "def total():\n    open('data/table.csv', 'w').write('5,5')\n    return 10"
    assert mark(reads, any_rooms, total=writes)["is_right"][0] == 0
    large = Assignment("own", {**reads.files, "big.bin": bytes(3 * 2**20)}, {})
    with pytest.raises(CourseError, match="own: its files come to 3 MB, and a room takes 2"):
        large.material.keep_to(["big.bin"], 2)


def test_what_a_test_writes_is_gone_with_the_submission(rooms, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    writes = source(
        answer("f", "def f():\n    return 1"),
        graded("fresh", "import os\nassert not os.path.exists('left')\nopen('left', 'w').close()"),
        graded("same", "assert os.path.exists('left') and f() == 1"),
    )
    for _ in range(2):
        assert mark(writes, rooms) == {"fresh": (10, ""), "same": (10, "")}
    assert not list(tmp_path.iterdir())


LEVELS = """
from grading.testing import MarkedTest
t = MarkedTest({0}, "y", calls="{1}", points={{"types": 1, "y": 8, "shapes": 1}})
t.call(x=np.arange(1.0, 5.0))
t.assert_types()
t.assert_shapes()
t.values = ["y"]
t.assert_allclose("y")
t.score()
"""


def test_an_error_costs_its_points_once_at_any_number_of_levels(rooms):
    levels = source(
        ours("setup", "import numpy as np"),
        answer("cell", "def cell(x):\n    return 2 * x"),
        answer("row", "def row(x):\n    return np.array([cell(each) for each in x])"),
        answer("table", "def table(x):\n    return np.array([row(x), row(x) + cell(1.0)])"),
        graded("test_cell", LEVELS.format("cell", "")),
        graded("test_row", LEVELS.format("row", "cell")),
        graded("test_table", LEVELS.format("table", "row, cell")),
    )
    marks = mark(levels, rooms, cell="def cell(x):\n    return 3 * x")
    assert [points for points, _ in marks.values()] == [0, 10, 10]
    both = {"cell": "def cell(x):\n    return 3 * x", "row": "def row(x):\n    return x"}
    assert [points for points, _ in mark(levels, rooms, **both).values()] == [0, 0, 10]


REFUSES = """
from grading.testing import MarkedTest
t = MarkedTest(perimeter, "p", calls="area", points={"types": 1, "p": 6, "raises": 3})
t.call(side=3.0)
t.assert_types()
t.values = ["p"]
t.assert_allclose("p")
t.assert_raises(ValueError, side=0.0)
t.score()
"""


def test_what_is_refused_by_way_of_an_earlier_function_costs_its_points_once(rooms):
    perimeter = (
        "def perimeter(side):\n    if {0} == 0:\n        raise ValueError\n    return 4 * side"
    )
    shapes = source(
        answer("area", "def area(side):\n    return side * side"),
        answer("perimeter", perimeter.format("area(side)")),
        graded("test_perimeter", REFUSES),
    )
    for area in ("def area(side):\n    return 1.0", "def surface(side):\n    return 1.0"):
        points, note = mark(shapes, rooms, area=area)["test_perimeter"]
        assert (points, note) == (10, "")
    never = {"perimeter": perimeter.format("None")}
    for area in ({}, {"area": "def area(side):\n    return 1.0"}):
        points, note = mark(shapes, rooms, **never, **area)["test_perimeter"]
        assert points == 7 and "returns something where a ValueError is asked for" in note


def test_an_earlier_function_that_is_not_there_is_said_before_anybody_is_marked():
    unknown = source(
        answer("perimeter", "def perimeter(side):\n    return 4 * side"),
        graded("test_perimeter", REFUSES),
    )
    outcomes = Outcomes(unknown)
    mark_solution(outcomes)
    assert "the solution defines no area" in outcomes.tried.faults["test_perimeter"]


OF_TEXTS = LEVELS.format("names", "").replace("np.arange(1.0, 5.0)", "np.array(['b', 'a', 'cc'])")
TEXTS = source(
    ours("setup", "import numpy as np"),
    answer("names", "def names(x):\n    return np.sort(x)"),
    graded("of_values", OF_TEXTS),
    graded("of_asserts", "assert (names(np.array(['b', 'a'])) == ['a', 'b']).all()"),
)


@pytest.mark.parametrize(
    ("returned", "points", "said"),
    [
        ("np.sort(x).astype('<U9')", 10, ""),
        ("np.array(sorted(x))", 10, ""),
        ("np.sort(x)[::-1]", 0, "`y` is wrong in some places"),
        ("np.sort(x).astype(object)", 9, "`y` is an object array, expected one of str"),
        ("np.sort(x).astype(bytes)", 0, "`y` is a bytes array, expected one of str"),
        ("sorted(x.tolist())", 0, "`y` is a list, not an array"),
        ("np.arange(float(len(x)))", 0, "`y` is an array of float64, expected str"),
        ("np.array(['\\ud800'] * 3)", 0, "`y` is a value of another type, not an array"),
    ],
)
def test_arrays_of_texts_are_marked_as_those_of_numbers(rooms, returned, points, said):
    found = mark(TEXTS, rooms, names=f"def names(x):\n    return {returned}")
    assert found["of_values"] == (points, said)
    assert found["of_asserts"][0] == (10 if points == 10 else 0)


def test_a_copy_of_an_assignment_is_marked_against_its_own_solution(rooms):
    text = LEVELS.format("f", "")
    first = source(ours("setup", "import numpy as np"), answer("f", "def f(x):\n    return x"),
                   graded("test_f", text))  # fmt: skip
    copied = source(ours("setup", "import numpy as np"), answer("f", "def f(x):\n    return -x"),
                    graded("test_f", text))  # fmt: skip
    assert mark(first, rooms)["test_f"][0] == mark(copied, rooms)["test_f"][0] == 10
    assert mark(copied, rooms, f="def f(x):\n    return x")["test_f"][0] == 0


TEMPLATES = """
python3:
    setup: "from hashlib import sha1"
    hash: 'sha1({{snippet}}.encode("utf-8")+b"{{salt}}").hexdigest()'
    dispatch: "type({{snippet}})"
    normalize: "str({{snippet}})"
    check: 'assert {{snippet}} == \"\"\"{{value}}\"\"\", \"\"\"{{message}}\"\"\"'
    success: "print('Success!')"
    templates:
        default:
            - test: "type({{snippet}})"
              fail: "type of {{snippet}} is not correct"
            - test: "{{snippet}}"
              fail: "value of {{snippet}} is not correct"
"""


def test_tests_that_nbgrader_writes(any_rooms):
    code = [
        answer("f", "def f(x):\n    return [x, x * x]"),
        graded("auto", "### AUTOTEST f(2); f(3)\n### HASHED AUTOTEST f(4)"),
    ]
    notebook = new_notebook(
        cells=code, metadata={"kernelspec": {"name": "python3", "display_name": "Python"}}
    )
    files = {"own.ipynb": nbformat.writes(notebook).encode(), "autotests.yml": TEMPLATES.encode()}
    auto = Assignment("own", files, {}).notebooks["own"]
    assert "[4, 16]" not in auto.tests["auto"] and '"""[3, 9]"""' in auto.tests["auto"]
    assert mark(auto, any_rooms) == {"auto": (10, "")}
    points, note = mark(auto, any_rooms, f="def f(x):\n    return [x, x + x]")["auto"]
    assert points == 0 and note.endswith("value of f(3) is not correct")
    with pytest.raises(CourseError, match=r"auto: autotests.yml is not there"):
        Assignment("own", {"own.ipynb": files["own.ipynb"]}, {})
