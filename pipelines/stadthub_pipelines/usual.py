"""What is usual for each feed, read from its past hours: how often it brings something, and how much at this hour of the week."""

import statistics
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from stadthub_catalog.catalog import Catalog
from stadthub_catalog.entry import FeedState
from stadthub_catalog.history import Hour
from stadthub_schemas.counts import Counts
from stadthub_schemas.feed import AskedSource, Feed, UploadSource
from stadthub_schemas.schedule import Turns
from stadthub_schemas.vocabularies import FREQUENCIES

#: Over how many weeks the same hour is compared, and how many of them must be known.
WEEKS, ENOUGH_WEEKS = 8, 3

#: Over how long pauses are learned from, how many hours must be known, and which of them is taken: nearly the longest.
LEARNED = timedelta(days=7)
ENOUGH_HOURS = 12
NEARLY = 0.95

#: A cadence that was learned is never shorter: feeds are looked at about once a minute.
SHORTEST = timedelta(minutes=5)

HOUR = timedelta(hours=1)


class Habits:
    """The usual, read again each hour; and what came in the last two hours, read at each look."""

    def __init__(self, catalog: Catalog, zone: ZoneInfo) -> None:
        self._catalog = catalog
        self._zone = zone
        self._hour: datetime | None = None
        self._recent: dict[str, Counts] = {}
        self._pauses: dict[str, timedelta] = {}
        self._usual: dict[str, float] = {}
        self._last: dict[str, int] = {}

    def refresh(self, now: datetime) -> None:
        """Read what is new."""
        this = now.replace(minute=0, second=0, microsecond=0)
        self._recent = {}
        for one in self._catalog.hours(this - HOUR):
            self._recent[one.feed] = self._recent.get(one.feed, Counts()) + one.counts
        if this != self._hour:
            self._hour = this
            self._pauses = _pauses(self._catalog.hours(now - LEARNED))
            past = [_weeks_before(this - HOUR, number, self._zone) for number in range(WEEKS + 1)]
            self._usual, self._last = _volumes(self._catalog.hours_at(past), past[0])
            self._catalog.forget_past(now - timedelta(weeks=WEEKS + 1), now - timedelta(days=90))

    def recent(self, feed: str) -> Counts:
        """What came in this hour and the one before."""
        return self._recent.get(feed, Counts())

    def volume(self, feed: str, since: datetime) -> tuple[float | None, int]:
        """How many rows the last full hour usually has in this feed, None if that isn't known or the hour was not watched whole since
        then; and how many it had."""
        whole = self._hour is not None and since <= self._hour - HOUR
        return self._usual.get(feed) if whole else None, self._last.get(feed, 0)

    def every(self, feed: Feed, state: FeedState) -> timedelta | None:
        """The cadence that is expected of a feed: as its file says, as it is asked, as it was, as its metadata promise."""
        if feed.expect.every is not None:
            return feed.expect.every
        if isinstance(feed.source, UploadSource):
            return None  # a file that was imported once is never late
        if isinstance(feed.source, AskedSource):
            return self._asked(feed, feed.source, state.last_success_time)
        promised = None if feed.metadata is None else FREQUENCIES[feed.metadata.update_frequency][2]
        return self._pauses.get(feed.id, promised)

    def _asked(self, feed: Feed, source: AskedSource, last: datetime | None) -> timedelta:
        """How long it is from the last time that it was asked to the next turn."""
        if feed.schedule.cron is None:
            return source.every
        from_then = last or datetime.now(UTC)
        return Turns(source.every, feed.schedule.cron, self._zone).after(from_then) - from_then


def _pauses(hours: Sequence[Hour]) -> dict[str, timedelta]:
    """Of each feed that is known long enough: nearly its longest pause."""
    found: dict[str, list[float]] = {}
    for one in hours:
        if one.pause_seconds > 0:
            found.setdefault(one.feed, []).append(one.pause_seconds)
    return {
        feed: max(timedelta(seconds=sorted(pauses)[int(NEARLY * (len(pauses) - 1))]), SHORTEST)
        for feed, pauses in found.items()
        if len(pauses) >= ENOUGH_HOURS
    }


def _volumes(hours: Sequence[Hour], last: datetime) -> tuple[dict[str, float], dict[str, int]]:
    """The median of each feed's rows in these hours but the last one, and those of the last one."""
    before: dict[str, list[int]] = {}
    for one in hours:
        if one.hour != last:
            before.setdefault(one.feed, []).append(one.counts.received)
    usual = {feed: float(statistics.median(rows)) for feed, rows in before.items() if len(rows) >= ENOUGH_WEEKS}
    return usual, {one.feed: one.counts.received for one in hours if one.hour == last}


def _weeks_before(hour: datetime, weeks: int, zone: ZoneInfo) -> datetime:
    """The same hour of the city's week, so many weeks ago."""
    return (hour.astimezone(zone) - timedelta(weeks=weeks)).astimezone(UTC)
