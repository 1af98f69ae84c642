"""Untrusted SQL: asked in a process of its own that sees the caller's datasets and nothing else, and is killed when it takes too long."""

import json
import math
import re
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from stadthub_lake.engine import NARROW_IT, spatial_path
from stadthub_lake.filters import quoted
from stadthub_lake.relation import NARROW, veiled, visible
from stadthub_lake.sandbox_functions import FUNCTIONS
from stadthub_lake.snapshot import Snapshot
from stadthub_schemas.dataset import ColumnType, Kind
from stadthub_schemas.errors import QueryError
from stadthub_schemas.query import Suppression

MOST_TEXT = 20_000
MOST_ROWS = 100_000
MOST_BYTES = 64_000_000

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
    """Runs one question a process. The next process is started ahead, so that a question needn't wait for its start."""

    def __init__(self, seconds: float, memory_mb: int) -> None:
        self._seconds = seconds
        self._memory_mb = memory_mb
        self._lock = threading.Lock()
        self._warm: subprocess.Popen[bytes] | None = None

    def close(self) -> None:
        """End the process that waits."""
        with self._lock:
            waiting, self._warm = self._warm, None
        if waiting is not None:
            waiting.communicate()

    def ask(
        self, text: str, snapshots: Sequence[Snapshot], hidden: Mapping[str, frozenset[str]], suppressions: Mapping[str, Suppression]
    ) -> pa.Table:
        """The answer, at most 100,000 rows; its schema metadata say `truncated`. QueryError."""
        if len(text) > MOST_TEXT or "\0" in text:
            raise QueryError(f"sql: it is longer than {MOST_TEXT} characters" if "\0" not in text else "sql: it holds a NUL")
        try:
            request = self._request(text.encode().decode(), snapshots, hidden, suppressions)
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
        return _read(output)

    def _process(self) -> subprocess.Popen[bytes]:
        """A fresh process; another one starts to wait for the next question."""
        with self._lock:
            waiting, self._warm = self._warm, _start()
        if waiting is None or waiting.poll() is not None:
            return _start()
        return waiting

    def _request(
        self, text: str, snapshots: Sequence[Snapshot], hidden: Mapping[str, frozenset[str]], suppressions: Mapping[str, Suppression]
    ) -> bytes:
        sent: list[pa.Table] = []
        tables: dict[str, int] = {}
        views = []
        for number, snapshot in enumerate(snapshots):
            shown = visible(snapshot, hidden.get(snapshot.dataset, frozenset()))
            if shown:
                views.append(_view(number, snapshot, list(shown), _Sent(sent, tables), suppressions.get(snapshot.dataset)))
        spatial = any(snapshot.kind is Kind.FEATURES and snapshot.columns for snapshot in snapshots)
        header = {
            "text": text,
            "views": views,
            "tables": tables,
            "sent": len(sent),
            "functions": sorted(FUNCTIONS),
            "spatial": str(spatial_path() or "") if spatial else "",
            "memory_mb": self._memory_mb,
            "seconds": math.ceil(self._seconds) + 1,
            "most_rows": MOST_ROWS,
            "most_bytes": MOST_BYTES,
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


@dataclass(frozen=True, slots=True)
class _Sent:
    """The tables that go to the process, and the place of those that have a name."""

    tables: list[pa.Table]
    named: dict[str, int]


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
    }
    fields = ", ".join(map(quoted, schema.names))
    rows = f"SELECT {fields} FROM {source}"
    for word, table in (("tail", snapshot.tail), ("entities", snapshot.entities)):
        if table is not None:
            tables[f"{word}_{number}"] = len(sent)
            sent.append(table)
    if snapshot.tail is not None:
        rows += f" UNION ALL SELECT {fields} FROM tail_{number}"
    if suppression is not None and narrow:
        rows = f"SELECT {veiled(suppression)} FROM ({rows}) AS v"
    kinds = {column.name: column.type for column in snapshot.columns}
    items = []
    for name in shown:
        item = quoted(name) if not narrow else f"{'o' if name in NARROW.names else 'e'}.{quoted(name)}"
        items.append(
            f"ST_GeomFromWKB({item}) AS {quoted(name)}" if kinds[name] is ColumnType.GEOMETRY and snapshot.kind is Kind.FEATURES else item
        )
    join = f" LEFT JOIN entities_{number} AS e ON e.datastream = o.datastream" if narrow else ""
    view["sql"] = f"SELECT {', '.join(items)} FROM ({rows}) AS o{join}"
    return view


def _stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


def _read(output: bytes) -> pa.Table:
    """The answer out of what the process said; a process that died said nothing: it met its limits."""
    if len(output) < 8:
        raise QueryError(f"sql: it needs more memory or time than it may have: {NARROW_IT}")
    (length,) = struct.unpack("<Q", output[:8])
    said = json.loads(output[8 : 8 + length])
    if "error" in said:
        raise QueryError(f"sql: {said['error']}")
    table = pa.ipc.open_stream(pa.py_buffer(output)[8 + length :]).read_all()
    return table.replace_schema_metadata({"truncated": str(said["truncated"]).lower()})
