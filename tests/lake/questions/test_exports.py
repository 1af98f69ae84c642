"""Exports: each format is readable by others, complete, and streamed in memory that does not grow."""

import csv
import dataclasses
import io
import json
import pickle
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from stadthub_lake.lake import Lake
from stadthub_schemas.errors import QueryError
from stadthub_schemas.query import And, Comparison, Operator, RowsQuery, Sort

from .conftest import START, air_entities, air_observations, timeseries

ALL = RowsQuery("air", limit=None)
WARM = Comparison("result", Operator.GE, (20,))
SIMPLE = ("air", "silent", "districts", "car-parks", "no-features")


def whole(lake: Lake, query: RowsQuery, name: str) -> bytes:
    return b"".join(lake.export(query, name))


def test_csv_has_a_header_and_every_row(lake: Lake) -> None:
    text = whole(lake, ALL, "csv").decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert text.startswith("phenomenon_time,datastream,thing,thing_name,")
    assert "\r\n" in text
    assert len(rows) == 720
    assert {row["thing_name"] for row in rows} == {"Straße 0", "Straße 1", ""}
    assert rows[0]["phenomenon_time"] == "2026-03-01T00:00:00Z"


@pytest.mark.parametrize("name", ["csv", "json", "geojson", "parquet", "arrow"])
def test_rows_come_as_they_lie_each_time(lake: Lake, name: str) -> None:
    first = whole(lake, ALL, "csv").decode().splitlines()[1:]
    days = [line[1:11] for line in first]
    assert days == sorted(days)
    assert len({whole(lake, ALL, name) for _ in range(12)}) == 1


def test_nothing_lies_beneath_a_missing_value_in_arrow(lake: Lake) -> None:
    results = pa.ipc.open_stream(whole(lake, ALL, "arrow")).read_all().column("result").combine_chunks()
    raw = memoryview(results.buffers()[1]).cast("d")
    assert {raw[place] for place, one in enumerate(results) if not one.is_valid} == {0.0}


def test_csv_keeps_quotes_and_writes_geometry_as_text(lake: Lake) -> None:
    rows = list(csv.DictReader(io.StringIO(whole(lake, RowsQuery("districts", limit=None), "csv").decode(), newline="")))
    assert rows[0]["name"] == 'Bezirk "0"'
    assert rows[0]["geometry"].startswith("POLYGON")
    assert rows[3]["geometry"] == ""


def test_json_is_one_array(lake: Lake) -> None:
    assert len(json.loads(whole(lake, ALL, "json"))) == 720


def test_geojson_of_a_timeseries_has_points_and_of_features_their_shapes(lake: Lake) -> None:
    points = json.loads(whole(lake, RowsQuery("air", limit=None, columns=("thing", "result")), "geojson"))
    assert points["type"] == "FeatureCollection"
    assert len(points["features"]) == 720
    assert points["features"][0]["geometry"] == {"type": "Point", "coordinates": [7.6, 51.9]}
    assert set(points["features"][0]["properties"]) == {"thing", "result"}
    assert [one["geometry"] for one in points["features"] if one["properties"]["thing"] == "station-2"] == [None] * 240
    shapes = json.loads(whole(lake, RowsQuery("districts", limit=None), "geojson"))["features"]
    assert (shapes[0]["id"], shapes[0]["geometry"]["type"], shapes[3]["geometry"]) == ("d0", "Polygon", None)
    assert "geometry" not in shapes[0]["properties"]


def test_geojson_of_hidden_places_has_no_places(lake: Lake) -> None:
    hidden = RowsQuery("air", limit=None, hidden=frozenset({"latitude"}))
    assert {str(one["geometry"]) for one in json.loads(whole(lake, hidden, "geojson"))["features"]} == {"None"}
    assert "latitude" not in whole(lake, hidden, "geojson").decode()


def test_parquet_and_arrow_hold_the_same_typed_rows(lake: Lake) -> None:
    parquet = pq.read_table(io.BytesIO(whole(lake, ALL, "parquet")))
    arrow = pa.ipc.open_stream(whole(lake, ALL, "arrow")).read_all()
    assert parquet.schema.field("phenomenon_time").type == pa.timestamp("us", tz="UTC")
    order = [("datastream", "ascending"), ("phenomenon_time", "ascending")]
    assert parquet.sort_by(order).to_pylist() == arrow.sort_by(order).to_pylist()
    assert parquet.num_rows == 720


def test_parquet_of_features_is_geoparquet(lake: Lake) -> None:
    table = pq.read_table(io.BytesIO(whole(lake, RowsQuery("districts", limit=None), "parquet")))
    geo = json.loads(table.schema.metadata[b"geo"])
    assert geo["columns"][geo["primary_column"]] == {"encoding": "WKB", "geometry_types": []}
    assert table.schema.field("geometry").type == pa.binary()
    assert shapely.from_wkb(table.column("geometry")[0].as_py()).area == pytest.approx(0.01)


@pytest.mark.parametrize("dataset", SIMPLE)
@pytest.mark.parametrize("name", ["csv", "json", "geojson", "parquet", "arrow"])
def test_an_export_without_rows_is_still_valid(lake: Lake, dataset: str, name: str) -> None:
    if (dataset, name) == ("car-parks", "geojson"):
        with pytest.raises(QueryError, match="car-parks has no geometry"):
            lake.export(RowsQuery(dataset), name)
        return
    where = (
        And(()) if dataset == "no-features" else Comparison(("name" if dataset in ("districts", "car-parks") else "thing"), Operator.IN, ())
    )
    body = whole(lake, RowsQuery(dataset, where, limit=None), name)
    if name == "json":
        assert json.loads(body) == []
    if name == "geojson":
        assert json.loads(body) == {"type": "FeatureCollection", "features": []}
    if name == "parquet":
        assert pq.read_table(io.BytesIO(body)).num_rows == 0
    if name == "arrow":
        assert pa.ipc.open_stream(body).read_all().num_rows == 0
    if name == "csv":
        assert len(body.splitlines()) == 1


def test_filter_order_number_and_columns_hold_for_exports_too(lake: Lake) -> None:
    query = RowsQuery("air", WARM, ("result", "thing_name"), (Sort("result", descending=True),), limit=5)
    said = json.loads(whole(lake, query, "json"))
    assert said == lake.rows(query).table.to_pylist()
    assert json.loads(whole(lake, RowsQuery("car-parks"), "json")) == lake.rows(RowsQuery("car-parks")).table.to_pylist()


def test_a_hidden_column_is_in_no_export(lake: Lake) -> None:
    for name in ("csv", "json", "geojson", "parquet", "arrow"):
        body = whole(lake, RowsQuery("air", limit=None, hidden=frozenset({"thing_name"})), name)
        assert b"thing_name" not in body
        assert "Straße".encode() not in body


def test_mistakes_are_told_before_the_first_byte(lake: Lake) -> None:
    for query, name in ((RowsQuery("air", columns=("no",)), "csv"), (RowsQuery("air", sort=(Sort("no"),)), "parquet"), (ALL, "xlsx")):
        with pytest.raises(QueryError):
            lake.export(query, name)


def test_a_reader_who_goes_leaves_nothing_open(lake: Lake) -> None:
    for name in ("csv", "json", "parquet", "arrow"):
        stream = lake.export(ALL, name)
        next(stream)
        stream.close()  # type: ignore[attr-defined]  # exports are generators
    assert lake.count(ALL) == 720


MEASURE = """
import sys
sys.path[:0] = sys.argv[2].split(",")
from tests.lake.questions.conftest import Shelf
import pickle, pathlib
from stadthub_lake.lake import Lake
from stadthub_schemas.query import RowsQuery
shelf = Shelf()
shelf.put(pickle.loads(pathlib.Path(sys.argv[1]).read_bytes()))
lake = Lake(shelf)
def peak():
    # not getrusage: its maximum begins with the memory of the process that started this one
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024
for name, limit in (("csv", None), ("json", None), ("arrow", None), ("parquet", None)):
    size = sum(len(part) for part in lake.export(RowsQuery("big", limit=None, columns=("datastream", "phenomenon_time")), name))
    print(name, size, peak())
"""


def test_memory_stays_flat_over_three_million_rows(tmp_path: Path) -> None:
    """Three million rows, written once and listed as often as needed."""
    rows = [
        {**row, "phenomenon_time": START + timedelta(seconds=number), "parameters": None}
        for number, row in enumerate(air_observations() * 30)
    ]
    snapshot = timeseries(tmp_path, "big", rows, air_entities())
    times = 3_000_000 // len(rows) + 1
    grown = dataclasses.replace(snapshot, files=snapshot.files * times, ranges=snapshot.ranges * times, rows=len(rows) * times)
    (tmp_path / "snapshot").write_bytes(pickle.dumps(grown))
    paths = ",".join(path for path in sys.path if path)
    command = [sys.executable, "-c", MEASURE, str(tmp_path / "snapshot"), f"{Path(__file__).parents[3]},{paths}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == 0, done.stderr
    peaks = {name: (int(size), int(peak)) for name, size, peak in (line.split() for line in done.stdout.splitlines())}
    assert peaks["csv"][0] > 120_000_000
    assert max(peak for _, peak in peaks.values()) < 350, done.stdout
