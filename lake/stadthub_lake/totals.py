"""How many rows fit a question, remembered for whoever asks for page after page of them."""

import threading
from collections.abc import Callable
from dataclasses import replace

from stadthub_lake.snapshot import Snapshot
from stadthub_schemas.query import NumberedQuery

#: So many totals are remembered, of questions that are no longer than this.
MOST, LONGEST = 1000, 5000

#: The version of a table with the names of its files, which never change, and what is asked of it.
Key = tuple[str, int, tuple[str, ...], str]


class Totals:
    """Totals of questions over versions that are whole in their files; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[Key, int] = {}

    def of(self, snapshot: Snapshot, query: NumberedQuery, count: Callable[[], int]) -> int:
        """The total, counted if it is not known yet."""
        key = _key(snapshot, query)
        if key is None:
            return count()
        with self._lock:
            known = self._known.get(key)
        if known is None:
            known = count()
            with self._lock:
                while len(self._known) >= MOST:
                    del self._known[next(iter(self._known))]
                self._known[key] = known
        return known


def _key(snapshot: Snapshot, query: NumberedQuery) -> Key | None:
    """What the total hangs on; None where fresh rows or the words of datastreams can change without a new version."""
    if not snapshot.files or snapshot.tail is not None or snapshot.entities is not None or query.among is not None:
        return None
    asked = repr(replace(query, limit=None, offset=0, as_of=None, forms={}))
    return (snapshot.dataset, snapshot.version, snapshot.files, asked) if len(asked) <= LONGEST else None
