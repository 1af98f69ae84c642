"""GeoPackage, as it is or in a zip archive: a layer of features, read in a process of its own.

[options]
layer = "baeume"
id = "baumnr"
"""

from collections.abc import Iterator

from stadthub_ingest.decoded import Decoded, DecodeError
from stadthub_ingest.gdal import FORMATS, read_layer
from stadthub_ingest.layers import Layered, features_of
from stadthub_ingest.packed import Packed


class Options(Layered):
    """How a GeoPackage is read."""


def decode(payload: bytes, options: Options, _name: str) -> Iterator[Decoded]:
    """One row for each feature of the layer."""
    body = _unpacked(payload) if payload.startswith(b"PK") else payload
    yield from features_of(read_layer(FORMATS["geopackage"], {"gpkg": body}, options.layer, None), options)


def _unpacked(payload: bytes) -> bytes:
    packed = Packed(payload)
    packed.refuse_wrong_members()
    names = packed.ending(".gpkg")
    if len(names) != 1:
        raise DecodeError(f"there are {len(names)} GeoPackages in the archive instead of one")
    return packed.read(names[0])
