"""Untrusted SQL: asked in a process of its own that sees the caller's datasets and nothing else, and is killed when it takes too long."""

import json
import math
import re
import struct
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from stadthub_lake.engine import NARROW_IT, spatial_path
from stadthub_lake.filters import quoted
from stadthub_lake.relation import visible
from stadthub_lake.sandbox_functions import FUNCTIONS
from stadthub_lake.snapshot import Snapshot
from stadthub_lake.veil import NARROW, veiled
from stadthub_schemas.dataset import ColumnType, Kind
from stadthub_schemas.errors import QueryError
from stadthub_schemas.query import Suppression

MOST_TEXT = 20_000


@dataclass(frozen=True, slots=True)
class Bounds:
    """How large an answer may be, and how many processes wait for the next question."""

    rows: int = 100_000
    size: int = 64_000_000
    ahead: int = 1


@dataclass(frozen=True, slots=True)
class Words:
    """What the views over timeseries say beyond what is stored: select items over `o.phenomenon_time`; and a condition on `o`. `number`:
    what the place of a row in its version is called, where it is wanted and not stored; `zoneless`: times that are shown without their
    zone, which is UTC."""

    items: tuple[str, ...] = ()
    where: str = "true"
    number: str = ""
    zoneless: frozenset[tuple[str, str]] = frozenset()


PLAIN = Words()

#: What the threads are called that start the next process.
AHEAD = "sandbox ahead"

PROGRAM = Path(__file__).with_name("sandbox_process.py")

#: All that the process knows of its surroundings.
ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "MALLOC_ARENA_MAX": "2",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "OMP_NUM_THREADS": "1",
    "ARROW_IO_THREADS": "1",
}

_ARROW_TYPES = {
    ColumnType.TEXT: pa.string(),
    ColumnType.INTEGER: pa.int64(),
    ColumnType.NUMBER: pa.float64(),
    ColumnType.DECIMAL: pa.decimal128(38, 10),
    ColumnType.BOOLEAN: pa.bool_(),
    ColumnType.DATE: pa.date32(),
    ColumnType.TIME: pa.timestamp("us", tz="UTC"),
    ColumnType.JSON: pa.string(),
    ColumnType.GEOMETRY: pa.binary(),
}


class Sandbox:
    """Runs one question a process. The next process may be started ahead, so that a question needn't wait for its start."""

    def __init__(self, seconds: float, memory_mb: int, bounds: Bounds = Bounds()) -> None:
        self._bounds = bounds
        self._seconds = seconds
        self._memory_mb = memory_mb
        self._lock = threading.Lock()
        self._warm: subprocess.Popen[bytes] | None = None
        self._end: weakref.finalize[..., Sandbox] | None = None
        self._closed = False

    def close(self) -> None:
        """End the process that waits; where nobody calls this, it ends with the sandbox."""
        with self._lock:
            self._closed = True
            waiting = self._taken()
        if waiting is not None:
            waiting.communicate()

    def ask(
        self,
        text: str,
        snapshots: Sequence[Snapshot],
        hidden: Mapping[str, frozenset[str]],
        suppressions: Mapping[str, Suppression],
        words: Words = PLAIN,
    ) -> pa.Table:
        """The answer, within the bounds; its schema metadata say `truncated`. QueryError."""
        sent: list[pa.Table] = []
        tables: dict[str, int] = {}
        views = []
        for number, snapshot in enumerate(snapshots):
            shown = visible(snapshot, hidden.get(snapshot.dataset, frozenset()))
            if shown:
                given = _Sent(sent, tables, words)
                views.append(_view(number, snapshot, list(shown), given, suppressions.get(snapshot.dataset)))
        spatial = any(snapshot.kind is Kind.FEATURES and snapshot.columns for snapshot in snapshots)
        header = {"views": views, "tables": tables, "sent": len(sent), "spatial": str(spatial_path() or "") if spatial else ""}
        said, body = self._asked(text, header, sent)
        table = pa.ipc.open_stream(pa.py_buffer(body)).read_all()
        return table.replace_schema_metadata({"truncated": str(said["truncated"]).lower()})

    def names(self, text: str) -> frozenset[str]:
        """The tables that a question names, if it may be asked at all; nothing is read. QueryError."""
        said, _ = self._asked(text, {"views": None, "tables": {}, "sent": 0, "spatial": ""}, ())
        return frozenset(said["names"])

    def _asked(self, text: str, header: dict[str, Any], sent: Sequence[pa.Table]) -> tuple[dict[str, Any], bytes]:
        """What the process says: a header, and the rows as an Arrow stream."""
        if len(text) > MOST_TEXT or "\0" in text:
            raise QueryError(f"sql: it is longer than {MOST_TEXT} characters" if "\0" not in text else "sql: it holds a NUL")
        try:
            request = self._request({**header, "text": text.encode().decode()}, sent)
        except UnicodeEncodeError as error:
            raise QueryError("sql: it is not valid Unicode") from error
        process = self._process()
        try:
            output, _ = process.communicate(request, timeout=self._seconds)
        except subprocess.TimeoutExpired as error:
            raise QueryError(f"sql: it took longer than {self._seconds:g} s and was stopped: {NARROW_IT}") from error
        finally:
            process.kill()
            process.communicate()
            threading.Thread(target=self._prepare, name=AHEAD, daemon=True).start()  # beside the answer, which needn't wait for it
        return _read(output)

    def _process(self) -> subprocess.Popen[bytes]:
        """A fresh process: the one that waits, if there is one."""
        with self._lock:
            waiting = self._taken()
        if waiting is None or waiting.poll() is not None:
            return _start()
        return waiting

    def _taken(self) -> subprocess.Popen[bytes] | None:
        """The process that waits, which does so no longer. The lock is held."""
        waiting, self._warm = self._warm, None
        if self._end is not None:
            self._end.detach()
        return waiting

    def _prepare(self) -> None:
        """Let a process wait for the next question."""
        with self._lock:
            if self._bounds.ahead and not self._closed and self._warm is None:
                self._warm = _start()
                self._end = weakref.finalize(self, _ended, self._warm)

    def _request(self, said: dict[str, Any], sent: Sequence[pa.Table]) -> bytes:
        header = {
            **said,
            "functions": sorted(FUNCTIONS),
            "memory_mb": self._memory_mb,
            "seconds": math.ceil(self._seconds) + 1,
            "most_rows": self._bounds.rows,
            "most_bytes": self._bounds.size,
        }
        parts = [json.dumps(header).encode(), *(_stream(table) for table in sent)]
        return b"".join(struct.pack("<Q", len(part)) + part for part in parts)


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", str(PROGRAM)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=ENVIRONMENT,
        cwd="/",
        start_new_session=True,
    )


def _ended(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


@dataclass(frozen=True, slots=True)
class _Sent:
    """The tables that go to the process, the place of those that have a name, and what views say beyond what is stored."""

    tables: list[pa.Table]
    named: dict[str, int]
    words: Words


def _view(number: int, snapshot: Snapshot, shown: list[str], given: _Sent, suppression: Suppression | None) -> dict[str, Any]:
    """How the process makes a dataset readable: its files as a source, its fresh rows and entities as tables, the view over them."""
    sent, tables = given.tables, given.named
    source = f"source_{number}"
    narrow = snapshot.kind is Kind.TIMESERIES
    schema = NARROW if narrow else snapshot.schema or pa.schema([(one.name, _ARROW_TYPES[one.type]) for one in snapshot.columns])
    sent.append(schema.empty_table())
    view: dict[str, Any] = {
        "names": list(dict.fromkeys((snapshot.dataset, re.sub(r"\W", "_", snapshot.dataset)))),
        "files": list(snapshot.files),
        "schema": len(sent) - 1,
        "source": source,
        "spatial": snapshot.kind is Kind.FEATURES,
        "narrow": narrow,
    }
    fields = ", ".join(map(quoted, schema.names))
    rows = f"SELECT {fields} FROM {source}"
    for word, table in (("tail", snapshot.tail), ("entities", snapshot.entities)):
        if table is not None:
            tables[f"{word}_{number}"] = len(sent)
            sent.append(table)
    if snapshot.tail is not None:
        rows += f" UNION ALL SELECT {fields} FROM tail_{number}"
    counted = given.words.number and given.words.number not in schema.names
    if counted:
        rows = f"SELECT row_number() OVER () AS {quoted(given.words.number)}, * FROM ({rows})"
    if suppression is not None:
        place = f", v.{quoted(given.words.number)}" if counted else ""
        rows = f"SELECT {veiled(suppression, snapshot)}{place} FROM ({rows}) AS v"
    kinds = {column.name: column.type for column in snapshot.columns}
    items = [f"o.{quoted(given.words.number)}"] if counted else []
    for name in shown:
        if (snapshot.dataset, name) in given.words.zoneless:
            items.append(f"make_timestamp(epoch_us({quoted(name)})) AS {quoted(name)}")
            continue
        item = quoted(name) if not narrow else f"{'o' if name in NARROW.names else 'e'}.{quoted(name)}"
        items.append(
            f"ST_GeomFromWKB({item}) AS {quoted(name)}" if kinds[name] is ColumnType.GEOMETRY and snapshot.kind is Kind.FEATURES else item
        )
    join = f" LEFT JOIN entities_{number} AS e ON e.datastream = o.datastream" if narrow else ""
    if narrow:
        items += given.words.items
        join += f" WHERE {given.words.where}"
    view["sql"] = f"SELECT {', '.join(items)} FROM ({rows}) AS o{join}"
    return view


def _stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


def _read(output: bytes) -> tuple[dict[str, Any], bytes]:
    """What the process said; a process that died said nothing: it met its limits."""
    if len(output) < 8:
        raise QueryError(f"sql: it needs more memory or time than it may have: {NARROW_IT}")
    (length,) = struct.unpack("<Q", output[:8])
    said: dict[str, Any] = json.loads(output[8 : 8 + length])
    if "error" in said:
        raise QueryError(f"sql: {said['error']}")
    return said, output[8 + length :]
