"""The raw log: what was synced is there, in order, whatever happens; what cannot be kept is refused."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stadthub_lake import rawlog
from stadthub_lake.rawlog import RawLog
from stadthub_lake.verify import raw_log
from stadthub_schemas.errors import StorageError

from .given import ENVIRONMENT

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def frames(*bodies: bytes, time: datetime = NOW) -> list[tuple[datetime, str, bytes]]:
    return [(time, "topic/ü", body) for body in bodies]


def fill(log: RawLog, count: int, size: int = 100, time: datetime = NOW) -> None:
    log.append(frames(*(b"%d " % number + b"x" * size for number in range(count)), time=time))
    log.sync()


def positions(log: RawLog, after: int = 0) -> list[int]:
    answer: list[int] = []
    while found := log.read(after, most=700):
        answer += [frame.position for frame in found]
        after = answer[-1]
    return answer


@pytest.fixture
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rawlog, "SEGMENT_BYTES", 10_000)


def test_what_was_synced_is_read_again_after_reopening(tmp_path: Path) -> None:
    log = RawLog(tmp_path / "air")
    assert log.last == 0
    assert log.append(frames(b"one", b"", b"three")) == 3
    assert log.read(0) == []
    log.sync()
    log.close()
    again = RawLog(tmp_path / "air")
    assert again.last == 3
    assert [(frame.position, frame.received_time, frame.name, frame.body) for frame in again.read(0)] == [
        (1, NOW, "topic/ü", b"one"),
        (2, NOW, "topic/ü", b""),
        (3, NOW, "topic/ü", b"three"),
    ]
    assert [frame.body for frame in again.read(1, most=1)] == [b""]
    assert again.append(frames(b"four")) == 4


def test_a_read_is_bounded_by_rows_and_bytes_but_never_empty(tmp_path: Path) -> None:
    log = RawLog(tmp_path / "air")
    fill(log, 10, 1000)
    assert len(log.read(0, most=3)) == 3
    assert len(log.read(0, most_bytes=2500)) == 3
    assert len(log.read(9, most_bytes=1)) == 1
    log.append(frames(b"y" * 9_000_000))
    log.sync()
    assert len(log.read(10)[0].body) == 9_000_000


@pytest.mark.parametrize("cut", [1, 7, 20, 60])
def test_a_torn_last_frame_is_cut_off(tmp_path: Path, cut: int) -> None:
    log = RawLog(tmp_path / "air")
    fill(log, 5, 40)
    log.close()
    segment = next((tmp_path / "air").glob("*.log"))
    os.truncate(segment, segment.stat().st_size - cut)
    again = RawLog(tmp_path / "air")
    assert again.last == 4
    fill(again, 1)
    assert positions(again) == [1, 2, 3, 4, 5]


def test_a_broken_frame_in_the_middle_is_named_and_nothing_is_cut_off(tmp_path: Path) -> None:
    log = RawLog(tmp_path / "air")
    fill(log, 5, 40)
    log.close()
    segment = next((tmp_path / "air").glob("*.log"))
    data = bytearray(segment.read_bytes())
    data[data.index(b"2 xxxx")] ^= 1
    segment.write_bytes(data)
    again = RawLog(tmp_path / "air")
    assert again.last == 5
    assert [frame.position for frame in again.read(0)] == [1, 2]
    with pytest.raises(StorageError, match="raw log air: segment 00000000000000000001 is broken at position 3"):
        again.read(2)
    assert ["broken at position 3" in finding.what for finding in raw_log(tmp_path / "air")] == [True]
    assert [frame.position for frame in again.read(3)] == [4, 5]


@pytest.mark.usefixtures("small_segments")
def test_segments_are_closed_compressed_and_still_read_by_position(tmp_path: Path) -> None:
    log = RawLog(tmp_path / "air")
    for _ in range(20):
        fill(log, 60)
    assert len(list((tmp_path / "air").glob("*.log"))) > 5
    assert log.compress() > 4
    assert log.compress() == 0
    assert len(list((tmp_path / "air").glob("*.log"))) == 1
    assert positions(log) == list(range(1, 1201))
    assert positions(log, 555) == list(range(556, 1201))
    log.close()
    assert positions(RawLog(tmp_path / "air")) == list(range(1, 1201))
    assert list(raw_log(tmp_path / "air")) == []


@pytest.mark.usefixtures("small_segments")
def test_a_time_is_found_and_old_segments_are_forgotten_only_when_committed(tmp_path: Path) -> None:
    log = RawLog(tmp_path / "air")
    for hour in range(10):
        fill(log, 100, time=NOW + timedelta(hours=hour))
    assert log.since(NOW) == 0
    assert log.since(NOW + timedelta(hours=4, minutes=30)) == 500
    assert log.since(NOW + timedelta(days=9)) == 1000
    assert log.forget(NOW + timedelta(hours=5), up_to=0) == 0
    assert log.forget(NOW + timedelta(hours=5), up_to=1000) > 0
    kept = positions(log)
    assert 1 < kept[0] <= 501
    assert kept[-1] == 1000
    log.close()
    again = RawLog(tmp_path / "air")
    assert again.last == 1000
    assert positions(again) == kept


@pytest.mark.usefixtures("small_segments")
def test_a_follower_in_another_thread_gets_every_frame_in_order(tmp_path: Path) -> None:
    log = RawLog(tmp_path / "air")
    seen: list[int] = []

    def follow() -> None:
        while len(seen) < 20_000:
            seen.extend(frame.position for frame in log.read(seen[-1] if seen else 0))

    follower = threading.Thread(target=follow)
    follower.start()
    for number in range(200):
        fill(log, 100)
        if number % 40 == 0:
            log.compress()
    follower.join(60)
    assert seen == list(range(1, 20_001))


def test_a_lost_raw_log_goes_on_behind_what_the_lake_holds(tmp_path: Path) -> None:
    log = RawLog(tmp_path / "air")
    log.start_after(41)
    assert log.append(frames(b"x")) == 42
    log.sync()
    log.close()
    assert positions(RawLog(tmp_path / "air")) == [42]


def test_too_little_room_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    log = RawLog(tmp_path / "air", min_free_bytes=10**18)
    with pytest.raises(StorageError, match=r"raw log air: less than \d+ MB are free on the disk; make room"):
        log.append(frames(b"x"))
    assert log.append([]) == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("a small disk can only be mounted by root: run the tests as root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def append_until_full(log: RawLog) -> None:
    while log.last < 1000:
        log.append(frames(b"x" * 30_000, b"y" * 30_000))
        log.sync()


def test_a_full_disk_refuses_keeps_what_was_synced_and_recovers(small_disk: Path) -> None:
    log = RawLog(small_disk / "air")
    with pytest.raises(StorageError, match="raw log air: the disk is full"):
        append_until_full(log)
    kept = log.last
    assert 10 < kept < 40
    assert positions(log) == list(range(1, kept + 1))
    with pytest.raises(StorageError):
        log.append(frames(b"x" * 90_000))
    log.close()
    crowded = RawLog(small_disk / "air")
    assert crowded.last == kept
    subprocess.run(["mount", "-o", "remount,size=2m", str(small_disk)], check=True)
    crowded.append(frames(b"z" * 90_000))
    crowded.sync()
    assert positions(crowded) == list(range(1, kept + 2))
    crowded.close()


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from stadthub_lake import rawlog
rawlog.SEGMENT_BYTES = 300_000
log = rawlog.RawLog(Path(sys.argv[1]))
while True:
    log.append([(datetime.now(UTC), "t", b"x" * (number * 37 % 3000)) for number in range(50)])
    log.sync()
    sys.stdout.write(f"{log.last}\\n")
    sys.stdout.flush()
"""


def test_a_killed_writer_loses_nothing_that_was_synced(tmp_path: Path) -> None:
    acknowledged = 0
    for kill in range(5):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path / "air")], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
        assert writer.stdout is not None
        for _ in range(20 + 13 * kill):
            acknowledged = int(writer.stdout.readline())
        writer.kill()
        rest = [line for line in writer.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
        acknowledged = int(rest[-1]) if rest else acknowledged
        writer.stdout.close()
        writer.wait()
        log = RawLog(tmp_path / "air")
        assert log.last >= acknowledged
        assert positions(log) == list(range(1, log.last + 1))
        log.close()
    assert list(raw_log(tmp_path / "air")) == []


def test_the_longest_topic_of_mqtt_fits(tmp_path: Path) -> None:
    log = RawLog(tmp_path / "air")
    topic = "t/" + "x" * 65_533
    log.append([(NOW, topic, b"1")])
    log.sync()
    assert [frame.name for frame in log.read(0)] == [topic]
    log.close()
