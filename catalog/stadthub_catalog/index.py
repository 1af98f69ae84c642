"""The search index in memory: every entry has a place in it, and each question is answered by masks and scores over all places.

One index serves all principals: who may see what is one more mask. Nothing is counted, scored or proposed outside the mask.
"""

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

import numpy as np

from stadthub_catalog import fields
from stadthub_catalog.entry import Entry, State
from stadthub_catalog.folding import words
from stadthub_catalog.packages import Said, said_of
from stadthub_catalog.values import Values
from stadthub_catalog.vocabulary import Vocabulary
from stadthub_schemas.dataset import AccessClass

Array = np.ndarray[Any, Any]

#: What the places beside the strongest add to a word's weight (Solr's `tie`).
_TIE = 0.1

#: What is known of each entry in numbers: times in seconds since 1970, degrees.
NUMBERS = ("metadata_created", "metadata_modified", "west", "south", "east", "north", "first", "last")

_UNKNOWN = float("nan")

#: Places of entries that are gone are kept until there are so many, and more than of those that are there.
_MOST_GONE = 2000


class Index:
    """Entries by place; not thread-safe, its owner holds a lock."""

    def __init__(self) -> None:
        self.vocabulary = Vocabulary()
        self.entries: list[Entry | None] = []
        self._places: dict[UUID, int] = {}
        self._values: defaultdict[str, Values] = defaultdict(Values)
        self._facets: dict[str, Values] = {facet: Values() for facet in fields.FACETS}
        self._words: dict[int, tuple[str, ...]] = {}
        self._public: set[int] = set()
        self._said = array("d")
        self._rows: Array | None = None

    def __len__(self) -> int:
        """How many places there are, taken or left."""
        return len(self.entries)

    def put(self, entry: Entry) -> None:
        """Take the entry in, instead of what was known of it."""
        self.drop(entry.id)
        slot = self._places[entry.id] = len(self.entries)
        self.entries.append(entry)
        said = said_of(entry)
        weights = _weights(entry, said)
        self.vocabulary.put(slot, weights)
        self._words[slot] = tuple(weights)
        if entry.state is State.ACTIVE and entry.dataset.metadata.access is AccessClass.PUBLIC:
            self._public.add(slot)
            self.vocabulary.count(weights, 1)
        for field, given in fields.values(entry, said).items():
            self._values[field].put(slot, given)
        for facet, values in fields.FACETS.items():
            self._facets[facet].put(slot, values(entry))
        self._said.extend(_numbers(entry))
        self._rows = None

    def drop(self, key: UUID) -> None:
        """Forget the entry."""
        slot = self._places.pop(key, None)
        if slot is None:
            return
        self.entries[slot] = None
        gone = self._words.pop(slot)
        if slot in self._public:
            self._public.remove(slot)
            self.vocabulary.count(gone, -1)
        if len(self.entries) - len(self._places) > max(_MOST_GONE, len(self._places)):
            self._close_up()

    def mask(self, keys: Iterable[UUID]) -> Array:
        """Which places these entries have."""
        result = np.zeros(len(self.entries), bool)
        result[[self._places[key] for key in keys]] = True
        return result

    def mask_of(self, shown: Mapping[str, Entry]) -> Array:
        """Which places these entries by name have: for many of them, as a name is looked up faster than an id."""
        there = (one is not None and shown.get(one.dataset.name) is one for one in self.entries)
        return np.fromiter(there, bool, len(self.entries))

    def found(self, slots: Iterable[int]) -> Iterator[Entry]:
        """The entries at these places."""
        for slot in slots:
            entry = self.entries[slot]
            if entry is not None:
                yield entry

    def values(self, field: str) -> Values | None:
        """The values of a field in CKAN's words; None if no entry has any."""
        return self._values.get(field)

    def facet(self, name: str) -> Values:
        """The values of a facet of the hub's own search."""
        return self._facets[name]

    def numbers(self) -> Array:
        """The times, the boxes and the spans of the entries: a row for each of `NUMBERS`, NaN where nobody says."""
        if self._rows is None:
            self._rows = np.array(self._said).reshape(-1, len(NUMBERS)).T
        return self._rows

    def _close_up(self) -> None:
        """Take the places of those that are gone out."""
        there = [slot for slot, entry in enumerate(self.entries) if entry is not None]
        places = np.full(len(self.entries), -1)
        places[there] = np.arange(len(there))
        self.vocabulary.renumber(places)
        for values in (*self._values.values(), *self._facets.values()):
            values.renumber(places)
        self.entries = [self.entries[slot] for slot in there]
        self._places = {key: int(places[slot]) for key, slot in self._places.items()}
        self._words = {int(places[slot]): said for slot, said in self._words.items()}
        self._public = {int(places[slot]) for slot in self._public}
        self._said = array("d", self.numbers()[:, there].T.tobytes())
        self._rows = None


def _numbers(entry: Entry) -> tuple[float, ...]:
    return (
        entry.created.timestamp(),
        entry.modified.timestamp(),
        *(entry.extent.bbox or (_UNKNOWN,) * 4),
        *(fields.span(entry) or (_UNKNOWN,) * 2),
    )


def _weights(entry: Entry, said: Said) -> dict[str, tuple[float, int]]:
    """Each word of the entry with how much it says about it, and the bits of the places where it stands."""
    best: dict[str, tuple[float, float, int]] = {}
    for place, texts in fields.texts(entry, said):
        there = [words(text) for text in texts]
        longest = max(map(len, there), default=0)
        rest = fields.PLACES[place].weight * (4 / (4 + longest)) ** 0.25
        for word, times in Counter(word for text in there for word in text).items():
            score = rest * (1 + 0.1 * min(times - 1, 4))
            most, every, bits = best.get(word, (0.0, 0.0, 0))
            best[word] = max(most, score), every + score, bits | fields.BITS[place]
    return {word: (most + _TIE * (every - most), bits) for word, (most, every, bits) in best.items()}
