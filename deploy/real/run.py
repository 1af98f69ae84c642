"""Real input of German cities through a hub of its own, on the way that a worker takes, and one table of what became of it.

    python -m deploy.real.run --shared DIR --data-dir DIR

`--shared` is the folder that holds `data/` with the recorded input; a feed whose input is not there is named and left out. What
the lake then holds is compared with an independent count of the files (counts.py). Afterwards `stadthub up --data-dir DIR`
serves it all.
"""

import argparse
import json
import math
import os
import re
import sys
import tarfile
import time
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.real.counted import Count
from deploy.real.counts import count
from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.progress import Progress as Bar
from rich.table import Table

from stadthub_catalog.catalog import Catalog
from stadthub_lake.lake import Lake
from stadthub_lake.snapshot import Reader
from stadthub_lake.store import Store
from stadthub_pipelines.flow import Flow
from stadthub_pipelines.intake import Doors
from stadthub_pipelines.logs import configure
from stadthub_pipelines.publish import Publisher
from stadthub_pipelines.runner import Runner, place_of
from stadthub_pipelines.running import WORKER, held
from stadthub_schemas.counts import Counts
from stadthub_schemas.dataset import Dataset
from stadthub_schemas.errors import FeedError, StadthubError
from stadthub_schemas.feed import Feed, FileSource, load_feed
from stadthub_schemas.query import AggregateQuery, Measure, Metric, RowsQuery
from stadthub_schemas.settings import PREFIX, Settings, load_settings

FEEDS = Path(__file__).parent
CHECKOUT = FEEDS.parents[1]
#: So many refused rows of a feed are looked at; a line number in a reason is left out, so that equal ones come together.
MOST_REJECTS = 10_000
_DIGITS = re.compile(r"(?<=line )\d+")

#: Folders that are handed on as one archive, as their publisher does: where they are, and where their members belong in it.
PACKED = {"statistics/rki-amelag": {"tableschema_": "Metadaten/schemas/"}}

#: The columns of the table, and their headings: narrow enough that all of it stands in 80 columns.
COLUMNS = {"received": "received", "stored": "stored", "duplicate": "dupli-\ncate", "rejected": "rejec-\nted", "dropped": "dropped"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one feed. `seconds`: from the first raw-log frame to the last commit of `fresh` received rows. `differences`:
    in what the lake and the independent count don't agree, in words. `refused`: why rows were refused, and how many."""

    feed: str
    counts: Counts
    seconds: float
    fresh: int
    differences: tuple[str, ...]
    refused: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Hub:
    """The rooms of the hub that the input goes into."""

    settings: Settings
    store: Store
    catalog: Catalog
    reader: Reader
    lake: Lake
    publisher: Publisher


@contextmanager
def opened(settings: Settings) -> Iterator[Hub]:
    """The hub, with nobody else writing to it as long as the block runs. Conflict if a worker does."""
    with held(settings.data_dir, WORKER, "real input is being loaded into this data_dir"):
        catalog = Catalog(settings.database)
        catalog.migrate()
        store, reader = Store(settings.lake, settings.data_dir), Reader(settings.lake, settings.data_dir)
        lake = Lake(reader, settings.threads)
        try:
            yield Hub(settings, store, catalog, reader, lake, Publisher(reader, lake, catalog, settings.data_dir / "distributions", 0.0))
        finally:
            store.close()
            lake.close()
            catalog.close()


def unpack(data: Path, work: Path) -> None:
    """Every .tar.xz in the data folder is unpacked in the work folder."""
    work.mkdir(parents=True, exist_ok=True)
    for archive in data.glob("*.tar.xz"):
        name = archive.name.removesuffix(".tar.xz")
        if not (work / name).exists():
            with tarfile.open(archive) as opening:
                opening.extractall(work / f".{name}", filter="data")
            inner = work / f".{name}" / name
            (inner if inner.exists() else inner.parent).rename(work / name)


def pack(data: Path, work: Path) -> None:
    """The folders that are archives where they come from are archives in the work folder; the members are as old as their files."""
    work.mkdir(parents=True, exist_ok=True)
    for name, places in PACKED.items():
        folder = data / name
        target = work / f"{folder.name}.zip"
        if folder.is_dir() and not target.exists():
            hidden = target.with_suffix(".new")
            with zipfile.ZipFile(hidden, "w", zipfile.ZIP_DEFLATED) as archive:
                for path in sorted(folder.iterdir()):
                    archive.write(path, next((place for start, place in places.items() if path.name.startswith(start)), "") + path.name)
            hidden.rename(target)


def settle(path: Path, folders: Sequence[Path], feeds: Path) -> Feed | None:
    """The feed of this file, settled in the hub's own folder of feeds with the place where its input is; None if there is none."""
    source = load_feed(path).source
    assert isinstance(source, FileSource)
    for folder in folders:
        there = folder.absolute() / source.path
        if there.is_file() or any(there.glob(source.pattern)):
            words = path.read_text("utf-8").replace(f'path = "{source.path}"', f"path = {json.dumps(str(there), ensure_ascii=False)}")
            feeds.mkdir(parents=True, exist_ok=True)
            (feeds / path.name).write_text(words, "utf-8")
            return load_feed(feeds / path.name)
    return None


def load(feed: Feed, hub: Hub, counted: Count | None) -> Outcome:
    """The feed's input is in raw log and lake, and its dataset in the catalogue. What was loaded before is not loaded again."""
    dataset = feed.described()
    if dataset is None:
        raise FeedError(f"{feed.id}: it needs [metadata]")
    settings = hub.settings
    doors = Doors(hub.store, hub.catalog)
    place = place_of(settings, doors, lambda: None)
    runner = Runner(feed, Flow(dataset, hub.store, settings.commit_seconds, settings.commit_rows), place)
    hub.catalog.note_feed(feed.id, **runner.state())
    runner.obey(paused=False)
    before, began = runner.intake.counts.received, time.perf_counter()
    runner.pull_once()
    runner.flow.turn()
    runner.flow.commit()
    seconds, counts = time.perf_counter() - began, runner.intake.counts
    hub.catalog.note_feed(feed.id, **runner.state())
    error = None if runner.puller is None else runner.puller.error
    runner.close()
    hub.publisher.announce(dataset, feed.id)
    fresh = counts.received - before
    if fresh or not hub.catalog.entry(dataset.name).distributions:
        hub.publisher.write_files(dataset, feed.id)
    wrong = (() if error is None else (error,)) + compare(dataset, hub.lake, counts, counted)
    refused = Counter(_DIGITS.sub("…", reason) for reason in hub.reader.rejects(feed.id, MOST_REJECTS)["reason"].to_pylist())
    return Outcome(feed.id, counts, seconds, fresh, wrong, tuple(refused.most_common()))


def compare(dataset: Dataset, lake: Lake, counts: Counts, counted: Count | None) -> tuple[str, ...]:
    """In what the hub's counts and the rows in its lake differ from the independent count; nothing if all agree."""
    if counted is None:
        return ("no count",)
    summed = counted.stored > 0 and counted.total is not None
    pairs = [(name, ours, getattr(counted, name)) for name, ours in counts.as_dict().items()]
    pairs.append(("in the lake", lake.count(RowsQuery(dataset.name)), counted.stored))
    wrong = [f"{name} {ours - theirs:+,}" for name, ours, theirs in pairs if ours != theirs]
    if summed:
        found = lake.aggregate(AggregateQuery(dataset.name, (Measure(Metric.SUM, counted.column),)))
        total = float(found.column(0)[0].as_py())
        if not math.isclose(total, counted.total or 0.0, rel_tol=1e-9, abs_tol=1e-6):
            wrong.append(f"sum {total - (counted.total or 0.0):+,.6g}")
    return tuple(wrong)


def show(outcomes: Sequence[Outcome], console: Console) -> None:
    """One line a feed. Numbers are never cut: where they don't fit, the table is wider than the terminal."""
    table = Table(title="Real input", box=box.SIMPLE_HEAD, show_edge=False, padding=0, collapse_padding=True, title_justify="left")
    for heading in ("feed", *COLUMNS.values(), "rows/s", "check-\ned"):
        table.add_column(heading, no_wrap=True, justify="left" if heading in ("feed", "check-\ned") else "right")
    for outcome in outcomes:
        counts = outcome.counts.as_dict()
        speed = f"{outcome.fresh / outcome.seconds:,.0f}" if outcome.fresh else "–"
        checked = ", ".join(outcome.differences) or "✓"
        table.add_row(outcome.feed, *(f"{counts[name]:,}" for name in COLUMNS), speed, checked)
    console.width = max(console.width, Measurement.get(console, console.options.update(width=10_000), table).maximum)
    console.print(table)
    for outcome in outcomes:
        for reason, number in outcome.refused:
            console.print(f"{outcome.feed}: {number:,} rejected: {reason}", soft_wrap=True)


def run(shared: Path, settings: Settings, console: Console) -> list[Outcome]:
    """Load every feed whose input is there, and say which is not."""
    data, work = shared / "data", settings.data_dir / "unpacked"
    outcomes: list[Outcome] = []
    with opened(settings) as hub, Bar(console=console, transient=True) as bar:
        unpack(data, work)
        pack(data, work)
        for path in bar.track(sorted(FEEDS.glob("*.toml")), description="Loading"):
            feed = settle(path, (data, work), settings.feeds)
            if feed is None:
                console.print(f"{path.stem}: its input is not there")
            else:
                outcomes.append(load(feed, hub, count(feed.id, data)))
    return outcomes


def main(arguments: Sequence[str] | None = None) -> int:
    """Load every feed and print the table; 1 if the hub and the independent count differ. No input is no error."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shared = Path(os.environ.get("SHARED_DIR") or CHECKOUT.parent / "shared")
    parser.add_argument(
        "--shared", type=Path, default=shared, help="folder that holds data/ with the recorded input (default: %(default)s)"
    )
    parser.add_argument("--data-dir", type=Path, required=True, help="folder of the hub that is built")
    given = parser.parse_args(arguments)
    console = Console(highlight=False)
    if not (given.shared / "data").is_dir():
        console.print(
            f"Nothing to do: there is no recorded input in {given.shared / 'data'}; SHARED_DIR or --shared names another folder.",
            soft_wrap=True,
        )
        return 0
    try:
        settings = load_settings({**os.environ, f"{PREFIX}DATA_DIR": str(given.data_dir)})
        configure(settings)
        outcomes = run(given.shared, settings, console)
    except StadthubError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    show(outcomes, console)
    if any(outcome.differences for outcome in outcomes):
        console.print(
            f"The lake and the count of the files differ. If the input has changed since it was loaded: remove {given.data_dir} and try again.",
            soft_wrap=True,
        )
        return 1
    console.print(f"stadthub up --data-dir {given.data_dir} serves it.", soft_wrap=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
