"""The rows of a timeseries as data files: cut, mended, written."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stadthub_lake.batch import Batch
from stadthub_lake.delta import DataFile
from stadthub_lake.layout import bounds, in_order, read_observations, write_observations
from stadthub_lake.storage import make_folder, placing, storing

#: No file gets more rows than this.
FILE_ROWS = 4_000_000


def write_files(name: str, folder: Path, tables: Iterable[pa.Table]) -> list[DataFile]:
    """The tables as files that are on disk but in no version yet; if one fails, none stays."""
    written: list[DataFile] = []
    with storing(name):
        make_folder(folder)
        try:
            for table in tables:
                path = folder / f"part-{uuid.uuid4()}.parquet"
                with placing(path) as hidden:
                    write_observations(table, hidden)
                first, last = bounds(table["phenomenon_time"])
                written.append(DataFile(str(path), path.stat().st_size, table.num_rows, first, last))
        except (OSError, pa.ArrowInvalid):
            for file in written:
                Path(file.path).unlink(missing_ok=True)
            raise
    return written


def pieces(rows: pa.Table) -> Iterator[pa.Table]:
    """The rows, sorted by datastream and time, as tables of which each fits in a file."""
    rows = in_order(rows.combine_chunks()) if rows.num_rows else rows
    return (rows.slice(start, FILE_ROWS) for start in range(0, rows.num_rows, FILE_ROWS))


def joined(tables: Sequence[pa.Table]) -> pa.Table:
    """The rows of several batches."""
    return pa.concat_tables(tables).unify_dictionaries()


def mended(file: DataFile, batch: Batch, places: pa.Table) -> pa.Table:
    """The rows of a file, those of the batch in the places of their old ones."""
    mine = places.filter(pc.equal(places["file"], file.path))
    stored = read_observations([file.path])
    kept = np.ones(stored.num_rows, dtype=np.bool_)
    kept[mine["row"].to_numpy()] = False
    new = batch.stored().take(mine["number"])
    return in_order(pa.concat_tables([stored.filter(pa.array(kept)), new]).unify_dictionaries().combine_chunks())
