"""The shape of features in JSON: GeoJSON (RFC 7946 and its forerunner with `crs`) and JSON-FG, in whatever CRS, and its options."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field, field_validator

from stadthub_ingest.crs import CRS84, AxisOrder, Crs, CrsError, CrsName, read_crs
from stadthub_ingest.decoded import Decoded, DecodeError, Row, Unreadable
from stadthub_ingest.geometries import GEOMETRIES
from stadthub_ingest.paths import Place, find, read_path
from stadthub_schemas.dataset import Kind
from stadthub_schemas.model import ColumnName, Strict


class Featured(Strict):
    """The options that all decoders of geodata share."""

    kind: Kind = Field(default=Kind.FEATURES, description="set from the feed's own kind")
    id: str | None = Field(default=None, description="the property that tells features apart; absent: the feature's own id")
    properties: tuple[str, ...] | dict[ColumnName, str] | None = Field(
        default=None, description="which properties are kept, as a list, or under which names: name -> property; absent: all"
    )
    crs: CrsName = Field(default=None, description="the CRS of the coordinates, such as EPSG:25832; absent: what the payload says")
    axis_order: AxisOrder = Field(
        default="declared", description="which coordinate comes first, where the source does not keep to what the name of its CRS means"
    )

    @field_validator("kind")
    @classmethod
    def _only_features(cls, value: Kind) -> Kind:
        if value is not Kind.FEATURES:
            raise ValueError(
                f'geodata are features, not {value}: write kind = "features"; values that change over time in GeoJSON are read by '
                'json_table with rows = "features[*]"'
            )
        return value

    def system(self, declared: Crs) -> Crs:
        """The CRS of the coordinates: what the options say wins over what the payload declares."""
        crs = declared if self.crs is None else read_crs(self.crs)
        return crs if self.axis_order == "declared" else Crs(crs.code, self.axis_order == "latitude_first")

    def kept(self, properties: Mapping[str, Any]) -> Row:
        """The properties that are wanted."""
        if self.properties is None:
            return dict(properties)
        names = self.properties if isinstance(self.properties, dict) else {name: name for name in self.properties}
        return {name: properties[there] for name, there in names.items() if there in properties}

    @property
    def wanted(self) -> frozenset[str]:
        """The properties that the options name, as the payload calls them."""
        return frozenset(self.properties.values() if isinstance(self.properties, dict) else self.properties or ())


def declared_crs(name: Any) -> Crs:
    """The CRS that a payload names; DecodeError if there is none of that name."""
    try:
        return read_crs(name)
    except CrsError as error:
        raise DecodeError(f"crs: {error}: set options.crs") from error


def features_in(found: Any, options: Featured, declared: Crs | None = None) -> Iterator[Decoded]:
    """One row for each feature; a bare geometry is a feature whose id is its number. `declared`: the CRS that was told beside it."""
    if not isinstance(found, dict):
        raise DecodeError("it is not a GeoJSON object")
    crs = (
        options.system(declared or CRS84) if options.crs is not None or found.get("crs") is None else options.system(_member(found["crs"]))
    )
    kind = found.get("type")
    if kind == "FeatureCollection":
        features = found.get("features")
        if not isinstance(features, list):
            raise DecodeError("features: it is not a list")
        for feature in features:
            yield _feature(feature, options, crs, found.get("coordRefSys"))
    elif kind == "Feature":
        yield _feature(found, options, crs, None)
    elif kind == "GeometryCollection":
        geometries = found.get("geometries")
        if not isinstance(geometries, list):
            raise DecodeError("geometries: it is not a list")
        for number, geometry in enumerate(geometries, 1):
            yield {"id": number, "geometry": geometry, "properties": {}, "crs": crs}
    elif isinstance(kind, str) and kind in GEOMETRIES:
        yield {"id": 1, "geometry": found, "properties": {}, "crs": crs}
    else:
        raise DecodeError(f"type: {str(kind)[:100]!r} is not one of GeoJSON's types")


def _member(crs: Any) -> Crs:
    """The CRS that the member `crs` names. In GeoJSON longitude or easting comes first, whatever the name means elsewhere."""
    properties = crs.get("properties") if isinstance(crs, dict) else crs
    name = properties.get("name", properties.get("href", properties.get("code"))) if isinstance(properties, dict) else properties
    return Crs(declared_crs(name).code)


def _feature(feature: Any, options: Featured, crs: Crs, reference: Any) -> Row | Unreadable:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        return Unreadable(str(feature)[:1000], "type: it is not a Feature")
    properties = feature.get("properties") or {}
    if options.id is None:
        identity = feature.get("id")
    else:
        identity = properties.get(options.id) if isinstance(properties, dict) else None
        if identity is None:
            identity = find(Place(feature), read_path(options.id))
    geometry = feature.get("geometry")
    if geometry is None and feature.get("place") is not None:  # JSON-FG: the geometry in the CRS of coordRefSys
        geometry, crs = feature["place"], options.system(_reference(feature.get("coordRefSys", reference)))
    kept = options.kept(properties) if isinstance(properties, dict) else properties
    return {"id": identity, "geometry": geometry, "properties": kept, "crs": crs}


def _reference(reference: Any) -> Crs:
    named = reference.get("href") if isinstance(reference, dict) else reference
    return CRS84 if named is None else declared_crs(named)
