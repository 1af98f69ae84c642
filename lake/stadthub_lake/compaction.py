"""Small files become few large, sorted ones; old observations and old versions go. Readers are never in the way."""

import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stadthub_lake.datafiles import FILE_ROWS
from stadthub_lake.delta import DataFile
from stadthub_lake.layout import OBSERVATIONS, in_order, microseconds, read_observations
from stadthub_lake.series import Series
from stadthub_lake.storage import storing

#: A file with fewer rows than this is small: it is merged with its neighbours in time.
SMALL_ROWS = 1_000_000

#: Months further apart than this do not share a file, so that a few late rows do not stretch a file over years.
MOST_GAP_MONTHS = 1


def compact(series: Series) -> int:
    """How many small files were merged. Appends and commits go on meanwhile."""
    merged = 0
    with series.maintaining:
        while True:
            with series.lock:
                series.table.refresh()
                chosen = choose(series.table.files())
            if not chosen:
                return merged
            with storing(series.name):
                rows = read_observations([file.path for file in chosen])
            pieces = list(cut(rows))
            if len(pieces) >= len(chosen):
                return merged
            written = series.write_files(in_order(piece) for piece in pieces)
            with series.lock:
                series.transact(series.table.rearrange, written, chosen, {})
                series.save_newest()
            merged += len(chosen)


def choose(files: Sequence[DataFile]) -> list[DataFile]:
    """The next small files to merge, in the order of time and not more than fit in memory; empty if there is nothing to gain."""
    chosen: list[DataFile] = []
    held = 0
    for file in files:
        if file.rows >= SMALL_ROWS:
            continue
        if held + file.rows > FILE_ROWS:
            break
        chosen.append(file)
        held += file.rows
    return chosen if len(chosen) > 1 else []


def cut(rows: pa.Table) -> Iterator[pa.Table]:
    """The rows in pieces of neighbouring months, each large enough if there are enough."""
    times = rows["phenomenon_time"].cast(pa.int64()).to_numpy()
    months = times.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)
    there, counts = np.unique(months, return_counts=True)
    start = 0
    for number in range(1, len(there) + 1):
        large = counts[start:number].sum() >= SMALL_ROWS
        if number == len(there) or large or there[number] - there[number - 1] > MOST_GAP_MONTHS:
            yield rows.filter(pa.array((months >= there[start]) & (months <= there[number - 1])))
            start = number


def retain(series: Series, before: datetime) -> int:
    """How many observations older than a time were dropped; files that are older as a whole are not even opened."""
    limit = microseconds(before)
    with series.maintaining, series.lock:
        series.table.refresh()
        files = series.table.files()
        old = [file for file in files if file.last is not None and file.last < limit]
        mixed = [file for file in files if file.first is not None and file.first < limit and file not in old]
        if not old and not mixed:
            return 0
        left = series.write_files(table for table in (_kept(file, before, series.name) for file in mixed) if table.num_rows)
        series.transact(series.table.commit, left, [*old, *mixed], {})
        series.save_newest()
        return sum(file.rows for file in (*old, *mixed)) - sum(file.rows for file in left)


def vacuum(series: Series, keep: timedelta) -> int:
    """How many data files were removed that no version of the kept time needs; `as_of` reaches back that far afterwards."""
    with series.maintaining, series.lock:
        series.look()
        removed = series.table.vacuum(keep)
        if series.table.forget_log(time.time() - keep.total_seconds(), series.marks.all()):
            series.marks.committed(series.marks.all())
        return removed


def _kept(file: DataFile, before: datetime, name: str) -> pa.Table:
    with storing(name):
        return read_observations([file.path]).filter(
            pc.field("phenomenon_time") >= pa.scalar(before, OBSERVATIONS.field("phenomenon_time").type)
        )
