"""Nothing that a broker acknowledged is lost or stored twice, however often the worker is killed, and when the disk is full."""

import shutil
from pathlib import Path

import pytest

from stadthub_pipelines.torture import torture

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed: apt-get install mosquitto")


@pytest.mark.timeout(600)
def test_twentyfive_kills_lose_nothing_and_store_nothing_twice(tmp_path: Path) -> None:
    report = torture(25, tmp_path)
    assert report.acknowledged > 1000
    assert (report.lost, report.twice) == (0, 0)
    assert report.stored == report.acknowledged


@pytest.mark.timeout(600)
def test_two_workers_that_are_killed_and_get_the_same_messages_store_each_once(tmp_path: Path) -> None:
    report = torture(4, tmp_path, workers=2)
    assert report.acknowledged > 200
    assert (report.lost, report.twice) == (0, 0)
    assert report.stored == report.acknowledged
