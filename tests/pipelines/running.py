"""A worker in operation over a folder, for tests: started in a thread, asked through lake and catalogue, stopped at the end."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from stadthub_catalog.catalog import Catalog
from stadthub_lake.lake import Lake
from stadthub_lake.snapshot import Reader
from stadthub_pipelines.spool import Spooling
from stadthub_pipelines.worker import Worker
from stadthub_schemas.errors import NotFound
from stadthub_schemas.query import RowsQuery
from stadthub_schemas.settings import Settings

#: How long anything may take on a busy machine, in seconds.
PATIENCE = 60.0

METADATA = """
[metadata]
title = "Luft"
description = "Werte zum Testen"
license = "cc0-1.0"
publisher = { name = "musterstadt", title = "Musterstadt" }
contact = { name = "Team", email = "team@musterstadt.example" }
themes = ["ENVI"]
"""

PUSH_FEED = (
    """
id = "air"
title = "Air"
dataset = "air"
decoder = "json_table"
[source]
type = "push"
[options]
rows = "rows"
columns = { thing = "thing", observed_property = "property", phenomenon_time = "time", result = "result" }
"""
    + METADATA
)


@dataclass
class Running:
    """What a test may do with a running worker."""

    settings: Settings
    worker: Worker
    catalog: Catalog
    lake: Lake
    reader: Reader

    def push(self, feed: str, *rows: dict[str, Any]) -> None:
        """Hand a body over as the api process does."""
        self.push_bytes(feed, orjson.dumps({"rows": rows}))

    def push_bytes(self, feed: str, body: bytes) -> None:
        spooling = Spooling(self.settings.data_dir / "push" / feed, "application/json", "test")
        spooling.write(body)
        spooling.keep()

    def count(self, dataset: str) -> int:
        with suppress(NotFound):
            return self.lake.count(RowsQuery(dataset))
        return 0

    def results(self, dataset: str) -> list[float]:
        return sorted(self.lake.rows(RowsQuery(dataset, columns=("result",), limit=None)).table.column("result").to_pylist())

    def wait(self, true: Callable[[], bool], seconds: float = PATIENCE) -> None:
        """Wait until it is true; fail when it does not become so."""
        wait(true, seconds)


def wait(true: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Wait until it is true; fail when it does not become so."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(NotFound):
            if true():
                return
        time.sleep(0.02)
    raise AssertionError(f"it did not become true within {seconds} s")


@contextmanager
def worker(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """A worker as a process of its own, for tests that kill it; gone at the end in any case."""
    variables = {"DATA_DIR": settings.data_dir, "COMMIT_SECONDS": 0.3, "TAIL_SECONDS": 0.1, "MIN_FREE_MB": 0}
    environment = {"PATH": "", **{f"STADTHUB_{name}": str(value) for name, value in variables.items()}}
    process = subprocess.Popen([sys.executable, "-m", "stadthub_pipelines"], env=environment, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def running(folder: Path, feeds: dict[str, str], **changes: Any) -> Iterator[Running]:
    """A worker over the folder, with these feed files."""
    settings = Settings.model_validate({"data_dir": folder, "commit_seconds": 0.5, "tail_seconds": 0.2, "min_free_mb": 0, **changes})
    settings.feeds.mkdir(parents=True, exist_ok=True)
    for name, text in feeds.items():
        (settings.feeds / f"{name}.toml").write_text(text, "utf-8")
    worker = Worker(settings)
    thread = threading.Thread(target=worker.run)
    thread.start()
    catalog = Catalog(settings.database)
    reader = Reader(settings.lake, settings.data_dir)
    lake = Lake(reader)
    try:
        yield Running(settings, worker, catalog, lake, reader)
    finally:
        worker.stop()
        thread.join(timeout=60)
        lake.close()
        catalog.close()
        assert not thread.is_alive()


def row(number: int, result: object = None, thing: str = "a") -> dict[str, Any]:
    """A row of its own time."""
    return {
        "thing": thing,
        "property": "air_temperature",
        "time": f"2026-01-01T{number // 60:02}:{number % 60:02}:00Z",
        "result": number % 40 if result is None else result,
    }
