"""A full disk: the hub refuses, keeps answering, and takes everything in once there is room; nothing acknowledged is lost."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import orjson
import pytest

from stadthub_catalog.catalog import Catalog
from stadthub_ingest.sources.broker import Publisher
from stadthub_lake.lake import Lake
from stadthub_lake.snapshot import Reader
from stadthub_pipelines.torture import FEED
from stadthub_schemas.errors import StadthubError
from stadthub_schemas.query import RowsQuery
from stadthub_schemas.settings import Settings
from tests.servers import KEEPING, running_mosquitto, wait_until

SIZE = "48m"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with 48 MB."""
    place = tmp_path / "small"
    place.mkdir()
    mount = shutil.which("mount")
    if (
        os.geteuid() != 0
        or mount is None
        or subprocess.run([mount, "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", place], check=False).returncode
    ):
        pytest.skip("a small disk can't be mounted here: run the tests as root (sudo make test)")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


@pytest.mark.timeout(180)
def test_a_full_disk_refuses_and_recovers_and_loses_nothing(tmp_path: Path, small_disk: Path) -> None:
    with running_mosquitto(tmp_path / "broker", "allow_anonymous true", *KEEPING) as broker:
        settings = Settings(data_dir=small_disk, commit_seconds=0.5, min_free_mb=0)
        settings.feeds.mkdir()
        (settings.feeds / "torture.toml").write_text(FEED.format(port=broker.port, shared=""), "utf-8")
        worker = _worker(tmp_path, small_disk)
        lake = Lake(Reader(settings.lake, settings.data_dir))
        publisher = Publisher("127.0.0.1", broker.port)
        try:
            wait_until(lambda: _settled(lake, publisher), "the worker listens", 60)
            _publish(publisher, 1, 500)
            wait_until(lambda: _count(lake) == 500, "500 rows", 30)
            filler = small_disk / "filler"
            _fill(filler)
            _publish(publisher, 500, 2500)
            time.sleep(3)
            assert worker.poll() is None
            assert _count(lake) < 2500
            filler.unlink()
            wait_until(lambda: _count(lake) == 2500, "2500 rows", 60)
        finally:
            publisher.close()
            worker.send_signal(signal.SIGTERM)
            worker.wait(timeout=60)
        results = lake.rows(RowsQuery("torture", columns=("result",), limit=None)).table.column("result").to_pylist()
        lake.close()
        assert sorted(results) == list(range(2500))
        catalog = Catalog(settings.database)
        counts = catalog.feed("torture").counts
        catalog.close()
        assert counts.balanced
        assert counts.stored == 2500


def _settled(lake: Lake, publisher: Publisher) -> bool:
    """Number 0 is published until it is stored: then the worker's session stands."""
    _publish(publisher, 0, 1)
    return _count(lake) == 1


def _publish(publisher: Publisher, first: int, end: int) -> None:
    for number in range(first, end):
        body = {
            "thing": f"thing-{number % 10}",
            "time": f"2020-01-01T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}Z",
            "number": number,
        }
        publisher.publish(f"torture/{number % 10}", orjson.dumps(body))
    publisher.wait()


def _count(lake: Lake) -> int:
    with suppress(StadthubError):
        return lake.count(RowsQuery("torture"))
    return 0


def _fill(path: Path) -> None:
    """Take all the room that there is."""
    with path.open("wb", buffering=0) as out, suppress(OSError):
        for size in (1_000_000, 1000, 1):
            while True:
                with suppress(OSError):
                    if out.write(b"\0" * size) == size:
                        continue
                break


def _worker(folder: Path, data_dir: Path) -> subprocess.Popen[bytes]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("STADTHUB_")}
    environment |= {"STADTHUB_DATA_DIR": str(data_dir), "STADTHUB_MIN_FREE_MB": "0", "STADTHUB_COMMIT_SECONDS": "0.5"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    with (folder / "worker.log").open("wb") as log:
        return subprocess.Popen([sys.executable, "-m", "stadthub_pipelines"], env=environment, stdout=log, stderr=log)
