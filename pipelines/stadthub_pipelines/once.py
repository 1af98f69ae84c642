"""One run of one feed in this process, where no worker runs."""

from stadthub_catalog.catalog import Catalog
from stadthub_lake.lake import Lake
from stadthub_lake.snapshot import Reader
from stadthub_lake.store import Store
from stadthub_pipelines.flow import Flow
from stadthub_pipelines.folder import FeedFolder, Look
from stadthub_pipelines.intake import Doors
from stadthub_pipelines.memory import keep_memory
from stadthub_pipelines.publish import FILE_SECONDS, Publisher
from stadthub_pipelines.runner import Runner, place_of
from stadthub_schemas.errors import FeedError
from stadthub_schemas.feed import Feed
from stadthub_schemas.settings import Settings, make_data_dir


def run_once(feed: Feed, settings: Settings) -> Runner:
    """Run one http or file feed to its end in this process, where no worker runs; answer its runner, closed."""
    keep_memory()
    make_data_dir(settings.data_dir)
    catalog = Catalog(settings.database)
    catalog.migrate()
    store = Store(settings.lake, settings.data_dir)
    reader = Reader(settings.lake, settings.data_dir)
    lake = Lake(reader, settings.threads)
    try:
        look = FeedFolder(settings.feeds).look() or Look()
        dataset = look.datasets.get(feed.id) or feed.described()
        if dataset is None:
            raise FeedError(f"{feed.id}: metadata: no feed file describes dataset {feed.dataset!r}: add a [metadata] table")
        place = place_of(settings, Doors(store, catalog), _nothing)
        runner = Runner(feed, Flow(dataset, store, settings.commit_seconds, settings.commit_rows), place)
        catalog.note_feed(feed.id, **runner.state())
        runner.obey(paused=False)
        runner.grant_releases()
        runner.pull_once()
        runner.flow.turn()
        publisher = Publisher(reader, lake, catalog, settings.data_dir / "distributions", FILE_SECONDS)
        publisher.originals.know(feed)
        catalog.note_feed(feed.id, **runner.state())
        runner.close()
        publisher.announce(dataset, feed.id)
        publisher.write_files(dataset, feed.id)
        return runner
    finally:
        store.close()
        lake.close()
        catalog.close()


def _nothing() -> None:
    """Nobody waits to be told."""
