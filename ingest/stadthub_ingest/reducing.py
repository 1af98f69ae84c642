"""The one door before the first byte: what may be stored of a payload that can hold personal data. It can't be switched off.

A decoder with `reduce` gives what may be kept of each payload. The options of table decoders can say
`keep = "named"`: then what they don't name is removed here. A decoder with `sight` tells who was seen where: such sightings
are counted here, in memory, per window; who was counted is known only under a random key that is thrown away with the window.
"""

import hashlib
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol

from stadthub_ingest import registry
from stadthub_ingest.accesspoints import Kept, Point, kept
from stadthub_ingest.decoded import Narrow, Reduce, Sight, Sighting
from stadthub_ingest.judged import REFUSED
from stadthub_ingest.renames import renamed_json
from stadthub_ingest.times import cut
from stadthub_schemas.errors import FeedError
from stadthub_schemas.feed import Feed
from stadthub_schemas.model import Strict

#: How long after its end a window waits for those who come late.
LATE = timedelta(minutes=2)
#: How far ahead of our clock a sighting may be.
AHEAD = timedelta(minutes=10)
#: A window of which more than this was missed at its beginning is marked as partial.
MISSED = timedelta(minutes=1)
PARTIAL = "partial"

now_utc: Callable[[], datetime] = partial(datetime.now, UTC)


class Reducer(Protocol):
    """What stands before the disk. Payload and name in; out come the bytes to store, none (b""), or None: nothing may be kept."""

    def __call__(self, payload: bytes, name: str) -> bytes | None:
        """What may be stored of this payload."""
        ...

    def close(self) -> bytes:
        """What is to be stored of windows that have ended; b"" if nothing is."""
        ...


def is_private(feed: Feed) -> bool:
    """Whether payloads of this feed can hold personal data. FeedError if its decoder does not exist."""
    return registry.find(feed.decoder).private


def counts_people(feed: Feed) -> bool:
    """Whether this feed counts people's devices, so that it must say why. FeedError if its decoder does not exist."""
    return issubclass(registry.find(feed.decoder).Options, Kept)


def counts_in_memory(feed: Feed) -> bool:
    """Whether clients of this feed are counted here, so that one process must see all of its payloads."""
    return registry.find(feed.decoder).sight is not None


def narrows(feed: Feed) -> bool:
    """Whether only what the feed's options name is stored of its payloads. FeedError if its decoder does not exist."""
    return registry.find(feed.decoder).narrow is not None and feed.options.get("keep") == "named"


def reducer(feed: Feed, key: bytes, clock: Callable[[], datetime] = now_utc) -> Reducer:
    """What reduces this feed's payloads; those of a decoder that needs none pass as they are. FeedError for wrong options."""
    decoder = registry.find(feed.decoder)
    options = registry.read_options(feed)
    if decoder.sight is not None:
        if not isinstance(options, Kept):
            raise FeedError(f"decoder {feed.decoder}: it counts clients, so its options must say how access points are kept")
        return Counting(decoder.sight, options, key, clock)
    if decoder.reduce is not None:
        return _Reducing(decoder.reduce, options, key)
    if decoder.narrow is not None and narrows(feed):
        return _Narrowing(decoder.narrow, options, {} if hasattr(options, "renames") else feed.renames)
    return _Passing()


def storable(reduced: bytes | None) -> bytes:
    """What goes to the raw log: the reduced payload, or the mark that counts one of which nothing may be kept."""
    return REFUSED if reduced is None else reduced


@dataclass(frozen=True, slots=True)
class _Passing:
    """Payloads that hold nothing personal."""

    def __call__(self, payload: bytes, name: str) -> bytes | None:  # noqa: ARG002 - the door's signature
        return payload

    def close(self) -> bytes:
        return b""


@dataclass(frozen=True, slots=True)
class _Reducing:
    """A decoder's own reducer; whatever it stumbles over, nothing of the payload gets past."""

    reduce: Reduce
    options: Strict
    key: bytes = field(repr=False)

    def __call__(self, payload: bytes, name: str) -> bytes | None:
        try:
            return self.reduce(payload, self.options, name, self.key)
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 - whatever it is: its words, and those of a traceback, may be the payload's and go no further
            return None

    def close(self) -> bytes:
        return b""


@dataclass(frozen=True, slots=True)
class _Narrowing:
    """Payloads of which only what the options name is kept; what can't be read can't be told apart, so nothing of it is. `renames`:
    new names of members that the options know by their old ones."""

    narrow: Narrow
    options: Strict
    renames: Mapping[str, str]

    def __call__(self, payload: bytes, name: str) -> bytes | None:
        try:
            return self.narrow(renamed_json(payload, self.renames) if self.renames else payload, self.options, name)
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 - whatever it is: its words may be the payload's and go no further
            return None

    def close(self) -> bytes:
        return b""


@dataclass(slots=True)
class _Window:
    """The clients of one window, each as a keyed hash whose key nobody can know: it goes when the window goes."""

    partial: bool
    key: bytes = field(default_factory=lambda: os.urandom(32), repr=False)
    clients: dict[str, set[bytes]] = field(default_factory=dict, repr=False)

    def see(self, sighting: Sighting) -> None:
        one = hashlib.blake2b(sighting.client, digest_size=8, key=self.key).digest()
        self.clients.setdefault(sighting.thing, set()).add(one)


class Counting:
    """Counts distinct clients per access point and window. Thread-safe. A stop forgets the windows that have not ended."""

    def __init__(self, sight: Sight, options: Kept, key: bytes, clock: Callable[[], datetime]) -> None:
        self._sight = sight
        self._options = options
        self._key = key
        self._clock = clock
        self._began = clock()
        self._windows: dict[datetime, _Window] = {}
        self._lock = threading.Lock()

    def __call__(self, payload: bytes, name: str) -> bytes | None:
        """The counts of windows that have ended meanwhile, b"" if there are none; None for a payload that can't be read."""
        try:
            sightings = self._sight(payload, self._options, name, self._key)
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 - as above
            sightings = None
        if sightings is None:
            return None
        now = self._clock()
        with self._lock:
            for sighting in sightings:
                self._count(sighting, now)
        return self.close()

    def close(self) -> bytes:
        """What is to be stored of windows that have ended; what they were counted by is forgotten here."""
        now = self._clock()
        length = self._options.bucket
        with self._lock:
            ended = {start: self._windows.pop(start) for start in sorted(self._windows) if start + length + LATE <= now}
        points = [
            Point(thing, time=start.timestamp(), values={"wifi_clients": len(clients)}, quality=PARTIAL if window.partial else None)
            for start, window in ended.items()
            for thing, clients in sorted(window.clients.items())
        ]
        return kept(points, self._options, None) if points else b""

    def _count(self, sighting: Sighting, now: datetime) -> None:
        """Count whoever was seen in a window that is open; whoever comes too late or out of the future is not counted."""
        start = cut(sighting.time, self._options.bucket)
        if start + self._options.bucket + LATE <= now or sighting.time > now + AHEAD:
            return
        if start not in self._windows:
            self._windows[start] = _Window(partial=self._began > start + MISSED)
        self._windows[start].see(sighting)
