"""Rows: filters, order, pages, columns, hidden columns."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stadthub_lake.lake import Lake
from stadthub_schemas.errors import NotFound, QueryError
from stadthub_schemas.query import And, Comparison, Filter, Not, Operator, Or, RowsQuery, Sort, Value

from .conftest import START, Shelf, air_entities, air_observations, car_parks, timeseries


def c(column: str, operator: str, *values: Value) -> Comparison:
    return Comparison(column, Operator(operator), values)


def test_the_newest_rows_come_first_and_carry_the_words_of_their_entities(lake: Lake) -> None:
    rows = lake.rows(RowsQuery("air", limit=2)).table.to_pylist()
    assert [row["phenomenon_time"] for row in rows] == [START + timedelta(hours=119)] * 2
    assert rows[0]["datastream"] == "station-0:air_temperature"
    assert rows[0]["thing_name"] == "Straße 0"
    assert rows[0]["unit"] == "Cel"
    assert rows[0]["longitude"] == 7.6


def test_json_is_what_the_table_says(lake: Lake) -> None:
    query = RowsQuery("air", limit=300, sort=(Sort("result", descending=True),))
    body, cursor = lake.json(query)
    page = lake.rows(query)
    rows = json.loads(body)
    assert cursor == page.cursor
    assert len(rows) == 300
    for said, row in zip(rows, page.table.to_pylist(), strict=True):
        assert said["phenomenon_time"] == row["phenomenon_time"].strftime("%Y-%m-%dT%H:%M:%SZ")
        assert said["received_time"].endswith(":01.5Z")
        assert said["parameters"] == (json.loads(row["parameters"]) if row["parameters"] else None)
        assert {said[name] == row[name] for name in ("result", "thing", "thing_name", "quality")} == {True}


def test_a_number_that_json_does_not_know_is_null(tmp_path: Path) -> None:
    rows = [{**row, "result": float(text)} for row, text in zip(air_observations(), ("nan", "inf", "-inf"), strict=False)]
    shelf = Shelf()
    shelf.put(timeseries(tmp_path, "odd", rows, air_entities()))
    lake = Lake(shelf)
    assert [row["result"] for row in json.loads(lake.json(RowsQuery("odd"))[0])] == [None, None, None]
    assert b"nan" not in b"".join(lake.export(RowsQuery("odd"), "csv")).lower()
    lake.close()


def test_json_of_features_holds_geojson(lake: Lake) -> None:
    rows = json.loads(lake.json(RowsQuery("districts"))[0])
    assert rows[0]["geometry"]["type"] == "Polygon"
    assert rows[3]["geometry"] is None
    assert rows[0]["name"] == 'Bezirk "0"'


@pytest.mark.parametrize(
    ("where", "number"),
    [
        (c("thing", "eq", "station-1"), 240),
        (c("thing_name", "eq", "Straße 1"), 240),
        (c("thing_name", "is_null", True), 240),
        (c("thing_name", "ne", "Straße 1"), 240),
        (Not(c("thing_name", "eq", "Straße 1")), 480),
        (c("thing_name", "contains", "aße"), 480),
        (c("thing", "starts_with", "stat"), 720),
        (c("geometry", "bbox", 7.55, 51, 7.65, 52), 240),
        (c("geometry", "bbox", 170, 51, 7.65, 52), 240),
        (Or((c("thing", "eq", "station-0"), c("result_text", "eq", "kaputt"))), 240 + 8),
        (And((c("unit", "eq", "Cel"), c("result", "gt", "22.05"), c("quality", "eq", "checked"))), 15),
        (c("phenomenon_time", "ge", "2026-03-05T22:00:00"), 12),
        (c("phenomenon_time", "ge", "2026-03-05T23:00:00+01:00"), 12),
        (c("phenomenon_time", "lt", "2026-03-01T01:00:00Z"), 6),
        (c("phenomenon_time", "eq", "2026-03-02"), 6),
        (c("datastream", "in", "station-0:pm10", "station-1:pm10", "nothing"), 240),
        (c("datastream", "in"), 0),
        (c("thing", "eq", "nothing"), 0),
        (And(()), 720),
        (Or(()), 0),
        (c("result", "eq", None), 12),
        (c("parameters", "is_null", "false"), 240),
    ],
)
def test_a_filter_finds_its_rows(lake: Lake, where: Filter, number: int) -> None:
    assert lake.count(RowsQuery("air", where)) == number
    assert lake.rows(RowsQuery("air", where, limit=None)).table.num_rows == number


def test_a_box_finds_features_that_touch_it(lake: Lake) -> None:
    found = lake.rows(RowsQuery("districts", c("geometry", "bbox", 7.65, 51.95, 7.75, 51.96))).table
    assert found.column("id").to_pylist() == ["d0", "d1"]


@pytest.mark.parametrize(
    ("where", "sentence"),
    [
        (c("result", "ge", "abc"), "result__ge: 'abc' is not a number"),
        (c("result", "ge", "nan"), "result__ge: 'nan' is not a number"),
        (c("phenomenon_time", "lt", "gestern"), "phenomenon_time__lt: 'gestern' is not a time: write 2026-05-31T12:00:00Z"),
        (c("resut", "eq", 1), "air has no column 'resut'"),
        (c("result", "contains", "1"), "result__contains: only text has parts"),
        (c("parameters", "eq", "1"), "parameters__eq: a column of type json can only be asked is_null"),
        (c("result", "lt", None), "result__lt: null can't be compared"),
        (c("result", "eq", 1, 2), "result__eq: one value is needed, not 2"),
        (c("geometry", "bbox", 1, 2, 3), "bbox: four numbers are needed"),
        (c("geometry", "bbox", 1, 52, 3, 51), "south is not above north"),
        (c("result", "is_null", "vielleicht"), "neither true nor false"),
        (c("thing", "eq", "a\0b"), "text can't hold a NUL"),
        (c("thing", "eq", "\ud800"), "is not valid Unicode"),
    ],
)
def test_a_wrong_filter_is_one_sentence_that_names_the_place(lake: Lake, where: Filter, sentence: str) -> None:
    with pytest.raises(QueryError) as error:
        lake.rows(RowsQuery("air", where))
    assert sentence in str(error.value)
    assert "SELECT" not in str(error.value)


def test_a_filter_that_is_too_deep_or_too_large_is_refused(lake: Lake) -> None:
    deep: Filter = c("result", "gt", 1)
    for _ in range(100):
        deep = Not(deep)
    with pytest.raises(QueryError, match="nested deeper"):
        lake.rows(RowsQuery("air", deep))
    with pytest.raises(QueryError, match="more than"):
        lake.rows(RowsQuery("air", Or((c("result", "gt", 1),) * 600)))


@pytest.mark.parametrize(
    "query",
    [
        RowsQuery("air"),
        RowsQuery("air", sort=(Sort("phenomenon_time"),)),
        RowsQuery("air", sort=(Sort("result", descending=True),)),
        RowsQuery("air", sort=(Sort("result"), Sort("quality"))),
        RowsQuery("air", sort=(Sort("quality", descending=True), Sort("thing_name"))),
        RowsQuery("air", sort=(Sort("longitude"),), where=c("result", "gt", 5)),
        RowsQuery("air", where=c("thing", "eq", "station-2"), columns=("result",)),
        RowsQuery("districts", sort=(Sort("people", descending=True),)),
        RowsQuery("districts", columns=("name",)),
        RowsQuery("car-parks"),
        RowsQuery("car-parks", sort=(Sort("open"), Sort("free"))),
    ],
)
@pytest.mark.parametrize("limit", [1, 60])
def test_pages_together_are_the_whole(lake: Lake, query: RowsQuery, limit: int) -> None:
    if limit == 1 and query.dataset == "air":
        query = RowsQuery("air", And((query.where, c("phenomenon_time", "lt", "2026-03-01T06:00:00Z"))), query.columns, query.sort)
    whole = lake.rows(RowsQuery(query.dataset, query.where, query.columns, query.sort, limit=None)).table.to_pylist()
    found, cursor = [], None
    for _ in range(1000):
        page = lake.rows(RowsQuery(query.dataset, query.where, query.columns, query.sort, limit=limit, cursor=cursor))
        found += page.table.to_pylist()
        cursor = page.cursor
        if cursor is None:
            break
    assert found == whole


def test_missing_values_come_last_in_both_directions(lake: Lake) -> None:
    for descending in (False, True):
        rows = lake.rows(RowsQuery("districts", sort=(Sort("people", descending=descending),))).table
        assert rows.column("id").to_pylist()[-1] == "d3"


def test_a_page_does_not_shift_when_rows_are_committed_between_two_pages(tmp_path: Path) -> None:
    shelf = Shelf()
    rows = air_observations()
    shelf.put(timeseries(tmp_path, "air", rows, air_entities()))
    lake = Lake(shelf)
    first = lake.rows(RowsQuery("air", limit=50))
    newer = [{**row, "phenomenon_time": START + timedelta(days=30, hours=n)} for n, row in enumerate(rows[:40])]
    shelf.put(timeseries(tmp_path, "air", rows + newer, air_entities()))
    second = lake.rows(RowsQuery("air", limit=50, cursor=first.cursor))
    assert (
        first.table.to_pylist() + second.table.to_pylist()
        == lake.rows(RowsQuery("air", c("phenomenon_time", "lt", "2026-03-20"), limit=100)).table.to_pylist()
    )
    lake.close()


def test_the_pages_of_a_table_stay_in_the_version_where_they_began(tmp_path: Path) -> None:
    shelf = Shelf()
    shelf.put(car_parks(tmp_path))
    lake = Lake(shelf)
    first = lake.rows(RowsQuery("car-parks", limit=5))
    shelf.put(car_parks(tmp_path, version=2, number=3))
    second = lake.rows(RowsQuery("car-parks", limit=50, cursor=first.cursor))
    assert [row["name"] for row in second.table.to_pylist()] == ["P5", "P6", "P7", "P8", "P9", "Q0", "Q1"]
    lake.close()


@pytest.mark.parametrize(
    "query",
    [
        RowsQuery("air", columns=("thing_name",)),
        RowsQuery("air", sort=(Sort("thing_name"),)),
        RowsQuery("air", c("thing_name", "eq", "Straße 1")),
        RowsQuery("air", Not(Or((c("thing_name", "is_null", True),)))),
    ],
)
def test_a_hidden_column_is_as_if_it_did_not_exist(lake: Lake, query: RowsQuery) -> None:
    hidden = RowsQuery(query.dataset, query.where, query.columns, query.sort, hidden=frozenset({"thing_name"}))
    absent = RowsQuery("air", c("no_such", "eq", 1), hidden=frozenset({"thing_name"}))
    with pytest.raises(QueryError, match="air has no column 'thing_name'"):
        lake.rows(hidden)
    with pytest.raises(QueryError) as error:
        lake.rows(absent)
    assert "thing_name" not in str(error.value)
    assert lake.rows(query).table.num_rows >= 0


def test_hidden_places_can_not_be_found_by_a_box(lake: Lake) -> None:
    for dataset, column in (("air", "longitude"), ("districts", "geometry")):
        with pytest.raises(QueryError, match="no place"):
            lake.rows(RowsQuery(dataset, c("geometry", "bbox", 0, 0, 1, 1), hidden=frozenset({column})))


def test_hidden_datastream_still_lets_a_thing_be_filtered(lake: Lake) -> None:
    rows = lake.rows(RowsQuery("air", c("thing", "eq", "station-1"), hidden=frozenset({"datastream"}), limit=None)).table
    assert rows.num_rows == 240
    assert "datastream" not in rows.column_names


def test_columns_come_in_the_order_asked_for(lake: Lake) -> None:
    assert lake.rows(RowsQuery("air", columns=("unit", "result", "unit"))).table.column_names == ["unit", "result"]


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_refused(lake: Lake, limit: int) -> None:
    with pytest.raises(QueryError, match="limit"):
        lake.rows(RowsQuery("air", limit=limit))


@pytest.mark.parametrize("dataset", ["silent", "no-features"])
def test_a_dataset_without_rows_answers_no_rows(lake: Lake, dataset: str) -> None:
    assert lake.rows(RowsQuery(dataset)).table.num_rows == 0
    assert lake.json(RowsQuery(dataset)) == (b"[]", None)
    assert lake.count(RowsQuery(dataset)) == 0
    assert lake.extent(dataset).rows == 0


def test_an_unknown_dataset_is_not_found(lake: Lake) -> None:
    with pytest.raises(NotFound):
        lake.rows(RowsQuery("nothing"))


def test_a_question_that_takes_too_long_is_stopped_and_says_so(city: Shelf) -> None:
    much = Shelf()
    air = city.snapshot("air")
    assert air.tail is not None
    much.put(replace(air, tail=air.tail.take([0] * 2_000_000)))
    hasty = Lake(much, seconds=0.05)
    with pytest.raises(QueryError, match=r"took longer than 0\.05 s"):
        hasty.json(RowsQuery("air", limit=None))
    hasty.close()


def test_extent_and_things_are_taken_from_the_data(lake: Lake) -> None:
    extent = lake.extent("air")
    assert (extent.rows, extent.datastreams, extent.things) == (720, 6, 3)
    assert (extent.first_time, extent.last_time) == ("2026-03-01T00:00:00Z", "2026-03-05T23:00:00Z")
    assert extent.bbox == (7.6, 51.9, 7.6 + 1 / 10, 51.9)
    box = lake.extent("districts").bbox
    assert box is not None
    assert [round(edge, 6) for edge in box] == [7.6, 51.9, 7.9, 52.0]
    things = lake.things("air").to_pylist()
    assert [thing["thing"] for thing in things] == ["station-0", "station-1", "station-2"]
    assert things[0]["observed_properties"] == ["air_temperature", "pm10"]
    with pytest.raises(QueryError, match="not a timeseries"):
        lake.things("districts")


def test_as_of_reads_what_was(tmp_path: Path) -> None:
    shelf = Shelf()
    shelf.put(car_parks(tmp_path))
    shelf.put(car_parks(tmp_path, version=2, number=3))
    lake = Lake(shelf)
    assert lake.count(RowsQuery("car-parks")) == 5
    assert lake.count(RowsQuery("car-parks", as_of=datetime(2026, 3, 2, 12, tzinfo=UTC))) == 12
    lake.close()
