"""
What is told of a test: only what would be told with other numbers, too.

A function may choose by the hidden numbers how it is wrong: in which line it stops, which
shape it returns, in which places. So where it matters, a test is asked once more, of rooms
that have seen none of these numbers, on others that earn nothing; what comes out differently
is not told. Points are those of the first time.
"""

from __future__ import annotations

from grading.findings import Finding
from grading.marking.result import NOT_GRADED, NOT_RUN, TestResult
from grading.marking.test import NOTHING_RIGHT
from grading.outcomes import NO_CACHE, NOT_WRITTEN

NOT_TOLD = Finding(
    "wrong, in one way with some inputs and in another with others; try several of your own", {}
)
IN_PLACES = "`{label}` is wrong in"
FIXED = (None, NO_CACHE, NOT_WRITTEN, NOT_RUN, NOT_GRADED, NOTHING_RIGHT)
ROOM_LOST = ("RoomDied", "RoomTimeout")  # their messages are ours


def may_tell(result: TestResult) -> bool:
    """Tell whether the findings of a result could carry something that the function chose."""
    findings = [result.stopped, *(check.wrong for check in result.checks)]
    if result.mistake and not any(found and "error" in found.fields for found in findings):
        return False  # just what the known mistake does
    return not all(found in FIXED or found.fields.get("error") in ROOM_LOST for found in findings)


def tell_what_both_say(result: TestResult, other: TestResult | None) -> None:
    """Leave in a result what the other one says, too; nothing, if there is no other."""
    others = {check.kind: check for check in other.checks} if other else {}
    for check in result.checks:
        twin = others.get(check.kind)
        if check.wrong:
            check.wrong = what_both_say(check.wrong, twin.wrong if twin else None)
        if twin is None or twin.where != check.where:
            check.where = {}
    result.made = other.made if other else ""  # the same data for all sets
    if other is None or other.mistake != result.mistake:
        result.mistake = result.sentence = ""
    if result.stopped and (other is None or other.stopped != result.stopped):
        result.stopped = NOT_TOLD


def what_both_say(one: Finding, other: Finding | None) -> Finding:
    """Return what two findings say: of an array that is wrong in other places, which it is."""
    if one == other:
        return one
    label = one.fields.get("label")
    if not other or other.fields.get("label") != label:
        return NOT_TOLD
    if not all(each.message.startswith(IN_PLACES) for each in (one, other)):
        return NOT_TOLD
    return Finding("`{label}` is wrong", {"label": label})
