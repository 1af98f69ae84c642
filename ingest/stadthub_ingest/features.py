"""Judging features: an id, a valid geometry brought to CRS84, properties; many at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson
import pyarrow as pa

from stadthub_ingest.decoded import Unreadable
from stadthub_ingest.geometries import Outcome, judge_geometries
from stadthub_ingest.rules import RowError
from stadthub_ingest.tables import in_type
from stadthub_schemas.dataset import ColumnType
from stadthub_schemas.rows import FEATURES_IN


@dataclass(frozen=True, slots=True)
class Feature:
    """One accepted feature, as FEATURES_IN, and what was wrong with its geometry before it was mended."""

    id: str
    geometry: bytes | None
    properties: str
    original_geometry: bytes | None
    original_crs: str | None
    mended: str | None


def judge_features(rows: Sequence[Any], declared: Mapping[str, ColumnType]) -> list[Feature | RowError]:
    """What becomes of each feature of one payload, its properties in the declared types. An id that comes again is refused."""
    whole = [row if isinstance(row, dict) else {} for row in rows]
    places = judge_geometries([row.get("geometry") for row in whole], [row.get("crs") for row in whole])
    seen: set[str] = set()
    judged: list[Feature | RowError] = []
    for row, place in zip(rows, places, strict=True):
        try:
            feature = _feature(_typed(row, declared), place)
            if feature.id in seen:
                raise RowError(f"id: {feature.id[:100]!r} stands twice in this payload")
            seen.add(feature.id)
            judged.append(feature)
        except RowError as refused:
            judged.append(refused)
    return judged


def _typed(row: Any, declared: Mapping[str, ColumnType]) -> Any:
    """The feature with its properties in the declared types; RowError if one is of another."""
    properties = row.get("properties") if isinstance(row, dict) else None
    if not declared or not isinstance(properties, dict):
        return row
    return {**row, "properties": {name: in_type(name, value, declared.get(name)) for name, value in properties.items()}}


def as_table(rows: Sequence[Feature]) -> pa.Table:
    """Accepted features as FEATURES_IN."""
    arrays = [pa.array([getattr(row, field.name) for row in rows], field.type) for field in FEATURES_IN]
    return pa.Table.from_arrays(arrays, schema=FEATURES_IN)


def _feature(row: Any, place: Outcome) -> Feature:
    if not isinstance(row, dict):
        raise RowError(row.reason if isinstance(row, Unreadable) else f"{type(row).__name__}: it is not a row")
    identity = _identity(row.get("id"))
    if isinstance(place, RowError):
        raise place
    properties = json_text("properties", row.get("properties") or {})
    if place is None:
        return Feature(identity, None, properties, None, None, None)
    return Feature(identity, place.wkb, properties, place.original, place.original_crs, place.mended)


def _identity(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 10**100 else None
    if value is None or value == "":
        raise RowError("id: missing: name the property that tells features from each other in options")
    if not isinstance(value, str) or not value.strip():
        raise RowError(f"id: {str(value)[:100]!r} is not a key")
    return value.strip()


def json_text(field: str, value: Any) -> str:
    """The object as JSON text; RowError if it is no object."""
    if not isinstance(value, dict):
        raise RowError(f"{field}: {str(value)[:100]!r} is not an object")
    unread = next((RowError(f"{field}.{key}: {one.reason}") for key, one in value.items() if isinstance(one, Unreadable)), None)
    if unread is not None:
        raise unread
    try:
        return orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z).decode()
    except TypeError as error:
        raise RowError(f"{field}: {error}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)  # JSON's numbers are all alike: only tables keep amounts exact
    raise TypeError(f"{type(value).__name__} has no form in JSON")
