"""Rows by number: they come in the order of the numbers however many files, threads and joined words are behind them."""

from dataclasses import replace
from pathlib import Path

import pytest

from stadthub_lake.lake import OBJECTS, Lake
from stadthub_schemas.query import NumberedQuery, Phrase

from .conftest import Shelf, air_entities, air_observations, timeseries

ROWS = 720


@pytest.fixture
def city(tmp_path: Path) -> Shelf:
    """The air in one file a day."""
    shelf = Shelf()
    shelf.put(replace(timeseries(tmp_path, "air", air_observations(), air_entities()), counts=(ROWS // 5,) * 5))
    return shelf


@pytest.fixture
def lake(city: Shelf) -> Lake:
    """The lake of it."""
    return Lake(city)


def numbers(lake: Lake, query: NumberedQuery) -> list[int]:
    return [number for batch in lake.numbered_batches(query, OBJECTS) for number in batch.column("_number").to_pylist()]


@pytest.mark.parametrize(("words", "found"), [((), ROWS), (("strasse",), ROWS // 3 * 2), (("pm10",), ROWS // 2)])
def test_all_rows_come_in_the_order_of_their_numbers(lake: Lake, words: tuple[str, ...], found: int) -> None:
    query = NumberedQuery("air", phrases=(Phrase(words),) if words else (), limit=None)
    for _ in range(20):
        came = numbers(lake, query)
        assert (len(came), came) == (found, sorted(came))


def test_pages_of_what_was_found_by_a_word_of_the_entities_follow_each_other(lake: Lake) -> None:
    query = NumberedQuery("air", phrases=(Phrase(("pm10",)),), limit=7)
    came = [number for offset in range(0, ROWS // 2, 7) for number in numbers(lake, replace(query, offset=offset))]
    assert (len(came), came) == (ROWS // 2, sorted(came))
