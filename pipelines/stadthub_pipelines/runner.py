"""One feed in operation: its raw log, its source and its intake, started and stopped together."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from stadthub_catalog.catalog import Catalog
from stadthub_catalog.entry import FeedState
from stadthub_ingest.frames import FrameCounter
from stadthub_ingest.sources.reach import Reach
from stadthub_lake.rawlog import RawLog
from stadthub_pipelines.door import door
from stadthub_pipelines.flow import Flow
from stadthub_pipelines.intake import Doors, Intake
from stadthub_pipelines.pull import Puller, Surroundings
from stadthub_pipelines.receiver import Receiver
from stadthub_pipelines.spool import take
from stadthub_schemas.counts import Counts
from stadthub_schemas.errors import NotFound, StadthubError, StorageError
from stadthub_schemas.feed import AskedSource, Feed, MqttSource, PushSource
from stadthub_schemas.settings import Settings

LOG = structlog.get_logger()

#: How long a feed that is closed is judged on, in seconds: others wait for it.
LAST_TURN = 5.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where the runners of one hub work and whom they tell."""

    data_dir: Path
    min_free_bytes: int
    doors: Doors
    catalog: Catalog
    reach: Reach
    notice: Callable[[], None]
    zone: ZoneInfo

    @property
    def surroundings(self) -> Surroundings:
        """What pullers need of it."""
        return Surroundings(self.catalog, self.reach, self.zone, self.data_dir)


def place_of(settings: Settings, doors: Doors, notice: Callable[[], None]) -> Place:
    """Where the runners of this hub work and whom they tell."""
    zone, room = ZoneInfo(settings.time_zone), settings.min_free_mb * 1_000_000
    return Place(settings.data_dir, room, doors, doors.catalog, Reach(settings.allowed_hosts), notice, zone)


class Runner:
    """Runs one feed. A paused runner takes nothing in but still stores what it has logged."""

    def __init__(self, feed: Feed, flow: Flow, place: Place) -> None:
        self.feed = feed
        self.flow = flow
        self.member = place.doors.member(feed.id)
        self.log = RawLog(place.data_dir / "raw" / self.member, place.min_free_bytes)
        self.intake = Intake(feed, flow.dataset, self.log, place.doors)
        self.paused = True
        self.puller: Puller | None = None
        self._place = place
        self._receiver: Receiver | None = None
        self._spool = place.data_dir / "push" / feed.id
        self._rate = _Rate(self.intake.counts)
        self._storage_error: str | None = None
        self._refusal: str | None = None
        self._lock = threading.Lock()
        self._door = door(feed, place.data_dir)
        if isinstance(feed.source, AskedSource):
            self.puller = Puller(feed, self.log, self._door, place.surroundings)
        noted = _noted(place.catalog, self.member)
        if self.intake.frames is not None:
            self.intake.frames = FrameCounter(noted.frames_received, noted.frames_missing, noted.frames_restarts)
        self.intake.remind(noted.position)
        with flow.lock:
            flow.intakes[self.member] = self.intake

    def obey(self, *, paused: bool) -> None:
        """Take in or don't, as the operator or the feed file wants."""
        wanted = paused or self.feed.paused
        if wanted and not self.paused:
            self._pause()
        elif self.paused and not wanted:
            self._start()

    def hurry(self) -> None:
        """Fetch as soon as possible."""
        if self.puller is not None:
            self.puller.hurry()

    def _start(self) -> None:
        """Take in. What can't begin yet (a secret or a certificate is missing) stays paused, says why, and is tried again."""
        self._refusal = None
        if isinstance(self.feed.source, MqttSource):
            receiver = Receiver(self.feed, self._member_of(self.feed.source), self.log, self._door, self._place.notice)
            try:
                receiver.start()
            except StadthubError as error:
                self._refusal = str(error)
                return
            self._receiver = receiver
        self.paused = False
        if self.puller is not None:
            self.puller.begin()

    def _member_of(self, source: MqttSource) -> MqttSource:
        """The source as this worker subscribes to it: each member of a shared subscription has a session of its own."""
        worker = self._place.doors.worker
        return source.model_copy(update={"client_id": f"{source.client_id or f'stadthub-{self.feed.id}'}-{worker}"}) if worker else source

    def _pause(self) -> None:
        """Take nothing in any more; the broker and the far side keep what comes."""
        self.paused = True
        self._refusal = None
        if self._receiver is not None:
            self._receiver.stop()
            self._receiver = None

    def close(self) -> None:
        """Stop, and leave the flow; what is logged and could not be judged in a few seconds stays for the next start."""
        self._pause()
        self.flow.turn(LAST_TURN)
        self.flow.commit()
        self.flow.remember()
        with self.flow.lock:
            self.flow.intakes.pop(self.member, None)
        self.intake.close()
        self.log.close()

    @property
    def has_pushed(self) -> bool:
        """Whether a body waits that was pushed."""
        return isinstance(self.feed.source, PushSource) and not self.paused and self._spool.is_dir() and any(self._spool.iterdir())

    def collect(self) -> None:
        """Take what was pushed into the raw log."""
        try:
            if take(self._spool, self.log, self._door):
                self._place.notice()
            self._storage_error = None
        except StorageError as error:
            self._storage_error = str(error)

    def pull_once(self) -> None:
        """Fetch once and write down how it went."""
        assert self.puller is not None
        with self._lock:
            before = self.intake.counts
            self._place.catalog.cut_runs(self.feed.id)
            run = self._place.catalog.start_run(self.feed.id)
            pulled = self.puller.pull()
            if pulled.payloads or self.intake.behind:
                self.flow.turn()
                self.flow.remember()
            counts = self.intake.counts - before
            self._place.catalog.end_run(run, counts, pulled.error)
        told = LOG.info if pulled.payloads or pulled.error else LOG.debug
        told("run ended", feed=self.feed.id, run=run, payloads=pulled.payloads, error=pulled.error, **counts.as_dict())
        self._place.notice()

    def replay(self, since: datetime) -> Counts:
        """Judge the raw log again since then, and write down how it went."""
        run = self._place.catalog.start_run(self.member)
        self.flow.turn()
        with self.flow.lock:
            counts = self.intake.replay(since)
        self.flow.note_work()
        self.flow.commit()
        self._place.notice()
        self._place.catalog.end_run(run, counts, None)
        LOG.info("replay ended", feed=self.feed.id, run=run, **counts.as_dict())
        return counts

    def grant_releases(self) -> None:
        """Do what operators want with payloads in quarantine."""
        with self.flow.lock:
            self.intake.grant()
        self._place.notice()

    def state(self) -> dict[str, Any]:
        """What the operator page shows of this feed."""
        intake = self.intake
        now = datetime.now(UTC)
        return {
            "title": self.feed.title,
            "dataset": self.feed.dataset,
            "source": self.feed.source.type,
            "connected": self._connected(),
            "error": self._error(),
            "position": intake.remembered,
            "counts": intake.counts,
            **_known(last_message=intake.last_message, last_commit=self.flow.last_commit, last_success=self._last_success),
            "next_run": None if self.puller is None or self.paused else self.puller.next_run,
            "lag_seconds": self._lag(now),
            "rate_per_minute": self._rate.per_minute(intake.counts),
            "quarantine": intake.quarantine,
            "held": self.feed.paused,
            **_frames(intake.frames),
        }

    @property
    def _last_success(self) -> datetime | None:
        return None if self.puller is None else self.puller.last_success

    def _connected(self) -> bool:
        if self.paused:
            return False
        if self._receiver is not None:
            return self._receiver.connected
        return self.puller is None or self.puller.error is None

    def _error(self) -> str | None:
        if self._refusal is not None:
            return self._refusal
        if self._receiver is not None and self._receiver.trouble is not None:
            return self._receiver.trouble
        if self.puller is not None and self.puller.error is not None:
            return self.puller.error
        return self._storage_error

    def _lag(self, now: datetime) -> float:
        """How long the oldest message that is not judged yet has been waiting."""
        if not self.intake.behind:
            return 0.0
        with suppress(IndexError):
            return (now - self.log.read(self.intake.position, 1)[0].received_time).total_seconds()
        return 0.0


class _Rate:
    """Rows per minute over the last minutes."""

    def __init__(self, counts: Counts) -> None:
        self._samples: list[tuple[float, int]] = [(time.monotonic(), counts.received)]

    def per_minute(self, counts: Counts) -> float:
        now = time.monotonic()
        self._samples.append((now, counts.received))
        while len(self._samples) > 2 and now - self._samples[0][0] > 120:
            self._samples.pop(0)
        before, seconds = self._samples[0][1], now - self._samples[0][0]
        return 60 * (counts.received - before) / seconds if seconds > 0 else 0.0


def _known(**times: datetime | None) -> dict[str, datetime]:
    """The times that are known: what is not known since the start stays as it was noted before."""
    return {name: time for name, time in times.items() if time is not None}


def _frames(counter: FrameCounter | None) -> dict[str, int]:
    """What became of the feed's radio frames, where they are counted."""
    if counter is None:
        return {}
    return {"frames_received": counter.received, "frames_missing": counter.missing, "frames_restarts": counter.restarts}


def _noted(catalog: Catalog, feed: str) -> FeedState:
    """What the catalogue was told of the feed; of one that it does not know, nothing."""
    try:
        return catalog.feed(feed)
    except NotFound:
        return FeedState(feed)
