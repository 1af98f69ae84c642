"""GeoJSON: features with their geometry and their properties, in CRS84 or in the CRS that the member `crs` or the options name.

Car parks and the like, whose values change over time, are read by json_table with rows = "features[*]".
"""

from collections.abc import Iterator
from typing import Literal, Self

import orjson
from pydantic import Field, model_validator

from stadthub_ingest.decoded import Decoded, DecodeError, Row
from stadthub_ingest.feature_json import Featured, features_in
from stadthub_ingest.texts import read_json

#: What of a file and of a feature is not a property: it is kept in any case.
_OF_FILE = ("type", "crs", "coordRefSys", "coordinates", "geometries")
_OF_FEATURE = ("type", "id", "geometry", "place", "coordRefSys")


class Options(Featured):
    """How GeoJSON is read."""

    keep: Literal["all", "named"] = Field(
        default="all", description="named: properties that `properties` doesn't name are removed before anything is stored"
    )

    @model_validator(mode="after")
    def _names(self) -> Self:
        if self.keep == "named" and self.properties is None:
            raise ValueError('properties: missing: with keep = "named" nothing else is stored')
        return self


def decode(payload: bytes, options: Options, _name: str) -> Iterator[Decoded]:
    """One row for each feature; a bare geometry is a feature whose id is its number."""
    return features_in(read_json(payload), options)


def narrow(payload: bytes, options: Options, _name: str) -> bytes:
    """The features with those properties only that the options name."""
    found = read_json(payload)
    if not isinstance(found, dict):
        raise DecodeError("it is not a GeoJSON object")
    wanted = {*options.wanted, *([options.id.removeprefix("properties.").partition(".")[0]] if options.id else [])}
    whole = {name: found[name] for name in _OF_FILE if name in found}
    if found.get("type") == "Feature":
        return orjson.dumps(_narrowed(found, wanted) | whole)
    features = found.get("features")
    if isinstance(features, list):
        whole["features"] = [_narrowed(feature, wanted) for feature in features if isinstance(feature, dict)]
    return orjson.dumps(whole)


def _narrowed(feature: Row, wanted: set[str]) -> Row:
    properties = feature.get("properties")
    kept = {name: value for name, value in properties.items() if name in wanted} if isinstance(properties, dict) else {}
    members = {name: value for name, value in feature.items() if name in _OF_FEATURE or name in wanted}
    return {**members, "properties": kept}
