"""Fresh rows as small Arrow files, so that every process sees them before their commit. The raw log is the truth: no fsync here.

The last whole line of `index.jsonl` names the files that count, so a reader never sees a half-merged tail. Each worker has a tail of
its own: the main one in the dataset's folder, the others in folders below it that bear their names.
"""

import errno
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from stadthub_lake.layout import ENTITIES, POSITION, TAIL
from stadthub_lake.storage import storing
from stadthub_schemas.errors import StorageError

INDEX = "index.jsonl"

#: How long the index grows until it begins anew. To take another file's place makes ext4 write it to disk at once, and a line doesn't: with
#: hundreds of datasets that was most of what it took to show a row.
INDEX_BYTES = 16_384

#: A reader never opens more files of one feed than this.
MOST_FILES = 12

#: How often a reader looks again when the writer took a file away under its hands.
TRIES = 200


@dataclass(frozen=True, slots=True)
class Part:
    """One tail file: whose rows, how many, up to which raw-log position."""

    name: str
    feed: str
    rows: int
    last: int


@dataclass(frozen=True, slots=True)
class Index:
    """What counts in a tail: the parts, and a file of datastreams that the lake does not have yet."""

    parts: tuple[Part, ...] = ()
    entities: str | None = None

    @classmethod
    def read(cls, folder: Path) -> "Index":
        """The index of a folder; an empty one if there is none."""
        try:
            data = (folder / INDEX).read_bytes()
        except FileNotFoundError:
            return cls()
        end = max(data.rfind(b"\n"), 0)
        if not end:
            return cls()
        said = json.loads(data[data.rfind(b"\n", 0, end) + 1 : end])
        return cls(tuple(Part(**part) for part in said["parts"]), said["entities"])

    def line(self) -> bytes:
        """The index as it is written."""
        parts = [{"name": part.name, "feed": part.feed, "rows": part.rows, "last": part.last} for part in self.parts]
        return json.dumps({"parts": parts, "entities": self.entities}).encode() + b"\n"


class IndexFile:
    """The writing side of an index. Whatever fails, readers keep the state before, and the next call begins the file anew."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / INDEX
        self._hidden = folder / f".{INDEX}.new"
        self._size: int | None = None

    def write(self, index: Index) -> None:
        """From this moment readers see the new state."""
        line, size = index.line(), self._size
        self._size = None
        if size is None or size + len(line) > INDEX_BYTES:
            self._hidden.write_bytes(line)
            self._hidden.replace(self._path)
            self._size = len(line)
            return
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        try:
            if os.write(file, line) < len(line):
                raise OSError(errno.ENOSPC, "no room for the index")
        finally:
            os.close(file)
        self._size = size + len(line)


def folders(folder: Path) -> list[Path]:
    """The tails of a dataset: that of the main worker and those of the others."""
    try:
        with os.scandir(folder) as found:
            return [folder, *sorted(Path(one.path) for one in found if one.is_dir())]
    except FileNotFoundError:
        return []


class TailWriter:
    """The writing side of one worker's tail. Not thread-safe: the store holds the dataset's lock."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tables: dict[str, pa.Table] = {}
        self._index = Index()
        self._file = IndexFile(folder)
        self._opened = False
        self._number = 0
        self._start = time.time_ns()

    def append(self, feed: str, rows: pa.Table, last: int, entities: pa.Table | None) -> None:
        """Shows rows (schema TAIL) and changed datastreams to all readers. Rows of a dead process vanish with the first call."""
        with storing("fresh rows"):
            self._open()
            parts = list(self._index.parts)
            if rows.num_rows:
                parts = self._with(parts, feed, rows, last)
            named = self._index.entities if entities is None else self._write(entities)
            self._replace(Index(tuple(parts), named))

    def forget(self, positions: Mapping[str, int], entities: pa.Table | None) -> None:
        """Takes away what the lake now holds: the rows of each feed up to its position, and all datastreams but `entities`."""
        with storing("fresh rows"):
            self._open()
            parts: list[Part] = []
            for part in self._index.parts:
                up_to = positions.get(part.feed, 0)
                if part.last <= up_to:
                    continue
                left = self._tables[part.name].filter(pc.field(POSITION) > up_to)
                parts.append(part if left.num_rows == part.rows else self._part(part.feed, left, part.last))
            self._replace(Index(tuple(parts), None if entities is None else self._write(entities)))

    def _with(self, parts: list[Part], feed: str, rows: pa.Table, last: int) -> list[Part]:
        """The parts and one more; the small ones of this feed become one when there are too many."""
        mine = [part for part in parts if part.feed == feed]
        if len(mine) < MOST_FILES:
            return [*parts, self._part(feed, rows, last)]
        # Merging only the newer half keeps the work small: a large old part is written few times.
        mine.sort(key=lambda part: part.rows)
        small = mine[: MOST_FILES - 2]
        merged = pa.concat_tables([*(self._tables[part.name] for part in small), rows]).combine_chunks()
        kept = [part for part in parts if part not in small]
        return [*kept, self._part(feed, merged, max(last, *(part.last for part in small)))]

    def _part(self, feed: str, rows: pa.Table, last: int) -> Part:
        name = self._write(rows)
        self._tables[name] = rows
        return Part(name, feed, rows.num_rows, last)

    def _write(self, table: pa.Table) -> str:
        self._number += 1
        name = f"{self._start:x}-{self._number:08d}.arrow"
        path = self._folder / name
        try:  # under its own name: nobody reads what the index doesn't name
            with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
                writer.write_table(table)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        return name

    def _open(self) -> None:
        """The first change takes away what an older process left: its rows are decoded again from the raw log."""
        if not self._opened:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._file.write(Index())
            self._sweep()
            self._opened = True

    def _replace(self, index: Index) -> None:
        if index == self._index:
            return
        self._file.write(index)
        named = {part.name for part in index.parts} | {index.entities}
        for name in {part.name for part in self._index.parts} | {self._index.entities}:
            if name is not None and name not in named:
                (self._folder / name).unlink(missing_ok=True)
                self._tables.pop(name, None)
        self._index = index

    def _sweep(self) -> None:
        for path in self._folder.iterdir():
            if path.name.endswith((".arrow", ".new", ".json")):
                path.unlink(missing_ok=True)


@dataclass(slots=True)
class TailReader:
    """The reading side of one worker's tail, with the files it has read before. The reader holds the dataset's lock."""

    folder: Path
    _tables: dict[str, pa.Table] = field(default_factory=dict)

    def read(self) -> tuple[list[tuple[str, pa.Table]], pa.Table | None]:
        """The fresh rows by feed (schema TAIL), and the datastreams that the lake may not have yet."""
        with storing("fresh rows"):
            for _ in range(TRIES):
                index = Index.read(self.folder)
                try:
                    return self._read(index)
                except FileNotFoundError:
                    continue
        raise StorageError("fresh rows: the files change faster than they can be read")

    def _read(self, index: Index) -> tuple[list[tuple[str, pa.Table]], pa.Table | None]:
        names = [part.name for part in index.parts] + ([index.entities] if index.entities else [])
        self._tables = {name: self._tables[name] if name in self._tables else _load(self.folder / name) for name in names}
        rows = [(part.feed, self._tables[part.name]) for part in index.parts]
        return rows, self._tables[index.entities] if index.entities else None


class Tails:
    """The reading side of a dataset's tails. The reader holds the dataset's lock."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._readers: dict[Path, TailReader] = {}

    def read(self) -> tuple[list[tuple[str, pa.Table]], pa.Table | None]:
        """The fresh rows of all workers by feed (schema TAIL), and the datastreams that the lake may not have yet."""
        rows: list[tuple[str, pa.Table]] = []
        words: pa.Table | None = None
        for path in folders(self._folder):
            found, fresh = self._readers.setdefault(path, TailReader(path)).read()
            rows += found
            words = overlay(words, fresh) if words is not None else fresh
        return rows, words


def _load(path: Path) -> pa.Table:
    return pa.ipc.open_file(pa.py_buffer(path.read_bytes())).read_all()


def uncommitted(rows: list[tuple[str, pa.Table]], positions: Mapping[str, int]) -> pa.Table:
    """The rows (without their position) that the lake does not hold yet."""
    kept = [table.filter(pc.field(POSITION) > positions[feed]) for feed, table in rows]
    joined = pa.concat_tables([TAIL.empty_table(), *kept])
    return joined.drop_columns([POSITION])


def overlay(stored: pa.Table, fresh: pa.Table | None) -> pa.Table:
    """The datastreams as they stand: a fresh one takes the place of the stored one of the same key."""
    if fresh is None or not fresh.num_rows:
        return stored
    old = stored.filter(pc.invert(pc.is_in(stored["datastream"], fresh["datastream"].combine_chunks())))
    return pa.concat_tables([old, fresh.cast(ENTITIES)])
