"""The texts of a new assignment: an example in small, to be written over."""

TITLE = """\
# $title

Say in two sentences what students build here, and what for."""

START = """\
## Before you start

NumPy and Jupyter are all that must be installed. In each cell that is yours, put your code in \
the place of `raise NotImplementedError()`, run the cell, then run the check below it. Cells of \
your own are welcome anywhere."""

ABOUT = """\
## $number `$function`

Say what the function is for, with its formula. This one takes off each row its mean:

$$$$y_{ij} = x_{ij} - \\frac{1}{d} \\sum_{k=1}^{d} x_{ik} \\tag{$number}$$$$

![Three boxes in a row: the array x goes into the function, and the array y comes out of it.]\
(figures/idea.svg)"""

SOLUTION = '''\
def $function(x):
    """
    Take the mean off each row: formula ($number).

    Parameters
    ----------
    x : ndarray, shape (n, d)
        One example a row.

    Returns
    -------
    y : ndarray, shape (n, d)
        The same rows, each with a mean of zero.
    """
    ### BEGIN SOLUTION
    # Students see `raise NotImplementedError()` in the place of these lines.
    mean = x.mean(axis=1, keepdims=True)
    return x - mean
    ### END SOLUTION'''

EXPECTED = "...  # the numbers"  # in a check that is not finished

CHECK = f"""\
x = np.random.default_rng($seed).standard_normal((3, 4))

test = FunctionTest($function, "y")
test.call(x=x)
{EXPECTED}
test.assert_arguments_unchanged()
test.report()"""

TEST = """\
# 25 points. The tests in here run when your notebook is marked.
### BEGIN HIDDEN TESTS
from grading.testing import MarkedTest, hidden_rng

# Right is what the solution returns. The points of the kinds of check add up
# to those of the cell; a further call is an edge case, under its own name.
# `rnn-grading example` prints the numbers of the visible check above.
test = MarkedTest($function, "y", points={
    "types": 1, "shapes": 2, "y": 17, "arguments": 2, "second call": 1,
    "one row": 2})
test.call(x=hidden_rng(${seed}1).standard_normal((6, 5)))
test.assert_all()
test.call(x=hidden_rng(${seed}2).standard_normal((1, 5)))
test.assert_all("one row")
test.score()
### END HIDDEN TESTS"""

HAND_IN = """\
## Before you hand in

Restart the kernel, run all cells from top to bottom, and look at the ticks once more. Then save."""

MISTAKES = """\
# Wrong versions of the solution, each made by small edits: `find` stands exactly once in the
# solution cell and is replaced. `rnn-grading prove` shows that each loses points, students
# who make the same mistake read its sentence, and the class report counts them. No sentence may
# give the right line away. Versions under `correct` are other styles, and must earn all points.

"""

OF_FUNCTION = """\
$function:
  mistakes:
    mean_of_columns:
      sentence: >-
        The mean is taken over the rows, so it is that of each column. Formula ($number) adds up
        along a row: which axis is that?
      edits:
        - find: "axis=1"
          replace: "axis=0"
  correct:
    negative_axis:
      edits:
        - find: "axis=1"
          replace: "axis=-1"

"""

ALLOW = """\
# What the scan for secrets reports, and students may see after all:
# allow:
#   - "return x - mean"
"""

FIGURE = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 360 60" width="360"
     font-family="sans-serif" font-size="16">
  <title>What goes into the function, and what comes out</title>
  <g fill="#fff" stroke="#333">
    <rect x="1" y="10" width="80" height="40"/>
    <rect x="130" y="10" width="100" height="40" rx="12"/>
    <rect x="279" y="10" width="80" height="40"/>
    <path d="M81 30h42m-7-5l7 5l-7 5M230 30h42m-7-5l7 5l-7 5" fill="none"/>
  </g>
  <g fill="#333" text-anchor="middle">
    <text x="41" y="35">x</text>
    <text x="180" y="35">function</text>
    <text x="319" y="35">y</text>
  </g>
</svg>
"""
