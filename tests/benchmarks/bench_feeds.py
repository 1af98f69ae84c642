"""From a broker's acknowledgement to a row that the API answers with, with 200 feeds at once.

    python -m tests.benchmarks.bench_feeds [--feeds 200] [--seconds 30]

Two hundred MQTT feeds of one worker each get a message a second. For a sample of messages it is measured how long after
the acknowledgement the lake shows them, as the api process would ask.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import orjson

from stadthub_ingest.sources.broker import Publisher
from stadthub_lake.lake import Lake
from stadthub_lake.snapshot import Reader
from stadthub_schemas.errors import NotFound
from stadthub_schemas.query import RowsQuery
from stadthub_schemas.settings import Settings
from tests.servers import KEEPING, running_mosquitto

FEED = """
id = "feed-{number}"
title = "Feed {number}"
dataset = "feed-{number}"
decoder = "json_table"
[source]
type = "mqtt"
host = "127.0.0.1"
port = {port}
topics = ["fresh/{number}"]
[options]
columns = {{ thing = "thing", phenomenon_time = "time", result = "value" }}
constants = {{ observed_property = "air_temperature" }}
[metadata]
title = "Feed {number}"
description = "Feed"
license = "cc0-1.0"
publisher = {{ name = "bench", title = "Bench" }}
contact = {{ name = "Bench" }}
themes = ["TECH"]
"""


def main() -> None:
    """Print median, 95th percentile and maximum of the seconds from acknowledgement to answer."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feeds", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=30.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, running_mosquitto(Path(name) / "broker", "allow_anonymous true", *KEEPING) as broker:
        settings = Settings(data_dir=Path(name) / "data", min_free_mb=0)
        settings.feeds.mkdir(parents=True)
        for number in range(arguments.feeds):
            (settings.feeds / f"feed-{number}.toml").write_text(FEED.format(number=number, port=broker.port), "utf-8")
        worker = _worker(settings)
        publisher = Publisher("127.0.0.1", broker.port)
        lake = Lake(Reader(settings.lake, settings.data_dir))
        try:
            started = time.perf_counter()
            while sum(_count(lake, f"feed-{number}") > 0 for number in range(arguments.feeds)) < arguments.feeds:
                _publish_all(publisher, arguments.feeds)
                time.sleep(1)
            print(f"{arguments.feeds} feeds listen after {time.perf_counter() - started:.1f} s")
            waits = _sample(lake, publisher, arguments.feeds, arguments.seconds)
        finally:
            lake.close()
            publisher.close()
            worker.terminate()
            worker.wait()
    waits.sort()
    middle, late = statistics.median(waits), waits[int(len(waits) * 0.95)]
    print(f"{len(waits)} samples: median {middle:.2f} s, p95 {late:.2f} s, longest {waits[-1]:.2f} s (aim: 2 s)")


def _sample(lake: Lake, publisher: Publisher, feeds: int, seconds: float) -> list[float]:
    """How long each sampled message took to be seen."""
    waits: list[float] = []
    end = time.perf_counter() + seconds
    turn = 0
    while time.perf_counter() < end:
        dataset = f"feed-{turn * 37 % feeds}"
        before = _count(lake, dataset)
        _publish_all(publisher, feeds)
        acknowledged = time.perf_counter()
        while _count(lake, dataset) <= before:
            time.sleep(0.01)
        waits.append(time.perf_counter() - acknowledged)
        turn += 1
        time.sleep(max(0.0, 1.0 - waits[-1]))
    return waits


def _publish_all(publisher: Publisher, feeds: int) -> None:
    moment = datetime.now(UTC).isoformat()
    for number in range(feeds):
        publisher.publish(f"fresh/{number}", orjson.dumps({"thing": "a", "time": moment, "value": 1}))
    publisher.wait()


def _count(lake: Lake, dataset: str) -> int:
    with suppress(NotFound):
        return lake.count(RowsQuery(dataset))
    return 0


def _worker(settings: Settings) -> subprocess.Popen[bytes]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("STADTHUB_")}
    environment |= {"STADTHUB_DATA_DIR": str(settings.data_dir), "STADTHUB_MIN_FREE_MB": "0"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    return subprocess.Popen(
        [sys.executable, "-m", "stadthub_pipelines"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


if __name__ == "__main__":
    main()
