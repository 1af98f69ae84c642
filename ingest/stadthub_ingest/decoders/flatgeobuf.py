"""FlatGeobuf: its features, read in a process of its own.

[options]
id = "baumnr"
"""

from collections.abc import Iterator

from stadthub_ingest.decoded import Decoded
from stadthub_ingest.feature_json import Featured
from stadthub_ingest.gdal import FORMATS, read_layer
from stadthub_ingest.layers import features_of


class Options(Featured):
    """How a FlatGeobuf is read."""


def decode(payload: bytes, options: Options, _name: str) -> Iterator[Decoded]:
    """One row for each feature."""
    yield from features_of(read_layer(FORMATS["flatgeobuf"], {"fgb": payload}, None, None), options)
