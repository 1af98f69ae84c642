"""Log lines go to standard error; the work does not hang on anybody reading them."""

import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from stadthub_catalog.catalog import Catalog
from stadthub_schemas.settings import Settings
from tests.cli.running import environment, until

WRONG = 'id = "wrong"\n'


def _worker(folder: Path, stderr: int, **variables: str) -> subprocess.Popen[str]:
    """A worker over a folder in which one feed file is wrong, which it logs."""
    (folder / "feeds").mkdir()
    (folder / "feeds" / "wrong.toml").write_text(WRONG)
    return subprocess.Popen(
        [sys.executable, "-m", "stadthub_pipelines"],
        env=environment(STADTHUB_DATA_DIR=str(folder), STADTHUB_MIN_FREE_MB="0", **variables),
        stderr=stderr,
        text=True,
    )


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_a_worker_works_on_when_nobody_reads_its_log(tmp_path: Path, log_format: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    worker = _worker(tmp_path, writer, STADTHUB_LOG_FORMAT=log_format)
    os.close(writer)
    catalog = Catalog(Settings(data_dir=tmp_path).database)
    catalog.migrate()
    try:
        until(lambda: [state for state in catalog.feeds() if state.wrong], worker)
        (tmp_path / "feeds" / "wrong.toml").unlink()
        until(lambda: not catalog.feeds(), worker)
    finally:
        catalog.close()
        worker.terminate()
        worker.wait(60)


def test_a_line_of_json_tells_what_happened_to_which_feed(tmp_path: Path) -> None:
    worker = _worker(tmp_path, subprocess.PIPE, STADTHUB_LOG_FORMAT="json")
    assert worker.stderr is not None
    try:
        line = orjson.loads(worker.stderr.readline())
        assert (line["level"], line["feed"]) == ("warning", "wrong")
        assert line["timestamp"].endswith("Z")
    finally:
        worker.terminate()
        worker.communicate(timeout=60)
