"""What the lake holds of real input agrees with a count of the same files by the standard library alone."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from deploy.real import run
from deploy.real.counts import FEEDS, count

from stadthub_schemas.settings import Settings

SHARED = Path(os.environ.get("SHARED_DIR") or run.CHECKOUT.parent / "shared")
DATA = SHARED / "data"


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where what comes in archives is unpacked, and what came out of one is packed."""
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[run.Hub]:
    """One hub for all feeds, as `make real` has it."""
    with run.opened(Settings(data_dir=tmp_path_factory.mktemp("hub"), min_free_mb=0)) as opened:
        yield opened


@pytest.mark.parametrize("name", FEEDS)
def test_the_lake_holds_what_was_counted(name: str, hub: run.Hub, work: Path) -> None:
    counted = count(name, DATA)
    if counted is None:
        pytest.skip(f"the recorded input of {name} is not there: set SHARED_DIR to the folder that holds data/")
    if name == "muenster-bicycle-counts":
        run.unpack(DATA, work)
    run.pack(DATA, work)
    feed = run.settle(run.FEEDS / f"{name}.toml", (DATA, work), hub.settings.feeds)
    assert feed is not None
    outcome = run.load(feed, hub, counted)
    assert outcome.differences == ()
    assert outcome.counts.balanced
    assert outcome.counts.received == outcome.fresh == counted.received > 0
    assert sum(number for _, number in outcome.refused) == counted.rejected
    if counted.stored:
        assert hub.catalog.entry(feed.dataset).distributions
    again = run.load(feed, hub, counted)
    assert (again.fresh, again.counts, again.differences) == (0, outcome.counts, ())


def test_every_real_feed_has_its_independent_count() -> None:
    assert {path.stem for path in run.FEEDS.glob("*.toml")} == set(FEEDS)
