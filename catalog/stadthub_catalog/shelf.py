"""The catalogue in memory: all entries, brought up to date by a change counter in the database, and the search in them."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import numpy as np

from stadthub_catalog import hot
from stadthub_catalog.database import Database
from stadthub_catalog.datasets import Changed, changed_since, changes
from stadthub_catalog.entry import Distribution, Entry, Organization, State
from stadthub_catalog.fields import FACETS, as_kept
from stadthub_catalog.index import Index
from stadthub_catalog.matching import Matching
from stadthub_catalog.ordering import ordered
from stadthub_catalog.synonyms import Synonyms
from stadthub_catalog.teams import TABLES, TeamSort, teams
from stadthub_schemas.access import Action, Principal, may
from stadthub_schemas.dataset import Kind
from stadthub_schemas.errors import NotFound, QueryError

Array = np.ndarray[Any, Any]

#: The orders by name, and what they are in the words of `ordering`: what is equal goes on by the next.
SORTS = {
    "relevance": "score desc, metadata_modified desc, title asc",
    "title": "title asc",
    "modified": "metadata_modified desc, title asc",
}

#: For how many different principals it is remembered what they see, and after how many changed entries that is worked out anew.
_PRINCIPALS, _FEW = 256, 1000

#: How many own changes are kept in hand until they are asked for, and of how many entries each: a harvest reads none of them.
_IN_HAND, _SMALL = 100, 10


class Shelf:
    """All entries of the catalogue; thread-safe."""

    def __init__(self, database: Database, synonyms: Synonyms) -> None:
        self.synonyms = synonyms
        self._database = database
        self._lock = threading.RLock()
        self._seen = -1
        self._seen_teams = -1
        self._steady = threading.local()
        self._handed: dict[int, Changed] = {}
        self._entries: dict[str, Entry] = {}
        self._by_id: dict[UUID, str] = {}
        self._files: dict[UUID, tuple[Entry, Distribution]] = {}
        self._hidden: dict[UUID, Entry] = {}
        self._teams: dict[TeamSort, dict[str, Organization]] = {"organization": {}, "group": {}}
        self._index = Index()
        self._visible: dict[Principal, dict[str, Entry]] = {}
        self._before: dict[Principal, dict[str, Entry]] = {}
        self._touched: set[str] = set()
        self._masks: dict[Principal, Array] = {}

    def entry(self, name: str) -> Entry:
        """The entry of that name or id; NotFound."""
        with self._lock:
            self._refresh()
            found = self._entries.get(name) or self._entries.get(self._by_id.get(_uuid(name) or _NOBODY, ""))
        if found is None:
            raise NotFound(f"there is no dataset {name!r}")
        return found

    def entries(self) -> list[Entry]:
        """All entries by name."""
        with self._lock:
            self._refresh()
            return [self._entries[name] for name in sorted(self._entries)]

    def visible(self, principal: Principal) -> dict[str, Entry]:
        """The entries that this principal may know of, by name in alphabetical order; not to be changed."""
        with self._lock:
            self._refresh()
            if principal not in self._visible:
                if len(self._visible) >= _PRINCIPALS:
                    self._visible.clear()
                self._visible[principal] = {name: self._entries[name] for name in sorted(self._shown(principal))}
            return self._visible[principal]

    def _shown(self, principal: Principal) -> list[str]:
        """The names of what this principal may know of: decided again only for what has changed since it was last asked."""
        before = self._before.pop(principal, None)
        asked = self._entries if before is None else self._touched & self._entries.keys()
        shown = [name for name in asked if may(principal, Action.SEE, self._entries[name].dataset).allowed]
        return shown + [name for name in before or () if name not in self._touched]

    def distribution(self, key: str) -> tuple[Entry, Distribution]:
        """The distribution with this id and its entry; NotFound."""
        with self._lock:
            self._refresh()
            found = self._files.get(_uuid(key) or _NOBODY)
        if found is None:
            raise NotFound(f"there is no distribution {key!r}")
        return found

    def any_distribution(self, key: str) -> tuple[Entry, Distribution]:
        """The same, also of an entry that is not active; NotFound."""
        try:
            return self.distribution(key)
        except NotFound:
            wanted = _uuid(key)
            with self._lock:
                found = ((entry, one) for entry in self._hidden.values() for one in entry.distributions if one.id == wanted)
                there = next(found, None)
            if there is None:
                raise
            return there

    def hidden(self, key: str) -> Entry:
        """The entry of that name or id that is not active: a draft, a deleted or a withdrawn one. NotFound."""
        with self._lock:
            self._refresh()
            found = self._hidden.get(_uuid(key) or _NOBODY) or next((one for one in self._hidden.values() if one.name == key), None)
        if found is None:
            raise NotFound(f"there is no dataset {key!r}")
        return found

    def all_hidden(self) -> list[Entry]:
        """All entries that are not active, by name."""
        with self._lock:
            self._refresh()
            return sorted(self._hidden.values(), key=lambda entry: entry.name)

    def organizations(self) -> dict[str, Organization]:
        """All organisations by name, whatever their state; not to be changed."""
        with self._lock:
            self._refresh()
            return self._teams["organization"]

    def groups(self) -> dict[str, Organization]:
        """All of the hub's own groups by name, whatever their state; not to be changed."""
        with self._lock:
            self._refresh()
            return self._teams["group"]

    @contextmanager
    def searched(self) -> Iterator[Index]:
        """The index as of now; nothing changes in it until the block ends."""
        with self._lock:
            self._refresh()
            yield self._index

    def seen(self, principal: Principal) -> Array:
        """Which places of the index hold what this principal may know of; not to be changed."""
        with self._lock:
            shown = self.visible(principal)
            if principal not in self._masks:
                self._masks[principal] = self._index.mask_of(shown)
            return self._masks[principal]

    def seen_hidden(self, principal: Principal, states: frozenset[State]) -> Array:
        """Which places hold entries of these states that this principal may write."""
        with self._lock:
            self._refresh()
            there = (entry for entry in self._hidden.values() if entry.state in states)
            return self._index.mask(entry.id for entry in there if may(principal, Action.WRITE, entry.dataset).allowed)

    def search(
        self, principal: Principal, text: str, wanted: Mapping[str, Sequence[str]], sort: str
    ) -> tuple[list[Entry], dict[str, dict[str, int]], tuple[str, ...]]:
        """All entries that fit, in their order, the facets, and the words that no entry has and that were left out. Values of one
        facet are alternatives; a facet counts what there would be without its own filter."""
        for name in wanted:
            if name not in FACETS:
                raise QueryError(f"there is no facet {name!r}: use one of {', '.join(FACETS)}")
        if sort not in SORTS:
            raise QueryError(f"sort {sort!r}: use one of {', '.join(SORTS)}")
        with self.searched() as index:
            seen = self.seen(principal)
            scores, unknown = Matching(index, self.synonyms, seen).forgiving(text)
            base = seen & (scores > 0) if text.strip() else seen
            kept = {facet: [as_kept(facet, value) for value in values] for facet, values in wanted.items() if values}
            fitting = {facet: index.facet(facet).equal(len(index), values) for facet, values in kept.items()}
            facets = {facet: index.facet(facet).counted(_all(base, fitting, facet)) for facet in FACETS}
            found = ordered(index, _all(base, fitting, None), scores, SORTS[sort])
            return list(index.found(found)), facets, unknown

    def proposals(self, principal: Principal, text: str) -> list[str]:
        """What may have been meant by a text that nothing was found for."""
        with self.searched() as index:
            return Matching(index, self.synonyms, self.seen(principal)).proposals(text)

    @contextmanager
    def steady(self) -> Iterator[None]:
        """Within this block, and in this thread, the catalogue is read from the database once."""
        self._steady.fresh = False
        try:
            yield
        finally:
            del self._steady.fresh

    def hand(self, change: Changed) -> None:
        """What was written here just now, so that it need not be read again from the database."""
        if len(self._handed) >= _IN_HAND:
            self._handed.clear()
        if len(change.entries) <= _SMALL:
            self._handed[change.change] = change

    def _news(self, now: int) -> Changed:
        """What has changed: out of the hand if all of it was written here, else from the database."""
        handed, self._handed = self._handed, {}
        numbers = range(self._seen + 1, now + 1)
        if len(numbers) > len(handed) or not all(number in handed for number in numbers):
            return changed_since(self._database, self._seen, now)
        entries = {entry.id: entry for number in numbers for entry in handed[number].entries}
        return Changed(now, tuple(entries.values()), frozenset())

    def renew(self) -> None:
        """Read the catalogue once more within such a block."""
        if hasattr(self._steady, "fresh"):
            self._steady.fresh = False

    def _refresh(self) -> None:
        if getattr(self._steady, "fresh", False):
            return
        with self._database.reading() as connection:
            now, teams_now = changes(connection)
        if hasattr(self._steady, "fresh"):
            self._steady.fresh = True
        if now == self._seen:
            return
        if teams_now != self._seen_teams:
            self._teams = {sort: {one.name: one for one in teams(self._database, sort)} for sort in TABLES}
            self._seen_teams = teams_now
        news = self._news(now)
        if not self._before:
            self._touched.clear()
        for key in news.purged:
            self._drop(key)
        for entry in self._observing(news.entries):
            self._drop(entry.id)
            self._put(entry)
        self._forget_seen()
        self._masks.clear()
        self._seen = news.change

    def _forget_seen(self) -> None:
        """What the principals see is no longer as it was; what they saw before goes along, unless too much has changed since."""
        self._before |= self._visible
        self._visible.clear()
        if len(self._touched) > _FEW or len(self._before) > _PRINCIPALS:
            self._before.clear()

    def _observing(self, news: Sequence[Entry]) -> list[Entry]:
        """The entries with what their datastreams observe, asked again where there are other datastreams than before."""
        known = {entry.id: self._entries.get(entry.name) for entry in news}
        asked = [
            entry.name
            for entry in news
            if entry.dataset.kind is Kind.TIMESERIES
            and ((old := known[entry.id]) is None or not old.observed or old.extent.datastreams != entry.extent.datastreams)
        ]
        observed = hot.observed(self._database, asked) if asked else {}
        olds = {key: old.observed for key, old in known.items() if old is not None}
        return [replace(entry, observed=observed.get(entry.name, olds.get(entry.id, ()))) for entry in news]

    def _put(self, entry: Entry) -> None:
        self._index.put(entry)
        if entry.state is not State.ACTIVE:
            self._hidden[entry.id] = entry
            return
        self._touched.add(entry.name)
        self._entries[entry.name] = entry
        self._by_id[entry.id] = entry.name
        for one in entry.distributions:
            if one.id is not None:
                self._files[one.id] = (entry, one)

    def _drop(self, key: UUID) -> None:
        """Forget the entry, whatever it was called."""
        self._index.drop(key)
        self._hidden.pop(key, None)
        name = self._by_id.pop(key, None)
        if name is None:
            return
        self._touched.add(name)
        old = self._entries.pop(name)
        for one in old.distributions:
            if one.id is not None:
                del self._files[one.id]


_NOBODY = UUID(int=0)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _all(base: Array, fitting: Mapping[str, Array], but: str | None) -> Array:
    """What fits every facet, except that of `but`."""
    return np.asarray(np.logical_and.reduce([base, *(having for facet, having in fitting.items() if facet != but)]))
