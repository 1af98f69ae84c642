"""GeoJSON: features with their geometry and their properties, in CRS84 or in the CRS that the member `crs` or the options name.

Car parks and the like, whose values change over time, are read by json_table with rows = "features[*]".
"""

from collections.abc import Iterator

from stadthub_ingest.decoded import Decoded
from stadthub_ingest.feature_json import Featured, features_in
from stadthub_ingest.texts import read_json


class Options(Featured):
    """How GeoJSON is read."""


def decode(payload: bytes, options: Options, _name: str) -> Iterator[Decoded]:
    """One row for each feature; a bare geometry is a feature whose id is its number."""
    return features_in(read_json(payload), options)
