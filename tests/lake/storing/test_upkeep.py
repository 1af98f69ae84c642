"""Compaction, retention, vacuum and verification: the rows stay the same, what is wrong is named."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stadthub_schemas.dataset import Kind
from stadthub_schemas.errors import NotFound
from stadthub_schemas.rows import REJECTS

from .given import Place, content, features, minute, observations, progress

DAY = 24 * 60


def many_commits(place: Place) -> None:
    """Thirty commits over three days in March and one late row of 2019."""
    for number in range(1, 31):
        rows = [(thing, number * 144 + step, float(number)) for thing in "ba" for step in range(5)]
        place.store.append("air", "feed", number, observations(*rows))
        place.store.commit("air", {"feed": progress(number, number * 10)})
    place.store.append("air", "feed", 31, observations(("a", -7 * 365 * DAY, 1.0)))
    place.store.commit("air", {"feed": progress(31, 301)})


def test_small_files_become_one_sorted_file_and_late_rows_do_not_stretch_it(place: Place) -> None:
    many_commits(place)
    before = place.reader.snapshot("air")
    place.store.compact("air")
    after = place.reader.snapshot("air")
    assert (len(before.files), len(after.files)) == (31, 2)
    assert content(after) == content(before)
    assert [span[0].year for span in after.ranges if span] == [2019, 2026]
    rows = pq.read_table(after.files[1]).to_pylist()
    assert rows == sorted(rows, key=lambda row: (row["datastream"], row["phenomenon_time"]))
    assert place.store.progress("air", "feed") == progress(31, 301)
    version = after.version
    place.store.compact("air")
    assert place.reader.snapshot("air").version == version
    again = place.reopen()
    assert again.store.progress("air", "feed") == progress(31, 301)
    assert again.store.append("air", "feed", 32, observations(("a", 144, 9.0), ("a", 145, 9.0), ("a", 1, 2.0))).stored == 1
    again.store.close()


def test_old_observations_are_dropped_and_nothing_else(place: Place) -> None:
    many_commits(place)
    place.store.compact("air")
    all_rows = content(place.reader.snapshot("air"))
    limit = minute(2 * DAY)
    dropped = place.store.retain("air", limit)
    left = content(place.reader.snapshot("air"))
    assert left == [row for row in all_rows if row[1] >= limit]
    assert dropped == len(all_rows) - len(left) > 0
    assert place.store.retain("air", limit) == 0
    assert place.store.progress("air", "feed") == progress(31, 301)


def test_a_vacuum_removes_what_no_version_of_the_kept_time_needs(place: Place) -> None:
    many_commits(place)
    place.store.compact("air")
    moment = datetime.now(UTC)
    place.store.vacuum("air", timedelta(days=1))
    folder = place.folder / "lake" / "air" / "observations"
    assert len(list(folder.glob("*.parquet"))) == 33
    assert place.reader.snapshot("air", moment).rows == 301
    place.store.vacuum("air", timedelta(0))
    assert len(list(folder.glob("*.parquet"))) == 2
    assert place.reader.snapshot("air").rows == 301
    assert [finding.what for finding in place.store.verify()] == []


def test_old_log_entries_go_and_positions_stay(place: Place) -> None:
    for number in range(1, 70):
        place.store.append("air", "feed", number, observations(("a", number, 1.0)))
        place.store.commit("air", {"feed": progress(number, number)})
    log = place.folder / "lake" / "air" / "observations" / "_delta_log"
    entries = len(list(log.glob("*.json")))
    beginning = place.reader.snapshot("air").time - timedelta(hours=1)
    place.store.vacuum("air", timedelta(0))
    assert len(list(log.glob("*.json"))) < entries / 2
    again = place.reopen()
    assert again.store.progress("air", "feed") == progress(69, 69)
    assert again.reader.snapshot("air").rows == 69
    with pytest.raises(NotFound):
        again.reader.snapshot("air", beginning)
    again.store.close()


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def change_a_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("pattern", "harm", "severity", "sentence"),
    [
        ("air/observations/part-*.parquet", Path.unlink, "error", "is missing"),
        ("air/observations/part-*.parquet", cut_short, "error", "bytes, but"),
        ("trees/features/v000001.parquet", change_a_byte, "error", "checksum differs"),
        ("trees/features/v000001.parquet", Path.unlink, "error", "version 1 is missing"),
        ("trees/features/manifest.json", cut_short, "error", "cannot be read"),
        ("parks/rows/part-*.parquet", cut_short, "error", "bytes, but"),
        ("air/datastreams/0*.parquet", cut_short, "error", "datastreams"),
    ],
)
def test_what_is_wrong_with_a_file_is_found(place: Place, pattern: str, harm: Callable[[Path], None], severity: str, sentence: str) -> None:
    place.make("trees", Kind.FEATURES)
    place.make("parks", Kind.TABLE)
    place.store.append("air", "feed", 1, observations(("a", 1, 1.0)))
    place.store.commit("air", {"feed": progress(1)})
    place.store.replace("trees", "green", features(("1", None, '{"a": 1}')), progress(1))
    place.store.replace("parks", "cars", pa.table({"a": [1]}), progress(1))
    assert list(place.store.verify()) == []
    harm(next((place.folder / "lake").glob(pattern)))
    (finding,) = place.store.verify()
    assert (finding.dataset, finding.severity) == (pattern.split("/")[0], severity)
    assert sentence in finding.what
    assert finding.mend


def test_a_file_that_belongs_to_no_version_is_found(place: Place) -> None:
    place.store.append("air", "feed", 1, observations(("a", 1, 1.0)))
    place.store.commit("air", {"feed": progress(1)})
    file = next((place.folder / "lake" / "air" / "observations").glob("*.parquet"))
    file.with_name("part-left.parquet").write_bytes(file.read_bytes())
    assert [(finding.severity, finding.what) for finding in place.store.verify()] == [
        ("warning", "the file part-left.parquet belongs to no version")
    ]


def test_refused_rows_are_forgotten_with_their_excerpts(place: Place) -> None:
    for number, hour in enumerate((0, 48), 1):
        row = {"position": number, "row": 1, "received_time": minute(60 * hour), "reason": "wrong", "excerpt": f"excerpt {number}"}
        place.store.append("air", "feed", number, observations(("a", number, 1.0)))
        place.store.reject("feed", number, pa.Table.from_pylist([row], schema=REJECTS))
        place.store.commit("air", {"feed": progress(number, number)})
    assert place.store.forget_rejects("feed", minute(60)) == 1
    assert place.store.forget_rejects("feed", minute(60)) == 0
    assert place.store.forget_rejects("nobody", minute(60)) == 0
    assert place.reader.rejects("feed").column("excerpt").to_pylist() == ["excerpt 2"]
    assert list(place.store.verify()) == []
    again = place.reopen()
    assert again.store.forget_rejects("feed", minute(60 * 49)) == 1
    assert again.reader.rejects("feed").num_rows == 0
    again.store.close()
