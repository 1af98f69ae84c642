"""Times as Solr's query language writes them: ISO 8601, whole or in part, and `NOW`, with its maths."""

import re
from datetime import UTC, datetime
from typing import Any

from dateutil.relativedelta import relativedelta

from stadthub_catalog.refusals import SearchError

_MATHS = re.compile(r"([+\-])(\d{1,6})([A-Z]+?)S?(?=[+\-/]|$)|/([A-Z]+?)S?(?=[+\-/]|$)")
_STEPS = {
    "MILLISECOND": "microseconds",
    "MILLI": "microseconds",
    "SECOND": "seconds",
    "MINUTE": "minutes",
    "HOUR": "hours",
    "DAY": "days",
    "DATE": "days",
    "WEEK": "weeks",
    "MONTH": "months",
    "YEAR": "years",
}
_CUTS: dict[str, dict[str, Any]] = {
    "SECOND": {},
    "MINUTE": {"second": 0},
    "HOUR": {"minute": 0, "second": 0},
    "DAY": {"hour": 0, "minute": 0, "second": 0},
    "MONTH": {"day": 1, "hour": 0, "minute": 0, "second": 0},
    "YEAR": {"month": 1, "day": 1, "hour": 0, "minute": 0, "second": 0},
}
_CUTS["DATE"] = _CUTS["DAY"]

#: A year, a month or a day; a time; and what is reckoned from it.
_SAID = re.compile(r"(?P<day>\d{4}(?:-\d\d(?:-\d\d)?)?)(?P<clock>[T ][\d:.,]+(?:Z|[+\-]\d\d:?\d\d)?)?(?P<maths>[+\-/].*)?", re.DOTALL)
_PARTS = {4: relativedelta(years=1), 7: relativedelta(months=1), 10: relativedelta(days=1)}


def span(text: str, now: datetime) -> tuple[datetime, datetime]:
    """The first and the last moment that a text means: both the same for a time, a whole day for a day; SearchError."""
    try:
        if text.startswith("NOW"):
            time = _reckoned(text[3:], now)
            return time, time
        said = _SAID.fullmatch(text.strip())
        if said is None:
            raise ValueError(text)
        whole = f"{said['day']}-01-01"[:10] if len(said["day"]) == 4 else f"{said['day']}-01"[:10]
        time = datetime.fromisoformat(whole + (said["clock"] or ""))
        time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
        time = _reckoned(said["maths"] or "", time)
        if said["clock"] or said["maths"]:
            return time, time
        return time, time + _PARTS[len(said["day"])] - relativedelta(microseconds=1)
    except (ValueError, OverflowError, KeyError):
        raise SearchError(f"Invalid Date String:'{text[:100]}'") from None


def _reckoned(maths: str, time: datetime) -> datetime:
    position = 0
    while position < len(maths):
        match = _MATHS.match(maths, position)
        if match is None:
            raise ValueError(maths)
        sign, count, unit, cut = match.groups()
        if cut:
            time = time.replace(microsecond=0, **_CUTS[cut])
        else:
            number = int(count) * (1000 if unit.startswith("MILLI") else 1)
            step = relativedelta(**{_STEPS[unit]: number})
            time = time + step if sign == "+" else time - step
        position = match.end()
    return time
