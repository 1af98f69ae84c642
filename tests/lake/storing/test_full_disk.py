"""The lake on a full disk: it refuses with a sentence, keeps what was committed, and goes on once there is room."""

import subprocess
from pathlib import Path

import pytest

from stadthub_schemas.errors import StorageError

from .given import Place, observations, progress


def fill(folder: Path) -> Path:
    """A file that takes all the room there is."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            return filler


def test_a_full_disk_stops_the_lake_and_nothing_is_lost_or_twice(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)], capture_output=True, check=False).returncode:
        pytest.skip("a small disk can only be mounted by root: run the tests as root")
    try:
        place = Place.at(disk)
        place.make("air")
        place.store.append("air", "feed", 1, observations(("a", 1, 1.0)))
        place.store.commit("air", {"feed": progress(1, 1)})
        place.store.append("air", "feed", 2, observations(("a", 2, 1.0), ("b", 2, 1.0), thing_name="neu"))
        filler = fill(disk)
        many = observations(*(("c", number, 1.0) for number in range(2000)))
        with pytest.raises(StorageError, match="fresh rows: the disk is full"):
            place.store.append("air", "feed", 3, many)
        for _ in range(2):
            with pytest.raises(StorageError, match="the disk is full"):
                place.store.commit("air", {"feed": progress(2, 3)})
        assert place.reader.snapshot("air").rows == 3
        filler.unlink()
        place.store.commit("air", {"feed": progress(2, 3)})
        appended = place.store.append("air", "feed", 3, many)
        assert (appended.stored, appended.duplicate) == (2000, 0)
        place.store.commit("air", {"feed": progress(3, 2003)})
        assert place.reader.snapshot("air").rows == 2003
        again = place.reopen()
        assert again.store.progress("air", "feed") == progress(3, 2003)
        assert list(again.store.verify()) == []
        again.store.close()
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
