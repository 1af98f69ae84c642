"""Appending to a timeseries: each observation once, visible at once, committed with its position."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stadthub_lake.store import Store
from stadthub_schemas.counts import Counts
from stadthub_schemas.dataset import Kind
from stadthub_schemas.errors import Conflict, NotFound, StorageError, TypeConflict
from stadthub_schemas.rows import OBSERVATIONS_CODED, REJECTS

from .given import Place, content, minute, observations, progress


def test_rows_are_visible_at_once_and_stay_the_same_through_the_commit(place: Place) -> None:
    appended = place.store.append("air", "feed", 1, observations(("a", 1, 1.0), ("b", 1, 2.0)))
    assert (appended.stored, appended.duplicate) == (2, 0)
    before = place.reader.snapshot("air")
    assert (before.rows, before.files, place.store.pending("air")) == (2, (), 2)
    place.store.commit("air", {"feed": progress(1, 2)})
    after = place.reader.snapshot("air")
    assert content(after) == content(before) == [("a:pm10", minute(1), 1.0), ("b:pm10", minute(1), 2.0)]
    assert after.tail is not None
    assert (len(after.files), after.tail.num_rows, place.store.pending("air")) == (1, 0, 0)
    assert after.ranges == ((minute(1), minute(1)),)


def test_rows_of_a_large_payload_come_coded_and_lie_beside_the_others(place: Place) -> None:
    plain = observations(("a", 1, 1.0), ("b", 1, 2.0), quality="good")
    coded = observations(("b", 2, 3.0), ("a", 1, 9.0), ("c", 2, 4.0), quality="bad").cast(OBSERVATIONS_CODED)
    place.store.append("air", "feed", 1, plain)
    appended = place.store.append("air", "feed", 2, coded)
    assert (appended.stored, appended.duplicate) == (2, 1)
    assert appended.fresh["datastream"].to_pylist() == ["b:pm10", "c:pm10"]
    assert place.reader.snapshot("air").rows == 4
    place.store.commit("air", {"feed": progress(2, 4)})
    assert content(place.reader.snapshot("air")) == [
        ("a:pm10", minute(1), 1.0),
        ("b:pm10", minute(1), 2.0),
        ("b:pm10", minute(2), 3.0),
        ("c:pm10", minute(2), 4.0),
    ]
    other = observations(("c", 2, 5.0), ("b", 2, 3.0), quality="bad").cast(OBSERVATIONS_CODED)
    corrected = place.store.correct("air", "feed", 2, other)
    assert (corrected.stored, corrected.changed, corrected.duplicate) == (0, 1, 1)
    assert content(place.reader.snapshot("air"))[-1] == ("c:pm10", minute(2), 5.0)


def test_the_first_result_of_a_time_stays(place: Place) -> None:
    appended = place.store.append("air", "feed", 1, observations(("a", 1, 1.0), ("a", 1, 9.0), ("a", 0, 5.0)))
    assert (appended.stored, appended.duplicate) == (2, 1)
    assert appended.fresh["result"].to_pylist() == [1.0, 5.0]
    assert appended.fresh["datastream"].to_pylist() == ["a:pm10", "a:pm10"]
    assert place.store.append("air", "feed", 2, observations(("a", 1, 2.0), ("a", 0, 2.0))).duplicate == 2
    place.store.commit("air", {"feed": progress(2)})
    assert place.store.append("air", "feed", 3, observations(("a", 1, 2.0), ("a", -3, 7.0), ("a", 0, 1.0))).stored == 1
    assert content(place.reader.snapshot("air")) == [("a:pm10", minute(-3), 7.0), ("a:pm10", minute(0), 5.0), ("a:pm10", minute(1), 1.0)]


def test_a_commit_takes_only_what_its_positions_cover(place: Place) -> None:
    place.store.append("air", "one", 5, observations(("a", 1, 1.0)))
    place.store.append("air", "two", 7, observations(("b", 1, 1.0)))
    place.store.append("air", "one", 9, observations(("a", 2, 1.0)))
    place.store.commit("air", {"one": progress(5, 1)})
    assert place.store.pending("air") == 2
    assert place.reader.snapshot("air").rows == 3
    assert place.store.progress("air", "one").position == 5
    assert place.store.progress("air", "two").position == 0


def test_position_and_counts_are_there_after_a_restart_and_the_pending_rows_come_again(place: Place) -> None:
    place.store.append("air", "feed", 10, observations(("a", 1, 1.0)))
    counts = Counts(received=4, stored=1, duplicate=1, rejected=1, dropped=1)
    place.store.commit("air", {"feed": type(progress(1))(10, counts)})
    place.store.append("air", "feed", 20, observations(("a", 2, 1.0)))
    again = place.reopen()
    assert again.store.progress("air", "feed").counts == counts
    assert again.reader.snapshot("air").rows == 2, "rows of the dead process are seen until they are decoded again"
    assert again.store.append("air", "feed", 15, observations(("a", 1, 1.0), ("a", 2, 1.0))).stored == 1
    assert again.reader.snapshot("air").rows == 2
    again.store.commit("air", {"feed": progress(20, 2)})
    assert again.reader.snapshot("air").rows == 2
    again.store.close()


def test_a_position_without_new_rows_is_kept_without_a_new_version(place: Place) -> None:
    place.store.append("air", "feed", 1, observations(("a", 1, 1.0)))
    place.store.commit("air", {"feed": progress(1, 1)})
    version = place.reader.snapshot("air").version
    for position in range(2, 6):
        place.store.append("air", "feed", position, observations(("a", 1, 1.0)))
        place.store.commit("air", {"feed": progress(position, 1)})
    again = place.reopen()
    assert again.store.progress("air", "feed") == progress(5, 1)
    assert again.reader.snapshot("air").version == version
    again.store.append("air", "feed", 6, observations(("a", 2, 1.0)))
    again.store.commit("air", {"feed": progress(6, 2)})
    last = again.reopen()
    assert last.store.progress("air", "feed") == progress(6, 2)
    last.store.close()


def test_a_replay_adds_what_was_missing_and_keeps_the_position(place: Place) -> None:
    place.store.append("air", "feed", 50, observations(("a", 1, 1.0)))
    place.store.commit("air", {"feed": progress(50, 1)})
    replayed = place.store.append("air", "feed", 20, observations(("a", 1, 1.0), ("b", 1, 3.0)))
    assert (replayed.stored, replayed.duplicate) == (1, 1)
    place.store.commit("air", {"feed": progress(50, 2)})
    again = place.reopen()
    assert again.reader.snapshot("air").rows == 2
    assert again.store.progress("air", "feed") == progress(50, 2)
    again.store.close()


def test_words_and_positions_of_a_datastream_are_the_newest_known_ones(place: Place) -> None:
    place.store.append("air", "feed", 1, observations(("a", 1, 1.0), thing_name="Alt", unit="ug/m3", longitude=7.5, latitude=51.0))
    first = place.reader.snapshot("air").entities
    assert first is not None
    assert first.to_pylist() == [
        {
            "datastream": "a:pm10",
            "thing": "a",
            "thing_name": "Alt",
            "observed_property": "pm10",
            "unit": "ug/m3",
            "sensor": None,
            "longitude": 7.5,
            "latitude": 51.0,
        }
    ]
    place.store.commit("air", {"feed": progress(1)})
    place.store.append("air", "feed", 2, observations(("a", 2, 1.0), thing_name="Neu"))
    place.store.append("air", "feed", 3, observations(("a", 0, 1.0), thing_name="Uralt"))
    for _ in range(2):
        words = place.reader.snapshot("air").entities
        assert words is not None
        assert [(row["thing_name"], row["longitude"]) for row in words.to_pylist()] == [("Neu", 7.5)]
        place.store.commit("air", {"feed": progress(3)})


def test_a_tail_of_many_small_batches_is_read_from_few_files(place: Place) -> None:
    for number in range(1, 300):
        place.store.append("air", "feed", number, observations(("a", number, 1.0), ("b", number, 2.0)))
    assert len(list((place.folder / "data" / "tail" / "air").glob("*.arrow"))) <= 16
    assert place.reader.snapshot("air").rows == 598
    place.store.commit("air", {"feed": progress(200)})
    assert place.reader.snapshot("air").rows == 598
    assert place.store.pending("air") == 198


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (observations(("a", 1, 1.0)).drop_columns(["thing"]), "air: the column thing is missing"),
        (
            observations(("a", 1, 1.0)).set_column(3, "result", pa.array(["warm"])),
            "air: result is stored as double, but string was given",
        ),
        (observations(("a", 1, 1.0)).set_column(0, "thing", pa.nulls(1, pa.string())), "air: thing is empty in 1 rows"),
    ],
)
def test_rows_of_another_shape_are_a_type_conflict(place: Place, rows: pa.Table, sentence: str) -> None:
    with pytest.raises(TypeConflict, match=sentence):
        place.store.append("air", "feed", 1, rows)
    assert place.store.append("air", "feed", 1, observations(("a", 1, 1.0))).stored == 1


def test_rejects_are_kept_once_with_the_commit_of_their_feed(place: Place) -> None:
    def rejects(*positions: int) -> pa.Table:
        rows = [{"position": one, "row": 0, "received_time": minute(0), "reason": "no", "excerpt": "{}"} for one in positions]
        return pa.Table.from_pylist(rows, schema=REJECTS)

    place.store.reject("feed", 3, rejects(1, 2))
    assert place.reader.rejects("feed").num_rows == 0
    place.store.commit("air", {"feed": progress(3)})
    place.store.reject("feed", 5, rejects(2, 4))
    place.store.commit("air", {"feed": progress(5)})
    again = place.reopen()
    assert again.reader.rejects("feed")["position"].to_pylist() == [4, 2, 1]
    assert again.reader.rejects("feed", limit=1)["position"].to_pylist() == [4]
    assert again.reader.rejects("nobody").num_rows == 0
    again.store.close()


def test_only_one_process_writes(place: Place) -> None:
    with pytest.raises(StorageError, match="another process writes to this lake already"):
        Store(str(place.folder / "lake"), place.folder / "data")


def test_a_dataset_keeps_its_kind_and_an_unknown_one_is_named(place: Place) -> None:
    with pytest.raises(Conflict, match="air: it is a timeseries dataset and cannot become table"):
        place.make("air", Kind.TABLE)
    with pytest.raises(Conflict, match="air: it is a timeseries, its rows are appended"):
        place.store.replace("air", "feed", pa.table({"a": [1]}), progress(1))
    with pytest.raises(NotFound, match="the lake has no dataset water"):
        place.store.append("water", "feed", 1, observations())
    with pytest.raises(NotFound, match="the lake has no dataset"):
        place.reader.snapshot("../air")
    with pytest.raises(StorageError, match="the lake cannot be at s3://"):
        Store("s3://bucket/lake", place.folder / "other")
    assert place.reader.datasets() == ["air"]
    assert place.reader.kind("air") is Kind.TIMESERIES


STEPS = st.lists(
    st.one_of(
        st.lists(st.tuples(st.sampled_from("abc"), st.integers(-6, 6), st.integers(0, 3)), max_size=12),
        st.sampled_from(["commit", "restart", "compact"]),
    ),
    max_size=14,
)


@settings(max_examples=30, deadline=None)
@given(steps=STEPS)
def test_the_lake_holds_what_a_dictionary_would(steps: list[list[tuple[str, int, int]] | str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Place.at(Path(folder))
        place.make("air")
        model: dict[tuple[str, datetime], float] = {}
        saved = dict(model)
        position = 0
        for step in steps:
            if step == "commit":
                place.store.commit("air", {"feed": progress(position, len(model))})
                saved = dict(model)
            elif step == "restart":
                place = place.reopen()
                model = dict(saved)
                # An empty batch stands for the first one that is decoded again: what was not committed is gone until then.
                place.store.append("air", "feed", position, observations())
            elif step == "compact":
                place.store.compact("air")
            elif isinstance(step, list):
                position += 1
                rows = [(thing, when, float(result)) for thing, when, result in step]
                before = len(model)
                for thing, when, result in rows:
                    model.setdefault((f"{thing}:pm10", minute(when)), result)
                appended = place.store.append("air", "feed", position, observations(*rows))
                assert (appended.stored, appended.duplicate) == (len(model) - before, len(rows) - len(model) + before)
            expected = sorted((*key, result) for key, result in model.items())
            snapshot = place.reader.snapshot("air")
            assert content(snapshot) == expected
            assert snapshot.rows == len(expected)
            assert place.store.progress("air", "feed").position <= position
        place.store.close()


def test_times_before_the_dataset_are_not_known(place: Place) -> None:
    with pytest.raises(NotFound, match="air: nothing is known of 2001-01-01"):
        place.reader.snapshot("air", datetime(2001, 1, 1, tzinfo=UTC))


def test_a_row_without_a_place_leaves_the_place_that_another_row_of_its_batch_gave(place: Place) -> None:
    rows = pa.concat_tables([observations(("a", 1, 1.0), longitude=10.0, latitude=51.0), observations(("a", 2, 2.0), ("b", 1, 1.0))])
    place.store.append("air", "feed", 1, rows)
    entities = place.reader.snapshot("air").entities
    assert entities is not None
    found = {row["thing"]: (row["longitude"], row["latitude"]) for row in entities.to_pylist()}
    assert found == {"a": (10.0, 51.0), "b": (None, None)}
