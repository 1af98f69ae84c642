"""Fetching on a schedule: a due feed is fetched, what came is durable before its state is remembered."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from stadthub_catalog.catalog import Catalog
from stadthub_ingest.sources import file, http
from stadthub_ingest.sources.fetched import Fetched
from stadthub_ingest.sources.reach import Reach
from stadthub_lake.rawlog import RawLog
from stadthub_pipelines import uploads
from stadthub_pipelines.door import Door
from stadthub_pipelines.timetable import Timetable, turn_of
from stadthub_schemas.errors import FeedError, SourceError, StorageError
from stadthub_schemas.feed import AskedSource, Feed, FileSource, HttpSource, UploadSource
from stadthub_schemas.schedule import Window, filled


@dataclass(frozen=True, slots=True)
class Pulled:
    """What one fetch brought: how many payloads and bytes, or why none."""

    payloads: int = 0
    size: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a puller needs of its hub."""

    catalog: Catalog
    reach: Reach
    zone: ZoneInfo
    data_dir: Path

    @property
    def name(self) -> str:
        """What tells this hub from others that ask the same source."""
        return f"{socket.gethostname()}:{self.data_dir.absolute()}"


class Puller:
    """The schedule and the memory of one http or file feed."""

    def __init__(self, feed: Feed, log: RawLog, door: Door, hub: Surroundings) -> None:
        assert isinstance(feed.source, AskedSource)
        self.feed = feed
        self.error: str | None = None
        self.busy = False
        self.last_success: datetime | None = None
        self._log = log
        self._door = door
        self._hub = hub
        self._times = Timetable(feed, hub.zone, hub.name, datetime.now(UTC))

    @property
    def due(self) -> bool:
        """Whether it is time."""
        return not self.busy and self._times.is_due(datetime.now(UTC))

    @property
    def next_run(self) -> datetime:
        """When it is time, in UTC."""
        return max(self._times.due, datetime.now(UTC))

    def begin(self) -> None:
        """Take in again, after a pause: what was missed meanwhile is caught up as the feed file says."""
        self._times.begin(datetime.now(UTC))

    def hurry(self) -> None:
        """Run as soon as possible."""
        self._times.hurry(datetime.now(UTC))

    def pull(self) -> Pulled:
        """Fetch once, store what came, and set the time of the next fetch. Never raises a StadthubError."""
        self.busy = True
        payloads = size = 0
        try:
            state: dict[str, Any] = dict(self._hub.catalog.feed(self.feed.id).source_state)
            turn = self._times.turn(turn_of(state), datetime.now(UTC))
            for fetched in self._fetch(state, turn):
                self._store(fetched)
                state = {**fetched.state, **({"turn": state["turn"]} if "turn" in state else {})}
                self._hub.catalog.note_feed(self.feed.id, source_state=state)
                payloads, size = payloads + 1, size + len(fetched.body)
            if self._times.windowed:
                self._hub.catalog.note_feed(self.feed.id, source_state={"turn": turn.isoformat()})
        except (SourceError, FeedError, StorageError) as error:
            self.error = str(error)
            self._times.failed(datetime.now(UTC))
        else:
            self.error = None
            self.last_success = datetime.now(UTC)
            self._times.succeeded(turn, self.last_success)
        finally:
            self.busy = False
        return Pulled(payloads, size, self.error)

    def _store(self, fetched: Fetched) -> None:
        """Make durable what may be stored of it."""
        frame = self._door.frame(fetched.name, fetched.body)
        if frame is not None:
            self._log.append([(datetime.now(UTC), *frame)])
            self._log.sync()

    def _fetch(self, state: dict[str, Any], turn: datetime) -> Iterator[Fetched]:
        """What the source has to say. Of a window nothing is remembered: the next one has another address."""
        source = self.feed.source
        if self._times.windowed:
            return fetch_window(source, self._times.window(turn), self._hub, self._door.key)
        if isinstance(source, HttpSource):
            return http.fetch(source, state, self._hub.reach, key=self._door.key)
        if isinstance(source, UploadSource):
            return uploads.fetch(self.feed, source, state, self._hub.data_dir)
        assert isinstance(source, FileSource)
        return file.scan(source, state, key=self._door.key)


def fetch_window(source: object, window: Window, hub: Surroundings, key: bytes) -> Iterator[Fetched]:
    """What a web address has to say of this time."""
    assert isinstance(source, HttpSource)
    asked = source.model_copy(update={"url": filled(source.url, window, hub.zone)})
    return http.fetch(asked, {}, hub.reach, key=key)
