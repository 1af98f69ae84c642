"""The hub in numbers, as Prometheus wants them: out of state database, lake and disk, so that every api process says the same."""

import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from stadthub_api.counted import BUCKETS, SQL_ROUTE, Key, Sum
from stadthub_api.hub import Hub
from stadthub_catalog.entry import FeedState
from stadthub_pipelines.running import WORKER, holder
from stadthub_schemas.errors import StadthubError
from stadthub_schemas.version import VERSION

#: How long the sizes of files are taken from memory, in seconds.
SIZES_KEPT = 30.0

#: The gauges of a feed: name, what it says, and how it is read. None: nothing is said of this feed.
FEED_GAUGES: tuple[tuple[str, str, Callable[[FeedState], float | None]], ...] = (
    ("last_message_timestamp_seconds", "When it last brought something.", lambda feed: _seconds(feed.last_message_time)),
    ("last_success_timestamp_seconds", "When it was last asked and answered.", lambda feed: _seconds(feed.last_success_time)),
    ("last_commit_timestamp_seconds", "When its rows were last made lasting.", lambda feed: _seconds(feed.last_commit_time)),
    ("next_run_timestamp_seconds", "When it is asked next.", lambda feed: _seconds(feed.next_run_time)),
    ("lag_seconds", "How long the oldest message that is not judged yet has been waiting.", lambda feed: feed.lag_seconds),
    ("rows_per_minute", "Rows that came in the last minutes.", lambda feed: feed.rate_per_minute),
    ("connected", "1 if its source answers.", lambda feed: float(feed.connected)),
    ("paused", "1 if nothing is taken in.", lambda feed: float(feed.paused or feed.held)),
    ("failing", "1 if its last try failed or its file is wrong.", lambda feed: float(bool(feed.error or feed.wrong))),
)


#: What the first figure of a status says of a question in SQL.
OUTCOMES = {"2": "ok", "4": "refused"}

#: The values of the labels, and the value.
Sample = tuple[Sequence[str], float]


@dataclass(frozen=True, slots=True)
class Sized:
    """How large a dataset is."""

    name: str
    rows: int
    size: int
    files: int
    version: int


class Measured(Collector):
    """Collects everything anew for each question; sizes of files at most twice a minute."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._sizes: tuple[float, list[Sized]] = (float("-inf"), [])

    def collect(self) -> Iterator[Metric]:
        """All metrics."""
        feeds = self._hub.catalog.feeds()
        yield _gauge("stadthub_build_info", "The version that runs.", ("version",), [((VERSION,), 1.0)])
        yield from self._machine()
        yield from _feeds(feeds)
        yield _gauge("stadthub_feed_raw_log_bytes", "Size of its raw log.", ("feed",), self._raw_logs(feeds))
        yield from self._noticed()
        yield from self._datasets()
        yield from _requests(self._hub.requests.together())

    def _machine(self) -> Iterator[Metric]:
        """Worker and disk."""
        settings = self._hub.settings
        disk = shutil.disk_usage(settings.data_dir)
        works = holder(settings.data_dir, WORKER) is not None
        yield _gauge("stadthub_worker_up", "1 if the worker runs on this machine's data_dir.", (), [((), float(works))])
        yield _gauge("stadthub_disk_free_bytes", "Free disk under data_dir.", (), [((), disk.free)])
        yield _gauge("stadthub_disk_floor_bytes", "Below this nothing is acknowledged.", (), [((), settings.min_free_mb * 1e6)])

    def _raw_logs(self, feeds: Sequence[FeedState]) -> Iterator[Sample]:
        for feed in feeds:
            yield (feed.feed,), _size_of(self._hub.settings.data_dir / "raw" / feed.feed)

    def _noticed(self) -> Iterator[Metric]:
        """Open findings by feed and severity, payloads in quarantine, alarms that wait, history under way."""
        catalog = self._hub.catalog
        counted = Counter((one.feed, one.severity.value) for one in catalog.findings())
        yield _gauge("stadthub_findings", "Open findings; of the hub itself without a feed.", ("feed", "severity"), counted.items())
        held = [((feed,), float(payloads)) for feed, (payloads, _, _) in catalog.quarantined().items()]
        yield _gauge("stadthub_feed_quarantined_payloads", "Payloads that are put aside.", ("feed",), held)
        waiting = sum(one.next_attempt is not None for one in catalog.messages(1000))
        yield _gauge("stadthub_alerts_waiting", "Alarms that are not delivered yet.", (), [((), waiting)])
        history = [((one.feed,), one.done / one.total if one.total else 0.0) for one in catalog.open_backfills()]
        yield _gauge("stadthub_backfill_done_ratio", "How much of a back-fill under way is done.", ("feed",), history)

    def _datasets(self) -> Iterator[Metric]:
        """Rows, bytes, files and commits of each dataset."""
        if time.monotonic() - self._sizes[0] > SIZES_KEPT:
            self._sizes = (time.monotonic(), [self._sized(name) for name in self._hub.reader.datasets()])
        sizes = self._sizes[1]
        yield _gauge("stadthub_dataset_rows", "Rows of the dataset.", ("dataset",), [((one.name,), one.rows) for one in sizes])
        yield _gauge("stadthub_dataset_bytes", "Size of its files.", ("dataset",), [((one.name,), one.size) for one in sizes])
        yield _gauge("stadthub_dataset_files", "How many files it has.", ("dataset",), [((one.name,), one.files) for one in sizes])
        commits = CounterMetricFamily("stadthub_dataset_commits", "Commits, or versions of geodata and tables.", labels=("dataset",))
        for one in sizes:
            commits.add_metric((one.name,), one.version)
        yield commits

    def _sized(self, name: str) -> Sized:
        """How large a dataset is; nothing where it can't be read just now."""
        try:
            found = self._hub.reader.snapshot(name)
        except StadthubError:
            return Sized(name, 0, 0, 0, 0)
        return Sized(name, found.rows, sum(_size_of(Path(file)) for file in found.files), len(found.files), found.version)


def _feeds(feeds: Sequence[FeedState]) -> Iterator[Metric]:
    rows = CounterMetricFamily("stadthub_feed_rows", "Rows that came, and what became of them.", labels=("feed", "outcome"))
    for feed in feeds:
        for outcome, count in feed.counts.as_dict().items():
            rows.add_metric((feed.feed, outcome), count)
    yield rows
    for name, words, read in FEED_GAUGES:
        known = ((feed.feed, read(feed)) for feed in feeds)
        yield _gauge(f"stadthub_feed_{name}", words, ("feed",), [((feed,), value) for feed, value in known if value is not None])


def _requests(sums: Mapping[Key, Sum]) -> Iterator[Metric]:
    answered = CounterMetricFamily("stadthub_http_requests", "Answered requests.", labels=("route", "method", "status"))
    queries = CounterMetricFamily("stadthub_sql_queries", "Users' questions in SQL: ok, refused or failed.", labels=("outcome",))
    lasting = HistogramMetricFamily("stadthub_http_request_duration_seconds", "How long answers took.", labels=("route",))
    by_route: dict[str, Sum] = {}
    outcomes: Counter[str] = Counter()
    for (route, method, status), one in sorted(sums.items()):
        answered.add_metric((route, method, status), one.count)
        by_route.setdefault(route, Sum()).add(one)
        if route == SQL_ROUTE:
            outcomes[OUTCOMES.get(status[:1], "failed")] += one.count
    for route, one in by_route.items():
        ends = [*map(str, BUCKETS), "+Inf"]
        lasting.add_metric((route,), list(zip(ends, accumulate(one.classes), strict=True)), one.seconds)
    for outcome, count in outcomes.items():
        queries.add_metric((outcome,), count)
    yield from (answered, queries, lasting)


def _gauge(name: str, words: str, labels: Sequence[str], samples: Iterable[Sample]) -> Metric:
    family = GaugeMetricFamily(name, words, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _size_of(path: Path) -> int:
    """The size of a file, or of all files in a folder; 0 for what is gone meanwhile."""
    try:
        if not path.is_dir():
            return path.stat().st_size
        with os.scandir(path) as inside:
            return sum(one.stat().st_size for one in inside if one.is_file())
    except OSError:
        return 0
