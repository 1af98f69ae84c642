"""What the lake holds of real input agrees with a count of the same files by csv and json alone."""

import os
from pathlib import Path

import pytest
from deploy.real import run
from deploy.real.counts import FEEDS, count

from stadthub_schemas.settings import Settings

SHARED = Path(os.environ.get("SHARED_DIR") or run.CHECKOUT.parent / "shared")
DATA = SHARED / "data"


@pytest.mark.parametrize("name", FEEDS)
def test_the_lake_holds_what_csv_and_json_count(name: str, tmp_path: Path) -> None:
    counted = count(name, DATA)
    if counted is None:
        pytest.skip(f"the recorded input of {name} is not there: set SHARED_DIR to the folder that holds data/")
    settings = Settings(data_dir=tmp_path / "hub", min_free_mb=0)
    if name == "muenster-bicycle-counts":
        run.unpack(DATA, tmp_path)
    with run.opened(settings) as hub:
        feed = run.settle(run.FEEDS / f"{name}.toml", (DATA, tmp_path), settings.feeds)
        assert feed is not None
        outcome = run.load(feed, hub, counted)
        assert outcome.differences == ()
        assert outcome.counts.balanced
        assert outcome.counts.received == outcome.fresh == counted.received
        assert hub.catalog.entry(feed.dataset).distributions
        again = run.load(feed, hub, counted)
    assert (again.fresh, again.counts, again.differences) == (0, outcome.counts, ())


def test_every_real_feed_has_its_independent_count() -> None:
    assert {path.stem for path in run.FEEDS.glob("*.toml")} == set(FEEDS)
