"""What keeps a hub small and quick: compaction, retention, vacuum, and the raw log's forgetting. What is deleted is proven in the audit."""

import time
from datetime import UTC, datetime, timedelta

from stadthub_catalog.catalog import Catalog
from stadthub_ingest.sources.fetched import page_of
from stadthub_lake.store import Store
from stadthub_pipelines.runner import Runner
from stadthub_schemas.dataset import Dataset, Kind

#: How often each is done for a dataset, in seconds.
COMPACT, RETAIN = 600.0, 3600.0

#: For how long the past of a dataset can be read with `as_of`: each commit in it costs every later commit a little.
AS_OF_WINDOW = timedelta(days=7)

#: Who deletes, and what its entries in the audit are called.
WHO, DROPPED, FORGOTTEN, REFUSED = "worker", "retention.rows", "retention.raw_log", "retention.rejects"


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
            rows = self._store.retain(dataset.name, before)
            self._catalog.forget(dataset.name, before)
            if rows:
                self._catalog.record(WHO, DROPPED, dataset.name, {"before": before.isoformat(), "rows": rows})
        if dataset.kind is Kind.TIMESERIES:
            self._store.vacuum(dataset.name, AS_OF_WINDOW)

    def raw_log(self, runner: Runner) -> None:
        """Pack closed segments, and forget what is committed and older than the feed wants it kept; refused rows with it."""
        if self._is_due("raw", runner.feed.id, RETAIN):
            runner.log.compress()
            before = datetime.now(UTC) - timedelta(days=runner.feed.raw_days)
            held = self._catalog.held(runner.feed.id, limit=1)  # what is in quarantine has no other copy
            up_to = min([runner.intake.committed_position, *(one.position - page_of(one.name)[1] for one in held)])
            segments = runner.log.forget(before, up_to)
            if segments:
                self._catalog.record(WHO, FORGOTTEN, runner.feed.id, {"before": before.isoformat(), "segments": segments})
            rejects = self._store.forget_rejects(runner.feed.id, before)
            if rejects:
                self._catalog.record(WHO, REFUSED, runner.feed.id, {"before": before.isoformat(), "rows": rejects})

    def _is_due(self, what: str, name: str, seconds: float) -> bool:
        """Whether it is time; the first time is one interval after the start."""
        now = time.monotonic()
        last = self._done.setdefault((what, name), now)
        if now - last < seconds:
            return False
        self._done[(what, name)] = now
        return True
