"""Payloads in quarantine as an operator sees them: their first rows with what differs, and how the feed file would mend them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from stadthub_catalog.catalog import Catalog
from stadthub_ingest.judge import Judge
from stadthub_ingest.judged import Payload, excerpt
from stadthub_ingest.reducing import is_private
from stadthub_ingest.sources.fetched import page_of
from stadthub_lake.peek import peek
from stadthub_lake.rawlog import Frame
from stadthub_pipelines import feedfiles
from stadthub_schemas.errors import FeedError, NotFound, StorageError
from stadthub_schemas.feed import Feed, load_feed
from stadthub_schemas.finding import Held, HeldState
from stadthub_schemas.settings import Settings


class Word(StrEnum):
    """What an operator may say of a payload in quarantine."""

    RELEASE = "release"
    ACCEPT = "accept"
    DISCARD = "discard"


_STATES = {Word.RELEASE: HeldState.RELEASING, Word.ACCEPT: HeldState.ACCEPTING, Word.DISCARD: HeldState.DISCARDED}


def give_word(catalog: Catalog, feed: str, position: int, word: Word, who: str) -> Held:
    """Write an operator's word down for the worker and in the audit chain; NotFound for a payload that is not in quarantine."""
    give_words(catalog, feed, [position], word, who)
    return catalog.held_payload(feed, position)


def give_words(catalog: Catalog, feed: str, positions: Sequence[int], word: Word, who: str) -> int:
    """The same of several payloads; answer how many."""
    decided = catalog.decide(feed, positions, _STATES[word], who)
    catalog.record(who, f"feed.{word}", feed, {"positions": list(positions)[:1000]})
    return decided


@dataclass(frozen=True, slots=True)
class Rename:
    """A column that seems to have a new name, and the line of the feed file that turns it back."""

    old: str
    new: str
    line: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A held payload to look at. `rows` is empty where nothing of it may be shown or nothing is left; `private`: its feed reads of
    people. `marked` are the columns that differ."""

    held: Held
    private: bool
    gone: bool
    header: list[str]
    rows: list[list[str]]
    marked: frozenset[str]
    renames: tuple[Rename, ...]


def shown(settings: Settings, catalog: Catalog, feed: str, position: int) -> Shown:
    """The payload of this feed at this position; NotFound if it never was in quarantine."""
    held = catalog.held_payload(feed, position)
    known = _feed(settings, feed)
    frame = _frame(settings, held)
    private = known is None or is_private(known)
    header: list[str] = []
    rows: list[list[str]] = []
    if known is not None and frame is not None and not private:
        header, rows = Judge(known).preview(Payload(frame.position, frame.received_time, frame.name, frame.body))
    return Shown(held, private, frame is None, header, rows, _marked(held), _renames(held))


def excerpt_of(settings: Settings, held: Held) -> str | None:
    """How the payload begins; None where nothing of it may be shown or nothing is left."""
    known = _feed(settings, held.feed)
    frame = _frame(settings, held)
    return None if known is None or is_private(known) or frame is None else excerpt(frame.body)


def _feed(settings: Settings, feed: str) -> Feed | None:
    try:
        return load_feed(feedfiles.find(settings.feeds, feed).path)
    except (NotFound, FeedError):
        return None


def _frame(settings: Settings, held: Held) -> Frame | None:
    """The first frame of the payload, as the raw log keeps it."""
    try:
        frames = peek(settings.data_dir / "raw" / held.feed, held.position, page_of(held.name)[1])
    except StorageError:
        return None
    return frames[0] if frames and frames[-1].position == held.position else None


def _marked(held: Held) -> frozenset[str]:
    """The columns of the payload that differ, by their own names."""
    named = {str(one["details"].get("now") if "path" in one["details"] else one["subject"]) for one in held.differences}
    return frozenset(named | {name.rpartition(".")[2] for name in named})


def _renames(held: Held) -> tuple[Rename, ...]:
    likely = (one["details"] for one in held.differences if "path" in one["details"])
    return tuple(Rename(one["before"], one["now"], feedfiles.rename_line(one["now"], one["before"])) for one in likely)
