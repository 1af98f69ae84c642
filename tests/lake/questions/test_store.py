"""What the store wrote is what the lake answers: tail, committed rows, features with versions."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
import shapely

from stadthub_lake.lake import Lake
from stadthub_lake.snapshot import Reader
from stadthub_lake.store import Progress, Store
from stadthub_schemas.counts import Counts
from stadthub_schemas.dataset import Contact, Dataset, Kind, Metadata, Publisher
from stadthub_schemas.query import AggregateQuery, Comparison, Measure, Metric, Operator, RowsQuery
from stadthub_schemas.rows import FEATURES_IN, OBSERVATIONS_IN

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def dataset(name: str, kind: Kind) -> Dataset:
    return Dataset(
        name=name,
        kind=kind,
        metadata=Metadata(
            title="Titel",
            description="Text",
            license="cc0-1.0",
            publisher=Publisher(name="stadt", title="Stadt"),
            contact=Contact(name="Amt"),
            themes=("ENVI",),
        ),
    )


def observations(first: int, number: int) -> pa.Table:
    rows = [
        {
            "thing": "t1",
            "observed_property": "pm10",
            "phenomenon_time": NOON + timedelta(minutes=n),
            "result": float(n),
            "unit": "ug/m3",
            "thing_name": "Markt",
            "longitude": 7.6,
            "latitude": 51.9,
            "received_time": NOON,
        }
        for n in range(first, first + number)
    ]
    return pa.Table.from_pylist(rows, OBSERVATIONS_IN)


def test_rows_are_answered_before_and_after_their_commit_and_never_twice(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "lake"), tmp_path)
    store.ensure(dataset("air", Kind.TIMESERIES))
    lake = Lake(Reader(str(tmp_path / "lake"), tmp_path))
    store.append("air", "feed", 1, observations(0, 10))
    fresh = lake.rows(RowsQuery("air", Comparison("thing_name", Operator.EQ, ("Markt",)))).table
    store.commit("air", {"feed": Progress(1, Counts(10, 10))})
    store.append("air", "feed", 2, observations(5, 10))
    both = lake.rows(RowsQuery("air", columns=("result",))).table
    assert fresh.num_rows == 10
    assert both.column("result").to_pylist() == [float(n) for n in reversed(range(15))]
    assert lake.count(RowsQuery("air")) == 15
    assert lake.extent("air").last_time == "2026-05-01T12:14:00Z"
    table = lake.aggregate(AggregateQuery("air", (Measure(Metric.SUM, "result"),), group_by=("thing_name",), bucket="PT1H"))
    assert table.to_pylist() == [{"bucket": NOON, "thing_name": "Markt", "sum_result": 105.0}]
    assert lake.sql("SELECT sum(result) AS total FROM air", ["air"], {}).to_pylist() == [{"total": 105.0}]
    lake.close()
    store.close()


def test_features_of_the_store_have_their_shape_in_every_format(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "lake"), tmp_path)
    store.ensure(dataset("trees", Kind.FEATURES))
    rows = [
        {"id": f"b{n}", "geometry": shapely.to_wkb(shapely.Point(7.6 + n, 51.9)), "properties": f'{{"height": {n}.5}}'} for n in range(3)
    ]
    store.replace("trees", "feed", pa.Table.from_pylist(rows, FEATURES_IN), Progress(1, Counts(3, 3)))
    lake = Lake(Reader(str(tmp_path / "lake"), tmp_path))
    found = lake.rows(RowsQuery("trees", Comparison("geometry", Operator.BBOX, (8, 51, 9, 52)), hidden=frozenset())).table.to_pylist()
    assert [(row["id"], row["height"]) for row in found] == [("b1", 1.5)]
    assert b'"coordinates":[7.6,51.9]' in lake.json(RowsQuery("trees"))[0]
    assert b'"height":2.5' in b"".join(lake.export(RowsQuery("trees", limit=None), "geojson"))
    assert b"POINT (7.6 51.9)" in b"".join(lake.export(RowsQuery("trees", limit=None), "csv"))
    assert b"geo" in b"".join(lake.export(RowsQuery("trees", limit=None), "parquet"))
    assert lake.extent("trees").bbox == pytest.approx((7.6, 51.9, 9.6, 51.9))
    assert lake.sql("SELECT max(ST_X(geometry)) AS x FROM trees", ["trees"], {}).to_pylist() == [{"x": 9.6}]
    lake.close()
    store.close()
