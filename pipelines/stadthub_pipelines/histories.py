"""The back-fills of a hub: one at a time, begun and left off as operators ask."""

import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import structlog

from stadthub_catalog.backfills import Backfill
from stadthub_pipelines.backfill import History
from stadthub_pipelines.runner import Place, Runner
from stadthub_schemas.errors import StadthubError

LOG = structlog.get_logger()


class Histories:
    """Takes history in beside the runners; `look` is to be called every second or so, `close` ends what is under way at its next piece."""

    def __init__(self, place: Place, runners: Mapping[str, Runner], stopping: threading.Event) -> None:
        self._place = place
        self._runners = runners
        self._stopping = stopping
        self._open: set[int] = set()
        self._busy: dict[int, Future[None]] = {}
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="history")

    def look(self) -> None:
        """Begin or go on with what operators asked for."""
        wanted = self._place.catalog.open_backfills()
        self._open = {one.id for one in wanted}
        for one in wanted:
            runner, busy = self._runners.get(one.feed), self._busy.get(one.id)
            if runner is not None and not self._stopping.is_set() and (busy is None or busy.done()):
                history = History(one, runner.feed, runner.flow, self._place, partial(self._leaves_off, one))
                self._busy[one.id] = self._pool.submit(_guarded, history, one.feed)

    def close(self) -> None:
        """Wait for the end of the piece under way."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _leaves_off(self, history: Backfill) -> bool:
        """Whether a back-fill is to leave off: the hub stops, the feed is gone, or an operator said so."""
        return self._stopping.is_set() or history.feed not in self._runners or history.id not in self._open


def _guarded(history: History, feed: str) -> None:
    """What goes wrong outside the back-fill itself is told, and tried again at the next look."""
    try:
        history.run()
    except StadthubError as error:
        LOG.error("failed", what="backfill", feed=feed, error=str(error))
