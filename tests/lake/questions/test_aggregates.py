"""Aggregates: the city's hours and days, groups, measures, chart series."""

import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stadthub_lake.buckets import read_bucket, transitions
from stadthub_lake.lake import Lake
from stadthub_schemas.errors import QueryError
from stadthub_schemas.query import AggregateQuery, And, Comparison, Measure, Metric, Operator, RowsQuery

from .conftest import START, Shelf, air_entities, air_observations, timeseries

COUNT = Measure(Metric.COUNT)
AVG = Measure(Metric.AVG, "result")
BERLIN = ZoneInfo("Europe/Berlin")


def half_hours(folder: Path, first: datetime, days: int) -> Lake:
    """One datastream, a value every half hour of real time."""
    rows = [{**air_observations()[0], "phenomenon_time": first + timedelta(minutes=30 * n), "result": float(n)} for n in range(48 * days)]
    shelf = Shelf()
    shelf.put(timeseries(folder, "clock", rows, air_entities()))
    return Lake(shelf)


def counts(lake: Lake, bucket: str, zone: str = "Europe/Berlin") -> dict[datetime, int]:
    table = lake.aggregate(AggregateQuery("clock", (COUNT,), bucket=bucket, time_zone=zone))
    assert table.column_names == ["bucket", "count"]
    return {row["bucket"]: row["count"] for row in table.to_pylist()}


def test_a_day_in_spring_has_23_hours_and_one_in_autumn_25(tmp_path: Path) -> None:
    lake = half_hours(tmp_path, datetime(2026, 3, 27, 23, tzinfo=UTC), 4)
    assert counts(lake, "P1D") == {
        datetime(2026, 3, 27, 23, tzinfo=UTC): 48,
        datetime(2026, 3, 28, 23, tzinfo=UTC): 46,
        datetime(2026, 3, 29, 22, tzinfo=UTC): 48,
        datetime(2026, 3, 30, 22, tzinfo=UTC): 48,
        datetime(2026, 3, 31, 22, tzinfo=UTC): 2,
    }
    lake.close()
    autumn = half_hours(tmp_path, datetime(2026, 10, 23, 22, tzinfo=UTC), 4)
    assert list(counts(autumn, "P1D").values()) == [48, 50, 48, 46]
    autumn.close()


def test_the_two_hours_of_an_autumn_night_stay_two(tmp_path: Path) -> None:
    lake = half_hours(tmp_path, datetime(2026, 10, 24, 22, tzinfo=UTC), 1)
    hours = counts(lake, "PT1H")
    assert [bucket.astimezone(BERLIN).hour for bucket in hours][:5] == [0, 1, 2, 2, 3]
    assert set(hours.values()) == {2}
    assert len(counts(lake, "PT15M")) == 48
    assert list(counts(lake, "PT3H").values())[:2] == [8, 6]
    lake.close()


def test_months_weeks_and_years_are_those_of_the_city(tmp_path: Path) -> None:
    lake = half_hours(tmp_path, datetime(2026, 12, 25, tzinfo=UTC), 10)
    assert list(counts(lake, "P1M")) == [datetime(2026, 11, 30, 23, tzinfo=UTC), datetime(2026, 12, 31, 23, tzinfo=UTC)]
    assert list(counts(lake, "P1Y")) == [datetime(2025, 12, 31, 23, tzinfo=UTC), datetime(2026, 12, 31, 23, tzinfo=UTC)]
    assert [bucket.astimezone(BERLIN).isoweekday() for bucket in counts(lake, "P1W")] == [1, 1, 1]
    assert list(counts(lake, "P1D", "UTC").values()) == [48] * 10
    lake.close()


@given(
    first=st.integers(-300_000_000, 2_000_000_000),
    bucket=st.sampled_from(["PT15M", "PT1H", "PT2H", "PT6H", "P1D", "P1W", "P1M", "P3M", "P1Y"]),
    zone=st.sampled_from(["Europe/Berlin", "UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
)
@settings(max_examples=20, deadline=None)
def test_every_bucket_begins_at_or_before_its_rows_and_rows_of_one_bucket_are_close(
    tmp_path_factory: pytest.TempPathFactory, first: int, bucket: str, zone: str
) -> None:
    start = datetime.fromtimestamp(first, UTC)
    folder = tmp_path_factory.mktemp("zone")
    rows = [{**air_observations()[0], "phenomenon_time": start + timedelta(hours=7 * n)} for n in range(60)]
    shelf = Shelf()
    shelf.put(timeseries(folder, "clock", rows, air_entities()))
    lake = Lake(shelf)
    table = lake.aggregate(
        AggregateQuery(
            "clock",
            (COUNT, Measure(Metric.MIN, "phenomenon_time"), Measure(Metric.MAX, "phenomenon_time")),
            bucket=bucket,
            time_zone=zone,
        )
    )
    lake.close()
    found = table.to_pylist()
    asked = read_bucket(bucket)
    longest = timedelta(days=31 * asked.months) if asked.months else timedelta(seconds=asked.seconds) + timedelta(hours=1)
    assert sum(row["count"] for row in found) == 60
    starts = [row["bucket"] for row in found]
    assert starts == sorted(set(starts))
    for row in found:
        assert row["bucket"] <= row["min_phenomenon_time"]
        assert row["max_phenomenon_time"] - row["bucket"] < longest
        local = row["bucket"].astimezone(ZoneInfo(zone))
        if asked.seconds == 86_400:
            assert (local.hour, local.minute) == (0, 0)
        if asked.months:
            assert local.day == 1


def test_changes_of_the_clock_are_found_to_the_second() -> None:
    found = transitions(BERLIN, datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    assert found == [datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)]


@pytest.mark.parametrize("group", [("thing",), ("observed_property", "quality"), ("datastream",), ("thing_name", "datastream"), ()])
def test_groups_are_as_a_plain_count_says(lake: Lake, group: tuple[str, ...]) -> None:
    rows = lake.rows(RowsQuery("air", limit=None)).table.to_pylist()
    expected = defaultdict(list)
    for row in rows:
        expected[tuple(row[name] for name in group)].append(row["result"])
    measures = (AVG, COUNT, *(Measure(metric, "result") for metric in (Metric.SUM, Metric.MIN, Metric.MAX, Metric.COUNT)))
    found = lake.aggregate(AggregateQuery("air", measures, group_by=group)).to_pylist()
    assert len(found) == len(expected)
    for row in found:
        results = expected[tuple(row[name] for name in group)]
        known = [result for result in results if result is not None]
        assert row["count"] == len(results)
        assert row["count_result"] == len(known)
        assert row["sum_result"] == pytest.approx(sum(known))
        assert row["avg_result"] == pytest.approx(sum(known) / len(known))
        assert (row["min_result"], row["max_result"]) == (min(known), max(known))


def test_measures_of_entities_and_filters_hold_too(lake: Lake) -> None:
    where = Comparison("unit", Operator.EQ, ("Cel",))
    found = lake.aggregate(AggregateQuery("air", (Measure(Metric.MAX, "longitude"), COUNT), where, ("thing",), "P1D")).to_pylist()
    assert [row["count"] for row in found][:2] == [23, 23]
    assert found[0]["max_longitude"] == 7.6
    assert {row["thing"] for row in found} == {"station-0", "station-1", "station-2"}


def test_tables_and_features_are_aggregated_too(lake: Lake) -> None:
    parks = lake.aggregate(AggregateQuery("car-parks", (Measure(Metric.SUM, "free"), COUNT), group_by=("open",))).to_pylist()
    assert parks == [{"open": True, "sum_free": None, "count": 1}, {"open": None, "sum_free": 50.0, "count": 11}]
    people = lake.aggregate(AggregateQuery("districts", (Measure(Metric.AVG, "people"),), bucket="P1D", time_column="since")).to_pylist()
    assert [row["avg_people"] for row in people] == [0.0, 1000.0, 2000.0, None]


@pytest.mark.parametrize("dataset", ["silent"])
def test_nothing_aggregates_to_nothing(lake: Lake, dataset: str) -> None:
    assert lake.aggregate(AggregateQuery(dataset, (COUNT,), bucket="P1D")).num_rows == 0
    assert lake.aggregate(AggregateQuery(dataset, (COUNT,))).to_pylist() == [{"count": 0}]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        (AggregateQuery("air", (), bucket="P1D"), "measures: at least one"),
        (AggregateQuery("air", (COUNT,), bucket="1 day"), "bucket: '1 day' is not a duration"),
        (AggregateQuery("air", (COUNT,), bucket="P0D"), "bucket"),
        (AggregateQuery("air", (COUNT,), bucket="P1D", time_zone="Mond/Nord"), "time_zone: 'Mond/Nord' is not a time zone"),
        (AggregateQuery("air", (COUNT,), bucket="P1D", time_zone="../../etc/passwd"), "is not a time zone"),
        (AggregateQuery("air", (Measure(Metric.AVG, "thing"),)), "there is no avg of thing, it is of type text"),
        (AggregateQuery("air", (Measure(Metric.AVG),)), "avg needs a column"),
        (AggregateQuery("air", (COUNT,), group_by=("no",)), "group_by: air has no column 'no'"),
        (AggregateQuery("air", (COUNT,), group_by=("parameters",)), "can't be grouped by"),
        (AggregateQuery("air", (COUNT,), bucket="P1D", time_column="result"), "is not of type time"),
        (AggregateQuery("air", (COUNT, COUNT)), "a name stands twice"),
        (AggregateQuery("air", (COUNT,), group_by=("thing",), hidden=frozenset({"thing"})), "has no column 'thing'"),
        (AggregateQuery("air", (COUNT,), limit=0), "limit"),
    ],
)
def test_a_wrong_aggregate_is_one_sentence(lake: Lake, query: AggregateQuery, sentence: str) -> None:
    with pytest.raises(QueryError) as error:
        lake.aggregate(query)
    assert sentence in str(error.value)


def test_a_chart_gets_no_more_points_than_it_asks_for(lake: Lake) -> None:
    names = ["station-0:pm10", "station-1:pm10"]
    for points in (2, 10, 50, 2000):
        table = lake.series("air", names, points=points)
        for name in names:
            rows = [row for row in table.to_pylist() if row["datastream"] == name]
            assert 1 <= len(rows) <= points
            assert sum(row["count"] for row in rows) == 118
            assert all(row["min"] <= row["avg"] <= row["max"] for row in rows)
    part = lake.series("air", names, (START, START + timedelta(hours=6)), 100)
    assert part.num_rows == 12
    assert json.dumps(part.column("bucket")[0].as_py().isoformat()) == '"2026-03-01T00:00:00+00:00"'
    with pytest.raises(QueryError):
        lake.series("districts", names)
    with pytest.raises(QueryError):
        lake.series("air", names, hidden=frozenset({"result"}))
    assert lake.series("air", []).num_rows == 0
    assert lake.count(RowsQuery("air", And(()))) == 720
