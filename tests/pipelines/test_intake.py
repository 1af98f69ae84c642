"""What the catalogue was not told before a kill, it is told at the next start."""

from datetime import UTC, datetime
from pathlib import Path

import orjson

from stadthub_catalog.catalog import Catalog
from stadthub_lake.rawlog import RawLog
from stadthub_lake.store import Store
from stadthub_pipelines.flow import Flow
from stadthub_pipelines.intake import Doors, Intake
from stadthub_schemas.feed import parse_feed
from tests.pipelines.running import PUSH_FEED, row


def test_latest_values_that_a_kill_kept_from_the_catalogue_are_caught_up(tmp_path: Path) -> None:
    feed = parse_feed(PUSH_FEED, "air.toml")
    dataset = feed.described()
    assert dataset is not None
    catalog, store = Catalog(f"sqlite:///{tmp_path / 'state.sqlite'}"), Store(str(tmp_path / "lake"), tmp_path)
    catalog.migrate()
    flow, log = Flow(dataset, store, 3600.0, 25_000), RawLog(tmp_path / "raw")
    intake = flow.intakes["air"] = Intake(feed, dataset, log, Doors(store, catalog))
    _log(log, 1)
    flow.turn()
    flow.remember()
    noted = intake.remembered
    _log(log, 2)
    intake.step()  # judged and, below, committed; then the process dies before the catalogue is told
    flow.note_work()
    flow.commit()
    assert catalog.latest("air")[0]["result"] == 1
    again = Intake(feed, dataset, log, Doors(store, catalog))
    again.remind(noted)
    assert catalog.latest("air")[0]["result"] == 2
    log.close()
    store.close()
    catalog.close()


def _log(log: RawLog, number: int) -> None:
    log.append([(datetime.now(UTC), "push:test", orjson.dumps({"rows": [row(number)]}))])
    log.sync()
