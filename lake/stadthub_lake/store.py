"""The writing side of the lake: thread-safe, one process for each worker; nothing acknowledged is lost, nothing is stored twice."""

import fcntl
import shutil
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from stadthub_lake import compaction, inventory
from stadthub_lake.features import FeatureSet
from stadthub_lake.progress import Appended, Change, Corrected, Progress
from stadthub_lake.rejects import Rejects
from stadthub_lake.rowset import RowSet
from stadthub_lake.series import Series
from stadthub_lake.storage import local_folder, make_folder, storing, sync_folder
from stadthub_lake.verify import Finding, verify
from stadthub_schemas.dataset import Dataset, Kind
from stadthub_schemas.errors import Conflict, StorageError

__all__ = ["Appended", "Change", "Corrected", "Finding", "Progress", "Store"]

LOCK = "lake{}.lock"

Writer = Series | FeatureSet | RowSet


class Store:
    """Writes datasets, as the main worker of the hub or as the one of this name. Workers with different names may write the same
    timeseries at once; a second one of the same name is told so. Readers are never in the way."""

    def __init__(self, uri: str, data_dir: Path, worker: str = "") -> None:
        self._root = local_folder(uri)
        self._worker = worker
        self._data_dir = data_dir.absolute()
        with storing("the lake"):
            make_folder(self._root)
            make_folder(self._data_dir)
            self._lock_file = (self._data_dir / LOCK.format(worker and f"@{worker}")).open("ab")
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock_file.close()
            raise StorageError("another process writes to this lake already: stop it first") from error
        if not worker:
            shutil.rmtree(self.scratch, ignore_errors=True)  # what a killed one has left
        self._lock = threading.Lock()
        self._writers: dict[str, Writer] = {}
        self._rejects = Rejects(self._root / inventory.REJECTS)

    @property
    def scratch(self) -> Path:
        """Where rows may wait until all of them are there."""
        return self._data_dir / "waiting"

    def close(self) -> None:
        """Lets another process write. What is pending stays in the raw log."""
        for writer in self._writers.values():
            if isinstance(writer, Series):
                writer.save_newest()
        self._lock_file.close()

    def ensure(self, dataset: Dataset) -> None:
        """The dataset has its folder and table; Conflict if it is there with another kind."""
        with self._lock:
            inventory.ensure(self._root, dataset, datetime.now(UTC))
            if dataset.kind is Kind.TABLE:
                self._writers.pop(dataset.name, None)
        self._writer(dataset.name)

    def drop(self, dataset: str) -> None:
        """The dataset is gone with all its past; nothing happens if there is none."""
        with self._lock, storing(dataset):
            self._writers.pop(dataset, None)
            if (self._root / dataset).is_dir():
                shutil.rmtree(self._root / dataset)
            (self._data_dir / "progress" / f"{dataset}.json").unlink(missing_ok=True)
            sync_folder(self._root)

    def append(self, dataset: str, feed: str, position: int, rows: pa.Table) -> Appended:
        """Which rows of a timeseries were new; they are visible at once. TypeConflict, StorageError."""
        return self._timeseries(dataset).append(feed, position, rows)

    def correct(self, dataset: str, feed: str, position: int, rows: pa.Table) -> Corrected:
        """Rows that were decoded again: one with another value takes the place of the stored one. On disk when this returns; the
        old value stays readable by `as_of`. Rows that wait for their commit are left alone: commit first."""
        return self._timeseries(dataset).correct(feed, position, rows)

    def replace(self, dataset: str, feed: str, rows: pa.Table, progress: Progress) -> Change:
        """A new version of features or of a table, on disk when this returns. TypeConflict leaves the last good one served."""
        writer = self._writer(dataset)
        if isinstance(writer, Series):
            raise Conflict(f"{dataset}: it is a timeseries, its rows are appended and not replaced")
        with writer.lock:
            change = writer.replace(feed, rows, progress)
            self._rejects.commit(feed, progress)
        return change

    def reshape(self, dataset: str, feed: str, rows: pa.Table, progress: Progress) -> Change:
        """The same, whatever columns and types the version before had: the new one has those of its rows."""
        writer = self._writer(dataset)
        if isinstance(writer, Series):
            raise Conflict(f"{dataset}: it is a timeseries, its rows are appended and not replaced")
        with writer.lock:
            change = writer.reshape(feed, rows, progress)
            self._rejects.commit(feed, progress)
        return change

    def reject(self, feed: str, position: int, rejects: pa.Table) -> None:
        """Keeps refused rows; they are on disk with the next commit of the feed."""
        self._rejects.add(feed, position, rejects)

    def commit(self, dataset: str, progress: Mapping[str, Progress]) -> None:
        """What was accepted up to these positions is in the table, on disk, exactly once."""
        writer = self._writer(dataset)
        with writer.lock:
            for feed, one in progress.items():
                self._rejects.commit(feed, one)
            if isinstance(writer, Series):
                writer.commit(progress)
            else:
                writer.advance(progress)

    def progress(self, dataset: str, feed: str) -> Progress:
        """What is committed of a feed; Progress(0, Counts()) if nothing is."""
        writer = self._writer(dataset)
        with writer.lock:
            return writer.progress(feed)

    def pending(self, dataset: str) -> int:
        """How many accepted rows wait for their commit; features and tables never let one wait."""
        writer = self._writer(dataset)
        return writer.pending if isinstance(writer, Series) else 0

    def version(self, dataset: str) -> int:
        """How often a timeseries was changed, by whichever worker; 0 for features and tables."""
        writer = self._writer(dataset)
        if not isinstance(writer, Series):
            return 0
        with writer.lock:
            writer.table.refresh()
            return writer.table.version

    def compact(self, dataset: str) -> None:
        """Small files become few large, sorted ones."""
        compaction.compact(self._timeseries(dataset))

    def retain(self, dataset: str, before: datetime) -> int:
        """How many observations older than a time were dropped."""
        return compaction.retain(self._timeseries(dataset), before)

    def forget_rejects(self, feed: str, before: datetime) -> int:
        """How many refused rows of a feed were dropped that were received before a time."""
        return self._rejects.forget(feed, before)

    def vacuum(self, dataset: str, keep: timedelta) -> None:
        """Files and log entries that no `as_of` within the kept time needs are gone."""
        compaction.vacuum(self._timeseries(dataset), keep)

    def verify(self) -> Iterator[Finding]:
        """What is wrong with the files of the lake and of the raw logs."""
        return verify(self._root, self._data_dir / "raw")

    def _timeseries(self, dataset: str) -> Series:
        writer = self._writer(dataset)
        if not isinstance(writer, Series):
            raise Conflict(f"{dataset}: it is no timeseries, its rows are replaced as a whole")
        return writer

    def _writer(self, dataset: str) -> Writer:
        with self._lock:
            if dataset not in self._writers:
                self._writers[dataset] = self._open(inventory.read(self._root, dataset))
            return self._writers[dataset]

    def _open(self, entry: inventory.Entry) -> Writer:
        folder = self._root / entry.name
        if entry.kind is Kind.TIMESERIES:
            return Series(entry.name, folder, self._data_dir, self._worker)
        if entry.kind is Kind.FEATURES:
            return FeatureSet(entry.name, folder / inventory.FEATURES)
        return RowSet(entry.name, folder / inventory.ROWS, self._data_dir / "progress" / f"{entry.name}.json", entry.key)
