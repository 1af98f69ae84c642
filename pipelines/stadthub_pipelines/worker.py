"""The worker: all feeds of a folder in operation. With the other workers of a hub, if it has some, it alone writes the lake.

One loop looks ten times a second at what is due and hands it to a small pool: turns of datasets, fetches, notes for the
operator page, entries of the catalogue, files, upkeep. A feed that floods, stalls or fails holds no other feed up.

A worker with a name is a further one: it takes part in the shared subscriptions of MQTT feeds and leaves all else to the main one.
"""

import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog

from stadthub_catalog.catalog import Catalog
from stadthub_lake.lake import Lake
from stadthub_lake.snapshot import Reader
from stadthub_lake.store import Store
from stadthub_pipelines.alarms import Alarms
from stadthub_pipelines.certificates import look_at_certificate
from stadthub_pipelines.derive import rooms
from stadthub_pipelines.deriver import Deriver
from stadthub_pipelines.errands import Errands
from stadthub_pipelines.flow import Flow
from stadthub_pipelines.folder import FeedFolder, Look
from stadthub_pipelines.health import Health
from stadthub_pipelines.histories import Histories
from stadthub_pipelines.intake import Doors
from stadthub_pipelines.loads import Loads, is_load
from stadthub_pipelines.memory import keep_memory
from stadthub_pipelines.publish import FILE_SECONDS, Publisher
from stadthub_pipelines.rota import Rota
from stadthub_pipelines.runner import Runner, place_of
from stadthub_pipelines.upkeep import Upkeep
from stadthub_schemas.errors import NotFound, StadthubError
from stadthub_schemas.feed import Feed
from stadthub_schemas.settings import Settings, make_data_dir

LOG = structlog.get_logger()

#: How long a dataset has its turn before others have theirs, in seconds.
TURN = 0.5

#: How often the loop looks, and how often at the folder of feed files, in seconds.
LOOK, FOLDER = 0.1, 1.0

#: The loop rests this many times as long as a look took: with hundreds of feeds that notice something the looks would leave no time.
REST = 4

#: For each feed, how long a thread keeps the interpreter at least while others wait, in seconds. Each feed has threads, and all that wait
#: ask for it that often: with hundreds of them asking took more time than their work.
KEEP_TURN = 25e-6

#: How long a feed that could not start (a full disk, say) waits for another try, in seconds.
ANOTHER_TRY = 10.0

#: How often certificates are looked at, in seconds, and after how long a finding that is only good to know is open no more.
CERTIFICATES = 6 * 3600.0
SETTLED = timedelta(days=7)


class Worker:
    """All feeds in operation. `run` returns after `stop`."""

    def __init__(self, settings: Settings) -> None:
        make_data_dir(settings.data_dir)
        self._settings = settings
        self._catalog = Catalog(settings.database)
        self._catalog.migrate()
        self._store = Store(settings.lake, settings.data_dir, settings.worker)
        reader = Reader(settings.lake, settings.data_dir)
        self._lake = Lake(reader, settings.threads, settings.query_seconds * 10)
        self._publisher = Publisher(reader, self._lake, self._catalog, settings.data_dir / "distributions", FILE_SECONDS)
        self._upkeep = Upkeep(self._store, self._catalog)
        self._deriver = Deriver(rooms(settings, reader, self._store, self._catalog))
        self._folder = FeedFolder(settings.feeds)
        self._wanted = Look()
        self._runners: dict[str, Runner] = {}
        self._flows: dict[str, Flow] = {}
        self._stop, self._wake = threading.Event(), threading.Event()
        self._rota = Rota()
        self._regular: dict[str, tuple[float, Callable[[], None]]] = {
            "wishes": (1.0, self._grant),
            "notes": (1.0, self._note),
            "raw logs": (60.0, self._keep_raw_logs),
            "certificates": (CERTIFICATES, self._look_at_certificates),
        }
        if not settings.worker:
            self._regular |= {
                "derive": (1.0, self._derive),
                "errands": (1.0, self._run_errands),
                "entries": (15.0, self._announce),
                "files": (5.0, self._write_files),
                "upkeep": (60.0, self._keep_up),
                "watch": (settings.watch_seconds, self._watch),
                "histories": (1.0, self._look_at_histories),
                "loads": (0.5, self._look_at_loads),
            }
        self._errands = Errands(settings, self._catalog, self._lake, self._stop)
        self._health = Health(self._catalog, settings)
        self._alarms = Alarms(self._catalog, settings)
        self._gives_way = sys.getswitchinterval()
        self._announced: dict[str, int] = {}
        self._doors = Doors(self._store, self._catalog, settings.worker)
        self._place = place_of(settings, self._doors, self._wake.set)
        self._histories = Histories(self._place, self._runners, self._stop)
        self._loads = Loads(self._place, settings)

    def run(self) -> None:
        """Work until stopped; then store what is logged and leave everything closed."""
        keep_memory()
        try:
            while not self._stop.is_set():
                started = time.monotonic()
                self._look()
                self._stop.wait(min(LOOK, REST * (time.monotonic() - started)))
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
        if self._rota.is_due("folder", FOLDER):
            self._rota.guarded("folder", self._look_at_folder)
        for runner in self._runners.values():
            if runner.has_pushed:
                self._rota.keep_house(f"collect {runner.feed.id}", runner.collect)
            if runner.puller is not None and runner.puller.due and not runner.paused:
                self._rota.pull(f"pull {runner.feed.id}", runner.pull_once)
        for name, flow in self._flows.items():
            if flow.waiting and self._rota.is_due(f"turn {name}", self._settings.tail_seconds / 2):
                self._rota.turn(f"turn {name}", partial(self._turn, flow))
            if flow.has_fresh and self._rota.is_due(f"remember {name}", self._settings.tail_seconds / 2):
                self._rota.tell(f"remember {name}", flow.remember)
        for what, (seconds, work) in self._regular.items():
            if self._rota.is_due(what, seconds):
                self._rota.keep_house(what, work)

    def _turn(self, flow: Flow) -> None:
        """Give a dataset its turn; where more is left the next one is due."""
        if flow.turn(TURN):
            self._wake.set()

    def _look_at_folder(self) -> None:
        """Take up what changed, and try again what could not start before."""
        look = self._folder.look()
        if look is not None:
            self._wanted = look.shared() if self._settings.worker else look
            self._apply(self._wanted)
        elif self._wanted.feeds.keys() - self._runners.keys() and self._rota.is_due("another try", ANOTHER_TRY):
            self._apply(self._wanted)

    def _apply(self, look: Look) -> None:
        """Start, change and stop feeds so that those run which the folder now holds."""
        self._deriver.apply(look)
        self._errands.apply(look)
        for feed_id in [one for one in self._runners if one not in look.feeds and one not in look.wrong]:
            self._runners.pop(feed_id).close()
        known = look.known
        for state in self._catalog.feeds():  # also those that were wrong, and those that went while no worker ran
            feed_id, _, worker = state.feed.partition("@")
            if self._settings.worker in ("", worker) and feed_id not in known and not is_load(feed_id):
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
            self._catalog.note_feed(self._doors.member(feed_id), wrong=None)
        sys.setswitchinterval(max(self._gives_way, KEEP_TURN * len(self._runners)))
        for feed_id in (look.models.keys() | look.errands.keys()) - look.wrong.keys():
            self._catalog.note_feed(feed_id, wrong=None)

    def _take_up(self, feed: Feed, look: Look) -> None:
        """Run this feed, in place of an older form of it."""
        old = self._runners.pop(feed.id, None)
        if old is not None:
            old.close()
        dataset, member = look.datasets[feed.id], self._doors.member(feed.id)
        known = {"title": feed.title, "dataset": feed.dataset, "source": feed.source.type}
        try:
            flow = self._flows.get(dataset.name)
            if flow is None:
                flow = self._flows[dataset.name] = Flow(dataset, self._store, self._settings.commit_seconds, self._settings.commit_rows)
            flow.describe(dataset)
            runner = self._runners[feed.id] = Runner(feed, flow, self._place)
            self._catalog.note_feed(member, **known, error=None)
            runner.obey(paused=self._is_paused(feed.id))
            self._catalog.note_feed(member, **runner.state())
            if not self._settings.worker:
                self._publisher.originals.know(feed)
                self._publisher.announce(dataset, feed.id)
        except StadthubError as error:
            LOG.error("feed can't start", feed=feed.id, error=str(error))
            self._catalog.note_feed(member, **known, error=str(error))
            return
        LOG.info("feed taken up", feed=feed.id, source=feed.source.type, dataset=dataset.name)

    def _grant(self) -> None:
        """Do what operators asked for through the catalogue: pause, resume, run, replay, release."""
        waiting = self._catalog.quarantined()
        states = {state.feed: state for state in self._catalog.feeds()}
        self._deriver.obey(list(states.values()))
        self._errands.obey(states.values())
        for runner in [one for one in list(self._runners.values()) if one.member in states]:
            state, all_of_it = states[runner.member], states.get(runner.feed.id)
            runner.obey(paused=state.paused or (all_of_it is not None and all_of_it.paused))
            if state.feed in waiting or runner.intake.quarantine is not None:
                self._rota.pull(f"release {state.feed}", runner.grant_releases)
            if state.wanted_run is not None:
                self._catalog.note_feed(state.feed, wanted_run=None)
                runner.hurry()
            if state.replay_since is not None:
                others = [name for name in states if name.startswith(f"{state.feed}@")]
                self._catalog.note_feeds(
                    {name: {"replay_since": state.replay_since} for name in others} | {state.feed: {"replay_since": None}}
                )
                self._rota.pull(f"replay {state.feed}", partial(runner.replay, state.replay_since))

    def _is_paused(self, feed_id: str) -> bool:
        """Whether operators have paused the feed, here or in all workers."""
        return any(state.paused and state.feed in (feed_id, self._doors.member(feed_id)) for state in self._catalog.feeds())

    def _note(self) -> None:
        """Write down for the operator page how each feed does."""
        self._catalog.note_feeds(
            {runner.member: runner.state() for runner in list(self._runners.values())} | self._deriver.states() | self._errands.states()
        )

    def _derive(self) -> None:
        """Compute the derived datasets for which it is time, and let the catalogue say what came of them."""
        for dataset, feed_id in self._deriver.changed():
            self._publisher.announce(dataset, feed_id)
        for feed_id, compute in self._deriver.due():
            self._rota.keep_house(f"derive {feed_id}", compute)

    def _run_errands(self) -> None:
        """Harvest and publish what is due."""
        for errand_id, run in self._errands.due():
            self._rota.pull(f"errand {errand_id}", run)

    def _watch(self) -> None:
        """Look whether all feeds are well, and tell of trouble and of its end."""
        self._note()
        self._health.look(self._wanted.feeds, datetime.now(UTC))
        self._alarms.look(self._wanted.feeds, datetime.now(UTC))

    def _look_at_histories(self) -> None:
        self._histories.look()

    def _look_at_loads(self) -> None:
        self._loads.look()

    def _announce(self) -> None:
        """Make the catalogue's entries say what the data say now."""
        for flow in list(self._flows.values()):
            started, version = time.monotonic(), self._store.version(flow.dataset.name)
            if flow.intakes and (flow.changed or version != self._announced.get(flow.dataset.name)):
                flow.changed, self._announced[flow.dataset.name] = False, version
                self._publisher.announce(flow.dataset, next(iter(flow.intakes)))
                self._rota.give_way(time.monotonic() - started)

    def _write_files(self) -> None:
        served = [(flow.dataset, next(iter(flow.intakes))) for flow in list(self._flows.values()) if flow.intakes]
        for dataset, feed_id in [*served, *self._deriver.datasets()]:
            started = time.monotonic()
            if not self._stop.is_set() and self._publisher.write_files(dataset, feed_id):
                self._rota.give_way(time.monotonic() - started)

    def _keep_up(self) -> None:
        for dataset in [*(flow.dataset for flow in self._flows.values()), *(dataset for dataset, _ in self._deriver.datasets())]:
            started = time.monotonic()
            if not self._stop.is_set():
                self._upkeep.dataset(dataset)
                self._rota.give_way(time.monotonic() - started)

    def _keep_raw_logs(self) -> None:
        for runner in list(self._runners.values()):
            self._upkeep.raw_log(runner)

    def _look_at_certificates(self) -> None:
        """What is found by the calendar: certificates near their end, and findings that time has settled."""
        self._catalog.age_findings(datetime.now(UTC) - SETTLED)
        for runner in list(self._runners.values()):
            if not self._stop.is_set():
                look_at_certificate(runner.feed, self._catalog, self._place.reach)

    def _close(self) -> None:
        self._histories.close()
        self._rota.close()
        for runner in self._runners.values():
            try:
                runner.close()
            except StadthubError as error:
                LOG.error("feed can't be closed", feed=runner.feed.id, error=str(error))
        for runner in self._runners.values():
            self._catalog.note_feed(runner.member, **{**runner.state(), "connected": False})
        self._deriver.close()
        self._errands.close()
        self._store.close()
        self._lake.close()
        self._catalog.close()
