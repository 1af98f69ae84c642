"""The files of resources at CKAN's addresses: an uploaded file is sent, a resource that is a link leads there."""

import os
from pathlib import Path as FilePath
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import FileResponse, RedirectResponse
from starlette.types import Receive, Scope, Send

from stadthub_api.answers import has
from stadthub_api.deps import DATASET, HubDep, PrincipalDep
from stadthub_api.hub import Hub
from stadthub_catalog.entry import Distribution, Entry, State
from stadthub_catalog.uploads import address
from stadthub_schemas.access import Action, Principal, may
from stadthub_schemas.dataset import AccessClass
from stadthub_schemas.errors import AccessError, NotFound

router = APIRouter(tags=["files"])

Key = Annotated[str, Path(max_length=200)]
File = Annotated[str, Path(max_length=255)]

#: What somebody uploaded may be a page with scripts: a browser shows it without rights in the portal.
_SANDBOX = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"


@router.get("/dataset/{key}/resource/{resource}/download/{file}", openapi_extra=DATASET)
async def download(request: Request, hub: HubDep, principal: PrincipalDep, key: Key, resource: Key, file: File) -> Response:
    """The file of a resource: the bytes if it was uploaded, else the way to its address."""
    entry, one = await hub.work(_resource, hub, principal, key, resource)
    return await _answer(request, hub, entry, one, file)


@router.get("/dataset/{key}/resource/{resource}/download", openapi_extra=DATASET, include_in_schema=False)
async def download_unnamed(request: Request, hub: HubDep, principal: PrincipalDep, key: Key, resource: Key) -> Response:
    """The same without its name."""
    entry, one = await hub.work(_resource, hub, principal, key, resource)
    return await _answer(request, hub, entry, one, "")


async def _answer(request: Request, hub: Hub, entry: Entry, one: Distribution, file: str) -> Response:
    there = address(entry.id, one.id, "") if one.id else ""
    if not there or not one.url.startswith(there):
        if not one.url.startswith(("http://", "https://", "/")):
            raise NotFound(f"resource {one.id} has no file and no address")
        request.state.leads_out = True
        return RedirectResponse(one.url, 302)
    name = one.url.removeprefix(there)
    if file not in ("", name):
        raise NotFound(f"resource {one.id} has no file {file[:100]!r}")
    assert one.id is not None
    path, status = await hub.work(_on_disk, hub.uploads.path(one.id, name))
    return _sent(request, entry, one, path, status)


def _sent(request: Request, entry: Entry, one: Distribution, path: FilePath, status: os.stat_result) -> Response:
    etag = f'"{status.st_size:x}-{status.st_mtime_ns:x}"'
    is_public = entry.dataset.metadata.access is AccessClass.PUBLIC and entry.state is State.ACTIVE and not one.is_held
    headers = {
        "ETag": etag,
        "Cache-Control": f"{'public' if is_public and 'authorization' not in request.headers else 'private'}, max-age=60, must-revalidate",
        "Accept-Ranges": "bytes",
        "Content-Disposition": f"inline; filename={quote(path.name)}",
        "Content-Security-Policy": _SANDBOX,
    }
    if has(request, etag):
        return Response(status_code=304, headers=headers)
    return _Uploaded(path, headers=headers, stat_result=status)


def _resource(hub: Hub, principal: Principal, key: str, resource: str) -> tuple[Entry, Distribution]:
    """The resource and its dataset, if the caller may read it: those that are not shown are for who may write them. NotFound, AccessError."""
    absent = NotFound(f"there is no resource {resource[:100]!r}")
    try:
        entry, one = hub.catalog.shelf.any_distribution(resource)
    except NotFound:
        raise absent from None
    needed = Action.READ if entry.state is State.ACTIVE else Action.WRITE
    if key not in (entry.name, str(entry.id)) or not may(principal, needed, entry.dataset).allowed:
        raise absent
    if one.is_held and not may(principal, Action.WRITE, entry.dataset).allowed:
        raise AccessError("the file is kept back because columns of it seem to tell of people: ask the publisher of the dataset")
    return entry, one


def _on_disk(path: FilePath) -> tuple[FilePath, os.stat_result]:
    try:
        return path, path.stat()
    except OSError as error:
        raise NotFound(f"the file {path.name!r} is not there at the moment: try again soon") from error


class _Uploaded(FileResponse):
    """A file whose HEAD is told by the request's state, because routes only ever see GET."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = "HEAD" if scope["state"]["is_head"] else "GET"
        await super().__call__({**scope, "method": method}, receive, send)
