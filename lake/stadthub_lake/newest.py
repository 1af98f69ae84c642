"""The newest stored time of each datastream: what is newer is certainly new. Kept in a small file, so that a start needn't read all rows.

The file names the data files that it speaks of. Data files never change, so it is right for as long as all of these are in the table;
only files that came after are read. It never knows of rows that wait for their commit.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from stadthub_lake.dedupe import ask
from stadthub_lake.delta import DataFile
from stadthub_lake.layout import Numbers
from stadthub_lake.storage import make_folder, placing, storing

#: Below every time there is.
NEVER = np.iinfo(np.int64).min

#: So many data files may come before the file is written again.
MOST_UNSAID = 16

NEWEST = """
SELECT datastream, max(epoch_us(phenomenon_time)) AS newest FROM read_parquet($files) GROUP BY datastream
"""

_FILES = b"files"


class Newest:
    """The newest time of each datastream, and a number for each datastream. Not thread-safe."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._said: frozenset[str] = frozenset()
        self.numbers: dict[str, int] = {}
        self.names: list[str] = []
        self._times: Numbers = np.full(1024, NEVER, dtype=np.int64)
        self._stored: Numbers = self._times.copy()

    def load(self, files: Sequence[DataFile]) -> None:
        """Learns the newest times: what the small file says if it still holds, and the data files of which it doesn't speak."""
        there = {Path(file.path).name: file.path for file in files}
        said = self._said_before()
        known = set(json.loads(said.schema.metadata[_FILES])) if said is not None else set()
        if said is not None and known <= there.keys():
            self._learn(said)
            self._said = frozenset(known)
        else:
            known = set()
        self.read(path for name, path in there.items() if name not in known)

    def read(self, files: Iterable[str]) -> None:
        """Learns what these data files hold."""
        paths = list(files)
        if paths:
            self._learn(ask(NEWEST, {"files": paths}))

    def save(self, files: Sequence[DataFile]) -> None:
        """Writes down what is known of these data files, which are all of the table."""
        names = sorted(Path(file.path).name for file in files)
        if self._said == frozenset(names):
            return
        columns = [pa.array(self.names, pa.string()), pa.array(self._stored[: len(self.names)])]
        table = pa.table(columns, names=["datastream", "newest"]).replace_schema_metadata({_FILES: json.dumps(names)})
        with storing("progress"):
            make_folder(self._file.parent)
            with placing(self._file) as hidden, pa.OSFile(str(hidden), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
                writer.write_table(table)
        self._said = frozenset(names)

    def unsaid(self, files: Sequence[DataFile]) -> int:
        """Of how many data files the small file doesn't speak."""
        return len(files) - len(self._said)

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
            self._times, self._stored = _grown(self._times, len(self.names)), _grown(self._stored, len(self.names))
        return np.asarray(answer, dtype=np.int64)

    def of(self, numbers: Numbers) -> Numbers:
        """The newest time of each datastream, accepted or stored; NEVER if it has none."""
        return self._times[numbers]

    def accept(self, numbers: Numbers, times: Numbers) -> None:
        """Takes note of rows that wait for their commit."""
        np.maximum.at(self._times, numbers, times)

    def store(self, numbers: Numbers, times: Numbers) -> None:
        """Takes note of rows that a version on disk holds."""
        np.maximum.at(self._times, numbers, times)
        np.maximum.at(self._stored, numbers, times)

    def _learn(self, found: pa.Table) -> None:
        self.store(self.number_all(found["datastream"].to_pylist()), found["newest"].to_numpy())

    def _said_before(self) -> pa.Table | None:
        """What the small file says; None if there is none, or if it is no longer whole."""
        try:
            said = pa.ipc.open_file(pa.py_buffer(self._file.read_bytes())).read_all()
        except (FileNotFoundError, pa.ArrowInvalid):
            return None
        return said if said.column_names == ["datastream", "newest"] and _FILES in (said.schema.metadata or {}) else None


def _grown(times: Numbers, least: int) -> Numbers:
    grown = np.full(2 * least, NEVER, dtype=np.int64)
    grown[: len(times)] = times
    return grown
