"""The page of one dataset: words, freshness, table, chart, map, downloads, snippets. Its state is its address."""

from collections.abc import Sequence
from html import escape
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from stadthub_api.deps import DATASET, HubDep, LakeDep, PrincipalDep, ReadableDep
from stadthub_api.hub import Hub, Readable
from stadthub_api.lineage import ancestry
from stadthub_api.parameters import PAGE, Question
from stadthub_api.portal import places
from stadthub_api.portal.cells import cell
from stadthub_api.portal.chart import CUSTOM, SPANS, chart, chosen, drawing
from stadthub_api.portal.language import Writing
from stadthub_api.portal.previews import previews
from stadthub_api.portal.quality import linked_data, quality
from stadthub_api.portal.rendering import link, page, settings, writing
from stadthub_api.portal.snippets import QGIS_WAY, snippets
from stadthub_api.portal.table import Table, table
from stadthub_catalog.entry import Entry
from stadthub_lake.lake import Lake
from stadthub_schemas.access import Principal
from stadthub_schemas.dataset import Kind

router = APIRouter(include_in_schema=False)

#: How many things the table beside the map lists.
THINGS = 500

#: Formats in which the filtered view is offered, by kind of dataset.
EXPORTS = {
    Kind.TIMESERIES: ("csv", "json", "geojson", "parquet", "arrow"),
    Kind.FEATURES: ("geojson", "csv", "json", "parquet", "arrow"),
    Kind.TABLE: ("csv", "json", "parquet", "arrow"),
}


@router.get("/datasets/{name}", openapi_extra=DATASET)
def dataset(request: Request, hub: HubDep, principal: PrincipalDep, seen: ReadableDep) -> Response:
    """One dataset and the part of its rows that the address asks for."""
    if seen.entry.dataset.kind is Kind.FILES:
        return _files(request, hub, principal, seen)
    write, lake, catalog = writing(request), hub.lake, hub.catalog
    asked = table(seen, write, request.query_params.multi_items())
    answer = asked.answer(lake)
    base = link(write.language, f"/datasets/{seen.entry.dataset.name}")
    fields = asked.fields(answer.shown)
    things = places.things(lake, seen.entry, seen.decision) if seen.entry.dataset.kind is Kind.TIMESERIES else []
    context = {
        "entry": seen.entry,
        "held_back": catalog.held_back(seen.entry.dataset.name),
        "origin": ancestry(catalog, seen.entry, principal),
        "meta": seen.entry.dataset.metadata,
        "columns": asked.columns,
        "asked": asked,
        "answer": answer,
        "base": base,
        "fields": fields,
        "kept": asked.kept(fields),
        "order": asked.sorted_by(),
        "cell": lambda column, value: cell(column, value, write),
        "map_there": _has_map(seen),
        "box": seen.entry.extent.bbox if _has_map(seen) else None,
        "things": things[:THINGS],
        "things_total": len(things),
        **quality(hub, seen, write),
        **linked_data(hub, seen, write),
        **_chart(request, lake, seen, things),
        **_machine(request, seen, asked),
    }
    return page(request, "dataset.html", context)


def _files(request: Request, hub: Hub, principal: Principal, seen: Readable) -> Response:
    """The page of a dataset that has no rows but those of its resources."""
    name, url, write = seen.entry.dataset.name, settings(request).url, writing(request)
    context = {
        "entry": seen.entry,
        "meta": seen.entry.dataset.metadata,
        "box": seen.entry.extent.bbox,
        "api": f"/api/v1/datasets/{name}",
        "citation": _citation(seen.entry, url, write),
        "previews": previews(hub, principal, seen, write),
        **quality(hub, seen, write),
        **linked_data(hub, seen, write),
    }
    return page(request, "files.html", context)


@router.get("/datasets/{name}/map.geojson", openapi_extra=DATASET)
def dataset_map(request: Request, lake: LakeDep, seen: ReadableDep) -> Response:
    """What the dataset's map shows: its things, or the features that the filter finds."""
    write = writing(request)
    if not _has_map(seen):
        return Response(places.collection(()), media_type="application/geo+json")
    if seen.entry.dataset.kind is Kind.TIMESERIES:
        features = list(places.thing_features(places.things(lake, seen.entry, seen.decision), write, {}))
    else:
        asked = table(seen, write, request.query_params.multi_items())
        words = [*asked.filters, ("limit", str(places.MOST))]
        query, _ = Question(seen.entry, seen.hidden, PAGE, seen.decision.suppression).rows(words, places.MOST, places.MOST)
        features = list(places.row_features(lake, query, asked.columns, write))
    return Response(places.collection(features[: places.MOST]), media_type="application/geo+json")


def _has_map(seen: Readable) -> bool:
    """Whether there are places that this reader may see."""
    if seen.entry.dataset.kind is Kind.TIMESERIES:
        return not {"longitude", "latitude", "thing"} & seen.hidden
    geometry = places.geometry_column(seen.entry.columns)
    return geometry is not None and geometry not in seen.hidden


def _chart(request: Request, lake: Lake, seen: Readable, things: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What the chart's part of the page needs; `chart` None where there is nothing to draw."""
    nothing: dict[str, Any] = {"chart": None}
    if seen.entry.dataset.kind is not Kind.TIMESERIES or {"result", "datastream", "thing", "observed_property"} & seen.hidden:
        return nothing
    write = writing(request)
    wanted = chosen(things, request.query_params.multi_items(), write)
    if wanted is None:
        return nothing
    drawn = chart(lake, seen, wanted, write)
    spans = [(name, write.word(words)) for name, (_, words) in SPANS.items()]
    return {
        "chart": drawn,
        "chart_told": orjson.dumps(drawn.told(write)).decode().replace("<", "\\u003c"),
        "chart_lines": drawing(drawn.lines),
        "chart_spans": [*spans, (CUSTOM, write.word("von … bis …"))],
        "chart_kept": [(name, value) for name, value in request.query_params.multi_items() if value and not name.startswith("chart_")],
    }


def _machine(request: Request, seen: Readable, asked: Table) -> dict[str, Any]:
    """The addresses of the same rows for machines, and how to use them."""
    url = settings(request).url
    api = f"/api/v1/datasets/{seen.entry.dataset.name}"
    order = asked.sorted_by()
    exports = {name: asked.machine(f"{api}/exports/{name}") for name in EXPORTS[seen.entry.dataset.kind]}
    absolute = {name: url + asked.machine(f"{api}/exports/{name}") for name in ("csv", "json", "geojson", "parquet", "arrow")}
    return {
        "api": api,
        "rows_address": asked.machine(f"{api}/rows", [("sort", order)] if order else []),
        "exports": exports,
        "snippets": snippets(seen.entry.dataset.name, seen.entry.dataset.kind, absolute),
        "qgis_way": QGIS_WAY,
        "permalink": url + str(request.url.path) + (f"?{request.url.query}" if request.url.query else ""),
        "badge": badge_text(seen.entry, url, writing(request)),
        "citation": _citation(seen.entry, url, writing(request)),
    }


def badge_text(entry: Entry, url: str, write: Writing) -> str:
    """The lines that show the dataset's badge on another page."""
    there = url + link(write.language, f"/datasets/{entry.dataset.name}")
    title = escape(write.phrase(entry.dataset.metadata.title, entry.dataset.metadata.title_en))
    return f'<a href="{there}"><img src="{there}/badge.svg" alt="{write.word("Aktualität:")} {title}"></a>'


def _citation(entry: Entry, url: str, write: Writing) -> str:
    """How to name the dataset in a text."""
    meta = entry.dataset.metadata
    year = write.here(entry.modified).year
    title = write.phrase(meta.title, meta.title_en)
    return f"{meta.attribution or meta.publisher.title} ({year}): {title}. {url}/datasets/{entry.dataset.name}"
