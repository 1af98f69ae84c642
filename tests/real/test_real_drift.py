"""Years of real counters, whose channels change from month to month, are no drift."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from deploy.real import run

from stadthub_catalog.catalog import Catalog
from stadthub_ingest.judge import Judge
from stadthub_ingest.judged import Payload
from stadthub_ingest.sources import file
from stadthub_pipelines.drift import Watch
from stadthub_schemas.feed import FileSource, load_feed
from stadthub_schemas.finding import Severity

SHARED = Path(os.environ.get("SHARED_DIR") or run.CHECKOUT.parent / "shared")
DATA = SHARED / "data"

#: Every so many months are looked at: the years are long.
STEP = 6


def test_counters_whose_channels_change_over_the_years_alarm_nobody(tmp_path: Path) -> None:
    if not (DATA / "bikecount.tar.xz").is_file():
        pytest.skip("the recorded counters are not there: set SHARED_DIR to the folder that holds data/")
    run.unpack(DATA, tmp_path)
    feed = load_feed(run.FEEDS / "muenster-bicycle-counts.toml")
    assert isinstance(feed.source, FileSource)
    source = feed.source.model_copy(update={"path": tmp_path / "bikecount"})
    catalog = Catalog(f"sqlite:///{tmp_path / 'state.sqlite'}")
    catalog.migrate()
    judge = Judge(feed)
    watch = Watch(feed, judge, catalog)
    sites: dict[str, int] = {}
    for position, fetched in enumerate(file.scan(source, {}), 1):
        site = Path(fetched.name).parent.name
        sites[site] = sites.get(site, 0) + 1
        if sites[site] % STEP:
            continue
        payload = Payload(position, datetime(2026, 1, 1, tzinfo=UTC), fetched.name, fetched.body)
        watch.learn([payload], judge.judge([payload]))
    found = [(one.kind, one.subject, dict(one.details)) for one in catalog.findings(feed.id) if one.severity is not Severity.INFO]
    catalog.close()
    assert len(sites) >= 4
    assert found == []
