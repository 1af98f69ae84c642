"""Reading while another process writes: nothing missing, nothing twice, and the past stays as it was."""

import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stadthub_lake.snapshot import Reader
from stadthub_schemas.dataset import TIMESERIES_COLUMNS
from stadthub_schemas.errors import NotFound

from .given import ENVIRONMENT, Place, content, minute, observations, progress

WRITER = """
import random, sys
from datetime import timedelta
from pathlib import Path
import pyarrow as pa
from stadthub_lake.store import Progress, Store
from stadthub_schemas.counts import Counts
from crash_writer import START, OBSERVATIONS_IN
store = Store(sys.argv[1] + "/lake", Path(sys.argv[1]) / "data")
rows = 0
for position in range(1, 251):
    size = random.randint(1, 40)
    times = [START + timedelta(seconds=rows + number) for number in range(size)]
    batch = [dict(thing="a", observed_property="n", phenomenon_time=one, result=1.0, received_time=START) for one in times]
    store.append("air", "feed", position, pa.Table.from_pylist(batch, schema=OBSERVATIONS_IN))
    rows += size
    if random.random() < 0.2:
        store.commit("air", {"feed": Progress(position, Counts(rows, rows))})
    if random.random() < 0.02:
        store.compact("air")
print(rows)
"""


def test_a_reader_beside_a_writer_sees_a_count_that_only_grows_and_ends_exact(place: Place) -> None:
    place.store.close()
    program = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n{WRITER}"
    command = [sys.executable, "-c", program, str(place.folder)]
    looks = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as writer:
        seen = 0
        while writer.poll() is None:
            snapshot = place.reader.snapshot("air")
            assert snapshot.rows >= seen
            if looks % 10 == 0:
                rows = content(snapshot)
                assert len(set(rows)) == len(rows) == snapshot.rows
                assert [when for _, when, _ in rows] == sorted(when for _, when, _ in rows)
            seen, looks = snapshot.rows, looks + 1
        assert writer.returncode == 0
        assert writer.stdout is not None
        total = int(writer.stdout.read())
    assert place.reader.snapshot("air").rows == total
    assert looks > 20


def test_the_past_is_read_as_it_was_even_after_compaction(place: Place) -> None:
    moments: list[datetime] = []
    for number in range(1, 5):
        place.store.append("air", "feed", number, observations(("a", number, float(number))))
        place.store.commit("air", {"feed": progress(number)})
        moments.append(datetime.now(UTC))
    place.store.compact("air")
    assert [place.reader.snapshot("air", moment).rows for moment in moments] == [1, 2, 3, 4]
    past = place.reader.snapshot("air", moments[1])
    assert content(past) == [("a:pm10", minute(1), 1.0), ("a:pm10", minute(2), 2.0)]
    assert past.tail is not None
    assert past.tail.num_rows == 0
    assert past.entities is not None
    assert past.entities.num_rows == 1
    assert place.reader.columns("air") == TIMESERIES_COLUMNS


def test_a_snapshot_of_an_unchanged_dataset_costs_next_to_nothing(place: Place) -> None:
    for number in range(1, 40):
        place.store.append("air", "feed", number, observations(("a", number, 1.0)))
        place.store.commit("air", {"feed": progress(number)})
    reader = Reader(str(place.folder / "lake"), place.folder / "data")
    reader.snapshot("air")
    start = time.perf_counter()
    for _ in range(50):
        reader.snapshot("air")
    assert (time.perf_counter() - start) / 50 < 0.01


def test_a_lake_that_was_copied_back_keeps_its_history(place: Place, tmp_path_factory: pytest.TempPathFactory) -> None:
    moments = []
    for number in range(1, 5):
        place.store.append("air", "feed", number, observations(("a", number, 1.0)))
        place.store.commit("air", {"feed": progress(number, number)})
        moments.append(datetime.now(UTC))
    restored = tmp_path_factory.mktemp("restored")
    shutil.copytree(place.folder, restored, dirs_exist_ok=True, copy_function=shutil.copyfile)
    reader = Reader(str(restored / "lake"), restored / "data")
    assert [reader.snapshot("air", moment).rows for moment in moments] == [1, 2, 3, 4]
    assert reader.snapshot("air").time <= moments[-1]
    with pytest.raises(NotFound):
        reader.snapshot("air", moments[0] - timedelta(days=1))
