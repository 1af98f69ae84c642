"""A dataset's entry in the catalogue: its words from the feed, its extent and columns from the data, its files from the lake."""

import hashlib
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from stadthub_catalog.catalog import Catalog
from stadthub_catalog.entry import Distribution
from stadthub_lake.lake import Lake
from stadthub_lake.snapshot import Reader
from stadthub_pipelines.originals import PLACE, Originals
from stadthub_schemas.access import ANYBODY, Decision, Principal, Role, may, visible
from stadthub_schemas.access import Action as May
from stadthub_schemas.dataset import AccessClass, Column, Dataset, Kind
from stadthub_schemas.errors import NotFound, StorageError
from stadthub_schemas.query import RowsQuery, Suppression
from stadthub_schemas.vocabularies import FORMATS

#: The files that each kind of dataset is published as. CSV or GeoJSON always stands beside Parquet, which not everybody reads.
PUBLISHED = {Kind.TIMESERIES: ("csv", "parquet"), Kind.FEATURES: ("geojson", "csv", "parquet"), Kind.TABLE: ("csv", "parquet")}

#: Who the files of a class are made for: they never hold a column that this reader may not see.
READERS = {
    AccessClass.PUBLIC: ANYBODY,
    AccessClass.INTERNAL: Principal("internal", Role.ANALYST),
    AccessClass.RESTRICTED: Principal("restricted", Role.OPERATOR),
}

#: The columns that say where a thing is.
_PLACE = frozenset({"longitude", "latitude"})

#: How many older editions of a file stay, for readers in the middle of a download.
KEPT = 2

#: Files of a dataset are written again after this long at the earliest.
FILE_SECONDS = 900.0


class Publisher:
    """Publishes datasets: words and extent at once, files no more often than the data call for."""

    def __init__(self, reader: Reader, lake: Lake, catalog: Catalog, folder: Path, file_seconds: float) -> None:
        self._reader = reader
        self._lake = lake
        self._catalog = catalog
        self._folder = folder
        self._file_seconds = file_seconds
        self._written: dict[str, tuple[float, int, Suppression | None]] = {}
        self._files: dict[str, tuple[Distribution, ...]] = {}
        self.originals = Originals(folder.parent)

    def announce(self, dataset: Dataset, feed: str) -> None:
        """Make the entry say what is true now."""
        extent = self._lake.extent(dataset.name)
        if not {column.name for column in self._shown(dataset)} >= _PLACE and dataset.kind is Kind.TIMESERIES:
            extent = extent.model_copy(update={"bbox": None})  # the box would give hidden places away
        files = self._files.get(dataset.name)
        if files is None:
            files = self._files[dataset.name] = self._standing(dataset)
        self._catalog.publish(dataset, self._columns(dataset), extent, (*files, *self._original(dataset)), feed)

    def _original(self, dataset: Dataset) -> tuple[Distribution, ...]:
        """The file that was imported, unless it holds what the readers of the dataset's class may not see."""
        shown, decision = self._shown(dataset), self._decision(dataset)
        whole = len(shown) == len(self._reader.columns(dataset.name)) and not decision.hidden and decision.suppression is None
        return self.originals.of(dataset.name) if whole else ()

    def write_files(self, dataset: Dataset, feed: str) -> bool:
        """Write the dataset's files anew if its data changed and the last edition is old enough; answer whether it was."""
        version = self._reader.snapshot(dataset.name).version
        rule = self._decision(dataset).suppression
        last, written, obeyed = self._written.get(dataset.name, (float("-inf"), -1, rule))
        if rule == obeyed and (version == written or time.monotonic() - last < self._file_seconds):
            return False
        started = time.monotonic()
        self._files[dataset.name] = tuple(self._write(dataset, format_) for format_ in PUBLISHED[dataset.kind])
        self._written[dataset.name] = (started, version, rule)
        self.announce(dataset, feed)
        return True

    def _columns(self, dataset: Dataset) -> tuple[Column, ...]:
        """The columns found in the data, with the words that the feed file has for them."""
        return tuple(
            column.model_copy(update=dataset.metadata.columns[column.name].model_dump(exclude_unset=True, exclude={"type"}))
            if column.name in dataset.metadata.columns
            else column
            for column in self._reader.columns(dataset.name)
        )

    def _standing(self, dataset: Dataset) -> tuple[Distribution, ...]:
        """The files that the catalogue knows from before."""
        try:
            there = self._catalog.entry(dataset.name).distributions
            return tuple(one for one in there if f"/{PLACE}/" not in one.url)
        except NotFound:
            return ()

    def _write(self, dataset: Dataset, format_: str) -> Distribution:
        """One file: written under a hidden name, synced, then renamed to a name that holds its checksum."""
        ending = FORMATS[format_].ending
        folder = self._folder / dataset.name
        hidden = folder / f".{uuid4().hex}.{ending}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            digest, size = _pour(hidden, self._lake.export(self._query(dataset), format_))
            path = folder / f"{dataset.name}-{digest[:12]}.{ending}"
            hidden.replace(path)
            _sync_folder(folder)
            _forget(folder, ending, path)
        except OSError as error:
            hidden.unlink(missing_ok=True)
            raise StorageError(f"{dataset.name}: its {FORMATS[format_].title} file can't be written: {error.strerror}") from error
        return Distribution(
            format=format_,
            url=f"/distributions/{dataset.name}/{dataset.name}.{ending}",
            title=f"{dataset.metadata.title} ({FORMATS[format_].title})",
            size=size,
            sha256=digest,
            modified=datetime.now(UTC),
        )

    def _query(self, dataset: Dataset) -> RowsQuery:
        columns = tuple(column.name for column in self._shown(dataset))
        decision = self._decision(dataset)
        return RowsQuery(dataset.name, columns=columns, limit=None, hidden=decision.hidden, suppression=decision.suppression)

    def _shown(self, dataset: Dataset) -> tuple[Column, ...]:
        """The columns that the readers of the dataset's class may see."""
        return visible(self._decision(dataset), self._reader.columns(dataset.name))

    def _decision(self, dataset: Dataset) -> Decision:
        return may(READERS[dataset.metadata.access], May.READ, dataset)


def _pour(path: Path, chunks: Iterator[bytes]) -> tuple[str, int]:
    """Write the chunks durably; answer their SHA-256 and size."""
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as out:
        for chunk in chunks:
            out.write(chunk)
            digest.update(chunk)
            size += len(chunk)
        out.flush()
        os.fsync(out.fileno())
    return digest.hexdigest(), size


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _forget(folder: Path, ending: str, newest: Path) -> None:
    """Remove all but the newest editions of one format."""
    editions = sorted((path for path in folder.glob(f"*.{ending}") if path != newest), key=lambda path: path.stat().st_mtime)
    for path in editions[:-KEPT]:
        path.unlink(missing_ok=True)
