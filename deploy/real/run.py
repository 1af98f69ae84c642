"""Real input through the whole way: every feed file beside this one, from raw log over judge to lake, and one table of what became of it.

    python deploy/real/run.py --shared DIR --data-dir DIR

`--shared` is the folder that holds `data/` with the recorded input. A feed whose input is not there is named and left out.
"""

import argparse
import sys
import tarfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import Progress as Bar
from rich.table import Table

from stadthub_ingest.judge import Judge, Judged, Payload
from stadthub_lake.progress import Progress
from stadthub_lake.rawlog import RawLog
from stadthub_lake.store import Store
from stadthub_schemas.counts import Counts
from stadthub_schemas.dataset import Kind
from stadthub_schemas.feed import Feed, FileSource, load_feed

FEEDS = Path(__file__).parent
#: So many raw-log frames are judged and appended in one go.
BATCH = 24
COLUMNS = ("received", "stored", "duplicate", "rejected", "dropped")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one feed. `seconds` is the time from the first raw-log frame to the last commit of `fresh` received rows."""

    feed: str
    counts: Counts
    seconds: float
    fresh: int


def unpack(data: Path, work: Path) -> None:
    """Every .tar.xz in the data folder is unpacked in the work folder."""
    for archive in data.glob("*.tar.xz"):
        name = archive.name.removesuffix(".tar.xz")
        if not (work / name).exists():
            with tarfile.open(archive) as opened:
                opened.extractall(work / f".{name}", filter="data")
            inner = work / f".{name}" / name
            (inner if inner.exists() else inner.parent).rename(work / name)


def files_of(feed: Feed, folders: Sequence[Path]) -> list[tuple[str, Path]]:
    """The input files of a feed with their names, in order; none if the input is not there."""
    if not isinstance(feed.source, FileSource):
        return []
    for folder in folders:
        path = folder / feed.source.path
        if path.is_file():
            return [(str(feed.source.path), path)]
        if path.is_dir():
            return [(str(found.relative_to(folder)), found) for found in sorted(path.glob(feed.source.pattern))]
    return []


def load(feed: Feed, files: Sequence[tuple[str, Path]], store: Store, raw: Path) -> Outcome:
    """The feed's files are in the raw log, and what they hold is in the lake. What was loaded before is not loaded again."""
    dataset = feed.described()
    if dataset is None:
        raise SystemExit(f"{feed.id}: it needs [metadata]")
    store.ensure(dataset)
    judge, log = Judge(feed), RawLog(raw / feed.id)
    began = time.perf_counter()
    if log.last == 0:
        for name, path in files:
            log.append([(datetime.now(UTC), name, path.read_bytes())])
        log.sync()
    done = store.progress(feed.dataset, feed.id)
    before = done.counts.received
    while frames := log.read(done.position, most=BATCH):
        payloads = [Payload(frame.position, frame.received_time, frame.name, frame.body) for frame in frames]
        judged = judge.judge(payloads)
        done = Progress(payloads[-1].position, done.counts + keep(feed, store, judged, payloads[-1].position, done.counts))
        if feed.kind is Kind.TIMESERIES:
            store.commit(feed.dataset, {feed.id: done})
    log.close()
    return Outcome(feed.id, done.counts, time.perf_counter() - began, done.counts.received - before)


def keep(feed: Feed, store: Store, judged: Judged, position: int, before: Counts) -> Counts:
    """Hand what was judged to the lake; the counts of it."""
    store.reject(feed.id, position, judged.rejects)
    rejected, dropped = len(judged.rejects), judged.dropped
    if feed.kind is Kind.TIMESERIES:
        appended = store.append(feed.dataset, feed.id, position, judged.accepted)
        return Counts(judged.received, appended.stored, appended.duplicate, rejected, dropped)
    counts = Counts(judged.received, len(judged.accepted), 0, rejected, dropped)
    store.replace(feed.dataset, feed.id, judged.accepted, Progress(position, before + counts))
    return counts


def show(outcomes: Sequence[Outcome], console: Console) -> None:
    """One line a feed."""
    table = Table("feed", *COLUMNS, "rows/s", title="Real input")
    for column in table.columns:
        column.no_wrap, column.justify = True, "right" if column.header != "feed" else "left"
    for outcome in outcomes:
        counts = outcome.counts.as_dict()
        speed = f"{outcome.fresh / outcome.seconds:,.0f}" if outcome.fresh else "loaded before"
        table.add_row(outcome.feed, *(f"{counts[name]:,}" for name in COLUMNS), speed)
    console.print(table)


def main() -> int:
    """Load every feed and print the table; 1 if a sum does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, required=True, help="folder that holds data/ with the recorded input")
    parser.add_argument("--data-dir", type=Path, required=True, help="folder to build the lake in")
    given = parser.parse_args()
    data, work, console = given.shared / "data", given.data_dir / "unpacked", Console()
    work.mkdir(parents=True, exist_ok=True)
    unpack(data, work)
    store = Store(str(given.data_dir / "lake"), given.data_dir)
    outcomes: list[Outcome] = []
    with Bar(console=console, transient=True) as bar:
        for path in bar.track(sorted(FEEDS.glob("*.toml")), description="Loading"):
            feed = load_feed(path)
            files = files_of(feed, (data, work))
            if files:
                outcomes.append(load(feed, files, store, given.data_dir / "raw"))
            else:
                console.print(f"{feed.id}: its input is not there")
    store.close()
    show(outcomes, console)
    return 0 if all(outcome.counts.balanced for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
