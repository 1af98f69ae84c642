"""Parquet and GeoParquet: the same mapping as csv_table, out of typed columns; the geometry in the CRS that the file names.

[options]
columns = { id = "baumnr", geometry = "geometry" }
"""

from collections.abc import Iterator
from typing import BinaryIO

from stadthub_ingest.columnar import Columnar, open_columnar
from stadthub_ingest.crs import Crs
from stadthub_ingest.decoded import Decoded, Pieces
from stadthub_ingest.feature_json import declared_crs
from stadthub_ingest.foreign_parquet import pieces
from stadthub_ingest.sheets import Tabled, rows_of
from stadthub_schemas.dataset import Kind


class Options(Tabled):
    """How a Parquet file is read."""


def sheet(payload: bytes, _options: Options) -> Columnar:
    """The table in the payload."""
    return open_columnar(payload)


def decode(payload: bytes, options: Options, name: str) -> Iterator[Decoded]:
    """The rows of the file. Easting always comes first in it, whatever its CRS says."""
    found = open_columnar(payload)
    system = None if options.kind is not Kind.FEATURES or options.crs or found.crs is None else Crs(declared_crs(found.crs).code)
    for row in rows_of(found, options, name):
        yield {**row, "crs": system} if system is not None and isinstance(row, dict) else row


def split(file: BinaryIO, _options: Options, most: int) -> Pieces | None:
    """The rows in pieces, each a file of its own, read in a process of its own."""
    return pieces(file, most)
