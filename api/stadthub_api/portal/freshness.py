"""How fresh a dataset is: its newest observation against the rhythm that its metadata promise."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from stadthub_schemas.dataset import Extent
from stadthub_schemas.vocabularies import FREQUENCIES, FrequencyId

#: Late is what is overdue; stale is what is overdue several times over. Short rhythms get some minutes of grace.
GRACE = timedelta(minutes=2)
STALE = 4


class Freshness(StrEnum):
    """What the badge says."""

    FRESH = "fresh"
    LATE = "late"
    STALE = "stale"
    UNKNOWN = "unknown"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Look:
    """How a state is shown: never by colour alone."""

    words: str
    colour: str
    icon: str


LOOKS: dict[Freshness, Look] = {
    Freshness.FRESH: Look("aktuell", "success", "success"),
    Freshness.LATE: Look("verspätet", "warning", "warning"),
    Freshness.STALE: Look("veraltet", "danger", "danger"),
    Freshness.UNKNOWN: Look("ohne festen Rhythmus", "info", "info"),
    Freshness.EMPTY: Look("noch ohne Daten", "warning", "warning"),
}


def freshness(extent: Extent, frequency: FrequencyId | None, now: datetime) -> Freshness:
    """Whether the newest data are as new as promised."""
    rhythm = FREQUENCIES[frequency or "IRREG"][2]
    if extent.rows == 0:
        return Freshness.EMPTY
    if extent.last_time is None or rhythm is None:
        return Freshness.UNKNOWN
    age = now - datetime.fromisoformat(extent.last_time)
    due = rhythm + max(GRACE, rhythm / 2)
    if age <= due:
        return Freshness.FRESH
    return Freshness.LATE if age <= due * STALE else Freshness.STALE
