"""The datastreams of a timeseries on disk: small Parquet files, a new version whenever a word or a position changes."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from stadthub_lake.layout import ENTITIES, microseconds
from stadthub_lake.storage import make_folder, placing, storing

#: Older versions than these go as soon as a new one is written.
KEPT_VERSIONS = 20


@dataclass(frozen=True, slots=True)
class EntityFile:
    """One version: its number and the time it was written, both in its name."""

    path: Path
    number: int
    written: int

    @classmethod
    def parse(cls, path: Path) -> "EntityFile":
        """The version behind a name like `000012-1763761234567000.parquet`."""
        number, written = path.stem.split("-")
        return cls(path, int(number), int(written))


def versions(folder: Path) -> list[EntityFile]:
    """All versions, oldest first; empty if none was written."""
    try:
        return sorted((EntityFile.parse(path) for path in folder.glob("[0-9]*.parquet")), key=lambda file: file.number)
    except FileNotFoundError:
        return []


def choose(files: list[EntityFile], as_of: datetime | None) -> EntityFile | None:
    """The newest version, or the newest that was there at a time; the oldest kept one if all are younger."""
    if not files:
        return None
    if as_of is None:
        return files[-1]
    limit = microseconds(as_of)
    return next((file for file in reversed(files) if file.written <= limit), files[0])


def read(file: EntityFile | None) -> pa.Table:
    """The datastreams of a version. FileNotFoundError if it went meanwhile: choose again."""
    if file is None:
        return ENTITIES.empty_table()
    return pq.read_table(file.path, schema=ENTITIES, partitioning=None)


def write(folder: Path, table: pa.Table, now: datetime) -> EntityFile:
    """Writes a new version, durably, and lets the oldest go."""
    with storing("datastreams"):
        make_folder(folder)
        there = versions(folder)
        number = there[-1].number + 1 if there else 1
        path = folder / f"{number:06d}-{microseconds(now):016d}.parquet"
        with placing(path) as hidden:
            pq.write_table(table.sort_by("datastream"), hidden, compression="zstd", store_schema=False)
        for old in there[: -KEPT_VERSIONS + 1]:
            old.path.unlink(missing_ok=True)
        return EntityFile.parse(path)
