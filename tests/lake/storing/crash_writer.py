"""A worker in small: numbered frames into the raw log, told when they are on disk, decoded into the lake. It is killed at any moment."""

import random
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from stadthub_lake import rawlog
from stadthub_lake.rawlog import Frame, RawLog
from stadthub_lake.store import Progress, Store
from stadthub_schemas.counts import Counts
from stadthub_schemas.rows import OBSERVATIONS_IN, REJECTS

START = datetime(2026, 3, 1, tzinfo=UTC)


def decode(frames: list[Frame]) -> tuple[pa.Table, pa.Table]:
    """One row for each frame; every 50th is refused, and the time of every 7th is late."""
    rows, rejects = [], []
    for frame in frames:
        number = int(frame.body)
        if number % 50 == 0:
            rejects.append({"position": frame.position, "row": 0, "received_time": START, "reason": "no", "excerpt": str(number)})
            continue
        when = START + timedelta(seconds=number if number % 7 else number - 100_000)
        rows.append(
            {
                "thing": f"t{number % 5}",
                "observed_property": "n",
                "phenomenon_time": when,
                "result": float(number),
                "received_time": START,
            }
        )
    return pa.Table.from_pylist(rows, schema=OBSERVATIONS_IN), pa.Table.from_pylist(rejects, schema=REJECTS)


class Worker:
    """Follows the raw log from where the lake is."""

    def __init__(self, folder: Path) -> None:
        self.log = RawLog(folder / "data" / "raw" / "feed")
        self.store = Store(str(folder / "lake"), folder / "data")
        self.state = self.store.progress("air", "feed")

    def follow(self, most: int) -> bool:
        """Whether there was something to decode."""
        frames = self.log.read(self.state.position, most)
        if not frames:
            return False
        rows, rejects = decode(frames)
        appended = self.store.append("air", "feed", frames[-1].position, rows)
        self.store.reject("feed", frames[-1].position, rejects)
        counts = Counts(len(frames), appended.stored, appended.duplicate, rejects.num_rows)
        self.state = Progress(frames[-1].position, self.state.counts + counts)
        return True

    def commit(self) -> None:
        self.store.commit("air", {"feed": self.state})


def main(folder: Path) -> None:
    """Runs until it is killed."""
    rawlog.SEGMENT_BYTES = 50_000
    worker = Worker(folder)
    while True:
        first = worker.log.last + 1
        worker.log.append([(START, "t", b"%d" % number) for number in range(first, first + random.randint(1, 300))])
        worker.log.sync()
        sys.stdout.write(f"{worker.log.last}\n")
        sys.stdout.flush()
        worker.follow(random.randint(1, 400))
        chance = random.random()
        if chance < 0.4:
            worker.commit()
        if chance < 0.04:
            worker.store.compact("air")
        if chance < 0.08:
            worker.log.compress()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
