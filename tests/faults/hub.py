"""A worker process beside a calm feed, for tests in which other feeds misbehave: how fresh the calm one stays, how much memory is taken."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from stadthub_catalog.catalog import Catalog
from stadthub_ingest.sources.broker import Publisher
from stadthub_lake.lake import Lake
from stadthub_lake.snapshot import Reader
from stadthub_schemas.errors import NotFound
from stadthub_schemas.query import RowsQuery
from stadthub_schemas.settings import Settings
from tests.servers import KEEPING, Broker, running_mosquitto, wait_until

METADATA = """
[metadata]
title = "Fault"
description = "Fault"
license = "cc0-1.0"
publisher = { name = "test", title = "Test" }
contact = { name = "Test" }
themes = ["TECH"]
"""

JSON = """
decoder = "json_table"
[options]
columns = { thing = "thing", phenomenon_time = "time", result = "value" }
constants = { observed_property = "number" }
"""

#: How long anything may take on a busy machine, in seconds.
PATIENCE = 60.0


def feed(name: str, source: str, decoding: str = JSON) -> str:
    """A feed file."""
    return f'id = "{name}"\ntitle = "{name}"\ndataset = "{name}"\n{decoding}\n[source]\n{source}\n{METADATA}'


def mqtt(broker_port: int, topic: str, more: str = "") -> str:
    """A source at a broker."""
    return f'type = "mqtt"\nhost = "127.0.0.1"\nport = {broker_port}\ntopics = ["{topic}"]\n{more}'


@dataclass
class Hub:
    """A running worker, its broker, and the calm feed beside the others."""

    settings: Settings
    worker: subprocess.Popen[bytes]
    broker: Broker
    catalog: Catalog
    lake: Lake
    publisher: Publisher
    sent: int = 0
    began: datetime = field(default_factory=lambda: datetime.now(UTC) - timedelta(days=1))

    def count(self, dataset: str) -> int:
        with suppress(NotFound):
            return self.lake.count(RowsQuery(dataset))
        return 0

    def wait(self, dataset: str) -> float:
        """How many seconds after the broker took it a message of the calm feed can be queried."""
        body = {"thing": "calm", "time": (self.began + timedelta(seconds=self.sent)).isoformat(), "value": self.sent}
        self.sent += 1
        self.publisher.publish("calm", orjson.dumps(body))
        self.publisher.wait()
        started = time.monotonic()
        wait_until(lambda: self.count(dataset) >= self.sent, f"message {self.sent} of the calm feed is there", PATIENCE)
        return time.monotonic() - started

    def waits(self, times: int = 4) -> float:
        """The longest of several waits of the calm feed."""
        return max(self.wait("calm") for _ in range(times))

    def memory(self) -> int:
        """The most megabytes that the worker held in memory since `forget_peak`."""
        for line in Path(f"/proc/{self.worker.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) // 1000
        raise AssertionError("the worker has no memory: it is gone")

    def forget_peak(self) -> int:
        """Begin to look for the peak anew; answer what the worker holds now, in megabytes."""
        Path(f"/proc/{self.worker.pid}/clear_refs").write_text("5")
        return self.memory()

    def says(self, feed_id: str) -> str:
        """What the operator reads of a feed: its error and the reasons of its newest rejects."""
        with suppress(NotFound):
            rejects = Reader(self.settings.lake, self.settings.data_dir).rejects(feed_id, 5)
            return f"{self.catalog.feed(feed_id).error} {' '.join(rejects['reason'].to_pylist())}"
        return ""

    def wait_for_words(self, feed_id: str, words: str) -> None:
        wait_until(lambda: words in self.says(feed_id), f"{feed_id} says {words!r}: {self.says(feed_id)}", PATIENCE)

    @contextmanager
    def feeds(self, **texts: str) -> Iterator[None]:
        """These feeds are in operation as long as the block runs."""
        paths = [self.settings.feeds / f"{name}.toml" for name in texts]
        for path, text in zip(paths, texts.values(), strict=True):
            path.write_text(text, "utf-8")
        wait_until(lambda: {state.feed for state in self.catalog.feeds()} >= texts.keys(), "the feeds are taken up", PATIENCE)
        try:
            yield
        finally:
            for path in paths:
                path.unlink()
            gone = set(texts)
            wait_until(lambda: not gone & {state.feed for state in self.catalog.feeds()}, "the feeds are given up", PATIENCE)


@contextmanager
def running_hub(folder: Path) -> Iterator[Hub]:
    """A worker in a process of its own, with its broker and the calm feed."""
    settings = Settings(data_dir=folder / "data", min_free_mb=0)
    settings.feeds.mkdir(parents=True)
    with running_mosquitto(folder / "broker", "allow_anonymous true", *KEEPING) as broker:
        (settings.feeds / "calm.toml").write_text(feed("calm", mqtt(broker.port, "calm")), "utf-8")
        environment = {key: value for key, value in os.environ.items() if not key.startswith("STADTHUB_")}
        environment |= {
            "STADTHUB_DATA_DIR": str(settings.data_dir),
            "STADTHUB_MIN_FREE_MB": "0",
            "STADTHUB_COMMIT_SECONDS": "1",
            "STADTHUB_ALLOWED_HOSTS": "127.0.0.1",
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        }
        with (folder / "worker.log").open("wb") as log:
            worker = subprocess.Popen([sys.executable, "-m", "stadthub_pipelines"], env=environment, stdout=log, stderr=log)
        catalog = Catalog(settings.database)
        catalog.migrate()
        lake = Lake(Reader(settings.lake, settings.data_dir))
        publisher = Publisher(broker.host, broker.port)
        try:
            wait_until(lambda: any(state.connected for state in catalog.feeds()), "the worker listens", 3 * PATIENCE)
            yield Hub(settings, worker, broker, catalog, lake, publisher)
        finally:
            publisher.close()
            lake.close()
            catalog.close()
            worker.kill()
            worker.wait()


@contextmanager
def flood(broker: Broker, topic: str, qos: int) -> Iterator[None]:
    """A process publishes to a topic as fast as the broker takes it, as long as the block runs."""
    command = [sys.executable, "-m", "tests.faults.flood", broker.host, str(broker.port), topic, str(qos)]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))})
    try:
        yield
    finally:
        process.kill()
        process.wait()
