"""Which rows are new: one observation is one (datastream, phenomenon_time), and the first stays.

What is newer than the newest row of its datastream is certainly new; only the rest is looked up, in the pending rows and in the files.
"""

from collections.abc import Iterable, Sequence

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stadthub_lake.delta import DataFile
from stadthub_lake.storage import storing

Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

#: Below every time there is.
NEVER = np.iinfo(np.int64).min

NEWEST = """
SELECT datastream, max(epoch_us(phenomenon_time)) AS newest FROM read_parquet($files) GROUP BY datastream
"""

STORED = """
SELECT late.number FROM late
SEMI JOIN (
    SELECT datastream, epoch_us(phenomenon_time) AS time FROM read_parquet($files)
    WHERE phenomenon_time BETWEEN make_timestamptz($first) AND make_timestamptz($last)
) AS stored ON stored.datastream = late.datastream AND stored.time = late.time
"""


class Newest:
    """The newest stored time of each datastream, and a number for each datastream. Not thread-safe."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.names: list[str] = []
        self._times: Numbers = np.full(1024, NEVER, dtype=np.int64)

    def load(self, files: Sequence[DataFile]) -> None:
        """Learns the newest times out of the files, with one question."""
        if not files:
            return
        found = ask(NEWEST, {"files": [file.path for file in files]})
        self.raise_to(self.number_all(found["datastream"].to_pylist()), found["newest"].to_numpy())

    def number_all(self, names: Iterable[str]) -> Numbers:
        """The numbers of the datastreams; a new one gets the next number."""
        answer = []
        for name in names:
            number = self.numbers.get(name)
            if number is None:
                number = self.numbers[name] = len(self.names)
                self.names.append(name)
            answer.append(number)
        if len(self.names) > len(self._times):
            grown = np.full(2 * len(self.names), NEVER, dtype=np.int64)
            grown[: len(self._times)] = self._times
            self._times = grown
        return np.asarray(answer, dtype=np.int64)

    def of(self, numbers: Numbers) -> Numbers:
        """The newest time of each datastream; NEVER if it has none."""
        return self._times[numbers]

    def raise_to(self, numbers: Numbers, times: Numbers) -> None:
        """Takes note of stored rows."""
        np.maximum.at(self._times, numbers, times)


def first_of_each(numbers: Numbers, times: Numbers) -> Flags:
    """True for the first row of each (datastream, time) of a batch."""
    answer = np.ones(len(times), dtype=np.bool_)
    if len(times) < 2:
        return answer
    order = np.lexsort((times, numbers))
    by_number, by_time = numbers[order], times[order]
    again = (by_number[1:] == by_number[:-1]) & (by_time[1:] == by_time[:-1])
    answer[order[1:][again]] = False
    return answer


def in_files(late: pa.Table, files: Sequence[DataFile]) -> Numbers:
    """Which `number`s of late rows (datastream, time, number) are in a file; only files of their times are read."""
    times = late["time"].to_numpy()
    first, last = int(times.min()), int(times.max())
    near = [file.path for file in files if file.first is None or file.last is None or (file.first <= last and file.last >= first)]
    if not near:
        return np.empty(0, dtype=np.int64)
    found: Numbers = ask(STORED, {"files": near, "first": first, "last": last}, late=late)["number"].to_numpy()
    return found


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
    """The answer of a short-lived DuckDB; Arrow tables are known by the names they are given."""
    with storing("observations"), duckdb.connect() as connection:
        try:
            connection.execute("SET TimeZone = 'UTC'; SET threads = 2")
            for name, table in tables.items():
                connection.register(name, table)
            return connection.execute(question, values or None).to_arrow_table()
        except duckdb.Error as error:
            raise OSError(None, type(error).__name__) from error
