"""Files of resources that come through CKAN's API: their rows are loaded in the background, as a feed of one file each.

Who keeps a file leaves an order in `loads/<resource id>`; the worker takes it. The rows go through the same intake as those of any feed,
into the dataset `ds-<resource id>` of the lake, which is no entry of the catalogue: who may see it is decided by the resource's dataset.
"""

import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog

from stadthub_catalog.entry import RELEASE, LoadState
from stadthub_catalog.loading import File, tell, uploaded_file
from stadthub_catalog.uploads import Kept, Upload
from stadthub_lake.storage import local_folder
from stadthub_pipelines.datastore import titles
from stadthub_pipelines.datastore.tables import make_way, resource_of, table_of
from stadthub_pipelines.drafting import LAYERED
from stadthub_pipelines.flow import Flow
from stadthub_pipelines.importing import MAPPED, STAND_IN, corrected, feed_table, keyless, propose
from stadthub_pipelines.runner import Place, Runner
from stadthub_pipelines.samples import sample_of
from stadthub_pipelines.staging import folder_of, path_of, sweep
from stadthub_pipelines.uploads import UploadFolder
from stadthub_schemas.dataset import Dataset, Kind
from stadthub_schemas.errors import NotFound, StadthubError, StorageError
from stadthub_schemas.feed import Feed, feed_of
from stadthub_schemas.settings import Settings

LOG = structlog.get_logger()

#: Where the orders lie, and after how many seconds one is given up whose resource was never written.
ORDERS, GIVEN_UP = "loads", 600.0
#: What the name of an order ends with whose resource has no file any more, and of one that is being followed: the next one stands beside.
GONE, TAKEN = ".gone", ".taken"
#: How often leftovers of uploads are looked for, in seconds.
SWEEP = 3600.0
#: How old an order is at least when it is taken, in seconds: the file is kept first, and then the resource is written.
WRITTEN = 1.0


class OrderingUploads:
    """The uploads of a hub whose worker loads their rows."""

    def __init__(self, folder: UploadFolder, data_dir: Path) -> None:
        self._folder = folder
        self._orders = data_dir.absolute() / ORDERS

    def keep(self, resource: UUID, upload: Upload) -> Kept:
        """Keep the file, and let its rows be loaded: the order is there before the file, so that a file whose resource never came is found.
        Invalid, StorageError."""
        self._order(resource)
        kept = self._folder.keep(resource, upload)
        self._order(resource)
        return kept

    def _order(self, resource: UUID) -> None:
        try:
            self._orders.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self._orders / str(resource)).touch()
        except OSError as error:
            raise StorageError(f"the uploaded file can't be loaded: {error.strerror}") from error

    def look_again(self, resource: UUID) -> None:
        """Let its file be looked at as if it had come now."""
        (self._orders / str(resource)).touch()

    def drop(self, resource: UUID) -> None:
        """Forget the resource's file, and let its rows go."""
        (self._orders / str(resource)).unlink(missing_ok=True)
        self._folder.drop(resource)
        if self._orders.is_dir():
            (self._orders / f"{resource}{GONE}").touch()

    def path(self, resource: UUID, name: str) -> Path:
        """Where the resource's file of that name lies, if it is there."""
        return self._folder.path(resource, name)


def is_load(feed: str) -> bool:
    """Whether this is the feed of a resource's file."""
    return resource_of(feed) is not None


class Loads:
    """Takes the orders, one after the other."""

    def __init__(self, place: Place, settings: Settings) -> None:
        self._place = place
        self._settings = settings
        self._orders = settings.data_dir.absolute() / ORDERS
        self._root = local_folder(settings.lake)
        self._sweeps = 0.0

    def look(self) -> None:
        """Load what was ordered. What goes wrong stands in the resource."""
        if time.monotonic() > self._sweeps:
            self._sweeps = time.monotonic() + SWEEP
            sweep(self._settings)
        for resource in sorted({order.name.partition(".")[0] for order in self._orders.glob("*-*-*-*-*")}):
            self._follow(UUID(resource))

    def _follow(self, resource: UUID) -> None:
        """Follow what was ordered for one resource. An order that comes meanwhile is not lost: it is another file."""
        gone, order = self._orders / f"{resource}{GONE}", self._orders / str(resource)
        if gone.exists():
            self._forget(table_of(resource))
            gone.unlink(missing_ok=True)
        taken = order.with_suffix(TAKEN)
        with suppress(FileNotFoundError):
            if time.time() - order.stat().st_mtime >= WRITTEN:
                order.replace(taken)
        if not taken.exists():
            return
        try:
            self._take(resource)
        except NotFound:
            if time.time() - taken.stat().st_mtime < GIVEN_UP:
                return  # its resource is being written
            self._give_up(resource)
        except StorageError as error:
            LOG.error("a resource can't be loaded now", resource=str(resource), error=str(error))
            return
        taken.unlink(missing_ok=True)

    def _give_up(self, resource: UUID) -> None:
        """The file of a resource that was never written goes."""
        try:
            uploaded_file(self._place.catalog, resource)
        except NotFound:
            folder_of(self._settings).drop(resource)

    def _forget(self, dataset: str) -> None:
        """The rows of a resource whose file is gone."""
        self._place.doors.store.drop(dataset)
        self._place.catalog.forget_feed(dataset)
        shutil.rmtree(self._place.data_dir / "raw" / dataset, ignore_errors=True)

    def _take(self, resource: UUID) -> None:
        catalog = self._place.catalog
        found = uploaded_file(catalog, resource)
        if found is None:
            return
        try:
            feed = self._feed(resource, found)
            if isinstance(feed, tuple):
                tell(catalog, resource, *feed)
                return
            tell(catalog, resource, LoadState.LOADING, "")
            if make_way(self._root, resource):
                self._place.doors.store.drop(feed.dataset)
            counts, error = self._run(feed)
            if error is None and feed.metadata is not None:
                titles.keep(self._root, feed.dataset, feed.metadata.columns)
            message = error or ", ".join(f"{number} {key}" for key, number in counts.items())
            tell(catalog, resource, LoadState.FAILED if error else LoadState.LOADED, message)
        except (NotFound, StorageError):
            raise
        except StadthubError as error:
            tell(catalog, resource, LoadState.FAILED, str(error))

    def _feed(self, resource: UUID, found: File) -> Feed | tuple[LoadState, str]:
        """The feed of the file, or why it has no rows. FeedError if it can't be read."""
        file = f"{resource}/{found.name}"
        path = path_of(self._settings, file)
        if not path.is_file():
            raise NotFound(f"{path.name}: it is not there yet")
        schema = propose(sample_of(path, file), self._settings.time_zone)
        if schema.kind is Kind.TIMESERIES and schema.proposal.decoder in MAPPED:
            schema = corrected(schema, {"kind": Kind.TABLE.value})  # a resource has the columns of its file
        if schema.proposal.decoder not in (*MAPPED, *LAYERED):
            why = f"its format has no columns that could be shown (decoder {schema.proposal.decoder}): make a feed of it"
            return LoadState.KEPT, why
        people = [one.place for one in schema.fields if one.personal]
        if people and not found.release:
            why = f"{', '.join(people)}: these columns seem to tell of people, so nothing was loaded and the file is kept back: upload it without them, or say in {RELEASE} on what ground it may be published"
            return LoadState.HELD, why
        name = table_of(resource)
        # nobody has looked at the proposal: no row may be lost to a key that seemed to be one
        table: Mapping[str, Any] = feed_table(keyless(schema), name, file, path.stat().st_size)
        return feed_of({**table, "title": found.title, "metadata": {**STAND_IN["metadata"], **table["metadata"]}}, path.name)

    def _run(self, feed: Feed) -> tuple[dict[str, int], str | None]:
        """Load the rows; the sums, and what went wrong."""
        place = self._place
        dataset: Dataset | None = feed.described()
        assert dataset is not None
        known = {"title": feed.title, "dataset": feed.dataset, "source": feed.source.type}
        raw = place.data_dir / "raw" / feed.id
        shutil.rmtree(raw, ignore_errors=True)  # of a load that was killed: the file itself is kept
        place.catalog.note_feed(feed.id, **known, source_state={})  # also a file that was loaded before is loaded
        runner = Runner(feed, Flow(dataset, place.doors.store, self._settings.commit_seconds, self._settings.commit_rows), place)
        try:
            runner.obey(paused=False)
            runner.pull_once()
            runner.flow.turn()
            place.catalog.note_feed(feed.id, **runner.state())
        finally:
            runner.close()
        run = place.catalog.runs(feed.id, 1)[0]
        if run.error is None:
            shutil.rmtree(raw, ignore_errors=True)
        return run.counts.as_dict(), run.error
