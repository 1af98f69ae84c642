"""Cursors: they belong to one question, tell nothing of what they hold, and only the hub that sealed them opens them."""

import base64

import pytest

from stadthub_lake.lake import Lake
from stadthub_schemas.errors import QueryError
from stadthub_schemas.query import Comparison, Operator, RowsQuery

from .conftest import Shelf


@pytest.mark.parametrize("cursor", ["x", "ä", "e30", base64.urlsafe_b64encode(b'{"q":"","k":[],"v":1,"t":"2026-01-01"}').decode()])
def test_a_cursor_that_this_hub_never_gave_is_refused(lake: Lake, cursor: str) -> None:
    with pytest.raises(QueryError, match="cursor: it"):
        lake.rows(RowsQuery("air", cursor=cursor))


def test_a_cursor_tells_nothing_and_is_the_same_for_the_same_page(lake: Lake) -> None:
    hidden = frozenset({"datastream", "thing", "thing_name"})
    query = RowsQuery("air", limit=1, hidden=hidden)
    cursor = lake.rows(query).cursor
    assert cursor is not None
    assert lake.json(query)[1] == cursor
    last = lake.rows(RowsQuery("air", limit=1)).table.column("thing")[0].as_py()
    assert last.encode() not in base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    assert lake.rows(RowsQuery("air", limit=1, hidden=hidden, cursor=cursor)).table.num_rows == 1
    for broken in (cursor[:-4], cursor[:10] + ("A" if cursor[10] != "A" else "B") + cursor[11:]):
        with pytest.raises(QueryError, match="cursor: it is broken"):
            lake.rows(RowsQuery("air", limit=1, hidden=hidden, cursor=broken))


def test_processes_with_one_key_take_one_anothers_cursors(city: Shelf) -> None:
    first, second, stranger = Lake(city, cursor_key=b"k" * 64), Lake(city, cursor_key=b"k" * 64), Lake(city)
    cursor = first.rows(RowsQuery("air", limit=1)).cursor
    assert second.rows(RowsQuery("air", limit=1, cursor=cursor)).table.num_rows == 1
    with pytest.raises(QueryError, match="cursor: it is broken"):
        stranger.rows(RowsQuery("air", limit=1, cursor=cursor))
    for lake in (first, second, stranger):
        lake.close()


def test_a_cursor_belongs_to_filter_and_order(lake: Lake) -> None:
    cursor = lake.rows(RowsQuery("air", limit=1)).cursor
    with pytest.raises(QueryError, match="another question"):
        lake.rows(RowsQuery("air", Comparison("result", Operator.GT, (1,)), cursor=cursor))
