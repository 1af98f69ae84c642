"""`keep = "named"`: what a feed's options don't name never comes to the disk, and what they name reads as before."""

import json
from typing import Any

import pytest

from stadthub_ingest.judge import Judge
from stadthub_ingest.judged import Payload
from stadthub_ingest.reducing import narrows, reducer
from stadthub_schemas.errors import FeedError
from stadthub_schemas.feed import Feed
from tests.ingest.feeds import RECEIVED, feed

WIDE = {
    "delimiter": ";",
    "skip_rows": 1,
    "skip_footer": 1,
    "columns": {"thing": "Ort", "phenomenon_time": "Zeit"},
    "values": {"PM10": {"observed_property": "pm10", "quality": "Flag"}},
}
TABLE = """Bearbeiterin: Erika Muster
Ort;Zeit;Name;PM10;Flag;Bemerkung
A;2026-01-01T10:00Z;Erika Muster;5;ok;"ruft Max an; 0931 123456"
B;2026-01-01T10:00Z;Erika Muster;6;ok
C;2026-01-01T10:00Z;Max;7;ok;-
gez. Erika Muster
"""
ROWS = {
    "by": "Erika Muster",
    "items": [
        {"id": "a", "t": "2026-01-01T10:00:00Z", "v": {"pm10": 5.25, "who": "Erika"}, "owner": {"name": "Erika Muster"}},
        {"id": "b", "t": "2026-01-01T10:00:00Z", "v": {"pm10": 6}, "note": "Erika"},
    ],
}
PATHS: dict[str, Any] = {
    "rows": "items[*]",
    "columns": {"thing": "id", "phenomenon_time": "t"},
    "values": {"v.pm10": {"observed_property": "pm10"}},
}


def stored(one: Feed, body: bytes) -> bytes:
    """What would be written of it."""
    kept = reducer(one, b"")(body, "x")
    assert kept is not None
    return kept


def judged(one: Feed, body: bytes) -> tuple[list[Any], int]:
    """Accepted rows without their time of arrival, and how many were refused."""
    answer = Judge(one).judge([Payload(1, RECEIVED, "x", body)])
    return answer.accepted.to_pylist(), answer.rejects.num_rows


@pytest.mark.parametrize(
    ("decoder", "options", "body"),
    [("csv_table", WIDE, TABLE.encode()), ("json_table", PATHS, json.dumps(ROWS).encode())],
)
def test_what_is_not_named_is_not_stored_and_the_rest_reads_the_same(decoder: str, options: dict[str, Any], body: bytes) -> None:
    whole, narrow = feed(decoder, options), feed(decoder, {**options, "keep": "named"})
    assert (narrows(whole), narrows(narrow)) == (False, True)
    assert stored(whole, body) == body
    kept = stored(narrow, body)
    assert not any(word in kept for word in (b"Erika", b"Max", b"0931"))
    assert judged(narrow, kept) == judged(whole, body)
    assert stored(narrow, kept) == kept


def test_lines_of_json_are_narrowed_each() -> None:
    one = feed("json_table", {**PATHS, "rows": None, "lines": True, "keep": "named"})
    body = b"\n".join(json.dumps(row).encode() for row in ROWS["items"])
    kept = stored(one, body)
    assert b"Erika" not in kept
    assert len(judged(one, kept)[0]) == 2


def test_amounts_keep_all_their_digits() -> None:
    options = {"properties": {"id": "id", "amount": "amount"}, "decimal_columns": ["amount"], "keep": "named"}
    one = feed("json_table", options, kind="table")
    kept = stored(one, b'[{"id": 1, "amount": 0.1234567891, "who": "Erika"}]')
    assert kept == b'[{"id":1,"amount":0.1234567891}]'


def test_pairs_that_no_value_names_are_not_stored() -> None:
    pairs = {"path": "m[*]", "key": "k", "value": "v"}
    one = feed(
        "json_table",
        {"columns": {"thing": "id"}, "constants": {"phenomenon_time": "received"}, "pairs": pairs, "values": {"p": {"observed_property": "pm10"}}, "keep": "named"},
    )  # fmt: skip
    body = json.dumps({"id": "a", "m": [{"k": "owner", "v": "Erika"}, {"k": "p", "v": 5, "by": "Erika"}]}).encode()
    kept = stored(one, body)
    assert b"Erika" not in kept
    assert [row["result"] for row in judged(one, kept)[0]] == [5.0]


def test_properties_of_features_that_are_not_named_are_not_stored() -> None:
    point = {"type": "Point", "coordinates": [10.0, 50.0]}
    found = {
        "type": "FeatureCollection",
        "by": "Erika",
        "features": [{"type": "Feature", "id": 1, "geometry": point, "properties": {"a": 1, "owner": "Erika"}}],
    }
    one = feed("geojson", {"properties": ["a"], "keep": "named"}, kind="features")
    kept = stored(one, json.dumps(found).encode())
    assert b"Erika" not in kept
    assert [row["properties"] for row in judged(one, kept)[0]] == ['{"a":1}']


@pytest.mark.parametrize(("decoder", "body"), [("csv_table", b""), ("json_table", b'{"name": "Erika"'), ("json_table", b'"Erika"')])
def test_of_what_can_not_be_read_nothing_is_stored(decoder: str, body: bytes) -> None:
    options = {**(WIDE if decoder == "csv_table" else PATHS), "keep": "named"}
    assert b"Erika" not in (reducer(feed(decoder, options), b"")(body, "x") or b"")


@pytest.mark.parametrize("decoder", ["csv_table", "json_table", "geojson"])
def test_without_names_there_is_nothing_to_keep(decoder: str) -> None:
    with pytest.raises(FeedError, match="properties: missing"):
        reducer(feed(decoder, {"keep": "named"}, kind="features"), b"")


def test_a_workbook_can_only_be_stored_whole() -> None:
    with pytest.raises(FeedError, match="a workbook is stored whole"):
        reducer(feed("xlsx_table", {"properties": {"a": "a"}, "keep": "named"}, kind="table"), b"")
