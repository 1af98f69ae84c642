"""The manifest of a `features` dataset: which versions there are, what changed in each, and how to prove that a file is whole."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from stadthub_lake.storage import read_json, write_json
from stadthub_schemas.counts import Counts
from stadthub_schemas.dataset import Column, ColumnType

FILE = "manifest.json"


@dataclass(frozen=True, slots=True)
class Version:
    """One immutable file of features."""

    number: int
    time: datetime
    file: str
    sha256: str
    size: int
    rows: int
    bbox: tuple[float, float, float, float] | None
    columns: tuple[Column, ...]
    change: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class FeedMark:
    """Up to where a feed is in these versions."""

    position: int
    counts: Counts


@dataclass(frozen=True, slots=True)
class Manifest:
    """All versions, oldest first, and the progress of each feed."""

    versions: tuple[Version, ...] = ()
    progress: Mapping[str, FeedMark] = field(default_factory=dict)

    @property
    def newest(self) -> Version | None:
        """The version that is served."""
        return self.versions[-1] if self.versions else None

    def at(self, time: datetime) -> Version | None:
        """The version that was served at a time."""
        return next((version for version in reversed(self.versions) if version.time <= time), None)


def read(folder: Path) -> Manifest:
    """The manifest of a folder; an empty one if nothing was written yet."""
    said = read_json(folder / FILE)
    if said is None:
        return Manifest()
    return Manifest(
        tuple(_version(one) for one in said["versions"]),
        {feed: FeedMark(one["position"], Counts(**one["counts"])) for feed, one in said["progress"].items()},
    )


def write(folder: Path, manifest: Manifest) -> None:
    """Replaces the manifest, durably."""
    versions = [
        {**asdict(one), "time": one.time.isoformat(), "columns": [_words(column) for column in one.columns]} for one in manifest.versions
    ]
    progress = {feed: {"position": mark.position, "counts": mark.counts.as_dict()} for feed, mark in manifest.progress.items()}
    write_json(folder / FILE, {"versions": versions, "progress": progress})


def checksum(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _words(column: Column) -> dict[str, Any]:
    return {"name": column.name, "type": column.type.value, "title": column.title}


def _version(said: dict[str, Any]) -> Version:
    columns = tuple(Column(name=one["name"], type=ColumnType(one["type"]), title=one["title"]) for one in said["columns"])
    bbox = tuple(said["bbox"]) if said["bbox"] else None
    return Version(**{**said, "time": datetime.fromisoformat(said["time"]), "bbox": bbox, "columns": columns})
