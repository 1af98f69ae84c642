"""The judge refuses what can't be true, says why in one sentence, and accounts for every row whatever comes."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stadthub_ingest.judge import Judge
from stadthub_ingest.judged import Judged
from stadthub_schemas.errors import FeedError
from stadthub_schemas.rows import EXCERPT, FEATURES_IN, OBSERVATIONS_IN, REJECTS
from tests.ingest.feeds import RECEIVED, balanced, feed, payload

#: Every field as it stands in the object: so a test can hand any row to the judge.
AS_IT_IS = {
    "columns": {
        name: name
        for name in (
            "thing",
            "thing_name",
            "observed_property",
            "phenomenon_time",
            "result",
            "unit",
            "quality",
            "sensor",
            "longitude",
            "latitude",
        )
    },
    "parameters": {"more": "parameters"},
}
GOOD = {"thing": "one", "observed_property": "air_temperature", "phenomenon_time": "2026-11-21T11:00:00Z", "result": 20.5}


def judge_row(changes: dict[str, Any], **rules: Any) -> Judged:
    """The judgement of a good row with these changes."""
    return Judge(feed("json_table", AS_IT_IS, rules=rules)).judge([payload(json.dumps({**GOOD, **changes}))])


REASONS: list[tuple[dict[str, Any], str]] = [
    ({"result": "abc"}, "result: 'abc' is not a number"),
    ({"result": 99}, "result: 99 Cel is outside -60..60 (air_temperature)"),
    ({"result": 10, "unit": "K"}, "result: 10 K is outside -60..60 Cel (air_temperature)"),
    ({"result": 10, "unit": "furlong"}, "unit: 'furlong' is not a UCUM code that the hub knows"),
    ({"result": 10, "unit": "hPa"}, "unit: 'hPa' measures pressure, 'Cel' measures temperature: they can't be converted"),
    ({"result": [1]}, "result: '[1]' is not a number"),
    ({"phenomenon_time": "2031-11-21T12:00:01Z"}, "phenomenon_time: 2031-11-21T12:00:01Z lies 4 years ahead"),
    ({"phenomenon_time": "2026-11-21T12:20:00Z"}, "phenomenon_time: 2026-11-21T12:20:00Z lies 20 minutes ahead"),
    ({"phenomenon_time": "1850-01-01T00:00:00Z"}, "phenomenon_time: 1850-01-01T00:00:00Z lies 176 years back, before 1900-01-01T00:00:00Z"),
    ({"phenomenon_time": None}, "phenomenon_time: missing"),
    ({"phenomenon_time": "2026-11-21 11:00"}, "phenomenon_time: '2026-11-21 11:00' has no offset: set options.times.time_zone"),
    ({"phenomenon_time": True}, "phenomenon_time: 'True' is not a time"),
    ({"thing": None}, "thing: missing"),
    ({"thing": {"a": 1}}, "thing: \"{'a': 1}\" is not a name"),
    ({"observed_property": None}, "observed_property: missing"),
    ({"observed_property": 5}, "observed_property: '5' is not a name"),
    ({"longitude": 181, "latitude": 50}, "longitude: 181 is outside -180..180"),
    ({"longitude": 7.5}, "latitude: missing, while the other coordinate is given"),
    ({"longitude": "Ost", "latitude": 50}, "longitude: 'Ost' is not a number"),
]


@pytest.mark.parametrize(("changes", "reason"), REASONS, ids=[reason for _, reason in REASONS])
def test_a_bad_row_is_a_reject_with_its_reason(changes: dict[str, Any], reason: str) -> None:
    judged = judge_row(changes)
    assert judged.rejects.column("reason").to_pylist() == [reason]
    assert (judged.received, len(judged.accepted), judged.dropped) == (1, 0, 0)


ACCEPTED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"thing": "one", "thing_name": None, "result": 20.5, "unit": "Cel", "received_time": RECEIVED}),
    ({"result": " 20.50 "}, {"result": 20.5, "result_text": None}),
    ({"result": True, "observed_property": "door"}, {"result": 1.0, "unit": None}),
    ({"result": "offen", "observed_property": "door"}, {"result": None, "result_text": "offen"}),
    ({"result": "geschlossen", "observed_property": "parking_state"}, {"result_text": "geschlossen"}),
    ({"result": 293.15, "unit": "K"}, {"result": 20.0, "unit": "Cel"}),
    ({"result": 101325, "unit": "Pa", "observed_property": "air_pressure"}, {"result": 1013.25, "unit": "hPa"}),
    ({"thing": "Gänsestraße 5/b"}, {"thing": "gaensestrasse-5-b", "thing_name": "Gänsestraße 5/b"}),
    ({"thing": "007"}, {"thing": "007", "thing_name": None}),
    ({"thing": 7.0, "thing_name": "Sieben"}, {"thing": "7", "thing_name": "Sieben"}),
    ({"observed_property": "Bodenfeuchte (%)"}, {"observed_property": "bodenfeuchte"}),
    ({"longitude": "7.6", "latitude": 51}, {"longitude": 7.6, "latitude": 51.0}),
    ({"parameters": {"b": 1, "a": [None]}}, {"parameters": '{"more":{"a":[null],"b":1}}'}),
    ({"phenomenon_time": RECEIVED.timestamp()}, {"phenomenon_time": RECEIVED}),
    ({"phenomenon_time": RECEIVED.timestamp() * 1000}, {"phenomenon_time": RECEIVED}),
    ({"quality": 3}, {"quality": "3"}),
]


@pytest.mark.parametrize(("changes", "expected"), ACCEPTED, ids=[str(changes) for changes, _ in ACCEPTED])
def test_a_good_row_is_accepted_in_the_hubs_own_words(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    judged = judge_row(changes)
    assert judged.rejects.to_pylist() == []
    (row,) = judged.accepted.to_pylist()
    assert {name: row[name] for name in expected} == expected
    assert judged.accepted.schema == OBSERVATIONS_IN


def test_the_feeds_own_rules_come_before_the_table_of_properties() -> None:
    assert judge_row({"result": 70}, ranges={"air_temperature": [0, 80]}).accepted.num_rows == 1
    assert judge_row({"result": 20, "unit": "Cel"}, units={"air_temperature": "K"}).accepted.column("result").to_pylist() == [293.15]
    assert judge_row({"result": 10, "observed_property": "spores"}, ranges={"spores": [0, 5]}).rejects.num_rows == 1
    assert judge_row({"phenomenon_time": "2026-11-20T00:00:00Z"}, oldest="PT1H").rejects.num_rows == 1
    assert judge_row({"phenomenon_time": "2026-11-21T13:00:00Z"}, future="PT2H").accepted.num_rows == 1


def test_names_that_are_equal_numbers_are_refused_each_in_its_own_spelling() -> None:
    judge = Judge(feed("json_table", AS_IT_IS))
    names = ("1", "1.0", "true")
    rejects = judge.judge([payload(json.dumps(GOOD).replace('"air_temperature"', name)) for name in names]).rejects
    assert rejects.column("reason").to_pylist() == [f"observed_property: {name!r} is not a name" for name in ("1", "1.0", "True")]


def test_wrong_rules_are_a_feed_error_that_tells_every_mistake() -> None:
    with pytest.raises(FeedError) as caught:
        judge_row({}, units={"air_temperature": "hPa", "spores": "bushel"}, ranges={"ozone": [5, 1]})
    message = str(caught.value)
    assert "rules.units.air_temperature: unit 'hPa' measures pressure" in message
    assert "rules.units.spores: unit 'bushel' is not a UCUM code" in message
    assert "rules.ranges.ozone: 5.0 is above 1.0" in message


def test_a_broken_payload_is_a_reject_not_a_crash() -> None:
    judged = Judge(feed("json_table", AS_IT_IS)).judge([payload(b"\xff\xfe{"), payload(json.dumps(GOOD), position=8)])
    assert (judged.received, len(judged.accepted)) == (2, 1)
    assert judged.rejects.select(["position", "row"]).to_pylist() == [{"position": 7, "row": 0}]


def test_an_excerpt_shows_how_the_row_looked_and_is_cut_short() -> None:
    judged = judge_row({"result": "x" * 5000})
    assert judged.rejects.schema == REJECTS
    assert judged.rejects.column("excerpt")[0].as_py().startswith('{"thing":"one"')
    assert len(judged.rejects.column("excerpt")[0].as_py()) == EXCERPT


def test_no_payload_is_no_row() -> None:
    judged = Judge(feed("geojson", kind="features")).judge([])
    assert (judged.received, judged.dropped, judged.accepted.schema) == (0, 0, FEATURES_IN)


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["2026-11-21T11:00:00Z", "air_temperature", "K", "one", "", "-", 1e300, 10**25, 1760000000]),
)
JUNK = st.recursive(
    SCALARS, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)), max_leaves=6
)
ROW = st.fixed_dictionaries(
    {}, optional={name: st.one_of(SCALARS, JUNK) for name in (*AS_IT_IS["columns"], "parameters", "id", "geometry", "properties")}
)
COORDINATES = st.recursive(st.one_of(st.floats(-200, 200), SCALARS), lambda inner: st.lists(inner, max_size=4), max_leaves=8)
GEOMETRY = st.one_of(
    JUNK,
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["Point", "LineString", "Polygon", "MultiPolygon", "GeometryCollection", "Kreis"]),
            "coordinates": COORDINATES,
        }
    ),
)
FEATURE = st.one_of(JUNK, st.fixed_dictionaries({"type": st.just("Feature"), "id": SCALARS, "geometry": GEOMETRY, "properties": JUNK}))
UPLINK = st.fixed_dictionaries(
    {"deviceInfo": st.fixed_dictionaries({"devEui": st.text(max_size=4), "tags": JUNK}), "time": SCALARS, "object": JUNK}
)


@given(rows=st.lists(st.one_of(ROW, JUNK), max_size=5), kind=st.sampled_from(["timeseries", "features", "table"]))
@settings(max_examples=150, deadline=None)
def test_any_rows_are_judged_and_accounted_for(rows: list[Any], kind: str) -> None:
    options = AS_IT_IS if kind == "timeseries" else {"columns": {"id": "id", "geometry": "geometry"}} if kind == "features" else {}
    metadata = feed("json_table", options, kind=kind, key=["thing"] if kind == "table" else [])
    judged = Judge(metadata).judge([payload(json.dumps(rows))])
    assert balanced(judged)
    assert judged.accepted.validate(full=True) is None


@given(features=st.lists(FEATURE, max_size=4))
@settings(max_examples=100, deadline=None)
def test_any_features_are_judged_and_accounted_for(features: list[Any]) -> None:
    judged = Judge(feed("geojson", kind="features")).judge([payload(json.dumps({"type": "FeatureCollection", "features": features}))])
    assert balanced(judged)
    assert judged.received == len(features) or judged.rejects.column("row").to_pylist() == [0]


@given(uplink=st.one_of(UPLINK, JUNK))
@settings(max_examples=100, deadline=None)
def test_any_uplink_is_judged_and_accounted_for(uplink: Any) -> None:
    judged = Judge(feed("chirpstack", {"parameters": ["fCnt"]})).judge([payload(json.dumps(uplink))])
    assert balanced(judged)
    assert judged.received > 0


@given(body=st.one_of(st.binary(max_size=60), st.text(max_size=40).map(lambda text: text.encode("utf-16"))))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_judged_and_accounted_for(body: bytes) -> None:
    csv = {"columns": {"thing": "a", "phenomenon_time": "b", "result": "c"}, "constants": {"observed_property": "ozone"}}
    feeds = [
        feed("csv_table", csv),
        feed("csv_table", kind="table"),
        feed("csv_table", {"columns": {"id": "1"}, "header": False}, kind="features"),
        feed("json_table", {**AS_IT_IS, "lines": True}),
        feed("json_table", AS_IT_IS),
        feed("geojson", kind="features"),
        feed("chirpstack"),
    ]
    for one in feeds:
        for bulk in (0, 1_000):
            assert balanced(Judge(one, bulk).judge([payload(body), payload(b"a,b,c\n" + body)]))
