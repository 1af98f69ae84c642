"""The proof that nothing is lost and nothing comes twice: a real broker, a publisher, and workers that are killed again and again.

Every message bears a number of its own as its phenomenon time. In the end each number that the broker acknowledged must stand in
the lake once. Workers are killed with SIGKILL at random moments, so at every step of logging, judging and committing. Several of
them share one subscription; then each message is sent to all of them, as a broker does that hands on what a killed one had not
acknowledged.
"""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from stadthub_catalog.catalog import Catalog
from stadthub_ingest.sources.broker import Publisher
from stadthub_lake.lake import Lake
from stadthub_lake.snapshot import Reader
from stadthub_schemas.errors import NotFound, SourceError
from stadthub_schemas.query import RowsQuery
from stadthub_schemas.settings import Settings

#: The first number stands for this moment, each next one for a millisecond later.
BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
DATASET = "torture"
THINGS = 10

FEED = """
id = "torture"
title = "Torture"
dataset = "torture"
decoder = "json_table"

[source]
type = "mqtt"
host = "127.0.0.1"
port = {port}
topics = ["torture/#"]
in_flight = 200
{shared}

[options]
columns = {{ thing = "thing", phenomenon_time = "time", result = "number" }}
constants = {{ observed_property = "number" }}

[metadata]
title = "Torture"
description = "Numbered messages"
license = "cc0-1.0"
publisher = {{ name = "torture", title = "Torture" }}
contact = {{ name = "Torture" }}
themes = ["TECH"]
"""

BROKER = """
listener {port} 127.0.0.1
allow_anonymous true
max_queued_messages 0
max_inflight_messages 1000
"""


@dataclass(frozen=True, slots=True)
class Report:
    """How many messages the broker acknowledged, how many of them the lake has, lacks, or has more than once."""

    cycles: int
    workers: int
    acknowledged: int
    stored: int
    lost: int
    twice: int
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether none is lost and none is there twice."""
        return self.lost == 0 and self.twice == 0 and self.acknowledged > 0


def torture(cycles: int, folder: Path, workers: int = 1, told: Callable[[int], None] = lambda _: None) -> Report:
    """Kill one of the workers, or some, `cycles` times while messages flow, then compare. `told` is called after each kill with its
    number."""
    started = time.monotonic()
    port = _free_port()
    settings = _prepare(folder, port, workers)
    broker = _broker(folder, port)
    crew = _Crew(folder, workers)
    try:
        start = crew.first_start(settings)
        flood = _Flood(port, workers)
        flood.start()
        for cycle in range(cycles):
            crew.start()
            time.sleep(random.uniform(0.5 * start, start + 2.0))
            crew.kill_some()
            told(cycle + 1)
        acknowledged = flood.stop()
        crew.start()
        _wait_for(settings, acknowledged, seconds=120 + acknowledged / 2000)
        crew.stop()
    finally:
        crew.kill()
        broker.terminate()
        broker.wait()
    seen = _numbers(settings)
    return Report(
        cycles=cycles,
        workers=workers,
        acknowledged=acknowledged,
        stored=sum(1 for number in range(acknowledged) if number in seen),
        lost=sum(1 for number in range(acknowledged) if number not in seen),
        twice=sum(1 for times in seen.values() if times > 1),
        seconds=time.monotonic() - started,
    )


class _Crew:
    """The workers over one folder: the main one, and others with names."""

    def __init__(self, folder: Path, workers: int) -> None:
        self._folder = folder
        self._names = ["", *(f"worker-{number}" for number in range(2, workers + 1))]
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start those that do not run."""
        for name in self._names:
            if name not in self._running:
                self._running[name] = _worker(self._folder, name)

    def first_start(self, settings: Settings) -> float:
        """Start them once so that the broker knows their sessions; answer how many seconds that took."""
        started = time.monotonic()
        self.start()
        while _connected(settings) < len(self._names):
            if time.monotonic() - started > 180 or any(one.poll() is not None for one in self._running.values()):
                raise SourceError("the workers do not start: look at worker.log")
            time.sleep(0.05)
        self.kill()
        return time.monotonic() - started

    def kill_some(self) -> None:
        """Kill one of them or more, whatever they are doing."""
        for name in random.sample(self._names, random.randint(1, len(self._names))):
            self._running[name].kill()
            self._running.pop(name).wait()

    def kill(self) -> None:
        """Kill all that run."""
        for one in self._running.values():
            one.kill()
            one.wait()
        self._running.clear()

    def stop(self) -> None:
        """Let all end in order."""
        for one in self._running.values():
            one.send_signal(signal.SIGTERM)
        for one in self._running.values():
            one.wait(timeout=60)
        self._running.clear()


class _Flood(threading.Thread):
    """Publishes numbered messages with QoS 1 until stopped, each so many times and only after the broker has taken the ones before."""

    def __init__(self, port: int, times: int) -> None:
        super().__init__(daemon=True)
        self._times = times
        self._publisher = Publisher("127.0.0.1", port)
        self._ended = threading.Event()
        self._sent = 0

    def run(self) -> None:
        while not self._ended.is_set():
            for _ in range(20):
                moment = BEGIN + timedelta(milliseconds=self._sent)
                thing = f"thing-{self._sent % THINGS}"
                body = orjson.dumps({"thing": thing, "time": moment.isoformat(), "number": self._sent})
                for _ in range(self._times):
                    self._publisher.publish(f"torture/{thing}", body)
                self._sent += 1
            self._publisher.wait()
            time.sleep(0.01)

    def stop(self) -> int:
        """Stop; answer how many messages the broker acknowledged, which is all of them."""
        self._ended.set()
        self.join()
        self._publisher.close()
        return self._sent


def _prepare(folder: Path, port: int, workers: int) -> Settings:
    feeds = folder / "feeds"
    feeds.mkdir(parents=True, exist_ok=True)
    (feeds / "torture.toml").write_text(FEED.format(port=port, shared='shared = "torture"' if workers > 1 else ""), "utf-8")
    return Settings(data_dir=folder, commit_seconds=1.0, min_free_mb=0)


def _broker(folder: Path, port: int) -> subprocess.Popen[bytes]:
    program = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if program is None:
        raise SourceError("mosquitto is not installed: apt-get install mosquitto")
    configuration = folder / "mosquitto.conf"
    configuration.write_text(BROKER.format(port=port), "utf-8")
    broker = subprocess.Popen([program, "-c", str(configuration)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return broker
        time.sleep(0.05)
    broker.kill()
    raise SourceError("mosquitto does not answer")


def _worker(folder: Path, name: str) -> subprocess.Popen[bytes]:
    """A worker process of its own over the folder."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("STADTHUB_")}
    environment |= {
        "STADTHUB_DATA_DIR": str(folder),
        "STADTHUB_WORKER": name,
        "STADTHUB_COMMIT_SECONDS": "1",
        "STADTHUB_MIN_FREE_MB": "0",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    with (folder / "worker.log").open("ab") as log:
        return subprocess.Popen([sys.executable, "-m", "stadthub_pipelines"], env=environment, stdout=log, stderr=log)


def _connected(settings: Settings) -> int:
    """How many workers have noted that the broker answers them."""
    catalog = Catalog(settings.database)
    try:
        catalog.migrate()
        return sum(state.connected for state in catalog.feeds())
    finally:
        catalog.close()


def _wait_for(settings: Settings, acknowledged: int, seconds: float) -> None:
    """Wait until as many rows are there as were acknowledged, or the time is over."""
    lake = Lake(Reader(settings.lake, settings.data_dir))
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            try:
                if lake.count(RowsQuery(DATASET)) >= acknowledged:
                    return
            except NotFound:
                pass
            time.sleep(0.2)
    finally:
        lake.close()


def _numbers(settings: Settings) -> Counter[int]:
    """How often each number stands in the lake."""
    lake = Lake(Reader(settings.lake, settings.data_dir))
    try:
        table = lake.rows(RowsQuery(DATASET, columns=("result",), limit=None)).table
    finally:
        lake.close()
    return Counter(int(number) for number in table.column("result").to_pylist())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
