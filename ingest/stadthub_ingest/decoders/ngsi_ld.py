"""NGSI-LD (context brokers): notifications and entities, normalized, concise or keyValues, with units and places."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import orjson
from pydantic import Field

from stadthub_ingest.allowlists import PLAIN, WHOLE, Shape, kept
from stadthub_ingest.decoded import Clock, Decoded, DecodeError, Unreadable
from stadthub_ingest.foreign_units import from_cefact
from stadthub_ingest.geometry_points import point_of
from stadthub_ingest.numerals import plain_number
from stadthub_ingest.texts import read_json
from stadthub_schemas.model import Strict

#: Attributes of the smart data models: the observed property, its unit without a unitCode, and the factor to it.
ATTRIBUTES: dict[str, tuple[str, str | None, float]] = {
    "temperature": ("air_temperature", "Cel", 1.0),
    "airtemperature": ("air_temperature", "Cel", 1.0),
    "relativehumidity": ("relative_humidity", "%", 100.0),
    "humidity": ("relative_humidity", "%", 1.0),
    "atmosphericpressure": ("air_pressure", "hPa", 1.0),
    "barometricpressure": ("air_pressure", "hPa", 1.0),
    "windspeed": ("wind_speed", "m/s", 1.0),
    "winddirection": ("wind_from_direction", "deg", 1.0),
    "precipitation": ("precipitation", "mm", 1.0),
    "illuminance": ("illuminance", "lx", 1.0),
    "solarradiation": ("solar_irradiance", "W/m2", 1.0),
    "uvindexmax": ("uv_index", None, 1.0),
    "no2": ("nitrogen_dioxide", "ug/m3", 1.0),
    "no": ("nitrogen_monoxide", "ug/m3", 1.0),
    "o3": ("ozone", "ug/m3", 1.0),
    "so2": ("sulphur_dioxide", "ug/m3", 1.0),
    "co": ("carbon_monoxide", "mg/m3", 1.0),
    "co2": ("carbon_dioxide", "[ppm]", 1.0),
    "pm1": ("pm1", "ug/m3", 1.0),
    "pm25": ("pm2_5", "ug/m3", 1.0),
    "pm2.5": ("pm2_5", "ug/m3", 1.0),
    "pm10": ("pm10", "ug/m3", 1.0),
    "laeq": ("sound_level", "dB[A]", 1.0),
    "batterylevel": ("battery_level", "%", 100.0),
    "rssi": ("signal_strength", "dB", 1.0),
    "soilmoisturevwc": ("soil_moisture", "%", 100.0),
    "soiltemperature": ("soil_temperature", "Cel", 1.0),
    "availablespotnumber": ("parking_free", "{count}", 1.0),
    "occupiedspotnumber": ("parking_occupied", "{count}", 1.0),
    "totalspotnumber": ("parking_capacity", "{count}", 1.0),
    "intensity": ("vehicles", "{count}", 1.0),
}

#: Types of attributes that hold no observation.
_OTHERS = frozenset(("Relationship", "GeoProperty", "LanguageProperty", "VocabProperty", "VocabularyProperty", "ListRelationship"))
_TIMES = ("observedAt", "dateObserved", "dateObservedFrom", "observationDateTime", "modifiedAt", "dateModified")
_NO_ATTRIBUTES = frozenset(("id", "type", "@id", "@type", "@context", "scope", "location", "operationSpace", "observationSpace", *_TIMES))

#: What of an attribute may be stored.
_ATTRIBUTE: dict[str, Any] = dict.fromkeys(("type", "@type", "value", "@value", "unitCode", "observedAt", "datasetId"), PLAIN)
_KEPT: Mapping[str, Shape] = {
    **dict.fromkeys(("id", "@id"), PLAIN),
    **dict.fromkeys(("type", "@type"), (PLAIN, [PLAIN])),
    **dict.fromkeys(("location", "observationSpace"), WHOLE),
    **dict.fromkeys(("name", *_TIMES), (PLAIN, {**_ATTRIBUTE, "value": (PLAIN, {"@value": PLAIN})}, _ATTRIBUTE)),
}


class Value(Strict):
    """What an attribute observes."""

    observed_property: str
    unit: str | None = Field(default=None, description="UCUM; absent: by unitCode")
    factor: float = 1.0


class Options(Strict):
    """How entities become observations."""

    thing_from: Literal["id", "name"] = Field(default="id", description="id: the entity's URN without urn:ngsi-ld:")
    values: dict[str, Value] = Field(default_factory=dict, description="by the attribute's short name")
    others: Literal["keep", "drop"] = Field(default="keep", description="numeric attributes that `values` does not name")
    ignore: tuple[str, ...] = Field(default=("reliability", "dateCreated"), description="attributes that are no observations")
    types: tuple[str, ...] = Field(default=(), description="the types of entities that are read; none: all")
    locations: dict[str, tuple[float, float]] = Field(default_factory=dict, description="longitude, latitude by the entity's id")


def reduce(payload: bytes, options: Options, name: str, key: bytes) -> bytes | None:  # noqa: ARG001 - the door's signature
    """The entities with their numbers, places and times: no owner, no contact, no text that no option names."""
    found = read_json(payload)
    entities = found.get("data") if isinstance(found, dict) and found.get("type") == "Notification" else found
    if not isinstance(entities, dict | list):
        return None
    listed = entities if isinstance(entities, list) else [entities]
    return orjson.dumps([_public(entity, options) if isinstance(entity, dict) else None for entity in listed])


def _public(entity: dict[str, Any], options: Options) -> dict[str, Any]:
    public = {}
    for name, given in entity.items():
        short = _short(name)
        if short in _KEPT:
            public[name] = kept(given, _KEPT[short])
        elif short in options.values or any(_numeric(_plain(one)) for one in (given if isinstance(given, list) else [given])):
            public[name] = kept(given, (PLAIN, [_ATTRIBUTE], {**_ATTRIBUTE, "value": (PLAIN, {"@value": PLAIN})}))
    return public


def decode(payload: bytes, options: Options, name: str) -> Iterator[Decoded]:
    """One row for each attribute that observes something."""
    del name
    found = read_json(payload)
    entities = found.get("data") if isinstance(found, dict) and found.get("type") == "Notification" else found
    if isinstance(entities, dict):
        entities = [entities]
    if not isinstance(entities, list):
        raise DecodeError("it is neither an NGSI-LD notification nor an entity")
    for entity in entities:
        if not isinstance(entity, dict) or not isinstance(entity.get("id", entity.get("@id")), str):
            yield Unreadable(str(entity)[:1000], "id: missing: it is not an entity")
        elif options.types and not _types(entity) & set(options.types):
            yield None
        else:
            yield from _rows(entity, options)


def _short(name: str) -> str:
    """The last part of an IRI or a prefixed name."""
    return name.rsplit("/", 1)[-1].rsplit("#", 1)[-1] if "://" in name else name.rpartition(":")[2]


def _types(entity: dict[str, Any]) -> set[str]:
    """The short names of an entity's types: it may have several."""
    given = entity.get("type", entity.get("@type"))
    return {_short(str(one)) for one in (given if isinstance(given, list) else [given])}


def _rows(entity: dict[str, Any], options: Options) -> Iterator[Decoded]:
    key: str = entity.get("id") or entity["@id"]
    short = {_short(name): value for name, value in entity.items()}
    title = _plain(short.get("name"))
    thing = title if options.thing_from == "name" and isinstance(title, str) else key.removeprefix("urn:ngsi-ld:")
    common: dict[str, Any] = {"thing": thing, "thing_name": title if isinstance(title, str) else None}
    place = options.locations.get(key) or point_of(_plain(short.get("location"))) or point_of(_plain(short.get("observationSpace")))
    if place is not None:
        common["longitude"], common["latitude"] = place
    time = next((found for name in _TIMES if (found := _moment(short.get(name))) is not None), None)
    rows = [row for name, given in short.items() if name not in _NO_ATTRIBUTES for row in _attribute(name, given, time, options)]
    yield from ({**common, **row} if isinstance(row, dict) else row for row in rows or [None])


def _attribute(name: str, given: Any, time: Any, options: Options) -> Iterator[Decoded]:
    """The rows of an attribute: one, or one for each of its datasets. An attribute that describes gives none."""
    if isinstance(given, list) and given and all(isinstance(one, dict) and "value" in one for one in given):
        for one in given:
            for row in _attribute(name, one, time, options):
                source = one.get("datasetId")
                yield {**row, "parameters": {"dataset_id": source}} if isinstance(row, dict) and source else row
        return
    if isinstance(given, dict) and str(given.get("type")) in _OTHERS:
        return
    value, known = _plain(given), options.values.get(name)
    if known is None and (not _numeric(value) or name in options.ignore):
        return
    if (known is None and options.others == "drop") or value is None:
        yield None
        return
    meta: Mapping[str, Any] = given if isinstance(given, dict) else {}
    observed, unit, factor = _meaning(name, known, meta.get("unitCode"))
    number = plain_number(value)
    result = value if factor == 1.0 or number is None else number * factor
    yield {
        "observed_property": observed,
        "unit": None if isinstance(value, str) and number is None else unit,
        "result": result,
        "phenomenon_time": _moment(meta.get("observedAt")) or time or Clock.RECEIVED,
    }


def _meaning(name: str, known: Value | None, code: Any) -> tuple[str, str | None, float]:
    """What an attribute observes, in which unit, and the factor to it."""
    given = from_cefact(code) if isinstance(code, str) else None
    if known is not None:
        return known.observed_property, known.unit or given, known.factor
    observed, unit, factor = ATTRIBUTES.get(name.lower(), (name, None, 1.0))
    if given is None or (given == "1" and unit == "%"):
        return observed, unit, factor
    return observed, given, 1.0


def _numeric(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _plain(given: Any) -> Any:
    """The value itself, out of whichever form: an attribute holds a value, which may hold a typed one."""
    for _ in range(3):
        if not isinstance(given, dict) or not given.keys() & {"value", "@value"}:
            break
        given = given["value"] if "value" in given else given["@value"]
    return given


def _moment(given: Any) -> Any:
    """A time out of an attribute; the start of an interval; None where there is none."""
    found = _plain(given)
    return found.partition("/")[0] if isinstance(found, str) and found else None
