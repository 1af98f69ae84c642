"""CKAN's utilities that complete what somebody begins to type: `/api/2/util/…`."""

import json
from collections.abc import Callable, Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from stadthub_api.deps import DATASET, HubDep, PrincipalDep
from stadthub_catalog import actions
from stadthub_catalog.entry import Entry
from stadthub_schemas.errors import NotFound
from stadthub_schemas.vocabularies import FORMATS

router = APIRouter(prefix="/api/2/util", tags=["CKAN"], include_in_schema=False)

Begun = Annotated[str, Query(max_length=200)]
Most = Annotated[int, Query(ge=1, le=100)]

#: By what is asked for: the names and titles that an entry brings.
SOURCES: dict[str, Callable[[Entry], Iterable[tuple[str, str]]]] = {
    "dataset": lambda entry: [(entry.name, entry.dataset.metadata.title)],
    "tag": lambda entry: [(name, name) for name in entry.dataset.metadata.keywords],
    "organization": lambda entry: [(entry.organization.name, entry.organization.title)],
    "format": lambda entry: [(_format(one.format), _format(one.format)) for one in entry.distributions if one.format],
}


@router.get("/resource/format_autocomplete", openapi_extra=DATASET)
async def formats(hub: HubDep, principal: PrincipalDep, incomplete: Begun = "", limit: Most = 5) -> Response:
    """The formats that begin like this."""
    found = await hub.work(_begun, hub.catalog.shelf.visible(principal).values(), "format", incomplete, limit)
    return _written({"ResultSet": {"Result": [{"Format": name.lower()} for name, _ in found]}})


@router.get("/{what}/autocomplete", openapi_extra=DATASET)
async def complete(
    what: Annotated[str, Path(max_length=20)],
    hub: HubDep,
    principal: PrincipalDep,
    incomplete: Begun = "",
    q: Begun = "",
    limit: Most = 10,
) -> Response:
    """Datasets, keywords, organisations or groups that begin like this, or hold it. Users are never named: the answer is empty."""
    if what == "user":
        return _written([])
    if what == "group":
        asked = {"q": incomplete or q, "limit": limit}
        groups = await hub.work(actions.call, hub.catalog, "group_autocomplete", asked, principal, hub.site) if asked["q"] else []
        return _written([{"name": one["name"], "title": one["title"]} for one in groups])
    if what not in SOURCES or what == "format":
        raise NotFound(f"there is nothing to complete named {what!r}")
    found = await hub.work(_begun, hub.catalog.shelf.visible(principal).values(), what, incomplete or q, limit)
    if what == "dataset":
        results = [{"match_field": "title", "match_displayed": f"{title} ({name})", "name": name, "title": title} for name, title in found]
        return _written({"ResultSet": {"Result": results}})
    if what == "tag":
        return _written({"ResultSet": {"Result": [{"Name": name} for name, _ in found]}})
    return _written([{"name": name, "title": title} for name, title in found])


def _begun(entries: Iterable[Entry], what: str, begun: str, most: int) -> list[tuple[str, str]]:
    """The names with titles that hold the text, those that begin with it first."""
    wanted = begun.casefold().strip()
    found = {pair for entry in entries for pair in SOURCES[what](entry) if any(wanted in text.casefold() for text in pair)}
    return sorted(found, key=lambda pair: (not any(text.casefold().startswith(wanted) for text in pair), pair[1].casefold(), pair))[:most]


def _format(id_: str) -> str:
    return FORMATS[id_].title if id_ in FORMATS else id_


def _written(value: Any) -> Response:
    """JSON as CKAN writes it."""
    headers = {"Cache-Control": "public, max-age=0, must-revalidate", "Vary": "Authorization"}
    return Response(json.dumps(value).encode(), headers=headers, media_type="application/json;charset=utf-8")
