"""A city of devices: how memory, files and freshness do over an hour in which each sends a message a minute, over a real broker.

    python -m tests.benchmarks.bench_devices [--devices 20000] [--minutes 60] [--pace 60]

The clock of the messages is simulated: `--pace` simulated seconds pass in one real second, at 60 the hour takes a minute and each
second brings as many messages as there are devices; where the machine is slower the hour takes longer. Freshness is measured on real
time, from the acknowledgement of the broker until the lake shows a message of a probe.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from stadthub_catalog.catalog import Catalog
from stadthub_ingest.sources.broker import Publisher
from stadthub_lake.lake import Lake
from stadthub_lake.snapshot import Reader
from stadthub_schemas.errors import NotFound, StorageError
from stadthub_schemas.query import RowsQuery
from stadthub_schemas.settings import Settings
from tests.servers import KEEPING, running_mosquitto, wait_until

FEED = """
id = "{name}"
title = "{name}"
dataset = "{name}"
decoder = "json_table"
[source]
type = "mqtt"
host = "127.0.0.1"
port = {port}
topics = ["{name}/#"]
[options]
columns = {{ thing = "thing", phenomenon_time = "time", result = "value" }}
constants = {{ observed_property = "air_temperature" }}
[metadata]
title = "{name}"
description = "Devices"
license = "cc0-1.0"
publisher = {{ name = "bench", title = "Bench" }}
contact = {{ name = "Bench" }}
themes = ["TECH"]
"""


def main() -> None:
    """Print memory and files every ten simulated minutes, and the freshness of the probe at the end."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=20_000)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--pace", type=float, default=60.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, running_mosquitto(Path(name) / "broker", "allow_anonymous true", *KEEPING) as broker:
        settings = Settings(data_dir=Path(name) / "data", min_free_mb=0)
        settings.feeds.mkdir(parents=True)
        for one in ("devices", "probe"):
            (settings.feeds / f"{one}.toml").write_text(FEED.format(name=one, port=broker.port), "utf-8")
        worker = _worker(settings)
        lake = Lake(Reader(settings.lake, settings.data_dir))
        ended = threading.Event()
        waits: list[float] = []
        probe = threading.Thread(target=_probe, args=(lake, broker.port, ended, waits))
        try:
            wait_until(lambda: _connected(settings) == 2, "the worker listens", 120)
            probe.start()
            _hour(settings, worker, lake, broker.port, arguments)
        finally:
            ended.set()
            probe.join()
            lake.close()
            worker.terminate()
            worker.wait()
    waits.sort()
    middle, late = statistics.median(waits), waits[int(len(waits) * 0.95)]
    print(f"freshness, {len(waits)} samples: median {middle:.2f} s, p95 {late:.2f} s, longest {waits[-1]:.2f} s (aim: 2 s)")


def _hour(settings: Settings, worker: subprocess.Popen[bytes], lake: Lake, port: int, arguments: argparse.Namespace) -> None:
    """Publish minute after minute, and print how the worker does."""
    print(f"{'minute':>6} {'rows':>10} {'RSS MB':>7} {'lake files':>10} {'lake MB':>8} {'raw files':>9} {'raw MB':>7} {'tail files':>10}")
    publisher = Publisher("127.0.0.1", port)
    start, began = datetime.now(UTC) - timedelta(minutes=arguments.minutes), time.perf_counter()
    for minute in range(arguments.minutes):
        moment = (start + timedelta(minutes=minute)).isoformat()
        for device in range(arguments.devices):
            body = {"thing": f"device-{device}", "time": moment, "value": (device + minute) % 400 / 10}
            publisher.publish(f"devices/{device}", orjson.dumps(body))
            if device % 1000 == 999:
                publisher.wait(120)
        publisher.wait(120)
        time.sleep(max(0.0, began + (minute + 1) * 60 / arguments.pace - time.perf_counter()))
        if minute % 10 == 9 or minute == arguments.minutes - 1:
            _print(settings, worker, lake, minute + 1)
    published = time.perf_counter() - began
    wanted = arguments.devices * arguments.minutes
    wait_until(lambda: _count(lake, "devices") >= wanted, f"{wanted} rows", 600)
    seconds = time.perf_counter() - began
    print(f"all {wanted:,} rows can be queried {seconds - published:.1f} s after the last acknowledgement; the hour took {seconds:.0f} s")
    publisher.close()


def _print(settings: Settings, worker: subprocess.Popen[bytes], lake: Lake, minute: int) -> None:
    folder = settings.data_dir
    (lake_files, lake_bytes), (raw_files, raw_bytes), (tail_files, _) = (
        _files(folder / part / "devices") for part in ("lake", "raw", "tail")
    )
    memory = next(line for line in Path(f"/proc/{worker.pid}/status").read_text().splitlines() if line.startswith("VmRSS:"))
    print(
        f"{minute:>6} {_count(lake, 'devices'):>10,} {int(memory.split()[1]) / 1000:>7.0f} {lake_files:>10} {lake_bytes / 1e6:>8.1f}"
        f" {raw_files:>9} {raw_bytes / 1e6:>7.1f} {tail_files:>10}",
        flush=True,
    )


def _files(folder: Path) -> tuple[int, int]:
    """How many files, and their bytes."""
    sizes = []
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            if path.is_file():
                sizes.append(path.stat().st_size)
    return len(sizes), sum(sizes)


def _probe(lake: Lake, port: int, ended: threading.Event, waits: list[float]) -> None:
    """Twice a second: how long a message of a feed beside takes to be seen."""
    publisher = Publisher("127.0.0.1", port)
    number = 0
    while not ended.wait(0.5):
        body = {"thing": "probe", "time": (datetime.now(UTC) - timedelta(days=1) + timedelta(seconds=number)).isoformat(), "value": 1}
        publisher.publish("probe/1", orjson.dumps(body))
        publisher.wait(120)
        number += 1
        started = time.perf_counter()
        while _count(lake, "probe") < number and not ended.is_set():
            time.sleep(0.02)
        waits.append(time.perf_counter() - started)
    publisher.close()


def _count(lake: Lake, dataset: str) -> int:
    with suppress(NotFound):
        return lake.count(RowsQuery(dataset))
    return 0


def _connected(settings: Settings) -> int:
    catalog = Catalog(settings.database)
    try:
        return sum(state.connected for state in catalog.feeds())
    except StorageError:
        return 0
    finally:
        catalog.close()


def _worker(settings: Settings) -> subprocess.Popen[bytes]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("STADTHUB_")}
    environment |= {"STADTHUB_DATA_DIR": str(settings.data_dir), "STADTHUB_MIN_FREE_MB": "0"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    return subprocess.Popen(
        [sys.executable, "-m", "stadthub_pipelines"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


if __name__ == "__main__":
    main()
