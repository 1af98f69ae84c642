"""What payloads look like, and new names of columns turned back, for each family of decoders."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from stadthub_ingest.judge import Judge
from stadthub_schemas.errors import FeedError
from tests.ingest.feeds import BY_COLUMNS, BY_ROWS, feed, payload

OBSERVED = {"columns": {"thing": "Station", "phenomenon_time": "Zeit", "result": "Wert"}, "constants": {"observed_property": "pm10"}}
ROW = {"Station": "a", "Zeit": "2026-01-01T00:00:00Z", "Messwert": 7}
SQUARE = {"type": "Point", "coordinates": [8.0, 50.0]}


@pytest.mark.parametrize("bulk", [BY_ROWS, BY_COLUMNS])
def test_a_renamed_column_of_csv_is_read_under_its_old_name(bulk: int) -> None:
    probe = feed("csv_table", {**OBSERVED, "delimiter": ";"}, renames={"Messwert": "Wert"})
    judged = Judge(probe, bulk).judge([payload("Station;Zeit;Messwert\na;2026-01-01T00:00:00Z;7\n")])
    assert judged.accepted["result"].to_pylist() == [7.0]
    again = Judge(probe, bulk).judge([payload("Station;Zeit;Wert\na;2026-01-01T00:00:00Z;8\n")])
    assert again.accepted["result"].to_pylist() == [8.0]


@pytest.mark.parametrize("body", [ROW, [ROW], {"data": [ROW]}], ids=["one", "list", "inside"])
def test_a_renamed_key_of_json_is_read_under_its_old_name_at_any_depth(body: Any) -> None:
    options = {**OBSERVED, **({"rows": "data"} if isinstance(body, dict) and "data" in body else {})}
    judged = Judge(feed("json_table", options, renames={"Messwert": "Wert"})).judge([payload(orjson.dumps(body))])
    assert judged.accepted["result"].to_pylist() == [7.0]


def test_where_the_old_name_stands_too_the_new_one_keeps_its_own() -> None:
    judged = Judge(feed("json_table", OBSERVED, renames={"Messwert": "Wert"})).judge([payload(orjson.dumps({**ROW, "Wert": 3}))])
    assert judged.accepted["result"].to_pylist() == [3.0]


def test_a_renamed_property_of_features_is_kept_under_its_old_name() -> None:
    collection = {"type": "FeatureCollection", "features": [{"type": "Feature", "id": 1, "geometry": SQUARE, "properties": {"größe": 3}}]}
    judged = Judge(feed("geojson", kind="features", renames={"größe": "size"})).judge([payload(orjson.dumps(collection))])
    assert orjson.loads(judged.accepted["properties"][0].as_py()) == {"size": 3}
    assert judged.attributes == {"size"}


def test_a_renamed_column_of_a_workbook_is_read_under_its_old_name() -> None:
    body = (Path(__file__).parents[1] / "connectors" / "xlsx_table-car-parks" / "payload.xlsx").read_bytes()
    options = {"sheet": "Daten", "skip_rows": 1}
    first = Judge(feed("xlsx_table", options, kind="table")).preview(payload(body))[0][0]
    judged = Judge(feed("xlsx_table", options, kind="table", renames={first: "Ganz anders"})).judge([payload(body)])
    assert judged.accepted.column_names[0] == "ganz_anders"


def test_renames_stand_at_the_top_of_the_feed_file() -> None:
    with pytest.raises(FeedError, match=r"options\.renames: it stands at the top"):
        Judge(feed("csv_table", {**OBSERVED, "renames": {}}))


CSV = "Größe;Wert\n1,5;x\n2,5;\n"


@pytest.mark.parametrize(
    ("body", "looks"),
    [
        (CSV.encode(), ("table", "utf-8", ";")),
        (CSV.encode("utf-8-sig"), ("table", "utf-8-sig", ";")),
        (CSV.encode("cp1252"), ("table", "cp1252", ";")),
        (CSV.encode("utf-16"), ("table", "utf-16", ";")),
        (CSV.replace(";", "\t").encode(), ("table", "utf-8", "\t")),
        (b"<!DOCTYPE html><html><body>Wartung</body></html>", ("html", "", "")),
        (b'{"error": 1}', ("json", "", "")),
        (b"", ("empty", "", "")),
    ],
)
def test_the_form_of_a_payload_is_told(body: bytes, looks: tuple[str, str, str]) -> None:
    shape = Judge(feed("csv_table", {"delimiter": ";"}, kind="table")).shape(payload(body))
    assert (shape.form, shape.encoding, shape.delimiter) == looks


def test_columns_are_told_with_the_kinds_of_their_values_and_how_full_they_are() -> None:
    shape = Judge(feed("csv_table", {"delimiter": ";"}, kind="table")).shape(payload(CSV))
    assert {name: (seen.kinds, seen.filled, seen.of) for name, seen in shape.columns.items()} == {
        "Größe": ({"number"}, 2, 2),
        "Wert": ({"text"}, 1, 2),
    }


def test_paths_of_json_are_told_and_keys_that_are_data_are_not_taken_for_columns() -> None:
    stations = {f"station-{n}": {"wert": n, "zeit": "2026-01-01T00:00:00Z"} for n in range(100)}
    shape = Judge(feed("json_table", OBSERVED)).shape(payload(orjson.dumps({"stationen": stations, "liste": [{"a": 1}, {"b": None}]})))
    assert {name: seen.kinds for name, seen in shape.columns.items()} == {
        "stationen.*.wert": {"integer"},
        "stationen.*.zeit": {"text"},
        "liste[*].a": {"integer"},
        "liste[*].b": set(),
    }


@pytest.mark.parametrize("decoder", ["csv_table", "json_table", "xlsx_table", "geojson", "rss", "table_schema"])
@pytest.mark.parametrize(
    "body", [b"", b"\x00" * 100, b"[[[[1]]]]", b'{"a": 7', b"PK\x03\x04", b"\xff" * 50, b"<a><a>", b"\xfe\xff\x00", b"[" * 9999]
)
def test_any_bytes_can_be_looked_at(decoder: str, body: bytes) -> None:
    kind = "features" if decoder == "geojson" else "table"
    looking = Judge(feed(decoder, kind=kind, renames={"a": "b"}))
    assert looking.shape(payload(body)).form
    assert isinstance(looking.preview(payload(body)), tuple)
