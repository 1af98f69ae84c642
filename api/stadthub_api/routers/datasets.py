"""The datasets: which there are, what each one is, its rows page by page, its latest values, its things."""

from typing import Annotated, Any
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Query, Request, Response

from stadthub_api.answers import cached
from stadthub_api.deps import DATASET, HubDep, PrincipalDep, ReadableDep
from stadthub_api.described import description, summary
from stadthub_api.formats import wanted
from stadthub_api.lineage import ancestry
from stadthub_api.pages import page_bytes
from stadthub_api.parameters import FILTER_DOCUMENTATION, MAX_LIMIT, PAGE, Question, documented, limit, refuse_unknown
from stadthub_api.things import as_features
from stadthub_schemas.access import shown
from stadthub_schemas.dataset import Kind
from stadthub_schemas.errors import QueryError
from stadthub_schemas.query import RowsQuery
from stadthub_schemas.vocabularies import FORMATS

router = APIRouter(prefix="/api/v1/datasets", tags=["datasets"])

FACETS = ("publisher", "theme", "group", "license", "kind", "format", "keyword")
SORTS = ("relevance", "title", "modified")
JSON = "application/json"


@router.get("", openapi_extra=DATASET)
async def list_datasets(
    request: Request,
    hub: HubDep,
    principal: PrincipalDep,
    q: Annotated[str, Query(description="words to search for", max_length=500)] = "",
    sort: Annotated[str, Query(description=", ".join(SORTS))] = "relevance",
    limit: Annotated[int, Query(ge=1, le=1000)] = 20,
    offset: Annotated[int, Query(ge=0, le=100_000)] = 0,
) -> Response:
    """The datasets that the caller may see, found by words and facets (`publisher=…&theme=ENVI`; several of one facet mean any of them).
    `unknown` are words that no dataset has and that were left out; `proposals` is what may have been meant where nothing is found."""
    given = request.query_params.multi_items()
    refuse_unknown(given, ("q", "sort", "limit", "offset", *FACETS))
    facets = {facet: tuple(value for name, value in given if name == facet) for facet in FACETS if facet in request.query_params}
    found = await hub.work(lambda: hub.catalog.search(q, principal=principal, facets=facets, sort=sort, limit=limit, offset=offset))
    proposals = await hub.work(hub.catalog.proposals, q, principal) if q.strip() and not found.total else []
    more = offset + len(found.entries) < found.total
    body = {
        "total": found.total,
        "datasets": [summary(entry, hub.site) for entry in found.entries],
        "facets": found.facets,
        "unknown": found.unknown,
        "proposals": proposals,
        "next": _with(request, offset=str(offset + limit)) if more else None,
    }
    return cached(request, orjson.dumps(body), JSON, 10)


@router.get("/{name}", openapi_extra=DATASET)
async def show_dataset(request: Request, hub: HubDep, principal: PrincipalDep, seen: ReadableDep) -> Response:
    """One dataset: words, columns with units, extent, freshness, files, and the addresses of all its faces."""
    refuse_unknown(request.query_params.multi_items(), ())
    held_back = await hub.work(hub.catalog.held_back, seen.entry.name)
    origin = await hub.work(ancestry, hub.catalog, seen.entry, principal)
    return cached(request, orjson.dumps(description(seen, hub.site, held_back, origin)), JSON, 10)


@router.get("/{name}/rows", openapi_extra={**DATASET, "parameters": [*documented(PAGE), FILTER_DOCUMENTATION]})
async def rows(request: Request, hub: HubDep, seen: ReadableDep) -> Response:
    """A page of rows. JSON holds `next`, the address of the page after; other formats have it in the `Link` header."""
    question = Question(seen.entry, seen.hidden, PAGE, seen.decision.suppression)
    query, words = question.rows(request.query_params.multi_items(), 100, MAX_LIMIT)
    format_ = wanted(words.get("format"), request.headers.get("accept", ""))
    if format_ == "json":
        return await _json_page(request, hub, query)
    body, cursor = await hub.work(page_bytes, hub.lake, query, format_, seen.entry.columns)
    links = {"Link": f'<{_with(request, cursor=cursor, format=format_)}>; rel="next"'} if cursor else None
    return cached(request, body, FORMATS[format_].media_type, 10, links)


async def _json_page(request: Request, hub: HubDep, query: RowsQuery) -> Response:
    body, cursor = await hub.work(hub.lake.json, query)
    following = _with(request, cursor=cursor) if cursor else None
    return cached(request, b'{"rows":' + body + b',"next":' + orjson.dumps(following) + b"}", JSON, 2)


@router.get("/{name}/latest", openapi_extra=DATASET)
async def latest(
    request: Request,
    hub: HubDep,
    seen: ReadableDep,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 100,
    after: Annotated[str, Query(description="the datastream after which to go on", max_length=1000)] = "",
) -> Response:
    """The newest observation of each datastream, from the hot store, by datastream."""
    refuse_unknown(request.query_params.multi_items(), ("limit", "after"))
    if seen.entry.dataset.kind is not Kind.TIMESERIES:
        raise QueryError(f"{seen.entry.name} is no timeseries: it has no latest values, only /rows")
    found = await hub.work(hub.catalog.latest, seen.entry.name, limit, after)
    following = _with(request, after=str(found[-1]["datastream"])) if len(found) == limit and "datastream" not in seen.hidden else None
    visible = [shown(row, seen.decision) for row in found]
    return cached(request, orjson.dumps({"rows": visible, "next": following}), JSON, 2)


@router.get("/{name}/things", openapi_extra={**DATASET, "parameters": documented(("bbox", "limit"))})
async def things(request: Request, hub: HubDep, seen: ReadableDep) -> Response:
    """The things of a timeseries, or the features of any other dataset with a geometry, as GeoJSON for a map."""
    given = request.query_params.multi_items()
    words = refuse_unknown(given, ("bbox", "limit"))
    most = limit(words.get("limit"), MAX_LIMIT, MAX_LIMIT) or MAX_LIMIT
    if seen.entry.dataset.kind is Kind.TIMESERIES:
        table = await hub.work(hub.lake.things, seen.entry.name)
        body = await hub.work(as_features, table, seen.hidden, words.get("bbox"), most)
    else:
        query, _ = Question(seen.entry, seen.hidden, PAGE, seen.decision.suppression).rows(
            [pair for pair in given if pair[0] != "limit"], most, MAX_LIMIT
        )
        body, _ = await hub.work(page_bytes, hub.lake, query, "geojson", seen.entry.columns)
    return cached(request, body, FORMATS["geojson"].media_type, 10)


def _with(request: Request, **changed: str | None) -> str:
    """The address of this very question with some parameters changed, as a path of this hub."""
    kept = [(name, value) for name, value in request.query_params.multi_items() if name not in changed]
    query: list[tuple[str, Any]] = [*kept, *((name, value) for name, value in changed.items() if value is not None)]
    return f"{request.url.path}?{urlencode(query)}"
