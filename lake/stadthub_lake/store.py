"""The writing side of the lake: one process at a time, thread-safe, nothing acknowledged is lost, nothing is stored twice."""

import fcntl
import os
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from stadthub_lake import inventory
from stadthub_lake.progress import Appended, Change, Progress
from stadthub_lake.series import Series
from stadthub_lake.storage import local_folder, make_folder, storing
from stadthub_schemas.dataset import Dataset, Kind
from stadthub_schemas.errors import Conflict, StorageError

__all__ = ["Appended", "Change", "Progress", "Store"]

LOCK = "lake.lock"


class Store:
    """Writes datasets. A second process that tries is told so; readers are never in the way."""

    def __init__(self, uri: str, data_dir: Path) -> None:
        self._root = local_folder(uri)
        self._data_dir = data_dir.absolute()
        with storing("the lake"):
            make_folder(self._root)
            make_folder(self._data_dir)
            self._lock_file = os.open(self._data_dir / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock_file)
            raise StorageError("another process writes to this lake already: stop it first") from error
        self._lock = threading.Lock()
        self._series: dict[str, Series] = {}

    def close(self) -> None:
        """Lets another process write. What is pending stays in the raw log."""
        os.close(self._lock_file)

    def ensure(self, dataset: Dataset) -> None:
        """The dataset has its folder and table; Conflict if it is there with another kind."""
        with self._lock:
            inventory.ensure(self._root, dataset, datetime.now(UTC))
        if dataset.kind is Kind.TIMESERIES:
            self._timeseries(dataset.name)

    def append(self, dataset: str, feed: str, position: int, rows: pa.Table) -> Appended:
        """Which rows of a timeseries were new; they are visible at once. TypeConflict, StorageError."""
        return self._timeseries(dataset).append(feed, position, rows)

    def commit(self, dataset: str, progress: Mapping[str, Progress]) -> None:
        """What was accepted up to these positions is in the table, on disk, exactly once."""
        self._timeseries(dataset).commit(progress)

    def progress(self, dataset: str, feed: str) -> Progress:
        """What is committed of a feed; Progress(0, Counts()) if nothing is."""
        series = self._timeseries(dataset)
        with series.lock:
            return series.marks.of(feed)

    def pending(self, dataset: str) -> int:
        """How many accepted rows wait for their commit."""
        return self._timeseries(dataset).pending

    def _timeseries(self, dataset: str) -> Series:
        with self._lock:
            if dataset not in self._series:
                entry = inventory.read(self._root, dataset)
                if entry.kind is not Kind.TIMESERIES:
                    raise Conflict(f"{dataset}: it is a {entry.kind.value} dataset, its rows are replaced and not appended")
                self._series[dataset] = Series(dataset, self._root / dataset, self._data_dir)
            return self._series[dataset]
