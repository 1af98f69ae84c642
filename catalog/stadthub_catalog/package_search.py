"""CKAN's `package_search` on the catalogue: a query in Solr's language, filters, facets, order and pages."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from stadthub_catalog import lucene, packages
from stadthub_catalog.entry import Entry
from stadthub_catalog.folding import spellings, words
from stadthub_catalog.parameters import flag, names, natural, text, whole
from stadthub_catalog.refusals import SearchError, SearchQueryError
from stadthub_catalog.shelf import Shelf
from stadthub_catalog.site import Site
from stadthub_schemas.access import ANYBODY, Principal
from stadthub_schemas.dataset import AccessClass
from stadthub_schemas.vocabularies import FORMATS, LICENSES, THEMES

DEFAULT_SORT = "score desc, metadata_modified desc"

#: More results than this at once are cut, silently, as CKAN does.
MOST_ROWS = 1000

_KNOWN = frozenset(
    [
        "q",
        "fq",
        "fq_list",
        "sort",
        "rows",
        "start",
        "facet",
        "facet.field",
        "facet.limit",
        "facet.mincount",
        "include_private",
        "include_drafts",
        "include_deleted",
        "use_default_schema",
        "fl",
        "qf",
        "bf",
        "boost",
        "tie",
        "mm",
        "defType",
        "wt",
        "df",
        "q.op",
        "extras",
    ]
)


def _contact(entry: Entry, field: str) -> tuple[str | None, ...]:
    contact = entry.dataset.metadata.contact
    return () if contact is None else (getattr(contact, field),)


#: What can be searched by its words.
_TEXTS: dict[str, Callable[[Entry], Iterable[str | None]]] = {
    "title": lambda entry: (entry.dataset.metadata.title, entry.dataset.metadata.title_en),
    "notes": lambda entry: (entry.dataset.metadata.description, entry.dataset.metadata.description_en),
    "author": lambda entry: (entry.dataset.metadata.publisher.title,),
    "maintainer": lambda entry: _contact(entry, "name"),
    "res_name": lambda entry: (one.title for one in entry.distributions),
}

#: Those of them that the index covers: only what it finds must be looked at.
_INDEXED = ("title", "notes", "author")

#: What is compared as it stands.
_WORDS: dict[str, Callable[[Entry], Iterable[str]]] = {
    "id": lambda entry: (str(entry.id),),
    "name": lambda entry: (entry.name,),
    "title_string": lambda entry: (entry.dataset.metadata.title,),
    "tags": lambda entry: entry.dataset.metadata.keywords,
    "groups": lambda entry: map(packages.theme_name, entry.dataset.metadata.themes),
    "organization": lambda entry: (entry.organization.name,),
    "owner_org": lambda entry: (str(entry.organization.id),),
    "license_id": lambda entry: filter(None, (entry.dataset.metadata.license,)),
    "capacity": lambda entry: ("public" if entry.dataset.metadata.access is AccessClass.PUBLIC else "private",),
    "state": lambda _: ("active",),
    "type": lambda _: ("dataset",),
    "dataset_type": lambda _: ("dataset",),
    "entity_type": lambda _: ("package",),
    "res_format": lambda entry: (FORMATS[one.format].title if one.format in FORMATS else one.format for one in entry.distributions),
    "res_url": lambda entry: (one.url for one in entry.distributions),
    "maintainer_email": lambda entry: filter(None, _contact(entry, "email")),
}

_TIMES: dict[str, Callable[[Entry], datetime]] = {
    "metadata_created": lambda entry: entry.created,
    "metadata_modified": lambda entry: entry.modified,
}

#: How the items of a facet are called; a facet that isn't here shows its values.
_TITLES: dict[str, Callable[[str], str]] = {
    "groups": lambda name: THEMES[name.upper()][0] if name.upper() in THEMES else name,
    "license_id": lambda name: LICENSES[name].title if name in LICENSES else name,
}


def package_search(shelf: Shelf, parameters: Mapping[str, Any], principal: Principal, site: Site) -> dict[str, Any]:
    """The answer of CKAN's `package_search`."""
    unknown = [name for name in parameters if name not in _KNOWN and not name.startswith("ext_")]
    if unknown:
        raise SearchQueryError(f'Search Query is invalid: "Invalid search parameters: {unknown}"')
    rows, start = min(natural(parameters, "rows", 10), MOST_ROWS), natural(parameters, "start", 0)
    facets = names(parameters, "facet.field") if flag(parameters, "facet", "true") else []
    limit, least = whole(parameters, "facet.limit", 50), natural(parameters, "facet.mincount", 1)
    asked = principal if flag(parameters, "include_private") else ANYBODY
    search = _Search(shelf, shelf.visible(asked))
    found = search.run(text(parameters, "q").strip() or "*:*", _filters(parameters))
    sort = text(parameters, "sort").strip() or DEFAULT_SORT
    ordered = _ordered(found, search.scores, DEFAULT_SORT if sort == "rank" else sort)
    counted = {field: _counted(found, field, least) for field in facets}
    shown = [packages.package(entry, site, shelf.groups()) for entry in ordered[start : start + rows]]
    return {
        "count": len(found),
        "facets": {field: dict(_most(counts, limit)) for field, counts in counted.items()},
        "results": _only(shown, parameters.get("fl")),
        "sort": sort,
        "search_facets": {field: _items(field, _most(counts, limit), found) for field, counts in counted.items()},
    }


class _Search:
    """One search: the entries that may be found, and how well the words of the query fit them."""

    def __init__(self, shelf: Shelf, entries: Mapping[str, Entry]) -> None:
        self._shelf = shelf
        self._entries = entries
        self._now = datetime.now(UTC)
        self.scores: dict[str, float] = {}

    def run(self, query: str, filters: Iterable[str]) -> list[Entry]:
        """The entries that fit the query and every filter."""
        _refuse_tricks(query, "q")
        if len(query) > lucene.LONGEST:
            raise SearchError(f"a query may have {lucene.LONGEST} signs at most")
        fitting = self._plain(query) if _PLAIN.fullmatch(query) else self._fitting(lucene.parse(query))
        for one in filters:
            _refuse_tricks(one, "fq")
            fitting &= self._fitting(lucene.parse(one))
        return [entry for name, entry in self._entries.items() if name in fitting]

    def _plain(self, query: str) -> set[str]:
        """Words without a field: all of them must be there."""
        self.scores = self._shelf.relevance(query)
        return set(self.scores)

    def _fitting(self, node: lucene.Node) -> set[str]:
        """The names of the entries that fit this part of a query."""
        match node:
            case lucene.Every(parts):
                return set.intersection(*(self._fitting(part) for part in parts))
            case lucene.Either(parts):
                return set.union(*(self._fitting(part) for part in parts))
            case lucene.Without(part):
                return set(self._entries) - self._fitting(part)
            case lucene.Range():
                return self._between(node)
        return self._term(node)

    def _term(self, term: lucene.Term) -> set[str]:
        field, wanted = term.field.removeprefix("extras_"), term.text
        if field == "*" or (wanted == "*" and field == "text"):
            return set(self._entries)
        if field == "text":
            scores = self._shelf.relevance(wanted.rstrip("*"))
            self.scores |= scores
            return {name for name in scores if not term.phrase or self._says(name, wanted)}
        if field in _TEXTS:
            values = _TEXTS[field]
            names = self._shelf.holding(wanted) if field in _INDEXED and "*" not in wanted else self._entries
            near = ((name, self._entries[name]) for name in names if name in self._entries)
            return {name for name, entry in near if any(_says(text, wanted, term.phrase) for text in values(entry) if text)}
        exact = _exact(wanted, term.phrase)
        return {name for name, entry in self._entries.items() if any(map(exact, _values(entry, field)))}

    def _says(self, name: str, phrase: str) -> bool:
        entry = self._entries.get(name)
        return entry is not None and any(_says(text, phrase, phrase=True) for values in _TEXTS.values() for text in values(entry) if text)

    def _between(self, bounds: lucene.Range) -> set[str]:
        bound: Callable[[str], Any] = str
        values: Callable[[Entry], Iterable[Any]] = partial(_values, field=bounds.field)
        if bounds.field in _TIMES:
            bound, values = partial(lucene.moment, now=self._now), lambda entry: (_TIMES[bounds.field](entry),)
        low, high = (None if text == "*" else bound(text) for text in (bounds.low, bounds.high))
        return {name for name, entry in self._entries.items() if any(_within(one, low, high, bounds) for one in values(entry))}


#: A query of words alone: no field, no sign, no bracket.
_PLAIN = re.compile(r'(?!.*(?:^|\s)(?:AND|OR|NOT|&&|\|\|)(?:\s|$))[^:"()\[\]{}*?\\+!^~]*(?<!\s-)', re.DOTALL)


def _refuse_tricks(query: str, name: str) -> None:
    """What Solr would take for more than a query."""
    if "{!" in query:
        raise SearchError(f"Local parameters are not supported in param '{name}'.")
    if "_query_:" in query or "_val_:" in query:
        raise SearchError(f"Magic fields are not supported in param '{name}'.")


def _filters(parameters: Mapping[str, Any]) -> list[str]:
    one = parameters.get("fq")
    more = parameters.get("fq_list")
    given = [*(one if isinstance(one, list) else [one]), *(more if isinstance(more, list) else [more])]
    return [str(query).strip() for query in given if query is not None and str(query).strip()]


def _values(entry: Entry, field: str) -> Iterable[str]:
    """What the entry has in a field; an extra by its key."""
    if field in _WORDS:
        return _WORDS[field](entry)
    if field in _TEXTS:
        return filter(None, _TEXTS[field](entry))
    return (one["value"] for one in packages.extras(entry) if one["key"] == field)


def _exact(wanted: str, phrase: bool) -> Callable[[str], bool]:  # noqa: FBT001 (what the tree says of a term)
    if wanted.endswith("*") and not phrase:
        return lambda value: value.startswith(wanted[:-1])
    return lambda value: value == wanted


def _says(said: str, wanted: str, phrase: bool) -> bool:  # noqa: FBT001 (what the tree says of a term)
    """Whether the text holds the wanted words: a phrase as it stands, a word alone, or a beginning with `*`."""
    there = [set(spellings(word)) for word in words(said)]
    asked = [set(spellings(word)) for word in words(wanted)]
    if not asked:
        return wanted.strip("*") == ""
    if wanted.endswith("*") and not phrase:
        begin = tuple(asked[0])
        return any(spelling.startswith(begin) for word in there for spelling in word)
    return any(all(word & want for word, want in zip(there[place:], asked, strict=False)) for place in range(len(there) - len(asked) + 1))


def _within(value: Any, low: Any, high: Any, bounds: lucene.Range) -> bool:
    above = low is None or value > low or (bounds.with_low and value == low)
    return above and (high is None or value < high or (bounds.with_high and value == high))


def _ordered(found: list[Entry], scores: Mapping[str, float], sort: str) -> list[Entry]:
    """The entries in the order asked for; a key that is not known changes nothing, as in CKAN."""
    result = sorted(found, key=lambda entry: entry.name)
    for part in reversed(sort.split(",")):
        field, _, direction = part.strip().partition(" ")
        down = direction.strip().lower() == "desc"
        if field == "score":
            result.sort(key=lambda entry: scores.get(entry.name, 0.0), reverse=down)
        elif field in _TIMES:
            result.sort(key=_TIMES[field], reverse=down)
        else:
            result.sort(key=partial(_folded, field=field), reverse=down)
    return result


def _folded(entry: Entry, field: str) -> list[str]:
    return [one.casefold() for one in _values(entry, field)]


def _counted(found: list[Entry], field: str, least: int) -> dict[str, int]:
    """How often each value stands in the field, the most frequent first."""
    counts = Counter(value for entry in found for value in _values(entry, field))
    return {value: count for value, count in sorted(counts.items(), key=lambda one: (-one[1], one[0])) if count >= least}


def _most(counts: Mapping[str, int], limit: int) -> list[tuple[str, int]]:
    return list(counts.items())[: limit if limit >= 0 else None]


def _items(field: str, counts: list[tuple[str, int]], found: list[Entry]) -> dict[str, Any]:
    """A facet in the form with titles, from Z to A as CKAN has it."""
    titles = {entry.organization.name: entry.organization.title for entry in found} if field == "organization" else {}
    title = _TITLES.get(field, partial(_from, titles))
    items = [{"name": name, "display_name": title(name), "count": count} for name, count in counts]
    return {"title": field, "items": sorted(items, key=lambda item: str(item["display_name"]), reverse=True)}


def _from(titles: Mapping[str, str], name: str) -> str:
    return titles.get(name, name)


def _only(results: list[dict[str, Any]], fields: Any) -> list[dict[str, Any]]:
    """The packages with the keys of `fl` alone: a list, a JSON list in a text, or one key."""
    if not fields:
        return results
    if isinstance(fields, str) and fields.startswith("["):
        fields = names({"fl": fields}, "fl")
    wanted = fields if isinstance(fields, list) else [fields]
    return [{key: result[key] for key in wanted if key in result} for result in results] if "*" not in wanted else results
