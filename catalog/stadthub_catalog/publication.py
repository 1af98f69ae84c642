"""What the hub tells other catalogues: which datasets, their description in every form, page by page; written once, kept while it holds."""

import threading
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from uuid import UUID

from stadthub_catalog import dcat_catalog, mqa
from stadthub_catalog.catalog import Catalog
from stadthub_catalog.dcat import describe
from stadthub_catalog.dcat_catalog import SIZE, Page
from stadthub_catalog.dcat_words import PROFILES, Profile, Scene, address
from stadthub_catalog.entry import Entry
from stadthub_catalog.package_search import fitting
from stadthub_catalog.rdf import FORMS, Form, Iri, Node
from stadthub_catalog.site import Site
from stadthub_schemas.access import ANYBODY
from stadthub_schemas.dataset import Kind
from stadthub_schemas.errors import NotFound, StadthubError

#: How many written descriptions are kept (packed about 1 kB each), and how many nodes that several datasets share.
KEPT, SHARED = 75_000, 30_000
#: The forms in which catalogues are harvested.
ASKED_MOST = ("rdf", "ttl", "jsonld")
#: A new dataset has its first files within this time, or the catalogue no longer waits for them.
BUILDING = timedelta(minutes=15)


class Unfinished(StadthubError):
    """The catalogue is empty or still being built: harvesters must come again, and delete nothing."""


@dataclass(frozen=True, slots=True)
class _Told:
    """What anybody may see, what of it is told to others, and what is not ready for that."""

    seen: dict[str, Entry]
    entries: list[Entry]
    building: list[Entry]


@dataclass(frozen=True, slots=True)
class _Written:
    """A dataset in one form: what only it has, packed, and what it shares with others (words of lists, publisher)."""

    entry: Entry
    own: bytes
    shared: tuple[str, ...]

    @property
    def pieces(self) -> tuple[str, ...]:
        """What stands in a document."""
        return (zlib.decompress(self.own).decode(), *self.shared)


class Publication:
    """The catalogue as others read it; thread-safe."""

    def __init__(self, catalog: Catalog, site: Site) -> None:
        self._catalog = catalog
        self._site = site
        self._lock = threading.Lock()
        self._scores: dict[UUID, tuple[Entry, mqa.Score]] = {}
        self._kept: dict[tuple[UUID, str, str], _Written] = {}
        self._told = _Told({}, [], [])

    def nodes(self, entry: Entry, profile: Profile) -> tuple[Node, ...]:
        """The description of one dataset."""
        return describe(entry, self._scene(entry, profile))

    def score(self, entry: Entry) -> mqa.Score:
        """The quality of a dataset's description."""
        known = self._scores.get(entry.id)
        if known is None or known[0] is not entry:
            known = self._scores[entry.id] = (entry, mqa.score(self.nodes(entry, next(iter(PROFILES.values())))))
        return known[1]

    def entries(self) -> list[Entry]:
        """The datasets that are told to others: public, excellently described; the oldest first, so that pages don't shift."""
        return self._looked().entries

    def _looked(self) -> _Told:
        """What is told, looked through again when the catalogue has changed."""
        seen = self._catalog.shelf.visible(ANYBODY)
        with self._lock:
            if self._told.seen is not seen:
                found = [one for one in seen.values() if self.score(one).is_excellent]
                building = [one for one in seen.values() if _is_building(one)]
                self._told = _Told(seen, sorted(found, key=lambda one: (one.created, one.id)), building)
                self._scores = {one.id: self._scores[one.id] for one in seen.values()}
            return self._told

    def prepare(self, entries: Sequence[Entry]) -> None:
        """Write these datasets in the forms that harvesters ask for most, before one does."""
        profile = next(iter(PROFILES.values()))
        for one in entries:
            forms = [FORMS[ending] for ending in ASKED_MOST if self._known(one, profile, FORMS[ending]) is None]
            nodes = self.nodes(one, profile) if forms else ()
            for form in forms:
                self._keep(one, profile, form, nodes)

    def document(self, entry: Entry, profile: Profile, ending: str) -> bytes:
        """One dataset as a document of its own."""
        form = FORMS[ending]
        return form.whole(self._written(entry, profile, form).pieces)

    def page(self, page: Page, profile: Profile, since: datetime | None = None, search: Mapping[str, str] = MappingProxyType({})) -> bytes:
        """A page of the catalogue, or of what in it fits `q` and `fq`. Unfinished where it is empty or still being built, NotFound
        beyond its end."""
        self._refuse_unfinished()
        entries = self.entries()
        if search:
            chosen = fitting(self._catalog.shelf, search, self._site)
            entries = [one for one in entries if one.id in chosen]
            if not entries:
                raise NotFound(f"{' and '.join(search)}: no dataset fits")
        if since is not None:
            entries = [one for one in entries if one.modified >= since]
            if not entries:
                raise NotFound("modified_since: no dataset has changed since then")
        there = Page(page.ending, page.number, len(entries), page.asked)
        if there.number > there.last:
            raise NotFound(f"page: the last one is {there.last}")
        return self._document(entries[(there.number - 1) * SIZE : there.number * SIZE], there, profile)

    def whole(self, profile: Profile, ending: str) -> bytes:
        """The whole catalogue in one document, for a file that others fetch. Unfinished where it is empty or still being built."""
        self._refuse_unfinished()
        entries = self.entries()
        return self._document(entries, Page(ending, 1, len(entries), size=max(len(entries), 1)), profile)

    def _document(self, entries: Sequence[Entry], page: Page, profile: Profile) -> bytes:
        form = FORMS[page.ending]
        pieces = [form.write(one) for one in dcat_catalog.catalogue(entries, page, Scene(self._site, profile))]
        for one in entries:
            pieces += self._written(one, profile, form).pieces
        return form.whole(pieces)

    def _refuse_unfinished(self) -> None:
        told, fresh = self._looked(), datetime.now(UTC) - BUILDING
        for one in told.building:
            if one.created > fresh:
                raise Unfinished(f"{one.name} is still being published: come back in a minute")
        if not told.entries:
            raise Unfinished("no dataset is published yet: come back when there is one")

    def _written(self, entry: Entry, profile: Profile, form: Form) -> _Written:
        """One dataset as it is written, from memory as long as it has not changed."""
        return self._known(entry, profile, form) or self._keep(entry, profile, form, self.nodes(entry, profile))

    def _known(self, entry: Entry, profile: Profile, form: Form) -> _Written | None:
        """The dataset as it was written, if it has not changed since."""
        known = self._kept.get((entry.id, profile.name, form.media_type))
        return known if known is not None and known.entry is entry else None

    def _keep(self, entry: Entry, profile: Profile, form: Form, nodes: Sequence[Node]) -> _Written:
        """Write the dataset, which these nodes describe, and keep that."""
        if len(self._kept) >= KEPT:
            self._kept.clear()
        here = address(entry, self._site)
        own = form.between.join(form.write(one) for one in nodes if one.subject.startswith(here))
        shared = tuple(_shared(form.write, one) for one in nodes if not one.subject.startswith(here))
        known = self._kept[entry.id, profile.name, form.media_type] = _Written(entry, zlib.compress(own.encode(), 1), shared)
        return known

    def _scene(self, entry: Entry, profile: Profile) -> Scene:
        """What is said beside the dataset's own words: the addresses of those that it is derived from, if anybody may know of them."""
        known: dict[str, Iri] = {}
        if entry.dataset.lineage is not None:
            seen = self._catalog.shelf.visible(ANYBODY)
            known = {name: address(seen[name], self._site) for name in entry.dataset.lineage.inputs if name in seen}
        return Scene(self._site, profile, known)


@lru_cache(maxsize=SHARED)
def _shared(write: Callable[[Node], str], one: Node) -> str:
    """A node as it is written, the same text for all datasets that have it."""
    return write(one)


def _is_building(entry: Entry) -> bool:
    """Whether its rows are in no file yet: it was just made, or is made again after a loss."""
    return entry.dataset.kind is not Kind.FILES and not entry.distributions
