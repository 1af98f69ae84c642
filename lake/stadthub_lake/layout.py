"""How rows lie in files: the schemas of a timeseries, how its Parquet files are packed, and which types columns have."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from stadthub_schemas.dataset import Column, ColumnType
from stadthub_schemas.rows import REJECTS

Numbers = npt.NDArray[np.int64]

TIME = pa.timestamp("us", tz="UTC")

#: The table `observations` of a timeseries.
OBSERVATIONS = pa.schema(
    [
        pa.field("datastream", pa.string()),
        pa.field("phenomenon_time", TIME),
        pa.field("result", pa.float64()),
        pa.field("result_text", pa.string()),
        pa.field("quality", pa.string()),
        pa.field("received_time", TIME),
        pa.field("parameters", pa.string()),
    ]
)

#: The table `datastreams` of a timeseries: the words beside the observations.
ENTITIES = pa.schema(
    [
        pa.field("datastream", pa.string()),
        pa.field("thing", pa.string()),
        pa.field("thing_name", pa.string()),
        pa.field("observed_property", pa.string()),
        pa.field("unit", pa.string()),
        pa.field("sensor", pa.string()),
        pa.field("longitude", pa.float64()),
        pa.field("latitude", pa.float64()),
    ]
)

#: In the tail each row knows the raw-log position up to which its batch was decoded.
POSITION = "_position"
TAIL = OBSERVATIONS.append(pa.field(POSITION, pa.int64()))

#: Refused rows as they are stored: every column may be empty, as in all our files.
REJECTS_STORED = pa.schema([field.with_nullable(True) for field in REJECTS])

#: Rows per row group. Measured with 667,000 rows a file: one datastream takes 2.1 ms of processor time (3.6 with 122,880 rows a group, 3.3
#: with 10,000), and the file is 4 % larger than with 122,880.
GROUP_ROWS = 40_960

#: Measured, bytes per observation: counters on a regular grid 0.6 (6.0 with a dictionary of the times), LoRaWAN with five
#: properties a thing 3.6 (5.2 with parameters), one property a thing 9.2. `received_time` is plain: zstd finds in it what the
#: datastreams of one thing or one batch share.
PACKED = {"phenomenon_time": "DELTA_BINARY_PACKED"}
DICTIONARY = ["datastream", "result", "result_text", "quality", "parameters"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def write_observations(table: pa.Table, path: Path) -> None:
    """Writes rows, already sorted, as one Parquet file with the encodings that make them small."""
    pq.write_table(
        table,
        path,
        compression="zstd",
        compression_level=6,
        use_dictionary=DICTIONARY,
        column_encoding=PACKED,
        row_group_size=GROUP_ROWS,
        write_page_index=True,
        store_schema=False,
    )


def read_observations(paths: Sequence[str]) -> pa.Table:
    """The rows of files of observations, the datastreams as a dictionary: it is small and sorts fast."""
    parts = [pq.ParquetFile(path, read_dictionary=["datastream"]).read() for path in paths]
    shape = OBSERVATIONS.set(0, pa.field("datastream", pa.dictionary(pa.int32(), pa.string())))
    return pa.concat_tables([part.cast(shape) for part in parts]).unify_dictionaries().combine_chunks()


def in_order(table: pa.Table) -> pa.Table:
    """Observations, their datastreams in one dictionary, sorted by datastream and time."""
    datastreams = table["datastream"].combine_chunks()
    names = np.asarray(datastreams.dictionary.to_pylist(), dtype=object)
    ranks = np.empty(len(names), dtype=np.int64)
    ranks[np.argsort(names)] = np.arange(len(names))
    times = table["phenomenon_time"].cast(pa.int64()).to_numpy()
    return table.take(pa.array(order_of(ranks[datastreams.indices.to_numpy()], times)))


def order_of(numbers: Numbers, times: Numbers) -> Numbers:
    """The order by number and, within it, by time; quick where the times of each number ascend already, as in most files they do."""
    if not len(numbers) or numbers.max() > np.iinfo(np.uint16).max or numbers.min() < 0:
        return np.lexsort((times, numbers))
    order: Numbers = np.argsort(numbers.astype(np.uint16), kind="stable")
    by_number, by_time = numbers[order], times[order]
    ascends = (by_number[1:] != by_number[:-1]) | (by_time[1:] >= by_time[:-1])
    return order if ascends.all() else np.lexsort((times, numbers))


def bounds(times: pa.ChunkedArray) -> tuple[int, int]:
    """The first and the last time in microseconds since 1970."""
    values = times.cast(pa.int64()).to_numpy()
    return int(values.min()), int(values.max())


def moment(microseconds: int) -> datetime:
    """The time that stands so many microseconds after 1970."""
    return datetime.fromtimestamp(0, UTC) + (datetime.resolution * microseconds)


def microseconds(time: datetime) -> int:
    """How many microseconds after 1970 a time stands."""
    return (time - _EPOCH) // datetime.resolution


#: Which Arrow type is which type of column; the first test that holds decides.
_TYPES: Sequence[tuple[Any, ColumnType]] = (
    (pa.types.is_boolean, ColumnType.BOOLEAN),
    (pa.types.is_integer, ColumnType.INTEGER),
    (pa.types.is_floating, ColumnType.NUMBER),
    (pa.types.is_decimal, ColumnType.DECIMAL),
    (pa.types.is_date, ColumnType.DATE),
    (pa.types.is_timestamp, ColumnType.TIME),
    (pa.types.is_nested, ColumnType.JSON),
    (pa.types.is_binary, ColumnType.GEOMETRY),
)


def column_type(arrow: pa.DataType) -> ColumnType:
    """The type that a reader of the dataset sees for an Arrow type."""
    return next((kind for matches, kind in _TYPES if matches(arrow)), ColumnType.TEXT)


def columns_of(schema: pa.Schema) -> tuple[Column, ...]:
    """The columns of a table, typed, with no words yet."""
    return tuple(Column(name=field.name, type=column_type(field.type)) for field in schema)
