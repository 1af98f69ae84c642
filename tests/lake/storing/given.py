"""What the tests of the storing side have in common: a lake in a folder, and rows to put into it."""

import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa

from stadthub_lake.snapshot import Reader, Snapshot
from stadthub_lake.store import Progress, Store
from stadthub_schemas.counts import Counts
from stadthub_schemas.dataset import Contact, Dataset, Kind, Metadata, Publisher
from stadthub_schemas.rows import FEATURES_IN, OBSERVATIONS_IN

#: What a program that a test starts finds on its way: the rooms of this checkout.
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

START = datetime(2026, 3, 1, tzinfo=UTC)

METADATA = Metadata(
    title="Luft",
    description="Luftwerte",
    license="dl-de-by-2.0",
    publisher=Publisher(name="stadt", title="Stadt"),
    contact=Contact(name="Amt"),
    themes=("ENVI",),
)


@dataclass
class Place:
    """A lake in a folder: its writing and its reading side."""

    folder: Path
    store: Store
    reader: Reader

    @classmethod
    def at(cls, folder: Path) -> "Place":
        return cls(folder, Store(str(folder / "lake"), folder / "data"), Reader(str(folder / "lake"), folder / "data"))

    def reopen(self) -> "Place":
        self.store.close()
        return Place.at(self.folder)

    def make(self, name: str, kind: Kind = Kind.TIMESERIES, key: tuple[str, ...] = ()) -> None:
        self.store.ensure(Dataset(name=name, kind=kind, metadata=METADATA, key=key))


def minute(number: int) -> datetime:
    return START + timedelta(minutes=number)


def observations(*rows: tuple[str, int, float], **words: object) -> pa.Table:
    """Rows of (thing, minute, result); further words are the same in all rows."""
    return pa.Table.from_pylist(
        [
            {
                "thing": thing,
                "observed_property": "pm10",
                "phenomenon_time": minute(when),
                "result": result,
                "received_time": START,
                **words,
            }
            for thing, when, result in rows
        ],
        schema=OBSERVATIONS_IN,
    )


def features(*rows: tuple[str, bytes | None, str] | tuple[str, bytes, str, bytes, str]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(FEATURES_IN.names, row, strict=False)) for row in rows], schema=FEATURES_IN)


def progress(position: int, stored: int = 0) -> Progress:
    return Progress(position, Counts(received=stored, stored=stored))


def content(snapshot: Snapshot) -> list[tuple[str, datetime, float]]:
    """Everything a timeseries holds, in order: files and tail."""
    rows: list[tuple[str, datetime, float]] = []
    wanted = ["datastream", "phenomenon_time", "result"]
    if snapshot.files:
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            found = connection.execute("SELECT datastream, phenomenon_time, result FROM read_parquet($f)", {"f": list(snapshot.files)})
            rows += [tuple(row.values()) for row in found.to_arrow_table().to_pylist()]
    if snapshot.tail is not None:
        rows += [tuple(row.values()) for row in snapshot.tail.select(wanted).to_pylist()]
    return sorted(rows)
