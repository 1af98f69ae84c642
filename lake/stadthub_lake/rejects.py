"""Refused rows: kept until the commit of their feed, then in a table of their own, each once."""

import threading
import uuid
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stadthub_lake.batch import conform
from stadthub_lake.delta import DataFile, Mark, Table
from stadthub_lake.layout import REJECTS_STORED
from stadthub_lake.progress import Progress
from stadthub_lake.storage import make_folder, placing, storing
from stadthub_schemas.errors import StorageError
from stadthub_schemas.rows import REJECTS

#: More files than this are merged into one with the next commit.
MOST_FILES = 50

#: How long the files of forgotten rows stay for readers who are in the middle of them.
FORGOTTEN = timedelta(hours=1)


class Rejects:
    """The refused rows of all feeds. Thread-safe."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()
        self._waiting: defaultdict[str, list[tuple[int, pa.Table]]] = defaultdict(list)
        self._tables: dict[str, Table] = {}

    def add(self, feed: str, position: int, rows: pa.Table) -> None:
        """Keeps refused rows until the feed's commit."""
        if rows.num_rows:
            kept = conform(f"rejects of {feed}", rows, REJECTS).cast(REJECTS_STORED)
            with self._lock:
                self._waiting[feed].append((position, kept))

    def commit(self, feed: str, progress: Progress) -> None:
        """The refused rows up to this position are on disk; those that already were are not written again."""
        with self._lock:
            ready = [rows for position, rows in self._waiting[feed] if position <= progress.position]
            if not ready:
                return
            table = self._table(feed)
            rows = pa.concat_tables(ready).filter(pc.field("position") > table.position(feed))
            if rows.num_rows:
                self._write(table, feed, rows, progress)
            self._waiting[feed] = [one for one in self._waiting[feed] if one[0] > progress.position]

    def _table(self, feed: str) -> Table:
        if feed not in self._tables:
            table = Table(self._root / feed)
            table.create(REJECTS_STORED)
            self._tables[feed] = table
        self._tables[feed].refresh()
        return self._tables[feed]

    def forget(self, feed: str, before: datetime) -> int:
        """How many rows that were received before a time were dropped; their excerpts go as the raw log goes."""
        with self._lock:
            if not (self._root / feed).is_dir():
                return 0
            table = self._table(feed)
            old = list(table.files())
            times = [pq.read_table(file.path, columns=["received_time"], partitioning=None) for file in old]
            gone: int = sum(part.filter(pc.field("received_time") < before).num_rows for part in times)
            if not gone:
                return 0
            rows = pa.concat_tables(pq.read_table(file.path, schema=REJECTS_STORED, partitioning=None) for file in old)
            left = rows.filter(pc.field("received_time") >= before)
            added = [self._file(table, feed, left, table.position(feed))] if left.num_rows else []
            table.commit(added, old, table.marks())
            table.vacuum(FORGOTTEN)
            return gone

    def _write(self, table: Table, feed: str, rows: pa.Table, progress: Progress) -> None:
        small = list(table.files()) if len(table.files()) > MOST_FILES else []
        with storing(f"rejects of {feed}"):
            old = [pq.read_table(file.path, schema=REJECTS_STORED, partitioning=None) for file in small[-MOST_FILES:]]
            joined = pa.concat_tables([*old, rows]).sort_by([("position", "ascending"), ("row", "ascending")])
        file = self._file(table, feed, joined, progress.position)
        try:
            table.commit([file], small[-MOST_FILES:], {feed: Mark(progress.position, progress.counts)})
        except StorageError:
            if not table.holds([file]):
                Path(file.path).unlink(missing_ok=True)
                raise

    def _file(self, table: Table, feed: str, rows: pa.Table, position: int) -> DataFile:
        """The rows as a file that is on disk but in no version yet."""
        with storing(f"rejects of {feed}"):
            make_folder(table.folder)
            path = table.folder / f"rejects-{position:020}-{uuid.uuid4()}.parquet"
            with placing(path) as hidden:
                pq.write_table(rows, hidden, compression="zstd", store_schema=False)
            return DataFile(str(path), path.stat().st_size, rows.num_rows, None, None)
