"""Rows that were decoded again: another value takes the place of the stored one, once, and the old one stays readable."""

import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stadthub_schemas.errors import Conflict

from .given import START, Place, content, minute, observations, progress


def filled(place: Place) -> None:
    place.store.append("air", "feed", 1, observations(("a", 1, 10.0), ("a", 2, 20.0), ("b", 1, 30.0)))
    place.store.commit("air", {"feed": progress(1, 3)})


def test_another_value_replaces_the_stored_one_and_the_old_one_stays_readable(place: Place) -> None:
    filled(place)
    time.sleep(0.01)  # so that there is a time between the two versions
    between = datetime.now(UTC)
    corrected = place.store.correct("air", "feed", 1, observations(("a", 1, 1.0), ("b", 1, 30.0), ("a", 2, 2.0), ("c", 5, 7.0)))
    assert (corrected.stored, corrected.changed, corrected.duplicate) == (1, 2, 1)
    assert sorted(zip(corrected.fresh["datastream"].to_pylist(), corrected.fresh["result"].to_pylist(), strict=True)) == [
        ("a:pm10", 1.0),
        ("a:pm10", 2.0),
        ("c:pm10", 7.0),
    ]
    mended = [("a:pm10", minute(1), 1.0), ("a:pm10", minute(2), 2.0), ("b:pm10", minute(1), 30.0), ("c:pm10", minute(5), 7.0)]
    assert content(place.reader.snapshot("air")) == mended
    assert [row[2] for row in content(place.reader.snapshot("air", between))] == [10.0, 20.0, 30.0]
    again = place.reopen()
    assert content(again.reader.snapshot("air")) == mended
    assert again.store.progress("air", "feed") == progress(1, 3)
    assert again.store.correct("air", "feed", 1, observations(("a", 1, 1.0), ("c", 5, 7.0))).duplicate == 2
    assert list(again.store.verify()) == []
    again.store.close()


def test_a_mended_unit_is_the_new_word_of_its_datastream(place: Place) -> None:
    place.store.append("air", "feed", 1, observations(("a", 1, 10.0), unit="mg/m3"))
    place.store.commit("air", {"feed": progress(1, 1)})
    place.store.correct("air", "feed", 1, observations(("a", 1, 10.0), unit="ug/m3"))
    words = place.reader.snapshot("air").entities
    assert words is not None
    assert words["unit"].to_pylist() == ["ug/m3"]


def test_of_two_deliveries_of_one_time_the_first_stays_through_a_replay(place: Place) -> None:
    filled(place)
    later = observations(("a", 1, 99.0))
    later = later.set_column(later.column_names.index("received_time"), later.schema.field("received_time"), [[START + timedelta(1)]])
    corrected = place.store.correct("air", "feed", 1, later)
    assert (corrected.changed, corrected.duplicate) == (0, 1)
    assert content(place.reader.snapshot("air"))[0][2] == 10.0


def test_only_committed_positions_can_be_corrected_and_pending_rows_are_left_alone(place: Place) -> None:
    filled(place)
    place.store.append("air", "other", 4, observations(("d", 1, 5.0)))
    with pytest.raises(Conflict, match="air: other is committed up to 0 and not to 4: commit first"):
        place.store.correct("air", "other", 4, observations(("d", 1, 6.0)))
    corrected = place.store.correct("air", "feed", 1, observations(("d", 1, 6.0), ("a", 1, 11.0)))
    assert (corrected.stored, corrected.changed, corrected.duplicate) == (0, 1, 1)
    assert place.reader.snapshot("air").rows == 4
    place.store.commit("air", {"other": progress(4, 1)})
    assert [row[2] for row in content(place.reader.snapshot("air"))] == [11.0, 20.0, 30.0, 5.0]


ROWS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(-5, 5), st.integers(0, 3)), max_size=10)
STEPS = st.lists(
    st.one_of(st.tuples(st.sampled_from(["append", "correct"]), ROWS), st.sampled_from([("compact", []), ("restart", []), ("crash", [])])),
    max_size=10,
)


@settings(max_examples=15, deadline=None)
@given(steps=STEPS)
def test_corrections_between_appends_restarts_and_compactions_give_what_a_dictionary_would(
    steps: list[tuple[str, list[tuple[str, int, int]]]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Place.at(Path(folder))
        place.make("air")
        model: dict[tuple[str, datetime], float] = {}
        position = 0
        for act, drawn in steps:
            rows = {(f"{thing}:pm10", minute(when)): float(result) for thing, when, result in reversed(drawn)}
            table = observations(*((thing, when, float(result)) for thing, when, result in drawn))
            if act == "append":
                position += 1
                place.store.append("air", "feed", position, table)
                place.store.commit("air", {"feed": progress(position)})
                model = rows | model
            elif act == "correct":
                new = len(rows.keys() - model.keys())
                other = sum(model.get(key, result) != result for key, result in rows.items())
                corrected = place.store.correct("air", "feed", position, table)
                assert (corrected.stored, corrected.changed, corrected.duplicate) == (new, other, len(drawn) - new - other)
                model |= rows
            elif act == "compact":
                place.store.compact("air")
            elif act == "restart":
                place = place.reopen()
            else:  # what a power cut may leave of the small file
                place = place.reopen()
                (Path(folder) / "data" / "progress" / "air.newest.arrow").unlink(missing_ok=True)
            assert content(place.reader.snapshot("air")) == sorted((*key, result) for key, result in model.items())
        place.store.close()
