"""The page of the public WLAN: a map by load, the hours of the week, outages, and which access points are worth keeping."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from stadthub_api.deps import DATASET, CatalogDep, LakeDep, PrincipalDep
from stadthub_api.hub import Readable
from stadthub_api.portal import places, wlan
from stadthub_api.portal.language import Writing
from stadthub_api.portal.rendering import page, settings, writing
from stadthub_lake.lake import Lake

router = APIRouter(include_in_schema=False)

WEEKDAYS = ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag")
#: Why an access point counts as out of order; in German, translated when shown.
REASONS = {"off": "meldet sich als abgeschaltet", "silent": "meldet sich nicht"}
#: The size of a cell of the heat strip, and what its labels need, in the drawing's own units.
CELL, LEFT, TOP = 24, 92, 22


@router.get("/wlan", openapi_extra=DATASET)
def overview(
    request: Request,
    catalog: CatalogDep,
    lake: LakeDep,
    principal: PrincipalDep,
    site: Annotated[str, Query(max_length=200)] = "",
    month: Annotated[str, Query(max_length=7)] = "",
) -> Response:
    """All that the models tell this reader."""
    seen = wlan.shown(catalog, principal)
    use, line_load = seen.get(wlan.USE), seen.get(wlan.LINES)
    sites = wlan.sites(lake, use) if use else []
    chosen = site if any(row["name"] == site for row in sites) else ""
    context = {
        "seen": seen,
        "names": {"use": wlan.USE, "outages": wlan.OUTAGES, "lines": wlan.LINES, "worth": wlan.WORTH},
        "sites": sites,
        "stops": wlan.stops(lake, line_load) if line_load else [],
        "lines": wlan.lines(lake, line_load) if line_load else [],
        "site": chosen,
        "site_options": [(name, name) for name in sorted(str(row["name"]) for row in sites)],
        "strip": _strip(lake, use, chosen, writing(request)),
        "outages": wlan.outages(lake, seen[wlan.OUTAGES]) if wlan.OUTAGES in seen else [],
        "reasons": REASONS,
        "zone": settings(request).time_zone,
        "bounds": {name: wlan.bound(one) for name, one in seen.items()},
        "listed": wlan.LISTED,
        **_worth(lake, seen.get(wlan.WORTH), month),
    }
    return page(request, "wlan.html", context)


@router.get("/wlan/map.geojson", openapi_extra=DATASET)
def load_map(request: Request, catalog: CatalogDep, lake: LakeDep, principal: PrincipalDep) -> Response:
    """Sites and stops as points whose size is their load."""
    seen, write = wlan.shown(catalog, principal), writing(request)
    features: list[dict[str, Any]] = []
    for name, rows_of, word in ((wlan.USE, wlan.sites, write.word("Standort")), (wlan.LINES, wlan.stops, write.word("Haltestelle"))):
        if name in seen:
            features += _points(rows_of(lake, seen[name]), word, wlan.bound(seen[name]), write)
    return Response(places.collection(features[: places.MOST]), media_type="application/geo+json")


def _points(rows: Sequence[dict[str, Any]], kind: str, bound: int | None, write: Writing) -> Iterator[dict[str, Any]]:
    most = max((row["mean"] or 0.0 for row in rows), default=0.0)
    for row in rows:
        if row["longitude"] is None or row["latitude"] is None:
            continue
        words = {
            write.word("Art"): kind,
            write.word("Geräte im Mittel"): count(row["mean"], bound, write),
            write.word("Geräte höchstens"): count(row["most"], bound, write),
        }
        yield {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [row["longitude"], row["latitude"]]},
            "properties": {
                "_id": f"{kind}: {row['name']}",
                "_title": row["name"],
                "_load": (row["mean"] or 0.0) / most if most else 0.0,
                **words,
            },
        }


def count(value: float | None, bound: int | None, write: Writing) -> str:
    """A count as this reader sees it; one that is not shown says below what it is."""
    if value is not None:
        return write.number(value)
    return "–" if bound is None else write.word("unter {}").format(bound)


def _strip(lake: Lake, use: Readable | None, site: str, write: Writing) -> dict[str, Any] | None:
    """The heat strip: cells with their place in the drawing, and the same as a table of words."""
    cells = wlan.week(lake, use, site) if use else {}
    if use is None or not cells:
        return None
    bound = wlan.bound(use)
    drawn, table = [], []
    for weekday, name in enumerate(WEEKDAYS, 1):
        row = []
        for hour in range(24):
            cell = cells.get((weekday, hour))
            words = "–" if cell is None else count(cell.value, bound, write)
            row.append(words)
            drawn.append((LEFT + hour * CELL, TOP + (weekday - 1) * CELL, cell.level if cell else 0))
        table.append((write.word(name), row))
    return {
        "cells": drawn,
        "table": table,
        "size": CELL,
        "width": LEFT + 24 * CELL,
        "height": TOP + 7 * CELL + 2,
        "labels": [(TOP + number * CELL + 17, words) for number, (words, _) in enumerate(table)],
        "hours": [(LEFT + hour * CELL + CELL // 2, hour) for hour in range(0, 24, 3)],
        "partly": bound is not None and any(cell.partly and cell.value is not None for cell in cells.values()),
        "levels": range(1, wlan.LEVELS + 1),
    }


def _worth(lake: Lake, seen: Readable | None, month: str) -> dict[str, Any]:
    months = wlan.months(lake, seen) if seen else []
    chosen = month if month in months else next(iter(months), "")
    return {
        "months": months,
        "month_options": [(one, one) for one in months],
        "month": chosen,
        "worth": wlan.worth(lake, seen, chosen) if seen and chosen else [],
    }
