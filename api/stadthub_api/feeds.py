"""Which feeds take pushes: the worker's state in the catalogue says so, the feed's file says how much at once."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from stadthub_catalog.catalog import Catalog
from stadthub_schemas.dataset import Dataset
from stadthub_schemas.errors import FeedError, NotFound, StorageError
from stadthub_schemas.feed import Feed, PushSource, load_feed


@dataclass(frozen=True, slots=True)
class PushFeed:
    """A feed that takes POSTs: its name, the dataset they go to, and how large one may be."""

    name: str
    dataset: Dataset
    max_bytes: int
    feed: Feed


def push_feed(catalog: Catalog, folder: Path, name: str) -> PushFeed:
    """The push feed of this name; NotFound if there is none, or if it has another source. StorageError while its file is wrong:
    without it nobody can say what of a body may be stored."""
    state = catalog.feed(name[:100])
    if state.source != "push":
        raise NotFound(f"there is no push feed {name[:100]!r}")
    feeds = _feeds(folder)
    feed = next((feed for feed in feeds if feed.id == name), None)
    if feed is None:
        raise StorageError(f"{name[:100]}: its feed file can't be read, so nothing is taken until it is mended; see stadthub feed check")
    if not isinstance(feed.source, PushSource):
        raise NotFound(f"there is no push feed {name[:100]!r}")
    return PushFeed(name, _dataset(catalog, feeds, state.dataset), feed.source.max_bytes, feed)


def _dataset(catalog: Catalog, feeds: list[Feed], name: str) -> Dataset:
    """The dataset from the feed file that describes it, so that the very first push finds one; else from the catalogue."""
    described = (feed.described() for feed in feeds if feed.dataset == name)
    return next((dataset for dataset in described if dataset is not None), None) or catalog.entry(name).dataset


def _feeds(folder: Path) -> list[Feed]:
    """All feeds whose file is right; a wrong file is the worker's to report."""
    found = (_read(path, path.stat().st_mtime_ns) for path in sorted(folder.glob("*.toml")))
    return [feed for feed in found if feed is not None]


@lru_cache(maxsize=2048)
def _read(path: Path, changed: int) -> Feed | None:  # noqa: ARG001 - the time of change is part of what is remembered
    try:
        return load_feed(path)
    except FeedError:
        return None
