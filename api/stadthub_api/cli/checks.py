"""What is wrong with feed files: each by itself, and where they contradict one another."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from stadthub_ingest import registry
from stadthub_ingest.reducing import counts_people
from stadthub_schemas.errors import FeedError, NotFound
from stadthub_schemas.feed import Feed, load_feed


@dataclass(frozen=True, slots=True)
class Checked:
    """One feed file: its feed, unless that can't be read, and a sentence for each mistake."""

    path: Path
    feed: Feed | None
    mistakes: tuple[str, ...] = ()


def feed_files(folder: Path) -> list[Path]:
    """The feed files of this folder; NotFound if there is no such folder."""
    if not folder.is_dir():
        raise NotFound(f"There is no folder {folder} for feed files: make it, or name another with --data-dir or STADTHUB_FEEDS_DIR")
    return sorted(folder.glob("*.toml"))


def check_files(paths: Iterable[Path]) -> list[Checked]:
    """All mistakes of all files, in their order."""
    checked: list[Checked] = []
    first: dict[str, Feed] = {}
    files: dict[str, str] = {}
    for path in paths:
        one = _check_file(path)
        if one.feed is not None:
            found = [*one.mistakes, *_contradictions(path.name, one.feed, first, files)]
            first.setdefault(one.feed.dataset, one.feed)
            files.setdefault(one.feed.id, path.name)
            one = Checked(path, one.feed, tuple(found))
        checked.append(one)
    return checked


def _check_file(path: Path) -> Checked:
    try:
        feed = load_feed(path)
    except FeedError as error:
        return Checked(path, None, tuple(str(error).splitlines()))
    try:
        registry.read_options(feed)
    except FeedError as error:
        lines = str(error).splitlines()
        return Checked(path, feed, tuple(line if line.startswith(path.name) else f"{path.name}: {line}" for line in lines))
    if feed.metadata is not None and feed.metadata.privacy is None and counts_people(feed):
        return Checked(
            path, feed, (f"{path.name}: metadata.privacy: missing: decoder {feed.decoder} reads of people: say purpose and legal_basis",)
        )
    return Checked(path, feed)


def _contradictions(name: str, feed: Feed, first: dict[str, Feed], files: dict[str, str]) -> Iterable[str]:
    """Where this feed and the ones before it can't all be right."""
    if feed.id in files:
        yield f"{name}: id: {feed.id} is the id of {files[feed.id]} too: give each feed its own"
    other = first.get(feed.dataset)
    if other is None:
        return
    if other.kind is not feed.kind:
        yield f"{name}: kind: dataset {feed.dataset} is of kind {other.kind} in feed {other.id}: feeds of one dataset have one kind"
    if other.metadata is not None and feed.metadata is not None:
        yield f"{name}: metadata: feed {other.id} describes dataset {feed.dataset} already: leave it out here"
