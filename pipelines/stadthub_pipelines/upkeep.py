"""What keeps a hub small and quick: compaction, retention, vacuum, and the raw log's forgetting."""

import time
from datetime import UTC, datetime, timedelta

from stadthub_catalog.catalog import Catalog
from stadthub_lake.store import Store
from stadthub_pipelines.runner import Runner
from stadthub_schemas.dataset import Dataset, Kind

#: How often each is done for a dataset, in seconds.
COMPACT, RETAIN = 600.0, 3600.0

#: For how long the past of a dataset can be read with `as_of`: each commit in it costs every later commit a little.
AS_OF_WINDOW = timedelta(days=7)


class Upkeep:
    """Remembers when each dataset was last looked after."""

    def __init__(self, store: Store, catalog: Catalog) -> None:
        self._store = store
        self._catalog = catalog
        self._done: dict[tuple[str, str], float] = {}

    def dataset(self, dataset: Dataset) -> None:
        """Compact, and drop what is older than the dataset's retention or the as-of window."""
        if dataset.kind is Kind.TIMESERIES and self._is_due("compact", dataset.name, COMPACT):
            self._store.compact(dataset.name)
        if not self._is_due("retain", dataset.name, RETAIN):
            return
        kept_for = dataset.metadata.kept_for
        if kept_for is not None and dataset.kind is Kind.TIMESERIES:
            before = datetime.now(UTC) - kept_for
            self._store.retain(dataset.name, before)
            self._catalog.forget(dataset.name, before)
        if dataset.kind is Kind.TIMESERIES:
            self._store.vacuum(dataset.name, AS_OF_WINDOW)

    def raw_log(self, runner: Runner) -> None:
        """Pack closed segments, and forget what is committed and older than the feed wants it kept."""
        if self._is_due("raw", runner.feed.id, RETAIN):
            runner.log.compress()
            before = datetime.now(UTC) - timedelta(days=runner.feed.raw_days)
            runner.log.forget(before, runner.intake.committed_position)

    def _is_due(self, what: str, name: str, seconds: float) -> bool:
        """Whether it is time; the first time is one interval after the start."""
        now = time.monotonic()
        last = self._done.setdefault((what, name), now)
        if now - last < seconds:
            return False
        self._done[(what, name)] = now
        return True
