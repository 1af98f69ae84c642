"""SenML, Sensor.Community, SensorThings and NGSI-LD: against the standards' own examples, and against anything at all."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stadthub_ingest.decoders.senml import Record, resolve
from stadthub_ingest.foreign_units import CEFACT, SENML, SYMBOLS, from_words
from stadthub_ingest.judge import Judge
from stadthub_ingest.judged import Payload
from stadthub_schemas.errors import FeedError
from stadthub_schemas.units import UNITS
from tests.ingest.feeds import RECEIVED, balanced, feed, payload

SHARED = Path(os.environ.get("SHARED_DIR", Path(__file__).parents[3] / "shared")) / "data"
PACKS = [f"ex{number}" for number in (1, 2, 3, 4, 5, 6, 10, 11, 12)]

#: "Now" in the resolved forms of the standard's examples.
NOW = 1_498_780_179

NAMES = """
bn bt bu bv bs bver n u v vs vb vd
s t id type value data @value name location coordinates Point dateObserved
observedAt unitCode NO2 Datastreams Observations Thing Locations dataArray components result phenomenonTime unitOfMeasurement
@iot.id sensor sensordatavalues value_type esp8266id timestamp Property Notification temperature uplink_message end_device_ids decoded_payload
frm_payload device_id received_at locations user latitude longitude lon lat Datastream FeatureOfInterest feature
"""
WORDS = st.sampled_from(NAMES.split())
SCALAR = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), WORDS)
JUNK = st.recursive(SCALAR, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(WORDS, inner, max_size=6)), max_leaves=25)


def needed(path: Path) -> Path:
    """The recorded file, or a skip that says where it was looked for."""
    if not path.exists():
        pytest.skip(f"there is no {path}: set SHARED_DIR to the folder of recorded input")
    return path


@pytest.mark.parametrize("pack", PACKS)
def test_a_pack_resolves_to_the_resolved_form_of_the_standard(pack: str) -> None:
    resolved = json.loads(needed(SHARED / "senml" / f"{pack}.resolved.json").read_text("utf-8"))
    records = [one for one in resolve(json.loads((SHARED / "senml" / f"{pack}.json").read_text("utf-8"))) if isinstance(one, Record)]
    assert [(one.name, one.unit) for one in records] == [(one["n"], one["u"]) for one in resolved]
    assert [one.time or NOW for one in records] == pytest.approx([one["t"] for one in resolved], abs=1e-3)
    assert [one.value for one in records] == pytest.approx([one["v"] for one in resolved])


@pytest.mark.parametrize("pack", [*PACKS, "ex13"])
def test_every_example_of_the_standard_is_accounted_for_without_a_reject(pack: str) -> None:
    body = needed(SHARED / "senml" / f"{pack}.json").read_bytes()
    received = datetime.fromtimestamp(NOW, UTC)
    judged = Judge(feed("senml")).judge([Payload(1, received, pack, body)])
    assert balanced(judged)
    assert len(judged.rejects) == 0
    assert len(judged.accepted) > 0


def test_a_position_is_the_place_of_the_values_of_its_time() -> None:
    body = needed(SHARED / "senml" / "ex5.json").read_bytes()
    rows = Judge(feed("senml")).judge([payload(body)]).accepted.to_pylist()
    assert [(row["observed_property"], row["longitude"], row["latitude"]) for row in rows] == [
        ("relative_humidity", 24.30621, 60.07965),
        ("relative_humidity", 24.30622, 60.07965),
        ("relative_humidity", 24.30623, 60.07966),
        ("battery_level", 24.30628, 60.07967),
        ("relative_humidity", 24.30628, 60.07967),
    ]


def test_times_before_the_arrival_are_counted_from_it_and_impossible_ones_are_refused() -> None:
    pack = [{"n": "a/x", "v": 1, "t": -60}, {"n": "a/x", "v": 2, "t": 3600}, {"n": "a/x", "v": 3, "t": -1e300}]
    judged = Judge(feed("senml")).judge([payload(json.dumps(pack))])
    assert [(RECEIVED - row["phenomenon_time"]).total_seconds() for row in judged.accepted.to_pylist()] == [60]
    assert judged.rejects.column("reason").to_pylist() == [
        "phenomenon_time: 2026-11-21T13:00:00Z lies 1 hour ahead",
        "phenomenon_time: -1e+300 seconds from its arrival is not a time",
    ]


def test_an_expression_tells_thing_and_property_of_a_name() -> None:
    names = r"^(?P<thing>.+)-(?P<observed_property>\w+)$"
    (row,) = Judge(feed("senml", {"names": names})).judge([payload('[{"n": "haus-3-strom", "v": 5}]')]).accepted.to_pylist()
    assert (row["thing"], row["observed_property"]) == ("haus-3", "strom")
    with pytest.raises(FeedError, match=r"options\.names: .* has no group"):
        Judge(feed("senml", {"names": "x"}))


def test_base_values_are_added_and_a_record_of_base_values_alone_is_no_row() -> None:
    pack = [{"bn": "haus/", "bv": 100, "bs": 10}, {"n": "a", "v": 1, "s": 5}, {"n": "b", "vs": "on"}]
    judged = Judge(feed("senml")).judge([payload(json.dumps(pack))])
    rows = {row["observed_property"]: row["result"] for row in judged.accepted.to_pylist()}
    assert rows == {"a": 101.0, "a.sum": 15.0, "b": None, "b.sum": 10.0}


def test_an_entity_of_several_types_is_one_of_each() -> None:
    entity = {"id": "urn:ngsi-ld:Device:1", "type": ["Device", "https://example.org/WeatherObserved"], "temperature": 20}
    for types, count in ((["WeatherObserved"], 1), (["Road"], 0)):
        assert len(Judge(feed("ngsi_ld", {"types": types})).judge([payload(json.dumps(entity))]).accepted) == count


def test_the_recorded_push_of_a_station_is_read() -> None:
    body = needed(SHARED / "airquality" / "sensor-community-push.json").read_bytes()
    judged = Judge(feed("sensor_community")).judge([payload(body)])
    found = {(row["sensor"], row["observed_property"]): row["result"] for row in judged.accepted.to_pylist()}
    assert found["SDS", "pm10"] == 27.65
    assert found["BME280", "air_pressure"] == pytest.approx(996.2366)
    assert (len(judged.accepted), judged.dropped, len(judged.rejects)) == (8, 3, 0)


def test_the_metrics_of_a_recorded_station_are_read_by_json_table() -> None:
    body = needed(SHARED / "airquality" / "jena-icesensor.json").read_bytes()
    place = {"longitude": "^^.coords.longitude", "latitude": "^^.coords.latitude"}
    columns = {"thing": "^^.ice_id", **place, "phenomenon_time": "created_at", "observed_property": "@key", "result": "avg"}
    judged = Judge(feed("json_table", {"rows": "[*].data.*", "columns": columns})).judge([payload(body)])
    assert balanced(judged)
    assert len(judged.rejects) == 0
    assert {"temperature", "no2_ugm3", "10p"} <= set(judged.accepted.column("observed_property").to_pylist())


def test_a_recorded_thing_without_observations_is_dropped_and_counted() -> None:
    body = needed(SHARED / "sensorthings" / "hamburg-thing-7648.json").read_bytes()
    judged = Judge(feed("sensorthings")).judge([payload(body)])
    assert (judged.received, judged.dropped) == (1, 1)


def sensorthings(
    body: Any, options: dict[str, Any] | None = None, name: str = "https://example.org/v1.1/Observations"
) -> list[dict[str, Any]]:
    """The accepted rows of an answer."""
    judged = Judge(feed("sensorthings", options)).judge([payload(json.dumps(body), name)])
    assert balanced(judged)
    return list(judged.accepted.to_pylist())


def test_observations_with_their_datastream_and_thing_are_read() -> None:
    thing = {"@iot.id": 1, "name": "Pegel", "Locations": [{"location": {"type": "Point", "coordinates": [9.9, 53.5]}}]}
    stream = {"@iot.id": 2, "name": "W", "unitOfMeasurement": {"symbol": "m"}, "ObservedProperty": {"name": "water_level"}, "Thing": thing}
    (row,) = sensorthings({"value": [{"phenomenonTime": "2026-11-20T10:00:00Z", "result": 1.5, "Datastream": stream}]})
    assert (row["thing"], row["thing_name"], row["result"], row["unit"]) == ("1", "Pegel", 150.0, "cm")
    assert (row["longitude"], row["latitude"]) == (9.9, 53.5)


def test_the_url_tells_the_datastream_of_bare_observations() -> None:
    body = {"value": [{"phenomenonTime": "2026-11-20T10:00:00Z/2026-11-20T10:15:00Z", "result": 3, "parameters": {"lane": 1}}]}
    options = {"values": {"42": {"observed_property": "bicycles"}}, "interval": "end", "parameters": True}
    (row,) = sensorthings(body, options, "https://example.org/v1.1/Datastreams(42)/Observations?$top=100")
    assert (row["thing"], row["observed_property"], row["parameters"]) == ("datastream-42", "bicycles", '{"lane":1}')
    assert row["phenomenon_time"].minute == 15


def test_things_with_datastreams_give_all_their_observations() -> None:
    streams = [{"@iot.id": n, "name": f"s{n}", "Observations": [{"phenomenonTime": "2026-11-20T10:00:00Z", "result": n}]} for n in (1, 2)]
    rows = sensorthings({"value": [{"@iot.id": 9, "name": "Haus", "Datastreams": streams}]}, {"thing_from": "name"})
    assert [(row["thing"], row["observed_property"], row["result"]) for row in rows] == [("haus", "s1", 1.0), ("haus", "s2", 2.0)]


def test_concise_attributes_and_other_values_of_an_entity_are_read() -> None:
    entity = {
        "id": "urn:ngsi-ld:Device:1",
        "type": "Device",
        "temperature": {"value": 20.5, "observedAt": "2026-11-20T10:00:00Z", "unitCode": "CEL"},
        "location": {"type": "Point", "coordinates": [11.6, 50.9]},
        "speed": {"value": {"@type": "x", "@value": 3}, "unitCode": "KMH"},
    }
    options = {"values": {"speed": {"observed_property": "wind_speed"}}, "others": "drop"}
    judged = Judge(feed("ngsi_ld", options)).judge([payload(json.dumps(entity))])
    (row,) = judged.accepted.to_pylist()
    assert (row["observed_property"], row["result"], row["longitude"], judged.dropped) == ("wind_speed", pytest.approx(3 / 3.6), 11.6, 1)


@pytest.mark.parametrize("table", [CEFACT, SENML, SYMBOLS], ids=["cefact", "senml", "symbols"])
def test_every_foreign_unit_leads_to_one_that_the_hub_knows(table: dict[str, str]) -> None:
    assert set(table.values()) <= set(UNITS)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("°C",), "Cel"),
        (("µg/m³",), "ug/m3"),
        (("μg/m³",), "ug/m3"),
        ((None, "http://qudt.org/vocab/unit/DEG_C"), "Cel"),
        (("", "ucum:hPa"), "hPa"),
        ((None, None, "Anzahl"), "{count}"),
        (("%RH",), "%"),
        (("smoot", None), "smoot"),
        ((None, None), None),
    ],
)
def test_units_in_words_are_understood_or_kept_to_be_refused(words: tuple[str | None, ...], code: str | None) -> None:
    assert from_words(*words) == code


@given(junk=JUNK)
@settings(max_examples=200, deadline=None)
def test_any_json_is_accounted_for_by_every_decoder(junk: Any) -> None:
    body = json.dumps(junk)
    for decoder in ("senml", "sensor_community", "sensorthings", "ngsi_ld", "ttn"):
        judged = Judge(feed(decoder, {"codec": "cayenne-lpp"} if decoder == "ttn" else {})).judge([payload(body)])
        assert balanced(judged)


@pytest.mark.parametrize("decoder", ["senml", "sensor_community", "sensorthings", "ngsi_ld", "ttn", "chirpstack"])
@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe{", b"[" * 5000, b'{"value":' * 900 + b"1" + b"}" * 900, b'{"a": {"value": ' * 400, b"5", b"NaN"]
)
def test_broken_or_deep_payloads_are_rejects_not_crashes(decoder: str, body: bytes) -> None:
    assert balanced(Judge(feed(decoder)).judge([payload(body)]))
