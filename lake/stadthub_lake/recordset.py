"""The writing side of a table to which rows are written one call at a time, by any process of the hub: each call waits for its turn.

Every row has a number of its own (`_id`) for its life. The files hold ranges of numbers that don't overlap, and are named by their first
one, so that they lie in the order of the numbers. What is said of the table (its fields, the next number) stands in each commit: rows
and words change in one transaction, or not at all.
"""

import shutil
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stadthub_lake import inventory
from stadthub_lake.dedupe import ask
from stadthub_lake.delta import DataFile
from stadthub_lake.filters import quoted
from stadthub_lake.noted import NotedTable
from stadthub_lake.storage import make_folder, placing, storing, sync_folder
from stadthub_lake.turns import Turn

ID = "_id"

#: The most rows of a file: to change one of them all are written again.
FILE_ROWS = 1_000_000
GROUP_ROWS = 122_880

#: Files with fewer rows are small; so many of them become one.
SMALL, MANY = 50_000, 16

#: After so many commits files go that nothing of the kept past needs, and for how long the past is kept.
OFTEN, KEPT = 100, timedelta(days=7)

#: So many tables stay open between two turns.
MOST_OPEN = 32

#: What tells a table from one that was made anew under its name.
Stamp = tuple[int, int]

#: Beside the datasets: whose turn it is. No dataset can bear this name.
TURNS = "_turns"

MATCHED = """
SELECT n._number AS number, o._id AS id
FROM read_parquet($files, union_by_name = true, hive_partitioning = false) AS o JOIN wanted AS n ON {condition}
"""


class _Open:
    """The tables that were written last, ready for the next turn: to open one reads all of its newest log. Thread-safe; whoever takes
    one has it alone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tables: dict[Path, tuple[Stamp, NotedTable]] = {}

    def take(self, folder: Path, stamp: Stamp) -> NotedTable | None:
        """The table in this folder, if nobody has made it anew since."""
        with self._lock:
            known, table = self._tables.pop(folder, (stamp, None))
        return table if known == stamp else None

    def put(self, folder: Path, stamp: Stamp, table: NotedTable) -> None:
        """Keep it for the next turn, unless nothing says which table it is."""
        with self._lock:
            if stamp == inventory.NOWHERE:
                return
            while len(self._tables) >= MOST_OPEN:
                del self._tables[next(iter(self._tables))]
            self._tables[folder] = (stamp, table)


OPEN = _Open()


class RecordSet:
    """One such table, open for one turn: `with RecordSet(root, name) as table`. Nobody else writes to it meanwhile."""

    def __init__(self, root: Path, name: str) -> None:
        self.name = name
        self._root = root
        self._folder = root / name
        self._turn = Turn(root / TURNS / f"{name}.lock", name)
        self._table = NotedTable(self._folder / inventory.ROWS)

    def __enter__(self) -> Self:
        self._turn.__enter__()
        try:
            self._table = OPEN.take(self._folder, inventory.stamp(self._root, self.name)) or self._table
            if self._table.exists:
                self._table.look()
        except BaseException:
            self._turn.__exit__()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None and self._table.exists:
            OPEN.put(self._folder, inventory.stamp(self._root, self.name), self._table)
        self._turn.__exit__(kind, error, trace)

    @property
    def exists(self) -> bool:
        """Whether there is a table, also one that nothing is said of: others write such."""
        return self._folder.is_dir()

    @property
    def note(self) -> str | None:
        """What is said of the table; None: there is none, or it is not of this kind."""
        return self._table.note() if self._table.exists else None

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return sum(file.rows for file in self._table.files())

    def create(self, schema: pa.Schema, note: str) -> None:
        """Make the table, empty; on disk when this returns."""
        if inventory.stamp(self._root, self.name) == inventory.NOWHERE:
            inventory.make(self._root, self.name, datetime.now(UTC))
        self._table.begin(schema, note)

    def drop(self) -> None:
        """Take the table and all its past away."""
        with storing(self.name):
            (self._folder / inventory.FILE).unlink(missing_ok=True)
            sync_folder(self._root)
            shutil.rmtree(self._folder, ignore_errors=True)
        self._table = NotedTable(self._folder / inventory.ROWS)

    def widen(self, fields: Sequence[pa.Field], note: str) -> None:
        """Add columns."""
        self._table.widen(fields, note)

    def say(self, note: str) -> None:
        """Change only what is said of the table."""
        self._table.change((), (), note)

    def add(self, rows: pa.Table, note: str) -> None:
        """Put rows behind those that are there, their numbers are larger; small files become one on the way."""
        files = self._table.files()
        folded = _last_small(files)
        if folded:
            rows = pa.concat_tables([self._read(folded), rows.select(self.columns)])
        with self._written(_pieces(rows)) as written:
            self._table.change(written, folded, note)
        self._keep_house()

    def replace(self, schema: pa.Schema, pieces: Iterable[pa.Table], note: Callable[[], str]) -> None:
        """Let these rows, which come in the order of their numbers, be all that there is, with these columns. What was before stays in
        the past. `note` is asked once all rows are written."""
        with self._written(piece for rows in _joined(pieces) for piece in _pieces(rows)) as written:
            self._table.overwrite(schema, written, note())
        self._keep_house()

    def find(self, wanted: pa.Table, key: Sequence[str]) -> pa.Table:
        """Which of the wanted rows are there, as (number, id): the `_number` of each, and that of the row with the same key."""
        files = [file.path for file in self._table.files()]
        if not files or not wanted.num_rows:
            return pa.table({"number": pa.array([], pa.int64()), "id": pa.array([], pa.int64())})
        condition = " AND ".join(f"o.{quoted(name)} = n.{quoted(name)}" for name in key)
        with storing(self.name):
            return ask(MATCHED.format(condition=condition), {"files": files}, wanted=wanted)

    def pick(self, ids: pa.ChunkedArray) -> pa.Table:
        """The rows with these numbers, in the order of the numbers."""
        with storing(self.name):
            parts = [self._read([file]).filter(pc.field(ID).isin(ids)) for file in self._holding(ids)]
        return pa.concat_tables([self._empty(), *parts]).sort_by(ID)

    def pieces(self) -> Iterator[pa.Table]:
        """All rows, file by file."""
        return (self._read([file]) for file in self._table.files())

    def whole(self) -> pa.Table:
        """All rows at once."""
        return pa.concat_tables([self._empty(), *self.pieces()])

    def mend(self, rows: pa.Table, gone: pa.ChunkedArray, added: pa.Table, note: str) -> None:
        """In one transaction: these rows take the places of those with their numbers, those with the numbers `gone` go, and more come."""
        touched = pa.chunked_array([*rows[ID].chunks, *gone.chunks], pa.int64())
        files = self._holding(touched)
        with self._written(self._mended(files, rows, touched, added)) as written:
            self._table.change(written, files, note)
        self._keep_house()

    def empty(self, note: str) -> None:
        """Take all rows away; the columns stay."""
        self._table.change((), self._table.files(), note)
        self._keep_house()

    @property
    def columns(self) -> list[str]:
        """The names of the stored columns."""
        return list(self._table.schema().names)

    @property
    def schema(self) -> pa.Schema:
        """The stored columns."""
        return self._table.schema()

    def _empty(self) -> pa.Table:
        return self.schema.empty_table()

    def _mended(self, files: Sequence[DataFile], rows: pa.Table, touched: pa.ChunkedArray, added: pa.Table) -> Iterator[pa.Table]:
        for file in files:
            stored = self._read([file])
            mine = rows.filter(pc.is_in(rows[ID], stored[ID].combine_chunks()))
            kept = stored.filter(pc.invert(pc.is_in(stored[ID], touched.combine_chunks())))
            whole = pa.concat_tables([kept, mine.select(kept.column_names)]).sort_by(ID)
            if whole.num_rows:
                yield whole
        if added.num_rows:
            yield from _pieces(added)

    def _holding(self, ids: pa.ChunkedArray) -> list[DataFile]:
        """The files in which rows with these numbers can be: each has those from its first number to the next one's."""
        files = self._table.files()
        if not len(ids) or not files:
            return []
        firsts = np.array([int(Path(file.path).name.split("-")[1]) for file in files])
        places = np.searchsorted(firsts, ids.to_numpy(), side="right") - 1
        return [files[place] for place in np.unique(places[places >= 0])]

    def _read(self, files: Sequence[DataFile]) -> pa.Table:
        """The rows of files, with all columns that the table has now."""
        schema = self.schema
        with storing(self.name):
            parts = [pq.read_table(file.path, partitioning=None) for file in files]
        return pa.concat_tables([schema.empty_table(), *(_with_all(part, schema) for part in parts)])

    @contextmanager
    def _written(self, pieces: Iterable[pa.Table]) -> Iterator[list[DataFile]]:
        """The pieces as files that are on disk; if the block fails, none of them stays."""
        written: list[DataFile] = []
        folder = self._folder / inventory.ROWS
        with storing(self.name):
            make_folder(folder)
            try:
                for rows in pieces:
                    path = folder / f"part-{rows[ID][0].as_py():020}-{uuid.uuid4()}.parquet"
                    with placing(path) as hidden:
                        pq.write_table(rows, hidden, compression="zstd", row_group_size=GROUP_ROWS, store_schema=False)
                    written.append(DataFile(str(path), path.stat().st_size, rows.num_rows, None, None))
                yield written
            except BaseException:
                if not written or not self._table.holds(written):
                    for file in written:
                        Path(file.path).unlink(missing_ok=True)
                raise

    def _keep_house(self) -> None:
        if self._table.version % OFTEN == 0:
            self._table.vacuum(KEPT)


def _with_all(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """The rows with these columns; what they don't have is empty."""
    columns = [
        rows[field.name].cast(field.type) if field.name in rows.column_names else pa.nulls(rows.num_rows, field.type) for field in schema
    ]
    return pa.table(columns, schema=schema)


def _pieces(rows: pa.Table) -> Iterator[pa.Table]:
    return (rows.slice(start, FILE_ROWS) for start in range(0, rows.num_rows, FILE_ROWS))


def _joined(pieces: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same rows in pieces that fill a file, but for the last one."""
    waiting: list[pa.Table] = []
    for piece in pieces:
        waiting.append(piece)
        while sum(one.num_rows for one in waiting) >= FILE_ROWS:
            whole = pa.concat_tables(waiting)
            yield whole.slice(0, FILE_ROWS)
            rest = whole.slice(FILE_ROWS)
            waiting = [rest] if rest.num_rows else []
    if waiting:
        yield pa.concat_tables(waiting)


def _last_small(files: Sequence[DataFile]) -> list[DataFile]:
    """The small files at the end, once there are many; else none."""
    found: list[DataFile] = []
    for file in reversed(files):
        if file.rows >= SMALL:
            break
        found.append(file)
    return found[::-1] if len(found) >= MANY else []
