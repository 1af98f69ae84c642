"""Nothing that a broker acknowledged is lost or stored twice, however often the worker is killed, and when the disk is full."""

import shutil
from pathlib import Path

import pytest

from stadthub_pipelines.torture import torture


@pytest.mark.timeout(600)
def test_twentyfive_kills_lose_nothing_and_store_nothing_twice(tmp_path: Path) -> None:
    if shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin") is None:
        pytest.skip("mosquitto is not installed: apt-get install mosquitto")
    report = torture(25, tmp_path)
    assert report.acknowledged > 1000
    assert (report.lost, report.twice) == (0, 0)
    assert report.stored == report.acknowledged
