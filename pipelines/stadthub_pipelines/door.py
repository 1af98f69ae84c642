"""A feed's door to the disk: whatever a source brings goes through it, and what doesn't come out of it is never written."""

from dataclasses import dataclass
from pathlib import Path

from stadthub_ingest.reducing import Reducer, is_private, narrows, reducer, storable
from stadthub_ingest.sources.fetched import page_of, page_sign
from stadthub_pipelines.keys import pseudonym_key
from stadthub_schemas.feed import Feed


@dataclass(frozen=True, slots=True)
class Door:
    """What may be stored of a feed's payloads. `key` is empty for feeds whose payloads hold nothing personal."""

    feed: Feed
    reduce: Reducer
    key: bytes

    @property
    def private(self) -> bool:
        """Whether payloads of this feed can hold personal data."""
        return bool(self.key)

    @property
    def reduces(self) -> bool:
        """Whether less than the whole payload is stored."""
        return self.private or narrows(self.feed)

    def frame(self, name: str, body: bytes) -> tuple[str, bytes] | None:
        """The name and the bytes to store; None if there is nothing to store. A topic, an address or a file's name can name a
        person too: of a private feed only its own id is kept, and which page of how many it is."""
        if not self.private:
            return name, storable(self.reduce(body, name))
        reduced = storable(self.reduce(body, name))
        number, pages = page_of(name)
        kept = self.feed.id if pages == 1 else self.feed.id + page_sign(number, pages)
        return (kept, reduced) if reduced else None


def door(feed: Feed, data_dir: Path) -> Door:
    """The door of this feed in this hub. FeedError for wrong options, StorageError if the hub's key can't be read."""
    key = pseudonym_key(data_dir) if is_private(feed) else b""
    return Door(feed, reducer(feed, key), key)
