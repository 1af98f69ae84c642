"""Whether feeds are well: once a minute every feed is looked at, and what is wrong for more than a moment becomes a finding."""

import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from stadthub_catalog.catalog import Catalog
from stadthub_catalog.entry import FeedState
from stadthub_catalog.findings import Noticed
from stadthub_catalog.history import Hour, Things
from stadthub_pipelines.checks import DAY, KINDS, Subject, look_at, wrong_file
from stadthub_pipelines.clock import is_synchronised
from stadthub_pipelines.usual import Habits
from stadthub_schemas.counts import Counts
from stadthub_schemas.dataset import Kind
from stadthub_schemas.feed import Feed
from stadthub_schemas.finding import Finding, Severity
from stadthub_schemas.settings import Settings

#: Something is wrong when so many looks one after the other say so, and right again after so many.
OPENS, CLOSES = 2, 3

#: How often the things of a dataset are counted, in looks, and how long a thing that reports no more is known.
COUNTED = 5
WEEK = timedelta(days=7)

#: The hub itself, among feeds; a feed's name is never empty.
HUB = ""
ROOM = 4


@dataclass(slots=True)
class _Streak:
    """How many looks in a row said the same."""

    bad: int = 0
    good: int = 0


@dataclass(slots=True)
class _Memory:
    """What is remembered of a feed between two looks."""

    since: datetime
    counts: Counts
    last_message: datetime | None
    things: Things | None = None
    streaks: dict[tuple[str, str], _Streak] = field(default_factory=dict)


class Health:
    """Looks at feeds. What it decides on is in the catalogue, so that nothing is forgotten over a restart but half a streak."""

    def __init__(self, catalog: Catalog, settings: Settings) -> None:
        self._catalog = catalog
        self._settings = settings
        self._habits = Habits(catalog, ZoneInfo(settings.time_zone))
        self._known: dict[str, _Memory] = {}
        self._looks = 0

    def look(self, feeds: Mapping[str, Feed], now: datetime) -> None:
        """Look at all feeds and at the machine; open and resolve findings."""
        states = {state.feed: state for state in self._catalog.feeds()}
        there = {name: feed for name, feed in feeds.items() if name in states}
        opened: dict[str, dict[tuple[str, str], Finding]] = {}
        for finding in self._catalog.findings():
            opened.setdefault(finding.feed, {})[(finding.kind, finding.subject)] = finding
        self._note_hours(states, now)
        self._habits.refresh(now)
        alone = _alone(there)
        for name, feed in there.items():
            before = opened.get(name, {})
            if states[name].paused or states[name].held:
                self._rest(name, before)
                continue
            subject = self._subject(feed, states[name], now, before)
            self._judge(name, look_at(replace(subject, alone=feed.dataset in alone)), before)
        for name in states.keys() - there.keys():
            self._judge(name, {"file": wrong_file(states[name])}, opened.get(name, {}))
        self._judge(HUB, self._machine(), opened.get(HUB, {}))
        for name in [one for one in self._known if one not in states and one != HUB]:
            del self._known[name]
        self._looks += 1

    def _note_hours(self, states: Mapping[str, FeedState], now: datetime) -> None:
        """Add to this hour what came since the last look."""
        hours = []
        for name, state in states.items():
            memory = self._known.setdefault(name, _Memory(now, state.counts, state.last_message_time))
            more, last = state.counts - memory.counts, state.last_message_time
            pause = (last - memory.last_message).total_seconds() if last and memory.last_message and last > memory.last_message else 0.0
            if pause or min(more.as_dict().values()) >= 0 < max(more.as_dict().values()):
                hours.append(Hour(name, now.replace(minute=0, second=0, microsecond=0), more, pause))
            memory.counts, memory.last_message = state.counts, last or memory.last_message
        self._catalog.note_hours(hours)

    def _subject(self, feed: Feed, state: FeedState, now: datetime, before: Mapping[tuple[str, str], Finding]) -> Subject:
        memory, every = self._known[feed.id], self._habits.every(feed, state)
        usual, hour = self._habits.volume(feed.id, memory.since)
        if feed.kind is Kind.TIMESERIES and (feed.expect.max_lag is not None or self._looks % COUNTED == 0):
            memory.things = self._things(feed, now)
        return Subject(
            feed=feed,
            state=state,
            now=now,
            since=memory.since,
            every=every,
            recent=self._habits.recent(feed.id),
            usual=usual,
            hour=hour,
            things=memory.things,
            alarmed=any(kind in ("late", "silent") for kind, _ in before),
        )

    def _things(self, feed: Feed, now: datetime) -> Things:
        """Those of the last week, and those that report: as late behind the newest of them as its cadence allows."""
        every = feed.expect.every
        recent = DAY if every is None else 3 * every
        newest = self._catalog.reporting(feed.dataset, now - WEEK, now).newest
        return self._catalog.reporting(feed.dataset, now - max(WEEK, recent), (newest or now) - recent)

    def _machine(self) -> dict[str, Noticed | None]:
        """What is wrong with the machine."""
        free, floor = shutil.disk_usage(self._settings.data_dir).free // 1_000_000, self._settings.min_free_mb
        severity = Severity.ERROR if free < floor else Severity.WARNING
        full = Noticed("disk", "", severity, {"free_mb": free, "floor_mb": floor}) if free < ROOM * floor else None
        loose = Noticed("time_service", "", Severity.INFO, {}) if is_synchronised() is False else None
        return {"disk": full, "time_service": loose}

    def _judge(self, name: str, found: Mapping[str, Noticed | None], before: Mapping[tuple[str, str], Finding]) -> None:
        """Open what was wrong often enough, resolve what was right often enough; a kind that is not in `found` stays as it is."""
        memory = self._known.setdefault(name, _Memory(datetime.now(UTC), Counts(), None))
        noticed = {(one.kind, one.subject): one for one in found.values() if one is not None}
        held = {key for key in before if key[0] in found}
        streaks = {key: streak for key, streak in memory.streaks.items() if key[0] not in found}
        for key in held | noticed.keys():
            streak = memory.streaks.get(key, _Streak())
            wrong = key in noticed
            streaks[key] = _Streak(streak.bad + 1, 0) if wrong else _Streak(0, streak.good + 1)
        memory.streaks = streaks
        opens = [one for key, one in noticed.items() if key in held or streaks[key].bad >= OPENS]
        self._catalog.note_findings(name, opens)
        escalated = {one.kind for one in opens} & {"late", "silent"}
        for kind, subject in held - noticed.keys():
            if streaks[(kind, subject)].good >= CLOSES or (kind in ("late", "silent") and escalated):
                self._catalog.resolve_finding(name, kind, subject)

    def _rest(self, name: str, before: Mapping[tuple[str, str], Finding]) -> None:
        """A paused feed is not watched: what was wrong with it is over, and afterwards it has its whole cadence again."""
        for kind, subject in before:
            if kind in KINDS:
                self._catalog.resolve_finding(name, kind, subject)
        self._known.pop(name, None)


def _alone(feeds: Mapping[str, Feed]) -> set[str]:
    """The datasets that one feed alone fills."""
    filling = Counter(feed.dataset for feed in feeds.values())
    return {dataset for dataset, number in filling.items() if number == 1}
