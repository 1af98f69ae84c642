"""What can be wrong with a feed, as a table of checks: each looks at what is known of the feed and says what it noticed, or None."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from stadthub_catalog.entry import FeedState
from stadthub_catalog.findings import Noticed
from stadthub_catalog.history import Things
from stadthub_schemas.counts import Counts
from stadthub_schemas.dataset import Kind
from stadthub_schemas.feed import AskedSource, Feed, HttpSource, MqttSource
from stadthub_schemas.finding import Severity
from stadthub_schemas.freshness import Freshness, overdue

#: Messages that wait longer to be judged than this are a backlog.
BACKLOG = timedelta(minutes=2)

#: A share says something from so many rows on, a usual amount from so many rows an hour on.
ENOUGH_ROWS = 20
ENOUGH_USUAL = 10

#: Without a word of the operator: within which time a thing should report, and how many there must be before half of them matters.
DAY = timedelta(days=1)
SOME_THINGS = 4

#: How far ahead of now a message may have come before the clock must have gone back.
AHEAD = timedelta(seconds=5)

#: The longest sentence of a source that is kept with a finding.
LONGEST = 300


@dataclass(frozen=True, slots=True)
class Subject:
    """All that is known of a feed when it is looked at. `every`: its expected cadence; `since`: when it was looked at first, by this
    process; `recent`: what came in the last hours; `usual`: the rows that the last full hour of the week usually has, `hour` those it had;
    `alone`: no other feed fills its dataset; `alarmed`: it was late or silent already."""

    feed: Feed
    state: FeedState
    now: datetime
    since: datetime
    every: timedelta | None = None
    recent: Counts = field(default_factory=Counts)
    usual: float | None = None
    hour: int = 0
    things: Things | None = None
    alone: bool = True
    alarmed: bool = False

    @property
    def newest(self) -> datetime | None:
        """When it last did what is expected of it: answered, if it is asked; brought something, if the operator says how often it should."""
        pulled = isinstance(self.feed.source, AskedSource)
        return self.state.last_success_time if pulled and self.feed.expect.every is None else self.state.last_message_time

    @property
    def waited_since(self) -> datetime:
        """Since when something new is awaited. After a start the feed has its whole cadence again, unless it was late before."""
        newest = self.newest
        return newest if newest is not None and self.alarmed else max(newest or self.since, self.since)


def source_error(seen: Subject) -> Noticed | None:
    """The far side does not answer, or its answer can't be stored."""
    broker = isinstance(seen.feed.source, MqttSource) and not seen.state.connected
    error = seen.state.error or ("the broker can't be reached" if broker else None)
    if error is None:
        return None
    return Noticed("source_error", far_side(seen.feed), Severity.ERROR, {"error": error[:LONGEST]})


def wrong_file(state: FeedState) -> Noticed | None:
    """The feed's file has a mistake; the last right form, if there was one, runs on."""
    if not state.wrong:
        return None
    return Noticed("file", "", Severity.WARNING, {"error": state.wrong.splitlines()[0][:LONGEST]})


def late(seen: Subject) -> Noticed | None:
    """Something new is overdue, but not yet several times over."""
    return _overdue(seen, Freshness.LATE, "late", Severity.WARNING)


def silent(seen: Subject) -> Noticed | None:
    """Something new is overdue several times over."""
    return _overdue(seen, Freshness.STALE, "silent", Severity.ERROR)


def _overdue(seen: Subject, wanted: Freshness, kind: str, severity: Severity) -> Noticed | None:
    if seen.every is None or overdue(seen.now - seen.waited_since, seen.every) is not wanted:
        return None
    last = seen.newest
    return Noticed(kind, "", severity, {"every_seconds": seen.every.total_seconds(), "last": None if last is None else last.isoformat()})


def lag(seen: Subject) -> Noticed | None:
    """The newest observation is older than the operator allows."""
    most = seen.feed.expect.max_lag
    if most is None or seen.things is None or seen.things.newest is None:
        return None
    age = seen.now - seen.things.newest
    if age <= most:
        return None
    return Noticed("lag", "", Severity.WARNING, {"lag_seconds": round(age.total_seconds()), "max_seconds": most.total_seconds()})


def backlog(seen: Subject) -> Noticed | None:
    """What came waits too long to be judged and stored."""
    seconds = seen.state.lag_seconds or 0.0
    return Noticed("backlog", "", Severity.WARNING, {"lag_seconds": round(seconds)}) if seconds > BACKLOG.total_seconds() else None


def gap(seen: Subject) -> Noticed | None:
    """Fewer things report than there should be."""
    expect, things = seen.feed.expect, seen.things
    if things is None or (expect.things is None and (not seen.alone or things.known < SOME_THINGS)):
        return None
    least = expect.things if expect.things is not None else (things.known + 1) // 2
    if things.reporting >= least:
        return None
    return Noticed("gap", "", Severity.WARNING, {"reporting": things.reporting, "expected": least, "known": things.known})


def rejects(seen: Subject) -> Noticed | None:
    """Too many of the last hours' rows were rejected."""
    received, rejected = seen.recent.received, seen.recent.rejected
    if received < ENOUGH_ROWS or rejected <= seen.feed.expect.max_reject_ratio * received:
        return None
    return Noticed("rejects", "", Severity.WARNING, {"received": received, "rejected": rejected})


def volume(seen: Subject) -> Noticed | None:
    """The last full hour brought far fewer or far more rows than that hour of the week usually does."""
    least = seen.feed.expect.volume
    hourly = seen.every is not None and seen.every <= timedelta(hours=1)
    if not hourly or not least or seen.feed.kind is not Kind.TIMESERIES or seen.usual is None or seen.usual < ENOUGH_USUAL:
        return None
    if least * seen.usual <= seen.hour <= seen.usual / least:
        return None
    return Noticed("volume", "", Severity.WARNING, {"rows": seen.hour, "usual": round(seen.usual)})


def clock(seen: Subject) -> Noticed | None:
    """A message came in the future: the clock went back since."""
    last = seen.state.last_message_time
    if last is None or last <= seen.now + AHEAD:
        return None
    return Noticed("clock", "", Severity.ERROR, {"ahead_seconds": round((last - seen.now).total_seconds())})


Check = Callable[[Subject], Noticed | None]

#: Checks in three groups: a group is looked at only if those before it found that the source answers and brings something, for what
#: follows from that says nothing of its own.
ALWAYS: dict[str, Check] = {
    "source_error": source_error,
    "file": lambda seen: wrong_file(seen.state),
    "backlog": backlog,
    "clock": clock,
    "rejects": rejects,
}
IF_IT_ANSWERS: dict[str, Check] = {"late": late, "silent": silent}
IF_IT_BRINGS: dict[str, Check] = {"lag": lag, "gap": gap, "volume": volume}
KINDS = (*ALWAYS, *IF_IT_ANSWERS, *IF_IT_BRINGS)


def look_at(seen: Subject) -> dict[str, Noticed | None]:
    """What each check that could be made noticed."""
    found = {kind: check(seen) for kind, check in ALWAYS.items()}
    if found["source_error"] is None:
        found |= {kind: check(seen) for kind, check in IF_IT_ANSWERS.items()}
        if found["late"] is None and found["silent"] is None:
            found |= {kind: check(seen) for kind, check in IF_IT_BRINGS.items()}
    return found


def far_side(feed: Feed) -> str:
    """Whom a feed depends on: many feeds that fail for one reason share it."""
    source = feed.source
    if isinstance(source, MqttSource):
        return f"{source.host}:{source.port}"
    return urlsplit(source.url).hostname or feed.id if isinstance(source, HttpSource) else feed.id
