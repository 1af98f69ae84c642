"""What one api process holds open: settings, catalogue, lake, and the bounded pool in which heavy work runs."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar, TypeVarTuple

import structlog
from anyio import CapacityLimiter, create_task_group, sleep
from anyio.to_thread import run_sync

from stadthub_api.counted import FLUSH, Requests
from stadthub_api.doors import LOOK, Doors
from stadthub_api.shares import Shares
from stadthub_catalog.actions import More
from stadthub_catalog.catalog import Catalog
from stadthub_catalog.entry import Entry
from stadthub_catalog.publication import Publication
from stadthub_catalog.site import Site
from stadthub_lake.lake import Lake
from stadthub_lake.snapshot import Reader
from stadthub_lake.storage import local_folder
from stadthub_pipelines.datastore.actions import actions_over
from stadthub_pipelines.datastore.opened import Rooms
from stadthub_pipelines.keys import cursor_key
from stadthub_pipelines.loads import OrderingUploads
from stadthub_pipelines.site import site_of
from stadthub_pipelines.uploads import UploadFolder
from stadthub_schemas.access import ANYBODY, Action, Decision, Principal, may
from stadthub_schemas.errors import NotFound, StadthubError
from stadthub_schemas.settings import Settings

LOG = structlog.get_logger()

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")

#: How long a catalogue entry is taken from memory: a changed access class holds everywhere after this many seconds.
ENTRY_SECONDS = 1.0
#: How many entries are remembered at most; names that don't exist are never remembered.
ENTRIES = 10_000
#: How many exports may run at once in one process, and how many of one client; each holds a cursor of the engine while its reader reads.
EXPORTS, EXPORTS_EACH = 32, 8
#: How many samples may be fetched or listened for at once.
SAMPLES = 3
#: How many descriptions are written at a time when a hub starts; in between others have their turn.
SLICE = 50
#: How many questions in SQL may run at once: strangers may let each take its whole time, and nothing else may wait for them.
QUESTIONS = 2


@dataclass(frozen=True, slots=True)
class Readable:
    """A dataset that the caller may read, together with what of it the caller may see."""

    entry: Entry
    decision: Decision
    hidden: frozenset[str]

    @property
    def is_public(self) -> bool:
        """Whether anybody gets this very answer, so that shared caches may keep it."""
        return self.entry.dataset.metadata.access == "public" and self.decision.columns is None


@dataclass(frozen=True)
class Hub:
    """One process's open doors. `pool` bounds the heavy work, so that quick answers stay quick beside it; `quick`: the
    state database is a file here, so that an indexed look-up costs less than handing it to a thread."""

    settings: Settings
    catalog: Catalog
    reader: Reader
    lake: Lake
    site: Site
    publication: Publication
    pool: CapacityLimiter
    exports: Shares
    questions: CapacityLimiter
    samples: CapacityLimiter
    quick: bool
    doors: Doors
    requests: Requests
    uploads: OrderingUploads
    datastore: More
    rooms: Rooms
    _entries: dict[str, tuple[float, Entry]] = field(default_factory=dict)
    _wholes: dict[str, tuple[float, bool]] = field(default_factory=dict)

    async def work(self, function: Callable[[*Arguments], T], *arguments: *Arguments) -> T:
        """What the function answers, worked out in the bounded pool off the event loop."""
        return await run_sync(function, *arguments, limiter=self.pool)

    def remembered(self, name: str) -> Entry | None:
        """The entry if it was looked up within the last second; never touches the database."""
        known = self._entries.get(name)
        return known[1] if known is not None and known[0] > time.monotonic() else None

    def entry(self, name: str) -> Entry:
        """The catalogue's entry, at most a second old; NotFound."""
        entry = self.remembered(name)
        if entry is None:
            entry = self.catalog.entry(name)
            if entry.name != name:
                raise NotFound(absent(name))  # the catalogue finds ids too, the API names datasets by name only
            if len(self._entries) >= ENTRIES:
                self._entries.clear()
            self._entries[name] = (time.monotonic() + ENTRY_SECONDS, entry)
        return entry

    def is_whole(self, name: str) -> bool:
        """Whether anybody may see every row and column of this dataset, decided at most a second ago; NotFound."""
        known = self._wholes.get(name)
        if known is None or known[0] <= time.monotonic():
            seen = readable(self.entry(name), ANYBODY)
            if len(self._wholes) >= ENTRIES:
                self._wholes.clear()
            known = self._wholes[name] = (
                time.monotonic() + ENTRY_SECONDS,
                seen.is_public and not seen.hidden and seen.decision.suppression is None,
            )
        return known[1]


def readable(entry: Entry, principal: Principal) -> Readable:
    """What this principal may read of the dataset; NotFound, as if it were absent, if nothing."""
    decision = may(principal, Action.READ, entry.dataset)
    if not decision.allowed:
        raise NotFound(absent(entry.dataset.name))
    return Readable(
        entry, decision, frozenset(column.name for column in entry.columns if not decision.shows(column.name)) | decision.hidden
    )


def absent(name: str) -> str:
    """The sentence for a dataset that is not there, or that the caller may not know of."""
    return f"there is no dataset {name[:100]!r}"


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Hub]:
    """The hub's doors, open until the block ends."""
    with ExitStack() as stack:
        catalog = Catalog(settings.database, settings.synonyms)
        stack.callback(catalog.close)
        await run_sync(catalog.migrate)
        reader = Reader(settings.lake, settings.data_dir)
        key = await run_sync(cursor_key, settings.data_dir)
        lake = Lake(reader, settings.threads, settings.query_seconds, settings.query_memory_mb, key)
        stack.callback(lake.close)
        site = site_of(settings)
        pool, questions, samples = (CapacityLimiter(places) for places in (2 * settings.threads + 2, QUESTIONS, SAMPLES))
        exports = Shares(EXPORTS, EXPORTS_EACH, "exports")
        quick = settings.database.startswith("sqlite")
        requests = Requests(settings.data_dir / "metrics")
        stack.callback(requests.flush)
        uploads = OrderingUploads(UploadFolder(settings.data_dir.absolute() / "uploads", settings.upload_mb), settings.data_dir)
        rooms = Rooms(reader, lake, local_folder(settings.lake))
        hub = Hub(
            settings,
            catalog,
            reader,
            lake,
            site,
            Publication(catalog, site),
            pool,
            exports,
            questions,
            samples,
            quick,
            Doors(settings),
            requests,
            uploads,
            actions_over(rooms),
            rooms,
        )
        async with create_task_group() as beside:
            beside.start_soon(_close_windows, hub)
            beside.start_soon(_tell_requests, hub)
            beside.start_soon(_look_through, hub)
            yield hub
            beside.cancel_scope.cancel()


async def _close_windows(hub: Hub) -> None:
    """Look every now and then whether windows of counts have ended; what can't be stored now is lost with a line in the log."""
    while True:
        await sleep(LOOK)
        try:
            await hub.work(hub.doors.close_windows)
        except StadthubError as error:
            LOG.error("counts of ended windows are lost", error=str(error))


async def _tell_requests(hub: Hub) -> None:
    """Let the other api processes know now and then what this one answered."""
    while True:
        await sleep(FLUSH)
        await hub.work(hub.requests.flush)


async def _look_through(hub: Hub) -> None:
    """Read the catalogue and write what of it is told to others, so that not the first reader of a large one waits for that."""
    try:
        await hub.work(hub.catalog.entries)
        told = await hub.work(hub.publication.entries)
        for begin in range(0, len(told), SLICE):
            await hub.work(hub.publication.prepare, told[begin : begin + SLICE])
    except StadthubError as error:
        LOG.warning("the catalogue could not be read yet", error=str(error))
