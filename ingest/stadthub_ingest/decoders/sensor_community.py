"""Sensor.Community (luftdaten.info): what a station pushes (airrohr firmware, without a time) and what the project's API gives.

Each sensor is a thing of its own, as in the project: two sensors in one station often measure the same.
"""

import re
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field

from stadthub_ingest.decoded import Clock, Decoded, Unreadable
from stadthub_ingest.numerals import plain_number
from stadthub_ingest.texts import read_json
from stadthub_ingest.times import TimeReader, Times
from stadthub_schemas.model import Strict

#: What the sensors call a value, without the sensor before it: the observed property and the unit.
VALUES: dict[str, tuple[str, str | None]] = {
    "p0": ("pm1", "ug/m3"),
    "p1": ("pm10", "ug/m3"),
    "p2": ("pm2_5", "ug/m3"),
    "p4": ("pm4", "ug/m3"),
    "temperature": ("air_temperature", "Cel"),
    "humidity": ("relative_humidity", "%"),
    "pressure": ("air_pressure", "Pa"),
    "pressure_at_sealevel": ("air_pressure_at_sea_level", "Pa"),
    "pressure_sealevel": ("air_pressure_at_sea_level", "Pa"),
    "noise_laeq": ("sound_level", "dB[A]"),
    "noise_la_min": ("sound_level_minimum", "dB[A]"),
    "noise_la_max": ("sound_level_maximum", "dB[A]"),
    "co2_ppm": ("carbon_dioxide", "[ppm]"),
    "n05": ("pm0_5_number_concentration", None),
    "n1": ("pm1_number_concentration", None),
    "n25": ("pm2_5_number_concentration", None),
    "n4": ("pm4_number_concentration", None),
    "n10": ("pm10_number_concentration", None),
    "signal": ("signal_strength", "dB"),
}

#: The sensor that a value's name begins with; a temperature or humidity without one is a DHT22's.
SENSORS = (
    "SDS",
    "PMS",
    "HPM",
    "NPM",
    "SPS30",
    "SEN5X",
    "IPS",
    "BMP280",
    "BME280",
    "BMP",
    "DS18B20",
    "HTU21D",
    "SHT3X",
    "SCD30",
    "DNMS",
    "PPD",
)
_PREFIX = re.compile(rf"^({'|'.join(SENSORS)})_(.+)$", re.IGNORECASE)
_UTC = Times(time_zone="UTC")


class Options(Strict):
    """How stations and sensors are read."""

    locations: dict[str, tuple[float, float]] = Field(default_factory=dict, description="longitude, latitude by the number of a station")
    others: Literal["drop", "keep"] = Field(default="drop", description="values without a known name, such as samples and signal times")
    indoor: Literal["drop", "keep"] = Field(default="drop", description="sensors that their owner marked as indoors")


def decode(payload: bytes, options: Options, name: str) -> Iterator[Decoded]:
    """One row for each value of each sensor."""
    del name
    found = read_json(payload)
    reader = TimeReader(_UTC)
    for station in found if isinstance(found, list) else [found]:
        if not isinstance(station, dict) or not isinstance(station.get("sensordatavalues"), list):
            yield Unreadable(str(station)[:1000], "sensordatavalues: missing: it is no message of a station")
        elif "sensor" in station:
            yield from _pulled(station, options, reader)
        else:
            yield from _pushed(station, options)


def _pushed(station: dict[str, Any], options: Options) -> Iterator[Decoded]:
    """The values that a station sends about itself, now."""
    kind = next((key for key in ("esp8266id", "esp32id", "raspiid") if station.get(key)), None)
    if kind is None:
        yield Unreadable(str(station)[:1000], "esp8266id: missing")
        return
    number = str(station[kind]).strip()
    place = options.locations.get(number) or _satellite(station["sensordatavalues"])
    for value in station["sensordatavalues"]:
        sensor, key, result = _value(value)
        row = _row(key, result, options)
        if isinstance(row, dict):
            board = kind.removesuffix("id")
            row |= {"thing": f"{board}-{number}-{sensor.lower()}", "thing_name": f"{board}-{number} {sensor}", "sensor": sensor}
            row |= {"phenomenon_time": Clock.RECEIVED, **_place(place)}
        yield row


def _pulled(entry: dict[str, Any], options: Options, reader: TimeReader) -> Iterator[Decoded]:
    """The values of one sensor as the project's API gives them; its times are UTC without saying so."""
    sensor, location = entry.get("sensor"), entry.get("location")
    if not isinstance(sensor, dict) or sensor.get("id") is None:
        yield Unreadable(str(entry)[:1000], "sensor.id: missing")
        return
    location = location if isinstance(location, dict) else {}
    kind = sensor.get("sensor_type")
    model = kind.get("name") if isinstance(kind, dict) else None
    place = (location.get("longitude"), location.get("latitude"))
    for value in entry["sensordatavalues"]:
        _, key, result = _value(value)
        row = _row(key, result, options)
        if str(location.get("indoor", 0)) == "1" and options.indoor == "drop":
            row = None
        if isinstance(row, dict):
            time = entry.get("timestamp")
            row |= {"thing": f"sensor-community-{sensor['id']}", "sensor": model}
            row |= {"phenomenon_time": None if time is None else reader.read(time), **_place(place)}
        yield row


def _place(place: tuple[Any, Any] | None) -> dict[str, Any]:
    """The two fields of a place; none where there is no place."""
    return {} if place is None or place == (None, None) else {"longitude": place[0], "latitude": place[1]}


def _value(value: Any) -> tuple[str, str, Any]:
    """Sensor, name and result of a pair."""
    if not isinstance(value, dict) or not isinstance(value.get("value_type"), str):
        return "", "", Unreadable(str(value)[:1000], "value_type: missing")
    name = value["value_type"]
    found = _PREFIX.match(name)
    if found is None:
        return ("DHT22" if name in ("temperature", "humidity") else "station"), name, value.get("value")
    return found[1].upper(), found[2], value.get("value")


def _row(key: str, result: Any, options: Options) -> Decoded:
    if isinstance(result, Unreadable):
        return result
    known = VALUES.get(key.lower())
    if known is None and (options.others == "drop" or not key):
        return None
    observed_property, unit = known or (key, None)
    if isinstance(result, str) and (result := result.strip()).lower() in ("", "nan", "unavailable", "unknown"):
        return None
    return {"observed_property": observed_property, "unit": unit, "result": result}


def _satellite(values: list[Any]) -> tuple[Any, Any] | None:
    """The place that a station with GPS tells; 0 and -200 mean that it does not know."""
    found = {str(value.get("value_type")): plain_number(value.get("value")) for value in values if isinstance(value, dict)}
    longitude, latitude = found.get("GPS_lon"), found.get("GPS_lat")
    return None if not longitude or not latitude or abs(latitude) > 90 else (longitude, latitude)
