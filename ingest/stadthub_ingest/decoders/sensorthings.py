"""OGC SensorThings 1.0 and 1.1: pages of Datastreams, Things or Observations, expanded or not, and the dataArray form.

Pages are fetched by the source: paging = { by = "link", path = "@iot.nextLink" }. Lists of observations within an entity that the
server cut short (Observations@iot.nextLink) are not followed: ask for more of them by $top, or for Observations themselves.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import Field

from stadthub_ingest.decoded import Decoded, DecodeError, Unreadable
from stadthub_ingest.foreign_units import from_words
from stadthub_ingest.geometry_points import point_of
from stadthub_ingest.numerals import plain_number
from stadthub_ingest.texts import read_json
from stadthub_ingest.well_known import MEMBERS
from stadthub_schemas.model import Strict

_MOST = 8
_IN_NAME = re.compile(r"(Datastreams|Things)\((?:'|%27)?([^')%]+)(?:'|%27)?\)")


class Value(Strict):
    """What the observations of a datastream are."""

    observed_property: str | None = None
    unit: str | None = Field(default=None, description="UCUM; absent: as the datastream says")
    factor: float = 1.0
    thing: str | None = None
    thing_name: str | None = None


class Options(Strict):
    """How entities become observations."""

    thing_from: Literal["id", "name"] = "id"
    values: dict[str, Value] = Field(
        default_factory=dict,
        description="by the id or name of a datastream, its properties.layerName, or the name or definition of its observed property",
    )
    others: Literal["keep", "drop"] = Field(default="keep", description="datastreams that `values` does not name")
    interval: Literal["start", "end"] = Field(default="start", description="which end of an interval is its time")
    parameters: bool = Field(default=False, description="keep the observations' own parameters")
    locations: dict[str, tuple[float, float]] = Field(default_factory=dict, description="longitude, latitude by the id of a thing")


@dataclass(frozen=True, slots=True)
class _Context:
    """What is known of an observation by what stands around it."""

    thing: Any = None
    thing_id: str | None = None
    thing_name: str | None = None
    place: tuple[Any, Any] | None = None
    datastream: str | None = None
    observed_property: str | None = None
    unit: str | None = None
    sensor: str | None = None
    value: Value | None = None


def decode(payload: bytes, options: Options, name: str) -> Iterator[Decoded]:
    """One row for each observation, wherever it stands."""
    context = _Context()
    for kind, key in _IN_NAME.findall(name):
        context = _datastream({"@iot.id": key}, context, options) if kind == "Datastreams" else _thing({"@iot.id": key}, context, options)
    found = read_json(payload)
    if not isinstance(found, dict | list) or (isinstance(found, dict) and "value" not in found and _id(found) is None):
        raise DecodeError("it is not an answer of a SensorThings server: no value, no @iot.id")
    yield from _walk(found, context, options, 0)


def _walk(found: Any, context: _Context, options: Options, depth: int) -> Iterator[Decoded]:
    """The observations in an entity or a list of them."""
    if depth > _MOST:
        return
    if isinstance(found, list):
        for entity in found:
            yield from _walk(entity, context, options, depth + 1)
    elif not isinstance(found, dict):
        yield Unreadable(str(found)[:1000], f"{str(found)[:100]!r} is not an entity")
    elif isinstance(found.get("value"), list) and "result" not in found:
        yield from _walk(found["value"], context, options, depth + 1)
    elif isinstance(found.get("dataArray"), list):
        yield from _array(found, _around(found, context, options), options)
    elif "result" in found or ("phenomenonTime" in found and "Observations" not in found and "unitOfMeasurement" not in found):
        yield _observation(found, _around(found, context, options), options)
    else:
        inner = _entity(found, context, options)
        if not found.keys() & {"Datastreams", "Observations"}:
            yield None
        for key in ("Datastreams", "Observations"):
            yield from _walk(found.get(key) or [], inner, options, depth + 1)


def _id(entity: Mapping[str, Any]) -> Any:
    return entity.get("@iot.id", entity.get("@id"))


def _entity(entity: dict[str, Any], context: _Context, options: Options) -> _Context:
    """What an entity adds to what is known."""
    if "unitOfMeasurement" in entity or "Observations" in entity:
        return _datastream(entity, context, options)
    return _thing(entity, context, options)


def _around(entity: dict[str, Any], context: _Context, options: Options) -> _Context:
    """What an observation says about its own datastream, thing and place."""
    if isinstance(entity.get("Datastream"), dict):
        context = _datastream(entity["Datastream"], context, options)
    feature = entity.get("FeatureOfInterest")
    place = point_of(feature.get("feature")) if isinstance(feature, dict) else None
    return context if place is None else replace(context, place=place)


def _thing(entity: dict[str, Any], context: _Context, options: Options) -> _Context:
    key = _id(entity)
    key = None if key is None else str(key)
    name = entity.get("name") or context.thing_name
    place = context.place
    locations = entity.get("Locations")
    for location in locations if isinstance(locations, list) else ():
        place = place or point_of(location.get("location") if isinstance(location, dict) else None)
    place = options.locations.get(key or "") or place
    return replace(context, thing=name if options.thing_from == "name" else key, thing_id=key, thing_name=name, place=place)


def _datastream(entity: dict[str, Any], context: _Context, options: Options) -> _Context:
    """What a datastream says, with its thing, its sensor, its observed property."""
    if isinstance(entity.get("Thing"), dict):
        context = _thing(entity["Thing"], context, options)
    seen, sensor, properties = (entity.get(key) for key in ("ObservedProperty", "Sensor", "properties"))
    seen = seen if isinstance(seen, dict) else {}
    layer = properties.get("layerName") if isinstance(properties, dict) else None
    keys = [_id(entity), seen.get("name"), seen.get("definition"), layer, entity.get("name")]
    value = next((options.values[str(key)] for key in keys if key is not None and str(key) in options.values), context.value)
    unit = entity.get("unitOfMeasurement")
    unit = from_words(unit.get("symbol"), unit.get("definition"), unit.get("name")) if isinstance(unit, dict) else context.unit
    observed = next((str(key) for key in (seen.get("name"), layer, entity.get("name")) if key), context.observed_property)
    key = _id(entity)
    return replace(
        context,
        datastream=context.datastream if key is None else str(key),
        observed_property=observed,
        unit=unit,
        sensor=(sensor.get("name") if isinstance(sensor, dict) else None) or context.sensor,
        place=context.place or point_of(entity.get("observedArea")),
        value=value,
    )


def _array(entity: dict[str, Any], context: _Context, options: Options) -> Iterator[Decoded]:
    """The observations of a dataArray: lists in the order of its components."""
    components = entity.get("components")
    if not isinstance(components, list):
        yield Unreadable(str(entity)[:1000], "components: missing: they say what stands where in dataArray")
        return
    link = entity.get("Datastream@iot.navigationLink")
    found = _IN_NAME.search(link) if isinstance(link, str) and context.datastream is None else None
    if found is not None:
        context = _datastream({"@iot.id": found[2]}, context, options)
    for values in entity["dataArray"]:
        if isinstance(values, list) and len(values) == len(components):
            yield _observation(dict(zip(map(str, components), values, strict=True)), context, options)
        else:
            yield Unreadable(str(values)[:1000], f"dataArray: {len(components)} values are wanted, one for each component")


def _observation(entity: dict[str, Any], context: _Context, options: Options) -> Decoded:
    value, result = context.value, entity.get("result")
    if result is None or (value is None and options.others == "drop"):
        return None
    observed, own = MEMBERS.get((context.observed_property or "").lower(), (context.observed_property, None))
    if value is not None:
        observed = value.observed_property or observed
        number = plain_number(result)
        result = result if number is None or value.factor == 1.0 else number * value.factor
    unit = (value and value.unit) or context.unit or own
    row = {
        "thing": (value and value.thing) or context.thing or (f"datastream-{context.datastream}" if context.datastream else None),
        "thing_name": (value and value.thing_name) or context.thing_name,
        "observed_property": observed,
        "unit": None if isinstance(result, str) and plain_number(result) is None else unit,
        "phenomenon_time": _time(entity, options),
        "result": result,
        "sensor": context.sensor,
    }
    if context.place is not None:
        row["longitude"], row["latitude"] = context.place
    if options.parameters and isinstance(entity.get("parameters"), dict) and entity["parameters"]:
        row["parameters"] = entity["parameters"]
    return row


def _time(entity: dict[str, Any], options: Options) -> Any:
    """The time of an observation; an interval's start or end; the time of its result where it has none."""
    time = entity.get("phenomenonTime") or entity.get("resultTime")
    if isinstance(time, str) and "/" in time:
        start, _, end = time.partition("/")
        return start if options.interval == "start" else end
    return time
