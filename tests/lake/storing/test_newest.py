"""The small file of newest times: it saves reading at the start, and is never believed further than the files it names."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from .given import Place, content, minute, observations, progress


def small(folder: Path) -> Path:
    return folder / "data" / "progress" / "air.newest.arrow"


def test_a_start_reads_no_data_file_of_which_the_small_file_speaks(place: Place) -> None:
    place.store.append("air", "feed", 1, observations(("a", 1, 1.0), ("b", 2, 1.0)))
    place.store.commit("air", {"feed": progress(1, 2)})
    again = place.reopen()
    (data,) = again.reader.snapshot("air").files
    Path(data).write_bytes(b"who reads this fails")
    assert again.store.append("air", "feed", 2, observations(("a", 1, 1.0), ("b", 3, 1.0))).stored == 1
    again.store.close()


def test_rows_that_were_pending_at_the_end_are_new_again(place: Place) -> None:
    place.store.append("air", "feed", 1, observations(("a", 1, 1.0)))
    place.store.commit("air", {"feed": progress(1, 1)})
    place.store.append("air", "feed", 2, observations(("a", 9, 1.0)))
    again = place.reopen()
    assert again.store.append("air", "feed", 2, observations(("a", 9, 1.0))).stored == 1
    again.store.close()


def test_a_broken_small_file_is_not_believed(place: Place) -> None:
    place.store.append("air", "feed", 1, observations(("a", 1, 1.0)))
    place.store.commit("air", {"feed": progress(1, 1)})
    place.store.close()
    small(place.folder).write_bytes(small(place.folder).read_bytes()[:100])
    again = Place.at(place.folder)
    assert again.store.append("air", "feed", 2, observations(("a", 1, 1.0))).duplicate == 1
    again.store.close()


STEPS = st.lists(
    st.one_of(
        st.lists(st.tuples(st.sampled_from("ab"), st.integers(-4, 4)), min_size=1, max_size=5),
        st.sampled_from(["restart", "old file", "compact", "pending"]),
    ),
    max_size=12,
)


@settings(max_examples=15, deadline=None)
@given(steps=STEPS)
def test_whatever_small_file_is_found_no_row_is_lost_or_stored_twice(steps: list[str | list[tuple[str, int]]]) -> None:
    """`old file`: a start with the small file of an earlier time, as a restored backup has it."""
    with tempfile.TemporaryDirectory() as folder:
        place = Place.at(Path(folder))
        place.make("air")
        keys: set[tuple[str, int]] = set()
        position = 0
        kept = Path(folder) / "kept"
        for step in steps:
            if isinstance(step, list):
                position += 1
                place.store.append("air", "feed", position, observations(*((thing, when, 1.0) for thing, when in step)))
                place.store.commit("air", {"feed": progress(position)})
                keys |= set(step)
            elif step == "compact":
                place.store.compact("air")
            elif step == "pending":
                place.store.append("air", "feed", position + 1, observations(("a", 100, 1.0)))
                place = place.reopen()
                place.store.append("air", "feed", position, observations())
            else:
                place.store.close()
                if step == "old file" and kept.exists():
                    shutil.copy(kept, small(Path(folder)))
                elif small(Path(folder)).exists():
                    shutil.copy(small(Path(folder)), kept)
                place = Place.at(Path(folder))
            assert content(place.reader.snapshot("air")) == sorted((f"{thing}:pm10", minute(when), 1.0) for thing, when in keys)
        place.store.close()
