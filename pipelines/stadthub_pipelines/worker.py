"""The worker: all feeds of a folder in operation. The only process of a hub that writes its lake.

One loop looks ten times a second at what is due and hands it to a small pool: turns of datasets, fetches, notes for the
operator page, entries of the catalogue, files, upkeep. A feed that floods, stalls or fails holds no other feed up.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import structlog

from stadthub_catalog.backfills import Backfill
from stadthub_catalog.catalog import Catalog
from stadthub_lake.lake import Lake
from stadthub_lake.snapshot import Reader
from stadthub_lake.store import Store
from stadthub_pipelines.alarms import Alarms
from stadthub_pipelines.backfill import History
from stadthub_pipelines.flow import Flow
from stadthub_pipelines.folder import FeedFolder, Look
from stadthub_pipelines.health import Health
from stadthub_pipelines.intake import Doors
from stadthub_pipelines.publish import Publisher
from stadthub_pipelines.runner import Runner, place_of
from stadthub_pipelines.upkeep import Upkeep
from stadthub_schemas.errors import FeedError, NotFound, StadthubError
from stadthub_schemas.feed import Feed
from stadthub_schemas.settings import Settings, make_data_dir

LOG = structlog.get_logger()

#: How often the loop looks, and how often at the folder of feed files, in seconds.
LOOK = 0.1
FOLDER = 1.0

#: How long a feed that could not start (a full disk, say) waits for another try, in seconds.
ANOTHER_TRY = 10.0

#: Files of a dataset are written again after this long at the earliest.
FILE_SECONDS = 900.0


class Worker:
    """All feeds in operation. `run` returns after `stop`."""

    def __init__(self, settings: Settings) -> None:
        make_data_dir(settings.data_dir)
        self._settings = settings
        self._catalog = Catalog(settings.database)
        self._catalog.migrate()
        self._store = Store(settings.lake, settings.data_dir)
        reader = Reader(settings.lake, settings.data_dir)
        self._lake = Lake(reader, settings.threads, settings.query_seconds * 10)
        self._publisher = Publisher(reader, self._lake, self._catalog, settings.data_dir / "distributions", FILE_SECONDS)
        self._upkeep = Upkeep(self._store, self._catalog)
        self._folder = FeedFolder(settings.feeds)
        self._wanted = Look()
        self._runners: dict[str, Runner] = {}
        self._flows: dict[str, Flow] = {}
        self._busy: dict[str, Future[None]] = {}
        self._due: dict[str, float] = {}
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._flow_pool = ThreadPoolExecutor(2, thread_name_prefix="flow")
        self._pull_pool = ThreadPoolExecutor(8, thread_name_prefix="pull")
        self._history_pool = ThreadPoolExecutor(1, thread_name_prefix="history")
        self._histories: set[int] = set()
        self._health = Health(self._catalog, settings)
        self._alarms = Alarms(self._catalog, settings)
        self._regular: dict[str, tuple[float, Callable[[], None]]] = {
            "wishes": (1.0, self._grant),
            "notes": (1.0, self._note),
            "entries": (15.0, self._announce),
            "files": (5.0, self._write_files),
            "upkeep": (60.0, self._keep_up),
            "watch": (settings.watch_seconds, self._watch),
            "histories": (1.0, self._take_in_histories),
        }
        doors = Doors(self._store, self._catalog)
        self._place = place_of(settings, doors, self._wake.set)

    def run(self) -> None:
        """Work until stopped; then store what is logged and leave everything closed."""
        try:
            while not self._stop.is_set():
                self._look()
                self._wake.wait(LOOK)
                self._wake.clear()
        finally:
            self._close()

    def feed(self, feed_id: str) -> Feed:
        """The feed as it is in operation now; NotFound if none bears that id."""
        if feed_id not in self._runners:
            raise NotFound(f"no feed {feed_id!r} is in operation")
        return self._runners[feed_id].feed

    def stop(self) -> None:
        """Ask `run` to return. May be called from a signal handler."""
        self._stop.set()
        self._wake.set()

    def _look(self) -> None:
        """One look at everything that may be due."""
        if self._is_due("folder", FOLDER):
            self._guarded("folder", self._look_at_folder)
        for runner in self._runners.values():
            self._guarded(f"collect {runner.feed.id}", runner.collect)
            if runner.puller is not None and runner.puller.due and not runner.paused:
                self._start(f"pull {runner.feed.id}", self._pull_pool, runner.pull_once)
        for name, flow in self._flows.items():
            if flow.waiting and self._is_due(f"turn {name}", self._settings.tail_seconds / 2):
                self._start(f"turn {name}", self._flow_pool, flow.turn)
        for what, (seconds, work) in self._regular.items():
            if self._is_due(what, seconds):
                self._start(what, self._pull_pool, work)

    def _is_due(self, what: str, seconds: float) -> bool:
        now = time.monotonic()
        if now < self._due.get(what, 0.0):
            return False
        self._due[what] = now + seconds
        return True

    def _start(self, what: str, pool: ThreadPoolExecutor, work: Callable[[], object]) -> None:
        """Hand it to the pool unless the same is still under way."""
        under_way = self._busy.get(what)
        if under_way is None or under_way.done():
            self._busy[what] = pool.submit(self._guarded, what, work)

    def _guarded(self, what: str, work: Callable[[], object]) -> None:
        """The top of everything that runs in a pool: what goes wrong is told, and tried again at the next look."""
        try:
            work()
        except StadthubError as error:
            LOG.error("failed", what=what, error=str(error))
            self._due[what] = time.monotonic() + 2.0
        except Exception:
            LOG.exception("fault", what=what)
            self._due[what] = time.monotonic() + 10.0

    def _look_at_folder(self) -> None:
        """Take up what changed, and try again what could not start before."""
        look = self._folder.look()
        if look is not None:
            self._wanted = look
            self._apply(look)
        elif self._wanted.feeds.keys() - self._runners.keys() and self._is_due("another try", ANOTHER_TRY):
            self._apply(self._wanted)

    def _apply(self, look: Look) -> None:
        """Start, change and stop feeds so that those run which the folder now holds."""
        for feed_id in [one for one in self._runners if one not in look.feeds and one not in look.wrong]:
            self._runners.pop(feed_id).close()
        for state in self._catalog.feeds():  # also those that were wrong, and those that went while no worker ran
            if state.feed not in look.feeds and state.feed not in look.wrong:
                self._catalog.forget_feed(state.feed)
                LOG.info("feed removed", feed=state.feed)
        for feed_id, feed in look.feeds.items():
            runner = self._runners.get(feed_id)
            if runner is None or runner.feed != feed or runner.flow.dataset != look.datasets[feed_id]:
                self._take_up(feed, look)
        for feed_id, sentence in look.wrong.items():
            self._catalog.note_feed(feed_id, wrong=sentence)
            LOG.warning("feed file is wrong", feed=feed_id, error=sentence)
        for feed_id in look.feeds.keys() - look.wrong.keys():
            self._catalog.note_feed(feed_id, wrong=None)

    def _take_up(self, feed: Feed, look: Look) -> None:
        """Run this feed, in place of an older form of it."""
        old = self._runners.pop(feed.id, None)
        if old is not None:
            old.close()
        dataset = look.datasets[feed.id]
        try:
            flow = self._flows.get(dataset.name)
            if flow is None:
                flow = self._flows[dataset.name] = Flow(dataset, self._store, self._settings.commit_seconds, self._settings.commit_rows)
            flow.describe(dataset)
            runner = self._runners[feed.id] = Runner(feed, flow, self._place)
            self._catalog.note_feed(feed.id, title=feed.title, dataset=feed.dataset, source=feed.source.type, error=None)
            runner.obey(paused=self._catalog.feed(feed.id).paused)
            self._catalog.note_feed(feed.id, **runner.state())
            self._publisher.announce(dataset, feed.id)
        except StadthubError as error:
            LOG.error("feed can't start", feed=feed.id, error=str(error))
            self._catalog.note_feed(feed.id, title=feed.title, dataset=feed.dataset, source=feed.source.type, error=str(error))
            return
        LOG.info("feed taken up", feed=feed.id, source=feed.source.type, dataset=dataset.name)

    def _grant(self) -> None:
        """Do what operators asked for through the catalogue: pause, resume, run, replay."""
        for state in self._catalog.feeds():
            runner = self._runners.get(state.feed)
            if runner is not None:
                runner.obey(paused=state.paused)
                if state.wanted_run is not None:
                    self._catalog.note_feed(state.feed, wanted_run=None)
                    runner.hurry()
                if state.replay_since is not None:
                    self._catalog.note_feed(state.feed, replay_since=None)
                    self._start(f"replay {state.feed}", self._pull_pool, partial(runner.replay, state.replay_since))

    def _note(self) -> None:
        """Write down for the operator page how each feed does."""
        self._catalog.note_feeds({feed_id: runner.state() for feed_id, runner in list(self._runners.items())})

    def _watch(self) -> None:
        """Look whether all feeds are well, and tell of trouble and of its end."""
        self._note()
        self._health.look(self._wanted.feeds, datetime.now(UTC))
        self._alarms.look(self._wanted.feeds, datetime.now(UTC))

    def _take_in_histories(self) -> None:
        """Begin or go on with what history operators asked for."""
        wanted = self._catalog.open_backfills()
        self._histories = {one.id for one in wanted}
        for one in wanted:
            runner = self._runners.get(one.feed)
            if runner is not None:
                history = History(one, runner.feed, runner.flow, self._place, partial(self._leaves_off, one))
                self._start(f"history {one.id}", self._history_pool, history.run)

    def _leaves_off(self, history: Backfill) -> bool:
        """Whether a back-fill is to leave off: the hub stops, the feed is gone, or an operator said so."""
        return self._stop.is_set() or history.feed not in self._runners or history.id not in self._histories

    def _announce(self) -> None:
        """Make the catalogue's entries say what the data say now."""
        for flow in list(self._flows.values()):
            if flow.changed and flow.intakes:
                flow.changed = False
                self._publisher.announce(flow.dataset, next(iter(flow.intakes)))

    def _write_files(self) -> None:
        for flow in list(self._flows.values()):
            if flow.intakes and not self._stop.is_set():
                self._publisher.write_files(flow.dataset, next(iter(flow.intakes)))

    def _keep_up(self) -> None:
        for flow in list(self._flows.values()):
            if not self._stop.is_set():
                self._upkeep.dataset(flow)
        for runner in list(self._runners.values()):
            self._upkeep.raw_log(runner)

    def _close(self) -> None:
        self._history_pool.shutdown(wait=True, cancel_futures=True)
        self._flow_pool.shutdown(wait=True, cancel_futures=True)
        self._pull_pool.shutdown(wait=True, cancel_futures=True)
        for runner in self._runners.values():
            try:
                runner.close()
            except StadthubError as error:
                LOG.error("feed can't be closed", feed=runner.feed.id, error=str(error))
        for feed_id, runner in self._runners.items():
            self._catalog.note_feed(feed_id, **{**runner.state(), "connected": False})
        self._store.close()
        self._lake.close()
        self._catalog.close()


def run_once(feed: Feed, settings: Settings) -> Runner:
    """Run one http or file feed to its end in this process, where no worker runs; answer its runner, closed."""
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
        runner.pull_once()
        publisher = Publisher(reader, lake, catalog, Path(settings.data_dir) / "distributions", FILE_SECONDS)
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
