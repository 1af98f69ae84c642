"""CKAN's `package_search` on the catalogue: a query in Solr's language, filters, facets, order and pages."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import numpy as np

from stadthub_catalog import lucene, packages
from stadthub_catalog.entry import State
from stadthub_catalog.fields import title_of
from stadthub_catalog.index import Index
from stadthub_catalog.ordering import ordered
from stadthub_catalog.parameters import flag, names, natural, text, whole
from stadthub_catalog.refusals import SearchError, SearchQueryError
from stadthub_catalog.searching import Searching
from stadthub_catalog.shelf import Shelf
from stadthub_catalog.site import Site
from stadthub_schemas.access import ANYBODY, Principal
from stadthub_schemas.errors import QueryError

Array = np.ndarray[Any, Any]

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


def package_search(shelf: Shelf, parameters: Mapping[str, Any], principal: Principal, site: Site) -> dict[str, Any]:
    """The answer of CKAN's `package_search`."""
    unknown = [name for name in parameters if name not in _KNOWN and not name.startswith("ext_")]
    if unknown:
        raise SearchQueryError(f'Search Query is invalid: "Invalid search parameters: {unknown}"')
    rows, start = min(natural(parameters, "rows", 10), MOST_ROWS), natural(parameters, "start", 0)
    facets = names(parameters, "facet.field") if flag(parameters, "facet", "true") else []
    limit, least = whole(parameters, "facet.limit", 50), natural(parameters, "facet.mincount", 1)
    fields = _fields(parameters)
    sort = text(parameters, "sort").strip() or DEFAULT_SORT
    sort = DEFAULT_SORT if sort == "rank" else sort
    with shelf.searched() as index:
        search = Searching(index, shelf.synonyms, _seen(shelf, parameters, principal), datetime.now(UTC))
        found = _found(search, parameters, site)
        counted = {field: _counted(index, found, field, least) for field in facets}
        slots = ordered(index, found, search.scores, sort)
        shown = list(index.found(slots[start : start + rows]))
        titles = _titles(index, found, counted)
        groups = shelf.groups()
    return {
        "count": len(slots),
        "facets": {field: dict(_most(counts, limit)) for field, counts in counted.items()},
        "results": [_only(packages.package(entry, site, groups), fields) for entry in shown],
        "sort": sort,
        "search_facets": {field: _items(field, _most(counts, limit), titles) for field, counts in counted.items()},
    }


def fitting(shelf: Shelf, asked: Mapping[str, str], site: Site) -> frozenset[UUID]:
    """The public datasets that fit these `q` and `fq`; QueryError."""
    with shelf.searched() as index:
        search = Searching(index, shelf.synonyms, shelf.seen(ANYBODY), datetime.now(UTC))
        try:
            found = _found(search, asked, site)
        except SearchError as error:
            raise QueryError(str(error)) from error
        return frozenset(entry.id for entry in index.found(np.flatnonzero(found)))


def _seen(shelf: Shelf, parameters: Mapping[str, Any], principal: Principal) -> Array:
    """Which entries there are for this caller: those that anybody may see, and on demand also those that only it may see or write."""
    states = set()
    if flag(parameters, "include_drafts"):
        states.add(State.DRAFT)
    if flag(parameters, "include_deleted"):
        states |= {State.DELETED, State.WITHDRAWN}
    seen = shelf.seen(principal if flag(parameters, "include_private") else ANYBODY)
    return seen | shelf.seen_hidden(principal, frozenset(states)) if states else seen


def _found(search: Searching, parameters: Mapping[str, Any], site: Site) -> Array:
    """Which entries fit the query, every filter, the box and the time."""
    query = text(parameters, "q").strip() or "*:*"
    _refuse_tricks(query, "q")
    if len(query) > lucene.LONGEST:
        raise SearchError(f"a query may have {lucene.LONGEST} signs at most")
    found = _queried(search, query, site)
    for one in _filters(parameters):
        _refuse_tricks(one, "fq")
        found &= search.filtered(_relative(one, site))
    if text(parameters, "ext_bbox").strip():
        found &= search.within(*_box(text(parameters, "ext_bbox")))
    first, last = text(parameters, "ext_startdate").strip(), text(parameters, "ext_enddate").strip()
    return found & search.during(first, last) if first or last else found


def _queried(search: Searching, query: str, site: Site) -> Array:
    """Words alone count as Solr's dismax counts them, and so does what is no query and has no field: signs there are just signs."""
    if _PLAIN.fullmatch(query):
        return search.typed(query)
    try:
        return search.query(_relative(query, site))
    except SearchError:
        if ":" in query:
            raise
        return search.typed(query)


def _relative(query: str, site: Site) -> str:
    """The addresses of this hub as the index holds them: as paths."""
    return query.replace(f'"{site.url}/', '"/') if site.url else query


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


def _box(said: str) -> tuple[float, float, float, float]:
    """West, south, east and north of `ext_bbox`; SearchError."""
    try:
        west, south, east, north = (float(one) for one in said.split(","))
    except ValueError:
        raise SearchError("Wrong bounding box provided") from None
    if not (-360 <= west <= 360 and -360 <= east <= 360 and -90 <= south <= north <= 90):
        raise SearchError("Wrong bounding box provided")
    return west, south, east, north


def _fields(parameters: Mapping[str, Any]) -> frozenset[str] | None:
    """The keys that `fl` asks for: a list, a JSON list in a text, or one key; None: all."""
    fields = parameters.get("fl")
    if isinstance(fields, str) and fields.startswith("["):
        fields = names(parameters, "fl")
    if not fields:
        return None
    wanted = frozenset(map(str, fields)) if isinstance(fields, list) else frozenset([str(fields)])
    return None if "*" in wanted else wanted


def _only(package: dict[str, Any], fields: frozenset[str] | None) -> dict[str, Any]:
    return package if fields is None else {key: value for key, value in package.items() if key in fields}


def _counted(index: Index, found: Array, field: str, least: int) -> dict[str, int]:
    """How often each value stands in the field, the most frequent first."""
    values = index.values(field)
    counts = values.counted(found) if values is not None else {}
    return {value: count for value, count in counts.items() if count >= least}


def _most(counts: Mapping[str, int], limit: int) -> list[tuple[str, int]]:
    return list(counts.items())[: limit if limit >= 0 else None]


def _titles(index: Index, found: Array, counted: Mapping[str, Mapping[str, int]]) -> dict[str, str]:
    """The titles of the organisations that were found, by name."""
    if "organization" not in counted:
        return {}
    missing, titles = set(counted["organization"]), {}
    for entry in index.found(np.flatnonzero(found)):
        if entry.organization.name in missing:
            titles[entry.organization.name] = entry.organization.title or entry.organization.name
            missing.remove(entry.organization.name)
            if not missing:
                break
    return titles


def _items(field: str, counts: list[tuple[str, int]], titles: Mapping[str, str]) -> dict[str, Any]:
    """A facet in the form with titles, from Z to A as CKAN has it."""
    called = titles if field == "organization" else {}
    items = [{"name": name, "display_name": called.get(name) or title_of(field, name) or name, "count": count} for name, count in counts]
    return {"title": field, "items": sorted(items, key=lambda item: str(item["display_name"]), reverse=True)}
