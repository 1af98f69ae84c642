"""Shapefiles in a zip archive: .shp, .shx and .dbf with the CRS of .prj and the encoding of .cpg, read in a process of its own.

[options]
layer = "stadtteile"
encoding = "cp1252"
"""

from collections.abc import Iterator
from pathlib import PurePosixPath

from pydantic import Field, field_validator

from stadthub_ingest.decoded import Decoded, DecodeError
from stadthub_ingest.gdal import FORMATS, read_layer
from stadthub_ingest.layers import Layered, features_of
from stadthub_ingest.packed import Packed

#: The parts of a shapefile that are read; others, such as indices, are left in the archive.
PARTS = ("shp", "shx", "dbf", "prj", "cpg")


class Options(Layered):
    """How a shapefile is read."""

    encoding: str | None = Field(default=None, description="the encoding of texts; absent: what the .cpg says")

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str | None) -> str | None:
        try:
            "".encode(value or "utf-8")
        except LookupError as error:
            raise ValueError(f"there is no encoding {value!r}: use a name such as utf-8, cp1252, iso-8859-15") from error
        return value


def decode(payload: bytes, options: Options, _name: str) -> Iterator[Decoded]:
    """One row for each record of the shapefile."""
    packed = Packed(payload)
    packed.refuse_wrong_members()
    main = _chosen(packed.ending(".shp"), options.layer)
    stem = main[:-4].lower()
    there = {name.lower(): name for name in packed.names}
    files = {part: packed.read(there[f"{stem}.{part}"]) for part in PARTS if f"{stem}.{part}" in there}
    missing = [part for part in ("shx", "dbf") if part not in files]
    if missing:
        raise DecodeError(f"beside {PurePosixPath(main).name} the archive has no .{' and no .'.join(missing)}")
    yield from features_of(read_layer(FORMATS["shapefile"], files, None, options.encoding), options)


def _chosen(names: list[str], layer: str | None) -> str:
    found = [name for name in names if layer in (None, PurePosixPath(name).stem)]
    if len(found) == 1:
        return found[0]
    there = ", ".join(PurePosixPath(name).stem for name in names)[:300] or "none"
    raise DecodeError(f"options.layer: {'it has no shapefile ' + repr(layer) if layer else 'it is not one shapefile'}: there are {there}")
