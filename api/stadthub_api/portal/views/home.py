"""The home page: search, what is live now, the map of things, the newest datasets, the themes."""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from stadthub_api.deps import PUBLIC, CatalogDep, LakeDep, PrincipalDep
from stadthub_api.portal import places
from stadthub_api.portal.language import Writing
from stadthub_api.portal.live import live
from stadthub_api.portal.rendering import link, page, writing
from stadthub_catalog.catalog import Catalog
from stadthub_catalog.entry import Entry
from stadthub_lake.lake import Lake
from stadthub_schemas.access import Action, Principal, may
from stadthub_schemas.dataset import Kind

router = APIRouter(include_in_schema=False)

NEWEST = 6
#: How many things the table beside the map shows on one page, and from how many datasets the map takes them.
THINGS = 20
SOURCES = 12


@router.get("/", openapi_extra=PUBLIC)
def home(
    request: Request, catalog: CatalogDep, lake: LakeDep, principal: PrincipalDep, things: Annotated[int, Query(ge=1)] = 1
) -> Response:
    """The home page."""
    entries = _seen(catalog, principal)
    rows = [
        {**row, "entry": entry}
        for entry in _observing(entries, principal)
        for row in places.things(lake, entry, may(principal, Action.READ, entry.dataset))
    ]
    last = max(1, -(-len(rows) // THINGS))
    number = min(things, last)
    context = {
        "total": len(entries),
        "rows_total": sum(entry.extent.rows for entry in entries),
        "live": live(catalog, entries, principal),
        "newest": sorted(entries, key=lambda entry: entry.created, reverse=True)[:NEWEST],
        "themes_found": _themes(entries),
        "things": rows[(number - 1) * THINGS : number * THINGS],
        "things_total": len(rows),
        "things_page": number,
        "things_pages": last,
    }
    return page(request, "home.html", context)


@router.get("/live", openapi_extra=PUBLIC)
def live_values(request: Request, catalog: CatalogDep, principal: PrincipalDep) -> Response:
    """The part of the home page with the newest values, which asks for itself again."""
    answer = page(request, "parts/live.html", {"live": live(catalog, _seen(catalog, principal), principal)})
    answer.headers["Cache-Control"] = "no-store"
    return answer


@router.get("/map.geojson", openapi_extra=PUBLIC)
def map_of_things(request: Request, catalog: CatalogDep, lake: LakeDep, principal: PrincipalDep) -> Response:
    """All things that observe, above the city's districts if a dataset has them."""
    entries = _seen(catalog, principal)
    write = writing(request)
    features = [*_ground(entries, lake, principal), *_points(entries, lake, principal, write)]
    return Response(places.collection(features[: places.MOST]), media_type="application/geo+json")


def _seen(catalog: Catalog, principal: Principal) -> list[Entry]:
    """What this principal may know of."""
    return [entry for entry in catalog.entries() if may(principal, Action.READ, entry.dataset).allowed]


def _observing(entries: list[Entry], principal: Principal) -> list[Entry]:
    """The timeseries whose places may be shown, those with the newest values first."""
    found = [
        entry
        for entry in entries
        if entry.dataset.kind is Kind.TIMESERIES and may(principal, Action.READ, entry.dataset).shows("longitude")
    ]
    return sorted(found, key=lambda entry: str(entry.extent.last_time), reverse=True)[:SOURCES]


def _points(entries: list[Entry], lake: Lake, principal: Principal, write: Writing) -> Iterator[dict[str, Any]]:
    for entry in _observing(entries, principal):
        meta = entry.dataset.metadata
        more = {
            write.word("Datensatz"): write.phrase(meta.title, meta.title_en),
            "_href": link(write.language, f"/datasets/{entry.dataset.name}"),
            "_link": write.word("Zum Datensatz"),
        }
        yield from places.thing_features(places.things(lake, entry, may(principal, Action.READ, entry.dataset)), write, more)


def _ground(entries: list[Entry], lake: Lake, principal: Principal) -> Iterator[dict[str, Any]]:
    """The first small dataset of areas."""
    for entry in entries:
        column = places.geometry_column(entry.columns)
        if entry.dataset.kind is not Kind.FEATURES or column is None or not 0 < entry.extent.rows <= places.FEW:
            continue
        if not may(principal, Action.READ, entry.dataset).shows(column):
            continue
        areas = list(places.outlines(lake, entry))
        if areas:
            yield from areas
            return


def _themes(entries: list[Entry]) -> list[tuple[str, int]]:
    """Each theme that has datasets, and how many."""
    counts: dict[str, int] = {}
    for entry in entries:
        for theme in entry.dataset.metadata.themes:
            counts[theme] = counts.get(theme, 0) + 1
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
