"""Harvests and publications in operation: on their schedules, paused and run as operators wish, with runs like those of feeds."""

import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import structlog

from stadthub_catalog.catalog import Catalog
from stadthub_catalog.entry import FeedState
from stadthub_catalog.findings import Noticed
from stadthub_catalog.ledger import Tally
from stadthub_catalog.taking import TooManyGone
from stadthub_ingest.sources.reach import Reach
from stadthub_lake.lake import Lake
from stadthub_lake.snapshot import Reader
from stadthub_pipelines.folder import Look
from stadthub_pipelines.harvesting import Ground, run_harvest
from stadthub_pipelines.mirroring import mirror
from stadthub_pipelines.pushing import run_publish
from stadthub_pipelines.running import held
from stadthub_pipelines.site import site_of
from stadthub_pipelines.timetable import Timetable
from stadthub_pipelines.uploads import UploadFolder
from stadthub_schemas.counts import Counts
from stadthub_schemas.errors import NotFound, StadthubError
from stadthub_schemas.exchange import Errand, Harvest, address_of
from stadthub_schemas.finding import Severity
from stadthub_schemas.settings import Settings, make_data_dir

LOG = structlog.get_logger()

#: The finding that wants an operator: so much is gone there that nothing was withdrawn.
GONE = "harvest_gone"
#: Those that feeds have too: the far side fails again and again, many datasets can't be read.
UNANSWERED, REJECTED = "source_error", "rejects"
ENOUGH, MOST_REJECTED = 20, 0.2


def ground_of(settings: Settings, catalog: Catalog, lake: Lake | None = None, stop: threading.Event | None = None) -> Ground:
    """Where the errands of this hub are done."""
    reach, site, uploads = Reach(settings.allowed_hosts), site_of(settings), UploadFolder(settings.data_dir / "uploads", settings.upload_mb)
    if stop is None:
        return Ground(settings.data_dir, catalog, reach, site, uploads, lake)
    return Ground(settings.data_dir, catalog, reach, site, uploads, lake, lambda seconds: _pause(stop, seconds), stop.is_set)


def run_here(errand: Errand, settings: Settings) -> Tally:
    """Do it once in this process, where no worker runs. StadthubError if it failed."""
    make_data_dir(settings.data_dir)
    catalog = Catalog(settings.database)
    lake = Lake(Reader(settings.lake, settings.data_dir), settings.threads)
    try:
        catalog.migrate()
        return run_errand(errand, ground_of(settings, catalog, lake))
    finally:
        lake.close()
        catalog.close()


def _pause(stop: threading.Event, seconds: float) -> None:
    stop.wait(seconds)


def run_errand(errand: Errand, ground: Ground) -> Tally:
    """Do it once, in a run of its own, and write down how it went. StadthubError if it failed; Conflict while it is under way, here or
    in another process."""
    with held(ground.data_dir, f"errand-{errand.id}.lock", f"{errand.id} is under way"):
        return _run(errand, ground)


def _run(errand: Errand, ground: Ground) -> Tally:
    catalog = ground.catalog
    catalog.cut_runs(errand.id)  # nobody else runs it
    run = catalog.start_run(errand.id)
    error: str | None = "a mistake in Stadthub: its log tells more"
    found: list[Noticed] = []
    try:
        tally = _done(errand, ground, run)
        error = None
        return tally
    except TooManyGone as gone:
        error = str(gone)
        found.append(Noticed(GONE, "", Severity.ERROR, gone.facts))
        raise
    except StadthubError as failed:
        error = str(failed)
        if any(one.id != run and one.ended is not None and one.error for one in catalog.runs(errand.id, 2)):
            found.append(Noticed(UNANSWERED, urlsplit(address_of(errand)).hostname or errand.id, Severity.ERROR, {"error": error[:300]}))
        raise
    finally:
        _write_down(errand, catalog, run, error, found)


def _done(errand: Errand, ground: Ground, run: int) -> Tally:
    if not isinstance(errand, Harvest):
        return run_publish(errand, ground, run)
    tally = run_harvest(errand, ground, run)
    mirror(errand, ground, run)
    return tally


def _write_down(errand: Errand, catalog: Catalog, run: int, error: str | None, found: list[Noticed]) -> None:
    """How a run went: its end, what the operator page shows, and what wants a look."""
    done = next((one for one in catalog.tallies(errand.id, 1) if one.run == run), None)
    counts = done.counts if done is not None else Counts()
    catalog.end_run(run, counts, error)
    catalog.note_feed(errand.id, **_noted(errand, catalog, counts, error))
    if counts.rejected >= ENOUGH and counts.rejected > MOST_REJECTED * counts.received:
        facts = {"received": counts.received, "rejected": counts.rejected}
        found.append(Noticed(REJECTED, "", Severity.WARNING, facts))
    catalog.note_findings(errand.id, found)
    over = (GONE, REJECTED, UNANSWERED) if error is None else ()
    for kind in over:
        if kind not in {one.kind for one in found}:
            catalog.resolve_finding(errand.id, kind)


def _noted(errand: Errand, catalog: Catalog, counts: Counts, error: str | None) -> dict[str, Any]:
    """What the operator page shows after a run."""
    now = datetime.now(UTC)
    try:
        before = catalog.feed(errand.id).counts
    except NotFound:
        before = Counts()
    told = {**_words(errand), "counts": before + counts, "error": error}
    return told if error else {**told, "last_message": now, "last_success": now, **({"last_commit": now} if counts.stored else {})}


def _words(errand: Errand) -> dict[str, Any]:
    return {"title": errand.title, "dataset": "", "source": "harvest" if isinstance(errand, Harvest) else "publish"}


class _Running:
    """One errand with its timetable."""

    def __init__(self, errand: Errand, zone: ZoneInfo, hub: str, known: FeedState | None) -> None:
        now = datetime.now(UTC)
        self.errand = errand
        self.paused = errand.paused or (known is not None and known.paused)
        self.timetable = Timetable(errand, zone, hub, now)
        if known is not None and known.last_success_time is not None and known.error is None:
            self.timetable.succeeded(known.last_success_time, known.last_success_time)


class Errands:
    """The errands by the id of their files. Its owner calls it from one thread; only what `due` answers runs in others."""

    def __init__(self, settings: Settings, catalog: Catalog, lake: Lake, stop: threading.Event) -> None:
        self._catalog = catalog
        self._zone = ZoneInfo(settings.time_zone)
        self._hub = settings.url
        self._ground = ground_of(settings, catalog, lake, stop)
        self._running: dict[str, _Running] = {}

    def apply(self, look: Look) -> None:
        """Have those that the folder now holds. What an errand that is gone has brought stays until somebody clears it."""
        for key in [one for one in self._running if one not in look.errands and one not in look.wrong]:
            del self._running[key]
            self._catalog.forget_feed(key)
            LOG.info("errand removed", feed=key)
        for key, errand in look.errands.items():
            there = self._running.get(key)
            if there is not None and there.errand == errand:
                continue
            known = self._state(key) if there is None else None
            self._running[key] = running = _Running(errand, self._zone, self._hub, known)
            running.paused = errand.paused or (there is not None and there.paused) or running.paused
            self._catalog.note_feed(key, **_words(errand), wrong=None, **self._shown(running))
            LOG.info("errand taken up", feed=key)

    def obey(self, states: Iterable[FeedState]) -> None:
        """Pause, resume and run as operators wish."""
        for state in states:
            running = self._running.get(state.feed)
            if running is not None:
                running.paused = state.paused or running.errand.paused
                if state.wanted_run is not None:
                    self._catalog.note_feed(state.feed, wanted_run=None)
                    running.timetable.hurry(datetime.now(UTC))

    def due(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """Those for which it is time, by id."""
        now = datetime.now(UTC)
        for key, running in list(self._running.items()):
            if not running.paused and running.timetable.is_due(now):
                yield key, lambda one=running: self._run(one)  # type: ignore[misc]

    def states(self) -> dict[str, dict[str, Any]]:
        """What the operator page shows of each between its runs."""
        return {key: self._shown(running) for key, running in list(self._running.items())}

    def close(self) -> None:
        """Run no more."""
        for key in self._running:
            self._catalog.note_feed(key, connected=False)

    def _run(self, running: _Running) -> None:
        begun = datetime.now(UTC)
        try:
            run_errand(running.errand, self._ground)
        except StadthubError as error:
            LOG.warning("errand failed", feed=running.errand.id, error=str(error))
            running.timetable.failed(datetime.now(UTC))
            return
        running.timetable.succeeded(running.timetable.turn(None, begun), datetime.now(UTC))

    def _shown(self, running: _Running) -> dict[str, Any]:
        return {
            "connected": not running.paused,
            "held": running.errand.paused,
            "next_run": None if running.paused else running.timetable.due,
            "lag_seconds": 0.0,
        }

    def _state(self, key: str) -> FeedState | None:
        try:
            return self._catalog.feed(key)
        except NotFound:
            return None
