"""Times as nbgrader and people write them, in any time zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache, reduce
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from dateutil import parser

from grading.findings import Finding

EVERY_MONTH = range(1, 13)
# dateutil takes "UTC+2" the other way round, as POSIX does; people mean two hours ahead.
AHEAD_OF = re.compile(r"\b(?:UTC|GMT)(?=[+-][0-9])")


class UnknownZone(ValueError):
    """An abbreviation that stands for no time zone, or for several; the finding says so."""

    def __init__(self, message: str, **fields: object) -> None:
        self.finding = Finding(message, fields)
        super().__init__(str(self.finding))


def parse_time(text: str, timezone: str = "") -> datetime:
    """
    Read a time, and return it in UTC.

    nbgrader writes the time zone as `%Z` does (`Exchange.timestamp_format`): an abbreviation
    (CEST), or an offset where a zone has none (+0545, -03). Its own `parse_utc` takes most
    abbreviations for UTC, and offsets for seconds. A zone may also be called by its name.

    Parameters
    ----------
    text : str
        A time without a zone is taken for UTC, as nbgrader does.
    timezone : str
        The course's, by its name ("America/Los_Angeles"): its abbreviations are known first.

    Returns
    -------
    datetime
        Without a time zone, as the grade book holds it.

    Raises
    ------
    ValueError
        Where it is no time; UnknownZone where the time zone cannot be told.
    """
    rest, _, last = text.strip().rpartition(" ")
    if "/" in last and last in available_timezones():
        here = parser.parse(rest).replace(tzinfo=ZoneInfo(last))
        return here.astimezone(UTC).replace(tzinfo=None)
    zones: list[tuple[str | None, int | None]] = []
    when = parser.parse(AHEAD_OF.sub("", text), tzinfos=lambda *zone: zones.append(zone))
    (name, seconds), *_ = zones or [(None, None)]
    if seconds is not None:
        offset = timedelta(seconds=seconds)
    else:
        offset = offset_of(name, when, timezone) if name else timedelta()
    return when - offset


def offset_of(name: str, when: datetime, timezone: str) -> timedelta:
    """Return how far an abbreviation is from UTC, at a time of its own."""
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError):
        zone = None
    for fold in (0, 1) if zone else ():  # when clocks are set back an hour comes twice
        here = when.replace(tzinfo=zone, fold=fold)
        offset = here.utcoffset()
        if here.tzname() == name and offset is not None:
            return offset
    found = offsets_in(when.year).get(name, set())
    if len(found) != 1:
        told: list[Any] = [f"UTC{offset / timedelta(hours=1):+g}" for offset in sorted(found)]
        if not told:
            raise UnknownZone('"{name}" is no time zone', name=name)
        raise UnknownZone('"{name}" may be {zones}', name=name, zones=reduce(either, told))
    return next(iter(found))


def either(one: object, other: object) -> Finding:
    """Say that it may be the one or the other."""
    return Finding("{one} or {other}", {"one": one, "other": other})


@lru_cache(maxsize=4)
def offsets_in(year: int) -> dict[str, set[timedelta]]:
    """Return what each abbreviation stands for in a year, in any place."""
    found: dict[str, set[timedelta]] = {}
    for zone in map(ZoneInfo, available_timezones()):
        for month in EVERY_MONTH:
            when = datetime(year, month, 1, tzinfo=zone)
            name, offset = when.tzname(), when.utcoffset()
            if name is not None and offset is not None:
                found.setdefault(name, set()).add(offset)
    return found
