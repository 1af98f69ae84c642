"""The catalogue in memory: all entries, brought up to date by a change counter in the database, and the search in them."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from uuid import UUID

from stadthub_catalog.database import Database
from stadthub_catalog.datasets import changed_since, changes
from stadthub_catalog.entry import Distribution, Entry, Found, Organization, State
from stadthub_catalog.index import Index
from stadthub_catalog.teams import TABLES, TeamSort, teams
from stadthub_schemas.access import Action, Principal, may
from stadthub_schemas.errors import NotFound, QueryError

#: What can be filtered by and counted, and which values an entry has in it.
FACETS: dict[str, Callable[[Entry], Iterable[str]]] = {
    "publisher": lambda entry: (entry.organization.name,),
    "theme": lambda entry: entry.dataset.metadata.themes,
    "license": lambda entry: filter(None, (entry.dataset.metadata.license,)),
    "format": lambda entry: {one.format for one in entry.distributions},
    "kind": lambda entry: (entry.dataset.kind.value,),
    "keyword": lambda entry: entry.dataset.metadata.keywords,
}

SORTS = ("relevance", "title", "modified")

#: For how many different principals it is remembered what they see.
_PRINCIPALS = 256


class Shelf:
    """All entries of the catalogue; thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.RLock()
        self._seen = -1
        self._seen_teams = -1
        self._steady = threading.local()
        self._entries: dict[str, Entry] = {}
        self._by_id: dict[UUID, str] = {}
        self._files: dict[UUID, tuple[Entry, Distribution]] = {}
        self._hidden: dict[UUID, Entry] = {}
        self._teams: dict[TeamSort, dict[str, Organization]] = {"organization": {}, "group": {}}
        self._facets: dict[str, dict[str, tuple[str, ...]]] = {facet: {} for facet in FACETS}
        self._index = Index()
        self._visible: dict[Principal, dict[str, Entry]] = {}

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
                shown = (name for name, entry in self._entries.items() if may(principal, Action.SEE, entry.dataset).allowed)
                self._visible[principal] = {name: self._entries[name] for name in sorted(shown)}
            return self._visible[principal]

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

    def relevance(self, text: str) -> dict[str, float]:
        """The names of all entries that hold every word of the text, with their relevance."""
        with self._lock:
            self._refresh()
            return self._index.find(text)

    def holding(self, text: str) -> set[str]:
        """The names of all entries that hold every word of the text as it stands."""
        with self._lock:
            self._refresh()
            return self._index.holding(text)

    def search(
        self, principal: Principal, text: str, wanted: Mapping[str, Sequence[str]], sort: str
    ) -> tuple[list[Entry], dict[str, dict[str, int]]]:
        """All entries that fit, in their order, and the facets. Values of one facet are alternatives; a facet counts what
        there would be without its own filter."""
        for name in wanted:
            if name not in FACETS:
                raise QueryError(f"there is no facet {name!r}: use one of {', '.join(FACETS)}")
        if sort not in SORTS:
            raise QueryError(f"sort {sort!r}: use one of {', '.join(SORTS)}")
        with self._lock:
            shown = self.visible(principal)
            scores = self._index.find(text) if text.strip() else None
            names = [name for name in shown if scores is None or name in scores]
            chosen = {facet: frozenset(values) for facet, values in wanted.items() if values}
            fitting = {facet: self._having(names, facet, values) for facet, values in chosen.items()}
            facets = {facet: self._counted(_all(names, fitting, facet), facet) for facet in FACETS}
            found = [shown[name] for name in _all(names, fitting, None)]
        return _sorted(found, scores, sort), facets

    def _having(self, names: list[str], facet: str, values: frozenset[str]) -> frozenset[str]:
        known = self._facets[facet]
        return frozenset(name for name in names if not values.isdisjoint(known[name]))

    def _counted(self, names: Iterable[str], facet: str) -> dict[str, int]:
        known = self._facets[facet]
        counts = Counter(value for name in names for value in known[name])
        return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))

    @contextmanager
    def steady(self) -> Iterator[None]:
        """Within this block, and in this thread, the catalogue is read from the database once."""
        self._steady.fresh = False
        try:
            yield
        finally:
            del self._steady.fresh

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
        news = changed_since(self._database, self._seen, now)
        for key in news.purged:
            self._drop(key)
        for entry in news.entries:
            self._drop(entry.id)
            self._put(entry)
        self._visible.clear()
        self._seen = news.change

    def _put(self, entry: Entry) -> None:
        if entry.state is not State.ACTIVE:
            self._hidden[entry.id] = entry
            return
        self._entries[entry.name] = entry
        self._by_id[entry.id] = entry.name
        for one in entry.distributions:
            if one.id is not None:
                self._files[one.id] = (entry, one)
        for facet, values in FACETS.items():
            self._facets.setdefault(facet, {})[entry.name] = tuple(values(entry))
        self._index.put(entry)

    def _drop(self, key: UUID) -> None:
        """Forget the entry, whatever it was called."""
        self._hidden.pop(key, None)
        name = self._by_id.pop(key, None)
        if name is None:
            return
        old = self._entries.pop(name)
        for one in old.distributions:
            if one.id is not None:
                del self._files[one.id]
        for facet in FACETS:
            del self._facets[facet][name]
        self._index.drop(name)


_NOBODY = UUID(int=0)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _all(names: list[str], fitting: Mapping[str, frozenset[str]], but: str | None) -> list[str]:
    """The names that fit every facet, except that of `but`."""
    others = [having for facet, having in fitting.items() if facet != but]
    return [name for name in names if all(name in having for having in others)] if others else names


def _sorted(entries: list[Entry], scores: Mapping[str, float] | None, sort: str) -> list[Entry]:
    """Stable orders: what is equal goes by title, and by name."""
    result = sorted(entries, key=lambda entry: (entry.dataset.metadata.title.casefold(), entry.name))
    if sort == "title":
        return result
    result.sort(key=lambda entry: entry.modified, reverse=True)
    if sort == "relevance" and scores is not None:
        result.sort(key=lambda entry: scores[entry.name], reverse=True)
    return result


def page(entries: list[Entry], facets: Mapping[str, Mapping[str, int]], limit: int, offset: int) -> Found:
    """One page of a search; QueryError if it can't be one."""
    if limit < 0 or offset < 0:
        raise QueryError("limit and offset of a search must not be negative")
    return Found(len(entries), tuple(entries[offset : offset + limit]), facets)
