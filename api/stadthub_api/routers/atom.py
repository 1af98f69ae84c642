"""Atom feeds under CKAN's addresses: all datasets, those of an organisation, a group or a keyword, and any search."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request, Response

from stadthub_api.answers import cached
from stadthub_api.atom import MEDIA_TYPE, SIZE, Page, feed
from stadthub_api.deps import DATASET, HubDep, PrincipalDep
from stadthub_api.hub import Hub
from stadthub_catalog import actions
from stadthub_catalog.refusals import Missing, Refusal
from stadthub_schemas.access import Principal
from stadthub_schemas.errors import NotFound, QueryError

router = APIRouter(prefix="/feeds", tags=["CKAN"])

Number = Annotated[int, Query(alias="page", ge=1, le=100_000, description="which page of 20 datasets")]
Named = Annotated[str, Path(max_length=200)]

#: What may be asked of any search: parameters of `package_search` that say which datasets, and their order.
_SEARCH = ("q", "fq", "sort", "ext_bbox")


@router.get("/dataset.atom", openapi_extra=DATASET)
async def all_datasets(request: Request, hub: HubDep, principal: PrincipalDep, number: Number = 1) -> Response:
    """The datasets that changed last."""
    return await _answer(request, hub, principal, (hub.site.title, {}), number)


@router.get("/custom.atom", openapi_extra=DATASET)
async def any_search(request: Request, hub: HubDep, principal: PrincipalDep, number: Number = 1) -> Response:
    """Any search: `q`, `fq`, `sort` and `ext_bbox` as `package_search` takes them."""
    asked = {name: value for name in _SEARCH if (value := request.query_params.get(name))}
    words = ", ".join(asked.values())
    return await _answer(request, hub, principal, (f"{hub.site.title}: {words}" if words else hub.site.title, asked), number)


@router.get("/organization/{key}.atom", openapi_extra=DATASET)
async def of_organization(request: Request, hub: HubDep, principal: PrincipalDep, key: Named, number: Number = 1) -> Response:
    """The datasets of an organisation."""
    found = await hub.work(_shown, hub, principal, "organization_show", key)
    wanted = {"fq": f'organization:"{found["name"]}"'}
    return await _answer(request, hub, principal, (f"{hub.site.title}: {found['title']}", wanted), number)


@router.get("/group/{key}.atom", openapi_extra=DATASET)
async def of_group(request: Request, hub: HubDep, principal: PrincipalDep, key: Named, number: Number = 1) -> Response:
    """The datasets of a group."""
    found = await hub.work(_shown, hub, principal, "group_show", key)
    wanted = {"fq": f'groups:"{found["name"]}"'}
    return await _answer(request, hub, principal, (f"{hub.site.title}: {found['title']}", wanted), number)


@router.get("/tag/{key}.atom", openapi_extra=DATASET)
async def of_tag(request: Request, hub: HubDep, principal: PrincipalDep, key: Named, number: Number = 1) -> Response:
    """The datasets that bear a keyword."""
    found = await hub.work(_shown, hub, principal, "tag_show", key)
    wanted = {"fq": f'tags:"{found["name"]}"'}
    return await _answer(request, hub, principal, (f"{hub.site.title}: {found['display_name']}", wanted), number)


def _shown(hub: Hub, principal: Principal, action: str, name: str) -> dict[str, Any]:
    """What the feed is about; NotFound."""
    try:
        return dict(actions.call(hub.catalog, action, {"id": name}, principal, hub.site))
    except Missing as error:
        raise NotFound(f"there is nothing named {name[:100]!r}") from error


async def _answer(request: Request, hub: Hub, principal: Principal, asked: tuple[str, dict[str, str]], number: int) -> Response:
    title, search = asked
    query = {name: value for name, value in search.items() if name in request.query_params}
    found = await hub.work(_found, hub, principal, search, number)
    page = Page(title, quote(request.url.path), query, number, found["count"], found["results"])
    if number > page.last:
        raise NotFound(f"page: the last one is {page.last}")
    return cached(request, feed(page, hub.site), MEDIA_TYPE, 60)


def _found(hub: Hub, principal: Principal, search: dict[str, str], number: int) -> dict[str, Any]:
    """One page of the search; QueryError if it can't be understood."""
    asked = {
        "sort": "metadata_modified desc, id asc",
        **search,
        "rows": SIZE,
        "start": (number - 1) * SIZE,
        "facet": "false",
        "include_private": "true",
    }
    try:
        return dict(actions.call(hub.catalog, "package_search", asked, principal, hub.site))
    except Refusal as error:
        raise QueryError(str(error)) from error
