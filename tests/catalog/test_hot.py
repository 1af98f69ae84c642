"""The hot store: the last rows of each datastream, right or not at all."""

import json
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from stadthub_catalog import Catalog
from stadthub_catalog.tables import recent
from stadthub_schemas.dataset import TIMESERIES_COLUMNS
from stadthub_schemas.errors import QueryError
from tests.catalog.samples import START, rows

STREAM = "t1:air_temperature"


def _results(answer: bytes | None) -> list[float] | None:
    return None if answer is None else [row["result"] for row in json.loads(answer)]


def test_recent_rows_come_newest_first_with_the_columns_of_a_timeseries(catalog: Catalog) -> None:
    catalog.remember(
        "air", rows(1, 3, 2, unit="Cel", thing_name='Markt "1"', longitude=7.1, latitude=51.5, quality="ok", parameters='{"a":1}')
    )
    answer = catalog.recent("air", STREAM, 2)
    assert answer is not None
    assert json.loads(answer)[0] == {
        "phenomenon_time": "2026-03-01T12:03:00Z",
        "datastream": STREAM,
        "thing": "t1",
        "thing_name": 'Markt "1"',
        "observed_property": "air_temperature",
        "result": 3.0,
        "result_text": None,
        "unit": "Cel",
        "quality": "ok",
        "longitude": 7.1,
        "latitude": 51.5,
        "received_time": "2026-03-02T12:00:00Z",
        "parameters": {"a": 1},
    }
    assert list(json.loads(answer)[0]) == [column.name for column in TIMESERIES_COLUMNS]
    assert _results(answer) == [3.0, 2.0]


def test_fewer_rows_than_asked_for_is_a_question_for_the_lake(catalog: Catalog) -> None:
    catalog.remember("air", rows(1, 2))
    assert catalog.recent("air", STREAM, 3) is None
    assert catalog.recent("air", "t2:air_temperature", 1) is None
    assert catalog.recent("water", STREAM, 1) is None
    assert catalog.recent("air", STREAM, 101) is None
    assert catalog.recent("air", STREAM, 0) is None


def test_a_late_row_takes_its_place_and_leaves_the_newest_alone(catalog: Catalog) -> None:
    catalog.remember("air", rows(10, 30, thing_name="new", unit="Cel"))
    catalog.remember("air", rows(20, thing_name="old"))
    assert _results(catalog.recent("air", STREAM, 3)) == [30.0, 20.0, 10.0]
    newest = catalog.latest("air")[0]
    assert (newest["result"], newest["thing_name"], newest["unit"]) == (30.0, "new", "Cel")


def test_what_a_newer_row_does_not_say_stays_known(catalog: Catalog) -> None:
    catalog.remember("air", rows(10, thing_name="Markt", unit="Cel", longitude=7.0, latitude=51.0))
    catalog.remember("air", rows(20))
    newest = catalog.latest("air")[0]
    assert (newest["result"], newest["thing_name"], newest["unit"], newest["longitude"]) == (20.0, "Markt", "Cel", 7.0)


def test_a_row_that_is_remembered_twice_is_there_once(catalog: Catalog) -> None:
    for _ in range(3):
        catalog.remember("air", rows(1, 2))
    assert catalog.recent("air", STREAM, 3) is None
    assert _results(catalog.recent("air", STREAM, 2)) == [2.0, 1.0]


def test_the_last_hundred_are_there_at_every_step_and_hardly_more(catalog: Catalog) -> None:
    for minute in range(0, 400, 4):
        catalog.remember("air", rows(*range(minute, minute + 4)))
        expected = [float(one) for one in range(minute + 3, minute - 97, -1)] if minute >= 96 else None
        assert _results(catalog.recent("air", STREAM, 100)) == expected
    catalog.remember("air", rows(-5))
    assert _results(catalog.recent("air", STREAM, 100)) == [float(minute) for minute in range(399, 299, -1)]
    with catalog.database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(recent)).scalar_one() < 250


def test_many_rows_at_once_leave_the_newest_of_each_datastream(catalog: Catalog) -> None:
    catalog.remember("air", pa.concat_tables([rows(*range(500), thing=f"t{number}") for number in range(20)]))
    for number in range(20):
        assert _results(catalog.recent("air", f"t{number}:air_temperature", 100)) == [float(minute) for minute in range(499, 399, -1)]


def test_latest_goes_page_by_page(catalog: Catalog) -> None:
    things = ["B", "a", "ä", "z", "Z"]
    for thing in things:
        catalog.remember("air", rows(1, 2, thing=thing))
    found: list[dict[str, Any]] = []
    while page := catalog.latest("air", limit=2, after=found[-1]["datastream"] if found else ""):
        found += page
    assert [row["thing"] for row in found] == sorted(things)
    assert {row["result"] for row in found} == {2.0}
    with pytest.raises(QueryError):
        catalog.latest("air", limit=0)


def test_rows_whose_retention_has_ended_are_forgotten(catalog: Catalog) -> None:
    catalog.remember("air", rows(1, 2, 3))
    catalog.remember("air", rows(1, thing="gone"))
    catalog.forget("air", START + timedelta(minutes=2))
    assert _results(catalog.recent("air", STREAM, 2)) == [3.0, 2.0]
    assert catalog.recent("air", STREAM, 3) is None
    assert [row["thing"] for row in catalog.latest("air")] == ["t1"]


def test_results_without_a_number_and_fractions_of_seconds_keep_their_form(catalog: Catalog) -> None:
    odd = rows(1, unit=None).set_column(2, "phenomenon_time", pa.array([START + timedelta(microseconds=500)], pa.timestamp("us", tz="UTC")))
    odd = odd.set_column(3, "result", pa.array([None], pa.float64())).set_column(4, "result_text", pa.array(['of\x01fen "1"\n']))
    catalog.remember("air", odd)
    newest = catalog.latest("air")[0]
    assert newest["phenomenon_time"] == "2026-03-01T12:00:00.000500Z"
    assert (newest["result"], newest["result_text"]) == (None, 'of\x01fen "1"\n')


def test_a_table_of_few_columns_or_none_is_enough(catalog: Catalog) -> None:
    few = rows(1).select(["thing", "observed_property", "phenomenon_time", "result"])
    catalog.remember("air", few.slice(0, 0))
    assert catalog.latest("air") == []
    catalog.remember("air", few)
    assert catalog.latest("air")[0]["received_time"] is None


def test_several_writers_and_readers_do_not_disturb_each_other(catalog: Catalog) -> None:
    wrong: list[object] = []

    def write(part: int) -> None:
        for minute in range(part, 40, 4):
            catalog.remember("air", pa.concat_tables([rows(minute, thing=f"t{number}") for number in range(5)]))

    def read() -> None:
        while any(one.is_alive() for one in writers):
            answer = _results(catalog.recent("air", "t3:air_temperature", 5))
            if answer is not None and answer != sorted(answer, reverse=True):
                wrong.append(answer)

    writers = [threading.Thread(target=write, args=(part,)) for part in range(4)]
    reader = threading.Thread(target=read)
    for thread in [*writers, reader]:
        thread.start()
    for thread in [*writers, reader]:
        thread.join()
    assert not wrong
    for number in range(5):
        assert _results(catalog.recent("air", f"t{number}:air_temperature", 40)) == [float(minute) for minute in range(39, -1, -1)]


@settings(max_examples=15, deadline=None)
@given(batches=st.lists(st.lists(st.integers(0, 400), min_size=1, max_size=150), max_size=12), limit=st.integers(1, 100))
def test_whatever_the_order_an_answer_is_the_truth(tmp_path_factory: pytest.TempPathFactory, batches: list[list[int]], limit: int) -> None:
    folder: Path = tmp_path_factory.mktemp("hot")
    catalog = Catalog(f"sqlite:///{folder / 'state.sqlite'}")
    catalog.migrate()
    try:
        for batch in batches:
            catalog.remember("air", rows(*batch))
        truth = sorted({float(minute) for batch in batches for minute in batch}, reverse=True)
        expected = truth[:limit] if len(truth) >= limit else None
        assert _results(catalog.recent("air", STREAM, limit)) == expected
    finally:
        catalog.close()
