"""Whole tables of the DataStore at CKAN's address `/datastore/dump/<id>`, as files that are streamed."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Request, Response

from stadthub_api.answers import keep
from stadthub_api.deps import DATASET, HubDep, PrincipalDep
from stadthub_api.envelope import shortened
from stadthub_api.streamed import streamed
from stadthub_catalog.asked import Asked
from stadthub_catalog.refusals import Invalid, Missing, NotAuthorized
from stadthub_pipelines.datastore.dump import asked_dump, pieces
from stadthub_schemas.errors import NotFound

router = APIRouter(tags=["CKAN"])


@router.get("/datastore/dump/{resource}", openapi_extra=DATASET)
async def dump(request: Request, hub: HubDep, principal: PrincipalDep, resource: Annotated[str, Path(max_length=200)]) -> Response:
    """A table as csv, tsv, json, xml, parquet or arrow (`format`), with `fields`, `filters`, `q`, `sort`, `distinct`, `limit` and `offset` as for
    datastore_search, and a byte order mark for spreadsheets with `bom=true`."""
    asked = Asked(hub.catalog, dict(request.query_params), principal, hub.site)
    try:
        found = await hub.work(asked_dump, hub.rooms, asked, resource)
    except (Missing, NotAuthorized):
        raise NotFound(f"there is no DataStore resource {resource[:100]!r}") from None
    except Invalid as error:
        raise HTTPException(400, _told(error)) from error
    headers = {"Content-Disposition": f'attachment; filename="{found.name}"', "Cache-Control": keep(request, 0)}
    if request.state.is_head:
        return Response(media_type=found.format.media_type, headers=headers)
    who = principal.name or shortened(request.client.host if request.client else "")
    try:
        return await streamed(hub, who, lambda: pieces(hub.rooms, found), found.format.media_type, headers)
    except Invalid as error:
        raise HTTPException(400, _told(error)) from error


def _told(error: Invalid) -> str:
    return "; ".join(f"{name}: {' '.join(map(str, said)) if isinstance(said, list) else said}" for name, said in error.fields.items())
