"""Are all files there and whole? Files against the Delta log and the manifests, raw-log frames against their checksums."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from stadthub_lake import inventory, manifest
from stadthub_lake.delta import DataFile, Table
from stadthub_lake.segments import MAGIC, PACKED, survey, unpack_segment
from stadthub_schemas.dataset import Kind
from stadthub_schemas.errors import StorageError

RESTORE = "restore the file from a backup, or let the feed deliver it again: stadthub feed replay"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be: in which dataset (or raw log), how bad, what it is, how to mend it."""

    dataset: str
    severity: Literal["error", "warning"]
    what: str
    mend: str


def verify(root: Path, raw: Path) -> Iterator[Finding]:
    """Everything that is wrong with the lake and the raw logs; nothing is changed."""
    for name in inventory.names(root):
        try:
            kind = inventory.read(root, name).kind
            yield from _KINDS[kind](name, root / name)
        except StorageError as error:
            yield Finding(name, "error", str(error), RESTORE)
    for folder in sorted((root / inventory.REJECTS).glob("*")):
        yield from _table(f"rejects of {folder.name}", folder)
    for folder in sorted(raw.glob("*")):
        yield from raw_log(folder)


def raw_log(folder: Path) -> Iterator[Finding]:
    """What is wrong with the segments of one raw log: broken frames and missing positions."""
    expected: int | None = None
    paths = sorted(folder.glob("[0-9]*.log*"))
    for path in paths:
        first = int(path.name[:20])
        if expected is not None and first < expected:
            continue
        data = unpack_segment(path) if path.name.endswith(PACKED) else path.read_bytes()
        found = survey(data, first)
        if found.broken or data[: len(MAGIC)] != MAGIC or (found.end < len(data) and path != paths[-1]):
            what = f"segment {path.name} is broken at position {(*found.broken, found.last + 1)[0]}"
            yield Finding(f"raw log {folder.name}", "error", what, "restore the segment from a backup; its frames cannot be replayed")
            expected = None
            continue
        if expected is not None and first > expected:
            what = f"positions {expected} to {first - 1} are missing"
            yield Finding(f"raw log {folder.name}", "warning", what, "restore the segment from a backup if you want to replay it")
        expected = found.last + 1


def _timeseries(name: str, folder: Path) -> Iterator[Finding]:
    yield from _table(name, folder / inventory.OBSERVATIONS)
    for path in sorted((folder / inventory.DATASTREAMS).glob("[0-9]*.parquet")):
        if _footer(path) is None:
            yield Finding(name, "error", f"the datastreams {path.name} cannot be read", RESTORE)


def _rows(name: str, folder: Path) -> Iterator[Finding]:
    if (folder / inventory.ROWS).is_dir():
        yield from _table(name, folder / inventory.ROWS)


def _features(name: str, folder: Path) -> Iterator[Finding]:
    versions = manifest.read(folder / inventory.FEATURES).versions
    for version in versions:
        path = folder / inventory.FEATURES / version.file
        if not path.exists():
            yield Finding(name, "error", f"version {version.number} is missing", RESTORE)
        elif path.stat().st_size != version.size or manifest.checksum(path) != version.sha256:
            yield Finding(name, "error", f"version {version.number} is not what was written: its checksum differs", RESTORE)
    known = {version.file for version in versions}
    for path in sorted((folder / inventory.FEATURES).glob("v*.parquet")):
        if path.name not in known:
            yield Finding(name, "warning", f"the file {path.name} belongs to no version", "it is left of a crash and may be deleted")


_KINDS: dict[Kind, Callable[[str, Path], Iterator[Finding]]] = {Kind.TIMESERIES: _timeseries, Kind.TABLE: _rows, Kind.FEATURES: _features}


def _table(name: str, folder: Path) -> Iterator[Finding]:
    """What is wrong with the files of a Delta table."""
    table = Table(folder)
    if not table.exists:
        yield Finding(name, "error", "the table's log is missing or cannot be read", "restore the folder from a backup")
        return
    table.refresh()
    for file in table.files():
        wrong = _wrong(file)
        if wrong:
            yield Finding(name, "error", f"the file {Path(file.path).name} {wrong}", RESTORE)
    for path in table.orphans():
        yield Finding(
            name,
            "warning",
            f"the file {path} belongs to no version",
            "it is no longer needed or left of a crash: the next vacuum removes it",
        )


def _wrong(file: DataFile) -> str | None:
    path = Path(file.path)
    if not path.exists():
        return "is missing"
    if path.stat().st_size != file.size:
        return f"has {path.stat().st_size} bytes, but {file.size} were written"
    rows = _footer(path)
    if rows is None:
        return "cannot be read"
    return None if rows == file.rows else f"has {rows} rows, but {file.rows} were written"


def _footer(path: Path) -> int | None:
    """How many rows the file says it has; None if it cannot be read."""
    try:
        return int(pq.read_metadata(path).num_rows)
    except (OSError, pa.ArrowException):
        return None
