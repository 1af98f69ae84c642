"""The index of fresh rows: a line for each state, and whatever is torn or missing, readers see the last whole one."""

import errno
import os
from itertools import pairwise
from pathlib import Path

import pytest

from stadthub_lake import tail
from stadthub_schemas.errors import StorageError

from .given import Place, observations


def _index(place: Place) -> Path:
    return place.folder / "data" / "tail" / "air" / tail.INDEX


def test_readers_see_every_row_while_the_index_grows_and_begins_anew(place: Place) -> None:
    sizes: list[int] = []
    for number in range(1, 120):
        place.store.append("air", "feed", number, observations(("a", number, 1.0)))
        assert place.reader.snapshot("air").rows == number
        sizes.append(_index(place).stat().st_size)
    assert max(sizes) <= tail.INDEX_BYTES
    grew = sum(after > before for before, after in pairwise(sizes))
    assert len(sizes) / 2 < grew < len(sizes) - 1


def test_a_line_that_is_being_written_changes_nothing_yet(place: Place) -> None:
    place.store.append("air", "feed", 1, observations(("a", 1, 1.0)))
    with _index(place).open("ab") as file:
        file.write(b'{"parts": [], "enti')
    assert place.reader.snapshot("air").rows == 1


def test_rows_that_found_no_room_in_the_index_are_not_there_and_come_with_the_next_call(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.store.append("air", "feed", 1, observations(("a", 1, 1.0)))
    whole = os.write

    def torn(file: int, data: bytes) -> int:
        whole(file, data[:20])
        raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr(os, "write", torn)
    with pytest.raises(StorageError, match="the disk is full"):
        place.store.append("air", "feed", 2, observations(("a", 2, 1.0)))
    assert place.reader.snapshot("air").rows == 1
    monkeypatch.undo()
    assert place.store.append("air", "feed", 2, observations(("a", 2, 1.0))).stored == 1
    assert place.reader.snapshot("air").rows == 2
