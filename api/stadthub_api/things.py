"""The things of a timeseries as GeoJSON: one point each, with what it observes."""

from collections.abc import Iterator
from typing import Any

import orjson
import pyarrow as pa

from stadthub_api.parameters import bbox


def as_features(table: pa.Table, hidden: frozenset[str], box: str | None, most: int) -> bytes:
    """A feature for each thing, without what is hidden; with a box only those inside it."""
    features = _inside(_features(table, hidden), bbox(box)) if box is not None else _features(table, hidden)
    chosen = [feature for _, feature in zip(range(most), features, strict=False)]
    return orjson.dumps({"type": "FeatureCollection", "features": chosen}, option=orjson.OPT_UTC_Z, default=str)


def _features(table: pa.Table, hidden: frozenset[str]) -> Iterator[dict[str, Any]]:
    placed = not hidden & {"longitude", "latitude"}
    if "thing" in hidden:
        return
    for row in table.to_pylist():
        longitude, latitude = row.pop("longitude"), row.pop("latitude")
        known = placed and longitude is not None and latitude is not None
        yield {
            "type": "Feature",
            "id": row["thing"],
            "geometry": {"type": "Point", "coordinates": [longitude, latitude]} if known else None,
            "properties": {name: value for name, value in row.items() if _singular(name) not in hidden},
        }


def _singular(name: str) -> str:
    return "observed_property" if name == "observed_properties" else name


def _inside(features: Iterator[dict[str, Any]], box: tuple[float, float, float, float]) -> Iterator[dict[str, Any]]:
    west, south, east, north = box
    for feature in features:
        if feature["geometry"] is None:
            continue
        longitude, latitude = feature["geometry"]["coordinates"]
        if south <= latitude <= north and (west <= longitude <= east if west <= east else longitude >= west or longitude <= east):
            yield feature
