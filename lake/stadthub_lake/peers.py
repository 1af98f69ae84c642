"""What the other workers of a hub have accepted for a timeseries and not committed yet, as their tails show it."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from stadthub_lake.layout import Numbers
from stadthub_lake.newest import Newest
from stadthub_lake.tail import TailReader, folders

#: Datastreams by number and times, as rows that wait are remembered.
Rows = tuple[Numbers, Numbers]


class Peers:
    """The tails beside our own. Whoever asks has the turn of the timeseries, so none of them changes meanwhile."""

    def __init__(self, folder: Path, own: Path) -> None:
        self._folder = folder
        self._own = own
        self._readers: dict[Path, TailReader] = {}
        self._known: dict[int, tuple[pa.Table, Rows]] = {}

    @property
    def there(self) -> bool:
        """Whether there is, or ever was, another worker."""
        return bool(self._readers)

    @property
    def rows(self) -> list[Rows]:
        """What waits for the commit of another worker, as it was when `look` was called."""
        return [rows for _, rows in self._known.values()]

    def look(self, newest: Newest) -> None:
        """Take note of what is in the other tails now."""
        for path in folders(self._folder):
            if path != self._own and path not in self._readers:
                self._readers[path] = TailReader(path)
        tables = [table for reader in self._readers.values() for _, table in reader.read()[0]]
        for table in tables:
            if id(table) not in self._known:
                rows = _rows(table, newest)
                newest.accept(*rows)
                self._known[id(table)] = (table, rows)
        self._known = {id(table): self._known[id(table)] for table in tables}


def _rows(table: pa.Table, newest: Newest) -> Rows:
    coded = pc.dictionary_encode(table["datastream"].combine_chunks())
    numbers = newest.number_all(coded.dictionary.to_pylist())[coded.indices.to_numpy()]
    return numbers, table["phenomenon_time"].cast(pa.int64()).to_numpy()
