"""Fetching on a schedule: a due feed is fetched, what came is durable before its state is remembered."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from stadthub_catalog.catalog import Catalog
from stadthub_ingest.sources import file, http
from stadthub_ingest.sources.fetched import Fetched
from stadthub_ingest.sources.reach import Reach
from stadthub_lake.rawlog import RawLog
from stadthub_pipelines.door import Door
from stadthub_schemas.errors import FeedError, SourceError, StorageError
from stadthub_schemas.feed import Feed, FileSource, HttpSource

#: The first wait after a failure; it doubles up to the feed's own interval.
FIRST_RETRY = timedelta(seconds=15)

#: How much of the interval a run may be put off at random, so that feeds don't all start on the same second.
JITTER = 0.05


@dataclass(frozen=True, slots=True)
class Pulled:
    """What one fetch brought: how many payloads and bytes, or why none."""

    payloads: int = 0
    size: int = 0
    error: str | None = None


class Puller:
    """The schedule and the memory of one http or file feed."""

    def __init__(self, feed: Feed, log: RawLog, door: Door, catalog: Catalog, reach: Reach) -> None:
        assert isinstance(feed.source, HttpSource | FileSource)
        self.feed = feed
        self.every = feed.source.every
        self.error: str | None = None
        self.busy = False
        self._log = log
        self._door = door
        self._catalog = catalog
        self._reach = reach
        self._failures = 0
        self._due = time.monotonic()

    @property
    def due(self) -> bool:
        """Whether it is time."""
        return not self.busy and time.monotonic() >= self._due

    @property
    def next_run(self) -> datetime:
        """When it is time, in UTC."""
        return datetime.now(UTC) + timedelta(seconds=max(0.0, self._due - time.monotonic()))

    def hurry(self) -> None:
        """Run as soon as possible."""
        self._due = time.monotonic()

    def pull(self) -> Pulled:
        """Fetch once, store what came, and set the time of the next fetch. Never raises a StadthubError."""
        self.busy = True
        payloads = size = 0
        try:
            for fetched in self._fetch():
                self._store(fetched)
                self._catalog.note_feed(self.feed.id, source_state=fetched.state)
                payloads, size = payloads + 1, size + len(fetched.body)
        except (SourceError, FeedError, StorageError) as error:
            self._failures += 1
            self.error = str(error)
        else:
            self._failures = 0
            self.error = None
        finally:
            self.busy = False
            self._due = time.monotonic() + self._wait().total_seconds()
        return Pulled(payloads, size, self.error)

    def _store(self, fetched: Fetched) -> None:
        """Make durable what may be stored of it."""
        frame = self._door.frame(fetched.name, fetched.body)
        if frame is not None:
            self._log.append([(datetime.now(UTC), *frame)])
            self._log.sync()

    def _fetch(self) -> Iterator[Fetched]:
        state: dict[str, Any] = dict(self._catalog.feed(self.feed.id).source_state)
        if isinstance(self.feed.source, HttpSource):
            return http.fetch(self.feed.source, state, self._reach, key=self._door.key)
        assert isinstance(self.feed.source, FileSource)
        return file.scan(self.feed.source, state, key=self._door.key)

    def _wait(self) -> timedelta:
        if self._failures:
            return min(self.every, FIRST_RETRY * float(2 ** min(self._failures - 1, 10)))
        return self.every * (1 + random.uniform(0, JITTER))
