"""How late is late: the one rule by which portal, badges and alarms tell fresh from late and silent."""

from datetime import datetime, timedelta
from enum import StrEnum

from stadthub_schemas.dataset import Extent
from stadthub_schemas.vocabularies import FREQUENCIES, FrequencyId

#: Late is what is overdue by half a rhythm; stale is what is overdue several times over. Short rhythms get some minutes of grace.
GRACE = timedelta(minutes=2)
STALE = 4


class Freshness(StrEnum):
    """How new something is against its rhythm."""

    FRESH = "fresh"
    LATE = "late"
    STALE = "stale"
    UNKNOWN = "unknown"
    EMPTY = "empty"


def overdue(age: timedelta, every: timedelta) -> Freshness:
    """Fresh, late or stale: what should come so often, and came so long ago."""
    due = every + max(GRACE, every / 2)
    if age <= due:
        return Freshness.FRESH
    return Freshness.LATE if age <= due * STALE else Freshness.STALE


def freshness(extent: Extent, frequency: FrequencyId | None, now: datetime) -> Freshness:
    """Whether a dataset's newest data are as new as its metadata promise. A time may be the beginning of an interval, such as
    of a count each hour, which comes when it is over: age is counted from the interval's end."""
    rhythm = FREQUENCIES[frequency or "IRREG"][2]
    if extent.rows == 0:
        return Freshness.EMPTY
    if extent.last_time is None or rhythm is None:
        return Freshness.UNKNOWN
    return overdue(now - datetime.fromisoformat(extent.last_time) - rhythm, rhythm)
