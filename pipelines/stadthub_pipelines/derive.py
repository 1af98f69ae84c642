"""Derived datasets in operation: a model is computed when what it reads has changed, all or nothing, and again after a kill alike."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from stadthub_catalog.catalog import Catalog
from stadthub_lake.derivation import EVER, Derivative, Workshop
from stadthub_lake.progress import Progress
from stadthub_lake.snapshot import Reader, Snapshot
from stadthub_lake.store import Store
from stadthub_pipelines.lineage import Model
from stadthub_schemas.counts import Counts
from stadthub_schemas.dataset import Dataset, Kind
from stadthub_schemas.errors import NotFound, StadthubError
from stadthub_schemas.settings import Settings

#: The kind of source that operators see.
SOURCE = "sql"

#: How long it waits for inputs that have no data yet.
LOOK = timedelta(seconds=2)

#: How long after a failure it is tried again when nothing changes.
AGAIN = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Rooms:
    """What derivations read, where they are computed, and where they write. One is computed at a time: memory stays flat."""

    reader: Reader
    workshop: Workshop
    store: Store
    catalog: Catalog
    turn: threading.Lock


def rooms(settings: Settings, reader: Reader, store: Store, catalog: Catalog) -> Rooms:
    """The rooms of this hub."""
    workshop = Workshop(reader, settings.time_zone, settings.query_seconds * 10, settings.query_memory_mb)
    return Rooms(reader, workshop, store, catalog, threading.Lock())


class Derivation:
    """One derived dataset. What it was computed of is remembered in this process only: after a start everything is computed once
    more, and what is the same counts as duplicate."""

    def __init__(self, model: Model, dataset: Dataset, rooms: Rooms) -> None:
        self.model = model
        self.dataset = dataset
        self.paused = True
        self.error: str | None = None
        self.changed = True
        self._rooms = rooms
        rooms.store.ensure(dataset)
        progress = rooms.store.progress(dataset.name, model.derived.id)
        self._position, self.counts = progress.position, progress.counts
        self._done: dict[str, Snapshot] = {}
        self._last: datetime | None = None
        self._due = time.monotonic()
        self._wanted = False

    @property
    def is_due(self) -> bool:
        """Whether it is time: by the clock, or because an input has changed and the last time was long enough ago."""
        if self.paused:
            return False
        if self._wanted:
            return True
        if time.monotonic() < self._due:
            return False
        return self.model.derived.every is not None or self._has_news()

    def obey(self, *, paused: bool) -> None:
        """Compute or don't, as the operator or the file wants."""
        self.paused = paused or self.model.derived.paused

    def hurry(self) -> None:
        """Compute as soon as possible."""
        self._wanted = True

    def compute(self) -> bool:
        """Compute once and write down how it went; answer False where an input has no data yet. What goes wrong is in `error`."""
        derived, catalog = self.model.derived, self._rooms.catalog
        with self._rooms.turn:
            self._wanted = False
            before = self.counts
            snapshots = self._snapshots()
            missing = [one.dataset for one in snapshots.values() if not one.columns or one.rows == 0]
            if len(snapshots) < len(self.model.inputs) or missing:
                self._wait(LOOK)
                return False
            run = catalog.start_run(derived.id)
            try:
                self._store(self._derived(snapshots), snapshots)
                self.error = None
            except StadthubError as error:
                self.error = str(error)
            finally:
                self._last = datetime.now(UTC)
                self._wait(derived.every or (derived.pause if self.error is None else AGAIN))
                catalog.end_run(run, self.counts - before, self.error)
                catalog.note_feed(derived.id, **self.state())
        return True

    def state(self) -> dict[str, Any]:
        """What the operator page shows of it."""
        derived = self.model.derived
        return {
            "title": derived.title,
            "dataset": derived.dataset,
            "source": SOURCE,
            "connected": not self.paused and self.error is None,
            "error": self.error,
            "position": self._position,
            "counts": self.counts,
            **({"last_message": self._last, "last_commit": self._last} if self._last and self.error is None else {}),
            "next_run": None if self.paused or derived.every is None else self._next(),
            "lag_seconds": 0.0,
            "held": derived.paused,
        }

    def _next(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=max(0.0, self._due - time.monotonic()))

    def _wait(self, pause: timedelta) -> None:
        self._due = time.monotonic() + pause.total_seconds()

    def _snapshots(self) -> dict[str, Snapshot]:
        """Its inputs as they are now, as far as they are there."""
        found: dict[str, Snapshot] = {}
        for name in self.model.inputs:
            try:
                found[name] = self._rooms.reader.snapshot(name)
            except NotFound:
                continue
        return found

    def _has_news(self) -> bool:
        """Whether an input has another version than the one that was computed of."""
        now = self._snapshots()
        return any(name not in self._done or one.version != self._done[name].version for name, one in now.items())

    def _derived(self, snapshots: Mapping[str, Snapshot]) -> Derivative:
        return self._rooms.workshop.derive(self.model.derived.sql, list(snapshots.values()), self.dataset, self._since(snapshots))

    def _since(self, snapshots: Mapping[str, Snapshot]) -> datetime | None:
        """From when on all buckets are computed: from the first that changed, and none of which retention has taken a part. None: all."""
        bucket, workshop = self.model.derived.bucket, self._rooms.workshop
        if bucket is None:
            return None
        kept = self.model.inputs_kept_for
        whole = None if kept is None else workshop.beginning(datetime.now(UTC) - kept, bucket) + bucket
        if self._done.keys() != snapshots.keys():
            return whole
        changes = [workshop.changed(snapshots[name], self._done[name]) for name in snapshots]
        first = min(changes)
        return whole if first == EVER else max(filter(None, (workshop.beginning(first, bucket), whole)))

    def _store(self, found: Derivative, snapshots: Mapping[str, Snapshot]) -> None:
        """Make lasting what was computed: as a new version, or as observations of which only those that differ are written."""
        store, feed, name = self._rooms.store, self.model.derived.id, self.dataset.name
        position = self._position + 1
        rejected = found.rejects.num_rows
        if rejected:
            places = pa.array([position] * rejected, pa.int64())
            store.reject(feed, position, found.rejects.set_column(0, found.rejects.schema.field("position"), places))
        if self.dataset.kind is Kind.TIMESERIES:
            store.commit(name, {feed: Progress(position, self.counts)})  # only at a committed position can observations be corrected
            corrected = store.correct(name, feed, position, found.rows)
            stored = corrected.stored + corrected.changed
            counts = self.counts + Counts(found.received, stored, corrected.duplicate, rejected, 0)
            store.commit(name, {feed: Progress(position, counts)})
            self._rooms.catalog.remember(name, corrected.fresh)
        else:
            rows = found.rows.num_rows
            before = Progress(position, self.counts)
            change = store.replace(name, feed, found.rows, before)
            stored = change.added + change.changed
            counts = self.counts + Counts(found.received, stored, rows - stored, rejected, 0)
            store.commit(name, {feed: Progress(position, counts)})
        self._position, self.counts, self._done, self.changed = position, counts, dict(snapshots), True
