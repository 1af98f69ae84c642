"""The writing side of a `features` dataset: one immutable GeoParquet file a version, near features near each other."""

import json
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from stadthub_lake import manifest
from stadthub_lake.attributes import Attributes, unfold
from stadthub_lake.batch import conform
from stadthub_lake.changes import compare
from stadthub_lake.layout import Numbers
from stadthub_lake.manifest import FeedMark, Manifest, Version
from stadthub_lake.progress import Change, Progress
from stadthub_lake.storage import make_folder, placing, storing
from stadthub_schemas.counts import Counts
from stadthub_schemas.dataset import Column, ColumnType
from stadthub_schemas.errors import TypeConflict
from stadthub_schemas.rows import FEATURES_IN

#: Every feature has these, before its attributes.
FIRST_COLUMNS = (Column(name="id", type=ColumnType.TEXT, title="id"), Column(name="geometry", type=ColumnType.GEOMETRY, title="geometry"))

#: Of features that came in another CRS than CRS84: their geometry with the very numbers that came, and the code of that CRS.
ORIGINALS = (
    Column(name="original_geometry", type=ColumnType.GEOMETRY, title="original_geometry"),
    Column(name="original_crs", type=ColumnType.TEXT, title="original_crs"),
)
ORIGINAL_NAMES = tuple(column.name for column in ORIGINALS)

CORNERS = ("xmin", "ymin", "xmax", "ymax")

#: The Hilbert curve runs over a grid of 2**16 by 2**16 cells.
CURVE_BITS = 16

GROUP_ROWS = 10_000


class FeatureSet:
    """The versions of one dataset of features, one lock."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.lock = threading.RLock()
        self._folder = folder
        with storing(name):
            make_folder(folder)
        self._manifest = manifest.read(folder)

    def progress(self, feed: str) -> Progress:
        """Up to where a feed is in the versions."""
        mark = self._manifest.progress.get(feed, FeedMark(0, Counts()))
        return Progress(mark.position, mark.counts)

    def replace(self, feed: str, rows: pa.Table, progress: Progress) -> Change:
        """A new version, on disk when this returns; none if the content is the same. TypeConflict leaves the old one."""
        with self.lock:
            return self._replace(feed, self._typed(rows, self._manifest.newest), progress)

    def reshape(self, feed: str, rows: pa.Table, progress: Progress) -> Change:
        """The same with the columns and types of these rows, whatever the version before had."""
        with self.lock:
            return self._replace(feed, self._typed(rows, None), progress)

    def _replace(self, feed: str, typed: tuple[pa.Table, tuple[Column, ...]], progress: Progress) -> Change:
        with self.lock:
            newest, (table, columns) = self._manifest.newest, typed
            stored = self._stored(newest)
            types = {one.name: one.type for one in stored.schema}
            alike = all(types.get(one.name, one.type) == one.type for one in table.schema)
            fresh = {"added": table.num_rows, "changed": 0, "removed": stored.num_rows, "unchanged": 0}
            change = compare(stored, table, ["id"]) if alike else fresh
            marks = {**self._manifest.progress, feed: FeedMark(progress.position, progress.counts)}
            same = newest is not None and newest.columns == columns and change["unchanged"] == newest.rows == table.num_rows
            versions = self._manifest.versions if same else (*self._manifest.versions, self._write(table, columns, change))
            self._tell(Manifest(versions, marks))
            return Change(version=versions[-1].number, **change)

    def advance(self, progress: Mapping[str, Progress]) -> None:
        """The feeds are this far, though no new version came of it."""
        with self.lock:
            marks = {feed: FeedMark(one.position, one.counts) for feed, one in progress.items()}
            self._tell(Manifest(self._manifest.versions, {**self._manifest.progress, **marks}))

    def _tell(self, told: Manifest) -> None:
        if told != self._manifest:
            with storing(self.name):
                manifest.write(self._folder, told)
            self._manifest = told

    def _typed(self, rows: pa.Table, newest: Version | None) -> tuple[pa.Table, tuple[Column, ...]]:
        """Id, geometry, attributes as typed columns, and the originals of geometries once there were any."""
        rows = conform(self.name, rows, FEATURES_IN)
        stored = newest.columns if newest else ()
        special = (*FIRST_COLUMNS, *ORIGINALS)
        attributes = [column for column in stored if column.name not in {one.name for one in special}]
        found: Attributes = unfold(self.name, rows["properties"].to_pylist(), attributes)
        has_originals = rows["original_crs"].null_count < rows.num_rows or any(column.name in ORIGINAL_NAMES for column in stored)
        originals = ORIGINALS if has_originals else ()
        columns = (*FIRST_COLUMNS, *found.columns, *originals)
        arrays = [rows["id"], rows["geometry"], *found.arrays, *(rows[column.name] for column in originals)]
        table = pa.table(arrays, names=[column.name for column in columns])
        return table.combine_chunks(), columns

    def _stored(self, newest: Version | None) -> pa.Table:
        if newest is None:
            return pa.table({"id": pa.array([], pa.string()), "geometry": pa.array([], pa.binary())})
        with storing(self.name):
            names = [column.name for column in newest.columns]
            stored = pq.ParquetFile(self._folder / newest.file, arrow_extensions_enabled=False).read(names)
        return stored.replace_schema_metadata(None)

    def _write(self, table: pa.Table, columns: tuple[Column, ...], change: dict[str, int]) -> Version:
        number = self._manifest.versions[-1].number + 1 if self._manifest.versions else 1
        path = self._folder / f"v{number:06d}.parquet"
        packed, box = geoparquet(self.name, table)
        with storing(self.name), placing(path) as hidden:
            pq.write_table(packed, hidden, compression="zstd", compression_level=9, row_group_size=GROUP_ROWS)
        return Version(
            number=number,
            time=datetime.now(UTC),
            file=path.name,
            sha256=manifest.checksum(path),
            size=path.stat().st_size,
            rows=table.num_rows,
            bbox=box,
            columns=columns,
            change=change,
        )


def geoparquet(name: str, table: pa.Table) -> tuple[pa.Table, tuple[float, float, float, float] | None]:
    """The table in the order of a Hilbert curve, with a box for each feature and GeoParquet's words; and the box of all."""
    try:
        shapes = shapely.from_wkb(table["geometry"].to_numpy(zero_copy_only=False))
    except shapely.errors.ShapelyError as error:
        raise TypeConflict(f"{name}: a geometry is not well-known binary") from error
    boxes = shapely.bounds(shapes)
    order = pa.array(np.argsort(along_curve(boxes), kind="stable"))
    empty = pa.array(np.isnan(boxes[:, 0]))
    corners = [pa.array(boxes[:, number], mask=empty.to_numpy(zero_copy_only=False)) for number in range(4)]
    table = table.append_column("bbox", pa.StructArray.from_arrays(corners, names=list(CORNERS))).take(order)
    there = boxes[~np.isnan(boxes[:, 0])]
    box = (*there[:, :2].min(axis=0).tolist(), *there[:, 2:].max(axis=0).tolist()) if len(there) else None
    types = sorted({shape.geom_type + (" Z" if shape.has_z else "") for shape in shapes if shape is not None})
    geometry = {
        "encoding": "WKB",
        "geometry_types": types,
        "covering": {"bbox": {corner: ["bbox", corner] for corner in CORNERS}},
        **({"bbox": list(box)} if box else {}),
    }
    words = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": geometry}}
    return table.replace_schema_metadata({"geo": json.dumps(words)}), box


def along_curve(boxes: npt.NDArray[np.float64]) -> Numbers:
    """Where on a Hilbert curve over all boxes the middle of each box lies; empty ones at the end."""
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    known = ~np.isnan(middle[:, 0])
    if not known.any():
        return np.zeros(len(boxes), dtype=np.int64)
    low, high = middle[known].min(axis=0), middle[known].max(axis=0)
    cells = (middle[known] - low) / np.where(high > low, high - low, 1) * (2**CURVE_BITS - 1)
    x, y = cells[:, 0].astype(np.int64), cells[:, 1].astype(np.int64)
    along = np.zeros(len(x), dtype=np.int64)
    for bit in reversed(range(CURVE_BITS)):
        side = 1 << bit
        right, up = (x & side) > 0, (y & side) > 0
        along += side * side * ((3 * right.astype(np.int64)) ^ up.astype(np.int64))
        flip = ~up & right
        x, y = np.where(flip, side - 1 - (x & (side - 1)), x & (side - 1)), np.where(flip, side - 1 - (y & (side - 1)), y & (side - 1))
        x, y = np.where(up, x, y), np.where(up, y, x)
    answer = np.full(len(boxes), np.iinfo(np.int64).max, dtype=np.int64)
    answer[known] = along
    return answer
