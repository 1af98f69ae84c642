"""Which rows are new: one observation is one (datastream, phenomenon_time), and the first stays.

What is newer than the newest row of its datastream is certainly new; only the rest is looked up, in the pending rows and in the files.
"""

from collections.abc import Sequence
from functools import lru_cache

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stadthub_lake.delta import DataFile
from stadthub_lake.layout import Numbers, order_of
from stadthub_lake.storage import storing

Flags = npt.NDArray[np.bool_]

STORED = """
SELECT late.number FROM late
SEMI JOIN (
    SELECT datastream, epoch_us(phenomenon_time) AS time FROM read_parquet($files)
    WHERE phenomenon_time BETWEEN make_timestamptz($first) AND make_timestamptz($last)
) AS stored ON stored.datastream = late.datastream AND stored.time = late.time
"""


#: What tells two results of one time apart. Of two deliveries of one time the first stays, so one that came later corrects nothing.
COMPARED = """
SELECT late.number, stored.filename AS file, stored.file_row_number AS row, coalesce(late.received_time <= stored.received_time, true)
    AND (stored.result, stored.result_text, stored.quality, stored.parameters)
        IS DISTINCT FROM (late.result, late.result_text, late.quality, late.parameters) AS changed
FROM late JOIN (
    SELECT *, epoch_us(phenomenon_time) AS time FROM read_parquet($files, filename = true, file_row_number = true)
    WHERE phenomenon_time BETWEEN make_timestamptz($first) AND make_timestamptz($last)
) AS stored ON stored.datastream = late.datastream AND stored.time = late.time
"""


#: The columns of late rows that COMPARED looks at, beside datastream, time and number.
COMPARABLE = ["result", "result_text", "quality", "parameters", "received_time"]

#: The answer where no file is near.
NONE = pa.schema([("number", pa.int64()), ("file", pa.string()), ("row", pa.int64()), ("changed", pa.bool_())])


def first_of_each(numbers: Numbers, times: Numbers) -> Flags:
    """True for the first row of each (datastream, time) of a batch."""
    answer = np.ones(len(times), dtype=np.bool_)
    if len(times) < 2:
        return answer
    order = order_of(numbers, times)
    by_number, by_time = numbers[order], times[order]
    again = (by_number[1:] == by_number[:-1]) & (by_time[1:] == by_time[:-1])
    answer[order[1:][again]] = False
    return answer


def in_files(late: pa.Table, files: Sequence[DataFile]) -> Numbers:
    """Which `number`s of late rows (datastream, time, number) are in a file; only files of their times are read."""
    found: Numbers = _asked(STORED, late, files)["number"].to_numpy()
    return found


def compared(late: pa.Table, files: Sequence[DataFile]) -> pa.Table:
    """For each late row that is in a file: its `number`, the `file` and the `row` there, and whether it is to take its place (`changed`)."""
    return _asked(COMPARED, late, files)


def _asked(question: str, late: pa.Table, files: Sequence[DataFile]) -> pa.Table:
    times = late["time"].to_numpy()
    first, last = int(times.min()), int(times.max())
    near = [file.path for file in files if file.first is None or file.last is None or (file.first <= last and file.last >= first)]
    if not near:
        return NONE.empty_table()
    return ask(question, {"files": near, "first": first, "last": last}, late=late)


def in_memory(late: tuple[Numbers, Numbers], pending: Sequence[tuple[Numbers, Numbers]]) -> Flags:
    """For each late row (number of its datastream, time) whether it is among the pending ones."""
    numbers, times = late
    first, last = times.min(), times.max()
    near = [(some[where], time[where]) for some, time in pending if len(where := np.flatnonzero((time >= first) & (time <= last)))]
    if not near:
        return np.zeros(len(times), dtype=np.bool_)
    # Pending rows stand before the late ones: a late row that is not the first of its key is pending already.
    some = np.concatenate([*(one for one, _ in near), numbers])
    when = np.concatenate([*(one for _, one in near), times])
    return ~first_of_each(some, when)[-len(times) :]


def ask(question: str, values: dict[str, object], **tables: pa.Table) -> pa.Table:
    """The answer to a question of the writing side; Arrow tables are known by the names they are given."""
    with storing("observations"):
        try:
            with _database().cursor() as cursor:
                for name, table in tables.items():
                    cursor.register(name, table)
                return cursor.execute(question, values or None).to_arrow_table()
        except duckdb.Error as error:
            _database.cache_clear()  # whatever has happened to it, the next question has a new one
            raise OSError(None, type(error).__name__) from error


@lru_cache(maxsize=1)
def _database() -> duckdb.DuckDBPyConnection:
    """The DuckDB of all these questions: to start one takes longer than most of them. It keeps nothing of the files that it has read."""
    database = duckdb.connect(config={"threads": 2, "enable_external_file_cache": False})
    database.execute("SET GLOBAL TimeZone = 'UTC'")
    return database
