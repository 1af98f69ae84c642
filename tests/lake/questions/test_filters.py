"""The filter AST means the same in SQL as in plain Python, over random rows and random filters."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stadthub_lake.lake import Lake
from stadthub_schemas.query import And, Comparison, Filter, Not, Operator, Or, RowsQuery

from .conftest import START, Shelf, timeseries

WORDS = ["", "a", "ab", "Bäume", "'; DROP", "%", None]
NUMBERS = [None, -1.5, 0.0, 0.1, 2.0, 1e300]
DATASTREAMS = ["s0", "s1", "s2", "s3"]
TIMES = [START + timedelta(hours=9 * n) for n in range(8)]

PLAIN: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQ: lambda left, right: left == right,
    Operator.NE: lambda left, right: left != right,
    Operator.LT: lambda left, right: left < right,
    Operator.LE: lambda left, right: left <= right,
    Operator.GT: lambda left, right: left > right,
    Operator.GE: lambda left, right: left >= right,
    Operator.CONTAINS: lambda left, right: right in left,
    Operator.STARTS_WITH: lambda left, right: left.startswith(right),
}
ORDERED = [Operator.EQ, Operator.NE, Operator.LT, Operator.LE, Operator.GT, Operator.GE]


def plain(where: Filter, row: dict[str, Any]) -> bool:
    """Whether a row matches, evaluated without SQL."""
    if isinstance(where, And):
        return all(plain(part, row) for part in where.parts)
    if isinstance(where, Or):
        return any(plain(part, row) for part in where.parts)
    if isinstance(where, Not):
        return not plain(where.part, row)
    if where.operator is Operator.BBOX:
        west, south, east, north = where.values
        return row["longitude"] is not None and west <= row["longitude"] <= east and south <= row["latitude"] <= north
    value = row[where.column]
    if where.operator is Operator.IS_NULL:
        return (value is None) is where.values[0]
    wanted = [datetime.fromisoformat(str(one)) if isinstance(value, datetime) else one for one in where.values]
    if where.operator is Operator.IN:
        return value is not None and value in wanted
    return value is not None and PLAIN[where.operator](value, wanted[0])


def compare(column: str, values: list[Any], operators: list[Operator]) -> st.SearchStrategy[Filter]:
    """A comparison of a column with one of these values, or with several."""
    known = [value.isoformat() if isinstance(value, datetime) else value for value in values if value is not None]
    return st.one_of(
        st.builds(lambda operator, value: Comparison(column, operator, (value,)), st.sampled_from(operators), st.sampled_from(known)),
        st.builds(lambda chosen: Comparison(column, Operator.IN, tuple(chosen)), st.lists(st.sampled_from(known), max_size=3)),
        st.builds(lambda null: Comparison(column, Operator.IS_NULL, (null,)), st.booleans()),
    )


LEAVES = st.one_of(
    compare("result", NUMBERS, ORDERED),
    compare("quality", WORDS, [*ORDERED, Operator.CONTAINS, Operator.STARTS_WITH]),
    compare("thing_name", WORDS, [*ORDERED, Operator.CONTAINS, Operator.STARTS_WITH]),
    compare("datastream", list(DATASTREAMS), ORDERED),
    compare("phenomenon_time", list(TIMES), ORDERED),
    compare("longitude", [7.0, 8.0], ORDERED),
    st.just(Comparison("geometry", Operator.BBOX, (7.5, 50, 8.5, 53))),
)
FILTERS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: And(tuple(parts))),
        st.lists(inner, max_size=3).map(lambda parts: Or(tuple(parts))),
        inner.map(Not),
    ),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def random_lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Every word meets every number; one datastream has neither name nor place."""
    entities: list[dict[str, object]] = [
        {"datastream": name, "thing": f"t{n}", "thing_name": WORDS[n + 2] if n < 3 else None, "observed_property": "p"}
        | ({"longitude": 7.0 + n / 2, "latitude": 52.0} if n < 3 else {})
        for n, name in enumerate(DATASTREAMS)
    ]
    rows: list[dict[str, object]] = [
        {
            "datastream": DATASTREAMS[n % 4],
            "phenomenon_time": TIMES[(n // 4) % 8],
            "result": NUMBERS[(n * 7) % 6],
            "quality": WORDS[(n * 5) % 7],
            "received_time": datetime(2026, 1, 1, tzinfo=UTC),
        }
        for n in range(32)
    ]
    shelf = Shelf()
    folder: Path = tmp_path_factory.mktemp("random")
    shelf.put(timeseries(folder, "random", rows, entities, TIMES[6]))
    return Lake(shelf)


@given(where=FILTERS)
@settings(max_examples=30, deadline=None)
def test_a_filter_finds_the_rows_that_a_plain_evaluation_finds(random_lake: Lake, where: Filter) -> None:
    everything = random_lake.rows(RowsQuery("random", limit=None)).table.to_pylist()
    assert len(everything) == 32
    expected = [row for row in everything if plain(where, row)]
    assert random_lake.rows(RowsQuery("random", where, limit=None)).table.to_pylist() == expected
    assert random_lake.rows(RowsQuery("random", where, limit=40)).table.to_pylist() == expected
    assert random_lake.count(RowsQuery("random", where)) == len(expected)
