"""When a feed is asked, and for which time: its turns, what was missed, and how far apart from other hubs it stays."""

import hashlib
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from stadthub_schemas.exchange import Errand, every_of
from stadthub_schemas.feed import AskedSource, Feed, HttpSource
from stadthub_schemas.schedule import Turns, Window, is_windowed

#: The first wait after a failure; it doubles up to the next turn.
FIRST_RETRY = timedelta(seconds=15)

#: How far apart hubs and feeds stay if the feed file does not say: of an interval, or by cron.
SHARE, BY_CRON = 0.05, timedelta(seconds=30)

#: Enough to find the turn before a turn.
_MOMENT = timedelta(microseconds=1)


class Timetable:
    """The turns of one http or file feed, or of an errand. `done` is the last turn that was taken; who keeps it is the caller's affair."""

    def __init__(self, feed: Feed | Errand, zone: ZoneInfo, hub: str, now: datetime) -> None:
        said, every = feed.schedule, _every(feed)
        self._turns = Turns(every, said.cron, zone)
        self._catch_up = said.catch_up
        self._window = said.window
        self.windowed = isinstance(feed, Feed) and isinstance(feed.source, HttpSource) and is_windowed(feed.source.url)
        jitter = said.jitter if said.jitter is not None else BY_CRON if said.cron else every * SHARE
        self.offset = jitter * _share(f"{hub}|{feed.id}")
        self.begin(now)

    def begin(self, now: datetime) -> None:
        """From now on the feed is taken in, for the first time or again: at once, or with the next turn where missed ones are skipped."""
        self._failures = 0
        self._set = now
        self.due = self._turns.after(now - self.offset) + self.offset if self._catch_up == "skip" else now

    def is_due(self, now: datetime) -> bool:
        """Whether it is time; also if the clock was put back, since a turn must not be lost for hours by that."""
        return now >= self.due or now < self._set

    def hurry(self, now: datetime) -> None:
        """The next turn is now."""
        self.due = self._set = now

    def turn(self, done: datetime | None, now: datetime) -> datetime:
        """The turn that is to be taken now, after `done`: the newest, or the oldest that was missed where all are caught up."""
        newest = self._turns.until(now - self.offset)
        if self._catch_up == "all" and done is not None and done < newest:
            return self._turns.after(done)
        return newest

    def window(self, turn: datetime) -> Window:
        """The time that a fetch of this turn asks for."""
        start = self._turns.until(turn - _MOMENT) if self._window is None else turn - self._window
        return Window(start, turn)

    def succeeded(self, turn: datetime, now: datetime) -> None:
        """The turn was taken: the next one, or at once the one after it if it was missed."""
        self._failures = 0
        following = self._turns.after(turn) if self._catch_up == "all" and self.windowed else self._turns.after(now - self.offset)
        self.due, self._set = following + self.offset, now

    def failed(self, now: datetime) -> None:
        """The far side did not answer: again after a growing pause, at the latest with the next turn."""
        self._failures += 1
        pause = FIRST_RETRY * float(2 ** min(self._failures - 1, 10))
        self.due, self._set = min(now + pause, self._turns.after(now - self.offset) + self.offset), now


def _every(feed: Feed | Errand) -> timedelta:
    """How often it is asked."""
    if not isinstance(feed, Feed):
        return every_of(feed)
    assert isinstance(feed.source, AskedSource)
    return feed.source.every


def _share(text: str) -> float:
    """A number from 0 to 1 that is always the same for this text."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) / 2**64


def turn_of(state: dict[str, object]) -> datetime | None:
    """The last turn that a source's memory knows of."""
    known = state.get("turn")
    return datetime.fromisoformat(known).astimezone(UTC) if isinstance(known, str) else None
