"""Bodies that can hold personal data: they wait in memory, go through their feed's reducer, and only what that keeps is written."""

import threading
from collections.abc import Callable
from datetime import datetime

import anyio
from fastapi import HTTPException, Request

from stadthub_ingest.reducing import Reducer, counts_in_memory, is_private, narrows, now_utc, reducer, storable
from stadthub_pipelines.keys import pseudonym_key
from stadthub_pipelines.spool import Spooled, Spooling, want_room
from stadthub_schemas.errors import Conflict
from stadthub_schemas.feed import Feed
from stadthub_schemas.settings import Settings

#: How many bodies wait in memory at once, and how long one may take to arrive, in seconds.
BUFFERS = 8
SECONDS = 30.0
#: How often windows of counts are looked at whether they have ended, in seconds.
LOOK = 30.0


class Doors:
    """The reducers of the push feeds of one process. A changed feed gets a new one, which knows nothing of the old one's windows."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime] = now_utc) -> None:
        self.clock = clock
        self._settings = settings
        self._open: dict[str, tuple[Feed, Reducer]] = {}
        self._lock = threading.Lock()
        self._buffers = anyio.CapacityLimiter(BUFFERS)

    def of(self, feed: Feed) -> Reducer | None:
        """What stands before the disk for this feed; None: its bodies may be stored as they come."""
        if not is_private(feed) and not narrows(feed):
            return None
        if self._settings.api_workers > 1 and counts_in_memory(feed):
            raise Conflict(f"{feed.id}: its clients are counted in the memory of one process: set STADTHUB_API_WORKERS to 1")
        with self._lock:
            known = self._open.get(feed.id)
            if known is None or known[0] != feed:
                key = pseudonym_key(self._settings.data_dir) if is_private(feed) else b""
                known = self._open[feed.id] = (feed, reducer(feed, key, self.clock))
            return known[1]

    async def buffered(self, request: Request, most: int) -> bytes:
        """The body, in memory alone; 413 if it is too large, 408 if it doesn't come."""
        async with self._buffers:
            body = bytearray()
            with anyio.move_on_after(SECONDS) as patience:
                async for piece in request.stream():
                    body += piece
                    if len(body) > most:
                        raise HTTPException(413, f"a push to this feed may hold {most} bytes at most: send smaller pieces")
            if patience.cancelled_caught:
                raise HTTPException(408, f"the body did not come within {SECONDS:g} seconds: send it again")
            return bytes(body)

    def keep(self, feed: Feed, body: bytes, who: str) -> Spooled | None:
        """Spool what may be stored of the body; None where that is nothing now. StorageError."""
        door = self.of(feed)
        assert door is not None
        return self._spool(feed, storable(door(body, f"push:{who}")), who)

    def close_windows(self) -> None:
        """Spool the counts of all windows that have ended. StorageError."""
        with self._lock:
            doors = list(self._open.values())
        for feed, door in doors:
            self._spool(feed, door.close(), "window")

    def _spool(self, feed: Feed, reduced: bytes, who: str) -> Spooled | None:
        if not reduced:
            return None
        folder = self._settings.data_dir.absolute() / "push" / feed.id
        want_room(folder, self._settings.min_free_mb * 1_000_000)
        spooling = Spooling(folder, "application/json", who, reduced=feed.decoder)
        try:
            spooling.write(reduced)
            return spooling.keep()
        finally:
            spooling.drop()
