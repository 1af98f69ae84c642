"""The addresses that CKAN's pages have, for links that stand in other catalogues: they lead to the portal's own pages."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse

from stadthub_api.deps import DATASET, PUBLIC, HubDep, PrincipalDep
from stadthub_api.hub import Hub, absent, readable
from stadthub_catalog import actions
from stadthub_catalog.rdf import wanted
from stadthub_catalog.refusals import Missing
from stadthub_schemas.access import Principal
from stadthub_schemas.errors import NotFound
from stadthub_schemas.vocabularies import THEMES

router = APIRouter(include_in_schema=False)

Key = Annotated[str, Path(max_length=200)]

#: Names of a dataset can change, ids can't: whoever follows an id is told to come back to it.
_FOUND = 302


@router.get("/dataset", openapi_extra=PUBLIC)
@router.get("/dataset/", openapi_extra=PUBLIC)
async def datasets() -> Response:
    """The list of datasets."""
    return RedirectResponse("/datasets", 301)


@router.get("/organization", openapi_extra=PUBLIC)
@router.get("/organization/", openapi_extra=PUBLIC)
@router.get("/group", openapi_extra=PUBLIC)
@router.get("/group/", openapi_extra=PUBLIC)
async def choices() -> Response:
    """Publishers and themes stand beside the list of datasets."""
    return RedirectResponse("/datasets", 302)


@router.get("/dataset/{key}", openapi_extra=DATASET)
@router.get("/dataset/activity/{key}", openapi_extra=DATASET)
async def dataset(request: Request, key: Key, hub: HubDep, principal: PrincipalDep) -> Response:
    """The page of the dataset with this id or name, or its description for whoever asks for RDF."""
    name, ending = await hub.work(_name, hub, principal, key), wanted(request.headers.get("accept", ""))
    there = f"/datasets/{name}" if ending is None else f"/dataset/{key}.{ending}"
    return RedirectResponse(there, _FOUND if ending is None else 303, headers={"Vary": "Accept"})


@router.get("/dataset/{key}/resource/{resource}", openapi_extra=DATASET)
async def resource(key: Key, resource: Key, hub: HubDep, principal: PrincipalDep) -> Response:
    """The files on the page of the dataset; NotFound unless the resource is one of its."""
    name = await hub.work(_name, hub, principal, key)
    entry, _ = await hub.work(hub.catalog.shelf.distribution, resource)
    if entry.name != name:
        raise NotFound(f"there is no resource {resource[:100]!r} in this dataset")
    return RedirectResponse(f"/datasets/{name}#download", _FOUND)


@router.get("/organization/{key}", openapi_extra=DATASET)
async def organization(key: Key, hub: HubDep, principal: PrincipalDep) -> Response:
    """The datasets of the organisation with this id or name."""
    found = await hub.work(_shown, hub, principal, "organization_show", key)
    return RedirectResponse(f"/datasets?{urlencode({'publisher': found})}", _FOUND)


@router.get("/group/{key}", openapi_extra=DATASET)
async def group(key: Key, hub: HubDep, principal: PrincipalDep) -> Response:
    """The datasets of the theme or of the group with this id or name."""
    found = await hub.work(_shown, hub, principal, "group_show", key)
    wanted = {"theme": found.upper()} if found.upper() in THEMES else {"group": found}
    return RedirectResponse(f"/datasets?{urlencode(wanted)}", _FOUND)


def _name(hub: Hub, principal: Principal, key: str) -> str:
    """The name of the dataset, if the caller may see it; NotFound."""
    try:
        entry = hub.catalog.entry(key)
    except NotFound as error:
        raise NotFound(absent(key)) from error
    return readable(entry, principal).entry.name


def _shown(hub: Hub, principal: Principal, action: str, key: str) -> str:
    """The name of the organisation or group; NotFound."""
    try:
        return str(actions.call(hub.catalog, action, {"id": key}, principal, hub.site)["name"])
    except Missing as error:
        raise NotFound(f"there is nothing named {key[:100]!r}") from error
