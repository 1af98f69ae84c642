"""What strangers send on purpose: whatever it is, it becomes rejects with reasons, and the judge goes on with the rest."""

from typing import Any

import pytest

from stadthub_ingest.judge import Judge
from tests.ingest.feeds import BY_COLUMNS, BY_ROWS, balanced, feed, payload

TIME = '"2026-11-21T10:00:00Z"'
ROWS: dict[str, Any] = {
    "rows": "rows[*]",
    "columns": {"thing": "id", "phenomenon_time": "t", "thing_name": "n", "longitude": "x", "latitude": "y"},
    "values": {"v": {"observed_property": "pm10"}},
    "parameters": {"p": "p"},
}
GOOD = f'{{"id":"a","t":{TIME},"v":1}}'
CSV: dict[str, Any] = {"columns": {"thing": "id", "phenomenon_time": "t"}, "values": {"v": {"observed_property": "pm10"}}}


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


@pytest.mark.parametrize("depth", [300, 990, 1020, 5000, 1_000_000])
@pytest.mark.parametrize("member", ["id", "t", "n", "x", "v", "p"])
def test_a_value_nested_deep_is_a_reject_and_the_rows_after_it_are_judged(member: str, depth: int) -> None:
    bad = {"id": '"a"', "t": TIME, "v": "1", "y": "51", member: nested(depth)}
    row = ",".join(f'"{name}":{value}' for name, value in bad.items())
    judge = Judge(feed("json_table", ROWS))
    judged = judge.judge([payload(f'{{"rows":[{{{row}}}]}}'), payload(f'{{"rows":[{GOOD}]}}')])
    assert balanced(judged)
    assert len(judged.accepted) == 1
    assert len(judged.rejects) == 1


@pytest.mark.parametrize("depth", [300, 990, 1020, 5000])
@pytest.mark.parametrize(
    "body",
    [
        '{"type":%s}',
        '{"type":"FeatureCollection","features":[%s]}',
        '{"type":"FeatureCollection","crs":%s,"features":[]}',
        '{"type":"Feature","id":1,"geometry":%s}',
        '{"type":"Feature","id":%s,"geometry":{"type":"Point","coordinates":[7,51]}}',
        '{"type":"Feature","id":1,"geometry":{"type":%s,"coordinates":[7,51]}}',
        '{"type":"Feature","id":1,"geometry":{"type":"Polygon","coordinates":%s}}',
        '{"type":"Feature","id":1,"geometry":{"type":"Point","coordinates":[7,51]},"properties":{"a":%s}}',
    ],
)
def test_geojson_nested_deep_is_a_reject(body: str, depth: int) -> None:
    judged = Judge(feed("geojson", kind="features")).judge([payload(body % nested(depth))])
    assert (balanced(judged), len(judged.accepted), len(judged.rejects)) == (True, 0, 1)


@pytest.mark.parametrize("kind", ["[]", "{}", "1", "null"])
def test_a_geojson_type_that_is_no_text_is_a_reject(kind: str) -> None:
    whole = Judge(feed("geojson", kind="features")).judge([payload(f'{{"type":{kind}}}')])
    inner = Judge(feed("geojson", kind="features")).judge([payload(f'{{"type":"Feature","id":1,"geometry":{{"type":{kind}}}}}')])
    assert (len(whole.rejects), len(inner.rejects)) == (1, 1)


@pytest.mark.parametrize("bulk", [BY_ROWS, BY_COLUMNS])
@pytest.mark.parametrize("time", ["9999-12-31T24:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_beyond_the_calendar_costs_its_own_row_only(time: str, bulk: int) -> None:
    body = f"id,t,v\na,2026-01-01T00:00:00Z,1\na,{time},1\na,2026-01-01T01:00:00Z,1\n"
    judged = Judge(feed("csv_table", CSV), bulk).judge([payload(body)])
    assert (len(judged.accepted), [row["row"] for row in judged.rejects.to_pylist()]) == (2, [2])


def test_an_empty_object_is_a_reject_of_a_table_so_that_the_sum_is_right() -> None:
    judged = Judge(feed("json_table", {"rows": "rows[*]"}, kind="table")).judge([payload('{"rows":[{}]}')])
    assert (balanced(judged), len(judged.rejects)) == (True, 1)
