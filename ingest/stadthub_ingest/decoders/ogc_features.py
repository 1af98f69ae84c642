"""OGC API Features: pages of GeoJSON and JSON-FG, in CRS84 or in the CRS that was asked for.

[source]
url = "https://example.org/collections/baeume/items?f=json&crs=http://www.opengis.net/def/crs/EPSG/0/25832"
paging = { by = "link", path = "links", page_size = 1000 }
"""

from collections.abc import Iterator

from stadthub_ingest.decoded import Decoded, DecodeError
from stadthub_ingest.feature_json import Featured, declared_crs, features_in
from stadthub_ingest.sources.fetched import crs_of
from stadthub_ingest.texts import read_json


class Options(Featured):
    """How pages of an OGC API are read."""


def decode(payload: bytes, options: Options, name: str) -> Iterator[Decoded]:
    """One row for each feature. The server says the CRS in its header Content-Crs, in the axis order of that name."""
    found = read_json(payload)
    if isinstance(found, dict) and "features" not in found and found.get("type") != "Feature":
        told = found.get("detail") or found.get("description") or found.get("title") or "there are no features in it"
        raise DecodeError(f"it is no page of features: {str(told)[:300]}")
    header = crs_of(name)
    return features_in(found, options, None if header is None else declared_crs(header))
