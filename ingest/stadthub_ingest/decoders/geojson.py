"""GeoJSON (RFC 7946): features with their geometry in CRS84 and their properties.

Car parks and the like, whose values change over time, are read by json_table with rows = "features[*]".
"""

import re
from collections.abc import Iterator
from typing import Any

import shapely
from pydantic import Field, field_validator

from stadthub_ingest.decoded import Decoded, DecodeError, Row, Unreadable
from stadthub_ingest.features import GEOMETRIES, read_geometry
from stadthub_ingest.paths import Place, find, read_path
from stadthub_ingest.rules import RowError
from stadthub_ingest.texts import read_json
from stadthub_schemas.dataset import Kind
from stadthub_schemas.model import Strict

_CRS84 = re.compile(r"(CRS:?84|EPSG:(:|[\d.]+:)?4326|EPSG/0/4326)\s*$", re.IGNORECASE)


class Options(Strict):
    """How GeoJSON is read."""

    kind: Kind = Field(default=Kind.FEATURES, description="set from the feed's own kind")
    id: str | None = Field(default=None, description="the property that tells features apart; absent: the feature's id")
    properties: tuple[str, ...] | None = Field(default=None, description="which properties are kept; absent: all")
    repair: bool = Field(default=False, description="mend invalid geometries (ST_MakeValid) instead of refusing them")

    @field_validator("kind")
    @classmethod
    def _only_features(cls, value: Kind) -> Kind:
        if value is not Kind.FEATURES:
            raise ValueError(f'geojson makes features, not {value}: write kind = "features", or take json_table with rows = "features[*]"')
        return value


def decode(payload: bytes, options: Options, _name: str) -> Iterator[Decoded]:
    """One row for each feature; a bare geometry is a feature whose id is its number."""
    found = read_json(payload)
    if not isinstance(found, dict):
        raise DecodeError("it is not a GeoJSON object")
    _want_crs84(found.get("crs"))
    kind = found.get("type")
    if kind == "FeatureCollection":
        features = found.get("features")
        if not isinstance(features, list):
            raise DecodeError("features: it is not a list")
        for feature in features:
            yield _feature(feature, options)
    elif kind == "Feature":
        yield _feature(found, options)
    elif kind == "GeometryCollection":
        geometries = found.get("geometries")
        if not isinstance(geometries, list):
            raise DecodeError("geometries: it is not a list")
        for number, geometry in enumerate(geometries, 1):
            yield {"id": number, "geometry": _geometry(geometry, options), "properties": {}}
    elif isinstance(kind, str) and kind in GEOMETRIES:
        yield {"id": 1, "geometry": _geometry(found, options), "properties": {}}
    else:
        raise DecodeError(f"type: {str(kind)[:100]!r} is not one of GeoJSON's types")


def _feature(feature: Any, options: Options) -> Row | Unreadable:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        return Unreadable(str(feature)[:1000], "type: it is not a Feature")
    properties = feature.get("properties") or {}
    if isinstance(properties, dict) and options.properties is not None:
        kept = {name: properties[name] for name in options.properties if name in properties}
    else:
        kept = properties
    if options.id is None:
        identity = feature.get("id")
    else:
        identity = properties.get(options.id) if isinstance(properties, dict) else None
        if identity is None:
            identity = find(Place(feature), read_path(options.id))
    return {"id": identity, "geometry": _geometry(feature.get("geometry"), options), "properties": kept}


def _geometry(geometry: Any, options: Options) -> Any:
    """The geometry as it is, or mended."""
    if not options.repair or geometry is None:
        return geometry
    try:
        return shapely.make_valid(read_geometry(geometry))
    except RowError:
        return geometry  # the judge says what is wrong with it


def _want_crs84(crs: Any) -> None:
    """DecodeError if the payload says that it is in another CRS than CRS84: RFC 7946 knows no other."""
    if crs is None:
        return
    properties = crs.get("properties") if isinstance(crs, dict) else crs
    name = properties.get("name", properties.get("href")) if isinstance(properties, dict) else properties
    if not _CRS84.search(str(name)):
        raise DecodeError(f"crs: {str(name)[:100]!r} is not CRS84: ask the source for EPSG:4326 (outSRS, srsName or crs in its address)")
