"""ArcGIS FeatureServer and MapServer: Esri JSON (f=json) and GeoJSON (f=geojson) of a layer's query.

[source]
url = "https://example.org/arcgis/rest/services/Parken/FeatureServer/0/query?where=1%3D1&outFields=*&f=json"
paging = { by = "offset", path = "features", more = "exceededTransferLimit", parameter = "resultOffset", size_parameter = "resultRecordCount" }
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pydantic import Field

from stadthub_ingest.crs import CRS84, Crs, CrsError, read_crs
from stadthub_ingest.decoded import Decoded, DecodeError, Row, Unreadable
from stadthub_ingest.esri import EsriError, read_esri
from stadthub_ingest.feature_json import Featured, features_in
from stadthub_ingest.texts import read_json

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Options(Featured):
    """How a layer of ArcGIS is read."""

    names: Literal["name", "alias"] = Field(default="name", description="what the attributes are called: by their name or by their alias")
    domains: Literal["names", "codes"] = Field(default="names", description="of a coded value: its name, or the code as it is stored")


def decode(payload: bytes, options: Options, _name: str) -> Iterator[Decoded]:
    """One row for each feature."""
    found = read_json(payload)
    if not isinstance(found, dict):
        raise DecodeError("it is not a JSON object")
    if "error" in found:
        raise DecodeError(f"the server refused: {_reason(found['error'])}")
    if found.get("type") == "FeatureCollection":
        yield from features_in(found, options)
        return
    features = found.get("features")
    if not isinstance(features, list):
        raise DecodeError("features: it is not a list: is it the answer to a query of a layer?")
    fields = [field for field in found.get("fields") or () if isinstance(field, dict) and isinstance(field.get("name"), str)]
    layer = _Layer(options, fields, found.get("objectIdFieldName"), _system(found.get("spatialReference")))
    for feature in features:
        yield layer.row(feature)


class _Layer:
    """What the answer says of all its features."""

    def __init__(self, options: Options, fields: list[dict[str, Any]], identity: Any, crs: Crs) -> None:
        self._options = options
        self._crs = crs
        numbered = next((field["name"] for field in fields if field.get("type") == "esriFieldTypeOID"), None)
        self._identity = options.id or identity or numbered
        self._fields = {field["name"]: field for field in fields}
        self._codes = {field["name"]: _codes(field.get("domain")) for field in fields} if options.domains == "names" else {}

    def row(self, feature: Any) -> Row | Unreadable:
        """The feature's row."""
        attributes = feature.get("attributes") if isinstance(feature, dict) else None
        if not isinstance(attributes, dict):
            return Unreadable(str(feature)[:1000], "attributes: it is not an object")
        properties = {self._called(name): self._value(name, value) for name, value in attributes.items()}
        identity = attributes.get(self._identity, properties.get(str(self._identity)))
        geometry = feature.get("geometry")
        try:
            own = geometry.get("spatialReference") if isinstance(geometry, dict) else None
            crs = self._crs if own is None else _system(own)
            shape: Any = read_esri(geometry)
        except (EsriError, DecodeError) as error:
            crs, shape = self._crs, Unreadable("", str(error))
        kept = self._options.kept(properties)
        return {"id": identity, "geometry": shape, "properties": kept, "crs": self._options.system(crs)}

    def _called(self, name: str) -> str:
        alias = self._fields.get(name, {}).get("alias")
        return str(alias) if self._options.names == "alias" and alias else name

    def _value(self, name: str, value: Any) -> Any:
        if value is None:
            return None
        if self._fields.get(name, {}).get("type") == "esriFieldTypeDate":
            return _moment(value)
        codes = self._codes.get(name)
        return codes.get(str(value), value) if codes else value


def _codes(domain: Any) -> dict[str, str]:
    """The names of coded values, by their codes."""
    values = domain.get("codedValues") if isinstance(domain, dict) else None
    return {str(one["code"]): str(one["name"]) for one in values or () if isinstance(one, dict) and {"code", "name"} <= one.keys()}


def _moment(value: Any) -> Any:
    """The time in milliseconds since 1970 as ISO 8601 in UTC; text stays text."""
    if isinstance(value, str):
        return value
    try:
        return (_EPOCH + timedelta(milliseconds=value)).isoformat().replace("+00:00", "Z")
    except (TypeError, OverflowError, ValueError):
        return Unreadable(str(value)[:100], f"{str(value)[:100]!r} is no time in milliseconds")


def _system(reference: Any) -> Crs:
    """The CRS of a spatialReference."""
    if not isinstance(reference, Mapping):
        return CRS84
    names = [reference[key] for key in ("latestWkid", "wkid", "wkt", "wkt2") if reference.get(key)]
    for name in names:
        try:
            return Crs(read_crs(name).code)
        except CrsError:
            continue
    if names:
        raise DecodeError(f"spatialReference: {str(names[0])[:100]!r} is no CRS that is known here: ask for outSR=4326")
    return CRS84


def _reason(error: Any) -> str:
    if not isinstance(error, dict):
        return str(error)[:300]
    details = error.get("details") or []
    parts = [error.get("message"), *(details if isinstance(details, list) else [details])]
    return ": ".join(str(part) for part in parts if part)[:300] or "it gives no reason"
